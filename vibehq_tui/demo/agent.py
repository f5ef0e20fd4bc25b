"""The scripted agent of the demo: a process that edits files in a git work tree of its own while one watches.

It does what an agent does, with the tools that an agent has: it reads, writes a test, sees it fail, writes the code,
sees the tests pass, and submits its difference through the command line. Only what it writes was decided before.

    python -P -m vibehq_tui.demo.agent ROOT EXECUTION [--pace SECONDS]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from storage.store import Store, Tx
from vibehq_tui.contracts import events
from vibehq_tui.demo.edits import Edit
from vibehq_tui.demo.git import Git
from vibehq_tui.demo.patches import perform
from vibehq_tui.terminal.logs import LogService

TASK: Final = "12"
PROVIDER: Final = "shell"
TITLE: Final = "Warn of a gap in the readings"

TEST: Final = Edit(
    create={
        "tests/test_gaps.py": "import unittest\n\n"
        "from tidewatch.gaps import find_gaps\nfrom tidewatch.readings import read\n\n\n"
        "class GapTest(unittest.TestCase):\n"
        "    def test_two_hours_of_silence(self):\n"
        '        readings = read(["2026-03-01T00:00,1.0", "2026-03-01T00:30,1.1", "2026-03-01T02:30,1.9"])\n'
        "        (gap,) = find_gaps(readings)\n"
        "        self.assertEqual((0, 30), (gap.start.hour, gap.start.minute))\n"
        "        self.assertEqual(2, gap.hours)\n\n"
        "    def test_half_an_hour_is_no_gap(self):\n"
        '        readings = read(["2026-03-01T00:00,1.0", "2026-03-01T00:30,1.1"])\n'
        "        self.assertEqual([], find_gaps(readings))\n"
    }
)
MODULE: Final = Edit(
    create={
        "tidewatch/gaps.py": '"""Where a gauge was silent."""\n\n'
        "from dataclasses import dataclass\nfrom datetime import datetime, timedelta\n\n"
        "LONGEST = timedelta(hours=1)\n\n\n"
        "@dataclass(frozen=True)\nclass Gap:\n"
        '    """A time without readings."""\n\n'
        "    start: datetime\n    end: datetime\n\n"
        "    @property\n    def hours(self):\n"
        '        """Its length."""\n'
        "        return (self.end - self.start) / timedelta(hours=1)\n"
    }
)
FUNCTION: Final = Edit(
    replace={
        "tidewatch/gaps.py": [
            (
                "        return (self.end - self.start) / timedelta(hours=1)\n",
                "        return (self.end - self.start) / timedelta(hours=1)\n\n\n"
                "def find_gaps(readings):\n"
                '    """Every time between two readings that is longer than an hour."""\n'
                "    pairs = zip(readings, readings[1:])\n"
                "    return [Gap(a.time, b.time) for a, b in pairs if b.time - a.time > LONGEST]\n",
            )
        ]
    }
)
WARNING: Final = Edit(
    replace={
        "tidewatch/cli.py": [
            (
                "from tidewatch.extremes import find, range_of\n",
                "from tidewatch.extremes import find, range_of\nfrom tidewatch.gaps import find_gaps\n",
            ),
            (
                "            extremes = find(read(file))\n",
                "            readings = read(file)\n        extremes = find(readings)\n",
            ),
            (
                "    print(table(extremes, options.title))\n",
                "    for gap in find_gaps(readings):\n"
                '        print(f"tidewatch: no readings for {gap.hours:.1f} h from {gap.start}", file=sys.stderr)\n'
                "    print(table(extremes, options.title))\n",
            ),
        ]
    }
)
NOTE: Final = Edit(
    replace={
        "README.md": [
            (
                "    python -m tidewatch data/harbour.csv\n",
                "    python -m tidewatch data/harbour.csv\n\nIt warns of every hour without a reading.\n",
            )
        ]
    }
)
STEPS: Final[tuple[tuple[str, Edit | None], ...]] = (
    ("First a test that says what a gap is.", TEST),
    ("", None),
    ("It fails, as it should. Now the module: what a gap is …", MODULE),
    ("… and how one is found.", FUNCTION),
    ("", None),
    ("The tests pass. The command line should say it, on standard error.", WARNING),
    ("And the README.", NOTE),
    ("", None),
)
"""What it says and what it changes; an empty step runs the tests."""


@dataclass(slots=True)
class Agent:
    """One run."""

    root: Path
    execution: str
    pace: float
    store: Store
    log: Path

    @property
    def tree(self) -> Path:
        """Its own work tree."""
        return self.store.folder / "worktrees" / f"execution-{self.execution}"

    async def say(self, *lines: str) -> None:
        """Writes lines to its log, and waits as long as a reader needs."""
        with self.log.open("a", encoding="utf-8") as file:
            file.writelines(line + "\n" for line in lines)
        await LogService(self.store).ingest("worker", f"execution-{self.execution}", lines)
        await asyncio.sleep(self.pace)

    async def work(self) -> str:
        """Does the task; answers the id of the patch."""
        git = Git(self.root)
        git.run("worktree", "add", "--quiet", "--detach", str(self.tree), "HEAD")
        try:
            await self.say(
                f"Task {TASK}: {TITLE}", f"work tree at {git.run('rev-parse', '--short', 'HEAD').decode().strip()}"
            )
            async for path, lines in self._read():
                await self.say(f"read {path} ({lines} lines)")
            for said, edit in STEPS:
                await (self._test() if edit is None else self._edit(said, edit))
            return await self._submit()
        finally:
            git.run("worktree", "remove", "--force", str(self.tree))

    async def _read(self) -> AsyncIterator[tuple[str, int]]:
        for path in ("tidewatch/readings.py", "tidewatch/cli.py", "tests/test_readings.py"):
            yield path, len((self.tree / path).read_text(encoding="utf-8").splitlines())

    async def _edit(self, said: str, edit: Edit) -> None:
        await self.say(said)
        for path in perform(self.tree, edit):
            await self.say(f"  wrote {path}")

    async def _test(self) -> None:
        done = await _run(self.tree, sys.executable, "-m", "unittest", "-q")
        tail = [line for line in done.splitlines() if line.strip() and not line.startswith(("-", "="))][-4:]
        await self.say("$ python -m unittest", *(f"  {line}" for line in tail))

    async def _submit(self) -> str:
        git = Git(self.tree)
        git.run("add", "--all")
        stat = git.run("diff", "--cached", "--stat").decode()
        await self.say("$ git diff --stat", *(f" {line}" for line in stat.splitlines()))
        command = [
            sys.executable,
            "-P",
            "-m",
            "vibehq_tui.cli.main",
            "-C",
            str(self.root),
            "patch",
            "submit",
            "-",
            "--json",
        ]
        options = ["--task", TASK, "--provider", PROVIDER, "--title", TITLE]
        answer = await _run(self.tree, *command, *options, given=git.run("diff", "--cached", "--binary"))
        document = json.loads(answer)
        if "error" in document:
            raise RuntimeError(document["error"]["message"])
        await self.say(f"submitted as patch {document['id']}")
        return str(document["id"])


async def _run(folder: Path, *command: str, given: bytes = b"") -> str:
    """What a program printed, its errors included; its exit code is for whoever reads that."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate(given)
    return output.decode("utf-8", "replace")


