"""The ``*** Begin Patch`` format: files added, updated, moved and deleted, hunks without line numbers.

Source: the grammar in OpenAI's ``codex`` (apply-patch). Beyond it, what is certain all the same is read: a missing
``*** End Patch`` when something else shows that the text is whole, several ``@@`` lines in a row, numbers in them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Final

from vibehq_tui.patches.errors import PatchRefused, refuse
from vibehq_tui.patches.formats.bodies import Body, anchor_of, finish_body, is_damaged_header, named_change, pieces
from vibehq_tui.patches.formats.elisions import is_comment_elision
from vibehq_tui.patches.formats.labels import checked_name, is_path_like
from vibehq_tui.patches.formats.lines import Mark, fence_mark, is_blank, split_text, text_of, without_newline
from vibehq_tui.patches.formats.names import header_name
from vibehq_tui.patches.formats.rescue import dedented
from vibehq_tui.patches.formats.written import check_written
from vibehq_tui.patches.model import Change, Hunk, ParsedPatch, Repair

_MARKER: Final = re.compile(
    rb"\*\*\* ?(?:(Begin Patch|End Patch|End of File)(?: ?\*\*\*)?|(Add File|Update File|Delete File|Move to|"
    rb"Environment ID) ?:(.*))$",
    re.IGNORECASE | re.DOTALL,
)
_HEREDOC: Final = re.compile(rb"<<-?[ \t]*(\\|'|\"|)([A-Za-z_][A-Za-z0-9_]{0,40})(?:'|\"|)(?=[\s;|&)]|$)")
_EXPANDED: Final = re.compile(rb"\\[$`\\]|\$[({A-Za-z_]|`")
_FILE_MARKERS: Final = ("add file", "update file", "delete file")


@dataclass(slots=True)
class _Reader:
    lines: list[bytes]
    unfinished: bool
    changes: list[Change] = field(default_factory=list)
    repairs: list[Repair] = field(default_factory=list)
    number: int = 0
    """Hunks read so far."""
    fence: Mark | None = None
    heredoc: bytes | None = None
    """The word that ends the here-document around the patch."""
    expanded: bool = False
    """The shell would expand what stands in it."""

    def marker(self, at: int) -> tuple[str, str] | None:
        """``(verb, argument)`` of a marker line, the verb in small letters."""
        line = self.lines[at]
        if not line.startswith(b"***"):
            return None
        match = _MARKER.match(line.rstrip())
        if match is None:
            return None
        if match[1] is not None:
            return match[1].decode().lower(), ""
        name = match[3].decode("utf-8", "surrogateescape").strip()
        if len(name) > 2 and name[0] == name[-1] and name[0] in "`\"'":
            name = name[1:-1]
        return match[2].decode().lower(), name

    def ends_text(self, at: int) -> bool:
        """Whether a line shows, without ``*** End Patch``, that the patch was meant to end above it."""
        line = self.lines[at]
        if self.heredoc is not None and line.strip() == self.heredoc:
            return True
        mark = fence_mark(line) if self.fence is not None else None
        return mark is not None and self.fence is not None and mark.closes(self.fence)

    # Envelopes

    def read(self) -> None:
        """Every patch in the text; what stands around them is stepped over."""
        at = 0
        while at < len(self.lines):
            found = self.marker(at)
            if found is None:
                self._look(at)
                at += 1
            elif found[0] == "begin patch":
                start, expanded = at, self.expanded
                at = self._envelope(at + 1)
                if expanded:
                    self._check_expansion(start, at)
            elif found[0] in _FILE_MARKERS:
                message = f"line {at + 1}: there is no '*** Begin Patch' above the first file"
                self.repairs.append(Repair(code="begin-missing", message=message))
                at = self._envelope(at)
            elif found[0] == "environment id":
                at += 1
            else:
                raise refuse("stray-marker", f"line {at + 1}: {text_of(self.lines[at])} stands outside of a patch")

    def _look(self, at: int) -> None:
        """Notes fences and here-documents that open above a patch."""
        line = self.lines[at]
        if line[:1] in (b" ", b"\t") and line.strip() == b"*** Begin Patch":
            raise refuse(
                "indented-text",
                f"line {at + 1}: the patch is indented, and it is not certain by how much its lines are",
                hint="put the patch into the first column, or into a fence that is indented as it is",
            )
        mark = fence_mark(line)
        if mark is not None:
            closed = self.fence is not None and mark.closes(self.fence)
            self.fence = None if closed else (self.fence or mark)
        elif b"<<" in line and b"patch" in line:
            match = _HEREDOC.search(line)
            if match is not None:
                self.heredoc = match[2]
                self.expanded = not match[1]

    def _check_expansion(self, start: int, end: int) -> None:
        """A shell changes the text of a here-document whose word is not quoted."""
        for at in range(start, end):
            if _EXPANDED.search(self.lines[at]):
                raise refuse(
                    "shell-quoting",
                    f"line {at + 1}: the shell would change this line of the here-document; its text is not certain",
                    hint="quote the word: <<'EOF'",
                )

    def _envelope(self, at: int) -> int:
        first = len(self.changes)
        while at < len(self.lines):
            found = self.marker(at)
            if found is None:
                if is_blank(self.lines[at]):
                    at += 1
                    continue
                if self.ends_text(at):
                    self._no_end(at, first, whole=True)
                    return at
                raise self._unknown(at)
            verb, name = found
            if verb == "end patch":
                self.heredoc, self.expanded = None, False
                return at + 1
            if verb == "begin patch":
                self._no_end(at, first, whole=True)
                return at
            if verb in _FILE_MARKERS:
                at = self._file(verb, name, at)
            elif verb == "environment id":
                at += 1
            else:
                raise refuse("stray-marker", f"line {at + 1}: {text_of(self.lines[at])} belongs to no file")
        self._no_end(at, first, whole=False)
        return at

    def _unknown(self, at: int) -> PatchRefused:
        return refuse(
            "malformed-hunk",
            f"line {at + 1}: {text_of(self.lines[at])} is neither a line of a hunk nor a marker of this format",
            hint="a file starts with *** Add File:, *** Update File: or *** Delete File:; the end is *** End Patch",
        )

    def _no_end(self, at: int, first: int, *, whole: bool) -> None:
        """``*** End Patch`` is missing: certain only if something else shows that nothing was cut off."""
        last = self.changes[-1] if len(self.changes) > first else None
        if not whole and (last is None or self.unfinished or not _is_rounded(last)):
            raise refuse(
                "truncated",
                "the text ends without '*** End Patch', so it may have been cut off",
                path=None if last is None else last.path,
                hint="get the whole patch again",
            )
        message = f"there is no '*** End Patch' above line {at + 1}" if whole else "there is no '*** End Patch'"
        self.repairs.append(Repair(code="end-missing", path=None if last is None else last.path, message=message))

    # Files

    def _file(self, verb: str, name: str, at: int) -> int:
        if not name:
            raise refuse("no-file-name", f"line {at + 1}: {text_of(self.lines[at])} names no file")
        path = checked_name(name, at, self.repairs)
        if verb == "delete file":
            self.changes.append(Change(path=path, op="delete", where=f"line {at + 1}"))
            self.number += 1
            return self._nothing(at + 1)
        if verb == "add file":
            return self._add(path, at)
        return self._update(path, at)

    def _nothing(self, at: int) -> int:
        """Blank lines below a file that has no body."""
        while at < len(self.lines) and is_blank(self.lines[at]):
            at += 1
        return at

    def _section(self, at: int) -> int:
        """The index behind the lines of a file: where the next marker stands, or what ends the text."""
        while at < len(self.lines):
            line = self.lines[at]
            if line.startswith(b"***") and (found := self.marker(at)) is not None and found[0] != "end of file":
                return at
            if line[:1] not in (b" ", b"+", b"-") and self.ends_text(at):
                return at
            at += 1
        return at

    def _add(self, path: str, at: int) -> int:
        end = self._section(at + 1)
        body = self.lines[at + 1 : end]
        while body and is_blank(body[-1]):
            body.pop()
        if body and (found := self.marker(at + len(body))) is not None and found[0] == "end of file":
            body.pop()
        marked = [line.startswith(b"+") for line in body]
        content: list[bytes] = []
        if not any(marked) and body:
            self._check_bare(path, body, at + 1)
            message = "no line of the new file has its '+'; all of them were taken"
            self.repairs.append(Repair(code="lost-mark", path=path, hunk=self.number + 1, message=message))
            content = body
        else:
            lost = 0
            for offset, line in enumerate(body):
                if marked[offset]:
                    content.append(line[1:])
                elif line.startswith(b"\\ No newline") and offset == len(body) - 1 and content:
                    content[-1] = without_newline(content[-1])
                elif is_blank(line):
                    content.append(line)
                    lost += 1
                else:
                    raise refuse(
                        "malformed-hunk",
                        f"line {at + 2 + offset}: {text_of(line)} in a new file does not start with '+'",
                        path=path,
                        hunk=self.number + 1,
                        hint="every line of a new file starts with '+'",
                    )
            if lost:
                message = f"{lost} empty lines of the new file had lost their '+'"
                self.repairs.append(Repair(code="lost-mark", path=path, hunk=self.number + 1, message=message))
        check_written(content, path, at + 1)
        crlf = self.lines[at].endswith(b"\r\n")
        self.number += 1
        hunks: tuple[Hunk, ...] = ()
        if content:
            hunks = (
                Hunk(
                    old_start=0,
                    old_count=0,
                    new_start=1,
                    new_count=len(content),
                    section="",
                    lines=tuple(("+", line) for line in content),
                    crlf_text=crlf,
                ),
            )
        self.changes.append(Change(path=path, op="create", hunks=hunks))
        return end

    def _check_bare(self, path: str, body: list[bytes], at: int) -> None:
        """Refuses a new file without marks that may have lost others: all of it indented, or in a fence."""
        indented = all(line[:1] == b" " or is_blank(line) for line in body)
        if indented or fence_mark(body[0]) is not None:
            raise refuse(
                "malformed-hunk",
                f"line {at + 1}: no line of the new file starts with '+', and it is not certain what belongs to it",
                path=path,
                hunk=self.number + 1,
                hint="every line of a new file starts with '+'",
            )

    def _update(self, path: str, at: int) -> int:
        start = self._nothing(at + 1)
        target: str | None = None
        if start < len(self.lines) and (found := self.marker(start)) is not None and found[0] == "move to":
            if not found[1]:
                raise refuse("no-file-name", f"line {start + 1}: {text_of(self.lines[start])} names no file")
            target = checked_name(found[1], start, self.repairs, role="target of the move")
            start += 1
        end = self._section(start)
        if start + 2 < end and self._has_names(start):
            self._check_inner(path, start)
            start += 2
        hunks = self._hunks(path, start, end)
        if not hunks and target is None:
            if end >= len(self.lines):
                raise refuse("truncated", f"line {at + 1}: the text ends before it says what to update", path=path)
            raise refuse("empty-hunk", f"line {at + 1}: nothing below says what to update", path=path)
        if not hunks:
            self.number += 1
        if target is None or target == path:
            self.changes.append(named_change(path, hunks))
        else:
            self.changes.append(Change(path=target, op="rename", from_=path, hunks=tuple(hunks)))
        return end

    def _has_names(self, at: int) -> bool:
        old, new = self.lines[at], self.lines[at + 1]
        if not old.startswith(b"--- ") or not new.startswith(b"+++ ") or b'"' in old + new:
            return False
        return is_path_like(header_name(old[4:])) and is_path_like(header_name(new[4:]))

    def _check_inner(self, path: str, at: int) -> None:
        """``---`` and ``+++`` above the hunks say nothing new, or contradict.

        :raises PatchRefused: when they name another file.
        """
        old, new = header_name(self.lines[at][4:]), header_name(self.lines[at + 1][4:])
        for name in (old, new):
            if name != path and not name.endswith("/" + path):
                message = f"line {at + 1}: {name!r} stands above the hunks of {path!r}"
                raise refuse("bad-header", message, path=path)
        message = f"line {at + 1}: '---' and '+++' name the file once more"
        self.repairs.append(Repair(code="inner-header", path=path, message=message))

    def _hunks(self, path: str, at: int, end: int) -> list[Hunk]:
        hunks: list[Hunk] = []
        anchors: list[bytes] = []
        header: int | None = None
        while at < end:
            line = self.lines[at]
            if line.startswith(b"@@"):
                header = at
                if is_damaged_header(line):
                    message = "this format has no line numbers; those of the header were left aside"
                    self.repairs.append(Repair(code="hunk-header", path=path, hunk=self.number + 1, message=message))
                elif anchor := anchor_of(line):
                    anchors.append(anchor)
                at += 1
                continue
            stop = at
            while stop < end and not self.lines[stop].startswith((b"@@", b"***")):
                stop += 1
            if all(is_blank(item) for item in self.lines[at:stop]) and (stop < end or header is None):
                if stop < end and self.lines[stop].startswith(b"***"):
                    raise self._stray(path, stop)
                at = stop
                continue
            if all(is_blank(item) for item in self.lines[at:stop]):
                break
            found = self._body(path, at, stop)
            at_end = stop < end and self.lines[stop].startswith(b"***")
            if at_end and self.marker(stop) is None:
                raise self._unknown(stop)
            made = pieces(found, tuple(anchors), path, self.number + 1, at_end=at_end)
            self.number += len(made)
            hunks += made
            anchors, header = [], None
            at = stop + 1 if at_end else stop
        if header is not None:
            code = "truncated" if end >= len(self.lines) else "empty-hunk"
            raise refuse(
                code,
                f"line {header + 1}: no line of a hunk follows {text_of(self.lines[header])}",
                path=path,
                hunk=self.number + 1,
            )
        return hunks

    def _stray(self, path: str, at: int) -> PatchRefused:
        if self.marker(at) is None:
            return self._unknown(at)
        return refuse("empty-hunk", f"line {at + 1}: no hunk stands above '*** End of File'", path=path)

    def _body(self, path: str, at: int, stop: int) -> Body:
        body = finish_body(self.lines, at, stop, path, self.number + 1, self.repairs)
        for offset, (tag, line) in enumerate(body.lines):
            if tag != " " and is_comment_elision(line):
                raise refuse(
                    "elided",
                    f"line {at + offset + 1}: {text_of(line)} stands for code that was left out",
                    path=path,
                    hunk=self.number + 1,
                    hint="write out every line that the hunk adds or removes",
                )
        return replace(body, crlf=self.lines[at].endswith(b"\r\n"))


def _is_rounded(change: Change) -> bool:
    """Whether a file at the end of a text without an end mark shows by itself that it is whole."""
    if change.op == "delete" or (change.op == "rename" and not change.hunks):
        return True
    if change.op == "create" or not change.hunks:
        return False
    last = change.hunks[-1]
    if last.at_end:
        return True
    tags = "".join(tag for tag, _ in last.lines)
    above, below = len(tags) - len(tags.lstrip(" ")), len(tags) - len(tags.rstrip(" "))
    return below > 0 and below >= min(above, 3)


def _merged(changes: list[Change], repairs: list[Repair]) -> tuple[Change, ...]:
    """The changes, those that update the same file as one; its hunks may then stand in any order."""
    first: dict[str, int] = {}
    result: list[Change] = []
    more: dict[int, list[Hunk]] = {}
    for change in changes:
        at = first.get(change.path)
        if at is None or change.op != "modify" or result[at].op != "modify":
            first.setdefault(change.path, len(result))
            result.append(change)
            continue
        more.setdefault(at, []).extend(change.hunks)
    for at, hunks in more.items():
        result[at] = replace(result[at], hunks=(*result[at].hunks, *hunks), ordered=False)
        message = "the file is updated in several places"
        repairs.append(Repair(code="file-twice", path=result[at].path, message=message))
    return tuple(result)


def parse_codex(text: bytes) -> ParsedPatch:
    """Reads every ``*** Begin Patch`` in ``text``.

    :raises PatchRefused: when there is none, or when one cannot be read with certainty.
    """
    lines, unfinished = split_text(text)
    lines, repairs = dedented(lines)
    reader = _Reader(lines, unfinished, repairs=repairs)
    reader.read()
    if not reader.changes:
        raise refuse(
            "no-changes",
            "there is no '*** Begin Patch' with a file in it",
            hint="the patch starts with '*** Begin Patch' in the first column of a line",
        )
    changes = _merged(reader.changes, reader.repairs)
    tags = {tag for change in changes for hunk in change.hunks for tag, _ in hunk.lines}
    if all(change.op == "modify" for change in changes) and not tags - {" "}:
        raise refuse("no-changes", "the patch has context and no line that it adds or removes")
    return ParsedPatch(format="codex", changes=changes, repairs=tuple(reader.repairs))
