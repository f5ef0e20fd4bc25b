"""Checks after an application: what fails them is taken back, and becomes a task that carries the error."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from patch_helpers import Repository

from storage.query import Query
from vibehq_tui.headquarters import Headquarters
from vibehq_tui.patches.applying.checks import TIMED_OUT, ChecksFailed, run_check

Open = Callable[..., Awaitable[Headquarters]]
SHOUT = ("line 5\n", "LINE 5\n")


@pytest.fixture
def workspace(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> Open:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(repository.root.parent / "config"))

    async def opened(*checks: str, **settings: str) -> Headquarters:
        lines = ["[apply]", f"checks = [{', '.join(repr(check) for check in checks)}]"]
        lines += [f"{key} = {value}" for key, value in settings.items()]
        repository.write("vibehq.toml", "\n".join(lines) + "\n")
        return await Headquarters.open(repository.root, via="cli", create=True, actor="ada")

    return opened


async def approved(hq: Headquarters, diff: bytes) -> str:
    patch = await hq.patches.submit(diff)
    await hq.patches.approve(patch.id)
    return patch.id


async def events_of(hq: Headquarters, patch: str) -> list[str]:
    rows = await hq.store.read(lambda tx: tx.events.for_subject("patch", patch, 50))
    return [event.type for event in reversed(rows)]


async def test_what_passes_is_verified(workspace: Open, repository: Repository) -> None:
    async with await workspace("grep -q 'LINE 5' a.txt", "true") as hq:
        patch = await approved(hq, repository.diff_of("a.txt", SHOUT))
        applied = await hq.patches.apply(patch)
        assert (applied.state, applied.checks) == ("verified", "passed")
        assert (await events_of(hq, patch))[-5:] == [
            "patch.processing.started",
            "patch.checks.started",
            "patch.applied",
            "patch.verified",
            "patch.processing.completed",
        ]
        assert (await hq.patches.revert(patch)).state == "reverted"
        assert "LINE 5" not in repository.read("a.txt")


async def test_what_fails_is_taken_back_and_becomes_a_task(workspace: Open, repository: Repository) -> None:
    before = repository.read("a.txt")
    async with await workspace("echo 'test_five FAILED'; exit 2", "touch never") as hq:
        patch = await approved(hq, repository.diff_of("a.txt", SHOUT))
        with pytest.raises(ChecksFailed, match="failed with exit code 2: test_five FAILED; the patch was taken back"):
            await hq.patches.apply(patch)
        assert repository.read("a.txt") == before
        assert not (repository.root / "never").exists()
        failed = await hq.patches.get(patch)
        assert (failed.state, failed.checks, failed.receipt, failed.pending_receipt) == ("failed", "failed", None, None)
        (task,) = [row for row in await hq.tasks.page(Query(), 0, 50) if row.title.startswith("Make patch 1 pass")]
        assert (task.priority, task.status) == ("high", "pending")
        assert "test_five FAILED" in repository.read(".mission_control/tasks.json")
        assert {"patch.checks.failed", "patch.remediated"} <= set(await events_of(hq, patch))
        await hq.patches.reopen(patch)
        await hq.patches.approve(patch)
        with pytest.raises(ChecksFailed) as caught:
            await hq.patches.apply(patch)
        assert caught.value.details["task"] == task.id
        assert len([row for row in await hq.tasks.page(Query(), 0, 50) if "Make patch" in row.title]) == 1


async def test_a_failed_check_leaves_no_commit(workspace: Open, repository: Repository) -> None:
    head = repository.git("rev-parse", "HEAD")
    async with await workspace("false", remediate="false") as hq:
        patch = await approved(hq, repository.diff_of("a.txt", SHOUT))
        with pytest.raises(ChecksFailed):
            await hq.patches.apply(patch, commit=True)
        assert len(await hq.tasks.page(Query(), 0, 50)) == 3
    assert repository.git("rev-parse", "HEAD") == head
    assert repository.git("for-each-ref", "refs/vibehq") == ""
    assert repository.git("status", "--porcelain").split() == ["??", "vibehq.toml"]


async def test_a_check_that_hangs_is_ended_with_all_it_started(workspace: Open, repository: Repository) -> None:
    async with await workspace("sleep 300 & echo $! > ../child; wait", check_timeout='"1s"') as hq:
        patch = await approved(hq, repository.diff_of("a.txt", SHOUT))
        with pytest.raises(ChecksFailed, match="ran into its time limit"):
            await hq.patches.apply(patch)
    child = int((repository.root.parent / "child").read_text())
    assert not is_alive(child)


async def test_a_cancelled_application_is_taken_back(workspace: Open, repository: Repository) -> None:
    before = repository.read("a.txt")
    async with await workspace("touch ../started; exec sleep 300") as hq:
        patch = await approved(hq, repository.diff_of("a.txt", SHOUT))
        task = asyncio.ensure_future(hq.patches.apply(patch))
        await asyncio.to_thread(wait_for, repository.root.parent / "started")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert repository.read("a.txt") == before
        assert await hq.patches.application.recover() == [
            "patch 1 was interrupted and nothing of it is in the tree: still approved"
        ]


SCRIPT = """
import asyncio, sys
from pathlib import Path
from vibehq_tui.headquarters import Headquarters

async def main():
    async with await Headquarters.open(Path.cwd(), via="cli", actor="ada") as hq:
        await hq.patches.apply("1", commit=True)

asyncio.run(main())
"""


async def test_a_process_that_dies_during_its_checks_leaves_nothing(workspace: Open, repository: Repository) -> None:
    before = repository.read("a.txt")
    async with await workspace("touch ../started; exec sleep 300") as hq:
        await approved(hq, repository.diff_of("a.txt", SHOUT))
    await asyncio.to_thread(kill_while_it_checks, repository)
    async with await Headquarters.open(repository.root, via="cli", actor="ada") as hq:
        assert (await hq.patches.get("1")).state == "approved"
    assert repository.read("a.txt") == before


def test_the_end_of_what_is_printed_is_kept(tmp_path: Path) -> None:
    outcome = run_check("seq 100000; exit 3", tmp_path)
    assert (outcome.exit_code, len(outcome.output)) == (3, 4000)
    assert outcome.summary == "`seq 100000; exit 3` failed with exit code 3: 100000"
    assert run_check("sleep 30", tmp_path, stopped=lambda: True).exit_code == TIMED_OUT


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} never came to be"
        time.sleep(0.02)


def kill_while_it_checks(repository: Repository) -> None:
    process = subprocess.Popen([sys.executable, "-c", SCRIPT], cwd=repository.root, start_new_session=True)
    wait_for(repository.root.parent / "started")
    assert "LINE 5" in repository.read("a.txt")
    os.kill(process.pid, signal.SIGKILL)
    process.wait()


def is_alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in ("Z", "X")
