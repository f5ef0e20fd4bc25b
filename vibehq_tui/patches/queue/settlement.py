"""What the store says while a patch goes into the tree or out of it: under way, done, failed; and its task after it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from storage.clock import Clock
from storage.errors import Busy, Conflict, VibeError
from storage.records import Patch
from storage.store import Store, Tx
from vibehq_tui.contracts import events
from vibehq_tui.contracts.config import Config
from vibehq_tui.patches.applying.checks import CheckOutcome, ChecksFailed
from vibehq_tui.patches.commits.commit import Commit
from vibehq_tui.patches.queue.ledger import APPLIED_STATES, Ledger, fresh
from vibehq_tui.tasks.service import TaskService

_DONE_STATES = ("done", "completed", "cancelled")
_MOST_SAID = 2000
"""Characters of a failing check's output that go into its task."""


class Settlement:
    """Writes the steps of applications and reverts, each in one transaction."""

    def __init__(self, store: Store, tasks: TaskService, config: Config, ledger: Ledger) -> None:
        self.store = store
        self.ledger = ledger
        self._tasks = tasks
        self._config = config

    @property
    def clock(self) -> Clock:
        """The clock of the store."""
        return self.store.clock

    async def begin(self, patch: Patch, receipt: str, states: tuple[str, ...], kind: str, **fields: Any) -> None:
        """Says that an application or a revert is under way, under the name of its receipt.

        :param fields: what else the record of the patch is to say meanwhile.
        :raises Busy: when one is under way already. :raises Conflict: when it was decided about since.
        """

        def body(tx: Tx) -> None:
            now = fresh(tx, patch.id, "applied", states)
            if now.pending_receipt is not None:
                raise Busy(f"patch {patch.id} is being applied by another process", hint="wait for it to finish")
            if now.plan_hash != patch.plan_hash:
                raise Conflict(f"patch {patch.id} was decided by somebody else just now", hint="look again")
            tx.patches.update(patch.id, pending_receipt=receipt, **fields)
            self.ledger.event(tx, kind, now, f"receipt {receipt}")

        await self.store.write(body)

    async def checking(self, patch: Patch, commands: Sequence[str]) -> None:
        """Says which checks run now."""
        names = ", ".join(f"`{command}`" for command in commands)
        await self.store.write(lambda tx: self.ledger.event(tx, events.PATCH_CHECKS_STARTED, patch, f"running {names}"))

    async def failed(self, patch: Patch, error: VibeError, kind: str, verb: str, **fields: Any) -> None:
        """Says that nothing changed, and why. A patch that fails its checks is failed, and becomes a task."""
        outcome = error.outcome if isinstance(error, ChecksFailed) else None
        result = "conflict" if isinstance(error, Conflict) else "failed"

        def body(tx: Tx) -> None:
            now = tx.patches.update(patch.id, pending_receipt=None, **fields)
            if outcome is not None:
                now = tx.patches.update(patch.id, state="failed", checks="failed", reason=outcome.summary)
                self.ledger.event(tx, events.PATCH_CHECKS_FAILED, now, outcome.summary, {"check": outcome.to_wire()})
            self.ledger.event(tx, kind, now, error.message)
            self.ledger.audit(tx, verb, patch.id, result=result, detail=error.message)

        await self.store.write(body)
        if outcome is not None:
            task = await self._remediate(patch, outcome)
            if task is not None:
                error.details["task"] = task
                error.hint = f"task {task} carries the error; {error.hint}"
            await self._tasks.refresh_states()

    async def _remediate(self, patch: Patch, outcome: CheckOutcome) -> str | None:
        """The task that asks for what the failing check asks for; none where the configuration wants none."""
        if not self._config.apply.remediate:
            return None
        key = f"remediation/{patch.id}"
        known = await self.store.read(lambda tx: tx.settings.get(key))
        try:
            if known is not None and (await self._tasks.get(known)).status not in _DONE_STATES:
                return str(known)
        except VibeError:
            known = None  # the task is gone, so a new one is made
        about = f" (task {patch.task})" if patch.task is not None else ""
        try:
            task = await self._tasks.add(
                f"Make patch {patch.id} pass: {patch.title}",
                priority="high",
                description=f"Patch {patch.id}{about} was applied and taken back: {outcome.summary}",
                details=f"$ {outcome.command}\n{outcome.output[-_MOST_SAID:]}",
            )
        except VibeError as error:
            message = f"no task was made of it: {error.message}"
            await self.store.write(lambda tx: self.ledger.event(tx, events.TASKS_INVALID, patch, message))
            return None

        def body(tx: Tx) -> None:
            tx.settings.put(key, task.id)
            message = f"task {task.id} asks for what `{outcome.command}` asks for"
            self.ledger.event(tx, events.PATCH_REMEDIATED, patch, message, {"task": task.id})

        await self.store.write(body)
        return task.id

    def applied(
        self,
        tx: Tx,
        patch: Patch,
        receipt: str,
        *,
        commit: Commit | None = None,
        outcomes: Sequence[CheckOutcome] = (),
    ) -> Patch:
        """Says that a patch is in, with the commit that holds it, and that it is verified where checks have run."""
        made = commit.id if commit is not None else None
        applied = tx.patches.update(
            patch.id,
            state="verified" if outcomes else "applied",
            checks="passed" if outcomes else "",
            receipt=receipt,
            pending_receipt=None,
            applied_at=tx.now,
            reason=None,
            commit_id=made,
            branch=commit.branch if commit is not None else None,
        )
        files = len(patch.files)
        message = f"+{patch.added} −{patch.removed} in {files} file{'s' if files != 1 else ''}"
        if commit is not None:
            message += f", committed as {commit.id[:9]} on {commit.branch or 'a detached HEAD'}"
        data = {"receipt": receipt, "planHash": patch.plan_hash, "commit": made}
        self.ledger.event(tx, events.PATCH_APPLIED, applied, message, data)
        if outcomes:
            passed = ", ".join(f"`{outcome.command}`" for outcome in outcomes)
            checks = {"checks": [outcome.to_wire() for outcome in outcomes]}
            self.ledger.event(tx, events.PATCH_VERIFIED, applied, f"passed {passed}", checks)
        self.ledger.event(tx, events.PATCH_PROCESSING_COMPLETED, applied, applied.state)
        self.ledger.audit(tx, "patch.apply", patch.id, detail=f"plan {(patch.plan_hash or '')[:16]} receipt {receipt}")
        return applied

    def reverted(self, tx: Tx, patch: Patch, receipt: str, commit: Commit | None = None) -> Patch:
        """Says that a patch is out again, and by which commit."""
        reverted = tx.patches.update(
            patch.id, state="reverted", receipt=None, pending_receipt=None, commit_id=None, branch=None, checks=""
        )
        message, data = "taken out of the tree", {"receipt": receipt}
        if commit is not None:
            message += f" by commit {commit.id[:9]}"
            data["commit"] = commit.id
        self.ledger.event(tx, events.PATCH_REVERTED, reverted, message, data)
        self.ledger.event(tx, events.PATCH_ROLLBACK_COMPLETED, reverted, "reverted")
        self.ledger.audit(tx, "patch.revert", patch.id, detail=f"receipt {receipt}")
        return reverted

    async def follow_task(self, patch: Patch) -> None:
        """Reflects an application or a revert in the status of the task, as the configuration asks."""
        wanted = self._config.tasks.on_applied
        if patch.task is None or wanted == "keep":
            await self._tasks.refresh_states()
            return
        try:
            task = await self._tasks.get(patch.task)
            if patch.state in APPLIED_STATES and task.status not in (wanted, "done", "completed"):
                await self.store.write(
                    lambda tx: tx.settings.put(f"task-status-before/{patch.id}", task.status)  # for the revert
                )
                await self._tasks.set_status(patch.task, wanted)
            elif patch.state == "reverted":
                before = await self.store.read(lambda tx: tx.settings.get(f"task-status-before/{patch.id}"))
                if before is not None and task.status == wanted:
                    await self._tasks.set_status(patch.task, before)
        except VibeError as error:
            message = f"task {patch.task} keeps its status: {error.message}"
            await self.store.write(lambda tx: self.ledger.event(tx, events.TASKS_INVALID, patch, message))
        await self._tasks.refresh_states()
