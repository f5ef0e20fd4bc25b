"""Pages of a listing, the same for every command: ``{"items": [...], "next": CURSOR or null}``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import click

from storage.query import Query
from storage.records import to_wire
from vibehq_tui.cli.output import Answer, Style

Rows = Callable[[Query, int, int], Awaitable[Sequence[Any]]]
"""``(query, offset, limit)`` → records."""


def offset_of(cursor: str | None) -> int:
    """:raises click.BadParameter: when ``cursor`` is not one that a page ended with."""
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 12):
        raise click.BadParameter(f"{cursor!r} is not a cursor", param_hint="--cursor")
    return int(cursor)


async def page(rows: Rows, query: Query, *, limit: int, cursor: str | None) -> tuple[list[Any], str | None]:
    """One page of records and the cursor of the next, which is none on the last."""
    offset = offset_of(cursor)
    found = list(await rows(query, offset, limit + 1))
    return found[:limit], str(offset + limit) if len(found) > limit else None


def listing(
    items: Sequence[Any],
    following: str | None,
    table: Callable[[Style], str],
    *,
    empty: str,
    wire: list[Any] | None = None,
) -> Answer:
    """The answer of a listing.

    :param table: draws the items; called only when there are any.
    :param empty: what people are told when there are none.
    :param wire: the items as they go on the wire, where that is more than their records.
    """

    def text(style: Style) -> str:
        if not items:
            return style.paint(empty, "dim")
        more = style.paint(f"\nmore: --cursor {following}", "dim") if following else ""
        return table(style) + more

    return Answer(wire={"items": to_wire(list(items)) if wire is None else wire, "next": following}, text=text)
