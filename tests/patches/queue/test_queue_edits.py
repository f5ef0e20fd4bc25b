"""An operator's own hunk: edited, or with some of its lines; as another version, and back."""

from __future__ import annotations

import pytest
from patch_helpers import Repository

from storage.errors import Conflict, Refused
from vibehq_tui.contracts import events
from vibehq_tui.headquarters import Headquarters
from vibehq_tui.patches.errors import PatchRefused

_TWO = (("line 5\n", "LINE 5\nnew a\nnew b\n"), ("line 30\n", "LINE 30\n"))


async def _two_hunks(hq: Headquarters, repository: Repository) -> str:
    return (await hq.patches.submit(repository.diff_of("a.txt", *_TWO), title="Two")).id


async def _apply(hq: Headquarters, patch: str) -> None:
    await hq.patches.approve(patch)
    await hq.patches.apply(patch)


async def test_an_edited_hunk_is_another_version(hq: Headquarters, repository: Repository) -> None:
    patch = await _two_hunks(hq, repository)
    await hq.patches.reject(patch, "no", hunks=[2])
    text = await hq.patches.hunk_text(patch, 1)
    assert text.startswith("@@ -2,7 +2,9 @@ line 1\n line 2\n") and "\n-line 5\n+LINE 5\n" in text
    edited = await hq.patches.edit_hunk(patch, 1, text.replace("+new a\n", "+mine\n+and mine\n"))
    assert (edited.version, edited.state, edited.format, edited.added) == (2, "proposed", "git", 5)
    review = await hq.patches.review(patch)
    assert {number: one.decision for number, one in review.decisions.items()} == {2: "rejected"}
    rows = await hq.store.read(lambda tx: tx.events.for_subject("patch", patch, 20))
    (revised,) = [row for row in rows if row.type == events.PATCH_REVISED]
    assert revised.data["by"] == "ada" and revised.data["hunk"] == 1 and "hunk 1 edited" in revised.message
    versions = await hq.store.read(lambda tx: tx.patches.versions(patch))
    assert [(one.version, one.by, one.reason) for one in versions] == [(1, "ada", ""), (2, "ada", "hunk 1 edited")]
    await _apply(hq, patch)
    after = repository.read("a.txt")
    assert "LINE 5\nmine\nand mine\nnew b\nline 6\n" in after and "line 30\n" in after


async def test_an_edit_voids_the_approval_and_the_decision_about_its_hunk(
    hq: Headquarters, repository: Repository
) -> None:
    patch = await _two_hunks(hq, repository)
    await hq.patches.decide(patch, 1, "accepted")
    await hq.patches.decide(patch, 2, "accepted")
    await hq.patches.approve(patch)
    text = await hq.patches.hunk_text(patch, 1)
    edited = await hq.patches.edit_hunk(patch, 1, text.replace("+new a\n", ""))
    assert edited.state == "proposed" and edited.decided_by is None
    assert list((await hq.patches.review(patch)).decisions) == [2]
    types = [row.type for row in await hq.store.read(lambda tx: tx.events.for_subject("patch", patch, 20))]
    assert events.PATCH_APPROVAL_VOID in types
    with pytest.raises(Refused, match="proposed"):
        await hq.patches.apply(patch)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (" line 2\n line 3\n line 4\n-line 55\n+x\n line 6\n", "not those of the file: line 5 is 'line 5'"),
        (" line 4\n line 5\n line 6\n", "nothing is left"),
        ("", "nothing is left|its place"),
        (" line 4\n-line 5\n+line 5\n line 6\n", "puts back"),
        ("line 4\n-line 5\n", "starts with 'l'"),
        ("+only new\n", "place is not known"),
        (" line 12\n-line 13\n+x\n", "not those of the file"),
    ],
)
async def test_what_does_not_fit_is_refused_and_changes_nothing(
    text: str, message: str, hq: Headquarters, repository: Repository
) -> None:
    patch = await _two_hunks(hq, repository)
    before, head = await hq.patches.get(patch), await hq.store.head()
    with pytest.raises(PatchRefused, match=message):
        await hq.patches.edit_hunk(patch, 1, text)
    assert await hq.patches.get(patch) == before
    assert await hq.store.head() == head


