"""The validation report of a patch: what an operator should know before deciding, at a glance."""

from __future__ import annotations

import json
import tomllib
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

from vibehq_tui.contracts.config import Config
from vibehq_tui.patches.applying.path_patterns import matches
from vibehq_tui.patches.model import Problem
from vibehq_tui.patches.planning.plan import Plan
from vibehq_tui.patches.queue.overlap import added_lines_of
from vibehq_tui.patches.queue.risk import Risk, assess
from vibehq_tui.text.forms import plural, size
from vibehq_tui.text.secrets import find_secrets_in_lines

Finding = dict[str, Any]
"""``{"check", "result": "ok" | "warning" | "error", "message", "path"?, "line"?}``"""


def _check_python(content: bytes) -> None:
    # To byte code rather than to a tree of objects: making that tree fails at random in threads of Python 3.11.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compile(content, "<patch>", "exec", dont_inherit=True)


def _check_json(content: bytes) -> None:
    json.loads(content)


def _check_toml(content: bytes) -> None:
    tomllib.loads(content.decode())


_SYNTAX: Final[dict[str, Callable[[bytes], None]]] = {".py": _check_python, ".json": _check_json, ".toml": _check_toml}
_SYNTAX_LIMIT: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Report:
    """What validation found, and the risk that follows from it."""

    findings: tuple[Finding, ...]
    risk: Risk

    @property
    def failed(self) -> bool:
        """Whether anything in it is an error."""
        return any(finding["result"] == "error" for finding in self.findings)


def secret_findings(plan: Plan) -> list[Finding]:
    """Secrets in the lines that a plan adds; the evidence is redacted."""
    return [
        {
            "check": "secrets",
            "result": "error",
            "message": f"{hit.rule}: {hit.redacted}",
            "path": file.path,
            "line": hit.line,
        }
        for file in plan.files
        for hit in find_secrets_in_lines(added_lines_of(file))
    ]


def syntax_findings(plan: Plan) -> list[Finding]:
    """Touched files that could be parsed before and cannot be any more, and new files that cannot be."""
    found: list[Finding] = []
    for file in plan.files:
        check = _SYNTAX.get(PurePosixPath(file.path).suffix)
        if check is None or file.after is None or file.binary or len(file.after) > _SYNTAX_LIMIT:
            continue
        problem = _syntax_problem(check, file.after)
        if problem is None or (file.before is not None and _syntax_problem(check, file.before) is not None):
            continue
        line, message = problem
        found.append({"check": "syntax", "result": "error", "message": message, "path": file.path, "line": line})
    return found


def _syntax_problem(check: Callable[[bytes], None], content: bytes) -> tuple[int, str] | None:
    try:
        check(content)
    except SyntaxError as error:
        return error.lineno or 1, f"no longer parses: {error.msg}"
    except (ValueError, RecursionError, MemoryError) as error:
        return getattr(error, "lineno", 1), f"no longer parses: {error}"
    return None


def task_findings(task: str, problems: Sequence[Problem]) -> list[Finding]:
    """What a patch does beyond what its task allows; one line when it keeps to it."""
    if not problems:
        return [{"check": "task", "result": "ok", "message": f"task {task}: files and operations allowed"}]
    return [
        {"check": "task", "result": "warning", "message": f"{problem.path} {problem.message}", "path": problem.path}
        for problem in problems
    ]


def validate(
    plan: Plan,
    *,
    config: Config,
    form: str = "",
    base: str | None = None,
    about_task: Sequence[Finding] = (),
) -> Report:
    """Looks at a plan that applies and reports what an operator should see, in a fixed order.

    :param form: the format that the text was read as, for the text.
    :param base: the commit that it was planned against, for the text; none outside git.
    :param about_task: :func:`task_findings`, where the patch belongs to a task.
    """
    guarded = [path for path in touched_paths(plan) if matches(path, config.protect.hold)]
    secrets, syntax = secret_findings(plan), syntax_findings(plan)
    risk = assess(
        plan,
        guarded=guarded,
        secrets=len(secrets),
        broken=len(syntax),
        beyond_task=sum(finding["result"] != "ok" for finding in about_task),
    )
    findings = [
        *_reading(plan, form),
        *_applying(plan, base),
        *_places(plan, guarded, config),
        *(secrets or [_ok("secrets", "no secret in it")]),
        *_sizes(plan, config),
        *(syntax or [_ok("syntax", _parsed(plan))]),
        *(about_task or [_ok("task", "belongs to no task")]),
        _risk(risk),
    ]
    return Report(findings=tuple(findings), risk=risk)


def _ok(check: str, message: str) -> Finding:
    return {"check": check, "result": "ok", "message": message}


def touched_paths(plan: Plan) -> tuple[str, ...]:
    """Every path that a plan names, old ones of renames and sources of copies too."""
    return tuple(dict.fromkeys(path for file in plan.files for path in (file.path, file.from_) if path is not None))


