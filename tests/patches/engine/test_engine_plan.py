"""Plans: parts of them, their inverse, their hash, and the diff that says what they do."""

from __future__ import annotations

import pytest
from engine_helpers import Box

from vibehq_tui.patches.applying.apply import Applier
from vibehq_tui.patches.errors import PatchConflict
from vibehq_tui.patches.formats import parse
from vibehq_tui.patches.model import Problem, Repair
from vibehq_tui.patches.planning.plan import Plan
from vibehq_tui.patches.planning.planner import make_plan
from vibehq_tui.patches.planning.tree import GitTree, OverlayTree, WorkTree


def plan_of(box: Box, patch: bytes) -> Plan:
    return make_plan(parse(patch), WorkTree(box.root))


@pytest.fixture
def planned(box: Box) -> tuple[Box, Plan]:
    """Three hunks in one file, and one each in a file made, one removed, one renamed."""
    box.lines("f", 60)
    box.lines("gone", 3)
    box.lines("old", 30, "other")
    box.commit()
    text = (
        box.read("f")
        .replace(b"line 5\n", b"five\nand more\n")
        .replace(b"line 30\n", b"")
        .replace(b"line 50\n", b"50\n")
    )
    box.write("f", text)
    (box.root / "gone").unlink()
    box.git("mv", "old", "new")
    box.write("made", "m\n")
    return box, plan_of(box, box.diff("-M"))


def test_hunks_are_numbered_through_the_patch(planned: tuple[Box, Plan]) -> None:
    _, plan = planned
    assert [(file.path, [hunk.number for hunk in file.hunks]) for file in plan.files] == [
        ("f", [1, 2, 3]),
        ("gone", [4]),
        ("made", [5]),
        ("new", [6]),
    ]
    assert (plan.hunk_count, plan.hunk_numbers) == (6, (1, 2, 3, 4, 5, 6))
    assert (plan.added, plan.removed) == (4, 6)
    assert plan.files[3].hunks[0].lines == ()


@pytest.mark.parametrize("taken", [(1,), (2,), (3,), (1, 3), (2, 3), (1, 2, 3)])
def test_part_of_a_file(planned: tuple[Box, Plan], taken: tuple[int, ...]) -> None:
    box, plan = planned
    part = plan.select(taken)
    wanted = box.read("f")
    for number, (old, new) in enumerate(
        [(b"line 5\n", b"five\nand more\n"), (b"line 30\n", b""), (b"line 50\n", b"50\n")], 1
    ):
        if number in taken:
            wanted = wanted.replace(old, new)
    assert [file.path for file in part.files] == ["f"]
    assert part.files[0].after == wanted
    assert part.hunk_numbers == taken
    diff = part.to_diff()
    receipt = Applier(box.root).apply(part)
    assert box.read("f") == wanted
    Applier(box.root).revert(receipt)
    box.git("apply", stdin=diff)
    assert box.read("f") == wanted


def test_part_of_the_files(planned: tuple[Box, Plan]) -> None:
    box, plan = planned
    part = plan.select([4, 6])
    assert [file.path for file in part.files] == ["gone", "new"]
    Applier(box.root).apply(part)
    assert set(box.state()) == {"f", "new"}


def test_nothing_of_it(planned: tuple[Box, Plan]) -> None:
    assert planned[1].select([]).files == ()


def test_a_part_that_needs_another(box: Box) -> None:
    box.lines("a", 200, "first")
    box.lines("b", 200, "second")
    box.lines("folder", 5)
    box.commit()
    first, second = box.read("a"), box.read("b")
    box.write("a", second)
    box.write("b", first)
    (box.root / "folder").unlink()
    box.write("folder/file", "x\n")
    plan = plan_of(box, box.diff("-M", "-B"))
    by_path = {file.path: file.hunks[0].number for file in plan.files}
    for path in ("a", "b", "folder/file"):
        with pytest.raises(PatchConflict) as caught:
            plan.select([by_path[path]])
        assert {problem.code for problem in caught.value.problems} == {"needs-other-hunk"}
    assert plan.select([by_path["folder"]]).files[0].op == "delete"
    assert len(plan.select([by_path["a"], by_path["b"]]).files) == 2


