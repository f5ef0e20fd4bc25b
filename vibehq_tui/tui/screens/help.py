"""Help: the keys of what was focused, from the same declarations that the keys come from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen

from vibehq_tui.tui.commands import Command, Context, key_label
from vibehq_tui.tui.keymap import Keymap
from vibehq_tui.tui.widgets.long_list import LongList
from vibehq_tui.tui.widgets.rows import Column, Part, Row
from vibehq_tui.tui.widgets.source import ListSource

_SIDE_BY_SIDE_FROM = 104
"""Columns of the terminal from which sentences stand beside their keys."""

_SENTENCE = 60


def help_rows(commands: Sequence[Command], keymap: Keymap, ascii_only: bool) -> list[Row]:
    """A line for each command, below the name of its group."""
    rows: list[Row] = []
    for group in dict.fromkeys(command.group for command in commands):
        if rows:
            rows.append(Row(key=f"before {group}", cells=("", "", "")))
        rows.append(Row(key=f"group {group}", cells=("", Part(group, "accent"), "")))
        for command in commands:
            if command.group == group:
                keys = " ".join(key_label(key, ascii_only) for key in keymap.keys(command))
                cells = (Part(keys, "key"), Part(command.title, "strong"), Part(command.help, "dim"))
                rows.append(Row(key=command.id, cells=cells, detail=Part(command.help, "dim")))
    return rows


class HelpScreen(ModalScreen[None]):
    """The keys, to scroll and to filter."""

    COMMAND_SCOPES: ClassVar[tuple[str, ...]] = ("dialog",)

    DEFAULT_CSS = """
    HelpScreen { align: center middle; background: $background 60%; }
    HelpScreen:ansi { background: ansi_default; }
    HelpScreen > #box {
        width: 124; max-width: 96%; height: 90%; background: $raised;
        border: round $accent; border-title-color: $accent; border-title-style: bold; border-subtitle-color: $dim;
    }
    HelpScreen LongList { border: none; background: $raised; }
    """

    def __init__(self, commands: Sequence[Command], keymap: Keymap) -> None:
        super().__init__()
        self._commands = commands
        self._keymap = keymap

    def compose(self) -> ComposeResult:
        """The list in a box."""
        with Vertical(id="box") as box:
            box.border_title = Content("Keys here")
            box.border_subtitle = Content("esc closes · ctrl+p finds any command")
            ascii_only = bool(getattr(self.app, "ascii_only", False))
            rows = help_rows(self._commands, self._keymap, ascii_only)
            columns = (Column("", 11, right=True), Column("", 15), Column("", _SENTENCE, share=1, drop=1))
            self._list = LongList(columns, ListSource(rows), ground="raised")
            yield self._list

    def on_resize(self, event: events.Resize) -> None:
        """Where a sentence has no room beside its key it goes below."""
        self._list.set_row_height(1 if event.size.width >= _SIDE_BY_SIDE_FROM else 2)

    def cmd_dialog_cancel(self, _: Context) -> None:
        """Closes it."""
        self.dismiss(None)

    def cmd_list_open(self, _: Context) -> None:
        """Closes it too."""
        self.dismiss(None)
