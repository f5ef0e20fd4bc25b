"""Histories at random: a patch of some version, and a file that has moved on. What is applied is what git makes."""

from __future__ import annotations

import random
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from merging_helpers import Place, git_merges, matches

COMMON = [b"a", b"b", b"", b"}", b"    return value", b"    pass"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the engine made of one patch."""

    sides: tuple[bytes, bytes, bytes]
    """Base, ours, theirs."""
    applied: bool
    content: bytes
    how: frozenset[str]


class History:
    """A file with a few versions, a patch of one of them, and an edit that is not committed."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)

    def word(self) -> bytes:
        if self.chance.random() < 0.45:
            return self.chance.choice(COMMON)
        return b"word %d" % self.chance.randrange(30)

    def edited(self, lines: list[bytes], most: int) -> list[bytes]:
        lines = list(lines)
        for _ in range(self.chance.randint(1, most)):
            at = self.chance.randrange(len(lines) + 1)
            lines[at : at + self.chance.randrange(3)] = [self.word() for _ in range(self.chance.randrange(4))]
        return lines

    def play(self, root: Path, told: str) -> Outcome | None:
        """:param told: what the patch says of where it comes from: blobs, lines, nothing."""
        versions = [[self.word() for _ in range(self.chance.randrange(5, 45))]]
        for _ in range(self.chance.randrange(1, 4)):
            versions.append(self.edited(versions[-1], 2))
        base = self.chance.choice(versions)
        theirs = self.edited(base, 2)
        ours = self.edited(versions[-1], 1) if self.chance.random() < 0.7 else versions[-1]
        contents = [b"".join(line + b"\n" for line in lines) for lines in (base, ours, theirs)]
        if contents[0] == contents[2] or not base:
            return None
        place = Place(root)
        place.write("f", contents[0])
        place.commit()
        patch = place.patch(f=contents[2])
        place.forget(".git")  # the blob of the patch itself is not known
        place.git("init", "-q", "-b", "main")
        for lines in versions:
            place.write("f", b"".join(line + b"\n" for line in lines))
            place.commit()
        place.write("f", contents[1])
        result = place.apply(self.text(patch, told))
        applied = result.result in ("applied", "already-applied")
        content, how = place.read("f"), frozenset(matches(result))
        shutil.rmtree(root)
        return Outcome((contents[0], contents[1], contents[2]), applied, content, how)

    def text(self, patch: bytes, told: str) -> bytes:
        if told != "blobs":
            patch = re.sub(rb"^index .*\n", b"", patch, flags=re.MULTILINE)
        if told == "nothing":
            patch = re.sub(rb"^@@ -\d+(,\d+)? \+\d+(,\d+)? @@.*$", b"@@ @@", patch, flags=re.MULTILINE)
        return patch


def check(folder: Path, seed: int, told: str, rounds: int) -> tuple[int, int]:
    """Answers how many patches were merged, and how many were clean for git and refused."""
    history = History(seed)
    played = [history.play(folder / f"root{number}", told) for number in range(rounds)]
    outcomes = [one for one in played if one is not None]
    (folder / "judge").mkdir()
    wanted = git_merges(folder / "judge", [one.sides for one in outcomes])
    merged = refused = 0
    for one, content in zip(outcomes, wanted, strict=True):
        if not one.applied:
            refused += content is not None
            continue
        merged += "merge" in one.how
        # Where git sees a conflict, lines that are there exactly as the patch has them may still be found.
        if content is not None or one.how - {"exact", "offset"}:
            assert one.content == content, (seed, told, one.sides)
    return merged, refused


@pytest.mark.parametrize("told", ["blobs", "lines", "nothing"])
def test_what_is_applied_is_what_git_makes(tmp_path: Path, told: str) -> None:
    merged, refused = check(tmp_path, 2, told, 12)
    assert merged > 1
    assert refused < 5


@pytest.mark.long
@pytest.mark.parametrize("told", ["blobs", "lines", "nothing"])
@pytest.mark.parametrize("seed", range(100, 104))
def test_what_is_applied_is_what_git_makes_at_length(tmp_path: Path, told: str, seed: int) -> None:
    merged, refused = check(tmp_path, seed, told, 200)
    assert merged > 10
    assert refused < 20
