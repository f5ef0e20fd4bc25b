"""Patches that go to a branch which is not checked out: a commit there, and not a byte of the work tree changes.

There is one step, the move of the branch, so nothing can be half-done. The receipt is the span of the commits.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from storage.errors import Conflict, Refused, VibeError
from storage.records import Patch
from vibehq_tui.contracts import events
from vibehq_tui.patches.commits.commit import Commit, CommitMode, Piece, forget, make_commits, publish, run_git, tip
from vibehq_tui.patches.commits.commit import target_ref as resolve_ref
from vibehq_tui.patches.commits.commit_message import revert_message
from vibehq_tui.patches.commits.git import head
from vibehq_tui.patches.formats import parse
from vibehq_tui.patches.model import ParsedPatch
from vibehq_tui.patches.planning.plan import Plan
from vibehq_tui.patches.planning.tree import GitTree
from vibehq_tui.patches.queue.ledger import APPLIED_STATES
from vibehq_tui.patches.queue.pieces import pieces_of
from vibehq_tui.patches.queue.plans import PatchPlans, accepted_part, plan_open
from vibehq_tui.patches.queue.settlement import Settlement

PREFIX: Final = "commit:"
"""How the receipt of a patch starts that no work tree holds: ``commit:PARENT..COMMIT``."""


def plan_of_span(root: Path, span: str) -> Plan:
    """What the commits ``PARENT..COMMIT`` changed, as a plan.

    :raises Refused: when git does not have them any more.
    """
    before, _, after = span.partition("..")
    return _plan_between(root, before, after, before)


def _plan_between(root: Path, before: str, after: str, onto: str) -> Plan:
    text = run_git(root, "diff", "--binary", "--full-index", "--no-color", "--no-ext-diff", "-M", before, after)
    tree = GitTree(root, onto)
    try:
        return plan_open(parse(text.encode("utf-8", "surrogateescape") + b"\n", "git"), tree)
    finally:
        tree.close()


class BranchApplication:
    """Apply, revert and recovery of patches on branches that are not checked out."""

    def __init__(self, root: Path, plans: PatchPlans, steps: Settlement) -> None:
        self._root = root
        self._plans = plans
        self._steps = steps

    def is_elsewhere(self, name: str | None) -> bool:
        """Whether ``name`` is a branch other than the one that is checked out."""
        return name is not None and resolve_ref(self._root, name) != resolve_ref(self._root, None)

    async def apply(self, patch: Patch, mode: CommitMode, *, dry_run: bool) -> Patch:
        """Commits an approved patch to a branch, which is made on the current commit if there is none.

        :raises Conflict: when the files that it touches are not there as they were approved, or the branch moves.
        """
        if mode.hooks:
            raise Refused(
                "hooks look at the work tree, so they run only for commits on the branch that is checked out",
                code="hooks-elsewhere",
                hint="leave out the hooks, or the branch",
            )
        ref = await asyncio.to_thread(resolve_ref, self._root, mode.branch)
        parent = await asyncio.to_thread(lambda: tip(self._root, ref) or head(self._root))
        if parent is None:
            raise Refused("there is no commit to put the patch on", code="no-commit", hint="commit something first")
        parsed = await self._plans.parsed(patch)
        pieces = await self._approved_pieces(patch, parsed, parent, mode.branch or ref)
        if dry_run:
            return patch
        commit = await self._made(pieces, parent, ref)
        receipt = PREFIX + commit.span
        fields = {"commit_id": commit.id, "branch": commit.branch}
        await self._steps.begin(patch, receipt, ("approved",), events.PATCH_PROCESSING_STARTED, **fields)
        try:
            await asyncio.to_thread(publish, self._root, commit)
        except VibeError as error:
            await asyncio.to_thread(forget, self._root, commit)
            nothing = {"commit_id": None, "branch": None}
            await self._steps.failed(patch, error, events.PATCH_PROCESSING_FAILED, "patch.apply", **nothing)
            raise
        applied = await self._steps.store.write(lambda tx: self._steps.applied(tx, patch, receipt, commit=commit))
        await self._steps.follow_task(applied)
        return applied

    async def _approved_pieces(self, patch: Patch, parsed: ParsedPatch, parent: str, name: str) -> list[Piece]:
        decisions = await self._steps.store.read(lambda tx: tx.patches.decisions(patch.id))

        def run() -> list[Piece]:
            tree = GitTree(self._root, parent)
            try:
                plan = accepted_part(plan_open(parsed, tree), decisions)
                if plan.hash == patch.plan_hash:
                    return pieces_of(patch, parsed, plan, tree, self._root)
            finally:
                tree.close()
            raise Conflict(
                f"branch {name} does not hold the files of patch {patch.id} as they were when it was approved",
                code="changed-since-approval",
                hint="check the branch out, and approve the patch there",
                details={"patch": patch.id, "approved": patch.plan_hash, "now": plan.hash},
            )

        return await asyncio.to_thread(run)

    async def _made(self, pieces: list[Piece], parent: str, ref: str) -> Commit:
        actor, clock = self._steps.ledger.actor, self._steps.clock
        return await asyncio.to_thread(make_commits, self._root, pieces, parent, ref, actor=actor, clock=clock)

    async def revert(self, patch: Patch, span: str) -> Patch:
        """Takes a patch back by a commit on the branch that holds it.

        :param span: ``PARENT..COMMIT``, what is to be taken back.
        :raises PatchConflict: when the branch has gone on in a way that does not let it.
        """
        ref = f"refs/heads/{patch.branch}"
        current = await asyncio.to_thread(tip, self._root, ref)
        if current is None:
            raise Refused(
                f"there is no branch {patch.branch} any more, which held patch {patch.id}",
                code="no-branch",
                hint="nothing is to be taken back",
            )
        before, _, after = span.partition("..")
        plan = await asyncio.to_thread(_plan_between, self._root, after, before, current)
        piece = Piece(plan=plan, message=revert_message(patch, after, self._steps.ledger.actor))
        commit = await self._made([piece], current, ref)
        receipt = PREFIX + commit.span
        await self._steps.begin(patch, receipt, APPLIED_STATES, events.PATCH_ROLLBACK_STARTED)
        try:
            await asyncio.to_thread(publish, self._root, commit)
        except VibeError as error:
            await asyncio.to_thread(forget, self._root, commit)
            await self._steps.failed(patch, error, events.PATCH_ROLLBACK_FAILED, "patch.revert")
            raise
        reverted = await self._steps.store.write(lambda tx: self._steps.reverted(tx, patch, receipt, commit))
        await self._steps.follow_task(reverted)
        return reverted
