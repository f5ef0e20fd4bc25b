"""Diffs whose line numbers are absent, damaged or not to be believed."""

from __future__ import annotations

import pytest
from format_helpers import codes, content, only, read, refused, shown

NAMES = "--- a/src/app.py\n+++ b/src/app.py\n"
BODY = " def f():\n-    return 1\n+    return 2\n"
LINES = [" def f():", "-    return 1", "+    return 2"]


@pytest.mark.parametrize(
    ("header", "anchors", "repairs"),
    [
        ("@@", (), []),
        ("@@ @@", (), []),
        ("@@ ... @@", (), []),
        ("@@ … @@", (), []),
        ("@@ def f():", (b"def f():",), []),
        ("@@ def f(): @@", (b"def f():",), []),
        ("@@ ... @@ class A:", (b"class A:",), []),
        ("@@     def f(self):", (b"    def f(self):",), []),
        ("@@ class A:\n@@     def f(self):", (b"class A:", b"    def f(self):"), []),
        ("@@ -12 @@", (), ["hunk-header"]),
        ("@@ -12,3 @@", (), ["hunk-header"]),
        ("@@ -1,2 +1,2 @", (), ["hunk-header"]),
        ("@@ -1,2 +1,2", (), ["hunk-header"]),
        ("@@ -?,? +?,? @@", (), ["hunk-header"]),
        ("@@ -X,Y +X,Y @@ def f():", (b"def f():",), ["hunk-header"]),
        ("@@ -,+ @@", (), ["hunk-header"]),
        ("@@ line 12 @@", (), ["hunk-header"]),
        ("@@ lines 12-15 @@", (), ["hunk-header"]),
        ("@@ 12 @@", (), ["hunk-header"]),
    ],
)
def test_headers(header: str, anchors: tuple[bytes, ...], repairs: list[str]) -> None:
    parsed = read(f"```diff\n{NAMES}{header}\n{BODY}```\n")
    assert (parsed.format, codes(parsed)) == ("udiff", repairs)
    change = parsed.changes[0]
    assert (change.path, change.op, change.ordered) == ("src/app.py", "modify", False)
    hunk = change.hunks[0]
    assert (hunk.anchors, hunk.numbered) == (anchors, False)
    assert (hunk.old_start, hunk.old_count, hunk.new_start, hunk.new_count) == (0, 0, 0, 0)
    assert shown(hunk) == LINES


@pytest.mark.parametrize("text", [f"{NAMES}@@ ... @@\n{BODY}", f"{NAMES}\n@@ ... @@\n{BODY}\n\nThat is all.\n"])
def test_outside_of_a_fence(text: str) -> None:
    assert [shown(hunk) for hunk in only(text).hunks] == [LINES]


def test_several_hunks_and_files() -> None:
    parsed = read(
        f"Two files:\n\n```diff\n{NAMES}@@ ... @@\n{BODY}\n@@ ... @@\n-x\n\n+y\n"
        "--- b.py\n+++ b.py\n@@ ... @@\n-p\n+q\n```\n\n"
        "And one more:\n\n~~~diff\n--- /dev/null\n+++ b/new.py\n@@ ... @@\n+print()\n~~~\n"
    )
    first, second, third = parsed.changes
    assert [shown(hunk) for hunk in first.hunks] == [LINES, ["-x", " ", "+y"]]
    assert first.hunks[0].tail == ((" ", b"\n"),)
    assert (second.path, shown(second.hunks[0])) == ("b.py", ["-p", "+q"])
    assert (third.op, third.path, content(third)) == ("create", "new.py", "print()\n")


def test_a_git_diff_in_which_some_headers_are_bare() -> None:
    parsed = read(
        "diff --git a/f b/f\nindex 1234567..89abcde 100644\n--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n@@\n-d\n+e\n"
    )
    change = parsed.changes[0]
    assert (parsed.format, codes(parsed), change.old_blob) == ("git", ["hunk-header"], "1234567")
    assert [hunk.numbered for hunk in change.hunks] == [True, False]
    assert change.ordered


