"""The scheduler that every long-lived process starts: it waits to lead, and while it leads, scans run on time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from storage.clock import Millis, to_iso
from storage.errors import Refused, Usage, VibeError
from storage.records import Lease, OpsScan, ScanRun
from storage.store import Store, Tx
from vibehq_tui.contracts import events
from vibehq_tui.contracts.config import SCOPES, Config
from vibehq_tui.schedule.leader import LEASE, Leadership
from vibehq_tui.schedule.runs import PAUSED, Runs, ScanRunner

if TYPE_CHECKING:
    from vibehq_tui.schedule.clockwork import Clockwork

TTL: Final = 30.0
"""Seconds after which a leader that gave no sign (frozen, or cut off) is replaced."""
WATCH: Final = 2.0
"""Seconds between two tries to lead: one system call each."""


class Scheduler:
    """Runs the scans of a workspace on time, in one process at a time."""

    def __init__(
        self,
        store: Store,
        runner: ScanRunner,
        config: Config,
        *,
        actor: str = "scheduler",
        via: str = "service",
        ttl: float = TTL,
        watch: float = WATCH,
    ) -> None:
        """
        :param runner: what carries out a scan: the ops service.
        :param actor: who pauses and resumes, for events and audit.
        :param ttl: seconds after which a silent leader is replaced.
        :param watch: seconds between two tries to lead.
        """
        self._store = store
        self._runner = runner
        self._config = config
        self._actor = actor
        self._via = via
        self._ttl = ttl
        self._watch = watch
        self._leadership = Leadership(store, ttl=ttl, actor=actor)
        self._runs = Runs(store, runner, config, self._leadership)
        self._clockwork: Clockwork | None = None
        self._watching: asyncio.Task[None] | None = None
        self._stop = asyncio.Event()
        self.trouble = ""
        """What went wrong the last time that this process tried to lead or to go on leading; empty when nothing did."""

    async def start(self) -> None:
        """Begins to take part: returns at once; leads as soon as no other process does.

        :raises Refused: when the store is read-only.
        """
        self._check_writable()
        if self._watching is None:
            self._stop.clear()
            self._watching = asyncio.create_task(self._take_part(), name="scheduler")

    async def stop(self) -> None:
        """Takes no part any more. A run under way is cancelled; the next leader takes it up."""
        watching, self._watching = self._watching, None
        if watching is None:
            return
        self._stop.set()
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await self._stop_clockwork()
        try:
            await self._leadership.resign()
        except VibeError as error:
            self.trouble = error.message  # the lock is free, and the lease expires by itself

    async def __aenter__(self) -> Scheduler:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _take_part(self) -> None:
        silence = 0.0
        while not self._stop.is_set():
            try:
                # a frozen leader keeps its lock: now and then the lease has to be looked at
                patient = silence >= self._ttl / 2
                await self._lead() if self.is_leader else await self._follow(patient)
                silence = 0.0 if patient or self.is_leader else silence + self._watch
                self.trouble = ""
            except VibeError as error:
                self.trouble = error.message
            except Exception as error:  # noqa: BLE001 - the next try may succeed; dying here would end all scans unseen
                self.trouble = f"{type(error).__name__}: {error}"
            pause = self._ttl / 3 if self.is_leader else self._watch
            try:
                await asyncio.wait_for(self._stop.wait(), pause)
            except TimeoutError:
                continue

    async def _follow(self, patient: bool) -> None:
        if await self._leadership.campaign(patient=patient):
            await self._start_clockwork()

    async def _lead(self) -> None:
        if not await self._leadership.renew():
            await self._stop_clockwork()
            return
        if self._clockwork is None:
            await self._start_clockwork()
            return
        self._clockwork.wake()
        self._clockwork.run_soon(await self._runs.overdue())

    async def _start_clockwork(self) -> None:
        overdue = await self._runs.overdue()
        # importing it takes 100 ms, which a screen would feel
        kind = await asyncio.to_thread(_load_clockwork)
        self._clockwork = kind(self._runs.cadences, self._config.scan.timezone, self._runs.run, self._runs.missed)
        self._clockwork.start(now=overdue)

    async def _stop_clockwork(self) -> None:
        clockwork, self._clockwork = self._clockwork, None
        if clockwork is not None:
            await clockwork.stop()

    @property
    def is_leader(self) -> bool:
        """Whether this process leads."""
        return self._leadership.lease is not None

    async def leader(self) -> str | None:
        """Who leads, as ``HOST pid NUMBER``; none when nobody does, or the leader gave no sign for too long."""
        lease = await self.lease()
        if lease is None:
            return None
        host, pid, _ = lease.holder.rsplit("/", 2)
        return f"{host} pid {pid}"

    async def lease(self) -> Lease | None:
        """The lease of whoever leads; none when nobody does, or it expired."""
        lease = await self._store.read(lambda tx: tx.leases.get(LEASE))
        # the wall clock is the one that all hosts share
        silent = 0 if lease is None else self._store.clock.now() - lease.renewed_at
        return lease if silent < self._ttl * 1000 else None

    def next_runs(self) -> Mapping[str, Millis | None]:
        """Scope → when it comes due next, by the configuration, whoever leads; none when never."""
        return {scope: self._runs.next(scope) for scope in SCOPES}

    async def runs(self, limit: int = 100) -> list[ScanRun]:
        """The scheduled runs, newest first."""
        return await self._store.read(lambda tx: tx.scans.runs(limit))

    async def run_now(self, scope: str) -> OpsScan:
        """Scans now, in this process, whoever leads. The schedule goes on as if nothing had been.

        :raises Usage: for an unknown scope.
        """
        if scope not in SCOPES:
            raise Usage(f"there is no scan scope {scope!r}", code="unknown-scope", hint=f"use {' or '.join(SCOPES)}")
        return await self._runner.scan(scope, trigger="operator")

    async def paused(self) -> str | None:
        """Who paused the schedule and when, as a sentence; none while it runs."""
        found = await self._store.read(lambda tx: tx.settings.get(PAUSED))
        return f"paused by {found['by']} at {to_iso(Millis(found['at']))}" if found else None

    async def pause(self) -> None:
        """No scheduled run begins in any process, until :meth:`resume`. A run under way goes on.

        :raises Refused: when the store is read-only.
        """
        await self._set_paused(True)

    async def resume(self) -> None:
        """Scheduled runs begin again. What came due meanwhile is made up for by one run.

        :raises Refused: when the store is read-only.
        """
        await self._set_paused(False)

    async def _set_paused(self, pause: bool) -> None:
        self._check_writable()

        def body(tx: Tx) -> None:
            if bool(tx.settings.get(PAUSED)) == pause:
                return
            tx.settings.put(PAUSED, {"by": self._actor, "at": tx.now} if pause else None)
            tx.events.append(
                events.SCHEDULE_PAUSED if pause else events.SCHEDULE_RESUMED,
                actor=self._actor,
                subject="workspace",
                message=f"{self._actor} {'paused' if pause else 'resumed'} the schedule",
            )
            tx.audit.append(
                actor=self._actor,
                via=self._via,
                verb="schedule.pause" if pause else "schedule.resume",
                object="workspace",
                result="done",
            )

        await self._store.write(body)

    def _check_writable(self) -> None:
        if self._store.read_only:
            raise Refused("read-only: this workspace was opened for looking only", code="read-only")


def _load_clockwork() -> type[Clockwork]:
    from vibehq_tui.schedule.clockwork import Clockwork  # noqa: PLC0415 - costs 100 ms, and only a leader needs it

    return Clockwork
