"""Real processes on one store: the leader is killed, another goes on, and no due time is run twice or left out."""

from __future__ import annotations

import os
import random
import re
import signal
import time
from itertools import pairwise
from typing import Any

import pytest
from schedule_helpers import SchedulerProcess, until

from storage.records import ScanRun
from storage.store import Store
from vibehq_tui.schedule.leader import LEASE


async def holder(store: Store) -> str | None:
    lease = await store.read(lambda tx: tx.leases.get(LEASE))
    return lease.holder if lease else None


async def incremental(store: Store) -> list[ScanRun]:
    """The runs of the incremental scope, oldest first."""
    found = await store.read(lambda tx: tx.scans.runs(10_000))
    return sorted((run for run in found if run.scope == "incremental"), key=lambda run: run.due_at)


async def check_runs(store: Store, step: int) -> None:
    """Every due time has one run, or is one that a later run says it made up for; each completed run has one completed
    scan, and no other has."""
    runs = await incremental(store)
    for before, run in pairwise(runs):
        passed = (run.due_at - before.due_at) // (step * 1000) - 1
        said = re.match(r"made up for (\d+) ", run.message)
        assert passed == (int(said[1]) if said else 0)
    ended = [run for run in runs[:-1] if run.state != "completed"]
    assert ended == []
    scans = await store.read(lambda tx: tx.scans.page(limit=10_000))
    completed = [scan.id for scan in scans if scan.state == "completed" and scan.scope == "incremental"]
    assert sorted(completed, key=int) == [run.scan for run in runs if run.state == "completed"]


async def kill_leaders(store: Store, spawn: Any, *, kills: int, processes: int, step: int, takes: float) -> None:
    chance = random.Random(11)
    alive: dict[str, SchedulerProcess] = {}
    for _ in range(processes):
        one = spawn(step=step, takes=takes)
        alive[one.holder] = one
    for _ in range(kills):
        before = len(await incremental(store))

        async def goes_on(before: int = before) -> bool:
            return len(await incremental(store)) > before and await holder(store) in alive

        await until(goes_on)
        # at any time within a cadence, also in the middle of a scan
        pause = chance.random() * step
        await until(_after(pause))
        leader = await holder(store)
        assert leader is not None
        alive.pop(leader).kill()
        await until(_led_by(store, alive))
        one = spawn(step=step, takes=takes)
        alive[one.holder] = one
    done = len(await incremental(store))

    async def settled() -> bool:
        runs = await incremental(store)
        return len(runs) > done + 1 and runs[-1].state == "completed"

    await until(settled)
    for one in alive.values():
        assert one.stop() == "stopped"


def _after(seconds: float) -> Any:
    end = time.monotonic() + seconds
    return lambda: time.monotonic() >= end


def _led_by(store: Store, alive: dict[str, SchedulerProcess]) -> Any:
    async def led() -> bool:
        return await holder(store) in alive

    return led


async def test_a_killed_leader_is_replaced_and_no_run_is_lost_or_doubled(real_store: Store, spawn: Any) -> None:
    await kill_leaders(real_store, spawn, kills=2, processes=2, step=2, takes=0.3)
    await check_runs(real_store, 2)


@pytest.mark.long
async def test_thirty_kills_with_three_processes(real_store: Store, spawn: Any) -> None:
    await kill_leaders(real_store, spawn, kills=30, processes=3, step=2, takes=0.4)
    await check_runs(real_store, 2)


async def test_a_frozen_leader_is_replaced_and_steps_down_when_it_wakes(real_store: Store, spawn: Any) -> None:
    first = spawn(step=1, ttl=1.0)
    await until(_led_by(real_store, {first.holder: first}))
    second = spawn(step=1, ttl=1.0)
    os.kill(first.process.pid, signal.SIGSTOP)
    await until(_led_by(real_store, {second.holder: second}))
    before = len(await incremental(real_store))

    async def goes_on() -> bool:
        return len(await incremental(real_store)) >= before + 2

    await until(goes_on)
    os.kill(first.process.pid, signal.SIGCONT)
    before += 2
    await until(goes_on)
    assert await holder(real_store) == second.holder
    assert first.stop() == "stopped"
    assert await holder(real_store) == second.holder
    assert second.stop() == "stopped"
    assert await holder(real_store) is None
    runs = await incremental(real_store)
    assert len({run.due_at for run in runs}) == len(runs)
