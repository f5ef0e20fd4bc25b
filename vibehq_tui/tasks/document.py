"""A tasks file as text with its tasks located in it, so that one word can be changed and nothing else.

Three layouts are read: tagged ``{"master": {"tasks": […]}, …}``, flat ``{"tasks": […]}`` and a bare ``[…]``. The walk
down to the lists of tasks is ours; each task is read whole by the C scanner of :mod:`json`, which also says where it
ends. Anything inside a task is looked up again when somebody wants to know its place.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from vibehq_tui.tasks.files import MAX_BYTES
from vibehq_tui.tasks.problems import Lines, ProblemList, TaskProblem, TasksFileBroken
from vibehq_tui.tasks.spans import (
    Element,
    Member,
    Path,
    Scan,
    blank,
    duplicate_keys,
    locate,
    read_array,
    read_object,
)

MAIN_TAG: Final = "master"
"""The tag whose tasks keep their ids as they are; the first tag where there is none of this name."""

_BOM: Final = b"\xef\xbb\xbf"
_CONFLICT = re.compile(r"^(<{7}|={7}|>{7})(?= |$)", re.MULTILINE)
_CONSTANT = re.compile(r'"(?:[^"\\]|\\.)*"|(-?Infinity|NaN)')


@dataclass(frozen=True, slots=True)
class TaskList:
    """One list of tasks: its tag, its place and its elements."""

    tag: str | None
    path: Path
    start: int
    end: int
    items: tuple[Element, ...]
    prefix: str
    """What is put before ids so that two tags do not share one; empty for the main tag."""


@dataclass(frozen=True, slots=True)
class Node:
    """One task or subtask as it stands in the file, not yet checked."""

    path: Path
    value: Any
    list: TaskList
    item: int
    """Which element of the list it is, or is inside."""
    parent: Node | None = None
    number: int = 0
    """Its place among its siblings, from 0."""


class Document:
    """A tasks file that is JSON; see :func:`parse`."""

    def __init__(
        self, text: str, file: str, lists: Sequence[TaskList], bom: bool, lines: Lines, problems: ProblemList
    ) -> None:
        self.text = text
        self.file = file
        self.lists = tuple(lists)
        self.bom = bom
        self.problems = problems
        self._lines = lines

    def nodes(self) -> Iterator[Node]:
        """Every task, each followed by its subtasks, in the order of the file."""
        for one in self.lists:
            for index, item in enumerate(one.items):
                yield from _with_subtasks(Node((*one.path, index), item.value, one, index, None, index))

    def locate(self, node: Node, *steps: str | int) -> tuple[int, int]:
        """The span of a task, or of what ``steps`` lead to inside it; of the task where there is no such thing."""
        start, end = node.list.items[node.item].start, node.list.items[node.item].end
        inside = node.path[len(node.list.path) + 1 :]
        base = (locate(self.text, start, inside) if inside else None) or (start, end)
        return (locate(self.text, base[0], steps) if steps else None) or base

    def new_problems(self) -> ProblemList:
        """An empty list for problems of this document."""
        return ProblemList(self.file, self._lines)

    def place(self, index: int) -> tuple[int, int]:
        """``(line, column)`` of an index into the text, both from 1."""
        return self._lines.place(index)

    def encode(self, text: str) -> bytes:
        """``text`` as the bytes of the file; with a byte order mark where it had one."""
        return (_BOM if self.bom else b"") + text.encode()


def _with_subtasks(top: Node) -> Iterator[Node]:
    waiting = [top]
    while waiting:
        node = waiting.pop()
        yield node
        below = node.value.get("subtasks") if isinstance(node.value, dict) else None
        if isinstance(below, list):
            waiting.extend(
                Node((*node.path, "subtasks", number), value, node.list, node.item, node, number)
                for number, value in reversed(list(enumerate(below)))
            )


def parse(data: bytes, file: str, max_bytes: int = MAX_BYTES) -> Document:
    """Reads a tasks file.

    :param file: how it is called in messages.
    :raises TasksFileBroken: when it is too large, not UTF-8, not JSON, or holds no list of tasks.
    """
    if len(data) > max_bytes:
        raise _broken(file, "too-large", f"it has {len(data):,} bytes; a tasks file may have {max_bytes:,}")
    text = _decode(data, file)
    lines = Lines(text)
    problems = ProblemList(file, lines)
    bom = data.startswith(_BOM)
    if bom:
        problems.warning("byte-order-mark", "the file begins with a byte order mark, which many readers refuse", at=0)
    try:
        lists = _Reader(text, problems).read()
    except json.JSONDecodeError as error:
        raise _not_json(text, file, error) from None
    except RecursionError:
        raise _broken(file, "too-deep", "objects and lists are nested too deeply to be read") from None
    except ValueError as error:  # a number of thousands of digits
        raise _broken(file, "not-json", f"not readable: {error}") from None
    return Document(text, file, lists, bom, lines, problems)


def kind(value: Any) -> str:
    """What a JSON value is, in words."""
    if value is None:
        return "null"
    names = {bool: "true or false", int: "a number", float: "a number", str: "a string", list: "a list"}
    return names.get(type(value), "an object")


def _broken(file: str, code: str, message: str, **more: Any) -> TasksFileBroken:
    return TasksFileBroken([TaskProblem(level="error", code=code, file=file, message=message, **more)])


def _decode(data: bytes, file: str) -> str:
    body = data[len(_BOM) :] if data.startswith(_BOM) else data
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        before = body[: error.start]
        line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        wide = data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in data[:4]
        hint = "it looks like UTF-16; save it as UTF-8" if wide else "save it as UTF-8"
        message = f"byte {body[error.start]:#04x} at offset {error.start:,} is not UTF-8"
        raise _broken(file, "not-utf-8", message, line=line, column=column, hint=hint) from None


def _not_json(text: str, file: str, error: json.JSONDecodeError) -> TasksFileBroken:
    """Says what is most likely wrong: empty, cut short, a merge conflict, a comma too many."""
    if not text.strip():
        return _broken(file, "empty", "the file is empty", hint='an empty tasks file is {"tasks": []}')
    lines = Lines(text)
    conflict = _CONFLICT.search(text)
    if conflict:
        line, column = lines.place(conflict.start())
        message = f"not JSON: a merge conflict of git is left in it ({conflict[0]})"
        return _broken(file, "merge-conflict", message, line=line, column=column, hint="settle the conflict")
    line, column = lines.place(error.pos)
    what = error.msg[:1].lower() + error.msg[1:]
    if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string"):
        message = f"not JSON: {what}; the file seems to be cut short"
        return _broken(file, "not-json", message, line=line, column=column)
    before = text[: error.pos].rstrip()
    trailing = text[error.pos] in "]}" and before.endswith(",")
    hint = "a comma stands before a closing bracket" if trailing or "trailing comma" in what else ""
    return _broken(file, "not-json", f"not JSON: {what}", line=line, column=column, hint=hint)


class _Reader:
    """One pass over the text: down to the lists of tasks by steps, then each task by the C scanner."""

    def __init__(self, text: str, problems: ProblemList) -> None:
        self._text = text
        self._problems = problems
        self._twice = False
        self._constant = ""
        self._scan: Scan = json.JSONDecoder(object_pairs_hook=self._pairs, parse_constant=self._odd).raw_decode

    def _pairs(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            self._twice = True
        return found

    def _odd(self, name: str) -> float:
        self._constant = name
        return float(name.replace("Infinity", "inf"))

    def read(self) -> list[TaskList]:
        """The lists of the file, the main one first."""
        start = blank(self._text, 0)
        lists: list[TaskList] = []
        match self._text[start : start + 1]:
            case "[":
                bare, end = self._list(None, (), start)
                lists = [bare]
            case "{":
                lists, end = self._object_of_lists(start)
            case _:
                end = self._value((), start)[1]
        rest = blank(self._text, end)
        if rest < len(self._text):
            raise json.JSONDecodeError("Extra data", self._text, rest)
        if not lists and not self._problems.broken:
            hint = 'it has to be {"tasks": […]} or {"master": {"tasks": […]}}'
            self._problems.error("no-tasks", "there is no list of tasks in it", at=start, hint=hint)
        return lists

    def _object_of_lists(self, start: int) -> tuple[list[TaskList], int]:
        """The lists of a tagged or a flat file, and the end of its object."""
        flat: dict[str, TaskList] = {}
        tagged: dict[str, TaskList] = {}

        def read(key: str, at: int) -> tuple[Any, int]:
            if key == "tasks":
                return self._tasks(flat, None, (key,), at)
            if self._text[at : at + 1] == "{":
                return self._tag(tagged, key, at)
            return self._value((key,), at)

        found, end = read_object(self._text, start, read)
        self._repeated((), found)
        if flat and tagged:
            message = f"the file is flat and tagged at once; the tasks of {', '.join(tagged)} are not read"
            self._problems.warning("mixed-layout", message, path=("tasks",), at=flat["tasks"].start)
        if flat or not tagged:
            return list(flat.values()), end
        main = tagged.get(MAIN_TAG) or next(iter(tagged.values()))
        others = [replace(one, prefix=f"{one.tag}:") for one in tagged.values() if one is not main]
        return [main, *others], end

    def _tag(self, tagged: dict[str, TaskList], tag: str, start: int) -> tuple[Any, int]:
        def read(key: str, at: int) -> tuple[Any, int]:
            if key == "tasks":
                tagged.pop(tag, None)
                return self._tasks(tagged, tag, (tag, key), at)
            return self._value((tag, key), at)

        found, end = read_object(self._text, start, read)
        self._repeated((tag,), found)
        return None, end

    def _tasks(self, into: dict[str, TaskList], tag: str | None, path: Path, start: int) -> tuple[Any, int]:
        if self._text[start : start + 1] == "[":
            found, end = self._list(tag, path, start)
            into[tag or "tasks"] = found
            return None, end
        value, end = self._value(path, start)
        self._problems.error("wrong-type", f"has to be a list of tasks, not {kind(value)}", path=path, at=start)
        return value, end

    def _list(self, tag: str | None, path: Path, start: int) -> tuple[TaskList, int]:
        items, end = read_array(self._text, start, lambda index, at: self._value((*path, index), at))
        return TaskList(tag, path, start, end, tuple(items), ""), end

    def _value(self, path: Path, start: int) -> tuple[Any, int]:
        """Reads a value whole; what is odd inside it is looked for only when the scanner noticed something."""
        self._twice, self._constant = False, ""
        value, end = self._scan(self._text, start)
        if self._twice:
            for inner, at in duplicate_keys(self._text, start):
                self._duplicate((*path, *inner), at)
        if self._constant:
            odd = next(one for one in _CONSTANT.finditer(self._text, start, end) if one[1])
            self._problems.error("not-json", f"not JSON: {odd[1]} is no JSON number", path=path, at=odd.start())
        return value, end

    def _repeated(self, path: Path, found: Sequence[Member]) -> None:
        seen: set[str] = set()
        for one in found:
            if one.key in seen:
                self._duplicate((*path, one.key), one.key_start)
            seen.add(one.key)

    def _duplicate(self, path: Path, at: int) -> None:
        message = "this key stands twice in the same object; the last one counts"
        self._problems.warning("duplicate-key", message, path=path, at=at)
