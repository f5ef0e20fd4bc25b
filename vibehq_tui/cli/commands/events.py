"""``vibehq events``: the event feed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from storage.query import Query
from storage.records import Event, to_wire
from vibehq_tui.cli.forms import local_time
from vibehq_tui.cli.framework import command
from vibehq_tui.cli.output import Answer, Style, write, write_json
from vibehq_tui.cli.paging import listing, offset_of
from vibehq_tui.cli.session import Session
from vibehq_tui.contracts.events import EVENT_TYPES
from vibehq_tui.text.clean import clean

if TYPE_CHECKING:
    from storage.store import Tx
    from vibehq_tui.headquarters import Headquarters

_BATCH = 500


def event_line(style: Style, event: Event) -> str:
    """One event as one line: number, time, type, about what, message, by whom."""
    about = " ".join(part for part in (event.subject, event.subject_id) if part)
    title = str(event.data.get("title") or "") if isinstance(event.data, dict) else ""
    said = ": ".join(part for part in (title, event.message) if part)
    when = style.paint(f"{event.seq:>6} {local_time(event.at)}", "dim")
    who = style.paint(clean(event.actor), "dim")
    return f"{when} {style.paint(clean(event.type), 'busy')} {clean(about)}  {clean(said)}  {who}"


@command(
    "events",
    examples=[
        ("vibehq events --limit 20", "the newest twenty, oldest of them first"),
        ("vibehq events --cursor 118", "what came after event 118"),
        ("vibehq events --follow --json", "from now on, one JSON document a line"),
    ],
)
@click.option(
    "--follow", is_flag=True, help="Wait for more until interrupted. With --json: one document for each line."
)
@click.option("--cursor", metavar="SEQ", help="Only events after this one.")
@click.option("--type", "types", metavar="TYPE", multiple=True, help="Only this type, or its group: patch.*")
@click.option("--task", metavar="ID", help="Only about this task.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="The most events.")
@click.pass_obj
def events(
    session: Session, follow: bool, cursor: str | None, types: tuple[str, ...], task: str | None, limit: int
) -> None:
    """Print the event feed, oldest first. Without --cursor: the newest."""
    after = None if cursor is None else offset_of(cursor)
    chosen = _expand(types)

    async def body(hq: Headquarters) -> Answer:
        found, following = await hq.store.read(lambda tx: _page(tx, after, limit, chosen, task))
        if follow:
            start = found[-1].seq if found else after if after is not None else await hq.store.head()
            await _follow(hq, session, found, start, chosen, task)
        return listing(
            found, following, lambda style: "\n".join(event_line(style, one) for one in found), empty="no events"
        )

    session.run(body)


def _expand(types: Sequence[str]) -> frozenset[str]:
    """The types that are meant: ``patch.*`` stands for all that begin so.

    :raises click.BadParameter: for one that does not exist.
    """
    chosen: set[str] = set()
    for one in types:
        found = {known for known in EVENT_TYPES if known == one or (one.endswith("*") and known.startswith(one[:-1]))}
        if not found:
            raise click.BadParameter(f"there is no event type {one}", param_hint="--type")
        chosen |= found
    return frozenset(chosen)


def _fits(event: Event, chosen: frozenset[str], task: str | None) -> bool:
    return (not chosen or event.type in chosen) and (task is None or event.task == task)


def _page(
    tx: Tx, after: int | None, limit: int, chosen: frozenset[str], task: str | None
) -> tuple[list[Event], str | None]:
    """The newest events, or the first after a cursor; oldest first, with the cursor when there are more."""
    if after is None:
        where: dict[str, str | tuple[str, ...]] = {"type": tuple(sorted(chosen))} if chosen else {}
        if task is not None:
            where["task"] = task
        return tx.events.page(Query(where=where), 0, limit)[::-1], None
    found: list[Event] = []
    while batch := tx.events.since(after, _BATCH):
        after = batch[-1].seq
        found += [event for event in batch if _fits(event, chosen, task)]
        if len(found) > limit:
            return found[:limit], str(found[limit - 1].seq)
    return found, None


async def _follow(
    hq: Headquarters, session: Session, found: list[Event], start: int, chosen: frozenset[str], task: str | None
) -> None:
    """Prints ``found`` and what comes after ``start``, until interrupted."""
    style = Style.of(sys.stdout, ascii_only=session.ascii)

    def show(events: Sequence[Event]) -> None:
        for event in events:
            if session.json:
                write_json(to_wire(event), one_line=True)
            else:
                write(event_line(style, event) + "\n")

    show(found)
    async for batch in hq.store.follow(start):
        show([event for event in batch if _fits(event, chosen, task)])
