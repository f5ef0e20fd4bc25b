"""Markdown plans become tasks: the real plan in full, and plans of other shapes."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tasks_helpers import FLAT, REAL_FILE, REAL_PLAN, TAGGED, Bench, task

from storage.errors import NotFound, Refused
from vibehq_tui.tasks.plan_facts import Plan, PlanTask, best, priority_word, status_word
from vibehq_tui.tasks.plan_lines import ids_in, mentions
from vibehq_tui.tasks.plan_reader import read


def plan_of(text: str) -> Plan:
    """A plan that is written indented."""
    return read(textwrap.dedent(text).strip() + "\n", "plan.md")


def shown(plan: Plan) -> list[tuple[str | None, str, str]]:
    """Id, title and status of every task."""
    return [(one.id, one.title, one.status.value if one.status else "") for one in plan.tasks]


def codes(plan: Plan) -> list[tuple[str, int]]:
    """Code and line of every warning."""
    return [(one.code, one.line) for one in plan.warnings]


def owner(one: PlanTask) -> str | None:
    """Who does a task."""
    found = best(one.owners)
    return found.value if found else None


# -- the real plan -----------------------------------------------------------------------------------------------------

DONE = {1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 15, 16, 17, 18, 19, 20, 22, 36, 37, 38}


@pytest.fixture(scope="module")
def real() -> Plan:
    """The real plan."""
    return read(REAL_PLAN.read_text(), REAL_PLAN.name)


def test_all_tasks_of_the_real_plan_come_out(real: Plan) -> None:
    assert [one.id for one in real.tasks] == [str(number) for number in range(1, 39)]
    statuses = {int(one.id or 0): one.status.value for one in real.tasks if one.status}
    assert statuses == {number: "done" if number in DONE else "pending" for number in range(1, 39)}


def test_titles_come_from_the_best_place(real: Plan) -> None:
    titles = {one.id: one.title for one in real.tasks}
    assert titles["1"] == "Create Shared Contracts Module"  # heading
    assert titles["36"] == "Core Analytics API (Epic)"
    assert titles["15"] == "Scheduled Cron Handler Implementation"  # check list
    assert titles["22"] == "Orchestrator Patch Events Endpoint Implementation"
    assert titles["12"] == "Ops Monitoring Foundation (task 12)"  # group
    assert titles["35"] == "Extended Services & Entry Points (task 35)"


def test_fields_of_the_real_plan(real: Plan) -> None:
    by_id = {int(one.id or 0): one for one in real.tasks}
    assert by_id[1].dependencies == ()
    assert by_id[38].dependencies == ("1", "3", "19", "21", "30")
    assert by_id[8].dependencies is None
    high = {number for number, one in by_id.items() if [claim.value for claim in one.priorities] == ["high"]}
    assert high == {*range(1, 8), 36, 37, 38}
    codex = {12, 13, 14, 18, 19, 20, 21, 29, 32, 33}
    assert {number for number, one in by_id.items() if owner(one) == "Codex"} == codex
    assert {number for number, one in by_id.items() if owner(one) == "Cursor"} == {*range(8, 36)} - codex
    phases = {number: found.value for number, one in by_id.items() if (found := best(one.phases))}
    assert phases[2] == "Phase 1: Foundation Layer"
    assert phases[4] == "Phase 3: Factory Infrastructure"
    assert {phases[number] for number in range(8, 36)} == {"Phase 6: Remaining Tasks"}
    assert by_id[7].files == [
        {"path": "orchestrator/worker/entrypoints/patch.ts", "action": "create"},
        {"path": "tests/entrypoints/patch.test.ts", "action": "create"},
        {
            "path": "@shared/base/wrangler.base.jsonc",
            "action": "modify",
            "description": "add service binding",
        },
        {"path": "orchestrator/worker/entrypoints/index.ts", "action": "modify"},
    ]
    assert by_id[2].details[0].startswith("Implementation Steps:\n1. Add Kysely table definitions to `orch")
    assert "`005_patch_events.sql`" in by_id[2].details[0]
    assert [one.partition(":")[0] for one in by_id[3].details] == ["Completed Deliverables", "Implementation Notes"]
    assert "Harden ops automation routes" in by_id[30].group_details
    assert "Track each checkpoint" not in by_id[35].group_details
    description = best(by_id[12].descriptions)
    assert description is not None
    assert description.value.startswith("finalize telemetry ingestion, D1 storage wiring")
    description = best(by_id[16].descriptions)
    assert description is not None
    assert description.value == "provider selection logic, rules, manual overrides"


def test_what_the_real_plan_says_in_two_ways(real: Plan) -> None:
    assert codes(real) == [
        ("passed-over", 311),
        ("contradicting-status", 6),
        ("done-before-dependency", 184),
        ("done-before-dependency", 211),
        ("done-before-dependency", 242),
    ]
    assert "tasks 9–11, 15–20, 22 is 'pending' here and 'done' on lines 332–341" in real.warnings[1].message
    assert "task 38 is done (line 242), but it depends on tasks 21, 30, which are not" in real.warnings[4].message
    lines = REAL_PLAN.read_text().splitlines()
    assert "Tasks 8-35 remain open" in lines[5]
    assert "Task 15" in lines[331]


async def test_the_real_plan_into_an_empty_workspace(work: Bench) -> None:
    dry = await work.tasks.import_plan(REAL_PLAN, dry_run=True)
    assert (len(dry.added), dry.updated, dry.unchanged, len(dry.warnings)) == (38, (), (), 5)
    assert not work.file.exists()
    assert await work.events() == []
    done = await work.tasks.import_plan(REAL_PLAN)
    assert done == dry
    assert [one.id for one in done.tasks] == [str(number) for number in range(1, 39)]
    found = await work.tasks.get("38")
    assert (found.status, found.owner, found.phase) == ("done", None, "Phase 5: Migration Automation")
    assert (await work.tasks.get("21")).owner == "Codex"
    assert await work.tasks.count() == 38
    assert await work.tasks.validate() == []
    types = [one.type for one in await work.events()]
    assert types == ["task.added"] * 38 + ["tasks.synced"]
    raw = work.file.read_bytes()
    again = await work.tasks.import_plan(REAL_PLAN)
    assert (again.added, again.updated, len(again.unchanged)) == ((), (), 38)
    assert work.file.read_bytes() == raw
    assert len(await work.events()) == 39


async def test_the_real_plan_into_the_real_file(work: Bench) -> None:
    raw = REAL_FILE.read_bytes()
    path = work.write(raw, TAGGED)
    await work.tasks.sync()
    before = json.loads(raw)["master"]["tasks"]
    report = await work.tasks.import_plan(REAL_PLAN)
    assert (report.added, len(report.updated)) == ((), 38)
    after = json.loads(path.read_bytes())["master"]["tasks"]
    for old, new in zip(before, after, strict=True):
        number = old["id"]
        assert list(new)[: len(old)] == list(old)  # keys stay in their order, new ones come last
        for key in ("id", "description", "details", "testStrategy", "subtasks"):
            assert new[key] == old[key]
        assert new["status"] == ("done" if number in DONE else old["status"])
    assert after[33]["status"] == "cancelled"
    assert after[7]["title"] == before[7]["title"]  # the name of a group is no reason to rename
    assert after[1]["assignee"] == "cursorchmod"
    assert after[24]["assignee"] == "Cursor"
    kept = [str(one) for one in report.warnings if one.code == "kept"]
    assert any("the details of tasks 1–17, 22–31, 34–38 in the tasks file" in one for one in kept)
    again = await work.tasks.import_plan(REAL_PLAN)
    assert (again.added, again.updated) == ((), ())


# -- other plans -------------------------------------------------------------------------------------------------------


def test_numbered_headings() -> None:
    plan = plan_of("""
        # Plan

        Some words.

        ## 1. Set up the database

        Make it **fast**.
        In two lines.

        More about how.

        - Depends on: none
        - Priority: P1
        - Owner: @ada
        - Estimate: 2 days
        - Tags: db, `setup`

        Acceptance criteria:

        - it starts
        - [ ] it stops

        ## 2) Write the API ✅

        Depends on: 1
        Status: In Progress

        - [x] routes
            - [ ] below
        - [ ] docs

        ### Files

        - `api.py` (new)
        - docs/api.md

        ### How to test

        Run it.

        ## 2.1 Errors
        ## Appendix
        Nothing.
    """)
    assert shown(plan) == [("1", "Set up the database", ""), ("2", "Write the API", "done")]
    first, second = plan.tasks
    assert [one.value for one in first.descriptions] == ["Make it fast. In two lines."]
    assert first.details == ["More about how."]
    assert (first.dependencies, second.dependencies) == ((), ("1",))
    assert (owner(first), first.effort, first.tags) == ("ada", "2 days", ("db", "setup"))
    assert [one.value for one in first.priorities] == ["high"]
    assert first.criteria == ["it starts", "it stops"]
    assert [(one.title, one.status and one.status.value) for one in second.subtasks] == [
        ("routes", "done"), ("docs", "pending"), ("Errors", None),
    ]  # fmt: skip
    assert second.subtasks[0].details == ["[ ] below"]
    assert second.files == [
        {"path": "api.py", "action": "modify", "description": "new"},
        {"path": "docs/api.md", "action": "modify"},
    ]
    assert second.test_strategy == "Run it."
    assert codes(plan) == [("contradicting-status", 26), ("done-before-dependency", 25)]


def test_a_check_list_with_parts() -> None:
    plan = plan_of("""
        # Release
        - [x] Build it (high) @ada
        - [ ] Ship it (depends on: Build it)
          - [x] write notes
            and more of it
          - [ ] tag
            - [ ] signed
          Owner: bob
        - [ ]
        ## Later
        * [ ] **T7**: Celebrate [P3]
        ## Validation checklist
        - [ ] everything green
    """)
    assert shown(plan) == [(None, "Build it", "done"), (None, "Ship it", "pending"), ("T7", "Celebrate", "pending")]
    build, ship, party = plan.tasks
    assert (owner(build), owner(ship)) == ("ada", "bob")
    assert ship.dependencies == ("Build it",)
    assert [one.title for one in ship.subtasks] == ["write notes", "tag"]
    assert [one.value for one in party.phases] == ["Later"]
    assert [one.value for one in party.priorities] == ["low"]
    assert codes(plan) == [("passed-over", 13)]


def test_a_numbered_list() -> None:
    plan = plan_of("""
        Steps:

        1. Clone it
        2. Build it
           with care
           - quickly
        10. Run it (after 2)
    """)
    assert shown(plan) == [("1", "Clone it", ""), ("2", "Build it", ""), ("10", "Run it", "")]
    assert plan.tasks[2].dependencies == ("2",)
    assert [one.value for one in plan.tasks[1].descriptions] == ["with care"]


def test_numbers_that_begin_again_are_no_ids() -> None:
    plan = plan_of("""
        ## One
        1. a
        2. b
        ## Two
        1. c
    """)
    assert [one.id for one in plan.tasks] == [None, None, None]
    assert [[claim.value for claim in one.phases] for one in plan.tasks] == [["One"], ["One"], ["Two"]]


def test_a_table() -> None:
    plan = plan_of("""
        | # | Task | Status | Depends on | Owner | Priority |
        |---|:-----|--------|------------|-------|----------|
        | 1 | Read | Done | - | Ada | urgent |
        | 2 | Write \\| save | open | 1 | | |
        | 3 | | tomorrow | 1, 2 | nobody | |

        | Name | Size |
        |------|------|
        | x | 1 |
    """)
    assert shown(plan) == [("1", "Read", "done"), ("2", "Write \\| save", "pending"), ("3", "Task 3", "")]
    assert [one.dependencies for one in plan.tasks] == [(), ("1",), ("1", "2")]
    assert [owner(one) for one in plan.tasks] == ["Ada", None, None]
    assert codes(plan) == [("unknown-status", 5)]


def test_headings_and_lists_that_disagree() -> None:
    plan = plan_of("""
        ## Overview
        - Total tasks: 5
        - Tasks 1 and 2 are done. Task 3 is open.
        ## Ownership
        - **Ada**: the beginning (Tasks 1-2)
        - **Bob**: Task 3
        - **Everybody**: Task 4
        ### Task 1: Read it
        Status: pending
        Owner: Bob
        Priority: high
        Priority: low
        ### Task 3 - Count it
        ### Task 3: Count it again
        Dependencies: [1, 99], 3.4
        ### To-dos
        - [x] Complete Task 1: Read it all
        - [ ] Task 3: Paint a house
        - [x] Finish tasks 4 and 5
        - [ ] Look at task 9 some day
    """)
    assert shown(plan) == [
        ("1", "Read it", "pending"),
        ("3", "Count it", "pending"),
        ("4", "Task 4", "done"),
        ("5", "Task 5", "done"),
    ]
    assert plan.tasks[1].dependencies == ("1", "99", "3.4")
    assert [owner(one) for one in plan.tasks] == ["Bob", "Bob", "Everybody", None]
    assert sorted(codes(plan), key=lambda one: one[1]) == [
        ("total", 2),
        ("contradicting-status", 3),
        ("contradicting-owner", 5),
        ("contradicting-priority", 12),
        ("second-heading", 14),
        ("contradicting-status", 17),
        ("contradicting-title", 18),
        ("passed-over", 20),
    ]


def test_code_comments_and_front_matter_are_no_tasks() -> None:
    plan = plan_of("""
        ---
        title: x
        ---
        <!--
        ## 7. Hidden
        -->
        ## 1. Shown
        ```sh
        ## 2. Not a heading
        - [ ] not a box
        ```
        ~~~
        ```
        ## 3. Nor this
        ~~~
        ## 4. Last
    """)
    assert [one.id for one in plan.tasks] == ["1", "4"]
    assert "## 2. Not a heading" in plan.tasks[0].details[0]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("[1, 2]", "1 2"),
        ("none", ""),
        ("N/A", ""),
        ("Task 3, Task 12.4", "3 12.4"),
        ("8-11, 14 and 16 to 18", "8 9 10 11 14 16 17 18"),
        ("#3 & #5", "3 5"),
        ("AB-12", "AB-12"),
        ("1–3", "1 2 3"),
        ("5-1", "5 1"),
        ("1-999999", "1 999999"),
    ],
)
def test_lists_of_ids(text: str, ids: str) -> None:
    assert list(ids_in(text)) == ids.split()


def test_where_tasks_are_named() -> None:
    text = "Tasks 12-14, 29 after Task 1: see subtasks 5 or task10, not tasks.json; task 3b or Task 7."
    assert [one.ids for one in mentions(text)] == [("12", "13", "14", "29"), ("1",), ("7",)]


def test_words_of_plans() -> None:
    assert [status_word(word) for word in ("Completed", "TODO", "in progress", "On hold", "odd")] == [
        "done", "pending", "in-progress", "deferred", None,
    ]  # fmt: skip
    assert [priority_word(word) for word in ("P0", "**High**", "high priority", "odd")] == [
        "critical",
        "high",
        "high",
        None,
    ]


lines = st.sampled_from(
    [
        "# A",
        "## 1. B",
        "### Task 2: C",
        "- [ ] d",
        "  - [x] e",
        "1. f",
        "**Status**: done | **Owner**: g",
        "| a | b |",
        "|---|---|",
        "```",
        "<!--",
        "-->",
        "",
        "text",
        "- **H (Tasks 1-3)** *(Owner: I)* – j",
        "- [x] Complete tasks 4, 5-6",
        "Tasks 1-9 are done.",
        "**Files**:",
        "- `k.py`",
        "Depends on: 1, 2",
        "## Ownership",
        "    indented",
        "\t- [ ] tab",
        "- [ ]",
    ]
)


