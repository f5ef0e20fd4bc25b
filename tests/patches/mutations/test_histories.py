"""Every commit of a history applied to its parent makes the commit's tree: the small instance of the benchmark."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from made_history import make_history

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"
REPOSITORIES = [Path(name) for name in os.environ.get("VIBEHQ_TEST_HISTORIES", "").split(os.pathsep) if name]


def histories(*arguments: str | Path) -> str:
    """What the benchmark prints."""
    done = subprocess.run(
        [sys.executable, str(BENCHMARKS / "histories.py"), *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(BENCHMARKS.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_made_up_history(tmp_path: Path) -> None:
    history = make_history(tmp_path / "history", 25, 7)
    printed = histories(history, "--count", "20", "--ours-only", "--folder", tmp_path)
    assert "20 exact     0 refused     0 wrong" in printed, printed


@pytest.mark.long
@pytest.mark.skipif(
    not REPOSITORIES, reason="name repositories with long histories in VIBEHQ_TEST_HISTORIES, separated like PATH"
)
@pytest.mark.parametrize("repository", REPOSITORIES, ids=str)
def test_a_thousand_commits(repository: Path, tmp_path: Path) -> None:
    printed = histories(repository, "--count", "1000", "--ours-only", "--folder", tmp_path)
    assert " 1000 exact     0 refused     0 wrong" in printed, printed
