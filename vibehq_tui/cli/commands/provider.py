"""``vibehq provider``, ``route`` and ``assign``: who can do a task, who would, who does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from storage.records import to_wire
from vibehq_tui.cli.complete import complete_ids
from vibehq_tui.cli.forms import facts, heading
from vibehq_tui.cli.framework import command, group
from vibehq_tui.cli.output import Answer, Cell, Style
from vibehq_tui.cli.paging import listing
from vibehq_tui.cli.session import Session
from vibehq_tui.text.clean import clean
from vibehq_tui.text.glyphs import PROVIDERS, sign

if TYPE_CHECKING:
    from vibehq_tui.headquarters import Headquarters
    from vibehq_tui.providers.router import Route
    from vibehq_tui.providers.service import ProviderStatus

provider = group(
    "provider",
    "Providers: the agents that this machine has, and how each is run.",
    examples=[("vibehq provider list", "which are here, and how to install the others")],
)


@provider.add("list", examples=[("vibehq provider list", ""), ("vibehq provider list --json", "for a program")])
@click.pass_obj
def list_(session: Session) -> None:
    """List the known agents: which are here, in which version, and what they do."""

    async def body(hq: Headquarters) -> Answer:
        found = await hq.providers.list()
        return listing(found, None, lambda style: _table(style, found), empty="no providers are known")

    session.run(body)


def _table(style: Style, found: list[ProviderStatus]) -> str:
    raise NotImplementedError


@command("route", examples=[("vibehq route 12", "which provider would do task 12, and why")])
@click.argument("task_id", metavar="TASK", shell_complete=complete_ids("task"))
@click.pass_obj
def route(session: Session, task_id: str) -> None:
    """Say which provider would do a task, and why."""


@command("assign", changes=True, examples=[("vibehq assign 12 codex --reason 'It wrote the parser'", "")])
@click.argument("task_id", metavar="TASK", shell_complete=complete_ids("task"))
@click.argument("name", metavar="PROVIDER")
@click.option("--reason", default="", metavar="TEXT", help="Why; shown beside the task.")
@click.pass_obj
def assign(session: Session, task_id: str, name: str, reason: str) -> None:
    """Give a task to a provider."""
