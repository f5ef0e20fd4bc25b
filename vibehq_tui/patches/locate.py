"""Where the hunks of a patch belong in a file: at their line, or at the only place that matches, or nowhere.

The line numbers of a patch are believed as long as nothing speaks against them. When one hunk of a file is not at its
line, or the file is not the one that the patch was made from, then for every hunk of that file the place must be the
only one that matches: a block that occurs twice could be at its line by chance.

The search is linear. A file is indexed by line once; a hunk is looked for at the places of its rarest line.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from typing import Final

from vibehq_tui.patches.model import Hunk, Problem

_BLANKS: Final = b" \t\r\n"
_MANY_PLACES: Final = 1000
"""A line with more places than this is no help; the whole block is searched as text then."""
_MOST_CANDIDATES: Final = 16
_MOST_COMPARED: Final = 256
_BUDGET: Final = 20_000_000
"""Comparisons of lines for one file, after which a search is given up. A search of this size takes seconds."""


@dataclass(slots=True)
class Sought:
    """A hunk that is being looked for."""

    hunk: Hunk
    number: int
    old: list[bytes]
    hint: int
    """The index, from 0, of its first old line by its header."""
    start: int | None = None
    match: str = "exact"

    @property
    def end(self) -> int:
        """The index behind its last old line."""
        return (self.start or 0) + len(self.old)


@dataclass(frozen=True, slots=True)
class Located:
    """The result of a search: every hunk with its place, or problems."""

    hunks: list[Sought]
    problems: list[Problem]
    edges: frozenset[int]
    """Indices of hunks that add at an edge where the patch shows the file's beginning or end, and the file goes on."""


class LineIndex:
    """The lines of a file, to be searched for blocks whatever the blanks at line ends.

    Only the lines that blocks are made of are indexed: a file of a million lines costs one pass and little memory.
    """

    def __init__(self, lines: list[bytes], blocks: Iterable[Sequence[bytes]]) -> None:
        self._lines = lines
        self._places: dict[bytes, list[int]] = {key: [] for block in blocks for key in block}
        self._spent = 0
        places = self._places
        for at, line in enumerate(lines):
            found = places.get(line.rstrip(_BLANKS))
            if found is not None:
                found.append(at)

    @cached_property
    def _text(self) -> bytes:
        return b"\n" + b"\n".join(keys(self._lines)) + b"\n"

    @cached_property
    def _offsets(self) -> list[int]:
        """Where each line starts in :attr:`_text`, at the newline before it."""
        return list(accumulate((len(line.rstrip(_BLANKS)) + 1 for line in self._lines), initial=0))

    @property
    def exhausted(self) -> bool:
        """Whether the search was given up."""
        return self._spent > _BUDGET

    def matches(self, block: list[bytes], at: int) -> bool:
        """Whether ``block`` (keys) is at line index ``at``."""
        return at >= 0 and keys(self._lines[at : at + len(block)]) == block

    def find(self, block: list[bytes], low: int, high: int, limit: int) -> list[int]:
        """Up to ``limit`` line indices between ``low`` and ``high`` where ``block`` (keys) lies whole, in order."""
        rarest: list[int] | None = None
        back = 0
        for at, key in enumerate(block):
            places = self._places.get(key, [])
            if rarest is None or len(places) < len(rarest):
                rarest, back = places, at
        if not rarest or high - low < len(block):
            return []
        first, last = bisect_left(rarest, low + back), bisect_right(rarest, high - len(block) + back)
        if last - first > _MANY_PLACES:
            return self._find_as_text(block, low, high, limit)
        found: list[int] = []
        for place in rarest[first:last]:
            self._spent += len(block)
            if self.matches(block, place - back):
                found.append(place - back)
                if len(found) == limit or self.exhausted:
                    break
        return found

    def _find_as_text(self, block: list[bytes], low: int, high: int, limit: int) -> list[int]:
        needle = b"\n" + b"\n".join(block) + b"\n"
        offsets = self._offsets
        end = offsets[high] + 1
        at = offsets[low]
        found: list[int] = []
        while len(found) < limit and not self.exhausted:
            hit = self._text.find(needle, at, end)
            self._spent += ((end if hit < 0 else hit) - at) // 64 + 1
            if hit < 0:
                break
            found.append(bisect_left(offsets, hit))
            at = hit + 1
        return found


