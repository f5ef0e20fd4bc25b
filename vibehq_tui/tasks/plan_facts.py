"""What a plan says about its tasks, from where, and what it says in two ways."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from vibehq_tui.tasks.problems import TaskProblem
from vibehq_tui.tasks.words import PRIORITIES, SATISFIED, STATUSES
from vibehq_tui.text.forms import plural, ranges

OWN: Final = 3
"""Said in the task's own section."""
LIST: Final = 2
"""Said in a check list or a list of groups that names the task."""
PROSE: Final = 1
"""Said in passing."""

_STATUS_WORDS: Final = {
    "complete": "done",
    "completed": "done",
    "done": "done",
    "finished": "done",
    "closed": "done",
    "shipped": "done",
    "✅": "done",
    "✔": "done",
    "open": "pending",
    "todo": "pending",
    "to-do": "pending",
    "pending": "pending",
    "planned": "pending",
    "not-started": "pending",
    "ready": "pending",
    "in-progress": "in-progress",
    "started": "in-progress",
    "wip": "in-progress",
    "doing": "in-progress",
    "ongoing": "in-progress",
    "in-review": "review",
    "blocked": "blocked",
    "on-hold": "deferred",
    "postponed": "deferred",
    "canceled": "cancelled",
    "dropped": "cancelled",
}
_PRIORITY_WORDS: Final = {
    "p0": "critical",
    "urgent": "critical",
    "highest": "critical",
    "blocker": "critical",
    "p1": "high",
    "p2": "medium",
    "normal": "medium",
    "p3": "low",
    "lowest": "low",
    "minor": "low",
}


def _folded(word: str) -> str:
    return re.sub(r"[\s_]+", "-", word.strip(" `*_.").casefold())


def status_word(text: str) -> str | None:
    """The status that a plan means, or none where the text is no status."""
    folded = _folded(text)
    return _STATUS_WORDS.get(folded) or (folded if folded in STATUSES else None)


def priority_word(text: str) -> str | None:
    """The priority that a plan means, or none where the text is no priority."""
    folded = _folded(text).removesuffix("-priority")
    return _PRIORITY_WORDS.get(folded) or (folded if folded in PRIORITIES else None)


@dataclass(frozen=True, slots=True)
class Claim:
    """Something said about a task, and on which line."""

    value: str
    line: int
    strength: int


@dataclass(slots=True, kw_only=True)
class PlanTask:
    """One task of a plan. Of what is said in several places the strongest counts, among equals the first."""

    id: str | None
    """None where the plan gives no number; then its title tells it apart."""
    line: int
    titles: list[Claim] = field(default_factory=list)
    statuses: list[Claim] = field(default_factory=list)
    priorities: list[Claim] = field(default_factory=list)
    owners: list[Claim] = field(default_factory=list)
    phases: list[Claim] = field(default_factory=list)
    descriptions: list[Claim] = field(default_factory=list)
    dependencies: tuple[str, ...] | None = None
    dependency_line: int = 0
    details: list[str] = field(default_factory=list)
    group_details: str = ""
    """What is said of the group that it belongs to; used where nothing is said of it alone."""
    test_strategy: str = ""
    criteria: list[str] = field(default_factory=list)
    files: list[dict[str, str]] = field(default_factory=list)
    effort: str = ""
    tags: tuple[str, ...] = ()
    subtasks: list[PlanTask] = field(default_factory=list)

    @property
    def title(self) -> str:
        """The best title, or ``Task 7``."""
        found = best(self.titles)
        return found.value if found else f"Task {self.id}"

    @property
    def status(self) -> Claim | None:
        """What is said to be done."""
        return best(self.statuses)


@dataclass(slots=True)
class Plan:
    """A plan that was read."""

    name: str
    tasks: list[PlanTask] = field(default_factory=list)
    warnings: list[TaskProblem] = field(default_factory=list)

    def warn(self, code: str, line: int, message: str, *, task: str | None = None, hint: str = "") -> None:
        """Notes what an operator should know."""
        column = 1 if line else 0
        self.warnings.append(
            TaskProblem(
                level="warning",
                code=code,
                file=self.name,
                line=line,
                column=column,
                message=message,
                task=task,
                hint=hint,
            )
        )


