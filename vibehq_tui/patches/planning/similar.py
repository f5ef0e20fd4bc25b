"""Places of a file that are like what a hunk looks for, without being it; and when one of them is certain all the same.

A place is found by the lines that it shares with the hunk: each votes for where the hunk would start. Lines that are
everywhere do not vote. What is near a vote is compared line by line. Blanks and look-alikes do not count.

A place is taken (``fuzzy``) only when

- every removed line is there, and each change has its neighbours around it: an insertion both of them, and a
  replacement at least one, where the other may have been edited but not joined by new lines;
- no line of context that is missing there stands elsewhere in the file: then it would speak for another place;
- enough is left: :data:`ENOUGH` of the weight of the old lines, and :data:`FEWEST` telling lines;
- no other place comes near: the next best is below by :data:`MARGIN`, whether its removed lines are there or not, since
  the true place may be the one that has lost them.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property, lru_cache
from io import BytesIO
from itertools import accumulate
from typing import Final

from vibehq_tui.patches.model import Nearest
from vibehq_tui.patches.planning.filetext import FileText
from vibehq_tui.patches.planning.sought import Sought
from vibehq_tui.patches.planning.tiers import TRAILING, UNICODE, Budget, keys, telling

ENOUGH: Final = 0.6
MARGIN: Final = 0.3
FEWEST: Final = 3
RIVAL: Final = 0.5
"""How like another place must be to put a match in a weaker tier in doubt."""

_MOST_PLACES: Final = 32
_MOST_COMPARED: Final = 4
_MOST_NEAR: Final = 8
_MOST_PAIRS: Final = 20_000
_MOST_SHOWN: Final = 40
_MOST_READ: Final = 20_000
_SLACK: Final = 3
_WORD: Final = re.compile(rb"\w{3,}")
_FEW_LINES: Final = 6
"""Up to so many lines are looked for as text, which is cheaper than an index."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a hunk could be: which of its old lines is which line of the file, by index, and how much of it that is."""

    pairs: dict[int, int]
    first: int
    """The line of the file where its first old line is or would be."""
    last: int
    """The line behind the one where its last old line is or would be."""
    score: float

    def is_same(self, other: Place) -> bool:
        """Whether another place is this one, but for some lines."""
        return not self.pairs.items().isdisjoint(other.pairs.items())


@dataclass(frozen=True, slots=True)
class Survey:
    """What of a file is like a hunk."""

    places: list[Place]
    """The best first."""
    rest: float
    """The score that no place can exceed which is not among them."""


@lru_cache(maxsize=1 << 14)
def weight(key: bytes) -> float:
    """How much a line says: a brace says little, a blank line next to nothing."""
    return 0.1 if not key else 1.0 if telling(key) else 0.3


