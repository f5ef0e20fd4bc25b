"""``kill -9`` at random instants, however patches are applied: the small instance of the benchmark."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"
SCENARIOS = ("applier", "series", "patchctl")


def killed(scenario: str, kills: int, files: int, folder: Path) -> str:
    """What the benchmark prints; it fails when a tree is neither before nor after."""
    done = subprocess.run(
        [
            *(sys.executable, str(BENCHMARKS / "kills.py"), "--scenario", scenario),
            *("--kills", str(kills), "--files", str(files), "--folder", str(folder)),
        ],
        env={**os.environ, "PYTHONPATH": str(BENCHMARKS.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_few_kills(scenario: str, tmp_path: Path) -> None:
    assert f"{scenario}: 4 kills" in killed(scenario, 4, 60, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_two_hundred_kills(scenario: str, tmp_path: Path) -> None:
    assert f"{scenario}: 200 kills" in killed(scenario, 200, 400, tmp_path)
