"""How patches are told to people: in lists, one by one, and what became of many."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from storage.records import Patch, PatchVersion, to_wire
from vibehq_tui.cli.forms import facts, heading, local_time
from vibehq_tui.cli.output import Answer, Cell, Style
from vibehq_tui.text.clean import clean, clean_lines
from vibehq_tui.text.forms import changes, plural, ranges
from vibehq_tui.text.glyphs import CHECKS, PATCH_STATES, sign

if TYPE_CHECKING:
    from vibehq_tui.patches.planning.plan import Plan
    from vibehq_tui.patches.queue.batch import Outcome
    from vibehq_tui.patches.queue.order import Order
    from vibehq_tui.patches.queue.policies import Explanation
    from vibehq_tui.patches.queue.review import Overlap, Review

_RISKS = {"low": "dim", "medium": "warn", "high": "error"}
_VERDICTS = {"approve": "ok", "hold": "warning", "deny": "error"}
_MOST_FINDINGS = 50


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


def told(verb: str, one: Patch) -> Answer:
    """The answer of a command that changed a patch."""

    def text(style: Style) -> str:
        state = style.sign(sign(PATCH_STATES, one.state))
        by = f" by {clean(one.decided_by)}" if one.decided_by and one.decided_by.startswith("policy:") else ""
        version = f", version {one.version}" if one.version > 1 else ""
        size, where = changes(one.added, one.removed), ""
        if one.commit_id is not None:
            where = f", committed as {one.commit_id[:9]} on {clean(one.branch) if one.branch else 'a detached HEAD'}"
        return f"{verb} patch {one.id}: {clean(one.title)} ({state}{by}, {size}{version}){where}"

    return Answer(wire=to_wire(one), text=text)


def _mark(style: Style, result: str) -> str:
    mark = sign(CHECKS, result)
    return style.paint(mark.text(style.ascii), mark.tone)


def report_lines(style: Style, findings: Sequence[dict[str, Any]]) -> list[str]:
    """A report: one line for each check, and below it what else was found."""
    from vibehq_tui.patches.queue.validation import glance  # noqa: PLC0415 - heavy; help does not need it

    checks = glance(findings)
    width = max((len(check.title) for check in checks), default=0)
    lines: list[str] = []
    for check in checks:
        rest = [one for one in check.findings if one.get("result") != "ok"]
        message = check.message if len(rest) != 1 else _placed(rest[0], after=True)
        lines.append(f"  {_mark(style, check.result)} {clean(check.title).ljust(width)}  {clean(message, 2000)}")
        for one in rest[:_MOST_FINDINGS] if len(rest) > 1 else ():
            lines.append(f"      {_mark(style, str(one.get('result')))} {clean(_placed(one), 2000)}")
        if len(rest) > _MOST_FINDINGS:
            lines.append(f"      … and {len(rest) - _MOST_FINDINGS} more")
    return lines


def _placed(finding: dict[str, Any], *, after: bool = False) -> str:
    """A finding in words, with its place where the words do not name it."""
    place = ":".join(str(finding[key]) for key in ("path", "line") if finding.get(key))
    message = str(finding.get("message", ""))
    if not place or place in message or (not finding.get("line") and str(finding.get("path")) in message):
        return message
    return f"{message} ({place})" if after else f"{place}: {message}"


# -- one patch ---------------------------------------------------------------------------------------------------------


def review_wire(review: Review, versions: list[PatchVersion]) -> dict[str, Any]:
    """The document of ``vibehq patch show``."""
    wire: dict[str, Any] = to_wire(review.patch)
    if review.plan is not None:
        wire["files"] = review.plan.to_wire()  # with the hunks, whose numbers --hunk takes
    return wire | {
        "decisions": to_wire(list(review.decisions.values())),
        "comments": to_wire(list(review.comments)),
        "seen": sorted(review.seen),
        "problems": [problem.to_wire() for problem in review.problems],
        "meets": to_wire(list(review.meets)),
        "versions": to_wire(versions),
    }


def describe(style: Style, review: Review, versions: list[PatchVersion]) -> str:
    """The text of ``vibehq patch show``."""
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
                ("size", f"{changes(one.added, one.removed)} in {plural(one.hunks, 'hunk')}"),
                ("risk", style.paint(one.risk, _RISKS.get(one.risk, ""))),
                ("base", (one.base or "")[:12]),
                ("plan", (one.plan_hash or "")[:16]),
                ("by", f"{clean(one.submitted_by)}  {local_time(one.created_at)}"),
                ("decided", clean(one.decided_by or "")),
                ("applied", local_time(one.applied_at)),
                ("commit", (one.commit_id or "")[:12] + (f" on {clean(one.branch)}" if one.branch else "")),
            ],
        ),
        "",
        *_file_lines(style, review),
        "",
        *report_lines(style, one.report),
    ]
    for number, decision in sorted(review.decisions.items()):
        because = f": {clean(decision.reason)}" if decision.reason else ""
        lines.append(f"  hunk {number} {decision.decision} by {clean(decision.by)}{because}")
    lines += _comment_lines(style, review)
    for version in versions if len(versions) > 1 else ():
        what = f": {clean(version.reason)}" if version.reason else ""
        lines.append(f"  version {version.version} by {clean(version.by)}  {local_time(version.at)}{what}")
    lines += overlap_lines(style, review.meets)
    return "\n".join(lines)


def _file_lines(style: Style, review: Review) -> list[str]:
    from vibehq_tui.patches.planning.planned import PlannedFile  # noqa: PLC0415 - heavy; help does not need it

    lines = []
    for file in review.plan.files if review.plan is not None else review.patch.files:
        source = f" (from {clean(file.from_)})" if file.from_ else ""
        numbers = ranges(str(hunk.number) for hunk in file.hunks) if isinstance(file, PlannedFile) else ""
        hunks = style.paint(f"  hunk{'' if numbers.isdigit() else 's'} {numbers}", "dim") if numbers else ""
        lines.append(f"  {file.op:<7} {clean(file.path)}{source}  {changes(file.added, file.removed)}{hunks}")
    return lines


def _comment_lines(style: Style, review: Review) -> list[str]:
    lines = []
    for comment in review.comments:
        place = ":".join(str(part) for part in (comment.path, comment.line) if part)
        place += f", hunk {comment.hunk}" if comment.hunk else ""
        settled = style.paint(" (settled)", "dim") if comment.resolved_by else ""
        where = f" on {clean(place)}" if place else ""
        number = style.paint(f"comment {comment.id}", "dim")
        lines.append(f"  {number} {clean(comment.by)}{where}: {clean(comment.text)}{settled}")
    return lines


def hunk_lines(style: Style, plan: Plan, number: int) -> str:
    """One hunk with its lines numbered, as ``--lines`` takes them."""
    from vibehq_tui.patches.queue.rewrite import find_hunk  # noqa: PLC0415 - heavy; help does not need it

    file, hunk = find_hunk(plan, number)
    tones = {"+": "ok", "-": "error"}
    width = len(str(len(hunk.lines)))
    lines = [style.paint(f"{clean(file.path)}, line {hunk.old_start}", "bold")]
    for position, (tag, line) in enumerate(hunk.lines, 1):
        text = clean_lines(line.decode("utf-8", "replace").rstrip("\r\n"))
        lines.append(f"{style.paint(str(position).rjust(width), 'dim')} {style.paint(tag + text, tones.get(tag, ''))}")
    return "\n".join(lines)


# -- rules -------------------------------------------------------------------------------------------------------------


def explanation_wire(found: Explanation) -> dict[str, Any]:
    """The document of ``vibehq patch explain``."""
    risk = found.risk
    return {
        "id": found.patch.id,
        "state": found.patch.state,
        "decidedBy": found.patch.decided_by,
        **found.verdict.to_wire(),
        "risk": {
            "tier": risk.level if risk is not None else found.patch.risk,
            "points": risk.points if risk is not None else None,
            "reasons": [reason.to_wire() for reason in risk.reasons] if risk is not None else [],
        },
        "findings": list(found.findings),
        "problems": [problem.to_wire() for problem in found.problems],
    }


def explanation_text(style: Style, found: Explanation) -> str:
    """The text of ``vibehq patch explain``."""
    verdict, risk = found.verdict, found.risk
    words = {"approve": "approved by", "hold": "held by", "deny": "denied by"}
    says = f"{words[verdict.action]} rule {clean(verdict.rule or '')}: " if verdict.rule else ""
    lines = [
        heading(style, f"{found.patch.id}  {found.patch.title}"),
        f"{_mark(style, _VERDICTS.get(verdict.action, 'ok'))} {says}{clean(verdict.reason, 1000)}",
        "",
        style.paint("rules", "bold"),
    ]
    width = max((len(clean(rule.name)) for rule in verdict.rules), default=0)
    for rule in verdict.rules:
        matched = style.paint("matches", "bold") if rule.matched else style.paint("no match", "dim")
        said = f" ({clean(rule.reason)})" if rule.reason and rule.matched else ""
        name = clean(rule.name).ljust(width)
        lines.append(f"  {rule.action:<7}  {name}  {matched}: {clean(rule.why(), 1000)}{said}")
    lines.append("")
    if risk is not None:
        lines.append(style.paint(f"risk {risk.level}, {risk.points} points", _RISKS.get(risk.level, "")))
        lines += [f"  {reason.points:>2}  {clean(reason.message)}" for reason in risk.reasons]
    else:
        lines.append(style.paint("it does not apply to the files as they are now", "error"))
        lines += [f"  {clean(problem.where())}: {clean(problem.message, 1000)}" for problem in found.problems]
    return "\n".join([*lines, "", style.paint("report", "bold"), *report_lines(style, found.findings)])


# -- many patches ------------------------------------------------------------------------------------------------------


def overlap_lines(style: Style, overlaps: Iterable[Overlap]) -> list[str]:
    """Where patches meet, one line for each path."""
    lines = []
    for one in overlaps:
        places = ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in one.places[:8])
        more = f" and {len(one.places) - 8} more" if len(one.places) > 8 else ""
        where = f"{clean(one.path)}:{places}{more}" if places else clean(one.path)
        lines.append(
            f"  {style.paint(f'{one.patch} and {one.other} meet', 'warn')} in {where}: {clean(one.suggestion)}"
        )
    return lines


def order_lines(style: Style, order: Order) -> list[str]:
    """An order that works, and what has no place in it."""
    lines = [f"order that works: {' '.join(order.patches) or 'none'}"]
    lines += [f"  {then} needs {first} before it" for first, then in order.needs]
    lines += [
        style.paint(f"  {' before '.join((*cycle, cycle[0]))}: no order works for all of them", "error")
        for cycle in order.cycles
    ]
    lines += [f"  {style.paint(f'{one.patch} is left out', 'warn')}: {clean(one.reason, 1000)}" for one in order.left]
    if not order.complete:
        lines.append(style.paint("  there was no time to try everything; the order given works all the same", "dim"))
    return lines


_RESULTS = {"approved": "ok", "applied": "ok", "would-apply": "ok", "skipped": "warning", "not-reached": "warning"}


def outcomes_answer(outcomes: list[Outcome], empty: str) -> Answer:
    """The answer of a command about many patches: 0 when all went well, 3 with a conflict, else 1."""
    failed = [one for one in outcomes if not one.ok]
    code = 0 if not failed else 3 if any(one.result == "conflict" for one in failed) else 1

    def text(style: Style) -> str:
        if not outcomes:
            return style.paint(empty, "dim")
        lines = []
        for one in outcomes:
            title = f": {clean(one.patch.title)}" if one.patch is not None else ""
            said = "" if one.message == one.result else f" · {clean(one.message, 1000)}"
            lines.append(f"{_mark(style, _RESULTS.get(one.result, 'error'))} {one.id} {one.result}{title}{said}")
        return "\n".join(lines)

    return Answer(wire={"items": [one.to_wire() for one in outcomes], "next": None}, text=text, exit_code=code)
