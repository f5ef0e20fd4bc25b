"""Where a plan reads from: the work tree, a git revision, or a tree with a plan already applied to it."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Protocol

from vibehq_tui.patches.errors import refuse
from vibehq_tui.patches.model import EXECUTABLE, REGULAR, SUBMODULE, SYMLINK, Blob, decode_path, encode_path
from vibehq_tui.patches.planning.plan import Plan

_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_MOST_OPEN_FOLDERS: Final = 128


class Tree(Protocol):
    """Files by path."""

    def read(self, path: str) -> Blob | None:
        """The file at ``path``; None when there is none (nothing there, or a folder).

        :raises PatchRefused: when the way there leads through a symbolic link or into a nested repository, when what is
            there is no ordinary file, or when it cannot be read.
        """
        ...

    def is_dir(self, path: str) -> bool:
        """Whether there is a folder at ``path``."""
        ...

    def files_below(self, path: str) -> Iterator[str]:
        """Every file below the folder at ``path``; nothing when there is no folder."""
        ...


class Folders:
    """Opens folders below a root one component at a time, never through a symbolic link or into a nested repository.

    An open folder stays the folder it was, whatever happens to its name; that is what makes this safe against a link
    that is put in place between the check and the use.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.created: set[str] = set()
        self._fds: dict[str, int] = {}

    def open(self, folder: str, *, create: bool = False) -> int | None:
        """A descriptor of ``folder`` ("" is the root), kept open here; None when there is no such folder.

        :raises PatchRefused: for a symbolic link on the way, or a nested repository.
        :raises OSError: when it cannot be opened or created.
        """
        known = self._fds.get(folder)
        if known is not None:
            return known
        if len(self._fds) >= _MOST_OPEN_FOLDERS:
            self.close()
        if folder == "":
            fd = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            self._fds[""] = fd
            return fd
        parent, _, name = folder.rpartition("/")
        parent_fd = self.open(parent, create=create)
        if parent_fd is None:
            return None
        opened = self._open_child(parent_fd, name, folder, create=create)
        if opened is not None:
            self._fds[folder] = opened
        return opened

    def _open_child(self, parent: int, name: str, folder: str, *, create: bool) -> int | None:
        if name in ("", ".", ".."):
            raise refuse("path-outside", f"{folder!r} leads out of the root, or nowhere", path=folder)
        raw = encode_path(name)
        try:
            fd = os.open(raw, _FOLDER, dir_fd=parent)
        except FileNotFoundError:
            if not create:
                return None
            os.mkdir(raw, dir_fd=parent)
            self.created.add(folder)
            return os.open(raw, _FOLDER, dir_fd=parent)
        except OSError as error:
            if error.errno not in (errno.ENOTDIR, errno.ELOOP):
                raise
            if stat.S_ISLNK(os.stat(raw, dir_fd=parent, follow_symlinks=False).st_mode):
                raise refuse(
                    "symlink-parent",
                    f"{folder!r} is a symbolic link; nothing is read or written through it",
                    path=folder,
                ) from None
            return None
        if _has_git(fd):
            os.close(fd)
            raise refuse("nested-repository", f"{folder!r} is a repository of its own", path=folder)
        return fd

    def forget(self, folder: str) -> None:
        """Closes ``folder`` and all below it, because it was removed."""
        for name in [name for name in self._fds if name == folder or name.startswith(folder + "/")]:
            os.close(self._fds.pop(name))

    def close(self) -> None:
        """Closes every descriptor; they are opened again when needed."""
        while self._fds:
            os.close(self._fds.popitem()[1])

    def __del__(self) -> None:
        self.close()


def _has_git(fd: int) -> bool:
    try:
        os.stat(b".git", dir_fd=fd, follow_symlinks=False)
    except OSError:
        return False
    return True


def git_mode(status: os.stat_result) -> int | None:
    """The git mode of what is on disk; None for what git does not track (folders, devices, …)."""
    if stat.S_ISREG(status.st_mode):
        return EXECUTABLE if status.st_mode & 0o100 else REGULAR
    return SYMLINK if stat.S_ISLNK(status.st_mode) else None


