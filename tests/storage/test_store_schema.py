"""Migrations: by themselves, once, with a backup before; and never over what a newer program wrote."""

# ruff: noqa: ASYNC240 - a test has its loop to itself

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest
from store_helpers import Child, SetClock

from storage import migrate
from storage.errors import Refused, StoreBroken, StoreTooNew
from storage.migrate import SCHEMAS, Migration, migrations, statements
from storage.store import Store

TABLES = {
    "tasks",
    "patches",
    "patch_events",
    "delivery_reports",
    "ai_provider_configs",
    "ai_provider_assignments",
    "ai_provider_executions",
    "ops_issues",
    "ops_scans",
    "scan_runs",
    "audit_log",
    "schema_migrations",
}
LOG_TABLES = {"worker_logs", "build_logs", "schema_migrations"}

TODAY = SCHEMAS["hq"]
NEXT = Migration(
    version=TODAY + 1,
    name="colours",
    sql="CREATE TABLE colours (name TEXT);\nINSERT INTO colours VALUES ('green; ''blue''');\n"
    "CREATE TRIGGER colours_kept BEFORE DELETE ON colours\nBEGIN\n    SELECT RAISE(ABORT, 'kept');\nEND;\n",
)


@pytest.fixture
def tomorrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """The program of tomorrow, with one more migration."""
    known = migrations

    def more(schema: str) -> list[Migration]:
        return [*known(schema), NEXT] if schema == "hq" else known(schema)

    monkeypatch.setitem(SCHEMAS, "hq", TODAY + 1)
    monkeypatch.setattr(migrate, "migrations", more)


