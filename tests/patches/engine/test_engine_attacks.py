"""Everything that a hostile patch could try: refused, nothing outside the root read or written, nothing in ``.git``."""

from __future__ import annotations

import json
import os
import socket
import stat
import zlib
from pathlib import Path

import pytest
from attack_texts import KINDS, attacks
from canary import Canary
from engine_helpers import Box, unchanged

from vibehq_tui.patches.applying.apply import Applier
from vibehq_tui.patches.errors import PatchRefused
from vibehq_tui.patches.formats import parse
from vibehq_tui.patches.formats.binary import MAX_BINARY, apply_delta, encode_binary
from vibehq_tui.patches.paths import link_target_problem, path_problem
from vibehq_tui.patches.planning.planner import make_plan
from vibehq_tui.patches.planning.tree import WorkTree

PATHS = [
    "../secret",
    "a/../../secret",
    "a/..",
    "..",
    "/etc/passwd",
    "//server/share",
    "C:\\windows\\x",
    "c:/windows",
    "C:",
    "\\\\server\\share",
    "..\\secret",
    "a\\..\\..\\secret",
    ".git/hooks/pre-commit",
    ".git",
    ".GIT/config",
    ".Git/config",
    "sub/.git/config",
    "sub/.gIt/config",
    "git~1/config",
    "GIT~1/config",
    "git~2/config",
    ".git./config",
    ".git /config",
    ".git . ./config",
    ".git::$INDEX_ALLOCATION/config",
    ".git:x/config",
    ".g\u200cit/config",
    ".git\u200f/config",
    "\ufeff.git/config",
    ".g\u200di\u206at/config",
    "x\\.git\\config",
    ".vibehq/receipts/x",
    ".VibeHQ/x",
    ".vibehq./x",
    "name\nwith newline",
    "name\rwith return",
    "escape\x1b[31m",
    "nul\0",
    "bell\a",
    "delete\x7f",
    "c1\x9b31m",
    "-rf",
    "--force",
    "a//b",
    "a/",
    "a/./b",
    "./../a",
    "x" * 256,
    "ü" * 128,
    "/".join(["deep"] * 1000),
]


MEANT_WELL = {"a//b", "a/", "a/./b", "./../a"}
"""Names that some readers put right; what they make of them stays inside, or they refuse."""


@pytest.mark.parametrize("format_name", KINDS)
@pytest.mark.parametrize("path", PATHS, ids=[ascii(path[:30]) for path in PATHS])
def test_no_name_leads_out(box: Box, path: str, format_name: str) -> None:
    parent = box.root.parent
    (parent / "secret").write_bytes(b"secret\n")
    (parent / "outside").mkdir()
    (parent / "outside/file").write_bytes(b"secret\n")
    box.write("file", "secret\n")
    box.write(".git/hooks/keep", "hook\n")
    box.write(".git/config", "secret\n")
    with Canary([parent, parent / "outside"], [box.root]) as canary:
        for kind, text in attacks(format_name, path).items():
            for asked in (format_name, "auto"):
                result = box.apply(text, format=asked, dry_run=path in MEANT_WELL)
                assert result.result == "refused" or path in MEANT_WELL, (kind, asked, result)
                assert all(path_problem(file["path"]) is None for file in result.files), kind
        canary.check()
    assert not (box.root / ".vibehq").exists()


def test_the_canary_notices(box: Box) -> None:
    outside = box.root.parent / "outside"
    outside.mkdir()
    (outside / "file").write_text("secret\n")
    hook = box.write(".git/hooks/x", "hook\n")
    with Canary([outside], [box.root / ".git"]) as canary:
        canary.check()
        assert (outside / "file").read_text() == "secret\n"
        assert len(canary.events()) >= 2
        assert hook.read_text() == "hook\n"
        assert canary.events() == []
        hook.touch()
        assert canary.events() != []
        (outside / "new").write_text("x")
        with pytest.raises(AssertionError):
            canary.check()


