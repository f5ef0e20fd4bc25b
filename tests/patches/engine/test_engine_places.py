"""Where hunks go: at their line, at the only other place, or nowhere; and never at one of two."""

from __future__ import annotations

import pytest
from engine_helpers import Box, hunk_matches, unchanged

HUNK = "--- a/f\n+++ b/f\n@@ -10,3 +10,3 @@\n line 10\n-line 11\n+eleven\n line 12\n"


def shifted(box: Box, by: int) -> None:
    """A file of numbered lines with ``by`` more lines at its top."""
    box.write("f", "".join(f"top {number}\n" for number in range(by)))
    box.write("f", box.read("f") + b"".join(b"line %d\n" % number for number in range(1, 41)))


def test_at_its_line(box: Box) -> None:
    shifted(box, 0)
    result = box.apply(HUNK)
    assert (result.result, hunk_matches(result)) == ("applied", ["exact"])
    assert result.files[0]["hunks"][0]["line"] == 10


@pytest.mark.parametrize("by", [1, 7, 500])
def test_at_the_only_other_place(box: Box, by: int) -> None:
    shifted(box, by)
    result = box.apply(HUNK)
    assert (result.result, hunk_matches(result)) == ("applied", ["offset"])
    assert result.files[0]["hunks"][0]["line"] == 10 + by
    assert box.read("f").splitlines()[10 + by] == b"eleven"


def test_strict_takes_no_other_place(box: Box) -> None:
    shifted(box, 3)
    result = unchanged(box, HUNK, strict=True)
    assert (result.result, box.codes(result)) == ("conflict", ["not-exact"])
    assert result.errors[0].candidates == (13,)


def test_two_places_are_refused_with_both(box: Box) -> None:
    block = "start\nold\nend\n"
    box.write("f", "x\n" * 4 + block + "y\n" * 4 + block)
    patch = "--- a/f\n+++ b/f\n@@ -2,3 +2,3 @@\n start\n-old\n+new\n end\n"
    result = unchanged(box, patch)
    assert box.codes(result) == ["ambiguous-context"]
    assert result.errors[0].candidates == (5, 12)
    assert result.errors[0].hunk == 1


def test_two_places_and_its_line_is_one_of_them(box: Box) -> None:
    block = "start\nold\nend\n"
    box.write("f", block + block)
    result = box.apply("--- a/f\n+++ b/f\n@@ -4,3 +4,3 @@\n start\n-old\n+new\n end\n")
    assert hunk_matches(result) == ["exact"]
    assert box.read("f") == b"start\nold\nend\nstart\nnew\nend\n"


def test_its_line_is_not_believed_when_another_hunk_moved(box: Box) -> None:
    """Ten lines were put on top; the second hunk fits at its old line by chance."""
    rows = [b"row\n", b"value\n", b"end\n", b"\n", b"\n"] * 20
    box.write("f", b"".join([b"only here\n", *rows]))
    box.commit()
    patch = (
        "--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n-only here\n+changed\n row\n@@ -42,3 +42,3 @@\n row\n-value\n+VALUE\n end\n"
    )
    assert hunk_matches(box.apply(patch)) == ["exact", "exact"]
    box.write("f", b"".join([b"new\n"] * 10 + [b"only here\n", *rows]))
    result = unchanged(box, patch)
    assert box.codes(result) == ["ambiguous-context"]


def test_its_line_is_not_believed_when_the_file_is_another(box: Box) -> None:
    """Same as above with one hunk: the blob in the index line says that the file has changed."""
    rows = [b"row\n", b"value\n", b"end\n", b"\n", b"\n"] * 20
    box.write("f", b"".join(rows))
    box.commit()
    box.write("f", b"".join([*rows[:41], b"VALUE\n", *rows[42:]]))
    patch = box.diff("-U2")
    assert hunk_matches(box.apply(patch)) == ["exact"]
    box.write("f", b"".join([b"new\n"] * 10 + rows))
    box.forget()
    assert box.codes(unchanged(box, patch)) == ["ambiguous-context"]


