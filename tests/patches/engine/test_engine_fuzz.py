"""Whatever the text, the parsers answer or refuse: no other error, no hang, and no change that was not planned."""

from __future__ import annotations

import difflib
import json
import time
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from vibehq_tui.patches.errors import AlreadyApplied, PatchConflict, PatchRefused
from vibehq_tui.patches.formats import FORMATS, parse
from vibehq_tui.patches.model import ParsedPatch
from vibehq_tui.patches.paths import check_path
from vibehq_tui.patches.planning.plan import Plan
from vibehq_tui.patches.planning.planner import make_plan
from vibehq_tui.patches.planning.tree import WorkTree

SLOW = 2.0
"""Seconds that no text of this size may take."""

LINES = [
    b"diff --git a/f b/f\n",
    b"diff --git a/f b/g\n",
    b'diff --git "a/\\303\\274" "b/\\303\\274"\n',
    b"diff --git a/x y b/x y\n",
    b"--- a/f\n",
    b"+++ b/f\n",
    b"--- /dev/null\n",
    b"+++ /dev/null\n",
    b"+++ b/new\n",
    b"--- f\t1970-01-01 00:00:00\n",
    b"@@ -1,3 +1,3 @@\n",
    b"@@ -1 +1 @@ def f():\n",
    b"@@ -0,0 +1,2 @@\n",
    b"@@ -2,0 +3 @@\n",
    b"@@ -9,2 +9 @@\r\n",
    b"@@ ... @@\n",
    b" one\n",
    b" two\n",
    b"-two\n",
    b"+new\n",
    b"+\n",
    b" \n",
    b"\n",
    b"\r\n",
    b"+dos\r\n",
    b"\\ No newline at end of file\n",
    b"index 1234567..89abcde 100644\n",
    b"index 0000000000000000000000000000000000000000..e69de29bb2d1d6434b8b29ae775ad8c2e48c5391\n",
    b"old mode 100644\n",
    b"new mode 100755\n",
    b"new mode 120000\n",
    b"new file mode 100644\n",
    b"deleted file mode 100644\n",
    b"similarity index 90%\n",
    b"rename from f\n",
    b"rename to g\n",
    b"copy from f\n",
    b"copy to ../g\n",
    b"GIT binary patch\n",
    b"literal 5\n",
    b"delta 10\n",
    b"McmZQzKm<$dx\n",
    b"Binary files a/f and b/f differ\n",
    b"From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\n",
    b"Subject: [PATCH] =?UTF-8?q?x=C3?=\n",
    b" 2 files changed, 3 insertions(+)\n",
    b"---\n",
    b"-- \n",
    b"2.39.5\n",
    b"```\n",
    b"prose\n",
    b"- list\n",
    b"\xff\xfe\n",
    b"+no end",
]
texts = st.lists(st.sampled_from(LINES), max_size=40).map(b"".join)
headed = st.builds(lambda body: b"--- a/f\n+++ b/f\n@@ -1,4 +1,4 @@\n" + body, texts)
mutated = st.builds(
    lambda text, at, junk: text[: at % (len(text) + 1)] + junk + text[at % (len(text) + 1) :],
    headed,
    st.integers(0, 2000),
    st.binary(max_size=8),
)
SMALL = b"one\ntwo\nthree\n\none\ntwo\n"
contents = st.lists(st.sampled_from([b"one\n", b"two\n", b"three\n", b"\n", b"}\n", b"dos\r\n"]), max_size=12)


def difference(old: list[bytes], new: list[bytes], context: int) -> list[bytes]:
    """A unified diff of the file ``f``."""
    return list(difflib.diff_bytes(difflib.unified_diff, old, new, b"a/f", b"b/f", n=context))


