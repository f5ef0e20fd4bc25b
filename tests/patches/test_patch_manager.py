"""The patch queue, from submission to undo, on a real repository."""

from __future__ import annotations

import json

import pytest
from patch_helpers import Repository

from storage.errors import Conflict, NotFound, Refused, VibeError
from storage.query import EVERYTHING, Query
from vibehq_tui.contracts import events
from vibehq_tui.headquarters import Headquarters
from vibehq_tui.patches.errors import PatchConflict, PatchRefused


async def _types(hq: Headquarters, patch: str) -> list[str]:
    rows = await hq.store.read(lambda tx: tx.events.for_subject("patch", patch, 100))
    return [event.type for event in reversed(rows)]


async def _audit(hq: Headquarters) -> list[tuple[str, str, str]]:
    rows = await hq.store.read(lambda tx: tx.audit.page(EVERYTHING))
    return [(row.verb, row.object, row.result) for row in reversed(rows)]


async def test_the_main_road(hq: Headquarters, repository: Repository) -> None:
    before = repository.read("a.txt")
    diff = repository.diff_of("a.txt", ("line 5\n", "LINE 5\n"), ("line 30\n", "line 30\nline 30b\n"))
    patch = await hq.patches.submit(diff, task="2", provider="codex", title="Shout")
    assert (patch.id, patch.state, patch.added, patch.removed, patch.hunks) == ("1", "proposed", 2, 1, 2)
    assert patch.base == repository.git("rev-parse", "HEAD").strip()
    assert (await hq.tasks.get("2")).state == "waiting"

    approved = await hq.patches.approve(patch.id)
    assert approved.state == "approved" and approved.decided_by == "ada"
    assert repository.read("a.txt") == before

    applied = await hq.patches.apply(patch.id)
    assert applied.state == "applied" and applied.receipt and applied.pending_receipt is None
    assert "LINE 5\n" in repository.read("a.txt") and "line 30b\n" in repository.read("a.txt")
    assert (await hq.tasks.get("2")).status == "done"
    assert (await hq.tasks.get("3")).state == "ready"

    reverted = await hq.patches.revert(patch.id)
    assert reverted.state == "reverted"
    assert repository.read("a.txt") == before
    assert (await hq.tasks.get("2")).status == "in-progress"

    types = await _types(hq, patch.id)
    wanted = [events.PATCH_RECEIVED, events.PATCH_PROPOSED, events.PATCH_APPROVED, events.PATCH_APPLIED]
    assert [kind for kind in types if kind in (*wanted, events.PATCH_REVERTED)] == [*wanted, events.PATCH_REVERTED]
    audit = await _audit(hq)
    for verb in ("patch.submit", "patch.approve", "patch.apply", "patch.revert"):
        assert (verb, "patch/1", "done") in audit
    assert await hq.store.read(lambda tx: tx.audit.verify()) == []


async def test_only_the_hunks_that_were_not_rejected_go_in(hq: Headquarters, repository: Repository) -> None:
    diff = repository.diff_of("a.txt", ("line 5\n", "LINE 5\n"), ("line 30\n", "LINE 30\n"))
    patch = await hq.patches.submit(diff)
    await hq.patches.reject(patch.id, "too loud", hunks=[1])
    approved = await hq.patches.approve(patch.id)
    assert (approved.hunks, approved.added) == (1, 1)
    assert approved.plan_hash != patch.plan_hash
    await hq.patches.apply(patch.id)
    text = repository.read("a.txt")
    assert "line 5\n" in text and "LINE 30\n" in text
    await hq.patches.revert(patch.id)
    assert repository.git("status", "--porcelain", "a.txt") == ""
    assert (await hq.patches.reopen(patch.id)).state == "proposed"
    await hq.patches.approve(patch.id)
    assert (await hq.patches.apply(patch.id)).state == "applied"


async def test_approving_named_hunks_rejects_the_others(hq: Headquarters, repository: Repository) -> None:
    diff = repository.diff_of("a.txt", ("line 5\n", "LINE 5\n"), ("line 30\n", "LINE 30\n"))
    patch = await hq.patches.submit(diff)
    await hq.patches.approve(patch.id, hunks=[1])
    await hq.patches.apply(patch.id)
    assert "LINE 5\n" in repository.read("a.txt") and "line 30\n" in repository.read("a.txt")
    with pytest.raises(Refused, match="no hunk"):
        await hq.patches.approve((await hq.patches.submit(repository.diff_of("b.txt", ("line 1\n", "x\n")))).id, [7])


