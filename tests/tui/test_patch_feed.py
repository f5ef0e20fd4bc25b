"""Several patches at once from the feed: marked, put in order, approved and applied, with what became of each."""

from __future__ import annotations

from pathlib import Path

import pytest
from main_workspace import make, text
from review_helpers import on_screen, until
from review_workspace import open_workspace, opened
from test_main_screen import dialog, state_is, toast

from vibehq_tui.tui.widgets.prompt import Confirm, Told


@pytest.fixture
async def root(tmp_path: Path) -> Path:
    return await make(tmp_path / "lines")


async def test_marked_patches_are_done_together_after_a_question(root: Path) -> None:
    async with opened(root) as (app, pilot):
        await pilot.press("space", "space", "A")
        await dialog(pilot, app, Confirm)
        assert "Apply 2 patches?" in on_screen(app)
        await pilot.press("n")
        await state_is(pilot, app, "3", "approved")
        await pilot.press("A")
        await dialog(pilot, app, Confirm)
        await pilot.press("y")
        await state_is(pilot, app, "3", "applied")
        await state_is(pilot, app, "4", "proposed")
        await dialog(pilot, app, Told)
        assert "applied 1 of 2 patches" in on_screen(app)
        assert "✔  3  applied" in on_screen(app) and "✘  4  refused: patch 4 is proposed" in on_screen(app)
        await pilot.press("escape")
        assert app.main.patches.marked == set()


async def test_marked_patches_are_approved_and_applied_in_one_go(root: Path) -> None:
    async with opened(root) as (app, pilot):
        await pilot.press("space", "space", "a")
        await dialog(pilot, app, Confirm)
        assert "Approve 2 patches?" in on_screen(app) and "in this order: " in on_screen(app)
        await pilot.press("y")
        await state_is(pilot, app, "4", "approved")
        await dialog(pilot, app, Told)
        assert "left out: is approved already" in on_screen(app)
        await pilot.press("enter", "g", "space", "space", "A")
        await dialog(pilot, app, Confirm)
        await pilot.press("y")
        await state_is(pilot, app, "3", "applied")
        await state_is(pilot, app, "4", "applied")
        await until(pilot, toast(app, "applied 2 patches: "))


async def test_a_patch_that_a_rule_holds_says_so_and_is_left_out_of_many(root: Path) -> None:
    rule = '[[policies]]\nname = "careful"\naction = "hold"\nreason = "numbers are checked twice"\npaths = ["*.txt"]\n'
    (root / "vibehq.toml").write_text(rule)
    async with await open_workspace(root) as hq:
        diff = b"--- a/lines.txt\n+++ b/lines.txt\n@@ -10,1 +10,1 @@\n-line 10\n+line ten\n"
        await hq.patches.submit(diff, title="Ten")
    async with opened(root) as (app, pilot):
        await until(pilot, lambda: "held by rule careful: numbers are checked twice" in on_screen(app))
        assert "◆  5      held" in on_screen(app)
        await pilot.press("space", "a")
        await dialog(pilot, app, Confirm)
        await pilot.press("y")
        await dialog(pilot, app, Told)
        assert "left out: held by rule careful" in on_screen(app)


async def test_a_conflict_shows_what_changed(root: Path) -> None:
    async with opened(root) as (app, pilot):
        await pilot.press("j")
        changed = text(l3="line three", l20="somebody was here", l21="and here")
        (root / "lines.txt").write_text(changed)
        await pilot.press("A")
        await app.commands_done()
        await until(pilot, toast(app, "lines.txt"))
        assert (root / "lines.txt").read_text() == changed
        assert (await app.hq.patches.get("3")).state in ("conflicted", "proposed", "approved")
