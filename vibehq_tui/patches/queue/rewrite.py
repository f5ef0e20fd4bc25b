"""An operator's own hunk: a plan with one of its hunks edited, or with some of its lines left out, as a git diff."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final

from vibehq_tui.patches.errors import refuse
from vibehq_tui.patches.model import Lines
from vibehq_tui.patches.planning.plan import Plan
from vibehq_tui.patches.planning.planned import PlannedFile, PlannedHunk, split_lines

_NO_NEWLINE: Final = "\\ No newline at end of file"


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of an edited hunk."""

    tag: str
    text: bytes
    """Without its end."""
    unended: bool = False
    """The text says that it has no end."""
    crlf: bool = False
    """The text shows that it ends with CRLF; an editor may have taken that away."""


def hunk_text(plan: Plan, number: int) -> str:
    """A hunk as an operator edits it: its header, then one line for each of its lines.

    :raises PatchRefused: when there is no such hunk, or nothing in it that could be edited.
    """
    _, hunk = find_hunk(plan, number)
    header = f"@@ -{hunk.old_start},{hunk.old_lines} +{hunk.new_start},{hunk.new_lines} @@"
    rows = [f"{header} {hunk.section}".rstrip()]
    for tag, line in hunk.lines:
        rows.append(tag + line.removesuffix(b"\n").decode("utf-8", "surrogateescape"))
        if not line.endswith(b"\n"):
            rows.append(_NO_NEWLINE)
    return "\n".join(rows) + "\n"


def find_hunk(plan: Plan, number: int) -> tuple[PlannedFile, PlannedHunk]:
    """The hunk ``number`` with its file.

    :raises PatchRefused: when there is no such hunk, or it has no lines (a rename, a mode, a binary file).
    """
    for file in plan.files:
        for hunk in file.hunks:
            if hunk.number == number:
                if not hunk.lines:
                    message = "has no lines: it is accepted or rejected as it is"
                    raise refuse("no-lines", message, path=file.path, hunk=number)
                return file, hunk
    raise refuse("no-such-hunk", f"there is no hunk {number}", hint=f"its hunks are 1 to {plan.hunk_count}")


def with_text(plan: Plan, number: int, text: str) -> Plan:
    """The plan with hunk ``number`` as ``text`` has it; counts and place are worked out anew.

    Lines of the file may not be changed by an edit, only removed (``-``), kept (a blank) or added to (``+``). Context
    at the edges may be left out; every old line must stand where the hunk stands.

    :raises PatchRefused: when ``text`` is no hunk, does not fit the file, or changes nothing.
    """
    file, hunk = find_hunk(plan, number)
    before = split_lines(file.before or b"")
    rows = _read(text, file.path, number)
    old = [row.text for row in rows if row.tag != "+"]
    first = _place(before, hunk, old, file.path, number)
    return _replaced(plan, file, hunk, first, _with_ends(rows, before, first, hunk))


def with_lines(plan: Plan, number: int, chosen: Collection[int]) -> Plan:
    """The plan with only the chosen lines of hunk ``number``: what was to be removed stays, what was to be added goes.

    :param chosen: positions among all lines of the hunk, from 1, context included; context may be named or not.
    :raises PatchRefused: when no change is left, or a line is named that the hunk does not have.
    """
    file, hunk = find_hunk(plan, number)
    unknown = sorted(position for position in chosen if not 1 <= position <= len(hunk.lines))
    if unknown:
        hint = f"its lines are 1 to {len(hunk.lines)}"
        raise refuse("no-such-line", f"the hunk has no line {unknown[0]}", path=file.path, hunk=number, hint=hint)
    lines = tuple(
        (" " if tag == "-" and position not in chosen else tag, line)
        for position, (tag, line) in enumerate(hunk.lines, 1)
        if tag != "+" or position in chosen
    )
    return _replaced(plan, file, hunk, hunk.first, lines)


def _read(text: str, path: str, number: int) -> list[_Row]:
    """The lines of a hunk. An empty one is a blank context line whose blank an editor took away."""
    texts = text.split("\n")
    if texts[-1] == "":
        texts.pop()
    if texts and texts[0].startswith("@@"):
        texts.pop(0)
    rows: list[_Row] = []
    for at, line in enumerate(texts, 1):
        if line.startswith("\\"):
            if rows:
                rows[-1] = replace(rows[-1], unended=True)
            continue
        tag, rest = (" ", line) if line in ("", "\r") else (line[0], line[1:])
        if tag not in " +-":
            message = f"line {at} of the hunk starts with {tag!r}, not with a blank, + or -"
            raise refuse("not-a-hunk", message, path=path, hunk=number, hint="keep the first column of every line")
        raw = rest.encode("utf-8", "surrogateescape")
        rows.append(_Row(tag, raw.rstrip(b"\r"), crlf=raw.endswith(b"\r")))
    return rows


