"""Earlier contents of files, to merge with: the objects of git, and what the receipts of applied patches have kept."""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from vibehq_tui.patches.model import encode_path
from vibehq_tui.patches.planning.bases import Bases
from vibehq_tui.patches.planning.blobs import blob_matches
from vibehq_tui.patches.planning.tree import reading_environment

if TYPE_CHECKING:
    from subprocess import Popen

    from vibehq_tui.patches.applying.journal import Receipt

_MOST_VERSIONS: Final = 200
_MOST_SECONDS: Final = 5.0
"""For the versions of one file, however long the history."""
_MOST_BYTES: Final = 64 * 1024 * 1024
"""Of a blob; more is not merged."""
_MOST_STARTS: Final = 4
_MOST_RECEIPTS: Final = 50
_MOST_WALKED: Final = 256
_HEX: Final = frozenset("0123456789abcdef")


def _is_name(name: str) -> bool:
    return 4 <= len(name) <= 64 and _HEX.issuperset(name) and bool(name.strip("0"))


_walked: Final[OrderedDict[tuple[str, bytes, bytes], tuple[bytes, ...]]] = OrderedDict()
"""Commits that changed a file: by root, current commit and path. The oldest entry goes first."""


def _walk(root: Path, head: bytes, path: bytes, deadline: float) -> tuple[bytes, ...]:
    from subprocess import DEVNULL, PIPE, Popen  # noqa: PLC0415 - costs 6 ms of start-up
    from threading import Timer  # noqa: PLC0415 - as above

    newest = b"--max-count=%d" % _MOST_VERSIONS
    command = [b"git", b"--literal-pathspecs", b"rev-list", newest, head, b"--", path]
    try:
        process = Popen(command, cwd=root, env=reading_environment(), stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL)
    except OSError:
        return ()
    clock = Timer(max(deadline - time.monotonic(), 0.0), process.kill)
    clock.daemon = True
    clock.start()
    try:
        told = process.communicate()[0]
    finally:
        clock.cancel()
        process.kill()
    return tuple(line.rstrip() for line in told.splitlines(keepends=True) if line.endswith(b"\n"))


