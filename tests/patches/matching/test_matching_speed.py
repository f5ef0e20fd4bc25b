"""The search stays linear: many hunks, many equal lines, many hunks that are nowhere."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from matching_helpers import hunk, plan

from vibehq_tui.patches.model import Hunk
from vibehq_tui.patches.planning import tiers
from vibehq_tui.patches.planning.filetext import FileText
from vibehq_tui.patches.planning.planned import split_lines

COUNT = 100_000
LINES = [f"line number {at} of the file" for at in range(COUNT)]


def hunks(step: int, shift: int = 0, said: str = "number") -> Iterator[Hunk]:
    for at in range(0, COUNT - 10, step):
        old = [line.replace("number", said) for line in LINES[at : at + 7]]
        text = "".join(f" {line}\n" for line in old[:3]) + f"-{old[3]}\n+changed {at}\n"
        yield hunk(text + "".join(f" {line}\n" for line in old[4:]), line=at + 1 + shift)


def seconds(file: str, *parts: Hunk, result: str) -> float:
    started = time.process_time()
    answer = plan(file, *parts)
    spent = time.process_time() - started
    assert answer.result == result
    return spent


@pytest.mark.parametrize(
    ("shift", "said", "result"),
    [(0, "number", "applied"), (40, "number", "applied"), (0, "nümber", "conflict"), (0, "number ", "applied")],
)
def test_many_hunks(shift: int, said: str, result: str) -> None:
    """Generous: a search that is quadratic takes minutes."""
    file = "\n".join(LINES) + "\n"
    assert seconds(file, *hunks(100, shift, said), result=result) < 30


def test_many_hunks_in_equal_lines() -> None:
    text = "".join(" same line\n" for _ in range(20)) + "-other line {}\n+changed\n"
    parts = [hunk(text.format(at), line=at * 50 + 1) for at in range(1000)]
    assert seconds("same line\n" * COUNT, *parts, result="conflict") < 30


def test_many_hunks_that_fit_everywhere() -> None:
    text = "".join(" same line\n" for _ in range(20)) + "+added\n same line\n"
    parts = [hunk(text, line=at * 50 + 3) for at in range(1000)] + [hunk(" other line\n-gone\n", line=7)]
    assert seconds("same line\n" * COUNT, *parts, result="conflict") < 30


def test_a_search_that_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiers.Budget.__init__, "__defaults__", (10,))
    answer = plan("same line\n" * 5000, *[hunk(" same line\n-same line\n+x\n") for _ in range(9)])
    assert set(answer.codes) <= {"search-limit", "ambiguous-context"}
    assert "search-limit" in answer.codes


@pytest.mark.parametrize("end", [b"", b"\n"])
@pytest.mark.parametrize("size", [0, 1, 7, 100_000])
def test_a_file_as_lines(size: int, end: bytes) -> None:
    """What is cut out of the bytes is what splitting them gives."""
    content = b"\n".join(b"x" * (at % 23) for at in range(size)) + end
    lines, text = split_lines(content), FileText(content)
    assert len(text) == len(lines)
    for start, stop in [(0, 3), (5, 5), (size // 2, size // 2 + 200), (size - 3, size + 9), (-4, -1), (9, 4)]:
        assert text[start:stop] == lines[start:stop]
        low, high, _ = slice(start, stop).indices(len(lines))
        assert text.joined(low, high) == b"".join(lines[low:high])
    for at in range(0, len(lines), max(len(lines) // 50, 1)):
        assert text[at] == lines[at]
        offset = text.offset(at)
        assert (offset, text.line_at(offset)) == (len(b"".join(lines[:at])), at)
    with pytest.raises(IndexError):
        text[len(lines)]
