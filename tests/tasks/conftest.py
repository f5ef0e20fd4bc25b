"""A workspace for the tests of tasks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tasks_helpers import Bench, bench


@pytest.fixture
async def work(tmp_path: Path) -> AsyncIterator[Bench]:
    """A workspace with a store and no tasks file."""
    async with bench(tmp_path) as found:
        yield found
