"""Operation batches in JSON: small edits by line or marker, and files made, removed or moved.

Checked by hand, so that a call from a script does not pay for a model library; every message names the JSON path.

What is wrong is refused with everything else that is wrong. What only looks wrong is repaired: JSON as models write it
(``loose_json.py``), keys and operations in another spelling, ``null`` for a key that is left out. A
key that nobody knows is reported and not looked at; one that would change what is done is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from vibehq_tui.patches.errors import PatchRefused, refuse
from vibehq_tui.patches.formats.loose_json import read_loose
from vibehq_tui.patches.model import Change, Edit, ParsedPatch, Problem, Repair
from vibehq_tui.patches.paths import path_problem

MOST_SPACE: Final = 10
"""Blank lines that ``openSpace`` may ask for."""
INDENTS: Final = ("auto", "keep", "match")
"""What ``indent`` may say."""

_BLOCK: Final = ("block", "blockFile")
_TEXT: Final = (*_BLOCK, "openSpace", "indent")
_KEYS: Final[dict[str, tuple[str, ...]]] = {
    "replace-block": ("start", "end", "marker", *_TEXT),
    "insert-before": ("line", "marker", *_TEXT),
    "insert-after": ("line", "marker", *_TEXT),
    "append": _TEXT,
    "prepend": _TEXT,
    "replace-between": ("startMarker", "endMarker", *_TEXT),
    "create": _BLOCK,
    "delete": (),
    "move": ("to",),
}
_BATCH_KEYS: Final = ("orderId", "requester", "reason", "taskId", "patches")
_OTHER_NAMES: Final = {
    "path": "file",
    "filepath": "file",
    "filename": "file",
    "operation": "op",
    "content": "block",
    "text": "block",
    "destination": "to",
    "newpath": "to",
    "operations": "patches",
    "ops": "patches",
}
"""Other names that are given to a key, without capitals, dashes and underscores."""
_WEIGHTY: Final = frozenset(
    (
        "dryrun",
        "preview",
        "strict",
        "check",
        "root",
        "base",
        "when",
        "if",
        "unless",
        "expect",
        "expected",
        "old",
        "oldblock",
        "oldtext",
        "original",
        "find",
        "search",
        "match",
        "pattern",
        "regex",
        "count",
        "occurrence",
        "all",
        "column",
        "columns",
        "offset",
        "lines",
        "mode",
        "encoding",
        "executable",
        "overwrite",
        "force",
    )
)
"""Keys that would change what is done, if there were such keys; to pass over one would do something else than asked."""


def _plain(key: str) -> str:
    return re.sub(r"[\s_-]", "", key).casefold()


def _kebab(op: str) -> str:
    return re.sub(r"[\s_]+", "-", re.sub(r"(?<=[a-z])(?=[A-Z])", "-", op.strip())).lower()


@dataclass(slots=True)
class _Reader:
    """Collects the operations of a batch by file, and everything that is wrong with them."""

    problems: list[Problem] = field(default_factory=list)
    edits: dict[str, list[Edit]] = field(default_factory=dict)
    whole: dict[str, Change] = field(default_factory=dict)
    order: dict[str, None] = field(default_factory=dict)
    """The files, in the order in which they come up."""
    repairs: list[Repair] = field(default_factory=list)

    def repaired(self, code: str, where: str, message: str) -> None:
        self.repairs.append(Repair(code=code, message=f"{where}: {message}"))

    def wrong(self, where: str, message: str, path: str | None = None, code: str = "operation") -> None:
        self.problems.append(Problem(code=code, message=f"{where}: {message}", path=path))

    def keys(self, data: dict[str, Any], known: tuple[str, ...], where: str, of: str) -> dict[str, Any]:
        """The same object with the keys that are known, by their right names."""
        found = {key: value for key, value in data.items() if key in known and value is not None}
        for key, value in data.items():
            harmless = key in ("openSpace", "block", "blockFile") and not value
            if key in known or value is None or harmless:
                continue
            shown = f"{where}.{_printable(key)}"
            meant = next((name for name in known if _plain(name) == _plain(key)), _OTHER_NAMES.get(_plain(key)))
            if meant in known and meant not in data:
                found[meant] = value
                self.repaired("key-name", shown, f"read as {meant}")
            elif (complaint := _complaint(key, known, of)) is not None:
                self.wrong(shown, complaint)
            else:
                self.repaired("unknown-key", shown, f"is no key of {of}, and was not looked at")
        return found

    def _op(self, data: dict[str, Any], where: str) -> str | None:
        op = data.get("op", data.get("operation"))
        if isinstance(op, str) and op in _KEYS:
            return op
        if isinstance(op, str) and _kebab(op) in _KEYS:
            self.repaired("operation-name", f"{where}.op", f"{_shown(op)} was read as {_kebab(op)}")
            return _kebab(op)
        said = "is missing" if op is None else f"is {_shown(op)}"
        close = _similar(op, _KEYS) if isinstance(op, str) else None
        meant = f"; did you mean {close}?" if close else ""
        self.wrong(f"{where}.op", f"{said}; one of {', '.join(_KEYS)}{meant}")
        return None

    def read(self, data: dict[str, Any], where: str) -> None:
        """One operation."""
        op = self._op(data, where)
        if op is None:
            return
        data = self.keys(data, ("op", "file", *_KEYS[op]), where, op)
        before = len(self.problems)
        path = self._path(data, "file", where)
        if path is None:
            return
        edit = self._edit(data, op, where) if op not in ("delete", "move") else None
        target = self._path(data, "to", where) if op == "move" else None
        if len(self.problems) > before:
            return
        self.order[path] = None
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
        if op == "replace-between":
            for key in ("startMarker", "endMarker"):
                if not self._text(data, key, where):
                    self.wrong(f"{where}.{key}", "is missing or empty")
            edit = replace(edit, marker=data.get("startMarker"), end_marker=data.get("endMarker"))
        elif op in ("replace-block", "insert-before", "insert-after"):
            edit = self._place(data, edit, where)
        if op not in ("create", "replace-block", "replace-between") and block == "":
            self.wrong(f"{where}.block", "is empty, so there is nothing to add")
        if op != "create" and "\0" in (block or ""):
            self.wrong(f"{where}.block", "has a NUL in it, which is no text")
        indent = data.get("indent", "auto")
        if indent not in INDENTS:
            self.wrong(f"{where}.indent", f"is {_shown(indent)}; one of {', '.join(INDENTS)}")
            indent = "auto"
        return replace(edit, open_space=self._space(data, where), indent=indent)

    def _place(self, data: dict[str, Any], edit: Edit, where: str) -> Edit:
        """The edit with its lines or its marker."""
        lines = ("start", "end") if edit.kind == "replace-block" else ("line",)
        if any(key in data for key in lines) == ("marker" in data):
            self.wrong(where, f"needs {' and '.join(lines)} or marker, one of the two")
        elif "marker" in data:
            if not self._text(data, "marker", where):
                self.wrong(f"{where}.marker", "is empty")
            return replace(edit, marker=data["marker"])
        elif edit.kind == "replace-block":
            edit = replace(edit, start=self._line(data, "start", where), end=self._line(data, "end", where))
            if edit.end < edit.start:
                self.wrong(f"{where}.end", f"is {edit.end}, before start {edit.start}")
        else:
            edit = replace(edit, start=self._line(data, "line", where))
        return edit

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
            said = "is missing" if value is None else f"is {_shown(value)}"
            hint = "; prepend is for the top of a file" if value == 0 and key == "line" else ""
            self.wrong(f"{where}.{key}", f"{said}; a line number is needed, and the first line is 1{hint}")
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
    """Reads an operation batch: an object with ``patches``, a list of operations, or a single one.

    :raises PatchRefused: with one problem for everything that is wrong, each with its JSON path.
    """
    data, repairs = read_loose(text, _is_batch, _is_operation)
    if isinstance(data, list):
        data = {"patches": data}
    if not isinstance(data, dict):
        raise refuse("operation", f"$: is {_shown(data)}; an operation batch is an object with patches")
    if _is_operation(data):
        data = {"patches": [data]}
    reader = _Reader(repairs=list(repairs))
    data = reader.keys(data, _BATCH_KEYS, "$", "a batch")
    for key in ("orderId", "taskId"):
        if isinstance(data.get(key), int) and not isinstance(data[key], bool):
            data[key] = str(data[key])
    texts = {key: reader._text(data, key, "$") for key in ("orderId", "requester", "reason", "taskId") if key in data}
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
        raise PatchRefused(reader.problems, repairs=reader.repairs)
    return ParsedPatch(
        format="operations",
        changes=changes,
        repairs=tuple(reader.repairs),
        title=texts.get("reason"),
        author=texts.get("requester"),
        task=texts.get("taskId"),
    )


def _is_operation(value: Any) -> bool:
    return isinstance(value, dict) and "op" in value and "patches" not in value


def _is_batch(value: Any) -> bool:
    if isinstance(value, dict):
        return any(key in value for key in ("patches", "operations", "ops"))
    return isinstance(value, list) and any(_is_operation(item) for item in value)


def _similar(word: str, known: Iterable[str]) -> str | None:
    from difflib import get_close_matches  # noqa: PLC0415 - only for a message

    return next(iter(get_close_matches(word[:60], list(known), 1, 0.75)), None)


def _complaint(key: str, known: tuple[str, ...], of: str) -> str | None:
    """Why a key that is not known is more than one that nobody needs; None when it is not."""
    owners = [op for op, keys in _KEYS.items() if any(_plain(name) == _plain(key) for name in keys)]
    if owners:
        return f"is no key of {of}; it is one of {', '.join(owners)}"
    if _plain(key) in map(_plain, known):
        return "is there twice, in two spellings"
    close = _similar(_plain(key), [_plain(name) for name in known])
    if close is not None:
        return f"is no key of {of}; did you mean {next(name for name in known if _plain(name) == close)}?"
    if _plain(key) in _WEIGHTY or _OTHER_NAMES.get(_plain(key)) in known:
        return f"is no key of {of}, and leaving it out could do something else than meant"
    return None


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:59] + "…"


def _printable(key: str) -> str:
    return key.encode("unicode_escape").decode()[:60]
