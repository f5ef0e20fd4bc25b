"""The project of the demo: a small package that finds high and low water in the readings of a tide gauge.

Kept as the history that it has: for each commit its message and the files that it writes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

README: Final = """\
# tidewatch

Finds high and low water in the readings of a tide gauge.

    python -m tidewatch data/harbour.csv

Readings are lines of `time,height`: an ISO 8601 time and the height in metres.
"""

PYPROJECT: Final = """\
[project]
name = "tidewatch"
version = "0.3.0"
requires-python = ">=3.9"
"""

INIT: Final = '''\
"""High and low water from the readings of a tide gauge."""

__version__ = "0.3.0"
'''

MAIN: Final = '''\
"""python -m tidewatch"""

import sys

from tidewatch.cli import main

sys.exit(main())
'''

READINGS: Final = '''\
"""Reading what a tide gauge wrote."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Reading:
    """One measurement."""

    time: datetime
    height: float


class BadReading(ValueError):
    """A line that is not a reading."""


def parse_line(line, number):
    """One reading from one line of a file."""
    parts = line.strip().split(",")
    if len(parts) != 2:
        raise BadReading(f"line {number}: expected time,height")
    try:
        return Reading(datetime.fromisoformat(parts[0]), float(parts[1]))
    except ValueError as error:
        raise BadReading(f"line {number}: {error}") from error


def read(lines):
    """All readings of a file, in the order of their times."""
    readings = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        readings.append(parse_line(line, number))
    return sorted(readings, key=lambda reading: reading.time)
'''

EXTREMES: Final = '''\
"""High and low water."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Extreme:
    """A high or a low water."""

    kind: str
    time: datetime
    height: float


def is_high(before, at, after):
    """Whether the middle one of three readings is the highest."""
    return before.height < at.height >= after.height


def is_low(before, at, after):
    """Whether the middle one of three readings is the lowest."""
    return before.height > at.height <= after.height


def find(readings):
    """High and low waters, in the order of their times."""
    found = []
    for before, at, after in zip(readings, readings[1:], readings[2:]):
        if is_high(before, at, after):
            found.append(Extreme("high", at.time, at.height))
        elif is_low(before, at, after):
            found.append(Extreme("low", at.time, at.height))
    return found


def range_of(extremes):
    """The largest difference between two neighbouring extremes, in metres."""
    heights = [extreme.height for extreme in extremes]
    return max((abs(b - a) for a, b in zip(heights, heights[1:])), default=0.0)
'''

REPORT: Final = '''\
"""The table that a person reads."""

WIDTH = 32


def line(extreme):
    """One row of the table."""
    return f"{extreme.time:%d %b %H:%M}  {extreme.kind:<5} {extreme.height:>6.2f} m"


def table(extremes, title):
    """The whole table."""
    rows = [title, "-" * WIDTH]
    rows.extend(line(extreme) for extreme in extremes)
    if len(rows) == 2:
        rows.append("no high or low water")
    return "\\n".join(rows)
'''

CLI: Final = '''\
"""The command line."""

import argparse
import sys

from tidewatch.extremes import find, range_of
from tidewatch.readings import BadReading, read
from tidewatch.report import table


def parser():
    """The options."""
    options = argparse.ArgumentParser(prog="tidewatch")
    options.add_argument("file", help="a file with lines of time,height")
    options.add_argument("--title", default="Tides")
    return options


def main(arguments=None):
    """Prints the table; answers the exit code."""
    options = parser().parse_args(arguments)
    try:
        with open(options.file, encoding="utf-8") as file:
            extremes = find(read(file))
    except (OSError, BadReading) as error:
        print(f"tidewatch: {error}", file=sys.stderr)
        return 1
    print(table(extremes, options.title))
    print(f"range {range_of(extremes):.2f} m")
    return 0
'''

TEST_READINGS: Final = """\
import unittest

from tidewatch.readings import BadReading, read


class ReadTest(unittest.TestCase):
    def test_sorts_by_time(self):
        readings = read(["2026-03-01T01:00,1.5", "2026-03-01T00:00,1.2"])
        self.assertEqual([1.2, 1.5], [reading.height for reading in readings])

    def test_skips_comments_and_blank_lines(self):
        self.assertEqual([], read(["# gauge 7", "", "   "]))

    def test_names_the_line(self):
        with self.assertRaisesRegex(BadReading, "line 2"):
            read(["2026-03-01T00:00,1.2", "rubbish"])


if __name__ == "__main__":
    unittest.main()
"""

TEST_EXTREMES: Final = """\
import unittest

from tidewatch.extremes import find, range_of
from tidewatch.readings import read


def tide(*heights):
    return read(f"2026-03-01T{hour:02d}:00,{height}" for hour, height in enumerate(heights))


class FindTest(unittest.TestCase):
    def test_one_tide(self):
        found = find(tide(1.0, 2.0, 3.0, 2.0, 1.0, 2.0))
        self.assertEqual(["high", "low"], [extreme.kind for extreme in found])

    def test_nothing_in_two_readings(self):
        self.assertEqual([], find(tide(1.0, 2.0)))

    def test_range(self):
        self.assertAlmostEqual(2.0, range_of(find(tide(1.0, 3.0, 1.0, 2.5, 1.5))))


if __name__ == "__main__":
    unittest.main()
"""

FETCH: Final = """\
#!/bin/sh
# Takes the readings of yesterday from the gauge.
set -eu
day=$(date -d yesterday +%F)
cp "/srv/gauge/$day.csv" "data/$day.csv"
"""

HARBOUR: Final = "# gauge 7, harbour mouth\n" + "".join(
    f"2026-03-{1 + half // 48:02d}T{half % 48 // 2:02d}:{half % 2 * 30:02d},"
    f"{2.1 + 1.6 * math.cos(math.tau * (half / 2 - 3) / 12.42):.2f}\n"
    for half in range(96)
)


@dataclass(frozen=True, slots=True)
class Commit:
    """One step of the history."""

    message: str
    hours_ago: int
    files: dict[str, str]
    executable: tuple[str, ...] = ()


HISTORY: Final = (
    Commit("Read the file of a gauge", 310, {
        "README.md": README,
        "pyproject.toml": PYPROJECT,
        ".gitignore": "__pycache__/\n*.pyc\n",
        "tidewatch/__init__.py": INIT,
        "tidewatch/readings.py": READINGS,
        "data/harbour.csv": HARBOUR,
    }),
    Commit("Find high and low water", 262, {"tidewatch/extremes.py": EXTREMES}),
    Commit("Print a table", 214, {
        "tidewatch/report.py": REPORT,
        "tidewatch/cli.py": CLI,
        "tidewatch/__main__.py": MAIN,
    }),
    Commit("Test reading and extremes", 168, {
        "tests/__init__.py": "",
        "tests/test_readings.py": TEST_READINGS,
        "tests/test_extremes.py": TEST_EXTREMES,
    }),
    Commit("Fetch the readings of yesterday", 120, {"tools/fetch.sh": FETCH}, ("tools/fetch.sh",)),
)  # fmt: skip
"""The commits, the oldest first."""
