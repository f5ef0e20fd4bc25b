"""Text in any format becomes a :class:`ParsedPatch`: what is wanted for each file, and what had to be repaired.

Repairs of the readers, by code. Each says that the text was not as it should be, and that its meaning was certain:

================ =====================================================================================================
code             what was repaired
================ =====================================================================================================
hunk-count       the header of a hunk counts other lines than the hunk has
hunk-header      an ``@@`` line is missing, or has line numbers that cannot be used
file-header      no ``---`` and ``+++`` name the file; the line above the fence does
patch-newline    the text has no final newline
lost-mark        context lines without their blank, or lines of a new file without their ``+``
begin-missing    there is no ``*** Begin Patch``
end-missing      there is no ``*** End Patch``, and something else shows that the patch is whole
file-twice       a file is updated in several places of one patch
path-separator   a path has ``\\`` where ``/`` is meant
name-in-text     the file of the first block is the only one that the text above it names
inner-header     ``---`` and ``+++`` stand within a patch that names its files in another way
name-in-comment  the name of a file was read from a comment in its first line, which stays
crlf-patch       the text ends its lines with CRLF, the file it holds is read with LF
indented-text    the text, or a fence in it, is indented as a whole
html-escaped     the text is escaped for HTML, its markers included
json-wrapped     the patch stands in a string of a JSON document, such as the call of a tool
text-encoding    a byte order mark, or UTF-16
mail-skipped     a mail of a mailbox has no diff and does not say that it has one
series-order     the numbers of the mails of a series are not those of their order
mixed-formats    the text has parts in several formats
================ =====================================================================================================

Refusals of the readers, by code: ``empty-patch``, ``too-large``, ``no-changes``, ``truncated``, ``bad-header``,
``bad-quoting``, ``hunk-header``, ``malformed-hunk``, ``empty-hunk``, ``no-file-header``, ``no-file-name``,
``unclear-file``, ``stray-marker``, ``unclosed-block``, ``ambiguous-block``, ``ambiguous-text``, ``elided``,
``nested-fence``, ``nested-file``, ``unknown-format``, ``malformed-file``, ``empty-file``, ``same-file-twice``,
``indented-text``, ``shell-quoting``, ``text-encoding``, ``mail-encoding``, ``combined-diff``, ``context-diff``,
``file-mode``, ``submodule``, ``binary-corrupt``, ``binary-too-large``, ``binary-without-data``, ``operation``,
``several-batches``, ``binary-base`` and ``path-…``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from storage.errors import Usage
from vibehq_tui.patches.errors import PatchRefused, refuse
from vibehq_tui.patches.formats.detect import detect, has_marks
from vibehq_tui.patches.model import ParsedPatch

MAX_TEXT: Final = 512 * 1024 * 1024
"""Bytes of a patch text."""

FORMATS: Final = ("auto", "unified", "git", "mbox", "codex", "search-replace", "udiff", "whole-file", "operations")
"""What ``--format`` takes."""

_MARKS: Final = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_RESCUES: Final = 3
"""How often a text may be unwrapped."""


def _diff(text: bytes) -> ParsedPatch:
    from vibehq_tui.patches.formats.diffs import parse_diff  # noqa: PLC0415 - only the reader in use is loaded

    return parse_diff(text)


def _udiff(text: bytes) -> ParsedPatch:
    from vibehq_tui.patches.formats.diffs import parse_diff  # noqa: PLC0415 - as above

    return parse_diff(text, numbered=False)


def _operations(text: bytes) -> ParsedPatch:
    from vibehq_tui.patches.formats.operations import parse_operations  # noqa: PLC0415 - as above

    return parse_operations(text)


def _mbox(text: bytes) -> ParsedPatch:
    from vibehq_tui.patches.formats.mbox import parse_mbox  # noqa: PLC0415 - as above

    return parse_mbox(text)


def _codex(text: bytes) -> ParsedPatch:
    from vibehq_tui.patches.formats.codex import parse_codex  # noqa: PLC0415 - as above

    return parse_codex(text)


def _search_replace(text: bytes) -> ParsedPatch:
    from vibehq_tui.patches.formats.search_replace import parse_search_replace  # noqa: PLC0415 - as above

    return parse_search_replace(text)


def _whole_file(text: bytes) -> ParsedPatch:
    from vibehq_tui.patches.formats.whole_file import parse_whole_file  # noqa: PLC0415 - as above

    return parse_whole_file(text)


def _mixed(text: bytes) -> ParsedPatch:
    from vibehq_tui.patches.formats.mixed import parse_mixed  # noqa: PLC0415 - as above

    return parse_mixed(text)


_READERS: Final[dict[str, Callable[[bytes], ParsedPatch]]] = {
    "unified": _diff,
    "git": _diff,
    "mbox": _mbox,
    "codex": _codex,
    "search-replace": _search_replace,
    "udiff": _udiff,
    "whole-file": _whole_file,
    "operations": _operations,
    "mixed": _mixed,
}


def parse(text: bytes, format: str = "auto") -> ParsedPatch:  # noqa: A002 - the word of the command line
    """Reads a patch. No file is looked at.

    :param format: one of :data:`FORMATS`; ``auto`` looks at the content.
    :raises PatchRefused: when the text is no patch, is damaged, or names what no patch may name.
    :raises Usage: for an unknown format.
    """
    if format not in FORMATS:
        raise Usage(f"unknown patch format {format!r}", hint=f"one of: {', '.join(FORMATS)}")
    if len(text) > MAX_TEXT:
        raise refuse("too-large", f"the patch has {len(text)} bytes; at most {MAX_TEXT} are taken")
    return _parse(text, format, _RESCUES)


def _parse(text: bytes, name: str, rescues: int) -> ParsedPatch:
    if not text.strip():
        raise refuse("empty-patch", "the patch is empty", hint="there is nothing to apply")
    if text.startswith(_MARKS) and name != "operations":
        from vibehq_tui.patches.formats.rescue import decoded  # noqa: PLC0415 - for texts with a byte order mark

        made = decoded(text)
        if made is not None:
            parsed = _parse(made[0], name, rescues)
            return replace(parsed, repairs=(made[1], *parsed.repairs))
    found = detect(text) if name == "auto" else name
    try:
        return _READERS[found](text)
    except PatchRefused as refusal:
        if refusal.problems[0].code != "no-changes" or not rescues:
            raise
        parsed_again = _second_look(text, name, found, rescues)
        if parsed_again is None:
            raise
        return parsed_again


def _second_look(text: bytes, name: str, found: str, rescues: int) -> ParsedPatch | None:
    """What a text holds in which no patch was found: one that is wrapped in something, or files written out whole."""
    from vibehq_tui.patches.formats.rescue import rescued  # noqa: PLC0415 - only where nothing was found

    made = rescued(text)
    if made is not None:
        parsed = _parse(made[0], name, rescues - 1)
        return replace(parsed, repairs=(made[1], *parsed.repairs))
    if name != "auto" or found not in ("unified", "mixed") or has_marks(text):
        return None
    from vibehq_tui.patches.formats.whole_file import has_files, parse_whole_file  # noqa: PLC0415 - as above

    return parse_whole_file(text) if has_files(text) else None
