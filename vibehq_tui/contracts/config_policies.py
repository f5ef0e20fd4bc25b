"""``[[policies]]``: rules that approve, hold or deny patches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from vibehq_tui.contracts import config_reader as read
from vibehq_tui.contracts.config_reader import Invalid, Source, setting

ACTIONS: Final = ("approve", "hold", "deny")
RISKS: Final = ("low", "medium", "high")
OPERATIONS: Final = ("create", "delete", "modify", "rename", "copy", "mode", "binary", "symlink", "executable")
"""What a patch does to a file, as far as rules can tell."""
RESULTS: Final = ("ok", "warning", "error")
_PRIORITIES: Final = ("low", "medium", "high", "critical")
_TYPES: Final = ("generate", "fix", "refactor", "optimize", "test", "docs")
_COUNT: Final = read.integer(0, 100_000_000)


def _forms(words: tuple[str, ...]) -> str:
    return " | ".join(f'"{word}"' for word in words)


def _checks(value: Any, key: str, source: Source, before: Any) -> tuple[str, ...]:
    found: tuple[str, ...] = read.words()(value, key, source, before)
    for item in found:
        name, colon, result = item.partition(":")
        if not name or (colon and result not in RESULTS):
            expected = (
                f'expected checks such as "syntax" or "secrets:error", with {read.alternatives(RESULTS)} after a colon'
            )
            raise Invalid(expected, allowed=RESULTS)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRule:
    """``[[policies]]``: a rule for patches. It matches when every condition that is given does.

    ``deny`` wins over ``hold``, and ``hold`` over ``approve``; of the rules that win, the first is named. A rule
    without conditions matches every patch.
    """

    name: str = setting("", "How the rule is called where its effect is shown.", read.text, form="text")
    action: str = setting(
        "hold",
        "approve: approved when it is submitted, unless its validation has errors. hold: approved only one by one, by "
        "an operator. deny: neither approved nor applied.",
        read.one_of(*ACTIONS),
        form=_forms(ACTIONS),
    )
    reason: str = setting("", "Why, as shown beside the patch.", read.text, form="text")
    paths: tuple[str, ...] = setting(
        (),
        "Patterns of paths. To hold or deny, one touched path must fit; to approve, every touched path must.",
        read.words(),
        form="list of globs",
    )
    paths_match: str = setting(
        "",
        "Whether any or all of the touched paths must fit; empty for all to approve, any to hold or deny.",
        read.one_of("", "any", "all"),
        form='"any" | "all"',
    )
    not_paths: tuple[str, ...] = setting(
        (), "Patterns of paths of which no touched path may fit.", read.words(), form="list of globs"
    )
    max_lines: int | None = setting(None, "At most so many lines added and removed.", _COUNT, form="number")
    min_lines: int | None = setting(None, "At least so many lines added and removed.", _COUNT, form="number")
    max_files: int | None = setting(None, "At most so many files.", _COUNT, form="number")
    min_files: int | None = setting(None, "At least so many files.", _COUNT, form="number")
    provider: tuple[str, ...] = setting(
        (), "Who made it: names or patterns of providers.", read.words(), form="list of globs"
    )
    task: tuple[str, ...] = setting(
        (),
        'Patterns of ids of the task it belongs to, such as "12.*"; "none" for no task.',
        read.words(),
        form="list of globs",
    )
    priority: tuple[str, ...] = setting(
        (), "Priorities of the task.", read.words(_PRIORITIES), form=f"list of {_forms(_PRIORITIES)}"
    )
    type: tuple[str, ...] = setting(
        (), "Types of the task, as guessed from title and tags.", read.words(_TYPES), form=f"list of {_forms(_TYPES)}"
    )
    risk: tuple[str, ...] = setting((), "Risk tiers.", read.words(RISKS), form=f"list of {_forms(RISKS)}")
    checks: tuple[str, ...] = setting(
        (),
        'Checks of the validation of which one has a warning or an error, such as "syntax"; or "secrets:error" for one '
        'result alone. "*" is any check.',
        _checks,
        form="list of checks",
    )
    not_checks: tuple[str, ...] = setting(
        (),
        'Checks of which none may have a warning or an error; ["*"] for a clean report.',
        _checks,
        form="list of checks",
    )
    format: tuple[str, ...] = setting(
        (), "Formats that the patch may be submitted in.", read.words(), form="list of globs"
    )
    operations: tuple[str, ...] = setting(
        (),
        "What it does to files. To hold or deny, one of these; to approve, nothing but these.",
        read.words(OPERATIONS),
        form=f"list of {_forms(OPERATIONS)}",
    )

    def check(self) -> str | None:
        """A rule has a name, and its limits leave room."""
        if not self.name:
            return "name is missing: a rule is named where its effect is shown"
        for what in ("lines", "files"):
            low, high = getattr(self, f"min_{what}"), getattr(self, f"max_{what}")
            if low is not None and high is not None and low > high:
                return f"min_{what} ({low}) must not be above max_{what} ({high})"
        return None


def policies(value: Any, key: str, source: Source, before: Any) -> tuple[PolicyRule, ...]:
    """A list of rules, each with a name of its own; those of a file come before those of the files read earlier."""
    known = {rule.name for rule in before}
    found: tuple[PolicyRule, ...] = read.table_list(PolicyRule)(value, key, source, before)
    for number, rule in enumerate(found[: len(found) - len(before)]):
        if rule.name and rule.name in known:
            source.report(f"{key}[{number}].name", f"there is another rule called {read.shown(rule.name)}")
        known.add(rule.name)
    return found
