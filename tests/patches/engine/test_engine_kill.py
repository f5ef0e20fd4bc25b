"""``kill -9`` at any instant: after recovery the tree is exactly before or exactly after; the receipts say which."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from engine_helpers import Box, State

from vibehq_tui.patches.applying.apply import Applier

HERE = Path(__file__).parent
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(HERE.parents[2])}


def worker(*arguments: str | Path) -> subprocess.Popen[bytes]:
    """A process that is about to apply."""
    command = [sys.executable, str(HERE / "kill_worker.py"), *map(str, arguments)]
    process = subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n", process.communicate()[1].decode()
    return process


def prepared(box: Box, count: int) -> tuple[Path, State, State]:
    """A patch that changes, makes, removes and renames ``count`` files; the states before and after."""
    for number in range(count):
        box.write(f"d{number % 20}/f{number}", f"file {number}\n" + "text\n" * 20)
    box.commit()
    before = box.state()
    for number in range(count):
        path = box.root / f"d{number % 20}/f{number}"
        match number % 4:
            case 0 | 1:
                path.write_text(path.read_text().replace("text\n", "words\n", 3))
            case 2:
                path.unlink()
                box.write(f"new/d{number}/made", f"made {number}\n")
            case _:
                (box.root / f"moved{number % 7}").mkdir(exist_ok=True)
                path.rename(box.root / f"moved{number % 7}/f{number}")
    after = box.state()
    patch = box.root.parent / "patch"
    patch.write_bytes(box.diff("-M"))
    box.git("clean", "-fdq")
    assert box.state() == before
    return patch, before, after


def settled(box: Box, before: State, after: State) -> bool:
    """Recovers; answers whether the application took place. The tree and the receipts must agree."""
    applier = Applier(box.root)
    for item in applier.recover():
        assert item.left == ()
    assert not applier.unfinished()
    applied = applier.find("killed") is not None
    assert box.state() == (after if applied else before)
    assert not list((box.root / ".vibehq").glob("tmp/*"))
    return applied


def reset(box: Box, before: State) -> None:
    """Back to before, as if nothing had been."""
    applier = Applier(box.root)
    if applier.find("killed") is not None:
        applier.revert("killed")
        for receipt in (box.root / ".vibehq/receipts").iterdir():
            receipt.unlink()
    assert box.state() == before


def kill_at_random(box: Box, files: int, kills: int) -> tuple[int, int]:
    """How often the tree was before, and after."""
    patch, before, after = prepared(box, files)
    process = worker(box.root, patch)
    start = time.monotonic()
    assert process.wait() == 0
    process.communicate()
    whole = time.monotonic() - start
    assert settled(box, before, after)
    chance = random.Random(files)
    outcomes = {True: 0, False: 0}
    for _ in range(kills):
        reset(box, before)
        process = worker(box.root, patch)
        deadline = time.monotonic() + chance.random() * whole * 0.9
        while time.monotonic() < deadline:
            pass
        process.send_signal(signal.SIGKILL)
        process.communicate()
        outcomes[settled(box, before, after)] += 1
    return outcomes[False], outcomes[True]


def test_kill_at_random_instants(box: Box) -> None:
    assert sum(kill_at_random(box, 200, 5)) == 5


@pytest.mark.long
def test_kill_at_random_instants_of_many_files(box: Box) -> None:
    before, after = kill_at_random(box, 2000, 50)
    assert before + after == 50
    assert after > 0


def calls_of(box: Box, patch: Path, before: State, after: State) -> int:
    process = worker(box.root, patch, "0")
    output, errors = process.communicate()
    assert process.returncode == 0, errors.decode()
    assert settled(box, before, after)
    reset(box, before)
    return int(output)


@pytest.mark.parametrize("share", range(2))
def test_kill_before_a_third_of_the_calls_of_the_system(box: Box, share: int) -> None:
    patch, before, after = prepared(box, 8)
    count = calls_of(box, patch, before, after)
    outcomes = []
    for deadly in range(1 + share, count + 1, 10):
        process = worker(box.root, patch, str(deadly))
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        outcomes.append(settled(box, before, after))
        reset(box, before)
    assert outcomes == sorted(outcomes), "before the commit nothing, after it everything"
    assert set(outcomes) == {False, True}


def test_kill_during_a_revert(box: Box) -> None:
    patch, before, after = prepared(box, 8)
    for deadly in range(1, 400, 37):
        applied = worker(box.root, patch)
        applied.communicate()
        assert applied.returncode == 0
        process = worker(box.root, "revert:killed", str(deadly))
        process.communicate()
        told = Applier(box.root).recover()
        assert all((item.kind, item.outcome, item.left) == ("revert", "completed", ()) for item in told)
        reverted = any(item.kind == "revert" for item in Applier(box.root).receipts())
        assert box.state() == (before if reverted else after)
        if reverted:
            for receipt in (box.root / ".vibehq/receipts").iterdir():
                receipt.unlink()
        else:
            reset(box, before)
        if process.returncode == 0:
            break
    else:
        raise AssertionError("the revert never came to its end")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_other_signals_in_the_middle(box: Box, number: int) -> None:
    patch, before, after = prepared(box, 400)
    for delay in (0.0, 0.03):
        process = worker(box.root, patch)
        deadline = time.monotonic() + delay
        while time.monotonic() < deadline:
            pass
        process.send_signal(number)
        process.communicate()
        unfinished = [name for name in Applier(box.root)._journal.unfinished() if not name.endswith(".tmp")]
        # At this point, before any recovery, nothing is half-done: at most the receipt waits to be filed.
        assert box.state() in (before, after), unfinished
        settled(box, before, after)
        reset(box, before)
