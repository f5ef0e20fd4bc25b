"""The one list of the program: a hundred thousand rows cost no more than those on the screen.

It paints line by line and pages from a :class:`~.source.RowSource` in a worker, so the screen never waits for the
store. Refreshes are gathered: however many events arrive, rows are read again at most ten times a second. Selection
and marks follow the key of a row, never its place: what an operator is about to approve does not change under the
cursor when something newer arrives.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from storage.errors import VibeError
from vibehq_tui.tui.commands import Context
from vibehq_tui.tui.theme import styles
from vibehq_tui.tui.widgets.list_commands import ListCommands
from vibehq_tui.tui.widgets.list_painter import ListPainter, with_thumb
from vibehq_tui.tui.widgets.reader import Reader, Reading, View
from vibehq_tui.tui.widgets.rows import Cell, Column, Look, Part, Row, plain
from vibehq_tui.tui.widgets.source import PAGE, RowSource

_ROWS_AT_FIRST = 60
"""Rows that are read while it is not known how many there is room for."""


_WHEEL = 3
"""Lines that a turn of the wheel moves."""


class LongList(ListCommands, ScrollView, can_focus=True):
    """A list of rows with a cursor, marks, a filter, and columns that give way when it gets narrow."""

    COMMAND_SCOPES: ClassVar[tuple[str, ...]] = ("list",)
    ALLOW_SELECT = False

    DEFAULT_CSS = """
    LongList { overflow: hidden hidden; }
    """

    class Changed(Message):
        """The base of what a list tells."""

        def __init__(self, long_list: LongList, row: Row | None) -> None:
            self.long_list = long_list
            self.row = row
            """The row under the cursor."""
            super().__init__()

        @property
        def control(self) -> LongList:
            """The list."""
            return self.long_list

    class Highlighted(Changed):
        """The cursor is on another row, the row under it changed, or a mark was set."""

    class Opened(Changed):
        """Enter, or a double click, on a row."""

        row: Row

    class Refreshed(Changed):
        """Rows were read, or could not be: ``count``, ``problem`` and the rows are new."""

    def __init__(
        self,
        columns: Sequence[Column],
        source: RowSource | None = None,
        *,
        empty: Callable[[], Sequence[Cell]] | None = None,
        header: bool = True,
        row_height: int = 1,
        follow: bool = False,
        ground: str = "background",
        id: str | None = None,  # noqa: A002 - Textual's name
        classes: str | None = None,
    ) -> None:
        """
        :param columns: one for each cell of a row.
        :param empty: the lines shown when there is no row: say which key comes next.
        :param header: show the titles of the columns.
        :param row_height: 1, or 2 for rows with a :attr:`Row.detail`.
        :param ground: the role of what is behind it: ``raised`` in dialogs.
        :param follow: stay at the last row while the cursor is there, as logs do.
        """
        super().__init__(id=id, classes=classes)
        self.empty = empty or (lambda: ())
        self.header = header and any(column.title for column in columns)
        self.row_height = row_height
        self.ground = ground
        self.lit = False
        """The cursor looks focused although something else is, such as the field that steers the list."""
        self.count = 0
        """Rows that match the filter."""
        self.loaded = False
        """Rows were read at least once."""
        self.cursor = 0
        """The index of the selected row."""
        self.marked: set[str] = set()
        """The keys of the marked rows."""
        self.following = follow
        """The last row is kept in sight when rows are added."""
        self._follows = follow
        self._cursor_key: str | None = None
        self._prepared: Reading | None = None
        self._reader = Reader(source, self._view, self._renewed, self._paged)
        self._painter = ListPainter(tuple(columns))

    # What others ask and tell

    @property
    def row(self) -> Row | None:
        """The row under the cursor; ``None`` in an empty list, and while it is being read."""
        return self._reader.pages.get(self.cursor) if self.count else None

    @property
    def source(self) -> RowSource | None:
        """Where the rows come from; None while nobody said."""
        return self._reader.source

    @property
    def filter_text(self) -> str:
        """What the rows must contain; empty for all."""
        return self._reader.text

    @property
    def problem(self) -> VibeError | None:
        """Why the rows could not be read the last time."""
        return self._reader.problem

    def row_at(self, index: int) -> Row | None:
        """A row, if it has been read."""
        return self._reader.pages.get(index)

    def command_context(self) -> Context:
        """What commands act on here: the record under the cursor and the marked keys."""
        row = self.row
        return Context(
            scope=self.COMMAND_SCOPES[0],
            record=(row.key if row.record is None else row.record) if row else None,
            marked=tuple(sorted(self.marked)),
            filtered=bool(self.filter_text),
        )

    def reload(self) -> None:
        """Says that rows may have changed. Returns at once; many calls become one reading."""
        self._reader.expire()

    async def settled(self) -> None:
        """Waits until every change told of so far has been read."""
        await self._reader.settled()

    def set_source(self, source: RowSource) -> None:
        """Shows other rows, from the top."""
        self.marked.clear()
        self._cursor_key = None
        self._restart(source, self.filter_text)

    def set_filter(self, text: str) -> None:
        """Shows only rows that contain ``text``; all, when it is empty."""
        if text != self.filter_text and self.source is not None:
            self._restart(self.source, text)

    def _restart(self, source: RowSource, text: str) -> None:
        self.cursor = 0
        self.following = self._follows
        self._scroll(0)
        self._reader.restart(source, text)

    def move_to_key(self, key: str) -> None:
        """Puts the cursor on the row with ``key``, at once or when it has been read; it must be near."""
        index = self._reader.pages.index_of(key)
        if index is None:
            self._cursor_key = key
            self.reload()
        else:
            self.move_to(index)

    def move_to(self, index: int) -> None:
        """Puts the cursor on the row at ``index``, or the nearest, and scrolls it into view."""
        index = max(0, min(index, self.count - 1))
        before, self.cursor = self.cursor, index
        row = self.row
        self._cursor_key = row.key if row else None
        self.following = self._follows and index == self.count - 1
        if index != before:
            self._scroll_to_cursor()
            self._refresh_row(before)
            self._refresh_row(index)
            self._want_visible()
            self.post_message(self.Highlighted(self, row))

    def open_row(self) -> None:
        """Tells that the row under the cursor is wanted on its own screen."""
        if (row := self.row) is not None:
            self.post_message(self.Opened(self, row))

    def toggle_mark(self) -> None:
        """Marks or unmarks the row under the cursor."""
        if (row := self.row) is not None:
            self.marked ^= {row.key}
            self._refresh_row(self.cursor)
            self.post_message(self.Highlighted(self, row))

    def clear_marks(self) -> None:
        """Takes all marks away."""
        self.marked.clear()
        self._repaint()
        self.post_message(self.Highlighted(self, self.row))

    def copy_text(self, whole: bool) -> str:
        """The keys (``whole``: the texts, as far as they have been read) of the marked rows, else of the one under the
        cursor; one in a line."""
        marked = [row for row in self._reader.pages.rows() if row.key in self.marked]
        rows = marked if self.marked else [row for row in (self.row,) if row]
        if whole:
            return "\n".join("\t".join(filter(None, map(plain, (*row.cells, row.detail)))) for row in rows)
        return "\n".join(sorted(self.marked) or [row.key for row in rows])

    # Reading

    async def prepare(self) -> None:
        """Reads the first rows before the list is on a screen, so that it is never seen empty.

        :raises VibeError: when they cannot be read.
        """
        self._prepared = await self._reader.read_now()

    def on_mount(self) -> None:
        """Starts the reader."""
        if self._prepared is not None:
            self._renewed(self._prepared)
            self._prepared = None
        self.run_worker(self._reader.run(), name="read rows", group="rows")

    def _view(self, count: int) -> View:
        room = self.page_rows() if self.size else _ROWS_AT_FIRST
        if self.following:
            return View(first=max(count - room, 0), last=count, cursor=max(count - 1, 0), key=None)
        first = self.scroll_offset.y // self.row_height
        if not self.cursor and not first and not self.has_focus:
            # Nobody chose the first row: what is newest or worst stays in sight.
            return View(first=0, last=room, cursor=0, key=None)
        return View(first=first, last=first + room, cursor=self.cursor, key=self._cursor_key)

    def _renewed(self, reading: Reading) -> None:
        if reading.count >= 0:
            moved = reading.cursor - self.cursor
            offset = self.scroll_offset.y
            self.count, self.cursor, self.loaded = reading.count, reading.cursor, True
            self._cursor_key = row.key if (row := self.row) else None
            self._set_height()
            if moved and offset and not self.following:
                # The same rows stay at the same place on the screen, whatever arrived above them.
                self._scroll(offset + moved * self.row_height)
            self._scroll_to_cursor()
            self._want_visible()
        self._repaint()
        self.post_message(self.Refreshed(self, self.row))
        self.post_message(self.Highlighted(self, self.row))

    def _paged(self, number: int) -> None:
        self._repaint()
        if number == self.cursor // PAGE and self._cursor_key is None and (row := self.row):
            self._cursor_key = row.key
            self.post_message(self.Highlighted(self, row))

    def _want_visible(self) -> None:
        """Asks for the rows on the screen, and for those half a page before and after."""
        if self.count:
            view = self._view(self.count)
            self._reader.want(max(view.first - PAGE // 2, 0), min(view.last + PAGE // 2, self.count - 1))

    # Geometry

    def set_row_height(self, lines: int) -> None:
        """Shows one line of each row, or two."""
        if lines != self.row_height:
            self.row_height = lines
            self._set_height()
            self._scroll_to_cursor()
            self._repaint()

    def page_rows(self) -> int:
        """Whole rows that fit on the screen."""
        return max((self.size.height - self.header) // self.row_height, 1)

    def _set_height(self) -> None:
        self.virtual_size = Size(self.size.width, self.count * self.row_height + self.header)

    def _scroll(self, y: int) -> None:
        # Forced: Textual scrolls only what has its own bar; ours is painted with the lines, at a tenth of the cost.
        if self.is_attached:
            self.scroll_to(y=y, animate=False, force=True)

    def _scroll_to_cursor(self) -> None:
        top = self.cursor * self.row_height
        room = self.size.height - self.header
        if top < self.scroll_offset.y:
            self._scroll(top)
        elif room > 0 and top + self.row_height > self.scroll_offset.y + room:
            self._scroll(top + self.row_height - room)

    def _refresh_row(self, index: int) -> None:
        top = index * self.row_height - self.scroll_offset.y + self.header
        self.refresh(Region(0, top, self.size.width, self.row_height))

    def on_resize(self, _: events.Resize) -> None:
        """Shares the width again."""
        self._painter.resize(self.size.width)
        if self.loaded:
            self._set_height()
            self._scroll_to_cursor()
            self._want_visible()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Asks for the rows that came into view."""
        super().watch_scroll_y(old_value, new_value)
        self._want_visible()

    # Painting

    def _repaint(self) -> None:
        self._painter.forget()
        self.refresh()

    def notify_style_update(self) -> None:
        """Paints in the colours of another theme."""
        self._painter.forget()
        super().notify_style_update()

    def _look(self) -> Look:
        ascii_only = bool(getattr(self.app, "ascii_only", False))
        more, mark = ("~", "*") if ascii_only else ("…", "▌")
        table = styles(self.app.theme)
        return Look(styles=table, match=self.filter_text, more=more, mark=mark, ground=table[self.ground])

    def render_line(self, y: int) -> Strip:
        """One line of the widget, ``y`` from its top."""
        width = self.size.width
        if width != self._painter.width:
            self._painter.resize(width)
        look = self._look()
        if not self.count:
            return self._painter.message(self._message(), y, look)
        if self.header and y == 0:
            return self._painter.header(look)
        line = y - self.header
        offset = self.scroll_offset.y
        index, part = divmod(line + offset, self.row_height)
        if index >= self.count:
            return Strip.blank(width, look.ground)
        row = self._reader.pages.get(index)
        ground = "" if index != self.cursor else "cursor" if self.has_focus or self.lit else "cursor_blurred"
        marked = row is not None and row.key in self.marked
        strip = self._painter.row(row, index, part, look, ground, marked)
        room = self.size.height - self.header
        return with_thumb(strip, line, room, offset, self.count * self.row_height, look)

    def _message(self) -> Sequence[Cell]:
        """What stands in a list without rows; nothing before it is known that there are none."""
        if self.problem is not None:
            return (Part(self.problem.message, "error"), Part(self.problem.hint, "dim"))
        if not self.loaded:
            return ()
        if self.filter_text:
            return (("nothing contains ", Part(self.filter_text, "strong")), (Part("esc", "key"), " clears the filter"))
        return self.empty()

    def on_focus(self) -> None:
        """The cursor gets the colour of the focused list."""
        self._refresh_row(self.cursor)

    def on_blur(self) -> None:
        """The cursor gets the colour of a list without focus."""
        self._refresh_row(self.cursor)

    # Mouse

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """The wheel moves what is seen, not the cursor."""
        event.stop()
        self._scroll(self.scroll_offset.y + _WHEEL)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """The wheel, the other way."""
        event.stop()
        self._scroll(self.scroll_offset.y - _WHEEL)

    def on_click(self, event: events.Click) -> None:
        """Selects a row; a double click opens it; a click on the bar goes to that part of the list."""
        offset = event.get_content_offset(self)
        if offset is None or offset.y < self.header or not self.count:
            return
        room = self.size.height - self.header
        if offset.x == self.size.width - 1 and self.count * self.row_height > room:
            self.move_to((offset.y - self.header) * (self.count - 1) // max(room - 1, 1))
            return
        index = (offset.y - self.header + self.scroll_offset.y) // self.row_height
        if index < self.count:
            self.move_to(index)
            if event.chain == 2:
                self.open_row()
