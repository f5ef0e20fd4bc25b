"""Wrong counts in headers, prose around, and texts that were cut off: repaired where certain, refused where not."""

from __future__ import annotations

import pytest
from engine_helpers import Box, unchanged

from vibehq_tui.patches.errors import PatchRefused
from vibehq_tui.patches.formats import parse

BODY = " line 4\n line 5\n line 6\n-line 7\n+seven\n+more\n line 8\n line 9\n line 10\n"
NAMES = "--- a/f\n+++ b/f\n"
WANTED = b"line 6\nseven\nmore\nline 8\n"


def hunk(old: int, new: int, body: str = BODY) -> str:
    """A patch whose header has these counts; right would be 7 and 8."""
    return f"{NAMES}@@ -4,{old} +4,{new} @@\n{body}"


@pytest.mark.parametrize(
    ("old", "new"), [(6, 7), (5, 6), (8, 9), (9, 10), (7, 7), (7, 9), (6, 8), (8, 8), (1, 1), (8, 7)]
)
def test_wrong_counts_are_repaired(box: Box, old: int, new: int) -> None:
    box.lines("f")
    result = box.apply(hunk(old, new))
    assert (result.result, box.repairs(result)) == ("applied", ["hunk-count"])
    assert WANTED in box.read("f")
    assert result.repairs[0].message == f"the header said {old} old and {new} new lines, the body has 7 and 8"
    box.lines("f")
    assert unchanged(box, hunk(old, new), strict=True).result == "refused"


@pytest.mark.parametrize(
    "end", ["", "\n\n", "```\n", "-- \n2.39.5\n\n", "diff --git a/g b/g\nold mode 100644\nnew mode 100755\n"]
)
def test_wrong_counts_before_every_kind_of_end(box: Box, end: str) -> None:
    box.lines("f")
    box.write("g", "x\n")
    start = "```diff\n" if "```" in end else ""
    for old, new in ((6, 7), (8, 9)):
        if end == "\n\n" and old == 8:
            continue  # A blank line is context there; that it is not in the file is a conflict.
        box.lines("f")
        (box.root / "g").chmod(0o644)
        result = box.apply(start + hunk(old, new) + end)
        assert (result.result, box.repairs(result)) == ("applied", ["hunk-count"])
        assert WANTED in box.read("f")


def test_wrong_counts_before_the_next_hunk(box: Box) -> None:
    for old, new in ((5, 6), (9, 11)):
        box.lines("f")
        result = box.apply(hunk(old, new) + "@@ -20,1 +21,1 @@\n-line 20\n+twenty\n")
        assert (result.result, box.repairs(result)) == ("applied", ["hunk-count"])
        assert WANTED in box.read("f")
        assert b"twenty\n" in box.read("f")


def test_a_new_file_with_a_count_too_low_is_not_cut(box: Box) -> None:
    result = box.apply("--- /dev/null\n+++ b/n\n@@ -0,0 +1,2 @@\n+1\n+2\n+3\n+4\n")
    assert (result.result, box.repairs(result)) == ("applied", ["hunk-count"])
    assert box.read("n") == b"1\n2\n3\n4\n"


def test_a_new_file_with_a_count_too_high_was_cut_off(box: Box) -> None:
    text = "--- /dev/null\n+++ b/n\n@@ -0,0 +1,5 @@\n+1\n+2\n"
    assert box.codes(unchanged(box, text)) == ["truncated"]
    assert box.apply(f"```diff\n{text}```\n").result == "applied"


def test_no_text_that_was_cut_off_is_applied_wrongly(box: Box) -> None:
    """Cut at every line of a patch with two files: only what is whole without doubt may apply."""
    box.lines("f", 60)
    box.lines("g", 60, "other")
    box.commit()
    start = box.state()
    text = box.read("f")
    for number in (10, 15, 40):
        text = text.replace(b"line %d\n" % number, b"changed %d\nadded %d\n" % (number, number))
    box.write("f", text)
    box.write("g", box.read("g").replace(b"other 30\n", b""))
    box.write("n", "new\nfile\nhere\n")
    patch = box.diff()
    lines = patch.splitlines(keepends=True)
    whole_files = [at for at, line in enumerate(lines) if line.startswith(b"diff --git")] + [len(lines)]
    hunks = [at for at, line in enumerate(lines) if line.startswith(b"@@")]
    for cut in range(1, len(lines)):
        result = box.apply(b"".join(lines[:cut]), dry_run=True)
        if cut in whole_files or cut in hunks:
            continue  # Between two hunks or files nothing shows that more was there.
        if result.result == "dry-run":
            # What is missing can only be context: the change itself is whole.
            following = lines[cut : min(at for at in whole_files + hunks if at >= cut)]
            assert all(line.startswith(b" ") for line in following), (cut, following)
    assert box.state() == start


