"""Differences of two texts by lines, and the merge of two changes of one text: what ``git merge`` does, without git.

The merge follows git's: changes that touch each other in the base meet, unless they are the same. What differs from git
is only which of several equally good differences of two texts is found.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from vibehq_tui.patches.model import MergeRegion
from vibehq_tui.patches.planning.content import Splice, build_from_splices
from vibehq_tui.patches.planning.planned import PlannedHunk, split_lines

_MOST_EDITS: Final = 400
"""Where lines repeat and a part of two texts differs by more edits than this, the part counts as replaced whole."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Lines ``low`` to ``high`` (indices, ``high`` behind the last) of the old text became ``start`` to ``end``."""

    low: int
    high: int
    start: int
    end: int


def edits(old: Sequence[bytes], new: Sequence[bytes]) -> list[Edit]:
    """What changed between two texts, in order; two edits never touch each other."""
    numbers: dict[bytes, int] = {}
    a = [numbers.setdefault(line, len(numbers)) for line in old]
    b = [numbers.setdefault(line, len(numbers)) for line in new]
    return _joined(_walk(a, b))


def shortest_edits(old: Sequence[bytes], new: Sequence[bytes]) -> list[Edit]:
    """Like :func:`edits`, as few lines as possible, whether or not that tears apart what belongs together."""
    numbers: dict[bytes, int] = {}
    a = [numbers.setdefault(line, len(numbers)) for line in old]
    b = [numbers.setdefault(line, len(numbers)) for line in new]
    return _joined(_shortest(a, b, 0, 0))


def edits_from_below(old: Sequence[bytes], new: Sequence[bytes]) -> list[Edit]:
    """Like :func:`edits`, worked out from the ends of the texts: among lines that repeat it chooses the other ones."""
    found = edits(old[::-1], new[::-1])
    a, b = len(old), len(new)
    return [Edit(a - edit.high, a - edit.low, b - edit.end, b - edit.start) for edit in reversed(found)]


def could_touch(
    base: Sequence[bytes],
    ours: Sequence[bytes],
    theirs: Sequence[bytes],
    mine: Sequence[Edit],
    other: Sequence[Edit],
) -> bool:
    """Whether two different edits of the two sides touch, or would if they stood elsewhere among equal lines."""
    spans = sorted(
        [(*_reach(edit, base, ours), 0, edit) for edit in mine]
        + [(*_reach(edit, base, theirs), 1, edit) for edit in other],
        key=lambda span: span[:3],
    )
    sides = (ours, theirs)
    for at, (_, high, side, edit) in enumerate(spans):
        for low, _, its_side, its in spans[at + 1 :]:
            if low > high:
                break
            new, its_new = sides[side][edit.start : edit.end], sides[its_side][its.start : its.end]
            if side != its_side and ((edit.low, edit.high) != (its.low, its.high) or new != its_new):
                return True
    return False


def _reach(edit: Edit, old: Sequence[bytes], new: Sequence[bytes]) -> tuple[int, int]:
    """The lines of the old text over which an edit could be moved and still give the same new text."""
    low, high = edit.low, edit.high
    if edit.low == edit.high or edit.start == edit.end:
        lines, start, end = (old, edit.low, edit.high) if edit.start == edit.end else (new, edit.start, edit.end)
        up = 0
        while low - up > 0 and start - up > 0 and lines[start - up - 1] == lines[end - up - 1]:
            up += 1
        down = 0
        while high + down < len(old) and end + down < len(lines) and lines[start + down] == lines[end + down]:
            down += 1
        low, high = low - up, high + down
    return low, high


def difference(before: bytes, after: bytes, number: int, match: str) -> tuple[PlannedHunk, ...]:
    """What turns one content of a file into another, as hunks of a plan from ``number`` on; at least one."""
    old, new = split_lines(before), split_lines(after)
    changed = [Splice(edit.low, edit.high, tuple(new[edit.start : edit.end])) for edit in edits(old, new)]
    hunks = build_from_splices(old, changed, number).hunks
    return tuple(replace(hunk, match=match) for hunk in hunks) or (PlannedHunk(number=number, match=match),)


def _joined(found: Iterator[Edit]) -> list[Edit]:
    result: list[Edit] = []
    for edit in found:
        last = result[-1] if result else None
        if last is not None and last.high == edit.low and last.end == edit.start:
            result[-1] = Edit(last.low, edit.high, last.start, edit.end)
        else:
            result.append(edit)
    return result


