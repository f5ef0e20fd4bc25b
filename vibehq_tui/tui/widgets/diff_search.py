"""Searching the lines of a plan, in slices between which the screen stays alive."""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import NamedTuple

from vibehq_tui.tui.widgets.diff_layout import DiffLayout

_SLICE = 0.005
"""Seconds of work before the screen gets a turn."""


class Found(NamedTuple):
    """Where a text was found."""

    block: int
    line: int
    around: bool
    """Beyond the end of the patch, or before its beginning."""


async def find(
    layout: DiffLayout, text: str, start: tuple[int, int], *, step: int = 1, here: bool = False
) -> Found | None:
    """The next line that contains ``text``, whatever its case, and past the end from the other end on.

    :param start: block and index of the line to start from; index -1 for what stands before the first line.
    :param step: 1, or -1 to search backwards.
    :param here: the line at ``start`` counts too.
    """
    wanted = text.lower().encode("utf-8", "surrogateescape")
    block, line = start
    count = len(layout.hunks)
    until = perf_counter() + _SLICE
    for turn in range(count + 1 if wanted else 0):
        number = (block + step * turn) % count
        lines = layout.hunks[number].lines
        for index in range(len(lines)) if step > 0 else range(len(lines) - 1, -1, -1):
            ahead = (index - line) * step
            if turn == 0 and (ahead < 0 or (ahead == 0 and not here)):
                continue
            if turn == count and ahead > 0:
                break
            if wanted in lines[index][1].lower():
                return Found(number, index, turn == count or (number - block) * step < 0)
            if perf_counter() > until:
                await asyncio.sleep(0)
                until = perf_counter() + _SLICE
    return None
