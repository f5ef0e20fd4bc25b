"""Scheduled runs: claimed once for each due time, fenced by the leader's epoch, recorded with their end."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final, Protocol

from storage.clock import Millis
from storage.query import Query
from storage.records import OpsScan, ScanRun
from storage.store import Store, Tx
from vibehq_tui.contracts.cadence import Cadence
from vibehq_tui.contracts.config import SCOPES, Config
from vibehq_tui.schedule.due import count_due, latest_due, next_due
from vibehq_tui.schedule.leader import Leadership

PAUSED: Final = "schedule.paused"
"""Setting: ``{"by", "at"}`` while scheduled runs are paused."""
_EARLY: Final = 1000
"""Milliseconds by which a wall clock that is set back a little may make a timer look early."""
_ATTEMPTS: Final = 3
"""A due time whose scan never ended, whoever ran it, is given up after so many scans."""
_SLACK: Final = 60
"""Seconds by which a run may outlast the timeout that its scan keeps itself."""


class ScanRunner(Protocol):
    """What carries out a scan."""

    async def scan(self, scope: str, *, trigger: str) -> OpsScan:
        """Runs the detectors of a scope and records the result."""
        ...


@dataclass(frozen=True, slots=True)
class Claim:
    """A due time that is this process's to run."""

    scope: str
    due_at: Millis
    made_up: int
    """How many due times before this one nobody ran."""


class Runs:
    """Claims and carries out what is due. Knows no timer: whoever has one calls :meth:`run`."""

    def __init__(self, store: Store, runner: ScanRunner, config: Config, leadership: Leadership) -> None:
        self._store = store
        self._runner = runner
        self._timeout = config.scan.timeout + _SLACK
        self._zone = config.scan.timezone
        self._leadership = leadership
        self.cadences: dict[str, Cadence] = {scope: getattr(config.scan, scope) for scope in SCOPES}

    def latest(self, scope: str) -> Millis | None:
        """When the scope came due last."""
        return latest_due(self.cadences[scope], self._zone, Millis(self._store.clock.now() + _EARLY))

    def next(self, scope: str) -> Millis | None:
        """When the scope comes due next."""
        return next_due(self.cadences[scope], self._zone, self._store.clock.now())

    async def overdue(self) -> list[str]:
        """The scopes whose last due time nobody ran to its end. Closes what dead leaders left open on the way."""
        return await self._store.write(self._overdue)

    def _overdue(self, tx: Tx) -> list[str]:
        if not self._leadership.holds(tx) or tx.settings.get(PAUSED):
            return []
        self._close_abandoned(tx)
        return [scope for scope in SCOPES if self._is_overdue(tx, scope)]

    def _is_overdue(self, tx: Tx, scope: str) -> bool:
        due = self.latest(scope)
        if due is None:
            return False
        last = tx.scans.last_run(scope)
        if last is None and scope == "full":
            # a workspace that is looked at for the first time waits for the hour that was set; from now on it counts
            tx.scans.finish_run(scope, due, "missed", message="before the first run of this workspace")
            return False
        if last is None or last.due_at < due:
            return True
        lease = self._leadership.lease
        return last.due_at == due and last.state == "claimed" and lease is not None and last.epoch < lease.epoch

    def _close_abandoned(self, tx: Tx) -> None:
        lease = self._leadership.lease
        for run in tx.scans.runs(50):
            theirs = run.state == "claimed" and lease is not None and run.epoch < lease.epoch
            if theirs and (run.due_at != self.latest(run.scope) or self._attempts(tx, run) >= _ATTEMPTS):
                tx.scans.finish_run(run.scope, run.due_at, "failed", message="the process that ran it ended before it")

    def _attempts(self, tx: Tx, run: ScanRun) -> int:
        newest = tx.scans.page(Query(where={"scope": run.scope, "trigger": "schedule"}), 0, _ATTEMPTS)
        return sum(scan.started_at >= run.due_at and scan.state != "completed" for scan in newest)

    async def run(self, scope: str) -> OpsScan | None:
        """Runs a scope for the due time that came last, if nobody did; none when there is nothing to run.

        Cancelled, it leaves its claim open: the next leader, whose epoch is higher, takes it over.
        """
        claim = await self._store.write(lambda tx: self._claim(tx, scope))
        if claim is None:
            return None
        try:
            async with asyncio.timeout(self._timeout):
                scan = await self._runner.scan(scope, trigger="schedule")
        except TimeoutError:
            await self._finish(claim, "failed", None, f"took longer than {self._timeout} s")
            return None
        except Exception as error:  # whatever ended the run, its record says so
            await self._finish(claim, "failed", None, f"{type(error).__name__}: {error}")
            raise
        await self._finish(claim, scan.state, scan.id, _made_up(claim))
        return scan

    def _claim(self, tx: Tx, scope: str) -> Claim | None:
        lease = self._leadership.lease
        due = self.latest(scope)
        if due is None or lease is None or not self._leadership.holds(tx) or tx.settings.get(PAUSED):
            return None
        last = tx.scans.last_run(scope)
        if last is not None and last.due_at > due:
            return None  # the wall clock went back; that time was run
        if not tx.scans.claim(scope, due, lease.holder, lease.epoch):
            return None
        missed = 0
        if last is not None and last.due_at < due:
            missed = max(0, count_due(self.cadences[scope], self._zone, last.due_at, due) - 1)
        return Claim(scope, due, missed)

    async def _finish(self, claim: Claim, state: str, scan: str | None, message: str) -> None:
        def body(tx: Tx) -> None:
            # without the lease, another leader has taken the run over, and its word counts
            if self._leadership.holds(tx):
                tx.scans.finish_run(claim.scope, claim.due_at, state, scan, message)

        await self._store.write(body)

    async def missed(self, scope: str, due_at: Millis, why: str) -> None:
        """Puts on record that a due time was passed over while the run of an earlier one went on."""

        def body(tx: Tx) -> None:
            last = tx.scans.last_run(scope)
            passed = last is not None and last.state in ("claimed", "missed") and last.due_at < due_at
            if passed and self._leadership.holds(tx):
                tx.scans.finish_run(scope, due_at, "missed", message=why)

        await self._store.write(body)


def _made_up(claim: Claim) -> str:
    if not claim.made_up:
        return ""
    times = "due time" if claim.made_up == 1 else "due times"
    return f"made up for {claim.made_up} {times} that nobody ran"
