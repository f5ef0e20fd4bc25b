"""A log of any size: the newest lines at once, everything a moment later, and it goes on while one looks."""

from __future__ import annotations

import asyncio
from array import array
from bisect import bisect_left
from typing import ClassVar, Literal

from rich.segment import Segment
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip

from vibehq_tui.tui.commands import Context
from vibehq_tui.tui.theme import styles
from vibehq_tui.tui.widgets.line_view import LineView
from vibehq_tui.tui.widgets.log_lines import FileLines, Lines, MemoryLines
from vibehq_tui.tui.widgets.log_painter import paint_line
from vibehq_tui.tui.widgets.log_search import Turns, Wanted, find, select

_LOOK_EVERY = 0.25
"""Seconds between looks at a file that is followed."""
_EARLY = 500
"""Lines that are shown before a file is indexed."""


class LogViewer(LineView):
    """Shows lines, by default the newest, and stays there until one scrolls up."""

    COMMAND_SCOPES: ClassVar[tuple[str, ...]] = ("document",)

    class Changed(Message):
        """There are other lines, a filter, a match, or following began or ended."""

        def __init__(self, viewer: LogViewer) -> None:
            self.viewer = viewer
            super().__init__()

        @property
        def control(self) -> LogViewer:
            """The viewer."""
            return self.viewer

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes=classes)
        self.lines: Lines = MemoryLines()
        """What is shown."""
        self.following = True
        """Stays at the newest line."""
        self.wanted = Wanted()
        """Only these lines are kept; all when it is nothing."""
        self.match = Wanted()
        """What was searched for."""
        self.current: int | None = None
        """The number of the line that was found last."""
        self.busy = ""
        """What takes time at the moment, for the header: ``indexing 40 %``."""
        self.note = ""
        """What happened to the file: replaced, gone."""
        self._early: list[bytes] = []
        self._rows: array[int] | None = None
        self._selected_to = 0
        self._shift = 0

    # -- what is shown ---------------------------------------------------------------------------------------------

    def show_file(self, lines: FileLines) -> None:
        """Shows a file: its newest lines now, all when it is indexed."""
        self._start(lines)
        self._early = lines.tail(_EARLY)
        self._set_height()
        self.run_worker(self._keep_up(lines), name="follow the log", group="log", exclusive=True, exit_on_error=True)

    def show_memory(self, lines: MemoryLines) -> None:
        """Shows lines that are all there, or as many of them as there are by now; the filter stays."""
        if isinstance(self.lines, MemoryLines):
            self.lines = lines
        else:
            self._start(lines)
        self._rows, self._selected_to = (None if self._rows is None else array("Q")), 0
        self.run_worker(self._select_again(), name="filter the log", group="log", exclusive=True, exit_on_error=True)

    def _start(self, lines: Lines) -> None:
        self.lines = lines
        self.following, self.current, self._shift = True, None, 0
        self._early, self._selected_to, self.note = [], 0, ""
        self._rows = array("Q") if self.wanted else None

    async def _select_again(self) -> None:
        await self._select()
        self._set_height()

    async def _keep_up(self, lines: FileLines) -> None:
        """Indexes, filters, and looks for what is new, until another log is shown or the screen is left."""
        while self.lines is lines:
            await self._index(lines)
            if self._early:
                self._leave_early()
            await self._select()
            self._set_height()
            change = lines.check()
            while change in ("same", "gone"):
                if change == "gone" and self.note != "gone":
                    self.note = "gone"
                    self.post_message(self.Changed(self))
                await asyncio.sleep(_LOOK_EVERY)
                change = lines.check()
            self.note = "" if change == "grown" else "replaced"
            if change == "replaced":
                self.current, self._selected_to = None, 0
                self._rows = array("Q") if self.wanted else None

    async def _index(self, lines: FileLines) -> None:
        turns = Turns()
        while lines.index():
            if lines.size - lines.indexed > 50_000_000:
                self._tell_busy(f"indexing {100 * lines.indexed // max(lines.size, 1)} %")
            await turns.give()
        self._tell_busy("")

    async def _select(self) -> None:
        if self._rows is None or not self.wanted:
            return
        self._tell_busy("filtering")
        rows, wanted = self._rows, self.wanted
        done = await select(self.lines, wanted, rows, self._selected_to)
        if rows is self._rows:
            self._selected_to = done
        self._tell_busy("")

    def _tell_busy(self, word: str) -> None:
        if word != self.busy:
            self.busy = word
            self.post_message(self.Changed(self))

    def _leave_early(self) -> None:
        """From the newest lines to all: what is on the screen stays where it is."""
        offset = self.scroll_offset.y + self.lines.total - len(self._early)
        self._early = []
        if not self.following and self._rows is None:
            self.virtual_size = Size(self.room, self.count)
            self.jump(max(offset, 0))

    @property
    def count(self) -> int:
        """Rows that can be scrolled through."""
        if self._rows is not None:
            return len(self._rows)
        return len(self._early) or self.lines.total

    def number_at(self, row: int) -> int | None:
        """The number, from 0, of the line in a row; none while it is not known."""
        if self._rows is not None:
            return self._rows[row] if 0 <= row < len(self._rows) else None
        return None if self._early or not 0 <= row < self.lines.total else row

    def _set_height(self) -> None:
        self.virtual_size = Size(self.room, self.count)
        if self.following:
            self.jump(max(self.count - self.size.height, 0))
        self.refresh()
        self.post_message(self.Changed(self))

    # -- looking for something -------------------------------------------------------------------------------------

    def keep_only(self, wanted: Wanted) -> None:
        """Shows only the lines that are wanted; all when it is nothing."""
        number = self.number_at(self.scroll_offset.y)
        self.wanted = wanted
        self._rows = array("Q") if wanted else None
        self._selected_to = 0
        self.refresh()
        if isinstance(self.lines, FileLines):
            self.run_worker(
                self._keep_up(self.lines), name="follow the log", group="log", exclusive=True, exit_on_error=True
            )
        else:
            self.run_worker(
                self._select_again(), name="filter the log", group="log", exclusive=True, exit_on_error=True
            )
        if not wanted and number is not None and not self.following:
            self._set_height()
            self.jump(number)

    async def search(self, wanted: Wanted, *, step: int, again: bool = False) -> Literal["found", "no"]:
        """Goes to the next line that is wanted, older (``step`` -1) or newer (1).

        :param again: from the line that was found last; else from what is on the screen.
        """
        self.match = wanted
        if again and self.current is not None:
            start = self.current
        else:
            row = self.scroll_offset.y + (min(self.size.height, self.count) if step < 0 else -1)
            number = self.number_at(row)
            start = number if number is not None else self.lines.total if step < 0 else -1
        found = await find(self.lines, wanted, start, step=step, rows=self._rows)
        if found is None:
            self.refresh()
            return "no"
        self.current = found
        self.following = False
        row = found if self._rows is None else bisect_left(self._rows, found)
        if not self.scroll_offset.y <= row < self.scroll_offset.y + self.size.height:
            self.jump(max(row - self.size.height // 2, 0))
        self.refresh()
        self.post_message(self.Changed(self))
        return "found"

    # -- moving ----------------------------------------------------------------------------------------------------

    def follow(self, following: bool) -> None:
        """Goes to the newest line and stays there, or does not stay."""
        self.following = following
        self._set_height()

    def move(self, rows: int) -> None:
        """Scrolls; the end means to follow."""
        last = max(self.count - self.size.height, 0)
        wanted = max(0, min(self.scroll_offset.y + rows, last))
        self.following = rows > 0 and wanted == last
        self.jump(wanted)
        self.refresh()
        self.post_message(self.Changed(self))

    def shift(self, step: int) -> None:
        """Scrolls sideways by ``step`` cells."""
        self._shift = max(self._shift + step, 0)
        self.refresh()

    def cmd_document_down(self, _: Context) -> None:
        """One line down."""
        self.move(1)

    def cmd_document_up(self, _: Context) -> None:
        """One line up."""
        self.move(-1)

    def cmd_document_top(self, _: Context) -> None:
        """The oldest line."""
        self.move(-self.count)

    def cmd_document_bottom(self, _: Context) -> None:
        """The newest line, and stay there."""
        self.follow(True)

    def cmd_document_half_down(self, _: Context) -> None:
        """Half a page down."""
        self.move(max(self.size.height // 2, 1))

    def cmd_document_half_up(self, _: Context) -> None:
        """Half a page up."""
        self.move(-max(self.size.height // 2, 1))

    def cmd_document_page_down(self, _: Context) -> None:
        """A page down."""
        self.move(max(self.size.height - 1, 1))

    def cmd_document_page_up(self, _: Context) -> None:
        """A page up."""
        self.move(-max(self.size.height - 1, 1))

    def on_mouse_scroll_up(self, _: events.MouseScrollUp) -> None:
        """Scrolling up ends following."""
        self.following = False

    def on_mouse_scroll_down(self, _: events.MouseScrollDown) -> None:
        """Scrolling to the end begins it."""
        self.following = self.scroll_offset.y + self.size.height >= self.count - 3

    def on_resize(self, _: events.Resize) -> None:
        """The end stays the end."""
        self._set_height()

    # -- painting --------------------------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        """One line of the widget, ``y`` from its top."""
        width, ground = self.room, self.ground
        row = y + self.scroll_offset.y
        if row >= self.count:
            return Strip.blank(width, ground)
        table = styles(self.app.theme)
        ascii_only = self.ascii_only
        number = self.number_at(row)
        digits = max(len(str(self.lines.total)), 4)
        raw = self._early[row] if self._early and self._rows is None else self.lines.line(number or 0)
        if number is not None and number == self.current:
            ground += table["cursor" if self.has_focus else "cursor_blurred"]
        margin = Segment(f"{'' if number is None else number + 1:>{digits}} ", ground + table["faint"])
        room = max(width - digits - 1, 0)
        match = self.match.text or self.wanted.text
        more = ">" if ascii_only else "›"
        content = paint_line(raw, room, table, ground, shift=self._shift, match=match, more=more)
        return Strip([margin, *content]).adjust_cell_length(width, ground)
