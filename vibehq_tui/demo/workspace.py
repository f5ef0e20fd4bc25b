"""Making the workspace of the demo and taking it away again."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from storage.errors import Refused
from storage.records import Execution
from storage.store import Tx
from vibehq_tui.contracts import events
from vibehq_tui.demo import agent
from vibehq_tui.demo.git import Git
from vibehq_tui.demo.project import HISTORY
from vibehq_tui.demo.story import Story, StoryClock, Texts, write_patches
from vibehq_tui.demo.tasks import tasks_file
from vibehq_tui.headquarters import Headquarters
from vibehq_tui.setup import initialise

_HOUR = 3600


@dataclass(frozen=True, slots=True)
class Demo:
    """A demo workspace that was made."""

    root: Path
    agent: subprocess.Popen[bytes] | None
    """The process of the scripted agent, unless it was not wanted."""

    def end(self) -> None:
        """Stops the agent if it still runs."""
        if self.agent is not None and self.agent.poll() is None:
            os.killpg(self.agent.pid, signal.SIGTERM)
            self.agent.wait()


def check_target(root: Path) -> None:
    """:raises Refused: when there is something at ``root`` already; the demo never overwrites."""
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise Refused(f"{root} is not empty", hint="name a folder that does not exist yet")
    if shutil.which("git") is None:
        raise Refused("the demo needs git, which is not on the PATH", code="no-git", hint="install git")


async def make(root: Path, *, with_agent: bool = True, pace: float | None = None) -> Demo:
    """Makes the project, its past and the agent that works on it now.

    :param root: an empty folder, or one that does not exist yet.
    :param pace: seconds between the lines of the agent; none for its own.
    """
    clock = StoryClock()
    texts = await asyncio.to_thread(_make_project, root, clock)
    clock.go(52)
    await initialise(root, clock=clock)
    await Story(root, clock, texts).tell()
    process = await _start_agent(root, pace) if with_agent else None
    return Demo(root, process)


def _make_project(root: Path, clock: StoryClock) -> Texts:
    check_target(root)
    root.mkdir(parents=True, exist_ok=True)
    git = Git(root)
    _commit_history(git, clock)
    return write_patches(git)


def _commit_history(git: Git, clock: StoryClock) -> None:
    git.run("init", "--quiet", "--initial-branch", "main")
    now = clock.now() // 1000
    for commit in HISTORY:
        _write(git.root, commit.files)
        for path in commit.executable:
            (git.root / path).chmod(0o755)
        _commit(git, commit.message, now - commit.hours_ago * _HOUR)
    _write(git.root, {".mission_control/tasks.json": tasks_file()})
    _commit(git, "Plan the next release", now - 60 * _HOUR)


def _write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _commit(git: Git, message: str, at: int) -> None:
    git.run("add", "--all")
    git.run("commit", "--quiet", "--message", message, at=at)


async def _start_agent(root: Path, pace: float | None) -> subprocess.Popen[bytes]:
    async with await Headquarters.open(root, via="cli", actor=agent.PROVIDER) as hq:
        log = "logs/execution-1.log"
        path = hq.state / log
        path.parent.mkdir(exist_ok=True)
        path.touch()

        def begin(tx: Tx) -> Execution:
            execution = Execution(
                id=tx.executions.next_id(),
                provider=agent.PROVIDER,
                state="running",
                task=agent.TASK,
                started_at=tx.now,
                log=log,
            )
            tx.executions.insert(execution)
            tx.events.append(
                events.EXECUTION_STARTED,
                actor=agent.PROVIDER,
                subject="execution",
                subject_id=execution.id,
                task=agent.TASK,
                message=agent.TITLE,
            )
            return execution

        execution = await hq.store.write(begin)
        process = await asyncio.to_thread(_spawn, root, execution.id, pace)
        await hq.store.write(lambda tx: tx.executions.update(execution.id, pid=process.pid))
        return process


def _spawn(root: Path, execution: str, pace: float | None) -> subprocess.Popen[bytes]:
    options = [] if pace is None else ["--pace", str(pace)]
    with (root / ".vibehq" / "logs" / "agent.err").open("wb") as errors:
        # -P: the folder that the operator is in may have a package named storage of its own.
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "vibehq_tui.demo.agent", str(root), execution, *options],
            cwd=root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,
        )
