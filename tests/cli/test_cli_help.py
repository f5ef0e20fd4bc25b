"""Help, wrong command lines and completion: what needs no workspace."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest
from conftest import Call, vibehq

from vibehq_tui import __version__
from vibehq_tui.cli.main import TABLE
from vibehq_tui.cli.main import vibehq as root
from vibehq_tui.cli.session import Session


def every_command() -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = [()]
    context = click.Context(root, info_name="vibehq", obj=Session())
    for name in root.list_commands(context):
        found.append((name,))
        command = root.get_command(context, name)
        if isinstance(command, click.Group):
            found += [(name, below) for below in command.commands]
    return found


@pytest.mark.parametrize("path", every_command(), ids=" ".join)
def test_every_command_has_help_with_an_example(path: tuple[str, ...], call: Call, tmp_path: Path) -> None:
    said = call(tmp_path, *path, "--help")
    assert said.code == 0
    assert f"Usage: {' '.join(('vibehq', *path))}" in said.out
    examples = said.out.partition("Examples:")[2]
    assert "vibehq" in examples


def test_every_command_of_the_table_says_what_it_does() -> None:
    context = click.Context(root, info_name="vibehq", obj=Session())
    for name in TABLE:
        command = root.get_command(context, name)
        assert command is not None
        assert command.name == name


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("task", "nonsense"),
        ("task", "list", "--nonsense"),
        ("task", "list", "--status", "nonsense"),
        ("task", "list", "--limit", "0"),
        ("task", "status", "1", "nonsense"),
        ("patch", "list", "--state", "nonsense"),
        ("patch", "approve", "1", "--hunk", "x"),
        ("patch", "reject", "1"),
        ("scan",),
        ("scan", "--scope", "everything"),
        ("events", "--type", "nonsense"),
        ("ops", "snooze", "1", "--for", "soon"),
        ("ops", "snooze", "1", "--until", "soon"),
        ("ops", "snooze", "1", "--until", "2030-01-01", "--for", "1d"),
        ("completion", "tcsh"),
        ("--nonsense",),
    ],
    ids=" ".join,
)
def test_a_wrong_command_line_is_exit_2(arguments: tuple[str, ...], call: Call, tmp_path: Path) -> None:
    said = call(tmp_path, *arguments)
    assert said.code == 2
    assert said.out == ""
    assert said.err.startswith("vibehq: ")
    as_json = call(tmp_path, *arguments, "--json")
    assert as_json.code == 2
    assert as_json.error["code"] == "usage"
    assert as_json.err == ""


def test_a_group_without_a_command_shows_its_help(call: Call, tmp_path: Path) -> None:
    said = call(tmp_path, "task")
    assert said.code == 2
    assert "Commands:" in said.err
    assert call(tmp_path, "--json", "task").error["code"] == "usage"


def test_version(call: Call, tmp_path: Path) -> None:
    assert call(tmp_path, "--version").out == f"vibehq {__version__}\n"
    assert call(tmp_path, "--json", "--version").json == {"name": "vibehq", "version": __version__}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(shell: str, call: Call, tmp_path: Path) -> None:
    said = call(tmp_path, "completion", shell)
    assert said.code == 0
    assert "_VIBEHQ_COMPLETE" in said.out


def test_completion_of_commands_and_ids(hq: Path) -> None:
    def complete(line: str) -> str:
        words = line.split(" ")
        environment = {"_VIBEHQ_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
        return vibehq(hq, environment=environment).out

    assert "plain,patch" in complete("vibehq pa").splitlines()
    assert complete("vibehq task show ").splitlines() == ["plain,2", "plain,3", "plain,1"]


def test_help_loads_neither_the_store_nor_the_screens() -> None:
    code = (
        "import sys, json\nfrom vibehq_tui.cli.main import run\nrun(['--help'])\n"
        "heavy = ('asyncio', 'sqlite3', 'rich', 'pydantic', 'textual')\n"
        "print(json.dumps(sorted(m for m in heavy if m in sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == []


def test_showing_a_task_loads_no_screen_no_model_and_no_patch_engine(hq: Path) -> None:
    code = (
        "import sys, json\nfrom vibehq_tui.cli.main import run\ncode = run(['task', 'show', '2', '--json'])\n"
        "heavy = ('rich', 'pydantic', 'textual', 'apscheduler', 'watchfiles', 'psutil', "
        "'vibehq_tui.patches.planning.planner')\n"
        "print(json.dumps([code, sorted(m for m in heavy if m in sys.modules)]))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=hq, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == [0, []]
