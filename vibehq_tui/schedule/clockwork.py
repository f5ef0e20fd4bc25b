"""The timers: APScheduler with a memory store, and what keeps its known traps shut.

Fixed ids with ``replace_existing`` so that nothing is scheduled twice; ``coalesce`` and no misfire grace so that a loop
that was blocked, or a machine that slept, makes one run up instead of losing it; one instance of a job, whose end its
own timeout guarantees; times from :mod:`vibehq_tui.schedule.due` instead of its cron trigger.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from datetime import UTC, datetime
from typing import Any

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger

from storage.clock import Millis
from vibehq_tui.contracts.cadence import Cadence
from vibehq_tui.schedule.due import next_due

Fire = Callable[[str], Awaitable[Any]]
PassedOver = Callable[[str, Millis, str], Awaitable[None]]

# It would print its warnings into the operator's screen; what they say is on record as runs.
logging.getLogger("apscheduler").addHandler(logging.NullHandler())
logging.getLogger("apscheduler").propagate = False


class CadenceTrigger(BaseTrigger):  # type: ignore[misc]  # the library has no types
    """Fires when a cadence comes due."""

    def __init__(self, cadence: Cadence, zone: str) -> None:
        self._cadence = cadence
        self._zone = zone

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime | None:
        """The first due time after the previous one, or from now on."""
        after = _to_millis(now) - 1 if previous is None else _to_millis(previous)
        due = next_due(self._cadence, self._zone, Millis(after))
        return None if due is None else datetime.fromtimestamp(due / 1000, UTC)


def _to_millis(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


class Clockwork:
    """Timers that call ``fire(scope)`` whenever a scope comes due."""

    def __init__(self, cadences: dict[str, Cadence], zone: str, fire: Fire, passed_over: PassedOver) -> None:
        """
        :param passed_over: told of a due time at which nothing was run, with the reason.
        """
        self._cadences = cadences
        self._zone = zone
        self._fire = fire
        self._passed_over = passed_over
        self._scheduler: Any = AsyncIOScheduler(timezone=UTC)
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self, now: Iterable[str] = ()) -> None:
        """Starts the timers; the scopes in ``now`` run at once, the others when they come due."""
        skipped = EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES | EVENT_JOB_ERROR
        self._scheduler.add_listener(self._heard, skipped)
        for scope in self._cadences:
            self._add(scope, soon=scope in now)
        self._scheduler.start()

    def run_soon(self, scopes: Iterable[str]) -> None:
        """Runs scopes now, and from then on when they come due."""
        for scope in scopes:
            self._add(scope, soon=True)

    def _add(self, scope: str, *, soon: bool) -> None:
        first = {"next_run_time": datetime.now(UTC)} if soon else {}
        self._scheduler.add_job(
            self._run,
            CadenceTrigger(self._cadences[scope], self._zone),
            args=[scope],
            id=f"scan-{scope}",
            name=f"{scope} scan",
            replace_existing=True,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
            **first,
        )

    async def _run(self, scope: str) -> None:
        task = asyncio.current_task()
        assert task is not None, "the executor runs jobs as tasks"
        self._tasks.add(task)
        try:
            await self._fire(scope)
        finally:
            self._tasks.discard(task)

    def _heard(self, event: Any) -> None:
        scope = str(event.job_id).removeprefix("scan-")
        if event.code == EVENT_JOB_ERROR:
            return  # recorded by who runs it, with the scope and the due time
        times = getattr(event, "scheduled_run_times", None) or [event.scheduled_run_time]
        why = "the run before was still going" if event.code == EVENT_JOB_MAX_INSTANCES else "the timer came too late"
        for time in times:
            self._in_background(self._passed_over(scope, Millis(_to_millis(time)), why))

    def _in_background(self, work: Awaitable[None]) -> None:
        assert isinstance(work, Coroutine)
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def wake(self) -> None:
        """Looks at the wall clock: timers stand still while a machine sleeps, and do not notice a clock that is set."""
        self._scheduler.wakeup()

    async def stop(self, grace: float = 2.0) -> None:
        """Stops the timers and cancels what runs; waits for its end, but for no longer than ``grace`` seconds."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        tasks = set(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=grace)