async def test_context_may_be_left_out_and_lines_kept(hq: Headquarters, repository: Repository) -> None:
    patch = await _two_hunks(hq, repository)
    await hq.patches.edit_hunk(patch, 1, "@@ whatever @@\n line 4\n line 5\n+only this\n line 6\n")
    await _apply(hq, patch)
    assert "line 4\nline 5\nonly this\nline 6\n" in repository.read("a.txt")


async def test_an_editor_that_cuts_trailing_blanks_does_no_harm(hq: Headquarters, repository: Repository) -> None:
    repository.write("c.txt", "one\n\ntwo\n\nthree\n")
    repository.commit("Blank lines")
    patch = await hq.patches.submit(repository.diff_of("c.txt", ("two\n", "TWO\n")))
    text = (await hq.patches.hunk_text(patch.id, 1)).replace("\n \n", "\n\n").replace("+TWO", "+Two")
    await hq.patches.edit_hunk(patch.id, 1, text)
    await _apply(hq, patch.id)
    assert repository.read("c.txt") == "one\n\nTwo\n\nthree\n"


async def test_line_ends_are_those_of_the_file(hq: Headquarters, repository: Repository) -> None:
    path = repository.root / "dos.txt"
    path.write_bytes(b"one\r\ntwo\r\nthree")
    repository.commit("Line ends")
    path.write_bytes(b"one\r\nTWO\r\nthree")
    diff = repository.git("diff", "--binary", "--", "dos.txt")
    path.write_bytes(b"one\r\ntwo\r\nthree")
    patch = await hq.patches.submit(diff.replace("\r\r", "\r").encode())
    text = (await hq.patches.hunk_text(patch.id, 1)).replace("\r", "").replace("+TWO\n", "+Two\n+more\n")
    await hq.patches.edit_hunk(patch.id, 1, text)
    await _apply(hq, patch.id)
    assert path.read_bytes() == b"one\r\nTwo\r\nmore\r\nthree"


async def test_a_line_after_the_last_one_without_an_end(hq: Headquarters, repository: Repository) -> None:
    repository.write("end.txt", "one\ntwo")
    repository.commit("No end")
    patch = await hq.patches.submit(
        b"diff --git a/end.txt b/end.txt\n--- a/end.txt\n+++ b/end.txt\n@@ -1,2 +1,2 @@\n-one\n+ONE\n two\n"
        b"\\ No newline at end of file\n"
    )
    text = await hq.patches.hunk_text(patch.id, 1)
    assert text.endswith(" two\n\\ No newline at end of file\n")
    await hq.patches.edit_hunk(patch.id, 1, "-one\n+ONE\n two\n+three\n\\ No newline at end of file\n")
    await _apply(hq, patch.id)
    assert repository.read("end.txt") == "ONE\ntwo\nthree"


async def test_chosen_lines(hq: Headquarters, repository: Repository) -> None:
    patch = await _two_hunks(hq, repository)
    plan = (await hq.patches.review(patch)).plan
    assert plan is not None
    tags = [tag for tag, _ in plan.files[0].hunks[0].lines]
    assert tags[3:7] == ["-", "+", "+", "+"]
    chosen = await hq.patches.select_lines(patch, 1, {6})
    assert (chosen.version, chosen.added, chosen.removed) == (2, 2, 1)
    await _apply(hq, patch)
    after = repository.read("a.txt")
    assert "line 5\nnew a\nline 6\n" in after and "LINE 30\n" in after


@pytest.mark.parametrize(("lines", "message"), [({1, 2}, "nothing is left"), ({99}, "no line 99"), (set(), "nothing")])
async def test_lines_that_make_no_hunk(lines: set[int], message: str, hq: Headquarters, repository: Repository) -> None:
    patch = await _two_hunks(hq, repository)
    with pytest.raises(PatchRefused, match=message):
        await hq.patches.select_lines(patch, 1, lines)
    assert (await hq.patches.get(patch)).version == 1


async def test_lines_that_would_run_together_are_refused(hq: Headquarters, repository: Repository) -> None:
    repository.write("end.txt", "one\ntwo")
    repository.commit("No end")
    patch = await hq.patches.submit(
        b"diff --git a/end.txt b/end.txt\n--- a/end.txt\n+++ b/end.txt\n@@ -1,2 +1,3 @@\n one\n-two\n"
        b"\\ No newline at end of file\n+two\n+three\n"
    )
    with pytest.raises(PatchRefused, match="joined with the next"):
        await hq.patches.select_lines(patch.id, 1, {4})
    await hq.patches.select_lines(patch.id, 1, {2, 3})
    await _apply(hq, patch.id)
    assert repository.read("end.txt") == "one\ntwo\n"


