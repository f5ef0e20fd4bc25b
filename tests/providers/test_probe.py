"""Real programs, well-behaved and not."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest
from provider_helpers import program

from vibehq_tui.providers.probe import Probe, probe, probe_all
from vibehq_tui.providers.registry import Known
from vibehq_tui.providers.spec import ProbeSpec, ProviderSpec

ASK = ("--version",)


@pytest.mark.parametrize(
    ("printed", "version"),
    [
        ("1.2.3", "1.2.3"),
        ("codex-cli 0.45.0", "0.45.0"),
        ("2.0.1 (Claude Code)", "2.0.1"),
        ("aider v0.86.1.dev1+g5c9", "0.86.1.dev1+g5c9"),
        ("\\033[1mTool\\033[0m version 3.4-beta.1\\n", "3.4-beta.1"),
        ("Warning: something\\nagent 2025.09.04-fc40cd1", "2025.09.04-fc40cd1"),
    ],
)
async def test_versions(bin_folder: Path, printed: str, version: str) -> None:
    path = program(bin_folder, "agent", f"printf '{printed}'")
    found = await probe(["agent"], ASK)
    assert (found.state, found.version, found.path, found.message) == ("ready", version, str(path), "")


async def test_what_it_gets(bin_folder: Path) -> None:
    program(bin_folder, "agent", 'read line && echo fed; echo "1.2.3 $1 $PWD $TERM $NO_COLOR" >&2; test ! -t 0')
    found = await probe(["agent"], ASK)
    assert found.version == "1.2.3"
    program(bin_folder, "agent", 'echo "$1 $PWD $TERM $NO_COLOR"; exit 7')
    found = await probe(["agent"], ASK)
    assert found.message == "agent --version ended with exit code 7: --version / dumb 1"


async def test_not_there(bin_folder: Path) -> None:
    found = await probe(["nothing", "neither"], ASK)
    assert found == Probe(state="missing", message="not found on the PATH: nothing or neither")
    (bin_folder / "nothing").write_text("not executable")
    assert (await probe(["nothing"], ASK)).state == "missing"


async def test_the_first_that_is_there_counts_and_a_path_is_taken_as_such(bin_folder: Path, tmp_path: Path) -> None:
    program(bin_folder, "second", "echo 2.0")
    assert (await probe(["first", "second"], ASK)).version == "2.0"
    elsewhere = program(tmp_path / "opt", "agent", "echo 3.0")
    found = await probe([str(elsewhere)], ASK)
    assert (found.version, found.path) == ("3.0", str(elsewhere))


async def test_without_a_version_being_there_is_enough(bin_folder: Path) -> None:
    program(bin_folder, "agent", "exit 1")
    assert (await probe(["agent"], ())).state == "ready"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("exit 3", "agent --version ended with exit code 3"),
        ("echo 1.2.3; exit 1", "agent --version ended with exit code 1: 1.2.3"),
        ("echo what?; exit 0", "agent --version printed no version: what?"),
        ("exit 0", "agent --version printed nothing"),
        ("kill -SEGV $$", "agent --version was killed by signal 11"),
        ("head -c 3000 /dev/urandom; exit 1", "agent --version ended with exit code 1"),
    ],
)
async def test_wrong_answers(bin_folder: Path, body: str, message: str) -> None:
    program(bin_folder, "agent", body)
    found = await probe(["agent"], ASK)
    assert (found.state, found.version) == ("broken", None)
    assert found.message.startswith(message)
    assert len(found.message) < 300


async def test_programs_that_cannot_be_run(bin_folder: Path) -> None:
    program(bin_folder, "agent", "", shell="/nonexistent/interpreter")
    found = await probe(["agent"], ASK)
    assert found.state == "broken"
    assert "cannot be run: No such file" in found.message
    (bin_folder / "agent").write_bytes(b"\x7fELF garbage")
    assert "cannot be run: Exec format error" in (await probe(["agent"], ASK)).message


async def test_a_program_that_hangs_is_killed_with_its_children(bin_folder: Path, tmp_path: Path) -> None:
    program(bin_folder, "agent", f"sleep 300 & echo $! > {tmp_path}/child; echo 1.2.3; trap '' TERM; wait")
    start = time.monotonic()
    found = await probe(["agent"], ASK, limit=0.5)
    assert time.monotonic() - start < 3
    assert (found.state, found.message) == ("broken", "agent --version did not end within 0.5 s")
    child = int((tmp_path / "child").read_text())
    await _gone(child)


async def _gone(pid: int) -> None:
    """Waits until a process is dead (it may wait to be collected by whoever adopted it)."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]  # noqa: ASYNC240 - memory
        except (FileNotFoundError, ProcessLookupError):
            return
        if state in "ZX":
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"process {pid} still runs")


async def test_what_it_leaves_running_does_not_hold_the_answer_up(bin_folder: Path, tmp_path: Path) -> None:
    program(bin_folder, "agent", f"sleep 300 & echo $! > {tmp_path}/child; echo 1.2.3")
    start = time.monotonic()
    found = await probe(["agent"], ASK, limit=5)
    assert time.monotonic() - start < 2
    assert (found.state, found.version) == ("ready", "1.2.3")
    await _gone(int((tmp_path / "child").read_text()))


async def test_a_flood_is_cut_off(bin_folder: Path) -> None:
    program(bin_folder, "agent", "exec yes 1.2.3")
    start = time.monotonic()
    found = await probe(["agent"], ASK, limit=10)
    assert time.monotonic() - start < 3
    assert found.message == "agent --version printed without end: 1.2.3"


async def test_cancelling_kills_it(bin_folder: Path, tmp_path: Path) -> None:
    program(bin_folder, "agent", f"echo $$ > {tmp_path}/pid.tmp; mv {tmp_path}/pid.tmp {tmp_path}/pid; sleep 300")
    (bin_folder / "mv").symlink_to("/bin/mv")
    task = asyncio.create_task(probe(["agent"], ASK, limit=60))
    end = time.monotonic() + 10
    while not os.path.exists(tmp_path / "pid"):  # noqa: ASYNC240, PTH110 - memory
        assert time.monotonic() < end
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await _gone(int((tmp_path / "pid").read_text()))


async def test_many_are_asked_beside_each_other(bin_folder: Path) -> None:
    known = []
    for number in range(8):
        program(bin_folder, f"agent{number}", f"sleep 0.4; echo 1.{number}")
        spec = ProviderSpec(name=f"agent{number}", probe=ProbeSpec(executables=(f"agent{number}",)))
        known.append(Known(spec=spec, origin="built-in"))
    start = time.monotonic()
    found = await probe_all(known)
    assert time.monotonic() - start < 0.4 * 8
    assert [found[f"agent{number}"].version for number in range(8)] == [f"1.{number}" for number in range(8)]
    assert signal.getsignal(signal.SIGCHLD) in (signal.SIG_DFL, None)
