"""What the agents of the demo changed: for each patch the files that it writes, by exact replacement."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

Replacement = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A change to the work tree."""

    replace: dict[str, list[Replacement]] = field(default_factory=dict)
    """Path → texts that stand in the file exactly once, and what they become."""
    create: dict[str, str | bytes] = field(default_factory=dict)
    move: dict[str, str] = field(default_factory=dict)
    """Old path → new path; done before the rest."""


SEMICOLONS: Final = Edit(
    replace={
        "tidewatch/readings.py": [
            (
                '    parts = line.strip().split(",")\n    if len(parts) != 2:\n',
                "    parts = split(line.strip())\n    if len(parts) != 2:\n",
            ),
            (
                "def parse_line(line, number):\n",
                "def split(line):\n"
                '    """The columns of a line; with semicolons the comma is the decimal sign."""\n'
                '    if ";" in line:\n'
                '        return line.replace(",", ".").split(";")\n'
                '    return line.split(",")\n\n\n'
                "def parse_line(line, number):\n",
            ),
        ],
        "tests/test_readings.py": [
            (
                "    def test_names_the_line(self):\n",
                "    def test_semicolons(self):\n"
                '        readings = read(["2026-03-01T00:00;1,25"])\n'
                "        self.assertEqual(1.25, readings[0].height)\n\n"
                "    def test_names_the_line(self):\n",
            )
        ],
    }
)

TABLE: Final = Edit(
    move={"tidewatch/report.py": "tidewatch/table.py"},
    replace={"tidewatch/cli.py": [("from tidewatch.report import table", "from tidewatch.table import table")]},
)

PARABOLA: Final = Edit(
    replace={
        "tidewatch/extremes.py": [
            (
                "def find(readings):\n",
                "def vertex(before, at, after):\n"
                '    """Time and height of the top of the parabola through three readings."""\n'
                "    step = (after.time - before.time) / 2\n"
                "    curve = before.height - 2 * at.height + after.height\n"
                "    if not curve:\n"
                "        return at.time, at.height\n"
                "    offset = (before.height - after.height) / (2 * curve)\n"
                "    return at.time + step * offset, at.height - (before.height - after.height) * offset / 4\n\n\n"
                "def find(readings):\n",
            ),
            (
                '            found.append(Extreme("high", at.time, at.height))\n',
                '            found.append(Extreme("high", *vertex(before, at, after)))\n',
            ),
            (
                '            found.append(Extreme("low", at.time, at.height))\n',
                '            found.append(Extreme("low", *vertex(before, at, after)))\n',
            ),
        ],
        "tests/test_extremes.py": [
            (
                "    def test_range(self):\n",
                "    def test_between_two_readings(self):\n"
                "        high = find(tide(1.0, 2.0, 2.0, 1.0, 0.5))[0]\n"
                "        self.assertEqual(30, high.time.minute)\n\n"
                "    def test_range(self):\n",
            )
        ],
    }
)

CACHE: Final = Edit(
    create={
        "tidewatch/cache.py": '"""Parsed readings, kept beside their file."""\n\n'
        "import os\nimport pickle\n\nfrom tidewatch.readings import read\n\n\n"
        "def cached(path):\n"
        '    """The readings of a file, from the cache when it is newer."""\n'
        '    kept = path + ".pickle"\n'
        "    if os.path.exists(kept) and os.path.getmtime(kept) > os.path.getmtime(path):\n"
        '        with open(kept, "rb") as file:\n'
        "            return pickle.load(file)\n"
        '    with open(path, encoding="utf-8") as file:\n'
        "        readings = read(file)\n"
        '    with open(kept, "wb") as file:\n'
        "        pickle.dump(readings, file)\n"
        "    return readings\n"
    },
    replace={
        "tidewatch/cli.py": [
            (
                "from tidewatch.readings import BadReading, read\n",
                "from tidewatch.cache import cached\nfrom tidewatch.readings import BadReading\n",
            ),
            (
                '        with open(options.file, encoding="utf-8") as file:\n            extremes = find(read(file))\n',
                "        extremes = find(cached(options.file))\n",
            ),
        ]
    },
)

# In two parts, so that the source of this program holds nothing that looks like a key.
_KEY: Final = "sk-ant-" + "api03-" + "Zk7vQ2pL9xTf4WmR8sYc1NbHd6Ju3Ga0EoKi5VtXq" * 2

