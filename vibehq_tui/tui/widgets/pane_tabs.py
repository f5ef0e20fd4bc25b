"""The line of pane names that stands above a single pane."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.strip import Strip
from textual.widget import Widget

from vibehq_tui.tui.theme import styles


class PaneTabs(Widget):
    """Shows the panes by number and name, the active one bright; a click goes to one."""

    ALLOW_SELECT = False

    def __init__(self, chosen: Callable[[str], None]) -> None:
        """:param chosen: called with the name of the pane that was clicked."""
        super().__init__(id="tabs")
        self._chosen = chosen
        self._tabs: Sequence[tuple[str, str, str]] = ()
        self._active = ""
        self._spans: list[tuple[int, int, str]] = []

    def show(self, tabs: Sequence[tuple[str, str, str]], active: str) -> None:
        """:param tabs: ``(name, label, short label)`` of each pane."""
        if (tabs, active) != (self._tabs, self._active):
            self._tabs, self._active = tabs, active
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """The line."""
        width = self.size.width
        look = styles(self.app.theme)
        long = sum(cell_len(label) + 3 for _, label, _ in self._tabs) <= width
        ground = look["background"]
        segments = [Segment(" ", ground)]
        self._spans = []
        used = 1
        for name, label, short in self._tabs:
            text = label if long else short
            role = look["accent"] + look["strong"] if name == self._active else look["dim"]
            segments += [Segment(text, ground + role), Segment("  ", ground)]
            self._spans.append((used, used + cell_len(text), name))
            used += cell_len(text) + 2
        return Strip(segments).adjust_cell_length(width, ground)

    def on_click(self, event: events.Click) -> None:
        """Goes to the pane that was clicked."""
        name = next((name for start, end, name in self._spans if start <= event.x < end), None)
        if name is not None:
            self._chosen(name)
