"""Conflicts in the queue: merged where they can be, shown where not, resolved as another version of the patch."""

from __future__ import annotations

import pytest
from patch_helpers import LINES, Repository

from storage.errors import NotFound, Refused
from storage.query import Query
from vibehq_tui.contracts import events
from vibehq_tui.headquarters import Headquarters
from vibehq_tui.patches.errors import PatchConflict, PatchRefused

TEXT = "".join(LINES)


async def conflicted(hq: Headquarters, repository: Repository) -> str:
    """A patch of line 10 of a.txt, which a.txt itself has changed meanwhile, and of b.txt."""
    text = repository.diff_of("a.txt", ("line 10\n", "theirs\n")) + repository.diff_of("b.txt", ("line 3\n", "three\n"))
    patch = await hq.patches.submit(text, title="Ten", task="2")
    repository.write("a.txt", "top\n" + TEXT.replace("line 10\n", "ours\n"))
    with pytest.raises(PatchConflict) as caught:
        await hq.patches.approve(patch.id)
    assert [problem.code for problem in caught.value.problems] == ["merge-conflict"]
    return patch.id


async def test_the_queue_merges(hq: Headquarters, repository: Repository) -> None:
    patch = await hq.patches.submit(repository.diff_of("a.txt", ("line 10\n", "TEN\n")))
    repository.write("a.txt", TEXT.replace("line 8\n", "EIGHT\n"))
    plan = await hq.patches.plan(patch.id)
    assert [hunk.match for file in plan.files for hunk in file.hunks] == ["merge"]
    await hq.patches.approve(patch.id)
    assert (await hq.patches.apply(patch.id)).state == "applied"
    assert repository.read("a.txt") == TEXT.replace("line 8\n", "EIGHT\n").replace("line 10\n", "TEN\n")


async def test_a_conflict_is_resolved_by_a_choice(hq: Headquarters, repository: Repository) -> None:
    patch_id = await conflicted(hq, repository)
    assert (await hq.patches.get(patch_id)).state == "conflicted"
    (item,) = await hq.patches.resolution.conflicts_of(patch_id)
    assert (item.path, [region.line for region in item.regions]) == ("a.txt", [11])
    made = await hq.patches.resolution.resolve(patch_id, {"a.txt": ["both"]})
    assert (made.state, made.version, made.reason, made.title, made.task) == ("proposed", 2, None, "Ten", "2")
    text = await hq.patches.text(patch_id)
    assert text.count(b"\nindex ") == 2
    assert all(len(line.split()[1]) == 82 for line in text.split(b"\n") if line.startswith(b"index "))
    await hq.patches.approve(patch_id)
    await hq.patches.apply(patch_id)
    assert repository.read("a.txt") == "top\n" + TEXT.replace("line 10\n", "ours\ntheirs\n")
    assert repository.read("b.txt") == TEXT.replace("line 3\n", "three\n")
    kinds = [event.type for event in await hq.store.read(lambda tx: tx.events.for_subject("patch", patch_id, 50))]
    assert {events.PATCH_CONFLICTED, events.PATCH_CONFLICT_RESOLVED, events.PATCH_REVISED} <= set(kinds)
    audit = await hq.store.read(lambda tx: [entry.verb for entry in tx.audit.page(Query())])
    assert "patch.resolve" in audit


async def test_a_conflict_is_resolved_by_a_text(hq: Headquarters, repository: Repository) -> None:
    patch_id = await conflicted(hq, repository)
    (item,) = await hq.patches.resolution.conflicts_of(patch_id)
    with pytest.raises(PatchRefused):
        await hq.patches.resolution.resolve(patch_id, {"a.txt": item.text_with_markers})
    assert (await hq.patches.get(patch_id)).version == 1
    wanted = ("top\n" + TEXT.replace("line 10\n", "settled\n")).encode()
    made = await hq.patches.resolution.resolve(patch_id, {"a.txt": wanted})
    assert made.version == 2
    plan = await hq.patches.plan(patch_id)
    assert {file.path: file.after for file in plan.files}["a.txt"] == wanted


async def test_decisions_about_other_hunks_stay(hq: Headquarters, repository: Repository) -> None:
    text = repository.diff_of("a.txt", ("line 10\n", "theirs\n")) + repository.diff_of("b.txt", ("line 3\n", "three\n"))
    patch = await hq.patches.submit(text)
    await hq.patches.decide(patch.id, 2, "rejected", "not that one")
    repository.write("a.txt", TEXT.replace("line 10\n", "ours\n"))
    await hq.patches.resolution.resolve(patch.id, {"a.txt": ["theirs"]})
    review = await hq.patches.review(patch.id)
    assert review.plan is not None
    rejected = {number for number, one in review.decisions.items() if one.decision == "rejected"}
    assert [file.path for file in review.plan.files for hunk in file.hunks if hunk.number in rejected] == ["b.txt"]


async def test_what_fits_is_not_resolved(hq: Headquarters, repository: Repository) -> None:
    patch = await hq.patches.submit(repository.diff_of("a.txt", ("line 10\n", "TEN\n")))
    assert await hq.patches.resolution.conflicts_of(patch.id) == []
    with pytest.raises(PatchRefused):
        await hq.patches.resolution.resolve(patch.id, {"a.txt": ["ours"]})
    await hq.patches.reject(patch.id, "no")
    with pytest.raises(Refused):
        await hq.patches.resolution.conflicts_of(patch.id)
    with pytest.raises(NotFound):
        await hq.patches.resolution.conflicts_of("99")


async def test_the_author_of_a_mail_stays(hq: Headquarters, repository: Repository) -> None:
    before = repository.read("a.txt")
    repository.write("a.txt", before.replace("line 10\n", "theirs\n"))
    repository.commit("Say theirs")
    mail = repository.git("format-patch", "-1", "--stdout")
    repository.git("reset", "-q", "--hard", "HEAD~1")
    patch = await hq.patches.submit(mail.encode())
    repository.write("a.txt", before.replace("line 10\n", "ours\n"))
    made = await hq.patches.resolution.resolve(patch.id, {"a.txt": ["theirs"]})
    parsed = await hq.patches.plans.parsed(made)
    assert (parsed.author, parsed.title) == ("Ada <ada@example.com>", "Say theirs")


async def test_a_revert_leaves_what_was_changed_since(hq: Headquarters, repository: Repository) -> None:
    patch = await hq.patches.submit(repository.diff_of("a.txt", ("line 10\n", "TEN\n")))
    await hq.patches.approve(patch.id)
    await hq.patches.apply(patch.id)
    repository.write("a.txt", repository.read("a.txt").replace("line 8\n", "EIGHT\n"))
    assert (await hq.patches.revert(patch.id)).state == "reverted"
    assert repository.read("a.txt") == TEXT.replace("line 8\n", "EIGHT\n")


async def test_a_revert_of_lines_that_were_changed_since_is_a_conflict(
    hq: Headquarters, repository: Repository
) -> None:
    patch = await hq.patches.submit(repository.diff_of("a.txt", ("line 10\n", "TEN\n")))
    await hq.patches.approve(patch.id)
    await hq.patches.apply(patch.id)
    repository.write("a.txt", repository.read("a.txt").replace("TEN\n", "ten\n"))
    with pytest.raises(PatchConflict):
        await hq.patches.revert(patch.id)
    assert repository.read("a.txt") == TEXT.replace("line 10\n", "ten\n")
