"""Edited hunks and chosen lines against an independent reckoning, over random files and changes."""

from __future__ import annotations

import difflib
import random
import subprocess
from pathlib import Path

import pytest

from vibehq_tui.patches.errors import PatchRefused
from vibehq_tui.patches.formats import parse
from vibehq_tui.patches.planning.plan import Plan
from vibehq_tui.patches.planning.planned import split_lines
from vibehq_tui.patches.planning.planner import make_plan
from vibehq_tui.patches.planning.tree import WorkTree
from vibehq_tui.patches.queue.rewrite import hunk_text, with_lines, with_text

_WORDS = ["", "a", "b", "    return x", "}", "\tcase 1:", "- not a tag", "+ neither", "@@ nor this @@", "\\ nor this"]


def some_file(rng: random.Random) -> bytes:
    end = rng.choice(["\n", "\n", "\r\n"])
    lines = [f"{rng.choice(_WORDS)}{rng.randrange(30)}" for _ in range(rng.randrange(1, 40))]
    return (end.join(lines) + (end if rng.random() < 0.7 else "")).encode()


def changed(rng: random.Random, before: bytes) -> bytes:
    lines = split_lines(before)
    end = b"\r\n" if lines and lines[0].endswith(b"\r\n") else b"\n"
    for _ in range(rng.randrange(1, 5)):
        at = rng.randrange(len(lines) + 1) if lines else 0
        kind = rng.randrange(3)
        if kind == 0 and (not lines or at < len(lines) or lines[-1].endswith(b"\n")):
            lines.insert(at, f"new {rng.randrange(99)}".encode() + end)
        elif kind == 1 and at < len(lines):
            del lines[at]
        elif at < len(lines) and lines[at].endswith(b"\n"):
            lines[at] = f"other {rng.randrange(99)}".encode() + end
    return b"".join(lines)


def plan_of(root: Path, before: bytes, after: bytes) -> Plan | None:
    if before == after or not before or not after:
        return None
    names = (b"a/f.txt", b"b/f.txt", b"", b"")
    rows = list(difflib.diff_bytes(difflib.unified_diff, split_lines(before), split_lines(after), *names, n=2))
    text = b"".join(row if row.endswith(b"\n") else row + b"\n\\ No newline at end of file\n" for row in rows)
    text = b"diff --git a/f.txt b/f.txt\n" + text.replace(b"--- a/f.txt \n", b"--- a/f.txt\n")
    (root / "f.txt").write_bytes(before)
    return make_plan(parse(text, "git"), WorkTree(root))


def reckoned(before: bytes, plan: Plan, number: int, chosen: set[int]) -> bytes:
    """What becomes of the file by hand: line by line, each hunk in its turn."""
    lines, output, at = split_lines(before), [], 0
    for hunk in plan.files[0].hunks:
        output += lines[at : hunk.first]
        at = hunk.first
        for position, (tag, line) in enumerate(hunk.lines, 1):
            taken = hunk.number != number or position in chosen
            if tag == "+" and taken:
                output.append(line)
            if tag != "+":
                assert lines[at] == line
                at += 1
                if tag == " " or not taken:
                    output.append(line)
    return b"".join([*output, *lines[at:]])


@pytest.mark.parametrize("seed", range(40))
def test_chosen_lines_are_what_becomes_of_the_file(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    told = 0
    for _ in range(25):
        before = some_file(rng)
        plan = plan_of(tmp_path, before, changed(rng, before))
        if plan is None:
            continue
        hunk = rng.choice(plan.files[0].hunks)
        chosen = {position for position in range(1, len(hunk.lines) + 1) if rng.random() < 0.5}
        try:
            made = with_lines(plan, hunk.number, chosen)
        except PatchRefused as refusal:
            assert refusal.problems[0].code in ("changes-nothing", "joined-lines")
            continue
        told += 1
        (file,) = made.files
        assert file.after == reckoned(before, plan, hunk.number, chosen)
        again = make_plan(parse(made.to_diff(), "git"), WorkTree(tmp_path), strict=True)
        assert again.hash == made.hash and again.hunk_numbers == plan.hunk_numbers
    assert told


@pytest.mark.parametrize("seed", range(20))
def test_an_edit_that_changes_nothing_is_the_same_plan(seed: int, tmp_path: Path) -> None:
    rng = random.Random(1000 + seed)
    for _ in range(20):
        before = some_file(rng)
        plan = plan_of(tmp_path, before, changed(rng, before))
        if plan is None:
            continue
        number = rng.choice(plan.hunk_numbers)
        text = hunk_text(plan, number)
        assert with_text(plan, number, text).hash == plan.hash
        cut = "\n".join(line.rstrip(" ") if line.strip() == "" else line for line in text.split("\n"))
        assert with_text(plan, number, cut).hash == plan.hash


def test_git_takes_what_is_written(tmp_path: Path) -> None:
    rng = random.Random(77)
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    for _ in range(30):
        before = some_file(rng)
        plan = plan_of(tmp_path, before, changed(rng, before))
        if plan is None:
            continue
        hunk = plan.files[0].hunks[0]
        try:
            made = with_lines(plan, hunk.number, {one for one in range(1, len(hunk.lines) + 1) if rng.random() < 0.6})
        except PatchRefused:
            continue
        done = subprocess.run(
            ["git", "apply", "-"], cwd=tmp_path, input=made.to_diff(), capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "f.txt").read_bytes() == made.files[0].after
