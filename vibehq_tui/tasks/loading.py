"""The tasks file of a workspace, read and checked."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vibehq_tui.tasks import files
from vibehq_tui.tasks.document import Document, Node, parse
from vibehq_tui.tasks.index import index_tasks
from vibehq_tui.tasks.problems import TaskProblem, TasksFileBroken
from vibehq_tui.tasks.splice import new_document
from vibehq_tui.tasks.validate import Checked, check

_HALF_WRITTEN: Final = 5
_PAUSE: Final = 0.1
"""Seconds until a file that was broken and written a moment ago is read again: its writer may be half-way."""


@contextmanager
def _no_collection() -> Iterator[None]:
    """Keeps the collector of cycles away while a file becomes many objects, none of which is garbage.

    It would look at all of them several times over: a third of the time of a file with 10,000 tasks.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A tasks file without an error in it."""

    stamp: str
    """As it is noted in the store."""
    checked: Checked


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A tasks file that is about to be changed. It is JSON; whether it is right is checked after the change."""

    content: files.Content | None
    """None where there is no file yet."""
    document: Document
    nodes: Mapping[str, Node]
    """Id → where the task stands."""


class TasksFile:
    """Where the tasks of one workspace are."""

    def __init__(self, root: Path, configured: str | None = None, max_bytes: int = files.MAX_BYTES) -> None:
        self.root = root
        self.configured = configured
        self._max_bytes = max_bytes

    def find(self) -> files.Found:
        """Which file it is at this moment."""
        return files.find(self.root, self.configured)

    async def read(self, found: files.Found) -> files.Content:
        """The bytes of the file.

        :raises TasksFileBroken: when it cannot be read.
        """
        return await asyncio.to_thread(files.read, found.path, found.source, self._max_bytes)

    async def load(self, found: files.Found, content: files.Content | None = None) -> Loaded:
        """The checked file.

        :param content: what was already read of it.
        :raises TasksFileBroken: when there is an error in it.
        """
        for _ in range(_HALF_WRITTEN):
            content = content or await self.read(found)
            try:
                return await asyncio.to_thread(self.check, found.source, content.data, content.stamp)
            except TasksFileBroken:
                if content.settled:
                    raise
            content = None
            await asyncio.sleep(_PAUSE)
        content = await self.read(found)
        return await asyncio.to_thread(self.check, found.source, content.data, content.stamp)

    async def open(self, found: files.Found) -> Opened:
        """The file to be changed; an empty one where there is none.

        :raises TasksFileBroken: when it cannot be read, or is no list of tasks in JSON.
        """
        content = await self.read(found) if found.exists else None
        data = new_document(()).encode() if content is None else content.data
        return await asyncio.to_thread(self._open, found.source, data, content)

    def _open(self, source: str, data: bytes, content: files.Content | None) -> Opened:
        document = parse(data, source, self._max_bytes)
        if document.problems.broken:
            raise TasksFileBroken(document.problems.all())
        index = index_tasks(document, document.new_problems())
        return Opened(content=content, document=document, nodes=index.nodes)

    def check(self, source: str, data: bytes, stamp: str) -> Loaded:
        """Bytes, checked. Blocks.

        :param stamp: what is noted of them.
        :raises TasksFileBroken: when there is an error in them.
        """
        try:
            with _no_collection():
                checked = check(parse(data, source, self._max_bytes))
            if checked.broken:
                raise TasksFileBroken(checked.problems)
        except TasksFileBroken as broken:
            broken.stamp = stamp
            raise
        return Loaded(stamp=stamp, checked=checked)

    def problems(self, path: Path, name: str) -> tuple[TaskProblem, ...]:
        """What is wrong in any tasks file. Blocks."""
        try:
            content = files.read(path, name, self._max_bytes)
            with _no_collection():
                return check(parse(content.data, name, self._max_bytes)).problems
        except TasksFileBroken as broken:
            return broken.problems
