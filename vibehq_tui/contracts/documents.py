"""The documents that ``--json`` and the API answer with, beside the records."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from vibehq_tui.contracts.wire import Id, Wire


class ErrorBody(Wire):
    """What went wrong, where, and what to do."""

    code: str
    """A stable word for programs, such as ``not-found``."""
    message: str
    hint: str = ""
    details: dict[str, Any] = Field(default_factory=dict)


class ErrorDocument(Wire):
    """The answer of a command or a request that failed."""

    error: ErrorBody


class Listing(Wire):
    """A page of records."""

    items: list[dict[str, Any]]
    next: str | None
    """The cursor of the page after this one; none on the last."""


class HunkReceipt(Wire):
    """One hunk, as it was found in its file."""

    number: int
    line: int | None = None
    """Where it begins in the file as it was."""
    match: Literal["exact", "offset", "whitespace", "unicode", "fuzzy", "merge"] = "exact"


class FileReceipt(Wire):
    """One file of a patch."""

    path: str
    op: Literal["modify", "create", "delete", "rename", "copy", "mode"]
    from_: str | None = None
    added: int = 0
    removed: int = 0
    hunks: list[HunkReceipt] = Field(default_factory=list)


class Repair(Wire):
    """Something that was wrong in the text of a patch and whose meaning was certain."""

    code: str
    path: str | None = None
    hunk: int | None = None
    message: str


class Nearest(Wire):
    """The place of a file that comes nearest to what a hunk looks for, without being it."""

    line: int
    """From 1, in the file as it is."""
    score: float
    """How much of it is alike, 0 to 1."""
    expected: list[str]
    """The old lines of the hunk."""
    found: list[str]
    """The lines of the file there."""


class MergeRegion(Wire):
    """A place that both the patch and the file have changed since their common base; lines as text."""

    line: int
    """From 1, in the file as it is."""
    ours: list[str]
    """The file as it is."""
    base: list[str]
    theirs: list[str]
    """What the patch wants."""


class Problem(Wire):
    """Why a patch was refused or does not apply."""

    code: str
    path: str | None = None
    hunk: int | None = None
    message: str
    candidates: list[int] = Field(default_factory=list)
    """Lines where it could have been meant."""
    nearest: Nearest | None = None
    regions: list[MergeRegion] = Field(default_factory=list)


class CheckRun(Wire):
    """The command that ran after the patch was applied."""

    command: str
    exit_code: int
    output: str
    """The end of what it printed."""
    seconds: float = 0.0


class Receipt(Wire):
    """The answer of ``patchctl apply``, ``validate`` and ``dry-run`` about one patch."""

    file: str | None = None
    """Where the patch came from, when there were several."""
    result: Literal["applied", "already-applied", "refused", "conflict", "dry-run"]
    format: str | None
    """None where it was not recognised."""
    files: list[FileReceipt] = Field(default_factory=list)
    repairs: list[Repair] = Field(default_factory=list)
    warnings: list[str] = Field(default_factory=list)
    errors: list[Problem] = Field(default_factory=list)
    receipt: str | None = None
    """From which it can be undone: ``patchctl revert RECEIPT``."""
    hint: str = ""
    check: CheckRun | None = None
    plan_hash: str | None = None
    """Of a dry run: the hash of every byte before and after."""
    diff: str | None = None
    """Of a dry run that was asked for it."""


class ReceiptSeries(Wire):
    """The same about several patches, which end at the first that fails."""

    result: Literal["applied", "already-applied", "refused", "conflict", "dry-run"]
    """The worst of them."""
    patches: list[Receipt]


class TaskProblem(Wire):
    """Something wrong in a tasks file."""

    level: Literal["error", "warning"]
    """An error keeps the whole file out of the mirror; a warning only marks a task."""
    code: str
    file: str
    path: str
    """The JSON path, such as ``master.tasks[3].status``; empty for the file as a whole."""
    line: int
    """From 1; 0 for the file as a whole."""
    column: int
    message: str
    allowed: list[str] = Field(default_factory=list)
    hint: str = ""
    task: Id | None = None
    """The task that it is about."""
