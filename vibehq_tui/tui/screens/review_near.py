"""What a hunk that does not apply looked for, beside what the file has where it fits best."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from storage.errors import VibeError
from vibehq_tui.patches.errors import PatchRefused
from vibehq_tui.patches.formats import parse
from vibehq_tui.patches.model import Hunk, Problem
from vibehq_tui.patches.planning.planned import split_lines
from vibehq_tui.patches.planning.tree import WorkTree
from vibehq_tui.patches.queue.review import Review

_MOST_READ = 2_000_000
_MOST_SHOWN = 3
_AROUND = 3
_COMMON = 50
"""A line that stands in a file more often than this says nothing about a place."""


class NearLine(NamedTuple):
    """A line of the file as it is now."""

    number: int
    """From 1; 0 for a line that the file does not have."""
    there: bytes | None
    wanted: bytes | None
    """What the hunk has in its place, where that is another."""


Near = Mapping[Problem, Sequence[Sequence[NearLine]]]
"""For each problem the places in its file to look at."""


def find_near(root: Path, review: Review) -> dict[Problem, list[list[NearLine]]]:
    """Reads the files that problems name; not on the event loop."""
    tree = WorkTree(root)
    hunks = _hunks(review)
    found: dict[Problem, list[list[NearLine]]] = {}
    for problem in review.problems:
        try:
            blob = tree.read(problem.path) if problem.path else None
        except PatchRefused:
            continue
        if blob is None or len(blob.content) > _MOST_READ:
            continue
        lines = split_lines(blob.content)
        hunk = hunks.get(problem.hunk or 0)
        if problem.candidates:
            found[problem] = [_around(lines, place) for place in problem.candidates[:_MOST_SHOWN]]
        elif hunk is not None and hunk.old():
            found[problem] = [_compare(lines, hunk)]
    return found


def _hunks(review: Review) -> dict[int, Hunk]:
    """The hunks of the text as submitted, by number through the patch."""
    try:
        parsed = parse(review.text, review.patch.format)
    except VibeError:
        return {}
    hunks = [hunk for change in parsed.changes for hunk in change.hunks]
    return dict(enumerate(hunks, 1))


def _around(lines: Sequence[bytes], place: int) -> list[NearLine]:
    first = max(place - 1 - _AROUND, 0)
    return [NearLine(number, line, None) for number, line in enumerate(lines[first : place + _AROUND], first + 1)]


def _compare(lines: Sequence[bytes], hunk: Hunk) -> list[NearLine]:
    """The lines of the file where most lines of the hunk are, the nearest to its own number when there are several."""
    wanted = hunk.old()
    places: dict[bytes, list[int]] = {}
    for number, line in enumerate(lines):
        places.setdefault(line.rstrip(), []).append(number)
    votes: Counter[int] = Counter()
    for index, line in enumerate(wanted):
        known = places.get(line.rstrip(), ())
        if line.strip() and len(known) <= _COMMON:
            votes.update(number - index for number in known)
    claimed = max(hunk.old_start - 1, 0)
    start = max(votes, key=lambda place: (votes[place], -abs(place - claimed)), default=claimed)
    compared: list[NearLine] = []
    for index, line in enumerate(wanted):
        at = start + index
        there = lines[at] if 0 <= at < len(lines) else None
        same = there is not None and there.rstrip(b"\r\n") == line.rstrip(b"\r\n")
        compared.append(NearLine(at + 1 if there is not None else 0, there, None if same else line))
    return compared