async def test_a_rejected_hunk_takes_an_approval_back(hq: Headquarters, repository: Repository) -> None:
    patch = await hq.patches.submit(repository.diff_of("a.txt", ("line 5\n", "5\n"), ("line 30\n", "30\n")))
    await hq.patches.approve(patch.id)
    await hq.patches.decide(patch.id, 2, "rejected", "no")
    assert (await hq.patches.get(patch.id)).state == "proposed"
    with pytest.raises(Refused, match="proposed"):
        await hq.patches.apply(patch.id)


async def test_decisions_are_undone_one_by_one(hq: Headquarters, repository: Repository) -> None:
    patch = await hq.patches.submit(repository.diff_of("a.txt", ("line 5\n", "5\n"), ("line 30\n", "30\n")))
    await hq.patches.decide(patch.id, 1, "accepted")
    await hq.patches.decide(patch.id, 1, "rejected", "changed my mind")
    await hq.patches.undo_decision(patch.id)
    assert (await hq.patches.review(patch.id)).decisions[1].decision == "accepted"
    await hq.patches.undo_decision(patch.id)
    assert (await hq.patches.review(patch.id)).decisions == {}
    with pytest.raises(Refused, match="nothing to undo"):
        await hq.patches.undo_decision(patch.id)


async def test_a_file_edited_after_the_approval_voids_it(hq: Headquarters, repository: Repository) -> None:
    patch = await hq.patches.submit(repository.diff_of("a.txt", ("line 5\n", "LINE 5\n")))
    await hq.patches.approve(patch.id)
    repository.write("a.txt", repository.read("a.txt").replace("line 39\n", "edited by hand\n"))
    edited = repository.read("a.txt")
    with pytest.raises(Conflict) as caught:
        await hq.patches.apply(patch.id)
    assert caught.value.code == "changed-since-approval" and caught.value.exit_code == 3
    assert repository.read("a.txt") == edited
    assert (await hq.patches.get(patch.id)).state == "proposed"
    assert events.PATCH_APPROVAL_VOID in await _types(hq, patch.id)
    await hq.patches.approve(patch.id)
    await hq.patches.apply(patch.id)
    assert "LINE 5\n" in repository.read("a.txt") and "edited by hand\n" in repository.read("a.txt")


async def test_an_approval_binds_to_what_was_shown(hq: Headquarters, repository: Repository) -> None:
    patch = await hq.patches.submit(repository.diff_of("a.txt", ("line 5\n", "LINE 5\n")))
    shown = (await hq.patches.review(patch.id)).plan
    assert shown is not None
    repository.write("a.txt", repository.read("a.txt") + "more\n")
    with pytest.raises(Conflict, match="not what you saw"):
        await hq.patches.approve(patch.id, shown=shown.hash)


async def test_an_unrelated_edit_does_not_disturb_an_approval(hq: Headquarters, repository: Repository) -> None:
    patch = await hq.patches.submit(repository.diff_of("a.txt", ("line 5\n", "LINE 5\n")))
    await hq.patches.approve(patch.id)
    repository.write("b.txt", "something else\n")
    repository.commit("Unrelated")
    assert (await hq.patches.apply(patch.id)).state == "applied"
    assert repository.read("b.txt") == "something else\n"


async def test_a_patch_that_does_not_fit_is_kept_as_conflicted(hq: Headquarters, repository: Repository) -> None:
    diff = repository.diff_of("a.txt", ("line 5\n", "LINE 5\n"))
    repository.write("a.txt", "nothing of it\n")
    with pytest.raises(PatchConflict) as caught:
        await hq.patches.submit(diff)
    patch = await hq.patches.get(caught.value.details["patch"])
    assert patch.state == "conflicted" and patch.reason
    review = await hq.patches.review(patch.id)
    assert review.plan is None and review.problems
    with pytest.raises(PatchConflict):
        await hq.patches.approve(patch.id)
    repository.git("checkout", "--", "a.txt")
    assert (await hq.patches.reopen(patch.id)).state == "proposed"


