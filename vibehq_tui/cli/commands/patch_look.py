"""``vibehq patch show``, ``diff``, ``explain``, ``feedback``, ``conflicts``: looking at patches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from storage.errors import Refused
from storage.records import to_wire
from vibehq_tui.cli.commands.patch_text import (
    describe,
    explanation_text,
    explanation_wire,
    hunk_lines,
    order_lines,
    overlap_lines,
    review_wire,
)
from vibehq_tui.cli.complete import complete_ids
from vibehq_tui.cli.framework import command
from vibehq_tui.cli.output import Answer, Style
from vibehq_tui.cli.session import Session
from vibehq_tui.text.clean import clean_lines

if TYPE_CHECKING:
    from vibehq_tui.headquarters import Headquarters

_LONG = 10_000_000
_id = click.argument("patch_id", metavar="ID", shell_complete=complete_ids("patch"))


@command(
    "show",
    examples=[
        ("vibehq patch show 3", "its report, decisions and comments"),
        ("vibehq patch show 3 --hunk 2", "one hunk with its lines numbered, for --lines"),
        ("vibehq patch show 3 --json", ""),
    ],
)
@_id
@click.option("--hunk", type=click.IntRange(1), metavar="N", help="Only this hunk, with its lines numbered.")
@click.pass_obj
def show(session: Session, patch_id: str, hunk: int | None) -> None:
    """Show one patch: what it touches, what was found, decided and said about it."""

    async def body(hq: Headquarters) -> Answer:
        if hunk is not None:
            plan, number = await hq.patches.plan(patch_id), hunk
            wire = {"id": patch_id, "hunk": hunk, "text": await hq.patches.hunk_text(patch_id, hunk)}
            return Answer(wire=wire, text=lambda style: hunk_lines(style, plan, number))
        review = await hq.patches.review(patch_id)
        versions = await hq.patches.versions(patch_id)
        return Answer(wire=review_wire(review, versions), text=lambda style: describe(style, review, versions))

    session.run(body)


@command(
    "diff",
    examples=[
        ("vibehq patch diff 3", "as it would be applied now"),
        ("vibehq patch diff 3 | git apply --check", ""),
        ("vibehq patch diff 3 --against 1", "what is different from version 1"),
    ],
)
@_id
@click.option(
    "--against", type=click.IntRange(1), metavar="VERSION", help="Against an earlier version of the same patch."
)
@click.option("--version", type=click.IntRange(1), metavar="VERSION", help="With --against: this one, not the newest.")
@click.pass_obj
def diff(session: Session, patch_id: str, against: int | None, version: int | None) -> None:
    """Print a patch as a git diff, or what is different between two of its versions."""
    if version is not None and against is None:
        raise click.UsageError("--version needs --against")

    async def body(hq: Headquarters) -> Answer:
        if against is not None:
            return await _interdiff(hq, patch_id, against, version)
        data = await hq.patches.diff(patch_id)
        text = data.decode("utf-8", "surrogateescape")
        return Answer(
            wire={"id": patch_id, "diff": data.decode("utf-8", "replace")}, text=lambda style: _coloured(style, text)
        )

    session.run(body)


async def _interdiff(hq: Headquarters, patch_id: str, against: int, version: int | None) -> Answer:
    found = await hq.patches.interdiff(patch_id, against, version)
    if found.old == found.new:
        raise Refused(
            f"version {found.old} is no other version", hint=f"vibehq patch show {patch_id} lists its versions"
        )
    wire = {
        "id": patch_id,
        "against": found.old,
        "version": found.new,
        "on": found.tree,
        "diff": found.diff.decode("utf-8", "replace"),
        "files": [file.to_wire() for file in found.files],
    }
    text = found.diff.decode("utf-8", "surrogateescape")

    def shown(style: Style) -> str:
        if text:
            return _coloured(style, text)
        return "" if style.width is None else f"versions {found.old} and {found.new} make the same of every file"

    return Answer(wire=wire, text=shown)


def _coloured(style: Style, text: str) -> str:
    """The diff as it is where it goes to a program; clean and coloured on a terminal."""
    if style.width is None:
        return text
    tones = {"+": "ok", "-": "error", "@": "busy", "d": "bold"}
    return "\n".join(style.paint(line, tones.get(line[:1], "")) for line in clean_lines(text, _LONG).split("\n"))


@command(
    "explain",
    examples=[
        ("vibehq patch explain 3", "which rule approves, holds or denies it, and why"),
        ("vibehq patch explain 3 --json", "every rule with its conditions, the risk with its reasons"),
    ],
)
@_id
@click.pass_obj
def explain(session: Session, patch_id: str) -> None:
    """Say what every rule finds about a patch, how risky it is, and what validation found; all as it is now.

    The rules are those of [protect] and [[policies]] in vibehq.toml.
    """

    async def body(hq: Headquarters) -> Answer:
        found = await hq.patches.explain(patch_id)
        return Answer(wire=explanation_wire(found), text=lambda style: explanation_text(style, found))

    session.run(body)


@command(
    "feedback",
    examples=[
        ("vibehq patch feedback 3", "what goes back to whoever made it"),
        ("vibehq patch feedback 3 | codex exec -", "straight to an agent"),
    ],
)
@_id
@click.pass_obj
def feedback(session: Session, patch_id: str) -> None:
    """Print one message in Markdown for whoever made a patch: all that was rejected, asked and found."""

    async def body(hq: Headquarters) -> Answer:
        text = await hq.patches.feedback(patch_id)
        one = await hq.patches.get(patch_id)
        wire = {"id": one.id, "version": one.version, "state": one.state, "markdown": text}
        return Answer(wire=wire, text=lambda style: text)

    session.run(body)


@command("conflicts", examples=[("vibehq patch conflicts", "where, and in which order they can all go in")])
@click.pass_obj
def conflicts(session: Session) -> None:
    """List open patches that meet in the same lines, and one order in which all can be applied."""

    async def body(hq: Headquarters) -> Answer:
        found = await hq.patches.suggest()
        wire = {"items": to_wire(found.overlaps), "next": None, **found.order.to_wire()}

        def text(style: Style) -> str:
            if not found.order.patches and not found.order.left:
                return style.paint("no open patches", "dim")
            pairs = overlap_lines(style, found.overlaps) or [style.paint("no open patches meet", "dim")]
            return "\n".join([*pairs, *order_lines(style, found.order)])

        return Answer(wire=wire, text=text)

    session.run(body)
