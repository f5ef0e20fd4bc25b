"""Operation batches: lines, markers, whole files; all line numbers mean the file before."""

from __future__ import annotations

import json
from typing import Any

import pytest
from engine_helpers import Box, hunk_matches, unchanged

from vibehq_tui.patches.applying.engine import EngineResult


def batch(*operations: dict[str, Any], **more: Any) -> str:
    return json.dumps({"orderId": "o1", "requester": "ada", "reason": "because", "patches": list(operations), **more})


def run(box: Box, *operations: dict[str, Any]) -> EngineResult:
    """Applies a batch that must apply."""
    result = box.apply(batch(*operations))
    assert (result.result, result.format, box.codes(result)) == ("applied", "operations", [])
    return result


@pytest.fixture
def five(box: Box) -> Box:
    """A file of the lines 1 to 5."""
    box.write("f", "1\n2\n3\n4\n5\n")
    return box


@pytest.mark.parametrize(
    ("operation", "wanted"),
    [
        ({"op": "replace-block", "start": 2, "end": 3, "block": "x\ny\nz\n"}, "1\nx\ny\nz\n4\n5\n"),
        ({"op": "replace-block", "start": 2, "end": 3, "block": "x"}, "1\nx\n4\n5\n"),
        ({"op": "replace-block", "start": 2, "end": 4, "block": ""}, "1\n5\n"),
        ({"op": "replace-block", "start": 1, "end": 5, "block": "all\n"}, "all\n"),
        ({"op": "insert-before", "line": 1, "block": "x"}, "x\n1\n2\n3\n4\n5\n"),
        ({"op": "insert-before", "line": 5, "block": "x\n"}, "1\n2\n3\n4\nx\n5\n"),
        ({"op": "insert-after", "line": 5, "block": "x\n"}, "1\n2\n3\n4\n5\nx\n"),
        ({"op": "insert-after", "line": 1, "block": "x\n\ny"}, "1\nx\n\ny\n2\n3\n4\n5\n"),
        ({"op": "append", "block": "x"}, "1\n2\n3\n4\n5\nx\n"),
        ({"op": "prepend", "block": "x\r\ny"}, "x\ny\n1\n2\n3\n4\n5\n"),
        ({"op": "append", "block": "x", "openSpace": True}, "1\n2\n3\n4\n5\n\nx\n"),
        ({"op": "prepend", "block": "x", "openSpace": True}, "x\n\n1\n2\n3\n4\n5\n"),
        ({"op": "insert-after", "line": 2, "block": "x", "openSpace": True}, "1\n2\n\nx\n\n3\n4\n5\n"),
        ({"op": "insert-after", "line": 2, "block": "x", "openSpace": 2}, "1\n2\n\n\nx\n\n\n3\n4\n5\n"),
        ({"op": "insert-after", "line": 2, "block": "x", "openSpace": False}, "1\n2\nx\n3\n4\n5\n"),
    ],
)
def test_one_operation(five: Box, operation: dict[str, Any], wanted: str) -> None:
    run(five, {"file": "f", **operation})
    assert five.read("f").decode() == wanted


def test_open_space_counts_what_is_blank_already(box: Box) -> None:
    box.write("f", "a\n\nb\n")
    run(box, {"op": "insert-after", "file": "f", "line": 2, "block": "x", "openSpace": True})
    assert box.read("f") == b"a\n\nx\n\nb\n"
    box.write("f", "a\n\n")
    run(box, {"op": "append", "file": "f", "block": "x", "openSpace": True})
    assert box.read("f") == b"a\n\nx\n"


def test_line_numbers_mean_the_file_before(five: Box) -> None:
    result = run(
        five,
        {"op": "insert-after", "file": "f", "line": 4, "block": "after 4"},
        {"op": "replace-block", "file": "f", "start": 2, "end": 2, "block": "two\nand a half"},
        {"op": "insert-before", "file": "f", "line": 1, "block": "before 1"},
        {"op": "append", "file": "f", "block": "end"},
        {"op": "prepend", "file": "f", "block": "top"},
    )
    assert five.read("f") == b"top\nbefore 1\n1\ntwo\nand a half\n3\n4\nafter 4\n5\nend\n"
    assert hunk_matches(result) == ["exact"]
    assert (result.files[0]["added"], result.files[0]["removed"]) == (6, 1)


