"""When an interval or a cron line comes due. Pure arithmetic: the same in every process, whenever it is asked.

Written here rather than taken from APScheduler, whose cron trigger counts weekdays from Monday as 0 (``0 9 * * 1``
fires on Tuesday), wants both day fields to match where cron wants either, fires twice in the hour that the clock
repeats in autumn, and cannot say when a line was due last, which is what catching up needs.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from storage.clock import Millis
from vibehq_tui.contracts.cadence import Cadence, Cron

_SEARCHED: Final = 366 * 8 + 2
"""Days: the longest from one 29 February to the next, over a century that has none."""


def next_due(cadence: Cadence, zone: str, after: Millis) -> Millis | None:
    """The first time after ``after`` at which it comes due; none when that is more than eight years away."""
    if cadence.cron is None:
        step = _step(cadence)
        return Millis((after // step + 1) * step)
    day = _local_day(after, zone) - timedelta(days=1)
    for _ in range(_SEARCHED):
        found = next((at for at in _on_day(cadence.cron, zone, day) if at > after), None)
        if found is not None:
            return Millis(found)
        day += timedelta(days=1)
    return None


def latest_due(cadence: Cadence, zone: str, at: Millis) -> Millis | None:
    """The last time up to and including ``at`` at which it came due; none when that is more than eight years ago."""
    if cadence.cron is None:
        step = _step(cadence)
        return Millis(at // step * step)
    day = _local_day(at, zone) + timedelta(days=1)
    for _ in range(_SEARCHED):
        found = next((due for due in reversed(_on_day(cadence.cron, zone, day)) if due <= at), None)
        if found is not None:
            return Millis(found)
        day -= timedelta(days=1)
    return None


def count_due(cadence: Cadence, zone: str, after: Millis, until: Millis, most: int = 1000) -> int:
    """How often it came due after ``after``, up to and including ``until``; counting ends at ``most``."""
    if cadence.cron is None:
        step = _step(cadence)
        return min(max(until // step - after // step, 0), most)
    count = 0
    due = next_due(cadence, zone, after)
    while due is not None and due <= until and count < most:
        count += 1
        due = next_due(cadence, zone, due)
    return count


def _step(cadence: Cadence) -> int:
    assert cadence.seconds is not None, "a cadence is either an interval or a cron line"
    return cadence.seconds * 1000


def _zone(name: str) -> tzinfo:
    return UTC if name == "UTC" else ZoneInfo(name)


def _local_day(at: Millis, zone: str) -> date:
    return datetime.fromtimestamp(at / 1000, _zone(zone)).date()


@lru_cache(maxsize=64)
def _on_day(cron: Cron, zone: str, day: date) -> tuple[int, ...]:
    """Every due time on a day of the zone, in order.

    An hour that the clock skips in spring counts as the hour after it. One that it repeats in autumn counts once,
    unless the line runs in every hour anyway.
    """
    if not cron.matches_date(day.month, day.day, day.isoweekday() % 7):
        return ()
    info = _zone(zone)
    folds = (0, 1) if cron.any_hour else (0,)
    found = {
        int(datetime(day.year, day.month, day.day, hour, minute, tzinfo=info, fold=fold).timestamp()) * 1000
        for hour in cron.hours
        for minute in cron.minutes
        for fold in folds
    }
    return tuple(sorted(found))
