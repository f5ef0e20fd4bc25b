"""What the screens of a task, an issue and a provider have in common: a text, and beside it what belongs to it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widget import Widget

from storage.errors import VibeError
from vibehq_tui.text.clean import clean
from vibehq_tui.tui.screens.full import FullScreen
from vibehq_tui.tui.widgets.detail import DetailView, Document
from vibehq_tui.tui.widgets.footer import CommandFooter
from vibehq_tui.tui.widgets.rows import Part
from vibehq_tui.tui.widgets.title_line import TitleLine

NARROW = 110
"""Columns below which everything stands in one column."""


class TwoColumns(FullScreen):
    """A title, two columns (or one, where it is narrow), and the keys."""

    AUTO_FOCUS = "#text"
    TITLES: ClassVar[tuple[str, str]]
    """Over the two columns."""

    def compose(self) -> ComposeResult:
        """Title, columns, what is below them, keys."""
        self.title_line = TitleLine(id="title")
        self.text = DetailView(id="text")
        self.aside = DetailView(id="aside")
        yield self.title_line
        with Horizontal(id="columns"):
            yield self.text
            yield self.aside
        yield from self.below()
        yield CommandFooter()

    def below(self) -> Iterable[Widget]:
        """What stands below the columns."""
        return ()

    def on_mount(self) -> None:
        """Shows that it is being read."""
        self.text.border_title, self.aside.border_title = self.TITLES
        self.title_line.show(Part(f"{self.KIND} {clean(self.subject_id, 60)}", "dim"))

    def show(self) -> None:
        """Shows what was read, if anything was."""
        raise NotImplementedError

    def begin_columns(self) -> tuple[Document, Document]:
        """The documents to write for the text and for what belongs to it; the same one where it is narrow."""
        text = Document()
        return text, (text if self.has_class("-narrow") else Document())

    def show_columns(self, text: Document, aside: Document) -> None:
        """Shows them."""
        self.aside.display = aside is not text
        self.text.show(text)
        if aside is not text:
            self.aside.show(aside)

    def fail(self, error: VibeError) -> None:
        """Shows why there is no such thing."""
        document = Document()
        document.row(Part(error.message, "error"))
        document.row(Part(error.hint, "dim"))
        self.text.show(document)

    def on_resize(self, event: events.Resize) -> None:
        """One column, or two."""
        self.set_class(event.size.width < NARROW, "-narrow")
        self.show()
