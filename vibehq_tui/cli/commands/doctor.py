"""``vibehq doctor``: what is here, what is missing, what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from storage.errors import Refused
from storage.records import to_wire
from vibehq_tui.cli.forms import with_error
from vibehq_tui.cli.framework import command
from vibehq_tui.cli.output import Answer, Style
from vibehq_tui.cli.session import Session
from vibehq_tui.text.clean import clean
from vibehq_tui.text.forms import plural
from vibehq_tui.text.glyphs import CHECKS, sign

if TYPE_CHECKING:
    from vibehq_tui.doctor import Check


@command("doctor", examples=[("vibehq doctor", ""), ("vibehq doctor --json", "exit code 1 when something is wrong")])
@click.pass_obj
def doctor(session: Session) -> None:
    """Look at this machine and this workspace, and say what to do about what is missing."""
    import asyncio  # noqa: PLC0415 - heavy; help does not need it

    from vibehq_tui.doctor import examine  # noqa: PLC0415 - heavy; help does not need it

    checks = asyncio.run(examine(session.start))
    errors = [check for check in checks if check.result == "error"]
    wire = {"items": to_wire(checks), "next": None}
    if errors:
        first = errors[0]
        wire = with_error(wire, Refused(f"{first.name}: {first.message}", code="doctor", hint=first.hint))
    session.say(Answer(wire=wire, text=lambda style: _describe(style, checks), exit_code=1 if errors else 0))


def _describe(style: Style, checks: list[Check]) -> str:
    width = max(len(check.name) for check in checks)
    lines = []
    for check in checks:
        mark = sign(CHECKS, check.result)
        told = style.paint(f"{mark.text(style.ascii)} {mark.word}".ljust(10), mark.tone)
        lines.append(f"{told} {check.name:<{width}}  {clean(check.message, 1000)}")
        if check.hint:
            arrow = style.paint(">" if style.ascii else "→", "dim")
            lines.append(f"{'':<{width + 13}}{arrow} {clean(check.hint, 1000)}")
    counts = [(sum(check.result == kind for check in checks), kind) for kind in ("error", "warning")]
    said = ", ".join(plural(count, kind) for count, kind in counts if count)
    return "\n".join([*lines, "", said or style.paint("all is well", "ok")])
