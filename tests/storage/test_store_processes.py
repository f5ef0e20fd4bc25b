"""Many processes on one store: they share it, they wait for each other, and the death of one harms none."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sqlite3
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from store_helpers import DEADLINE, Child

from storage.errors import Busy
from storage.migrate import SCHEMAS
from storage.store import Store

WRITER = """
import asyncio, sys
from pathlib import Path
from storage.store import Store

async def main(folder, name, count):
    async with await Store.open(Path(folder)) as store:
        print("open", flush=True)
        sys.stdin.readline()
        for number in range(int(count)):
            await store.write(lambda tx: tx.events.append("patch.received", actor=name, subject_id=str(number)))
    print("done", flush=True)

asyncio.run(main(*sys.argv[1:]))
"""

PAIRS = """
import asyncio, sys
from pathlib import Path
from storage.store import Store

def pair(tx):
    first = tx.events.append("patch.received", actor="pair")
    tx.audit.append(actor="pair", via="cli", verb="patch.submit", object="patch/1", result="done")
    tx.settings.put("last", first.seq)
    return tx.events.append("patch.proposed", actor="pair").seq

async def one(store):
    while True:
        print(await store.write(pair), flush=True)

async def main(folder):
    async with await Store.open(Path(folder)) as store:
        await asyncio.gather(*(one(store) for _ in range(4)))

asyncio.run(main(sys.argv[1]))
"""

LOCK = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.readline()
connection.execute("ROLLBACK")
connection.close()
"""

GATE = """
import fcntl, sys
lock = open(sys.argv[1], "a")
fcntl.flock(lock, fcntl.LOCK_EX)
print("locked", flush=True)
sys.stdin.readline()
"""

OPEN = """
import asyncio, sys
from pathlib import Path
from storage.store import Store

async def main(folder):
    sys.stdin.readline()
    async with await Store.open(Path(folder)) as store:
        await store.write(lambda tx: tx.events.append("patch.received", actor="opener"))
        await store.write_logs(lambda tx: tx.lines.append_many([]))
        print(await store.read(lambda tx: tx.value("SELECT count(*) FROM schema_migrations")), flush=True)

asyncio.run(main(sys.argv[1]))
"""


async def test_processes_write_at_once_and_nothing_is_lost(folder: Path) -> None:
    names = ("ada", "bo", "cy")
    children = [Child(WRITER, folder, name, 60) for name in names]
    for child in children:
        assert child.line() == "open"
    for child in children:
        child.say()
    async with await Store.open(folder) as store:
        for number in range(60):
            await store.write(
                lambda tx, number=number: tx.events.append("patch.received", actor="own", subject_id=str(number))
            )
        await asyncio.gather(*(asyncio.to_thread(child.end) for child in children))
        events = await store.read(lambda tx: tx.events.since(0, 1000))
        assert [event.seq for event in events] == list(range(1, 241))
        for name in (*names, "own"):
            assert [e.subject_id for e in events if e.actor == name] == [str(n) for n in range(60)]
        assert await store.check() == []


async def test_processes_that_create_a_store_at_once_migrate_it_once(folder: Path) -> None:
    children = [Child(OPEN, folder) for _ in range(6)]
    for child in children:
        child.say()
    outputs = await asyncio.gather(*(asyncio.to_thread(child.end) for child in children))
    assert [output.strip() for output in outputs] == [str(SCHEMAS["hq"])] * 6
    async with await Store.open(folder) as store:
        assert await store.head() == 6
        assert await store.check() == []
    assert not (folder / "backups").exists()


