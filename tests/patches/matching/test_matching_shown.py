"""What ``patchctl`` prints of a hunk that does not fit: what it expects beside what is there."""

from __future__ import annotations

from typing import Any

import pytest

from vibehq_tui.cli import patchctl_text, side_by_side


def shown(expected: list[str], found: list[str], width: int = 80) -> list[str]:
    near: dict[str, Any] = {"line": 7, "score": 0.5, "expected": expected, "found": found}
    lines = side_by_side.nearest(near, patchctl_text.clean, width)
    return [line if isinstance(line, str) else line[0] for line in lines]


def test_side_by_side() -> None:
    lines = shown(["one", "two", "three"], ["one", "2", "three", "four"])
    assert lines[0] == "    nearest: line 7 (50% alike)"
    assert [line.split("│")[0].split() for line in lines[2:]] == [["one"], ["≠", "two"], ["three"], [">"]]
    assert [line.split("│")[1].strip() for line in lines[2:]] == ["one", "2", "three", "four"]


@pytest.mark.parametrize("width", [40, 80, 200])
def test_in_the_width_of_the_terminal(width: int) -> None:
    lines = shown(["a" * 300, "漢字" * 100], ["b" * 300, "ö" * 300], width)
    assert max(map(side_by_side.columns, lines)) <= width
    assert len({side_by_side.columns(line.split("│")[0]) for line in lines[1:]}) == 1


def test_nothing_steers_the_terminal() -> None:
    text = "\n".join(shown(["\x1b[31mred", "\u202eturned"], ["\x07bell", "tab\there"]))
    assert not any(char in text for char in "\x1b\u202e\x07\t")


def test_only_what_differs_and_what_is_near_to_it() -> None:
    lines = shown([f"line {at}" for at in range(40)], [f"line {at}" if at != 20 else "other" for at in range(40)])
    assert [line.split("│")[0].strip() for line in lines[2:]] == [
        "⋮",
        "line 18",
        "line 19",
        "≠ line 20",
        "line 21",
        "line 22",
        "⋮",
    ]


def test_a_problem_with_a_place_and_with_regions() -> None:
    answer = {
        "result": "conflict",
        "files": [],
        "repairs": [],
        "warnings": [],
        "errors": [
            {
                "code": "merge-conflict",
                "path": "f",
                "hunk": 1,
                "message": "both changed it",
                "candidates": [3],
                "nearest": {"line": 3, "score": 1.0, "expected": ["a"], "found": ["a"]},
                "regions": [{"line": 3, "ours": ["mine"], "base": [], "theirs": ["\x1btheirs"]}],
            }
        ],
    }
    lines = [line if isinstance(line, str) else line[0] for line in patchctl_text.results(answer)]
    assert any("nearest: line 3 (100% alike)" in line for line in lines)
    assert any("the patch wants" in line and "␛theirs" in line for line in lines)
    assert any("(nothing)" in line for line in lines)


def test_the_width_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "nonsense")
    assert 40 <= side_by_side.terminal_width() <= 200
    monkeypatch.setenv("COLUMNS", "9999")
    assert side_by_side.terminal_width() == 200
