"""Ops issues as commands see them: scan, list, and what operators do about an issue."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from storage.clock import Millis, to_iso
from storage.errors import Conflict, NotFound, Refused, Usage
from storage.query import EVERYTHING, Query
from storage.records import Event, Issue, OpsScan
from storage.store import Store, Tx
from vibehq_tui.contracts import events
from vibehq_tui.contracts.config import SCOPES, Config
from vibehq_tui.ops.context import Progress
from vibehq_tui.ops.detector import Detector
from vibehq_tui.ops.detectors import built_in
from vibehq_tui.ops.host import Host, ThisHost
from vibehq_tui.ops.lifecycle import announce
from vibehq_tui.ops.model import PlanCheck, Replan, TaskSource
from vibehq_tui.ops.scanner import Scanner

__all__ = ["OpsService", "PlanCheck"]

_TRIGGERS: Final = ("schedule", "operator", "command")


class OpsService:
    """Scans and issues of one workspace."""

    def __init__(
        self,
        store: Store,
        *,
        root: Path,
        config: Config,
        actor: str,
        via: str,
        replan: Replan | None = None,
        tasks: TaskSource | None = None,
        detectors: Sequence[Detector] | None = None,
        host: Host | None = None,
    ) -> None:
        """
        :param actor: who acts, for events and audit.
        :param via: the face: ``tui``, ``cli`` or ``service``.
        :param replan: plans a patch against the tree as it is now; without it, what needs that is skipped.
        :param tasks: what can be asked about the tasks files; without it, that is skipped.
        :param detectors: instead of those that come with the program.
        """
        self._store = store
        self._actor = actor
        self._via = via
        self.detectors: tuple[Detector, ...] = tuple(built_in() if detectors is None else detectors)
        """Every detector there is, in the order in which they run."""
        self._scanner = Scanner(
            store,
            root=root,
            config=config,
            actor=actor,
            detectors=self.detectors,
            host=host or ThisHost(),
            replan=replan,
            tasks=tasks,
        )

    # Scans

    async def scan(self, scope: str, *, trigger: str = "command", progress: Progress | None = None) -> OpsScan:
        """Runs the detectors of a scope, one scan of this process at a time, and records the result.

        :param scope: ``incremental`` runs the incremental detectors, ``full`` runs all.
        :param trigger: ``schedule``, ``operator`` or ``command``.
        :param progress: called before each detector and at the end.
        :returns: the record; ``failed`` when time ran out before every detector had its turn. A detector that fails
            is named in it, and is an issue; it does not fail the scan.
        :raises Usage: for any other scope.
        :raises Refused: when the store is read-only.
        """
        if scope not in SCOPES:
            raise Usage(
                f"there is no scan scope {scope!r}",
                code="unknown-scope",
                hint=f"use {' or '.join(SCOPES)}",
                details={"scope": scope, "allowed": list(SCOPES)},
            )
        if trigger not in _TRIGGERS:
            raise Usage(f"there is no trigger {trigger!r}", hint=f"use one of {', '.join(_TRIGGERS)}")
        self._check_writable()
        return await self._scanner.scan(scope, trigger, progress)

    async def last_scan(self, scope: str) -> OpsScan | None:
        """The newest scan of a scope, running or ended."""
        return await self._store.read(lambda tx: tx.scans.last(scope))

    async def scans(self, query: Query = EVERYTHING, offset: int = 0, limit: int = 100) -> list[OpsScan]:
        """Scans, newest first."""
        return await self._store.read(lambda tx: tx.scans.page(query, offset, limit))

    # Issues

    async def page(self, query: Query = EVERYTHING, offset: int = 0, limit: int = 100) -> list[Issue]:
        """Issues: unresolved first, then by severity and when they were last seen."""
        return await self._store.read(lambda tx: tx.issues.page(query, offset, limit))

    async def count(self, query: Query = EVERYTHING) -> int:
        """How many issues the query finds."""
        return await self._store.read(lambda tx: tx.issues.count(query))

    async def get(self, issue_id: str) -> Issue:
        """One issue.

        :raises NotFound: for an unknown id.
        """
        return await self._store.read(lambda tx: _get(tx, issue_id))

    async def history(self, issue_id: str) -> list[Event]:
        """The events of an issue, newest first.

        :raises NotFound: for an unknown id.
        """

        def body(tx: Tx) -> list[Event]:
            _get(tx, issue_id)
            return tx.issues.history(issue_id)

        return await self._store.read(body)

    async def acknowledge(self, issue_id: str) -> Issue:
        """Notes that an operator has seen it. A scan still resolves it when its cause is gone.

        :raises NotFound: for an unknown id.
        :raises Refused: when it is resolved, or the store is read-only.
        """
        return await self._change(
            issue_id, "acknowledge", events.ISSUE_ACKNOWLEDGED, {"status": "acknowledged", "snoozed_until": None}
        )

    async def snooze(self, issue_id: str, until: Millis) -> Issue:
        """Sets it aside until a time, or until it becomes worse; the next scan after that opens it again.

        :raises NotFound: for an unknown id.
        :raises Refused: when it is resolved, the time is past, or the store is read-only.
        """
        if until <= self._store.clock.now():
            raise Refused(f"{to_iso(until)} is not in the future", code="past-time", hint="name a later time")
        return await self._change(
            issue_id,
            "snooze",
            events.ISSUE_SNOOZED,
            {"status": "snoozed", "snoozed_until": until},
            note=f"until {to_iso(until)}",
        )

    async def claim(self, issue_id: str) -> Issue:
        """Makes the acting operator its owner.

        :raises NotFound: for an unknown id.
        :raises Conflict: when somebody else claimed it.
        :raises Refused: when it is resolved, or the store is read-only.
        """
        return await self._change(
            issue_id,
            "claim",
            events.ISSUE_CLAIMED,
            {"status": "claimed", "owner": self._actor, "snoozed_until": None},
        )

    async def resolve(self, issue_id: str, note: str = "") -> Issue:
        """Declares its cause gone. A scan that sees it after this opens it again, as regressed.

        :raises NotFound: for an unknown id.
        :raises Refused: when the store is read-only.
        """
        return await self._change(
            issue_id,
            "resolve",
            events.ISSUE_RESOLVED,
            {
                "status": "resolved",
                "resolved_at": self._store.clock.now(),
                "resolved_by": self._actor,
                "snoozed_until": None,
            },
            note=note,
        )

    async def reopen(self, issue_id: str) -> Issue:
        """Makes it open again, whatever was decided about it.

        :raises NotFound: for an unknown id.
        :raises Refused: when the store is read-only.
        """
        fields = {"status": "open", "owner": None, "snoozed_until": None, "resolved_at": None, "resolved_by": None}
        return await self._change(issue_id, "reopen", events.ISSUE_REOPENED, fields)

    async def _change(self, issue_id: str, verb: str, event: str, fields: dict[str, Any], note: str = "") -> Issue:
        self._check_writable()

        def body(tx: Tx) -> Issue:
            before = _get(tx, issue_id)
            self._check_transition(before, verb)
            if all(getattr(before, name) == value for name, value in fields.items() if not name.startswith("resolved")):
                return before  # done already: saying it twice changes nothing
            issue = tx.issues.update(issue_id, **fields)
            message = f"{issue.title} ({note})" if note else issue.title
            announce(tx, event, issue, actor=self._actor, message=message, **({"note": note} if note else {}))
            tx.audit.append(
                actor=self._actor,
                via=self._via,
                verb=f"issue.{verb}",
                object=f"issue/{issue.id}",
                result="done",
                detail=note or f"{before.status} → {issue.status}",
            )
            return issue

        return await self._store.write(body)

    def _check_transition(self, issue: Issue, verb: str) -> None:
        if issue.status == "resolved" and verb in ("acknowledge", "snooze", "claim"):
            raise Refused(
                f"issue {issue.id} is resolved: there is nothing to {verb}",
                code="issue-resolved",
                hint="a scan opens it again if it comes back; reopen it if it never went",
            )
        if verb == "claim" and issue.status == "claimed" and issue.owner not in (None, self._actor):
            raise Conflict(
                f"issue {issue.id} is claimed by {issue.owner}",
                code="issue-claimed",
                hint="agree with them, then reopen it and claim it",
                details={"owner": issue.owner},
            )

    def _check_writable(self) -> None:
        if self._store.read_only:
            raise Refused("read-only: this workspace was opened for looking only", code="read-only")


def _get(tx: Tx, issue_id: str) -> Issue:
    issue = tx.issues.get(issue_id)
    if issue is None:
        raise NotFound(f"there is no issue {issue_id!r}", hint="vibehq ops list shows them")
    return issue
