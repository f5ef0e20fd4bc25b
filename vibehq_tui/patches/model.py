"""What every format becomes before any file has been read: changes, hunks, edits; and what was repaired or is wrong.

A line is always bytes **with its terminator**: ``b"text\\n"``, ``b"text\\r\\n"``, or ``b"text"`` for the last line of a
file without a final newline. Paths are text relative to the root, with ``/`` between components; bytes of a name that
are no UTF-8 are kept as surrogate escapes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

REGULAR = 0o100644
EXECUTABLE = 0o100755
SYMLINK = 0o120000
SUBMODULE = 0o160000


def encode_path(path: str) -> bytes:
    """The bytes of a path on disk."""
    return path.encode("utf-8", "surrogateescape")


def decode_path(raw: bytes) -> str:
    """The text of a path from its bytes."""
    return raw.decode("utf-8", "surrogateescape")


@dataclass(frozen=True, slots=True)
class Blob:
    """A file: its bytes (for a symbolic link its target) and its git mode (0o100644, 0o100755 or 0o120000)."""

    content: bytes
    mode: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """Something in the patch was wrong, its meaning was certain, and it was read as meant."""

    code: str
    message: str
    path: str | None = None
    hunk: int | None = None

    def to_wire(self) -> dict[str, Any]:
        """``{"code", "path", "hunk", "message"}``."""
        return {"code": self.code, "path": self.path, "hunk": self.hunk, "message": self.message}


def _text(lines: tuple[bytes, ...]) -> list[str]:
    return [line.decode("utf-8", "replace").rstrip("\r\n") for line in lines]


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearest:
    """The place of a file that comes nearest to what a hunk looks for, without being it."""

    line: int
    """From 1, in the file as it is."""
    score: float
    """How much of it is alike, 0 to 1."""
    expected: tuple[bytes, ...]
    """The old lines of the hunk."""
    found: tuple[bytes, ...]
    """The lines of the file there."""

    def to_wire(self) -> dict[str, Any]:
        """``{"line", "score", "expected", "found"}``; lines as text, without their ends."""
        return {
            "line": self.line,
            "score": round(self.score, 3),
            "expected": _text(self.expected),
            "found": _text(self.found),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeRegion:
    """A place of a file that both the patch and the file itself have changed since their common base."""

    line: int
    """From 1, in the file as it is; the line after the place when ``ours`` is empty."""
    ours: tuple[bytes, ...]
    """The lines of the file as it is."""
    base: tuple[bytes, ...]
    theirs: tuple[bytes, ...]
    """The lines that the patch wants."""

    def to_wire(self) -> dict[str, Any]:
        """``{"line", "ours", "base", "theirs"}``; lines as text, without their ends."""
        return {
            "line": self.line,
            "ours": _text(self.ours),
            "base": _text(self.base),
            "theirs": _text(self.theirs),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why a patch was not applied. ``candidates`` are line numbers, from 1, in the file as it is."""

    code: str
    message: str
    path: str | None = None
    hunk: int | None = None
    candidates: tuple[int, ...] = ()
    nearest: Nearest | None = None
    """What comes nearest to the lines that were not found."""
    regions: tuple[MergeRegion, ...] = ()
    """Where a merge of three versions meets itself."""

    def where(self) -> str:
        """``path, hunk 3``, as far as it is known."""
        parts = [] if self.path is None else [self.path]
        if self.hunk is not None:
            parts.append(f"hunk {self.hunk}")
        return ", ".join(parts)

    def to_wire(self) -> dict[str, Any]:
        """``{"code", "path", "hunk", "message", "candidates"}``, with ``nearest`` and ``regions`` where known."""
        wire: dict[str, Any] = {
            "code": self.code,
            "path": self.path,
            "hunk": self.hunk,
            "message": self.message,
            "candidates": list(self.candidates),
        }
        if self.nearest is not None:
            wire["nearest"] = self.nearest.to_wire()
        if self.regions:
            wire["regions"] = [region.to_wire() for region in self.regions]
        return wire


