"""Following: at once, from every process, in order, without gaps, also where no socket can be."""

# ruff: noqa: ASYNC240 - a test has its loop to itself

from __future__ import annotations

import asyncio
import os
import socket
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from store_helpers import DEADLINE, Child, until

from storage.records import Event, LogLine
from storage.store import Store

FOLLOWER = """
import asyncio, sys
from pathlib import Path
from storage.store import Store

async def main(folder, count):
    async with await Store.open(Path(folder)) as store:
        seen = 0
        print("open", flush=True)
        async for events in store.follow(0):
            for event in events:
                print(event.seq, event.actor, flush=True)
                seen += 1
            if seen == int(count):
                break

asyncio.run(main(*sys.argv[1:]))
"""


def append(store: Store, actor: str = "ada") -> Any:
    return store.write(lambda tx: tx.events.append("patch.received", actor=actor))


async def take(feed: AsyncIterator[list[Any]]) -> list[Any]:
    """The next batch."""
    return await asyncio.wait_for(anext(feed), DEADLINE)


async def test_a_follower_gets_what_is_there_and_then_what_comes(store: Store) -> None:
    await append(store, "before")
    feed = store.follow(0)
    assert [event.actor for event in await take(feed)] == ["before"]
    waiting = asyncio.ensure_future(take(feed))
    await append(store, "after")
    (event,) = await waiting
    assert (event.seq, event.actor) == (2, "after")


async def test_a_follower_goes_on_from_its_cursor(store: Store) -> None:
    for _ in range(5):
        await append(store)
    assert [event.seq for event in await take(store.follow(3))] == [4, 5]


async def test_a_long_feed_comes_in_batches(store: Store) -> None:
    def many(tx: Any) -> None:
        for _ in range(1200):
            tx.events.append("patch.received", actor="ada")

    await store.write(many)
    feed = store.follow(0)
    batches = [await take(feed) for _ in range(3)]
    assert [event.seq for batch in batches for event in batch] == list(range(1, 1201))
    assert max(map(len, batches)) == 500


async def test_closing_ends_the_followers(folder: Path) -> None:
    store = await Store.open(folder)
    seen: list[Event] = []

    async def follow() -> str:
        async for events in store.follow(0):
            seen.extend(events)
        return "ended"

    task = asyncio.ensure_future(follow())
    await append(store)
    await until(lambda: len(seen) == 1, "the follower saw the event")
    await store.close()
    assert await asyncio.wait_for(task, DEADLINE) == "ended"
    assert list((folder / "wake").iterdir()) == []


async def test_another_store_in_this_process_is_woken(store: Store, folder: Path) -> None:
    async with await Store.open(folder) as other:
        feed = other.follow(0)
        waiting = asyncio.ensure_future(take(feed))
        await append(store)
        assert [event.seq for event in await waiting] == [1]


async def test_another_process_is_woken_and_wakes(store: Store, folder: Path) -> None:
    with Child(FOLLOWER, folder, 3) as child:
        assert child.line() == "open"
        feed = store.follow(0)
        for number in range(3):
            await append(store, f"a{number}")
            assert await asyncio.to_thread(child.line) == f"{number + 1} a{number}"
            assert [event.seq for event in await take(feed)] == [number + 1]
        child.end()
    assert await store.head() == 3


async def test_a_hint_wakes_a_follower_before_its_poll(store: Store, folder: Path, monkeypatch: Any) -> None:
    async with await Store.open(folder) as other:
        polls: list[int] = []
        head = other.head

        async def counted() -> int:
            polls.append(1)
            return await head()

        monkeypatch.setattr(other._feed, "_head", counted)
        feed = other.follow(0)
        for number in range(30):
            waiting = asyncio.ensure_future(take(feed))
            await append(store)
            assert [event.seq for event in await waiting] == [number + 1]
        assert len(polls) < 5, "thirty steps took less than five polls of a second"


async def test_the_socket_of_a_dead_process_is_removed(store: Store, folder: Path) -> None:
    (folder / "wake").mkdir()
    dead = folder / "wake" / "999-dead"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as closed:
        closed.bind(os.path.relpath(dead) if len(str(dead)) > 100 else str(dead))
    assert dead.exists()
    await append(store)
    assert not dead.exists()


async def test_what_is_written_without_a_hint_is_found_by_the_poll(store: Store, folder: Path) -> None:
    feed = store.follow(0)
    waiting = asyncio.ensure_future(take(feed))
    await asyncio.sleep(0)
    connection = sqlite3.connect(folder / "hq.db")
    connection.execute(
        "INSERT INTO events (type, at, actor, subject, subject_id, message, data, search)"
        " VALUES ('patch.received', 0, 'shell', '', '', '', '{}', '')"
    )
    connection.commit()
    connection.close()
    assert [event.actor for event in await waiting] == ["shell"]


async def test_a_viewer_follows_without_a_socket(store: Store, folder: Path) -> None:
    async with await Store.open(folder, read_only=True) as viewer:
        feed = viewer.follow(0)
        waiting = asyncio.ensure_future(take(feed))
        await append(store)
        assert [event.seq for event in await waiting] == [1]
        assert not (folder / "wake").exists()


async def test_a_path_too_long_for_a_socket_is_woken_too(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30) / ("deep" * 20) / ".vibehq"
    async with await Store.open(folder) as one, await Store.open(folder) as two:
        feed = two.follow(0)
        waiting = asyncio.ensure_future(take(feed))
        await until(lambda: (folder / "wake").exists(), "the follower has registered")
        await append(one)
        assert [event.seq for event in await waiting] == [1]
        assert len(list((folder / "wake").iterdir())) == 1
    assert list((folder / "wake").iterdir()) == []


async def test_logs_are_followed(store: Store, folder: Path) -> None:
    def write(text: str) -> Any:
        line = LogLine(seq=0, kind="worker", source="7", at=store.clock.now(), text=text)
        return store.write_logs(lambda tx: tx.lines.append_many([line]))

    await write("before")
    async with await Store.open(folder) as other:
        feed = other.follow_logs("worker", "7")
        assert [line.text for line in await take(feed)] == ["before"]
        waiting = asyncio.ensure_future(take(feed))
        await write("after")
        assert [line.text for line in await waiting] == ["after"]


async def test_many_followers_see_the_same(store: Store) -> None:
    async def follow() -> list[int]:
        seen: list[int] = []
        async for events in store.follow(0):
            seen += [event.seq for event in events]
            if len(seen) >= 200:
                break
        return seen

    tasks = [asyncio.ensure_future(follow()) for _ in range(5)]
    await asyncio.gather(*(append(store) for _ in range(200)))
    results = await asyncio.wait_for(asyncio.gather(*tasks), DEADLINE)
    assert results == [list(range(1, 201))] * 5


@pytest.mark.parametrize("name", ["not-a-socket"])
async def test_a_stray_file_among_the_sockets_does_no_harm(store: Store, folder: Path, name: str) -> None:
    (folder / "wake").mkdir()
    (folder / "wake" / name).write_text("hello")
    await append(store)
    assert await store.head() == 1
