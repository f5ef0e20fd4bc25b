"""Two changes that want the same path, and files where folders are needed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vibehq_tui.patches.errors import PatchRefused
from vibehq_tui.patches.model import Change, Problem
from vibehq_tui.patches.planning.planned import PlannedFile
from vibehq_tui.patches.planning.tree import Tree


def check_claims(changes: Sequence[Change]) -> frozenset[str]:
    """The paths that the patch makes free (by deleting or renaming what is there).

    :raises PatchRefused: when two changes want one path in a way that has no clear meaning. A path that one change
        leaves and another takes is clear: both mean the tree before the patch.
    """
    written: dict[str, Change] = {}
    removed: dict[str, Change] = {}
    problems: list[Problem] = []
    for change in changes:
        takes = None if change.op == "delete" else change.path
        leaves = change.path if change.op == "delete" else change.from_ if change.op == "rename" else None
        for path, claims in ((takes, written), (leaves, removed)):
            if path is not None and path in claims:
                message = "is changed twice by the same patch"
                problems.append(Problem(code="same-file-twice", message=message, path=path))
            elif path is not None:
                claims[path] = change
    for path in written.keys() & removed.keys():
        if written[path].op == "modify" or written[path].may_create:
            problems.append(Problem(code="same-file-twice", message="is both changed and removed", path=path))
    if problems:
        raise PatchRefused(problems, hint="split the patch, and apply its parts one after the other")
    return frozenset(removed)


def check_room(files: Sequence[PlannedFile], tree: Tree) -> list[Problem]:
    """Whether every file that appears has a place: no file where a folder is needed, no folder where a file is."""
    appearing = [file.path for file in files if file.op in ("create", "rename", "copy")]
    going = {file.from_ or file.path for file in files if file.op in ("delete", "rename")}
    staying = {file.path for file in files if file.op != "delete"}
    return [problem for path in appearing for problem in _room_problems(path, going, staying, tree)]


def _room_problems(path: str, going: set[str], staying: set[str], tree: Tree) -> Iterator[Problem]:
    folder = path
    while "/" in folder:
        folder = folder.rpartition("/")[0]
        if folder in staying:
            yield Problem(code="not-a-folder", message=f"{folder!r} is a file after this patch", path=path)
            return
        if folder in going:
            continue
        if tree.is_dir(folder):
            break
        if tree.read(folder) is not None:
            yield Problem(code="not-a-folder", message=f"{folder!r} is a file", path=path)
            return
    if tree.is_dir(path) and (left := next((name for name in tree.files_below(path) if name not in going), None)):
        yield Problem(code="is-a-folder", message=f"is a folder with other files in it ({left!r})", path=path)
