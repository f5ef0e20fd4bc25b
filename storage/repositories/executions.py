"""Runs of providers on tasks."""

from __future__ import annotations

from typing import Any

from storage.clock import Millis
from storage.errors import NotFound
from storage.records import Execution
from storage.table import NUMBER_ID, Repository, Table, to_number


class ExecutionRepository(Repository[Execution]):
    """Executions, newest first."""

    table = Table(
        name="ai_provider_executions",
        record=Execution,
        order="id DESC",
        codecs={"id": NUMBER_ID},
        search=("id", "provider", "state", "task", "patch", "message"),
    )

    def next_id(self) -> str:
        """A new id: 1, 2, 3 …"""
        return str(self._tx.next_number("execution", "ai_provider_executions"))

    def insert(self, execution: Execution) -> Execution:
        """Stores a new execution."""
        self._insert(execution)
        return execution

    def update(self, execution: str, **fields: Any) -> Execution:
        """Changes some fields of an execution.

        :raises NotFound: for an unknown id.
        """
        found = self.get(execution)
        if found is None:
            raise NotFound(f"there is no execution {execution}", hint="See `vibehq execution list`.")
        return self._change(found, fields)

    def get(self, execution: str) -> Execution | None:
        """An execution by its id."""
        return self._find("id = ?", (to_number(execution),))

    def cost_since(self, moment: Millis) -> int:
        """What the executions that started at ``moment`` or later have cost so far, in micro-dollars."""
        sql = "SELECT coalesce(sum(cost_micros), 0) FROM ai_provider_executions WHERE started_at >= ?"
        return int(self._tx.value(sql, (moment,)))

    def running(self) -> list[Execution]:
        """The executions that run, oldest first."""
        return self._select("WHERE state = 'running' ORDER BY id")
