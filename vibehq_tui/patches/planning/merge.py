"""A patch of an older file and the file as it is: merged over the base that both come from, exactly as git would.

Merged is what is certain: changes that do not touch each other. Where the file and the patch changed the same lines the
merge is refused, with the lines of all three.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vibehq_tui.patches.model import Change, MergeRegion, Problem, Repair
from vibehq_tui.patches.planning import diff3
from vibehq_tui.patches.planning.blobs import blob_name
from vibehq_tui.patches.planning.content import Built
from vibehq_tui.patches.planning.diff3 import Segment
from vibehq_tui.patches.planning.planned import split_lines

if TYPE_CHECKING:
    from vibehq_tui.patches.planning.bases import Bases

Patched = Callable[[bytes], Built | None]
"""Puts the patch into a base; None when it does not fit."""

_MOST_CANDIDATES: Final = 16
_MOST_SHOWN: Final = 5
_MOST_LINES: Final = 5000
_SECONDS: Final = 60.0
_MOST_REMEMBERED: Final = 512 * 1024
"""Bytes of the three sides of a merge whose result is kept."""
_BINARY_HEAD: Final = 8000
_HUNK: Final = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """The three contents of a merge. Line ends are those of ``ours`` wherever the three differ in nothing else."""

    ours: bytes
    """The file as it is."""
    base: bytes
    theirs: bytes | None
    """The base with the patch; None when the patch deletes the file."""
    origin: str
    """What the base is, in words."""
    repairs: tuple[Repair, ...] = ()
    """What was repaired to put the patch into the base."""
    warnings: tuple[str, ...] = ()

    @property
    def binary(self) -> bool:
        """Whether one of them is no text."""
        return any(b"\0" in side[:_BINARY_HEAD] for side in (self.ours, self.base, self.theirs or b""))


def instead(
    change: Change,
    content: bytes,
    bases: Bases,
    number: int,
    patched: Patched,
    *,
    placed: Built | None,
    lost: bool,
) -> Built | Problem | None:
    """What a merge makes of a file that is not the base of a patch; None when it has nothing to say.

    It has the last word where the patch names a base that can be found. That every hunk is in the file as it stands in
    the patch, with the same result, is the plainer way to say so and left to ``placed``.

    :param placed: the file with the hunks where they were found in it, if they were.
    :param lost: whether they were not, or only something like them.
    """
    merged: Built | Problem | None = None
    sides = sides_of_blob(change, content, bases, patched)
    if sides is not None:
        merged = _outcome(sides, change.path, number)
    elif lost:
        merged = over_versions(change, content, bases, number, patched)
    if isinstance(merged, Built) and placed is not None and placed.after == merged.after:
        plain = not placed.repairs and all(hunk.match in ("exact", "offset") for hunk in placed.hunks)
        return None if plain else merged
    return merged


def deletion_problem(change: Change, content: bytes, bases: Bases) -> Problem | None:
    """Why a file is not deleted that has changed since; None when its base is not known."""
    sides = sides_of_blob(change, content, bases, lambda _: None)
    return None if sides is None else conflict(sides, merge(sides).regions, change.path)


def over_versions(
    change: Change, content: bytes, bases: Bases, number: int, patched: Patched
) -> Built | Problem | None:
    """Merges over earlier versions of the file that the patch fits exactly; None when there are none.

    Which of them it was made from is not known, so all have to give the same.
    """
    found = [
        (sides, _outcome(sides, change.path, number)) for sides in sides_of_versions(change, content, bases, patched)
    ]
    if not found:
        return None
    clean = {outcome.after: outcome for _, outcome in found if isinstance(outcome, Built)}
    problems = [outcome for _, outcome in found if isinstance(outcome, Problem)]
    if problems:
        return problems[0]
    if len(clean) > 1:
        message = "the patch fits several earlier versions of the file, and merging gives something else for each"
        return Problem(code="merge-uncertain", path=change.path, hunk=number, message=message)
    return next(iter(clean.values()))


def sides_of_blob(change: Change, content: bytes, bases: Bases, patched: Patched) -> Sides | None:
    """The contents to merge when the patch names its base; None when that is not known, or the patch does not fit."""
    if change.old_blob is None or not change.old_blob.strip("0"):
        return None
    base = bases.blob(change.old_blob)
    if base is None:
        return None
    origin = f"blob {change.old_blob[:12]}, which the patch was made from"
    if change.op == "delete":
        return _sides(content, base, None, origin)
    built = patched(base)
    return None if built is None else _sides(content, base, built.after, origin, built)


def sides_of_versions(change: Change, content: bytes, bases: Bases, patched: Patched) -> list[Sides]:
    """The contents to merge for each earlier version of the file that the patch fits, the newest first.

    A hunk with a line number has to be exactly there; one without has to have one place only.
    """
    blocks = [b"".join(hunk.old()) for hunk in change.hunks]
    if not blocks or not all(blocks) or change.op == "delete":
        return []
    found: list[Sides] = []
    for version in bases.versions(change.from_ or change.path):
        if version == content or not all(block in version for block in blocks):
            continue
        if not _at_their_lines(change, split_lines(version)):
            continue
        built = patched(version)
        if built is None or built.repairs or not _is_exact(built, change):
            continue
        origin = f"an earlier version of the file ({blob_name(version)[:12]}), which the patch fits exactly"
        found.append(_sides(content, version, built.after, origin))
        if len(found) == _MOST_CANDIDATES:
            break
    return found


def _at_their_lines(change: Change, lines: list[bytes]) -> bool:
    for hunk in change.hunks:
        old, first = hunk.old(), hunk.old_start - 1
        if hunk.numbered and lines[max(first, 0) : first + len(old)] != old:
            return False
    return True


def _is_exact(built: Built, change: Change) -> bool:
    wanted = ("exact",) if all(hunk.numbered for hunk in change.hunks) else ("exact", "offset")
    return all(hunk.match in wanted for hunk in built.hunks)


def _sides(ours: bytes, base: bytes, theirs: bytes | None, origin: str, built: Built | None = None) -> Sides:
    """Three contents, with the line ends of the file where git may have converted them all on the way."""
    mine, old, new = _line_end(ours), _line_end(base), _line_end(theirs or b"")
    if mine is not None and old not in (None, mine) and (theirs is None or new == old):
        base = _with_line_end(base, mine)
        theirs = None if theirs is None else _with_line_end(theirs, mine)
    repairs, warnings = ((), ()) if built is None else (tuple(built.repairs), tuple(built.warnings))
    return Sides(ours=ours, base=base, theirs=theirs, origin=origin, repairs=repairs, warnings=warnings)


def _line_end(content: bytes) -> bytes | None:
    """How every line ends; None when they differ, or there is none."""
    lines, dos = content.count(b"\n"), content.count(b"\r\n")
    if not lines or dos not in (0, lines):
        return None
    return b"\r\n" if dos else b"\n"


def _with_line_end(content: bytes, end: bytes) -> bytes:
    plain = content.replace(b"\r\n", b"\n")
    return plain.replace(b"\n", b"\r\n") if end == b"\r\n" else plain


# -- merging -----------------------------------------------------------------------------------------------------------


def _outcome(sides: Sides, path: str, number: int) -> Built | Problem:
    merged = merge(sides)
    if merged.content is None or sides.theirs is None:
        return conflict(sides, merged.regions, path)
    hunks = diff3.difference(sides.ours, merged.content, number, "merge")
    message = f"the file has changed since {sides.origin}; both changes were merged"
    repairs = [*sides.repairs, Repair(code="merged", path=path, message=message)]
    return Built(merged.content, hunks, repairs, list(sides.warnings))


def conflict(sides: Sides, regions: tuple[MergeRegion, ...], path: str) -> Problem:
    """Why a merge is not clean."""
    since = f"since {sides.origin}"
    if sides.binary:
        message = f"is no text and has changed {since}, so it cannot be merged"
    elif sides.theirs is None:
        message = f"is to be deleted, and has changed {since}: {_places(regions)}"
    else:
        message = f"the patch and the file have both changed {_places(regions)} {since}"
    return Problem(
        code="merge-conflict",
        path=path,
        message=message,
        candidates=tuple(region.line for region in regions[:_MOST_CANDIDATES]),
        regions=() if sides.binary else _few(regions),
    )


def _few(regions: tuple[MergeRegion, ...]) -> tuple[MergeRegion, ...]:
    """As many regions as are told and stored with a problem; how many there are is in its message."""
    left = _MOST_LINES
    few: list[MergeRegion] = []
    for region in regions:
        left -= len(region.ours) + len(region.base) + len(region.theirs)
        if left < 0:
            break
        few.append(region)
    return tuple(few)


def _places(regions: tuple[MergeRegion, ...]) -> str:
    shown = []
    for region in regions[:_MOST_SHOWN]:
        last = region.line + len(region.ours) - 1
        shown.append(f"{region.line}-{last}" if last > region.line else f"{region.line}")
    more = f" and {len(regions) - _MOST_SHOWN} more places" if len(regions) > _MOST_SHOWN else ""
    one = len(regions) == 1 and len(regions[0].ours) <= 1
    return f"line{'' if one else 's'} {', '.join(shown)}{more}"


def merge(sides: Sides) -> diff3.Merged:
    """Merges the three. Where git is there the differences are git's, so that this is what ``git merge`` would make."""
    ours, base, theirs = sides.ours, sides.base, sides.theirs
    if theirs is None or sides.binary:
        return _as_regions(sides)
    if ours in (base, theirs):
        return diff3.Merged((tuple(split_lines(theirs)),))
    if theirs == base:
        return diff3.Merged((tuple(split_lines(ours)),))
    # A queue is planned again and again, and what is in conflict mostly stays so.
    small = len(ours) + len(base) + len(theirs) <= _MOST_REMEMBERED
    try:
        merged = _merge_remembered(ours, base, theirs) if small else _merge_with_git(ours, base, theirs)
    except OSError:
        return merge_alone(sides)
    return _as_regions(sides) if merged is None else merged