def test_order_tells_two_places_apart(box: Box) -> None:
    block = "start\nold\nend\n"
    box.write("f", "top\n" + block + "middle\n" + "only\nhere\n" + block + "bottom\n")
    patch = (
        "--- a/f\n+++ b/f\n@@ -100,2 +100,2 @@\n only\n-here\n+there\n@@ -110,3 +110,3 @@\n start\n-old\n+new\n end\n"
    )
    result = box.apply(patch)
    assert hunk_matches(result) == ["offset", "offset"]
    assert box.read("f") == b"top\nstart\nold\nend\nmiddle\nonly\nthere\nstart\nnew\nend\nbottom\n"


OUT_OF_ORDER = "--- a/f\n+++ b/f\n@@ -30,1 +30,1 @@\n-line 30\n+thirty\n@@ -5,1 +5,1 @@\n-line 5\n+five\n"


def test_hunks_out_of_order_are_put_in_order(box: Box) -> None:
    box.lines("f")
    result = box.apply(OUT_OF_ORDER)
    assert (result.result, box.repairs(result)) == ("applied", ["hunk-order"])
    lines = box.read("f").splitlines()
    assert (lines[4], lines[29], len(lines)) == (b"five", b"thirty", 40)
    box.lines("f")
    assert unchanged(box, OUT_OF_ORDER, strict=True).result == "conflict"


def test_hunks_out_of_order_are_refused_where_one_is_not_the_only_one(box: Box) -> None:
    box.lines("f")
    box.write("f", box.read("f") + b"line 5\n")
    assert box.codes(unchanged(box, OUT_OF_ORDER.replace("-5,1", "-6,1"))) == ["ambiguous-context"]


OVERLAPPING = (
    "--- a/f\n+++ b/f\n@@ -5,3 +5,3 @@\n line 5\n-line 6\n+six\n line 7\n"
    "@@ -7,3 +7,3 @@\n line 7\n-line 8\n+eight\n line 9\n"
)


def test_hunks_that_show_the_same_context(box: Box) -> None:
    box.lines("f")
    result = box.apply(OVERLAPPING)
    assert (result.result, box.repairs(result)) == ("applied", ["hunk-overlap"])
    assert box.read("f").splitlines()[4:9] == [b"line 5", b"six", b"line 7", b"eight", b"line 9"]
    plan = result.plan
    assert plan is not None
    box.lines("f")
    box.apply(plan.to_diff(), strict=True)
    assert box.read("f").splitlines()[4:9] == [b"line 5", b"six", b"line 7", b"eight", b"line 9"]


def test_hunks_that_change_the_same_line_are_refused(box: Box) -> None:
    box.lines("f")
    patch = OVERLAPPING.replace("@@ -7,3 +7,3 @@\n line 7\n", "@@ -6,4 +6,4 @@\n line 6\n line 7\n")
    assert box.codes(unchanged(box, patch)) == ["hunk-overlap"]


def test_a_hunk_that_is_there_twice_is_refused(box: Box) -> None:
    box.lines("f")
    hunk = HUNK[HUNK.index("@@") :]
    assert box.codes(unchanged(box, HUNK + hunk)) == ["duplicate-hunk"]


def test_context_that_is_gone_names_the_difference(box: Box) -> None:
    box.lines("f")
    box.write("f", box.read("f").replace(b"line 12\n", b"line twelve\n"))
    result = unchanged(box, HUNK)
    assert (result.result, box.codes(result)) == ("conflict", ["context-not-found"])
    assert "line 12 should be 'line 12', it is 'line twelve'" in result.errors[0].message


def test_every_problem_is_named_not_only_the_first(box: Box) -> None:
    box.lines("f")
    patch = (
        HUNK.replace("line 10", "line X")
        + "@@ -20,1 +20,1 @@\n-line Y\n+y\n--- a/none\n+++ b/none\n@@ -1 +1 @@\n-a\n+b\n"
    )
    result = unchanged(box, patch)
    assert [(problem.path, problem.hunk) for problem in result.errors] == [("f", 1), ("f", 2), ("none", None)]


