"""Time, given to whoever needs it instead of taken, so that tests and simulations own it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import NewType, Protocol

Millis = NewType("Millis", int)
"""A point in time: milliseconds since 1970-01-01 UTC."""

EPOCH = Millis(0)
"""Stands for "never" in records that are not yet stored."""


class Clock(Protocol):
    """Where a service takes the time from."""

    def now(self) -> Millis:
        """The wall clock, in UTC milliseconds."""
        ...

    def boot(self) -> float:
        """Seconds on a clock that never goes back and runs through suspend; for leases and timeouts."""
        ...


class SystemClock:
    """The clocks of this machine."""

    def now(self) -> Millis:
        """The wall clock, in UTC milliseconds."""
        return Millis(time.time_ns() // 1_000_000)

    def boot(self) -> float:
        """Seconds since boot, suspend included where the system can tell."""
        clock = getattr(time, "CLOCK_BOOTTIME", None)
        return time.monotonic() if clock is None else time.clock_gettime(clock)


SYSTEM_CLOCK = SystemClock()


def to_iso(at: Millis) -> str:
    """``2026-03-01T12:00:00.000Z``, the form of every time on the wire."""
    moment = datetime.fromtimestamp(at / 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at % 1000:03d}Z"


def from_iso(text: str) -> Millis:
    """The inverse of :func:`to_iso`; takes any ISO 8601 time, naive ones as UTC.

    :raises ValueError: when the text is not a time.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return Millis(int(moment.timestamp() * 1000))
