"""Pieces of the documents on the screens of a task, an issue and a provider."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from storage.clock import Millis
from storage.records import Event, Execution, Patch
from vibehq_tui.text.clean import clean
from vibehq_tui.text.forms import age, changes, duration, money
from vibehq_tui.text.glyphs import EXECUTIONS, PATCH_STATES, sign
from vibehq_tui.tui.widgets.detail import Document, Target
from vibehq_tui.tui.widgets.rows import Cell, Part

_OPENABLE = frozenset({"patch", "task", "issue", "provider"})
_DEPTH = 3
_MOST_ITEMS = 50
_FIRST_TIME = 1_000_000_000_000
"""Numbers above this are milliseconds since 1970, where their name says that they are times."""


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


def execution_rows(document: Document, executions: Sequence[Execution], now: int, ascii_only: bool) -> None:
    """One line for each run of an agent; it opens the log."""
    for run in executions:
        state = sign(EXECUTIONS, run.state)
        started = ago(run.started_at, now) if run.started_at is not None else ""
        took = duration((run.ended_at or now) - run.started_at) if run.started_at is not None else ""
        document.line(
            (
                Part(f"{state.text(ascii_only)} ", state.tone),
                Part(f"{run.id} ", "strong"),
                Part(state.word, state.tone),
                Part(f"  {run.provider}"),
                Part(f"  {took}  {money(run.cost_micros)}" if run.cost_micros else f"  {took}", "dim"),
                Part(f"  {run.message}" if run.message else "", "dim"),
                Part(f"  {started}", "faint"),
            ),
            Target("log", run.log) if run.log else None,
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


def evidence(document: Document, data: Mapping[str, Any], now: int) -> None:
    """JSON of any shape as names and values; ids of patches and tasks can be opened, times are told as such."""
    _Evidence(document, now).mapping(data, 0, _DEPTH)


class _Evidence:
    """Writes JSON into a document."""

    def __init__(self, document: Document, now: int) -> None:
        self._document = document
        self._now = now

    def mapping(self, data: Mapping[str, Any], indent: int, depth: int) -> None:
        """Every name and its value."""
        for key, value in list(data.items())[:_MOST_ITEMS]:
            name = clean(str(key), 40)
            if isinstance(value, Mapping) and value and depth:
                self._document.row(Part(name, "dim"), indent=indent)
                self.mapping(value, indent + 2, depth - 1)
            elif isinstance(value, (list, tuple)) and value and depth:
                self.sequence(name, value, indent, depth)
            else:
                self.fact(name, _kind(name), value, indent)

    def sequence(self, name: str, values: Sequence[Any], indent: int, depth: int) -> None:
        """Short ones on one line, things that can be opened and mappings one below the other."""
        kind = _kind(name)
        if not kind and all(isinstance(value, (str, int, float)) for value in values):
            text = ", ".join(str(value) for value in values[:_MOST_ITEMS])
            self._document.row((Part(f"{name}  ", "dim"), Part(text)), indent=indent, hanging=indent + 2)
            return
        if not kind:
            self._document.row(Part(name, "dim"), indent=indent)
        for value in values[:_MOST_ITEMS]:
            if isinstance(value, Mapping):
                self.mapping(value, indent + 2, depth - 1)
            else:
                self.fact(kind, kind, value, indent if kind else indent + 2)
        if len(values) > _MOST_ITEMS:
            self._document.row(Part(f"… and {len(values) - _MOST_ITEMS} more", "dim"), indent=indent + 2)

    def fact(self, name: str, kind: str, value: Any, indent: int) -> None:
        """One name and its value."""
        if value is None:
            return
        target = Target(kind, str(value)) if kind and isinstance(value, (str, int)) else None
        is_time = isinstance(value, int) and value > _FIRST_TIME and name.endswith(("At", "Activity", "Seen"))
        shown = moment(value, self._now) if is_time else str(value)
        label = (Part(f"{name}  ", "dim"),) if name else ()
        self._document.row((*label, Part(shown, "accent" if target else "")), target, indent=indent, hanging=indent + 2)


def _kind(name: str) -> str:
    """What a name says that its values are ids of."""
    return {"patches": "patch", "tasks": "task"}.get(name, name if name in _OPENABLE else "")
