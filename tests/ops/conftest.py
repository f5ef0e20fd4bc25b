from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from ops_helpers import Planner, SetClock, SetHost, TaskFiles, World

from storage.store import Store


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    clock = SetClock()
    async with await Store.open(tmp_path / ".vibehq", clock=clock) as store:
        yield World(store, tmp_path, clock, SetHost(), Planner(clock), TaskFiles())
