"""Earlier contents: what git and the receipts know, and that nothing is fetched, replaced or run to know it."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from merging_helpers import Place, git, numbered

from vibehq_tui.patches.applying.apply import Applier
from vibehq_tui.patches.applying.earlier import Earlier
from vibehq_tui.patches.applying.known_bases import GitBases, KnownBases, ReceiptBases
from vibehq_tui.patches.formats import parse
from vibehq_tui.patches.planning.bases import Bases
from vibehq_tui.patches.planning.planner import make_plan
from vibehq_tui.patches.planning.tree import WorkTree


def name_of(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def versions(bases: Bases, path: str) -> list[bytes]:
    found = list(bases.versions(path))
    bases.close()
    return found


def test_a_blob_by_its_name_or_the_beginning_of_it(place: Place) -> None:
    place.write("f", "content\n")
    place.commit()
    bases = GitBases(place.root)
    name = name_of(b"content\n")
    assert bases.blob(name) == b"content\n"
    assert bases.blob(name[:7]) == b"content\n"
    assert bases.blob(name[:7].upper()) == b"content\n"
    assert bases.blob("f" * 40) is None
    assert bases.blob("0" * 40) is None
    assert bases.blob(name[:3]) is None
    assert bases.blob("HEAD") is None
    assert bases.blob("HEAD:f") is None
    assert bases.blob(place.git("rev-parse", "HEAD").decode().strip()) is None
    assert bases.blob(place.git("rev-parse", "HEAD^{tree}").decode().strip()) is None
    assert bases.blob(name) == b"content\n"
    bases.close()


def test_a_name_that_means_two_blobs_means_none(place: Place) -> None:
    seen: dict[str, bytes] = {}
    for number in range(5000):
        content = b"%d\n" % number
        prefix = name_of(content)[:4]
        if prefix in seen:
            break
        seen[prefix] = content
    else:
        pytest.fail("no two names begin alike")
    place.write("one", seen[prefix])
    place.write("two", content)
    place.commit()
    bases = GitBases(place.root)
    assert bases.blob(prefix) is None
    assert bases.blob(name_of(content)) == content
    bases.close()


def test_a_branch_is_no_blob(place: Place) -> None:
    place.write("f", "content\n")
    place.write("g", "other\n")
    place.commit()
    name, other = name_of(b"content\n"), name_of(b"other\n")
    (place.root / ".git" / "refs" / "heads" / name[:8]).write_text(other + "\n")
    bases = GitBases(place.root)
    assert bases.blob(name[:8]) is None
    assert bases.blob(name) == b"content\n"
    bases.close()


def test_outside_a_repository_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("x\n")
    bases = GitBases(tmp_path)
    assert bases.blob(name_of(b"x\n")) is None
    assert list(bases.versions("f")) == []
    assert bases.blob(name_of(b"x\n")) is None
    bases.close()
    missing = GitBases(tmp_path / "missing")
    assert missing.blob(name_of(b"x\n")) is None
    assert list(missing.versions("f")) == []


def test_without_git_there_is_none(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.write("f", "x\n")
    place.commit()
    monkeypatch.setenv("PATH", "/nonexistent")
    bases = GitBases(place.root)
    assert bases.blob(name_of(b"x\n")) is None
    assert versions(bases, "f") == []


def test_the_versions_of_a_file_the_newest_first(place: Place) -> None:
    for number in range(5):
        place.write("dir/a file", f"{number % 3}\n")
        place.write("other", f"{number}\n")
        place.commit()
    assert versions(GitBases(place.root), "dir/a file") == [b"1\n", b"0\n", b"2\n"]
    assert versions(GitBases(place.root / "dir"), "a file") == [b"1\n", b"0\n", b"2\n"]
    assert versions(GitBases(place.root), "missing") == []
    assert versions(GitBases(place.root), "*") == []
    assert versions(GitBases(place.root), "dir") == []
    assert versions(GitBases(place.root), "a\nb") == []
    place.write("dir/a file", "staged\n")
    place.git("add", "-A")
    place.write("dir/a file", "on disk\n")
    assert versions(GitBases(place.root), "dir/a file") == [b"staged\n", b"1\n", b"0\n", b"2\n"]


def test_no_more_versions_than_two_hundred(place: Place) -> None:
    stream = ["blob\nmark :1\ndata 2\n0\n\n"]
    for number in range(1, 260):
        content = f"{number}\n"
        stream.append(
            f"commit refs/heads/main\ncommitter Ada <ada@example.com> {number} +0000\ndata 1\nx\n"
            f"M 644 inline f\ndata {len(content)}\n{content}\n"
        )
    place.git("fast-import", "--quiet", stdin="".join(stream).encode())
    found = versions(GitBases(place.root), "f")
    assert found[:2] == [b"259\n", b"258\n"]
    assert len(found) == 200


def test_in_a_second_work_tree(place: Place, tmp_path: Path) -> None:
    place.write("f", "one\n")
    place.commit()
    place.write("f", "two\n")
    place.commit()
    place.git("worktree", "add", "-q", str(tmp_path / "second"))
    bases = GitBases(tmp_path / "second")
    assert bases.blob(name_of(b"one\n")) == b"one\n"
    assert versions(bases, "f") == [b"two\n", b"one\n"]


def test_nothing_is_fetched(place: Place, tmp_path: Path) -> None:
    place.write("f", "one\n")
    place.write("g", "here\n")
    place.commit()
    place.write("f", "two\n")
    place.commit()
    place.git("config", "uploadpack.allowFilter", "true")
    place.git("config", "uploadpack.allowAnySHA1InWant", "true")
    partial = tmp_path / "partial"
    git(tmp_path, "clone", "-q", "--filter=blob:none", f"file://{place.root}", str(partial))
    before = sorted(path.name for path in (partial / ".git" / "objects").rglob("*"))
    bases = GitBases(partial)
    assert bases.blob(name_of(b"one\n")) is None
    assert bases.blob(name_of(b"two\n")) == b"two\n"
    assert versions(bases, "f") == [b"two\n"]
    assert sorted(path.name for path in (partial / ".git" / "objects").rglob("*")) == before


def test_nothing_is_replaced(place: Place) -> None:
    place.write("f", "true\n")
    place.write("g", "false\n")
    place.commit()
    place.git("replace", name_of(b"true\n"), name_of(b"false\n"))
    assert place.git("cat-file", "blob", name_of(b"true\n")) == b"false\n"
    bases = GitBases(place.root)
    assert bases.blob(name_of(b"true\n")) == b"true\n"
    bases.close()


def test_nothing_of_the_configuration_runs(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\ncat\n")
    trap.chmod(0o755)
    place.write(".gitattributes", "* filter=trap diff=trap merge=trap\n")
    place.write("f", numbered())
    place.commit()
    for key in (
        "filter.trap.smudge",
        "filter.trap.clean",
        "diff.trap.textconv",
        "diff.trap.command",
        "merge.trap.driver",
    ):
        place.git("config", key, str(trap))
    for key in ("core.fsmonitor", "core.pager", "diff.external", "core.hooksPath"):
        place.git("config", key, str(trap))
    place.git("config", "merge.conflictStyle", "diff3")
    home = tmp_path / "home"
    (home / "git").mkdir(parents=True)
    (home / "git" / "attributes").write_text("* binary\n")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home))
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", str(trap))
    monkeypatch.setenv("GIT_DIR", "/nonexistent")
    (tmp_path / "sprung").unlink(missing_ok=True)
    patch = (
        f"diff --git a/f b/f\nindex {name_of(numbered().encode())}..{'1' * 40} 100644\n--- a/f\n+++ b/f\n"
        "@@ -9,3 +9,3 @@\n line 9\n-line 10\n+TEN\n line 11\n"
    )
    place.write("f", numbered().replace("line 9\n", "nine\n").replace("line 8\n", "EIGHT\n"))
    result = place.apply(patch)
    assert [problem.code for problem in result.errors] == ["merge-conflict"]
    place.write("f", numbered().replace("line 8\n", "EIGHT\n").replace("line 12\n", "TWELVE\n"))
    assert place.apply(patch).result == "applied"
    assert len(versions(GitBases(place.root), "f")) == 1
    assert not (tmp_path / "sprung").exists()


def test_the_processes_are_ended(place: Place) -> None:
    place.write("f", "x\n")
    place.commit()
    with Earlier(place.root) as earlier:
        assert earlier().blob(name_of(b"x\n")) == b"x\n"
        assert next(earlier().versions("f")) == b"x\n"
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")
    assert not children.exists() or "git" not in {
        Path(f"/proc/{child}/comm").read_text().strip() for child in children.read_text().split()
    }


def test_what_the_receipts_know(place: Place) -> None:
    place.write("f", "one\n")
    place.write("g", "g\n")
    place.commit()
    texts = [place.patch(f="two\n"), place.patch(g="G\n", h="h\n")]
    place.forget(".git")
    for text in texts:
        Applier(place.root).apply(make_plan(parse(text), WorkTree(place.root)))
    bases = ReceiptBases(place.root / ".vibehq")
    assert bases.blob(name_of(b"one\n")) == b"one\n"
    assert bases.blob(name_of(b"h\n")[:8]) == b"h\n"
    assert bases.blob(name_of(b"three\n")) is None
    assert list(bases.versions("f")) == [b"two\n", b"one\n"]
    assert list(bases.versions("h")) == [b"h\n"]
    known = KnownBases(place.root)
    assert known.blob(name_of(b"one\n")) == b"one\n"
    assert versions(known, "g") == [b"G\n", b"g\n"]


def test_damaged_receipts_are_no_help_and_no_harm(place: Place) -> None:
    place.write("f", "one\n")
    place.commit()
    receipt = place.apply(place.patch(f="two\n")).receipt
    place.forget(".git")
    (place.root / ".vibehq" / "receipts" / "strange").write_bytes(b"\0" * 100)
    (place.root / ".vibehq" / "receipts" / "folder").mkdir()
    assert ReceiptBases(place.root / ".vibehq").blob(name_of(b"one\n")) == b"one\n"
    (place.root / ".vibehq" / "receipts" / str(receipt)).write_bytes(b"vibehq-receipt 1 9 9\n")
    assert ReceiptBases(place.root / ".vibehq").blob(name_of(b"one\n")) is None
    assert ReceiptBases(place.root / "missing").blob(name_of(b"one\n")) is None
