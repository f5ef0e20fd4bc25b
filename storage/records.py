"""The records of the store: what a row is in the program and, in camelCase, on the wire.

Plain dataclasses rather than pydantic models: a command line call builds a handful of them, and importing pydantic
would cost more than the whole call. ``vibehq schema`` derives their JSON Schemas.

A field annotated :data:`~storage.clock.Millis` is a UTC time; on the wire it is an ISO 8601 string. Ids are strings
everywhere. A field named ``data`` holds JSON as it came.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from storage.clock import EPOCH, Millis, to_iso


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One task or subtask of a tasks file, mirrored; the file is the truth."""

    id: str
    """As in the file, as a string; a subtask is ``12.4``."""
    title: str
    status: str
    """pending, in-progress, done, deferred, cancelled, blocked, review, completed: the file's own word."""
    priority: str = "medium"
    dependencies: tuple[str, ...] = ()
    state: str = "ready"
    """Worked out from status, dependencies and open patches: ready, blocked, in-progress, waiting, done, cancelled,
    deferred, broken (a dependency that does not exist, or a cycle)."""
    blocked_by: tuple[str, ...] = ()
    """The open, missing or cyclic dependencies."""
    parent: str | None = None
    tag: str | None = None
    """The tag of a tagged file (``master``), else none."""
    source: str = ""
    """The tasks file, relative to the workspace."""
    owner: str | None = None
    phase: str | None = None
    description: str = ""
    position: int = 0
    """Order in the file."""
    rank: int = 0
    """Order on the screen: ready first, then by what is unblocked most, then priority."""
    subtasks_done: int = 0
    subtasks_total: int = 0
    critical: bool = False
    """On the critical path."""
    data: dict[str, Any] = field(default_factory=dict)
    """The task as it stands in the file, without its subtasks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchFile:
    """One file of a patch, as the plan sees it."""

    path: str
    op: str
    """modify, create, delete, rename, copy, mode."""
    from_: str | None = None
    added: int = 0
    removed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """A proposed change to the repository."""

    id: str
    title: str
    state: str
    """proposed, approved, applied, verified, rejected, conflicted, failed, reverted."""
    version: int = 1
    task: str | None = None
    provider: str | None = None
    execution: str | None = None
    format: str = "unified"
    files: tuple[PatchFile, ...] = ()
    added: int = 0
    removed: int = 0
    hunks: int = 0
    risk: str = "low"
    """low, medium, high."""
    base: str | None = None
    """The commit it was planned against; none outside git."""
    plan_hash: str | None = None
    """The hash of the plan, of every byte before and after; approval binds to it."""
    checks: str = ""
    """A word on the checks, for lists: empty where none ran."""
    repairs: int = 0
    report: tuple[dict[str, Any], ...] = ()
    """The validation report: ``{"check", "result": "ok" | "warning" | "error", "message", "path"?, "line"?}``."""
    reason: str | None = None
    """Why it was rejected, is in conflict, or failed."""
    submitted_by: str = ""
    decided_by: str | None = None
    receipt: str | None = None
    """The receipt of the application, from which it can be undone."""
    pending_receipt: str | None = None
    """Set while an application or a revert is under way; recovery settles it."""
    created_at: Millis = EPOCH
    updated_at: Millis = EPOCH
    applied_at: Millis | None = None
    commit_id: str | None = None
    """The commit that holds it, where it was applied as one."""
    branch: str | None = None
    """The branch of that commit; none for a detached head."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchDecision:
    """What an operator decided about one hunk, or that a file was seen."""

    patch: str
    hunk: int
    """Numbered through the whole patch from 1."""
    decision: str
    """accepted or rejected."""
    by: str
    at: Millis
    reason: str | None = None
    digest: str | None = None
    """Of the content that was decided about; none for decisions of older programs, which hold by number alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchComment:
    """A remark on a line, a hunk, a file (neither) or a patch (no path)."""

    id: str
    patch: str
    text: str
    by: str
    at: Millis
    path: str | None = None
    line: int | None = None
    """In the file as the patch leaves it."""
    hunk: int | None = None
    """Numbered as in ``version``."""
    version: int = 1
    """The version of the patch that it was made on."""
    quote: str = ""
    """The lines that it is about, as they were then, each with its tag (blank, ``-`` or ``+``)."""
    resolved_by: str | None = None
    """Who settled it; none while it is open."""
    resolved_at: Millis | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchVersion:
    """One text of a patch; a newer one replaces those before it."""

    patch: str
    version: int
    format: str
    at: Millis
    by: str = ""
    base: str | None = None
    """The commit that it was planned against."""
    reason: str = ""
    """What made it another version, such as ``hunk 3 edited``; empty for the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchAction:
    """What an operator did in a review, with what was before and after, so that it can be undone and redone."""

    id: str
    patch: str
    by: str
    kind: str
    """decide, see, comment, resolve, approve, reject, reopen, revise."""
    at: Millis
    undone: bool = False
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One step of anything, in the order of commit. The feed is the only way that anybody learns of a change."""

    seq: int
    type: str
    """A constant of :mod:`vibehq_tui.contracts.events`, such as ``patch.applied``."""
    at: Millis
    actor: str
    subject: str = ""
    """What it is about: ``patch``, ``task``, ``issue``, ``scan``, ``provider``, ``execution``, ``workspace``."""
    subject_id: str = ""
    task: str | None = None
    message: str = ""
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """An ops issue: one cause, however often it was seen."""

    id: str
    fingerprint: str
    detector: str
    severity: str
    """critical, high, medium, low."""
    status: str
    """open, acknowledged, snoozed, claimed, resolved."""
    title: str
    message: str = ""
    count: int = 1
    first_seen: Millis = EPOCH
    last_seen: Millis = EPOCH
    scope: str = "incremental"
    """The cheapest scope whose scans look for it: incremental or full."""
    subject: str = ""
    subject_id: str = ""
    owner: str | None = None
    snoozed_until: Millis | None = None
    resolved_at: Millis | None = None
    resolved_by: str | None = None
    """An operator, or ``scan`` when the cause was found to be gone."""
    regressions: int = 0
    cause: str | None = None
    """The id of the issue that explains this one."""
    data: dict[str, Any] = field(default_factory=dict)
    """Evidence, as the detector gave it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpsScan:
    """One scan that was run."""

    id: str
    scope: str
    state: str
    """running, completed, failed."""
    trigger: str
    """schedule, operator, command."""
    started_at: Millis
    ended_at: Millis | None = None
    findings: int = 0
    opened: int = 0
    resolved: int = 0
    detectors: tuple[dict[str, Any], ...] = ()
    """``{"detector", "result": "completed" | "failed" | "timed-out" | "skipped", "findings", "millis", "message"?}``
    for each; only one that completed can resolve issues."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRun:
    """A due time of a schedule, claimed by at most one process."""

    scope: str
    due_at: Millis
    state: str
    """claimed, completed, failed, missed."""
    holder: str = ""
    epoch: int = 0
    started_at: Millis | None = None
    ended_at: Millis | None = None
    scan: str | None = None
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Who leads, until when, and the fence that each of its writes carries."""

    name: str
    holder: str
    epoch: int
    expires_boot: float
    """On the boot clock of the holder's host, in seconds."""
    host: str
    renewed_at: Millis


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderConfig:
    """A configured way to run an agent, as this workspace knows it."""

    name: str
    enabled: bool = True
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """Which provider does a task, and why."""

    task: str
    provider: str
    reason: str
    by: str
    """The operator, or ``rule``."""
    at: Millis = EPOCH


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One run of a provider on one task."""

    id: str
    provider: str
    state: str
    """queued, running, done, failed, cancelled, lost."""
    task: str | None = None
    started_at: Millis | None = None
    ended_at: Millis | None = None
    tokens: int = 0
    cost_micros: int = 0
    patch: str | None = None
    base: str | None = None
    pid: int | None = None
    exit_code: int | None = None
    log: str | None = None
    """The file with its output, relative to the state folder."""
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One line of a worker log or a build log."""

    seq: int
    kind: str
    """worker or build."""
    source: str
    """Which execution, job or file it came from."""
    at: Millis
    level: str = "info"
    """debug, info, warning, error, critical."""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """Who did what, from where, with which result. Append-only; each entry is chained to the one before."""

    seq: int
    at: Millis
    actor: str
    via: str
    """tui, cli, service."""
    verb: str
    """Such as ``patch.apply``."""
    object: str
    """Such as ``patch/118``."""
    result: str
    """done, refused, conflict, failed."""
    detail: str = ""
    hash: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReport:
    """What was delivered against what was asked."""

    id: str
    subject: str
    created_at: Millis
    state: str = "created"
    data: dict[str, Any] = field(default_factory=dict)


