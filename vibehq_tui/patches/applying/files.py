"""Putting single files in place and taking them away: by temporary file and rename, never through a symbolic link."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

from vibehq_tui.patches.applying.journal import write_all
from vibehq_tui.patches.errors import PatchConflict
from vibehq_tui.patches.model import EXECUTABLE, SYMLINK, Blob, Problem, encode_path
from vibehq_tui.patches.planning.exchange import find_exchange
from vibehq_tui.patches.planning.tree import Folders, read_at

_CREATE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC

Signature = tuple[int, int, int, int]
"""Inode, size, modification and change time of a file."""


def signature(status: os.stat_result) -> Signature:
    """What shows that a file was not touched since it was read."""
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def changed_meanwhile(path: str) -> PatchConflict:
    """The error for a file that is not any more what the plan was made from."""
    problem = Problem(code="changed-meanwhile", message="was changed by somebody else just now", path=path)
    return PatchConflict([problem], hint="look at the file, and plan the patch again")


class Files:
    """The files below a root, for one application.

    Raises OSError when the system refuses; the caller knows what was done before.
    """

    def __init__(self, root: Path, temporary: Path, *, many: bool = False) -> None:
        """:param many: there is enough to do for what costs a little first and pays later."""
        self.folders = Folders(root)
        self._exchange = find_exchange() if many else None
        self._temporary = temporary
        self._temporary_fd: int | None = None

    def read(self, path: str) -> tuple[Blob, os.stat_result] | None:
        """The file at ``path`` with its status; None when there is none."""
        folder, _, name = path.rpartition("/")
        fd = self.folders.open(folder)
        return None if fd is None else read_at(fd, name, path)

    def status(self, path: str) -> os.stat_result | None:
        """The status of what is at ``path``; None when there is nothing."""
        folder, _, name = path.rpartition("/")
        fd = self.folders.open(folder)
        if fd is None:
            return None
        try:
            return os.stat(encode_path(name), dir_fd=fd, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def check_unchanged(self, path: str, known: Signature | None) -> None:
        """:raises PatchConflict: when ``path`` is not what it was when ``known`` was taken."""
        status = self.status(path)
        now = None if status is None or stat.S_ISDIR(status.st_mode) else signature(status)
        if now != known:
            raise changed_meanwhile(path)

    def put(self, path: str, blob: Blob, permissions: int | None, temporary: str, known: Signature | None) -> None:
        """Writes a file and gives it its name, in place of what is there.

        :param permissions: its permission bits; None for what is usual for a new file.
        :param temporary: a file name that is free in the folder for temporary files.
        :param known: what is there now.
        """
        folder, _, name = path.rpartition("/")
        if known is None:
            self._clear_folder(path)
        target_fd = self.folders.open(folder, create=True)
        if target_fd is None:
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), folder)
        raw, raw_name = temporary.encode(), encode_path(name)
        source_fd = self._temporary_folder()
        self._write(source_fd, raw, blob, permissions)
        try:
            self.check_unchanged(path, known)
            if known is None or not self._put_by_exchange(source_fd, raw, target_fd, raw_name, path, known):
                os.rename(raw, raw_name, src_dir_fd=source_fd, dst_dir_fd=target_fd)
        except OSError as error:
            _unlink(source_fd, raw)
            if error.errno != errno.EXDEV:
                raise
            self._put_beside(target_fd, raw_name, raw, blob, permissions)
        except PatchConflict:
            _unlink(source_fd, raw)
            raise

    def _put_by_exchange(
        self, source: int, temporary: bytes, target: int, name: bytes, path: str, known: Signature
    ) -> bool:
        """The last step of :meth:`put` where the file system can exchange names; False where it cannot.

        :raises PatchConflict: when it was another file that was there; then it is there again.
        """
        if self._exchange is None or not self._exchange(source, temporary, target, name):
            return False
        was = os.stat(temporary, dir_fd=source, follow_symlinks=False)
        # Its change time is that of the exchange by now.
        if signature(was)[:3] != known[:3]:
            self._exchange(source, temporary, target, name)
            raise changed_meanwhile(path)
        os.unlink(temporary, dir_fd=source)
        return True

    def _put_beside(self, folder: int, name: bytes, temporary: bytes, blob: Blob, permissions: int | None) -> None:
        """The same with the temporary file in the folder of the file, which is on another file system than ours."""
        temporary = b".vibehq-" + temporary
        _unlink(folder, temporary)
        self._write(folder, temporary, blob, permissions)
        try:
            os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
        except OSError:
            _unlink(folder, temporary)
            raise

    def _write(self, folder: int, name: bytes, blob: Blob, permissions: int | None) -> None:
        if blob.mode == SYMLINK:
            os.symlink(blob.content, name, dir_fd=folder)
            return
        # The umask takes its part from the mode of a new file.
        fd = os.open(name, _CREATE, 0o777 if blob.mode == EXECUTABLE else 0o666, dir_fd=folder)
        try:
            write_all(fd, [blob.content])
            if permissions is not None:
                os.fchmod(fd, permissions)
        except OSError:
            _unlink(folder, name)
            raise
        finally:
            os.close(fd)

    def _temporary_folder(self) -> int:
        if self._temporary_fd is None:
            self._temporary.mkdir(mode=0o700, exist_ok=True)
            self._temporary_fd = os.open(self._temporary, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        return self._temporary_fd

    def remove(self, path: str) -> None:
        """Takes a file away; that it is gone already is no error."""
        folder, _, name = path.rpartition("/")
        fd = self.folders.open(folder)
        if fd is not None:
            with suppress(FileNotFoundError, NotADirectoryError):
                os.unlink(encode_path(name), dir_fd=fd)

    def _clear_folder(self, path: str) -> None:
        """Removes a folder, and the folders in it, where a file is to be; files in it make that fail."""
        status = self.status(path)
        if status is None or not stat.S_ISDIR(status.st_mode):
            return
        fd = self.folders.open(path)
        if fd is not None:
            for raw in os.listdir(fd):  # noqa: PTH208 - of a descriptor, which no link can replace
                self._clear_folder(f"{path}/{raw}")
        self._remove_folder(path)

    def _remove_folder(self, path: str) -> None:
        folder, _, name = path.rpartition("/")
        fd = self.folders.open(folder)
        if fd is not None:
            os.rmdir(encode_path(name), dir_fd=fd)
            self.folders.forget(path)

    def remove_empty_folders(self, path: str) -> None:
        """Removes the folders above ``path`` that have become empty, as git does; the root stays."""
        folder = path.rpartition("/")[0]
        while folder:
            try:
                self._remove_folder(folder)
            except OSError:
                # Not empty, not ours to remove, or gone: what is left of it is as it should be.
                return
            folder = folder.rpartition("/")[0]

    def remove_created_folders(self) -> None:
        """Removes the folders that were created here and are empty."""
        for folder in sorted(self.folders.created, key=len, reverse=True):
            with suppress(OSError):
                self._remove_folder(folder)
        self.folders.created.clear()

    def discard(self, path: str, temporary: str) -> None:
        """Removes a temporary file that :meth:`put` may have left beside ``path`` when it was killed."""
        with suppress(OSError):
            fd = self.folders.open(path.rpartition("/")[0])
            if fd is not None:
                _unlink(fd, b".vibehq-" + temporary.encode())

    def sync(self, paths: set[str]) -> None:
        """Puts files and the names in their folders on disk; what is gone is gone."""
        names: dict[str, list[str]] = {}
        for path in paths:
            folder, _, name = path.rpartition("/")
            names.setdefault(folder, []).append(name)
        for folder, inside in names.items():
            with suppress(OSError):
                fd = self.folders.open(folder)
                if fd is not None:
                    for name in inside:
                        _fsync_file(fd, name)
                    os.fsync(fd)

    def close(self) -> None:
        """Lets go of all folders."""
        self.folders.close()
        if self._temporary_fd is not None:
            os.close(self._temporary_fd)
            self._temporary_fd = None


def _unlink(folder: int, name: bytes) -> None:
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)


def _fsync_file(folder: int, name: str) -> None:
    with suppress(OSError):
        fd = os.open(encode_path(name), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def permissions_after(before: int | None, blob: Blob) -> int | None:
    """Permission bits of a file that had ``before``: kept, but for the executable bits, which follow the git mode."""
    if before is None or blob.mode == SYMLINK:
        return None
    if blob.mode == EXECUTABLE:
        return before if before & 0o100 else before | (before & 0o444) >> 2
    return before & ~0o111
