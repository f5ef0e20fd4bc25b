"""A real repository, the command line in this process, and the command line as a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from vibehq_tui.cli.main import run

TASKS = {
    "tasks": [
        {"id": 1, "title": "Lay the ground", "status": "done", "priority": "high", "dependencies": []},
        {"id": 2, "title": "Build on it", "status": "pending", "priority": "medium", "dependencies": [1]},
        {"id": 3, "title": "Paint it", "status": "pending", "priority": "low", "dependencies": [2]},
    ]
}
PATCH = "--- a/app.py\n+++ b/app.py\n@@ -1,3 +1,3 @@\n one = 1\n-two = 2\n+two = 3\n three = 3\n"


@dataclass(frozen=True)
class Outcome:
    """What a call said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, which has to be exactly one JSON document."""
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, Any]:
        """The body of the error document."""
        found: dict[str, Any] = self.json["error"]
        assert set(found) == {"code", "message", "hint", "details"}
        return found


Call = Callable[..., Outcome]


def git(folder: Path, *arguments: str) -> str:
    """Runs git without the operator's configuration."""
    identity = ("-c", "user.name=Test", "-c", "user.email=test@localhost", "-c", "commit.gpgSign=false")
    environment = os.environ | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.fixture(autouse=True)
def _own_configuration(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the operator's own files."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(home / ".state"))
    for name in ("NO_COLOR", "FORCE_COLOR", "VIBEHQ_WORKSPACE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one commit and a tasks file; not set up."""
    root = tmp_path / "project"
    (root / ".mission_control").mkdir(parents=True)
    (root / "app.py").write_text("one = 1\ntwo = 2\nthree = 3\n", encoding="utf-8")
    (root / ".mission_control" / "tasks.json").write_text(json.dumps(TASKS, indent=2), encoding="utf-8")
    git(root, "init", "-q", "-b", "main")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "Begin")
    return root


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    """Calls the command line in this process: ``call(folder, "task", "list")``."""

    def calling(folder: Path, *arguments: str) -> Outcome:
        monkeypatch.chdir(folder)
        capsys.readouterr()
        code = run(arguments)
        said = capsys.readouterr()
        return Outcome(code, said.out, said.err)

    return calling


@pytest.fixture
def hq(repository: Path, call: Call) -> Path:
    """A repository that was set up."""
    assert call(repository, "init").code == 0
    return repository


def vibehq(
    folder: Path, *arguments: str, given: str | bytes = b"", environment: dict[str, str] | None = None
) -> Outcome:
    """The command line as a process of its own."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "vibehq_tui.cli.main", *arguments],
        cwd=folder,
        input=given.encode() if isinstance(given, str) else given,
        env=os.environ | (environment or {}),
        capture_output=True,
        check=False,
        timeout=60,
    )
    return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())
