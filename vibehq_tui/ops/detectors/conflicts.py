"""Open patches that get in each other's way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from storage.records import Patch
from vibehq_tui.ops.context import ScanContext
from vibehq_tui.ops.detectors.examine import examine, patches_of
from vibehq_tui.ops.model import Finding, TouchedPath

_MAX_PAIRS: Final = 100
"""Pairs that are reported; a path that everybody changes makes pairs by the square. Known ones are always told."""
_MAX_TESTED: Final = 200_000
_SHOWN: Final = 20

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Meeting:
    """One place where two patches meet."""

    path: str
    what: str
    lines: tuple[int, int] | None = None


class PatchesConflict:
    """Pairs of open patches that touch the same lines, or of which one creates or deletes what the other needs."""

    id = "patches-conflict"
    title = "Open patches that conflict"
    severity = "medium"
    scope = "incremental"
    cost = "high"
    subject = "patch"

    async def look(self, ctx: ScanContext) -> list[Finding]:
        """One finding for each pair. Patches that do not apply by themselves are left to their own detector."""
        planned = await examine(ctx)
        if planned is None:
            return []
        patches = {patch.id: patch for patch, plan in planned if plan.ok}
        touched = {patch.id: _by_path(plan.touched) for patch, plan in planned if plan.ok}
        found: dict[Pair, list[Meeting]] = {}
        for issue in ctx.known:
            pair = _in_order(patches_of(issue))
            if pair is not None and pair[0] in touched and pair[1] in touched:
                meetings = list(_meetings(touched[pair[0]], touched[pair[1]]))
                if meetings:
                    found[pair] = meetings
        complete = _add_new_pairs(touched, found)
        if not complete:
            ctx.leave_out("more pairs of patches meet than one scan reports")
        return [self._finding(patches[a], patches[b], meetings) for (a, b), meetings in found.items()]

    def _finding(self, one: Patch, other: Patch, meetings: list[Meeting]) -> Finding:
        first = meetings[0]
        more = f" and {len(meetings) - 1} more places" if len(meetings) > 1 else ""
        return Finding(
            key=(one.id, other.id),
            title=f"Patches {one.id} and {other.id} meet in {first.path}",
            severity=self.severity,
            message=f"{first.what.format(one.id, other.id)}{more}. Apply one, then look whether the other still fits.",
            subject=self.subject,
            subject_id=other.id,
            data={
                "patches": [one.id, other.id],
                "tasks": [one.task, other.task],
                "places": [
                    {
                        "path": place.path,
                        "lines": place.lines and list(place.lines),
                        "what": place.what.format(one.id, other.id),
                    }
                    for place in meetings[:_SHOWN]
                ],
                "count": len(meetings),
            },
        )


Touches = Mapping[str, list[TouchedPath]]


def _by_path(touched: tuple[TouchedPath, ...]) -> Touches:
    paths: dict[str, list[TouchedPath]] = {}
    for item in touched:
        paths.setdefault(item.path, []).append(item)
    return paths


def _in_order(ids: tuple[str, ...]) -> Pair | None:
    """Two patch ids, the older one first; ids are decimal."""
    if len(ids) != 2:
        return None
    one, other = sorted(ids, key=lambda item: (len(item), item))
    return one, other


def _add_new_pairs(touched: Mapping[str, Touches], found: dict[Pair, list[Meeting]]) -> bool:
    """Adds the pairs that meet, until there are too many; says whether all were looked at."""
    by_path: dict[str, list[str]] = {}
    for patch, paths in touched.items():
        for path in paths:
            by_path.setdefault(path, []).append(patch)
    tested: set[Pair] = set()
    # the least crowded paths first: what two patches share says more than what all of them do
    for patches in sorted(by_path.values(), key=len):
        for ids in combinations(patches, 2):
            pair = _in_order(ids)
            if pair is None or pair in tested or pair in found:
                continue
            if len(found) >= _MAX_PAIRS or len(tested) >= _MAX_TESTED:
                return False
            tested.add(pair)
            meetings = list(_meetings(touched[pair[0]], touched[pair[1]]))
            if meetings:
                found[pair] = meetings
    return True


def _meetings(one: Touches, other: Touches) -> Iterator[Meeting]:
    """Where two patches meet; ``{0}`` and ``{1}`` in a meeting's text stand for their ids."""
    for path in sorted(one.keys() & other.keys()):
        for a in one[path]:
            for b in other[path]:
                meeting = _meet(path, a, b)
                if meeting is not None:
                    yield meeting


def _meet(path: str, a: TouchedPath, b: TouchedPath) -> Meeting | None:
    if a.op in ("create", "copy") and b.op in ("create", "copy"):
        return Meeting(path, "Both create it")
    if a.op == "delete" or b.op == "delete":
        if a.op == b.op:
            return Meeting(path, "Both delete it")
        return Meeting(
            path,
            "Patch {0} deletes what patch {1} changes"
            if a.op == "delete"
            else "Patch {1} deletes what patch {0} changes",
        )
    if not a.ranges or not b.ranges:
        return Meeting(path, "Both change the whole of it")
    lines = _shared_lines(a.ranges, b.ranges)
    if lines is None:
        return None
    where = f"line {lines[0]}" if lines[0] == lines[1] else f"lines {lines[0]} to {lines[1]}"
    return Meeting(path, f"Both change {where}", lines)


def _shared_lines(a: tuple[tuple[int, int], ...], b: tuple[tuple[int, int], ...]) -> tuple[int, int] | None:
    """The first lines that two sets of ranges, each in order, have in common."""
    left, right = sorted(a), sorted(b)
    i = j = 0
    while i < len(left) and j < len(right):
        start, end = max(left[i][0], right[j][0]), min(left[i][1], right[j][1])
        if start <= end:
            return start, end
        if left[i][1] < right[j][1]:
            i += 1
        else:
            j += 1
    return None
