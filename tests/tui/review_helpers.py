"""What the tests of review, details, graph and logs share: real repositories, real plans, and what is on the screen."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from textual.app import App
from textual.pilot import Pilot

from storage.clock import Millis
from vibehq_tui.patches.formats import parse
from vibehq_tui.patches.planning.plan import Plan
from vibehq_tui.patches.planning.planner import make_plan
from vibehq_tui.patches.planning.tree import WorkTree

HOSTILE = "x [/ [@click=app.quit]quit[/] \x1b]52;c;aGVsbG8=\x07\x9b2J \u202eevil"
"""Markup that crashes, markup that acts, a write to the clipboard, C1, a turned reading direction."""

START = 1_772_366_400_000
"""2026-03-01 12:00 UTC."""

_DATES = {"GIT_AUTHOR_DATE": "1772366400 +0000", "GIT_COMMITTER_DATE": "1772366400 +0000"}
_GIT = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "core.autocrlf=false"]

MONITOR = '''"""Watches a source."""


class Monitor:
    """Takes in log lines."""

    def __init__(self, source, store):
        self.source = source
        self.store = store

    async def ingest(self, scope):
        """Read new log lines of the scope."""
        lines = await self.source.read(scope)
        return len(lines)

    async def report(self):
        return self.store.summary()

    def name(self):
        return "monitor"

    async def close(self):
        self.source.stop()
'''
MONITOR_AFTER = MONITOR.replace(
    """        lines = await self.source.read(scope)
        return len(lines)
""",
    """        count = 0
        async for batch in self.source.batches(scope, size=500):
            count += await self.store.add(batch)
        return count
""",
).replace("        self.source.stop()\n", "        await self.source.aclose()\n")
SCAN = "def scan(scope):\n    return run(scope)\n"
SCAN_AFTER = "def scan(scope):\n    return run(scope, strict=True)\n"
DOCS = "# Scan\n\nHow to scan.\n"
DOCS_AFTER = "# Scan\n\nHow to scan, and why.\n"


class SetClock:
    """A clock that goes on by a second each time that it is asked, from a fixed time."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> Millis:
        self.at += 1
        return Millis(self.at)

    def boot(self) -> float:
        return time.monotonic()


class Repository:
    """A git repository in a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str) -> bytes:
        """Runs git and answers what it printed."""
        environment = {**os.environ, **_DATES, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        run = subprocess.run([*_GIT, *arguments], cwd=self.root, env=environment, capture_output=True, check=True)
        return run.stdout

    def write(self, files: Mapping[str, bytes | str | None]) -> None:
        """Writes files; None removes one."""
        for name, content in files.items():
            path = self.root / name
            if content is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)

    def commit(self, files: Mapping[str, bytes | str | None]) -> None:
        """Writes files and commits everything."""
        self.write(files)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "Change")

    def diff_to(self, files: Mapping[str, bytes | str | None], *options: str) -> bytes:
        """The diff from the last commit to what the files would be; the tree is left as it was."""
        self.write(files)
        self.git("add", "-A")
        diff = self.git("diff", "--cached", "--binary", "-M", *options)
        self.git("reset", "-q", "--hard")
        self.git("clean", "-qfd", "-e", ".vibehq")
        return diff


def plan_of(
    root: Path, before: Mapping[str, bytes | str | None], after: Mapping[str, bytes | str | None], *options: str
) -> Plan:
    """The plan of a real diff between two states of a repository."""
    repository = Repository(root)
    repository.commit(before)
    diff = repository.diff_to(after, *options)
    return make_plan(parse(diff, "git"), WorkTree(root))


TASKS = [
    {
        "id": 12,
        "title": "Scope of a scan",
        "status": "done",
        "priority": "high",
        "dependencies": [],
    },
    {
        "id": 14,
        "title": "Ops scan entrypoint",
        "status": "in-progress",
        "priority": "high",
        "dependencies": [12, 99],
        "description": "Scan through the monitor.",
        "details": "1. Read in batches.\n2. Count what was added.",
        "testStrategy": "A source of three batches.",
        "subtasks": [
            {"id": 1, "title": "Batches", "status": "done"},
            {"id": 2, "title": f"Count {HOSTILE}", "status": "pending"},
        ],
    },
    {"id": 15, "title": f"Report {HOSTILE}", "status": "pending", "priority": "low", "dependencies": [14]},
    {"id": 16, "title": "One", "status": "pending", "priority": "low", "dependencies": [17]},
    {"id": 17, "title": "Other", "status": "pending", "priority": "low", "dependencies": [16]},
]


def make_workspace(root: Path) -> Repository:
    """A repository with three files and a tasks file."""
    repository = Repository(root)
    tasks = json.dumps({"tasks": TASKS}, indent=2) + "\n"
    repository.commit(
        {
            "orchestrator/monitor.py": MONITOR,
            "orchestrator/scan.py": SCAN,
            "docs/scan.md": DOCS,
            ".mission_control/tasks.json": tasks,
            ".gitignore": ".vibehq/\n",
        }
    )
    return repository


CHANGE = {"orchestrator/monitor.py": MONITOR_AFTER, "orchestrator/scan.py": SCAN_AFTER, "docs/scan.md": DOCS_AFTER}
"""Three files, four hunks: docs 1, monitor 2 and 3, scan 4."""


async def until(pilot: Pilot[int], condition: Callable[[], object], seconds: float = 20) -> None:
    """Lets the screens go on until a condition holds."""
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, f"it never came to pass; on the screen:\n{on_screen(pilot.app)}"
        await pilot.pause()


async def still(pilot: Pilot[int]) -> None:
    """Lets the screens go on until nothing has changed for a few turns: widths are known after a first layout only."""
    before, same = "", 0
    while same < 4:
        await pilot.pause()
        now = on_screen(pilot.app)
        before, same = now, same + 1 if now == before else 0


def on_screen(app: App[int]) -> str:
    """The text of the screen, line by line, without blanks at the ends."""
    strips = app.screen._compositor.render_strips()
    return "\n".join(strip.text.rstrip() for strip in strips)


def said(app: App[int]) -> str:
    """The toasts that were shown lately; on the screen they are wrapped."""
    return "\n".join(note.message for note in app._notifications)


def is_harmless(text: str) -> bool:
    """Whether nothing in it could steer a terminal or turn the reading direction."""
    return not any(
        (ord(char) < 32 and char != "\n") or 0x7F <= ord(char) <= 0x9F or char in "\u202a\u202b\u202d\u202e\u2066\u2067"
        for char in text
    )
