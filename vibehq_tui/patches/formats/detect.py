"""Which format a text is in, by its content: by the markers at the start of lines, whatever stands around them."""

from __future__ import annotations

import re
from typing import Final

_DIFF: Final = re.compile(rb"^(?:diff --git |--- [^\n]*\n\+\+\+ |@@ -\d)", re.MULTILINE)
_GIT: Final = re.compile(rb"^diff --git ", re.MULTILINE)
_CODEX: Final = re.compile(rb"^(?:\*\*\* Begin Patch|\*\*\* (?:Add|Update|Delete) File:)", re.MULTILINE)
_SEARCH: Final = re.compile(rb"^(?:<{5,9} ?(?:(?i:SEARCH|ORIGINAL))|-{5,9} ?SEARCH)", re.MULTILINE)
_OPERATION: Final = re.compile(
    rb"[\"']?\bop[\"']?[ \t]*:[ \t]*[\"'](?i:replace[-_ ]?(?:block|between)|insert[-_ ]?(?:before|after)|append|"
    rb"prepend|create|delete|move)[\"']"
)
_ARROWS: Final = re.compile(rb"^<{5,9} ?(?:SEARCH|ORIGINAL)", re.MULTILINE)
_MAIL: Final = re.compile(rb"^From [^\n]{4,300}:\d\d [^\n]{0,40}\d{4}", re.MULTILINE)
_MAIL_STARTS: Final = (b"From ", b"From:", b"Subject:", b"Date:")
_MADE_BY_TOOLS: Final = (b"diff --git ", b"commit ", b"Index: ")
"""Starts of texts in which nothing is written out but diffs."""
_TAGS: Final = (b"<file ", b"<write_to_file>", b"<document ", b"<boltAction ")
_HEAD: Final = 100_000
"""Bytes that are looked at for the keys of a batch."""


def detect(text: bytes) -> str:
    """One of the formats, or ``mixed``; ``unified`` also for what is none of them."""
    start = text.lstrip()[:1]
    has_codex = b"*** " in text and _CODEX.search(text) is not None
    if start in (b"{", b"[") and not has_codex:
        if b"*** Begin Patch" in text:
            return "codex"
        if start == b"{" and _DIFF.search(text) is None:
            return "operations"
        if b'"op"' in text[:_HEAD] and text.rstrip()[-1:] in (b"}", b"]"):
            return "operations"
    # A removed line may look like the first line of a block with dashes; tools that make diffs make no blocks.
    pattern = _ARROWS if text.startswith(_MADE_BY_TOOLS) else _SEARCH
    has_search = (b"<<<<<" in text or b"- SEARCH" in text) and pattern.search(text) is not None
    if not has_codex and not has_search:
        return "operations" if _is_batch(text) else _diff(text)
    if (has_codex and has_search) or _DIFF.search(text) is not None or _may_hold_files(text, 1):
        return "mixed"
    return "codex" if has_codex else "search-replace"


def _is_batch(text: bytes) -> bool:
    """Whether an operation batch stands in a fence or among prose, and is not the content of a file written out."""
    if _OPERATION.search(text, 0, _HEAD) is None or _DIFF.search(text) is not None:
        return False
    from vibehq_tui.patches.formats.whole_file import has_files  # noqa: PLC0415 - for texts that look like a batch

    return not has_files(text)


def has_marks(text: bytes) -> bool:
    """Whether a text has, at the start of a line, the mark of a format other than whole files."""
    return any(pattern.search(text) is not None for pattern in (_CODEX, _SEARCH, _DIFF))


def _diff(text: bytes) -> str:
    if text.startswith(_MAIL_STARTS):
        if b"\nFrom " in text and len(_MAIL.findall(text)) > 1:
            return "mbox"
    elif not text.startswith(_MADE_BY_TOOLS) and _may_hold_files(text, 3):
        return "mixed"
    return "git" if _GIT.search(text) is not None else "unified"


def _may_hold_files(text: bytes, least: int) -> bool:
    """Whether files may be written out in a text: at least so many marks of fences, or a tag."""
    return text.count(b"\n```") + text.count(b"\n~~~") >= least or any(
        text.startswith(tag) or b"\n" + tag in text for tag in _TAGS
    )
