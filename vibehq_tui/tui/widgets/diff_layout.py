"""Which row of a diff stands where: an index that is cheap to make for a hundred thousand lines.

The stream is a sequence of *blocks*, one for each hunk; the first block of a file begins with the file's header. Only
the heights of the blocks are computed up front, from the number of lines; what is in a row is worked out when it is
shown.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from enum import Enum, auto
from itertools import accumulate
from typing import NamedTuple, TypeVar

from rich.cells import cell_len, chop_cells

from storage.records import PatchComment
from vibehq_tui.patches.planning.plan import Plan
from vibehq_tui.patches.planning.planned import PlannedFile, PlannedHunk
from vibehq_tui.text.clean import clean_lines
from vibehq_tui.tui.widgets.diff_shape import Origins
from vibehq_tui.tui.widgets.diff_text import runs

_KEPT = 256
_ON_HUNK = -2

Value = TypeVar("Value")


class Kind(Enum):
    """What a row is."""

    BLANK = auto()
    FILE = auto()
    HUNK = auto()
    LINE = auto()
    NOTE = auto()
    """Says what a change without lines does: binary, rename, mode."""
    COMMENT = auto()
    DECISION = auto()


class Row(NamedTuple):
    """One row of the stream."""

    kind: Kind
    block: int
    line: int = -1
    """Index into the lines of the hunk; side by side of the old line, or -1."""
    other: int = -1
    """Side by side: index of the new line, or -1."""
    text: str = ""
    """Of a comment: the wrapped line."""


class DiffLayout:
    """The rows of a plan for one width and one way of showing it."""

    def __init__(
        self,
        plan: Plan,
        comments: Iterable[PatchComment] = (),
        *,
        width: int = 80,
        split: bool = False,
        preview: bool = False,
        origins: Origins | None = None,
    ) -> None:
        """:param width: cells for a comment.
        :param split: old and new side by side.
        :param preview: no decisions, no blank rows.
        :param origins: which lines of its hunk each line stands for; each for itself when there are none.
        """
        self.plan = plan
        self._origins = origins or {}
        self.split = split
        self.preview = preview
        self.files: tuple[PlannedFile, ...] = tuple(plan.files)
        self.hunks: list[PlannedHunk] = []
        self.file_of: list[int] = []
        """By block: the index of its file."""
        self.first_block: list[int] = []
        """By file: its first block."""
        for index, file in enumerate(self.files):
            self.first_block.append(len(self.hunks))
            self.hunks.extend(file.hunks)
            self.file_of.extend([index] * len(file.hunks))
        self._by_number = {hunk.number: block for block, hunk in enumerate(self.hunks)}
        self._made: OrderedDict[int, list[Row]] = OrderedDict()
        self._counts: OrderedDict[int, tuple[int, int]] = OrderedDict()
        self._numbers: OrderedDict[int, list[tuple[int, int]]] = OrderedDict()
        self._comments = self._placed(comments, max(width - 4, 20))
        heights = (self._height(block) for block in range(len(self.hunks)))
        self._starts = list(accumulate(heights, initial=0))
        self.height: int = self._starts[-1]
        self.digits = max(
            (len(str(max(hunk.old_start + hunk.old_lines, hunk.new_start + hunk.new_lines))) for hunk in self.hunks),
            default=1,
        )
        """Of the greatest line number."""

    # -- where things are ------------------------------------------------------------------------------------------

    def block_at(self, y: int) -> int:
        """The block that row ``y`` belongs to."""
        return max(min(bisect_right(self._starts, y) - 1, len(self.hunks) - 1), 0)

    def block_of(self, number: int) -> int | None:
        """The block of a hunk by its number through the patch."""
        return self._by_number.get(number)

    def is_first(self, block: int) -> bool:
        """Whether a block begins a file."""
        return self.first_block[self.file_of[block]] == block

    def position(self, block: int) -> tuple[int, int]:
        """Which hunk of its file a block is: ``(2, 4)``."""
        file = self.file_of[block]
        return block - self.first_block[file] + 1, len(self.files[file].hunks)

    def top(self, block: int) -> int:
        """The row of the block's hunk header, or of its note: what to bring into view."""
        return self._starts[block] + self._lead(block)

    def bottom(self, block: int) -> int:
        """The last row of the block."""
        return self._starts[block + 1] - 1

    def file_row(self, file: int) -> int:
        """The row of a file's header."""
        block = self.first_block[file]
        return self._starts[block] + (0 if self.preview or block == 0 else 1)

    def first_change(self, block: int) -> int:
        """The row of the first added or removed line of a block; its top when it has none."""
        for index, (tag, _) in enumerate(self.hunks[block].lines):
            if tag != " ":
                return self.row_of_line(block, index)
        return self.top(block)

    def row_of_line(self, block: int, line: int) -> int:
        """The row that shows a line of a hunk."""
        if not self.split and block not in self._comments:
            return self.top(block) + 1 + line
        for offset, row in enumerate(self._rows(block)):
            if row.kind is Kind.LINE and line in (row.line, row.other):
                return self._starts[block] + offset
        return self.top(block)

    def row(self, y: int) -> Row:
        """What is in row ``y``."""
        if not 0 <= y < self.height:
            return Row(Kind.BLANK, -1)
        block = self.block_at(y)
        offset = y - self._starts[block]
        if self.split or block in self._comments:
            return self._rows(block)[offset]
        lead = self._lead(block)
        if offset < lead:
            blank = not self.preview and block > 0 and offset == 0
            return Row(Kind.BLANK if blank else Kind.FILE, block)
        lines = len(self.hunks[block].lines)
        if not lines:
            return Row(Kind.NOTE if offset == lead else Kind.DECISION, block)
        if offset == lead:
            return Row(Kind.HUNK, block)
        return Row(Kind.LINE, block, offset - lead - 1) if offset - lead <= lines else Row(Kind.DECISION, block)

    def is_line(self, y: int) -> bool:
        """Whether row ``y`` is a line of a hunk."""
        return self.row(y).kind is Kind.LINE

    def lines_between(self, block: int, first: int, last: int) -> tuple[int, ...]:
        """The lines of a hunk, by their positions in it from 1, that rows ``first`` to ``last`` stand for."""
        origins = self._origins.get(self.hunks[block].number)
        if origins is None and not self.split and block not in self._comments:
            start, count = self.top(block) + 1, len(self.hunks[block].lines)
            return tuple(range(max(first - start, 0) + 1, min(last - start, count - 1) + 2))
        found: set[int] = set()
        for y in range(max(first, self.top(block)), min(last, self.bottom(block)) + 1):
            row = self.row(y)
            for index in (row.line, row.other) if row.kind is Kind.LINE else ():
                if index >= 0:
                    found.update((index,) if origins is None else origins[index])
        return tuple(index + 1 for index in sorted(found))

    def line_rows(self, block: int) -> tuple[int, int] | None:
        """The first and the last row of a block that show a line; none where it has no lines."""
        lines = len(self.hunks[block].lines)
        return (self.row_of_line(block, 0), self.row_of_line(block, lines - 1)) if lines else None

    def numbers(self, block: int) -> list[tuple[int, int]]:
        """For each line of a hunk its number in the old and in the new file, 0 where it is not in that file."""
        if block not in self._numbers:
            hunk = self.hunks[block]
            old, new = hunk.old_start, hunk.new_start
            table: list[tuple[int, int]] = []
            for tag, _ in hunk.lines:
                table.append((0 if tag == "+" else old, 0 if tag == "-" else new))
                old += tag != "+"
                new += tag != "-"
            _keep(self._numbers, block, table)
        return self._numbers[block]

    def counts(self, file: int) -> tuple[int, int]:
        """Added and removed lines of a file."""
        if file not in self._counts:
            signs = [sign for hunk in self.files[file].hunks for sign, _ in hunk.lines]
            _keep(self._counts, file, (signs.count("+"), signs.count("-")))
        return self._counts[file]

    def place(self, row: Row) -> tuple[str, int | None]:
        """The path and the line in the new file that a row stands for; for a removed line, the one that follows it."""
        path = self.files[self.file_of[row.block]].path
        hunk = self.hunks[row.block]
        if row.kind is Kind.FILE or not hunk.lines:
            return path, None
        index = max(row.line, row.other)
        numbers = self.numbers(row.block)
        if row.kind is not Kind.LINE:
            index = next((i for i, (tag, _) in enumerate(hunk.lines) if tag != " "), 0)
        for _, new in numbers[max(index, 0) :]:
            if new:
                return path, new
        return path, max(hunk.new_start + hunk.new_lines - 1, 1)

    def find(self, path: str, line: int | None) -> int | None:
        """The row that shows a line of the new file; none where no hunk does."""
        index = next((index for index, file in enumerate(self.files) if file.path == path), None)
        if index is None or line is None:
            return None
        block, place = self._find_line(index, line)
        return None if place < 0 else self.row_of_line(block, place)

    # -- making rows -----------------------------------------------------------------------------------------------

    def _lead(self, block: int) -> int:
        """Rows of a block before its hunk header: the file's header with a blank row above, and remarks on the file."""
        if not self.is_first(block):
            return 0
        own = 1 if self.preview or block == 0 else 2
        return own + len(self._comments.get(block, {}).get(-1, ()))

    def _height(self, block: int) -> int:
        if not self.split and block not in self._comments:
            lines = len(self.hunks[block].lines)
            return self._lead(block) + 1 + lines + (0 if self.preview else 1)
        return sum(1 for _ in self._generate(block))

    def _rows(self, block: int) -> list[Row]:
        if block not in self._made:
            _keep(self._made, block, list(self._generate(block)))
        self._made.move_to_end(block)
        return self._made[block]

    def _generate(self, block: int) -> Iterator[Row]:
        """Every row of a block, for those that cannot be counted at once."""
        remarks = self._comments.get(block, {})
        if self.is_first(block):
            if not self.preview and block > 0:
                yield Row(Kind.BLANK, block)
            yield Row(Kind.FILE, block)
            yield from (Row(Kind.COMMENT, block, text=text) for text in remarks.get(-1, ()))
        if not self.hunks[block].lines:
            yield Row(Kind.NOTE, block)
        else:
            yield Row(Kind.HUNK, block)
            yield from (Row(Kind.COMMENT, block, text=text) for text in remarks.get(_ON_HUNK, ()))
            for left, right in self._lines(block):
                yield Row(Kind.LINE, block, left, right)
                for index in dict.fromkeys(i for i in (left, right) if i >= 0):
                    yield from (Row(Kind.COMMENT, block, index, text=text) for text in remarks.get(index, ()))
        if not self.preview:
            yield Row(Kind.DECISION, block)

    def _lines(self, block: int) -> Iterator[tuple[int, int]]:
        lines = self.hunks[block].lines
        if not self.split:
            yield from ((index, -1) for index in range(len(lines)))
            return
        at = 0
        for run in runs(lines):
            first = run.removed.start if run.removed else run.added.start
            yield from ((index, index) for index in range(at, first))
            for step in range(max(len(run.removed), len(run.added))):
                left = run.removed[step] if step < len(run.removed) else -1
                right = run.added[step] if step < len(run.added) else -1
                yield left, right
            at = run.added.stop
        yield from ((index, index) for index in range(at, len(lines)))

    def _placed(self, comments: Iterable[PatchComment], width: int) -> dict[int, dict[int, list[str]]]:
        """By block and line index (-1: file, -2: hunk) the wrapped rows of remarks; those on the patch have none."""
        found: dict[int, dict[int, list[str]]] = {}
        files = {file.path: index for index, file in enumerate(self.files)}
        for comment in comments:
            file = files.get(comment.path or "")
            if file is None or not self.files[file].hunks or comment.resolved_by is not None:
                continue
            block, index = self._find_line(file, comment.line)
            if comment.line is None and comment.hunk in self._by_number:
                block, index = self._by_number[comment.hunk], _ON_HUNK
            where = f", line {comment.line}" if comment.line is not None and index < 0 else ""
            rows = _wrapped(f"{comment.by}{where}: {comment.text}", width)
            found.setdefault(block, {}).setdefault(index, []).extend(rows)
        return found

    def _find_line(self, file: int, line: int | None) -> tuple[int, int]:
        """The block and the index of a line of the new file; the file's header where no hunk shows it."""
        first = self.first_block[file]
        if line is not None:
            for offset, hunk in enumerate(self.files[file].hunks):
                if hunk.new_start <= line < hunk.new_start + hunk.new_lines:
                    block = first + offset
                    return block, next(i for i, (_, new) in enumerate(self.numbers(block)) if new == line)
        return first, -1


def _wrapped(text: str, width: int) -> list[str]:
    """A remark in lines of at most ``width`` cells, broken at blanks where there are any."""
    rows: list[str] = []
    for paragraph in clean_lines(text, 10_000).split("\n"):
        row, used = "", 0
        for word in paragraph.expandtabs(4).split(" "):
            size = cell_len(word)
            if row and used + 1 + size > width:
                rows.append(row)
                row, used = "", 0
            if size > width:
                *full, word = chop_cells(word, width)
                rows.extend(full)
                size = cell_len(word)
            row, used = (f"{row} {word}", used + 1 + size) if row else (word, size)
        rows.append(row)
    return rows


def _keep(table: OrderedDict[int, Value], key: int, value: Value) -> None:
    table[key] = value
    while len(table) > _KEPT:
        table.popitem(last=False)
