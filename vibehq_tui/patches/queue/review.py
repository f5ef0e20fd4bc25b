"""What an operator sees when reviewing a patch."""

from __future__ import annotations

from dataclasses import dataclass, field

from storage.records import Patch, PatchComment, PatchDecision
from vibehq_tui.patches.model import Problem
from vibehq_tui.patches.planning.plan import Plan

ACCEPTED = "accepted"
REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """Two open patches that meet in one file."""

    patch: str
    other: str
    path: str
    lines: tuple[int, int]
    """First and last line, in the file as it is now, where they meet; ``(0, 0)`` for the whole file."""
    suggestion: str
    """An order that works, in words, or that they exclude each other."""
    first: str | None
    """The patch to apply first; none when no order works."""
    what: str = ""
    """How they meet, in words."""
    places: tuple[tuple[int, int], ...] = ()
    """Every place where they meet, first and last line; none for the whole file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """One patch against the tree as it is at this moment."""

    patch: Patch
    plan: Plan | None
    """None when the patch does not apply now; ``problems`` says why."""
    text: bytes
    """The patch as it was submitted."""
    problems: tuple[Problem, ...] = ()
    decisions: dict[int, PatchDecision] = field(default_factory=dict)
    """By hunk number; a hunk that is not here is undecided."""
    seen: frozenset[str] = frozenset()
    """Paths marked as reviewed whose planned content has not changed since."""
    comments: tuple[PatchComment, ...] = ()
    meets: tuple[Overlap, ...] = ()

    @property
    def accepted(self) -> tuple[int, ...]:
        """The hunks that an approval would take: all that are not rejected."""
        if self.plan is None:
            return ()
        rejected = {number for number, decision in self.decisions.items() if decision.decision == REJECTED}
        return tuple(number for number in self.plan.hunk_numbers if number not in rejected)