async def test_a_part_of_a_new_and_of_a_deleted_file(hq: Headquarters, repository: Repository) -> None:
    repository.git("rm", "-q", "b.txt")
    repository.write("new.txt", "1\n2\n3\n")
    repository.git("add", "-A")
    diff = repository.git("diff", "--cached").encode()
    repository.git("reset", "-q", "--hard")
    patch = await hq.patches.submit(diff)
    await hq.patches.select_lines(patch.id, 2, {1, 3})
    await hq.patches.select_lines(patch.id, 1, set(range(1, 40)))
    await _apply(hq, patch.id)
    assert repository.read("new.txt") == "1\n3\n"
    assert repository.read("b.txt") == "line 40\n"


async def test_what_has_no_lines_cannot_be_edited(hq: Headquarters, repository: Repository) -> None:
    repository.git("mv", "b.txt", "moved.txt")
    diff = repository.git("diff", "--cached", "-M").encode()
    repository.git("reset", "-q", "--hard")
    patch = await hq.patches.submit(diff)
    with pytest.raises(PatchRefused, match="has no lines"):
        await hq.patches.edit_hunk(patch.id, 1, "+x\n")
    with pytest.raises(PatchRefused, match="no hunk 7"):
        await hq.patches.edit_hunk(patch.id, 7, "+x\n")


async def test_an_edit_is_undone_and_redone(hq: Headquarters, repository: Repository) -> None:
    patch = await _two_hunks(hq, repository)
    text = await hq.patches.text(patch)
    await hq.patches.decide(patch, 1, "rejected", "too loud")
    await hq.patches.select_lines(patch, 1, {6})
    assert (await hq.patches.review(patch)).decisions == {}
    said = await hq.patches.undo_decision(patch)
    assert "version 3 reads like version 1" in said
    review = await hq.patches.review(patch)
    assert review.text == text and review.patch.version == 3 and review.patch.added == 4
    assert review.decisions[1].decision == "rejected" and review.decisions[1].reason == "too loud"
    said = await hq.patches.redo_decision(patch)
    assert "version 4 reads like version 2" in said
    review = await hq.patches.review(patch)
    assert review.decisions == {} and review.patch.added == 2
    await hq.patches.undo_decision(patch)
    await hq.patches.undo_decision(patch)
    assert (await hq.patches.review(patch)).decisions == {}
    with pytest.raises(Refused, match="nothing to undo"):
        await hq.patches.undo_decision(patch)


async def test_the_author_of_a_patch_stays_its_author(hq: Headquarters, repository: Repository) -> None:
    repository.write("a.txt", repository.read("a.txt").replace("line 5\n", "LINE 5\nmore\n"))
    repository.commit("Shout\n\nBecause.")
    mail = repository.git("format-patch", "-1", "--stdout").encode().replace(b"From: Ada", b"From: Grace")
    repository.git("reset", "-q", "--hard", "HEAD~1")
    patch = await hq.patches.submit(mail)
    text = (await hq.patches.hunk_text(patch.id, 1)).replace("+more\n", "+less\n")
    await hq.patches.edit_hunk(patch.id, 1, text)
    await hq.patches.approve(patch.id)
    await hq.patches.apply(patch.id, commit=True)
    assert repository.git("log", "-1", "--format=%an|%s").strip() == "Grace|Shout"
    assert "LINE 5\nless\n" in repository.read("a.txt")


async def test_two_who_edit_at_once_do_not_overwrite_each_other(hq: Headquarters, repository: Repository) -> None:
    patch = await _two_hunks(hq, repository)
    stale = await hq.patches.get(patch)
    await hq.patches.select_lines(patch, 1, {6})

    async def as_it_was(patch_id: str) -> object:
        return stale

    queue = hq.patches._versions._queue
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(type(queue), "get", lambda self, patch_id: as_it_was(patch_id))
        with pytest.raises(Conflict, match="version 2 meanwhile"):
            await hq.patches.select_lines(patch, 1, {5})
