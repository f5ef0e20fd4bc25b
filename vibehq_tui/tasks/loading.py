"""The tasks file of a workspace, read and checked."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vibehq_tui.tasks import files
from vibehq_tui.tasks.document import MAX_BYTES, Document, parse
from vibehq_tui.tasks.problems import TaskProblem, TasksFileBroken
from vibehq_tui.tasks.splice import new_document
from vibehq_tui.tasks.validate import Checked, check

_HALF_WRITTEN: Final = 5
_PAUSE: Final = 0.1
"""Seconds until a file that was broken and written a moment ago is read again: its writer may be half-way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A tasks file without an error in it."""

    content: files.Content | None
    """None where there is no file yet."""
    document: Document
    checked: Checked

    @property
    def stamp(self) -> str:
        """As it is noted in the store."""
        return self.content.stamp if self.content else ""


class TasksFile:
    """Where the tasks of one workspace are."""

    def __init__(self, root: Path, configured: str | None = None, max_bytes: int = MAX_BYTES) -> None:
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
        """The checked file; an empty one where there is none.

        :param content: what was already read of it.
        :raises TasksFileBroken: when there is an error in it.
        """
        if not found.exists:
            return self.check(found.source, new_document(()).encode(), None)
        for _ in range(_HALF_WRITTEN):
            content = content or await self.read(found)
            try:
                return await asyncio.to_thread(self.check, found.source, content.data, content)
            except TasksFileBroken:
                if content.settled:
                    raise
            content = None
            await asyncio.sleep(_PAUSE)
        content = await self.read(found)
        return await asyncio.to_thread(self.check, found.source, content.data, content)

    def check(self, source: str, data: bytes, content: files.Content | None) -> Loaded:
        """Bytes, checked. Blocks.

        :raises TasksFileBroken: when there is an error in them.
        """
        try:
            document = parse(data, source, self._max_bytes)
            checked = check(document)
            if checked.broken:
                raise TasksFileBroken(checked.problems)
        except TasksFileBroken as broken:
            broken.stamp = content.stamp if content else ""
            raise
        return Loaded(content=content, document=document, checked=checked)

    def problems(self, path: Path, name: str) -> tuple[TaskProblem, ...]:
        """What is wrong in any tasks file. Blocks."""
        try:
            content = files.read(path, name, self._max_bytes)
            return check(parse(content.data, name, self._max_bytes)).problems
        except TasksFileBroken as broken:
            return broken.problems
