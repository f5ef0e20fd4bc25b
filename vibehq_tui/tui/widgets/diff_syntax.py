"""Syntax highlighting of a plan, a file at a time, in slices between which the screen stays alive.

A file is highlighted as a whole, so that a hunk within a docstring is known to be one; a file that is too large for
that is highlighted hunk by hunk. Nothing is highlighted before it is asked for, and everything can be shown without.
"""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from time import perf_counter
from typing import Any, NamedTuple

from rich.style import Style

from vibehq_tui.patches.planning.planned import PlannedFile
from vibehq_tui.tui.theme import PALETTES
from vibehq_tui.tui.widgets.diff_layout import DiffLayout
from vibehq_tui.tui.widgets.diff_text import shown

Highlight = tuple[tuple[int, int, str], ...]
"""Ranges of characters of a shown line and their role; in order, without overlap."""

_SLICE = 0.003
"""Seconds of work before the screen gets a turn."""
_WHOLE_FILE = 200_000
"""Bytes of a file; a longer one is highlighted hunk by hunk."""
_WHOLE_HUNK = 60_000
_LONG_LINE = 1_000
"""Characters; a file with a longer line is minified or worse, and a lexer may take for ever on it."""
_KEPT = 400
_UNUSUAL = re.compile(rb"[^\n\x20-\x7e]")

_ROLES = (
    ("Comment.Preproc", "decorator"),
    ("Comment", "comment"),
    ("Literal.String.Doc", "comment"),
    ("Literal.String.Interpol", "name"),
    ("Literal.String.Escape", "number"),
    ("Literal.String", "string"),
    ("Literal.Number", "number"),
    ("Keyword.Constant", "number"),
    ("Keyword.Type", "builtin"),
    ("Keyword", "keyword"),
    ("Operator.Word", "keyword"),
    ("Name.Function", "function"),
    ("Name.Class", "function"),
    ("Name.Decorator", "decorator"),
    ("Name.Builtin", "builtin"),
    ("Name.Exception", "builtin"),
    ("Name.Tag", "keyword"),
    ("Name.Attribute", "builtin"),
    ("Name.Constant", "number"),
    ("Generic.Heading", "function"),
    ("Generic.Subheading", "function"),
    ("Generic.Strong", "keyword"),
)
"""Token types of Pygments, the more special ones first, and the role in which they are shown."""

_COLOURS: Mapping[str, Mapping[str, str]] = {
    "dark": {
        "keyword": "#ff938a",
        "string": "#a5d6ff",
        "comment": "#8b949e",
        "number": "#79c0ff",
        "function": "#d2a8ff",
        "builtin": "#ffa657",
        "decorator": "#d2a8ff",
        "name": "#c9d1d9",
    },
    "light": {
        "keyword": "#b3202c",
        "string": "#0a3069",
        "comment": "#57606a",
        "number": "#0550ae",
        "function": "#7a3fd0",
        "builtin": "#8a4600",
        "decorator": "#7a3fd0",
        "name": "#24292f",
    },
    "clear": {
        "keyword": "#e8c1ff",
        "string": "#a6d8ff",
        "comment": "#9aa4af",
        "number": "#f0e442",
        "function": "#ffffff",
        "builtin": "#ffd9a0",
        "decorator": "#e8c1ff",
        "name": "#d0d7de",
    },
    "ansi": {"keyword": "magenta", "string": "cyan", "number": "blue", "function": "yellow", "decorator": "magenta"},
}


@cache
def syntax_styles(theme: str) -> Mapping[str, Style]:
    """The foreground of each role in a theme; a role that is missing is shown as plain text."""
    palette = PALETTES.get(theme)
    name = "dark" if palette is None else palette.name.removeprefix("vibe-")
    if name not in _COLOURS:
        name = "dark" if palette is None or palette.dark else "light"
    table = {role: Style(color=colour) for role, colour in _COLOURS[name].items()}
    if name == "ansi":
        table["comment"] = Style(dim=True)
    return table


class _Job(NamedTuple):
    """A text to highlight: lines as shown, and which of them are wanted."""

    text: str
    wanted: Mapping[int, tuple[tuple[int, int], ...]]
    """Line of ``text`` → the (block, index) of the hunk lines that show it."""
    last: int
    """Nothing is wanted after this line."""


