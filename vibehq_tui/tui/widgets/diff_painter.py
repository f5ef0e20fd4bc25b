"""How the rows of a diff look. Every text passes through :func:`~vibehq_tui.text.clean.clean` here."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from storage.records import PatchDecision
from vibehq_tui.patches.planning.planned import PlannedFile
from vibehq_tui.text.clean import clean
from vibehq_tui.text.forms import size
from vibehq_tui.tui.widgets.diff_layout import DiffLayout, Kind, Row
from vibehq_tui.tui.widgets.diff_shape import Shape
from vibehq_tui.tui.widgets.diff_syntax import Highlight, SyntaxStore
from vibehq_tui.tui.widgets.diff_text import Changes, Spans, mixed_line_ends, shown

_NOTHING = Style.null()
_KEPT = 256
_MATCHES = {
    "offset": "found on other lines",
    "whitespace": "blanks differ",
    "unicode": "look-alike characters differ",
    "fuzzy": "context differs",
    "merge": "merged",
}
"""What a match that is not exact means to a reader."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffLook:
    """What the rows are painted with at the moment."""

    styles: Mapping[str, Style]
    """By role; see :func:`vibehq_tui.tui.theme.styles`."""
    syntax: Mapping[str, Style]
    width: int
    shift: int = 0
    """Cells scrolled sideways."""
    ascii_only: bool = False
    match: str = ""
    """Highlighted wherever it stands, whatever its case."""
    hint: str = ""
    """After the decision of the current hunk: which keys decide."""

    @property
    def dot(self) -> str:
        """Stands between two remarks."""
        return " - " if self.ascii_only else " · "

    def glyph(self, glyph: str, plain: str) -> str:
        """A glyph, or its stand-in."""
        return plain if self.ascii_only else glyph


