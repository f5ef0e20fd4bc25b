"""SQLite's failures in the words of this program."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storage.errors import Busy, Refused, StoreBroken, VibeError

_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_CORRUPT = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT}


def translate(error: sqlite3.Error, path: Path) -> VibeError | None:
    """The error that says what happened to the file, where, and what to do; none for a mistake in the program."""
    code = getattr(error, "sqlite_errorcode", None)
    primary = None if code is None else code & 0xFF
    if primary in _BUSY:
        return busy(path)
    if primary in _CORRUPT:
        return StoreBroken(
            f"{path} is damaged ({error})",
            code="store-corrupt",
            hint=f"Move it aside and put the newest file of {path.parent / 'backups'} in its place.",
        )
    if primary == sqlite3.SQLITE_FULL:
        return full(path)
    if code == sqlite3.SQLITE_READONLY_ROLLBACK:
        return StoreBroken(
            f"{path} holds the unfinished change of a program that was killed",
            code="store-unsettled",
            hint="Open it once without --read-only; that takes the change back.",
        )
    if primary == sqlite3.SQLITE_READONLY:
        return read_only(path)
    if primary in {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH}:
        return StoreBroken(
            f"{path} cannot be read or written ({error})",
            code="store-io",
            hint="Check the disk, its free space and the permissions of the folder.",
        )
    return None


def busy(path: Path) -> Busy:
    """Somebody else holds the lock of a store."""
    return Busy(
        f"{path} is locked by another program",
        code="store-busy",
        hint="Wait for it to end, or find it with `lsof`; nothing was changed.",
    )


def closed(path: Path) -> Refused:
    """The store was closed by this program."""
    return Refused(f"{path} was closed", code="store-closed", hint="Open the store again.")


def full(path: Path) -> StoreBroken:
    """No space left."""
    return StoreBroken(
        f"there is no space left to write {path}",
        code="disk-full",
        hint="Free some space on that disk and try again; nothing was changed.",
    )


def read_only(path: Path) -> StoreBroken:
    """The file or its disk does not take writes."""
    return StoreBroken(
        f"{path} cannot be written: the file or its disk is read-only",
        code="store-read-only",
        hint="Make it writable, or look at it with --read-only; nothing was changed.",
    )


def from_os(error: OSError, path: Path) -> StoreBroken:
    """A failure of the file system on the way to the store."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return full(path)
    if error.errno in {errno.EROFS, errno.EACCES, errno.EPERM}:
        return read_only(path)
    return StoreBroken(
        f"{path} cannot be used: {error.strerror or error}",
        code="store-io",
        hint="Check the disk and the permissions of the folder.",
    )


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Raises the program's own error in place of SQLite's, where there is one."""
    try:
        yield
    except sqlite3.Error as error:
        known = translate(error, path)
        if known is None:
            raise
        raise known from error


@contextmanager
def files_translated(path: Path) -> Iterator[None]:
    """Raises the program's own error in place of the file system's."""
    try:
        yield
    except OSError as error:
        raise from_os(error, path) from error
