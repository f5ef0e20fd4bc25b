"""Which parts of the screen an event concerns."""

from __future__ import annotations

from collections.abc import Iterable

from storage.records import Event

_AREAS: tuple[tuple[str, frozenset[str]], ...] = (
    ("patch.", frozenset({"patches", "tasks"})),
    ("task.assigned", frozenset({"tasks", "providers"})),
    ("task", frozenset({"tasks"})),
    ("issue.", frozenset({"issues"})),
    ("scan.", frozenset({"issues"})),
    ("execution.", frozenset({"providers", "tasks"})),
    ("provider", frozenset({"providers", "tasks"})),
)


def areas(events: Iterable[Event]) -> frozenset[str]:
    """The panes, by name, whose rows may differ after ``events``. The terminal shows the feed itself, so always."""
    found = {"terminal"}
    for kind in {event.type for event in events}:
        for prefix, names in _AREAS:
            if kind.startswith(prefix):
                found |= names
                break
    return frozenset(found)
