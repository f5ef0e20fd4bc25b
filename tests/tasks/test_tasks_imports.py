"""What a command line call pays for tasks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
HEAVY = {"pydantic", "textual", "rich", "apscheduler", "watchfiles", "anyio", "pygments", "click"}


def test_tasks_load_nothing_heavy() -> None:
    script = "import sys, vibehq_tui.tasks.service; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    found = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    ).stdout.split()
    assert "vibehq_tui" in found
    assert not HEAVY & set(found)
