"""Undo and redo of everything that is said in a review, one stack for each operator and patch."""

from __future__ import annotations

import pytest
from patch_helpers import Repository

from storage.errors import Busy, Conflict, Refused
from vibehq_tui.contracts import events
from vibehq_tui.headquarters import Headquarters

_TWO = (("line 5\n", "LINE 5\n"), ("line 30\n", "LINE 30\n"))


async def _patch(hq: Headquarters, repository: Repository) -> str:
    return (await hq.patches.submit(repository.diff_of("a.txt", *_TWO))).id


async def test_decisions_are_undone_and_redone(hq: Headquarters, repository: Repository) -> None:
    patch = await _patch(hq, repository)
    await hq.patches.decide(patch, 1, "accepted")
    await hq.patches.decide(patch, 1, "rejected", "changed my mind")
    assert await hq.patches.undo_decision(patch) == "hunk 1 is accepted again"
    assert await hq.patches.undo_decision(patch) == "hunk 1 is undecided again"
    assert await hq.patches.redo_decision(patch) == "hunk 1 is accepted once more"
    assert await hq.patches.redo_decision(patch) == "hunk 1 is rejected once more"
    assert (await hq.patches.review(patch)).decisions[1].reason == "changed my mind"
    with pytest.raises(Refused, match="nothing to redo"):
        await hq.patches.redo_decision(patch)
    await hq.patches.undo_decision(patch)
    await hq.patches.decide(patch, 2, "accepted")  # a new branch: what was undone is gone
    with pytest.raises(Refused, match="nothing to redo"):
        await hq.patches.redo_decision(patch)


async def test_marks_and_comments(hq: Headquarters, repository: Repository) -> None:
    patch = await _patch(hq, repository)
    await hq.patches.see(patch, "a.txt")
    await hq.patches.see(patch, "a.txt")  # nothing new, nothing to undo
    left = await hq.patches.comment(patch, "why?", hunk=2)
    await hq.patches.resolve(patch, left.id)
    assert (left.path, left.hunk, left.version) == ("a.txt", 2, 1)
    assert "-line 30\n+LINE 30" in left.quote
    assert "open again" in await hq.patches.undo_decision(patch)
    assert (await hq.patches.review(patch)).comments == (left,)
    await hq.patches.undo_decision(patch)
    assert (await hq.patches.review(patch)).comments == ()
    await hq.patches.undo_decision(patch)
    assert (await hq.patches.review(patch)).seen == frozenset()
    for _ in range(3):
        await hq.patches.redo_decision(patch)
    review = await hq.patches.review(patch)
    assert review.seen == {"a.txt"} and review.comments[0].resolved_by == "ada"


async def test_approval_and_rejection(hq: Headquarters, repository: Repository) -> None:
    patch = await _patch(hq, repository)
    proposed = await hq.patches.get(patch)
    approved = await hq.patches.approve(patch, [1])
    assert approved.hunks == 1
    assert "the patch is proposed again" in await hq.patches.undo_decision(patch)
    review = await hq.patches.review(patch)
    assert (review.patch.state, review.patch.hunks, review.patch.plan_hash) == ("proposed", 2, proposed.plan_hash)
    assert review.decisions == {}
    await hq.patches.redo_decision(patch)
    again = await hq.patches.get(patch)
    assert (again.state, again.plan_hash, again.decided_by) == ("approved", approved.plan_hash, "ada")
    assert (await hq.patches.apply(patch)).state == "applied"
    with pytest.raises(Refused, match="applied"):
        await hq.patches.undo_decision(patch)

    other = (await hq.patches.submit(repository.diff_of("b.txt", *_TWO))).id
    await hq.patches.reject(other, "no")
    await hq.patches.undo_decision(other)
    assert (await hq.patches.get(other)).state == "proposed"
    await hq.patches.redo_decision(other)
    assert (await hq.patches.get(other)).reason == "no"


async def test_a_decision_that_voided_an_approval_gives_it_back(hq: Headquarters, repository: Repository) -> None:
    patch = await _patch(hq, repository)
    await hq.patches.approve(patch)
    await hq.patches.decide(patch, 2, "rejected", "no")
    await hq.patches.undo_decision(patch)
    assert (await hq.patches.get(patch)).state == "approved"
    assert (await hq.patches.apply(patch)).state == "applied"
    assert "LINE 30\n" in repository.read("a.txt")


async def test_an_approval_that_is_redone_binds_to_what_was_approved(hq: Headquarters, repository: Repository) -> None:
    patch = await _patch(hq, repository)
    await hq.patches.approve(patch)
    await hq.patches.undo_decision(patch)
    repository.write("a.txt", repository.read("a.txt") + "more\n")
    await hq.patches.redo_decision(patch)
    with pytest.raises(Conflict, match="not what was approved"):
        await hq.patches.apply(patch)


