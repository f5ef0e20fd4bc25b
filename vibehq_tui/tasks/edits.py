"""The changes that an operator makes to single tasks, as edits of the file."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from storage.errors import Usage
from storage.records import Task
from storage.store import Tx
from vibehq_tui.contracts import events
from vibehq_tui.tasks.by import By, no_such_task
from vibehq_tui.tasks.index import task_id
from vibehq_tui.tasks.loading import Loaded, Opened
from vibehq_tui.tasks.mirror import Mirrored, tell_status
from vibehq_tui.tasks.problems import nearest
from vibehq_tui.tasks.rewrite import Edit
from vibehq_tui.tasks.splice import Editor
from vibehq_tui.tasks.words import PRIORITIES, STATUSES


def checked_word(word: str, allowed: Sequence[str], name: str) -> str:
    """A word out of a few, spelled as the file spells it (``In Progress`` → ``in-progress``).

    :raises Usage: naming the allowed ones, and the nearest.
    """
    folded = word.strip().casefold().replace("_", "-").replace(" ", "-")
    if folded in allowed:
        return folded
    message = f"{word!r} is no {name}; it is one of {', '.join(allowed)}"
    raise Usage(message, code=f"unknown-{name}", hint=nearest(word, allowed), details={"allowed": list(allowed)})


def status_edit(task_id: str, status: str, by: By) -> Callable[[Opened], Edit[Task]]:
    """Gives a task or a subtask another status.

    :raises Usage: for an unknown status.
    """
    wanted = checked_word(status, STATUSES, "status")
    key = task_id.strip()

    def make(opened: Opened) -> Edit[Task]:
        node = opened.nodes.get(key)
        if node is None:
            raise no_such_task(key, opened.nodes)
        before = node.value.get("status", "pending")
        editor = Editor(opened.document)
        if before != wanted:
            editor.set(node, {"status": wanted})

        def tell(tx: Tx, _: Loaded, done: Mirrored) -> Task:
            task = _mirrored(tx, key)
            if before != wanted:
                tell_status(tx, by.actor, task, str(before), done.unblocked)
                by.audit(tx, "task.status", key, f"{before} → {wanted}")
            return task

        return Edit(text=editor.result(), own={key}, tell=tell)

    return make


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTask:
    """What is known of a task that is to be added."""

    title: str
    depends: tuple[str, ...] = ()
    priority: str = "medium"
    description: str = ""
    owner: str | None = None
    details: str = ""


def add_edit(new: NewTask, by: By) -> Callable[[Opened], Edit[Task]]:
    """Adds a task at the end of the file, under the next free number.

    :raises Usage: for an empty title or an unknown priority.
    """
    if not new.title.strip():
        raise Usage("the title of a task is empty", code="empty-title", hint="say in a few words what is to be done")
    priority = checked_word(new.priority, PRIORITIES, "priority")

    def make(opened: Opened) -> Edit[Task]:
        into = opened.document.lists[0]
        nodes = opened.nodes
        for one in new.depends:
            if one not in nodes:
                raise no_such_task(one, nodes)
        raw: Any = next_id(opened)
        value: dict[str, Any] = {"id": raw, "title": new.title, "description": new.description}
        if new.details:
            value["details"] = new.details
        value |= {
            "status": "pending",
            "priority": priority,
            "dependencies": [raw_reference(opened, one) for one in dict.fromkeys(new.depends)],
        }
        if new.owner:
            value["assignee"] = new.owner
        editor = Editor(opened.document)
        editor.append(into, [value])
        key = str(raw)

        def tell(tx: Tx, _: Loaded, __: Mirrored) -> Task:
            task = _mirrored(tx, key)
            tell_added(tx, by, task)
            return task

        return Edit(text=editor.result(), own={key}, tell=tell)

    return make


def tell_added(tx: Tx, by: By, task: Task, audit: bool = True) -> None:
    """Appends the event, and the audit entry, of a task that was added."""
    tx.events.append(
        events.TASK_ADDED,
        actor=by.actor,
        subject="task",
        subject_id=task.id,
        task=task.id,
        message=task.title,
        data={"title": task.title, "status": task.status, "dependencies": list(task.dependencies)},
    )
    if audit:
        by.audit(tx, "task.add", task.id, task.title)


def next_id(opened: Opened, taken: Collection[str] = ()) -> int | str:
    """A number that no task has, of the type that the ids of the file have.

    :param taken: ids that are about to be given.
    """
    into = opened.document.lists[0]
    raw = [item.value.get("id") for item in into.items if isinstance(item.value, dict)]
    ids = [task_id(one) or "" for one in (*raw, *taken)]
    numbers = [int(one) for one in ids if one.isascii() and one.isdigit()]
    number = max(numbers, default=0) + 1
    return str(number) if raw and all(isinstance(one, str) for one in raw) else number


def raw_reference(opened: Opened, key: str) -> int | str:
    """How the id of a task stands in a list of dependencies: as it stands at the task; ``"12.4"`` for a subtask."""
    node = opened.nodes.get(key)
    if node is None or node.parent is not None:
        return key
    raw: int | str = node.value["id"]
    return raw


def _mirrored(tx: Tx, key: str) -> Task:
    task = tx.tasks.get(key)
    if task is None:
        raise no_such_task(key, ())
    return task