def test_one_bad_file_spoils_all(box: Box) -> None:
    box.lines("f")
    box.lines("g")
    patch = HUNK + HUNK.replace("/f", "/g").replace("line 11", "no such line")
    assert unchanged(box, patch).result == "conflict"


@pytest.mark.parametrize("where", [0, 20, 40])
def test_hunks_without_context_go_by_their_number(box: Box, where: int) -> None:
    box.lines("f")
    result = box.apply(f"--- a/f\n+++ b/f\n@@ -{where},0 +{where + 1},2 @@\n+one\n+two\n")
    assert (result.result, hunk_matches(result)) == ("applied", ["exact"])
    assert box.read("f").splitlines()[where : where + 2] == [b"one", b"two"]


def test_hunks_without_context_beyond_the_end(box: Box) -> None:
    box.lines("f")
    assert box.codes(unchanged(box, "--- a/f\n+++ b/f\n@@ -41,0 +42 @@\n+x\n")) == ["no-context"]


def test_hunks_without_context_need_the_file_they_were_made_from(box: Box) -> None:
    box.lines("f")
    box.commit()
    box.write("f", box.read("f").replace(b"line 20\n", b"line 20\nadded\n"))
    patch = box.diff("-U0")
    box.write("f", b"top\n" + box.read("f"))
    box.forget()
    assert box.codes(unchanged(box, patch)) == ["no-context"]


def test_additions_without_context_are_not_made_twice(box: Box) -> None:
    box.lines("f")
    patch = "--- a/f\n+++ b/f\n@@ -20,0 +21 @@\n+added\n"
    assert box.apply(patch).result == "applied"
    assert box.codes(unchanged(box, patch)) == ["maybe-applied"]


def test_a_hunk_that_shows_nothing_of_the_file(box: Box) -> None:
    box.lines("f")
    assert box.codes(unchanged(box, "--- a/f\n+++ b/f\n@@ -5,3 +5,4 @@\n+x\n```\n")) != []


def test_at_the_end_of_the_file(box: Box) -> None:
    box.lines("f", 5)
    patch = "--- a/f\n+++ b/f\n@@ -3,3 +3,4 @@\n line 3\n line 4\n line 5\n+line 6\n"
    assert box.apply(patch).result == "applied"
    assert box.read("f").endswith(b"line 5\nline 6\n")
    again = unchanged(box, patch)
    assert again.result == "already-applied"


def test_the_end_of_the_file_has_moved(box: Box) -> None:
    """By its context the hunk adds at the very end. With a blob that proves a change, that is a conflict."""
    box.lines("f", 5)
    box.commit()
    box.write("f", box.read("f") + b"mine\n")
    patch = box.diff()
    box.write("f", box.read("f") + b"theirs\n")
    result = unchanged(box, patch)
    assert (result.result, box.codes(result)) == ("conflict", ["merge-conflict"])
    box.forget()
    result = unchanged(box, patch)
    assert (result.result, box.codes(result)) == ("conflict", ["edge-context"])


def test_a_hunk_without_context_below_is_taken_where_it_is_certain(box: Box) -> None:
    box.lines("f", 9)
    patch = "--- a/f\n+++ b/f\n@@ -3,3 +3,4 @@\n line 3\n line 4\n line 5\n+new\n"
    result = box.apply(patch)
    assert (result.result, box.repairs(result)) == ("applied", ["edge-context"])
    assert box.read("f").splitlines()[5] == b"new"
    assert box.codes(unchanged(box, patch)) == ["maybe-applied"]
    box.lines("f", 9)
    assert unchanged(box, patch, strict=True).result == "conflict"


def test_a_hunk_without_context_below_is_refused_where_two_places_fit(box: Box) -> None:
    box.write("f", "a\nb\nc\na\nb\nd\n")
    patch = "--- a/f\n+++ b/f\n@@ -1,2 +1,3 @@\n a\n b\n+x\n"
    assert box.codes(unchanged(box, patch)) == ["ambiguous-context"]


