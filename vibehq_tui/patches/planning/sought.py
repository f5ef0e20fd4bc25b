"""A hunk that is being looked for in a file, and what its lines alone say about where it can be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vibehq_tui.patches.model import Hunk, Lines


@dataclass(slots=True)
class Sought:
    """A hunk, what is looked for, and where it was found."""

    hunk: Hunk
    number: int
    old: list[bytes]
    hint: int
    """The index, from 0, of its first old line by its header; says nothing for a hunk without numbers."""
    start: int | None = None
    match: str = "exact"
    span: int | None = None
    """Lines of the file that it covers, where those are not as many as its own."""
    lines: Lines | None = None
    """Its lines with the text of the file on the old side, where that is another."""
    codes: tuple[str, ...] = ()
    """What differs, as codes of repairs."""
    trimmed: int = 0
    """Lines at its top that were left to the hunk before it."""
    tab: int = 0
    """Spaces that its tabs stand for, in a file that has none."""

    @property
    def end(self) -> int:
        """The index behind its last old line."""
        return (self.start or 0) + (len(self.old) if self.span is None else self.span)

    @property
    def moved(self) -> int:
        """How far from its line it was found."""
        return (self.start or 0) - self.trimmed - self.hint

    @property
    def tagged(self) -> Lines:
        """Its lines, in the words of the file as far as those are others."""
        return self.hunk.lines if self.lines is None else self.lines

    def forget(self) -> None:
        """Back to where nothing was found."""
        self.start, self.match, self.span, self.lines, self.codes = None, "exact", None, None, ()
        self.trimmed = self.tab = 0

    def around(self) -> tuple[int, int]:
        """Context lines above its first change and below its last; all are below if it changes nothing."""
        return around(self.tagged)

    def first_after(self, before: Sought, start: int) -> int:
        """Where it can be at the earliest when ``before`` is at ``start``: their context may overlap, no change may."""
        if self.hunk.continues:
            return start + len(before.old)
        return max(start + len(before.old) - around(before.hunk.lines)[1] - around(self.hunk.lines)[0], start)

    def last_before(self, after: Sought, start: int) -> int:
        """Where it can be at the latest when ``after`` is at ``start``."""
        if after.hunk.continues:
            return start - len(self.old)
        return min(start + around(after.hunk.lines)[0] - len(self.old) + around(self.hunk.lines)[1], start)


def around(lines: Lines) -> tuple[int, int]:
    """Context lines above the first change and below the last; all are below where there is no change."""
    tags = "".join(tag for tag, _ in lines)
    above = len(tags) - len(tags.lstrip(" "))
    return (0, len(tags)) if above == len(tags) else (above, len(tags) - len(tags.rstrip(" ")))


def sought(hunks: Sequence[Hunk], first_number: int, *, reverse: bool = False) -> list[Sought]:
    """The hunks to look for; ``reverse`` looks for what they would leave behind."""
    result = []
    for number, hunk in enumerate(hunks, first_number):
        old = hunk.new() if reverse else hunk.old()
        start, count = (hunk.new_start, hunk.new_count) if reverse else (hunk.old_start, hunk.old_count)
        hint = start if count == 0 and not old else start - 1
        result.append(Sought(hunk=hunk, number=number, old=old, hint=max(hint, 0)))
    return result


def beyond_edge(item: Sought, start: int, length: int) -> bool:
    """Whether a hunk says that it is at the beginning or the end of the file, and the file goes on there.

    A tool leaves context out only where there is none, so a numbered hunk with context that adds as its first or last
    line says "at the very beginning" (or end). A hunk without numbers says it in words.
    """
    lines = item.hunk.lines
    if not item.hunk.numbered:
        return item.hunk.at_end and start + len(item.old) < length
    if not any(tag == " " for tag, _ in lines):
        return False
    return (lines[0][0] == "+" and start > 0) or (lines[-1][0] == "+" and start + len(item.old) < length)
