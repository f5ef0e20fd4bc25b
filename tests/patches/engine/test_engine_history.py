"""A made-up history of everything that happens to files, seeded: the engine's tree against git's, forwards and back."""

from __future__ import annotations

import os
import random
import subprocess
from pathlib import Path

import pytest
from engine_helpers import Box

from vibehq_tui.patches.applying.apply import Applier
from vibehq_tui.patches.applying.engine import EngineResult
from vibehq_tui.patches.formats import parse
from vibehq_tui.patches.planning.planner import make_plan
from vibehq_tui.patches.planning.tree import GitTree, WorkTree

WORDS = [
    "alpha",
    "beta",
    "",
    "    gamma",
    "\tdelta",
    "}",
    "end",
    "-- x",
    "++ y",
    "@@ z",
    "ünï",
    "a b  ",
    "\\ No newline",
    "diff --git",
]
NAMES = ["a.txt", "src/b.py", "src/deep/c d.txt", "ünï.txt", "x/y/z", "data.bin", "run.sh", "dos.txt"]
DIFF_OPTIONS = [
    ["-M", "-C"],
    ["--no-renames"],
    ["-M", "-B"],
    ["-U0"],
    ["-U1", "-M"],
    ["-U8"],
    ["--no-prefix", "-M"],
    ["--patience", "--full-index"],
]


class Historian:
    """Changes files at random."""

    def __init__(self, box: Box, seed: int) -> None:
        self.box = box
        self.chance = random.Random(seed)

    def text(self) -> bytes:
        end = self.chance.choice([b"\n", b"\n", b"\n", b"\r\n"])
        lines = [self.chance.choice(WORDS).encode() + end for _ in range(self.chance.randrange(60))]
        text = b"".join(lines)
        return text if self.chance.random() < 0.8 else text.rstrip(b"\r\n")

    def content(self) -> bytes:
        return b"\0" + self.chance.randbytes(self.chance.randrange(3000)) if self.chance.random() < 0.1 else self.text()

    def edited(self, content: bytes) -> bytes:
        if b"\0" in content:
            at = self.chance.randrange(len(content))
            return content[:at] + self.chance.randbytes(3) + content[at:]
        lines = content.split(b"\n")
        for _ in range(self.chance.randint(1, 4)):
            at = self.chance.randrange(len(lines) + 1)
            new = [self.chance.choice(WORDS).encode() for _ in range(self.chance.randrange(3))]
            lines[at : at + self.chance.randrange(3)] = new
        return b"\n".join(lines)

    def files(self) -> list[Path]:
        found = [Path(folder, name) for folder, _, names in os.walk(self.box.root) for name in names]
        inside = [path for path in found if ".git" not in path.parts and ".vibehq" not in path.parts]
        return sorted(inside)

    def free_name(self) -> str:
        while True:
            name = self.chance.choice(NAMES) + self.chance.choice(
                ["", "", ".old", "/sub", str(self.chance.randrange(100))]
            )
            path = self.box.root / name
            blocked = any(parent.is_symlink() or parent.is_file() for parent in path.parents)
            if not blocked and not os.path.lexists(path):
                return name

    def step(self) -> None:
        """One change of some kind."""
        files = self.files()
        kind = self.chance.random()
        if len(files) < 4 or kind < 0.2:
            self.box.write(self.free_name(), self.content())
            return
        path = self.chance.choice(files)
        if kind < 0.3:
            path.unlink()
        elif kind < 0.4:
            target = self.box.root / self.free_name()
            target.parent.mkdir(parents=True, exist_ok=True)
            path.rename(target)
        elif kind < 0.45 and not path.is_symlink():
            self.box.write(self.free_name(), path.read_bytes())
        elif kind < 0.5:
            path.unlink()
            path.symlink_to(self.chance.choice(["target", "a.txt", "b"]))
        elif kind < 0.6 and not path.is_symlink():
            path.chmod(0o755 if not path.stat().st_mode & 0o100 else 0o644)
        elif path.is_symlink():
            path.unlink()
            self.box.write(str(path.relative_to(self.box.root)), self.text())
        else:
            path.write_bytes(self.edited(path.read_bytes()))


def compare_with_git(box: Box, seed: int, commits: int) -> int:
    """Makes a history, and applies each of its steps with the engine and with git. Answers how many there were."""
    historian = Historian(box, seed)
    box.commit()
    compared = 0
    for _ in range(commits):
        for _ in range(historian.chance.randint(1, 6)):
            historian.step()
        wanted = box.state()
        patch = box.diff(
            "--text" if historian.chance.random() < 0.1 else "--no-color", *historian.chance.choice(DIFF_OPTIONS)
        )
        before = box.state()
        if before != wanted and patch.strip():
            result = box.apply(patch)
            if result.result != "applied" and beyond_one_patch(box, result, patch):
                continue
            assert (result.result, box.codes(result)) == ("applied", []), (seed, result.errors, patch)
            assert box.state() == wanted, (seed, patch)
            assert result.receipt is not None
            assert result.plan is not None
            check_plan(box, result.plan.to_diff(), wanted)
            Applier(box.root).revert(result.receipt)
            assert box.state() == before, (seed, patch)
            git_options = ["--unidiff-zero"] if b"@@" in patch else []
            strip = ["-p0"] if patch.split()[2][:2] != b"a/" and not patch.split()[2].startswith(b'"a/') else []
            box.git("apply", "--whitespace=nowarn", *git_options, *strip, stdin=patch)
            assert box.state() == wanted, (seed, patch)
            compared += 1
        box.commit()
    return compared


def beyond_one_patch(box: Box, result: EngineResult, patch: bytes) -> bool:
    """Whether git refuses it as well, or a folder takes the place of a symbolic link, which takes two patches."""
    assert box.git("status", "--porcelain") == b""
    if {problem.code for problem in result.errors} == {"symlink-parent"}:
        return True
    # Of a patch with -B, git itself does not apply a rename onto a file that it broke.
    done = subprocess.run(["git", "apply", "--check"], cwd=box.root, input=patch, capture_output=True, check=False)
    return done.returncode != 0


def check_plan(box: Box, diff: bytes, wanted: dict[str, tuple[int, bytes]]) -> None:
    """What the plan says as a diff is what it does, by git's own word; and it can be planned on the commit, too."""
    box.git("reset", "--quiet", "--hard")
    box.git("clean", "-ffdq")
    tree = GitTree(box.root, "HEAD")
    again = make_plan(parse(diff), tree)
    tree.close()
    assert again.hash == make_plan(parse(diff), WorkTree(box.root)).hash
    box.git("apply", "--whitespace=nowarn", "--unidiff-zero", stdin=diff)
    assert box.state() == wanted


@pytest.mark.parametrize("seed", range(6))
def test_the_same_trees_as_git(box: Box, seed: int) -> None:
    assert compare_with_git(box, seed, 12) > 6


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 140))
def test_the_same_trees_as_git_at_length(box: Box, seed: int) -> None:
    assert compare_with_git(box, seed, 60) > 30
