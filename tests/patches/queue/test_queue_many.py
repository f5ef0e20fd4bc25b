"""Where open patches meet, an order that works, and many approved and applied in one go."""

from __future__ import annotations

import itertools

import pytest
from patch_helpers import LINES, Repository

from storage.errors import Busy, NotFound, VibeError
from vibehq_tui.contracts import events
from vibehq_tui.headquarters import Headquarters
from vibehq_tui.patches.planning.tree import WorkTree
from vibehq_tui.patches.queue.order import Candidate, Ordering
from vibehq_tui.patches.queue.plans import plan_open


async def _submit(hq: Headquarters, repository: Repository, *replacements: tuple[str, str], path: str = "a.txt") -> str:
    return (await hq.patches.submit(repository.diff_of(path, *replacements))).id


async def _new_file(hq: Headquarters, repository: Repository, path: str, text: str) -> str:
    repository.write(path, text)
    repository.git("add", "-N", path)
    diff = repository.git("diff", "--", path).encode()
    repository.git("reset", "-q")
    (repository.root / path).unlink()
    return (await hq.patches.submit(diff)).id


async def _conflicted(hq: Headquarters, diff: bytes) -> str:
    with pytest.raises(VibeError) as caught:
        await hq.patches.submit(diff)
    return str(caught.value.details["patch"])


async def test_where_patches_meet(hq: Headquarters, repository: Repository) -> None:
    one = await _submit(hq, repository, ("line 5\n", "five\n"), ("line 30\n", "thirty\n"))
    two = await _submit(hq, repository, ("line 5\n", "cinq\n"), ("line 30\n", "trente\n"))
    await _submit(hq, repository, ("line 5\n", "five\n"), path="b.txt")
    found = await hq.patches.suggest()
    (overlap,) = found.overlaps
    assert (overlap.patch, overlap.other, overlap.first) == (one, two, None)
    assert (overlap.lines, overlap.places) == ((5, 30), ((5, 5), (30, 30)))
    assert overlap.what == "Both change line 5 and 1 more place"
    assert found.order.excludes == ((one, two),)
    assert found.order.patches == (one, "3")
    (left,) = found.order.left
    assert (left.patch, left.because) == (two, (one,))


async def test_rejected_hunks_do_not_meet_in_the_order(hq: Headquarters, repository: Repository) -> None:
    one = await _submit(hq, repository, ("line 5\n", "five\n"), ("line 30\n", "thirty\n"))
    two = await _submit(hq, repository, ("line 30\n", "trente\n"))
    assert (await hq.patches.suggest()).order.left
    await hq.patches.reject(one, "no", hunks=[2])
    order = (await hq.patches.suggest()).order
    assert (order.patches, order.left) == ((one, two), ())


async def test_a_patch_on_top_of_another_comes_after_it(hq: Headquarters, repository: Repository) -> None:
    repository.write("new.txt", "one\ntwo\nthree\n")
    repository.commit("New")
    on_top = repository.diff_of("new.txt", ("two\n", "TWO\n"))
    repository.git("rm", "-q", "new.txt")
    repository.commit("Gone")
    late = await _conflicted(hq, on_top)
    first = await _new_file(hq, repository, "new.txt", "one\ntwo\nthree\n")
    order = (await hq.patches.suggest()).order
    assert order.patches == (first, late)
    assert order.needs == ((first, late),)
    assert order.left == ()


async def test_a_file_where_another_needs_a_folder(hq: Headquarters, repository: Repository) -> None:
    one = await _new_file(hq, repository, "thing", "a file\n")
    repository.write("thing/inside", "in a folder\n")
    repository.git("add", "-N", "thing/inside")
    diff = repository.git("diff", "--", "thing/inside").encode()
    repository.git("reset", "-q")
    (repository.root / "thing/inside").unlink()
    (repository.root / "thing").rmdir()
    other = (await hq.patches.submit(diff)).id
    found = await hq.patches.suggest()
    assert [(row.path, row.what) for row in found.overlaps] == [
        ("thing", f"Patch {one} makes a file where patch {other} needs a folder")
    ]
    assert found.order.excludes == ((one, other),)