def read_at(folder: int, name: str, path: str) -> tuple[Blob, os.stat_result] | None:
    """The file ``name`` in an open folder, with its status; None when nothing or a folder is there.

    :raises PatchRefused: when it is no ordinary file or cannot be read.
    """
    raw = encode_path(name)
    try:
        status = os.stat(raw, dir_fd=folder, follow_symlinks=False)
        if stat.S_ISDIR(status.st_mode):
            return None
        if stat.S_ISLNK(status.st_mode):
            return Blob(os.readlink(raw, dir_fd=folder), SYMLINK), status
        mode = git_mode(status)
        if mode is None:
            raise refuse("not-a-file", f"{path!r} is neither a file nor a symbolic link", path=path)
        fd = os.open(raw, _FILE, dir_fd=folder)
        try:
            return Blob(_read_all(fd, status.st_size), mode), status
        finally:
            os.close(fd)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise refuse(
            "unreadable", f"{path!r} cannot be read: {error.strerror}", path=path, hint="check its permissions"
        ) from error


def _read_all(fd: int, size: int) -> bytes:
    first = os.read(fd, size + 1)
    if len(first) == size:
        return first  # There was room for one more, so this is the end.
    parts = [first]
    while chunk := os.read(fd, 1 << 20):
        parts.append(chunk)
    return b"".join(parts)


class WorkTree:
    """The files on disk below a root."""

    def __init__(self, root: Path, *, once: bool = False) -> None:
        """:param once: reads each file once, and remembers it; for a tree that lives as long as one plan is made."""
        self.root = root
        self.folders = Folders(root)
        self._known: dict[str, Blob | None] | None = {} if once else None

    def read(self, path: str) -> Blob | None:
        """See :class:`Tree`."""
        if self._known is not None and path in self._known:
            return self._known[path]
        found = self.read_with_status(path)
        blob = None if found is None else found[0]
        if self._known is not None:
            self._known[path] = blob
        return blob

    def read_with_status(self, path: str) -> tuple[Blob, os.stat_result] | None:
        """Like :meth:`read`, with the status of the file."""
        folder, _, name = path.rpartition("/")
        fd = self._folder(folder, path)
        return None if fd is None else read_at(fd, name, path)

    def _folder(self, folder: str, path: str) -> int | None:
        try:
            return self.folders.open(folder)
        except OSError as error:
            raise refuse(
                "unreadable", f"the folder of {path!r} cannot be opened: {error.strerror}", path=path
            ) from error

    def is_dir(self, path: str) -> bool:
        """See :class:`Tree`."""
        folder, _, name = path.rpartition("/")
        fd = self._folder(folder, path)
        if fd is None:
            return False
        try:
            return stat.S_ISDIR(os.stat(encode_path(name), dir_fd=fd, follow_symlinks=False).st_mode)
        except (FileNotFoundError, NotADirectoryError):
            return False

    def files_below(self, path: str) -> Iterator[str]:
        """See :class:`Tree`; symbolic links are listed, not followed."""
        fd = self._folder(path, path)
        if fd is None:
            return
        for raw in sorted(os.listdir(fd)):  # noqa: PTH208 - of a descriptor, which no link can replace
            name = f"{path}/{decode_path(os.fsencode(raw))}"
            if self.is_dir(name):
                yield from self.files_below(name)
            else:
                yield name

    def close(self) -> None:
        """Lets go of the folders it holds open."""
        self.folders.close()


class OverlayTree:
    """A tree as it will be once a plan has been applied to it."""

    def __init__(self, below: Tree, plan: Plan) -> None:
        self._below = below
        self._changed: dict[str, Blob | None] = {}
        for effect in plan.effects:
            self._changed[effect.path] = effect.after
        self._made = {
            path.rsplit("/", depth)[0]
            for path, blob in self._changed.items()
            if blob is not None
            for depth in range(1, path.count("/") + 1)
        }
        self._links = {path for path, blob in self._changed.items() if blob is not None and blob.mode == SYMLINK}

    def read(self, path: str) -> Blob | None:
        """See :class:`Tree`."""
        for link in self._links:
            if path.startswith(link + "/"):
                message = f"{link!r} is a symbolic link; nothing is read or written through it"
                raise refuse("symlink-parent", message, path=link)
        return self._changed[path] if path in self._changed else self._below.read(path)

    def is_dir(self, path: str) -> bool:
        """See :class:`Tree`; a folder that the plan empties is gone."""
        if path in self._made:
            return True
        return self._below.is_dir(path) and any(True for _ in self.files_below(path))

    def files_below(self, path: str) -> Iterator[str]:
        """See :class:`Tree`."""
        for name in self._below.files_below(path):
            if name not in self._changed:
                yield name
        for name, blob in self._changed.items():
            if blob is not None and name.startswith(path + "/"):
                yield name


