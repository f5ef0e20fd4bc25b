"""How a line of a log looks: cleaned, its time dim, its level in colour."""

from __future__ import annotations

import re
from collections.abc import Mapping

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from vibehq_tui.text.clean import clean
from vibehq_tui.tui.widgets.log_lines import LINE_CAP
from vibehq_tui.tui.widgets.log_search import level_in

_COLOURS = re.compile(rb"\x1b\[[0-9;:]*m")
_TIME = re.compile(
    r"\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?\]?|\[?\d\d:\d\d:\d\d(?:[.,]\d+)?\]?"
)
_ROLES = ("busy", "warn", "error")
"""By the rank of a level."""


def shown(raw: bytes) -> str:
    """A line as it is shown: without colour codes, of a progress bar its last state, everything else made visible."""
    if b"\x1b" in raw:
        raw = _COLOURS.sub(b"", raw)
    raw = raw.rstrip(b"\r")
    if b"\r" in raw:
        raw = b"\r" + raw.rsplit(b"\r", 1)[1]  # shown as ␍: something was written over
    return clean(raw.decode("utf-8", "surrogateescape").expandtabs(8), LINE_CAP)


def paint_line(
    raw: bytes,
    width: int,
    styles: Mapping[str, Style],
    ground: Style,
    *,
    shift: int = 0,
    match: str = "",
    more: str = "›",
) -> list[Segment]:
    """A line in exactly ``width`` cells.

    :param shift: cells scrolled sideways.
    :param match: highlighted; whatever its case when it is written small.
    """
    text = shown(raw)
    plain = ground + styles[""]
    segments: list[Segment] = []
    at = 0
    if time := _TIME.match(text):
        segments.append(Segment(text[: time.end()], ground + styles["faint"]))
        at = time.end()
    if level := level_in(text, at):
        word = text[level.start : level.end]
        role = "dim" if word.lower() == "debug" else _ROLES[level.rank]
        if role == "dim":
            plain = ground + styles["dim"]
        segments.append(Segment(text[at : level.start], plain))
        segments.append(Segment(word, ground + styles[role]))
        at = level.end
    segments.append(Segment(text[at:], plain))
    if match:
        segments = _with_match(segments, text, match, styles["match"])
    return _crop(segments, text, shift, width, ground, Segment(more, ground + styles["dim"]))


def _with_match(segments: list[Segment], text: str, match: str, style: Style) -> list[Segment]:
    hay, needle = (text.lower(), match) if match == match.lower() else (text, match)
    if needle not in hay or len(hay) != len(text):
        return segments
    cuts: list[tuple[int, int]] = []
    at = hay.find(needle)
    while at >= 0:
        cuts.append((at, at + len(needle)))
        at = hay.find(needle, at + len(needle))
    marked: list[Segment] = []
    start = 0
    for piece, own, _ in segments:
        end = start + len(piece)
        place = start
        for first, last in cuts:
            first, last = max(first, start), min(last, end)
            if first < last:
                marked.append(Segment(text[place:first], own))
                marked.append(Segment(text[first:last], (own or Style.null()) + style))
                place = last
        marked.append(Segment(text[place:end], own))
        start = end
    return [segment for segment in marked if segment.text]


def _crop(segments: list[Segment], text: str, shift: int, width: int, ground: Style, more: Segment) -> list[Segment]:
    length = len(text) if text.isascii() else cell_len(text)
    visible = length - shift
    if visible <= 0:
        return [Segment(" " * width, ground)]
    if not shift and visible <= width:
        return [*segments, Segment(" " * (width - visible), ground)]
    strip = Strip(segments, length)
    if visible <= width:
        return [*strip.crop(shift, length), Segment(" " * (width - visible), ground)]
    cut = strip.crop(shift, shift + max(width - 1, 0))
    return [*cut.adjust_cell_length(max(width - 1, 0), ground), more]
