from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from schedule_helpers import Runner, SchedulerProcess, SetClock

from storage.store import Store


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
async def store(tmp_path: Path, clock: SetClock) -> AsyncIterator[Store]:
    """A store whose clock is set by the test."""
    async with await Store.open(tmp_path / ".vibehq", clock=clock) as opened:
        yield opened


@pytest.fixture
async def real_store(tmp_path: Path) -> AsyncIterator[Store]:
    """A store on the clocks of this machine."""
    async with await Store.open(tmp_path / ".vibehq") as opened:
        yield opened


@pytest.fixture
def runner(store: Store) -> Runner:
    return Runner(store)


@pytest.fixture
def spawn(tmp_path: Path) -> Iterator[Any]:
    """Starts processes with a scheduler; none outlives the test."""
    started: list[SchedulerProcess] = []

    def start(**options: Any) -> SchedulerProcess:
        started.append(SchedulerProcess(tmp_path, **options))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.kill()