def _merge_with_git(ours: bytes, base: bytes, theirs: bytes) -> diff3.Merged | None:
    """The merge by git's differences; None when two ways of git's to find them give two merges.

    :raises OSError: when there is no git, or nowhere to put the three for it.
    """
    with _in_files(ours, base, theirs) as folder:
        lines = [split_lines(side) for side in (base, ours, theirs)]
        edits = [_git_edits(folder, side) for side in ("ours", "theirs")]
        merged = diff3.merge(lines[0], lines[1], lines[2], edits[0], edits[1])
        # By other differences git may well see a conflict, but nothing else than here.
        other = None if merged.content is None else _merge_file(folder)
    return merged if other in (None, merged.content) else None


_merge_remembered = lru_cache(maxsize=64)(_merge_with_git)


def _as_regions(sides: Sides) -> diff3.Merged:
    """A merge that nobody but an operator can make."""
    ours, base = split_lines(sides.ours), split_lines(sides.base)
    if sides.theirs is not None:
        region = MergeRegion(line=1, ours=tuple(ours), base=tuple(base), theirs=tuple(split_lines(sides.theirs)))
        return diff3.Merged((region,))
    segments: list[Segment] = []
    cursor = 0
    for edit in diff3.edits(base, ours):
        if edit.start > cursor:
            segments.append(tuple(ours[cursor : edit.start]))
        own, old = tuple(ours[edit.start : edit.end]), tuple(base[edit.low : edit.high])
        segments.append(MergeRegion(line=edit.start + 1, ours=own, base=old, theirs=()))
        cursor = edit.end
    if cursor < len(ours):
        segments.append(tuple(ours[cursor:]))
    return diff3.Merged(tuple(segments))


