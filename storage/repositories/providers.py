"""What this workspace knows about providers, and which does which task."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from storage.clock import EPOCH
from storage.records import Assignment, ProviderConfig
from storage.table import DICT, FLAG, Repository, Table, dump
from storage.transaction import Transaction


class ProviderRepository:
    """Configurations, probes and assignments."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._configs = _Configs(tx)
        self._assignments = _Assignments(tx)

    def configs(self) -> list[ProviderConfig]:
        """Every configuration, by name."""
        return self._configs.all()

    def put_config(self, config: ProviderConfig) -> None:
        """Stores a configuration in place of the one with its name."""
        self._configs.put(config)

    def assignment(self, task: str) -> Assignment | None:
        """Who does a task."""
        return self._assignments.of(task)

    def assign(self, assignment: Assignment) -> Assignment:
        """Gives a task to a provider, in place of who had it; a time that is not set becomes now."""
        if assignment.at == EPOCH:
            assignment = dataclasses.replace(assignment, at=self._tx.now)
        self._assignments.put(assignment)
        return assignment

    def unassign(self, task: str) -> None:
        """Takes a task from whoever had it."""
        self._tx.execute("DELETE FROM ai_provider_assignments WHERE task = ?", (task,))

    def assignments(self) -> list[Assignment]:
        """Every assignment, by task id."""
        return self._assignments.all()

    def record_probe(self, name: str, data: dict[str, Any]) -> None:
        """Notes what a look at the machine found out about a provider."""
        self._tx.execute(
            "INSERT INTO ai_provider_probes (name, at, data) VALUES (?, ?, ?)"
            " ON CONFLICT (name) DO UPDATE SET at = excluded.at, data = excluded.data",
            (name, self._tx.now, dump(data)),
        )

    def probes(self) -> dict[str, dict[str, Any]]:
        """Provider → what the last look found out."""
        rows = self._tx.rows("SELECT name, data FROM ai_provider_probes ORDER BY name")
        return {name: json.loads(data) for name, data in rows}


class _Configs(Repository[ProviderConfig]):
    table = Table(
        name="ai_provider_configs",
        record=ProviderConfig,
        order="name",
        key="name",
        codecs={"enabled": FLAG, "data": DICT},
    )

    def all(self) -> list[ProviderConfig]:
        return self._select("ORDER BY name")

    def put(self, config: ProviderConfig) -> None:
        self._upsert(config)


class _Assignments(Repository[Assignment]):
    table = Table(name="ai_provider_assignments", record=Assignment, order="task", key="task")

    def of(self, task: str) -> Assignment | None:
        return self._find("task = ?", (task,))

    def all(self) -> list[Assignment]:
        return self._select("ORDER BY task")

    def put(self, assignment: Assignment) -> None:
        self._upsert(assignment)
