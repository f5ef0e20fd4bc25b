"""Plans open patches against the tree as it is now, for all detectors of a scan, and only as often as needed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from storage.clock import Clock
from storage.errors import VibeError
from storage.query import Query
from storage.records import Patch
from storage.store import Store, Tx
from vibehq_tui.ops.model import PlanCheck, Replan, TouchedPath
from vibehq_tui.text.secrets import SecretHit, find_secrets_in_lines

OPEN_STATES: Final = ("proposed", "approved", "conflicted")
"""The states of patches that may still go in."""
_OPEN: Final = Query(where={"state": OPEN_STATES})
_MAX_CACHED: Final = 20_000
_LONG: Final = 100_000
"""Characters from which looking for secrets is given to a thread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What detectors need to know of a planned patch; the text of the patch is not kept."""

    ok: bool
    problems: tuple[Mapping[str, Any], ...] = ()
    touched: tuple[TouchedPath, ...] = ()
    secrets: tuple[tuple[str, SecretHit], ...] | None = None
    """``(path, hit)`` for each secret in its added lines; None where it could not be read."""


async def _digest(check: PlanCheck) -> Planned:
    added = check.added_lines
    secrets = None
    if added is not None:

        def find() -> tuple[tuple[str, SecretHit], ...]:
            return tuple((path, hit) for path, lines in added.items() for hit in find_secrets_in_lines(lines))

        length = sum(len(text) for lines in added.values() for _, text in lines)
        secrets = await asyncio.to_thread(find) if length > _LONG else find()
    return Planned(ok=check.ok, problems=check.problems, touched=check.touched, secrets=secrets)


class PlanCache:
    """Plans that still hold: neither the patch nor any path that it names changed since. Kept from scan to scan."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._kept: dict[str, tuple[object, Planned]] = {}

    def get(self, patch: Patch) -> Planned | None:
        """The plan of the patch, if nothing changed since."""
        kept = self._kept.get(patch.id)
        return kept[1] if kept is not None and kept[0] == self.stamp(patch) else None

    def put(self, patch: Patch, stamp: object, plan: Planned) -> None:
        """Keeps a plan; ``stamp`` was taken before planning, so that a change meanwhile is noticed."""
        if len(self._kept) >= _MAX_CACHED:
            self._kept.clear()
        self._kept[patch.id] = (stamp, plan)

    def stamp(self, patch: Patch) -> object:
        """What changes when the patch or a file that it names does."""
        paths = sorted({name for file in patch.files for name in (file.path, file.from_) if name})
        return (patch.version, patch.plan_hash, tuple(_path_stamp(self._root / path) for path in paths))


def _path_stamp(path: Path) -> tuple[int, ...] | None:
    try:
        found = path.lstat()
    except (OSError, ValueError):
        return None
    return (found.st_mode, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


class PlanDesk:
    """Plans open patches for the detectors of one scan: each once, the newest first, within a number and a time."""

    def __init__(
        self, store: Store, clock: Clock, replan: Replan, cache: PlanCache, *, patches: int | None, seconds: float
    ) -> None:
        self._store = store
        self._clock = clock
        self._replan = replan
        self._cache = cache
        self._limit = patches
        self._seconds_left = seconds
        self._plans: dict[str, Planned | None] = {}
        self._newest: list[Patch] | None = None
        self.total = 0
        """How many patches are open."""
        self.troubles: list[str] = []
        """Errors of the planner itself, with the patch at which they came."""
        self.refused: dict[str, str] = {}
        """Patches that cannot be planned at all, and why."""

    async def newest(self) -> list[Patch]:
        """The open patches that this scan looks at, newest first."""
        if self._newest is None:
            limit = self._limit

            def body(tx: Tx) -> tuple[int, list[Patch]]:
                total = tx.patches.count(_OPEN)
                return total, tx.patches.page(_OPEN, 0, total if limit is None else limit)

            self.total, newest = await self._store.read(body)
            self._newest = newest
        return self._newest

    async def plan(self, patch: Patch) -> Planned | None:
        """The plan of a patch; none where there was no time left for it, or it cannot be planned at all."""
        if patch.id not in self._plans:
            kept = self._cache.get(patch)
            if kept is None and self._seconds_left <= 0:
                return None
            self._plans[patch.id] = kept or await self._plan(patch)
        return self._plans[patch.id]

    async def _plan(self, patch: Patch) -> Planned | None:
        stamp = self._cache.stamp(patch)
        start = self._clock.boot()
        try:
            plan = await _digest(await self._replan(patch.id))
        except VibeError as error:
            # decided, or gone, while the scan was under way: the next one will know
            self.refused[patch.id] = error.message
            return None
        except Exception as error:  # noqa: BLE001 - one patch that breaks the planner must not hide all others
            self.refused[patch.id] = f"{type(error).__name__}: {error}"
            self.troubles.append(f"patch {patch.id}: {self.refused[patch.id]}")
            return None
        finally:
            self._seconds_left -= self._clock.boot() - start
        if patch.files:  # without them, nothing would tell that the plan no longer holds
            self._cache.put(patch, stamp, plan)
        return plan