@pytest.mark.parametrize(
    "text", [b"", b"hello\n", b"\x00\x01\xff" * 500, b"--- a/../x\n+++ b/../x\n@@ -1 +1 @@\n-a\n+b\n"]
)
async def test_what_is_no_patch_is_refused_and_not_stored(hq: Headquarters, text: bytes) -> None:
    with pytest.raises(PatchRefused) as caught:
        await hq.patches.submit(text)
    assert caught.value.exit_code == 1
    assert await hq.patches.count(Query()) == 0
    assert ("patch.submit", "patch", "refused") in await _audit(hq)


async def test_unknown_things_are_named(hq: Headquarters, repository: Repository) -> None:
    diff = repository.diff_of("a.txt", ("line 5\n", "LINE 5\n"))
    for call in (
        hq.patches.get("77"),
        hq.patches.approve("77"),
        hq.patches.apply("77"),
        hq.patches.revert("77"),
        hq.patches.submit(diff, task="99"),
        hq.patches.submit(diff, base="no-such-revision"),
    ):
        with pytest.raises(NotFound):
            await call


async def test_states_are_kept_in_order(hq: Headquarters, repository: Repository) -> None:
    patch = await hq.patches.submit(repository.diff_of("a.txt", ("line 5\n", "LINE 5\n")))
    with pytest.raises(Refused, match="proposed"):
        await hq.patches.apply(patch.id)
    with pytest.raises(Refused, match="reason"):
        await hq.patches.reject(patch.id, "  ")
    await hq.patches.reject(patch.id, "not wanted")
    for call in (hq.patches.approve(patch.id), hq.patches.apply(patch.id), hq.patches.revert(patch.id)):
        with pytest.raises(Refused, match="rejected"):
            await call
    assert (await hq.patches.reopen(patch.id)).state == "proposed"


async def test_a_revert_finds_its_lines_after_later_edits(hq: Headquarters, repository: Repository) -> None:
    patch = await hq.patches.submit(repository.diff_of("a.txt", ("line 20\n", "LINE 20\n")))
    await hq.patches.approve(patch.id)
    await hq.patches.apply(patch.id)
    repository.write("a.txt", "a new first line\n" + repository.read("a.txt"))
    await hq.patches.revert(patch.id)
    assert repository.read("a.txt").startswith("a new first line\nline 1\n")
    assert "line 20\n" in repository.read("a.txt")


async def test_a_revert_whose_lines_are_gone_is_a_conflict(hq: Headquarters, repository: Repository) -> None:
    patch = await hq.patches.submit(repository.diff_of("a.txt", ("line 20\n", "LINE 20\n")))
    await hq.patches.approve(patch.id)
    await hq.patches.apply(patch.id)
    repository.write("a.txt", repository.read("a.txt").replace("LINE 20", "changed again"))
    now = repository.read("a.txt")
    with pytest.raises(VibeError) as caught:
        await hq.patches.revert(patch.id)
    assert caught.value.exit_code == 3
    assert repository.read("a.txt") == now
    assert (await hq.patches.get(patch.id)).state == "applied"


async def test_overlapping_patches_are_told_with_an_order(hq: Headquarters, repository: Repository) -> None:
    one = await hq.patches.submit(repository.diff_of("a.txt", ("line 5\n", "five\n")))
    two = await hq.patches.submit(repository.diff_of("a.txt", ("line 5\n", "cinq\n")))
    await hq.patches.submit(repository.diff_of("b.txt", ("line 5\n", "five\n")))
    (overlap,) = await hq.patches.conflicts()
    assert {overlap.patch, overlap.other} == {one.id, two.id}
    assert (overlap.path, overlap.lines, overlap.first) == ("a.txt", (5, 5), None)
    assert (await hq.patches.review(one.id)).meets == (overlap,)


