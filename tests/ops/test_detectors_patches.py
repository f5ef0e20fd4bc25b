from __future__ import annotations

import asyncio
import dataclasses
import random
import string
from pathlib import Path
from typing import Any

import pytest
from ops_helpers import DAY, HOUR, World, missing_patch, touching

from storage.records import Issue
from vibehq_tui.contracts.config import Config, ScanConfig
from vibehq_tui.ops.detectors import built_in
from vibehq_tui.ops.detectors.conflicts import PatchesConflict
from vibehq_tui.ops.detectors.patches import PatchDoesNotApply, SecretInPatch, StalePatch
from vibehq_tui.ops.model import PlanCheck, TouchedPath

_RANDOM = random.Random(7)
KEY = "AKIA" + "".join(_RANDOM.choice(string.ascii_uppercase + string.digits) for _ in range(16))
OTHER_KEY = "ghp_" + "".join(_RANDOM.choice(string.ascii_letters + string.digits) for _ in range(36))


def failing(*messages: str, code: str = "context-not-found") -> PlanCheck:
    return PlanCheck(
        ok=False, problems=tuple({"code": code, "path": "a.txt", "hunk": 1, "message": m} for m in messages)
    )


def subjects(issues: list[Issue]) -> list[str]:
    return sorted(issue.subject_id for issue in issues)


def test_built_in_detectors_declare_themselves() -> None:
    detectors = built_in()
    assert len({detector.id for detector in detectors}) == len(detectors) == 8
    for detector in detectors:
        assert detector.scope in ("incremental", "full")
        assert detector.severity in ("critical", "high", "medium", "low")
        assert detector.cost in ("low", "high")
        assert detector.title
        assert detector.subject
        assert detector.look.__doc__


async def test_stale_patches(world: World) -> None:
    await world.patch("Old", task="4")
    await world.patch("Approved", state="approved")
    await world.patch("Applied", state="applied")
    ops = world.ops(StalePatch())
    world.clock.advance(DAY - 1)
    await world.patch("New")
    await ops.scan("incremental")
    assert await world.unresolved() == []
    world.clock.advance(1)
    await ops.scan("incremental")
    assert subjects(await world.unresolved()) == ["1", "2"]
    old = next(issue for issue in await world.unresolved() if issue.subject_id == "1")
    assert old.title == "Patch 1 is stale: Old"
    assert old.message == "It has been open for 1d, without a decision. Decide about it, or reject it."
    await world.store.write(lambda tx: tx.patches.update("1", state="rejected"))
    await ops.scan("incremental")
    assert subjects(await world.unresolved()) == ["2"]
    world.clock.advance(3 * DAY)
    await ops.scan("incremental")
    stale = await world.unresolved()
    assert subjects(stale) == ["2", "4"]
    assert "4 days, approved but not applied" in next(one.message for one in stale if one.subject_id == "2")


async def test_a_long_queue_is_read_only_as_far_as_it_is_stale(world: World) -> None:
    for _ in range(3):
        await world.patch("Old")
    world.clock.advance(2 * DAY)
    for _ in range(600):
        await world.patch("New")
    scan = await world.ops(StalePatch()).scan("incremental")
    assert scan.findings == 3


async def test_patches_that_no_longer_apply(world: World) -> None:
    fits = await world.patch("Fits")
    broken = await world.patch("Broken", state="conflicted", task="4")
    approved = await world.patch("Approved", state="approved")
    there = await world.patch("There")
    world.planner.answers = {
        broken.id: failing("hunk 1 was not found", "hunk 2 was not found"),
        approved.id: failing(),
        there.id: failing("all there", code="already-applied"),
    }
    ops = world.ops(PatchDoesNotApply())
    await ops.scan("incremental")
    found = {issue.subject_id: issue for issue in await world.unresolved()}
    assert {key: issue.severity for key, issue in found.items()} == {
        broken.id: "medium",
        approved.id: "high",
        there.id: "low",
    }
    assert found[broken.id].message == "hunk 1 was not found (1 more). Send it back, or reject it."
    assert found[broken.id].data["problems"][1]["message"] == "hunk 2 was not found"
    assert "already in the tree" in found[there.id].title
    assert fits.id not in found

    world.planner.answers.clear()
    (world.root / "a.txt").write_text("the tree changed")
    await ops.scan("incremental")
    assert await world.unresolved() == []