async def test_a_foreign_lock_is_busy_and_reading_goes_on(folder: Path) -> None:
    async with await Store.open(folder) as first:
        await first.write(lambda tx: tx.settings.put("a", 1))
    with Child(LOCK, folder / "hq.db") as child:
        assert child.line() == "locked"
        async with await Store.open(folder, wait=0.2) as store:
            assert await store.read(lambda tx: tx.settings.get("a")) == 1
            with pytest.raises(Busy) as caught:
                await store.write(lambda tx: tx.settings.put("a", 2))
            assert str(folder / "hq.db") in caught.value.message
            assert "locked by another program" in caught.value.message
            assert caught.value.hint
            assert caught.value.exit_code == 4
            child.say()
            child.end()
            await store.write(lambda tx: tx.settings.put("a", 3))
            assert await store.read(lambda tx: tx.settings.get("a")) == 3


async def test_a_lock_that_is_freed_in_time_is_only_a_wait(folder: Path) -> None:
    async with await Store.open(folder, wait=DEADLINE) as store:
        with Child(LOCK, folder / "hq.db") as child:
            assert child.line() == "locked"
            writing = asyncio.ensure_future(store.write(lambda tx: tx.settings.put("a", 2)))
            await asyncio.sleep(0)
            child.say()
            await writing
        assert await store.read(lambda tx: tx.settings.get("a")) == 2


async def test_a_file_locked_as_a_whole_is_busy_when_it_is_opened(folder: Path) -> None:
    async with await Store.open(folder):
        pass
    connection = sqlite3.connect(folder / "hq.db", isolation_level=None)
    try:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("BEGIN EXCLUSIVE")
        with pytest.raises(Busy):
            await Store.open(folder, wait=0.2)
    finally:
        connection.close()


async def test_a_frozen_process_at_the_gate_is_busy_and_a_killed_one_frees_it(folder: Path) -> None:
    async with await Store.open(folder, wait=0.2) as store:
        with Child(GATE, folder / "hq.lock") as child:
            assert child.line() == "locked"
            os.kill(child.process.pid, signal.SIGSTOP)
            for _ in range(2):
                with pytest.raises(Busy):
                    await store.write(lambda tx: tx.settings.put("a", 1))
            child.kill()
        await store.write(lambda tx: tx.settings.put("a", 2))
        assert await store.read(lambda tx: tx.settings.get("a")) == 2


async def kill_while_opening(folder: Path, seconds: float) -> None:
    """Kills a process that creates a store, and opens what is left."""
    with Child(OPEN, folder) as child:
        child.say()
        with suppress(subprocess.TimeoutExpired):
            child.process.wait(seconds)
        child.kill()
    async with await Store.open(folder) as store:
        assert await store.check() == []
        assert await store.head() in {0, 1}


async def test_kill_while_a_store_is_created(tmp_path: Path) -> None:
    for step in range(4):
        await kill_while_opening(tmp_path / str(step), 0.1 + step * 0.01)


@pytest.mark.long
async def test_kill_while_a_store_is_created_many_times(tmp_path: Path) -> None:
    chance = random.Random(11)
    for step in range(80):
        await kill_while_opening(tmp_path / str(step), chance.uniform(0.08, 0.2))


async def kill_in_the_middle(folder: Path, acknowledged: int) -> None:
    """Kills a process that writes pairs of events, and looks at what is left."""
    async with await Store.open(folder) as store:
        before = await store.head()
    with Child(PAIRS, folder) as child:
        seen = [int(child.line()) for _ in range(acknowledged)]
        child.kill()
    async with await Store.open(folder) as store:
        head = await store.head()
        assert head >= max([before, *seen]), "what was acknowledged is there"
        assert head % 2 == 0, "a pair is there as a whole or not at all"
        assert await store.read(lambda tx: tx.settings.get("last")) == head - 1
        assert await store.read(lambda tx: tx.audit.count()) == head // 2
        assert await store.check() == []


async def test_kill_in_the_middle_of_writes(folder: Path) -> None:
    for acknowledged in (1, 7, 40):
        await kill_in_the_middle(folder, acknowledged)


@pytest.mark.long
async def test_kill_in_the_middle_of_writes_many_times(folder: Path) -> None:
    chance = random.Random(7)
    for _ in range(60):
        await kill_in_the_middle(folder, chance.randint(1, 300))
