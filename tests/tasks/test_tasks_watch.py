"""A changed tasks file is seen within a second, however it was changed."""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest
from tasks_helpers import FLAT, TAGGED, Bench, task

from vibehq_tui.tasks import watch
from vibehq_tui.tasks.service import SyncReport


@asynccontextmanager
async def followed(work: Bench) -> AsyncIterator[asyncio.Queue[tuple[float, SyncReport]]]:
    """Follows the file in the background; the first report, when it watches, is taken already."""
    reports: asyncio.Queue[tuple[float, SyncReport]] = asyncio.Queue()

    async def follow() -> None:
        async with aclosing(work.tasks.changes()) as changes:
            async for report in changes:
                reports.put_nowait((time.monotonic(), report))

    follower = asyncio.create_task(follow())
    try:
        await asyncio.wait_for(reports.get(), 10)
        yield reports
    finally:
        follower.cancel()
        await asyncio.wait({follower})


async def seen(reports: asyncio.Queue[tuple[float, SyncReport]], since: float) -> SyncReport:
    """The next report; fails when it took more than a good second (and a lot more than that on a busy machine)."""
    at, report = await asyncio.wait_for(reports.get(), 10)
    assert at - since < 3.0
    return report


async def test_every_kind_of_change_is_seen(work: Bench) -> None:
    async with followed(work) as reports:
        start = time.monotonic()
        work.write({"tasks": [task(1)]})  # folder and file are new
        assert (await seen(reports, start)).added == ("1",)

        start = time.monotonic()
        work.write({"tasks": [task(1), task(2)]})  # replaced in one step
        assert (await seen(reports, start)).added == ("2",)

        start = time.monotonic()
        with work.file.open("r+") as file:  # overwritten in place
            file.write(json.dumps({"tasks": [task(3)]}))
            file.truncate()
        assert (await seen(reports, start)).added == ("3",)

        start = time.monotonic()
        shutil.rmtree(work.file.parent)  # gone
        assert (await seen(reports, start)).removed == ("3",)

        start = time.monotonic()
        work.write({"tasks": [task(4)]}, TAGGED)  # the other place
        assert (await seen(reports, start)).added == ("4",)


async def test_a_broken_file_is_reported_and_followed_on(work: Bench) -> None:
    work.write({"tasks": [task(1)]})
    async with followed(work) as reports:
        start = time.monotonic()
        work.write(b"{")
        assert (await seen(reports, start)).broken
        start = time.monotonic()
        work.write({"tasks": [task(1), task(2)]})
        assert (await seen(reports, start)).added == ("2",)


async def test_a_link_is_followed_to_the_real_file(work: Bench, tmp_path: Path) -> None:
    real = work.write({"tasks": [task(1)]}, "elsewhere/real.json")
    work.file.parent.mkdir()
    work.file.symlink_to(real)
    async with followed(work) as reports:
        start = time.monotonic()
        work.write({"tasks": [task(1), task(2)]}, "elsewhere/real.json")
        assert (await seen(reports, start)).added == ("2",)


async def test_where_nothing_can_be_watched_the_file_is_looked_at(work: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_watch(*_: object, **__: object) -> None:
        raise OSError("no watches left")

    monkeypatch.setattr("watchfiles.awatch", no_watch)
    monkeypatch.setattr(watch, "_TICK", 0.05)
    async with followed(work) as reports:
        start = time.monotonic()
        work.write({"tasks": [task(1)]})
        assert (await seen(reports, start)).added == ("1",)


async def test_our_own_change_is_not_told_twice(work: Bench) -> None:
    work.write({"tasks": [task(1)]})
    async with followed(work) as reports:
        start = time.monotonic()
        await work.tasks.set_status("1", "done")
        assert (await seen(reports, start)).changed == ()
        assert len(await work.events("task.status.changed")) == 1
        assert work.file == work.root / FLAT
