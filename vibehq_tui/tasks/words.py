"""The words of a tasks file, and what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

STATUSES: Final = ("pending", "in-progress", "review", "blocked", "done", "completed", "deferred", "cancelled")
"""What a ``status`` may say. A task without one is pending."""

PRIORITIES: Final = ("critical", "high", "medium", "low")
"""What a ``priority`` may say, the most urgent first. A task without one is medium."""

SATISFIED: Final = frozenset({"done", "completed"})
"""A dependency with one of these holds nobody back. A cancelled one does: what was to come from it never will, and an
operator has to say what becomes of those who wait. They are shown as blocked by it, and a warning names them."""

CLOSED: Final = SATISFIED | {"cancelled"}
"""Nothing more is to be done."""

STATES: Final = ("ready", "in-progress", "waiting", "broken", "blocked", "deferred", "done", "cancelled")
"""Every state of a task, in the order of the screen."""

STATE_OF_STATUS: Final[Mapping[str, str]] = {
    "in-progress": "in-progress",
    "review": "waiting",
    "blocked": "blocked",
    "done": "done",
    "completed": "done",
    "deferred": "deferred",
    "cancelled": "cancelled",
}
"""The state that follows from a status alone; ``pending`` is ready or blocked, as its dependencies are."""

PRIORITY_ORDER: Final[Mapping[str, int]] = {word: place for place, word in enumerate(PRIORITIES)}
"""0 for the most urgent."""
