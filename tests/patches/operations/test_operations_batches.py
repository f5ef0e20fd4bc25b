"""Operation batches as agents write them: slips of JSON and of names, indentation, ends of files, tasks."""

from __future__ import annotations

import json
from typing import Any

import pytest
from engine_helpers import Box, unchanged

from vibehq_tui.patches.applying.allowed import allows
from vibehq_tui.patches.applying.engine import EngineResult
from vibehq_tui.patches.errors import PatchRefused
from vibehq_tui.patches.formats import parse
from vibehq_tui.patches.formats.operations import parse_operations


def run(box: Box, *operations: dict[str, Any], **more: Any) -> EngineResult:
    """Applies a batch that must apply."""
    result = box.apply(json.dumps({"patches": list(operations), **more}), format="operations")
    assert (result.result, box.codes(result)) == ("applied", [])
    return result


def refused(text: str) -> PatchRefused:
    with pytest.raises(PatchRefused) as caught:
        parse_operations(text.encode())
    return caught.value


GOOD = '{"op": "append", "file": "f", "block": "x"}'
STRICT = f'{{"patches": [{GOOD}]}}'


@pytest.mark.parametrize(
    ("text", "repairs"),
    [
        (STRICT, []),
        (f"[{GOOD}]", []),
        (GOOD, []),
        (f"\ufeff{STRICT}", []),
        (f"```json\n{STRICT}\n```", []),
        (f"Sure, here it is [1] in {{braces}}:\n\n~~~\n{STRICT}\n~~~\nDone. {{ok}}", []),
        (f"```python\nx = 1\n```\n\n```json\n{STRICT}\n```\n", []),
        (f"```json\n{STRICT}\n", []),
        (f"The batch: {STRICT} – that is all.", []),
        (f"{GOOD}\n{GOOD.replace('append', 'prepend')}\n", ["json-lines"]),
        ('{"patches": [{"op": "append", "file": "f", "block": "x",},],}', ["json-comma"]),
        (f'{{"patches": [{GOOD} {GOOD.replace("append", "prepend")}]}}', ["json-comma"]),
        (f'{{ // why\n"patches": /* all */ [{GOOD}] # end\n}}', ["json-comment"]),
        ("{patches: [{op: 'append', file: 'f', block: 'it\\'s \"x\"'}]}", ["json-quotes"]),
        (
            "[{'op': 'append', 'file': 'f', 'block': 'x', 'openSpace': True, 'marker': None}]",
            ["json-quotes", "json-word"],
        ),
        ('[{"op": "append", "file": "f", "block": "a\n\tb"}]', ["json-newline"]),
        ('{"op": "append", "path": "f", "content": "x"}', ["key-name", "key-name"]),
        ('{"op": "append", "file": "f", "block": "x", "open_space": 1}', ["key-name"]),
        ('{"op": "Append", "file": "f", "block": "x"}', ["operation-name"]),
        ('{"op": "insert_after", "file": "f", "line": 1, "block": "x"}', ["operation-name"]),
        ('{"op": "insertAfter", "file": "f", "line": 1, "block": "x"}', ["operation-name"]),
        ('{"op": "append", "file": "f", "block": "x", "line": null, "to": null, "other": null}', []),
        ('{"op": "delete", "file": "f", "block": "", "openSpace": false}', []),
        ('{"op": "append", "file": "f", "block": "x", "note": "why"}', ["unknown-key"]),
        (f'{{"patches": [{GOOD}], "version": 2}}', ["unknown-key"]),
        (f'{{"order_id": 7, "operations": [{GOOD}]}}', ["key-name", "key-name"]),
    ],
)
def test_slips_that_are_read_as_meant(box: Box, text: str, repairs: list[str]) -> None:
    parsed = parse_operations(text.encode())
    assert [repair.code for repair in parsed.repairs] == repairs
    box.write("f", "1\n2\n")
    assert box.apply(text, format="operations", dry_run=True).result == "dry-run"
    assert box.apply(text, format="operations", dry_run=True, strict=True).result == (
        "refused" if repairs else "dry-run"
    )