def test_numbers_that_are_not_to_be_believed() -> None:
    text = f"{NAMES}@@ -400,9 +400,9 @@ def g():\n{BODY}"
    assert read(text).format == "unified"
    parsed = read(text, "udiff")
    assert parsed.format == "udiff"
    hunk = parsed.changes[0].hunks[0]
    assert (hunk.numbered, hunk.old_start, hunk.section, parsed.changes[0].ordered) == (False, 0, "def g():", False)
    assert shown(hunk) == LINES


def test_no_header_at_all() -> None:
    parsed = read(f"```diff\n{NAMES}{BODY}```\n")
    assert (parsed.format, codes(parsed)) == ("udiff", ["hunk-header"])
    assert shown(parsed.changes[0].hunks[0]) == LINES
    assert refused("--- a title\n+++ another\n- item\n") == "no-changes"


@pytest.mark.parametrize(
    "text",
    [
        f"src/app.py\n```diff\n@@ ... @@\n{BODY}```\n",
        f"**src/app.py**\n\n```diff\n@@ -1,2 +1,2 @@\n{BODY}```\n",
        f"```diff src/app.py\n@@\n{BODY}```\n",
    ],
)
def test_a_name_above_the_fence(text: str) -> None:
    parsed = read(text)
    assert (parsed.changes[0].path, codes(parsed)) == ("src/app.py", ["file-header"])
    assert shown(parsed.changes[0].hunks[0]) == LINES


@pytest.mark.parametrize(
    "text",
    [
        f"```diff\n@@ ... @@\n{BODY}```\n",
        f"Like this:\n\n```diff\n{BODY}```\n",
        f"```diff\n@@ -1,2 +1,2 @@\n{BODY}```\n",
    ],
)
def test_a_diff_that_names_no_file(text: str) -> None:
    assert refused(text) == "no-file-header"


def test_elided_context() -> None:
    change = only(f"{NAMES}@@ ... @@\n class A:\n     # ... rest unchanged\n{BODY} ...\n-    end\n")
    assert [shown(hunk) for hunk in change.hunks] == [[" class A:"], LINES, ["-    end"]]
    assert [hunk.continues for hunk in change.hunks] == [False, True, True]
    assert refused(f"{NAMES}@@ ... @@\n{BODY}+# ... rest of the code unchanged\n") == "elided"
    assert refused(f"{NAMES}@@ ... @@\n{BODY}...\n+new\n") == "elided"


def test_context_that_lost_all_its_blanks() -> None:
    parsed = read(f"```diff\n{NAMES}@@\nfunc main() {{\n\ta()\n-\tb()\n+\tc()\n}}\n```\n")
    assert codes(parsed) == ["lost-mark"]
    assert shown(parsed.changes[0].hunks[0]) == [" func main() {", " \ta()", "-\tb()", "+\tc()", " }"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (f"```diff\n{NAMES}@@\n a\nb\n-c\n+d\n```\n", "malformed-hunk"),
        (f"```diff\n{NAMES}@@\n a\n-c\n+d\n\nAnd so on.\n```\n", "malformed-hunk"),
        (f"{NAMES}@@\n{BODY}Prose right behind.\n", "malformed-hunk"),
        (f"{NAMES}@@\n{BODY}\nlost its blank\n+ and goes on\n", "malformed-hunk"),
        (f"{NAMES}@@\n{BODY}\n- It returns two.\n- It is good.\n", "malformed-hunk"),
        (f"{NAMES}@@\n a\n b\n", "truncated"),
        (f"{NAMES}@@\n", "truncated"),
        (f"{NAMES}@@ ... @@\n\n", "truncated"),
        (f"{NAMES}@@\n@@ -1 +1 @@\n-a\n+b\n", "empty-hunk"),
        (f"{NAMES}@@\n{BODY.removesuffix(chr(10))}", "truncated"),
        (f"{NAMES}@@ -1,99999999999999999999 +1 @@\n-a\n+b\n", "hunk-header"),
        (f"{NAMES}@@ -99999999999999999999\n-a\n+b\n", "hunk-header"),
    ],
)
def test_hunks_that_cannot_be_read(text: str, code: str) -> None:
    assert refused(text) == code


