"""A pane of the main screen: a list in a frame that says its number, its name and what is in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.content import Content

from vibehq_tui.headquarters import Headquarters
from vibehq_tui.text.clean import clean
from vibehq_tui.tui.dispatch import CommandApp
from vibehq_tui.tui.widgets.long_list import LongList
from vibehq_tui.tui.widgets.rows import Cell, Column
from vibehq_tui.tui.widgets.source import RowSource

_DOT = " · "


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One of the views of a pane, through which ``[`` and ``]`` go."""

    name: str
    """In the title; empty for the first one, which needs no word."""
    where: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    """The conditions of its query."""


class Pane(LongList):
    """A numbered list with views."""

    NUMBER: ClassVar[int]
    NAME: ClassVar[str]
    TITLE: ClassVar[str]
    OPENS: ClassVar[str]
    """The command that opens a row."""

    def __init__(
        self,
        hq: Headquarters,
        columns: Sequence[Column],
        views: Sequence[View],
        *,
        ascii_only: bool,
        follow: bool = False,
    ) -> None:
        self.hq = hq
        self.ascii_only = ascii_only
        self.views = list(views)
        self.view = self.views[0]
        super().__init__(columns, self.source_of(self.view), empty=self.nothing, follow=follow, id=self.NAME)
        self._facts: tuple[str, ...] = ()
        self._shown_title = ""
        self._update_title()

    def on_key(self, event: events.Key) -> None:
        """Goes straight to the commands, without the way up through every container."""
        app = self.app
        if isinstance(app, CommandApp):
            app.use_key(event)

    def open_row(self) -> None:
        """A double click does what Enter does."""
        app = self.app
        if isinstance(app, CommandApp):
            app.run_command(self.OPENS)

    def nothing(self) -> Sequence[Cell]:
        """What an empty pane says: which key or command comes next."""
        return ()

    def source_of(self, view: View) -> RowSource | None:
        """The rows of a view; None when they are to be read later, with :meth:`show_view`."""
        raise NotImplementedError

    def tell(self, facts: Sequence[str]) -> None:
        """Puts counts into the title, such as ``3 waiting`` and ``1 conflict``; the first ones stay longest."""
        self._facts = tuple(facts)
        self._update_title()

    def show_view(self, view: View) -> None:
        """Goes to another view."""
        self.view = view
        source = self.source_of(view)
        if source is not None:
            self.set_source(source)
        self._update_title()

    def step_view(self, step: int) -> None:
        """The view ``step`` further, around the end."""
        at = self.views.index(self.view) if self.view in self.views else 0
        self.show_view(self.views[(at + step) % len(self.views)])

    def set_filter(self, text: str) -> None:
        """Shows only rows that contain ``text``, and says so in the title."""
        super().set_filter(text)
        self._update_title()

    def on_long_list_refreshed(self) -> None:
        """How many rows there are may have changed."""
        self._update_title()

    def on_long_list_highlighted(self) -> None:
        """Which row it is, and how many are marked, may have changed."""
        self._update_title()

    def on_resize(self, _: events.Resize) -> None:
        """The title may have more room, or less."""
        self._update_title()

    def title_parts(self) -> list[str]:
        """What stands in the title, in order of importance."""
        parts = [f"{self.NUMBER} {self.TITLE}"]
        if self.filter_text:
            parts.append(f"/{clean(self.filter_text, 30)} {self.count:,}")
        if self.marked:
            parts.append(f"{len(self.marked)} marked")
        if self.view.name:
            parts.append(self.view.name)
        else:
            parts.extend(self._facts)
        return parts

    def _update_title(self) -> None:
        parts = self.title_parts()
        while len(parts) > 1 and cell_len(_DOT.join(parts)) > self.size.width - 4:
            parts.pop()
        title = _DOT.join(parts)
        if title != self._shown_title:
            self._shown_title = title
            self.border_title = Content(title)
