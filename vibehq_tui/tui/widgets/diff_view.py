"""The diff of a whole plan as one stream: files, hunks, comments and decisions, for review and as a preview."""

from __future__ import annotations

from typing import Literal, cast

from textual import events
from textual.message import Message

from vibehq_tui.patches.planning.plan import Plan
from vibehq_tui.tui.dispatch import CommandApp
from vibehq_tui.tui.widgets.diff_commands import DiffCommands
from vibehq_tui.tui.widgets.diff_layout import DiffLayout, Kind
from vibehq_tui.tui.widgets.diff_search import find
from vibehq_tui.tui.widgets.diff_shape import Shape
from vibehq_tui.tui.widgets.diff_stream import DiffStream

_AROUND = 4
"""Rows above and below a match that come into view with it."""


class DiffView(DiffCommands, DiffStream, can_focus=True):
    """Shows a plan with a cursor. It marks a line, and with it the current hunk.

    As a ``preview`` there is no cursor, no decision and no focus.
    """

    class Moved(Message):
        """Another hunk is current."""

        def __init__(self, diff: DiffView, number: int, path: str) -> None:
            self.diff = diff
            self.number = number
            """Of the hunk, through the patch."""
            self.path = path
            super().__init__()

        @property
        def control(self) -> DiffView:
            """The view."""
            return self.diff

    class Clicked(Message):
        """A decision row was clicked."""

        def __init__(self, diff: DiffView, number: int) -> None:
            self.diff = diff
            self.number = number
            super().__init__()

        @property
        def control(self) -> DiffView:
            """The view."""
            return self.diff

    def __init__(self, *, preview: bool = False, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(preview=preview, id=id, classes=classes)
        self.can_focus = not preview
        self._told: tuple[int, str] | None = None
        self._chosen: tuple[DiffLayout, range, tuple[int, ...]] | None = None

    @property
    def COMMAND_SCOPES(self) -> tuple[str, ...]:  # type: ignore[override]  # noqa: N802 - a class variable elsewhere
        """While lines are selected, keys mean them."""
        return ("diff",) if self.selected_from is None else ("lines", "diff")

    @property
    def file(self) -> int:
        """The index of the current file."""
        return 0 if self._layout_of is None else self._layout_of.file_of[self._layout_of.block_at(self.cursor)]

    @property
    def path(self) -> str | None:
        """The path of the current file."""
        return self.place[0] if self._layout_of is not None and self._layout_of.hunks else None

    @property
    def place(self) -> tuple[str, int | None]:
        """The path and the line, in the file as the patch leaves it, under the cursor; no line on a file's header."""
        layout = self._layout_of
        return ("", None) if layout is None or not layout.hunks else layout.place(layout.row(self.cursor))

    @property
    def on_hunk(self) -> int | None:
        """The number of the hunk whose header or decision is under the cursor; none on a line or a file."""
        layout = self._layout_of
        if layout is None or not layout.hunks:
            return None
        row = layout.row(self.cursor)
        is_whole = row.kind in (Kind.HUNK, Kind.DECISION) and bool(layout.hunks[row.block].lines)
        return layout.hunks[row.block].number if is_whole else None

    @property
    def command_app(self) -> CommandApp:
        """The app, which asks and tells."""
        return cast(CommandApp, self.app)

    # -- selecting lines -------------------------------------------------------------------------------------------

    @property
    def selected(self) -> tuple[int, ...]:
        """The changed lines that are selected, as positions in their hunk from 1."""
        layout = self._layout_of
        if self.selected_from is None or layout is None or self._plan is None:
            return ()
        key = (layout, self.selection)
        if self._chosen is None or self._chosen[:2] != key:  # asked for with every key, and a hunk can be large
            self._chosen = (*key, self._selected_in(layout, self._plan))
        return self._chosen[2]

    def _selected_in(self, layout: DiffLayout, plan: Plan) -> tuple[int, ...]:
        block, rows = layout.block_at(self.cursor), self.selection
        number = layout.hunks[block].number
        lines = next(hunk.lines for file in plan.files for hunk in file.hunks if hunk.number == number)
        positions = layout.lines_between(block, rows.start, rows.stop - 1)
        return tuple(position for position in positions if lines[position - 1][0] != " ")

    def select_lines(self) -> bool:
        """Begins a selection at the cursor, or at the first change of its hunk; answers whether there are lines."""
        layout = self._layout_of
        rows = None if layout is None or not layout.hunks else layout.line_rows(layout.block_at(self.cursor))
        if layout is None or rows is None:
            return False
        if not rows[0] <= self.cursor <= rows[1] or not layout.is_line(self.cursor):
            self.set_cursor(layout.first_change(layout.block_at(self.cursor)))
        self.selected_from = self.cursor
        self._selection_changed()
        return True

    def select_whole_hunk(self) -> None:
        """Extends the selection to every line of the hunk."""
        layout = self._layout_of
        if layout is not None and (rows := layout.line_rows(layout.block_at(self.cursor))) is not None:
            self.selected_from, last = rows
            self.set_cursor(last)
            self._selection_changed()

    def drop_selection(self) -> None:
        """Nothing is selected any more."""
        if self.selected_from is not None:
            self.selected_from = None
            self._selection_changed()

    def _selection_changed(self) -> None:
        self.look_again()
        self.screen.refresh_bindings()

    # -- moving ----------------------------------------------------------------------------------------------------

    def go_to_hunk(self, number: int) -> None:
        """Puts the cursor on the first change of a hunk and brings the hunk into view."""
        if self._layout_of is not None and (block := self._layout_of.block_of(number)) is not None:
            self._go_to_block(block)

    def go_to_file(self, index: int) -> None:
        """Puts the cursor on the first hunk of a file, with its header at the top."""
        layout = self._layout_of
        if layout is None or not 0 <= index < len(layout.files) or not layout.files[index].hunks:
            return
        self.drop_selection()
        block = layout.first_block[index]
        self.jump(layout.file_row(index))
        self.set_cursor(layout.first_change(block))
        self._reveal(self.cursor, self.cursor)

    def go_to_place(self, path: str, line: int | None) -> None:
        """Puts the cursor on a line of the file as the patch leaves it; on the file where no hunk shows the line."""
        layout = self._layout_of
        if layout is None:
            return
        y = layout.find(path, line)
        if y is None:
            index = next((index for index, file in enumerate(layout.files) if file.path == path), -1)
            self.go_to_file(index)
        else:
            self.set_cursor(y)
            self._reveal(y, y)

    def forget_match(self) -> None:
        """Nothing is searched for any more."""
        self.match = ""
        self.look_again()

    def move_hunk(self, step: int) -> bool:
        """Goes ``step`` hunks on; answers whether there was one."""
        layout = self._layout_of
        if layout is None or not layout.hunks:
            return False
        block = layout.block_at(self.cursor)
        if step < 0 and self.cursor > layout.first_change(block):
            step += 1  # first to the beginning of the hunk that one is in
        target = block + step
        if not 0 <= target < len(layout.hunks):
            return False
        self._go_to_block(target)
        return True

    def move_file(self, step: int) -> bool:
        """Goes ``step`` files on; answers whether there was one."""
        layout = self._layout_of
        if layout is None or not 0 <= self.file + step < len(layout.files):
            return False
        self.go_to_file(self.file + step)
        return True

    def move_rows(self, step: int) -> None:
        """Moves the cursor by rows."""
        layout = self._layout_of
        if layout is None:
            return
        first, last = 0, layout.height - 1
        if (
            self.selected_from is not None
            and (rows := layout.line_rows(layout.block_at(self.selected_from))) is not None
        ):
            first, last = rows
        self.set_cursor(max(first, min(self.cursor + step, last)))
        self._reveal(self.cursor, self.cursor)

    def shift(self, step: int) -> None:
        """Scrolls sideways by ``step`` cells; the line numbers stay."""
        self._shift = max(self._shift + step, 0)
        self.look_again()

    def page_rows(self) -> int:
        """Rows on the screen below the file header."""
        return max(self.size.height - 1, 1)

    def toggle_split(self) -> bool:
        """Changes between one column and old and new side by side; answers whether it is side by side now."""
        self.split = not self.split
        if self._plan is not None:
            self.lay_out(keep=True)
        return self.split

    def reshape(self, shape: Shape) -> None:
        """Shows more or less around the changes; the cursor stays on its line."""
        self.shape = shape
        if self._plan is not None:
            self.lay_out(keep=True)

    def _go_to_block(self, block: int) -> None:
        layout = self._layout_of
        if layout is None:
            return
        self.drop_selection()
        top = layout.file_row(layout.file_of[block]) if layout.is_first(block) else layout.top(block)
        self.set_cursor(layout.first_change(block))
        self._reveal(top, layout.bottom(block))
        self._reveal(self.cursor, self.cursor)

    def _reveal(self, first: int, last: int) -> None:
        """Scrolls as little as it takes to have rows ``first`` to ``last`` in view; the first ones if not all fit."""
        layout, offset = self._layout_of, self.scroll_offset.y
        if layout is None:
            return
        highest = first if layout.row(first).kind is Kind.FILE else max(first - 1, 0)  # row 0 shows a file's header
        if first < offset + (first != highest):
            self.jump(highest)
        elif last > offset + self.page_rows():
            self.jump(min(last - self.page_rows(), highest))

    def set_cursor(self, y: int) -> None:
        """Puts the cursor on a row, and tells which hunk is current when that is another one now."""
        layout = self._layout_of
        begun = self.selected_from
        if begun is not None and layout is not None and layout.block_at(begun) != layout.block_at(y):
            self.drop_selection()
        super().set_cursor(y)
        number, layout = self.hunk, self._layout_of
        if number is None or layout is None:
            return
        told = number, layout.place(layout.row(y))[0]
        if told != self._told:
            self._told = told
            self.post_message(self.Moved(self, *told))

    # -- searching -------------------------------------------------------------------------------------------------

    async def search(
        self, text: str, *, backwards: bool = False, here: bool = False
    ) -> Literal["found", "around", "no"]:
        """Moves to the next line that contains ``text``, whatever its case, and highlights all that do.

        :param here: the line under the cursor counts too.
        :returns: ``around`` when it was found beyond the end (or the beginning) of the patch.
        """
        self.match = text
        self.look_again()
        layout = self._layout_of
        if layout is None or not layout.hunks:
            return "no"
        row = layout.row(self.cursor)
        start = row.block, max(row.line, row.other)
        found = await find(layout, text, start, step=-1 if backwards else 1, here=here)
        if found is None or layout is not self._layout_of:
            return "no"
        y = layout.row_of_line(found.block, found.line)
        self.set_cursor(y)
        self._reveal(max(y - _AROUND, 0), min(y + _AROUND, layout.height - 1))
        self._reveal(y, y)
        return "around" if found.around else "found"

    # -- mouse -----------------------------------------------------------------------------------------------------

    def on_click(self, event: events.Click) -> None:
        """Puts the cursor on a line; on a decision row it tells so."""
        layout, offset = self._layout_of, event.get_content_offset(self)
        if self.preview or layout is None or offset is None or offset.y == 0:
            return
        y = offset.y + self.scroll_offset.y
        if y >= layout.height:
            return
        self.drop_selection()
        self.set_cursor(y)
        row = layout.row(y)
        if row.kind is Kind.DECISION:
            self.post_message(self.Clicked(self, layout.hunks[row.block].number))

    def on_mouse_scroll_left(self, event: events.MouseScrollLeft) -> None:
        """Sideways, as with the keys."""
        event.stop()
        self.shift(-8)

    def on_mouse_scroll_right(self, event: events.MouseScrollRight) -> None:
        """Sideways, as with the keys."""
        event.stop()
        self.shift(8)
