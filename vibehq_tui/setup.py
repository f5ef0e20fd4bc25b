"""Setting up a workspace: what ``vibehq init`` does."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from storage.clock import SYSTEM_CLOCK, Clock
from vibehq_tui import workspace
from vibehq_tui.contracts import config
from vibehq_tui.headquarters import Headquarters
from vibehq_tui.tasks.service import SyncReport

_EMPTY_TASKS = '{\n  "tasks": []\n}\n'


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What was done, and what was there."""

    root: Path
    created: bool
    """False when the workspace was there before."""
    wrote: tuple[str, ...]
    """Files outside the state folder that were written, relative to the root; only what the operator asked for."""
    config: str | None
    """The configuration file, when there is one."""
    sources: tuple[str, ...]
    """The tasks files that there are."""
    tasks: SyncReport
    counts: dict[str, int]
    """Number of tasks by state."""


async def initialise(root: Path, *, clock: Clock = SYSTEM_CLOCK, via: str = "cli") -> Setup:
    """Makes the workspace at ``root`` and reads its tasks; safe to repeat, never overwrites.

    :raises Refused: when the configuration is broken or the state folder cannot be one.
    :raises StoreBroken: when the store cannot be written.
    """
    prepared = prepare(root)
    async with await Headquarters.open(root, via=via, create=True, clock=clock) as hq:
        return await report(hq, prepared)


@dataclass(frozen=True, slots=True)
class Prepared:
    """What stood on disk before the store was opened, and what was written."""

    created: bool
    wrote: tuple[str, ...]


def prepare(root: Path, *, with_config: bool = False, with_tasks: bool = False) -> Prepared:
    """Makes the state folder, and the files that the operator asked for unless they are there.

    :param with_config: a ``vibehq.toml`` with every setting commented out.
    :param with_tasks: an empty tasks file.
    """
    created = not workspace.is_workspace(root)
    workspace.create_state(root)
    wrote = []
    if with_config and _write_new(root / workspace.CONFIG_FILE, config.template()):
        wrote.append(workspace.CONFIG_FILE)
    tasks = [name for name in workspace.TASK_FILES if (root / name).exists()]
    if with_tasks and not tasks and _write_new(root / workspace.TASK_FILES[0], _EMPTY_TASKS):
        wrote.append(workspace.TASK_FILES[0])
    return Prepared(created, tuple(wrote))


async def report(hq: Headquarters, prepared: Prepared) -> Setup:
    """What the workspace holds now."""
    synced = hq.synced or await hq.tasks.sync()
    counts: dict[str, int] = {}
    for task in await hq.store.read(lambda tx: tx.tasks.all()):
        if task.parent is None:
            counts[task.state] = counts.get(task.state, 0) + 1
    return Setup(
        root=hq.root,
        created=prepared.created,
        wrote=prepared.wrote,
        config=workspace.CONFIG_FILE if (hq.root / workspace.CONFIG_FILE).exists() else None,
        sources=tuple(name for name in workspace.TASK_FILES if (hq.root / name).exists()),
        tasks=synced,
        counts=counts,
    )


def _write_new(path: Path, text: str) -> bool:
    """Writes a file that does not exist yet; answers whether it did."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        return False
    return True
