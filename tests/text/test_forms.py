"""Numbers, times and money are written one way."""

from __future__ import annotations

import pytest

from vibehq_tui.text.forms import age, changes, compact, duration, money, plural, ranges, size, until

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000


@pytest.mark.parametrize(
    ("elapsed", "shown"),
    [
        (-5, "now"),
        (0, "now"),
        (59_999, "now"),
        (MINUTE, "1m"),
        (59 * MINUTE, "59m"),
        (3 * HOUR, "3h"),
        (4 * DAY, "4d"),
        (800 * DAY, "2y"),
    ],
)
def test_age(elapsed: int, shown: str) -> None:
    assert age(1_000_000_000_000 - elapsed, 1_000_000_000_000) == shown


@pytest.mark.parametrize(
    ("left", "shown"), [(-1, "now"), (0, "now"), (1, "0s"), (40_000, "40s"), (3 * MINUTE, "3m"), (2 * DAY, "2d")]
)
def test_until(left: int, shown: str) -> None:
    assert until(5_000 + left, 5_000) == shown


@pytest.mark.parametrize(
    ("millis", "shown"),
    [
        (-3, "0 ms"),
        (820, "820 ms"),
        (4_260, "4.2 s"),
        (41_900, "41 s"),
        (192_000, "3m 12s"),
        (2 * HOUR + 5 * MINUTE, "2h 05m"),
        (4 * DAY + 3 * HOUR, "4d 03h"),
    ],
)
def test_duration(millis: int, shown: str) -> None:
    assert duration(millis) == shown


@pytest.mark.parametrize(
    ("micros", "shown"),
    [
        (0, "$0.00"),
        (1, "<$0.01"),
        (1_820_000, "$1.82"),
        (1_825_000, "$1.83"),
        (-500_000, "−$0.50"),
        (1_234_567_890_000, "$1,234,567.89"),
    ],
)
def test_money(micros: int, shown: str) -> None:
    assert money(micros) == shown


def test_changes() -> None:
    assert changes(86, 12) == "+86 −12"
    assert changes(0, 3, ascii_only=True) == "-3"
    assert changes(5, 0) == "+5"
    assert changes(0, 0) == "0"


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (0, "0"),
        (999, "999"),
        (1_000, "1.0k"),
        (12_345, "12k"),
        (999_999, "999k"),
        (4_190_000, "4.1M"),
        (-1_500, "-1.5k"),
    ],
)
def test_compact(number: int, shown: str) -> None:
    assert compact(number) == shown


@pytest.mark.parametrize(("octets", "shown"), [(0, "0 B"), (812, "812 B"), (1_499, "1.4 kB"), (23_000_000, "23 MB")])
def test_size(octets: int, shown: str) -> None:
    assert size(octets) == shown


def test_plural() -> None:
    assert [plural(1, "task"), plural(0, "task"), plural(1200, "entry", "entries")] == [
        "1 task",
        "0 tasks",
        "1,200 entries",
    ]


@pytest.mark.parametrize(
    ("ids", "shown"),
    [
        ([], ""),
        (["3"], "3"),
        (["9", "10", "11", "1", "2"], "1, 2, 9–11"),
        (["b", "2", "b", "a"], "2, b, a"),
        (["٣"], "٣"),
    ],
)
def test_ranges(ids: list[str], shown: str) -> None:
    assert ranges(ids) == shown
