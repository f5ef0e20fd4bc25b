"""Putting approved patches into the tree and taking them out, with a store that tells the truth at every instant.

An application is three steps: the store says that it is under way (``pending_receipt``), the applier does it (its
intent record is the receipt), the store says that it is done. A process that dies in between leaves the first without
the third; :class:`Interrupted` looks at the receipts and says which it was.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from storage.errors import Busy, Conflict, Refused, VibeError
from storage.records import Patch
from storage.store import Store, Tx
from vibehq_tui.contracts import events
from vibehq_tui.contracts.config import Config
from vibehq_tui.patches.applying.apply import Applier
from vibehq_tui.patches.applying.checks import CheckOutcome, ChecksFailed, run_checks
from vibehq_tui.patches.applying.earlier import Earlier
from vibehq_tui.patches.commits.commit import (
    Commit,
    CommitMode,
    Piece,
    check_ready,
    forget,
    make_commits,
    publish,
    run_hook,
    target_ref,
    worded,
)
from vibehq_tui.patches.commits.commit_message import revert_message
from vibehq_tui.patches.errors import PatchConflict
from vibehq_tui.patches.formats import parse
from vibehq_tui.patches.planning.plan import Plan
from vibehq_tui.patches.planning.planner import make_plan
from vibehq_tui.patches.planning.tree import WorkTree
from vibehq_tui.patches.queue.branches import PREFIX, BranchApplication
from vibehq_tui.patches.queue.interrupted import Interrupted
from vibehq_tui.patches.queue.ledger import APPLIED_STATES, OPEN_STATES, Ledger, fresh, must_be
from vibehq_tui.patches.queue.pieces import pieces_of
from vibehq_tui.patches.queue.plans import PatchPlans, accepted_part
from vibehq_tui.patches.queue.settlement import Settlement
from vibehq_tui.tasks.service import TaskService

T = TypeVar("T")

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
        self._plans = plans
        self._config = config
        self._ledger = ledger
        self._applier = applier
        self._steps = Settlement(store, tasks, config, ledger)
        self._branches = BranchApplication(root, plans, self._steps)
        self._interrupted = Interrupted(root, self._steps, applier)

    # -- applying --------------------------------------------------------------------------------------------------

    def mode(
        self, *, commit: bool | None = None, branch: str | None = None, hooks: bool | None = None
    ) -> CommitMode | None:
        """How to commit, by what was asked for and what is configured; none for not at all.

        :param commit: none for what the configuration says; to name a branch is to ask for a commit.
        """
        wanted = self._config.apply
        if commit is None:
            commit = branch is not None or wanted.commit
        if not commit:
            return None
        return CommitMode(branch=branch or wanted.branch or None, hooks=wanted.hooks if hooks is None else hooks)

    async def apply(self, patch: Patch, *, dry_run: bool = False, commit: CommitMode | None = None) -> Patch:
        """Applies an approved patch, all or nothing; where checks are configured, it stays only if they pass.

        :param commit: put exactly what it changes into a commit, too.

        :raises PatchConflict: when it does not apply any more; it becomes conflicted.
        :raises Conflict: when it applies but not as approved; the approval is void, the patch is proposed again.
        :raises ChecksFailed: when a check fails; the tree is as before, the patch has failed.
        :raises Busy: when another process is applying and does not finish.
        """
        must_be(patch, "applied", ("approved",))
        if commit is not None and await asyncio.to_thread(self._branches.is_elsewhere, commit.branch):
            return await self._branches.apply(patch, commit, dry_run=dry_run)
        if dry_run:
            await self._approved_plan(patch, dry_run=True)
            return patch
        async with self._locked():
            plan = await self._approved_plan(patch, dry_run=False)
            made = None
            if commit is not None:
                parsed, tree = await self._plans.parsed(patch), WorkTree(self._root)
                pieces = await asyncio.to_thread(pieces_of, patch, parsed, plan, tree, self._root)
                made = await self._made(plan, pieces, hooks=commit.hooks)
            receipt = self._applier.new_receipt()
            await self._begin(patch, receipt, ("approved",), events.PATCH_PROCESSING_STARTED, made)
            outcomes: list[CheckOutcome] = []
            hooks = commit is not None and commit.hooks
            on_trial = hooks or bool(self._config.apply.checks)
            try:
                await self._run_applier(plan, receipt, patch.id, "apply", made, on_trial=on_trial)
                if on_trial:
                    outcomes = await self._try(patch, receipt, made if hooks else None)
                if made is not None:
                    await self._publish(made, receipt, hooks=hooks)
            except VibeError as error:
                await self._failed(patch, error, events.PATCH_PROCESSING_FAILED, "patch.apply", made)
                raise
            applied = await self._store.write(
                lambda tx: self._steps.applied(tx, patch, receipt, commit=made, outcomes=outcomes)
            )
        await self._steps.follow_task(applied)
        return applied

    async def _made(self, plan: Plan, pieces: list[Piece], *, hooks: bool = False) -> Commit:
        """The commit of a plan on what is checked out; no branch shows it yet."""

        def run() -> Commit:
            parent = check_ready(self._root, plan)
            worded_pieces = pieces
            if hooks:
                worded_pieces = [
                    Piece(plan=piece.plan, message=worded(self._root, piece.message), author=piece.author)
                    for piece in pieces
                ]
            ref = target_ref(self._root, None)
            return make_commits(
                self._root, worded_pieces, parent, ref, actor=self._ledger.actor, clock=self._steps.clock
            )

        return await asyncio.to_thread(run)

    async def _publish(self, commit: Commit, receipt: str, *, hooks: bool = False) -> None:
        def run() -> None:
            try:
                publish(self._root, commit)
            except Conflict:
                self._applier.revert(receipt)
                raise
            if hooks:
                with suppress(Refused):  # it runs after the fact, so nobody waits for what it says
                    run_hook(self._root, "post-commit")

        await _to_the_end(run)

    async def _try(self, patch: Patch, receipt: str, hooked: Commit | None) -> list[CheckOutcome]:
        """Runs the hook and the checks on what was just applied, and takes it back when one of them says no."""
        await self._steps.checking(patch, (*(["pre-commit"] if hooked else []), *self._config.apply.checks))
        stop = threading.Event()

        def run() -> list[CheckOutcome]:
            wanted = self._config.apply
            try:
                if hooked is not None:
                    run_hook(self._root, "pre-commit", tree=hooked.id)
                outcomes = run_checks(wanted.checks, self._root, timeout=wanted.check_timeout, stopped=stop.is_set)
                if outcomes and outcomes[-1].exit_code != 0:
                    raise ChecksFailed(outcomes[-1])
            except BaseException:  # whatever ends a trial, also an interrupt, takes the patch back
                self._applier.withdraw(receipt)
                raise
            self._applier.keep(receipt)
            self._applier.settle()
            return outcomes

        return await _to_the_end(run, stop)

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
        """Takes an applied patch out of the tree again, all or nothing; one that was committed by a commit.

        Files that changed since are merged: what was changed next to the patch stays.

        :raises PatchConflict: when the lines of the patch are not there any more.
        """
        must_be(patch, "reverted", APPLIED_STATES)
        if patch.receipt is None:
            raise Refused(f"patch {patch.id} has no receipt", hint="revert it by hand and submit the result as a patch")
        if patch.receipt.startswith(PREFIX):
            return await self._branches.revert(patch, patch.receipt.removeprefix(PREFIX))
        applied = await asyncio.to_thread(self._applier.load, patch.receipt)
        if patch.branch is not None and await asyncio.to_thread(self._branches.is_elsewhere, patch.branch):
            return await self._branches.revert(patch, Commit.from_meta(applied.meta["commit"]).span)
        async with self._locked():
            plan = await asyncio.to_thread(self._inverse_now, applied.plan)
            made = None
            if patch.commit_id is not None:
                message = revert_message(patch, patch.commit_id, self._ledger.actor)
                made = await self._made(plan, [Piece(plan=plan, message=message)])
            receipt = self._applier.new_receipt()
            await self._begin(patch, receipt, APPLIED_STATES, events.PATCH_ROLLBACK_STARTED, made)
            try:
                await self._run_applier(plan, receipt, patch.id, "revert", made)
                if made is not None:
                    await self._publish(made, receipt)
            except VibeError as error:
                await self._failed(patch, error, events.PATCH_ROLLBACK_FAILED, "patch.revert", made)
                raise
            reverted = await self._store.write(lambda tx: self._steps.reverted(tx, patch, receipt, made))
        await self._steps.follow_task(reverted)
        return reverted

    def _inverse_now(self, applied: Plan) -> Plan:
        inverse = applied.inverse()
        tree = WorkTree(self._root)
        if all(_content(tree, file.path) == file.after for file in applied.files):
            return inverse
        with Earlier(self._root) as bases:
            return make_plan(parse(inverse.to_diff(), "git"), tree, bases=bases)

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

    async def _begin(self, patch: Patch, receipt: str, states: tuple[str, ...], kind: str, made: Commit | None) -> None:
        try:
            await self._steps.begin(patch, receipt, states, kind)
        except VibeError:
            if made is not None:
                await asyncio.to_thread(forget, self._root, made)
            raise

    async def _run_applier(
        self, plan: Plan, receipt: str, patch_id: str, kind: str, made: Commit | None, *, on_trial: bool = False
    ) -> None:
        meta: dict[str, Any] = {"patch": patch_id, "kind": kind, "actor": self._ledger.actor}
        meta |= {"commit": made.to_meta()} if made is not None else {}
        meta |= {"trial": True} if on_trial else {}

        def run() -> None:
            self._applier.apply(plan, receipt=receipt, meta=meta)
            if on_trial:
                self._applier.hold(receipt)
            else:
                self._applier.settle()

        await _to_the_end(run)

    async def _failed(self, patch: Patch, error: VibeError, kind: str, verb: str, made: Commit | None) -> None:
        if made is not None:
            await asyncio.to_thread(forget, self._root, made)
        await self._steps.failed(patch, error, kind, verb)

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
                return await self._interrupted.settle({row.receipt: row.left for row in found})
        except Busy:
            return []


async def _to_the_end(run: Callable[[], T], stop: threading.Event | None = None) -> T:
    """The answer of a thread. It cannot be stopped half-way, so a caller who is cancelled waits for what it did."""
    task = asyncio.ensure_future(asyncio.to_thread(run))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        if stop is not None:
            stop.set()
        with suppress(VibeError):
            await task
        raise


def _content(tree: WorkTree, path: str) -> bytes | None:
    blob = tree.read(path)
    return None if blob is None else blob.content
