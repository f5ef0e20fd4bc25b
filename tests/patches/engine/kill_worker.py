"""A process that applies or reverts, and may kill itself before its n-th call of the system that changes something.

    python kill_worker.py ROOT PATCH|revert:RECEIPT [N]

Prints ``ready`` when it is about to begin. With N it ends by SIGKILL there, or prints how many calls there were.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from vibehq_tui.patches.applying.apply import Applier
from vibehq_tui.patches.formats import parse
from vibehq_tui.patches.planning.planner import make_plan
from vibehq_tui.patches.planning.tree import WorkTree

CHANGING = ("rename", "unlink", "mkdir", "rmdir", "symlink", "write", "fsync", "fchmod", "open")
calls = 0


def counted(function: Callable[..., Any], deadly: int) -> Callable[..., Any]:
    def call(*arguments: Any, **options: Any) -> Any:
        global calls
        calls += 1
        if calls == deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **options)

    return call


def main() -> None:
    root, what = Path(sys.argv[1]), sys.argv[2]
    applier = Applier(root)
    plan = None
    if not what.startswith("revert:"):
        plan = make_plan(parse(Path(what).read_bytes()), WorkTree(root))
    os.write(1, b"ready\n")
    say = os.write
    if len(sys.argv) > 3:
        for name in CHANGING:
            setattr(os, name, counted(getattr(os, name), int(sys.argv[3])))
    if plan is None:
        applier.revert(what.removeprefix("revert:"))
    else:
        applier.apply(plan, receipt="killed")
    say(1, b"%d\n" % calls)


if __name__ == "__main__":
    main()
