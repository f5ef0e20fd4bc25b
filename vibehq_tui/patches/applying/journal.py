"""The journal: what is being applied, and the receipts of what was.

::

    journal/<id>.tmp     being written; nothing was touched
    journal/<id>         committed: what died here is carried on to the end
    journal/<id>.undo    being taken back: what died here is taken back to the end
    receipts/<id>        done, and on disk

The patches of a series that follow the first are added to the file of the first, so that each costs one write and one
wait for the disk. Room for them is made ahead, as zeros, so that the wait is for their own bytes alone and not for all
that the file system has to say. Their receipts are names of that same file. A record at the end of it that is not whole
does not count; one that is also in a file of its own being taken back is not there any more.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from storage.errors import NotFound, Refused
from vibehq_tui.patches.applying.records import Receipt, ReceiptSummary, decode, decode_all, encode, summary, walk

__all__ = ["Journal", "Receipt", "ReceiptSummary", "Recovered", "decode", "encode"]

UNDO: Final = ".undo"
TEMPORARY: Final = ".tmp"
_LARGEST: Final = 16 * 1024 * 1024
"""Bytes of a file from which on the next record starts another one."""
_SMALL: Final = 256 * 1024
"""Bytes that are quicker copied together than written one by one."""
_LEAST_ROOM: Final = 128 * 1024
_MOST_ROOM: Final = 1024 * 1024


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


@dataclass(slots=True)
class _Log:
    """The file that the records of a series are added to."""

    name: str
    fd: int
    ends: dict[str, int] = field(default_factory=dict)
    """Offsets behind the records, by receipt, in their order."""
    room: int = 0
    """Bytes of the file, with the zeros behind the last record."""

    @property
    def end(self) -> int:
        """The offset behind the last."""
        return next(reversed(self.ends.values()))


@dataclass(frozen=True, slots=True)
class Entry:
    """A record of the journal of a process that died."""

    name: str
    """Of its file."""
    receipt: Receipt
    undo: bool


class Journal:
    """The folders ``journal`` and ``receipts`` in the state folder. Callers hold the lock for all that writes."""

    def __init__(self, state: Path) -> None:
        self.open = state / "journal"
        self.done = state / "receipts"
        self._log: _Log | None = None
        self._added: dict[str, str] = {}
        """The file of each record that was added to that of another."""

    def unfinished(self) -> list[str]:
        """Names in the journal, complete or not; empty when there is no state folder yet."""
        try:
            with os.scandir(self.open) as entries:
                return sorted(entry.name for entry in entries)
        except FileNotFoundError:
            return []

    # -- writing ---------------------------------------------------------------------------------------------------

    @property
    def can_append(self) -> bool:
        """Whether a record can be added to the one before it."""
        return self._log is not None and self._log.end < _LARGEST

    def write(self, receipt: Receipt) -> None:
        """Puts a record into the journal as a temporary file, and on disk.

        :raises OSError: when it cannot be written; then nothing is left of it.
        """
        self.close()
        path = self.open / (receipt.id + TEMPORARY)
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            size = write_all(fd, encode(receipt))
            os.fsync(fd)
        except OSError:
            os.close(fd)
            path.unlink()
            raise
        self._log = _Log(receipt.id, fd, {receipt.id: size})

    def commit(self, receipt: str, *, ordered: bool) -> None:
        """Makes a written record count: the point from which an application is carried on.

        :param ordered: leave it to the file system to keep this rename before the later ones of the files, as every
            journalling one does. For the patches of a series; the wait for the disk would be half of their time.
        """
        (self.open / (receipt + TEMPORARY)).rename(self.open / receipt)
        if not ordered:
            fsync_folder(self.open)

    def append(self, receipt: Receipt) -> None:
        """Adds a record behind the last, and puts it on disk; from then on it counts.

        :raises OSError: when it cannot be written; then nothing is left of it.
        """
        log = self._log
        if log is None:
            raise ValueError("there is no record to add this one to")
        end = log.end
        chunks = encode(receipt)
        size = sum(map(len, chunks))
        if size < _MOST_ROOM:
            # What is larger waits for its own bytes anyway; writing as many zeros first would double that.
            _make_room(log, end + size)
        try:
            os.lseek(log.fd, end, os.SEEK_SET)
            write_all(log.fd, chunks)
            os.fdatasync(log.fd)
        except OSError:
            _cut_off(log, end)
            raise
        log.ends[receipt.id] = end + size
        log.room = max(log.room, end + size)
        self._added[receipt.id] = log.name

    def is_committed(self, receipt: str) -> bool:
        """Whether the record counts."""
        return receipt in self._added or os.path.lexists(f"{self.open}/{receipt}")

    def abandon(self, receipt: str) -> None:
        """Removes what was written and does not count."""
        self.close()
        with suppress(FileNotFoundError):
            (self.open / (receipt + TEMPORARY)).unlink()

    def close(self) -> None:
        """Lets go of the file that records are added to; the next one starts another."""
        log = self._log
        if log is not None:
            self._log = None
            try:
                if log.room > log.end:
                    os.ftruncate(log.fd, log.end)
            finally:
                os.close(log.fd)

    def begin_undo(self, receipt: str) -> None:
        """From here on the application is taken back instead. It is the last of the series."""
        if self._log is not None and next(reversed(self._log.ends)) != receipt:
            raise ValueError(f"{receipt} is not what was applied last")
        if receipt in self._added:
            self._take_out(receipt)
            return
        self.close()
        (self.open / receipt).rename(self.open / (receipt + UNDO))
        fsync_folder(self.open)

    def _take_out(self, receipt: str) -> None:
        """Moves the last record of a series into a file of its own."""
        log = self._log
        if log is None:
            raise ValueError(f"{receipt} is not what was applied last")
        end = log.ends.pop(receipt)
        data = os.pread(log.fd, end - log.end, log.end)
        path = self.open / (receipt + UNDO)
        temporary = self.open / (receipt + UNDO + TEMPORARY)
        _write_file(temporary, data)
        temporary.rename(path)
        fsync_folder(self.open)
        _cut_off(log, log.end)
        os.fsync(log.fd)
        del self._added[receipt]

    def end_undo(self, receipt: str) -> None:
        """The application counts after all."""
        (self.open / (receipt + UNDO)).rename(self.open / receipt)
        fsync_folder(self.open)

    def drop(self, name: str) -> None:
        """Removes a file of the journal."""
        (self.open / name).unlink()

    def finish(self, receipts: Iterable[str]) -> None:
        """Makes receipts of committed records, and puts the names on disk."""
        self.close()
        for name in receipts:
            if name not in self._added:
                self.finish_file(name, [other for other, file in self._added.items() if file == name])
        self._added.clear()
        fsync_folder(self.done)

    def finish_file(self, name: str, added: Iterable[str]) -> None:
        """Makes receipts of one file of the journal: one of its own name, and ``added`` for the records behind it."""
        source = self.open / name
        for other in added:
            try:
                os.link(source, self.done / other)
            except FileExistsError:
                continue
            except OSError:
                # A file system that gives a file one name only: every receipt gets the whole file.
                _write_file(self.done / other, source.read_bytes())
        source.rename(self.done / name)

    # -- reading ---------------------------------------------------------------------------------------------------

    def entries(self, names: Iterable[str]) -> list[Entry]:
        """The records of files in the journal, in the order in which they were applied.

        :raises Refused: when one is damaged.
        """
        found: list[Entry] = []
        for name in names:
            for receipt, _ in decode_all((self.open / name).read_bytes(), name):
                found.append(Entry(name, receipt, name.endswith(UNDO)))
        found.sort(key=lambda entry: (entry.receipt.at, entry.receipt.order))
        undone = {entry.receipt.id for entry in found if entry.undo}
        return [entry for entry in found if entry.undo or entry.receipt.id not in undone]

    def load(self, receipt: str) -> Receipt:
        """:raises NotFound: when there is no such receipt. :raises Refused: when it is damaged."""
        for path in (self.done / receipt, self.open / self._added.get(receipt, receipt)):
            try:
                return _load(path, receipt)
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                continue
        raise NotFound(f"there is no receipt {receipt!r}", hint="patchctl list shows those that there are")

    def exists(self, receipt: str) -> bool:
        """Whether a receipt, or an entry of the journal, has this name."""
        return os.path.lexists(f"{self.done}/{receipt}") or self.is_committed(receipt)

    def summaries(self) -> Iterator[ReceiptSummary]:
        """Every receipt without its contents, in no particular order."""
        for folder in (self.done, self.open):
            yield from _summaries(folder)


def _make_room(log: _Log, wanted: int) -> None:
    """Puts zeros on disk where the next records are to be. A disk without that much room may have some for one."""
    if wanted <= log.room:
        return
    start = log.end
    room = max(wanted, start + min(max(start, _LEAST_ROOM), _MOST_ROOM))
    try:
        os.lseek(log.fd, start, os.SEEK_SET)
        write_all(log.fd, [bytes(room - start)])
        os.fdatasync(log.fd)
        log.room = room
    except OSError:
        _cut_off(log, start)


def _cut_off(log: _Log, end: int) -> None:
    """Removes what is behind an offset."""
    os.ftruncate(log.fd, end)
    log.room = end


def _load(path: Path, receipt: str) -> Receipt:
    with path.open("rb") as file:
        for start, end, header in walk(file, receipt):
            if header.get("id") == receipt:
                file.seek(start)
                return decode(file.read(end - start), receipt)
    raise Refused(
        f"receipt {receipt} is damaged: it is not whole", code="receipt-damaged", hint="restore the files from git"
    )


def _summaries(folder: Path) -> Iterator[ReceiptSummary]:
    try:
        with os.scandir(folder) as listing:
            entries = [entry for entry in listing if entry.is_file(follow_symlinks=False)]
    except FileNotFoundError:
        return
    names = {entry.name for entry in entries if not entry.name.endswith((TEMPORARY, UNDO))}
    files = {entry.inode(): entry.name for entry in entries if entry.name in names}
    told: set[str] = set()
    for name in files.values():
        with (folder / name).open("rb") as file:
            for _, _, header in walk(file, name):
                found = summary(header, name)
                # In the journal a file has one name for all its records; among the receipts each has its own.
                if found.id not in told and (found.id in names or folder.name == "journal"):
                    told.add(found.id)
                    yield found


def inherited_permissions(receipt: Receipt) -> dict[str, int]:
    """Permission bits by path: of the file itself, or of the one that it is a rename or a copy of."""
    permissions = dict(receipt.permissions)
    for file in receipt.plan.files:
        if file.from_ is not None and file.path not in permissions and file.from_ in receipt.permissions:
            permissions[file.path] = receipt.permissions[file.from_]
    return permissions


def write_all(fd: int, chunks: list[bytes]) -> int:
    """Writes everything, however many calls it takes; answers how many bytes that was."""
    whole = 0
    if len(chunks) > 1 and sum(map(len, chunks)) < _SMALL:
        chunks = [b"".join(chunks)]
    for chunk in chunks:
        view = memoryview(chunk)
        while view:
            written = os.write(fd, view)
            whole += written
            view = view[written:]
    return whole


def _write_file(path: Path, data: bytes) -> None:
    """A file, on disk but for its name."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        write_all(fd, [data])
        os.fsync(fd)
    finally:
        os.close(fd)


def fsync_folder(folder: Path) -> None:
    """Puts the names in a folder on disk."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
