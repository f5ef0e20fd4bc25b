"""``vibehq patch resolve``: conflicts shown, chosen at, and edited."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Call, git

TEXT = "".join(f"line {number}\n" for number in range(1, 41))


@pytest.fixture
def conflict(hq: Path, call: Call, tmp_path: Path) -> str:
    """A patch of two places of long.txt that long.txt itself has changed since."""
    target = hq / "long.txt"
    target.write_text(TEXT, encoding="utf-8")
    git(hq, "add", "-A")
    git(hq, "commit", "-qm", "Long")
    target.write_text(TEXT.replace("line 5\n", "their 5\n").replace("line 25\n", "their 25\n"), encoding="utf-8")
    patch = tmp_path / "fix.patch"
    patch.write_text(git(hq, "diff"), encoding="utf-8")
    target.write_text(TEXT.replace("line 5\n", "my 5\n").replace("line 25\n", "my \x1b[31m25\n"), encoding="utf-8")
    said = call(hq, "patch", "submit", str(patch), "--json")
    assert said.code == 3
    return "1"


def test_the_conflicts_are_shown(hq: Path, call: Call, conflict: str) -> None:
    said = call(hq, "patch", "resolve", conflict, "--json")
    assert said.code == 0
    (item,) = said.json["items"]
    assert (item["path"], item["kind"]) == ("long.txt", "content")
    assert [(region["line"], region["theirs"]) for region in item["regions"]] == [(5, ["their 5"]), (25, ["their 25"])]
    told = call(hq, "patch", "resolve", conflict)
    assert "their 25" in told.out
    assert "\x1b[31m" not in told.out
    assert (hq / "long.txt").read_text(encoding="utf-8").startswith("line 1\n")


def test_a_choice_for_all(hq: Path, call: Call, conflict: str) -> None:
    said = call(hq, "patch", "resolve", conflict, "--theirs", "--json")
    assert (said.code, said.json["state"], said.json["version"]) == (0, "proposed", 2)
    assert call(hq, "patch", "approve", conflict).code == 0
    assert call(hq, "patch", "apply", conflict).code == 0
    assert "their 5\n" in (hq / "long.txt").read_text(encoding="utf-8")
    assert call(hq, "patch", "resolve", conflict).code == 1


def test_a_choice_for_each_place(hq: Path, call: Call, conflict: str) -> None:
    assert call(hq, "patch", "resolve", conflict, "--choose", "long.txt=ours").code == 1  # nothing would be left
    assert call(hq, "patch", "resolve", conflict, "--choose", "long.txt=ours,theirs").code == 0
    assert "+their 25" in call(hq, "patch", "diff", conflict).out
    assert "their 5\n" not in call(hq, "patch", "diff", conflict).out


def test_in_an_editor(hq: Path, call: Call, conflict: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    editor = tmp_path / "editor"
    monkeypatch.setenv("VISUAL", str(editor))
    monkeypatch.setenv("EDITOR", str(editor))
    editor.write_text("#!/bin/sh\nexit 0\n", encoding="utf-8")
    editor.chmod(0o755)
    assert call(hq, "patch", "resolve", conflict, "--edit", "--json").json["error"]["code"] == "not-saved"
    editor.write_text('#!/bin/sh\nprintf "x\\n" >> "$1"\n', encoding="utf-8")
    said = call(hq, "patch", "resolve", conflict, "--edit", "--json")
    assert (said.code, said.json["error"]["details"]["errors"][0]["code"]) == (1, "markers-left")
    editor.write_text('#!/bin/sh\nprintf "settled\\n" > "$1"\n', encoding="utf-8")
    assert call(hq, "patch", "resolve", conflict, "--edit").code == 0
    call(hq, "patch", "approve", conflict)
    call(hq, "patch", "apply", conflict)
    assert (hq / "long.txt").read_text(encoding="utf-8") == "settled\n"


def test_what_is_said_wrong(hq: Path, call: Call, conflict: str) -> None:
    assert call(hq, "patch", "resolve", conflict, "--theirs", "--path", "other.txt").code == 1
    assert call(hq, "patch", "resolve", conflict, "--choose", "long.txt").code == 2
    assert call(hq, "patch", "resolve", conflict, "--choose", "long.txt=mine").code == 1
    assert call(hq, "patch", "resolve", "99", "--theirs").code == 1
    assert call(hq, "patch", "show", conflict, "--json").json["version"] == 1
