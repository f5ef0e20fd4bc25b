"""Two sides of a change, the old lines and the new ones, as the tagged lines of a hunk.

Only lines that stay are looked for; every alignment gives the same file. The search is bounded: lines that occur once
on both sides split the task, and what is still large between two of them is taken as a whole.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Final

from vibehq_tui.patches.model import Lines

_SMALL: Final = 10_000
"""Product of the two numbers of lines up to which every pair may be compared."""

_Tagged = list[tuple[str, bytes]]


def tagged(old: Sequence[bytes], new: Sequence[bytes]) -> Lines:
    """The lines of a hunk that turns ``old`` into ``new``."""
    output: _Tagged = []
    top = 0
    shorter = min(len(old), len(new))
    while top < shorter and old[top] == new[top]:
        top += 1
    bottom = 0
    while bottom < shorter - top and old[-1 - bottom] == new[-1 - bottom]:
        bottom += 1
    output += [(" ", line) for line in old[:top]]
    _align(old[top : len(old) - bottom], new[top : len(new) - bottom], output)
    output += [(" ", line) for line in old[len(old) - bottom :]]
    return tuple(output)


def _align(old: Sequence[bytes], new: Sequence[bytes], output: _Tagged) -> None:
    if len(old) * len(new) <= _SMALL:
        _compare(old, new, output)
        return
    old_at = new_at = 0
    for old_next, new_next in [*_anchors(old, new), (len(old), len(new))]:
        _compare(old[old_at:old_next], new[new_at:new_next], output)
        if old_next < len(old):
            output.append((" ", old[old_next]))
        old_at, new_at = old_next + 1, new_next + 1


def _compare(old: Sequence[bytes], new: Sequence[bytes], output: _Tagged) -> None:
    if not old or not new or len(old) * len(new) > _SMALL:
        output += [("-", line) for line in old]
        output += [("+", line) for line in new]
        return
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for kind, old_start, old_end, new_start, new_end in matcher.get_opcodes():
        if kind == "equal":
            output += [(" ", line) for line in old[old_start:old_end]]
            continue
        output += [("-", line) for line in old[old_start:old_end]]
        output += [("+", line) for line in new[new_start:new_end]]


def _anchors(old: Sequence[bytes], new: Sequence[bytes]) -> list[tuple[int, int]]:
    """Lines that occur once on each side, in the longest chain that is in order on both (patience)."""
    places = _once(new)
    pairs = [(at, places[line]) for line, at in sorted(_once(old).items(), key=lambda item: item[1]) if line in places]
    tails: list[int] = []
    heads: list[int] = []
    before: list[int] = []
    for index, (_, at) in enumerate(pairs):
        slot = bisect_left(tails, at)
        before.append(heads[slot - 1] if slot else -1)
        if slot == len(tails):
            tails.append(at)
            heads.append(index)
        else:
            tails[slot], heads[slot] = at, index
    chain: list[tuple[int, int]] = []
    index = heads[-1] if heads else -1
    while index >= 0:
        chain.append(pairs[index])
        index = before[index]
    return chain[::-1]


def _once(lines: Sequence[bytes]) -> dict[bytes, int]:
    found: dict[bytes, int] = {}
    again: set[bytes] = set()
    for at, line in enumerate(lines):
        if line in found:
            again.add(line)
        found[line] = at
    return {line: at for line, at in found.items() if line not in again}
