"""``vibehq db``: the store itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from storage.errors import StoreBroken
from vibehq_tui.cli.forms import with_error
from vibehq_tui.cli.framework import group
from vibehq_tui.cli.output import Answer, Style
from vibehq_tui.cli.session import Session
from vibehq_tui.text.clean import clean
from vibehq_tui.text.forms import size

if TYPE_CHECKING:
    from vibehq_tui.headquarters import Headquarters

db = group(
    "db",
    "The store: back it up, check it.",
    examples=[("vibehq db check", ""), ("vibehq db backup --to ~/hq-backup.db", "")],
)


@db.add(
    "backup",
    changes=True,
    examples=[
        ("vibehq db backup", "into .vibehq/backups"),
        ("vibehq db backup --to /mnt/hq.db", "a new file elsewhere"),
    ],
)
@click.option("--to", "target", type=click.Path(path_type=Path), metavar="FILE", help="A file that does not exist yet.")
@click.pass_obj
def backup(session: Session, target: Path | None) -> None:
    """Write a verified copy of the store, while others go on working."""

    place = target.absolute() if target else None

    async def body(hq: Headquarters) -> Answer:
        path = await hq.store.backup(place)
        octets = path.stat().st_size
        return Answer(
            wire={"path": str(path), "bytes": octets},
            text=lambda style: f"backed up to {clean(str(path))} ({size(octets)})",
        )

    session.change(body)


@db.add("check", examples=[("vibehq db check --json", "exit code 1 when something is wrong")])
@click.pass_obj
def check(session: Session) -> None:
    """Check the store from end to end, and the chain of the audit log."""

    async def body(hq: Headquarters) -> Answer:
        problems = await hq.store.check()
        wire = {"sound": not problems, "problems": problems}
        if problems:
            error = StoreBroken(
                "the store is damaged", hint="copies are in .vibehq/backups", details={"errors": problems}
            )
            wire = with_error(wire, error)

        def text(style: Style) -> str:
            if not problems:
                return style.paint("the store is sound", "ok")
            return "\n".join(style.paint(clean(problem), "error") for problem in problems)

        return Answer(wire=wire, text=text, exit_code=1 if problems else 0)

    session.run(body)
