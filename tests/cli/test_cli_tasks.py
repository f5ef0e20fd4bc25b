"""``vibehq task`` on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import Call

FILE = Path(".mission_control/tasks.json")


def test_list_by_status_and_state(hq: Path, call: Call) -> None:
    everything = call(hq, "task", "list", "--json").json
    assert {item["id"] for item in everything["items"]} == {"1", "2", "3"}
    assert everything["next"] is None
    assert [item["id"] for item in call(hq, "task", "list", "--ready", "--json").json["items"]] == ["2"]
    assert [item["id"] for item in call(hq, "task", "list", "--blocked", "--json").json["items"]] == ["3"]
    assert [item["id"] for item in call(hq, "task", "list", "--status", "done", "--json").json["items"]] == ["1"]
    assert call(hq, "task", "list", "--ready", "--blocked").code == 2


def test_a_record_has_the_promised_fields(hq: Path, call: Call) -> None:
    task = call(hq, "task", "show", "3", "--json").json
    assert {"id", "title", "status", "priority", "dependencies", "state"} <= set(task)
    assert task["id"] == "3"
    assert task["dependencies"] == ["2"]
    assert task["state"] == "blocked"


def test_pages(hq: Path, call: Call) -> None:
    first = call(hq, "task", "list", "--limit", "2", "--json").json
    rest = call(hq, "task", "list", "--limit", "2", "--cursor", first["next"], "--json").json
    assert len(first["items"]) == 2
    assert rest["next"] is None
    assert {item["id"] for item in first["items"] + rest["items"]} == {"1", "2", "3"}
    assert call(hq, "task", "list", "--cursor", "nonsense").code == 2


def test_the_table_has_a_line_for_each(hq: Path, call: Call) -> None:
    said = call(hq, "task", "list").out.splitlines()
    assert said[0].split() == ["id", "state", "priority", "title", "owner", "parts", "blocked", "by"]
    assert any("Build on it" in line and "ready" in line for line in said)
    assert "\x1b" not in "".join(said)


def test_show_of_an_unknown_id(hq: Path, call: Call) -> None:
    said = call(hq, "task", "show", "99", "--json")
    assert said.code == 1
    assert said.error["code"] == "not-found"
    assert "99" in said.error["message"]
    assert said.error["hint"]


def test_add_with_dependencies(hq: Path, call: Call) -> None:
    said = call(hq, "task", "add", "Sign it", "--depends", "1", "--depends", "2", "--priority", "high", "--json")
    assert said.code == 0
    assert said.json["id"] == "4"
    assert said.json["dependencies"] == ["1", "2"]
    assert said.json["priority"] == "high"
    written = json.loads((hq / FILE).read_text(encoding="utf-8"))["tasks"][-1]
    assert written["title"] == "Sign it"
    assert call(hq, "task", "add", "Nothing", "--depends", "99").code == 1


def test_status_is_written_back_and_unblocks(hq: Path, call: Call) -> None:
    said = call(hq, "task", "status", "2", "done", "--json")
    assert said.json["status"] == "done"
    assert call(hq, "task", "show", "3", "--json").json["state"] == "ready"
    assert json.loads((hq / FILE).read_text(encoding="utf-8"))["tasks"][1]["status"] == "done"
    types = [event["type"] for event in call(hq, "events", "--json").json["items"]]
    assert "task.status.changed" in types
    assert call(hq, "audit", "--json").json["items"][0]["verb"].startswith("task.")
    assert call(hq, "task", "status", "99", "done").code == 1


def test_import_of_a_plan(hq: Path, tmp_path: Path, call: Call) -> None:
    plan = tmp_path / "PLAN.md"
    plan.write_text(
        "# Plan\n\n### Task 4: Draw the map\n\n**Status**: pending | **Priority**: high | **Dependencies**: [2]\n\n"
        "1. Look\n2. Draw\n",
        encoding="utf-8",
    )
    before = (hq / FILE).read_bytes()
    dry = call(hq, "task", "import", str(plan), "--dry-run", "--json")
    assert dry.code == 0
    assert dry.json["added"] == ["4"]
    assert (hq / FILE).read_bytes() == before
    done = call(hq, "task", "import", str(plan), "--json")
    assert done.json["added"] == ["4"]
    assert call(hq, "task", "show", "4", "--json").json["title"] == "Draw the map"
    again = call(hq, "task", "import", str(plan), "--json").json
    assert again["added"] == []
    assert call(hq, "task", "import", str(tmp_path / "nowhere.md")).code == 1


def test_graph_shows_cycles_and_what_is_missing(hq: Path, call: Call) -> None:
    assert call(hq, "task", "graph", "--critical-path", "--json").json["criticalPath"] == ["2", "3"]
    tasks = {
        "tasks": [
            {"id": "a", "title": "A", "status": "pending", "dependencies": ["b"]},
            {"id": "b", "title": "B", "status": "pending", "dependencies": ["a"]},
            {"id": "c", "title": "C", "status": "pending", "dependencies": ["nowhere"]},
        ]
    }
    (hq / FILE).write_text(json.dumps(tasks), encoding="utf-8")
    said = call(hq, "task", "graph", "--json")
    assert said.code == 0
    assert sorted(said.json["cycles"][0]) == ["a", "b"]
    assert "nowhere" in json.dumps(said.json["missing"])
    assert "cycle" in call(hq, "task", "graph").out


def test_a_broken_file_changes_nothing_and_says_what_is_wrong(hq: Path, call: Call) -> None:
    (hq / FILE).write_text('{"tasks": [{"id": 1, "title": "x",', encoding="utf-8")
    said = call(hq, "task", "list")
    assert said.code == 1
    assert ".mission_control/tasks.json:1" in said.err
    assert call(hq, "patch", "list", "--json").code == 0
    valid = call(hq, "task", "validate", "--json")
    assert valid.code == 1
    assert valid.json["error"]["code"] == "tasks-file-broken"
    assert call(hq, "task", "status", "2", "done").code == 1


def test_an_unknown_status_is_named_with_its_path_and_what_is_allowed(hq: Path, call: Call) -> None:
    (hq / FILE).write_text('{"tasks": [{"id": 1, "title": "x", "status": "nonsense"}]}', encoding="utf-8")
    valid = call(hq, "task", "validate", "--json")
    assert valid.code == 1
    assert valid.json["valid"] is False
    (problem,) = valid.json["problems"]
    assert problem["path"] == "tasks[0].status"
    assert "in-progress" in problem["allowed"]
    assert ".mission_control/tasks.json:1:" in call(hq, "task", "validate").out


def test_validate_of_a_good_file_and_of_another(hq: Path, tmp_path: Path, call: Call) -> None:
    assert call(hq, "task", "validate", "--json").json == {"valid": True, "problems": []}
    other = tmp_path / "tasks.json"
    other.write_text("{", encoding="utf-8")
    assert call(hq, "task", "validate", str(other)).code == 1
    assert call(hq, "task", "validate", str(tmp_path / "nowhere.json")).code == 1


def test_duplicate_ids_and_binary_rubbish(hq: Path, call: Call) -> None:
    for content in (b'{"tasks":[{"id":1,"title":"a"},{"id":1,"title":"b"}]}', b"\x00\xff\xfe" * 100, b""):
        (hq / FILE).write_bytes(content)
        said = call(hq, "task", "validate", "--json")
        assert said.code == 1, content
        assert said.json["problems"][0]["message"]
        assert call(hq, "task", "status", "9", "done").code == 1
        assert (hq / FILE).read_bytes() == content


@pytest.mark.parametrize("arguments", [["list"], ["show", "1"], ["graph"]])
def test_a_broken_file_is_an_error_and_not_an_old_answer(hq: Path, call: Call, arguments: list[str]) -> None:
    assert call(hq, "task", "list", "--json").code == 0
    (hq / ".mission_control" / "tasks.json").write_text('{"tasks": [', encoding="utf-8")
    said = call(hq, "task", *arguments, "--json")
    assert said.code == 1
    assert said.json["error"]["code"] == "tasks-file-broken"
    assert said.json["error"]["details"]["problems"][0]["line"] == 1
