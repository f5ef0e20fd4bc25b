"""Tasks files are read with places, and what is no tasks file is refused with its place."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tasks_helpers import REAL_FILE, task

from vibehq_tui.tasks.document import parse
from vibehq_tui.tasks.problems import TasksFileBroken


def broken(data: bytes, **more: int) -> str:
    """What is said of a file that cannot be read."""
    with pytest.raises(TasksFileBroken) as caught:
        parse(data, "tasks.json", **more)
    (problem,) = caught.value.problems
    assert problem.level == "error"
    assert caught.value.exit_code == 1
    return str(problem)


def test_the_real_file_has_all_its_tasks_in_place() -> None:
    data = REAL_FILE.read_bytes()
    document = parse(data, "tasks.json")
    nodes = list(document.nodes())
    assert sum(node.parent is None for node in nodes) == 38
    assert sum(node.parent is not None for node in nodes) == 96
    assert document.problems.all() == ()
    for node in nodes:
        start, end = document.locate(node)
        assert json.loads(document.text[start:end]) == node.value
        start, end = document.locate(node, "status")
        assert json.loads(document.text[start:end]) == node.value["status"]
    assert document.encode(document.text) == data


@pytest.mark.parametrize(
    ("value", "tags"),
    [
        ({"tasks": [task(1)]}, [None]),
        ([task(1)], [None]),
        ({"master": {"tasks": [task(1)], "metadata": {}}}, ["master"]),
        ({"metadata": {"v": 1}, "feature": {"tasks": []}, "master": {"tasks": [task(1)]}}, ["master", "feature"]),
        ({"b": {"tasks": [task(1)]}, "a": {"tasks": []}}, ["b", "a"]),
        ({"version": 2, "tasks": [task(1)], "meta": {"tasks": "none"}}, [None]),
    ],
)
def test_every_layout_is_read(value: object, tags: list[str | None]) -> None:
    document = parse(json.dumps(value).encode(), "tasks.json")
    assert [one.tag for one in document.lists] == tags
    assert len(list(document.nodes())) == 1
    assert [one.prefix for one in document.lists] == ["", *(f"{tag}:" for tag in tags[1:])]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "tasks.json: the file is empty"),
        (b" \n\n ", "the file is empty"),
        (b"{", "tasks.json:1:2: not JSON: expecting property name enclosed in double quotes; the file seems to be cut"),
        (
            b'{"tasks": [\n  {"id": 1, "title": "ab',
            "tasks.json:2:22: not JSON: unterminated string starting at; the file",
        ),
        (b'{"tasks": [\n  {"id": 1},\n]}', "tasks.json:3:1: not JSON: "),
        (b'{"tasks": []} x', "tasks.json:1:15: not JSON: extra data"),
        (b"{'tasks': []}", "tasks.json:1:2: not JSON"),
        (b'{"tasks": [\n<<<<<<< HEAD\n{"id": 1}', "tasks.json:2:1: not JSON: a merge conflict of git is left in it"),
        (b'{"tasks": [\n"\xc3("]}', "tasks.json:2:2: byte 0xc3 at offset 13 is not UTF-8"),
        ('{"tasks": []}'.encode("utf-16"), "it looks like UTF-16"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"tasks": [' + b"[" * 200_000, "nested too deeply"),
        (b'{"tasks": [1' + b"0" * 5000 + b"]}", "not readable"),
        (b"\x7fELF\x02\x01\x01", "tasks.json:1:1: not JSON"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_place(data: bytes, said: str) -> None:
    assert said in broken(data)


def test_a_huge_file_is_refused() -> None:
    assert "it has 101 bytes; a tasks file may have 100" in broken(b" " * 101, max_bytes=100)


@pytest.mark.parametrize(
    ("data", "path", "line", "message"),
    [
        (b'{"x": 1}', "", 1, "there is no list of tasks"),
        (b"3", "", 1, "there is no list of tasks"),
        (b'{\n"tasks": {}}', "tasks", 2, "has to be a list of tasks, not an object"),
        (b'{"a": {\n"tasks": null}}', "a.tasks", 2, "has to be a list of tasks, not null"),
        (b'{"tasks": [{"t": "NaN",\n"x": [NaN]}]}', "tasks[0]", 2, "NaN is no JSON number"),
        (b'{"m": [-Infinity], "tasks": []}', "m", 1, "-Infinity is no JSON number"),
    ],
)
def test_what_is_no_tasks_file_is_an_error(data: bytes, path: str, line: int, message: str) -> None:
    problems = parse(data, "tasks.json").problems
    assert problems.broken
    (problem,) = problems.all()
    assert (problem.path, problem.line) == (path, line)
    assert message in problem.message


def test_keys_that_stand_twice_are_warnings_with_their_places() -> None:
    text = """{
  "tasks": [{"id": 1}],
  "tasks": [
    {"id": 1, "title": "a", "metadata": {"x": [{"y": 1, "y": 2}]}, "title": "b"}
  ],
  "a": 1, "a": 2
}"""
    document = parse(text.encode(), "tasks.json")
    assert not document.problems.broken
    found = [(one.code, one.path, one.line) for one in document.problems.all()]
    assert found == [
        ("duplicate-key", "tasks", 3),
        ("duplicate-key", "tasks[0].metadata.x[0].y", 4),
        ("duplicate-key", "tasks[0].title", 4),
        ("duplicate-key", "a", 6),
    ]
    (node,) = document.nodes()
    assert node.value["title"] == "b"
    start, end = document.locate(node, "title")
    assert document.text[start:end] == '"b"'


def test_a_byte_order_mark_is_kept_and_warned_of() -> None:
    data = b'\xef\xbb\xbf{"tasks": []}'
    document = parse(data, "tasks.json")
    assert [one.code for one in document.problems.all()] == ["byte-order-mark"]
    assert document.encode(document.text) == data


def test_a_file_that_is_flat_and_tagged_says_what_is_not_read() -> None:
    document = parse(json.dumps({"old": {"tasks": [task(9)]}, "tasks": [task(1)]}).encode(), "tasks.json")
    assert [node.value["id"] for node in document.nodes()] == [1]
    (problem,) = document.problems.all()
    assert "the tasks of old are not read" in problem.message


@given(st.binary(max_size=200) | st.text(alphabet='{}[]",:tasks 01\\\n', max_size=60).map(str.encode))
def test_no_input_makes_it_fall_over(data: bytes) -> None:
    try:
        document = parse(data, "tasks.json")
    except TasksFileBroken as error:
        assert error.problems
    else:
        assert document.problems.broken or document.lists


def test_problems_are_kept_up_to_a_number_and_counted_beyond() -> None:
    twice = ",".join('{"id": 1, "id": 2}' for _ in range(500))
    problems = parse(f'{{"tasks": [{twice}]}}'.encode(), "tasks.json").problems.all()
    assert len(problems) == 201
    assert problems[-1].message == "300 more warnings were left out"
