"""The tasks files on disk: found, read while others write them, and replaced so that no reader sees half a file."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import hashlib
import os
import stat
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from storage.errors import Busy, Refused
from vibehq_tui.tasks.problems import TaskProblem, TasksFileBroken

CANDIDATES: Final = (".mission_control/tasks.json", ".taskmaster/tasks/tasks.json")
"""Where a tasks file is looked for, below the root; the first that exists is the workspace's."""

MAX_BYTES: Final = 64_000_000
"""A larger tasks file is refused."""

_SETTLED_NS: Final = 50_000_000
"""A file whose times are younger than this may be written again without its times changing (the clock of a file system
ticks every few milliseconds), so its stamp is not trusted yet."""
_SETTLED_COARSE_NS: Final = 2_100_000_000
"""The same where times have no fraction of a second, as on some network and memory card file systems."""

_ATTEMPTS: Final = 25
_ATTEMPTS_AT_NOTHING: Final = 5
_PAUSE: Final = 0.02
"""Seconds between two attempts to read a file that is being written, or is not there for a moment."""

_UNSETTLED: Final = "?"
_MARK: Final = "vibehq-tasks-"
"""How names of temporary files begin, after a dot."""


class FileChanged(Exception):
    """The file is no longer what it was when it was read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Which tasks file counts."""

    source: str
    """Relative to the root, also where the file does not exist yet."""
    path: Path
    exists: bool
    others: tuple[str, ...] = ()
    """Other tasks files that exist and are not read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """The bytes of a file at one moment."""

    data: bytes
    identity: str
    """Of the file on disk: device, inode, size and times."""
    stamp: str
    """Identity and digest, as it is noted in the store."""

    @property
    def settled(self) -> bool:
        """Whether the file had been left alone for long enough that its times tell of any later change."""
        return not self.stamp.startswith(_UNSETTLED)


def find(root: Path, configured: str | None = None) -> Found:
    """The tasks file of a workspace.

    :param configured: the one to take instead of the first candidate that exists, relative to the root.
    """
    present = [name for name in CANDIDATES if os.path.lexists(root / name)]
    source = configured or (present[0] if present else CANDIDATES[0])
    exists = os.path.lexists(root / source)
    return Found(
        source=source,
        path=root / source,
        exists=exists,
        others=tuple(name for name in present if name != source),
    )


def identity(path: Path) -> str | None:
    """What changes when the file does; none where there is no file. Costs one ``stat``."""
    try:
        return _identity(path.stat())
    except (FileNotFoundError, NotADirectoryError):
        return None


def unchanged(stamp: str | None, now: str | None) -> bool:
    """Whether a noted stamp is of the file that has this identity now."""
    return stamp is not None and now is not None and stamp.partition(" ")[0] == now


def digest_of(stamp: str) -> str:
    """What of a stamp depends on the bytes alone."""
    return stamp.partition(" ")[2]


def stamp_of(data: bytes) -> str:
    """The stamp of bytes that were just written, too young for the times of their file to be trusted."""
    return f"{_UNSETTLED} {hashlib.sha256(data).hexdigest()}"


def _identity(found: os.stat_result) -> str:
    return f"{found.st_dev}:{found.st_ino}:{found.st_size}:{found.st_mtime_ns}:{found.st_ctime_ns}"


def read(path: Path, file: str, max_bytes: int = MAX_BYTES) -> Content:
    """Reads a file at one moment: once more where it changed meanwhile. Blocks up to half a second.

    :param file: how it is called in messages.
    :raises TasksFileBroken: when it cannot be read, is no file, is too large, or does not come to rest.
    """
    absent = 0
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(_PAUSE)
        try:
            found = _read_once(path, file, max_bytes)
        except FileNotFoundError as error:
            # some writers remove a file before they put the new one in its place
            absent += 1
            if absent == _ATTEMPTS_AT_NOTHING:
                raise _unreadable(file, "there is no such file") from error
            continue
        except OSError as error:
            raise _unreadable(file, f"cannot be read: {error.strerror or error}") from error
        if found is not None:
            return found
    raise _unreadable(file, "it changes all the time", "wait until the program that writes it is done")


def _read_once(path: Path, file: str, max_bytes: int) -> Content | None:
    # a pipe in place of the file must not make the program wait
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as stream:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            raise _unreadable(file, "it is no regular file")
        if before.st_size > max_bytes:
            message = f"it has {before.st_size:,} bytes; a tasks file may have {max_bytes:,}"
            raise _unreadable(file, message, "split it, or raise limits.tasks_size in vibehq.toml", "too-large")
        data = stream.read(max_bytes + 1)
        now = time.time_ns()
        after = os.fstat(descriptor)
    if _identity(before) != _identity(after) or len(data) != after.st_size or identity(path) != _identity(after):
        return None
    times = after.st_mtime_ns, after.st_ctime_ns
    coarse = not any(time_ns % 1_000_000_000 for time_ns in times)
    settled = now - max(times) > (_SETTLED_COARSE_NS if coarse else _SETTLED_NS)
    digest = hashlib.sha256(data).hexdigest()
    return Content(
        data=data, identity=_identity(after), stamp=f"{_identity(after) if settled else _UNSETTLED} {digest}"
    )


def _unreadable(file: str, message: str, hint: str = "", code: str = "unreadable") -> TasksFileBroken:
    return TasksFileBroken([TaskProblem(level="error", code=code, file=file, message=message, hint=hint)])


@contextlib.asynccontextmanager
async def locked(folder: Path, patience: float = 10.0) -> AsyncIterator[None]:
    """Holds the lock of the tasks file; every process of this program that writes it, or mirrors it, takes it.

    :param folder: the state folder.
    :raises Busy: when another process holds it for ``patience`` seconds.
    """
    path = folder / "tasks.lock"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise Refused(
            f"{path} cannot be opened: {error.strerror}",
            code="not-writable",
            hint="check the permissions of the folder",
        ) from error
    try:
        until = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError as error:
                if error.errno not in (errno.EAGAIN, errno.EACCES):
                    raise
            if time.monotonic() >= until:
                raise Busy(
                    f"another process has been writing the tasks file for {patience:.0f} s",
                    hint=f"see who holds {path}: fuser {path}",
                )
            await asyncio.sleep(0.01)
        yield
    finally:
        os.close(descriptor)  # which also gives up the lock


class Replacement:
    """A file that was replaced, and can be put back as it was until :meth:`settle`."""

    def __init__(self, real: Path, content: Content | None, backup: Path | None) -> None:
        self._real = real
        self._before = content
        self._backup = backup
        self._written = identity(real)

    def undo(self) -> None:
        """Puts the old file back, unless somebody has written it since."""
        if identity(self._real) == self._written:
            if self._before is None:
                self._real.unlink()
            elif self._backup is not None:
                self._backup.replace(self._real)
            else:
                _write_new(self._real, self._before.data, self._real.parent).replace(self._real)
            _sync_folder(self._real.parent)
        self.settle()

    def settle(self) -> None:
        """Forgets the old file."""
        if self._backup is not None:
            self._backup.unlink(missing_ok=True)
            self._backup = None


def replace(path: Path, data: bytes, before: Content | None, state: Path) -> Replacement:
    """Replaces a file in one step; mode and owner stay, a link stays a link, and it is on the disk when this returns.

    :param before: what was read; none to make a new file.
    :param state: the state folder, in which temporary files are made where it is on the same file system.
    :raises FileChanged: when the file is no longer ``before``.
    :raises Refused: when it cannot be written; nothing changed.
    """
    real = Path(os.path.realpath(path))
    temporary: Path | None = None
    backup: Path | None = None
    try:
        real.parent.mkdir(parents=True, exist_ok=True)
        temporary = _write_new(real, data, _scratch(real.parent, state))
        if identity(real) != (before.identity if before else None):
            raise FileChanged
        backup = _keep(real, state) if before else None
        try:
            temporary.replace(real)
        except OSError as error:
            if error.errno != errno.EXDEV:  # two mounts of one file system
                raise
            temporary.unlink()
            temporary = _write_new(real, data, real.parent)
            temporary.replace(real)
        temporary = None
        _sync_folder(real.parent)
        return Replacement(real, before, backup)
    except OSError as error:
        if backup is not None:
            backup.unlink(missing_ok=True)
        raise _unwritable(path, error) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def sweep(path: Path, state: Path) -> None:
    """Removes what a process that was killed while it replaced the file left behind; only with the lock in hand."""
    for folder in (state / "tmp", Path(os.path.realpath(path)).parent):
        with contextlib.suppress(OSError):  # it is only tidying: the folder may not be there, or not be ours
            for left in folder.glob(f".{_MARK}*"):
                left.unlink()


def _unwritable(path: Path, error: OSError) -> Refused:
    hints = {
        errno.ENOSPC: "make room on the disk",
        errno.EDQUOT: "make room in your quota",
        errno.EROFS: "the disk is mounted read-only",
    }
    hint = hints.get(error.errno or 0, "check the permissions of the file and its folder")
    return Refused(
        f"{path} cannot be written: {error.strerror or error}; nothing was changed", code="not-writable", hint=hint
    )


def _scratch(folder: Path, state: Path) -> Path:
    """Where a temporary file can be made that can be renamed into ``folder``; best where nobody sees it."""
    try:
        inside = state / "tmp"
        inside.mkdir(exist_ok=True)
        return inside if inside.stat().st_dev == folder.stat().st_dev else folder
    except OSError:
        return folder


def _write_new(target: Path, data: bytes, folder: Path) -> Path:
    """Writes a file that nobody has, with mode and owner of ``target``, and brings it to the disk."""
    path = folder / f".{_MARK}{os.urandom(6).hex()}.new"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            with contextlib.suppress(FileNotFoundError):
                old = target.stat()
                os.fchmod(descriptor, stat.S_IMODE(old.st_mode))
                with contextlib.suppress(PermissionError):  # only root may give files away
                    os.fchown(descriptor, old.st_uid, old.st_gid)
            stream.flush()
            os.fsync(descriptor)
    except BaseException:  # whatever it was, no temporary file stays
        path.unlink(missing_ok=True)
        raise
    return path


def _keep(real: Path, state: Path) -> Path | None:
    """A second name for the old file, so that putting it back needs no space; none where links are not possible."""
    folder = _scratch(real.parent, state)
    if folder == real.parent:
        return None
    backup = folder / f".{_MARK}{os.urandom(6).hex()}.old"
    try:
        os.link(real, backup)
    except OSError:
        return None
    return backup


def _sync_folder(folder: Path) -> None:
    """Brings a rename to the disk. Where that fails the rename is done all the same: only a power cut could undo it."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
