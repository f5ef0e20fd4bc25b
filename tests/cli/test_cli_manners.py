"""What holds for every command: JSON, idempotency, read-only, hostile text, pipes, interrupts, failures."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import click
import pytest
from conftest import PATCH, Call, Outcome, vibehq

from storage.store import Store
from vibehq_tui.cli import main
from vibehq_tui.cli.framework import VibeCommand
from vibehq_tui.cli.session import fingerprint
from vibehq_tui.tasks.service import TaskService

HOSTILE = "\x1b]52;c;ZXZpbA==\x07\x1b[2J[@click=app.quit]x[/]\u202egnp.exe\x9b31m"


def changing_commands() -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    context = click.Context(main.vibehq, info_name="vibehq")
    for name in main.TABLE:
        command = main.vibehq.get_command(context, name)
        below = list(command.commands.items()) if isinstance(command, click.Group) else []
        for path, one in [((name,), command), *(((name, sub), found_) for sub, found_ in below)]:
            if isinstance(one, VibeCommand) and one.changes:
                found.append(path)
    return found


def test_which_commands_change_something() -> None:
    assert {" ".join(path) for path in changing_commands()} == {
        "init", "task add", "task status", "task import", "patch submit", "patch approve", "patch reject",
        "patch apply", "patch revert", "patch reopen", "patch comment", "patch resolve", "patch edit",
        "patch undo", "patch redo", "scan", "ops ack", "ops snooze", "ops claim", "ops resolve", "ops reopen",
        "provider new", "assign", "log ingest", "db backup",
    }  # fmt: skip


def test_every_reading_command_answers_one_document(hq: Path, call: Call) -> None:
    for arguments in (
        ("task", "list"),
        ("task", "graph"),
        ("patch", "list"),
        ("patch", "conflicts"),
        ("ops", "list"),
        ("provider", "list"),
        ("events",),
        ("log", "tail"),
        ("audit",),
        ("db", "check"),
        ("schema",),
    ):
        said = call(hq, *arguments, "--json")
        assert said.code == 0, arguments
        assert isinstance(said.json, dict), arguments
        assert said.out.count("\n") == 1, arguments
        assert call(hq, *arguments).code == 0


def test_a_key_does_nothing_twice_and_answers_the_same(hq: Path, call: Call) -> None:
    first = call(hq, "task", "add", "Once", "--idempotency-key", "k1", "--json")
    again = call(hq, "task", "add", "Once", "--idempotency-key", "k1", "--json")
    assert first.code == again.code == 0
    assert again.json == first.json
    assert "added task 4" in call(hq, "task", "add", "Once", "--idempotency-key", "k1").out
    assert len(call(hq, "task", "list", "--json").json["items"]) == 4
    other = call(hq, "task", "add", "Another", "--idempotency-key", "k1", "--json")
    assert (other.code, other.error["code"]) == (1, "idempotency-key-reused")
    assert call(hq, "task", "status", "2", "done", "--idempotency-key", "k1").code == 1
    assert call(hq, "task", "show", "2", "--json").json["status"] == "pending"


def test_a_key_covers_what_was_read(hq: Path) -> None:
    first = vibehq(hq, "patch", "submit", "--idempotency-key", "p", "--json", given=PATCH)
    assert vibehq(hq, "patch", "submit", "--idempotency-key", "p", "--json", given=PATCH).json == first.json
    other = vibehq(hq, "patch", "submit", "--idempotency-key", "p", "--json", given=PATCH.replace("3", "4"))
    assert other.error["code"] == "idempotency-key-reused"
    assert len(vibehq(hq, "patch", "list", "--json").json["items"]) == 1


def test_a_conflict_that_was_stored_is_answered_again(hq: Path) -> None:
    stale = PATCH.replace("two = 2", "two = 9")
    first = vibehq(hq, "patch", "submit", "--idempotency-key", "c", "--json", given=stale)
    again = vibehq(hq, "patch", "submit", "--idempotency-key", "c", "--json", given=stale)
    assert first.code == again.code == 3
    assert first.error == again.error
    assert len(vibehq(hq, "patch", "list", "--json").json["items"]) == 1


def test_a_key_whose_command_failed_without_a_trace_may_be_used_again(hq: Path, call: Call) -> None:
    arguments = ("task", "status", "4", "done", "--idempotency-key", "f")
    assert call(hq, *arguments).code == 1
    call(hq, "task", "add", "Four")
    assert call(hq, *arguments).code == 0


def test_two_calls_with_one_key_at_the_same_time(hq: Path) -> None:
    said: list[Outcome] = []

    def add() -> None:
        said.append(vibehq(hq, "task", "add", "Race", "--idempotency-key", "race", "--json"))

    threads = [threading.Thread(target=add) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.code for one in said] == [0, 0, 0]
    assert len({one.out for one in said}) == 1
    assert len(vibehq(hq, "task", "list", "--json").json["items"]) == 4


def test_an_interrupted_call_is_not_done_again_when_something_happened(hq: Path, call: Call) -> None:
    async def claim() -> None:
        async with await Store.open(hq / ".vibehq") as store:
            head = await store.head()
            ctx = click.Context(click.Command("add"), info_name="vibehq task add")
            ctx.params = {"title": "x", "depends": [], "priority": "medium", "description": "", "owner": None}
            record = {"call": fingerprint(ctx, b""), "head": head}
            await store.write(lambda tx: tx.settings.put("idempotency/i", record))

    asyncio.run(claim())
    assert call(hq, "task", "add", "x", "--idempotency-key", "i").code == 0  # nothing has happened since
    asyncio.run(claim())  # a claim beside an answer: the answer counts
    assert call(hq, "task", "add", "x", "--idempotency-key", "i").code == 0
    assert len(call(hq, "task", "list", "--json").json["items"]) == 4


def test_bad_keys(hq: Path, call: Call) -> None:
    assert call(hq, "task", "add", "x", "--idempotency-key", " ").code == 2
    assert call(hq, "task", "add", "x", "--idempotency-key", "k" * 201).code == 2


def test_read_only_refuses_every_change(hq: Path, call: Call) -> None:
    before = call(hq, "events", "--json").json
    for arguments in (
        ("task", "add", "x"),
        ("task", "status", "2", "done"),
        ("scan", "--scope", "incremental"),
        ("assign", "2", "codex"),
        ("log", "ingest", "app.py", "--source", "s"),
        ("init",),
    ):
        said = call(hq, "--read-only", *arguments, "--json")
        assert said.code == 1, arguments
        assert "read-only" in json.dumps(said.error), arguments
    assert call(hq, "task", "list", "--read-only", "--json").code == 0
    assert call(hq, "events", "--json").json == before


def test_hostile_text_does_not_reach_the_terminal(hq: Path, call: Call) -> None:
    call(hq, "task", "add", HOSTILE, "--description", HOSTILE, "--owner", HOSTILE)
    (hq / "log.txt").write_text(HOSTILE + "\n", encoding="utf-8")
    call(hq, "log", "ingest", "log.txt", "--source", HOSTILE)
    said = "".join(
        call(hq, *arguments).out
        for arguments in (
            ("task", "list"),
            ("task", "show", "4"),
            ("task", "graph"),
            ("events",),
            ("audit",),
            ("log", "tail"),
            ("log", "tail", HOSTILE),
            ("log", "search", "exe"),
        )
    )
    assert "[@click=app.quit]" in said  # as text
    for character in "\x1b\x07\x9b\u202e":
        assert character not in said
    document = call(hq, "task", "show", "4", "--json")
    assert document.json["title"] == HOSTILE  # raw as data
    assert document.out.isascii()
    failed = call(hq, "task", "show", HOSTILE)
    assert failed.code == 1
    assert "\x1b" not in failed.err


def test_a_closed_pipe_is_quiet(hq: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "vibehq_tui.cli.main", "schema"],
        cwd=hq,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(30) == 141


def test_a_full_standard_output(hq: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "vibehq_tui.cli.main", "task", "list"],
            cwd=hq,
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 1
    assert b"No space left" in done.stderr
    assert b"Traceback" not in done.stderr


def test_follow_prints_a_document_a_line_until_interrupted(hq: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "vibehq_tui.cli.main", "events", "--follow", "--json", "--type", "task.added"],
        cwd=hq,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell without job control starts what is in the background deaf to interrupts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        assert process.stdout is not None
        assert vibehq(hq, "task", "add", "Seen").code == 0
        event: dict[str, Any] = json.loads(process.stdout.readline())
        assert (event["type"], event["task"]) == ("task.added", "4")
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
        assert process.returncode == 130
        assert "Traceback" not in said
    finally:
        process.kill()


def test_events_after_a_cursor(hq: Path, call: Call) -> None:
    for number in range(3):
        call(hq, "task", "add", f"Task {number}")
    everything = call(hq, "events", "--cursor", "0", "--json").json
    assert everything["next"] is None
    numbers = [event["seq"] for event in everything["items"]]
    assert numbers == sorted(numbers)
    first = call(hq, "events", "--cursor", "0", "--limit", "2", "--json").json
    assert first["next"] == str(numbers[1])
    rest = call(hq, "events", "--cursor", first["next"], "--json").json["items"]
    assert [event["seq"] for event in rest] == numbers[2:]
    assert [event["task"] for event in call(hq, "events", "--task", "5", "--json").json["items"]] == ["5"]


def test_a_store_that_another_program_locks(hq: Path) -> None:
    connection = sqlite3.connect(hq / ".vibehq" / "hq.db", isolation_level=None)
    try:
        connection.execute("BEGIN EXCLUSIVE")
        said = vibehq(hq, "task", "add", "x", "--json")
    finally:
        connection.close()
    assert said.code == 4
    assert said.error["code"] == "store-busy"
    assert vibehq(hq, "task", "add", "x").code == 0


def test_a_store_of_a_newer_program(hq: Path, call: Call) -> None:
    connection = sqlite3.connect(hq / ".vibehq" / "hq.db")
    with connection:
        connection.execute(
            "INSERT INTO schema_migrations SELECT version + 1000, 'later', checksum, applied_at"
            " FROM schema_migrations LIMIT 1"
        )
    connection.close()
    said = call(hq, "task", "list", "--json")
    assert (said.code, said.error["code"]) == (5, "store-too-new")
    assert call(hq, "doctor", "--json").json["error"]["code"] == "doctor"


def test_a_store_that_is_rubbish(hq: Path, call: Call) -> None:
    for path in (hq / ".vibehq").glob("hq.db*"):
        path.write_bytes(b"rubbish" * 1000)
    said = call(hq, "task", "list", "--json")
    assert (said.code, said.error["code"]) == (1, "store-corrupt")
    assert said.error["hint"]


def test_db_backup_and_check(hq: Path, tmp_path: Path, call: Call) -> None:
    copy = tmp_path / "copy.db"
    said = call(hq, "db", "backup", "--to", str(copy), "--json")
    assert said.json["path"] == str(copy)
    assert copy.stat().st_size == said.json["bytes"]
    assert call(hq, "db", "backup", "--to", str(copy)).code == 1
    assert Path(call(hq, "db", "backup", "--json").json["path"]).parent == hq / ".vibehq" / "backups"
    assert call(hq, "db", "check", "--json").json == {"sound": True, "problems": []}


def test_an_audit_log_that_was_changed(hq: Path, call: Call) -> None:
    call(hq, "task", "add", "x")
    assert call(hq, "audit", "--verify", "--json").json == {"intact": True, "problems": []}
    connection = sqlite3.connect(hq / ".vibehq" / "hq.db")
    with connection:
        for (trigger,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {trigger}")
        connection.execute("UPDATE audit_log SET actor = 'somebody else'")
    connection.close()
    said = call(hq, "audit", "--verify", "--json")
    assert said.code == 1
    assert said.json["error"]["code"] == "store-broken"
    assert call(hq, "db", "check").code == 1


def test_a_defect_is_one_line_and_its_traceback_a_file(hq: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("by zero\nsecond line")

    monkeypatch.setattr(TaskService, "page", broken)
    said = call(hq, "task", "list")
    assert said.code == 1
    assert said.err.startswith("vibehq: an error in vibehq itself: ZeroDivisionError: by zero\n")
    assert "Traceback" not in said.err
    assert "Traceback" in (hq / ".vibehq" / "crash.log").read_text(encoding="utf-8")
    assert call(hq, "task", "list", "--json").error["code"] == "internal"


def test_schemas(call: Call, tmp_path: Path) -> None:
    known = call(tmp_path, "schema", "--json").json
    assert {"Patch", "Task", "PatchOperation", "PatchBatch", "PatchEvent", "WebSocketMessage"} <= set(known)
    assert call(tmp_path, "schema", "Patch", "--json").json == known["Patch"]
    assert call(tmp_path, "schema", "Nonsense").code == 1


def test_colour_only_on_a_terminal_and_not_with_no_color(hq: Path) -> None:
    def on_a_terminal(**environment: str) -> bytes:
        leader, follower = os.openpty()
        done = subprocess.Popen(
            [sys.executable, "-P", "-m", "vibehq_tui.cli.main", "task", "list"],
            cwd=hq,
            env=os.environ | {"TERM": "xterm-256color", "COLUMNS": "50"} | environment,
            stdout=follower,
            stderr=follower,
        )
        os.close(follower)
        said = b""
        try:
            while piece := os.read(leader, 4096):
                said += piece
        except OSError:
            pass  # Linux says EIO when the other end of a pseudo-terminal is closed
        os.close(leader)
        assert done.wait(30) == 0
        return said

    assert b"\x1b[" in on_a_terminal()
    plain = on_a_terminal(NO_COLOR="1")
    assert b"\x1b[" not in plain
    assert all(len(line) <= 50 for line in plain.decode().splitlines())
    assert "\x1b[" not in vibehq(hq, "task", "list").out
