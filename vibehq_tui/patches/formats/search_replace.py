"""SEARCH/REPLACE blocks, as aider, Cline, Roo and many prompts ask for them.

A block names the lines that a file has and the lines that it is to have. The name of the file stands above the block
or its fence, in the fence, or was given with the block before. What could be read in two ways is refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from vibehq_tui.patches.errors import refuse
from vibehq_tui.patches.formats.blocks import HEAD, TAIL, Block, find_block
from vibehq_tui.patches.formats.bodies import named_change
from vibehq_tui.patches.formats.elisions import is_comment_elision, is_dots, is_elision
from vibehq_tui.patches.formats.labels import Label, checked_name, info_name, introduced, mentioned, read_label
from vibehq_tui.patches.formats.lines import fence_mark, is_blank, split_text, text_of
from vibehq_tui.patches.formats.rescue import dedented
from vibehq_tui.patches.formats.sides import tagged
from vibehq_tui.patches.formats.written import check_written
from vibehq_tui.patches.model import Change, Hunk, ParsedPatch, Repair

_ODD: Final = re.compile(rb"(?:<{3,} ?(?:SEARCH|ORIGINAL)|>{3,} ?(?:REPLACE|UPDATED))\b")
_START_LINE: Final = re.compile(rb":start_line: ?(\d{1,9})$")
_LINE_FIELD: Final = re.compile(rb":(?:start|end)_line: ?\d{1,9}$")
_RULE: Final = re.compile(rb"-{5,9}$")
_OTHER_FORMAT: Final = (b"diff --git ", b"+++ ", b"*** Update File:", b"*** Add File:", b"*** Delete File:")
_CONFLICT: Final = re.compile(rb"<{7} (?!SEARCH|ORIGINAL)\S")
_TAG_LINE: Final = re.compile(rb"</?(?:diff|content|replace_in_file|apply_diff|edit|search_replace)>$")
_STUB_MARKS: Final = (b"@overload", b"@abstractmethod", b"@abc.abstractmethod", b"@typing.overload", b"@t.overload")


@dataclass(slots=True)
class _Reader:
    lines: list[bytes]
    names: list[str] = field(default_factory=list)
    """The files, in the order in which they come up."""
    hunks: dict[str, list[Hunk]] = field(default_factory=dict)
    created: set[str] = field(default_factory=set)
    repairs: list[Repair] = field(default_factory=list)
    number: int = 0
    held: str | None = None
    """The file of the block before."""

    # Markers

    def read(self) -> None:
        """Every block of the text."""
        at = behind = 0
        while at < len(self.lines):
            line = self.lines[at]
            if line[:5] in (b"<<<<<", b"-----") and HEAD.match(line.rstrip()):
                block = find_block(self.lines, at)
                path = self._name(block, behind)
                self._take(block, path)
                at = behind = block.tail + 1
                continue
            if line[:1] in (b" ", b"\t") and line.lstrip()[:5] == b"<<<<<" and HEAD.match(line.strip()):
                raise refuse(
                    "indented-text",
                    f"line {at + 1}: the block is indented, and it is not certain by how much its content is",
                    hint="put the block into the first column, or into a fence that is indented as it is",
                )
            stray = line[:5] in (b">>>>>", b"+++++") and TAIL.match(line.rstrip())
            if stray or (line[:3] in (b"<<<", b">>>") and _ODD.match(line)):
                raise refuse(
                    "stray-marker",
                    f"line {at + 1}: {text_of(line)} belongs to no block, or is no marker that is known",
                    hint="a block is <<<<<<< SEARCH, =======, >>>>>>> REPLACE",
                )
            at += 1

    # Names

    def _name(self, block: Block, behind: int) -> str:
        """The file that a block is for.

        :param behind: the line behind the block before.
        """
        match = HEAD.match(self.lines[block.head].rstrip())
        if match is not None and match[2]:
            label = read_label(match[2])
            if label is not None:
                return self._hold(label.name, block.head)
        others: set[str] = set()
        near = True
        for at in range(block.head - 1, behind - 1, -1):
            line = self.lines[at]
            if is_blank(line) or _TAG_LINE.match(line.strip()):
                continue
            if line.startswith(_OTHER_FORMAT):
                self.held = None
                break
            mark = fence_mark(line)
            if mark is not None:
                name = info_name(mark.info) if mark.info and near else None
                if name is not None:
                    return self._hold(name, at)
                continue
            found = self._label(at, near=near)
            if found is not None:
                return self._settled(found, others, at)
            others |= mentioned(line)
            near = False
        others.discard(self.held or "")
        searched = self.lines[block.head + 1 : block.middle]
        if self.held is None and len(others) == 1 and not all(is_blank(line) for line in searched):
            name = others.pop()
            message = f"line {block.head + 1}: the text above the block names {name!r} and no other file"
            self.repairs.append(Repair(code="name-in-text", path=name, message=message))
            return self._hold(name, block.head)
        if self.held is None or others:
            raise refuse(
                "no-file-name",
                f"line {block.head + 1}: it is not certain which file the block is for"
                + (f"; the text above it names {sorted(others)[0]!r}" if others else ""),
                hint="put the path on a line of its own above the block",
            )
        return self.held

    def _label(self, at: int, *, near: bool) -> str | None:
        """The name on a line above a block; away from the block it must be marked as one."""
        name = introduced(self.lines[at])
        if name is not None:
            return name
        label = read_label(self.lines[at])
        if label is None or (not near and (not label.dressed or label.listed)):
            return None
        if label.listed and self._other_item(label, at):
            raise refuse(
                "no-file-name",
                f"line {at + 1}: the block stands below a list of files, and it is not certain which of them it is for",
                hint="put the path on a line of its own above the block",
            )
        return label.name

    def _other_item(self, label: Label, at: int) -> bool:
        above = read_label(self.lines[at - 1]) if at else None
        return above is not None and above.listed and above.name != label.name

    def _settled(self, name: str, others: set[str], at: int) -> str:
        others = {other for other in others if other != name and not name.endswith("/" + other)}
        if others:
            raise refuse(
                "no-file-name",
                f"line {at + 1} names {name!r}, and the text below it {sorted(others)[0]!r}; it is not certain which "
                "the block is for",
                hint="put the path on a line of its own right above the block",
            )
        return self._hold(name, at)

    def _hold(self, name: str, at: int) -> str:
        self.held = checked_name(name, at, self.repairs)
        return self.held

    # Content

    def _take(self, block: Block, path: str) -> None:
        crlf = self.lines[block.head].endswith(b"\r\n")
        old = self.lines[block.head + 1 : block.middle]
        new = self.lines[block.middle + 1 : block.tail]
        old, start = _without_fields(old)
        if path not in self.hunks:
            self.names.append(path)
            self.hunks[path] = []
        if all(is_blank(line) for line in old):
            self._create(block, path, new, crlf=crlf)
            return
        if path in self.created:
            raise self._twice(block, path)
        for index, (old_part, new_part) in enumerate(self._parts(block, path, old, new)):
            lines = tagged(old_part, new_part)
            # A hunk with a number that adds at its edge would say that the file begins or ends there; a block does not.
            edged = "+" in (lines[0][0], lines[-1][0])
            count = len(old_part) if start is not None and index == 0 and not edged else 0
            self.number += 1
            self.hunks[path].append(
                Hunk(
                    old_start=start if start is not None and count else 0,
                    old_count=count,
                    new_start=0,
                    new_count=len(new_part) if count else 0,
                    section="",
                    lines=lines,
                    crlf_text=crlf,
                    numbered=bool(count),
                    continues=index > 0,
                )
            )

    def _create(self, block: Block, path: str, new: Sequence[bytes], *, crlf: bool) -> None:
        if self.hunks[path] or path in self.created:
            raise self._twice(block, path)
        if all(is_blank(line) for line in new):
            raise refuse(
                "empty-hunk", f"line {block.head + 1}: the block has nothing to search and nothing to add", path=path
            )
        if any(is_comment_elision(line) for line in new):
            raise refuse("elided", f"line {block.head + 1}: code was left out of the new file", path=path)
        check_written(new, path, block.middle + 1)
        self.created.add(path)
        self.number += 1
        self.hunks[path].append(
            Hunk(
                old_start=0,
                old_count=0,
                new_start=1,
                new_count=len(new),
                section="",
                lines=tuple(("+", line) for line in new),
                crlf_text=crlf,
            )
        )

    def _twice(self, block: Block, path: str) -> Exception:
        return refuse(
            "same-file-twice",
            f"line {block.head + 1}: the file is created by one block, and searched or created by another",
            path=path,
        )

    def _parts(
        self, block: Block, path: str, old: list[bytes], new: list[bytes]
    ) -> list[tuple[list[bytes], list[bytes]]]:
        """The two sides, cut where both leave code out.

        :raises PatchRefused: when only one does, or lines have no place but beside what was left out.
        """
        old_cuts, new_cuts = _cuts(old, path), _cuts(new, path)
        if len(old_cuts) != len(new_cuts):
            where = block.head + 2 + old_cuts[0] if old_cuts else block.middle + 2 + new_cuts[0]
            raise refuse(
                "elided",
                f"line {where}: code was left out, {len(old_cuts)} times of what is searched and {len(new_cuts)} times "
                "of what is put there",
                path=path,
                hunk=self.number + 1,
                hint="write the lines out, or leave the same ones out on both sides",
            )
        for old_at, new_at in zip(old_cuts, new_cuts, strict=True):
            if not _is_pair(old[old_at], new[new_at]):
                raise refuse(
                    "elided",
                    f"lines {block.head + 2 + old_at} and {block.middle + 2 + new_at} leave code out, and differ",
                    path=path,
                    hunk=self.number + 1,
                    hint="write the lines out, or leave them out in the same words and at the same indentation",
                )
        parts = []
        for old_part, new_part in zip(_split(old, old_cuts), _split(new, new_cuts), strict=True):
            if not old_part and new_part:
                raise refuse(
                    "elided",
                    f"line {block.middle + 1}: lines are added beside left-out code, so their place is not certain",
                    path=path,
                    hunk=self.number + 1,
                )
            if old_part:
                parts.append((old_part, new_part))
        if not parts:
            raise refuse("empty-hunk", f"line {block.head + 1}: the block has nothing but left-out code", path=path)
        return parts

    def changes(self) -> tuple[Change, ...]:
        """One change for each file."""
        return tuple(
            named_change(path, self.hunks[path], ordered=False, op="create" if path in self.created else "modify")
            for path in self.names
        )


def _without_fields(old: list[bytes]) -> tuple[list[bytes], int | None]:
    """What is searched, without ``:start_line:`` and its like above it, and the line that they claim."""
    at = 0
    start: int | None = None
    while at < len(old) and _LINE_FIELD.match(old[at].rstrip()):
        match = _START_LINE.match(old[at].rstrip())
        start = int(match[1]) if match is not None else start
        at += 1
    if at and at < len(old) and _RULE.match(old[at].rstrip()):
        return old[at + 1 :], start or None
    return old, None


def _cuts(lines: list[bytes], path: str) -> list[int]:
    """Where code was left out; an Ellipsis that must be meant as such is not counted."""
    return [at for at, line in enumerate(lines) if is_elision(line) and not _is_stub(lines, at, path)]


def _is_stub(lines: list[bytes], at: int, path: str) -> bool:
    """Whether dots are the body of a function in Python that has no other."""
    if not is_dots(lines[at]):
        return False
    if path.endswith(".pyi"):
        return True
    if not path.endswith(".py") or at == 0 or not lines[at - 1].rstrip().endswith(b":"):
        return False
    return any(line.strip().startswith(_STUB_MARKS) for line in lines[max(at - 4, 0) : at])


def _is_pair(old: bytes, new: bytes) -> bool:
    """Whether two lines leave out the same code: dots may be code themselves, and then a change of it."""
    if old.rstrip(b"\r\n") == new.rstrip(b"\r\n"):
        return True
    indented_alike = old[: len(old) - len(old.lstrip())] == new[: len(new) - len(new.lstrip())]
    return indented_alike and not is_dots(old) and not is_dots(new)


def _split(lines: list[bytes], cuts: list[int]) -> list[list[bytes]]:
    edges = [-1, *cuts, len(lines)]
    return [lines[edges[index] + 1 : edges[index + 1]] for index in range(len(edges) - 1)]


def parse_search_replace(text: bytes) -> ParsedPatch:
    """Reads every block in ``text``.

    :raises PatchRefused: when there is none, or when one cannot be read with certainty.
    """
    lines, _ = split_text(text)
    lines, repairs = dedented(lines)
    reader = _Reader(lines, repairs=repairs)
    reader.read()
    if not reader.names:
        conflict = any(_CONFLICT.match(line) for line in lines)
        raise refuse(
            "no-changes",
            "there is no SEARCH/REPLACE block in the text"
            + (", only the markers of a merge conflict" if conflict else ""),
            hint="a block starts with <<<<<<< SEARCH in the first column of a line",
        )
    changes = reader.changes()
    if not any(tag != " " for change in changes for hunk in change.hunks for tag, _ in hunk.lines):
        raise refuse("no-changes", "every block puts back what it searches")
    return ParsedPatch(format="search-replace", changes=changes, repairs=tuple(reader.repairs))
