"""Writes a change into the tasks file and into the store, both or neither."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from storage.errors import Busy, Refused
from storage.store import Store, Tx
from vibehq_tui.tasks import files
from vibehq_tui.tasks.finish import to_the_end
from vibehq_tui.tasks.loading import Loaded, Opened, TasksFile
from vibehq_tui.tasks.mirror import Mirrored, Seen, mirror, note_seen, tell_of_file

T = TypeVar("T")

_ATTEMPTS: Final = 5
"""How often a change is made again when somebody else, who does not know our lock, writes at the same time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit(Generic[T]):
    """A change to a tasks file."""

    text: str
    """The whole new text; the old one where nothing is to change."""
    own: Collection[str] = ()
    """The ids that it changes or adds."""
    tell: Callable[[Tx, Loaded, Mirrored], T]
    """Appends events and audit entries, in the transaction in which the mirror changes, and answers the result."""


class TaskWriter:
    """Changes one tasks file."""

    def __init__(self, store: Store, file: TasksFile) -> None:
        self._store = store
        self._file = file

    async def rewrite(self, make: Callable[[Opened], Edit[T]]) -> T:
        """Reads the file, lets ``make`` say what is to change, and makes file, mirror, events and audit agree.

        :raises TasksFileBroken: when there is an error in the file: nothing is written into what is not understood.
        :raises Refused: when it cannot be written, or the store is open for reading only.
        :raises Busy: when others write it all the time. Whatever is raised, nothing has changed.
        """
        if self._store.read_only:
            raise Refused("this session may only read; the tasks file is not changed", code="read-only")
        async with files.locked(self._store.folder):
            return await to_the_end(self._rewrite_locked(make))

    async def _rewrite_locked(self, make: Callable[[Opened], Edit[T]]) -> T:
        await asyncio.to_thread(files.sweep, self._file.find().path, self._store.folder)
        for _ in range(_ATTEMPTS):
            found = self._file.find()
            opened = await self._file.open(found)
            edit = await asyncio.to_thread(make, opened)
            data = opened.document.encode(edit.text)
            if opened.content is not None and data == opened.content.data:
                same = await asyncio.to_thread(self._file.check, found.source, data, opened.content.stamp)
                return await self._store_it(found, same, edit)
            new = await asyncio.to_thread(self._file.check, found.source, data, files.stamp_of(data))
            try:
                replaced = await asyncio.to_thread(files.replace, found.path, data, opened.content, self._store.folder)
            except files.FileChanged:
                continue
            try:
                result = await self._store_it(found, new, edit)
            except BaseException:  # whatever it was, the file is as before
                await asyncio.to_thread(replaced.undo)
                raise
            await asyncio.to_thread(replaced.settle)
            return result
        raise Busy(f"{found.source} is written by another program all the time", hint="try again when it is done")

    async def _store_it(self, found: files.Found, loaded: Loaded, edit: Edit[T]) -> T:
        def body(tx: Tx) -> T:
            done = mirror(tx, found.source, loaded.checked.tasks)
            note_seen(tx, Seen(source=found.source, stamp=loaded.stamp, problems=loaded.checked.problems))
            tx.tasks.set_source_stamp(found.source, loaded.stamp)
            tell_of_file(tx, done, found.source, own=edit.own)
            return edit.tell(tx, loaded, done)

        return await self._store.write(body)
