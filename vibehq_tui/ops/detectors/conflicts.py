"""Open patches that get in each other's way."""

from __future__ import annotations

from typing import Final

from storage.records import Patch
from vibehq_tui.ops.context import ScanContext
from vibehq_tui.ops.detectors.examine import examine, patches_of
from vibehq_tui.ops.model import Finding
from vibehq_tui.patches.queue.overlap import Meeting, find_meetings, in_order

_MAX_PAIRS: Final = 100
"""Pairs that are reported; a path that everybody changes makes pairs by the square. Known ones are always told."""
_SHOWN: Final = 20


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
        touched = {patch.id: plan.touched for patch, plan in planned if plan.ok}
        known = [in_order(*ids) for ids in map(patches_of, ctx.known) if len(ids) == 2]
        found, complete = find_meetings(touched, known=known, most_pairs=_MAX_PAIRS)
        if not complete:
            ctx.leave_out("more pairs of patches meet than one scan reports")
        return [self._finding(patches[a], patches[b], meetings) for (a, b), meetings in found.items()]

    def _finding(self, one: Patch, other: Patch, meetings: list[Meeting]) -> Finding:
        first = meetings[0]
        more = f", and they meet in {len(meetings) - 1} more" if len(meetings) > 1 else ""
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
                        "lines": list(place.lines) if place.places else None,
                        "what": place.what.format(one.id, other.id),
                    }
                    for place in meetings[:_SHOWN]
                ],
                "count": len(meetings),
            },
        )