def keys(lines: Sequence[bytes]) -> list[bytes]:
    """Lines without the blanks and terminators at their ends, as :class:`LineIndex` compares them."""
    return [line.rstrip(_BLANKS) for line in lines]


def sought(hunks: Sequence[Hunk], first_number: int, *, reverse: bool = False) -> list[Sought]:
    """The hunks to look for; ``reverse`` looks for what they would leave behind."""
    result = []
    for number, hunk in enumerate(hunks, first_number):
        old = hunk.new() if reverse else hunk.old()
        start, count = (hunk.new_start, hunk.new_count) if reverse else (hunk.old_start, hunk.old_count)
        hint = start if count == 0 and not old else start - 1
        result.append(Sought(hunk=hunk, number=number, old=old, hint=max(hint, 0)))
    return result


def at_their_lines(hunks: list[Sought], lines: list[bytes]) -> bool:
    """Places every hunk at its line if all of them are there, byte for byte, in order and at the edges they show."""
    cursor = 0
    for item in hunks:
        hint, count = item.hint, len(item.old)
        if hint < cursor or hint > len(lines) or lines[hint : hint + count] != item.old:
            return False
        if _beyond_edge(item, hint, len(lines)) or (count == 0 and item.hunk.old_count != 0):
            return False
        cursor = hint + count
    for item in hunks:
        item.start = item.hint
        item.match = "exact"
    return True


def are_in(hunks: list[Sought], lines: list[bytes]) -> bool:
    """Whether the lines that are sought stand at their numbers, byte for byte."""
    return all(lines[item.hint : item.hint + len(item.old)] == item.old for item in hunks)


def _beyond_edge(item: Sought, start: int, length: int) -> bool:
    """Whether a hunk with context adds as its first or last line, and the file goes on there.

    A tool leaves context out only where there is none, so such a hunk says "at the very beginning" (or end).
    """
    lines = item.hunk.lines
    if not any(tag == " " for tag, _ in lines):
        return False
    return (lines[0][0] == "+" and start > 0) or (lines[-1][0] == "+" and start + len(item.old) < length)


def locate(hunks: list[Sought], lines: list[bytes], *, path: str, trusted: bool | None) -> Located:
    """Finds a place for each hunk that is certain.

    :param trusted: whether the file is the one that the patch was made from; None when the patch does not tell.
    """
    if trusted is not False and at_their_lines(hunks, lines):
        return Located(hunks, [], frozenset())
    return _search(hunks, lines, path=path, stale=trusted is False)


def locate_doubting(hunks: list[Sought], lines: list[bytes], *, path: str) -> Located:
    """Like :func:`locate` when something speaks against the line numbers: each place must be the only one."""
    return _search(hunks, lines, path=path, stale=True)


def _search(hunks: list[Sought], lines: list[bytes], *, path: str, stale: bool) -> Located:
    blocks = [keys(item.old) for item in hunks]
    index = LineIndex(lines, blocks)
    for item in hunks:
        item.start = None
    at_line = [
        index.matches(block, item.hint) if block else item.hint <= len(lines)
        for item, block in zip(hunks, blocks, strict=True)
    ]
    stale = stale or not all(at_line)
    problems: list[Problem] = []
    open_: list[int] = []
    for position, item in enumerate(hunks):
        if not item.old:
            problem = _place_without_context(item, path, stale=stale, length=len(lines))
            problems += [problem] if problem else []
            continue
        found = index.find(blocks[position], 0, len(lines), 2)
        if not found:
            problems.append(_not_found(item, lines, path, exhausted=index.exhausted))
        elif len(found) == 1:
            item.start = found[0]
        elif not stale and _holds_at_line(item, blocks[position], index, lines):
            item.start = item.hint
        else:
            open_.append(position)
    _narrow(hunks, blocks, index, open_, len(lines))
    for position in open_:
        if hunks[position].start is None:
            problems.append(_ambiguous(hunks[position], blocks[position], index, len(lines), path))
    if not problems:
        problems = _order_problems(hunks, path)
    edges: set[int] = set()
    for position, item in enumerate(hunks):
        if item.start is None:
            continue
        exact = lines[item.start : item.end] == item.old
        item.match = "whitespace" if not exact else "exact" if item.start == item.hint else "offset"
        if _beyond_edge(item, item.start, len(lines)):
            edges.add(position)
    return Located(hunks, sorted(problems, key=lambda problem: problem.hunk or 0), frozenset(edges))


