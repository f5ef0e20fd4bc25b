"""``vibehq`` without a command: the operator's screens."""

from __future__ import annotations

import os
import sys

import click

from storage.errors import Refused, Usage
from vibehq_tui.cli.session import Session


def open_screens(session: Session) -> None:
    """Opens the screens on the workspace of this call.

    :raises Refused: when there is no terminal to draw on.
    """
    if session.json:
        raise Usage("the screens have no --json", hint="commands have: vibehq --help")
    root = session.root()
    check_terminal()
    from vibehq_tui.tui.app import run  # noqa: PLC0415 - 200 ms of imports that only the screens need

    code = run(root, read_only=session.read_only, ascii_only=session.ascii)
    if code:
        raise click.exceptions.Exit(code)


def check_terminal() -> None:
    """:raises Refused: when there is no terminal to draw on."""
    if not (sys.stdout.isatty() and sys.stdin.isatty()):
        raise Refused(
            "the screens need a terminal, and this is none",
            code="no-terminal",
            hint="commands work everywhere: vibehq task list, vibehq patch list; vibehq --help",
        )
    if os.environ.get("TERM", "dumb") in ("", "dumb"):
        raise Refused("the screens need a terminal that can draw; TERM is dumb", code="no-terminal", hint="set TERM")
