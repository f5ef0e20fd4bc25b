"""Rules that approve, hold or deny patches, and how they are explained."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from patch_helpers import Repository

from storage.errors import Conflict, Refused
from storage.records import Patch
from vibehq_tui.contracts import events
from vibehq_tui.contracts.config import Config
from vibehq_tui.contracts.config_policies import PolicyRule
from vibehq_tui.headquarters import Headquarters
from vibehq_tui.patches.applying.path_patterns import matches, which
from vibehq_tui.patches.queue.policies import Facts, evaluate

Opened = Callable[[str], AbstractAsyncContextManager[Headquarters]]


@pytest.fixture
def configured(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Opened:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("home")))

    @asynccontextmanager
    async def opened(text: str) -> AsyncIterator[Headquarters]:
        repository.write("vibehq.toml", text)
        async with await Headquarters.open(repository.root, via="cli", create=True, actor="ada") as hq:
            yield hq

    return opened


def facts(**more: object) -> Facts:
    values: dict[str, object] = {
        "paths": ("src/a.py",),
        "lines": 10,
        "files": 1,
        "provider": "codex",
        "task": "12.3",
        "priority": "high",
        "type": "fix",
        "risk": "low",
        "findings": (),
        "format": "git",
        "operations": frozenset({"modify"}),
    }
    return Facts(**(values | more))  # type: ignore[arg-type]


def rule(action: str = "hold", **more: object) -> PolicyRule:
    return PolicyRule(name="it", action=action, **more)  # type: ignore[arg-type]


def verdict(*rules: PolicyRule, **more: object) -> tuple[str, str | None]:
    found = evaluate(Config(policies=rules), facts(**more))
    return found.action, found.rule


WARNED = ({"check": "syntax", "result": "warning", "message": "odd"},)
FAILED = ({"check": "secrets", "result": "error", "message": "a key"},)


@pytest.mark.parametrize(
    ("conditions", "more", "met"),
    [
        ({}, {}, True),
        ({"paths": ("src/**",)}, {}, True),
        ({"paths": ("docs/**",)}, {}, False),
        ({"paths": ("src/**",)}, {"paths": ("src/a.py", "docs/b.md")}, True),
        ({"paths": ("src/**",), "paths_match": "all"}, {"paths": ("src/a.py", "docs/b.md")}, False),
        ({"not_paths": ("docs/**",)}, {"paths": ("src/a.py", "docs/b.md")}, False),
        ({"not_paths": ("docs/**",)}, {}, True),
        ({"max_lines": 10}, {}, True),
        ({"max_lines": 9}, {}, False),
        ({"min_lines": 10}, {}, True),
        ({"min_lines": 11}, {}, False),
        ({"max_files": 1}, {"files": 2}, False),
        ({"min_files": 2}, {"files": 2}, True),
        ({"provider": ("cod*",)}, {}, True),
        ({"provider": ("claude",)}, {}, False),
        ({"provider": ("none",)}, {"provider": None}, True),
        ({"task": ("12.*",)}, {}, True),
        ({"task": ("1.*", "3")}, {}, False),
        ({"task": ("none",)}, {"task": None}, True),
        ({"task": ("12.*",)}, {"task": None}, False),
        ({"priority": ("high", "critical")}, {}, True),
        ({"type": ("docs",)}, {}, False),
        ({"risk": ("medium", "high")}, {"risk": "high"}, True),
        ({"risk": ("high",)}, {}, False),
        ({"checks": ("syntax",)}, {"findings": WARNED}, True),
        ({"checks": ("syntax:error",)}, {"findings": WARNED}, False),
        ({"checks": ("*",)}, {}, False),
        ({"not_checks": ("*",)}, {"findings": WARNED}, False),
        ({"not_checks": ("*:error",)}, {"findings": WARNED}, True),
        ({"format": ("git", "unified")}, {}, True),
        ({"format": ("operations",)}, {}, False),
        ({"operations": ("delete",)}, {}, False),
        ({"operations": ("delete", "modify")}, {"operations": frozenset({"modify", "create"})}, True),
        ({"paths": ("src/**",), "max_lines": 3}, {}, False),
    ],
)
def test_conditions(conditions: dict[str, object], more: dict[str, object], met: bool) -> None:
    assert verdict(rule(**conditions), **more) == (("hold", "it") if met else ("ask", None))
    (found,) = evaluate(Config(policies=(rule(**conditions),)), facts(**more)).rules[2:]
    assert found.matched is met
    assert len(found.conditions) == len([name for name in conditions if name != "paths_match"])
    assert found.why()


def test_to_approve_a_rule_must_be_about_all_of_the_patch() -> None:
    docs = rule("approve", paths=("docs/**", "*.md"))
    assert verdict(docs, paths=("docs/a.txt", "README.md")) == ("approve", "it")
    assert verdict(docs, paths=("docs/a.txt", "src/a.py")) == ("ask", None)
    assert verdict(rule("approve", paths=("docs/**",), paths_match="any"), paths=("docs/a", "src/a.py"))[0] == "approve"
    only = rule("approve", operations=("modify",))
    assert verdict(only) == ("approve", "it")
    assert verdict(only, operations=frozenset({"modify", "delete"})) == ("ask", None)


def test_deny_wins_over_hold_and_hold_over_approve() -> None:
    rules = (
        PolicyRule(name="yes", action="approve"),
        PolicyRule(name="wait", action="hold", paths=("src/**",)),
        PolicyRule(name="wait too", action="hold"),
        PolicyRule(name="no", action="deny", paths=("src/secret/**",), reason="ask the owner"),
    )
    assert verdict(*rules, paths=("other",)) == ("hold", "wait too")
    assert verdict(*rules) == ("hold", "wait")
    assert verdict(*rules, paths=("src/secret/x",)) == ("deny", "no")
    found = evaluate(Config(policies=rules), facts(paths=("src/secret/x",)))
    assert found.reason == "ask the owner"
    assert [(one.name, one.matched) for one in found.rules] == [
        ("protect.paths", False),
        ("protect.hold", False),
        ("yes", True),
        ("wait", True),
        ("wait too", True),
        ("no", True),
    ]


def test_no_rule_approves_what_has_errors() -> None:
    found = evaluate(Config(policies=(rule("approve"),)), facts(findings=FAILED))
    assert (found.action, found.rule) == ("ask", None)
    assert "would approve it, but its validation has an error: a key" in found.reason


@pytest.mark.parametrize(
    ("path", "pattern", "fits"),
    [
        ("docs/a/b.md", "docs/**", True),
        ("docs/a/b.md", "docs/*", True),
        ("docs/a/b.md", "docs/", True),
        ("docs", "docs/", False),
        ("docsx/a", "docs/**", False),
        ("a/b/c.py", "*.py", True),
        ("c.py", "**/c.py", True),
        ("a/b/c.py", "**/c.py", True),
        ("a/xc.py", "**/c.py", False),
        ("a/c.py", "a/**/c.py", True),
        ("a/b/d/c.py", "a/**/c.py", True),
        (".github/workflows/ci.yml", ".github/workflows/**", True),
        ("src/auth/login.py", "auth", False),
        ("x1.py", "x[0-9].py", True),
        ("xa.py", "x[!0-9].py", True),
        ("x[.py", "x[.py", True),
        ("xb.py", "x[z-a].py", False),
        ("A.py", "a.py", False),
        ("a\nb.py", "a*", True),
        ("src/a.py", "./src/a.py", True),
    ],
)
def test_patterns_of_paths(path: str, pattern: str, fits: bool) -> None:
    assert matches(path, (pattern,)) is fits
    assert which(path, ("nothing", pattern)) == (pattern if fits else None)


DOCS = '[[policies]]\nname = "docs"\naction = "approve"\npaths = ["*.md", "a.txt"]\nmax_lines = 20\n'


async def _events(hq: Headquarters, patch: str) -> list[str]:
    rows = await hq.store.read(lambda tx: tx.events.for_subject("patch", patch, 50))
    return [row.type for row in reversed(rows)]


def _policy(patch: Patch) -> dict[str, object]:
    (found,) = [row for row in patch.report if row["check"] == "policy"]
    return found


async def test_a_rule_approves_when_it_is_submitted(configured: Opened, repository: Repository) -> None:
    async with configured(DOCS) as hq:
        patch = await hq.patches.submit(repository.diff_of("a.txt", ("line 5\n", "LINE 5\n")))
        assert (patch.state, patch.decided_by) == ("approved", "policy:docs")
        assert "rule docs approves it" in str(_policy(patch)["message"])
        rows = await hq.store.read(lambda tx: tx.events.for_subject("patch", patch.id, 50))
        (approved,) = [row for row in rows if row.type == events.PATCH_APPROVED]
        assert approved.actor == "policy:docs" and approved.data["planHash"] == patch.plan_hash
        audit = await hq.store.read(lambda tx: tx.audit.page(limit=5))
        assert ("patch.approve", "policy:docs") in [(row.verb, row.actor) for row in audit]
        with pytest.raises(Refused, match="nothing to undo"):
            await hq.patches.undo_decision(patch.id)
        repository.write("a.txt", repository.read("a.txt") + "more\n")
        with pytest.raises(Conflict, match="not what was approved"):
            await hq.patches.apply(patch.id)
        other = await hq.patches.submit(repository.diff_of("b.txt", ("line 5\n", "LINE 5\n")))
        assert other.state == "proposed"
        assert _policy(other)["result"] == "ok"


async def test_a_rule_does_not_approve_what_an_operator_spoke_about(configured: Opened, repository: Repository) -> None:
    async with configured(DOCS) as hq:
        patch = await hq.patches.submit(repository.diff_of("a.txt", ("line 5\n", "LINE 5\n")))
        await hq.patches.comment(patch.id, "not so loud")
        again = await hq.patches.submit(repository.diff_of("a.txt", ("line 5\n", "Line 5\n")), patch=patch.id)
        assert (again.id, again.version, again.state) == (patch.id, 2, "proposed")
        other = await hq.patches.submit(repository.diff_of("a.txt", ("line 9\n", "nine\n")))
        newer = await hq.patches.submit(repository.diff_of("a.txt", ("line 9\n", "NINE\n")), patch=other.id)
        assert (newer.version, newer.state, newer.decided_by) == (2, "approved", "policy:docs")


async def test_a_secret_is_not_approved_by_a_rule(configured: Opened, repository: Repository) -> None:
    async with configured('[[policies]]\nname = "all"\naction = "approve"\n') as hq:
        key = "AKIA" + "Q3EGRU7XQ2LZ5WNB"
        patch = await hq.patches.submit(repository.diff_of("a.txt", ("line 5\n", f"key = {key}\n")))
        assert patch.state == "proposed"
        found = await hq.patches.explain(patch.id)
        assert found.verdict.action == "ask" and "would approve it" in found.verdict.reason
        assert found.verdict.rules[-1].matched


async def test_what_is_denied_is_neither_approved_nor_applied(configured: Opened, repository: Repository) -> None:
    deny = '[[policies]]\nname = "frozen"\naction = "deny"\npaths = ["a.txt"]\nreason = "until the release"\n'
    diff = repository.diff_of("a.txt", ("line 5\n", "LINE 5\n"))
    before = repository.read("a.txt")
    async with configured("") as hq:
        approved = await hq.patches.submit(diff)
        await hq.patches.approve(approved.id)
    async with configured(deny) as hq:
        for dry_run in (True, False):
            with pytest.raises(Refused, match="rule frozen denies patch 1, so it cannot be applied: until the release"):
                await hq.patches.apply(approved.id, dry_run=dry_run)
        assert repository.read("a.txt") == before
        patch = await hq.patches.submit(diff)
        assert (patch.state, _policy(patch)["result"]) == ("proposed", "error")
        for hunks in (None, [1]):
            with pytest.raises(Refused, match="rule frozen denies patch 2") as caught:
                await hq.patches.approve(patch.id, hunks)
            assert caught.value.code == "policy-denied" and caught.value.details["rule"] == "frozen"
        mixed = await hq.patches.submit(diff + repository.diff_of("b.txt", ("line 5\n", "x\n")))
        await hq.patches.reject(mixed.id, "not now", hunks=[1])
        assert (await hq.patches.approve(mixed.id)).state == "approved"  # what is denied stays out


async def test_what_is_held_may_be_approved_by_an_operator(configured: Opened, repository: Repository) -> None:
    hold = '[[policies]]\nname = "look"\naction = "hold"\nrisk = ["low"]\n' + DOCS
    async with configured(hold) as hq:
        patch = await hq.patches.submit(repository.diff_of("a.txt", ("line 5\n", "LINE 5\n")))
        assert patch.state == "proposed"
        assert "held by rule look: risk low" in str(_policy(patch)["message"])
        assert (await hq.patches.approve(patch.id)).decided_by == "ada"


async def test_protected_and_guarded_paths_are_rules_too(configured: Opened, repository: Repository) -> None:
    async with configured('[protect]\nhold = ["b.txt"]\n' + DOCS.replace("a.txt", "b.txt")) as hq:
        patch = await hq.patches.submit(repository.diff_of("b.txt", ("line 5\n", "LINE 5\n")))
        found = await hq.patches.explain(patch.id)
        assert (patch.state, patch.risk, found.verdict.action, found.verdict.rule) == (
            "proposed",
            "high",
            "hold",
            "protect.hold",
        )
        assert [one.built_in for one in found.verdict.rules] == [True, True, False]
        assert found.risk is not None and found.risk.reasons[0].code == "guarded"
    async with configured('[protect]\npaths = ["b.txt"]\n') as hq:
        found = await hq.patches.explain(patch.id)
        assert (found.verdict.action, found.verdict.rule) == ("deny", "protect.paths")
        with pytest.raises(Refused, match=r"protect\.paths"):
            await hq.patches.approve(patch.id)


async def test_task_priority_and_type(configured: Opened, repository: Repository) -> None:
    text = '[[policies]]\nname = "mid"\naction = "hold"\npriority = ["medium"]\ntype = ["generate"]\ntask = "2"\n'
    async with configured(text) as hq:
        patch = await hq.patches.submit(repository.diff_of("a.txt", ("line 5\n", "x\n")), task="2")
        assert (await hq.patches.explain(patch.id)).verdict.rule == "mid"
        other = await hq.patches.submit(repository.diff_of("a.txt", ("line 5\n", "x\n")))
        verdict = (await hq.patches.explain(other.id)).verdict
        assert verdict.action == "ask" and verdict.rules[-1].why() == "no task, not one of 2"


async def test_a_patch_that_does_not_apply_is_explained_from_its_record(
    configured: Opened, repository: Repository
) -> None:
    async with configured('[[policies]]\nname = "frozen"\naction = "deny"\npaths = ["a.txt"]\n') as hq:
        patch = await hq.patches.submit(repository.diff_of("a.txt", ("line 5\n", "x\n")))
        repository.write("a.txt", "other\n")
        found = await hq.patches.explain(patch.id)
        assert (found.verdict.rule, found.risk) == ("frozen", None)
        assert found.problems
