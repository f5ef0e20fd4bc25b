"""Checks a tasks file and makes records of its tasks.

What cannot be taken for a task at all (no JSON, no list, no id, no title) is an error: the file is not mirrored and the
last good state stays. Everything else (an unknown status, a dependency that no task has, a circle, an id that stands
twice) is a warning: the task is mirrored, as ``broken`` where it cannot be worked on, and everybody else is not held up
by it. Of two tasks with one id the first counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from types import NoneType
from typing import Any, Final

from storage.records import Task
from vibehq_tui.tasks.document import Document, Node, kind
from vibehq_tui.tasks.graph import TaskGraph, build_graph, rank
from vibehq_tui.tasks.index import index_tasks, place_of, shown, task_id
from vibehq_tui.tasks.problems import ProblemList, TaskProblem, nearest
from vibehq_tui.tasks.words import PRIORITIES, SATISFIED, STATUSES

UNTITLED: Final = "(no title)"
_OWNER_KEYS: Final = ("owner", "assignee")
_TEXT_KEYS: Final = ("description", "details", "testStrategy", "owner", "assignee", "phase", "uuid", "note")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A tasks file that was checked."""

    tasks: tuple[Task, ...]
    """Tasks and subtasks in the order of the file, their states worked out without patches."""
    graph: TaskGraph
    problems: tuple[TaskProblem, ...]
    nodes: dict[str, Node]
    """Id → where the task stands in the document."""
    broken: bool
    """Whether there is an error, so that nothing of it may be mirrored."""


def check(document: Document) -> Checked:
    """Checks every task of a document and works out the graph."""
    return _Check(document).run()


def owner_of(value: dict[str, Any]) -> str | None:
    """Who does a task, as the file says it."""
    found = next((value[key] for key in _OWNER_KEYS if value.get(key)), None)
    return found if isinstance(found, str) else None


@dataclass(slots=True, kw_only=True)
class _Draft:
    """A task on its way to a record."""

    id: str
    node: Node
    title: str
    status: str
    priority: str
    dependencies: tuple[str, ...]
    parent: str | None
    position: int
    done: list[bool]
    """For each subtask whether it is done."""


