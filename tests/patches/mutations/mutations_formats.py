"""The same changes written in the other formats of agents."""

from __future__ import annotations

import random
import re

from mutation_draft import PLACE, Draft, is_diff


def _convertible(draft: Draft, ops: set[str]) -> bool:
    if not is_diff(draft) or draft.bare & {"header", "counts", "numbers", "names", "elided"} or draft.each_fenced:
        return False
    if draft.prefixes != ("a/", "b/") or draft.around != (b"", b"") or draft.cut is not None:
        return False
    for file in draft.files:
        if file.op not in ops or not all(line.endswith(b"\n") for hunk in file.hunks for _, line in hunk.lines):
            return False
        if any(line.startswith((b"old mode", b"new file mode 100755")) for line in file.extended):
            return False
        if file.op in ("modify", "rename") and not all(any(m in " -" for m, _ in h.lines) for h in file.hunks):
            return False
        if file.op == "rename" and not file.hunks:
            return False
        if not file.hunks or any(
            re.match(rb"<{5,}|={5,}|>{5,}|\*\*\* ", line) for h in file.hunks for _, line in h.lines
        ):
            return False
    return True


def as_codex(draft: Draft, chance: random.Random) -> bool:
    """Written as ``*** Begin Patch``."""
    del chance
    if not _convertible(draft, {"modify", "create", "delete", "rename"}):
        return False
    draft.style = "codex"
    draft.fine |= PLACE
    return True


def as_search_replace(draft: Draft, chance: random.Random) -> bool:
    """Written as SEARCH/REPLACE blocks."""
    del chance
    if not _convertible(draft, {"modify", "create"}):
        return False
    draft.style = "search-replace"
    draft.fine |= PLACE
    return True


def as_udiff(draft: Draft, chance: random.Random) -> bool:
    """Written as diffs without line numbers."""
    del chance
    if not _convertible(draft, {"modify", "create"}):
        return False
    draft.style = "udiff"
    draft.fine |= PLACE
    return True


def as_whole_files(draft: Draft, chance: random.Random) -> bool:
    """Every file written out."""
    del chance
    if not _convertible(draft, {"modify", "create"}) or draft.bare - {"tree"} or draft.before:
        return False
    if any(b"```" in (file.after or b"") or not (file.after or b"").endswith(b"\n") for file in draft.files):
        return False
    draft.style = "whole-file"
    return True
