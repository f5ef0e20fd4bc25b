"""``vibehq scan``, ``ops``, ``provider``, ``route`` and ``assign``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import Call


@pytest.fixture
def broken(hq: Path, call: Call) -> Path:
    """A workspace with a task that depends on one that does not exist, scanned."""
    tasks = {"tasks": [{"id": 1, "title": "A", "status": "pending", "dependencies": [99]}]}
    (hq / ".mission_control" / "tasks.json").write_text(json.dumps(tasks), encoding="utf-8")
    assert call(hq, "scan", "--scope", "incremental").code == 0
    return hq


def test_a_scan_finds_and_resolves(broken: Path, call: Call) -> None:
    (issue,) = [one for one in call(broken, "ops", "list", "--json").json["items"] if one["detector"] == "task-graph"]
    promised = {"id", "fingerprint", "detector", "severity", "status", "title", "count", "firstSeen", "lastSeen"}
    assert promised <= set(issue)
    assert issue["status"] == "open"
    tasks = {"tasks": [{"id": 1, "title": "A", "status": "pending", "dependencies": []}]}
    (broken / ".mission_control" / "tasks.json").write_text(json.dumps(tasks), encoding="utf-8")
    scan = call(broken, "scan", "--scope", "full", "--json").json
    assert (scan["state"], scan["scope"], scan["resolved"]) == ("completed", "full", 1)
    shown = call(broken, "ops", "show", issue["id"], "--json").json
    assert (shown["status"], shown["resolvedBy"]) == ("resolved", "scan")
    assert shown["history"][0]["type"] == "issue.resolved"


def test_the_life_of_an_issue(broken: Path, call: Call) -> None:
    (issue,) = [one for one in call(broken, "ops", "list", "--json").json["items"] if one["detector"] == "task-graph"]
    one = issue["id"]
    assert call(broken, "ops", "ack", one, "--json").json["status"] == "acknowledged"
    snoozed = call(broken, "ops", "snooze", one, "--for", "3h", "--json").json
    assert snoozed["status"] == "snoozed"
    assert snoozed["snoozedUntil"] > snoozed["lastSeen"]
    assert call(broken, "ops", "snooze", one, "--until", "2035-01-31T09:00", "--json").json["status"] == "snoozed"
    assert call(broken, "ops", "claim", one, "--json").json["status"] == "claimed"
    assert call(broken, "ops", "resolve", one, "--note", "mended", "--json").json["status"] == "resolved"
    assert call(broken, "ops", "list", "--status", "open", "--severity", "critical", "--json").json["items"] == []
    assert call(broken, "ops", "reopen", one, "--json").json["status"] == "open"
    assert "task-graph" in call(broken, "ops", "show", one).out


def test_unknown_issues(hq: Path, call: Call) -> None:
    for verb in ("show", "ack", "snooze", "claim", "resolve", "reopen"):
        assert call(hq, "ops", verb, "99", "--json").code == 1


def test_providers(hq: Path, call: Call) -> None:
    listed = {one["name"]: one for one in call(hq, "provider", "list", "--json").json["items"]}
    assert {"codex", "claude", "gemini", "cursor", "aider", "opencode"} <= set(listed)
    assert all(one["installHint"] for one in listed.values() if one["state"] == "missing")
    shown = call(hq, "provider", "show", "codex", "--json").json
    assert shown["name"] == "codex"
    assert shown["command"][0] == "codex"
    assert call(hq, "provider", "show", "nobody", "--json").code == 1


def test_a_provider_of_ones_own(hq: Path, call: Call) -> None:
    made = call(hq, "provider", "new", "my-agent", "--json")
    assert made.code == 0
    assert Path(made.json["path"]).is_file()
    assert call(hq, "provider", "show", "my-agent", "--json").json["origin"].endswith("my-agent.toml")
    assert call(hq, "provider", "new", "my-agent").code == 1
    assert call(hq, "provider", "new", "../evil").code == 1


def test_route_and_assign(hq: Path, call: Call) -> None:
    route = call(hq, "route", "2", "--json").json
    assert route["reason"]
    assert {"name", "score", "reasons"} == set(route["candidates"][0])
    assigned = call(hq, "assign", "2", "codex", "--reason", "it knows the code", "--json").json
    assert (assigned["task"], assigned["provider"], assigned["reason"]) == ("2", "codex", "it knows the code")
    again = call(hq, "route", "2", "--json").json
    assert (again["choice"], again["by"]) == ("codex", "hand")
    assert "codex" in call(hq, "route", "2").out
    assert call(hq, "assign", "99", "codex").code == 1
    assert call(hq, "assign", "2", "nobody").code == 1


def test_logs(hq: Path, call: Call) -> None:
    (hq / "make.log").write_text("cc -c a.c\nERROR: a.c:3: no\ndone\n", encoding="utf-8")
    assert call(hq, "log", "ingest", "make.log", "--kind", "build", "--source", "make", "--json").json["lines"] == 3
    tail = call(hq, "log", "tail", "make", "--limit", "2", "--json").json["items"]
    assert [line["text"] for line in tail] == ["ERROR: a.c:3: no", "done"]
    assert tail[0]["level"] == "error"
    found = call(hq, "log", "search", "a.c", "--level", "error", "--json").json["items"]
    assert [line["source"] for line in found] == ["make"]
    assert [row["source"] for row in call(hq, "log", "tail", "--json").json["items"]] == ["make"]
    assert call(hq, "log", "tail", "nothing", "--json").code == 1
    assert call(hq, "log", "ingest", "nowhere.log", "--source", "x").code == 1