@given(st.lists(lines, max_size=25).map("\n".join) | st.text(max_size=300))
def test_any_text_is_read(text: str) -> None:
    plan = read(text, "plan.md")
    ids = [one.id for one in plan.tasks if one.id]
    assert len(ids) == len(set(ids))
    assert all(one.title and one.title != "Task None" for one in plan.tasks)


def test_a_long_line_does_not_take_long() -> None:
    for piece in ("**", "- [ ] ", "| ", "Task 1, ", "((", "`a", "_a_ ", "1-2-", "[a](", "~~a"):
        text = "## 1. x\n\n" + piece * 2400 + "\n" + "Tasks " + "1, " * 6000 + "\n## 2. y\n"
        assert [one.id for one in read(text, "plan.md").tasks][:1] == ["1"]


# -- importing ---------------------------------------------------------------------------------------------------------


async def imported(work: Bench, text: str, name: str = "plan.md") -> Path:
    """Writes a plan and imports it."""
    path = work.root / name
    path.write_text(textwrap.dedent(text))
    await work.tasks.import_plan(path)
    return path


async def test_a_status_only_goes_forward(work: Bench) -> None:
    statuses = ["done", "in-progress", "cancelled", "pending", "completed", "review"]
    work.write({"tasks": [task(n, status=status) for n, status in enumerate(statuses, 1)]})
    await work.tasks.sync()
    path = work.root / "plan.md"
    path.write_text(
        "\n".join(f"- [{mark}] Task {n}: Task {n}" for n, mark in enumerate(["x", " ", "x", "x", "x", " "], 1))
    )
    report = await work.tasks.import_plan(path)
    assert (report.updated, report.unchanged) == (("4",), ("1", "2", "3", "5", "6"))
    assert [one.code for one in report.warnings] == ["kept-status"]
    assert "task 3 is cancelled in the tasks file and done in the plan" in report.warnings[0].message
    now = json.loads(work.file.read_text())["tasks"]
    assert [one["status"] for one in now] == ["done", "in-progress", "cancelled", "done", "completed", "review"]


