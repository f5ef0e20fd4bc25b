"""What the rules of the configuration say about patches in the queue, as they are now."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from storage.records import Patch
from vibehq_tui.patches.errors import PatchConflict, PatchRefused
from vibehq_tui.patches.planning.plan import Plan
from vibehq_tui.patches.queue.base import Examined, Queue
from vibehq_tui.patches.queue.plans import accepted_part
from vibehq_tui.patches.queue.policies import Explanation, Verdict, check_denied, evaluate, facts_of_record


class Rules:
    """Asks the rules about patches."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue

    async def explain(self, patch: Patch, plan_of: Callable[[str], Awaitable[Plan]]) -> Explanation:
        """Everything that the rules find, with risk and report.

        :param plan_of: the plan of a patch as it stands.
        """
        try:
            plan = await plan_of(patch.id)
        except (PatchConflict, PatchRefused) as error:
            verdict = await self._from_record(patch)
            return Explanation(patch=patch, verdict=verdict, risk=None, findings=patch.report, problems=error.problems)
        examined = await self._examined(patch, plan, whole=patch.receipt is not None)
        report = examined.report
        return Explanation(patch=patch, verdict=examined.verdict, risk=report.risk, findings=report.findings)

    async def check_denied(self, patch: Patch) -> None:
        """:raises Refused: when a rule denies what is to be applied, wherever it is to be applied."""
        try:
            plan = await self._queue.plans.current(patch)
        except (PatchConflict, PatchRefused):
            check_denied(await self._from_record(patch), patch.id, "applied")
            return
        examined = await self._examined(patch, plan, whole=False)
        check_denied(examined.verdict, patch.id, "applied")

    async def _examined(self, patch: Patch, plan: Plan, *, whole: bool) -> Examined:
        queue = self._queue
        if not whole:
            plan = accepted_part(plan, await queue.store.read(lambda tx: tx.patches.decisions(patch.id)))
        return await queue.examine(patch, await queue.plans.parsed(patch), plan, patch.base, task=patch.task)

    async def _from_record(self, patch: Patch) -> Verdict:
        task, kind = await self._queue.task_of(patch.task)
        return evaluate(self._queue.config, facts_of_record(patch, task=task, kind=kind))
