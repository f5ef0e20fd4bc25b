from __future__ import annotations

from typing import Any

import pytest
from provider_helpers import router, rule, standing, task

from storage.records import Assignment
from vibehq_tui.providers.kinds import guess_type
from vibehq_tui.providers.router import WEIGHTS, choose, match


@pytest.mark.parametrize(
    ("title", "data", "kind", "why"),
    [
        ("Fix the crash on start", {}, "fix", "the title says “fix”"),
        ("Add tests for the parser", {}, "test", "the title says “tests”"),
        ("Add a parser", {}, "generate", "the title says “add”"),
        ("Write the user guide", {}, "docs", "the title says “guide”"),
        ("Make the cache faster", {}, "optimize", "the title says “cache”"),
        ("Rename module", {}, "refactor", "the title says “rename”"),
        ("Parser", {}, "generate", "nothing in it says otherwise"),
        ("", {}, "generate", "nothing in it says otherwise"),
        ("Add a parser", {"tags": ["Bug", 3]}, "fix", "tagged “bug”"),
        ("Add a parser", {"category": "docs"}, "docs", "tagged “docs”"),
        ("Add a parser", {"tags": "x", "labels": None, "type": {}}, "generate", "the title says “add”"),
    ],
)
def test_types_of_tasks(title: str, data: dict[str, Any], kind: str, why: str) -> None:
    assert guess_type(task("1", title, data=data)) == (kind, why)


def test_weights_make_a_whole() -> None:
    assert sum(WEIGHTS.values()) == pytest.approx(1)


def test_an_operators_word_wins_even_over_what_is_missing() -> None:
    said = Assignment(task="1", provider="aider", reason="it knows this code", by="ada")
    here = [standing("codex", types=("generate",)), standing("aider")]
    found = choose(task("1"), here, assignment=said, rules=[rule("codex")])
    assert (found.choice, found.by, found.reason) == ("aider", "hand", "it knows this code")
    gone = [standing("codex"), standing("aider", "missing", install="pip install aider")]
    found = choose(task("1"), gone, assignment=said)
    assert found.choice == "aider"
    assert found.reason == "it knows this code (but: not installed; pip install aider)"
    assert choose(task("1"), [standing("codex")], assignment=said).reason.endswith("(but: it is not known any more)")


def test_what_a_rule_had_said_is_decided_anew() -> None:
    before = Assignment(task="1", provider="aider", reason="rule 1: every task", by="rule")
    found = choose(task("1"), [standing("codex"), standing("aider")], assignment=before, rules=[rule("codex")])
    assert (found.choice, found.by, found.rule) == ("codex", "rule", 1)


def test_the_first_rule_that_matches_and_can_be_followed_wins() -> None:
    here = [standing("codex"), standing("gemini"), standing("aider", "missing")]
    rules = [
        rule("gemini", words=("lexer",)),
        rule("aider", type=("generate",)),
        rule("nobody", words=("parser",)),
        rule("gemini", priority=("high",), words=("parser",), reason="writes parsers"),
        rule("codex"),
    ]
    found = choose(task("1", priority="high"), here, rules=rules)
    assert (found.choice, found.by, found.rule) == ("gemini", "rule", 4)
    assert found.reason == (
        "writes parsers; rule 2 wants aider: not installed; rule 3 wants nobody: there is no such provider"
    )
    found = choose(task("1", priority="low"), here, rules=rules)
    assert (found.choice, found.reason.split(";")[0]) == ("codex", "rule 5: every task")


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        ({"task": ("12.*", "7")}, None),
        ({"task": ("1*",)}, "task is 1*"),
        ({"tags": ("Backend",)}, "tagged Backend"),
        ({"tags": ("front",)}, None),
        ({"priority": ("high", "critical")}, "priority high"),
        ({"priority": ("low",)}, None),
        ({"words": ("PARSER",)}, "title says “PARSER”"),
        ({"words": ("parse", "pars.r", "a (b")}, None),
        ({"type": ("generate",)}, "type generate"),
        ({"type": ("fix",)}, None),
        ({"type": ("generate",), "priority": ("low",)}, None),
        ({"type": ("generate",), "priority": ("high",)}, "priority high, type generate"),
        ({}, "every task"),
    ],
)
def test_conditions(condition: dict[str, Any], why: str | None) -> None:
    one = task("15", "Add a parser", priority="high", data={"tags": ["backend"]})
    assert match(rule("x", **condition), one, "generate") == why


def ranking(*standings: Any, **fields: Any) -> list[str]:
    config = fields.pop("config", None)
    found = choose(task("1", **fields), standings, config=config)
    return [one.name for one in found.candidates]


def test_what_the_score_prefers() -> None:
    assert ranking(standing("a", types=("fix",)), standing("b", types=("generate",))) == ["b", "a"]
    assert ranking(standing("a", succeeded=1, failed=9), standing("b", succeeded=9, failed=1)) == ["b", "a"]
    assert ranking(standing("a", "working", running=1), standing("b")) == ["b", "a"]
    assert ranking(standing("a"), standing("b"), config=router(prefer=("b", "a"))) == ["b", "a"]
    assert ranking(standing("b"), standing("a")) == ["a", "b"]


def test_cost_follows_profile_and_priority() -> None:
    all_tiers = [standing(cost, cost=cost) for cost in ("free", "low", "medium", "high")]
    assert ranking(*all_tiers, config=router(profile="economy")) == ["free", "low", "medium", "high"]
    assert ranking(*all_tiers, config=router(profile="performance")) == ["high", "medium", "low", "free"]
    assert set(ranking(*all_tiers)[:2]) == {"low", "medium"}
    assert ranking(*all_tiers, priority="critical")[0] == "high"
    assert ranking(*all_tiers, priority="low")[0] == "free"


def test_it_says_why_and_why_not_the_others() -> None:
    found = choose(
        task("1", "Fix the crash"),
        [
            standing("codex", types=("fix",), succeeded=3, failed=1, cost="low"),
            standing("claude", "working", types=("docs",), running=1),
            standing("gemini", "missing", install="npm install gemini"),
            standing("mine", "broken", message="mine.toml: run: oh"),
            standing("off", "disabled"),
            standing("new", "unknown"),
            standing("shell", manual=True),
        ],
    )
    assert (found.choice, found.by, found.type, found.type_reason) == ("codex", "score", "fix", "the title says “fix”")
    reasons = {one.name: one.reasons for one in found.candidates}
    assert reasons["codex"] == ("good at fix", "3 of 4 patches applied", "cost low", "idle")
    assert found.reason.endswith(": good at fix, 3 of 4 patches applied, cost low, idle")
    assert reasons["claude"][0] == "not known for fix"
    assert reasons["claude"][3] == "1 of 2 running"
    assert reasons["gemini"] == ("not installed; npm install gemini",)
    assert reasons["mine"] == ("mine.toml: run: oh",)
    assert reasons["off"] == ("disabled in vibehq.toml",)
    assert reasons["new"] == ("nobody looked yet whether it is here",)
    assert reasons["shell"][0] == "only where a rule or an operator names it"
    assert [one.name for one in found.candidates if one.score == 0] == ["gemini", "mine", "new", "off"]
    for name, score, why in found.candidates:
        assert 0 <= score <= 1
        assert name
        assert why


def test_nobody_is_an_answer_too() -> None:
    found = choose(task("1"), [standing("codex", "missing"), standing("shell", manual=True)], rules=[rule("codex")])
    assert (found.choice, found.by) == (None, "nobody")
    assert found.reason == (
        "no provider can take it: install one, or correct its file; rule 1 wants codex: not installed"
    )
    assert choose(task("1"), []).choice is None
