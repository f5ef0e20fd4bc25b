"""The dependency graph around one task, to look at and to walk through."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip

from vibehq_tui.tui.commands import Context
from vibehq_tui.tui.theme import styles
from vibehq_tui.tui.widgets.graph_layout import Drawing, Neighbourhood, Node, Placed, draw, step
from vibehq_tui.tui.widgets.line_view import LineView
from vibehq_tui.tui.widgets.rows import Look, Part, paint


class GraphView(LineView):
    """Draws a neighbourhood. Arrow keys go from task to task along the lines, enter opens one."""

    COMMAND_SCOPES: ClassVar[tuple[str, ...]] = ("graph",)

    DEFAULT_CSS = """
    GraphView { height: auto; }
    """

    class Opened(Message):
        """Enter, or a double click, on a task."""

        def __init__(self, graph: GraphView, task_id: str) -> None:
            self.graph = graph
            self.task_id = task_id
            super().__init__()

        @property
        def control(self) -> GraphView:
            """The graph."""
            return self.graph

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes=classes)
        self._around: Neighbourhood | None = None
        self._drawing = Drawing([], [], 0)
        self._current: Node | None = None
        self._width = 0

    def show(self, around: Neighbourhood) -> None:
        """Shows another neighbourhood, or the same one as it is now; the cursor stays on its task."""
        self._around = around
        self._draw()

    @property
    def selected(self) -> str | None:
        """The id of the task under the cursor."""
        return None if self._current is None else self._current.id

    @property
    def drawing(self) -> Drawing:
        """What is drawn."""
        return self._drawing

    def _draw(self) -> None:
        if self._around is None or self.room < 1:
            return
        self._width = self.room
        before = self._current
        ascii_only = self.ascii_only
        self._drawing = draw(self._around, max(self.room - 2, 24), ascii_only)
        nodes = [placed.node for placed in self._drawing.nodes]
        same = [node for node in nodes if before is not None and (node.id, node.column) == (before.id, before.column)]
        self._current = (same or nodes)[0]
        height = len(self._drawing.rows) + bool(self._drawing.hidden)
        self.virtual_size = Size(self.room, height)
        self.refresh(layout=True)

    def on_resize(self, _: events.Resize) -> None:
        """Draws for the new width."""
        if self.room != self._width:
            self._draw()

    def _go(self, direction: str) -> None:
        if self._current is None:
            return
        self._current = step(self._drawing.nodes, self._current, direction)
        row = self._current.row + 1
        page = max(self.size.height, 1)
        if row < self.scroll_offset.y + (row == 1):
            self.jump(max(row - 1, 0))
        elif row >= self.scroll_offset.y + page:
            self.jump(row - page + 1)
        self.refresh()

    def cmd_graph_left(self, _: Context) -> None:
        """Along a line to the left."""
        self._go("left")

    def cmd_graph_right(self, _: Context) -> None:
        """Along a line to the right."""
        self._go("right")

    def cmd_graph_up(self, _: Context) -> None:
        """To the task above."""
        self._go("up")

    def cmd_graph_down(self, _: Context) -> None:
        """To the task below."""
        self._go("down")

    def cmd_graph_open(self, _: Context) -> None:
        """Opens the task under the cursor."""
        if self._current is not None:
            self.post_message(self.Opened(self, self._current.id))

    def render_line(self, y: int) -> Strip:
        """One line of the widget, ``y`` from its top."""
        width, ground = self.room, self.ground
        number = y + self.scroll_offset.y
        rows = self._drawing.rows
        look = Look(styles=styles(self.app.theme), more="~" if self.ascii_only else "…")
        if number == len(rows) and self._drawing.hidden:
            row = [Part(f"and {self._drawing.hidden} more", "dim")]
        elif number >= len(rows):
            return Strip.blank(width, ground)
        else:
            row = rows[number]
        content = paint(tuple(row), max(width - 2, 0), ground + look.styles[""], look)
        strip = Strip([Segment(" ", ground), *content, Segment(" ", ground)])
        return self._with_cursor(strip, number, look).adjust_cell_length(width, ground)

    def _with_cursor(self, strip: Strip, number: int, look: Look) -> Strip:
        current = self._current
        if current is None or current.row + 1 != number:
            return strip
        placed = next(one for one in self._drawing.nodes if one.node is current)
        start, end = placed.x + 1, placed.x + 1 + placed.width
        back = look.styles["cursor" if self.has_focus else "cursor_blurred"]
        middle = Strip([Segment(text, (style or Style.null()) + back) for text, style, _ in strip.crop(start, end)])
        return Strip.join([strip.crop(0, start), middle, strip.crop(end)])

    def on_click(self, event: events.Click) -> None:
        """Selects a task; a double click opens it."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        row, x = offset.y + self.scroll_offset.y - 1, offset.x - 1
        hit: Placed | None = next(
            (one for one in self._drawing.nodes if one.node.row == row and one.x <= x < one.x + one.width), None
        )
        if hit is not None:
            self._current = hit.node
            self.refresh()
            if event.chain == 2:
                self.cmd_graph_open(Context())
