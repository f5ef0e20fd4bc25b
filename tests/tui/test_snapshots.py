"""Pictures of the screens on a workspace that is the same everywhere; ``--snapshot-update`` makes them anew."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from main_workspace import make
from pytest_textual_snapshot import SVGImageExtension
from review_helpers import on_screen, still, until
from review_workspace import open_workspace, opened
from syrupy.assertion import SnapshotAssertion
from textual.pilot import Pilot
from textual.widgets import Input

from vibehq_tui.tui.app import VibeApp
from vibehq_tui.tui.widgets.long_list import LongList

NARROW, WIDE = (80, 24), (160, 45)
_RECEIPT = re.compile(r"(receipt(?:&#160;| ))[\d-]+")


@pytest.fixture
async def root(tmp_path: Path) -> Path:
    return await make(tmp_path / "lines")


async def _calm(app: VibeApp, pilot: Pilot[int]) -> None:
    """Until everything that comes after the first paint is there, and no cursor blinks."""
    await until(pilot, lambda: app.main.providers.loaded and app.main.preview.border_title)
    await app.main.patches.settled()
    for one in app.screen.query(LongList):
        await one.settled()
    for field in app.screen.query(Input):
        field.cursor_blink = False
    await until(pilot, lambda: not app.rested.pending)
    await still(pilot)


def _picture(app: VibeApp) -> str:
    """The screen as SVG, without what names this very run."""
    return _RECEIPT.sub(r"\1…", app.export_screenshot(title="Vibe HQ"))


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_main(root: Path, size: tuple[int, int], snapshot: SnapshotAssertion) -> None:
    async with opened(root, size=size) as (app, pilot):
        await _calm(app, pilot)
        assert _picture(app) == snapshot(extension_class=SVGImageExtension)


async def test_light(root: Path, snapshot: SnapshotAssertion) -> None:
    async with opened(root, size=NARROW) as (app, pilot):
        app.theme = "vibe-light"
        await pilot.press("1")
        await _calm(app, pilot)
        assert _picture(app) == snapshot(extension_class=SVGImageExtension)


async def test_filter(root: Path, snapshot: SnapshotAssertion) -> None:
    async with opened(root, size=NARROW) as (app, pilot):
        await pilot.press("/", *"claude")
        await until(pilot, lambda: app.main.patches.count == 2)
        await _calm(app, pilot)
        assert _picture(app) == snapshot(extension_class=SVGImageExtension)


async def test_help(root: Path, snapshot: SnapshotAssertion) -> None:
    async with opened(root, size=NARROW) as (app, pilot):
        await _calm(app, pilot)
        await pilot.press("question_mark")
        await until(pilot, lambda: "Approves the patch" in on_screen(app))
        assert _picture(app) == snapshot(extension_class=SVGImageExtension)


async def test_palette(root: Path, snapshot: SnapshotAssertion) -> None:
    async with opened(root, size=NARROW) as (app, pilot):
        await _calm(app, pilot)
        await pilot.press("ctrl+p", *"appr")
        await until(pilot, lambda: "half page" not in on_screen(app) and "approve " in on_screen(app))
        await _calm(app, pilot)
        assert _picture(app) == snapshot(extension_class=SVGImageExtension)


async def test_empty_workspace(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    root = tmp_path / "empty"
    root.mkdir()
    async with await open_workspace(root):
        pass
    async with opened(root, size=(120, 36)) as (app, pilot):
        await until(pilot, lambda: app.main.providers.loaded and "looked for" in on_screen(app))
        assert _picture(app) == snapshot(extension_class=SVGImageExtension)


async def test_tiny_terminal(root: Path, snapshot: SnapshotAssertion) -> None:
    async with opened(root, size=(20, 5)) as (app, pilot):
        await until(pilot, lambda: "too small" in on_screen(app))
        assert _picture(app) == snapshot(extension_class=SVGImageExtension)