def _bare(line: bytes) -> bytes:
    return line.rstrip(b"\r\n")


def _place(before: list[bytes], hunk: PlannedHunk, old: list[bytes], path: str, number: int) -> int:
    """The index of the first old line. It has to be within the hunk, for an edit moves nothing."""
    if not old:
        if hunk.old_lines:
            message = "no line of the file is left in it, so its place is not known"
            raise refuse("no-place", message, path=path, hunk=number, hint="keep at least one line of context")
        return hunk.first
    bare = [_bare(line) for line in before[hunk.first : hunk.first + hunk.old_lines]]
    places = [at for at in range(len(bare) - len(old) + 1) if bare[at : at + len(old)] == old]
    if len(places) == 1:
        return hunk.first + places[0]
    if places:
        message = "what is left of its context stands in it more than once"
        raise refuse("no-place", message, path=path, hunk=number, hint="keep more lines of context")
    at = next((at for at, pair in enumerate(zip(bare, old, strict=False)) if pair[0] != pair[1]), len(bare))
    there = bare[at].decode("utf-8", "replace") if at < len(bare) else "nothing more"
    message = f"its lines are not those of the file: line {hunk.first + at + 1} is {there!r}"
    raise refuse("not-the-file", message, path=path, hunk=number, hint="only lines with + may be changed")


def _with_ends(rows: list[_Row], before: list[bytes], first: int, hunk: PlannedHunk) -> Lines:
    """Gives every line its end: the file's own on old lines; on new ones what the text shows, else what the same line
    of the hunk had, else the end that most lines of the file have."""
    sample = [line for line in before or [line for _, line in hunk.lines] if line.endswith(b"\n")]
    usual = b"\r\n" if sum(line.endswith(b"\r\n") for line in sample) > len(sample) / 2 else b"\n"
    known = {_bare(line): line[len(_bare(line)) :] for tag, line in hunk.lines if tag == "+" and line.endswith(b"\n")}
    lines: list[tuple[str, bytes]] = []
    at = first
    for position, row in enumerate(rows):
        if row.tag == "+":
            end = b"\r\n" if row.crlf else known.get(row.text, usual)
            lines.append(("+", row.text if row.unended else row.text + end))
            continue
        line = before[at]
        at += 1
        more = any(later.tag != "-" for later in rows[position + 1 :])
        if row.tag == " " and more and not line.endswith(b"\n"):
            lines += [("-", line), ("+", line + usual)]  # the last line of the file, and now one follows it
        else:
            lines.append((row.tag, line))
    return tuple(lines)


def _replaced(plan: Plan, file: PlannedFile, hunk: PlannedHunk, first: int, lines: Lines) -> Plan:
    """The plan with other lines in one hunk, its counts and the content after worked out."""
    hint = "to leave the hunk out, reject it"
    if all(tag == " " for tag, _ in lines):
        raise refuse("changes-nothing", "nothing is left that it changes", path=file.path, hunk=hunk.number, hint=hint)
    if [line for tag, line in lines if tag != "+"] == [line for tag, line in lines if tag != "-"]:
        raise refuse("changes-nothing", "it puts back what it takes away", path=file.path, hunk=hunk.number, hint=hint)
    old = sum(tag != "+" for tag, _ in lines)
    new = sum(tag != "-" for tag, _ in lines)
    made = replace(
        hunk, old_start=first + 1 if old else first, old_lines=old, new_lines=new, lines=lines, match="exact"
    )
    hunks = [made if one.number == hunk.number else one for one in file.hunks]
    after, placed = _spliced(split_lines(file.before or b""), hunks, file.path)
    changed = replace(file, after=after, hunks=placed)
    if file.op == "delete":
        changed = (
            replace(changed, after=None) if not after else replace(changed, op="modify", after_mode=file.before_mode)
        )
    return replace(plan, files=tuple(changed if one is file else one for one in plan.files), repairs=(), warnings=())


def _spliced(before: list[bytes], hunks: list[PlannedHunk], path: str) -> tuple[bytes, tuple[PlannedHunk, ...]]:
    output: list[bytes] = []
    placed: list[PlannedHunk] = []
    cursor = 0
    for hunk in hunks:
        output += before[cursor : hunk.first]
        placed.append(replace(hunk, new_start=len(output) + 1 if hunk.new_lines else len(output)))
        output += [line for tag, line in hunk.lines if tag != "-"]
        cursor = hunk.first + hunk.old_lines
    output += before[cursor:]
    if any(not line.endswith(b"\n") for line in output[:-1]):
        message = "a line without end would be joined with the next: take the last lines of the file together"
        raise refuse("joined-lines", message, path=path)
    return b"".join(output), tuple(placed)
