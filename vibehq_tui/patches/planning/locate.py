"""Where the hunks of a patch belong in a file: at their line, or at the only place that matches, or nowhere.

The line numbers of a patch are believed as long as nothing speaks against them. When one hunk of a file is not at its
line, or the file is not the one that the patch was made from, then for every hunk of that file the place must be the
only one that matches: a block that occurs twice could be at its line by chance.

What does not match as it is, is looked for in weaker tiers (see :mod:`tiers`), and the place must be the only one in
its tier. Hunks that no tier finds are left to a merge with their base, and at last to :mod:`similar`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from vibehq_tui.patches.model import Problem, Repair
from vibehq_tui.patches.planning.anchors import Anchors, Scope, within
from vibehq_tui.patches.planning.arrange import arrange
from vibehq_tui.patches.planning.filetext import FileText
from vibehq_tui.patches.planning.sought import Sought, beyond_edge, sought
from vibehq_tui.patches.planning.tiers import BLANK, TRAILING, UNICODE, Budget, Searcher, Tier, blank_key, keys, letters
from vibehq_tui.patches.planning.tiers_blanks import reworded, untabbed

__all__ = ["Located", "Sought", "are_in", "at_their_lines", "keys", "locate", "locate_doubting", "sought"]

_MOST_CANDIDATES: Final = 16
_MOST_COMPARED: Final = 256
_FEWEST_LETTERS: Final = 12
"""Letters and digits that a hunk must show to be found by less than its very lines."""
TIERS: Final = (TRAILING, BLANK, UNICODE)


@dataclass(frozen=True, slots=True)
class Located:
    """The result of a search: every hunk with its place, in the order of the file, or problems."""

    hunks: list[Sought]
    problems: list[Problem]
    edges: frozenset[int]
    """Indices of hunks that add at an edge where the patch shows the file's beginning or end, and the file goes on."""
    repairs: list[Repair] = field(default_factory=list)
    lost: list[Sought] = field(default_factory=list)
    """Hunks that no tier has found anywhere; each has a problem."""


def at_their_lines(hunks: list[Sought], lines: Sequence[bytes]) -> bool:
    """Places every hunk at its line if all of them are there, byte for byte, in order and at the edges they show."""
    cursor = 0
    total = len(lines)
    for item in hunks:
        hint, count = item.hint, len(item.old)
        if not item.hunk.numbered or hint < cursor or hint > total or lines[hint : hint + count] != item.old:
            return False
        if beyond_edge(item, hint, total) or (count == 0 and item.hunk.old_count != 0):
            return False
        cursor = hint + count
    for item in hunks:
        item.start = item.hint
        item.match = "exact"
    return True


def are_in(hunks: list[Sought], lines: Sequence[bytes]) -> bool:
    """Whether the lines that are sought stand at their numbers, but for blanks and terminators at their ends."""
    return all(
        item.hunk.numbered and keys(lines[item.hint : item.hint + len(item.old)]) == keys(item.old) for item in hunks
    )


def locate(
    hunks: list[Sought],
    lines: Sequence[bytes],
    *,
    path: str,
    trusted: bool | None,
    ordered: bool = True,
    binding: bool = False,
    tiers: Sequence[Tier] = TIERS,
) -> Located:
    """Finds a place for each hunk that is certain.

    :param trusted: whether the file is the one that the patch was made from; None when the patch does not tell.
    :param ordered: whether the hunks stand in the order of the file.
    :param binding: whether anchors must lead to the hunk; otherwise they help where it is found in several places.
    :param tiers: what may differ, the strongest first.
    """
    if trusted is not False and at_their_lines(hunks, lines):
        return Located(hunks, [], frozenset())
    return _Search(hunks, lines, path, tiers, ordered=ordered, binding=binding).run(stale=trusted is False)


def locate_doubting(hunks: list[Sought], lines: Sequence[bytes], *, path: str, ordered: bool = True) -> Located:
    """Like :func:`locate` when something speaks against the line numbers: each place must be the only one."""
    return _Search(hunks, lines, path, TIERS, ordered=ordered, binding=False).run(stale=True)


