"""The review of a patch by keyboard: decisions, approval, application, undo, remarks, and what others do meanwhile."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from review_helpers import (
    CHANGE,
    DOCS,
    HOSTILE,
    MONITOR,
    SCAN,
    Repository,
    is_harmless,
    make_workspace,
    on_screen,
    said,
    until,
)
from review_workspace import open_workspace, opened, read_screen
from textual.pilot import Pilot

from storage.errors import Conflict, VibeError
from vibehq_tui.patches.errors import PatchConflict
from vibehq_tui.tui.app import VibeApp
from vibehq_tui.tui.screens.review import FileList, ReviewScreen
from vibehq_tui.tui.widgets.diff_view import DiffView


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("NO_COLOR", raising=False)
    return make_workspace(tmp_path / "repo")


async def submit(repository: Repository, title: str = "Ops scan entrypoint", **change: str | bytes | None) -> str:
    """The change of three files and four hunks as patch 1."""
    diff = repository.diff_to(change or CHANGE, "-U1")
    async with await open_workspace(repository.root, actor="codex") as hq:
        return (await hq.patches.submit(diff, task="14", provider="codex", title=title)).id


@asynccontextmanager
async def reviewing(
    repository: Repository, patch: str = "1", *, size: tuple[int, int] = (160, 45), read_only: bool = False
) -> AsyncIterator[tuple[VibeApp, Pilot[int], ReviewScreen]]:
    """The review of a patch, read."""
    async with opened(repository.root, size=size, read_only=read_only) as (app, pilot):
        app.open_patch(patch)
        screen = await read_screen(app, pilot)
        assert isinstance(screen, ReviewScreen)
        yield app, pilot, screen


async def stored(app: VibeApp) -> dict[int, str]:
    """The decisions in the store."""
    rows = await app.hq.store.read(lambda tx: tx.patches.decisions("1"))
    return {row.hunk: row.decision for row in rows}


async def settled(app: VibeApp, pilot: Pilot[int], screen: ReviewScreen) -> None:
    """Every key so far has been done and written."""
    await app.commands_done()
    await until(pilot, lambda: not screen._on_the_way)


async def test_enter_accepts_and_goes_on_to_the_next_undecided_hunk(repository: Repository) -> None:
    await submit(repository)
    async with reviewing(repository) as (app, pilot, screen):
        assert screen.diff.hunk == 1
        await pilot.press("enter", "enter")
        assert screen.diff.hunk == 3
        await pilot.press("enter", "enter")
        await settled(app, pilot, screen)
        assert await stored(app) == dict.fromkeys((1, 2, 3, 4), "accepted")
        await until(pilot, lambda: "every hunk is decided" in said(app))
        assert "✔ hunk 4 accepted" in on_screen(app)


async def test_keys_act_on_the_hunk_that_was_under_the_cursor_when_they_were_pressed(repository: Repository) -> None:
    await submit(repository)
    async with reviewing(repository) as (app, pilot, screen):
        await pilot.press("enter", "j", "space", "k", "k", "space")
        await settled(app, pilot, screen)
        # enter accepts 1 and goes to 2; j to 3, accepted; back to 1, which was accepted and is rejected now
        assert await stored(app) == {1: "rejected", 3: "accepted"}


async def test_space_toggles_without_asking(repository: Repository) -> None:
    await submit(repository)
    async with reviewing(repository) as (app, pilot, screen):
        for wanted in ("accepted", "rejected", "accepted"):
            await pilot.press("space")
            await settled(app, pilot, screen)
            assert await stored(app) == {1: wanted}
        assert screen.diff.hunk == 1


async def test_a_hunk_is_rejected_with_a_reason_that_is_shown(repository: Repository) -> None:
    await submit(repository)
    async with reviewing(repository) as (app, pilot, screen):
        await pilot.press("j", "X")
        await until(pilot, lambda: "Why is hunk 2 rejected?" in on_screen(app))
        await pilot.press(*"no sleep", "enter")
        await settled(app, pilot, screen)
        assert await stored(app) == {2: "rejected"}
        await until(pilot, lambda: "✘ hunk 2 rejected · no sleep" in on_screen(app))
        assert screen.diff.hunk == 3


async def test_undo_and_redo_of_decisions(repository: Repository) -> None:
    await submit(repository)
    async with reviewing(repository) as (app, pilot, screen):
        await pilot.press("enter", "enter", "u")
        await settled(app, pilot, screen)
        assert await stored(app) == {1: "accepted"}
        await pilot.press("u")
        await settled(app, pilot, screen)
        assert await stored(app) == {}
        await pilot.press("ctrl+r", "ctrl+r")
        await settled(app, pilot, screen)
        assert await stored(app) == {1: "accepted", 2: "accepted"}
        await pilot.press("ctrl+r")
        await until(pilot, lambda: "nothing to redo" in said(app))


async def test_a_part_is_approved_applied_and_reverted_by_keyboard_alone(repository: Repository) -> None:
    await submit(repository)
    monitor = repository.root / "orchestrator/monitor.py"
    async with reviewing(repository) as (app, pilot, screen):
        await pilot.press("enter", "enter", "space", "space", "a")  # 1 and 2 accepted, 3 rejected, 4 undecided
        await settled(app, pilot, screen)
        assert await stored(app) == {1: "accepted", 2: "accepted", 3: "rejected"}
        await until(pilot, lambda: screen.record.state == "approved")
        assert "3 of 4 hunks" in on_screen(app)
        await pilot.press("A")
        await settled(app, pilot, screen)
        await until(pilot, lambda: screen.record.state == "applied")
        text = monitor.read_text()
        assert "async for batch" in text
        assert "self.source.stop()" in text
        assert "strict=True" in (repository.root / "orchestrator/scan.py").read_text()
        await pilot.press("u")
        await settled(app, pilot, screen)
        await until(pilot, lambda: screen.record.state == "reverted")
        assert monitor.read_text() == MONITOR
        assert (repository.root / "orchestrator/scan.py").read_text() == SCAN
        assert (repository.root / "docs/scan.md").read_text() == DOCS


async def test_undo_takes_back_an_approval(repository: Repository) -> None:
    await submit(repository)
    async with reviewing(repository) as (app, pilot, screen):
        await pilot.press("a")
        await settled(app, pilot, screen)
        await until(pilot, lambda: screen.record.state == "approved")
        await pilot.press("u")
        await settled(app, pilot, screen)
        await until(pilot, lambda: screen.record.state == "proposed")


async def test_the_patch_is_rejected_with_a_reason(repository: Repository) -> None:
    await submit(repository)
    async with reviewing(repository) as (app, pilot, screen):
        await pilot.press("x")
        await until(pilot, lambda: "Why is patch 1 rejected?" in on_screen(app))
        await pilot.press(*"too large", "enter")
        await settled(app, pilot, screen)
        await until(pilot, lambda: screen.record.state == "rejected")
        await until(pilot, lambda: "too large" in on_screen(app))
        await pilot.press("enter")
        await until(pilot, lambda: "patch 1 is rejected; its hunks are decided" in said(app))


async def test_an_approval_is_of_what_was_shown(repository: Repository) -> None:
    await submit(repository)
    async with reviewing(repository) as (app, pilot, screen):
        (repository.root / "docs/scan.md").write_text("Of another hand.\n# Scan\n\nHow to scan.\n")
        await pilot.press("a")
        await settled(app, pilot, screen)
        await until(pilot, lambda: "is not what you saw" in said(app))
        assert (await app.hq.patches.get("1")).state == "proposed"
        await until(pilot, lambda: "Of another hand" in str(screen.review and screen.review.plan))
        await pilot.press("a")
        await settled(app, pilot, screen)
        await until(pilot, lambda: screen.record.state == "approved")


async def test_what_another_operator_does_is_shown_and_said(repository: Repository) -> None:
    await submit(repository)
    async with (
        reviewing(repository) as (app, pilot, screen),
        await open_workspace(repository.root, actor="ada") as other,
    ):
        await other.patches.decide("1", 2, "rejected", f"not so {HOSTILE}")
        await until(pilot, lambda: "✘ hunk 2 rejected · not so" in on_screen(app))
        await until(pilot, lambda: "ada: hunk 2 rejected" in said(app))
        await other.patches.comment("1", "and this?", path="docs/scan.md", line=3)
        await until(pilot, lambda: "ada: and this?" in on_screen(app))
        await other.patches.approve("1")
        await until(pilot, lambda: screen.record.state == "approved")
        await other.patches.apply("1")
        await until(pilot, lambda: screen.record.state == "applied")
        assert "applied" in screen.title_line.text


async def test_a_remark_on_the_line_under_the_cursor(repository: Repository) -> None:
    await submit(repository)
    async with reviewing(repository) as (app, pilot, screen):
        await pilot.press("j", "down", "down", "down", "c")
        await until(pilot, lambda: "Remark on orchestrator/monitor.py:14" in on_screen(app))
        await pilot.press(*"name it", "enter")
        await until(pilot, lambda: "┃ ivy: name it" in on_screen(app))
        comments = await app.hq.store.read(lambda tx: tx.patches.comments("1"))
        assert [(one.path, one.line, one.text) for one in comments] == [("orchestrator/monitor.py", 14, "name it")]
        await pilot.press("C")
        await until(pilot, lambda: "Remark on patch 1" in on_screen(app))
        await pilot.press(*"split it", "enter")
        await until(pilot, lambda: "ivy split it" in on_screen(app))
        assert screen.diff.hunk == 2


async def test_files_are_marked_as_reviewed_one_after_the_other(repository: Repository) -> None:
    await submit(repository)
    async with reviewing(repository) as (app, pilot, screen):
        await pilot.press("m")
        await settled(app, pilot, screen)
        assert screen.diff.path == "orchestrator/monitor.py"
        await pilot.press("m")
        await settled(app, pilot, screen)
        await pilot.press("m")
        await settled(app, pilot, screen)
        await until(pilot, lambda: "every file is reviewed" in said(app))
        await until(pilot, lambda: "3 of 3 files reviewed" in on_screen(app))
        await pilot.press("m")
        await settled(app, pilot, screen)
        await until(pilot, lambda: "2 of 3 files reviewed" in on_screen(app))


async def test_going_through_files_and_hunks(repository: Repository) -> None:
    await submit(repository)
    async with reviewing(repository) as (_, pilot, screen):
        await pilot.press("J")
        assert screen.diff.path == "orchestrator/monitor.py"
        await pilot.press("J")
        assert screen.diff.path == "orchestrator/scan.py"
        await pilot.press("K", "K")
        assert screen.diff.path == "docs/scan.md"
        await pilot.press("enter", "j", "]")
        assert screen.diff.hunk == 4
        await pilot.press("[", "[", "[")
        assert screen.diff.hunk == 4  # around: 3, 2, and past the accepted 1


async def test_the_list_of_files_and_the_changes_follow_each_other(repository: Repository) -> None:
    await submit(repository)
    async with reviewing(repository) as (app, pilot, screen):
        await pilot.press("J")
        await until(pilot, lambda: screen.files.row is not None and screen.files.row.key == "orchestrator/monitor.py")
        await pilot.press("tab")
        await until(pilot, lambda: screen.focused is screen.files)
        await pilot.press("j")
        await until(pilot, lambda: screen.diff.path == "orchestrator/scan.py")
        await pilot.press("enter")
        await until(pilot, lambda: screen.focused is screen.diff)
        await pilot.press("tab", "tab")
        await until(pilot, lambda: screen.focused is screen.report)
        await pilot.press("shift+tab")
        await until(pilot, lambda: screen.focused is screen.files)
        await pilot.press("/", *"docs")
        await until(pilot, lambda: screen.files.count == 1)
        await pilot.press("enter", "escape")
        await until(pilot, lambda: screen.files.count == 3)
        assert app.screen is screen


async def test_a_click_on_a_file_shows_it(repository: Repository) -> None:
    await submit(repository)
    async with reviewing(repository) as (_, pilot, screen):
        await pilot.click(FileList, offset=(5, 3))
        await until(pilot, lambda: screen.diff.path == "orchestrator/scan.py")


async def test_a_click_on_a_decision_toggles_it(repository: Repository) -> None:
    await submit(repository)
    async with reviewing(repository) as (app, pilot, screen):
        y = next(y for y in range(screen.diff.size.height) if "○ hunk 2" in screen.diff.render_line(y).text)
        await pilot.click(DiffView, offset=(15, y + 1))
        await settled(app, pilot, screen)
        assert await stored(app) == {2: "accepted"}


async def test_a_patch_that_does_not_apply_shows_why_and_the_nearest_lines(repository: Repository) -> None:
    diff = repository.diff_to({"orchestrator/scan.py": "def scan(scope):\n    return run(scope, strict=True)\n"})
    repository.commit({"orchestrator/scan.py": "def scan(scope):\n    return go(scope)\n"})
    async with await open_workspace(repository.root, actor="codex") as hq:
        with pytest.raises(PatchConflict):
            await hq.patches.submit(diff, title="Late")
    async with reviewing(repository) as (app, pilot, screen):
        await until(pilot, lambda: "The patch and the files have changed the same lines" in on_screen(app))
        text = on_screen(app)
        assert "orchestrator/scan.py" in text
        assert "return go(scope)" in text
        assert "ours  the file as it is" in text
        assert "+    return run(scope, strict=True)" in text
        assert not screen.files.display
        await pilot.press("a")
        await until(pilot, lambda: "only a proposed patch can be approved" in said(app))
        repository.commit({"orchestrator/scan.py": SCAN})
        await pilot.press("r")
        await settled(app, pilot, screen)
        await until(pilot, lambda: screen.record.state == "proposed")
        await until(pilot, lambda: screen.diff.display and screen.diff.hunk == 1)


async def test_the_text_as_submitted_can_be_looked_at(repository: Repository) -> None:
    await submit(repository)
    async with reviewing(repository) as (app, pilot, screen):
        await pilot.press("d")
        await until(pilot, lambda: "diff --git a/docs/scan.md" in on_screen(app))
        assert not screen.diff.display
        await pilot.press("escape")
        await until(pilot, lambda: screen.diff.display)
        assert app.screen is screen
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is not screen)


async def test_copying(repository: Repository) -> None:
    await submit(repository)
    async with reviewing(repository) as (app, pilot, _):
        await pilot.press("y")
        assert app.clipboard == "1"
        await pilot.press("j", "Y")
        assert app.clipboard == "orchestrator/monitor.py:13"


async def test_read_only_looks_and_changes_nothing(repository: Repository) -> None:
    await submit(repository)
    async with reviewing(repository, read_only=True) as (app, pilot, screen):
        for key in ("enter", "space", "a", "X", "c", "m"):
            await pilot.press(key)
        await settled(app, pilot, screen)
        await until(pilot, lambda: "read-only" in said(app))
        assert await stored(app) == {}
        assert "space toggles" not in on_screen(app)
        await pilot.press("j")
        assert screen.diff.hunk == 2


async def test_a_decision_that_is_refused_is_taken_back_and_told(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    await submit(repository)
    async with reviewing(repository) as (app, pilot, screen):

        async def refuse(*_: object) -> None:
            raise Conflict("somebody was faster", hint="look again")

        monkeypatch.setattr(app.hq.patches, "decide", refuse)
        await pilot.press("enter")
        assert 1 in screen.decisions or "somebody was faster" in said(app)
        await until(pilot, lambda: "somebody was faster" in said(app))
        await until(pilot, lambda: 1 not in screen.decisions)


async def test_an_unknown_patch_says_so(repository: Repository) -> None:
    await submit(repository)
    async with opened(repository.root) as (app, pilot):
        app.open_patch("77")
        await read_screen(app, pilot)
        assert "77" in on_screen(app)
        await pilot.press("a", "enter", "x", "u", "tab", "escape")
        await until(pilot, lambda: not isinstance(app.screen, ReviewScreen))


async def test_narrow_screens_have_a_strip_and_files_on_demand(repository: Repository) -> None:
    await submit(repository)
    async with reviewing(repository, size=(80, 24)) as (app, pilot, screen):
        assert "file 1 of 3 · 0 of 4 hunks decided" in on_screen(app)
        assert not screen.files.region
        await pilot.press("tab")
        await until(pilot, lambda: screen.focused is screen.files)
        await until(pilot, lambda: "orchestrator/monitor.py" in on_screen(app) and "Report" in on_screen(app))
        await pilot.press("j", "j", "enter")
        await until(pilot, lambda: screen.focused is screen.diff)
        assert screen.diff.path == "orchestrator/scan.py"
        await pilot.press("tab", "escape")
        await until(pilot, lambda: screen.focused is screen.diff)
        await pilot.resize_terminal(160, 45)
        await until(pilot, lambda: bool(screen.files.region))


async def test_findings_of_the_report_lead_to_their_place(repository: Repository) -> None:
    secret = "KEY = 'AKIA" + "IOSFODNN7EXAMPLA'\n"
    await submit(repository, **{"orchestrator/scan.py": SCAN + "\n" * 30 + secret})
    async with reviewing(repository) as (app, pilot, screen):
        target = next(
            (entry.target for entry in screen.report.document.entries if entry.target and entry.target.kind == "place"),
            None,
        )
        assert target is not None, on_screen(app)
        screen.open_target(target)
        await pilot.pause()
        assert screen.diff.place == ("orchestrator/scan.py", 33)


async def test_patches_that_meet_are_named_with_an_order(repository: Repository) -> None:
    await submit(repository)
    await submit(repository, "Other", **{"orchestrator/scan.py": SCAN.replace("run(scope)", "run(scope, 2)")})
    async with reviewing(repository, "2") as (app, pilot, screen):
        await until(pilot, lambda: "meets patch 1 at" in on_screen(app))
        await pilot.press("tab", "tab", "enter")
        await until(pilot, lambda: isinstance(app.screen, ReviewScreen) and app.screen is not screen)
        assert app.screen.subject_id == "1"  # type: ignore[attr-defined]


async def test_hostile_text_everywhere(repository: Repository) -> None:
    diff = repository.diff_to({"docs/x [b].md": f"{HOSTILE}\n", "docs/scan.md": f"# {HOSTILE}\r\n\n"})
    async with await open_workspace(repository.root, actor="codex") as hq:
        await hq.patches.submit(diff, task="15", provider=HOSTILE, title=HOSTILE)
        await hq.patches.comment("1", HOSTILE, path="docs/scan.md", line=1)
        await hq.patches.comment("1", HOSTILE)
        await hq.patches.decide("1", 1, "rejected", HOSTILE)
    for size in ((160, 45), (80, 24)):
        async with reviewing(repository, size=size) as (app, pilot, _):
            await until(pilot, lambda app=app: "␛" in on_screen(app))  # type: ignore[misc]
            await pilot.press("d")
            await pilot.pause()
            await pilot.press("d", "tab")
            await pilot.pause()
            assert is_harmless(on_screen(app))


async def test_errors_are_told_and_the_screen_lives(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    await submit(repository)
    async with reviewing(repository) as (app, pilot, screen):
        before = screen.readings

        async def broken(_: str) -> None:
            raise VibeError(f"the disk is full {HOSTILE}", hint="make room")

        monkeypatch.setattr(app.hq.patches, "review", broken)
        screen.reload()
        await until(pilot, lambda: screen.readings > before)
        await until(pilot, lambda: "the disk is full" in on_screen(app) and "make room" in on_screen(app))
        monkeypatch.undo()
        screen.reload()
        await until(pilot, lambda: "hunk 1" in on_screen(app))


async def test_ascii_only(repository: Repository) -> None:
    await submit(repository)
    async with opened(repository.root, ascii_only=True) as (app, pilot):
        app.open_patch("1")
        await read_screen(app, pilot)
        await pilot.press("enter", "X")
        await pilot.press(*"no", "enter")
        await until(pilot, lambda: "x hunk 2 rejected" in on_screen(app))
        shown = on_screen(app)
        assert shown.isascii(), sorted({char for char in shown if not char.isascii()})
