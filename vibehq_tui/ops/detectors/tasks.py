"""Tasks that cannot be done as they are written, and tasks on which nothing happens."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from storage.clock import Millis, from_iso
from storage.query import Query
from storage.records import Task
from storage.store import Tx
from vibehq_tui.contracts.config_reader import span
from vibehq_tui.ops.context import ScanContext
from vibehq_tui.ops.model import Finding
from vibehq_tui.tasks.graph import TaskGraph, mirrored_graph
from vibehq_tui.tasks.problems import TaskProblem
from vibehq_tui.tasks.words import CLOSED

_SHOWN: Final = 20
_FIRST_SEEN: Final = "ops.task-inactive.first-seen"
"""Setting: task id → when a scan first saw it in progress, for tasks that carry no time of their own."""
_IN_PROGRESS: Final = Query(where={"status": "in-progress"})


class TaskGraphBroken:
    """Tasks files that are not valid, dependencies that do not exist, and cycles."""

    id = "task-graph"
    title = "Broken tasks files and dependencies"
    severity = "high"
    scope = "incremental"
    cost = "low"
    subject = "task"

    async def look(self, ctx: ScanContext) -> list[Finding]:
        """One finding for each broken file, each task with missing dependencies, and each cycle."""
        by_file: dict[str, list[TaskProblem]] = {}
        if ctx.tasks is None:
            ctx.keep((issue for issue in ctx.known if issue.subject == "file"), "the tasks files were not read")
        else:
            for problem in await ctx.tasks.validate():
                # warnings are about single tasks; what matters of them stands in the graph
                if problem.level == "error":
                    by_file.setdefault(problem.file, []).append(problem)
        tasks = await ctx.store.read(lambda tx: tx.tasks.all())
        graph = await asyncio.to_thread(mirrored_graph, tasks)
        still_open = {task.id for task in tasks if task.status not in CLOSED}
        return [self._invalid(file, problems) for file, problems in by_file.items()] + self._graph(graph, still_open)

    def _invalid(self, file: str, problems: list[TaskProblem]) -> Finding:
        first = problems[0]
        line = f"line {first.line}" if first.line else ""
        where = ", ".join(part for part in (line, first.path) if part) or "the file"
        more = f" ({len(problems) - 1} more)" if len(problems) > 1 else ""
        return Finding(
            key=("invalid", file),
            title=f"{file} is not valid",
            severity=self.severity,
            message=f"{where}: {first.message}{more}. Until it is corrected, its last good state stays.",
            subject="file",
            subject_id=file,
            data={
                "count": len(problems),
                "problems": [
                    {"path": problem.path, "line": problem.line, "message": problem.message}
                    for problem in problems[:_SHOWN]
                ],
            },
        )

    def _graph(self, graph: TaskGraph, still_open: set[str]) -> list[Finding]:
        findings = [
            Finding(
                key=("missing", task),
                title=f"Task {task} depends on what does not exist: {_names(missing)}",
                severity="medium",
                message="It can never become ready. Add what is missing, or remove the dependency.",
                subject=self.subject,
                subject_id=task,
                data={"task": task, "missing": list(missing)},
            )
            for task, missing in graph.missing.items()
            if task in still_open
        ]
        findings += [self._cycle(cycle) for cycle in graph.cycles if still_open.issuperset(cycle)]
        return findings

    def _cycle(self, cycle: tuple[str, ...]) -> Finding:
        way = " → ".join([*cycle, cycle[0]][:_SHOWN])
        return Finding(
            key=("cycle", *sorted(cycle)),
            title=f"Tasks {_names(sorted(cycle))} wait for one another",
            severity=self.severity,
            message=f"None of them can become ready: {way}. Remove one of these dependencies.",
            subject=self.subject,
            subject_id=min(cycle),
            data={"cycle": list(cycle)},
        )


def _names(ids: Iterable[str]) -> str:
    found = list(ids)
    return ", ".join(found[:6]) + (f" and {len(found) - 6} more" if len(found) > 6 else "")


class TaskInactive:
    """Tasks in progress of which nothing was heard: no event, patch, execution or change of a file that they name."""

    id = "task-inactive"
    title = "Tasks in progress without activity"
    severity = "medium"
    scope = "incremental"
    cost = "low"
    subject = "task"

    async def look(self, ctx: ScanContext) -> list[Finding]:
        """One finding for each task that was in progress, and silent, for ``scan.thresholds.inactive_task``."""
        tasks, heard, working, first_seen = await ctx.store.read(self._read)
        await self._remember(ctx, tasks, first_seen)
        threshold = ctx.config.scan.thresholds.inactive_task * 1000
        findings = []
        for task in tasks:
            if task.id in working:
                continue
            last = max([*heard.get(task.id, []), *_own_times(task), *_file_times(ctx.root, task)], default=None)
            if last is None:
                last = Millis(first_seen.get(task.id, ctx.now))
            if ctx.now - last >= threshold:
                findings.append(self._finding(task, last, ctx.now))
        return findings

    def _read(self, tx: Tx) -> tuple[list[Task], dict[str, list[Millis]], set[str], dict[str, int]]:
        tasks = tx.tasks.page(_IN_PROGRESS, 0, tx.tasks.count(_IN_PROGRESS))
        wanted = {task.id for task in tasks}
        heard: dict[str, list[Millis]] = {}
        for name, at in tx.events.latest_for_tasks().items():
            # what happens on a subtask happens on its task
            parent = name if name in wanted else name.split(".", 1)[0]
            if parent in wanted:
                heard.setdefault(parent, []).append(at)
        working = {execution.task for execution in tx.executions.running() if execution.task}
        return tasks, heard, working, dict(tx.settings.get(_FIRST_SEEN) or {})

    async def _remember(self, ctx: ScanContext, tasks: list[Task], first_seen: dict[str, int]) -> None:
        now_seen = {task.id: first_seen.get(task.id, int(ctx.now)) for task in tasks}
        if now_seen != first_seen and not ctx.store.read_only:
            await ctx.store.write(lambda tx: tx.settings.put(_FIRST_SEEN, now_seen))
        first_seen.update(now_seen)

    def _finding(self, task: Task, last: Millis, now: Millis) -> Finding:
        hours = (now - last) // 3_600_000
        silent = f"{hours // 24} days" if hours >= 48 else span(hours * 3600)
        return Finding(
            key=(task.id,),
            title=f"Task {task.id} is in progress, but nothing happens: {task.title}",
            severity=self.severity,
            message=f"No event, patch, execution or changed file for {silent}. Ask its owner, or set it back.",
            subject=self.subject,
            subject_id=task.id,
            data={"task": task.id, "owner": task.owner, "lastActivity": last},
        )


def _own_times(task: Task) -> list[Millis]:
    """When the tasks file says that the task was changed."""
    found = []
    for key in ("updatedAt", "createdAt", "startedAt"):
        value = task.data.get(key)
        if isinstance(value, str):
            try:
                found.append(from_iso(value))
            except (ValueError, OverflowError):
                continue  # free text; the other times still count
    return found


def _file_times(root: Path, task: Task) -> list[Millis]:
    """When the files that the task names were last changed."""
    found = []
    for name in _file_names(task.data):
        path = root / name
        # a name may lead out of the workspace; what happens there is no activity here
        if Path(name).is_absolute() or ".." in Path(name).parts:
            continue
        try:
            found.append(Millis(path.lstat().st_mtime_ns // 1_000_000))
        except (OSError, ValueError):
            continue  # not there yet, or no name of a file
    return found


def _file_names(data: dict[str, Any]) -> list[str]:
    items: list[Any] = []
    for key in ("relevantFiles", "files"):
        value = data.get(key)
        items += value[:200] if isinstance(value, list) else []
    names = [item.get("path") if isinstance(item, dict) else item for item in items]
    return [name for name in names if isinstance(name, str) and name]