def tables(path: Path) -> set[str]:
    connection = sqlite3.connect(path)
    try:
        return {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")}
    finally:
        connection.close()


async def test_a_new_store_has_every_table(store: Store, folder: Path) -> None:
    await store.write_logs(lambda tx: None)
    assert tables(folder / "hq.db") >= TABLES
    assert tables(folder / "logs.db") >= LOG_TABLES
    assert (folder / ".gitignore").read_text() == "*\n"
    assert not (folder / "backups").exists()


def test_the_program_knows_its_newest_migration() -> None:
    for schema, version in SCHEMAS.items():
        assert [migration.version for migration in migrations(schema)] == list(range(1, version + 1))


async def test_a_migration_is_noted(store: Store, clock: SetClock) -> None:
    rows = await store.read(lambda tx: tx.rows("SELECT version, name, checksum, applied_at FROM schema_migrations"))
    assert rows == [(one.version, one.name, one.checksum, clock.at) for one in migrations("hq")]


async def test_patch_events_are_the_events_of_patches(store: Store) -> None:
    await store.write(lambda tx: tx.events.append("task.added", actor="ada", subject="task", subject_id="1"))
    await store.write(lambda tx: tx.events.append("patch.received", actor="ada", subject="patch", subject_id="7"))
    assert await store.read(lambda tx: tx.rows("SELECT seq, patch FROM patch_events")) == [(2, "7")]


async def test_an_older_store_is_backed_up_and_migrated(
    folder: Path, clock: SetClock, request: pytest.FixtureRequest
) -> None:
    async with await Store.open(folder) as old:
        await old.write(lambda tx: tx.settings.put("kept", "yes"))
    request.getfixturevalue("tomorrow")
    async with await Store.open(folder, clock=clock) as store:
        assert await store.read(lambda tx: tx.value("SELECT name FROM colours")) == "green; 'blue'"
        assert await store.read(lambda tx: tx.settings.get("kept")) == "yes"
        assert await store.read(lambda tx: tx.value("SELECT max(version) FROM schema_migrations")) == TODAY + 1
    (copy,) = (folder / "backups").iterdir()
    assert copy.name == f"hq-{TODAY}-20260301T120000000Z.db"
    assert "colours" not in tables(copy)
    connection = sqlite3.connect(copy)
    try:
        assert connection.execute("SELECT value FROM settings").fetchone() == ('"yes"',)
    finally:
        connection.close()


@pytest.mark.usefixtures("tomorrow")
async def test_two_that_open_an_older_store_at_once_migrate_it_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as today:
        today.setitem(SCHEMAS, "hq", TODAY)
        today.setattr(migrate, "migrations", lambda schema: [m for m in migrations(schema) if m.version <= TODAY])
        async with await Store.open(folder):
            pass
    stores = await asyncio.gather(*(Store.open(folder) for _ in range(4)))
    for store in stores:
        assert await store.read(lambda tx: tx.value("SELECT count(*) FROM colours")) == 1
        await store.close()
    assert len(list((folder / "backups").iterdir())) == 1


async def test_a_migration_that_fails_changes_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with await Store.open(folder):
        pass
    wrong = Migration(
        version=TODAY + 1, name="wrong", sql="CREATE TABLE half (a TEXT);\nINSERT INTO nowhere VALUES (1);\n"
    )
    monkeypatch.setitem(SCHEMAS, "hq", TODAY + 1)
    monkeypatch.setattr(migrate, "migrations", lambda schema: [wrong])
    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        await Store.open(folder)
    monkeypatch.undo()
    async with await Store.open(folder) as store:
        assert await store.check() == []
    assert "half" not in tables(folder / "hq.db")


async def test_a_newer_store_is_refused_with_both_versions(folder: Path) -> None:
    async with await Store.open(folder) as store:
        await store.write_logs(lambda tx: None)
    connection = sqlite3.connect(folder / "hq.db")
    connection.execute("INSERT INTO schema_migrations VALUES (99, 'later', '', 0)")
    connection.commit()
    connection.close()
    for read_only in (False, True):
        with pytest.raises(StoreTooNew) as caught:
            await Store.open(folder, read_only=read_only)
        assert caught.value.exit_code == 5
        assert "schema 99" in caught.value.message
        assert f"up to {TODAY}" in caught.value.message
        assert str(folder / "hq.db") in caught.value.message
        assert caught.value.details == {"found": 99, "known": TODAY}


async def test_a_program_that_runs_while_a_newer_one_migrates_stops_writing(folder: Path) -> None:
    async with await Store.open(folder) as store:
        await store.write(lambda tx: tx.settings.put("a", 1))
        connection = sqlite3.connect(folder / "hq.db")
        connection.execute("INSERT INTO schema_migrations VALUES (?, 'later', '', 0)", (TODAY + 1,))
        connection.commit()
        connection.close()
        with pytest.raises(StoreTooNew):
            await store.write(lambda tx: tx.settings.put("a", 2))
        assert await store.read(lambda tx: tx.settings.get("a")) == 1


async def test_an_older_store_is_not_migrated_by_a_viewer(folder: Path, request: pytest.FixtureRequest) -> None:
    async with await Store.open(folder):
        pass
    request.getfixturevalue("tomorrow")
    with pytest.raises(Refused, match=f"older schema {TODAY}") as caught:
        await Store.open(folder, read_only=True)
    assert "--read-only" in caught.value.hint
    assert "colours" not in tables(folder / "hq.db")


async def test_a_database_of_another_program_is_left_alone(folder: Path) -> None:
    folder.mkdir()
    connection = sqlite3.connect(folder / "hq.db")
    connection.execute("CREATE TABLE moz_places (id INTEGER)")
    connection.close()
    with pytest.raises(StoreBroken, match="some other program"):
        await Store.open(folder)
    assert tables(folder / "hq.db") == {"moz_places"}


async def test_an_empty_file_becomes_a_store(folder: Path) -> None:
    folder.mkdir()
    (folder / "hq.db").touch()
    async with await Store.open(folder) as store:
        assert await store.check() == []


async def test_a_file_whose_creation_was_cut_off_becomes_a_store(folder: Path) -> None:
    folder.mkdir()
    kill = (
        "import os, sqlite3, sys\n"
        "connection = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "connection.execute('PRAGMA cache_size = 1')\n"
        "connection.execute('BEGIN')\n"
        "connection.execute('CREATE TABLE half (a TEXT)')\n"
        "connection.executemany('INSERT INTO half VALUES (?)', [('x' * 5000,)] * 50)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    for name in ("hq.db", "logs.db"):
        Child(kill, folder / name).process.communicate()
        assert (folder / f"{name}-journal").exists()
    with pytest.raises(StoreBroken, match="program that was killed") as caught:
        await Store.open(folder, read_only=True)
    assert "without --read-only" in caught.value.hint
    async with await Store.open(folder) as store:
        assert await store.check() == []
        assert await store.read_logs(lambda tx: tx.lines.sources()) == []
    assert "half" not in tables(folder / "hq.db") | tables(folder / "logs.db")


async def test_migrations_are_checked(folder: Path) -> None:
    async with await Store.open(folder) as store:
        await store.write(lambda tx: tx.execute("UPDATE schema_migrations SET checksum = 'other'"))
        problems = await store.check()
        assert len(problems) == TODAY
        assert all("another wording" in problem for problem in problems)


def test_a_script_is_cut_into_statements() -> None:
    assert [statement.strip() for statement in statements(NEXT.sql)] == [
        "CREATE TABLE colours (name TEXT);",
        "INSERT INTO colours VALUES ('green; ''blue''');",
        "CREATE TRIGGER colours_kept BEFORE DELETE ON colours\nBEGIN\n    SELECT RAISE(ABORT, 'kept');\nEND;",
    ]


async def test_what_an_older_program_wrote_about_patches_is_there_after_the_migration(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        before.setitem(SCHEMAS, "hq", 1)
        before.setattr(migrate, "migrations", lambda schema: [one for one in migrations(schema) if one.version == 1])
        async with await Store.open(folder):
            pass
    connection = sqlite3.connect(folder / "hq.db")
    columns = "id, title, state, version, format, files, added, removed, hunks, risk, checks, repairs, report"
    connection.execute(
        f"INSERT INTO patches ({columns}, submitted_by, created_at, updated_at, search)"
        " VALUES (1, 't', 'proposed', 1, 'git', '[]', 0, 0, 2, 'low', '', 0, '[]', 'ada', 5, 5, '')"
    )
    connection.execute("INSERT INTO patch_versions VALUES (1, 1, 'git', 5, x'00')")
    connection.execute("INSERT INTO patch_decisions VALUES (1, 2, 'rejected', 'ada', 5, 'no')")
    connection.execute("INSERT INTO patch_comments VALUES (1, 1, 'why?', 'ada', 5, NULL, NULL)")
    connection.commit()
    connection.close()
    async with await Store.open(folder) as store:
        (decision,) = await store.read(lambda tx: tx.patches.decisions("1"))
        assert (decision.hunk, decision.decision, decision.digest) == (2, "rejected", None)
        (comment,) = await store.read(lambda tx: tx.patches.comments("1"))
        assert (comment.text, comment.hunk, comment.version, comment.quote, comment.resolved_by) == (
            "why?",
            None,
            1,
            "",
            None,
        )
        (version,) = await store.read(lambda tx: tx.patches.versions("1"))
        assert (version.by, version.base, version.reason) == ("", None, "")
        assert await store.check() == []
