"""Named places in source files: ``PATCH_MARKER: name`` in a comment, alone or as ``name start`` … ``name end``.

A marker counts only in a comment of the file's language; see ``languages.py``. In a file of unknown language it counts
after anything that opens a comment somewhere.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any, Final, TypeVar

from vibehq_tui.patches.errors import PatchConflict
from vibehq_tui.patches.model import Problem

_Key = TypeVar("_Key")
_Item = TypeVar("_Item")

MARKER_WORD: Final = b"PATCH_MARKER"
_MOST_CANDIDATES: Final = 16
_MOST_COMPARED: Final = 500
"""Names that are compared with one that is wrong."""

_OPENERS: Final = (
    rb"#|//|/\*|\*|--|;|%|<!--|<%--|\{#|\{\{!(?:--)?|\(\*|\{-|\"\"\"|\x27\x27\x27|\x27|\"|!|\.\.|\\"
    rb"|@c(?:omment)?\b|dnl\b|(?i:rem)\b|=begin|\|#"
)
_REST: Final = (
    rb"PATCH_MARKER(?:[_ -](?P<early>START|END))?:[ \t]*"
    rb"(?P<name>[^\s<>%#{}\"'`|]+)(?:[ \t]+(?P<next>[^\s<>%#{}\"'`|]+))?(?P<more>[ \t]+\w)?"
)
_GENERIC: Final = re.compile(rb"(?:" + _OPENERS + rb")[ \t]*" + _REST)
_IN_COMMENT: Final = re.compile(rb"^[^\w\"'`\n]{0,80}?" + _REST, re.MULTILINE)
_ANYWHERE: Final = re.compile(rb"PATCH_MARKER(?:[_ -](?:START|END))?:[ \t]*([^\s<>%#{}\"'`|]+)")
_TRIMMED: Final = b"*/-,;:.)"
_ROLES: Final = (b"start", b"end")


@dataclass(frozen=True, slots=True)
class Marker:
    """A marker in a file; ``line`` is from 1, ``kind`` is point, start or end."""

    name: str
    kind: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A marker, or a pair of them, and what it means for an edit. All lines are from 1."""

    name: str
    kind: str
    """point, span, or start or end for half of a pair whose other half is missing."""
    line: int
    end: int | None = None
    """The line of the end marker of a span."""

    @property
    def state(self) -> str:
        """``existing`` when there are lines between the markers of a span, otherwise ``new``."""
        return "existing" if self.span is not None else "new"

    @property
    def span(self) -> tuple[int, int] | None:
        """The first and last line between the markers of a span; None when there is none between them."""
        if self.end is None or self.end <= self.line + 1:
            return None
        return self.line + 1, self.end - 1

    @property
    def insert(self) -> int:
        """The number that the first line of a block gets: below a point, after what a span holds already."""
        return self.line + 1 if self.end is None else max(self.end, self.line + 1)

    def to_wire(self) -> dict[str, Any]:
        """``{"name", "kind", "line", "end", "state", "span", "insert"}``."""
        return {
            "name": self.name,
            "kind": self.kind,
            "line": self.line,
            "end": self.end,
            "state": self.state,
            "span": None if self.span is None else {"start": self.span[0], "end": self.span[1]},
            "insert": self.insert,
        }


def find_markers(data: bytes, path: str) -> list[Marker]:
    """Every marker of a file, top down. ``path`` tells its language."""
    if MARKER_WORD not in data:
        return []
    from vibehq_tui.patches.markers.languages import language_of  # noqa: PLC0415 - most files have no marker

    language = language_of(path, data[:200])
    newlines = [match.start() for match in re.finditer(rb"\n", data)]
    if language is None:
        return [_marker(match, bisect_left(newlines, match.start("name")) + 1) for match in _GENERIC.finditer(data)]
    from vibehq_tui.patches.markers.comments import comments  # noqa: PLC0415 - as above

    markers = []
    for comment in comments(data, language):
        if data.find(MARKER_WORD, comment.start, comment.end) >= 0:
            for match in _IN_COMMENT.finditer(data[comment.start : comment.end]):
                line = bisect_left(newlines, comment.start + match.start("name")) + 1
                markers.append(_marker(match, line))
    return markers


def _marker(match: re.Match[bytes], line: int) -> Marker:
    name = match["name"].rstrip(_TRIMMED)
    following = (match["next"] or b"").rstrip(_TRIMMED)
    kind = b"point"
    if match["early"] is not None:
        kind = match["early"].lower()
    elif following in _ROLES:
        kind = following
    elif name in _ROLES and following and match["more"] is None:
        kind, name = name, following
    return Marker((name or match["name"]).decode("utf-8", "replace"), kind.decode(), line)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """Markers of a file that do not fit together."""

    code: str
    """marker-duplicate, marker-unclosed, marker-unopened or marker-crossed."""
    name: str
    line: int
    message: str

    def to_wire(self) -> dict[str, Any]:
        """``{"code", "name", "line", "message"}``."""
        return {"code": self.code, "name": self.name, "line": self.line, "message": self.message}


