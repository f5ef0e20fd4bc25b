"""The audit log cannot be changed, and where it was changed anyway, that is found."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from store_helpers import SetClock

from storage.query import Query
from storage.store import Store


@pytest.fixture
async def audited(store: Store, clock: SetClock) -> Store:
    for number in range(1, 6):
        clock.advance(1)
        await store.write(
            lambda tx, number=number: tx.audit.append(
                actor="ada",
                via="cli",
                verb="patch.apply",
                object=f"patch/{number}",
                result="done",
                detail=f"é\ud800{number}",
            )
        )
    return store


def tamper(folder: Path, *statements: str) -> None:
    """Changes the file as somebody would who has it in hand."""
    connection = sqlite3.connect(folder / "hq.db")
    try:
        for trigger in ("audit_log_no_update", "audit_log_no_delete"):
            connection.execute(f"DROP TRIGGER {trigger}")
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    finally:
        connection.close()


async def test_entries_are_chained_and_sound(audited: Store) -> None:
    entries = await audited.read(lambda tx: tx.audit.page())
    assert [entry.seq for entry in entries] == [5, 4, 3, 2, 1]
    assert len({entry.hash for entry in entries}) == 5
    assert entries[0].detail == "é\ufffd5"
    assert await audited.read(lambda tx: tx.audit.count()) == 5
    assert await audited.read(lambda tx: tx.audit.count(Query(where={"object": "patch/3"}))) == 1
    assert [e.seq for e in await audited.read(lambda tx: tx.audit.page(Query(text="PATCH/2")))] == [2]
    assert await audited.read(lambda tx: tx.audit.verify()) == []


async def test_an_empty_log_is_sound(store: Store) -> None:
    assert await store.read(lambda tx: tx.audit.verify()) == []


async def test_the_store_refuses_to_change_it(audited: Store) -> None:
    for sql in ("UPDATE audit_log SET actor = 'bo'", "DELETE FROM audit_log WHERE seq = 5"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            await audited.write(lambda tx, sql=sql: tx.execute(sql))


@pytest.mark.parametrize(
    ("statement", "finding"),
    [
        ("UPDATE audit_log SET actor = 'bo' WHERE seq = 3", "entry 3"),
        ("UPDATE audit_log SET at = at + 1 WHERE seq = 1", "entry 1"),
        ("UPDATE audit_log SET result = 'refused' WHERE seq = 5", "entry 5"),
        ("DELETE FROM audit_log WHERE seq = 2", "entries 2 to 2 are missing"),
        ("DELETE FROM audit_log WHERE seq > 3", "ends at entry 3, but 5 were written"),
        ("DELETE FROM audit_log", "ends at entry 0, but 5 were written"),
        (
            "INSERT INTO audit_log SELECT 6, at, actor, via, verb, object, result, detail, hash, search"
            " FROM audit_log WHERE seq = 5",
            "entry 6",
        ),
    ],
)
async def test_a_change_by_hand_is_found(audited: Store, folder: Path, statement: str, finding: str) -> None:
    tamper(folder, statement)
    problems = await audited.check()
    assert any(finding in problem for problem in problems), problems


async def test_a_missing_trigger_is_found(audited: Store, folder: Path) -> None:
    tamper(folder)
    problems = await audited.check()
    assert any("audit_log_no_delete" in problem for problem in problems), problems
