"""The composition: opens the store of a workspace and wires the services on it. What every face sees.

::

    async with await Headquarters.open(root, via="cli") as hq:
        for patch in await hq.patches.page(Query()):
            …
"""

from __future__ import annotations

import asyncio
import getpass
import os
from collections.abc import Coroutine
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from storage.clock import SYSTEM_CLOCK, Clock, Millis
from storage.errors import NotFound
from storage.query import Query
from storage.store import Store, Tx
from vibehq_tui.contracts.config_files import is_configured
from vibehq_tui.tasks.service import SyncReport, TaskService

if TYPE_CHECKING:  # lower floors, loaded when first used: a call that shows a task needs none of them
    from vibehq_tui.contracts.config import Config
    from vibehq_tui.ops.model import PlanCheck
    from vibehq_tui.ops.service import OpsService
    from vibehq_tui.patches.queue.manager import PatchManager
    from vibehq_tui.providers.service import ProviderService
    from vibehq_tui.schedule.scheduler import Scheduler
    from vibehq_tui.terminal.logs import LogService

STATE_FOLDER = ".vibehq"
_DAY = 86_400_000
_UNRESOLVED = ("open", "acknowledged", "snoozed", "claimed")


def operator_name() -> str:
    """Who acts: the account on this machine."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid-{os.getuid()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The numbers of the status strip."""

    workspace: str
    branch: str | None
    head: str | None
    tasks: dict[str, int]
    """Number of tasks by state."""
    patches: dict[str, int]
    """Number of patches by state."""
    issues: dict[str, int]
    """Number of unresolved issues by severity."""
    agents_running: int
    agents_known: int
    cost_micros_today: int
    leader: str | None
    leads: bool
    next_incremental: Millis | None
    next_full: Millis | None


