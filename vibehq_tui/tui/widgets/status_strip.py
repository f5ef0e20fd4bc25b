"""The line at the top: where one is, what waits, what burns."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from vibehq_tui.headquarters import Overview
from vibehq_tui.text.clean import clean
from vibehq_tui.text.forms import money, until
from vibehq_tui.tui.theme import styles
from vibehq_tui.tui.widgets.rows import Part

_GAPS = (3, 2)
"""Cells between two pieces: rather closer than leaving one out."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of the strip; those with the highest number go first when it gets narrow."""

    parts: tuple[Part, ...]
    drop: int

    @property
    def width(self) -> int:
        return sum(cell_len(part.text) for part in self.parts)


def pieces(overview: Overview, now: int, read_only: bool, ascii_only: bool) -> list[_Piece]:
    """What the strip says, from left to right."""

    def sign(glyph: str, plain: str) -> str:
        return plain if ascii_only else glyph

    ready = overview.tasks.get("ready", 0)
    waiting = overview.patches.get("proposed", 0) + overview.patches.get("approved", 0)
    trouble = overview.patches.get("conflicted", 0) + overview.patches.get("failed", 0)
    critical = overview.issues.get("critical", 0)
    others = sum(overview.issues.values()) - critical
    found = [
        _Piece((Part("VIBE HQ", "accent"),), 6),
        _Piece((Part(clean(overview.workspace, 30), "strong"), *_place(overview)), 0),
        _Piece((Part(f"{sign('●', '*')} {ready:,} ready", "ok" if ready else "dim"),), 2),
        _Piece((Part(f"{sign('◆', '?')} {waiting:,} waiting", "wait" if waiting else "dim"),), 1),
    ]
    if trouble:
        found.append(_Piece((Part(f"{sign('×', 'x')} {trouble} in trouble", "error"),), 3))
    if critical:
        found.append(_Piece((Part(f"{sign('▲', '!')} {critical} critical", "error"),), 0))
    else:
        word = "issue" if others == 1 else "issues"
        found.append(_Piece((Part(f"{sign('▲', '!')} {others:,} {word}", "warn" if others else "dim"),), 3))
    running = overview.agents_running
    agents = f"{sign('◐', '~')} {running}/{overview.agents_known} agents"
    found.append(_Piece((Part(agents, "busy" if running else "dim"),), 4))
    found.append(_Piece((Part(money(overview.cost_micros_today), "dim"),), 7))
    found.extend(_services(overview, now))
    if read_only:
        found.append(_Piece((Part("read-only", "warn"),), 1))
    return found


def _place(overview: Overview) -> tuple[Part, ...]:
    if overview.branch is None and overview.head is None:
        return ()
    branch = clean(overview.branch or "detached", 24)
    return (Part(f" {branch}", "dim"), Part(f" {(overview.head or '')[:7]}", "faint"))


def _services(overview: Overview, now: int) -> list[_Piece]:
    found = []
    if overview.next_incremental is not None:
        text = f"next scan {until(overview.next_incremental, now)}"
        if overview.next_full is not None:
            text += f" · full {time.strftime('%H:%M', time.localtime(overview.next_full / 1000))}"
        found.append(_Piece((Part(text, "faint"),), 9))
    if overview.leads:
        found.append(_Piece((Part("leader", "faint"),), 8))
    elif overview.leader:
        found.append(_Piece((Part(f"led by {clean(overview.leader, 24)}", "faint"),), 8))
    return found


def fit_pieces(found: Sequence[_Piece], width: int) -> tuple[list[_Piece], int]:
    """The pieces that have room, and the cells between them."""
    kept = list(found)
    while True:
        for gap in _GAPS:
            if sum(piece.width for piece in kept) + gap * max(len(kept) - 1, 0) <= width or len(kept) < 2:
                return kept, gap
        kept.remove(max(kept, key=lambda piece: piece.drop))


class StatusStrip(Widget):
    """Shows an :class:`~vibehq_tui.headquarters.Overview` and the time of day."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    StatusStrip { dock: top; height: 1; background: $strip; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._overview: Overview | None = None
        self._now = 0
        self._read_only = False

    def show(self, overview: Overview, now: int, read_only: bool) -> None:
        """Shows other numbers.

        :param now: UTC milliseconds.
        """
        self._overview, self._now, self._read_only = overview, now, read_only
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """The line."""
        width = self.size.width
        look = styles(self.app.theme)
        ground = look["strip"]
        if self._overview is None:
            return Strip([Segment(" VIBE HQ", ground + look["accent"])]).extend_cell_length(width, ground)
        clock = time.strftime("%H:%M", time.localtime(self._now / 1000))
        ascii_only = bool(getattr(self.app, "ascii_only", False))
        found = pieces(self._overview, self._now, self._read_only, ascii_only)
        segments = [Segment(" ", ground)]
        kept, gap = fit_pieces(found, width - len(clock) - 4)
        for number, piece in enumerate(kept):
            if number:
                segments.append(Segment(" " * gap, ground))
            segments.extend(Segment(part.text, ground + look[part.role]) for part in piece.parts)
        strip = Strip(segments).adjust_cell_length(max(width - len(clock) - 1, 0), ground)
        return Strip([*strip, Segment(clock, ground + look["dim"]), Segment(" ", ground)], width)
