"""What a plan says about several tasks at once: groups, owners, and sentences such as "tasks 8-35 remain open"."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from vibehq_tui.tasks.plan_facts import status_word
from vibehq_tui.tasks.plan_lines import Line, labels, mentions, plain

_BOLD_START = re.compile(r"^(\*\*|__)(.+?)\1(.*)$")
_OWNER_NOTE = re.compile(r"[*_]{0,2}\(\s*(?:owner|assignee|assigned to|lead)s?\s*:\s*([^)]{1,60})\)[*_]{0,2}", re.I)
_OWNER_HEADING = re.compile(r"\b(?:owners?|ownership|assignments?|assignees?|responsib\w+|who does what)\b", re.I)
_PARENTHESES = re.compile(r"\s*\([^)]*\)\s*")
_SAYS = re.compile(
    r"\b(?:is|are|remains?|stays?|still)\s+(?:all\s+|now\s+|already\s+)?"
    r"(completed?|done|finished|open|pending|blocked|cancell?ed|deferred|in[ -]progress|not started)\b",
    re.I,
)


@dataclass(slots=True, kw_only=True)
class Group:
    """``1. **Name (Tasks 12-14, 29)** *(Owner: Ada)* – text``, and the lines below it."""

    name: str
    ids: tuple[str, ...]
    line: int
    owner: str | None = None
    text: str = ""
    lines: list[Line] = field(default_factory=list)

    def goes_on(self, line: Line) -> bool:
        """Whether a line still belongs to it: a paragraph that is not indented does not."""
        return line.kind != "text" or line.level > 0 or not (self.lines and self.lines[-1].kind == "blank")

    def details(self) -> str:
        """The lines below, as they stand."""
        return textwrap.dedent("\n".join(line.raw.rstrip() for line in self.lines)).strip("\n ")


def group_of(line: Line) -> Group | None:
    """The group that an item begins; none where its bold beginning names no tasks."""
    match = _BOLD_START.match(line.text)
    if match is None:
        return None
    ids = tuple(dict.fromkeys(key for mention in mentions(match[2]) for key in mention.ids))
    name = _PARENTHESES.sub(" ", match[2]).strip(" :–—-")
    if not ids or not name or next(mentions(name), None) is not None:
        return None
    owner = _OWNER_NOTE.search(match[3])
    rest = _OWNER_NOTE.sub("", match[3])
    return Group(
        name=name,
        ids=ids,
        line=line.number,
        owner=owner[1].strip() if owner else None,
        text=plain(rest).strip(" :–—-"),
    )


def owner_lines(lines: Sequence[Line]) -> tuple[list[tuple[str, tuple[str, ...], int]], set[int]]:
    """What stands below headings about owners: ``(owner, ids, line)``, and the numbers of those lines."""
    found: list[tuple[str, tuple[str, ...], int]] = []
    numbers: set[int] = set()
    level = 0
    for line in lines:
        if line.kind == "heading":
            if level and line.level > level:
                continue
            level = line.level if _OWNER_HEADING.search(line.text) and not any(mentions(line.text)) else 0
        elif level and line.kind in ("item", "text"):
            pair = labels(line.text)
            ids = tuple(dict.fromkeys(key for mention in mentions(plain(line.text)) for key in mention.ids))
            numbers.add(line.number)
            if pair and ids:
                found.append((plain(pair[0][0]), ids, line.number))
    return found, numbers


def prose_claims(text: str) -> Iterator[tuple[str, str]]:
    """``(id, status)`` for every task of which a sentence says how it stands."""
    for clause in re.split(r"[;.]\s|[;.]$", text):
        says = _SAYS.search(clause)
        if says is None:
            continue
        status = status_word(says[1])
        if status is None:
            continue
        for mention in mentions(clause[: says.start()]):
            for key in mention.ids:
                yield key, status
