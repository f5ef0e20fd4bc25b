"""Turns a plan into changes of the tasks file.

The plan decides title, priority, dependencies, owner and phase where it says them. A status only goes forward: what is
unchecked in a plan never reopens what the file says is under way or done. Texts (description, details, files, criteria)
are written where there are none, or where they are still those of the last import; what somebody wrote stays. A second
import of the same plan therefore changes nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from storage.errors import NotFound, Refused
from storage.records import Task
from storage.store import Tx
from vibehq_tui.contracts import events
from vibehq_tui.tasks.by import By
from vibehq_tui.tasks.document import Node
from vibehq_tui.tasks.edits import next_id, raw_reference, tell_added
from vibehq_tui.tasks.index import task_id
from vibehq_tui.tasks.loading import Loaded, Opened
from vibehq_tui.tasks.mirror import Mirrored, tell_status
from vibehq_tui.tasks.plan_facts import LIST, OWN, Claim, Plan, PlanTask, best
from vibehq_tui.tasks.plan_reader import read
from vibehq_tui.tasks.problems import TaskProblem
from vibehq_tui.tasks.reports import ImportReport
from vibehq_tui.tasks.rewrite import Edit
from vibehq_tui.tasks.splice import Editor, same
from vibehq_tui.tasks.words import CLOSED, SATISFIED
from vibehq_tui.text.forms import plural, ranges

MAX_PLAN: Final = 5_000_000
"""Bytes; a larger plan is refused."""

_REMEMBERED: Final = "tasks.imported"
_TEXTS: Final = ("description", "details", "testStrategy", "acceptanceCriteria", "relevantFiles", "effort", "tags")
"""What is not taken from a plan where somebody has written it."""


@dataclass(slots=True, kw_only=True)
class Changes:
    """What a plan changes in a tasks file."""

    text: str
    added: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    warnings: list[TaskProblem] = field(default_factory=list)
    remembered: dict[str, dict[str, str]] = field(default_factory=dict)
    """Task → key → the digest of what was imported."""

    def report(self, tasks: Mapping[str, Task], problems: tuple[TaskProblem, ...]) -> ImportReport:
        """The report, with what is wrong in the tasks that were touched.

        :param tasks: by id, as they are afterwards.
        :param problems: of the tasks file afterwards.
        """
        touched = [*self.added, *self.updated]
        found = [one for one in problems if one.task in touched]
        return ImportReport(
            added=tuple(self.added),
            updated=tuple(self.updated),
            unchanged=tuple(self.unchanged),
            tasks=tuple(tasks[key] for key in touched if key in tasks),
            warnings=(*self.warnings, *found),
        )


def read_plan(path: Path) -> Plan:
    """Reads a plan. Blocks.

    :raises NotFound: where there is no such file.
    :raises Refused: when it cannot be read, is too large, is not UTF-8 or names no task.
    """
    try:
        data = path.read_bytes() if path.stat().st_size <= MAX_PLAN else None
    except FileNotFoundError:
        raise NotFound(f"there is no plan {path}", hint="name a Markdown file") from None
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror or error}", code="unreadable") from error
    if data is None:
        raise Refused(f"{path} is larger than the {MAX_PLAN:,} bytes that a plan may have", code="too-large")
    try:
        plan = read(data.decode("utf-8-sig"), path.name)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Refused(f"{path} is not UTF-8, line {line}", code="not-utf-8", hint="save it as UTF-8") from None
    if not plan.tasks:
        raise Refused(
            f"{path} names no task",
            code="no-tasks",
            hint='tasks are headings ("### Task 3: Title", "## 3. Title"), rows of a table with titles, or check lists',
        )
    return plan


def plan_changes(plan: Plan, opened: Opened, remembered: Mapping[str, Mapping[str, str]]) -> Changes:
    """What the plan changes in the file. Blocks.

    :param remembered: what earlier imports wrote; see :attr:`Changes.remembered`.
    """
    return _Merge(plan, opened, remembered).run()


def last_import(tx: Tx) -> dict[str, dict[str, str]]:
    """What earlier imports wrote: task → key → digest."""
    found: dict[str, dict[str, str]] = tx.settings.get(_REMEMBERED) or {}
    return found


def import_edit(
    plan: Plan, remembered: Mapping[str, Mapping[str, str]], by: By
) -> Callable[[Opened], Edit[ImportReport]]:
    """Takes a plan over into the tasks file."""

    def make(opened: Opened) -> Edit[ImportReport]:
        changes = plan_changes(plan, opened, remembered)

        def tell(tx: Tx, new: Loaded, done: Mirrored) -> ImportReport:
            tasks = {task.id: task for task in tx.tasks.all()}
            for key in changes.added:
                tell_added(tx, by, tasks[key], audit=False)
            for key in (*changes.updated, *(one for one in done.changed if "." in one)):
                before = done.before.get(key)
                if before is not None and before.status != tasks[key].status:
                    tell_status(tx, by.actor, tasks[key], before.status, ())
            if changes.added or changes.updated:
                _tell(tx, by, plan.name, changes)
            tx.settings.put(_REMEMBERED, {**last_import(tx), **changes.remembered})
            return changes.report(tasks, new.checked.problems)

        return Edit(text=changes.text, own=_Family([*changes.added, *changes.updated]), tell=tell)

    return make


class _Family(set[str]):
    """Ids, and those of their subtasks."""

    def __contains__(self, key: object) -> bool:
        return set.__contains__(self, key) or (isinstance(key, str) and set.__contains__(self, key.rpartition(".")[0]))


def _tell(tx: Tx, by: By, name: str, changes: Changes) -> None:
    counts = f"{plural(len(changes.added), 'task')} added, {len(changes.updated)} updated"
    tx.events.append(
        events.TASKS_SYNCED,
        actor=by.actor,
        subject="workspace",
        subject_id=name,
        message=f"{name}: {counts}",
        data={"plan": name, "added": changes.added[:200], "updated": changes.updated[:200]},
    )
    tx.audit.append(actor=by.actor, via=by.via, verb="task.import", object=f"plan/{name}", result="done", detail=counts)


class _Merge:
    """One plan against one file."""

    def __init__(self, plan: Plan, opened: Opened, remembered: Mapping[str, Mapping[str, str]]) -> None:
        self._plan = plan
        self._opened = opened
        self._remembered = remembered
        self._editor = Editor(opened.document)
        self._main = opened.document.lists[0]
        self._nodes = {
            key: node for key, node in opened.nodes.items() if node.list is self._main and node.parent is None
        }
        self._titles = {str(node.value["title"]).strip().casefold(): key for key, node in reversed(self._nodes.items())}
        self._children: dict[str, dict[str, Node]] = {}
        for key, node in opened.nodes.items():
            if node.parent is not None:
                self._children.setdefault(key.rpartition(".")[0], {})[key] = node
        self._changes = Changes(text=opened.document.text)
        self._kept: dict[str, list[str]] = {}
        self._reopened: list[tuple[str, str, Claim]] = []
        self._text_ids = isinstance(next_id(opened), str)

    def run(self) -> Changes:
        changes = self._changes
        changes.warnings += self._plan.warnings
        keys = self._keys()
        added: list[dict[str, Any]] = []
        for task, key in zip(self._plan.tasks, keys, strict=True):
            node = self._nodes.get(key)
            if node is None:
                added.append(self._new(task, key))
                changes.added.append(key)
            else:
                (changes.updated if self._update(task, key, node) else changes.unchanged).append(key)
            self._check_dependencies(task, key, {*keys, *self._opened.nodes})
        self._editor.append(self._main, added)
        changes.text = self._editor.result()
        self._warn_of_kept()
        return changes

    def _keys(self) -> list[str]:
        """The id of each task of the plan in the file: its number, that of the task with its title, or a new one."""
        given = {task.id for task in self._plan.tasks if task.id}
        keys: list[str] = []
        for task in self._plan.tasks:
            key = task.id or self._titles.get(task.title.strip().casefold())
            if key is None or (task.id is None and (key in keys or key in given)):
                key = str(next_id(self._opened, [*given, *keys]))
            keys.append(key)
        return keys

    def _raw_id(self, key: str) -> int | str:
        return key if self._text_ids or not key.isdigit() else int(key)

    def _raw_dependencies(self, task: PlanTask) -> list[int | str]:
        found: list[int | str] = []
        for one in task.dependencies or ():
            known = one in self._opened.nodes
            found.append(raw_reference(self._opened, one) if known else self._raw_id(one))
        return found

    def _texts(self, task: PlanTask) -> dict[str, Any]:
        """What the plan says at length."""
        description = best(task.descriptions)
        found = {
            "description": description.value if description else "",
            "details": "\n\n".join(task.details) or task.group_details,
            "testStrategy": task.test_strategy,
            "acceptanceCriteria": task.criteria,
            "relevantFiles": task.files,
            "effort": task.effort,
            "tags": list(task.tags),
        }
        return {key: value for key, value in found.items() if value}

    def _new(self, task: PlanTask, key: str) -> dict[str, Any]:
        texts = self._texts(task)
        priority, owner, phase = best(task.priorities), best(task.owners), best(task.phases)
        value: dict[str, Any] = {"id": self._raw_id(key), "title": task.title, "description": ""}
        value |= {name: texts[name] for name in ("description", "details", "testStrategy") if name in texts}
        value |= {
            "status": task.status.value if task.status else "pending",
            "priority": priority.value if priority else "medium",
            "dependencies": self._raw_dependencies(task),
        }
        if owner:
            value["assignee"] = owner.value
        if phase:
            value["phase"] = phase.value
        value |= {name: text for name, text in texts.items() if name not in value}
        if task.subtasks:
            value["subtasks"] = [self._new_subtask(one, number) for number, one in enumerate(task.subtasks, 1)]
        self._remember(key, {name: value[name] for name in _TEXTS if name in value})
        return value

    def _new_subtask(self, task: PlanTask, number: int) -> dict[str, Any]:
        texts = self._texts(task)
        own = task.id.rpartition(".")[2] if task.id else str(number)
        return {
            "id": int(own) if own.isdigit() else own,
            "title": task.title,
            "description": texts.get("description", ""),
            **({"details": texts["details"]} if "details" in texts else {}),
            "status": task.status.value if task.status else "pending",
            "dependencies": self._raw_dependencies(task),
        }

    # -- what is there already -------------------------------------------------------------------------------------

    def _update(self, task: PlanTask, key: str, node: Node) -> bool:
        """Brings a task of the file up to the plan; answers whether anything differs."""
        wanted = {**self._decided(task, key, node.value), **self._new_texts(task, key, node.value)}
        changed = self._editor.set(node, wanted) if wanted else False
        return self._update_subtasks(task, key, node) or changed

    def _decided(self, task: PlanTask, key: str, old: dict[str, Any]) -> dict[str, Any]:
        wanted: dict[str, Any] = {}
        title = best(task.titles)
        if title is not None and title.strength >= LIST and title.value != old["title"]:
            wanted["title"] = title.value
        status = self._status(task, key, str(old.get("status", "pending")))
        if status is not None:
            wanted["status"] = status
        priority = best(task.priorities)
        if priority is not None and priority.value != old.get("priority", "medium"):
            wanted["priority"] = priority.value
        if task.dependencies is not None:
            given = old.get("dependencies")
            present = [task_id(one) for one in given] if isinstance(given, list) else None
            if present != list(task.dependencies) and (present or task.dependencies):
                wanted["dependencies"] = self._raw_dependencies(task)
        owner = best(task.owners)
        owner_key = "owner" if old.get("owner") else "assignee"
        if owner is not None and owner.value != old.get(owner_key):
            wanted[owner_key] = owner.value
        phase = best(task.phases)
        if phase is not None and phase.value != old.get("phase") and (phase.strength == OWN or not old.get("phase")):
            wanted["phase"] = phase.value
        return wanted

    def _status(self, task: PlanTask, key: str, old: str) -> str | None:
        """The status that the file has to get; none where it stays."""
        said = task.status
        if said is None or said.value == old or {said.value, old} <= SATISFIED or said.value == "pending":
            return None
        if old in CLOSED:
            self._reopened.append((key, old, said))
            return None
        return said.value

    def _new_texts(self, task: PlanTask, key: str, old: dict[str, Any]) -> dict[str, Any]:
        wanted: dict[str, Any] = {}
        imported = self._remembered.get(key, {})
        taken: dict[str, Any] = {}
        for name, value in self._texts(task).items():
            present = old.get(name)
            if same(present, value):
                taken[name] = value
            elif not present or _digest(present) == imported.get(name):
                wanted[name] = taken[name] = value
            else:
                self._kept.setdefault(name, []).append(key)
        self._remember(key, taken)
        return wanted

    def _update_subtasks(self, task: PlanTask, key: str, node: Node) -> bool:
        present = self._children.get(key, {})
        by_title = {str(one.value.get("title", "")).strip().casefold(): child for child, one in present.items()}
        numbers = [int(child.rpartition(".")[2]) for child in present if child.rpartition(".")[2].isdigit()]
        new: list[dict[str, Any]] = []
        met: set[str] = set()
        changed = False
        for one in task.subtasks:
            child = one.id if one.id in present else by_title.get(one.title.strip().casefold())
            if child is None:
                by_title[one.title.strip().casefold()] = ""  # once is enough
                new.append(self._new_subtask(one, max(numbers, default=0) + len(new) + 1))
                continue
            if child not in present or child in met:
                continue
            met.add(child)
            status = self._status(one, child, str(present[child].value.get("status", "pending")))
            if status is not None:
                changed = self._editor.set(present[child], {"status": status}) or changed
        if new:
            self._editor.append_subtasks(node, new)
        return changed or bool(new)

    def _remember(self, key: str, values: Mapping[str, Any]) -> None:
        if values:
            kept = dict(self._remembered.get(key, {}))
            self._changes.remembered[key] = kept | {name: _digest(value) for name, value in values.items()}

    # -- warnings --------------------------------------------------------------------------------------------------

    def _check_dependencies(self, task: PlanTask, key: str, known: set[str]) -> None:
        missing = [one for one in task.dependencies or () if one not in known]
        if missing:
            message = f"task {key} depends on {ranges(missing)}, which neither the plan nor the tasks file has"
            self._warn("missing-dependency", task.dependency_line or task.line, message, key)

    def _warn_of_kept(self) -> None:
        for name, keys in self._kept.items():
            noun = "task" if len(keys) == 1 else "tasks"
            message = f"the {name} of {noun} {ranges(keys)} in the tasks file was written by somebody and stays"
            self._warn("kept", 0, message)
        told: dict[tuple[str, str], list[tuple[str, Claim]]] = {}
        for key, old, said in self._reopened:
            told.setdefault((old, said.value), []).append((key, said))
        for (old, value), found in told.items():
            noun, verb = ("task", "is") if len(found) == 1 else ("tasks", "are")
            message = f"{noun} {ranges(key for key, _ in found)} {verb} {old} in the tasks file and {value} in the plan"
            self._warn("kept-status", found[0][1].line, f"{message}; the file is kept")

    def _warn(self, code: str, line: int, message: str, task: str | None = None) -> None:
        noted = replace(self._plan, tasks=[], warnings=[])
        noted.warn(code, line, message, task=task)
        self._changes.warnings += noted.warnings


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]
