"""The line at the top of a full screen: what is shown, and how it stands."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from vibehq_tui.text.clean import clean
from vibehq_tui.tui.theme import styles
from vibehq_tui.tui.widgets.plain import plain_signs
from vibehq_tui.tui.widgets.rows import Cell, Look, Part, paint, parts_of


class TitleLine(Widget):
    """One text at the left and one at the right; the left one is cut when both do not fit."""

    DEFAULT_CSS = """
    TitleLine { height: 1; background: $strip; }
    """
    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._left: Sequence[Part] = ()
        self._right: Sequence[Part] = ()

    def show(self, left: Cell, right: Cell = "") -> None:
        """Shows other texts; they may be of any origin."""
        ascii_only = bool(getattr(self.app, "ascii_only", False))
        self._left = [Part(plain_signs(part.text, ascii_only), part.role) for part in parts_of(left)]
        self._right = [Part(plain_signs(part.text, ascii_only), part.role) for part in parts_of(right)]
        self.refresh()

    @property
    def text(self) -> str:
        """What it says, as plain text."""
        return "".join(part.text for part in (*self._left, Part("  "), *self._right))

    def render_line(self, y: int) -> Strip:
        """The line."""
        table = styles(self.app.theme)
        ground = self.rich_style + table[""]
        look = Look(styles=table, more="~" if getattr(self.app, "ascii_only", False) else "…")
        width = self.size.width
        wanted = sum(cell_len(clean(part.text)) for part in self._right)
        wanted = min(wanted, max(width // 2, 0))
        left = paint(tuple(self._left), max(width - wanted - 3, 0), ground, look)
        right = paint(tuple(self._right), wanted, ground, look, right=True)
        edge = Segment(" ", ground)
        return Strip([edge, *left, edge, *right, edge]).adjust_cell_length(width, ground)
