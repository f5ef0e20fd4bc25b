"""Patches of files that have changed since: merged where git would, refused with the lines of all three where not."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest
from merging_helpers import Place, codes, git_merges, matches, numbered, repairs

from vibehq_tui.patches.formats import parse
from vibehq_tui.patches.planning import merge
from vibehq_tui.patches.planning.merge import Sides
from vibehq_tui.patches.planning.planner import make_plan
from vibehq_tui.patches.planning.tree import WorkTree

TWICE = "start\nvalue\nend\n\n" * 6


def test_the_context_has_changed(place: Place) -> None:
    place.write("f", numbered())
    place.commit()
    patch = place.patch(f=numbered().replace("line 10\n", "TEN\n"))
    place.write("f", numbered().replace("line 8\n", "EIGHT\n"))
    result = place.apply(patch)
    assert (result.result, matches(result), repairs(result)) == ("applied", ["merge"], ["merged"])
    assert place.read("f").decode() == numbered().replace("line 8\n", "EIGHT\n").replace("line 10\n", "TEN\n")
    assert result.plan is not None
    (hunk,) = result.plan.files[0].hunks
    assert [line for tag, line in hunk.lines if tag == "+"] == [b"TEN\n"]
    assert (b" ", b"EIGHT\n") in [(tag.encode(), line) for tag, line in hunk.lines]


def test_strict_never_merges(place: Place) -> None:
    place.write("f", numbered())
    place.commit()
    patch = place.patch(f=numbered().replace("line 10\n", "TEN\n"))
    place.write("f", numbered().replace("line 8\n", "EIGHT\n"))
    assert place.apply(patch, strict=True).result == "conflict"
    assert place.read("f").decode() == numbered().replace("line 8\n", "EIGHT\n")


def test_a_merge_finds_the_place_among_equal_ones(place: Place) -> None:
    place.write("f", TWICE)
    place.commit()
    wanted = TWICE.split("value")
    patch = place.patch(f="value".join(wanted[:3]) + "VALUE" + "value".join(wanted[3:]))
    place.write("f", "above\n" * 7 + TWICE)
    result = place.apply(patch)
    assert (result.result, matches(result)) == ("applied", ["merge"])
    assert place.read("f").decode() == "above\n" * 7 + "value".join(wanted[:3]) + "VALUE" + "value".join(wanted[3:])
    place.git("checkout", "-q", "f")
    place.write("f", "above\n" * 7 + TWICE)
    place.forget()
    assert codes(place.apply(patch)) == ["ambiguous-context"]


def test_a_hunk_that_only_moved_keeps_its_word(place: Place) -> None:
    place.write("f", numbered())
    place.commit()
    patch = place.patch(f=numbered().replace("line 10\n", "TEN\n"))
    place.write("f", "top\n" + numbered())
    result = place.apply(patch)
    assert (result.result, matches(result), repairs(result)) == ("applied", ["offset"], [])


def test_both_changed_the_same_lines(place: Place) -> None:
    place.write("f", numbered())
    place.commit()
    patch = place.patch(f=numbered().replace("line 10\n", "theirs\n").replace("line 20\n", "fine\n"))
    place.write("f", "top\n" + numbered().replace("line 10\n", "ours\nours too\n"))
    before = place.state()
    result = place.apply(patch)
    assert (result.result, codes(result)) == ("conflict", ["merge-conflict"])
    assert place.state() == before
    (region,) = result.errors[0].regions
    assert (region.line, region.ours, region.base, region.theirs) == (
        11,
        (b"ours\n", b"ours too\n"),
        (b"line 10\n",),
        (b"theirs\n",),
    )
    assert "lines 11-12" in result.errors[0].message
    assert result.to_wire()["errors"][0]["regions"][0]["theirs"] == ["theirs"]


def test_a_part_that_is_there_already(place: Place) -> None:
    place.write("f", numbered())
    place.write("g", numbered())
    place.commit()
    changed = numbered().replace("line 10\n", "TEN\n")
    patch = place.patch(f=changed, g=changed)
    place.write("f", changed.replace("line 20\n", "mine\n"))
    result = place.apply(patch)
    assert (result.result, [file["path"] for file in result.files]) == ("applied", ["g"])
    assert repairs(result) == ["already-there"]
    assert place.read("f").decode() == changed.replace("line 20\n", "mine\n")
    assert place.apply(patch).result == "already-applied"


def test_a_file_that_is_to_be_deleted_and_has_changed(place: Place) -> None:
    place.write("f", numbered())
    place.commit()
    patch = place.patch(f=None)
    place.write("f", numbered().replace("line 7\n", "mine\n"))
    result = place.apply(patch)
    assert (result.result, codes(result)) == ("conflict", ["merge-conflict"])
    assert "deleted" in result.errors[0].message
    assert [(region.line, region.ours) for region in result.errors[0].regions] == [(7, (b"mine\n",))]
    bare = b"\n".join(patch.split(b"\n")[:3]) + b"\n"
    assert codes(place.apply(bare)) == ["merge-conflict"]


def test_a_file_that_is_to_be_made_and_exists(place: Place) -> None:
    place.write("other", "x\n")
    place.commit()
    patch = place.patch(f="new\n", g="also\n")
    place.write("f", "new\n")
    result = place.apply(patch)
    assert (result.result, repairs(result)) == ("applied", ["already-there"])
    assert [file["path"] for file in result.files] == ["g"]
    (place.root / "g").unlink()
    place.write("f", "mine\n")
    assert codes(place.apply(patch)) == ["already-exists"]


def test_a_file_that_is_renamed_and_has_changed(place: Place) -> None:
    place.write("f", numbered())
    place.commit()
    (place.root / "f").unlink()
    patch = place.patch(g=numbered().replace("line 10\n", "TEN\n"))
    assert b"rename from f" in patch
    place.write("f", numbered().replace("line 9\n", "NINE\n").replace("line 20\n", "TWENTY\n"))
    assert codes(place.apply(patch)) == ["merge-conflict"]
    place.write("f", numbered().replace("line 8\n", "EIGHT\n"))
    result = place.apply(patch)
    assert (result.result, matches(result)) == ("applied", ["merge"])
    assert place.state() == {
        "g": numbered().replace("line 8\n", "EIGHT\n").replace("line 10\n", "TEN\n").encode(),
    }


def test_the_work_tree_has_other_line_ends_than_git(place: Place) -> None:
    place.write("f", numbered())
    place.commit()
    patch = place.patch(f=numbered().replace("line 10\n", "TEN\nELEVEN\n"))
    ours = numbered().replace("line 8\n", "EIGHT\n").replace("\n", "\r\n")
    place.write("f", ours)
    result = place.apply(patch)
    assert (result.result, matches(result)) == ("applied", ["merge"])
    assert place.read("f").decode() == ours.replace("line 10\r\n", "TEN\r\nELEVEN\r\n")


def test_mixed_line_ends_are_left_as_they_are(place: Place) -> None:
    place.write("f", numbered())
    place.commit()
    patch = place.patch(f=numbered().replace("line 20\n", "TWENTY\n"))
    ours = numbered().replace("line 5\n", "line 5\r\n").replace("line 18\n", "x\n")
    place.write("f", ours)
    assert place.apply(patch).result == "applied"
    assert place.read("f").decode() == ours.replace("line 20\n", "TWENTY\n")


@pytest.mark.parametrize("mine", ["line 1 of mine\n", ""])
def test_the_final_newline(place: Place, mine: str) -> None:
    base = numbered(6) + "last"
    place.write("f", base)
    place.commit()
    patch = place.patch(f=numbered(6) + "last\n")
    place.write("f", mine + base.replace("line 5\n", "FIVE\n"))
    assert place.apply(patch).result == "applied"
    assert place.read("f").decode() == mine + numbered(6).replace("line 5\n", "FIVE\n") + "last\n"


def test_binary_files_are_never_merged(place: Place) -> None:
    place.write("f", b"\0" + numbered().encode())
    place.commit()
    patch = place.patch(f=b"\0" + numbered().replace("line 10\n", "TEN\n").encode())
    assert b"GIT binary patch" in patch
    as_text = place.patch("--text", f=b"\0" + numbered().replace("line 10\n", "TEN\n").encode())
    ours = b"\0" + numbered().replace("line 20\n", "TWENTY\n").encode()
    place.write("f", ours)
    assert codes(place.apply(patch)) == ["binary-base"]
    assert codes(place.apply(as_text)) == ["merge-conflict"]
    assert place.read("f") == ours


def test_a_symbolic_link_is_not_merged(place: Place) -> None:
    (place.root / "f").symlink_to("one")
    place.commit()
    (place.root / "f").unlink()
    (place.root / "f").symlink_to("two")
    place.git("add", "-A")
    patch = place.git("diff", "--cached", "--full-index")
    place.git("reset", "-q", "--hard")
    (place.root / "f").unlink()
    (place.root / "f").symlink_to("three")
    assert codes(place.apply(patch)) == ["merge-conflict"]
    assert (place.root / "f").readlink() == Path("three")


def test_the_mode_of_a_file_goes_with_its_merge(place: Place) -> None:
    place.write("f", numbered())
    place.commit()
    (place.root / "f").chmod(0o755)
    patch = place.patch(f=numbered().replace("line 10\n", "TEN\n"))
    assert b"new mode 100755" in patch
    place.write("f", numbered().replace("line 8\n", "EIGHT\n"))
    assert place.apply(patch).result == "applied"
    assert (place.root / "f").stat().st_mode & 0o111
    assert b"EIGHT\n" in place.read("f")


def test_markers_in_the_text_confuse_nobody(place: Place) -> None:
    marked = "<<<<<<< ours\na\n||||||| base\nb\n=======\nc\n>>>>>>> theirs\n"
    place.write("f", marked + numbered(10) + marked)
    place.commit()
    patch = place.patch(f=marked + numbered(10).replace("line 5\n", "theirs\n=======\n") + marked)
    place.write("f", marked.replace("a\n", "A\n") + numbered(10) + marked)
    assert place.apply(patch).result == "applied"
    place.git("checkout", "-q", "f")
    place.write("f", marked + numbered(10).replace("line 5\n", ">>>>>>> ours\n") + marked)
    result = place.apply(patch)
    assert codes(result) == ["merge-conflict"]
    (region,) = result.errors[0].regions
    assert (region.ours, region.theirs) == ((b">>>>>>> ours\n",), (b"theirs\n", b"=======\n"))


def test_a_patch_that_was_cut_off_is_not_merged(place: Place) -> None:
    place.write("f", numbered())
    place.commit()
    patch = place.patch(f=numbered().replace("line 10\n", "TEN\n").replace("line 25\n", "x\n"))
    place.write("f", numbered().replace("line 1\n", "ONE\n"))
    cut = b"\n".join(patch.split(b"\n")[:-5])
    before = place.state()
    assert place.apply(cut).result == "refused"
    assert place.state() == before


def test_a_base_from_an_earlier_version(place: Place) -> None:
    """No blob is named, and the context has changed: the version that the hunk fits exactly is the base."""
    place.write("f", numbered())
    place.commit()
    patch = place.patch(f=numbered().replace("line 10\n", "TEN\n"))
    bare = b"".join(line for line in patch.splitlines(keepends=True) if not line.startswith(b"index "))
    for edit in (("line 8\n", "EIGHT\n"), ("line 12\n", "TWELVE\n"), ("line 30\n", "THIRTY\n")):
        place.write("f", place.read("f").decode().replace(*edit))
        place.commit()
    ours = place.read("f").decode()
    result = place.apply(bare)
    assert (result.result, matches(result), repairs(result)) == ("applied", ["merge"], ["merged"])
    assert "earlier version" in result.repairs[0].message
    assert place.read("f").decode() == ours.replace("line 10\n", "TEN\n")


def test_a_patch_that_somebody_edited_is_merged_with_a_warning(place: Place) -> None:
    place.write("f", numbered())
    place.commit()
    patch = place.patch(f=numbered().replace("line 10\n", "TEN\n")).replace(b"+TEN", b"+ten")
    place.write("f", numbered().replace("line 8\n", "EIGHT\n"))
    result = place.apply(patch)
    assert (result.result, repairs(result)) == ("applied", ["merged"])
    assert result.warnings == ("f: the result is not the blob that the patch names",)
    assert b"ten\n" in place.read("f")


def test_both_added_at_the_end(place: Place) -> None:
    """No blob is named, and the lines above are unique; but the version that the hunk fits ends there."""
    place.write("f", numbered())
    place.commit()
    patch = place.patch(f=numbered() + "theirs\n")
    bare = b"".join(line for line in patch.splitlines(keepends=True) if not line.startswith(b"index "))
    place.write("f", numbered() + "ours\n")
    assert codes(place.apply(bare)) == ["merge-conflict"]
    place.forget()
    result = place.apply(bare)
    assert (result.result, repairs(result)) == ("applied", ["edge-context"])


def test_what_is_there_already_with_its_context_once_more_behind_it(place: Place) -> None:
    """The added lines repeat the context, so the hunk fits again below what it once added; the version tells."""
    twice = "    r = ask()\n    check(r)\n\n"
    before = numbered(12) + twice + "def next():\n" + numbered(30)
    place.write("f", before)
    place.commit()
    added = before.replace(twice, twice + "    more()\n" + twice)
    after = added.replace("line 25\n", "changed\n")
    patch = place.patch(f=after)
    bare = b"".join(line for line in patch.splitlines(keepends=True) if not line.startswith(b"index "))
    place.write("f", added)
    assert place.apply(bare).result == "applied"
    assert place.read("f").decode() == after
    place.forget()
    place.write("f", added)
    assert codes(place.apply(bare)) == ["maybe-applied"]
    assert place.read("f").decode() == added


def test_blocks_without_numbers_are_merged_over_an_earlier_version(place: Place) -> None:
    place.write("f.py", "def one():\n    a = 1\n    b = 2\n    c = 3\n    d = 4\n    return a\n\n\n" + numbered())
    place.commit()
    block = (
        "f.py\n```\n<<<<<<< SEARCH\n    a = 1\n    b = 2\n    c = 3\n    d = 4\n=======\n    a = 1\n    b = 2\n"
        "    c = 3\n    d = 5\n>>>>>>> REPLACE\n```\n"
    )
    place.write("f.py", place.read("f.py").replace(b"    a = 1\n", b"    a = compute(everything_there_is)\n"))
    result = place.apply(block)
    assert (result.result, matches(result)) == ("applied", ["merge"])
    assert b"    a = compute(everything_there_is)\n    b = 2\n    c = 3\n    d = 5\n" in place.read("f.py")


def test_a_base_from_a_receipt(place: Place) -> None:
    """Outside git: what was applied here before has left the content behind that the patch was made from."""
    place.write("f", numbered())
    place.commit()
    first = place.patch(f=numbered().replace("line 8\n", "EIGHT\n"))
    second = place.patch(f=numbered().replace("line 10\n", "TEN\n"))
    place.forget()
    assert place.apply(first).result == "applied"
    result = place.apply(second)
    assert (result.result, matches(result)) == ("applied", ["merge"])
    assert place.read("f").decode() == numbered().replace("line 8\n", "EIGHT\n").replace("line 10\n", "TEN\n")
    place.forget()
    third = second.replace(b"+TEN", b"+ten")
    assert codes(place.apply(third)) == ["context-not-found"]


def test_versions_that_disagree(place: Place) -> None:
    """The hunk fits two versions at its line, and stands for another place in each."""
    block, mine = "p\nq\nvalue\nr\ns\n", "P\nq\nvalue\nr\nS\n"
    top, only, tail = ("".join(f"{word} {number}\n" for number in range(4)) for word in ("top", "only", "tail"))
    place.write("f", f"{only}{block}{tail}")
    place.commit()
    place.write("f", f"{top}{block}{only}{block}{tail}")
    place.commit()
    patch = "--- a/f\n+++ b/f\n@@ -5,5 +5,5 @@\n p\n q\n-value\n+VALUE\n r\n s\n"
    place.write("f", f"{top}{mine}{only}{mine}{tail}")
    before = place.state()
    assert codes(place.apply(patch)) == ["merge-uncertain"]
    assert place.state() == before


def test_without_git_at_hand(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.write("f", numbered())
    place.commit()
    first = place.patch(f=numbered().replace("line 8\n", "EIGHT\n"))
    second = place.patch(f=numbered().replace("line 10\n", "TEN\n"))
    third = place.patch(f=numbered().replace("line 10\n", "other\n"))
    assert place.apply(first).result == "applied"
    monkeypatch.setenv("PATH", "/nonexistent")
    result = place.apply(second)
    assert (result.result, matches(result)) == ("applied", ["merge"])
    assert place.read("f").decode() == numbered().replace("line 8\n", "EIGHT\n").replace("line 10\n", "TEN\n")
    assert codes(place.apply(third)) == ["merge-conflict"]


def test_nothing_is_loaded_or_started_when_the_file_is_the_base(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.write("f", numbered())
    place.commit()
    patch = place.patch(f=numbered().replace("line 10\n", "TEN\n"))
    for name in ("merge", "bases", "diff3"):
        monkeypatch.delitem(sys.modules, f"vibehq_tui.patches.{name}", raising=False)
    monkeypatch.setenv("PATH", "/nonexistent")
    assert place.apply(patch).result == "applied"
    loaded = {name for name in ("merge", "bases", "diff3") if f"vibehq_tui.patches.{name}" in sys.modules}
    assert loaded == set()


def test_a_plan_without_bases_does_not_merge(place: Place) -> None:
    place.write("f", numbered())
    place.commit()
    patch = place.patch(f=numbered().replace("line 10\n", "TEN\n"))
    place.write("f", "top\n" + numbered())
    plan = make_plan(parse(patch), WorkTree(place.root))
    assert [hunk.match for file in plan.files for hunk in file.hunks] == ["offset"]


WORDS = [b"a", b"b", b"", b"}", b"value", b"x 1", b"x 2", b"x 3", b"x 4", b"x 5"]


def _text(chance: random.Random) -> bytes:
    text = b"".join(chance.choice(WORDS) + b"\n" for _ in range(chance.randrange(26)))
    return text if chance.random() < 0.8 else text.rstrip(b"\n")


def _edited(chance: random.Random, text: bytes) -> bytes:
    lines = text.split(b"\n")
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(lines) + 1)
        lines[at : at + chance.randrange(3)] = [chance.choice(WORDS) for _ in range(chance.randrange(3))]
    return b"\n".join(lines)


def check_against_git(folder: Path, seed: int, rounds: int) -> tuple[int, int]:
    """Merges texts at random, with git and without; answers how many were clean and how many were not."""
    chance = random.Random(seed)
    cases = []
    for _ in range(rounds):
        base = _text(chance)
        cases.append((base, _edited(chance, base), _edited(chance, base)))
    wanted = git_merges(folder, cases)
    for (base, ours, theirs), content in zip(cases, wanted, strict=True):
        sides = Sides(ours=ours, base=base, theirs=theirs, origin="a base")
        merged, alone = merge.merge(sides), merge.merge_alone(sides)
        assert merged.content == content, (base, ours, theirs)
        assert alone.content in (None, content), (base, ours, theirs)
        if content is None:
            assert merged.regions
            assert alone.regions
            check_regions(sides, merged.segments)
            check_regions(sides, alone.segments)
    conflicts = wanted.count(None)
    return rounds - conflicts, conflicts


def check_regions(sides: Sides, segments: tuple[merge.Segment, ...]) -> None:
    """The regions stand where they say, and taking one side everywhere gives what is merged of that side."""
    ours = sides.ours.splitlines(keepends=True)
    base = sides.base.splitlines(keepends=True)
    for part in segments:
        if not isinstance(part, tuple):
            at = part.line - 1
            assert tuple(ours[at : at + len(part.ours)]) == part.ours
            assert part.ours != part.theirs
            assert not part.base or b"".join(part.base) in b"".join(base)


@pytest.mark.parametrize("seed", range(4))
def test_the_same_merge_as_git(tmp_path: Path, seed: int) -> None:
    clean, conflicts = check_against_git(tmp_path, seed, 60)
    assert clean > 15
    assert conflicts > 15


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 120))
def test_the_same_merge_as_git_at_length(tmp_path: Path, seed: int) -> None:
    clean, conflicts = check_against_git(tmp_path, seed, 500)
    assert clean > 100
    assert conflicts > 100
