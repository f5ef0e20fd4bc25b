"""Conflicts as text with markers, choices, and the patch that they make."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from merging_helpers import Place, numbered

from vibehq_tui.patches.applying.apply import Applier
from vibehq_tui.patches.applying.earlier import Earlier
from vibehq_tui.patches.errors import PatchConflict, PatchRefused
from vibehq_tui.patches.formats import parse
from vibehq_tui.patches.model import ParsedPatch
from vibehq_tui.patches.planning.plan import Plan
from vibehq_tui.patches.planning.planner import make_plan
from vibehq_tui.patches.planning.tree import WorkTree
from vibehq_tui.patches.queue.resolve import ConflictFile, find_conflicts, resolved_plan


def found(place: Place, text: bytes) -> list[ConflictFile]:
    with Earlier(place.root) as bases:
        return find_conflicts(parse(text), WorkTree(place.root), bases)


def resolved(place: Place, text: bytes, wanted: dict[str, bytes | Sequence[str]]) -> Plan:
    tree, parsed = WorkTree(place.root), parse(text)
    with Earlier(place.root) as bases:
        plan = resolved_plan(parsed, tree, bases, find_conflicts(parsed, tree, bases), wanted)
    again = make_plan(parse(plan.to_diff(), "git"), tree, strict=True)
    assert again.hash == plan.hash
    assert plan.hunk_numbers == tuple(range(1, plan.hunk_count + 1))
    return plan


@pytest.fixture
def patch(place: Place) -> bytes:
    """A patch of three places of f, two of which f itself has changed, and of g."""
    place.write("f", numbered())
    place.write("g", "g\n")
    place.commit()
    theirs = numbered().replace("line 5\n", "their 5\n").replace("line 15\n", "their 15\n")
    text = place.patch(f=theirs.replace("line 25\n", "their 25\n"), g="G\n")
    place.write("f", "top\n" + numbered().replace("line 5\n", "my 5\n").replace("line 15\n", ""))
    return text


def test_markers_as_git_shows_them(place: Place, patch: bytes) -> None:
    (item,) = found(place, patch)
    assert (item.path, item.kind, len(item.regions)) == ("f", "content", 2)
    shown = item.text_with_markers.decode()
    assert "<<<<<<< the file\nmy 5\n||||||| before\nline 5\n=======\ntheir 5\n>>>>>>> the patch\n" in shown
    assert "<<<<<<< the file\n||||||| before\nline 15\n=======\ntheir 15\n>>>>>>> the patch\n" in shown
    assert shown.startswith("top\nline 1\n")
    assert "their 25\n" in shown


@pytest.mark.parametrize(
    ("choices", "five", "fifteen"),
    [
        (["ours"], "my 5\n", ""),
        (["theirs"], "their 5\n", "their 15\n"),
        (["both"], "my 5\ntheir 5\n", "their 15\n"),
        (["base"], "line 5\n", "line 15\n"),
        (["ours", "theirs"], "my 5\n", "their 15\n"),
    ],
)
def test_choices(place: Place, patch: bytes, choices: list[str], five: str, fifteen: str) -> None:
    plan = resolved(place, patch, {"f": choices})
    wanted = "top\n" + numbered().replace("line 5\n", five).replace("line 15\n", fifteen)
    assert {file.path: file.after for file in plan.files} == {
        "g": b"G\n",
        "f": wanted.replace("line 25\n", "their 25\n").encode(),
    }
    Applier(place.root).apply(plan)
    assert place.read("f") == wanted.replace("line 25\n", "their 25\n").encode()


def test_a_text_from_an_editor(place: Place, patch: bytes) -> None:
    (item,) = found(place, patch)
    with pytest.raises(PatchRefused) as caught:
        resolved(place, patch, {"f": item.text_with_markers})
    assert [problem.code for problem in caught.value.problems] == ["markers-left"]
    assert "line 6" in caught.value.message
    plan = resolved(place, patch, {"f": b"all anew\n"})
    assert plan.files[1].after == b"all anew\n"


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({}, "not-resolved"),
        ({"f": ["ours", "ours", "ours"]}, "choices"),
        ({"f": ["mine"]}, "unknown-choice"),
        ({"f": ["ours"], "g": ["ours"]}, "no-conflict"),
    ],
)
def test_what_is_no_resolution(place: Place, patch: bytes, wanted: dict[str, list[str]], code: str) -> None:
    with pytest.raises(PatchRefused) as caught:
        resolved(place, patch, dict(wanted))
    assert [problem.code for problem in caught.value.problems] == [code]


def test_markers_that_belong_to_the_file(place: Place) -> None:
    heading = "Title\n=======\n<<<<<<< here\n"
    place.write("f", heading + numbered())
    place.commit()
    text = place.patch(f=heading + numbered().replace("line 5\n", "theirs\n"))
    place.write("f", heading + numbered().replace("line 5\n", "ours\n"))
    (item,) = found(place, text)
    assert item.marker_size == 8
    edited = heading + numbered().replace("line 5\n", "both\n=======\n")
    assert resolved(place, text, {"f": edited.encode()}).files[0].after == edited.encode()


def test_line_ends_of_the_file(place: Place) -> None:
    place.write("f", numbered())
    place.commit()
    text = place.patch(f=numbered().replace("line 5\n", "theirs\n"))
    place.write("f", numbered().replace("line 5\n", "ours\n").replace("\n", "\r\n"))
    (item,) = found(place, text)
    shown = item.text_with_markers
    assert shown.count(b"\r\n") == shown.count(b"\n")
    plan = resolved(place, text, {"f": ["theirs"]})
    assert plan.files[0].after == numbered().replace("line 5\n", "theirs\n").replace("\n", "\r\n").encode()


def test_no_newline_at_the_end(place: Place) -> None:
    place.write("f", "one\ntwo")
    place.commit()
    text = place.patch(f="one\ntheirs")
    place.write("f", "one\nours")
    (item,) = found(place, text)
    assert item.text_with_markers.endswith(b"=======\ntheirs\n>>>>>>> the patch\n")
    assert resolved(place, text, {"f": b"one\nedited\n"}).files[0].after == b"one\nedited"
    assert resolved(place, text, {"f": ["both"]}).files[0].after == b"one\nours\ntheirs"
    assert resolved(place, text, {"f": ["theirs"]}).files[0].after == b"one\ntheirs"


def test_to_be_deleted_and_changed(place: Place) -> None:
    place.write("f", numbered())
    place.write("g", "g\n")
    place.commit()
    text = place.patch(f=None, g="G\n")
    place.write("f", numbered().replace("line 5\n", "ours\n"))
    (item,) = found(place, text)
    assert (item.kind, [region.ours for region in item.regions]) == ("delete", [(b"ours\n",)])
    assert [(file.op, file.path) for file in resolved(place, text, {"f": ["theirs"]}).files] == [
        ("modify", "g"),
        ("delete", "f"),
    ]
    assert [file.path for file in resolved(place, text, {"f": ["ours"]}).files] == ["g"]
    with pytest.raises(PatchRefused):
        resolved(place, text, {"f": ["both"]})


def test_to_be_made_and_there(place: Place) -> None:
    place.write("other", "x\n")
    place.commit()
    text = place.patch(f="one\ntheirs\nthree\n")
    place.write("f", "one\nours\nthree\n")
    (item,) = found(place, text)
    assert (item.kind, [(region.line, region.base) for region in item.regions]) == ("exists", [(2, ())])
    plan = resolved(place, text, {"f": ["both"]})
    assert [(file.op, file.after) for file in plan.files] == [("modify", b"one\nours\ntheirs\nthree\n")]
    with pytest.raises(PatchRefused) as caught:
        resolved(place, text, {"f": ["ours"]})
    assert [problem.code for problem in caught.value.problems] == ["nothing-left"]


def test_binary(place: Place) -> None:
    place.write("f", b"\0base")
    place.commit()
    text = place.patch(f=b"\0theirs")
    place.write("f", b"\0ours")
    (item,) = found(place, text)
    assert (item.kind, item.text_with_markers) == ("binary", b"")
    plan = resolved(place, text, {"f": ["theirs"]})
    assert (plan.files[0].after, plan.files[0].binary) == (b"\0theirs", True)
    with pytest.raises(PatchRefused):
        resolved(place, text, {"f": ["ours"]})


def test_a_rename(place: Place) -> None:
    place.write("f", numbered())
    place.commit()
    (place.root / "f").unlink()
    text = place.patch(g=numbered().replace("line 5\n", "theirs\n"))
    place.write("f", numbered().replace("line 5\n", "ours\n"))
    (item,) = found(place, text)
    assert item.path == "g"
    plan = resolved(place, text, {"g": ["theirs"]})
    assert [(file.op, file.from_, file.path) for file in plan.files] == [("rename", "f", "g")]
    plan = resolved(place, text, {"g": ["ours"]})
    assert (plan.files[0].op, plan.files[0].after) == ("rename", plan.files[0].before)


def test_what_no_choice_resolves(place: Place, patch: bytes) -> None:
    (place.root / "g").unlink()
    with pytest.raises(PatchConflict) as caught:
        found(place, patch)
    assert [problem.code for problem in caught.value.problems] == ["missing-file"]


def test_what_fits_has_no_conflict(place: Place, patch: bytes) -> None:
    place.git("checkout", "-q", "f")
    assert found(place, patch) == []


def test_a_link_is_not_resolved_into_a_file(place: Place) -> None:
    place.write("other", "x\n")
    place.commit()
    text = place.patch(f="one\n")
    (place.root / "f").symlink_to("other")
    with pytest.raises(PatchConflict):
        found(place, text)


def test_a_series_is_not_resolved_as_a_whole(place: Place, patch: bytes) -> None:
    one = parse(patch)
    series = ParsedPatch(format="mbox", changes=one.changes, parts=(one,))
    with Earlier(place.root) as bases, pytest.raises(PatchRefused) as caught:
        find_conflicts(series, WorkTree(place.root), bases)
    assert [problem.code for problem in caught.value.problems] == ["series-conflict"]
