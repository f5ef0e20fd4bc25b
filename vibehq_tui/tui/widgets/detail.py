"""Documents of the full screens: headings, facts, wrapped text, and entries that open something."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

from rich.cells import cell_len, chop_cells
from rich.segment import Segment
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip

from vibehq_tui.text.clean import clean, clean_lines
from vibehq_tui.tui.commands import Context
from vibehq_tui.tui.theme import styles
from vibehq_tui.tui.widgets.line_view import LineView
from vibehq_tui.tui.widgets.plain import plain_signs
from vibehq_tui.tui.widgets.rows import Cell, Look, Part, paint, parts_of

TEXT_LIMIT = 50_000
"""Characters of one text; more is nothing to read on a screen."""


class Target(NamedTuple):
    """What an entry opens."""

    kind: str
    """``task``, ``patch``, ``issue``, ``provider``, ``execution``, ``log``, ``hunk``, ``file``."""
    id: str


class Entry(NamedTuple):
    """A line of a document before it is wrapped to a width."""

    parts: tuple[Part, ...]
    target: Target | None = None
    indent: int = 0
    """Cells before the first row."""
    hanging: int = 0
    """Cells before the rows that follow; more than ``indent`` where a label stands before the text."""
    whole: bool = False
    """Cut at the end of the row instead of wrapped."""


@dataclass(slots=True)
class Document:
    """Something to read, made entry by entry. Texts are raw; they are cleaned here or when they are painted."""

    entries: list[Entry] = field(default_factory=list)
    label_width: int = 11

    def heading(self, title: str, remark: str = "") -> None:
        """A heading, with an empty line above it unless it is the first."""
        if self.entries:
            self.blank()
        parts = [Part(title, "strong")]
        if remark:
            parts.append(Part(f"  {remark}", "dim"))
        self.entries.append(Entry(tuple(parts), whole=True))

    def blank(self) -> None:
        """An empty line."""
        self.entries.append(Entry(()))

    def fact(self, label: str, cell: Cell, target: Target | None = None) -> None:
        """A name and what it is; nothing for a cell without text."""
        parts = tuple(parts_of(cell))
        if not any(part.text for part in parts):
            return
        width = self.label_width
        self.entries.append(Entry((Part(f"{label:<{width - 1}} ", "dim"), *parts), target, 0, width))

    def text(self, text: str, *, role: str = "", indent: int = 0) -> None:
        """Paragraphs as they are, Markdown too: every line one entry, wrapped with its own indentation."""
        for line in clean_lines(text, TEXT_LIMIT).expandtabs(4).split("\n"):
            stripped = line.lstrip(" ")
            own = indent + len(line) - len(stripped)
            mark = len(stripped) - len(stripped.lstrip("-*+•0123456789.) ")) if stripped[:1] in _BULLETS else 0
            self.entries.append(Entry((Part(stripped, role),), None, own, own + min(mark, 4)))

    def row(self, cell: Cell, target: Target | None = None, *, indent: int = 0, hanging: int | None = None) -> None:
        """An entry of parts; it can be opened when it has a target."""
        self.entries.append(Entry(tuple(parts_of(cell)), target, indent, indent if hanging is None else hanging))

    def line(self, cell: Cell, target: Target | None = None, *, indent: int = 0) -> None:
        """As :meth:`row`, but never more than one row: for lists."""
        self.entries.append(Entry(tuple(parts_of(cell)), target, indent, indent, True))


_BULLETS = frozenset("-*+•0123456789")


class _Row(NamedTuple):
    """A row on the screen."""

    parts: Sequence[Part]
    indent: int
    entry: int


class DetailView(LineView):
    """Shows a document. A cursor goes from one entry that can be opened to the next; without any, it scrolls."""

    COMMAND_SCOPES: ClassVar[tuple[str, ...]] = ("document",)

    class Opened(Message):
        """Enter, or a double click, on an entry with a target."""

        def __init__(self, view: DetailView, target: Target) -> None:
            self.view = view
            self.target = target
            super().__init__()

        @property
        def control(self) -> DetailView:
            """The view."""
            return self.view

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes=classes)
        self.document = Document()
        """What is shown."""
        self.cursor: int | None = None
        """The index of the entry under the cursor; none when nothing can be opened."""
        self._rows: list[_Row] = []
        self._width = 0

    def show(self, document: Document) -> None:
        """Shows a document. The cursor stays on what it is on if that is still there, and the place too."""
        before = self.target
        self.document = document
        places = [index for index, entry in enumerate(document.entries) if entry.target is not None]
        same = [index for index in places if document.entries[index].target == before]
        self.cursor = next(iter(same or places), None)
        self._lay_out()

    @property
    def target(self) -> Target | None:
        """What the entry under the cursor opens."""
        if self.cursor is None or self.cursor >= len(self.document.entries):
            return None
        return self.document.entries[self.cursor].target

    def _lay_out(self) -> None:
        self._width = max(self.room - 2, 8)
        self._rows = [
            row for index, entry in enumerate(self.document.entries) for row in _wrap(index, entry, self._width)
        ]
        self.virtual_size = Size(self.room, len(self._rows))
        self.refresh()

    def on_resize(self, _: events.Resize) -> None:
        """Wraps to the new width."""
        self._lay_out()

    # -- moving ----------------------------------------------------------------------------------------------------

    def move(self, step: int) -> None:
        """To the next entry that can be opened (``step`` 1) or the one before (-1), if it is near; else scrolls."""
        page = max(self.size.height, 1)
        offset = self.scroll_offset.y
        places = [index for index, entry in enumerate(self.document.entries) if entry.target is not None]
        beyond = [index for index in places if self.cursor is not None and (index - self.cursor) * step > 0]
        wanted = (beyond[0] if step > 0 else beyond[-1]) if beyond else None
        row = None if wanted is None else self._first_row(wanted)
        if row is not None and offset - 2 <= row < offset + page + 2:
            self.cursor = wanted
            self._reveal(row)
        else:
            self.scroll_by(step)

    def scroll_by(self, rows: int) -> None:
        """Scrolls; the cursor follows to the nearest entry in view."""
        self.jump(max(self.scroll_offset.y + rows, 0))
        self._follow()

    def go_to(self, target: Target) -> None:
        """Puts the cursor on the entry of a target and brings it and what follows it into view."""
        index = next((index for index, entry in enumerate(self.document.entries) if entry.target == target), None)
        if index is None:
            return
        self.cursor = index
        row = self._first_row(index)
        if not self.scroll_offset.y <= row < self.scroll_offset.y + max(self.size.height * 2 // 3, 1):
            self.jump(max(row - 2, 0))
        self.refresh()

    def _follow(self) -> None:
        first, last = self.scroll_offset.y, self.scroll_offset.y + max(self.size.height, 1) - 1
        if self.cursor is not None and not first <= self._first_row(self.cursor) <= last:
            entries = self.document.entries
            seen = [row.entry for row in self._rows[first : last + 1] if entries[row.entry].target is not None]
            if seen:
                self.cursor = seen[0] if self._first_row(self.cursor) < first else seen[-1]
        self.refresh()

    def _first_row(self, entry: int) -> int:
        return next((number for number, row in enumerate(self._rows) if row.entry == entry), 0)

    def _reveal(self, row: int) -> None:
        page = max(self.size.height, 1)
        if row < self.scroll_offset.y:
            self.jump(row)
        elif row >= self.scroll_offset.y + page:
            self.jump(row - page + 1)
        self.refresh()

    def cmd_document_down(self, _: Context) -> None:
        """The next entry, or one row down."""
        self.move(1)

    def cmd_document_up(self, _: Context) -> None:
        """The entry before, or one row up."""
        self.move(-1)

    def cmd_document_top(self, _: Context) -> None:
        """The beginning."""
        self.scroll_by(-len(self._rows))

    def cmd_document_bottom(self, _: Context) -> None:
        """The end."""
        self.scroll_by(len(self._rows))

    def cmd_document_half_down(self, _: Context) -> None:
        """Half a page down."""
        self.scroll_by(max(self.size.height // 2, 1))

    def cmd_document_half_up(self, _: Context) -> None:
        """Half a page up."""
        self.scroll_by(-max(self.size.height // 2, 1))

    def cmd_document_page_down(self, _: Context) -> None:
        """A page down."""
        self.scroll_by(max(self.size.height - 1, 1))

    def cmd_document_page_up(self, _: Context) -> None:
        """A page up."""
        self.scroll_by(-max(self.size.height - 1, 1))

    def cmd_document_open(self, _: Context) -> None:
        """Opens what is under the cursor."""
        if (target := self.target) is not None:
            self.post_message(self.Opened(self, target))

    # -- painting --------------------------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        """One line of the widget, ``y`` from its top."""
        width = self.room
        if max(width - 2, 8) != self._width:
            self.call_later(self._lay_out)
        number = y + self.scroll_offset.y
        table = styles(self.app.theme)
        ascii_only = self.ascii_only
        if number >= len(self._rows):
            return Strip.blank(width, self.ground)
        row = self._rows[number]
        ground = self.ground
        if row.entry == self.cursor and self.has_focus:
            ground += table["cursor"]
        look = Look(styles=table, more="~" if ascii_only else "…")
        lead = min(row.indent + 1, max(width, 0))
        parts = [Part(plain_signs(part.text, ascii_only), part.role) for part in row.parts]
        content = paint(tuple(parts), max(width - lead - 1, 0), ground + table[""], look)
        return Strip([Segment(" " * lead, ground), *content, Segment(" ", ground)]).adjust_cell_length(width, ground)

    def on_click(self, event: events.Click) -> None:
        """Selects an entry; a double click opens it."""
        offset = event.get_content_offset(self)
        if offset is None or offset.y + self.scroll_offset.y >= len(self._rows):
            return
        entry = self._rows[offset.y + self.scroll_offset.y].entry
        target = self.document.entries[entry].target
        if target is not None:
            self.cursor = entry
            self.refresh()
            if event.chain == 2:
                self.post_message(self.Opened(self, target))


def _wrap(index: int, entry: Entry, width: int) -> Iterable[_Row]:
    """The rows of an entry."""
    if entry.whole or not entry.parts:
        yield _Row(entry.parts, entry.indent, index)
        return
    indent = min(entry.indent, width - 4)
    hanging = min(entry.hanging, max(width - 8, indent))
    row: list[Part] = []
    used, lead = 0, indent
    for part in entry.parts:
        text = clean(part.text, TEXT_LIMIT)
        for number, word in enumerate(text.split(" ")):
            piece = f" {word}" if number else word
            length = cell_len(piece)
            if used and used + length > width - lead and word:
                yield _Row(row, lead, index)
                row, used, lead = [], 0, hanging
                piece, length = word, cell_len(word)
            if length > width - lead - used:
                *full, piece = chop_cells(piece, max(width - lead - used, 1))
                for chunk in full:
                    row.append(Part(chunk, part.role))
                    yield _Row(row, lead, index)
                    row, used, lead = [], 0, hanging
                length = cell_len(piece)
            row.append(Part(piece, part.role))
            used += length
    yield _Row(row, lead, index)