async def test_comments_belong_to_files_of_the_patch(hq: Headquarters, repository: Repository) -> None:
    patch = await hq.patches.submit(repository.diff_of("a.txt", ("line 5\n", "five\n")))
    await hq.patches.comment(patch.id, "why?", path="a.txt", line=5)
    await hq.patches.comment(patch.id, "in general: [b]no[/]")
    assert [(c.path, c.line) for c in (await hq.patches.review(patch.id)).comments] == [("a.txt", 5), (None, None)]
    with pytest.raises(Refused):
        await hq.patches.comment(patch.id, "hm", path="b.txt")
    with pytest.raises(Refused):
        await hq.patches.comment(patch.id, " ")


async def test_a_reviewed_mark_holds_until_the_content_changes(hq: Headquarters, repository: Repository) -> None:
    patch = await hq.patches.submit(repository.diff_of("a.txt", ("line 5\n", "five\n")))
    await hq.patches.see(patch.id, "a.txt")
    assert (await hq.patches.review(patch.id)).seen == {"a.txt"}
    repository.write("a.txt", repository.read("a.txt") + "more\n")
    assert (await hq.patches.review(patch.id)).seen == frozenset()


async def test_a_secret_and_a_broken_file_are_in_the_report(hq: Headquarters, repository: Repository) -> None:
    repository.write("x.py", "a = 1\nb = 2\n")
    repository.commit("Python")
    key = "AKIA" + "Q3EGRU7XQ2LZ5WNB"
    patch = await hq.patches.submit(repository.diff_of("x.py", ("b = 2\n", f'b = (\nkey = "{key}"\n')))
    errors = {row["check"]: row for row in patch.report if row["result"] == "error"}
    assert set(errors) == {"secrets", "syntax"}
    assert key not in str(patch.report) and patch.risk == "high"


async def test_a_commit_holds_exactly_what_the_patch_changed(hq: Headquarters, repository: Repository) -> None:
    repository.write("b.txt", repository.read("b.txt") + "mine, not committed\n")
    parent = repository.git("rev-parse", "HEAD").strip()
    patch = await hq.patches.submit(
        repository.diff_of("a.txt", ("line 5\n", "LINE 5\n")), title="Shout", provider="codex"
    )
    await hq.patches.approve(patch.id)
    await hq.patches.apply(patch.id, commit=True)
    assert repository.git("rev-parse", "HEAD~1").strip() == parent
    assert repository.git("show", "--format=", "--name-only").split() == ["a.txt"]
    body = repository.git("log", "-1", "--format=%B")
    assert body.startswith("Shout\n") and "Vibehq-Patch: 1" in body and "Vibehq-Approved-By: ada" in body
    status = repository.git("status", "--porcelain").splitlines()
    assert " M b.txt" in status and not any("a.txt" in line for line in status)


async def test_a_commit_does_not_take_others_edits_along(hq: Headquarters, repository: Repository) -> None:
    diff = repository.diff_of("a.txt", ("line 5\n", "LINE 5\n"))
    repository.write("a.txt", repository.read("a.txt") + "mine, not committed\n")
    edited = repository.read("a.txt")
    patch = await hq.patches.submit(diff)
    await hq.patches.approve(patch.id)
    with pytest.raises(Refused, match="not committed"):
        await hq.patches.apply(patch.id, commit=True)
    assert repository.read("a.txt") == edited
    assert (await hq.patches.get(patch.id)).state == "approved"


async def test_a_task_says_which_files_are_its_own(hq: Headquarters, repository: Repository) -> None:
    text = repository.read(".mission_control/tasks.json").replace('"id": 2,', '"id": 2,\n      "files": ["a.txt"],')
    repository.write(".mission_control/tasks.json", text)
    await hq.tasks.sync()
    diff = repository.diff_of("b.txt", ("line 5\n", "five\n"))
    patch = await hq.patches.submit(diff, task="2")
    assert [row["result"] for row in patch.report if row["check"] == "task"] == ["warning"]
    inside = await hq.patches.submit(repository.diff_of("a.txt", ("line 5\n", "five\n")), task="2")
    assert [row["result"] for row in inside.report if row["check"] == "task"] == ["ok"]
    operation = {"op": "append", "file": "b.txt", "block": "more"}
    batch = {"orderId": "o", "requester": "codex", "reason": "r", "taskId": "2", "patches": [operation]}
    with pytest.raises(PatchRefused, match="not among the files"):
        await hq.patches.submit(json.dumps(batch).encode())
