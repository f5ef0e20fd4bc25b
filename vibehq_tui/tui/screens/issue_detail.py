"""An ops issue: what was seen, the evidence, since when and how often, and what was done about it."""

from __future__ import annotations

from typing import ClassVar

from storage.records import Event, Issue
from vibehq_tui.headquarters import Headquarters
from vibehq_tui.text.clean import clean
from vibehq_tui.text.forms import plural, until
from vibehq_tui.text.glyphs import ISSUE_STATES, SEVERITIES, sign
from vibehq_tui.tui.screens import detail_texts as texts
from vibehq_tui.tui.screens.two_columns import TwoColumns
from vibehq_tui.tui.widgets.detail import Document, Target
from vibehq_tui.tui.widgets.rows import Part

_OPENABLE = ("patch", "task", "provider")


class IssueDetailScreen(TwoColumns):
    """Shows an issue, live."""

    COMMAND_SCOPES: ClassVar[tuple[str, ...]] = ("issue",)
    KIND = "issue"
    TITLES = ("Issue", "History")

    def __init__(self, hq: Headquarters, subject_id: str) -> None:
        super().__init__(hq, subject_id)
        self._issue: Issue | None = None
        self._cause: Issue | None = None
        self._history: list[Event] = []

    async def read(self) -> None:
        """Reads the issue, what caused it, and its history."""
        self._issue = self.record = await self.hq.ops.get(self.subject_id)
        self._history = await self.hq.ops.history(self.subject_id)
        self._cause = await self.hq.ops.get(self._issue.cause) if self._issue.cause else None
        self.show()

    def noticed(self, event: Event) -> None:
        """Says what another operator did about it."""
        if event.message:
            self.command_app.say(f"{event.actor}: {event.message}", title=f"issue {self.subject_id}")

    def show(self) -> None:
        """Shows the issue, its evidence and its history."""
        issue = self._issue
        if issue is None:
            return
        ascii_only, now = self.command_app.ascii_only, self.hq.store.clock.now()
        severity, status = sign(SEVERITIES, issue.severity), sign(ISSUE_STATES, issue.status)
        self.title_line.show(
            (
                Part(f"{severity.text(ascii_only)} {severity.word}  ", severity.tone),
                Part(f"{issue.id}  ", "accent"),
                Part(clean(issue.title, 200), "strong"),
            ),
            Part(f"{status.text(ascii_only)} {status.word}", status.tone),
        )
        text, aside = self.begin_columns()
        text.text(issue.message or "the detector said no more than the title", role="" if issue.message else "dim")
        self._what(text, issue, now)
        _when(aside, issue, now)
        aside.heading("History")
        texts.event_rows(aside, self._history, now, about=("issue", issue.id))
        self.show_columns(text, aside)

    def _what(self, document: Document, issue: Issue, now: int) -> None:
        if issue.subject_id or self._cause is not None:
            document.blank()
        if issue.subject_id:
            target = Target(issue.subject, issue.subject_id) if issue.subject in _OPENABLE else None
            role = "accent" if target else ""
            document.fact("about", Part(f"{issue.subject} {issue.subject_id}", role), target)
        if self._cause is not None:
            cause = (Part(f"issue {self._cause.id} ", "accent"), Part(self._cause.title))
            document.fact("because of", cause, Target("issue", self._cause.id))
        if issue.data:
            document.heading("Evidence")
            texts.evidence(document, issue.data, now)


def _when(document: Document, issue: Issue, now: int) -> None:
    if document.entries:
        document.blank()
    document.fact("seen", f"{plural(issue.count, 'time')}, last {texts.ago(issue.last_seen, now)}")
    document.fact("first seen", texts.moment(issue.first_seen, now))
    if issue.regressions:
        document.fact("came back", Part(plural(issue.regressions, "time"), "warn"))
    document.fact("owner", issue.owner or "")
    if issue.status == "snoozed" and issue.snoozed_until is not None:
        document.fact("snoozed", f"for {until(issue.snoozed_until, now)} more")
    if issue.resolved_at is not None and issue.status == "resolved":
        document.fact("resolved", f"{texts.moment(issue.resolved_at, now)} by {issue.resolved_by}")
    document.fact("detector", Part(f"{issue.detector}, in {issue.scope} scans", "dim"))
