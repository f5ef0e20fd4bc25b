"""``*** Begin Patch``: every verb, what is certain although it is wrong, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from format_helpers import codes, content, message, only, read, refused, shown

UPDATE = """*** Begin Patch
*** Update File: src/app.py
@@ class App:
@@     def run(self):
         self.start()
-        self.loop()
+        self.loop(forever=True)
         self.stop()
*** End Patch
"""


def test_an_update_with_several_markers_in_a_row() -> None:
    parsed = read(UPDATE)
    assert (parsed.format, parsed.repairs) == ("codex", ())
    change = parsed.changes[0]
    assert (change.path, change.op, change.ordered) == ("src/app.py", "modify", True)
    hunk = change.hunks[0]
    assert hunk.anchors == (b"class App:", b"    def run(self):")
    assert (hunk.numbered, hunk.old_start, hunk.old_count, hunk.at_end) == (False, 0, 0, False)
    assert shown(hunk) == [
        "         self.start()",
        "-        self.loop()",
        "+        self.loop(forever=True)",
        "         self.stop()",
    ]


def test_all_verbs() -> None:
    parsed = read(
        "*** Begin Patch\n*** Environment ID: local-1\n*** Add File: docs/new.md\n+# Title\n+\n+text\n"
        "*** Delete File: old.txt\n*** Update File: a.py\n*** Move to: pkg/b.py\n@@\n-x = 1\n+x = 2\n"
        "*** Update File: c.py\n@@\n end\n+last\n*** End of File\n*** End Patch\n"
    )
    assert parsed.repairs == ()
    add, delete, move, update = parsed.changes
    assert (add.op, add.path, content(add)) == ("create", "docs/new.md", "# Title\n\ntext\n")
    assert (delete.op, delete.path, delete.hunks) == ("delete", "old.txt", ())
    assert delete.where == "line 7"
    assert (move.op, move.from_, move.path, shown(move.hunks[0])) == (
        "rename",
        "a.py",
        "pkg/b.py",
        ["-x = 1", "+x = 2"],
    )
    assert update.hunks[0].at_end


def test_a_hunk_without_any_marker_and_several_behind_it() -> None:
    change = only("*** Begin Patch\n*** Update File: f\n a\n-b\n+c\n@@\n-d\n@@ def g():\n+e\n f\n*** End Patch\n")
    assert [shown(hunk) for hunk in change.hunks] == [[" a", "-b", "+c"], ["-d"], ["+e", " f"]]
    assert [hunk.anchors for hunk in change.hunks] == [(), (), (b"def g():",)]


@pytest.mark.parametrize("header", ["@@", "@@ ", "@@ @@", "@@ ... @@", "@@ … @@"])
def test_markers_that_say_nothing(header: str) -> None:
    parsed = read(f"*** Begin Patch\n*** Update File: f\n{header}\n-a\n+b\n*** End Patch\n")
    assert parsed.changes[0].hunks[0].anchors == ()
    assert parsed.repairs == ()


@pytest.mark.parametrize("header", ["@@ -1,3 +1,4 @@", "@@ -12 @@", "@@ line 12 @@", "@@ -?,? +?,? @@"])
def test_numbers_are_left_aside(header: str) -> None:
    parsed = read(f"*** Begin Patch\n*** Update File: f\n{header}\n-a\n+b\n*** End Patch\n")
    assert codes(parsed) == ["hunk-header"]
    assert not parsed.changes[0].hunks[0].numbered


def test_empty_lines_without_a_blank_are_context() -> None:
    hunk = only("*** Begin Patch\n*** Update File: f\n@@\n a\n\n-b\n\n+c\n\n\n*** End Patch\n").hunks[0]
    assert shown(hunk) == [" a", " ", "-b", " ", "+c"]
    assert hunk.tail == ((" ", b"\n"), (" ", b"\n"))


def test_context_that_lost_all_its_blanks() -> None:
    parsed = read(
        "*** Begin Patch\n*** Update File: f.go\n@@\nfunc main() {\n\ta()\n-\tb()\n+\tc()\n}\n*** End Patch\n"
    )
    assert codes(parsed) == ["lost-mark"]
    assert shown(parsed.changes[0].hunks[0]) == [" func main() {", " \ta()", "-\tb()", "+\tc()", " }"]


@pytest.mark.parametrize(
    "body",
    [
        "@@\n a\nb\n-c\n+d\n",
        "@@\n-c\n+d\nHere is more.\n e\n",
        "@@\nno change at all\n",
        "@@\n a\n*** Rename File: g\n-c\n",
        "Some words.\n",
    ],
)
def test_lines_that_cannot_be_told_are_refused(body: str) -> None:
    assert refused(f"*** Begin Patch\n*** Update File: f\n{body}*** End Patch\n") == "malformed-hunk"


def test_elided_context_splits_a_hunk() -> None:
    change = only(
        "*** Begin Patch\n*** Update File: f.py\n@@ def f():\n def f():\n     # ... existing code ...\n-    a\n+    b\n"
        "     ...\n-    c\n*** End of File\n*** End Patch\n"
    )
    assert [shown(hunk) for hunk in change.hunks] == [[" def f():"], ["-    a", "+    b"], ["-    c"]]
    assert [hunk.continues for hunk in change.hunks] == [False, True, True]
    assert [hunk.anchors for hunk in change.hunks] == [(b"def f():",), (), ()]
    assert [hunk.at_end for hunk in change.hunks] == [False, False, True]


@pytest.mark.parametrize(
    "line", ["+    # ... rest of the function unchanged ...", "-// ... existing code ...", "+# ..."]
)
def test_left_out_code_is_never_written(line: str) -> None:
    assert refused(f"*** Begin Patch\n*** Update File: f\n@@\n a\n{line}\n-b\n*** End Patch\n") == "elided"


def test_an_ellipsis_in_python_is_code() -> None:
    change = only("*** Begin Patch\n*** Update File: f.pyi\n@@\n-def f(): ...\n+def f():\n+    ...\n*** End Patch\n")
    assert shown(change.hunks[0]) == ["-def f(): ...", "+def f():", "+    ..."]


def test_additions_beside_left_out_code_have_no_place() -> None:
    text = "*** Begin Patch\n*** Update File: f\n@@\n-a\n ...\n+b\n*** End Patch\n"
    assert refused(text) == "elided"


@pytest.mark.parametrize(
    ("text", "repairs"),
    [
        (UPDATE.replace("*** Begin Patch\n", ""), ["begin-missing"]),
        ("```\n" + UPDATE.replace("*** End Patch\n", "") + "```\n", ["end-missing"]),
        ("apply_patch <<'EOF'\n" + UPDATE.replace("*** End Patch\n", "") + "EOF\n", ["end-missing"]),
        (UPDATE.replace("*** End Patch\n", ""), ["end-missing"]),
        (UPDATE.replace("*** End Patch\n", "") + UPDATE, ["end-missing", "file-twice"]),
        (UPDATE.removesuffix("\n"), []),
        ("apply_patch <<'EOF'\n" + UPDATE + "EOF\n", []),
        ("```bash\ncat <<EOF | apply_patch\n" + UPDATE + "EOF\n```\nDone.\n", []),
        ("Here it is:\n\n```patch\n" + UPDATE + "```\n\nIt loops *** forever.\n", []),
    ],
)
def test_what_stands_around(text: str, repairs: list[str]) -> None:
    parsed = read(text)
    assert (parsed.format, codes(parsed)) == ("codex", repairs)
    assert parsed.changes[0].path == "src/app.py"


@pytest.mark.parametrize(
    "text",
    [
        UPDATE.replace("         self.stop()\n*** End Patch\n", ""),
        UPDATE.replace("         self.stop()\n*** End Patch\n", "").removesuffix("\n"),
        UPDATE.replace("\n*** End Patch\n", ""),
        "*** Begin Patch\n*** Add File: f\n+one\n",
        "*** Begin Patch\n*** Delete File: src/ap",
        "*** Begin Patch\n*** Update File: f\n@@ def f():\n",
        "*** Begin Patch\n*** Update File: f\n",
        "*** Begin Patch\n",
    ],
)
def test_what_was_cut_off(text: str) -> None:
    assert refused(text) in ("truncated", "no-changes")


@pytest.mark.parametrize(
    "wrap",
    [
        lambda patch: json.dumps({"command": ["apply_patch", patch]}),
        lambda patch: json.dumps({"cmd": f"apply_patch <<'EOF'\n{patch}EOF\n", "workdir": "/x"}),
        lambda patch: json.dumps(["bash", "-lc", f"apply_patch <<'EOF'\n{patch}EOF"], indent=2),
        lambda patch: json.dumps({"name": "apply_patch", "arguments": json.dumps({"input": patch})}),
        lambda patch: "```json\n" + json.dumps({"input": patch}) + "\n```\n",
    ],
)
def test_calls_in_json(wrap: Callable[[str], str]) -> None:
    parsed = read(wrap(UPDATE))
    assert (parsed.format, codes(parsed)) == ("codex", ["json-wrapped"])
    assert parsed.changes == read(UPDATE).changes
    assert read(wrap(UPDATE), "codex") == parsed


def test_two_patches_in_one_call() -> None:
    assert refused(json.dumps({"a": UPDATE, "b": UPDATE})) == "ambiguous-text"


def test_a_shell_that_would_change_the_text() -> None:
    text = "apply_patch <<EOF\n" + UPDATE.replace("self.loop()", "self.loop('$HOME')") + "EOF\n"
    assert refused(text) == "shell-quoting"
    assert read(text.replace("<<EOF", "<<'EOF'")).format == "codex"


def test_a_file_that_is_updated_twice() -> None:
    parsed = read(
        "*** Begin Patch\n*** Update File: f\n@@\n-a\n+b\n*** Update File: g\n@@\n-a\n+b\n"
        "*** Update File: f\n@@\n-c\n+d\n*** End Patch\n"
    )
    assert codes(parsed) == ["file-twice"]
    assert [(change.path, len(change.hunks), change.ordered) for change in parsed.changes] == [
        ("f", 2, False),
        ("g", 1, True),
    ]


def test_names_of_a_diff_within() -> None:
    text = UPDATE.replace("@@ class App:\n", "--- a/src/app.py\n+++ b/src/app.py\n@@ class App:\n")
    parsed = read(text)
    assert (parsed.changes, codes(parsed)) == (read(UPDATE).changes, ["inner-header"])
    assert refused(text.replace("b/src/app.py", "b/src/other.py")) in ("bad-header", "malformed-hunk")


def test_new_files_with_lost_marks() -> None:
    parsed = read("*** Begin Patch\n*** Add File: f\n+a\n\n+b\n\n*** Add File: g\none\n\ntwo\n*** End Patch\n")
    assert codes(parsed) == ["lost-mark", "lost-mark"]
    assert [content(change) for change in parsed.changes] == ["a\n\nb\n", "one\n\ntwo\n"]
    for body in ("+a\nb\n", " a\n  b\n", "```\na\n```\n"):
        assert refused(f"*** Begin Patch\n*** Add File: f\n{body}*** End Patch\n") == "malformed-hunk"
    for body in ("++a\n++b\n", "+1: a\n+2: b\n"):
        assert refused(f"*** Begin Patch\n*** Add File: f\n{body}*** End Patch\n") == "malformed-file"


def test_an_empty_new_file_and_one_without_final_newline() -> None:
    parsed = read(
        "*** Begin Patch\n*** Add File: pkg/__init__.py\n*** Add File: g\n+x\n"
        "\\ No newline at end of file\n*** End Patch\n"
    )
    assert (parsed.changes[0].op, parsed.changes[0].hunks) == ("create", ())
    assert content(parsed.changes[1]) == "x"


def test_crlf() -> None:
    change = only(UPDATE.replace("\n", "\r\n"))
    assert change.path == "src/app.py"
    assert change.hunks[0].crlf_text
    assert change.hunks[0].anchors == (b"class App:", b"    def run(self):")


@pytest.mark.parametrize("verb", ["Add File", "Update File", "Delete File"])
@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("../../etc/passwd", "path-outside"),
        ("/etc/passwd", "path-absolute"),
        (".git/hooks/pre-commit", "path-protected"),
        ("a/.GIT/config", "path-protected"),
        ("C:\\x", "path-absolute"),
        ("..\\..\\x", "path-outside"),
        ("a\x1b[31m", "path-control"),
        ("-rf", "path-option"),
        ("", "no-file-name"),
    ],
)
def test_unsafe_names(verb: str, name: str, code: str) -> None:
    assert refused(f"*** Begin Patch\n*** {verb}: {name}\n@@\n-a\n+b\n*** End Patch\n") == code


def test_unsafe_targets_of_moves() -> None:
    text = "*** Begin Patch\n*** Update File: f\n*** Move to: NAME\n@@\n-a\n+b\n*** End Patch\n"
    assert refused(text.replace("NAME", "../g")) == "path-outside"
    assert refused(text.replace("NAME", "/tmp/g")) == "path-absolute"
    assert refused(text.replace("NAME", ".git/config")) == "path-protected"
    assert "line 3" in message(text.replace("NAME", "../g"))


def test_names_of_windows() -> None:
    parsed = read(UPDATE.replace("src/app.py", "src\\app.py"))
    assert (parsed.changes[0].path, codes(parsed)) == ("src/app.py", ["path-separator"])


def test_markers_that_belong_nowhere() -> None:
    assert refused("*** Begin Patch\n*** End of File\n*** Update File: f\n@@\n-a\n*** End Patch\n") == "stray-marker"
    assert refused(UPDATE + "*** Move to: g\n") == "stray-marker"
    assert refused("*** Begin Patch\n*** Update File: f\n@@\n*** End of File\n*** End Patch\n") == "empty-hunk"
    assert refused("*** Begin Patch\n*** Update File: f\n*** End Patch\n") == "empty-hunk"
    assert refused("*** Begin Patch\n*** Update File: f\n@@\n a\n*** End Patch\n") == "no-changes"


def test_a_patch_within_a_list() -> None:
    inside = "".join(f"   {line}\n" for line in UPDATE.splitlines())
    parsed = read("1. Run this:\n\n   ```\n" + inside + "   ```\n")
    assert (parsed.changes, codes(parsed)) == (read(UPDATE).changes, ["indented-text"])
    assert read(inside).changes == parsed.changes
    assert refused("1. Run this:\n\n" + inside + "2. Done.\n", "codex") == "indented-text"
