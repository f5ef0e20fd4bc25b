"""How a checked tasks file comes into the store, with the events that tell of it. Runs inside a transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from storage.query import Query
from storage.records import Task, to_wire
from storage.store import Tx
from vibehq_tui.contracts import events
from vibehq_tui.tasks.graph import RANK_STEP, rank, state_with_patches, state_without_patches
from vibehq_tui.tasks.problems import TaskProblem

FILE_ACTOR: Final = "file"
"""Who is said to have done what was found in the file: it does not tell."""

_SEEN: Final = "tasks.seen"
_WAITING: Final = "tasks.waiting"
_TOLD: Final = 50
"""Changes of one file that are told one by one; the rest is in the summary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The tasks file as it was when somebody last looked."""

    source: str
    stamp: str
    problems: tuple[TaskProblem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirrored:
    """What came of it."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    unblocked: tuple[str, ...] = ()
    """Tasks that became ready."""
    before: Mapping[str, Task] = field(default_factory=dict)
    """The mirror as it was."""


def last_seen(tx: Tx) -> Seen | None:
    """What :func:`note_seen` noted."""
    noted = tx.settings.get(_SEEN)
    if not noted:
        return None
    problems = tuple(TaskProblem(**{**one, "allowed": tuple(one["allowed"])}) for one in noted["problems"])
    return Seen(source=noted["source"], stamp=noted["stamp"], problems=problems)


def note_seen(tx: Tx, seen: Seen) -> None:
    """Notes how the file was found, so that it need not be read again before it changes."""
    tx.settings.put(_SEEN, {"source": seen.source, "stamp": seen.stamp, "problems": to_wire(seen.problems)})


def mirror(tx: Tx, source: str, tasks: Sequence[Task]) -> Mirrored:
    """Makes the mirror equal to ``tasks``, their states as the open patches have them. Appends no event."""
    before = {task.id: task for task in tx.tasks.all()}
    waiting = _with_open_patch(tx)
    held = [_waiting(task) if task.id in waiting else task for task in tasks]
    added, changed, removed = tx.tasks.replace_all(source, held)
    for other in {task.source for task in before.values()} - {source}:
        removed += tx.tasks.replace_all(other, [])[2]
    tx.settings.put(_WAITING, sorted(waiting))
    unblocked = [
        task.id
        for task in held
        if task.state == "ready" and task.id in before and before[task.id].state == "blocked" and task.parent is None
    ]
    return Mirrored(
        added=tuple(added),
        changed=tuple(changed),
        removed=tuple(removed),
        unblocked=tuple(unblocked),
        before=before,
    )


def refresh(tx: Tx) -> list[str]:
    """Gives the tasks whose patches came or went their new state; answers their ids."""
    waiting = _with_open_patch(tx)
    before = set(tx.settings.get(_WAITING) or ())
    if waiting == before:
        return []
    states: dict[str, tuple[str, Sequence[str], int, bool]] = {}
    for key in sorted(waiting ^ before):
        task = tx.tasks.get(key)
        if task is None:
            continue
        state = state_with_patches(state_without_patches(task), key in waiting)
        states[key] = (state, task.blocked_by, rank(state, task.rank % RANK_STEP), task.critical)
    tx.settings.put(_WAITING, sorted(waiting))
    return tx.tasks.set_states(states)


def needs_refresh(tx: Tx) -> bool:
    """Whether :func:`refresh` has anything to do."""
    return _with_open_patch(tx) != set(tx.settings.get(_WAITING) or ())


def tell_of_file(tx: Tx, done: Mirrored, source: str, *, own: Collection[str] = (), always: bool = False) -> None:
    """Appends the events for what somebody else changed in the file.

    :param own: ids whose change this program made itself, and tells of itself.
    :param always: tell of the file as a whole also when nothing in it changed.
    """
    added, changed, removed = (
        [key for key in keys if key not in own] for keys in (done.added, done.changed, done.removed)
    )
    told = 0
    for key in changed:
        new = tx.tasks.get(key)
        old = done.before[key]
        if new is not None and new.status != old.status and told < _TOLD:
            told += 1
            tell_status(tx, FILE_ACTOR, new, old.status, ())
    if not (always or added or changed or removed):
        return
    counts = [(len(added), "added"), (len(changed), "changed"), (len(removed), "removed")]
    message = ", ".join(f"{count} {word}" for count, word in counts if count) or "nothing changed"
    tx.events.append(
        events.TASKS_SYNCED,
        actor=FILE_ACTOR,
        subject="workspace",
        subject_id=source,
        message=f"{source}: {message}",
        data={
            "source": source,
            "added": added[:_TOLD],
            "changed": changed[:_TOLD],
            "removed": removed[:_TOLD],
            "counts": {word: count for count, word in counts},
            "unblocked": list(done.unblocked[:_TOLD]),
        },
    )


def tell_status(tx: Tx, actor: str, task: Task, before: str, unblocked: Sequence[str]) -> None:
    """Appends the event for a change of status."""
    message = f"{before} → {task.status}"
    if unblocked:
        more = f" and {len(unblocked) - 5} more" if len(unblocked) > 5 else ""
        message += f"; ready now: {', '.join(unblocked[:5])}{more}"
    tx.events.append(
        events.TASK_STATUS_CHANGED,
        actor=actor,
        subject="task",
        subject_id=task.id,
        task=task.id,
        message=message,
        data={"title": task.title, "from": before, "to": task.status, "unblocked": list(unblocked[:_TOLD])},
    )


def tell_broken(tx: Tx, source: str, problems: Sequence[TaskProblem]) -> None:
    """Appends the event for a file that cannot be taken."""
    errors = [one for one in problems if one.level == "error"]
    wire: list[Any] = to_wire(errors[:_TOLD])
    tx.events.append(
        events.TASKS_INVALID,
        actor=FILE_ACTOR,
        subject="workspace",
        subject_id=source,
        message=str(errors[0]),
        data={"source": source, "count": len(errors), "problems": wire},
    )


def _with_open_patch(tx: Tx) -> set[str]:
    """The tasks of which a patch waits to be decided or applied."""
    found = tx.patches.tally("task", Query(where={"state": ("proposed", "approved")}))
    return {key for key in found if key not in ("", "None")}


def _waiting(task: Task) -> Task:
    state = state_with_patches(task.state, True)
    return replace(task, state=state, rank=rank(state, task.rank % RANK_STEP))
