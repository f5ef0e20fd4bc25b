"""What the task that a batch names allows: files, operations, lines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

from vibehq_tui.patches.errors import PatchRefused, refuse
from vibehq_tui.patches.model import ParsedPatch, Problem
from vibehq_tui.patches.plan import Plan
from vibehq_tui.patches.planned import PlannedFile

TASKS_FILE: Final = ".mission_control/tasks.json"


def check_task_link(parsed: ParsedPatch, plan: Plan, root: Path) -> None:
    """Refuses a plan that the task of its batch does not allow. A patch that names no task is allowed.

    :raises PatchRefused: with every reason.
    """
    if parsed.task is None:
        return
    try:
        document = json.loads((root / TASKS_FILE).read_bytes())
    except FileNotFoundError:
        raise refuse("unknown-task", f"there is no task {parsed.task!r}: there is no {TASKS_FILE}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise refuse("tasks-file", f"{TASKS_FILE} cannot be read: {error}", path=TASKS_FILE) from None
    check_task(document, parsed.task, parsed, plan)


def check_task(document: Any, task_id: str, parsed: ParsedPatch, plan: Plan) -> None:
    """The same with a parsed tasks document, flat or tagged.

    :raises PatchRefused: when the task is not in it, or does not allow the plan.
    """
    task = next((item for item in _tasks(document) if str(item.get("id")) == task_id), None)
    if task is None:
        raise refuse("unknown-task", f"there is no task {task_id!r} in {TASKS_FILE}", hint="name a task that exists")
    problems = [
        *_file_problems(task, plan),
        *_operation_problems(task, parsed),
        *_span_problems(task, plan),
    ]
    if problems:
        raise PatchRefused(problems, hint=f"task {task_id} allows less; change the task or the patch")


def _tasks(document: Any) -> Iterator[Mapping[str, Any]]:
    """Every task, and subtask under its full id, wherever a list named ``tasks`` holds it."""
    if isinstance(document, list):
        for item in document:
            if isinstance(item, dict) and "id" in item:
                yield item
                for child in item.get("subtasks") or ():
                    if isinstance(child, dict):
                        yield {**item, **child, "id": f"{item['id']}.{child.get('id')}"}
    elif isinstance(document, dict):
        for key, value in document.items():
            if key == "tasks" or isinstance(value, dict):
                yield from _tasks(value)


def _list_of(task: Mapping[str, Any], *names: str) -> tuple[str, list[Any] | dict[str, Any]] | None:
    for name in names:
        value = task.get(name)
        if value is not None:
            if not isinstance(value, list | dict):
                raise refuse("tasks-file", f"task {task.get('id')}: {name} is neither a list nor an object")
            return name, value
    return None


def _matches(path: str, pattern: str) -> bool:
    pattern = pattern.removeprefix("./")
    return path == pattern or path.startswith(pattern.rstrip("/") + "/") or fnmatchcase(path, pattern)


def _touched(file: PlannedFile) -> list[str]:
    return [file.path] if file.from_ is None or file.op == "copy" else [file.path, file.from_]


def _file_problems(task: Mapping[str, Any], plan: Plan) -> Iterator[Problem]:
    found = _list_of(task, "files", "allowedFiles", "allowed_files")
    if found is None or not found[1]:
        return
    patterns = [str(item.get("path", "")) if isinstance(item, dict) else str(item) for item in found[1]]
    for file in plan.files:
        for path in _touched(file):
            if not any(_matches(path, pattern) for pattern in patterns):
                yield Problem(code="task-files", path=path, message=f"is not among the files of task {task['id']}")


def _operation_problems(task: Mapping[str, Any], parsed: ParsedPatch) -> Iterator[Problem]:
    found = _list_of(task, "allowedOperations", "allowed_operations")
    if found is None:
        return
    allowed = {str(item) for item in found[1]}
    for change in parsed.changes:
        used = {edit.kind: edit.where for edit in change.edits}
        if change.op != "modify":
            used["move" if change.op == "rename" else change.op] = change.where or ""
        for kind, where in used.items():
            if kind not in allowed:
                message = f"{where}: {kind} is not among the allowed operations of task {task['id']}"
                yield Problem(code="task-operations", path=change.path, message=message)


def _span_problems(task: Mapping[str, Any], plan: Plan) -> Iterator[Problem]:
    found = _list_of(task, "allowed_spans", "allowedSpans")
    if found is None:
        return
    spans = list(_spans(found[1], task))
    for file in plan.files:
        path = file.from_ or file.path
        mine = [(start, end) for name, start, end in spans if name == path]
        for hunk in file.hunks:
            for first, last in _changed(hunk.first, hunk.lines):
                if not any(start <= first and last <= end for start, end in mine):
                    where = f"line {first}" if first == last else f"lines {first} to {last}"
                    message = f"{where} are not within the allowed spans of task {task['id']}"
                    yield Problem(code="task-spans", path=path, hunk=hunk.number, message=message)


def _spans(value: list[Any] | dict[str, Any], task: Mapping[str, Any]) -> Iterator[tuple[str, int, int]]:
    """``[{"file", "start", "end"}]`` or ``{file: [[start, end]]}``; anything else is refused rather than ignored."""
    rows: list[tuple[Any, Any, Any]] = []
    try:
        if isinstance(value, dict):
            rows = [(name, pair[0], pair[1]) for name, pairs in value.items() for pair in pairs]
        else:
            rows = [(item.get("file", item.get("path")), item["start"], item["end"]) for item in value]
        for name, start, end in rows:
            yield str(name), int(start), int(end)
    except (TypeError, ValueError, KeyError, IndexError, AttributeError):
        message = f"task {task.get('id')}: allowed_spans is not a list of file, start and end"
        raise refuse("tasks-file", message) from None


def _changed(first: int, lines: tuple[tuple[str, bytes], ...]) -> Iterator[tuple[int, int]]:
    """Lines of the file before, from 1, that are removed; for an addition the line that it follows."""
    at = first + 1
    start: int | None = None
    added = False
    for tag, _ in (*lines, (" ", b"")):
        if tag == "+":
            added = True
        elif tag == "-":
            start = at if start is None else start
            at += 1
        else:
            if start is not None:
                yield start, at - 1
            elif added:
                yield max(at - 1, 1), max(at - 1, 1)
            start, added = None, False
            at += 1