async def test_plans_are_kept_as_long_as_neither_patch_nor_tree_changes(world: World) -> None:
    (world.root / "a.txt").write_text("1")
    one = await world.patch("One", paths=["a.txt"])
    two = await world.patch("Two", paths=["b.txt"])
    unknown = await world.patch("No files", paths=[])
    ops = world.ops(PatchDoesNotApply(), SecretInPatch(), PatchesConflict())
    await ops.scan("incremental")
    assert sorted(world.planner.asked) == [one.id, two.id, unknown.id]
    world.planner.asked.clear()
    await ops.scan("full")
    assert world.planner.asked == [unknown.id]
    (world.root / "a.txt").write_text("22")
    (world.root / "b.txt").write_text("new")
    await world.store.write(lambda tx: tx.patches.update(unknown.id, state="rejected"))
    world.planner.asked.clear()
    await ops.scan("incremental")
    assert sorted(world.planner.asked) == [one.id, two.id]
    await world.store.write(lambda tx: tx.patches.update(one.id, version=2))
    world.planner.asked.clear()
    await ops.scan("incremental")
    assert world.planner.asked == [one.id]


def limited(**settings: Any) -> Config:
    return dataclasses.replace(Config(), scan=dataclasses.replace(ScanConfig(), **settings))


async def test_incremental_scans_plan_the_newest_and_say_what_they_left_out(world: World) -> None:
    world.config = limited(plan_patches=10)
    for _ in range(30):
        await world.patch(paths=[])
    ops = world.ops(PatchDoesNotApply())
    scan = await ops.scan("incremental")
    assert sorted(map(int, world.planner.asked)) == list(range(21, 31))
    assert scan.detectors[0]["message"] == "looked at the newest 10 of 30 open patches"
    world.planner.asked.clear()
    scan = await ops.scan("full")
    assert len(world.planner.asked) == 30
    assert "message" not in scan.detectors[0]


async def test_issues_of_patches_that_were_left_out_stay_until_they_are_looked_at_again(world: World) -> None:
    world.config = limited(plan_patches=2, plan_time=20)
    old = await world.patch("Old", paths=[])
    world.planner.answers[old.id] = failing("no")
    ops = world.ops(PatchDoesNotApply())
    await ops.scan("incremental")
    for _ in range(5):
        await world.patch(paths=[])
    # an issue's patch is looked at first, however old it is
    await ops.scan("incremental")
    assert subjects(await world.unresolved()) == [old.id]
    # with no time for a second patch, what is known stays
    world.planner.seconds = 30
    del world.planner.answers[old.id]
    world.planner.answers[old.id] = missing_patch(old.id)
    scan = await ops.scan("incremental")
    assert subjects(await world.unresolved()) == [old.id]
    assert scan.detectors[0]["message"].startswith("looked at the newest 2 of 6 open patches; ")
    assert f"patch {old.id} could not be planned: there is no patch {old.id}" in scan.detectors[0]["message"]
    assert "2 of 3 patches were not planned in the time there was" in scan.detectors[0]["message"]
    # once it is decided, it needs no plan to be gone
    await world.store.write(lambda tx: tx.patches.update(old.id, state="rejected"))
    await ops.scan("incremental")
    assert await world.unresolved() == []


async def test_time_for_planning_is_bounded(world: World) -> None:
    world.config = limited(plan_time=10)
    world.planner.seconds = 3
    for _ in range(20):
        await world.patch(paths=[])
    scan = await world.ops(PatchDoesNotApply(), SecretInPatch(), PatchesConflict()).scan("incremental")
    assert len(world.planner.asked) == 4
    for row in scan.detectors:
        assert row["message"] == "16 of 20 patches were not planned in the time there was"


