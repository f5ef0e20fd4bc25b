"""What the task that a batch names allows: files, operations, lines.

A task may have ``allowedFiles`` (or ``files``): paths, folders and patterns as in
:mod:`vibehq_tui.patches.applying.allowed`, of which one with ``!`` in front takes files out again;
``allowedOperations``; and ``allowedSpans``. An empty ``files`` says nothing; an empty list of what is allowed allows
nothing.
"""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from vibehq_tui.patches.applying.allowed import allows
from vibehq_tui.patches.errors import PatchRefused, refuse
from vibehq_tui.patches.model import ParsedPatch, Problem
from vibehq_tui.patches.planning.plan import Plan
from vibehq_tui.patches.planning.planned import PlannedFile

TASK_FILES: Final = (".mission_control/tasks.json", ".taskmaster/tasks/tasks.json")
"""Where tasks are, below the root; the first that exists counts."""
_MOST_BYTES: Final = 64_000_000
_MOST_SHOWN: Final = 8
_REPLACING: Final = frozenset({"replace-block", "replace-between"})
_ADDING: Final = _REPLACING | {"insert-before", "insert-after", "append", "prepend"}
"""Operations of which one must be allowed for a patch in another format that removes lines, or only adds some."""


def check_task_link(parsed: ParsedPatch, plan: Plan, root: Path) -> None:
    """Refuses a plan that the task of its batch does not allow. A patch that names no task is allowed.

    :raises PatchRefused: with every reason.
    """
    if parsed.task is None:
        return
    for name in TASK_FILES:
        try:
            data = _read(root / name)
            document = json.loads(data.removeprefix(b"\xef\xbb\xbf"))
        except (FileNotFoundError, NotADirectoryError):
            continue
        except (OSError, ValueError, RecursionError) as error:
            raise refuse("tasks-file", f"{name} cannot be read: {error}", path=name) from None
        check_task(document, parsed.task, parsed, plan, source=name)
        return
    raise refuse(
        "unknown-task",
        f"there is no task {parsed.task!r}: there is no {TASK_FILES[0]}",
        hint="leave taskId out, or make the tasks file first",
    )


def _read(path: Path) -> bytes:
    """:raises OSError: when it is no file, or too large, or cannot be read."""
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe is not waited for
    with os.fdopen(fd, "rb") as file:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode) or status.st_size > _MOST_BYTES:
            raise OSError(errno.EINVAL, f"no file, or larger than {_MOST_BYTES // 1_000_000} MB")
        return file.read(_MOST_BYTES)


def check_task(document: Any, task_id: str, parsed: ParsedPatch, plan: Plan, *, source: str = TASK_FILES[0]) -> None:
    """The same with a parsed tasks document, flat or tagged.

    :param source: where the document is from, for messages.
    :raises PatchRefused: when the task is not in it, or does not allow the plan.
    """
    tasks: dict[str, Mapping[str, Any]] = {}
    for item in _tasks(document):
        tasks.setdefault(str(item.get("id")), item)
    task = tasks.get(task_id)
    if task is None:
        raise refuse("unknown-task", f"there is no task {task_id!r} in {source}{_known(task_id, tasks)}")
    problems = [
        *_file_problems(task, plan),
        *_operation_problems(task, parsed),
        *_span_problems(task, plan),
    ]
    if problems:
        raise PatchRefused(problems, hint=f"task {task_id} allows less; change the task or the patch")


def _known(task_id: str, tasks: Mapping[str, Any]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - only for a message

    close = get_close_matches(task_id[:60], list(tasks), 3, 0.6) or list(tasks)[:_MOST_SHOWN]
    more = ", …" if len(close) < len(tasks) else ""
    return f"; there is {', '.join(close)}{more}" if close else "; it has no tasks"


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


def _touched(file: PlannedFile) -> list[str]:
    return [file.path] if file.from_ is None or file.op == "copy" else [file.path, file.from_]


def _file_problems(task: Mapping[str, Any], plan: Plan) -> Iterator[Problem]:
    found = _list_of(task, "allowedFiles", "allowed_files", "files")
    if found is None or (found[0] == "files" and not found[1]):
        return
    patterns = [
        str(item.get("path", item.get("file", ""))) if isinstance(item, dict) else str(item) for item in found[1]
    ]
    allowed = [pattern for pattern in patterns if not pattern.startswith("!")]
    taken_out = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
    for file in plan.files:
        for path in _touched(file):
            out = next((pattern for pattern in taken_out if allows(path, pattern)), None)
            if out is not None:
                message = f"is taken out of the files of task {task['id']} by '!{out}'"
                yield Problem(code="task-files", path=path, message=message)
            elif not any(allows(path, pattern) for pattern in allowed):
                message = f"is not among the files of task {task['id']} ({_listed(allowed)})"
                yield Problem(code="task-files", path=path, message=message)


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_MOST_SHOWN]) or "it allows none"
    return f"{shown}, …" if len(names) > _MOST_SHOWN else shown


def _operation_problems(task: Mapping[str, Any], parsed: ParsedPatch) -> Iterator[Problem]:
    found = _list_of(task, "allowedOperations", "allowed_operations")
    if found is None:
        return
    names = [str(item) for item in found[1]]
    allowed = {name.strip().lower().replace("_", "-") for name in names}
    for change in parsed.changes:
        used = {edit.kind: (edit.where, frozenset({edit.kind})) for edit in change.edits}
        if change.op != "modify":
            kind = "move" if change.op == "rename" else change.op
            used[kind] = (change.where or change.path, frozenset({kind}))
        elif not change.edits:
            removes = change.binary or change.whole or any(tag == "-" for hunk in change.hunks for tag, _ in hunk.lines)
            kind = "a change of lines" if removes else "an addition of lines"
            used[kind] = (change.path, _REPLACING if removes else _ADDING)
        for kind, (where, fitting) in used.items():
            if not fitting & allowed:
                message = f"{where}: {kind} is not among the allowed operations of task {task['id']} ({_listed(names)})"
                yield Problem(code="task-operations", path=change.path, message=message)


def _span_problems(task: Mapping[str, Any], plan: Plan) -> Iterator[Problem]:
    found = _list_of(task, "allowedSpans", "allowed_spans")
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
