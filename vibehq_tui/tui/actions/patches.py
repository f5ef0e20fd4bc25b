"""Approve, reject, apply, undo."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from storage.errors import Conflict
from storage.records import Patch
from vibehq_tui.text.forms import changes, plural
from vibehq_tui.tui.actions.base import HeadquartersApp
from vibehq_tui.tui.commands import Context


class PatchActions(HeadquartersApp):
    """The commands of scope ``patches``."""

    async def cmd_patch_approve(self, context: Context) -> None:
        """Approves what is shown."""
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
        """Applies to the working tree."""
        try:
            done = await self.each(context, "patch", "apply", "applied", self._apply)
        except Conflict as error:
            self.say(_conflict(error), "error", title="does not apply any more; nothing was changed")
            return
        if done and context.marked:
            self.say("u on a patch undoes it")

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
