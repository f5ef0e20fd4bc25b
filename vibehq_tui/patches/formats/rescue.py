"""What happens to a whole patch text on its way: indented in a list, escaped for HTML, wrapped into a call, re-encoded.

Each is undone only where the markers of the format themselves show it; content alone proves nothing.
"""

from __future__ import annotations

import re
from typing import Any, Final

from vibehq_tui.patches.errors import refuse
from vibehq_tui.patches.formats.lines import fences, is_blank, split_text
from vibehq_tui.patches.model import Repair

_MARKER: Final = re.compile(
    rb"(?:\*\*\* (?:Begin Patch|Update File:|Add File:|Delete File:)|<{5,9} ?(?:SEARCH|ORIGINAL)|-{5,9} ?SEARCH|"
    rb"diff --git |--- \S)"
)
_ESCAPED: Final = re.compile(
    rb"^[ \t]*(?:(?:&lt;){5,9} ?(?:SEARCH|ORIGINAL)|(?:&gt;){5,9} ?(?:REPLACE|UPDATED)|&lt;file (?:path|name)=)",
    re.MULTILINE,
)
_ENTITY: Final = re.compile(rb"&(lt|gt|amp|quot|apos|#39|#x27|#34);")
_ENTITIES: Final = {
    b"lt": b"<",
    b"gt": b">",
    b"amp": b"&",
    b"quot": b'"',
    b"apos": b"'",
    b"#39": b"'",
    b"#x27": b"'",
    b"#34": b'"',
}
_WRAPPED: Final = re.compile(r"^\*\*\* Begin Patch", re.MULTILINE)
_DEEPEST: Final = 4


def dedented(lines: list[bytes]) -> tuple[list[bytes], list[Repair]]:
    """Lines without the indentation that a text, or a fence in it, has as a whole; and the repairs that this was.

    A fence counts when a patch starts in it at the fence's own indentation; a text when it starts with such a line.
    """
    margin = _margin(lines)
    if margin:
        message = f"the text is indented by {margin} blanks as a whole; they were taken off"
        return _without(lines, 0, len(lines), margin), [Repair(code="indented-text", message=message)]
    if not any(line[:1] == b" " and line.lstrip(b" ").startswith((b"```", b"~~~")) for line in lines):
        return lines, []
    result = lines
    repairs: list[Repair] = []
    for fence in fences(lines):
        indent = fence.mark.indent
        blanks = b" " * indent
        inside = lines[fence.start + 1 : fence.end]
        begins = any(line.startswith(blanks) and _MARKER.match(line, indent) for line in inside)
        if not indent or not begins or not lines[fence.start].startswith(blanks):
            continue
        if all(line.startswith(blanks) or is_blank(line) for line in inside):
            if result is lines:
                result = list(lines)
            stop = min(fence.end + 1, len(lines))
            result[fence.start : stop] = _shifted(lines[fence.start : stop], indent)
            message = f"line {fence.start + 1}: the fence is indented by {indent} blanks; they were taken off its lines"
            repairs.append(Repair(code="indented-text", message=message))
    return result, repairs


def _margin(lines: list[bytes]) -> int:
    """The blanks in front of every line of a text that starts with a patch; 0 when there are none."""
    first = next((line for line in lines if not is_blank(line)), b"")
    text = first.lstrip(b" ")
    margin = len(first) - len(text)
    if not margin or not _MARKER.match(text):
        return 0
    blanks = b" " * margin
    return margin if all(line.startswith(blanks) or is_blank(line) for line in lines) else 0


def _without(lines: list[bytes], start: int, stop: int, margin: int) -> list[bytes]:
    return [*lines[:start], *_shifted(lines[start:stop], margin), *lines[stop:]]


def _shifted(lines: list[bytes], margin: int) -> list[bytes]:
    blanks = b" " * margin
    return [line[margin:] if line.startswith(blanks) else line.lstrip(b" \t") for line in lines]


def rescued(text: bytes) -> tuple[bytes, Repair] | None:
    """A text that holds no patch as it is, as the one that was meant; None when nothing shows that there is one.

    :raises PatchRefused: when it holds several.
    """
    for undo in (_unwrapped, _unescaped, _margined):
        found = undo(text)
        if found is not None:
            return found
    return None


