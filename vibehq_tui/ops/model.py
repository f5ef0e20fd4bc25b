"""What is found, and what may be asked about patches and tasks to find it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from vibehq_tui.tasks.problems import TaskProblem

SEVERITIES: Final = ("critical", "high", "medium", "low")
"""From worst to least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that a detector sees now. Its issue stays the same as long as its key does."""

    key: tuple[str, ...]
    """What makes it this cause and no other: ids and paths, never counts, times or texts that change."""
    title: str
    severity: str
    """critical, high, medium, low."""
    message: str = ""
    """What was seen, in one or two sentences, and what to do about it."""
    subject: str = ""
    """What it is about: ``patch``, ``task``, ``workspace``, ``detector`` …"""
    subject_id: str = ""
    pattern: str = ""
    """A text that belongs to the key once numbers, times, paths and the like are taken out of it: an error message."""
    data: Mapping[str, Any] = field(default_factory=dict)
    """Evidence, JSON-ready. Never a secret itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TouchedPath:
    """Where a plan changes one path of the tree as it is now."""

    path: str
    op: str
    """modify, create, delete, rename, copy, mode; the old path of a rename is an entry of its own, with ``delete``."""
    ranges: tuple[tuple[int, int], ...] = ()
    """First and last line, from 1, of what is replaced; an insertion after line n is ``(n, n + 1)``. Empty where the
    whole file is meant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanCheck:
    """What came of planning a patch against the tree as it is now."""

    ok: bool
    problems: tuple[Mapping[str, Any], ...] = ()
    """Why not: ``{"code", "path", "hunk", "message", …}``."""
    touched: tuple[TouchedPath, ...] = ()
    added_lines: Mapping[str, Sequence[tuple[int, str]]] | None = None
    """Path → ``(line, text)`` of every line that it adds, in order; None where the patch could not be read."""


class Replan(Protocol):
    """Plans an open patch against the tree as it is now."""

    async def __call__(self, patch_id: str) -> PlanCheck:
        """A patch that does not apply is a result, not an error."""
        ...


class TaskSource(Protocol):
    """What detectors ask about the tasks files."""

    async def validate(self) -> Sequence[TaskProblem]:
        """Everything wrong in the tasks files of the workspace."""
        ...
