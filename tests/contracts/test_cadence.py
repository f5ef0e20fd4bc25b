from __future__ import annotations

import pytest

from vibehq_tui.contracts.cadence import parse_cadence, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("5m", 300), ("1h30m", 5400), ("2d", 172_800), ("1w", 604_800), (" 10M ", 600), ("0s", 0)],
)
def test_durations(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "m", "5 m", "5x", "-5m", "1m1h", "1.5h", "5m5m", "٣m", "9" * 30 + "s"])
def test_texts_that_are_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="expected a duration"):
        parse_duration(text)


def test_interval() -> None:
    cadence = parse_cadence("5m")
    assert (cadence.seconds, cadence.cron, cadence.text) == (300, None, "5m")


def test_cron_spells_every_field_out() -> None:
    cron = parse_cadence("*/20 8-10,22 1,15 jan-mar mon-fri").cron
    assert cron is not None
    assert cron.minutes == (0, 20, 40)
    assert cron.hours == (8, 9, 10, 22)
    assert cron.days == {1, 15}
    assert cron.months == {1, 2, 3}
    assert cron.weekdays == {1, 2, 3, 4, 5}
    assert not cron.any_hour
    assert not cron.any_day


@pytest.mark.parametrize(
    ("field", "weekdays"), [("0", {0}), ("7", {0}), ("1", {1}), ("5-7", {5, 6, 0}), ("SUN", {0}), ("6", {6})]
)
def test_weekdays_are_those_of_cron_where_sunday_is_0_and_7(field: str, weekdays: set[int]) -> None:
    cron = parse_cadence(f"0 9 * * {field}").cron
    assert cron is not None
    assert cron.weekdays == weekdays


def test_two_restricted_day_fields_match_either_and_one_alone_must_match() -> None:
    either = parse_cadence("0 0 13 * 5").cron
    assert either is not None
    assert either.matches_date(3, 13, 1)
    assert either.matches_date(3, 12, 5)
    assert not either.matches_date(3, 12, 1)
    friday = parse_cadence("0 0 * * 5").cron
    assert friday is not None
    assert friday.matches_date(3, 12, 5)
    assert not friday.matches_date(3, 13, 1)


def test_macros_and_open_steps() -> None:
    daily, tens = parse_cadence("@daily").cron, parse_cadence("5/10 * * * *").cron
    assert daily is not None
    assert tens is not None
    assert (daily.minutes, daily.hours) == ((0,), (0,))
    assert tens.minutes == (5, 15, 25, 35, 45, 55)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("* * * *", "five fields"),
        ("60 * * * *", "0 to 59 in the minute field"),
        ("* 24 * * *", "0 to 23 in the hour field"),
        ("0 0 0 * *", "1 to 31 in the day field"),
        ("0 0 * 13 *", "1 to 12 or jan to dec in the month field"),
        ("0 0 * * 8", "0 to 7 or sun to sat in the weekday field"),
        ("*/0 * * * *", "minute field"),
        ("9-5 * * * *", "count upwards"),
        ("a * * * *", "minute field"),
        ("0 0 31 2 *", "comes due some day"),
        ("0 0 30 feb *", "comes due some day"),
        ("nightly", "an interval such as"),
        ("5s", "from 10s to 31d"),
        ("5w", "from 10s to 31d"),
        (",", "an interval such as"),
    ],
)
def test_wrong_cadences_say_what_was_expected(text: str, part: str) -> None:
    with pytest.raises(ValueError, match=r"expected") as caught:
        parse_cadence(text)
    assert part in str(caught.value)
