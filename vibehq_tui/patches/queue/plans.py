"""Plans of stored patches against the tree as it is now, made off the event loop and kept while their files stay."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from storage.records import Patch, PatchDecision
from storage.store import Store
from vibehq_tui.patches.applying.earlier import Earlier
from vibehq_tui.patches.errors import AlreadyApplied, PatchConflict, PatchRefused
from vibehq_tui.patches.formats import parse
from vibehq_tui.patches.model import ParsedPatch, Problem
from vibehq_tui.patches.planning.plan import Plan
from vibehq_tui.patches.planning.planner import make_plan
from vibehq_tui.patches.planning.tree import OverlayTree, Tree, WorkTree
from vibehq_tui.patches.queue.standing import stand

_KEPT: Final = 64
Stamp = tuple[int, int, int] | None


@dataclass(frozen=True, slots=True)
class _Kept:
    stamps: dict[str, Stamp]
    plan: Plan


class PatchPlans:
    """Makes plans from the texts in the store.

    A plan is a function of the patch's text and of the files it touches; it is kept until one of those files changes.
    """

    def __init__(self, store: Store, root: Path) -> None:
        self._store = store
        self._root = root
        self._parsed: OrderedDict[tuple[str, int], ParsedPatch] = OrderedDict()
        self._plans: OrderedDict[tuple[str, int], _Kept] = OrderedDict()

    async def parsed(self, patch: Patch) -> ParsedPatch:
        """The operations of the newest version of ``patch``."""
        key = (patch.id, patch.version)
        if key not in self._parsed:
            text = await self._store.read(lambda tx: tx.patches.text(patch.id, patch.version))
            self._parsed[key] = await asyncio.to_thread(parse, text, patch.format)
            while len(self._parsed) > _KEPT:
                self._parsed.popitem(last=False)
        self._parsed.move_to_end(key)
        return self._parsed[key]

    async def current(self, patch: Patch) -> Plan:
        """The plan of the whole patch against the tree as it is now.

        :raises PatchConflict: when it does not apply.
        :raises PatchRefused: when it may not be applied.
        """
        key = (patch.id, patch.version)
        kept = self._plans.get(key)
        if kept is not None and all(self._stamp(path) == stamp for path, stamp in kept.stamps.items()):
            self._plans.move_to_end(key)
            return kept.plan
        parsed = await self.parsed(patch)
        paths = {path for change in parsed.changes for path in (change.path, change.from_) if path is not None}
        stamps = {path: self._stamp(path) for path in paths}
        plan = await asyncio.to_thread(plan_open, parsed, WorkTree(self._root))
        self._plans[key] = _Kept(stamps, plan)
        while len(self._plans) > _KEPT:
            self._plans.popitem(last=False)
        return plan

    async def fits_after(self, first: Plan, second: Patch) -> bool:
        """Whether ``second`` still applies once ``first`` is in."""
        parsed = await self.parsed(second)
        try:
            await asyncio.to_thread(plan_open, parsed, OverlayTree(WorkTree(self._root), first), self._root)
        except (PatchConflict, PatchRefused):
            return False
        return True

    def _stamp(self, path: str) -> Stamp:
        try:
            stat = (self._root / path).lstat()
        except (OSError, ValueError):
            return None
        return stat.st_mtime_ns, stat.st_size, stat.st_ino


def plan_open(parsed: ParsedPatch, tree: Tree, root: Path | None = None) -> Plan:
    """Plans a patch that is waiting. That it is in the tree already is a conflict here: there is nothing to approve.

    :param root: where earlier contents of its files are looked for, if it has to be merged; that of a work tree when
        none is named.
    :raises PatchConflict: when it does not apply, or has nothing left to do.
    :raises PatchRefused: when it may not be applied.
    """
    known = tree.root if root is None and isinstance(tree, WorkTree) else root
    try:
        if known is None:
            return make_plan(parsed, tree)
        with Earlier(known) as bases:
            return make_plan(parsed, tree, bases=bases)
    except AlreadyApplied as done:
        problems = [Problem(code=done.code, message="is in the tree already", path=path) for path in done.paths]
        raise PatchConflict(problems, code=done.code, hint="reject it, or take it as done") from done


def accepted_part(plan: Plan, decisions: list[PatchDecision]) -> Plan:
    """The part of ``plan`` whose hunks are not rejected; the plan itself when none is."""
    rejected = stand(plan, decisions).rejected
    if not rejected:
        return plan
    return plan.select([number for number in plan.hunk_numbers if number not in rejected])
