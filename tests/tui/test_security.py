"""Nothing that agents, files or the network say can steer the terminal, act in the screens, or break them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import textual
from hypothesis import given
from hypothesis import strategies as st
from main_workspace import make
from review_helpers import HOSTILE, is_harmless, on_screen, until
from review_workspace import open_workspace, opened
from rich.segment import Segment
from rich.style import Style
from textual.app import App, ComposeResult
from textual.color import Color
from textual.content import Content
from textual.widgets import Static

from storage.records import Assignment, Issue
from storage.store import Tx
from vibehq_tui.tui.filters import AsciiText, SafeText
from vibehq_tui.tui.widgets.prompt import Ask, Choose, Confirm

_BLACK = Color(0, 0, 0)

ATTACKS = (
    "x [/",
    "[@click=app.quit]quit[/]",
    "\x1b]52;c;aGVsbG8=\x07",
    "\x1b]0;title\x1b\\",
    "\x9b2J",
    "\u202eevil",
    "\x1bP+q544e\x1b\\",
    "\x05",
    "\x1b[21t",
    "list[int]",
    HOSTILE,
)


def _filtered(text: str, style: Style | None = None) -> list[Segment]:
    return SafeText().apply([Segment(text, style)], _BLACK)


def test_the_major_version_that_this_was_tested_with() -> None:
    assert textual.__version__.split(".")[0] == "8"


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_filter_deletes_what_could_harm(attack: str) -> None:
    (segment,) = _filtered(attack)
    assert is_harmless(segment.text)
    assert "\n" not in segment.text


@given(st.text(st.characters(), max_size=60))
def test_the_filter_leaves_nothing_harmful(text: str) -> None:
    (segment,) = _filtered(text)
    assert is_harmless(segment.text)
    segment.text.encode()


@given(st.text(st.characters(categories=("L", "N", "P", "S", "Zs")), max_size=60))
def test_the_filter_leaves_harmless_text_alone(text: str) -> None:
    segments = [Segment(text)]
    assert SafeText().apply(segments, _BLACK) is segments


def test_links_are_dropped() -> None:
    (segment,) = _filtered("click", Style(link="https://example.org", bold=True))
    assert segment.style is not None
    assert segment.style.link is None
    assert segment.style.bold


def test_control_segments_become_text() -> None:
    control = Segment("\x1b[2J", None, [(1,)])  # type: ignore[list-item]
    (segment,) = SafeText().apply([control], _BLACK)
    assert segment.control is None
    assert segment.text == "[2J"


def test_other_filters_run_first() -> None:
    (segment,) = SafeText(AsciiText()).apply([Segment("a · b ✂")], _BLACK)
    assert segment.text == "a - b ✂"


async def test_the_filter_stands_behind_every_widget(tmp_path: Path) -> None:
    """Even a widget that was given raw text cannot get it to the terminal."""

    class Careless(App[None]):
        def get_line_filters(self) -> list[SafeText]:
            return [SafeText()]

        def compose(self) -> ComposeResult:
            raw = Static("\x1b]52;c;eA==\x07\x9b\u202eraw", markup=False)
            raw.border_title = Content("\x1b]0;x\x07title")
            raw.styles.border = ("round", "white")
            yield raw

    app = Careless()
    async with app.run_test() as pilot:
        await pilot.pause()
        text = "\n".join(strip.text for strip in app.screen._compositor.render_strips())
        assert "raw" in text
        assert "title" in text
        assert is_harmless(text)


async def test_the_app_has_the_filter(tmp_path: Path) -> None:
    root = await make(tmp_path / "lines")
    async with opened(root) as (app, _):
        assert isinstance(app.get_line_filters()[-1], SafeText)


async def _hostile_workspace(root: Path) -> Path:
    await make(root)
    file = root / ".mission_control" / "tasks.json"
    tasks = json.loads(file.read_text())
    tasks["tasks"] += [{"id": 20 + n, "title": attack, "status": "pending"} for n, attack in enumerate(ATTACKS)]
    file.write_text(json.dumps(tasks))
    async with await open_workspace(root) as hq:

        def body(tx: Tx) -> None:
            for number, attack in enumerate(ATTACKS):
                name = f"{number}{attack}"
                tx.issues.insert(
                    Issue(
                        id=tx.issues.next_id(),
                        fingerprint=name,
                        detector=attack,
                        severity="high",
                        status="open",
                        title=attack,
                        message=attack,
                    )
                )
                tx.events.append("patch.proposed", actor=attack, subject="patch", subject_id=attack, message=attack)
                tx.providers.assign(Assignment(task=str(20 + number), provider=attack, reason=attack, by=attack))
                tx.patches.update("4", title=HOSTILE, provider=HOSTILE, reason=HOSTILE)

        await hq.store.write(body)
        await hq.logs.ingest("worker", HOSTILE, ATTACKS)
    return root


@pytest.mark.parametrize("size", [(80, 24), (200, 60)])
async def test_hostile_text_in_every_field_of_every_pane(tmp_path: Path, size: tuple[int, int]) -> None:
    root = await _hostile_workspace(tmp_path / "lines")
    async with opened(root, size=size) as (app, pilot):
        await until(pilot, lambda: "2 Patches" in on_screen(app))
        for pane in "12345":
            await pilot.press(pane, "G", "k", "]", "]")
            await pilot.pause()
            assert is_harmless(on_screen(app)), pane
        await until(pilot, lambda: "click=app.quit" in on_screen(app))
        await pilot.press("2", "escape", "/", *"evil", "enter")
        await until(pilot, lambda: app.main.patches.count == 1 and is_harmless(on_screen(app)))
        assert app.is_running


@pytest.mark.parametrize("attack", ATTACKS)
async def test_dialogs_and_toasts_show_it_as_text(tmp_path: Path, attack: str) -> None:
    root = await make(tmp_path / "lines")
    async with opened(root, size=(120, 36)) as (app, pilot):
        for screen in (
            Ask(attack, hint=attack, text="x"),
            Confirm(attack, detail=attack),
            Choose(attack, [(attack, attack, attack)]),
        ):
            app.push_screen(screen)
            app.say(attack, "error", title=attack)
            await pilot.pause()
            assert is_harmless(on_screen(app))
            await pilot.press("escape")
        assert app.screen is app.main
        assert app.is_running
