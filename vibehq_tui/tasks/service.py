"""Tasks, as every face sees them: read from the mirror, written to the file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from storage.errors import VibeError
from storage.query import EVERYTHING, Query
from storage.records import Task
from storage.store import Store, Tx
from vibehq_tui.tasks import files
from vibehq_tui.tasks.by import By, no_such_task
from vibehq_tui.tasks.graph import TaskGraph, mirrored_graph
from vibehq_tui.tasks.mirror import Seen, last_seen, needs_refresh, refresh
from vibehq_tui.tasks.problems import TaskProblem
from vibehq_tui.tasks.reports import ImportReport, SyncReport
from vibehq_tui.tasks.watch import file_changes

if TYPE_CHECKING:
    from vibehq_tui.tasks.loading import TasksFile
    from vibehq_tui.tasks.rewrite import TaskWriter

__all__ = ["ImportReport", "SyncReport", "TaskService"]


class TaskService:
    """The tasks of one workspace. The file is the truth; the store mirrors it."""

    def __init__(
        self,
        store: Store,
        root: Path,
        actor: str,
        via: str,
        *,
        file: str | None = None,
        max_bytes: int = files.MAX_BYTES,
    ) -> None:
        """
        :param file: the tasks file, relative to ``root``, instead of the first usual one that exists.
        :param max_bytes: a larger file is refused.
        """
        self._store = store
        self._root = root
        self._by = By(actor, via)
        self._configured = file
        self._max_bytes = max_bytes
        self._graph: tuple[str, TaskGraph] | None = None
        self._validated: tuple[str, tuple[TaskProblem, ...]] | None = None

    @cached_property
    def _file(self) -> TasksFile:
        from vibehq_tui.tasks.loading import TasksFile  # noqa: PLC0415 - most calls find the file unchanged

        return TasksFile(self._root, self._configured, self._max_bytes)

    @cached_property
    def _writer(self) -> TaskWriter:
        from vibehq_tui.tasks.rewrite import TaskWriter  # noqa: PLC0415 - most calls write nothing

        return TaskWriter(self._store, self._file)

    # -- reading ---------------------------------------------------------------------------------------------------

    async def page(self, query: Query = EVERYTHING, offset: int = 0, limit: int = 100) -> list[Task]:
        """Tasks in the order of the screen: ready first, then by what they unblock."""
        return await self._store.read(lambda tx: tx.tasks.page(query, offset, limit))

    async def count(self, query: Query = EVERYTHING) -> int:
        """How many tasks the query finds."""
        return await self._store.read(lambda tx: tx.tasks.count(query))

    async def get(self, task_id: str) -> Task:
        """A task or a subtask (``12.4``).

        :raises NotFound: naming the nearest ids.
        """
        found = await self._store.read(lambda tx: tx.tasks.get(task_id))
        if found is None:
            raise no_such_task(task_id, [task.id for task in await self._store.read(lambda tx: tx.tasks.all())])
        return found

    async def subtasks(self, task_id: str) -> list[Task]:
        """The subtasks of a task, in the order of the file."""
        return await self._store.read(lambda tx: tx.tasks.subtasks(task_id))

    async def graph(self) -> TaskGraph:
        """How all tasks depend on each other; worked out once for each state of the file."""

        def body(tx: Tx) -> tuple[str, list[Task] | None]:
            seen = last_seen(tx)
            key = "" if seen is None else f"{seen.source} {tx.tasks.source_stamp(seen.source)}"
            known = self._graph is not None and self._graph[0] == key
            return key, None if known else tx.tasks.all()

        key, tasks = await self._store.read(body)
        if tasks is None and self._graph is not None:
            return self._graph[1]
        graph = await asyncio.to_thread(mirrored_graph, tasks or ())
        self._graph = key, graph
        return graph

    async def validate(self, path: Path | None = None) -> list[TaskProblem]:
        """What is wrong in the tasks file of the workspace, or in any other; the store is not touched."""
        if path is not None:
            inside = path.is_relative_to(self._root)
            name = str(path.relative_to(self._root)) if inside else str(path)
            return list(await asyncio.to_thread(self._file.problems, path, name))
        found = files.find(self._root, self._configured)
        if not found.exists:
            return []
        now = _identity(found)
        if now is None or self._validated is None or self._validated[0] != now:
            self._validated = now or "", await asyncio.to_thread(self._file.problems, found.path, found.source)
        return [*self._validated[1], *_about_others(found)]

    # -- following the file ----------------------------------------------------------------------------------------

    async def sync(self, force: bool = False) -> SyncReport:
        """Brings the mirror up to the file. A file that has not changed costs a look at it and one at the store.

        A broken file leaves the mirror as it was; a file that is gone empties it.

        :param force: read the file also when it seems unchanged.
        :raises Busy: when another process writes the file for too long.
        """
        found = files.find(self._root, self._configured)
        seen = await self._store.read(last_seen)
        if not force and _is_known(found, seen):
            problems = seen.problems if seen else ()
            return SyncReport(source=found.source if found.exists else "", problems=problems, others=found.others)
        from vibehq_tui.tasks.sync import TaskSync  # noqa: PLC0415 - most calls find the file unchanged

        return await TaskSync(self._store, self._file).sync(force)

    async def changes(self) -> AsyncGenerator[SyncReport, None]:
        """Follows the file: brings the mirror up to it at once and after each change; yields how it was found."""
        async with aclosing(file_changes(self._root, self._configured)) as stirrings:
            async for _ in stirrings:
                try:
                    report = await self.sync()
                except VibeError:
                    continue  # the store is busy or broken: whoever uses it says so; the next change is another try
                yield report

    async def refresh_states(self) -> list[str]:
        """Brings the states of tasks up to the patches that are open; answers the ids of those that changed."""
        if self._store.read_only or not await self._store.read(needs_refresh):
            return []
        return await self._store.write(refresh)

    # -- changing --------------------------------------------------------------------------------------------------

    async def set_status(self, task_id: str, status: str) -> Task:
        """Gives a task or a subtask another status: that one word in the file, the mirror, the event, the audit.

        :raises Usage: for an unknown status. :raises NotFound: for an unknown task.
        :raises TasksFileBroken: when the file cannot be understood. :raises Refused: when it cannot be written.
        """
        from vibehq_tui.tasks.edits import status_edit  # noqa: PLC0415 - most calls write nothing

        return await self._writer.rewrite(status_edit(task_id, status, self._by))

    async def add(
        self,
        title: str,
        *,
        depends: Sequence[str] = (),
        priority: str = "medium",
        description: str = "",
        owner: str | None = None,
        details: str = "",
    ) -> Task:
        """Adds a task at the end of the file, which is made if there is none.

        :raises Usage: for an empty title or an unknown priority. :raises NotFound: for an unknown dependency.
        :raises TasksFileBroken: when the file cannot be understood. :raises Refused: when it cannot be written.
        """
        from vibehq_tui.tasks.edits import NewTask, add_edit  # noqa: PLC0415 - most calls write nothing

        new = NewTask(
            title=title,
            depends=tuple(depends),
            priority=priority,
            description=description,
            owner=owner,
            details=details,
        )
        return await self._writer.rewrite(add_edit(new, self._by))

    async def import_plan(self, path: Path, *, dry_run: bool = False) -> ImportReport:
        """Turns a Markdown plan into tasks, or says what would come of it.

        :raises NotFound: where there is no such plan. :raises Refused: when it cannot be read, or names no task.
        """
        from vibehq_tui.tasks import plan_import  # noqa: PLC0415 - plans are rare

        plan = await asyncio.to_thread(plan_import.read_plan, path)
        remembered = await self._store.read(plan_import.last_import)
        if not dry_run:
            return await self._writer.rewrite(plan_import.import_edit(plan, remembered, self._by))
        found = self._file.find()
        opened = await self._file.open(found)

        def preview() -> ImportReport:
            changes = plan_import.plan_changes(plan, opened, remembered)
            new = self._file.check(found.source, opened.document.encode(changes.text), "")
            return changes.report({task.id: task for task in new.checked.tasks}, new.checked.problems)

        return await asyncio.to_thread(preview)


def _is_known(found: files.Found, seen: Seen | None) -> bool:
    """Whether the file is as it was when somebody last looked."""
    if not found.exists:
        return seen is None or not seen.stamp
    if seen is None or seen.source != found.source:
        return False
    try:
        return files.unchanged(seen.stamp, files.identity(found.path))
    except OSError:
        return False  # reading it will say what is wrong


def _identity(found: files.Found) -> str | None:
    try:
        return files.identity(found.path)
    except OSError:
        return None


def _about_others(found: files.Found) -> list[TaskProblem]:
    return [
        TaskProblem(
            level="warning",
            code="second-file",
            file=other,
            message=f"this tasks file is not read: {found.source} is the one of the workspace",
            hint="remove one of the two, or name the one that counts in vibehq.toml",
        )
        for other in found.others
    ]
