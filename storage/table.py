"""The bridge between records and rows, written once for all repositories."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

from storage.errors import Usage
from storage.query import EVERYTHING, Query
from storage.transaction import Transaction

R = TypeVar("R")

_LONGEST = 10_000
"""Characters that one can look for."""


@dataclass(frozen=True, slots=True)
class Codec:
    """How one field becomes a column and comes back. ``match`` turns the text of a filter into the column's value."""

    encode: Callable[[Any], Any]
    decode: Callable[[Any], Any]
    match: Callable[[str], Any] | None = None
    """None: the column cannot be filtered or ordered by."""


def dump(value: Any) -> str:
    """Compact JSON in ASCII, so that no character in it can be refused; the order of keys is kept."""
    return json.dumps(value, separators=(",", ":"))


def _load_tuple(text: str) -> tuple[Any, ...]:
    return () if text == "[]" else tuple(json.loads(text))


def _load_dict(text: str) -> dict[str, Any]:
    loaded: dict[str, Any] = {} if text == "{}" else json.loads(text)
    return loaded


def to_number(text: str) -> int:
    """The number of a decimal id as it is printed, -1 (which no row has) for anything else."""
    if text.isascii() and text.isdigit() and len(text) < 19 and (text == "0" or text[0] != "0"):
        return int(text)
    return -1


def _to_flag(text: str) -> int:
    return int(text.casefold() in {"1", "true", "yes"})


DICT = Codec(dump, _load_dict)
LIST = Codec(dump, _load_tuple)
FLAG = Codec(int, bool, _to_flag)
NUMBER_ID = Codec(int, str, to_number)
JSON_TEXT = Codec(
    lambda text: None if text is None else dump(text), lambda text: None if text is None else json.loads(text), dump
)
"""Text that must come back exactly whatever it holds: paths."""


class Table(Generic[R]):
    """How the records of one type lie in one table. Columns are the record's fields, by name and in order."""

    def __init__(
        self,
        *,
        name: str,
        record: type[R],
        order: str,
        key: str = "id",
        codecs: Mapping[str, Codec] | None = None,
        search: tuple[str, ...] = (),
        search_more: Callable[[R], Sequence[str]] | None = None,
        derived: Mapping[str, Callable[[R], Any]] | None = None,
        sorts: Mapping[str, str] | None = None,
    ) -> None:
        """
        :param order: the default ``ORDER BY`` list; ends in a unique column.
        :param search: the fields that ``Query.text`` looks through; empty where the table has no search column.
        :param search_more: further text to look through that is not a field of its own.
        :param derived: columns that are not fields: what default orders sort by.
        :param sorts: field → the SQL that orders by it, where the plain column would order wrongly (``high`` before
            ``low``).
        """
        self.name = name
        self.record = record
        self.order = order
        self.key = key
        self.codecs = codecs or {}
        self.search = search
        self.search_more = search_more
        self.derived = derived or {}
        self.sorts = sorts or {}
        self.columns = tuple(f.name for f in dataclasses.fields(record))  # type: ignore[arg-type]  # records are dataclasses
        self.writable = (*self.columns, *self.derived, *(("search",) if search else ()))
        self.selected = ", ".join(f'"{column}"' for column in self.columns)
        self.decoders = [(at, self.codecs[name].decode) for at, name in enumerate(self.columns) if name in self.codecs]

    @cached_property
    def insert_sql(self) -> str:
        """``INSERT`` of all :attr:`writable` columns."""
        names = ", ".join(f'"{column}"' for column in self.writable)
        return f"INSERT INTO {self.name} ({names}) VALUES ({', '.join('?' * len(self.writable))})"

    @cached_property
    def upsert_sql(self) -> str:
        """``INSERT`` that replaces the row with the same key."""
        changes = ", ".join(f'"{column}" = excluded."{column}"' for column in self.writable if column != self.key)
        return f'{self.insert_sql} ON CONFLICT ("{self.key}") DO UPDATE SET {changes}'

    def decode(self, row: Sequence[Any]) -> R:
        """A row of :attr:`selected` as a record."""
        values = list(row)
        for at, decode in self.decoders:
            values[at] = decode(values[at])
        return self.record(**dict(zip(self.columns, values, strict=True)))

    def encode(self, record: R) -> list[Any]:
        """A record as the values of :attr:`writable`."""
        values = []
        for column in self.columns:
            value = getattr(record, column)
            codec = self.codecs.get(column)
            values.append(value if codec is None else codec.encode(value))
        values.extend(derive(record) for derive in self.derived.values())
        if self.search:
            values.append(self.search_text(record))
        return values

    def search_text(self, record: R) -> str:
        """What filters look through: the searchable fields, casefolded, one per line."""
        found = [str(value) for name in self.search if (value := getattr(record, name)) is not None]
        if self.search_more is not None:
            found.extend(self.search_more(record))
        return folded("\n".join(found))

    def where(self, query: Query, *conditions: str) -> tuple[str, list[Any]]:
        """The ``WHERE`` clause of a query (empty, or with a leading space) and its parameters.

        :raises Usage: for a column that the table does not have.
        """
        parts = list(conditions)
        parameters: list[Any] = []
        for column, wanted in query.where.items():
            part, values = self._condition(column, (wanted,) if isinstance(wanted, str) else tuple(wanted))
            parts.append(part)
            parameters.extend(values)
        if query.text:
            if self.search:
                parts.append("search LIKE ? ESCAPE '\\'")
                parameters.append(like(folded(query.text)))
            else:
                parts.append("1 = 0")
        return (" WHERE " + " AND ".join(parts) if parts else ""), parameters

    def _condition(self, column: str, wanted: tuple[str, ...]) -> tuple[str, list[Any]]:
        self.check_column(column)
        codec = self.codecs.get(column)
        values = [value if codec is None or codec.match is None else codec.match(value) for value in wanted if value]
        parts = []
        if len(values) == 1:
            parts.append(f'"{column}" = ?')
        elif values:
            parts.append(f'"{column}" IN ({", ".join("?" * len(values))})')
        if len(values) < len(wanted):
            parts.append(f'("{column}" IS NULL OR "{column}" = \'\')')
        if not parts:
            return "1 = 0", []
        return (parts[0] if len(parts) == 1 else f"({' OR '.join(parts)})"), values

    def order_by(self, query: Query) -> str:
        """The ``ORDER BY`` list of a query.

        :raises Usage: for a column that the table does not have.
        """
        if not query.order:
            return self.order
        column = query.order.removeprefix("-")
        self.check_column(column)
        direction = " DESC" if query.order.startswith("-") else ""
        return self.sorts.get(column, f'"{column}"') + f"{direction}, {self.order}"

    def check_column(self, column: str) -> None:
        """
        :raises Usage: for a column that the table does not have, or that holds JSON.
        """
        codec = self.codecs.get(column)
        if column not in self.columns or (codec is not None and codec.match is None):
            known = [c for c in self.columns if c not in self.codecs or self.codecs[c].match is not None]
            raise Usage(
                f"{self.name} cannot be filtered or ordered by {column!r}",
                code="unknown-column",
                hint="Use one of: " + ", ".join(known) + ".",
            )


