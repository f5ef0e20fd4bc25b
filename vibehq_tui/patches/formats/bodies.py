"""Hunks without counts: what their lines are, where code was left out of them, and what an ``@@`` line says.

Nothing here guesses. A line without a mark is read as context only when no context line of the hunk has its blank, so
that it is plain what was lost; everything else is refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from vibehq_tui.patches.errors import refuse
from vibehq_tui.patches.formats.elisions import is_elision
from vibehq_tui.patches.formats.hunks import TAGS, open_ended
from vibehq_tui.patches.formats.lines import BLANK, is_blank, text_of
from vibehq_tui.patches.model import Change, Hunk, Lines, Repair

_NO_NEWLINE: Final = b"\\ "
_DOTS: Final = (b"", b"...", b"\xe2\x80\xa6", b"..")
# Numbers, or letters and signs that stand for them, as far as the second "@@" or the end of the line.
_NUMBERS: Final = re.compile(rb"-[0-9?XYMNL.,*]*[ \t]*(?:\+[0-9?XYMNL.,*]*)?[ \t]*@?$")
_PLACE: Final = re.compile(rb"(?:at |near |around )?lines? ?\d{1,9}(?: ?(?:-|to|,) ?\d{1,9})?:?$", re.IGNORECASE)
_BARE_NUMBER: Final = re.compile(rb"[+~]?\d{1,9}(?: ?[-,+] ?\d{1,9}){0,3}$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """The lines of a hunk, and those behind a blank that may belong to it."""

    lines: Lines
    tail: Lines = ()
    crlf: bool = False


def _header_parts(line: bytes) -> tuple[bytes, bytes]:
    """What stands between the two ``@@`` of a header, and behind the second; without a second one, all is between."""
    rest = line.rstrip()[2:]
    between, _, behind = rest.partition(b"@@")
    return between, behind


def is_damaged_header(line: bytes) -> bool:
    """Whether an ``@@`` line has line numbers, or something in their place, that cannot be used."""
    between = _header_parts(line)[0].strip()
    if between in _DOTS:
        return False
    return bool(_NUMBERS.match(between) or _PLACE.match(between) or _BARE_NUMBER.match(between))


def anchor_of(line: bytes) -> bytes:
    """The line of the file that an ``@@`` line names (``@@ def f():``), or nothing; its indentation is kept."""
    between, behind = _header_parts(line)
    place = between.strip()
    if place in _DOTS or is_damaged_header(line):
        chosen = behind
    else:
        chosen = between if not behind.strip() else between + b"@@" + behind
    chosen = chosen.removeprefix(b" ").rstrip()
    return b"" if chosen.strip() in _DOTS or is_elision(chosen) else chosen


def finish_body(lines: Sequence[bytes], start: int, stop: int, path: str, number: int, repairs: list[Repair]) -> Body:
    """The lines from ``start`` to ``stop``, every one of which belongs to the hunk.

    :raises PatchRefused: when the mark of a line is missing and it is not certain which it was.
    """
    chosen = lines[start:stop]
    unmarked = [
        at
        for at, line in enumerate(chosen)
        if line[0] not in TAGS and not is_blank(line) and not line.startswith(_NO_NEWLINE) and not is_elision(line)
    ]
    if unmarked:
        blanked = any(line[:1] == b" " and not is_blank(line) for line in chosen)
        changed = any(line[:1] in (b"+", b"-") for line in chosen)
        if blanked or not changed:
            raise refuse(
                "malformed-hunk",
                f"line {start + unmarked[0] + 1} of the patch, within the hunk, starts with neither ' ', '+' nor '-': "
                f"{text_of(chosen[unmarked[0]])}",
                path=path,
                hunk=number,
                hint="give every line of a hunk its mark; a context line starts with a blank",
            )
        message = f"{len(unmarked)} context lines had lost the blank that marks them"
        repairs.append(Repair(code="lost-mark", path=path, hunk=number, message=message))
    bare = set(unmarked)
    output: list[tuple[str, bytes]] = []
    for at, line in enumerate(chosen):
        if at in bare or (line[0] not in TAGS and not line.startswith(_NO_NEWLINE)):
            output.append((" ", line))
        elif line[0] in TAGS:
            output.append((TAGS[line[0]], line[1:]))
        elif output:
            output[-1] = open_ended(output[-1], line)
    blanks = 0
    while blanks < len(chosen) and chosen[-1 - blanks] in BLANK:
        blanks += 1
    body, tail = output[: len(output) - blanks], output[len(output) - blanks :]
    _check_ends(body, path, number)
    return Body(lines=tuple(body), tail=tuple(tail))


def _check_ends(body: Sequence[tuple[str, bytes]], path: str, number: int) -> None:
    """Only the last line of a side may be without a newline."""
    for side in "+-":
        kept = [line for tag, line in body if tag in (" ", side)]
        if not all(line.endswith(b"\n") for line in kept[:-1]):
            raise refuse(
                "malformed-hunk",
                "'\\ No newline at end of file' stands before the end of the file",
                path=path,
                hunk=number,
            )


def pieces(body: Body, anchors: tuple[bytes, ...], path: str, number: int, *, at_end: bool = False) -> list[Hunk]:
    """The hunks that a body stands for: one, or several where context lines say that code was left out.

    :param number: of the first hunk.
    :raises PatchRefused: when it cannot be told where lines between two gaps belong.
    """
    groups: list[list[tuple[str, bytes]]] = [[]]
    for tag, line in body.lines:
        if tag == " " and is_elision(line):
            groups.append([])
        else:
            groups[-1].append((tag, line))
    hunks: list[Hunk] = []
    for index, group in enumerate(groups):
        if not group:
            continue
        if len(groups) > 1 and all(tag == "+" for tag, _ in group):
            raise refuse(
                "elided",
                "lines are added beside code that was left out, so their place is not certain",
                path=path,
                hunk=number,
                hint="show a line of the file next to what is added",
            )
        last = index == len(groups) - 1
        hunks.append(
            Hunk(
                old_start=0,
                old_count=0,
                new_start=0,
                new_count=0,
                section="",
                lines=tuple(group),
                crlf_text=body.crlf,
                tail=body.tail if last else (),
                numbered=False,
                anchors=anchors if not hunks else (),
                at_end=at_end and last,
                continues=bool(hunks),
            )
        )
    if not hunks:
        raise refuse("empty-hunk", "the hunk has no line of the file and nothing to add", path=path, hunk=number)
    return hunks


def named_change(path: str, hunks: Sequence[Hunk], *, ordered: bool = True, op: str = "modify") -> Change:
    """A change of a file whose name may have folders in front of it that the tree does not have."""
    old_name = None if op == "create" else path
    return Change(
        path=path,
        op=op,
        hunks=tuple(hunks),
        ordered=ordered,
        plain_names=True,
        old_name=old_name,
        new_name=path,
    )
