"""``vibehq schema``: what ``--json`` prints, as JSON Schemas."""

from __future__ import annotations

import json

import click

from storage.errors import NotFound
from vibehq_tui.cli.framework import command
from vibehq_tui.cli.output import Answer
from vibehq_tui.cli.session import Session


@command(
    "schema",
    examples=[("vibehq schema > schemas.json", "all of them, by name"), ("vibehq schema Patch", "one")],
)
@click.argument("name", required=False)
@click.pass_obj
def schema(session: Session, name: str | None) -> None:
    """Print the JSON Schemas of records, operations, events and messages."""
    from vibehq_tui.contracts.schemas import schemas  # noqa: PLC0415 - pydantic, which no other command needs

    known = schemas()
    if name is not None and name not in known:
        raise NotFound(f"there is no schema {name}", hint=f"there are: {', '.join(sorted(known))}")
    document = known if name is None else known[name]
    session.say(Answer(wire=document, text=lambda style: json.dumps(document, indent=2)))