@pytest.mark.parametrize("format_name", KINDS)
def test_the_same_patches_do_what_they_say_with_a_good_name(box: Box, format_name: str) -> None:
    """Otherwise the refusals of the others would prove nothing."""
    box.write("file", "secret\n")
    box.write("good/name.txt", "secret\n")
    never = ("link", "submodule", "binary", "first, link", "first, submodule", "first, binary")
    tried = 0
    for path in ("good/name.txt", "good/new.txt"):
        for kind, text in attacks(format_name, path).items():
            wants_new = any(word in kind for word in ("add", "create", "new", "copy to", "rename to", "move to"))
            wants_new = wants_new and kind not in ("new name", "create from")
            wants_new = wants_new or format_name == "whole-file"
            if kind.endswith(never) or wants_new != (path == "good/new.txt"):
                continue
            if kind in ("old name", "new name") or "hidden" in kind:
                continue  # These name two files, of which only one is there, or not what their header names.
            result = box.apply(text, format=format_name, dry_run=True)
            assert result.result == "dry-run", (kind, path, result)
            assert (
                path in [file[key] for file in result.files for key in ("path", "from")]
                or "from" in kind
                or kind == "block file"
            )
            tried += 1
    assert tried >= 4


@pytest.mark.parametrize(
    "path",
    [
        "a",
        "a/b",
        ".gitignore",
        ".gitattributes",
        ".github/x",
        "git",
        "x.git",
        "a b",
        "tab\there",
        "ünï",
        ".git2/x",
        "a..b",
        "...",
        "..a",
        "a\\b",
        "~",
        "git~x",
        "con",
        "a-b",
        "a:b/c",
        "\udcff",
        "x" * 255,
    ],
)
def test_names_that_are_fine(path: str) -> None:
    assert path_problem(path) is None


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("link", b"/etc/passwd"),
        ("link", b"../outside"),
        ("a/link", b"../../outside"),
        ("a/b/link", b"../../../outside"),
        ("link", b"a/../../outside"),
        ("link", b"a/.."),
        ("link", b""),
        ("link", b".git/config"),
        ("a/link", b"../.GIT/config"),
        ("link", b".vibehq"),
        ("link", b"C:\\x"),
        ("link", b"\\\\server"),
        ("link", b"a\0b"),
        ("link", b"a\nb"),
    ],
)
def test_links_stay_inside(box: Box, path: str, target: bytes) -> None:
    assert link_target_problem(path, target) is not None
    if b"\0" in target or b"\n" in target or not target:
        return
    shown = target.decode()
    result = unchanged(
        box,
        f"diff --git a/{path} b/{path}\nnew file mode 120000\n--- /dev/null\n+++ b/{path}\n"
        f"@@ -0,0 +1 @@\n+{shown}\n\\ No newline at end of file\n",
    )
    assert (result.result, box.codes(result)) == ("refused", ["symlink-target"])


@pytest.mark.parametrize(
    ("path", "target"), [("l", b"a"), ("a/l", b"../b"), ("a/b/l", b"../../c/d"), ("l", b"./a/./b")]
)
def test_links_inside_are_fine(path: str, target: bytes) -> None:
    assert link_target_problem(path, target) is None


def test_a_link_is_not_turned_outwards(box: Box) -> None:
    (box.root / "link").symlink_to("inside")
    patch = (
        "diff --git a/link b/link\nindex 1..2 120000\n--- a/link\n+++ b/link\n@@ -1 +1 @@\n-inside\n"
        "\\ No newline at end of file\n+../outside\n\\ No newline at end of file\n"
    ).replace("index 1..2", "index 1234567..89abcde")
    result = unchanged(box, patch)
    assert result.result in ("refused", "conflict")
    assert unchanged(box, patch.replace("index 1234567..89abcde 120000\n", "")).result == "refused"


def test_a_moved_link_must_stay_inside_from_its_new_place(box: Box) -> None:
    box.write("file", "x\n")
    (box.root / "deep").mkdir()
    (box.root / "deep/link").symlink_to("../file")
    patch = "diff --git a/deep/link b/link\nsimilarity index 100%\nrename from deep/link\nrename to link\n"
    assert box.codes(unchanged(box, patch)) == ["symlink-target"]