async def test_stacks_are_each_operators_own(hq: Headquarters, repository: Repository) -> None:
    patch = await _patch(hq, repository)
    await hq.patches.decide(patch, 1, "rejected", "no")
    async with await Headquarters.open(repository.root, via="cli", actor="bob") as other:
        with pytest.raises(Refused, match="nothing to undo"):
            await other.patches.undo_decision(patch)
        await other.patches.decide(patch, 1, "accepted")
        with pytest.raises(Conflict, match="decided about anew by bob"):
            await hq.patches.undo_decision(patch)
        assert (await hq.patches.review(patch)).decisions[1].decision == "accepted"
        await other.patches.undo_decision(patch)
    assert (await hq.patches.review(patch)).decisions[1].reason == "no"
    with pytest.raises(Refused, match="nothing to undo"):
        await hq.patches.undo_decision(patch)


async def test_what_cannot_be_undone_any_more_does_not_stand_in_the_way(
    hq: Headquarters, repository: Repository
) -> None:
    patch = await _patch(hq, repository)
    await hq.patches.see(patch, "a.txt")
    await hq.patches.approve(patch)
    await hq.patches.apply(patch)
    await hq.patches.revert(patch)
    with pytest.raises(Conflict, match="the patch is reverted"):
        await hq.patches.undo_decision(patch)
    assert (await hq.patches.get(patch)).state == "reverted"
    await hq.patches.undo_decision(patch)
    assert (await hq.patches.review(patch)).seen == frozenset()


async def test_nothing_is_decided_while_a_patch_is_being_applied(hq: Headquarters, repository: Repository) -> None:
    patch = await _patch(hq, repository)
    await hq.patches.decide(patch, 1, "accepted")
    await hq.patches.approve(patch)
    await hq.store.write(lambda tx: tx.patches.update(patch, pending_receipt="r"))
    for call in (
        hq.patches.decide(patch, 1, "rejected"),
        hq.patches.reject(patch, "no"),
        hq.patches.undo_decision(patch),
        hq.patches.select_lines(patch, 1, {4}),
        hq.patches.approve(patch),
        hq.patches.reopen(patch),
        hq.patches.submit(repository.diff_of("a.txt", ("line 5\n", "V\n")), patch=patch),
    ):
        with pytest.raises(Busy):
            await call
    assert (await hq.patches.get(patch)).state == "approved"


async def test_undoing_is_in_the_feed_and_in_the_audit(hq: Headquarters, repository: Repository) -> None:
    patch = await _patch(hq, repository)
    await hq.patches.decide(patch, 1, "accepted")
    await hq.patches.undo_decision(patch)
    await hq.patches.redo_decision(patch)
    rows = await hq.store.read(lambda tx: tx.events.for_subject("patch", patch, 20))
    types = [row.type for row in rows]
    assert events.PATCH_DECISION_UNDONE in types and events.PATCH_DECISION_REDONE in types
    audit = await hq.store.read(lambda tx: tx.audit.page(limit=10))
    assert [row.verb for row in audit][:2] == ["patch.redo", "patch.undo"]
    assert await hq.store.read(lambda tx: tx.audit.verify()) == []


async def test_a_rejected_hunk_that_moves_stays_rejected(hq: Headquarters, repository: Repository) -> None:
    patch = await _patch(hq, repository)
    await hq.patches.decide(patch, 2, "rejected", "no")
    repository.write("a.txt", "first\n" + repository.read("a.txt"))
    assert (await hq.patches.review(patch)).decisions[2].decision == "rejected"
    await hq.patches.approve(patch)
    await hq.patches.apply(patch)
    assert "line 30\n" in repository.read("a.txt")


async def test_a_rejected_hunk_that_reads_differently_must_be_decided_again(
    hq: Headquarters, repository: Repository
) -> None:
    patch = await _patch(hq, repository)
    await hq.patches.decide(patch, 2, "rejected", "no")
    row = (await hq.store.read(lambda tx: tx.patches.decisions(patch)))[0]
    changed = type(row)(patch=patch, hunk=2, decision="rejected", by="ada", at=row.at, digest="of something else")
    await hq.store.write(lambda tx: tx.patches.set_decision(changed))
    assert (await hq.patches.review(patch)).decisions == {}
    with pytest.raises(Conflict, match="reads differently"):
        await hq.patches.approve(patch)
    await hq.patches.decide(patch, 2, "rejected", "still no")
    assert (await hq.patches.approve(patch)).hunks == 1
