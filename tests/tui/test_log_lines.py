"""Lines of files of any size and any content, by number, and finding them."""

from __future__ import annotations

import os
from array import array
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from review_helpers import HOSTILE, is_harmless

from storage.errors import NotFound, Refused
from vibehq_tui.tui.theme import styles
from vibehq_tui.tui.widgets import log_lines
from vibehq_tui.tui.widgets.log_lines import BLOCK, LINE_CAP, FileLines, MemoryLines
from vibehq_tui.tui.widgets.log_painter import paint_line, shown
from vibehq_tui.tui.widgets.log_search import Wanted, find, level_in, select


def opened(path: Path) -> FileLines:
    lines = FileLines(path)
    while lines.index():
        pass
    return lines


def all_lines(lines: FileLines) -> list[bytes]:
    return [lines.line(number) for number in range(lines.total)]


def split(data: bytes) -> list[bytes]:
    """The lines of a text as everybody counts them."""
    parts = data.split(b"\n")
    return parts[:-1] if data.endswith(b"\n") or not data else parts


@pytest.mark.parametrize(
    "data", [b"", b"\n", b"one", b"one\n", b"one\ntwo", b"\n\n\n", b"a\r\nb\x00\xff\n", b"x" * 700]
)
def test_lines_are_those_of_the_file(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(data)
    lines = opened(path)
    assert all_lines(lines) == split(data)
    assert lines.line(-1) == b""
    assert lines.line(lines.total) == b""


@settings(max_examples=60, deadline=None)
@given(
    data=st.lists(st.binary(max_size=9).map(lambda line: line.replace(b"\n", b"")), max_size=60).map(b"\n".join),
    block=st.integers(4, 40),
    cut=st.integers(0, 200),
)
def test_blocks_of_any_size_give_the_same_lines(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, block: int, cut: int
) -> None:
    path = tmp_path_factory.mktemp("log") / "a.log"
    path.write_bytes(data[:cut])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log_lines, "BLOCK", block)
        lines = opened(path)
        assert all_lines(lines) == split(data[:cut])
        with path.open("ab") as file:
            file.write(data[cut:])
        while lines.index():
            pass
        assert all_lines(lines) == split(data)
        text: dict[int, bytes] = {}
        for number in range(lines.blocks):
            first, region = lines.region(number)
            for index, line in enumerate(split(region)):
                assert first + index not in text
                text[first + index] = line
        assert [text.get(number, b"") for number in range(lines.total)] == split(data)


def test_an_index_of_many_blocks(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"".join(b"line %06d of the log\n" % number for number in range(60_000)))
    lines = opened(path)
    assert lines.blocks == -(-path.stat().st_size // BLOCK)
    assert lines.total == 60_000
    for number in (0, 1, 11_914, 11_915, 31_000, 59_999):
        assert lines.line(number) == b"line %06d of the log" % number


def test_a_line_of_megabytes_is_cut_and_does_not_hide_what_follows(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"before\n" + b"x" * (3 * BLOCK) + b"\nafter\n")
    lines = opened(path)
    assert lines.total == 3
    assert lines.line(1) == b"x" * LINE_CAP
    assert lines.line(2) == b"after"


def test_the_newest_lines_before_anything_is_indexed(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"".join(b"line %06d\n" % number for number in range(60_000)))
    lines = FileLines(path)
    assert lines.tail(3) == [b"line 059997", b"line 059998", b"line 059999"]
    assert lines.total == 0


def test_growth_truncation_replacement_and_loss(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"one\ntwo")
    lines = opened(path)
    assert lines.check() == "same"
    with path.open("ab") as file:
        file.write(b" and more\nthree\n")
    assert lines.check() == "grown"
    while lines.index():
        pass
    assert all_lines(lines) == [b"one", b"two and more", b"three"]

    path.write_bytes(b"new\n")  # truncated in place
    assert lines.check() == "replaced"
    while lines.index():
        pass
    assert all_lines(lines) == [b"new"]

    path.write_bytes(b"other and longer than before\n")  # truncated and grown again between two looks
    assert lines.check() == "replaced"
    while lines.index():
        pass
    assert all_lines(lines) == [b"other and longer than before"]

    path.rename(tmp_path / "a.log.1")  # rotated
    assert lines.check() == "gone"
    assert all_lines(lines) == [b"other and longer than before"]
    path.write_bytes(b"after the rotation\n")
    assert lines.check() == "replaced"
    while lines.index():
        pass
    assert all_lines(lines) == [b"after the rotation"]


def test_reading_what_was_cut_off_meanwhile_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"".join(b"line %06d\n" % number for number in range(60_000)))
    lines = opened(path)
    os.truncate(path, 100)
    assert all(isinstance(lines.line(number), bytes) for number in (0, 5, 30_000, 59_999))
    assert isinstance(lines.region(lines.blocks - 1)[1], bytes)


def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(Refused, match="is not a file"):
        FileLines(tmp_path / "pipe")
    with pytest.raises(Refused):
        FileLines(tmp_path)
    with pytest.raises(NotFound):
        FileLines(tmp_path / "none")