class Likeness:
    """The lines of one file that hunks have in common with it."""

    def __init__(self, text: FileText, hunks: Sequence[Sought], budget: Budget | None = None) -> None:
        self._text = text
        self._hunks = hunks
        self._budget = Budget() if budget is None else budget
        self._keys: dict[int, list[bytes]] = {}
        self._surveys: dict[tuple[int, float], Survey] = {}

    def keys(self, item: Sought) -> list[bytes]:
        """The keys of a hunk's old lines."""
        known = self._keys.get(item.number)
        if known is None:
            known = self._keys[item.number] = keys(item.old, UNICODE)
        return known

    @cached_property
    def _content(self) -> bytes:
        return UNICODE.text(self._text)

    @cached_property
    def _lines(self) -> FileText:
        return FileText(self._content)

    @cached_property
    def _places(self) -> dict[bytes, list[int]]:
        """Where lines of the hunks are; a line that is in more places than can help is known by the first of them."""
        wanted = {key for item in self._hunks for key in self.keys(item) if telling(key)}
        if len(wanted) <= _FEW_LINES:
            return {key: self._scan(key) for key in wanted}
        places: dict[bytes, list[int]] = {key + b"\n": [] for key in wanted}
        for at, found in enumerate(map(places.get, BytesIO(self._content))):
            if found is not None and len(found) <= _MOST_PLACES:
                found.append(at)
        return {key[:-1]: found for key, found in places.items()}

    def _scan(self, key: bytes) -> list[int]:
        content, needle = self._content, b"\n" + key + b"\n"
        found = [0] if content.startswith(needle[1:]) else []
        at = content.find(needle)
        while at >= 0 and len(found) <= _MOST_PLACES:
            found.append(self._lines.line_at(at + 1))
            at = content.find(needle, at + 1)
        return found

    def key_at(self, line: int) -> bytes:
        """The key of a line of the file."""
        return self._lines[line].rstrip(b"\n")

    def is_there(self, key: bytes) -> bool:
        """Whether a telling line of a hunk is anywhere in the file."""
        return bool(self._places.get(key))

    def survey(self, item: Sought, *, at_least: float = 0.0) -> Survey:
        """The places most like a hunk.

        :param at_least: the score below which places are of no interest.
        """
        known = self._surveys.get((item.number, at_least))
        if known is None:
            known = self._surveys[item.number, at_least] = self._survey(item, at_least)
        return known

    def _survey(self, item: Sought, at_least: float) -> Survey:
        block = self.keys(item)
        whole = sum(map(weight, block)) or 1.0
        votes: Counter[int] = Counter()
        mute = 0.0
        for at, key in enumerate(block):
            found = self._places.get(key)
            if found is None or len(found) > _MOST_PLACES:
                mute += weight(key)
                continue
            for line in found:
                votes[line - at] += 1
        if item.hunk.numbered and item.hint < len(self._text):
            votes[item.hint] += 0
        slack = _SLACK + len(block) // 4
        strength = _strength(votes, slack)
        chosen: list[Place] = []
        rest = mute / whole
        compared: list[int] = []
        near: list[int] = []
        for start in sorted(strength, key=lambda start: (-strength[start], -votes[start], start)):
            most = (strength[start] + mute) / whole
            if most < at_least:
                break
            if any(abs(start - other) <= slack for other in compared):
                near.append(start)
                continue
            if len(compared) == _MOST_COMPARED or self._budget.exhausted:
                rest = max(rest, most)
                break
            compared.append(start)
            place = self._compare(block, start, slack)
            same = [other for other in chosen if place.is_same(other)]
            if all(other.score < place.score for other in same):
                chosen = [other for other in chosen if other not in same] + [place]
        # In a text that repeats itself in short steps, one place lies within another.
        for start in sorted(near, key=lambda start: -votes[start])[:_MOST_NEAR]:
            place = self._straight(block, start, max(start, 0), min(start + len(block), len(self._text)))
            if not any(place.is_same(other) for other in chosen):
                chosen.append(place)
        return Survey(sorted(chosen, key=lambda place: (-place.score, place.first)), rest)

    def _straight(self, block: list[bytes], start: int, low: int, high: int) -> Place:
        """A place line by line."""
        there = keys(self._lines[low:high], UNICODE)
        pairs = {at - start: at for at in range(low, high) if block[at - start] == there[at - low]}
        score = sum(weight(block[at]) for at in pairs) / (sum(map(weight, block)) or 1.0)
        return Place(pairs, low, high, score)

    def _compare(self, block: list[bytes], start: int, slack: int) -> Place:
        low, high = max(start - slack, 0), min(start + len(block) + slack, len(self._text))
        there = keys(self._lines[low:high], UNICODE)
        self._budget.left -= len(block) + len(there)
        times = Counter(there)
        if sum(times[key] for key in block) > _MOST_PAIRS:
            return self._straight(block, start, max(start, 0), min(start + len(block), len(self._text)))
        matcher = SequenceMatcher(None, block, there, autojunk=False)
        pairs = {
            match.a + step: low + match.b + step
            for match in matcher.get_matching_blocks()
            for step in range(match.size)
        }
        if not pairs:
            return Place({}, max(start, 0), min(max(start, 0) + len(block), len(self._text)), 0.0)
        top, bottom = min(pairs), max(pairs)
        whole = sum(map(weight, block))
        taken = set(pairs.values())
        joined = sum(weight(there[at - low]) for at in range(pairs[top], pairs[bottom]) if at not in taken)
        gone = sum(weight(block[at]) for at in range(top, bottom) if at not in pairs)
        score = sum(weight(block[at]) for at in pairs) / (whole + 0.5 * max(joined - gone, 0.0))
        last = min(pairs[bottom] + len(block) - bottom, len(self._text))
        return Place(pairs, max(pairs[top] - top, 0), last, score)

    def has_rival(self, item: Sought, start: int, end: int) -> bool:
        """Whether another place is, or may be, so like a hunk that a place found in a weaker tier is in doubt."""
        survey = self.survey(item, at_least=RIVAL)
        others = [place for place in survey.places if not (place.first < end and start < place.last)]
        return survey.rest >= RIVAL or any(place.score >= RIVAL for place in others)

    def nearest(self, item: Sought) -> Nearest | None:
        """The place most like a hunk, for those who are to find out what is wrong with it."""
        found = self.survey(item).places
        if not found or not found[0].score:
            found = self._by_words(item) or found[:1]
        if not found:
            return None
        best = found[0]
        there = self._text[best.first : best.last]
        score = best.score
        if len(item.old) <= _MOST_SHOWN:
            score = max(score, _character_score(item.old, there))
        top = _first_difference(keys(item.old, TRAILING), keys(there, TRAILING)) if len(item.old) > _MOST_SHOWN else 0
        top = max(top - _MOST_SHOWN // 2, 0)
        return Nearest(
            line=best.first + top + 1,
            score=score,
            expected=tuple(item.old[top : top + _MOST_SHOWN]),
            found=tuple(there[top : top + _MOST_SHOWN]),
        )

    def _by_words(self, item: Sought) -> list[Place]:
        """The place that shares most words with a hunk that shares no line with the file."""
        if len(self._text) > _MOST_READ:
            return []
        words = self._words
        votes: Counter[int] = Counter()
        for at, line in enumerate(item.old[:_MOST_SHOWN]):
            for word in set(_WORD.findall(line)):
                found = words.get(word, ())
                if len(found) <= _MOST_PLACES:
                    for place in found:
                        votes[place - at] += 1
        if not votes:
            return []
        start = min(votes, key=lambda start: (-votes[start], start))
        first = max(start, 0)
        return [Place({}, first, min(first + len(item.old), len(self._text)), 0.0)]

    @cached_property
    def _words(self) -> dict[bytes, list[int]]:
        places: dict[bytes, list[int]] = {}
        for at, line in enumerate(self._text[:]):
            for word in set(_WORD.findall(line)):
                places.setdefault(word, []).append(at)
        return places


def _strength(votes: Counter[int], slack: int) -> dict[int, int]:
    """For each start the votes for it and for those around it: lines may have come or gone between."""
    voted = sorted(votes)
    sums = [0, *accumulate(votes[start] for start in voted)]
    return {
        start: sums[bisect_right(voted, start + slack)] - sums[bisect_left(voted, start - slack)] for start in voted
    }


def _first_difference(expected: list[bytes], found: list[bytes]) -> int:
    pairs = enumerate(zip(expected, found, strict=False))
    return next((at for at, (one, other) in pairs if one != other), min(len(expected), len(found)))


def _character_score(expected: Sequence[bytes], found: Sequence[bytes]) -> float:
    one, other = (b"".join(lines).decode("utf-8", "replace")[:4000] for lines in (expected, found))
    return SequenceMatcher(None, one, other, autojunk=False).quick_ratio() if one or other else 0.0


def difference(near: Nearest) -> str:
    """The first line that is not as a hunk has it, in words."""
    at = _first_difference(keys(near.expected), keys(near.found))
    if at >= len(near.expected):
        return ""
    found = f"it is {shown(near.found[at])}" if at < len(near.found) else "the file ends before it"
    return f"line {near.line + at} should be {shown(near.expected[at])}, {found}"


def shown(line: bytes) -> str:
    """A line in a message."""
    text = line.decode("utf-8", "replace").rstrip("\r\n")
    return repr(text if len(text) <= 80 else text[:79] + "…")
