"""The first changes of a patch, for the main screen: unified diff as lines, without syntax highlighting."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from vibehq_tui.text.clean import clean
from vibehq_tui.tui.theme import styles
from vibehq_tui.tui.widgets.rows import Cell, Look, Part, fit, paint

_HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@ ?(.*)")
_BYTES = 40_000
_LINES = 200
_TAB = "    "
_ROLES = {"file": "strong", "hunk": "accent", "note": "dim", "gap": ""}
_BACKS = {"+": "added_back", "-": "removed_back"}
_SIGNS = {"+": "added", "-": "removed"}


def diff_lines(diff: bytes) -> list[tuple[str, str, str]]:
    """The beginning of a unified diff as ``(kind, numbers, text)``.

    Kinds are ``file``, ``hunk``, ``+``, ``-``, a space for context, and ``note`` for everything else.
    """
    lines: list[tuple[str, str, str]] = []
    old = new = 0
    inside = False
    for raw in diff[:_BYTES].decode("utf-8", "surrogateescape").split("\n")[:_LINES]:
        if match := _HUNK.match(raw):
            old, new, inside = int(match[1]), int(match[2]), True
            lines.append(("hunk", "", f"@@ {match[1]} → {match[2]}  {match[3]}".rstrip()))
        elif raw.startswith("diff --git "):
            inside = False
            if lines:
                lines.append(("gap", "", ""))
            lines.append(("file", "", raw.rpartition(" b/")[2]))
        elif inside and raw[:1] in ("+", "-", " "):
            kind, text = raw[0], raw[1:].replace("\t", _TAB)
            left = "" if kind == "+" else str(old)
            right = "" if kind == "-" else str(new)
            old += kind != "+"
            new += kind != "-"
            lines.append((kind, f"{left:>4} {right:>4}", text))
        elif raw.startswith("+++ ") and not any(kind == "file" for kind, _, _ in lines):
            lines.append(("file", "", raw[4:].removeprefix("b/")))
        elif raw.startswith(("new file", "deleted file", "rename ", "copy ", "old mode", "new mode", "GIT binary")):
            lines.append(("note", "", raw))
    return lines


class DiffPreview(Widget):
    """Shows a few lines of remarks, then the beginning of a diff."""

    ALLOW_SELECT = False

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._remarks: Sequence[Cell] = ()
        self._lines: list[tuple[str, str, str]] = []

    def show(self, remarks: Sequence[Cell], diff: bytes) -> None:
        """Other content."""
        self._remarks = remarks
        self._lines = diff_lines(diff)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One line."""
        ascii_only = bool(getattr(self.app, "ascii_only", False))
        table = styles(self.app.theme)
        look = Look(styles=table, more="~" if ascii_only else "…", ground=table["background"])
        width = self.size.width
        index = y - len(self._remarks)
        if index < 0:
            return _text_line(self._remarks[y], width, look)
        if index >= len(self._lines):
            return Strip.blank(width, look.ground)
        kind, numbers, text = self._lines[index]
        if ascii_only:
            text = text.replace("→", "->")
        if kind in _ROLES:
            return _text_line(Part(text, _ROLES[kind]), width, look)
        return _code_line(kind, numbers, text, width, look)


def _text_line(cell: Cell, width: int, look: Look) -> Strip:
    edge = Segment(" ", look.ground)
    return Strip([edge, *paint(cell, max(width - 2, 0), look.ground, look), edge], width)


def _code_line(kind: str, numbers: str, text: str, width: int, look: Look) -> Strip:
    back = look.ground + look.styles[_BACKS[kind]] if kind in _BACKS else look.ground
    sign = look.styles[_SIGNS.get(kind, "dim")]
    segments = [
        Segment(f"{numbers} ", look.ground + look.styles["faint"]),
        Segment(f"{kind} ", back + sign),
        Segment(fit(clean(text), max(width - 13, 0), more=look.more), back + look.styles[""]),
        Segment(" ", look.ground),
    ]
    return Strip(segments).adjust_cell_length(width, look.ground)
