"""A pane whose rows are records of the store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Generic, TypeVar

from storage.query import Query
from storage.store import Tx
from vibehq_tui.headquarters import Headquarters
from vibehq_tui.tui.panes import welcome
from vibehq_tui.tui.panes.sources import QuerySource
from vibehq_tui.tui.widgets.pane import Pane, View
from vibehq_tui.tui.widgets.rows import Cell, Column, Row
from vibehq_tui.tui.widgets.source import RowSource

R = TypeVar("R")


class RecordsPane(Pane, Generic[R]):
    """Pages through the records of each of its views."""

    COLUMNS: ClassVar[tuple[Column, ...]]
    VIEWS: ClassVar[tuple[View, ...]]
    EMPTY: ClassVar[Sequence[Cell]]
    """What it says while there is nothing at all."""
    NONE: ClassVar[str]
    """What it says while a view shows nothing, before the view's name: ``no task is``."""

    def __init__(self, hq: Headquarters, *, ascii_only: bool) -> None:
        super().__init__(hq, self.COLUMNS, self.VIEWS, ascii_only=ascii_only)

    def count_in(self, tx: Tx, query: Query) -> int:
        """How many records there are; on the store's thread."""
        raise NotImplementedError

    def page_in(self, tx: Tx, query: Query, offset: int, limit: int) -> Sequence[R]:
        """A page of them; on the store's thread."""
        raise NotImplementedError

    def row_of(self, record: R) -> Row:
        """The row of one."""
        raise NotImplementedError

    def source_of(self, view: View) -> RowSource:
        """The records of a view."""
        return QuerySource(self.hq.store, self.count_in, self.page_in, self.row_of, view.where)

    def nothing(self) -> Sequence[Cell]:
        """No records at all, or none in this view."""
        return self.EMPTY if not self.view.name else welcome.view_is_empty(f"{self.NONE} {self.view.name}")
