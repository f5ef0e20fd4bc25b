"""The mirror of the tasks files."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from storage.query import Query
from storage.records import Task
from storage.table import DICT, FLAG, LIST, Repository, Table, dump

_DERIVED = ("state", "blocked_by", "rank", "critical")
"""What is worked out from the graph and the patches rather than read from the file."""


class TaskRepository(Repository[Task]):
    """Tasks and subtasks. Pages and counts leave subtasks out unless they ask for a ``parent``."""

    table = Table(
        name="tasks",
        record=Task,
        order="rank, position, id",
        codecs={"dependencies": LIST, "blocked_by": LIST, "critical": FLAG, "data": DICT},
        search=("id", "title", "status", "state", "priority", "owner", "phase", "tag", "description"),
        sorts={
            "priority": "CASE priority WHEN 'critical' THEN 0 WHEN 'highest' THEN 0 WHEN 'high' THEN 1"
            " WHEN 'medium' THEN 2 WHEN 'low' THEN 3 WHEN 'lowest' THEN 4 ELSE 5 END",
        },
    )

    def get(self, task: str) -> Task | None:
        """A task or subtask by its id."""
        return self._find("id = ?", (task,))

    def all(self) -> list[Task]:
        """Every task and subtask, in the order of the files."""
        return self._select("ORDER BY source, position, id")

    def subtasks(self, parent: str) -> list[Task]:
        """The subtasks of a task, in the order of the file."""
        return self._select("WHERE parent = ? ORDER BY position, id", (parent,))

    def replace_all(self, source: str, tasks: Sequence[Task]) -> tuple[list[str], list[str], list[str]]:
        """Makes the mirror of one file equal to ``tasks``; writes only the rows that differ.

        Where an id stands twice the last one counts; one that another source holds is taken over.

        :returns: the ids that were added, changed and removed. A task counts as changed when it differs in what the
            file says; state, blocked_by, rank and critical are written as given, without being counted.
        """
        wanted = {
            task.id: task if task.source == source else dataclasses.replace(task, source=source) for task in tasks
        }
        present = {task.id: task for task in self._select("")}
        added, changed = [], []
        for key, task in wanted.items():
            old = present.get(key)
            if old == task:
                continue
            if old is None:
                added.append(key)
            elif _from_file(old) != _from_file(task):
                changed.append(key)
            self._upsert(task)
        removed = [key for key, task in present.items() if task.source == source and key not in wanted]
        for key in removed:
            self._tx.execute("DELETE FROM tasks WHERE id = ?", (key,))
        return added, changed, removed

    def set_states(self, states: Mapping[str, tuple[str, Sequence[str], int, bool]]) -> list[str]:
        """Sets ``(state, blocked_by, rank, critical)`` of tasks by id; writes only those that differ.

        :returns: the ids of the tasks that changed, in the order given. Unknown ids are passed over.
        """
        present = {row[0]: row[1:] for row in self._tx.rows("SELECT id, state, blocked_by, rank, critical FROM tasks")}
        changed = []
        for key, (state, blocked_by, rank, critical) in states.items():
            row = (state, dump(list(blocked_by)), rank, int(critical))
            old = present.get(key)
            if old is None or old == row:
                continue
            changed.append(key)
            if old[0] == state:
                self._tx.execute(
                    "UPDATE tasks SET state = ?, blocked_by = ?, rank = ?, critical = ? WHERE id = ?", (*row, key)
                )
            else:
                task = self.get(key)
                if task is not None:  # its state is part of what filters look through
                    fields = {"state": state, "blocked_by": tuple(blocked_by), "rank": rank, "critical": critical}
                    self._change(task, fields)
        return changed

    def source_stamp(self, source: str) -> str | None:
        """What :meth:`set_source_stamp` last noted for a file."""
        stamp: str | None = self._tx.value("SELECT stamp FROM task_sources WHERE source = ?", (source,))
        return stamp

    def set_source_stamp(self, source: str, stamp: str) -> None:
        """Notes which state of a file the mirror shows."""
        self._tx.execute(
            "INSERT INTO task_sources (source, stamp) VALUES (?, ?)"
            " ON CONFLICT (source) DO UPDATE SET stamp = excluded.stamp",
            (source, stamp),
        )

    def _where(self, query: Query) -> tuple[str, list[object]]:
        if "parent" in query.where:
            return self.table.where(query)
        return self.table.where(query, "parent IS NULL")


def _from_file(task: Task) -> Task:
    return dataclasses.replace(task, state="", blocked_by=(), rank=0, critical=False)
