"""Conflicts of a patch with the tree: what meets what, as text with markers for an editor, and what is made of it.

Nothing is stored here and no file is changed: contents and choices in, a plan out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from vibehq_tui.patches.errors import AlreadyApplied, PatchConflict, PatchRefused, refuse
from vibehq_tui.patches.model import SYMLINK, Blob, Change, MergeRegion, ParsedPatch, Problem
from vibehq_tui.patches.planning import diff3
from vibehq_tui.patches.planning.merge import Sides, merge, sides_of_blob, sides_of_versions
from vibehq_tui.patches.planning.names import resolve_names
from vibehq_tui.patches.planning.plan import Plan
from vibehq_tui.patches.planning.planned import PlannedFile, PlannedHunk, split_lines, whole_file_hunk
from vibehq_tui.patches.planning.planner import anchors_bind, make_plan, patcher
from vibehq_tui.patches.planning.tree import Tree

if TYPE_CHECKING:
    from vibehq_tui.patches.planning.bases import Bases

CHOICES: Final = ("ours", "theirs", "both", "base")
"""What may be said of a region: the lines of the file, those of the patch, first the one and then the other, or the old
ones."""

_RESOLVABLE: Final = frozenset({"merge-conflict", "already-exists", "binary-base"})
_RUN: Final = re.compile(rb"^(<+|\|+|=+|>+)", re.MULTILINE)
_USUAL_SIZE: Final = 7

Wanted = bytes | Sequence[str]
"""For one file: its whole content, or a choice for each region (one choice alone counts for all of them)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictFile:
    """A file in which a patch and the tree do not fit together."""

    path: str
    kind: str
    """content (both changed the same lines), exists (is to be made and is there), delete (is to go and has changed),
    binary (no text: one side or the other)."""
    message: str
    sides: Sides
    segments: tuple[diff3.Segment, ...]
    change: Change
    there: Blob
    """The file as it is; of a rename the one that is to be renamed."""

    @property
    def regions(self) -> tuple[MergeRegion, ...]:
        """Where the two meet, in the order of the file; for a binary file one of which no line is to be shown."""
        return tuple(part for part in self.segments if isinstance(part, MergeRegion))

    @property
    def marker_size(self) -> int:
        """How many characters a marker has: more than any line of the file begins with."""
        texts = (self.sides.ours, self.sides.base, self.sides.theirs or b"")
        longest = max((len(run) for text in texts for run in _RUN.findall(text)), default=0)
        return max(longest + 1, _USUAL_SIZE)

    @property
    def text_with_markers(self) -> bytes:
        """The file with every region between markers, as git shows them, with the old lines in the middle.

        Empty for a binary file.
        """
        return b"" if self.kind == "binary" else b"".join(self._marked())

    def _marked(self) -> Iterator[bytes]:
        end, size = _line_end(self.sides.ours or self.sides.theirs or b""), self.marker_size
        for part in self.segments:
            if not isinstance(part, MergeRegion):
                yield from part
                continue
            for mark, name, lines in (
                (b"<", b" the file", part.ours),
                (b"|", b" before", part.base),
                (b"=", b"", part.theirs),
            ):
                yield mark * size + name + end
                yield from _ended(lines, end)
            yield b">" * size + b" the patch" + end

    def with_choices(self, choices: Sequence[str]) -> bytes | None:
        """The content that the choices make, one for each region or one for all; None for "no such file".

        :raises PatchRefused: for an unknown word, or when there are more or fewer choices than regions.
        """
        regions = self.regions
        words = list(choices) * (len(regions) if len(choices) == 1 else 1)
        unknown = [word for word in words if word not in CHOICES]
        if unknown:
            raise refuse("unknown-choice", f"{unknown[0]!r} is no choice", path=self.path, hint=", ".join(CHOICES))
        if len(words) != len(regions):
            message = f"has {len(regions)} places to choose at, and {len(choices)} choices were made"
            raise refuse("choices", message, path=self.path, hint="one for each, or one for all")
        if self.kind in ("delete", "binary"):
            return self._whole(words)
        parts: list[bytes] = []
        chosen = iter(words)
        for part in self.segments:
            if isinstance(part, MergeRegion):
                parts += _chosen(part, next(chosen), _line_end(self.sides.ours))
            else:
                parts += part
        return b"".join(parts)

    def _whole(self, words: list[str]) -> bytes | None:
        if len(set(words)) > 1 or words[0] == "both":
            raise refuse("choices", "is one thing or the other as a whole", path=self.path, hint="ours or theirs")
        return {"ours": self.sides.ours, "base": self.sides.base, "theirs": self.sides.theirs}[words[0]]

    def check_text(self, text: bytes) -> bytes:
        """What an editor left of :attr:`text_with_markers`, as the content of the file.

        :raises PatchRefused: when a marker is left in it.
        """
        if self.kind == "binary":
            return text
        size = self.marker_size
        for number, line in enumerate(split_lines(text), 1):
            run = _RUN.match(line)
            if run is not None and len(run.group()) >= size:
                message = f"line {number} is a marker, so the conflict there is not resolved"
                raise refuse("markers-left", message, path=self.path, hint="choose, and take the markers out")
        ends = [side for side in (self.sides.ours, self.sides.theirs) if side]
        if self.regions and ends and not any(side.endswith(b"\n") for side in ends):
            # The markers gave its last line an end that no side has.
            return text.removesuffix(b"\n").removesuffix(b"\r") if text.endswith(b"\n") else text
        return text


