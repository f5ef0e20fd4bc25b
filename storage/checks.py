"""Is a store sound?"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from storage.errors import StoreBroken
from storage.migrate import migrate_in_memory, migrations, quick_check
from storage.transaction import Transaction
from storage.tx import Tx


def file_problems(path: Path) -> list[str]:
    """What SQLite itself finds wrong with a file."""
    try:
        return [f"{path.name}: {problem}" for problem in quick_check(path)]
    except StoreBroken as error:
        return [f"{path.name}: {error.message}"]


def schema_problems(tx: Transaction, schema: str) -> list[str]:
    """Migrations that are missing, or that were not the ones this program knows."""
    applied = {row[0]: (row[1], row[2]) for row in tx.rows("SELECT version, name, checksum FROM schema_migrations")}
    found = []
    for migration in migrations(schema):
        name, checksum = applied.pop(migration.version, ("", ""))
        if not checksum:
            found.append(f"{schema}.db: migration {migration.version} ({migration.name}) was not applied")
        elif checksum != migration.checksum:
            found.append(f"{schema}.db: migration {migration.version} ({name}) was applied in another wording")
    found += [f"{schema}.db: migration {version} is unknown to this program" for version in applied]
    return found or _object_problems(tx, schema)


def _object_problems(tx: Transaction, schema: str) -> list[str]:
    """Tables, indexes, views and triggers that are not as the migrations make them."""
    memory = sqlite3.connect(":memory:", isolation_level=None)
    try:
        migrate_in_memory(memory, schema, tx.now)
        wanted = _objects(memory)
    finally:
        memory.close()
    present = _objects(tx)
    found = [f"{schema}.db: the {wanted[name][0]} {name} is missing" for name in wanted.keys() - present.keys()]
    found += [f"{schema}.db: the {present[name][0]} {name} does not belong" for name in present.keys() - wanted.keys()]
    found += [
        f"{schema}.db: the {kind} {name} was changed"
        for name, (kind, _) in wanted.items()
        if name in present and present[name] != wanted[name]
    ]
    return sorted(found)


def _objects(connection: Transaction | sqlite3.Connection) -> dict[str, tuple[str, str]]:
    # The tables inside a full-text index are its own affair and differ between versions of SQLite.
    sql = "SELECT name, type, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite~_%' ESCAPE '~'"
    sql += " AND name NOT LIKE '%~_logs~_text~_%' ESCAPE '~'"
    return {name: (kind, text) for name, kind, text in connection.execute(sql)}


def truth_problems(tx: Tx) -> list[str]:
    """Dangling references and a broken audit chain."""
    found = [
        f"hq.db: a row of {row[0]} refers to a row of {row[2]} that does not exist"
        for row in tx.rows("PRAGMA foreign_key_check")[:10]
    ]
    return found + tx.audit.verify()
