"""``vibehq patch``: the patch queue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from storage.errors import Usage
from storage.query import Query
from vibehq_tui.cli.commands.patch_look import conflicts, diff, explain, feedback, show
from vibehq_tui.cli.commands.patch_resolve import resolve
from vibehq_tui.cli.commands.patch_review import LineNumbers, comment, edit, redo, undo
from vibehq_tui.cli.commands.patch_text import outcomes_answer, patch_table, told
from vibehq_tui.cli.complete import complete_ids
from vibehq_tui.cli.framework import group, page_options
from vibehq_tui.cli.inputs import read_bytes
from vibehq_tui.cli.output import Answer
from vibehq_tui.cli.paging import listing, page
from vibehq_tui.cli.session import Session
from vibehq_tui.patches.formats import FORMATS

if TYPE_CHECKING:
    from vibehq_tui.headquarters import Headquarters

STATES = ("proposed", "approved", "applied", "verified", "rejected", "conflicted", "failed", "reverted")

patch = group(
    "patch",
    "Patches: proposed, reviewed, approved, applied, reverted.",
    examples=[
        ("git format-patch -1 --stdout | vibehq patch submit --task 12", "propose the last commit"),
        ("vibehq patch approve 3 && vibehq patch apply 3", ""),
    ],
)
for _command in (show, diff, explain, feedback, conflicts, edit, comment, undo, redo, resolve):
    patch.add_command(_command)
_id = click.argument("patch_id", metavar="ID", shell_complete=complete_ids("patch"))
_ids = click.argument("ids", metavar="ID...", nargs=-1, required=True, shell_complete=complete_ids("patch"))
_keep_going = click.option("--keep-going", is_flag=True, help="Of several: go on after one that does not work.")
_hunks = click.option("--hunk", "hunks", type=click.IntRange(1), multiple=True, metavar="N")


@patch.add(
    "submit",
    changes=True,
    examples=[
        (
            "git diff | vibehq patch submit --title 'Fix the rounding' --task 12",
            "what you changed, from standard input",
        ),
        ("vibehq patch submit fix.patch --provider codex --json", "for an agent"),
        ("vibehq patch submit fix.patch --patch 3", "another version of patch 3"),
    ],
)
@click.argument("file", metavar="[FILE|-]", default="-")
@click.option("--format", "format_", type=click.Choice(FORMATS), default="auto", show_default=True)
@click.option("--task", metavar="ID", help="The task it belongs to.", shell_complete=complete_ids("task"))
@click.option("--provider", metavar="NAME", help="Who made it.")
@click.option("--title", metavar="TEXT", help="In a line; taken from the patch when it has one.")
@click.option("--base", metavar="REV", help="The revision it was made against.")
@click.option(
    "--patch",
    "--supersedes",
    "supersedes",
    metavar="ID",
    help="The patch of which it is another version; decisions about the same hunks stay.",
    shell_complete=complete_ids("patch"),
)
@click.option("--execution", metavar="ID", help="The run that made it; a second patch of a run is another version.")
@click.pass_obj
def submit(
    session: Session,
    file: str,
    format_: str,
    task: str | None,
    provider: str | None,
    title: str | None,
    base: str | None,
    supersedes: str | None,
    execution: str | None,
) -> None:
    """Propose a change. Nothing is touched until it is approved and applied."""
    session.root()  # a missing workspace is said before anything is read
    data = read_bytes(file)

    async def body(hq: Headquarters) -> Answer:
        stored = await hq.patches.submit(
            data,
            format=format_,
            task=task,
            provider=provider,
            title=title,
            base=base,
            patch=supersedes,
            execution=execution,
        )
        return told("proposed", stored)

    session.change(body, content=data)


@patch.add(
    "list",
    examples=[("vibehq patch list --state proposed", "what waits for a decision"), ("vibehq patch list --json", "")],
)
@click.option("--state", type=click.Choice(STATES), multiple=True, help="Only in this state; may be repeated.")
@click.option("--task", metavar="ID", help="Only of this task.", shell_complete=complete_ids("task"))
@click.option("--text", default="", metavar="TEXT", help="Only with TEXT in the title.")
@page_options
@click.pass_obj
def list_(
    session: Session, state: tuple[str, ...], task: str | None, text: str, limit: int, cursor: str | None
) -> None:
    """List patches, the newest first."""
    where: dict[str, str | tuple[str, ...]] = {}
    if state:
        where["state"] = state
    if task is not None:
        where["task"] = task

    async def body(hq: Headquarters) -> Answer:
        items, following = await page(hq.patches.page, Query(text=text, where=where), limit=limit, cursor=cursor)
        empty = "no patches match" if where or text else "no patches yet: vibehq patch submit FILE"
        return listing(items, following, lambda style: patch_table(style, items), empty=empty)

    session.run(body)


@patch.add(
    "approve",
    changes=True,
    examples=[
        ("vibehq patch approve 3", "all of it"),
        ("vibehq patch approve 3 --hunk 1 --hunk 4", "only these hunks"),
        ("vibehq patch approve 3 --hunk 2 --lines 3-7", "of this hunk only these lines; show --hunk 2 has the numbers"),
        ("vibehq patch approve 3 5 8", "several, without those that a rule holds"),
    ],
)
@_ids
@_hunks
@click.option("--lines", type=LineNumbers(), metavar="A-B,…", help="With one --hunk: only the changes in these lines.")
@_keep_going
@click.pass_obj
def approve(
    session: Session, ids: tuple[str, ...], hunks: tuple[int, ...], lines: set[int] | None, keep_going: bool
) -> None:
    """Approve patches as they apply now; an approval holds for exactly that.

    Several are approved in an order in which they can all be applied; those that a rule holds are left out.
    """
    if len(ids) > 1 and (hunks or lines is not None):
        raise Usage("--hunk is for one patch", hint="approve it by itself")
    if lines is not None and len(hunks) != 1:
        raise Usage("--lines needs one --hunk", hint="the lines are counted in that hunk")

    async def body(hq: Headquarters) -> Answer:
        if len(ids) > 1:
            outcomes = await hq.patches.approve_many(ids, keep_going=keep_going)
            return outcomes_answer(outcomes, "nothing to approve")
        if lines is not None:
            await hq.patches.select_lines(ids[0], hunks[0], lines)
        return told("approved", await hq.patches.approve(ids[0], hunks or None))

    session.change(body)


@patch.add(
    "reject",
    changes=True,
    examples=[("vibehq patch reject 3 --reason 'Rounds the wrong way' --hunk 2", "the reason goes to whoever made it")],
)
@_id
@click.option("--reason", required=True, metavar="TEXT", help="Why; whoever made the patch learns from it.")
@_hunks
@click.pass_obj
def reject(session: Session, patch_id: str, reason: str, hunks: tuple[int, ...]) -> None:
    """Reject a patch or some of its hunks."""

    async def body(hq: Headquarters) -> Answer:
        return told(
            "rejected hunks of" if hunks else "rejected", await hq.patches.reject(patch_id, reason, hunks or None)
        )

    session.change(body)


@patch.add(
    "apply",
    changes=True,
    examples=[
        ("vibehq patch apply 3 --dry-run", "would it fit now?"),
        ("vibehq patch apply 3 --commit", "and commit it"),
        ("vibehq patch apply 3 --branch agents/parser", "commit it there; the work tree stays as it is"),
        ("vibehq patch apply --all-approved", "in an order that works"),
    ],
)
@click.argument("ids", metavar="[ID]...", nargs=-1, shell_complete=complete_ids("patch"))
@click.option("--all-approved", is_flag=True, help="Every approved patch.")
@_keep_going
@click.option(
    "--commit/--no-commit", default=None, help="Commit exactly what the patch changed.  [default: as configured]"
)
@click.option("--branch", metavar="NAME", help="The branch to commit to; made if there is none.")
@click.option(
    "--hooks/--no-hooks", default=None, help="Run the commit hooks of the repository.  [default: as configured]"
)
@click.option("--dry-run", is_flag=True, help="Only say whether it would fit.")
@click.pass_obj
def apply(
    session: Session,
    ids: tuple[str, ...],
    all_approved: bool,
    keep_going: bool,
    commit: bool | None,
    branch: str | None,
    hooks: bool | None,
    dry_run: bool,
) -> None:
    """Put approved patches into the work tree: of each all or nothing.

    Several are applied in an order that works; the first that does not go in stops the rest. Where checks are
    configured, they run on the result of each; one that fails takes its patch back.
    """
    if branch is not None and commit is False:
        raise Usage("--branch is for commits", hint="leave out --no-commit, or --branch")
    if bool(ids) == all_approved:
        raise Usage("name patches, or take --all-approved", hint="vibehq patch list --state approved")

    async def body(hq: Headquarters) -> Answer:
        if len(ids) == 1:
            patch = await hq.patches.apply(ids[0], dry_run=dry_run, commit=commit, branch=branch, hooks=hooks)
            return told("would apply" if dry_run else "applied", patch)
        outcomes = await hq.patches.apply_many(
            ids or await hq.patches.approved(),
            keep_going=keep_going,
            dry_run=dry_run,
            commit=commit,
            branch=branch,
            hooks=hooks,
        )
        return outcomes_answer(outcomes, "no approved patches")

    session.change(body)


@patch.add(
    "reopen",
    changes=True,
    examples=[
        ("vibehq patch reopen 3", "a rejected, approved or conflicted patch is proposed again, against the tree now")
    ],
)
@_id
@click.pass_obj
def reopen(session: Session, patch_id: str) -> None:
    """Propose a patch again: take back a rejection or an approval, or try again after a conflict."""

    async def body(hq: Headquarters) -> Answer:
        return told("reopened", await hq.patches.reopen(patch_id))

    session.change(body)


@patch.add("revert", changes=True, examples=[("vibehq patch revert 3", "the work tree is as before the patch")])
@_id
@click.pass_obj
def revert(session: Session, patch_id: str) -> None:
    """Take an applied patch out of the work tree again: all of it or nothing."""

    async def body(hq: Headquarters) -> Answer:
        return told("reverted", await hq.patches.revert(patch_id))

    session.change(body)
