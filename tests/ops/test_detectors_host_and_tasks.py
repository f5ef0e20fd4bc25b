from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from ops_helpers import DAY, HOUR, World

from storage.clock import Millis, to_iso
from storage.records import Execution, Task
from vibehq_tui.ops.detectors.host import DiskPressure, MemoryPressure, level
from vibehq_tui.ops.detectors.tasks import TaskGraphBroken, TaskInactive
from vibehq_tui.ops.host import ThisHost, read_stalled
from vibehq_tui.tasks.problems import TaskProblem


async def severities(world: World, percents: list[float], detector: Any, attribute: str) -> list[str | None]:
    """The severity of the one issue after each scan, None where there is none."""
    ops = world.ops(detector)
    seen: list[str | None] = []
    for percent in percents:
        setattr(world.host, attribute, percent)
        world.clock.advance(300)
        await ops.scan("incremental")
        found = await world.unresolved()
        seen.append(found[0].severity if found else None)
    return seen


async def test_disk_levels_have_hysteresis(world: World) -> None:
    percents = [89.9, 90, 85, 80, 79.9, 85, 91, 98, 95, 90, 89, 98, 79]
    assert await severities(world, percents, DiskPressure(), "disk_percent") == [
        None, "high", "high", "high", None, None, "high", "critical", "critical", "critical", "high", "critical", None,
    ]  # fmt: skip
    (issue,) = await world.issues()
    assert issue.regressions == 1


async def test_memory_levels_and_stalls(world: World) -> None:
    assert await severities(world, [50, 97, 93, 91, 80, 79], MemoryPressure(), "memory_percent") == [
        None, "critical", "critical", "high", "high", None,
    ]  # fmt: skip
    world.host.memory_percent = 50
    assert await severities(world, [0, 19, 20, 15, 10, 9.9], MemoryPressure(), "stalled") == [
        None, None, "high", "high", "high", None,
    ]  # fmt: skip


def test_levels() -> None:
    limits = {"warn": 90, "clear": 80, "critical": 98, "critical_clear": 90}
    assert level(99, before=None, **limits) == "critical"
    assert level(91, before="high", **limits) == "high"
    assert level(91, before="critical", **limits) == "critical"


async def test_each_file_system_is_one_issue_and_one_that_cannot_be_asked_is_unknown(world: World) -> None:
    world.host.disks = {world.root: (1, 95), world.store.folder: (1, 95)}
    ops = world.ops(DiskPressure())
    await ops.scan("incremental")
    assert [issue.subject_id for issue in await world.unresolved()] == ["workspace"]
    world.host.disks = {world.root: (1, 95), world.store.folder: (2, 99)}
    await ops.scan("incremental")
    assert [(issue.subject_id, issue.severity) for issue in await world.unresolved()] == [
        ("state", "critical"),
        ("workspace", "high"),
    ]
    world.host.broken = True
    scan = await ops.scan("incremental")
    assert scan.detectors[0]["result"] == "failed"
    assert len(await world.unresolved("disk-pressure")) == 2


def test_this_host(tmp_path: Path) -> None:
    host = ThisHost()
    disk, memory = host.disk(tmp_path), host.memory()
    assert disk.device == tmp_path.stat().st_dev
    assert 0 <= disk.percent <= 100
    assert disk.free <= disk.total
    assert 0 < memory.available <= memory.total


@pytest.mark.parametrize(
    ("content", "stalled"),
    [
        ("some avg10=1.00 avg60=12.34 avg300=0.00 total=0\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n", 12.34),
        ("", None),
        ("something else\n", None),
        ("some avg60=many\n", None),
    ],
)
def test_pressure_file(tmp_path: Path, content: str, stalled: float | None) -> None:
    file = tmp_path / "memory"
    file.write_text(content)
    assert read_stalled(file) == stalled
    assert read_stalled(tmp_path / "none") is None


def task(number: str, *dependencies: str, status: str = "pending", **fields: Any) -> Task:
    return Task(
        id=number, title=f"Task {number}", status=status, dependencies=dependencies, source="tasks.json", **fields
    )


