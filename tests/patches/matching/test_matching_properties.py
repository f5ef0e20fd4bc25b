"""Random files and random edits: whatever tier a hunk needs, the result is what was meant, or a refusal.

Files are made of few different lines and of blocks that repeat, so that most hunks have places where they nearly fit.
A hunk is made from the file and then spoiled, or the file is changed under it; what is meant is known all the time.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matching_helpers import hunk, plan

WORDS = ["alpha", "beta", "gamma", "delta", "self.count", "items", "total", "name - value", 'say "it"', "it's"]
Lines = list[str]


def a_file(chance: random.Random) -> Lines:
    """Lines of blocks, some of them copies of others but for a line, or deeper."""
    blocks: list[Lines] = []
    for _ in range(chance.randint(2, 7)):
        if blocks and chance.random() < 0.5:
            block = list(chance.choice(blocks))
            if chance.random() < 0.7:
                block[chance.randrange(len(block))] = a_line(chance)
            if chance.random() < 0.3:
                block = ["    " + line if line else line for line in block]
        else:
            block = [a_line(chance) for _ in range(chance.randint(2, 9))]
        blocks.append(block)
    return [line for block in blocks for line in block]


def a_line(chance: random.Random) -> str:
    kind = chance.random()
    if kind < 0.1:
        return ""
    if kind < 0.2:
        return chance.choice(["}", "else:", "return"])
    depth = chance.choice([0, 0, 1, 1, 2])
    return "    " * depth + f"{chance.choice(WORDS)} = {chance.choice(WORDS)}({chance.randrange(4)})"


def text(lines: Lines) -> bytes:
    return "".join(line + "\n" for line in lines).encode()


class Case:
    """A file, an edit of it as a hunk, and what the file is to become."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.file = a_file(chance)
        self.at = chance.randrange(len(self.file))
        self.removed = chance.randint(0, min(3, len(self.file) - self.at))
        self.added = [a_line(chance) for _ in range(chance.randint(0 if self.removed else 1, 3))]
        context = chance.choice([1, 2, 3, 3, 3, 4])
        self.top = max(self.at - context, 0)
        self.bottom = min(self.at + self.removed + context, len(self.file))

    @property
    def wanted(self) -> Lines:
        return [*self.file[: self.at], *self.added, *self.file[self.at + self.removed :]]

    def tagged(self) -> list[tuple[str, str]]:
        old = self.file[self.at : self.at + self.removed]
        return [
            *((" ", line) for line in self.file[self.top : self.at]),
            *(("-", line) for line in old),
            *(("+", line) for line in self.added),
            *((" ", line) for line in self.file[self.at + self.removed : self.bottom]),
        ]


def judge(case: Case, file: Lines, wanted: Lines, lines: list[tuple[str, str]], at: int | None = None) -> str:
    """Plans the hunk, with its number or without; the result must be what is wanted, or nothing.

    Where the very lines of the spoiled hunk stand in another place of the file, only its number can tell.
    """
    old = [line.rstrip() for tag, line in lines if tag != "+"]
    at = case.top if at is None else at
    places = [place for place in range(len(file) - len(old) + 1) if file[place : place + len(old)] == old]
    wrong = max(case.top + 1 + case.chance.randint(-9, 9), 1)
    elsewhere = any(place != at for place in places)
    if case.top in places and case.top != at:
        return "conflict"  # Its number is wrong by now, and its very lines are there.
    number = case.top + 1 if elsewhere and at not in places else case.chance.choice([None, None, case.top + 1, wrong])
    if elsewhere and number == wrong:
        number = case.top + 1
    spoiled = hunk("".join(f"{tag}{line}\n" for tag, line in lines), line=number)
    answer = plan(text(file), spoiled, ordered=case.chance.random() < 0.7)
    if answer.result == "already-applied":
        assert text(file) == text(wanted)
    if answer.result == "applied":
        assert answer.after == text(wanted), (lines, file)
    return answer.result


def whole_lines(change: Callable[[str], str]) -> Callable[[Case], str]:
    """Where every line shows that it was spoiled; otherwise nothing could tell that others were."""

    def spoil(case: Case) -> str:
        lines = case.tagged()
        if any(line and change(line) == line for _, line in lines) or not any(
            line for tag, line in lines if tag != "+"
        ):
            return as_it_is(case)
        return judge(case, case.file, case.wanted, [(tag, change(line)) for tag, line in case.tagged()])

    return spoil


def old_lines(change: Callable[[str], str]) -> Callable[[Case], str]:
    def spoil(case: Case) -> str:
        lines = [
            (tag, change(line) if tag != "+" and case.chance.random() < 0.6 else line) for tag, line in case.tagged()
        ]
        return judge(case, case.file, case.wanted, lines)

    return spoil


def as_it_is(case: Case) -> str:
    return judge(case, case.file, case.wanted, case.tagged())


