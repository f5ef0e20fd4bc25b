"""How times, money, counts and sizes are written; one way each, on every face."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

_SECOND = 1_000
_MINUTE = 60 * _SECOND
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR
_YEAR = 365 * _DAY


def _coarse(millis: int) -> str:
    """One number and one letter: ``2m``, ``3h``, ``4d``, ``2y``; rounds down."""
    for unit, letter in ((_YEAR, "y"), (_DAY, "d"), (_HOUR, "h"), (_MINUTE, "m"), (_SECOND, "s")):
        if millis >= unit:
            return f"{millis // unit}{letter}"
    return "0s"


def age(then: int, now: int) -> str:
    """How long ago ``then`` was: ``now`` within the last minute, else ``2m``, ``3h``, ``4d``, ``2y``.

    A time in the future (a clock that was set back, another machine) counts as now.

    :param then: UTC milliseconds.
    :param now: UTC milliseconds.
    """
    elapsed = now - then
    return "now" if elapsed < _MINUTE else _coarse(elapsed)


def until(then: int, now: int) -> str:
    """How far ahead ``then`` is: ``now`` when it has come, else ``40s``, ``3m``, ``2h``, ``4d``.

    :param then: UTC milliseconds.
    :param now: UTC milliseconds.
    """
    left = then - now
    return "now" if left <= 0 else _coarse(left)


def duration(millis: int) -> str:
    """A length of time with two units at most: ``820 ms``, ``4.2 s``, ``41 s``, ``3m 12s``, ``2h 05m``, ``4d 03h``."""
    millis = max(millis, 0)
    if millis < _SECOND:
        return f"{millis} ms"
    if millis < 10 * _SECOND:
        return f"{millis // 100 / 10:.1f} s"
    if millis < _MINUTE:
        return f"{millis // _SECOND} s"
    if millis < _HOUR:
        return f"{millis // _MINUTE}m {millis % _MINUTE // _SECOND:02d}s"
    if millis < _DAY:
        return f"{millis // _HOUR}h {millis % _HOUR // _MINUTE:02d}m"
    return f"{millis // _DAY}d {millis % _DAY // _HOUR:02d}h"


def money(micros: int) -> str:
    """``$1.82`` from 1 820 000 micro-dollars; a positive amount below a cent is ``<$0.01``, never nothing."""
    sign = "−" if micros < 0 else ""
    micros = abs(micros)
    if 0 < micros < 10_000:
        return f"{sign}<$0.01"
    cents = (micros + 5_000) // 10_000
    return f"{sign}${cents // 100:,}.{cents % 100:02d}"


def changes(added: int, removed: int, ascii_only: bool = False) -> str:
    """Lines of a change: ``+86 −12``; a side that is zero is left out, and ``0`` says that there is no line at all."""
    minus = "-" if ascii_only else "−"
    parts = [f"+{added}"] if added else []
    if removed:
        parts.append(f"{minus}{removed}")
    return " ".join(parts) or "0"


def compact(number: int) -> str:
    """A count in at most five characters: ``950``, ``1.2k``, ``35k``, ``4.1M``."""
    if number < 0:
        return "-" + compact(-number)
    for unit, letter in ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")):
        if number >= unit:
            return f"{number // (unit // 10) / 10:.1f}{letter}" if number < 10 * unit else f"{number // unit}{letter}"
    return str(number)


def size(octets: int) -> str:
    """A number of bytes, decimal: ``812 B``, ``1.4 kB``, ``23 MB``, ``1.1 GB``."""
    for unit, name in ((1_000_000_000_000, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")):
        if octets >= unit:
            number = f"{octets // (unit // 10) / 10:.1f}" if octets < 10 * unit else str(octets // unit)
            return f"{number} {name}"
    return f"{octets} B"


def plural(count: int, one: str, many: str | None = None) -> str:
    """``1 task``, ``3 tasks``, ``2 entries`` (with ``many="entries"``)."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def ranges(ids: Iterable[str]) -> str:
    """Ids in short: ``1–7, 9–11, 15``. Numbers come first, in order; other ids follow as they came; twice is once."""
    unique = list(dict.fromkeys(ids))
    numbers = sorted(int(one) for one in unique if one.isascii() and one.isdigit())
    others = [one for one in unique if not (one.isascii() and one.isdigit())]
    if not numbers:
        return ", ".join(others)
    starts = [numbers[0], *(after for before, after in pairwise(numbers) if after > before + 1)]
    ends = [*(before for before, after in pairwise(numbers) if after > before + 1), numbers[-1]]
    spans = [str(a) if a == b else f"{a}, {b}" if b == a + 1 else f"{a}–{b}" for a, b in zip(starts, ends, strict=True)]
    return ", ".join([*spans, *others])