def damaged(lines: list[bytes], changes: list[tuple[int, int]]) -> bytes:
    """A diff with lines dropped, doubled, swapped, or shorn of their mark."""
    lines = list(lines)
    for kind, where in changes:
        if len(lines) < 4:
            break
        at = 2 + where % (len(lines) - 2)
        match kind:
            case 0:
                del lines[at]
            case 1:
                lines.insert(at, lines[at])
            case 2:
                lines[at], lines[at - 1] = lines[at - 1], lines[at]
            case 3:
                lines[at] = lines[at][1:] or b"\n"
            case _:
                del lines[at:]
    return b"".join(lines)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["f", "new", "../x", "one"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
operations = st.dictionaries(
    st.sampled_from(
        [
            "op",
            "file",
            "start",
            "end",
            "block",
            "blockFile",
            "line",
            "marker",
            "openSpace",
            "to",
            "startMarker",
            "endMarker",
        ]
    ),
    values
    | st.sampled_from(
        ["replace-block", "insert-before", "append", "prepend", "create", "delete", "move", "replace-between"]
    )
    | st.integers(1, 6),
)
batches = st.lists(operations, max_size=4).map(lambda items: json.dumps({"patches": items}).encode())

quick = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
thorough = settings(max_examples=20_000, deadline=None, suppress_health_check=list(HealthCheck))


def parsed(text: bytes, format_name: str = "auto") -> ParsedPatch | None:
    """The patch, or None when it is refused; anything else fails the test."""
    start = time.process_time()
    try:
        result = parse(text, format_name)
    except PatchRefused as error:
        assert error.message
        assert error.problems
        json.dumps(error.to_wire())
        result = None
    assert time.process_time() - start < SLOW
    return result


def planned(patch: ParsedPatch, content: bytes = SMALL) -> Plan | None:
    """The plan on a tree with a file ``f``; None when it is refused, in conflict, or done already."""
    with TemporaryDirectory() as name:
        root = Path(name)
        (root / "f").write_bytes(content)
        before = sorted(path.name for path in root.iterdir())
        tree = WorkTree(root)
        start = time.process_time()
        try:
            plan = make_plan(patch, tree)
        except (PatchRefused, PatchConflict, AlreadyApplied) as error:
            json.dumps(error.to_wire())
            return None
        finally:
            tree.close()
            assert time.process_time() - start < SLOW
            assert sorted(path.name for path in root.iterdir()) == before
        return plan


def check_text(text: bytes) -> None:
    patch = parsed(text)
    if patch is None:
        return
    assert patch.changes
    for change in patch.changes:
        assert check_path(change.path) == change.path
        assert change.from_ is None or check_path(change.from_) == change.from_
    plan = planned(patch)
    if plan is not None:
        check_consistent(plan)


def check_consistent(plan: Plan) -> None:
    """What the hunks of a plan say is what its contents are; undone twice it is itself."""
    assert plan.hunk_numbers == tuple(sorted(plan.hunk_numbers))
    for file in plan.files:
        text_hunks = [hunk for hunk in file.hunks if hunk.lines]
        lines = BytesIO(file.before or b"").readlines()
        position, made = 0, []
        for hunk in text_hunks:
            assert [line for tag, line in hunk.lines if tag != "+"] == lines[hunk.first : hunk.first + hunk.old_lines]
            made += lines[position : hunk.first]
            made += [line for tag, line in hunk.lines if tag != "-"]
            position = hunk.first + hunk.old_lines
        if text_hunks:
            assert b"".join([*made, *lines[position:]]) == (file.after or b"")
    assert plan.inverse().inverse().hash == plan.hash or any(file.op == "copy" for file in plan.files)
    assert plan.select(plan.hunk_numbers).hash == plan.hash
    json.dumps(plan.to_wire())
    plan.to_diff()


@quick
@given(texts | headed | mutated)
@example(b"--- a/f\n+++ b/f\n@@ -1,3 +1,3 @@\n one\n-two\n+new\n three\n")
@example(b"\n")
@example(b"+no end")
def test_diffs(text: bytes) -> None:
    check_text(text)


@quick
@given(contents, contents, st.integers(0, 4))
def test_real_differences(old: list[bytes], new: list[bytes], context: int) -> None:
    lines = difference(old, new, context)
    if not lines:
        return
    patch = parsed(b"".join(lines))
    assert patch is not None
    plan = planned(patch, b"".join(old))
    assert plan is not None
    assert plan.files[0].after == b"".join(new)
    assert plan.repairs == ()
    check_consistent(plan)


@quick
@given(
    contents,
    contents,
    st.integers(0, 4),
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 100)), min_size=1, max_size=3),
    contents,
)
def test_damaged_differences(
    old: list[bytes], new: list[bytes], context: int, changes: list[tuple[int, int]], now: list[bytes]
) -> None:
    check_damaged(old, new, context, changes, now)


def check_damaged(
    old: list[bytes], new: list[bytes], context: int, changes: list[tuple[int, int]], now: list[bytes]
) -> None:
    text = damaged(difference(old, new, context), changes)
    patch = parsed(text)
    if patch is None:
        return
    for content in (old, now):
        plan = planned(patch, b"".join(content))
        if plan is not None:
            check_consistent(plan)


@quick
@given(st.binary(max_size=400))
def test_any_bytes(data: bytes) -> None:
    for format_name in FORMATS:
        parsed(data, format_name)


@quick
@given(batches | st.text(max_size=60).map(str.encode) | values.map(lambda value: json.dumps(value).encode()))
def test_operations(text: bytes) -> None:
    patch = parsed(text, "operations")
    if patch is not None:
        plan = planned(patch)
        if plan is not None:
            check_consistent(plan)


@quick
@given(st.text(max_size=30) | st.lists(st.sampled_from(["..", ".", "a", "", ".git", "git~1", "b"])).map("/".join))
def test_paths_that_pass_stay_inside(path: str) -> None:
    try:
        check_path(path)
    except PatchRefused:
        return
    parts = Path("/root", path).parts
    assert ".." not in parts
    assert parts[:2] == ("/", "root")
    assert ".git" not in path.lower().split("/")


@pytest.mark.long
@thorough
@given(texts | headed | mutated)
def test_diffs_at_length(text: bytes) -> None:
    check_text(text)


@pytest.mark.long
@thorough
@given(
    contents,
    contents,
    st.integers(0, 4),
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 100)), max_size=3),
    contents,
)
def test_damaged_differences_at_length(
    old: list[bytes], new: list[bytes], context: int, changes: list[tuple[int, int]], now: list[bytes]
) -> None:
    check_damaged(old, new, context, changes, now)


@pytest.mark.long
@thorough
@given(batches)
def test_operations_at_length(text: bytes) -> None:
    patch: Any = parsed(text, "operations")
    if patch is not None:
        planned(patch)