@pytest.mark.parametrize("context", [1, 2, 3, 5])
def test_a_cut_behind_context_between_two_changes(box: Box, context: int) -> None:
    """What is there ends with as much context as a whole hunk would; by its counts more was to come."""
    box.lines("f", 60)
    box.commit()
    box.write("f", box.read("f").replace(b"line 20\n", b"twenty\n").replace(b"line 26\n", b"more\nand more\n"))
    lines = box.diff(f"-U{context}", "--inter-hunk-context=10").splitlines(keepends=True)
    at = lines.index(b"-line 26\n")
    for cut in range(at - 5, at + 1):
        assert box.codes(unchanged(box, b"".join(lines[:cut]))) == ["truncated"], cut


@pytest.mark.parametrize("mark", ["diff --git", "new file", "index", "---", "+++", "@@"])
def test_a_new_file_cut_within_its_header(box: Box, mark: str) -> None:
    text = (
        "diff --git a/n b/n\nnew file mode 100644\nindex 0000000..587be6b\n--- /dev/null\n+++ b/n\n@@ -0,0 +1 @@\n+x\n"
    )
    for patch in (text, text.replace("index 0000000..587be6b\n", "")):
        lines = patch.splitlines(keepends=True)
        found = [at for at, line in enumerate(lines) if line.startswith(mark)]
        for at in found:
            assert unchanged(box, "".join(lines[: at + 1])).result == "refused"


def test_a_context_line_that_was_lost_does_not_move_the_hunk(box: Box) -> None:
    """Without one of its lines the hunk fits in one other place; by its header it belongs where that line is."""
    patch = "--- a/f\n+++ b/f\n@@ -2,4 +2,4 @@\n name\n-value\n+changed\n end\n```\n"
    box.write("f", "top\nname\nextra\nvalue\nend\nother\nname\nvalue\nend\nlast\n")
    assert box.codes(unchanged(box, "```diff\n" + patch)) == ["ambiguous-context"]


def test_a_lost_line_below_an_addition_at_the_end(box: Box) -> None:
    box.write("f", "a\nb\nc\n")
    patch = "```diff\n--- a/f\n+++ b/f\n@@ -1,3 +1,4 @@\n a\n b\n+new\n```\n"
    assert box.codes(unchanged(box, patch)) == ["malformed-hunk"]


def test_a_last_line_without_newline_is_completed_when_its_hunk_is_whole(box: Box) -> None:
    box.lines("f")
    result = box.apply(hunk(7, 8).rstrip("\n"))
    assert (result.result, box.repairs(result)) == ("applied", ["patch-newline"])
    assert WANTED in box.read("f")


def test_a_last_line_cut_in_the_middle_is_noticed_by_the_blob(box: Box) -> None:
    box.lines("f", 5)
    box.commit()
    box.write("f", box.read("f") + b"a last line\n")
    patch = box.diff()
    assert box.codes(unchanged(box, patch[:-5])) == ["truncated"]
    box.write("n", "a new file\n")
    box.git("add", "-A")
    created = box.diff()
    assert box.codes(unchanged(box, created[:-5])) == ["truncated"]


@pytest.mark.parametrize(
    "broken",
    [
        BODY.replace(" line 8", "line 8"),
        BODY.replace(" line 5", "line 5"),
        BODY.replace("+more\n", "+more\n...\n"),
        BODY.replace("+more\n", "+more\n\\begin{x}\n"),
        BODY.replace(" line 9\n", "```\n"),
    ],
)
def test_lines_without_a_mark_are_refused(box: Box, broken: str) -> None:
    box.lines("f")
    for old, new in ((7, 8), (6, 7), (4, 3), (9, 9)):
        result = unchanged(box, hunk(old, new, broken))
        assert result.result in ("refused", "conflict"), (old, new)
        result = unchanged(box, f"```diff\n{hunk(old, new, broken)}```\n")
        assert result.result in ("refused", "conflict"), (old, new)


def test_prose_and_fences_around(box: Box) -> None:
    box.lines("f")
    text = f"Here is the fix:\n\n```diff\n{hunk(7, 8)}```\n\n- It changes line 7.\n+ It adds one.\n@ home\n"
    result = box.apply(text)
    assert (result.result, box.repairs(result)) == ("applied", [])
    assert WANTED in box.read("f")


def test_prose_after_a_patch_without_fence(box: Box) -> None:
    for prose in ("\nThat is all.\n", "\n- a list\n- of two\n", "\n    indented\n", "Only in b: x\n"):
        box.lines("f")
        result = box.apply(hunk(7, 8) + prose)
        assert (result.result, box.repairs(result)) == ("applied", []), prose
        assert WANTED in box.read("f")


