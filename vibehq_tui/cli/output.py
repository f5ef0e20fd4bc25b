"""How an answer reaches standard output: as aligned text for people or as exactly one JSON document for programs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TextIO

from storage.errors import VibeError
from vibehq_tui.text.clean import clean
from vibehq_tui.text.glyphs import Sign, Tone

_COLOURS: dict[str, str] = {
    "ok": "32",
    "busy": "36",
    "wait": "35",
    "warn": "33",
    "error": "31",
    "dim": "2",
    "bold": "1",
}
_GAP = "  "


class PipeClosed(Exception):
    """The reader of standard output went away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How text is drawn on one stream."""

    colour: bool = False
    width: int | None = None
    """Columns of the terminal; none when it is not one, and then nothing is cut."""
    ascii: bool = False

    @classmethod
    def of(cls, stream: TextIO, *, ascii_only: bool = False) -> Style:
        """The style that fits ``stream``: colour and cut lines on a terminal only, no colour with ``NO_COLOR``."""
        terminal = stream.isatty()
        plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
        width = _columns() if terminal else None
        encoding = (stream.encoding or "ascii").lower().replace("-", "")
        return cls(colour=terminal and not plain, width=width, ascii=ascii_only or not encoding.startswith("utf"))

    def paint(self, text: str, tone: Tone | str) -> str:
        """``text`` in the colour of a tone, or ``bold``."""
        code = _COLOURS.get(tone)
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour and code and text else text

    def sign(self, sign: Sign) -> str:
        """Glyph and word of a state, in its tone."""
        return self.paint(f"{sign.text(self.ascii)} {sign.word}", sign.tone)

    def table(self, headers: Sequence[str], rows: Sequence[Sequence[Cell | str]], *, flexible: int) -> str:
        """Columns of equal width under ``headers``.

        :param rows: cells; a string is cleaned here, a :class:`Cell` carries a tone.
        :param flexible: the index of the column that gives way when the terminal is too narrow.
        """
        cells = [[cell if isinstance(cell, Cell) else Cell(cell) for cell in row] for row in rows]
        texts = [[clean(cell.text) for cell in row] for row in cells]
        kept = list(range(len(headers)))
        if self.width is not None:  # a person needs no empty column, a program counts them
            kept = [i for i in kept if i == flexible or any(row[i] for row in texts)]
            cells, texts = [[row[i] for i in kept] for row in cells], [[row[i] for i in kept] for row in texts]
        headers, flexible = [headers[i] for i in kept], kept.index(flexible)
        widths = [max([cell_width(head), *(cell_width(row[i]) for row in texts)]) for i, head in enumerate(headers)]
        if self.width is not None:
            others = sum(widths) - widths[flexible] + len(_GAP) * (len(widths) - 1)
            widths[flexible] = max(min(widths[flexible], self.width - others), 8)
        lines = [self.paint(_GAP.join(_fit(h, w) for h, w in zip(headers, widths, strict=True)).rstrip(), "dim")]
        for row, line in zip(cells, texts, strict=True):
            parts = [_fit(text, width) for text, width in zip(line, widths, strict=True)]
            parts[-1] = parts[-1].rstrip()
            lines.append(_GAP.join(self.paint(part, cell.tone) for part, cell in zip(parts, row, strict=True)).rstrip())
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table, with the tone it is drawn in."""

    text: str
    tone: str = ""


def _columns() -> int:
    import shutil  # noqa: PLC0415 - 3 ms that only a terminal needs

    return shutil.get_terminal_size().columns


def _is_wide(character: str) -> bool:
    import unicodedata  # noqa: PLC0415 - a table of 1 MB that text in ASCII does not need

    return unicodedata.east_asian_width(character) in "WF"


def cell_width(text: str) -> int:
    """How many columns of a terminal ``text`` takes."""
    if text.isascii():
        return len(text)
    import unicodedata  # noqa: PLC0415 - a table of 1 MB that text in ASCII does not need

    return sum(0 if unicodedata.combining(c) else 2 if _is_wide(c) else 1 for c in text)


def _fit(text: str, width: int) -> str:
    """``text`` in exactly ``width`` columns, cut with … where it is longer."""
    missing = width - cell_width(text)
    if missing >= 0:
        return text + " " * missing
    kept, used = [], 0
    for character in text:
        step = cell_width(character)
        if used + step > width - 1:
            break
        kept.append(character)
        used += step
    return "".join(kept) + "…" + " " * (width - 1 - used)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a command answers."""

    wire: Any
    """JSON-ready, for ``--json``."""
    text: Callable[[Style], str]
    """For people; may end without a newline, may be empty."""
    exit_code: int = 0


def write(text: str, stream: TextIO | None = None) -> None:
    """Writes to standard output and flushes.

    :raises PipeClosed: when nobody reads any more.
    """
    target = stream or sys.stdout
    try:
        target.write(text)
        target.flush()
    except BrokenPipeError as error:
        # What is still buffered must not be written at exit either: that would print a traceback.
        os.dup2(os.open(os.devnull, os.O_WRONLY), target.fileno())
        raise PipeClosed from error


def write_json(document: Any, *, one_line: bool = False) -> None:
    """Writes one JSON document: indented on a terminal, on one line elsewhere.

    Only ASCII is written: a control character in a title must not reach the terminal, and a lone surrogate in a file
    name cannot be encoded.
    """
    indent = 2 if sys.stdout.isatty() and not one_line else None
    write(json.dumps(document, indent=indent, default=str) + "\n")


def emit(answer: Answer, *, as_json: bool, ascii_only: bool = False) -> None:
    """Writes ``answer`` in the form that was asked for."""
    if as_json:
        write_json(answer.wire)
        return
    text = answer.text(Style.of(sys.stdout, ascii_only=ascii_only))
    if text:
        write(text if text.endswith("\n") else text + "\n")


def emit_error(error: VibeError, *, as_json: bool) -> None:
    """Writes an error: message and hint to standard error, or the error document to standard output."""
    if as_json:
        write_json(error.to_wire())
        return
    style = Style.of(sys.stderr)
    lines = [f"{style.paint('vibehq:', 'error')} {clean(error.message, 2000)}"]
    for problem in problems_of(error)[:20]:
        lines.append(f"  {clean(problem)}")
    if error.hint:
        lines.append(f"{style.paint('hint:', 'dim')} {clean(error.hint, 1000)}")
    write("\n".join(lines) + "\n", sys.stderr)


def problems_of(error: VibeError) -> list[str]:
    """One line for each entry of ``details["errors"]`` or ``["problems"]``, where an error has several causes."""
    lines = []
    for entry in (*error.details.get("errors", ()), *error.details.get("problems", ())):
        if isinstance(entry, dict):
            place = ":".join(str(entry[key]) for key in ("file", "line", "path") if entry.get(key))
            hunk = f" hunk {entry['hunk']}" if entry.get("hunk") else ""
            lines.append(
                f"{place}{hunk}: {entry.get('message', '')}" if place or hunk else str(entry.get("message", ""))
            )
        else:
            lines.append(str(entry))
    return [line for line in lines if line != error.message]
