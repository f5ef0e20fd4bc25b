#!/usr/bin/env python3
"""What the store takes: acknowledged writes of one caller and of many, and pages of a big workspace.

    store.py [--seconds S] [--callers N] [--records N]

The writes are single events at ``synchronous=FULL``, each acknowledged after it is on the disk. The target is that 64
callers together get at least 8 times as many as one. The page times are medians, through the reader's thread and back.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from storage.query import Query
from storage.records import Patch, PatchFile, Task
from storage.store import Store, Tx

_TARGET = 8.0
_REPEATS = 15


async def _acknowledged(store: Store, callers: int, seconds: float) -> float:
    """Acknowledged writes per second of that many callers, each of which waits for its own before the next."""
    end = time.perf_counter() + seconds
    done = 0

    async def call(name: str) -> None:
        nonlocal done
        while time.perf_counter() < end:
            await store.write(lambda tx: tx.events.append("patch.received", actor=name, subject="patch"))
            done += 1

    start = time.perf_counter()
    await asyncio.gather(*(call(f"caller-{number}") for number in range(callers)))
    return done / (time.perf_counter() - start)


async def _writes(folder: Path, callers: int, seconds: float) -> None:
    async with await Store.open(folder) as store:
        await _acknowledged(store, 1, 0.2)  # the files exist and are as long as they get
        one = await _acknowledged(store, 1, seconds)
        many = await _acknowledged(store, callers, seconds)
        problems = await store.check()
    print(f"acknowledged writes   1 caller {one:10,.0f} /s")
    print(f"acknowledged writes {callers:3} callers {many:9,.0f} /s")
    print(f"ratio {many / one:.1f} (target: at least {_TARGET:g})  store sound: {not problems}\n")


def _fill(tx: Tx, records: int) -> None:
    tasks = [
        Task(
            id=str(number),
            title=f"Task {number}",
            status="pending",
            position=number,
            rank=number % 97,
            description="What it is about, and why it matters. " * 3,
            data={"id": number, "title": f"Task {number}", "details": "Step by step. " * 20},
        )
        for number in range(records)
    ]
    tx.tasks.replace_all("tasks.json", tasks)
    for number in range(records):
        tx.patches.insert(
            Patch(
                id=tx.patches.next_id(),
                title=f"Patch {number}",
                state="applied" if number % 10 else "proposed",
                task=str(number),
                files=tuple(PatchFile(path=f"src/module{number}/{n}.py", op="modify", added=3) for n in range(3)),
                added=9,
                hunks=3,
            )
        )
    for number in range(records * 10):
        tx.events.append(
            "patch.received",
            actor="bench",
            subject="patch",
            subject_id=str(number % records),
            task=str(number % records),
            message=f"Patch {number % records} was received",
        )


_LOOKS: dict[str, Callable[[Tx], Any]] = {
    "tasks: first page": lambda tx: tx.tasks.page(),
    "tasks: count": lambda tx: tx.tasks.count(),
    "tasks: last page": lambda tx: tx.tasks.page(offset=tx.tasks.count() - 100),
    "tasks: filter": lambda tx: tx.tasks.page(Query(text="task 77")),
    "tasks: count by state": lambda tx: tx.tasks.tally("state"),
    "patches: first page": lambda tx: tx.patches.page(),
    "patches: count": lambda tx: tx.patches.count(),
    "patches: last page": lambda tx: tx.patches.page(offset=tx.patches.count() - 100),
    "patches: one state": lambda tx: tx.patches.page(Query(where={"state": "proposed"})),
    "patches: filter": lambda tx: tx.patches.page(Query(text="module77")),
    "patches: count by state": lambda tx: tx.patches.tally("state"),
    "events: first page": lambda tx: tx.events.page(),
    "events: count": lambda tx: tx.events.count(),
    "events: last page": lambda tx: tx.events.page(offset=tx.events.count() - 100),
    "events: one type": lambda tx: tx.events.page(Query(where={"type": "patch.received"})),
    "events: filter without a hit": lambda tx: tx.events.page(Query(text="nowhere")),
    "events of one patch": lambda tx: tx.events.for_subject("patch", "77"),
}


async def _median(action: Callable[[], Any]) -> float:
    """Milliseconds."""
    taken = []
    for _ in range(_REPEATS):
        start = time.perf_counter()
        await action()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken) * 1000


async def _pages(folder: Path, records: int) -> None:
    async with await Store.open(folder) as store:
        await store.write(lambda tx: _fill(tx, records))

    async def open_and_close() -> None:
        await (await Store.open(folder)).close()

    print(f"{records:,} tasks, {records:,} patches, {records * 10:,} events".ljust(40) + "    ms")
    print("open and close".ljust(40) + f"{await _median(open_and_close):6.2f}")
    async with await Store.open(folder) as store:
        for name, look in _LOOKS.items():
            print(name.ljust(40) + f"{await _median(lambda look=look: store.read(look)):6.2f}")  # type: ignore[misc]


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=3.0, help="how long each number of callers writes")
    parser.add_argument("--callers", type=int, default=64)
    parser.add_argument("--records", type=int, default=10_000, help="tasks and patches; ten times as many events")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_writes(Path(folder) / "writes", options.callers, options.seconds))
        asyncio.run(_pages(Path(folder) / "pages", options.records))


if __name__ == "__main__":
    main()
