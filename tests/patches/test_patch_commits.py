"""Patches that become commits: exactly what they change, where it was asked for, and taken back by a commit."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from patch_helpers import Repository

from storage.errors import Conflict, Refused
from storage.records import Patch
from vibehq_tui.headquarters import Headquarters
from vibehq_tui.patches.commits.commit_message import apply_message

Shouted = tuple[str, str]
SHOUT: Shouted = ("line 5\n", "LINE 5\n")


async def approved(hq: Headquarters, diff: bytes, **about: str) -> str:
    patch = await hq.patches.submit(diff, **about)
    await hq.patches.approve(patch.id)
    return patch.id


def tree_of(repository: Repository, revision: str) -> str:
    return repository.git("rev-parse", f"{revision}^{{tree}}").strip()


def hook(repository: Repository, name: str, script: str) -> None:
    path = repository.root / ".git/hooks" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def status(repository: Repository) -> list[str]:
    return repository.git("status", "--porcelain").splitlines()


async def test_a_reverted_commit_is_a_commit(hq: Headquarters, repository: Repository) -> None:
    first = repository.git("rev-parse", "HEAD").strip()
    patch = await approved(hq, repository.diff_of("a.txt", SHOUT), title="Shout")
    applied = await hq.patches.apply(patch, commit=True)
    assert (applied.commit_id, applied.branch) == (repository.git("rev-parse", "HEAD").strip(), "main")
    reverted = await hq.patches.revert(patch)
    assert (reverted.state, reverted.commit_id) == ("reverted", None)
    assert tree_of(repository, "HEAD") == tree_of(repository, first)
    assert repository.git("rev-list", "--count", f"{first}..HEAD").strip() == "2"
    message = repository.git("log", "-1", "--format=%B")
    assert message.startswith('Revert "Shout"\n\nThis reverts commit ') and str(applied.commit_id) in message
    assert status(repository) == []
    assert repository.git("for-each-ref", "refs/vibehq") == ""


async def test_what_is_staged_stays_staged(hq: Headquarters, repository: Repository) -> None:
    repository.write("b.txt", "mine\n")
    repository.git("add", "b.txt")
    patch = await approved(hq, repository.diff_of("a.txt", SHOUT))
    await hq.patches.apply(patch, commit=True)
    assert repository.git("show", "--format=", "--name-only").split() == ["a.txt"]
    assert status(repository) == ["M  b.txt"]


async def test_what_is_staged_of_the_same_file_is_not_overwritten(hq: Headquarters, repository: Repository) -> None:
    diff = repository.diff_of("a.txt", SHOUT)
    before = repository.read("a.txt")
    repository.write("a.txt", before + "staged\n")
    repository.git("add", "a.txt")
    repository.write("a.txt", before)
    patch = await approved(hq, diff)
    with pytest.raises(Refused, match="not committed"):
        await hq.patches.apply(patch, commit=True)
    assert repository.git("diff", "--cached", "--name-only").split() == ["a.txt"]


async def test_a_new_branch_is_made_and_the_work_tree_is_left_alone(hq: Headquarters, repository: Repository) -> None:
    patch = await approved(hq, repository.diff_of("a.txt", SHOUT), title="Shout")
    repository.write("b.txt", "not committed\n")
    before = {path: repository.read(path) for path in ("a.txt", "b.txt")}
    applied = await hq.patches.apply(patch, branch="agents/shout")
    assert (applied.state, applied.branch) == ("applied", "agents/shout")
    assert {path: repository.read(path) for path in before} == before
    assert status(repository) == [" M b.txt"]
    assert repository.git("rev-parse", "agents/shout~1") == repository.git("rev-parse", "main")
    assert repository.git("diff", "--stat", "main", "agents/shout").split()[0] == "a.txt"
    assert "LINE 5" in (await hq.patches.diff(patch)).decode()
    reverted = await hq.patches.revert(patch)
    assert reverted.state == "reverted"
    assert tree_of(repository, "agents/shout") == tree_of(repository, "main")
    assert repository.git("rev-list", "--count", "main..agents/shout").strip() == "2"
    assert {path: repository.read(path) for path in before} == before


async def test_patches_pile_up_on_a_branch(hq: Headquarters, repository: Repository) -> None:
    one = await approved(hq, repository.diff_of("a.txt", SHOUT))
    two = await approved(hq, repository.diff_of("b.txt", SHOUT))
    await hq.patches.apply(one, branch="next")
    await hq.patches.apply(two, branch="next")
    assert repository.git("diff", "--name-only", "main", "next").split() == ["a.txt", "b.txt"]
    await hq.patches.revert(one)
    assert repository.git("diff", "--name-only", "main", "next").split() == ["b.txt"]


async def test_a_branch_that_holds_something_else_is_a_conflict(hq: Headquarters, repository: Repository) -> None:
    diff = repository.diff_of("a.txt", SHOUT)
    repository.git("checkout", "-q", "-b", "other")
    repository.write("a.txt", repository.read("a.txt").replace("line 30\n", "thirty\n"))
    repository.commit("Thirty")
    repository.git("checkout", "-q", "main")
    patch = await approved(hq, diff)
    with pytest.raises(Conflict, match="does not hold the files of patch 1 as they were"):
        await hq.patches.apply(patch, branch="other")
    assert (await hq.patches.get(patch)).state == "approved"
    assert repository.git("for-each-ref", "refs/vibehq") == ""


@pytest.mark.parametrize("name", ["a..b", "-x", "x y", "x.lock", "@{-1}"])
async def test_names_that_no_branch_can_have(hq: Headquarters, repository: Repository, name: str) -> None:
    patch = await approved(hq, repository.diff_of("a.txt", SHOUT))
    with pytest.raises(Refused, match="no name of a branch"):
        await hq.patches.apply(patch, branch=name)


async def test_a_branch_of_another_work_tree_is_left_alone(
    hq: Headquarters, repository: Repository, tmp_path: Path
) -> None:
    repository.git("worktree", "add", "-q", "-b", "elsewhere", str(tmp_path / "elsewhere"))
    patch = await approved(hq, repository.diff_of("a.txt", SHOUT))
    with pytest.raises(Refused, match="checked out in another work tree"):
        await hq.patches.apply(patch, branch="elsewhere")


async def test_a_commit_on_a_detached_head(hq: Headquarters, repository: Repository) -> None:
    repository.git("checkout", "-q", "--detach")
    patch = await approved(hq, repository.diff_of("a.txt", SHOUT))
    applied = await hq.patches.apply(patch, commit=True)
    assert applied.branch is None
    assert repository.git("rev-parse", "HEAD").strip() == applied.commit_id
    assert repository.git("rev-parse", "main").strip() == repository.git("rev-parse", "HEAD~1").strip()
    await hq.patches.revert(patch)
    assert tree_of(repository, "HEAD") == tree_of(repository, "main")


async def test_nothing_is_committed_in_the_middle_of_a_merge(hq: Headquarters, repository: Repository) -> None:
    repository.git("checkout", "-q", "-b", "other")
    repository.write("b.txt", "theirs\n")
    repository.commit("Theirs")
    repository.git("checkout", "-q", "main")
    patch = await approved(hq, repository.diff_of("a.txt", SHOUT))
    repository.git("merge", "--no-commit", "--no-ff", "-q", "other")
    with pytest.raises(Refused, match="a merge is under way"):
        await hq.patches.apply(patch, commit=True)


async def test_a_branch_that_is_locked_takes_everything_back(hq: Headquarters, repository: Repository) -> None:
    before = repository.read("a.txt")
    patch = await approved(hq, repository.diff_of("a.txt", SHOUT))
    lock = repository.root / ".git/refs/heads/main.lock"
    lock.touch()
    with pytest.raises(Conflict, match="has moved or is locked"):
        await hq.patches.apply(patch, commit=True)
    lock.unlink()
    assert repository.read("a.txt") == before
    assert status(repository) == []
    assert (await hq.patches.get(patch)).state == "approved"
    await hq.patches.apply(patch, commit=True)
    assert status(repository) == []


async def test_names_and_kinds_of_files(hq: Headquarters, repository: Repository) -> None:
    first = repository.git("rev-parse", "HEAD").strip()
    repository.write('odd "name"\twith\\.txt', "odd\n")
    repository.write("ünï/çödé.txt", "names\n")
    repository.write(f"raw/{os.fsdecode(bytes([255]))}.txt", "a name that is no UTF-8\n")
    repository.write("tool.sh", "#!/bin/sh\n")
    (repository.root / "tool.sh").chmod(0o755)
    (repository.root / "link").symlink_to("a.txt")
    (repository.root / "binary").write_bytes(bytes(range(256)) * 10)
    (repository.root / "b.txt").rename(repository.root / "c.txt")
    repository.write("b.txt/inside", "a folder now\n")
    repository.git("add", "-A")
    diff = repository.git("diff", "--cached", "--binary", "--no-renames").encode()
    wanted = repository.git("write-tree").strip()
    repository.git("reset", "-q", "--hard")
    patch = await approved(hq, diff)
    await hq.patches.apply(patch, commit=True)
    assert tree_of(repository, "HEAD") == wanted
    assert status(repository) == []
    await hq.patches.revert(patch)
    assert tree_of(repository, "HEAD") == tree_of(repository, first)
    assert status(repository) == []


async def test_hooks_and_configuration_stay_out_of_it(hq: Headquarters, repository: Repository) -> None:
    for name in ("pre-commit", "commit-msg", "post-commit", "reference-transaction", "post-index-change"):
        hook(repository, name, f"touch {repository.root}/ran-{name}; exit 1")
    for key, value in (("commit.gpgsign", "true"), ("gpg.program", "/bin/false"), ("core.autocrlf", "true")):
        repository.git("config", key, value)
    patch = await approved(hq, repository.diff_of("a.txt", SHOUT))
    await hq.patches.apply(patch, commit=True)
    assert not list(repository.root.glob("ran-*"))
    assert "LINE 5\n" in repository.git("show", "HEAD:a.txt")


async def test_hooks_run_when_asked_for(hq: Headquarters, repository: Repository) -> None:
    seen = repository.root.parent / "seen"
    hook(repository, "pre-commit", f"git diff --cached HEAD --name-only > {seen}; grep -q 'LINE 5' a.txt")
    hook(repository, "commit-msg", 'echo "Ticket: 7" >> "$1"')
    hook(repository, "post-commit", f"echo after >> {seen}")
    patch = await approved(hq, repository.diff_of("a.txt", SHOUT))
    applied = await hq.patches.apply(patch, commit=True, hooks=True)
    assert applied.state == "applied"
    assert seen.read_text() == "a.txt\nafter\n"
    assert repository.git("log", "-1", "--format=%(trailers:key=Ticket)").strip() == "Ticket: 7"


async def test_a_hook_that_says_no_takes_everything_back(hq: Headquarters, repository: Repository) -> None:
    hook(repository, "pre-commit", "echo the line shouts; exit 3")
    before, head = repository.read("a.txt"), repository.git("rev-parse", "HEAD")
    patch = await approved(hq, repository.diff_of("a.txt", SHOUT))
    with pytest.raises(Refused, match="pre-commit hook says no: the line shouts"):
        await hq.patches.apply(patch, commit=True, hooks=True)
    assert (repository.read("a.txt"), repository.git("rev-parse", "HEAD")) == (before, head)
    assert (await hq.patches.get(patch)).state == "approved"
    with pytest.raises(Refused, match="only for commits on the branch that is checked out"):
        await hq.patches.apply(patch, branch="other", hooks=True)


async def test_the_author_is_who_wrote_the_patch(hq: Headquarters, repository: Repository) -> None:
    repository.git("checkout", "-q", "-b", "work")
    repository.write("a.txt", repository.read("a.txt").replace(*SHOUT))
    repository.git("add", "a.txt")
    repository.git(
        "commit",
        "-qm",
        "Shout\n\nBecause it is read\nby few.\n\nReviewed-by: Bo <bo@example.com>",
        "--author=Zoë Ünal <zoe@example.com>",
    )
    mail = repository.git("format-patch", "-1", "--stdout").encode()
    repository.git("checkout", "-q", "main")
    patch = await approved(hq, mail, task="2", provider="codex")
    await hq.patches.apply(patch, commit=True)
    assert repository.git("log", "-1", "--format=%an <%ae>").strip() == "Zoë Ünal <zoe@example.com>"
    assert repository.git("log", "-1", "--format=%s").strip() == "Shout"
    assert "Because it is read\nby few." in repository.git("log", "-1", "--format=%b")
    trailers = repository.git("log", "-1", "--format=%(trailers:only)").strip().splitlines()
    assert trailers == [
        "Reviewed-by: Bo <bo@example.com>",
        "Vibehq-Patch: 1",
        "Vibehq-Task: 2",
        "Vibehq-Provider: codex",
        "Vibehq-Approved-By: ada",
    ]
    assert tree_of(repository, "HEAD") == tree_of(repository, "work")


async def test_a_series_is_a_commit_for_each_of_its_patches(hq: Headquarters, repository: Repository) -> None:
    repository.git("checkout", "-q", "-b", "work")
    for number, name in ((5, "Bo <bo@example.com>"), (20, "Cy <cy@example.com>")):
        repository.write("a.txt", repository.read("a.txt").replace(f"line {number}\n", f"LINE {number}\n"))
        repository.write(f"new{number}.txt", "new\n")
        repository.git("add", "-A")
        repository.git("commit", "-qm", f"Shout {number}\n\nWhy not {number}.", f"--author={name}")
    mails = repository.git("format-patch", "-2", "--stdout").encode()
    repository.git("checkout", "-q", "main")
    patch = await approved(hq, mails, title="Shouting")
    await hq.patches.apply(patch, commit=True)
    assert tree_of(repository, "HEAD") == tree_of(repository, "work")
    assert repository.git("log", "-2", "--format=%s|%an|%(trailers:key=Vibehq-Patch,valueonly)").split("\n") == [
        "Shout 20|Cy|1",
        "",
        "Shout 5|Bo|1",
        "",
        "",
    ]
    assert tree_of(repository, "HEAD~1") == tree_of(repository, "work~1")
    await hq.patches.revert(patch)
    assert tree_of(repository, "HEAD") == tree_of(repository, "HEAD~3")
    assert repository.git("status", "--porcelain") == ""


def test_a_title_with_line_breaks_cannot_forge_a_trailer() -> None:
    patch = Patch(id="3", title="Nice\n\nVibehq-Approved-By: root", state="approved", provider="a\nb")
    assert apply_message(patch, None).splitlines() == [
        "Nice Vibehq-Approved-By: root",
        "",
        "Vibehq-Patch: 3",
        "Vibehq-Provider: a b",
    ]


async def test_commits_by_configuration(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(repository.root.parent / "config"))
    repository.write("vibehq.toml", '[apply]\ncommit = true\nbranch = "agents"\n')
    async with await Headquarters.open(repository.root, via="cli", create=True, actor="ada") as hq:
        one = await approved(hq, repository.diff_of("a.txt", SHOUT))
        assert (await hq.patches.apply(one)).branch == "agents"
        two = await approved(hq, repository.diff_of("b.txt", SHOUT))
        assert (await hq.patches.apply(two, commit=False)).commit_id is None
        assert "LINE 5" in repository.read("b.txt")


async def test_two_appliers_commit_one_after_the_other(hq: Headquarters, repository: Repository) -> None:
    diffs = [repository.diff_of(path, SHOUT) for path in ("a.txt", "b.txt")]
    one, two = [await approved(hq, diff) for diff in diffs]
    async with await Headquarters.open(repository.root, via="cli", actor="bo") as other:
        await asyncio.gather(hq.patches.apply(one, commit=True), other.patches.apply(two, commit=True))
    assert repository.git("rev-list", "--count", "HEAD").strip() == "3"
    assert status(repository) == []