RECORDS: tuple[type, ...] = (
    Task,
    PatchFile,
    Patch,
    PatchDecision,
    PatchComment,
    PatchVersion,
    PatchAction,
    Event,
    Issue,
    OpsScan,
    ScanRun,
    ProviderConfig,
    Assignment,
    Execution,
    LogLine,
    AuditEntry,
    DeliveryReport,
)


def camel(name: str) -> str:
    """``first_seen`` → ``firstSeen``; a trailing underscore is dropped (``from_`` → ``from``)."""
    head, *tail = name.rstrip("_").split("_")
    return head + "".join(word.capitalize() for word in tail)


@cache
def _wire_fields(kind: type) -> tuple[tuple[str, str, bool], ...]:
    return tuple((f.name, camel(f.name), "Millis" in str(f.type)) for f in dataclasses.fields(kind))


def to_wire(value: Any) -> Any:
    """Turns a record, or a container of records, into JSON-ready values with camelCase names.

    The content of ``data`` fields is passed through untouched.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        wire: dict[str, Any] = {}
        for name, key, is_time in _wire_fields(type(value)):
            item = getattr(value, name)
            if name == "data":
                wire[key] = item
            elif is_time and item is not None:
                wire[key] = to_iso(item)
            else:
                wire[key] = to_wire(item)
        return wire
    if isinstance(value, (list, tuple)):
        return [to_wire(item) for item in value]
    if isinstance(value, dict):
        return {key: to_wire(item) for key, item in value.items()}
    return value
