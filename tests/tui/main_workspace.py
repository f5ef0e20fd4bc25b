"""A workspace with something in every pane, the same on every machine."""

from __future__ import annotations

import json
from pathlib import Path

from review_helpers import Repository, SetClock

from storage.clock import Millis
from storage.records import Issue
from storage.store import Tx
from vibehq_tui.headquarters import Headquarters

MINUTE = 60_000

TASKS = [
    {"id": 1, "title": "Read the file", "status": "done", "priority": "high"},
    {"id": 2, "title": "Write the file", "status": "pending", "priority": "high", "dependencies": [1]},
    {"id": 3, "title": "Sort the lines", "status": "in-progress", "priority": "medium", "assignee": "codex"},
    {"id": 4, "title": "Print a table", "status": "pending", "priority": "low", "dependencies": [2, 3]},
    {"id": 5, "title": "Names in the table", "status": "pending", "priority": "low", "dependencies": [99]},
]

LINES = [f"line {number}\n" for number in range(1, 41)]


def text(**changes: str) -> str:
    """The file with some lines changed: ``text(l3="three")``."""
    lines = list(LINES)
    for key, value in changes.items():
        lines[int(key[1:]) - 1] = value + "\n"
    return "".join(lines)


def _issue(number: int, severity: str, title: str, now: int) -> Issue:
    return Issue(
        id=str(number),
        fingerprint=f"print-{number}",
        detector="made-up",
        severity=severity,
        status="open",
        title=title,
        message=f"what was found about {number}",
        count=number,
        first_seen=Millis(now - number * 90 * MINUTE),
        last_seen=Millis(now - number * MINUTE),
    )


async def make(root: Path) -> Path:
    """Makes it: five tasks, four patches (1 applied, 2 rejected, 3 approved, 4 proposed), three issues."""
    repository = Repository(root)
    tasks = json.dumps({"tasks": TASKS}, indent=2)
    repository.commit({"lines.txt": text(), "a.py": "A = 1\n", ".mission_control/tasks.json": tasks + "\n"})
    hq = await Headquarters.open(root, via="tui", create=True, clock=SetClock(), actor="ivy")
    async with hq:
        for changed, task, provider, title in (
            ({"lines.txt": text(l3="line three")}, "1", "codex", "Count in words"),
            ({"a.py": "A = 2\n"}, "2", "claude", "A is two"),
            ({"lines.txt": text(l20="line twenty", l21="and more")}, "3", "codex", "Twenty"),
            ({"lines.txt": text(l35="line thirty-five")}, "2", "claude", "Thirty-five"),
        ):
            diff = repository.diff_to(changed)
            await hq.patches.submit(diff, task=task, provider=provider, title=title)
        await hq.patches.approve("1")
        await hq.patches.apply("1")
        await hq.patches.reject("2", "it is one")
        await hq.patches.approve("3")

        def issues(tx: Tx) -> None:
            for severity, title in (
                ("critical", "the disk is full"),
                ("medium", "task 3 sleeps"),
                ("low", "a patch is old"),
            ):
                tx.issues.insert(_issue(int(tx.issues.next_id()), severity, title, tx.now))

        await hq.store.write(issues)
    return root