@pytest.mark.parametrize(
    "operations",
    [
        [
            {"op": "replace-block", "start": 1, "end": 3, "block": "x"},
            {"op": "replace-block", "start": 3, "end": 4, "block": "y"},
        ],
        [
            {"op": "replace-block", "start": 1, "end": 5, "block": "x"},
            {"op": "replace-block", "start": 2, "end": 2, "block": "y"},
        ],
        [
            {"op": "replace-block", "start": 2, "end": 2, "block": "x"},
            {"op": "replace-block", "start": 2, "end": 2, "block": "x"},
        ],
        [{"op": "replace-block", "start": 1, "end": 3, "block": "x"}, {"op": "insert-after", "line": 2, "block": "y"}],
        [{"op": "insert-after", "line": 2, "block": "x"}, {"op": "insert-after", "line": 2, "block": "y"}],
        [{"op": "append", "block": "x"}, {"op": "append", "block": "y"}],
    ],
)
def test_operations_on_the_same_lines_are_refused(five: Box, operations: list[dict[str, Any]]) -> None:
    result = unchanged(five, batch(*({"file": "f", **operation} for operation in operations)))
    assert (result.result, five.codes(result)) == ("refused", ["overlapping-operations"])
    assert "$.patches[0]" in result.errors[0].message
    assert "$.patches[1]" in result.errors[0].message


def test_neighbours_do_not_overlap(five: Box) -> None:
    run(
        five,
        {"op": "replace-block", "file": "f", "start": 2, "end": 3, "block": "x"},
        {"op": "replace-block", "file": "f", "start": 4, "end": 4, "block": "y"},
        {"op": "insert-before", "file": "f", "line": 2, "block": "before"},
        {"op": "insert-after", "file": "f", "line": 4, "block": "after"},
    )
    assert five.read("f") == b"1\nbefore\nx\ny\nafter\n5\n"


def test_whole_files(five: Box) -> None:
    five.write("gone", "x\n")
    result = run(
        five,
        {"op": "create", "file": "new/made", "block": "no newline"},
        {"op": "delete", "file": "gone"},
        {"op": "move", "file": "f", "to": "moved/f"},
        {"op": "replace-block", "file": "f", "start": 1, "end": 1, "block": "one"},
    )
    assert five.state() == {
        "new/made": (0o100644, b"no newline"),
        "moved/f": (0o100644, b"one\n2\n3\n4\n5\n"),
    }
    assert [(file["op"], file["path"], file["from"]) for file in result.files] == [
        ("create", "new/made", None),
        ("delete", "gone", None),
        ("rename", "moved/f", "f"),
    ]


@pytest.mark.parametrize(
    ("operations", "result"),
    [
        ([{"op": "create", "file": "f", "block": "x"}], "conflict"),
        ([{"op": "delete", "file": "none"}], "conflict"),
        ([{"op": "move", "file": "none", "to": "x"}], "conflict"),
        ([{"op": "move", "file": "f", "to": "g"}], "conflict"),
        ([{"op": "append", "file": "none", "block": "x"}], "conflict"),
        ([{"op": "replace-block", "file": "f", "start": 5, "end": 6, "block": "x"}], "conflict"),
        ([{"op": "insert-after", "file": "f", "line": 6, "block": "x"}], "conflict"),
        ([{"op": "append", "file": "f", "blockFile": "none"}], "conflict"),
        ([{"op": "delete", "file": "f"}, {"op": "append", "file": "f", "block": "x"}], "refused"),
        ([{"op": "delete", "file": "f"}, {"op": "delete", "file": "f"}], "refused"),
        ([{"op": "create", "file": "n", "block": "x"}, {"op": "append", "file": "n", "block": "x"}], "refused"),
        ([{"op": "move", "file": "f", "to": "n"}, {"op": "append", "file": "n", "block": "x"}], "refused"),
        ([{"op": "move", "file": "f", "to": "n"}, {"op": "create", "file": "n", "block": "x"}], "refused"),
        ([{"op": "append", "file": "binary", "block": "x"}], "refused"),
    ],
)
def test_what_cannot_be_done(five: Box, operations: list[dict[str, Any]], result: str) -> None:
    five.write("g", "x\n")
    five.write("binary", b"a\0b")
    assert unchanged(five, batch(*operations)).result == result