class GitTree:
    """The files of a git revision, read through one ``git cat-file`` process; close it after use."""

    def __init__(self, root: Path, revision: str) -> None:
        """:raises PatchRefused: when there is no such revision in the repository at ``root``."""
        self._root = root
        self._revision = revision
        self._cat: GitCat | None = None
        self._entries = self._list()

    def _list(self) -> dict[str, tuple[int, str]]:
        from subprocess import DEVNULL, run  # noqa: PLC0415 - costs 6 ms of start-up and is not needed for a work tree

        listing = run(
            ["git", "ls-tree", "-r", "-z", "--end-of-options", self._revision],
            cwd=self._root,
            env=git_environment(),
            stdin=DEVNULL,
            capture_output=True,
            check=False,
        )
        if listing.returncode != 0:
            raise refuse("no-revision", f"there is no revision {self._revision!r} in {self._root}")
        entries: dict[str, tuple[int, str]] = {}
        for row in listing.stdout.split(b"\0"):
            if row:
                facts, _, name = row.partition(b"\t")
                mode, _, blob = facts.split(b" ")
                entries[decode_path(name)] = (int(mode, 8), blob.decode())
        return entries

    def read(self, path: str) -> Blob | None:
        """See :class:`Tree`."""
        entry = self._entries.get(path)
        if entry is None:
            return None
        mode, name = entry
        if mode == SUBMODULE:
            raise refuse("submodule", f"{path!r} is a submodule", path=path)
        if self._cat is None:
            self._cat = GitCat(self._root)
        content = self._cat.read(name)
        return None if content is None else Blob(content, mode)

    def is_dir(self, path: str) -> bool:
        """See :class:`Tree`."""
        return any(True for _ in self.files_below(path))

    def files_below(self, path: str) -> Iterator[str]:
        """See :class:`Tree`."""
        return (name for name in self._entries if name.startswith(path + "/"))

    def close(self) -> None:
        """Ends the git process."""
        if self._cat is not None:
            self._cat.close()
            self._cat = None


class GitCat:
    """A running ``git cat-file --batch``."""

    def __init__(self, root: Path) -> None:
        from subprocess import DEVNULL, PIPE, Popen  # noqa: PLC0415 - costs 6 ms of start-up

        self._process = Popen(
            ["git", "cat-file", "--batch"], cwd=root, env=git_environment(), stdin=PIPE, stdout=PIPE, stderr=DEVNULL
        )

    def read(self, name: str) -> bytes | None:
        """The content of the blob ``name``; None when the repository does not have it."""
        into, out = self._process.stdin, self._process.stdout
        if into is None or out is None:
            return None
        into.write(name.encode() + b"\n")
        into.flush()
        header = out.readline().split()
        if len(header) != 3:
            return None
        content = out.read(int(header[2]))
        out.read(1)
        return content

    def close(self) -> None:
        """Ends the process."""
        self._process.communicate()


def git_environment() -> dict[str, str]:
    """An environment in which git reads the repository's objects and nothing of the user's configuration.

    What the repository's own configuration names is not run either: no monitor of the file system, and no fetch of
    what a partial clone lacks.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return kept | {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.fsmonitor",
        "GIT_CONFIG_VALUE_0": "false",
        "GIT_ALLOW_PROTOCOL": "none",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
    }


def reading_environment() -> dict[str, str]:
    """An environment in which git reads the objects that are there: nothing is fetched, nothing is replaced."""
    return git_environment() | {
        "GIT_ALLOW_PROTOCOL": "none",  # what a partial clone lacks would be fetched
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_ATTR_NOSYSTEM": "1",
        "XDG_CONFIG_HOME": os.devnull,
    }
