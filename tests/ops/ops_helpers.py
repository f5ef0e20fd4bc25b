"""What the tests of scans share: a clock to set, a host to fill up, patches and what the planner says of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from storage.clock import Millis
from storage.errors import NotFound
from storage.records import Issue, Patch, PatchFile, Task
from storage.store import Store, Tx
from vibehq_tui.contracts.config import DEFAULT, Config
from vibehq_tui.ops.context import ScanContext
from vibehq_tui.ops.detector import Detector
from vibehq_tui.ops.host import Disk, Memory
from vibehq_tui.ops.model import Finding, PlanCheck, TouchedPath
from vibehq_tui.ops.service import OpsService
from vibehq_tui.tasks.problems import TaskProblem

HOUR = 3600
DAY = 24 * HOUR


class SetClock:
    """A clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.at = 1_772_366_400_000
        self.seconds = 1000.0

    def now(self) -> Millis:
        return Millis(self.at)

    def boot(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        self.at += int(seconds * 1000)
        self.seconds += seconds


@dataclass
class SetHost:
    """A machine whose disks and memory are as full as a test says."""

    disks: dict[Path, tuple[int, float]] = field(default_factory=dict)
    """Path → device and percent."""
    disk_percent: float = 10.0
    memory_percent: float = 10.0
    stalled: float | None = None
    broken: bool = False

    def disk(self, path: Path) -> Disk:
        if self.broken:
            raise OSError(5, "Input/output error")
        device, percent = self.disks.get(path, (1, self.disk_percent))
        return Disk(path=str(path), device=device, percent=percent, free=int(10**9 * (100 - percent)), total=10**11)

    def memory(self) -> Memory:
        free = int(16 * 10**7 * (100 - self.memory_percent))
        return Memory(percent=self.memory_percent, available=free, total=16 * 10**9, stalled=self.stalled)


class Planner:
    """Says of each patch what a test told it; counts how often it was asked."""

    def __init__(self, clock: SetClock) -> None:
        self.answers: dict[str, PlanCheck | BaseException] = {}
        self.asked: list[str] = []
        self.seconds = 0.0
        """How long planning one patch takes."""
        self._clock = clock

    async def __call__(self, patch_id: str) -> PlanCheck:
        self.asked.append(patch_id)
        self._clock.advance(self.seconds)
        answer = self.answers.get(patch_id, PlanCheck(ok=True, added_lines={}))
        if isinstance(answer, BaseException):
            raise answer
        return answer


class TaskFiles:
    """The problems of the tasks files."""

    def __init__(self) -> None:
        self.problems: list[TaskProblem] = []

    async def validate(self) -> list[TaskProblem]:
        return self.problems


@dataclass
class Stub:
    """A detector that does what a test says."""

    do: Callable[[ScanContext], Awaitable[Any]]
    id: str = "stub"
    title: str = "Stub"
    severity: str = "medium"
    scope: str = "incremental"
    cost: str = "low"
    subject: str = "workspace"

    async def look(self, ctx: ScanContext) -> list[Finding]:
        found: list[Finding] = await self.do(ctx)
        return found


def reporting(*findings: Finding, **more: Any) -> Stub:
    """A detector that reports ``findings``; the list of its attribute ``found`` may be changed."""

    async def do(_: ScanContext) -> list[Finding]:
        return list(found)

    found = list(findings)
    stub = Stub(do, **more)
    stub.found = found  # type: ignore[attr-defined]
    return stub


def finding(*key: str, severity: str = "medium", title: str = "Something is wrong", **more: Any) -> Finding:
    return Finding(key=key or ("it",), severity=severity, title=title, **more)


@dataclass
class World:
    """A workspace with a store and everything that a scan asks."""

    store: Store
    root: Path
    clock: SetClock
    host: SetHost
    planner: Planner
    files: TaskFiles
    config: Config = DEFAULT

    def ops(self, *detectors: Detector, actor: str = "ada", **more: Any) -> OpsService:
        """The service, with the built-in detectors unless some are given."""
        wired: dict[str, Any] = {"replan": self.planner, "tasks": self.files, "host": self.host} | more
        return OpsService(
            self.store,
            root=self.root,
            config=self.config,
            actor=actor,
            via="cli",
            detectors=detectors or None,
            **wired,
        )

    async def patch(self, title: str = "Change", *, paths: Iterable[str] = ("a.txt",), **fields: Any) -> Patch:
        """Stores a patch as it would be after submission."""

        def body(tx: Tx) -> Patch:
            values: dict[str, Any] = {"state": "proposed", "created_at": tx.now, "updated_at": tx.now} | fields
            files = tuple(PatchFile(path=path, op="modify", added=1) for path in paths)
            return tx.patches.insert(Patch(id=tx.patches.next_id(), title=title, files=files, **values))

        return await self.store.write(body)

    async def tasks(self, *tasks: Task) -> None:
        await self.store.write(lambda tx: tx.tasks.replace_all("tasks.json", tasks))

    async def issues(self, detector: str | None = None) -> list[Issue]:
        """Every issue, or those of one detector; resolved ones too."""
        found = await self.store.read(lambda tx: tx.issues.page(limit=10_000))
        return [issue for issue in found if detector in (None, issue.detector)]

    async def unresolved(self, detector: str | None = None) -> list[Issue]:
        return [issue for issue in await self.issues(detector) if issue.status != "resolved"]

    async def event_types(self) -> list[str]:
        """Types of all events, oldest first."""
        return [event.type for event in await self.store.read(lambda tx: tx.events.since(0, 10_000))]


def missing_patch(patch_id: str) -> NotFound:
    return NotFound(f"there is no patch {patch_id}")


def touching(path: str, *ranges: tuple[int, int], op: str = "modify", added: dict[str, Any] | None = None) -> PlanCheck:
    """A plan that applies and changes one path."""
    return PlanCheck(ok=True, touched=(TouchedPath(path=path, op=op, ranges=ranges),), added_lines=added or {})
