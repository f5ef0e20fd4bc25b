"""Where patches meet: the one place that says so, for the queue and for what looks after it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final, Protocol

from vibehq_tui.patches.planning.plan import Plan, PlannedFile
from vibehq_tui.patches.queue.review import Overlap
from vibehq_tui.text.forms import plural

Ranges = tuple[tuple[int, int], ...]
"""First and last line, from 1, of each place; empty where the whole file is meant."""
WHOLE_FILE: Final = (0, 0)
MOST_PAIRS: Final = 100_000
MOST_TESTED: Final = 200_000
"""A path that everybody changes makes pairs by the square."""
_MOST_PLACES: Final = 50
_MAKING: Final = ("create", "copy")

Pair = tuple[str, str]
"""Two patches, the older one first."""


class Touched(Protocol):
    """Where a plan changes one path."""

    @property
    def path(self) -> str:
        """Relative to the root."""

    @property
    def op(self) -> str:
        """modify, create, delete, rename, copy, mode; the old path of a rename is an entry of its own: delete."""

    @property
    def ranges(self) -> Ranges:
        """What is replaced; an insertion after line n is ``(n, n + 1)``."""


@dataclass(frozen=True, slots=True)
class Touch:
    """See :class:`Touched`."""

    path: str
    op: str
    ranges: Ranges = ()


@dataclass(frozen=True, slots=True)
class Meeting:
    """One path where two patches meet."""

    path: str
    what: str
    """In words, with ``{0}`` and ``{1}`` for the ids of the two."""
    places: Ranges = ()
    """The lines that both change; none where the whole file is meant."""

    @property
    def lines(self) -> tuple[int, int]:
        """First and last of the lines; ``(0, 0)`` for the whole file."""
        return (self.places[0][0], self.places[-1][1]) if self.places else WHOLE_FILE


# -- what a plan touches -----------------------------------------------------------------------------------------------


def changed_ranges(file: PlannedFile) -> Ranges:
    """The lines of the file before that a patch replaces, ``(first, last)``, 1-based.

    An insertion after line n takes ``(n, n + 1)``: two insertions at one place meet, because their order matters. Empty
    for a change of the whole file: created, deleted, renamed, binary, mode.
    """
    if file.op not in ("modify",) or file.binary or not any(hunk.lines for hunk in file.hunks):
        return ()
    ranges: list[tuple[int, int]] = []
    for hunk in file.hunks:
        line = hunk.old_start if hunk.old_lines else hunk.old_start + 1
        start: int | None = None
        removed = False
        for tag, _ in (*hunk.lines, (" ", b"")):
            if tag == " ":
                if start is not None:
                    ranges.append((start, line - 1) if removed else (start - 1, start))
                start, removed = None, False
                line += 1
            else:
                start = line if start is None else start
                if tag == "-":
                    removed = True
                    line += 1
    return tuple(ranges)


def touched(plan: Plan) -> list[tuple[str, str, Ranges]]:
    """``(path, op, ranges)`` of every path that a plan changes; the old path of a rename is a ``delete`` of its own."""
    rows = [(file.path, file.op, changed_ranges(file)) for file in plan.files]
    return rows + [(file.from_, "delete", ()) for file in plan.files if file.op == "rename" and file.from_ is not None]


def touches(plan: Plan) -> tuple[Touch, ...]:
    """The same, as the functions below take it."""
    return tuple(Touch(path, op, ranges) for path, op, ranges in touched(plan))


def added_lines(plan: Plan) -> dict[str, list[tuple[int, str]]]:
    """Path → ``(line, text)`` of every line that a plan adds, numbered as in the file after."""
    return {file.path: lines for file in plan.files if (lines := list(added_lines_of(file)))}


def added_lines_of(file: PlannedFile) -> Iterator[tuple[int, str]]:
    """``(line, text)`` of every line that a plan adds to one file."""
    for hunk in file.hunks:
        line = hunk.new_start
        for tag, content in hunk.lines:
            if tag == "+":
                yield line, content.decode("utf-8", "replace").rstrip("\r\n")
            if tag != "-":
                line += 1


# -- which patches meet ------------------------------------------------------------------------------------------------


def in_order(one: str, other: str) -> Pair:
    """Two patch ids, the older one first; ids are decimal."""
    return (one, other) if (len(one), one) <= (len(other), other) else (other, one)


def find_meetings(
    touched: Mapping[str, Sequence[Touched]],
    *,
    known: Collection[Pair] = (),
    most_pairs: int = MOST_PAIRS,
    most_tested: int = MOST_TESTED,
) -> tuple[dict[Pair, list[Meeting]], bool]:
    """Every pair of patches that meet, with the places; and whether all pairs were looked at.

    :param touched: what each patch touches, by its id, all against the same tree.
    :param known: pairs that are looked at first, and told whatever the bounds.
    """
    by_patch = {patch: _by_path(rows) for patch, rows in touched.items()}
    found: dict[Pair, list[Meeting]] = {}
    for pair in known:
        if pair[0] in by_patch and pair[1] in by_patch and (places := _meetings(by_patch, pair)):
            found[pair] = places
    tested = set(known)
    # The least crowded paths first: what two patches share says more than what all of them do.
    for patches in sorted(_sharing(by_patch), key=len):
        for one, other in combinations(patches, 2):
            pair = in_order(one, other)
            if pair in tested:
                continue
            if len(found) >= most_pairs or len(tested) >= most_tested:
                return found, False
            tested.add(pair)
            if places := _meetings(by_patch, pair):
                found[pair] = places
    return found, True


_Paths = dict[str, list[Touched]]


def _by_path(rows: Iterable[Touched]) -> _Paths:
    paths: _Paths = {}
    for row in rows:
        paths.setdefault(row.path, []).append(row)
    return paths


def folders_of(path: str) -> Iterator[str]:
    """The folders that a path is in."""
    return (path[:at] for at, char in enumerate(path) if char == "/")


def _sharing(by_patch: Mapping[str, _Paths]) -> list[list[str]]:
    """Groups of patches that touch one path, or of which one makes a file where others have a folder."""
    by_path: dict[str, dict[str, None]] = {}
    made: dict[str, dict[str, None]] = {}
    for patch, paths in by_patch.items():
        for path, rows in paths.items():
            by_path.setdefault(path, {})[patch] = None
            if any(row.op in (*_MAKING, "rename") for row in rows):
                made.setdefault(path, {})[patch] = None
    groups = [list(patches) for patches in by_path.values() if len(patches) > 1]
    for patch, paths in by_patch.items():
        for folder in {folder for path in paths for folder in folders_of(path)}:
            groups += [[maker, patch] for maker in made.get(folder, ()) if maker != patch]
    return groups


def _meetings(by_patch: Mapping[str, _Paths], pair: Pair) -> list[Meeting]:
    one, other = by_patch[pair[0]], by_patch[pair[1]]
    found = [
        meeting
        for path in sorted(one.keys() & other.keys())
        for a in one[path]
        for b in other[path]
        if (meeting := _meet(path, a, b)) is not None
    ]
    for maker, needs, what in (
        (one, other, "Patch {0} makes a file where patch {1} needs a folder"),
        (other, one, "Patch {1} makes a file where patch {0} needs a folder"),
    ):
        files = {path for path, rows in maker.items() if any(row.op in (*_MAKING, "rename") for row in rows)}
        taken = files.intersection(folder for path in needs for folder in folders_of(path))
        found += [Meeting(path, what) for path in sorted(taken)]
    return found


def _meet(path: str, a: Touched, b: Touched) -> Meeting | None:
    if a.op in _MAKING and b.op in _MAKING:
        return Meeting(path, "Both create it")
    if "delete" in (a.op, b.op):
        if a.op == b.op:
            return Meeting(path, "Both delete it")
        first, second = ("{0}", "{1}") if a.op == "delete" else ("{1}", "{0}")
        return Meeting(path, f"Patch {first} deletes what patch {second} changes")
    if not a.ranges or not b.ranges:
        return Meeting(path, "Both change the whole of it")
    places = _shared(a.ranges, b.ranges)
    if not places:
        return None
    start, end = places[0]
    where = f"line {start}" if start == end else f"lines {start} to {end}"
    more = f" and {plural(len(places) - 1, 'more place')}" if len(places) > 1 else ""
    return Meeting(path, f"Both change {where}{more}", places)


def _shared(a: Ranges, b: Ranges) -> Ranges:
    """The lines that two sets of ranges have in common."""
    left, right = sorted(a), sorted(b)
    found: list[tuple[int, int]] = []
    i = j = 0
    while i < len(left) and j < len(right) and len(found) < _MOST_PLACES:
        start, end = max(left[i][0], right[j][0]), min(left[i][1], right[j][1])
        if start <= end:
            found.append((start, end))
        if left[i][1] < right[j][1]:
            i += 1
        else:
            j += 1
    return tuple(found)


# -- in words ----------------------------------------------------------------------------------------------------------


def explain(meetings: Mapping[Pair, Sequence[Meeting]], firsts: Mapping[Pair, str | None]) -> list[Overlap]:
    """Meetings with what to do about them, the pairs in order.

    :param firsts: for each pair that was tried the patch to apply first, none where no order works.
    """
    rows: list[Overlap] = []
    for pair in sorted(meetings, key=lambda pair: tuple((len(one), one) for one in pair)):
        one, other = pair
        first = firsts.get(pair)
        if pair not in firsts:
            suggestion = "which one goes first was not tried: there was no time"
        elif first is None:
            suggestion = "they exclude each other: apply one, send the other back"
        else:
            suggestion = f"apply {first} first, then {other if first == one else one} still fits"
        rows += [
            Overlap(
                patch=one,
                other=other,
                path=meeting.path,
                lines=meeting.lines,
                places=meeting.places,
                what=meeting.what.format(one, other),
                suggestion=suggestion,
                first=first,
            )
            for meeting in meetings[pair]
        ]
    return rows
