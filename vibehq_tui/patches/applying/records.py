"""Receipts as bytes: one record for each, with every byte before and after.

A record is one line ``vibehq-receipt 1 <header bytes> <crc32> <content bytes>``, the header as JSON, a newline, and the
contents one by one. A file has one record, or those of a series one after the other.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

from storage.clock import Millis
from storage.errors import Refused
from vibehq_tui.patches.model import Repair
from vibehq_tui.patches.planning.plan import Plan
from vibehq_tui.patches.planning.planned import PlannedFile, PlannedHunk, split_lines

_MAGIC: Final = b"vibehq-receipt 1 "
_LONGEST_FIRST_LINE: Final = 80


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


def encode(receipt: Receipt) -> list[bytes]:
    """The record of a receipt, in chunks to be written one after the other."""
    blobs: list[bytes] = []
    files = [_file_to_json(file, blobs) for file in receipt.plan.files]
    tags = [row[7] for file in files for row in file["hunks"]]
    header = json.dumps(
        {
            "id": receipt.id,
            "kind": receipt.kind,
            "at": receipt.at,
            "order": receipt.order,
            "meta": dict(receipt.meta),
            "added": sum([row.count("+") for row in tags]),
            "removed": sum([row.count("-") for row in tags]),
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
    size = sum([len(blob) for blob in blobs])
    return [_MAGIC + b"%d %08x %d\n" % (len(header), checksum, size), header, b"\n", *blobs]


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
                "".join([tag for tag, _ in hunk.lines]),
            ]
            for hunk in file.hunks
        ],
    }


def decode(data: bytes, name: str) -> Receipt:
    """The receipt of a record.

    :raises Refused: when the record is damaged.
    """
    try:
        start = data.find(b"\n", 0, _LONGEST_FIRST_LINE) + 1
        length, checksum, _ = _first_line(data[:start])
        header_bytes = data[start : start + length]
        contents = memoryview(data)[start + length + 1 :]
        header = json.loads(header_bytes)
        if zlib.crc32(contents, zlib.crc32(header_bytes)) != checksum:
            raise ValueError("its checksum is wrong")
        return _from_json(header, _cut(contents, header["blobs"]))
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise Refused(
            f"receipt {name} is damaged: {error}", code="receipt-damaged", hint="restore the files from git"
        ) from None


def _first_line(line: bytes) -> tuple[int, int, int | None]:
    """Bytes of the header, checksum, and bytes of the contents, which records did not always tell."""
    if not line.startswith(_MAGIC):
        raise ValueError("it does not start like a receipt")
    fields = line[len(_MAGIC) :].split()
    return int(fields[0]), int(fields[1], 16), int(fields[2]) if len(fields) > 2 else None


def decode_all(data: bytes, name: str) -> list[tuple[Receipt, int]]:
    """The receipts of a file, each with the offset behind it. What was not yet written whole at its end is left out.

    :raises Refused: when a record is damaged that counts.
    """
    found: list[tuple[Receipt, int]] = []
    at = 0
    while at < len(data):
        end = _end_of(data, at)
        try:
            found.append((decode(data[at:end], name), end))
        except Refused:
            # The last one may be what its process was writing when it died; then nothing was done because of it.
            if at == 0 or any(memoryview(data)[end:]):
                raise
            break
        at = end
    return found


def _end_of(data: bytes, start: int) -> int:
    """The offset behind the record at ``start``; that of the end of the file when this cannot be told."""
    behind = data.find(b"\n", start, start + _LONGEST_FIRST_LINE) + 1
    try:
        length, _, contents = _first_line(data[start:behind])
    except (ValueError, IndexError):
        return len(data)
    return len(data) if contents is None else min(behind + length + 1 + contents, len(data))


def walk(file: BinaryIO, name: str) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """Start, end and header of every record of a file that is written whole, without reading the contents.

    :raises Refused: when the first is damaged.
    """
    at = 0
    size = file.seek(0, 2)
    while at < size:
        file.seek(at)
        try:
            line = file.readline(_LONGEST_FIRST_LINE)
            length, _, contents = _first_line(line)
            header = json.loads(file.read(length))
        except (ValueError, IndexError) as error:
            if at:
                return
            raise Refused(f"receipt {name} is damaged: {error}", code="receipt-damaged") from None
        end = size if contents is None else at + len(line) + length + 1 + contents
        if end > size:
            return
        yield at, end, header
        at = end


def summary(header: Mapping[str, Any], name: str) -> ReceiptSummary:
    """What a list shows of a receipt, from the header of its record."""
    try:
        return ReceiptSummary(
            id=header["id"],
            kind=header["kind"],
            at=Millis(header["at"]),
            meta=header["meta"],
            files=tuple((entry["op"], entry["path"]) for entry in header["files"]),
            added=header["added"],
            removed=header["removed"],
        )
    except (KeyError, TypeError, IndexError) as error:
        raise Refused(f"receipt {name} is damaged: {error}", code="receipt-damaged") from None


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