def pair_markers(markers: Sequence[Marker]) -> tuple[list[Place], list[Mistake]]:
    """Starts and ends brought together, top down; and what does not fit."""
    pairing = _Pairing(markers)
    for marker in markers:
        if marker.kind == "point":
            pairing.places.append(Place(name=marker.name, kind="point", line=marker.line))
        elif marker.kind == "start":
            pairing.start(marker)
        else:
            pairing.end(marker)
    pairing.finish()
    places = sorted(pairing.places, key=lambda place: place.line)
    mistakes = [*pairing.mistakes, *_duplicates(places)]
    return places, sorted(mistakes, key=lambda mistake: mistake.line)


class _Pairing:
    """Walks the markers of a file. The time it takes grows with their number, whatever is wrong with them."""

    def __init__(self, markers: Sequence[Marker]) -> None:
        self.places: list[Place] = []
        self.mistakes: list[Mistake] = []
        self._markers = markers
        self._open: dict[int, Marker] = {}
        """Starts without an end so far, by their order."""
        self._by_name: dict[str, list[int]] = {}
        self._started = 0
        self._explained = 0

    def _wrong(self, code: str, marker: Marker, message: str) -> None:
        self.mistakes.append(Mistake(code=code, name=marker.name, line=marker.line, message=message))

    def start(self, marker: Marker) -> None:
        same = self._by_name.setdefault(marker.name, [])
        if same:
            first = self._open[same[-1]].line
            message = f"{marker.name!r} starts in line {first}, and again in line {marker.line} before its end"
            self._wrong("marker-duplicate", marker, message)
        self._started += 1
        same.append(self._started)
        self._open[self._started] = marker

    def end(self, marker: Marker) -> None:
        same = self._by_name.get(marker.name)
        if not same:
            close = self._close(marker.name, self._open.values())
            meant = f"; did it mean {close.name!r}, which starts in line {close.line}?" if close else ""
            self._wrong(
                "marker-unopened", marker, f"{marker.name!r} ends in line {marker.line} and has no start{meant}"
            )
            self.places.append(Place(name=marker.name, kind="end", line=marker.line))
            return
        start = self._open.pop(same.pop())
        inner = next(reversed(self._open.values()), None)
        if inner is not None and inner.line > start.line:
            message = (
                f"{marker.name!r} ends in line {marker.line}, within {inner.name!r}, which starts in line {inner.line}"
            )
            self._wrong("marker-crossed", marker, message)
        self.places.append(Place(name=marker.name, kind="span", line=start.line, end=marker.line))

    def finish(self) -> None:
        for marker in self._open.values():
            ends = (known for known in self._markers if known.kind == "end" and known.line > marker.line)
            close = self._close(marker.name, ends)
            nearest = f"; the nearest end is of {close.name!r}" if close and close.name != marker.name else ""
            self._wrong(
                "marker-unclosed", marker, f"{marker.name!r} starts in line {marker.line} and has no end{nearest}"
            )
            self.places.append(Place(name=marker.name, kind="start", line=marker.line))

    def _close(self, name: str, known: Iterable[Marker]) -> Marker | None:
        """The marker whose name is most alike; only the first mistakes of a file are explained like that."""
        self._explained += 1
        if self._explained > _MOST_CANDIDATES:
            return None
        by_name = {marker.name: marker for marker in islice(known, _MOST_COMPARED)}
        return next((by_name[match] for match in get_close(name, list(by_name), 1)), None)


def _duplicates(places: list[Place]) -> Iterator[Mistake]:
    by_name: dict[str, list[Place]] = {}
    for place in places:
        if place.kind in ("point", "span"):
            by_name.setdefault(place.name, []).append(place)
    for name, same in by_name.items():
        if len(same) > 1:
            lines = ", ".join(str(place.line) for place in same[:_MOST_CANDIDATES])
            message = f"{name!r} is there {len(same)} times, in lines {lines}; an operation cannot tell which is meant"
            yield Mistake(code="marker-duplicate", name=name, line=same[1].line, message=message)


def get_close(name: str, known: Sequence[str], most: int = 3) -> list[str]:
    """The names that are most alike, the best first."""
    from difflib import get_close_matches  # noqa: PLC0415 - only for a message

    folded: dict[str, str] = {}
    for other in known:
        folded.setdefault(other.casefold(), other)
    return [folded[match] for match in get_close_matches(name.casefold()[:200], folded, most, 0.6)]


