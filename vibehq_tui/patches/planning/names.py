"""Which files the names of a diff mean, where only the tree can tell how much of a prefix to take off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from vibehq_tui.patches.errors import PatchConflict
from vibehq_tui.patches.formats.names import strip
from vibehq_tui.patches.model import Change, Problem, Repair
from vibehq_tui.patches.paths import check_path, path_problem
from vibehq_tui.patches.planning.tree import Tree


def resolve_names(changes: Sequence[Change], tree: Tree) -> tuple[tuple[Change, ...], list[Repair]]:
    """The changes with paths that fit the tree.

    What the headers say by convention is taken when those files are there. Otherwise one strip level that fits every
    file of the patch is taken, if there is exactly one.

    :raises PatchConflict: when several levels fit.
    """
    if all(not _needs_file(change) or tree.read(change.path) is not None for change in changes):
        return tuple(changes), []
    deepest = max((name.count("/") for change in changes for name in _names(change)), default=0)
    fitting: dict[tuple[str, ...], tuple[Change, ...]] = {}
    for level in range(deepest + 1):
        moved = [_at_level(change, level, tree) for change in changes]
        if any(change is None for change in moved):
            continue
        found = tuple(change for change in moved if change is not None)
        fitting.setdefault(tuple(change.path for change in found), found)
    if not fitting:
        return tuple(changes), []
    if len(fitting) > 1:
        choices = " or ".join(repr(paths[0]) for paths in fitting)
        problem = Problem(code="ambiguous-path", message=f"the patch could mean {choices}", path=changes[0].path)
        raise PatchConflict([problem], hint="name the files from the root, with a/ and b/ before them")
    (resolved,) = fitting.values()
    repairs = [
        Repair(code="strip-level", path=new.path, message=f"the patch says {old.path!r}; the file is {new.path!r}")
        for old, new in zip(changes, resolved, strict=True)
        if old.path != new.path
    ]
    return resolved, repairs


def _needs_file(change: Change) -> bool:
    return change.plain_names and change.op != "create" and not change.may_create


def _names(change: Change) -> list[str]:
    if not change.plain_names:
        return []
    return [name.removeprefix("./") for name in (change.new_name, change.old_name) if name is not None]


def _at_level(change: Change, level: int, tree: Tree) -> Change | None:
    """The change with ``level`` components off its name; None when there is no such file."""
    if not change.plain_names:
        return change
    found = []
    for name in _names(change):
        path = strip(name, level)
        if path is None or path_problem(path) is not None or path in found:
            continue
        if not _needs_file(change) or tree.read(path) is not None:
            found.append(path)
    if len(found) != 1:
        # Two different files, an original and its copy: the name alone does not tell which is meant.
        return None
    return replace(change, path=check_path(found[0]))
