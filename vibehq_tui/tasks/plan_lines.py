"""The lines of a Markdown plan: what each is, and the names of tasks in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_HEADING = re.compile(r"^ {0,3}(#{1,6})\s+(.*?)(?:\s+#+)?\s*$")
_ITEM = re.compile(r"^(\s*)(?:([-*+])|(\d{1,9})[.)])\s+(?:\[([ xX✓✔~-])\]\s+)?(.*)$")
_FENCE = re.compile(r"^\s*(`{3,}|~{3,})")
_RULE = re.compile(r"^\s*\|?\s*:?-{2,}:?\s*(?:\|\s*:?-{2,}:?\s*)*\|?\s*$")
_LABEL = re.compile(
    r"^(?:(\*\*|__|\*|_)(?P<bold>[^*_].{0,60}?)(?::\1|\1\s*:)|(?P<bare>[A-Za-z][A-Za-z /&-]{1,40}?)\s*:(?=\s|$))"
    r"\s*(?P<value>.*)$"
)
_EMPHASIS = re.compile(r"(\*\*|__|~~)(?=\S)(.+?)(?<=\S)\1")
_LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")

_ID: Final = r"(?:\d{1,6}(?:\.\d{1,4})*|[A-Z][A-Z0-9]{0,9}-\d{1,6})"
_JOIN: Final = r"\s*(?:,\s*and\b|,|&|\band\b|-|–|—|\bto\b|\bthrough\b)\s*"
_MENTION = re.compile(rf"\b[Tt]asks?\s+#?({_ID}(?:{_JOIN}#?{_ID})*)(?![\w.]*\w)")
_PART = re.compile(rf"({_ID})(?:\s*(?:-|–|—|\bto\b|\bthrough\b)\s*#?({_ID}))?")
_NOTHING: Final = frozenset({"", "none", "n/a", "na", "no", "nothing", "-", "–", "—", "[]"})
_LONGEST_RANGE: Final = 1000
_LONGEST_LINE: Final = 20_000
"""A longer line is text: no plan is written so, and looking for structure in it would take long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a plan."""

    number: int
    raw: str
    kind: str
    """blank, heading, item, row, text, code."""
    text: str = ""
    """Without its marker."""
    level: int = 0
    """Of a heading, from 1; of anything else its indentation."""
    ordinal: str | None = None
    """The number of a numbered item."""
    checked: bool | None = None
    """Of an item with a check box."""
    header: tuple[str, ...] = ()
    """Of a row: the names of the columns, in lower case."""
    cells: tuple[str, ...] = ()

    @property
    def box(self) -> bool:
        """Whether it has a check box."""
        return self.checked is not None


@dataclass(frozen=True, slots=True)
class Mention:
    """Tasks that are named together: ``Tasks 12-14, 29``."""

    ids: tuple[str, ...]
    start: int
    end: int


def read_lines(text: str) -> list[Line]:
    """The lines of a plan; front matter and comments are left out, code is kept as it is."""
    found: list[Line] = []
    fence = ""
    comment = False
    header: tuple[str, ...] = ()
    lines = text.splitlines()
    start = _after_front_matter(lines)
    for number, raw in enumerate(lines, 1):
        if number <= start:
            continue
        mark = _FENCE.match(raw)
        if fence or mark:
            closes = mark is not None and fence and mark[1].startswith(fence)
            found.append(Line(number=number, raw=raw, kind="code", text=raw, level=_indent(raw)))
            fence = "" if closes else fence or (mark[1] if mark else "")
            continue
        if comment or raw.lstrip().startswith("<!--"):
            comment = "-->" not in raw
            continue
        line = _classify(number, raw, header)
        if line.kind == "row" and _RULE.match(raw):
            before = found[-1] if found else line
            header = tuple(plain(cell).lower() for cell in before.cells) if before.kind == "row" else ()
            continue
        if line.kind != "row":
            header = ()
        found.append(line)
    return found


def _after_front_matter(lines: list[str]) -> int:
    if lines and lines[0].strip() == "---":
        for number, raw in enumerate(lines[1:200], 2):
            if raw.strip() == "---":
                return number
    return 0


def _indent(raw: str) -> int:
    expanded = raw.expandtabs(4)
    return len(expanded) - len(expanded.lstrip())


def _classify(number: int, raw: str, header: tuple[str, ...]) -> Line:
    if not raw.strip():
        return Line(number=number, raw=raw, kind="blank")
    if len(raw) > _LONGEST_LINE:
        return Line(number=number, raw=raw, kind="code", text=raw)
    heading = _HEADING.match(raw)
    if heading:
        return Line(number=number, raw=raw, kind="heading", text=heading[2], level=len(heading[1]))
    if raw.lstrip().startswith("|") or (_RULE.match(raw) and "|" in raw):
        cells = tuple(cell.strip() for cell in re.split(r"(?<!\\)\|", raw.strip().strip("|")))
        return Line(number=number, raw=raw, kind="row", text=raw, header=header, cells=cells)
    item = _ITEM.match(raw)
    if item:
        return Line(
            number=number,
            raw=raw,
            kind="item",
            text=item[5].strip(),
            level=_indent(raw),
            ordinal=item[3],
            checked=None if item[4] is None else item[4] in "xX✓✔",
        )
    return Line(number=number, raw=raw, kind="text", text=raw.strip(), level=_indent(raw))


def labels(text: str) -> list[tuple[str, str, bool]]:
    """The ``**Name**: value`` pairs of a line, which ``|`` may part: name, value, and whether the name is set off."""
    found: list[tuple[str, str, bool]] = []
    for part in re.split(r"\s+[|·]\s+", text):
        match = _LABEL.match(part.strip())
        if match is not None:
            name = match["bold"] or match["bare"]
            found.append((name.strip(" :"), match["value"].strip(), match["bold"] is not None))
        elif not found:
            return []
    return found


def plain(text: str) -> str:
    """Text without emphasis, links and surrounding blanks; code keeps its marks."""
    without = _LINK.sub(r"\1", text)
    for _ in range(3):
        without = _EMPHASIS.sub(r"\2", without)
    return without.strip()


def mentions(text: str) -> Iterator[Mention]:
    """Every naming of tasks by number: ``Task 3``, ``Tasks 12-14, 29``, ``tasks 1 and 2``."""
    for match in _MENTION.finditer(text):
        yield Mention(ids_in(match[1]), match.start(), match.end())


def ids_in(text: str) -> tuple[str, ...]:
    """The ids in a list such as ``[1, 2]``, ``Task 3, 12.4``, ``8-11`` or ``none``."""
    if text.strip().casefold().strip(" .*_") in _NOTHING:
        return ()
    found: dict[str, None] = {}
    for match in _PART.finditer(text):
        first, last = match[1], match[2]
        if last and first.isdigit() and last.isdigit() and 0 < int(last) - int(first) < _LONGEST_RANGE:
            found.update(dict.fromkeys(str(number) for number in range(int(first), int(last) + 1)))
        else:
            found.update(dict.fromkeys(one for one in (first, last) if one))
    return tuple(found)