@pytest.mark.parametrize(
    ("text", "format_name"),
    [
        (f"```json\n{STRICT}\n```", "operations"),
        (f"Sure, here it is:\n\n~~~\n{STRICT}\n~~~\nDone.", "operations"),
        (f"The batch: {STRICT} – that is all.", "operations"),
        ("[{'op': 'append', 'file': 'f', 'block': 'x'}]", "operations"),
        ("{patches: [{op: 'append', file: 'f', block: 'x'}]}", "operations"),
        (
            'Here:\n```json\n[{"op": "create", "file": "n", "block": "<<<<<<< SEARCH\\n--- a/x\\n"}]\n```\n',
            "operations",
        ),
        (f"batch.json\n```json\n{STRICT}\n```\n", "whole-file"),
        (f"--- a/f\n+++ b/f\n@@ -1 +1,2 @@\n 1\n+{GOOD}\n", "unified"),
    ],
)
def test_a_batch_is_told_by_its_content(text: str, format_name: str) -> None:
    assert parse(text.encode()).format == format_name


def test_texts_are_kept_through_repairs(box: Box) -> None:
    parsed = parse_operations(
        b"[{'op': 'append', 'file': 'f', 'block': 'it\\'s \"x\"\\n// no comment, {no key: 1}\\n',}, // one\n"
        b'{"op": "prepend", "file": "f", "block": "a,]\\u00e9 \'b\' True"}]'
    )
    assert [edit.block for edit in parsed.changes[0].edits] == [
        'it\'s "x"\n// no comment, {no key: 1}\n',
        "a,]é 'b' True",
    ]


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        (STRICT[:-1], "truncated", "line 1"),
        (STRICT[:-10], "truncated", "not closed"),
        (f"{STRICT}\n{STRICT}", "several-batches", "lines 1, 2"),
        (f"```\n{STRICT}\n```\nor\n```\n[{GOOD}]\n```", "several-batches", "lines 2, 6"),
        (f"{GOOD} or else {GOOD}", "several-batches", "2 batches"),
        ("[{'op': 'append', 'file': 'f', 'block': 'it's'}]", "operation", "line 1, column 45"),
        ('[{"op": "append", "file": "f", "block": "a "quoted" b"}]', "operation", "line 1, column 45"),
        ('[{"op": "append", "file": "f", "block": "x" "y"}]', "operation", "line 1"),
        ('[{"op": "append", "file": "f", "block": "\\d"}]', "operation", "escape"),
        ('[{"op": "append", "file": "f", "block": x}]', "operation", "'x' is neither"),
        ('[{"op": "append", "file": "f", "block": `x`}]', "operation", "'`' is not expected"),
        ('[{"op": "append", "file": "f", "file": "g", "block": "x"}, ]', "operation", "twice"),
        ('{"patches": [{"op": "append", "file": "f", "block": "x"}}', "operation", "closes nothing"),
        ("no batch at all", "operation", "no operation batch"),
        ('{"a": 1} and {"b": 2}', "operation", "no operation batch"),
        ("```\nsome {text}\n```", "operation", "no operation batch"),
        ('[{"op": "append", "file": "f", "block": "x", "dry_run": true}]', "operation", "something else than meant"),
        ('[{"op": "append", "file": "f", "block": "x", "expected": "y"}]', "operation", "something else than meant"),
        ('[{"op": "append", "file": "f", "block": "x", "line": 3}]', "operation", "one of insert-before, insert-after"),
        ('[{"op": "append", "file": "f", "block": "x", "blok": "y"}]', "operation", "did you mean block?"),
        ('[{"op": "append", "file": "f", "path": "g", "block": "x"}]', "operation", "$.patches[0].path"),
        ('[{"op": "append", "file": "f", "block": "x", "openSpace": 1, "open_space": 2}]', "operation", "append"),
        ('[{"op": "append", "file": "f", "block": "x", "indent": "deep"}]', "operation", "auto, keep, match"),
        ('[{"op": "append", "file": "f", "block": "a\\u0000b"}]', "operation", "NUL"),
        ('[{"op": "appendix", "file": "f", "block": "x"}]', "operation", "did you mean append?"),
        ('[{"file": "f", "block": "x"}]', "operation", "$.patches[0].op: is missing; one of replace-block,"),
        ('[{"op": "replace-block", "file": "f", "block": "x"}]', "operation", "start and end or marker"),
        (
            '[{"op": "replace-block", "file": "f", "marker": "m", "start": 1, "end": 1, "block": "x"}]',
            "operation",
            "one of",
        ),
        ('[{"op": "insert-after", "file": "f", "line": "3", "block": "x"}]', "operation", '"3"; a line number'),
        ('[{"op": "insert-after", "file": "f", "line": 0, "block": "x"}]', "operation", "the first line is 1"),
    ],
)
def test_what_is_not_certain_is_refused(text: str, code: str, said: str) -> None:
    error = refused(text)
    assert error.problems[0].code == code
    assert said in error.problems[0].message


