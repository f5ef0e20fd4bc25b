"""From located hunks, or from edits of lines, to the content of a file and the hunks of a plan."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from vibehq_tui.patches.model import Lines, Repair
from vibehq_tui.patches.planning.filetext import FileText, split_end
from vibehq_tui.patches.planning.planned import PlannedHunk
from vibehq_tui.patches.planning.sought import Sought

CONTEXT: Final = 3
"""Lines around a change where the plan makes the hunks itself."""


@dataclass(slots=True)
class Built:
    """The content of a file after a patch, with the hunks that made it."""

    after: bytes
    hunks: tuple[PlannedHunk, ...]
    repairs: list[Repair]
    warnings: list[str] = field(default_factory=list)


def build(lines: Sequence[bytes], hunks: Sequence[Sought], path: str) -> Built:
    """The file with its hunks applied: old lines keep the file's bytes, added ones take its line ends."""
    text = FileText.of(lines)
    output: list[bytes] = []
    planned: list[PlannedHunk] = []
    repairs: list[Repair] = []
    cursor = grown = 0
    for item in hunks:
        start, end = item.start or 0, item.end
        tagged = item.tagged
        if start == end == len(text) and start and not text[-1].endswith(b"\n"):
            # A line that is added after one without a newline: that line gets one, and the added one has none then.
            start -= 1
            tagged, codes = _after_the_last(tagged, text[start])
            repairs += [_repair(code, path, item.number) for code in codes]
        elif item.match not in ("exact", "offset") or _has_the_texts_ends(item, text):
            tagged, codes = _in_the_files_words(
                tagged, text[start:end], at_end=end == len(text), crlf_text=item.hunk.crlf_text
            )
            repairs += [_repair(code, path, item.number) for code in sorted({*codes, *item.codes})]
        if start == end and not item.hunk.numbered:
            tagged = _with_ends_of(text, start, tagged)
        output.append(text.joined(cursor, start))
        cursor = end
        new = [line for tag, line in tagged if tag != "-"]
        output += new
        if not item.hunk.numbered and all(tag == " " for tag, _ in tagged):
            continue  # It only leads to the next one.
        first = start + grown
        grown += len(new) - (end - start)
        planned.append(
            PlannedHunk(
                number=item.number,
                old_start=start + 1 if end > start else start,
                old_lines=end - start,
                new_start=first + 1 if new else first,
                new_lines=len(new),
                section=item.hunk.section,
                lines=tagged,
                match=item.match,
            )
        )
    output.append(text.joined(cursor, len(text)))
    return Built(b"".join(output), tuple(planned), repairs)


def _has_the_texts_ends(item: Sought, text: FileText) -> bool:
    """Whether the CR of added lines comes from the text: they follow a line without an end, of a file without CRLF."""
    start, end = item.start or 0, item.end
    if not item.hunk.crlf_text or end - start != 1 or text[start].endswith(b"\n"):
        return False
    return start == 0 or not text[start - 1].endswith(b"\r\n")


_REPAIRS: Final = {
    "line-endings": "the patch ends its lines in another way than the file; the file's way was kept",
    "trailing-blanks": "blanks at line ends differ; the file's own lines were kept",
    "final-newline": "the patch and the file disagree on the final newline; the file's was kept",
    "whitespace": "blanks within lines differ; the file's own lines were kept",
    "indentation": "the file is indented in another way; added lines were indented as the file is",
    "unicode": "characters that look alike differ; the file's own were kept",
    "fuzzy": "lines of the context have changed; what is left of it is found in this place only",
}


def _repair(code: str, path: str, hunk: int) -> Repair:
    return Repair(code=code, path=path, hunk=hunk, message=_REPAIRS[code])


def _with_ends_of(text: FileText, at: int, tagged: Lines) -> Lines:
    """Lines that are added where no line of the patch says how lines end, as those around them do."""
    around = text[max(at - 1, 0) : at + 1]
    ending = split_end(around[0])[1] if around else b""
    return tuple((tag, split_end(line)[0] + ending) if ending else (tag, line) for tag, line in tagged)


def _after_the_last(tagged: Lines, last: bytes) -> tuple[Lines, list[str]]:
    """Lines added after a last line without a newline: it gets one, and the new last line has none."""
    added = [line for _, line in tagged]
    added[-1] = split_end(added[-1])[0]
    lines = [("-", last), ("+", last + b"\n"), *(("+", line) for line in added)]
    return tuple(lines), ["final-newline"]


