"""Worker and build logs, with a full-text index that follows behind."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from storage.clock import EPOCH, Millis
from storage.errors import Usage
from storage.records import LogLine
from storage.table import like
from storage.transaction import Transaction

KINDS = ("worker", "build")
_Row = tuple[str, Millis, str, str]
_TRIGRAM = 3
"""The shortest text that the index can look up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSource:
    """One source of log lines, and how much it has written."""

    kind: str
    source: str
    lines: int
    first_at: Millis
    last_at: Millis
    last_seq: int
    """No line of it has a higher sequence number."""


class LogLineRepository:
    """Log lines of both kinds, in the order of arrival. Sequence numbers count within a kind."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def append_many(self, lines: Iterable[LogLine]) -> int:
        """Appends lines; their ``seq`` is given here, a time that is not set becomes now.

        :returns: how many lines there were.
        :raises Usage: for a kind other than worker and build.
        """
        groups: dict[str, list[_Row]] = {}
        now = self._tx.now
        for line in lines:
            row = (line.source, now if line.at == EPOCH else line.at, line.level, line.text)
            groups.setdefault(_kind(line.kind), []).append(row)
        for kind, rows in groups.items():
            self._tx.execute_many(f"INSERT INTO {kind}_logs (source, at, level, text) VALUES (?, ?, ?, ?)", rows)
            self._count(kind, rows)
        self._tx.appended = self._tx.appended or bool(groups)
        return sum(map(len, groups.values()))

    def _count(self, kind: str, rows: Sequence[_Row]) -> None:
        """Notes how much more each source has written."""
        times: dict[str, list[Millis]] = {}
        for source, at, _, _ in rows:
            times.setdefault(source, []).append(at)
        head = self.head(kind)
        for source, written in times.items():
            self._tx.execute(
                "INSERT INTO log_sources (kind, source, lines, first_at, last_at, last_seq) VALUES (?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (kind, source) DO UPDATE SET lines = log_sources.lines + excluded.lines,"
                " last_at = excluded.last_at, last_seq = excluded.last_seq",
                (kind, source, len(written), written[0], written[-1], head),
            )

    def page(
        self,
        kind: str,
        source: str | None = None,
        after_seq: int = 0,
        limit: int = 100,
        text: str = "",
        levels: Sequence[str] = (),
    ) -> list[LogLine]:
        """Up to ``limit`` lines after a sequence number, oldest first; those with a substring or of some levels.

        :param source: None for all sources of the kind.
        :raises Usage: for a kind other than worker and build.
        """
        return self._lines(_kind(kind), source, text, levels, limit, after=after_seq)

    def tail(
        self, kind: str, source: str | None = None, limit: int = 100, text: str = "", levels: Sequence[str] = ()
    ) -> list[LogLine]:
        """The last ``limit`` lines, oldest first; filters as in :meth:`page`."""
        return self._lines(_kind(kind), source, text, levels, limit, newest=True)[::-1]

    def count(self, kind: str, source: str | None = None) -> int:
        """How many lines a source, or with None all of a kind, has written."""
        return int(
            self._tx.value(
                "SELECT coalesce(sum(lines), 0) FROM log_sources WHERE kind = ? AND (source = ? OR ? IS NULL)",
                (_kind(kind), source, source),
            )
        )

    def sources(self) -> list[LogSource]:
        """Every source, last written first."""
        rows = self._tx.rows(
            "SELECT kind, source, lines, first_at, last_at, last_seq FROM log_sources"
            " ORDER BY last_at DESC, kind, source"
        )
        names = ("kind", "source", "lines", "first_at", "last_at", "last_seq")
        return [LogSource(**dict(zip(names, row, strict=True))) for row in rows]

    def head(self, kind: str) -> int:
        """The newest sequence number of a kind; 0 where there is none."""
        return int(self._tx.value(f"SELECT coalesce(max(seq), 0) FROM {_kind(kind)}_logs"))

    def index_batch(self, limit: int) -> int:
        """Brings up to ``limit`` lines of each kind into the full-text index; returns how many it were."""
        done = 0
        for kind in KINDS:
            indexed = self._indexed(kind)
            last, lines = self._tx.rows(
                f"SELECT max(seq), count(*) FROM (SELECT seq FROM {kind}_logs WHERE seq > ? ORDER BY seq LIMIT ?) AS b",
                (indexed, limit),
            )[0]
            if lines:
                self._tx.execute(
                    f"INSERT INTO {kind}_logs_text (rowid, text) SELECT seq, text FROM {kind}_logs"
                    " WHERE seq > ? AND seq <= ?",
                    (indexed, last),
                )
                self._tx.execute(
                    "INSERT INTO log_index (kind, seq) VALUES (?, ?)"
                    " ON CONFLICT (kind) DO UPDATE SET seq = excluded.seq",
                    (kind, last),
                )
                done += lines
        return done

    def _indexed(self, kind: str) -> int:
        return int(self._tx.value("SELECT seq FROM log_index WHERE kind = ?", (kind,)) or 0)

    def _lines(
        self,
        kind: str,
        source: str | None,
        text: str,
        levels: Sequence[str],
        limit: int,
        *,
        after: int = 0,
        newest: bool = False,
    ) -> list[LogLine]:
        search = _Search(self._tx, kind, source, levels, newest=newest)
        if not text:
            return search.plain(after, limit)
        if len(text) < _TRIGRAM or "\0" in text:
            return search.scan(text, after, limit)
        # Two halves: what is indexed by the index, what is not yet by looking at every line.
        indexed = self._indexed(kind)
        if newest:
            found = search.scan(text, max(after, indexed), limit)
            return found + search.index(text, after, limit - len(found))
        found = search.index(text, after, limit)
        return found + search.scan(text, max(after, indexed), limit - len(found))


class _Search:
    """One look for lines of one kind, in one direction."""

    def __init__(self, tx: Transaction, kind: str, source: str | None, levels: Sequence[str], *, newest: bool) -> None:
        self._tx = tx
        self._kind = kind
        self._newest = newest
        self._filters: list[str] = []
        self._values: list[Any] = []
        if source is not None:
            self._filters.append("l.source = ?")
            self._values.append(source)
        if levels:
            self._filters.append(f"l.level IN ({', '.join('?' * len(levels))})")
            self._values.extend(levels)

    def plain(self, after: int, limit: int) -> list[LogLine]:
        """Lines whatever they say."""
        return self._select("", "l.seq", [], [], after, limit)

    def scan(self, text: str, after: int, limit: int) -> list[LogLine]:
        """Lines with a substring, by looking at each."""
        return self._select("", "l.seq", ["l.text LIKE ? ESCAPE '\\'"], [like(text)], after, limit)

    def index(self, text: str, after: int, limit: int) -> list[LogLine]:
        """Lines with a substring of three characters or more, by the index."""
        table = f"{self._kind}_logs_text"
        phrase = '"' + text.replace('"', '""') + '"'
        return self._select(
            f"{table} JOIN ", f"{table}.rowid", [f"l.seq = {table}.rowid", f"{table} MATCH ?"], [phrase], after, limit
        )

    def _select(
        self, join: str, row: str, conditions: Sequence[str], values: Sequence[Any], after: int, limit: int
    ) -> list[LogLine]:
        if limit <= 0:
            return []
        where = " AND ".join([*conditions, f"{row} > ?", *self._filters])
        rows = self._tx.rows(
            f"SELECT l.seq, l.source, l.at, l.level, l.text FROM {join}{self._kind}_logs AS l WHERE {where}"
            f" ORDER BY {row} {'DESC' if self._newest else 'ASC'} LIMIT ?",
            (*values, after, *self._values, limit),
        )
        return [LogLine(seq=r[0], kind=self._kind, source=r[1], at=r[2], level=r[3], text=r[4]) for r in rows]


def _kind(kind: str) -> str:
    if kind not in KINDS:
        raise Usage(f"there is no kind of log called {kind!r}", hint="Use worker or build.")
    return kind
