"""That nothing that a detector does can stop a scan."""

from __future__ import annotations

import asyncio
import dataclasses
import sys
from typing import Any

import pytest
from ops_helpers import Stub, World, finding, reporting

from storage.records import OpsScan
from vibehq_tui.contracts.config import Config, ScanConfig
from vibehq_tui.ops.context import ScanContext, ScanProgress
from vibehq_tui.ops.model import Finding


def quick(**settings: Any) -> Config:
    """A configuration in which detectors have little time."""
    return dataclasses.replace(Config(), scan=dataclasses.replace(ScanConfig(), **settings))


def rows(scan: OpsScan) -> dict[str, tuple[str, str]]:
    return {row["detector"]: (row["result"], row.get("message", "")) for row in scan.detectors}


async def _raise(_: ScanContext) -> list[Finding]:
    raise KeyError("task-7")


async def _exit(_: ScanContext) -> list[Finding]:
    sys.exit(3)


async def _hang(_: ScanContext) -> list[Finding]:
    await asyncio.Event().wait()
    return []


async def _cancel_itself(_: ScanContext) -> list[Finding]:
    raise asyncio.CancelledError


class Circular(dict[str, Any]):
    def __init__(self) -> None:
        super().__init__()
        self["self"] = self


GARBAGE: dict[str, Any] = {
    "none": None,
    "text": "all fine",
    "number": 7,
    "generator": (item for item in list[Finding]()),
    "dicts": [{"title": "x"}],
    "severity": [finding(severity="terrible")],
    "key": [Finding(key=(), severity="low", title="x")],
    "key-text": [Finding(key="abc", severity="low", title="x")],  # type: ignore[arg-type]
    "key-number": [Finding(key=(1,), severity="low", title="x")],  # type: ignore[arg-type]
    "no-title": [finding(title="")],
    "title-number": [finding(title=7)],  # type: ignore[arg-type]
    "evidence": [finding(data={"x": object()})],
    "circular": [finding(data=Circular())],
    "huge": [finding(data={"x": "y" * 200_000})],
    "one-bad": [finding("good"), None],
}


@pytest.mark.parametrize("what", GARBAGE)
async def test_garbage_is_an_issue_and_nothing_of_it_is_used(world: World, what: str) -> None:
    async def garbage(_: ScanContext) -> Any:
        return GARBAGE[what]

    scan = await world.ops(Stub(garbage, id="bad"), reporting(finding("a"), id="good")).scan("incremental")
    assert scan.state == "completed"
    assert rows(scan)["bad"][0] == "failed"
    assert rows(scan)["bad"][1].startswith("returned ")
    assert rows(scan)["good"][0] == "completed"
    assert {issue.detector for issue in await world.issues()} == {"good", "detector-health"}
    (health,) = await world.issues("detector-health")
    assert (health.subject, health.subject_id, health.severity) == ("detector", "bad", "medium")


@pytest.mark.parametrize(
    ("do", "result", "message"),
    [
        (_raise, "failed", "KeyError: 'task-7'"),
        (_exit, "failed", "SystemExit: 3"),
        (_cancel_itself, "failed", "ended as if cancelled"),
        (_hang, "timed-out", "took longer than 0.05 s and was stopped"),
    ],
)
async def test_a_detector_that_raises_or_hangs_is_an_issue_and_resolves_nothing(
    world: World, do: Any, result: str, message: str
) -> None:
    world.config = quick(detector_timeout=0.05)
    stub, good = reporting(finding("a"), id="bad"), reporting(id="good")
    ops = world.ops(stub, good)
    await ops.scan("incremental")
    plain, stub.do = stub.do, do
    scan = await ops.scan("incremental")
    assert rows(scan) == {"bad": (result, message), "good": ("completed", "")}
    assert scan.resolved == 0
    assert [issue.detector for issue in await world.unresolved("bad")] == ["bad"]
    (health,) = await world.unresolved("detector-health")
    assert message in health.message

    await ops.scan("incremental")
    assert [issue.count for issue in await world.unresolved("detector-health")] == [2]

    stub.do = plain
    await ops.scan("incremental")
    assert await world.unresolved("detector-health") == []


async def test_different_errors_of_one_detector_are_different_issues(world: World) -> None:
    messages = iter(["no space left on /a/b", "no space left on /c/d", "took 3 tries", "connection lost"])

    async def do(_: ScanContext) -> list[Finding]:
        raise OSError(next(messages))

    ops = world.ops(Stub(do))
    for _ in range(4):
        await ops.scan("incremental")
    assert sorted(issue.count for issue in await world.issues()) == [1, 1, 2]
    assert len(await world.unresolved()) == 1


