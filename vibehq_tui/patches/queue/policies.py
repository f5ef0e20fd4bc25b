"""Which rule approves, holds or denies a patch, and why: a function of the rules and of what is known of the patch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from storage.errors import Refused
from storage.records import Patch, Task
from vibehq_tui.contracts.config import FILE_NAME, Config
from vibehq_tui.contracts.config_policies import PolicyRule
from vibehq_tui.patches.applying.path_patterns import matches
from vibehq_tui.patches.model import EXECUTABLE, SYMLINK, Problem
from vibehq_tui.patches.planning.plan import Plan
from vibehq_tui.patches.planning.planned import PlannedFile
from vibehq_tui.patches.queue.risk import Risk
from vibehq_tui.patches.queue.validation import Finding, Report, touched_paths

APPROVE: Final = "approve"
HOLD: Final = "hold"
DENY: Final = "deny"
ASK: Final = "ask"
"""No rule says anything: an operator decides."""
_STRENGTH: Final = (DENY, HOLD, APPROVE)
_SHOWN: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What rules can ask about a patch."""

    paths: tuple[str, ...]
    """Every path that it touches, old paths of renames and sources of copies too."""
    lines: int
    """Added and removed."""
    files: int
    provider: str | None
    task: str | None
    priority: str | None
    """Of the task."""
    type: str | None
    """Of the task."""
    risk: str
    findings: tuple[Finding, ...]
    format: str
    operations: frozenset[str]
    """``modify``, ``create`` … ``binary``, ``symlink``, ``executable``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One condition of a rule, and what came of it."""

    name: str
    """The setting, such as ``paths``."""
    met: bool
    text: str

    def to_wire(self) -> dict[str, Any]:
        """``{"name", "met", "text"}``."""
        return {"name": self.name, "met": self.met, "text": self.text}


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleVerdict:
    """One rule, and why it matches or does not."""

    name: str
    action: str
    matched: bool
    conditions: tuple[Condition, ...]
    reason: str = ""
    """As the rule gives it."""
    built_in: bool = False

    def why(self) -> str:
        """What decided: all conditions of a rule that matches, the first that is not met of one that does not."""
        if not self.conditions:
            return "it has no conditions, so it is about every patch"
        if self.matched:
            return "; ".join(condition.text for condition in self.conditions)
        return next(condition.text for condition in self.conditions if not condition.met)

    def to_wire(self) -> dict[str, Any]:
        """``{"name", "action", "matched", "why", "reason", "builtIn", "conditions"}``."""
        return {
            "name": self.name,
            "action": self.action,
            "matched": self.matched,
            "why": self.why(),
            "reason": self.reason,
            "builtIn": self.built_in,
            "conditions": [condition.to_wire() for condition in self.conditions],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the rules together say about a patch."""

    action: str
    """approve, hold, deny; or ask where no rule says anything."""
    rule: str | None
    """The name of the rule that says so."""
    reason: str
    rules: tuple[RuleVerdict, ...]
    """Every rule, in the order in which they are looked at."""

    def to_wire(self) -> dict[str, Any]:
        """``{"action", "rule", "reason", "rules"}``."""
        return {
            "action": self.action,
            "rule": self.rule,
            "reason": self.reason,
            "rules": [rule.to_wire() for rule in self.rules],
        }

    def finding(self) -> Finding:
        """The line of the report about it."""
        result = {DENY: "error", HOLD: "warning"}.get(self.action, "ok")
        words = {
            DENY: f"denied by rule {self.rule}: {self.reason}",
            HOLD: f"held by rule {self.rule}: {self.reason}",
            APPROVE: f"rule {self.rule} approves it: {self.reason}",
            ASK: self.reason,
        }
        found: Finding = {"check": "policy", "result": result, "message": words[self.action]}
        return found | ({"rule": self.rule} if self.rule else {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What the rules of the configuration say about a patch, and on what grounds."""

    patch: Patch
    verdict: Verdict
    risk: Risk | None
    """None when the patch does not apply now."""
    findings: tuple[Finding, ...]
    problems: tuple[Problem, ...] = ()


def check_denied(verdict: Verdict, patch_id: str, verb: str) -> None:
    """:raises Refused: when a rule denies the patch."""
    if verdict.action != DENY:
        return
    raise Refused(
        f"rule {verdict.rule} denies patch {patch_id}, so it cannot be {verb}: {verdict.reason}",
        code="policy-denied",
        hint=f"vibehq patch explain {patch_id} says what each rule finds; the rules are in {FILE_NAME}",
        details={"rule": verdict.rule, "reason": verdict.reason},
    )


# -- what is known of a patch ------------------------------------------------------------------------------------------


def facts_of(
    patch: Patch, report: Report, plan: Plan, *, task: Task | None, kind: str | None, form: str | None = None
) -> Facts:
    """What rules can ask about a patch that applies.

    :param kind: the type of its task.
    :param form: the format of its text, where it is not stored yet.
    """
    return Facts(
        paths=touched_paths(plan),
        lines=plan.added + plan.removed,
        files=len(plan.files),
        provider=patch.provider,
        task=patch.task,
        priority=task.priority if task else None,
        type=kind,
        risk=report.risk.level,
        findings=report.findings,
        format=form or patch.format,
        operations=frozenset(word for file in plan.files for word in _operations(file)),
    )


def facts_of_record(patch: Patch, *, task: Task | None, kind: str | None) -> Facts:
    """What is known of a patch that does not apply now: what its record says."""
    return Facts(
        paths=tuple(dict.fromkeys(path for file in patch.files for path in (file.path, file.from_) if path)),
        lines=patch.added + patch.removed,
        files=len(patch.files),
        provider=patch.provider,
        task=patch.task,
        priority=task.priority if task else None,
        type=kind,
        risk=patch.risk,
        findings=patch.report,
        format=patch.format,
        operations=frozenset(file.op for file in patch.files),
    )


def _operations(file: PlannedFile) -> Iterable[str]:
    yield file.op
    if file.binary:
        yield "binary"
    if SYMLINK in (file.before_mode, file.after_mode):
        yield "symlink"
    if file.after_mode == EXECUTABLE and file.before_mode != EXECUTABLE:
        yield "executable"


# -- rules -------------------------------------------------------------------------------------------------------------


def evaluate(config: Config, facts: Facts) -> Verdict:
    """Asks every rule. ``deny`` wins over ``hold``, ``hold`` over ``approve``; the first of those that win is named.

    A patch whose validation has errors is never approved by a rule.
    """
    rules = [*_built_in(config, facts), *(_ask(rule, facts) for rule in config.policies)]
    for action in _STRENGTH:
        rule = next((rule for rule in rules if rule.matched and rule.action == action), None)
        if rule is None:
            continue
        failed = next((finding for finding in facts.findings if finding.get("result") == "error"), None)
        if action == APPROVE and failed is not None:
            reason = f"rule {rule.name} would approve it, but its validation has an error: {failed.get('message', '')}"
            return Verdict(action=ASK, rule=None, reason=reason, rules=tuple(rules))
        return Verdict(action=action, rule=rule.name, reason=rule.reason or rule.why(), rules=tuple(rules))
    reason = "no rule is about it: an operator decides" if rules[2:] else "no rules: an operator decides"
    return Verdict(action=ASK, rule=None, reason=reason, rules=tuple(rules))


def _built_in(config: Config, facts: Facts) -> list[RuleVerdict]:
    rows = []
    for name, action, patterns, reason in (
        ("protect.paths", DENY, config.protect.paths, "no patch may touch it"),
        ("protect.hold", HOLD, config.protect.hold, "it decides what runs"),
    ):
        hits = [path for path in facts.paths if matches(path, patterns)]
        text = f"touches {_listed(hits)}: {reason}" if hits else f"touches nothing that [protect] {name[8:]} names"
        condition = Condition(name="paths", met=bool(hits), text=text)
        rows.append(RuleVerdict(name=name, action=action, matched=bool(hits), conditions=(condition,), built_in=True))
    return rows


def _ask(rule: PolicyRule, facts: Facts) -> RuleVerdict:
    conditions = tuple(condition for ask in _CONDITIONS if (condition := ask(rule, facts)) is not None)
    return RuleVerdict(
        name=rule.name,
        action=rule.action,
        matched=all(condition.met for condition in conditions),
        conditions=conditions,
        reason=rule.reason,
    )


def _listed(items: Sequence[str]) -> str:
    more = f" and {len(items) - _SHOWN} more" if len(items) > _SHOWN else ""
    return f"{', '.join(items[:_SHOWN])}{more}"


def _paths(rule: PolicyRule, facts: Facts) -> Condition | None:
    if not rule.paths:
        return None
    hits = [path for path in facts.paths if matches(path, rule.paths)]
    rest = [path for path in facts.paths if path not in hits]
    patterns = _listed(rule.paths)
    if (rule.paths_match or ("all" if rule.action == APPROVE else "any")) == "any":
        text = f"touches {_listed(hits)}" if hits else f"touches nothing that fits {patterns}"
        return Condition(name="paths", met=bool(hits), text=text)
    text = f"also touches {_listed(rest)}, which does not fit {patterns}" if rest else f"all it touches fits {patterns}"
    return Condition(name="paths", met=bool(hits) and not rest, text=text)


def _not_paths(rule: PolicyRule, facts: Facts) -> Condition | None:
    if not rule.not_paths:
        return None
    hits = [path for path in facts.paths if matches(path, rule.not_paths)]
    text = f"touches {_listed(hits)}" if hits else f"touches nothing that fits {_listed(rule.not_paths)}"
    return Condition(name="not_paths", met=not hits, text=text)


def _counts(name: str, what: str) -> Callable[[PolicyRule, Facts], Condition | None]:
    most = name.startswith("max")

    def ask(rule: PolicyRule, facts: Facts) -> Condition | None:
        limit: int | None = getattr(rule, name)
        if limit is None:
            return None
        count: int = getattr(facts, what)
        met = count <= limit if most else count >= limit
        word = {(True, True): "at most", (True, False): "more than", (False, True): "at least"}.get((most, met))
        return Condition(name=name, met=met, text=f"{count} {what}, {word or 'fewer than'} {limit}")

    return ask


def _word(name: str, what: str) -> Callable[[PolicyRule, Facts], Condition | None]:
    """A condition on one word of the patch, given as a list of patterns."""

    def ask(rule: PolicyRule, facts: Facts) -> Condition | None:
        wanted: tuple[str, ...] = getattr(rule, name)
        if not wanted:
            return None
        value: str | None = getattr(facts, name)
        met = matches(value, wanted) if value else "none" in wanted
        said = f"{what} {value}" if value else f"no {what}"
        return Condition(name=name, met=met, text=f"{said}, {'one' if met else 'not one'} of {_listed(wanted)}")

    return ask


def _hits(findings: Iterable[Finding], wanted: Sequence[str]) -> list[str]:
    """``syntax: no longer parses`` for each finding that one of ``wanted`` means."""
    found: list[str] = []
    for finding in findings:
        name, result = str(finding.get("check", "")), str(finding.get("result", ""))
        for item in wanted:
            check, colon, only = item.partition(":")
            if matches(name, (check,)) and (result == only if colon else result in ("warning", "error")):
                found.append(f"{name}: {finding.get('message', '')}")
                break
    return found


def _checks(rule: PolicyRule, facts: Facts) -> Condition | None:
    if not rule.checks:
        return None
    found = _hits(facts.findings, rule.checks)
    text = _listed(found) if found else f"no finding of {_listed(rule.checks)}"
    return Condition(name="checks", met=bool(found), text=text)


def _not_checks(rule: PolicyRule, facts: Facts) -> Condition | None:
    if not rule.not_checks:
        return None
    found = _hits(facts.findings, rule.not_checks)
    text = _listed(found) if found else f"no finding of {_listed(rule.not_checks)}"
    return Condition(name="not_checks", met=not found, text=text)


def _does(rule: PolicyRule, facts: Facts) -> Condition | None:
    if not rule.operations:
        return None
    hits = sorted(facts.operations.intersection(rule.operations))
    rest = sorted(facts.operations.difference(rule.operations))
    if rule.action != APPROVE:
        text = f"it does {_listed(hits)}" if hits else f"it does none of {_listed(rule.operations)}"
        return Condition(name="operations", met=bool(hits), text=text)
    text = f"it does {_listed(rest)}, too" if rest else f"it does nothing but {_listed(rule.operations)}"
    return Condition(name="operations", met=not rest, text=text)


_CONDITIONS: Final[tuple[Callable[[PolicyRule, Facts], Condition | None], ...]] = (
    _paths,
    _not_paths,
    _counts("max_lines", "lines"),
    _counts("min_lines", "lines"),
    _counts("max_files", "files"),
    _counts("min_files", "files"),
    _word("provider", "provider"),
    _word("task", "task"),
    _word("priority", "priority"),
    _word("type", "type"),
    _word("risk", "risk"),
    _checks,
    _not_checks,
    _word("format", "format"),
    _does,
)