def test_at_the_beginning_of_the_file(box: Box) -> None:
    box.lines("f", 5)
    patch = "--- a/f\n+++ b/f\n@@ -1,3 +1,4 @@\n+first\n line 1\n line 2\n line 3\n"
    assert hunk_matches(box.apply(patch)) == ["exact"]
    assert unchanged(box, patch).result == "already-applied"


def test_already_applied(box: Box) -> None:
    box.lines("f")
    box.lines("gone")
    box.commit()
    box.write("f", box.read("f").replace(b"line 5\n", b"five\n").replace(b"line 30\n", b""))
    (box.root / "gone").unlink()
    box.write("made", "x\n")
    patch = box.diff("--no-renames")
    assert box.apply(patch).result == "applied"
    result = unchanged(box, patch)
    assert (result.result, result.exit_code, result.errors) == ("already-applied", 0, ())
    assert [file["path"] for file in result.files] == ["f", "gone", "made"]


def test_already_applied_after_a_rename(box: Box) -> None:
    box.lines("f", 100)
    box.commit()
    box.git("mv", "f", "g")
    box.write("g", box.read("g").replace(b"line 5\n", b"five\n"))
    patch = box.diff("-M")
    assert box.apply(patch).result == "applied"
    assert unchanged(box, patch).result == "already-applied"


def test_already_renamed_or_copied(box: Box) -> None:
    box.lines("f", 9)
    rename = "diff --git a/f b/g\nsimilarity index 100%\nrename from f\nrename to g\n"
    assert box.apply(rename).result == "applied"
    assert unchanged(box, rename).result == "already-applied"
    copy = "diff --git a/g b/h\nsimilarity index 100%\ncopy from g\ncopy to h\n"
    assert box.apply(copy).result == "applied"
    assert unchanged(box, copy).result == "already-applied"
    box.write("h", "other\n")
    assert unchanged(box, copy).result == "conflict"


def test_half_of_a_patch_is_there_already(box: Box) -> None:
    box.lines("f")
    box.lines("g")
    patch = HUNK + HUNK.replace("/f", "/g")
    box.write("f", box.read("f").replace(b"line 11\n", b"eleven\n"))
    assert unchanged(box, patch).result == "conflict"


def test_lines_that_differ_in_blanks_at_their_end(box: Box) -> None:
    box.lines("f")
    box.write("f", box.read("f").replace(b"line 10\n", b"line 10  \n"))
    result = box.apply(HUNK)
    assert (hunk_matches(result), box.repairs(result)) == (["whitespace"], ["trailing-blanks"])
    assert box.read("f").splitlines()[9:11] == [b"line 10  ", b"eleven"]
    box.lines("f")
    box.write("f", box.read("f").replace(b"line 10\n", b"line 10  \n"))
    assert unchanged(box, HUNK, strict=True).result == "conflict"


def test_an_exact_copy_elsewhere_makes_it_uncertain(box: Box) -> None:
    box.lines("f")
    block = b"line 10\nline 11\nline 12\n"
    box.write("f", box.read("f").replace(b"line 11\n", b"line 11 \n") + block)
    assert box.codes(unchanged(box, HUNK)) == ["ambiguous-context"]


@pytest.mark.parametrize("patch_end", ["\n", "\r\n"])
@pytest.mark.parametrize("file_end", ["\n", "\r\n"])
def test_line_ends_are_the_files_own(box: Box, file_end: str, patch_end: str) -> None:
    box.write("f", "".join(f"line {number}{file_end}" for number in range(1, 41)))
    result = box.apply(
        HUNK.replace("line 11\n+eleven\n", "line 11\n+eleven\n+more\n")
        .replace("10,3 @@", "10,4 @@")
        .replace("\n", patch_end)
    )
    assert result.result == "applied"
    lines = box.read("f").split(file_end.encode())
    assert lines[9:13] == [b"line 10", b"eleven", b"more", b"line 12"]
    assert (box.read("f").count(b"\r\n") == 41) == (file_end == "\r\n")


