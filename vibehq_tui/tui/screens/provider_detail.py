"""A provider: the agent on this machine, what it can do, what became of its work, and what it is to do."""

from __future__ import annotations

from typing import ClassVar

from storage.query import Query
from storage.records import Event, Execution
from vibehq_tui.headquarters import Headquarters
from vibehq_tui.providers.status import ProviderDetail
from vibehq_tui.text.clean import clean
from vibehq_tui.text.forms import money
from vibehq_tui.text.glyphs import PATCH_STATES, PROVIDERS, TASK_STATES, sign
from vibehq_tui.tui.commands import Context
from vibehq_tui.tui.screens import detail_texts as texts
from vibehq_tui.tui.screens.two_columns import TwoColumns
from vibehq_tui.tui.widgets.detail import Document, Target
from vibehq_tui.tui.widgets.rows import Part

_BAR = 20
_MOST_OFFERED = 50
_MOST_RUNS = 10


class ProviderDetailScreen(TwoColumns):
    """Shows a provider, live."""

    COMMAND_SCOPES: ClassVar[tuple[str, ...]] = ("provider",)
    KIND = "provider"
    TITLES = ("Provider", "Record")

    def __init__(self, hq: Headquarters, subject_id: str) -> None:
        super().__init__(hq, subject_id)
        self._detail: ProviderDetail | None = None
        self._runs: list[Execution] = []
        self._titles: dict[str, tuple[str, str]] = {}

    def concerns(self, event: Event) -> bool:
        """Probes, assignments, executions and what becomes of patches."""
        return event.type.startswith(("provider", "task.assigned", "execution.", "patch."))

    async def read(self) -> None:
        """Reads the provider, its record, and the tasks that it has."""
        detail = await self.hq.providers.show(self.subject_id)
        self.record = detail.status
        given = tuple(detail.assignments)
        tasks = await self.hq.store.read(lambda tx: [task for task in map(tx.tasks.get, given) if task is not None])
        mine = Query(where={"provider": self.subject_id})
        self._runs = await self.hq.store.read(lambda tx: tx.executions.page(mine, 0, _MOST_RUNS))
        self._titles = {task.id: (task.title, task.state) for task in tasks}
        self._detail = detail
        self.show()

    def show(self) -> None:
        """Shows the provider, what it is to do, and its record."""
        detail = self._detail
        if detail is None:
            return
        ascii_only, now = self.command_app.ascii_only, self.hq.store.clock.now()
        status = detail.status
        state = sign(PROVIDERS, status.state)
        self.title_line.show(
            (
                Part(f"{state.text(ascii_only)} ", state.tone),
                Part(f"{status.name}  ", "accent"),
                Part(clean(status.title, 80), "strong"),
                Part(f"   {status.version}" if status.version else "", "dim"),
            ),
            Part(state.word, state.tone),
        )
        text, aside = self.begin_columns()
        _what(text, detail, now, ascii_only)
        self._assignments(text, detail, ascii_only)
        _record(aside, detail, self._runs, now, ascii_only)
        self.show_columns(text, aside)

    def _assignments(self, document: Document, detail: ProviderDetail, ascii_only: bool) -> None:
        document.heading("Assigned to it", "" if detail.assignments else "nothing; a assigns a task")
        for task_id, reason in detail.assignments.items():
            title, state_name = self._titles.get(task_id, ("is not in the tasks file any more", ""))
            state = sign(TASK_STATES, state_name)
            document.line(
                (Part(f"{state.text(ascii_only)} ", state.tone), Part(f"{task_id} ", "strong"), Part(title)),
                Target("task", task_id) if task_id in self._titles else None,
            )
            document.row(Part(reason, "dim"), indent=2)

    async def cmd_provider_assign(self, _: Context) -> None:
        """Gives a ready task to this provider."""
        tasks = await self.hq.tasks.page(Query(where={"state": ("ready", "in-progress", "blocked")}), 0, _MOST_OFFERED)
        offered = [(task.id, f"{task.id} {task.title}", task.state) for task in tasks]
        if not offered:
            self.command_app.say("no open task is there to be assigned", "warning")
            return
        chosen = await self.command_app.choose(f"Which task does {clean(self.subject_id, 40)} get?", offered)
        if chosen is None:
            return
        reason = await self.command_app.ask("Why?", hint="chosen by hand", required=False)
        if reason is not None:
            await self.hq.providers.assign(chosen, self.subject_id, reason or "chosen by hand")
            self.command_app.say(f"task {chosen} is for {self.subject_id} now")


def _what(document: Document, detail: ProviderDetail, now: int, ascii_only: bool) -> None:
    status = detail.status
    state = sign(PROVIDERS, status.state)
    document.fact("state", Part(f"{state.text(ascii_only)} {state.word}", state.tone))
    if status.message:
        document.fact("", Part(status.message, "error" if status.state == "broken" else "dim"))
    document.fact("version", status.version or "")
    document.fact("program", status.path or "")
    if status.install_hint and not status.installed:
        document.fact("install", Part(status.install_hint, "strong"))
        document.fact("", Part("then R looks again", "dim"))
    document.fact("command", Part(" ".join(detail.command), "" if status.installed else "dim"))
    document.fact("answers in", Part(detail.output, "dim"))
    document.fact("good at", ", ".join(status.types))
    document.fact("cost", status.cost)
    document.fact("runs", f"{status.running} of {status.max_running} at a time")
    document.fact("today", money(status.cost_micros))
    document.fact("home page", Part(status.homepage, "dim"))
    document.fact("described", Part(status.origin, "dim"))
    if status.checked_at:
        document.fact("looked for", Part(texts.ago(status.checked_at, now), "dim"))


def _record(document: Document, detail: ProviderDetail, runs: list[Execution], now: int, ascii_only: bool) -> None:
    share = detail.success_share
    document.heading("Kept", "no patch of it was decided yet" if share is None else "")
    if share is not None:
        full = round(share * _BAR)
        bar, rest = ("#", "-") if ascii_only else ("━", "─")
        tone = "ok" if share >= 0.8 else "warn" if share >= 0.5 else "error"
        document.row((Part(bar * full, tone), Part(rest * (_BAR - full), "faint"), Part(f"  {share:.0%}", "strong")))
    if detail.patches:
        document.heading("Patches")
        for name, count in sorted(detail.patches.items(), key=lambda item: -item[1]):
            state = sign(PATCH_STATES, name)
            document.row((Part(f"{count:>4}  ", "strong"), Part(f"{state.text(ascii_only)} {state.word}", state.tone)))
    if detail.executions:
        document.heading("Runs", ", ".join(f"{count} {name}" for name, count in sorted(detail.executions.items())))
        texts.execution_rows(document, runs, now, ascii_only)
    document.heading("Last errors", "" if detail.last_errors else "none")
    for failure in detail.last_errors:
        target = Target("patch", failure.id) if failure.what == "patch" else None
        document.row(
            (
                Part(f"{failure.what} {failure.id} ", "accent" if target else "strong"),
                Part(f"{failure.state}  ", "error"),
                Part(failure.message),
                Part(f"  {texts.ago(failure.at, now)}", "faint"),
            ),
            target,
            hanging=2,
        )
