"""Small dialogs: one line of text, a question, a choice. They show text of any origin as content, never as markup."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from vibehq_tui.text.clean import clean, clean_lines
from vibehq_tui.tui.commands import Context
from vibehq_tui.tui.widgets.long_list import LongList
from vibehq_tui.tui.widgets.rows import Column, Part, Row
from vibehq_tui.tui.widgets.source import ListSource


class Dialog(ModalScreen["str | None"]):
    """A box over the screen; its answer is a text, or ``None`` when it was left with Esc."""

    COMMAND_SCOPES: ClassVar[tuple[str, ...]] = ("dialog",)

    DEFAULT_CSS = """
    Dialog { align: center middle; background: $background 60%; }
    Dialog:ansi { background: ansi_default; }
    Dialog > #box {
        width: 64; max-width: 94%; height: auto; max-height: 90%; padding: 0 1; background: $raised;
        border: round $accent; border-title-color: $accent; border-title-style: bold;
        border-subtitle-color: $dim;
    }
    Dialog Static { height: auto; background: $raised; color: $foreground; }
    Dialog .remark { color: $dim; }
    Dialog Input { border: none; height: 1; padding: 0; background: $raised; }
    Dialog Input:focus { border: none; background: $raised; }
    Dialog LongList { border: none; max-height: 16; background: $raised; }
    """

    def __init__(self, title: str, keys: str) -> None:
        """
        :param title: in the border at the top.
        :param keys: in the border at the bottom: which keys answer.
        """
        super().__init__()
        self._box = Vertical(id="box")
        self._box.border_title = Content(clean(title, 80))
        self._box.border_subtitle = Content(keys)

    def cmd_dialog_cancel(self, _: Context) -> None:
        """Leaves without an answer."""
        self.dismiss(None)


class Ask(Dialog):
    """Asks for one line of text."""

    def __init__(self, title: str, *, hint: str = "", text: str = "", required: bool = True) -> None:
        """
        :param hint: stands in the field while it is empty.
        :param text: to begin with.
        :param required: an empty answer is not taken.
        """
        super().__init__(title, "enter takes it · esc cancels")
        self._input = Input(text, placeholder=clean(hint), compact=True)
        self._required = required

    def compose(self) -> ComposeResult:
        """One field."""
        with self._box:
            yield self._input

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Takes the answer."""
        answer = event.value.strip()
        if answer or not self._required:
            self.dismiss(answer)
        else:
            self._box.border_subtitle = Content("please write something · esc cancels")


class Confirm(Dialog):
    """Asks a question; the answer is ``"yes"``, or ``None``."""

    COMMAND_SCOPES: ClassVar[tuple[str, ...]] = ("question", "dialog")

    def __init__(self, question: str, *, detail: str = "") -> None:
        super().__init__("", "y yes · n no · esc cancels")
        self._question = Content(clean_lines(question))
        self._detail = Content(clean_lines(detail, 2000))

    def compose(self) -> ComposeResult:
        """The question, and what there is to know."""
        with self._box:
            yield Static(self._question)
            if self._detail:
                yield Static(self._detail, classes="remark")

    def cmd_dialog_yes(self, _: Context) -> None:
        """Answers yes."""
        self.dismiss("yes")

    def cmd_dialog_no(self, _: Context) -> None:
        """Answers no."""
        self.dismiss(None)


class Choose(Dialog):
    """Lets one of a few options be chosen; the answer is its key."""

    def __init__(self, title: str, options: Sequence[tuple[str, str, str]], *, current: str = "") -> None:
        """
        :param options: ``(key, label, remark)`` of each.
        :param current: the key under the cursor at first.
        """
        super().__init__(title, "enter chooses · esc cancels")
        rows = [
            Row(key=key, cells=(Part(label, "strong" if key == current else ""), Part(remark, "dim")))
            for key, label, remark in options
        ]
        widest = max((len(label) for _, label, _ in options), default=8)
        columns = (Column(width=min(widest, 28)), Column(width=4, share=1, drop=1))
        self._list = LongList(columns, ListSource(rows), ground="raised")
        self._list.styles.height = max(len(options), 1)
        self._current = current

    def compose(self) -> ComposeResult:
        """The options."""
        with self._box:
            yield self._list

    def on_mount(self) -> None:
        """Begins at the current one."""
        if self._current:
            self._list.move_to_key(self._current)

    def on_long_list_opened(self, event: LongList.Opened) -> None:
        """Takes the answer."""
        event.stop()
        self.dismiss(event.row.key)


class Told(Dialog):
    """Says what became of each of several things; there is nothing to answer."""

    def __init__(self, title: str, rows: Sequence[tuple[Part, str, str]]) -> None:
        """:param rows: the sign, the id and what is to be said of each."""
        super().__init__(title, "esc or enter closes")
        shown = [
            Row(key=str(number), cells=(sign, Part(id_, "strong"), message))
            for number, (sign, id_, message) in enumerate(rows)
        ]
        widest = max((len(id_) for _, id_, _ in rows), default=1)
        columns = (Column(width=1), Column(width=min(widest, 12)), Column(width=20, share=1))
        self._list = LongList(columns, ListSource(shown), header=False, ground="raised")
        self._list.styles.height = max(len(rows), 1)
        self._list.styles.max_height = 16
        self._box.styles.width = 96

    def compose(self) -> ComposeResult:
        """The rows."""
        with self._box:
            yield self._list

    def on_long_list_opened(self, event: LongList.Opened) -> None:
        """Closes."""
        event.stop()
        self.dismiss(None)
