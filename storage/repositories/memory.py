"""Small things that are remembered: settings, and the answers to commands that may be repeated."""

from __future__ import annotations

import json
from typing import Any

from storage.table import dump
from storage.transaction import Transaction


class SettingRepository:
    """JSON values by key."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def get(self, key: str) -> Any:
        """The value of a key, None where there is none."""
        text = self._tx.value("SELECT value FROM settings WHERE key = ?", (key,))
        return None if text is None else json.loads(text)

    def put(self, key: str, value: Any) -> None:
        """Stores a JSON-ready value."""
        self._tx.execute(
            "INSERT INTO settings (key, value, updated_at) VALUES (?, ?, ?)"
            " ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at",
            (key, dump(value), self._tx.now),
        )


class IdempotencyRepository:
    """The answers of commands that carried an idempotency key."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def get(self, key: str) -> tuple[str, dict[str, Any]] | None:
        """``(command, answer)`` of the command that was done under a key."""
        row = self._tx.row("SELECT command, answer FROM idempotency WHERE key = ?", (key,))
        return None if row is None else (str(row[0]), json.loads(row[1]))

    def put(self, key: str, command: str, answer: dict[str, Any]) -> None:
        """Remembers an answer; in the same transaction as what the command changed. The first one stays."""
        self._tx.execute(
            "INSERT INTO idempotency (key, command, answer, at) VALUES (?, ?, ?, ?) ON CONFLICT (key) DO NOTHING",
            (key, command, dump(answer), self._tx.now),
        )
