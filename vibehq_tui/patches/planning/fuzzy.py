"""Hunks whose context has changed since: put where enough of the rest fixes the place, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby

from vibehq_tui.patches.planning.filetext import FileText, split_end
from vibehq_tui.patches.planning.similar import ENOUGH, FEWEST, MARGIN, Likeness, Place
from vibehq_tui.patches.planning.sought import Sought
from vibehq_tui.patches.planning.tiers import UNICODE, keys, telling
from vibehq_tui.patches.planning.tiers_blanks import reworded

_ALIKE = 0.5
"""How much of an edited neighbour of a change must have stayed, of its characters."""


@dataclass(frozen=True, slots=True)
class _Group:
    """A run of removed and added lines: the index of the old line that it starts at, and how many it removes."""

    at: int
    removed: int
    telling: bool
    """Whether one of those says enough to be told from others."""


def place(item: Sought, text: FileText, likeness: Likeness) -> bool:
    """Puts a hunk that no tier has found where it belongs for certain; answers False when that is nowhere."""
    if not any(tag == " " for tag, _ in item.hunk.lines):
        return False
    survey = likeness.survey(item)
    if not survey.places:
        return False
    best = survey.places[0]
    if best.score < ENOUGH or max([survey.rest, *(it.score for it in survey.places[1:])]) > best.score - MARGIN:
        return False
    block = likeness.keys(item)
    missing = [at for at in range(len(block)) if at not in best.pairs]
    if any(telling(block[at]) and likeness.is_there(block[at]) for at in missing):
        return False
    if sum(1 for at in best.pairs if telling(block[at])) < FEWEST or not _are_context(item, missing):
        return False
    if _could_be_others(item, best, missing, likeness):
        return False
    if not all(_is_fixed(group, item, best, text) for group in _groups(item)):
        return False
    return _take(item, best, text)


def _are_context(item: Sought, missing: list[int]) -> bool:
    """Whether old lines, by index, are all context."""
    tags = [tag for tag, _ in item.hunk.lines if tag != "+"]
    return all(tags[at] == " " for at in missing)


def _could_be_others(item: Sought, found: Place, missing: list[int], likeness: Likeness) -> bool:
    """Whether lines that have come or gone are like others of the hunk: then it is open which of those are meant."""
    block = likeness.keys(item)
    taken = set(found.pairs.values())
    span = range(min(taken), max(taken) + 1)
    changed = {key for key, (tag, _) in zip(_keys_of(item), item.hunk.lines, strict=True) if tag != " "}
    come = {likeness.key_at(at) for at in span if at not in taken}
    gone = {block[at] for at in missing}
    return bool(come & {*changed, *block}) or bool(gone & {*changed, *(likeness.key_at(at) for at in span)})


def _keys_of(item: Sought) -> list[bytes]:
    """The keys of all lines of a hunk."""
    return keys([line for _, line in item.hunk.lines], UNICODE)


def _groups(item: Sought) -> Iterator[_Group]:
    at = 0
    for common, lines in groupby(item.hunk.lines, key=lambda line: line[0] == " "):
        if common:
            at += sum(1 for _ in lines)
            continue
        removed = [line for tag, line in lines if tag == "-"]
        yield _Group(at, len(removed), any(map(telling, removed)))
        at += len(removed)


def _is_fixed(group: _Group, item: Sought, found: Place, text: FileText) -> bool:
    """Whether the lines that are left say exactly between which lines of the file a change belongs."""
    pairs, last = found.pairs, len(item.old)
    top, bottom = group.at, group.at + group.removed
    if not group.telling:
        above = pairs.get(top - 1) if top else -1
        below = pairs.get(bottom) if bottom < last else len(text)
        there = [pairs.get(at) for at in range(top, bottom)]
        return above is not None and [*there, below] == list(range(above + 1, above + group.removed + 2))
    there = [pairs.get(at) for at in range(top, bottom)]
    first = there[0]
    if first is None or there != list(range(first, first + group.removed)):
        return False
    above_is = top == 0 or pairs.get(top - 1) == first - 1
    below_is = bottom == last or pairs.get(bottom) == first + group.removed
    if not above_is and not (top - 1 not in pairs and _was_edited(item, found, text, top - 1, first - 1, -1)):
        return False
    if not below_is and not (bottom not in pairs and _was_edited(item, found, text, bottom, first + group.removed, 1)):
        return False
    kept = (top > 0 and above_is) or (bottom < last and below_is)
    return kept or (top == 0 and bottom == last)


def _was_edited(item: Sought, found: Place, text: FileText, old: int, there: int, step: int) -> bool:
    """Whether a line that is missing was edited in place: as many lines up to the next one that is known, and alike."""
    if not 0 <= there < len(text):
        return False
    far = old
    while 0 <= far < len(item.old) and far not in found.pairs:
        far += step
    if far in found.pairs and found.pairs[far] - there != far - old:
        return False
    one, other = (line.strip().decode("utf-8", "replace") for line in (item.old[old], text[there]))
    return SequenceMatcher(None, one[:300], other[:300], autojunk=False).ratio() >= _ALIKE


def _take(item: Sought, found: Place, text: FileText) -> bool:
    """Gives the hunk the lines of the file: missing context is left out, new lines between others are context."""
    known: list[tuple[str, bytes]] = []
    own: list[int] = []
    at = 0
    for tag, line in item.hunk.lines:
        if tag == "+":
            known.append((tag, line))
            continue
        if at in found.pairs:
            known.append((tag, line))
            own.append(found.pairs[at])
        at += 1
    there = [text[line] for line in own]
    old = [line for tag, line in known if tag != "+"]
    words = tuple(known)
    codes: tuple[str, ...] = ()
    if keys(there) != keys(old):
        said = reworded(words, there)
        if said is None:
            return False
        words, codes, _ = said
    ending = next((split_end(line)[1] for line in item.old if split_end(line)[1]), b"\n")
    lines: list[tuple[str, bytes]] = []
    cursor = own[0]
    position = 0
    for tag, line in words:
        if tag != "+":
            lines += [(" ", split_end(text[new])[0] + ending) for new in range(cursor, own[position])]
            cursor = own[position] + 1
            position += 1
        lines.append((tag, line))
    item.start, item.span, item.match = own[0], cursor - own[0], "fuzzy"
    item.lines, item.codes = tuple(lines), (*codes, "fuzzy")
    return True
