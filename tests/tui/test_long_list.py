"""The list: paging, a selection that follows its row, filter, marks, mouse, and what it says while it is empty."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from review_helpers import HOSTILE, is_harmless, on_screen, until
from textual import events
from textual.app import ComposeResult
from textual.pilot import Pilot

from storage.errors import Refused
from vibehq_tui.tui.dispatch import CommandApp
from vibehq_tui.tui.widgets.footer import CommandFooter
from vibehq_tui.tui.widgets.long_list import LongList
from vibehq_tui.tui.widgets.rows import Column, Part, Row
from vibehq_tui.tui.widgets.source import PAGE, ListSource, RowSource

COLUMNS = (Column("", 1), Column("id", 7), Column("title", 10, share=1), Column("age", 4, right=True, drop=1))


def row(key: str, title: str | None = None) -> Row:
    return Row(key=key, cells=(Part("●", "ok"), key, title or f"title of {key}", "2m"), detail=f"more of {key}")


class Many:
    """A hundred thousand rows that are made when they are asked for; what was asked for is noted."""

    def __init__(self, total: int = 100_000) -> None:
        self.total = total
        self.first = 0
        self.asked: list[int] = []
        self.counted = 0
        self.error: Refused | None = None

    async def count(self, text: str) -> int:
        self.counted += 1
        if self.error is not None:
            raise self.error
        return self.total - self.first

    async def rows(self, text: str, offset: int, limit: int) -> Sequence[Row]:
        self.asked.append(offset // PAGE)
        end = min(offset + limit, self.total - self.first)
        return [row(str(self.first + index)) for index in range(offset, end)]


class ListApp(CommandApp):
    """One list and the footer."""

    def __init__(self, source: RowSource, **options: object) -> None:
        super().__init__()
        empty = lambda: (Part("nothing here"), (Part("+", "key"), " adds one"))  # noqa: E731
        self.list = LongList(COLUMNS, source, empty=empty, **options)  # type: ignore[arg-type]
        self.told: list[tuple[str, str | None]] = []

    def compose(self) -> ComposeResult:
        yield self.list
        yield CommandFooter()

    def on_long_list_opened(self, event: LongList.Opened) -> None:
        self.told.append(("opened", event.row.key))

    def cmd_app_help(self, _: object) -> None:
        self.told.append(("help", None))


@asynccontextmanager
async def shown(
    source: RowSource, size: tuple[int, int] = (60, 12), **options: object
) -> AsyncIterator[tuple[ListApp, Pilot[int]]]:
    app = ListApp(source, **options)
    async with app.run_test(size=size) as pilot:
        await app.list.settled()
        await pilot.pause()
        yield app, pilot


def key_of(app: ListApp) -> str | None:
    return app.list.row.key if app.list.row else None


async def test_only_what_is_near_is_read() -> None:
    source = Many()
    async with shown(source) as (app, pilot):
        assert app.list.count == 100_000
        assert set(source.asked) <= {0, 1}
        assert "title of 0" in on_screen(app)
        await pilot.press("G")
        await until(pilot, lambda: "title of 99999" in on_screen(app))
        assert max(source.asked) == 999
        assert len(set(source.asked)) < 6
        await pilot.press("g")
        assert key_of(app) == "0"


async def test_movement() -> None:
    async with shown(Many()) as (app, pilot):
        for keys, index in (
            (["j"], 1),
            (["down", "down"], 3),
            (["k"], 2),
            (["up"], 1),
            (["ctrl+d"], 6),
            (["ctrl+u"], 1),
            (["pagedown"], 11),
            (["pageup"], 1),
            (["home"], 0),
            (["k"], 0),
        ):
            await pilot.press(*keys)
            assert app.list.cursor == index, keys


async def test_the_cursor_stays_in_sight() -> None:
    async with shown(Many(1000)) as (app, pilot):
        for _ in range(25):
            await pilot.press("j")
        assert "title of 25" in on_screen(app)
        assert app.list.scroll_offset.y == 25 - 9


async def test_the_selection_follows_its_row_when_rows_arrive_above() -> None:
    source = Many()
    source.first = 50
    async with shown(source) as (app, pilot):
        await pilot.press("j", "j", "j")
        assert key_of(app) == "53"
        source.first = 0
        app.list.reload()
        await app.list.settled()
        assert key_of(app) == "53"
        assert app.list.cursor == 53


async def test_the_focused_first_row_is_followed_too() -> None:
    rows = ListSource([row("a"), row("b")])
    async with shown(rows) as (app, _):
        rows.replace([row("new"), row("a"), row("b")])
        app.list.reload()
        await app.list.settled()
        assert key_of(app) == "a"


async def test_a_list_that_nobody_touched_stays_at_the_top() -> None:
    rows = ListSource([row("a"), row("b")])
    async with shown(rows) as (app, pilot):
        app.set_focus(None)
        await pilot.pause()
        rows.replace([row("new"), row("a"), row("b")])
        app.list.reload()
        await app.list.settled()
        assert key_of(app) == "new"


async def test_when_the_row_goes_its_place_is_kept() -> None:
    rows = ListSource([row(str(number)) for number in range(5)])
    async with shown(rows) as (app, pilot):
        await pilot.press("G")
        rows.replace([row("0"), row("1")])
        app.list.reload()
        await app.list.settled()
        assert key_of(app) == "1"
        rows.replace([])
        app.list.reload()
        await app.list.settled()
        assert app.list.row is None
        assert app.list.count == 0


async def test_many_events_are_few_readings() -> None:
    source = Many(10)
    async with shown(source) as (app, _):
        before = source.counted
        for _ in range(100):
            app.list.reload()
            await asyncio.sleep(0)
        await app.list.settled()
        assert source.counted - before <= 2


async def test_filter_shows_matches_and_says_when_there_are_none() -> None:
    rows = ListSource([row("1", "Scan logs"), row("2", "Write docs"), row("3", "rescan")])
    async with shown(rows) as (app, pilot):
        app.list.set_filter("scan")
        await app.list.settled()
        await pilot.pause()
        assert app.list.count == 2
        assert "Write docs" not in on_screen(app)
        await pilot.press("n")
        assert key_of(app) == "3"
        await pilot.press("n")
        assert key_of(app) == "1"
        await pilot.press("N")
        assert key_of(app) == "3"
        app.list.set_filter("zzz")
        await app.list.settled()
        await pilot.pause()
        assert "nothing contains zzz" in on_screen(app)
        assert "esc clears the filter" in on_screen(app)


async def test_an_empty_list_names_the_next_key() -> None:
    async with shown(ListSource()) as (app, pilot):
        assert "nothing here" in on_screen(app)
        assert "+ adds one" in on_screen(app)
        await pilot.press("enter", "space", "j", "G")
        assert app.told == []


async def test_a_reading_that_fails_keeps_what_was_there() -> None:
    source = Many(3)
    async with shown(source) as (app, _):
        source.error = Refused("the store cannot be read", hint="look at the disk")
        app.list.reload()
        await app.list.settled()
        assert app.list.problem is source.error
        assert "title of 0" in on_screen(app)
        source.error = None
        app.list.reload()
        await app.list.settled()
        assert app.list.problem is None


async def test_a_first_reading_that_fails_says_why() -> None:
    source = Many(3)
    source.error = Refused("the store cannot be read", hint="look at the disk")
    async with shown(source) as (app, _):
        assert "the store cannot be read" in on_screen(app)
        assert "look at the disk" in on_screen(app)


async def test_marks_follow_their_rows() -> None:
    rows = ListSource([row("a"), row("b"), row("c")])
    async with shown(rows) as (app, pilot):
        await pilot.press("space", "space")
        assert app.list.marked == {"a", "b"}
        assert key_of(app) == "c"
        rows.replace([row("c"), row("b"), row("a")])
        app.list.reload()
        await app.list.settled()
        assert app.list.command_context().marked == ("a", "b")
        assert app.list.copy_text(whole=False) == "a\nb"
        assert app.list.copy_text(whole=True).startswith("●\tb\ttitle of b")
        await pilot.press("home", "j", "space")
        assert app.list.marked == {"a"}
        app.list.clear_marks()
        assert app.list.marked == set()


async def test_mouse_selects_opens_and_scrolls() -> None:
    async with shown(Many()) as (app, pilot):
        await pilot.click(LongList, offset=(10, 4))
        assert app.list.cursor == 3
        await pilot.click(LongList, offset=(10, 6), times=2)
        await pilot.pause()
        assert app.told == [("opened", "5")]
        await pilot.click(LongList, offset=(10, 0))
        assert app.list.cursor == 5
        wheel = events.MouseScrollDown(app.list, 10, 6, 0, 1, 0, False, False, False)
        app.list.post_message(wheel)
        await until(pilot, lambda: "title of 10" in on_screen(app))
        assert app.list.cursor == 5


async def test_a_click_on_the_bar_goes_to_that_part_of_the_list() -> None:
    async with shown(Many(1000)) as (app, pilot):
        assert "▐" in on_screen(app)
        width, height = app.list.size
        await pilot.click(LongList, offset=(width - 1, height - 1))
        assert app.list.cursor == 999
        await pilot.click(LongList, offset=(width - 1, 1))
        assert app.list.cursor == 0


async def test_the_footer_runs_what_is_clicked() -> None:
    async with shown(Many()) as (app, pilot):
        line = on_screen(app).splitlines()[-1]
        await pilot.click(CommandFooter, offset=(line.index("help"), 0))
        assert ("help", None) in app.told


async def test_two_lines_for_each_row() -> None:
    async with shown(Many(), row_height=2) as (app, pilot):
        assert "more of 0" in on_screen(app)
        await pilot.press("G")
        await until(pilot, lambda: "more of 99999" in on_screen(app))
        app.list.set_row_height(1)
        await until(pilot, lambda: "more of" not in on_screen(app) and "title of 99999" in on_screen(app))


async def test_following_stays_at_the_end_until_the_cursor_leaves_it() -> None:
    source = Many(30)
    async with shown(source, follow=True) as (app, pilot):
        assert key_of(app) == "29"
        source.total = 60
        app.list.reload()
        await app.list.settled()
        await until(pilot, lambda: "title of 59" in on_screen(app))
        await pilot.press("k")
        assert not app.list.following
        source.total = 90
        app.list.reload()
        await app.list.settled()
        assert key_of(app) == "58"
        await pilot.press("G")
        assert app.list.following


@pytest.mark.parametrize("width", [20, 41, 60, 130])
async def test_every_line_has_the_width_of_the_list(width: int) -> None:
    rows = ListSource([row("1", HOSTILE), row("2", "日本語" * 30), row("3", "")])
    async with shown(rows, size=(width, 8)) as (app, _):
        assert {app.list.render_line(y).cell_length for y in range(app.list.size.height)} == {app.list.size.width}
        assert is_harmless(on_screen(app))
        assert ("2m" in on_screen(app)) == (width > 30)


async def test_a_hundred_thousand_rows_cost_what_a_screen_costs() -> None:
    few, many = Many(100), Many(100_000)
    for source in (few, many):
        async with shown(source) as (app, _):
            for y in range(10):
                app.list.render_line(y)
    assert len(many.asked) <= len(few.asked) + 1
