"""What of a plan is shown: whatever the context, every line is a line of the file, and knows which one of the hunk."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from review_helpers import plan_of

from vibehq_tui.patches.planning.plan import Plan
from vibehq_tui.patches.planning.planned import split_lines
from vibehq_tui.tui.widgets.diff_shape import WHOLE, Shape, shaped

LINES = [f"line {number}\n" for number in range(1, 61)]
CONTEXTS = (None, 0, 1, 10, 25, 100, WHOLE)


def check(plan: Plan, shape: Shape) -> Plan:
    """Every shown line is where its hunk says, hunks do not overlap, and origins name the same lines."""
    found, origins = shaped(plan, shape)
    for file, own in zip(found.files, plan.files, strict=True):
        before, after = split_lines(file.before or b""), split_lines(file.after or b"")
        free = 0
        for hunk, mine in zip(file.hunks, own.hunks, strict=True):
            assert hunk.number == mine.number
            old = [line for tag, line in hunk.lines if tag != "+"]
            new = [line for tag, line in hunk.lines if tag != "-"]
            assert (len(old), len(new)) == (hunk.old_lines, hunk.new_lines)
            if shape.blanks:
                assert old == before[hunk.first : hunk.first + len(old)]
            start = hunk.new_start - 1 if hunk.new_lines else hunk.new_start
            assert new == after[start : start + len(new)]
            assert hunk.first >= free
            free = hunk.first + hunk.old_lines
            for (tag, line), indexes in zip(hunk.lines, origins.get(hunk.number, ()), strict=bool(origins)):
                assert len(indexes) <= 2
                if indexes:
                    assert mine.lines[indexes[-1]][1] == line
                    assert tag == " " or mine.lines[indexes[0]][0] == tag
                else:
                    assert tag == " "
            if shape.blanks and origins:
                changed = [index for index, (tag, _) in enumerate(mine.lines) if tag != " "]
                assert [index for one in origins[hunk.number] for index in one if index in changed] == changed
    return found


@pytest.mark.parametrize("unified", ["-U0", "-U3"])
def test_made_up_changes(tmp_path: Path, unified: str) -> None:
    chance = random.Random(7)
    for turn in range(6):
        lines = []
        for line in LINES:
            what = chance.random()
            if what < 0.06:
                continue
            lines.append(line if what < 0.9 else f"{line.rstrip()} or other\n")
            if what > 0.97:
                lines += ["new\n"] * chance.randrange(1, 4)
        changed = "".join(lines)
        plan = plan_of(tmp_path / f"repo{turn}", {"a.txt": "".join(LINES)}, {"a.txt": changed.rstrip("\n")}, unified)
        assert plan.hunk_count
        for context in CONTEXTS:
            check(plan, Shape(context=context))
            check(plan, Shape(context=context, blanks=False))


def test_the_usual_shape_is_the_plan_itself(tmp_path: Path) -> None:
    plan = plan_of(tmp_path / "repo", {"a.txt": "one\n"}, {"a.txt": "two\n"})
    assert shaped(plan, Shape()).plan is plan


def test_two_hunks_share_what_is_between_them(tmp_path: Path) -> None:
    changed = [*LINES]
    changed[9] = "ten\n"
    changed[39] = "forty\n"
    plan = plan_of(tmp_path / "repo", {"a.txt": "".join(LINES)}, {"a.txt": "".join(changed)})
    found = check(plan, Shape(context=WHOLE))
    first, second = found.files[0].hunks
    assert first.old_start == 1
    assert second.first == first.old_lines
    assert first.old_lines + second.old_lines == len(LINES)


def test_made_deleted_and_binary_files_stay_as_they_are(tmp_path: Path) -> None:
    before = {"gone.txt": "one\ntwo\n", "image.bin": b"\0\1", "run.sh": "true\n"}
    plan = plan_of(tmp_path / "repo", before, {"gone.txt": None, "made.txt": "new\n", "image.bin": b"\0\2"})
    for context in CONTEXTS:
        found = check(plan, Shape(context=context, blanks=False))
        assert [[len(hunk.lines) for hunk in file.hunks] for file in found.files] == [
            [len(hunk.lines) for hunk in file.hunks] for file in plan.files
        ]


def test_lines_that_differ_in_blanks_alone_are_shown_once(tmp_path: Path) -> None:
    before = "def a():\n  one = 1\n  two = 2\n  return one\n"
    after = "def a():\n    one = 1\n    two = 22\n    return  one\n"
    plan = plan_of(tmp_path / "repo", {"a.py": before}, {"a.py": after})
    (hunk,) = check(plan, Shape(blanks=False)).files[0].hunks
    assert [(tag, line.decode().strip()) for tag, line in hunk.lines] == [
        (" ", "def a():"),
        (" ", "one = 1"),
        ("-", "two = 2"),
        ("+", "two = 22"),
        (" ", "return  one"),
    ]
