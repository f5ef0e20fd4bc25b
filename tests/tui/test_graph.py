"""The dependency graph: what is drawn where, circles, and walking through it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from review_helpers import HOSTILE, is_harmless, on_screen
from textual.app import ComposeResult
from textual.pilot import Pilot

from storage.records import Task
from vibehq_tui.tui.dispatch import CommandApp
from vibehq_tui.tui.widgets.graph_layout import Neighbourhood, draw
from vibehq_tui.tui.widgets.graph_view import GraphView

EDGES = {
    "1": (),
    "2": ("1",),
    "3": ("1", "2"),
    "4": ("3", "99"),
    "5": ("4",),
    "6": ("4",),
    "7": ("5", "6"),
    "8": ("7",),
}


def around(
    center: str, edges: Mapping[str, Sequence[str]] = EDGES, *, title: str = "Task", cyclic: Sequence[str] = ()
) -> Neighbourhood:
    tasks = {key: Task(id=key, title=f"{title} {key}", status="pending", state="ready") for key in edges}
    unblocks: dict[str, list[str]] = {}
    for key, wanted in edges.items():
        for one in wanted:
            unblocks.setdefault(one, []).append(key)
    return Neighbourhood(center=center, tasks=tasks, waits_for=edges, unblocks=unblocks, cyclic=frozenset(cyclic))


def picture(neighbourhood: Neighbourhood, width: int, ascii_only: bool = False) -> list[str]:
    drawing = draw(neighbourhood, width, ascii_only)
    return ["".join(part.text for part in row).rstrip() for row in drawing.rows]


def test_what_it_waits_for_is_left_and_what_it_unblocks_right() -> None:
    title = picture(around("4"), 76)[0]
    assert title.split() == ["waits", "for", "this", "task", "unblocks"]
    first, second = picture(around("4"), 76)[1:]
    assert first.startswith("● 3 Task 3")
    assert "● 4 Task 4" in first
    assert "● 5 Task 5" in first
    assert second.startswith("✘ 99 does not exist")
    assert "● 6 Task 6" in second
    assert first.index("● 3") < first.index("● 4") < first.index("● 5")


def test_lines_join_what_belongs_together() -> None:
    first, second = picture(around("4"), 76)[1:]
    assert "─┬─▸ ● 4" in first
    assert "─┘" in second
    assert "─┬─▸ ● 5" in first
    assert "└─▸ ● 6" in second


def test_wide_screens_show_more_steps_and_what_is_beyond_is_counted() -> None:
    narrow, wide = "\n".join(picture(around("4"), 76)), "\n".join(picture(around("4"), 200))
    assert "Task 1" not in narrow
    assert "+2" in narrow
    assert "Task 1" in wide
    assert "Task 8" in wide


def test_a_side_that_is_shallow_leaves_its_room_to_the_other() -> None:
    chain = {str(number): (str(number - 1),) if number else () for number in range(9)}
    text = "\n".join(picture(around("8", chain), 116))
    assert "Task 5" in text


def test_a_task_is_expanded_once() -> None:
    wide = "\n".join(picture(around("1"), 190))
    assert wide.count("Task 4") >= 1
    assert wide.count("✘") == 0
    drawing = draw(around("1"), 190)
    expanded = [placed.node for placed in drawing.nodes if placed.node.children and placed.node.column > 0]
    assert len({node.id for node in expanded}) == len(expanded)


def test_circles_are_marked_and_end() -> None:
    edges = {"1": ("2",), "2": ("3",), "3": ("1",)}
    text = "\n".join(picture(around("1", edges, cyclic="123"), 200))
    assert text.count("↻ 1") == 3
    assert text.count("↻ 2") == 2
    drawing = draw(around("1", edges, cyclic="123"), 200)
    assert [placed.node.circle for placed in drawing.nodes if placed.node.id == "1"] == [False, True, True]


def test_a_task_that_waits_for_itself() -> None:
    text = "\n".join(picture(around("1", {"1": ("1",)}, cyclic="1"), 100))
    assert text.count("↻ 1") == 3


def test_alone() -> None:
    title, row = picture(around("1", {"1": ()}), 80)
    assert "waits for nothing" in title
    assert "nothing waits for it" in title
    assert row.startswith("● 1 Task 1")


def test_hundreds_of_neighbours_are_cut_and_counted() -> None:
    edges = {"0": tuple(str(number) for number in range(1, 1_000))} | {str(number): () for number in range(1, 1_000)}
    drawing = draw(around("0", edges), 100)
    assert len(drawing.rows) == 201
    assert drawing.hidden == 799


def test_titles_are_cut_to_their_column_and_harmless() -> None:
    for width in (30, 60, 80, 120, 200):
        rows = picture(around("4", title=HOSTILE * 5), width)
        assert all(is_harmless(row) for row in rows)
        assert all(len(row) <= max(width, 44) for row in rows)


def test_ascii_only() -> None:
    assert all(row.isascii() for row in picture(around("4"), 120, ascii_only=True))


class GraphApp(CommandApp):
    """A graph and nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.graph = GraphView()
        self.opened: list[str] = []

    def compose(self) -> ComposeResult:
        """The graph."""
        yield self.graph

    def on_graph_view_opened(self, event: GraphView.Opened) -> None:
        """Keeps what was opened."""
        self.opened.append(event.task_id)


@asynccontextmanager
async def showing(
    neighbourhood: Neighbourhood, size: tuple[int, int] = (80, 20)
) -> AsyncIterator[tuple[GraphApp, Pilot[int]]]:
    app = GraphApp()
    async with app.run_test(size=size) as pilot:
        app.graph.show(neighbourhood)
        app.graph.focus()
        await pilot.pause()
        yield app, pilot


async def test_arrow_keys_go_along_the_lines() -> None:
    async with showing(around("4")) as (app, pilot):
        assert app.graph.selected == "4"
        await pilot.press("right")
        assert app.graph.selected == "5"
        await pilot.press("down")
        assert app.graph.selected == "6"
        await pilot.press("h")
        assert app.graph.selected == "4"
        await pilot.press("left")
        assert app.graph.selected == "3"
        await pilot.press("j", "enter")
        await pilot.pause()
        assert app.opened == ["99"]
        await pilot.press("l", "l", "up", "up")
        assert app.graph.selected == "5"


async def test_the_cursor_stays_on_its_task_when_the_width_changes() -> None:
    async with showing(around("4")) as (app, pilot):
        await pilot.press("right", "down")
        await pilot.resize_terminal(204, 20)
        await pilot.pause()
        assert app.graph.selected == "6"
        assert "Task 8" in on_screen(app)


async def test_a_long_graph_scrolls_to_the_cursor() -> None:
    edges = {"0": tuple(str(number) for number in range(1, 60))} | {str(number): () for number in range(1, 60)}
    async with showing(around("0", edges), (80, 12)) as (app, pilot):
        await pilot.press("left")
        for _ in range(40):
            await pilot.press("down")
        row = next(placed.node.row for placed in app.graph.drawing.nodes if placed.node.id == app.graph.selected)
        assert app.graph.scroll_offset.y <= row + 1 < app.graph.scroll_offset.y + app.graph.size.height


async def test_a_double_click_opens() -> None:
    async with showing(around("4")) as (app, pilot):
        await pilot.click(GraphView, offset=(60, 1), times=2)
        await pilot.pause()
        assert app.opened == ["5"]
