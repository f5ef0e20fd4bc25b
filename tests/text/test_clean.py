"""Untrusted text is visible and harmless once cleaned."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vibehq_tui.text.clean import LIMIT, clean, clean_lines

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=700)
HOSTILE = st.lists(
    st.sampled_from(
        [
            "\x1b]52;c;aGk=\x07",
            "\x1b[31m",
            "\x9b2J",
            "\u202e",
            "\u2066",
            "\u2028",
            "\x00",
            "\x7f",
            "\ud800",
            "\udcff",
            "e" + "\u0301" * 40,
            "\U000e0041",
            "\u200b",
            "\r\n",
            "\t",
            "[/]",
            "[@click=app.quit]",
            "x",
            "é",
            "⚠️",
        ]
    ),
    max_size=30,
).map("".join)


def harmless(text: str, allowed: str = "") -> bool:
    """No control, no invisible or direction-turning character is left, and it can be encoded."""
    text.encode()
    bad = {"Cc", "Cs", "Zl", "Zp"}
    turning = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\u200c\u200d\u200e\u200f\u061c\ufeff")
    return not any((unicodedata.category(c) in bad and c not in allowed) or c in turning for c in text)


@given(ANY_TEXT | HOSTILE)
def test_any_text_becomes_one_harmless_line(text: str) -> None:
    shown = clean(text)
    assert harmless(shown)
    assert len(shown) <= LIMIT
    assert clean(shown) == shown


@given(ANY_TEXT | HOSTILE)
def test_any_text_becomes_harmless_lines(text: str) -> None:
    shown = clean_lines(text)
    assert harmless(shown, allowed="\n\t")
    assert shown.count("\n") == text.count("\n")
    assert "\n".join(shown.splitlines()) == shown.removesuffix("\n")


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("Ops scan entrypoint", "Ops scan entrypoint"),
        ("Größe 日本語 ⚠️ ✔", "Größe 日本語 ⚠️ ✔"),
        ("\x1b[31mred", "␛[31mred"),
        ("a\nb\tc", "a␤b␉c"),
        ("del\x7f", "del␡"),
        ("csi\x9b2J", "csi‹U+009B›2J"),
        ("evil\u202egnp.exe", "evil‹U+202E›gnp.exe"),
        ("a\u200bb", "a‹U+200B›b"),
        ("line\u2028break", "line‹U+2028›break"),
        ("name\udcff", "name‹\\xff›"),
        ("half\ud83d", "half‹U+D83D›"),
        ("tag\U000e0041", "tag‹U+E0041›"),
        ("[/] [@click=app.quit]x", "[/] [@click=app.quit]x"),
        ("e" + "\u0301" * 100, "e" + "\u0301" * 4 + "‹+96›"),
    ],
)
def test_what_is_shown(raw: str, shown: str) -> None:
    assert clean(raw) == shown


def test_a_long_line_is_capped_and_says_so() -> None:
    assert clean("x" * 501) == "x" * 499 + "…"
    assert clean("x" * 500) == "x" * 500
    assert clean("abcdef", 4) == "abc…"
    assert clean("\u202e" * 3, 10) == "‹U+202E›‹…"


def test_a_flood_costs_only_what_is_shown() -> None:
    assert clean("\x1b" * 50_000_000, 10) == "␛" * 9 + "…"


def test_lines_keep_newlines_and_tabs_only() -> None:
    assert clean_lines("a\r\nb\tc\n\rd\x0be\x85f") == "a\nb\tc\n␍d␋e‹U+0085›f"
    assert clean_lines("a\nb\nc", 4) == "a\nb…"
