"""Why a patch does not apply, place by place: what it expects beside what is there, and both sides of what meets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from vibehq_tui.patches.model import MergeRegion, Nearest, Problem
from vibehq_tui.patches.queue.resolve import ConflictFile, Wanted
from vibehq_tui.patches.queue.review import Review
from vibehq_tui.text.clean import clean
from vibehq_tui.text.forms import plural, size
from vibehq_tui.text.glyphs import CHECKS, sign
from vibehq_tui.tui.screens.review_near import Near, NearLine
from vibehq_tui.tui.screens.review_pages import raw
from vibehq_tui.tui.widgets.detail import Document, Target
from vibehq_tui.tui.widgets.diff_text import Spans, changed_words, shown
from vibehq_tui.tui.widgets.rows import Part, fit

_MOST_LINES = 40
"""Lines of one side of a place that are shown; an editor shows all."""
_THREE_COLUMNS = 96
_TWO_COLUMNS = 72
_GAP = 3

SIDES: Mapping[str, tuple[str, str]] = {
    "ours": ("ours", "the file as it is"),
    "base": ("base", "before both"),
    "theirs": ("theirs", "the patch"),
}
_CHOSEN = {
    "ours": "ours: the file stays as it is here",
    "theirs": "theirs: as the patch has it",
    "both": "both: first the file, then the patch",
    "base": "base: as before both",
}


@dataclass(slots=True)
class Choices:
    """What was chosen so far for the conflicts of a patch. Nothing of it is stored before all is chosen."""

    conflicts: tuple[ConflictFile, ...] = ()
    why_not: str = ""
    """Why choosing cannot help, where it cannot."""
    chosen: dict[tuple[str, int], str] = field(default_factory=dict)
    """By path and number of the place, from 0."""
    edited: dict[str, bytes] = field(default_factory=dict)
    """Contents that were written in an editor, by path."""
    drafts: dict[str, bytes] = field(default_factory=dict)
    """Those that could not be taken."""

    def renew(self, conflicts: Iterable[ConflictFile]) -> None:
        """Takes the conflicts as they are now; what was chosen for other lines is forgotten."""
        before = {one.path: one.regions for one in self.conflicts}
        self.conflicts = tuple(conflicts)
        same = {one.path for one in self.conflicts if before.get(one.path) == one.regions}
        self.chosen = {key: choice for key, choice in self.chosen.items() if key[0] in same}
        for kept in (self.edited, self.drafts):
            for path in set(kept) - same:
                del kept[path]

    def file(self, path: str) -> ConflictFile:
        """The conflict in a file."""
        return next(one for one in self.conflicts if one.path == path)

    @property
    def places(self) -> list[tuple[str, int]]:
        """Every place that needs a choice."""
        return [(one.path, at) for one in self.conflicts for at in range(len(one.regions))]

    @property
    def left(self) -> list[tuple[str, int]]:
        """Those without one."""
        return [place for place in self.places if place not in self.chosen and place[0] not in self.edited]

    def wanted(self) -> dict[str, Wanted]:
        """What to resolve the conflicts with, once nothing is left."""
        return {
            one.path: self.edited[one.path]
            if one.path in self.edited
            else [self.chosen[one.path, at] for at in range(len(one.regions))]
            for one in self.conflicts
        }


def place_target(path: str, at: int) -> Target:
    """What stands for a place under the cursor."""
    return Target("region", f"{at}:{path}")


def place_of(target: Target) -> tuple[str, int]:
    """The other way round."""
    at, _, path = target.id.partition(":")
    return path, int(at)


def does_not_apply(review: Review, near: Near, choices: Choices, keys: str, room: int, ascii_only: bool) -> Document:
    """Why a patch does not apply, and what there is to choose; then its text.

    :param keys: which keys choose, where something can be chosen.
    :param room: cells of a row.
    """
    document = Document()
    texts = [one for one in choices.conflicts if one.kind != "binary"]
    regions = [region for one in texts or review.problems for region in one.regions]
    pen = _Pen(document, room, ascii_only, _fits_in_columns(regions, room))
    if choices.conflicts:
        told = f"{len(choices.places) - len(choices.left)} of {plural(len(choices.places), 'place')} chosen"
        document.heading("The patch and the files have changed the same lines", told)
        document.text(keys, role="dim")
        for conflict in choices.conflicts:
            document.blank()
            pen.conflict(conflict, choices)
    else:
        document.heading(
            "This patch does not apply to the files as they are now", plural(len(review.problems), "problem")
        )
        document.text(
            "r tries again once the files fit; x rejects it with the reason, which goes back to its author.", role="dim"
        )
        if choices.why_not:
            document.text(choices.why_not, role="dim")
        for problem in review.problems:
            document.blank()
            pen.problem(problem, near)
    document.heading("As submitted", f"{size(len(review.text))}, {review.patch.format}")
    document.blank()
    raw(document, review.text)
    return document


@dataclass(frozen=True, slots=True)
class _Pen:
    """Writes places of files into a document, in columns where there is room."""

    document: Document
    room: int
    ascii_only: bool
    columns: bool
    """The three versions of a place stand side by side."""

    def _glyph(self, glyph: str, plain: str) -> str:
        return plain if self.ascii_only else glyph

    def conflict(self, conflict: ConflictFile, choices: Choices) -> None:
        """A file in conflict, with its places."""
        self._head(conflict.path, conflict.message)
        if conflict.path in choices.edited:
            text = choices.edited[conflict.path]
            done = Part(f"{self._glyph('✔', '+')} ", "ok")
            self.document.line((done, Part(f"as you wrote it in the editor, {size(len(text))}")), indent=2)
        for at, region in enumerate(conflict.regions):
            choice = "edited" if conflict.path in choices.edited else choices.chosen.get((conflict.path, at), "")
            mark = (self._glyph("✔ ", "+ "), "ok") if choice else (self._glyph("○ ", "o "), "wait")
            where = f"place {at + 1} of {len(conflict.regions)}, line {region.line}"
            self.document.blank()
            self.document.line(
                (Part(*mark), Part(where, "strong"), Part(f"   {_CHOSEN.get(choice, '')}", "accent")),
                place_target(conflict.path, at),
                indent=2,
            )
            if conflict.kind == "binary":
                self._sizes(conflict)
            else:
                self._region(region, choice)

    def _sizes(self, conflict: ConflictFile) -> None:
        """Of contents that are no text."""
        sides = {"ours": conflict.sides.ours, "base": conflict.sides.base, "theirs": conflict.sides.theirs}
        for name, content in sides.items():
            told = "no such file" if content is None else size(len(content))
            self.document.line(
                (Part(f"{SIDES[name][0]}  ", "accent"), Part(f"{SIDES[name][1]}: ", "faint"), Part(told)), indent=4
            )

    def problem(self, problem: Problem, near: Near) -> None:
        """A hunk without a place, and what comes nearest."""
        self._head(problem.where(), problem.message)
        if problem.candidates and not problem.regions:
            lines = ", ".join(str(line) for line in problem.candidates[:12])
            self.document.row(Part(f"it could be meant at line {lines}; more context would tell", "dim"), indent=2)
        for region in problem.regions:
            self.document.blank()
            self.document.line(Part(f"line {region.line}", "strong"), indent=2)
            self._region(region, "")
        if problem.nearest is not None:
            self.document.blank()
            self._nearest(problem.nearest)
        elif not problem.regions:
            for place in near.get(problem, ()):
                self.document.blank()
                for line in place:
                    self._near_line(line, line.number in problem.candidates)

    def _head(self, where: str, message: str) -> None:
        mark = sign(CHECKS, "error")
        self.document.row(
            (
                Part(f"{mark.text(self.ascii_only)} ", mark.tone),
                Part(f"{where}: " if where else "", "strong"),
                Part(message, "error"),
            ),
            hanging=2,
        )

    # -- three sides -----------------------------------------------------------------------------------------------

    def _region(self, region: MergeRegion, choice: str) -> None:
        sides = {"ours": region.ours, "base": region.base, "theirs": region.theirs}
        taken = {"both": ("ours", "theirs"), "edited": ()}.get(choice, (choice,) if choice else tuple(sides))
        if self.columns:
            self._three_columns(sides, taken)
            return
        for name, lines in sides.items():
            self.document.line((Part(SIDES[name][0], "accent"), Part(f"  {SIDES[name][1]}", "faint")), indent=4)
            for text, role in _side(name, lines, name in taken):
                self.document.line(Part(text, role), indent=6)

    def _three_columns(self, sides: Mapping[str, Sequence[bytes]], taken: Sequence[str]) -> None:
        gap = f" {self._glyph('│', '|')} "
        width = _column(self.room)
        more = self._glyph("…", "~")
        heads = [(f"{name}  {remark}", "accent") for name, remark in SIDES.values()]
        columns = [[head, *_side(name, sides[name], name in taken)] for head, name in zip(heads, SIDES, strict=True)]
        for number in range(max(map(len, columns))):
            parts: list[Part] = []
            for column in columns:
                text, role = column[number] if number < len(column) else ("", "")
                if parts:
                    parts.append(Part(gap, "line"))
                parts.append(Part(fit(clean(text, 400), width, more=more), role))
            self.document.line(tuple(parts), indent=4)

    # -- expected and found ----------------------------------------------------------------------------------------

    def _nearest(self, nearest: Nearest) -> None:
        left = "the patch expects"
        right = f"the file has, at line {nearest.line}, {nearest.score:.0%} alike"
        rows = list(_aligned(nearest.expected, nearest.found))[:_MOST_LINES]
        if self.room < _TWO_COLUMNS:
            self.document.line((Part("- ", "removed"), Part(left, "faint")), indent=2)
            self.document.line((Part("+ ", "added"), Part(right, "faint")), indent=2)
            for old, new in rows:
                self._stacked(old, new, nearest.line)
            return
        width = (self.room - 10) // 2
        self.document.line(
            (Part(fit(left, width), "faint"), Part("        "), Part(right, "faint")),
            indent=2,
        )
        number = nearest.line
        for old, new in rows:
            same = old is not None and new is not None and old.rstrip() == new.rstrip()
            mark = " " if same else self._glyph("≠", "!") if old and new else "-" if new is None else "+"
            spans = _words(old, new)
            parts = [
                *self._cell(old, spans[0], width, "dim" if same else "", "removed_word"),
                Part(f" {mark} ", "dim" if same else "error"),
                Part(f"{number:>4} " if new is not None else " " * 5, "faint"),
                *self._cell(new, spans[1], width, "dim" if same else "strong", "added_word"),
            ]
            number += new is not None
            self.document.line(tuple(parts), indent=2)

    def _stacked(self, old: bytes | None, new: bytes | None, line: int) -> None:
        if old is not None and new is not None and old.rstrip() == new.rstrip():
            self.document.line((Part("  "), Part(shown(new), "dim")), indent=2)
            return
        spans = _words(old, new)
        for content, sign_, role, word, marked in (
            (old, "- ", "removed", "removed_word", spans[0]),
            (new, "+ ", "added", "added_word", spans[1]),
        ):
            if content is not None:
                parts = self._cell(content, marked, max(self.room - 4, 8), role, word)
                self.document.line((Part(sign_, role), *parts), indent=2)

    def _cell(self, content: bytes | None, spans: Spans, width: int, role: str, word: str) -> list[Part]:
        """A line of a file in exactly ``width`` cells, with what differs in another role."""
        text = "" if content is None else shown(content)
        fitted = fit(text, width, more=self._glyph("…", "~"))
        parts: list[Part] = []
        at = 0
        for start, end in spans:
            if start >= len(fitted):
                break
            parts += [Part(fitted[at:start], role), Part(fitted[start:end], word)]
            at = end
        return [*parts, Part(fitted[at:], role)]

    def _near_line(self, line: NearLine, meant: bool) -> None:
        """A line of the file; below it what the hunk has in its place, where that is another."""
        number = str(line.number) if line.number else ""
        if line.there is not None:
            role = "strong" if meant or line.wanted is not None else "dim"
            self.document.line((Part(f"{number:>6}  ", "faint"), Part(shown(line.there), role)), indent=2)
        if line.wanted is not None:
            word = "patch" if line.there is not None else "not there"
            self.document.line(
                (
                    Part(f"{self._glyph('≠', '!='):>6}  ", "error"),
                    Part(shown(line.wanted), "error"),
                    Part(f"   {word}", "faint"),
                ),
                indent=2,
            )


def _column(room: int) -> int:
    """Cells of each of three columns."""
    return (room - 4 - 2 * _GAP) // 3


def _fits_in_columns(regions: Iterable[MergeRegion], room: int) -> bool:
    """Whether every line can be read in one of three columns."""
    lines = (line for one in regions for side in (one.ours, one.base, one.theirs) for line in side[:_MOST_LINES])
    return room >= _THREE_COLUMNS and all(len(shown(line)) <= _column(room) for line in lines)


def _side(name: str, lines: Sequence[bytes], taken: bool) -> list[tuple[str, str]]:
    """The lines of one side, each with its role."""
    role = {"ours": "", "base": "dim", "theirs": "added"}[name] if taken else "faint"
    found = [(shown(line) or " ", role) for line in lines[:_MOST_LINES]]
    if len(lines) > _MOST_LINES:
        found.append((f"… {plural(len(lines) - _MOST_LINES, 'more line')}", "faint"))
    return found or [("(nothing)", "faint")]


def _aligned(old: Sequence[bytes], new: Sequence[bytes]) -> Iterator[tuple[bytes | None, bytes | None]]:
    """Lines that stand beside each other."""
    matcher = SequenceMatcher(None, [line.rstrip() for line in old], [line.rstrip() for line in new], autojunk=False)
    for _, a1, a2, b1, b2 in matcher.get_opcodes():
        for step in range(max(a2 - a1, b2 - b1)):
            yield (old[a1 + step] if a1 + step < a2 else None), (new[b1 + step] if b1 + step < b2 else None)


def _words(old: bytes | None, new: bytes | None) -> tuple[Spans, Spans]:
    return changed_words(shown(old), shown(new)) if old is not None and new is not None else ((), ())
