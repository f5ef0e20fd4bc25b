"""``vibehq audit``: who did what."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from storage.query import Query
from storage.records import AuditEntry, to_wire
from vibehq_tui.cli.forms import local_time, with_error
from vibehq_tui.cli.framework import command, page_options
from vibehq_tui.cli.output import Answer, Cell, Style
from vibehq_tui.cli.paging import listing, page
from vibehq_tui.cli.session import Session

if TYPE_CHECKING:
    from vibehq_tui.headquarters import Headquarters

_TONES = {"done": "ok", "refused": "warn", "conflict": "warn", "failed": "error"}


def _table(style: Style, entries: list[AuditEntry]) -> str:
    rows: list[list[Cell | str]] = [
        [
            str(one.seq),
            local_time(one.at),
            one.actor,
            one.via,
            one.verb,
            one.object,
            Cell(one.result, _TONES.get(one.result, "")),
            one.detail,
        ]
        for one in entries
    ]
    return style.table(("seq", "at", "who", "via", "did", "what", "result", "detail"), rows, flexible=7)


@command(
    "audit",
    examples=[
        ("vibehq audit --limit 20", "the newest first"),
        ("vibehq audit --verify", "whether an entry was changed or removed"),
    ],
)
@click.option("--verify", is_flag=True, help="Check the chain of hashes instead.")
@click.option("--actor", metavar="NAME", help="Only what NAME did.")
@click.option("--text", default="", metavar="TEXT", help="Only with TEXT in it.")
@page_options
@click.pass_obj
def audit(session: Session, verify: bool, actor: str | None, text: str, limit: int, cursor: str | None) -> None:
    """Show the audit log, the newest first."""
    where: dict[str, str | tuple[str, ...]] = {} if actor is None else {"actor": actor}

    async def rows(hq: Headquarters, query: Query, offset: int, count: int) -> list[AuditEntry]:
        return await hq.store.read(lambda tx: tx.audit.page(query, offset, count))

    async def body(hq: Headquarters) -> Answer:
        if verify:
            return await _verify(hq)
        items, following = await page(
            lambda query, offset, count: rows(hq, query, offset, count),
            Query(text=text, where=where),
            limit=limit,
            cursor=cursor,
        )
        return listing(items, following, lambda style: _table(style, items), empty="nothing was done yet")

    session.run(body)


async def _verify(hq: Headquarters) -> Answer:
    from storage.errors import StoreBroken  # noqa: PLC0415 - for the one case that it is broken

    problems = await hq.store.read(lambda tx: tx.audit.verify())
    wire = {"intact": not problems, "problems": to_wire(problems)}
    if problems:
        error = StoreBroken(
            "the audit log was changed", hint="compare it with a copy in .vibehq/backups", details={"errors": problems}
        )
        wire = with_error(wire, error)

    def text(style: Style) -> str:
        if problems:
            return "\n".join(style.paint(problem, "error") for problem in problems)
        return style.paint("the chain is intact", "ok")

    return Answer(wire=wire, text=text, exit_code=1 if problems else 0)
