"""Approving, rejecting and reopening patches. An approval binds to the hash of one plan."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from storage.errors import Conflict, Refused
from storage.records import Patch
from storage.store import Tx
from vibehq_tui.contracts import events
from vibehq_tui.patches.errors import PatchConflict
from vibehq_tui.patches.planning.plan import Plan
from vibehq_tui.patches.queue.application import PatchApplication
from vibehq_tui.patches.queue.base import Queue, check_idle, same_version
from vibehq_tui.patches.queue.decisions import Decisions, chosen
from vibehq_tui.patches.queue.history import patch_part
from vibehq_tui.patches.queue.ledger import OPEN_STATES, fresh, must_be, plan_fields
from vibehq_tui.patches.queue.policies import APPROVE, check_denied
from vibehq_tui.patches.queue.standing import Standing, stand


@dataclass(frozen=True, slots=True)
class _Accepted:
    """What an approval is to take."""

    plan: Plan
    part: Plan
    standing: Standing


class Approval:
    """Decisions about whole patches; each is an action that can be undone."""

    def __init__(self, queue: Queue, decisions: Decisions, application: PatchApplication) -> None:
        self._queue = queue
        self._decisions = decisions
        self._application = application

    async def approve(
        self, patch_id: str, hunks: Collection[int] | None = None, *, shown: str | None = None, rule: str | None = None
    ) -> Patch:
        """Approves a patch as it applies now, without the hunks that were rejected. See ``PatchManager.approve``.

        :param rule: approve only if this rule of the configuration does; it is no operator's action then.
        """
        queue = self._queue
        patch = await queue.get(patch_id)
        must_be(patch, "approved", OPEN_STATES)
        plan = await self._planned_or_conflicted(patch)
        if shown is not None and shown != plan.hash:
            raise Conflict(
                f"patch {patch_id} is not what you saw: a file it touches has changed since",
                code="changed-since-shown",
                hint="look at it again and approve what it is now",
            )
        rows = await queue.store.read(lambda tx: tx.patches.decisions(patch_id))
        accepted = _accepted(patch, plan, stand(plan, rows), hunks)
        part = accepted.part
        base = await queue.head()
        examined = await queue.examine(patch, await queue.plans.parsed(patch), part, base, task=patch.task)
        check_denied(examined.verdict, patch_id, "approved")
        if rule is not None and (examined.verdict.action, examined.verdict.rule) != (APPROVE, rule):
            raise Conflict(f"rule {rule} does not approve patch {patch_id} any more", code="changed-since-shown")

        def body(tx: Tx) -> Patch:
            now = same_version(tx, patch, "approved")
            if tx.patches.decisions(patch_id) != rows:
                raise Conflict(f"patch {patch_id} was decided by somebody else just now", hint="look again")
            data: dict[str, Any] = {}
            if hunks is not None:
                gone = {one.hunk: None for one in accepted.standing.lost if one.hunk not in plan.hunk_numbers}
                data["decisions"] = self._decisions.write(tx, now, plan, {**chosen(plan, hunks), **gone}, None)
            fields = plan_fields(part) | examined.fields()
            approved = tx.patches.update(
                patch_id, state="approved", decided_by=queue.actor, base=base, reason=None, **fields
            )
            taken = "" if part is plan else f", {part.hunk_count} of {plan.hunk_count} hunks"
            told = {"planHash": part.hash, "base": approved.base, "hunks": list(part.hunk_numbers)}
            queue.ledger.event(tx, events.PATCH_APPROVED, approved, f"approved{taken}", told)
            queue.ledger.audit(tx, "patch.approve", patch_id, detail=f"plan {part.hash[:16]}")
            if rule is None:
                self._push(tx, "approve", now, approved, data)
            return approved

        approved = await queue.store.write(body)
        await queue.tasks.refresh_states()
        return approved

    async def reject(self, patch_id: str, reason: str) -> Patch:
        """Rejects a patch as a whole, with the reason that goes back to its author."""
        queue = self._queue
        await queue.get(patch_id)

        def body(tx: Tx) -> Patch:
            now = fresh(tx, patch_id, "rejected")
            check_idle(now)
            rejected = tx.patches.update(patch_id, state="rejected", decided_by=queue.actor, reason=reason)
            queue.ledger.event(tx, events.PATCH_REJECTED, rejected, reason)
            queue.ledger.audit(tx, "patch.reject", patch_id, detail=reason)
            self._push(tx, "reject", now, rejected, {})
            return rejected

        rejected = await queue.store.write(body)
        await queue.tasks.refresh_states()
        return rejected

    async def reopen(self, patch_id: str) -> Patch:
        """Proposes a patch again that was rejected, approved, reverted, or in conflict."""
        queue = self._queue
        patch = await queue.get(patch_id)
        must_be(patch, "reopened", ("rejected", "approved", "conflicted", "failed", "reverted"))
        plan = await self._planned_or_conflicted(patch)
        base = await queue.head()
        examined = await queue.examine(patch, await queue.plans.parsed(patch), plan, base, task=patch.task)

        def body(tx: Tx) -> Patch:
            now = tx.patches.get(patch_id)
            if now is None or now.state != patch.state or now.version != patch.version:
                raise Conflict(f"patch {patch_id} was decided by somebody else just now", hint="look again")
            check_idle(now)
            fields = plan_fields(plan) | examined.fields() | {"base": base}
            reopened = tx.patches.update(patch_id, state="proposed", decided_by=None, reason=None, **fields)
            queue.ledger.event(tx, events.PATCH_REOPENED, reopened, f"was {patch.state}")
            queue.ledger.audit(tx, "patch.reopen", patch_id)
            self._push(tx, "reopen", now, reopened, {})
            return reopened

        reopened = await queue.store.write(body)
        await queue.tasks.refresh_states()
        return reopened

    def _push(self, tx: Tx, kind: str, before: Patch, after: Patch, data: dict[str, Any]) -> None:
        part = {"before": patch_part(before), "after": patch_part(after)}
        tx.actions.push(patch=after.id, by=self._queue.actor, kind=kind, data={**data, "patch": part})

    async def _planned_or_conflicted(self, patch: Patch) -> Plan:
        try:
            return await self._queue.plans.current(patch)
        except PatchConflict as conflict:
            await self._application.mark_conflicted(patch, conflict)
            raise


def _accepted(patch: Patch, plan: Plan, standing: Standing, hunks: Collection[int] | None) -> _Accepted:
    """What is to be approved.

    :raises Refused: when nothing is left, or a hunk is named that is not there.
    :raises Conflict: when a hunk that was rejected reads differently now.
    """
    if hunks is not None:
        unknown = sorted(set(hunks) - set(plan.hunk_numbers))
        if unknown or not hunks:
            what = f"no hunk {unknown[0]}" if unknown else "no hunk without a number"
            raise Refused(f"patch {patch.id} has {what}", hint=f"its hunks are 1 to {plan.hunk_count}")
        accepted = set(hunks)
    else:
        if standing.lost_rejections:
            raise Conflict(
                f"hunk {standing.lost_rejections[0]} of patch {patch.id}, which was rejected, reads differently now",
                code="rejected-hunk-changed",
                hint="decide about it again, or name the hunks to approve with --hunk",
                details={"hunks": list(standing.lost_rejections)},
            )
        accepted = set(plan.hunk_numbers) - standing.rejected
    part = plan if len(accepted) == plan.hunk_count else plan.select(accepted)
    if not part.files:
        raise Refused(f"every hunk of patch {patch.id} is rejected", hint=f"vibehq patch reject {patch.id} --reason …")
    return _Accepted(plan, part, standing)