def merge_alone(sides: Sides) -> diff3.Merged:
    """The merge by our own differences.

    Where lines repeat these are not the only ones, so three ways of finding them have to agree, and no change may be
    able to move along equal lines until it touches one of the other side.
    """
    base, ours, theirs = split_lines(sides.base), split_lines(sides.ours), split_lines(sides.theirs or b"")
    first: diff3.Merged | None = None
    for find in (diff3.edits, diff3.edits_from_below, diff3.shortest_edits):
        mine, other = find(base, ours), find(base, theirs)
        merged = diff3.merge(base, ours, theirs, mine, other)
        if merged.content is None:
            return merged
        if first is not None and merged.content != first.content:
            return _as_regions(sides)
        if diff3.could_touch(base, ours, theirs, mine, other):
            return _as_regions(sides)
        first = merged
    return first or _as_regions(sides)


# -- git ---------------------------------------------------------------------------------------------------------------


@contextmanager
def _in_files(ours: bytes, base: bytes, theirs: bytes) -> Iterator[Path]:
    """A folder of its own, outside of any repository, with the three as files."""
    from tempfile import TemporaryDirectory  # noqa: PLC0415 - only a merge needs it

    with TemporaryDirectory(prefix="vibehq-merge-") as name:
        folder = Path(name).resolve()
        for side, content in (("ours", ours), ("base", base), ("theirs", theirs)):
            (folder / side).write_bytes(content)
        yield folder