def _holds_at_line(item: Sought, block: list[bytes], index: LineIndex, lines: list[bytes]) -> bool:
    """Whether a block with several places may be taken to be at its line: byte for byte there, or nowhere else."""
    if _beyond_edge(item, item.hint, len(lines)):
        return False
    count = len(item.old)
    if lines[item.hint : item.hint + count] == item.old:
        return True
    found = index.find(block, 0, len(lines), _MOST_COMPARED)
    return len(found) < _MOST_COMPARED and not any(lines[at : at + count] == item.old for at in found)


def _place_without_context(item: Sought, path: str, *, stale: bool, length: int) -> Problem | None:
    """A hunk without old lines goes where its number says, as long as numbers can be believed."""
    if item.hunk.old_count != 0:
        message = "the hunk shows no line of the file, so its place is not certain"
    elif item.hint > length:
        message = f"the hunk adds after line {item.hint}; the file has {length}"
    elif stale:
        message = "the hunk has no context, and the file is not the one that it was made from"
    else:
        item.start = item.hint
        return None
    return Problem(code="no-context", path=path, hunk=item.number, message=message)


def _narrow(hunks: list[Sought], blocks: list[list[bytes]], index: LineIndex, open_: list[int], length: int) -> None:
    """Hunks stand in the order of the file, so those that are certain bound the places of the others."""
    progress = True
    while progress:
        progress = False
        for position in open_:
            item = hunks[position]
            if item.start is not None:
                continue
            low = next((hunks[k].end for k in range(position - 1, -1, -1) if hunks[k].start is not None), 0)
            high = next(
                (start for k in range(position + 1, len(hunks)) if (start := hunks[k].start) is not None), length
            )
            found = index.find(blocks[position], low, high, 2) if low <= high else []
            if len(found) == 1:
                item.start = found[0]
                progress = True


def _ambiguous(item: Sought, block: list[bytes], index: LineIndex, length: int, path: str) -> Problem:
    found = index.find(block, 0, length, _MOST_CANDIDATES)
    many = f"{len(found)} places" if len(found) < _MOST_CANDIDATES else "many places"
    return Problem(
        code="ambiguous-context",
        path=path,
        hunk=item.number,
        message=f"the lines of the hunk are found in {many}, and its line number {item.hint + 1} cannot be relied on",
        candidates=tuple(place + 1 for place in found),
    )


def _not_found(item: Sought, lines: list[bytes], path: str, *, exhausted: bool) -> Problem:
    if exhausted:
        message = "the search was given up: the file repeats itself too much"
        return Problem(code="search-limit", path=path, hunk=item.number, message=message)
    wanted = keys(item.old)
    there = keys(lines[item.hint : item.hint + len(wanted)])
    message = "the lines of the hunk are not in the file"
    for offset, want in enumerate(wanted):
        have = there[offset] if offset < len(there) else None
        if have != want:
            is_now = "the file ends before it" if have is None else f"it is {_shown(have)}"
            message += f"; line {item.hint + offset + 1} should be {_shown(want)}, {is_now}"
            break
    return Problem(code="context-not-found", path=path, hunk=item.number, message=message)


def _shown(line: bytes) -> str:
    text = line.decode("utf-8", "replace")
    return repr(text if len(text) <= 80 else text[:79] + "…")


def _order_problems(hunks: list[Sought], path: str) -> list[Problem]:
    problems = []
    for before, item in pairwise(hunks):
        if before.start is not None and item.start is not None and item.start < before.end:
            message = f"the hunk belongs at line {item.start + 1}, above or within the hunk before it"
            problems.append(Problem(code="hunk-order", path=path, hunk=item.number, message=message))
    return problems
