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
