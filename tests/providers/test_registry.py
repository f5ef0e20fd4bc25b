from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

from storage.errors import Refused
from vibehq_tui.contracts.config import COST_TIERS, TASK_TYPES, ProviderSettings
from vibehq_tui.providers.registry import BUILT_IN, Registry, read_provider
from vibehq_tui.providers.scaffold import provider_template, write_provider

GOOD = """
title = "Mine"
types = ["fix"]
[probe]
executables = ["mine"]
[run]
arguments = ["{prompt}"]
"""


def put(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    return path


def test_the_agents_of_the_program_are_complete() -> None:
    known = Registry({}, {}).all()
    assert set(known) == {"aider", "claude", "codex", "copilot", "cursor", "gemini", "opencode", "shell"}
    for name, one in known.items():
        assert (one.problem, one.origin, one.spec.name) == ("", BUILT_IN, name)
        assert one.spec.run.arguments
        if name != "shell":
            assert one.spec.homepage.startswith("https://")
            assert one.spec.install
            assert one.spec.probe.version
            assert set(one.types) <= set(TASK_TYPES)
            assert one.cost in COST_TIERS
    assert [name for name, one in known.items() if one.spec.manual] == ["shell"]


def test_later_folders_replace_earlier_ones_and_settings_come_last(tmp_path: Path) -> None:
    user, own = tmp_path / "user", tmp_path / "own"
    put(user, "codex.toml", GOOD.replace("Mine", "Of the operator"))
    put(user, "mine.toml", GOOD)
    put(own, "mine.toml", GOOD.replace('"mine"', '"theirs"'))
    settings = {"mine": ProviderSettings(cost="free", executable="/opt/mine", types=("docs",))}
    known = Registry({user: "user", own: "own", tmp_path / "none": "none"}, settings).all()
    assert (known["codex"].spec.title, known["codex"].origin) == ("Of the operator", "user/codex.toml")
    mine = known["mine"]
    assert (mine.origin, mine.spec.probe.executables) == ("own/mine.toml", ("theirs",))
    assert (mine.cost, mine.types, mine.executables) == ("free", ("docs",), ("/opt/mine",))
    assert known["codex"].cost == "medium"


def test_files_are_read_again_when_they_change(tmp_path: Path) -> None:
    registry = Registry({tmp_path: "here"}, {})
    path = put(tmp_path, "mine.toml", GOOD)
    assert registry.all()["mine"].spec.title == "Mine"
    assert registry.all() is registry.all()
    put(tmp_path, "mine.toml", GOOD.replace("Mine", "Changed"))
    assert registry.all()["mine"].spec.title == "Changed"
    path.unlink()
    assert "mine" not in registry.all()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "[probe] with executables is missing"),
        ("x = [", "mine.toml is not valid TOML"),
        (GOOD + 'promt = "stdin"', "run.promt: unknown setting"),
        (GOOD.replace('"fix"', '"fixing"'), "types: expected generate, fix"),
        (GOOD.replace("{prompt}", "{promt}"), "run: {promt} means nothing in arguments"),
        (GOOD.replace("{prompt}", "--go"), "run: arguments lacks {prompt}"),
        (GOOD + 'prompt = "file"', "run: arguments lacks {prompt_file}"),
        ("name = 'My Agent'\n" + GOOD, "name is 'My Agent'; expected a lower-case word"),
        (GOOD.replace('["mine"]', "[]"), "probe: executables is missing"),
        ("cost = 'cheap'\n" + GOOD, "cost: expected free, low, medium or high"),
    ],
)
def test_a_broken_file_is_shown_as_such(tmp_path: Path, text: str, problem: str) -> None:
    one = read_provider(put(tmp_path, "mine.toml", text), "own/mine.toml")
    assert one.spec.name == "mine"
    assert problem in one.problem
    assert one.problem.startswith("own/mine.toml")
    assert "codex" in Registry({tmp_path: "own"}, {}).all()


def test_odd_files_stop_nothing(tmp_path: Path) -> None:
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "gone.toml").symlink_to("nowhere")
    (tmp_path / "binary.toml").write_bytes(b"\xff\x00")
    (tmp_path / "Bad Name.toml").write_text(GOOD)
    known = Registry({tmp_path: "own"}, {}).all()
    assert "is not UTF-8 text" in known["binary"].problem
    assert "expected a lower-case word" in known["Bad Name"].problem
    assert "folder" not in known
    assert "gone" not in known


def test_settings_of_a_provider_that_does_not_exist(tmp_path: Path) -> None:
    known = Registry({tmp_path: "own"}, {"codx": ProviderSettings(cost="low")}).all()
    assert known["codx"].problem == "vibehq.toml: providers.codx: there is no such provider; did you mean codex?"


@pytest.mark.parametrize("name", ["mine", "my-agent-2"])
def test_the_template_is_a_working_provider(tmp_path: Path, name: str) -> None:
    path = write_provider(tmp_path / "new", name)
    one = read_provider(path, path.name)
    assert (one.problem, one.spec.name, one.executables) == ("", name, (name,))
    # with every line turned on it still says the same
    text = re.sub(r"(?m)^# (\w+ = )", r"\1", provider_template(name))
    assert read_provider(put(tmp_path, f"{name}.toml", text), "x").problem == ""
    with pytest.raises(Refused, match="exists already"):
        write_provider(tmp_path / "new", name)


@pytest.mark.parametrize("name", ["", "My", "a b", "../x", "a--b", "-a", "a" * 41, "ä"])
def test_names_that_cannot_be(tmp_path: Path, name: str) -> None:
    with pytest.raises(Refused, match="cannot be the name"):
        write_provider(tmp_path, name)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Refused, match="cannot be written"):
        write_provider(tmp_path / "file" / "providers", "mine")
