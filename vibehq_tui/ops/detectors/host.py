"""Disks and memory that run out. Each level has a lower one at which it is over, so that nothing flaps."""

from __future__ import annotations

import asyncio
from typing import Final

from storage.records import Issue
from vibehq_tui.ops.context import ScanContext
from vibehq_tui.ops.host import Disk, Memory
from vibehq_tui.ops.model import Finding

_UNITS: Final = ("B", "kB", "MB", "GB", "TB")


def level(value: float, *, warn: int, clear: int, critical: int, critical_clear: int, before: str | None) -> str | None:
    """The severity of a value: ``critical``, ``high`` or None for fine.

    :param before: the severity of the issue as it stands, None when there is none: what began stays until ``value`` is
        below the lower threshold.
    """
    if value >= critical or (before == "critical" and value >= critical_clear):
        return "critical"
    if value >= warn or (before is not None and value >= clear):
        return "high"
    return None


def _severity_before(known: tuple[Issue, ...], subject_id: str) -> str | None:
    return next((issue.severity for issue in known if issue.subject_id == subject_id), None)


def _size(count: int) -> str:
    amount, unit = float(count), _UNITS[0]
    for unit in _UNITS:  # noqa: B007 - the unit at which it stops is the answer
        if amount < 1000:
            break
        amount /= 1000
    return f"{amount:.3g} {unit}"


class DiskPressure:
    """The file systems of the workspace and of its state, by percent in use."""

    id = "disk-pressure"
    title = "Disks that fill up"
    severity = "high"
    scope = "incremental"
    cost = "low"
    subject = "disk"

    async def look(self, ctx: ScanContext) -> list[Finding]:
        """One finding for each file system that is too full."""
        disks: dict[int, tuple[str, Disk]] = {}
        for name, path in (("workspace", ctx.root), ("state", ctx.store.folder)):
            # in a thread: a network file system may take its time
            disk = await asyncio.to_thread(ctx.host.disk, path)
            disks.setdefault(disk.device, (name, disk))
        findings = (self._finding(ctx, name, disk) for name, disk in disks.values())
        return [finding for finding in findings if finding is not None]

    def _finding(self, ctx: ScanContext, name: str, disk: Disk) -> Finding | None:
        limits = ctx.config.scan.thresholds
        severity = level(
            disk.percent,
            warn=limits.disk_warn,
            clear=limits.disk_clear,
            critical=limits.disk_critical,
            critical_clear=limits.disk_critical_clear,
            before=_severity_before(ctx.known, name),
        )
        if severity is None:
            return None
        return Finding(
            key=(name,),
            title=f"The disk of the {name} is {disk.percent:.0f} % full",
            severity=severity,
            message=f"{_size(disk.free)} of {_size(disk.total)} are free at {disk.path}. The issue is gone below "
            f"{limits.disk_clear} %.",
            subject=self.subject,
            subject_id=name,
            data={"path": disk.path, "percent": disk.percent, "free": disk.free, "total": disk.total},
        )


class MemoryPressure:
    """The memory of the machine, by percent in use and, on Linux, by how long processes wait for it."""

    id = "memory-pressure"
    title = "Memory that runs out"
    severity = "high"
    scope = "incremental"
    cost = "low"
    subject = "memory"

    async def look(self, ctx: ScanContext) -> list[Finding]:
        """At most one finding."""
        memory = await asyncio.to_thread(ctx.host.memory)
        limits = ctx.config.scan.thresholds
        before = _severity_before(ctx.known, "memory")
        severity = level(
            memory.percent,
            warn=limits.memory_warn,
            clear=limits.memory_clear,
            critical=limits.memory_critical,
            critical_clear=limits.memory_critical_clear,
            before=before,
        )
        if severity is None and memory.stalled is not None:
            stall = limits.memory_stall if before is None else limits.memory_stall / 2
            severity = "high" if memory.stalled >= stall else None
        return [] if severity is None else [self._finding(memory, severity, limits.memory_clear)]

    def _finding(self, memory: Memory, severity: str, clear: int) -> Finding:
        waits = (
            "" if memory.stalled is None else f" Processes waited for it in {memory.stalled:.0f} % of the last minute."
        )
        return Finding(
            key=("memory",),
            title=f"Memory is {memory.percent:.0f} % in use",
            severity=severity,
            message=f"{_size(memory.available)} of {_size(memory.total)} are available.{waits} The issue is gone below "
            f"{clear} %. Fewer agents at once need less.",
            subject=self.subject,
            subject_id="memory",
            data={
                "percent": memory.percent,
                "available": memory.available,
                "total": memory.total,
                "stalledPercent": memory.stalled,
            },
        )
