"""Finds the comments of a source file, so that a word in a string is not taken for one in a comment.

It is no parser: it knows comments, strings and the few things that look like them (see ``languages.py``). Where a
string is left open at the end of its line, reading goes on in the next line; where one of many lines is never closed,
its quote is taken for an ordinary character. So a mistake stays small.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from vibehq_tui.patches.markers.languages import Language, Quote


@dataclass(frozen=True, slots=True)
class Comment:
    """Bytes ``start`` to ``end`` of a file: the text of a comment, without what opens and closes it."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Scanner:
    token: re.Pattern[bytes]
    line: frozenset[bytes]
    blocks: dict[bytes, bytes]
    quotes: dict[bytes, tuple[re.Pattern[bytes], Quote]]


def _body(quote: Quote) -> re.Pattern[bytes]:
    """Everything up to the closing quote, or to the end of the line where the string ends with it."""
    first, closer = re.escape(quote.closer[:1]), re.escape(quote.closer)
    escape = re.escape(quote.escape)
    line = b"" if quote.many_lines else rb"\n"
    parts = [rb"[^" + escape + line + first + rb"]", rb"(?!" + closer + rb")" + first]
    if escape:
        parts.append(escape + rb"[\s\S]")
    return re.compile(rb"(?:" + b"|".join(parts) + rb")*+")


def _word(opener: bytes) -> bytes:
    return re.escape(opener) + (rb"\b" if opener[-1:].isalnum() else b"")


@cache
def _scanner(language: Language) -> _Scanner:
    """The tokens of a language in one expression: what looks like one, comments in need of a place, then all others."""
    blocks = dict(language.block)
    quotes = {quote.opener: (_body(quote), quote) for quote in reversed(language.strings)}
    parts = [rb"(?P<atom>" + b"|".join(language.atoms) + b")"] if language.atoms else []
    if language.words:
        words = b"|".join(map(_word, sorted(language.words, key=len, reverse=True)))
        parts.append(rb"(?P<word>(?m:^)[ \t]*(?i:" + words + b"))")
    openers = [*blocks, *quotes, *(() if language.spaced else language.line)]
    if openers:
        parts.append(rb"(?P<open>" + b"|".join(map(re.escape, sorted(set(openers), key=len, reverse=True))) + b")")
    if language.spaced and language.line:
        line = b"|".join(map(re.escape, sorted(language.line, key=len, reverse=True)))
        parts.append(rb"(?P<line>(?<![^\s;(){}&|>])(?:" + line + b"))")
    # Without a rule nothing is ever found.
    return _Scanner(re.compile(b"|".join(parts) or rb"(?!)"), frozenset(language.line), blocks, quotes)


def comments(data: bytes, language: Language) -> Iterator[Comment]:
    """Every comment of a file, top down. The time it takes grows with the size of the file alone."""
    scanner = _scanner(language)
    at = 0
    unclosed: set[bytes] = set()
    while (match := scanner.token.search(data, at)) is not None:
        at = match.end()
        if match.lastgroup == "atom":
            continue
        opener = match[0]
        if match.lastgroup == "open" and opener in scanner.blocks:
            end, at = _block_end(data, opener, scanner.blocks[opener], at, nested=language.nested)
            yield Comment(match.end(), end)
        elif match.lastgroup == "open" and opener in scanner.quotes:
            if opener not in unclosed:
                at = _string_end(data, scanner.quotes[opener], at, unclosed)
        else:
            end = data.find(b"\n", at)
            end = len(data) if end < 0 else end
            yield Comment(at, end)
            at = end


def _block_end(data: bytes, opener: bytes, closer: bytes, at: int, *, nested: bool) -> tuple[int, int]:
    """Where the text of a block comment ends, and where reading goes on."""
    if not nested:
        end = data.find(closer, at)
        return (len(data), len(data)) if end < 0 else (end, end + len(closer))
    depth = 1
    inner, end = data.find(opener, at), data.find(closer, at)
    while end >= 0:
        if 0 <= inner < end:
            depth += 1
            inner = data.find(opener, inner + len(opener))
            continue
        depth -= 1
        if depth == 0:
            return end, end + len(closer)
        at = end + len(closer)
        if 0 <= inner < at:
            inner = data.find(opener, at)
        end = data.find(closer, at)
    return len(data), len(data)


def _string_end(data: bytes, known: tuple[re.Pattern[bytes], Quote], at: int, unclosed: set[bytes]) -> int:
    """Where reading goes on after a string."""
    body, quote = known
    match = body.match(data, at)
    end = at if match is None else match.end()
    if data.startswith(quote.closer, end):
        return end + len(quote.closer)
    if quote.many_lines:
        unclosed.add(quote.opener)  # None is closed from here on; looking again at each would take forever.
        return at
    return end
