"""Once for many reasons, and once after a rest."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from vibehq_tui.tui.gather import Gathered, Rested


async def _until(condition: asyncio.Event) -> None:
    await asyncio.wait_for(condition.wait(), 5)


async def test_many_pokes_are_one_run_and_a_late_one_is_one_more() -> None:
    runs: list[int] = []
    begun, go_on, twice = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def do() -> None:
        runs.append(len(runs))
        begun.set()
        await go_on.wait()
        if len(runs) == 2:
            twice.set()

    gathered = Gathered(do, 0)
    worker = asyncio.create_task(gathered.run())
    for _ in range(50):
        gathered.poke()
    await _until(begun)
    gathered.poke()
    gathered.poke()
    go_on.set()
    await _until(twice)
    assert runs == [0, 1]
    worker.cancel()
    with suppress(asyncio.CancelledError):
        await worker


async def test_rest_comes_after_the_last_poke() -> None:
    rested = asyncio.Event()
    calls: list[float] = []
    loop = asyncio.get_running_loop()

    def do() -> None:
        calls.append(loop.time())
        rested.set()

    one = Rested(do, 0.05)
    last = 0.0
    for _ in range(20):
        one.poke()
        last = loop.time()
        await asyncio.sleep(0)
    await _until(rested)
    assert len(calls) == 1
    assert calls[0] >= last + 0.045


async def test_a_cancelled_rest_never_comes() -> None:
    calls: list[int] = []
    one = Rested(lambda: calls.append(1), 0)
    one.poke()
    one.cancel()
    one.cancel()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert calls == []
