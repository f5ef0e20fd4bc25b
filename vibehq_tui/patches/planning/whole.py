"""Is a hunk whole, and is a patch in the tree already? Both need the tree, and both guard against silent harm."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Final

from vibehq_tui.patches.model import Blob, Change, Hunk, Problem
from vibehq_tui.patches.planning.blobs import blob_matches
from vibehq_tui.patches.planning.filetext import FileText
from vibehq_tui.patches.planning.locate import locate
from vibehq_tui.patches.planning.sought import Sought, sought
from vibehq_tui.patches.planning.tiers import TRAILING, UNICODE, Budget, Searcher, keys, telling
from vibehq_tui.patches.planning.tree import Tree

_FEW: Final = 4
"""Hunks for which the quick look is worth it."""


def hunk_is_whole(item: Sought, lines: Sequence[bytes]) -> bool:
    """Whether a hunk that is shorter than its header says, at the end of the text, was miscounted and not cut off.

    A tool shows as much context below the last change of a hunk as above its first, or goes to the end of the file. So
    what a cut takes away reaches to the end of the file, or has at least as many old and new lines as there are above.
    """
    missing = item.hunk.missing
    if missing is None:
        return True
    old, new = missing
    tags = "".join(tag for tag, _ in item.hunk.lines)
    above, below = len(tags) - len(tags.lstrip(" ")), len(tags) - len(tags.rstrip(" "))
    if below == 0 or old == len(lines) - item.end:
        return False
    return old < above or new < above


def lost_a_line(item: Sought, lines: Sequence[bytes]) -> bool:
    """Whether a hunk that was found elsewhere could as well belong to its line, with lines missing from its middle.

    Its header counts more lines than it has, and all that it has stand in the lines that the header names.
    """
    end = item.hint + item.hunk.old_count
    if item.hunk.old_count <= len(item.old) or (item.start is not None and item.hint <= item.start and item.end <= end):
        return False
    there = iter(keys(lines[item.hint : end]))
    return all(key in there for key in keys(item.old))


def is_applied(changes: Sequence[Change], tree: Tree) -> bool:
    """Whether all that a patch wants is in the tree already, without doubt."""
    return all(_change_is_in(change, tree) for change in changes)


def _change_is_in(change: Change, tree: Tree) -> bool:
    there = tree.read(change.path)
    if change.op == "delete":
        # An operation names its file deliberately, so one that is not there is a mistake rather than done before.
        return change.where is None and there is None and not tree.is_dir(change.path)
    if there is None or change.edits:
        return False
    if change.op == "rename" and change.from_ is not None and tree.read(change.from_) is not None:
        return False
    if change.new_mode is not None and change.new_mode != change.old_mode and there.mode != change.new_mode:
        return False
    if change.content is not None:
        from vibehq_tui.patches.planning.edits import plan_create  # noqa: PLC0415 - only for operation batches

        return there.content == plan_create(tree, change.content)
    if change.new_blob is not None and blob_matches(there.content, change.new_blob):
        return True
    if change.binary is not None:
        return False
    if change.whole is not None:
        return _is_written(change, there)
    if change.op == "create":
        return there.content == b"".join(line for hunk in change.hunks for line in hunk.new())
    if not change.hunks:
        return _is_moved(change, there, tree)
    return _hunks_are_in(change, there.content)


def _is_written(change: Change, there: Blob) -> bool:
    from vibehq_tui.patches.planning.whole_contents import rewritten  # noqa: PLC0415 - only for files that were written out

    made = rewritten(change, there.content, 1)
    return not isinstance(made, Problem) and made.after == there.content


def _is_moved(change: Change, there: Blob, tree: Tree) -> bool:
    """Whether a change without text is done: a mode that is right, a rename, a copy."""
    if change.op == "copy" and change.from_ is not None:
        return tree.read(change.from_) == there
    return change.where is None


def _hunks_are_in(change: Change, content: bytes) -> bool:
    if not all(map(_can_be_known, change.hunks)) or any(_lacks(content, hunk) for hunk in change.hunks[:_FEW]):
        return False
    reverse = sought(change.hunks, 1, reverse=True)
    text = FileText(content)
    located = locate(reverse, text, path=change.path, trusted=None, ordered=change.ordered, tiers=(TRAILING,))
    if located.problems or located.edges or not all(_lacks_removed(item, text) for item in located.hunks):
        return False
    elsewhere = [item for item in located.hunks if not item.hunk.numbered or item.start != item.hint]
    searcher = Searcher(text, TRAILING, [keys(item.hunk.old()) for item in elsewhere], Budget())
    return not any(_could_be_applied(item, text, searcher) for item in elsewhere)


def _could_be_applied(item: Sought, text: FileText, searcher: Searcher) -> bool:
    """Whether what a hunk looks for is in the file besides what it leaves behind: then it is open which was meant."""
    hunk = item.hunk
    old = keys(hunk.old())
    if sum(map(telling, hunk.new())) < 2:
        return True
    if hunk.numbered and is_like_at(hunk.old(), text, max(hunk.old_start - 1, 0), 0.5):
        return True
    if not any(map(telling, old)):
        return False
    found = searcher.find(old, 2)
    return any(at < (item.start or 0) or at + len(old) > item.end for at in found)


def is_like_at(lines: Sequence[bytes], text: Sequence[bytes], at: int, share: float) -> bool:
    """Whether at least such a share of lines, blank ones aside, is at a line of a file, as it is or in other words."""
    old = keys(lines, UNICODE)
    there = keys(text[at : at + len(old)], UNICODE)
    alike = sum(key == have for key, have in zip(old, there, strict=False) if key)
    return alike > 0 and alike >= share * sum(map(bool, old))


def _lacks_removed(item: Sought, text: FileText) -> bool:
    """Whether what a hunk leaves behind, found in a file, is without doubt without what it removes.

    Lines removed at the edge of a hunk leave nothing behind that ends there, but for the edge of the file.
    """
    lines = item.hunk.lines
    tags = "".join(tag for tag, _ in lines)
    above = len(tags) - len(tags.lstrip("-"))
    below = len(tags) - len(tags.rstrip("-"))
    start = item.start or 0
    if above and tags[above : above + 1] != "+" and start > 0:
        return False
    return not below or tags[len(tags) - below - 1 : len(tags) - below] == "+" or item.end == len(text)


def _lacks(content: bytes, hunk: Hunk) -> bool:
    """Whether the longest line that a hunk adds is nowhere: the quick way to most of the answers."""
    added = [line.strip() for tag, line in hunk.lines if tag == "+"]
    return bool(added) and max(added, key=len) not in content


def _shows_removal(hunk: Hunk) -> bool:
    """Whether lines that say something stand on both sides of what is only removed, and do not begin or end like it.

    Otherwise what is left looks the same before and after.
    """
    groups = [(tag, keys([line for _, line in lines])) for tag, lines in groupby(hunk.lines, key=lambda line: line[0])]
    for at, (tag, removed) in enumerate(groups):
        above, below = groups[max(at - 1, 0) : at], groups[at + 1 : at + 2]
        if tag != "-" or "+" in [other for other, _ in (*above, *below)]:
            continue
        if any(not any(map(telling, lines)) for _, lines in (*above, *below)):
            return False
        if any(lines[-1] == removed[-1] for _, lines in above) or any(lines[0] == removed[0] for _, lines in below):
            return False
    return True


def _can_be_known(hunk: Hunk) -> bool:
    """Whether the lines that a hunk leaves behind can prove that it was applied.

    Without context, lines that are there prove nothing: they may have been there before. In a hunk without a number,
    which says by its lines alone where it belongs, two lines that say something are enough, unless all that it adds are
    lines like a brace or a blank one at an edge, which could be wanted once more.
    """
    if hunk.missing is not None or not _shows_removal(hunk):
        return False
    tags = [tag for tag, _ in hunk.lines]
    if hunk.numbered:
        return " " in tags
    added = [line for tag, line in hunk.lines if tag == "+"]
    if "+" in (tags[0], tags[-1]) and not any(map(telling, added)):
        return False
    return sum(map(telling, hunk.new())) >= 2
