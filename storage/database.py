"""One file of the store: its readers, its writer, its schema."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from storage.channel import Channel
from storage.clock import Clock, Millis
from storage.errors import NotFound, Refused, StoreBroken
from storage.failures import closed, files_translated, full, read_only
from storage.gate import Gate
from storage.migrate import SCHEMAS, check_version, migrate, migrate_in_memory, schema_version, too_new
from storage.transaction import Transaction
from storage.writer import Writer

T = TypeVar("T")
X = TypeVar("X", bound=Transaction)

_READERS = 2
_CACHE_KIB = 16_384
_LOG_BYTES = 16_777_216
"""What the write-ahead log shrinks to after one large transaction has made it longer."""
_INDEX_BYTES = 65_536
"""Room that the index of the write-ahead log takes, and some more."""


class Database(Generic[X]):
    """A file with up to two reading connections and one that writes, each opened when it is first needed."""

    def __init__(
        self,
        path: Path,
        transaction: Callable[[sqlite3.Connection, Millis], X],
        *,
        clock: Clock,
        read_only: bool,
        wait: float,
        synchronous: str,
        announce: Callable[[], None],
        optional: bool = False,
    ) -> None:
        """
        :param transaction: makes what a body gets from a connection and the time.
        :param wait: how many seconds to wait for other programs.
        :param synchronous: FULL for what must survive a power cut, NORMAL for what may lose its last moment.
        :param announce: called in the loop after a commit that followers should look at.
        :param optional: where the file does not exist and must not be created, it reads as an empty one.
        """
        self.path = path
        self.schema = path.stem
        self._transaction = transaction
        self._clock = clock
        self._read_only = read_only
        self._wait = wait
        self._synchronous = synchronous
        self._optional = optional
        self._readers: list[Channel] = []
        self._opening = asyncio.Lock()
        self._mode = "ro"
        self._closed = False
        self._writer: Writer[X] = Writer(
            path,
            channel=self._open_writer,
            gate=Gate(path.with_suffix(".lock"), path),
            wait=wait,
            begin=self._begin,
            check=lambda connection: check_version(connection, self.schema, path),
            announce=announce,
        )

    async def open(self) -> None:
        """Opens the file, and creates or migrates it where needed.

        :raises StoreTooNew: a newer program wrote it.
        :raises Busy: another program holds its lock.
        :raises StoreBroken: it cannot be opened.
        :raises NotFound: it does not exist and must not be created.
        """
        with files_translated(self.path):
            exists = self.path.exists()
            half_made = self.path.with_name(self.path.name + "-journal").exists()
        if self.stands_in:
            if not exists:
                return
            await self._leave_memory()
        if not exists and self._read_only:
            if not self._optional:
                raise NotFound(f"there is no store at {self.path}", hint="Run `vibehq init` first.")
            self._mode = "memory"
        elif not exists or (half_made and not self._read_only):
            await self._migrate()  # also settles what a process that was killed while it created the file has left
        channel = await self._reader()
        version = await channel.run(schema_version)
        known = SCHEMAS[self.schema]
        if version > known:
            raise too_new(self.path, version, known)
        if version < known:
            if self._read_only:
                raise Refused(
                    f"{self.path} has the older schema {version}, this program reads {known}",
                    code="store-old",
                    hint="Open it once without --read-only; that migrates it.",
                )
            await self._migrate()

    @property
    def stands_in(self) -> bool:
        """True while an empty database in memory stands in for a file that does not exist; :meth:`open` looks again."""
        return self._mode == "memory"

    async def read(self, body: Callable[[X], T]) -> T:
        """Runs a function inside one reading transaction."""
        channel = await self._reader()

        def job(connection: sqlite3.Connection) -> T:
            connection.execute("BEGIN")
            try:
                return body(self._begin(connection))
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

        return await channel.run(job)

    async def write(self, body: Callable[[X], T]) -> T:
        """Runs a function inside a writing transaction; returns after its commit."""
        if self._read_only:
            raise Refused("the store is open read-only", code="read-only", hint="Open it without --read-only.")
        return await self._writer.submit(body)

    async def close(self) -> None:
        """Closes all connections: the writer last, which leaves the file complete when nobody else has it open."""
        self._closed = True
        try:
            async with self._opening:
                while self._readers:
                    await self._readers.pop().close()
        finally:
            await self._writer.close()

    async def _leave_memory(self) -> None:
        async with self._opening:
            self._mode = "ro"
            while self._readers:
                await self._readers.pop().close()

    def _begin(self, connection: sqlite3.Connection) -> X:
        return self._transaction(connection, self._clock.now())

    async def _reader(self) -> Channel:
        if self._closed:
            raise closed(self.path)
        free = self._free_reader()
        if free is not None:
            return free
        async with self._opening:
            if self._closed:
                raise closed(self.path)
            free = self._free_reader()
            if free is None:
                free = await self._open_reader()
                self._readers.append(free)
            return free

    def _free_reader(self) -> Channel | None:
        free = min(self._readers, key=lambda channel: channel.load, default=None)
        if free is not None and (free.load == 0 or len(self._readers) >= _READERS):
            return free
        return None

    async def _open_reader(self) -> Channel:
        try:
            return await Channel.open(self.path, mode=self._mode, wait=self._wait, prepare=self._prepare_reader)
        except StoreBroken as error:
            reason = self._unwritable()
            if error.code != "store-io" or reason is None:
                raise
            # Nothing can be written beside the file, where WAL keeps its index.
            if not self._read_only:
                raise reason from error
            if self._unsettled():
                raise StoreBroken(
                    f"{self.path} cannot be read here: its disk takes no writes, and changes wait in its -wal file",
                    code=reason.code,
                    hint="Copy the folder to a disk that can be written, and look at the copy.",
                ) from error
            self._mode = "ro&immutable=1"
            return await Channel.open(self.path, mode=self._mode, wait=self._wait, prepare=self._prepare_reader)

    def _unwritable(self) -> StoreBroken | None:
        """Why nothing can be written beside the file, if that is so."""
        if not os.access(self.path.parent, os.W_OK):
            return read_only(self.path)
        disk = os.statvfs(self.path.parent)
        return full(self.path) if disk.f_bavail * disk.f_frsize < _INDEX_BYTES else None

    def _unsettled(self) -> bool:
        log = self.path.with_name(self.path.name + "-wal")
        return log.exists() and log.stat().st_size > 0

    def _prepare_reader(self, connection: sqlite3.Connection) -> None:
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        connection.execute("PRAGMA trusted_schema = OFF")
        if self._mode == "memory":
            migrate_in_memory(connection, self.schema, self._clock.now())
        connection.execute("PRAGMA query_only = ON")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()  # opens the file: now, not at the first use

    async def _open_writer(self) -> Channel:
        def prepare(connection: sqlite3.Connection) -> None:
            connection.execute(f"PRAGMA synchronous = {self._synchronous}")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute(f"PRAGMA journal_size_limit = {_LOG_BYTES}")
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")

        return await Channel.open(self.path, mode="rwc", wait=self._wait, prepare=prepare)

    async def _migrate(self) -> None:
        now, backups = self._clock.now(), self.path.parent / "backups"
        await self._writer.run(lambda connection: migrate(connection, self.schema, self.path, backups, now))