def links_out(box: Box) -> Path:
    """A root with a link to a folder outside, and one to a file outside."""
    outside = box.root.parent / "outside"
    outside.mkdir()
    (outside / "file").write_text("secret\n")
    (box.root / "dir").symlink_to(outside)
    (box.root / "link").symlink_to(outside / "file")
    box.write("file", "secret\n")
    return outside


@pytest.mark.parametrize("format_name", KINDS)
@pytest.mark.parametrize("path", ["dir/file", "link", "dir/deep/new"])
def test_nothing_is_read_or_written_through_a_link(box: Box, path: str, format_name: str) -> None:
    outside = links_out(box)
    with Canary([outside]) as canary:
        for kind, text in attacks(format_name, path).items():
            if kind in ("old name", "new name"):
                continue  # With the other name of the header these mean the file in the root.
            result = box.apply(text, format=format_name, dry_run=path == "link")
            if path != "link" or ("delete" not in kind and "from" not in kind):
                # The link itself may be moved or removed; see below.
                assert result.result in ("refused", "conflict"), (kind, result)
            canary.check()


def test_nothing_new_is_made_through_a_link(box: Box) -> None:
    outside = links_out(box)
    made = "--- /dev/null\n+++ b/dir/made\n@@ -0,0 +1 @@\n+x\n"
    assert box.codes(unchanged(box, made)) == ["symlink-parent"]
    assert not (outside / "made").exists()


def test_a_link_is_deleted_and_not_what_it_points_to(box: Box) -> None:
    outside = links_out(box)
    assert box.apply(json.dumps([{"op": "delete", "file": "link"}])).result == "applied"
    assert not (box.root / "link").is_symlink()
    assert (outside / "file").read_text() == "secret\n"


def test_a_patch_cannot_make_a_link_and_write_through_it(box: Box) -> None:
    box.write("file", "x\n")
    link = (
        "diff --git a/out b/out\nnew file mode 120000\n--- /dev/null\n+++ b/out\n@@ -0,0 +1 @@\n+{}\n"
        "\\ No newline at end of file\n"
    )
    through = "--- /dev/null\n+++ b/out/made\n@@ -0,0 +1 @@\n+x\n"
    for target in ("..", "file"):
        result = unchanged(box, link.format(target) + through)
        assert result.result in ("refused", "conflict")
    rename = "diff --git a/file b/out\nsimilarity index 100%\nrename from file\nrename to out\n"
    assert unchanged(box, rename + through).result in ("refused", "conflict")


def test_a_link_that_takes_the_place_of_a_folder_is_not_followed(box: Box) -> None:
    """Between the plan and its application somebody replaces a folder by a link."""
    outside = box.root.parent / "outside"
    outside.mkdir()
    (outside / "file").write_text("old\n")
    box.write("dir/file", "old\n")
    plan = make_plan(parse(b"--- a/dir/file\n+++ b/dir/file\n@@ -1 +1 @@\n-old\n+new\n"), WorkTree(box.root))
    (box.root / "dir").rename(box.root / "moved")
    (box.root / "dir").symlink_to(outside)
    with pytest.raises(PatchRefused):
        Applier(box.root).apply(plan)
    assert (outside / "file").read_text() == "old\n"
    assert (box.root / "moved/file").read_text() == "old\n"


@pytest.mark.parametrize("format_name", KINDS)
@pytest.mark.parametrize("marker", ["folder", "file"])
def test_a_repository_within_is_not_touched(box: Box, marker: str, format_name: str) -> None:
    box.write("sub/file", "secret\n")
    if marker == "folder":
        box.write("sub/.git/HEAD", "x")
    else:
        box.write("sub/.git", "gitdir: elsewhere")
    with Canary([], [box.root / "sub"]) as canary:
        for path in ("sub/file", "sub/deep/new"):
            for kind, text in attacks(format_name, path).items():
                if kind not in ("old name", "new name"):
                    result = box.apply(text, format=format_name)
                    assert result.result in ("refused", "conflict"), (kind, result)
        canary.check()


