"""A process that dies while it applies: afterwards the tree is before or after, and the store says which."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from patch_helpers import Repository

from vibehq_tui.headquarters import Headquarters

SCRIPT = """
import asyncio, sys
from pathlib import Path
from vibehq_tui.headquarters import Headquarters

async def main(verb, patch, *options):
    async with await Headquarters.open(Path.cwd(), via="cli", actor="ada") as hq:
        print("ready", flush=True)
        await getattr(hq.patches, verb)(patch, **dict.fromkeys(options, True))

asyncio.run(main(*sys.argv[1:]))
"""


def _many_files(repository: Repository, count: int) -> bytes:
    for number in range(count):
        repository.write(f"many/{number % 37}/file{number}.txt", f"before {number}\n" * 20)
    repository.commit("Many files")
    for number in range(count):
        repository.write(f"many/{number % 37}/file{number}.txt", f"after {number}\n" * 20)
    diff = repository.git("diff").encode()
    repository.git("checkout", "-q", "--", "many")
    return diff


def _kill_at(root: Path, words: list[str], delay: float) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, *words], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(delay)  # the instant of the kill is what is tried
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()


def _tree(repository: Repository) -> str:
    """The name of the git tree of everything below ``many``."""
    repository.git("add", "many")
    tree = repository.git("write-tree", "--prefix=many/").strip()
    repository.git("reset", "-q")
    return tree


async def _kills(repository: Repository, files: int, kills: int, seed: int, *, commit: bool = False) -> dict[str, int]:
    chance = random.Random(seed)
    diff = _many_files(repository, files)
    before = _tree(repository)
    async with await Headquarters.open(repository.root, via="cli", create=True, actor="ada") as hq:
        patch = (await hq.patches.submit(diff)).id
        await hq.patches.approve(patch)
        started = time.monotonic()
        await hq.patches.apply(patch, commit=commit)
        whole = time.monotonic() - started
        after = _tree(repository)
        await hq.patches.revert(patch)
        await hq.patches.submit(diff)
    seen: dict[str, int] = {"approved": 0, "applied": 0, "reverted": 0}
    patch = "2"
    for _ in range(kills):
        async with await Headquarters.open(repository.root, via="cli", actor="ada") as hq:
            state = (await hq.patches.get(patch)).state
            if state == "reverted":
                patch = (await hq.patches.submit(diff)).id
                state = "proposed"
            if state == "proposed":
                await hq.patches.approve(patch)
                state = "approved"
        words = ["revert", patch] if state == "applied" else ["apply", patch, *(["commit"] if commit else [])]
        _kill_at(repository.root, words, chance.uniform(0, whole * 1.2))
        async with await Headquarters.open(repository.root, via="cli", actor="ada") as hq:
            now = await hq.patches.get(patch)
            assert now.pending_receipt is None
            if commit:
                assert repository.git("rev-parse", "HEAD:many").strip() == (after if now.state == "applied" else before)
                assert repository.git("status", "--porcelain", "--", "many") == ""
                assert (now.commit_id is not None) == (now.state == "applied")
            assert _tree(repository) == (after if now.state == "applied" else before), now.state
            assert repository.git("status", "--porcelain", "--", ":!many", ":!.vibehq").strip() == ""
            seen[now.state] += 1
    return seen


async def test_killed_at_random_instants(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    seen = await _kills(repository, files=150, kills=6, seed=1)
    assert sum(seen.values()) == 6


async def test_killed_at_random_instants_while_committing(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    seen = await _kills(repository, files=100, kills=6, seed=3, commit=True)
    assert sum(seen.values()) == 6


@pytest.mark.long
async def test_killed_at_fifty_instants_in_two_thousand_files(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    seen = await _kills(repository, files=2000, kills=50, seed=2)
    assert seen["applied"] >= 5 and seen["approved"] + seen["reverted"] >= 5, seen


@pytest.mark.long
async def test_killed_at_a_hundred_instants_while_committing(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    seen = await _kills(repository, files=300, kills=100, seed=4, commit=True)
    assert seen["applied"] >= 10 and seen["approved"] + seen["reverted"] >= 10, seen
