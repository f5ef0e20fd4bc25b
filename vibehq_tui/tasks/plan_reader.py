"""Reads a Markdown plan into tasks.

What counts as a task depends on what the plan uses, the clearest first: headings such as ``### Task 3: Title`` (and
then also numbers in check lists, groups and ranges), numbered headings ``## 3. Title``, tables with a title column,
check lists, numbered lists.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from vibehq_tui.tasks.plan_facts import LIST, OWN, PROSE, Claim, Plan, PlanTask, check_plan, status_word
from vibehq_tui.tasks.plan_groups import Group, group_of, owner_lines, prose_claims
from vibehq_tui.tasks.plan_lines import Line, ids_in, mentions, plain, read_lines
from vibehq_tui.tasks.plan_section import Section, set_field, take_title
from vibehq_tui.text.forms import plural, ranges

_TASK_WORD: Final = r"(?:task|story|issue|ticket|feature|work item|todo)"
_TASK_HEADING = re.compile(
    rf"^(?:\[(?P<mark>[ xX✓✔])\]\s*)?(?:✅\s*)?\W{{0,3}}{_TASK_WORD}\s*#?(?P<id>\d+(?:\.\d+)*|[A-Z][A-Z0-9]*-\d+)\W*?"
    r"(?:\s*[:.)\]–—-]\s*|\s+|$)(?P<title>.*)$",
    re.IGNORECASE,
)
_NUMBER_HEADING = re.compile(r"^(?:\[(?P<mark>[ xX✓✔])\]\s*)?#?\[?(?P<id>\d+(?:\.\d+)*)\]?[.):]?\s+(?P<title>\S.*)$")
_LEADING_ID = re.compile(
    rf"^\W{{0,3}}(?:{_TASK_WORD}\s*#?)?(?P<id>\d+(?:\.\d+)*|[A-Z][A-Z0-9]*-?\d+)\W{{0,2}}(?:[:.)\]–—]|\s-)\s+(?P<title>\S.*)$",
    re.IGNORECASE,
)
_NAMES_TASKS = re.compile(
    r"^\W{0,3}(?:(?:complete|finish|implement|do|deliver|close|build|ship|remaining|open|all|other|the)\s+)*tasks?\s+#?\d",
    re.I,
)
_AFTER_NAME = re.compile(r"^\W{0,2}\s*[:–—-]\s*(?P<title>\S.*)$")
_NO_PHASE = re.compile(
    r"^(?:the )?(?:tasks?|to-?dos?|todo list|task list|backlog|plan|overview|work items?|summary|.*check ?list|steps)$",
    re.I,
)
_NOT_TASKS = re.compile(r"check ?list|criteria|definition of done|validation|prerequisites|success factors", re.I)
_TOTAL = re.compile(r"total\s+(?:number of\s+)?tasks\W{0,8}(\d{1,6})\b", re.I)
_ID_COLUMNS: Final = ("id", "#", "no", "no.", "nr", "number", "task id", "task #", "key")
_TITLE_COLUMNS: Final = ("title", "task", "name", "summary", "what", "item", "description")
_OTHER_COLUMNS: Final = {
    "status": "status",
    "state": "status",
    "priority": "priority",
    "prio": "priority",
    "dependencies": "dependencies",
    "depends on": "dependencies",
    "depends": "dependencies",
    "blocked by": "dependencies",
    "owner": "owner",
    "assignee": "owner",
    "phase": "phase",
    "milestone": "phase",
    "effort": "effort",
    "estimate": "effort",
    "description": "description",
}


def read(text: str, name: str) -> Plan:
    """The tasks of a plan, in its order.

    :param name: how the file is called in warnings.
    """
    reader = _Reader(read_lines(text), name)
    return reader.run()


class _Reader:
    """One walk over the lines of one plan."""

    def __init__(self, lines: list[Line], name: str) -> None:
        self._lines = lines
        self._plan = Plan(name)
        self._known: dict[str, PlanTask] = {}
        self._headings: list[Line] = []
        self._section: Section | None = None
        self._depth = 0
        self._group: Group | None = None
        self._prose: list[tuple[str, str, int]] = []
        self._passed_over: list[int] = []
        self._total: tuple[int, int] | None = None
        self._way = self._choose_way()

    def _choose_way(self) -> str:
        """What the plan uses to name tasks."""
        headings = [line for line in self._lines if line.kind == "heading"]
        if any(_TASK_HEADING.match(plain(line.text)) for line in headings):
            return "named"
        if any(line.box and _NAMES_TASKS.match(plain(line.text)) for line in self._lines):
            return "named"
        if sum(1 for line in headings if _NUMBER_HEADING.match(plain(line.text))) > 1:
            return "numbered headings"
        if any(self._columns(line) for line in self._lines):
            return "table"
        if any(line.box for line in self._lines):
            return "boxes"
        lonely = any(_NUMBER_HEADING.match(plain(line.text)) for line in headings)
        return "numbered headings" if lonely else "numbered list"

    def run(self) -> Plan:
        self._owners, owner_numbers = owner_lines(self._lines)
        for line in self._lines:
            if line.kind == "heading":
                self._heading(line)
            elif self._section is not None and self._belongs(line):
                self._section.take(line)
            else:
                self._end_section_at(line)
                self._outside(line, line.number in owner_numbers)
        self._close()
        self._end_group()
        self._settle()
        check_plan(self._plan, self._total)
        return self._plan

    # -- tasks -----------------------------------------------------------------------------------------------------

    def _task(self, key: str | None, line: int) -> PlanTask:
        """The task with an id, which is made where it is named for the first time."""
        if key is not None and key in self._known:
            return self._known[key]
        task = PlanTask(id=key, line=line)
        if key is not None:
            self._known[key] = task
        parent = self._known.get(key.rpartition(".")[0]) if key and "." in key else None
        (parent.subtasks if parent else self._plan.tasks).append(task)
        return task

    def _begin(self, task: PlanTask, depth: int) -> None:
        self._close()
        self._end_group()
        self._section, self._depth = Section(self._plan, task), depth

    def _close(self) -> None:
        if self._section is not None:
            self._section.close()
        self._section = None

    def _belongs(self, line: Line) -> bool:
        """Whether a line is part of the task that was begun last."""
        if self._way in ("named", "numbered headings"):
            return True  # until the next heading
        return line.kind == "blank" or line.level > self._depth

    def _end_section_at(self, line: Line) -> None:
        if line.kind != "blank":
            self._close()

    def _phase(self) -> Claim | None:
        """The nearest heading above that is no task and says more than "tasks"."""
        for heading in reversed(self._headings):
            title = re.sub(r"\s*\([^)]*\)\s*$", "", plain(heading.text)).strip(" :")
            if heading.level > 1 and not _NO_PHASE.match(title) and self._task_heading(heading) is None:
                return Claim(title, heading.number, LIST)
        return None

    def _give_phase(self, task: PlanTask, strength: int = LIST) -> None:
        phase = self._phase()
        if phase is not None:
            task.phases.append(replace(phase, strength=strength))

    # -- headings --------------------------------------------------------------------------------------------------

    def _task_heading(self, line: Line) -> re.Match[str] | None:
        text = plain(line.text)
        if self._way == "named":
            return _TASK_HEADING.match(text)
        return _NUMBER_HEADING.match(text) if self._way == "numbered headings" else None

    def _heading(self, line: Line) -> None:
        found = self._task_heading(line)
        inside = self._section is not None and self._way in ("named", "numbered headings") and line.level > self._depth
        if found is None and inside and self._section is not None:
            self._section.take(line)
            return
        self._close()
        self._end_group()
        while self._headings and self._headings[-1].level >= line.level:
            self._headings.pop()
        if found is not None:
            self._begin_heading(line, found)
            return
        self._headings.append(line)
        for mention in mentions(plain(line.text)):
            if self._way == "named":
                for key in mention.ids:
                    self._give_phase(self._task(key, line.number))

    def _begin_heading(self, line: Line, found: re.Match[str]) -> None:
        task = self._task(found["id"], line.number)
        if any(claim.strength == OWN for claim in task.titles):
            earlier = task.titles[0].line
            message = f"task {task.id} has a heading already on line {earlier}; what follows is added to it"
            self._plan.warn("second-heading", line.number, message, task=task.id)
        task.line = line.number
        self._give_phase(task, OWN)
        take_title(self._plan, task, found["title"], line.number)
        if found["mark"]:
            task.statuses.append(Claim("pending" if found["mark"] == " " else "done", line.number, OWN))
        self._begin(task, line.level)

    # -- lines outside of tasks ------------------------------------------------------------------------------------

    def _outside(self, line: Line, is_owner: bool) -> None:
        total = _TOTAL.search(plain(line.text))
        if total and self._total is None:
            self._total = int(total[1]), line.number
        if line.kind == "row":
            self._row(line)
        elif self._way == "named":
            self._outside_named(line, is_owner)
        elif line.box if self._way == "boxes" else self._way == "numbered list" and line.ordinal is not None:
            self._list_task(line)

    def _outside_named(self, line: Line, is_owner: bool) -> None:
        text = plain(line.text)
        if line.box:
            if _NAMES_TASKS.match(text):
                self._named_box(line, text)
            else:
                self._passed_over.append(line.number)
        elif line.kind == "item" and not is_owner and (group := group_of(line)) is not None:
            self._end_group()
            self._group = group
        elif self._group is not None and self._group.goes_on(line):
            self._group.lines.append(line)
        elif line.kind in ("item", "text") and not is_owner:
            self._prose += [(key, status, line.number) for key, status in prose_claims(text)]

    def _named_box(self, line: Line, text: str) -> None:
        """A check box that names one task, perhaps with its title, or several."""
        first = next(mentions(text), None)
        if first is None:
            return
        status = Claim("done" if line.checked else "pending", line.number, LIST)
        title = _AFTER_NAME.match(text[first.end :])
        for key in first.ids:
            task = self._task(key, line.number)
            task.statuses.append(status)
        if title and len(first.ids) == 1:
            self._box_title(self._known[first.ids[0]], title["title"], line.number)

    def _box_title(self, task: PlanTask, text: str, line: int) -> None:
        """``Title - what it is``, ``Title (what it is)``."""
        head, dash, rest = text.partition(" - ")
        note = re.match(r"^(?P<title>.*?)\s*\((?P<note>[^()]*)\)\s*$", text)
        if dash:
            task.descriptions.append(Claim(rest.strip(), line, LIST))
        elif note:
            head = note["title"]
            task.descriptions.append(Claim(note["note"].strip(), line, LIST))
        task.titles.append(Claim(head.strip(), line, LIST))

    def _list_task(self, line: Line) -> None:
        """An item that is itself a task."""
        if not plain(line.text) or (self._headings and _NOT_TASKS.search(self._headings[-1].text)):
            self._passed_over.append(line.number)
            return
        text = plain(line.text)
        found = _LEADING_ID.match(text)
        key = found["id"] if found else line.ordinal if self._unique_ordinals() else None
        task = self._task(key, line.number)
        self._give_phase(task)
        take_title(self._plan, task, found["title"] if found else text, line.number)
        if line.box:
            task.statuses.append(Claim("done" if line.checked else "pending", line.number, OWN))
        self._begin(task, line.level)

    def _unique_ordinals(self) -> bool:
        """Whether the numbers of the outermost numbered items can stand for ids: none is given twice."""
        wanted = [line for line in self._lines if line.ordinal and (self._way != "boxes" or line.box)]
        least = min((line.level for line in wanted), default=0)
        numbers = [line.ordinal for line in wanted if line.level == least]
        return len(numbers) == len(set(numbers))

    # -- tables ----------------------------------------------------------------------------------------------------

    def _columns(self, line: Line) -> dict[str, int]:
        """Which column of a row holds what; nothing where the table is not one of tasks."""
        if line.kind != "row" or not line.header or len(line.cells) < 2:
            return {}
        found: dict[str, int] = {}
        for index, name in enumerate(line.header):
            if name in _ID_COLUMNS:
                found.setdefault("id", index)
            elif name in _OTHER_COLUMNS and name != "description":
                found.setdefault(_OTHER_COLUMNS[name], index)
        for name in _TITLE_COLUMNS:
            if name in line.header:
                found.setdefault("title", line.header.index(name))
        if "description" in line.header and line.header.index("description") != found.get("title"):
            found["description"] = line.header.index("description")
        return found if "title" in found and ("id" in found or len(found) > 2) else {}

    def _row(self, line: Line) -> None:
        columns = {what: index for what, index in self._columns(line).items() if index < len(line.cells)}
        if "title" not in columns or self._way in ("boxes", "numbered list"):
            return
        ids = ids_in(line.cells[columns["id"]]) if "id" in columns else ()
        title = plain(line.cells[columns["title"]])
        if not title and not ids:
            return
        strength = OWN if self._way == "table" else LIST
        task = self._task(ids[0] if ids else None, line.number)
        self._give_phase(task)
        take_title(self._plan, task, title, line.number, strength)
        for what, index in columns.items():
            if what not in ("id", "title") and line.cells[index]:
                set_field(self._plan, task, what, line.cells[index], line.number, strength)

    # -- groups, and the end ---------------------------------------------------------------------------------------

    def _end_group(self) -> None:
        group, self._group = self._group, None
        if group is None:
            return
        details = group.details()
        for key in group.ids:
            task = self._task(key, group.line)
            self._give_phase(task)
            name = group.name if len(group.ids) == 1 else f"{group.name} (task {key})"
            task.titles.append(Claim(name, group.line, PROSE))
            if group.owner:
                task.owners.append(Claim(group.owner, group.line, LIST))
            if group.text:
                task.descriptions.append(Claim(group.text, group.line, PROSE))
            task.group_details = task.group_details or details

    def _settle(self) -> None:
        """What can be said only when all tasks are known."""
        self._settle_owners()
        for key, status, line in self._prose:
            if key in self._known:
                self._known[key].statuses.append(Claim(status_word(status) or status, line, PROSE))
        titles = {task.title.casefold(): task.id for task in self._plan.tasks if task.id}
        for task in self._plan.tasks:
            if task.dependencies:
                task.dependencies = tuple(titles.get(one.casefold(), one) or one for one in task.dependencies)
        if all((task.id or "").isdigit() for task in self._plan.tasks):
            self._plan.tasks.sort(key=lambda task: int(task.id or 0))
        if self._passed_over:
            lines = ranges(map(str, self._passed_over))
            count = plural(len(self._passed_over), "check box", "check boxes")
            self._plan.warn(
                "passed-over", self._passed_over[0], f"{count} outside of any task: not taken (lines {lines})"
            )

    def _settle_owners(self) -> None:
        """Gives tasks the owners of the lists of owners.

        Such a list may have lines that are about no owner ("shared: tasks 26-27"). They are told by their name, which
        stands nowhere else, while everything that they name has an owner without them.
        """
        named = {claim.value.casefold() for task in self._known.values() for claim in task.owners}
        owned = {key for key, task in self._known.items() if task.owners}
        for owner, ids, line in self._owners:
            elsewhere = {key for other, keys, _ in self._owners if other != owner for key in keys}
            if owner.casefold() not in named and set(ids) <= owned | elsewhere:
                continue
            for key in ids:
                if key in self._known:
                    self._known[key].owners.append(Claim(owner, line, LIST))
