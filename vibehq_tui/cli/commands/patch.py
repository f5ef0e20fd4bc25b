"""``vibehq patch``: the patch queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from storage.errors import Usage
from storage.query import Query
from storage.records import Patch, to_wire
from vibehq_tui.cli.commands.patch_resolve import resolve
from vibehq_tui.cli.complete import complete_ids
from vibehq_tui.cli.forms import facts, heading, local_time
from vibehq_tui.cli.framework import group, page_options
from vibehq_tui.cli.inputs import read_bytes
from vibehq_tui.cli.output import Answer, Cell, Style
from vibehq_tui.cli.paging import listing, page
from vibehq_tui.cli.session import Session
from vibehq_tui.patches.formats import FORMATS
from vibehq_tui.text.clean import clean, clean_lines
from vibehq_tui.text.forms import changes, ranges
from vibehq_tui.text.glyphs import CHECKS, PATCH_STATES, sign

if TYPE_CHECKING:
    from vibehq_tui.headquarters import Headquarters
    from vibehq_tui.patches.review import Overlap, Review

STATES = ("proposed", "approved", "applied", "verified", "rejected", "conflicted", "failed", "reverted")
_RISKS = {"low": "dim", "medium": "warn", "high": "error"}

patch = group(
    "patch",
    "Patches: proposed, reviewed, approved, applied, reverted.",
    examples=[
        ("git format-patch -1 --stdout | vibehq patch submit --task 12", "propose the last commit"),
        ("vibehq patch approve 3 && vibehq patch apply 3", ""),
    ],
)
patch.add_command(resolve)
_id = click.argument("patch_id", metavar="ID", shell_complete=complete_ids("patch"))
_hunks = click.option("--hunk", "hunks", type=click.IntRange(1), multiple=True, metavar="N")


def patch_table(style: Style, patches: list[Patch]) -> str:
    """Patches as lines: id, state, title, task, provider, size, risk."""
    rows: list[list[Cell | str]] = []
    for one in patches:
        state = sign(PATCH_STATES, one.state)
        rows.append(
            [
                one.id,
                Cell(f"{state.text(style.ascii)} {state.word}", state.tone),
                one.title,
                one.task or "",
                one.provider or "",
                changes(one.added, one.removed, style.ascii),
                Cell(one.risk, _RISKS.get(one.risk, "")),
            ]
        )
    return style.table(("id", "state", "title", "task", "provider", "lines", "risk"), rows, flexible=2)


def _told(verb: str, one: Patch) -> Answer:
    def text(style: Style) -> str:
        state = style.sign(sign(PATCH_STATES, one.state))
        where = ""
        if one.commit_id is not None:
            where = f", committed as {one.commit_id[:9]} on {clean(one.branch) if one.branch else 'a detached HEAD'}"
        return f"{verb} patch {one.id}: {clean(one.title)} ({state}, {changes(one.added, one.removed)}){where}"

    return Answer(wire=to_wire(one), text=text)


@patch.add(
    "submit",
    changes=True,
    examples=[
        (
            "git diff | vibehq patch submit --title 'Fix the rounding' --task 12",
            "what you changed, from standard input",
        ),
        ("vibehq patch submit fix.patch --provider codex --json", "for an agent"),
    ],
)
@click.argument("file", metavar="[FILE|-]", default="-")
@click.option("--format", "format_", type=click.Choice(FORMATS), default="auto", show_default=True)
@click.option("--task", metavar="ID", help="The task it belongs to.", shell_complete=complete_ids("task"))
@click.option("--provider", metavar="NAME", help="Who made it.")
@click.option("--title", metavar="TEXT", help="In a line; taken from the patch when it has one.")
@click.option("--base", metavar="REV", help="The revision it was made against.")
@click.pass_obj
def submit(
    session: Session,
    file: str,
    format_: str,
    task: str | None,
    provider: str | None,
    title: str | None,
    base: str | None,
) -> None:
    """Propose a change. Nothing is touched until it is approved and applied."""
    session.root()  # a missing workspace is said before anything is read
    data = read_bytes(file)

    async def body(hq: Headquarters) -> Answer:
        stored = await hq.patches.submit(data, format=format_, task=task, provider=provider, title=title, base=base)
        return _told("proposed", stored)

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
    "show", examples=[("vibehq patch show 3", "its report, decisions and comments"), ("vibehq patch show 3 --json", "")]
)
@_id
@click.pass_obj
def show(session: Session, patch_id: str) -> None:
    """Show one patch: what it touches, what was found, decided and said about it."""

    async def body(hq: Headquarters) -> Answer:
        review = await hq.patches.review(patch_id)
        return Answer(wire=_review_wire(review), text=lambda style: _describe(style, review))

    session.run(body)


def _review_wire(review: Review) -> dict[str, Any]:
    wire: dict[str, Any] = to_wire(review.patch)
    if review.plan is not None:
        wire["files"] = review.plan.to_wire()  # with the hunks, whose numbers --hunk takes
    return wire | {
        "decisions": to_wire(list(review.decisions.values())),
        "comments": to_wire(list(review.comments)),
        "seen": sorted(review.seen),
        "problems": [problem.to_wire() for problem in review.problems],
        "meets": to_wire(list(review.meets)),
    }


def _describe(style: Style, review: Review) -> str:
    from vibehq_tui.patches.plan import PlannedFile  # noqa: PLC0415 - heavy; help does not need it

    one = review.patch
    lines = [
        heading(style, f"{one.id}  {one.title}"),
        *facts(
            style,
            [
                ("state", style.sign(sign(PATCH_STATES, one.state))),
                ("because", clean(one.reason or "")),
                ("task", clean(one.task or "")),
                ("provider", clean(one.provider or "")),
                ("format", one.format),
                ("size", f"{changes(one.added, one.removed)} in {one.hunks} hunks"),
                ("risk", style.paint(one.risk, _RISKS.get(one.risk, ""))),
                ("base", (one.base or "")[:12]),
                ("plan", (one.plan_hash or "")[:16]),
                ("by", f"{clean(one.submitted_by)}  {local_time(one.created_at)}"),
                ("decided", clean(one.decided_by or "")),
                ("applied", local_time(one.applied_at)),
            ],
        ),
        "",
    ]
    for file in review.plan.files if review.plan is not None else one.files:
        source = f" (from {clean(file.from_)})" if file.from_ else ""
        numbers = ranges(str(hunk.number) for hunk in file.hunks) if isinstance(file, PlannedFile) else ""
        hunks = style.paint(f"  hunks {numbers}", "dim") if numbers else ""
        lines.append(f"  {file.op:<7} {clean(file.path)}{source}  {changes(file.added, file.removed)}{hunks}")
    for finding in one.report:
        mark = sign(CHECKS, finding.get("result", ""))
        place = ":".join(str(finding[key]) for key in ("path", "line") if finding.get(key))
        said = f"{finding.get('check', '')}: {finding.get('message', '')}" + (f" ({place})" if place else "")
        lines.append(f"  {style.paint(mark.text(style.ascii), mark.tone)} {clean(said)}")
    for number, decision in sorted(review.decisions.items()):
        because = f": {clean(decision.reason)}" if decision.reason else ""
        lines.append(f"  hunk {number} {decision.decision} by {clean(decision.by)}{because}")
    for comment in review.comments:
        place = ":".join(str(part) for part in (comment.path, comment.line) if part)
        lines.append(f"  {clean(comment.by)}{f' on {clean(place)}' if place else ''}: {clean(comment.text)}")
    lines += _overlap_lines(style, list(review.meets))
    return "\n".join(lines)


@patch.add(
    "diff",
    examples=[("vibehq patch diff 3", "as it would be applied now"), ("vibehq patch diff 3 | git apply --check", "")],
)
@_id
@click.option(
    "--against", type=click.IntRange(1), metavar="VERSION", help="Against an earlier version of the same patch."
)
@click.pass_obj
def diff(session: Session, patch_id: str, against: int | None) -> None:
    """Print a patch as a git diff."""

    async def body(hq: Headquarters) -> Answer:
        if against is not None:
            await _refuse_against(hq, patch_id, against)
        data = await hq.patches.diff(patch_id)
        text = data.decode("utf-8", "surrogateescape")
        return Answer(
            wire={"id": patch_id, "diff": data.decode("utf-8", "replace")}, text=lambda style: _coloured(style, text)
        )

    session.run(body)


async def _refuse_against(hq: Headquarters, patch_id: str, against: int) -> None:
    from storage.errors import NotFound, Refused  # noqa: PLC0415 - two names for one refusal

    found = await hq.patches.get(patch_id)
    if against > found.version:
        raise NotFound(f"patch {patch_id} has no version {against}", hint=f"its newest is version {found.version}")
    raise Refused(
        f"patch {patch_id} has one version, there is nothing to compare", hint=f"vibehq patch diff {patch_id}"
    )


def _coloured(style: Style, text: str) -> str:
    """The diff as it is where it goes to a program; clean and coloured on a terminal."""
    if style.width is None:
        return text
    tones = {"+": "ok", "-": "error", "@": "busy", "d": "bold"}
    return "\n".join(style.paint(line, tones.get(line[:1], "")) for line in clean_lines(text, 10_000_000).split("\n"))


@patch.add(
    "approve",
    changes=True,
    examples=[
        ("vibehq patch approve 3", "all of it"),
        ("vibehq patch approve 3 --hunk 1 --hunk 4", "only these hunks"),
    ],
)
@_id
@_hunks
@click.pass_obj
def approve(session: Session, patch_id: str, hunks: tuple[int, ...]) -> None:
    """Approve a patch as it applies now; the approval holds for exactly that."""

    async def body(hq: Headquarters) -> Answer:
        return _told("approved", await hq.patches.approve(patch_id, hunks or None))

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
        return _told(
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
    ],
)
@_id
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
    session: Session, patch_id: str, commit: bool | None, branch: str | None, hooks: bool | None, dry_run: bool
) -> None:
    """Put an approved patch into the work tree: all of it or nothing.

    Where checks are configured, they run on the result; one that fails takes the patch back.
    """
    if branch is not None and commit is False:
        raise Usage("--branch is for commits", hint="leave out --no-commit, or --branch")

    async def body(hq: Headquarters) -> Answer:
        patch = await hq.patches.apply(patch_id, dry_run=dry_run, commit=commit, branch=branch, hooks=hooks)
        return _told("would apply" if dry_run else "applied", patch)

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
        return _told("reopened", await hq.patches.reopen(patch_id))

    session.change(body)


@patch.add("revert", changes=True, examples=[("vibehq patch revert 3", "the work tree is as before the patch")])
@_id
@click.pass_obj
def revert(session: Session, patch_id: str) -> None:
    """Take an applied patch out of the work tree again: all of it or nothing."""

    async def body(hq: Headquarters) -> Answer:
        return _told("reverted", await hq.patches.revert(patch_id))

    session.change(body)


@patch.add(
    "comment",
    changes=True,
    examples=[("vibehq patch comment 3 --path src/tide.py --line 12 --text 'Which time zone?'", "")],
)
@_id
@click.option("--path", metavar="PATH", help="The file; without it the remark is about the whole patch.")
@click.option("--line", type=click.IntRange(1), metavar="N", help="The line, as the patch leaves the file.")
@click.option("--text", required=True, metavar="TEXT")
@click.pass_obj
def comment(session: Session, patch_id: str, path: str | None, line: int | None, text: str) -> None:
    """Leave a remark on a line, a file or the whole patch."""
    if line is not None and path is None:
        raise click.UsageError("--line needs --path")

    async def body(hq: Headquarters) -> Answer:
        left = await hq.patches.comment(patch_id, text, path=path, line=line)
        return Answer(wire=to_wire(left), text=lambda style: f"commented on patch {patch_id}")

    session.change(body)


@patch.add("conflicts", examples=[("vibehq patch conflicts", "where, and in which order they can both go in")])
@click.pass_obj
def conflicts(session: Session) -> None:
    """List open patches that meet in the same lines."""

    async def body(hq: Headquarters) -> Answer:
        found = await hq.patches.conflicts()
        return listing(found, None, lambda style: "\n".join(_overlap_lines(style, found)), empty="no open patches meet")

    session.run(body)


def _overlap_lines(style: Style, overlaps: list[Overlap]) -> list[str]:
    lines = []
    for one in overlaps:
        first, last = one.lines
        where = f"{clean(one.path)}:{first}-{last}" if last else clean(one.path)
        lines.append(
            f"  {style.paint(f'{one.patch} and {one.other} meet', 'warn')} in {where}: {clean(one.suggestion)}"
        )
    return lines
