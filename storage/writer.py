"""One queue of writers per process and file, committed in groups."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Generic, TypeVar

from storage.channel import Channel
from storage.failures import closed, full, translated
from storage.gate import Gate
from storage.transaction import Transaction

T = TypeVar("T")
X = TypeVar("X", bound=Transaction)

_GROUP = 256
"""Callers in one commit at most: bounds how long the gate is held."""
_WAITED = 0.05
"""Seconds at the gate from which the wait for SQLite's own lock is shortened by them."""


class _Caller(Generic[X]):
    """One caller's function, and what became of it."""

    __slots__ = ("appended", "body", "done", "error", "result")

    def __init__(self, body: Callable[[X], Any], done: asyncio.Future[None]) -> None:
        self.body = body
        self.done = done
        self.result: Any = None
        self.error: BaseException | None = None
        self.appended = False


class Writer(Generic[X]):
    """Runs functions that write, each all or nothing, and acknowledges them after the commit that holds them.

    Callers that arrive while a commit is under way share the next one, each in a savepoint of its own: the disk is
    waited for once for all of them.
    """

    def __init__(
        self,
        path: Path,
        *,
        channel: Callable[[], Awaitable[Channel]],
        gate: Gate,
        wait: float,
        begin: Callable[[sqlite3.Connection], X],
        check: Callable[[sqlite3.Connection], None],
        announce: Callable[[], None],
    ) -> None:
        """
        :param channel: opens the connection, at the first write.
        :param wait: how many seconds to wait for other processes.
        :param begin: makes what a body gets.
        :param check: raises when this program must not write to the file any more.
        :param announce: called in the loop after a commit that followers should look at.
        """
        self._path = path
        self._open = channel
        self._gate = gate
        self._wait = wait
        self._begin = begin
        self._check = check
        self._announce = announce
        self._channel: Channel | None = None
        self._queue: deque[_Caller[X]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._opening = asyncio.Lock()
        self._closed = False
        """No more callers are taken."""
        self._ended = False
        """The connection is closed for good."""

    async def submit(self, body: Callable[[X], T]) -> T:
        """Runs a function inside a transaction and returns its result once that is committed.

        A caller that is cancelled before its turn has changed nothing; later, the change may have happened.

        :raises Busy: another program held the lock for too long.
        :raises StoreBroken: the file cannot be written.
        """
        if self._closed:
            raise closed(self._path)
        loop = asyncio.get_running_loop()
        caller: _Caller[X] = _Caller(body, loop.create_future())
        self._queue.append(caller)
        if self._task is None or self._task.done():
            self._task = loop.create_task(self._drain(), name="store-writer")
        await caller.done
        if caller.error is not None:
            raise caller.error
        result: T = caller.result
        return result

    async def run(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Runs a function on the writing connection behind the gate, outside any transaction."""

        def gated(connection: sqlite3.Connection) -> T:
            with self._gate.held(self._wait):
                return job(connection)

        return await (await self._opened()).run(gated)

    async def close(self) -> None:
        """Commits what waits, then closes the connection."""
        self._closed = True
        try:
            if self._task is not None:
                await asyncio.wait({self._task})
        finally:
            async with self._opening:
                self._ended = True
                if self._channel is not None:
                    await self._channel.close()
                    self._channel = None

    async def _opened(self) -> Channel:
        async with self._opening:
            if self._ended:
                raise closed(self._path)
            if self._channel is None:
                self._channel = await self._open()
            return self._channel

    async def _drain(self) -> None:
        while self._queue:
            group: list[_Caller[X]] = []
            while self._queue and len(group) < _GROUP:
                caller = self._queue.popleft()
                if not caller.done.cancelled():
                    group.append(caller)
            if group:
                await self._commit(group)
            # Lets those who were just acknowledged join the next group instead of missing it by a step.
            await asyncio.sleep(0)

    async def _commit(self, group: list[_Caller[X]]) -> None:
        again: list[_Caller[X]] = []
        try:
            channel = await self._opened()
            again = await channel.run(lambda connection: self._run_group(connection, group))
        except BaseException as error:  # noqa: BLE001 - every caller gets it; the queue goes on for the others
            for caller in group:
                caller.error = caller.error or error
        else:
            if not again and any(caller.appended for caller in group):
                self._announce()
        self._queue.extendleft(reversed(again))
        for caller in group:
            if caller not in again and not caller.done.done():
                caller.done.set_result(None)

    def _run_group(self, connection: sqlite3.Connection, group: list[_Caller[X]]) -> list[_Caller[X]]:
        """On the connection's thread. Returns the callers who must be run again, through no fault of theirs."""
        with self._transaction(connection):
            self._check(connection)
            for caller in group:
                self._run_one(connection, caller)
                if not connection.in_transaction:  # SQLite gave the whole transaction up
                    return [other for other in group if other is not caller and other.error is None]
            connection.execute("COMMIT")
        return []

    @contextmanager
    def _transaction(self, connection: sqlite3.Connection) -> Iterator[None]:
        """Holds the gate, and rolls back whatever is not committed inside."""
        started = time.monotonic()
        with self._gate.held(self._wait):
            waited = time.monotonic() - started
            if waited > _WAITED:
                connection.execute(f"PRAGMA busy_timeout = {int(max(self._wait - waited, 0) * 1000)}")
            try:
                connection.execute("BEGIN IMMEDIATE")
                yield
            finally:
                if connection.in_transaction:
                    with suppress(sqlite3.Error):  # the error that led here says more
                        connection.execute("ROLLBACK")
                if waited > _WAITED:
                    connection.execute(f"PRAGMA busy_timeout = {int(self._wait * 1000)}")

    def _run_one(self, connection: sqlite3.Connection, caller: _Caller[X]) -> None:
        connection.execute("SAVEPOINT caller")
        tx = self._begin(connection)
        try:
            with translated(self._path):
                caller.result = caller.body(tx)
            if not connection.in_transaction:  # the body met the failure that ended the transaction, and hid it
                raise full(self._path)
        except BaseException as error:  # noqa: BLE001 - belongs to this caller alone, who gets it
            caller.error = error
            if connection.in_transaction:
                connection.execute("ROLLBACK TO caller")
                connection.execute("RELEASE caller")
        else:
            caller.appended = tx.appended
            connection.execute("RELEASE caller")