def _in_the_files_words(
    tagged: Lines, own: list[bytes], *, at_end: bool, crlf_text: bool = False
) -> tuple[Lines, list[str]]:
    """Hunk lines with the file's bytes on the old side and its line ends on the new side, and what had to change."""
    codes: list[str] = []
    ends: list[dict[bytes, bytes]] = []
    position = 0
    for tag, line in tagged:
        if tag == "+":
            continue
        mine, theirs = split_end(own[position]), split_end(line)
        position += 1
        # A line without an end says nothing of how lines end here; the one before it does.
        known = ends[-1] if ends else {}
        ends.append({theirs[1]: mine[1]} if mine[1] and theirs[1] else known)
        if mine[1] and theirs[1] and mine[1] != theirs[1]:
            codes.append("line-endings")
        if mine[0] != theirs[0] and mine[0].rstrip(b" \t\r") == theirs[0].rstrip(b" \t\r"):
            codes.append("trailing-blanks")
        if bool(mine[1]) != bool(theirs[1]):
            codes.append("final-newline")
    first = next((known for known in ends if known), {})
    if not first and crlf_text:
        first = {b"\r\n": b"\n"}  # Nothing here says how lines end, and the CR may come from the text of the patch.
    output: list[tuple[str, bytes]] = []
    position = 0
    for tag, line in tagged:
        if tag != "+":
            output.append((tag, own[position]))
            position += 1
            continue
        text, end = split_end(line)
        wanted = (ends[position - 1] if position else {}) or first
        if not end and text.endswith(b"\r") and wanted.get(b"\r\n") == b"\n":
            text = text[:-1]
        output.append(("+", text + wanted.get(end, end)))
    if at_end:
        output = _final_newline(output, tagged, own)
    return tuple(output), sorted(set(codes))


def _final_newline(output: list[tuple[str, bytes]], tagged: Lines, own: list[bytes]) -> list[tuple[str, bytes]]:
    """Lets the file keep its final newline, or its lack of one, unless the patch changes just that."""
    theirs_old = [line for tag, line in tagged if tag != "+"][-1].endswith(b"\n")
    theirs_new = ([line for tag, line in tagged if tag != "-"] or [b"\n"])[-1].endswith(b"\n")
    mine_old = own[-1].endswith(b"\n")
    if mine_old == theirs_old:
        return output
    mine_new = mine_old if theirs_old == theirs_new else theirs_new
    return _repaired_ends(output, mine_new)


def _repaired_ends(output: list[tuple[str, bytes]], newline_at_end: bool) -> list[tuple[str, bytes]]:
    """The lines with a newline on every new line but the last, which has one as ``newline_at_end`` says."""
    last_new = max((at for at, (tag, _) in enumerate(output) if tag != "-"), default=-1)
    result: list[tuple[str, bytes]] = []
    for at, (tag, line) in enumerate(output):
        if tag == "-":
            result.append((tag, line))
            continue
        wants = at != last_new or newline_at_end
        has = line.endswith(b"\n")
        if has == wants or (tag == " " and has):
            result.append((tag, line))
            continue
        text = split_end(line)[0]
        changed = text + (b"\r\n" if any(known.endswith(b"\r\n") for _, known in output) else b"\n") if wants else text
        if tag == "+":
            result.append(("+", changed))
        else:
            # A context line that gains or loses its newline is a removed and an added line.
            result += [("-", line), ("+", changed)]
    return _removed_first(result)


def _removed_first(lines: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    result: list[tuple[str, bytes]] = []
    added: list[tuple[str, bytes]] = []
    for tag, line in lines:
        if tag == "+":
            added.append((tag, line))
            continue
        if tag == " ":
            result += added
            added = []
        result.append((tag, line))
    return result + added


@dataclass(frozen=True, slots=True)
class Splice:
    """Lines ``start`` to ``end`` (indices, ``end`` behind the last) of a file become ``lines``."""

    start: int
    end: int
    lines: tuple[bytes, ...]


def trimmed(lines: list[bytes], splice: Splice) -> Splice:
    """The same splice without the lines that stay as they are at its two ends."""
    start, end, new = splice.start, splice.end, splice.lines
    shorter = min(end - start, len(new))
    top = 0
    while top < shorter and lines[start + top] == new[top]:
        top += 1
    bottom = 0
    while bottom < shorter - top and lines[end - bottom - 1] == new[len(new) - bottom - 1]:
        bottom += 1
    return Splice(start + top, end - bottom, new[top : len(new) - bottom])


def build_from_splices(lines: list[bytes], splices: Iterable[Splice], first_number: int) -> Built:
    """The file with lines replaced. Splices are in order and do not overlap; near ones share a hunk."""
    groups: list[list[Splice]] = []
    for splice in splices:
        if groups and splice.start - groups[-1][-1].end <= 2 * CONTEXT:
            groups[-1].append(splice)
        else:
            groups.append([splice])
    output: list[bytes] = []
    planned: list[PlannedHunk] = []
    cursor = 0
    for number, group in enumerate(groups, first_number):
        top = max(group[0].start - CONTEXT, 0)
        bottom = min(group[-1].end + CONTEXT, len(lines))
        output += lines[cursor:top]
        tagged: list[tuple[str, bytes]] = []
        at = top
        for splice in group:
            tagged += [(" ", line) for line in lines[at : splice.start]]
            tagged += [("-", line) for line in lines[splice.start : splice.end]]
            tagged += [("+", line) for line in splice.lines]
            at = splice.end
        tagged += [(" ", line) for line in lines[at:bottom]]
        new = [line for tag, line in tagged if tag != "-"]
        planned.append(
            PlannedHunk(
                number=number,
                old_start=top + 1 if bottom > top else top,
                old_lines=bottom - top,
                new_start=len(output) + 1 if new else len(output),
                new_lines=len(new),
                lines=tuple(tagged),
            )
        )
        output += new
        cursor = bottom
    output += lines[cursor:]
    return Built(b"".join(output), tuple(planned), [])