def test_one_bad_operation_spoils_all(five: Box) -> None:
    good = {"op": "append", "file": "f", "block": "x"}
    assert unchanged(five, batch(good, {"op": "delete", "file": "none"})).result == "conflict"


def test_a_block_from_a_file(five: Box) -> None:
    five.write("blocks/one", "from\nfile\n")
    run(five, {"op": "insert-after", "file": "f", "line": 1, "blockFile": "blocks/one"})
    assert five.read("f") == b"1\nfrom\nfile\n2\n3\n4\n5\n"
    five.write("image", b"\0\xff")
    run(five, {"op": "create", "file": "copy", "blockFile": "image"})
    assert five.read("copy") == b"\0\xff"


def test_line_ends_and_final_newline_are_the_files_own(box: Box) -> None:
    box.write("dos", b"1\r\n2\r\n3")
    run(
        box,
        {"op": "replace-block", "file": "dos", "start": 1, "end": 1, "block": "one\nmore\n"},
        {"op": "replace-block", "file": "dos", "start": 3, "end": 3, "block": "three\n"},
    )
    assert box.read("dos") == b"one\r\nmore\r\n2\r\nthree"
    box.write("open", "1\n2")
    run(box, {"op": "append", "file": "open", "block": "x"})
    assert box.read("open") == b"1\n2\nx"
    run(box, {"op": "append", "file": "open", "block": "y\n"})
    assert box.read("open") == b"1\n2\nx\ny\n"
    box.write("empty", "")
    run(box, {"op": "append", "file": "empty", "block": "x"})
    assert box.read("empty") == b"x\n"


def test_nothing_to_do_is_already_applied(five: Box) -> None:
    result = unchanged(five, batch({"op": "replace-block", "file": "f", "start": 2, "end": 2, "block": "2\n"}))
    assert result.result == "already-applied"
    five.write("n", "same\n")
    assert unchanged(five, batch({"op": "create", "file": "n", "block": "same\n"})).result == "already-applied"


PYTHON = """\
def first():
    # PATCH_MARKER: body
    return 1


# PATCH_MARKER: imports start
import os
# PATCH_MARKER: imports end
x = 1  # PATCH_MARKER: odd/name-1.2
"""


def test_markers(box: Box) -> None:
    box.write("f.py", PYTHON)
    run(
        box,
        {"op": "insert-after", "file": "f.py", "marker": "body", "block": "if x:\n    y()\n\nz()\n"},
        {
            "op": "replace-between",
            "file": "f.py",
            "startMarker": "imports",
            "endMarker": "imports",
            "block": "import re\n",
        },
        {"op": "insert-before", "file": "f.py", "marker": "PATCH_MARKER: odd/name-1.2", "block": "# before"},
    )
    wanted = PYTHON.replace("body\n", "body\n    if x:\n        y()\n\n    z()\n").replace("import os", "import re")
    assert box.read("f.py").decode() == wanted.replace("x = 1", "# before\nx = 1")


def test_a_block_with_indentation_keeps_it(box: Box) -> None:
    box.write("f.py", PYTHON)
    run(box, {"op": "insert-after", "file": "f.py", "marker": "body", "block": "        deep()\n    less()\n"})
    assert b"body\n        deep()\n    less()\n    return 1\n" in box.read("f.py")
    box.write("g.py", "def f():\n    return 1\n")
    run(box, {"op": "insert-after", "file": "g.py", "line": 2, "block": "\n\ndef g():\n    return 2\n"})
    assert box.read("g.py") == b"def f():\n    return 1\n\n\ndef g():\n    return 2\n"


