"""The service: the file is the truth, the store mirrors it, and a change is in both or in neither."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tasks_helpers import FLAT, REAL_FILE, TAGGED, Bench, bench, task

from storage.errors import Busy, NotFound, Refused, StoreBroken, Usage
from storage.query import Query
from storage.records import Patch
from storage.store import Store
from vibehq_tui.tasks import files
from vibehq_tui.tasks.problems import TasksFileBroken
from vibehq_tui.tasks.service import SyncReport, TaskService

ROOT = Path(__file__).parents[2]


# -- reading the file --------------------------------------------------------------------------------------------------


async def test_without_a_file_there_are_no_tasks(work: Bench) -> None:
    assert await work.tasks.sync() == SyncReport()
    assert await work.tasks.count() == 0
    assert await work.tasks.validate() == []
    assert (await work.tasks.graph()).order == ()
    assert await work.events() == []


async def test_the_real_file_is_mirrored(work: Bench) -> None:
    work.write(REAL_FILE.read_bytes(), TAGGED)
    report = await work.tasks.sync()
    assert (report.source, len(report.added), report.broken) == (TAGGED, 134, False)
    assert [one.code for one in report.problems] == ["cycle"]
    assert await work.tasks.count() == 38
    first, *_ = await work.tasks.page(limit=5)
    assert (first.id, first.state, first.critical) == ("1", "ready", True)
    assert [one.id for one in await work.tasks.subtasks("3")] == ["3.1", "3.2", "3.3", "3.4"]
    assert (await work.tasks.get("11.3")).blocked_by == ("11.1", "11.2")
    assert await work.tasks.count(Query(where={"state": "broken"})) == 4
    (event,) = await work.events()
    assert (event.type, event.message) == ("tasks.synced", f"{TAGGED}: 134 added")
    again = await work.tasks.sync()
    assert again == SyncReport(source=TAGGED, problems=report.problems)
    assert len(await work.events()) == 1


async def test_an_unchanged_file_is_not_read_again(work: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    path = work.write({"tasks": [task(1)]})
    os.utime(path, ns=(1, 1))
    settled = path.stat().st_ctime_ns + files._SETTLED_NS + 1
    monkeypatch.setattr("time.time_ns", lambda: settled)
    await work.tasks.sync()
    monkeypatch.setattr(files, "read", lambda *_: pytest.fail("it was read"))
    assert await work.tasks.sync() == SyncReport(source=FLAT)
    with pytest.raises(BaseException, match="it was read"):
        await work.tasks.sync(force=True)


async def test_changes_of_others_are_told_one_by_one(work: Bench) -> None:
    work.write({"tasks": [task(1), task(2, 1), task(3)]})
    await work.tasks.sync()
    work.write({"tasks": [task(1, status="done"), task(2, 1), task(4)]})
    report = await work.tasks.sync()
    assert (report.added, report.changed, report.removed) == (("4",), ("1",), ("3",))
    _, status, synced = await work.events()
    assert (status.type, status.actor, status.subject_id, status.task) == ("task.status.changed", "file", "1", "1")
    assert (status.data["from"], status.data["to"], status.data["title"]) == ("pending", "done", "Task 1")
    assert synced.message == f"{FLAT}: 1 added, 1 changed, 1 removed"
    assert synced.data["unblocked"] == ["2"]
    assert (await work.tasks.get("2")).state == "ready"


async def test_a_file_that_is_touched_or_reformatted_says_nothing(work: Bench) -> None:
    work.write({"tasks": [task(1)]})
    await work.tasks.sync()
    work.write(json.dumps({"tasks": [task(1)]}).encode())
    assert await work.tasks.sync() == SyncReport(source=FLAT)
    os.utime(work.file)
    assert await work.tasks.sync() == SyncReport(source=FLAT)
    assert len(await work.events()) == 1


async def test_a_broken_file_leaves_the_last_good_state(work: Bench) -> None:
    work.write({"tasks": [task(1), task(2)]})
    await work.tasks.sync()
    work.write(b'{"tasks": [\n  {"id": 1, "title": "cut sho')
    report = await work.tasks.sync()
    assert report.broken
    assert (report.problems[0].line, report.problems[0].column) == (2, 22)
    assert set(await work.all()) == {"1", "2"}
    (event,) = await work.events("tasks.invalid")
    assert "cut short" in event.message
    assert (await work.tasks.sync()).problems == report.problems
    assert len(await work.events("tasks.invalid")) == 1
    for change in (work.tasks.set_status("1", "done"), work.tasks.add("x")):
        with pytest.raises(TasksFileBroken, match=":2:22: not JSON"):
            await change
    assert work.file.read_bytes().endswith(b"cut sho")
    work.write({"tasks": [task(1), task(2)]})
    assert not (await work.tasks.sync()).broken
    assert (await work.events())[-1].message == f"{FLAT}: nothing changed"


async def test_a_file_that_is_half_written_for_a_moment_is_waited_for(work: Bench) -> None:
    whole = json.dumps({"tasks": [task(1)]}).encode()
    work.file.parent.mkdir()
    work.file.write_bytes(whole[:20])

    async def finish() -> None:
        await asyncio.sleep(0.05)
        work.file.write_bytes(whole)

    finishing = asyncio.create_task(finish())
    report = await work.tasks.sync()
    await finishing
    assert report.problems == ()
    assert report.added == ("1",)


async def test_a_file_that_is_gone_empties_the_mirror_and_may_come_back(work: Bench) -> None:
    work.write({"tasks": [task(1)]})
    await work.tasks.sync()
    work.file.unlink()
    report = await work.tasks.sync()
    assert (report.source, report.removed) == ("", ("1",))
    assert await work.all() == {}
    assert await work.tasks.sync() == SyncReport()
    work.write({"tasks": [task(1)]})
    assert (await work.tasks.sync()).added == ("1",)


async def test_what_is_no_file_is_told_once(work: Bench) -> None:
    work.file.mkdir(parents=True)
    report = await work.tasks.sync()
    assert report.broken
    assert await work.tasks.sync() == report
    assert len(await work.events()) == 1
    work.file.rmdir()
    work.write({"tasks": [task(1)]})
    assert (await work.tasks.sync()).added == ("1",)


async def test_two_files_the_first_counts_and_the_other_is_named(work: Bench) -> None:
    work.write({"tasks": [task(7)]}, TAGGED)
    await work.tasks.sync()
    work.write({"tasks": [task(1)]})
    report = await work.tasks.sync()
    assert (report.source, report.others) == (FLAT, (TAGGED,))
    assert (report.added, report.removed) == (("1",), ("7",))
    assert (await work.tasks.sync()).others == (TAGGED,)
    (problem,) = await work.tasks.validate()
    assert (problem.file, problem.code, problem.level) == (TAGGED, "second-file", "warning")


async def test_a_configured_file_counts(tmp_path: Path) -> None:
    async with bench(tmp_path, file="plans/mine.json", max_bytes=1000) as work:
        work.write({"tasks": [task(1)]})
        assert (await work.tasks.sync()).source == ""
        assert (await work.tasks.add("first")).source == "plans/mine.json"
        work.write(b" " * 1001, "plans/mine.json")
        assert "a tasks file may have 1,000" in str((await work.tasks.sync()).problems[0])


async def test_validate_looks_at_any_file(work: Bench) -> None:
    work.write({"tasks": [task(1, 9)]})
    other = work.write({"tasks": [task(1), {"id": 2}]}, "other/tasks.json")
    assert [one.code for one in await work.tasks.validate()] == ["missing-dependency"]
    assert [one.code for one in await work.tasks.validate()] == ["missing-dependency"]
    (problem,) = await work.tasks.validate(other)
    assert (problem.file, problem.path, problem.level) == ("other/tasks.json", "tasks[1].title", "error")
    (problem,) = await work.tasks.validate(Path("/nowhere/tasks.json"))
    assert str(problem) == "/nowhere/tasks.json: there is no such file"
    assert await work.events() == []


async def test_an_unknown_task_names_the_nearest(work: Bench) -> None:
    work.write({"tasks": [task(11, subtasks=[task(1)]), task(12)]})
    await work.tasks.sync()
    with pytest.raises(NotFound) as caught:
        await work.tasks.get("112")
    assert caught.value.hint.startswith("did you mean ")
    assert {"11", "12"} <= set(caught.value.details["near"])
    with pytest.raises(NotFound, match=r"there is no task 11\.9"):
        await work.tasks.set_status("11.9", "done")


async def test_the_graph_is_worked_out_once_for_each_state(work: Bench) -> None:
    work.write({"tasks": [task(1), task(2, 1)]})
    await work.tasks.sync()
    first = await work.tasks.graph()
    assert first.critical_path == ("1", "2")
    assert await work.tasks.graph() is first
    await work.tasks.set_status("1", "done")
    assert (await work.tasks.graph()).order == ("2", "1")


# -- writing the file --------------------------------------------------------------------------------------------------


async def test_a_status_is_written_everywhere_at_once(work: Bench) -> None:
    raw = REAL_FILE.read_bytes()
    path = work.write(raw, TAGGED)
    path.chmod(0o600)
    await work.tasks.sync()
    changed = await work.tasks.set_status("1", "done")
    assert (changed.status, changed.state) == ("done", "done")
    assert path.read_bytes() == raw.replace(b'"status": "pending"', b'"status": "done"', 1)
    assert path.stat().st_mode & 0o777 == 0o600
    assert (await work.tasks.get("2")).state == "ready"
    event = (await work.events())[-1]
    assert (event.type, event.actor, event.subject_id) == ("task.status.changed", "ada", "1")
    assert event.message == "pending → done; ready now: 2, 13"
    (entry,) = await work.store.read(lambda tx: tx.audit.page())
    assert (entry.actor, entry.via, entry.verb, entry.object) == ("ada", "cli", "task.status", "task/1")
    assert (entry.result, entry.detail) == ("done", "pending → done")
    count = len(await work.events())
    assert (await work.tasks.sync()).added == ()
    assert len(await work.events()) == count
    assert sorted(one.name for one in path.parent.iterdir()) == ["tasks.json"]


async def test_a_subtask_has_a_status_of_its_own(work: Bench) -> None:
    work.write({"tasks": [task(12, subtasks=[task(1), task(2, 1)])]})
    await work.tasks.sync()
    assert (await work.tasks.set_status("12.1", "Done")).state == "done"
    assert json.loads(work.file.read_text())["tasks"][0]["subtasks"][0]["status"] == "done"
    assert (await work.tasks.get("12")).subtasks_done == 1
    assert (await work.tasks.get("12.2")).state == "ready"


async def test_the_same_status_again_changes_nothing(work: Bench) -> None:
    work.write({"tasks": [task(1), {"id": 2, "title": "no status"}]})
    await work.tasks.sync()
    before, events = files.identity(work.file), len(await work.events())
    assert (await work.tasks.set_status("1", "pending")).status == "pending"
    assert (await work.tasks.set_status("2", "pending")).status == "pending"
    assert files.identity(work.file) == before
    assert len(await work.events()) == events
    await work.tasks.set_status("2", "in_progress")
    assert json.loads(work.file.read_text())["tasks"][1]["status"] == "in-progress"


async def test_an_unknown_status_names_the_allowed_ones(work: Bench) -> None:
    work.write({"tasks": [task(1)]})
    await work.tasks.sync()
    with pytest.raises(Usage, match="'doen' is no status; it is one of pending, in-progress") as caught:
        await work.tasks.set_status("1", "doen")
    assert caught.value.hint == "did you mean done?"
    assert json.loads(work.file.read_text())["tasks"][0]["status"] == "pending"


async def test_what_others_changed_meanwhile_is_kept_and_told(work: Bench) -> None:
    work.write({"tasks": [task(1), task(2)]})
    await work.tasks.sync()
    work.write({"tasks": [task(1), task(2, status="done"), task(3)], "note": "theirs"})
    await work.tasks.set_status("1", "done")
    value = json.loads(work.file.read_text())
    assert [one["status"] for one in value["tasks"]] == ["done", "done", "pending"]
    assert value["note"] == "theirs"
    told = [(one.type, one.actor, one.subject_id) for one in (await work.events())[1:]]
    assert told == [
        ("task.status.changed", "file", "2"),
        ("tasks.synced", "file", FLAT),
        ("task.status.changed", "ada", "1"),
    ]


async def test_a_writer_that_does_not_know_the_lock_is_not_overwritten(
    work: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    work.write({"tasks": [task(1), task(2)]})
    await work.tasks.sync()
    real, theirs = files.replace, [{"tasks": [task(1), task(2, status="review")]}]

    def replace(*arguments: Any) -> Any:
        if theirs:
            work.write(theirs.pop())
        return real(*arguments)

    monkeypatch.setattr(files, "replace", replace)
    await work.tasks.set_status("1", "done")
    assert [one["status"] for one in json.loads(work.file.read_text())["tasks"]] == ["done", "review"]

    def always(*arguments: Any) -> Any:
        work.write({"tasks": [task(1), task(2)]})
        return real(*arguments)

    monkeypatch.setattr(files, "replace", always)
    with pytest.raises(Busy, match="written by another program all the time"):
        await work.tasks.set_status("1", "review")


async def test_a_store_that_fails_leaves_the_file_as_it_was(work: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    path = work.write({"tasks": [task(1)]})
    await work.tasks.sync()
    before = path.read_bytes()
    events = len(await work.events())

    async def fail(_: object) -> None:
        assert b'"done"' in path.read_bytes()
        raise StoreBroken("there is no space left")

    with monkeypatch.context() as patched:
        patched.setattr(work.store, "write", fail)
        with pytest.raises(StoreBroken):
            await work.tasks.set_status("1", "done")
        with pytest.raises(StoreBroken):
            await work.tasks.set_status("1", "done")
    assert path.read_bytes() == before
    assert len(await work.events()) == events
    assert (await work.tasks.get("1")).status == "pending"
    assert [one.name for one in path.parent.iterdir()] == ["tasks.json"]


async def test_a_file_that_cannot_be_written_leaves_the_store_as_it_was(
    work: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    work.write({"tasks": [task(1)]})
    await work.tasks.sync()

    def fail(path: Path, *_: object) -> None:
        raise Refused(f"{path} cannot be written", code="not-writable")

    monkeypatch.setattr(files, "replace", fail)
    with pytest.raises(Refused, match="cannot be written"):
        await work.tasks.set_status("1", "done")
    assert (await work.tasks.get("1")).status == "pending"
    assert await work.store.read(lambda tx: tx.audit.count()) == 0


async def test_a_caller_that_goes_away_leaves_nothing_half_done(work: Bench) -> None:
    work.write({"tasks": [task(1)]})
    await work.tasks.sync()
    for delay in range(12):
        wanted = ("done", "pending")[delay % 2]
        change = asyncio.create_task(work.tasks.set_status("1", wanted))
        await asyncio.sleep(delay * 0.001)
        change.cancel()
        await asyncio.wait({change})
        written = json.loads(work.file.read_text())["tasks"][0]["status"]
        assert (await work.tasks.get("1")).status == written
        async with files.locked(work.store.folder, patience=0.1):
            pass


async def test_tasks_are_added_under_the_next_number(work: Bench) -> None:
    first = await work.tasks.add("Räume auf", priority="HIGH", description="all of it", owner="ada")
    assert (first.id, first.source, first.state, first.priority, first.owner) == ("1", FLAT, "ready", "high", "ada")
    second = await work.tasks.add("Then this", depends=["1", "1"], details="how")
    assert (second.id, second.state, second.dependencies) == ("2", "blocked", ("1",))
    assert json.loads(work.file.read_text()) == {
        "tasks": [
            {"id": 1, "title": "Räume auf", "description": "all of it", "status": "pending", "priority": "high"}
            | {"dependencies": [], "assignee": "ada"},
            {"id": 2, "title": "Then this", "description": "", "details": "how", "status": "pending"}
            | {"priority": "medium", "dependencies": [1]},
        ]
    }
    assert [one.subject_id for one in await work.events("task.added")] == ["1", "2"]
    with pytest.raises(NotFound, match="there is no task 3"):
        await work.tasks.add("x", depends=["3"])
    with pytest.raises(Usage, match="the title of a task is empty"):
        await work.tasks.add("  ")
    with pytest.raises(Usage, match="is no priority"):
        await work.tasks.add("x", priority="soon")
    assert await work.tasks.count() == 2


async def test_a_task_is_added_as_its_file_writes_ids(work: Bench) -> None:
    work.write({"feature": {"tasks": [task(40)]}, "master": {"tasks": [task("7", subtasks=[task(1)])], "metadata": {}}})
    added = await work.tasks.add("x", depends=["7", "7.1"])
    assert (added.id, added.tag) == ("8", "master")
    assert json.loads(work.file.read_text())["master"]["tasks"][1] == {
        "id": "8", "title": "x", "description": "", "status": "pending", "priority": "medium",
        "dependencies": ["7", "7.1"],
    }  # fmt: skip


async def test_reading_only_changes_nothing(tmp_path: Path) -> None:
    async with bench(tmp_path) as work:
        work.write({"tasks": [task(1)]})
        await work.tasks.sync()
        before = files.identity(work.write({"tasks": [task(1), task(2, 9)]}))
    async with await Store.open(tmp_path / ".vibehq", read_only=True) as store:
        tasks = TaskService(store, tmp_path, "eve", "tui")
        report = await tasks.sync()
        assert [one.code for one in report.problems] == ["missing-dependency"]
        assert await tasks.count() == 1
        assert await tasks.refresh_states() == []
        for change in (tasks.set_status("1", "done"), tasks.add("x")):
            with pytest.raises(Refused, match="may only read"):
                await change
    assert files.identity(tmp_path / FLAT) == before


# -- patches -----------------------------------------------------------------------------------------------------------


async def test_a_task_waits_while_a_patch_is_open(work: Bench) -> None:
    work.write({"tasks": [task(1), task(2, 1), task(3, status="in-progress"), task(4, subtasks=[task(1)])]})
    await work.tasks.sync()

    async def patch(number: str, of: str | None, state: str) -> None:
        one = Patch(id=number, title="p", state=state, task=of)
        await work.store.write(lambda tx: tx.patches.insert(one))

    for number, of in enumerate(["1", "2", "3", "4.1", None, "nowhere"], 1):
        await patch(str(number), of, "proposed")
    assert sorted(await work.tasks.refresh_states()) == ["1", "2", "3", "4.1"]
    assert await work.tasks.refresh_states() == []
    found = await work.all()
    assert {key: one.state for key, one in found.items()} == {
        "1": "waiting", "2": "waiting", "3": "waiting", "4": "ready", "4.1": "waiting",
    }  # fmt: skip
    assert found["2"].blocked_by == ("1",)
    assert [one.id for one in await work.tasks.page()] == ["4", "1", "2", "3"]

    await work.tasks.set_status("4", "done")  # a whole sync keeps them waiting
    assert (await work.tasks.get("1")).state == "waiting"
    await work.store.write(lambda tx: [tx.patches.update(number, state="applied") for number in "1234"])
    assert sorted(await work.tasks.refresh_states()) == ["1", "2", "3", "4.1"]
    found = await work.all()
    assert {key: one.state for key, one in found.items()} == {
        "1": "ready", "2": "blocked", "3": "in-progress", "4": "done", "4.1": "ready",
    }  # fmt: skip
    assert [one.id for one in await work.tasks.page()] == ["1", "3", "2", "4"]


# -- several processes -------------------------------------------------------------------------------------------------

_WRITER = """
import asyncio, sys
from pathlib import Path
from storage.store import Store
from vibehq_tui.tasks.service import TaskService

