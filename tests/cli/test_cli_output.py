"""Tables, widths, and the forms of errors."""

from __future__ import annotations

import errno

import pytest

from storage.errors import Refused
from vibehq_tui.cli import failures
from vibehq_tui.cli.output import Cell, Style, cell_width, problems_of


def test_columns_are_aligned_by_what_they_take_on_a_terminal() -> None:
    table = Style().table(("id", "title", "x"), [["1", "潮汐", "a"], ["22", "tide", "b"]], flexible=1)
    assert table.splitlines() == ["id  title  x", "1   潮汐   a", "22  tide   b"]


def test_the_flexible_column_gives_way() -> None:
    rows = [["1", "a very long title indeed", "end"]]
    lines = Style(width=24).table(("id", "title", "what"), rows, flexible=1).splitlines()
    assert lines[1] == "1   a very long t…  end"
    assert max(cell_width(line) for line in lines) <= 24


def test_an_empty_column_is_left_out_on_a_terminal_only() -> None:
    rows = [["1", "", "end"]]
    assert Style(width=80).table(("id", "owner", "title"), rows, flexible=2).splitlines()[0] == "id  title"
    assert Style().table(("id", "owner", "title"), rows, flexible=2).splitlines()[0] == "id  owner  title"


def test_wide_characters_are_cut_at_a_cell() -> None:
    assert Style(width=10).table(("x",), [["潮汐潮汐潮汐"]], flexible=0).splitlines()[1] == "潮汐潮汐…"


def test_cells_are_cleaned_and_painted() -> None:
    assert Style().table(("x",), [["a\x1b[2Jb\n"]], flexible=0).splitlines()[1] == "a␛[2Jb␤"
    assert "\x1b[31mbad" in Style(colour=True).table(("x",), [[Cell("bad", "error")]], flexible=0)


def test_problems_of_an_error_are_lines() -> None:
    error = Refused(
        "no",
        details={
            "errors": [
                {"path": "a.py", "hunk": 2, "message": "lost"},
                {"message": "no"},
                {"file": "tasks.json", "line": 3, "message": "odd"},
                "plain",
            ]
        },
    )
    assert problems_of(error) == ["a.py hunk 2: lost", "tasks.json:3: odd", "plain"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_the_systems_refusals_have_a_hint(code: int) -> None:
    found = failures.from_os(OSError(code, "said the system", "/x/tasks.json"))
    assert found.message == "/x/tasks.json: said the system"
    assert found.exit_code == 1
    assert found.hint
