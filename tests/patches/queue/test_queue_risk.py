"""The risk of a plan with its reasons, and the report of a patch at a glance."""

from __future__ import annotations

import dataclasses

import pytest
from patch_helpers import Repository

from vibehq_tui.contracts.config import Config, LimitsConfig, ProtectConfig
from vibehq_tui.headquarters import Headquarters
from vibehq_tui.patches.model import EXECUTABLE, REGULAR, SYMLINK, Repair
from vibehq_tui.patches.planning.plan import Plan, PlannedFile, PlannedHunk
from vibehq_tui.patches.queue.risk import assess
from vibehq_tui.patches.queue.validation import CHECKS, glance, task_findings, validate


def file(path: str, lines: int = 1, **more: object) -> PlannedFile:
    added = tuple(("+", b"x\n") for _ in range(lines))
    values: dict[str, object] = {
        "path": path,
        "op": "modify",
        "before": b"",
        "after": b"x\n" * lines,
        "before_mode": REGULAR,
        "after_mode": REGULAR,
        "hunks": (PlannedHunk(number=1, new_start=1, new_lines=lines, lines=added),),
    }
    return PlannedFile(**(values | more))  # type: ignore[arg-type]


def matched(how: str) -> PlannedFile:
    one = file("a.txt")
    return dataclasses.replace(one, hunks=(dataclasses.replace(one.hunks[0], match=how),))


def codes(*files: PlannedFile, **more: int) -> dict[str, int]:
    risk = assess(Plan(files=files), **more)  # type: ignore[arg-type]
    return {reason.code: reason.points for reason in risk.reasons if reason.points}


def test_a_small_change_of_text_is_low() -> None:
    risk = assess(Plan(files=(file("notes.txt", 5),)))
    assert (risk.level, risk.points) == ("low", 0)
    assert risk.sentence() == "risk low: 1 file, 5 lines"
    assert assess(Plan(files=(file("src/a.py"),))).level == "low"


@pytest.mark.parametrize(
    ("files", "code", "level"),
    [
        ([file("a.txt", 101)], "lines", "medium"),
        ([file("a.txt", 501)], "lines", "medium"),
        ([file(f"{number}.txt") for number in range(6)], "files", "medium"),
        ([file(f"{number}.txt", 30) for number in range(26)], "files", "high"),
        ([file(".github/workflows/ci.yml")], "ci", "medium"),
        ([file("Makefile")], "build", "medium"),
        ([file("sub/requirements-dev.txt")], "dependencies", "medium"),
        ([file("config/.env")], "secret-file", "medium"),
        ([file("src/auth/session.txt")], "sensitive", "medium"),
        ([file("a.txt", op="delete", after=None, after_mode=None)], "deletes", "medium"),
        ([file("a.bin", binary=True)], "binary", "medium"),
        ([file("run.sh", after_mode=EXECUTABLE)], "mode", "medium"),
        ([file("link", after_mode=SYMLINK)], "symlink", "medium"),
        ([matched("fuzzy")], "uncertain", "medium"),
        ([matched("merge")], "merged", "medium"),
        ([matched("whitespace")], "repaired", "low"),
        ([matched("offset")], None, "low"),
        ([file("src/a.py")], "no-tests", "low"),
        ([file("src/a.py"), file("tests/test_a.py")], None, "low"),
        ([file(".github/workflows/ci.yml"), file("Makefile")], "ci", "high"),
    ],
)
def test_what_counts(files: list[PlannedFile], code: str | None, level: str) -> None:
    risk = assess(Plan(files=tuple(files)))
    assert risk.level == level
    assert code is None or code in codes(*files)


def test_what_validation_found_counts() -> None:
    assert codes(file("a.txt"), secrets=2) == {"secrets": 5}
    assert codes(file("a.txt"), broken=1) == {"syntax": 5}
    assert codes(file("a.txt"), beyond_task=1) == {"task": 2}
    guarded = assess(Plan(files=(file("vibehq.toml"),)), guarded=["vibehq.toml"])
    assert guarded.level == "high" and guarded.reasons[0].to_wire() == {
        "code": "guarded",
        "points": 5,
        "message": "touches guarded vibehq.toml",
        "paths": ["vibehq.toml"],
    }


