"""How a list looks: its header, its rows and what stands in it while it is empty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from vibehq_tui.tui.widgets.rows import Cell, Column, Look, Part, Row, fit_columns, paint, parts_of, wrap

_STRIPS_KEPT = 1000


_MARGIN = 1
"""Cells kept free at the left, for the mark, and at the right, for the bar that shows where one is."""


def with_thumb(strip: Strip, line: int, room: int, offset: int, total: int, look: Look) -> Strip:
    """A line with its part of the scroll bar in the last cell, if it has one.

    :param line: the line's number below the header.
    :param room: lines that there are for rows.
    :param offset: how many lines are scrolled away.
    :param total: lines that all rows need.
    """
    if total <= room:
        return strip
    length = max(room * room // total, 1)
    top = (room - length) * offset // max(total - room, 1)
    if not top <= line < top + length:
        return strip
    width = strip.cell_length - 1
    return Strip([*strip.crop(0, width), Segment("▐", look.ground + look.styles["line"])], width + 1)


@dataclass(slots=True)
class ListPainter:
    """Paints lines of a list, and keeps those it painted until :meth:`forget`."""

    columns: tuple[Column, ...]
    width: int = 0
    _widths: tuple[int, ...] = ()
    _strips: dict[tuple[int, int, str, bool], Strip] = field(default_factory=dict)

    def forget(self) -> None:
        """Something changed that shows."""
        self._strips.clear()

    def resize(self, width: int) -> None:
        """Shares another width among the columns."""
        self.width = width
        self._widths = fit_columns(self.columns, max(width - 2 * _MARGIN, 0), self._gap)
        self.forget()

    @property
    def _gap(self) -> int:
        return 2 if self.width >= 52 else 1

    def header(self, look: Look) -> Strip:
        """The titles of the columns."""
        cells = tuple(Part(column.title, "faint") for column in self.columns)
        plain = Look(styles=look.styles, ground=look.ground)
        return self._line(cells, look.ground, plain, "", Segment(" ", look.ground))

    def row(self, row: Row | None, index: int, part: int, look: Look, ground: str, marked: bool) -> Strip:
        """Line ``part`` (0 or 1) of a row; a row that is still being read shows a dot.

        :param ground: the role behind it: ``cursor``, ``cursor_blurred`` or none.
        """
        key = (index, part, ground, marked)
        strip = self._strips.get(key)
        if strip is None:
            if len(self._strips) > _STRIPS_KEPT:
                self._strips.clear()
            strip = self._strips[key] = self._row(row, part, look, ground, marked)
        return strip

    def _row(self, row: Row | None, part: int, look: Look, ground: str, marked: bool) -> Strip:
        base = look.ground + look.styles[ground] if ground else look.ground
        mark = Segment(look.mark if marked else " ", base + look.styles["accent"])
        if row is None:
            return self._line((Part("·", "faint"),), base, look, "", Segment(" ", base))
        if not part:
            return self._line(row.cells, base, look, row.role, mark, row.spread)
        indent = (self._widths[0] + 1) if self._widths else 0
        room = max(self.width - 2 * _MARGIN - indent, 0)
        segments = [mark, Segment(" " * indent, base)]
        segments.extend(paint(row.detail, room, base, look, role="dim"))
        segments.append(Segment(" " * _MARGIN, base))
        return Strip(segments, self.width)

    def _line(
        self, cells: Sequence[Cell], base: Style, look: Look, role: str, mark: Segment, spread: int | None = None
    ) -> Strip:
        segments = [mark]
        used = _MARGIN
        between = Segment(" " * self._gap, base)
        for number, (column, width, cell) in enumerate(zip(self.columns, self._widths, cells, strict=False)):
            if (not width and number != spread) or (spread is not None and number > spread):
                continue
            if number == spread:
                width = max(self.width - _MARGIN - used - (self._gap if used > _MARGIN else 0), width)
            if used > _MARGIN:
                segments.append(between)
                used += self._gap
            segments.extend(paint(cell, width, base, look, role=role, right=column.right))
            used += width
        if used < self.width:
            segments.append(Segment(" " * (self.width - used), base))
        return Strip(segments, max(used, self.width))

    def message(self, message: Sequence[Cell], y: int, look: Look) -> Strip:
        """Line ``y`` of a text that stands in place of rows."""
        width = max(self.width - 2, 1)
        lines = [line for cell in message for line in wrap(parts_of(cell), width)]
        if y >= len(lines):
            return Strip.blank(self.width, look.ground)
        edge = Segment(" ", look.ground)
        return Strip([edge, *paint(tuple(lines[y]), width, look.ground, look, role="dim"), edge])
