"""The tasks of the demo project, as its tasks file has them."""

from __future__ import annotations

import json
from typing import Any, Final


def _task(number: int, title: str, status: str, priority: str, after: list[int], **more: Any) -> dict[str, Any]:
    return {"id": number, "title": title, "status": status, "priority": priority, "dependencies": after} | more


def _parts(*titles: str, done: int = 0) -> list[dict[str, Any]]:
    return [
        {"id": number, "title": title, "status": "done" if number <= done else "pending", "dependencies": []}
        for number, title in enumerate(titles, 1)
    ]


TASKS: Final = [
    _task(
        1,
        "Read the file of a gauge",
        "done",
        "high",
        [],
        assignee="mara",
        description="Lines of time,height become readings, in the order of their times.",
    ),
    _task(2, "Find high and low water", "done", "high", [1], assignee="mara"),
    _task(
        3,
        "Accept semicolons between the columns",
        "pending",
        "medium",
        [1],
        assignee="codex",
        description="The gauge at the lock writes time;height, because its decimal sign is a comma.",
        testStrategy="A file of the lock and a file of the harbour give the same readings.",
    ),
    _task(
        4,
        "Round heights the way the harbour office does",
        "pending",
        "low",
        [2],
        assignee="codex",
        description="Half to even, on centimetres.",
    ),
    _task(
        5,
        "Call the table a table",
        "pending",
        "low",
        [2],
        assignee="claude",
        description="report.py holds nothing but a table; name it so.",
    ),
    _task(
        6,
        "Interpolate the time of high water",
        "in-progress",
        "high",
        [2],
        assignee="claude",
        description="Readings come every half hour; the time of high water should be right to five minutes.",
        details="Put a parabola through the three readings around an extreme and take its vertex.",
        subtasks=_parts(
            "Parabola through three readings", "Use its vertex in find", "Test against the almanac", done=1
        ),
        tags=["accuracy"],
    ),
    _task(
        7,
        "Do not miss an extreme on a flat stretch",
        "pending",
        "high",
        [2],
        assignee="aider",
        description="At neap tide three readings in a row can be equal; the extreme is in their middle.",
        tags=["accuracy"],
    ),
    _task(8, "Cache parsed readings", "pending", "low", [1], assignee="gemini"),
    _task(
        9,
        "Tell the harbour's web hook of each high water",
        "pending",
        "medium",
        [2, 6],
        assignee="codex",
        description="POST of time and height, with the key of the environment.",
    ),
    _task(10, "Describe the form of the readings", "pending", "low", [3], assignee="claude"),
    _task(11, "Print heights in feet", "pending", "medium", [2], assignee="cursor"),
    _task(
        12,
        "Warn of a gap in the readings",
        "in-progress",
        "high",
        [1],
        assignee="shell",
        description="A gauge that was silent for more than an hour makes every extreme around it doubtful.",
        subtasks=_parts("A test with a gap", "Find gaps", "Say so on standard error"),
        tags=["accuracy"],
    ),
    _task(13, "Compare two gauges", "pending", "medium", [6, 7, 12], description="Their difference, hour by hour."),
    _task(
        14,
        "Forecast the tides of tomorrow",
        "pending",
        "critical",
        [6, 13],
        description="Harmonic analysis of at least thirty days.",
        subtasks=_parts("Constituents", "Least squares", "Table for tomorrow"),
    ),
    _task(
        15,
        "Publish the almanac as a calendar",
        "pending",
        "low",
        [14, 21],
        description="One event for each high water.",
    ),
]
"""Fifteen tasks; the last depends on one that does not exist, which the scans find."""


def tasks_file() -> str:
    """The text of ``.mission_control/tasks.json``."""
    return json.dumps({"tasks": TASKS}, indent=2) + "\n"
