"""Git's diffs: ``diff --git`` with extended headers for modes, renames, copies and binary files.

Source: Documentation/diff-generate-patch and apply.c of git.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from vibehq_tui.patches.errors import PatchRefused, refuse
from vibehq_tui.patches.formats.hunks import HunkReader
from vibehq_tui.patches.formats.names import DEV_NULL, common_level, header_name, plain_name, split_pair, strip
from vibehq_tui.patches.formats.unified import check_raw_name
from vibehq_tui.patches.model import EXECUTABLE, REGULAR, SUBMODULE, SYMLINK, BinaryDelta, Change, Hunk
from vibehq_tui.patches.paths import check_path

_INDEX = re.compile(rb"([0-9a-f]{4,64})\.\.([0-9a-f]{4,64})(?: ([0-7]{1,7}))?$")
_EMPTY_BLOBS: Final = (
    "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
    "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813",
)
# Modes that early versions of git wrote for ordinary files.
_MODES: Final = {
    0o100644: REGULAR,
    0o100664: REGULAR,
    0o100600: REGULAR,
    0o100755: EXECUTABLE,
    0o100775: EXECUTABLE,
    0o100700: EXECUTABLE,
    0o120000: SYMLINK,
}


@dataclass(slots=True)
class _Header:
    """The extended header of one file as far as it has been read."""

    first: str | None = None
    second: str | None = None
    old_mode: int | None = None
    new_mode: int | None = None
    created: bool = False
    deleted: bool = False
    rename_from: str | None = None
    rename_to: str | None = None
    copy_from: str | None = None
    copy_to: str | None = None
    old_blob: str | None = None
    new_blob: str | None = None
    old_name: str | None = None
    new_name: str | None = None
    binary: bool = False
    similarity: bytes = b""
    names_only: bool = False
    """``Binary files … differ``: the change is named, its data is not there."""


def read_git_change(reader: HunkReader, at: int) -> tuple[Change, int]:
    """The change whose ``diff --git`` is on line ``at``, and the index of the line behind it.

    :raises PatchRefused: for unsafe names and modes, contradictions, and what is cut off or damaged.
    """
    header = _Header()
    pair = split_pair(reader.lines[at][len(b"diff --git ") :])
    if pair is not None:
        header.first, header.second = pair
        check_raw_name(pair[0], "old name")
        check_raw_name(pair[1], "new name")
    start = at
    at = _read_header(header, reader.lines, at + 1)
    change = _named(header, start)
    hunks: tuple[Hunk, ...] = ()
    binary: BinaryDelta | None = None
    if header.binary:
        from vibehq_tui.patches.formats.binary import parse_binary  # noqa: PLC0415 - only for binary files

        binary, at = parse_binary(reader.lines, at, change.path)
    elif not header.names_only:
        hunks, at = reader.read(at, change.path)
    elif header.old_blob != header.new_blob or header.old_blob is None:
        raise refuse(
            "binary-without-data",
            "the patch says that the file differs, and not how",
            path=change.path,
            hint="make it with git diff --binary",
        )
    ordered = not hunks or any(hunk.numbered for hunk in hunks)
    change = replace(change, hunks=hunks, binary=binary, ordered=ordered)
    if not hunks and binary is None:
        if at < len(reader.lines) and reader.lines[at].startswith(b"--- "):
            raise _missing_body(change)
        _check_complete(header, change, at_end=at >= len(reader.lines))
    return change, at


def _read_header(header: _Header, lines: list[bytes], at: int) -> int:
    while at < len(lines):
        line = lines[at].rstrip(b"\r\n")
        if line.startswith(b"--- ") and at + 1 < len(lines) and lines[at + 1].startswith(b"+++ "):
            header.old_name = header_name(lines[at][4:])
            header.new_name = header_name(lines[at + 1][4:])
            return at + 2
        if line == b"GIT binary patch":
            header.binary = True
            return at + 1
        if line.startswith(b"Binary files ") and line.endswith(b" differ"):
            header.names_only = True
            return at + 1
        if not _read_field(header, line):
            return at
        at += 1
    return at


def _read_field(header: _Header, line: bytes) -> bool:
    """Takes one line of the extended header; False when it is none."""
    for start, name in _NAMES.items():
        if line.startswith(start):
            setattr(header, name, plain_name(line[len(start) :]))
            return True
    if line.startswith(b"index "):
        match = _INDEX.match(line[6:])
        if match is None:
            raise refuse("bad-header", f"the index line is damaged: {line[:80].decode('utf-8', 'replace')!r}")
        header.old_blob, header.new_blob = match[1].decode(), match[2].decode()
        if match[3] is not None:
            header.old_mode = header.new_mode = _mode(match[3])
        return True
    if line.startswith(b"old mode "):
        header.old_mode = _mode(line[9:])
    elif line.startswith(b"new mode "):
        header.new_mode = _mode(line[9:])
    elif line.startswith(b"new file mode "):
        header.created = True
        header.new_mode = _mode(line[14:])
    elif line.startswith(b"deleted file mode "):
        header.deleted = True
        header.old_mode = _mode(line[18:])
    elif line.startswith(b"similarity index "):
        header.similarity = line[17:].strip()
    else:
        return line.startswith(b"dissimilarity index ")
    return True


_NAMES: Final = {
    b"rename from ": "rename_from",
    b"rename to ": "rename_to",
    b"rename old ": "rename_from",
    b"rename new ": "rename_to",
    b"copy from ": "copy_from",
    b"copy to ": "copy_to",
}


def _mode(raw: bytes) -> int:
    text = raw.strip()
    value = int(text, 8) if re.fullmatch(rb"[0-7]{1,7}", text) else -1
    if value == SUBMODULE:
        raise refuse("submodule", "the patch changes a submodule (mode 160000)", hint="update the submodule with git")
    if value not in _MODES:
        raise refuse(
            "file-mode",
            f"the file mode {text.decode('utf-8', 'replace')!r} is not one that a patch may set",
            hint="100644, 100755 and 120000 are",
        )
    return _MODES[value]


def _named(header: _Header, at: int) -> Change:
    """The change that a header names, without its body."""
    moved = header.rename_from is not None or header.rename_to is not None
    copied = header.copy_from is not None or header.copy_to is not None
    if moved or copied:
        return _named_pair(header, "rename" if moved else "copy", at)
    old, new = header.first, header.second
    if header.old_name is not None and header.new_name is not None:
        old = _agreed(header.first, header.old_name, at)
        new = _agreed(header.second, header.new_name, at)
        header.created = header.created or header.old_name == DEV_NULL
        header.deleted = header.deleted or header.new_name == DEV_NULL
    if old is None or new is None:
        raise refuse("bad-header", f"line {at + 1}: it cannot be told which file is meant")
    check_raw_name(old, "old name")
    check_raw_name(new, "new name")
    level = common_level(old.removeprefix("./"), new.removeprefix("./"))
    if level is None:
        raise refuse(
            "bad-header", f"line {at + 1}: {old!r} and {new!r} are different files, but nothing says renamed or copied"
        )
    if header.created and header.deleted:
        raise refuse("bad-header", f"line {at + 1}: the file is both created and deleted")
    path = check_path(strip(new.removeprefix("./"), level) or new)
    op = "create" if header.created else "delete" if header.deleted else "modify"
    return _change(header, path, op, None, old, new)


def _named_pair(header: _Header, op: str, at: int) -> Change:
    source, target = (header.rename_from, header.rename_to) if op == "rename" else (header.copy_from, header.copy_to)
    if source is None or target is None or (op == "rename" and (header.copy_from or header.copy_to)):
        raise refuse("bad-header", f"line {at + 1}: a {op} names only one of its two files, or both rename and copy")
    check_path(source, role=f"{op} source")
    check_path(target, role=f"{op} target")
    for given, meant, role in (
        (header.first, source, "old name"),
        (header.second, target, "new name"),
        (header.old_name, source, "old name"),
        (header.new_name, target, "new name"),
    ):
        if given is None:
            continue
        check_raw_name(given, role)
        if given != meant and not given.endswith("/" + meant):
            raise refuse("bad-header", f"line {at + 1}: the names {given!r} and {meant!r} contradict each other")
    if header.created or header.deleted:
        raise refuse("bad-header", f"line {at + 1}: a {op} cannot also create or delete")
    return _change(header, target, op, source, None, None)


def _agreed(first: str | None, second: str, at: int) -> str | None:
    """The one name of a side, of ``diff --git`` and of ``---`` or ``+++``; they must agree."""
    if second == DEV_NULL:
        return first
    check_raw_name(second, "name")
    if first is not None and first != second and not _same_behind_prefix(first, second):
        raise refuse("bad-header", f"line {at + 1}: the names {first!r} and {second!r} contradict each other")
    return second


def _same_behind_prefix(first: str, second: str) -> bool:
    return first.endswith("/" + second) or second.endswith("/" + first)


def _change(header: _Header, path: str, op: str, from_: str | None, old: str | None, new: str | None) -> Change:
    return Change(
        path=path,
        op=op,
        from_=from_,
        old_mode=header.old_mode,
        new_mode=header.new_mode,
        old_blob=header.old_blob,
        new_blob=header.new_blob,
        old_name=old,
        new_name=new,
        plain_names=from_ is None,
    )


def _check_complete(header: _Header, change: Change, *, at_end: bool) -> None:
    """Refuses a header whose body is missing.

    :raises PatchRefused: when blobs, similarity or the end of the text show that more was there.
    """
    old, new = header.old_blob, header.new_blob
    if change.op == "delete":
        return
    if change.op == "create":
        empty = new is not None and any(name.startswith(new) for name in _EMPTY_BLOBS)
        if not empty and (new is not None or at_end):
            raise _missing_body(change)
        return
    if old is not None and old != new:
        raise _missing_body(change)
    if change.op == "modify":
        if header.old_mode is None or header.old_mode == header.new_mode:
            raise _missing_body(change)
    elif header.similarity not in (b"", b"100%"):
        raise _missing_body(change)


def _missing_body(change: Change) -> PatchRefused:
    return refuse("truncated", "the patch names the file, and then nothing about it", path=change.path)