async def run(root: Path, execution: str, pace: float) -> int:
    """Runs the execution to its end and records how it ended."""
    async with await Store.open(root / ".vibehq") as store:
        record = await store.read(lambda tx: tx.executions.get(execution))
        if record is None or record.log is None:
            raise SystemExit(f"there is no execution {execution} with a log")
        agent = Agent(root=root, execution=execution, pace=pace, store=store, log=store.folder / record.log)
        patch, message, state = None, "", "done"
        try:
            patch = await agent.work()
        except (OSError, ValueError, RuntimeError, subprocess.CalledProcessError) as error:
            state, message = "failed", str(error)
            await agent.say(f"ERROR {message}")

        def end(tx: Tx) -> None:
            ended = tx.executions.update(
                execution, state=state, patch=patch, message=message, ended_at=tx.now, exit_code=int(state == "failed")
            )
            tx.events.append(
                events.EXECUTION_ENDED,
                actor=PROVIDER,
                subject="execution",
                subject_id=execution,
                task=ended.task,
                message=f"patch {patch}" if patch else message,
            )

        await store.write(end)
        return int(state == "failed")


def main(arguments: Sequence[str] | None = None) -> int:
    """The process of the agent."""
    parser = argparse.ArgumentParser(prog="vibehq_tui.demo.agent")
    parser.add_argument("root", type=Path)
    parser.add_argument("execution")
    parser.add_argument("--pace", type=float, default=1.4, help="seconds after each line")
    options = parser.parse_args(arguments)
    return asyncio.run(run(options.root, options.execution, options.pace))


if __name__ == "__main__":
    sys.exit(main())
