"""How a patch is written down: its record from its plan, its events and its audit entries."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Final

from storage.errors import NotFound, Refused
from storage.records import Patch, PatchFile
from storage.store import Tx
from vibehq_tui.patches.errors import PatchConflict
from vibehq_tui.patches.model import ParsedPatch
from vibehq_tui.patches.planning.plan import Plan

OPEN_STATES: Final = ("proposed", "approved", "conflicted")
APPLIED_STATES: Final = ("applied", "verified")
PROPOSED_ANEW: Final = "proposed anew"
"""Why a version is another one, where whoever made the patch has sent it; else an operator made it."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """Writes events and audit entries in the name of one actor."""

    actor: str
    via: str

    def event(self, tx: Tx, kind: str, patch: Patch, message: str, data: dict[str, Any] | None = None) -> None:
        """Appends one step of ``patch`` to the feed."""
        tx.events.append(
            kind,
            actor=self.actor,
            subject="patch",
            subject_id=patch.id,
            task=patch.task,
            message=message,
            data={"title": patch.title, "provider": patch.provider} | (data or {}),
        )

    def audit(self, tx: Tx, verb: str, patch_id: str, *, result: str = "done", detail: str = "") -> None:
        """Appends who did what to which patch."""
        target = f"patch/{patch_id}" if patch_id else "patch"
        tx.audit.append(actor=self.actor, via=self.via, verb=verb, object=target, result=result, detail=detail)


def no_such_patch(patch_id: str) -> NotFound:
    """The error for an unknown id."""
    return NotFound(f"there is no patch {patch_id}", hint="vibehq patch list shows those there are")


def must_be(patch: Patch, verb: str, states: tuple[str, ...]) -> None:
    """:raises Refused: when ``patch`` is in none of ``states``."""
    if patch.state in states:
        return
    hints = {
        "proposed": f"approve it first: vibehq patch approve {patch.id}",
        "applied": f"it is in the tree; to take it out: vibehq patch revert {patch.id}",
        "verified": f"it is in the tree; to take it out: vibehq patch revert {patch.id}",
        "rejected": "submit it again to have another look",
        "conflicted": f"it does not fit the tree; vibehq patch show {patch.id} says why",
    }
    raise Refused(
        f"patch {patch.id} is {patch.state}, so it cannot be {verb}",
        code=f"patch-is-{patch.state}",
        hint=hints.get(patch.state, ""),
    )


def fresh(tx: Tx, patch_id: str, verb: str, states: tuple[str, ...] = OPEN_STATES) -> Patch:
    """The patch as it is inside this transaction, which must be in one of ``states``."""
    patch = tx.patches.get(patch_id)
    if patch is None:
        raise no_such_patch(patch_id)
    must_be(patch, verb, states)
    return patch


def digest(content: bytes | None) -> str:
    """What a "reviewed" mark binds to."""
    return "absent" if content is None else hashlib.sha256(content).hexdigest()


def plan_fields(plan: Plan) -> dict[str, Any]:
    """The fields of a :class:`Patch` that follow from its plan."""
    return {
        "files": tuple(
            PatchFile(path=file.path, op=file.op, from_=file.from_, added=file.added, removed=file.removed)
            for file in plan.files
        ),
        "added": plan.added,
        "removed": plan.removed,
        "hunks": plan.hunk_count,
        "plan_hash": plan.hash,
        "repairs": len(plan.repairs),
    }


def new_patch(parsed: ParsedPatch, plan: Plan | None, problem: PatchConflict | None) -> Patch:
    """The record of a patch that was just read; id, times, links and what was found are the caller's to add."""
    if plan is not None:
        fields = plan_fields(plan) | {"state": "proposed"}
    else:
        findings = tuple(
            {"check": "applies", "result": "error", "message": item.message, "path": item.path}
            for item in (problem.problems if problem else ())
        )
        files = tuple(PatchFile(path=change.path, op=change.op, from_=change.from_) for change in parsed.changes)
        fields = {"files": files, "state": "conflicted", "report": findings}
        fields |= {"reason": problem.message if problem else None}
    return Patch(id="", title=_title(parsed), format=parsed.format, **fields)


def _title(parsed: ParsedPatch) -> str:
    if parsed.title:
        return parsed.title
    paths = list(dict.fromkeys(change.path for change in parsed.changes))
    verbs = {"create": "Add", "delete": "Delete", "rename": "Move", "copy": "Copy"}
    verb = verbs.get(parsed.changes[0].op, "Change") if parsed.changes else "Change"
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    return f"{verb} {paths[0]}{more}" if paths else "Empty patch"