def _reading(plan: Plan, form: str) -> list[Finding]:
    what = f"{plural(len(plan.files), 'file')}, {plural(plan.hunk_count, 'hunk')}"
    as_form = f"read as {form}: " if form else ""
    if not plan.repairs:
        return [_ok("parses", f"{as_form}{what}")]
    message = f"{as_form}{what}, after {plural(len(plan.repairs), 'repair')}"
    rows: list[Finding] = [{"check": "parses", "result": "warning", "message": message}]
    return rows + [
        {
            "check": "repair",
            "result": "warning",
            "message": repair.message,
            "path": repair.path,
            "hunk": repair.hunk,
            "code": repair.code,
        }
        for repair in plan.repairs
    ]


_MATCHES: Final = {
    "whitespace": "matched with other blanks",
    "unicode": "matched with look-alike characters",
    "fuzzy": "found by likeness, not certainty",
    "merge": "merged with changes made since",
}


def _applying(plan: Plan, base: str | None) -> list[Finding]:
    where = f" at {base[:9]}" if base else ""
    hunks = [(file, hunk) for file in plan.files for hunk in file.hunks]
    moved = sum(hunk.match == "offset" for _, hunk in hunks)
    doubtful = [(file, hunk) for file, hunk in hunks if hunk.match in _MATCHES]
    far = f", {plural(moved, 'hunk')} away from the lines it names" if moved else ""
    rows = [_ok("applies", f"applies {'' if doubtful else 'cleanly'}{where}{far}".replace("  ", " "))]
    rows += [
        {
            "check": "applies",
            "result": "warning",
            "message": f"hunk {hunk.number}: {_MATCHES[hunk.match]}",
            "path": file.path,
            "line": hunk.first + 1,
            "hunk": hunk.number,
        }
        for file, hunk in doubtful
    ]
    return rows + [{"check": "applies", "result": "warning", "message": warning} for warning in plan.warnings]


def _places(plan: Plan, guarded: Sequence[str], config: Config) -> list[Finding]:
    rows = [_ok("paths", "stays inside the repository")]
    protected = [path for path in touched_paths(plan) if matches(path, config.protect.paths)]
    rows += [
        {
            "check": "protected",
            "result": "error",
            "message": f"{path} is protected: no patch may touch it",
            "path": path,
        }
        for path in protected
    ]
    rows += [
        {"check": "protected", "result": "warning", "message": f"{path} is guarded: it decides what runs", "path": path}
        for path in guarded
        if path not in protected
    ]
    return rows if len(rows) > 1 else [*rows, _ok("protected", "no protected and no guarded file")]


def _sizes(plan: Plan, config: Config) -> list[Finding]:
    limits = config.limits
    rows: list[Finding] = []
    if len(plan.files) > limits.patch_files:
        message = f"touches {len(plan.files)} files, the limit is {limits.patch_files}"
        rows.append({"check": "size", "result": "error", "message": message})
    for file in plan.files:
        largest = max(len(file.before or b""), len(file.after or b""))
        if largest > limits.file_size:
            message = f"{file.path} has {size(largest)}, the limit is {size(limits.file_size)}"
            rows.append({"check": "size", "result": "error", "message": message, "path": file.path})
    lines = plan.added + plan.removed
    return rows or [_ok("size", f"{plural(lines, 'line')} in {plural(len(plan.files), 'file')}, within the limits")]


def _parsed(plan: Plan) -> str:
    there = [file for file in plan.files if file.after is not None]
    checked = sum(PurePosixPath(file.path).suffix in _SYNTAX for file in there)
    if not checked:
        return "nothing in it that is checked for syntax"
    return f"{checked} of {plural(len(there), 'file')} checked, all parse"


def _risk(risk: Risk) -> Finding:
    return {
        "check": "risk",
        "result": "ok" if risk.level == "low" else "warning",
        "message": risk.sentence(),
        "reasons": [reason.to_wire() for reason in risk.reasons],
    }


CHECKS: Final = {
    "parses": "parses",
    "applies": "applies cleanly",
    "paths": "inside the repository",
    "protected": "no protected path",
    "secrets": "no secret",
    "size": "size limits",
    "syntax": "syntax",
    "task": "task",
    "risk": "risk",
    "policy": "policy",
}
"""The checks of a report in their order, with the title of each."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check of a report at a glance."""

    name: str
    title: str
    result: str
    """ok, warning or error: the worst of its findings."""
    message: str
    """The worst finding in words, and how many more there are."""
    findings: tuple[Finding, ...]


def glance(findings: Sequence[Finding]) -> list[Check]:
    """A report as one line for each check, in the order of :data:`CHECKS`."""
    by_name: dict[str, list[Finding]] = {}
    for finding in findings:
        name = str(finding.get("check", ""))
        by_name.setdefault("parses" if name == "repair" else name, []).append(finding)
    order = [*(name for name in CHECKS if name in by_name), *(name for name in by_name if name not in CHECKS)]
    return [_check(name, by_name[name]) for name in order]


_WORST: Final = {"error": 0, "warning": 1, "ok": 2}


def _check(name: str, findings: list[Finding]) -> Check:
    ranked = sorted(findings, key=lambda finding: _WORST.get(str(finding.get("result")), 1))
    worst = ranked[0]
    result = str(worst.get("result", "warning"))
    same = [finding for finding in ranked if finding.get("result") == result and finding.get("check") == name]
    more = f" (and {len(same) - 1} more)" if len(same) > 1 else ""
    return Check(name, CHECKS.get(name, name), result, f"{worst.get('message', '')}{more}", tuple(findings))
