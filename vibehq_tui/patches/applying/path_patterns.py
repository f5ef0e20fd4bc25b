"""Patterns of paths, as the configuration has them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache


def matches(path: str, patterns: Iterable[str]) -> bool:
    """Whether a path fits one of ``patterns``."""
    return which(path, patterns) is not None


def which(path: str, patterns: Iterable[str]) -> str | None:
    """The first pattern that a path fits.

    ``*`` and ``?`` stand for any characters, ``/`` too; ``**/`` also for no folder at all; ``[…]`` for one of a few
    characters. A pattern without ``/`` fits the name alone, in every folder; one that ends in ``/`` all below it.
    """
    name = path.rpartition("/")[2]
    for pattern in patterns:
        if _compiled(pattern).fullmatch(path) or ("/" not in pattern and _compiled(pattern).fullmatch(name)):
            return pattern
    return None


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    text = pattern.removeprefix("./")
    if text.endswith("/"):
        text += "*"
    parts: list[str] = []
    at = 0
    while at < len(text):
        char = text[at]
        if text.startswith("**/", at) and (at == 0 or text[at - 1] == "/"):
            parts.append("(?:.*/)?")
            at += 3
            continue
        end = text.find("]", at + 2) if char == "[" else -1
        if end > 0:
            inner = text[at + 1 : end].replace("\\", "\\\\").replace("[", "\\[")
            parts.append(f"[^{inner[1:]}]" if inner.startswith("!") else f"[{inner}]")
            at = end + 1
            continue
        parts.append(".*" if char == "*" else "." if char == "?" else re.escape(char))
        at += 1
    try:
        return re.compile("".join(parts), re.DOTALL)
    except re.error:  # a range that ends before it begins: the text itself is meant
        return re.compile(re.escape(pattern))
