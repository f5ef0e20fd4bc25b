"""Pictures of the full screens on a workspace that is the same everywhere; ``--snapshot-update`` makes them anew."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_textual_snapshot import SVGImageExtension
from review_helpers import CHANGE, SCAN, SCAN_AFTER, Repository, make_workspace, on_screen, still, until
from review_workspace import open_workspace, opened, read_screen
from syrupy.assertion import SnapshotAssertion
from textual.pilot import Pilot

from storage.clock import Millis
from storage.records import Execution, Issue
from vibehq_tui.patches.errors import PatchConflict
from vibehq_tui.tui.app import VibeApp
from vibehq_tui.tui.screens.log_view import LogScreen
from vibehq_tui.tui.screens.review import ReviewScreen

NARROW, WIDE = (80, 24), (160, 45)
SIZES = pytest.mark.parametrize("size", [NARROW, WIDE], ids=lambda size: f"{size[0]}x{size[1]}")


@pytest.fixture
async def root(tmp_path: Path) -> Path:
    """A patch under review, one that meets it, one that does not apply, a run, and an issue."""
    repository = make_workspace(tmp_path / "lines")
    async with await open_workspace(repository.root, actor="ivy") as hq:
        await hq.patches.submit(repository.diff_to(CHANGE), task="14", provider="codex", title="Ops scan entrypoint")
        await hq.patches.decide("1", 1, "accepted")
        await hq.patches.decide("1", 3, "rejected", "aclose may hang; give it a time limit")
        await hq.patches.comment(
            "1", "why 500? Name it, and let the configuration say it.", path="orchestrator/monitor.py", line=14
        )
        await hq.patches.comment("1", "Good. Please split it the next time.")
        await hq.patches.see("1", "docs/scan.md")
        other = repository.diff_to({"orchestrator/scan.py": SCAN.replace("run(scope)", "run(scope, 2)")})
        await hq.patches.submit(other, provider="claude", title="Twice")
        await _conflicted(repository, hq.patches.submit)
        await hq.providers.assign("14", "codex", "it knows the monitor")
        await hq.store.write(lambda tx: tx.executions.insert(_run(tx.now)))
        await hq.store.write(lambda tx: tx.issues.insert(_issue(tx.now)))
    return repository.root


async def _conflicted(repository: Repository, submit: object) -> None:
    assert callable(submit)
    late = repository.diff_to({"docs/scan.md": "# Scan\n\nWhat a scan is.\n"}).replace(
        b"-How to scan.", b"-How to run."
    )
    with pytest.raises(PatchConflict):
        await submit(late, provider="gemini", title="Say what it is")


def _run(now: Millis) -> Execution:
    return Execution(
        id="1",
        provider="codex",
        state="done",
        task="14",
        started_at=now,
        ended_at=Millis(now + 72_000),
        cost_micros=310_000,
        log="logs/run.log",
    )


def _issue(now: Millis) -> Issue:
    return Issue(
        id="1",
        fingerprint="f" * 16,
        detector="patches-conflict",
        severity="high",
        status="open",
        title="Patches 1 and 2 meet in orchestrator/scan.py",
        message="Both change line 2. Apply one, then look whether the other still fits.",
        count=3,
        first_seen=now,
        last_seen=now,
        subject="patch",
        subject_id="2",
        data={"patches": ["1", "2"], "tasks": ["14"], "places": [{"path": "orchestrator/scan.py", "lines": [2, 2]}]},
    )


async def _picture(app: VibeApp, pilot: Pilot[int]) -> str:
    """The screen as SVG, once everything on it is there."""
    screen = await read_screen(app, pilot)
    if isinstance(screen, ReviewScreen):
        review = screen
        await until(pilot, lambda: review.review is not None and (review.review.text or review.review.plan is None))
        await until(pilot, lambda: not review.diff.highlighting)
        if review.files.source is not None:
            await review.files.settled()
    await until(pilot, lambda: not app.rested.pending)
    await still(pilot)
    return app.export_screenshot(title="Vibe HQ")


@SIZES
async def test_review(root: Path, size: tuple[int, int], snapshot: SnapshotAssertion) -> None:
    async with opened(root, size=size) as (app, pilot):
        app.open_patch("1")
        await read_screen(app, pilot)
        await pilot.press("j")
        assert await _picture(app, pilot) == snapshot(extension_class=SVGImageExtension)


async def test_review_side_by_side(root: Path, snapshot: SnapshotAssertion) -> None:
    async with opened(root, size=(200, 60)) as (app, pilot):
        app.open_patch("1")
        await read_screen(app, pilot)
        await pilot.press("j", "s")
        assert await _picture(app, pilot) == snapshot(extension_class=SVGImageExtension)


async def test_review_without_colour_of_its_own(root: Path, snapshot: SnapshotAssertion) -> None:
    async with opened(root, size=NARROW) as (app, pilot):
        app.theme = "vibe-ansi"
        app.open_patch("1")
        await read_screen(app, pilot)
        await pilot.press("j", "slash", *"count", "enter")
        assert await _picture(app, pilot) == snapshot(extension_class=SVGImageExtension)


@SIZES
async def test_does_not_apply(root: Path, size: tuple[int, int], snapshot: SnapshotAssertion) -> None:
    async with opened(root, size=size) as (app, pilot):
        app.open_patch("3")
        assert await _picture(app, pilot) == snapshot(extension_class=SVGImageExtension)


@SIZES
async def test_conflict(tmp_path: Path, size: tuple[int, int], snapshot: SnapshotAssertion) -> None:
    """Three versions of the same lines, one place chosen."""
    repository = make_workspace(tmp_path / "lines")
    wanted = {"docs/scan.md": "# Scan\n\nHow to scan, and why.\n", "orchestrator/scan.py": SCAN_AFTER}
    diff = repository.diff_to(wanted)
    repository.write({"docs/scan.md": "# Scans\n\nWhen to scan.\n", "orchestrator/scan.py": SCAN.replace("run", "go")})
    async with await open_workspace(repository.root, actor="ivy") as hq:
        with pytest.raises(PatchConflict):
            await hq.patches.submit(diff, task="14", provider="codex", title="Say why")
    async with opened(repository.root, size=size) as (app, pilot):
        app.open_patch("1")
        await read_screen(app, pilot)
        await until(pilot, lambda: "of 2 places chosen" in on_screen(app))
        await pilot.press("t")
        assert await _picture(app, pilot) == snapshot(extension_class=SVGImageExtension)


@SIZES
async def test_lines_selected(root: Path, size: tuple[int, int], snapshot: SnapshotAssertion) -> None:
    async with opened(root, size=size) as (app, pilot):
        app.open_patch("1")
        await read_screen(app, pilot)
        await pilot.press("j", "}", "v", "j", "j")
        assert await _picture(app, pilot) == snapshot(extension_class=SVGImageExtension)


@SIZES
async def test_feedback(root: Path, size: tuple[int, int], snapshot: SnapshotAssertion) -> None:
    async with opened(root, size=size) as (app, pilot):
        app.open_patch("1")
        await read_screen(app, pilot)
        await pilot.press("f")
        await until(pilot, lambda: "Patch 1: Ops scan entrypoint" in on_screen(app))
        assert await _picture(app, pilot) == snapshot(extension_class=SVGImageExtension)


async def test_remarks(root: Path, snapshot: SnapshotAssertion) -> None:
    async with opened(root, size=NARROW) as (app, pilot):
        app.open_patch("1")
        await read_screen(app, pilot)
        await pilot.press("L")
        assert await _picture(app, pilot) == snapshot(extension_class=SVGImageExtension)


@SIZES
async def test_task(root: Path, size: tuple[int, int], snapshot: SnapshotAssertion) -> None:
    async with opened(root, size=size) as (app, pilot):
        app.open_task("14")
        assert await _picture(app, pilot) == snapshot(extension_class=SVGImageExtension)


@SIZES
async def test_issue(root: Path, size: tuple[int, int], snapshot: SnapshotAssertion) -> None:
    async with opened(root, size=size) as (app, pilot):
        app.open_issue("1")
        assert await _picture(app, pilot) == snapshot(extension_class=SVGImageExtension)


@SIZES
async def test_provider(root: Path, size: tuple[int, int], snapshot: SnapshotAssertion) -> None:
    async with opened(root, size=size) as (app, pilot):
        app.open_provider("codex")
        assert await _picture(app, pilot) == snapshot(extension_class=SVGImageExtension)


@SIZES
async def test_log(root: Path, size: tuple[int, int], snapshot: SnapshotAssertion) -> None:
    path = root / ".vibehq/logs/run.log"
    path.parent.mkdir()
    words = (
        "INFO read 12 files",
        "DEBUG cache is cold",
        "WARNING slow disk",
        "ERROR no such table: scans",
        "$ pytest -q",
    )
    path.write_text("".join(f"2026-03-01 12:00:{n % 60:02d} {words[n % 5]}\n" for n in range(300)))
    async with opened(root, size=size) as (app, pilot):
        screen = LogScreen(app.hq, "logs/run.log")
        await app.push_screen(screen)
        await until(pilot, lambda: screen.viewer.lines.total == 300 and "300 lines" in screen.title_line.text)
        await pilot.press("slash", *"disk", "enter")
        await until(pilot, lambda: screen.viewer.current is not None)
        assert await _picture(app, pilot) == snapshot(extension_class=SVGImageExtension)
