"""Several formats in one text: each part is read by the reader of its format, and together they are one patch.

Parts are told apart by their markers. A marker within a part of another format belongs to that part. The format that is
answered is the one of the first part.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from vibehq_tui.patches.errors import refuse
from vibehq_tui.patches.formats.blocks import HEAD, find_block
from vibehq_tui.patches.formats.diffs import parse_diff
from vibehq_tui.patches.formats.labels import info_name
from vibehq_tui.patches.formats.lines import fences, split_text
from vibehq_tui.patches.formats.rescue import dedented
from vibehq_tui.patches.formats.whole_file import FoundFile, find_files, to_changes
from vibehq_tui.patches.model import Change, ParsedPatch, Repair

_BEGIN: Final = re.compile(rb"\*\*\* (?:Begin Patch|(?:Add|Update|Delete) File:)")
_END: Final = b"*** End Patch"
_DIFF_WORDS: Final = ("diff", "patch", "udiff")


@dataclass(frozen=True, slots=True)
class _Part:
    """Lines that belong to one format."""

    kind: str
    start: int
    stop: int


def _parts(lines: list[bytes]) -> list[_Part]:
    """The parts that are not diffs, in order, and the starts of diffs between them."""
    parts: list[_Part] = []
    at = 0
    while at < len(lines):
        line = lines[at]
        stop = at + 1
        if line.startswith(b"*** ") and _BEGIN.match(line):
            while stop < len(lines) and not lines[stop].startswith(_END):
                stop += 1
            stop = min(stop + 1, len(lines))
            parts.append(_Part("codex", at, stop))
        elif line[:5] in (b"<<<<<", b"-----") and HEAD.match(line.rstrip()) is not None:
            stop = find_block(lines, at).tail + 1
            parts.append(_Part("search-replace", at, stop))
        elif _starts_diff(lines, at):
            parts.append(_Part("diff", at, stop))
        at = stop
    return parts


def _starts_diff(lines: list[bytes], at: int) -> bool:
    line = lines[at]
    if line.startswith(b"diff --git "):
        return True
    return line.startswith(b"--- ") and at + 1 < len(lines) and lines[at + 1].startswith(b"+++ ")


def parse_mixed(text: bytes) -> ParsedPatch:
    """Reads every part of ``text``, in whatever formats.

    :raises PatchRefused: when a part cannot be read with certainty, or two of them are about the same file.
    """
    lines, unfinished = split_text(text)
    lines, repairs = dedented(lines)
    parts = _parts(lines)
    kinds = list(dict.fromkeys(part.kind for part in parts))
    named = _named_files(lines, parts)
    if named:
        kinds.append("whole-file")
    ends = b"".join(lines)
    if len(kinds) < 2:
        parsed = _one(kinds[0] if kinds else "diff", ends, unfinished=unfinished)
        return replace(parsed, repairs=(*repairs, *parsed.repairs))
    first: dict[str, int] = {part.kind: part.start for part in reversed(parts)}
    if named:
        first["whole-file"] = named[0].start
    kinds.sort(key=first.__getitem__)
    results: list[ParsedPatch] = []
    for kind in kinds:
        if kind == "whole-file":
            found: list[Repair] = []
            changes = to_changes(lines, named, found)
            results.append(ParsedPatch(format=kind, changes=changes, repairs=tuple(found)))
            continue
        hidden = [(part.start, part.stop) for part in parts if part.kind not in (kind, "diff")]
        hidden += [(file.start - 1, file.end) for file in named]
        results.append(_one(kind, _blanked(ends, lines, hidden), unfinished=unfinished))
    return _together(results, repairs)


def _one(kind: str, text: bytes, *, unfinished: bool = False) -> ParsedPatch:
    if unfinished:
        text = text.removesuffix(b"\n")
    return _READERS[kind](text)


def _codex(text: bytes) -> ParsedPatch:
    from vibehq_tui.patches.formats.codex import parse_codex  # noqa: PLC0415 - only the readers in use are loaded

    return parse_codex(text)


def _search_replace(text: bytes) -> ParsedPatch:
    from vibehq_tui.patches.formats.search_replace import parse_search_replace  # noqa: PLC0415 - as above

    return parse_search_replace(text)


_READERS: Final[dict[str, Callable[[bytes], ParsedPatch]]] = {
    "codex": _codex,
    "search-replace": _search_replace,
    "diff": parse_diff,
}


def _blanked(text: bytes, lines: list[bytes], hidden: list[tuple[int, int]]) -> bytes:
    """The text with other parts as blank lines, so that line numbers stay what they are."""
    if not hidden:
        return text
    kept = list(lines)
    for start, stop in hidden:
        kept[start:stop] = [b"\n"] * (stop - start)
    return b"".join(kept)


def _named_files(lines: list[bytes], parts: list[_Part]) -> list[FoundFile]:
    """Files in fences that carry their name, or between tags, outside of all other parts.

    A name *above* a fence does not count here: beside other formats it may as well introduce an example.

    :raises PatchRefused: when such a fence, with nothing of another format in it, leaves that open.
    """
    if not parts:
        return []
    plain = list(lines)
    for part in parts:
        if part.kind != "diff":
            plain[part.start : part.stop] = [b"\n"] * (part.stop - part.start)
    starts = [part.start for part in parts]
    _check_diffs(plain, starts)
    found = find_files(plain, starts)[0]
    result: list[FoundFile] = []
    for file in found:
        opener = lines[file.start - 1].strip().lstrip(b"`~")
        carried = lines[file.named_at].lstrip()[:1] == b"<" or info_name(opener.decode("utf-8", "surrogateescape"))
        if carried:
            result.append(file)
        else:
            raise refuse(
                "unclear-file",
                f"line {file.start}: this block may be the file {file.name!r}, or an example",
                path=file.name,
                hint="put the name behind the fence (```python path/to/file.py), or send the file as a diff",
            )
    return result


def _check_diffs(lines: list[bytes], starts: list[int]) -> None:
    """:raises PatchRefused: when a fence says that it is a diff, changes lines, and names no file."""
    for fence in fences(lines):
        words = fence.mark.info.split()
        if words[:1] and words[0] in _DIFF_WORDS and bisect_left(starts, fence.end) == bisect_left(starts, fence.start):
            inside = lines[fence.start + 1 : fence.end]
            if not any(line.startswith(b"@@") for line in inside) and any(line[:1] in b"+-" for line in inside):
                raise refuse(
                    "no-file-header",
                    f"line {fence.start + 1} of the patch opens a diff that names no file",
                    hint="put '--- a/PATH' and '+++ b/PATH' above its first hunk",
                )


def _together(results: list[ParsedPatch], repairs: list[Repair]) -> ParsedPatch:
    changes: list[Change] = []
    number = 0
    seen: dict[str, str] = {}
    for result in results:
        for change in result.changes:
            for path in {change.path, change.from_ or change.path}:
                if seen.setdefault(path, result.format) != result.format:
                    raise refuse(
                        "same-file-twice",
                        f"the file is changed by a {seen[path]} part and by a {result.format} part",
                        path=path,
                        hint="send all changes of a file in one format",
                    )
        repairs += [item if item.hunk is None else replace(item, hunk=item.hunk + number) for item in result.repairs]
        number += sum(max(len(change.hunks), 1) for change in result.changes)
        changes += result.changes
    names = ", ".join(result.format for result in results)
    repairs.append(Repair(code="mixed-formats", message=f"the text has parts in several formats: {names}"))
    return ParsedPatch(
        format=results[0].format,
        changes=tuple(changes),
        repairs=tuple(repairs),
        unfinished=any(result.unfinished for result in results),
    )
