"""Ops issues: one row per fingerprint, through all its lives."""

from __future__ import annotations

from typing import Any

from storage.errors import NotFound
from storage.records import Event, Issue
from storage.repositories.events import EventRepository
from storage.table import DICT, NUMBER_ID, Repository, Table, to_number

_SEVERITIES = {"critical": 0, "high": 1, "medium": 2, "low": 3}


class IssueRepository(Repository[Issue]):
    """Issues: unresolved first, critical before low, last seen first."""

    table = Table(
        name="ops_issues",
        record=Issue,
        order="resolved, severity_rank, last_seen DESC, id DESC",
        codecs={"id": NUMBER_ID, "data": DICT},
        search=("id", "detector", "severity", "status", "title", "message", "subject_id", "owner"),
        derived={
            "resolved": lambda issue: int(issue.status == "resolved"),
            "severity_rank": lambda issue: _SEVERITIES.get(issue.severity, 4),
        },
        sorts={"severity": "severity_rank"},
    )

    def next_id(self) -> str:
        """A new id: 1, 2, 3 …"""
        return str(self._tx.next_number("issue", "ops_issues"))

    def insert(self, issue: Issue) -> Issue:
        """Stores a new issue. A fingerprint has one issue for ever: look with :meth:`by_fingerprint` first."""
        self._insert(issue)
        return issue

    def update(self, issue: str, **fields: Any) -> Issue:
        """Changes some fields of an issue.

        :raises NotFound: for an unknown id.
        """
        found = self.get(issue)
        if found is None:
            raise NotFound(f"there is no issue {issue}", hint="See `vibehq ops list`.")
        return self._change(found, fields)

    def get(self, issue: str) -> Issue | None:
        """An issue by its id."""
        return self._find("id = ?", (to_number(issue),))

    def by_fingerprint(self, fingerprint: str) -> Issue | None:
        """The issue of a cause, resolved or not."""
        return self._find("fingerprint = ?", (fingerprint,))

    def unresolved(self) -> list[Issue]:
        """Every issue that is not resolved, in the default order."""
        return self._select(f"WHERE resolved = 0 ORDER BY {self.table.order}")

    def history(self, issue: str) -> list[Event]:
        """The events of an issue, newest first."""
        return EventRepository(self._tx).for_subject("issue", issue, 1000)
