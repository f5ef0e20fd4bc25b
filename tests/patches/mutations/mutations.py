"""The ways in which agents get patches wrong. Each breaks a draft, seeded, and says which refusals would be right.

A mutation answers False where it has nothing to work on. It must know what the patch means afterwards: ``expected`` of
the draft is the tree that is right, whatever text is made of it.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

from mutation_draft import (
    ABSENT,
    BROKEN,
    PLACE,
    Draft,
    DraftFile,
    DraftHunk,
    Line,
    is_diff,
    split,
    texts_of,
)
from mutations_formats import as_codex, as_search_replace, as_udiff, as_whole_files

from vibehq_tui.patches.model import Blob

Mutation = Callable[[Draft, random.Random], bool]


def _blob(draft: Draft, path: str, content: bytes) -> Blob:
    known = draft.expected.get(path)
    return Blob(content, 0o100644 if known is None else known.mode)


def _set_before(draft: Draft, file: DraftFile, content: bytes) -> None:
    path = file.from_ or file.path
    draft.before[path] = _blob(draft, file.path, content)


def wrong_counts(draft: Draft, chance: random.Random) -> bool:
    """Counts in headers that are too high or too low."""
    hunks = [hunk for file in draft.files for hunk in file.hunks]
    if not is_diff(draft) or not hunks or draft.bare & {"header"}:
        return False
    for hunk in chance.sample(hunks, chance.randint(1, len(hunks))):
        old, new = len(hunk.old()), len(hunk.new())
        off = chance.choice([(1, 1), (-1, -1), (0, 1), (1, 0), (0, -1), (3, 3), (-2, 0), (0, -2), (4, 1), (0, 7)])
        hunk.counts = max(old + off[0], 0) if old else 0, max(new + off[1], 0)
    draft.fine |= BROKEN | {"ambiguous-context"}
    draft.bare.add("counts")
    return True


def wrong_numbers(draft: Draft, chance: random.Random) -> bool:
    """Line numbers that are off, all by the same or each by its own."""
    hunks = [hunk for file in texts_of(draft) for hunk in file.hunks]
    if not is_diff(draft) or not hunks or draft.bare & {"header"}:
        return False
    together = chance.choice([None, chance.randint(-40, 40), chance.randint(1, 9)])
    for hunk in hunks:
        off = (
            together
            if together is not None
            else chance.choice([0, chance.randint(-30, 30), chance.randint(-3, 3), 500])
        )
        hunk.old_start = max(hunk.old_start + off, 1 if hunk.old() else 0)
        hunk.new_start = max(hunk.new_start + off, 1)
    draft.fine |= PLACE
    draft.bare.add("numbers")
    return True


def bare_headers(draft: Draft, chance: random.Random) -> bool:
    """``@@``, ``@@ ... @@``, ``@@ def f():`` instead of numbers."""
    hunks = [hunk for file in texts_of(draft) for hunk in file.hunks]
    if not is_diff(draft) or not hunks or draft.bare & {"counts", "numbers"}:
        return False
    kind = chance.choice([b"@@", b"@@ ... @@", b"@@ @@", b"section", b"section @@"])
    for hunk in hunks:
        section = hunk.section.rstrip(b"\r\n")
        if kind.startswith(b"section"):
            hunk.header = b"@@ " + section + (b" @@" if kind.endswith(b"@@") else b"") if section else b"@@"
        else:
            hunk.header = kind
    draft.fine |= PLACE
    draft.bare.add("header")
    return True


def no_final_newline(draft: Draft, chance: random.Random) -> bool:
    """The text of the patch has no newline at its end."""
    del chance
    if draft.cut is not None or draft.around[1]:
        return False
    draft.final_newline = False
    return True


def trailing_blanks(draft: Draft, chance: random.Random) -> bool:
    """Blanks at the ends of context lines and removed lines that the file does not have, or lacks."""

    def change(line: bytes) -> bytes:
        text = line.rstrip(b"\r\n")
        end = line[len(text) :]
        bare = text.rstrip(b" \t")
        return (bare if bare != text else text + chance.choice([b" ", b"  ", b"\t"])) + end

    return _old_lines(draft, chance, change, 0.4)


def _old_lines(draft: Draft, chance: random.Random, change: Callable[[bytes], bytes], share: float) -> bool:
    if draft.style == "whole-file":
        return False
    done = False
    for file in texts_of(draft):
        for hunk in file.hunks:
            for at, (mark, line) in enumerate(hunk.lines):
                if mark in (" ", "-") and chance.random() < share and (new := change(line)) != line:
                    hunk.lines[at] = (mark, new)
                    done = True
    return done


def _indented(line: bytes, change: Callable[[bytes], bytes]) -> bytes:
    text = line.lstrip(b" \t")
    return change(line[: len(line) - len(text)]) + text if text.strip() else line


def tabs_for_spaces(draft: Draft, chance: random.Random) -> bool:
    """Every line of the patch is indented with tabs where the file has blanks."""
    if draft.style == "whole-file" or draft.bare & {"shift", "elided"}:
        return False
    width = chance.choice([4, 4, 8])
    return _all_lines(
        draft, lambda line: _indented(line, lambda blanks: blanks.replace(b" " * width, b"\t")), {"shift"}
    )


def _all_lines(draft: Draft, change: Callable[[bytes], bytes], bare: set[str]) -> bool:
    done = False
    for file in texts_of(draft):
        if b"\n\t" in (draft.content(file) or b"") or any(
            line.startswith(b"\t") for h in file.hunks for _, line in h.lines
        ):
            return False
    for file in texts_of(draft):
        for hunk in file.hunks:
            lines = [(mark, change(line)) for mark, line in hunk.lines]
            done = done or any(a != b for (mark, a), (_, b) in zip(lines, hunk.lines, strict=True) if mark != "+")
            hunk.lines = lines
    draft.fine |= PLACE | ABSENT
    draft.bare |= bare
    return done


def shifted_indentation(draft: Draft, chance: random.Random) -> bool:
    """Every line of a hunk is indented by as much more, or less."""
    if draft.style == "whole-file" or draft.bare & {"shift", "elided"}:
        return False
    step = chance.choice([4, 4, 2, 8, -4, -4])
    texts = [line for file in texts_of(draft) for hunk in file.hunks for _, line in hunk.lines if line.strip()]
    if step < 0 and not all(line.startswith(b" " * -step) for line in texts):
        return False

    def change(line: bytes) -> bytes:
        if not line.strip():
            return line
        return b" " * step + line if step > 0 else line[-step:]

    return _all_lines(draft, change, {"shift"})


def stale_context(draft: Draft, chance: random.Random) -> bool:
    """The file was changed since, in lines that the patch shows and does not change."""
    if draft.style == "whole-file" or draft.bare & {"tree", "order"}:
        return False
    done = False
    for file in texts_of(draft):
        before, after = draft.content(file), draft.expected.get(file.path)
        if before is None or after is None:
            continue
        old, new = split(before), split(after.content)
        shift = 0
        for hunk in file.hunks:
            at = hunk.old_start - 1
            spots = _context_spots(hunk, at, shift)
            shift += len(hunk.new()) - len(hunk.old())
            if draft.bare & {"numbers", "header", "shift", "context", "blanks"} or not spots or chance.random() < 0.4:
                continue
            here, there = chance.choice(spots)
            if old[here : here + 1] != new[there : there + 1] or not old[here].strip():
                continue
            text = old[here].rstrip(b"\r\n")
            changed = text + b"  # later" + old[here][len(text) :]
            old[here] = new[there] = changed
            done = True
        if done:
            _set_before(draft, file, b"".join(old))
            draft.expected[file.path] = _blob(draft, file.path, b"".join(new))
    draft.fine |= ABSENT | PLACE
    draft.bare.add("tree")
    return done


def _context_spots(hunk: DraftHunk, at: int, shift: int) -> list[tuple[int, int]]:
    """Where the context lines of a hunk are, before and after."""
    spots = []
    old = new = 0
    for mark, _ in hunk.lines:
        if mark == " ":
            spots.append((at + old, at + shift + new))
        old += mark != "+"
        new += mark != "-"
    return spots


def crlf_file(draft: Draft, chance: random.Random) -> bool:
    """The file ends its lines with CRLF, the patch does not."""
    del chance
    if draft.crlf or draft.style == "whole-file" or not texts_of(draft):
        return False
    for file in texts_of(draft):
        before, after = draft.content(file), draft.expected.get(file.path)
        if before is None or after is None or b"\r" in before or b"\r" in after.content:
            return False
    for file in texts_of(draft):
        before, after = draft.content(file), draft.expected.get(file.path)
        if before is None or b"\n" not in before:
            continue  # A file without any line end has none of its own.
        _set_before(draft, file, before.replace(b"\n", b"\r\n"))
        draft.expected[file.path] = _blob(draft, file.path, (after.content if after else b"").replace(b"\n", b"\r\n"))
    draft.bare.add("tree")
    return True


def crlf_patch(draft: Draft, chance: random.Random) -> bool:
    """The text of the patch ends its lines with CRLF, the file does not."""
    del chance
    contents = [file.before or b"" for file in draft.files] + [file.after or b"" for file in draft.files]
    if any(b"\r" in content for content in contents) or draft.bare & {"tree"}:
        return False
    draft.crlf = True
    return True


def fences_and_prose(draft: Draft, chance: random.Random) -> bool:
    """The patch stands in Markdown, with words around it."""
    if draft.around != (b"", b"") or draft.cut is not None or not draft.final_newline:
        return False
    if is_diff(draft):
        content = b"".join(line for file in draft.files for hunk in file.hunks for _, line in hunk.lines)
        fence = b"````" if b"```" in content else b"```"
        kind = chance.randrange(4)
        if kind == 0 and fence == b"```":
            draft.each_fenced = True
            return True
        opening = fence + chance.choice([b"diff\n", b"patch\n", b"\n"])
        draft.around = [
            (b"Sure! Here is the patch:\n\n" + opening, fence + b"\n\nThis makes it work.\n"),
            (opening, fence + b"\n"),
            (b"I changed the following:\n\n- one thing\n- another\n\n", b"\nLet me know if it works.\n"),
        ][kind - 1 if kind else 1]
        return True
    words = b"I looked at it.\n\n", b"\n\nThat is all.\n"
    if draft.style == "codex" and chance.random() < 0.5:
        words = b"Here you are:\n\n```\n", b"```\n"
    draft.around = words
    return True


def odd_prefixes(draft: Draft, chance: random.Random) -> bool:
    """Names without ``a/`` and ``b/``, with others, or from a folder further up."""
    if draft.bare & {"names"} or any(file.op in ("create", "rename") for file in draft.files) or not is_diff(draft):
        return False
    kind = chance.randrange(5)
    if kind == 0:
        draft.prefixes = "", ""
    elif kind == 1:
        draft.prefixes = chance.choice([("old/", "new/"), ("i/", "w/"), ("x/", "x/")])
    elif kind == 2:
        draft.prefixes = "./", "./"
    else:
        draft.folder = chance.choice(["project/", "home/me/project/"])
        if kind == 4:
            draft.prefixes = "", ""
    draft.fine |= {"ambiguous-path"}
    draft.bare.add("names")
    return True


def already_applied(draft: Draft, chance: random.Random) -> bool:
    """The tree has it already."""
    del chance
    if draft.bare & {"tree"}:
        return False
    for path, blob in draft.expected.items():
        draft.before[path] = blob
    draft.done = True
    draft.fine |= {"maybe-applied", "partly-applied"}
    draft.bare.add("tree")
    return True


def same_context_twice(draft: Draft, chance: random.Random) -> bool:
    """What a hunk shows stands in the file a second time, and its number belongs to neither place."""
    texts = [file for file in texts_of(draft) if len(file.hunks) == 1]
    if not is_diff(draft) or not texts or draft.bare & {"tree", "shift", "blanks", "context"}:
        return False
    file = chance.choice(texts)
    before, after = draft.content(file), draft.expected.get(file.path)
    hunk = file.hunks[0]
    block = b"".join(hunk.old())
    if (
        before is None
        or after is None
        or not block.endswith(b"\n")
        or not before.endswith(b"\n")
        or before.count(block) != 1
    ):
        return False
    filler = b"# more\n" * chance.randint(3, 30)
    if chance.random() < 0.5:
        _set_before(draft, file, before + filler + block)
        draft.expected[file.path] = _blob(draft, file.path, after.content + filler + block)
    else:
        _set_before(draft, file, block + filler + before)
        draft.expected[file.path] = _blob(draft, file.path, block + filler + after.content)
    hunk.old_start += chance.choice([1, 2, 3])
    draft.fine |= PLACE | {"merge-conflict"}
    draft.bare |= {"tree", "numbers"}
    return True


def elided_code(draft: Draft, chance: random.Random) -> bool:
    """Common lines in the middle of a hunk are left out, with ``...`` in their place."""
    if draft.style == "whole-file" or draft.bare & {"elided", "shift", "context", "counts"}:
        return False
    done = False
    for file in texts_of(draft):
        for hunk in file.hunks:
            run = _longest_common_run(hunk.lines)
            if run is not None and chance.random() < 0.8:
                hunk.elided = [run]
                done = True
    draft.fine |= PLACE | ABSENT | {"elided", "malformed-hunk"}
    draft.bare.add("elided")
    return done


def _longest_common_run(lines: list[Line]) -> tuple[int, int] | None:
    """Common lines between two changes, without one at either end of them."""
    best: tuple[int, int] | None = None
    at = 0
    while at < len(lines):
        end = at
        while end < len(lines) and lines[end][0] == " ":
            end += 1
        if at and end < len(lines) and end - at >= 4 and (best is None or end - at - 2 > best[1] - best[0]):
            best = at + 1, end - 1
        at = max(end, at + 1)
    return best


_ALIKE: Final = {b"'": "‘’", b'"': "“”", b"-": "–—‐", b" ": "\u00a0\u2009", b"...": "…"}


def look_alikes(draft: Draft, chance: random.Random) -> bool:
    """Dashes, quotes and spaces of context and removed lines are others than in the file."""

    def change(line: bytes) -> bytes:
        text = line.lstrip(b" \t")
        blanks = line[: len(line) - len(text)]
        for plain in chance.sample(list(_ALIKE), len(_ALIKE)):
            body = text.rstrip(b"\r\n")
            if plain in body.strip():
                at = body.index(plain)
                return blanks + body[:at] + chance.choice(_ALIKE[plain]).encode() + text[at + len(plain) :]
        return line

    draft.bare.add("blanks")
    return _old_lines(draft, chance, change, 0.3)


def truncated(draft: Draft, chance: random.Random) -> bool:
    """The text ends somewhere."""
    hunks = sum(len(file.hunks) for file in draft.files)
    if not is_diff(draft) or not hunks or draft.around != (b"", b"") or not draft.final_newline or draft.each_fenced:
        return False
    draft.cut = chance.random()
    draft.fine |= BROKEN | {
        "no-file-header",
        "bad-header",
        "hunk-header",
        "edge-context",
        "not-empty",
        "context-not-found",
    }
    return True


def lost_blanks(draft: Draft, chance: random.Random) -> bool:
    """Empty context lines have lost the blank that marks them."""
    del chance
    if draft.style not in ("git", "unified", "udiff", "codex"):
        return False
    done = False
    for file in draft.files:
        for hunk in file.hunks:
            for at, (mark, line) in enumerate(hunk.lines):
                if mark == " " and line == b"\n":
                    hunk.lines[at] = ("", line)
                    done = True
    draft.fine |= {"malformed-hunk", "truncated"}
    draft.bare.add("shift")
    return done


def missing_context(draft: Draft, chance: random.Random) -> bool:
    """Context lines are left out, at the edges of a hunk or between its changes."""
    if draft.style == "whole-file" or draft.bare & {"context", "elided"}:
        return False
    done = False
    edges = chance.random() < 0.6
    for file in texts_of(draft):
        for hunk in file.hunks:
            gone = _edge_lines(hunk, chance) if edges else _inner_lines(hunk, chance)
            if not gone:
                continue
            if chance.random() < 0.5:
                hunk.counts = len(hunk.old()), len(hunk.new())
            elif edges:
                above = sum(1 for at in gone if all(mark == " " for mark, _ in hunk.lines[: at + 1]))
                hunk.old_start += above
                hunk.new_start += above
            hunk.lines = [line for at, line in enumerate(hunk.lines) if at not in gone]
            done = True
    draft.fine |= PLACE | ABSENT | BROKEN
    draft.bare |= {"context", "counts", "blanks"}
    return done


def _edge_lines(hunk: DraftHunk, chance: random.Random) -> set[int]:
    """Some of the first and of the last context lines, not all of either."""
    changed = [at for at, (mark, _) in enumerate(hunk.lines) if mark in ("+", "-")]
    above, below = changed[0], len(hunk.lines) - changed[-1] - 1
    top = chance.randint(0, max(above - 1, 0))
    bottom = chance.randint(0, max(below - 1, 0))
    return {*range(top), *range(len(hunk.lines) - bottom, len(hunk.lines))}


def _inner_lines(hunk: DraftHunk, chance: random.Random) -> set[int]:
    """One context line that is not the outermost."""
    spots = [at for at, (mark, _) in enumerate(hunk.lines) if mark == " "][1:-1]
    return {chance.choice(spots)} if spots else set()


def hunks_out_of_order(draft: Draft, chance: random.Random) -> bool:
    """The hunks of a file stand in another order than in the file."""
    several = [file for file in texts_of(draft) if len(file.hunks) > 1]
    if not several or draft.style == "whole-file":
        return False
    for file in several:
        known = list(file.hunks)
        while file.hunks == known:
            chance.shuffle(file.hunks)
    draft.fine |= PLACE
    draft.bare.add("order")
    return True


def plain(draft: Draft, chance: random.Random) -> bool:
    """As it was."""
    del draft, chance
    return True


MUTATIONS: Final[dict[str, Mutation]] = {
    "as it was": plain,
    "wrong counts": wrong_counts,
    "wrong numbers": wrong_numbers,
    "bare @@": bare_headers,
    "no final newline": no_final_newline,
    "trailing blanks": trailing_blanks,
    "tabs for spaces": tabs_for_spaces,
    "shifted indentation": shifted_indentation,
    "stale context": stale_context,
    "LF patch, CRLF file": crlf_file,
    "CRLF patch, LF file": crlf_patch,
    "fences and prose": fences_and_prose,
    "odd prefixes": odd_prefixes,
    "already applied": already_applied,
    "same context twice": same_context_twice,
    "elided code": elided_code,
    "look-alikes": look_alikes,
    "truncated": truncated,
    "lost blanks": lost_blanks,
    "missing context": missing_context,
    "hunks out of order": hunks_out_of_order,
    "as codex": as_codex,
    "as search-replace": as_search_replace,
    "as udiff": as_udiff,
    "as whole files": as_whole_files,
}
"""By name, in the order of the documents."""