def test_a_last_line_without_newline() -> None:
    parsed = read(f"{NAMES}@@\n{BODY}     pass")
    assert (parsed.unfinished, codes(parsed)) == (True, ["patch-newline"])
    assert codes(read(f"```diff\n{NAMES}@@\n{BODY}```")) == ["patch-newline"]


def test_a_hunk_without_context_does_not_create_a_file() -> None:
    change = only(f"{NAMES}@@ ... @@\n+x\n")
    assert (change.op, change.may_create) == ("modify", False)


def test_final_newline_marks() -> None:
    hunk = only(f"{NAMES}@@\n a\n-b\n\\ No newline at end of file\n+c\n\\ No newline at end of file\n").hunks[0]
    assert hunk.lines == ((" ", b"a\n"), ("-", b"b"), ("+", b"c"))
    assert refused(f"{NAMES}@@\n-b\n\\ No newline at end of file\n a\n+c\n") == "malformed-hunk"


def test_crlf() -> None:
    change = only(f"{NAMES}@@ def f():\n{BODY}".replace("\n", "\r\n"))
    assert change.hunks[0].crlf_text
    assert change.hunks[0].anchors == (b"def f():",)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("../../etc/passwd", "path-outside"),
        ("/etc/passwd", "path-absolute"),
        (".git/hooks/pre-commit", "path-protected"),
        ("a/.git/config", "path-protected"),
        ('"a/\\056\\056/x"', "path-outside"),
        ("-x", "path-option"),
        ("a/\x1bb", "path-control"),
    ],
)
def test_unsafe_names(name: str, code: str) -> None:
    assert refused(f"--- {name}\n+++ {name}\n@@ ... @@\n-a\n+b\n") == code
    assert refused(f"--- a/f\n+++ {name}\n@@\n-a\n+b\n") == code


@pytest.mark.parametrize("name", ["../x.py", "/x.py", ".git/x.py"])
def test_unsafe_names_above_a_fence(name: str) -> None:
    assert refused(f"{name}\n```diff\n@@ ... @@\n{BODY}```\n").startswith("path-")


@pytest.mark.parametrize(
    "text",
    [
        "   " + f"{NAMES}@@ -1,2 +1,2 @@\n{BODY}".replace("\n", "\n   ").rstrip(" "),
        "- Do this:\n\n  " + f"{NAMES}@@ -1,2 +1,2 @@\n{BODY}".replace("\n", "\n  ").rstrip(" ") + "\n- And rest.\n",
        "1. So:\n\n   ```diff\n   " + f"{NAMES}@@ ... @@\n{BODY}```\n".replace("\n", "\n   ").rstrip(" ") + "\nDone.\n",
    ],
)
def test_indented_as_a_whole(text: str) -> None:
    parsed = read(text)
    assert codes(parsed)[0] == "indented-text"
    assert (parsed.changes[0].path, shown(parsed.changes[0].hunks[0])) == ("src/app.py", LINES)


def test_byte_order_marks() -> None:
    text = f"{NAMES}@@ -1,2 +1,2 @@\n{BODY}"
    for data in (b"\xef\xbb\xbf" + text.encode(), text.encode("utf-16")):
        parsed = read(data)
        assert (parsed.changes, codes(parsed)) == (read(text).changes, ["text-encoding"])
    assert refused(b"\xff\xfe\x00\xd8\x00") == "text-encoding"
    assert refused(b"\xfe\xff") == "empty-patch"
