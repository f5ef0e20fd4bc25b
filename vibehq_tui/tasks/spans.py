"""Where things stand in a JSON text: walks objects and arrays, and lets the C scanner read and measure each value.

Positions are indexes into the text, ends are exclusive.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

Path: TypeAlias = tuple[str | int, ...]
"""Keys and indexes from the root: ``("master", "tasks", 3, "status")``."""

Scan: TypeAlias = Callable[[str, int], tuple[Any, int]]
"""Reads the value that begins at an index: ``(value, end)``; the ``raw_decode`` of a :class:`json.JSONDecoder`."""

Read: TypeAlias = Callable[[Any, int], tuple[Any, int]]
"""Reads the value of a key or an index that begins at an index of the text: ``(value, end)``."""

value_at: Final[Scan] = json.JSONDecoder().raw_decode
"""The value that begins at an index, and its end; raises :class:`json.JSONDecodeError` where it is not JSON."""

_BLANK = re.compile(r"[ \t\n\r]*")
_NAME = re.compile(r"[A-Za-z_$][\w$-]*")


@dataclass(frozen=True, slots=True)
class Member:
    """One ``"key": value`` of an object."""

    key: str
    key_start: int
    key_end: int
    start: int
    end: int
    value: Any


@dataclass(frozen=True, slots=True)
class Element:
    """One value of an array."""

    start: int
    end: int
    value: Any


def blank(text: str, at: int) -> int:
    """The index of the first character that is not white space, from ``at``."""
    match = _BLANK.match(text, at)
    return match.end() if match else at


def read_object(text: str, start: int, read: Read | None = None) -> tuple[list[Member], int]:
    """The members of the object that begins at ``start``, and its end.

    :param read: reads the value of a key; given the key and where its value begins, it answers the value and its end.
    :raises json.JSONDecodeError: where it is not JSON.
    """
    found: list[Member] = []
    at = blank(text, start + 1)
    if text[at : at + 1] == "}":
        return found, at + 1
    while True:
        if text[at : at + 1] != '"':
            raise json.JSONDecodeError("Expecting property name enclosed in double quotes", text, at)
        key, key_end = value_at(text, at)
        colon = blank(text, key_end)
        if text[colon : colon + 1] != ":":
            raise json.JSONDecodeError("Expecting ':' delimiter", text, colon)
        begin = blank(text, colon + 1)
        value, end = read(key, begin) if read else value_at(text, begin)
        found.append(Member(key, at, key_end, begin, end, value))
        after = blank(text, end)
        if text[after : after + 1] == "}":
            return found, after + 1
        if text[after : after + 1] != ",":
            raise json.JSONDecodeError("Expecting ',' delimiter", text, after)
        at = blank(text, after + 1)


def read_array(text: str, start: int, read: Read | None = None) -> tuple[list[Element], int]:
    """The elements of the array that begins at ``start``, and its end.

    :param read: reads an element; given its index and where it begins, it answers the value and its end.
    :raises json.JSONDecodeError: where it is not JSON.
    """
    found: list[Element] = []
    at = blank(text, start + 1)
    if text[at : at + 1] == "]":
        return found, at + 1
    while True:
        value, end = read(len(found), at) if read else value_at(text, at)
        found.append(Element(at, end, value))
        after = blank(text, end)
        if text[after : after + 1] == "]":
            return found, after + 1
        if text[after : after + 1] != ",":
            raise json.JSONDecodeError("Expecting ',' delimiter", text, after)
        at = blank(text, after + 1)


def member(text: str, start: int, key: str) -> Member | None:
    """The member with a key of the object that begins at ``start``; the last one where the key stands twice, as every
    reader of JSON takes it."""
    return next((one for one in reversed(read_object(text, start)[0]) if one.key == key), None)


def locate(text: str, start: int, path: Path) -> tuple[int, int] | None:
    """The span of what ``path`` leads to from the value that begins at ``start``; none where there is no such thing."""
    end = value_at(text, start)[1]
    for step in path:
        found: Member | Element | None = None
        if isinstance(step, str):
            found = member(text, start, step) if text[start] == "{" else None
        elif text[start] == "[":
            items = read_array(text, start)[0]
            found = items[step] if step < len(items) else None
        if found is None:
            return None
        start, end = found.start, found.end
    return start, end


def duplicate_keys(text: str, start: int) -> Iterator[tuple[Path, int]]:
    """Each key that stands again in the same object, anywhere inside the value at ``start``: its path and index."""
    waiting: list[tuple[Path, int]] = [((), start)]
    while waiting:
        path, at = waiting.pop()
        if text[at] == "{":
            seen: set[str] = set()
            for one in read_object(text, at)[0]:
                if one.key in seen:
                    yield (*path, one.key), one.key_start
                seen.add(one.key)
                if isinstance(one.value, (dict, list)):
                    waiting.append(((*path, one.key), one.start))
        elif text[at] == "[":
            for index, item in enumerate(read_array(text, at)[0]):
                if isinstance(item.value, (dict, list)):
                    waiting.append(((*path, index), item.start))


def spell(path: Path) -> str:
    """A path as people write it: ``master.tasks[3].status``."""
    spelled = ""
    for step in path:
        if isinstance(step, int):
            spelled += f"[{step}]"
        elif _NAME.fullmatch(step):
            spelled += f".{step}" if spelled else step
        else:
            spelled += f"[{json.dumps(step, ensure_ascii=False)}]"
    return spelled
