"""What is wrong in a tasks file, said so that it can be found and put right."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from storage.errors import Refused
from storage.records import to_wire
from vibehq_tui.tasks.spans import Path, spell
from vibehq_tui.text.clean import clean

MOST = 200
"""Problems of one file that are kept; the rest is counted. Nobody reads more, and each is located in the text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskProblem:
    """Something wrong in a tasks file or a plan."""

    level: str
    """``error``: the file is not taken, the last good state stays. ``warning``: it is taken, with this fault in it."""
    code: str
    """A stable word, such as ``unknown-status``."""
    file: str
    path: str = ""
    """The JSON path, such as ``master.tasks[3].status``; empty for the file as a whole."""
    line: int = 0
    """From 1; 0 for the file as a whole."""
    column: int = 0
    message: str
    allowed: tuple[str, ...] = ()
    hint: str = ""
    """What to do about it."""
    task: str | None = None
    """The id of the task that it is about."""

    def __str__(self) -> str:
        """``file:line:column: path: message; hint``, harmless to show."""
        place = self.file + (f":{self.line}:{self.column}" if self.line else "")
        parts = [place, *([self.path] if self.path else []), self.message]
        return clean(": ".join(parts) + (f"; {self.hint}" if self.hint else ""))


class TasksFileBroken(Refused):
    """The tasks file cannot be taken as it is; ``details["problems"]`` lists why."""

    default_code = "tasks-file-broken"

    def __init__(self, problems: Iterable[TaskProblem]) -> None:
        found = tuple(problems)
        first = next((one for one in found if one.level == "error"), found[0])
        super().__init__(str(first), hint="vibehq task validate", details={"problems": to_wire(list(found))})
        self.problems = found
        self.stamp = ""
        """Of the content that was refused, where there was any; see :mod:`vibehq_tui.tasks.files`."""


class Lines:
    """Turns indexes into line and column, both from 1."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts: list[int] | None = None

    def place(self, index: int) -> tuple[int, int]:
        """``(line, column)`` of an index into the text; columns count characters."""
        if self._starts is None:
            starts = [0]
            at = self._text.find("\n")
            while at >= 0:
                starts.append(at + 1)
                at = self._text.find("\n", at + 1)
            self._starts = starts
        line = bisect.bisect_right(self._starts, index)
        return line, index - self._starts[line - 1] + 1


class ProblemList:
    """Collects problems up to :data:`MOST` of each level, and counts the rest."""

    def __init__(self, file: str, lines: Lines) -> None:
        self.file = file
        self._lines = lines
        self._found: list[TaskProblem] = []
        self._counts: dict[str, int] = {}

    def error(self, code: str, message: str, **more: Any) -> None:
        """Something that keeps the file out of the mirror; see :meth:`_add`."""
        self._add("error", code, message, **more)

    def warning(self, code: str, message: str, **more: Any) -> None:
        """Something that is wrong without keeping the rest of the file out; see :meth:`_add`."""
        self._add("warning", code, message, **more)

    def _add(
        self,
        level: str,
        code: str,
        message: str,
        *,
        path: Path = (),
        at: int | Callable[[], int] | None = None,
        allowed: tuple[str, ...] = (),
        hint: str | Callable[[], str] = "",
        task: str | None = None,
    ) -> None:
        """Keeps a problem, or only counts it.

        :param at: the index into the text, or what finds it; like ``hint``, it is asked only when the problem is kept.
        """
        self._counts[level] = self._counts.get(level, 0) + 1
        if self._counts[level] > MOST:
            return
        index = at() if callable(at) else at
        line, column = self._lines.place(index) if index is not None else (0, 0)
        self._found.append(
            TaskProblem(
                level=level,
                code=code,
                file=self.file,
                path=spell(path),
                line=line,
                column=column,
                message=message,
                allowed=allowed,
                hint=hint() if callable(hint) else hint,
                task=task,
            )
        )

    @property
    def broken(self) -> bool:
        """Whether there is any error."""
        return "error" in self._counts

    def all(self) -> tuple[TaskProblem, ...]:
        """Errors first, each in the order of the file, with a line that says how many were left out."""
        kept = sorted(self._found, key=lambda one: (one.level != "error", one.line, one.column))
        for level, count in self._counts.items():
            if count > MOST:
                message = f"{count - MOST} more {level}s were left out"
                kept.append(TaskProblem(level=level, code="more", file=self.file, message=message))
        return tuple(kept)


def nearest(word: str, known: Sequence[str]) -> str:
    """``did you mean in-progress?``, or nothing where no known word is near."""
    from difflib import get_close_matches  # noqa: PLC0415 - needed for wrong words only

    folded = word.strip().casefold().replace("_", "-").replace(" ", "-")
    near = get_close_matches(folded, known, 1, 0.5)
    return f"did you mean {near[0]}?" if near else ""
