"""Every reader, and the whole engine on a real folder, with texts made of what each format looks like.

What must never happen is written down once, in ``tools/fuzz_parsers.py``, which also runs by itself for as long as one
likes: another exception than ours, a wait, a change that the plan does not name, or anything left after a refusal.
"""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vibehq_tui.patches.formats import FORMATS

TOOLS = Path(__file__).parents[3] / "tools"
SEEDS = re.split(rb"^==== \d+\n", (TOOLS / "fuzz/seeds.txt").read_bytes(), flags=re.MULTILINE)[1:]
WORDS = [word.encode() for word in (TOOLS / "fuzz/words.txt").read_text("utf-8").splitlines()]
QUICK = settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
LONG = settings(max_examples=10_000, deadline=None, suppress_health_check=list(HealthCheck))


def load() -> ModuleType:
    """The tool as a module."""
    spec = importlib.util.spec_from_file_location("fuzz_parsers", TOOLS / "fuzz_parsers.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


fuzz_parsers = load()
lines = st.sampled_from([word + b"\n" for word in WORDS]) | st.binary(max_size=12).map(lambda data: data + b"\n")
made = st.lists(lines, max_size=30).map(b"".join)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A text that is right, with lines dropped, doubled, swapped, cut, or replaced by others."""
    rows = draw(st.sampled_from(SEEDS)).splitlines(keepends=True)
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(rows)))
        kind = draw(st.integers(0, 5))
        if kind == 0:
            del rows[at : at + 1]
        elif kind == 1:
            rows[at:at] = rows[at : at + 2]
        elif kind == 2:
            rows[at:at] = [draw(lines)]
        elif kind == 3:
            rows[at : at + 1] = [draw(lines)]
        elif kind == 4 and at < len(rows):
            cut = draw(st.integers(0, len(rows[at])))
            rows[at] = rows[at][:cut] + draw(st.binary(max_size=3)) + rows[at][cut:]
        else:
            rows[at:] = []
    return b"".join(rows)


texts = mutated() | made | st.builds(lambda one, other: one + other, mutated(), mutated())


@pytest.fixture(scope="module")
def plan() -> Iterator[Callable[[bytes], None]]:
    """The whole engine: read, planned, applied, taken back."""
    yield fuzz_parsers.target("plan")


@pytest.mark.parametrize("name", [*FORMATS, "markers", "paths"])
@QUICK
@given(texts)
def test_every_reader(name: str, text: bytes) -> None:
    assert fuzz_parsers.target(name)(text) is None


@QUICK
@given(text=texts)
def test_the_whole_engine(plan: Callable[[bytes], None], text: bytes) -> None:
    assert plan(text) is None


@pytest.mark.parametrize("seed", range(len(SEEDS)))
def test_the_seeds_themselves(plan: Callable[[bytes], None], seed: int) -> None:
    assert plan(SEEDS[seed]) is None


@pytest.mark.long
@pytest.mark.parametrize("name", [*FORMATS, "markers", "paths"])
@LONG
@given(texts)
def test_every_reader_at_length(name: str, text: bytes) -> None:
    assert fuzz_parsers.target(name)(text) is None


@pytest.mark.long
@LONG
@given(text=texts)
def test_the_whole_engine_at_length(plan: Callable[[bytes], None], text: bytes) -> None:
    assert plan(text) is None


def test_the_tool_notices_what_must_not_happen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise its silence would prove nothing."""
    from vibehq_tui.patches.applying import engine  # noqa: PLC0415 - what the tool uses

    plans = fuzz_parsers.Plans()
    good = json.dumps([{"op": "append", "file": "b.txt", "block": "x"}]).encode()
    assert plans(good) is None
    honest = engine.apply_text

    def careless(text: bytes, root: Path) -> engine.EngineResult:
        (root / "empty").write_bytes(b"changed")
        return honest(text, root)

    monkeypatch.setattr(engine, "apply_text", careless)
    for text in (good, b"no patch"):
        with pytest.raises(fuzz_parsers.Finding):
            plans(text)
    monkeypatch.setattr(engine, "apply_text", honest)
    assert plans(good) is None


def test_the_tool_replays_a_text(tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(SEEDS[0])
    done = subprocess.run(
        [sys.executable, str(TOOLS / "fuzz_parsers.py"), "--replay", str(tmp_path / "text"), "--target", "unified"],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    assert (done.returncode, "nothing found by unified" in done.stdout) == (0, True)
