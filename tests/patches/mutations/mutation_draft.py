"""A patch as data, read from git's own diff, to be broken on purpose and written again in any format.

Nothing of the engine is used here: what reads and writes a patch in order to test the engine must not share its errors.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import Final

from vibehq_tui.patches.model import Blob

_HEADER = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@ ?(.*)\n", re.DOTALL)
_NO_NEWLINE = b"\\ No newline at end of file\n"
_NAMES = re.compile(rb"diff --git a/([^ \"]+) b/([^ \"]+)\n")

Line = tuple[str, bytes]
"""A mark (blank, minus, plus; empty for a line that lost its mark) and the text with its end."""


def split(data: bytes) -> list[bytes]:
    """Lines with their ends; only LF ends one."""
    return BytesIO(data).readlines()


@dataclass(slots=True)
class DraftHunk:
    """A hunk; the numbers are those of its header, whatever the body holds."""

    old_start: int
    new_start: int
    section: bytes
    lines: list[Line]
    counts: tuple[int, int] | None = None
    """What the header says, when it is not what the body holds."""
    header: bytes | None = None
    """A header without numbers."""
    elided: list[tuple[int, int]] = field(default_factory=list)
    """Runs of common lines, as indices, that are written as ``...``."""

    def old(self) -> list[bytes]:
        return [line for mark, line in self.lines if mark != "+"]

    def new(self) -> list[bytes]:
        return [line for mark, line in self.lines if mark != "-"]

    def copy(self) -> DraftHunk:
        return replace(self, lines=list(self.lines), elided=list(self.elided))


@dataclass(slots=True)
class DraftFile:
    """One file of a patch, with its content on both sides."""

    path: str
    op: str
    from_: str | None
    before: bytes | None
    after: bytes | None
    extended: list[bytes]
    """Git's lines between ``diff --git`` and ``---``."""
    hunks: list[DraftHunk]

    def copy(self) -> DraftFile:
        return replace(self, extended=list(self.extended), hunks=[hunk.copy() for hunk in self.hunks])


@dataclass(slots=True)
class Draft:
    """A patch that is being broken, the tree that it is for, and what should come of it."""

    files: list[DraftFile]
    before: dict[str, Blob | None]
    """Where the tree is not the parent of the commit."""
    expected: dict[str, Blob | None]
    """What becomes of the paths of the commit."""
    style: str = "git"
    """git, unified, codex, search-replace, udiff, whole-file."""
    prefixes: tuple[str, str] = ("a/", "b/")
    folder: str = ""
    """In front of every name."""
    crlf: bool = False
    around: tuple[bytes, bytes] = (b"", b"")
    each_fenced: bool = False
    final_newline: bool = True
    cut: float | None = None
    """Where the text ends, as a share of it."""
    fine: set[str] = field(default_factory=set)
    """Codes of refusals that are right."""
    done: bool = False
    """The tree has all of it already."""
    bare: set[str] = field(default_factory=set)
    """What else was done, by name, so that two mutations do not meet where they make no sense together."""

    def copy(self) -> Draft:
        return replace(
            self,
            files=[file.copy() for file in self.files],
            before=dict(self.before),
            expected=dict(self.expected),
            fine=set(self.fine),
            bare=set(self.bare),
        )

    def content(self, file: DraftFile) -> bytes | None:
        """What the tree has where the file is to be changed."""
        path = file.from_ or file.path
        if path in self.before:
            blob = self.before[path]
            return None if blob is None else blob.content
        return file.before


def read_git_diff(text: bytes, contents: dict[str, tuple[Blob | None, Blob | None]]) -> list[DraftFile] | None:
    """The files of a diff by git; None when it has what is not made to be broken here (binary, links, odd names).

    :param contents: by path, the file before and after.
    """
    files: list[DraftFile] = []
    lines = split(text)
    at = 0
    while at < len(lines):
        names = _NAMES.fullmatch(lines[at])
        if names is None:
            return None
        old, new = names[1].decode(), names[2].decode()
        at += 1
        extended: list[bytes] = []
        while at < len(lines) and not lines[at].startswith((b"diff --git ", b"--- ")):
            if lines[at].startswith((b"GIT binary", b"Binary ", b"copy ")):
                return None
            extended.append(lines[at])
            at += 1
        at += 2 if at < len(lines) and lines[at].startswith(b"--- ") else 0
        hunks: list[DraftHunk] = []
        while at < len(lines) and lines[at].startswith(b"@@"):
            hunk, at = _read_hunk(lines, at)
            hunks.append(hunk)
        before, after = contents[old][0], contents[new][1]
        moved = old != new
        op = "rename" if moved else "create" if before is None else "delete" if after is None else "modify"
        if any(blob is not None and blob.mode not in (0o100644, 0o100755) for blob in (before, after)):
            return None
        files.append(
            DraftFile(
                path=new,
                op=op,
                from_=old if moved else None,
                before=None if before is None else before.content,
                after=None if after is None else after.content,
                extended=extended,
                hunks=hunks,
            )
        )
    return files


def _read_hunk(lines: list[bytes], at: int) -> tuple[DraftHunk, int]:
    match = _HEADER.fullmatch(lines[at])
    if match is None:
        raise AssertionError(lines[at])
    old, new = int(match[2] or 1), int(match[4] or 1)
    hunk = DraftHunk(int(match[1]), int(match[3]), match[5], [])
    at += 1
    while old or new or (at < len(lines) and lines[at].startswith(b"\\")):
        line = lines[at]
        at += 1
        if line.startswith(b"\\"):
            mark, text = hunk.lines[-1]
            hunk.lines[-1] = (mark, text[:-1])
            continue
        mark = line[:1].decode()
        old -= mark != "+"
        new -= mark != "-"
        hunk.lines.append((mark, line[1:]))
    return hunk, at


PLACE: Final = {"ambiguous-context", "no-context", "maybe-applied", "edge-context", "hunk-order", "hunk-overlap"}
"""The place of a hunk is not certain."""
ABSENT: Final = {"context-not-found", "merge-conflict", "merge-uncertain"}
"""What the patch shows is not in the file."""
BROKEN: Final = {"truncated", "malformed-hunk", "no-changes"}
"""Where a hunk ends, or whether it is whole, is not certain."""


def texts_of(draft: Draft) -> list[DraftFile]:
    return [file for file in draft.files if file.op in ("modify", "rename") and file.hunks]


def is_diff(draft: Draft) -> bool:
    return draft.style in ("git", "unified")