def _line_end(text: bytes) -> bytes:
    return b"\r\n" if b"\r\n" in text else b"\n"


def _ended(lines: tuple[bytes, ...], end: bytes) -> Iterator[bytes]:
    for line in lines:
        yield line if line.endswith(b"\n") else line + end


def _chosen(region: MergeRegion, choice: str, end: bytes) -> list[bytes]:
    if choice == "both":
        return [*(_ended(region.ours, end) if region.theirs else region.ours), *region.theirs]
    return list({"ours": region.ours, "base": region.base, "theirs": region.theirs}[choice])


# -- finding them ------------------------------------------------------------------------------------------------------


class _Files:
    """A tree of a few files."""

    def __init__(self, files: Mapping[str, Blob]) -> None:
        self._files = files

    def read(self, path: str) -> Blob | None:
        return self._files.get(path)

    def is_dir(self, path: str) -> bool:
        return any(True for _ in self.files_below(path))

    def files_below(self, path: str) -> Iterator[str]:
        return (name for name in self._files if name.startswith(path + "/"))


def find_conflicts(parsed: ParsedPatch, tree: Tree, bases: Callable[[], Bases]) -> list[ConflictFile]:
    """The files in which a patch does not fit the tree; none when it fits.

    :raises PatchRefused: when the patch is refused whatever the tree holds, or is a series of several commits.
    :raises PatchConflict: when something does not fit that no choice can resolve: lines that are nowhere, a file that
        is not there.
    """
    try:
        make_plan(parsed, tree, bases=bases)
    except AlreadyApplied:
        return []
    except PatchConflict as conflict:
        problems = conflict.problems
        if parsed.parts:
            message = "the patches of a series do not fit one by one; each can be resolved as a patch of its own"
            raise refuse("series-conflict", message, hint="submit its commits one after the other") from conflict
        changes, _ = resolve_names(parsed.changes, tree)
        found = [(problem, _conflict(problem, parsed, changes, tree, bases)) for problem in problems]
        rest = [problem for problem, item in found if item is None]
        if rest:
            raise PatchConflict(rest, hint="this cannot be resolved by a choice; ask for a new version") from conflict
        return list({item.path: item for _, item in found if item is not None}.values())
    return []


def _conflict(
    problem: Problem, parsed: ParsedPatch, changes: Sequence[Change], tree: Tree, bases: Callable[[], Bases]
) -> ConflictFile | None:
    change = next((one for one in changes if one.path == problem.path), None)
    if change is None or problem.code not in _RESOLVABLE or (problem.code == "already-exists" and change.from_):
        return None
    there = tree.read(change.from_ or change.path)
    if there is None or (change.op == "create" and SYMLINK in (there.mode, change.new_mode)):
        return None
    sides = _sides(problem, parsed, change, there, bases)
    if sides is None:
        return None
    kind = "binary" if sides.binary else {"create": "exists", "delete": "delete"}.get(change.op, "content")
    segments = _two_sides(sides) if kind == "exists" else merge(sides).segments
    return ConflictFile(
        path=change.path,
        kind=kind,
        message=problem.message,
        sides=sides,
        segments=segments,
        change=change,
        there=there,
    )


def _sides(
    problem: Problem, parsed: ParsedPatch, change: Change, there: Blob, bases: Callable[[], Bases]
) -> Sides | None:
    if change.op == "create":
        made = _alone(parsed, change, {})
        return None if made is None else Sides(ours=there.content, base=b"", theirs=made, origin="nothing")
    known = bases()
    if change.binary is not None:
        base = known.blob(change.old_blob or "")
        if base is None:
            return None
        source = change.from_ or change.path
        made = None if change.op == "delete" else _alone(parsed, change, {source: Blob(base, there.mode)})
        if made is None and change.op != "delete":
            return None
        origin = f"blob {(change.old_blob or '')[:12]}, which the patch was made from"
        return Sides(ours=there.content, base=base, theirs=made, origin=origin)
    patched = patcher(change, _Files({}), unfinished=parsed.unfinished, binding=anchors_bind(parsed))
    sides = sides_of_blob(change, there.content, known, patched)
    if sides is not None:
        return sides
    candidates = sides_of_versions(change, there.content, known, patched)
    return next((one for one in candidates if merge(one).content is None), None)


