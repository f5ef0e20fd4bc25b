#!/usr/bin/env python3
"""Start-up of the command line against ``python -c pass``, both in this run.

    cli_startup.py [WORKSPACE] [--rounds N]

Prints the ratio for ``vibehq task show ID --json`` on a workspace of 10,000 tasks, 10,000 patches and 100,000 events
(the limit is 15), and for ``vibehq --help``. Medians; the programs take turns, so that a busy machine slows all.
Byte code is kept in a temporary folder for all, as in an installed program, whatever PYTHONDONTWRITEBYTECODE says here.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from workspace import make_workspace

_SCRIPTS = Path(sys.executable).parent


def once(command: list[str], folder: Path, cache: Path) -> float:
    """Seconds of one run; the program has to succeed."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(cache)
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def main() -> int:
    """Prints the ratios."""
    parser = argparse.ArgumentParser()
    parser.add_argument("workspace", type=Path, nargs="?")
    parser.add_argument("--rounds", type=int, default=21)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.workspace or make_workspace(Path(scratch) / "big")
        cache = Path(scratch) / "cache"
        commands = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "vibehq task show": [str(_SCRIPTS / "vibehq"), "task", "show", "5000", "--json"],
            "vibehq --help": [str(_SCRIPTS / "vibehq"), "--help"],
        }
        times: dict[str, list[float]] = {name: [] for name in commands}
        for round_ in range(options.rounds + 1):
            for name, command in commands.items():
                taken = once(command, folder, cache)
                if round_:  # the first compiles
                    times[name].append(taken)
        base = statistics.median(times["python -c pass"])
        for name, taken_times in times.items():
            median = statistics.median(taken_times)
            print(f"{name:<18} {median * 1000:7.1f} ms  {median / base:5.1f} ×")
    return 0


if __name__ == "__main__":
    sys.exit(main())
