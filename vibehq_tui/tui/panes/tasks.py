"""Pane 1: tasks, in the order in which they can be done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from storage.query import Query
from storage.records import Task
from storage.store import Tx
from vibehq_tui.text.forms import ranges
from vibehq_tui.text.glyphs import PRIORITIES, TASK_STATES, sign
from vibehq_tui.tui.panes import welcome
from vibehq_tui.tui.panes.records import RecordsPane
from vibehq_tui.tui.widgets.pane import View
from vibehq_tui.tui.widgets.rows import Cell, Column, Part, Row

_OPEN = ("ready", "in-progress", "waiting", "blocked", "broken")
_QUIET = frozenset({"blocked", "deferred", "done", "cancelled"})

COLUMNS = (
    Column("", 1),
    Column("id", 5),
    Column("task", 14, share=1),
    Column("owner", 8, drop=2),
    Column("pri", 3, drop=1),
)

VIEWS = (
    View(name="", where={"state": _OPEN}),
    View(name="ready", where={"state": ("ready", "in-progress")}),
    View(name="blocked", where={"state": ("blocked", "broken")}),
    View(name="done", where={"state": ("done", "cancelled", "deferred")}),
    View(name="all"),
)


def task_row(task: Task, provider: str | None, ascii_only: bool) -> Row:
    """One task: sign, id, title, who does it (or what it waits for), priority."""
    state = sign(TASK_STATES, task.state)
    priority = sign(PRIORITIES, task.priority)
    quiet = task.state in _QUIET
    owner: Cell = provider or task.owner or ""
    if task.state in ("blocked", "broken") and task.blocked_by:
        arrow = "<- " if ascii_only else "← "
        owner = Part(arrow + ranges(task.blocked_by), "error" if task.state == "broken" else "dim")
    title: Cell = task.title
    if task.subtasks_total:
        title = (task.title, Part(f" {task.subtasks_done}/{task.subtasks_total}", "dim"))
    number = Part(task.id, "dim" if quiet else "strong")
    return Row(
        key=task.id,
        cells=(
            Part(state.text(ascii_only), state.tone),
            number,
            title,
            owner,
            Part(priority.text(ascii_only), "dim" if quiet else priority.tone),
        ),
        record=task,
        role="dim" if quiet else "",
    )


class TasksPane(RecordsPane[tuple[Task, str | None]]):
    """The tasks that can be done, then those that wait."""

    COMMAND_SCOPES: ClassVar[tuple[str, ...]] = ("tasks", "list")
    NUMBER = 1
    NAME = "tasks"
    TITLE = "Tasks"
    OPENS = "task.open"
    COLUMNS = COLUMNS
    VIEWS = VIEWS
    EMPTY = welcome.TASKS
    NONE = "no task is"

    def count_in(self, tx: Tx, query: Query) -> int:
        """How many tasks there are."""
        return tx.tasks.count(query)

    def page_in(self, tx: Tx, query: Query, offset: int, limit: int) -> Sequence[tuple[Task, str | None]]:
        """Tasks with the providers that they are assigned to."""
        found = []
        for task in tx.tasks.page(query, offset, limit):
            assignment = tx.providers.assignment(task.id)
            found.append((task, assignment.provider if assignment else None))
        return found

    def row_of(self, record: tuple[Task, str | None]) -> Row:
        """The row of one."""
        return task_row(*record, self.ascii_only)
