"""How a block of an operation is indented.

A block is written as it is given, with two exceptions, both for one that starts at the left edge (``indent: auto``):

- At a marker it takes the indentation of the marker.
- At a line, or in place of lines, it takes the indentation of the line where nothing else can be meant: the file is
  source code, and the block stands inside what is indented there. That is reported as a repair. Where it is not certain
  (behind the last line of a function, say), the block stays as it is, and a warning says so.

``indent: keep`` never changes a block. ``indent: match`` shifts it as a whole, so that it starts where the line or the
marker starts.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from vibehq_tui.patches.markers.languages import language_of
from vibehq_tui.patches.model import Edit, Repair

_CLOSER: Final = re.compile(rb"[ \t]*(?:[})\]]|end(?:[;,.)\s]*$|[ \t]+(?:if|do|loop|function|module|sub|case)\b))")
"""A line that closes what the lines above it stand in."""
_HEADS: Final = (b":", b"{", b"(", b"[")
_OPENERS: Final = (b":", b"{", b"(", b"[", b"\\", b",")
_MAKE: Final = frozenset({"Makefile"})
"""Languages in which the left edge and the indented lines are different things."""


def _is_blank(line: bytes) -> bool:
    return not line.strip()


def indentation(line: bytes) -> bytes:
    """The blanks that a line starts with."""
    return line[: len(line) - len(line.lstrip(b" \t"))]


def merged(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same lines as ranges in order that do not overlap."""
    result: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((start, end))
    return result


@dataclass(slots=True)
class Indents:
    """Fits blocks into a file, and notes what it did about their indentation."""

    path: str
    lines: list[bytes]
    replaced: Sequence[tuple[int, int]]
    """Ranges of lines (indices, the second behind the last) that the batch replaces, and that therefore tell nothing of
    what is there after it; in order, none within another."""
    repairs: list[Repair] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def fit(self, edit: Edit, block: list[bytes], start: int, end: int, anchor: int) -> list[bytes]:
        """The block as it goes to the lines ``start`` to ``end`` (indices); ``anchor`` is the line it may fit to."""
        first = next((line for line in block if not _is_blank(line)), None)
        if first is None or edit.indent == "keep":
            return block
        places = range(anchor, max(end, anchor + 1))
        anchored = next((self.lines[at] for at in places if not _is_blank(self.lines[at])), b"")
        wanted = indentation(anchored)
        if edit.indent == "match":
            return _shifted(block, wanted)
        if not wanted or first[:1] in (b" ", b"\t"):
            return block
        if edit.marker is not None:
            return _shifted(block, wanted)
        width = len(wanted.expandtabs(8))
        if self._is_code(block) and self._is_inside(edit, block, start, end, width):
            message = f"{edit.where}: the block starts at the left edge of what is indented; it took its indentation"
            self.repairs.append(Repair(code="indentation", path=self.path, message=message))
            return _shifted(block, wanted)
        self.warnings.append(
            f"{self.path}: {edit.where}: the block starts at the left edge, and line {anchor + 1} is indented; "
            "say indent: match if it should be too"
        )
        return block

    def _is_code(self, block: list[bytes]) -> bool:
        """Whether the left edge means nothing by itself, in this language and in this block."""
        language = language_of(self.path, (self.lines[0] if self.lines else b"")[:200])
        if language is None or language.prose or language.name in _MAKE:
            return False
        if b"#" not in language.line and any(line.startswith(b"#") for line in block):
            return False  # a line of a preprocessor
        return not any(b"<<" in line or line.startswith((b"EOF", b'"""', b"'''")) for line in block)

    def _is_inside(self, edit: Edit, block: list[bytes], start: int, end: int, width: int) -> bool:
        """Whether the lines around the place are indented, so that a block at the left edge would break them."""
        last = next(line for line in reversed(block) if not _is_blank(line))
        if last.rstrip().endswith(_OPENERS):
            return False
        above = self._nearest(range(start - 1, -1, -1))
        below = self._nearest(range(end, len(self.lines)))
        if above is None or below is None:
            return False
        heads = edit.kind != "insert-after" and len(indentation(above).expandtabs(8)) < width
        if (heads and above.rstrip().endswith(_HEADS)) or end > start:
            return True
        return len(indentation(below).expandtabs(8)) >= width or _CLOSER.match(below) is not None

    def _nearest(self, order: range) -> bytes | None:
        """The next line that is not blank; None when the batch replaces it, ``b""`` when there is none."""
        for at in order:
            before = bisect_right(self.replaced, at, key=lambda lines: lines[0]) - 1
            if before >= 0 and at < self.replaced[before][1]:
                return None
            if not _is_blank(self.lines[at]):
                return self.lines[at]
        return b""


def _shifted(block: list[bytes], wanted: bytes) -> list[bytes]:
    """The block with its common indentation replaced by ``wanted``."""
    indented = [indentation(line) for line in block if not _is_blank(line)]
    common = indented[0]
    for other in indented:
        while not other.startswith(common):
            common = common[:-1]
    return [line if _is_blank(line) else wanted + line[len(common) :] for line in block]