def _walk(a: list[int], b: list[int]) -> Iterator[Edit]:
    """Edits of two lists in order: between lines that both have just once, and within these parts likewise."""
    open_: list[tuple[int, int, int, int]] = [(0, len(a), 0, len(b))]
    while open_:
        low, high, start, end = open_.pop()
        while low < high and start < end and a[low] == b[start]:
            low, start = low + 1, start + 1
        while low < high and start < end and a[high - 1] == b[end - 1]:
            high, end = high - 1, end - 1
        if low == high or start == end:
            if low < high or start < end:
                yield Edit(low, high, start, end)
            continue
        anchors = _anchors(a, b, low, high, start, end)
        if not anchors:
            yield from _shortest(a[low:high], b[start:end], low, start)
            continue
        parts = []
        for at, to in anchors:
            parts.append((low, at, start, to))
            low, start = at + 1, to + 1
        parts.append((low, high, start, end))
        open_ += reversed(parts)


def _anchors(a: list[int], b: list[int], low: int, high: int, start: int, end: int) -> list[tuple[int, int]]:
    """The longest rising row of lines that each side has exactly once."""
    mine, theirs = Counter(a[low:high]), Counter(b[start:end])
    places = {b[at]: at for at in range(start, end) if theirs[b[at]] == 1}
    pairs = [(at, places[a[at]]) for at in range(low, high) if mine[a[at]] == 1 and a[at] in places]
    ends: list[int] = []
    tails: list[int] = []
    before: list[int] = []
    for number, (_, to) in enumerate(pairs):
        length = bisect_left(ends, to)
        before.append(tails[length - 1] if length else -1)
        if length == len(ends):
            ends.append(to)
            tails.append(number)
        else:
            ends[length] = to
            tails[length] = number
    row: list[tuple[int, int]] = []
    at = tails[-1] if tails else -1
    while at >= 0:
        row.append(pairs[at])
        at = before[at]
    return row[::-1]


def _shortest(a: list[int], b: list[int], low: int, start: int) -> Iterator[Edit]:
    """Myers' shortest edits of two short lists; one edit of all where they are too different."""
    n, m = len(a), len(b)
    reached = {1: 0}
    trace: list[dict[int, int]] = []
    for depth in range(min(n + m, _MOST_EDITS) + 1):
        trace.append(reached.copy())
        for k in range(-depth, depth + 1, 2):
            down = k == -depth or (k != depth and reached[k - 1] < reached[k + 1])
            x = reached[k + 1] if down else reached[k - 1] + 1
            y = x - k
            while x < n and y < m and a[x] == b[y]:
                x, y = x + 1, y + 1
            reached[k] = x
            if x >= n and y >= m:
                yield from _walked_back(trace, n, m, low, start)
                return
    yield Edit(low, low + n, start, start + m)


def _walked_back(trace: list[dict[int, int]], x: int, y: int, low: int, start: int) -> Iterator[Edit]:
    found: list[Edit] = []
    for depth in range(len(trace) - 1, 0, -1):
        reached, k = trace[depth], x - y
        down = k == -depth or (k != depth and reached[k - 1] < reached[k + 1])
        came = k + 1 if down else k - 1
        old_x = reached[came]
        old_y = old_x - came
        new_x, new_y = (old_x, old_y + 1) if down else (old_x + 1, old_y)
        found.append(Edit(low + old_x, low + new_x, start + old_y, start + new_y))
        x, y = old_x, old_y
    yield from reversed(found)


Segment = tuple[bytes, ...] | MergeRegion
"""Lines of a merge that are certain, or a place where the two sides meet."""


@dataclass(frozen=True, slots=True)
class Merged:
    """A merge: what is certain and what is not, in the order of the file."""

    segments: tuple[Segment, ...]

    @property
    def regions(self) -> tuple[MergeRegion, ...]:
        """Where the two sides meet."""
        return tuple(part for part in self.segments if isinstance(part, MergeRegion))

    @property
    def content(self) -> bytes | None:
        """The merged text; None when the sides meet anywhere."""
        parts = [part for part in self.segments if not isinstance(part, MergeRegion)]
        if len(parts) < len(self.segments):
            return None
        return b"".join(line for part in parts for line in part)


