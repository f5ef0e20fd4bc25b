"""What a scan gives to its detectors, and what they tell it besides their findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from storage.clock import Clock, Millis
from storage.records import Issue
from storage.store import Store
from vibehq_tui.contracts.config import Config
from vibehq_tui.ops.desk import PlanDesk
from vibehq_tui.ops.host import Host
from vibehq_tui.ops.model import TaskSource


@dataclass(frozen=True, slots=True)
class ScanProgress:
    """How far a scan is."""

    done: int
    total: int
    """Detectors."""
    detector: str
    """The title of the one that runs now; empty at the end."""
    message: str = ""

    def __str__(self) -> str:
        what = f"{self.detector}: {self.message}" if self.message else self.detector
        return f"{self.done}/{self.total} {what}".strip()


Progress = Callable[[ScanProgress], None]


class ScanContext:
    """One detector's view of one scan."""

    def __init__(
        self,
        *,
        store: Store,
        root: Path,
        clock: Clock,
        config: Config,
        scope: str,
        host: Host,
        known: Sequence[Issue],
        tasks: TaskSource | None = None,
        desk: PlanDesk | None = None,
        report: Callable[[str], None] | None = None,
    ) -> None:
        self.store = store
        self.root = root
        self.clock = clock
        self.config = config
        self.scope = scope
        """incremental or full."""
        self.host = host
        self.known = tuple(known)
        """This detector's issues that are not resolved, for hysteresis and for :meth:`keep`."""
        self.tasks = tasks
        """None where nothing can be asked about the tasks files."""
        self.desk = desk
        """None where patches cannot be planned."""
        self.now: Millis = clock.now()
        self.kept: set[str] = set()
        """Ids of issues about which this look says nothing: they stay as they are."""
        self.notes: list[str] = []
        """What was left out, for the record of the scan."""
        self.skipped: str | None = None
        """Why this detector could not look at all."""
        self._report = report

    def progress(self, message: str) -> None:
        """Says what the detector is at."""
        if self._report is not None:
            self._report(message)

    def keep(self, issues: Iterable[Issue], because: str = "") -> None:
        """Leaves issues as they are, for nothing was learned about their cause; ``because`` goes on record."""
        ids = {issue.id for issue in issues}
        self.kept |= ids
        if ids and because:
            self.leave_out(because)

    def leave_out(self, what: str) -> None:
        """Puts on record what was not looked at, and why."""
        self.notes.append(what)

    def skip(self, because: str) -> None:
        """Says that nothing could be looked at: the result is ``skipped``, and no issue is resolved by it."""
        self.skipped = because
