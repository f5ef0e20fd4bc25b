"""What the tests of merging start from."""

from __future__ import annotations

from pathlib import Path

import pytest
from merging_helpers import Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A root with an empty repository."""
    return Place(tmp_path / "root")
