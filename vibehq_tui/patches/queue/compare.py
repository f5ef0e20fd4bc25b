"""What is different between two versions of a patch: between what each of them makes of every file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from storage.errors import Refused
from vibehq_tui.patches.errors import PatchConflict, PatchRefused
from vibehq_tui.patches.model import SYMLINK, Blob, ParsedPatch
from vibehq_tui.patches.planning.diff import render
from vibehq_tui.patches.planning.diff3 import difference
from vibehq_tui.patches.planning.plan import Plan
from vibehq_tui.patches.planning.planned import PlannedFile, PlannedHunk, whole_file_hunk
from vibehq_tui.patches.planning.tree import GitTree, OverlayTree, Tree, WorkTree
from vibehq_tui.patches.queue.plans import plan_open


@dataclass(frozen=True, slots=True, kw_only=True)
class Interdiff:
    """The difference between two versions of a patch."""

    patch: str
    old: int
    new: int
    diff: bytes
    """A git diff from what the old version makes of the files to what the new one makes of them; empty where both
    make the same."""
    tree: str
    """On which files both were planned, in words."""
    files: tuple[PlannedFile, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version, read."""

    number: int
    parsed: ParsedPatch
    base: str | None


def compare(root: Path, patch: str, old: Version, new: Version, applied: Plan | None) -> Interdiff:
    """Plans both versions on the same files and compares what they make of them.

    The files are those of the work tree, without the patch where it is applied; where one of the versions does not fit
    these, those of a commit that one of them was planned against.

    :param applied: the plan that is in the work tree, if it is.
    :raises PatchConflict: when there are no files that both versions fit.
    """
    failure: PatchConflict | PatchRefused | None = None
    for tree, name in _trees(root, old, new, applied):
        try:
            before, after = plan_open(old.parsed, tree, root), plan_open(new.parsed, tree, root)
        except (PatchConflict, PatchRefused) as error:
            failure = failure or error
        else:
            files = tuple(_changes(tree, before, after))
            return Interdiff(patch=patch, old=old.number, new=new.number, diff=render(files), tree=name, files=files)
        finally:
            if isinstance(tree, GitTree | WorkTree):
                tree.close()
    problems = failure.problems if failure is not None else ()
    raise PatchConflict(
        problems,
        code="no-common-base",
        hint=f"versions {old.number} and {new.number} of patch {patch} fit no files that are known here",
    )


def _trees(root: Path, old: Version, new: Version, applied: Plan | None) -> Iterator[tuple[Tree, str]]:
    if applied is None:
        yield WorkTree(root), "the files as they are"
    else:
        yield OverlayTree(WorkTree(root), applied.inverse()), "the files as they were without it"
    for base in dict.fromkeys(base for base in (new.base, old.base) if base):
        try:
            yield GitTree(root, base), f"commit {base[:12]}"
        except Refused:
            continue  # the commit is not in the repository any more


def _changes(tree: Tree, old: Plan, new: Plan) -> Iterator[PlannedFile]:
    before = {effect.path: effect.after for effect in old.effects}
    after = {effect.path: effect.after for effect in new.effects}
    number = 1
    for path in dict.fromkeys((*before, *after)):
        one = before[path] if path in before else tree.read(path)
        other = after[path] if path in after else tree.read(path)
        if one == other:
            continue
        file = _file(path, one, other, number)
        number += len(file.hunks)
        yield file


def _file(path: str, one: Blob | None, other: Blob | None, number: int) -> PlannedFile:
    old, new = one.content if one else None, other.content if other else None
    binary = any(b"\0" in data for data in (old, new) if data) or SYMLINK in {
        blob.mode for blob in (one, other) if blob
    }
    op = "create" if one is None else "delete" if other is None else "modify"
    if binary or old == new:
        hunks: tuple[PlannedHunk, ...] = (PlannedHunk(number=number),)
    elif old is None or new is None:
        hunks = (whole_file_hunk(new or old or b"", "+" if old is None else "-", number),)
    else:
        hunks = difference(old, new, number, "exact")
    return PlannedFile(
        path=path,
        op=op,
        before=old,
        after=new,
        before_mode=one.mode if one else None,
        after_mode=other.mode if other else None,
        hunks=hunks,
        binary=binary and old != new,
    )
