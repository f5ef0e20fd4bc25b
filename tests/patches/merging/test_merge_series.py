"""Several commits as one plan: what git's own series of commits leaves is what the plan leaves."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from merging_helpers import Place, numbered

from vibehq_tui.patches.applying.apply import Applier
from vibehq_tui.patches.applying.earlier import Earlier
from vibehq_tui.patches.errors import AlreadyApplied, PatchConflict, PatchRefused
from vibehq_tui.patches.formats import parse
from vibehq_tui.patches.model import ParsedPatch
from vibehq_tui.patches.planning.plan import Plan
from vibehq_tui.patches.planning.planner import make_plan
from vibehq_tui.patches.planning.series import plan_parts
from vibehq_tui.patches.planning.tree import WorkTree


def series_of(texts: list[bytes]) -> ParsedPatch:
    parts = []
    for number, text in enumerate(texts, 1):
        part = parse(text)
        parts.append(
            ParsedPatch(format="git", changes=part.changes, repairs=part.repairs, title=f"Step {number}", parts=())
        )
    return ParsedPatch(
        format="mbox",
        changes=tuple(change for part in parts for change in part.changes),
        repairs=tuple(repair for part in parts for repair in part.repairs),
        parts=tuple(parts),
    )


def steps(place: Place, *states: dict[str, str | bytes | None]) -> list[bytes]:
    """A patch for each state, made on top of the one before; afterwards the tree is as it was."""
    start = place.commit()
    texts = []
    for state in states:
        texts.append(place.patch(**state))
        place.git("apply", "--index", stdin=texts[-1])
        place.git("commit", "-q", "-m", "step")
    place.git("reset", "-q", "--hard", start)
    return texts


def planned(place: Place, texts: list[bytes], **options: bool) -> Plan:
    return make_plan(series_of(texts), WorkTree(place.root), **options)


def told(plan: Plan) -> list[tuple[str, str, str | None]]:
    return [(file.op, file.path, file.from_) for file in plan.files]


def test_a_file_touched_once_keeps_its_hunks(place: Place) -> None:
    place.write("f", numbered())
    place.write("g", numbered())
    changed = numbered().replace("line 10\n", "TEN\n").replace("line 20\n", "TWENTY\n")
    texts = steps(place, {"f": changed}, {"g": changed})
    plan = planned(place, texts)
    assert plan.hunk_numbers == (1, 2, 3, 4)
    alone = make_plan(parse(texts[1]), WorkTree(place.root))
    assert [hunk.lines for hunk in plan.files[1].hunks] == [hunk.lines for hunk in alone.files[0].hunks]
    Applier(place.root).apply(plan)
    assert place.read("f") == place.read("g") == changed.encode()


def test_a_file_touched_twice_has_its_hunks_worked_out_anew(place: Place) -> None:
    place.write("f", numbered())
    one = numbered().replace("line 10\n", "TEN\n")
    texts = steps(place, {"f": one, "h": "h\n"}, {"f": one.replace("TEN\n", "ten\n")}, {"f": "top\n" + one})
    plan = planned(place, texts)
    assert told(plan) == [("modify", "f", None), ("create", "h", None)]
    assert plan.hunk_numbers == (1, 2, 3)
    assert (plan.added, plan.removed) == (3, 1)
    assert plan.files[0].after == ("top\n" + one).encode()


def test_made_and_changed_is_made(place: Place) -> None:
    texts = steps(place, {"f": "one\ntwo\n"}, {"f": "one\n2\n"})
    plan = planned(place, texts)
    assert told(plan) == [("create", "f", None)]
    assert plan.files[0].after == b"one\n2\n"
    assert [line for _, line in plan.files[0].hunks[0].lines] == [b"one\n", b"2\n"]


def test_made_and_deleted_is_nothing(place: Place) -> None:
    texts = steps(place, {"f": "one\n", "g": "g\n"}, {"f": None})
    assert told(planned(place, texts)) == [("create", "g", None)]
    assert [hunk.number for hunk in planned(place, texts).files[0].hunks] == [1]
    texts = steps(place, {"f": "one\n"}, {"f": None})
    with pytest.raises(AlreadyApplied):
        planned(place, texts)


def test_deleted_and_made_again_is_changed(place: Place) -> None:
    place.write("f", numbered())
    texts = steps(place, {"f": None}, {"f": numbered().replace("line 3\n", "x\n")})
    plan = planned(place, texts)
    assert told(plan) == [("modify", "f", None)]
    assert (plan.added, plan.removed) == (1, 1)


def test_renames_are_chained(place: Place) -> None:
    place.write("a", numbered())
    place.write("x", numbered(12))
    texts = steps(
        place,
        {"a": None, "b": numbered().replace("line 4\n", "four\n")},
        {"b": None, "c": numbered().replace("line 4\n", "four\n").replace("line 20\n", "20\n")},
        {"x": None, "a": numbered(12)},
    )
    plan = planned(place, texts)
    assert told(plan) == [("rename", "c", "a"), ("rename", "a", "x")]
    assert plan.files[0].before == numbered().encode()
    Applier(place.root).apply(plan)
    assert sorted(place.state()) == ["a", "c"]
    assert place.read("a") == numbered(12).encode()


def test_renamed_and_back_again_is_nothing(place: Place) -> None:
    place.write("a", numbered())
    texts = steps(place, {"a": None, "b": numbered()}, {"b": None, "a": numbered().replace("line 1\n", "1\n")})
    assert told(planned(place, texts)) == [("modify", "a", None)]


def test_one_that_does_not_fit_refuses_all_and_is_named(place: Place) -> None:
    place.write("f", numbered())
    texts = steps(place, {"f": numbered().replace("line 5\n", "5\n")}, {"f": numbered().replace("line 6\n", "6\n")})
    place.write("g", "g\n")
    broken = texts[1].replace(b"-line 6", b"-line six").replace(b"index ", b"index 0123456")
    before = place.state()
    with pytest.raises(PatchConflict) as caught:
        planned(place, [texts[0], broken])
    assert "patch 2 of 2, 'Step 2'" in caught.value.message
    assert place.state() == before
    with pytest.raises(PatchRefused):
        make_plan(series_of([texts[0], b"\n".join(texts[1].split(b"\n")[:-6])]), WorkTree(place.root))


def test_what_is_there_already_is_left_out(place: Place) -> None:
    place.write("f", numbered())
    one = numbered().replace("line 10\n", "TEN\n")
    texts = steps(place, {"f": one}, {"f": one.replace("line 20\n", "TWENTY\n")})
    place.write("f", one)
    plan = planned(place, texts)
    assert [repair.code for repair in plan.repairs] == ["already-there"]
    assert plan.files[0].before == one.encode()
    place.write("f", one.replace("line 20\n", "TWENTY\n"))
    with pytest.raises(AlreadyApplied):
        planned(place, texts[1:])


def test_a_series_is_merged_part_by_part(place: Place) -> None:
    place.write("f", numbered())
    one = numbered().replace("line 10\n", "TEN\n")
    texts = steps(place, {"f": one}, {"f": one.replace("line 12\n", "TWELVE\n")})
    place.write("f", numbered().replace("line 8\n", "EIGHT\n"))
    with Earlier(place.root) as bases:
        plan = make_plan(series_of(texts), WorkTree(place.root), bases=bases)
    wanted = one.replace("line 12\n", "TWELVE\n").replace("line 8\n", "EIGHT\n")
    assert plan.files[0].after == wanted.encode()
    assert {hunk.match for hunk in plan.files[0].hunks} == {"merge"}


def test_the_parts_are_there_for_commits(place: Place) -> None:
    place.write("f", numbered())
    one = numbered().replace("line 10\n", "TEN\n")
    two = one.replace("line 20\n", "TWENTY\n")
    texts = steps(place, {"f": one}, {"f": two})
    parts = plan_parts(series_of(texts), WorkTree(place.root), make_plan)
    assert [part.title for part, _ in parts] == ["Step 1", "Step 2"]
    assert [plan.files[0].after for _, plan in parts] == [one.encode(), two.encode()]
    assert parts[1][1].files[0].before == one.encode()


def test_a_mailbox_is_what_git_am_makes_of_it(place: Place) -> None:
    place.write("f", numbered())
    place.write("old", numbered(12))
    start = place.commit()
    one = numbered().replace("line 10\n", "TEN\n")
    for state in ({"f": one}, {"f": one.replace("TEN\n", "ten\n"), "g": "g\n"}, {"old": None, "new": numbered(12)}):
        place.git("apply", "--index", stdin=place.patch(**state))
        place.git("commit", "-q", "-m", "Step\n\nWith a word about it.")
    mailbox = place.git("format-patch", "--stdout", "--binary", "-M", start)
    wanted = place.git("rev-parse", "HEAD^{tree}")
    place.git("reset", "-q", "--hard", start)
    result = place.apply(mailbox)
    assert (result.result, result.format) == ("applied", "mbox")
    assert [(file["op"], file["path"]) for file in result.files] == [
        ("modify", "f"),
        ("create", "g"),
        ("rename", "new"),
    ]
    place.git("add", "-A")
    assert place.git("write-tree") == wanted
    place.git("reset", "-q", "--hard", start)
    place.forget(".vibehq")
    place.write("f", numbered().replace("line 10\n", "mine\n"))
    before = place.state()
    result = place.apply(mailbox)
    assert (result.result, [problem.code for problem in result.errors]) == ("conflict", ["merge-conflict"])
    assert result.errors[0].message.startswith("patch 1 of 3, 'Step': ")
    assert place.state() == before


NAMES = ["a.txt", "b", "dir/c.txt", "dir/d", "e.bin", "link"]


class Wanderer:
    """Changes files at random."""

    def __init__(self, place: Place, seed: int) -> None:
        self.place = place
        self.chance = random.Random(seed)

    def content(self) -> bytes:
        if self.chance.random() < 0.1:
            return b"\0" + self.chance.randbytes(40)
        lines = [self.chance.choice([b"a", b"b", b"", b"}", b"c c"]) for _ in range(self.chance.randrange(20))]
        return b"\n".join(lines) + self.chance.choice([b"\n", b""])

    def step(self) -> None:
        path = self.place.root / self.chance.choice(NAMES)
        kind = self.chance.random()
        if not os.path.lexists(path):
            path.parent.mkdir(exist_ok=True)
            if path.name == "link" and kind < 0.5:
                path.symlink_to("target")
            else:
                path.write_bytes(self.content())
        elif kind < 0.2:
            path.unlink()
        elif kind < 0.4:
            target = self.place.root / self.chance.choice(NAMES)
            if not os.path.lexists(target):
                target.parent.mkdir(exist_ok=True)
                path.rename(target)
        elif kind < 0.5 and not path.is_symlink():
            path.chmod(path.stat().st_mode ^ 0o111)
        elif kind < 0.6 and not path.is_symlink():
            (self.place.root / "copy").write_bytes(path.read_bytes())
        elif not path.is_symlink():
            lines = path.read_bytes().split(b"\n")
            at = self.chance.randrange(len(lines) + 1)
            lines[at : at + self.chance.randrange(2)] = [b"new %d" % self.chance.randrange(9)]
            path.write_bytes(b"\n".join(lines))


def check_series(place: Place, seed: int, commits: int) -> int:
    """A series of random commits as one plan: applied, taken back, and applied by git as a diff."""
    wanderer = Wanderer(place, seed)
    for _ in range(6):
        wanderer.step()
    start = place.commit()
    texts = []
    for _ in range(commits):
        for _ in range(wanderer.chance.randint(1, 4)):
            wanderer.step()
        place.git("add", "-A")
        text = place.git("diff", "--cached", "--binary", wanderer.chance.choice(["-M", "-C", "--no-renames"]))
        if text:
            texts.append(text)
            place.git("commit", "-q", "-m", "step")
    wanted = place.git("write-tree")
    place.git("reset", "-q", "--hard", start)
    if not texts:
        return 0
    try:
        plan = make_plan(series_of(texts), WorkTree(place.root))
    except AlreadyApplied:
        assert place.git("write-tree") == wanted
        return 0
    assert plan.hunk_numbers == tuple(range(1, plan.hunk_count + 1))
    applier = Applier(place.root)
    receipt = applier.apply(plan)
    place.git("add", "-A")
    assert place.git("write-tree") == wanted, (seed, told(plan))
    applier.revert(receipt)
    place.git("add", "-A")
    assert place.git("write-tree") == place.git("rev-parse", f"{start}^{{tree}}")
    place.git("apply", "--index", "--unidiff-zero", stdin=plan.to_diff())
    assert place.git("write-tree") == wanted, (seed, plan.to_diff())
    return len(texts)


@pytest.mark.parametrize("seed", range(12))
def test_the_same_tree_as_the_commits(tmp_path: Path, seed: int) -> None:
    assert check_series(Place(tmp_path / "root"), seed, 5) >= 0


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 300))
def test_the_same_tree_as_the_commits_at_length(tmp_path: Path, seed: int) -> None:
    assert check_series(Place(tmp_path / "root"), seed, 12) > 0
