"""Operation batches in JSON: small edits by line or marker, and files made, removed or moved.

Checked by hand, so that a call from a script does not pay for a model library; every message names the JSON path.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any, Final

from vibehq_tui.patches.errors import PatchRefused, refuse
from vibehq_tui.patches.model import Change, Edit, ParsedPatch, Problem
from vibehq_tui.patches.paths import path_problem

MOST_SPACE: Final = 10
"""Blank lines that ``openSpace`` may ask for."""

_BLOCK: Final = {"block", "blockFile"}
_KEYS: Final[dict[str, set[str]]] = {
    "replace-block": {"start", "end", *_BLOCK},
    "insert-before": {"line", "marker", "openSpace", *_BLOCK},
    "insert-after": {"line", "marker", "openSpace", *_BLOCK},
    "append": {"openSpace", *_BLOCK},
    "prepend": {"openSpace", *_BLOCK},
    "replace-between": {"startMarker", "endMarker", *_BLOCK},
    "create": _BLOCK,
    "delete": set(),
    "move": {"to"},
}
_BATCH_KEYS: Final = {"orderId", "requester", "reason", "taskId", "patches"}


@dataclass(slots=True)
class _Reader:
    """Collects the operations of a batch by file, and everything that is wrong with them."""

    problems: list[Problem] = field(default_factory=list)
    edits: dict[str, list[Edit]] = field(default_factory=dict)
    whole: dict[str, Change] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)

    def wrong(self, where: str, message: str, path: str | None = None, code: str = "operation") -> None:
        self.problems.append(Problem(code=code, message=f"{where}: {message}", path=path))

    def read(self, data: dict[str, Any], where: str) -> None:
        """One operation."""
        op = data.get("op")
        if not isinstance(op, str) or op not in _KEYS:
            self.wrong(f"{where}.op", f"is {_shown(op)}; one of {', '.join(_KEYS)}")
            return
        for key in data.keys() - _KEYS[op] - {"op", "file"}:
            self.wrong(f"{where}.{_printable(key)}", f"is no key of {op}")
        before = len(self.problems)
        path = self._path(data, "file", where)
        if path is None:
            return
        edit = self._edit(data, op, where) if op not in ("delete", "move") else None
        target = self._path(data, "to", where) if op == "move" else None
        if len(self.problems) > before:
            return
        if path not in self.order:
            self.order.append(path)
        if op not in ("create", "delete", "move") and edit is not None:
            self.edits.setdefault(path, []).append(edit)
            return
        if path in self.whole:
            self.wrong(where, "the file is created, deleted or moved twice", path, "same-file-twice")
        change_op = "rename" if op == "move" else op
        self.whole[path] = Change(
            path=target or path, op=change_op, from_=path if op == "move" else None, content=edit, where=where
        )

    def _edit(self, data: dict[str, Any], op: str, where: str) -> Edit:
        block = self._text(data, "block", where)
        block_file = self._path(data, "blockFile", where) if "blockFile" in data else None
        if ("block" in data) == ("blockFile" in data):
            self.wrong(where, "needs its text as block or the name of its file as blockFile, one of the two")
        edit = Edit(kind=op, where=where, block=block, block_file=block_file)
        if op == "replace-block":
            edit = replace(edit, start=self._line(data, "start", where), end=self._line(data, "end", where))
            if edit.end < edit.start:
                self.wrong(f"{where}.end", f"is {edit.end}, before start {edit.start}")
        elif op == "replace-between":
            for key in ("startMarker", "endMarker"):
                if not self._text(data, key, where):
                    self.wrong(f"{where}.{key}", "is missing")
            edit = replace(edit, marker=data.get("startMarker"), end_marker=data.get("endMarker"))
        elif op in ("insert-before", "insert-after"):
            if ("line" in data) == ("marker" in data):
                self.wrong(where, "needs line or marker, one of the two")
            elif "line" in data:
                edit = replace(edit, start=self._line(data, "line", where))
            elif not self._text(data, "marker", where):
                self.wrong(f"{where}.marker", "is empty")
            else:
                edit = replace(edit, marker=data["marker"])
        if op not in ("create", "replace-block", "replace-between") and block == "":
            self.wrong(f"{where}.block", "is empty, so there is nothing to add")
        return replace(edit, open_space=self._space(data, where))

    def _text(self, data: dict[str, Any], key: str, where: str) -> str | None:
        value = data.get(key)
        if value is None and key not in data:
            return None
        if not isinstance(value, str):
            self.wrong(f"{where}.{key}", f"is {_shown(value)}; a text is needed")
            return None
        try:
            value.encode()
        except UnicodeEncodeError:
            self.wrong(f"{where}.{key}", "holds half a surrogate pair, which is no character")
        return value

    def _path(self, data: dict[str, Any], key: str, where: str) -> str | None:
        value = data.get(key)
        if not isinstance(value, str):
            self.wrong(f"{where}.{key}", "is missing" if value is None else f"is {_shown(value)}; a path is needed")
            return None
        try:
            value.encode()
        except UnicodeEncodeError:
            self.wrong(f"{where}.{key}", "holds half a surrogate pair, which is no character")
            return None
        problem = path_problem(value)
        if problem is not None:
            self.wrong(f"{where}.{key}", f"the path {value!r} {problem[1]}", value, problem[0])
            return None
        return value

    def _line(self, data: dict[str, Any], key: str, where: str) -> int:
        value = data.get(key)
        if isinstance(value, bool) or not isinstance(value, int) or value < 1 or value > 2**31:
            self.wrong(f"{where}.{key}", f"is {_shown(value)}; a line number from 1 is needed")
            return 1
        return value

    def _space(self, data: dict[str, Any], where: str) -> int:
        value = data.get("openSpace", False)
        if not isinstance(value, int) or not 0 <= value <= MOST_SPACE:
            self.wrong(f"{where}.openSpace", f"is {_shown(value)}; true, false or a number up to {MOST_SPACE}")
            return 0
        return int(value)

    def changes(self) -> tuple[Change, ...]:
        """One change for each file that is named."""
        changes = []
        for path in self.order:
            edits = tuple(self.edits.get(path, ()))
            whole = self.whole.get(path)
            if whole is None:
                changes.append(Change(path=path, op="modify", edits=edits, where=edits[0].where))
            elif edits and whole.op != "rename":
                self.wrong(
                    edits[0].where, f"the file is also to be {whole.op}d by {whole.where}", path, "same-file-twice"
                )
            else:
                changes.append(replace(whole, edits=edits))
        return tuple(changes)


def parse_operations(text: bytes) -> ParsedPatch:
    """Reads an operation batch.

    :raises PatchRefused: with one problem for everything that is wrong, each with its JSON path.
    """
    data = _load(text)
    if isinstance(data, list):
        data = {"patches": data}
    if not isinstance(data, dict):
        raise refuse("operation", f"$: is {_shown(data)}; an operation batch is an object with patches")
    reader = _Reader()
    for key in data.keys() - _BATCH_KEYS:
        reader.wrong(f"$.{_printable(key)}", "is no key of a batch")
    texts = {
        key: reader._text(data, key, "$")
        for key in ("orderId", "requester", "reason", "taskId")
        if data.get(key) is not None
    }
    patches = data.get("patches")
    if not isinstance(patches, list) or not patches:
        reader.wrong(
            "$.patches",
            "is missing or empty; a list of operations is needed",
            code="empty-patch" if patches == [] else "operation",
        )
        patches = []
    for index, operation in enumerate(patches):
        if isinstance(operation, dict):
            reader.read(operation, f"$.patches[{index}]")
        else:
            reader.wrong(f"$.patches[{index}]", f"is {_shown(operation)}; an operation is an object")
    changes = reader.changes()
    if reader.problems:
        raise PatchRefused(reader.problems)
    return ParsedPatch(
        format="operations",
        changes=changes,
        title=texts.get("reason"),
        author=texts.get("requester"),
        task=texts.get("taskId"),
    )


def _load(text: bytes) -> Any:
    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in items:
            if key in found:
                raise refuse("operation", f"the key {_printable(key)!r} stands twice in one object")
            found[key] = value
        return found

    try:
        return json.loads(text.decode("utf-8-sig"), object_pairs_hook=pairs)
    except UnicodeDecodeError as error:
        raise refuse("operation", f"the batch is not UTF-8: byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise refuse(
            "operation", f"line {error.lineno}, column {error.colno}: {error.msg}; an operation batch is JSON"
        ) from None
    except (ValueError, RecursionError):
        raise refuse("operation", "the batch nests too deeply or has a number that is too long") from None


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:59] + "…"


def _printable(key: str) -> str:
    return key.encode("unicode_escape").decode()[:60]
