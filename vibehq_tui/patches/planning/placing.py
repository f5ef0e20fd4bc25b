"""The hunks of one file put where they belong for certain, with everything that could speak against it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

from vibehq_tui.patches.model import Change, Problem, Repair
from vibehq_tui.patches.planning.arrange import arrange
from vibehq_tui.patches.planning.blobs import blob_matches
from vibehq_tui.patches.planning.content import Built, build
from vibehq_tui.patches.planning.filetext import FileText
from vibehq_tui.patches.planning.locate import Located, are_in, locate, locate_doubting
from vibehq_tui.patches.planning.planned import PlannedFile
from vibehq_tui.patches.planning.sought import Sought, sought
from vibehq_tui.patches.planning.tiers import TRAILING, Budget, Searcher, keys, telling
from vibehq_tui.patches.planning.whole import hunk_is_whole, is_like_at, lost_a_line

if TYPE_CHECKING:
    from vibehq_tui.patches.planning.similar import Likeness

_MOST_EXPLAINED: Final = 5
"""Hunks of a file for which the nearest place is looked for."""
_MOST_STEPS: Final = 50
_MOST_PLACES: Final = 16
_MOST_LOST: Final = 200
"""Lost hunks of a file above which none is placed by likeness: then it is another file."""


@dataclass(slots=True)
class Placed:
    """What became of the hunks of one file."""

    path: str
    built: Built | None = None
    """Only where every hunk has a place that is certain."""
    problems: list[Problem] = field(default_factory=list)
    refusals: list[Problem] = field(default_factory=list)
    repairs: list[Repair] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def conflict(self, code: str, message: str, hunk: int | None = None, *candidates: int) -> None:
        """The hunk does not fit the file."""
        self.problems.append(
            Problem(
                code=code, message=message, path=self.path, hunk=hunk, candidates=tuple(at + 1 for at in candidates)
            )
        )

    def refuse(self, code: str, message: str, hunk: int | None = None) -> None:
        """The hunk is wrong in itself."""
        self.refusals.append(Problem(code=code, message=message, path=self.path, hunk=hunk))


def place_text(
    change: Change, content: bytes, number: int, *, trusted: bool | None, unfinished: bool, binding: bool = False
) -> Placed:
    """Puts the hunks of a change into a content.

    :param number: that of the first hunk.
    :param trusted: whether the content is what the patch was made from; None when the patch does not tell.
    :param unfinished: whether the text of the patch may be cut off at its end.
    :param binding: whether anchors must lead to their hunks.
    """
    repairs: list[Repair] = []
    if not content:
        change, repairs = _filling_an_empty_file(change, number)
    placed = _Placing(change, content, number, trusted=trusted, unfinished=unfinished, binding=binding).run()
    placed.repairs += repairs
    return placed


def _filling_an_empty_file(change: Change, number: int) -> tuple[Change, list[Repair]]:
    """The change with LF where the CR of its lines comes from the text; an empty file has no line ends of its own."""
    hunk = change.hunks[0]
    lines = hunk.new()
    if len(change.hunks) > 1 or not hunk.crlf_text or hunk.old():
        return change, []
    as_told = change.new_blob is not None and blob_matches(b"".join(lines), change.new_blob)
    if as_told or not all(line.endswith(b"\r\n") for line in lines if line.endswith(b"\n")):
        return change, []
    plain = tuple(("+", line[:-2] + b"\n" if line.endswith(b"\r\n") else line.removesuffix(b"\r")) for line in lines)
    message = "the patch text ends its lines with CRLF; the empty file gets LF"
    repair = Repair(code="crlf-patch", path=change.path, hunk=number, message=message)
    return replace(change, hunks=(replace(hunk, lines=plain),)), [repair]


def indentation_problems(files: Sequence[PlannedFile]) -> list[Problem]:
    """Hunks that fit as they are and add indentation of a kind that their file has not.

    Where the rest of a patch was indented in another way than its files, what these add cannot be right either.
    """
    problems = []
    for file in files:
        if file.before is None or file.after is None or file.binary:
            continue
        kinds = [b"\n" + blank for blank in (b" ", b"\t") if b"\n" + blank in file.before]
        for hunk in file.hunks if len(kinds) < 2 else ():
            added = [b"\n" + line[:1] for tag, line in hunk.lines if tag == "+" and line[:1] in b" \t" and line.strip()]
            if any(kind not in kinds for kind in added):
                message = "what the hunk adds is indented in another way than the file, as are other hunks of the patch"
                problems.append(Problem(code="ambiguous-context", path=file.path, hunk=hunk.number, message=message))
    return problems


class _Placing:
    def __init__(
        self, change: Change, content: bytes, number: int, *, trusted: bool | None, unfinished: bool, binding: bool
    ) -> None:
        self._change = change
        self._content = content
        self._text = FileText(content)
        self._number = number
        self._trusted = trusted
        self._unfinished = unfinished
        self._binding = binding
        self._out = Placed(change.path)

    @cached_property
    def _made(self) -> Searcher:
        """The file, to be searched for what the hunks leave behind."""
        return Searcher(self._text, TRAILING, [keys(hunk.new()) for hunk in self._change.hunks], Budget())

    def run(self) -> Placed:
        change, out, text = self._change, self._out, self._text
        hunks = sought(change.hunks, self._number)
        located = locate(
            hunks, text, path=change.path, trusted=self._trusted, ordered=change.ordered, binding=self._binding
        )
        if located.lost:
            if not change.ordered and self._one_after_the_other(hunks, located):
                return out
            located = self._by_likeness(located)
        built = None if located.problems else build(text, located.hunks, change.path)
        proven = False
        if built is not None and self._trusted and change.new_blob is not None and change.op != "delete":
            proven = _is_blob(built.after, change.new_blob)
            if not proven:
                # The base is right and the result is not: somebody edited the patch. Its line numbers prove nothing.
                located = locate_doubting(hunks, text, path=change.path, ordered=change.ordered)
                built = None if located.problems else build(text, located.hunks, change.path)
                out.warnings.append(f"{change.path}: the result is not the blob that the patch names")
        out.problems += located.problems
        if built is None:
            return out
        if self._trusted is False:
            out.warnings.append(f"{change.path}: is not the file that the patch was made from")
        out.repairs += located.repairs
        if self._unfinished and change.hunks[-1].missing is not None:
            # Also of a file that is whole: what the text is to say after this hunk is lost with the end of it.
            number = self._number + len(change.hunks) - 1
            out.refuse("truncated", "the text of the patch ends within the hunk", number)
        elif proven or self._is_certain(located):
            out.built = built
        return out

    def _one_after_the_other(self, hunks: list[Sought], located: Located) -> bool:
        """Applies blocks that are found only after others of the same text were applied."""
        lost = {item.number for item in located.lost}
        numbers = sorted(item.number for item in hunks)
        if any(problem.hunk not in lost for problem in located.problems) or numbers[0] in lost:
            return False
        content = self._content
        repairs: list[Repair] = []
        open_ = hunks
        for _ in range(_MOST_STEPS):
            found = [item for item in open_ if item.start is not None]
            open_ = [item for item in open_ if item.start is None]
            if not found or (open_ and min(it.number for it in found) > min(it.number for it in open_)):
                return False
            found, problems, more = arrange(found, self._change.path, ordered=False, movable=True)
            part = _Placing(self._change, content, self._number, trusted=None, unfinished=False, binding=self._binding)
            if problems or not part._is_certain(Located(found, [], frozenset())):
                return False
            built = build(FileText(content), found, self._change.path)
            repairs += [*more, *part._out.repairs, *built.repairs]
            content = built.after
            if not open_:
                break
            step = locate(open_, FileText(content), path=self._change.path, trusted=None, ordered=False)
            if any(problem.code != "context-not-found" for problem in step.problems):
                return False
        else:
            return False
        from vibehq_tui.patches.planning.diff3 import difference  # noqa: PLC0415 - only where blocks build on each other

        made = difference(self._content, content, self._number, "exact")
        self._out.built = Built(content, made, repairs)
        return True

    def _by_likeness(self, located: Located) -> Located:
        """Places lost hunks whose context has changed where enough is left, and looks for what is like the others."""
        from vibehq_tui.patches.planning.fuzzy import place  # noqa: PLC0415 - only for hunks that are not found
        from vibehq_tui.patches.planning.similar import Likeness  # noqa: PLC0415 - as above

        likeness = Likeness(self._text, located.lost)
        explained = 0
        found: set[int] = set()
        problems: list[Problem] = []
        there_all: list[int] = []
        lost = {item.number: item for item in located.lost}
        for problem in located.problems:
            item = lost.get(problem.hunk or 0)
            if item is None or problem.code != "context-not-found":
                problems.append(problem)
                continue
            # The text may end within the last line of its last hunk: then that line has not changed, it was cut.
            is_cut = self._unfinished and item.hunk is self._change.hunks[-1]
            known = problem.candidates or item.hunk.missing is not None or is_cut or len(lost) > _MOST_LOST
            there = None if known else self._is_there(item)
            if there is None and not known and place(item, self._text, likeness):
                found.add(item.number)
                continue
            if there is not None:
                there_all.append(there)
                message = f"the hunk is in the file already, at line {there + 1}; not all of the patch is, for certain"
                problem = replace(problem, code="partly-applied", message=message, candidates=(there + 1,))
            elif explained < _MOST_EXPLAINED:
                explained += 1
                problem = self._explained(problem, item, likeness)
            problems.append(problem)
        if len(there_all) == len(located.hunks):
            problems = [replace(problem, code="maybe-applied") for problem in problems]
        if problems or not found:
            return Located(located.hunks, problems, located.edges, located.repairs, located.lost)
        hunks, problems, repairs = arrange(
            located.hunks, self._change.path, ordered=self._change.ordered, movable=False
        )
        return Located(hunks, problems, frozenset(), [*located.repairs, *repairs])

    def _is_there(self, item: Sought) -> int | None:
        """Where what a hunk leaves behind is in the file, in one place only."""
        new = keys(item.hunk.new())
        if sum(map(telling, new)) < 2:
            return None
        found = self._made.find(new, 2)
        return found[0] if len(found) == 1 else None

    def _explained(self, problem: Problem, item: Sought, likeness: Likeness) -> Problem:
        from vibehq_tui.patches.planning.similar import difference  # noqa: PLC0415 - only for hunks that are not found

        near = likeness.nearest(item)
        said = "" if near is None else difference(near)
        message = f"{problem.message}; {said}" if said and not problem.candidates else problem.message
        return replace(problem, nearest=near, message=message)

    def _is_certain(self, located: Located) -> bool:
        """Looks at what could make hunks that were found wrong all the same; notes problems and repairs."""
        out, text = self._out, self._text
        for position, item in enumerate(located.hunks):
            if not hunk_is_whole(item, text):
                out.refuse("truncated", "the text of the patch ends within the hunk", item.number)
                return False
            if position in located.edges and not self._edge_is_certain(item):
                return False
            if lost_a_line(item, text):
                by_lines = (item.start or 0) + 1
                message = f"by its header the hunk belongs to line {item.hint + 1}, by its lines to line {by_lines}"
                out.conflict("ambiguous-context", message, item.number)
                return False
            if _tail_belongs(item, text):
                message = "its header ends the hunk, but the lines behind it are in the file, too"
                out.refuse("malformed-hunk", message, item.number)
                return False
        if self._unfinished and self._is_cut(located):
            number = self._number + len(self._change.hunks) - 1
            out.refuse("truncated", "the text of the patch ends within its last line", number)
            return False
        return self._places_are_certain(located.hunks) and self._not_applied_before(located)

    def _is_cut(self, located: Located) -> bool:
        """Whether a text that ends without a newline was cut off: by the blob that it names, or by its last line."""
        if self._trusted and self._change.new_blob is not None:
            return True  # Its result is not that blob; only then is it looked at.
        last = self._change.hunks[-1]
        item = next((item for item in located.hunks if item.hunk is last), None)
        if item is None or not item.codes or last.lines[-1][0] == "+":
            return False
        # In a tier that forgives, what is left of a line counts as the line.
        return keys([last.lines[-1][1]]) != keys([self._text[item.end - 1]])

    def _edge_is_certain(self, item: Sought) -> bool:
        out = self._out
        if item.hunk.at_end and _ends_with_addition(item):
            message = "the hunk is to be at the end of the file, and the file goes on below its lines"
            out.conflict("edge-context", message, item.number)
            return False
        if self._trusted is False:
            message = "the hunk adds at the very beginning or end, and the file goes on there now"
            out.conflict("edge-context", message, item.number)
            return False
        if item.hunk.numbered and item.hunk.old_count > len(item.old):
            message = (
                "the hunk has fewer lines than its header says, and adds where the file goes on: a line may be missing"
            )
            out.refuse("malformed-hunk", message, item.number)
            return False
        if item.hunk.numbered and item.moved and sum(map(telling, item.old)) < 2:
            message = "the hunk adds at the very beginning or end, and shows too little to be placed elsewhere"
            out.conflict("edge-context", message, item.number)
            return False
        new = keys(item.hunk.new())
        is_there = bool(Searcher(self._text, TRAILING, [new], Budget()).find(new, 1))
        if (
            is_there
            or self._adds_what_is_there(item)
            or are_in(sought([item.hunk], item.number, reverse=True), self._text)
        ):
            out.conflict("maybe-applied", "what the hunk adds seems to be there already", item.number)
            return False
        message = "the hunk shows the beginning or end of the file where it goes on; it fits in one place only"
        out.repairs.append(Repair(code="edge-context", path=out.path, hunk=item.number, message=message))
        return True

    def _places_are_certain(self, hunks: list[Sought]) -> bool:
        """Looks for other places that put those that were found in doubt, and for what hunks add."""
        weak = [item for item in hunks if item.codes]
        for item in hunks:
            if not item.hunk.numbered and item.old and self._adds_what_is_there(item):
                self._out.conflict("maybe-applied", "what the hunk adds is there already", item.number, item.start or 0)
            elif item.hunk.numbered and item.start != item.hint and (there := self._makes_overlap(item)) is not None:
                message = "what the hunk makes is there already, and it fits once more where that ends"
                self._out.conflict("maybe-applied", message, item.number, there)
            elif item.codes and (there := self._new_is_there(item)) is not None:
                message = "what the hunk makes is in the file already, and what it looks for only in other words"
                self._out.conflict("maybe-applied", message, item.number, there)
        if weak:
            from vibehq_tui.patches.planning.similar import Likeness  # noqa: PLC0415 - only for what differs from the file

            likeness = Likeness(self._text, weak)
            for item in weak:
                start = item.start or 0
                if self._says_elsewhere(item):
                    message = "the lines of the hunk are found in other words, and as they are in other places"
                    self._out.conflict("ambiguous-context", message, item.number, start)
                    continue
                at_its_line = item.hunk.numbered and not item.moved
                if item.match != "fuzzy" and not at_its_line and likeness.has_rival(item, start, item.end):
                    message = "the lines of the hunk are found in other words, and another place is much like them"
                    self._out.conflict("ambiguous-context", message, item.number, start)
        if self._trusted is not True:
            self._doubt_far_places(hunks)
            for item in hunks:
                if item.hunk.numbered and self._is_made_there(item):
                    message = "what the hunk makes is there already, and what it looks for is a part of that"
                    self._out.conflict("maybe-applied", message, item.number, item.start or 0)
        return not self._out.problems

    def _says_elsewhere(self, item: Sought) -> bool:
        """Whether half of the lines that differ from those of the file stand elsewhere just as the hunk has them."""
        if item.match == "fuzzy" or (item.hunk.numbered and not item.moved):
            return False
        there = keys(self._text[item.start or 0 : item.end])
        other = [key for key, have in zip(keys(item.old), there, strict=False) if key != have and telling(key)]
        searcher = Searcher(self._text, TRAILING, [[key] for key in other], Budget())
        return bool(other) and 2 * sum(bool(searcher.find([key], 1)) for key in other) >= len(other)

    def _doubt_far_places(self, hunks: list[Sought]) -> None:
        """A block may be there twice, and the one that is meant may have changed since: then the other is all there is.

        That is so where the hunk's own line has most of it, and where what the hunk makes is in the file, too.
        """
        for item in _far_from_their_lines(hunks):
            start = item.start or 0
            if not _says_enough(item):
                message = "the hunk is not at its line, and its lines say too little to be told from others"
                self._out.conflict("ambiguous-context", message, item.number, start)
            elif item.hunk.numbered and self._is_like_at_its_line(item):
                message = "the lines of the hunk are found elsewhere, and its own line has something much like them"
                self._out.conflict("ambiguous-context", message, item.number, *sorted((start, item.hint)))
            elif item.hunk.numbered and self._is_made_at_its_line(item):
                message = "the lines of the hunk are found elsewhere, and its own line has what it makes of them"
                self._out.conflict("ambiguous-context", message, item.number, *sorted((start, item.hint)))
            elif not item.codes and (there := self._copy_of_new(item)) is not None:
                message = "the lines of the hunk are in the file, and so is what it makes of them, in another place"
                self._out.conflict("ambiguous-context", message, item.number, *sorted((start, there)))

    def _copy_of_new(self, item: Sought) -> int | None:
        """Where what a hunk makes, with the context of it, is in the file already."""
        common = any(tag == " " and telling(line) for tag, line in item.hunk.lines)
        return self._new_is_there(item, 2) if common else None

    def _adds_what_is_there(self, item: Sought) -> bool:
        """Whether lines that a hunk adds above its first or below its last line stand there: it was applied before."""
        tags = "".join(tag for tag, _ in item.tagged)
        above, below = len(tags) - len(tags.lstrip("+")), len(tags) - len(tags.rstrip("+"))
        lines = [line for _, line in item.tagged]
        new = keys([line for tag, line in item.tagged if tag != "-"])
        start, end = item.start or 0, item.end
        over = start >= above > 0 and keys(self._text[start - above : start]) == keys(lines[:above])
        under = below > 0 and keys(self._text[end : end + below]) == keys(lines[len(lines) - below :])
        downwards = below > 0 and keys(self._text[start : start + len(new)]) == new
        upwards = above > 0 and end >= len(new) and keys(self._text[end - len(new) : end]) == new
        return over or under or downwards or upwards

    def _makes_overlap(self, item: Sought) -> int | None:
        """Where what a hunk makes stands already, over a part of the lines where the hunk was found.

        So it is where the lines that it adds repeat its context: applied once, it fits again.
        """
        new, start = keys(item.hunk.new()), item.start or 0
        if len(new) <= len(item.old) or not item.old:
            return None
        for at in range(max(start - len(new) + 1, 0), item.end):
            if keys(self._text[at : at + 1]) == new[:1] and keys(self._text[at : at + len(new)]) == new:
                return at
        return None

    def _new_is_there(self, item: Sought, fewest: int = 1) -> int | None:
        """Where what a hunk makes is in the file, if at least so many lines of it say something."""
        new = keys(item.hunk.new())
        if sum(map(telling, new)) < fewest:
            return None
        start = item.start or 0
        found = self._made.find(new, _MOST_PLACES)
        return next((at for at in found if item.codes or at < start or at + len(new) > item.end), None)

    def _is_like_at_its_line(self, item: Sought) -> bool:
        """Whether the line that the header names has what the hunk looks for, but for some lines."""
        start = item.start or 0
        # Where the two places share lines, a shift by few of them lets some agree by chance.
        share = 0.6 if start < item.hint + len(item.old) and item.hint < item.end else 0.5
        return is_like_at(item.old, self._text, item.hint, share)

    def _is_made_there(self, item: Sought) -> bool:
        """Whether a place has what the hunk makes of it: lines that begin like those below could be added twice."""
        lines = item.hunk.lines
        first = next((at for at, (tag, _) in enumerate(lines) if tag != " "), 0)
        if len(lines) < 2 or not first or lines[first][0] != "+":
            return False
        start = item.start or 0
        if keys(self._text[start + first : start + first + 1]) != keys([lines[first][1]]):
            return False
        new = keys(item.hunk.new())
        return len(new) > len(item.old) and keys(self._text[start : start + len(new)]) == new

    def _is_made_at_its_line(self, item: Sought) -> bool:
        """Whether a line that the header names has what the hunk leaves behind."""
        new = keys(item.hunk.new())
        hints = {item.hint, max(item.hunk.new_start - 1, 0)}
        return any(map(telling, new)) and any(keys(self._text[at : at + len(new)]) == new for at in hints)

    def _not_applied_before(self, located: Located) -> bool:
        """Additions without context always fit; they are refused when they seem to be in the file already."""
        if self._trusted is not None or any(item.old for item in located.hunks):
            return True
        if not are_in(sought(self._change.hunks, 1, reverse=True), self._text):
            return True
        message = "what the patch adds without context is there already"
        self._out.conflict("maybe-applied", message, located.hunks[0].number)
        return False


def _ends_with_addition(item: Sought) -> bool:
    """Whether the last change of a hunk has no context below it and only adds."""
    tags = "".join(tag for tag, _ in item.hunk.lines)
    return tags.endswith("+") and not tags.rstrip("+").endswith("-")


def _says_enough(item: Sought) -> bool:
    """Whether the old lines of a hunk, and those of its context if it has any, can be told from others."""
    if not item.hunk.numbered:
        return True
    context = [line for tag, line in item.hunk.lines if tag == " "]
    return any(map(telling, context or item.old)) and sum(map(telling, item.old)) > bool(context)


def _is_blob(content: bytes, blob: str) -> bool:
    """Whether a content is what a blob has, but for CRLF where the file has it."""
    return blob_matches(content, blob) or (b"\r\n" in content and blob_matches(content.replace(b"\r\n", b"\n"), blob))


def _far_from_their_lines(hunks: list[Sought]) -> list[Sought]:
    """Hunks that were found elsewhere than at their line, and not moved by as much as another, or that have no line."""
    placed = [item for item in hunks if item.old and item.start is not None]
    moved = Counter(item.moved for item in placed if item.hunk.numbered)
    return [item for item in placed if not item.hunk.numbered or (item.moved and moved[item.moved] == 1)]


def _tail_belongs(item: Sought, lines: FileText) -> bool:
    """Whether lines behind the hunk, which its header does not count, would continue it in the file."""
    old = [line.rstrip() for tag, line in item.hunk.tail if tag != "+"]
    if not any(tag == "-" for tag, _ in item.hunk.tail):
        return False
    there = [line.rstrip() for line in lines[item.end : item.end + len(old)]]
    return there == old
