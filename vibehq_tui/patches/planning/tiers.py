"""What may differ between a line of a patch and the line of the file that it means, from nothing to look-alikes.

Each tier has a key: lines with the same key are the same in that tier, and every tier sees as equal what the one
before it does. A file is searched as the text of its keys, which has as many lines as the file.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from io import BytesIO
from typing import Final

from vibehq_tui.patches.planning.filetext import FileText

_ENDS: Final = b" \t\r\n"
BLANKS: Final = b" \t\r\x0b\x0c"
_MANY_PLACES: Final = 1000
"""A line with more places than this is no help; the whole block is searched as text then."""
_FEW_PLACES: Final = 8
"""Up to so many places of one line are looked at without asking for a rarer line."""
_FEW_BLOCKS: Final = 4
"""Up to so many blocks are searched as text, which needs no index."""
_LETTERS: Final = re.compile(rb"[0-9A-Za-z\x80-\xff]+")
_TELLING: Final = re.compile(rb"(?:[0-9A-Za-z][^0-9A-Za-z]*){3}")
_BUDGET: Final = 10_000_000
"""Comparisons of lines for one file, after which a search is given up. A search of this size takes seconds."""


def trailing_key(line: bytes) -> bytes:
    """A line without the blanks and terminators at its end."""
    return line.rstrip(_ENDS)


def _trailing(content: bytes) -> bytes:
    text = content.replace(b"\r\n", b"\n") if b"\r" in content else content
    # Looking for one byte costs a tenth of looking for two.
    tabs, returns = b"\t" in text and b"\t\n" in text, b"\r" in text and b"\r\n" in text
    if tabs or returns or b" \n" in text or text.endswith((b" ", b"\t", b"\r")):
        return b"".join([line.rstrip(_ENDS) + b"\n" for line in BytesIO(text)])
    return text


def blank_key(line: bytes) -> bytes:
    """A line without any blank."""
    return line.translate(None, b"\n" + BLANKS)


def _blank(content: bytes) -> bytes:
    return content.translate(None, BLANKS)


def unicode_key(line: bytes) -> bytes:
    """A line without any blank and with one character for all that look alike."""
    if line.isascii():
        return blank_key(line)
    from vibehq_tui.patches.planning.tiers_unicode import plain  # noqa: PLC0415 - its tables are for texts beyond ASCII

    return blank_key(plain(line))


def _unicode(content: bytes) -> bytes:
    if not content.isascii():
        from vibehq_tui.patches.planning.tiers_unicode import plain  # noqa: PLC0415 - its tables are for texts beyond ASCII

        content = plain(content)
    return _blank(content)


@dataclass(frozen=True, slots=True)
class Tier:
    """A way to compare lines."""

    name: str
    key: Callable[[bytes], bytes]
    """The key of a line, without a terminator."""
    _text: Callable[[bytes], bytes]
    """The keys of a whole content, a newline after each but for the last."""

    def text(self, text: FileText) -> bytes:
        """The keys of a whole file, a newline after each."""
        known = text.keyed.get(self.name)
        if known is None:
            known = self._text(text.content)
            if known and not known.endswith(b"\n"):
                known += b"\n"
            text.keyed[self.name] = known
        return known


TRAILING: Final = Tier("trailing", trailing_key, _trailing)
"""Blanks and terminators at line ends may differ; the exact match is the same search with a closer look."""
BLANK: Final = Tier("blank", blank_key, _blank)
"""Blanks may differ anywhere."""
UNICODE: Final = Tier("unicode", unicode_key, _unicode)
"""Characters that look alike may differ, and blanks."""


def keys(lines: Sequence[bytes], tier: Tier = TRAILING) -> list[bytes]:
    """The keys of lines."""
    return [tier.key(line) for line in lines]


class Budget:
    """How much a search may still cost, in comparisons of lines."""

    def __init__(self, amount: int = _BUDGET) -> None:
        self.left = amount

    @property
    def exhausted(self) -> bool:
        """Whether the search was given up."""
        return self.left < 0


class Searcher:
    """A file in the eyes of one tier, to be searched for blocks of keys.

    The search is linear: few blocks are looked for as text, many by the places of their rarest lines, of which there is
    an index that holds only lines of the blocks.
    """

    def __init__(self, text: FileText, tier: Tier, blocks: Sequence[Sequence[bytes]], budget: Budget) -> None:
        self._budget = budget
        self._blocks = blocks
        self._content = tier.text(text)
        self._length = len(text)
        self._text = text

    @cached_property
    def _lines(self) -> FileText:
        return self._text if self._content is self._text.content else FileText(self._content)

    @cached_property
    def _longest(self) -> dict[bytes, list[int]]:
        """The places of the longest line of each block, which is rarely anywhere else."""
        return self._index({max(block, key=len) for block in self._blocks if block})

    @cached_property
    def _all(self) -> dict[bytes, list[int]]:
        """The places of every line of a block."""
        return self._index({key for block in self._blocks for key in block})

    def _index(self, wanted: set[bytes]) -> dict[bytes, list[int]]:
        places: dict[bytes, list[int]] = {key + b"\n": [] for key in wanted}
        for at, found in enumerate(map(places.get, BytesIO(self._content))):
            if found is not None:
                found.append(at)
        return places

    def _rarest(self, block: Sequence[bytes]) -> tuple[list[int], int]:
        """The places of a line of a block that has few, and the index of that line in the block."""
        longest = max(block, key=len)
        places = self._longest.get(longest + b"\n", [])
        if len(places) <= _FEW_PLACES:
            return places, block.index(longest)
        return min(((self._all.get(key + b"\n", []), at) for at, key in enumerate(block)), key=lambda it: len(it[0]))

    def find(self, block: Sequence[bytes], limit: int, low: int = 0, high: int | None = None) -> list[int]:
        """Up to ``limit`` line indices between ``low`` and ``high`` where ``block`` lies whole, in order."""
        high = self._length if high is None else high
        if high - low < len(block) or self._budget.exhausted:
            return []
        if len(self._blocks) <= _FEW_BLOCKS:
            return self._find_as_text(block, limit, low, high)
        rarest, back = self._rarest(block)
        first, last = bisect_left(rarest, low + back), bisect_right(rarest, high - len(block) + back)
        if last - first > _MANY_PLACES:
            return self._find_as_text(block, limit, low, high)
        needle = b"\n".join(block) + b"\n"
        found: list[int] = []
        for place in rarest[first:last]:
            self._budget.left -= len(block)
            if self._content.startswith(needle, self._lines.offset(place - back)):
                found.append(place - back)
                if len(found) == limit or self._budget.exhausted:
                    break
        return found

    def _find_as_text(self, block: Sequence[bytes], limit: int, low: int, high: int) -> list[int]:
        needle = b"\n" + b"\n".join(block) + b"\n"
        end = len(self._content) if high >= self._length else self._lines.offset(high)
        found: list[int] = []
        if low == 0:
            at = 0
            if self._content.startswith(needle[1:]):
                found.append(0)
        else:
            at = self._lines.offset(low) - 1
        while len(found) < limit and not self._budget.exhausted:
            hit = self._content.find(needle, at, end)
            self._budget.left -= ((end if hit < 0 else hit) - at) // 64 + 1
            if hit < 0:
                break
            found.append(self._lines.line_at(hit + 1))
            at = hit + 1
        return found

    def find_beginning(self, key: bytes, limit: int, low: int = 0) -> list[int]:
        """Up to ``limit`` line indices from ``low`` on of lines that begin with a key."""
        found: list[int] = []
        at = self._lines.offset(low)
        if at == 0 and self._content.startswith(key):
            found.append(0)
        while len(found) < limit and not self._budget.exhausted:
            hit = self._content.find(b"\n" + key, max(at - 1, 0))
            self._budget.left -= ((len(self._content) if hit < 0 else hit) - at) // 64 + 1
            if hit < 0:
                break
            found.append(self._lines.line_at(hit + 1))
            at = hit + 2
        return found


@lru_cache(maxsize=1 << 14)
def telling(line: bytes) -> bool:
    """Whether a line says enough to be told from others: three letters or digits at least."""
    return _TELLING.search(line, 0, 400) is not None or not line.isascii()


def letters(line: bytes) -> int:
    """How many letters and digits a line has; every byte beyond ASCII counts as one."""
    return sum(map(len, _LETTERS.findall(line)))
