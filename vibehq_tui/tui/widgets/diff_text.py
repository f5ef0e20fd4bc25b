"""Lines of a diff as text that may be shown, and what changed within them. Pure functions, no widget."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from typing import NamedTuple

from vibehq_tui.text.clean import clean

TAB = 4
"""Columns to which a tab goes on."""

LINE_LIMIT = 5_000
"""Characters of one line that can be reached by scrolling sideways; the rest of a minified file is noise."""

_TOKENS = re.compile(r"\w+|\s|[^\w\s]")
"""Each blank is a token of its own, so that of an indentation only what was added is marked."""
_MOST_TOKENS = 240
_LEAST_LIKENESS = 0.4
_MOST_PAIRED = 16

Line = tuple[str, bytes]
"""``(" " | "+" | "-", content)``, as a planned hunk has it."""

Spans = tuple[tuple[int, int], ...]
"""Ranges of characters, in order, without overlap."""


class Run(NamedTuple):
    """Removed lines and the added lines that follow them, as ranges of indexes into the lines of a hunk."""

    removed: range
    added: range


def shown(content: bytes, *, carriage_return: bool = False) -> str:
    """A line as it is shown: no line end, tabs expanded, controls visible, bytes that are not UTF-8 as ``‹\\xff›``.

    :param carriage_return: show a CR at the end as ``␍``, where lines of one hunk end in different ways.
    """
    raw = content[: LINE_LIMIT * 4 + 2]
    body = raw.rstrip(b"\r\n")
    text = body.decode("utf-8", "surrogateescape").expandtabs(TAB)
    if carriage_return and raw.removesuffix(b"\n").endswith(b"\r"):
        text += "\r"
    return clean(text, LINE_LIMIT)


def mixed_line_ends(lines: Sequence[Line]) -> bool:
    """Whether some lines of a hunk end in CR LF and others do not."""
    ends = {content.endswith((b"\r\n", b"\r")) for _, content in lines}
    return len(ends) > 1


def runs(lines: Sequence[Line]) -> list[Run]:
    """Every place of a hunk where lines are removed, added, or replaced."""
    found: list[Run] = []
    index, count = 0, len(lines)
    while index < count:
        if lines[index][0] == " ":
            index += 1
            continue
        start = index
        while index < count and lines[index][0] == "-":
            index += 1
        middle = index
        while index < count and lines[index][0] == "+":
            index += 1
        if index == start:  # neither removed nor added: not a diff we know
            index += 1
            continue
        found.append(Run(range(start, middle), range(middle, index)))
    return found


def pair(lines: Sequence[Line], run: Run) -> list[tuple[int, int]]:
    """Which removed line became which added line: ``(index, index)``, in order; lines too unlike stay alone."""
    if not run.removed or not run.added:
        return []
    if len(run.removed) > _MOST_PAIRED or len(run.added) > _MOST_PAIRED:
        return list(zip(run.removed, run.added, strict=False)) if len(run.removed) == len(run.added) else []
    old = [_words(shown(lines[index][1])) for index in run.removed]
    new = [_words(shown(lines[index][1])) for index in run.added]
    return [(run.removed[i], run.added[j]) for i, j in _align([[_likeness(a, b) for b in new] for a in old])]


class Changes:
    """What changed within the lines of one hunk, worked out for the lines that are asked for."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self._lines = lines
        self._runs = [run for run in runs(lines) if run.removed and run.added]
        self._starts = [run.removed.start for run in self._runs]
        self._partners: dict[int, dict[int, int]] = {}

    def of(self, index: int) -> Spans:
        """The spans of line ``index``, as :func:`shown`, that are not in the line at the other side of the change."""
        number = bisect_right(self._starts, index) - 1
        if number < 0 or index >= self._runs[number].added.stop:
            return ()
        if number not in self._partners:
            pairs = pair(self._lines, self._runs[number])
            self._partners[number] = dict(pairs) | {new: old for old, new in pairs}
        other = self._partners[number].get(index)
        if other is None:
            return ()
        old, new = min(index, other), max(index, other)  # removed lines stand before added ones
        spans = changed_words(shown(self._lines[old][1]), shown(self._lines[new][1]))
        return spans[0] if index == old else spans[1]


def _words(text: str) -> Counter[str]:
    return Counter(token for token in _TOKENS.findall(text[:1_000]) if not token.isspace())


def _likeness(one: Counter[str], two: Counter[str]) -> float:
    total = one.total() + two.total()
    return 2 * (one & two).total() / total if total else 0.0


def _align(likeness: list[list[float]]) -> list[tuple[int, int]]:
    """The pairs, none crossing another, with the greatest sum of likeness; each at least :data:`_LEAST_LIKENESS`."""
    rows, columns = len(likeness), len(likeness[0])
    best = [[0.0] * (columns + 1) for _ in range(rows + 1)]
    for i in range(rows - 1, -1, -1):
        for j in range(columns - 1, -1, -1):
            score = likeness[i][j]
            together = score + best[i + 1][j + 1] if score >= _LEAST_LIKENESS else 0.0
            best[i][j] = max(together, best[i + 1][j], best[i][j + 1])
    pairs: list[tuple[int, int]] = []
    i = j = 0
    while i < rows and j < columns:
        score = likeness[i][j]
        if score >= _LEAST_LIKENESS and best[i][j] == score + best[i + 1][j + 1]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif best[i + 1][j] >= best[i][j + 1]:
            i += 1
        else:
            j += 1
    return pairs


@lru_cache(maxsize=4_096)
def changed_words(old: str, new: str) -> tuple[Spans, Spans]:
    """What of two lines differs, as spans of each; nothing where so much differs that marking it would be noise."""
    a, b = _TOKENS.findall(old), _TOKENS.findall(new)
    if not a or not b or len(a) > _MOST_TOKENS or len(b) > _MOST_TOKENS:
        return (), ()
    matcher = SequenceMatcher(None, a, b, autojunk=False)
    kept = sum(len(a[block.a + k]) for block in matcher.get_matching_blocks() for k in range(block.size))
    if kept * 2 < _LEAST_LIKENESS * (len(old) + len(new)):
        return (), ()
    starts_a, starts_b = _starts(a), _starts(b)
    left: list[tuple[int, int]] = []
    right: list[tuple[int, int]] = []
    for tag, a1, a2, b1, b2 in matcher.get_opcodes():
        if tag == "equal":
            continue
        _join(left, starts_a[a1], starts_a[a2], old)
        _join(right, starts_b[b1], starts_b[b2], new)
    return tuple(left), tuple(right)


def _starts(tokens: list[str]) -> list[int]:
    places = [0]
    for token in tokens:
        places.append(places[-1] + len(token))
    return places


def _join(spans: list[tuple[int, int]], start: int, end: int, text: str) -> None:
    """Adds a span; one that is parted from the last by blanks only goes on with it."""
    if start >= end:
        return
    if spans and not text[spans[-1][1] : start].strip():
        spans[-1] = (spans[-1][0], end)
    else:
        spans.append((start, end))