def best(claims: Iterable[Claim]) -> Claim | None:
    """The strongest claim; the first of equals."""
    return max(claims, key=lambda one: (one.strength, -one.line), default=None)


def check_plan(plan: Plan, total: tuple[int, int] | None) -> None:
    """Warns of what the plan says in two ways.

    :param total: how many tasks it says it has, and on which line.
    """
    _contradictions(plan, "status", [(task, task.statuses) for task in plan.tasks])
    _contradictions(plan, "priority", [(task, task.priorities) for task in plan.tasks])
    _contradictions(plan, "owner", [(task, task.owners) for task in plan.tasks])
    _other_titles(plan)
    _order(plan)
    if total is not None and total[0] != len(plan.tasks):
        said, line = total
        plan.warn(
            "total", line, f"the plan says that it has {plural(said, 'task')}; {len(plan.tasks)} were found in it"
        )


def _contradictions(plan: Plan, what: str, said: Sequence[tuple[PlanTask, list[Claim]]]) -> None:
    """One warning for each line that loses, with all tasks for which it does."""
    lost: dict[tuple[int, str], list[tuple[PlanTask, Claim]]] = {}
    for task, claims in said:
        winner = best(claims)
        for claim in claims:
            if winner is not None and claim.value.casefold() != winner.value.casefold():
                lost.setdefault((claim.line, claim.value), []).append((task, winner))
    for (line, value), found in lost.items():
        ids = [task.id or task.title for task, _ in found]
        winners = list(dict.fromkeys(claim.value for _, claim in found))
        numbers = sorted({claim.line for _, claim in found})
        lines = ("line " if len(numbers) == 1 else "lines ") + ranges(map(str, numbers))
        noun = "task" if len(ids) == 1 else "tasks"
        plan.warn(
            f"contradicting-{what}",
            line,
            f"the {what} of {noun} {ranges(ids)} is {value!r} here and {' or '.join(map(repr, winners))}"
            f" on {lines}; the latter is taken",
            task=ids[0] if len(ids) == 1 else None,
        )


_SMALL_WORDS: Final = frozenset(
    {"a", "an", "and", "as", "at", "by", "for", "from", "in", "into", "of", "on", "or", "the", "to", "with", "task"}
)


def _words(text: str) -> set[str]:
    return {word for word in re.findall(r"\w+", text.casefold()) if word not in _SMALL_WORDS}


def _other_titles(plan: Plan) -> None:
    """Two titles of one number that have no word in common are likely two tasks."""
    for task in plan.tasks:
        winner = best(task.titles)
        for claim in task.titles:
            if winner is None or claim.strength < LIST or claim is winner:
                continue
            if not _words(claim.value) & _words(winner.value):
                message = (
                    f"task {task.id} is called {claim.value!r} here and {winner.value!r} on line {winner.line};"
                    " the latter is taken"
                )
                plan.warn("contradicting-title", claim.line, message, task=task.id)


def _order(plan: Plan) -> None:
    """A task that is done cannot have waited for one that is not."""
    known = {task.id: task for task in plan.tasks if task.id}
    for task in plan.tasks:
        status = task.status
        if status is None or status.value not in SATISFIED:
            continue
        still_open = [
            one
            for one in task.dependencies or ()
            if one in known and ((known[one].status or Claim("pending", 0, 0)).value not in SATISFIED)
        ]
        if still_open:
            noun = "task" if len(still_open) == 1 else "tasks"
            verb = "is" if len(still_open) == 1 else "are"
            message = (
                f"task {task.id} is {status.value} (line {status.line}), but it depends on"
                f" {noun} {ranges(still_open)}, which {verb} not"
            )
            plan.warn("done-before-dependency", task.dependency_line or task.line, message, task=task.id)