async def test_many_are_approved_and_applied_in_an_order_that_works(hq: Headquarters, repository: Repository) -> None:
    ids = [
        await _submit(hq, repository, (f"line {number}\n", f"LINE {number}\nmore {number}\n")) for number in (35, 20, 5)
    ]
    ids.append(await _submit(hq, repository, ("line 5\n", "x\n"), path="b.txt"))
    outcomes = await hq.patches.approve_many(ids)
    assert [(one.id, one.result) for one in outcomes] == [(one, "approved") for one in ids]
    before = {one: (await hq.patches.get(one)).plan_hash for one in ids}
    outcomes = await hq.patches.apply_many(list(reversed(ids)))
    assert [(one.id, one.result) for one in outcomes] == [(one, "applied") for one in ids]
    text = repository.read("a.txt")
    for number in (5, 20, 35):
        assert f"LINE {number}\nmore {number}\nline {number + 1}\n" in text
    second = await hq.patches.get(ids[1])
    assert second.plan_hash != before[ids[1]]
    rows = await hq.store.read(lambda tx: tx.events.for_subject("patch", ids[1], 50))
    (carried,) = [row for row in rows if row.type == events.PATCH_APPROVAL_CARRIED]
    assert carried.data["after"] == [ids[0]] and carried.data["was"] == before[ids[1]]
    assert carried.data["planHash"] == second.plan_hash
    for one in reversed(ids):
        await hq.patches.revert(one)
    assert repository.git("status", "--porcelain", "a.txt", "b.txt") == ""


async def test_an_edit_by_somebody_else_is_not_carried(hq: Headquarters, repository: Repository) -> None:
    one = await _submit(hq, repository, ("line 5\n", "five\n"))
    two = await _submit(hq, repository, ("line 30\n", "thirty\n"))
    await hq.patches.approve_many([one, two])
    apply = hq.patches.application.apply

    async def edited_meanwhile(patch, **more):  # type: ignore[no-untyped-def]
        done = await apply(patch, **more)
        if patch.id == one:
            repository.write("a.txt", repository.read("a.txt") + "by hand\n")
        return done

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(hq.patches.application, "apply", edited_meanwhile)
        outcomes = await hq.patches.apply_many([one, two])
    assert [(row.result, row.code) for row in outcomes] == [("applied", ""), ("conflict", "changed-since-approval")]
    assert "line 30\n" in repository.read("a.txt")
    assert (await hq.patches.get(two)).state == "proposed"


async def test_the_first_that_does_not_work_stops_the_rest(hq: Headquarters, repository: Repository) -> None:
    one = await _submit(hq, repository, ("line 5\n", "five\n"))
    two = await _submit(hq, repository, ("line 5\n", "x\n"), path="b.txt")
    three = await _submit(hq, repository, ("line 30\n", "thirty\n"), path="b.txt")
    await hq.patches.approve(one)
    await hq.patches.approve(three)
    before = repository.read("a.txt")
    outcomes = await hq.patches.apply_many([one, two, three])
    assert [(row.id, row.result) for row in outcomes] == [
        (two, "refused"),
        (one, "not-reached"),
        (three, "not-reached"),
    ]
    assert repository.read("a.txt") == before
    outcomes = await hq.patches.apply_many([one, two, three], keep_going=True)
    assert [(row.id, row.result, row.code) for row in outcomes] == [
        (two, "refused", "patch-is-proposed"),
        (one, "applied", ""),
        (three, "applied", ""),
    ]


async def test_one_that_fails_on_the_way_stops_the_rest(hq: Headquarters, repository: Repository) -> None:
    ids = [await _submit(hq, repository, (f"line {number}\n", f"{number}\n")) for number in (5, 15, 25)]
    await hq.patches.approve_many(ids)
    apply = hq.patches.application.apply

    async def busy_in_the_middle(patch, **more):  # type: ignore[no-untyped-def]
        if patch.id == ids[1]:
            raise Busy("somebody else is applying")
        return await apply(patch, **more)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(hq.patches.application, "apply", busy_in_the_middle)
        outcomes = await hq.patches.apply_many(ids)
        assert [(row.id, row.result) for row in outcomes] == [
            (ids[0], "applied"),
            (ids[1], "failed"),
            (ids[2], "not-reached"),
        ]
    outcomes = await hq.patches.apply_many(ids[1:])
    # the approval of the second was carried across the first before it failed, that of the third was not
    assert [(row.result, row.code) for row in outcomes] == [("applied", ""), ("conflict", "changed-since-approval")]
    await hq.patches.approve(ids[2])
    assert (await hq.patches.apply(ids[2])).state == "applied"


