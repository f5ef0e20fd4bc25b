"""How patches get into the queue: new ones, and other versions of those that are in it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, replace

from storage.errors import Conflict, Refused
from storage.query import Query
from storage.records import Patch
from storage.store import Tx
from vibehq_tui.contracts import events
from vibehq_tui.patches.commits.git import resolve_commit
from vibehq_tui.patches.errors import AlreadyApplied, PatchConflict, PatchRefused
from vibehq_tui.patches.formats import parse
from vibehq_tui.patches.model import ParsedPatch
from vibehq_tui.patches.planning.plan import Plan
from vibehq_tui.patches.planning.tree import WorkTree
from vibehq_tui.patches.queue.application import PatchApplication
from vibehq_tui.patches.queue.approval import Approval
from vibehq_tui.patches.queue.base import Examined, Queue, check_idle
from vibehq_tui.patches.queue.decisions import Decisions
from vibehq_tui.patches.queue.ledger import OPEN_STATES, PROPOSED_ANEW, Ledger, must_be, new_patch
from vibehq_tui.patches.queue.limits import check_parsed, check_plan, check_text
from vibehq_tui.patches.queue.plans import plan_open
from vibehq_tui.patches.queue.policies import APPROVE
from vibehq_tui.patches.queue.versions import carried, tell_revised

_REVISABLE = (*OPEN_STATES, "rejected", "failed", "reverted")
"""States of patches of which another version may come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What somebody proposes."""

    text: bytes
    format: str = "auto"
    task: str | None = None
    provider: str | None = None
    title: str | None = None
    base: str | None = None
    execution: str | None = None
    patch: str | None = None
    """The patch of which it is another version."""


class Intake:
    """Takes proposals in."""

    def __init__(self, queue: Queue, application: PatchApplication) -> None:
        self._queue = queue
        self._application = application

    async def submit(self, proposal: Proposal) -> Patch:
        """See ``PatchManager.submit``."""
        queue = self._queue
        target = await self._target(proposal)
        if proposal.task is not None:
            await queue.tasks.get(proposal.task)
        base = proposal.base
        commit = await asyncio.to_thread(resolve_commit, queue.root, base) if base else await queue.head()
        try:
            parsed, plan, problem = await self._read(proposal)
        except PatchRefused as error:
            refusal = error
            await queue.store.write(lambda tx: self._refuse(tx, refusal, proposal))
            raise
        patch = _described(new_patch(parsed, plan, problem), proposal, parsed, target, commit)
        examined = None
        if plan is not None:
            examined = await queue.examine(patch, parsed, plan, commit, task=patch.task)
            patch = replace(patch, **examined.fields())
        if target is None:
            stored = await queue.store.write(lambda tx: self._insert(tx, patch, proposal.text))
        else:
            before = target
            stored = await queue.store.write(lambda tx: self._revise(tx, before, patch, proposal.text, plan))
        await queue.tasks.refresh_states()
        if problem is not None:
            problem.hint = f"it is kept as patch {stored.id}, conflicted; vibehq patch show {stored.id}"
            problem.details["patch"] = stored.id
            raise problem
        return await self._approve_by_rule(stored, examined)

    async def _target(self, proposal: Proposal) -> Patch | None:
        """The patch of which this is another version: the one that is named, else that of the same execution."""
        queue = self._queue
        if proposal.patch is not None:
            target = await queue.get(proposal.patch)
            must_be(target, "proposed anew", _REVISABLE)
        elif proposal.execution is not None:
            where = Query(where={"execution": proposal.execution, "state": _REVISABLE})
            found = await queue.store.read(lambda tx: tx.patches.page(where, 0, 1))
            if not found:
                return None
            target = found[0]
        else:
            return None
        if await queue.store.read(lambda tx: tx.patches.text(target.id)) == proposal.text:
            raise Refused(
                f"this is what version {target.version} of patch {target.id} says already",
                code="same-version",
                hint=f"vibehq patch feedback {target.id} says what is wanted",
                details={"patch": target.id, "version": target.version},
            )
        return target

    async def _read(self, proposal: Proposal) -> tuple[ParsedPatch, Plan | None, PatchConflict | None]:
        queue = self._queue
        check_text(proposal.text, queue.config)
        parsed = await asyncio.to_thread(parse, proposal.text, proposal.format)
        check_parsed(parsed, queue.config)
        plan, problem = await self._try_plan(parsed)
        if plan is not None and parsed.task is not None:
            beyond = await queue.beyond(parsed, plan, parsed.task)
            if beyond:
                raise PatchRefused(beyond, hint=f"task {parsed.task} allows less; change the task or the patch")
        return parsed, plan, problem

    async def _try_plan(self, parsed: ParsedPatch) -> tuple[Plan | None, PatchConflict | None]:
        try:
            plan = await asyncio.to_thread(plan_open, parsed, WorkTree(self._queue.root))
        except PatchConflict as conflict:
            if conflict.code == AlreadyApplied.default_code:
                raise PatchRefused(
                    conflict.problems, code=conflict.code, hint="there is nothing left to do"
                ) from conflict
            return None, conflict
        check_plan(plan, self._queue.config)
        return plan, None

    # -- writing it down -------------------------------------------------------------------------------------------

    def _refuse(self, tx: Tx, error: PatchRefused, proposal: Proposal) -> None:
        tx.events.append(
            events.PATCH_VALIDATION_FAILED,
            actor=self._queue.actor,
            subject="patch",
            subject_id=proposal.patch or "",
            task=proposal.task,
            message=f"refused: {error.message}",
            data={
                "title": proposal.title,
                "provider": proposal.provider,
                "errors": [problem.to_wire() for problem in error.problems],
            },
        )
        self._queue.ledger.audit(tx, "patch.submit", proposal.patch or "", result="refused", detail=error.message)

    def _insert(self, tx: Tx, patch: Patch, text: bytes) -> Patch:
        patch_id, queue = tx.patches.next_id(), self._queue
        stored = replace(patch, id=patch_id, submitted_by=queue.actor, created_at=tx.now, updated_at=tx.now)
        tx.patches.insert(stored)
        tx.patches.add_version(patch_id, 1, stored.format, text, by=queue.actor, base=stored.base)
        queue.ledger.event(tx, events.PATCH_RECEIVED, stored, f"received as {stored.format}")
        self._tell_state(tx, stored)
        queue.ledger.audit(tx, "patch.submit", patch_id)
        return stored

    def _tell_state(self, tx: Tx, stored: Patch) -> None:
        ledger = self._queue.ledger
        if stored.state == "conflicted":
            ledger.event(tx, events.PATCH_CONFLICTED, stored, stored.reason or "")
            return
        ledger.event(tx, events.PATCH_VALIDATED, stored, f"risk {stored.risk}")
        ledger.event(tx, events.PATCH_PROPOSED, stored, f"+{stored.added} −{stored.removed}")

    def _revise(self, tx: Tx, target: Patch, patch: Patch, text: bytes, plan: Plan | None) -> Patch:
        queue, now = self._queue, tx.patches.get(target.id)
        if now is None or now.version != target.version or now.state != target.state:
            raise Conflict(f"patch {target.id} was decided about or proposed anew just now", hint="look again")
        check_idle(now)
        number, reason = now.version + 1, PROPOSED_ANEW
        rows = tx.patches.decisions(now.id)
        kept = carried(plan, rows) if plan is not None else [row for row in rows if row.digest is not None]
        tx.patches.replace_decisions(now.id, kept)
        tx.actions.clear(now.id)
        tx.patches.add_version(
            now.id, number, patch.format, text, by=queue.actor, base=patch.base, reason="proposed anew"
        )
        fields = {name: getattr(patch, name) for name in _FIELDS}
        stored = tx.patches.update(now.id, **fields, version=number, decided_by=None, receipt=None, checks="")
        told = {
            "kept": [row.hunk for row in kept],
            "reset": len(rows) - len(kept),
            "was": now.state,
            "provider": patch.provider,
        }
        tell_revised(queue, tx, now, stored, reason, told)
        self._tell_state(tx, stored)
        return stored

    # -- rules -----------------------------------------------------------------------------------------------------

    async def _approve_by_rule(self, stored: Patch, examined: Examined | None) -> Patch:
        """Lets a rule approve a patch about which no operator has said anything."""
        if examined is None or examined.verdict.action != APPROVE or examined.verdict.rule is None:
            return stored

        def said(tx: Tx) -> bool:
            rejected = any(
                event.type in (events.PATCH_REJECTED, events.PATCH_REOPENED)
                for event in tx.events.for_subject("patch", stored.id, 500)
            )
            return rejected or bool(tx.patches.decisions(stored.id)) or bool(tx.patches.comments(stored.id))

        if stored.version > 1 and await self._queue.store.read(said):
            return stored
        rule = examined.verdict.rule
        ledger = Ledger(f"policy:{rule}", self._queue.ledger.via)
        queue = replace(self._queue, ledger=ledger)
        with suppress(Conflict, Refused):  # the tree has changed since: it is proposed, and an operator decides
            return await Approval(queue, Decisions(queue), self._application).approve(stored.id, rule=rule)
        return await self._queue.get(stored.id)


_FIELDS = (
    "title",
    "state",
    "task",
    "provider",
    "execution",
    "format",
    "files",
    "added",
    "removed",
    "hunks",
    "risk",
    "base",
    "plan_hash",
    "repairs",
    "report",
    "reason",
)
"""What another version says anew."""


def _described(
    patch: Patch, proposal: Proposal, parsed: ParsedPatch, target: Patch | None, commit: str | None
) -> Patch:
    """A record with what was said about it; another version keeps what is not said anew."""
    return replace(
        patch,
        title=proposal.title or (target.title if target else patch.title),
        task=proposal.task or parsed.task or (target.task if target else None),
        provider=proposal.provider or (target.provider if target else None),
        execution=proposal.execution or (target.execution if target else None),
        base=commit,
    )
