#!/usr/bin/env python3
"""Makes a big workspace to measure on: a git repository with tasks, patches and events.

    workspace.py PATH [--tasks N] [--patches N] [--events N]

The same numbers give the same content; only times differ.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from random import Random
from typing import TypeVar

from storage.clock import Millis
from storage.records import Patch, PatchFile
from storage.store import Store, Tx
from vibehq_tui.contracts import events
from vibehq_tui.headquarters import Headquarters
from vibehq_tui.workspace import create_state

_BATCH = 2_000
_VERBS = ("Read", "Cache", "Rename", "Test", "Document", "Speed up", "Split", "Check", "Draw", "Retry")
_THINGS = ("the parser", "user sessions", "the price table", "login", "the export", "the search index", "web hooks")
_PROVIDERS = ("codex", "claude", "gemini", "cursor", "aider")
_STATES = ("applied",) * 6 + ("rejected", "reverted", "proposed", "approved")
_MINUTE = 60_000

T = TypeVar("T")


def make_workspace(path: Path, *, tasks: int = 10_000, patches: int = 10_000, events: int = 100_000) -> Path:
    """Makes the workspace at ``path``, which must not exist; answers it.

    About one patch in ten is open, one task in three done.
    """
    path.mkdir(parents=True)
    run = Random(f"{tasks}/{patches}/{events}")
    source = path / "app.py"
    source.write_text("".join(f"line_{number} = {number}\n" for number in range(2_000)), encoding="utf-8")
    folder = path / ".mission_control"
    folder.mkdir()
    (folder / "tasks.json").write_text(json.dumps({"tasks": list(_tasks(tasks, run))}, indent=2), encoding="utf-8")
    for command in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "Begin"]):
        identity = ["-c", "user.name=bench", "-c", "user.email=bench@localhost", "-c", "core.hooksPath=/dev/null"]
        subprocess.run(["git", *identity, *command], cwd=path, check=True)
    create_state(path)
    asyncio.run(_fill(path, tasks, patches, events, run))
    return path


def _title(run: Random, number: int) -> str:
    return f"{run.choice(_VERBS)} {run.choice(_THINGS)} ({number})"


def _tasks(count: int, run: Random) -> Iterator[dict[str, object]]:
    for number in range(1, count + 1):
        earlier = [run.randrange(max(1, number - 50), number) for _ in range(run.randrange(3))] if number > 1 else []
        yield {
            "id": number,
            "title": _title(run, number),
            "description": "What is to be done, in a sentence that is as long as such sentences are.",
            "status": "done" if run.random() < 0.33 else "in-progress" if run.random() < 0.02 else "pending",
            "priority": run.choice(("low", "medium", "medium", "high", "critical")),
            "dependencies": sorted(set(earlier)),
            "assignee": run.choice(_PROVIDERS),
        }


async def _fill(path: Path, tasks: int, patches: int, count: int, run: Random) -> None:
    async with await Headquarters.open(path, via="cli", create=True) as hq:
        now = hq.store.clock.now()
        start = now - (patches + 1) * _MINUTE
        await _in_batches(hq.store, range(1, patches + 1), lambda tx, n: _patch(tx, n, start, tasks, run))
        head = await hq.store.head()
        await _in_batches(hq.store, range(max(0, count - head)), lambda tx, n: _event(tx, n, patches, tasks, run))


async def _in_batches(store: Store, items: Iterable[T], body: Callable[[Tx, T], None]) -> None:
    waiting = iter(items)
    while batch := list(islice(waiting, _BATCH)):

        def write(tx: Tx, batch: list[T] = batch) -> None:
            for item in batch:
                body(tx, item)

        await store.write(write)


def _patch(tx: Tx, number: int, start: int, tasks: int, run: Random) -> None:
    line = run.randrange(10, 1_990)
    text = (
        f"--- a/app.py\n+++ b/app.py\n@@ -{line},3 +{line},3 @@\n line_{line - 1} = {line - 1}\n"
        f"-line_{line} = {line}\n+line_{line} = {line} + {number}\n line_{line + 1} = {line + 1}\n"
    )
    patch_id = tx.patches.next_id()
    at = Millis(start + number * _MINUTE)
    tx.patches.insert(
        Patch(
            id=patch_id,
            title=_title(run, number),
            state=run.choice(_STATES),
            task=str(run.randrange(1, tasks + 1)) if tasks else None,
            provider=run.choice(_PROVIDERS),
            files=(PatchFile(path="app.py", op="modify", added=1, removed=1),),
            added=1,
            removed=1,
            hunks=1,
            risk=run.choice(("low", "low", "low", "medium", "high")),
            submitted_by="bench",
            created_at=at,
            updated_at=at,
        )
    )
    tx.patches.add_version(patch_id, 1, "unified", text.encode())


def _event(tx: Tx, number: int, patches: int, tasks: int, run: Random) -> None:
    tx.events.append(
        run.choice((events.PATCH_RECEIVED, events.PATCH_VALIDATED, events.PATCH_PROPOSED, events.PATCH_APPROVED)),
        actor=run.choice(_PROVIDERS),
        subject="patch",
        subject_id=str(run.randrange(1, patches + 1)) if patches else "",
        task=str(run.randrange(1, tasks + 1)) if tasks else None,
        message=f"step {number}",
    )


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("path", type=Path)
    parser.add_argument("--tasks", type=int, default=10_000)
    parser.add_argument("--patches", type=int, default=10_000)
    parser.add_argument("--events", type=int, default=100_000)
    options = parser.parse_args()
    made = make_workspace(options.path, tasks=options.tasks, patches=options.patches, events=options.events)
    print(f"made {made}: {options.tasks} tasks, {options.patches} patches, {options.events} events")
    return 0


if __name__ == "__main__":
    sys.exit(main())