def test_a_fence_within_a_text_is_no_end(box: Box) -> None:
    block = "# Title\n\n```sh\nrun\n```\n"
    text = "Here:\n```json\n" + json.dumps([{"op": "create", "file": "a.md", "block": block}], indent=1) + "\n```\n"
    assert box.apply(text, format="operations").result == "applied"
    assert box.read("a.md").decode() == block


def test_nothing_of_a_broken_batch_is_done(box: Box) -> None:
    """The parts of a broken document are whole operations; they are not taken for the batch."""
    box.write("f", "1\n")
    for text in (
        f'{{"taskId": "9" "patches": [{GOOD}]}}',
        f'{{"taskId": 9x, "patches": [{GOOD}]}}',
        f"{{'a' 'b', \"patches\": [{GOOD}]}}",
        f'{{"patches": [{GOOD}, {{"op": "delete", "file": "f"]}}',
    ):
        assert unchanged(box, text, format="operations").result == "refused"


PYTHON = """\
import os


class Thing:
    def first(self):
        a = 1
        if a:
            b = 2
        return a

    def second(self):
        # PATCH_MARKER: body
        return 2
"""


@pytest.mark.parametrize(
    ("operation", "wanted", "told"),
    [
        # At the left edge, inside what is indented: it takes the indentation, and that is said.
        ({"op": "insert-after", "line": 6, "block": "x"}, {6: "        x"}, "repair"),
        ({"op": "insert-before", "line": 6, "block": "x"}, {5: "        x"}, "repair"),
        ({"op": "insert-before", "line": 9, "block": "x\n\n  y"}, {8: "        x", 9: "", 10: "          y"}, "repair"),
        ({"op": "replace-block", "start": 9, "end": 9, "block": "return b"}, {8: "        return b"}, "repair"),
        (
            {"op": "replace-block", "start": 6, "end": 9, "block": "if x:\n    y"},
            {5: "        if x:", 6: "            y"},
            "repair",
        ),
        # What follows is less indented, so it could be meant to end what stands above: as it is, with a warning.
        ({"op": "insert-after", "line": 9, "block": "x"}, {9: "x"}, "warning"),
        ({"op": "insert-after", "line": 13, "block": "def f():\n    pass"}, {13: "def f():"}, "warning"),
        ({"op": "insert-before", "line": 8, "block": "else:"}, {7: "else:"}, "warning"),
        # It says how it is indented, or what is around it is not.
        ({"op": "insert-after", "line": 6, "block": "    x"}, {6: "    x"}, ""),
        ({"op": "insert-after", "line": 1, "block": "x"}, {1: "x"}, ""),
        ({"op": "insert-after", "line": 4, "block": "x"}, {4: "x"}, ""),
        ({"op": "insert-after", "line": 6, "block": "x", "indent": "keep"}, {6: "x"}, ""),
        (
            {"op": "insert-after", "line": 9, "block": "x\n  y", "indent": "match"},
            {9: "        x", 10: "          y"},
            "",
        ),
        ({"op": "insert-after", "line": 9, "block": "            x\n", "indent": "match"}, {9: "        x"}, ""),
        ({"op": "append", "block": "x"}, {13: "x"}, ""),
        # At a marker it always takes the indentation of the marker, unless it has one.
        ({"op": "insert-after", "marker": "body", "block": "x\n\ny"}, {12: "        x", 13: "", 14: "        y"}, ""),
        ({"op": "insert-after", "marker": "body", "block": "x", "indent": "keep"}, {12: "x"}, ""),
        ({"op": "insert-after", "marker": "body", "block": "    x"}, {12: "    x"}, ""),
        ({"op": "insert-after", "marker": "body", "block": "  x", "indent": "match"}, {12: "        x"}, ""),
    ],
)
def test_indentation(box: Box, operation: dict[str, Any], wanted: dict[int, str], told: str) -> None:
    box.write("f.py", PYTHON)
    result = run(box, {"file": "f.py", **operation})
    lines = box.read("f.py").decode().split("\n")
    assert {at: lines[at] for at in wanted} == wanted
    assert box.repairs(result) == (["indentation"] if told == "repair" else [])
    assert len(result.warnings) == (told == "warning")
    if told == "warning":
        assert "indent: match" in result.warnings[0]


