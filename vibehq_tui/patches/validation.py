"""The validation report of a patch: what an operator should know before deciding, at a glance."""

from __future__ import annotations

import json
import tomllib
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Any, Final

from vibehq_tui.patches.model import Problem
from vibehq_tui.patches.overlap import added_lines_of
from vibehq_tui.patches.plan import Plan
from vibehq_tui.text.secrets import find_secrets_in_lines

Finding = dict[str, Any]
"""``{"check", "result": "ok" | "warning" | "error", "message", "path"?, "line"?}``"""

_SENSITIVE_WORDS: Final = (
    "auth",
    "crypt",
    "login",
    "password",
    "permission",
    "secret",
    "security",
    "token",
    "migration",
)


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
    risk: str
    """low, medium or high."""


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


def matches(path: str, patterns: tuple[str, ...]) -> bool:
    """Whether a path, or its name alone, fits one of ``patterns``."""
    return any(fnmatchcase(path, pattern) or fnmatchcase(PurePosixPath(path).name, pattern) for pattern in patterns)


def task_findings(task: str, problems: Sequence[Problem]) -> list[Finding]:
    """What a patch does beyond what its task allows; one line when it keeps to it."""
    if not problems:
        return [{"check": "task", "result": "ok", "message": f"task {task}: files and operations allowed"}]
    return [
        {"check": "task", "result": "warning", "message": f"{problem.path} {problem.message}", "path": problem.path}
        for problem in problems
    ]


def validate(plan: Plan, *, base: str | None, hold: tuple[str, ...], about_task: Sequence[Finding] = ()) -> Report:
    """Looks at a plan that applies and reports what an operator should see.

    :param base: the commit that it was planned against, for the text; none outside git.
    :param about_task: :func:`task_findings`, where the patch belongs to a task.
    :param hold: patterns of paths that decide what runs elsewhere, and so deserve a second look whatever the size.
    """
    where = f" at {base[:9]}" if base else ""
    findings: list[Finding] = [{"check": "applies", "result": "ok", "message": f"applies cleanly{where}"}]
    findings += [
        {"check": "repair", "result": "warning", "message": repair.message, "path": repair.path}
        for repair in plan.repairs
    ]
    offsets = sum(hunk.match != "exact" for file in plan.files for hunk in file.hunks)
    if offsets:
        message = f"{offsets} hunk{'s' if offsets > 1 else ''} found away from the place or form that the patch names"
        findings.append({"check": "applies", "result": "warning", "message": message})
    guarded = [file.path for file in plan.files if matches(file.path, hold)]
    findings += [
        {"check": "paths", "result": "warning", "message": f"{path} is guarded: it decides what runs", "path": path}
        for path in guarded
    ]
    if not guarded:
        findings.append({"check": "paths", "result": "ok", "message": "inside the repository, no guarded file"})
    secrets = secret_findings(plan)
    findings += secrets or [{"check": "secrets", "result": "ok", "message": "no secret in it"}]
    syntax = syntax_findings(plan)
    parsed = sum(PurePosixPath(file.path).suffix in _SYNTAX and file.after is not None for file in plan.files)
    if syntax:
        findings += syntax
    elif parsed:
        findings.append({"check": "syntax", "result": "ok", "message": f"{parsed} of {len(plan.files)} files parse"})
    findings += about_task
    risk = _risk(plan, guarded=bool(guarded), alarming=bool(secrets or syntax))
    findings.append(risk[1])
    return Report(findings=tuple(findings), risk=risk[0])


def _risk(plan: Plan, *, guarded: bool, alarming: bool) -> tuple[str, Finding]:
    lines = plan.added + plan.removed
    sensitive = [file.path for file in plan.files if any(word in file.path.lower() for word in _SENSITIVE_WORDS)]
    deleted = sum(file.op == "delete" for file in plan.files)
    score = (lines > 100) + (lines > 500) + (len(plan.files) > 5) + (len(plan.files) > 25)
    score += 2 * guarded + 3 * alarming + bool(sensitive) + bool(deleted)
    reasons = [f"{lines} lines", f"{len(plan.files)} file{'s' if len(plan.files) != 1 else ''}"]
    if sensitive:
        reasons.append(f"touches {sensitive[0]}")
    if deleted:
        reasons.append(f"deletes {deleted}")
    if guarded:
        reasons.append("guarded files")
    level = "high" if score >= 3 else "medium" if score else "low"
    return level, {
        "check": "risk",
        "result": "ok" if level == "low" else "warning",
        "message": f"risk {level}: {', '.join(reasons)}",
    }
