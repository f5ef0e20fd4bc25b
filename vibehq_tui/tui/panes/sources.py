"""Rows out of the store, and how a record becomes one.

Panes read the store itself rather than its services: those bring their machinery with them (formats, detectors,
schedules), which nobody should wait for before the first rows are painted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar

from storage.query import Query
from storage.store import Store, Tx
from vibehq_tui.tui.widgets.rows import Row

R = TypeVar("R")


class QuerySource(Generic[R]):
    """Pages through what a query finds."""

    def __init__(
        self,
        store: Store,
        count: Callable[[Tx, Query], int],
        page: Callable[[Tx, Query, int, int], Sequence[R]],
        row: Callable[[R], Row],
        where: Mapping[str, str | tuple[str, ...]],
    ) -> None:
        """
        :param count: how many there are, on the store's thread.
        :param page: those from an offset on, up to a limit, on the store's thread.
        :param row: makes a row of one.
        :param where: the conditions of the view; the filter's text is added to them.
        """
        self._store = store
        self._count = count
        self._page = page
        self._row = row
        self._where = where

    async def count(self, text: str) -> int:
        """How many there are."""
        query = Query(text=text, where=self._where)
        return await self._store.read(lambda tx: self._count(tx, query))

    async def rows(self, text: str, offset: int, limit: int) -> Sequence[Row]:
        """A page of them."""
        query = Query(text=text, where=self._where)
        found = await self._store.read(lambda tx: self._page(tx, query, offset, limit))
        return [self._row(record) for record in found]
