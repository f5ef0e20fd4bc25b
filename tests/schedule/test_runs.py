from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import pytest
from schedule_helpers import Runner, SetClock, config, until

from storage.clock import Millis
from storage.records import ScanRun
from storage.store import Store
from vibehq_tui.schedule.leader import Leadership
from vibehq_tui.schedule.runs import Runs

HOUR = 3600
DAY = 24 * HOUR


@pytest.fixture
async def leader(store: Store) -> AsyncIterator[Leadership]:
    leadership = Leadership(store, ttl=10**6, actor="test")
    await leadership.campaign()
    yield leadership
    await leadership.resign()


@pytest.fixture
def runs(store: Store, runner: Runner, leader: Leadership) -> Runs:
    return Runs(store, runner, config(), leader)


async def recorded(store: Store) -> list[ScanRun]:
    """Runs, oldest first."""
    return (await store.read(lambda tx: tx.scans.runs(1000)))[::-1]


async def test_a_due_time_is_run_once(store: Store, runner: Runner, runs: Runs, clock: SetClock) -> None:
    scan = await runs.run("incremental")
    assert scan is not None
    assert await runs.run("incremental") is None
    assert runner.ran == [("incremental", "schedule")]
    (run,) = await recorded(store)
    assert (run.state, run.due_at, run.scan, run.message) == ("completed", clock.at, scan.id, "")
    clock.advance(299)
    assert await runs.run("incremental") is not None, "a timer may come a little early"
    assert (await recorded(store))[-1].due_at == clock.at + 1000
    clock.advance(2)
    assert await runs.run("incremental") is None
    assert await runs.overdue() == []


async def test_missed_runs_are_made_up_for_by_one(store: Store, runner: Runner, runs: Runs, clock: SetClock) -> None:
    await runs.run("incremental")
    clock.advance(HOUR)
    assert await runs.overdue() == ["incremental"]
    await runs.run("incremental")
    assert await runs.overdue() == []
    assert runner.scopes() == ["incremental", "incremental"]
    assert (await recorded(store))[-1].message == "made up for 11 due times that nobody ran"


async def test_the_first_full_scan_waits_for_its_hour_and_counts_from_then_on(
    store: Store, runs: Runs, clock: SetClock
) -> None:
    assert await runs.overdue() == ["incremental"]
    (baseline,) = await recorded(store)
    assert (baseline.scope, baseline.state) == ("full", "missed")
    await runs.run("incremental")
    assert await runs.overdue() == []
    # the operator comes back the next day, after the hour
    clock.advance(DAY)
    assert await runs.overdue() == ["incremental", "full"]


async def test_without_the_lease_nothing_runs(store: Store, runner: Runner, clock: SetClock) -> None:
    old, new = Leadership(store, ttl=30, actor="test"), Leadership(store, ttl=30, actor="test")
    await old.campaign()
    theirs = Runs(store, runner, config(), old)
    clock.advance(31)
    await new.campaign(patient=True)
    assert old.lease is not None
    assert await theirs.overdue() == []
    assert await theirs.run("incremental") is None
    assert runner.ran == []
    for one in (old, new):
        await one.resign()


async def test_a_woken_leader_does_not_overwrite_what_its_successor_recorded(
    store: Store, runner: Runner, clock: SetClock
) -> None:
    old, new = Leadership(store, ttl=30, actor="test"), Leadership(store, ttl=30, actor="test")
    await old.campaign()
    runner.hold = asyncio.Event()
    frozen = asyncio.create_task(Runs(store, runner, config(), old).run("incremental"))
    await until(lambda: bool(runner.ran))
    clock.advance(31)
    await new.campaign(patient=True)
    successor = Runner(store)
    again = Runs(store, successor, config(), new)
    assert await again.overdue() == ["incremental"]
    scan = await again.run("incremental")
    assert scan is not None
    runner.error = RuntimeError("late and broken")
    runner.hold.set()
    with pytest.raises(RuntimeError):
        await frozen
    run = (await recorded(store))[-1]
    assert (run.state, run.scan, run.epoch, run.holder) == ("completed", scan.id, 2, new.holder)
    for one in (old, new):
        await one.resign()


