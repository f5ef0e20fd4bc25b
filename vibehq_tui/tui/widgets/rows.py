"""Rows of a list: what they hold, how columns share the width, and how a line of cells is painted.

Texts are raw until here; :func:`paint` passes each through :func:`~vibehq_tui.text.clean.clean`. A cell names roles of
the theme, not colours, so a row can be kept while the theme changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style

from vibehq_tui.text.clean import clean


class Part(NamedTuple):
    """A piece of a cell and its role in the theme (``ok``, ``warn``, ``dim``, ``strong``, …; empty for plain text)."""

    text: str
    role: str = ""


Cell = str | Part | tuple["str | Part", ...]
"""What stands in one column: a text, a text with a role, or several of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One entry of a list."""

    key: str
    """Unique and lasting: selection and marks follow it when rows move."""
    cells: tuple[Cell, ...]
    """One for each column."""
    detail: Cell = ""
    """The second line, in lists whose rows have two."""
    record: Any = None
    """What the row stands for; commands act on it."""
    role: str = ""
    """The role of every part that names none: ``dim`` for what needs no attention."""
    spread: int | None = None
    """The number of a cell that takes the width of all columns after it too."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a list."""

    title: str = ""
    width: int = 0
    """In cells; with ``share`` the least."""
    share: int = 0
    """The part of the remaining width that it gets; 0 for a fixed column."""
    most: int = 0
    """No wider than this, where it shares; 0 for no limit."""
    right: bool = False
    """Aligned to the right, for numbers and ages."""
    drop: int = 0
    """Columns with the highest number go first when it gets narrow; 0 stays."""


def fit_columns(columns: Sequence[Column], width: int, gap: int = 1) -> tuple[int, ...]:
    """The width of each column within ``width`` cells, 0 for one that is left out.

    Columns are left out, highest ``drop`` first, until the rest has its least width; what remains is shared.
    """
    kept = list(range(len(columns)))

    def needed() -> int:
        return sum(columns[index].width for index in kept) + gap * max(len(kept) - 1, 0)

    while needed() > width:
        droppable = [index for index in kept if columns[index].drop]
        if not droppable:
            break
        kept.remove(max(droppable, key=lambda index: (columns[index].drop, index)))
    widths = [columns[index].width if index in kept else 0 for index in range(len(columns))]
    spare = width - needed()
    sharing = [index for index in kept if columns[index].share]
    while spare > 0 and sharing:
        total = sum(columns[index].share for index in sharing)
        given = 0
        for index in list(sharing):
            part = max(spare * columns[index].share // total, 1)
            limit = columns[index].most or width
            part = max(min(part, limit - widths[index], spare - given), 0)
            widths[index] += part
            given += part
            if widths[index] >= limit:
                sharing.remove(index)
        if not given:
            break
        spare -= given
    return _squeeze(columns, widths, width, gap)


def _squeeze(columns: Sequence[Column], widths: list[int], width: int, gap: int) -> tuple[int, ...]:
    """Takes from the widest columns what even the least widths have too much."""
    over = sum(widths) + gap * max(sum(1 for one in widths if one) - 1, 0) - width
    for index in sorted(range(len(columns)), key=lambda one: (not columns[one].share, -widths[one])):
        if over <= 0:
            break
        taken = min(over, max(widths[index] - 1, 0))
        widths[index] -= taken
        over -= taken
    return tuple(widths)


def fit(text: str, width: int, right: bool = False, more: str = "…") -> str:
    """``text`` in exactly ``width`` cells: filled up with spaces, or cut with ``more`` at the end."""
    length = len(text) if text.isascii() else cell_len(text)
    if length == width:
        return text
    if length < width:
        return " " * (width - length) + text if right else text + " " * (width - length)
    if width <= len(more):
        return set_cell_size(text, width)
    return set_cell_size(text, width - len(more)) + more


def parts_of(cell: Cell) -> Sequence[Part]:
    """A cell as parts."""
    if isinstance(cell, str):
        return (Part(cell),)
    if isinstance(cell, Part):
        return (cell,)
    return [Part(one) if isinstance(one, str) else one for one in cell]


def plain(cell: Cell) -> str:
    """The text of a cell, raw."""
    return "".join(part.text for part in parts_of(cell))


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a line is painted with: the styles of the theme, what to highlight, and the sign of a cut text."""

    styles: Mapping[str, Style]
    match: str = ""
    """Highlighted wherever it stands, whatever its case."""
    more: str = "…"
    mark: str = "▌"
    """Stands before a marked row."""
    ground: Style = field(default_factory=Style.null)
    """Behind everything."""


def paint(cell: Cell, width: int, base: Style, look: Look, *, role: str = "", right: bool = False) -> list[Segment]:
    """The segments of one cell, exactly ``width`` cells wide.

    :param base: lies under every part: the cursor's background, say.
    :param role: for parts that name none.
    """
    room = width
    segments: list[Segment] = []
    parts = [(clean(part.text), part.role or role) for part in parts_of(cell) if part.text]
    if right:
        used = sum(cell_len(text) for text, _ in parts)
        if used < room:
            segments.append(Segment(" " * (room - used), base))
            room = used
    for index, (text, part_role) in enumerate(parts):
        if room <= 0:
            break
        length = len(text) if text.isascii() else cell_len(text)
        rest_follows = index < len(parts) - 1
        if length > room or (length == room and rest_follows):
            text = fit(text + (" " * (room + 1) if length == room else ""), room, more=look.more)
            length = room
        # Where the cursor is reversed text, colours would become a patchwork of backgrounds.
        style = base if base.reverse else base + look.styles.get(part_role, Style.null())
        segments.extend(_highlight(text, style, look))
        room -= length
    if room > 0:
        segments.append(Segment(" " * room, base))
    return segments


def _highlight(text: str, style: Style, look: Look) -> list[Segment]:
    """``text`` in ``style``, with what matches in the style of a match."""
    if not look.match:
        return [Segment(text, style)]
    low, wanted = text.lower(), look.match.lower()
    if wanted not in low or len(low) != len(text):
        return [Segment(text, style)]
    found = style + look.styles["match"]
    segments: list[Segment] = []
    start = 0
    while (at := low.find(wanted, start)) >= 0:
        if at > start:
            segments.append(Segment(text[start:at], style))
        segments.append(Segment(text[at : at + len(wanted)], found))
        start = at + len(wanted)
    if start < len(text):
        segments.append(Segment(text[start:], style))
    return segments


def wrap(parts: Sequence[Part], width: int) -> list[list[Part]]:
    """Parts broken into lines of at most ``width`` cells, at spaces where there are any."""
    lines: list[list[Part]] = [[]]
    room = width
    for part in parts:
        for number, word in enumerate(part.text.split(" ")):
            lead = " " if number else ""
            length = cell_len(lead + word)
            if length > room and lines[-1]:
                lines.append([])
                room = width
                lead, length = "", cell_len(word)
            lines[-1].append(Part(lead + word, part.role))
            room -= length
    return lines
