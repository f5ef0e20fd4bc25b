"""Where a workspace is: init, -C, subfolders, work trees, and what is said where there is none."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from conftest import Call, git, vibehq


def test_init_says_what_it_did_and_leaves_the_repository_clean(repository: Path, call: Call) -> None:
    said = call(repository, "init")
    assert said.code == 0
    assert f"set up {repository}" in said.out
    assert "3 tasks in .mission_control/tasks.json" in said.out
    assert said.out.splitlines()[-1].startswith("next: ")
    assert (repository / ".vibehq" / ".gitignore").read_text() == "*\n"
    assert git(repository, "status", "--porcelain") == ""


def test_init_is_safe_to_repeat_and_overwrites_nothing(repository: Path, call: Call) -> None:
    call(repository, "init", "--config")
    (repository / "vibehq.toml").write_text('[tasks]\non_applied = "review"\n', encoding="utf-8")
    tasks = (repository / ".mission_control" / "tasks.json").read_bytes()
    call(repository, "task", "status", "2", "in-progress")
    again = call(repository, "init", "--config", "--tasks", "--json")
    assert again.code == 0
    assert again.json["created"] is False
    assert again.json["wrote"] == []
    assert "review" in (repository / "vibehq.toml").read_text(encoding="utf-8")
    assert (repository / ".mission_control" / "tasks.json").read_bytes() != tasks  # the status, written back
    assert call(repository, "task", "show", "2", "--json").json["status"] == "in-progress"


def test_init_writes_what_it_is_asked_for(tmp_path: Path, call: Call) -> None:
    git(tmp_path, "init", "-q")
    said = call(tmp_path, "init", "--tasks", "--config", "--json")
    assert said.json["wrote"] == ["vibehq.toml", ".mission_control/tasks.json"]
    assert call(tmp_path, "task", "add", "The first").code == 0
    assert call(tmp_path, "task", "list", "--json").json["items"][0]["title"] == "The first"


def test_init_without_a_tasks_file_says_what_makes_one(tmp_path: Path, call: Call) -> None:
    git(tmp_path, "init", "-q")  # no commit yet either
    said = call(tmp_path, "init")
    assert said.code == 0
    assert "vibehq task import PLAN.md" in said.out


def test_init_in_a_subfolder_sets_up_the_top(repository: Path, call: Call) -> None:
    below = repository / "src" / "deep"
    below.mkdir(parents=True)
    assert call(below, "init", "--json").json["workspace"] == str(repository)
    assert call(below, "task", "list", "--json").code == 0
    assert not (below / ".vibehq").exists()


def test_init_outside_git(tmp_path: Path, call: Call) -> None:
    said = call(tmp_path, "init")
    assert said.code == 1
    assert "is not in a git repository" in said.err
    assert "--no-git" in said.err
    assert not (tmp_path / ".vibehq").exists()
    assert call(tmp_path, "init", "--no-git").code == 0
    assert call(tmp_path, "task", "list", "--json").json == {"items": [], "next": None}


def test_init_in_a_bare_repository_and_in_the_folder_of_git(tmp_path: Path, repository: Path, call: Call) -> None:
    bare = tmp_path / "bare.git"
    git(tmp_path, "init", "-q", "--bare", str(bare))
    assert "bare repository" in call(bare, "init").err
    assert call(repository / ".git", "init").code == 1
    assert not (bare / ".vibehq").exists()


def test_init_where_the_state_folder_cannot_be_one(repository: Path, tmp_path: Path, call: Call) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (repository / ".vibehq").symlink_to(elsewhere)
    said = call(repository, "init")
    assert said.code == 1
    assert "is not a folder" in said.err
    assert list(elsewhere.iterdir()) == []


def test_a_linked_work_tree_reports_to_its_headquarters(hq: Path, tmp_path: Path, call: Call) -> None:
    tree = tmp_path / "tree"
    git(hq, "worktree", "add", "-q", "--detach", str(tree))
    assert call(tree, "task", "show", "2", "--json").json["title"] == "Build on it"
    assert call(tree, "init", "--json").json["workspace"] == str(tree)
    assert call(tree, "doctor", "--json").json["items"][6]["message"] == str(tree)


def test_dash_c_before_and_after_the_command(hq: Path, tmp_path: Path, call: Call) -> None:
    assert call(tmp_path, "-C", str(hq), "task", "list", "--json").code == 0
    assert call(tmp_path, "task", "--json", "list", "-C", str(hq)).code == 0
    assert call(tmp_path, "--json", "task", "-C", str(hq), "list").json["next"] is None


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("task", "list"),
        ("patch", "list"),
        ("patch", "submit"),
        ("ops", "list"),
        ("events",),
        ("log", "tail"),
        ("db", "check"),
        ("audit",),
        ("provider", "list"),
        ("scan", "--scope", "full"),
    ],
    ids=" ".join,
)
def test_every_command_says_where_there_is_no_workspace(
    arguments: tuple[str, ...], repository: Path, tmp_path: Path, call: Call
) -> None:
    outside = call(tmp_path, *arguments)
    assert outside.code == 1
    assert "no workspace here" in outside.err
    assert "vibehq init" in outside.err
    said = call(repository, *arguments)
    assert said.code == 1
    assert "hint: vibehq init sets it up" in said.err
    if arguments:
        assert call(repository, *arguments, "--json").error["code"] == "no-workspace"
    assert not (repository / ".vibehq").exists()


def test_a_folder_that_does_not_exist(tmp_path: Path, call: Call) -> None:
    said = call(tmp_path, "-C", str(tmp_path / "nowhere"), "task", "list", "--json")
    assert said.code == 1
    assert "nowhere" in said.error["message"]


def test_a_state_folder_of_patchctl_is_no_workspace(repository: Path, call: Call) -> None:
    (repository / ".vibehq").mkdir()
    assert call(repository, "task", "list").code == 1
    assert call(repository, "init", "--json").json["created"] is True


def test_a_folder_with_its_own_storage_package_does_not_get_in_the_way(hq: Path) -> None:
    (hq / "storage").mkdir()
    (hq / "storage" / "__init__.py").write_text("raise RuntimeError('theirs')\n", encoding="utf-8")
    assert vibehq(hq, "task", "list", "--json").code == 0


def test_the_screens_need_a_terminal(hq: Path, call: Call) -> None:
    said = call(hq)
    assert said.code == 1
    assert "need a terminal" in said.err
    assert call(hq, "--json").error["code"] == "usage"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(repository: Path, call: Call) -> None:
    repository.chmod(0o500)
    try:
        said = call(repository, "init", "--json")
    finally:
        repository.chmod(0o700)
    assert said.code == 1
    assert ".vibehq" in said.error["message"]


def test_doctor(hq: Path, repository: Path, call: Call) -> None:
    said = call(hq, "doctor", "--json")
    items = {item["name"]: item for item in said.json["items"]}
    assert {"python", "packages", "sqlite", "git", "file system", "store", "tasks", "agents", "journal"} <= set(items)
    assert all(item["hint"] for item in items.values() if item["result"] != "ok")
    assert said.code == (1 if "error" in said.json else 0)
    assert "workspace" in call(hq, "doctor").out


def test_doctor_without_a_workspace_and_with_a_broken_tasks_file(hq: Path, tmp_path: Path, call: Call) -> None:
    outside = call(tmp_path, "doctor", "--json")
    assert outside.code == 1
    assert outside.json["items"][-1]["hint"]
    (hq / ".mission_control" / "tasks.json").write_text("{", encoding="utf-8")
    said = call(hq, "doctor", "--json")
    assert said.code == 1
    broken = [item for item in said.json["items"] if item["result"] == "error"]
    assert [item["name"] for item in broken] == ["tasks"]
    json.dumps(said.json)