def test_line_ends_of_a_mixed_file_follow_the_neighbours(box: Box) -> None:
    box.write("f", b"one\r\ntwo\r\nthree\nfour\n")
    result = box.apply("--- a/f\n+++ b/f\n@@ -1,4 +1,6 @@\n one\n+dos\n two\n three\n+unix\n four\n")
    assert (result.result, box.repairs(result)) == ("applied", ["line-endings"])
    assert box.read("f") == b"one\r\ndos\r\ntwo\r\nthree\nunix\nfour\n"


def test_a_patch_may_change_the_line_ends_themselves(box: Box) -> None:
    box.write("f", b"one\r\ntwo\r\n")
    box.commit()
    box.write("f", b"one\ntwo\n")
    assert box.apply(box.diff()).result == "applied"
    assert box.read("f") == b"one\ntwo\n"


@pytest.mark.parametrize(
    ("content", "hunk", "wanted"),
    [
        (b"a\nc", "@@ -1,2 +1,2 @@\n a\n-c\n+d\n", b"a\nd"),
        (b"a\nc", "@@ -1,2 +1,3 @@\n a\n c\n+d\n", b"a\nc\nd"),
        (b"a\nc", "@@ -1,2 +1,2 @@\n-a\n+b\n c\n", b"b\nc"),
        (b"a\nc", "@@ -1,2 +1,1 @@\n a\n-c\n", b"a\n"),
        (
            b"a\nc\n",
            "@@ -1,2 +1,2 @@\n a\n-c\n\\ No newline at end of file\n+d\n\\ No newline at end of file\n",
            b"a\nd\n",
        ),
        (b"a\nc\n", "@@ -1,2 +1,2 @@\n-a\n+b\n c\n\\ No newline at end of file\n", b"b\nc\n"),
        (b"a\nc\n", "@@ -1,2 +1,2 @@\n a\n-c\n\\ No newline at end of file\n+c\n", b"a\nc\n"),
    ],
)
def test_the_final_newline_is_the_files_own(box: Box, content: bytes, hunk: str, wanted: bytes) -> None:
    box.write("f", content)
    result = box.apply("--- a/f\n+++ b/f\n" + hunk)
    assert result.result in ("applied", "already-applied")
    assert box.read("f") == wanted
    if result.result == "applied":
        assert "final-newline" in box.repairs(result)
        plan = result.plan
        assert plan is not None
        box.write("f", content)
        assert box.apply(plan.to_diff(), strict=True).result == "applied"
        assert box.read("f") == wanted


def test_a_file_of_a_million_equal_lines(box: Box) -> None:
    """A linear search: a hunk of many lines that fails on its last would take hours otherwise."""
    count = 200_000
    box.write("f", b"same\n" * count)
    hunk = "".join(" same\n" for _ in range(2000)) + "-other\n+changed\n"
    result = unchanged(box, f"--- a/f\n+++ b/f\n@@ -7,2001 +7,2001 @@\n{hunk}")
    assert box.codes(result) == ["context-not-found"]
    hunk = "".join(" same\n" for _ in range(2000)) + "+added\n same\n"
    result = unchanged(box, f"--- a/f\n+++ b/f\n@@ -{count},2001 +7,2002 @@\n{hunk}")
    assert box.codes(result) == ["ambiguous-context"]
    assert len(result.errors[0].candidates) == 16


def test_many_hunks_in_one_file_that_moved(box: Box) -> None:
    count = 50_000
    lines = [b"line %d\n" % number for number in range(count)]
    box.write("f", b"".join([b"one more\n", *lines]))
    hunks = [
        f"@@ -{at + 1},3 +{at + 1},3 @@\n line {at}\n-line {at + 1}\n+changed {at + 1}\n line {at + 2}\n"
        for at in range(0, count - 10, 100)
    ]
    result = box.apply("--- a/f\n+++ b/f\n" + "".join(hunks))
    assert (result.result, set(hunk_matches(result))) == ("applied", {"offset"})
    for at in range(0, count - 10, 100):
        lines[at + 1] = b"changed %d\n" % (at + 1)
    assert box.read("f") == b"".join([b"one more\n", *lines])


