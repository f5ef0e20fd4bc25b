from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from typing import Any

import pytest
from schedule_helpers import ROOT, Runner, SetClock, config, until

from storage.clock import from_iso
from storage.errors import Refused, Usage
from storage.store import Store
from vibehq_tui.schedule.scheduler import Scheduler


def scheduler(store: Store, runner: Any, **options: Any) -> Scheduler:
    return Scheduler(store, runner, config(incremental=1, full="0 2 * * *"), actor="ada", watch=0.05, **options)


async def test_scans_run_on_time_and_stop(real_store: Store) -> None:
    runner = Runner(real_store)
    async with scheduler(real_store, runner) as running:
        await until(lambda: len(runner.ran) >= 3)
        assert running.is_leader
        leader = await running.leader()
        assert leader is not None
        assert " pid " in leader
    ran = len(runner.ran)
    assert await running.leader() is None
    runs = [run for run in await running.runs() if run.scope == "incremental"]
    assert {run.state for run in runs[1:]} == {"completed"}  # the newest may have been cut off by the end
    times = [run.due_at for run in runs]
    assert len(set(times)) == len(times)
    assert all(due % 1000 == 0 for due in times)
    start = time.monotonic()
    await until(lambda: time.monotonic() - start > 1.2)
    assert len(runner.ran) == ran


async def test_the_incremental_scan_comes_at_once_where_none_was_yet(real_store: Store) -> None:
    runner = Runner(real_store)
    async with Scheduler(real_store, runner, config(), watch=0.05) as first:

        async def ended() -> bool:  # one that is cut off by the end of its scheduler is made up for by the next
            return [run.state for run in await first.runs() if run.scope == "incremental"] == ["completed"]

        await until(ended)
    assert runner.ran == [("incremental", "schedule")]
    async with Scheduler(real_store, runner, config(), watch=0.05) as running:
        await until(lambda: running.is_leader and running._clockwork is not None)
    due = [run.due_at for run in await running.runs() if run.scope == "incremental"]
    assert len(due) == len(set(due)) == len(runner.ran)


async def test_only_one_of_two_leads_and_the_other_takes_over(real_store: Store) -> None:
    first, second = Runner(real_store), Runner(real_store)
    one, two = scheduler(real_store, first), scheduler(real_store, second)
    await one.start()
    await until(lambda: one.is_leader)
    await two.start()
    await until(lambda: len(first.ran) >= 2)
    assert not two.is_leader
    assert second.ran == []
    await one.stop()
    await until(lambda: two.is_leader and len(second.ran) >= 1)
    await two.stop()


async def test_stopping_is_fast_and_leaves_a_run_to_the_next_leader(real_store: Store) -> None:
    runner = Runner(real_store)
    runner.hold = asyncio.Event()
    running = Scheduler(real_store, runner, config(incremental="1h"), watch=0.05)
    await running.start()
    await until(lambda: bool(runner.ran))
    start = time.monotonic()
    await running.stop()
    await running.stop()
    assert time.monotonic() - start < 1
    runner.hold = None
    async with Scheduler(real_store, runner, config(incremental="1h"), watch=0.05) as again:
        await until(lambda: len(runner.ran) == 2)
        await until(lambda: _completed(again))
    assert not [task for task in asyncio.all_tasks() if "schedul" in task.get_name()]


async def _completed(running: Scheduler) -> bool:
    return any(run.state == "completed" for run in await running.runs())


async def test_a_long_run_is_never_overlapped_and_what_it_passes_over_is_on_record(real_store: Store) -> None:
    runner = Runner(real_store)
    runner.hold = asyncio.Event()

    async def passed_over() -> bool:
        return sum(run.state == "missed" and run.scope == "incremental" for run in await running.runs()) >= 2

    async with scheduler(real_store, runner) as running:
        await until(passed_over)
        assert runner.scopes() == ["incremental"]
        runner.hold.set()
        await until(lambda: len(runner.ran) >= 2)


async def test_a_scan_that_fails_does_not_end_the_schedule(real_store: Store) -> None:
    runner = Runner(real_store)
    runner.error = RuntimeError("broken")
    async with scheduler(real_store, runner) as running:
        await until(lambda: len(runner.ran) >= 2)
        runner.error = None
        await until(lambda: _completed(running))
        assert {run.message for run in await running.runs() if run.state == "failed"} == {"RuntimeError: broken"}


async def test_pause_holds_in_every_process_and_resume_makes_up(real_store: Store) -> None:
    runner = Runner(real_store)
    other = Scheduler(real_store, runner, config(), actor="bob", via="tui")
    await other.pause()
    await other.pause()
    paused = await other.paused()
    assert paused is not None
    assert paused.startswith("paused by bob at 20")
    async with scheduler(real_store, runner, ttl=0.6) as running:
        start = time.monotonic()
        await until(lambda: running._clockwork is not None and time.monotonic() - start > 1.5)
        assert runner.ran == []
        await other.resume()
        await until(lambda: bool(runner.ran))
    assert await other.paused() is None
    events = await real_store.read(lambda tx: tx.events.since(0))
    assert [event.type for event in events if event.type.startswith("schedule.")] == [
        "schedule.paused",
        "schedule.resumed",
    ]
    audit = await real_store.read(lambda tx: tx.audit.page())
    assert [(entry.verb, entry.actor, entry.via) for entry in audit] == [
        ("schedule.resume", "bob", "tui"),
        ("schedule.pause", "bob", "tui"),
    ]


async def test_run_now_needs_no_leader(store: Store, runner: Runner) -> None:
    waiting = Scheduler(store, runner, config())
    scan = await waiting.run_now("full")
    assert (scan.scope, scan.trigger, runner.ran) == ("full", "operator", [("full", "operator")])
    with pytest.raises(Usage, match="no scan scope 'nightly'"):
        await waiting.run_now("nightly")
    assert await waiting.runs() == []


async def test_next_runs_are_known_without_leading(store: Store, runner: Runner, clock: SetClock) -> None:
    clock.at = from_iso("2026-03-01T12:01:00")
    found = Scheduler(store, runner, config("5m", "0 9 * * 1", "Europe/Berlin")).next_runs()
    assert found == {"incremental": from_iso("2026-03-01T12:05:00"), "full": from_iso("2026-03-02T08:00:00")}


async def test_read_only_takes_no_part(store: Store) -> None:
    async with await Store.open(store.folder, read_only=True) as viewer:
        looking = Scheduler(viewer, Runner(viewer), config())
        for call in (looking.start(), looking.pause(), looking.resume()):
            with pytest.raises(Refused, match="read-only"):
                await call
        assert await looking.leader() is None
        await looking.stop()


def test_nothing_heavy_is_imported_before_it_leads() -> None:
    code = "import sys, vibehq_tui.schedule.scheduler; print('apscheduler' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