def _git(folder: Path, *arguments: str) -> tuple[int, bytes]:
    """Exit code and output of git in a folder that is in no repository, without anybody's configuration.

    :raises OSError: when there is no git, or it does not answer.
    """
    from subprocess import DEVNULL, PIPE, TimeoutExpired, run  # noqa: PLC0415 - costs 6 ms of start-up

    from vibehq_tui.patches.planning.tree import reading_environment  # noqa: PLC0415 - only a merge needs it

    environment = reading_environment() | {"GIT_CEILING_DIRECTORIES": str(folder.parent)}
    command = ["git", "-c", f"core.attributesFile={os.devnull}", *arguments]
    try:
        done = run(
            command,
            cwd=folder,
            env=environment,
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=DEVNULL,
            check=False,
            timeout=_SECONDS,
        )
    except TimeoutExpired as error:
        raise OSError("git does not answer") from error
    return done.returncode, done.stdout


def _merge_file(folder: Path) -> bytes | None:
    """What ``git merge-file`` makes of the three; None when it finds a conflict."""
    code, content = _git(folder, "merge-file", "-p", "ours", "base", "theirs")
    if code < 0 or code > 127:
        raise OSError(f"git merge-file ended with {code}")
    return content if code == 0 else None


def _git_edits(folder: Path, side: str) -> list[diff3.Edit]:
    """The differences that ``git merge`` stands on: of the base and one side."""
    options = ("--no-index", "--diff-algorithm=histogram", "--no-indent-heuristic", "--text", "-U1")
    code, text = _git(folder, "diff", *options, "--no-ext-diff", "--no-textconv", "--no-color", "--", "base", side)
    if code not in (0, 1):
        raise OSError(f"git diff ended with {code}")
    found: list[diff3.Edit] = []
    low = start = 0
    left = (0, 0)
    for line in text.split(b"\n"):
        if left == (0, 0):
            header = _HUNK.match(line)
            if header is not None:
                first, count, to, new = (1 if part is None else int(part) for part in header.groups())
                low, start = first - (count > 0), to - (new > 0)
                left = (count, new)
            continue
        tag = line[:1]
        old, new = left[0] - (tag in b" -"), left[1] - (tag in b" +")
        if tag == b"\\":
            continue
        left = (old, new)
        if tag in b"-+":
            _extend(found, low, start, removed=tag == b"-")
        low, start = low + (tag in b" -"), start + (tag in b" +")
    return found


def _extend(found: list[diff3.Edit], low: int, start: int, *, removed: bool) -> None:
    last = found[-1] if found else None
    if last is None or last.high != low or last.end != start:
        last = diff3.Edit(low, low, start, start)
        found.append(last)
    found[-1] = diff3.Edit(last.low, last.high + removed, last.start, last.end + (not removed))
