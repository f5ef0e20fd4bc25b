"""One transaction on one connection: the little that the repositories stand on."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from storage.clock import Millis

T = TypeVar("T")


class Transaction:
    """Runs statements inside a transaction that somebody else begins and ends.

    It lives on the thread of its connection and only as long as the function that it was given to.
    """

    def __init__(self, connection: sqlite3.Connection, now: Millis) -> None:
        self._connection = connection
        self.now = now
        """The time of this transaction; everything in it carries the same."""
        self.appended = False
        """True once something was appended that followers wait for."""

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Runs one statement.

        Text that UTF-8 cannot hold (lone surrogates, from broken JSON or undecodable file names) is stored with
        U+FFFD in their place; columns that must keep them hold JSON, which escapes them.
        """
        try:
            return self._connection.execute(sql, parameters)
        except UnicodeEncodeError:
            return self._connection.execute(sql, [storable(value) for value in parameters])

    def execute_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Runs one statement for each row; text is stored as :meth:`execute` does."""
        self._connection.executemany(sql, ([storable(value) for value in row] for row in rows))

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        return self.execute(sql, parameters).fetchall()

    def row(self, sql: str, parameters: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        """The first row of a query, or none."""
        found: tuple[Any, ...] | None = self.execute(sql, parameters).fetchone()
        return found

    def value(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        """The first column of the first row, or None where there is no row."""
        row = self.row(sql, parameters)
        return None if row is None else row[0]

    def next_number(self, counter: str, table: str) -> int:
        """The next number of a counter: never given twice, and above every id in ``table``."""
        return int(
            self.value(
                f"INSERT INTO counters (name, value) SELECT ?, coalesce(max(id), 0) + 1 FROM {table} WHERE true"
                " ON CONFLICT (name) DO UPDATE SET value ="
                " CASE WHEN excluded.value > counters.value THEN excluded.value ELSE counters.value + 1 END"
                " RETURNING value",
                (counter,),
            )
        )


def storable(value: T) -> T:
    """What a text column can hold of a text: U+FFFD stands for lone surrogates. Anything else is passed through."""
    if not isinstance(value, str) or value.isascii():
        return value
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # type: ignore[return-value]
    return value