async def test_a_patch_that_breaks_the_planner_hides_no_other(world: World) -> None:
    bad, gone, fine = await world.patch(), await world.patch(), await world.patch()
    world.planner.answers = {
        bad.id: ZeroDivisionError("oh"),
        gone.id: missing_patch(gone.id),
        fine.id: failing("no"),
    }
    ops = world.ops(PatchDoesNotApply())
    await ops.scan("incremental")
    assert subjects(await world.unresolved("patch-does-not-apply")) == [fine.id]
    (health,) = await world.unresolved("detector-health")
    assert (health.subject_id, health.data["error"]) == ("patch planner", f"patch {bad.id}: ZeroDivisionError: oh")
    world.planner.answers = {}
    (world.root / "a.txt").write_text("x")
    await ops.scan("incremental")
    assert await world.unresolved() == []


async def test_without_a_planner_they_are_skipped(world: World) -> None:
    await world.patch()
    scan = await world.ops(PatchDoesNotApply(), SecretInPatch(), PatchesConflict(), replan=None).scan("full")
    assert {row["result"] for row in scan.detectors} == {"skipped"}
    assert await world.issues() == []


def _contents(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir() if file.is_file())


async def test_secrets_in_added_lines_are_shown_only_redacted(world: World) -> None:
    patch = await world.patch(task="4")
    world.planner.answers[patch.id] = PlanCheck(
        ok=True,
        added_lines={"conf.py": [(3, f"KEY = '{KEY}'"), (9, f"T = '{OTHER_KEY}'")], "b.txt": [(1, KEY), (2, "x")]},
    )
    await world.ops(SecretInPatch()).scan("incremental")
    (issue,) = await world.unresolved()
    assert issue.severity == "critical"
    assert issue.title == "Patch 1 adds a secret: AWS access key id ×2, GitHub token"
    assert [(one["path"], one["line"], one["rule"]) for one in issue.data["secrets"]] == [
        ("conf.py", 3, "aws-access-key"),
        ("conf.py", 9, "github-token"),
        ("b.txt", 1, "aws-access-key"),
    ]
    stored = await asyncio.to_thread(_contents, world.store.folder)
    assert KEY[4:].encode() not in stored
    assert b"AWS access key id" in stored


async def test_an_uncertain_secret_is_less_severe(world: World) -> None:
    patch = await world.patch()
    world.planner.answers[patch.id] = touching("a.py", added={"a.py": [(1, "api_key = 'q8Zk3vN1xW7rT5yB2mLc'")]})
    await world.ops(SecretInPatch()).scan("incremental")
    assert [issue.severity for issue in await world.unresolved()] == ["high"]


async def test_a_rejected_secret_is_gone_and_an_applied_one_is_not(world: World) -> None:
    leak = touching("a.txt", added={"a.txt": [(1, KEY)]})
    ids = [(await world.patch()).id for _ in range(4)]
    world.planner.answers = dict.fromkeys(ids, leak)
    ops = world.ops(SecretInPatch())
    await ops.scan("incremental")
    assert len(await world.unresolved()) == 4
    await world.store.write(lambda tx: tx.patches.update(ids[0], state="rejected"))
    await world.store.write(lambda tx: tx.patches.update(ids[1], state="applied"))
    await world.store.write(lambda tx: tx.patches.update(ids[2], version=2))
    world.planner.answers[ids[2]] = touching("a.txt", added={"a.txt": [(1, "nothing")]})
    scan = await ops.scan("incremental")
    assert subjects(await world.unresolved()) == [ids[1], ids[3]]
    assert "until an operator resolves them" in scan.detectors[0]["message"]
    (applied,) = [issue for issue in await world.unresolved() if issue.subject_id == ids[1]]
    await ops.resolve(applied.id)
    await ops.scan("incremental")
    assert subjects(await world.unresolved()) == [ids[3]]


async def test_an_unreadable_patch_tells_nothing_about_secrets(world: World) -> None:
    patch = await world.patch()
    world.planner.answers[patch.id] = touching("a.txt", added={"a.txt": [(1, KEY)]})
    ops = world.ops(SecretInPatch())
    await ops.scan("incremental")
    world.planner.answers[patch.id] = failing("cannot be read")
    (world.root / "a.txt").write_text("x")
    await ops.scan("incremental")
    assert len(await world.unresolved()) == 1


