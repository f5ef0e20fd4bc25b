"""``patchctl`` as scripts and agents call it: one JSON document, documented exit codes, and never a traceback."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from engine_helpers import Box

from vibehq_tui.patches.applying import engine
from vibehq_tui.patches.applying.apply import Applier

PROJECT = Path(__file__).parents[3]
GOOD = "--- a/f\n+++ b/f\n@@ -10,3 +10,3 @@\n line 10\n-line 11\n+eleven\n line 12\n"
NEXT = "--- a/f\n+++ b/f\n@@ -20,1 +20,1 @@\n-line 20\n+twenty\n"
BAD = "--- a/f\n+++ b/f\n@@ -10,1 +10,1 @@\n-not there\n+x\n"
EVIL = "--- /dev/null\n+++ b/../evil\n@@ -0,0 +1 @@\n+x\n"


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-c", "from vibehq_tui.cli.patchctl import main; main()", *arguments]


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(PROJECT), **more}


class Shell:
    """Calls ``patchctl`` in a folder."""

    def __init__(self, box: Box) -> None:
        self.box = box

    def run(self, *arguments: str, stdin: str = "", cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            command(*arguments),
            cwd=cwd or self.box.root,
            env=environment(),
            input=stdin,
            capture_output=True,
            check=False,
            text=True,
            timeout=60,
        )
        assert "Traceback" not in done.stderr + done.stdout
        return done

    def json(self, *arguments: str, stdin: str = "", exit_code: int = 0) -> dict[str, Any]:
        done = self.run(*arguments, "--json", stdin=stdin)
        assert done.returncode == exit_code, done.stdout + done.stderr
        assert done.stderr == ""
        document: dict[str, Any] = json.loads(done.stdout)
        return document


@pytest.fixture
def shell(box: Box) -> Shell:
    """A root with a file of forty lines, and some patches beside it."""
    box.lines("f")
    for name, text in (("good", GOOD), ("next", NEXT), ("bad", BAD), ("evil", EVIL), ("empty", "")):
        (box.root.parent / name).write_text(text)
    return Shell(box)


def test_apply_answers_as_documented(shell: Shell) -> None:
    answer = shell.json("apply", "../good")
    receipt = answer.pop("receipt")
    assert answer == {
        "result": "applied",
        "format": "unified",
        "files": [
            {
                "path": "f",
                "op": "modify",
                "from": None,
                "added": 1,
                "removed": 1,
                "hunks": [{"number": 1, "line": 10, "match": "exact"}],
            }
        ],
        "repairs": [],
        "warnings": [],
        "errors": [],
    }
    assert b"eleven" in shell.box.read("f")
    assert shell.json("apply", "../good")["result"] == "already-applied"
    undone = shell.json("revert", receipt)
    assert (undone["result"], undone["files"][0]["path"]) == ("applied", "f")
    assert b"line 11" in shell.box.read("f")
    assert shell.json("revert", receipt)["result"] == "already-applied"


@pytest.mark.parametrize(
    ("name", "exit_code", "result", "code"),
    [
        ("bad", 3, "conflict", "context-not-found"),
        ("evil", 1, "refused", "path-outside"),
        ("empty", 1, "refused", "empty-patch"),
    ],
)
def test_what_does_not_apply(shell: Shell, name: str, exit_code: int, result: str, code: str) -> None:
    before = shell.box.state()
    for subcommand in ("apply", "validate", "dry-run"):
        answer = shell.json(subcommand, f"../{name}", exit_code=exit_code)
        assert (answer["result"], answer["errors"][0]["code"], answer["receipt"]) == (result, code, None)
        assert set(answer["errors"][0]) - {"nearest"} == {"code", "path", "hunk", "message", "candidates"}
        told = shell.run(subcommand, f"../{name}")
        assert (told.returncode, "✗" in told.stdout) == (exit_code, True)
    assert shell.box.state() == before


def test_dry_run_and_validate_change_nothing(shell: Shell) -> None:
    before = shell.box.state()
    for arguments in (["apply", "--dry-run"], ["validate"], ["dry-run"]):
        answer = shell.json(*arguments, "../good")
        assert (answer["result"], len(answer["planHash"])) == ("dry-run", 64)
    assert "+eleven" in shell.run("dry-run", "../good").stdout
    assert shell.box.state() == before
    assert not (shell.box.root / ".vibehq").exists()


def test_a_dry_run_of_a_series_builds_on_itself(shell: Shell) -> None:
    second = GOOD.replace("-line 11\n+eleven", "-eleven\n+11")
    (shell.box.root.parent / "second").write_text(second)
    answer = shell.json("apply", "--dry-run", "../good", "../second")
    assert answer["result"] == "dry-run"
    assert b"line 11" in shell.box.read("f")


def test_a_series(shell: Shell) -> None:
    answer = shell.json("apply", "../good", "../next")
    assert answer["result"] == "applied"
    assert [(item["file"], item["result"]) for item in answer["patches"]] == [
        ("../good", "applied"),
        ("../next", "applied"),
    ]
    assert len(shell.json("list")["items"]) == 2


def test_a_series_ends_at_the_first_that_fails(shell: Shell) -> None:
    answer = shell.json("apply", "../good", "../bad", "../next", exit_code=3)
    assert (answer["result"], [item["result"] for item in answer["patches"]]) == ("conflict", ["applied", "conflict"])
    assert b"eleven" in shell.box.read("f")
    assert b"twenty" not in shell.box.read("f")


def test_standard_input(shell: Shell) -> None:
    assert shell.json("apply", "-", stdin=GOOD)["result"] == "applied"
    assert shell.json("apply", "-", "-", stdin=GOOD, exit_code=2)["error"]["code"] == "usage"


def test_strict(shell: Shell) -> None:
    shell.box.write("f", b"top\n" + shell.box.read("f"))
    assert shell.json("apply", "--strict", "../good", exit_code=3)["errors"][0]["code"] == "not-exact"
    assert shell.json("apply", "../good")["files"][0]["hunks"][0]["match"] == "offset"


def test_checks(shell: Shell) -> None:
    before = shell.box.state()
    answer = shell.json("apply", "../good", "--check", "grep eleven f; echo no >&2; exit 7", exit_code=1)
    assert (answer["result"], answer["errors"][0]["code"], answer["receipt"]) == ("refused", "check-failed", None)
    assert answer["check"].pop("seconds") < 60
    assert answer["check"] == {
        "command": "grep eleven f; echo no >&2; exit 7",
        "exitCode": 7,
        "output": "eleven\nno\n",
    }
    assert shell.box.state() == before
    assert shell.json("list")["items"] == []
    assert shell.json("apply", "../good", "--check", "test -f f")["check"]["exitCode"] == 0
    assert b"eleven" in shell.box.read("f")


def test_a_process_that_dies_during_its_check_leaves_nothing(shell: Shell) -> None:
    before = shell.box.state()
    waiting = f"touch {shell.box.root.parent}/started; exec sleep 60"
    process = subprocess.Popen(
        command("apply", "../good", "--check", waiting), cwd=shell.box.root, env=environment(), start_new_session=True
    )
    wait_for(shell.box.root.parent / "started")
    assert b"eleven" in shell.box.read("f")
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert shell.json("apply", "--dry-run", "../good")["result"] == "dry-run"
    assert shell.box.state() == before


def test_an_interrupted_check_takes_the_patch_back(shell: Shell) -> None:
    before = shell.box.state()
    waiting = f"touch {shell.box.root.parent}/started; exec sleep 60"
    process = subprocess.Popen(
        command("apply", "../good", "--check", waiting),
        cwd=shell.box.root,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        # A shell without job control starts what is in the background deaf to interrupts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    wait_for(shell.box.root.parent / "started")
    os.killpg(process.pid, signal.SIGINT)
    output, errors = process.communicate(timeout=30)
    assert (process.returncode, output, errors.strip()) == (130, b"", b"")
    assert shell.box.state() == before
    assert not Applier(shell.box.root).unfinished()


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < deadline


def test_busy(shell: Shell) -> None:
    """While somebody else applies, one waits, and gives up in the end."""
    holder = Applier(shell.box.root)
    with (
        holder.lock(),
        pytest.raises(Exception, match="another process"),
        engine.series(shell.box.root, timeout=0) as run,
    ):
        run.run(GOOD.encode())
    assert engine.apply_text(GOOD.encode(), shell.box.root).result == "applied"


def test_idempotency_keys(shell: Shell) -> None:
    append = json.dumps([{"op": "append", "file": "f", "block": "x"}])
    first = shell.json("apply", "-", "--idempotency-key", "k1", stdin=append)
    assert first["result"] == "applied"
    assert shell.json("apply", "-", "--idempotency-key", "k1", stdin=append) == first
    assert shell.box.read("f").count(b"x\n") == 1
    error = shell.json("apply", "-", "--idempotency-key", "k1", stdin=GOOD, exit_code=1)["error"]
    assert error["code"] == "idempotency-key-reused"
    assert shell.json("apply", "-", "--idempotency-key", "k2", stdin=append)["receipt"] != first["receipt"]
    assert shell.box.read("f").count(b"x\n") == 2
    undone = shell.json("revert", first["receipt"], "--idempotency-key", "k3", exit_code=3)
    assert undone["result"] == "conflict"


def test_a_key_whose_process_died_before_it_could_answer(shell: Shell) -> None:
    append = json.dumps([{"op": "append", "file": "f", "block": "x"}])
    first = shell.json("apply", "-", "--idempotency-key", "k1", stdin=append)
    for answer in (shell.box.root / ".vibehq/answers").iterdir():
        answer.unlink()
    again = shell.json("apply", "-", "--idempotency-key", "k1", stdin=append)
    assert again == first
    assert shell.box.read("f").count(b"x\n") == 1


def test_a_key_of_what_was_refused_may_be_used_again(shell: Shell) -> None:
    shell.json("apply", "../bad", "--idempotency-key", "k1", exit_code=3)
    assert shell.json("apply", "../good", "--idempotency-key", "k1")["result"] == "applied"


def test_list_and_show(shell: Shell) -> None:
    assert shell.json("list") == {"items": [], "next": None}
    assert "nothing was applied" in shell.run("list").stdout
    first = shell.json("apply", "../good")["receipt"]
    second = shell.json("apply", "../next")["receipt"]
    items = shell.json("list")["items"]
    assert [item["id"] for item in items] == [second, first]
    assert items[1]["files"] == [{"op": "modify", "path": "f"}]
    page = shell.json("list", "--limit", "1")
    assert ([item["id"] for item in page["items"]], page["next"]) == ([second], "1")
    assert [item["id"] for item in shell.json("list", "--limit", "1", "--cursor", "1")["items"]] == [first]
    shown = shell.json("show", first)
    assert (shown["id"], shown["kind"], "+eleven" in shown["diff"]) == (first, "apply", True)
    assert "+eleven" in shell.run("show", first).stdout
    for arguments in (["show", "none"], ["revert", "none"]):
        assert shell.json(*arguments, exit_code=1)["error"]["code"] == "not-found"


@pytest.mark.parametrize(
    ("arguments", "exit_code", "code"),
    [
        (["apply"], 2, "usage"),
        (["explode"], 2, "usage"),
        (["apply", "--explode", "x"], 2, "usage"),
        (["apply", "--format", "explode", "../good"], 2, "usage"),
        (["list", "--limit", "many"], 2, "usage"),
        (["apply", "none"], 1, "not-found"),
        (["apply", "../good", "none"], 1, "not-found"),
        (["apply", "../good", "--root", "none"], 1, "not-found"),
        (["apply", "."], 1, "refused"),
        (["markers", "none"], 1, "not-found"),
        (["notify", "../good"], 1, None),
        (["apply", "../good", "--idempotency-key", ""], 2, "usage"),
    ],
)
def test_errors_of_the_command_itself(shell: Shell, arguments: list[str], exit_code: int, code: str | None) -> None:
    before = shell.box.state()
    error = shell.json(*arguments, exit_code=exit_code)["error"]
    assert set(error) == {"code", "message", "hint", "details"}
    assert error["code"] == code or code is None
    told = shell.run(*arguments)
    assert (told.returncode, told.stdout) == (exit_code, "")
    assert told.stderr.startswith("✗ ")
    assert shell.box.state() == before


def test_the_root_is_the_top_of_the_repository(shell: Shell) -> None:
    shell.box.commit()
    (shell.box.root / "sub").mkdir()
    done = shell.run("apply", "../../good", cwd=shell.box.root / "sub")
    assert done.returncode == 0
    assert b"eleven" in shell.box.read("f")
    done = shell.run("apply", str(shell.box.root.parent / "next"), "--root", str(shell.box.root), cwd=Path("/"))
    assert done.returncode == 0
    assert b"twenty" in shell.box.read("f")


def test_hostile_text_is_shown_harmlessly(shell: Shell) -> None:
    shell.box.write("f\u202etxt", "a\n")
    patch = "--- a/f\u202etxt\n+++ b/f\u202etxt\n@@ -1 +1 @@\n-a\x1b]0;title\a\n+b\n"
    done = shell.run("apply", "-", stdin=patch)
    assert done.returncode == 3
    assert "\x1b" not in done.stdout
    assert "\u202e" not in done.stdout
    wire = shell.run("apply", "-", "--json", stdin=patch)
    assert wire.stdout.isascii()
    assert json.loads(wire.stdout)["errors"][0]["path"] == "f\u202etxt"


@pytest.mark.parametrize(
    ("variables", "coloured"), [({"NO_COLOR": ""}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_colour_is_for_terminals(shell: Shell, variables: dict[str, str], coloured: bool) -> None:
    assert "\x1b" not in shell.run("validate", "../good").stdout
    main, terminal = pty.openpty()
    variables = {"TERM": "xterm", **variables}
    subprocess.run(
        command("validate", "../good"), cwd=shell.box.root, env=environment(**variables), stdout=terminal, check=True
    )
    os.close(terminal)
    output = os.read(main, 10_000)
    os.close(main)
    assert (b"\x1b[" in output) == coloured


def test_a_reader_that_goes_away(shell: Shell) -> None:
    script = " ".join(f"'{part}'" for part in command("dry-run", "../good"))
    done = subprocess.run(
        ["/bin/bash", "-c", f"{script} | true; exit ${{PIPESTATUS[0]}}"],
        cwd=shell.box.root,
        env=environment(),
        capture_output=True,
        check=False,
    )
    assert done.stderr == b""
    assert done.returncode in (0, 141)  # 0 when the answer fitted into the pipe before the reader left


def test_help_has_examples(shell: Shell) -> None:
    for name in ("apply", "validate", "dry-run", "markers", "revert", "list", "show", "notify"):
        done = shell.run(name, "--help")
        assert (done.returncode, f"patchctl {name}" in done.stdout.split("Examples:")[1]) == (0, True)
    assert shell.run("--version").stdout.startswith("patchctl, version")


def test_markers(shell: Shell) -> None:
    shell.box.write("src/a.py", "# PATCH_MARKER: one\nx = 1\n# PATCH_MARKER: two start\n\n# PATCH_MARKER: two end\n")
    shell.box.write("src/b.c", "/* PATCH_MARKER: three */\nno PATCH_MARKER: here\n")
    shell.box.write(".git/x", "# PATCH_MARKER: hidden\n")
    items = shell.json("markers")["items"]
    assert [(item["name"], item["kind"], item["path"], item["line"], item["end"]) for item in items] == [
        ("one", "point", "src/a.py", 1, None),
        ("two", "span", "src/a.py", 3, 5),
        ("three", "point", "src/b.c", 1, None),
    ]
    assert [item["name"] for item in shell.json("markers", "src/b.c")["items"]] == ["three"]
    assert "src/a.py:3-5  two  span" in shell.run("markers").stdout


def test_notify(shell: Shell) -> None:
    event = {"type": "patch.delivered", "patchId": "7", "message": "done"}
    answer = shell.json("notify", "-", stdin=json.dumps(event))
    assert answer["type"] == "patch.delivered"
    assert json.loads((shell.box.root / answer["inbox"]).read_text())["patchId"] == "7"
    assert shell.json("notify", "-", stdin='{"type": 5}', exit_code=1)["error"]["message"]
