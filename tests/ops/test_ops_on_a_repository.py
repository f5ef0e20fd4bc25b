"""Scans of a real workspace: real git, the real planner, the real tasks file."""

from __future__ import annotations

import json
import random
import string
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.errors import Conflict
from vibehq_tui.headquarters import Headquarters

LINES = [f"line {number}\n" for number in range(1, 41)]
_RANDOM = random.Random(3)
KEY = "AKIA" + "".join(_RANDOM.choice(string.ascii_uppercase + string.digits) for _ in range(16))


def git(root: Path, *arguments: str) -> None:
    settings = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "init.defaultBranch=main")
    subprocess.run(["git", *settings, *arguments], cwd=root, check=True, capture_output=True)


def tasks(*dependencies: int) -> str:
    one = {"id": 1, "title": "First", "status": "pending", "dependencies": list(dependencies)}
    return json.dumps({"tasks": [one, {"id": 2, "title": "Second", "status": "pending", "dependencies": [1]}]})


@pytest.fixture
async def hq(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Headquarters]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    root = tmp_path / "repo"
    (root / ".mission_control").mkdir(parents=True)
    (root / "a.txt").write_text("".join(LINES))
    (root / ".mission_control" / "tasks.json").write_text(tasks())
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "Begin")
    async with await Headquarters.open(root, via="cli", create=True, actor="ada") as opened:
        yield opened


def change(line: int, to: str) -> bytes:
    """A diff that replaces one line of a.txt."""
    before = [f" {text}" for text in LINES[line - 3 : line - 1]]
    after = [f" {text}" for text in LINES[line : line + 2]]
    body = "".join([*before, f"-{LINES[line - 1]}", f"+{to}\n", *after])
    return f"--- a/a.txt\n+++ b/a.txt\n@@ -{line - 2},5 +{line - 2},5 @@\n{body}".encode()


async def found(hq: Headquarters) -> dict[str, list[str]]:
    """Detector → titles of its unresolved issues, but for those about this machine."""
    titles: dict[str, list[str]] = {}
    for issue in await hq.ops.page(limit=1000):
        if issue.status != "resolved" and issue.subject not in ("disk", "memory"):
            titles.setdefault(issue.detector, []).append(issue.title)
    return titles


async def test_patches_that_conflict_leak_and_stop_applying(hq: Headquarters) -> None:
    one = await hq.patches.submit(change(10, "first"), title="One")
    two = await hq.patches.submit(change(10, f"key = {KEY}"), title="Two")
    await hq.patches.submit(change(30, "elsewhere"), title="Three")
    await hq.ops.scan("incremental")
    assert await found(hq) == {
        "secret-in-patch": [f"Patch {two.id} adds a secret: AWS access key id"],
        "patches-conflict": [f"Patches {one.id} and {two.id} meet in a.txt"],
    }
    (leak,) = [issue for issue in await hq.ops.page() if issue.detector == "secret-in-patch"]
    assert leak.data["secrets"] == [
        {"path": "a.txt", "line": 10, "rule": "aws-access-key", "redacted": "AKIA*** (20 characters)"}
    ]

    # somebody edits the lines by hand
    (hq.root / "a.txt").write_text("".join([*LINES[:9], "by hand\n", *LINES[10:]]))
    await hq.ops.scan("incremental")
    assert sorted((await found(hq))["patch-does-not-apply"]) == [
        f"Patch {one.id} does not apply: One",
        f"Patch {two.id} does not apply: Two",
    ]
    assert "patches-conflict" not in await found(hq)

    (hq.root / "a.txt").write_text("".join([*LINES[:9], "first\n", *LINES[10:]]))
    await hq.ops.scan("full")
    assert f"Patch {one.id} is already in the tree: One" in (await found(hq))["patch-does-not-apply"]

    (hq.root / "a.txt").write_text("".join(LINES))
    await hq.patches.reject(two.id, "no keys in the repository")
    scan = await hq.ops.scan("incremental")
    assert await found(hq) == {}
    assert {row["result"] for row in scan.detectors} == {"completed"}


async def test_the_scan_and_the_queue_say_the_same_about_patches_that_meet(hq: Headquarters) -> None:
    await hq.patches.submit(change(10, "first"))
    await hq.patches.submit(change(10, "second"))
    await hq.patches.submit(change(12, "near") + b"--- /dev/null\n+++ b/new\n@@ -0,0 +1 @@\n+one\n")
    await hq.patches.submit(b"--- /dev/null\n+++ b/new/file\n@@ -0,0 +1 @@\n+two\n")
    await hq.ops.scan("incremental")
    scanned = {
        (*issue.data["patches"], place["path"], place["what"], place["lines"] and tuple(place["lines"]))
        for issue in await hq.ops.page()
        if issue.detector == "patches-conflict"
        for place in issue.data["places"]
    }
    queued = {
        (one.patch, one.other, one.path, one.what, one.lines if one.places else None)
        for one in await hq.patches.conflicts()
    }
    assert scanned == queued and len(queued) == 2


async def test_a_patch_that_never_applied_is_an_issue(hq: Headquarters) -> None:
    with pytest.raises(Conflict):
        await hq.patches.submit(change(10, "x").replace(b"line 9", b"something else").replace(b"line 11", b"or this"))
    await hq.ops.scan("incremental")
    assert list(await found(hq)) == ["patch-does-not-apply"]


async def test_the_tasks_file_broken_and_put_right(hq: Headquarters) -> None:
    path = hq.root / ".mission_control" / "tasks.json"
    path.write_text(tasks(2, 99))
    await hq.tasks.sync()
    await hq.ops.scan("incremental")
    assert sorted((await found(hq))["task-graph"]) == [
        "Task 1 depends on what does not exist: 99",
        "Tasks 1, 2 wait for one another",
    ]
    path.write_text('{"tasks": [')
    await hq.tasks.sync()
    await hq.ops.scan("incremental")
    assert ".mission_control/tasks.json is not valid" in (await found(hq))["task-graph"]
    assert len((await found(hq))["task-graph"]) == 3
    path.write_text(tasks())
    await hq.tasks.sync()
    await hq.ops.scan("incremental")
    assert await found(hq) == {}


async def test_scheduled_scans_of_a_headquarters(hq: Headquarters) -> None:
    await hq.patches.submit(change(10, f"key = {KEY}"), title="Leak")
    async for events in hq.store.follow(0):
        if not hq.schedule.is_leader:
            await hq.schedule.start()
        if any(event.type == "scan.completed" for event in events):
            break
    assert "secret-in-patch" in await found(hq)
    (run,) = [run for run in await hq.schedule.runs() if run.scope == "incremental"]
    assert run.state in ("completed", "claimed")
