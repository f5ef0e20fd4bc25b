"""A real git repository with a workspace in it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from patch_helpers import LINES, Repository

from vibehq_tui.headquarters import Headquarters


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Two committed files of forty lines, and a tasks file of three tasks."""
    root = tmp_path / "repo"
    root.mkdir()
    repo = Repository(root)
    repo.git("init", "-q", "-b", "main")
    repo.write("a.txt", "".join(LINES))
    repo.write("b.txt", "".join(LINES))
    tasks = [
        {"id": 1, "title": "First", "status": "done", "priority": "high", "dependencies": []},
        {"id": 2, "title": "Second", "status": "in-progress", "priority": "medium", "dependencies": [1]},
        {"id": 3, "title": "Third", "status": "pending", "priority": "low", "dependencies": [2]},
    ]
    repo.write(".mission_control/tasks.json", json.dumps({"tasks": tasks}, indent=2) + "\n")
    repo.commit("Begin")
    return repo


@pytest.fixture
async def hq(repository: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[Headquarters]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    async with await Headquarters.open(repository.root, via="cli", create=True, actor="ada") as opened:
        yield opened
