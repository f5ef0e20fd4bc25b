"""What the body of a transaction gets: the repositories of each file."""

from __future__ import annotations

from functools import cached_property

from storage.repositories.audit import AuditRepository
from storage.repositories.events import EventRepository
from storage.repositories.executions import ExecutionRepository
from storage.repositories.issues import IssueRepository
from storage.repositories.leases import LeaseRepository
from storage.repositories.logs import LogLineRepository
from storage.repositories.memory import IdempotencyRepository, SettingRepository
from storage.repositories.patches import PatchRepository
from storage.repositories.providers import ProviderRepository
from storage.repositories.reports import ReportRepository
from storage.repositories.reviews import PatchActionRepository
from storage.repositories.scans import ScanRepository
from storage.repositories.tasks import TaskRepository
from storage.transaction import Transaction


class Tx(Transaction):
    """A transaction on the truth (``hq.db``). ``now`` is its time."""

    @cached_property
    def tasks(self) -> TaskRepository:
        """The mirror of the tasks files."""
        return TaskRepository(self)

    @cached_property
    def patches(self) -> PatchRepository:
        """Patches, their texts, decisions, marks and comments."""
        return PatchRepository(self)

    @cached_property
    def actions(self) -> PatchActionRepository:
        """What operators did in reviews, to undo and redo it."""
        return PatchActionRepository(self)

    @cached_property
    def events(self) -> EventRepository:
        """The event feed."""
        return EventRepository(self)

    @cached_property
    def issues(self) -> IssueRepository:
        """Ops issues."""
        return IssueRepository(self)

    @cached_property
    def scans(self) -> ScanRepository:
        """Scans and the due times of schedules."""
        return ScanRepository(self)

    @cached_property
    def leases(self) -> LeaseRepository:
        """Who leads."""
        return LeaseRepository(self)

    @cached_property
    def providers(self) -> ProviderRepository:
        """Provider configurations, probes and assignments."""
        return ProviderRepository(self)

    @cached_property
    def executions(self) -> ExecutionRepository:
        """Runs of providers."""
        return ExecutionRepository(self)

    @cached_property
    def audit(self) -> AuditRepository:
        """Who did what."""
        return AuditRepository(self)

    @cached_property
    def idempotency(self) -> IdempotencyRepository:
        """Answers of commands that may be repeated."""
        return IdempotencyRepository(self)

    @cached_property
    def settings(self) -> SettingRepository:
        """Small JSON values by key."""
        return SettingRepository(self)

    @cached_property
    def reports(self) -> ReportRepository:
        """Delivery reports."""
        return ReportRepository(self)


class LogTx(Transaction):
    """A transaction on the logs (``logs.db``)."""

    @cached_property
    def lines(self) -> LogLineRepository:
        """Log lines of every source."""
        return LogLineRepository(self)
