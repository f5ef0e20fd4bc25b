"""Logs on their own screen: newest first, following, searching, keeping only what matters."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from review_helpers import HOSTILE, Repository, is_harmless, make_workspace, on_screen, said, until
from review_workspace import opened
from textual.pilot import Pilot

from vibehq_tui.tui.app import VibeApp
from vibehq_tui.tui.screens.log_view import LogScreen


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("NO_COLOR", raising=False)
    return make_workspace(tmp_path / "repo")


@asynccontextmanager
async def showing(
    repository: Repository, source: str | Path, *, size: tuple[int, int] = (100, 24)
) -> AsyncIterator[tuple[VibeApp, Pilot[int], LogScreen]]:
    async with opened(repository.root, size=size) as (app, pilot):
        screen = LogScreen(app.hq, source)
        app.push_screen(screen)
        await until(pilot, lambda: screen.readings > 0)
        await until(pilot, lambda: not screen.viewer.busy)
        yield app, pilot, screen


def write(path: Path, count: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = (f"12:00:{n % 60:02d} {'ERROR' if n % 500 == 7 else 'INFO'} step {n}\n" for n in range(count))
    path.write_text("".join(lines))
    return path


async def test_the_newest_lines_of_a_file_are_shown_and_it_follows(repository: Repository, tmp_path: Path) -> None:
    path = write(tmp_path / "run.log", 5_000)
    async with showing(repository, path) as (app, pilot, screen):
        await until(pilot, lambda: "step 4999" in on_screen(app))
        assert "5000 12:00:19 INFO step 4999" in on_screen(app)
        assert "5,000 lines" in screen.title_line.text
        with path.open("a") as file:
            file.write("the newest\n")
        await until(pilot, lambda: "the newest" in on_screen(app))
        assert "follows" in screen.title_line.text


async def test_scrolling_up_ends_following_and_the_end_begins_it(repository: Repository, tmp_path: Path) -> None:
    path = write(tmp_path / "run.log", 200)
    async with showing(repository, path) as (app, pilot, screen):
        await until(pilot, lambda: "step 199" in on_screen(app))
        await pilot.press("k", "ctrl+u")
        assert not screen.viewer.following
        with path.open("a") as file:
            file.write("unseen\n" * 50)
        await until(pilot, lambda: screen.viewer.lines.total == 250)
        assert "unseen" not in on_screen(app)
        await pilot.press("G")
        await until(pilot, lambda: "unseen" in on_screen(app))
        assert screen.viewer.following
        await pilot.press("g")
        await until(pilot, lambda: "step 0" in on_screen(app))
        await pilot.press("f")
        await until(pilot, lambda: "unseen" in on_screen(app))


async def test_rotation_and_truncation_are_followed_and_told(repository: Repository, tmp_path: Path) -> None:
    path = write(tmp_path / "run.log", 50)
    async with showing(repository, path) as (app, pilot, screen):
        path.rename(tmp_path / "run.log.1")
        await until(pilot, lambda: "the file is gone" in screen.title_line.text)
        assert "step 49" in on_screen(app)
        path.write_text("after the rotation\n")
        await until(pilot, lambda: "after the rotation" in on_screen(app))
        path.write_text("cut\n")
        await until(pilot, lambda: "cut" in on_screen(app) and "after the rotation" not in on_screen(app))
        assert "this is the new one" in screen.title_line.text


async def test_search_goes_to_older_and_newer_lines(repository: Repository, tmp_path: Path) -> None:
    path = write(tmp_path / "run.log", 5_000)
    async with showing(repository, path) as (app, pilot, screen):
        await pilot.press("n")
        await until(pilot, lambda: "nothing was searched for" in said(app))
        await pilot.press("/")
        await pilot.press(*"error", "enter")
        await until(pilot, lambda: screen.viewer.current == 4_507)
        assert "step 4507" in on_screen(app)
        await pilot.press("n")
        await until(pilot, lambda: screen.viewer.current == 4_007)
        await pilot.press("N")
        await until(pilot, lambda: screen.viewer.current == 4_507)
        await pilot.press("N")
        await until(pilot, lambda: "no newer line contains error" in said(app))
        await pilot.press("/")
        await pilot.press(*"nowhere", "enter")
        await until(pilot, lambda: "no line contains nowhere" in said(app))


async def test_only_the_lines_that_matter_are_kept_and_new_ones_too(repository: Repository, tmp_path: Path) -> None:
    path = write(tmp_path / "run.log", 5_000)
    async with showing(repository, path) as (app, pilot, screen):
        await pilot.press("&")
        await pilot.press(*"step 12", "enter")
        await until(pilot, lambda: screen.viewer.count == 111)
        assert "only /step 12: 111 of 5,000 lines" in screen.title_line.text
        with path.open("a") as file:
            file.write("12:00:00 INFO step 12 again\n")
        await until(pilot, lambda: "step 12 again" in on_screen(app))
        await pilot.press("L", "L")
        await until(pilot, lambda: screen.viewer.count == 0)
        await pilot.press("escape")
        await until(pilot, lambda: screen.viewer.count == 5_001)
        assert app.screen is screen
        await pilot.press("L", "L")
        await until(pilot, lambda: screen.viewer.count == 10)
        await pilot.press("/")
        await pilot.press(*"step 7", "enter")
        await until(pilot, lambda: screen.viewer.current == 7)
        await pilot.press("escape", "escape")
        await until(pilot, lambda: app.screen is not screen)


async def test_a_log_of_the_store_grows_while_it_is_shown(repository: Repository) -> None:
    async with opened(repository.root) as (app, pilot):
        await app.hq.logs.ingest("worker", "execution-1", [f"WARNING {HOSTILE}", "plain"])
        screen = LogScreen(app.hq, "execution-1")
        app.push_screen(screen)
        await until(pilot, lambda: "plain" in on_screen(app))
        assert "WARNING x [/" in on_screen(app)
        assert is_harmless(on_screen(app))
        await app.hq.logs.ingest("worker", "execution-1", ["one more"])
        await until(pilot, lambda: "one more" in on_screen(app))


async def test_a_file_named_by_an_execution_is_found_in_the_workspace_only(repository: Repository) -> None:
    write(repository.root / ".vibehq/logs/execution-1.log", 3)
    (repository.root.parent / "outside.log").write_text("secret\n")
    async with showing(repository, "logs/execution-1.log") as (app, pilot, _):
        await until(pilot, lambda: "step 2" in on_screen(app))
    for name in ("../../outside.log", "/etc/hostname", "logs/none.log"):
        async with showing(repository, name) as (app, pilot, screen):
            await until(pilot, lambda screen=screen: "there is no log" in screen.title_line.text)  # type: ignore[misc]
            assert "secret" not in on_screen(app)
            await pilot.press("G", "k", "n", "escape")
            await until(pilot, lambda app=app, screen=screen: app.screen is not screen)  # type: ignore[misc]


async def test_long_lines_are_scrolled_sideways(repository: Repository, tmp_path: Path) -> None:
    path = tmp_path / "run.log"
    path.write_text("0123456789" * 40 + "\n")
    async with showing(repository, path) as (app, pilot, _):
        await until(pilot, lambda: "0123456789" in on_screen(app))
        await pilot.press("l")
        await until(pilot, lambda: " 67890123" in on_screen(app))
        await pilot.press("h")
        await until(pilot, lambda: " 01234567" in on_screen(app))


async def test_hostile_bytes_are_shown_and_harmless(repository: Repository, tmp_path: Path) -> None:
    path = tmp_path / "run.log"
    path.write_bytes(
        b"\x00\xff\xfe\x1b]52;c;aGk=\x07\r10%\r20%\r\n" + HOSTILE.encode() + b"\n" + b"y" * 2_000_000 + b"\nend"
    )
    async with showing(repository, path) as (app, pilot, screen):
        await until(pilot, lambda: "end" in on_screen(app))
        assert is_harmless(on_screen(app))
        assert screen.viewer.lines.total == 4


@pytest.mark.long
async def test_a_hundred_megabytes_are_open_at_once_and_indexed_while_one_looks(
    repository: Repository, tmp_path: Path
) -> None:
    path = tmp_path / "run.log"
    with path.open("wb") as file:
        for number in range(100):
            file.write(b"".join(b"step %03d %05d of something long\n" % (number, n) for n in range(30_000)))
    async with showing(repository, path) as (app, pilot, screen):
        await until(pilot, lambda: screen.viewer.lines.total == 3_000_000)
        assert "step 099 29999" in on_screen(app)
        await pilot.press("g")
        await until(pilot, lambda: "step 000 00000" in on_screen(app))
