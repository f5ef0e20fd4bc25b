"""The report on the engine names codes that there are, and every code of the readers and of the planner."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
DOCUMENT = (ROOT / "docs" / "patch-engine.md").read_text()
SOURCES = "\n".join(path.read_text() for path in (ROOT / "vibehq_tui" / "patches").rglob("*.py"))
NO_CODES = {"candidates", "nearest", "regions"}


def test_the_codes_of_the_report_are_in_the_engine() -> None:
    section = DOCUMENT.partition("\n## Codes\n")[2].partition("\n## ")[0]
    codes = set(re.findall(r"`([a-z]+(?:-[a-z]+)*)`", section)) - NO_CODES
    assert len(codes) > 100
    assert {code for code in codes if f'"{code}"' not in SOURCES} == set()


def test_the_programs_of_the_report_are_there() -> None:
    named = set(re.findall(r"`?(benchmarks/[a-z_]+\.py)`?", DOCUMENT))
    assert named
    assert all((ROOT / name).is_file() for name in named)
