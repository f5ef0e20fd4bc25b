"""Operations on lines and markers become the content of a file. Line numbers mean the file before the batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from vibehq_tui.patches.content import Built, Splice, build_from_splices, trimmed
from vibehq_tui.patches.errors import PatchConflict, PatchRefused
from vibehq_tui.patches.markers import resolve_marker
from vibehq_tui.patches.model import SYMLINK, Change, Edit, Problem
from vibehq_tui.patches.planned import PlannedHunk, split_lines
from vibehq_tui.patches.tree import Tree

# Where several operations add at one line boundary, this is their order from top to bottom.
_ORDER: Final = {"prepend": 0, "insert-after": 1, "insert-before": 2, "append": 3}


@dataclass(frozen=True, slots=True)
class _Placed:
    splice: Splice
    edit: Edit

    @property
    def rank(self) -> int:
        return _ORDER.get(self.edit.kind, 4)


def plan_create(tree: Tree, edit: Edit) -> bytes:
    """The content of a created file: its block, byte for byte."""
    return _block(tree, edit, "")


def plan_edits(tree: Tree, change: Change, content: bytes, number: int) -> Built:
    """The file with all operations of a batch on it carried out.

    :raises PatchConflict: when a line or a marker is not there.
    :raises PatchRefused: when two operations are on the same lines.
    """
    path = change.from_ or change.path
    if b"\0" in content:
        problem = Problem(code="binary-file", message=f"{change.edits[0].where}: the file is binary", path=path)
        raise PatchRefused([problem])
    lines = split_lines(content)
    file = _File(tree, path, lines, b"\r\n" if content.count(b"\r\n") * 2 > len(lines) else b"\n")
    placed = sorted(
        (file.place(edit) for edit in change.edits), key=lambda item: (item.splice.start, item.splice.end, item.rank)
    )
    _check_overlaps(placed, path)
    splices = [splice for splice in file.joined(placed) if lines[splice.start : splice.end] != list(splice.lines)]
    if not splices:
        return Built(content, (PlannedHunk(number=number),), [])
    return build_from_splices(lines, splices, number)


def _check_overlaps(placed: list[_Placed], path: str) -> None:
    problems = []
    last: _Placed | None = None
    for item in placed:
        if last is not None:
            same_place = last.splice.start == item.splice.start and last.splice.end == item.splice.end
            both_add = same_place and item.splice.start == item.splice.end
            if item.splice.start < last.splice.end or (both_add and last.rank == item.rank):
                message = f"{item.edit.where} and {last.edit.where} are on the same lines"
                problems.append(Problem(code="overlapping-operations", message=message, path=path))
        if last is None or item.splice.end >= last.splice.end:
            last = item
    if problems:
        raise PatchRefused(problems, hint="make one operation of them")


def _block(tree: Tree, edit: Edit, path: str) -> bytes:
    if edit.block is not None:
        return edit.block.encode()
    source = edit.block_file or ""
    blob = tree.read(source)
    if blob is None or blob.mode == SYMLINK:
        problem = Problem(
            code="missing-file", message=f"{edit.where}.blockFile: there is no file {source!r}", path=path or source
        )
        raise PatchConflict([problem])
    return blob.content


def _is_blank(line: bytes) -> bool:
    return not line.strip()


@dataclass(frozen=True, slots=True)
class _File:
    """The file that operations are placed in."""

    tree: Tree
    path: str
    lines: list[bytes]
    end: bytes
    """How its lines end."""

    def place(self, edit: Edit) -> _Placed:
        """Which lines an operation replaces, and by which."""
        block = _block(self.tree, edit, self.path)
        lines = [line.removesuffix(b"\n").removesuffix(b"\r") + self.end for line in split_lines(block)]
        start, end, indent = self._range(edit)
        if indent and lines and all(_is_blank(line) or line[:1] not in b" \t" for line in lines[:1]):
            lines = [line if _is_blank(line) else indent + line for line in lines]
        if edit.open_space and start == end:
            lines = self._spaced(edit, lines, start)
        return _Placed(Splice(start, end, tuple(lines)), edit)

    def _range(self, edit: Edit) -> tuple[int, int, bytes]:
        """First line, line behind the last, and the indentation that a flush-left block takes."""
        if edit.kind == "append":
            return len(self.lines), len(self.lines), b""
        if edit.kind == "prepend":
            return 0, 0, b""
        if edit.kind == "replace-block":
            self._check_line(edit, "start", edit.start)
            self._check_line(edit, "end", edit.end)
            return edit.start - 1, edit.end, b""
        if edit.kind == "replace-between":
            top = self._marker(edit, edit.marker or "", "start")
            bottom = self._marker(edit, edit.end_marker or "", "end")
            if bottom <= top:
                message = (
                    f"{edit.where}: the end marker in line {bottom + 1} is not below the start marker in line {top + 1}"
                )
                raise PatchConflict([Problem(code="marker-order", message=message, path=self.path)])
            return top + 1, bottom, self._indent(top)
        if edit.marker is None:
            self._check_line(edit, "line", edit.start)
            at, indent = edit.start - 1, b""
        else:
            at = self._marker(edit, edit.marker, "point")
            indent = self._indent(at)
        at += edit.kind == "insert-after"
        return at, at, indent

    def _check_line(self, edit: Edit, key: str, line: int) -> None:
        if line > len(self.lines):
            message = f"{edit.where}.{key}: there is no line {line}; the file has {len(self.lines)}"
            raise PatchConflict([Problem(code="no-such-line", message=message, path=self.path)])

    def _marker(self, edit: Edit, name: str, role: str) -> int:
        return resolve_marker(self.lines, name, role, path=self.path, where=edit.where)

    def _indent(self, at: int) -> bytes:
        line = self.lines[at]
        return line[: len(line) - len(line.lstrip(b" \t"))]

    def _spaced(self, edit: Edit, block: list[bytes], at: int) -> list[bytes]:
        """The block with blank lines kept between it and the lines around it."""
        wanted = [self.end] * edit.open_space
        above = self.lines[:at][-edit.open_space :]
        below = self.lines[at : at + edit.open_space]
        if above:
            blank = next((count for count, line in enumerate(reversed(above)) if not _is_blank(line)), len(above))
            block = wanted[blank:] + block
        if below:
            blank = next((count for count, line in enumerate(below) if not _is_blank(line)), len(below))
            block = block + wanted[blank:]
        return block

    def joined(self, placed: list[_Placed]) -> list[Splice]:
        """The splices with additions at one place joined and trimmed, and the end of the file put right."""
        joined: list[Splice] = []
        for item in placed:
            splice = item.splice
            if joined and joined[-1].end == splice.start:
                splice = Splice(joined[-1].start, splice.end, joined.pop().lines + splice.lines)
            joined.append(splice)
        if joined and joined[-1].end == len(self.lines) and self.lines and not self.lines[-1].endswith(b"\n"):
            joined[-1] = self._at_open_end(joined[-1], placed[-1].edit)
        return [trimmed(self.lines, splice) for splice in joined]

    def _at_open_end(self, splice: Splice, edit: Edit) -> Splice:
        """A splice at the end of a file without a final newline."""
        start, lines = splice.start, list(splice.lines)
        adds = start == splice.end
        if adds:
            start -= 1
            lines.insert(0, self.lines[-1] + self.end)
        explicit = adds and (edit.block or "").endswith("\n")
        if lines and not explicit:
            lines[-1] = lines[-1].removesuffix(self.end)
        return Splice(start, splice.end, tuple(lines))
