"""The store: the one place where the state of a workspace lives, shared by any number of processes.

::

    async with await Store.open(workspace / ".vibehq") as store:
        await store.write(lambda tx: tx.events.append("patch.received", actor="ada"))
        async for events in store.follow(0):
            ...
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from storage.checks import file_problems, schema_problems, truth_problems
from storage.clock import SYSTEM_CLOCK, Clock
from storage.database import Database
from storage.errors import Refused, StoreBroken, VibeError
from storage.failures import files_translated
from storage.feed import Feed, WakeBox
from storage.migrate import SCHEMAS, backup, backup_name
from storage.records import Event, LogLine
from storage.repositories.logs import KINDS
from storage.tx import LogTx, Tx

__all__ = ["LogTx", "Store", "Tx"]

T = TypeVar("T")

_BATCH = 500
_INDEX_BATCH = 2000
_SQLITE = (3, 35, 0)
"""The first with RETURNING and the trigram index."""


class Store:
    """The state of one workspace, in ``hq.db`` (the truth) and ``logs.db``.

    The functions that it is given run on another thread, inside a transaction; they must not block, and must not touch
    anything but the transaction and values of their own, because one may be run a second time when the disk filled up
    under somebody else's change. A coroutine that is cancelled while it waits for a write may see ``CancelledError``
    although the commit happened.
    """

    def __init__(self, folder: Path, *, clock: Clock, read_only: bool, wait: float) -> None:
        """Use :meth:`open`."""
        self.folder = folder
        self.clock = clock
        self.read_only = read_only
        self._box = WakeBox(folder / "wake")
        self._feed = Feed(self._box, b"e", self.head, listen=not read_only)
        self._log_feed = Feed(self._box, b"l", self._log_head, listen=not read_only)
        self._truth = Database(
            folder / "hq.db",
            Tx,
            clock=clock,
            read_only=read_only,
            wait=wait,
            synchronous="FULL",
            announce=self._feed.announce,
        )
        self._logs = Database(
            folder / "logs.db",
            LogTx,
            clock=clock,
            read_only=read_only,
            wait=wait,
            synchronous="NORMAL",
            announce=self._log_feed.announce,
            optional=True,
        )
        self._logs_ready = asyncio.Lock()
        self._logs_open = False
        self._indexer: asyncio.Task[None] | None = None
        self._closed = False

    @classmethod
    async def open(
        cls, folder: Path, *, clock: Clock = SYSTEM_CLOCK, read_only: bool = False, wait: float = 10.0
    ) -> Store:
        """Opens the store of a state folder; creates and migrates it where needed, after a backup.

        :param folder: ``.vibehq`` of the workspace.
        :param read_only: write nothing at all, not even on a disk that would take it; writing raises Refused.
        :param wait: how many seconds to wait for a lock that another program holds.
        :raises StoreTooNew: a newer program wrote it.
        :raises Busy: another program held its lock for too long.
        :raises StoreBroken: it is damaged, on a read-only disk, or there is no space left.
        :raises NotFound: it does not exist, and ``read_only`` forbids to create it.
        """
        if not read_only:
            _prepare_folder(folder)
        store = cls(folder, clock=clock, read_only=read_only, wait=wait)
        try:
            await store._truth.open()
        except BaseException:  # whatever it was, no connection stays open
            await store.close()
            raise
        return store

    async def close(self) -> None:
        """Commits what waits, ends the followers and closes every connection. May be called twice."""
        if self._closed:
            return
        self._closed = True
        try:
            await self._feed.close()
            await self._log_feed.close()
            self._box.close()
            if self._indexer is not None:
                self._indexer.cancel()
                await asyncio.wait({self._indexer})
        finally:
            try:
                await self._logs.close()
            finally:
                await self._truth.close()

    async def __aenter__(self) -> Store:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def read(self, body: Callable[[Tx], T]) -> T:
        """Runs a function inside one reading transaction: everything that it sees is of one moment."""
        return await self._truth.read(body)

    async def write(self, body: Callable[[Tx], T]) -> T:
        """Runs a function inside one writing transaction, all or nothing; returns once it is on the disk.

        :raises Refused: the store is open read-only.
        :raises Busy: another program held the lock for too long; nothing changed.
        :raises StoreBroken: the disk is full, read-only or failing; nothing changed.
        """
        return await self._truth.write(body)

    async def head(self) -> int:
        """The sequence number of the newest event; 0 where there is none."""
        return await self.read(lambda tx: tx.events.head())

    async def follow(self, cursor: int) -> AsyncIterator[list[Event]]:
        """Batches of the events after a cursor, as they come, whichever process they come from.

        It ends when the store is closed. To go on later, keep the ``seq`` of the last event.
        """
        with self._feed.following() as hint:
            while not self._feed.closed:
                hint.clear()
                events = await self.read(_since(cursor))
                if events:
                    cursor = events[-1].seq
                    yield events
                else:
                    await hint.wait()

    async def follow_logs(
        self, kind: str, source: str | None = None, after_seq: int = 0
    ) -> AsyncIterator[list[LogLine]]:
        """Batches of the log lines after a sequence number, as :meth:`follow` does for events.

        :param source: None for all sources of the kind.
        """
        if not self.read_only:
            self._index_behind()
        with self._log_feed.following() as hint:
            while not self._log_feed.closed:
                hint.clear()
                lines = await self.read_logs(_lines_after(kind, source, after_seq))
                if lines:
                    after_seq = lines[-1].seq
                    yield lines
                else:
                    await hint.wait()

    async def read_logs(self, body: Callable[[LogTx], T]) -> T:
        """As :meth:`read`, on the logs."""
        await self._open_logs()
        return await self._logs.read(body)

    async def write_logs(self, body: Callable[[LogTx], T]) -> T:
        """As :meth:`write`, on the logs; the last moment before a power cut may be lost."""
        await self._open_logs()
        result = await self._logs.write(body)
        self._index_behind()
        return result

    async def index_logs(self) -> None:
        """Brings the full-text index of the logs up to date, in batches. Searching works without it, slower."""
        await self._open_logs()
        done = _INDEX_BATCH
        while done >= _INDEX_BATCH:
            done = await self._logs.write(lambda tx: tx.lines.index_batch(_INDEX_BATCH))

    def _index_behind(self) -> None:
        async def index() -> None:
            with suppress(VibeError):  # the next writer of logs tries again; searching works without the index
                await self.index_logs()

        if self._indexer is None or self._indexer.done():
            self._indexer = asyncio.get_running_loop().create_task(index(), name="store-log-index")

    async def backup(self, target: Path | None = None) -> Path:
        """Writes a verified copy of the truth (not of the logs) while others go on working.

        :param target: a new file; by default one in ``backups/`` named for schema and time.
        :returns: the file.
        :raises Refused: the target exists.
        """
        if target is None:
            target = self.folder / "backups" / backup_name("hq", SCHEMAS["hq"], self.clock.now())
        if target.exists():
            raise Refused(f"{target} exists already", hint="Choose another name; backups never overwrite.")
        await asyncio.to_thread(backup, self._truth.path, target)
        return target

    async def check(self) -> list[str]:
        """What is wrong with the files, their schemas, the references in them and the audit chain; empty when sound."""
        found = await asyncio.to_thread(file_problems, self._truth.path)
        if not found:
            found += await self.read(lambda tx: schema_problems(tx, "hq") + truth_problems(tx))
        if self._logs.path.exists():
            found += await self._check_logs()
        return found

    async def _check_logs(self) -> list[str]:
        try:
            await self._open_logs()
        except StoreBroken as error:
            return [f"{self._logs.path.name}: {error.message}"]
        found = await asyncio.to_thread(file_problems, self._logs.path)
        return found or await self.read_logs(lambda tx: schema_problems(tx, "logs"))

    async def _open_logs(self) -> None:
        if self._logs_open:
            return
        async with self._logs_ready:
            if not self._logs_open:
                await self._logs.open()
                self._logs_open = not self._logs.stands_in

    async def _log_head(self) -> int:
        return await self.read_logs(lambda tx: sum(tx.lines.head(kind) for kind in KINDS))


def _since(cursor: int) -> Callable[[Tx], list[Event]]:
    return lambda tx: tx.events.since(cursor, _BATCH)


def _lines_after(kind: str, source: str | None, seq: int) -> Callable[[LogTx], list[LogLine]]:
    return lambda tx: tx.lines.page(kind, source, seq, _BATCH)


def _prepare_folder(folder: Path) -> None:
    """Creates the folder, which ignores itself in git.

    :raises StoreBroken: when that is not possible.
    """
    if sqlite3.sqlite_version_info < _SQLITE:
        raise StoreBroken(
            f"SQLite {sqlite3.sqlite_version} is too old, {'.'.join(map(str, _SQLITE))} is needed",
            code="sqlite-too-old",
            hint="Use a Python that was built with a newer one.",
        )
    ignore = folder / ".gitignore"
    with files_translated(folder):
        if not ignore.exists():
            folder.mkdir(parents=True, exist_ok=True)
            ignore.write_text("*\n", encoding="utf-8")
