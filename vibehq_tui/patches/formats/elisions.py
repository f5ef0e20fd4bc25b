"""Code that was left out: ``...``, ``# ... rest unchanged``, ``// ... existing code ...``.

A line with nothing but dots may also be Python. Where a text shows it on both sides of a change, both readings come to
the same; where it does not, only what is certain is read.
"""

from __future__ import annotations

import re
from typing import Final

_LEADERS: Final = (b"<!--", b"{/*", b"/*", b"//", b"--", b"#", b";", b"%", b"*", b'"""')
_ENDERS: Final = (b"-->", b"*/}", b"*/", b'"""')
_DOTS: Final = (b"...", b"\xe2\x80\xa6")
_LONGEST: Final = 200
_WORDS: Final = frozenset(
    b"rest existing unchanged remaining remainder same other others previous omitted remains unmodified snip truncated"
    b" above below before here elided original code implementation stays".split()
)
_PLAIN: Final = re.compile(
    rb"(?:the )?(?:rest|remainder|remaining (?:code|lines|methods|functions|file))(?: of (?:the )?[\w ]{1,60})?"
    rb"(?: (?:is|are|remains?|stays?))?(?: (?:unchanged|the same|as before|as is|omitted|here))?"
    rb"|(?:existing|unchanged|previous|other|same) (?:code|lines|methods|functions|imports|content)"
    rb"(?: (?:here|above|below|unchanged|remains?|stays?|continues))*"
    rb"|(?:code )?(?:unchanged|omitted|elided)|same as before|no changes?(?: here| above| below)?|snip"
)


def is_dots(line: bytes) -> bool:
    """Whether a line is nothing but dots: left-out code, or Python's Ellipsis."""
    return line.strip() in _DOTS


def is_elision(line: bytes) -> bool:
    """Whether a line stands for code that was left out, dots alone included."""
    return is_dots(line) or is_comment_elision(line)


def is_comment_elision(line: bytes) -> bool:
    """Whether a line says, in a comment or between dots, that code was left out."""
    if len(line) > _LONGEST:
        return False
    text = line.strip()
    comment = False
    for leader in _LEADERS:
        if text.startswith(leader):
            text, comment = text.removeprefix(leader).strip(), True
            break
    for ender in _ENDERS:
        text = text.removesuffix(ender).rstrip()
    opened, closed = text.startswith(_DOTS), text.endswith(_DOTS)
    for dots in _DOTS:
        text = text.removeprefix(dots).removesuffix(dots).strip()
    text = text.strip(b"()[]<>. ").lower()
    if not comment and not (opened and closed and text):
        return False
    if not text:
        return opened or closed
    if opened:
        return not _WORDS.isdisjoint(re.findall(rb"[a-z]+", text))
    return _PLAIN.fullmatch(text) is not None or (closed and text.startswith((b"rest of ", b"existing code")))
