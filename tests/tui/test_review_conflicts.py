"""A patch that does not apply: what it expected beside what is there, both sides chosen from by keyboard or edited."""

from __future__ import annotations

from pathlib import Path

import pytest
from review_helpers import Repository, make_workspace, on_screen, said, until
from review_workspace import open_workspace
from test_review_hunks import editing
from test_review_screen import reviewing, settled

from vibehq_tui.patches.errors import PatchConflict
from vibehq_tui.tui.app import VibeApp
from vibehq_tui.tui.screens.review import ReviewScreen

NAMES = ["ada", "bea", "cleo", "dora", "edda", "fay", "gwen", "hope", "ida", "june", "kate", "lola"]
FILE = "names.txt"


def names(**changed: str) -> str:
    """A file of names, some of them changed: ``names(n3="Cleopatra")``."""
    lines = list(NAMES)
    for key, value in changed.items():
        lines[int(key[1:]) - 1] = value
    return "".join(f"{line}\n" for line in lines)


@pytest.fixture
async def repository(tmp_path: Path) -> Repository:
    """Patch 1 and the file have both changed lines 2 and 10, each in its own way."""
    repository = make_workspace(tmp_path / "repo")
    repository.commit({FILE: names()})
    diff = repository.diff_to({FILE: names(n2="beatrix", n6="faye", n10="juno")})
    repository.write({FILE: names(n2="beate", n10="judy")})
    async with await open_workspace(repository.root, actor="codex") as hq:
        with pytest.raises(PatchConflict):
            await hq.patches.submit(diff, provider="codex", title="Other names")
    return repository


async def after(app: VibeApp) -> str:
    """What the patch makes of the file."""
    content = (await app.hq.patches.plan("1")).files[0].after
    assert content is not None
    return content.decode()


async def is_resolved(app: VibeApp, screen: ReviewScreen) -> bool:
    return (await app.hq.patches.get("1")).state == "proposed"


