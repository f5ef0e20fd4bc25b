"""The operator's screens as a program.

The first rows are read before the terminal is taken over, so that the first paint shows them; what is heavy (the
scheduler, the watcher of files, probes of agents) is loaded after it. Everything that happens in the workspace, whoever
did it, arrives through one follower of the event feed, :attr:`VibeApp.happened`.
"""

from __future__ import annotations

import asyncio
import dataclasses
import gc
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from textual import events
from textual.signal import Signal

from storage.records import Event, Issue, Patch, Task
from vibehq_tui.headquarters import Headquarters
from vibehq_tui.tui import keymap, live, preferences
from vibehq_tui.tui import theme as themes
from vibehq_tui.tui.actions.issues import IssueActions
from vibehq_tui.tui.actions.patches import PatchActions
from vibehq_tui.tui.actions.providers import ProviderActions
from vibehq_tui.tui.actions.tasks import TaskActions
from vibehq_tui.tui.commands import Context
from vibehq_tui.tui.screens.main import MainScreen
from vibehq_tui.tui.widgets.long_list import LongList

SMALLEST = (40, 10)
"""Columns and lines below which nothing useful can be shown."""


class VibeApp(PatchActions, TaskActions, IssueActions, ProviderActions):
    """The screens on one workspace."""

    TITLE = "Vibe HQ"
    CSS_PATH = "styles/vibe.tcss"
    COMMAND_SCOPES: ClassVar[tuple[str, ...]] = ("app",)

    def __init__(self, hq: Headquarters, *, ascii_only: bool = False, preferences_file: Path | None = None) -> None:
        """
        :param hq: an open workspace; whoever opened it closes it.
        :param preferences_file: where the theme is remembered; by default in the operator's state folder.
        """
        self._preferences_file = preferences_file or preferences.preferences_file()
        remembered = preferences.read_preferences(self._preferences_file).get("theme", "")
        super().__init__(read_only=hq.read_only, ascii_only=ascii_only, theme=remembered)
        self.hq = hq
        self.main = MainScreen(hq, ascii_only=ascii_only)
        """The main screen, also below others."""
        self.happened: Signal[Sequence[Event]] = Signal(self, "happened")
        """Published with every batch of events of the feed. A screen subscribes to know when to read again."""
        self.set_class(ascii_only, "-ascii")

    def get_default_screen(self) -> MainScreen:
        """The main screen."""
        return self.main

    # Beginning and end

    async def prepare(self) -> None:
        """Reads what the first paint shows.

        :raises VibeError: when the store cannot be read.
        """
        self._cursor = await self.hq.store.head()
        await self.main.prepare()

    def on_main_screen_shown(self) -> None:
        """The first paint is done: follows the feed, and starts what takes time to load."""
        gc.freeze()  # what is there now stays: no collection between two keys has to look through it
        self.run_worker(self._follow(), name="follow", group="follow")
        self._take_keymap()
        for found in self.hq.recovered:
            self.say(found, "warning", title="finished what was left half-done")
        if not self.read_only:
            self.run_worker(self._guard(self.hq.start_services()), name="services", group="services")

    def _take_keymap(self) -> None:
        """The operator's own keys; what cannot work is said, not dropped in silence."""
        self.keymap, problems = keymap.load(self.hq.config.keymap)
        self.screen.refresh_bindings()
        for problem in problems:
            self.say(problem.message, "warning", title=f"[keymap] {problem.id}")

    async def _follow(self) -> None:
        """Tells the screens what happened since the first rows were read."""
        async for batch in self.hq.store.follow(self._cursor):
            self.main.refresh_areas(live.areas(batch))
            self.happened.publish(batch)

    async def renew(self, context: Context) -> Context:
        """The context with its record as the store has it now, so that a state that changed is seen."""
        record = context.record
        if isinstance(record, Patch):
            record = await self.hq.patches.get(record.id)
        elif isinstance(record, Task):
            record = await self.hq.tasks.get(record.id)
        elif isinstance(record, Issue):
            record = await self.hq.ops.get(record.id)
        return dataclasses.replace(context, record=record)

    def refresh_everything(self) -> None:
        """Reads what the main screen shows again."""
        self.main.refresh_all()

    def on_resize(self, event: events.Resize) -> None:
        """Says so when the terminal is too small, and goes on when it no longer is."""
        from vibehq_tui.tui.screens.small import TooSmall  # noqa: PLC0415 - screens and dialogs are loaded when first opened

        small = event.size.width < SMALLEST[0] or event.size.height < SMALLEST[1]
        shown = isinstance(self.screen, TooSmall)
        if small and not shown:
            self.push_screen(TooSmall(*SMALLEST))
        elif shown and not small:
            self.pop_screen()

    def _print_error_renderables(self) -> None:
        """Leaves the traceback to the crash log. Internal to Textual, hence pinned by major version and tested."""

    # Other screens

    def open_task(self, task_id: str) -> None:
        """The task on a screen of its own."""
        from vibehq_tui.tui.screens.task_detail import TaskDetailScreen  # noqa: PLC0415 - screens and dialogs are loaded when first opened

        self.push_screen(TaskDetailScreen(self.hq, task_id))

    def open_patch(self, patch_id: str) -> None:
        """The review of a patch."""
        from vibehq_tui.tui.screens.review import ReviewScreen  # noqa: PLC0415 - screens and dialogs are loaded when first opened

        self.push_screen(ReviewScreen(self.hq, patch_id))

    def open_issue(self, issue_id: str) -> None:
        """The issue on a screen of its own."""
        from vibehq_tui.tui.screens.issue_detail import IssueDetailScreen  # noqa: PLC0415 - screens and dialogs are loaded when first opened

        self.push_screen(IssueDetailScreen(self.hq, issue_id))

    def open_provider(self, name: str) -> None:
        """The provider on a screen of its own."""
        from vibehq_tui.tui.screens.provider_detail import ProviderDetailScreen  # noqa: PLC0415 - screens and dialogs are loaded when first opened

        self.push_screen(ProviderDetailScreen(self.hq, name))

    def open_log(self, source: str) -> None:
        """A log on a screen of its own."""
        from vibehq_tui.tui.screens.log_view import LogScreen  # noqa: PLC0415 - screens and dialogs are loaded when first opened

        self.push_screen(LogScreen(self.hq, source))

    def cmd_task_open(self, context: Context) -> None:
        """Opens the selected task."""
        self.open_task(context.record.id)

    def cmd_patch_open(self, context: Context) -> None:
        """Opens the selected patch."""
        self.open_patch(context.record.id)

    def cmd_issue_open(self, context: Context) -> None:
        """Opens the selected issue."""
        self.open_issue(context.record.id)

    def cmd_provider_open(self, context: Context) -> None:
        """Opens the selected provider."""
        self.open_provider(context.record.name)

    def cmd_terminal_open(self, context: Context) -> None:
        """Opens the log that is shown, or what the selected event is about."""
        log = self.main.terminal.shown_log
        if log is not None:
            self.open_log(log[1])
            return
        event: Event = context.record
        opens = {
            "patch": self.open_patch,
            "task": self.open_task,
            "issue": self.open_issue,
            "provider": self.open_provider,
        }
        if event.subject in opens and event.subject_id:
            opens[event.subject](event.subject_id)
        else:
            self.say(f"{event.type} has no screen of its own", "warning")

    # Commands of the whole program

    def cmd_app_palette(self, _: Context) -> None:
        """Opens the command palette."""
        from vibehq_tui.tui.palette import Palette  # noqa: PLC0415 - screens and dialogs are loaded when first opened

        self.push_screen(Palette(self.active_commands(), self.command_context(), self.keymap), self._run_chosen)

    def _run_chosen(self, id_: str | None) -> None:
        if id_ is not None:
            self.run_command(id_)

    def cmd_app_help(self, _: Context) -> None:
        """Opens help on what is focused."""
        from vibehq_tui.tui.screens.help import HelpScreen  # noqa: PLC0415 - screens and dialogs are loaded when first opened

        self.push_screen(HelpScreen(self.active_commands(), self.keymap))

    def cmd_app_back(self, _: Context) -> None:
        """Back to where one came from."""
        if len(self.screen_stack) > 1:
            self.pop_screen()
        elif not self.main.go_back():
            self.say("nothing to go back from; q quits")

    def cmd_app_theme(self, _: Context) -> None:
        """The next theme; remembered."""
        self.theme = themes.following(self.theme)
        preferences.write_preferences(self._preferences_file, {"theme": self.theme})
        self.say(f"theme: {themes.PALETTES[self.theme].title}")

    def cmd_app_redraw(self, _: Context) -> None:
        """Paints everything again."""
        self.refresh(repaint=True, layout=True)
        self.screen.refresh(repaint=True, layout=True)

    async def cmd_app_quit(self, _: Context) -> None:
        """Leaves, once the commands under way are done."""
        await self.commands_done()
        self.exit(0)

    def cmd_list_filter(self, _: Context) -> None:
        """Opens the filter line for the focused list."""
        from vibehq_tui.tui.widgets.filter_bar import FilterBar  # noqa: PLC0415 - screens and dialogs are loaded when first opened

        if isinstance(self.focused, LongList):
            self.screen.mount(FilterBar(self.focused))

    def cmd_list_copy(self, _: Context) -> None:
        """Copies ids."""
        self._copy(whole=False)

    def cmd_list_copy_all(self, _: Context) -> None:
        """Copies rows."""
        self._copy(whole=True)

    def _copy(self, *, whole: bool) -> None:
        if isinstance(self.focused, LongList) and (text := self.focused.copy_text(whole)):
            self.copy_to_clipboard(text)
            lines = text.count("\n") + 1
            self.say(f"copied {text}" if lines == 1 else f"copied {lines} lines")


async def _run(root: Path, read_only: bool, ascii_only: bool) -> int:
    async with await Headquarters.open(root, via="tui", read_only=read_only) as hq:
        app = VibeApp(hq, ascii_only=ascii_only)
        await app.prepare()
        code = await app.run_async() or 0
        if app._exception is not None:
            raise app._exception  # the command line keeps the traceback in the crash log and says where
        return code


def run(root: Path, *, read_only: bool = False, ascii_only: bool = False) -> int:
    """Shows the screens of the workspace at ``root`` until the operator leaves.

    :param read_only: look, but change nothing.
    :param ascii_only: draw with ASCII characters only.
    :returns: the exit code.
    :raises VibeError: when the workspace cannot be opened.
    """
    return asyncio.run(_run(root, read_only, ascii_only))
