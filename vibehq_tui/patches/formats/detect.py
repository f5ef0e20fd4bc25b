"""Which format a text is in, by its content."""

from __future__ import annotations

import re
from typing import Final

_DIFF: Final = re.compile(rb"^(?:diff --git |--- [^\n]*\n\+\+\+ |@@ -\d)", re.MULTILINE)


def detect(text: bytes) -> str:
    """``operations``, ``git`` or ``unified``; ``unified`` also for what is none of them."""
    start = text.lstrip()[:1]
    if start == b"{" and _DIFF.search(text) is None:
        return "operations"
    if start in (b"{", b"[") and b'"op"' in text[:100_000] and text.rstrip()[-1:] in (b"}", b"]"):
        return "operations"
    return "git" if re.search(rb"^diff --git ", text, re.MULTILINE) else "unified"
