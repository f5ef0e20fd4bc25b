"""Looking at the patch queue: nothing here changes anything."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Final

from storage.query import Query
from storage.records import Patch, PatchComment, PatchDecision
from storage.store import Store, Tx
from vibehq_tui.patches.apply import Applier
from vibehq_tui.patches.branches import PREFIX, plan_of_span
from vibehq_tui.patches.errors import PatchConflict, PatchRefused
from vibehq_tui.patches.ledger import OPEN_STATES, digest, no_such_patch
from vibehq_tui.patches.model import Problem
from vibehq_tui.patches.plan import Plan
from vibehq_tui.patches.plans import PatchPlans
from vibehq_tui.patches.review import Overlap, Review
from vibehq_tui.patches.standing import stand

_MOST_COMPARED: Final = 200


class PatchReader:
    """What can be asked about patches."""

    def __init__(self, store: Store, root: Path) -> None:
        self._store = store
        self._root = root
        self._applier = Applier(root)
        self.plans = PatchPlans(store, root)

    async def page(self, query: Query, offset: int = 0, limit: int = 100) -> list[Patch]:
        """The patches that ``query`` selects, newest first."""
        return await self._store.read(lambda tx: tx.patches.page(query, offset, limit))

    async def count(self, query: Query) -> int:
        """How many patches ``query`` selects."""
        return await self._store.read(lambda tx: tx.patches.count(query))

    async def get(self, patch_id: str) -> Patch:
        """:raises NotFound: when there is no such patch."""
        patch = await self._store.read(lambda tx: tx.patches.get(patch_id))
        if patch is None:
            raise no_such_patch(patch_id)
        return patch

    async def text(self, patch_id: str) -> bytes:
        """The patch as it was submitted."""
        patch = await self.get(patch_id)
        return await self._store.read(lambda tx: tx.patches.text(patch.id, patch.version))

    async def plan(self, patch_id: str) -> Plan:
        """The plan as it stands: of an applied patch what was applied, of an open one what would be, now.

        :raises PatchConflict: when an open patch does not apply.
        """
        patch = await self.get(patch_id)
        if patch.receipt is not None and patch.receipt.startswith(PREFIX):
            return await asyncio.to_thread(plan_of_span, self._root, patch.receipt.removeprefix(PREFIX))
        if patch.receipt is not None:
            return (await asyncio.to_thread(self._applier.load, patch.receipt)).plan
        return await self.plans.current(patch)

    async def diff(self, patch_id: str) -> bytes:
        """A git-style unified diff of :meth:`plan`; the submitted text when the patch does not apply."""
        try:
            return (await self.plan(patch_id)).to_diff()
        except (PatchConflict, PatchRefused):
            return await self.text(patch_id)

    async def review(self, patch_id: str) -> Review:
        """All that the review screen shows."""
        patch = await self.get(patch_id)

        def body(tx: Tx) -> tuple[bytes, list[PatchDecision], dict[str, str], list[PatchComment]]:
            text = tx.patches.text(patch_id, patch.version)
            return (
                text,
                tx.patches.decisions(patch_id),
                tx.patches.seen_digests(patch_id),
                tx.patches.comments(patch_id),
            )

        text, decisions, seen, comments = await self._store.read(body)
        plan: Plan | None = None
        problems: tuple[Problem, ...] = ()
        try:
            plan = await self.plan(patch_id)
        except (PatchConflict, PatchRefused) as error:
            problems = error.problems
        decided = {one.hunk: one for one in decisions}
        if plan is not None and patch.receipt is None:
            decided = stand(plan, decisions).decisions
        digests = {file.path: digest(file.after) for file in plan.files} if plan else {}
        meets = [row for row in await self.conflicts() if patch_id in (row.patch, row.other)]
        return Review(
            patch=patch,
            plan=plan,
            text=text,
            problems=problems,
            decisions=decided,
            seen=frozenset(path for path, digest in seen.items() if digests.get(path) == digest),
            comments=tuple(comments),
            meets=tuple(meets) if patch.state in OPEN_STATES else (),
        )

    async def conflicts(self) -> list[Overlap]:
        """Where open patches meet, with an order that works; the newest 200 are compared."""
        from vibehq_tui.patches.overlap import explain, find_meetings  # noqa: PLC0415 - loaded when first used

        patches = (await self._store.read(lambda tx: tx.patches.open()))[:_MOST_COMPARED]
        plans: dict[str, Plan] = {}
        for patch in patches:
            with suppress(PatchConflict, PatchRefused):
                plans[patch.id] = await self.plans.current(patch)
        by_id = {patch.id: patch for patch in patches}
        meetings = find_meetings(plans)
        orders: dict[tuple[str, str], str | None] = {}
        for one, other in {(one, other) for one, other, _, _ in meetings}:
            orders[one, other] = None
            for first, second in ((one, other), (other, one)):
                if await self.plans.fits_after(plans[first], by_id[second]):
                    orders[one, other] = first
                    break
        return explain(meetings, orders)
