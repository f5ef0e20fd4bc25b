"""``vibehq ops`` and ``vibehq scan``: what scans found, and looking for it now."""

from __future__ import annotations

import re
import sys
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from storage.clock import Millis
from storage.query import Query
from storage.records import Event, Issue, OpsScan, to_wire
from vibehq_tui.cli.complete import complete_ids
from vibehq_tui.cli.forms import facts, heading, local_time
from vibehq_tui.cli.framework import command, group, page_options
from vibehq_tui.cli.output import Answer, Cell, Style, write
from vibehq_tui.cli.paging import listing, page
from vibehq_tui.cli.session import Session
from vibehq_tui.text.clean import clean, clean_lines
from vibehq_tui.text.forms import plural
from vibehq_tui.text.glyphs import ISSUE_STATES, SEVERITIES, sign

if TYPE_CHECKING:
    from vibehq_tui.headquarters import Headquarters

SCOPES = ("incremental", "full")
STATUSES = ("open", "acknowledged", "snoozed", "claimed", "resolved")
LEVELS = ("critical", "high", "medium", "low")
_UNITS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 7 * 86_400_000}

ops = group(
    "ops",
    "Ops issues: what the scans found.",
    examples=[("vibehq ops list", "what needs somebody"), ("vibehq ops ack 4", "you have seen it")],
)
_id = click.argument("issue_id", metavar="ID", shell_complete=complete_ids("issue"))


def issue_table(style: Style, issues: list[Issue]) -> str:
    """Issues as lines: id, severity, status, title, how often, when last."""
    rows: list[list[Cell | str]] = []
    for one in issues:
        severity, status = sign(SEVERITIES, one.severity), sign(ISSUE_STATES, one.status)
        rows.append(
            [
                one.id,
                Cell(f"{severity.text(style.ascii)} {severity.word}", severity.tone),
                Cell(status.word, status.tone),
                one.title,
                one.detector,
                str(one.count),
                local_time(one.last_seen),
            ]
        )
    return style.table(("id", "severity", "status", "title", "found by", "seen", "last"), rows, flexible=3)


@ops.add("list", examples=[("vibehq ops list --status open --json", ""), ("vibehq ops list --severity critical", "")])
@click.option("--status", type=click.Choice(STATUSES), multiple=True, help="Only with this status; may be repeated.")
@click.option("--severity", type=click.Choice(LEVELS), multiple=True, help="Only this severe; may be repeated.")
@click.option("--text", default="", metavar="TEXT", help="Only with TEXT in the title.")
@page_options
@click.pass_obj
def list_(
    session: Session, status: tuple[str, ...], severity: tuple[str, ...], text: str, limit: int, cursor: str | None
) -> None:
    """List issues: unresolved first, the most severe on top."""
    where: dict[str, str | tuple[str, ...]] = {}
    if status:
        where["status"] = status
    if severity:
        where["severity"] = severity

    async def body(hq: Headquarters) -> Answer:
        items, following = await page(hq.ops.page, Query(text=text, where=where), limit=limit, cursor=cursor)
        empty = "no issues match" if where or text else "no issues; vibehq scan --scope full looks for some"
        return listing(items, following, lambda style: issue_table(style, items), empty=empty)

    session.run(body)


@ops.add("show", examples=[("vibehq ops show 4", "its evidence and its history")])
@_id
@click.pass_obj
def show(session: Session, issue_id: str) -> None:
    """Show one issue with its evidence and history."""

    async def body(hq: Headquarters) -> Answer:
        found = await hq.ops.get(issue_id)
        history = await hq.ops.history(issue_id)
        return Answer(
            wire=to_wire(found) | {"history": to_wire(history)}, text=lambda style: _describe(style, found, history)
        )

    session.run(body)


def _describe(style: Style, one: Issue, history: list[Event]) -> str:
    lines = [
        heading(style, f"{one.id}  {one.title}"),
        *facts(
            style,
            [
                ("severity", style.sign(sign(SEVERITIES, one.severity))),
                ("status", style.sign(sign(ISSUE_STATES, one.status))),
                ("found by", f"{clean(one.detector)} ({one.scope} scan)"),
                ("about", clean(f"{one.subject} {one.subject_id}".strip())),
                ("seen", f"{one.count} times, {local_time(one.first_seen)} to {local_time(one.last_seen)}"),
                ("owner", clean(one.owner or "")),
                ("snoozed until", local_time(one.snoozed_until)),
                (
                    "resolved",
                    f"{local_time(one.resolved_at)} by {clean(one.resolved_by or '')}" if one.resolved_at else "",
                ),
                ("came back", plural(one.regressions, "time") if one.regressions else ""),
            ],
        ),
    ]
    if one.message:
        lines += ["", clean_lines(one.message)]
    if one.data:
        lines += ["", *(f"  {clean(str(key))}: {clean(str(value))}" for key, value in one.data.items())]
    if history:
        lines += ["", *(f"  {local_time(event.at)}  {event.type}  {clean(event.message)}" for event in history)]
    return "\n".join(lines)