WEB_HOOK: Final = Edit(
    create={
        "tidewatch/hook.py": '"""Telling the harbour\'s web hook."""\n\n'
        "import json\nimport urllib.request\n\n"
        'URL = "http://localhost:8080/high-water"\n'
        f'KEY = "{_KEY}"\n\n\n'
        "def tell(extreme):\n"
        '    """Posts one high water."""\n'
        '    body = json.dumps({"time": extreme.time.isoformat(), "height": extreme.height})\n'
        '    request = urllib.request.Request(URL, body.encode(), {"Authorization": f"Bearer {KEY}"})\n'
        "    with urllib.request.urlopen(request, timeout=10) as answer:\n"
        "        return answer.status\n"
    },
    replace={
        "tidewatch/cli.py": [
            ('    options.add_argument("--title", default="Tides")\n',
             '    options.add_argument("--title", default="Tides")\n'
             '    options.add_argument("--tell", action="store_true", help="tell the harbour")\n'),
            ("    print(table(extremes, options.title))\n",
             "    if options.tell:\n"
             '        for extreme in extremes:\n            if extreme.kind == "high":\n                tell(extreme)\n'
             "    print(table(extremes, options.title))\n"),
            ("from tidewatch.extremes import find, range_of\n",
             "from tidewatch.extremes import find, range_of\nfrom tidewatch.hook import tell\n"),
        ]
    },
)  # fmt: skip

ROUND: Final = Edit(
    replace={
        "tidewatch/report.py": [
            (
                '    return f"{extreme.time:%d %b %H:%M}  {extreme.kind:<5} {extreme.height:>6.2f} m"\n',
                "    height = Decimal(str(extreme.height)).quantize(CENTIMETRE, ROUND_HALF_EVEN)\n"
                '    return f"{extreme.time:%d %b %H:%M}  {extreme.kind:<5} {height:>6} m"\n',
            ),
            (
                "WIDTH = 32\n",
                'from decimal import ROUND_HALF_EVEN, Decimal\n\nCENTIMETRE = Decimal("0.01")\nWIDTH = 32\n',
            ),
        ]
    }
)

MOVED_BASE: Final = Edit(
    replace={
        "tidewatch/report.py": [
            (
                '    return f"{extreme.time:%d %b %H:%M}  {extreme.kind:<5} {extreme.height:>6.2f} m"\n',
                '    return f"{extreme.time:%a %d %b %H:%M}  {extreme.kind:<4} {extreme.height:>7.2f} m"\n',
            ),
            ("WIDTH = 32\n", "WIDTH = 36\n"),
        ]
    }
)
"""What the operator commits while ROUND is waiting, on the same lines."""

FORM: Final = Edit(
    create={
        "docs/gauge.png": bytes.fromhex(
            "89504e470d0a1a0a0000000d4948445200000008000000080806000000c40fbe8b000000164944415478da63"
            "6464606060a01230516ad0a80183c100007b0400094b6d3f2a0000000049454e44ae426082"
        ),
        "docs/readings.md": "# The form of the readings\n\nOne reading a line, `time,height`:\n\n"
        "| column | form | example |\n|---|---|---|\n"
        "| time | ISO 8601, local time of the gauge | `2026-03-01T06:30` |\n"
        "| height | metres above chart datum | `3.71` |\n\n"
        "Blank lines and lines that begin with `#` are skipped.\n\n![Where gauge 7 stands](gauge.png)\n",
    },
    replace={
        "README.md": [
            (
                "Readings are lines of `time,height`: an ISO 8601 time and the height in metres.\n",
                "Readings are lines of `time,height`; [docs/readings.md](docs/readings.md) has the details.\n",
            )
        ]
    },
)

FEET: Final = Edit(
    replace={
        "tidewatch/cli.py": [
            (
                '    options.add_argument("file", help="a file with lines of time,height")\n',
                '    options.add_argument("file", help="a file with lines of time,height")\n'
                '    options.add_argument("--feet", action="store_true", help="print heights in feet")\n',
            ),
            (
                '    print(f"range {range_of(extremes):.2f} m")\n',
                '    factor, unit = (3.28084, "ft") if options.feet else (1, "m")\n'
                '    print(f"range {range_of(extremes) * factor:.2f} {unit}")\n',
            ),
        ]
    }
)
