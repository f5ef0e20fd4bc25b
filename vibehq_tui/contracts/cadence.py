"""Intervals and cron lines: how often something runs, checked when the configuration is read.

Only the standard meaning of cron is taken: five fields, weekdays 0 to 7 with Sunday as 0 and 7, names of months and
weekdays, and a day that matches when **either** of two restricted day fields does. Due times are worked out in
:mod:`vibehq_tui.schedule.due`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

MIN_INTERVAL: Final = 10
"""Seconds; a scan more often than this would only look at itself."""
MAX_INTERVAL: Final = 31 * 86_400

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_DURATION: Final = r"(?:(\d{1,9})w)?(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?"
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MACROS: Final = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_LONGEST_MONTH: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@dataclass(frozen=True, slots=True)
class Cron:
    """A cron line, every field spelled out as the numbers that match."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    """Days of the month, 1 to 31."""
    months: frozenset[int]
    weekdays: frozenset[int]
    """0 is Sunday."""
    any_hour: bool
    """The hour field begins with ``*``: such a line also runs in an hour that the clock repeats in autumn."""
    any_day: bool
    any_weekday: bool

    def matches_date(self, month: int, day: int, weekday: int) -> bool:
        """Whether it runs on such a date; ``weekday`` counts from Sunday as 0."""
        if month not in self.months:
            return False
        if self.any_day or self.any_weekday:
            return day in self.days and weekday in self.weekdays
        return day in self.days or weekday in self.weekdays


@dataclass(frozen=True, slots=True)
class Cadence:
    """How often something runs: exactly one of an interval and a cron line."""

    text: str
    """As written."""
    seconds: int | None = None
    """The interval. Its runs are due at whole multiples since 1970, so that all processes agree on them."""
    cron: Cron | None = None


def parse_duration(text: str) -> int:
    """``"90s"``, ``"5m"``, ``"1h30m"``, ``"2d"``, ``"1w"`` as seconds.

    :raises ValueError: when the text is none.
    """
    # compiled at the first use (and kept by re): most calls of the program read no duration
    match = re.fullmatch(_DURATION, text.strip().lower(), re.ASCII)
    if match is None or not any(match.groups()):
        raise ValueError('expected a duration such as "90s", "5m", "1h30m" or "2d"')
    return sum(int(count) * _UNITS[unit] for count, unit in zip(match.groups(), "wdhms", strict=True) if count)


def parse_cadence(text: str) -> Cadence:
    """An interval such as ``5m``, a cron line such as ``0 2 * * *``, or ``@daily`` and its like.

    :raises ValueError: with what was expected, and which field of a cron line is wrong.
    """
    plain = text.strip().lower()
    line = _MACROS.get(plain, plain)
    if len(line.split()) > 1:
        return Cadence(text=text.strip(), cron=_parse_cron(line))
    try:
        seconds = parse_duration(line)
    except ValueError:
        raise ValueError('expected an interval such as "5m" or a cron line such as "0 2 * * *"') from None
    if not MIN_INTERVAL <= seconds <= MAX_INTERVAL:
        raise ValueError("expected an interval from 10s to 31d")
    return Cadence(text=text.strip(), seconds=seconds)


def _parse_cron(line: str) -> Cron:
    fields = line.split()
    if len(fields) != 5:
        raise ValueError(
            f"expected a cron line of five fields (minute hour day month weekday), this one has {len(fields)}"
        )
    minute, hour, day, month, weekday = fields
    days = _parse_field(day, "day", 1, 31)
    months = _parse_field(month, "month", 1, 12, _MONTHS)
    weekdays = frozenset(number % 7 for number in _parse_field(weekday, "weekday", 0, 7, _WEEKDAYS))
    any_weekday = weekday.startswith("*")
    if any_weekday and min(days) > max(_LONGEST_MONTH[number - 1] for number in months):
        raise ValueError("expected a cron line that comes due some day; no such month has this day")
    return Cron(
        minutes=_parse_field(minute, "minute", 0, 59),
        hours=_parse_field(hour, "hour", 0, 23),
        days=frozenset(days),
        months=frozenset(months),
        weekdays=weekdays,
        any_hour=hour.startswith("*"),
        any_day=day.startswith("*"),
        any_weekday=any_weekday,
    )


def _parse_field(field: str, name: str, low: int, high: int, words: tuple[str, ...] = ()) -> tuple[int, ...]:
    numbers: set[int] = set()
    for part in field.split(","):
        span, slash, step_text = part.partition("/")
        step = _number(step_text, name, 1, high) if slash else 1
        if span == "*":
            first, last = low, high
        else:
            start, dash, end = span.partition("-")
            first = _number(start, name, low, high, words)
            # "5/10" means from 5 on, as in the cron programs that take it
            last = _number(end, name, low, high, words) if dash else (high if slash else first)
        if last < first:
            raise ValueError(f"expected the {name} field of the cron line to count upwards, not {span!r}")
        numbers.update(range(first, last + 1, step))
    return tuple(sorted(numbers))


def _number(text: str, name: str, low: int, high: int, words: tuple[str, ...] = ()) -> int:
    if text in words:
        # months count from 1, weekdays from 0, which is what ``low`` says
        return words.index(text) + low
    if not (text.isascii() and text.isdecimal() and len(text) <= 3 and low <= int(text) <= high):
        names = f" or {words[0]} to {words[-1]}" if words else ""
        raise ValueError(f"expected {low} to {high}{names} in the {name} field of the cron line, not {text!r}")
    return int(text)
