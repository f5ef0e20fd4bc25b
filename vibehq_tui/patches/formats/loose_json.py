"""JSON as language models write it: in fences, with prose around, and with slips whose meaning is certain.

What is repaired has one reading only: comments, commas before a bracket, keys without quotes, texts in single quotes,
line breaks within a text, ``True`` for ``true``. Everything else that is no JSON is refused with its line and column.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

from vibehq_tui.patches.errors import PatchRefused, refuse
from vibehq_tui.patches.model import Repair

_FENCE: Final = re.compile(r"^[ \t]*(`{3,}|~{3,})([^\n`]*)$", re.MULTILINE)
_OPENING: Final = re.compile(r"[{\[]")
_ASIDE: Final = re.compile(r"[{\[][^{}\[\]\"':\n]{0,80}[}\]]")
"""A few words in brackets, in prose."""
_RAW: Final = re.compile(r"[\t\n\r]")
_COLON: Final = re.compile(r"\s*:")
_TOKEN: Final = re.compile(
    r"""(?P<blank>\s++)
    |(?P<comment>//[^\n]*+|/\*.*?\*/|\#[^\n]*+)
    |(?P<text>"(?:[^"\\]|\\.)*+")
    |(?P<single>'(?:[^'\\\n]|\\.)*+')
    |(?P<number>-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?(?![\w.]))
    |(?P<word>[A-Za-z_$][\w$]*+)
    |(?P<mark>[{}\[\],:])""",
    re.VERBOSE | re.DOTALL,
)
_WORDS: Final = {"true": "true", "false": "false", "null": "null"}
_PYTHON_WORDS: Final = {"True": "true", "False": "false", "None": "null"}
_CLOSERS: Final = {"{": "}", "[": "]"}
_MESSAGES: Final = {
    "json-comment": "the JSON has comments; they were left out",
    "json-comma": "the JSON has a comma too many or too few; it was put right",
    "json-quotes": "the JSON has keys without quotes, or texts in single quotes; they were read as texts",
    "json-newline": "the JSON has a text with a line break or a tab in it; it was kept",
    "json-word": "the JSON says True, False or None as Python does; read as true, false and null",
    "json-lines": "there is one operation after the other without a list around them; read as a list",
}


class _NoJson(Exception):
    """What is wrong, and at which character."""

    def __init__(self, message: str, at: int, *, cut: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.at = at
        self.cut = cut
        """The text ends before the document does."""


@dataclass(slots=True)
class _Writer:
    """A document on its way from loose to strict JSON."""

    output: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    repairs: set[str] = field(default_factory=set)

    def last(self) -> str:
        """What was written last, or nothing."""
        return self.output[-1] if self.output else ""

    def mark(self, mark: str, at: int) -> None:
        if mark in _CLOSERS:
            if mark == "{" and self.last() == "}" and self.open[-1:] == ["["]:
                self.repairs.add("json-comma")
                self.output.append(",")
            self.open.append(mark)
        elif mark in "}]":
            if not self.open or _CLOSERS[self.open.pop()] != mark:
                raise _NoJson(f"{mark!r} closes nothing that is open", at)
            if self.last() == "," and len(self.output) > 1 and self.output[-2] not in "{[,:":
                self.output.pop()
                self.repairs.add("json-comma")
        self.output.append(mark)

    def word(self, word: str, at: int, *, is_key: bool) -> None:
        if is_key and self.open[-1:] == ["{"] and self.last() in ("{", ","):
            self.repairs.add("json-quotes")
            self.output.append(json.dumps(word))
        elif word in _WORDS:
            self.output.append(word)
        elif word in _PYTHON_WORDS:
            self.repairs.add("json-word")
            self.output.append(_PYTHON_WORDS[word])
        else:
            raise _NoJson(f"{word[:40]!r} is neither a text in quotes nor a number", at)

    def text(self, text: str) -> None:
        if _RAW.search(text) is not None:
            self.repairs.add("json-newline")
            text = _RAW.sub(lambda match: json.dumps(match[0])[1:-1], text)
        if "\\'" in text:
            self.repairs.add("json-quotes")
            text = re.sub(r"\\.", lambda match: "'" if match[0] == "\\'" else match[0], text, flags=re.DOTALL)
        self.output.append(text)

    def single(self, text: str) -> None:
        self.repairs.add("json-quotes")
        body = re.sub(
            r"\\.|\"", lambda match: {"\\'": "'", '"': '\\"'}.get(match[0], match[0]), text[1:-1], flags=re.DOTALL
        )
        self.output.append(f'"{body}"')


def read_loose(
    text: bytes, wanted: Callable[[Any], bool], is_part: Callable[[Any], bool]
) -> tuple[Any, tuple[Repair, ...]]:
    """The one JSON document in ``text``, and what was repaired to read it.

    :param wanted: whether a value is the document, where there are others around it.
    :param is_part: whether a value is a part; several of them, one after the other, are read as a list.
    :raises PatchRefused: when there is none, or more than one, or when it cannot be read with certainty.
    """
    try:
        string = text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise refuse("operation", f"the batch is not UTF-8: byte {error.start}") from None
    try:
        return _loads(string), ()
    except json.JSONDecodeError:
        pass
    bodies = [(start, end) for start, end in _fenced(string) if string[start:end].lstrip()[:1] in ("{", "[")]
    found: list[_Found] = []
    try:
        for start, end in bodies or [(0, len(string))]:
            found += (item for item in _documents(string, start, end) if wanted(item.value) or is_part(item.value))
    except _NoJson as error:
        raise _told(string, error) from None
    if not found:
        raise refuse("operation", "there is no operation batch in the text; it is JSON with a list of patches")
    if len(found) == 1:
        return found[0].value, _as_repairs(found[0].repairs)
    between = "".join(string[one.end : other.start] for one, other in pairwise(found))
    if all(is_part(item.value) for item in found) and not between.strip(" \t\r\n,"):
        return [item.value for item in found], _as_repairs({"json-lines"}.union(*(item.repairs for item in found)))
    lines = ", ".join(str(string.count("\n", 0, item.start) + 1) for item in found[:8])
    raise refuse(
        "several-batches",
        f"there are {len(found)} batches in the text, in lines {lines}; which of them is meant is not certain",
        hint="give one, or apply them one after the other",
    )


def _fenced(string: str) -> Iterator[tuple[int, int]]:
    """What stands in each Markdown fence; one that is never closed goes to the end."""
    opened: tuple[str, int] | None = None
    for match in _FENCE.finditer(string):
        if opened is None:
            opened = (match[1], match.end())
        elif match[1].startswith(opened[0]) and not match[2].strip():
            yield opened[1], match.start()
            opened = None
    if opened is not None:
        yield opened[1], len(string)


@dataclass(frozen=True, slots=True)
class _Found:
    value: Any
    repairs: set[str]
    start: int
    end: int


def _documents(string: str, start: int, end: int) -> Iterator[_Found]:
    """Every JSON value that starts with a bracket, and what looks like one and is none is an error."""
    at = start
    while (match := _OPENING.search(string, at, end)) is not None:
        aside = _ASIDE.match(string, match.start(), end)
        if aside is not None:
            at = aside.end()
            continue
        writer, at = _strict(string, match.start(), end)
        try:
            value = _loads("".join(writer.output))
        except json.JSONDecodeError as error:
            # The position is one in what was written; the line of the document has to do.
            raise _NoJson(f"{error.msg}; after {_before(writer.output, error.pos)}", match.start()) from None
        yield _Found(value, writer.repairs, match.start(), at)


def _before(output: list[str], position: int) -> str:
    written = "".join(output)[max(position - 40, 0) : position]
    return repr(written)


def _strict(string: str, at: int, end: int) -> tuple[_Writer, int]:
    """The value that starts at a bracket, written as strict JSON; and where it ends."""
    writer = _Writer()
    start = at
    while at < end:
        match = _TOKEN.match(string, at, end)
        if match is None:
            cut = string[at] == '"' or string.startswith("/*", at)
            what = "a text or comment is not closed" if cut else f"{string[at]!r} is not expected"
            raise _NoJson(what, at, cut=cut)
        kind, token = match.lastgroup, match[0]
        if kind == "comment":
            writer.repairs.add("json-comment")
        elif kind == "mark":
            writer.mark(token, at)
        elif kind == "word":
            writer.word(token, at, is_key=_COLON.match(string, match.end(), end) is not None)
        elif kind == "text":
            writer.text(token)
        elif kind == "single":
            writer.single(token)
        elif kind == "number":
            writer.output.append(token)
        at = match.end()
        if not writer.open:
            return writer, at
    raise _NoJson(
        f"the document that starts in line {string.count(chr(10), 0, start) + 1} is not closed", end, cut=True
    )


def _loads(string: str) -> Any:
    """:raises PatchRefused: for a key that stands twice in an object, or a document that cannot be held."""

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in items:
            if key in found:
                shown = key.encode("unicode_escape").decode()[:60]
                raise refuse("operation", f"the key {shown!r} stands twice in one object")
            found[key] = value
        return found

    try:
        return json.loads(string, object_pairs_hook=pairs)
    except json.JSONDecodeError:
        raise
    except (ValueError, RecursionError):
        raise refuse("operation", "the batch nests too deeply or has a number that is too long") from None


def _told(string: str, error: _NoJson) -> PatchRefused:
    line = string.count("\n", 0, error.at) + 1
    column = error.at - string.rfind("\n", 0, error.at)
    where = f"line {line}, column {column}: {error.message}"
    if error.cut:
        return refuse("truncated", f"{where}; the text ends too early", hint="get the whole batch again")
    return refuse("operation", f"{where}; an operation batch is JSON")


def _as_repairs(codes: set[str]) -> tuple[Repair, ...]:
    return tuple(Repair(code=code, message=_MESSAGES[code]) for code in sorted(codes))