@pytest.mark.parametrize(
    ("name", "text", "block", "taken"),
    [
        ("f.c", "void f(void) {\n\ta();\n\tb();\n}\n", "c();", True),
        ("f.c", "void f(void) {\n\ta();\n}\n", "c();", True),
        ("f.c", "void f(void) {\n\ta();\n\tb();\n}\n", "#ifdef X", False),
        ("f.ts", "f({\n  a: 1,\n  b: 2,\n});\n", "c: 3,", False),
        ("f.sh", "f() {\n  a\n  b\n}\n", "cat <<EOF\nx\nEOF", False),
        ("f.yaml", "a:\n  b: 1\n  c: 2\n", "d: 3", True),
        ("f.md", "- a\n  b\n  c\n", "d", False),
        ("f.txt", "a\n  b\n  c\n", "d", False),
        ("Makefile", "a:\n\tb\n\tc\n", "endif", False),
        ("f.rb", "def f\n  a\nend\n", "b", True),
        ("f.py", "if a:\n    b\nendpoint = 1\n", "c", False),
    ],
)
def test_indentation_by_language(box: Box, name: str, text: str, block: str, taken: bool) -> None:
    box.write(name, text)
    result = run(box, {"op": "insert-after", "file": name, "line": 2, "block": block})
    assert box.repairs(result) == (["indentation"] if taken else [])
    assert len(result.warnings) == (not taken)
    first = box.read(name).decode().split("\n")[2]
    assert first.lstrip() == block.split("\n")[0]
    assert (first != first.lstrip()) == taken


def test_lines_that_the_batch_replaces_tell_nothing(box: Box) -> None:
    """Taking a condition away moves what it held to the left edge."""
    box.write("f.py", "if a:\n    b\n    c\nd\n")
    run(
        box,
        {"op": "replace-block", "file": "f.py", "start": 1, "end": 1, "block": ""},
        {"op": "replace-block", "file": "f.py", "start": 2, "end": 3, "block": "b\nc"},
    )
    assert box.read("f.py") == b"b\nc\nd\n"


