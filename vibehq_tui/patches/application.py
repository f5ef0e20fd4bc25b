"""Putting approved patches into the tree and taking them out, with a store that tells the truth at every instant.

An application is three steps: the store says that it is under way (``pending_receipt``), the applier does it (its
intent record is the receipt), the store says that it is done. A process that dies in between leaves the first without
the third; :meth:`PatchApplication.recover` looks at the receipts and says which it was.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from storage.errors import Busy, Conflict, Refused, VibeError
from storage.records import Patch
from storage.store import Store, Tx
from vibehq_tui.contracts import events
from vibehq_tui.contracts.config import Config
from vibehq_tui.patches.apply import Applier, Receipt
from vibehq_tui.patches.commit import PreparedCommit, prepare_commit, publish_commit
from vibehq_tui.patches.errors import PatchConflict
from vibehq_tui.patches.formats import parse
from vibehq_tui.patches.ledger import APPLIED_STATES, OPEN_STATES, Ledger, fresh, must_be
from vibehq_tui.patches.plan import Plan
from vibehq_tui.patches.planner import make_plan
from vibehq_tui.patches.plans import PatchPlans, accepted_part
from vibehq_tui.patches.tree import WorkTree
from vibehq_tui.tasks.service import TaskService

_LOCK_WAIT = 10.0
"""Seconds to wait for another process that applies."""


class PatchApplication:
    """Apply, revert and recovery of the patches in the store."""

    def __init__(
        self,
        store: Store,
        root: Path,
        tasks: TaskService,
        plans: PatchPlans,
        config: Config,
        ledger: Ledger,
        applier: Applier,
    ) -> None:
        self._store = store
        self._root = root
        self._tasks = tasks
        self._plans = plans
        self._config = config
        self._ledger = ledger
        self._applier = applier

    # -- applying --------------------------------------------------------------------------------------------------

    async def apply(self, patch: Patch, *, dry_run: bool = False, commit: bool = False) -> Patch:
        """Applies an approved patch, all or nothing.

        :param commit: put exactly what it changes into a commit on the current branch, too.

        :raises PatchConflict: when it does not apply any more; it becomes conflicted.
        :raises Conflict: when it applies but not as approved; the approval is void, the patch is proposed again.
        :raises Busy: when another process is applying and does not finish.
        """
        must_be(patch, "applied", ("approved",))
        if dry_run:
            await self._approved_plan(patch, dry_run=True)
            return patch
        async with self._locked():
            plan = await self._approved_plan(patch, dry_run=False)
            prepared = await self._prepared(plan, patch) if commit else None
            receipt = self._applier.new_receipt()
            await self._begin(patch, receipt, ("approved",), events.PATCH_PROCESSING_STARTED)
            try:
                await self._run_applier(plan, receipt, patch.id, "apply")
                if prepared is not None:
                    await self._publish(prepared, patch, receipt)
            except VibeError as error:
                await self._failed(patch, error, events.PATCH_PROCESSING_FAILED, "patch.apply")
                raise
            made = prepared.commit if prepared is not None else None
            applied = await self._store.write(lambda tx: self._settle_applied(tx, patch, receipt, plan, made))
        await self._follow_task(applied)
        return applied

    async def _prepared(self, plan: Plan, patch: Patch) -> PreparedCommit:
        author = (await self._plans.parsed(patch)).author
        actor = self._ledger.actor
        return await asyncio.to_thread(prepare_commit, self._root, plan, patch, actor=actor, author=author)

    async def _publish(self, prepared: PreparedCommit, patch: Patch, receipt: str) -> None:
        try:
            await asyncio.to_thread(publish_commit, self._root, prepared, patch.id)
        except Conflict:
            await asyncio.to_thread(self._applier.revert, receipt)
            raise

    async def _approved_plan(self, patch: Patch, *, dry_run: bool) -> Plan:
        try:
            whole = await self._plans.current(patch)
        except PatchConflict as conflict:
            if not dry_run:
                await self.mark_conflicted(patch, conflict)
            raise
        decisions = await self._store.read(lambda tx: tx.patches.decisions(patch.id))
        plan = accepted_part(whole, decisions)
        if plan.hash == patch.plan_hash:
            return plan
        error = Conflict(
            f"patch {patch.id} is not what was approved: a file it touches has changed since",
            code="changed-since-approval",
            hint="review it again and approve what it is now",
            details={"patch": patch.id, "approved": patch.plan_hash, "now": plan.hash},
        )
        if not dry_run:

            def body(tx: Tx) -> None:
                now = fresh(tx, patch.id, "applied", OPEN_STATES)
                tx.patches.update(patch.id, state="proposed", decided_by=None, reason=error.message)
                self._ledger.event(tx, events.PATCH_APPROVAL_VOID, now, error.message)
                self._ledger.audit(tx, "patch.apply", patch.id, result="conflict", detail=error.message)

            await self._store.write(body)
        raise error

    async def mark_conflicted(self, patch: Patch, conflict: PatchConflict) -> None:
        """Writes down that an open patch does not apply to the tree as it is now."""

        def body(tx: Tx) -> None:
            now = fresh(tx, patch.id, "applied", OPEN_STATES)
            findings = tuple(
                {"check": "applies", "result": "error", "message": item.message, "path": item.path}
                for item in conflict.problems
            )
            tx.patches.update(patch.id, state="conflicted", reason=conflict.message, report=findings)
            self._ledger.event(
                tx,
                events.PATCH_CONFLICTED,
                now,
                conflict.message,
                {"errors": [problem.to_wire() for problem in conflict.problems]},
            )
            self._ledger.audit(tx, "patch.apply", patch.id, result="conflict", detail=conflict.message)

        if patch.state != "conflicted" or patch.reason != conflict.message:
            await self._store.write(body)

    # -- reverting -------------------------------------------------------------------------------------------------

    async def revert(self, patch: Patch) -> Patch:
        """Takes an applied patch out of the tree again, all or nothing.

        Files that changed since are reverted by the patch's own lines where these are found without doubt.

        :raises PatchConflict: when the lines of the patch are not there any more.
        """
        must_be(patch, "reverted", APPLIED_STATES)
        if patch.receipt is None:
            raise Refused(f"patch {patch.id} has no receipt", hint="revert it by hand and submit the result as a patch")
        applied = await asyncio.to_thread(self._applier.load, patch.receipt)
        async with self._locked():
            plan = await asyncio.to_thread(self._inverse_now, applied.plan)
            receipt = self._applier.new_receipt()
            await self._begin(patch, receipt, APPLIED_STATES, events.PATCH_ROLLBACK_STARTED)
            try:
                await self._run_applier(plan, receipt, patch.id, "revert")
            except VibeError as error:
                await self._failed(patch, error, events.PATCH_ROLLBACK_FAILED, "patch.revert")
                raise
            reverted = await self._store.write(lambda tx: self._settle_reverted(tx, patch, receipt))
        await self._follow_task(reverted)
        return reverted

    def _inverse_now(self, applied: Plan) -> Plan:
        inverse = applied.inverse()
        tree = WorkTree(self._root)
        if all(_content(tree, file.path) == file.after for file in applied.files):
            return inverse
        return make_plan(parse(inverse.to_diff(), "git"), tree)

    # -- shared steps ----------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def _locked(self, wait: float = _LOCK_WAIT) -> AsyncIterator[None]:
        """Holds the applier's lock until the store has settled: nobody takes a live application for a dead one."""
        lock = self._applier.lock(wait)
        await asyncio.to_thread(lock.__enter__)
        try:
            yield
        finally:
            lock.__exit__(None, None, None)

    async def _begin(self, patch: Patch, receipt: str, states: tuple[str, ...], kind: str) -> None:
        def body(tx: Tx) -> None:
            now = fresh(tx, patch.id, "applied", states)
            if now.pending_receipt is not None:
                raise Busy(f"patch {patch.id} is being applied by another process", hint="wait for it to finish")
            if now.plan_hash != patch.plan_hash:
                raise Conflict(f"patch {patch.id} was decided by somebody else just now", hint="look again")
            tx.patches.update(patch.id, pending_receipt=receipt)
            self._ledger.event(tx, kind, now, f"receipt {receipt}")

        await self._store.write(body)

    async def _run_applier(self, plan: Plan, receipt: str, patch_id: str, kind: str) -> None:
        meta = {"patch": patch_id, "kind": kind, "actor": self._ledger.actor}

        def run() -> None:
            self._applier.apply(plan, receipt=receipt, meta=meta)
            self._applier.settle()

        # Shielded: the thread cannot be stopped half-way, so a cancelled caller waits for what it did.
        task = asyncio.ensure_future(asyncio.to_thread(run))
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            await task
            raise

    async def _failed(self, patch: Patch, error: VibeError, kind: str, verb: str) -> None:
        result = "conflict" if isinstance(error, Conflict) else "failed"

        def body(tx: Tx) -> None:
            tx.patches.update(patch.id, pending_receipt=None)
            self._ledger.event(tx, kind, patch, error.message)
            self._ledger.audit(tx, verb, patch.id, result=result, detail=error.message)

        await self._store.write(body)

    def _settle_applied(self, tx: Tx, patch: Patch, receipt: str, plan: Plan, commit: str | None = None) -> Patch:
        applied = tx.patches.update(
            patch.id, state="applied", receipt=receipt, pending_receipt=None, applied_at=tx.now, reason=None
        )
        message = f"+{plan.added} −{plan.removed} in {len(plan.files)} file{'s' if len(plan.files) != 1 else ''}"
        message += f", committed as {commit[:9]}" if commit else ""
        data = {"receipt": receipt, "planHash": plan.hash, "commit": commit}
        self._ledger.event(tx, events.PATCH_APPLIED, applied, message, data)
        self._ledger.event(tx, events.PATCH_PROCESSING_COMPLETED, applied, "applied")
        self._ledger.audit(tx, "patch.apply", patch.id, detail=f"plan {plan.hash[:16]} receipt {receipt}")
        return applied

    def _settle_reverted(self, tx: Tx, patch: Patch, receipt: str) -> Patch:
        reverted = tx.patches.update(patch.id, state="reverted", receipt=None, pending_receipt=None)
        self._ledger.event(tx, events.PATCH_REVERTED, reverted, "taken out of the tree", {"receipt": receipt})
        self._ledger.event(tx, events.PATCH_ROLLBACK_COMPLETED, reverted, "reverted")
        self._ledger.audit(tx, "patch.revert", patch.id, detail=f"receipt {receipt}")
        return reverted

    async def _follow_task(self, patch: Patch) -> None:
        """Reflects an application or a revert in the status of the task, as the configuration asks."""
        wanted = self._config.tasks.on_applied
        if patch.task is None or wanted == "keep":
            await self._tasks.refresh_states()
            return
        try:
            task = await self._tasks.get(patch.task)
            if patch.state == "applied" and task.status not in (wanted, "done", "completed"):
                await self._store.write(
                    lambda tx: tx.settings.put(f"task-status-before/{patch.id}", task.status)  # for the revert
                )
                await self._tasks.set_status(patch.task, wanted)
            elif patch.state == "reverted":
                before = await self._store.read(lambda tx: tx.settings.get(f"task-status-before/{patch.id}"))
                if before is not None and task.status == wanted:
                    await self._tasks.set_status(patch.task, before)
        except VibeError as error:
            message = f"task {patch.task} keeps its status: {error.message}"
            await self._store.write(lambda tx: self._ledger.event(tx, events.TASKS_INVALID, patch, message))
        await self._tasks.refresh_states()

    # -- recovery --------------------------------------------------------------------------------------------------

    async def recover(self) -> list[str]:
        """Finishes what a process that died left half-done; answers what was found, one line for each.

        Cheap when there is nothing to do. Leaves alone what another process is doing at this moment.
        """
        pending = await self._store.read(lambda tx: tx.patches.pending())
        if not pending and not self._applier.unfinished():
            return []
        try:
            async with self._locked(wait=0):
                found = await asyncio.to_thread(self._applier.recover)
                left = {row.receipt: row.left for row in found}
                return await self._recover_rows(await self._store.read(lambda tx: tx.patches.pending()), left)
        except Busy:
            return []

    async def _recover_rows(self, pending: list[Patch], left: dict[str, tuple[str, ...]]) -> list[str]:
        told: list[str] = []
        settled: list[str] = []
        for patch in pending:
            receipt_id = patch.pending_receipt
            if receipt_id is None:
                continue
            done = await asyncio.to_thread(self._applier.find, receipt_id)
            reverting = patch.state in APPLIED_STATES

            def body(
                tx: Tx,
                patch: Patch = patch,
                done: Receipt | None = done,
                receipt: str = receipt_id,
                reverting: bool = reverting,
            ) -> str:
                now = tx.patches.get(patch.id)
                if now is None or now.pending_receipt != receipt:
                    return ""
                if done is None:
                    tx.patches.update(patch.id, pending_receipt=None)
                    message = f"was interrupted and nothing of it is in the tree: still {patch.state}"
                elif reverting:
                    self._settle_reverted(tx, patch, receipt)
                    message = "was interrupted while it was reverted, and is now reverted"
                else:
                    self._settle_applied(tx, patch, receipt, done.plan)
                    message = "was interrupted while it was applied, and is now applied"
                if left.get(receipt):
                    message += f"; changed by somebody since and left alone: {', '.join(left[receipt])}"
                self._ledger.event(tx, events.PATCH_RECOVERED, patch, message, {"left": list(left.get(receipt, ()))})
                return f"patch {patch.id} {message}"

            line = await self._store.write(body)
            if line:
                told.append(line)
                settled.append(patch.id)
        for patch in await self._store.read(lambda tx: [row for one in settled if (row := tx.patches.get(one))]):
            await self._follow_task(patch)
        return told


def _content(tree: WorkTree, path: str) -> bytes | None:
    blob = tree.read(path)
    return None if blob is None else blob.content
