"""What operators say about a patch: decisions about hunks, marks on files, remarks."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from storage.errors import NotFound, Refused, Usage
from storage.records import Patch, PatchComment, PatchDecision
from storage.store import Tx
from vibehq_tui.contracts import events
from vibehq_tui.patches.planning.plan import Plan
from vibehq_tui.patches.planning.planned import PlannedFile, PlannedHunk
from vibehq_tui.patches.queue.base import Queue, same_version
from vibehq_tui.patches.queue.history import comment_part, decided, patch_part
from vibehq_tui.patches.queue.ledger import OPEN_STATES, digest, must_be
from vibehq_tui.patches.queue.review import ACCEPTED, REJECTED
from vibehq_tui.patches.queue.standing import Standing, hunk_keys, stand

_QUOTED = 40
"""Lines of a hunk that a remark keeps."""

Wanted = Mapping[int, str | None]


class Decisions:
    """Decisions, marks and remarks; each is an action that can be undone."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue

    # -- hunks -----------------------------------------------------------------------------------------------------

    async def decide(self, patch_id: str, wanted: Wanted, reason: str | None) -> None:
        """Accepts or rejects hunks; ``None`` takes a decision back. An approval is void afterwards."""
        queue = self._queue
        patch = await queue.get(patch_id)
        must_be(patch, "decided about", OPEN_STATES)
        plan = await queue.plans.current(patch)

        def body(tx: Tx) -> None:
            now = same_version(tx, patch, "decided about")
            part = self.write(tx, now, plan, wanted, reason)
            data: dict[str, Any] = {"decisions": part}
            if now.state == "approved":
                void = tx.patches.update(patch_id, state="proposed", decided_by=None)
                data["patch"] = {"before": patch_part(now), "after": patch_part(void)}
                queue.ledger.event(tx, events.PATCH_APPROVAL_VOID, void, "a hunk was decided anew after the approval")
            tx.actions.push(patch=patch_id, by=queue.actor, kind="decide", data=data)

        await queue.store.write(body)

    def write(self, tx: Tx, patch: Patch, plan: Plan, wanted: Wanted, reason: str | None) -> list[dict[str, Any]]:
        """Writes decisions inside a transaction; answers the part of an action that undoes them.

        :raises Refused: when the plan has no such hunk.
        """
        rows = tx.patches.decisions(patch.id)
        standing = stand(plan, rows)
        keys = hunk_keys(plan)
        lost = {one.hunk for one in standing.lost}
        for hunk, decision in wanted.items():
            if hunk not in keys and not (decision is None and hunk in lost):
                raise Refused(f"patch {patch.id} has no hunk {hunk}", hint=f"its hunks are 1 to {plan.hunk_count}")
            if decision not in (ACCEPTED, REJECTED, None):
                raise Usage(f"unknown decision: {decision}", hint="accepted, rejected or none")
        before = _settled(tx, patch.id, rows, standing)
        ledger = self._queue.ledger
        for hunk, decision in wanted.items():
            if decision is None:
                tx.patches.clear_decision(patch.id, hunk)
            else:
                row = PatchDecision(
                    patch=patch.id,
                    hunk=hunk,
                    decision=decision,
                    by=ledger.actor,
                    at=tx.now,
                    reason=reason,
                    digest=keys[hunk],
                )
                tx.patches.set_decision(row)
            old = before[hunk].decision if hunk in before else None
            data = {"hunk": hunk, "decision": decision, "before": old, "reason": reason}
            message = f"hunk {hunk} {decision or 'undecided'}{f': {reason}' if reason else ''}"
            ledger.event(tx, events.PATCH_HUNK_DECIDED, patch, message, data)
        ledger.audit(tx, "patch.decide", patch.id, detail=", ".join(f"{k}: {v}" for k, v in wanted.items()))
        after = {one.hunk: one for one in tx.patches.decisions(patch.id)}
        return decided(before, {hunk: after.get(hunk) for hunk in wanted})

    # -- files -----------------------------------------------------------------------------------------------------

    async def see(self, patch_id: str, path: str, plan: Plan, seen: bool) -> None:
        """Marks a file as reviewed, or takes the mark away."""
        file = next((file for file in plan.files if file.path == path), None)
        if file is None:
            raise NotFound(f"patch {patch_id} does not touch {path}")
        mark = digest(file.after) if seen else None
        by = self._queue.actor

        def body(tx: Tx) -> None:
            before = tx.patches.seen_digests(patch_id).get(path)
            if before == mark:
                return
            tx.patches.set_seen(patch_id, path, mark)
            data = {"seen": {"path": path, "before": before, "after": mark}}
            tx.actions.push(patch=patch_id, by=by, kind="see", data=data)

        await self._queue.store.write(body)

    # -- remarks ---------------------------------------------------------------------------------------------------

    async def comment(
        self, patch: Patch, text: str, *, path: str | None, line: int | None, hunk: int | None, plan: Plan | None
    ) -> PatchComment:
        """Leaves a remark on a line, a hunk, a file or the patch.

        :param plan: where lines and hunks are looked up; none when the patch does not apply now.
        :raises Refused: when the text is empty, or what it is about is not in the patch.
        """
        if not text.strip():
            raise Refused("the comment is empty", hint="say what you want changed")
        if hunk is not None:
            path = _path_of_hunk(patch, plan, hunk, path)
        if path is not None and path not in {file.path for file in patch.files}:
            raise Refused(
                f"patch {patch.id} does not touch {path}", hint=f"vibehq patch show {patch.id} lists its files"
            )
        if line is not None and (path is None or line < 1):
            raise Refused("a line needs a path, and counts from 1")
        quote = _quote(plan, path, line, hunk)

        def body(tx: Tx) -> PatchComment:
            made = tx.patches.add_comment(
                patch=patch.id,
                path=path,
                line=line,
                text=text,
                by=self._queue.actor,
                hunk=hunk,
                version=patch.version,
                quote=quote,
            )
            row = tx.patches.comment(made.id) or made
            place = f"{path}:{line}" if line else f"{path}, hunk {hunk}" if hunk else path
            data = {"comment": row.id, "path": path, "line": line, "hunk": hunk}
            self._queue.ledger.event(tx, events.PATCH_COMMENTED, patch, f"{place}: {text}" if place else text, data)
            self._queue.ledger.audit(tx, "patch.comment", patch.id)
            part = {"id": row.id, "before": None, "after": comment_part(row)}
            tx.actions.push(patch=patch.id, by=self._queue.actor, kind="comment", data={"comment": part})
            return row

        return await self._queue.store.write(body)

    async def resolve(self, patch_id: str, comment_id: str, resolved: bool) -> PatchComment:
        """Settles a remark, or opens it again.

        :raises NotFound: when the patch has no such remark.
        """
        patch = await self._queue.get(patch_id)
        by = self._queue.actor

        def body(tx: Tx) -> PatchComment:
            before = tx.patches.comment(comment_id)
            if before is None or before.patch != patch_id:
                hint = f"vibehq patch show {patch_id} lists its comments"
                raise NotFound(f"patch {patch_id} has no comment {comment_id}", hint=hint)
            if (before.resolved_by is not None) == resolved:
                return before
            settled = (
                {"resolved_by": by, "resolved_at": tx.now} if resolved else {"resolved_by": None, "resolved_at": None}
            )
            tx.patches.put_comment(replace(before, **settled))
            after = tx.patches.comment(comment_id) or before
            word = "settled" if resolved else "open again"
            data = {"comment": comment_id, "resolved": resolved}
            self._queue.ledger.event(tx, events.PATCH_COMMENT_RESOLVED, patch, f"comment {comment_id} is {word}", data)
            self._queue.ledger.audit(tx, "patch.comment", patch_id, detail=f"{comment_id}: {word}")
            part = {"id": comment_id, "before": comment_part(before), "after": comment_part(after)}
            tx.actions.push(patch=patch_id, by=by, kind="resolve", data={"comment": part})
            return after

        return await self._queue.store.write(body)


