"""Lines of a diff as text, and what changed within them."""

from __future__ import annotations

from review_helpers import HOSTILE, is_harmless

from vibehq_tui.tui.widgets.diff_text import (
    LINE_LIMIT,
    Changes,
    Run,
    changed_words,
    mixed_line_ends,
    pair,
    runs,
    shown,
)


def test_line_ends_go_and_tabs_become_blanks() -> None:
    assert shown(b"\tif x:\r\n") == "    if x:"
    assert shown(b"a\tb\n") == "a   b"
    assert shown(b"no end") == "no end"


def test_carriage_return_is_shown_where_lines_end_in_different_ways() -> None:
    lines = [("-", b"one\r\n"), ("+", b"one\n")]
    assert mixed_line_ends(lines)
    assert not mixed_line_ends([("-", b"one\r\n"), ("+", b"two\r\n")])
    assert shown(b"one\r\n", carriage_return=True) == "one␍"
    assert shown(b"one\n", carriage_return=True) == "one"


def test_hostile_bytes_are_visible_and_harmless() -> None:
    text = shown(HOSTILE.encode() + b"\xff\x00\n")
    assert is_harmless(text)
    assert "␛" in text
    assert "‹U+202E›" in text
    assert "‹\\xff›" in text
    assert "[@click=app.quit]" in text


def test_a_line_of_a_megabyte_is_cut() -> None:
    assert len(shown(b"x" * 1_000_000)) == LINE_LIMIT


def test_runs_are_found() -> None:
    lines = [(" ", b"a"), ("-", b"b"), ("+", b"c"), ("+", b"d"), (" ", b"e"), ("+", b"f"), ("-", b"g"), (" ", b"h")]
    assert runs(lines) == [
        Run(range(1, 2), range(2, 4)),
        Run(range(5, 5), range(5, 6)),
        Run(range(6, 7), range(7, 7)),
    ]


def test_lines_are_paired_by_what_they_have_in_common() -> None:
    lines = [
        ("-", b"    return compute(value, 500)\n"),
        ("+", b"    total = 0\n"),
        ("+", b"    return compute(value, size=500)\n"),
    ]
    assert pair(lines, runs(lines)[0]) == [(0, 2)]


def test_lines_without_anything_in_common_stay_alone() -> None:
    lines = [("-", b"alpha beta gamma\n"), ("+", b"one two three\n")]
    assert pair(lines, runs(lines)[0]) == []


def test_changed_words_are_marked_in_both_lines() -> None:
    old, new = "self.source.read(scope, 100)", "self.source.read(scope, 500)"
    left, right = changed_words(old, new)
    assert [old[start:end] for start, end in left] == ["100"]
    assert [new[start:end] for start, end in right] == ["500"]


def test_changes_parted_by_blanks_are_one() -> None:
    left, right = changed_words("keep this a b end of it", "keep this c d end of it")
    assert len(left) == 1
    assert len(right) == 1


def test_nothing_is_marked_where_nearly_everything_differs() -> None:
    assert changed_words("alpha beta gamma", "one two three four") == ((), ())


def test_changes_of_a_hunk_are_worked_out_for_the_lines_asked_for() -> None:
    lines = [("-", b"value = 1\n"), ("+", b"value = 2\n"), (" ", b"same\n"), ("+", b"added = 1\n")] * 50
    changes = Changes(lines)
    assert changes.of(0) == ((8, 9),)
    assert changes.of(1) == ((8, 9),)
    assert changes.of(2) == ()
    assert changes.of(197) == ((8, 9),)
    assert changes.of(199) == ()


def test_a_replaced_block_of_thousands_of_lines_is_paired_in_order() -> None:
    lines = [("-", b"value = %d\n" % n) for n in range(5_000)] + [("+", b"value = %d;\n" % n) for n in range(5_000)]
    assert Changes(lines).of(5_000 + 4_321) == ((12, 13),)
