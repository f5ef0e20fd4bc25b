"""Which task of a document has which id in the workspace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from vibehq_tui.tasks.document import Document, Node, kind
from vibehq_tui.tasks.problems import ProblemList
from vibehq_tui.tasks.spans import spell


@dataclass(slots=True)
class TaskIndex:
    """The tasks and subtasks that count, in the order of the file."""

    nodes: dict[str, Node] = field(default_factory=dict)
    """Id → where the task stands in the document."""
    parents: dict[str, str] = field(default_factory=dict)
    """Subtask → the task that it is part of."""


def task_id(value: Any) -> str | None:
    """An id or a dependency as a string; none where it is neither a whole number nor a string."""
    if isinstance(value, str):
        return value.strip() or None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def place_of(document: Document, node: Node, *steps: str | int) -> Callable[[], int]:
    """Finds the index of something in a task, when somebody wants to know."""
    return lambda: document.locate(node, *steps)[0]


def index_tasks(document: Document, problems: ProblemList) -> TaskIndex:
    """Gives every task its id; what has none that can be used, or one that is taken, goes to ``problems``."""
    found = TaskIndex()
    keys: dict[int, str] = {}
    for node in document.nodes():
        value = node.value
        if not isinstance(value, dict):
            message = f"has to be a task, not {kind(value)}"
            problems.error("wrong-type", message, path=node.path, at=place_of(document, node))
            continue
        above = keys.get(id(node.parent.value)) if node.parent else None
        if node.parent is not None and above is None:
            continue  # the parent was refused or stands twice
        key = _own_id(document, problems, node) if above is None else _sub_id(document, problems, node, above)
        if key is None:
            continue
        if key in found.nodes:
            first = spell(found.nodes[key].path)
            message = f"the id {key!r} is already that of {first}, which counts; this one is not taken"
            problems.warning("duplicate-id", message, path=node.path, at=place_of(document, node, "id"), task=key)
            continue
        keys[id(value)] = key
        found.nodes[key] = node
        if above is not None:
            found.parents[key] = above
    return found


def _own_id(document: Document, problems: ProblemList, node: Node) -> str | None:
    own = task_id(node.value.get("id"))
    if own is not None:
        return node.list.prefix + own
    message = "id is missing"
    if "id" in node.value:
        message = f"id has to be a whole number or a string, not {shown(node.value['id'])}"
    problems.error("bad-id", message, path=(*node.path, "id"), at=place_of(document, node, "id"))
    return None


def _sub_id(document: Document, problems: ProblemList, node: Node, above: str) -> str:
    own = task_id(node.value.get("id"))
    if own is None:
        own = str(node.number + 1)
        message = f"the subtask has no id that can be used; it is called {above}.{own} by its place"
        problems.warning("bad-id", message, path=(*node.path, "id"), at=place_of(document, node, "id"), task=above)
    local = above.removeprefix(node.list.prefix)
    return above + own[len(local) :] if own.startswith(local + ".") else f"{above}.{own}"


def shown(value: Any) -> str:
    """A value in a message: as it is where it is short, else what it is."""
    if isinstance(value, str):
        return repr(value if len(value) <= 40 else value[:39] + "…")
    return kind(value) if value is None or isinstance(value, (list, dict)) else repr(value)
