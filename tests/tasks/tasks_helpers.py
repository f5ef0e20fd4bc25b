"""What several tests of tasks use."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from storage.records import Event, Task
from storage.store import Store
from vibehq_tui.tasks.document import parse
from vibehq_tui.tasks.service import TaskService
from vibehq_tui.tasks.validate import Checked, check

DATA = Path(__file__).parent.parent / "data"
REAL_FILE = DATA / "taskmaster-38-tasks.json"
REAL_PLAN = DATA / "implementation-plan.md"
FLAT = ".mission_control/tasks.json"
TAGGED = ".taskmaster/tasks/tasks.json"


def task(number: int | str, *depends: float | str, **more: Any) -> dict[str, Any]:
    """A task as it stands in a file."""
    return {"id": number, "title": f"Task {number}", "status": "pending", "dependencies": list(depends), **more}


def checked(value: Any) -> Checked:
    """A value as a tasks file, checked."""
    return check(parse(json.dumps(value, indent=2).encode(), "tasks.json"))


def states(found: Checked) -> dict[str, str]:
    """Id → state."""
    return {one.id: one.state for one in found.tasks}


@dataclass
class Bench:
    """A workspace without anything else."""

    root: Path
    store: Store
    tasks: TaskService

    @property
    def file(self) -> Path:
        """The first tasks file."""
        return self.root / FLAT

    def write(self, value: Any, name: str = FLAT) -> Path:
        """Writes a tasks file in one step, as careful writers do."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_suffix(".new")
        new.write_bytes(value if isinstance(value, bytes) else json.dumps(value, indent=2).encode() + b"\n")
        new.replace(path)
        return path

    async def events(self, kind: str = "") -> list[Event]:
        """All events so far, or those of one type, the oldest first."""
        found = await self.store.read(lambda tx: tx.events.since(0))
        return [one for one in found if not kind or one.type == kind]

    async def all(self) -> dict[str, Task]:
        """The mirror."""
        return {one.id: one for one in await self.store.read(lambda tx: tx.tasks.all())}


@asynccontextmanager
async def bench(root: Path, **more: Any) -> AsyncIterator[Bench]:
    """A workspace with a real store."""
    async with await Store.open(root / ".vibehq") as store:
        yield Bench(root, store, TaskService(store, root, "ada", "cli", **more))


async def until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    """Waits for a condition, and fails when it does not come true in time."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, "it did not happen in time"
        await asyncio.sleep(0.01)
