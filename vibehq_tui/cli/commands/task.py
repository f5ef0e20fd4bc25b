"""``vibehq task``: the tasks of the tasks file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from storage.query import Query
from storage.records import Task, to_wire
from vibehq_tui.cli.complete import complete_ids
from vibehq_tui.cli.forms import facts, heading, problem_lines, with_error
from vibehq_tui.cli.framework import group, page_options
from vibehq_tui.cli.output import Answer, Cell, Style
from vibehq_tui.cli.paging import listing, page
from vibehq_tui.cli.session import Session
from vibehq_tui.text.clean import clean, clean_lines
from vibehq_tui.text.forms import plural, ranges
from vibehq_tui.text.glyphs import PRIORITIES, TASK_STATES, sign

if TYPE_CHECKING:
    from vibehq_tui.headquarters import Headquarters

STATUSES = ("pending", "in-progress", "done", "deferred", "cancelled", "blocked", "review", "completed")
_RELATIONS = ("missing-dependency", "cancelled-dependency", "cycle")
"""What is said of tasks that are each well; the file is valid."""
LEVELS = ("low", "medium", "high", "critical")

task = group(
    "task",
    "Tasks of .mission_control/tasks.json or .taskmaster/tasks/tasks.json.",
    examples=[("vibehq task list --ready", "what can be started now"), ("vibehq task show 12", "")],
)


def task_table(style: Style, tasks: list[Task]) -> str:
    """Tasks as lines: id, state, priority, title, owner, what blocks them."""
    rows: list[list[Cell | str]] = []
    for one in tasks:
        state, priority = sign(TASK_STATES, one.state), sign(PRIORITIES, one.priority)
        rows.append(
            [
                one.id,
                Cell(f"{state.text(style.ascii)} {state.word}", state.tone),
                Cell(priority.word, priority.tone),
                Cell(one.title, "dim" if one.state in ("done", "cancelled") else ""),
                one.owner or "",
                f"{one.subtasks_done}/{one.subtasks_total}" if one.subtasks_total else "",
                Cell(ranges(one.blocked_by), "dim"),
            ]
        )
    return style.table(("id", "state", "priority", "title", "owner", "parts", "blocked by"), rows, flexible=3)


@task.add(
    "list",
    examples=[
        ("vibehq task list --ready", "what can be started now, the most useful first"),
        ("vibehq task list --status in-progress --json", "for a program"),
    ],
)
@click.option("--status", type=click.Choice(STATUSES), multiple=True, help="Only with this status; may be repeated.")
@click.option("--ready", is_flag=True, help="Only what can be started now.")
@click.option("--blocked", is_flag=True, help="Only what waits for another task.")
@click.option("--text", default="", metavar="TEXT", help="Only with TEXT in the title or the description.")
@page_options
@click.pass_obj
def list_(
    session: Session, status: tuple[str, ...], ready: bool, blocked: bool, text: str, limit: int, cursor: str | None
) -> None:
    """List tasks: ready first, then by what they unblock."""
    if ready and blocked:
        raise click.UsageError("--ready and --blocked exclude each other")
    where: dict[str, str | tuple[str, ...]] = {}
    if status:
        where["status"] = status
    if ready or blocked:
        where["state"] = "ready" if ready else "blocked"

    async def body(hq: Headquarters) -> Answer:
        items, following = await page(hq.tasks.page, Query(text=text, where=where), limit=limit, cursor=cursor)
        empty = (
            "no tasks match" if where or text else "no tasks yet: vibehq task add TITLE, or vibehq task import PLAN.md"
        )
        return listing(items, following, lambda style: task_table(style, items), empty=empty)

    session.run(body, about_tasks=True)


@task.add("show", examples=[("vibehq task show 12", ""), ("vibehq task show 12.4 --json", "a subtask, for a program")])
@click.argument("task_id", metavar="ID", shell_complete=complete_ids("task"))
@click.pass_obj
def show(session: Session, task_id: str) -> None:
    """Show one task with its subtasks, what it waits for and what waits for it."""

    async def body(hq: Headquarters) -> Answer:
        found = await hq.tasks.get(task_id)
        parts = await hq.tasks.subtasks(task_id)
        wire = to_wire(found) | {"subtasks": to_wire(parts)}
        return Answer(wire=wire, text=lambda style: _describe(style, found, parts))

    session.run(body, about_tasks=True)


def _describe(style: Style, one: Task, parts: list[Task]) -> str:
    state, priority = sign(TASK_STATES, one.state), sign(PRIORITIES, one.priority)
    lines = [
        heading(style, f"{one.id}  {one.title}"),
        *facts(
            style,
            [
                ("state", style.sign(state)),
                ("status", clean(one.status)),
                ("priority", style.paint(priority.word, priority.tone)),
                ("owner", clean(one.owner or "")),
                ("phase", clean(one.phase or "")),
                ("depends on", clean(", ".join(one.dependencies))),
                ("blocked by", clean(", ".join(one.blocked_by))),
                ("file", clean(one.source)),
            ],
        ),
    ]
    for name in ("description", "details", "testStrategy"):
        text = one.description if name == "description" else one.data.get(name)
        if isinstance(text, str) and text.strip():
            title = {"testStrategy": "test strategy"}.get(name, name)
            lines += ["", style.paint(title, "dim"), clean_lines(text.strip())]
    if parts:
        lines += ["", task_table(style, parts)]
    return "\n".join(lines)


@task.add(
    "add",
    changes=True,
    examples=[("vibehq task add 'Read the tide tables' --depends 3 --depends 4 --priority high", "")],
)
@click.argument("title")
@click.option("--depends", metavar="ID", multiple=True, help="A task that has to be done before; may be repeated.")
@click.option("--priority", type=click.Choice(LEVELS), default="medium", show_default=True)
@click.option("--description", default="", metavar="TEXT", help="What is to be done, in a sentence or two.")
@click.option("--owner", metavar="NAME", help="Who does it.")
@click.pass_obj
def add(
    session: Session, title: str, depends: tuple[str, ...], priority: str, description: str, owner: str | None
) -> None:
    """Add a task to the tasks file, which is made if there is none."""

    async def body(hq: Headquarters) -> Answer:
        added = await hq.tasks.add(title, depends=depends, priority=priority, description=description, owner=owner)
        return Answer(
            wire=to_wire(added), text=lambda style: f"added task {added.id} to {added.source}: {clean(added.title)}"
        )

    session.change(body)


@task.add(
    "status",
    changes=True,
    examples=[("vibehq task status 12 done", "writes it back into the tasks file, everything else in it kept")],
)
@click.argument("task_id", metavar="ID", shell_complete=complete_ids("task"))
@click.argument("status", type=click.Choice(STATUSES))
@click.pass_obj
def status_(session: Session, task_id: str, status: str) -> None:
    """Set the status of a task."""

    async def body(hq: Headquarters) -> Answer:
        changed = await hq.tasks.set_status(task_id, status)
        return Answer(
            wire=to_wire(changed),
            text=lambda style: (
                f"task {changed.id} is {changed.status} ({style.sign(sign(TASK_STATES, changed.state))})"
            ),
        )

    session.change(body)


@task.add(
    "import",
    changes=True,
    examples=[
        ("vibehq task import PLAN.md --dry-run", "what would become of the plan"),
        ("vibehq task import PLAN.md", "a second time it updates what changed"),
    ],
)
@click.argument("plan", metavar="PLAN.md", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@click.pass_obj
def import_(session: Session, plan: Path, dry_run: bool) -> None:
    """Turn a Markdown plan into tasks."""

    path = plan.absolute()

    async def body(hq: Headquarters) -> Answer:
        report = await hq.tasks.import_plan(path, dry_run=dry_run)
        wire = {
            "added": list(report.added),
            "updated": list(report.updated),
            "unchanged": list(report.unchanged),
            "warnings": to_wire(report.warnings),
            "dryRun": dry_run,
            "items": to_wire(report.tasks),
        }

        def text(style: Style) -> str:
            would = "would be " if dry_run else ""
            counts = [
                (would + "added", report.added),
                (would + "updated", report.updated),
                ("unchanged", report.unchanged),
            ]
            lines = [f"{plural(len(ids), 'task')} {word}: {ranges(ids)}" for word, ids in counts if ids]
            lines += [style.paint(f"warning: {clean(str(warning))}", "warn") for warning in report.warnings]
            return "\n".join(lines or ["the plan names no task"])

        return Answer(wire=wire, text=text)

    session.change(body)


@task.add(
    "graph",
    examples=[
        ("vibehq task graph", "an order that works, cycles and missing dependencies"),
        ("vibehq task graph --critical-path", "the longest chain of open tasks"),
    ],
)
@click.option("--critical-path", is_flag=True, help="Only the longest chain of open tasks.")
@click.pass_obj
def graph(session: Session, critical_path: bool) -> None:
    """Show how tasks depend on each other."""

    async def body(hq: Headquarters) -> Answer:
        found = await hq.tasks.graph()
        wanted = found.critical_path if critical_path else found.order
        known = {one.id: one for one in await hq.store.read(lambda tx: tx.tasks.all())}
        tasks = [known[one] for one in wanted if one in known]
        wire = {
            "order": list(found.order),
            "criticalPath": list(found.critical_path),
            "cycles": [list(cycle) for cycle in found.cycles],
            "missing": to_wire(found.missing),
        }

        def text(style: Style) -> str:
            lines = [task_table(style, tasks) if tasks else "no tasks"]
            for cycle in found.cycles:
                lines.append(style.paint(f"cycle: {clean(' → '.join((*cycle, cycle[0])))}", "error"))
            for one, absent in found.missing.items():
                lines.append(
                    style.paint(f"task {clean(one)} depends on {clean(', '.join(absent))}: no such task", "error")
                )
            return "\n".join(lines)

        return Answer(wire=wire, text=text)

    session.run(body, about_tasks=True)


@task.add(
    "validate",
    examples=[("vibehq task validate", "the files of this workspace"), ("vibehq task validate other/tasks.json", "")],
)
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.pass_obj
def validate(session: Session, file: Path | None) -> None:
    """Check a tasks file: every problem with its file, line, JSON path and the allowed values."""

    path = file.absolute() if file else None

    from vibehq_tui.tasks.problems import TasksFileBroken  # noqa: PLC0415 - heavy; help does not need it

    async def body(hq: Headquarters) -> Answer:
        problems = await hq.tasks.validate(path)
        broken = [problem for problem in problems if problem.level == "error" or problem.code not in _RELATIONS]
        wire = {"valid": not broken, "problems": to_wire(list(problems))}
        if broken:
            wire = with_error(wire, TasksFileBroken(problems))

        def text(style: Style) -> str:
            return "\n".join(problem_lines(style, problems)) if problems else style.paint("no problems", "ok")

        return Answer(wire=wire, text=text, exit_code=1 if broken else 0)

    session.run(body)