# -- finding -------------------------------------------------------------------------------------------------------


def numbered(tmp_path: Path, count: int = 60_000) -> FileLines:
    path = tmp_path / "a.log"
    path.write_bytes(b"".join(b"line %06d%s\n" % (n, b" ERROR Oops" if n % 9_999 == 0 else b"") for n in range(count)))
    return opened(path)


async def test_the_next_and_the_previous_line_are_found(tmp_path: Path) -> None:
    lines = numbered(tmp_path)
    assert await find(lines, Wanted("oops"), 0, step=1) == 9_999
    assert await find(lines, Wanted("oops"), -1, step=1) == 0
    assert await find(lines, Wanted("Oops"), 10_000, step=1) == 19_998
    assert await find(lines, Wanted("OOPS"), 10_000, step=1) is None
    assert await find(lines, Wanted("oops"), lines.total, step=-1) == 59_994
    assert await find(lines, Wanted("oops"), 9_999, step=-1) == 0
    assert await find(lines, Wanted("oops"), 0, step=-1) is None
    rows = array("Q", [5, 9_999, 10_001, 29_997])
    assert await find(lines, Wanted("oops"), 9_999, step=1, rows=rows) == 29_997
    assert await find(lines, Wanted("oops"), 29_997, step=-1, rows=rows) == 9_999


async def test_lines_that_are_wanted_are_selected_and_new_ones_are_added(tmp_path: Path) -> None:
    lines = numbered(tmp_path)
    rows = array("Q")
    block = await select(lines, Wanted("oops"), rows, 0)
    assert list(rows) == [number for number in range(60_000) if number % 9_999 == 0]
    with lines.path.open("ab") as file:
        file.write(b"half a line, oo")
    while lines.index():
        pass
    block = await select(lines, Wanted("oops"), rows, block)
    assert len(rows) == 7
    with lines.path.open("ab") as file:
        file.write(b"ps\nthen nothing\n")
    while lines.index():
        pass
    await select(lines, Wanted("oops"), rows, block)
    assert list(rows)[-1] == 60_000
    assert len(rows) == 8


async def test_levels_are_selected(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(
        b"10:00 INFO start\n10:01 DEBUG an ERROR that is none\n10:02 WARNING low\n10:03 [error] bad\nValueError: x\n"
        b"we were warned of errors\nFATAL end\n"
    )
    lines = opened(path)
    for level, wanted in (("warning", [2, 3, 4, 6]), ("error", [3, 4, 6])):
        rows = array("Q")
        await select(lines, Wanted("", level), rows, 0)
        assert list(rows) == wanted
    rows = array("Q")
    await select(lines, Wanted("a", "warning"), rows, 0)
    assert [lines.line(row) for row in rows] == [
        b"10:02 WARNING low",
        b"10:03 [error] bad",
        b"ValueError: x",
        b"FATAL end",
    ]


async def test_lines_of_the_store_are_searched_in_the_same_way() -> None:
    lines = MemoryLines(f"line {number}\nwith a break" for number in range(5_000))
    assert lines.total == 5_000
    assert await find(lines, Wanted("line 4999"), 0, step=1) == 4_999
    rows = array("Q")
    await select(lines, Wanted("line 49"), rows, 0)
    assert len(rows) == 111


def test_the_first_word_of_a_line_says_how_bad_it_is() -> None:
    assert level_in("10:00 WARN disk") is not None
    assert level_in("Warn of a gap in the readings") is None
    assert level_in("say it on standard error.") is None
    found = level_in("error: cannot")
    assert found is not None and found.rank == 2


# -- how a line looks ----------------------------------------------------------------------------------------------


def test_colour_codes_go_and_a_progress_bar_shows_its_last_state() -> None:
    assert shown(b"\x1b[1;31mred\x1b[0m text\r\n".rstrip(b"\n")) == "red text"
    assert shown(b"10 %\r50 %\r100 %\r") == "␍100 %"
    assert shown(b"a\tb") == "a       b"


def test_hostile_lines_are_harmless_in_any_width() -> None:
    raw = HOSTILE.encode() + b"\x1b]0;title\x07\xff\x00\x9b31m \xc2\x9b2J" + "漢字".encode() * 40
    for width in (0, 1, 2, 20, 500):
        for shift in (0, 3, 50):
            segments = paint_line(raw, width, styles("vibe-dark"), styles("vibe-dark")[""], shift=shift, match="quit")
            text = "".join(segment.text for segment in segments)
            assert is_harmless(text)


def test_time_level_and_match_stand_out() -> None:
    table = styles("vibe-dark")
    segments = paint_line(b"2026-03-01T12:00:00Z ERROR no disk on disk", 60, table, table["strip"], match="disk")
    looks = {segment.text: segment.style for segment in segments}
    assert looks["2026-03-01T12:00:00Z"] == table["strip"] + table["faint"]
    assert looks["ERROR"] == table["strip"] + table["error"]
    assert sum(segment.text == "disk" for segment in segments) == 2