class _Check:
    """One run over one document."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._problems: ProblemList = document.problems
        self._index = index_tasks(document, document.problems)
        self._drafts: dict[str, _Draft] = {}
        self._broken: set[str] = set()

    def run(self) -> Checked:
        for key, node in self._index.nodes.items():
            self._drafts[key] = self._draft(node, key, node.value)
        drafts = list(self._drafts.values())
        for draft in drafts:
            if draft.dependencies:
                draft.dependencies = self._resolved(draft)
            if draft.parent is not None:
                self._drafts[draft.parent].done.append(draft.status in SATISFIED)
        graph = build_graph(drafts, self._broken)
        self._check_dependencies(drafts, graph)
        return Checked(
            tasks=tuple(_record(draft, graph, self._document.file) for draft in drafts),
            graph=graph,
            problems=self._problems.all(),
            nodes=self._index.nodes,
            broken=self._problems.broken,
        )

    # -- one task --------------------------------------------------------------------------------------------------

    def _draft(self, node: Node, key: str, value: dict[str, Any]) -> _Draft:
        status = self._word(node, key, value, "status", STATUSES, "pending")
        if status not in STATUSES:
            self._broken.add(key)
        for name in _TEXT_KEYS:
            if name in value and not isinstance(value[name], (str, NoneType)):
                self._warn(node, key, "wrong-type", f"has to be a string, not {kind(value[name])}", name)
        if not isinstance(value.get("subtasks"), (list, NoneType)):
            message = f"has to be a list of subtasks, not {kind(value['subtasks'])}"
            self._warn(node, key, "wrong-type", message, "subtasks")
        return _Draft(
            id=key,
            node=node,
            title=self._title(node, key, value),
            status=status,
            priority=self._word(node, key, value, "priority", PRIORITIES, "medium"),
            dependencies=self._dependencies(node, key, value),
            parent=self._index.parents.get(key),
            position=len(self._drafts),
            done=[],
        )

    def _warn(self, node: Node, key: str, code: str, message: str, *steps: str | int, **more: Any) -> None:
        path = (*node.path, *steps)
        self._problems.warning(code, message, path=path, at=place_of(self._document, node, *steps), task=key, **more)

    def _title(self, node: Node, key: str, value: dict[str, Any]) -> str:
        title = value.get("title")
        if isinstance(title, str):
            if title.strip():
                return title
            self._warn(node, key, "empty-title", "the title is empty", "title")
            return UNTITLED
        message = "title is missing" if title is None else f"has to be a string, not {kind(title)}"
        if node.parent is None:
            at = place_of(self._document, node, "title")
            self._problems.error("bad-title", message, path=(*node.path, "title"), at=at, task=key)
        else:
            self._warn(node, key, "bad-title", message, "title")
        return UNTITLED

    def _word(
        self, node: Node, key: str, value: dict[str, Any], name: str, allowed: Sequence[str], default: str
    ) -> str:
        """A word out of a few: as it stands in the file, also where it is not one of them."""
        word = value.get(name)
        if word is None and name not in value:
            return default
        if isinstance(word, str) and word in allowed:
            return word
        message = f"{shown(word)} is no {name}; it is one of {', '.join(allowed)}"
        hint = nearest(word, allowed) if isinstance(word, str) else ""
        self._warn(node, key, f"unknown-{name}", message, name, allowed=tuple(allowed), hint=hint)
        if isinstance(word, str):
            return word
        return shown(word) if name == "status" else default

    def _dependencies(self, node: Node, key: str, value: dict[str, Any]) -> tuple[str, ...]:
        raw = value.get("dependencies")
        if raw is None:
            return ()
        if not isinstance(raw, list):
            self._broken.add(key)
            message = f"has to be a list of ids, not {kind(raw)}"
            self._warn(node, key, "wrong-type", message, "dependencies")
            return ()
        found: list[str] = []
        for number, one in enumerate(raw):
            own = task_id(one)
            if own is None and isinstance(one, float):
                own = repr(one)
                message = f'the number {own} is taken for the subtask "{own}"; write it as a string'
                self._warn(node, key, "number-id", message, "dependencies", number)
            if own is None:
                self._broken.add(key)
                message = f"has to be an id, not {shown(one)}"
                self._warn(node, key, "wrong-type", message, "dependencies", number)
            else:
                found.append(own)
        return tuple(dict.fromkeys(found))

    # -- all tasks together ----------------------------------------------------------------------------------------

    def _resolved(self, draft: _Draft) -> tuple[str, ...]:
        """Dependencies as ids of the workspace: siblings of a subtask first, then tasks of the same tag."""
        prefix = draft.node.list.prefix
        wanted = [self._resolve(one, draft.parent, prefix) for one in draft.dependencies]
        return tuple(dict.fromkeys(wanted))

    def _resolve(self, one: str, parent: str | None, prefix: str) -> str:
        if parent is not None and f"{parent}.{one}" in self._drafts:
            return f"{parent}.{one}"
        return prefix + one if prefix + one in self._drafts else one

    def _near(self, one: str, parent: str | None) -> str:
        return nearest(one, [key for key, draft in self._drafts.items() if draft.parent == parent])

    def _check_dependencies(self, drafts: Sequence[_Draft], graph: TaskGraph) -> None:
        for draft in drafts:
            for one in graph.missing.get(draft.id, ()):
                message = f"task {draft.id} depends on {one!r}, which no task has as its id"
                hint = partial(self._near, one, draft.parent)
                self._warn(draft.node, draft.id, "missing-dependency", message, "dependencies", hint=hint)
            if graph.standings[draft.id].state != "blocked":
                continue
            for one in draft.dependencies:
                if self._drafts[one].status == "cancelled":
                    message = f"task {draft.id} waits for {one}, which is cancelled: it will never be ready"
                    self._warn(draft.node, draft.id, "cancelled-dependency", message, "dependencies")
        for circle in graph.cycles:
            node = self._drafts[circle[0]].node
            way = " → ".join((*circle, circle[0]))
            message = f"task {circle[0]} depends on itself" if len(circle) == 1 else f"tasks wait for each other: {way}"
            self._warn(node, circle[0], "cycle", message, "dependencies")


def _record(draft: _Draft, graph: TaskGraph, file: str) -> Task:
    standing = graph.standings[draft.id]
    value = draft.node.value
    description, phase = value.get("description"), value.get("phase")
    return Task(
        id=draft.id,
        title=draft.title,
        status=draft.status,
        priority=draft.priority,
        dependencies=draft.dependencies,
        state=standing.state,
        blocked_by=standing.blocked_by,
        parent=draft.parent,
        tag=draft.node.list.tag,
        source=file,
        owner=owner_of(value),
        phase=phase if isinstance(phase, str) and phase else None,
        description=description if isinstance(description, str) else "",
        position=draft.position,
        rank=rank(standing.state, standing.merit),
        subtasks_done=sum(draft.done),
        subtasks_total=len(draft.done),
        critical=standing.critical,
        data={name: item for name, item in value.items() if name != "subtasks"},
    )
