"""Other versions of a patch: what is carried over, what is different, and what goes back to whoever made it."""

from __future__ import annotations

import subprocess

import pytest
from patch_helpers import Repository

from storage.errors import NotFound, Refused
from storage.query import Query
from vibehq_tui.contracts import events
from vibehq_tui.headquarters import Headquarters
from vibehq_tui.patches.errors import PatchConflict, PatchRefused


async def _types(hq: Headquarters, patch: str) -> list[str]:
    rows = await hq.store.read(lambda tx: tx.events.for_subject("patch", patch, 100))
    return [row.type for row in reversed(rows)]


async def test_another_version_keeps_what_was_decided_about_the_same_lines(
    hq: Headquarters, repository: Repository
) -> None:
    first = repository.diff_of("a.txt", ("line 5\n", "five\n"), ("line 20\n", "twenty\n"), ("line 35\n", "thirty\n"))
    patch = await hq.patches.submit(first, task="2", provider="codex", title="Words")
    await hq.patches.decide(patch.id, 1, "accepted")
    await hq.patches.decide(patch.id, 2, "rejected", "no")
    await hq.patches.decide(patch.id, 3, "rejected", "not thirty")
    await hq.patches.see(patch.id, "a.txt")
    second = repository.diff_of(
        "a.txt", ("line 2\n", "two\n"), ("line 12\n", "twelve\n"), ("line 20\n", "twenty\n"), ("line 35\n", "35!\n")
    )
    again = await hq.patches.submit(second, patch=patch.id)
    assert (again.id, again.version, again.title, again.task, again.provider) == (
        patch.id,
        2,
        "Words",
        "2",
        "codex",
    )
    review = await hq.patches.review(patch.id)
    assert {number: (one.decision, one.reason) for number, one in review.decisions.items()} == {3: ("rejected", "no")}
    assert review.seen == frozenset()
    assert await hq.patches.count(Query()) == 1
    rows = await hq.store.read(lambda tx: tx.events.for_subject("patch", patch.id, 50))
    (revised,) = [row for row in rows if row.type == events.PATCH_REVISED]
    assert (revised.data["kept"], revised.data["reset"], revised.data["version"]) == ([3], 2, 2)
    assert [(one.version, one.reason) for one in await hq.patches.versions(patch.id)] == [(1, ""), (2, "proposed anew")]
    with pytest.raises(Refused, match="nothing to undo"):
        await hq.patches.undo_decision(patch.id)


async def test_another_version_voids_an_approval_and_takes_a_rejection_up(
    hq: Headquarters, repository: Repository
) -> None:
    patch = await hq.patches.submit(repository.diff_of("a.txt", ("line 5\n", "five\n")))
    await hq.patches.approve(patch.id)
    again = await hq.patches.submit(repository.diff_of("a.txt", ("line 5\n", "FIVE\n")), patch=patch.id)
    assert (again.state, again.decided_by) == ("proposed", None)
    assert events.PATCH_APPROVAL_VOID in await _types(hq, patch.id)
    await hq.patches.reject(patch.id, "smaller")
    third = await hq.patches.submit(repository.diff_of("a.txt", ("line 5\n", "V\n")), patch=patch.id)
    assert (third.state, third.version, third.reason) == ("proposed", 3, None)


async def test_marks_stay_on_files_that_read_the_same(hq: Headquarters, repository: Repository) -> None:
    one, two = repository.diff_of("a.txt", ("line 5\n", "five\n")), repository.diff_of("b.txt", ("line 5\n", "five\n"))
    patch = await hq.patches.submit(one + two)
    await hq.patches.see(patch.id, "a.txt")
    await hq.patches.see(patch.id, "b.txt")
    await hq.patches.submit(one + repository.diff_of("b.txt", ("line 5\n", "FIVE\n")), patch=patch.id)
    assert (await hq.patches.review(patch.id)).seen == {"a.txt"}


async def test_the_same_execution_proposes_another_version(hq: Headquarters, repository: Repository) -> None:
    one = await hq.patches.submit(repository.diff_of("a.txt", ("line 5\n", "five\n")), execution="7", task="2")
    two = await hq.patches.submit(repository.diff_of("a.txt", ("line 5\n", "FIVE\n")), execution="7")
    other = await hq.patches.submit(repository.diff_of("a.txt", ("line 9\n", "nine\n")), execution="8", task="2")
    assert (two.id, two.version, two.task) == (one.id, 2, "2")
    assert (other.id, other.version) == ("2", 1)
    with pytest.raises(Refused, match="says already"):
        await hq.patches.submit(repository.diff_of("a.txt", ("line 5\n", "FIVE\n")), execution="7")


