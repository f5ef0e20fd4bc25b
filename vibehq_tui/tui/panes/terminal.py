"""Pane 5: what happens. The event feed, and beside it each log that was written lately, newest line last."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import PurePath
from typing import ClassVar

from storage.clock import Millis
from storage.query import Query
from storage.records import Event, Execution, LogLine
from storage.repositories.logs import LogSource
from vibehq_tui.headquarters import Headquarters
from vibehq_tui.tui.commands import Context
from vibehq_tui.tui.panes import welcome
from vibehq_tui.tui.widgets.pane import Pane, View
from vibehq_tui.tui.widgets.rows import Cell, Column, Part, Row
from vibehq_tui.tui.widgets.source import RowSource

COLUMNS = (
    Column("", 8, drop=2),
    Column("", 24, drop=3),
    Column("", 5, drop=1),
    Column("", 20, share=1),
)

LOGS_SHOWN = 6
"""Views for logs besides the feed: the ones written last."""

_TAIL = 1000
"""Lines of a log that the pane holds; the whole log has a screen of its own."""

_TONES: tuple[tuple[str, str], ...] = (
    (".failed", "error"),
    (".invalid", "error"),
    (".conflicted", "error"),
    ("issue.opened", "warn"),
    ("issue.regressed", "warn"),
    ("patch.applied", "ok"),
    ("patch.approved", "ok"),
    ("patch.verified", "ok"),
    ("issue.resolved", "ok"),
    ("patch.proposed", "wait"),
    ("patch.received", "wait"),
    ("execution.", "busy"),
)
_LEVELS = {"debug": "faint", "info": "", "warning": "warn", "error": "error", "critical": "error"}


def time_of_day(at: Millis) -> str:
    """``14:02:09`` on the operator's clock."""
    return time.strftime("%H:%M:%S", time.localtime(at / 1000))


def event_row(event: Event) -> Row:
    """When, what, and who did it."""
    tone = next((tone for part, tone in _TONES if part in event.type), "dim")
    # A feed is about short ids; what is named by a path or a host says so in its message.
    thing = event.subject_id if len(event.subject_id) <= COLUMNS[2].width else ""
    message = event.message or event.subject_id or event.subject
    return Row(
        key=str(event.seq),
        cells=(
            Part(time_of_day(event.at), "faint"),
            Part(event.type, tone),
            Part(thing, "strong"),
            (message, Part(f"  {event.actor}", "faint")),
        ),
        record=event,
    )


def log_row(line: LogLine) -> Row:
    """When, and what was written."""
    role = _LEVELS.get(line.level, "")
    return Row(
        key=str(line.seq),
        cells=(Part(time_of_day(line.at), "faint"), (Part(f"{line.level:<9}", role or "dim"), Part(line.text, role))),
        record=line,
        spread=1,
    )


class _FeedSource:
    """The event feed, oldest first; pages are counted from the end, which the store can do at any depth."""

    def __init__(self, hq: Headquarters) -> None:
        self._hq = hq
        self._count = 0

    async def count(self, text: str) -> int:
        query = Query(text=text)
        self._count = await self._hq.store.read(lambda tx: tx.events.count(query))
        return self._count

    async def rows(self, text: str, offset: int, limit: int) -> Sequence[Row]:
        first = self._count - offset - limit
        limit, first = limit + min(first, 0), max(first, 0)
        query = Query(text=text)
        events = await self._hq.store.read(lambda tx: tx.events.page(query, first, limit))
        return [event_row(event) for event in reversed(events)]


class _LogTail:
    """The last lines of one log."""

    def __init__(self, hq: Headquarters, kind: str, source: str) -> None:
        self._hq = hq
        self._kind = kind
        self._source = source
        self._lines: list[LogLine] = []

    async def count(self, text: str) -> int:
        kind, source = self._kind, self._source
        self._lines = await self._hq.store.read_logs(lambda tx: tx.lines.tail(kind, source, _TAIL, text))
        return len(self._lines)

    async def rows(self, text: str, offset: int, limit: int) -> Sequence[Row]:
        return [log_row(line) for line in self._lines[offset : offset + limit]]


class TerminalPane(Pane):
    """The feed and the logs, following what is new."""

    COMMAND_SCOPES: ClassVar[tuple[str, ...]] = ("terminal", "list")
    NUMBER = 5
    NAME = "terminal"
    TITLE = "Terminal"
    OPENS = "terminal.open"

    def __init__(self, hq: Headquarters, *, ascii_only: bool) -> None:
        super().__init__(hq, COLUMNS, [View(name="feed")], ascii_only=ascii_only, follow=True)
        self._heads: dict[str, int] = {}
        self._chosen = False
        """Whether somebody went to a view; until then the pane shows the log of the agent that works."""

    @property
    def shown_log(self) -> tuple[str, str] | None:
        """Kind and source of the log that is shown; none for the feed."""
        kind = self.view.where.get("kind")
        return (str(kind), str(self.view.where["source"])) if kind else None

    def source_of(self, view: View) -> RowSource:
        """The feed, or a log."""
        if "kind" not in view.where:
            return _FeedSource(self.hq)
        return _LogTail(self.hq, str(view.where["kind"]), str(view.where["source"]))

    def show_view(self, view: View) -> None:
        """Goes to another view, and stays there."""
        self._chosen = True
        super().show_view(view)

    def show_logs(self, sources: Sequence[LogSource], running: Sequence[Execution] = ()) -> None:
        """Offers the logs written last as views, and reads the one that is shown when it grew.

        :param running: the executions that run, oldest first: the log of the newest is shown, the feed when none runs,
            until somebody goes to a view.
        """
        newest = sorted(sources[:LOGS_SHOWN], key=lambda source: (source.kind, source.source))
        feed, shown = self.views[0], self.view
        self.views = [feed] + [
            View(name=source.source, where={"kind": source.kind, "source": source.source}) for source in newest
        ]
        if shown not in self.views:
            self.views.append(shown)
        heads = {source.source: source.last_seq for source in sources}
        if shown is not feed and heads.get(shown.name) != self._heads.get(shown.name):
            self.reload()
        self._heads = heads
        if not self._chosen:
            live = next(filter(None, (self._log_of(execution) for execution in reversed(running))), feed)
            if live != self.view:
                super().show_view(live)
        self._update_title()

    def _log_of(self, execution: Execution) -> View | None:
        """The view of an execution's log: that of its name, or of the file that it writes."""
        names = {f"execution-{execution.id}", PurePath(execution.log or "").stem}
        return next((view for view in self.views[1:] if view.name in names), None)

    def title_parts(self) -> list[str]:
        """Every view, with the one that is shown in brackets."""
        names = [f"[{view.name}]" if view == self.view and len(self.views) > 1 else view.name for view in self.views]
        first, *more = super().title_parts()
        return [first, *(part for part in more if part != self.view.name), " │ ".join(names)]

    def nothing(self) -> Sequence[Cell]:
        """Nothing happened yet, or nothing was written."""
        return welcome.LOG if self.shown_log else welcome.FEED

    def cmd_terminal_follow(self, _: Context) -> None:
        """Goes to the newest line and stays there, or stays here."""
        if self.following:
            self.following = False
        else:
            self.move_to(self.count - 1)