@pytest.mark.parametrize(
    ("one", "other", "what"),
    [
        (("modify", (3, 5)), ("modify", (5, 9)), "Both change line 5"),
        (("modify", (1, 2), (10, 20)), ("modify", (4, 6), (12, 15)), "Both change lines 12 to 15"),
        (("modify", (7, 8)), ("modify", (7, 8)), "Both change lines 7 to 8"),
        (("modify", (3, 5)), ("modify", (6, 9)), None),
        (("modify", (3, 5)), ("rename",), "Both change the whole of it"),
        (("create",), ("create",), "Both create it"),
        (("create",), ("copy",), "Both create it"),
        (("delete",), ("modify", (1, 1)), "Patch 1 deletes what patch 2 changes"),
        (("modify", (1, 1)), ("delete",), "Patch 2 deletes what patch 1 changes"),
        (("delete",), ("delete",), "Both delete it"),
    ],
)
async def test_where_two_patches_meet(world: World, one: Any, other: Any, what: str | None) -> None:
    for op, *ranges in (one, other):
        patch = await world.patch()
        world.planner.answers[patch.id] = touching("a.txt", *ranges, op=op)
    third = await world.patch()
    world.planner.answers[third.id] = touching("b.txt", (1, 100))
    await world.ops(PatchesConflict()).scan("incremental")
    found = await world.unresolved()
    if what is None:
        assert found == []
    else:
        assert [issue.title for issue in found] == ["Patches 1 and 2 meet in a.txt"]
        assert found[0].message.startswith(f"{what}. ")
        assert found[0].data["patches"] == ["1", "2"]


async def test_a_conflict_is_gone_when_one_of_the_two_is(world: World) -> None:
    for _ in range(3):
        patch = await world.patch()
        world.planner.answers[patch.id] = touching("a.txt", (1, 5))
    ops = world.ops(PatchesConflict())
    await ops.scan("incremental")
    assert sorted(issue.data["patches"] for issue in await world.unresolved()) == [["1", "2"], ["1", "3"], ["2", "3"]]
    await world.store.write(lambda tx: tx.patches.update("2", state="applied"))
    await ops.scan("incremental")
    assert [issue.data["patches"] for issue in await world.unresolved()] == [["1", "3"]]
    # one that no longer applies at all is the business of its own detector
    world.planner.answers["3"] = failing("no")
    (world.root / "a.txt").write_text("x")
    await ops.scan("incremental")
    assert await world.unresolved() == []


async def test_ids_are_ordered_as_numbers(world: World) -> None:
    for number in range(11):
        patch = await world.patch()
        if number in (8, 9, 10):
            world.planner.answers[patch.id] = touching("a.txt", (1, 5))
    await world.ops(PatchesConflict()).scan("incremental")
    assert sorted(issue.title for issue in await world.unresolved()) == [
        "Patches 10 and 11 meet in a.txt",
        "Patches 9 and 10 meet in a.txt",
        "Patches 9 and 11 meet in a.txt",
    ]


async def test_a_crowded_file_is_reported_within_bounds_and_without_flapping(world: World) -> None:
    crowd = PlanCheck(ok=True, touched=(TouchedPath(path="CHANGELOG", op="modify", ranges=((1, 2),)),), added_lines={})
    for _ in range(40):
        patch = await world.patch(paths=["CHANGELOG"])
        world.planner.answers[patch.id] = crowd
    for _ in range(2):
        patch = await world.patch(paths=["a.txt"])
        world.planner.answers[patch.id] = touching("a.txt", (1, 2))
    ops = world.ops(PatchesConflict())
    first = await ops.scan("incremental")
    assert first.opened == 100
    assert ["41", "42"] in [issue.data["patches"] for issue in await world.unresolved()]
    assert "more pairs of patches meet" in first.detectors[0]["message"]
    before = {issue.id for issue in await world.unresolved()}
    world.clock.advance(HOUR)
    second = await ops.scan("incremental")
    assert (second.opened, second.resolved) == (0, 0)
    assert {issue.id for issue in await world.unresolved()} == before


async def test_everything_together_on_an_empty_workspace(world: World) -> None:
    scan = await world.ops().scan("full")
    assert [row["result"] for row in scan.detectors] == ["completed"] * 8
    assert await world.issues() == []
