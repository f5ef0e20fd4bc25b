"""Where a list gets its rows from, and the pages that it keeps."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Protocol

from vibehq_tui.tui.widgets.rows import Row, plain

PAGE = 100
"""Rows of a page."""

_KEPT = 40


class RowSource(Protocol):
    """What a list pages from: a query of the store, or a sequence."""

    async def count(self, text: str) -> int:
        """How many rows contain ``text`` (all, when it is empty).

        :raises VibeError: when the rows cannot be had; the list shows the message and what it had before.
        """
        ...

    async def rows(self, text: str, offset: int, limit: int) -> Sequence[Row]:
        """At most ``limit`` of those rows from ``offset`` on, in a lasting order."""
        ...


class ListSource:
    """A source over rows that are all there; for short lists."""

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        self._rows = list(rows)

    def replace(self, rows: Iterable[Row]) -> None:
        """Other rows; the list shows them when it is told to :meth:`~.long_list.LongList.reload`."""
        self._rows = list(rows)

    def _matching(self, text: str) -> list[Row]:
        if not text:
            return self._rows
        low = text.lower()
        return [row for row in self._rows if any(low in plain(cell).lower() for cell in (*row.cells, row.detail))]

    async def count(self, text: str) -> int:
        """How many rows contain ``text`` in a cell."""
        return len(self._matching(text))

    async def rows(self, text: str, offset: int, limit: int) -> Sequence[Row]:
        """A slice of those rows."""
        return self._matching(text)[offset : offset + limit]


class Pages:
    """The rows that were read lately, by index; the pages used longest ago are forgotten."""

    def __init__(self) -> None:
        self._pages: OrderedDict[int, Sequence[Row]] = OrderedDict()

    def get(self, index: int) -> Row | None:
        """The row at ``index``, or ``None`` while it has not been read."""
        number, offset = divmod(index, PAGE)
        page = self._pages.get(number)
        if page is None:
            return None
        return page[offset] if offset < len(page) else None

    def put(self, number: int, rows: Sequence[Row]) -> None:
        """Keeps a page."""
        self._pages[number] = rows
        self._pages.move_to_end(number)
        while len(self._pages) > _KEPT:
            self._pages.popitem(last=False)

    def touch(self, number: int) -> None:
        """Notes that a page is on the screen."""
        if number in self._pages:
            self._pages.move_to_end(number)

    def __contains__(self, number: object) -> bool:
        return number in self._pages

    def index_of(self, key: str) -> int | None:
        """Where the row with ``key`` stands, if it is on a page that is here."""
        for number, page in self._pages.items():
            for offset, row in enumerate(page):
                if row.key == key:
                    return number * PAGE + offset
        return None

    def rows(self) -> list[Row]:
        """All rows that are here, in order."""
        return [row for number in sorted(self._pages) for row in self._pages[number]]