class SyntaxStore:
    """What is known of the colours of a plan's lines."""

    def __init__(self, layout: DiffLayout) -> None:
        self._layout = layout
        self._spans: OrderedDict[int, dict[int, Highlight]] = OrderedDict()
        self._tried: set[int] = set()

    def moved_to(self, layout: DiffLayout) -> SyntaxStore:
        """The same colours for another layout of the same plan."""
        self._layout = layout
        return self

    def line(self, block: int, index: int) -> Highlight:
        """The colours of a hunk line; empty while they are not known, and where there are none."""
        return self._spans.get(block, {}).get(index, ())

    def missing(self, blocks: Sequence[int]) -> list[int]:
        """Those of ``blocks`` that nobody has tried to highlight yet."""
        return [block for block in blocks if block not in self._tried and self._layout.hunks[block].lines]

    async def highlight(self, block: int) -> None:
        """Highlights a block, and with it the other hunks of its file unless the file is too large.

        Runs on the event loop in slices of a few milliseconds; a text that a lexer cannot cope with stays plain.
        """
        layout = self._layout
        number = layout.file_of[block]
        file = layout.files[number]
        self._tried.add(block)
        lexer = await _lexer_for(file.path)
        if lexer is None:
            first = layout.first_block[number]
            self._tried.update(range(first, first + len(file.hunks)))
            return
        whole = _fits(file)
        if whole:
            first = layout.first_block[number]
            blocks = range(first, first + len(file.hunks))
            self._tried.update(blocks)
        else:
            blocks = range(block, block + 1)
        for content, sign in ((file.after, "-"), (file.before, "+")):
            job = self._whole_job(content, sign, blocks) if whole else self._hunk_job(block, sign)
            if job is not None:
                await self._run(lexer, job)
        while len(self._spans) > _KEPT:
            dropped, _ = self._spans.popitem(last=False)
            self._tried.discard(dropped)

    def _whole_job(self, content: bytes | None, other: str, blocks: range) -> _Job | None:
        """One side of a file: the one without the lines of sign ``other``."""
        if content is None:
            return None
        wanted: dict[int, list[tuple[int, int]]] = {}
        old_side = other == "+"
        for block in blocks:
            hunk = self._layout.hunks[block]
            for index, ((sign, _), (old, new)) in enumerate(zip(hunk.lines, self._layout.numbers(block), strict=True)):
                if sign == other or (old_side and sign == " "):
                    continue
                wanted.setdefault((old if old_side else new) - 1, []).append((block, index))
        if not wanted:
            return None
        return _job(_shown_lines(content), wanted)

    def _hunk_job(self, block: int, other: str) -> _Job | None:
        lines: list[str] = []
        wanted: dict[int, list[tuple[int, int]]] = {}
        size = 0
        for index, (sign, content) in enumerate(self._layout.hunks[block].lines):
            if sign == other:
                continue
            size += len(content)
            if size > _WHOLE_HUNK:
                break
            if not (other == "+" and sign == " "):
                wanted[len(lines)] = [(block, index)]
            lines.append(shown(content))
        return _job(lines, wanted) if wanted else None

    async def _run(self, lexer: Any, job: _Job) -> None:
        until = perf_counter() + _SLICE
        line = 0
        column = 0
        open_lines: dict[int, list[tuple[int, int, str]]] = {}
        try:
            for _, kind, value in lexer.get_tokens_unprocessed(job.text):
                role = _role(kind)
                parts = value.split("\n")
                for number, part in enumerate(parts):
                    if number:
                        line, column = line + 1, 0
                    end = column + len(part)
                    if role and part and line in job.wanted:
                        open_lines.setdefault(line, []).append((column, end, role))
                    column = end
                if line > job.last:
                    break
                if perf_counter() > until:
                    await asyncio.sleep(0)
                    until = perf_counter() + _SLICE
        except Exception:  # noqa: BLE001 - lexers are third-party code fed with hostile text; the diff is readable without
            return
        for number, spans in open_lines.items():
            for block, index in job.wanted[number]:
                self._spans.setdefault(block, {})[index] = tuple(spans)


def _shown_lines(content: bytes) -> list[str]:
    """The lines of a file as :func:`shown`; at once where there is nothing to clean."""
    if content.isascii() and _UNUSUAL.search(content) is None:
        return content.decode("ascii").split("\n")
    return [shown(line) for line in content.split(b"\n")]


def _job(lines: list[str], wanted: Mapping[int, list[tuple[int, int]]]) -> _Job | None:
    if any(len(line) > _LONG_LINE for line in lines):
        return None
    return _Job("\n".join(lines) + "\n", {line: tuple(places) for line, places in wanted.items()}, max(wanted))


def _fits(file: PlannedFile) -> bool:
    """Whether a file is short enough to be highlighted as a whole."""
    return all(content is None or len(content) <= _WHOLE_FILE for content in (file.before, file.after))


def _roles() -> Iterator[tuple[Any, str]]:
    from pygments.token import string_to_tokentype  # noqa: PLC0415 - pygments is loaded when a diff is highlighted

    for name, role in _ROLES:
        yield string_to_tokentype(name), role


@cache
def _role_table() -> tuple[tuple[Any, str], ...]:
    return tuple(_roles())


@cache
def _role(kind: Any) -> str:
    return next((role for known, role in _role_table() if kind in known), "")


@lru_cache(maxsize=256)
def _lexer(suffix_or_name: str) -> Any:
    """The lexer for a file name, or ``None``. Takes tens of milliseconds for the first of a language."""
    from pygments.lexers import find_lexer_class_for_filename  # noqa: PLC0415 - heavy, and off the loop here

    found: Callable[..., Any] | None = find_lexer_class_for_filename(suffix_or_name)
    return None if found is None else found(stripnl=False, ensurenl=False)


async def _lexer_for(path: str) -> Any:
    name = path.rsplit("/", 1)[-1]
    stem, dot, suffix = name.rpartition(".")
    known = f"file.{suffix}" if stem and dot and suffix.isalnum() and len(suffix) <= 10 and suffix != "txt" else name
    try:
        return await asyncio.to_thread(_lexer, known[:100])  # imports: off the loop
    except Exception:  # noqa: BLE001 - third-party code given a hostile name; the diff is readable without colours
        return None
