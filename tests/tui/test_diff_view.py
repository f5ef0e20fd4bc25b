"""The diff as a widget: moving, searching, colours, and what hostile text becomes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from review_helpers import CHANGE, DOCS, HOSTILE, MONITOR, SCAN, is_harmless, on_screen, plan_of, until
from rich.color import Color
from textual.app import ComposeResult
from textual.pilot import Pilot

from storage.clock import Millis
from storage.records import PatchComment, PatchDecision
from vibehq_tui.patches.planning.plan import Plan
from vibehq_tui.patches.planning.planned import PlannedFile, PlannedHunk
from vibehq_tui.tui.commands import Context
from vibehq_tui.tui.dispatch import CommandApp
from vibehq_tui.tui.theme import styles
from vibehq_tui.tui.widgets.diff_syntax import syntax_styles
from vibehq_tui.tui.widgets.diff_view import DiffView
from vibehq_tui.tui.widgets.rows import Part

BEFORE = {"orchestrator/monitor.py": MONITOR, "orchestrator/scan.py": SCAN, "docs/scan.md": DOCS}


class DiffApp(CommandApp):
    """A diff and nothing else."""

    def __init__(self, *, preview: bool = False, ascii_only: bool = False) -> None:
        super().__init__(ascii_only=ascii_only)
        self.diff = DiffView(preview=preview)

    def compose(self) -> ComposeResult:
        """The diff."""
        yield self.diff

    def command_context(self) -> Context:
        """What the screen of a review would say."""
        return Context(scope="diff", facts={"match": self.diff.match})


@asynccontextmanager
async def showing(
    plan: Plan, *, size: tuple[int, int] = (100, 30), preview: bool = False, ascii_only: bool = False
) -> AsyncIterator[tuple[DiffView, Pilot[int]]]:
    app = DiffApp(preview=preview, ascii_only=ascii_only)
    async with app.run_test(size=size, notifications=True) as pilot:
        app.diff.show(plan)
        await pilot.pause()
        yield app.diff, pilot


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return plan_of(tmp_path / "repo", BEFORE, CHANGE, "-U1")


def colours(diff: DiffView, text: str) -> set[Color]:
    """The foregrounds in the first line on the screen that contains ``text``."""
    for y in range(diff.size.height):
        strip = diff.render_line(y)
        if text in strip.text:
            return {style.color for _, style, _ in strip if style and style.color}
    raise AssertionError(f"{text!r} is not on the screen")


def syntax_colour(diff: DiffView, role: str) -> Color | None:
    return syntax_styles(diff.app.theme)[role].color


async def test_keys_go_from_hunk_to_hunk_and_say_so_at_the_end(plan: Plan) -> None:
    async with showing(plan) as (diff, pilot):
        assert diff.hunk == 1
        await pilot.press("j", "j")
        assert diff.hunk == 3
        await pilot.press("k")
        assert diff.hunk == 2
        await pilot.press("G")
        assert diff.hunk == plan.hunk_count
        await pilot.press("j")
        await until(pilot, lambda: "this is the last hunk" in on_screen(pilot.app))
        await pilot.press("g")
        assert diff.cursor == 0


async def test_back_goes_to_the_beginning_of_the_hunk_first(plan: Plan) -> None:
    async with showing(plan) as (diff, pilot):
        await pilot.press("j", "down", "down", "k")
        assert diff.hunk == 2
        await pilot.press("k")
        assert diff.hunk == 1


async def test_the_cursor_names_the_place_that_a_comment_is_about(plan: Plan) -> None:
    async with showing(plan) as (diff, pilot):
        await pilot.press("j")
        path, line = diff.place
        assert path == "orchestrator/monitor.py"
        assert line is not None
        await pilot.press("down", "down")
        assert diff.place == (path, line)  # two removed lines: what replaces them is at the same place
        await pilot.press("down")
        assert diff.place == (path, line + 1)


async def test_every_line_is_seen_when_one_goes_down_through_all(plan: Plan) -> None:
    seen: set[str] = set()
    async with showing(plan, size=(100, 8)) as (diff, pilot):
        layout = diff._layout_of
        assert layout is not None
        for _ in range(layout.height):
            row = diff.cursor - diff.scroll_offset.y
            assert 0 <= row < diff.size.height
            seen.add(diff.render_line(row).text.strip())
            diff.move_rows(1)
            await pilot.pause()
    for file in plan.files:
        for hunk in file.hunks:
            for _, content in hunk.lines:
                assert any(content.decode().strip() in text for text in seen)


async def test_the_header_of_the_file_stays_in_view(plan: Plan) -> None:
    async with showing(plan, size=(100, 8)) as (diff, pilot):
        for number, path in ((1, "docs/scan.md"), (3, "orchestrator/monitor.py"), (4, "orchestrator/scan.py")):
            diff.go_to_hunk(number)
            await pilot.pause()
            assert path in on_screen(pilot.app)
            diff.move_rows(3)
            await pilot.pause()
            assert path in diff.render_line(0).text or "hunk 1 of 1" in on_screen(pilot.app)


async def test_long_lines_are_cut_with_a_sign_and_can_be_scrolled(tmp_path: Path) -> None:
    plan = plan_of(tmp_path / "repo", {"a.txt": "x\n"}, {"a.txt": "0123456789" * 30 + "\n"})
    async with showing(plan, size=(60, 12)) as (_, pilot):
        lines = on_screen(pilot.app).split("\n")
        added = next(line for line in lines if " + " in line)
        assert added.endswith("›")
        await pilot.press("right", "right")
        await pilot.pause()
        moved = next(line for line in on_screen(pilot.app).split("\n") if " + " in line)
        assert "+ 6789012" in moved
        await pilot.press("left", "left", "left")
        await pilot.pause()
        assert "+ 0123456789" in on_screen(pilot.app)


async def test_wide_characters_do_not_break_the_columns(tmp_path: Path) -> None:
    plan = plan_of(tmp_path / "repo", {"a.txt": "x\n"}, {"a.txt": "漢字" * 60 + "\n"})
    async with showing(plan, size=(61, 12)) as (diff, pilot):
        for _ in range(5):
            for y in range(diff.size.height):
                assert diff.render_line(y).cell_length == diff.size.width
            diff.shift(3)
            await pilot.pause()


async def test_search_finds_around_the_end_and_highlights(plan: Plan) -> None:
    async with showing(plan) as (diff, pilot):
        assert await diff.search("STRICT=true") == "found"
        assert diff.hunk == 4
        assert await diff.search("how to", here=True) == "around"
        assert diff.hunk == 1
        assert await diff.search("how to") == "found"
        assert await diff.search("how to", backwards=True) == "found"
        assert await diff.search("no such text") == "no"
        diff.forget_match()
        await pilot.press("n")
        assert diff.hunk == 1


async def test_search_by_key_asks_and_goes_there(plan: Plan) -> None:
    async with showing(plan) as (diff, pilot):
        await pilot.press("/")
        await pilot.press(*"aclose", "enter")
        await until(pilot, lambda: diff.hunk == 3)
        await pilot.press("N")
        await until(pilot, lambda: "went on from the other end" in on_screen(pilot.app))


async def test_syntax_colours_come_after_the_plain_text(plan: Plan) -> None:
    async with showing(plan) as (diff, pilot):
        diff.go_to_hunk(2)
        await until(pilot, lambda: diff.highlighting == 0 and len(colours(diff, "async for batch")) > 4)
        assert len(colours(diff, "async for batch")) > 4


async def test_a_docstring_is_known_where_the_hunk_begins_within_it(tmp_path: Path) -> None:
    body = "".join(f"    line {number}\n" for number in range(40))
    before = f'def f():\n    """Long.\n\n{body}    """\n'
    plan = plan_of(tmp_path / "repo", {"a.py": before}, {"a.py": before.replace("line 20\n", "for in if 20\n")}, "-U1")
    async with showing(plan) as (diff, pilot):
        await until(
            pilot, lambda: diff.highlighting == 0 and syntax_colour(diff, "comment") in colours(diff, "line 19")
        )
        assert syntax_colour(diff, "comment") in colours(diff, "for in if")
        assert syntax_colour(diff, "keyword") not in colours(diff, "for in if")


async def test_what_cannot_be_highlighted_stays_plain(tmp_path: Path) -> None:
    plan = plan_of(tmp_path / "repo", {"a.py": "x\n"}, {"a.py": "y = '" + "z" * 3_000 + "'\n"})
    async with showing(plan) as (diff, pilot):
        await until(pilot, lambda: diff.highlighting == 0)
        assert "y = " in on_screen(pilot.app)


async def test_words_that_changed_stand_out(tmp_path: Path) -> None:
    plan = plan_of(tmp_path / "repo", {"a.txt": "read(scope, 100)\n"}, {"a.txt": "read(scope, 500)\n"})
    async with showing(plan) as (diff, _):
        strips = [diff.render_line(y) for y in range(6)]
        added = next(strip for strip in strips if " + " in strip.text)
        back = styles(diff.app.theme)["added_word"].bgcolor
        marked = {text for text, style, _ in added if style and style.bgcolor == back}
        assert marked == {"500"}


async def test_decisions_and_reasons_are_shown_and_the_hint_only_at_the_current_hunk(plan: Plan) -> None:
    decisions = {
        1: PatchDecision(patch="1", hunk=1, decision="accepted", by="ivy", at=Millis(0)),
        2: PatchDecision(patch="1", hunk=2, decision="rejected", by="ivy", at=Millis(0), reason=f"why {HOSTILE}"),
    }
    async with showing(plan, size=(120, 60)) as (diff, pilot):
        diff.hint = "space toggles"
        diff.show(plan, decisions=decisions)
        diff.look_again()
        await pilot.pause()
        text = on_screen(pilot.app)
        assert "✔ hunk 1 accepted   space toggles" in text
        assert "✘ hunk 2 rejected · why x [/ [@click=app.quit]" in text
        assert "○ hunk 3\n" in text
        assert text.count("space toggles") == 1


async def test_the_same_plan_again_keeps_the_place(plan: Plan) -> None:
    async with showing(plan, size=(100, 10)) as (diff, pilot):
        diff.go_to_hunk(3)
        await pilot.pause()
        cursor, offset = diff.cursor, diff.scroll_offset.y
        path, line = diff.place
        above = PatchComment(id="1", patch="1", text="one\ntwo", by="ivy", at=Millis(0), path="docs/scan.md", line=3)
        diff.show(plan, comments=[above])
        await pilot.pause()
        assert diff.place == (path, line)
        assert diff.cursor == cursor + 2
        assert diff.scroll_offset.y == offset + 2


async def test_hostile_text_everywhere_is_harmless(tmp_path: Path) -> None:
    name = "src/\u202egnp.x [/ [@click=app.quit].py"
    plan = plan_of(
        tmp_path / "repo", {name: f"class Old:\n    a = '{HOSTILE}'\n"}, {name: f"class {HOSTILE}:\n    b\xad = 1\n"}
    )
    remark = PatchComment(id="1", patch="1", text=HOSTILE, by=HOSTILE, at=Millis(0), path=name, line=1)
    async with showing(plan) as (diff, pilot):
        diff.show(plan, comments=[remark])
        await until(pilot, lambda: diff.highlighting == 0)
        raw = "".join(diff.render_line(y).text for y in range(diff.size.height))
        assert is_harmless(raw)
        assert "[@click=app.quit]" in raw
        assert "‹U+202E›" in raw
        assert not any(
            style and (style.link or style.meta) for y in range(diff.size.height) for _, style, _ in diff.render_line(y)
        )


async def test_changes_without_lines_say_what_they_do(tmp_path: Path) -> None:
    before: dict[str, bytes | str | None] = {"old.txt": "text\n" * 9, "image.png": bytes(range(256))}
    after: dict[str, bytes | str | None] = {
        "old.txt": None,
        "new.txt": "text\n" * 9,
        "image.png": bytes(2_000),
        "empty": "",
    }
    plan = plan_of(tmp_path / "repo", before, after)
    async with showing(plan, size=(100, 40)) as (_, pilot):
        text = on_screen(pilot.app)
        assert "old.txt → new.txt  rename" in text
        assert "renamed, content unchanged" in text
        assert "binary, 256 B → 2.0 kB" in text
        assert "new, empty file" in text


async def test_a_missing_last_line_end_is_told(tmp_path: Path) -> None:
    plan = plan_of(tmp_path / "repo", {"a.txt": "one\n"}, {"a.txt": "one"})
    async with showing(plan) as (_, pilot):
        assert "+ one  no newline at the end" in on_screen(pilot.app)


async def test_side_by_side_where_there_is_room(plan: Plan) -> None:
    async with showing(plan, size=(150, 40)) as (diff, pilot):
        assert diff.toggle_split()
        await pilot.pause()
        line = next(line for line in on_screen(pilot.app).split("\n") if "self.source.stop()" in line)
        assert "│" in line
        assert "await self.source.aclose()" in line
        await pilot.resize_terminal(90, 40)
        await until(pilot, lambda: "│" not in on_screen(pilot.app))


async def test_ascii_only(plan: Plan) -> None:
    async with showing(plan, ascii_only=True) as (_, pilot):
        assert on_screen(pilot.app).isascii()


async def test_a_click_moves_the_cursor(plan: Plan) -> None:
    async with showing(plan) as (diff, pilot):
        lines = on_screen(pilot.app).split("\n")
        y = next(number for number, line in enumerate(lines) if "count = 0" in line)
        await pilot.click(DiffView, offset=(20, y))
        assert diff.hunk == 2


async def test_a_preview_cannot_be_focused_and_shows_no_cursor(plan: Plan) -> None:
    async with showing(plan, preview=True) as (diff, pilot):
        assert not diff.can_focus
        assert "hunk 1 accepted" not in on_screen(pilot.app)
        assert "○" not in on_screen(pilot.app)


async def test_a_message_instead_of_a_plan(plan: Plan) -> None:
    async with showing(plan) as (diff, pilot):
        diff.clear(Part(f"cannot be read: {HOSTILE}", "error"), Part("look again", "dim"))
        await pilot.pause()
        text = on_screen(pilot.app)
        assert "cannot be read: x [/" in text
        assert "look again" in text
        assert diff.hunk is None
        assert is_harmless("".join(diff.render_line(y).text for y in range(4)))


async def test_an_empty_plan_says_so() -> None:
    async with showing(Plan(files=())) as (_, pilot):
        assert "this patch changes nothing" in on_screen(pilot.app)


async def test_a_hundred_thousand_lines_open_and_only_what_is_seen_is_painted() -> None:
    def lines(number: int) -> tuple[tuple[str, bytes], ...]:
        return ((" ", b"def f():\n"), ("-", b"    return 1\n"), ("+", b"    return %d\n" % number)) * 4

    files = tuple(
        PlannedFile(
            path=f"src/{number}.py",
            op="modify",
            before=b"",
            after=b"%d" % number,
            before_mode=0o100644,
            after_mode=0o100644,
            hunks=(
                PlannedHunk(number=number + 1, old_start=1, old_lines=8, new_start=1, new_lines=8, lines=lines(number)),
            ),
        )
        for number in range(10_000)
    )
    async with showing(Plan(files=files)) as (diff, pilot):
        await pilot.press("G")
        await pilot.pause()
        assert "src/9999.py" in on_screen(pilot.app)
        assert len(diff._strips) < 4 * diff.size.height
        assert await diff.search("return 5000") == "around"
        assert diff.path == "src/5000.py"
