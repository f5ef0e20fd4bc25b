from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from store_helpers import SetClock

from storage.store import Store


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The state folder of a workspace that has no store yet."""
    return tmp_path / ".vibehq"


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
async def store(folder: Path, clock: SetClock) -> AsyncIterator[Store]:
    async with await Store.open(folder, clock=clock) as opened:
        yield opened
