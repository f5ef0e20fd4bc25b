"""What a diff says when every byte of it is believed: the reading that no mutation can make wrong.

A mutation can make a patch mean something else: a line number that fits another place exactly, a text that ends after
a hunk. Then doing what it says is right. This reads no repair into the text: counts must be met, and lines must match
byte for byte at their number or, where that fails, in one place only.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from mutation_draft import split

from vibehq_tui.patches.model import Blob

_HEADER = re.compile(rb"@@ -(\d+),(\d+) \+(\d+),(\d+) @@")
_BARE = re.compile(rb"@@(?!@)")

Hunk = tuple[int | None, list[bytes], list[bytes]]
"""The first old line from 1 (none without a number), the old lines, the new lines."""


def literal(text: bytes, read: Callable[[str], Blob | None], prefix: str) -> dict[str, Blob | None] | None:
    """What becomes of every path; None when the text cannot be taken literally.

    :param read: the file of a path of the tree.
    :param prefix: what stands before every name of the new side.
    """
    lines = split(text)
    if lines and not lines[-1].endswith(b"\n"):
        lines[-1] += b"\n"
    outcome: dict[str, Blob | None] = {}
    at = 0
    while at < len(lines):
        if not lines[at].startswith(b"--- "):
            # Changes without hunks (modes, renames) are not read here.
            if lines[at].startswith((b"rename ", b"old mode", b"deleted file", b"new file")):
                return None
            at += 1
            continue
        if at + 2 >= len(lines) or not lines[at + 1].startswith(b"+++ " + prefix.encode()):
            return None
        path = lines[at + 1][4 + len(prefix) :].rstrip(b"\n").decode()
        hunks: list[Hunk] = []
        at += 2
        while at < len(lines) and lines[at].startswith(b"@@"):
            hunk, at = _read(lines, at)
            if hunk is None:
                return None
            hunks.append(hunk)
        blob = read(path)
        made = None if blob is None else _apply(split(blob.content), hunks)
        if blob is None or made is None:
            return None
        outcome[path] = Blob(made, blob.mode)
    return outcome


def _read(lines: list[bytes], at: int) -> tuple[Hunk | None, int]:
    header = _HEADER.match(lines[at])
    if header is None and not _BARE.match(lines[at]):
        return None, at
    left = (int(header[2]), int(header[4])) if header is not None else None
    old: list[bytes] = []
    new: list[bytes] = []
    at += 1
    while at < len(lines) and (left is None or (len(old), len(new)) != left):
        line = lines[at]
        mark = line[:1]
        if left is None and (mark not in (b" ", b"+", b"-", b"\n", b"\\") or line.startswith(b"--- ")):
            break
        if mark == b"\\":
            _open_end(lines, at, old, new)
        elif line == b"\n":
            old.append(line)
            new.append(line)
        elif mark in (b" ", b"+", b"-"):
            old += [line[1:]] if mark != b"+" else []
            new += [line[1:]] if mark != b"-" else []
        else:
            return None, at
        at += 1
    if left is not None and (len(old), len(new)) != left:
        return None, at
    if at < len(lines) and lines[at].startswith(b"\\"):
        _open_end(lines, at, old, new)
        at += 1
    return (int(header[1]) if header is not None else None, old, new), at


def _open_end(lines: list[bytes], at: int, old: list[bytes], new: list[bytes]) -> None:
    mark = lines[at - 1][:1]
    if mark != b"+" and old:
        old[-1] = old[-1].removesuffix(b"\n")
    if mark != b"-" and new:
        new[-1] = new[-1].removesuffix(b"\n")


def _apply(lines: list[bytes], hunks: list[Hunk]) -> bytes | None:
    output: list[bytes] = []
    cursor = 0
    for number, old, new in hunks:
        at = None if number is None else number - 1 if old else number
        if at is None or lines[at : at + len(old)] != old:
            places = [spot for spot in range(len(lines) - len(old) + 1) if lines[spot : spot + len(old)] == old]
            if len(places) != 1:
                return None
            at = places[0]
        if at < cursor:
            return None
        output += lines[cursor:at] + new
        cursor = at + len(old)
    return b"".join(output + lines[cursor:])
