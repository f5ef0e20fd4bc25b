"""What the tests of the scheduler share: a clock to set, a runner that records, and other processes."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from storage.clock import Millis
from storage.records import OpsScan
from storage.store import Store
from vibehq_tui.contracts.cadence import Cadence, parse_cadence
from vibehq_tui.contracts.config import Config, ScanConfig

ROOT = Path(__file__).parents[2]
DEADLINE = 30.0
"""Seconds after which a test gives up; no passing test waits for it."""


class SetClock:
    """A clock that stands still until it is told to go on."""

    def __init__(self, at: int = 1_772_366_400_000) -> None:
        self.at = at
        self.seconds = 1000.0

    def now(self) -> Millis:
        return Millis(self.at)

    def boot(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        self.at += int(seconds * 1000)
        self.seconds += seconds


class Runner:
    """Scans that are only recorded; ``hold`` makes the next ones wait until it is set."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.ran: list[tuple[str, str]] = []
        self.hold: asyncio.Event | None = None
        self.error: BaseException | None = None

    async def scan(self, scope: str, *, trigger: str) -> OpsScan:
        self.ran.append((scope, trigger))
        scan = await self.store.write(lambda tx: tx.scans.start(scope, trigger))
        if self.hold is not None:
            await self.hold.wait()
        if self.error is not None:
            raise self.error
        return await self.store.write(lambda tx: tx.scans.finish(scan.id))

    def scopes(self) -> list[str]:
        return [scope for scope, _ in self.ran]


def config(incremental: str | int = "5m", full: str | int = "0 2 * * *", timezone: str = "UTC") -> Config:
    """Cadences as texts, or, for tests that cannot wait, as seconds below what a configuration may say."""
    cadences: dict[str, Any] = {
        name: Cadence(f"{value}s", seconds=value) if isinstance(value, int) else parse_cadence(value)
        for name, value in (("incremental", incremental), ("full", full))
    }
    return dataclasses.replace(Config(), scan=dataclasses.replace(ScanConfig(), timezone=timezone, **cadences))


async def until(condition: Callable[[], Awaitable[bool] | bool]) -> None:
    """Returns once the condition holds.

    :raises AssertionError: when it does not within :data:`DEADLINE`.
    """
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        held = condition()
        if held if isinstance(held, bool) else await held:
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not happen in time")


PROCESS = """
import asyncio, dataclasses, sys
from pathlib import Path
from typing import Any
from storage.store import Store
from vibehq_tui.contracts.cadence import Cadence
from vibehq_tui.contracts.config import Config, ScanConfig
from vibehq_tui.ops.service import OpsService
from vibehq_tui.schedule.scheduler import Scheduler

class Slow:
    id = "slow"; title = "Slow"; severity = "low"; scope = "incremental"; cost = "low"; subject = "workspace"
    async def look(self, ctx):
        await asyncio.sleep(float(sys.argv[3]))
        return []

async def main():
    root = Path(sys.argv[1])
    step = int(sys.argv[2])
    scan = dataclasses.replace(ScanConfig(), incremental=Cadence(f"{step}s", seconds=step))
    config = dataclasses.replace(Config(), scan=scan)
    async with await Store.open(root / ".vibehq") as store:
        ops = OpsService(store, root=root, config=config, actor="test", via="service", detectors=[Slow()])
        async with Scheduler(store, ops, config, ttl=float(sys.argv[4]), watch=0.1) as scheduler:
            print(scheduler._leadership.holder, flush=True)
            await asyncio.to_thread(sys.stdin.readline)
        print("stopped", flush=True)

asyncio.run(main())
"""


class SchedulerProcess:
    """Another process with a scheduler and the real ops service on the same store."""

    def __init__(self, root: Path, *, step: int, takes: float = 0.05, ttl: float = 3.0) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROCESS, str(root), str(step), str(takes), str(ttl)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            text=True,
        )
        self.holder = self._line()

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self._end()

    def stop(self) -> str:
        """Lets it stop by itself; what it said last."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        said = self._line()
        self._end()
        return said

    def _end(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(DEADLINE)