@pytest.mark.parametrize(
    ("before", "operation", "after"),
    [
        ("", {"op": "append", "block": "x"}, "x\n"),
        ("", {"op": "prepend", "block": "x\n"}, "x\n"),
        ("", {"op": "append", "block": "x", "openSpace": True}, "x\n"),
        ("a", {"op": "insert-before", "line": 1, "block": "x"}, "x\na"),
        ("a", {"op": "insert-after", "line": 1, "block": "x"}, "a\nx"),
        ("a", {"op": "insert-after", "line": 1, "block": "x\n"}, "a\nx\n"),
        ("a\nb", {"op": "replace-block", "start": 2, "end": 2, "block": "x\ny"}, "a\nx\ny"),
        ("a\nb", {"op": "replace-block", "start": 1, "end": 2, "block": ""}, ""),
        ("a\r\nb\r\n", {"op": "append", "block": "x\ny"}, "a\r\nb\r\nx\r\ny\r\n"),
        ("a\r\nb\r\n", {"op": "insert-after", "line": 1, "block": "x", "openSpace": 1}, "a\r\n\r\nx\r\n\r\nb\r\n"),
        ("a\nb\n", {"op": "append", "block": "x\r\ny\r\n"}, "a\nb\nx\ny\n"),
        ("\ta\n\tb\n", {"op": "insert-after", "line": 1, "block": "x", "indent": "match"}, "\ta\n\tx\n\tb\n"),
        ("\n\n", {"op": "replace-block", "start": 1, "end": 1, "block": "x"}, "x\n\n"),
        ("a\nb\nc\n", {"op": "replace-block", "start": 2, "end": 2, "block": "x", "openSpace": 1}, "a\n\nx\n\nc\n"),
        (
            "a\n\nb\nc\n",
            {"op": "replace-block", "start": 3, "end": 3, "block": "x", "openSpace": 2},
            "a\n\n\nx\n\n\nc\n",
        ),
        ("a\nb\nc\n", {"op": "replace-block", "start": 2, "end": 2, "block": "", "openSpace": 1}, "a\nc\n"),
        ("a\n\n\nb\n", {"op": "insert-after", "line": 1, "block": "x", "openSpace": 1}, "a\n\nx\n\n\nb\n"),
    ],
)
def test_ends_of_lines_and_of_files(box: Box, before: str, operation: dict[str, Any], after: str) -> None:
    box.write("f", before.encode())
    run(box, {"file": "f", **operation})
    assert box.read("f").decode() == after


@pytest.mark.parametrize(
    ("before", "operation", "said"),
    [
        ("", {"op": "insert-before", "line": 1, "block": "x"}, "the file is empty; append is for its end"),
        ("a\n", {"op": "insert-before", "line": 2, "block": "x"}, "the file has 1 line; append is for its end"),
        ("a\nb\n", {"op": "insert-after", "line": 9, "block": "x"}, "there is no line 9; the file has 2 lines"),
        ("a\nb\n", {"op": "replace-block", "start": 2, "end": 3, "block": "x"}, ".end: there is no line 3"),
    ],
)
def test_lines_that_are_not_there(box: Box, before: str, operation: dict[str, Any], said: str) -> None:
    box.write("f", before)
    result = unchanged(box, json.dumps([{"file": "f", **operation}]))
    assert (result.result, box.codes(result)) == ("conflict", ["no-such-line"])
    assert said in result.errors[0].message
    assert result.errors[0].message.startswith("$.patches[0]")


def test_a_block_file_means_the_tree_before_the_batch(box: Box) -> None:
    box.write("f", "1\n")
    box.write("part", "old\n")
    run(
        box,
        {"op": "append", "file": "f", "blockFile": "part"},
        {"op": "replace-block", "file": "part", "start": 1, "end": 1, "block": "new"},
    )
    assert (box.read("f"), box.read("part")) == (b"1\nold\n", b"new\n")
    box.write("image", b"a\0b")
    result = unchanged(box, json.dumps([{"op": "append", "file": "f", "blockFile": "image"}]))
    assert box.codes(result) == ["binary-file"]
    (box.root / "folder").mkdir()
    result = unchanged(box, json.dumps([{"op": "append", "file": "f", "blockFile": "folder"}]))
    assert box.codes(result) == ["missing-file"]


