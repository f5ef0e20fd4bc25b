"""The line in which a filter is written. It appears above the footer with ``/`` and works on any list."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Input, Static

from vibehq_tui.tui.commands import Context
from vibehq_tui.tui.widgets.long_list import LongList


class FilterBar(Horizontal):
    """Filters a list while one types."""

    COMMAND_SCOPES: ClassVar[tuple[str, ...]] = ("filter",)

    DEFAULT_CSS = """
    FilterBar { dock: bottom; height: 1; margin-bottom: 1; background: $raised; }
    FilterBar > Static { width: 2; padding-left: 1; color: $key; background: $raised; }
    FilterBar > Input { border: none; height: 1; padding: 0; background: $raised; }
    FilterBar > Input:focus { border: none; background: $raised; }
    """

    def __init__(self, target: LongList) -> None:
        super().__init__()
        self.target = target
        self._input = Input(target.filter_text, compact=True, select_on_focus=False)

    def compose(self) -> ComposeResult:
        """The slash and the field."""
        yield Static("/", markup=False)
        yield self._input

    def on_mount(self) -> None:
        """Takes the focus."""
        self._input.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filters at once."""
        event.stop()
        self.target.set_filter(event.value.strip())

    def on_descendant_blur(self) -> None:
        """Goes away, with the filter as it is, when something else is focused."""
        if self.is_attached:
            self.remove()

    def cmd_filter_keep(self, _: Context) -> None:
        """Back to the list, with the filter."""
        self.target.focus()

    def cmd_filter_clear(self, _: Context) -> None:
        """Back to the list, without the filter."""
        self.target.set_filter("")
        self.target.focus()

    def cmd_filter_down(self, _: Context) -> None:
        """The next row of the list."""
        self.target.move_to(self.target.cursor + 1)

    def cmd_filter_up(self, _: Context) -> None:
        """The row before."""
        self.target.move_to(self.target.cursor - 1)
