"""What of a plan is shown: more or less of the file around each change, with or without changes of blanks alone.

Only what is seen changes, never what is decided: every line knows which lines of the hunk it stands for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from vibehq_tui.patches.planning.plan import Plan
from vibehq_tui.patches.planning.planned import PlannedFile, PlannedHunk, split_lines
from vibehq_tui.tui.widgets.diff_text import Line, pair, runs

WHOLE = 1 << 30
"""As many lines of context as the file has."""

_LEVELS: tuple[int | None, ...] = (0, 1, None, 10, 25, 100, WHOLE)

Origins = Mapping[int, Sequence[tuple[int, ...]]]
"""By hunk number, for each line that is shown, the indexes of the hunk's own lines that it stands for; none for context
that the hunk does not have."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A way of showing a plan."""

    context: int | None = None
    """Lines around the changes of each hunk; none as the patch has them."""
    blanks: bool = True
    """Show changes of blanks alone."""

    def wider(self, step: int) -> Shape | None:
        """The next level of context, or the one before; none when there is none."""
        at = _LEVELS.index(self.context) + step
        return replace(self, context=_LEVELS[at]) if 0 <= at < len(_LEVELS) else None

    def words(self) -> str:
        """``25 lines of context``."""
        if self.context is None:
            return "context as in the patch"
        if self.context == WHOLE:
            return "the whole file"
        return f"{self.context} {'line' if self.context == 1 else 'lines'} of context"


class Shaped(NamedTuple):
    """A plan to be shown, and where its lines come from."""

    plan: Plan
    origins: Origins


def shaped(plan: Plan, shape: Shape) -> Shaped:
    """The plan as ``shape`` shows it; hunks keep their numbers."""
    if shape == Shape():
        return Shaped(plan, {})
    origins: dict[int, Sequence[tuple[int, ...]]] = {}
    files: list[PlannedFile] = []
    for file in plan.files:
        hunks = []
        for hunk, drawn in zip(file.hunks, _with_context(file, shape.context), strict=True):
            shown = drawn if shape.blanks else drawn.without_blanks()
            hunks.append(shown.hunk(hunk))
            origins[hunk.number] = shown.origins
        files.append(replace(file, hunks=tuple(hunks)))
    return Shaped(replace(plan, files=tuple(files)), origins)


class _Drawn(NamedTuple):
    """A hunk as it is shown."""

    old_first: int
    """Index of its first line in the old file."""
    new_first: int
    lines: Sequence[Line]
    origins: Sequence[tuple[int, ...]]

    def hunk(self, hunk: PlannedHunk) -> PlannedHunk:
        """``hunk`` as it is shown."""
        old = sum(tag != "+" for tag, _ in self.lines)
        new = sum(tag != "-" for tag, _ in self.lines)
        return replace(
            hunk,
            old_start=self.old_first + 1 if old else self.old_first,
            old_lines=old,
            new_start=self.new_first + 1 if new else self.new_first,
            new_lines=new,
            lines=tuple(self.lines),
        )

    def without_blanks(self) -> _Drawn:
        """With lines that differ in blanks alone shown once, as the new file has them."""
        lines: list[Line] = []
        origins: list[tuple[int, ...]] = []

        def take(indexes: Iterator[int] | range) -> None:
            for index in indexes:
                lines.append(self.lines[index])
                origins.append(self.origins[index])

        at = 0
        for run in runs(self.lines):
            start = run.removed.start if run.removed else run.added.start
            take(range(at, start))
            removed, added = run.removed.start, run.added.start
            for old, new in pair(self.lines, run):
                if _bare(self.lines[old][1]) != _bare(self.lines[new][1]):
                    continue
                take(range(removed, old))
                take(range(added, new))
                lines.append((" ", self.lines[new][1]))
                origins.append((*self.origins[old], *self.origins[new]))
                removed, added = old + 1, new + 1
            take(range(removed, run.removed.stop))
            take(range(added, run.added.stop))
            at = run.added.stop
        take(range(at, len(self.lines)))
        return _Drawn(self.old_first, self.new_first, lines, origins)


def _bare(line: bytes) -> bytes:
    return b"".join(line.split())


def _with_context(file: PlannedFile, context: int | None) -> Iterator[_Drawn]:
    """The hunks of a file with so many lines around their changes; hunks never overlap."""
    before = split_lines(file.before) if context and file.before is not None and not file.binary else []
    free = 0  # the first line of the file that no hunk shows yet
    for number, hunk in enumerate(file.hunks):
        new_first = hunk.new_start - 1 if hunk.new_lines else hunk.new_start
        lines: list[Line] = list(hunk.lines)
        origins: list[tuple[int, ...]] = [(index,) for index in range(len(lines))]
        if context is None or not lines:
            yield _Drawn(hunk.first, new_first, lines, origins)
            continue
        lead, tail = _edges(lines)
        above = min(context, lead + max(hunk.first - free, 0) if before else lead)
        end = hunk.first + hunk.old_lines
        room = _room_below(file.hunks, number, len(before), context, end) if before else 0
        below = min(context, tail + room)
        first = hunk.first + lead - above
        extra = [(" ", line) for line in before[first : hunk.first]]
        more = [(" ", line) for line in before[end : end + below - tail]]
        own = range(max(lead - above, 0), len(lines) - max(tail - below, 0))
        yield _Drawn(
            first,
            new_first + lead - above,
            [*extra, *(lines[index] for index in own), *more],
            [*[()] * len(extra), *(origins[index] for index in own), *[()] * len(more)],
        )
        free = end + max(below - tail, 0)


def _edges(lines: Sequence[Line]) -> tuple[int, int]:
    """How many lines of context stand before the first change and after the last."""
    changed = [index for index, (tag, _) in enumerate(lines) if tag != " "]
    return (changed[0], len(lines) - 1 - changed[-1]) if changed else (len(lines), 0)


def _room_below(hunks: Sequence[PlannedHunk], number: int, total: int, context: int, end: int) -> int:
    """Lines below a hunk that it may show: up to the next hunk, which gets its half."""
    if number + 1 == len(hunks):
        return max(total - end, 0)
    following = hunks[number + 1]
    gap = max(following.first - end, 0)
    wanted = max(context - _edges(following.lines)[0], 0)
    return max(gap - wanted, (gap + 1) // 2)
