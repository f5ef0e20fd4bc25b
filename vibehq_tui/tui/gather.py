"""Doing something once for many reasons to do it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable


class Gathered:
    """Runs a coroutine function when poked, at most once in a given time, and once more when poked meanwhile."""

    def __init__(self, do: Callable[[], Awaitable[None]], every: float) -> None:
        """:param every: seconds from the end of one run to the start of the next."""
        self._do = do
        self._every = every
        self._wanted = asyncio.Event()

    def poke(self) -> None:
        """There is a reason."""
        self._wanted.set()

    async def run(self) -> None:
        """The worker."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            await self._do()
            await asyncio.sleep(self._every)


class Rested:
    """Calls a function once nobody has poked for a while; a poke costs next to nothing."""

    def __init__(self, do: Callable[[], None], after: float) -> None:
        """:param after: seconds of rest."""
        self._do = do
        self._after = after
        self._due = 0.0
        self._handle: asyncio.TimerHandle | None = None

    def poke(self) -> None:
        """Not yet."""
        loop = asyncio.get_running_loop()
        self._due = loop.time() + self._after
        if self._handle is None:
            self._handle = loop.call_at(self._due, self._look)

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        if loop.time() < self._due:
            self._handle = loop.call_at(self._due, self._look)
        else:
            self._handle = None
            self._do()

    @property
    def pending(self) -> bool:
        """Whether the call is still to come."""
        return self._handle is not None

    def cancel(self) -> None:
        """Never."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
