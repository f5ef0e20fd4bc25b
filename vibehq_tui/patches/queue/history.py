"""Undo and redo of what an operator did in a review: each action knows what was before and after it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from storage.errors import Conflict, Refused
from storage.records import Patch, PatchAction, PatchComment, PatchDecision, PatchFile
from storage.store import Tx
from vibehq_tui.contracts import events
from vibehq_tui.patches.queue.base import Queue, check_idle
from vibehq_tui.patches.queue.ledger import OPEN_STATES, fresh
from vibehq_tui.text.forms import ranges

_STATES: Final = (*OPEN_STATES, "rejected", "failed", "reverted")
"""In which states of a patch there is a way back."""
_FIELDS: Final = (
    "state",
    "decided_by",
    "reason",
    "plan_hash",
    "base",
    "risk",
    "added",
    "removed",
    "hunks",
    "repairs",
    "report",
    "files",
    "format",
)


def patch_part(patch: Patch) -> dict[str, Any]:
    """The fields of a patch that a review changes, as they stand in an action."""
    part = {name: getattr(patch, name) for name in _FIELDS}
    return part | {"report": list(patch.report), "files": [asdict(file) for file in patch.files]}


def _patch_fields(part: Mapping[str, Any]) -> dict[str, Any]:
    files = tuple(PatchFile(**file) for file in part["files"])
    return {**part, "report": tuple(part["report"]), "files": files}


def decision_part(decision: PatchDecision | None) -> dict[str, Any] | None:
    """A decision as it stands in an action."""
    return None if decision is None else asdict(decision)


def decided(before: Mapping[int, PatchDecision], after: Mapping[int, PatchDecision | None]) -> list[dict[str, Any]]:
    """The part of an action that is about hunks: ``after`` has those that were decided about."""
    return [
        {"hunk": hunk, "before": decision_part(before.get(hunk)), "after": decision_part(now)}
        for hunk, now in after.items()
    ]


def comment_part(comment: PatchComment | None) -> dict[str, Any] | None:
    """A remark as it stands in an action."""
    return None if comment is None else asdict(comment)


class History:
    """The stacks of review actions, one for each operator and patch."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue

    async def undo(self, patch_id: str) -> str:
        """Takes back the newest action of this operator; answers what holds now.

        :raises Refused: when there is nothing left to undo.
        :raises Conflict: when somebody has changed since what the action changed.
        """
        return await self._swap(patch_id, undo=True)

    async def redo(self, patch_id: str) -> str:
        """Does again what was undone last; answers what holds now. Raises as :meth:`undo` does."""
        return await self._swap(patch_id, undo=False)

    async def _swap(self, patch_id: str, *, undo: bool) -> str:
        await self._queue.get(patch_id)

        def body(tx: Tx) -> str | Conflict:
            actor = self._queue.actor
            action = tx.actions.to_undo(patch_id, actor) if undo else tx.actions.to_redo(patch_id, actor)
            if action is None:
                hint = "what other operators did is theirs to undo" if undo else "only what was undone can be redone"
                raise Refused(f"nothing to {'undo' if undo else 'redo'} in patch {patch_id}", hint=hint)
            patch = fresh(tx, patch_id, "changed", _STATES)
            check_idle(patch)
            try:
                said = _Swap(tx, patch, action, undo=undo).run()
            except Conflict as conflict:
                # There is no way back over it, and it must not stand in the way of what was done before it.
                tx.actions.drop(action.id)
                return conflict
            tx.actions.mark(action.id, undone=undo)
            self._tell(tx, patch, action, said, undo=undo)
            return said

        said = await self._queue.store.write(body)
        if isinstance(said, Conflict):
            raise said
        await self._queue.tasks.refresh_states()
        return said

    def _tell(self, tx: Tx, patch: Patch, action: PatchAction, said: str, *, undo: bool) -> None:
        ledger, side = self._queue.ledger, "before" if undo else "after"
        kind = events.PATCH_DECISION_UNDONE if undo else events.PATCH_DECISION_REDONE
        ledger.event(tx, kind, patch, said, {"action": action.kind, "id": action.id})
        for row in action.data.get("decisions", ()):
            decision = row[side]["decision"] if row[side] else None
            data = {"hunk": row["hunk"], "decision": decision, "undone" if undo else "redone": True}
            ledger.event(tx, events.PATCH_HUNK_DECIDED, patch, f"hunk {row['hunk']}: {decision or 'undecided'}", data)
        ledger.audit(tx, "patch.undo" if undo else "patch.redo", patch.id, detail=f"{action.kind}: {said}")