async def test_what_was_imported_is_updated_and_what_was_written_stays(work: Bench) -> None:
    plan = "## 1. Read\nSlowly.\n## 2. Write\nBy hand.\n"
    await imported(work, plan)
    value = json.loads(work.file.read_text())
    value["tasks"][1]["description"] = "With a pen, said Ada."
    value["tasks"][1]["mine"] = True
    work.write(value)
    path = work.root / "plan.md"
    path.write_text(plan.replace("Slowly", "Quickly").replace("By hand", "By machine"))
    report = await work.tasks.import_plan(path)
    assert (report.updated, report.unchanged) == (("1",), ("2",))
    assert [one.message for one in report.warnings] == [
        "the description of task 2 in the tasks file was written by somebody and stays"
    ]
    first, second = json.loads(work.file.read_text())["tasks"]
    assert first["description"] == "Quickly."
    assert second == {**second, "description": "With a pen, said Ada.", "mine": True}


async def test_tasks_without_numbers_are_told_apart_by_their_titles(work: Bench) -> None:
    work.write({"tasks": [task(4, title="Ship it")]})
    await imported(work, "- [ ] Build it\n- [x] ship IT\n  - [x] notes\n  - [ ] tag\n")
    value = json.loads(work.file.read_text())["tasks"]
    assert [(one["id"], one["title"], one["status"]) for one in value] == [
        (4, "ship IT", "done"), (5, "Build it", "pending"),
    ]  # fmt: skip
    assert [(one["id"], one["status"]) for one in value[0]["subtasks"]] == [(1, "done"), (2, "pending")]
    raw = work.file.read_bytes()
    await imported(work, "- [ ] Build it\n- [x] ship IT\n  - [x] notes\n  - [ ] tag\n")
    assert work.file.read_bytes() == raw
    await imported(work, "- [ ] New\n- [ ] Build it\n- [x] ship IT\n  - [x] tag\n  - [ ] burn\n  - [ ] burn\n")
    value = json.loads(work.file.read_text())["tasks"]
    assert [one["title"] for one in value] == ["ship IT", "Build it", "New"]
    assert [(one["title"], one["status"]) for one in value[0]["subtasks"]] == [
        ("notes", "done"), ("tag", "done"), ("burn", "pending"),
    ]  # fmt: skip


