"""Named places in source files: ``PATCH_MARKER: name`` in a comment, alone or as ``name start`` … ``name end``."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from vibehq_tui.patches.errors import PatchConflict
from vibehq_tui.patches.model import Problem
from vibehq_tui.patches.planned import split_lines

MARKER_WORD: Final = b"PATCH_MARKER:"
_SKIPPED: Final = frozenset({".git", ".vibehq", "node_modules", ".venv", "__pycache__"})
_LARGEST: Final = 8 * 1024 * 1024
"""Bytes of a file that is looked into."""

_OPENERS: Final = (
    rb"#|//|/\*|\*|--|;|%|<!--|<%--|\{#|\{\{!(?:--)?|\(\*|\{-|\"\"\"|\x27\x27\x27|\x27|\"|!|\.\.|\\"
    rb"|@c(?:omment)?\b|dnl\b|(?i:rem)\b|=begin|\|#"
)
_MARKER: Final = re.compile(rb"(?:" + _OPENERS + rb")[ \t]*PATCH_MARKER:[ \t]*([^\s*>%#}]+)(?:[ \t]+(start|end)\b)?")


@dataclass(frozen=True, slots=True)
class Marker:
    """A marker in a file; ``line`` is from 1, ``kind`` is point, start or end."""

    name: str
    kind: str
    line: int


def find_markers(lines: list[bytes]) -> Iterator[Marker]:
    """Every marker of a file, top down."""
    for number, line in enumerate(lines, 1):
        if MARKER_WORD in line and (match := _MARKER.search(line)) is not None:
            yield Marker(match[1].decode("utf-8", "replace"), (match[2] or b"point").decode(), number)


def resolve_marker(lines: list[bytes], wanted: str, role: str, *, path: str, where: str) -> int:
    """The index of the one line that a marker names.

    A named marker comes first; otherwise the one line that, without the blanks around it, reads like ``wanted``.

    :param role: point, start or end: which line of a pair is meant.
    :param where: the JSON path of the operation, for messages.
    :raises PatchConflict: when there is no such marker, or more than one.
    """
    name = wanted.partition(MARKER_WORD.decode())[2].strip() or wanted.strip()
    markers = list(find_markers(lines))
    named = [marker for marker in markers if marker.name == name]
    fitting = [marker for marker in named if marker.kind == role] or [item for item in named if item.kind == "point"]
    if named and not fitting:
        raise _conflict(
            "marker-is-span",
            f"{where}: marker {name!r} is a span; replace-between is for spans",
            path,
            [marker.line for marker in named],
        )
    found = [marker.line - 1 for marker in fitting]
    if not found:
        text = wanted.strip().encode("utf-8", "surrogatepass")
        found = [at for at, line in enumerate(lines) if text and line.strip() == text]
    if not found:
        raise _conflict("marker-missing", f"{where}: there is no marker {name!r}{_nearest(name, markers)}", path, [])
    if len(found) > 1:
        message = f"{where}: marker {name!r} is there {len(found)} times"
        raise _conflict("marker-ambiguous", message, path, [at + 1 for at in found[:16]])
    return found[0]


def _conflict(code: str, message: str, path: str, candidates: list[int]) -> PatchConflict:
    return PatchConflict([Problem(code=code, message=message, path=path, candidates=tuple(candidates))])


def _nearest(name: str, markers: list[Marker]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - only for a message

    lines = {marker.name: marker.line for marker in reversed(markers)}
    close = get_close_matches(name, lines, 3, 0.5) or list(lines)[:3]
    return f"; there is {', '.join(f'{known!r} in line {lines[known]}' for known in close)}" if close else ""


def markers_below(start: Path) -> Iterator[dict[str, Any]]:
    """The markers of a file, or of every text file below a folder: ``{"name", "kind", "path", "line", "end"}``.

    A ``start`` and the ``end`` that follows it are one entry of kind ``span``. Links are not followed, and the folders
    of git and of Vibe HQ are not looked into.
    """
    if start.is_file():
        yield from _markers_of(start)
        return
    for folder, folders, names in os.walk(start):
        folders[:] = sorted(name for name in folders if name not in _SKIPPED)
        for name in sorted(names):
            path = Path(folder, name)
            if not path.is_symlink():
                yield from _markers_of(path)


def _markers_of(path: Path) -> Iterator[dict[str, Any]]:
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST:
            return
        data = path.read_bytes()
    except OSError:
        return  # Not readable: no marker of it can be used either.
    if MARKER_WORD not in data or b"\0" in data:
        return
    open_spans: dict[str, dict[str, Any]] = {}
    entries: list[dict[str, Any]] = []
    for marker in find_markers(split_lines(data)):
        if marker.kind == "end" and marker.name in open_spans:
            open_spans.pop(marker.name).update(kind="span", end=marker.line)
            continue
        entry = {"name": marker.name, "kind": marker.kind, "path": str(path), "line": marker.line, "end": None}
        entries.append(entry)
        if marker.kind == "start":
            open_spans[marker.name] = entry
    yield from entries