def folded(text: str) -> str:
    """Text as search columns hold it: casefolded, without NUL, at which ``LIKE`` would stop."""
    return text.casefold().replace("\0", " ")


def like(text: str) -> str:
    """The ``LIKE`` pattern of a substring, to be used with a backslash as ``ESCAPE``.

    :raises Usage: for more than 10,000 characters, which SQLite would not take once they are escaped.
    """
    if len(text) > _LONGEST:
        raise Usage(f"a filter of {len(text)} characters is too long", hint=f"Use up to {_LONGEST} characters.")
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


class Repository(Generic[R]):
    """Reads and writes the records of one table inside one transaction."""

    table: Table[R]

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def page(self, query: Query = EVERYTHING, offset: int = 0, limit: int = 100) -> list[R]:
        """``limit`` records from the ``offset``-th on.

        :raises Usage: for an unknown column in the query.
        """
        where, parameters = self._where(query)
        sql = (
            f"SELECT {self.table.selected} FROM {self.table.name}{where}"
            f" ORDER BY {self.table.order_by(query)} LIMIT ? OFFSET ?"
        )
        return self._records(sql, (*parameters, limit, offset))

    def count(self, query: Query = EVERYTHING) -> int:
        """How many records the query finds.

        :raises Usage: for an unknown column in the query.
        """
        where, parameters = self._where(query)
        return int(self._tx.value(f"SELECT count(*) FROM {self.table.name}{where}", parameters))

    def tally(self, column: str, query: Query = EVERYTHING) -> dict[str, int]:
        """How many records the query finds for each value of a column; ``""`` stands for none.

        :raises Usage: for an unknown column.
        """
        self.table.check_column(column)
        where, parameters = self._where(query)
        sql = f'SELECT "{column}", count(*) FROM {self.table.name}{where} GROUP BY "{column}"'
        return {"" if value is None else str(value): count for value, count in self._tx.rows(sql, parameters)}

    def _where(self, query: Query) -> tuple[str, list[Any]]:
        return self.table.where(query)

    def _records(self, sql: str, parameters: Sequence[Any] = ()) -> list[R]:
        decode = self.table.decode
        return [decode(row) for row in self._tx.rows(sql, parameters)]

    def _find(self, condition: str, parameters: Sequence[Any] = ()) -> R | None:
        row = self._tx.row(f"SELECT {self.table.selected} FROM {self.table.name} WHERE {condition}", parameters)
        return None if row is None else self.table.decode(row)

    def _select(self, rest: str, parameters: Sequence[Any] = ()) -> list[R]:
        return self._records(f"SELECT {self.table.selected} FROM {self.table.name} {rest}", parameters)

    def _insert(self, record: R) -> None:
        self._tx.execute(self.table.insert_sql, self.table.encode(record))

    def _upsert(self, record: R) -> None:
        self._tx.execute(self.table.upsert_sql, self.table.encode(record))

    def _change(self, old: R, fields: Mapping[str, Any]) -> R:
        """Writes the given fields of a record that is there, with all that is derived from them."""
        new: R = dataclasses.replace(old, **fields)  # type: ignore[type-var]  # records are dataclasses
        table = self.table
        kept = set(table.columns) - set(fields)
        changes = [pair for pair in zip(table.writable, table.encode(new), strict=True) if pair[0] not in kept]
        key = dict(zip(table.columns, table.encode(old), strict=False))[table.key]
        assignments = ", ".join(f'"{name}" = ?' for name, _ in changes)
        sql = f'UPDATE {table.name} SET {assignments} WHERE "{table.key}" = ?'
        self._tx.execute(sql, [*(value for _, value in changes), key])
        return new