class MarkedFile:
    """A file and its markers, in which operations look for theirs; looking for many costs little more than for one."""

    def __init__(self, path: str, content: bytes, lines: Sequence[bytes]) -> None:
        """``lines`` are those of ``content``."""
        self.path = path
        self.lines = lines
        self.markers = find_markers(content, path)

    @cached_property
    def _by_name(self) -> dict[str, list[Marker]]:
        return _grouped((marker.name, marker) for marker in self.markers)

    @cached_property
    def _by_text(self) -> dict[bytes, list[int]]:
        return _grouped((line.strip(), at) for at, line in enumerate(self.lines))

    @cached_property
    def _halves(self) -> list[tuple[int, Place]]:
        """Both lines of every span, top down."""
        spans = [place for place in pair_markers(self.markers)[0] if place.end is not None]
        return sorted(((line, span) for span in spans for line in (span.line, span.end or 0)), key=lambda half: half[0])

    def resolve(self, wanted: str, role: str, where: str) -> int:
        """The index of the one line that a marker names.

        A named marker comes first; otherwise the one line that, without the blanks around it, reads like ``wanted``.

        :param wanted: ``name``, ``name start``, ``name end``, any of them after ``PATCH_MARKER:``; or a whole line.
        :param role: point, start or end: which line of a pair is meant where ``wanted`` does not say.
        :param where: the JSON path of the operation, for messages.
        :raises PatchConflict: when there is no such marker, or more than one.
        """
        name, role = _asked(wanted, role)
        named = self._by_name.get(name, [])
        fitting = [marker for marker in named if marker.kind == role] or [
            item for item in named if item.kind == "point"
        ]
        found = [marker.line - 1 for marker in fitting]
        if named and not fitting:
            raise self._unfit(name, role, named, where)
        if not found:
            text = wanted.strip().encode("utf-8", "surrogatepass")
            found = self._by_text.get(text, []) if text else []
        if not found:
            raise self._missing(name, where)
        if len(found) > 1:
            lines = ", ".join(str(at + 1) for at in found[:_MOST_CANDIDATES])
            message = f"{where}: marker {name!r} is there {len(found)} times, in lines {lines}"
            raise self._conflict("marker-ambiguous", message, [at + 1 for at in found])
        return found[0]

    def _unfit(self, name: str, role: str, named: list[Marker], where: str) -> PatchConflict:
        lines = [marker.line for marker in named]
        if role == "point":
            message = (
                f"{where}: marker {name!r} is a span; replace-between is for spans, "
                f"and '{name} start' or '{name} end' names one of its lines"
            )
            return self._conflict("marker-is-span", message, lines)
        other = named[0].kind
        message = f"{where}: marker {name!r} has no {role} in this file; its {other} is in line {lines[0]}"
        return self._conflict("marker-unpaired", message, lines)

    def _missing(self, name: str, where: str) -> PatchConflict:
        lines: dict[str, int] = {}
        for marker in self.markers:
            lines.setdefault(marker.name, marker.line)
        outside = self._outside_comments(name)
        close = get_close(name, list(islice(lines, _MOST_COMPARED))) or list(lines)[:3]
        if outside:
            word = "line" if len(outside) == 1 else "lines"
            said = f"; {word} {', '.join(map(str, outside))} has it, but not at the start of a comment"
        elif close:
            said = f"; there is {', '.join(f'{known!r} in line {lines[known]}' for known in close)}"
        else:
            said = "; the file has no markers"
        message = f"{where}: there is no marker {name!r}{said}"
        return self._conflict("marker-missing", message, outside or [lines[known] for known in close])

    def _outside_comments(self, name: str) -> list[int]:
        wanted = name.encode("utf-8", "surrogatepass")
        found = []
        for number, line in enumerate(self.lines, 1):
            if MARKER_WORD in line and any(match[1].rstrip(_TRIMMED) == wanted for match in _ANYWHERE.finditer(line)):
                found.append(number)
        return found[:_MOST_CANDIDATES]

    def _conflict(self, code: str, message: str, candidates: list[int]) -> PatchConflict:
        found = tuple(candidates[:_MOST_CANDIDATES])
        return PatchConflict([Problem(code=code, message=message, path=self.path, candidates=found)])

    def damaged_by(self, top: int, bottom: int) -> Place | None:
        """A span of which just one half is among the lines from index ``top`` up to, without it, ``bottom``."""
        first = bisect_left(self._halves, top + 1, key=lambda half: half[0])
        for line, span in islice(self._halves, first, None):
            if line > bottom:
                return None
            if span.line <= top or (span.end or 0) > bottom:
                return span
        return None


def _grouped(items: Iterable[tuple[_Key, _Item]]) -> dict[_Key, list[_Item]]:
    groups: dict[_Key, list[_Item]] = {}
    for key, item in items:
        groups.setdefault(key, []).append(item)
    return groups


def _asked(wanted: str, role: str) -> tuple[str, str]:
    text = wanted.partition(MARKER_WORD.decode() + ":")[2].strip() or wanted.strip()
    name, _, last = text.rpartition(" ")
    return (name.strip(), last) if last in ("start", "end") and name.strip() else (text, role)