async def test_patches_that_exclude_each_other(hq: Headquarters, repository: Repository) -> None:
    one = await _submit(hq, repository, ("line 5\n", "five\n"))
    two = await _submit(hq, repository, ("line 5\n", "cinq\n"))
    outcomes = await hq.patches.approve_many([two, one], keep_going=True)
    assert {row.id: row.result for row in outcomes} == {one: "approved", two: "conflict"}
    assert f"excludes patch {one}" in next(row.message for row in outcomes if row.id == two)
    await hq.patches.approve(two)
    outcomes = await hq.patches.apply_many([one, two])
    assert {row.id: row.result for row in outcomes} == {two: "conflict", one: "not-reached"}
    outcomes = await hq.patches.apply_many([one, two], keep_going=True)
    assert {row.id: row.result for row in outcomes} == {two: "conflict", one: "applied"}
    assert "five\n" in repository.read("a.txt")


async def test_approve_many_leaves_out_what_is_held(hq: Headquarters, repository: Repository) -> None:
    repository.write(".gitattributes", "* text\n")
    repository.commit("Attributes")
    held = await _submit(hq, repository, ("* text\n", "* text\n*.dat -text\n"), path=".gitattributes")
    one = await _submit(hq, repository, ("line 5\n", "five\n"))
    outcomes = await hq.patches.approve_many([held, one])
    assert [(row.id, row.result) for row in outcomes] == [(held, "skipped"), (one, "approved")]
    assert "held by rule protect.hold" in outcomes[0].message
    assert [row.result for row in await hq.patches.approve_many([one])] == ["skipped"]
    assert (await hq.patches.approve(held)).state == "approved"


async def test_what_is_held_or_denied_keeps_nobody_else_out(hq: Headquarters, repository: Repository) -> None:
    rules = '[protect]\nhold = ["held.txt"]\n[[policies]]\nname = "no"\naction = "deny"\npaths = ["b.txt"]\n'
    repository.write("vibehq.toml", rules)
    repository.write("held.txt", "one\n")
    repository.commit("Rules")
    both = await hq.patches.submit(
        repository.diff_of("a.txt", ("line 5\n", "V\n")) + repository.diff_of("held.txt", ("one\n", "two\n"))
    )
    denied = await hq.patches.submit(
        repository.diff_of("a.txt", ("line 5\n", "x\n")) + repository.diff_of("b.txt", ("line 5\n", "x\n"))
    )
    free = await _submit(hq, repository, ("line 5\n", "five\n"))
    async with await Headquarters.open(repository.root, via="cli", actor="ada") as ruled:
        outcomes = await ruled.patches.approve_many([both.id, denied.id, free])
        assert [(row.id, row.result) for row in outcomes] == [
            (both.id, "skipped"),
            (denied.id, "refused"),
            (free, "not-reached"),
        ]
        outcomes = await ruled.patches.approve_many([both.id, denied.id, free], keep_going=True)
        assert {row.id: (row.result, row.code) for row in outcomes} == {
            both.id: ("skipped", "held"),
            denied.id: ("refused", "policy-denied"),
            free: ("approved", ""),
        }


async def test_unknown_patches_stop_before_anything_is_done(hq: Headquarters, repository: Repository) -> None:
    one = await _submit(hq, repository, ("line 5\n", "five\n"))
    with pytest.raises(NotFound):
        await hq.patches.approve_many([one, "77"])
    assert (await hq.patches.get(one)).state == "proposed"


async def test_a_cycle_is_named(hq: Headquarters, repository: Repository) -> None:
    """Three patches of which each fits only after the next cannot be: one of them is left out, and the cycle told."""
    ids = [await _submit(hq, repository, (f"line {number}\n", f"{number}\n")) for number in (5, 15, 25)]
    candidates = [Candidate(id=one, parsed=await hq.patches.plans.parsed(await hq.patches.get(one))) for one in ids]
    tree = WorkTree(repository.root)
    ordering = Ordering(tree, candidates, itertools.combinations(ids, 2), plan_open)
    one, two, three = ids
    before = {(one, two), (two, three), (three, one)}
    ordering._fits_after = lambda first, second: (first, second) in before  # type: ignore[method-assign]
    order = ordering.find()
    assert order.cycles == ((one, two, three),)
    assert order.needs == ((one, two), (two, three), (three, one))


async def test_the_search_is_bounded_and_says_so(hq: Headquarters, repository: Repository) -> None:
    ids = [await _submit(hq, repository, (LINES[4], f"by {number}\n")) for number in range(6)]
    candidates = [Candidate(id=one, parsed=await hq.patches.plans.parsed(await hq.patches.get(one))) for one in ids]
    tree = WorkTree(repository.root)
    order = Ordering(tree, candidates, itertools.combinations(ids, 2), plan_open, plans=4).find()
    assert not order.complete
    assert len(order.firsts) == 2
    assert order.patches == (ids[0],)
    assert {one.patch for one in order.left} == set(ids[1:])
