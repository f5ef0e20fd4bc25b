"""Numbered migrations, each in one transaction with the row that says it is done."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from storage.channel import uri
from storage.clock import Millis, to_iso
from storage.errors import StoreBroken, StoreTooNew
from storage.failures import files_translated, full, translated

SCHEMAS = {"hq": 3, "logs": 1}
"""File (``hq.db``, ``logs.db``) → the schema that this program writes: the number of its newest migration."""

_LEDGER = """
CREATE TABLE schema_migrations (
    version INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    checksum TEXT NOT NULL,
    applied_at INTEGER NOT NULL
)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One numbered step of a schema."""

    version: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the text."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def migrations(schema: str) -> list[Migration]:
    """All migrations of ``hq`` or ``logs``, in order."""
    from importlib.resources import files  # noqa: PLC0415 - slow to load, and only a new or an old store needs it

    found = []
    for entry in files("storage").joinpath("migrations", schema).iterdir():
        number, _, name = entry.name.removesuffix(".sql").partition("_")
        if entry.name.endswith(".sql"):
            found.append(Migration(version=int(number), name=name, sql=entry.read_text(encoding="utf-8")))
    return sorted(found, key=lambda migration: migration.version)


def schema_version(connection: sqlite3.Connection) -> int:
    """The schema of a file; 0 for an empty one.

    :raises StoreBroken: when the file holds something else.
    """
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' LIMIT 1")}
    if not tables:
        return 0
    try:
        return int(connection.execute("SELECT coalesce(max(version), 0) FROM schema_migrations").fetchone()[0])
    except sqlite3.OperationalError as error:
        if "no such table" not in str(error):
            raise
        raise StoreBroken(
            "the file is a database of some other program", code="store-foreign", hint="Move it out of the way."
        ) from error


def check_version(connection: sqlite3.Connection, schema: str, path: Path) -> None:
    """
    :raises StoreTooNew: when a newer program has migrated the file.
    """
    version = connection.execute("SELECT max(version) FROM schema_migrations").fetchone()[0]
    if version > SCHEMAS[schema]:
        raise too_new(path, version, SCHEMAS[schema])


def too_new(path: Path, version: int, known: int) -> StoreTooNew:
    """The refusal of a newer schema."""
    return StoreTooNew(
        f"{path} has schema {version}; this program knows schemas up to {known}",
        hint="Update this program, or use the newer one that wrote the store.",
        details={"found": version, "known": known},
    )


def migrate(connection: sqlite3.Connection, schema: str, path: Path, backups: Path, now: Millis) -> None:
    """Brings a file to this program's schema. The caller holds the gate, so one process does it.

    :raises StoreTooNew: when it is newer.
    """
    if connection.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
        raise StoreBroken(
            f"{path} cannot be shared: its file system has no shared memory for files",
            code="store-file-system",
            hint="Put the workspace on a local disk; network file systems cannot hold a store.",
        )
    version = schema_version(connection)
    if version > SCHEMAS[schema]:
        raise too_new(path, version, SCHEMAS[schema])
    if version == SCHEMAS[schema]:
        return
    if version > 0:
        backup(path, backups / backup_name(schema, version, now))
    for migration in migrations(schema):
        if migration.version > version:
            _apply(connection, migration, now)


def migrate_in_memory(connection: sqlite3.Connection, schema: str, now: Millis) -> None:
    """Gives an empty database in memory the schema, for a file that does not exist and must not be created."""
    for migration in migrations(schema):
        _apply(connection, migration, now)


def _apply(connection: sqlite3.Connection, migration: Migration, now: Millis) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        if migration.version == 1:
            connection.execute(_LEDGER)
        for statement in statements(migration.sql):
            connection.execute(statement)
        connection.execute(
            "INSERT INTO schema_migrations (version, name, checksum, applied_at) VALUES (?, ?, ?, ?)",
            (migration.version, migration.name, migration.checksum, now),
        )
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def statements(sql: str) -> Iterator[str]:
    """The statements of a script; ``executescript`` would commit before it begins."""
    statement = ""
    for line in sql.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def backup_name(schema: str, version: int, now: Millis) -> str:
    """``hq-1-20260301T120000123Z.db``."""
    return f"{schema}-{version}-{to_iso(now).translate(str.maketrans('', '', '-:.'))}.db"


def backup(path: Path, target: Path) -> None:
    """Writes a sound copy of a file that others may be writing to; it appears under its name when it is whole.

    :raises StoreBroken: when there is no room, or the copy is not sound.
    """
    part = target.with_name(target.name + ".part")
    with files_translated(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        part.unlink(missing_ok=True)
        try:
            try:
                with _looking_at(path) as connection:
                    connection.execute("VACUUM INTO ?", (str(part),))
            except StoreBroken as error:
                raise full(target) if error.code == "disk-full" else error from error
            problems = quick_check(part)
            if problems:
                raise StoreBroken(f"the copy of {path} is not sound: {problems[0]}", code="store-corrupt")
            _settle(part, target)
        finally:
            part.unlink(missing_ok=True)


def quick_check(path: Path) -> list[str]:
    """What SQLite finds wrong with a file; empty when it is sound."""
    with _looking_at(path) as connection:
        found = [str(row[0]) for row in connection.execute("PRAGMA quick_check(10)")]
    return [] if found == ["ok"] else found


@contextmanager
def _looking_at(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection of its own for what takes long, so that no reader waits behind it."""
    with translated(path):
        connection = sqlite3.connect(uri(path, "ro"), uri=True, timeout=10, isolation_level=None)
        try:
            yield connection
        finally:
            connection.close()


def _settle(part: Path, target: Path) -> None:
    """Makes the copy durable, then gives it its name, then makes the name durable."""
    _sync(part)
    part.replace(target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
