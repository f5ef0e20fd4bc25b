"""What the keys of every list do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vibehq_tui.tui.commands import Context


class ListCommands:
    """The commands of scope ``list``, for a list that can move its cursor."""

    cursor: int
    count: int

    if TYPE_CHECKING:

        def move_to(self, index: int) -> None: ...
        def page_rows(self) -> int: ...
        def open_row(self) -> None: ...
        def toggle_mark(self) -> None: ...

    def cmd_list_down(self, _: Context) -> None:
        """Moves down one row."""
        self.move_to(self.cursor + 1)

    def cmd_list_up(self, _: Context) -> None:
        """Moves up one row."""
        self.move_to(self.cursor - 1)

    def cmd_list_top(self, _: Context) -> None:
        """Moves to the first row."""
        self.move_to(0)

    def cmd_list_bottom(self, _: Context) -> None:
        """Moves to the last row."""
        self.move_to(self.count - 1)

    def cmd_list_half_down(self, _: Context) -> None:
        """Moves down half a page."""
        self.move_to(self.cursor + max(self.page_rows() // 2, 1))

    def cmd_list_half_up(self, _: Context) -> None:
        """Moves up half a page."""
        self.move_to(self.cursor - max(self.page_rows() // 2, 1))

    def cmd_list_page_down(self, _: Context) -> None:
        """Moves down a page."""
        self.move_to(self.cursor + self.page_rows())

    def cmd_list_page_up(self, _: Context) -> None:
        """Moves up a page."""
        self.move_to(self.cursor - self.page_rows())

    def cmd_list_next(self, _: Context) -> None:
        """Moves to the next row of the filter, around the end."""
        self.move_to((self.cursor + 1) % max(self.count, 1))

    def cmd_list_previous(self, _: Context) -> None:
        """Moves to the previous row of the filter, around the start."""
        self.move_to((self.cursor - 1) % max(self.count, 1))

    def cmd_list_open(self, _: Context) -> None:
        """Tells that the row under the cursor is wanted on its own screen."""
        self.open_row()

    def cmd_list_mark(self, _: Context) -> None:
        """Marks or unmarks the row, and goes on to the next."""
        self.toggle_mark()
        self.move_to(self.cursor + 1)
