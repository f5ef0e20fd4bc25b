"""A change replaces exactly what it has to; every other byte of the file stays."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tasks_helpers import REAL_FILE

from vibehq_tui.tasks.document import Document, parse
from vibehq_tui.tasks.splice import Editor, new_document
from vibehq_tui.tasks.validate import check

scalars = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.floats(allow_nan=False, allow_infinity=False)
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
task_values: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"title": st.text(max_size=10)},
    optional={
        "status": st.sampled_from(["pending", "done", "odd", "", "review"]) | values,
        "details": values,
        "\u2028": values,
        "metadata": values,
        "status ": values,
        "subtasks": st.lists(
            st.fixed_dictionaries({"title": st.text(max_size=4)}, optional={"status": values}), max_size=3
        ),
    },
)


@st.composite
def tasks_files(draw: st.DrawFn) -> tuple[bytes, int]:
    """A tasks file of any content in any style, and how many tasks it has."""
    tasks = draw(st.lists(task_values, min_size=1, max_size=4))
    for number, one in enumerate(tasks, 1):
        items = list(one.items())
        items.insert(draw(st.integers(0, len(items))), ("id", number))
        one.clear()
        one.update(items)
        for below, sub in enumerate(one.get("subtasks") or [], 1):
            sub["id"] = below
    value: Any = {"tasks": tasks}
    if draw(st.booleans()):
        value = {"meta": draw(values), "master": {"metadata": draw(values), **value}, "zulu": draw(scalars)}
    text = json.dumps(
        value,
        indent=draw(st.sampled_from([None, 0, 1, 2, 4, "\t"])),
        ensure_ascii=draw(st.booleans()),
        separators=draw(st.sampled_from([None, (",", ":"), (" , ", " : ")])),
    )
    if draw(st.booleans()):
        text = text.replace("\n", "\r\n")
    text = draw(st.sampled_from(["", "\n", " \n\t"])) + text + draw(st.sampled_from(["", "\n", "\r\n  "]))
    return draw(st.sampled_from([b"", b"\xef\xbb\xbf"])) + text.encode(), len(tasks)


def holder(document: Document, value: Any, path: tuple[str | int, ...]) -> Any:
    """What a path leads to."""
    for step in path:
        value = value[step]
    return value


@given(tasks_files(), st.data())
def test_only_the_status_differs_afterwards(made: tuple[bytes, int], data: st.DataObject) -> None:
    raw, _ = made
    document = parse(raw, "tasks.json")
    checked = check(document)
    key = data.draw(st.sampled_from(sorted(checked.nodes)))
    node = checked.nodes[key]
    wanted = data.draw(st.sampled_from(["pending", "done", "in-progress"]))
    editor = Editor(document)
    changed = editor.set(node, {"status": wanted})
    new = document.encode(editor.result())

    before = json.loads(raw.decode("utf-8-sig"))
    expected = copy.deepcopy(before)
    holder(document, expected, node.path)["status"] = wanted
    after = json.loads(new.decode("utf-8-sig"))
    assert json.dumps(after) == json.dumps(expected)  # values and the order of all keys
    assert changed == (node.value.get("status") != wanted)

    offset = len(raw) - len(document.text.encode())
    if "status" in node.value:
        start, end = document.locate(node, "status")
        head, tail = document.text[:start].encode(), document.text[end:].encode()
    else:
        start, end = document.locate(node)
        head, tail = document.text[:start].encode(), document.text[end:].encode()
        assert document.text[start : end - 1].rstrip() in editor.result()
    assert new[: offset + len(head)] == raw[: offset + len(head)]
    assert new.endswith(tail)
    if not changed:
        assert new == raw


@given(tasks_files(), st.lists(task_values, min_size=1, max_size=3))
def test_added_tasks_are_there_and_nothing_else_moved(made: tuple[bytes, int], added: list[dict[str, Any]]) -> None:
    raw, _ = made
    document = parse(raw, "tasks.json")
    editor = Editor(document)
    editor.append(document.lists[0], added)
    new = document.encode(editor.result())
    expected = json.loads(raw.decode("utf-8-sig"))
    holder(document, expected, document.lists[0].path).extend(added)
    assert json.dumps(json.loads(new.decode("utf-8-sig"))) == json.dumps(expected)
    end = document.lists[0].items[-1].end
    offset = len(raw) - len(document.text.encode())
    assert new[: offset + len(document.text[:end].encode())] == raw[: offset + len(document.text[:end].encode())]
    assert new.endswith(document.text[end:].encode())


def test_one_word_of_the_real_file() -> None:
    raw = REAL_FILE.read_bytes()
    document = parse(raw, "tasks.json")
    for key, node in check(document).nodes.items():
        old = json.dumps(node.value["status"])
        editor = Editor(document)
        assert editor.set(node, {"status": "review"})
        new = document.encode(editor.result())
        start, end = document.locate(node, "status")
        assert document.text[start:end] == old, key
        assert new == (document.text[:start] + '"review"' + document.text[end:]).encode()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{"tasks":[{"id":1,"title":"a"}]}', '{"tasks":[{"id":1,"title":"a","status":"done"}]}'),
        ('{"tasks": [{"id": 1, "title": "a"}]}', '{"tasks": [{"id": 1, "title": "a", "status": "done"}]}'),
        (
            '{\n\t"tasks": [\n\t\t{\n\t\t\t"id": 1,\n\t\t\t"title": "a"\n\t\t}\n\t]\n}\n',
            '{\n\t"tasks": [\n\t\t{\n\t\t\t"id": 1,\n\t\t\t"title": "a",\n\t\t\t"status": "done"\n\t\t}\n\t]\n}\n',
        ),
        (
            '{"tasks": [\r\n  { "id" : 1\r\n  , "title" : "a"\r\n  }]}',
            '{"tasks": [\r\n  { "id" : 1\r\n  , "title" : "a", "status" : "done"\r\n  }]}',
        ),
        (
            '{"tasks": [{"id": 1, "title": "\\u00e9\\/", "status": "pen\\u0064ing" , "x": 1.0e0}]}',
            '{"tasks": [{"id": 1, "title": "\\u00e9\\/", "status": "done" , "x": 1.0e0}]}',
        ),
        (
            '{"tasks": [{"id": 1, "status": "a", "title": "a", "status": "b"}]}',
            '{"tasks": [{"id": 1, "status": "a", "title": "a", "status": "done"}]}',
        ),
    ],
)
def test_what_is_put_in_looks_like_its_surroundings(before: str, after: str) -> None:
    document = parse(before.encode(), "tasks.json")
    editor = Editor(document)
    assert editor.set(check(document).nodes["1"], {"status": "done"})
    assert editor.result() == after


def test_a_task_is_added_in_the_style_of_the_file() -> None:
    text = '{\n    "tasks": [\n        {\n            "id": 1,\n            "title": "a"\n        }\n    ]\n}'
    document = parse(text.encode(), "tasks.json")
    editor = Editor(document)
    editor.append(document.lists[0], [{"id": 2, "title": "b"}])
    assert editor.result() == (
        '{\n    "tasks": [\n        {\n            "id": 1,\n            "title": "a"\n        },\n'
        '        {\n            "id": 2,\n            "title": "b"\n        }\n    ]\n}'
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (new_document([]), '{\n  "tasks": [\n    {\n      "id": 1\n    }\n  ]\n}\n'),
        ('{"tasks":[ ]}', '{"tasks":[{"id":1}]}'),
        ("[]", '[{"id":1}]'),
        ('{\n  "tasks": [\n  ]\n}', '{\n  "tasks": [\n    {\n      "id": 1\n    }\n  ]\n}'),
    ],
)
def test_the_first_task_of_an_empty_list(before: str, after: str) -> None:
    document = parse(before.encode(), "tasks.json")
    editor = Editor(document)
    editor.append(document.lists[0], [{"id": 1}])
    assert editor.result() == after


def test_several_changes_at_once() -> None:
    text = json.dumps({"tasks": [{"id": 1, "title": "a", "dependencies": [7]}, {"id": 2, "title": "b"}]}, indent=2)
    document = parse(text.encode(), "tasks.json")
    nodes = check(document).nodes
    editor = Editor(document)
    editor.set(nodes["1"], {"title": "A", "phase": "x", "dependencies": [2, "3.1"], "assignee": "ada"})
    editor.append_subtasks(nodes["1"], [{"id": 1, "title": "s"}])
    editor.append(document.lists[0], [{"id": 3}, {"id": 4}])
    assert json.loads(editor.result()) == {
        "tasks": [
            {"id": 1, "title": "A", "dependencies": [2, "3.1"], "phase": "x", "assignee": "ada"}
            | {"subtasks": [{"id": 1, "title": "s"}]},
            {"id": 2, "title": "b"},
            {"id": 3},
            {"id": 4},
        ]
    }


def test_text_that_utf8_cannot_hold_is_escaped() -> None:
    document = parse(b'{"tasks": [{"id": 1, "title": "\xc3\xa9"}]}', "tasks.json")
    editor = Editor(document)
    editor.append(document.lists[0], [{"id": 2, "title": "half \udcff é"}])
    new = document.encode(editor.result())
    assert json.loads(new)["tasks"][1]["title"] == "half \udcff é"
