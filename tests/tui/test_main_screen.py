"""The main screen on a real workspace, by keys: what is shown, what keys do, and what they say when they do nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from main_workspace import make, text
from review_helpers import on_screen, said, until
from review_workspace import open_workspace, opened
from textual.pilot import Pilot

from storage.query import Query
from storage.records import Execution
from storage.store import Tx
from vibehq_tui.contracts import events
from vibehq_tui.tui import theme as themes
from vibehq_tui.tui.app import VibeApp
from vibehq_tui.tui.palette import Palette
from vibehq_tui.tui.screens.help import HelpScreen
from vibehq_tui.tui.screens.small import TooSmall
from vibehq_tui.tui.widgets.filter_bar import FilterBar
from vibehq_tui.tui.widgets.prompt import Ask, Choose


@pytest.fixture
async def root(tmp_path: Path) -> Path:
    return await make(tmp_path / "lines")


def pane(app: VibeApp) -> str:
    """The name of the focused pane."""
    return app.focused.id or "" if app.focused else ""


async def state_is(pilot: Pilot[int], app: VibeApp, patch: str, state: str) -> None:
    await app.commands_done()
    assert (await app.hq.patches.get(patch)).state == state


async def dialog(pilot: Pilot[int], app: VibeApp, kind: type) -> None:
    await until(pilot, lambda: isinstance(app.screen, kind))


def toast(app: VibeApp, words: str) -> Callable[[], bool]:
    return lambda: words in said(app)


async def test_every_pane_shows_what_is_there(root: Path) -> None:
    async with opened(root) as (app, pilot):
        await until(pilot, lambda: "2 Patches · 2 waiting" in on_screen(app))
        screen = on_screen(app)
        for words in (
            "lines main",
            "1 Tasks · ",
            "Write the file",
            "← 99",
            "approved",
            "rejected",
            "3 Ops · 1 critical · 2 more",
            "the disk is full",
            "▲ 1 critical",
            "4 Providers",
            "5 Terminal",
            "patch.approved",
            "a approve",
            "? help",
        ):
            assert words in screen, words
        await until(pilot, lambda: "+line thirty-five" in on_screen(app).replace("+ ", "+"))
        assert "4 · Thirty-five · claude for task 2" in on_screen(app)


async def test_the_preview_follows_the_cursor(root: Path) -> None:
    async with opened(root) as (app, pilot):
        await pilot.press("j")
        await until(pilot, lambda: "3 · Twenty" in on_screen(app) and "line twenty" in on_screen(app))
        await pilot.press("j")
        await until(pilot, lambda: "it is one" in on_screen(app))


async def test_panes_by_number_and_tab(root: Path) -> None:
    async with opened(root) as (app, pilot):
        assert pane(app) == "patches"
        for key, name in (("1", "tasks"), ("3", "issues"), ("4", "providers"), ("5", "terminal"), ("2", "patches")):
            await pilot.press(key)
            assert pane(app) == name
        await pilot.press("tab")
        assert pane(app) == "issues"
        await pilot.press("shift+tab", "shift+tab")
        assert pane(app) == "tasks"
        await pilot.press("shift+tab")
        assert pane(app) == "terminal"


async def test_views_within_a_pane(root: Path) -> None:
    async with opened(root) as (app, pilot):
        await pilot.press("]")
        await until(pilot, lambda: "2 Patches · waiting" in on_screen(app) and app.main.patches.count == 2)
        await pilot.press("]")
        await until(pilot, lambda: "no patch is in trouble" in on_screen(app))
        await pilot.press("escape")
        await until(pilot, lambda: app.main.patches.count == 4)
        await pilot.press("1", "[")
        await until(pilot, lambda: "1 Tasks · all" in on_screen(app) and app.main.tasks.count == 5)


async def test_a_pane_can_have_the_whole_screen(root: Path) -> None:
    async with opened(root) as (app, pilot):
        await pilot.press("1", "z")
        await until(pilot, lambda: "patch.approved" not in on_screen(app))
        assert "3 Ops · 1 critical" in on_screen(app).splitlines()[1]
        await pilot.press("3")
        await until(pilot, lambda: "the disk is full" in on_screen(app))
        await pilot.press("escape")
        await until(pilot, lambda: "patch.approved" in on_screen(app))


async def test_a_narrow_terminal_shows_one_pane_and_tabs(root: Path) -> None:
    async with opened(root, size=(80, 24)) as (app, pilot):
        await until(pilot, lambda: "1 Tasks  " in on_screen(app) and "5 Terminal" in on_screen(app))
        assert "the disk is full" not in on_screen(app)
        await pilot.press("3")
        await until(pilot, lambda: "the disk is full" in on_screen(app))
        await pilot.click("#tabs", offset=(2, 0))
        await until(pilot, lambda: "Write the file" in on_screen(app))
        assert pane(app) == "tasks"


async def test_too_small_and_large_again(root: Path) -> None:
    async with opened(root, size=(20, 5)) as (app, pilot):
        await until(pilot, lambda: isinstance(app.screen, TooSmall))
        assert "20×5" in on_screen(app)
        assert "at least 40×10" in on_screen(app)
        await pilot.press("j", "a", "question_mark", "q")
        await pilot.resize_terminal(100, 30)
        await until(pilot, lambda: app.screen is app.main)
        await pilot.resize_terminal(39, 30)
        await until(pilot, lambda: isinstance(app.screen, TooSmall))
        await pilot.resize_terminal(40, 10)
        await until(pilot, lambda: app.screen is app.main and "Patches" in on_screen(app))


async def test_approve_apply_undo_retry(root: Path) -> None:
    async with opened(root) as (app, pilot):
        await pilot.press("a")
        await state_is(pilot, app, "4", "approved")
        await until(pilot, toast(app, "approved patch 4 · A applies it"))
        await pilot.press("A")
        await state_is(pilot, app, "4", "applied")
        assert "line thirty-five" in (root / "lines.txt").read_text()
        await until(pilot, toast(app, "u undoes it"))
        await pilot.press("u")
        await state_is(pilot, app, "4", "reverted")
        assert (root / "lines.txt").read_text() == text(l3="line three")
        await pilot.press("r")
        await state_is(pilot, app, "4", "proposed")


async def test_keys_in_a_hurry_are_done_in_order(root: Path) -> None:
    async with opened(root) as (app, pilot):
        app.run_command("patch.approve")
        app.run_command("patch.apply")
        app.main.patches.move_to(1)
        await state_is(pilot, app, "4", "applied")
        assert (await app.hq.patches.get("3")).state == "approved"


async def test_reject_asks_for_the_reason(root: Path) -> None:
    async with opened(root) as (app, pilot):
        await pilot.press("x")
        await dialog(pilot, app, Ask)
        await pilot.press("enter")
        assert "please write something" in on_screen(app)
        await pilot.press(*"too long", "enter")
        await state_is(pilot, app, "4", "rejected")
        assert (await app.hq.patches.get("4")).reason == "too long"
        await until(pilot, lambda: "too long" in on_screen(app))
        await pilot.press("u")
        await state_is(pilot, app, "4", "proposed")
        await pilot.press("x")
        await dialog(pilot, app, Ask)
        await pilot.press("escape")
        await state_is(pilot, app, "4", "proposed")


async def test_a_key_that_does_nothing_says_why(root: Path) -> None:
    async with opened(root) as (app, pilot):
        for keys, words in (
            (["A"], "patch 4 is proposed; approve it with a first"),
            (["u"], "patch 4 is proposed; nothing to undo"),
            (["r"], "there is nothing to try again"),
            (["n"], "no filter is set; / sets one"),
            (["escape"], "nothing to go back from; q quits"),
            (["ö"], "ö does nothing here; ? shows the keys"),
            (["F"], "F (full scan) belongs to Ops issues"),
            (["1", "A"], "A (apply) belongs to Patches"),
        ):
            await pilot.press(*keys)
            await app.commands_done()
            await pilot.pause()
            assert words in said(app), keys


async def test_filter_by_keys(root: Path) -> None:
    async with opened(root) as (app, pilot):
        await pilot.press("/")
        await until(pilot, lambda: len(app.screen.query(FilterBar)) == 1)
        await pilot.press(*"claude")
        await until(pilot, lambda: app.main.patches.count == 2)
        assert "2 Patches · /claude 2" in on_screen(app)
        await pilot.press("down", "enter")
        await until(pilot, lambda: pane(app) == "patches" and not app.screen.query(FilterBar))
        assert app.main.patches.row is not None
        assert app.main.patches.row.key == "2"
        await pilot.press("N")
        assert app.main.patches.row.key == "4"
        await pilot.press("escape")
        await until(pilot, lambda: app.main.patches.count == 4)
        await pilot.press("/", "z", "escape")
        await until(pilot, lambda: app.main.patches.count == 4 and pane(app) == "patches")


async def test_help_is_about_what_is_focused(root: Path) -> None:
    async with opened(root) as (app, pilot):
        await pilot.press("1", "question_mark")
        await dialog(pilot, app, HelpScreen)
        await until(pilot, lambda: "Sets the status of the task" in on_screen(app))
        assert "Rejects the patch" not in on_screen(app)
        await pilot.press("G", "escape")
        assert app.screen is app.main
        await pilot.press("3", "f1")
        await until(pilot, lambda: "Says that the issue was seen" in on_screen(app))


async def test_the_palette_runs_a_command_and_says_what_is_not_possible(root: Path) -> None:
    async with opened(root) as (app, pilot):
        await pilot.press("ctrl+p")
        await dialog(pilot, app, Palette)
        await until(pilot, lambda: "patch 4 is proposed; nothing" in on_screen(app))
        await pilot.press(*"appro")
        await until(pilot, lambda: "half page" not in on_screen(app))
        await pilot.press("enter")
        await state_is(pilot, app, "4", "approved")
        await pilot.press(":", "escape")
        assert app.screen is app.main


async def test_the_theme_changes_and_is_remembered(root: Path) -> None:
    async with opened(root) as (app, pilot):
        assert app.theme == themes.DARK.name
        await pilot.press("t")
        assert app.theme == themes.LIGHT.name
        await until(pilot, toast(app, "theme: light"))
    async with opened(root) as (app, pilot):
        assert app.theme == themes.LIGHT.name
        await pilot.press("t", "t", "t")
        assert app.theme == themes.DARK.name


async def test_without_colour_attributes_say_it(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with opened(root) as (app, pilot):
        assert app.theme == themes.ANSI.name
        await pilot.pause()
        colours = {
            segment.style.color.name
            for strip in app.screen._compositor.render_strips()
            for segment in strip
            if segment.style is not None and segment.style.color is not None
        }
        assert colours <= {"default"}


async def test_ascii_draws_nothing_else(root: Path) -> None:
    async with opened(root, ascii_only=True) as (app, pilot):
        await until(pilot, lambda: "2 Patches - 2 waiting" in on_screen(app))
        assert on_screen(app).isascii()


async def test_copy(root: Path) -> None:
    async with opened(root) as (app, pilot):
        await pilot.press("y")
        assert app.clipboard == "4"
        await pilot.press("space", "space", "y")
        assert app.clipboard == "3\n4"
        await pilot.press("escape", "k", "Y")
        assert "Twenty" in app.clipboard


async def test_task_status_is_written_to_the_file(root: Path) -> None:
    async with opened(root) as (app, pilot):
        await pilot.press("1", "j")
        await until(pilot, lambda: app.main.tasks.row is not None and app.main.tasks.row.key != "1")
        chosen = app.main.tasks.row.key if app.main.tasks.row else ""
        await pilot.press("s")
        await dialog(pilot, app, Choose)
        await pilot.press("g", "j", "j", "enter")
        await app.commands_done()
        await until(pilot, toast(app, f"task {chosen} is review now"))
    tasks = json.loads((root / ".mission_control" / "tasks.json").read_text())["tasks"]
    assert {str(task["id"]): task["status"] for task in tasks}[chosen] == "review"


async def test_a_task_is_added_and_assigned(root: Path) -> None:
    async with opened(root) as (app, pilot):
        await pilot.press("1", "+")
        await dialog(pilot, app, Ask)
        await pilot.press(*"Speak", "enter")
        await app.commands_done()
        await until(pilot, toast(app, "added task 6"))
        await until(pilot, lambda: "Speak" in on_screen(app))
        await pilot.press("p")
        await dialog(pilot, app, Choose)
        await pilot.press("g", "enter")
        await app.commands_done()
        assigned = await app.hq.store.read(lambda tx: tx.providers.assignments())
        assert len(assigned) == 1


async def test_issues_by_keys(root: Path) -> None:
    async with opened(root) as (app, pilot):
        await pilot.press("3", "a")
        await app.commands_done()
        assert (await app.hq.ops.get("1")).status == "acknowledged"
        await until(pilot, lambda: "acknowledged" in on_screen(app))
        await pilot.press("a")
        await until(pilot, toast(app, "issue 1 is acknowledged already"))
        await pilot.press("c")
        await app.commands_done()
        assert (await app.hq.ops.get("1")).owner == "ivy"
        await pilot.press("j", "x")
        await dialog(pilot, app, Ask)
        await pilot.press(*"done", "enter")
        await app.commands_done()
        assert (await app.hq.ops.get("2")).status == "resolved"
        await until(pilot, lambda: app.main.issues.count == 2)
        await pilot.press("G", "s")
        await dialog(pilot, app, Choose)
        await pilot.press("enter")
        await app.commands_done()
        assert (await app.hq.ops.get("3")).status == "snoozed"
        await pilot.press("]", "]")
        await until(pilot, lambda: "3 Ops · resolved" in on_screen(app) and app.main.issues.count == 1)
        await pilot.press("r")
        await app.commands_done()
        assert (await app.hq.ops.get("2")).status == "open"


async def test_a_scan_by_key_tells_what_it_found(root: Path) -> None:
    async with opened(root) as (app, pilot):
        await pilot.press("3", "R")
        await until(pilot, toast(app, "incremental scan completed"), seconds=40)
        assert await app.hq.ops.count(Query(where={"subject": "task"})) >= 1


async def test_everything_follows_what_others_do(root: Path) -> None:
    async with opened(root) as (app, pilot), await open_workspace(root, actor="bob") as other:
        await other.patches.approve("4")
        await until(pilot, lambda: app.main.patches.row is not None and app.main.patches.row.record.state == "approved")
        await other.tasks.set_status("3", "done")
        await until(pilot, lambda: "task.status.changed" in on_screen(app))
        await other.logs.ingest("build", "make", ["compiling", "ERROR: no luck"])
        await until(pilot, lambda: "[feed] │ make" in on_screen(app))
        await pilot.press("5", "]")
        await until(pilot, lambda: "ERROR: no luck" in on_screen(app))
        await other.logs.ingest("build", "make", ["once more"])
        await until(pilot, lambda: "once more" in on_screen(app))


async def test_read_only_changes_nothing(root: Path) -> None:
    before = (root / "lines.txt").read_text()
    async with opened(root, read_only=True) as (app, pilot):
        await until(pilot, lambda: "read-only" in on_screen(app))
        for keys in (["a"], ["x"], ["A"], ["1", "s"], ["+"], ["3", "a"], ["R"], ["4", "R"]):
            app._last_toast = ("", 0.0)
            await pilot.press(*keys)
            assert app.screen is app.main
        await until(pilot, toast(app, "read-only: this screen was opened to look"))
        assert (await app.hq.patches.get("4")).state == "proposed"
    assert (root / "lines.txt").read_text() == before


async def test_an_empty_workspace_names_the_next_keys(tmp_path: Path) -> None:
    root = tmp_path / "empty"
    root.mkdir()
    async with await open_workspace(root):
        pass
    async with opened(root) as (app, pilot):
        await until(pilot, lambda: "looks for installed agents" in on_screen(app) or "shell" in on_screen(app))
        screen = on_screen(app)
        for words in (
            "+ adds one",
            "vibehq task import PLAN.md",
            "vibehq patch submit FILE",
            "R scans now",
            "? shows the keys",
        ):
            assert words in screen, words
        await pilot.press("a", "x", "A", "enter", "1", "enter", "3", "x", "5", "enter")
        await until(pilot, toast(app, "no patch is selected"))
        assert app.screen is app.main


async def test_unknown_keys_in_the_configuration_are_named(root: Path) -> None:
    (root / "vibehq.toml").write_text('[keymap]\n"patch.aprove" = "f7"\n"patch.reject" = "f7"\n')
    async with opened(root) as (app, pilot):
        await until(pilot, toast(app, "did you mean patch.approve?"))
        await pilot.press("f7")
        await dialog(pilot, app, Ask)


async def test_q_leaves(root: Path) -> None:
    async with opened(root) as (app, pilot):
        await pilot.press("q")
        await until(pilot, lambda: app.return_code == 0)


def _execution(tx: Tx, id_: str, state: str) -> None:
    """An execution begins, or comes into another state, with its event."""
    if tx.executions.get(id_) is None:
        execution = Execution(id=id_, provider="codex", state=state, started_at=tx.now, log=f"logs/execution-{id_}.log")
        tx.executions.insert(execution)
    else:
        tx.executions.update(id_, state=state)
    kind = events.EXECUTION_STARTED if state == "running" else events.EXECUTION_ENDED
    tx.events.append(kind, actor="codex", subject="execution", subject_id=id_)


async def test_the_terminal_shows_the_agent_that_works_until_another_view_is_chosen(root: Path) -> None:
    async with await open_workspace(root, actor="codex") as other:
        await other.logs.ingest("worker", "execution-1", ["thinking hard"])
        await other.store.write(lambda tx: _execution(tx, "1", "running"))
        async with opened(root) as (app, pilot):
            await until(pilot, lambda: "thinking hard" in on_screen(app))
            await other.logs.ingest("worker", "execution-2", ["thinking twice"])
            await other.store.write(lambda tx: _execution(tx, "2", "running"))
            await until(pilot, lambda: "thinking twice" in on_screen(app))
            await other.store.write(lambda tx: _execution(tx, "2", "done"))
            await until(pilot, lambda: "thinking hard" in on_screen(app))
            await other.store.write(lambda tx: _execution(tx, "1", "done"))
            await until(pilot, lambda: "execution.ended" in on_screen(app))
            await pilot.press("5", "right_square_bracket")
            await until(pilot, lambda: "thinking hard" in on_screen(app))
            await other.store.write(lambda tx: _execution(tx, "2", "running"))
            await app.main.terminal.settled()
            assert app.main.terminal.view.name == "execution-1"
