"""Diffs, traditional and git's, in one text or apart, with mail, prose and Markdown fences around them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Final

from vibehq_tui.patches.errors import refuse
from vibehq_tui.patches.formats.git import read_git_change
from vibehq_tui.patches.formats.hunks import HunkReader
from vibehq_tui.patches.formats.unified import read_plain_change
from vibehq_tui.patches.model import Change, Hunk, ParsedPatch, Repair

_FENCES: Final = (b"```", b"~~~")
_DIFF_WORDS: Final = (b"diff", b"patch", b"udiff")
_MAIL_STARTS: Final = (b"From ", b"From:", b"Subject:", b"Date:")
_UNSUPPORTED: Final = (
    (b"diff --cc ", "combined-diff", "a combined diff of a merge has no single file before"),
    (b"diff --combined ", "combined-diff", "a combined diff of a merge has no single file before"),
    (b"*** Begin Patch", "unknown-format", "this is no diff but a '*** Begin Patch', which is the format codex"),
    (b"***************", "context-diff", "a context diff is not read"),
)
_TOTALS = re.compile(rb" (\d+) files? changed(?:, (\d+) insertions?\(\+\))?(?:, (\d+) deletions?\(-\))?\r?\n?$")


@dataclass(slots=True)
class _Walk:
    """Where the reading of a text stands."""

    reader: HunkReader
    changes: list[Change]
    git: bool = False
    bare: bool = False
    """Some hunk has no line numbers."""
    binary: int = 0
    """Bytes that the binary files so far make."""
    fence: tuple[int, int] | None = None
    """The line on which a fence opened that says it is a diff, and the changes that were read before."""
    indented: int | None = None
    """A line on which an indented fence opens that says it is a diff."""
    end: int = 0
    """The index of the line behind the last change."""
    signed: bool = False
    """Something after the last change shows that the text is whole: a signature, the end of a fence."""
    totals: tuple[int, int, int] | None = None
    """Files, insertions and deletions by the summary of a mail."""


def parse_diff(text: bytes, *, numbered: bool = True) -> ParsedPatch:
    """Reads every diff in ``text``.

    :param numbered: whether the line numbers of hunks count for anything.
    :raises PatchRefused: when there is none, or when one cannot be read with certainty.
    """
    lines = BytesIO(text).readlines()
    unfinished = bool(lines) and not lines[-1].endswith(b"\n")
    if unfinished:
        lines[-1] += b"\n"
    walk = _Walk(HunkReader(lines, bare=_read_bare), [])
    at = 0
    while at < len(lines):
        at = _step(walk, lines, at)
    if not walk.changes:
        raise refuse(
            "no-changes", "there is no diff in the text", hint="a diff starts with 'diff --git' or with '--- '"
        )
    if all(change.hunks and _changes_nothing(change) for change in walk.changes):
        raise refuse("no-changes", "the diff has context and no line that it adds or removes")
    if walk.indented is not None and not lines[0].startswith((*_MAIL_STARTS, b"commit ")):
        raise refuse(
            "indented-text",
            f"line {walk.indented + 1}: this diff is indented, and others in the text are not",
            hint="put all diffs into the first column",
        )
    _check_totals(walk)
    repairs = list(walk.reader.repairs)
    name = "git" if walk.git else "unified"
    if walk.bare or not numbered:
        name = _without_numbers(walk, repairs, unfinished=unfinished, numbered=numbered)
    if unfinished:
        repairs.append(Repair(code="patch-newline", message="the patch text had no final newline"))
    parsed = ParsedPatch(
        format=name,
        changes=tuple(walk.changes),
        repairs=tuple(repairs),
        unfinished=unfinished,
    )
    if not lines[0].startswith(_MAIL_STARTS):
        return parsed
    from vibehq_tui.patches.formats.mail import read_mail  # noqa: PLC0415 - only for mails

    mail = read_mail(lines)
    return replace(parsed, title=mail.title, message=mail.message, author=mail.author)


def _read_bare(reader: HunkReader, at: int) -> tuple[list[Hunk], int]:
    from vibehq_tui.patches.formats.bare import read_bare  # noqa: PLC0415 - not for diffs made by a tool

    return read_bare(reader, at)


def _without_numbers(walk: _Walk, repairs: list[Repair], *, unfinished: bool, numbered: bool) -> str:
    """Settles a text in which not every hunk has line numbers that count, and says which format it is."""
    from vibehq_tui.patches.formats.bare import check_cut, distrusted  # noqa: PLC0415 - as above

    if not numbered:
        walk.changes = [distrusted(change) for change in walk.changes]
    if unfinished and walk.end >= len(walk.reader.lines):
        check_cut(walk.changes)
    if not walk.git:
        return "udiff"
    if numbered:
        message = "not every hunk of the git diff has line numbers; their places were looked for"
        repairs.append(Repair(code="hunk-header", message=message))
    return "git"


def _step(walk: _Walk, lines: list[bytes], at: int) -> int:
    """Reads the change that starts at a line, or steps over the line."""
    line = lines[at]
    change: Change | None = None
    if line.startswith(b"diff --git "):
        walk.git = True
        change, at = read_git_change(walk.reader, at)
    elif line.startswith(b"--- ") and at + 1 < len(lines) and lines[at + 1].startswith(b"+++ "):
        change, at = read_plain_change(walk.reader, at)
    elif line.startswith(b"@@"):
        change, at = _read_named(walk, at)
    if change is None:
        _prose(walk, lines, at)
        return at + 1
    if not change.hunks:
        walk.reader.number += 1
    elif not all(hunk.numbered for hunk in change.hunks):
        walk.bare = True
    if change.binary is not None:
        from vibehq_tui.patches.formats.binary import check_total, unpacked_size  # noqa: PLC0415 - rarely needed

        walk.binary += unpacked_size(change.binary)
        check_total(walk.binary, change.path)
    walk.changes.append(change)
    walk.end = at
    walk.signed = False
    return at


def _read_named(walk: _Walk, at: int) -> tuple[Change | None, int]:
    from vibehq_tui.patches.formats.bare import read_named  # noqa: PLC0415 - not for diffs made by a tool

    return read_named(walk.reader, at, walk.end)


def _prose(walk: _Walk, lines: list[bytes], at: int) -> None:
    line = lines[at]
    if line.startswith(_FENCES):
        _fence(walk, lines, at)
    elif line.rstrip(b"\r\n") == b"-- ":
        walk.signed = True
    elif line.startswith(b"@@ -") or (line.startswith(b"@@") and walk.reader.fenced):
        raise refuse(
            "no-file-header",
            f"line {at + 1} of the patch starts a hunk, but no file was named before it",
            hint="put '--- a/PATH' and '+++ b/PATH' above it",
        )
    elif line.startswith(b"Binary files ") and line.rstrip().endswith(b" differ"):
        raise refuse(
            "binary-without-data",
            f"line {at + 1}: the patch names a binary change without its data",
            hint="make it with git diff --binary",
        )
    elif line[:1] == b" " and line.lstrip(b" ").startswith((b"```diff", b"```patch", b"~~~diff")):
        walk.indented = at
    elif line.startswith(b" ") and (match := _TOTALS.match(line)) is not None and not walk.changes:
        walk.totals = (int(match[1]), int(match[2] or 0), int(match[3] or 0))
    else:
        for start, code, message in _UNSUPPORTED:
            if line.startswith(start):
                raise refuse(code, f"line {at + 1}: {message}")


def _fence(walk: _Walk, lines: list[bytes], at: int) -> None:
    """Opens or closes a fence; one that says it is a diff, and named no file, is not passed over."""
    if not walk.reader.fenced:
        walk.reader.fenced = True
        walk.fence = (at, len(walk.changes)) if lines[at].strip(b"`~ \t\r\n") in _DIFF_WORDS else None
        return
    walk.signed = True
    walk.reader.fenced = False
    if walk.fence is None or walk.fence[1] != len(walk.changes) or lines[0].startswith(_MAIL_STARTS):
        return
    if any(line.startswith((b"+", b"-")) for line in lines[walk.fence[0] + 1 : at]):
        raise refuse(
            "no-file-header",
            f"line {walk.fence[0] + 1} of the patch opens a diff that names no file",
            hint="put '--- a/PATH' and '+++ b/PATH' above its first hunk",
        )


def _changes_nothing(change: Change) -> bool:
    plain = change.op == "modify" and change.old_mode == change.new_mode
    return plain and all(tag == " " for hunk in change.hunks for tag, _ in hunk.lines)


def _check_totals(walk: _Walk) -> None:
    """A mail that announces more than it holds, and does not end like a mail, was cut off."""
    if walk.totals is None or walk.signed:
        return
    files, added, removed = walk.totals
    lines = [tag for change in walk.changes for hunk in change.hunks for tag, _ in hunk.lines]
    if len(walk.changes) < files or lines.count("+") < added or lines.count("-") < removed:
        raise refuse(
            "truncated",
            f"the summary names {files} files, {added} insertions and {removed} deletions; the text ends before that",
            hint="get the whole patch again",
        )
