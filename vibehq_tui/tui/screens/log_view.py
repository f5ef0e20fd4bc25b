"""A log on a screen of its own: follow, search, keep only what matters."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from textual.app import ComposeResult

from storage.errors import NotFound, VibeError
from storage.records import Event, LogLine
from vibehq_tui.headquarters import Headquarters
from vibehq_tui.text.clean import clean
from vibehq_tui.text.forms import size
from vibehq_tui.tui.commands import Context
from vibehq_tui.tui.screens.full import FullScreen
from vibehq_tui.tui.widgets.footer import CommandFooter
from vibehq_tui.tui.widgets.log_lines import FileLines, MemoryLines
from vibehq_tui.tui.widgets.log_search import LEVELS, Wanted, level_in
from vibehq_tui.tui.widgets.log_viewer import LogViewer
from vibehq_tui.tui.widgets.rows import Part
from vibehq_tui.tui.widgets.title_line import TitleLine

_MOST_LINES = 20_000
"""Lines of a log of the store that are shown; older ones are found with ``vibehq log search``."""
_LOOK_EVERY = 1.0
_SIDEWAYS = 16
_NOTES = {"replaced": "the file was replaced or cut; this is the new one", "gone": "the file is gone"}


class LogScreen(FullScreen):
    """Shows a log of the store, or a file."""

    COMMAND_SCOPES: ClassVar[tuple[str, ...]] = ("log",)
    AUTO_FOCUS = "#log"
    KIND = "log"

    def __init__(self, hq: Headquarters, source: str | Path) -> None:
        """:param source: the name of a log of the store; or a file, as a path, or by its name in the state folder."""
        super().__init__(hq, str(source))
        self._path = source if isinstance(source, Path) else None
        self._file: FileLines | None = None
        self._last_seq = -1

    def compose(self) -> ComposeResult:
        """Title, lines, keys."""
        self.title_line = TitleLine(id="title")
        self.viewer = LogViewer(id="log")
        yield self.title_line
        yield self.viewer
        yield CommandFooter()

    def on_mount(self) -> None:
        """A log of the store is looked at once a second; nothing tells of new lines."""
        self.viewer.border_title = "Log"
        self.title_line.show(Part(clean(self.subject_id, 200), "strong"))
        self.set_interval(_LOOK_EVERY, self._look)

    def on_unmount(self) -> None:
        """Closes the file."""
        if self._file is not None:
            self._file.close()

    def _look(self) -> None:
        if self._file is None and self.is_current:
            self.reload()

    def concerns(self, event: Event) -> bool:
        """Logs are not in the feed."""
        return False

    async def read(self) -> None:
        """Reads what is new in a log of the store; a file is followed by the viewer itself."""
        if self._file is not None:
            return
        found = [] if self._path else [one for one in await self.hq.logs.sources() if one.source == self.subject_id]
        if not found:
            self._file = FileLines(self._path or self._in_workspace())
            self.viewer.show_file(self._file)
            return
        newest = max(found, key=lambda one: one.last_at)
        if newest.last_seq != self._last_seq:
            self._last_seq = newest.last_seq
            lines = await self.hq.logs.tail(self.subject_id, _MOST_LINES, kind=newest.kind)
            self.viewer.show_memory(MemoryLines(_line(line) for line in lines))

    def _in_workspace(self) -> Path:
        """A file named relative to the state folder, as executions name their logs; none outside the workspace."""
        root = self.hq.root.resolve()
        path = (self.hq.state / self.subject_id).resolve()
        if root not in path.parents:
            raise NotFound(f"there is no log called {self.subject_id}", hint="pane 5 lists the logs")
        return path

    def fail(self, error: VibeError) -> None:
        """Says why there is nothing; a file that is not there yet is looked for again."""
        self.title_line.show(Part(clean(self.subject_id, 200), "strong"), Part(error.message, "error"))

    # -- showing ---------------------------------------------------------------------------------------------------

    def on_log_viewer_changed(self, _: LogViewer.Changed) -> None:
        """Says where one is."""
        viewer = self.viewer
        notes = [word for word in (viewer.busy, _NOTES.get(viewer.note, "")) if word]
        if viewer.wanted:
            what = f"/{clean(viewer.wanted.text, 40)}" if viewer.wanted.text else ""
            level = f" {viewer.wanted.level}s" if viewer.wanted.level else ""
            notes.append(f"only {what}{level}: {viewer.count:,} of {viewer.lines.total:,} lines".replace("  ", " "))
        else:
            notes.append(f"{viewer.lines.total:,} lines")
        if self._file is not None:
            notes.append(size(self._file.size))
        state = Part("follows", "ok") if viewer.following else Part("f follows", "dim")
        self.title_line.show(
            Part(clean(self.subject_id, 200), "strong"), (Part(" · ".join(notes) + "   ", "dim"), state)
        )
        self.refresh_bindings()

    def facts(self) -> dict[str, Any]:
        """What commands of the log ask about."""
        return {"match": bool(self.viewer.match)}

    # -- commands --------------------------------------------------------------------------------------------------

    def cmd_log_follow(self, _: Context) -> None:
        """To the newest line, or no longer there."""
        self.viewer.follow(not self.viewer.following)

    async def cmd_log_search(self, _: Context) -> None:
        """Asks for a text and goes to the newest line above that contains it."""
        text = await self.command_app.ask("Search", text=self.viewer.match.text, required=False)
        if text is not None:
            await self._search(Wanted(text), -1, again=False)

    async def cmd_log_previous_match(self, _: Context) -> None:
        """Older."""
        await self._search(self.viewer.match, -1, again=True)

    async def cmd_log_next_match(self, _: Context) -> None:
        """Newer."""
        await self._search(self.viewer.match, 1, again=True)

    async def _search(self, wanted: Wanted, step: int, *, again: bool) -> None:
        if await self.viewer.search(wanted, step=step, again=again) == "no" and wanted:
            where = "newer" if step > 0 else "older" if again else ""
            self.command_app.say(f"no {where} line contains {wanted.text}".replace("  ", " "), "warning")

    async def cmd_log_filter(self, _: Context) -> None:
        """Asks for a text and keeps only the lines that contain it."""
        wanted = self.viewer.wanted
        text = await self.command_app.ask("Keep only lines with", text=wanted.text, required=False)
        if text is not None:
            self.viewer.keep_only(Wanted(text, wanted.level))

    def cmd_log_level(self, _: Context) -> None:
        """All, warnings and worse, errors and worse."""
        wanted = self.viewer.wanted
        level = LEVELS[(LEVELS.index(wanted.level) + 1) % len(LEVELS)]
        self.viewer.keep_only(Wanted(wanted.text, level))
        self.command_app.say(f"only {level}s and worse" if level else "all levels")

    def cmd_log_left(self, _: Context) -> None:
        """To the beginning of long lines."""
        self.viewer.shift(-_SIDEWAYS)

    def cmd_log_right(self, _: Context) -> None:
        """To the end of long lines."""
        self.viewer.shift(_SIDEWAYS)

    def cmd_app_back(self, _: Context) -> None:
        """Shows all lines again first, then goes where one came from."""
        if self.viewer.wanted:
            self.viewer.keep_only(Wanted())
        else:
            self.dismiss(None)


def _line(line: LogLine) -> str:
    """Time, level where the text does not say it, text."""
    found = level_in(line.text)
    rank = {"warning": 1, "error": 2, "critical": 2}.get(line.level, 0)
    level = f"{line.level.upper()} " if (found.rank if found else 0) != rank else ""
    return f"{datetime.fromtimestamp(line.at / 1000):%H:%M:%S} {level}{line.text}"
