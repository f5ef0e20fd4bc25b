"""``vibehq init``: sets up a repository."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import click

from storage.errors import Refused
from storage.records import to_wire
from vibehq_tui import workspace
from vibehq_tui.cli.forms import problem_lines
from vibehq_tui.cli.framework import command
from vibehq_tui.cli.output import Answer, Style
from vibehq_tui.cli.session import Session
from vibehq_tui.text.clean import clean
from vibehq_tui.text.forms import plural
from vibehq_tui.text.glyphs import TASK_STATES, sign

if TYPE_CHECKING:
    from vibehq_tui.headquarters import Headquarters
    from vibehq_tui.setup import Setup


@command(
    "init",
    changes=True,
    examples=[
        ("vibehq init", "in any folder of a repository; safe to repeat"),
        ("vibehq init --tasks --config", "and write an empty tasks file and a commented vibehq.toml"),
        ("vibehq -C /srv/notes init --no-git", "a folder that is no repository"),
    ],
)
@click.option("--tasks", "with_tasks", is_flag=True, help="Also write an empty tasks file, unless there is one.")
@click.option("--config", "with_config", is_flag=True, help="Also write a commented vibehq.toml, unless there is one.")
@click.option("--no-git", is_flag=True, help="Use the folder as it is, also outside a repository.")
@click.pass_obj
def init(session: Session, with_tasks: bool, with_config: bool, no_git: bool) -> None:
    """Set up this repository; never overwrites, safe to repeat.

    Makes .vibehq/, which ignores itself in git. Nothing else in the repository is written unless you ask for it.
    """
    from vibehq_tui.setup import prepare, report  # noqa: PLC0415 - heavy; help does not need it

    if session.read_only:
        raise Refused("--read-only changes nothing, and init would", hint="leave --read-only out")
    root = workspace.choose_root(session.start, no_git=no_git)
    prepared = prepare(root, with_config=with_config, with_tasks=with_tasks)

    async def body(hq: Headquarters) -> Answer:
        done = await report(hq, prepared)
        wire = {
            "workspace": str(done.root),
            "created": done.created,
            "wrote": list(done.wrote),
            "config": done.config,
            "tasks": {
                "files": list(done.sources),
                "counts": done.counts,
                "problems": to_wire(list(done.tasks.problems)),
            },
        }
        return Answer(wire=wire, text=lambda style: _describe(style, done))

    session.change(body, create=root)


def _describe(style: Style, done: Setup) -> str:
    place = clean(str(done.root))
    lines = [f"set up {place}" if done.created else f"{place} was set up already; nothing was overwritten"]
    if done.created:
        lines.append("  made .vibehq/, which ignores itself in git")
    lines += [f"  wrote {name}" for name in done.wrote]
    if done.config is None:
        lines.append(
            style.paint("  no vibehq.toml: the defaults hold; vibehq init --config writes one to fill in", "dim")
        )
    here = "" if workspace.git_top(done.root) else f" -C {shlex.quote(str(done.root))}"
    if done.sources:
        total = sum(done.counts.values())
        states = ", ".join(f"{count} {sign(TASK_STATES, state).word}" for state, count in sorted(done.counts.items()))
        lines.append(f"  {plural(total, 'task')} in {', '.join(done.sources)}{': ' + states if states else ''}")
        odd = [problem for problem in done.tasks.problems if problem.level != "error"]
        lines += [f"  {line}" for line in problem_lines(style, odd[:5])]
        if done.tasks.problems:
            lines.append("  vibehq task validate lists what is wrong in it; the file is yours to mend")
        lines.append(f"next: vibehq{here} opens the screens")
    else:
        lines.append(f"  no tasks file: vibehq{here} task add TITLE or vibehq{here} task import PLAN.md makes one")
        lines.append(f"next: vibehq{here} task add 'The first task', then vibehq{here} for the screens")
    return "\n".join(lines)
