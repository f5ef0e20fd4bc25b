"""Where two patches meet, and in which order they can both go in."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from vibehq_tui.patches.plan import Plan, PlannedFile
from vibehq_tui.patches.review import Overlap

Ranges = tuple[tuple[int, int], ...]
"""First and last line, from 1, of each place; empty where the whole file is meant."""
WHOLE_FILE = (0, 0)


def changed_ranges(file: PlannedFile) -> Ranges:
    """The lines of the file before that a patch replaces, ``(first, last)``, 1-based.

    An insertion after line n takes ``(n, n + 1)``: two insertions at one place meet, because their order matters. Empty
    for a change of the whole file: created, deleted, renamed, binary, mode.
    """
    if file.op not in ("modify",) or file.binary or not any(hunk.lines for hunk in file.hunks):
        return ()
    ranges: list[tuple[int, int]] = []
    for hunk in file.hunks:
        line = hunk.old_start if hunk.old_lines else hunk.old_start + 1
        start: int | None = None
        removed = False
        for tag, _ in (*hunk.lines, (" ", b"")):
            if tag == " ":
                if start is not None:
                    ranges.append((start, line - 1) if removed else (start - 1, start))
                start, removed = None, False
                line += 1
            else:
                start = line if start is None else start
                if tag == "-":
                    removed = True
                    line += 1
    return tuple(ranges)


def _meeting(one: Ranges, other: Ranges) -> tuple[int, int] | None:
    if not one or not other:
        return WHOLE_FILE
    hits = [(max(a, c), min(b, d)) for a, b in one for c, d in other if a <= d and c <= b]
    return (min(first for first, _ in hits), max(last for _, last in hits)) if hits else None


def touched(plan: Plan) -> list[tuple[str, str, Ranges]]:
    """``(path, op, ranges)`` of every path that a plan changes; the old path of a rename is a ``delete`` of its own."""
    rows = [(file.path, file.op, changed_ranges(file)) for file in plan.files]
    return rows + [(file.from_, "delete", ()) for file in plan.files if file.op == "rename" and file.from_ is not None]


def added_lines(plan: Plan) -> dict[str, list[tuple[int, str]]]:
    """Path → ``(line, text)`` of every line that a plan adds, numbered as in the file after."""
    return {file.path: lines for file in plan.files if (lines := list(added_lines_of(file)))}


def added_lines_of(file: PlannedFile) -> Iterator[tuple[int, str]]:
    """``(line, text)`` of every line that a plan adds to one file."""
    for hunk in file.hunks:
        line = hunk.new_start
        for tag, content in hunk.lines:
            if tag == "+":
                yield line, content.decode("utf-8", "replace").rstrip("\r\n")
            if tag != "-":
                line += 1


def _by_path(plan: Plan) -> dict[str, Ranges]:
    ranges: dict[str, list[tuple[int, int]]] = {}
    whole: set[str] = set()
    for path, _, lines in touched(plan):
        ranges.setdefault(path, []).extend(lines)
        if not lines:
            whole.add(path)
    return {path: () if path in whole else tuple(lines) for path, lines in ranges.items()}


Meeting = tuple[str, str, str, tuple[int, int]]
"""Two patches, the path where they meet, first and last line."""


def find_meetings(plans: dict[str, Plan]) -> list[Meeting]:
    """Every pair of patches that meet, one entry for each path where they do.

    :param plans: plan by patch id, all against the same tree.
    """
    ranges = {patch: _by_path(plan) for patch, plan in plans.items()}
    by_path: dict[str, list[str]] = {}
    for patch, paths in ranges.items():
        for path in paths:
            by_path.setdefault(path, []).append(patch)
    return [
        (one, other, path, lines)
        for path, patches in by_path.items()
        for one, other in combinations(patches, 2)
        if (lines := _meeting(ranges[one][path], ranges[other][path])) is not None
    ]


def explain(meetings: list[Meeting], orders: dict[tuple[str, str], str | None]) -> list[Overlap]:
    """Meetings with what to do about them.

    :param orders: for each pair the patch to apply first, none where no order works.
    """
    rows: list[Overlap] = []
    for one, other, path, lines in meetings:
        first = orders[one, other]
        if first is None:
            suggestion = "they exclude each other: apply one, send the other back"
        else:
            suggestion = f"apply {first} first, then {other if first == one else one} still fits"
        rows.append(Overlap(patch=one, other=other, path=path, lines=lines, suggestion=suggestion, first=first))
    return rows
