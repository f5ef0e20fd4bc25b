"""Attacks in several steps: links made and then used, chains of renames, modes, bombs, and what is shown of it all."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import time
import tracemalloc
from contextlib import suppress
from pathlib import Path

import pytest
from attack_texts import KINDS, attacks, mails
from canary import Canary
from engine_helpers import Box, state_of, unchanged

from storage.errors import VibeError
from vibehq_tui.patches.applying.apply import Applier
from vibehq_tui.patches.applying.engine import series
from vibehq_tui.patches.applying.journal import Receipt, encode
from vibehq_tui.patches.formats.binary import MAX_BINARIES, encode_binary
from vibehq_tui.patches.planning.plan import Plan
from vibehq_tui.patches.planning.planned import PlannedFile, PlannedHunk

PROJECT = Path(__file__).parents[3]


def link(path: str, target: str) -> str:
    """A git patch that makes a symbolic link."""
    return (
        f"diff --git a/{path} b/{path}\nnew file mode 120000\n--- /dev/null\n+++ b/{path}\n@@ -0,0 +1 @@\n+{target}\n"
        "\\ No newline at end of file\n"
    )


def made(path: str, line: str = "x") -> str:
    return f"diff --git a/{path} b/{path}\nnew file mode 100644\n--- /dev/null\n+++ b/{path}\n@@ -0,0 +1 @@\n+{line}\n"


def changed(path: str) -> str:
    return f"diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n@@ -1 +1 @@\n-secret\n+changed\n"


def moved(old: str, new: str, verb: str = "rename") -> str:
    return f"diff --git a/{old} b/{new}\nsimilarity index 100%\n{verb} from {old}\n{verb} to {new}\n"


def gone(path: str) -> str:
    return (
        f"diff --git a/{path} b/{path}\ndeleted file mode 100644\n--- a/{path}\n+++ /dev/null\n@@ -1 +0,0 @@\n-secret\n"
    )


@pytest.fixture
def outside(box: Box) -> Path:
    """A folder beside the root with a secret in it, and links in the root that lead there."""
    folder = box.root.parent / "outside"
    folder.mkdir()
    (folder / "file").write_text("secret\n")
    (box.root / "dir").symlink_to(folder)
    (box.root / "link").symlink_to(folder / "file")
    box.write("inside/file", "secret\n")
    box.write("file", "secret\n")
    box.write(".git/config", "secret\n")
    return folder


STORIES: dict[str, tuple[str, ...]] = {
    "a link to the parent, written through": (link("out", ".."), made("out/made")),
    "a link to a folder inside, written through": (link("alias", "inside"), changed("alias/file")),
    "a link to .git, written through": (link("g", ".git"), made("g/hooks/x")),
    "a link to .git by another spelling": (link("g", "./.GIT"), made("g/hooks/x")),
    "a link up and down": (link("a/b", "../inside/../../outside"), made("a/b/x")),
    "a link to an absolute path": (link("out", "/etc"), made("out/made")),
    "a link that was there, moved and written through": (moved("dir", "d2"), changed("d2/file")),
    "a link that was there, moved and read": (moved("dir", "d2"), moved("d2/file", "got", "copy")),
    "a link copied, then written through": (moved("dir", "d2", "copy"), changed("d2/file")),
    "a link to a file, moved, then changed": (moved("link", "l2"), changed("l2")),
    "a link to a file, copied as a file": (moved("link", "l2", "copy"), moved("l2", "l3", "copy"), changed("l3")),
    "a folder replaced by a link": (gone("inside/file"), link("inside", "../outside"), changed("inside/file")),
    "a file replaced by a link": (gone("file"), link("file", "../outside/file"), changed("file")),
    "a file made a link by its mode": (
        "diff --git a/file b/file\nold mode 100644\nnew mode 120000\n",
        changed("file"),
    ),
    "a chain of renames out": (moved("file", "a"), moved("a", "b"), moved("b", "../c")),
    "a chain of renames into .git": (moved("file", "a"), moved("a", ".git/hooks/b")),
    "a chain of copies from outside": (moved("../outside/file", "a", "copy"), changed("a")),
    "a copy through a link": (moved("dir/file", "a", "copy"),),
    "a rename through a link": (moved("dir/file", "a"),),
    "a copy of an absolute path": (moved("/etc/hostname", "a", "copy"),),
    "a link under .gitmodules": (link(".gitmodules", "inside/file"),),
    "a link under .gitattributes below": (link("sub/.GitAttributes", "../file"),),
}


@pytest.mark.parametrize("name", STORIES)
def test_stories(box: Box, outside: Path, name: str) -> None:
    """As one patch, as a mailbox, and as a series of patches, whatever parts of it are harmless by themselves."""
    texts = STORIES[name]
    before = state_of(outside)
    with Canary([outside], [box.root / ".git"]) as canary:
        whole = box.apply("".join(texts), dry_run=True)
        assert whole.result in ("refused", "conflict"), name
        if "mbox" in KINDS:
            assert box.apply(mails(*texts), format="mbox", dry_run=True).result in ("refused", "conflict"), name
            assert box.apply(mails(*texts), format="mbox").result in ("refused", "conflict"), name
        with series(box.root, dry_run=True) as open_series:
            results = [open_series.run(text.encode()).result for text in texts]
        assert {"refused", "conflict"} & set(results), name
        with series(box.root) as open_series:
            for text in texts:
                if open_series.run(text.encode()).result in ("refused", "conflict"):
                    break
            else:
                pytest.fail(f"all of {name} was applied")
        canary.check()
    assert state_of(outside) == before
    assert (box.root / ".git/config").read_text() == "secret\n"


@pytest.mark.parametrize("format_name", KINDS)
def test_a_file_of_many_names_outside_keeps_its_content_there(box: Box, format_name: str) -> None:
    """A hard link in the root to a file outside: what is written is a new file, and the old one stays what it was."""
    outside = box.root.parent / "outside"
    outside.mkdir()
    (outside / "file").write_text("secret\n")
    os.link(outside / "file", box.root / "hard")
    for text in attacks(format_name, "hard").values():
        box.apply(text, format=format_name)
        assert (outside / "file").read_text() == "secret\n"


@pytest.mark.parametrize("format_name", KINDS)
def test_a_pipe_is_not_opened(box: Box, format_name: str) -> None:
    """Nobody waits for the other end; the file is told to be none."""
    os.mkfifo(box.root / "pipe")
    os.mkfifo(box.root / "pipes")
    box.write("file", "secret\n")
    start = time.monotonic()
    for kind, text in attacks(format_name, "pipe").items():
        result = box.apply(text, format=format_name, dry_run=True)
        assert result.result in ("refused", "conflict") or kind in ("old name", "new name"), (kind, result)
    for kind, text in attacks(format_name, "pipes/x").items():
        result = box.apply(text, format=format_name, dry_run=True)
        nothing_to_do = kind in ("old name", "new name") or kind.endswith("delete")
        assert result.result in ("refused", "conflict") or nothing_to_do, (kind, result)
    assert time.monotonic() - start < 10
    assert stat.S_ISFIFO((box.root / "pipe").lstat().st_mode)


def test_the_tasks_file_is_no_pipe(box: Box) -> None:
    box.write("file", "x\n")
    (box.root / ".mission_control").mkdir()
    os.mkfifo(box.root / ".mission_control/tasks.json")
    text = json.dumps({"taskId": "1", "patches": [{"op": "append", "file": "file", "block": "x"}]})
    assert box.codes(box.apply(text)) == ["tasks-file"]
    assert box.read("file") == b"x\n"


@pytest.mark.parametrize(
    "mode", ["104755", "102755", "101777", "100666", "040000", "160000", "0", "1", "777777", "-1", "x", ""]
)
def test_modes_that_no_file_of_git_has(box: Box, mode: str) -> None:
    box.write("file", "secret\n")
    for text in (
        f"diff --git a/n b/n\nnew file mode {mode}\n--- /dev/null\n+++ b/n\n{'@@ -0,0 +1 @@'}\n+x\n",
        f"diff --git a/file b/file\nold mode 100644\nnew mode {mode}\n",
        f"diff --git a/file b/file\nold mode {mode}\nnew mode 100755\n",
        f"diff --git a/file b/file\ndeleted file mode {mode}\n--- a/file\n+++ /dev/null\n@@ -1 +0,0 @@\n-secret\n",
        f"diff --git a/file b/file\nindex 1234567..89abcde {mode}\n--- a/file\n+++ b/file\n@@ -1 +1 @@\n-secret\n+x\n",
    ):
        result = box.apply(text, dry_run=True)
        if result.result == "dry-run":
            assert result.plan is not None
            assert all(file.after_mode in (None, 0o100644, 0o100755) for file in result.plan.files), text
            box.apply(text)
            for path in box.root.rglob("*"):
                assert not path.lstat().st_mode & 0o7000, (mode, text)
            box.write("file", "secret\n", 0o644)


def test_a_setuid_file_loses_the_bit(box: Box) -> None:
    box.write("file", "secret\n", 0o4755)
    assert box.apply(changed("file")).result == "applied"
    assert stat.S_IMODE((box.root / "file").stat().st_mode) == 0o755


@pytest.mark.parametrize(
    "text",
    [
        "0a\nevil\n.\nw /tmp/evil\nq\n",
        "1d\n!touch evil\n",
        "--- a/file\n+++ b/file\n1,1c1\n< secret\n---\n> x\n",
        "1c1\n< secret\n---\n> x\n",
        "*** file\n--- file\n***************\n*** 1 ****\n! secret\n--- 1 ----\n! x\n",
        "Index: ../../x\nPrereq: y\n1c\nx\n.\n",
        "--- a/file\n+++ b/file\n@@ -1,99999999999999999999 +1,1 @@\n-secret\n+x\n",
        "--- a/file\n+++ b/file\n@@ -18446744073709551617 +1 @@\n-nowhere\n+x\n",
        "--- a/file\n+++ b/file\n@@ --1 +1 @@\n-nowhere\n+x\n",
        "--- a/file\n+++ b/file\n@@ -2147483647,2147483647 +2147483647,2147483647 @@\n-nowhere\n+x\n",
        "diff --git a/sub b/sub\nindex 1234567..89abcde 160000\n--- a/sub\n+++ b/sub\n"
        "@@ -1 +1 @@\n-Subproject commit 1111111\n+Subproject commit 2222222\n",
        "diff --cc file\nindex 1,2..3\n--- a/file\n+++ b/file\n@@@ -1,1 -1,1 +1,1 @@@\n- secret\n -x\n++y\n",
    ],
)
def test_texts_that_other_tools_would_carry_out(box: Box, text: str) -> None:
    box.write("file", "secret\n")
    assert unchanged(box, text).result in ("refused", "conflict")
    assert sorted(path.name for path in box.root.parent.iterdir()) == ["root"]


@pytest.mark.parametrize(
    "operations",
    [
        [made("a"), made("a")],
        [changed("file"), changed("file"), gone("file")],
        [made("a"), made("a/b")],
        [made("a/b"), made("a")],
        [made("file/x")],
        [made("inside")],
        [moved("file", "inside")],
        [moved("file", "inside/file")],
        [moved("file", "a"), moved("file", "b")],
        [moved("file", "a"), moved("inside/file", "a")],
        [moved("file", "a"), made("a")],
        [gone("file"), gone("file")],
    ],
)
def test_files_in_each_others_way(box: Box, operations: list[str]) -> None:
    box.write("file", "secret\n")
    box.write("inside/file", "secret\n")
    box.write("inside/other", "secret\n")
    assert unchanged(box, "".join(operations)).result in ("refused", "conflict")


def test_a_folder_may_become_a_file_and_a_file_a_folder(box: Box) -> None:
    """These are clear, and no attack."""
    box.write("moved", "secret\n")
    assert box.apply(moved("moved", "moved/x")).result == "applied"
    assert set(box.state()) == {"moved/x"}
    (box.root / "moved/x").unlink()
    (box.root / "moved").rmdir()
    box.write("inside/file", "secret\n")
    box.write("file", "secret\n")
    text = gone("inside/file") + made("inside") + gone("file") + made("file/x")
    assert box.apply(text).result == "applied"
    assert set(box.state()) == {"inside", "file/x"}


@pytest.mark.parametrize("format_name", ["git", "mbox"])
def test_many_bombs_are_refused_before_they_fill_the_memory(box: Box, format_name: str) -> None:
    """Each file of the patch is within the limit; all of them together would not fit."""
    packed = encode_binary(b"\0" * (64 * 1024 * 1024)) + encode_binary(b"")
    delta = encode_binary(b"\x80\x80\x04" + b"\x80\x80\x80\x40" + b"\xf0\xff\xff\xff" * 10).replace(
        b"literal", b"delta"
    )
    for data in (packed, delta + encode_binary(b"")):
        index = f"index {'2' * 40}..{'1' * 40} 100644\nGIT binary patch\n{data.decode()}"
        text = "".join(f"diff --git a/x{number} b/x{number}\n{index}" for number in range(30))
        assert len(text) < 4_000_000
        if format_name == "mbox":
            text = mails(*(f"diff --git{part}" for part in text.split("diff --git")[1:]))
        tracemalloc.start()
        try:
            result = unchanged(box, text, format=format_name)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert box.codes(result) == ["binary-too-large"]
        assert peak < 3 * MAX_BINARIES


def test_a_deep_path_is_made_and_taken_back(box: Box) -> None:
    assert box.codes(unchanged(box, made("d/" * 1500 + "f"))) == ["path-too-long"]
    path = "d/" * 250 + "f"
    result = box.apply(made(path))
    assert result.result == "applied"
    assert result.receipt is not None
    from vibehq_tui.patches.applying.engine import revert  # noqa: PLC0415 - only here

    assert revert(result.receipt, box.root).result == "applied"
    assert not (box.root / "d").exists()


HOSTILE = "a\x1b[2J\x9b31m\u202eb\u2066c\u200bd [red]e[/red] \u009d\x07.txt"


def shown(box: Box, *arguments: str, stdin: bytes = b"") -> tuple[str, str]:
    done = subprocess.run(
        [sys.executable, "-c", "from vibehq_tui.cli.patchctl import main; main()", *arguments],
        cwd=box.root,
        env={**os.environ, "PYTHONPATH": str(PROJECT), "PYTHONIOENCODING": "utf-8"},
        input=stdin,
        capture_output=True,
        check=False,
        timeout=60,
    )
    return done.stdout.decode(), done.stderr.decode()


def assert_harmless(text: str) -> None:
    bad = [char for char in text if (ord(char) < 32 and char not in "\n\t") or 0x7F <= ord(char) < 0xA0]
    assert bad == [], bad
    assert not set(text) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\u200e\u200f\ufeff")


CONTENT = "\x1b]0;title\x07\x1b[31mred\u202etxt.exe\u2069\r\x08[bold]x[/bold]\x9b2J"


@pytest.mark.parametrize("format_name", KINDS)
def test_nothing_that_is_shown_steers_the_terminal(box: Box, format_name: str) -> None:
    """In messages, in the diff of a dry run, and in JSON, which is plain ASCII; names and content alike."""
    box.write("file", f"{CONTENT}\nsecret\n")
    good = f"--- a/file\n+++ b/file\n@@ -1,2 +1,2 @@\n {CONTENT}\n-secret\n+{CONTENT}\n".encode()
    stale = f"--- a/file\n+++ b/file\n@@ -1,2 +1,2 @@\n {CONTENT}{CONTENT}\n-secrets\n+{CONTENT}\n".encode()
    texts = [*list(attacks(format_name, HOSTILE.replace("/", "|")).values())[:1]]
    texts += [good, stale] if format_name == "unified" else []
    box.write("batch", json.dumps([{"op": HOSTILE, "file": HOSTILE, HOSTILE: 1, "marker": CONTENT}]))
    for text in [*texts, (box.root / "batch").read_bytes()]:
        for arguments in (
            ["dry-run", "-"],
            ["apply", "-", "--dry-run", "--json"],
            ["apply", "-", "--format", format_name],
        ):
            output, errors = shown(box, *arguments, stdin=text)
            assert_harmless(output)
            assert_harmless(errors)
            if "--json" in arguments:
                assert output.isascii()
                json.loads(output)


def test_receipts_show_no_escapes(box: Box) -> None:
    box.write("file", "secret\n")
    text = mails(changed("file")).replace("Subject: [PATCH 1/1] One", f"Subject: [PATCH] {CONTENT}".replace("\r", ""))
    assert box.apply(text.replace("+changed", f"+{CONTENT}".replace("\r", ""))).result == "applied"
    name = json.loads(shown(box, "list", "--json")[0])["items"][0]["id"]
    for arguments in (["list"], ["show", name], ["show", name, "--json"], ["revert", name]):
        output, errors = shown(box, *arguments)
        assert_harmless(output)
        assert_harmless(errors)


def test_a_planted_journal_leads_nowhere(box: Box) -> None:
    """A repository may come with a ``.vibehq`` in which somebody seems to have died."""
    outside = box.root.parent / "outside"
    outside.mkdir()
    (outside / "file").write_text("secret\n")
    box.write("inside", "secret\n")
    box.write(".git/config", "secret\n")
    for path in ("../outside/file", "sub/../../outside/file", ".git/config", ".git/hooks/x", "/etc/x"):
        before = None if path.endswith("x") else b"secret\n"
        plan = Plan(
            files=(
                PlannedFile(
                    path=path,
                    op="create" if before is None else "modify",
                    before=before,
                    after=b"evil\n",
                    before_mode=None if before is None else 0o100644,
                    after_mode=0o100644,
                    hunks=(PlannedHunk(number=1),),
                ),
            )
        )
        receipt = Receipt(id="planted", kind="apply", at=1, order=1, meta={}, plan=plan, permissions={})
        with Canary([outside], [box.root / ".git"]) as canary:
            folder = box.root / ".vibehq/journal"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "planted").write_bytes(b"".join(encode(receipt)))
            with suppress(VibeError):
                box.apply("--- a/inside\n+++ b/inside\n@@ -1 +1 @@\n-secret\n+secret\n+more\n")
            canary.check()
            with suppress(VibeError):
                Applier(box.root).revert("planted")
            canary.check()
        shutil.rmtree(box.root / ".vibehq")
        box.write("inside", "secret\n")


def test_no_program_of_the_repository_is_run(box: Box) -> None:
    """Its configuration names programs for a fetch, a filter, a diff, a hook; to apply a patch none is needed."""
    box.write("file", "one\ntwo\nthree\n")
    box.write(".gitattributes", "* filter=evil diff=evil merge=evil\n")
    box.commit()
    trap = box.root.parent / "trapped"
    settings = {
        "core.repositoryformatversion": "1",
        "extensions.partialClone": "origin",
        "remote.origin.url": str(box.root),
        "remote.origin.promisor": "true",
        "remote.origin.partialclonefilter": "blob:none",
        "remote.origin.uploadpack": f"touch {trap}; false #",
        "core.fsmonitor": f"touch {trap}; false",
        "core.sshCommand": f"touch {trap}",
        "filter.evil.clean": f"touch {trap}; cat",
        "filter.evil.smudge": f"touch {trap}; cat",
        "diff.evil.textconv": f"touch {trap}; cat",
        "diff.external": f"touch {trap}",
        "merge.evil.driver": f"touch {trap}",
        "core.hooksPath": str(box.root / "hooks"),
    }
    for key, value in settings.items():
        box.git("config", key, value)
    box.write("hooks/post-index-change", f"#!/bin/sh\ntouch {trap}\n", 0o755)
    stale = (
        f"diff --git a/file b/file\nindex {'12' * 20}..{'34' * 20} 100644\n--- a/file\n+++ b/file\n"
        "@@ -1,3 +1,3 @@\n uno\n-two\n+zwei\n tres\n"
    )
    assert unchanged(box, stale).result == "conflict"
    assert box.apply(stale.replace("uno", "one").replace("tres", "three")).result == "applied"
    assert not trap.exists()


def test_a_hostile_state_folder_writes_nothing_outside(box: Box) -> None:
    """A repository may come with a ``.vibehq`` of its own."""
    outside = box.root.parent / "outside"
    outside.mkdir()
    for name in ("tmp", "journal", "receipts", "apply.lock", ".gitignore"):
        home = Box(box.root / name.strip("."))
        home.write("file", "secret\n")
        (home.root / ".vibehq").mkdir()
        (home.root / ".vibehq" / name).symlink_to(outside / "made" if name in ("apply.lock", ".gitignore") else outside)
        with Canary([outside]) as canary:
            result = home.apply(changed("file"))
            assert canary.events() == [], (name, result)
        assert list(outside.iterdir()) == [], name


def test_answers_and_events_are_not_put_outside(box: Box) -> None:
    outside = box.root.parent / "outside"
    outside.mkdir()
    box.write("file", "secret\n")
    (box.root / ".vibehq").mkdir()
    for name in ("answers", "inbox"):
        (box.root / ".vibehq" / name).symlink_to(outside)
    with Canary([outside]) as canary:
        event = json.dumps({"type": "patch.delivered", "patchId": "7", "message": "done"}).encode()
        assert "symbolic link" in shown(box, "notify", "-", stdin=event)[1]
        assert "symbolic link" in shown(box, "apply", "-", "--idempotency-key", "k", stdin=changed("file").encode())[1]
        assert [entry for entry in canary.events() if "0x100" in entry] == []
    assert list(outside.iterdir()) == []
    assert box.read("file") == b"secret\n"
    (box.root / ".vibehq/answers").unlink()
    assert "applied" in shown(box, "apply", "-", "--idempotency-key", "j", stdin=changed("file").encode())[0]
    (answer,) = (box.root / ".vibehq/answers").iterdir()
    answer.write_text("[]")
    assert "is broken" in shown(box, "apply", "-", "--idempotency-key", "j", stdin=changed("file").encode())[1]
