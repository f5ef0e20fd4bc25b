"""Small forms that the text of several commands shares."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from storage.clock import Millis
from storage.errors import VibeError
from vibehq_tui.cli.output import Style
from vibehq_tui.text.clean import clean

if TYPE_CHECKING:
    from vibehq_tui.tasks.problems import TaskProblem


def heading(style: Style, text: str) -> str:
    """The first line of a thing that is shown."""
    return style.paint(clean(text), "bold")


def facts(style: Style, pairs: Sequence[tuple[str, str]]) -> list[str]:
    """``name  value`` lines for those that have a value. Values are clean already, and may be painted."""
    given = [(name, value) for name, value in pairs if value]
    width = max((len(name) for name, _ in given), default=0)
    return [f"{style.paint(name.ljust(width), 'dim')}  {value}" for name, value in given]


def local_time(at: Millis | None) -> str:
    """A time as the operator's clock shows it; empty for never."""
    return datetime.fromtimestamp(at / 1000).astimezone().strftime("%Y-%m-%d %H:%M:%S") if at else ""


def problem_lines(style: Style, problems: Iterable[TaskProblem]) -> list[str]:
    """One line for each problem of a tasks file."""
    return [style.paint(clean(str(one), 1000), "error" if one.level == "error" else "warn") for one in problems]


def with_error(wire: dict[str, Any], error: VibeError) -> dict[str, Any]:
    """An answer that is at the same time a failure: what was found, and the error document beside it."""
    return wire | error.to_wire()