@pytest.mark.parametrize(
    ("marker", "code", "said"),
    [
        ("bodi", "marker-missing", "'body' in line 2"),
        ("imports", "marker-is-span", "replace-between"),
        ("twice", "marker-ambiguous", "2 times"),
    ],
)
def test_markers_that_do_not_name_one_line(box: Box, marker: str, code: str, said: str) -> None:
    box.write("f.py", PYTHON + "# PATCH_MARKER: twice\n# PATCH_MARKER: twice\n")
    result = unchanged(box, batch({"op": "insert-after", "file": "f.py", "marker": marker, "block": "x"}))
    assert (result.result, box.codes(result)) == ("conflict", [code])
    assert said in result.errors[0].message
    assert "$.patches[0]" in result.errors[0].message


def test_a_line_that_is_no_comment_is_a_marker_by_its_whole_text(box: Box) -> None:
    box.write("f", "one\n  [section]  \ntwo\n")
    run(box, {"op": "insert-after", "file": "f", "marker": "[section]", "block": "x"})
    assert box.read("f") == b"one\n  [section]  \n  x\ntwo\n"
    assert unchanged(box, batch({"op": "insert-after", "file": "f", "marker": "section", "block": "x"})).exit_code == 3


def test_an_end_marker_above_its_start(box: Box) -> None:
    box.write("f", "# PATCH_MARKER: b\n# PATCH_MARKER: a\n")
    result = unchanged(
        box, batch({"op": "replace-between", "file": "f", "startMarker": "a", "endMarker": "b", "block": ""})
    )
    assert box.codes(result) == ["marker-order"]


GOOD = {"op": "append", "file": "f", "block": "x"}


@pytest.mark.parametrize(
    ("document", "where"),
    [
        ("{", "line 1"),
        ("[]", "$.patches"),
        ("{}", "$.patches"),
        ('{"patches": []}', "$.patches"),
        ('{"patches": {}}', "$.patches"),
        ('{"patches": [1]}', "$.patches[0]"),
        ('{"patches": [{"op": "append", "op": "append"}]}', "twice"),
        (json.dumps({"patches": [GOOD], "dryRun": True}), "$.dryRun"),
        (json.dumps({"patches": [GOOD], "taskId": 3.5}), "$.taskId"),
        (json.dumps([{**GOOD, "op": "explode"}]), "$.patches[0].op"),
        (json.dumps([{**GOOD, "op": None}]), "$.patches[0].op"),
        (json.dumps([GOOD, {"op": "append", "block": "x"}]), "$.patches[1].file"),
        (json.dumps([{**GOOD, "file": 5}]), "$.patches[0].file"),
        (json.dumps([{**GOOD, "block": ["x"]}]), "$.patches[0].block"),
        (json.dumps([{**GOOD, "blok": "x"}]), "$.patches[0].blok"),
        (json.dumps([{"op": "append", "file": "f"}]), "$.patches[0]"),
        (json.dumps([{**GOOD, "blockFile": "x"}]), "$.patches[0]"),
        (json.dumps([{**GOOD, "block": ""}]), "$.patches[0].block"),
        (json.dumps([{**GOOD, "openSpace": "yes"}]), "$.patches[0].openSpace"),
        (json.dumps([{**GOOD, "openSpace": 99}]), "$.patches[0].openSpace"),
        (json.dumps([{**GOOD, "op": "insert-after"}]), "$.patches[0]"),
        (json.dumps([{**GOOD, "op": "insert-after", "line": 1, "marker": "m"}]), "$.patches[0]"),
        (json.dumps([{**GOOD, "op": "insert-after", "line": 0}]), "$.patches[0].line"),
        (json.dumps([{**GOOD, "op": "insert-after", "line": True}]), "$.patches[0].line"),
        (json.dumps([{**GOOD, "op": "insert-after", "line": 1.5}]), "$.patches[0].line"),
        (json.dumps([{**GOOD, "op": "insert-after", "marker": ""}]), "$.patches[0].marker"),
        (json.dumps([{**GOOD, "op": "replace-block", "start": 3, "end": 2}]), "$.patches[0].end"),
        (json.dumps([{**GOOD, "op": "replace-block", "start": 3}]), "$.patches[0].end"),
        (json.dumps([{**GOOD, "op": "replace-between", "startMarker": "a"}]), "$.patches[0].endMarker"),
        (json.dumps([{"op": "move", "file": "f"}]), "$.patches[0].to"),
        (json.dumps([{**GOOD, "file": "../x"}]), "$.patches[0].file"),
        ('[{"op": "append", "file": "f", "block": "\\ud800"}]', "$.patches[0].block"),
        ('[{"op": "append", "file": "\\ud800", "block": "x"}]', "$.patches[0].file"),
        ("[" * 100_000, "nests"),
        ('{"patches": [{"op": "replace-block", "start": ' + "9" * 10_000 + "}]}", ""),
        ("\ufeff{}", "$.patches"),
    ],
)
def test_errors_name_the_json_path(five: Box, document: str, where: str) -> None:
    result = unchanged(five, document, format="operations")
    assert result.result == "refused"
    assert where in result.errors[0].message