async def test_ids_and_dependencies_are_written_as_the_file_writes_them(work: Bench) -> None:
    work.write({"tasks": [task("1"), task("2", "1")]})
    await work.tasks.sync()
    await imported(work, "## 2. Task 2\nDepends on: 1\n## 3. New\nDepends on: 1, 2, 77\n")
    value = json.loads(work.file.read_text())["tasks"]
    assert value[1] == task("2", "1")
    assert (value[2]["id"], value[2]["dependencies"]) == ("3", ["1", "2", "77"])
    assert (await work.tasks.get("3")).state == "broken"


async def test_an_import_warns_of_what_it_leads_to(work: Bench) -> None:
    path = work.root / "plan.md"
    path.write_text("## 1. A\nDepends on: 2\n## 2. B\nDepends on: 1, 9\n")
    report = await work.tasks.import_plan(path, dry_run=True)
    found = [(one.file, one.code) for one in report.warnings]
    assert found == [("plan.md", "missing-dependency"), (FLAT, "cycle"), (FLAT, "missing-dependency")]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"nothing here", "names no task"),
        (b"", "names no task"),
        (b"## 1. a\xff", "is not UTF-8, line 1"),
        (b"x" * 5_000_001, "is larger than the 5,000,000 bytes"),
    ],
)
async def test_a_plan_that_cannot_be_taken(work: Bench, data: bytes, said: str) -> None:
    path = work.root / "plan.md"
    path.write_bytes(data)
    with pytest.raises(Refused, match=said):
        await work.tasks.import_plan(path)
    with pytest.raises(NotFound, match="there is no plan"):
        await work.tasks.import_plan(work.root / "nowhere.md")
    with pytest.raises(Refused, match="cannot be read"):
        await work.tasks.import_plan(work.root)
    assert not work.file.exists()
