"""Approve, reject, apply, undo."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from storage.errors import Conflict
from storage.records import Patch
from vibehq_tui.text.forms import changes, plural
from vibehq_tui.tui.actions.base import HeadquartersApp
from vibehq_tui.tui.commands import Context
from vibehq_tui.tui.widgets.rows import Part

if TYPE_CHECKING:  # the queue is loaded after the first paint
    from vibehq_tui.patches.queue.batch import Outcome


_MANY = 5
"""More patches than this take so long to be put in order that it is said."""


class PatchActions(HeadquartersApp):
    """The commands of scope ``patches``."""

    async def cmd_patch_approve(self, context: Context) -> None:
        """Approves what is shown; several in an order in which they can be applied, without those that a rule holds."""
        if context.marked:
            await self._many(context, "approve", "approving", "approved", self._approve_many)
            return
        done = await self.each(context, "patch", "approve", "approved", self.hq.patches.approve)
        if done and not context.marked:
            self.say(f"approved patch {done[0]} · A applies it, u takes it back")

    async def cmd_patch_reject(self, context: Context) -> None:
        """Rejects, with a reason."""
        ids = self.targets(context)
        what = f"patch {ids[0]}" if len(ids) == 1 else plural(len(ids), "patch", "patches")
        reason = await self.ask(f"Why is {what} rejected?", hint="the agent gets this to read")
        if reason is None:
            return

        async def reject(id_: str) -> None:
            await self.hq.patches.reject(id_, reason)

        done = await self.each(context, "patch", "reject", "rejected", reject)
        if done and not context.marked:
            self.say(f"rejected patch {done[0]} · u takes it back")

    async def cmd_patch_apply(self, context: Context) -> None:
        """Applies to the working tree; several in an order that works."""
        if context.marked:
            await self._many(context, "apply", "applying", "applied", self._apply_many)
            return
        try:
            await self.each(context, "patch", "apply", "applied", self._apply)
        except Conflict as error:
            self.say(_conflict(error), "error", title="does not apply any more; nothing was changed")

    async def _approve_many(self, ids: Sequence[str]) -> list[Outcome]:
        return await self.hq.patches.approve_many(ids, keep_going=True)

    async def _apply_many(self, ids: Sequence[str]) -> list[Outcome]:
        return await self.hq.patches.apply_many(ids, keep_going=True)

    async def _many(
        self,
        context: Context,
        verb: str,
        doing: str,
        done: str,
        do: Callable[[Sequence[str]], Awaitable[list[Outcome]]],
    ) -> None:
        """Does something to all marked patches after a question that names the order, and tells what became of each."""
        ids = self.targets(context)
        count = plural(len(ids), "patch", "patches")
        if len(ids) > _MANY:
            self.say(f"looking for an order of {count} …")
        order = (await self.hq.patches.suggest(ids)).order
        detail = [f"in this order: {', '.join(order.patches)}"] if len(order.patches) > 1 else []
        detail += [f"not {one.patch}: {one.reason}" for one in order.left[:5]]
        if not await self.confirm(f"{verb.capitalize()} {count}?", detail="\n".join(detail)):
            return
        self.say(f"{doing} {count} …")
        outcomes = await do(ids)
        self._clear_marks()
        went = sum(one.result == done for one in outcomes)
        if went == len(ids):
            self.say(f"{done} {count}: {', '.join(one.id for one in outcomes)} · u on one undoes it")
            return
        rows = [_told(one, done, self.ascii_only) for one in outcomes]
        self.tell(f"{done} {went} of {count}", rows)

    async def _apply(self, id_: str) -> Patch:
        patch = await self.hq.patches.apply(id_)
        size = changes(patch.added, patch.removed, self.ascii_only)
        self.say(f"applied patch {id_}: {plural(len(patch.files), 'file')}, {size} · u undoes it")
        return patch

    async def cmd_patch_undo(self, context: Context) -> None:
        """Reverts what was applied; takes back what was decided."""
        await self.each(context, "patch", "undo", "undone:", self._undo)

    async def _undo(self, id_: str) -> None:
        patch = await self.hq.patches.get(id_)
        if patch.state in ("applied", "verified"):
            await self.hq.patches.revert(id_)
            self.say(f"reverted patch {id_}: the files are as before · r proposes it again")
        else:
            await self.hq.patches.reopen(id_)
            self.say(f"patch {id_} is no longer {patch.state}; it waits for a decision again")

    async def cmd_patch_retry(self, context: Context) -> None:
        """Proposes again, against the tree as it is now."""
        done = await self.each(context, "patch", "retry", "proposed again", self.hq.patches.reopen)
        if done and not context.marked:
            self.say(f"patch {done[0]} is proposed again, against the files as they are now")

    def cmd_patch_refresh(self, _: Context) -> None:
        """Reads everything again."""
        self.refresh_everything()
        self.say("read again")

    def refresh_everything(self) -> None:
        """Reads what is on the screen again."""
        raise NotImplementedError


def _told(outcome: Outcome, done: str, ascii_only: bool) -> tuple[Part, str, str]:
    """One line of the report on many patches."""
    if outcome.result == done:
        return Part("+" if ascii_only else "✔", "ok"), outcome.id, done
    if outcome.ok:
        return Part("o" if ascii_only else "○", "wait"), outcome.id, f"left out: {outcome.message}"
    word = outcome.result.replace("-", " ")
    return Part("x" if ascii_only else "✘", "error"), outcome.id, f"{word}: {outcome.message}"


def _conflict(error: Conflict) -> str:
    """What an error says, with the first places where it does not fit."""
    lines = [error.message]
    problems = error.details.get("errors", [])
    lines += [_place(problem) for problem in problems[:3]]
    if len(problems) > 3:
        lines.append(f"and {len(problems) - 3} more")
    if error.hint:
        lines.append(error.hint)
    return "\n".join(lines)


def _place(problem: Mapping[str, Any]) -> str:
    hunk = f" hunk {problem['hunk']}" if problem.get("hunk") else ""
    return f"{problem.get('path') or ''}{hunk}: {problem.get('message', '')}"
