"""One message for whoever made a patch: what was rejected and why, what was asked, what does not fit, what to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from storage.records import Patch, PatchComment, PatchDecision
from vibehq_tui.patches.model import Problem
from vibehq_tui.patches.planning.planned import PlannedFile, PlannedHunk
from vibehq_tui.patches.queue.review import REJECTED, Review
from vibehq_tui.text.clean import clean, clean_lines
from vibehq_tui.text.forms import ranges
from vibehq_tui.text.secrets import redact

_LONG = 1_000_000
_HUNK_LINES = 80
_NEAR_LINES = 30
_TASK_STATES = ("applied", "verified")


def feedback(review: Review, edited: bytes = b"") -> str:
    """The message, in Markdown. It is the same for the same review, whenever it is asked for.

    :param edited: what operators have changed in the patch themselves, as a diff.

    It has what operators said and what was found; settled comments, operators' names and times are not in it. Secrets
    are redacted; what is invisible in a text is made visible.
    """
    patch = review.patch
    parts = [
        _head(patch),
        _rejection(patch),
        _edits(edited),
        *_rejected_hunks(review),
        *_comments(review.comments, review),
        *_problems(review.problems),
        *_findings(patch),
        _accepted(review),
        _what_to_do(review),
    ]
    return redact("\n\n".join(part for part in parts if part)) + "\n"


def is_asked(review: Review) -> bool:
    """Whether the message asks for anything: there is something to be changed."""
    return bool(
        review.problems
        or review.patch.state in ("rejected", "failed")
        or any(one.resolved_by is None for one in review.comments)
        or any(one.decision == REJECTED for one in review.decisions.values())
        or any(finding.get("result") == "error" for finding in review.patch.report)
    )


# -- parts -------------------------------------------------------------------------------------------------------------


def _head(patch: Patch) -> str:
    of_task = f" for task {_word(patch.task)}" if patch.task else ""
    return f"# Patch {patch.id}: {clean(patch.title)}\n\nVersion {patch.version}{of_task} is {patch.state}."


def _rejection(patch: Patch) -> str:
    if patch.state not in ("rejected", "failed", "conflicted") or not patch.reason:
        return ""
    return f"## Why it is {patch.state}\n\n{_quoted(patch.reason)}"


def _edits(diff: bytes) -> str:
    if not diff:
        return ""
    lines = diff.decode("utf-8", "replace").splitlines()
    return f"## What was changed in your patch\n\nKeep this; it is a part of the patch now.\n\n{_code(lines, 'diff')}"


def _rejected_hunks(review: Review) -> Iterator[str]:
    rejected = {number: one for number, one in review.decisions.items() if one.decision == REJECTED}
    if not rejected:
        return
    parts = ["## Rejected hunks"]
    shown: set[int] = set()
    for file in review.plan.files if review.plan is not None else ():
        for hunk in file.hunks:
            if hunk.number in rejected:
                shown.add(hunk.number)
                parts.append(_rejected(file, hunk, rejected[hunk.number]))
    for number in sorted(set(rejected) - shown):
        parts.append(f"### Hunk {number}\n\n{_reason(rejected[number])}")
    yield "\n\n".join(parts)


def _rejected(file: PlannedFile, hunk: PlannedHunk, decision: PatchDecision) -> str:
    place = f"{_word(file.path)}, line {hunk.old_start or 1}" if hunk.lines else f"{_word(file.path)} ({file.op})"
    lines = [tag + line.decode("utf-8", "replace").rstrip("\r\n") for tag, line in hunk.lines]
    return f"### Hunk {hunk.number}: {place}\n\n{_reason(decision)}" + (f"\n\n{_code(lines, 'diff')}" if lines else "")


def _reason(decision: PatchDecision) -> str:
    return _quoted(decision.reason) if decision.reason else "Rejected without a reason."


def _comments(comments: Sequence[PatchComment], review: Review) -> Iterator[str]:
    still_open = [one for one in comments if one.resolved_by is None]
    if not still_open:
        return
    order = {file.path: at for at, file in enumerate(review.patch.files)}

    def place(one: PatchComment) -> tuple[int, str, int, int, int]:
        known = -1 if one.path is None else order.get(one.path, len(order))
        return known, one.path or "", one.line or 0, one.hunk or 0, int(one.id)

    parts = ["## Comments"]
    parts += [_comment(one, review.patch.version) for one in sorted(still_open, key=place)]
    yield "\n\n".join(parts)


def _comment(one: PatchComment, version: int) -> str:
    where = "The patch as a whole" if one.path is None else _word(one.path)
    if one.line is not None:
        where += f", line {one.line}"
    if one.hunk is not None:
        where += f", hunk {one.hunk}"
    earlier = f" (on version {one.version})" if one.version != version else ""
    code = f"{_code(one.quote.splitlines(), 'diff')}\n\n" if one.quote else ""
    return f"### {where}{earlier}\n\n{code}{_quoted(one.text)}"


def _problems(problems: Iterable[Problem]) -> Iterator[str]:
    found = list(problems)
    if not found:
        return
    yield "\n\n".join(["## It does not apply to the files as they are now", *map(_problem, found)])


def _problem(problem: Problem) -> str:
    where = f"**{clean(problem.where())}**: " if problem.where() else ""
    parts = [f"- {where}{clean(problem.message, 2000)} (`{clean(problem.code)}`)"]
    if problem.candidates:
        lines = ", ".join(str(line) for line in problem.candidates[:12])
        parts.append(f"It could be meant at line {lines}: give more context, so that it can only be one of them.")
    if problem.nearest is not None:
        near = problem.nearest
        parts.append(f"The patch expects:\n\n{_code(_text(near.expected[:_NEAR_LINES]))}")
        parts.append(f"What comes nearest, at line {near.line}, is:\n\n{_code(_text(near.found[:_NEAR_LINES]))}")
    for region in problem.regions:
        parts.append(f"At line {region.line} the file has:\n\n{_code(_text(region.ours[:_NEAR_LINES]))}")
        parts.append(f"Before, it had:\n\n{_code(_text(region.base[:_NEAR_LINES]))}")
        parts.append(f"The patch makes of that:\n\n{_code(_text(region.theirs[:_NEAR_LINES]))}")
    return "\n\n".join(parts)


def _findings(patch: Patch) -> Iterator[str]:
    known = "applies" if patch.state == "conflicted" else ""
    for result, title in (("error", "## Errors that validation found"), ("warning", "## What validation warns of")):
        rows = [
            f"- {clean(str(one.get('check', '')))}: {_place(one)}{clean(str(one.get('message', '')), 2000)}"
            for one in patch.report
            if one.get("result") == result and one.get("check") not in (known, "risk", "policy")
        ]
        if rows:
            yield f"{title}\n\n" + "\n".join(rows)


def _place(finding: dict[str, object]) -> str:
    path, line = finding.get("path"), finding.get("line")
    if not path or str(path) in str(finding.get("message", "")):
        return ""
    return f"{_word(str(path))}{f', line {line}' if line else ''}: "


def _accepted(review: Review) -> str:
    accepted = [number for number, one in review.decisions.items() if one.decision != REJECTED]
    if not accepted or review.plan is None:
        return ""
    return f"## Accepted\n\nKeep hunks {ranges(str(number) for number in sorted(accepted))} as they are."


def _what_to_do(review: Review) -> str:
    patch = review.patch
    if patch.state in _TASK_STATES:
        return "## What to do\n\nNothing: it is applied. Whatever else is wanted is a new patch."
    if not is_asked(review):
        return "## What to do\n\nNothing yet: nobody has asked for a change."
    steps = []
    if review.problems:
        steps.append("Look at the files as they are now, and make the patch against them.")
    if any(one.decision == REJECTED for one in review.decisions.values()):
        steps.append("Leave the rejected hunks out, or change them as their reasons say.")
    if patch.state in ("rejected", "failed") and patch.reason:
        steps.append(f"Change it so that what it was {patch.state} for is gone.")
    if any(one.resolved_by is None for one in review.comments):
        steps.append("Do what the comments ask, or say why not.")
    if any(finding.get("result") == "error" and finding.get("check") != "applies" for finding in patch.report):
        steps.append("Repair the errors.")
    steps.append(f"Submit all of it as one patch again: `vibehq patch submit --patch {patch.id} FILE`.")
    return "## What to do\n\n" + "\n".join(f"{number}. {step}" for number, step in enumerate(steps, 1))


# -- Markdown ----------------------------------------------------------------------------------------------------------


def _text(lines: Iterable[bytes]) -> list[str]:
    return [line.decode("utf-8", "replace").rstrip("\r\n") for line in lines]


def _word(text: str) -> str:
    shown = clean(text)
    mark = "``" if "`" in shown else "`"
    return f"{mark}{shown}{mark}"


def _quoted(text: str) -> str:
    """Somebody's words, so that nothing in them is taken for a part of the message."""
    return "\n".join(f"> {line}".rstrip() for line in clean_lines(text, _LONG).strip().split("\n"))


def _code(lines: Sequence[str], language: str = "") -> str:
    """Lines of code between fences that nothing in them can close."""
    shown = [clean(line, 400) if line.strip() else line[:1].strip() for line in lines[:_HUNK_LINES]]
    more = [f"… {len(lines) - _HUNK_LINES} more lines"] if len(lines) > _HUNK_LINES else []
    longest = max((len(run) for line in shown for run in _runs(line)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join([f"{fence}{language}", *shown, *more, fence])


def _runs(line: str) -> list[str]:
    return "".join(char if char == "`" else " " for char in line).split()
