"""Differences by lines: they turn the old text into the new one, whichever way they are found."""

from __future__ import annotations

import random

import pytest

from vibehq_tui.patches.planning.diff3 import Edit, difference, edits, edits_from_below, merge, shortest_edits

FINDERS = [edits, edits_from_below, shortest_edits]


def applied(old: list[bytes], new: list[bytes], found: list[Edit]) -> list[bytes]:
    made: list[bytes] = []
    cursor = 0
    for edit in found:
        assert edit.low > cursor or cursor == 0, "two edits touch"
        made += old[cursor : edit.low]
        assert len(made) == edit.start
        made += new[edit.start : edit.end]
        assert edit.low < edit.high or edit.start < edit.end
        cursor = edit.high
    return made + old[cursor:]


def texts(seed: int) -> tuple[list[bytes], list[bytes]]:
    chance = random.Random(seed)
    words = [b"a\n", b"b\n", b"\n", b"}\n", *(b"%d\n" % number for number in range(30))]
    old = [chance.choice(words) for _ in range(chance.randrange(60))]
    new = list(old)
    for _ in range(chance.randrange(6)):
        at = chance.randrange(len(new) + 1)
        new[at : at + chance.randrange(5)] = [chance.choice(words) for _ in range(chance.randrange(5))]
    return old, new


@pytest.mark.parametrize("seed", range(60))
def test_edits_make_the_new_text_of_the_old(seed: int) -> None:
    old, new = texts(seed)
    for find in FINDERS:
        assert applied(old, new, find(old, new)) == new
    whole = difference(b"".join(old), b"".join(new), 7, "merge")
    assert [hunk.number for hunk in whole] == list(range(7, 7 + len(whole)))
    lines = old
    for hunk in reversed(whole):
        if hunk.lines:
            kept = [line for tag, line in hunk.lines if tag != "+"]
            assert lines[hunk.first : hunk.first + hunk.old_lines] == kept
            lines = [
                *lines[: hunk.first],
                *(line for tag, line in hunk.lines if tag != "-"),
                *lines[hunk.first + hunk.old_lines :],
            ]
    assert lines == new


def test_texts_that_have_nothing_in_common_are_replaced() -> None:
    old, new = [b"a%d\n" % number for number in range(900)], [b"b%d\n" % number for number in range(900)]
    for find in FINDERS:
        assert find(old, new) == [Edit(0, 900, 0, 900)]


def test_equal_lines_do_not_take_forever() -> None:
    old, new = [b"same\n"] * 50_000, [b"same\n"] * 49_000 + [b"other\n"] * 10
    for find in FINDERS:
        assert applied(old, new, find(old, new)) == new


@pytest.mark.parametrize(
    ("ours", "theirs", "wanted"),
    [
        ("Abcdefg", "abcdefG", "AbcdefG"),
        ("abXcdefg", "abcdefg", "abXcdefg"),
        ("abXdefg", "abXdefg", "abXdefg"),
        ("abXdefg", "abcYefg", None),
        ("abXdefg", "abcYdefg", None),
        ("abXcdefg", "abXcdefg", "abXcdefg"),
        ("abXcdefg", "abYcdefg", None),
        ("abdefg", "abXdefg", None),
        ("", "abcdefg", ""),
    ],
)
def test_changes_that_touch_meet(ours: str, theirs: str, wanted: str | None) -> None:
    base, mine, other = ([letter.encode() + b"\n" for letter in text] for text in ("abcdefg", ours, theirs))
    merged = merge(base, mine, other, edits(base, mine), edits(base, other))
    content = None if merged.content is None else merged.content.decode().replace("\n", "")
    assert content == wanted
    assert bool(merged.regions) == (wanted is None)
