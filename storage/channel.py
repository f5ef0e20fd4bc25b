"""One SQLite connection on its own thread, to which whole functions are sent."""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite

from storage.failures import translated

T = TypeVar("T")
Job = Callable[[sqlite3.Connection], None]


class _JobConnection(sqlite3.Connection):
    """A connection whose ``commit()`` runs the oldest job that waits for it.

    aiosqlite has no public call that runs a function on the connection's thread, but it promises that ``commit()`` runs
    ``commit()`` of the connection there, and sqlite3 lets one choose the connection's class. A job is a whole
    transaction from BEGIN to COMMIT in one call: it costs one hop to the thread instead of one for each statement, and
    cancelling the coroutine that waits can never leave a transaction open, because nobody waits in the middle of one.
    """

    def __init__(self, jobs: deque[Job], *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._jobs = jobs

    def commit(self) -> None:
        self._jobs.popleft()(self)


def uri(path: Path, mode: str) -> str:
    """The address of a file for ``sqlite3.connect(uri=True)``."""
    return f"{path.absolute().as_uri()}?mode={mode}"


class Channel:
    """Runs jobs one after the other on the thread of one connection.

    The thread is not a daemon: a channel that was opened must be closed, or the program does not end.
    """

    def __init__(self, path: Path, connection: aiosqlite.Connection, jobs: deque[Job]) -> None:
        self.path = path
        self._connection = connection
        self._jobs = jobs
        self._running = False

    @classmethod
    async def open(
        cls, path: Path, *, mode: str, wait: float, prepare: Callable[[sqlite3.Connection], None] | None = None
    ) -> Channel:
        """Opens a file.

        :param mode: the ``mode=`` of an SQLite URI, such as ``ro`` or ``rwc``; or ``ro&immutable=1``.
        :param wait: how many seconds to wait for a lock that another program holds.
        :param prepare: runs on the connection before anything else.
        :raises VibeError: when the file cannot be opened; the thread has ended then.
        """
        jobs: deque[Job] = deque()

        def factory(*arguments: Any, **options: Any) -> _JobConnection:
            return _JobConnection(jobs, *arguments, **options)

        with translated(path):
            connection = await aiosqlite.connect(
                uri(path, mode),
                uri=True,
                timeout=wait,
                isolation_level=None,
                cached_statements=400,
                factory=factory,
            )
        channel = cls(path, connection, jobs)
        if prepare is not None:
            try:
                await channel.run(prepare)
            except BaseException:  # whatever it was, the thread must not stay
                await channel.close()
                raise
        return channel

    @property
    def load(self) -> int:
        """How many jobs wait or run."""
        return len(self._jobs) + self._running

    async def run(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Runs a function on the connection's thread and returns what it returns.

        When the caller is cancelled the function still runs to its end.

        :raises VibeError: for a failure of the file; whatever the function raises otherwise.
        """
        returned: list[T] = []
        raised: list[BaseException] = []

        def call(connection: sqlite3.Connection) -> None:
            self._running = True
            try:
                with translated(self.path):
                    returned.append(job(connection))
            except BaseException as error:  # noqa: BLE001 - handed to the caller, a future cannot carry every exception
                raised.append(error)
            finally:
                self._running = False

        self._jobs.append(call)
        await self._connection.commit()
        if raised:
            raise raised[0]
        return returned[0]

    async def close(self) -> None:
        """Lets the jobs that wait run, closes the connection and ends the thread."""
        await self._connection.close()