def test_the_hash_is_of_what_it_does(planned: tuple[Box, Plan]) -> None:
    box, plan = planned
    again = plan_of(box, plan.to_diff())
    assert again.hash == plan.hash
    assert Plan(files=tuple(reversed(plan.files))).hash == plan.hash
    assert len({plan.hash, plan.inverse().hash, *(plan.select([number]).hash for number in plan.hunk_numbers)}) == 8
    box.write("f", box.read("f").replace(b"line 20\n", b"line twenty\n"))
    assert plan_of(box, plan.to_diff()).hash != plan.hash


def test_an_inverse_of_a_copy_removes_it(box: Box) -> None:
    box.lines("f", 5)
    patch = b"diff --git a/f b/g\nsimilarity index 100%\ncopy from f\ncopy to g\n"
    plan = plan_of(box, patch)
    inverse = plan.inverse()
    assert [(file.op, file.path, file.from_, file.after) for file in inverse.files] == [("delete", "g", None, None)]
    assert b"deleted file mode" in inverse.to_diff()
    assert inverse.inverse().files[0].op == "create"


def test_a_diff_says_what_was_found_not_what_was_claimed(box: Box) -> None:
    box.lines("f")
    box.write("f", b"top\n" + box.read("f").replace(b"\n", b"\r\n"))
    plan = plan_of(box, b"--- a/f\n+++ b/f\n@@ -10,3 +10,3 @@ def x():\n line 10\n-line 11\n+eleven\n line 12\n")
    assert b"@@ -11,3 +11,3 @@ def x():\n line 10\r\n-line 11\r\n+eleven\r\n line 12\r\n" in plan.to_diff()
    assert plan_of(box, plan.to_diff()).hash == plan.hash


def test_a_tree_with_a_plan_over_it(planned: tuple[Box, Plan]) -> None:
    box, plan = planned
    tree = OverlayTree(WorkTree(box.root), plan)
    assert tree.read("gone") is None
    assert tree.read("old") is None
    made, new = tree.read("made"), tree.read("new")
    assert made is not None
    assert made.content == b"m\n"
    assert new is not None
    assert new.content == box.read("old")
    box.write("dir/file", "x\n")
    over = OverlayTree(WorkTree(box.root), plan_of(box, b"--- a/dir/file\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n"))
    assert not over.is_dir("dir")
    assert over.is_dir("nothing") is False
    assert list(over.files_below("dir")) == []


def test_a_revision_as_a_tree(planned: tuple[Box, Plan]) -> None:
    box, plan = planned
    tree = GitTree(box.root, "HEAD")
    diff = plan.to_diff()
    box.write("f", "dirty\n")
    assert make_plan(parse(diff), tree).hash == plan.hash
    assert tree.read("none") is None
    assert tree.is_dir("none") is False
    tree.close()
    with pytest.raises(Exception, match="no revision"):
        GitTree(box.root, "--upload-pack=x")


def test_wire_forms(planned: tuple[Box, Plan]) -> None:
    _, plan = planned
    assert plan.to_wire()[0] == {
        "path": "f",
        "op": "modify",
        "from": None,
        "added": 3,
        "removed": 3,
        "hunks": [
            {"number": 1, "line": 2, "match": "exact"},
            {"number": 2, "line": 27, "match": "exact"},
            {"number": 3, "line": 47, "match": "exact"},
        ],
    }
    assert plan.to_wire()[3]["from"] == "old"
    assert Repair(code="c", message="m").to_wire() == {"code": "c", "path": None, "hunk": None, "message": "m"}
    problem = Problem(code="c", message="m", path="p", hunk=2, candidates=(1, 2))
    assert problem.to_wire() == {"code": "c", "path": "p", "hunk": 2, "message": "m", "candidates": [1, 2]}
    error = PatchConflict([problem, problem])
    assert error.to_wire()["error"]["message"] == "p, hunk 2: m (and 1 more)"
    assert error.to_wire()["error"]["details"]["errors"] == [problem.to_wire(), problem.to_wire()]
