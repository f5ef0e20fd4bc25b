"""The signs of states: one glyph, one ASCII stand-in, one word and one tone for each, the same on every face.

A tone is a role, not a colour (``ok``, ``busy``, ``wait``, ``warn``, ``error``, ``dim``): the theme says what it looks
like. No state is told by its tone alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from vibehq_tui.text.clean import clean

Tone = Literal["ok", "busy", "wait", "warn", "error", "dim"]
"""The role of a sign; a theme maps it to a colour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """How one state is shown. ``glyph`` and ``ascii`` are one cell wide, in :data:`PRIORITIES` three."""

    glyph: str
    ascii: str
    word: str
    tone: Tone

    def text(self, ascii_only: bool = False) -> str:
        """The glyph, or its stand-in for terminals that draw ASCII only."""
        return self.ascii if ascii_only else self.glyph


def _sign(glyph: str, ascii_: str, word: str, tone: Tone) -> Sign:
    return Sign(glyph=glyph, ascii=ascii_, word=word, tone=tone)


TASK_STATES: Mapping[str, Sign] = {
    "ready": _sign("●", "*", "ready", "ok"),
    "in-progress": _sign("◐", "~", "in progress", "busy"),
    "waiting": _sign("◆", "?", "waiting", "wait"),
    "blocked": _sign("○", "o", "blocked", "dim"),
    "broken": _sign("‼", "!", "broken", "error"),
    "deferred": _sign("◌", ".", "deferred", "dim"),
    "done": _sign("✔", "+", "done", "ok"),
    "cancelled": _sign("⊘", "-", "cancelled", "dim"),
}
"""By ``Task.state``."""

PATCH_STATES: Mapping[str, Sign] = {
    "proposed": _sign("◆", "?", "proposed", "wait"),
    "approved": _sign("◇", ">", "approved", "busy"),
    "applied": _sign("✔", "+", "applied", "ok"),
    "verified": _sign("✚", "#", "verified", "ok"),
    "rejected": _sign("⊘", "-", "rejected", "dim"),
    "conflicted": _sign("×", "x", "conflict", "error"),
    "failed": _sign("✘", "!", "failed", "error"),
    "reverted": _sign("↺", "<", "reverted", "dim"),
}
"""By ``Patch.state``."""

SEVERITIES: Mapping[str, Sign] = {
    "critical": _sign("▲", "!", "critical", "error"),
    "high": _sign("■", "#", "high", "warn"),
    "medium": _sign("●", "*", "medium", "busy"),
    "low": _sign("○", ".", "low", "dim"),
}
"""By ``Issue.severity``."""

ISSUE_STATES: Mapping[str, Sign] = {
    "open": _sign("●", "*", "open", "error"),
    "acknowledged": _sign("◐", "~", "acknowledged", "wait"),
    "claimed": _sign("◆", "@", "claimed", "busy"),
    "snoozed": _sign("◌", ".", "snoozed", "dim"),
    "resolved": _sign("✔", "+", "resolved", "ok"),
}
"""By ``Issue.status``."""

EXECUTIONS: Mapping[str, Sign] = {
    "queued": _sign("○", "o", "queued", "dim"),
    "running": _sign("◐", "~", "running", "busy"),
    "done": _sign("✔", "+", "done", "ok"),
    "failed": _sign("✘", "!", "failed", "error"),
    "cancelled": _sign("⊘", "-", "cancelled", "dim"),
    "lost": _sign("‼", "x", "lost", "error"),
}
"""By ``Execution.state``."""

PROVIDERS: Mapping[str, Sign] = {
    "ready": _sign("●", "*", "ready", "ok"),
    "working": _sign("◐", "~", "working", "busy"),
    "limited": _sign("◆", "?", "limited", "warn"),
    "broken": _sign("✘", "!", "broken", "error"),
    "disabled": _sign("⊘", "-", "disabled", "dim"),
    "missing": _sign("○", "o", "not found", "dim"),
}
"""What can be said of a provider on this machine."""

CHECKS: Mapping[str, Sign] = {
    "ok": _sign("✔", "+", "ok", "ok"),
    "warning": _sign("▲", "!", "warning", "warn"),
    "error": _sign("✘", "x", "error", "error"),
}
"""By the result of a check in a validation report."""

PRIORITIES: Mapping[str, Sign] = {
    "critical": _sign("▮▮▮", "!!!", "critical", "error"),
    "high": _sign("▮▮▯", "!! ", "high", "warn"),
    "medium": _sign("▮▯▯", "!  ", "medium", "busy"),
    "low": _sign("▯▯▯", ".  ", "low", "dim"),
}
"""By ``Task.priority``; three cells wide."""


def sign(table: Mapping[str, Sign], key: str) -> Sign:
    """The sign of ``key``, or a question mark with the cleaned word where a file or a peer uses a word of its own."""
    found = table.get(key)
    if found is not None:
        return found
    return Sign(glyph="?", ascii="?", word=clean(key, 20), tone="warn")
