"""The event feed: append-only, in the order of commit."""

from __future__ import annotations

from typing import Any

from storage.clock import Millis
from storage.query import EVERYTHING, Query
from storage.records import Event
from storage.table import DICT, Repository, Table, dump, folded


class EventRepository(Repository[Event]):
    """Events, newest first."""

    table = Table(
        name="events",
        record=Event,
        order="seq DESC",
        key="seq",
        codecs={"data": DICT},
        search=("type", "actor", "subject_id", "task", "message"),
    )

    def append(
        self,
        type: str,  # noqa: A002 - the field's name
        *,
        actor: str,
        subject: str = "",
        subject_id: str = "",
        task: str | None = None,
        message: str = "",
        data: dict[str, Any] | None = None,
    ) -> Event:
        """Appends an event; its followers, in every process, are woken after the commit."""
        self._tx.appended = True
        search = folded(f"{type}\n{actor}\n{subject_id}\n{task or ''}\n{message}")
        seq = self._tx.execute(
            "INSERT INTO events (type, at, actor, subject, subject_id, task, message, data, search)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING seq",
            (type, self._tx.now, actor, subject, subject_id, task, message, dump(data) if data else "{}", search),
        ).fetchone()[0]
        return Event(
            seq=seq,
            type=type,
            at=self._tx.now,
            actor=actor,
            subject=subject,
            subject_id=subject_id,
            task=task,
            message=message,
            data={} if data is None else data,
        )

    def head(self) -> int:
        """The newest sequence number; 0 where there is none."""
        return int(self._tx.value("SELECT coalesce(max(seq), 0) FROM events"))

    def since(self, cursor: int, limit: int = 500) -> list[Event]:
        """Up to ``limit`` events after a cursor, oldest first."""
        return self._select("WHERE seq > ? ORDER BY seq LIMIT ?", (cursor, limit))

    def page(self, query: Query = EVERYTHING, offset: int = 0, limit: int = 100) -> list[Event]:
        """``limit`` events from the ``offset``-th newest on.

        :raises Usage: for an unknown column in the query.
        """
        if query == EVERYTHING:  # the sequence has no gaps: any page costs the same
            return self._select("WHERE seq <= ? ORDER BY seq DESC LIMIT ?", (self.head() - offset, limit))
        return super().page(query, offset, limit)

    def count(self, query: Query = EVERYTHING) -> int:
        """How many events the query finds.

        :raises Usage: for an unknown column in the query.
        """
        if query == EVERYTHING or (not query.text and not query.where):
            return int(
                self._tx.value("SELECT coalesce((SELECT max(seq) FROM events) - (SELECT min(seq) FROM events) + 1, 0)")
            )
        return super().count(query)

    def for_subject(self, subject: str, subject_id: str, limit: int = 100) -> list[Event]:
        """The newest events about one thing, newest first."""
        return self._select(
            "WHERE subject = ? AND subject_id = ? ORDER BY seq DESC LIMIT ?", (subject, subject_id, limit)
        )

    def last_at(self, subject: str, subject_id: str) -> Millis | None:
        """When something last happened to one thing."""
        at: Millis | None = self._tx.value(
            "SELECT at FROM events WHERE subject = ? AND subject_id = ? ORDER BY seq DESC LIMIT 1",
            (subject, subject_id),
        )
        return at

    def latest_for_tasks(self) -> dict[str, Millis]:
        """Task id → when something last happened that names the task."""
        return dict(self._tx.rows("SELECT task, max(at) FROM events WHERE task IS NOT NULL GROUP BY task"))