@dataclass(slots=True)
class DiffPainter:
    """Paints rows of one layout."""

    layout: DiffLayout
    syntax: SyntaxStore
    look: DiffLook
    decisions: Mapping[int, PatchDecision]
    seen: frozenset[str] = frozenset()
    shape: Shape = field(default_factory=Shape)
    _words: OrderedDict[int, Changes] = field(default_factory=OrderedDict)
    _mixed: dict[int, bool] = field(default_factory=dict)

    def strip(self, row: Row, *, current: bool, cursor: str, selected: bool = False) -> Strip:
        """One row in exactly ``look.width`` cells.

        :param current: it belongs to the hunk that a decision would be about.
        :param cursor: the role behind the row under the cursor (``cursor``, ``cursor_blurred``), else empty.
        :param selected: it is one of the selected lines.
        """
        width = self.look.width
        cursor = cursor or ("cursor_blurred" if selected else "")
        if row.kind is Kind.FILE:
            return self.header(row.block)
        if row.kind is Kind.LINE:
            segments = self._split_line(row, cursor) if self.layout.split else self._line(row, cursor)
        elif row.kind is Kind.BLANK:
            return Strip.blank(width)
        else:
            ground = self.look.styles[cursor] if cursor else _NOTHING
            segments = [Segment(" " * (self._gutter - 1), ground), *self._text_row(row, ground, current)]
            segments = _fit(segments, width - self._bar, ground)
        if self._bar:
            bar = " " if not current else self.look.glyph("█", "#") if selected else self.look.glyph("▎", "|")
            segments = [Segment(bar, self.look.styles["accent"]), *segments]
        return Strip(segments, width)

    @property
    def _bar(self) -> int:
        return 0 if self.layout.preview else 1

    @property
    def _digits(self) -> int:
        return max(self.layout.digits, 3)

    @property
    def _gutter(self) -> int:
        """Cells of the line numbers, with the blank after each."""
        return 2 * self._digits + 2

    # -- rows of text ----------------------------------------------------------------------------------------------

    def header(self, block: int) -> Strip:
        """The header of the file that a block belongs to, telling which of its hunks the block is."""
        look = self.look
        file = self.layout.files[self.layout.file_of[block]]
        ground = look.styles["raised"]
        left: list[tuple[str, str]] = [(" ", "")]
        if file.path in self.seen:
            left.append((look.glyph("✔ ", "+ "), "ok"))
        if file.from_:
            left += [(clean(file.from_), "dim"), (look.glyph(" → ", " -> "), "dim")]
        left.append((clean(file.path), "strong"))
        if file.op != "modify":
            left.append((f"  {clean(file.op, 12)}", "warn" if file.op == "delete" else "accent"))
        added, removed = self.layout.counts(self.layout.file_of[block])
        if added:
            left.append((f"  +{added}", "added"))
        if removed:
            left.append((f"  {look.glyph('−', '-')}{removed}", "removed"))
        number, total = self.layout.position(block)
        section = clean(self.layout.hunks[block].section, 60)
        right: list[tuple[str, str]] = []
        if self.layout.hunks[block].lines:
            right.append((f"hunk {number} of {total}", "dim"))
            if section:
                right.append((f"{look.dot}{section}", "dim"))
        right.append((" ", ""))
        return Strip(self._ends(left, right, ground), look.width)

    def _ends(self, left: list[tuple[str, str]], right: list[tuple[str, str]], ground: Style) -> list[Segment]:
        """One text at the left and one at the right; the right one gives way."""
        width = self.look.width
        start = [Segment(text, ground + self._role(role)) for text, role in left]
        end = [Segment(text, ground + self._role(role)) for text, role in right]
        used, wanted = _length(start), _length(end)
        if used + wanted + 2 > width:
            end = [Segment(text, ground + self._role(role)) for text, role in right[:1]]
            wanted = _length(end)
        if used + wanted + 2 > width:
            return _fit(start, width, ground, more=self.look.glyph("…", "~"))
        return [*start, Segment(" " * (width - used - wanted), ground), *end]

    def _role(self, role: str) -> Style:
        return self.look.styles[role] if role else _NOTHING

    def _text_row(self, row: Row, ground: Style, current: bool) -> list[Segment]:
        if row.kind is Kind.HUNK:
            parts = self._hunk(row.block)
        elif row.kind is Kind.COMMENT:
            parts = [(self.look.glyph("  ┃ ", "  | "), "accent"), (row.text, "accent")]
        elif row.kind is Kind.NOTE:
            parts = [("  " + _note(self.layout.files[self.layout.file_of[row.block]], self.look), "dim")]
        else:
            parts = self._decision(row.block, current)
        return [Segment(text, ground + self._role(role)) for text, role in parts]

    def _hunk(self, block: int) -> list[tuple[str, str]]:
        hunk = self.layout.hunks[block]
        parts = [(f"@@ {hunk.new_start or hunk.old_start},{max(hunk.new_lines, hunk.old_lines)}", "faint")]
        if hunk.section:
            parts.append((f"{self.look.dot}{clean(hunk.section, 200)}", "faint"))
        if not self.shape.blanks and hunk.lines and all(tag == " " for tag, _ in hunk.lines):
            parts.append((f"{self.look.dot}only blanks differ", "dim"))
        if hunk.match in _MATCHES:
            parts.append((f"{self.look.dot}{_MATCHES[hunk.match]}", "warn"))
        return parts

    def _decision(self, block: int, current: bool) -> list[tuple[str, str]]:
        look = self.look
        number = self.layout.hunks[block].number
        made = self.decisions.get(number)
        if made is None:
            parts = [(f"{look.glyph('○', 'o')} hunk {number}", "dim")]
        elif made.decision == "accepted":
            parts = [(f"{look.glyph('✔', '+')} hunk {number} accepted", "ok")]
        else:
            parts = [(f"{look.glyph('✘', 'x')} hunk {number} rejected", "error")]
            if made.reason:
                parts.append((f"{look.dot}{clean(made.reason, 200)}", "dim"))
        if current and look.hint:
            parts.append((f"   {look.hint}", "faint"))
        return parts

    # -- lines -----------------------------------------------------------------------------------------------------

    def _line(self, row: Row, cursor: str) -> list[Segment]:
        styles = self.look.styles
        sign, _ = self.layout.hunks[row.block].lines[row.line]
        old, new = self.layout.numbers(row.block)[row.line]
        digits = self._digits
        margin = styles["faint"] + (styles[cursor] if cursor else _NOTHING)
        numbers = f"{old or '':>{digits}} {new or '':>{digits}} "
        room = self.look.width - self._bar - len(numbers)
        return [Segment(numbers, margin), *self._content(row.block, row.line, sign, room, cursor)]

    def _split_line(self, row: Row, cursor: str) -> list[Segment]:
        styles = self.look.styles
        width = self.look.width - self._bar
        left_room = (width - 1) // 2
        segments: list[Segment] = []
        margin = styles["faint"] + (styles[cursor] if cursor else _NOTHING)
        for index, room, side in ((row.line, left_room, 0), (row.other, width - 1 - left_room, 1)):
            if side:
                segments.append(Segment(self.look.glyph("│", "|"), styles["line"]))
            if index < 0:
                segments.append(Segment(" " * room))
                continue
            sign, _ = self.layout.hunks[row.block].lines[index]
            number = self.layout.numbers(row.block)[index][side]
            text = f"{number or '':>{self._digits}} "
            segments.append(Segment(text, margin))
            segments.extend(self._content(row.block, index, sign, room - len(text), cursor))
        return segments

    def _content(self, block: int, index: int, sign: str, room: int, cursor: str) -> list[Segment]:
        """Sign and text of a line in exactly ``room`` cells."""
        styles = self.look.styles
        ground = styles["added_back"] if sign == "+" else styles["removed_back"] if sign == "-" else _NOTHING
        if cursor and sign == " ":
            ground = styles[cursor]
        marked = ground + (styles["added"] if sign == "+" else styles["removed"] if sign == "-" else _NOTHING)
        content = self.layout.hunks[block].lines[index][1]
        text = shown(content, carriage_return=self._has_mixed_ends(block))
        words = () if sign == " " else self._changed(block, index)
        word_style = styles["added_word"] if sign == "+" else styles["removed_word"]
        if sign != " " and ground.bgcolor is None:  # a theme that has no backgrounds: the text itself is coloured
            pieces = self._pieces(text, (), words, marked, word_style)
        else:
            pieces = self._pieces(text, self.syntax.line(block, index), words, ground, word_style)
        if sign != " " and not content.endswith(b"\n"):
            note = "  no newline at the end"
            pieces.append(Segment(note, ground + styles["faint"]))
            text += note
        more = self.look.glyph("›", ">")
        cut = _cut(pieces, text, self.look.shift, max(room - 2, 0), ground, (more, ground + styles["dim"]))
        return _fit([Segment(f"{sign} ", marked), *cut], room, ground)

    def _pieces(self, text: str, colours: Highlight, words: Spans, ground: Style, word_style: Style) -> list[Segment]:
        """The text in its colours, with what changed and what was searched for standing out."""
        found = _places(text, self.look.match)
        if not colours and not words and not found:
            return [Segment(text, self.look.styles[""] + ground)]
        cuts = {0, len(text)}
        for spans in (((start, end) for start, end, _ in colours), words, found):
            for start, end in spans:
                cuts.add(min(start, len(text)))
                cuts.add(min(end, len(text)))
        colour = {position: role for start, end, role in colours for position in (start,) if end > start}
        ends = {start: end for start, end, _ in colours}
        pieces: list[Segment] = []
        role, role_end = "", 0
        for start, end in pairwise(sorted(cuts)):
            if start in colour:
                role, role_end = colour[start], ends[start]
            elif start >= role_end:
                role = ""
            style = (self.look.styles[""] + ground) if not role else ground + self.look.syntax.get(role, _NOTHING)
            if any(first <= start < last for first, last in words):
                style += word_style
            if any(first <= start < last for first, last in found):
                style += self.look.styles["match"]
            pieces.append(Segment(text[start:end], style))
        return pieces

    def _has_mixed_ends(self, block: int) -> bool:
        if block not in self._mixed:
            if len(self._mixed) > _KEPT:
                self._mixed.clear()
            self._mixed[block] = mixed_line_ends(self.layout.hunks[block].lines)
        return self._mixed[block]

    def _changed(self, block: int, index: int) -> Spans:
        if block not in self._words:
            self._words[block] = Changes(self.layout.hunks[block].lines)
            while len(self._words) > _KEPT:
                self._words.popitem(last=False)
        return self._words[block].of(index)


