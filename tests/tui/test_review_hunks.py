"""The review within a hunk: single lines, the editor, more of the file, changes of blanks, remarks."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from review_helpers import MONITOR, MONITOR_AFTER, Repository, make_workspace, on_screen, said, until
from review_workspace import open_workspace
from test_review_screen import reviewing, settled, stored, submit
from textual.pilot import Pilot

from vibehq_tui.tui import editor
from vibehq_tui.tui.app import VibeApp
from vibehq_tui.tui.screens.review import ReviewScreen

FILE = "orchestrator/monitor.py"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return make_workspace(tmp_path / "repo")


@pytest.fixture
async def submitted(repository: Repository) -> Repository:
    """One file, two hunks: of the first, lines 4 and 5 are removed, 6 to 9 added."""
    await submit(repository, **{FILE: MONITOR_AFTER})
    return repository


async def content_after(app: VibeApp) -> str:
    """What the patch makes of the file now."""
    plan = await app.hq.patches.plan("1")
    after = plan.files[0].after
    assert after is not None
    return after.decode()


async def read_version(pilot: Pilot[int], screen: ReviewScreen, version: int) -> None:
    await until(pilot, lambda: screen.review is not None and screen.review.patch.version == version)


async def test_only_the_selected_lines_are_accepted_and_undo_brings_the_others_back(submitted: Repository) -> None:
    async with reviewing(submitted) as (app, pilot, screen):
        before = await content_after(app)
        await pilot.press("down", "down", "v", "enter")  # count = 0
        await settled(app, pilot, screen)
        await read_version(pilot, screen, 2)
        assert await content_after(app) == before.replace(
            """        async for batch in self.source.batches(scope, size=500):
            count += await self.store.add(batch)
        return count