def look_alike(line: str) -> str:
    return line.replace("'", "\u2019").replace(' "', " \u201c").replace(" - ", " \u2013 ").replace("= ", "=\u00a0")


def changed_elsewhere(case: Case) -> str:
    """The file gets and loses lines outside the hunk."""
    above = [a_line(case.chance) for _ in range(case.chance.randint(0, 5))]
    cut = case.chance.randint(0, case.top)
    file = [*case.file[:cut], *above, *case.file[cut:]]
    wanted = [*case.wanted[:cut], *above, *case.wanted[cut:]]
    return judge(case, file, wanted, case.tagged(), case.top + len(above))


def changed_context(case: Case) -> str:
    """One line of context is another now."""
    spots = [*range(case.top, case.at), *range(case.at + case.removed, case.bottom)]
    if not spots:
        return as_it_is(case)
    at = case.chance.choice(spots)
    new = case.file[at] + "  # later" if case.chance.random() < 0.7 else a_line(case.chance)
    file = [*case.file[:at], new, *case.file[at + 1 :]]
    shift = len(case.added) - case.removed if at >= case.at + case.removed else 0
    wanted = case.wanted
    wanted[at + shift] = new
    return judge(case, file, wanted, case.tagged())


def changed_removed(case: Case) -> str:
    """A line that is to be removed is another now: nothing may happen, whatever else looks like it."""
    if not case.removed:
        return as_it_is(case)
    at = case.at + case.chance.randrange(case.removed)
    if case.file[at].strip() == "":
        return as_it_is(case)
    file = [*case.file[:at], case.file[at] + " or more", *case.file[at + 1 :]]
    number = case.top + 1
    lines = "".join(f"{tag}{line}\n" for tag, line in case.tagged())
    answer = plan(text(file), hunk(lines, line=number))
    assert answer.result != "already-applied"
    if answer.result == "applied":
        # Only where the very lines stand somewhere else, and nothing of the hunk is left at its own line.
        old = [line for tag, line in case.tagged() if tag != "+"]
        there = file[case.top : case.top + len(old)]
        assert text(old) in text(file)
        assert 2 * sum(a == b for a, b in zip(old, there, strict=False) if a) < sum(map(bool, old))
    return answer.result


def applied_before(case: Case) -> str:
    """The file has it already."""
    return judge(case, case.wanted, case.wanted, case.tagged())


SPOILED: dict[str, Callable[[Case], str]] = {
    "as it is": as_it_is,
    "trailing blanks": old_lines(lambda line: line + "  "),
    "tabs": whole_lines(lambda line: line.replace("    ", "\t")),
    "deeper": whole_lines(lambda line: "    " + line if line else line),
    "less deep": whole_lines(lambda line: line.removeprefix("    ")),
    "blanks within": old_lines(lambda line: line.replace(" = ", "  =  ")),
    "look-alikes": old_lines(look_alike),
    "changed elsewhere": changed_elsewhere,
    "changed context": changed_context,
    "changed where it removes": changed_removed,
    "applied before": applied_before,
}
FEWEST = {"as it is": 0.3, "trailing blanks": 0.3, "deeper": 0.1, "look-alikes": 0.2, "changed elsewhere": 0.2}
"""Of cases that must be applied, since refusing all would pass, too."""


@pytest.mark.parametrize("kind", SPOILED)
def test_what_was_meant_or_nothing(kind: str) -> None:
    done = [SPOILED[kind](Case(random.Random(f"{kind} {seed}"))) for seed in range(600)]
    assert done.count("applied") >= FEWEST.get(kind, 0.0) * len(done)


@pytest.mark.long
@pytest.mark.parametrize("kind", SPOILED)
def test_what_was_meant_or_nothing_many_times(kind: str) -> None:
    assert all(SPOILED[kind](Case(random.Random(f"long {kind} {seed}"))) for seed in range(20_000))


@given(st.integers(0, 2**32), st.sampled_from(sorted(SPOILED)))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_any_seed(seed: int, kind: str) -> None:
    assert SPOILED[kind](Case(random.Random(seed))) in ("applied", "already-applied", "conflict", "refused")


@given(st.lists(st.sampled_from(["a", "b", "  a", "", "}"]), max_size=14), st.randoms(use_true_random=False))
@settings(max_examples=400, deadline=None, derandomize=True)
def test_whole_contents_come_out_as_they_were_written(lines: list[str], chance: random.Random) -> None:
    new = list(lines)
    for _ in range(chance.randint(0, 4)):
        at = chance.randint(0, len(new))
        new[at : at + chance.randint(0, 3)] = [chance.choice(["a", "b", "c"]) for _ in range(chance.randint(0, 3))]
    answer = plan(text(lines), whole=text(new))
    assert answer.result == ("already-applied" if new == lines else "applied")
    assert new == lines or answer.after == text(new)
