"""Reading the rows of a list in the background, gathered and in pages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from storage.errors import VibeError
from vibehq_tui.tui.widgets.source import PAGE, Pages, RowSource

REFRESH_EVERY = 0.1
"""Seconds between two readings of a list that keeps changing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What of the list is on the screen, by index, and where its cursor is."""

    first: int
    last: int
    cursor: int
    key: str | None
    """The key of the row under the cursor, if it is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Rows as they are now."""

    pages: Pages
    count: int
    """-1 when the rows could not be read; then ``pages`` are those from before."""
    cursor: int
    """Where the row under the cursor is now; its old place when it is gone."""


class Reader:
    """Keeps the rows of one list up to date.

    :meth:`run` is its worker. What it read is handed over in one step, so that a refresh never shows an empty list in
    between. Changes told of while it reads lead to one more reading, not one each.
    """

    def __init__(
        self,
        source: RowSource | None,
        view: Callable[[int], View],
        renewed: Callable[[Reading], None],
        paged: Callable[[int], None],
    ) -> None:
        """
        :param source: None while it is not known where the rows come from; then nothing is read.
        :param view: asked before each reading, with the number of rows that there are.
        :param renewed: told of rows that were read again.
        :param paged: told of the number of a page that was added to those in hand.
        """
        self.source = source
        self.text = ""
        """The filter."""
        self.pages = Pages()
        self.problem: VibeError | None = None
        """Why the rows could not be read the last time."""
        self._view = view
        self._renewed = renewed
        self._paged = paged
        self._wanted: dict[int, None] = {}
        self._stale = source is not None
        self._generation = 0
        self._wake = asyncio.Event()
        self._read = asyncio.Event()

    def expire(self) -> None:
        """Rows may have changed: read them again."""
        self._stale = True
        self._read.clear()
        self._wake.set()

    def restart(self, source: RowSource, text: str) -> None:
        """Other rows, or another filter: what is being read now is out of date when it comes."""
        self.source, self.text = source, text
        self._generation += 1
        self._wanted.clear()
        self.expire()

    async def settled(self) -> None:
        """Waits until everything told of so far has been read, or could not be."""
        await self._read.wait()

    def want(self, first: int, last: int) -> None:
        """Asks for the pages that hold the rows from ``first`` to ``last``."""
        for number in range(first // PAGE, last // PAGE + 1):
            if number in self.pages:
                self.pages.touch(number)
            elif number not in self._wanted:
                self._wanted[number] = None
                self._wake.set()

    async def run(self) -> None:
        """Reads what is asked for, until it is cancelled."""
        now = asyncio.get_running_loop().time
        last = now() - REFRESH_EVERY
        self._wake.set()
        while True:
            await self._wake.wait()
            self._wake.clear()
            if self.source is None:
                continue
            try:
                if self._stale:
                    await asyncio.sleep(max(last + REFRESH_EVERY - now(), 0))
                    await self._read_again()
                    last = now()
                await self._read_wanted()
            except VibeError as error:
                self._fail(error)
            if not self._stale:
                self._read.set()

    def _fail(self, error: VibeError) -> None:
        """Keeps what was there, and says why it is not newer."""
        self.problem = error
        self._stale = False
        self._wanted.clear()
        view = self._view(0)
        self._renewed(Reading(pages=self.pages, count=-1, cursor=view.cursor))

    async def read_now(self) -> Reading:
        """The rows as they are now. Before :meth:`run` it spares the first reading.

        :raises VibeError: when they cannot be read.
        """
        self._stale = False
        reading = await self._reading()
        self.pages = reading.pages
        return reading

    async def _read_again(self) -> None:
        self._stale = False
        generation = self._generation
        reading = await self._reading()
        if generation == self._generation:
            self.pages, self.problem = reading.pages, None
            self._wanted.clear()
            self._renewed(reading)

    async def _reading(self) -> Reading:
        count = await self._source().count(self.text)
        view = self._view(count)
        pages = Pages()
        numbers = {*range(view.first // PAGE, view.last // PAGE + 1), view.cursor // PAGE}
        for number in sorted(numbers):
            await self._add(pages, number, count)
        return Reading(pages=pages, count=count, cursor=await self._find(view, pages, count))

    def _source(self) -> RowSource:
        assert self.source is not None, "nothing is read without a source"
        return self.source

    async def _add(self, pages: Pages, number: int, count: int) -> None:
        if number >= 0 and number * PAGE < count and number not in pages:
            pages.put(number, await self._source().rows(self.text, number * PAGE, PAGE))

    async def _find(self, view: View, pages: Pages, count: int) -> int:
        """The row under the cursor may have moved a page up or down."""
        index = None
        if view.key is not None:
            index = pages.index_of(view.key)
            for number in (view.cursor // PAGE - 1, view.cursor // PAGE + 1):
                if index is None:
                    await self._add(pages, number, count)
                    index = pages.index_of(view.key)
        return max(min(view.cursor, count - 1), 0) if index is None else index

    async def _read_wanted(self) -> None:
        while self._wanted and not self._stale:
            number = next(iter(self._wanted))
            generation = self._generation
            rows = await self._source().rows(self.text, number * PAGE, PAGE)
            self._wanted.pop(number, None)
            if generation == self._generation:
                self.pages.put(number, rows)
                self._paged(number)
