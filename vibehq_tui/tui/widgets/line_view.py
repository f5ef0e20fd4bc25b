"""What everything that is painted line by line on the full screens has in common."""

from __future__ import annotations

from typing import ClassVar

from rich.style import Style
from textual.scroll_view import ScrollView


class LineView(ScrollView, can_focus=True):
    """A view that scrolls at once, paints its own background, and never scrolls sideways as a whole."""

    ALLOW_SELECT = False
    COMMAND_SCOPES: ClassVar[tuple[str, ...]] = ()

    DEFAULT_CSS = """
    LineView { overflow-x: hidden; scrollbar-size-vertical: 1; }
    """

    _ground: Style | None = None

    @property
    def ground(self) -> Style:
        """Behind every line: the Line API does not fill in the background of a widget by itself. Kept until the style
        sheets say otherwise; working it out takes a tenth of a millisecond."""
        if self._ground is None:
            self._ground = self.rich_style
        return self._ground

    @property
    def ascii_only(self) -> bool:
        """Whether the terminal draws ASCII only."""
        return bool(getattr(self.app, "ascii_only", False))

    @property
    def room(self) -> int:
        """Cells of a row, without the scroll bar."""
        return self.scrollable_content_region.width

    def jump(self, y: int) -> None:
        """Brings row ``y`` to the top, at once, also before the scroll bar has appeared."""
        self.scroll_to(y=max(y, 0), animate=False, force=True)

    def notify_style_update(self) -> None:
        """Another theme, or the focus, may mean another background."""
        self._ground = None
        super().notify_style_update()

    def on_focus(self) -> None:
        """The cursor gets the colour of what is focused."""
        self.refresh()

    def on_blur(self) -> None:
        """The cursor gets the colour of what is not focused."""
        self.refresh()
