"""One queue of writers per process and file, committed in groups."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Generic, TypeVar

from storage.channel import Channel
from storage.errors import StoreBroken
from storage.gate import Gate
from storage.transaction import Transaction

T = TypeVar("T")
X = TypeVar("X", bound=Transaction)

_GROUP = 256
"""Callers in one commit at most: bounds how long the gate is held."""


class _Caller(Generic[X]):
    """One caller's function, and what became of it."""

    __slots__ = ("body", "done", "error", "result")

    def __init__(self, body: Callable[[X], Any], done: asyncio.Future[None]) -> None:
        self.body = body
        self.done = done
        self.result: Any = None
        self.error: BaseException | None = None


class Writer(Generic[X]):
    """Runs functions that write, each all or nothing, and acknowledges them after the commit that holds them.

    Callers that arrive while a commit is under way share the next one, each in a savepoint of its own: the disk is
    waited for once for all of them.
    """

    def __init__(
        self,
        *,
        channel: Callable[[], Awaitable[Channel]],
        gate: Gate,
        wait: float,
        begin: Callable[[sqlite3.Connection], X],
        check: Callable[[sqlite3.Connection], None],
        committed: Callable[[bool], None],
    ) -> None:
        """
        :param channel: opens the connection, at the first write.
        :param wait: how many seconds to wait for other processes.
        :param begin: makes what a body gets.
        :param check: raises when this program must not write to the file any more.
        :param committed: called on the connection's thread after a commit; True when followers should look.
        """
        self._open = channel
        self._gate = gate
        self._wait = wait
        self._begin = begin
        self._check = check
        self._committed = committed
        self._channel: Channel | None = None
        self._queue: deque[_Caller[X]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    async def submit(self, body: Callable[[X], T]) -> T:
        """Runs a function inside a transaction and returns its result once that is committed.

        A caller that is cancelled before its turn has changed nothing; later, the change may have happened.

        :raises Busy: another program held the lock for too long.
        :raises StoreBroken: the file cannot be written.
        """
        if self._closed:
            raise StoreBroken("the store is closed", code="store-closed")
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

    async def channel(self) -> Channel:
        """The connection that writes; opened when it is first needed."""
        if self._channel is None:
            self._channel = await self._open()
        return self._channel

    async def close(self) -> None:
        """Commits what waits, then closes the connection."""
        self._closed = True
        try:
            if self._task is not None:
                await self._task
        finally:
            if self._channel is not None:
                await self._channel.close()
                self._channel = None

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
            channel = await self.channel()
            again = await channel.run(lambda connection: self._run_group(connection, group))
        except BaseException as error:  # noqa: BLE001 - every caller gets it; the queue goes on for the others
            for caller in group:
                caller.error = error
        self._queue.extendleft(reversed(again))
        for caller in group:
            if caller not in again and not caller.done.done():
                caller.done.set_result(None)

    def _run_group(self, connection: sqlite3.Connection, group: list[_Caller[X]]) -> list[_Caller[X]]:
        """On the connection's thread. Returns the callers who must be run again, through no fault of theirs."""
        with self._gate.held(self._wait):
            connection.execute("BEGIN IMMEDIATE")
            try:
                self._check(connection)
                appended = False
                for caller in group:
                    appended |= self._run_one(connection, caller, alone=len(group) == 1)
                    if not connection.in_transaction:  # SQLite gave the whole transaction up (disk full, for one)
                        return [other for other in group if other is not caller]
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    with suppress(sqlite3.Error):  # the error that led here says more
                        connection.execute("ROLLBACK")
        self._committed(appended)
        return []

    def _run_one(self, connection: sqlite3.Connection, caller: _Caller[X], *, alone: bool) -> bool:
        connection.execute("SAVEPOINT caller")
        tx = self._begin(connection)
        try:
            caller.result = caller.body(tx)
        except BaseException as error:  # noqa: BLE001 - belongs to this caller alone, who gets it
            caller.error = error
            if connection.in_transaction:
                connection.execute("ROLLBACK TO caller")
                connection.execute("RELEASE caller")
            return False
        connection.execute("RELEASE caller")
        return tx.appended
