"""What is shown while the terminal is too small for anything else."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static


class TooSmall(ModalScreen[None]):
    """Says how large the terminal must be. It goes away by itself."""

    DEFAULT_CSS = """
    TooSmall { align: center middle; background: $background; }
    TooSmall > Static { width: auto; height: auto; text-align: center; color: $warning; }
    """

    def __init__(self, columns: int, lines: int) -> None:
        super().__init__()
        self._least = f"{columns}×{lines}"
        self._text = Static()

    def compose(self) -> ComposeResult:
        """One sentence."""
        yield self._text

    def on_mount(self) -> None:
        """Begins with the size that it is."""
        self.on_resize()

    def on_resize(self) -> None:
        """The size that it is now."""
        size = self.app.size
        self._text.update(Content(f"too small\n{size.width}×{size.height}\nat least {self._least}"))
