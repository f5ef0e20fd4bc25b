"""``[keymap]``: what works is followed, what cannot work is named."""

from __future__ import annotations

from typing import Any

import pytest

from vibehq_tui.tui.commands import BY_ID
from vibehq_tui.tui.keymap import Keymap, clashes, load

_PATCHES = ("patches", "list", "main", "app")


def test_an_override_replaces_all_keys() -> None:
    keymap, problems = load({"list.down": ["ctrl+n", "down"], "patch.approve": "ctrl+y"})
    assert problems == []
    table = keymap.table(_PATCHES)
    assert table["ctrl+n"].id == table["down"].id == "list.down"
    assert "j" not in table
    assert table["ctrl+y"].id == "patch.approve"
    assert "a" not in table


def test_several_keys_in_one_text() -> None:
    keymap, problems = load({"patch.approve": "ctrl+y, f5"})
    assert problems == []
    assert keymap.keys(BY_ID["patch.approve"]) == ("ctrl+y", "f5")


def test_two_commands_may_change_places() -> None:
    keymap, problems = load({"patch.approve": "x", "patch.reject": "a"})
    assert problems == []
    assert keymap.table(_PATCHES)["x"].id == "patch.approve"
    assert clashes(keymap) == []


def test_a_clash_is_named_and_not_followed() -> None:
    keymap, problems = load({"patch.approve": "j"})
    assert [problem.id for problem in problems] == ["patch.approve"]
    assert "j is the key of list.down already" in problems[0].message
    assert keymap.table(_PATCHES)["a"].id == "patch.approve"
    assert keymap.table(_PATCHES)["j"].id == "list.down"


def test_two_overrides_that_clash_lose_one() -> None:
    keymap, problems = load({"patch.approve": "ctrl+y", "patch.reject": "v"})
    assert len(problems) == 1
    assert clashes(keymap) == []


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"patch.aprove": "a"}, "did you mean patch.approve?"),
        ({"nonsense": "a"}, "there is no command of this name"),
        ({"patch.approve": "ctrl+m"}, "cannot tell ctrl+m from enter"),
        ({"patch.approve": "hyper+a"}, "'hyper+a' is not a key"),
        ({"patch.approve": "enterr"}, "'enterr' is not a key"),
        ({"patch.approve": 7}, ""),
    ],
)
def test_what_cannot_work_is_named(overrides: dict[str, Any], words: str) -> None:
    keymap, problems = load(overrides)
    if overrides == {"patch.approve": 7}:
        assert keymap.keys(BY_ID["patch.approve"]) == ("7",)
        return
    assert words in problems[0].message
    assert problems[0].id in overrides
    assert keymap.keys(BY_ID["patch.approve"]) == ("a",)


def test_a_key_of_another_place_is_found() -> None:
    command = Keymap().elsewhere("F")
    assert command is not None
    assert command.id == "issue.scan-full"
    assert Keymap().elsewhere("§") is None
