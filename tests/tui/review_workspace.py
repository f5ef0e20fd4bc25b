"""The screens on a real workspace, for the tests of review, details and logs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from review_helpers import SetClock, until
from textual.pilot import Pilot

from vibehq_tui.headquarters import Headquarters
from vibehq_tui.tui.app import VibeApp
from vibehq_tui.tui.screens.full import FullScreen


async def open_workspace(root: Path, *, actor: str = "ivy", read_only: bool = False) -> Headquarters:
    """The workspace, for an operator."""
    return await Headquarters.open(
        root, via="tui", create=not read_only, read_only=read_only, clock=SetClock(), actor=actor
    )


@asynccontextmanager
async def opened(
    root: Path,
    *,
    size: tuple[int, int] = (160, 45),
    actor: str = "ivy",
    read_only: bool = False,
    ascii_only: bool = False,
) -> AsyncIterator[tuple[VibeApp, Pilot[int]]]:
    """The screens on a workspace, without the services that would go on beside a test."""
    async with await open_workspace(root, actor=actor, read_only=read_only) as hq:
        hq.start_services = _nothing  # type: ignore[method-assign]
        app = VibeApp(hq, ascii_only=ascii_only, preferences_file=root.parent / "preferences.json")
        await app.prepare()
        async with app.run_test(size=size, notifications=True) as pilot:
            await until(pilot, lambda: any(worker.group == "follow" for worker in app.workers))
            yield app, pilot


async def _nothing() -> None:
    """In place of the services."""


async def read_screen(app: VibeApp, pilot: Pilot[int]) -> FullScreen:
    """The screen on top, once it has read what it shows."""
    await until(pilot, lambda: isinstance(app.screen, FullScreen) and app.screen.readings > 0)
    await pilot.pause()
    assert isinstance(app.screen, FullScreen)
    return app.screen
