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
from vibehq_tui.text.forms import ranges
from vibehq_tui.text.glyphs import PROVIDERS, sign

if TYPE_CHECKING:
    from vibehq_tui.headquarters import Headquarters
    from vibehq_tui.providers.router import Route
    from vibehq_tui.providers.status import ProviderDetail, ProviderStatus

provider = group(
    "provider",
    "Providers: the agents that this machine has, and how each is run.",
    examples=[("vibehq provider list", "which are here, and how to install the others")],
)


@provider.add("list", examples=[("vibehq provider list", ""), ("vibehq provider list --json", "for a program")])
@click.pass_obj
def list_(session: Session) -> None:
    """List the known agents: which are here, in which version, what they are assigned."""

    async def body(hq: Headquarters) -> Answer:
        await _look(hq)
        found = await hq.providers.list()
        return listing(found, None, lambda style: _table(style, found), empty="no providers are known")

    session.run(body)


async def _look(hq: Headquarters) -> None:
    """Looks which agents are here now; read-only, what was seen before has to do."""
    if not hq.read_only:
        await hq.providers.probe()


def _table(style: Style, found: list[ProviderStatus]) -> str:
    rows: list[list[Cell | str]] = []
    for one in found:
        state = sign(PROVIDERS, one.state)
        said = f"install: {one.install_hint}" if one.state == "missing" else one.message
        rows.append(
            [
                one.name,
                Cell(f"{state.text(style.ascii)} {state.word}", state.tone),
                one.version or "",
                ranges(one.tasks),
                Cell(said, "dim"),
            ]
        )
    return style.table(("name", "state", "version", "tasks", ""), rows, flexible=4)


@provider.add("show", examples=[("vibehq provider show codex", "how it is found and what it is good at")])
@click.argument("name")
@click.pass_obj
def show(session: Session, name: str) -> None:
    """Show one provider."""

    async def body(hq: Headquarters) -> Answer:
        await _look(hq)
        found = await hq.providers.show(name)
        wire = to_wire(found)
        wire |= wire.pop("status")
        return Answer(wire=wire, text=lambda style: _describe(style, found))

    session.run(body)


def _describe(style: Style, found: ProviderDetail) -> str:
    one = found.status
    states = ", ".join(f"{count} {state}" for state, count in found.patches.items())
    share = f" ({found.success_share:.0%} of those decided)" if found.success_share is not None else ""
    return "\n".join(
        [
            heading(style, one.title),
            *facts(
                style,
                [
                    ("name", one.name),
                    ("state", style.sign(sign(PROVIDERS, one.state))),
                    ("because", clean(one.message)),
                    ("version", clean(one.version or "")),
                    ("install", clean(one.install_hint) if one.state == "missing" else ""),
                    ("found at", clean(one.path or "")),
                    ("file", clean(one.origin)),
                    ("good at", ", ".join(one.types)),
                    ("cost", one.cost),
                    ("is run as", clean(" ".join(found.command))),
                    ("prints", found.output),
                    ("tasks", clean(", ".join(one.tasks))),
                    ("patches", f"{states}{share}"),
                ],
            ),
        ]
    )


@provider.add(
    "new",
    changes=True,
    examples=[("vibehq provider new my-agent", "writes a commented file to fill in, and says where")],
)
@click.argument("name")
@click.pass_obj
def new(session: Session, name: str) -> None:
    """Begin a provider of your own."""

    async def body(hq: Headquarters) -> Answer:
        path = await hq.providers.new(name)
        return Answer(
            wire={"name": name, "path": str(path)},
            text=lambda style: f"wrote {clean(str(path))}: say in it how the agent is run",
        )

    session.change(body)


@command("route", examples=[("vibehq route 12", "which provider would do task 12, and why")])
@click.argument("task_id", metavar="TASK", shell_complete=complete_ids("task"))
@click.pass_obj
def route(session: Session, task_id: str) -> None:
    """Say which provider would do a task, and why."""

    async def body(hq: Headquarters) -> Answer:
        await _look(hq)
        found = await hq.providers.route(task_id)
        wire = to_wire(found) | {"candidates": [one._asdict() for one in found.candidates]}
        return Answer(wire=wire, text=lambda style: _explain(style, found))

    session.run(body)


def _explain(style: Style, found: Route) -> str:
    lines = [
        f"task {clean(found.task)} goes to {clean(found.choice or 'nobody')}: {clean(found.reason)}",
        style.paint(f"it asks to {found.type}: {clean(found.type_reason)}", "dim"),
    ]
    rows: list[list[Cell | str]] = [
        [one.name, f"{one.score:.2f}", Cell("; ".join(one.reasons), "dim")] for one in found.candidates
    ]
    return "\n".join([*lines, "", style.table(("provider", "score", "because"), rows, flexible=2)])


@command("assign", changes=True, examples=[("vibehq assign 12 codex --reason 'It wrote the parser'", "")])
@click.argument("task_id", metavar="TASK", shell_complete=complete_ids("task"))
@click.argument("name", metavar="PROVIDER")
@click.option("--reason", default="", metavar="TEXT", help="Why; shown beside the task.")
@click.pass_obj
def assign(session: Session, task_id: str, name: str, reason: str) -> None:
    """Give a task to a provider."""

    async def body(hq: Headquarters) -> Answer:
        done = await hq.providers.assign(task_id, name, reason)
        return Answer(wire=to_wire(done), text=lambda style: f"task {clean(done.task)} goes to {clean(done.provider)}")

    session.change(body)