async def test_missing_dependencies_and_cycles(world: World) -> None:
    await world.tasks(
        task("1", "99", "98"),
        task("2", "4"),
        task("3", "2"),
        task("4", "3"),
        task("5", "5"),
        task("6", "77", status="done"),
        task("7", "1"),
    )
    ops = world.ops(TaskGraphBroken())
    await ops.scan("incremental")
    found = {issue.title: (issue.severity, issue.subject_id) for issue in await world.unresolved()}
    assert found == {
        "Task 1 depends on what does not exist: 99, 98": ("medium", "1"),
        "Tasks 2, 3, 4 wait for one another": ("high", "2"),
        "Tasks 5 wait for one another": ("high", "5"),
    }
    await world.tasks(task("1"), task("2", "4"), task("3", "2"), task("4", "3"), task("5"))
    await ops.scan("incremental")
    assert [issue.subject_id for issue in await world.unresolved()] == ["2"]


async def test_a_broken_tasks_file_is_one_issue_until_it_is_put_right(world: World) -> None:
    world.files.problems = [
        TaskProblem(
            level="error", code="unknown-status", file="tasks.json", path="tasks[3].status", line=14, message="x"
        ),
        TaskProblem(level="error", code="no-id", file="tasks.json", message="y"),
        TaskProblem(level="warning", code="odd", file="other.json", message="z"),
    ]
    ops = world.ops(TaskGraphBroken())
    await ops.scan("incremental")
    (issue,) = await world.unresolved()
    assert (issue.title, issue.subject_id) == ("tasks.json is not valid", "tasks.json")
    assert issue.message.startswith("line 14, tasks[3].status: x (1 more).")
    assert await world.ops(TaskGraphBroken(), tasks=None).scan("incremental")
    assert [one.status for one in await world.unresolved()] == ["open"]
    world.files.problems = []
    await ops.scan("incremental")
    assert await world.unresolved() == []


async def inactive(world: World) -> list[str]:
    await world.ops(TaskInactive()).scan("incremental")
    return [issue.subject_id for issue in await world.unresolved("task-inactive")]


async def test_a_silent_task_in_progress_is_inactive_from_when_it_was_first_seen(world: World) -> None:
    await world.tasks(task("1", status="in-progress"), task("2"), task("3", status="done"))
    assert await inactive(world) == []
    world.clock.advance(2 * DAY - 1)
    assert await inactive(world) == []
    world.clock.advance(1)
    assert await inactive(world) == ["1"]
    # the event of the issue itself is no activity, nor is a scan
    world.clock.advance(HOUR)
    assert await inactive(world) == ["1"]
    await world.tasks(task("1"), task("2", status="in-progress"))
    assert await inactive(world) == []
    await world.tasks(task("1", status="in-progress"), task("2", status="in-progress"))
    assert await inactive(world) == []


async def test_what_counts_as_activity(world: World) -> None:
    (world.root / "seen.txt").write_text("x")
    os.utime(world.root / "seen.txt", (world.clock.at / 1000, world.clock.at / 1000))
    recently = to_iso(Millis(world.clock.at + DAY * 1000))
    await world.tasks(
        task("1", status="in-progress"),
        task("2", status="in-progress"),
        task(
            "3",
            status="in-progress",
            data={"relevantFiles": [{"path": "seen.txt"}, {"path": "gone"}, 7, "../x", "/etc"]},
        ),
        task("4", status="in-progress", data={"updatedAt": recently, "createdAt": "yesterday"}),
        task("5", status="in-progress"),
        task("6", status="in-progress", data={"files": "a\0b"}),
    )
    assert await inactive(world) == []
    world.clock.advance(2 * DAY - 60)
    await world.store.write(lambda tx: tx.events.append("task.status.changed", actor="ada", task="1"))
    await world.store.write(lambda tx: tx.events.append("task.status.changed", actor="ada", task="2.1"))
    await world.store.write(
        lambda tx: tx.executions.insert(
            Execution(id=tx.executions.next_id(), provider="codex", state="running", task="5")
        )
    )
    world.clock.advance(60)
    assert sorted(await inactive(world)) == ["3", "6"]
    stamp = world.clock.at / 1000
    os.utime(world.root / "seen.txt", (stamp, stamp))
    assert await inactive(world) == ["6"]


async def test_a_thousand_tasks_with_odd_data_stop_nothing(world: World) -> None:
    odd: list[Any] = [None, 3, [], {"path": None}, {"path": "a" * 5000}, "\ud800", "\0"]
    await world.tasks(
        *(task(str(n), status="in-progress", data={"files": odd, "updatedAt": odd[n % 7]}) for n in range(1000))
    )
    world.clock.advance(3 * DAY)
    assert await inactive(world) == []
    world.clock.advance(3 * DAY)
    assert len(await inactive(world)) == 200