def _settled(tx: Tx, patch_id: str, rows: Iterable[PatchDecision], standing: Standing) -> dict[int, PatchDecision]:
    """Writes decisions down under the numbers that their hunks have now; answers them by number."""
    settled = dict(standing.decisions)
    for one in standing.lost:
        settled.setdefault(one.hunk, one)
    if [settled[number] for number in sorted(settled)] != list(rows):
        tx.patches.replace_decisions(patch_id, settled.values())
    return settled


def _path_of_hunk(patch: Patch, plan: Plan | None, hunk: int, path: str | None) -> str:
    if plan is None:
        raise Refused(f"patch {patch.id} does not apply, so its hunks have no numbers", hint="comment on a file")
    for file in plan.files:
        if any(one.number == hunk for one in file.hunks):
            if path not in (None, file.path):
                raise Refused(f"hunk {hunk} is in {file.path}, not in {path}", hint="leave the path out")
            return file.path
    raise Refused(f"patch {patch.id} has no hunk {hunk}", hint=f"its hunks are 1 to {plan.hunk_count}")


def _quote(plan: Plan | None, path: str | None, line: int | None, hunk: int | None) -> str:
    """The lines that a remark is about, tagged."""
    file = next((file for file in plan.files if file.path == path), None) if plan is not None else None
    if file is None or (line is None and hunk is None):
        return ""
    if line is not None:
        return _quoted_line(file, line)
    lines = next((one.lines for one in file.hunks if one.number == hunk), ())
    return "\n".join(_tagged(tag, text) for tag, text in lines[:_QUOTED])


def _quoted_line(file: PlannedFile, line: int) -> str:
    for hunk in file.hunks:
        if hunk.new_start <= line < hunk.new_start + hunk.new_lines:
            return _line_of(hunk, line)
    lines = (file.after or b"").split(b"\n")
    return _tagged(" ", lines[line - 1]) if line <= len(lines) else ""


def _line_of(hunk: PlannedHunk, line: int) -> str:
    number = hunk.new_start
    for tag, text in hunk.lines:
        if tag == "-":
            continue
        if number == line:
            return _tagged(tag, text)
        number += 1
    return ""


def _tagged(tag: str, text: bytes) -> str:
    return tag + text.decode("utf-8", "replace").rstrip("\r\n")


def chosen(plan: Plan, hunks: Collection[int]) -> dict[int, str]:
    """Decisions that accept exactly these hunks and reject all others."""
    return {number: ACCEPTED if number in hunks else REJECTED for number in plan.hunk_numbers}
