"""What the tests of operations and markers start from: the helpers of the engine's tests."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "engine"))

from engine_helpers import Box


@pytest.fixture
def box(tmp_path: Path) -> Box:
    """An empty root, outside git."""
    return Box(tmp_path / "root")
