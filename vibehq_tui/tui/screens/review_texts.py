"""What the review says beside the changes: title, files, report, and why a patch does not apply."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from storage.records import PatchDecision
from vibehq_tui.patches.planning.plan import Plan
from vibehq_tui.patches.planning.planned import PlannedFile
from vibehq_tui.patches.queue.review import REJECTED, Overlap, Review
from vibehq_tui.text.clean import clean
from vibehq_tui.text.forms import plural
from vibehq_tui.text.glyphs import CHECKS, PATCH_STATES, sign
from vibehq_tui.tui.panes.patches import held
from vibehq_tui.tui.screens.detail_texts import ago
from vibehq_tui.tui.widgets.detail import Document, Target
from vibehq_tui.tui.widgets.rows import Cell, Part, Row, fit

_ORDER = {"error": 0, "warning": 1, "ok": 2}

Decisions = Mapping[int, PatchDecision]


def title(review: Review, ascii_only: bool) -> tuple[Cell, Cell]:
    """The line at the top: which patch, from whom, and how it stands."""
    patch = review.patch
    state = sign(PATCH_STATES, patch.state)
    by = patch.provider or patch.submitted_by
    facts = [f"{by} for task {patch.task}" if patch.task else by]
    if patch.execution:
        facts.append(f"execution {patch.execution}")
    if patch.version > 1:
        facts.append(f"version {patch.version}")
    left = (
        Part(f"{state.text(ascii_only)} ", state.tone),
        Part(f"{patch.id}  ", "accent"),
        Part(clean(patch.title, 120), "strong"),
        Part(f"   {' · '.join(facts)}", "dim"),
    )
    right: list[Part | str] = []
    if patch.added:
        right.append(Part(f"+{patch.added} ", "added"))
    if patch.removed:
        right.append(Part(f"{'-' if ascii_only else '−'}{patch.removed} ", "removed"))
    rule = held(patch)
    right.append(Part(f" {state.word}", state.tone) if rule is None else Part(f" {rule[0]}", rule[1]))
    return left, tuple(right)


def decided(plan: Plan, decisions: Decisions) -> str:
    """``6 of 9 hunks decided``."""
    return f"{sum(number in decisions for number in plan.hunk_numbers)} of {plural(plan.hunk_count, 'hunk')} decided"


def progress(plan: Plan, decisions: Decisions, seen: frozenset[str]) -> str:
    """``4 files · 6 of 9 decided``."""
    reviewed = sum(file.path in seen for file in plan.files)
    files = f"{reviewed} of {plural(len(plan.files), 'file')} reviewed" if reviewed else plural(len(plan.files), "file")
    made = sum(number in decisions for number in plan.hunk_numbers)
    return f"{files} · {made} of {plan.hunk_count} decided"


def file_sign(file: PlannedFile, decisions: Decisions, seen: frozenset[str], ascii_only: bool) -> Part:
    """Whether a file was reviewed: all of it, a part, nothing; or all of it was rejected."""
    made = [decisions[hunk.number].decision for hunk in file.hunks if hunk.number in decisions]
    whole = len(made) == len(file.hunks)
    if whole and made and all(decision == REJECTED for decision in made):
        return Part("x" if ascii_only else "✘", "error")
    if whole or file.path in seen:
        return Part("+" if ascii_only else "✔", "ok")
    if made:
        return Part("~" if ascii_only else "◐", "wait")
    return Part("o" if ascii_only else "○", "dim")


def short_path(path: str, room: int, ascii_only: bool) -> Cell:
    """A path in ``room`` cells. The name stays; what does not fit is cut from the folders."""
    text = clean(path, 400)
    folder, slash, name = text.rpartition("/")
    if len(text) <= room or not folder:
        return (Part(folder + slash, "dim"), name)
    left = room - len(name) - 1
    if left < 4:
        return fit(name, room, more="~" if ascii_only else "…")
    more = "~" if ascii_only else "…"
    return (Part(more + folder[-(left - 1) :] + slash, "dim"), name)


class FileSource:
    """The files of a plan as rows, made for those that are looked at."""

    def __init__(self, room: Callable[[], int]) -> None:
        """:param room: cells for a path."""
        self._review: Review | None = None
        self._decisions: Decisions = {}
        self._room = room
        self._ascii = False

    def update(self, review: Review, decisions: Decisions, ascii_only: bool) -> bool:
        """Takes what is shown from now on; answers whether that makes a difference."""
        same = self._review is review and self._decisions == decisions
        self._review, self._decisions, self._ascii = review, dict(decisions), ascii_only
        return not same

    def _matching(self, text: str) -> Sequence[PlannedFile]:
        files = self._review.plan.files if self._review and self._review.plan else ()
        return [file for file in files if text.lower() in file.path.lower()] if text else files

    async def count(self, text: str) -> int:
        """How many paths contain ``text``."""
        return len(self._matching(text))

    async def rows(self, text: str, offset: int, limit: int) -> Sequence[Row]:
        """A slice of them."""
        return [self._row(file) for file in self._matching(text)[offset : offset + limit]]

    def _row(self, file: PlannedFile) -> Row:
        removed = f"{'-' if self._ascii else '−'}{file.removed}" if file.removed else ""
        added = f"+{file.added} " if file.added else ""
        counts: Cell = (Part(added, "added"), Part(removed, "removed"))
        if not added and not removed:
            counts = Part(file.op, "dim")
        seen = self._review.seen if self._review else frozenset()
        mark = file_sign(file, self._decisions, seen, self._ascii)
        return Row(
            key=file.path, cells=(mark, short_path(file.path, max(self._room(), 8), self._ascii), counts), record=file
        )


def report(review: Review, now: int, ascii_only: bool) -> Document:
    """What validation found, what the patch meets, and the remarks on it as a whole."""
    document = Document()
    patch = review.patch
    findings = sorted(patch.report, key=lambda finding: _ORDER.get(str(finding.get("result")), 1))
    passed = [finding for finding in findings if finding.get("result") == "ok"]
    for finding in findings[: len(findings) - len(passed)]:
        _finding(document, finding, review, ascii_only)
    for meeting in review.meets:
        _meeting(document, meeting, patch.id, ascii_only)
    if review.plan is not None:
        for warning in review.plan.warnings:
            _marked(document, "warning", warning, None, ascii_only)
    for finding in passed:
        _finding(document, finding, review, ascii_only)
    if patch.reason and not any(str(finding.get("message", "-")) in patch.reason for finding in findings):
        role = "dim" if patch.state == "rejected" else "error"
        document.row(Part(f"{patch.state}: {patch.reason}", role), hanging=2)
    open_ = [comment for comment in review.comments if comment.resolved_by is None]
    if open_:
        document.heading("Remarks", f"{len(open_)} open; L lists them")
        for comment in open_:
            if comment.path is None:
                document.row((Part(f"{comment.by} ", "accent"), Part(comment.text)), hanging=2)
    document.blank()
    document.row(Part(f"from {patch.submitted_by}, {ago(patch.created_at, now)}, as {patch.format}", "faint"))
    if patch.decided_by and patch.state in ("approved", "rejected"):
        document.row(Part(f"{patch.state} by {patch.decided_by}", "faint"))
    if patch.version > 1:
        document.row(Part(f"version {patch.version}; V shows what is different", "faint"))
    if patch.base:
        document.row(Part(f"planned on {patch.base[:12]}", "faint"))
    return document


def _marked(document: Document, result: str, message: str, target: Target | None, ascii_only: bool) -> None:
    check = sign(CHECKS, result)
    role = "" if result == "ok" else check.tone if result == "error" else "strong"
    document.row((Part(f"{check.text(ascii_only)} ", check.tone), Part(message, role or "dim")), target, hanging=2)


def _finding(document: Document, finding: Mapping[str, Any], review: Review, ascii_only: bool) -> None:
    path, line = finding.get("path"), finding.get("line")
    message = str(finding.get("message", ""))
    target = None
    if path and review.plan is not None and any(file.path == path for file in review.plan.files):
        target = Target("place", f"{path}:{line or ''}")
    where = f" ({path}:{line})" if path and line else f" ({path})" if path and str(path) not in message else ""
    _marked(document, str(finding.get("result", "warning")), message + where, target, ascii_only)


def _meeting(document: Document, meeting: Overlap, own: str, ascii_only: bool) -> None:
    other = meeting.other if meeting.patch == own else meeting.patch
    first, last = meeting.lines
    lines = f":{first}–{last}" if last > first else f":{first}" if first else ""
    _marked(document, "warning", f"meets patch {other} at {meeting.path}{lines}", Target("patch", other), ascii_only)
    if meeting.suggestion:
        document.row(Part(meeting.suggestion, "dim"), indent=3)


def said(decisions: Decisions, numbers: Sequence[int]) -> str:
    """How an approval would stand: ``7 of 9 hunks``, or ``all 9 hunks``."""
    rejected = sum(number in decisions and decisions[number].decision == REJECTED for number in numbers)
    if rejected:
        return f"{len(numbers) - rejected} of {plural(len(numbers), 'hunk')}"
    return f"all {plural(len(numbers), 'hunk')}" if len(numbers) > 1 else "its hunk"