@dataclass(slots=True)
class _Open:
    """A hunk that was found in several places."""

    tier: Tier
    places: list[int]
    """In order; more than :data:`_MOST_COMPARED` of them mean that there are others."""

    @property
    def complete(self) -> bool:
        return len(self.places) <= _MOST_COMPARED


class _Search:
    """One search of a file for the hunks of a patch."""

    def __init__(
        self,
        hunks: list[Sought],
        lines: Sequence[bytes],
        path: str,
        tiers: Sequence[Tier],
        *,
        ordered: bool,
        binding: bool,
    ) -> None:
        self._text = FileText.of(lines)
        self._hunks = hunks
        self._path = path
        self._ordered = ordered
        self._binding = binding
        self._tiers = tiers
        self._budget = Budget()
        self._problems: list[Problem] = []
        self._open: dict[int, _Open] = {}
        self._lost: list[Sought] = []
        self._searchers: dict[int, Searcher] = {}
        self._narrowed = False
        anchors = {anchor for item in hunks for anchor in item.hunk.anchors}
        self._anchors = Anchors(self._text, sorted(anchors), self._budget)

    def run(self, *, stale: bool) -> Located:
        """:param stale: something speaks against the line numbers."""
        text, hunks = self._text, self._hunks
        for item in hunks:
            item.forget()
        numbered = [item for item in hunks if item.hunk.numbered]
        stale = stale or not all(self._is_at_line(item) for item in numbered)
        wanted = [position for position, item in enumerate(hunks) if _shows_lines(item)]
        for item in hunks:
            if not _shows_lines(item):
                self._place_without_context(item, stale=stale or not item.hunk.numbered)
        for tier in self._tiers:
            wanted = self._find_all(tier, wanted, stale=stale)
            if not wanted:
                break
        for position in wanted:
            self._lose(hunks[position])
        for group in self._groups():
            self._narrow(group)
        for position, found in self._open.items():
            if hunks[position].start is None:
                self._problems.append(self._ambiguous(hunks[position], found))
        self._untab()
        repairs: list[Repair] = []
        if not self._problems:
            hunks, self._problems, repairs = arrange(
                hunks, self._path, ordered=self._ordered, movable=not self._narrowed
            )
        edges = frozenset(
            position
            for position, item in enumerate(hunks)
            if item.start is not None and beyond_edge(item, item.start, len(text))
        )
        problems = sorted(self._problems, key=lambda problem: problem.hunk or 0)
        return Located(hunks, problems, edges, repairs, self._lost)

    def _untab(self) -> None:
        """Where tabs stand for spaces in some hunks, they do so in the added lines of those that show no other tab."""
        widths = {item.tab for item in self._hunks if item.tab}
        for item in self._hunks if len(widths) == 1 else []:
            if item.start is not None and item.lines is None:
                item.lines = untabbed(item.hunk.lines, min(widths))
                if item.lines is not None:
                    item.match, item.codes = "whitespace", ("indentation",)

    def _groups(self) -> list[list[int]]:
        """Positions of hunks that stand in the order of the file for certain: their numbers say so, or the text."""
        groups: list[list[int]] = []
        hints = [item.hint for item in self._hunks if item.hunk.numbered]
        rising = self._ordered and all(before <= after for before, after in pairwise(hints))
        for position, item in enumerate(self._hunks):
            if groups and (item.hunk.continues or (rising and item.hunk.numbered)):
                groups[-1].append(position)
            else:
                groups.append([position])
        return groups

    def _is_at_line(self, item: Sought) -> bool:
        if not item.old:
            return item.hint <= len(self._text)
        there = self._text[item.hint : item.hint + len(item.old)]
        if keys(there) == keys(item.old):
            return True
        weak = self._tiers[-1]
        return weak is not TRAILING and keys(there, weak) == keys(item.old, weak) and self._reword(item, there) is True

    def _place_without_context(self, item: Sought, *, stale: bool) -> None:
        """A hunk without old lines goes where its number says, as long as numbers can be believed."""
        length = len(self._text)
        if not item.hunk.numbered and not item.old and (item.hunk.at_end or not length):
            item.start = length
            return
        if not item.hunk.numbered or item.hunk.old_count != 0:
            message = "the hunk shows no line of the file, so its place is not certain"
        elif item.hint > length:
            message = f"the hunk adds after line {item.hint}; the file has {length}"
        elif stale:
            message = "the hunk has no context, and the file is not the one that it was made from"
        else:
            item.start = item.hint
            return
        self._problem("no-context", item, message)

    def _problem(self, code: str, item: Sought, message: str, places: Sequence[int] = ()) -> None:
        candidates = tuple(place + 1 for place in places[:_MOST_CANDIDATES])
        self._problems.append(
            Problem(code=code, path=self._path, hunk=item.number, message=message, candidates=candidates)
        )

    def _lose(self, item: Sought) -> None:
        self._lost.append(item)
        if self._budget.exhausted:
            self._problem("search-limit", item, "the search was given up: the file repeats itself too much")
        else:
            self._problem("context-not-found", item, "the lines of the hunk are not in the file")

    def _find_all(self, tier: Tier, wanted: list[int], *, stale: bool) -> list[int]:
        """Looks for hunks in one tier; answers those that are not there."""
        if tier is UNICODE and self._text.content.isascii() and self._is_ascii(wanted):
            return wanted
        blocks = {position: keys(self._hunks[position].old, tier) for position in wanted}
        searcher = Searcher(self._text, tier, list(blocks.values()), self._budget)
        self._searchers[id(tier)] = searcher
        absent: list[int] = []
        for position, block in blocks.items():
            item = self._hunks[position]
            if tier is not TRAILING and sum(map(letters, block)) < _FEWEST_LETTERS:
                absent.append(position)
                continue
            special = bool(item.hunk.anchors) or item.hunk.at_end
            found = searcher.find(block, _MOST_COMPARED + 1 if special else 2)
            if not found or self._budget.exhausted:
                absent.append(position)
                continue
            if special:
                found = self._led_to(position, found)
                if not found:
                    continue
            if len(found) == 1:
                self._settle(item, tier, found[0])
            elif tier is TRAILING and not stale and item.hunk.numbered and self._holds_at_line(item, block):
                self._settle(item, tier, item.hint)
            else:
                found = found if special else searcher.find(block, _MOST_COMPARED + 1)
                self._open[position] = _Open(tier, found)
        return absent

    def _is_ascii(self, positions: list[int]) -> bool:
        return all(line.isascii() for position in positions for line in self._hunks[position].old)

    def _led_to(self, position: int, found: list[int]) -> list[int]:
        """The places that what the text says besides the lines leaves; none, and a problem, if it contradicts."""
        item = self._hunks[position]
        if item.hunk.at_end and found[-1] + len(item.old) == len(self._text):
            return found[-1:]
        if not item.hunk.anchors:
            return found
        floor = 0
        if self._binding:
            floor = next((it.start for it in reversed(self._hunks[:position]) if it.start is not None), 0)
        led = self._anchors.follow(item.hunk.anchors, floor)
        if isinstance(led, Scope):
            repeated = bool(item.old) and blank_key(item.old[0]).startswith(blank_key(item.hunk.anchors[-1]))
            left = within(led, found, repeated=repeated)
            if left or (not self._binding and item.hunk.numbered):
                return left or found
            message = f"the lines of the hunk are above {_shown(item.hunk.anchors[-1])}, which should lead to them"
            self._problem("anchor-mismatch", item, message, [*found[:1], led.start])
        elif len(found) == 1 and led.places and led.places[0] < found[0]:
            return found
        elif self._binding or (len(found) > 1 and led.places):
            code = "ambiguous-anchor" if led.places else "anchor-not-found"
            what = "is found in several places" if led.places else "is not in the file"
            message = f"{_shown(led.anchor)}, which should lead to the hunk, {what}"
            self._problem(code, item, message, led.places)
        else:
            return found
        return []

    def _settle(self, item: Sought, tier: Tier, start: int) -> None:
        """Takes a place for certain, or finds that what differs there is not."""
        there = self._text[start : start + len(item.old)]
        item.forget()
        item.start = start
        if there == item.old:
            item.match = "exact" if not item.hunk.numbered or start == item.hint else "offset"
        elif tier is TRAILING:
            item.match = "whitespace"
        elif not self._reword(item, there):
            item.start = None
            message = f"the lines of the hunk are at line {start + 1} with other blanks, in a way that is not certain"
            self._lost.append(item)
            self._problem("context-not-found", item, message, [start])

    def _reword(self, item: Sought, there: list[bytes]) -> bool:
        """Gives a hunk the words of the file; False when how they differ follows no rule."""
        found = reworded(item.hunk.lines, there)
        if found is None:
            return False
        item.lines, item.codes, item.tab = found
        item.match = "unicode" if "unicode" in item.codes else "whitespace"
        return True

    def _holds_at_line(self, item: Sought, block: list[bytes]) -> bool:
        """Whether a block with several places may be taken to be at its line: byte for byte there, or nowhere else."""
        if beyond_edge(item, item.hint, len(self._text)):
            return False
        count = len(item.old)
        there = self._text[item.hint : item.hint + count]
        if there == item.old:
            return True
        if keys(there) != block:
            return False
        found = self._searchers[id(TRAILING)].find(block, _MOST_COMPARED)
        return len(found) < _MOST_COMPARED and not any(self._text[at : at + count] == item.old for at in found)

    def _narrow(self, group: list[int]) -> None:
        """Hunks stand in the order of the file, so the first and the last place that each can have bound the others."""
        if not any(position in self._open for position in group):
            return
        first = self._earliest(group)
        last = None if first is None else self._latest(group)
        if first is None or last is None:
            return
        for position in group:
            found = self._open.get(position)
            if found is None:
                continue
            low, high = first[position], last[position]
            if not found.complete and low <= high:
                item = self._hunks[position]
                block = keys(item.old, found.tier)
                inside = self._searchers[id(found.tier)].find(block, 2, low, min(high + len(block), len(self._text)))
                low, high = (inside[0], inside[-1]) if inside else (0, 1)
            if low == high:
                self._narrowed = True
                self._settle(self._hunks[position], found.tier, low)

    def _earliest(self, group: list[int]) -> dict[int, int] | None:
        """The first place that each hunk can have, those before it considered; None when they contradict."""
        result: dict[int, int] = {}
        before: Sought | None = None
        low = 0
        for position in group:
            item, found = self._hunks[position], self._open.get(position)
            if item.start is None and found is None:
                continue
            if before is not None:
                low = max(item.first_after(before, low), 0)
            if item.start is not None:
                if item.start < low:
                    return None
                low = item.start
            elif found is not None and found.complete:
                at = bisect_left(found.places, low)
                if at == len(found.places):
                    return None
                low = found.places[at]
            result[position] = low
            before = item
        return result

    def _latest(self, group: list[int]) -> dict[int, int] | None:
        """The last place that each hunk can have, those after it considered."""
        result: dict[int, int] = {}
        after: Sought | None = None
        high = len(self._text)
        for position in reversed(group):
            item, found = self._hunks[position], self._open.get(position)
            if item.start is None and found is None:
                continue
            high = min(len(self._text) - len(item.old), high) if after is None else item.last_before(after, high)
            if item.start is not None:
                if item.start > high:
                    return None
                high = item.start
            elif found is not None and found.complete:
                at = bisect_right(found.places, high) - 1
                if at < 0:
                    return None
                high = found.places[at]
            result[position] = high
            after = item
        return result

    def _ambiguous(self, item: Sought, found: _Open) -> Problem:
        places = found.places
        many = f"{len(places)} places" if len(places) < _MOST_CANDIDATES else "many places"
        why = f", and its line number {item.hint + 1} cannot be relied on" if item.hunk.numbered else ""
        how = (
            "" if found.tier is TRAILING else ", with other blanks" if found.tier is BLANK else ", in other characters"
        )
        return Problem(
            code="ambiguous-context",
            path=self._path,
            hunk=item.number,
            message=f"the lines of the hunk are found in {many}{how}{why}",
            candidates=tuple(place + 1 for place in places[:_MOST_CANDIDATES]),
        )


def _shows_lines(item: Sought) -> bool:
    """Whether a hunk has old lines by which it can be found; blank ones alone need a number."""
    return bool(item.old) and (item.hunk.numbered or any(map(bytes.strip, item.old)))


def _shown(line: bytes) -> str:
    text = line.decode("utf-8", "replace")
    return repr(text if len(text) <= 80 else text[:79] + "…")
