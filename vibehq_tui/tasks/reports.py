"""What the service answers about files and plans."""

from __future__ import annotations

from dataclasses import dataclass

from storage.records import Task
from vibehq_tui.tasks.problems import TaskProblem


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncReport:
    """How the tasks file was found."""

    source: str = ""
    """Relative to the workspace; empty where there is none."""
    problems: tuple[TaskProblem, ...] = ()
    """What is wrong in it. With an error among them, the mirror is still that of its last good state."""
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    """Tasks files that exist as well and are not read."""

    @property
    def broken(self) -> bool:
        """Whether the file could not be taken."""
        return any(one.level == "error" for one in self.problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What a plan comes to."""

    added: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    tasks: tuple[Task, ...] = ()
    """The added and updated tasks as they are, or would be, afterwards."""
    warnings: tuple[TaskProblem, ...] = ()
    """What the plan says in two ways, and what of it was not taken."""
