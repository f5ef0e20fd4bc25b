"""Other versions of a patch: an operator's own edit of a hunk, and what is carried over to a newer text."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection

from storage.records import Patch, PatchDecision
from storage.store import Tx
from vibehq_tui.contracts import events
from vibehq_tui.patches.errors import PatchConflict, PatchRefused, refuse
from vibehq_tui.patches.formats import parse
from vibehq_tui.patches.model import ParsedPatch
from vibehq_tui.patches.planning.plan import Plan
from vibehq_tui.patches.planning.planner import make_plan
from vibehq_tui.patches.planning.tree import WorkTree
from vibehq_tui.patches.queue.base import Queue, same_version
from vibehq_tui.patches.queue.history import decided, patch_part
from vibehq_tui.patches.queue.ledger import OPEN_STATES, must_be, plan_fields
from vibehq_tui.patches.queue.limits import check_parsed, check_plan, check_text
from vibehq_tui.patches.queue.rewrite import with_lines, with_text
from vibehq_tui.patches.queue.standing import stand


class Versions:
    """Versions that an operator makes of a patch in the queue."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue

    async def edit_hunk(self, patch_id: str, hunk: int, text: str) -> Patch:
        """See ``PatchManager.edit_hunk``."""
        return await self._rewrite(patch_id, hunk, lambda plan: with_text(plan, hunk, text), f"hunk {hunk} edited")

    async def select_lines(self, patch_id: str, hunk: int, lines: Collection[int]) -> Patch:
        """See ``PatchManager.select_lines``."""
        return await self._rewrite(
            patch_id, hunk, lambda plan: with_lines(plan, hunk, lines), f"lines chosen in hunk {hunk}"
        )

    async def _rewrite(self, patch_id: str, hunk: int, make: Callable[[Plan], Plan], reason: str) -> Patch:
        queue = self._queue
        patch = await queue.get(patch_id)
        must_be(patch, "edited", OPEN_STATES)
        plan = await queue.plans.current(patch)
        wanted = make(plan)
        if wanted.hash == plan.hash:
            return patch
        parsed = await queue.plans.parsed(patch)
        text, again, made = await asyncio.to_thread(self.rebuilt, wanted, parsed)
        base = await queue.head()
        examined = await queue.examine(patch, again, made, base, task=patch.task)

        def body(tx: Tx) -> Patch:
            now = same_version(tx, patch, "edited")
            rows = tx.patches.decisions(patch_id)
            before = stand(plan, rows).decisions
            kept = {number: one for number, one in before.items() if number != hunk}
            after = stand(made, kept.values()).decisions
            number = now.version + 1
            tx.patches.add_version(patch_id, number, again.format, text, by=queue.actor, base=base, reason=reason)
            tx.patches.replace_decisions(patch_id, after.values())
            fields = plan_fields(made) | examined.fields() | {"base": base}
            revised = tx.patches.update(
                patch_id,
                version=number,
                format=again.format,
                state="proposed",
                decided_by=None,
                reason=None,
                **fields,
            )
            tell_revised(queue, tx, now, revised, reason, {"hunk": hunk})
            changed = {**dict.fromkeys(before, None), **after}
            data = {
                "version": {"before": now.version, "after": number},
                "by": queue.actor,
                "patch": {"before": patch_part(now), "after": patch_part(revised)},
                "decisions": decided(before, changed),
            }
            tx.actions.push(patch=patch_id, by=queue.actor, kind="revise", data=data)
            return revised

        revised = await queue.store.write(body)
        await queue.tasks.refresh_states()
        return revised

    def rebuilt(self, wanted: Plan, parsed: ParsedPatch) -> tuple[bytes, ParsedPatch, Plan]:
        """The text of a plan, and proof that it says the same: read and planned anew, without any repair.

        :raises PatchRefused: when it does not; nothing is changed then.
        """
        diff = wanted.to_diff()
        for text in (_with_author(diff, parsed), diff):
            try:
                check_text(text, self._queue.config)
                again = parse(text, "git")
                check_parsed(again, self._queue.config)
                plan = make_plan(again, WorkTree(self._queue.root), strict=True)
            except (PatchConflict, PatchRefused):
                if text == diff:
                    raise
                continue
            if plan.hash == wanted.hash and plan.hunk_numbers == wanted.hunk_numbers:
                check_plan(plan, self._queue.config)
                return text, again, plan
        raise refuse("not-rebuilt", "the patch cannot be written anew with that hunk", hint="make the patch again")


def tell_revised(queue: Queue, tx: Tx, before: Patch, after: Patch, reason: str, more: dict[str, object]) -> None:
    """Writes down that a patch has another version, and that an approval of the one before is void."""
    ledger = queue.ledger
    data = {"version": after.version, "before": before.version, "by": ledger.actor, **more}
    ledger.event(tx, events.PATCH_REVISED, after, f"version {after.version}: {reason}", data)
    if before.state == "approved":
        ledger.event(tx, events.PATCH_APPROVAL_VOID, after, f"the patch is version {after.version} now")
    ledger.audit(tx, "patch.revise", after.id, detail=f"version {after.version}: {reason}")


def carried(plan: Plan, decisions: Collection[PatchDecision]) -> list[PatchDecision]:
    """The decisions that still hold in another text: those about hunks whose content is in it, unchanged."""
    known = [one for one in decisions if one.digest is not None]
    return list(stand(plan, known, by_number=False).decisions.values())


def _with_author(diff: bytes, parsed: ParsedPatch) -> bytes:
    """The diff as a mail of whoever wrote the patch first, so that a commit of it names them."""
    if not parsed.author or parsed.format == "operations":
        return diff
    words = [f"From: {' '.join(parsed.author.split())}", f"Subject: {' '.join((parsed.title or '').split())}", ""]
    message = [
        line for line in (parsed.message or "").splitlines() if not line.startswith(("diff ", "-", "+", "@", " "))
    ]
    return "\n".join([*words, *message, "---", ""]).encode("utf-8", "replace") + diff
