"""What the keys of the review do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from storage.errors import Refused, VibeError
from storage.records import PatchDecision, PatchVersion
from vibehq_tui.patches.queue.compare import Interdiff
from vibehq_tui.patches.queue.policies import Explanation
from vibehq_tui.patches.queue.review import ACCEPTED, REJECTED, Review
from vibehq_tui.text.clean import clean
from vibehq_tui.tui.commands import Context
from vibehq_tui.tui.screens import review_texts as texts
from vibehq_tui.tui.screens.review_hunks import ReviewHunks
from vibehq_tui.tui.widgets.diff_stream import SPLIT_WIDTH

if TYPE_CHECKING:
    from vibehq_tui.headquarters import Headquarters
    from vibehq_tui.tui.actions.base import HeadquartersApp
    from vibehq_tui.tui.widgets.diff_view import DiffView


class ReviewCommands(ReviewHunks):
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
        def show_review(self) -> None: ...
        def leave_side(self) -> None: ...
        def has_class(self, *names: str) -> bool: ...
        def copy(self, text: str, what: str = "") -> None: ...

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.review: Review | None = None
        """What is shown; none while it is read for the first time."""
        self.page = ""
        """What is read in place of the changes; empty for the changes themselves."""
        self.versions: Sequence[PatchVersion] = ()
        self.interdiff: Interdiff | str | None = None
        """The difference between two versions, or why there is none."""
        self.feedback = ""
        """What goes back to the author, while it is shown."""
        self.explanation: Explanation | None = None
        """What the rules say, while it is shown."""
        self._against = 0
        self._lane = asyncio.Lock()
        self._written = asyncio.Event()
        self._on_the_way: dict[int, PatchDecision | None] = {}
        self._drafts = {}

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

    def cmd_review_reject_now(self, context: Context) -> Awaitable[None]:
        """Rejects the hunk and goes on."""
        number = context.facts["hunk"]
        done = self._decide(number, REJECTED)
        self._go_on(number)
        return done

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
        """What was done last in this review; an applied patch is taken out of the tree."""
        if context.record.state in ("applied", "verified"):
            await self.command_app.cmd_patch_undo(context)  # type: ignore[attr-defined]
            return
        await self._all_written()
        try:
            await self._step_back_or_forth(self.hq.patches.undo_decision)
        except Refused:
            if context.record.state not in ("approved", "rejected"):
                raise
            await self.command_app.cmd_patch_undo(context)  # type: ignore[attr-defined] # somebody else decided

    async def cmd_review_redo(self, _: Context) -> None:
        """What was undone last, again."""
        await self._all_written()
        await self._step_back_or_forth(self.hq.patches.redo_decision)

    async def _step_back_or_forth(self, step: Callable[[str], Awaitable[str]]) -> None:
        """Undoes or does again, and goes to the hunk that it was about, if it was about one."""
        async with self._lane:
            before = self.review.decisions if self.review else {}
            said = await step(self.subject_id)
            await self.read()
        after = self.review.decisions if self.review else {}
        other = [number for number in {*before, *after} if before.get(number) != after.get(number)]
        if len(other) == 1:
            self.diff.go_to_hunk(other[0])
        self.command_app.say(said)

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
        """A remark on the line under the cursor, on the hunk, or on the file."""
        path, line = context.facts["place"]
        hunk = context.facts["on_hunk"]
        where = f"hunk {hunk}" if hunk else f"{path}:{line}" if line else path
        text = await self.command_app.ask(f"Remark on {clean(where, 60)}", hint="the agent gets this to read")
        if text is None:
            return
        if hunk:
            await self.hq.patches.comment(self.subject_id, text, hunk=hunk)
        else:
            await self.hq.patches.comment(self.subject_id, text, path=path, line=line)
        self.diff.drop_selection()
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

    def cmd_review_wider(self, _: Context) -> None:
        """More of the file."""
        self._reshape(1)

    def cmd_review_narrower(self, _: Context) -> None:
        """Less of the file."""
        self._reshape(-1)

    def _reshape(self, step: int) -> None:
        shape = self.diff.shape.wider(step)
        if shape is None:
            self.command_app.say("this is the whole file" if step > 0 else "only the changes are shown")
            return
        self.diff.reshape(shape)
        self.show_review()
        if self.has_class("-narrow"):  # where no title says so
            self.command_app.say(shape.words())

    def cmd_review_blanks(self, _: Context) -> None:
        """With or without changes of blanks alone."""
        shape = replace(self.diff.shape, blanks=not self.diff.shape.blanks)
        self.diff.reshape(shape)
        self.show_review()
        if self.has_class("-narrow"):
            self.command_app.say(
                "changes of blanks are shown" if shape.blanks else "changes of blanks alone are hidden"
            )

    def show_page(self, page: str) -> None:
        """Something to read in place of the changes; again, or an empty name, shows the changes."""
        self.page = "" if page == self.page else page
        self.show_review()

    def cmd_review_raw(self, _: Context) -> None:
        """The text as submitted, or the changes."""
        self.show_page("submitted")

    def cmd_review_remarks(self, _: Context) -> None:
        """The remarks, or the changes."""
        self.show_page("remarks")

    async def cmd_review_versions(self, _: Context) -> None:
        """The versions with the difference from the one before, or the changes."""
        self._against = 0
        await self._read_and_show("versions")

    async def cmd_review_feedback(self, _: Context) -> None:
        """What goes back to the author, or the changes."""
        await self._read_and_show("feedback")

    async def cmd_review_explain(self, _: Context) -> None:
        """What the rules say and why, or the changes."""
        await self._read_and_show("explain")

    async def cmd_versions_compare(self, context: Context) -> None:
        """The difference from the version under the cursor."""
        self._against = int(context.facts["version"].id)
        await self.read_page()
        self.show_review()

    async def _read_and_show(self, page: str) -> None:
        if self.page == page:
            self.show_page("")
            return
        await self._all_written()
        self.page = page
        await self.read_page()
        self.show_review()

    async def read_page(self) -> None:
        """Reads what the page shows that is not in the review itself."""
        if self.page == "feedback":
            self.feedback = await self.hq.patches.feedback(self.subject_id)
        if self.page == "explain":
            self.explanation = await self.hq.patches.explain(self.subject_id)
        if self.page != "versions":
            return
        self.versions = await self.hq.patches.versions(self.subject_id)
        newest = max((one.version for one in self.versions), default=1)
        against = self._against or newest - 1
        self.interdiff = None
        if against:
            try:
                self.interdiff = await self.hq.patches.interdiff(self.subject_id, against)
            except VibeError as error:
                self.interdiff = f"{error.message}: {error.hint}" if error.hint else error.message

    async def cmd_remarks_settle(self, context: Context) -> None:
        """The remark under the cursor is settled, or open again."""
        id_ = context.facts["target"].id
        comment = next((one for one in self.review.comments if one.id == id_), None) if self.review else None
        if comment is not None:
            await self.hq.patches.resolve(self.subject_id, id_, comment.resolved_by is None)
            self.reload()

    def cmd_review_copy_all(self, _: Context) -> None:
        """The text that is read, whole."""
        if self.page == "feedback":
            self.copy(self.feedback, "what goes back to the author")
        else:
            text = self.review.text.decode("utf-8", "replace") if self.review else ""
            self.copy(text, "the text of the patch")

    def cmd_diff_copy(self, _: Context) -> None:
        """The id of the patch."""
        self.copy(self.subject_id)

    def cmd_diff_copy_place(self, context: Context) -> None:
        """The path and the line."""
        path, line = context.facts["place"]
        self.copy(f"{path}:{line}" if line else path)
