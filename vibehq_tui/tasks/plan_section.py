"""What stands below one task of a plan: its fields, steps, files and subtasks."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass, field
from typing import Final

from vibehq_tui.tasks.plan_facts import OWN, Claim, Plan, PlanTask, priority_word, status_word
from vibehq_tui.tasks.plan_lines import Line, ids_in, labels, plain

_FIELDS: Final = {
    "status": "status",
    "state": "status",
    "priority": "priority",
    "prio": "priority",
    "dependencies": "dependencies",
    "dependency": "dependencies",
    "depends on": "dependencies",
    "depends": "dependencies",
    "requires": "dependencies",
    "blocked by": "dependencies",
    "prerequisites": "dependencies",
    "after": "dependencies",
    "owner": "owner",
    "owners": "owner",
    "assignee": "owner",
    "assigned to": "owner",
    "phase": "phase",
    "milestone": "phase",
    "description": "description",
    "summary": "description",
    "goal": "description",
    "objective": "description",
    "effort": "effort",
    "estimate": "effort",
    "size": "effort",
    "tags": "tags",
    "labels": "tags",
}
"""How plans call a field → what it is."""

_FILES = re.compile(
    r"^(?:(?:relevant|affected|touched) )?files?(?: to (?P<what>create|add|modify|change|update|edit|delete|remove))?$"
)
_ACTIONS: Final = {"create": "create", "add": "create", "delete": "delete", "remove": "delete"}
_TEST = re.compile(r"^(?:test(?:ing)?(?: strategy| plan)?|verification|how to test)$")
_CRITERIA = re.compile(r"^(?:acceptance criteria|success criteria|definition of done|done when)$")
_FILE_ITEM = re.compile(r"^`?(?P<path>[^\s`]+)`?\s*(?:[(–—:-]\s*(?P<note>.*?)\)?)?$")
_TITLE_EXTRA = re.compile(
    r"\s*[(\[]\s*(?P<name>depends on|depends|after|blocked by|priority|owner|status)\s*:?\s*(?P<value>[^)\]]*)[)\]]",
    re.I,
)
_PRIORITY_NOTE = re.compile(
    r"\s*[(\[]\s*(?P<value>p[0-3]|critical|urgent|high|medium|low)(?:[ -]priority)?\s*[)\]]", re.I
)
_PERSON = re.compile(r"(?:^|\s)@([A-Za-z][\w.-]*)")


@dataclass(slots=True)
class _Part:
    """Lines below one label."""

    name: str
    kind: str
    """files, test, criteria or details."""
    lines: list[Line] = field(default_factory=list)
    action: str = ""


class Section:
    """Takes the lines below a task one by one."""

    def __init__(self, plan: Plan, task: PlanTask) -> None:
        self._plan = plan
        self.task = task
        self._part = _Part("", "details")
        self._parts = [self._part]
        self._steps: list[tuple[int, PlanTask]] = []

    def take(self, line: Line) -> None:
        """A line that belongs to the task."""
        if line.kind == "heading":
            self._open(plain(line.text).rstrip(":"))
        elif line.box and self._part.kind != "criteria":
            self._subtask(line)
        elif not (line.kind in ("text", "item") and self._labelled(line)):
            self._part.lines.append(line)

    def close(self) -> None:
        """Takes what was gathered into the task."""
        for part in self._parts:
            text = _dedented(part.lines)
            if not text:
                continue
            if part.kind == "files":
                self.task.files += _files(part)
            elif part.kind == "test":
                self.task.test_strategy = "\n".join(filter(None, (self.task.test_strategy, text)))
            elif part.kind == "criteria":
                self.task.criteria += [plain(line.text) for line in part.lines if line.text]
            elif part.name:
                self.task.details.append(f"{part.name}:\n{text}")
            else:
                self._free_text(part.lines)

    def _free_text(self, lines: list[Line]) -> None:
        """Text under no label: the first paragraph says what the task is, the rest how."""
        while lines and lines[0].kind == "blank":
            lines = lines[1:]
        first = next((index for index, line in enumerate(lines) if line.kind != "text"), len(lines))
        if first:
            words = plain(" ".join(line.text for line in lines[:first]))
            self.task.descriptions.append(Claim(words, lines[0].number, OWN))
        rest = _dedented(lines[first:])
        if rest:
            self.task.details.append(rest)

    def _open(self, name: str) -> None:
        folded = name.casefold()
        found = _FILES.match(folded)
        kind = (
            "files"
            if found
            else "test"
            if _TEST.match(folded)
            else "criteria"
            if _CRITERIA.match(folded)
            else "details"
        )
        self._part = _Part(name, kind, action=_ACTIONS.get(found["what"] or "", "modify") if found else "")
        self._parts.append(self._part)

    def _labelled(self, line: Line) -> bool:
        found = labels(line.text)
        if not found:
            return False
        known = [(_FIELDS.get(name.casefold()), value) for name, value, _ in found]
        among_steps = line.kind == "item" and self._part.name and not found[0][2]
        if known[0][0] is not None and known[0][1] and not among_steps:
            for what, value in known:
                if what is not None:
                    set_field(self._plan, self.task, what, value, line.number)
            return True
        name, value, set_off = found[0]
        special = _FILES.match(name.casefold()) or _TEST.match(name.casefold()) or _CRITERIA.match(name.casefold())
        if not special and (line.kind == "item" or not set_off):
            return False
        self._open(name)
        if value:
            self._part.lines.append(Line(number=line.number, raw=value, kind="text", text=value))
        return True

    def _subtask(self, line: Line) -> None:
        """A check box: a subtask of the task; one that stands below another box is a detail of that one."""
        while self._steps and self._steps[-1][0] >= line.level:
            self._steps.pop()
        if self._steps:
            mark = "x" if line.checked else " "
            self._steps[-1][1].details.append(f"[{mark}] {plain(line.text)}")
            return
        child = PlanTask(id=None, line=line.number)
        child.titles.append(Claim(plain(line.text), line.number, OWN))
        child.statuses.append(Claim("done" if line.checked else "pending", line.number, OWN))
        self.task.subtasks.append(child)
        self._steps.append((line.level, child))


def set_field(plan: Plan, task: PlanTask, what: str, value: str, line: int, strength: int = OWN) -> None:
    """Takes the value of a field; warns of words that mean nothing."""
    value = plain(value)
    match what:
        case "status":
            _set_word(plan, task, what, value, line, status_word(value), task.statuses, strength)
        case "priority":
            _set_word(plan, task, what, value, line, priority_word(value), task.priorities, strength)
        case "dependencies":
            found = ids_in(value)
            named = (
                tuple(plain(part) for part in re.split(r"[,;]", value)) if not found and _says_something(value) else ()
            )
            task.dependencies = found or tuple(filter(None, named))
            task.dependency_line = line
        case "owner":
            if _says_something(value):
                task.owners.append(Claim(value.lstrip("@"), line, strength))
        case "phase":
            task.phases.append(Claim(value, line, strength))
        case "description":
            task.descriptions.append(Claim(value, line, strength))
        case "effort":
            task.effort = value
        case "tags":
            task.tags = tuple(filter(None, (part.strip(" #`") for part in value.split(","))))


def _set_word(
    plan: Plan, task: PlanTask, what: str, value: str, line: int, word: str | None, into: list[Claim], strength: int
) -> None:
    if word is not None:
        into.append(Claim(word, line, strength))
    elif _says_something(value):
        name = f"task {task.id}" if task.id else repr(task.title)
        plan.warn(
            f"unknown-{what}", line, f"{value!r} is no {what} that is known; {name} is taken without", task=task.id
        )


def _says_something(value: str) -> bool:
    return value.strip(" .-–—[]").casefold() not in ("", "none", "n/a", "na", "tbd", "nobody", "unassigned")


def take_title(plan: Plan, task: PlanTask, text: str, line: int, strength: int = OWN) -> None:
    """A title, with what people put behind it: ``Write it (depends on 3) @ada (high)``."""
    for match in _TITLE_EXTRA.finditer(text):
        set_field(plan, task, _FIELDS[match["name"].casefold()], match["value"], line, strength)
    text = _TITLE_EXTRA.sub("", text)
    note = _PRIORITY_NOTE.search(text)
    if note:
        set_field(plan, task, "priority", note["value"], line, strength)
        text = text[: note.start()] + text[note.end() :]
    person = _PERSON.search(text)
    if person:
        set_field(plan, task, "owner", person[1], line, strength)
        text = text[: person.start()] + text[person.end() :]
    title = plain(text).strip(" :–—-")
    for done in ("✅", "✔️", "✔"):
        if title.startswith(done) or title.endswith(done):
            title = title.strip(done).strip()
            task.statuses.append(Claim("done", line, strength))
    if title:
        task.titles.append(Claim(title, line, strength))


def _dedented(lines: list[Line]) -> str:
    return textwrap.dedent("\n".join(line.raw.expandtabs(4).rstrip() for line in lines)).strip("\n ")


def _files(part: _Part) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    for line in part.lines:
        pieces = [line.text] if line.kind == "item" else line.text.split(",")
        for piece in filter(None, (one.strip() for one in pieces)):
            match = _FILE_ITEM.match(piece)
            if match is None:
                continue
            entry = {"path": match["path"], "action": part.action}
            if match["note"]:
                entry["description"] = plain(match["note"])
            found.append(entry)
    return found