def _change(session: Session, verb: str, body: Callable[[Headquarters], Awaitable[Issue]]) -> None:
    async def answer(hq: Headquarters) -> Answer:
        done = await body(hq)
        return Answer(wire=to_wire(done), text=lambda style: f"{verb} issue {done.id}: {clean(done.title)}")

    session.change(answer)


@ops.add("ack", changes=True, examples=[("vibehq ops ack 4", "it stays in the list, quietly")])
@_id
@click.pass_obj
def ack(session: Session, issue_id: str) -> None:
    """Acknowledge an issue: somebody has seen it."""
    _change(session, "acknowledged", lambda hq: hq.ops.acknowledge(issue_id))


@ops.add(
    "snooze",
    changes=True,
    examples=[("vibehq ops snooze 4 --for 3h", ""), ("vibehq ops snooze 4 --until 2030-01-31T09:00", "local time")],
)
@_id
@click.option("--for", "for_", metavar="TIME", help="Such as 30m, 3h, 2d, 1w. [default: 1d]")
@click.option("--until", metavar="WHEN", help="An ISO 8601 time; without a zone it is local.")
@click.pass_obj
def snooze(session: Session, issue_id: str, for_: str | None, until: str | None) -> None:
    """Silence an issue for a while."""
    if for_ and until:
        raise click.UsageError("--for and --until exclude each other")
    length = _length(for_ or "1d")
    moment = _moment(until) if until else None
    _change(session, "snoozed", lambda hq: hq.ops.snooze(issue_id, moment or Millis(hq.store.clock.now() + length)))


def _length(text: str) -> int:
    found = re.fullmatch(r"(\d{1,4})([mhdw])", text)
    if not found or int(found[1]) == 0:
        raise click.BadParameter(f"{text!r} is not a length of time; such as 30m, 3h, 2d, 1w", param_hint="--for")
    return int(found[1]) * _UNITS[found[2]]


def _moment(text: str) -> Millis:
    try:
        return Millis(int(datetime.fromisoformat(text).astimezone().timestamp() * 1000))
    except (ValueError, OverflowError):
        raise click.BadParameter(f"{text!r} is not a time; such as 2030-01-31T09:00", param_hint="--until") from None


@ops.add("claim", changes=True, examples=[("vibehq ops claim 4", "you are on it; the others see that")])
@_id
@click.pass_obj
def claim(session: Session, issue_id: str) -> None:
    """Claim an issue: you are working on it."""
    _change(session, "claimed", lambda hq: hq.ops.claim(issue_id))


@ops.add(
    "resolve",
    changes=True,
    examples=[("vibehq ops resolve 4 --note 'Rotated the key'", "a scan that sees it again reopens it")],
)
@_id
@click.option("--note", default="", metavar="TEXT", help="What was done about it.")
@click.pass_obj
def resolve(session: Session, issue_id: str, note: str) -> None:
    """Resolve an issue. A scan resolves it by itself once its cause is gone."""
    _change(session, "resolved", lambda hq: hq.ops.resolve(issue_id, note))


@ops.add("reopen", changes=True, examples=[("vibehq ops reopen 4", "it was resolved too early")])
@_id
@click.pass_obj
def reopen(session: Session, issue_id: str) -> None:
    """Open a resolved issue again."""
    _change(session, "reopened", lambda hq: hq.ops.reopen(issue_id))


@command(
    "scan",
    changes=True,
    examples=[
        ("vibehq scan --scope incremental", "the quick look"),
        ("vibehq scan --scope full --json", "everything, for a program"),
    ],
)
@click.option("--scope", type=click.Choice(SCOPES), required=True, help="How deep to look.")
@click.pass_obj
def scan(session: Session, scope: str) -> None:
    """Look for ops issues now."""

    async def body(hq: Headquarters) -> Answer:
        done = await hq.ops.scan(scope, trigger="command", progress=_progress(session))
        return Answer(
            wire=to_wire(done), text=lambda style: _summary(style, done), exit_code=int(done.state == "failed")
        )

    session.change(body)


def _progress(session: Session) -> Callable[..., Any] | None:
    """Names the running detector on one line of a terminal; nothing where standard error is none."""
    if not sys.stderr.isatty() or session.json:
        return None
    return lambda *said: write(f"\r\x1b[K{clean(' '.join(str(part) for part in said), 70)}", sys.stderr)


def _summary(style: Style, done: OpsScan) -> str:
    if sys.stderr.isatty():
        write("\r\x1b[K", sys.stderr)
    found = f"{plural(done.findings, 'finding')}, {done.opened} new, {done.resolved} resolved"
    lines = [f"{done.scope} scan {done.state}: {found}"]
    for one in done.detectors:
        if one.get("result") != "completed":
            lines.append(
                style.paint(f"  {one.get('detector')}: {clean(str(one.get('message', one.get('result'))))}", "warn")
            )
    return "\n".join(lines)