class GitBases:
    """The blobs and the history of the repository that holds ``root``; none where it is in no repository.

    One ``git cat-file --batch`` runs from the first question to :meth:`close`.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._process: Popen[bytes] | None = None
        self._starts = 0

    def blob(self, name: str) -> bytes | None:
        """See :class:`Bases`."""
        name = name.lower()
        if not _is_name(name):
            return None
        found = self._ask(name.encode())
        # A branch could bear the name that is asked for, so what it is called is not enough.
        return found[1] if found is not None and blob_matches(found[1], name) else None

    def versions(self, path: str) -> Iterator[bytes]:
        """See :class:`Bases`: as it is staged, then as the commits left it from the current one back."""
        raw = encode_path(path)
        if b"\n" in raw:
            return  # no way to ask for it
        deadline = time.monotonic() + _MOST_SECONDS
        told: set[bytes] = set()
        for revision in (b"", *self._revisions(raw, deadline)):
            found = self._ask(revision + b":./" + raw)
            if found is not None and found[0] not in told:
                told.add(found[0])
                yield found[1]
            if time.monotonic() > deadline:
                return

    def _revisions(self, path: bytes, deadline: float) -> tuple[bytes, ...]:
        """The commits that changed the file, the newest first, as many as are found in time."""
        head = self._object(b"HEAD")
        if head is None or head[1] != b"commit":
            return ()
        # A history of many commits takes seconds to walk, and what is in conflict is planned again and again.
        key = (str(self._root), head[0], path)
        known = _walked.get(key)
        if known is None:
            known = _walked[key] = _walk(self._root, head[0], path, deadline)
            if len(_walked) > _MOST_WALKED:
                _walked.popitem(last=False)
        return known

    def _ask(self, what: bytes) -> tuple[bytes, bytes] | None:
        """Name and content of a blob; None when there is none, or it cannot be read."""
        found = self._object(what)
        return None if found is None or found[1] != b"blob" or found[2] is None else (found[0], found[2])

    def _object(self, what: bytes) -> tuple[bytes, bytes, bytes | None] | None:
        """Name, type and content of an object, the content unless it is too large; None when there is none."""
        pipes = self._started()
        if pipes is None:
            return None
        into, out = pipes
        try:
            into.write(what + b"\n")
            into.flush()
            header = out.readline()
            if not header.endswith(b"\n"):
                raise BrokenPipeError
            facts = header.split()
            # Otherwise: "… missing", "… ambiguous".
            if len(facts) != 3 or not facts[2].isdigit() or facts[1] not in (b"blob", b"tree", b"commit", b"tag"):
                return None
            content = _read(out, int(facts[2]))
        except (BrokenPipeError, ValueError):
            # Not a repository, or an object that is damaged or not there for all that git expected it.
            self.close()
            return None
        return facts[0], facts[1], content

    def _started(self) -> tuple[IO[bytes], IO[bytes]] | None:
        if self._process is None:
            if self._starts >= _MOST_STARTS:
                return None
            from subprocess import DEVNULL, PIPE, Popen  # noqa: PLC0415 - costs 6 ms of start-up

            self._starts += 1
            try:
                self._process = Popen(
                    ["git", "cat-file", "--batch"],
                    cwd=self._root,
                    env=reading_environment(),
                    stdin=PIPE,
                    stdout=PIPE,
                    stderr=DEVNULL,
                )
            except OSError:
                self._starts = _MOST_STARTS
                return None
        if self._process.stdin is None or self._process.stdout is None:
            return None
        return self._process.stdin, self._process.stdout

    def close(self) -> None:
        """See :class:`Bases`."""
        process, self._process = self._process, None
        if process is None:
            return
        try:
            process.communicate()
        except (BrokenPipeError, ValueError):
            process.kill()
            process.wait()

    def __del__(self) -> None:
        self.close()


def _read(out: IO[bytes], size: int) -> bytes | None:
    """An object of ``size`` bytes from a pipe; None, but read past, when it is too large.

    :raises ValueError: when the pipe ends before.
    """
    if size <= _MOST_BYTES:
        content = out.read(size + 1)
        if len(content) != size + 1:
            raise ValueError("cut off")
        return content[:-1]
    left = size + 1
    while left:
        chunk = out.read(min(left, 1 << 20))
        if not chunk:
            raise ValueError("cut off")
        left -= len(chunk)
    return None


class ReceiptBases:
    """What the newest receipts of a state folder have kept of files: their contents before and after."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self._loaded: list[Receipt] | None = None

    def blob(self, name: str) -> bytes | None:
        """See :class:`Bases`."""
        name = name.lower()
        if not _is_name(name):
            return None
        found = {content for _, content in self._contents() if blob_matches(content, name)}
        return found.pop() if len(found) == 1 else None

    def versions(self, path: str) -> Iterator[bytes]:
        """See :class:`Bases`."""
        told: set[bytes] = set()
        for known, content in self._contents():
            if known == path and content not in told:
                told.add(content)
                yield content

    def _contents(self) -> Iterator[tuple[str, bytes]]:
        for receipt in self._receipts():
            for file in receipt.plan.files:
                if file.after is not None:
                    yield file.path, file.after
                if file.before is not None:
                    yield file.from_ or file.path, file.before

    def _receipts(self) -> list[Receipt]:
        """The newest receipts, as many as are quickly read."""
        if self._loaded is not None:
            return self._loaded
        from storage.errors import VibeError  # noqa: PLC0415 - only where the base of a patch is looked for
        from vibehq_tui.patches.applying.journal import Journal  # noqa: PLC0415 - as above

        rows: list[tuple[int, int, str]] = []
        try:
            with os.scandir(self._state / "receipts") as entries:
                for entry in entries:
                    status = entry.stat(follow_symlinks=False)
                    if entry.is_file(follow_symlinks=False):
                        rows.append((status.st_mtime_ns, status.st_size, entry.name))
        except OSError:
            rows = []
        journal = Journal(self._state)
        self._loaded = []
        left = _MOST_BYTES
        for _, size, name in sorted(rows, reverse=True)[:_MOST_RECEIPTS]:
            left -= size
            if left < 0:
                break
            try:
                self._loaded.append(journal.load(name))
            except (VibeError, OSError):
                continue  # damaged or gone: it is no help
        return self._loaded

    def close(self) -> None:
        """See :class:`Bases`."""
        self._loaded = None


class KnownBases:
    """All that is known of earlier contents below a root: of git first, then of the receipts."""

    def __init__(self, root: Path, state: Path | None = None) -> None:
        """:param state: the state folder; ``.vibehq`` in the root by default."""
        self._sources: tuple[Bases, ...] = (GitBases(root), ReceiptBases(state or root / ".vibehq"))

    def blob(self, name: str) -> bytes | None:
        """See :class:`Bases`."""
        return next((found for source in self._sources if (found := source.blob(name)) is not None), None)

    def versions(self, path: str) -> Iterator[bytes]:
        """See :class:`Bases`."""
        told: set[bytes] = set()
        for source in self._sources:
            for content in source.versions(path):
                if content not in told:
                    told.add(content)
                    yield content

    def close(self) -> None:
        """See :class:`Bases`."""
        for source in self._sources:
            source.close()
