"""The diff of a plan, painted line by line: what the review and the preview of the main screen have in common."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rich.segment import Segment
from textual import events
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.worker import WorkerState

from storage.records import PatchComment, PatchDecision
from vibehq_tui.patches.planning.plan import Plan
from vibehq_tui.tui.theme import styles
from vibehq_tui.tui.widgets.diff_layout import DiffLayout, Kind
from vibehq_tui.tui.widgets.diff_painter import DiffLook, DiffPainter
from vibehq_tui.tui.widgets.diff_shape import Shape, shaped
from vibehq_tui.tui.widgets.diff_syntax import SyntaxStore, syntax_styles
from vibehq_tui.tui.widgets.line_view import LineView
from vibehq_tui.tui.widgets.rows import Cell, Look, Part, paint, parts_of, wrap

SPLIT_WIDTH = 100
"""Cells from which old and new fit side by side."""

_STRIPS_KEPT = 400


class DiffStream(LineView):
    """Shows a plan. Nothing is laid out or highlighted before it comes into view.

    The first row always is the header of the file that one is in.
    """

    def __init__(self, *, preview: bool = False, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self.preview = preview
        self.hint = ""
        """Shown after the decision of the current hunk: which keys decide."""
        self.lines_hint = ""
        """Shown there while lines are selected."""
        self.split = False
        self.shape = Shape()
        """How much of the files is shown around the changes."""
        self.match = ""
        """What was searched for last."""
        self.selected_from: int | None = None
        """The row where the selection of lines began; none while nothing is selected."""
        self.cursor = 0
        """The row of the cursor."""
        self.highlighting = 0
        """Files or hunks whose colours are being worked out or are waiting for it."""
        self._plan: Plan | None = None
        self._comments: tuple[PatchComment, ...] = ()
        self._decisions: Mapping[int, PatchDecision] = {}
        self._seen: frozenset[str] = frozenset()
        self._layout_of: DiffLayout | None = None
        self._painter: DiffPainter | None = None
        self._message: tuple[Cell, ...] = ()
        self._shift = 0
        self._strips: dict[tuple[int, bool, str, bool], Strip] = {}

    def show(
        self,
        plan: Plan,
        *,
        decisions: Mapping[int, PatchDecision] | None = None,
        comments: Iterable[PatchComment] = (),
        seen: frozenset[str] = frozenset(),
    ) -> None:
        """Shows a plan. The same one again (by its hash) keeps place and colours; another one starts at the top.

        :param decisions: by hunk number.
        :param seen: the paths that were marked as reviewed.
        """
        comments = tuple(comments)
        self._message = ()
        same = self._plan is not None and (self._plan is plan or self._plan.hash == plan.hash)
        if not same:
            self._plan, self._shift = plan, 0
        self._decisions, self._seen = decisions or {}, seen
        if self._painter is None or not same or comments != self._comments:
            self._comments = comments
            self.lay_out(keep=same)
        else:
            self._painter.decisions, self._painter.seen = self._decisions, seen
            self._repaint()

    def clear(self, *message: Cell) -> None:
        """Shows a text instead, one line or paragraph for each argument."""
        self._plan = self._layout_of = self._painter = self.selected_from = None
        self._comments, self._decisions = (), {}
        self._message = message
        self.virtual_size = Size(self.room, 0)
        self.jump(0)
        self._repaint()

    @property
    def plan(self) -> Plan | None:
        """The plan that is shown."""
        return self._plan

    @property
    def hunk(self) -> int | None:
        """The number of the current hunk."""
        if self._layout_of is None or not self._layout_of.hunks:
            return None
        return self._layout_of.hunks[self._layout_of.block_at(self.cursor)].number

    def set_cursor(self, y: int) -> None:
        """Puts the cursor on a row, without scrolling. Within a hunk only two rows are painted again."""
        layout, before, self.cursor = self._layout_of, self.cursor, y
        if layout is None or not layout.hunks or layout.block_at(before) != layout.block_at(y):
            self.refresh()
            return
        if self.selected_from is not None and abs(before - y) > 1:
            self.refresh()
            return
        for row in {before, y}:
            self.refresh(Region(0, row - self.scroll_offset.y, self.size.width, 1))

    @property
    def selection(self) -> range:
        """The rows that are selected."""
        if self.selected_from is None:
            return range(0)
        return range(min(self.selected_from, self.cursor), max(self.selected_from, self.cursor) + 1)

    # -- laying out ------------------------------------------------------------------------------------------------

    def lay_out(self, *, keep: bool) -> None:
        """Makes the rows anew. With ``keep`` the cursor stays on the line that it is on, at its place on the screen."""
        plan, old = self._plan, self._layout_of
        if plan is None:
            return
        width = max(self.room, 20)
        split = self.split and not self.preview and width >= SPLIT_WIDTH
        self.selected_from = None
        shown, origins = shaped(plan, self.shape)
        layout = DiffLayout(shown, self._comments, width=width - 12, split=split, preview=self.preview, origins=origins)
        cursor = 0
        lead = self.cursor - self.scroll_offset.y
        if keep and old is not None and old.hunks:
            cursor = _same_place(old, layout, self.cursor)
        elif layout.hunks:
            cursor = layout.first_change(0)
        syntax = SyntaxStore(layout)
        if keep and self._painter is not None and old is not None and self._painter.shape == self.shape:
            syntax = self._painter.syntax.moved_to(layout)
        self._layout_of = layout
        self._painter = DiffPainter(layout, syntax, self._look(), self._decisions, self._seen, shape=self.shape)
        self.virtual_size = Size(self.room, layout.height)
        self.cursor = cursor
        self.jump(max(cursor - lead, 0) if keep else 0)
        if not layout.files:
            self._message = (Part("this patch changes nothing", "dim"),)
        self.set_cursor(cursor)
        self._repaint()
        self._want_colours()

    def _look(self) -> DiffLook:
        theme = self.app.theme
        return DiffLook(
            styles=styles(theme),
            syntax=syntax_styles(theme),
            width=self.room,
            shift=self._shift,
            ascii_only=self.ascii_only,
            match=self.match,
            hint=self.hint if self.selected_from is None else self.lines_hint,
        )

    def look_again(self) -> None:
        """Paints anew after the theme, the width, the match or the hint changed."""
        if self._painter is not None:
            self._painter.look = self._look()
        self._repaint()

    def _repaint(self) -> None:
        self._strips.clear()
        self.refresh()

    def on_resize(self, _: events.Resize) -> None:
        """Lays out again where the width matters."""
        if self._plan is not None and self._layout_of is not None:
            fits = self.room >= SPLIT_WIDTH and self.split and not self.preview
            if self._comments or fits != self._layout_of.split:
                self.lay_out(keep=True)
            self.look_again()
            self.virtual_size = Size(self.room, self._layout_of.height)
            self._want_colours()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Asks for the colours of what came into view."""
        super().watch_scroll_y(old_value, new_value)
        self._want_colours()

    def notify_style_update(self) -> None:
        """Paints in the colours of another theme."""
        super().notify_style_update()
        if self.is_attached:
            self.look_again()

    # -- colours ---------------------------------------------------------------------------------------------------

    def _visible_blocks(self) -> range:
        layout = self._layout_of
        if layout is None or not layout.hunks:
            return range(0)
        first = layout.block_at(self.scroll_offset.y)
        return range(first, layout.block_at(self.scroll_offset.y + max(self.size.height, 1)) + 1)

    def _want_colours(self) -> None:
        painter = self._painter
        if painter is None or not self.is_attached or not painter.syntax.missing(self._visible_blocks()):
            return
        running = (WorkerState.PENDING, WorkerState.RUNNING)
        if not any(w.node is self and w.group == "diff colours" and w.state in running for w in self.workers):
            # Nothing in it raises on purpose; a lexer's own mistakes end in plain text, see SyntaxStore.
            self.run_worker(self._colour(), name="highlight the diff", group="diff colours", exit_on_error=True)

    async def _colour(self) -> None:
        """Highlights what is in view, the topmost first, until nothing in view is missing."""
        while (painter := self._painter) is not None:
            missing = painter.syntax.missing(self._visible_blocks())
            self.highlighting = len(missing)
            if not missing:
                return
            await painter.syntax.highlight(missing[0])
            self._repaint()

    # -- painting --------------------------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        """One line of the widget, ``y`` from its top."""
        # The Line API does not fill in the background of the widget by itself.
        return self._strip_at(y).apply_style(self.ground)

    def _strip_at(self, y: int) -> Strip:
        layout, painter = self._layout_of, self._painter
        if layout is None or painter is None or not layout.hunks:
            return self._message_line(y)
        row_number = y + self.scroll_offset.y
        if row_number >= layout.height:
            return Strip.blank(self.room)
        if painter.look.width != self.room:
            painter.look = self._look()
            self._strips.clear()
        current = layout.block_at(self.cursor)
        if y == 0:
            top = layout.block_at(row_number)
            return painter.header(current if layout.file_of[current] == layout.file_of[top] else top)
        row = layout.row(row_number)
        is_current = not self.preview and row.block == current and row.kind not in (Kind.FILE, Kind.BLANK)
        at_cursor = not self.preview and row_number == self.cursor
        cursor = "" if not at_cursor else "cursor" if self.has_focus else "cursor_blurred"
        selected = self.selected_from is not None and row_number in self.selection and row.kind is Kind.LINE
        key = (row_number, is_current, cursor, selected)
        strip = self._strips.get(key)
        if strip is None:
            if len(self._strips) >= _STRIPS_KEPT:
                self._strips.clear()
            strip = self._strips[key] = painter.strip(row, current=is_current, cursor=cursor, selected=selected)
        return strip

    def _message_line(self, y: int) -> Strip:
        width = self.room
        room = max(width - 2, 1)
        lines = [line for cell in self._message for line in wrap(parts_of(cell), room)]
        if y >= len(lines):
            return Strip.blank(width)
        look = Look(styles=styles(self.app.theme))
        base = look.styles[""]
        return Strip([Segment(" "), *paint(tuple(lines[y]), room, base, look, role="dim"), Segment(" ")])


def _same_place(old: DiffLayout, new: DiffLayout, y: int) -> int:
    """The row of another layout of the same plan that shows the line of the file that row ``y`` showed."""
    row = old.row(y)
    if row.kind is not Kind.LINE:
        return new.top(row.block)
    wanted = old.numbers(row.block)[max(row.line, row.other)]
    for index, numbers in enumerate(new.numbers(row.block)):
        if numbers == wanted or (wanted[1] and numbers[1] >= wanted[1]) or (not wanted[1] and numbers[0] >= wanted[0]):
            return new.row_of_line(row.block, index)
    return new.first_change(row.block)
