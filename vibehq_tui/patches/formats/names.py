"""File names in the headers of diffs: C-style quoting, time stamps behind them, prefixes before them."""

from __future__ import annotations

import re
from typing import Final

from vibehq_tui.patches.errors import refuse
from vibehq_tui.patches.model import decode_path, encode_path

DEV_NULL: Final = "/dev/null"

_ESCAPES: Final = {
    b"a": b"\a",
    b"b": b"\b",
    b"t": b"\t",
    b"n": b"\n",
    b"v": b"\v",
    b"f": b"\f",
    b"r": b"\r",
    b'"': b'"',
    b"\\": b"\\",
}
_ESCAPE = re.compile(rb"\\([0-3][0-7]{2}|.)", re.DOTALL)
_QUOTED = re.compile(rb'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_EPOCH = re.compile(rb"\t(?:1970-01-01 00:00:00|1969-12-31 \d\d:\d\d:\d\d)")


def _unescape(match: re.Match[bytes]) -> bytes:
    found = match[1]
    if len(found) == 3:
        return bytes([int(found, 8)])
    if found not in _ESCAPES:
        raise refuse("bad-quoting", f"unknown escape \\{decode_path(found)} in a quoted file name")
    return _ESCAPES[found]


def unquote(raw: bytes) -> tuple[str, bytes]:
    """The name at the start of ``raw``, which is C-quoted, and what follows it.

    :raises PatchRefused: when the quotes are not closed.
    """
    match = _QUOTED.match(raw)
    if match is None:
        raise refuse("bad-quoting", f"a quoted file name does not end: {decode_path(raw[:80])!r}")
    return decode_path(_ESCAPE.sub(_unescape, match[1])), raw[match.end() :]


def quote(path: str, prefix: str = "") -> bytes:
    """A name as git writes it: quoted only when it has to be."""
    raw = encode_path(prefix + path)
    if all(0x20 <= byte < 0x7F and byte not in b'"\\' for byte in raw):
        return raw
    backwards = {value[0]: key for key, value in _ESCAPES.items()}
    output = bytearray(b'"')
    for byte in raw:
        if byte in backwards:
            output += b"\\" + backwards[byte]
        elif 0x20 <= byte < 0x7F:
            output.append(byte)
        else:
            output += b"\\%03o" % byte
    return bytes(output + b'"')


def header_name(rest: bytes) -> str:
    """The name of a ``---`` or ``+++`` line, from what follows the mark: unquoted, without its time stamp."""
    rest = rest.rstrip(b"\r\n")
    if rest.startswith(b'"'):
        return unquote(rest)[0]
    name, tab, _ = rest.partition(b"\t")
    # Git ends a name that has blanks in it with a tab, so blanks at the end of a line without one are not of the name.
    return decode_path(name if tab else name.rstrip(b" "))


def plain_name(rest: bytes) -> str:
    """The name of a ``rename from`` line and its like, where only the line end ends it."""
    rest = rest.rstrip(b"\r\n")
    return unquote(rest)[0] if rest.startswith(b'"') else decode_path(rest)


def is_epoch(rest: bytes) -> bool:
    """Whether the time stamp of a ``---`` or ``+++`` line stands for a file that does not exist (``diff -N``)."""
    return _EPOCH.search(rest) is not None


def strip(name: str, level: int) -> str | None:
    """``name`` without its first ``level`` components; None when nothing would be left."""
    parts = name.split("/")
    return "/".join(parts[level:]) if len(parts) > level else None


def split_pair(rest: bytes) -> tuple[str, str] | None:
    """The two names of a ``diff --git`` line; None when it cannot be told where the first ends.

    Unquoted names may hold spaces. They can be told apart when both name the same file.
    """
    rest = rest.rstrip(b"\r\n")
    if rest.startswith(b'"'):
        first, behind = unquote(rest)
        behind = behind.lstrip(b" ")
        second = unquote(behind)[0] if behind.startswith(b'"') else decode_path(behind)
        return first, second
    if rest.endswith(b'"') and b' "' in rest:
        at = rest.index(b' "')
        return decode_path(rest[:at]), unquote(rest[at + 1 :])[0]
    text = decode_path(rest)
    if text.count(" ") == 1:
        first, second = text.split(" ")
        return first, second
    for at, char in enumerate(text):
        if char == " ":
            first, second = text[:at], text[at + 1 :]
            if first == second or common_level(first, second) is not None:
                return first, second
    return None


def common_level(old: str, new: str) -> int | None:
    """The fewest leading components without which both names are the same; None when there is no such number."""
    if old == new:
        return 0
    old_parts, new_parts = old.split("/"), new.split("/")
    if len(old_parts) != len(new_parts):
        return None
    level = len(old_parts)
    while level and old_parts[level - 1] == new_parts[level - 1]:
        level -= 1
    return level if level < len(old_parts) else None


def lone_level(name: str) -> int:
    """How much to strip from a name whose other side is ``/dev/null``, when nothing else tells."""
    return 1 if name.startswith(("a/", "b/")) and len(name) > 2 else 0