def _note(file: PlannedFile, look: DiffLook) -> str:
    """What a change without lines does."""
    arrow = look.glyph("→", "->")
    if file.binary:
        before = "nothing" if file.before is None else size(len(file.before))
        after = "nothing" if file.after is None else size(len(file.after))
        return f"binary, {before} {arrow} {after}"
    if file.before_mode is not None and file.after_mode is not None and file.before_mode != file.after_mode:
        return f"mode {file.before_mode:o} {arrow} {file.after_mode:o}"
    if file.op in ("rename", "copy"):
        return f"{'renamed' if file.op == 'rename' else 'copied'}, content unchanged"
    if file.op == "create":
        return "new, empty file"
    if file.op == "delete":
        return "deleted, it was empty"
    return "no line changes"


def _places(text: str, wanted: str) -> list[tuple[int, int]]:
    if not wanted:
        return []
    low, match = text.lower(), wanted.lower()
    if len(low) != len(text):
        return []
    places = []
    start = low.find(match)
    while start >= 0:
        places.append((start, start + len(match)))
        start = low.find(match, start + len(match))
    return places


def _length(segments: list[Segment]) -> int:
    return sum(len(text) if text.isascii() else cell_len(text) for text, _, _ in segments)


def _fit(segments: list[Segment], width: int, ground: Style, more: str = "") -> list[Segment]:
    """The segments in exactly ``width`` cells."""
    length = _length(segments)
    if length == width:
        return segments
    if length < width:
        return [*segments, Segment(" " * (width - length), ground)]
    if more and width > 1:
        return [*list(Strip(segments).crop(0, width - 1)), Segment(more, ground)]
    return list(Strip(segments).crop(0, width))


def _cut(
    pieces: list[Segment], text: str, shift: int, room: int, ground: Style, more: tuple[str, Style]
) -> list[Segment]:
    """The part of a line from cell ``shift`` on in at most ``room`` cells; its last cell says when there is more."""
    if not shift and len(text) <= room and (text.isascii() or cell_len(text) <= room):
        return pieces
    length = len(text) if text.isascii() else cell_len(text)
    if length <= shift:
        return []
    if length - shift <= room:
        return list(Strip(pieces, length).crop(shift, length))
    kept = list(Strip(pieces, length).crop(shift, shift + max(room - 1, 0)))
    return [*_fit(kept, max(room - 1, 0), ground), Segment(more[0], more[1])]