class _Swap:
    """One action, backwards or forwards, inside one transaction."""

    def __init__(self, tx: Tx, patch: Patch, action: PatchAction, *, undo: bool) -> None:
        self._tx = tx
        self._patch = patch
        self._data = action.data
        self._from, self._to = ("after", "before") if undo else ("before", "after")
        self._again = "again" if undo else "once more"

    def run(self) -> str:
        """Checks every part, then changes every part; answers what holds now."""
        self._check()
        said = [self._decisions(), self._seen(), self._comment(), self._version(), self._state()]
        return "; ".join(one for one in said if one)

    # -- is everything as the action left it? ----------------------------------------------------------------------

    def _check(self) -> None:
        current = {one.hunk: one for one in self._tx.patches.decisions(self._patch.id)}
        for row in self._data.get("decisions", ()):
            if decision_part(current.get(row["hunk"])) != row[self._from]:
                self._changed(f"hunk {row['hunk']} was decided about anew", current.get(row["hunk"]))
        seen = self._data.get("seen")
        if seen and self._tx.patches.seen_digests(self._patch.id).get(seen["path"]) != seen[self._from]:
            self._changed(f"the mark on {seen['path']} was changed")
        comment = self._data.get("comment")
        if comment and comment_part(self._tx.patches.comment(comment["id"])) != comment[self._from]:
            self._changed(f"comment {comment['id']} was changed")
        version = self._data.get("version")
        if version and self._text(None) != self._text(version[self._from]):
            self._changed("the patch has another text")
        state = self._data.get("patch")
        if state and any(getattr(self._patch, name) != state[self._from][name] for name in ("state", "plan_hash")):
            self._changed(f"the patch is {self._patch.state}")

    def _changed(self, what: str, by: PatchDecision | None = None) -> None:
        who = f" by {by.by}" if by is not None else ""
        raise Conflict(
            f"{what}{who} since, so it was left as it is",
            code="changed-since",
            hint="decide about it as it is now; the next undo goes on before it",
        )

    def _text(self, version: int | None) -> bytes:
        return self._tx.patches.text(self._patch.id, version)

    # -- the parts -------------------------------------------------------------------------------------------------

    def _decisions(self) -> str:
        rows = self._data.get("decisions", ())
        for row in rows:
            if row[self._to] is None:
                self._tx.patches.clear_decision(self._patch.id, row["hunk"])
            else:
                self._tx.patches.set_decision(PatchDecision(**row[self._to]))
        if rows and self._patch.state == "approved" and "patch" not in self._data:
            self._tx.patches.update(self._patch.id, state="proposed", decided_by=None)
        if len(rows) == 1:
            now = rows[0][self._to]["decision"] if rows[0][self._to] else "undecided"
            return f"hunk {rows[0]['hunk']} is {now} {self._again}"
        numbers = ranges(str(row["hunk"]) for row in rows)
        return f"hunks {numbers} are as {'before' if self._to == 'before' else 'decided'}" if rows else ""

    def _seen(self) -> str:
        seen = self._data.get("seen")
        if not seen:
            return ""
        self._tx.patches.set_seen(self._patch.id, seen["path"], seen[self._to])
        return f"{seen['path']} is {'reviewed' if seen[self._to] else 'to be reviewed'} {self._again}"

    def _comment(self) -> str:
        comment = self._data.get("comment")
        if not comment:
            return ""
        row = comment[self._to]
        if row is None:
            self._tx.patches.remove_comment(comment["id"])
            return "the comment is taken away"
        self._tx.patches.put_comment(PatchComment(**row))
        if comment[self._from] is None:
            return "the comment is back"
        return f"comment {comment['id']} is {'settled' if row['resolved_by'] else 'open'} {self._again}"

    def _version(self) -> str:
        version = self._data.get("version")
        if not version:
            return ""
        patch, number = self._patch, self._patch.version + 1
        like, base = version[self._to], self._data["patch"][self._to]["base"]
        form, by = self._data["patch"][self._to]["format"], self._data["by"]
        reason = f"as version {like}"
        self._tx.patches.add_version(patch.id, number, form, self._text(like), by=by, base=base, reason=reason)
        self._patch = self._tx.patches.update(patch.id, version=number)
        return f"version {number} reads like version {like}"

    def _state(self) -> str:
        state = self._data.get("patch")
        if not state:
            return ""
        self._patch = self._tx.patches.update(self._patch.id, **_patch_fields(state[self._to]))
        before = state[self._from]["state"]
        return f"the patch is {self._patch.state} {self._again}" if before != self._patch.state else ""
