"""The life of an issue under scans: opened, seen again, come back, woken, resolved. Runs inside one transaction.

Three rules keep it true. An issue is resolved by a scan only when its detector completed, in a scan of its scope, and
neither reported nor kept it. What a detector saw before an operator resolved the issue does not bring it back. And an
issue has one row for ever: its fingerprint finds it again, under whichever version it was stored.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from storage.clock import Millis
from storage.query import Query
from storage.records import Issue
from storage.store import Tx
from vibehq_tui.contracts import events
from vibehq_tui.ops.fingerprint import fingerprints
from vibehq_tui.ops.model import SEVERITIES, Finding

SCAN_ACTOR: Final = "scan"
"""Who opens and resolves what no operator did."""
UNRESOLVED: Final = ("open", "acknowledged", "snoozed", "claimed")
MAX_UNRESOLVED: Final = 200
"""Issues of one detector that scans leave unresolved at a time; more of one kind help nobody. Critical ones are always
opened."""


@dataclass(slots=True)
class Tally:
    """What became of the findings of one detector."""

    findings: int = 0
    opened: int = 0
    """New or come back."""
    resolved: int = 0
    left_out: int = 0
    """Findings beyond :data:`MAX_UNRESOLVED`, for which no issue was opened."""


def unresolved_of(tx: Tx, detector: str) -> list[Issue]:
    """The issues of a detector that are not resolved."""
    query = Query(where={"detector": detector, "status": UNRESOLVED})
    return tx.issues.page(query, 0, tx.issues.count(query))


def settle(
    tx: Tx,
    *,
    detector: str,
    issue_scope: str,
    findings: Sequence[Finding],
    kept: Collection[str],
    resolves: Collection[str],
    observed_at: Millis,
) -> Tally:
    """Brings the issues of one detector, which completed, in line with what it found.

    :param issue_scope: the scope that new issues belong to.
    :param kept: ids of issues about which it learned nothing.
    :param resolves: scopes whose issues this scan may resolve.
    :param observed_at: when the detector began to look.
    """
    tally = Tally(findings=len(findings))
    before = unresolved_of(tx, detector)
    seen: set[str] = set()
    for finding in _worst_first(findings):
        names = fingerprints(detector, finding.key, finding.pattern)
        issue = next((found for name in names if (found := tx.issues.by_fingerprint(name))), None)
        crowded = len(before) + tally.opened >= MAX_UNRESOLVED and finding.severity != "critical"
        if crowded and (issue is None or issue.status == "resolved"):
            tally.left_out += 1
            continue
        if issue is None:
            issue = _open(tx, detector, issue_scope, names[0], finding)
            tally.opened += 1
        elif issue.id not in seen:
            tally.opened += _see_again(tx, issue, finding, observed_at)
        seen.add(issue.id)
    for issue in before:
        if issue.id not in seen and issue.id not in kept and issue.scope in resolves:
            _resolve(tx, issue)
            tally.resolved += 1
    return tally


def _worst_first(findings: Iterable[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))


def _open(tx: Tx, detector: str, scope: str, fingerprint: str, finding: Finding) -> Issue:
    issue = tx.issues.insert(
        Issue(
            id=tx.issues.next_id(),
            fingerprint=fingerprint,
            detector=detector,
            status="open",
            scope=scope,
            first_seen=tx.now,
            last_seen=tx.now,
            **_told(finding),
        )
    )
    announce(tx, events.ISSUE_OPENED, issue, actor=SCAN_ACTOR)
    return issue


def _told(finding: Finding) -> dict[str, Any]:
    return {
        "severity": finding.severity,
        "title": finding.title,
        "message": finding.message,
        "subject": finding.subject,
        "subject_id": finding.subject_id,
        "data": dict(finding.data),
    }


def _see_again(tx: Tx, issue: Issue, finding: Finding, observed_at: Millis) -> int:
    """Returns 1 when it came back, else 0.

    Only what an operator should hear of is an event. That it is still there, with figures that went up or down, is
    none: ``scan.completed`` says when to look again.
    """
    told = _told(finding) | {"count": issue.count + 1, "last_seen": tx.now}
    if issue.status == "resolved":
        if issue.resolved_at is not None and issue.resolved_at > observed_at:
            return 0  # resolved after the detector looked: what it saw is old
        told |= {"status": "open", "resolved_at": None, "resolved_by": None, "owner": None}
        issue = tx.issues.update(issue.id, **told, regressions=issue.regressions + 1)
        announce(tx, events.ISSUE_REGRESSED, issue, actor=SCAN_ACTOR, message=f"came back: {issue.title}")
        return 1
    worse = SEVERITIES.index(finding.severity) < SEVERITIES.index(issue.severity)
    note = ""
    if issue.severity != finding.severity:
        note = f"{issue.severity} → {finding.severity}: {finding.title}"
    if issue.status == "snoozed" and (worse or (issue.snoozed_until or 0) <= tx.now):
        told |= {"status": "open", "snoozed_until": None}
        note = f"{'became worse' if worse else 'no longer snoozed'}: {finding.title}"
    issue = tx.issues.update(issue.id, **told)
    if note:
        announce(tx, events.ISSUE_SEEN, issue, actor=SCAN_ACTOR, message=note)
    return 0


def _resolve(tx: Tx, issue: Issue) -> None:
    issue = tx.issues.update(
        issue.id, status="resolved", resolved_at=tx.now, resolved_by=SCAN_ACTOR, snoozed_until=None
    )
    announce(tx, events.ISSUE_RESOLVED, issue, actor=SCAN_ACTOR, message=f"gone: {issue.title}")


def announce(tx: Tx, kind: str, issue: Issue, *, actor: str, message: str = "", **data: Any) -> None:
    """Appends the event of a change.

    It names no task, even where the issue is about one: an issue about a task is no activity on it.
    """
    about = {"detector": issue.detector, "severity": issue.severity, "status": issue.status, **data}
    tx.events.append(
        kind, actor=actor, subject="issue", subject_id=issue.id, message=message or issue.title, data=about
    )