def _margined(text: bytes) -> tuple[bytes, Repair] | None:
    lines, unfinished = split_text(text)
    made, repairs = dedented(lines)
    if not repairs:
        made, repairs = _indented_diff(lines)
    if not repairs:
        return None
    plain = b"".join(made)
    return plain.removesuffix(b"\n") if unfinished else plain, repairs[0]


def _indented_diff(lines: list[bytes]) -> tuple[list[bytes], list[Repair]]:
    """Lines in which the one diff, indented as a whole below an item of a list, is not."""
    starts = [at for at in range(len(lines)) if _starts_indented(lines, at)]
    if not starts:
        return lines, []
    first = starts[0]
    margin = len(lines[first]) - len(lines[first].lstrip(b" "))
    blanks = b" " * margin
    stop = first
    while stop < len(lines) and (lines[stop].startswith(blanks) or is_blank(lines[stop])):
        stop += 1
    if starts[-1] >= stop:
        return lines, []
    message = f"line {first + 1}: the diff is indented by {margin} blanks as a whole; they were taken off"
    return _without(lines, first, stop, margin), [Repair(code="indented-text", message=message)]


def _starts_indented(lines: list[bytes], at: int) -> bool:
    line = lines[at]
    if line[:1] != b" ":
        return False
    text = line.lstrip(b" ")
    if text.startswith(b"diff --git "):
        return True
    margin = b" " * (len(line) - len(text))
    return text.startswith(b"--- ") and at + 1 < len(lines) and lines[at + 1].startswith(margin + b"+++ ")


def _unescaped(text: bytes) -> tuple[bytes, Repair] | None:
    """A text whose markers are escaped for HTML; then all of it is."""
    if _ESCAPED.search(text) is None or b"<" in text or b">" in text:
        return None
    message = "the text was escaped for HTML, its markers included"
    plain = _ENTITY.sub(lambda match: _ENTITIES[match[1]], text)
    return plain, Repair(code="html-escaped", message=message)


def _unwrapped(text: bytes) -> tuple[bytes, Repair] | None:
    """The one patch in the strings of a JSON document, such as the call of a tool."""
    stripped = text.strip()
    if b"*** Begin Patch" not in text:
        return None
    if stripped[:3] == b"```":
        stripped = stripped.partition(b"\n")[2].rpartition(b"\n")[0].strip()
    if stripped[:1] not in (b"{", b"["):
        return None
    found = _patches_in(_loaded(stripped), 0)
    if not found:
        return None
    if len(found) > 1:
        raise refuse("ambiguous-text", f"the JSON document has {len(found)} patches in it", hint="send one at a time")
    message = "the patch was taken out of the JSON of a call"
    return found[0].encode("utf-8", "surrogatepass"), Repair(code="json-wrapped", message=message)


def _loaded(text: bytes) -> Any:
    import json  # noqa: PLC0415 - only for calls

    try:
        return json.loads(text.decode("utf-8", "surrogateescape"))
    except (ValueError, RecursionError):
        return None


def _patches_in(value: Any, depth: int) -> list[str]:
    """Every string of a document that has a patch in it; strings that are JSON themselves are looked into."""
    if depth > _DEEPEST * 2:
        return []
    if isinstance(value, str):
        if "*** Begin Patch" not in value:
            return []
        if _WRAPPED.search(value):
            return [value]
        return _patches_in(_loaded(value.encode("utf-8", "surrogatepass")), depth + 1)
    if isinstance(value, dict):
        return [found for item in value.values() for found in _patches_in(item, depth + 1)]
    if isinstance(value, list):
        return [found for item in value for found in _patches_in(item, depth + 1)]
    return []


def decoded(text: bytes) -> tuple[bytes, Repair] | None:
    """A text that starts with a byte order mark, without it and in UTF-8.

    :raises PatchRefused: when the mark says UTF-16 and the text is none.
    """
    if text.startswith(b"\xef\xbb\xbf"):
        return text[3:], Repair(code="text-encoding", message="the text starts with a byte order mark")
    if not text.startswith((b"\xff\xfe", b"\xfe\xff")):
        return None
    try:
        plain = text.decode("utf-16").encode()
    except UnicodeError:
        raise refuse(
            "text-encoding", "the text has the mark of UTF-16 and is damaged", hint="save it as UTF-8"
        ) from None
    return plain, Repair(code="text-encoding", message="the text was in UTF-16")
