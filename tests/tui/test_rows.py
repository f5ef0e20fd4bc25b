"""Columns share the width, and a painted line has exactly the width that it was given."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style

from vibehq_tui.tui.theme import DARK, styles
from vibehq_tui.tui.widgets.rows import Cell, Column, Look, Part, fit, fit_columns, paint, plain, wrap

_LOOK = Look(styles=styles(DARK.name))
_COLUMNS = (
    Column("", 1),
    Column("id", 4),
    Column("title", 10, share=1),
    Column("owner", 8, drop=2),
    Column("age", 4, drop=1),
)

_TEXT = st.text(st.characters(blacklist_categories=("Cs",)), max_size=40)


def test_all_columns_when_there_is_room() -> None:
    widths = fit_columns(_COLUMNS, 60)
    assert widths == (1, 4, 60 - 1 - 4 - 8 - 4 - 4, 8, 4)


def test_the_highest_drop_goes_first() -> None:
    assert fit_columns(_COLUMNS, 31) == (1, 4, 10, 8, 4)
    assert fit_columns(_COLUMNS, 30) == (1, 4, 18, 0, 4)
    assert fit_columns(_COLUMNS, 21) == (1, 4, 14, 0, 0)


def test_a_limit_leaves_the_rest_to_others() -> None:
    assert fit_columns((Column("", 2, share=1, most=5), Column("", 2, share=1)), 40) == (5, 34)


@given(st.integers(0, 200), st.integers(0, 2))
def test_columns_never_need_more_than_there_is(width: int, gap: int) -> None:
    widths = fit_columns(_COLUMNS, width, gap)
    shown = [one for one in widths if one]
    assert sum(shown) + gap * max(len(shown) - 1, 0) <= max(width, 3 + 2 * gap)


@given(_TEXT, st.integers(0, 30))
def test_fit_is_exact(text: str, width: int) -> None:
    printable = "".join(char for char in text if char.isprintable())
    assert cell_len(fit(printable, width)) == width


def test_fit_cuts_and_fills() -> None:
    assert fit("abc", 5) == "abc  "
    assert fit("abc", 5, right=True) == "  abc"
    assert fit("abcdef", 4) == "abc…"
    assert fit("日本語", 5) == "日本…"
    assert fit("日本語", 4) == "日 …"


@given(st.lists(st.tuples(_TEXT, st.sampled_from(["", "ok", "dim"])), max_size=4), st.integers(0, 50), st.booleans())
def test_a_painted_cell_has_its_width_whatever_is_in_it(parts: list[tuple[str, str]], width: int, right: bool) -> None:
    cell: Cell = tuple(Part(*part) for part in parts)
    segments = paint(cell, width, Style.null(), _LOOK, right=right)
    assert sum(cell_len(segment.text) for segment in segments) == width


def test_what_could_steer_a_terminal_is_made_visible() -> None:
    segments = paint("a\x1b]52;c;x\x07\u202e", 40, Style.null(), _LOOK)
    assert "".join(segment.text for segment in segments).rstrip() == "a␛]52;c;x␇‹U+202E›"


def test_a_match_is_highlighted_whatever_its_case() -> None:
    look = Look(styles=styles(DARK.name), match="sca")
    found = [
        segment.text
        for segment in paint("Scan a scale", 20, Style.null(), look)
        if segment.style and segment.style.bgcolor
    ]
    assert found == ["Sca", "sca"]


def test_reversed_text_has_no_other_colour() -> None:
    (segment, _) = paint(Part("x", "error"), 3, Style(reverse=True), _LOOK)
    assert segment.style is not None
    assert segment.style.color is None


def test_plain_is_the_text_alone() -> None:
    assert plain(("a", Part("b", "ok"))) == "ab"


def test_wrap_breaks_at_spaces() -> None:
    lines = wrap([Part("one two three", "dim"), Part(" four")], 9)
    assert ["".join(part.text for part in line) for line in lines] == ["one two", "three", "four"]