""",
            "",
        ).replace("        count = 0\n", "        lines = await self.source.read(scope)\n        count = 0\n").replace(
            "        count = 0\n", "        return len(lines)\n        count = 0\n"
        )
        assert await stored(app) == {1: "accepted"}
        assert screen.diff.hunk == 2
        assert "3 left out" not in said(app) and "1 line accepted, 5 left out" in said(app)
        await pilot.press("u", "u")
        await settled(app, pilot, screen)
        await read_version(pilot, screen, 3)
        assert await content_after(app) == before
        assert await stored(app) == {}
        await pilot.press("ctrl+r", "ctrl+r")
        await settled(app, pilot, screen)
        await read_version(pilot, screen, 4)
        assert await stored(app) == {1: "accepted"}


async def test_selected_lines_are_rejected_and_the_rest_stays_to_be_decided(submitted: Repository) -> None:
    async with reviewing(submitted) as (app, pilot, screen):
        await pilot.press("down", "down", "v", "j", "j")  # the first three added lines
        assert len(screen.diff.selected) == 3
        await pilot.press(
            "k", "j", "j", "j", "j", "j", "minus"
        )  # never beyond the hunk; the context line does not count
        await settled(app, pilot, screen)
        await read_version(pilot, screen, 2)
        assert "size=500" not in await content_after(app)
        assert await stored(app) == {}
        assert screen.diff.hunk == 1
        assert "taken out" in said(app)


async def test_all_lines_selected_are_the_hunk_itself(submitted: Repository) -> None:
    async with reviewing(submitted) as (app, pilot, screen):
        await pilot.press("v", "V", "enter")
        await settled(app, pilot, screen)
        assert await stored(app) == {1: "accepted"}
        await pilot.press("v", "V", "x")
        assert "does nothing here" in said(app) or "belongs to" in said(app)
        await pilot.press("minus")
        await settled(app, pilot, screen)
        assert await stored(app) == {1: "accepted", 2: "rejected"}
        assert (await app.hq.patches.get("1")).version == 1


async def test_a_selection_can_be_left_and_needs_a_changed_line(submitted: Repository) -> None:
    async with reviewing(submitted) as (app, pilot, screen):
        await pilot.press("v")
        assert screen.diff.selected
        await pilot.press("escape")
        assert not screen.diff.selected and app.screen is screen
        await pilot.press("up", "v", "enter")
        await settled(app, pilot, screen)
        assert "no changed line is selected" in said(app)
        assert await stored(app) == {}
        await pilot.press("v", "J")
        assert screen.diff.selected_from is None


async def test_lines_selected_side_by_side_are_of_both_sides(submitted: Repository) -> None:
    async with reviewing(submitted, size=(200, 60)) as (app, pilot, screen):
        await pilot.press("s", "v")
        assert len(screen.diff.selected) >= 1
        await pilot.press("V")
        assert len(screen.diff.selected) == 6
        assert screen.diff.split
        assert app.screen is screen


# -- the editor --------------------------------------------------------------------------------------------------------


def editing(monkeypatch: pytest.MonkeyPatch, *turns: Callable[[str], str], name: str = "hunk-1.diff") -> list[str]:
    """Stands in for the terminal that is lent to an editor; answers what was shown to it."""
    shown: list[str] = []
    left = list(turns)

    expected = name

    async def edit(_: object, text: str, *, name: str) -> str:
        assert name == expected
        shown.append(text)
        return left.pop(0)(text)

    monkeypatch.setattr(editor, "edit", edit)
    return shown


async def test_a_hunk_is_edited(submitted: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = editing(monkeypatch, lambda text: text.replace("size=500", "size=SIZE"))
    async with reviewing(submitted) as (app, pilot, screen):
        await pilot.press("E")
        await settled(app, pilot, screen)
        await read_version(pilot, screen, 2)
        assert "size=SIZE" in await content_after(app)
        assert "# Only lines with + may be changed" in shown[0] and "@@" in shown[0]
        await until(pilot, lambda: "size=SIZE" in on_screen(app))
        await pilot.press("u")
        await settled(app, pilot, screen)
        assert "size=500" in await content_after(app)


async def test_what_cannot_be_taken_is_kept_and_says_why(
    submitted: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = editing(
        monkeypatch,
        lambda text: text.replace("count = 0", "count = 7").replace("Read new", "Read old"),
        lambda text: text,
        lambda text: text.replace("Read old", "Read new"),
    )
    async with reviewing(submitted) as (app, pilot, screen):
        await pilot.press("E")
        await until(pilot, lambda: "Edit it again?" in on_screen(app))
        assert "only lines with + may be changed" in on_screen(app)
        await pilot.press("y")
        await until(pilot, lambda: len(shown) == 2 and "Edit it again?" in on_screen(app))
        assert "count = 7" in shown[1] and "its lines are not those of the file" in shown[1]
        await pilot.press("n")
        await settled(app, pilot, screen)
        assert "count = 7" not in await content_after(app)
        await pilot.press("E")
        await settled(app, pilot, screen)
        await read_version(pilot, screen, 2)
        assert "# this was not taken before" in shown[2]
        assert "count = 7" in await content_after(app)


async def test_an_edit_without_a_change_leaves_the_hunk(submitted: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    editing(monkeypatch, lambda text: text, lambda _: "# nothing\n")
    async with reviewing(submitted) as (app, pilot, screen):
        await pilot.press("E", "E")
        await settled(app, pilot, screen)
        assert (await app.hq.patches.get("1")).version == 1
        assert "stays as it is" in said(app)


async def test_the_editor_is_named_by_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "my editor"
    program.write_text("#!/bin/sh\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("EDITOR", f"'{program}' --wait")
    monkeypatch.delenv("VISUAL", raising=False)
    assert editor.editor_command() == [str(program), "--wait"]
    monkeypatch.setenv("VISUAL", "no-such-editor")
    with pytest.raises(editor.Refused, match="not there"):
        editor.editor_command()


async def test_without_a_terminal_to_lend_it_says_so(submitted: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISUAL", "true")
    async with reviewing(submitted) as (app, pilot, screen):
        await pilot.press("E")
        await settled(app, pilot, screen)
        await until(pilot, lambda: "cannot be lent to an editor" in said(app))


# -- more of the file, changes of blanks -------------------------------------------------------------------------------


async def test_context_grows_to_the_whole_file_and_shrinks_to_nothing(submitted: Repository) -> None:
    async with reviewing(submitted, size=(160, 60)) as (app, pilot, screen):
        place = screen.diff.place
        assert '"""Watches a source."""' not in on_screen(app)
        await pilot.press("}", "}", "}", "}")
        for line in MONITOR_AFTER.splitlines():
            assert line.rstrip() in on_screen(app)
        assert screen.diff.place == place
        assert "the whole file" in on_screen(app)
        await pilot.press("}")
        assert "this is the whole file" in said(app)
        await pilot.press("{", "{", "{", "{", "{", "{")
        assert "def ingest" not in on_screen(app)
        assert "0 lines of context" in on_screen(app)
        assert screen.diff.place == place
        await pilot.press("{")
        assert "only the changes are shown" in said(app)


async def test_a_hunk_is_decided_and_its_lines_chosen_whatever_is_shown_around_them(submitted: Repository) -> None:
    async with reviewing(submitted, size=(160, 60)) as (app, pilot, screen):
        await pilot.press("}", "}", "}", "}", "down", "down", "v")
        assert screen.diff.selected == (4,)
        await pilot.press("enter")
        await settled(app, pilot, screen)
        await read_version(pilot, screen, 2)
        after = await content_after(app)
        assert "count = 0" in after and "size=500" not in after


async def test_changes_of_blanks_alone_are_hidden(repository: Repository) -> None:
    indented = MONITOR.replace("        return len(lines)", "            return  len(lines)").replace(
        "monitor", "Monitor"
    )
    await submit(repository, **{FILE: indented})
    async with reviewing(repository) as (app, pilot, screen):
        assert on_screen(app).count("len(lines)") == 2
        await pilot.press("w")
        assert on_screen(app).count("len(lines)") == 1
        assert "only blanks differ" in on_screen(app)
        assert 'return "Monitor"' in on_screen(app)
        await pilot.press("enter")
        await settled(app, pilot, screen)
        assert await stored(app) == {1: "accepted"}
        await pilot.press("w")
        assert on_screen(app).count("len(lines)") == 2


# -- remarks -----------------------------------------------------------------------------------------------------------


async def test_remarks_on_a_hunk_are_listed_settled_and_lead_to_their_place(submitted: Repository) -> None:
    async with await open_workspace(submitted.root) as hq:
        await hq.patches.comment("1", "why all of it?")
    async with reviewing(submitted) as (app, pilot, screen):
        await pilot.press("j", "up", "up")
        assert screen.diff.on_hunk == 2
        await pilot.press("c", *"close may hang", "enter")
        await settled(app, pilot, screen)
        await until(pilot, lambda: "ivy: close may hang" in on_screen(app))
        await pilot.press("k", "L")
        await until(pilot, lambda: "2 open, 0 settled" in on_screen(app))
        await pilot.press("j", "enter")
        assert screen.diff.hunk == 2
        await pilot.press("L", "j", "z")
        await settled(app, pilot, screen)
        await until(pilot, lambda: "1 open, 1 settled" in on_screen(app))
        await pilot.press("escape")
        await until(pilot, lambda: "ivy: close may hang" not in on_screen(app))
        await pilot.press("u")
        await until(pilot, lambda: "ivy: close may hang" in on_screen(app))


async def test_the_versions_are_listed_with_what_made_them(submitted: Repository) -> None:
    async with reviewing(submitted) as (app, pilot, screen):
        await pilot.press("v", "minus")
        await settled(app, pilot, screen)
        await read_version(pilot, screen, 2)
        await pilot.press("V")
        await until(pilot, lambda: "lines chosen in hunk 1" in on_screen(app))
        assert "as submitted" in on_screen(app)


async def test_the_text_as_submitted_is_copied_whole(submitted: Repository) -> None:
    async with reviewing(submitted) as (app, pilot, _):
        await pilot.press("d", "Y")
        assert "copied the text of the patch" in said(app)
        assert "diff --git" in app.clipboard


async def test_rules_and_risk_are_explained(submitted: Repository) -> None:
    rule = '[[policies]]\nname = "careful"\naction = "hold"\nreason = "look twice"\npaths = ["orchestrator/*"]\n'
    submitted.write({"vibehq.toml": rule})
    async with reviewing(submitted) as (app, pilot, screen):
        await pilot.press("i")
        await until(pilot, lambda: "by rule careful: look twice" in on_screen(app))
        assert "Risk  low, 1 point" in on_screen(app)
        await pilot.press("i")
        assert screen.diff.display


async def test_repairs_are_told_with_their_places(repository: Repository) -> None:
    diff = repository.diff_to({FILE: MONITOR_AFTER}).replace(b"@@ -10,8 ", b"@@ -10,9 ")
    assert b",9 " in diff
    async with await open_workspace(repository.root, actor="codex") as hq:
        await hq.patches.submit(diff, title="Elsewhere")
    async with reviewing(repository) as (app, pilot, _):
        await until(pilot, lambda: "read as git: 1 file, 2 hunks, after 1" in on_screen(app))
        assert on_screen(app).count("the header said") == 1
