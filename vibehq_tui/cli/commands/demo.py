"""``vibehq demo``: a small real workspace, opened in the screens."""

from __future__ import annotations

import os
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vibehq_tui.cli.framework import command
from vibehq_tui.cli.output import Answer, write
from vibehq_tui.cli.session import Session
from vibehq_tui.text.clean import clean

if TYPE_CHECKING:
    from vibehq_tui.demo.workspace import Demo


@command(
    "demo",
    examples=[
        ("vibehq demo", "look around; the folder is removed when you leave"),
        ("vibehq demo --keep ~/tidewatch", "and keep it"),
        ("vibehq demo --no-open --keep /tmp/tidewatch --json", "only make it, for a script"),
    ],
)
@click.option("--keep", type=click.Path(path_type=Path), metavar="PATH", help="Make it at PATH and leave it there.")
@click.option("--no-open", is_flag=True, help="Only make it; says where. --json does the same.")
@click.option("--no-agent", is_flag=True, help="Without the agent that works while you watch.")
@click.pass_obj
def demo(session: Session, keep: Path | None, no_open: bool, no_agent: bool) -> None:
    """Make a small real project with tasks, patches and an agent at work, and open the screens on it."""
    import asyncio  # noqa: PLC0415 - heavy; help does not need it

    from vibehq_tui.cli.commands.screens import check_terminal, open_screens  # noqa: PLC0415 - heavy; help does not need it
    from vibehq_tui.demo.workspace import make  # noqa: PLC0415 - heavy; help does not need it

    only_make = no_open or session.json
    if not only_make:
        check_terminal()
    root = keep.absolute() if keep else Path(tempfile.mkdtemp(prefix="vibehq-demo-"))
    session.opened = root
    made: Demo | None = None
    left: list[int] = []

    def leave(number: int, _frame: object) -> None:
        left.append(number)
        raise SystemExit(128 + number)

    for number in (signal.SIGHUP, signal.SIGTERM):  # a window that is closed must leave nothing behind either
        signal.signal(number, leave)
    try:
        made = asyncio.run(make(root, with_agent=not no_agent))
        if only_make:
            session.say(_made(made))
        else:
            session.path = root
            open_screens(session)
    finally:
        if not keep and not only_make:
            _remove(made, root)
        if left:
            # The signal may have struck anywhere, also where a thread was to be ended: nobody waits for one.
            os._exit(128 + left[0])
    if keep and not only_make:
        write(f"kept at {clean(str(root))}: vibehq -C {clean(str(root))}\n")


def _made(made: Demo) -> Answer:
    place = str(made.root)
    wire = {"workspace": place, "agent": made.agent.pid if made.agent else None}
    return Answer(wire=wire, text=lambda style: f"made {clean(place)}\nnext: vibehq -C {clean(place)}")


def _remove(made: Demo | None, root: Path) -> None:
    import shutil  # noqa: PLC0415 - heavy; help does not need it

    os.chdir(tempfile.gettempdir())  # a folder that is the current one cannot be left behind by its shell
    if made is not None:
        made.end()
    shutil.rmtree(root, ignore_errors=True)
