"""Receipts: what was applied, with every byte before and after. While being applied, a receipt is the intent record.

::

    journal/<id>.tmp     being written; nothing was touched
    journal/<id>         committed: what died here is carried on to the end
    journal/<id>.undo    being taken back: what died here is taken back to the end
    receipts/<id>        done, and on disk

A record is one line ``vibehq-receipt 1 <header bytes> <crc32>``, the header as JSON, and the contents one by one.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from storage.clock import Millis
from storage.errors import NotFound, Refused
from vibehq_tui.patches.model import Repair
from vibehq_tui.patches.plan import Plan
from vibehq_tui.patches.planned import PlannedFile, PlannedHunk, split_lines

UNDO: Final = ".undo"
TEMPORARY: Final = ".tmp"
_MAGIC: Final = b"vibehq-receipt 1 "


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """An application or a revert that took place."""

    id: str
    kind: str
    """apply or revert."""
    at: Millis
    meta: Mapping[str, Any]
    plan: Plan
    permissions: Mapping[str, int]
    """Permission bits that files had before."""
    order: int = 0
    """Rises with every record; says which of two came first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptSummary:
    """A receipt as a list shows it."""

    id: str
    kind: str
    at: Millis
    meta: Mapping[str, Any]
    files: tuple[tuple[str, str], ...]
    """Operation and path of every file."""
    added: int
    removed: int


@dataclass(frozen=True, slots=True)
class Recovered:
    """An application or a revert whose process died, and what became of it."""

    receipt: str
    meta: dict[str, object]
    kind: str
    """apply or revert."""
    outcome: str
    """completed or taken-back."""
    left: tuple[str, ...] = ()
    """Files that were neither as before nor as after: somebody changed them since, so they were left alone."""


def encode(receipt: Receipt) -> list[bytes]:
    """The record of a receipt, in chunks to be written one after the other."""
    blobs: list[bytes] = []
    files = [_file_to_json(file, blobs) for file in receipt.plan.files]
    header = json.dumps(
        {
            "id": receipt.id,
            "kind": receipt.kind,
            "at": receipt.at,
            "order": receipt.order,
            "meta": dict(receipt.meta),
            "added": receipt.plan.added,
            "removed": receipt.plan.removed,
            "permissions": dict(receipt.permissions),
            "repairs": [repair.to_wire() for repair in receipt.plan.repairs],
            "warnings": receipt.plan.warnings,
            "blobs": [len(blob) for blob in blobs],
            "files": files,
        },
        separators=(",", ":"),
    ).encode()
    checksum = zlib.crc32(header)
    for blob in blobs:
        checksum = zlib.crc32(blob, checksum)
    return [_MAGIC + b"%d %08x\n" % (len(header), checksum), header, b"\n", *blobs]


def _file_to_json(file: PlannedFile, blobs: list[bytes]) -> dict[str, Any]:
    def keep(data: bytes | None) -> int | None:
        if data is None:
            return None
        blobs.append(data)
        return len(blobs) - 1

    return {
        "path": file.path,
        "op": file.op,
        "from": file.from_,
        "before": keep(file.before),
        "after": keep(file.after),
        "modes": [file.before_mode, file.after_mode],
        "binary": file.binary,
        "hunks": [
            [
                hunk.number,
                hunk.old_start,
                hunk.old_lines,
                hunk.new_start,
                hunk.new_lines,
                hunk.section,
                hunk.match,
                "".join(tag for tag, _ in hunk.lines),
            ]
            for hunk in file.hunks
        ],
    }


def decode(data: bytes, name: str) -> Receipt:
    """The receipt of a record.

    :raises Refused: when the record is damaged.
    """
    first, _, rest = data.partition(b"\n")
    try:
        if not first.startswith(_MAGIC):
            raise ValueError("it does not start like a receipt")
        length, checksum = first[len(_MAGIC) :].split(b" ")
        header_end = int(length)
        header = json.loads(rest[:header_end])
        contents = memoryview(rest)[header_end + 1 :]
        if zlib.crc32(contents, zlib.crc32(rest[:header_end])) != int(checksum, 16):
            raise ValueError("its checksum is wrong")
        return _from_json(header, _cut(contents, header["blobs"]))
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise Refused(
            f"receipt {name} is damaged: {error}", code="receipt-damaged", hint="restore the files from git"
        ) from None


def _cut(contents: memoryview, lengths: list[int]) -> list[bytes]:
    blobs = []
    at = 0
    for length in lengths:
        blobs.append(bytes(contents[at : at + length]))
        at += length
    return blobs


def _from_json(header: dict[str, Any], blobs: list[bytes]) -> Receipt:
    plan = Plan(
        files=tuple(_file_from_json(entry, blobs) for entry in header["files"]),
        repairs=tuple(Repair(**entry) for entry in header["repairs"]),
        warnings=tuple(header["warnings"]),
    )
    return Receipt(
        id=header["id"],
        kind=header["kind"],
        at=Millis(header["at"]),
        meta=header["meta"],
        plan=plan,
        permissions=header["permissions"],
        order=header["order"],
    )


