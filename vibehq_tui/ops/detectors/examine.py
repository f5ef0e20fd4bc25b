"""Going through the open patches, the same for every detector that needs their plans."""

from __future__ import annotations

from storage.records import Issue, Patch
from storage.store import Tx
from vibehq_tui.ops.context import ScanContext
from vibehq_tui.ops.desk import OPEN_STATES, Planned


def patches_of(issue: Issue) -> tuple[str, ...]:
    """The ids of the patches that an issue is about."""
    named = issue.data.get("patches")
    return tuple(str(item) for item in named) if isinstance(named, list) else (issue.subject_id,)


async def examine(ctx: ScanContext) -> list[tuple[Patch, Planned]] | None:
    """The open patches with their plans: those of known issues first, then the newest.

    What there was no time or no room for is put on record, and issues about it are kept as they are. None, and the
    detector is skipped, where patches cannot be planned at all.
    """
    if ctx.desk is None:
        ctx.skip("patches cannot be planned here")
        return None
    newest = await ctx.desk.newest()
    queue = {patch.id: patch for patch in await _known_and_open(ctx)} | {patch.id: patch for patch in newest}
    planned: list[tuple[Patch, Planned]] = []
    unplanned: set[str] = set()
    for number, patch in enumerate(queue.values()):
        if number % 50 == 0:
            ctx.progress(f"patch {number + 1} of {len(queue)}")
        plan = await ctx.desk.plan(patch)
        if plan is None:
            unplanned.add(patch.id)
        else:
            planned.append((patch, plan))
    beyond = ctx.desk.total - len(newest)
    if beyond > 0:
        ctx.leave_out(f"looked at the newest {len(newest)} of {ctx.desk.total} open patches")
    refused = [patch for patch in queue if patch in unplanned and patch in ctx.desk.refused]
    if refused:
        more = f" and {len(refused) - 1} more" if len(refused) > 1 else ""
        ctx.leave_out(f"patch {refused[0]}{more} could not be planned: {ctx.desk.refused[refused[0]]}")
    if len(unplanned) > len(refused):
        late = len(unplanned) - len(refused)
        ctx.leave_out(f"{late} of {len(queue)} patches were not planned in the time there was")
    if unplanned:
        ctx.keep(issue for issue in ctx.known if unplanned.intersection(patches_of(issue)))
    return planned


async def _known_and_open(ctx: ScanContext) -> list[Patch]:
    named = list(dict.fromkeys(patch for issue in ctx.known for patch in patches_of(issue)))
    if not named:
        return []

    def body(tx: Tx) -> list[Patch]:
        return [patch for patch in map(tx.patches.get, named) if patch is not None and patch.state in OPEN_STATES]

    return await ctx.store.read(body)
