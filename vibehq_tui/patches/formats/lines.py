"""The lines of a patch text, and the Markdown fences in them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Final

BLANK: Final = (b"\n", b"\r\n")
_OPEN: Final = re.compile(rb"([ \t]*)(`{3,}|~{3,})([^\r\n]*)\r?\n?$")


def split_text(text: bytes) -> tuple[list[bytes], bool]:
    """The lines of a text, each with a newline, and whether the last one had none."""
    lines = BytesIO(text).readlines()
    unfinished = bool(lines) and not lines[-1].endswith(b"\n")
    if unfinished:
        lines[-1] += b"\n"
    return lines, unfinished


def is_blank(line: bytes) -> bool:
    """Whether nothing but blanks stands in a line."""
    return not line.strip()


def text_of(line: bytes) -> str:
    """A line for messages."""
    shown = line.decode("utf-8", "replace").rstrip()
    return repr(shown if len(shown) <= 60 else shown[:59] + "…")


@dataclass(frozen=True, slots=True)
class Mark:
    """A line that opens or closes a fence."""

    indent: int
    char: bytes
    length: int
    info: str

    def closes(self, opener: Mark) -> bool:
        """Whether this line ends the fence that ``opener`` began, by the rules of CommonMark."""
        same = self.char == opener.char and self.length >= opener.length
        return same and not self.info and self.indent <= opener.indent + 3


def fence_mark(line: bytes) -> Mark | None:
    """The fence mark that a line consists of."""
    if b"```" not in line and b"~~~" not in line:
        return None
    match = _OPEN.match(line)
    if match is None:
        return None
    info = match[3].strip()
    if match[2].startswith(b"`") and b"`" in info:
        return None
    indent = len(match[1].expandtabs(4))
    return Mark(indent, match[2][:1], len(match[2]), info.decode("utf-8", "surrogateescape"))


@dataclass(frozen=True, slots=True)
class Fence:
    """A fenced block: the indices of its first and last line, the latter behind the text when it is not closed."""

    start: int
    end: int
    mark: Mark
    closed: bool


def fence_at(lines: Sequence[bytes], at: int, opener: Mark) -> Fence:
    """The fenced block whose first line, with the mark ``opener``, is ``at``; as CommonMark reads it."""
    for index in range(at + 1, len(lines)):
        mark = fence_mark(lines[index])
        if mark is not None and mark.closes(opener):
            return Fence(at, index, opener, closed=True)
    return Fence(at, len(lines), opener, closed=False)


def fences(lines: Sequence[bytes]) -> Iterator[Fence]:
    """The fenced blocks of a text, in order."""
    at = 0
    while at < len(lines):
        mark = fence_mark(lines[at])
        if mark is not None:
            fence = fence_at(lines, at, mark)
            yield fence
            at = fence.end
        at += 1


def without_newline(line: bytes) -> bytes:
    """A line without its terminator."""
    return line.removesuffix(b"\n").removesuffix(b"\r")