@pytest.mark.parametrize(
    ("names", "there", "path"),
    [
        ("--- src/f.py\n+++ src/f.py\n", ["src/f.py"], "src/f.py"),
        ("--- a/src/f.py\n+++ b/src/f.py\n", ["src/f.py"], "src/f.py"),
        ("--- ./src/f.py\n+++ ./src/f.py\n", ["src/f.py"], "src/f.py"),
        (
            "--- old-tree/src/f.py\t2020-01-01 00:00:00\n+++ new-tree/src/f.py\t2020-01-02 00:00:00\n",
            ["src/f.py"],
            "src/f.py",
        ),
        ("--- a/f.py\n+++ b/f.py\n", ["f.py", "a/f.py"], "f.py"),
        ("--- project/src/f.py\n+++ project/src/f.py\n", ["src/f.py"], "src/f.py"),
        ("--- f.py.orig\n+++ f.py\n", ["f.py"], "f.py"),
        ("--- f.py\n+++ f.py.new\n", ["f.py"], "f.py"),
        ("diff --git src/f.py src/f.py\n--- src/f.py\n+++ src/f.py\n", ["src/f.py"], "src/f.py"),
        ("diff --git a/f.py a/f.py\n--- a/f.py\n+++ a/f.py\n", ["f.py"], "f.py"),
    ],
)
def test_prefixes(box: Box, names: str, there: list[str], path: str) -> None:
    for name in there:
        box.write(name, "old\n")
    result = box.apply(names + "@@ -1 +1 @@\n-old\n+new\n")
    assert (result.result, [file["path"] for file in result.files]) == ("applied", [path])
    assert [name for name in there if box.read(name) == b"new\n"] == [path]


def test_a_prefix_that_could_be_taken_off_in_two_ways(box: Box) -> None:
    box.write("b/f.py", "old\n")
    box.write("f.py", "old\n")
    result = unchanged(box, "--- x/b/f.py\n+++ x/b/f.py\n@@ -1 +1 @@\n-old\n+new\n")
    assert box.codes(result) == ["ambiguous-path"]


def test_an_original_and_its_copy_are_both_there(box: Box) -> None:
    box.write("f.py.orig", "old\n")
    box.write("f.py", "old\n")
    result = box.apply("--- f.py.orig\n+++ f.py\n@@ -1 +1 @@\n-old\n+new\n")
    assert [file["path"] for file in result.files] == ["f.py"]
    assert box.read("f.py.orig") == b"old\n"


def test_traditional_creation_and_deletion(box: Box) -> None:
    box.write("gone", "x\n")
    box.write("emptied", "x\n")
    then, never = "2020-01-01 00:00:00.000000000 +0000", "1970-01-01 00:00:00.000000000 +0000"
    patch = (
        "--- /dev/null\n+++ b/made\n@@ -0,0 +1 @@\n+m\n"
        "--- a/gone\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n"
        f"--- emptied\t{then}\n+++ emptied\t{never}\n@@ -1 +0,0 @@\n-x\n"
        f"--- new\t{never}\n+++ new\t{then}\n@@ -0,0 +1 @@\n+n\n"
    )
    result = box.apply(patch)
    assert [file["op"] for file in result.files] == ["create", "delete", "delete", "create"]
    assert set(box.state()) == {"made", "new"}


def test_creation_where_there_is_a_file(box: Box) -> None:
    box.write("f", "other\n")
    result = unchanged(box, "--- /dev/null\n+++ b/f\n@@ -0,0 +1 @@\n+m\n")
    assert (result.result, box.codes(result)) == ("conflict", ["already-exists"])


def test_a_missing_file(box: Box) -> None:
    result = unchanged(box, HUNK)
    assert (result.result, box.codes(result)) == ("conflict", ["missing-file"])
    box.write("f/x", "a folder\n")
    assert "is a folder" in unchanged(box, HUNK).errors[0].message
