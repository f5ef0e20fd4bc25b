"""A scan: which detectors run, for how long, and what is put on record."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from storage.clock import Clock
from storage.query import Query
from storage.records import OpsScan
from storage.store import Store, Tx
from vibehq_tui.contracts import events
from vibehq_tui.contracts.config import SCOPES, Config
from vibehq_tui.ops.context import Progress, ScanContext, ScanProgress
from vibehq_tui.ops.desk import PlanCache, PlanDesk
from vibehq_tui.ops.detector import Detector
from vibehq_tui.ops.host import Host
from vibehq_tui.ops.lifecycle import Tally, settle, unresolved_of
from vibehq_tui.ops.model import Replan, TaskSource
from vibehq_tui.ops.scan import HEALTH_ID, Look, health_findings, look

_FULL_FACTOR: Final = 10
"""A detector may take this much longer in a full scan."""
_PLANNER: Final = "patch planner"
"""Not a detector, but what several of them ask; its errors are told like theirs."""


class Scanner:
    """Runs one scan at a time. The caller has checked scope and trigger."""

    def __init__(
        self,
        store: Store,
        *,
        root: Path,
        config: Config,
        actor: str,
        detectors: Sequence[Detector],
        host: Host,
        replan: Replan | None,
        tasks: TaskSource | None,
    ) -> None:
        self._store = store
        self._root = root
        self._config = config
        self._actor = actor
        self._detectors = detectors
        self._host = host
        self._replan = replan
        self._tasks = tasks
        self._plans = PlanCache(root)
        self._scanning = asyncio.Lock()

    @property
    def _clock(self) -> Clock:
        return self._store.clock

    async def scan(self, scope: str, trigger: str, progress: Progress | None) -> OpsScan:
        """Runs the detectors of a scope and records the result; ``failed`` when time ran out before all had a turn."""
        async with self._scanning:
            scan = await self._store.write(lambda tx: self._start(tx, scope, trigger))
            try:
                return await self._run(scan, progress)
            except BaseException as error:  # whatever ended the scan, its record says so
                await self._abandon(scan, error)
                raise

    def _start(self, tx: Tx, scope: str, trigger: str) -> OpsScan:
        self._close_orphans(tx)
        scan = tx.scans.start(scope, trigger)
        tx.events.append(
            events.SCAN_STARTED,
            actor=self._actor,
            subject="scan",
            subject_id=scan.id,
            message=f"{scope} scan",
            data={"scope": scope, "trigger": trigger},
        )
        return scan

    def _close_orphans(self, tx: Tx) -> None:
        """Scans of a process that was killed stay ``running``; nobody else can say that they ended."""
        query = Query(where={"state": "running"})
        longest = 2 * 1000 * self._config.scan.timeout
        for orphan in tx.scans.page(query, 0, 100):
            if tx.now - orphan.started_at > longest:
                tx.scans.finish(orphan.id, state="failed")

    async def _run(self, scan: OpsScan, progress: Progress | None) -> OpsScan:
        chosen = self._chosen(scan.scope)
        deadline = self._clock.boot() + self._config.scan.timeout
        limit = self._config.scan.detector_timeout * (_FULL_FACTOR if scan.scope == "full" else 1)
        desk = self._desk(scan.scope, limit)
        looks: list[Look] = []
        total = Tally()
        tell = _Teller(progress, len(chosen))
        rows: list[dict[str, Any]] = []
        for number, detector in enumerate(chosen):
            left = deadline - self._clock.boot()
            if left <= 0:
                late = Look(detector=detector, result="skipped", millis=0, message="the scan ran out of time")
                rows.append(_row(late))
                continue
            tell(number, detector.title)
            report = partial(tell, number, detector.title)
            one, tally = await self._look(scan, detector, desk, min(limit, left), report)
            looks.append(one)
            rows.append(_row(one, tally))
            _add(total, tally)
        troubles = [(_PLANNER, text) for text in desk.troubles[:1]] if desk else []
        _add(total, await self._settle_health(scan, looks, troubles, planned=desk is not None))
        tell(len(chosen))
        state = "completed" if len(looks) == len(chosen) else "failed"
        return await self._store.write(lambda tx: self._finish(tx, scan, state, rows, total))

    def _chosen(self, scope: str) -> list[Detector]:
        disabled = set(self._config.scan.disabled)
        return [
            detector
            for detector in self._detectors
            if (scope == "full" or detector.scope == "incremental") and detector.id not in disabled
        ]

    def _desk(self, scope: str, limit: float) -> PlanDesk | None:
        if self._replan is None:
            return None
        full = scope == "full"
        return PlanDesk(
            self._store,
            self._clock,
            self._replan,
            self._plans,
            patches=None if full else self._config.scan.plan_patches,
            # the detector that plans must be left the time to say what it found
            seconds=0.8 * limit if full else min(self._config.scan.plan_time, 0.8 * limit),
        )

    async def _look(
        self,
        scan: OpsScan,
        detector: Detector,
        desk: PlanDesk | None,
        limit: float,
        report: Callable[[str], None],
    ) -> tuple[Look, Tally | None]:
        known = await self._store.read(lambda tx: unresolved_of(tx, detector.id))
        ctx = ScanContext(
            store=self._store,
            root=self._root,
            clock=self._clock,
            config=self._config,
            scope=scan.scope,
            host=self._host,
            known=known,
            tasks=self._tasks,
            desk=desk,
            report=report,
        )
        one = await look(detector, ctx, self._clock, limit)
        if one.result != "completed":
            return one, None
        tally = await self._store.write(
            lambda tx: settle(
                tx,
                detector=detector.id,
                issue_scope=detector.scope,
                findings=one.findings,
                kept=one.kept,
                resolves=SCOPES if scan.scope == "full" else ("incremental",),
                observed_at=ctx.now,
            )
        )
        return one, tally

    async def _settle_health(
        self, scan: OpsScan, looks: Sequence[Look], troubles: Sequence[tuple[str, str]], *, planned: bool
    ) -> Tally:
        """Issues about detectors; those about one that did not run, or was skipped, stay as they are."""
        known = {one.detector.id for one in looks if one.result != "skipped"} | ({_PLANNER} if planned else set())

        def body(tx: Tx) -> Tally:
            kept = {issue.id for issue in unresolved_of(tx, HEALTH_ID) if issue.subject_id not in known}
            return settle(
                tx,
                detector=HEALTH_ID,
                issue_scope="incremental",
                findings=health_findings(looks, troubles),
                kept=kept,
                resolves=SCOPES,
                observed_at=scan.started_at,
            )

        return await self._store.write(body)

    def _finish(self, tx: Tx, scan: OpsScan, state: str, rows: list[dict[str, Any]], total: Tally) -> OpsScan:
        done = tx.scans.finish(
            scan.id,
            state=state,
            findings=total.findings,
            opened=total.opened,
            resolved=total.resolved,
            detectors=tuple(rows),
        )
        tx.events.append(
            events.SCAN_COMPLETED if state == "completed" else events.SCAN_FAILED,
            actor=self._actor,
            subject="scan",
            subject_id=scan.id,
            message=f"{scan.scope} scan: {total.findings} found, {total.opened} new, {total.resolved} resolved",
            data={
                "scope": scan.scope,
                "findings": total.findings,
                "opened": total.opened,
                "resolved": total.resolved,
                "failed": [row["detector"] for row in rows if row["result"] in ("failed", "timed-out")],
            },
        )
        return done

    async def _abandon(self, scan: OpsScan, error: BaseException) -> None:
        """Puts on record that a scan did not end well, also when this task is being cancelled."""
        why = "stopped" if isinstance(error, asyncio.CancelledError) else f"{type(error).__name__}: {error}"

        def body(tx: Tx) -> None:
            tx.scans.finish(scan.id, state="failed")
            tx.events.append(
                events.SCAN_FAILED,
                actor=self._actor,
                subject="scan",
                subject_id=scan.id,
                message=f"{scan.scope} scan: {why}",
                data={"scope": scan.scope, "reason": why},
            )

        await asyncio.shield(self._store.write(body))


def _row(one: Look, tally: Tally | None = None) -> dict[str, Any]:
    """One line of the record of a scan."""
    row: dict[str, Any] = {
        "detector": one.detector.id,
        "result": one.result,
        "findings": len(one.findings),
        "millis": one.millis,
    }
    message = one.message
    if tally is not None and tally.left_out:
        more = f"{tally.left_out} more found; the issues that are open are enough"
        message = f"{message}; {more}" if message else more
    return row | {"message": message} if message else row


def _add(total: Tally, tally: Tally | None) -> None:
    if tally is not None:
        total.findings += tally.findings
        total.opened += tally.opened
        total.resolved += tally.resolved


class _Teller:
    """Tells how far the scan is, as long as there is somebody who can hear it."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress = progress
        self._total = total

    def __call__(self, done: int, detector: str = "", message: str = "") -> None:
        if self._progress is None:
            return
        try:
            self._progress(ScanProgress(done, self._total, detector, message))
        except Exception:  # noqa: BLE001 - a screen that went away is no reason to stop a scan, or to blame a detector
            self._progress = None
