"""In which order patches can all go in, found by planning each on top of those before it; nothing is changed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from storage.records import PatchDecision
from vibehq_tui.patches.errors import PatchConflict, PatchRefused
from vibehq_tui.patches.model import ParsedPatch
from vibehq_tui.patches.planning.plan import Plan
from vibehq_tui.patches.planning.tree import OverlayTree, Tree
from vibehq_tui.patches.queue.overlap import Pair, folders_of, in_order
from vibehq_tui.patches.queue.plans import accepted_part

MOST_PLANS: Final = 3000
MOST_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A patch that is to go in."""

    id: str
    parsed: ParsedPatch
    decisions: tuple[PatchDecision, ...] = ()
    """Hunks that are rejected stay out."""

    def paths(self) -> frozenset[str]:
        """Every path that it names."""
        return frozenset(path for one in self.parsed.changes for path in (one.path, one.from_) if path is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A patch for which there is no place in the order."""

    patch: str
    reason: str
    because: tuple[str, ...] = ()
    """The patches that it cannot go in with; none when it does not fit the tree by itself."""

    def to_wire(self) -> dict[str, Any]:
        """``{"patch", "reason", "because"}``."""
        return {"patch": self.patch, "reason": self.reason, "because": list(self.because)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order in which patches go in, each on top of those before it."""

    patches: tuple[str, ...]
    """It was tried: each of these fits when those before it are in."""
    firsts: Mapping[Pair, str | None] = field(default_factory=dict)
    """For each pair that meets, the patch that has to be first; the older one where both orders work; none where they
    exclude each other. A pair that was not tried is not in it."""
    needs: tuple[tuple[str, str], ...] = ()
    """``(first, then)``: the second one fits only when the first is in."""
    excludes: tuple[Pair, ...] = ()
    """Pairs of which only one can go in."""
    cycles: tuple[tuple[str, ...], ...] = ()
    """Patches of which each would have to go in before the next, and the last before the first."""
    left: tuple[LeftOut, ...] = ()
    complete: bool = True
    """False when there was no time to try all; what is in ``patches`` works all the same."""

    def to_wire(self) -> dict[str, Any]:
        """``{"order", "needs", "excludes", "cycles", "left", "complete"}``."""
        return {
            "order": list(self.patches),
            "needs": [list(pair) for pair in self.needs],
            "excludes": [list(pair) for pair in self.excludes],
            "cycles": [list(cycle) for cycle in self.cycles],
            "left": [one.to_wire() for one in self.left],
            "complete": self.complete,
        }


Planner = Callable[[ParsedPatch, Tree], Plan]


class Ordering:
    """Finds an order. It plans off the event loop, so it belongs into a thread."""

    def __init__(
        self,
        tree: Tree,
        candidates: Sequence[Candidate],
        meetings: Iterable[Pair],
        plan: Planner,
        *,
        known: Mapping[Pair, str] | None = None,
        plans: int = MOST_PLANS,
        seconds: float = MOST_SECONDS,
    ) -> None:
        """
        :param meetings: the pairs whose order matters; other patches of one file are tried, too.
        :param plan: ``plan_open``, which raises where a patch does not fit.
        :param known: what :attr:`tried` said before of pairs of which nothing has changed since.
        :param plans: how many plans may be made, and ``seconds`` for how long.
        """
        self._tree = tree
        self._plan = plan
        self._by_id = {one.id: one for one in candidates}
        self._meetings = sorted({pair for pair in meetings if set(pair) <= set(self._by_id)}, key=_pair_key)
        self.tried: dict[Pair, str] = dict(known or {})
        """For each pair that was tried the one that has to be first; ``*`` for either, empty for neither."""
        self._plans_left = plans
        self._until = time.monotonic() + seconds
        self._alone: dict[str, Plan | None] = {}
        self._problems: dict[str, str] = {}
        self._complete = True

    def find(self) -> Order:
        """The order, with what stands in the way of those that are left out."""
        firsts = self._tried()
        before = {(one, other) for pair, (one, other) in self._one_way(firsts)}
        placed: list[str] = []
        left: list[LeftOut] = []
        for group in self._groups():
            inside, outside = self._place(_sorted(group, before))
            placed += inside
            left += [self._why(one, inside, firsts) for one in outside]
        needs = self._needs(placed, before)
        return Order(
            patches=tuple(placed),
            firsts=_named(firsts),
            needs=tuple(sorted(before | needs, key=_pair_key)),
            excludes=tuple(pair for pair, first in firsts.items() if first == ""),
            cycles=tuple(_cycles(before)),
            left=tuple(left),
            complete=self._complete,
        )

    def firsts(self) -> dict[Pair, str | None]:
        """For each pair that was tried the patch that has to be first; see :attr:`Order.firsts`."""
        return _named(self._tried())

    # -- trying ----------------------------------------------------------------------------------------------------

    def _may_try(self) -> bool:
        if self._plans_left <= 0 or time.monotonic() > self._until:
            self._complete = False
            return False
        self._plans_left -= 1
        return True

    def _part(self, patch: str, tree: Tree) -> Plan | None:
        """What goes in of a patch on a tree; none where it does not fit."""
        one = self._by_id[patch]
        try:
            return accepted_part(self._plan(one.parsed, tree), list(one.decisions))
        except (PatchConflict, PatchRefused) as error:
            self._problems[patch] = error.message
            return None

    def _by_itself(self, patch: str) -> Plan | None:
        if patch not in self._alone:
            self._alone[patch] = self._part(patch, self._tree)
        return self._alone[patch]

    def _tried(self) -> dict[Pair, str]:
        for pair in self._meetings:
            if pair not in self.tried and (first := self._first(pair)) is not None:
                self.tried[pair] = first
        return {pair: self.tried[pair] for pair in self._meetings if pair in self.tried}

    def _fits_after(self, first: str, second: str) -> bool:
        plan = self._by_itself(first)
        return plan is not None and self._part(second, OverlayTree(self._tree, plan)) is not None

    def _first(self, pair: Pair) -> str | None:
        """Which of a pair has to be first: an id; ``*`` for any order; empty for none; None where it was not tried."""
        if not self._may_try() or not self._may_try():
            return None
        one, other = pair
        forward, backward = self._fits_after(one, other), self._fits_after(other, one)
        if forward and backward:
            return "*"
        return one if forward else other if backward else ""

    def _one_way(self, firsts: Mapping[Pair, str]) -> Iterable[tuple[Pair, Pair]]:
        for pair, first in firsts.items():
            if first in pair:
                yield pair, (first, pair[1] if first == pair[0] else pair[0])

    def _groups(self) -> list[list[str]]:
        """Patches that share a path, or a path with a folder of another: only these can get in each other's way."""
        parents: dict[str, str] = {one: one for one in self._by_id}

        def root(one: str) -> str:
            while parents[one] != one:
                parents[one] = parents[parents[one]]
                one = parents[one]
            return one

        holders: dict[str, str] = {}
        for one, candidate in self._by_id.items():
            for path in candidate.paths():
                parents[root(one)] = root(holders.setdefault(path, one))
        for one, candidate in self._by_id.items():
            for folder in {folder for path in candidate.paths() for folder in folders_of(path)}:
                if folder in holders:
                    parents[root(one)] = root(holders[folder])
        groups: dict[str, list[str]] = {}
        for one in self._by_id:
            groups.setdefault(root(one), []).append(one)
        return sorted((sorted(group, key=_key) for group in groups.values()), key=lambda group: _key(group[0]))

    def _place(self, wanted: list[str]) -> tuple[list[str], list[str]]:
        """Puts patches on top of each other; one that does not fit is tried again when others are in."""
        tree, placed, waiting = self._tree, list[str](), wanted
        while waiting:
            again: list[str] = []
            for patch in waiting:
                plan = self._by_itself(patch) if tree is self._tree else None
                if tree is not self._tree and self._may_try():
                    plan = self._part(patch, tree)
                if plan is None:
                    again.append(patch)
                    continue
                tree = OverlayTree(tree, plan)
                placed.append(patch)
            if len(again) == len(waiting):
                return placed, again
            waiting = again
        return placed, []

    # -- saying why ------------------------------------------------------------------------------------------------

    def _why(self, patch: str, placed: Sequence[str], firsts: Mapping[Pair, str]) -> LeftOut:
        shut_out = tuple(one for one in placed if firsts.get(in_order(one, patch)) == "")
        if shut_out:
            return LeftOut(patch=patch, reason=f"excludes patch {', '.join(shut_out)}", because=shut_out)
        problem = self._problems.get(patch, "there was no time to try it")
        if self._by_itself(patch) is not None:
            rivals = tuple(one for one in placed if self._by_id[one].paths() & self._by_id[patch].paths())
            return LeftOut(
                patch=patch, reason=f"does not fit once {', '.join(rivals)} are in: {problem}", because=rivals
            )
        return LeftOut(patch=patch, reason=problem)

    def _needs(self, placed: Sequence[str], before: Iterable[Pair]) -> set[Pair]:
        """Patches that do not fit the tree as it is, with those of their files that go in before them."""
        found: set[Pair] = set()
        for at, patch in enumerate(placed):
            if self._by_itself(patch) is None:
                mine = self._by_id[patch].paths()
                found |= {(one, patch) for one in placed[:at] if mine & self._by_id[one].paths()}
        return found - set(before)


def _named(firsts: Mapping[Pair, str]) -> dict[Pair, str | None]:
    return {pair: pair[0] if first == "*" else first or None for pair, first in firsts.items()}


def _key(patch: str) -> tuple[int, str]:
    return len(patch), patch


def _pair_key(pair: Pair) -> tuple[tuple[int, str], ...]:
    return tuple(_key(one) for one in pair)


def _sorted(group: Sequence[str], before: Iterable[Pair]) -> list[str]:
    """The group with each patch after those that have to be before it, else the oldest first; cycles are cut."""
    inside = set(group)
    waits = {one: {first for first, then in before if then == one and first in inside} for one in group}
    done: list[str] = []
    while waits:
        ready = next((one for one in waits if not waits[one]), None) or min(waits, key=lambda one: len(waits[one]))
        del waits[ready]
        done.append(ready)
        for others in waits.values():
            others.discard(ready)
    return done


def _cycles(before: Iterable[Pair]) -> list[tuple[str, ...]]:
    """The shortest way round from each patch that is before itself; each cycle once, from its oldest patch."""
    after: dict[str, list[str]] = {}
    for first, then in sorted(before, key=_pair_key):
        after.setdefault(first, []).append(then)
    found: dict[tuple[str, ...], None] = {}
    for start in sorted(after, key=_key):
        paths: list[tuple[str, ...]] = [(start,)]
        seen: set[str] = set()
        while paths:
            path = paths.pop(0)
            if start in after.get(path[-1], ()):
                at = path.index(min(path, key=_key))
                found.setdefault(path[at:] + path[:at])
                break
            for one in after.get(path[-1], ()):
                if one not in seen:
                    seen.add(one)
                    paths.append((*path, one))
    return list(found)
