"""What a hunk looks for beside what the file has, in the width of a terminal. Lines of patches are cleaned."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any, Final

_AROUND: Final = 2
"""Equal lines that are shown around a difference."""
_MOST: Final = 24
_INDENT: Final = "      "

Line = tuple[str, str] | str
"""A line, with a colour or without."""


def terminal_width() -> int:
    """Columns of the terminal, between 40 and 200; 80 where there is none."""
    try:
        columns = int(os.environ.get("COLUMNS", "0"))
    except ValueError:
        columns = 0
    if columns <= 0:
        try:
            columns = os.get_terminal_size(sys.stdout.fileno()).columns
        except (OSError, ValueError, AttributeError):
            columns = 80
    return min(max(columns, 40), 200)


def nearest(near: dict[str, Any], clean: Callable[[str], str], width: int) -> Iterator[Line]:
    """The place that comes nearest to a hunk, side by side with it.

    :param near: ``nearest`` of a problem, as on the wire.
    :param clean: makes a line fit to be shown.
    """
    yield f"    nearest: line {near['line']} ({near['score']:.0%} alike)"
    side = (width - len(_INDENT) - 5) // 2
    yield (_row(" ", "the patch expects", "the file has", side), "dim")
    expected, found = ([clean(line) for line in near[name]] for name in ("expected", "found"))
    for sign, one, other in _rows(expected, found):
        shown = _row(sign, one, other, side)
        yield (shown, "yellow") if sign in "≠<>" else (shown, "dim")


def regions(found: Sequence[dict[str, Any]], clean: Callable[[str], str], width: int) -> Iterator[Line]:
    """Places where a merge of three versions meets itself: the three, one below the other."""
    for region in found[:_MOST]:
        yield f"    line {region['line']}:"
        for name, words in (("ours", "the file has"), ("base", "both came from"), ("theirs", "the patch wants")):
            for at, line in enumerate(region[name][:_MOST] or [""]):
                label = words if at == 0 else ""
                yield _INDENT + f"{label:<15} │ " + cut(clean(line) if region[name] else "(nothing)", width - 24)


def _rows(expected: list[str], found: list[str]) -> Iterator[tuple[str, str, str]]:
    rows: list[tuple[str, str, str]] = []
    for kind, low, high, start, end in SequenceMatcher(None, expected, found, autojunk=False).get_opcodes():
        sign = {"equal": " ", "replace": "≠", "delete": "<", "insert": ">"}[kind]
        for one, other in zip_longest(expected[low:high], found[start:end]):
            rows.append(("<" if other is None else ">" if one is None else sign, one or "", other or ""))
    different = [at for at, row in enumerate(rows) if row[0] != " "]
    shown = sorted(
        {near for at in different for near in range(at - _AROUND, at + _AROUND + 1) if 0 <= near < len(rows)}
    )
    last = -1
    for at in shown[:_MOST] if different else range(min(len(rows), _MOST)):
        if at != last + 1:
            yield "⋮", "", ""
        yield rows[at]
        last = at
    if last + 1 < len(rows):
        yield "⋮", "", ""


def _row(sign: str, one: str, other: str, side: int) -> str:
    left = cut(one, side)
    return f"{_INDENT}{sign} {left}{' ' * (side - columns(left))} │ {cut(other, side)}".rstrip()


def columns(text: str) -> int:
    """Terminal columns of a clean text."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width  # noqa: PLC0415 - only for what is not ASCII

    return sum(0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text)


def cut(text: str, width: int) -> str:
    """The text in so many columns at most; a longer one ends with …."""
    if columns(text) <= width:
        return text
    while text and columns(text) > width - 1:
        text = text[: min(len(text) - 1, width)]
    return text + "…"
