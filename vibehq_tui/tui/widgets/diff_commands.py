"""What the keys of a diff do, as far as they move in it and search it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from vibehq_tui.tui.commands import Context
from vibehq_tui.tui.dispatch import CommandApp

_SIDEWAYS = 8


class DiffCommands:
    """The commands of scope ``diff`` that change nothing but what is in view."""

    match: str

    if TYPE_CHECKING:

        @property
        def command_app(self) -> CommandApp: ...
        def move_hunk(self, step: int) -> bool: ...
        def move_rows(self, step: int) -> None: ...
        def page_rows(self) -> int: ...
        def shift(self, step: int) -> None: ...
        async def search(
            self, text: str, *, backwards: bool = False, here: bool = False
        ) -> Literal["found", "around", "no"]: ...

    def cmd_diff_next_hunk(self, _: Context) -> None:
        """Goes to the next hunk."""
        if not self.move_hunk(1):
            self.command_app.say("this is the last hunk")

    def cmd_diff_previous_hunk(self, _: Context) -> None:
        """Goes to the previous hunk."""
        if not self.move_hunk(-1):
            self.move_rows(-self.page_rows())

    def cmd_diff_down(self, _: Context) -> None:
        """Moves down one line."""
        self.move_rows(1)

    def cmd_diff_up(self, _: Context) -> None:
        """Moves up one line."""
        self.move_rows(-1)

    def cmd_diff_half_down(self, _: Context) -> None:
        """Moves down half a page."""
        self.move_rows(max(self.page_rows() // 2, 1))

    def cmd_diff_half_up(self, _: Context) -> None:
        """Moves up half a page."""
        self.move_rows(-max(self.page_rows() // 2, 1))

    def cmd_diff_page_down(self, _: Context) -> None:
        """Moves down a page."""
        self.move_rows(self.page_rows())

    def cmd_diff_page_up(self, _: Context) -> None:
        """Moves up a page."""
        self.move_rows(-self.page_rows())

    def cmd_diff_top(self, _: Context) -> None:
        """Moves to the first line."""
        self.move_rows(-(1 << 40))

    def cmd_diff_bottom(self, _: Context) -> None:
        """Moves to the last line."""
        self.move_rows(1 << 40)

    def cmd_diff_left(self, _: Context) -> None:
        """Scrolls to the beginning of long lines."""
        self.shift(-_SIDEWAYS)

    def cmd_diff_right(self, _: Context) -> None:
        """Scrolls to the end of long lines."""
        self.shift(_SIDEWAYS)

    async def cmd_diff_search(self, _: Context) -> None:
        """Asks for a text and goes to the next line that contains it."""
        text = await self.command_app.ask("Search in this patch", text=self.match, required=False)
        if text is not None:
            self._tell(text, await self.search(text, here=True))

    async def cmd_diff_next_match(self, _: Context) -> None:
        """Goes to the next line that was searched for."""
        self._tell(self.match, await self.search(self.match))

    async def cmd_diff_previous_match(self, _: Context) -> None:
        """Goes to the previous line that was searched for."""
        self._tell(self.match, await self.search(self.match, backwards=True))

    def _tell(self, text: str, result: Literal["found", "around", "no"]) -> None:
        if text and result == "no":
            self.command_app.say(f"no line of this patch contains {text}", "warning")
        elif result == "around":
            self.command_app.say("went on from the other end")
