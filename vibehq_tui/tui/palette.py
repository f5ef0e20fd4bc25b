"""The command palette: every command that is known here, found by writing some letters of its name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input

from vibehq_tui.tui.commands import Command, Context, key_label
from vibehq_tui.tui.keymap import Keymap
from vibehq_tui.tui.widgets.long_list import LongList
from vibehq_tui.tui.widgets.rows import Column, Part, Row
from vibehq_tui.tui.widgets.source import ListSource


def score(wanted: str, text: str) -> float:
    """How well ``text`` answers ``wanted``: 0 for not at all; words that begin with it best, then runs of letters."""
    wanted, text = wanted.lower().strip(), text.lower()
    if not wanted:
        return 1.0
    if text.startswith(wanted):
        return 4.0
    if any(word.startswith(wanted) for word in text.split()):
        return 3.0
    if wanted in text:
        return 2.0
    at = -1
    for letter in wanted.replace(" ", ""):
        at = text.find(letter, at + 1)
        if at < 0:
            return 0.0
    return 1.0


def matching(commands: Sequence[Command], wanted: str) -> list[Command]:
    """The commands that answer ``wanted``, the best first; among equals the declared order stays."""
    found = []
    for command in commands:
        best = max(score(wanted, f"{command.title} {command.group}"), score(wanted, command.help) / 2)
        if best >= 1 or (best and len(wanted) > 2):
            found.append((-best, command))
    return [command for _, command in sorted(found, key=lambda pair: pair[0])]


class Palette(ModalScreen["str | None"]):
    """A field and what it finds; the answer is the id of a command."""

    COMMAND_SCOPES: ClassVar[tuple[str, ...]] = ("palette", "dialog")

    DEFAULT_CSS = """
    Palette { align: center top; background: $background 60%; }
    Palette:ansi { background: ansi_default; }
    Palette > #box {
        width: 84; max-width: 96%; height: auto; max-height: 80%; margin-top: 2; background: $raised;
        border: round $accent; border-title-color: $accent; border-title-style: bold; border-subtitle-color: $dim;
    }
    Palette Input { border: none; height: 1; padding: 0; margin: 0 1; background: $raised; }
    Palette Input:focus { border: none; background: $raised; }
    Palette LongList { border: none; background: $raised; height: 18; max-height: 70vh; margin-top: 1; }
    """

    def __init__(self, commands: Sequence[Command], context: Context, keymap: Keymap) -> None:
        """
        :param commands: that are known where the palette was opened.
        :param context: of that place: what is not possible there is dim and says why.
        """
        super().__init__()
        self._commands = [command for command in commands if command.id != "app.palette"]
        self._place = context
        self._keymap = keymap
        self._input = Input(placeholder="what to do", compact=True)
        self._source = ListSource()
        columns = (Column("", 11), Column("", 20), Column("", 12, share=1, drop=1), Column("", 9, right=True, drop=2))
        self._list = LongList(columns, self._source, ground="raised")
        self._list.can_focus = False
        self._list.lit = True

    def compose(self) -> ComposeResult:
        """The field above the list."""
        with Vertical(id="box") as box:
            box.border_title = Content("Commands")
            box.border_subtitle = Content("enter runs it · esc closes")
            yield self._input
            yield self._list

    def on_mount(self) -> None:
        """Shows everything."""
        self._find("")
        self._input.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Shows what answers."""
        event.stop()
        self._find(event.value)

    def _find(self, wanted: str) -> None:
        self._source.replace(self._row(command) for command in matching(self._commands, wanted))
        self._list.set_source(self._source)

    def _row(self, command: Command) -> Row:
        ascii_only = bool(getattr(self.app, "ascii_only", False))
        reason = command.reason(self._place)
        keys = " ".join(key_label(key, ascii_only) for key in self._keymap.keys(command)[:2])
        return Row(
            key=command.id,
            cells=(
                Part(command.group, "dim"),
                Part(command.title, "dim" if reason else "strong"),
                Part(reason or command.help, "faint" if reason else "dim"),
                Part(keys, "faint" if reason else "key"),
            ),
        )

    def on_long_list_opened(self, event: LongList.Opened) -> None:
        """Answers with what was double-clicked."""
        event.stop()
        self.dismiss(event.row.key)

    def cmd_dialog_cancel(self, _: Context) -> None:
        """Closes it."""
        self.dismiss(None)

    def cmd_palette_run(self, _: Context) -> None:
        """Answers with what is selected."""
        if (row := self._list.row) is not None:
            self.dismiss(row.key)

    def cmd_palette_down(self, _: Context) -> None:
        """The next command."""
        self._list.move_to(self._list.cursor + 1)

    def cmd_palette_up(self, _: Context) -> None:
        """The command before."""
        self._list.move_to(self._list.cursor - 1)
