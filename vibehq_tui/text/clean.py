"""The one place where text of unknown origin becomes something that may be shown.

Titles, paths, diffs and logs come from agents, files and the network. They are kept raw as data and pass through here
on their way to a screen, a command line answer, an export or a webhook. What could steer a terminal or deceive a
reader becomes visible instead of disappearing: an operator should see that something was there.

The result is plain text, never markup: give it to widgets as content.
"""

from __future__ import annotations

import re

LIMIT = 500
"""Characters of a line that are shown unless a caller asks for more."""

LINES_LIMIT = 100_000
"""Characters of a text of many lines that are shown unless a caller asks for more."""

_MARKS = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f"
_MOST_MARKS = 4

_HIDDEN = (
    "\x7f-\x9f"  # DEL and C1, of which U+009B alone starts a control sequence
    "\u00ad\u034f\u061c"  # soft hyphen, grapheme joiner, Arabic letter mark
    "\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0"  # fillers and vowels that draw nothing
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f"  # zero width, line separators, bidirectional controls and isolates
    "\ufeff\ufff0-\ufffb\ufffe\uffff"  # byte order mark, annotations, non-characters
    "\ud800-\udfff"  # lone surrogates: undecodable bytes of file names
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"  # tags and variation selectors, in which whole texts can be hidden
)
_ONE_LINE = re.compile(f"[\x00-\x1f{_HIDDEN}]|(?<=[{_MARKS}]{{{_MOST_MARKS}}})[{_MARKS}]+")
_MANY_LINES = re.compile(f"\r\n|[\x00-\x08\x0b-\x1f{_HIDDEN}]|(?<=[{_MARKS}]{{{_MOST_MARKS}}})[{_MARKS}]+")


def _visible(match: re.Match[str]) -> str:
    """What is shown in place of a character that must not reach a terminal."""
    found = match[0]
    if found == "\r\n":
        return "\n"
    if found == "\n":
        return "␤"
    code = ord(found[0])
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    if 0xDC80 <= code <= 0xDCFF:
        return f"‹\\x{code - 0xDC00:02x}›"
    if len(found) > 1 or re.match(f"[{_MARKS}]", found):
        return f"‹+{len(found)}›"
    return f"‹U+{code:04X}›"


def _cap(text: str, limit: int, cut: bool) -> str:
    """Ends ``text`` with … where it is longer than ``limit``, or was ``cut`` before."""
    if not cut and len(text) <= limit:
        return text
    return text[: max(limit - 1, 0)] + "…"


def clean(text: str, limit: int = LIMIT) -> str:
    """One line that is safe to show.

    Controls become their pictures (ESC ``␛``, newline ``␤``, tab ``␉``), everything else that is invisible or turns the
    reading direction becomes ``‹U+202E›``, an undecodable byte ``‹\\xff›``, and more than four combining marks on one
    character are counted (``‹+996›``) instead of drawn. Encodes to UTF-8 always.

    :param limit: the most characters of the result; a longer one ends with ``…``.
    """
    if len(text) <= limit and text.isascii() and text.isprintable():
        return text
    head = text[: limit + 1]
    return _cap(_ONE_LINE.sub(_visible, head), limit, len(text) > limit)


def clean_lines(text: str, limit: int = LINES_LIMIT) -> str:
    """Lines that are safe to show: as :func:`clean`, but newlines and tabs stay, and CR LF becomes a newline.

    :param limit: the most characters of the whole result; a longer one ends with ``…``.
    """
    head = text[: limit + 1]
    return _cap(_MANY_LINES.sub(_visible, head), limit, len(text) > limit)