class Headquarters:
    """One workspace, opened by one process."""

    def __init__(self, root: Path, store: Store, *, via: str, actor: str) -> None:
        self.root = root
        self.state = root / STATE_FOLDER
        self.store = store
        self.via = via
        self.actor = actor
        self.recovered: tuple[str, ...] = ()
        """What was found half-done when this process opened the workspace, and what became of it."""
        self.synced: SyncReport | None = None
        """How the tasks files were found when this process opened the workspace."""
        self._background: set[asyncio.Task[None]] = set()

    @classmethod
    async def open(
        cls,
        root: Path,
        *,
        via: str,
        read_only: bool = False,
        create: bool = False,
        clock: Clock = SYSTEM_CLOCK,
        actor: str | None = None,
    ) -> Headquarters:
        """Opens the workspace at ``root``, finishes what a dead process left half-done, and reads the tasks files.

        :param via: the face that asks, for the audit: ``tui``, ``cli`` or ``service``.
        :param read_only: change nothing, not even to recover or to read changed tasks files into the store.
        :param create: make the state folder and the store where there are none.
        :raises NotFound: when there is no workspace at ``root`` and none is to be made.
        """
        state = root / STATE_FOLDER
        if not create and not (state / "hq.db").exists():
            raise NotFound(
                f"there is no workspace at {root}", code="no-workspace", hint=f"set it up with: vibehq -C {root} init"
            )
        store = await Store.open(state, clock=clock, read_only=read_only)
        try:
            hq = cls(root, store, via=via, actor=actor or operator_name())
            if is_configured(root):
                _ = hq.config  # what is wrong in it is said before anything is done
            if not read_only:
                await hq._settle()
        except BaseException:  # whatever it was, the store must not stay open
            await store.close()
            raise
        return hq

    async def _settle(self) -> None:
        if await self.store.read(lambda tx: bool(tx.patches.pending())) or self._unfinished_journal():
            self.recovered = tuple(await self.patches.application.recover())
        self.synced = await self.tasks.sync()
        if self.synced.added or self.synced.changed or self.synced.removed:
            await self._assign_by_rules()

    async def _assign_by_rules(self) -> None:
        """Lets the rules of the configuration, where there are any, have their say about new and changed tasks."""
        if is_configured(self.root) and self.config.routes:
            await self.providers.assign_by_rules()

    def _unfinished_journal(self) -> bool:
        try:
            return any(os.scandir(self.state / "journal"))
        except OSError:
            return False

    @property
    def read_only(self) -> bool:
        """Whether commands that change something are refused."""
        return self.store.read_only

    # -- services, each loaded when first used ---------------------------------------------------------------------

    @cached_property
    def config(self) -> Config:
        """What ``vibehq.toml`` and the operator's own file say.

        :raises Refused: when one of them is invalid.
        """
        from vibehq_tui.contracts.config import load, user_config_dir  # noqa: PLC0415 - 15 ms, and mostly no file

        return load(self.root, user_config_dir())

    @cached_property
    def tasks(self) -> TaskService:
        """The tasks files and their mirror."""
        if not is_configured(self.root):
            return TaskService(self.store, self.root, self.actor, self.via)
        file, limit = self.config.tasks.file or None, self.config.limits.tasks_size
        return TaskService(self.store, self.root, self.actor, self.via, file=file, max_bytes=limit)

    @cached_property
    def patches(self) -> PatchManager:
        """The patch queue."""
        from vibehq_tui.patches.queue.manager import PatchManager  # noqa: PLC0415 - loaded when first used

        return PatchManager(self.store, self.root, self.tasks, self.config, actor=self.actor, via=self.via)

    @cached_property
    def logs(self) -> LogService:
        """Worker and build logs."""
        from vibehq_tui.terminal.logs import LogService  # noqa: PLC0415 - loaded when first used

        return LogService(self.store)

    @cached_property
    def providers(self) -> ProviderService:
        """Agents and assignments."""
        from vibehq_tui.providers.service import ProviderService  # noqa: PLC0415 - loaded when first used

        return ProviderService(self.store, self.root, self.config, actor=self.actor, via=self.via)

    @cached_property
    def ops(self) -> OpsService:
        """Scans and issues."""
        from vibehq_tui.ops.service import OpsService  # noqa: PLC0415 - loaded when first used

        return OpsService(
            self.store,
            root=self.root,
            config=self.config,
            actor=self.actor,
            via=self.via,
            replan=self._replan,
            tasks=self.tasks,
        )

    @cached_property
    def schedule(self) -> Scheduler:
        """When scans run, and which process leads."""
        from vibehq_tui.schedule.scheduler import Scheduler  # noqa: PLC0415 - loaded when first used

        return Scheduler(self.store, self.ops, self.config, actor=self.actor, via=self.via)

    async def _replan(self, patch_id: str) -> PlanCheck:
        """What the detectors ask about an open patch."""
        from vibehq_tui.ops.model import PlanCheck, TouchedPath  # noqa: PLC0415 - loaded when first used
        from vibehq_tui.patches.errors import PatchConflict, PatchRefused  # noqa: PLC0415 - loaded when first used
        from vibehq_tui.patches.queue.overlap import added_lines, touched  # noqa: PLC0415 - loaded when first used

        try:
            plan = await self.patches.plan(patch_id)
        except (PatchConflict, PatchRefused) as error:
            return PlanCheck(ok=False, problems=tuple(problem.to_wire() for problem in error.problems))
        paths = tuple(TouchedPath(path=path, op=op, ranges=ranges) for path, op, ranges in touched(plan))
        return PlanCheck(ok=True, touched=paths, added_lines=added_lines(plan))

    # -- looking ---------------------------------------------------------------------------------------------------

    async def overview(self) -> Overview:
        """The numbers of the status strip."""
        from vibehq_tui.patches.commits.git import branch, head  # noqa: PLC0415 - loaded when first used

        def body(tx: Tx) -> tuple[dict[str, int], dict[str, int], dict[str, int], int, int, int]:
            day = tx.now - tx.now % _DAY
            running = tx.executions.running()
            return (
                tx.tasks.tally("state"),
                tx.patches.tally("state"),
                tx.issues.tally("severity", Query(where={"status": _UNRESOLVED})),
                len({execution.provider for execution in running}),
                sum(bool(probe.get("path")) for probe in tx.providers.probes().values()),
                tx.executions.cost_since(Millis(day)),
            )

        tasks, patches, issues, running, known, cost = await self.store.read(body)
        runs = self.schedule.next_runs()
        leader = await self.schedule.leader()
        return Overview(
            workspace=self.root.name,
            branch=await asyncio.to_thread(branch, self.root),
            head=await asyncio.to_thread(head, self.root),
            tasks=tasks,
            patches=patches,
            issues=issues,
            agents_running=running,
            agents_known=known,
            cost_micros_today=cost,
            leader=leader,
            leads=self.schedule.is_leader,
            next_incremental=runs.get("incremental"),
            next_full=runs.get("full"),
        )

    # -- background ------------------------------------------------------------------------------------------------

    async def start_services(self) -> None:
        """Starts what a long-lived process does beside its face: following the tasks files, scheduled scans, probes."""
        if self.read_only:
            return
        self._start(self._follow_tasks(), "tasks")
        await self.schedule.start()
        self._start(self._probe(), "providers")

    def _start(self, work: Coroutine[None, None, None], name: str) -> None:
        task = asyncio.create_task(work, name=f"headquarters/{name}")
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _follow_tasks(self) -> None:
        async for _ in self.tasks.changes():  # mirrored and in the feed by the time it gets here
            await self._assign_by_rules()

    async def _probe(self) -> None:
        await self.providers.probe()

    async def close(self) -> None:
        """Stops the background services and closes the store."""
        if "schedule" in self.__dict__:
            await self.schedule.stop()
        for task in list(self._background):
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        await self.store.close()

    async def __aenter__(self) -> Headquarters:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
