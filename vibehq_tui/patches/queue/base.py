"""What the parts of the patch manager share: the store, the plans, who acts, and the report about a plan."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from storage.errors import Busy, Conflict, NotFound
from storage.records import Patch, Task
from storage.store import Store, Tx
from vibehq_tui.contracts.config import Config
from vibehq_tui.patches.applying.tasklink import check_task
from vibehq_tui.patches.commits.git import head
from vibehq_tui.patches.errors import PatchRefused
from vibehq_tui.patches.model import ParsedPatch, Problem
from vibehq_tui.patches.planning.plan import Plan
from vibehq_tui.patches.queue.ledger import Ledger, fresh, no_such_patch
from vibehq_tui.patches.queue.plans import PatchPlans
from vibehq_tui.patches.queue.policies import Verdict, evaluate, facts_of
from vibehq_tui.patches.queue.validation import Report, task_findings, validate
from vibehq_tui.tasks.kinds import guess_type
from vibehq_tui.tasks.service import TaskService


@dataclass(frozen=True, slots=True)
class Examined:
    """What was found about a plan."""

    report: Report
    verdict: Verdict

    def fields(self) -> dict[str, Any]:
        """The fields of a :class:`Patch` that follow."""
        return {"report": (*self.report.findings, self.verdict.finding()), "risk": self.report.risk.level}


@dataclass(frozen=True, slots=True)
class Queue:
    """The patch queue of one workspace, in the hands of one actor."""

    store: Store
    root: Path
    tasks: TaskService
    config: Config
    ledger: Ledger
    plans: PatchPlans

    @property
    def actor(self) -> str:
        """Who acts."""
        return self.ledger.actor

    async def get(self, patch_id: str) -> Patch:
        """:raises NotFound: when there is no such patch."""
        patch = await self.store.read(lambda tx: tx.patches.get(patch_id))
        if patch is None:
            raise no_such_patch(patch_id)
        return patch

    async def head(self) -> str | None:
        """The current commit; none outside git."""
        return await asyncio.to_thread(head, self.root)

    async def examine(
        self, patch: Patch, parsed: ParsedPatch, plan: Plan, base: str | None, *, task: str | None
    ) -> Examined:
        """The report about a plan, and what the rules of the configuration say about it."""
        about = task_findings(task, await self.beyond(parsed, plan, task)) if task is not None else []
        config, form = self.config, parsed.format
        report = await asyncio.to_thread(validate, plan, config=config, form=form, base=base, about_task=about)
        found, kind = await self.task_of(task)
        facts = facts_of(replace(patch, task=task), report, plan, task=found, kind=kind, form=form)
        return Examined(report, evaluate(config, facts))

    async def task_of(self, task: str | None) -> tuple[Task | None, str | None]:
        """A task with the type that it is of; none where it is gone."""
        if task is None:
            return None, None
        with suppress(NotFound):
            found = await self.tasks.get(task)
            return found, guess_type(found)[0]
        return None, None

    async def beyond(self, parsed: ParsedPatch, plan: Plan, task: str) -> tuple[Problem, ...]:
        """What the patch does that its task does not allow. A batch that names its task is held to it."""
        data = (await self.tasks.get(task)).data
        try:
            check_task({"tasks": [{**data, "id": task}]}, task, parsed, plan)
        except PatchRefused as error:
            return error.problems
        return ()


def check_idle(patch: Patch) -> None:
    """:raises Busy: while the patch is being applied or reverted: what it is by then is not known yet."""
    if patch.pending_receipt is not None:
        raise Busy(f"patch {patch.id} is being applied or reverted at this moment", hint="wait for that to end")


def same_version(tx: Tx, patch: Patch, verb: str) -> Patch:
    """The patch as it is inside this transaction: open, and still the version that ``patch`` is.

    :raises Conflict: when another version has come since.
    :raises Busy: while it is being applied.
    """
    now = fresh(tx, patch.id, verb)
    check_idle(now)
    if now.version != patch.version:
        raise Conflict(
            f"patch {patch.id} has become version {now.version} meanwhile",
            code="another-version",
            hint=f"vibehq patch diff {patch.id} --against {patch.version} shows what is different",
        )
    return now
