"""Hunks that have their places, one beside the other: in the order of the file, and none in the way of another."""

from __future__ import annotations

from itertools import pairwise

from vibehq_tui.patches.model import Problem, Repair
from vibehq_tui.patches.planning.sought import Sought

Arranged = tuple[list[Sought], list[Problem], list[Repair]]


def arrange(hunks: list[Sought], path: str, *, ordered: bool, movable: bool) -> Arranged:
    """Hunks in the order of the file, with problems and repairs. A hunk without a place is left out of account.

    :param ordered: whether the text claims to have them in that order.
    :param movable: whether each place is certain whatever the order.
    """
    placed = [item for item in hunks if item.start is not None]
    problems: list[Problem] = []
    repairs: list[Repair] = []
    for before, item in pairwise(hunks):
        if before.start is None or item.start is None or item.start >= before.start:
            continue
        if item.hunk.continues or (ordered and not movable):
            message = f"the hunk belongs at line {item.start + 1}, above the hunk before it"
            problems.append(Problem(code="hunk-order", path=path, hunk=item.number, message=message))
        elif ordered:
            message = f"stands below a hunk that belongs further down; it was found at line {item.start + 1} only"
            repairs.append(Repair(code="hunk-order", path=path, hunk=item.number, message=message))
    if problems:
        return hunks, problems, []
    placed.sort(key=lambda item: (item.start or 0, item.end))
    for before, item in pairwise(placed):
        if item.start is None or item.start >= before.end:
            continue
        shared = before.end - item.start
        if before.hunk.lines == item.hunk.lines:
            message = f"the hunk says the same as hunk {before.number}, and its lines are there once"
            problems.append(Problem(code="duplicate-hunk", path=path, hunk=item.number, message=message))
        elif shared > before.around()[1] or shared > item.around()[0]:
            message = f"the hunk changes lines at {item.start + 1} that hunk {before.number} has changed or shows"
            problems.append(Problem(code="hunk-overlap", path=path, hunk=item.number, message=message))
        else:
            item.lines = item.tagged[shared:]
            item.span = item.end - item.start - shared
            item.start += shared
            item.trimmed = shared
            lines = "line" if shared == 1 else f"{shared} lines"
            message = f"shows {lines} of context that hunk {before.number} shows, too; they were taken once"
            repairs.append(Repair(code="hunk-overlap", path=path, hunk=item.number, message=message))
    order = {id(item): at for at, item in enumerate(placed)}
    return sorted(hunks, key=lambda item: order.get(id(item), len(placed))), problems, repairs