@pytest.mark.parametrize("size", [(80, 24), (160, 45)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_both_sides_and_the_base_are_shown(repository: Repository, size: tuple[int, int]) -> None:
    async with reviewing(repository, size=size) as (app, pilot, _):
        await until(pilot, lambda: "0 of 2 places chosen" in on_screen(app))
        shown = on_screen(app)
        for word in ("ours", "base", "theirs", "beate", "bea", "beatrix", "place 1 of 2, line 2"):
            assert word in shown
        together = [line for line in shown.splitlines() if "beate" in line and "beatrix" in line]
        assert bool(together) == (size[0] > 100)  # in columns, where there is room


async def test_a_side_is_chosen_at_each_place_and_a_new_version_is_made(repository: Repository) -> None:
    async with reviewing(repository) as (app, pilot, screen):
        await until(pilot, lambda: "0 of 2 places chosen" in on_screen(app))
        await pilot.press("enter")
        await settled(app, pilot, screen)
        assert "2 places are not chosen yet" in said(app)
        await pilot.press("t")
        assert "1 of 2 places chosen" in on_screen(app)
        assert "theirs: as the patch has it" in on_screen(app)
        await pilot.press("o")
        assert "every place is chosen" in said(app)
        await pilot.press("k", "B")  # another mind
        assert "both: first the file, then the patch" in on_screen(app)
        await pilot.press("enter")
        await settled(app, pilot, screen)
        assert await after(app) == names(n2="beate\nbeatrix", n6="faye", n10="judy")
        await until(pilot, lambda: screen.review is not None and screen.review.plan is not None)
        await until(pilot, lambda: "proposed" in on_screen(app) and screen.diff.display)
        assert "version 2: resolved at 2 places" in said(app)


async def test_the_file_is_edited_with_both_sides_between_markers(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = names(n2="both of them", n6="faye", n10="nobody")
    shown = editing(monkeypatch, lambda text: text.replace("beate", "Beate"), lambda _: wanted, name=FILE)
    async with reviewing(repository) as (app, pilot, screen):
        await until(pilot, lambda: "0 of 2 places chosen" in on_screen(app))
        await pilot.press("e")
        await until(pilot, lambda: "Edit it again?" in on_screen(app))
        assert "is a marker" in on_screen(app)
        assert "<<<<<<< the file" in shown[0] and ">>>>>>> the patch" in shown[0]
        await pilot.press("y")
        await until(pilot, lambda: "2 of 2 places chosen" in on_screen(app))
        assert "Beate" in shown[1]
        assert "as you wrote it in the editor" in on_screen(app)
        await pilot.press("enter")
        await settled(app, pilot, screen)
        assert await after(app) == wanted


async def test_choices_for_lines_that_changed_meanwhile_are_forgotten(repository: Repository) -> None:
    async with reviewing(repository) as (app, pilot, screen):
        await until(pilot, lambda: "0 of 2 places chosen" in on_screen(app))
        await pilot.press("o", "t")
        await until(pilot, lambda: "2 of 2 places chosen" in on_screen(app))
        screen.reload()
        readings = screen.readings
        await until(pilot, lambda: screen.readings > readings)
        assert "2 of 2 places chosen" in on_screen(app)
        repository.write({FILE: names(n2="bee", n10="judy")})
        screen.reload()
        await until(pilot, lambda: "0 of 2 places chosen" in on_screen(app))


@pytest.mark.parametrize("size", [(60, 24), (160, 45)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_what_was_expected_stands_beside_what_is_there(tmp_path: Path, size: tuple[int, int]) -> None:
    repository = make_workspace(tmp_path / "repo")
    repository.commit({FILE: names()})
    patch = (
        b"--- a/names.txt\n+++ b/names.txt\n@@ -4,5 +4,5 @@\n dora\n edda\n-fay the first and the best\n+faye\n"
        b" gwendolyn was here\n hope\n"
    )
    async with await open_workspace(repository.root, actor="codex") as hq:
        with pytest.raises(PatchConflict):
            await hq.patches.submit(patch, provider="codex", title="Other names")
    async with reviewing(repository, size=size) as (app, pilot, _):
        await until(pilot, lambda: "the patch expects" in on_screen(app))
        assert "alike" in on_screen(app)
        together = [line for line in on_screen(app).splitlines() if line.count("gwen") == 2]
        assert bool(together) == (size[0] > 100)
        await pilot.press("o")
        assert "belongs to" in said(app) or "does nothing here" in said(app)


async def test_versions_are_compared(repository: Repository) -> None:
    async with reviewing(repository) as (app, pilot, screen):
        await until(pilot, lambda: "0 of 2 places chosen" in on_screen(app))
        await pilot.press("t", "t", "enter")
        await settled(app, pilot, screen)
        await until(pilot, lambda: screen.diff.display)
        await pilot.press("v", "minus")
        await settled(app, pilot, screen)
        await pilot.press("V")
        await until(pilot, lambda: "From version 2 to 3" in on_screen(app))
        await pilot.press("j", "enter")
        await until(pilot, lambda: "1 of" not in on_screen(app) and "conflicts resolved in names.txt" in on_screen(app))
        await pilot.press("V")
        assert screen.diff.display


async def test_what_goes_back_to_the_author_is_shown_and_copied(repository: Repository) -> None:
    async with reviewing(repository) as (app, pilot, screen):
        await until(pilot, lambda: "0 of 2 places chosen" in on_screen(app))
        await pilot.press("C", *"names are not yours to choose", "enter")
        await settled(app, pilot, screen)
        await pilot.press("f")
        await until(pilot, lambda: "names are not yours to choose" in on_screen(app))
        assert "# Patch 1: Other names" in on_screen(app)
        await pilot.press("Y")
        assert app.clipboard.startswith("# Patch 1: Other names")
        await pilot.press("escape")
        await until(pilot, lambda: "places chosen" in on_screen(app))


async def test_of_a_file_that_is_no_text_one_side_is_taken(tmp_path: Path) -> None:
    repository = make_workspace(tmp_path / "repo")
    repository.commit({"image.bin": b"\0one" * 200})
    diff = repository.diff_to({"image.bin": b"\0two" * 300})
    repository.write({"image.bin": b"\0three" * 100})
    async with await open_workspace(repository.root, actor="codex") as hq:
        with pytest.raises(PatchConflict):
            await hq.patches.submit(diff, provider="codex", title="Another image")
    async with reviewing(repository) as (app, pilot, screen):
        await until(pilot, lambda: "0 of 1 place chosen" in on_screen(app))
        assert "the patch: 1.2 KB" in on_screen(app) or "the patch: 1.2 kB" in on_screen(app)
        await pilot.press("e")
        await settled(app, pilot, screen)
        assert "is no text" in said(app)
        await pilot.press("t", "enter")
        await settled(app, pilot, screen)
        assert (await app.hq.patches.plan("1")).files[0].after == b"\0two" * 300
