"""Lines of a file that lead to a hunk: ``@@ class A:`` and ``@@ def f():`` above lines that may be there twice."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from vibehq_tui.patches.planning.filetext import FileText
from vibehq_tui.patches.planning.tiers import BLANK, Budget, Searcher, blank_key

_MOST: Final = 64
_STRIDE: Final = 256


@dataclass(frozen=True, slots=True)
class Scope:
    """What anchors lead to: the line of the last of them and all below it."""

    text: FileText
    start: int

    def end(self) -> int:
        """The line behind the block that the anchor opens, by indentation."""
        text, high = self.text, len(self.text)
        if self.start < 0:
            return high
        depth = _depth(text[self.start])
        at = self.start + 1
        if at < high and text[at].strip() == b"{":
            at += 1
        while at < high:
            for line in text[at : at + _STRIDE]:
                if line.strip() and _depth(line) <= depth:
                    return at
                at += 1
        return high

    def inside(self, places: list[int]) -> list[int]:
        """The only place in what the anchor opens, or else all those below it."""
        if len(places) > 1:
            end = self.end()
            inner = [at for at in places if at < end]
            return inner if len(inner) == 1 else places
        return places


@dataclass(frozen=True, slots=True)
class Lost:
    """An anchor that leads nowhere, or to several places."""

    anchor: bytes
    places: tuple[int, ...]


class Anchors:
    """All anchors of the hunks of one file."""

    def __init__(self, text: FileText, anchors: Iterable[bytes], budget: Budget) -> None:
        self._text = text
        self._budget = budget
        self._keys = [[blank_key(anchor)] for anchor in anchors]

    @cached_property
    def _searcher(self) -> Searcher:
        return Searcher(self._text, BLANK, self._keys, self._budget)

    def follow(self, anchors: tuple[bytes, ...], floor: int) -> Scope | Lost:
        """Where anchors lead, each searched below the one before.

        :param floor: the line below which the hunk should be by the order of the text.
        """
        scope = Scope(self._text, -1)
        for depth, anchor in enumerate(anchors):
            places = self._lines_like(anchor, scope.start + 1)
            if depth:
                places = scope.inside(places)
            elif len(places) > 1:
                below = [at for at in places if at >= floor]
                places = below if len(below) == 1 else places
            if len(places) != 1:
                return Lost(anchor, tuple(places))
            scope = Scope(self._text, places[0])
        return scope

    def _lines_like(self, anchor: bytes, low: int) -> list[int]:
        """Lines that are the anchor but for blanks; if there are none, lines that it is the beginning of."""
        key = blank_key(anchor)
        if not key or self._budget.exhausted:
            return []
        return self._searcher.find([key], _MOST, low) or self._searcher.find_beginning(key, _MOST, low)


def within(scope: Scope, places: list[int], *, repeated: bool) -> list[int]:
    """The places that anchors leave: the only one in what they open, or all below them.

    :param repeated: whether the hunk begins with the line of the last anchor.
    """
    return scope.inside(places[bisect_left(places, scope.start + (not repeated)) :])


def _depth(line: bytes) -> int:
    expanded = line.expandtabs(8)
    return len(expanded) - len(expanded.lstrip())
