"""Worker logs and build logs: taken in, followed and searched."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from storage.errors import NotFound, Usage
from storage.records import LogLine
from storage.repositories.logs import LogSource
from storage.store import LogTx, Store

KINDS: Final = ("worker", "build")
LEVELS: Final = ("debug", "info", "warning", "error", "critical")
_LEVEL = re.compile(r"\b(DEBUG|INFO|NOTICE|WARN(?:ING)?|ERR(?:OR)?|CRIT(?:ICAL)?|FATAL|PANIC)\b", re.IGNORECASE)
_LEVEL_WORDS: Final = {
    "debug": "debug",
    "info": "info",
    "notice": "info",
    "warn": "warning",
    "warning": "warning",
    "err": "error",
    "error": "error",
    "crit": "critical",
    "critical": "critical",
    "fatal": "critical",
    "panic": "critical",
}
_BATCH: Final = 5_000


def level_of(text: str) -> str:
    """The level that a line names in its first 200 characters; ``info`` when it names none."""
    found = _LEVEL.search(text, 0, 200)
    return _LEVEL_WORDS[found[1].lower()] if found else "info"


class LogService:
    """The logs of this workspace, in their own file so that they never hold the lock of the truth."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def ingest(self, kind: str, source: str, lines: Iterable[str]) -> int:
        """Stores ``lines`` in batches and answers how many there were.

        :param kind: ``worker`` or ``build``.
        :raises Usage: for any other kind.
        """
        if kind not in KINDS:
            raise Usage(f"unknown kind of log: {kind}", hint=f"one of: {', '.join(KINDS)}")
        total = 0
        batch: list[LogLine] = []
        for text in lines:
            line = text.rstrip("\r\n")
            now = self._store.clock.now()
            batch.append(LogLine(seq=0, kind=kind, source=source, at=now, level=level_of(line), text=line))
            if len(batch) >= _BATCH:
                total += await self._flush(batch)
                batch = []
        return total + await self._flush(batch)

    async def _flush(self, batch: Sequence[LogLine]) -> int:
        if batch:
            await self._store.write_logs(lambda tx: tx.lines.append_many(batch))
        return len(batch)

    async def tail(self, source: str, limit: int = 200, *, kind: str | None = None) -> list[LogLine]:
        """The last ``limit`` lines of ``source``, oldest first.

        :param kind: worker or build; where both have a source of that name and none is given, the one written last.
        :raises NotFound: when there is no log of that name.
        """
        known = [row for row in await self.sources() if row.source == source and kind in (None, row.kind)]
        if not known:
            raise NotFound(f"there is no log called {source}", hint="vibehq log tail without a name lists the logs")
        return await self._store.read_logs(lambda tx: tx.lines.tail(known[0].kind, source, limit))

    async def search(
        self, text: str, *, kind: str | None = None, levels: Sequence[str] = (), limit: int = 200
    ) -> list[LogLine]:
        """The newest ``limit`` lines that hold ``text``, in the order of their times."""

        def body(tx: LogTx) -> list[LogLine]:
            return [
                line
                for one in ((kind,) if kind else KINDS)
                for line in tx.lines.tail(one, limit=limit, text=text, levels=levels)
            ]

        found = sorted(await self._store.read_logs(body), key=lambda line: (line.at, line.seq))
        return found[-limit:]

    async def sources(self) -> list[LogSource]:
        """Every log, most recently written first."""
        return await self._store.read_logs(lambda tx: tx.lines.sources())
