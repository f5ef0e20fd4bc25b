"""Changes a tasks file by replacing exactly what is to change; every other character stays as it is.

What is put in looks like what stands around it: indentation, line ends, spacing and escapes are taken from the file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from vibehq_tui.tasks.document import Document, Node, TaskList
from vibehq_tui.tasks.spans import Member, member, read_array, read_object

_INDENT = re.compile(r"[ \t]*")
_FIRST_KEY = re.compile(r"\s*[{\[]\r?\n([ \t]+)")


class Editor:
    """Collects changes to one document; nothing is changed before :meth:`result`.

    Changes must not overlap: one value is set once, and a new subtask goes below a task whose list is not itself set.
    """

    def __init__(self, document: Document) -> None:
        self._document = document
        self._text = text = document.text
        self._edits: list[tuple[int, int, str]] = []
        first = _FIRST_KEY.match(text)
        self._unit = first[1] if first else "  "
        self._newline = "\r\n" if "\r\n" in text else "\n"
        self._pretty = "\n" in text.strip()
        self._tight = not self._pretty and '": ' not in text
        self._escaped = text.isascii() and "\\u" in text

    def set(self, node: Node, values: Mapping[str, Any]) -> bool:
        """Gives keys of a task these values; keys that it does not have are added after its last.

        :returns: whether anything differs from what stands there.
        """
        start = self._document.locate(node)[0]
        present, _ = read_object(self._text, start)
        missing: dict[str, Any] = {}
        changed = False
        for key, value in values.items():
            old = next((one for one in reversed(present) if one.key == key), None)
            if old is None:
                missing[key] = value
            elif not same(old.value, value):
                self._replace(old, value)
                changed = True
        if missing:
            self._insert_members(start, present, missing)
        return changed or bool(missing)

    def append(self, into: TaskList, tasks: Sequence[Mapping[str, Any]]) -> None:
        """Adds tasks at the end of a list."""
        self._extend(into.start, tasks)

    def append_subtasks(self, node: Node, subtasks: Sequence[Mapping[str, Any]]) -> None:
        """Adds subtasks at the end of a task's own; a task without the list gets one."""
        found = member(self._text, self._document.locate(node)[0], "subtasks")
        if found is not None and isinstance(found.value, list):
            self._extend(found.start, subtasks)
        else:
            self.set(node, {"subtasks": list(subtasks)})

    def result(self) -> str:
        """The text with all changes made."""
        parts: list[str] = []
        done = 0
        for start, end, new in sorted(self._edits, key=lambda edit: edit[:2]):
            parts += [self._text[done:start], new]
            done = end
        return "".join([*parts, self._text[done:]])

    def _replace(self, old: Member, value: Any) -> None:
        before = self._text[old.start : old.end]
        flat = isinstance(old.value, (list, dict)) and bool(old.value) and "\n" not in before
        self._edits.append((old.start, old.end, self._spell(value, None if flat else self._indent(old.key_start))))

    def _insert_members(self, start: int, present: Sequence[Member], values: Mapping[str, Any]) -> None:
        if not present:
            inner = self._text[start + 1 :]
            at = start + 1 + len(inner) - len(inner.lstrip(" \t\r\n"))
            self._edits.append((start, at + 1, self._spell(values, self._indent(start) if self._pretty else None)))
            return
        first, last = present[0], present[-1]
        if len(present) > 1:
            gap = self._text[present[-2].end : last.key_start].partition(",")[2]
        else:
            gap = self._text[start + 1 : first.key_start]
        colon = self._text[last.key_end : last.start]
        base = self._indent(last.key_start) if "\n" in gap else None
        new = "".join(f",{gap}{self._string(key)}{colon}{self._spell(value, base)}" for key, value in values.items())
        self._edits.append((last.end, last.end, new))

    def _extend(self, start: int, values: Sequence[Mapping[str, Any]]) -> None:
        """Adds values at the end of the array that begins at ``start``."""
        if not values:
            return
        present, end = read_array(self._text, start)
        if present:
            before = present[-2].end if len(present) > 1 else start + 1
            gap = self._text[before : present[-1].start].partition(",")[2] if len(present) > 1 else None
            gap = self._text[before : present[-1].start] if gap is None else gap
            base = self._indent(present[-1].start) if "\n" in gap else None
            new = "".join(f",{gap}{self._spell(value, base)}" for value in values)
            self._edits.append((present[-1].end, present[-1].end, new))
        else:
            base = self._indent(start) if self._pretty else None
            self._edits.append((start, end, self._spell(list(values), base)))

    def _indent(self, at: int) -> str:
        """The white space that begins the line of an index."""
        match = _INDENT.match(self._text, self._text.rfind("\n", 0, at) + 1)
        return match[0] if match else ""

    def _string(self, text: str) -> str:
        # a lone surrogate (an undecodable byte of an argument) has no UTF-8 form and must be escaped
        return json.dumps(text, ensure_ascii=self._escaped or not _encodable(text))

    def _spell(self, value: Any, base: str | None) -> str:
        """A value as JSON: on one line, or over several that are indented like ``base``."""
        escaped = self._escaped or not _encodable(json.dumps(value, ensure_ascii=False))
        if base is None:
            separators = (",", ":") if self._tight else (", ", ": ")
            return json.dumps(value, ensure_ascii=escaped, separators=separators)
        return json.dumps(value, ensure_ascii=escaped, indent=self._unit).replace("\n", self._newline + base)


def same(old: Any, new: Any) -> bool:
    """Equal as JSON: unlike in Python, ``1``, ``1.0`` and ``true`` are three different things."""
    return json.dumps(old, sort_keys=True) == json.dumps(new, sort_keys=True)


def new_document(tasks: Sequence[Mapping[str, Any]]) -> str:
    """The text of a new tasks file."""
    return json.dumps({"tasks": list(tasks)}, indent=2, ensure_ascii=False) + "\n"


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
