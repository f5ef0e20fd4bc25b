"""Transactions: all or nothing, each caller for itself, acknowledged when they are on the disk."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from pathlib import Path

import pytest
from store_helpers import DEADLINE, until

from storage.errors import Refused, StoreBroken
from storage.store import Store, Tx


def put(key: str, value: object = 1) -> object:
    return lambda tx: tx.settings.put(key, value)


async def keys(store: Store) -> set[str]:
    return {row[0] for row in await store.read(lambda tx: tx.rows("SELECT key FROM settings"))}


class Hold:
    """A body that keeps the writer busy, so that whoever comes meanwhile shares the next commit."""

    def __init__(self, store: Store) -> None:
        self.begun = threading.Event()
        self.go_on = threading.Event()
        self.task = asyncio.ensure_future(store.write(self._body))

    def _body(self, tx: Tx) -> None:
        self.begun.set()
        assert self.go_on.wait(DEADLINE)


async def test_a_write_returns_its_result_and_is_read_by_everybody(store: Store, folder: Path) -> None:
    assert await store.write(lambda tx: (tx.settings.put("a", {"b": [1, None]}), 42)[1]) == 42
    async with await Store.open(folder) as other:
        assert await other.read(lambda tx: tx.settings.get("a")) == {"b": [1, None]}


async def test_callers_of_one_group_fail_alone(store: Store) -> None:
    hold = Hold(store)
    await until(hold.begun.is_set, "the writer is busy")

    def broken(tx: Tx) -> None:
        tx.settings.put("broken", 1)
        raise ValueError("mine")

    def wrong(tx: Tx) -> None:
        tx.settings.put("wrong", 1)
        tx.execute("SELECT * FROM nowhere")

    calls = [
        store.write(put("first")),
        store.write(broken),
        store.write(put("second")),
        store.write(wrong),
        store.write(put("third")),
    ]
    gathered = asyncio.gather(*calls, return_exceptions=True)
    await asyncio.sleep(0)
    hold.go_on.set()
    first, second, third, fourth, fifth = await gathered
    await hold.task
    assert (first, third, fifth) == (None, None, None)
    assert isinstance(second, ValueError)
    assert isinstance(fourth, sqlite3.OperationalError)
    assert await keys(store) == {"first", "second", "third"}


async def test_a_failed_write_leaves_nothing_behind(store: Store) -> None:
    def body(tx: Tx) -> None:
        tx.events.append("patch.received", actor="ada")
        tx.audit.append(actor="ada", via="cli", verb="patch.submit", object="patch/1", result="done")
        raise StopIteration  # no future can carry this one

    with pytest.raises(RuntimeError, match="StopIteration"):
        await store.write(body)
    assert await store.head() == 0
    assert await store.write(lambda tx: tx.events.append("patch.received", actor="ada").seq) == 1


async def test_a_caller_cancelled_before_its_turn_changes_nothing(store: Store) -> None:
    hold = Hold(store)
    await until(hold.begun.is_set, "the writer is busy")
    waiting = asyncio.ensure_future(store.write(put("cancelled")))
    staying = asyncio.ensure_future(store.write(put("staying")))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.sleep(0)
    hold.go_on.set()
    await staying
    assert waiting.cancelled()
    assert await keys(store) == {"staying"}
    await hold.task


async def test_a_caller_cancelled_in_the_middle_leaves_no_transaction_open(store: Store, folder: Path) -> None:
    hold = Hold(store)
    await until(hold.begun.is_set, "the writer is busy")
    hold.task.cancel()
    await asyncio.gather(hold.task, return_exceptions=True)
    assert hold.task.cancelled()
    hold.go_on.set()
    async with await Store.open(folder) as other:
        await other.write(put("other"))
    await store.write(put("own"))
    assert await keys(store) == {"other", "own"}


async def test_a_cancelled_reader_does_not_block_the_others(store: Store) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(tx: Tx) -> None:
        begun.set()
        assert go_on.wait(DEADLINE)

    task = asyncio.ensure_future(store.read(slow))
    await until(begun.is_set, "the reader is busy")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert await store.read(lambda tx: tx.settings.get("none")) is None
    go_on.set()


async def test_a_reader_sees_one_moment(store: Store) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def twice(tx: Tx) -> tuple[int, int]:
        before = tx.events.head()
        begun.set()
        assert go_on.wait(DEADLINE)
        return before, tx.events.head()

    reading = asyncio.ensure_future(store.read(twice))
    await until(begun.is_set, "the reader has begun")
    await store.write(lambda tx: tx.events.append("patch.received", actor="ada"))
    go_on.set()
    assert await reading == (0, 0)
    assert await store.head() == 1


async def test_readers_cannot_write(store: Store) -> None:
    with pytest.raises(StoreBroken, match="read-only"):
        await store.read(put("a"))


async def test_a_full_disk_is_said_and_the_others_of_the_group_go_through(store: Store) -> None:
    await store.write(put("before"))

    def big(tx: Tx) -> None:
        pages = tx.value("PRAGMA page_count")
        tx.execute(f"PRAGMA max_page_count = {pages + 5}")
        tx.settings.put("big", "x" * 1_000_000)

    hold = Hold(store)
    await until(hold.begun.is_set, "the writer is busy")
    gathered = asyncio.gather(store.write(put("a")), store.write(big), store.write(put("b")), return_exceptions=True)
    await asyncio.sleep(0)
    hold.go_on.set()
    first, error, third = await gathered
    await hold.task
    assert (first, third) == (None, None)
    assert isinstance(error, StoreBroken)
    assert error.code == "disk-full"
    assert "no space" in error.message
    assert str(store.folder / "hq.db") in error.message
    assert error.hint
    assert await keys(store) == {"before", "a", "b"}
    assert await store.check() == []


async def test_a_body_that_hides_the_lost_transaction_is_not_acknowledged(store: Store) -> None:
    def body(tx: Tx) -> str:
        tx.settings.put("lost", 1)
        tx.execute("ROLLBACK")  # as SQLite does by itself when the disk fails under a transaction
        return "done"

    hold = Hold(store)
    await until(hold.begun.is_set, "the writer is busy")
    gathered = asyncio.gather(store.write(put("a")), store.write(body), store.write(put("b")), return_exceptions=True)
    await asyncio.sleep(0)
    hold.go_on.set()
    first, error, third = await gathered
    await hold.task
    assert (first, third) == (None, None)
    assert isinstance(error, StoreBroken)
    assert await keys(store) == {"a", "b"}


async def test_close_commits_what_waits(folder: Path) -> None:
    store = await Store.open(folder)
    hold = Hold(store)
    await until(hold.begun.is_set, "the writer is busy")
    waiting = asyncio.ensure_future(store.write(put("late")))
    await asyncio.sleep(0)
    closing = asyncio.ensure_future(store.close())
    hold.go_on.set()
    await closing
    await waiting
    await hold.task
    async with await Store.open(folder) as other:
        assert await keys(other) == {"late"}


async def test_a_closed_store_says_so(folder: Path) -> None:
    store = await Store.open(folder)
    await store.close()
    await store.close()
    for call in (store.read, store.write, store.read_logs, store.write_logs):
        with pytest.raises(Refused, match="closed"):
            await call(lambda tx: None)


async def test_many_callers_are_all_acknowledged_in_order(store: Store) -> None:
    def append(number: int) -> object:
        return lambda tx: tx.events.append("patch.received", actor="ada", subject_id=str(number)).seq

    seqs = await asyncio.gather(*(store.write(append(n)) for n in range(600)))
    assert seqs == list(range(1, 601))
    events = await store.read(lambda tx: tx.events.since(0, 1000))
    assert [event.subject_id for event in events] == [str(n) for n in range(600)]