TASK_PATTERNS = [
    ("src/**", "src/a/b.py", True),
    ("src/**", "src", False),
    ("src/**/*.py", "src/a.py", True),
    ("src/**/*.py", "src/a/b/c.py", True),
    ("src/*.py", "src/a/b.py", False),
    ("src", "src/a", True),
    ("src", "srcs/a", False),
    ("src", "lib/src/a", False),
    ("./src/", "src/a", True),
    ("*.md", "docs/a.md", True),
    ("*", "a/b", True),
    ("**", "a/b", True),
    ("a?.py", "ab.py", True),
    ("a?.py", "a/.py", False),
    ("[ab].py", "b.py", True),
    ("[!ab].py", "b.py", False),
    ("[z-a].py", "z.py", False),
    ("a+(b).py", "a+(b).py", True),
    ("", "a", False),
    ("/", "a", False),
    (".", "a", False),
    ("Src/a", "src/a", False),
]


@pytest.mark.parametrize(("pattern", "path", "fits"), TASK_PATTERNS)
def test_patterns_of_a_task(pattern: str, path: str, fits: bool) -> None:
    assert allows(path, pattern) is fits


def test_a_pattern_of_many_stars_takes_no_time() -> None:
    assert allows("a/" * 2000 + "b", "**/" * 50 + "*a*" * 20 + "c") is False


TASKS = {
    "tasks": [
        {"id": 1, "title": "narrow", "allowedFiles": ["src/**/*.py", "!src/secret/**"]},
        {"id": 2, "title": "none", "allowedFiles": []},
        {"id": 3, "title": "says nothing", "files": []},
        {"id": 4, "title": "operations", "allowed_operations": ["insert_after", "move"]},
        {"id": 5, "title": "objects", "files": [{"path": "a.py", "action": "modify"}], "allowedFiles": None},
    ]
}


@pytest.mark.parametrize(
    ("task", "operation", "said"),
    [
        (1, {"op": "create", "file": "src/a/b.py", "block": "x"}, ""),
        (1, {"op": "create", "file": "docs/b.py", "block": "x"}, "not among the files of task 1 (src/**/*.py)"),
        (
            1,
            {"op": "create", "file": "src/secret/b.py", "block": "x"},
            "taken out of the files of task 1 by '!src/secret",
        ),
        (1, {"op": "move", "file": "a.py", "to": "src/b.py"}, "not among the files"),
        (2, {"op": "delete", "file": "a.py"}, "it allows none"),
        (3, {"op": "delete", "file": "a.py"}, ""),
        (4, {"op": "insert-after", "file": "a.py", "line": 1, "block": "x"}, ""),
        (4, {"op": "move", "file": "a.py", "to": "b.py"}, ""),
        (4, {"op": "append", "file": "a.py", "block": "x"}, "append is not among the allowed operations of task 4"),
        (5, {"op": "append", "file": "a.py", "block": "x"}, ""),
        (5, {"op": "create", "file": "b.py", "block": "x"}, "not among the files"),
        (9, {"op": "delete", "file": "a.py"}, "there is no task '9' in"),
    ],
)
@pytest.mark.parametrize("source", [".mission_control/tasks.json", ".taskmaster/tasks/tasks.json"])
def test_what_a_task_allows(box: Box, source: str, task: int, operation: dict[str, Any], said: str) -> None:
    box.write(source, json.dumps(TASKS))
    box.write("a.py", "1\n")
    result = box.apply(json.dumps({"taskId": task, "patches": [operation]}))
    assert result.result == ("refused" if said else "applied")
    assert said in (result.errors[0].message if result.errors else "")
    if task == 9:
        assert source in result.errors[0].message
        assert "there is 1, 2, 3, 4, 5" in result.errors[0].message


def test_the_first_tasks_file_counts(box: Box) -> None:
    box.write(".mission_control/tasks.json", json.dumps({"tasks": [{"id": 1}]}))
    box.write(".taskmaster/tasks/tasks.json", json.dumps({"tasks": [{"id": 2}]}))
    text = json.dumps({"taskId": 2, "patches": [{"op": "create", "file": "a", "block": "x"}]})
    assert box.codes(unchanged(box, text)) == ["unknown-task"]
    for broken in ("{", "[" * 100_000, "\xff"):
        box.write(".mission_control/tasks.json", broken)
        assert box.codes(unchanged(box, text)) in (["tasks-file"], ["unknown-task"])
