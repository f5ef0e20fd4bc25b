"""Operations on lines and markers become the content of a file. Line numbers mean the file before the batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from vibehq_tui.patches.errors import PatchConflict, PatchRefused
from vibehq_tui.patches.markers.markers import MarkedFile
from vibehq_tui.patches.model import SYMLINK, Change, Edit, Problem
from vibehq_tui.patches.planning.content import Built, Splice, build_from_splices, trimmed
from vibehq_tui.patches.planning.indents import Indents, merged
from vibehq_tui.patches.planning.planned import PlannedHunk, split_lines
from vibehq_tui.patches.planning.tree import Tree

# Where several operations add at one line boundary, this is their order from top to bottom.
_ORDER: Final = {"prepend": 0, "insert-after": 1, "insert-before": 2, "append": 3}
_MOST_PROBLEMS: Final = 100


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
    end = b"\r\n" if content.count(b"\r\n") * 2 > len(lines) else b"\n"
    replaced = merged((edit.start - 1, edit.end) for edit in change.edits if edit.end)
    file = _File(tree, MarkedFile(path, content, lines), lines, end, Indents(path, lines, replaced))
    placed = sorted(
        (file.place(edit) for edit in change.edits), key=lambda item: (item.splice.start, item.splice.end, item.rank)
    )
    _check_overlaps(placed, path)
    splices = [splice for splice in file.joined(placed) if lines[splice.start : splice.end] != list(splice.lines)]
    if not splices:
        return Built(content, (PlannedHunk(number=number),), [])
    built = build_from_splices(lines, splices, number)
    built.repairs += file.indents.repairs
    built.warnings += file.indents.warnings
    return built


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
        raise PatchRefused(problems[:_MOST_PROBLEMS], hint="make one operation of them")


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
    if b"\0" in blob.content and edit.kind != "create":
        problem = Problem(
            code="binary-file", message=f"{edit.where}.blockFile: {source!r} is binary", path=path or source
        )
        raise PatchRefused([problem])
    return blob.content


def _is_blank(line: bytes) -> bool:
    return not line.strip()


@dataclass(frozen=True, slots=True)
class _File:
    """The file that operations are placed in."""

    tree: Tree
    marked: MarkedFile
    lines: list[bytes]
    end: bytes
    """How its lines end."""
    indents: Indents

    @property
    def path(self) -> str:
        return self.marked.path

    def place(self, edit: Edit) -> _Placed:
        """Which lines an operation replaces, and by which."""
        block = _block(self.tree, edit, self.path)
        lines = [line.removesuffix(b"\n").removesuffix(b"\r") + self.end for line in split_lines(block)]
        start, end, anchor = self._range(edit)
        if anchor is not None:
            lines = self.indents.fit(edit, lines, start, end, anchor)
        if edit.open_space and lines:
            lines = self._spaced(edit, lines, start, end)
        return _Placed(Splice(start, end, tuple(lines)), edit)

    def _range(self, edit: Edit) -> tuple[int, int, int | None]:
        """First line, line behind the last, and the line whose indentation the block may take."""
        if edit.kind == "append":
            return len(self.lines), len(self.lines), None
        if edit.kind == "prepend":
            return 0, 0, None
        if edit.kind == "replace-between" or (edit.kind == "replace-block" and edit.marker is not None):
            return self._between(edit, edit.marker or "", edit.end_marker or edit.marker or "")
        if edit.kind == "replace-block":
            self._check_line(edit, "start", edit.start)
            self._check_line(edit, "end", edit.end)
            return edit.start - 1, edit.end, edit.start - 1
        if edit.marker is None:
            self._check_line(edit, "line", edit.start)
            at = edit.start - 1
        else:
            at = self._marker(edit, edit.marker, "point")
        place = at + (edit.kind == "insert-after")
        return place, place, at

    def _between(self, edit: Edit, start: str, end: str) -> tuple[int, int, int]:
        """The lines between two markers, which stay."""
        top = self._marker(edit, start, "start")
        bottom = self._marker(edit, end, "end")
        if bottom == top:
            message = f"{edit.where}: {start!r} is a single line, in line {top + 1}; a span has a start and an end"
            raise PatchConflict(
                [Problem(code="marker-is-point", message=message, path=self.path, candidates=(top + 1,))]
            )
        if bottom < top:
            message = (
                f"{edit.where}: the end marker in line {bottom + 1} is not below the start marker in line {top + 1}"
            )
            raise PatchConflict([Problem(code="marker-order", message=message, path=self.path)])
        torn = self.marked.damaged_by(top + 1, bottom)
        if torn is not None:
            message = (
                f"{edit.where}: between the lines {top + 1} and {bottom + 1} there is one half of the span "
                f"{torn.name!r} (lines {torn.line} to {torn.end}), which would be torn"
            )
            raise PatchConflict([Problem(code="marker-crossed", message=message, path=self.path)])
        return top + 1, bottom, top

    def _check_line(self, edit: Edit, key: str, line: int) -> None:
        if line > len(self.lines):
            count = len(self.lines)
            has = "is empty" if not count else f"has {count} line{'s' if count > 1 else ''}"
            meant = "; append is for its end" if key == "line" and line == count + 1 else ""
            message = f"{edit.where}.{key}: there is no line {line}; the file {has}{meant}"
            raise PatchConflict([Problem(code="no-such-line", message=message, path=self.path)])

    def _marker(self, edit: Edit, name: str, role: str) -> int:
        return self.marked.resolve(name, role, edit.where)

    def _spaced(self, edit: Edit, block: list[bytes], start: int, end: int) -> list[bytes]:
        """The block with blank lines kept between it and the lines around it; those that are there already count."""
        wanted = [self.end] * edit.open_space
        above = self.lines[max(start - edit.open_space, 0) : start]
        below = self.lines[end : end + edit.open_space]
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
