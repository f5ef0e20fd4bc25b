"""What the keys of the review do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

from storage.errors import Refused
from storage.records import PatchDecision
from vibehq_tui.patches.review import ACCEPTED, REJECTED, Review
from vibehq_tui.text.clean import clean
from vibehq_tui.tui.commands import Context
from vibehq_tui.tui.screens import review_texts as texts
from vibehq_tui.tui.screens.review_near import Near
from vibehq_tui.tui.widgets.diff_stream import SPLIT_WIDTH

if TYPE_CHECKING:
    from vibehq_tui.headquarters import Headquarters
    from vibehq_tui.tui.actions.base import HeadquartersApp
    from vibehq_tui.tui.widgets.diff_view import DiffView


class ReviewCommands:
    """The commands of the scopes ``diff`` and ``review`` that are about the patch.

    Decisions about hunks are taken from the keys at once, so that the cursor can go on, and written one after the
    other; what is on its way is shown as decided.
    """

    hq: Headquarters
    subject_id: str
    diff: DiffView

    if TYPE_CHECKING:

        @property
        def command_app(self) -> HeadquartersApp: ...
        def reload(self) -> None: ...
        def show_review(self, near: Near | None = None) -> None: ...
        def leave_side(self) -> None: ...
        def copy(self, text: str) -> None: ...

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.review: Review | None = None
        """What is shown; none while it is read for the first time."""
        self.raw = False
        """The text as submitted stands in place of the changes."""
        self._lane = asyncio.Lock()
        self._written = asyncio.Event()
        self._on_the_way: dict[int, PatchDecision | None] = {}
        self._undone: list[PatchDecision] = []

    @property
    def decisions(self) -> dict[int, PatchDecision]:
        """The decisions by hunk, with those that are on their way to the store."""
        known = dict(self.review.decisions) if self.review else {}
        for number, decision in self._on_the_way.items():
            if decision is None:
                known.pop(number, None)
            else:
                known[number] = decision
        return known

    # -- deciding --------------------------------------------------------------------------------------------------

    def cmd_diff_accept(self, context: Context) -> Awaitable[None]:
        """Accepts the hunk and goes on."""
        number = context.facts["hunk"]
        done = self._decide(number, ACCEPTED)
        self._go_on(number)
        return done

    def cmd_diff_toggle(self, context: Context) -> Awaitable[None]:
        """Accepts, or rejects what is accepted."""
        number = context.facts["hunk"]
        made = self.decisions.get(number)
        return self._decide(number, REJECTED if made and made.decision == ACCEPTED else ACCEPTED)

    async def cmd_review_reject_hunk(self, context: Context) -> None:
        """Rejects the hunk with a reason."""
        number = context.facts["hunk"]
        reason = await self.command_app.ask(f"Why is hunk {number} rejected?", hint="the agent gets this to read")
        if reason is not None:
            done = self._decide(number, REJECTED, reason)
            self._go_on(number)
            await done

    def _decide(self, number: int, decision: str | None, reason: str | None = None) -> Awaitable[None]:
        """Shows a decision at once; what is answered writes it."""
        now = self.hq.store.clock.now()
        made = decision and PatchDecision(
            patch=self.subject_id, hunk=number, decision=decision, by=self.hq.actor, at=now, reason=reason
        )
        self._on_the_way[number] = made or None
        self._undone.clear()
        self.show_review()
        return self._write(number, decision, reason, made or None)

    async def _write(self, number: int, decision: str | None, reason: str | None, made: PatchDecision | None) -> None:
        async with self._lane:
            try:
                await self.hq.patches.decide(self.subject_id, number, decision, reason)
            finally:
                if self._on_the_way.get(number) is made:
                    del self._on_the_way[number]
                    if self.review is not None and made is not None:
                        self.review.decisions[number] = made  # until the next reading, which says what holds
                self._written.set()
                self.reload()

    async def _all_written(self) -> None:
        """Waits for the decisions that are on their way: what follows is about all of them."""
        while self._on_the_way:
            self._written.clear()
            await self._written.wait()

    def _go_on(self, number: int) -> None:
        """To the next hunk that is undecided; says so when there is none."""
        if not self._go_to_undecided(number, 1):
            self.diff.move_hunk(1)
            self.command_app.say("every hunk is decided · a approves the patch")

    def _go_to_undecided(self, number: int, step: int) -> bool:
        plan = self.review.plan if self.review else None
        if plan is None:
            return False
        numbers = list(plan.hunk_numbers)
        decided = self.decisions
        at = numbers.index(number) if number in numbers else 0
        for turn in range(1, len(numbers)):
            candidate = numbers[(at + step * turn) % len(numbers)]
            if candidate not in decided:
                self.diff.go_to_hunk(candidate)
                return True
        return False

    def cmd_diff_next_undecided(self, context: Context) -> None:
        """The next hunk that nobody decided about."""
        if not self._go_to_undecided(context.facts["hunk"] or 0, 1):
            self.command_app.say("no other hunk is undecided")

    def cmd_diff_previous_undecided(self, context: Context) -> None:
        """The hunk before that nobody decided about."""
        if not self._go_to_undecided(context.facts["hunk"] or 0, -1):
            self.command_app.say("no other hunk is undecided")

    async def cmd_review_undo(self, context: Context) -> None:
        """The last decision, the approval or rejection, or the application."""
        if context.record.state != "proposed":
            await self.command_app.cmd_patch_undo(context)  # type: ignore[attr-defined]
            return
        await self._all_written()
        async with self._lane:
            before = await self._stored()
            what = await self.hq.patches.undo_decision(self.subject_id)
            after = await self._stored()
        self._undone += [before[number] for number in before if after.get(number) != before[number]]
        self.reload()
        self.command_app.say(what)

    async def _stored(self) -> dict[int, PatchDecision]:
        rows = await self.hq.store.read(lambda tx: tx.patches.decisions(self.subject_id))
        return {row.hunk: row for row in rows}

    async def cmd_review_redo(self, _: Context) -> None:
        """What was undone last, again."""
        if not self._undone:
            raise Refused("nothing to redo", hint="u undoes a decision, and this makes it again")
        again = self._undone.pop()
        rest = list(self._undone)
        await self._decide(again.hunk, again.decision, again.reason)
        self._undone = rest
        self.diff.go_to_hunk(again.hunk)
        self.command_app.say(f"hunk {again.hunk} is {again.decision} again")

    async def cmd_patch_approve(self, _: Context) -> None:
        """Approves what is shown, without the rejected hunks; anything else than what is shown is refused."""
        await self._all_written()
        async with self._lane:
            review = self.review
            shown = review.plan.hash if review and review.plan else None
            try:
                await self.hq.patches.approve(self.subject_id, shown=shown)
            finally:
                self.reload()
        if review and review.plan:
            part = texts.said(self.decisions, review.plan.hunk_numbers)
            self.command_app.say(f"approved patch {self.subject_id}: {part} · A applies it, u takes it back")

    # -- remarks and marks -----------------------------------------------------------------------------------------

    async def cmd_review_comment(self, context: Context) -> None:
        """A remark on the line under the cursor."""
        path, line = context.facts["place"]
        where = f"{path}:{line}" if line else path
        text = await self.command_app.ask(f"Remark on {clean(where, 60)}", hint="the agent gets this to read")
        if text is not None:
            await self.hq.patches.comment(self.subject_id, text, path=path, line=line)
            self.reload()

    async def cmd_review_comment_patch(self, _: Context) -> None:
        """A remark on the whole."""
        text = await self.command_app.ask(f"Remark on patch {self.subject_id}", hint="the agent gets this to read")
        if text is not None:
            await self.hq.patches.comment(self.subject_id, text)
            self.reload()

    async def cmd_review_seen(self, context: Context) -> None:
        """Marks the file, and goes to the next one that is not marked."""
        review = self.review
        if review is None or review.plan is None:
            return
        path, _ = context.facts["place"]
        seen = path not in review.seen
        await self.hq.patches.see(self.subject_id, path, seen)
        self.reload()
        if not seen:
            self.command_app.say(f"{clean(path, 80)} is to be reviewed again")
            return
        paths = [file.path for file in review.plan.files]
        at = paths.index(path)
        for index in [*range(at + 1, len(paths)), *range(at)]:
            if paths[index] not in review.seen:
                self.diff.go_to_file(index)
                return
        self.command_app.say("every file is reviewed · a approves the patch")

    # -- looking ---------------------------------------------------------------------------------------------------

    def cmd_review_next_file(self, _: Context) -> None:
        """The next file."""
        if not self.diff.move_file(1):
            self.command_app.say("this is the last file")

    def cmd_review_previous_file(self, _: Context) -> None:
        """The file before."""
        if not self.diff.move_file(-1):
            self.diff.go_to_file(0)

    def cmd_review_split(self, _: Context) -> None:
        """Side by side, or one column."""
        if not self.diff.split and self.diff.room < SPLIT_WIDTH:
            self.command_app.say(f"side by side needs {SPLIT_WIDTH} columns for the changes, here are {self.diff.room}")
        else:
            self.diff.toggle_split()

    def cmd_review_raw(self, _: Context) -> None:
        """The text as submitted, or the changes."""
        self.raw = not self.raw
        self.show_review()

    def cmd_diff_copy(self, _: Context) -> None:
        """The id of the patch."""
        self.copy(self.subject_id)

    def cmd_diff_copy_place(self, context: Context) -> None:
        """The path and the line."""
        path, line = context.facts["place"]
        self.copy(f"{path}:{line}" if line else path)
