"""One file of the store: its readers, its writer, its schema."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from storage.channel import Channel
from storage.clock import Clock, Millis
from storage.errors import NotFound, Refused, StoreBroken
from storage.gate import Gate
from storage.migrate import SCHEMAS, check_version, migrate, schema_version, too_new
from storage.transaction import Transaction
from storage.writer import Writer

T = TypeVar("T")
X = TypeVar("X", bound=Transaction)

_READERS = 2
_CACHE_KIB = 16_384


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
        committed: Callable[[bool], None],
    ) -> None:
        """
        :param transaction: makes what a body gets from a connection and the time.
        :param wait: how many seconds to wait for other programs.
        :param synchronous: FULL for what must survive a power cut, NORMAL for what may lose its last moment.
        :param committed: called on a thread after every commit; True when followers should look.
        """
        self.path = path
        self.schema = path.stem
        self._transaction = transaction
        self._clock = clock
        self._read_only = read_only
        self._wait = wait
        self._synchronous = synchronous
        self._readers: list[Channel] = []
        self._mode = "ro"
        self._opening = asyncio.Lock()
        self.gate = Gate(path.with_suffix(".lock"), path)
        self._writer: Writer[X] = Writer(
            channel=self._open_writer,
            gate=self.gate,
            wait=wait,
            begin=self._begin,
            check=lambda connection: check_version(connection, self.schema, path),
            committed=committed,
        )

    async def open(self) -> None:
        """Opens the file, and creates or migrates it where needed.

        :raises StoreTooNew: a newer program wrote it.
        :raises Busy: another program holds its lock.
        :raises StoreBroken: it cannot be opened.
        :raises NotFound: it does not exist and must not be created.
        """
        if not self.path.exists():
            if self._read_only:
                raise NotFound(f"there is no store at {self.path}", hint="Run `vibehq init` first.")
            await self._migrate()
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
        try:
            while self._readers:
                await self._readers.pop().close()
        finally:
            await self._writer.close()

    def _begin(self, connection: sqlite3.Connection) -> X:
        return self._transaction(connection, self._clock.now())

    async def _reader(self) -> Channel:
        free = self._free_reader()
        if free is not None:
            return free
        async with self._opening:
            return self._free_reader() or await self._open_reader()

    def _free_reader(self) -> Channel | None:
        free = min(self._readers, key=lambda channel: channel.load, default=None)
        if free is not None and (free.load == 0 or len(self._readers) >= _READERS):
            return free
        return None

    async def _open_reader(self) -> Channel:
        try:
            channel = await Channel.open(self.path, mode=self._mode, wait=self._wait, prepare=_prepare_reader)
        except StoreBroken:
            if not self._read_only or self._mode != "ro" or not self._settled():
                raise
            # A disk that takes no writes at all: WAL needs its index beside the file, unless nothing can change.
            channel = await Channel.open(self.path, mode="ro&immutable=1", wait=self._wait, prepare=_prepare_reader)
            self._mode = "ro&immutable=1"
        self._readers.append(channel)
        return channel

    def _settled(self) -> bool:
        log = self.path.with_name(self.path.name + "-wal")
        return not log.exists() or log.stat().st_size == 0

    async def _open_writer(self) -> Channel:
        def prepare(connection: sqlite3.Connection) -> None:
            connection.execute(f"PRAGMA synchronous = {self._synchronous}")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")

        return await Channel.open(self.path, mode="rwc", wait=self._wait, prepare=prepare)

    async def _migrate(self) -> None:
        channel = await self._writer.channel()

        def job(connection: sqlite3.Connection) -> None:
            with self.gate.held(self._wait):
                migrate(connection, self.schema, self.path, self.path.parent / "backups", self._clock.now())

        await channel.run(job)


def _prepare_reader(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA query_only = ON")
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
