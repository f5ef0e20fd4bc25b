"""Pane 3: ops issues, the worst first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events

from storage.query import Query
from storage.records import Issue
from storage.store import Tx
from vibehq_tui.text.forms import age
from vibehq_tui.text.glyphs import SEVERITIES, sign
from vibehq_tui.tui.panes import welcome
from vibehq_tui.tui.panes.records import RecordsPane
from vibehq_tui.tui.widgets.pane import View
from vibehq_tui.tui.widgets.rows import Column, Part, Row

COLUMNS = (
    Column("", 1),
    Column("sev", 4, drop=2),
    Column("issue", 24, share=1),
    Column("age", 4, right=True, drop=1),
)

VIEWS = (
    View(name="", where={"status": ("open", "acknowledged", "claimed")}),
    View(name="snoozed", where={"status": "snoozed"}),
    View(name="resolved", where={"status": "resolved"}),
    View(name="all"),
)

_WORDS = {"critical": "crit", "high": "high", "medium": "med", "low": "low"}

_TWO_LINES_FROM = 8
"""Lines of the pane from which rows have a second one, with the evidence."""


def issue_row(issue: Issue, now: int, ascii_only: bool) -> Row:
    """One issue; below it its state, if it is not open, and what was found."""
    severity = sign(SEVERITIES, issue.severity)
    quiet = issue.status in ("snoozed", "resolved")
    state = issue.status if issue.status != "claimed" or not issue.owner else f"claimed by {issue.owner}"
    before: tuple[Part, ...] = () if issue.status == "open" else (Part(f"{state} · ", "wait"),)
    times = "x" if ascii_only else "×"
    again: tuple[Part, ...] = () if issue.count < 2 else (Part(f"{times}{issue.count} · ", "dim"),)
    elbow = "`- " if ascii_only else "└ "
    cause = f"caused by issue {issue.cause}" if issue.cause else ""
    return Row(
        key=issue.id,
        cells=(
            Part(severity.text(ascii_only), "dim" if quiet else severity.tone),
            Part(_WORDS.get(issue.severity, severity.word), "dim" if quiet else severity.tone),
            issue.title,
            Part(age(issue.first_seen, now), "dim"),
        ),
        detail=(
            Part(elbow, "faint"),
            *before,
            *again,
            Part(cause or issue.message or issue.subject or issue.detector, "dim"),
        ),
        record=issue,
        role="dim" if quiet or issue.status == "acknowledged" else "",
    )


class IssuesPane(RecordsPane[Issue]):
    """What scans found and nobody has put right yet."""

    COMMAND_SCOPES: ClassVar[tuple[str, ...]] = ("issues", "list")
    NUMBER = 3
    NAME = "issues"
    TITLE = "Ops"
    OPENS = "issue.open"
    COLUMNS = COLUMNS
    VIEWS = VIEWS
    EMPTY = welcome.ISSUES
    NONE = "no issue is"

    def count_in(self, tx: Tx, query: Query) -> int:
        """How many issues there are."""
        return tx.issues.count(query)

    def page_in(self, tx: Tx, query: Query, offset: int, limit: int) -> Sequence[Issue]:
        """A page of them."""
        return tx.issues.page(query, offset, limit)

    def row_of(self, record: Issue) -> Row:
        """The row of one."""
        return issue_row(record, self.hq.store.clock.now(), self.ascii_only)

    def on_resize(self, event: events.Resize) -> None:
        """Two lines for each issue where there is room."""
        self.set_row_height(2 if event.size.height >= _TWO_LINES_FROM else 1)