def _file_from_json(entry: dict[str, Any], blobs: list[bytes]) -> PlannedFile:
    before = None if entry["before"] is None else blobs[entry["before"]]
    after = None if entry["after"] is None else blobs[entry["after"]]
    with_lines = any(row[7] for row in entry["hunks"])
    old = split_lines(before) if before is not None and with_lines else []
    new = split_lines(after) if after is not None and with_lines else []
    return PlannedFile(
        path=entry["path"],
        op=entry["op"],
        from_=entry["from"],
        before=before,
        after=after,
        before_mode=entry["modes"][0],
        after_mode=entry["modes"][1],
        binary=entry["binary"],
        hunks=tuple(_hunk_from_json(row, old, new) for row in entry["hunks"]),
    )


def _hunk_from_json(row: list[Any], old: list[bytes], new: list[bytes]) -> PlannedHunk:
    number, old_start, old_lines, new_start, new_lines, section, match, tags = row
    old_at = old_start - 1 if old_lines else old_start
    new_at = new_start - 1 if new_lines else new_start
    lines = []
    for tag in tags:
        lines.append((tag, new[new_at] if tag == "+" else old[old_at]))
        old_at += tag != "+"
        new_at += tag != "-"
    return PlannedHunk(
        number=number,
        old_start=old_start,
        old_lines=old_lines,
        new_start=new_start,
        new_lines=new_lines,
        section=section,
        match=match,
        lines=tuple(lines),
    )


class Journal:
    """The folders ``journal`` and ``receipts`` in the state folder. Callers hold the lock for all that writes."""

    def __init__(self, state: Path) -> None:
        self.open = state / "journal"
        self.done = state / "receipts"

    def unfinished(self) -> list[str]:
        """Names in the journal, complete or not; empty when there is no state folder yet."""
        try:
            with os.scandir(self.open) as entries:
                return sorted(entry.name for entry in entries)
        except FileNotFoundError:
            return []

    def write(self, receipt: Receipt) -> None:
        """Puts a record into the journal as a temporary file, and on disk.

        :raises OSError: when it cannot be written; then nothing is left of it.
        """
        path = self.open / (receipt.id + TEMPORARY)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            write_all(fd, encode(receipt))
            os.fsync(fd)
        except OSError:
            path.unlink()
            raise
        finally:
            os.close(fd)

    def commit(self, receipt: str, *, ordered: bool) -> None:
        """Makes a written record count: the point from which an application is carried on.

        :param ordered: leave it to the file system to keep this rename before the later ones of the files, as every
            journalling one does. For the patches of a series; the wait for the disk would be half of their time.
        """
        (self.open / (receipt + TEMPORARY)).rename(self.open / receipt)
        if not ordered:
            fsync_folder(self.open)

    def is_committed(self, receipt: str) -> bool:
        """Whether the record counts."""
        return (self.open / receipt).exists()

    def begin_undo(self, receipt: str) -> None:
        """From here on the application is taken back instead."""
        (self.open / receipt).rename(self.open / (receipt + UNDO))
        fsync_folder(self.open)

    def end_undo(self, receipt: str) -> None:
        """The application counts after all."""
        (self.open / (receipt + UNDO)).rename(self.open / receipt)
        fsync_folder(self.open)

    def drop(self, name: str) -> None:
        """Removes an entry of the journal."""
        (self.open / name).unlink()

    def finish(self, receipt: str) -> None:
        """Moves a record to the receipts."""
        (self.open / receipt).rename(self.done / receipt)

    def load(self, receipt: str) -> Receipt:
        """:raises NotFound: when there is no such receipt. :raises Refused: when it is damaged."""
        for folder in (self.done, self.open):
            try:
                return decode((folder / receipt).read_bytes(), receipt)
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                continue
        raise NotFound(f"there is no receipt {receipt!r}", hint="patchctl list shows those that there are")

    def exists(self, receipt: str) -> bool:
        """Whether a receipt, or an entry of the journal, has this name."""
        return (self.done / receipt).exists() or (self.open / receipt).exists()

    def summaries(self) -> Iterator[ReceiptSummary]:
        """Every receipt without its contents, in no particular order."""
        for folder in (self.done, self.open):
            try:
                names = [entry.name for entry in os.scandir(folder) if entry.is_file(follow_symlinks=False)]
            except FileNotFoundError:
                continue
            for name in names:
                if not name.endswith((TEMPORARY, UNDO)):
                    yield _summary(folder / name)


def _summary(path: Path) -> ReceiptSummary:
    try:
        with path.open("rb") as file:
            first = file.readline(80)
            header = json.loads(file.read(int(first[len(_MAGIC) :].split(b" ")[0])))
        return ReceiptSummary(
            id=header["id"],
            kind=header["kind"],
            at=Millis(header["at"]),
            meta=header["meta"],
            files=tuple((entry["op"], entry["path"]) for entry in header["files"]),
            added=header["added"],
            removed=header["removed"],
        )
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise Refused(f"receipt {path.name} is damaged: {error}", code="receipt-damaged") from None


def inherited_permissions(receipt: Receipt) -> dict[str, int]:
    """Permission bits by path: of the file itself, or of the one that it is a rename or a copy of."""
    permissions = dict(receipt.permissions)
    for file in receipt.plan.files:
        if file.from_ is not None and file.path not in permissions and file.from_ in receipt.permissions:
            permissions[file.path] = receipt.permissions[file.from_]
    return permissions


def write_all(fd: int, chunks: list[bytes]) -> None:
    """Writes everything, however many calls it takes."""
    for chunk in chunks:
        view = memoryview(chunk)
        while view:
            view = view[os.write(fd, view) :]


def fsync_folder(folder: Path) -> None:
    """Puts the names in a folder on disk."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
