"""Themes: complete, readable, and never red against green alone."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import pytest
from textual.color import Color

from vibehq_tui.text.glyphs import (
    CHECKS,
    EXECUTIONS,
    ISSUE_STATES,
    PATCH_STATES,
    PRIORITIES,
    PROVIDERS,
    SEVERITIES,
    TASK_STATES,
)
from vibehq_tui.tui import theme as themes
from vibehq_tui.tui.preferences import preferences_file, read_preferences, write_preferences

_OURS = [palette for palette in themes.PALETTES.values() if not palette.ansi]


@pytest.mark.parametrize("palette", themes.PALETTES.values(), ids=lambda palette: palette.name)
def test_every_role_has_a_style(palette: themes.Palette) -> None:
    table = themes.styles(palette.name)
    for field in fields(palette):
        if field.name not in ("name", "title", "dark", "ansi"):
            assert field.name in table
    for signs in (TASK_STATES, PATCH_STATES, SEVERITIES, ISSUE_STATES, EXECUTIONS, PROVIDERS, CHECKS, PRIORITIES):
        assert {sign.tone for sign in signs.values()} <= set(table)


def _contrast(one: str, other: str) -> float:
    def light(name: str) -> float:
        def linear(part: float) -> float:
            return part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4

        red, green, blue = (linear(part / 255) for part in Color.parse(name).rgb)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    high, low = sorted((light(one), light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("palette", _OURS, ids=lambda palette: palette.name)
def test_text_can_be_read_on_what_lies_behind_it(palette: themes.Palette) -> None:
    for role in ("text", "strong", "dim", "accent", "key", "ok", "busy", "wait", "warn", "error", "added", "removed"):
        colour = getattr(palette, role)
        for ground in (palette.background, palette.strip, palette.raised, palette.cursor_blurred):
            assert _contrast(colour, ground) >= 4.4, (role, ground)
    for ground in (palette.cursor, palette.added_back, palette.removed_back, palette.added_word, palette.removed_word):
        assert _contrast(palette.text, ground) >= 4.4, ground
    assert _contrast(palette.match_text, palette.match) >= 4.4
    assert _contrast(palette.faint, palette.background) >= 3


def test_the_colour_blind_theme_tells_good_from_bad_by_blue_and_orange() -> None:
    for good, bad in (("ok", "error"), ("added", "removed")):
        one, other = Color.parse(getattr(themes.CLEAR, good)), Color.parse(getattr(themes.CLEAR, bad))
        assert one.b - one.r > 80
        assert other.r - other.b > 80


def test_without_colour_the_selection_is_reversed() -> None:
    table = themes.styles(themes.ANSI.name)
    assert table["cursor"].reverse
    assert table["match"].underline
    assert table["background"].bgcolor is None


def test_following_goes_around() -> None:
    names = [themes.DEFAULT]
    while (name := themes.following(names[-1])) not in names:
        names.append(name)
    assert names == list(themes.PALETTES)
    assert themes.following("unknown") == themes.DEFAULT


def test_an_unknown_theme_has_the_default_colours() -> None:
    assert themes.styles("unknown")["ok"] == themes.styles(themes.DEFAULT)["ok"]


def test_preferences_are_kept(tmp_path: Path) -> None:
    file = preferences_file({"XDG_STATE_HOME": str(tmp_path / "state")})
    assert read_preferences(file) == {}
    assert write_preferences(file, {"theme": "vibe-light"})
    assert read_preferences(file) == {"theme": "vibe-light"}
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize("content", ["", "[1]", "{", json.dumps({"theme": 7})])
def test_broken_preferences_are_no_error(tmp_path: Path, content: str) -> None:
    file = tmp_path / "screens.json"
    file.write_text(content)
    assert set(read_preferences(file)) <= {"theme"}


def test_preferences_that_cannot_be_written_are_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert not write_preferences(tmp_path / "file" / "screens.json", {})


def test_where_preferences_are() -> None:
    assert preferences_file({"HOME": "/home/ivy"}) == Path("/home/ivy/.local/state/vibehq/screens.json")
    assert preferences_file({"HOME": "/home/ivy", "XDG_STATE_HOME": "relative"}).parts[1] == "home"