def test_a_report_says_one_thing_about_every_check() -> None:
    report = validate(Plan(files=(file("a.txt"),)), config=Config(), form="git", base="f" * 40)
    checks = glance(report.findings)
    assert [check.name for check in checks] == [name for name in CHECKS if name != "policy"]
    assert {check.result for check in checks} == {"ok"} and not report.failed
    assert [check.message for check in checks] == [
        "read as git: 1 file, 1 hunk",
        "applies cleanly at fffffffff",
        "stays inside the repository",
        "no protected and no guarded file",
        "no secret in it",
        "1 line in 1 file, within the limits",
        "nothing in it that is checked for syntax",
        "belongs to no task",
        "risk low: 1 file, 1 line",
    ]


def test_a_report_of_everything_that_can_be_wrong() -> None:
    key = b"key = AKIA" + b"Q3EGRU7XQ2LZ5WNB\n"
    leak = file("a.txt", after=key, hunks=(PlannedHunk(number=1, new_start=1, new_lines=1, lines=(("+", key),)),))
    broken = file("x.py", before=None, op="create", after=b"def (\n", before_mode=None)
    files = (leak, broken, file("infra/main.tf"), file("vibehq.toml"), matched("fuzzy"), file("big", 50))
    repairs = (Repair(code="hunk-count", message="header said 5 lines, the body has 6", path="a.txt", hunk=1),)
    config = Config(protect=ProtectConfig(paths=("infra/**",)), limits=LimitsConfig(patch_files=3, file_size=60))
    report = validate(Plan(files=files, repairs=repairs, warnings=("odd",)), config=config, form="unified")
    found = {check.name: (check.result, check.message) for check in glance(report.findings)}
    assert report.failed and report.risk.level == "high"
    assert found["parses"] == ("warning", "read as unified: 6 files, 6 hunks, after 1 repair")
    assert found["applies"][0] == "warning" and "found by likeness" in found["applies"][1]
    assert found["protected"] == ("error", "infra/main.tf is protected: no patch may touch it")
    assert found["secrets"][0] == "error" and "AKIAQ3" not in str(report.findings)
    assert found["size"] == ("error", "touches 6 files, the limit is 3 (and 1 more)")
    assert found["syntax"][0] == "error" and found["syntax"][1].startswith("no longer parses")
    (repair,) = [row for row in report.findings if row["check"] == "repair"]
    assert (repair["code"], repair["hunk"]) == ("hunk-count", 1)


def test_what_a_task_does_not_allow() -> None:
    assert [row["result"] for row in task_findings("2", ())] == ["ok"]


async def test_risk_and_report_follow_the_part_that_is_taken(hq: Headquarters, repository: Repository) -> None:
    repository.write("Makefile", "all:\n")
    repository.commit("Make")
    diff = repository.diff_of("Makefile", ("all:\n", "all: x\n")) + repository.diff_of("a.txt", ("line 5\n", "5\n"))
    patch = await hq.patches.submit(diff)
    assert patch.risk == "medium"
    await hq.patches.reject(patch.id, "not now", hunks=[1])
    assert (await hq.patches.explain(patch.id)).risk.level == "low"  # type: ignore[union-attr]
    approved = await hq.patches.approve(patch.id)
    assert approved.risk == "low"
    assert [row["check"] for row in approved.report][-1] == "policy"


async def test_a_pair_is_not_tried_twice(hq: Headquarters, repository: Repository) -> None:
    one = await hq.patches.submit(repository.diff_of("a.txt", ("line 5\n", "five\n")))
    two = await hq.patches.submit(repository.diff_of("a.txt", ("line 5\n", "cinq\n")))
    first = (await hq.patches.review(one.id)).meets
    assert first[0].first is None
    planned: list[str] = []
    plan_on = hq.patches._plan_on

    def counted(parsed, tree):  # type: ignore[no-untyped-def]
        planned.append("once more")
        return plan_on(parsed, tree)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(hq.patches, "_plan_on", counted)
        assert (await hq.patches.review(two.id)).meets == first
        assert planned == []
        await hq.patches.reject(one.id, "no", hunks=[1])
        await hq.patches.review(two.id)
        assert planned