def test_more_of_a_hunk_after_a_blank_line_is_not_dropped(box: Box) -> None:
    box.write("f", "a\nb\n\nc\nd\n")
    added = box.apply(f"{NAMES}@@ -1,2 +1,2 @@\n a\n-b\n+B\n\n+more\n c\n")
    assert (added.result, box.repairs(added)) == ("applied", ["hunk-count"])
    assert box.read("f") == b"a\nB\n\nmore\nc\nd\n"
    box.write("f", "a\nb\n\nc\nd\n")
    result = unchanged(box, f"{NAMES}@@ -1,2 +1,2 @@\n a\n-b\n+B\n\n-c\n")
    assert box.codes(result) == ["malformed-hunk"]


def test_empty_lines_stand_for_empty_context(box: Box) -> None:
    box.write("f", "a\n\nb\n\nc\n")
    result = box.apply(f"{NAMES}@@ -1,5 +1,5 @@\n a\n\n-b\n+B\n\n c\n")
    assert (result.result, box.repairs(result)) == ("applied", [])
    assert box.read("f") == b"a\n\nB\n\nc\n"


def test_lines_that_look_like_headers_within_a_hunk(box: Box) -> None:
    box.write("f", "-- comment\n-- a/x\nend\n")
    box.commit()
    box.write("f", "++ comment\n++ b/x\nend\n")
    patch = box.diff("-U0")
    assert b"--- comment\n" in patch
    assert b"+++ b/x\n" in patch
    assert box.apply(patch).result == "applied"
    assert box.read("f") == b"++ comment\n++ b/x\nend\n"


def test_a_removed_line_that_looks_like_a_signature(box: Box) -> None:
    box.write("f", "x\n- \n")
    box.commit()
    box.write("f", "x\n")
    assert box.apply(box.diff()).result == "applied"
    assert box.read("f") == b"x\n"


def test_crlf_text_of_a_new_file(box: Box) -> None:
    text = "--- /dev/null\r\n+++ b/n\r\n@@ -0,0 +1,2 @@\r\n+1\r\n+2\r\n"
    result = box.apply(text)
    assert (result.result, box.repairs(result)) == ("applied", ["crlf-patch"])
    assert box.read("n") == b"1\n2\n"


def test_crlf_text_that_says_there_is_no_final_newline(box: Box) -> None:
    box.write("f", "a\nb")
    text = "--- a/f\r\n+++ b/f\r\n@@ -1,2 +1,2 @@\r\n a\r\n-b\r\n\\ No newline at end of file\r\n+c\r\n"
    assert box.apply(text + "\\ No newline at end of file\r\n").result == "applied"
    assert box.read("f") == b"a\nc"


def test_a_final_newline_added_to_a_crlf_file_is_its_own(box: Box) -> None:
    box.write("f", b"a\r\nb")
    text = "--- a/f\n+++ b/f\n@@ -1,2 +1,3 @@\n a\n-b\n\\ No newline at end of file\n+b\n+c\n"
    assert box.apply(text).result == "applied"
    assert box.read("f") == b"a\r\nb\r\nc\r\n"


def test_a_new_file_with_crlf_in_an_ordinary_patch(box: Box) -> None:
    result = box.apply("--- /dev/null\n+++ b/n\n@@ -0,0 +1,2 @@\n+1\r\n+2\r\n")
    assert (result.result, box.repairs(result)) == ("applied", [])
    assert box.read("n") == b"1\r\n2\r\n"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"", "empty-patch"),
        (b" \n\n", "empty-patch"),
        (b"hello\n", "no-changes"),
        (bytes(range(256)) * 40, "no-changes"),
        (b"--- a/f\n+++ b/f\n", "truncated"),
        (b"@@ -1 +1 @@\n-a\n+b\n", "no-file-header"),
        (b"--- a/f\n+++ b/f\n@@ -1 +1 @@\n", "truncated"),
        (b"--- a/f\n+++ b/f\n@@ ... @@\n a\n", "truncated"),
        (b"--- a/f\n+++ b/f\n@@ -1,1 +1,1 @\nprose\n", "malformed-hunk"),
        (b"--- a/f\n+++ b/f\n@@ -1,99999999999999999999 +1 @@\n-a\n", "hunk-header"),
        (b"--- a/f\n+++ b/f\n@@ -4294967295,4294967295 +1 @@\n-a\n", "hunk-header"),
        (b"--- /dev/null\n+++ /dev/null\n@@ -1 +1 @@\n-a\n+b\n", "no-file-header"),
        (b"Binary files a/x and b/x differ\n", "binary-without-data"),
        (b"--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n a\n\\ No newline at end of file\n-b\n+c\n", "malformed-hunk"),
        (b"diff --git a/f b/f\nindex 1..2\nGIT binary patch\nliteral 3\nzzz\n\n", "bad-header"),
        (b"1,3c4\n< a\n---\n> b\n", "no-changes"),
        (b"1d\n2a\nnew\n.\nw\n!touch x\n", "no-changes"),
    ],
)
def test_what_is_no_patch(text: bytes, code: str) -> None:
    with pytest.raises(PatchRefused) as caught:
        parse(text)
    assert caught.value.problems[0].code == code
    assert caught.value.message
