"""A task: what is to be done, what belongs to it, and what it waits for and unblocks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from textual.widget import Widget

from storage.query import Query
from storage.records import Assignment, Event, Execution, Patch, Task
from storage.store import Tx
from vibehq_tui.headquarters import Headquarters
from vibehq_tui.tasks.graph import TaskGraph
from vibehq_tui.text.clean import clean
from vibehq_tui.text.glyphs import PRIORITIES, TASK_STATES, sign
from vibehq_tui.tui.screens import detail_texts as texts
from vibehq_tui.tui.screens.two_columns import TwoColumns
from vibehq_tui.tui.widgets.detail import Document, Target
from vibehq_tui.tui.widgets.graph_layout import Neighbourhood
from vibehq_tui.tui.widgets.graph_view import GraphView
from vibehq_tui.tui.widgets.rows import Part

_PROSE = (("details", "Details"), ("testStrategy", "Test strategy"), ("test_strategy", "Test strategy"))
_FACTS = ("id", "title", "status", "priority", "dependencies", "description", "owner", "assignee", "phase", "subtasks")
_KNOWN = frozenset((*_FACTS, *(key for key, _ in _PROSE)))
_MOST_PATCHES = 20
_MOST_RUNS = 10
_MOST_EVENTS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    """All that the screen shows, of one moment."""

    task: Task
    subtasks: list[Task]
    patches: list[Patch]
    runs: list[Execution]
    events: list[Event]
    assignment: Assignment | None
    tasks: dict[str, Task]


class TaskDetailScreen(TwoColumns):
    """Shows a task, live."""

    COMMAND_SCOPES: ClassVar[tuple[str, ...]] = ("task",)
    KIND = "task"
    TITLES = ("Task", "What belongs to it")

    def __init__(self, hq: Headquarters, subject_id: str) -> None:
        super().__init__(hq, subject_id)
        self._facts: _Facts | None = None

    def below(self) -> Iterable[Widget]:
        """The graph."""
        self.graph = GraphView(id="graph")
        self.graph.border_title = "Dependencies"
        self.graph.display = False
        yield self.graph

    # -- reading ---------------------------------------------------------------------------------------------------

    def concerns(self, event: Event) -> bool:
        """The task itself, its patches, and every change of the tasks files, which may change what it waits for."""
        return event.task == self.subject_id or event.type.startswith("task") or super().concerns(event)

    async def read(self) -> None:
        """Reads the task and what belongs to it."""
        task = await self.hq.tasks.get(self.subject_id)
        graph = await self.hq.tasks.graph()
        facts = await self.hq.store.read(lambda tx: self._read_facts(tx, task))
        self.record = task
        self._facts = facts
        self.show()
        self._show_graph(graph, facts)

    def _read_facts(self, tx: Tx, task: Task) -> _Facts:
        mine = Query(where={"task": task.id})
        return _Facts(
            task=task,
            subtasks=tx.tasks.subtasks(task.id),
            patches=tx.patches.page(mine, 0, _MOST_PATCHES),
            runs=tx.executions.page(mine, 0, _MOST_RUNS),
            events=tx.events.page(mine, 0, _MOST_EVENTS),
            assignment=tx.providers.assignment(task.id),
            tasks={one.id: one for one in tx.tasks.all()},
        )

    # -- showing ---------------------------------------------------------------------------------------------------

    def show(self) -> None:
        """Shows the task and what belongs to it."""
        facts = self._facts
        if facts is None:
            return
        ascii_only = self.command_app.ascii_only
        self._show_title(facts.task, ascii_only)
        text, aside = self.begin_columns()
        self._describe(aside, facts, ascii_only)
        _prose(text, facts.task, self.hq.store.clock.now())
        self._related(aside, facts, ascii_only)
        self.show_columns(text, aside)

    def _show_title(self, task: Task, ascii_only: bool) -> None:
        state = sign(TASK_STATES, task.state)
        priority = sign(PRIORITIES, task.priority)
        self.title_line.show(
            (
                Part(f"{state.text(ascii_only)} ", state.tone),
                Part(f"{task.id}  ", "accent"),
                Part(clean(task.title, 200), "strong"),
            ),
            (Part(f"{priority.text(ascii_only)} {priority.word}  ", priority.tone), Part(state.word, state.tone)),
        )

    def _describe(self, document: Document, facts: _Facts, ascii_only: bool) -> None:
        task, now = facts.task, self.hq.store.clock.now()
        state = sign(TASK_STATES, task.state)
        status = f"  ({task.status})" if task.status != task.state else ""
        document.fact("state", (Part(f"{state.text(ascii_only)} {state.word}", state.tone), Part(status, "dim")))
        document.fact("priority", task.priority)
        document.fact("owner", task.owner or "")
        document.fact("phase", task.phase or "")
        document.fact("part of", task.parent or "", Target("task", task.parent) if task.parent else None)
        if task.blocked_by:
            document.fact("waits for", Part(", ".join(task.blocked_by), "error" if task.state == "broken" else ""))
        if task.critical:
            document.fact("critical", "on the longest chain of open tasks")
        if facts.assignment is not None:
            given = facts.assignment
            document.fact("provider", (Part(given.provider, "strong"), ""), Target("provider", given.provider))
            document.fact("", (Part(f"{given.reason} · by {given.by}, {texts.ago(given.at, now)}", "dim"),))
        document.fact("file", Part(task.source + (f" · {task.tag}" if task.tag else ""), "dim"))

    def _related(self, document: Document, facts: _Facts, ascii_only: bool) -> None:
        now = self.hq.store.clock.now()
        task = facts.task
        if facts.subtasks:
            done = sum(one.state == "done" for one in facts.subtasks)
            document.heading("Subtasks", f"{done} of {len(facts.subtasks)} done")
            for one in facts.subtasks:
                state = sign(TASK_STATES, one.state)
                role = "dim" if one.state in ("done", "cancelled") else ""
                document.row(
                    (
                        Part(f"{state.text(ascii_only)} ", state.tone),
                        Part(f"{one.id} ", role or "strong"),
                        Part(one.title, role),
                    ),
                    Target("task", one.id),
                    hanging=2,
                )
        document.heading("Patches", "" if facts.patches else "none yet")
        texts.patch_rows(document, facts.patches, now, ascii_only)
        if facts.runs:
            document.heading("Runs")
            texts.execution_rows(document, facts.runs, now, ascii_only)
        document.heading("Events", "" if facts.events else "none yet")
        texts.event_rows(document, facts.events, now, about=("task", task.id))

    def _show_graph(self, graph: TaskGraph, facts: _Facts) -> None:
        task = facts.task
        waits_for = {key: (*graph.dependencies.get(key, ()), *graph.missing.get(key, ())) for key in facts.tasks}
        self.graph.display = bool(waits_for.get(task.id) or graph.dependents.get(task.id))
        self.graph.show(
            Neighbourhood(
                center=task.id,
                tasks=facts.tasks,
                waits_for=waits_for,
                unblocks=graph.dependents,
                cyclic=graph.cyclic,
            )
        )

    # -- what happens on the screen --------------------------------------------------------------------------------

    def on_graph_view_opened(self, event: GraphView.Opened) -> None:
        """Goes to another task."""
        event.stop()
        if event.task_id == self.subject_id:
            self.command_app.say("this is the task that is shown")
        elif self._facts is None or event.task_id not in self._facts.tasks:
            self.command_app.say(f"there is no task {event.task_id}", "warning")
        else:
            self.opener.open_task(event.task_id)


def _prose(document: Document, task: Task, now: int) -> None:
    """Description, details, test strategy, and whatever else the file says."""
    if task.description:
        document.heading("Description")
        document.text(task.description)
    for key, title in _PROSE:
        value = task.data.get(key)
        if isinstance(value, str) and value.strip():
            document.heading(title)
            document.text(value)
    rest = {key: value for key, value in task.data.items() if key not in _KNOWN and _says_something(value)}
    if rest:
        document.heading("In the tasks file too")
        texts.evidence(document, rest, now)
    if not document.entries:
        document.row(Part("the tasks file says no more than the title", "dim"))


def _says_something(value: Any) -> bool:
    return value is not None and value not in ("", [], {})