def _alone(parsed: ParsedPatch, change: Change, files: Mapping[str, Blob]) -> bytes | None:
    """What the patch makes of one file where nothing stands in its way."""
    try:
        plan = make_plan(replace(parsed, changes=(change,), repairs=()), _Files(files))
    except (PatchConflict, PatchRefused, AlreadyApplied):
        return None
    return plan.files[0].after


def _two_sides(sides: Sides) -> tuple[diff3.Segment, ...]:
    """Two contents without a common base: what both have, and regions where they differ."""
    ours, theirs = split_lines(sides.ours), split_lines(sides.theirs or b"")
    segments: list[diff3.Segment] = []
    cursor = 0
    for edit in diff3.edits(ours, theirs):
        if edit.low > cursor:
            segments.append(tuple(ours[cursor : edit.low]))
        mine, other = tuple(ours[edit.low : edit.high]), tuple(theirs[edit.start : edit.end])
        segments.append(MergeRegion(line=edit.low + 1, ours=mine, base=(), theirs=other))
        cursor = edit.high
    if cursor < len(ours):
        segments.append(tuple(ours[cursor:]))
    if not segments or all(isinstance(part, tuple) for part in segments):
        # The contents are the same and the modes are not.
        segments = [MergeRegion(line=1, ours=tuple(ours), base=(), theirs=tuple(theirs))]
    return tuple(segments)


# -- resolving them ----------------------------------------------------------------------------------------------------


def resolved_plan(
    parsed: ParsedPatch,
    tree: Tree,
    bases: Callable[[], Bases],
    conflicts: Sequence[ConflictFile],
    resolutions: Mapping[str, Wanted],
) -> Plan:
    """The plan of the patch with its conflicts resolved, against the tree as it is.

    :raises PatchRefused: when a conflict has no resolution, one is for another file, it does not say what it has to, or
        nothing is left to be done.
    :raises PatchConflict: when the rest of the patch does not fit.
    """
    known = {item.path: item for item in conflicts}
    strangers = sorted(set(resolutions) - set(known))
    if strangers:
        raise refuse("no-conflict", "is in no conflict", path=strangers[0], hint=f"in conflict: {', '.join(known)}")
    missing = [item for item in conflicts if item.path not in resolutions]
    if missing:
        message = f"has no resolution ({len(missing[0].regions)} places)"
        raise refuse("not-resolved", message, path=missing[0].path, hint="resolve every file in conflict")
    changes, _ = resolve_names(parsed.changes, tree)
    rest = tuple(change for change in changes if change.path not in known)
    files: list[PlannedFile] = []
    if rest:
        try:
            files += make_plan(replace(parsed, changes=rest, repairs=()), tree, bases=bases).files
        except AlreadyApplied:
            files = []
    number = sum(len(file.hunks) for file in files) + 1
    for path, item in known.items():
        wanted = resolutions[path]
        content = item.check_text(wanted) if isinstance(wanted, bytes) else item.with_choices(wanted)
        file = _resolved_file(item, content, number)
        if file is not None:
            files.append(file)
            number += len(file.hunks)
    if not files:
        message = "nothing is left of the patch: the files stay as they are"
        raise refuse("nothing-left", message, hint="reject the patch instead")
    return Plan(files=tuple(files))


def _resolved_file(item: ConflictFile, content: bytes | None, number: int) -> PlannedFile | None:
    """What becomes of a file; None when it stays as it is."""
    change, there = item.change, item.there
    binary = item.kind == "binary" or b"\0" in (content or b"")[:8000]
    bare = (PlannedHunk(number=number),)
    if content is None:
        return PlannedFile(
            path=change.path,
            op="delete",
            before=there.content,
            after=None,
            before_mode=there.mode,
            after_mode=None,
            hunks=bare if binary else (whole_file_hunk(there.content, "-", number),),
            binary=binary,
        )
    mode = there.mode
    if change.op not in ("delete", "create") and change.new_mode not in (None, change.old_mode):
        mode = change.new_mode or mode
    op = change.op if change.op in ("rename", "copy") else "modify"
    if op == "modify" and content == there.content:
        if mode == there.mode:
            return None
        op = "mode"
    return PlannedFile(
        path=change.path,
        op=op,
        from_=change.from_,
        before=there.content,
        after=content,
        before_mode=there.mode,
        after_mode=mode,
        hunks=bare if binary else diff3.difference(there.content, content, number, "exact"),
        binary=binary,
    )
