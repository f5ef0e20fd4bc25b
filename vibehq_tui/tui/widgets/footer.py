"""The line at the bottom: at most eight keys of what is focused. Everything else is in help and palette."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.strip import Strip
from textual.widget import Widget

from vibehq_tui.tui.commands import Command, key_label
from vibehq_tui.tui.dispatch import CommandApp
from vibehq_tui.tui.theme import styles

MOST = 8
_KEPT_AT_THE_END = ("app.palette", "app.help")


class CommandFooter(Widget):
    """Shows the footer commands of the scopes that are active on its screen; a click runs one.

    A command that is not possible at the moment is dim; its key still says why.
    """

    DEFAULT_CSS = """
    CommandFooter { dock: bottom; height: 1; background: $strip; }
    """
    ALLOW_SELECT = False

    def __init__(self) -> None:
        super().__init__()
        self._items: tuple[tuple[Command, bool], ...] = ()
        self._spans: list[tuple[int, int, Command]] = []

    def on_mount(self) -> None:
        """Follows the focus."""
        self.screen.bindings_updated_signal.subscribe(self, lambda _: self.update())
        self.update()

    def update(self) -> None:
        """Shows the commands that are active now; paints only when that differs."""
        app = self.app
        if not isinstance(app, CommandApp) or app.screen is not self.screen:
            return
        context = app.command_context()
        items = tuple((command, command.reason(context) is None) for command in _chosen(app.active_commands()))
        if items != self._items:
            self._items = items
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """The line."""
        width = self.size.width
        look = styles(self.app.theme)
        ground = look["strip"]
        segments: list[Segment] = [Segment(" ", ground)]
        self._spans = []
        used = 1
        for command, possible in self._fitting(width):
            key = self._key(command)
            key_style, title_style = (look["key"], look["dim"]) if possible else (look["faint"], look["faint"])
            segments += [
                Segment(key, ground + key_style),
                Segment(f" {command.title}", ground + title_style),
                Segment("  ", ground),
            ]
            end = used + cell_len(key) + 1 + len(command.title)
            self._spans.append((used, end, command))
            used = end + 2
        segments.append(Segment(" " * max(width - used, 0), ground + Style.null()))
        return Strip(segments).adjust_cell_length(width)

    def _key(self, command: Command) -> str:
        app = self.app
        assert isinstance(app, CommandApp)
        keys = app.keymap.keys(command)
        return key_label(keys[0], app.ascii_only) if keys else ""

    def _fitting(self, width: int) -> Sequence[tuple[Command, bool]]:
        """What fits; the palette and help stay longest."""
        items = [item for item in self._items if self._key(item[0])]

        def length() -> int:
            return 1 + sum(cell_len(self._key(command)) + len(command.title) + 3 for command, _ in items) - 2

        while items and length() > width:
            least = next((item for item in reversed(items) if item[0].id not in _KEPT_AT_THE_END), items[0])
            items.remove(least)
        return items

    def on_click(self, event: events.Click) -> None:
        """Runs the command that was clicked."""
        app = self.app
        command = next((command for start, end, command in self._spans if start <= event.x < end), None)
        if command is not None and isinstance(app, CommandApp):
            app.run_command(command.id)


def _chosen(commands: Sequence[Command]) -> list[Command]:
    """The first eight that want to be in the footer, the palette and help always among them."""
    wanted = [command for command in commands if command.show_in_footer]
    last = [command for command in wanted if command.id in _KEPT_AT_THE_END]
    first = [command for command in wanted if command not in last]
    return first[: MOST - len(last)] + last