async def test_a_detector_that_ignores_its_cancellation_is_left_behind(world: World) -> None:
    released = asyncio.Event()

    async def stubborn(_: ScanContext) -> list[Finding]:
        while not released.is_set():
            try:
                await released.wait()
            except asyncio.CancelledError:
                continue
        return []

    world.config = quick(detector_timeout=0.02)
    scan = await world.ops(Stub(stubborn, id="stubborn"), reporting(id="good")).scan("incremental")
    assert rows(scan)["stubborn"][0] == "timed-out"
    assert rows(scan)["good"][0] == "completed"
    released.set()


async def test_a_skipped_detector_resolves_nothing_and_is_no_issue(world: World) -> None:
    stub = reporting(finding("a"))
    ops = world.ops(stub)
    await ops.scan("incremental")

    async def skip(ctx: ScanContext) -> list[Finding]:
        ctx.skip("no network")
        return []

    stub.do = skip
    scan = await ops.scan("incremental")
    assert rows(scan) == {"stub": ("skipped", "no network")}
    assert [issue.detector for issue in await world.unresolved()] == ["stub"]


async def test_kept_issues_stay_and_the_record_says_why(world: World) -> None:
    stub = reporting(finding("a"), finding("b"))
    ops = world.ops(stub)
    await ops.scan("incremental")

    async def keep(ctx: ScanContext) -> list[Finding]:
        ctx.keep((issue for issue in ctx.known if issue.id == "2"), "had no time for b")
        return []

    stub.do = keep
    scan = await ops.scan("incremental")
    assert rows(scan) == {"stub": ("completed", "had no time for b")}
    assert [issue.id for issue in await world.unresolved()] == ["2"]


async def test_when_time_runs_out_the_rest_is_skipped_and_the_scan_failed(world: World) -> None:
    world.config = quick(timeout=100)

    async def slow(_: ScanContext) -> list[Finding]:
        world.clock.advance(101)
        return []

    later = reporting(finding("a"), id="later")
    first = await world.ops(later).scan("incremental")
    later.found.clear()  # type: ignore[attr-defined]
    scan = await world.ops(Stub(slow, id="slow"), later).scan("incremental")
    assert (first.state, scan.state) == ("completed", "failed")
    assert rows(scan)["later"] == ("skipped", "the scan ran out of time")
    assert [issue.detector for issue in await world.unresolved()] == ["later"]
    assert (await world.event_types())[-1] == "scan.failed"


async def test_a_cancelled_scan_is_on_record_as_failed(world: World) -> None:
    begun = asyncio.Event()

    async def wait(_: ScanContext) -> list[Finding]:
        begun.set()
        await asyncio.Event().wait()
        return []

    ops = world.ops(Stub(wait))
    task = asyncio.create_task(ops.scan("incremental"))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    last = await ops.last_scan("incremental")
    assert last is not None
    assert (last.state, last.ended_at) == ("failed", world.clock.now())
    assert (await world.event_types())[-1] == "scan.failed"


async def test_a_scan_that_a_killed_process_left_running_is_closed_later(world: World) -> None:
    orphan = await world.store.write(lambda tx: tx.scans.start("full", "schedule"))
    ops = world.ops(reporting())
    await ops.scan("incremental")
    assert [scan.state for scan in await ops.scans()] == ["completed", "running"]
    world.clock.advance(2 * 900 + 1)
    await ops.scan("incremental")
    assert {scan.id: scan.state for scan in await ops.scans()}[orphan.id] == "failed"


async def test_scans_of_one_process_wait_for_each_other(world: World) -> None:
    running = 0
    most = 0

    async def count(_: ScanContext) -> list[Finding]:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await world.store.read(lambda tx: tx.events.head())
        running -= 1
        return []

    ops = world.ops(Stub(count))
    await asyncio.gather(*(ops.scan(scope) for scope in ("incremental", "full", "incremental")))
    assert most == 1
    assert [scan.state for scan in await ops.scans()] == ["completed"] * 3


async def test_progress_and_disabled_detectors(world: World) -> None:
    world.config = quick(disabled=("b",))
    told: list[ScanProgress] = []

    async def report(ctx: ScanContext) -> list[Finding]:
        ctx.progress("half")
        return []

    ops = world.ops(Stub(report, id="a", title="A"), reporting(id="b"), reporting(id="c", title="C", scope="full"))
    scan = await ops.scan("full", trigger="operator", progress=told.append)
    assert scan.trigger == "operator"
    assert [row["detector"] for row in scan.detectors] == ["a", "c"]
    assert [str(one) for one in told] == ["0/2 A", "0/2 A: half", "1/2 C", "2/2"]


async def test_a_screen_that_went_away_stops_no_scan_and_is_asked_only_once(world: World) -> None:
    calls = 0

    def fail(_: ScanProgress) -> None:
        nonlocal calls
        calls += 1
        raise BrokenPipeError

    async def report(ctx: ScanContext) -> list[Finding]:
        ctx.progress("half")
        return [finding("a")]

    scan = await world.ops(Stub(report), reporting(id="b")).scan("incremental", progress=fail)
    assert (scan.state, scan.opened, calls) == ("completed", 1, 1)