def test_every_error_is_named(five: Box) -> None:
    result = unchanged(five, json.dumps([{"op": "x"}, GOOD, {"op": "append"}]))
    assert ["$.patches[0]" in result.errors[0].message, "$.patches[2]" in result.errors[1].message] == [True, True]


@pytest.mark.parametrize(
    ("text", "format_name"),
    [
        (batch(GOOD), "operations"),
        (json.dumps([GOOD]), "operations"),
        ("\n\n  " + batch(GOOD), "operations"),
        ("diff --git a/f b/f\nold mode 100644\nnew mode 100755\n", "git"),
        ("text\n--- a/f\n+++ b/f\n@@ -1 +1 @@\n-1\n+x\n", "unified"),
        ('{ "a": 1 }\n--- a/f\n+++ b/f\n@@ -1 +1 @@\n-1\n+x\n', "unified"),
    ],
)
def test_formats_are_told_by_content(five: Box, text: str, format_name: str) -> None:
    assert five.apply(text, dry_run=True).format == format_name


TASKS = {
    "tasks": [
        {"id": 1, "title": "free"},
        {"id": "T-2", "files": ["src/", "*.md"], "allowedOperations": ["append", "create"]},
        {"id": 3, "files": ["f"], "allowed_spans": [{"file": "f", "start": 2, "end": 3}], "subtasks": [{"id": 1}]},
        {"id": 4, "allowed_spans": "anything"},
        {"id": 5, "allowed_spans": {"f": [[1, 5]]}},
    ]
}


@pytest.mark.parametrize(
    ("task", "operation", "code"),
    [
        ("1", GOOD, None),
        ("99", GOOD, "unknown-task"),
        ("T-2", {**GOOD, "file": "src/a"}, None),
        ("T-2", {"op": "create", "file": "note.md", "block": "x"}, None),
        ("T-2", GOOD, "task-files"),
        ("T-2", {"op": "prepend", "file": "src/a", "block": "x"}, "task-operations"),
        ("T-2", {"op": "delete", "file": "src/a"}, "task-operations"),
        ("3", {"op": "replace-block", "file": "f", "start": 2, "end": 3, "block": "x"}, None),
        ("3", {"op": "insert-after", "file": "f", "line": 3, "block": "x"}, None),
        ("3", {"op": "replace-block", "file": "f", "start": 3, "end": 4, "block": "x"}, "task-spans"),
        ("3", {"op": "insert-after", "file": "f", "line": 4, "block": "x"}, "task-spans"),
        ("3.1", {"op": "replace-block", "file": "f", "start": 3, "end": 4, "block": "x"}, "task-spans"),
        ("4", GOOD, "tasks-file"),
        ("5", GOOD, None),
    ],
)
@pytest.mark.parametrize("tagged", [False, True])
def test_the_task_of_a_batch(five: Box, task: str, operation: dict[str, Any], code: str | None, tagged: bool) -> None:
    five.write("src/a", "1\n")
    five.write(".mission_control/tasks.json", json.dumps({"master": TASKS} if tagged else TASKS))
    result = five.apply(batch(operation, taskId=task), dry_run=True)
    assert five.codes(result) == ([] if code is None else [code])


def test_a_task_needs_a_tasks_file(five: Box) -> None:
    assert five.codes(unchanged(five, batch(GOOD, taskId="1"))) == ["unknown-task"]
    five.write(".mission_control/tasks.json", "{")
    assert five.codes(unchanged(five, batch(GOOD, taskId="1"))) == ["tasks-file"]
    assert five.apply(batch(GOOD)).result == "applied"
