"""Who did what, from where, with which result: append-only, each entry chained to the one before."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator

from storage.query import EVERYTHING, Query
from storage.records import AuditEntry
from storage.table import Repository, Table
from storage.transaction import storable

_FIRST = "0" * 64


class AuditRepository(Repository[AuditEntry]):
    """Audit entries, newest first."""

    table = Table(
        name="audit_log",
        record=AuditEntry,
        order="seq DESC",
        key="seq",
        search=("actor", "via", "verb", "object", "result", "detail"),
    )

    def append(
        self,
        *,
        actor: str,
        via: str,
        verb: str,
        object: str,  # noqa: A002 - the field's name
        result: str,
        detail: str = "",
    ) -> AuditEntry:
        """Appends an entry, dated now."""
        last = self._tx.row("SELECT seq, hash FROM audit_log ORDER BY seq DESC LIMIT 1")
        seq, before = (0, _FIRST) if last is None else (int(last[0]), str(last[1]))
        # The hash is of what will be read back.
        entry = AuditEntry(
            seq=seq + 1,
            at=self._tx.now,
            actor=storable(actor),
            via=storable(via),
            verb=storable(verb),
            object=storable(object),
            result=storable(result),
            detail=storable(detail),
        )
        entry = dataclasses.replace(entry, hash=_chained(before, entry))
        self._insert(entry)
        self._tx.execute(
            "INSERT INTO counters (name, value) VALUES ('audit', ?)"
            " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (entry.seq,),
        )
        return entry

    def count(self, query: Query = EVERYTHING) -> int:
        """How many entries the query finds.

        :raises Usage: for an unknown column in the query.
        """
        if not query.text and not query.where:  # nothing is ever deleted
            return int(self._tx.value("SELECT coalesce(max(seq), 0) FROM audit_log"))
        return super().count(query)

    def verify(self) -> list[str]:
        """Recomputes the chain from the first entry; says where it is broken, empty when it is whole.

        Finds entries that were changed, removed, inserted or cut off at the end; up to ten findings.
        """
        found: list[str] = []
        before, expected = _FIRST, 1
        for entry in self._oldest_first():
            if entry.seq != expected:
                found.append(f"audit log: entries {expected} to {entry.seq - 1} are missing")
            if _chained(before, entry) != entry.hash:
                found.append(
                    f"audit log: entry {entry.seq} ({entry.verb} by {entry.actor}) does not follow from the one before"
                )
            if len(found) >= 10:
                return found
            before, expected = entry.hash, entry.seq + 1
        last = self._tx.value("SELECT value FROM counters WHERE name = 'audit'") or 0
        if last != expected - 1:
            found.append(f"audit log: it ends at entry {expected - 1}, but {last} were written")
        return found

    def _oldest_first(self) -> Iterator[AuditEntry]:
        for row in self._tx.execute(f"SELECT {self.table.selected} FROM audit_log ORDER BY seq"):
            yield self.table.decode(row)


def _chained(before: str, entry: AuditEntry) -> str:
    content = [entry.seq, entry.at, entry.actor, entry.via, entry.verb, entry.object, entry.result, entry.detail]
    return hashlib.sha256(f"{before}\n{json.dumps(content)}".encode()).hexdigest()
