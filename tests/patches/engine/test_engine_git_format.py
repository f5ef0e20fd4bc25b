"""Git's own patches against git's own result, and everything that its headers can say."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from engine_helpers import Box, State, unchanged

from vibehq_tui.patches.applying.apply import Applier


def same_as_git(box: Box, before: str, patch: bytes) -> State:
    """Applies a patch with the engine, then with git onto the same state; both must agree. Answers the state."""
    assert patch
    start = box.state()
    result = box.apply(patch)
    assert (result.result, result.errors) == ("applied", ())
    ours = box.state()
    assert result.receipt is not None
    Applier(box.root).revert(result.receipt)
    assert box.state() == start
    box.git("apply", "--whitespace=nowarn", stdin=patch)
    assert box.state() == ours
    box.git("reset", "-q", "--hard", before)
    box.git("clean", "-fdq")
    return ours


def test_modify_create_delete(box: Box) -> None:
    box.lines("a.txt")
    box.lines("gone/deep/b.txt", 3)
    head = box.commit()
    text = box.read("a.txt").replace(b"line 5\n", b"five\n").replace(b"line 30\n", b"").replace(b"line 40\n", b"x\ny\n")
    box.write("a.txt", text)
    (box.root / "gone/deep/b.txt").unlink()
    box.write("new/dir/c.txt", "c\n")
    after = same_as_git(box, head, box.diff())
    assert set(after) == {"a.txt", "new/dir/c.txt"}
    assert not (box.root / "new").exists()


def test_rename_with_and_without_change(box: Box) -> None:
    box.lines("old/a.txt")
    box.lines("old/b.txt", prefix="other")
    head = box.commit()
    box.git("mv", "old/a.txt", "a2.txt")
    box.git("mv", "old/b.txt", "b2.txt")
    box.write("b2.txt", box.read("b2.txt").replace(b"other 7\n", b"seven\n"))
    patch = box.diff("-M")
    assert patch.count(b"rename to") == 2
    after = same_as_git(box, head, patch)
    assert set(after) == {"a2.txt", "b2.txt"}


def test_copy_takes_the_content_before_the_patch(box: Box) -> None:
    box.lines("a.txt")
    head = box.commit()
    box.write("copy.txt", box.read("a.txt").replace(b"line 3\n", b"three\n"))
    box.write("a.txt", box.read("a.txt").replace(b"line 9\n", b"nine\n"))
    patch = box.diff("-C")
    assert b"copy from a.txt" in patch
    after = same_as_git(box, head, patch)
    assert b"line 9\n" in after["copy.txt"][1]


def test_two_files_swap_their_names(box: Box) -> None:
    box.lines("a.txt", 200)
    box.lines("b.txt", 200, "other")
    head = box.commit()
    first, second = box.read("a.txt"), box.read("b.txt")
    box.write("a.txt", second)
    box.write("b.txt", first)
    patch = box.diff("-B", "-M")
    assert patch.count(b"rename to") == 2
    after = same_as_git(box, head, patch)
    assert after["a.txt"][1] == second
    assert after["b.txt"][1] == first


def test_executable_bit(box: Box) -> None:
    box.write("run.sh", "#!/bin/sh\n")
    box.write("tool", "x\n", 0o755)
    head = box.commit()
    (box.root / "run.sh").chmod(0o755)
    box.write("tool", "y\n", 0o644)
    box.write("made", "new\n", 0o755)
    after = same_as_git(box, head, box.diff())
    assert [after[name][0] for name in ("made", "run.sh", "tool")] == [0o100755, 0o100755, 0o100644]


def test_permission_bits_are_kept(box: Box) -> None:
    box.write("secret", "one\ntwo\n", 0o600)
    box.write("shared.sh", "one\n", 0o750)
    box.commit()
    box.write("secret", "one\n2\n")
    box.write("shared.sh", "two\n")
    patch = box.diff()
    (box.root / "secret").chmod(0o600)
    (box.root / "shared.sh").chmod(0o750)
    assert box.apply(patch).result == "applied"
    assert (box.root / "secret").stat().st_mode & 0o777 == 0o600
    assert (box.root / "shared.sh").stat().st_mode & 0o777 == 0o750


def test_a_rename_keeps_permission_bits(box: Box) -> None:
    box.write("secret", "one\ntwo\n", 0o600)
    patch = "diff --git a/secret b/hidden\nsimilarity index 100%\nrename from secret\nrename to hidden\n"
    assert box.apply(patch).result == "applied"
    assert (box.root / "hidden").stat().st_mode & 0o777 == 0o600


def test_new_files_honour_the_umask(box: Box) -> None:
    box.commit()
    box.write("made", "x\n")
    box.write("run", "x\n", 0o755)
    patch = box.diff()
    before = os.umask(0o077)
    try:
        assert box.apply(patch).result == "applied"
    finally:
        os.umask(before)
    assert (box.root / "made").stat().st_mode & 0o777 == 0o600
    assert (box.root / "run").stat().st_mode & 0o777 == 0o700


def test_missing_final_newlines(box: Box) -> None:
    box.write("none", "a\nb")
    box.write("some", "a\nb\n")
    box.write("both", "a\nb")
    head = box.commit()
    box.write("none", "a\nb\n")
    box.write("some", "a\nb")
    box.write("both", "A\nb")
    after = same_as_git(box, head, box.diff())
    assert after["none"][1] == b"a\nb\n"
    assert after["some"][1] == b"a\nb"
    assert after["both"][1] == b"A\nb"


def test_empty_files(box: Box) -> None:
    box.write("empty", "")
    box.write("filled", "")
    head = box.commit()
    (box.root / "empty").unlink()
    box.write("filled", "x\n")
    box.write("nothing", "")
    after = same_as_git(box, head, box.diff())
    assert after == {"filled": (0o100644, b"x\n"), "nothing": (0o100644, b"")}


def test_crlf_and_odd_bytes_survive(box: Box) -> None:
    box.write("dos.txt", b"".join(b"line %d\r\n" % number for number in range(20)))
    box.write("mixed.txt", b"a\r\nb\nc\r\rd\n\x0c\xff\xfe\ne\n")
    head = box.commit()
    box.write("dos.txt", box.read("dos.txt").replace(b"line 7\r\n", b"seven\r\nmore\r\n"))
    box.write("mixed.txt", b"a\r\nb\nc\r\rD\n\x0c\xff\xfe\ne\n")
    after = same_as_git(box, head, box.diff("--text"))
    assert b"seven\r\nmore\r\n" in after["dos.txt"][1]


@pytest.mark.parametrize("size", [0, 1, 51, 52, 53, 5000, 300_000])
def test_binary_files(box: Box, size: int) -> None:
    random_bytes = random.Random(size).randbytes
    box.write("image", b"\0" + random_bytes(size))
    box.write("gone", b"\0gone")
    head = box.commit()
    changed = bytearray(box.read("image"))
    changed[size // 2 : size // 2] = b"\0inserted"
    box.write("image", bytes(changed))
    box.write("made", b"\0\xff" + random_bytes(size))
    (box.root / "gone").unlink()
    patch = box.diff("--full-index")
    assert b"GIT binary patch" in patch
    same_as_git(box, head, patch)


def test_a_binary_delta_is_carried_out(box: Box) -> None:
    content = b"\0" + random.Random(1).randbytes(100_000)
    box.write("image", content)
    head = box.commit()
    box.write("image", content[:30_000] + b"cut" + content[60_000:] + content[:70_000])
    patch = box.diff("--full-index")
    assert b"\ndelta " in patch
    same_as_git(box, head, patch)


def test_a_binary_patch_for_another_file_is_a_conflict(box: Box) -> None:
    box.write("image", b"\0one")
    box.commit()
    box.write("image", b"\0two")
    patch = box.diff("--full-index")
    box.write("image", b"\0three")
    assert box.codes(unchanged(box, patch)) == ["binary-base"]


def test_binary_without_data_is_refused(box: Box) -> None:
    box.write("image", b"\0one")
    box.commit()
    box.write("image", b"\0two")
    box.git("add", "-A")
    patch = box.git("diff", "--cached")
    box.git("reset", "-q", "--hard")
    assert b"Binary files" in patch
    assert box.codes(unchanged(box, patch)) == ["binary-without-data"]


def test_symbolic_links(box: Box) -> None:
    box.write("dir/file", "x\n")
    (box.root / "link").symlink_to("dir/file")
    (box.root / "gone").symlink_to("dir/file")
    head = box.commit()
    (box.root / "link").unlink()
    (box.root / "link").symlink_to("dir")
    (box.root / "gone").unlink()
    (box.root / "dir/up").symlink_to("../dir/file")
    after = same_as_git(box, head, box.diff())
    assert after["link"] == (0o120000, b"dir")
    assert after["dir/up"] == (0o120000, b"../dir/file")


def test_a_file_becomes_a_link_and_a_link_a_file(box: Box) -> None:
    box.write("file", "x\n")
    box.write("other", "x\ny\n")
    (box.root / "link").symlink_to("file")
    head = box.commit()
    (box.root / "link").unlink()
    box.write("link", "plain\n")
    (box.root / "other").unlink()
    (box.root / "other").symlink_to("file")
    after = same_as_git(box, head, box.diff())
    assert after["link"] == (0o100644, b"plain\n")
    assert after["other"] == (0o120000, b"file")


def test_a_file_becomes_a_folder_and_a_folder_a_file(box: Box) -> None:
    box.write("file", "x\n")
    box.write("folder/one", "1\n")
    box.write("folder/deep/two", "2\n")
    head = box.commit()
    (box.root / "file").unlink()
    box.write("file/inside", "in\n")
    for path in ("folder/one", "folder/deep/two"):
        (box.root / path).unlink()
    (box.root / "folder/deep").rmdir()
    (box.root / "folder").rmdir()
    box.write("folder", "now a file\n")
    after = same_as_git(box, head, box.diff("--no-renames"))
    assert set(after) == {"file/inside", "folder"}


@pytest.mark.parametrize(
    "name",
    [
        "with space.txt",
        " leading and trailing ",
        "tab\there.txt",
        "ünï/cödé.txt",
        'quo"te.txt',
        "back\\slash.txt",
        "a b/b a/a b.txt",
        "b/a/b.txt",
        "日本語.txt",
    ],
)
def test_names(box: Box, name: str) -> None:
    box.lines(name, 10)
    box.lines(f"{name}.moved", 30, "other")
    head = box.commit()
    box.write(name, box.read(name).replace(b"line 4\n", b"four\n"))
    (box.root / f"{name}.moved").rename(box.root / f"{name}.there")
    for options in (["-M"], ["--no-renames"]):
        patch = box.diff(*options)
        same_as_git(box, head, patch)
        box.write(name, box.read(name).replace(b"line 4\n", b"four\n"))
        (box.root / f"{name}.moved").rename(box.root / f"{name}.there")


def test_names_that_are_no_utf8(box: Box) -> None:
    name = os.fsdecode(b"caf\xe9.txt")
    (box.root / name).write_bytes(b"one\ntwo\n")
    head = box.commit()
    (box.root / name).write_bytes(b"one\n2\n")
    patch = box.diff()
    assert b"\\351" in patch
    same_as_git(box, head, patch)


@pytest.mark.parametrize(
    "options",
    [
        ["--no-prefix"],
        ["--src-prefix=old/", "--dst-prefix=new/"],
        ["--src-prefix=one/two/", "--dst-prefix=uno/due/"],
        ["-U0"],
        ["-U1"],
        ["-U100"],
        ["--minimal", "--patience"],
        ["--full-index"],
        ["--function-context"],
    ],
)
def test_options_of_git_diff(box: Box, options: list[str]) -> None:
    box.lines("src/main.py", 200)
    box.lines("src/gone.py", 5)
    box.commit()
    text = box.read("src/main.py")
    for number in (1, 2, 50, 51, 57, 199, 200):
        text = text.replace(b"line %d\n" % number, b"changed %d\nand more\n" % number)
    box.write("src/main.py", text)
    box.write("src/made.py", "x\n")
    (box.root / "src/gone.py").unlink()
    wanted = box.state()
    patch = box.diff(*options)
    result = box.apply(patch)
    assert (result.result, box.codes(result)) == ("applied", [])
    assert box.state() == wanted
    assert {hunk["match"] for file in result.files for hunk in file["hunks"]} == {"exact"}


def test_only_a_mode(box: Box) -> None:
    box.write("a", "x\n")
    result = box.apply("diff --git a/a b/a\nold mode 100644\nnew mode 100755\n")
    assert (result.result, result.files[0]["op"]) == ("applied", "mode")
    assert (box.root / "a").stat().st_mode & 0o111
    assert result.files[0]["hunks"] == [{"number": 1, "line": 0, "match": "exact"}]


@pytest.mark.parametrize("mode", ["104755", "160000", "040000", "100777", "777", "100644x", "-1"])
def test_modes_that_no_patch_may_set(box: Box, mode: str) -> None:
    box.write("a", "x\n")
    for patch in (
        f"diff --git a/a b/a\nold mode 100644\nnew mode {mode}\n",
        f"diff --git a/n b/n\nnew file mode {mode}\n--- /dev/null\n+++ b/n\n@@ -0,0 +1 @@\n+x\n",
        f"diff --git a/a b/a\ndeleted file mode {mode}\n--- a/a\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n",
    ):
        assert unchanged(box, patch).result == "refused"


def test_a_mode_change_cannot_make_a_link(box: Box) -> None:
    box.write("a", "target")
    result = unchanged(box, "diff --git a/a b/a\nold mode 100644\nnew mode 120000\n")
    assert result.result == "refused"


@pytest.mark.parametrize(
    "header",
    [
        "diff --git a/x b/y\nindex 1234567..89abcde 100644\n--- a/x\n+++ b/y\n",
        "diff --git a/x b/x\nindex 1234567..89abcde 100644\n--- a/y\n+++ b/y\n",
        "diff --git a/x b/y\nrename from x\n--- a/x\n+++ b/y\n",
        "diff --git a/x b/y\nrename from x\nrename to z\n",
        "diff --git a/x b/y\nrename from x\nrename to y\ncopy from x\ncopy to y\n",
        "diff --git a/x b/x\nnew file mode 100644\ndeleted file mode 100644\n--- /dev/null\n+++ /dev/null\n",
        'diff --git "a/x b/x\nold mode 100644\nnew mode 100755\n',
        'diff --git "a/\\q" "b/\\q"\nold mode 100644\nnew mode 100755\n',
        "diff --git a/x b/x\nindex zzz..yyy\n",
    ],
)
def test_headers_that_contradict_themselves(box: Box, header: str) -> None:
    box.write("x", "one\n")
    assert unchanged(box, header + "@@ -1 +1 @@\n-one\n+two\n").result == "refused"


def test_a_header_without_its_body_was_cut_off(box: Box) -> None:
    box.lines("a", 9)
    box.commit()
    box.write("a", "other\n")
    box.write("n", "new\n")
    patch = box.diff()
    starts = [patch.index(b"@@ -1,9"), patch.index(b"--- a/a"), patch.index(b"index ")]
    for end in starts:
        assert box.codes(unchanged(box, patch[:end])) == ["truncated"], patch[:end]
    created = patch[patch.index(b"diff --git a/n") :]
    assert box.codes(unchanged(box, created[: created.index(b"---")])) == ["truncated"]


def test_deletion_must_show_what_goes(box: Box) -> None:
    box.write("a", "x\n")
    assert box.codes(unchanged(box, "diff --git a/a b/a\ndeleted file mode 100644\n")) == ["unknown-content"]
    box.commit()
    (box.root / "a").unlink()
    patch = box.diff("--irreversible-delete")
    assert b"@@" not in patch
    assert box.apply(patch).result == "applied"
    assert box.state() == {}


def test_deletion_of_a_file_with_more_in_it(box: Box) -> None:
    box.lines("a", 5)
    box.commit()
    (box.root / "a").unlink()
    patch = box.diff()
    box.lines("a", 6)
    assert unchanged(box, patch).result == "conflict"


def test_format_patch_with_its_mail(box: Box, tmp_path: Path) -> None:
    box.lines("a.txt")
    box.commit()
    box.write("a.txt", box.read("a.txt").replace(b"line 5\n", b"five\n"))
    box.git("add", "-A")
    body = "Longer text\n\n- a list\n+ odd\n--- not a header\n"
    box.git("commit", "-q", "-m", f"Größe: a title\n\n{body}")
    wanted = box.state()
    mail = box.git("format-patch", "--stdout", "-1")
    box.git("reset", "-q", "--hard", "HEAD~1")
    result = box.apply(mail)
    assert (result.result, box.codes(result), box.repairs(result)) == ("applied", [], [])
    assert box.state() == wanted
    assert result.receipt is not None
    assert Applier(box.root).load(result.receipt).meta["title"] == "Größe: a title"


def test_a_mail_that_was_cut_off_between_files(box: Box) -> None:
    box.lines("a.txt")
    box.lines("b.txt")
    box.commit()
    for name in ("a.txt", "b.txt"):
        box.write(name, box.read(name).replace(b"line 5\n", b"five\n"))
    box.git("commit", "-q", "-a", "-m", "both")
    mail = box.git("format-patch", "--stdout", "-1")
    box.git("reset", "-q", "--hard", "HEAD~1")
    cut = mail[: mail.index(b"diff --git a/b.txt")]
    assert box.codes(unchanged(box, cut)) == ["truncated"]


def test_an_encoded_mail_is_refused(box: Box) -> None:
    box.write("a", "x\n")
    mail = "From: Ada <ada@example.com>\nSubject: x\nContent-Transfer-Encoding: quoted-printable\n\n"
    assert box.codes(unchanged(box, mail + "--- a/a\n+++ b/a\n@@ -1 +1 @@\n-x\n+=3D\n")) == ["mail-encoding"]


@pytest.mark.parametrize(
    "start", ["diff --cc a\n", "diff --combined a\n", "*** Begin Patch\n", "***************\n*** 1,3 ****\n"]
)
def test_formats_that_are_not_read(box: Box, start: str) -> None:
    assert unchanged(box, start).result == "refused"


def test_the_same_file_twice(box: Box) -> None:
    box.write("a", "x\n")
    one = "--- a/a\n+++ b/a\n@@ -1 +1 @@\n-x\n+y\n"
    assert box.codes(unchanged(box, one + one)) == ["same-file-twice"]
    gone = "diff --git a/a b/a\ndeleted file mode 100644\n--- a/a\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n"
    assert box.codes(unchanged(box, one + gone)) == ["same-file-twice"]
