"""Pieces of the documents on the screens of a task, an issue and a provider."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from storage.clock import Millis
from storage.records import Event, Patch
from vibehq_tui.text.clean import clean
from vibehq_tui.text.forms import age, changes
from vibehq_tui.text.glyphs import PATCH_STATES, sign
from vibehq_tui.tui.widgets.detail import Document, Target
from vibehq_tui.tui.widgets.rows import Cell, Part

_OPENABLE = frozenset({"patch", "task", "issue", "provider"})
_DEPTH = 3
_MOST_ITEMS = 50


def ago(then: Millis | int, now: int) -> str:
    """``3m ago``, ``just now``."""
    words = age(int(then), now)
    return "just now" if words == "now" else f"{words} ago"


def moment(at: Millis | int, now: int) -> str:
    """``2026-03-01 14:02, 3h ago``, in the operator's own time."""
    return f"{datetime.fromtimestamp(int(at) / 1000):%Y-%m-%d %H:%M}, {ago(at, now)}"


def patch_rows(document: Document, patches: Sequence[Patch], now: int, ascii_only: bool) -> None:
    """One line for each patch; it opens the review."""
    for patch in patches:
        state = sign(PATCH_STATES, patch.state)
        document.line(
            (
                Part(f"{state.text(ascii_only)} ", state.tone),
                Part(f"{patch.id} ", "strong"),
                Part(patch.title),
                Part(f"  {state.word}", state.tone),
                Part(f"  {changes(patch.added, patch.removed, ascii_only)}", "dim"),
                Part(f"  {patch.provider}" if patch.provider else "", "dim"),
                Part(f"  {ago(patch.updated_at, now)}", "faint"),
            ),
            Target("patch", patch.id),
        )


def event_rows(document: Document, events: Iterable[Event], now: int, *, about: tuple[str, str]) -> None:
    """One entry for each event, newest first; those about something else than ``about`` open it."""
    for event in events:
        target = None
        if event.subject in _OPENABLE and event.subject_id and (event.subject, event.subject_id) != about:
            target = Target(event.subject, event.subject_id)
        subject = f" {event.subject_id}" if target else ""
        cell: Cell = (
            Part(f"{age(event.at, now):>4}  ", "faint"),
            Part(f"{event.type}{subject}", "dim" if target is None else "accent"),
            Part(f"  {event.message}" if event.message else ""),
            Part(f"  {event.actor}", "faint"),
        )
        document.row(cell, target, hanging=6)


def evidence(document: Document, data: Mapping[str, Any], *, indent: int = 0, depth: int = _DEPTH) -> None:
    """JSON of any shape as names and values; ids of patches and tasks can be opened."""
    for key, value in list(data.items())[:_MOST_ITEMS]:
        name = clean(str(key), 40)
        kind = name.rstrip("s") if name in ("patch", "patches", "task", "tasks", "provider", "issue") else ""
        kind = {"patche": "patch"}.get(kind, kind)
        if isinstance(value, Mapping) and value and depth:
            document.row(Part(name, "dim"), indent=indent)
            evidence(document, value, indent=indent + 2, depth=depth - 1)
        elif isinstance(value, (list, tuple)) and value and depth:
            _evidence_list(document, name, kind, value, indent, depth)
        else:
            _evidence_fact(document, name, kind, value, indent)


def _evidence_list(document: Document, name: str, kind: str, values: Sequence[Any], indent: int, depth: int) -> None:
    if all(isinstance(value, (str, int, float)) for value in values) and not kind:
        text = ", ".join(str(value) for value in values[:_MOST_ITEMS])
        document.row((Part(f"{name}  ", "dim"), Part(text)), indent=indent, hanging=indent + 2)
        return
    document.row(Part(name, "dim"), indent=indent)
    for value in values[:_MOST_ITEMS]:
        if isinstance(value, Mapping):
            evidence(document, value, indent=indent + 2, depth=depth - 1)
        else:
            _evidence_fact(document, "", kind, value, indent + 2)
    if len(values) > _MOST_ITEMS:
        document.row(Part(f"… and {len(values) - _MOST_ITEMS} more", "dim"), indent=indent + 2)


def _evidence_fact(document: Document, name: str, kind: str, value: Any, indent: int) -> None:
    if value is None:
        return
    target = Target(kind, str(value)) if kind and isinstance(value, (str, int)) else None
    shown = f"{kind} {value}" if target and not name else str(value)
    label = (Part(f"{name}  ", "dim"),) if name else ()
    document.row((*label, Part(shown, "accent" if target else "")), target, indent=indent, hanging=indent + 2)