def test_what_is_no_file_is_not_opened(box: Box) -> None:
    os.mkfifo(box.root / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        before = Path.cwd()
        os.chdir(box.root)
        try:
            server.bind("socket")
        finally:
            os.chdir(before)
        for name in ("pipe", "socket"):
            result = box.apply(f"--- a/{name}\n+++ b/{name}\n@@ -1 +1 @@\n-a\n+b\n")
            assert box.codes(result) == ["not-a-file"]
        assert stat.S_ISFIFO((box.root / "pipe").lstat().st_mode)


def test_the_state_folder_is_no_link(box: Box) -> None:
    outside = box.root.parent / "outside"
    outside.mkdir()
    (box.root / ".vibehq").symlink_to(outside)
    box.write("f", "a\n")
    result = unchanged(box, "--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n")
    assert (result.result, "symbolic link" in result.errors[0].message) == ("refused", True)
    assert list(outside.iterdir()) == []


def binary_patch(data: bytes) -> bytes:
    """A binary creation with these lines as its data."""
    blob = b"1" * 40
    head = b"diff --git a/x b/x\nnew file mode 100644\nindex " + b"0" * 40 + b".." + blob + b"\nGIT binary patch\n"
    return head + data


def test_a_bomb_is_not_unpacked(box: Box) -> None:
    packed = encode_binary(b"\0" * 50_000_000).partition(b"\n")[2]
    result = unchanged(box, binary_patch(b"literal 100\n" + packed))
    assert (result.result, box.codes(result)) == ("refused", ["binary-corrupt"])
    result = unchanged(box, binary_patch(b"literal %d\n" % (MAX_BINARY + 1) + packed))
    assert box.codes(result) == ["binary-too-large"]


def test_a_delta_that_copies_without_end_is_refused(box: Box) -> None:
    def size(value: int) -> bytes:
        output = b""
        while True:
            output += bytes([value & 0x7F | (0x80 if value > 0x7F else 0)])
            value >>= 7
            if not value:
                return output

    base = b"x" * 0xFFFF
    copy_all = bytes([0b10110000, 0xFF, 0xFF])
    for delta in (
        size(len(base)) + size(2**40) + copy_all * 10,
        size(len(base)) + size(100) + copy_all,
        size(len(base)) + size(0xFFFF * 2) + copy_all,
        size(5) + size(5) + b"\x05abcde",
        size(len(base)) + size(5) + b"\x05ab",
        size(len(base)) + size(5) + b"\x00",
        size(len(base)) + size(5) + bytes([0b10010001]),
        b"",
        b"\xff" * 50,
    ):
        with pytest.raises(PatchRefused):
            apply_delta(base, delta, "x")


@pytest.mark.parametrize(
    "data",
    [
        b"literal 3\nz" + b"0" * 65 + b"\n\n",
        b"literal 3\nD~~~~~\n\n",
        b"literal 3\nD00000\n\n",
        b"literal 3\n~~~\n\n",
        b"literal 3\n\n",
        b"literal x\n\n",
        b"literal 3\nAc \x01\xff0\n\n",
        b"",
    ],
)
def test_damaged_binary_data(box: Box, data: bytes) -> None:
    assert unchanged(box, binary_patch(data)).result == "refused"


def test_data_that_does_not_make_the_blob_it_names(box: Box) -> None:
    result = unchanged(box, binary_patch(encode_binary(b"\0abc") + encode_binary(b"")))
    assert box.codes(result) == ["binary-corrupt"]
    assert zlib.crc32(b"") == 0


def test_many_wide_numbers_do_not_hang(box: Box) -> None:
    box.write("f", "a\n")
    header = "@@ -1,2147483647 +1,2147483647 @@\n"
    assert unchanged(box, f"--- a/f\n+++ b/f\n{header} a\n+b\n").result == "refused"
