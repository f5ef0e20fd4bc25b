"""The bodies of unified hunks. The counts in a header are a claim; what the body holds is found out here.

Git trusts the counts: with a count that is too low it drops the rest of a hunk without a word. Here a hunk ends where
its counts are met *and* nothing that follows could belong to it; where the two disagree the body counts, if it is
certain where it ends.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from vibehq_tui.patches.errors import PatchRefused, refuse
from vibehq_tui.patches.model import Hunk, Lines, Repair

HEADER: Final = re.compile(rb"@@ -(\d{1,10})(?:,(\d{1,10}))? \+(\d{1,10})(?:,(\d{1,10}))? @@(?: ?(.*))?$", re.DOTALL)
MAX_LINE_NUMBER: Final = 2**31 - 1

TAGS: Final = {32: " ", 43: "+", 45: "-"}
"""The marks of the lines of a hunk, by byte."""
_PLUS, _MINUS = 43, 45
_NO_NEWLINE: Final = b"\\ "
_BLANK: Final = (b"\n", b"\r\n")
_VERSION = re.compile(rb"\d+\.\d+")
_MAIL_START = re.compile(rb"From [0-9a-f]{40} ")
_FENCES: Final = (b"```", b"~~~")

_Tagged = list[tuple[str, bytes]]


@dataclass(slots=True)
class _Body:
    lines: _Tagged
    end: int
    """The index of the line behind it."""
    tail: Lines = ()


@dataclass(slots=True)
class HunkReader:
    """Reads the hunks of a patch text, one file after the other."""

    lines: list[bytes]
    repairs: list[Repair] = field(default_factory=list)
    number: int = 0
    """Hunks read before, through the whole patch."""
    path: str = ""
    fenced: bool = False
    """The patch stands within a Markdown fence that was opened before it."""
    bare: Callable[[HunkReader, int], tuple[list[Hunk], int]] | None = None
    """Reads hunks whose header has no usable line numbers; without it they are refused."""

    def read(self, at: int, path: str) -> tuple[tuple[Hunk, ...], int]:
        """All hunks of ``path`` from line ``at`` on, and the index of the line behind them.

        :raises PatchRefused: when a header or a body cannot be read with certainty.
        """
        self.path = path
        hunks: list[Hunk] = []
        while at < len(self.lines) and self.lines[at].startswith(b"@@"):
            match = self.header(at)
            if match is None:
                found, at = self._read_bare(at)
                hunks += found
                continue
            self.number += 1
            hunk, at = self._read_one(at, match)
            hunks.append(hunk)
        return tuple(hunks), at

    def _read_bare(self, at: int) -> tuple[list[Hunk], int]:
        if self.bare is not None:
            return self.bare(self, at)
        self.number += 1
        shown = self.lines[at][:60].decode("utf-8", "replace").rstrip()
        message = f"line {at + 1} of the patch is no hunk header: {shown!r}"
        raise self._refuse("hunk-header", message, hint="a header reads @@ -12,5 +12,6 @@")

    def header(self, at: int) -> re.Match[bytes] | None:
        """The hunk header with line numbers on a line, or None."""
        return HEADER.match(self.lines[at].rstrip(b"\r\n"))

    def _refuse(self, code: str, message: str, hint: str = "") -> PatchRefused:
        return refuse(code, message, path=self.path, hunk=self.number, hint=hint)

    def _read_one(self, at: int, match: re.Match[bytes]) -> tuple[Hunk, int]:
        header = self.lines[at]
        old_start, old, new_start, new = (1 if group is None else int(group) for group in match.group(1, 2, 3, 4))
        if max(old_start + old, new_start + new) > MAX_LINE_NUMBER:
            raise self._refuse("hunk-header", "the line numbers of the hunk are beyond any file")
        body = self._by_counts(at + 1, old, new)
        missing: tuple[int, int] | None = None
        if body is None:
            body, missing = self._by_content(at + 1, old, new)
        if not all(line.endswith(b"\n") for _, line in body.lines):
            self._check_newlines(body.lines)
        hunk = Hunk(
            old_start=old_start,
            old_count=old,
            new_start=new_start,
            new_count=new,
            section=(match[5] or b"").decode("utf-8", "surrogateescape"),
            lines=tuple(body.lines),
            crlf_text=header.endswith(b"\r\n"),
            missing=missing,
            tail=body.tail,
        )
        return hunk, body.end

    def _check_newlines(self, lines: _Tagged) -> None:
        """Only the last line of a side may be without a newline."""
        for side in "+-":
            kept = [line for tag, line in lines if tag in (" ", side)]
            if not all(line.endswith(b"\n") for line in kept[:-1]):
                raise self._refuse("malformed-hunk", "'\\ No newline at end of file' stands before the end of the file")

    def _by_counts(self, at: int, old: int, new: int) -> _Body | None:
        """The body as the header counts it; None when it does not end there without doubt."""
        lines = self.lines
        output: _Tagged = []
        end = len(lines)
        while old > 0 or new > 0:
            if at >= end:
                return None
            line = lines[at]
            mark = line[0]
            if mark == 32:
                old -= 1
                new -= 1
                output.append((" ", line[1:]))
            elif mark == _PLUS:
                new -= 1
                output.append(("+", line[1:]))
            elif mark == _MINUS:
                if line[1] == _MINUS and self._ends_file(at, old, new):
                    return None
                old -= 1
                output.append(("-", line[1:]))
            elif line.startswith(_NO_NEWLINE) and output:
                output[-1] = open_ended(output[-1], line)
            elif line in _BLANK:
                old -= 1
                new -= 1
                output.append((" ", line))
            else:
                return None
            at += 1
        if old or new:
            return None
        if at < end and output and lines[at].startswith(_NO_NEWLINE):
            output[-1] = open_ended(output[-1], lines[at])
            at += 1
        tail = self._tail(at)
        return None if tail is None else _Body(output, at, tail)

    def _ends_file(self, at: int, old: int, new: int) -> bool:
        """Whether a line that starts with ``--`` ends the hunk although by the counts something is missing."""
        if self._is_signature(at):
            return at + 1 < len(self.lines)
        return self._is_file_header(at) and (old, new) != (1, 1)

    def _tail(self, at: int) -> Lines | None:
        """What follows a body whose counts are met: nothing of it, None for more of it, or what may be of it."""
        lines, end = self.lines, len(self.lines)
        if at >= end or self.is_boundary(at):
            return ()
        if lines[at] not in _BLANK:
            more = lines[at][0] in TAGS or lines[at].startswith(_NO_NEWLINE) or self.goes_on(at)
            return None if more else ()
        blanks = at
        while blanks < end and lines[blanks] in _BLANK:
            blanks += 1
        if blanks >= end or lines[blanks][0] not in TAGS or self.is_boundary(blanks):
            return ()
        if lines[blanks][0] == _PLUS:
            return None
        tail: _Tagged = [(" ", blank) for blank in lines[at:blanks]]
        for index in range(blanks, min(end, blanks + 50)):
            if lines[index][0] not in TAGS or self.is_boundary(index):
                break
            tail.append((TAGS[lines[index][0]], lines[index][1:]))
        return tuple(tail)

    def goes_on(self, at: int) -> bool:
        """Whether, after a line without a mark, marked lines go on: a context line that lost its blank, not prose."""
        for index in range(at, min(len(self.lines), at + 200)):
            if self.lines[index] in _BLANK or self.is_boundary(index):
                return False
            if self.lines[index][0] == _PLUS:
                return True
        return False

    def _by_content(self, at: int, old_count: int, new_count: int) -> tuple[_Body, tuple[int, int] | None]:
        """The body by what its lines look like, when the counts of the header do not fit."""
        body = self._longest(at, old_count, new_count)
        old, new = _count(body.lines)
        if (old, new) == (old_count, new_count):
            return body, None
        if all(tag == " " for tag, _ in body.lines):
            raise self._refuse("truncated", "the hunk ends before it changes anything")
        what = f"the header said {old_count} old and {new_count} new lines, the body has {old} and {new}"
        after = body.end
        while after < len(self.lines) and self.lines[after] in _BLANK:
            after += 1
        short = old < old_count or new < new_count
        at_end = after >= len(self.lines)
        loose = not at_end and not self.is_boundary(after)
        if (loose and (short or after == body.end)) or (not at_end and self._after_fence(after)):
            raise self._refuse(
                "malformed-hunk",
                f"line {after + 1} of the patch, within the hunk, starts with neither ' ', '+' nor '-' ({what})",
                hint="give every line of a hunk its mark; a context line starts with a blank",
            )
        self.repairs.append(Repair(code="hunk-count", path=self.path, hunk=self.number, message=what))
        if at_end and old <= old_count and new <= new_count:
            return body, (old_count - old, new_count - new)
        return body, None

    def _after_fence(self, at: int) -> bool:
        """Whether what looks like the end of a fence goes on as a hunk: a context line without its blank."""
        return self.lines[at].startswith(_FENCES) and at + 1 < len(self.lines) and self.lines[at + 1][0] in TAGS

    def _longest(self, at: int, old_count: int, new_count: int) -> _Body:
        """All lines from ``at`` on that look like lines of a hunk."""
        lines, end = self.lines, len(self.lines)
        output: _Tagged = []
        blanks = 0
        while at < end and not self.is_boundary(at):
            line = lines[at]
            if line in _BLANK:
                output.append((" ", line))
                blanks += 1
            elif line[0] in TAGS:
                output.append((TAGS[line[0]], line[1:]))
                blanks = 0
            elif line.startswith(_NO_NEWLINE) and output:
                output[-1] = open_ended(output[-1], line)
            else:
                break
            at += 1
        # Empty lines at the end separate the hunk from what follows, unless the header counted them as context.
        old, new = _count(output)
        surplus = old - old_count
        drop = surplus if 0 <= surplus <= blanks and new - new_count == surplus else blanks
        if drop:
            del output[-drop:]
        return _Body(output, at - drop)

    def _is_file_header(self, at: int) -> bool:
        lines = self.lines
        return (
            lines[at].startswith(b"--- ")
            and at + 2 < len(lines)
            and lines[at + 1].startswith(b"+++ ")
            and lines[at + 2].startswith(b"@@")
        )

    def _is_signature(self, at: int) -> bool:
        """``-- `` and git's version, as ``format-patch`` ends a mail."""
        if self.lines[at].rstrip(b"\r\n") != b"-- ":
            return False
        return at + 1 >= len(self.lines) or _VERSION.match(self.lines[at + 1]) is not None

    def is_boundary(self, at: int) -> bool:
        """Whether a line starts something else for certain: a hunk, a file, a signature, the end of a fence, a mail."""
        line = self.lines[at]
        mark = line[0]
        if mark == _MINUS:
            return self._is_signature(at) or self._is_file_header(at)
        if mark == 32 or mark == _PLUS:
            return False
        if line.startswith((b"@@", b"diff --git ", b"Index: ")):
            return True
        return (self.fenced and line.startswith(_FENCES)) or _MAIL_START.match(line) is not None


def open_ended(tagged: tuple[str, bytes], mark: bytes) -> tuple[str, bytes]:
    """A line without its newline; ``mark`` is the line that says so, and ends as all lines of the text do."""
    tag, line = tagged
    return tag, line.removesuffix(b"\r\n" if mark.endswith(b"\r\n") else b"\n").removesuffix(b"\n")


def _count(lines: _Tagged) -> tuple[int, int]:
    """Old and new lines."""
    added = sum(1 for tag, _ in lines if tag == "+")
    removed = sum(1 for tag, _ in lines if tag == "-")
    return len(lines) - added, len(lines) - removed
