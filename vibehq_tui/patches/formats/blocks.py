"""Where a SEARCH/REPLACE block starts, where it is parted, and where it ends."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from vibehq_tui.patches.errors import refuse

HEAD: Final = re.compile(rb"(<{5,9}|-{5,9}) ?(?:SEARCH|ORIGINAL)>?(?:[ :]+(\S[^\r\n]*))?$", re.IGNORECASE)
_MIDDLE: Final = re.compile(rb"={5,9}$")
TAIL: Final = re.compile(rb"(>{5,9}|\+{5,9}) ?(?:REPLACE|UPDATED)<?(?:</diff>|`{3,}|~{3,})?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Block:
    """A block: the indices of its three markers."""

    head: int
    middle: int
    tail: int


def find_block(lines: Sequence[bytes], head: int) -> Block:
    """The block that starts on a line.

    Markers of the same length as the first belong to it; where there are none, the only one of another length.

    :raises PatchRefused: when it is not certain which lines part and end it.
    """
    length = _length(lines, HEAD, head)
    middles: list[int] = []
    tails: list[int] = []
    nested = 0
    at = head + 1
    while at < len(lines):
        line = lines[at]
        if line[:5] == b"=====" and _MIDDLE.match(line.rstrip()):
            middles.append(at)
        elif line[:5] in (b">>>>>", b"+++++") and TAIL.match(line.rstrip()):
            tails.append(at)
            if _length(lines, TAIL, at) == length:
                break
        elif line[:5] in (b"<<<<<", b"-----") and HEAD.match(line.rstrip()):
            if _length(lines, HEAD, at) == length or len(tails) > nested:
                break
            nested += 1
        at += 1
    exact = [index for index in tails if _length(lines, TAIL, index) == length]
    if not tails:
        cut = at >= len(lines)
        message = "the text ends within the block" if cut else f"the next block starts on line {at + 1}"
        raise refuse(
            "truncated" if cut else "unclosed-block",
            f"line {head + 1}: the block has no '>>>>>>> REPLACE'; {message}",
            hint="get the whole answer again" if cut else "end every block with >>>>>>> REPLACE",
        )
    if len(tails) - len(exact) != nested + (not exact):
        raise refuse(
            "ambiguous-block",
            f"line {head + 1}: the block has other markers of blocks in it, and it is not certain where it ends",
            hint="use more marker characters around content that has such lines in it",
        )
    tail = tails[-1]
    return Block(head, _middle(lines, head, tail, length, middles), tail)


def _length(lines: Sequence[bytes], pattern: re.Pattern[bytes], at: int) -> int:
    match = pattern.match(lines[at].rstrip())
    return len(match[1]) if match is not None else 0


def _middle(lines: Sequence[bytes], head: int, tail: int, length: int, middles: list[int]) -> int:
    inside = [at for at in middles if at < tail]
    same = [at for at in inside if len(lines[at].rstrip()) == length]
    chosen = same or inside
    if len(chosen) == 1:
        return chosen[0]
    if not chosen:
        raise refuse(
            "unclosed-block",
            f"line {head + 1}: no '=======' parts what the block searches from what it puts there",
        )
    shown = ", ".join(str(at + 1) for at in chosen[:5])
    raise refuse(
        "ambiguous-block",
        f"line {head + 1}: the block has {len(chosen)} lines that could be its '=======' (lines {shown})",
        hint="use more marker characters around content that has such a line in it",
    )
