"""Opening a workspace: what is done before anybody gets to see it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from storage.errors import NotFound, Refused
from vibehq_tui.headquarters import Headquarters


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    root = tmp_path / "repo"
    (root / ".mission_control").mkdir(parents=True)
    subprocess.run(["git", "init", "-q", "-b", "trunk", str(root)], check=True)
    tasks = [
        {"id": 1, "title": "Write the docs", "status": "pending", "priority": "high"},
        {"id": 2, "title": "Mend the clock", "status": "pending", "dependencies": [1]},
    ]
    (root / ".mission_control" / "tasks.json").write_text(json.dumps({"tasks": tasks}))
    return root


async def test_without_a_workspace_the_hint_says_how_to_make_one(root: Path) -> None:
    with pytest.raises(NotFound) as caught:
        await Headquarters.open(root, via="cli")
    assert caught.value.code == "no-workspace" and "init" in caught.value.hint
    assert not (root / ".vibehq").exists()


async def test_a_broken_configuration_is_said_before_anything_is_done(root: Path) -> None:
    (root / "vibehq.toml").write_text("[scan]\nhourly = '1h'\n")
    with pytest.raises(Refused) as caught:
        await Headquarters.open(root, via="cli", create=True)
    assert caught.value.code == "config-invalid" and "incremental" in caught.value.message


async def test_rules_assign_tasks_as_they_come(root: Path) -> None:
    (root / "vibehq.toml").write_text('[[routes]]\nwords = ["docs"]\nprovider = "aider"\nreason = "writes well"\n')
    async with await Headquarters.open(root, via="cli", create=True) as hq:
        assignments = await hq.store.read(lambda tx: tx.providers.assignments())
        assert [(row.task, row.provider, row.by) for row in assignments] == [("1", "aider", "rule")]


async def test_the_tasks_file_can_be_named(root: Path) -> None:
    (root / "plan.json").write_text(json.dumps({"tasks": [{"id": 7, "title": "Only here", "status": "pending"}]}))
    (root / "vibehq.toml").write_text('[tasks]\nfile = "plan.json"\n')
    async with await Headquarters.open(root, via="cli", create=True) as hq:
        assert (await hq.tasks.get("7")).source == "plan.json"
        with pytest.raises(NotFound):
            await hq.tasks.get("1")


async def test_the_overview_counts(root: Path) -> None:
    async with await Headquarters.open(root, via="cli", create=True) as hq:
        overview = await hq.overview()
        assert (overview.workspace, overview.branch, overview.head) == ("repo", "trunk", None)
        assert overview.tasks == {"ready": 1, "blocked": 1}
        assert overview.patches == {} and overview.leader is None


async def test_a_reader_changes_nothing(root: Path) -> None:
    async with await Headquarters.open(root, via="cli", create=True):
        pass
    async with await Headquarters.open(root, via="tui", read_only=True) as hq:
        await hq.start_services()
        with pytest.raises(Refused):
            await hq.tasks.set_status("1", "done")
        assert (await hq.overview()).tasks == {"ready": 1, "blocked": 1}


async def test_services_start_and_stop(root: Path) -> None:
    async with await Headquarters.open(root, via="tui", create=True) as hq:
        await hq.start_services()
        async for events in hq.store.follow(0):
            if any(event.type == "leader.changed" for event in events):
                break
        assert hq.schedule.is_leader