async def main():
    root = Path(sys.argv[1])
    async with await Store.open(root / ".vibehq") as store:
        tasks = TaskService(store, root, sys.argv[2], "cli")
        for number in range(int(sys.argv[3]), int(sys.argv[4])):
            await tasks.set_status(str(number), "done")

asyncio.run(main())
"""


async def test_processes_that_write_at_the_same_time_lose_nothing(work: Bench) -> None:
    work.write({"tasks": [task(number) for number in range(24)]})
    await work.tasks.sync()
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    writers = [
        await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            _WRITER,
            str(work.root),
            f"w{first}",
            str(first),
            str(first + 8),
            env=env,
            stderr=subprocess.PIPE,
        )
        for first in (0, 8, 16)
    ]
    for writer in writers:
        _, errors = await writer.communicate()
        assert writer.returncode == 0, errors
    assert {one["status"] for one in json.loads(work.file.read_text())["tasks"]} == {"done"}
    assert {one.status for one in (await work.all()).values()} == {"done"}
    changed = await work.events("task.status.changed")
    assert len(changed) == 24
    assert {one.actor for one in changed} == {"w0", "w8", "w16"}
    assert await work.store.read(lambda tx: tx.audit.count()) == 24


_FLIPPER = """
import asyncio, itertools, sys
from pathlib import Path
from storage.store import Store
from vibehq_tui.tasks.service import TaskService

