"""``vibehq log``: worker and build logs."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import click

from storage.records import LogLine
from vibehq_tui.cli.forms import local_time
from vibehq_tui.cli.framework import group
from vibehq_tui.cli.inputs import read_bytes
from vibehq_tui.cli.output import Answer, Style
from vibehq_tui.cli.paging import listing
from vibehq_tui.cli.session import Session
from vibehq_tui.text.clean import clean
from vibehq_tui.text.forms import plural

if TYPE_CHECKING:
    from vibehq_tui.headquarters import Headquarters

KINDS = ("worker", "build")
LEVELS = ("debug", "info", "warning", "error", "critical")
_TONES = {"debug": "dim", "warning": "warn", "error": "error", "critical": "error"}

log = group(
    "log",
    "Worker and build logs: taken in, followed, searched.",
    examples=[("make 2>&1 | vibehq log ingest --kind build --source make", ""), ("vibehq log search 'Traceback'", "")],
)
_limit = click.option(
    "--limit", type=click.IntRange(1, 100_000), default=200, show_default=True, help="The most lines."
)


def _lines(style: Style, lines: list[LogLine], *, with_source: bool) -> str:
    return "\n".join(
        f"{style.paint(local_time(line.at), 'dim')} "
        + (f"{style.paint(clean(line.source, 40), 'busy')} " if with_source else "")
        + style.paint(clean(line.text, 2000), _TONES.get(line.level, ""))
        for line in lines
    )


@log.add(
    "ingest",
    changes=True,
    examples=[
        ("make 2>&1 | vibehq log ingest --kind build --source make", "from standard input"),
        ("vibehq log ingest worker.log --source agent-3", ""),
    ],
)
@click.argument("file", metavar="[FILE|-]", default="-")
@click.option("--kind", type=click.Choice(KINDS), default="worker", show_default=True)
@click.option("--source", required=True, metavar="NAME", help="Which agent, job or program wrote it.")
@click.pass_obj
def ingest(session: Session, file: str, kind: str, source: str) -> None:
    """Take a log in."""
    session.root()  # a missing workspace is said before anything is read
    data = read_bytes(file)

    async def body(hq: Headquarters) -> Answer:
        lines = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", errors="replace")
        count = await hq.logs.ingest(kind, source, lines)
        return Answer(
            wire={"kind": kind, "source": source, "lines": count},
            text=lambda style: f"took in {plural(count, 'line')} from {clean(source)}",
        )

    session.change(body, content=data)


@log.add("tail", examples=[("vibehq log tail", "which logs there are"), ("vibehq log tail make --limit 50", "")])
@click.argument("source", required=False)
@_limit
@click.pass_obj
def tail(session: Session, source: str | None, limit: int) -> None:
    """Print the end of a log; without SOURCE the list of logs."""

    async def body(hq: Headquarters) -> Answer:
        if source is None:
            rows = await hq.logs.sources()
            cells = [(row.source, row.kind, str(row.lines), local_time(row.last_at)) for row in rows]
            return listing(
                rows,
                None,
                lambda style: style.table(("source", "kind", "lines", "last"), cells, flexible=0),
                empty="no logs yet: vibehq log ingest takes one in",
            )
        lines = await hq.logs.tail(source, limit)
        return listing(
            lines, None, lambda style: _lines(style, lines, with_source=False), empty=f"nothing from {clean(source)}"
        )

    session.run(body)


@log.add("search", examples=[("vibehq log search 'connection refused' --kind worker", "the newest of them")])
@click.argument("text")
@click.option("--kind", type=click.Choice(KINDS), help="Only logs of this kind.")
@click.option("--level", "levels", type=click.Choice(LEVELS), multiple=True, help="Only this level; may be repeated.")
@_limit
@click.pass_obj
def search(session: Session, text: str, kind: str | None, levels: tuple[str, ...], limit: int) -> None:
    """Search all logs: the newest lines that hold TEXT, in the order of their times."""

    async def body(hq: Headquarters) -> Answer:
        lines = await hq.logs.search(text, kind=kind, levels=levels, limit=limit)
        return listing(lines, None, lambda style: _lines(style, lines, with_source=True), empty="no line matches")

    session.run(body)
