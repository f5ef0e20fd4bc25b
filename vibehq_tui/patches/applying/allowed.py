"""Patterns of paths that a task allows, read narrowly, since what they fit is let through.

``*`` and ``?`` stay between two slashes, ``**`` does not, ``[a-c]`` is one of several characters. A pattern starts at
the root; only one like ``*.md``, without a slash and no plain name, is meant for every folder. What fits a folder fits
all that is below it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

_PART: Final = re.compile(r"\*\*/|/\*\*$|\*+|\?|\[!?\]?[^\]/]*\]|[^*?\[/]+|/|\[")


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    plain = pattern.strip().removeprefix("./")
    anchored = "/" in plain or not any(char in plain for char in "*?[")
    plain = re.sub(r"(?:\*\*/)+", "**/", plain.strip("/"))
    parts = [] if anchored else ["(?:[^/]++/)*"]
    parts += (_translated(match[0]) for match in _PART.finditer(plain))
    return re.compile("".join(parts) + "(?:/.*)?", re.DOTALL)


def _translated(part: str) -> str:
    if part == "**/":
        return "(?:[^/]++/)*"
    if part == "/**":
        return "/.*"
    if part.startswith("*"):
        return "[^/]*"
    if part == "?":
        return "[^/]"
    if part.startswith("[") and len(part) > 2:
        inner = part[1:-1].replace("\\", "\\\\").replace("[", "\\[")
        inner = "^/" + inner[1:] if inner.startswith("!") else inner.replace("^", "\\^")
        try:
            re.compile(f"[{inner}]")
        except re.error:  # a range that ends before it begins: the text itself is meant
            return re.escape(part)
        return f"[{inner}]"
    return re.escape(part)


def allows(path: str, pattern: str) -> bool:
    """Whether a path, relative to the root, is one that the pattern means."""
    return bool(pattern.strip().strip("/.")) and _compiled(pattern).fullmatch(path) is not None
