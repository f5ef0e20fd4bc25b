"""The patch queue: what is proposed, what is decided about it, and by whom."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from storage.errors import Conflict, NotFound, Refused, Usage
from storage.records import Patch, PatchComment, PatchDecision
from storage.store import Store, Tx
from vibehq_tui.contracts import events
from vibehq_tui.contracts.config import Config
from vibehq_tui.patches.application import PatchApplication
from vibehq_tui.patches.errors import AlreadyApplied, PatchConflict, PatchRefused
from vibehq_tui.patches.formats import parse
from vibehq_tui.patches.git import head, resolve_commit
from vibehq_tui.patches.ledger import OPEN_STATES, Ledger, digest, fresh, must_be, new_patch, plan_fields
from vibehq_tui.patches.limits import check_parsed, check_plan, check_text
from vibehq_tui.patches.model import ParsedPatch, Problem
from vibehq_tui.patches.plan import Plan
from vibehq_tui.patches.plans import accepted_part, plan_open
from vibehq_tui.patches.reader import PatchReader
from vibehq_tui.patches.review import ACCEPTED, REJECTED
from vibehq_tui.patches.tasklink import check_task
from vibehq_tui.patches.tree import WorkTree
from vibehq_tui.patches.validation import Report, task_findings, validate
from vibehq_tui.tasks.service import TaskService


class PatchManager(PatchReader):
    """Every command about patches. Each changes the store in one transaction, with its event and its audit entry."""

    def __init__(self, store: Store, root: Path, tasks: TaskService, config: Config, *, actor: str, via: str) -> None:
        super().__init__(store, root)
        self._tasks = tasks
        self._config = config
        self._actor = actor
        self._ledger = Ledger(actor, via)
        self.application = PatchApplication(store, root, tasks, self.plans, config, self._ledger, self._applier)

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
    ) -> Patch:
        """Takes a patch in any format into the queue.

        :param base: the revision it was made against; the current commit when none is given.
        :raises PatchRefused: when it cannot be read or may not be applied; it is not stored, but in the feed.
        :raises PatchConflict: when it does not apply to the tree now; it is stored as conflicted, ``details["patch"]``.
        :raises NotFound: when ``task`` or ``base`` does not exist.
        """
        if task is not None:
            await self._tasks.get(task)
        commit = await asyncio.to_thread(resolve_commit, self._root, base) if base else await self._head()
        try:
            check_text(text, self._config)
            parsed = await asyncio.to_thread(parse, text, format)
            check_parsed(parsed, self._config)
            plan, problem = await self._try_plan(parsed)
            if (
                plan is not None
                and parsed.task is not None
                and (beyond := await self._beyond(parsed, plan, parsed.task))
            ):
                raise PatchRefused(beyond, hint=f"task {parsed.task} allows less; change the task or the patch")
        except PatchRefused as error:
            refusal = error
            await self._store.write(lambda tx: self._refuse_submission(tx, refusal, task, title, provider))
            raise
        task = task or parsed.task
        report = await self._validate(parsed, plan, task, commit) if plan else None
        patch = replace(
            new_patch(parsed, plan, report, problem), task=task, provider=provider, base=commit, execution=execution
        )
        if title:
            patch = replace(patch, title=title)
        stored = await self._store.write(lambda tx: self._insert(tx, patch, text))
        await self._tasks.refresh_states()
        if problem is not None:
            problem.hint = f"it is kept as patch {stored.id}, conflicted; vibehq patch show {stored.id}"
            problem.details["patch"] = stored.id
            raise problem
        return stored

    async def _head(self) -> str | None:
        return await asyncio.to_thread(head, self._root)

    async def _validate(self, parsed: ParsedPatch, plan: Plan, task: str | None, base: str | None) -> Report:
        about = task_findings(task, await self._beyond(parsed, plan, task)) if task is not None else []
        hold = self._config.protect.hold
        return await asyncio.to_thread(validate, plan, base=base, hold=hold, about_task=about)

    async def _beyond(self, parsed: ParsedPatch, plan: Plan, task: str) -> tuple[Problem, ...]:
        """What the patch does that its task does not allow. A batch that names its task is held to it."""
        data = (await self._tasks.get(task)).data
        try:
            check_task({"tasks": [{**data, "id": task}]}, task, parsed, plan)
        except PatchRefused as error:
            return error.problems
        return ()

    async def _try_plan(self, parsed: ParsedPatch) -> tuple[Plan | None, PatchConflict | None]:
        try:
            plan = await asyncio.to_thread(plan_open, parsed, WorkTree(self._root))
        except PatchConflict as conflict:
            if conflict.code == AlreadyApplied.default_code:
                raise PatchRefused(
                    conflict.problems, code=conflict.code, hint="there is nothing left to do"
                ) from conflict
            return None, conflict
        check_plan(plan, self._config)
        return plan, None

    def _refuse_submission(
        self, tx: Tx, error: PatchRefused, task: str | None, title: str | None, provider: str | None
    ) -> None:
        tx.events.append(
            events.PATCH_VALIDATION_FAILED,
            actor=self._actor,
            subject="patch",
            task=task,
            message=f"refused: {error.message}",
            data={"title": title, "provider": provider, "errors": [problem.to_wire() for problem in error.problems]},
        )
        self._ledger.audit(tx, "patch.submit", "", result="refused", detail=error.message)

    def _insert(self, tx: Tx, patch: Patch, text: bytes) -> Patch:
        patch_id = tx.patches.next_id()
        stored = replace(patch, id=patch_id, submitted_by=self._actor, created_at=tx.now, updated_at=tx.now)
        tx.patches.insert(stored)
        tx.patches.add_version(patch_id, 1, stored.format, text)
        self._ledger.event(tx, events.PATCH_RECEIVED, stored, f"received as {stored.format}")
        if stored.state == "conflicted":
            self._ledger.event(tx, events.PATCH_CONFLICTED, stored, stored.reason or "")
        else:
            self._ledger.event(tx, events.PATCH_VALIDATED, stored, f"risk {stored.risk}")
            self._ledger.event(tx, events.PATCH_PROPOSED, stored, f"+{stored.added} −{stored.removed}")
        self._ledger.audit(tx, "patch.submit", patch_id)
        return stored

    # -- deciding --------------------------------------------------------------------------------------------------

    async def decide(self, patch_id: str, hunk: int, decision: str | None, reason: str | None = None) -> None:
        """Accepts or rejects one hunk; ``None`` takes the decision back.

        A decision about an approved patch takes the approval back, because it covered something else.
        """
        await self._decide(patch_id, {hunk: decision}, reason)

    async def _decide(self, patch_id: str, wanted: dict[int, str | None], reason: str | None) -> None:
        patch = await self.get(patch_id)
        must_be(patch, "decided about", OPEN_STATES)
        plan = await self.plans.current(patch)
        for hunk, decision in wanted.items():
            if hunk not in plan.hunk_numbers:
                raise Refused(f"patch {patch_id} has no hunk {hunk}", hint=f"its hunks are 1 to {plan.hunk_count}")
            if decision not in (ACCEPTED, REJECTED, None):
                raise Usage(f"unknown decision: {decision}", hint="accepted, rejected or none")

        def body(tx: Tx) -> None:
            now = fresh(tx, patch_id, "decided about")
            before = {row.hunk: row for row in tx.patches.decisions(patch_id)}
            for hunk, decision in wanted.items():
                if decision is None:
                    tx.patches.clear_decision(patch_id, hunk)
                else:
                    tx.patches.set_decision(
                        PatchDecision(
                            patch=patch_id, hunk=hunk, decision=decision, by=self._actor, at=tx.now, reason=reason
                        )
                    )
                old = before[hunk].decision if hunk in before else None
                data = {"hunk": hunk, "decision": decision, "before": old, "reason": reason}
                message = f"hunk {hunk} {decision or 'undecided'}{f': {reason}' if reason else ''}"
                self._ledger.event(tx, events.PATCH_HUNK_DECIDED, now, message, data)
            if now.state == "approved":
                tx.patches.update(patch_id, state="proposed", decided_by=None)
                self._ledger.event(tx, events.PATCH_APPROVAL_VOID, now, "a hunk was decided anew after the approval")
            self._ledger.audit(tx, "patch.decide", patch_id, detail=", ".join(f"{k}: {v}" for k, v in wanted.items()))

        await self._store.write(body)

    async def undo_decision(self, patch_id: str) -> str:
        """Takes back the newest decision of this operator about a hunk of ``patch_id``; answers what was undone.

        :raises Refused: when there is nothing left to undo.
        """
        rows = await self._store.read(lambda tx: tx.events.for_subject("patch", patch_id, 500))
        undone: set[int] = set()
        for event in rows:  # newest first
            if event.type != events.PATCH_HUNK_DECIDED or event.actor != self._actor:
                continue
            if "undoes" in event.data:
                undone.add(event.data["undoes"])
                continue
            if event.seq in undone:
                continue
            await self._undo(patch_id, event.seq, event.data["hunk"], event.data["before"])
            return f"hunk {event.data['hunk']} is {event.data['before'] or 'undecided'} again"
        raise Refused(f"nothing to undo in patch {patch_id}", hint="decisions of other operators are theirs to undo")

    async def _undo(self, patch_id: str, seq: int, hunk: int, before: str | None) -> None:
        def body(tx: Tx) -> None:
            patch = fresh(tx, patch_id, "decided about")
            if before is None:
                tx.patches.clear_decision(patch_id, hunk)
            else:
                tx.patches.set_decision(
                    PatchDecision(patch=patch_id, hunk=hunk, decision=before, by=self._actor, at=tx.now)
                )
            data = {"hunk": hunk, "decision": before, "undoes": seq}
            self._ledger.event(tx, events.PATCH_HUNK_DECIDED, patch, f"hunk {hunk}: decision undone", data)
            self._ledger.audit(tx, "patch.decide", patch_id, detail=f"{hunk}: undone")

        await self._store.write(body)

    async def see(self, patch_id: str, path: str, seen: bool = True) -> None:
        """Marks a file as reviewed; the mark holds until what the plan makes of the file changes."""
        plan = await self.plan(patch_id)
        file = next((file for file in plan.files if file.path == path), None)
        if file is None:
            raise NotFound(f"patch {patch_id} does not touch {path}")
        mark = digest(file.after) if seen else None
        await self._store.write(lambda tx: tx.patches.set_seen(patch_id, path, mark))

    async def comment(
        self, patch_id: str, text: str, *, path: str | None = None, line: int | None = None
    ) -> PatchComment:
        """Leaves a remark on a line, a file or the patch.

        :raises Refused: when the text is empty, or the patch does not touch ``path``.
        """
        patch = await self.get(patch_id)
        if not text.strip():
            raise Refused("the comment is empty", hint="say what you want changed")
        if path is not None and path not in {file.path for file in patch.files}:
            raise Refused(
                f"patch {patch_id} does not touch {path}", hint=f"vibehq patch show {patch_id} lists its files"
            )
        if line is not None and (path is None or line < 1):
            raise Refused("a line needs a path, and counts from 1")

        def body(tx: Tx) -> PatchComment:
            row = tx.patches.add_comment(patch=patch_id, path=path, line=line, text=text, by=self._actor)
            where = f"{path}:{line}: " if line else f"{path}: " if path else ""
            self._ledger.event(tx, events.PATCH_COMMENTED, patch, f"{where}{text}", {"comment": row.id})
            self._ledger.audit(tx, "patch.comment", patch_id)
            return row

        return await self._store.write(body)

    async def approve(self, patch_id: str, hunks: Collection[int] | None = None, *, shown: str | None = None) -> Patch:
        """Approves a patch as it applies now, without the hunks that were rejected.

        :param hunks: approve exactly these; the others are rejected.
        :param shown: the hash of the plan that the operator saw; approving anything else is a conflict.
        :raises PatchConflict: when it does not apply now; it is marked as conflicted.
        """
        patch = await self.get(patch_id)
        must_be(patch, "approved", OPEN_STATES)
        plan = await self._planned_or_conflicted(patch)
        if shown is not None and shown != plan.hash:
            raise Conflict(
                f"patch {patch_id} is not what you saw: a file it touches has changed since",
                code="changed-since-shown",
                hint="look at it again and approve what it is now",
            )
        if hunks is not None:
            unknown = sorted(set(hunks) - set(plan.hunk_numbers))
            if unknown or not hunks:
                raise Refused(f"patch {patch_id} has no hunk {unknown}", hint=f"its hunks are 1 to {plan.hunk_count}")
            await self._decide(
                patch_id, {number: ACCEPTED if number in hunks else REJECTED for number in plan.hunk_numbers}, None
            )
        decisions = await self._store.read(lambda tx: tx.patches.decisions(patch_id))
        part = accepted_part(plan, decisions)
        if not part.files:
            raise Refused(
                f"every hunk of patch {patch_id} is rejected", hint=f"vibehq patch reject {patch_id} --reason …"
            )
        base = await self._head()
        report = await self._validate(await self.plans.parsed(patch), part, patch.task, base)

        def body(tx: Tx) -> Patch:
            now = fresh(tx, patch_id, "approved")
            if tx.patches.decisions(patch_id) != decisions or now.version != patch.version:
                raise Conflict(f"patch {patch_id} was decided by somebody else just now", hint="look again")
            fields = plan_fields(part) | {"report": report.findings, "risk": report.risk}
            approved = tx.patches.update(
                patch_id, state="approved", decided_by=self._actor, base=base, reason=None, **fields
            )
            taken = "" if part is plan else f", {part.hunk_count} of {plan.hunk_count} hunks"
            data = {"planHash": part.hash, "base": approved.base, "hunks": list(part.hunk_numbers)}
            self._ledger.event(tx, events.PATCH_APPROVED, approved, f"approved{taken}", data)
            self._ledger.audit(tx, "patch.approve", patch_id, detail=f"plan {part.hash[:16]}")
            return approved

        approved = await self._store.write(body)
        await self._tasks.refresh_states()
        return approved

    async def reject(self, patch_id: str, reason: str, hunks: Collection[int] | None = None) -> Patch:
        """Rejects a patch, or some of its hunks, with the reason that goes back to its author."""
        if not reason.strip():
            raise Refused("a rejection needs a reason", hint="it is what the agent learns from")
        if hunks:
            await self._decide(patch_id, dict.fromkeys(hunks, REJECTED), reason)
            return await self.get(patch_id)
        await self.get(patch_id)

        def body(tx: Tx) -> Patch:
            fresh(tx, patch_id, "rejected")
            rejected = tx.patches.update(patch_id, state="rejected", decided_by=self._actor, reason=reason)
            self._ledger.event(tx, events.PATCH_REJECTED, rejected, reason)
            self._ledger.audit(tx, "patch.reject", patch_id, detail=reason)
            return rejected

        rejected = await self._store.write(body)
        await self._tasks.refresh_states()
        return rejected

    async def reopen(self, patch_id: str) -> Patch:
        """Proposes a patch again that was rejected, approved, reverted, or in conflict."""
        patch = await self.get(patch_id)
        must_be(patch, "reopened", ("rejected", "approved", "conflicted", "failed", "reverted"))
        await self._planned_or_conflicted(patch)

        def body(tx: Tx) -> Patch:
            now = tx.patches.get(patch_id)
            if now is None or now.state != patch.state:
                raise Conflict(f"patch {patch_id} was decided by somebody else just now", hint="look again")
            reopened = tx.patches.update(patch_id, state="proposed", decided_by=None, reason=None)
            self._ledger.event(tx, events.PATCH_REOPENED, reopened, f"was {patch.state}")
            self._ledger.audit(tx, "patch.reopen", patch_id)
            return reopened

        reopened = await self._store.write(body)
        await self._tasks.refresh_states()
        return reopened

    async def apply(self, patch_id: str, *, dry_run: bool = False, commit: bool = False) -> Patch:
        """Puts an approved patch into the tree: all of it or nothing. See :class:`PatchApplication`."""
        return await self.application.apply(await self.get(patch_id), dry_run=dry_run, commit=commit)

    async def revert(self, patch_id: str) -> Patch:
        """Takes an applied patch out of the tree again. See :class:`PatchApplication`."""
        return await self.application.revert(await self.get(patch_id))

    async def _planned_or_conflicted(self, patch: Patch) -> Plan:
        try:
            return await self.plans.current(patch)
        except PatchConflict as conflict:
            await self.application.mark_conflicted(patch, conflict)
            raise
