"""What the keys of the review do within a hunk: single lines, and the operator's editor."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Collection
from typing import TYPE_CHECKING

from storage.errors import VibeError
from storage.records import PatchDecision
from vibehq_tui.patches.queue.review import ACCEPTED, REJECTED, Review
from vibehq_tui.text.forms import plural
from vibehq_tui.tui import editor
from vibehq_tui.tui.commands import Context

if TYPE_CHECKING:
    from vibehq_tui.headquarters import Headquarters
    from vibehq_tui.tui.actions.base import HeadquartersApp
    from vibehq_tui.tui.widgets.diff_view import DiffView

_HELP = """\
# Only lines with + may be changed, added and taken away; - before a line of the file removes it, a blank keeps it.
# Lines that start with # are left out. Without any other line the hunk stays as it is.
"""


class ReviewHunks:
    """The commands of scope ``lines``, and ``review.edit``. Each makes a version of the patch, which u takes back."""

    hq: Headquarters
    subject_id: str
    diff: DiffView
    review: Review | None

    if TYPE_CHECKING:
        _lane: asyncio.Lock

        @property
        def command_app(self) -> HeadquartersApp: ...
        @property
        def decisions(self) -> dict[int, PatchDecision]: ...
        def reload(self) -> None: ...
        async def _all_written(self) -> None: ...
        def _decide(self, number: int, decision: str | None, reason: str | None = None) -> Awaitable[None]: ...
        def _go_on(self, number: int) -> None: ...
        async def read(self) -> None: ...

    _drafts: dict[int, str]
    """What was written about a hunk in the editor and could not be taken, by its number."""

    # -- lines -----------------------------------------------------------------------------------------------------

    def cmd_diff_select(self, _: Context) -> None:
        """Begins a selection of lines."""
        if not self.diff.select_lines():
            self.command_app.say("this change has no lines; enter accepts and - rejects it as a whole")

    def cmd_lines_down(self, _: Context) -> None:
        """One line more, or less."""
        self.diff.move_rows(1)

    def cmd_lines_up(self, _: Context) -> None:
        """One line more, or less."""
        self.diff.move_rows(-1)

    def cmd_lines_all(self, _: Context) -> None:
        """Every line of the hunk."""
        self.diff.select_whole_hunk()

    def cmd_lines_leave(self, _: Context) -> None:
        """No selection."""
        self.diff.drop_selection()

    async def cmd_lines_accept(self, context: Context) -> None:
        """The hunk becomes the selected lines, and is accepted."""
        number, chosen = context.facts["hunk"], context.facts["selected"]
        left_out = len(set(self._changed(number)) - set(chosen))
        if left_out:
            await self._choose(number, chosen)
        else:
            self.diff.drop_selection()
        await self._decide(number, ACCEPTED)
        self._go_on(number)
        if left_out:
            self.command_app.say(
                f"hunk {number}: {plural(len(chosen), 'line')} accepted, {left_out} left out · u takes it back"
            )

    async def cmd_lines_reject(self, context: Context) -> None:
        """The hunk without the selected lines."""
        number, chosen = context.facts["hunk"], context.facts["selected"]
        rest = set(self._changed(number)) - set(chosen)
        if rest:
            await self._choose(number, rest)
            self.command_app.say(f"hunk {number}: {plural(len(chosen), 'line')} taken out · u takes it back")
        else:
            self.diff.drop_selection()
            await self._decide(number, REJECTED)
            self._go_on(number)

    def _changed(self, number: int) -> list[int]:
        """The positions of the changed lines of a hunk, from 1."""
        plan = self.review.plan if self.review else None
        for file in plan.files if plan else ():
            for hunk in file.hunks:
                if hunk.number == number:
                    return [at for at, (tag, _) in enumerate(hunk.lines, 1) if tag != " "]
        return []

    async def _choose(self, number: int, lines: Collection[int]) -> None:
        """Makes the version with only these lines of the hunk, and shows it."""
        await self._all_written()
        async with self._lane:
            await self.hq.patches.select_lines(self.subject_id, number, sorted(lines))
            await self.read()
        self.diff.go_to_hunk(number)

    # -- the editor ------------------------------------------------------------------------------------------------

    async def cmd_review_edit(self, context: Context) -> None:
        """The hunk in the operator's editor. What cannot be taken is kept, and comes again with the reason."""
        number = context.facts["hunk"]
        await self._all_written()
        before = await self.hq.patches.hunk_text(self.subject_id, number)
        text = self._drafts.get(number, before)
        problem = "this was not taken before" if number in self._drafts else ""
        while True:
            written = await editor.edit(self.command_app, _with_help(text, problem), name=f"hunk-{number}.diff")
            text = _without_help(written)
            if not text.strip() or text == before:
                self._drafts.pop(number, None)
                self.command_app.say(f"hunk {number} stays as it is")
                return
            try:
                async with self._lane:
                    await self.hq.patches.edit_hunk(self.subject_id, number, text)
                    await self.read()
            except VibeError as error:
                self._drafts[number] = text
                problem = error.message
                question = f"Hunk {number} cannot be taken like that. Edit it again?"
                detail = f"{error.message}\n{error.hint}\nWhat you wrote is kept; E comes back to it."
                if not await self.command_app.confirm(question, detail=detail):
                    return
                continue
            self._drafts.pop(number, None)
            self.diff.go_to_hunk(number)
            self.command_app.say(f"hunk {number} reads as you wrote it · u takes it back")
            return


def _with_help(text: str, problem: str) -> str:
    why = "".join(f"# {line}\n" for line in problem.splitlines())
    return f"{why}{_HELP}{text}"


def _without_help(text: str) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#"))
