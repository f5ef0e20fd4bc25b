"""The patch queue: what is proposed, what is decided about it, and by whom."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from storage.errors import Refused
from storage.records import Patch, PatchComment
from storage.store import Store
from vibehq_tui.contracts.config import Config
from vibehq_tui.patches.errors import PatchConflict, PatchRefused
from vibehq_tui.patches.planning.plan import Plan
from vibehq_tui.patches.queue.ledger import Ledger
from vibehq_tui.patches.queue.reader import PatchReader
from vibehq_tui.patches.queue.review import REJECTED
from vibehq_tui.tasks.service import TaskService

if TYPE_CHECKING:
    from vibehq_tui.patches.queue.application import PatchApplication
    from vibehq_tui.patches.queue.approval import Approval
    from vibehq_tui.patches.queue.base import Queue
    from vibehq_tui.patches.queue.batch import Batch, Outcome
    from vibehq_tui.patches.queue.decisions import Decisions
    from vibehq_tui.patches.queue.history import History
    from vibehq_tui.patches.queue.order import Order
    from vibehq_tui.patches.queue.policies import Explanation
    from vibehq_tui.patches.queue.resolution import Resolution
    from vibehq_tui.patches.queue.rules import Rules
    from vibehq_tui.patches.queue.versions import Versions


class PatchManager(PatchReader):
    """Every command about patches. Each changes the store in one transaction, with its event and its audit entry."""

    def __init__(self, store: Store, root: Path, tasks: TaskService, config: Config, *, actor: str, via: str) -> None:
        super().__init__(store, root)
        self._tasks = tasks
        self._config = config
        self._actor = actor
        self._ledger = Ledger(actor, via)

    # -- parts, each loaded when first used: a call that lists patches needs none of them ----------------------------

    @cached_property
    def application(self) -> PatchApplication:
        """Applying, reverting, and recovery."""
        from vibehq_tui.patches.queue.application import PatchApplication  # noqa: PLC0415 - loaded when first used

        return PatchApplication(
            self._store, self._root, self._tasks, self.plans, self._config, self._ledger, self._applier
        )

    @cached_property
    def resolution(self) -> Resolution:
        """What can be done about patches that do not fit the tree any more."""
        from vibehq_tui.patches.queue.resolution import Resolution  # noqa: PLC0415 - loaded when first used

        return Resolution(self._queue, self._versions)

    @cached_property
    def _queue(self) -> Queue:
        from vibehq_tui.patches.queue.base import Queue  # noqa: PLC0415 - loaded when first used

        return Queue(self._store, self._root, self._tasks, self._config, self._ledger, self.plans)

    @cached_property
    def _history(self) -> History:
        from vibehq_tui.patches.queue.history import History  # noqa: PLC0415 - loaded when first used

        return History(self._queue)

    @cached_property
    def _decisions(self) -> Decisions:
        from vibehq_tui.patches.queue.decisions import Decisions  # noqa: PLC0415 - loaded when first used

        return Decisions(self._queue)

    @cached_property
    def _approval(self) -> Approval:
        from vibehq_tui.patches.queue.approval import Approval  # noqa: PLC0415 - loaded when first used

        return Approval(self._queue, self._decisions, self.application)

    @cached_property
    def _versions(self) -> Versions:
        from vibehq_tui.patches.queue.versions import Versions  # noqa: PLC0415 - loaded when first used

        return Versions(self._queue)

    @cached_property
    def _batch(self) -> Batch:
        from vibehq_tui.patches.queue.batch import Batch  # noqa: PLC0415 - loaded when first used

        return Batch(self._queue)

    @cached_property
    def _rules(self) -> Rules:
        from vibehq_tui.patches.queue.rules import Rules  # noqa: PLC0415 - loaded when first used

        return Rules(self._queue)

    # -- proposing -------------------------------------------------------------------------------------------------

    async def submit(
        self,
        text: bytes,
        *,
        format: str = "auto",  # noqa: A002 - the word of the command line
        task: str | None = None,
        provider: str | None = None,
        title: str | None = None,
        base: str | None = None,
        execution: str | None = None,
        patch: str | None = None,
    ) -> Patch:
        """Takes a patch in any format into the queue. A rule of the configuration may approve it at once.

        :param base: the revision it was made against; the current commit when none is given.
        :param execution: the run that made it; what the same run proposes again is another version of its patch.
        :param patch: the patch of which this is another version. Decisions about hunks that are in both stay, other
            decisions and any approval are void.
        :raises PatchRefused: when it cannot be read or may not be applied; it is not stored, but in the feed.
        :raises PatchConflict: when it does not apply to the tree now; it is stored as conflicted, ``details["patch"]``.
        :raises Refused: when it says what the newest version says already, or that version is in the tree.
        :raises NotFound: when ``task``, ``base`` or ``patch`` does not exist.
        """
        from vibehq_tui.patches.queue.intake import Intake, Proposal  # noqa: PLC0415 - loaded when first used

        return await Intake(self._queue, self.application).submit(
            Proposal(
                text=text,
                format=format,
                task=task,
                provider=provider,
                title=title,
                base=base,
                execution=execution,
                patch=patch,
            )
        )

    # -- deciding --------------------------------------------------------------------------------------------------

    async def decide(self, patch_id: str, hunk: int, decision: str | None, reason: str | None = None) -> None:
        """Accepts or rejects one hunk; ``None`` takes the decision back.

        A decision about an approved patch takes the approval back, because it covered something else.
        """
        await self._decisions.decide(patch_id, {hunk: decision}, reason)

    async def undo_decision(self, patch_id: str) -> str:
        """Takes back the newest thing that this operator did in the review of ``patch_id``; answers what holds now.

        That is a decision about hunks, a mark on a file, a comment, an approval, a rejection, or an edit of a hunk.

        :raises Refused: when there is nothing left to undo.
        :raises Conflict: when somebody has changed since what it was about.
        """
        return await self._history.undo(patch_id)

    async def redo_decision(self, patch_id: str) -> str:
        """Does again what :meth:`undo_decision` took back last; answers what holds now. Raises as that does."""
        return await self._history.redo(patch_id)

    async def see(self, patch_id: str, path: str, seen: bool = True) -> None:
        """Marks a file as reviewed; the mark holds until what the plan makes of the file changes."""
        await self._decisions.see(patch_id, path, await self.plan(patch_id), seen)

    async def comment(
        self, patch_id: str, text: str, *, path: str | None = None, line: int | None = None, hunk: int | None = None
    ) -> PatchComment:
        """Leaves a remark on a line, a hunk, a file or the patch.

        :param hunk: the number of the hunk; its file need not be named.
        :raises Refused: when the text is empty, or the patch does not have what it is about.
        """
        patch = await self.get(patch_id)
        plan: Plan | None = None
        if path is not None or hunk is not None:
            with suppress(PatchConflict, PatchRefused):
                plan = await self.plan(patch_id)
        return await self._decisions.comment(patch, text, path=path, line=line, hunk=hunk, plan=plan)

    async def resolve(self, patch_id: str, comment_id: str, resolved: bool = True) -> PatchComment:
        """Settles a comment, or opens it again.

        :raises NotFound: when the patch has no such comment.
        """
        return await self._decisions.resolve(patch_id, comment_id, resolved)

    async def approve(self, patch_id: str, hunks: Collection[int] | None = None, *, shown: str | None = None) -> Patch:
        """Approves a patch as it applies now, without the hunks that were rejected.

        :param hunks: approve exactly these; the others are rejected.
        :param shown: the hash of the plan that the operator saw; approving anything else is a conflict.
        :raises PatchConflict: when it does not apply now; it is marked as conflicted.
        :raises Conflict: when a rejected hunk reads differently now.
        """
        return await self._approval.approve(patch_id, hunks, shown=shown)

    async def reject(self, patch_id: str, reason: str, hunks: Collection[int] | None = None) -> Patch:
        """Rejects a patch, or some of its hunks, with the reason that goes back to its author."""
        if not reason.strip():
            raise Refused("a rejection needs a reason", hint="it is what the agent learns from")
        if not hunks:
            return await self._approval.reject(patch_id, reason)
        await self._decisions.decide(patch_id, dict.fromkeys(hunks, REJECTED), reason)
        return await self.get(patch_id)

    async def reopen(self, patch_id: str) -> Patch:
        """Proposes a patch again that was rejected, approved, reverted, or in conflict."""
        return await self._approval.reopen(patch_id)

    # -- other versions --------------------------------------------------------------------------------------------

    async def hunk_text(self, patch_id: str, hunk: int) -> str:
        """A hunk as an operator edits it, for :meth:`edit_hunk`."""
        from vibehq_tui.patches.queue.rewrite import hunk_text  # noqa: PLC0415 - loaded when first used

        return hunk_text(await self.plan(patch_id), hunk)

    async def edit_hunk(self, patch_id: str, hunk: int, new_text: str) -> Patch:
        """Makes a version of the patch in which one hunk reads as ``new_text`` has it.

        Decisions about the other hunks stay, the one about this hunk and any approval are void.

        :param new_text: lines that start with a blank, ``-`` or ``+``, after an optional ``@@`` line; see
            :meth:`hunk_text`. Old lines must stand in the file where the hunk stands; counts are worked out anew.
        :raises PatchRefused: when it is no hunk, does not fit, or changes nothing; the patch stays as it is.
        """
        return await self._versions.edit_hunk(patch_id, hunk, new_text)

    async def select_lines(self, patch_id: str, hunk: int, lines: Collection[int]) -> Patch:
        """Makes a version of the patch in which one hunk has only the chosen changes.

        :param lines: positions in the hunk, from 1, context lines counted too. ``-`` lines that are not chosen become
            context, ``+`` lines that are not chosen are left out.
        :raises PatchRefused: when no change is left, or a line is named that the hunk does not have.
        """
        return await self._versions.select_lines(patch_id, hunk, lines)

    # -- applying --------------------------------------------------------------------------------------------------

    async def apply(
        self,
        patch_id: str,
        *,
        dry_run: bool = False,
        commit: bool | None = None,
        branch: str | None = None,
        hooks: bool | None = None,
    ) -> Patch:
        """Puts an approved patch into the tree: all of it or nothing. See :class:`PatchApplication`.

        :param commit: whether it becomes a commit, on ``branch`` and with the repository's ``hooks``; what is not said
            is as the configuration says.
        :raises Refused: when it is not approved, or a rule of the configuration denies it.
        """
        patch = await self.get(patch_id)
        if patch.state == "approved":
            await self._rules.check_denied(patch)
        mode = self.application.mode(commit=commit, branch=branch, hooks=hooks)
        return await self.application.apply(patch, dry_run=dry_run, commit=mode)

    async def revert(self, patch_id: str) -> Patch:
        """Takes an applied patch out of the tree again. See :class:`PatchApplication`."""
        return await self.application.revert(await self.get(patch_id))

    # -- many at once ----------------------------------------------------------------------------------------------

    async def approve_many(self, ids: Collection[str], *, keep_going: bool = False) -> list[Outcome]:
        """Approves patches in an order in which they can all be applied; those that a rule holds are left out.

        :param keep_going: go on when one cannot be approved. Without it nothing is done when that is known before.
        :raises NotFound: when one of them does not exist; nothing was approved then.
        """
        return await self._batch.approve(list(ids), self._arrange, self.approve, keep_going=keep_going)

    async def _arrange(self, ids: Collection[str]) -> Order:
        return (await self.suggest(ids)).order

    async def apply_many(
        self,
        ids: Collection[str],
        *,
        keep_going: bool = False,
        dry_run: bool = False,
        commit: bool | None = None,
        branch: str | None = None,
        hooks: bool | None = None,
    ) -> list[Outcome]:
        """Applies approved patches in an order that works, each all or nothing.

        An approval holds through what the patches before it put into the same files, as long as its own lines are byte
        for byte those that were approved.

        :param keep_going: go on when one cannot be applied. Without it nothing is done when that is known before.
        :param dry_run: only say in which order they would go in, and which would not.
        :raises NotFound: when one of them does not exist; nothing was applied then.
        """

        async def apply(patch_id: str) -> Patch:
            return await self.apply(patch_id, commit=commit, branch=branch, hooks=hooks)

        return await self._batch.apply(
            list(ids), self._arrange, self._rules.check_denied, None if dry_run else apply, keep_going=keep_going
        )

    # -- rules -----------------------------------------------------------------------------------------------------

    async def explain(self, patch_id: str) -> Explanation:
        """Which rule approves, holds or denies a patch, what every rule finds, its risk and its report, all anew."""
        return await self._rules.explain(await self.get(patch_id), self.plan)
