"""Worker and build logs: in order, found by any part of them, indexed behind the writers' backs."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from store_helpers import DEADLINE, SetClock, until

from storage.clock import Millis
from storage.errors import Usage
from storage.records import LogLine
from storage.store import Store

TEXTS = (
    "Starting build",
    "error: cannot find module 'x_y'",
    "100% done",
    "Grüße aus Straße",
    'a "quoted" word',
    "ab",
    "ERROR again",
)


def line(text: str, *, kind: str = "worker", source: str = "7", level: str = "info", at: int = 0) -> LogLine:
    return LogLine(seq=0, kind=kind, source=source, at=Millis(at), level=level, text=text)


async def write(store: Store, *lines: LogLine) -> int:
    return await store.write_logs(lambda tx: tx.lines.append_many(lines))


async def indexed(store: Store) -> bool:
    return bool(await store.read_logs(lambda tx: tx.value("SELECT max(seq) FROM log_index") == tx.lines.head("worker")))


async def test_lines_come_back_in_order(store: Store, clock: SetClock) -> None:
    assert await write(store, line("one", level="error", at=5), line("two"), line("b", kind="build", source="ci")) == 3
    worker = await store.read_logs(lambda tx: tx.lines.page("worker", "7"))
    assert worker == [
        LogLine(seq=1, kind="worker", source="7", at=Millis(5), level="error", text="one"),
        LogLine(seq=2, kind="worker", source="7", at=clock.now(), level="info", text="two"),
    ]
    assert [found.text for found in await store.read_logs(lambda tx: tx.lines.page("build"))] == ["b"]


async def test_pages_and_tails(store: Store) -> None:
    await write(
        store, *(line(f"line {n}", source=str(n % 2), level=("info", "error")[n % 3 == 0]) for n in range(1, 21))
    )

    def texts(found: list[LogLine]) -> list[int]:
        return [int(one.text.split()[1]) for one in found]

    def read(tx: object) -> None:
        lines = tx.lines  # type: ignore[attr-defined]
        assert texts(lines.page("worker", limit=3)) == [1, 2, 3]
        assert texts(lines.page("worker", after_seq=18)) == [19, 20]
        assert texts(lines.page("worker", "1", limit=3)) == [1, 3, 5]
        assert texts(lines.tail("worker", limit=3)) == [18, 19, 20]
        assert texts(lines.tail("worker", "0", limit=2)) == [18, 20]
        assert texts(lines.page("worker", levels=("error",))) == [3, 6, 9, 12, 15, 18]
        assert texts(lines.tail("worker", "1", 2, levels=("error", "warning"))) == [9, 15]
        assert lines.count("worker") == 20
        assert lines.count("worker", "1") == 10
        assert lines.count("build") == 0

    await store.read_logs(read)


async def test_sources_say_what_they_wrote(store: Store, clock: SetClock) -> None:
    await write(store, line("a", at=10), line("b", at=20))
    await write(store, line("c", at=30), line("x", kind="build", source="ci"))
    first, second = await store.read_logs(lambda tx: tx.lines.sources())
    assert (first.kind, first.source, first.lines, first.last_at) == ("build", "ci", 1, clock.now())
    assert (second.kind, second.source, second.lines, second.first_at, second.last_at) == ("worker", "7", 3, 10, 30)
    assert second.last_seq == 3


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("error", [2, 7]),
        ("ERROR", [2, 7]),
        ("x_y", [2]),
        ("100%", [3]),
        ("0% d", [3]),
        ('"quoted"', [5]),
        ("Straße", [4]),
        ("ß", [4]),
        ("ab", [6]),
        ("nowhere at all", []),
        ("AND OR NOT", []),
        ("*", []),
    ],
)
async def test_lines_are_found_by_any_part_before_and_after_they_are_indexed(
    store: Store, text: str, found: list[int]
) -> None:
    def search(newest: bool) -> object:
        def read(tx: object) -> list[int]:
            lines = tx.lines  # type: ignore[attr-defined]
            return [one.seq for one in (lines.tail if newest else lines.page)("worker", text=text)]

        return read

    await store.write_logs(lambda tx: tx.lines.append_many(map(line, TEXTS)))
    before = [await store.read_logs(search(newest)) for newest in (False, True)]  # type: ignore[arg-type]
    await store.index_logs()
    assert await indexed(store)
    after = [await store.read_logs(search(newest)) for newest in (False, True)]  # type: ignore[arg-type]
    assert before == after == [found, found]


async def test_a_search_joins_what_is_indexed_and_what_is_not(store: Store) -> None:
    await write(store, *(line(f"match {n}") for n in range(10)))
    await store.index_logs()
    # Straight into the table, as lines are between their commit and their turn in the index.
    await store._logs.write(lambda tx: tx.lines.append_many(line(f"match {n}") for n in range(10, 15)))
    assert not await indexed(store)

    def read(tx: object) -> tuple[list[int], ...]:
        lines = tx.lines  # type: ignore[attr-defined]
        return (
            [one.seq for one in lines.page("worker", text="match")],
            [one.seq for one in lines.page("worker", text="match", after_seq=8, limit=4)],
            [one.seq for one in lines.tail("worker", text="match", limit=7)],
            [one.seq for one in lines.tail("worker", text="match", limit=3)],
        )

    everything, page, long_tail, short_tail = await store.read_logs(read)
    assert everything == list(range(1, 16))
    assert page == [9, 10, 11, 12]
    assert long_tail == list(range(9, 16))
    assert short_tail == [13, 14, 15]


async def test_the_index_follows_by_itself_in_batches(store: Store) -> None:
    await write(store, *(line(f"number {n}") for n in range(5000)))
    assert store._indexer is not None
    indexer = store._indexer
    await until(indexer.done, "the index has caught up")
    assert await indexed(store)
    found = await store.read_logs(lambda tx: tx.lines.page("worker", text="number 4999"))
    assert [one.seq for one in found] == [5000]


async def test_text_that_utf8_cannot_hold_is_kept_readable(store: Store) -> None:
    await write(store, line("before"), line("bad \ud800 text"), line("nul \x00 text"), line("after"))
    texts = [one.text for one in await store.read_logs(lambda tx: tx.lines.page("worker"))]
    assert texts == ["before", "bad \ufffd text", "nul \x00 text", "after"]


async def test_only_two_kinds_exist(store: Store) -> None:
    for call in (
        store.write_logs(lambda tx: tx.lines.append_many([line("x", kind="other")])),
        store.read_logs(lambda tx: tx.lines.page("worker_logs; DROP TABLE build_logs")),
    ):
        with pytest.raises(Usage, match="kind of log"):
            await call


async def test_logs_do_not_wait_for_the_truth(store: Store, folder: Path) -> None:
    async with await Store.open(folder, wait=DEADLINE) as other:

        async def log_meanwhile() -> int:
            return await write(store, line("while the other writes"))

        def hold(tx: object) -> bool:
            future = asyncio.run_coroutine_threadsafe(log_meanwhile(), loop)
            return future.result(DEADLINE) == 1

        loop = asyncio.get_running_loop()
        assert await other.write(hold)
