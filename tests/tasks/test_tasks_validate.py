"""Every fault of a tasks file is named with its place, the allowed values, and what was probably meant."""

from __future__ import annotations

from typing import Any

import pytest
from tasks_helpers import REAL_FILE, checked, states, task

from vibehq_tui.tasks.document import parse
from vibehq_tui.tasks.problems import TasksFileBroken
from vibehq_tui.tasks.validate import check


def told(tasks: list[Any], **more: Any) -> list[tuple[str, str, str, str]]:
    """Level, code, path and task of every problem."""
    found = checked({"tasks": tasks, **more})
    return [(one.level, one.code, one.path, one.task or "") for one in found.problems]


def test_the_real_file_has_one_fault() -> None:
    document = parse(REAL_FILE.read_bytes(), ".taskmaster/tasks/tasks.json")
    found = check(document)
    assert len(found.tasks) == 134
    (problem,) = found.problems
    assert (problem.level, problem.code, problem.path) == ("warning", "cycle", "master.tasks[23].dependencies")
    assert "24 → 38 → 30 → 24" in problem.message
    line = document.text.splitlines()[problem.line - 1]
    assert line[problem.column - 1 :].startswith("[")
    assert '"dependencies"' in line
    by_id = {one.id: one for one in found.tasks}
    assert by_id["11.3"].dependencies == ("11.1", "11.2")
    assert by_id["3.2"].dependencies == ("3.1",)
    assert (by_id["3"].subtasks_done, by_id["3"].subtasks_total) == (1, 4)
    assert by_id["2"].owner == "cursorchmod"
    assert by_id["2"].tag == "master"
    assert [one.position for one in found.tasks] == list(range(134))
    assert "subtasks" not in by_id["3"].data
    assert by_id["3"].data["testStrategy"]


@pytest.mark.parametrize(
    ("tasks", "expected"),
    [
        ([{"title": "a"}], ("error", "bad-id", "tasks[0].id", "")),
        ([{"id": None, "title": "a"}], ("error", "bad-id", "tasks[0].id", "")),
        ([{"id": True, "title": "a"}], ("error", "bad-id", "tasks[0].id", "")),
        ([{"id": 1.5, "title": "a"}], ("error", "bad-id", "tasks[0].id", "")),
        ([{"id": "  ", "title": "a"}], ("error", "bad-id", "tasks[0].id", "")),
        ([{"id": 1}], ("error", "bad-title", "tasks[0].title", "1")),
        ([{"id": 1, "title": ["a"]}], ("error", "bad-title", "tasks[0].title", "1")),
        (["a task"], ("error", "wrong-type", "tasks[0]", "")),
        ([task(1), None], ("error", "wrong-type", "tasks[1]", "")),
        ([task(1, title="")], ("warning", "empty-title", "tasks[0].title", "1")),
        ([task(1, status="finished")], ("warning", "unknown-status", "tasks[0].status", "1")),
        ([task(1, status=None)], ("warning", "unknown-status", "tasks[0].status", "1")),
        ([task(1, priority="urgent")], ("warning", "unknown-priority", "tasks[0].priority", "1")),
        ([task(1, priority=3)], ("warning", "unknown-priority", "tasks[0].priority", "1")),
        ([task(1) | {"dependencies": "2"}], ("warning", "wrong-type", "tasks[0].dependencies", "1")),
        ([task(1) | {"dependencies": [None]}], ("warning", "wrong-type", "tasks[0].dependencies[0]", "1")),
        ([task(1, 9)], ("warning", "missing-dependency", "tasks[0].dependencies", "1")),
        ([task(1, 1)], ("warning", "cycle", "tasks[0].dependencies", "1")),
        ([task(1), task("1")], ("warning", "duplicate-id", "tasks[1]", "1")),
        ([task(1, subtasks={})], ("warning", "wrong-type", "tasks[0].subtasks", "1")),
        ([task(1, subtasks=[{"title": "a"}])], ("warning", "bad-id", "tasks[0].subtasks[0].id", "1")),
        ([task(1, subtasks=[{"id": 1}])], ("warning", "bad-title", "tasks[0].subtasks[0].title", "1.1")),
        ([task(1, subtasks=[3])], ("error", "wrong-type", "tasks[0].subtasks[0]", "")),
        ([task(1, details=["a"])], ("warning", "wrong-type", "tasks[0].details", "1")),
        ([task(1, assignee=5)], ("warning", "wrong-type", "tasks[0].assignee", "1")),
        ([task(1, 2), task(2, status="cancelled")], ("warning", "cancelled-dependency", "tasks[0].dependencies", "1")),
    ],
)
def test_each_fault_has_its_place(tasks: list[Any], expected: tuple[str, str, str, str]) -> None:
    assert told(tasks) == [expected]


