"""Scans that were run, and the due times of the schedules."""

from __future__ import annotations

from typing import Any

from storage.clock import Millis
from storage.errors import NotFound
from storage.records import OpsScan, ScanRun
from storage.table import LIST, NUMBER_ID, Repository, Table, to_number
from storage.transaction import Transaction


class ScanRepository(Repository[OpsScan]):
    """Scans, newest first."""

    table = Table(
        name="ops_scans",
        record=OpsScan,
        order="id DESC",
        codecs={"id": NUMBER_ID, "detectors": LIST},
        search=("id", "scope", "state", "trigger"),
    )

    def __init__(self, tx: Transaction) -> None:
        super().__init__(tx)
        self._runs = _Runs(tx)

    def start(self, scope: str, trigger: str) -> OpsScan:
        """Notes that a scan begins now."""
        number = self._tx.next_number("scan", "ops_scans")
        scan = OpsScan(id=str(number), scope=scope, state="running", trigger=trigger, started_at=self._tx.now)
        self._insert(scan)
        return scan

    def finish(self, scan: str, **fields: Any) -> OpsScan:
        """Notes that a scan ended now (``state`` completed unless given), with what it found.

        :raises NotFound: for an unknown id.
        """
        found = self.get(scan)
        if found is None:
            raise NotFound(f"there is no scan {scan}")
        return self._change(found, {"state": "completed", "ended_at": self._tx.now, **fields})

    def get(self, scan: str) -> OpsScan | None:
        """A scan by its id."""
        return self._find("id = ?", (to_number(scan),))

    def last(self, scope: str) -> OpsScan | None:
        """The newest scan of a scope, running or ended."""
        return self._find("scope = ? ORDER BY id DESC LIMIT 1", (scope,))

    def claim(self, scope: str, due_at: Millis, holder: str, epoch: int) -> bool:
        """Claims a due time; at most one caller gets True.

        A claim that was never finished can be taken over by a leader with a higher epoch.
        """
        return self._runs.claim(scope, due_at, holder, epoch)

    def finish_run(self, scope: str, due_at: Millis, state: str, scan: str | None = None, message: str = "") -> None:
        """Notes how a claimed run ended; a due time that nobody claimed (``missed``) gets its row here."""
        self._runs.finish(scope, due_at, state, scan, message)

    def last_run(self, scope: str) -> ScanRun | None:
        """The run with the newest due time."""
        return self._runs.last(scope)

    def runs(self, limit: int = 100) -> list[ScanRun]:
        """The runs with the newest due times, newest first."""
        return self._runs.newest(limit)


class _Runs(Repository[ScanRun]):
    table = Table(name="scan_runs", record=ScanRun, order="due_at DESC, scope", key="due_at")

    def claim(self, scope: str, due_at: Millis, holder: str, epoch: int) -> bool:
        cursor = self._tx.execute(
            "INSERT INTO scan_runs (scope, due_at, state, holder, epoch, started_at, message)"
            " VALUES (?, ?, 'claimed', ?, ?, ?, '')"
            " ON CONFLICT (scope, due_at) DO UPDATE"
            " SET holder = excluded.holder, epoch = excluded.epoch, started_at = excluded.started_at"
            " WHERE scan_runs.state = 'claimed' AND scan_runs.epoch < excluded.epoch"
            " RETURNING epoch",
            (scope, due_at, holder, epoch, self._tx.now),
        )
        return cursor.fetchone() is not None

    def finish(self, scope: str, due_at: Millis, state: str, scan: str | None, message: str) -> None:
        self._tx.execute(
            "INSERT INTO scan_runs (scope, due_at, state, holder, epoch, ended_at, scan, message)"
            " VALUES (?, ?, ?, '', 0, ?, ?, ?)"
            " ON CONFLICT (scope, due_at) DO UPDATE SET state = excluded.state, ended_at = excluded.ended_at,"
            " scan = excluded.scan, message = excluded.message",
            (scope, due_at, state, self._tx.now, scan, message),
        )

    def last(self, scope: str) -> ScanRun | None:
        return self._find("scope = ? ORDER BY due_at DESC LIMIT 1", (scope,))

    def newest(self, limit: int) -> list[ScanRun]:
        return self._select("ORDER BY due_at DESC, scope LIMIT ?", (limit,))
