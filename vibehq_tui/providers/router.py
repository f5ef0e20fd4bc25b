"""Which provider does a task, and why not the others.

An operator's word wins; then the first rule that matches and whose provider is here; else a score. The score is the sum
of parts that are each between 0 and 1, weighted by :data:`WEIGHTS`, so that it can be told in words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Final, NamedTuple

from storage.records import Assignment, Task
from vibehq_tui.contracts.config import COST_TIERS, RouterConfig, RouteRule
from vibehq_tui.contracts.config_reader import alternatives
from vibehq_tui.providers.kinds import guess_type, labels
from vibehq_tui.providers.registry import Known

WEIGHTS: Final = {"type": 0.35, "record": 0.25, "cost": 0.2, "load": 0.15, "preference": 0.05}
"""What counts how much; together 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A provider as it stands now."""

    known: Known
    state: str
    """ready, working, missing, broken, disabled or unknown (nobody looked yet)."""
    message: str = ""
    """What is wrong with it."""
    running: int = 0
    succeeded: int = 0
    """Patches that were applied."""
    failed: int = 0
    """Patches that were rejected, failed, in conflict or taken back."""

    @property
    def name(self) -> str:
        """Its name."""
        return self.known.spec.name

    @property
    def usable(self) -> bool:
        """Whether a task can go to it now."""
        return self.state in ("ready", "working")

    def why_not(self) -> str:
        """Why no task can go to it."""
        if self.state == "missing":
            install = self.known.spec.install
            return f"not installed; {install}" if install else "not installed"
        return {"disabled": "disabled in vibehq.toml", "unknown": "nobody looked yet whether it is here"}.get(
            self.state, self.message or self.state
        )


class Candidate(NamedTuple):
    """One provider beside the others."""

    name: str
    score: float
    """0 to 1; 0 for one that no task can go to."""
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where a task goes, and why."""

    task: str
    choice: str | None
    """None when there is nobody."""
    reason: str
    by: str
    """hand, rule, score or nobody."""
    type: str
    """What the task asks for."""
    type_reason: str = ""
    rule: int | None = None
    """The number of the rule, from 1."""
    candidates: tuple[Candidate, ...] = field(default_factory=tuple)
    """Every provider, the best first."""


def choose(
    task: Task,
    standings: Sequence[Standing],
    *,
    assignment: Assignment | None = None,
    rules: Sequence[RouteRule] = (),
    config: RouterConfig | None = None,
) -> Route:
    """Routes a task. Pure: the same in, the same out.

    :param assignment: what an operator said; one made by a rule earlier does not count.
    """
    config = config or RouterConfig()
    kind, why_kind = guess_type(task)
    by_name = {standing.name: standing for standing in standings}
    candidates = sorted(
        (_score(standing, kind, task.priority, config) for standing in standings),
        key=lambda one: (-one.score, one.name),
    )

    def route(choice: str | None, by: str, reason: str, rule: int | None = None) -> Route:
        return Route(
            task=task.id, choice=choice, by=by, reason=reason, rule=rule,
            type=kind, type_reason=why_kind, candidates=tuple(candidates),
        )  # fmt: skip

    if assignment is not None and assignment.by != "rule":
        standing = by_name.get(assignment.provider)
        why_not = "it is not known any more" if standing is None else "" if standing.usable else standing.why_not()
        said = assignment.reason or f"assigned by {assignment.by}"
        return route(assignment.provider, "hand", f"{said} (but: {why_not})" if why_not else said)
    passed: list[str] = []
    for number, rule in enumerate(rules, 1):
        matched = match(rule, task, kind)
        if matched is None:
            continue
        standing = by_name.get(rule.provider)
        if standing is not None and standing.usable:
            return route(rule.provider, "rule", _join(rule.reason or f"rule {number}: {matched}", passed), number)
        why_not = "there is no such provider" if standing is None else standing.why_not()
        passed.append(f"rule {number} wants {rule.provider}: {why_not}")
    best = next((one for one in candidates if one.score > 0 and not by_name[one.name].known.spec.manual), None)
    if best is None:
        return route(None, "nobody", _join("no provider can take it: install one, or correct its file", passed))
    return route(best.name, "score", _join(f"{best.score:.2f}: {', '.join(best.reasons)}", passed))


def _join(reason: str, passed: Sequence[str]) -> str:
    return "; ".join([reason, *passed])


def match(rule: RouteRule, task: Task, kind: str) -> str | None:
    """Why a rule matches a task, in words; None when it does not. A rule without any condition matches every task."""
    why: list[str] = []
    if rule.task:
        if not any(fnmatchcase(task.id, pattern) for pattern in rule.task):
            return None
        why.append(f"task is {alternatives(rule.task)}")
    if rule.tags:
        shared = [tag for tag in rule.tags if tag.lower() in labels(task)]
        if not shared:
            return None
        why.append(f"tagged {shared[0]}")
    if rule.priority:
        if task.priority not in rule.priority:
            return None
        why.append(f"priority {task.priority}")
    if rule.words:
        found = [word for word in rule.words if _says(task.title, word)]
        if not found:
            return None
        why.append(f"title says “{found[0]}”")
    if rule.type:
        if kind not in rule.type:
            return None
        why.append(f"type {kind}")
    return ", ".join(why) or "every task"


def _says(title: str, word: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", title, re.IGNORECASE) is not None


def _score(standing: Standing, kind: str, priority: str, config: RouterConfig) -> Candidate:
    if not standing.usable:
        return Candidate(standing.name, 0.0, (standing.why_not(),))
    known = standing.known
    parts: dict[str, tuple[float, str]] = {
        "type": _type_part(known, kind),
        "record": _record_part(standing),
        "cost": _cost_part(known.cost, priority, config.profile),
        "load": _load_part(standing),
    }
    if standing.name in config.prefer:
        place = config.prefer.index(standing.name)
        parts["preference"] = (1 - place / len(config.prefer), "preferred")
    score = sum(WEIGHTS[name] * value for name, (value, _) in parts.items())
    reasons = [text for _, text in parts.values()]
    if known.spec.manual:
        reasons.insert(0, "only where a rule or an operator names it")
    return Candidate(standing.name, round(max(score, 0.01), 4), tuple(reasons))


def _type_part(known: Known, kind: str) -> tuple[float, str]:
    if kind in known.types:
        return 1.0, f"good at {kind}"
    return (0.0, f"not known for {kind}") if known.types else (0.5, "says nothing about what it is good at")


def _record_part(standing: Standing) -> tuple[float, str]:
    total = standing.succeeded + standing.failed
    # one success and one failure are assumed for everybody: one lucky patch is no record
    value = (standing.succeeded + 1) / (total + 2)
    return value, f"{standing.succeeded} of {total} patches applied" if total else "no record yet"


def _cost_part(cost: str, priority: str, profile: str) -> tuple[float, str]:
    top = len(COST_TIERS) - 1
    tier = COST_TIERS.index(cost)
    if profile == "balanced":
        profile = {"critical": "performance", "low": "economy"}.get(priority, profile)
    value = {
        "economy": 1 - tier / top,
        "performance": tier / top,
        "balanced": 1 - abs(tier - top / 2) / top,
    }[profile]
    return value, f"cost {cost}"


def _load_part(standing: Standing) -> tuple[float, str]:
    most = standing.known.settings.max_running
    free = max(0, most - standing.running)
    return free / most, f"{standing.running} of {most} running" if standing.running else "idle"
