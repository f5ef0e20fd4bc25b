"""Markers as coordinates: spans and insertion lines, lists over trees, and what is said when one is not clear."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from engine_helpers import Box, unchanged

from vibehq_tui.patches.applying.marker_files import MOST_BYTES, markers_below
from vibehq_tui.patches.markers.markers import find_markers, pair_markers

PROJECT = Path(__file__).parents[3]


def call(box: Box, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from vibehq_tui.cli.patchctl import main; main()", "markers", *arguments],
        cwd=box.root,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )


def answer(box: Box, *arguments: str, exit_code: int = 0) -> dict[str, Any]:
    done = call(box, *arguments, "--json")
    assert (done.returncode, done.stderr) == (exit_code, "")
    document: dict[str, Any] = json.loads(done.stdout)
    return document


SPANS = """\
# PATCH_MARKER: imports start
import os
import re
# PATCH_MARKER: imports end

# PATCH_MARKER: empty start
# PATCH_MARKER: empty end
# PATCH_MARKER: here
x = "# PATCH_MARKER: hidden"
"""


def test_what_a_marker_means_for_an_edit(box: Box) -> None:
    box.write("a.py", SPANS)
    document = answer(box)
    assert document["items"] == [
        {
            "name": "imports",
            "kind": "span",
            "line": 1,
            "end": 4,
            "state": "existing",
            "span": {"start": 2, "end": 3},
            "insert": 4,
            "path": "a.py",
            "language": "Python",
        },
        {
            "name": "empty",
            "kind": "span",
            "line": 6,
            "end": 7,
            "state": "new",
            "span": None,
            "insert": 7,
            "path": "a.py",
            "language": "Python",
        },
        {
            "name": "here",
            "kind": "point",
            "line": 8,
            "end": None,
            "state": "new",
            "span": None,
            "insert": 9,
            "path": "a.py",
            "language": "Python",
        },
    ]
    assert (document["problems"], document["next"]) == ([], None)
    shown = call(box).stdout
    assert "a.py:1-4  imports  span  (lines 2-3; inserts at 4)" in shown
    assert "a.py:8  here  point  (new; inserts at 9)" in shown


def test_the_insertion_line_is_where_an_insertion_goes(box: Box) -> None:
    box.write("a.py", SPANS)
    item = answer(box, "--name", "here")["items"][0]
    batch = [
        {"op": "insert-after", "file": "a.py", "marker": "here", "block": "y"},
        {"op": "insert-before", "file": "a.py", "marker": "imports end", "block": "import sys"},
        {"op": "replace-block", "file": "a.py", "marker": "empty", "block": "z"},
    ]
    assert box.apply(json.dumps(batch)).result == "applied"
    lines = box.read("a.py").decode().split("\n")
    assert (lines[3], lines[4]) == ("import sys", "# PATCH_MARKER: imports end")
    assert lines[item["insert"] - 1 + 2] == "y"
    assert lines[7] == "z"


@pytest.mark.parametrize(
    ("text", "codes", "said"),
    [
        ("# PATCH_MARKER: a\n# PATCH_MARKER: a\n", ["marker-duplicate"], "in lines 1, 2"),
        ("# PATCH_MARKER: a start\n", ["marker-unclosed"], "starts in line 1 and has no end"),
        ("# PATCH_MARKER: a end\n", ["marker-unopened"], "ends in line 1 and has no start"),
        (
            "# PATCH_MARKER: imports start\n# PATCH_MARKER: import end\n",
            ["marker-unclosed", "marker-unopened"],
            "the nearest end is of 'import'",
        ),
        (
            "# PATCH_MARKER: a start\n# PATCH_MARKER: b start\n# PATCH_MARKER: a end\n# PATCH_MARKER: b end\n",
            ["marker-crossed"],
            "'a' ends in line 3, within 'b', which starts in line 2",
        ),
        (
            "# PATCH_MARKER: a start\n# PATCH_MARKER: b start\n# PATCH_MARKER: b end\n# PATCH_MARKER: a end\n",
            [],
            "",
        ),
        (
            "# PATCH_MARKER: a start\n# PATCH_MARKER: a start\n# PATCH_MARKER: a end\n# PATCH_MARKER: a end\n",
            ["marker-duplicate", "marker-duplicate"],
            "before its end",
        ),
        (
            "# PATCH_MARKER: a start\n# PATCH_MARKER: a end\n# PATCH_MARKER: a start\n# PATCH_MARKER: a end\n",
            ["marker-duplicate"],
            "2 times",
        ),
        ("# PATCH_MARKER: a\n# PATCH_MARKER: a start\n# PATCH_MARKER: a end\n", ["marker-duplicate"], "2 times"),
    ],
)
def test_markers_that_do_not_fit_together(box: Box, text: str, codes: list[str], said: str) -> None:
    _, mistakes = pair_markers(find_markers(text.encode(), "a.py"))
    assert sorted(mistake.code for mistake in mistakes) == codes
    box.write("a.py", text)
    document = answer(box)
    assert [problem["path"] for problem in document["problems"]] == ["a.py"] * len(codes)
    assert any(said in problem["message"] for problem in document["problems"]) or not codes
    assert said in call(box).stdout


NESTED = """\
# PATCH_MARKER: outer start
a = 1
# PATCH_MARKER: inner start
b = 2
# PATCH_MARKER: inner end
# PATCH_MARKER: outer end
# PATCH_MARKER: point
# PATCH_MARKER: left start
# PATCH_MARKER: right start
# PATCH_MARKER: left end
# PATCH_MARKER: right end
# PATCH_MARKER: lone start
"""


@pytest.mark.parametrize(
    ("start", "end", "code", "said"),
    [
        ("inner", "inner", None, "b = 2"),
        ("outer", "inner", "marker-crossed", "one half of the span 'inner'"),
        ("outer", "outer", None, "a = 1"),
        ("inner start", "inner end", None, "b = 2"),
        ("PATCH_MARKER: inner start", "PATCH_MARKER: inner end", None, "b = 2"),
        ("left", "left", "marker-crossed", "'right' (lines 9 to 11)"),
        ("point", "point", "marker-is-point", "in line 7"),
        ("lone", "lone", "marker-unpaired", "has no end in this file; its start is in line 12"),
        ("outer end", "inner", "marker-order", "not below"),
        ("iner", "inner", "marker-missing", "'inner' in line 3"),
        ("a = 1", "point", "marker-crossed", "outer"),
        ("a = 1", "PATCH_MARKER: inner start", None, "a = 1\nX\n# PATCH_MARKER: inner start"),
    ],
)
def test_replacing_between(box: Box, start: str, end: str, code: str | None, said: str) -> None:
    box.write("a.py", NESTED)
    text = json.dumps(
        [{"op": "replace-between", "file": "a.py", "startMarker": start, "endMarker": end, "block": "X\n"}]
    )
    if code is None:
        assert box.apply(text).result == "applied"
        now = box.read("a.py").decode()
        assert "X\n" in now
        assert said not in now or said.startswith("a = 1\nX")
        return
    result = unchanged(box, text)
    assert (result.result, box.codes(result)) == ("conflict", [code])
    assert said in result.errors[0].message


@pytest.mark.parametrize(
    ("marker", "code", "said", "candidates"),
    [
        ("hidden", "marker-missing", "line 9 has it, but not at the start of a comment", (9,)),
        ("imprts", "marker-missing", "there is 'imports' in line 1", (1,)),
        ("HERE", "marker-missing", "'here' in line 8", (8,)),
        ("imports", "marker-is-span", "'imports start' or 'imports end' names one of its lines", (1, 4)),
        ("", None, "", ()),
    ],
)
def test_markers_that_are_not_there(
    box: Box, marker: str, code: str | None, said: str, candidates: tuple[int, ...]
) -> None:
    box.write("a.py", SPANS)
    result = unchanged(box, json.dumps([{"op": "insert-after", "file": "a.py", "marker": marker, "block": "x"}]))
    if code is None:
        assert result.result == "refused"
        return
    assert (result.result, box.codes(result)) == ("conflict", [code])
    assert said in result.errors[0].message
    assert result.errors[0].candidates == candidates


def test_one_marker_by_its_name(box: Box) -> None:
    box.write("a.py", "# PATCH_MARKER: one\n# PATCH_MARKER: two\n")
    box.write("b/c.py", "# PATCH_MARKER: two\n")
    assert [item["path"] for item in answer(box, "--name", "one")["items"]] == ["a.py"]
    assert [item["path"] for item in answer(box, "--name", "two", "b")["items"]] == ["b/c.py"]
    error = answer(box, "--name", "two", exit_code=3)["error"]
    assert error["code"] == "marker-ambiguous"
    assert "a.py:2, b/c.py:1" in error["message"]
    assert [item["path"] for item in error["details"]["candidates"]] == ["a.py", "b/c.py"]
    error = answer(box, "--name", "onne", exit_code=1)["error"]
    assert error["code"] == "marker-missing"
    assert "'one' in a.py:1" in error["message"]
    assert error["details"]["nearest"][0]["name"] == "one"
    assert answer(box, "--name", "x", "a.py", exit_code=1)["error"]["hint"]


def test_what_is_looked_into(box: Box) -> None:
    text = "# PATCH_MARKER: m\n"
    outside = box.root.parent / "outside"
    outside.mkdir()
    (outside / "o.py").write_text(text)
    for path in ("a.py", "lib/b.py", "node_modules/c.py", ".git/d.py", ".vibehq/e.py", "sub/.git/HEAD", "sub/f.py"):
        box.write(path, text)
    box.write("binary.py", text.encode() + b"\0")
    box.write("large.py", text.encode() + b"x" * MOST_BYTES)
    (box.root / "link.py").symlink_to(outside / "o.py")
    (box.root / "folder").symlink_to(outside)
    os.mkfifo(box.root / "pipe.py")
    box.write("locked.py", text).chmod(0)
    found = [item["path"] for item in answer(box)["items"]]
    assert [path for path in found if path != "locked.py"] == ["a.py", "lib/b.py"]
    assert answer(box, "link.py", "folder")["items"] == []
    assert [item["path"] for item in answer(box, "lib", "a.py")["items"]] == ["lib/b.py", "a.py"]


def test_what_git_ignores_is_left_out(box: Box) -> None:
    text = "# PATCH_MARKER: m\n"
    outside = box.root.parent / "outside"
    outside.mkdir()
    (outside / "o.py").write_text(text)
    for path in ("a.py", "build/b.py", "src/c.py", "src/d.tmp", "was/o.py", "gone.py"):
        box.write(path, text)
    box.write(".gitignore", "build/\n*.tmp\n")
    box.commit()
    (box.root / "gone.py").unlink()
    (box.root / "was/o.py").unlink()
    (box.root / "was").rmdir()
    (box.root / "was").symlink_to(outside)
    box.write("new.py", text)
    box.write("sub/e.py", text)
    box.git("init", "-q", "sub")
    assert [item["path"] for item in answer(box)["items"]] == ["a.py", "new.py", "src/c.py"]
    assert [item["path"] for item in answer(box, "build")["items"]] == ["build/b.py"]
    assert [item["path"] for item in answer(box, "src/d.tmp")["items"]] == ["src/d.tmp"]
    assert [item["path"] for item in answer(box, "src")["items"]] == ["src/c.py"]


def test_no_program_of_the_repository_is_run(box: Box) -> None:
    box.write("a.py", "# PATCH_MARKER: m\n")
    box.commit()
    trap = box.root.parent / "trapped"
    box.git("config", "core.fsmonitor", f"touch {trap}; false")
    assert [item["name"] for item in answer(box)["items"]] == ["m"]
    assert not trap.exists()


def test_hostile_names_are_shown_cleaned(box: Box) -> None:
    box.write("a\x1b[31m.py", "# PATCH_MARKER: n\u202ex\n".encode())
    shown = call(box)
    assert shown.returncode == 0
    assert "\x1b" not in shown.stdout
    assert "\u202e" not in shown.stdout
    assert "‹U+202E›" in shown.stdout
    done = call(box, "--json")
    assert done.stdout.isascii()
    assert json.loads(done.stdout)["items"][0]["path"] == "a\x1b[31m.py"


@pytest.mark.parametrize("repository", [False, True])
def test_ten_thousand_files_take_seconds(box: Box, repository: bool) -> None:
    content = "x = 1\n" * 50
    for folder in range(100):
        (box.root / f"d{folder}").mkdir()
        for file in range(100):
            text = content + (f"# PATCH_MARKER: m{folder}\n" if file == 7 else "")
            (box.root / f"d{folder}" / f"f{file}.py").write_text(text)
    if repository:
        box.git("init", "-q")
    start = time.process_time()
    found = list(markers_below(box.root))
    assert time.process_time() - start < 5
    assert len(found) == 100
