"""Hunks of diffs whose ``@@`` lines have no numbers that can be used, or that have no ``@@`` line at all.

Nothing counts the lines of such a hunk, so where it ends must show: the end of its fence, of the text, the next hunk or
file. Whether its place is certain is found out against the file.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from vibehq_tui.patches.errors import refuse
from vibehq_tui.patches.formats.bodies import anchor_of, finish_body, is_damaged_header, named_change, pieces
from vibehq_tui.patches.formats.elisions import is_comment_elision, is_elision
from vibehq_tui.patches.formats.hunks import HunkReader
from vibehq_tui.patches.formats.labels import checked_name, info_name, is_path_like, read_label
from vibehq_tui.patches.formats.lines import BLANK, fence_mark, is_blank, text_of
from vibehq_tui.patches.formats.names import DEV_NULL, common_level, header_name
from vibehq_tui.patches.model import Change, Hunk, Repair

_TOO_LONG: Final = re.compile(rb"\d{11}")
_LIST_ITEM: Final = (b"- ", b"+ ", b"* ")


def read_bare(reader: HunkReader, at: int) -> tuple[list[Hunk], int]:
    """The hunks whose ``@@`` line, without usable numbers, is on line ``at``; and the index of the line behind them.

    :raises PatchRefused: when the body cannot be read with certainty.
    """
    header = reader.lines[at]
    if header.startswith(b"@@ -") and _TOO_LONG.search(header.partition(b" @@")[0]):
        raise refuse(
            "hunk-header", "the line numbers of the hunk are beyond any file", path=reader.path, hunk=reader.number + 1
        )
    if is_damaged_header(header):
        message = f"line {at + 1}: the line numbers of {text_of(header)} cannot be used; the place was looked for"
        reader.repairs.append(Repair(code="hunk-header", path=reader.path, hunk=reader.number + 1, message=message))
    anchors: list[bytes] = []
    first = at
    while at < len(reader.lines) and reader.lines[at].startswith(b"@@") and (at == first or not _numbered(reader, at)):
        if anchor := anchor_of(reader.lines[at]):
            anchors.append(anchor)
        at += 1
    return _read_body(reader, at, tuple(anchors), header)


def _numbered(reader: HunkReader, at: int) -> bool:
    return reader.header(at) is not None


def read_headless(reader: HunkReader, at: int, path: str) -> tuple[tuple[Hunk, ...], int]:
    """The hunks of a file whose first one, on line ``at``, has no ``@@`` line."""
    reader.path = path
    message = f"line {at + 1}: there is no '@@' above the first line of the hunk"
    reader.repairs.append(Repair(code="hunk-header", path=path, hunk=reader.number + 1, message=message))
    hunks, end = _read_body(reader, at, (), reader.lines[at])
    more, end = reader.read(end, path)
    return (*hunks, *more), end


def read_named(reader: HunkReader, at: int, behind: int) -> tuple[Change | None, int]:
    """The change of hunks without ``---`` and ``+++`` whose file is named on the line above them or their fence.

    :param at: the line of the first ``@@``.
    :param behind: the line behind the change before.
    :returns: None when there is no such name.
    """
    if not reader.fenced:
        return None, at
    above = at - 1
    name: str | None = None
    while above >= behind and name is None:
        line = reader.lines[above]
        mark = fence_mark(line)
        if mark is not None:
            name = info_name(mark.info)
        elif not is_blank(line):
            label = read_label(line)
            if label is None or label.comment:
                return None, at
            name = label.name
        above -= 1
    if name is None:
        return None, at
    path = checked_name(name, above + 1, reader.repairs)
    hunks, end = reader.read(at, path)
    message = f"line {at + 1}: no '---' and '+++' name the file; line {above + 2} does"
    reader.repairs.append(Repair(code="file-header", path=path, message=message))
    ordered = any(hunk.numbered for hunk in hunks)
    return named_change(path, hunks, ordered=ordered), end


def starts_headless(reader: HunkReader, at: int) -> int | None:
    """Where the first hunk below the names of a file starts, when blank lines stand above it or it has no header.

    :param at: the line with the first of the two names.
    """
    lines = reader.lines
    if not is_named_pair(lines, at):
        return None
    at += 2
    while at < len(lines) and lines[at] in BLANK:
        at += 1
    if at >= len(lines):
        return None
    if lines[at].startswith(b"@@"):
        return at
    if lines[at][:1] not in (b" ", b"+", b"-") or is_named_pair(lines, at):
        return None
    for index in range(at, len(lines)):
        if lines[index][:1] in (b"+", b"-") and not reader.is_boundary(index):
            return at
        if lines[index][:1] != b" ":
            return None
    return None


def is_named_pair(lines: list[bytes], at: int) -> bool:
    """Whether ``---`` and ``+++`` on lines ``at`` and the next name a file, rather than change a line."""
    if at + 1 >= len(lines) or not lines[at].startswith(b"--- ") or not lines[at + 1].startswith(b"+++ "):
        return False
    old, new = _plain(lines[at][4:]), _plain(lines[at + 1][4:])
    if old is None or new is None:
        return False
    if old == DEV_NULL or new == DEV_NULL:
        return True
    return is_path_like(old) and is_path_like(new) and common_level(old, new) is not None


def _plain(rest: bytes) -> str | None:
    return None if rest.startswith(b'"') else header_name(rest)


def _read_body(reader: HunkReader, at: int, anchors: tuple[bytes, ...], header: bytes) -> tuple[list[Hunk], int]:
    lines, number = reader.lines, reader.number + 1
    stop = _stop(reader, at)
    if any(item.startswith(b"\\ ") or not is_blank(item) for item in lines[at:stop]) is False:
        code = "truncated" if stop >= len(lines) else "empty-hunk"
        raise refuse(code, f"line {at}: the hunk has no lines", path=reader.path, hunk=number)
    body = finish_body(lines, at, stop, reader.path, number, reader.repairs)
    if all(tag == " " for tag, _ in body.lines):
        raise refuse("truncated", "the hunk ends before it changes anything", path=reader.path, hunk=number)
    for tag, line in body.lines:
        if tag != " " and is_comment_elision(line):
            raise refuse(
                "elided",
                f"{text_of(line)} stands for code that was left out",
                path=reader.path,
                hunk=number,
                hint="write out every line that the hunk adds or removes",
            )
    made = pieces(replace(body, crlf=header.endswith(b"\r\n")), anchors, reader.path, number)
    reader.number += len(made)
    return made, stop


def _stop(reader: HunkReader, at: int) -> int:
    """The index behind the last line that belongs to the hunk.

    :raises PatchRefused: when a line that follows may belong to it, or lines at its end may not.
    """
    lines = reader.lines
    start = at
    unmarked: int | None = None
    while at < len(lines) and not reader.is_boundary(at) and not is_named_pair(lines, at):
        line = lines[at]
        if line not in BLANK and line[:1] not in (b" ", b"+", b"-", b"\\") and not is_elision(line):
            if not reader.fenced and at > start and lines[at - 1] in BLANK and not reader.goes_on(at):
                break
            unmarked = at if unmarked is None else unmarked
        at += 1
    if unmarked is not None and not reader.fenced and not _all_marked_or_lost(lines[start:at]):
        raise refuse(
            "malformed-hunk",
            f"line {unmarked + 1} of the patch starts with neither ' ', '+' nor '-', so it is not certain where "
            "the hunk ends",
            path=reader.path,
            hunk=reader.number + 1,
            hint="put the diff into a fence, and give every line of a hunk its mark",
        )
    if not reader.fenced:
        _check_list(reader, start, at)
    return at


def _all_marked_or_lost(chosen: list[bytes]) -> bool:
    """Whether a hunk outside of a fence is without blank lines, behind which prose could have started."""
    return not any(line in BLANK for line in chosen)


def _check_list(reader: HunkReader, start: int, stop: int) -> None:
    """Outside of a fence, a list in Markdown behind the hunk looks like removed or added lines."""
    lines = reader.lines
    last = stop
    while last > start and lines[last - 1] in BLANK:
        last -= 1
    top = last
    while top > start and lines[top - 1] not in BLANK:
        top -= 1
    if top > start and top < last and all(line.startswith(_LIST_ITEM) for line in lines[top:last]):
        raise refuse(
            "malformed-hunk",
            f"line {top + 1}: the lines behind the blank one may be a list, or may belong to the hunk",
            path=reader.path,
            hunk=reader.number + 1,
            hint="put the diff into a fence",
        )


def check_cut(changes: list[Change]) -> None:
    """Refuses a text without final newline whose last line is added by a hunk that nothing counts.

    :raises PatchRefused: as that line may have been cut off.
    """
    last = changes[-1]
    if last.hunks and not last.hunks[-1].numbered and last.hunks[-1].lines[-1][0] == "+":
        raise refuse(
            "truncated",
            "the text ends within a line that is added, and nothing shows that the line is whole",
            path=last.path,
            hint="end the text with a newline, or put the diff into a fence",
        )


def distrusted(change: Change) -> Change:
    """The change with no word of its line numbers believed."""
    if change.op == "create" or not change.hunks:
        return change
    hunks = tuple(
        replace(hunk, old_start=0, old_count=0, new_start=0, new_count=0, numbered=False) for hunk in change.hunks
    )
    return replace(change, hunks=hunks, ordered=False, may_create=False)
