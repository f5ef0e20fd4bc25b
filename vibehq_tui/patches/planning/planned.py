"""Files and hunks as a plan has them: at their place, with content before and after."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any

from vibehq_tui.patches.model import Lines


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedHunk:
    """A hunk at the place where it was found, with the file's own bytes on context and removed lines.

    ``old_start`` and ``new_start`` are from 1, or the line before when the side has no line, as in a diff header. A
    change without text (rename, mode, binary, empty file) is one hunk without lines.
    """

    number: int
    """From 1, through the whole patch."""
    old_start: int = 0
    old_lines: int = 0
    new_start: int = 0
    new_lines: int = 0
    section: str = ""
    lines: Lines = ()
    match: str = "exact"
    """exact, offset, whitespace, unicode, fuzzy, merge."""

    @property
    def first(self) -> int:
        """The index, from 0, of the first old line."""
        return self.old_start - 1 if self.old_lines else self.old_start

    def inverse(self) -> PlannedHunk:
        """The hunk that undoes this one; removed lines come before added ones, as everywhere."""
        return replace(
            self,
            old_start=self.new_start,
            old_lines=self.new_lines,
            new_start=self.old_start,
            new_lines=self.old_lines,
            lines=tuple(_flip(self.lines)),
        )


def _flip(lines: Lines) -> Iterator[tuple[str, bytes]]:
    added: list[tuple[str, bytes]] = []
    for tag, line in lines:
        if tag == "-":
            added.append(("+", line))
            continue
        if tag == "+":
            yield ("-", line)
            continue
        yield from added
        added.clear()
        yield (tag, line)
    yield from added


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFile:
    """One file of a plan.

    ``before`` is the content that ``after`` was made from: for a rename or a copy that of ``from_``. A created file
    has no ``before``, a deleted one no ``after``. Modes are git modes.
    """

    path: str
    op: str
    """modify, create, delete, rename, copy, mode."""
    from_: str | None = None
    before: bytes | None
    after: bytes | None
    before_mode: int | None
    after_mode: int | None
    hunks: tuple[PlannedHunk, ...]
    binary: bool = False

    @property
    def added(self) -> int:
        """Lines added."""
        return sum([[tag for tag, _ in hunk.lines].count("+") for hunk in self.hunks])

    @property
    def removed(self) -> int:
        """Lines removed."""
        return sum([[tag for tag, _ in hunk.lines].count("-") for hunk in self.hunks])

    def to_wire(self) -> dict[str, Any]:
        """An entry of ``"files"`` in the answer of ``patchctl``."""
        return {
            "path": self.path,
            "op": self.op,
            "from": self.from_,
            "added": self.added,
            "removed": self.removed,
            "hunks": [{"number": hunk.number, "line": hunk.old_start, "match": hunk.match} for hunk in self.hunks],
        }

    def inverse(self) -> PlannedFile:
        """The file of the plan that undoes this one; a copy is undone by deleting it."""
        if self.op == "copy":
            number = self.hunks[0].number
            hunks = (
                whole_file_hunk(self.after or b"", "-", number) if not self.binary else PlannedHunk(number=number),
            )
            return replace(
                self,
                op="delete",
                from_=None,
                before=self.after,
                after=None,
                before_mode=self.after_mode,
                after_mode=None,
                hunks=hunks,
            )
        op = {"create": "delete", "delete": "create"}.get(self.op, self.op)
        path, from_ = (self.from_ or self.path, self.path) if op == "rename" else (self.path, None)
        return replace(
            self,
            path=path,
            op=op,
            from_=from_,
            before=self.after,
            after=self.before,
            before_mode=self.after_mode,
            after_mode=self.before_mode,
            hunks=tuple(hunk.inverse() for hunk in self.hunks),
        )


def split_lines(data: bytes) -> list[bytes]:
    """The lines of a file with their terminators; only LF ends a line."""
    return BytesIO(data).readlines()


def whole_file_hunk(data: bytes, tag: str, number: int) -> PlannedHunk:
    """A hunk that adds (``+``) or removes (``-``) a whole file."""
    lines = split_lines(data)
    count = len(lines)
    tagged = tuple((tag, line) for line in lines)
    if tag == "+":
        return PlannedHunk(number=number, new_start=1 if count else 0, new_lines=count, lines=tagged)
    return PlannedHunk(number=number, old_start=1 if count else 0, old_lines=count, lines=tagged)
