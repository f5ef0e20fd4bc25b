"""The demo: a real project, its past in the store, and an agent that really works."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import select
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.query import Query
from storage.records import Execution
from storage.store import Store
from vibehq_tui.cli.main import run
from vibehq_tui.demo import agent
from vibehq_tui.demo.workspace import Demo, make
from vibehq_tui.headquarters import Headquarters


@pytest.fixture(scope="module")
def _home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
        yield


@pytest.fixture
async def demo(tmp_path: Path, _home: None) -> Demo:
    return await make(tmp_path / "tidewatch", with_agent=False)


def git(root: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=True).stdout


async def test_what_the_demo_shows(demo: Demo) -> None:
    async with await Headquarters.open(demo.root, via="cli") as hq:
        patches = await hq.patches.page(Query())
        states = {patch.title: patch.state for patch in patches}
        assert set(states.values()) >= {"proposed", "approved", "applied", "rejected", "reverted", "conflicted"}
        assert states["Accept semicolons between the columns"] == "applied"
        assert states["Round heights half to even"] == "conflicted"
        assert {patch.format for patch in patches} >= {"git", "unified", "operations", "codex", "search-replace"}
        assert any(patch.repairs for patch in patches)
        (conflicted,) = [patch for patch in patches if patch.state == "conflicted"]
        assert [problem.code for problem in (await hq.patches.review(conflicted.id)).problems] == ["merge-conflict"]
        assert any(file.op == "rename" for patch in patches for file in patch.files)
        assert await hq.patches.conflicts()
        found = {issue.detector for issue in await hq.ops.page(Query())}
        assert len(found) >= 3, found
        assert any("secret" in detector for detector in found)
        tasks = {task.id: task for task in await hq.tasks.page(Query(), 0, 100)}
        assert len(tasks) == 15
        assert tasks["15"].state == "broken"
        assert tasks["3"].status == "done"
        assert {source.source for source in await hq.logs.sources()} == {"unittest"}
        assert await hq.store.check() == []


def test_the_project_is_a_real_one(demo: Demo) -> None:
    done = subprocess.run([sys.executable, "-m", "unittest", "-q"], cwd=demo.root, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    table = subprocess.run([sys.executable, "-m", "tidewatch", "data/harbour.csv"], cwd=demo.root, capture_output=True)
    assert b"high" in table.stdout
    assert len(git(demo.root, "log", "--oneline").splitlines()) == 8
    assert git(demo.root, "status", "--porcelain") == ""


async def test_the_past_was_told_in_its_order(demo: Demo) -> None:
    async with await Store.open(demo.root / ".vibehq") as store:
        events = await store.read(lambda tx: tx.events.since(0, 1000))
        assert [event.at for event in events] == sorted(event.at for event in events)
        assert store.clock.now() - events[0].at > 48 * 3_600_000


async def test_the_agent_works_in_a_tree_of_its_own_and_submits(demo: Demo) -> None:
    async with await Store.open(demo.root / ".vibehq") as store:
        (store.folder / "logs").mkdir()
        record = Execution(id="1", provider="shell", state="running", task=agent.TASK, log="logs/execution-1.log")
        await store.write(lambda tx: tx.executions.insert(record))
        before = git(demo.root, "status", "--porcelain")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "vibehq_tui.demo.agent", str(demo.root), "1", "--pace", "0"),
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await process.communicate()
        assert process.returncode == 0, said
        ended = await store.read(lambda tx: tx.executions.get("1"))
        assert ended is not None
        assert ended.state == "done"
        patch = await store.read(lambda tx: tx.patches.get(str(ended.patch)))
        assert patch is not None
        assert (patch.state, patch.task, patch.provider) == ("proposed", agent.TASK, agent.PROVIDER)
        assert {file.path for file in patch.files} >= {"tidewatch/gaps.py", "tests/test_gaps.py", "tidewatch/cli.py"}
        log = (store.folder / "logs" / "execution-1.log").read_text(encoding="utf-8")
        assert "FAILED" in log or "Error" in log  # its test failed before there was the code
        assert "OK" in log
        assert git(demo.root, "status", "--porcelain") == before
        assert git(demo.root, "worktree", "list").count("\n") == 1


def test_the_command_makes_and_starts(tmp_path: Path, _home: None) -> None:
    root = tmp_path / "kept"
    command = [sys.executable, "-P", "-m", "vibehq_tui.cli.main", "demo", "--keep", str(root), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout
    said = json.loads(done.stdout)
    assert said["workspace"] == str(root)
    os.killpg(said["agent"], signal.SIGKILL)  # it runs, in a group of its own
    again = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert again.returncode == 1
    assert "is not empty" in json.loads(again.stdout)["error"]["message"]


def test_without_a_terminal_nothing_is_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["demo", "--keep", str(tmp_path / "x")]) == 1
    assert "need a terminal" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_a_window_that_is_closed_leaves_nothing_behind(tmp_path: Path, _home: None) -> None:
    leader, follower = os.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "vibehq_tui.cli.main", "demo"],
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env=os.environ | {"TERM": "xterm-256color", "TMPDIR": str(tmp_path)},
        start_new_session=True,
    )
    os.close(follower)
    try:
        seen = b""
        while b"Terminal" not in seen:  # the title of the last pane: the screens are there
            seen += read_within(leader, 60)
        (folder,) = tmp_path.iterdir()
        assert json.loads(run_json(folder, "events", "--type", "execution.started"))["items"]
        process.send_signal(signal.SIGHUP)
        while read_within(leader, 60):
            pass
        assert process.wait(30) == 128 + signal.SIGHUP
        assert list(tmp_path.iterdir()) == []
    finally:
        process.kill()
        process.wait()
        os.close(leader)


def read_within(terminal: int, seconds: float) -> bytes:
    """What is printed next; nothing when the other end is closed."""
    ready, _, _ = select.select([terminal], [], [], seconds)
    assert ready, f"nothing in {seconds} seconds"
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux says EIO when the other end of a pseudo-terminal is closed
        return b""


def run_json(folder: Path, *arguments: str) -> str:
    command = [sys.executable, "-P", "-m", "vibehq_tui.cli.main", "-C", str(folder), *arguments, "--json"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
