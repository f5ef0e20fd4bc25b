"""The tools of the house: they find what they are there to find."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Call

HOUSE = Path(__file__).parents[2]


def cycles(root: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(HOUSE / "tools" / "check_cycles.py"), str(root)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "back",
    [
        "from vibehq_tui import a\n",
        "from . import a\n",
        "def f():\n    import vibehq_tui.a\n",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from vibehq_tui.a import x\n",
    ],
    ids=["top", "relative", "in a function", "for types"],
)
def test_a_cycle_of_any_kind_is_found(back: str, tmp_path: Path) -> None:
    package = tmp_path / "vibehq_tui"
    package.mkdir()
    (package / "__init__.py").write_text("", encoding="utf-8")
    (package / "a.py").write_text("import vibehq_tui.b\nx = 1\n", encoding="utf-8")
    (package / "b.py").write_text("", encoding="utf-8")
    assert cycles(tmp_path).returncode == 0
    (package / "b.py").write_text(back, encoding="utf-8")
    found = cycles(tmp_path)
    assert found.returncode == 1
    assert "vibehq_tui/a.py:1 imports vibehq_tui.b" in found.stdout


def test_the_generated_documents_are_current() -> None:
    command = [sys.executable, str(HOUSE / "tools" / "make_docs.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_readme_names_the_command_that_ci_runs() -> None:
    lines = (HOUSE / "README.md").read_text(encoding="utf-8").splitlines()
    commands = [line for line in lines if line.startswith("python3 -m venv ")]
    assert [command.rpartition("&& ")[2] for command in commands] == [
        ".venv/bin/vibehq demo",
        ".venv/bin/python -m pytest -q",
    ]


def test_a_workspace_to_measure_on(tmp_path: Path, call: Call) -> None:
    made = tmp_path / "big"
    command = [sys.executable, str(HOUSE / "benchmarks" / "workspace.py"), str(made)]
    sizes = ["--tasks", "30", "--patches", "20", "--events", "100"]
    subprocess.run([*command, *sizes], check=True, capture_output=True)
    assert len(call(made, "task", "list", "--json").json["items"]) == 30
    assert len(call(made, "patch", "list", "--json").json["items"]) == 20
    assert len(call(made, "events", "--cursor", "0", "--json", "--limit", "500").json["items"]) == 100
    assert call(made, "db", "check").code == 0
