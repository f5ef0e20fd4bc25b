"""The machine: how full its disks and its memory are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

_PRESSURE: Final = Path("/proc/pressure/memory")


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """One file system."""

    path: str
    """A folder on it."""
    device: int
    """Tells file systems apart."""
    percent: float
    """In use, of what an ordinary user may use."""
    free: int
    """Bytes."""
    total: int
    """Bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """The memory of the machine."""

    percent: float
    """Not available for new programs without swapping."""
    available: int
    """Bytes."""
    total: int
    """Bytes."""
    stalled: float | None = None
    """Percent of the last minute in which some process waited for memory; none where the system does not tell."""


class Host(Protocol):
    """Where detectors ask about the machine."""

    def disk(self, path: Path) -> Disk:
        """The file system that holds ``path``.

        :raises OSError: when it cannot be asked.
        """
        ...

    def memory(self) -> Memory:
        """Memory now."""
        ...


class ThisHost:
    """The machine that the program runs on."""

    def disk(self, path: Path) -> Disk:
        """The file system that holds ``path``."""
        import psutil  # noqa: PLC0415 - costs 15 ms, and only scans need it

        usage = psutil.disk_usage(str(path))
        return Disk(
            path=str(path), device=path.stat().st_dev, percent=usage.percent, free=usage.free, total=usage.total
        )

    def memory(self) -> Memory:
        """Memory now, with the pressure figures of Linux where there are any."""
        import psutil  # noqa: PLC0415 - costs 15 ms, and only scans need it

        usage = psutil.virtual_memory()
        return Memory(
            percent=usage.percent, available=usage.available, total=usage.total, stalled=read_stalled(_PRESSURE)
        )


def read_stalled(path: Path) -> float | None:
    """The ``some avg60`` figure of a pressure file; none where there is no such file or it says something else."""
    try:
        first = path.read_text(encoding="ascii").split("\n", 1)[0]
        return float(dict(part.split("=", 1) for part in first.split()[1:])["avg60"])
    except (OSError, ValueError, KeyError):
        return None
