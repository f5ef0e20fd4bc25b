"""Which row of a diff stands where."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import pytest
from review_helpers import CHANGE, DOCS, MONITOR, SCAN, plan_of

from storage.clock import Millis
from storage.records import PatchComment
from vibehq_tui.patches.planning.plan import Plan
from vibehq_tui.patches.planning.planned import PlannedFile, PlannedHunk
from vibehq_tui.tui.widgets.diff_layout import DiffLayout, Kind

BEFORE = {"orchestrator/monitor.py": MONITOR, "orchestrator/scan.py": SCAN, "docs/scan.md": DOCS}


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return plan_of(tmp_path / "repo", BEFORE, CHANGE, "-U1")


def comment(path: str, line: int | None, text: str = "why?") -> PatchComment:
    return PatchComment(id="1", patch="1", text=text, by="ivy", at=Millis(0), path=path, line=line)


def kinds(layout: DiffLayout) -> list[Kind]:
    return [layout.row(y).kind for y in range(layout.height)]


def test_the_stream_is_files_hunks_lines_and_decisions(plan: Plan) -> None:
    layout = DiffLayout(plan)
    found = kinds(layout)
    assert found.count(Kind.FILE) == 3
    assert found.count(Kind.HUNK) == plan.hunk_count
    assert found.count(Kind.DECISION) == plan.hunk_count
    assert found.count(Kind.LINE) == sum(len(hunk.lines) for file in plan.files for hunk in file.hunks)
    assert found.count(Kind.BLANK) == 2
    assert len(found) == layout.height


def test_rows_counted_and_rows_made_are_the_same(plan: Plan) -> None:
    counted = DiffLayout(plan)
    made = [row for block in range(len(counted.hunks)) for row in counted._generate(block)]
    assert [counted.row(y) for y in range(counted.height)] == made


def test_a_preview_has_no_decisions_and_no_blank_rows(plan: Plan) -> None:
    found = kinds(DiffLayout(plan, preview=True))
    assert Kind.DECISION not in found
    assert Kind.BLANK not in found


def test_line_numbers_are_those_of_both_files(plan: Plan) -> None:
    layout = DiffLayout(plan)
    block = layout.block_of(2)
    assert block is not None
    old, new = MONITOR.split("\n"), CHANGE["orchestrator/monitor.py"].split("\n")
    for (sign, content), (before, after) in zip(layout.hunks[block].lines, layout.numbers(block), strict=True):
        text = content.decode().rstrip("\n")
        assert (before == 0) == (sign == "+")
        assert (after == 0) == (sign == "-")
        assert not before or old[before - 1] == text
        assert not after or new[after - 1] == text


def test_a_comment_stands_under_its_line_and_moves_the_rest_down(plan: Plan) -> None:
    plain = DiffLayout(plan)
    block = plain.block_of(2)
    assert block is not None
    line = next(
        new for (sign, _), (_, new) in zip(plain.hunks[block].lines, plain.numbers(block), strict=True) if sign == "+"
    )
    layout = DiffLayout(plan, [comment("orchestrator/monitor.py", line)])
    y = layout.find("orchestrator/monitor.py", line)
    assert y is not None
    assert layout.row(y).kind is Kind.LINE
    assert layout.row(y + 1).kind is Kind.COMMENT
    assert layout.row(y + 1).text == "ivy: why?"
    assert layout.height == plain.height + 1


def test_a_comment_on_a_file_or_an_unseen_line_stands_under_its_header(plan: Plan) -> None:
    layout = DiffLayout(plan, [comment("docs/scan.md", None, "good"), comment("docs/scan.md", 4_000, "where?")])
    texts = [layout.row(y).text for y in range(layout.height) if layout.row(y).kind is Kind.COMMENT]
    assert texts == ["ivy: good", "ivy, line 4000: where?"]
    assert layout.row(layout.file_row(0)).kind is Kind.FILE


def test_a_comment_on_the_patch_or_another_file_is_not_in_the_stream(plan: Plan) -> None:
    other = comment("elsewhere.py", 3)
    whole = PatchComment(id="2", patch="1", text="all", by="ivy", at=Millis(0))
    assert DiffLayout(plan, [other, whole]).height == DiffLayout(plan).height


def test_long_comments_are_wrapped_to_the_width(plan: Plan) -> None:
    text = "word " * 40 + "x" * 100 + "\nsecond paragraph 漢字漢字漢字漢字漢字漢字漢字"
    layout = DiffLayout(plan, [comment("docs/scan.md", None, text)], width=34)
    rows = [layout.row(y).text for y in range(layout.height) if layout.row(y).kind is Kind.COMMENT]
    assert len(rows) > 8
    assert all(len(row) <= 30 for row in rows)


def test_side_by_side_puts_replaced_lines_beside_each_other(plan: Plan) -> None:
    layout = DiffLayout(plan, split=True)
    block = layout.block_of(2)
    assert block is not None
    signs = [
        tuple("" if index < 0 else layout.hunks[block].lines[index][0] for index in (row.line, row.other))
        for row in layout._rows(block)
        if row.kind is Kind.LINE
    ]
    assert signs == [(" ", " "), ("-", "+"), ("-", "+"), ("", "+"), ("", "+"), (" ", " ")]


def test_places_lead_back_to_their_rows(plan: Plan) -> None:
    for split in (False, True):
        layout = DiffLayout(plan, split=split)
        for y in range(layout.height):
            row = layout.row(y)
            if (row.kind is Kind.LINE and row.other >= 0) or (row.kind is Kind.LINE and not split):
                path, line = layout.place(row)
                if layout.numbers(row.block)[max(row.line, row.other)][1]:
                    assert layout.find(path, line) == y


def test_a_removed_line_is_at_the_line_that_follows(plan: Plan) -> None:
    layout = DiffLayout(plan)
    block = layout.block_of(2)
    assert block is not None
    removed = next(i for i, (sign, _) in enumerate(layout.hunks[block].lines) if sign == "-")
    path, line = layout.place(layout.row(layout.row_of_line(block, removed)))
    assert path == "orchestrator/monitor.py"
    assert CHANGE[path].split("\n")[(line or 0) - 1] == "        count = 0"


def test_changes_without_lines_are_one_note(tmp_path: Path) -> None:
    before: dict[str, bytes | str | None] = {
        "old.txt": "text\n" * 9,
        "run.sh": "#!/bin/sh\n",
        "image.png": bytes(range(256)),
    }
    repo = tmp_path / "repo"
    plan = plan_of(
        repo, before, {"old.txt": None, "new.txt": "text\n" * 9, "image.png": bytes(range(255, -1, -1)), "empty": ""}
    )
    layout = DiffLayout(plan)
    found = kinds(layout)
    assert found.count(Kind.NOTE) == 3
    assert found.count(Kind.LINE) == 0
    assert found.count(Kind.DECISION) == 3


class Untouched(tuple[tuple[str, bytes], ...]):
    """Lines that nobody may look at before they are shown."""

    def __iter__(self) -> NoReturn:
        raise AssertionError("the lines of a hunk that is not in view were read")


def test_ten_thousand_files_are_laid_out_without_looking_at_a_line() -> None:
    lines = Untouched([(" ", b"a\n"), ("-", b"b\n"), ("+", b"c\n")] * 4)
    files = tuple(
        PlannedFile(
            path=f"{number}.py",
            op="modify",
            before=b"",
            after=b"",
            before_mode=0o100644,
            after_mode=0o100644,
            hunks=(PlannedHunk(number=number + 1, old_start=1, old_lines=8, new_start=1, new_lines=8, lines=lines),),
        )
        for number in range(10_000)
    )
    layout = DiffLayout(Plan(files=files))
    assert layout.height == 10_000 * (12 + 4) - 1
    middle = layout.row(layout.height // 2)
    assert layout.file_of[middle.block] == middle.block
