from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from storage.clock import Millis, from_iso, to_iso
from vibehq_tui.contracts.cadence import Cadence, parse_cadence
from vibehq_tui.schedule.due import count_due, latest_due, next_due


def following(line: str, after: str, count: int, zone: str = "UTC") -> list[str]:
    """The next due times, in UTC, to the minute."""
    cadence, at, found = parse_cadence(line), from_iso(after), []
    for _ in range(count):
        due = next_due(cadence, zone, at)
        assert due is not None
        found.append(to_iso(due)[:16])
        at = due
    return found


def test_intervals_are_due_at_whole_multiples_for_everybody() -> None:
    assert following("5m", "2026-03-01T12:01:30", 3) == ["2026-03-01T12:05", "2026-03-01T12:10", "2026-03-01T12:15"]
    assert following("5m", "2026-03-01T12:05:00", 1) == ["2026-03-01T12:10"]
    assert latest_due(parse_cadence("5m"), "UTC", from_iso("2026-03-01T12:05:00")) == from_iso("2026-03-01T12:05:00")
    assert latest_due(parse_cadence("5m"), "UTC", from_iso("2026-03-01T12:04:59")) == from_iso("2026-03-01T12:00:00")


@pytest.mark.parametrize(
    ("line", "after", "due"),
    [
        ("0 2 * * *", "2026-03-01T01:59:59", ["2026-03-01T02:00", "2026-03-02T02:00"]),
        ("0 2 * * *", "2026-03-01T02:00:00", ["2026-03-02T02:00", "2026-03-03T02:00"]),
        # 2026-03-02 is a Monday; APScheduler's own trigger would take Tuesday
        ("0 9 * * 1", "2026-03-01T00:00:00", ["2026-03-02T09:00", "2026-03-09T09:00"]),
        ("0 9 * * 0", "2026-02-28T00:00:00", ["2026-03-01T09:00", "2026-03-08T09:00"]),
        ("0 9 * * 7", "2026-02-28T00:00:00", ["2026-03-01T09:00", "2026-03-08T09:00"]),
        ("0 9 * * mon-fri", "2026-03-06T10:00:00", ["2026-03-09T09:00", "2026-03-10T09:00"]),
        # either day field
        ("0 0 13 * 5", "2026-03-01T00:00:00", ["2026-03-06T00:00", "2026-03-13T00:00", "2026-03-20T00:00"]),
        ("0 0 29 2 *", "2026-03-01T00:00:00", ["2028-02-29T00:00", "2032-02-29T00:00"]),
        ("0 0 29 2 *", "2096-03-01T00:00:00", ["2104-02-29T00:00"]),
        ("*/30 23 31 12 *", "2026-12-31T23:10:00", ["2026-12-31T23:30", "2027-12-31T23:00"]),
    ],
)
def test_cron_lines(line: str, after: str, due: list[str]) -> None:
    assert following(line, after, len(due)) == due


def test_a_skipped_hour_counts_as_the_next_and_a_repeated_one_once() -> None:
    assert following("30 2 * * *", "2026-03-28T12:00:00", 3, "Europe/Berlin") == [
        "2026-03-29T01:30",  # 03:30 there: 02:30 does not exist
        "2026-03-30T00:30",
        "2026-03-31T00:30",
    ]
    assert following("30 2 * * *", "2026-10-24T12:00:00", 2, "Europe/Berlin") == [
        "2026-10-25T00:30",
        "2026-10-26T01:30",
    ]


def test_every_hour_is_every_hour_whatever_the_clock_does() -> None:
    for start in ("2026-03-28T20:00:00", "2026-10-24T20:00:00"):
        expected = [f"{datetime.fromisoformat(start) + timedelta(hours=n):%Y-%m-%dT%H:%M}" for n in range(1, 13)]
        assert following("0 * * * *", start, 12, "Europe/Berlin") == expected
        assert following("0 * * * *", start, 12, "America/New_York") == expected


@pytest.mark.parametrize("line", ["*/7 * * * *", "0 2 * * *", "15 3 1,15 * 1", "0 0 29 2 *", "90s", "7m"])
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kathmandu", "Pacific/Apia"])
def test_the_last_due_time_is_the_one_before_the_next(line: str, zone: str) -> None:
    cadence = parse_cadence(line)
    at = from_iso("2026-03-28T22:00:00")
    for _ in range(20):
        due = next_due(cadence, zone, at)
        assert due is not None
        assert latest_due(cadence, zone, due) == due
        assert latest_due(cadence, zone, Millis(due + 1)) == due
        before = latest_due(cadence, zone, Millis(due - 1))
        assert before is not None
        assert next_due(cadence, zone, before) == due
        at = due


def test_counting() -> None:
    at = from_iso("2026-03-01T00:00:00")
    assert count_due(parse_cadence("5m"), "UTC", at, Millis(at + 3_600_000)) == 12
    assert count_due(parse_cadence("0 2 * * *"), "UTC", at, Millis(at + 7 * 86_400_000)) == 7
    assert count_due(parse_cadence("* * * * *"), "UTC", at, Millis(at + 86_400_000), most=50) == 50
    assert count_due(parse_cadence("5m"), "UTC", at, at) == 0


def test_a_line_that_is_never_due() -> None:
    cron = parse_cadence("0 0 1 1 *").cron
    assert cron is not None
    never = Cadence(
        "never", cron=cron.__class__(**{**{n: getattr(cron, n) for n in cron.__slots__}, "months": frozenset()})
    )
    now = Millis(int(datetime(2026, 3, 1, tzinfo=UTC).timestamp() * 1000))
    assert next_due(never, "UTC", now) is None
    assert latest_due(never, "UTC", now) is None
