"""Rows out of the store: a query of a service, and how a record becomes a row."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Generic, TypeVar

from storage.query import Query
from vibehq_tui.tui.widgets.rows import Row

R = TypeVar("R")


class QuerySource(Generic[R]):
    """Pages through what a service finds."""

    def __init__(
        self,
        count: Callable[[Query], Awaitable[int]],
        page: Callable[[Query, int, int], Awaitable[Sequence[R]]],
        row: Callable[[R], Row],
        where: Mapping[str, str | tuple[str, ...]],
    ) -> None:
        """
        :param row: makes a row of a record.
        :param where: the conditions of the view; the filter's text is added to them.
        """
        self._count = count
        self._page = page
        self._row = row
        self._where = where

    async def count(self, text: str) -> int:
        """How many records there are."""
        return await self._count(Query(text=text, where=self._where))

    async def rows(self, text: str, offset: int, limit: int) -> Sequence[Row]:
        """A page of them."""
        return [self._row(record) for record in await self._page(Query(text=text, where=self._where), offset, limit)]