def test_a_problem_says_where_what_and_what_instead() -> None:
    text = '{"tasks": [\n  {"id": 1, "title": "a",\n   "status": "in_progres"}\n]}'
    (problem,) = check(parse(text.encode(), "x/tasks.json")).problems
    assert (problem.line, problem.column) == (3, 14)
    assert problem.allowed[:2] == ("pending", "in-progress")
    assert str(problem) == (
        "x/tasks.json:3:14: tasks[0].status: 'in_progres' is no status; it is one of pending, in-progress, review,"
        " blocked, done, completed, deferred, cancelled; did you mean in-progress?"
    )


def test_a_missing_key_is_told_at_its_task() -> None:
    text = '{"tasks": [\n  {"id": 1,\n   "status": "done"}\n]}'
    (problem,) = check(parse(text.encode(), "tasks.json")).problems
    assert (problem.path, problem.line, problem.column, problem.message) == ("tasks[0].title", 2, 3, "title is missing")


def test_a_file_with_an_error_says_so_and_one_with_warnings_goes_on() -> None:
    assert checked({"tasks": [task(1), {"id": 2}]}).broken
    found = checked({"tasks": [task(1, status="odd"), task(2, 1), task(3, 77), task(1, title="second")]})
    assert not found.broken
    assert states(found) == {"1": "broken", "2": "blocked", "3": "broken"}
    assert found.tasks[0].title == "Task 1"
    assert found.tasks[0].status == "odd"
    assert found.tasks[2].blocked_by == ("77",)


def test_errors_come_first() -> None:
    found = checked({"tasks": [task(1, status="odd"), {"id": 2}]})
    assert [one.level for one in found.problems] == ["error", "warning"]
    assert "bad-title" in str(found.problems[0].code)
    assert "title is missing" in str(TasksFileBroken(found.problems))


def test_words_of_the_file_are_kept() -> None:
    (one,) = checked({"tasks": [task(1, status=7, priority="urgent")]}).tasks
    assert (one.status, one.priority, one.state) == ("7", "urgent", "broken")
    (one,) = checked({"tasks": [{"id": 1, "title": "a"}]}).tasks
    assert (one.status, one.priority, one.state) == ("pending", "medium", "ready")


def test_ids_of_subtasks_and_what_they_depend_on() -> None:
    found = checked(
        {
            "tasks": [
                task(3),
                task(12, "12.4", subtasks=[task(1), task("12.2", 1), task(3, 3, "12.2", 12.2), task(4, 3)]),
                task(
                    13,
                    3,
                    "3",
                    subtasks=[task(3), task(1, 12, "12.1", 3), task(2, subtasks=[task(1), task(2, 1)])],
                ),
            ]
        }
    )
    by_id = {one.id: one for one in found.tasks}
    assert list(by_id) == ["3", "12", "12.1", "12.2", "12.3", "12.4", "13", "13.3", "13.1", "13.2", "13.2.1", "13.2.2"]
    assert by_id["12.2"].dependencies == ("12.1",)
    assert by_id["12.3"].dependencies == ("12.3", "12.2")  # a sibling before a task of the same number
    assert by_id["12.4"].dependencies == ("12.3",)
    assert by_id["13.1"].dependencies == ("12", "12.1", "13.3")
    assert by_id["13"].dependencies == ("3",)
    assert by_id["13.2.2"].dependencies == ("13.2.1",)
    assert (by_id["13.2"].parent, by_id["13.2.1"].parent) == ("13", "13.2")
    assert by_id["12"].dependencies == ("12.4",)
    assert [one.code for one in found.problems] == ["cycle", "number-id"]


def test_tags_do_not_share_ids() -> None:
    found = checked(
        {
            "feature": {"tasks": [task(1), task(2, 1, 5)]},
            "master": {"tasks": [task(1, subtasks=[task(1)]), task(5, "1.1")]},
        }
    )
    by_id = {one.id: one for one in found.tasks}
    assert list(by_id) == ["1", "1.1", "5", "feature:1", "feature:2"]
    assert by_id["feature:2"].dependencies == ("feature:1", "5")
    assert (by_id["1"].tag, by_id["feature:1"].tag) == ("master", "feature")
    assert found.problems == ()


def test_a_second_task_of_an_id_takes_its_subtasks_with_it() -> None:
    found = checked({"tasks": [task(1, subtasks=[task(1)]), task(1, subtasks=[task(1), task(2)])]})
    assert [one.id for one in found.tasks] == ["1", "1.1"]
    assert [one.path for one in found.problems] == ["tasks[1]"]


def test_hostile_text_is_harmless_in_messages_and_kept_in_data() -> None:
    found = checked({"tasks": [task(1, title="\x1b]52;c;x\x07", status="\x9b2J\u202e")]})
    assert found.tasks[0].title == "\x1b]52;c;x\x07"
    for problem in found.problems:
        assert str(problem).isprintable()
