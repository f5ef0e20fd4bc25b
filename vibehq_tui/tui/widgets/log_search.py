"""Finding lines of a log: by a text, and by how bad they are; in slices between which the screen stays alive."""

from __future__ import annotations

import asyncio
import re
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from time import perf_counter
from typing import Final, NamedTuple

from vibehq_tui.tui.widgets.log_lines import Lines

LEVELS: Final = ("", "warning", "error")
"""What can be kept only: everything, warnings and worse, errors and worse."""

_WORD = re.compile(
    r"\b(?:(DEBUG|INFO|NOTICE)|(WARN(?:ING)?)|(ERR(?:OR)?|CRIT(?:ICAL)?|FATAL|PANIC|FAILED|[A-Z]\w*(?:Error|Exception)(?=:))"
    r"|(?i:(debug|info|notice)|(warn(?:ing)?)|(err(?:or)?|crit(?:ical)?|fatal|panic))(?=[\]:]))(?!\w)"
)
"""A level as logs write it: in capitals, or before a colon or a bracket. A word of a sentence is none."""

_RANKS = (0, 0, 1, 2, 0, 1, 2)
_BAD_WORDS = (b"warn", b"err", b"crit", b"fatal", b"panic", b"exception:", b"failed")
_LEVEL_WITHIN = 200


class Level(NamedTuple):
    """The word that says how bad a line is."""

    start: int
    end: int
    rank: int
    """0 for debug and info, 1 for a warning, 2 for an error; an index of :data:`LEVELS`."""


def level_in(text: str, start: int = 0) -> Level | None:
    """The first word in the first 200 characters of a line that says how bad it is."""
    found = _WORD.search(text, start, _LEVEL_WITHIN)
    return None if found is None or found.lastindex is None else Level(*found.span(), _RANKS[found.lastindex])


_SLICE = 0.004
"""Seconds of work before the screen gets a turn."""


@dataclass(frozen=True)
class Wanted:
    """What is looked for. A text that is written small is found whatever its case."""

    text: str = ""
    level: str = ""
    """One of :data:`LEVELS`."""

    def __bool__(self) -> bool:
        return bool(self.text or self.level)

    @cached_property
    def _needle(self) -> bytes:
        return self.text.encode("utf-8", "surrogateescape")

    @cached_property
    def _fold(self) -> bool:
        return self.text == self.text.lower()

    def matches(self, line: bytes) -> bool:
        """Whether a line is one that is wanted."""
        if self.level:
            level = level_in(line[:_LEVEL_WITHIN].decode("latin-1"))
            if level is None or level.rank < LEVELS.index(self.level):
                return False
        return self._needle in (line.lower() if self._fold else line)

    def in_region(self, text: bytes) -> Iterator[int]:
        """The indexes, in order, of the lines of ``text`` that are wanted."""
        if self.text:
            yield from (index for index, line in self._with_text(text) if not self.level or self.matches(line))
        elif self.level:
            yield from self._with_level(text)

    def _with_text(self, text: bytes) -> Iterator[tuple[int, bytes]]:
        hay = text.lower() if self._fold else text
        index = counted = 0
        at = hay.find(self._needle)
        while at >= 0:
            index += hay.count(b"\n", counted, at)
            end = hay.find(b"\n", at)
            end = len(hay) if end < 0 else end
            yield index, text[hay.rfind(b"\n", 0, at) + 1 : end]
            counted = end
            at = hay.find(self._needle, end)

    def _with_level(self, text: bytes) -> Iterator[int]:
        """Looks at lines with a bad word anywhere in them: finding words is seven times as fast as a pattern."""
        low = text.lower()
        starts: set[int] = set()
        for word in _BAD_WORDS:
            at = low.find(word)
            while at >= 0:
                starts.add(low.rfind(b"\n", 0, at) + 1)
                end = low.find(b"\n", at)
                at = low.find(word, end) if end >= 0 else -1
        index = counted = 0
        for start in sorted(starts):
            if self.matches(text[start : start + _LEVEL_WITHIN].split(b"\n", 1)[0]):
                index += text.count(b"\n", counted, start)
                counted = start
                yield index


class Turns:
    """Gives the screen a turn whenever a slice of time was used."""

    def __init__(self) -> None:
        self._until = perf_counter() + _SLICE

    async def give(self) -> None:
        """Lets others run if it is time."""
        if perf_counter() > self._until:
            await asyncio.sleep(0)
            self._until = perf_counter() + _SLICE


async def find(lines: Lines, wanted: Wanted, start: int, *, step: int, rows: array[int] | None = None) -> int | None:
    """The number of the next line after ``start`` (``step`` 1) or before it (-1) that is wanted.

    :param rows: the numbers of the lines to look at, in order; all when it is none.
    """
    turns = Turns()
    if rows is not None:
        at = bisect_left(rows, start)
        order = range(at + (at < len(rows) and rows[at] == start), len(rows)) if step > 0 else range(at - 1, -1, -1)
        for place in order:
            if wanted.matches(lines.line(rows[place])):
                return rows[place]
            await turns.give()
        return None
    if not wanted or not lines.blocks:
        return None
    block = min(lines.block_of(max(start, 0)), lines.blocks - 1)
    while 0 <= block < lines.blocks:
        first, text = lines.region(block)
        found = [first + index for index in wanted.in_region(text)]
        good = [number for number in found if (number - start) * step > 0]
        if good:
            return good[0] if step > 0 else good[-1]
        block += step
        await turns.give()
    return None


async def select(lines: Lines, wanted: Wanted, rows: array[int], block: int) -> int:
    """Appends the numbers of the wanted lines from ``block`` on to ``rows``; answers the block to go on with later.

    The last block, which may still grow, is looked at again the next time: its lines are taken out of ``rows`` first.
    """
    turns = Turns()
    while True:
        if block >= lines.blocks:
            return max(lines.blocks - 1, 0)
        first, text = lines.region(block)
        while rows and rows[-1] >= first:
            rows.pop()
        rows.extend(first + index for index in wanted.in_region(text))
        if block == lines.blocks - 1:
            return block
        block += 1
        await turns.give()
