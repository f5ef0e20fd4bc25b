"""Start-up of ``patchctl apply`` with a one-line patch, beside ``python -c pass`` in the same run.

    python benchmarks/patchctl_startup.py [--rounds 40]

Prints the medians and their ratio; the goal is at most 8. Byte code is kept in a temporary folder for both, as in an
installed program, whatever PYTHONDONTWRITEBYTECODE says here.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

PATCH = "--- a/file.txt\n+++ b/file.txt\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n"
GOAL = 8.0


def seconds(command: list[str], folder: Path) -> float:
    """Wall time of one call that must succeed."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment = kept | {"PYTHONPYCACHEPREFIX": str(folder / "cache")}
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, env=environment)
    return time.perf_counter() - start


def main() -> None:
    """Runs both in turn, so that both see the same machine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    rounds = parser.parse_args().rounds
    script = "from vibehq_tui.cli.patchctl import main; main()"
    empty, apply = [], []
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "fix.diff").write_text(PATCH)
        for round_ in range(rounds + 1):
            (folder / "file.txt").write_text("one\ntwo\nthree\n")
            times = [
                seconds([sys.executable, "-c", "pass"], folder),
                seconds([sys.executable, "-c", script, "apply", "fix.diff"], folder),
            ]
            if round_:  # the first round compiles
                empty.append(times[0])
                apply.append(times[1])
    base, ours = statistics.median(empty), statistics.median(apply)
    print(f"python -c pass   {base * 1000:7.1f} ms")
    print(f"patchctl apply   {ours * 1000:7.1f} ms")
    print(f"ratio            {ours / base:7.2f}   (goal: at most {GOAL:g})")


if __name__ == "__main__":
    main()