async def main():
    root = Path(sys.argv[1])
    async with await Store.open(root / ".vibehq") as store:
        tasks = TaskService(store, root, "flipper", "cli")
        print("ready", flush=True)
        for status in itertools.cycle(["done", "pending"]):
            await tasks.set_status("1", status)

asyncio.run(main())
"""


async def kill_at_any_instant(work: Bench, times: int) -> None:
    """Kills a writer again and again; the file is whole each time, and the mirror comes up to it."""
    work.write({"tasks": [task(number, details="x" * 2000) for number in range(200)]})
    await work.tasks.sync()
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    for number in range(times):
        flipper = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _FLIPPER, str(work.root), env=env, stdout=subprocess.PIPE
        )
        assert flipper.stdout is not None
        assert await flipper.stdout.readline() == b"ready\n"
        await asyncio.sleep(0.003 * (number * 7 % 23))
        flipper.kill()
        await flipper.wait()
        value = json.loads(work.file.read_bytes())
        assert len(value["tasks"]) == 200
        report = await work.tasks.sync()
        assert not report.broken
        assert (await work.tasks.get("1")).status == value["tasks"][1]["status"]
    await work.tasks.set_status("1", "review")
    assert [one.name for one in work.file.parent.iterdir()] == ["tasks.json"]
    assert list((work.store.folder / "tmp").iterdir()) == []
    assert await work.store.read(lambda tx: tx.audit.verify()) == []


async def test_a_writer_that_is_killed_leaves_a_whole_file(work: Bench) -> None:
    await kill_at_any_instant(work, 6)


@pytest.mark.long
async def test_a_writer_that_is_killed_often_leaves_a_whole_file(work: Bench) -> None:
    await kill_at_any_instant(work, 60)
