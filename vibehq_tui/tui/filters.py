"""The last line of defence: nothing that steers a terminal leaves the program as text.

Everything untrusted is made visible by :mod:`vibehq_tui.text.clean` where it is shown. Textual itself does not
sanitise; should some widget, title or toast ever be given raw text, this filter deletes what could harm from each
line on its way to the terminal. Line filters are internal to Textual, so ``tests/tui/test_security.py`` holds it.
"""

from __future__ import annotations

import re

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

_HARMFUL = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # C0, DEL, C1
    "\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069"  # what turns the reading direction or breaks the line
    "\ud800-\udfff]"  # cannot be encoded
)


_PLAIN = str.maketrans("·│┃…×–—−→←↑↓▌▐▪" + (_BLOCKS := "█▉▊▋▍▎▏▇▆▅▄▃▂▁▔"), "-||~x---><^v||*" + " " * len(_BLOCKS))
"""Signs that widgets draw, each as one ASCII character; partial blocks of scroll bars become their background."""


class AsciiText(LineFilter):
    """Draws with ASCII characters only. Letters of any script stay: those are not drawn, they are what is said."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The segments in ASCII, as far as they are drawing."""
        return [
            segment if segment.text.isascii() else Segment(segment.text.translate(_PLAIN), segment.style)
            for segment in segments
        ]


class SafeText(LineFilter):
    """Deletes control and bidirectional characters, and drops links: a click in a terminal opens nothing by itself.

    It runs the other filters of the app too, before itself: Textual asks each filter about every line of the screen for
    every frame, and one question is cheaper than three.
    """

    def __init__(self, *others: LineFilter) -> None:
        super().__init__()
        self.others = others

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The segments without what could harm; the same list when there is nothing."""
        for other in self.others:
            segments = other.apply(segments, background)
        if all(map(_harmless, segments)):
            return segments
        return [_defused(segment) for segment in segments]


def _harmless(segment: Segment) -> bool:
    text, style, control = segment
    if control or (style is not None and style.link):
        return False
    return (text.isascii() and text.isprintable()) or _HARMFUL.search(text) is None


def _defused(segment: Segment) -> Segment:
    text, style, _ = segment
    if style is not None and style.link:
        style = style.update_link(None)
    return Segment(_HARMFUL.sub("", text), style)
