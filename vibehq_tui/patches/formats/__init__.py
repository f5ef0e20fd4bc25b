"""Text in any format becomes a :class:`ParsedPatch`: what is wanted for each file, and what had to be repaired."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from storage.errors import Usage
from vibehq_tui.patches.errors import refuse
from vibehq_tui.patches.formats.detect import detect
from vibehq_tui.patches.model import ParsedPatch

MAX_TEXT: Final = 512 * 1024 * 1024
"""Bytes of a patch text."""

FORMATS: Final = ("auto", "unified", "git", "operations")
"""What ``--format`` takes."""


def _diff(text: bytes) -> ParsedPatch:
    from vibehq_tui.patches.formats.diffs import parse_diff  # noqa: PLC0415 - only the reader in use is loaded

    return parse_diff(text)


def _operations(text: bytes) -> ParsedPatch:
    from vibehq_tui.patches.formats.operations import parse_operations  # noqa: PLC0415 - as above

    return parse_operations(text)


_READERS: Final[dict[str, Callable[[bytes], ParsedPatch]]] = {
    "unified": _diff,
    "git": _diff,
    "operations": _operations,
}


def parse(text: bytes, format: str = "auto") -> ParsedPatch:  # noqa: A002 - the word of the command line
    """Reads a patch. No file is looked at.

    :param format: one of :data:`FORMATS`; ``auto`` looks at the content.
    :raises PatchRefused: when the text is no patch, is damaged, or names what no patch may name.
    :raises Usage: for an unknown format.
    """
    if format not in FORMATS:
        raise Usage(f"unknown patch format {format!r}", hint=f"one of: {', '.join(FORMATS)}")
    if not text.strip():
        raise refuse("empty-patch", "the patch is empty", hint="there is nothing to apply")
    if len(text) > MAX_TEXT:
        raise refuse("too-large", f"the patch has {len(text)} bytes; at most {MAX_TEXT} are taken")
    return _READERS[detect(text) if format == "auto" else format](text)