async def test_what_cannot_become_another_version(hq: Headquarters, repository: Repository) -> None:
    diff = repository.diff_of("a.txt", ("line 5\n", "five\n"))
    patch = await hq.patches.submit(diff)
    with pytest.raises(Refused, match="version 1 of patch 1 says already"):
        await hq.patches.submit(diff, patch=patch.id)
    with pytest.raises(NotFound):
        await hq.patches.submit(diff, patch="77")
    with pytest.raises(PatchRefused):
        await hq.patches.submit(b"no patch at all\n", patch=patch.id)
    assert (await hq.patches.get(patch.id)).version == 1
    await hq.patches.approve(patch.id)
    await hq.patches.apply(patch.id)
    with pytest.raises(Refused, match="applied"):
        await hq.patches.submit(repository.diff_of("a.txt", ("line 9\n", "nine\n")), patch=patch.id)


async def test_a_version_that_does_not_apply_is_kept_with_its_decisions(
    hq: Headquarters, repository: Repository
) -> None:
    patch = await hq.patches.submit(repository.diff_of("a.txt", ("line 5\n", "five\n"), ("line 30\n", "thirty\n")))
    await hq.patches.reject(patch.id, "no", hunks=[2])
    bad = repository.diff_of("a.txt", ("line 5\n", "FIVE\n"), ("line 30\n", "thirty\n")).replace(
        b"line 6\n", b"sixth\n"
    )
    with pytest.raises(PatchConflict) as caught:
        await hq.patches.submit(bad, patch=patch.id)
    assert caught.value.details["patch"] == patch.id
    review = await hq.patches.review(patch.id)
    assert (review.patch.state, review.patch.version) == ("conflicted", 2)
    repository.write("a.txt", repository.read("a.txt").replace("line 6\n", "sixth\n"))
    await hq.patches.reopen(patch.id)
    review = await hq.patches.review(patch.id)
    assert [(number, one.decision) for number, one in review.decisions.items()] == [(2, "rejected")]


def _apply(repository: Repository, name: str, before: str, diff: bytes) -> str:
    """What git makes of a file with a diff."""
    folder = repository.root.parent / "trial"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(before)
    subprocess.run(["git", "apply", "-"], cwd=folder, input=diff, check=True)
    return (folder / name).read_text() if (folder / name).exists() else ""


async def test_the_difference_between_two_versions(hq: Headquarters, repository: Repository) -> None:
    before = repository.read("a.txt")
    patch = await hq.patches.submit(repository.diff_of("a.txt", ("line 5\n", "five\n"), ("line 30\n", "thirty\n")))
    await hq.patches.submit(
        repository.diff_of("a.txt", ("line 5\n", "five\n"), ("line 30\n", "THIRTY\nmore\n")), patch=patch.id
    )
    found = await hq.patches.interdiff(patch.id, 1)
    assert (found.old, found.new, found.tree) == (1, 2, "the files as they are")
    assert b"-thirty\n+THIRTY\n+more\n" in found.diff and b"five" not in found.diff.replace(b" five", b"")
    one = before.replace("line 5\n", "five\n").replace("line 30\n", "thirty\n")
    assert _apply(repository, "a.txt", one, found.diff) == one.replace("thirty\n", "THIRTY\nmore\n")
    assert (await hq.patches.interdiff(patch.id, 2)).diff == b""
    back = await hq.patches.interdiff(patch.id, 2, 1)
    assert b"-THIRTY\n-more\n+thirty\n" in back.diff
    with pytest.raises(NotFound, match="no version 7"):
        await hq.patches.interdiff(patch.id, 7)


async def test_versions_that_touch_other_files(hq: Headquarters, repository: Repository) -> None:
    patch = await hq.patches.submit(repository.diff_of("a.txt", ("line 5\n", "five\n")))
    await hq.patches.submit(repository.diff_of("b.txt", ("line 5\n", "five\n")), patch=patch.id)
    found = await hq.patches.interdiff(patch.id, 1)
    assert [(file.path, file.added, file.removed) for file in found.files] == [("a.txt", 1, 1), ("b.txt", 1, 1)]
    assert b"-five\n+line 5\n" in found.diff and b"-line 5\n+five\n" in found.diff


async def test_versions_are_compared_on_the_files_that_both_fit(hq: Headquarters, repository: Repository) -> None:
    patch = await hq.patches.submit(repository.diff_of("a.txt", ("line 5\n", "five\n")))
    base = repository.git("rev-parse", "HEAD").strip()
    repository.write("a.txt", "all new\nnothing as before\n")
    repository.commit("Rewritten")
    await hq.patches.submit(repository.diff_of("a.txt", ("all new\n", "all newer\n")), patch=patch.id)
    with pytest.raises(PatchConflict) as caught:
        await hq.patches.interdiff(patch.id, 1)
    assert caught.value.code == "no-common-base"
    repository.git("checkout", "-q", base, "--", "a.txt")
    await hq.patches.submit(repository.diff_of("a.txt", ("line 5\n", "V\n")), patch=patch.id)
    repository.git("checkout", "-q", "HEAD", "--", "a.txt")
    found = await hq.patches.interdiff(patch.id, 1)
    assert found.tree == f"commit {base[:12]}" and b"-five\n+V\n" in found.diff


