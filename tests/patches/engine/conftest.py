"""What the tests of the engine start from."""

from __future__ import annotations

from pathlib import Path

import pytest
from engine_helpers import Box


@pytest.fixture
def box(tmp_path: Path) -> Box:
    """An empty root, outside git."""
    return Box(tmp_path / "root")
