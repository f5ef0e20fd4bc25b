"""The main screen: five panes, the status strip above, the keys below."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.content import Content
from textual.message import Message
from textual.screen import Screen

from storage.errors import VibeError
from storage.records import Patch
from vibehq_tui.headquarters import Headquarters, Overview
from vibehq_tui.text.clean import clean
from vibehq_tui.tui.commands import Context
from vibehq_tui.tui.dispatch import CommandApp
from vibehq_tui.tui.gather import Gathered
from vibehq_tui.tui.panes import welcome
from vibehq_tui.tui.panes.facts import facts
from vibehq_tui.tui.panes.issues import IssuesPane
from vibehq_tui.tui.panes.patches import PatchesPane, policy_of
from vibehq_tui.tui.panes.providers import ProvidersPane
from vibehq_tui.tui.panes.tasks import TasksPane
from vibehq_tui.tui.panes.terminal import TerminalPane
from vibehq_tui.tui.widgets.footer import CommandFooter
from vibehq_tui.tui.widgets.pane import Pane
from vibehq_tui.tui.widgets.pane_tabs import PaneTabs
from vibehq_tui.tui.widgets.panes_layout import Panes
from vibehq_tui.tui.widgets.preview import DiffPreview
from vibehq_tui.tui.widgets.rows import Cell, Part
from vibehq_tui.tui.widgets.status_strip import StatusStrip

_OVERVIEW_EVERY = 0.2
_LOGS_EVERY = 0.1


class MainScreen(Screen[None]):
    """Shows the workspace, and keeps showing it as it is."""

    COMMAND_SCOPES: ClassVar[tuple[str, ...]] = ("main",)
    AUTO_FOCUS = "#patches"
    BLANK = True

    class Shown(Message):
        """The first paint is done, and the numbers are there: what takes time may begin."""

    def __init__(self, hq: Headquarters, *, ascii_only: bool) -> None:
        super().__init__()
        self._hq = hq
        self.strip = StatusStrip()
        self.tasks = TasksPane(hq, ascii_only=ascii_only)
        self.patches = PatchesPane(hq, ascii_only=ascii_only)
        self.issues = IssuesPane(hq, ascii_only=ascii_only)
        self.providers = ProvidersPane(hq, ascii_only=ascii_only)
        self.terminal = TerminalPane(hq, ascii_only=ascii_only)
        self.preview = DiffPreview(id="preview")
        self.by_name: dict[str, Pane] = {
            pane.NAME: pane for pane in (self.tasks, self.patches, self.issues, self.providers, self.terminal)
        }
        self._tabs = PaneTabs(self._focus_pane)
        self._panes = Panes(self._tabs, *self.by_name.values(), self.preview)
        self._overview = Gathered(self._read_overview, _OVERVIEW_EVERY)
        self._logs = Gathered(self._read_log_sources, _LOGS_EVERY)
        self._previewed: tuple[str, int] | None = None
        self._numbers: Overview | None = None

    async def prepare(self) -> None:
        """Reads the first rows of what comes from the store alone, so that the first paint shows them.

        :raises VibeError: when the store cannot be read.
        """
        if await self._hq.store.read(lambda tx: tx.executions.running()):
            await self._read_log_sources()
        for pane in (self.tasks, self.patches, self.issues, self.terminal):
            await pane.prepare()

    def compose(self) -> ComposeResult:
        """Strip, panes, keys."""
        yield self.strip
        yield self._panes
        yield CommandFooter()

    def on_mount(self) -> None:
        """Shows the rows; everything else comes after the first paint."""
        self.preview.show(welcome.PREVIEW, b"")
        app = self.app
        assert isinstance(app, CommandApp)
        app.cursor_rested.subscribe(self, self._follow_preview)
        self._update_tabs()
        self.call_after_refresh(self._begin)

    # Live

    def _begin(self) -> None:
        self.providers.begin()
        self._overview.poke()
        self.run_worker(self._overview.run(), name="overview", group="overview")
        self._logs.poke()
        self.run_worker(self._logs.run(), name="log sources", group="logs")
        for kind in ("worker", "build"):
            self.run_worker(self._follow_logs(kind), name=f"follow {kind} logs", group="logs")
        self._tick_at_the_minute()

    async def _follow_logs(self, kind: str) -> None:
        heads = await self._hq.store.read_logs(lambda tx: tx.lines.head(kind))
        async for _ in self._hq.store.follow_logs(kind, after_seq=heads):
            self._logs.poke()

    async def _read_log_sources(self) -> None:
        running = await self._hq.store.read(lambda tx: tx.executions.running())
        self.terminal.show_logs(await self._hq.store.read_logs(lambda tx: tx.lines.sources()), running)

    def refresh_areas(self, areas: frozenset[str]) -> None:
        """Something happened: reads the panes again that it concerns."""
        for name in areas:
            if name in self.by_name:
                self.by_name[name].reload()
        if "providers" in areas:
            self._logs.poke()  # an agent may have begun or ended
        self._overview.poke()

    def refresh_all(self) -> None:
        """Reads everything again."""
        self._previewed = None
        self.refresh_areas(frozenset(self.by_name))

    def _tick_at_the_minute(self) -> None:
        """Once a minute the clock and the ages move on."""
        now = self._hq.store.clock.now()
        self.set_timer(60 - now / 1000 % 60, self._tick)

    def _tick(self) -> None:
        self.refresh_all()
        self._tick_at_the_minute()

    async def _read_overview(self) -> None:
        first = self._numbers is None
        try:
            self._numbers = await self._hq.overview()
        except VibeError as error:
            self.app.notify(clean(error.message), severity="error", markup=False)
            return
        self.strip.show(self._numbers, self._hq.store.clock.now(), self._hq.read_only)
        for name, text in facts(self._numbers).items():
            self.by_name[name].tell(text)
        self._update_tabs()
        if first:
            self.post_message(self.Shown())

    # Preview

    def _follow_preview(self, _: None = None) -> None:
        """The preview follows the patch under the cursor, once it rests."""
        row = self.patches.row
        patch = row.record if row else None
        wanted = (patch.id, patch.updated_at) if patch else None
        if wanted == self._previewed:
            return
        self._previewed = wanted
        if patch is None:
            self.preview.border_title = ""
            self.preview.show(welcome.PREVIEW, b"")
        else:
            self.run_worker(self._show_preview(patch), name="preview", group="preview", exclusive=True)

    async def _show_preview(self, patch: Patch) -> None:
        remarks: list[Cell] = []
        try:
            diff = await self._hq.patches.diff(patch.id)
        except VibeError as error:
            diff = b""
            remarks.append(Part(error.message, "error"))
        if patch.reason and patch.state in ("conflicted", "failed", "rejected"):
            remarks.append(Part(patch.reason, "dim" if patch.state == "rejected" else "error"))
        if (rule := policy_of(patch)) is not None:
            remarks.append(Part(rule[1], "warn" if rule[0] == "warning" else "error"))
        if patch.repairs:
            places = "place" if patch.repairs == 1 else "places"
            remarks.append(Part(f"repaired in {patch.repairs} {places}; enter shows where", "wait"))
        by = f"{patch.provider or patch.submitted_by}"
        target = f" for task {patch.task}" if patch.task else ""
        self.preview.border_title = Content(clean(f"{patch.id} · {patch.title} · {by}{target}", 200))
        self.preview.show(remarks, diff)

    # Panes

    def _focus_pane(self, name: str) -> None:
        self.by_name[name].focus()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """The focused pane is the one that a small screen shows."""
        if isinstance(event.widget, Pane):
            self._panes.show(event.widget.NAME)
            self._update_tabs()

    def on_resize(self) -> None:
        """Another size may leave room for one pane only."""
        self._update_tabs()

    def _update_tabs(self) -> None:
        told = facts(self._numbers) if self._numbers else {}
        tabs = []
        for name, pane in self.by_name.items():
            label = f"{pane.NUMBER} {pane.TITLE}"
            tabs.append((name, " · ".join((label, *told.get(name, ())[:1])), label))
        self._tabs.show(tabs, self._panes.active)

    @property
    def pane(self) -> Pane:
        """The focused pane, or the one that was focused last."""
        return self.by_name[self._panes.active]

    def cmd_pane_tasks(self, _: Context) -> None:
        """Pane 1."""
        self._focus_pane("tasks")

    def cmd_pane_patches(self, _: Context) -> None:
        """Pane 2."""
        self._focus_pane("patches")

    def cmd_pane_issues(self, _: Context) -> None:
        """Pane 3."""
        self._focus_pane("issues")

    def cmd_pane_providers(self, _: Context) -> None:
        """Pane 4."""
        self._focus_pane("providers")

    def cmd_pane_terminal(self, _: Context) -> None:
        """Pane 5."""
        self._focus_pane("terminal")

    def cmd_pane_next(self, _: Context) -> None:
        """The next pane, around the end."""
        self._step(1)

    def cmd_pane_previous(self, _: Context) -> None:
        """The pane before."""
        self._step(-1)

    def _step(self, step: int) -> None:
        names = list(self.by_name)
        self._focus_pane(names[(names.index(self._panes.active) + step) % len(names)])

    def cmd_pane_next_view(self, _: Context) -> None:
        """The next view of the pane."""
        self.pane.step_view(1)

    def cmd_pane_previous_view(self, _: Context) -> None:
        """The view before."""
        self.pane.step_view(-1)

    def cmd_pane_zoom(self, _: Context) -> None:
        """One pane, or all."""
        self._panes.show(self._panes.active, zoomed=not self._panes.zoomed)

    def go_back(self) -> bool:
        """Takes back the filter, the marks, the view or the zoom; False when there is none of them."""
        pane = self.pane
        if pane.filter_text:
            pane.set_filter("")
        elif pane.marked:
            pane.clear_marks()
        elif pane.view is not pane.views[0]:
            pane.show_view(pane.views[0])
        elif self._panes.zoomed:
            self._panes.show(self._panes.active, zoomed=False)
        else:
            return False
        return True