Lines = tuple[tuple[str, bytes], ...]
"""Lines of a hunk: ``" "``, ``"-"`` or ``"+"``, and the line with its terminator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hunk:
    """A hunk as the patch states it. The numbers are a claim of its header; the lines are what counts."""

    old_start: int
    """From 1; the line *before* the hunk when ``old_count`` is 0, as in every unified diff."""
    old_count: int
    new_start: int
    new_count: int
    section: str
    lines: Lines
    crlf_text: bool = False
    """The patch text itself ends its lines with CRLF, so a CR in these lines may come from there."""
    missing: tuple[int, int] | None = None
    """The text ends here, and by its header the hunk should have had so many more old and new lines."""
    tail: Lines = ()
    """Lines after a blank line that could, but need not, belong to this hunk."""
    numbered: bool = True
    """Whether the text claims a line; without one the place must be the only one."""
    anchors: tuple[bytes, ...] = ()
    """Lines of the file, without their ends, that stand above the hunk and lead to it, outermost first."""
    at_end: bool = False
    """The text says that the hunk ends where the file ends."""
    continues: bool = False
    """The hunk belongs below the one before it in the text, whatever was left out between them."""

    def old(self) -> list[bytes]:
        """The lines that the file should have."""
        return [line for tag, line in self.lines if tag != "+"]

    def new(self) -> list[bytes]:
        """The lines that the file should get."""
        return [line for tag, line in self.lines if tag != "-"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BinaryDelta:
    """One direction of a ``GIT binary patch``: the whole content, or a delta against the content before."""

    kind: str
    """literal or delta."""
    data: bytes
    """Inflated: the content itself, or git's delta instructions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One operation of a batch on the text of one file. Line numbers are from 1 and mean the file before the batch."""

    kind: str
    """replace-block, insert-before, insert-after, append, prepend, replace-between."""
    where: str
    """The JSON path of the operation, for messages."""
    block: str | None = None
    block_file: str | None = None
    start: int = 0
    end: int = 0
    marker: str | None = None
    end_marker: str | None = None
    open_space: int = 0
    """So many blank lines are kept free above and below the block."""
    indent: str = "auto"
    """auto (a flush-left block takes the indentation of its marker), keep, match."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a patch wants for one file."""

    path: str
    op: str
    """modify, create, delete, rename, copy, mode."""
    from_: str | None = None
    old_mode: int | None = None
    new_mode: int | None = None
    hunks: tuple[Hunk, ...] = ()
    binary: BinaryDelta | None = None
    old_blob: str | None = None
    """Hex digits, often abbreviated, of the git blob that the patch was made from."""
    new_blob: str | None = None
    edits: tuple[Edit, ...] = ()
    content: Edit | None = None
    """The block of a created file, for operations."""
    old_name: str | None = None
    """The name of the old side as the header has it, prefix and all; none for ``/dev/null``."""
    new_name: str | None = None
    plain_names: bool = False
    """``path`` was guessed from ``---`` and ``+++`` alone, so other strip levels may be tried against the tree."""
    may_create: bool = False
    """A traditional diff of an empty old side: creates the file if there is none."""
    where: str | None = None
    """The JSON path of an operation, for messages."""
    ordered: bool = True
    """Whether the hunks stand in the order of the file."""
    whole: bytes | None = None
    """The whole content that the file is to have, whether it exists or not, as an agent wrote it out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedPatch:
    """A patch in any format, read but not yet compared with any file."""

    format: str
    changes: tuple[Change, ...]
    repairs: tuple[Repair, ...] = ()
    title: str | None = None
    message: str | None = None
    author: str | None = None
    task: str | None = None
    """The task that an operation batch names."""
    unfinished: bool = False
    """The text has no final newline, so its last line may be cut off."""
    parts: tuple[ParsedPatch, ...] = ()
    """The patches of a series, each made on top of the one before; ``changes`` has those of all."""