@dataclass(slots=True)
class _Piece:
    """A part of the merge that is not what all three have: 0 both, 1 ours, 2 theirs; start and length on each side."""

    side: int
    base: int
    base_count: int
    ours: int
    ours_count: int
    theirs: int
    theirs_count: int


def merge(
    base: Sequence[bytes],
    ours: Sequence[bytes],
    theirs: Sequence[bytes],
    mine: Sequence[Edit],
    other: Sequence[Edit],
) -> Merged:
    """Merges two changes of ``base``.

    :param mine: the edits from ``base`` to ``ours``.
    :param other: the edits from ``base`` to ``theirs``.
    """
    segments: list[Segment] = []
    cursor = 0
    for piece in _pieces(ours, theirs, mine, other):
        _append(segments, ours[cursor : piece.ours])
        cursor = piece.ours + piece.ours_count
        own = tuple(ours[piece.ours : cursor])
        new = tuple(theirs[piece.theirs : piece.theirs + piece.theirs_count])
        if piece.side == 1 or own == new:
            _append(segments, own)
        elif piece.side == 2:
            _append(segments, new)
        else:
            old = tuple(base[piece.base : piece.base + piece.base_count])
            segments.append(MergeRegion(line=piece.ours + 1, ours=own, base=old, theirs=new))
    _append(segments, ours[cursor:])
    return Merged(tuple(segments))


def _append(segments: list[Segment], lines: Sequence[bytes]) -> None:
    if lines:
        segments.append(tuple(lines))


def _pieces(
    ours: Sequence[bytes], theirs: Sequence[bytes], mine: Sequence[Edit], other: Sequence[Edit]
) -> list[_Piece]:
    pieces: list[_Piece] = []
    i = j = 0
    while i < len(mine) and j < len(other):
        one, two = mine[i], other[j]
        if one.high < two.low:
            _add(pieces, _only_mine(one, two.start - two.low))
            i += 1
            continue
        if two.high < one.low:
            _add(pieces, _only_other(two, one.start - one.low))
            j += 1
            continue
        same = (one.low, one.high) == (two.low, two.high)
        if not same or tuple(ours[one.start : one.end]) != tuple(theirs[two.start : two.end]):
            _add(pieces, _meeting(one, two))
        i, j = i + (one.high <= two.high), j + (two.high <= one.high)
    shift = _shift_after(other)
    for one in mine[i:]:
        _add(pieces, _only_mine(one, shift))
    shift = _shift_after(mine)
    for two in other[j:]:
        _add(pieces, _only_other(two, shift))
    return pieces


def _shift_after(changes: Sequence[Edit]) -> int:
    """How far the lines behind the last edit are from where they were."""
    return changes[-1].end - changes[-1].high if changes else 0


def _only_mine(edit: Edit, shift: int) -> _Piece:
    base_count = edit.high - edit.low
    return _Piece(1, edit.low, base_count, edit.start, edit.end - edit.start, edit.low + shift, base_count)


def _only_other(edit: Edit, shift: int) -> _Piece:
    base_count = edit.high - edit.low
    return _Piece(2, edit.low, base_count, edit.low + shift, base_count, edit.start, edit.end - edit.start)


def _meeting(one: Edit, two: Edit) -> _Piece:
    """The lines of all three sides that two edits cover together."""
    low, high = min(one.low, two.low), max(one.high, two.high)
    ours, ours_end = one.start - (one.low - low), one.end + (high - one.high)
    theirs, theirs_end = two.start - (two.low - low), two.end + (high - two.high)
    return _Piece(0, low, high - low, ours, ours_end - ours, theirs, theirs_end - theirs)


def _add(pieces: list[_Piece], piece: _Piece) -> None:
    """Appends a piece; what reaches into the one before becomes one with it, and is uncertain if the two differ."""
    last = pieces[-1] if pieces else None
    if last is None or (piece.ours > last.ours + last.ours_count and piece.theirs > last.theirs + last.theirs_count):
        pieces.append(piece)
        return
    if piece.side != last.side:
        last.side = 0
    last.base_count = piece.base + piece.base_count - last.base
    last.ours_count = piece.ours + piece.ours_count - last.ours
    last.theirs_count = piece.theirs + piece.theirs_count - last.theirs