async def test_an_applied_patch_is_compared_without_itself(hq: Headquarters, repository: Repository) -> None:
    patch = await hq.patches.submit(repository.diff_of("a.txt", ("line 5\n", "five\n")))
    await hq.patches.submit(repository.diff_of("a.txt", ("line 5\n", "V\n")), patch=patch.id)
    await hq.patches.approve(patch.id)
    await hq.patches.apply(patch.id)
    found = await hq.patches.interdiff(patch.id, 1)
    assert found.tree == "the files as they were without it" and b"-five\n+V\n" in found.diff


# -- what goes back ----------------------------------------------------------------------------------------------------


async def test_feedback_says_all_that_is_wanted(hq: Headquarters, repository: Repository) -> None:
    diff = repository.diff_of("a.txt", ("line 5\n", "five\nfence ```\n"), ("line 20\n", "20\n"), ("line 35\n", "35\n"))
    patch = await hq.patches.submit(diff, title="Words", task="2")
    await hq.patches.decide(patch.id, 3, "accepted")
    await hq.patches.reject(patch.id, "Say why.\n# Not a heading", hunks=[1])
    await hq.patches.comment(patch.id, "On the whole: fine.")
    await hq.patches.comment(patch.id, "Twenty in words?", path="a.txt", line=21)
    await hq.patches.comment(patch.id, "This hunk", hunk=3)
    settled = await hq.patches.comment(patch.id, "Forget it", path="a.txt")
    await hq.patches.resolve(patch.id, settled.id)
    text = await hq.patches.feedback(patch.id)
    assert text == await hq.patches.feedback(patch.id)
    assert text.startswith("# Patch 1: Words\n\nVersion 1 for task `2` is proposed.\n")
    assert "### Hunk 1: `a.txt`, line 2\n\n> Say why.\n> # Not a heading\n\n````diff\n line 2\n" in text
    assert "-line 5\n+five\n+fence ```\n" in text
    order = ["The patch as a whole\n\n> On the whole", "### `a.txt`, hunk 3\n", "### `a.txt`, line 21\n"]
    places = [text.index(part) for part in order]
    assert places == sorted(places)
    assert "+20\n```\n\n> Twenty in words?" in text
    assert "Forget it" not in text and "ada" not in text
    assert "Keep hunks 3 as they are." in text
    assert "1. Leave the rejected hunks out" in text
    assert "`vibehq patch submit --patch 1 FILE`" in text


async def test_feedback_of_a_patch_that_does_not_apply(hq: Headquarters, repository: Repository) -> None:
    diff = repository.diff_of("a.txt", ("line 5\n", "five\n"))
    repository.write(
        "a.txt", repository.read("a.txt").replace("line 5\n", "line five, once\n").replace("line 6\n", "x\n")
    )
    with pytest.raises(PatchConflict) as caught:
        await hq.patches.submit(diff)
    text = await hq.patches.feedback(caught.value.details["patch"])
    assert "## It does not apply to the files as they are now" in text
    assert "**a.txt**" in text and "line five, once" in text and "five" in text
    assert "make the patch against them" in text


async def test_feedback_says_what_operators_changed_themselves(hq: Headquarters, repository: Repository) -> None:
    patch = await hq.patches.submit(repository.diff_of("a.txt", ("line 5\n", "five\n"), ("line 30\n", "thirty\n")))
    text = await hq.patches.hunk_text(patch.id, 1)
    await hq.patches.edit_hunk(patch.id, 1, text.replace("+five", "+V"))
    await hq.patches.reject(patch.id, "no", hunks=[2])
    told = await hq.patches.feedback(patch.id)
    assert "## What was changed in your patch" in told and "-five\n+V\n" in told
    await hq.patches.submit(repository.diff_of("a.txt", ("line 5\n", "V\n")), patch=patch.id)
    assert "What was changed" not in await hq.patches.feedback(patch.id)


async def test_feedback_hides_secrets_and_shows_what_is_hidden(hq: Headquarters, repository: Repository) -> None:
    key = "AKIA" + "Q3EGRU7XQ2LZ5WNB"
    diff = repository.diff_of("a.txt", ("line 5\n", f"key = {key}\nturn \u202e round\n"))
    patch = await hq.patches.submit(diff)
    await hq.patches.reject(patch.id, "a \x1b[31mkey", hunks=[1])
    text = await hq.patches.feedback(patch.id)
    assert key not in text and "[redacted aws-access-key]" in text
    assert "\u202e" not in text and "‹U+202E›" in text and "\x1b" not in text
    assert "## Errors that validation found" in text and "Repair the errors." in text


async def test_feedback_of_what_nobody_said_anything_about(hq: Headquarters, repository: Repository) -> None:
    patch = await hq.patches.submit(repository.diff_of("a.txt", ("line 5\n", "five\n")))
    assert "Nothing yet: nobody has asked for a change." in await hq.patches.feedback(patch.id)
    await hq.patches.approve(patch.id)
    await hq.patches.apply(patch.id)
    assert "Nothing: it is applied." in await hq.patches.feedback(patch.id)
