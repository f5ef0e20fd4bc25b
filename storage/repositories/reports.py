"""Delivery reports."""

from __future__ import annotations

import dataclasses

from storage.clock import EPOCH
from storage.records import DeliveryReport
from storage.table import DICT, Repository, Table


class ReportRepository(Repository[DeliveryReport]):
    """Delivery reports, newest first."""

    table = Table(
        name="delivery_reports",
        record=DeliveryReport,
        order="created_at DESC, id DESC",
        codecs={"data": DICT},
        search=("id", "subject", "state"),
    )

    def insert(self, report: DeliveryReport) -> DeliveryReport:
        """Stores a new report; a time that is not set becomes now."""
        if report.created_at == EPOCH:
            report = dataclasses.replace(report, created_at=self._tx.now)
        self._insert(report)
        return report

    def get(self, report: str) -> DeliveryReport | None:
        """A report by its id."""
        return self._find("id = ?", (report,))
