"""The markers of whole trees: which files are looked into, and what is found there."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from storage.errors import Conflict, NotFound, Refused
from vibehq_tui.patches.markers.markers import MARKER_WORD, Mistake, Place, find_markers, get_close, pair_markers

MOST_BYTES: Final = 8 * 1024 * 1024
"""Of a file that is looked into."""
_SKIPPED: Final = frozenset({".git", ".vibehq", "node_modules", ".venv", "__pycache__"})
_BINARY: Final = 8000
"""Bytes at the start of a file among which a NUL says that it is no text; the number is git's."""
_MOST_CANDIDATES: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class FileMarkers:
    """A file that has markers."""

    path: str
    language: str | None
    """None when neither name nor first line tell it."""
    places: tuple[Place, ...]
    mistakes: tuple[Mistake, ...]

    def items(self) -> list[dict[str, Any]]:
        """Every marker with its path and language; see :meth:`Place.to_wire`."""
        return [{**place.to_wire(), "path": self.path, "language": self.language} for place in self.places]

    def problems(self) -> list[dict[str, Any]]:
        """Everything wrong with them; see :meth:`Mistake.to_wire`."""
        return [{**mistake.to_wire(), "path": self.path} for mistake in self.mistakes]


def markers_below(start: Path) -> Iterator[FileMarkers]:
    """The markers of a file, or of every text file below a folder, in the order of their paths.

    In a git work tree the files are those that git does not ignore. Links are not followed, other repositories and the
    folders of git and of Vibe HQ are not looked into, and neither are binary files and those over 8 MB.

    :raises Refused: when the folder cannot be listed.
    """
    if not start.is_dir() or start.is_symlink():
        found = _markers_of(start, str(start))
        if found is not None:
            yield found
        return
    names = _listed_by_git(start)
    for name in _walked(start) if names is None else _inside(start, names):
        found = _markers_of(start / name, str(start / name))
        if found is not None:
            yield found


def find_marker(files: Sequence[FileMarkers], name: str) -> dict[str, Any]:
    """The one marker of this name in all the files.

    :raises NotFound: when there is none; ``details["nearest"]`` has those with similar names.
    :raises Conflict: when there are several; ``details["candidates"]`` has them.
    """
    items = [item for file in files for item in file.items()]
    found = [item for item in items if item["name"] == name]
    if len(found) == 1:
        return found[0]
    if found:
        places = ", ".join(f"{item['path']}:{item['line']}" for item in found[:_MOST_CANDIDATES])
        raise Conflict(
            f"marker {name!r} is there {len(found)} times: {places}",
            code="marker-ambiguous",
            hint="name the file, or give the markers different names",
            details={"candidates": found[:_MOST_CANDIDATES]},
        )
    close = get_close(name, [item["name"] for item in items])
    nearest = [item for wanted in close for item in items if item["name"] == wanted][:_MOST_CANDIDATES]
    places = ", ".join(f"{item['name']!r} in {item['path']}:{item['line']}" for item in nearest[:3])
    raise NotFound(
        f"there is no marker {name!r}" + (f"; there is {places}" if places else ""),
        code="marker-missing",
        hint="patchctl markers lists those that there are",
        details={"nearest": nearest},
    )


def _listed_by_git(folder: Path) -> list[str] | None:
    """The files below a folder that git knows or would add; None outside a work tree, or where git ignores it all."""
    from subprocess import DEVNULL, run  # noqa: PLC0415 - costs 6 ms of start-up; one file needs none of it

    from vibehq_tui.patches.planning.tree import git_environment  # noqa: PLC0415 - as above

    command = ["git", "-c", "core.fsmonitor=false", "-c", "core.quotePath=false"]
    listing = ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"]
    try:
        done = run(
            [*command, *listing],
            cwd=folder,
            env=git_environment(),
            stdin=DEVNULL,
            stdout=-1,
            stderr=DEVNULL,
            check=False,
        )
    except FileNotFoundError:
        return None
    if done.returncode != 0:
        return None
    names = [os.fsdecode(name) for name in done.stdout.split(b"\0") if name]
    if names:
        return sorted(names)
    ignored = run(
        [*command, "check-ignore", "-q", "."],
        cwd=folder,
        env=git_environment(),
        stdin=DEVNULL,
        stderr=DEVNULL,
        check=False,
    )
    return None if ignored.returncode == 0 else []


def _inside(start: Path, names: Sequence[str]) -> Iterator[str]:
    """Those of the names to which no link leads: the index may name a file below what is a link by now."""
    root = os.path.realpath(start)
    plain: dict[str, bool] = {"": True}
    for name in names:
        folder = name.rpartition("/")[0]
        if folder not in plain:
            whole = os.path.join(root, folder)  # noqa: PTH118 - ten thousand of these are looked at
            plain[folder] = os.path.realpath(whole) == whole and not _SKIPPED.intersection(folder.split("/")[:1])
        if plain[folder] and not name.endswith("/"):
            yield name


def _walked(start: Path) -> Iterator[str]:
    def failed(error: OSError) -> None:
        if Path(error.filename) == start:
            raise Refused(f"{start} cannot be listed: {error.strerror}", code="unreadable") from error

    for folder, folders, names in os.walk(start, onerror=failed):
        relative = os.path.relpath(folder, start)
        if relative != "." and os.path.lexists(os.path.join(folder, ".git")):  # noqa: PTH118 - as above
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if name not in _SKIPPED)
        for name in sorted(names):
            yield name if relative == "." else f"{relative}/{name}"


def _markers_of(path: Path, name: str) -> FileMarkers | None:
    data = _read(path)
    if data is None or MARKER_WORD not in data:
        return None
    markers = find_markers(data, name)
    if not markers:
        return None
    from vibehq_tui.patches.markers.languages import language_of  # noqa: PLC0415 - most files have no marker

    language = language_of(name, data[:200])
    places, mistakes = pair_markers(markers)
    return FileMarkers(
        path=name,
        language=None if language is None else language.name,
        places=tuple(places),
        mistakes=tuple(mistakes),
    )


def _read(path: Path) -> bytes | None:
    """The content of an ordinary text file of fitting size, else None: no marker of another can be used either."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode) or status.st_size > MOST_BYTES:
            return None
        data = os.read(fd, status.st_size + 1)
        while len(data) < status.st_size and (more := os.read(fd, status.st_size - len(data))):
            data += more
    except OSError:
        return None
    finally:
        os.close(fd)
    return None if b"\0" in data[:_BINARY] else data