async def test_an_interrupted_run_is_taken_over_by_the_next_leader_only(store: Store, runner: Runner) -> None:
    old = Leadership(store, ttl=30, actor="test")
    await old.campaign()
    runs = Runs(store, runner, config(), old)
    runner.hold = asyncio.Event()
    task = asyncio.create_task(runs.run("incremental"))
    await until(lambda: bool(runner.ran))
    assert await runs.overdue() == [], "it is this leader's own run, and goes on"
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert [run.state for run in await recorded(store) if run.scope == "incremental"] == ["claimed"]
    await old.resign()

    new = Leadership(store, ttl=30, actor="test")
    await new.campaign()
    runner.hold = None
    again = Runs(store, runner, config(), new)
    assert await again.overdue() == ["incremental"]
    assert await again.run("incremental") is not None
    assert [(run.state, run.epoch) for run in await recorded(store) if run.scope == "incremental"] == [("completed", 2)]
    await new.resign()


async def test_a_run_that_was_abandoned_long_ago_is_closed_not_run(
    store: Store, runner: Runner, clock: SetClock
) -> None:
    old = Leadership(store, ttl=30, actor="test")
    await old.campaign()
    assert old.lease is not None
    epoch = old.lease.epoch
    await store.write(lambda tx: tx.scans.claim("full", Millis(clock.at - 60_000), old.holder, epoch))
    await old.resign()
    new = Leadership(store, ttl=30, actor="test")
    await new.campaign()
    assert await Runs(store, runner, config(), new).overdue() == ["incremental"]
    (run,) = await recorded(store)
    assert (run.state, run.message) == ("failed", "the process that ran it ended before it")
    await new.resign()


def _more_than(runner: Runner, seen: int) -> bool:
    return len(runner.ran) > seen


async def test_a_scan_that_ends_every_process_is_given_up(store: Store, runner: Runner) -> None:
    tries = 0
    for _ in range(5):
        leadership = Leadership(store, ttl=30, actor="test")
        await leadership.campaign()
        runs = Runs(store, runner, config(), leadership)
        if "incremental" in await runs.overdue():
            tries += 1
            runner.hold = asyncio.Event()
            seen = len(runner.ran)
            task = asyncio.create_task(runs.run("incremental"))
            await until(partial(_more_than, runner, seen))
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await leadership.resign()
    assert tries == 3
    assert [run.state for run in await recorded(store) if run.scope == "incremental"] == ["failed"]


async def test_a_scan_that_fails_or_takes_too_long_is_recorded(
    store: Store, runner: Runner, leader: Leadership, clock: SetClock
) -> None:
    runs = Runs(store, runner, config(), leader)
    runner.error = OSError("disk gone")
    with pytest.raises(OSError, match="disk gone"):
        await runs.run("incremental")
    clock.advance(300)
    runs._timeout = 0
    runner.error, runner.hold = None, asyncio.Event()
    assert await runs.run("incremental") is None
    assert [(run.state, run.message) for run in await recorded(store)] == [
        ("failed", "OSError: disk gone"),
        ("failed", "took longer than 0 s"),
    ]


async def test_a_wall_clock_that_goes_back_repeats_nothing(runner: Runner, runs: Runs, clock: SetClock) -> None:
    await runs.run("incremental")
    clock.at -= HOUR * 1000
    assert await runs.run("incremental") is None
    assert await runs.overdue() == []
    clock.at += HOUR * 1000 + 300_000
    assert await runs.run("incremental") is not None
    assert len(runner.ran) == 2


async def test_passed_over_due_times_are_on_record_and_never_hide_a_run(
    store: Store, runner: Runner, runs: Runs, clock: SetClock
) -> None:
    await runs.missed("incremental", Millis(clock.at), "too late")
    assert await recorded(store) == []
    runner.hold = asyncio.Event()
    task = asyncio.create_task(runs.run("incremental"))
    await until(lambda: bool(runner.ran))
    await runs.missed("incremental", Millis(clock.at), "the run before was still going")
    for step in (1, 2):
        await runs.missed("incremental", Millis(clock.at + step * 300_000), "the run before was still going")
    runner.hold.set()
    await task
    assert [(run.state, run.message) for run in await recorded(store)] == [
        ("completed", ""),
        ("missed", "the run before was still going"),
        ("missed", "the run before was still going"),
    ]
