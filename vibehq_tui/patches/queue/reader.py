"""Looking at the patch queue: nothing here changes anything."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from storage.errors import NotFound
from storage.query import Query
from storage.records import Patch, PatchComment, PatchDecision, PatchVersion
from storage.store import Store, Tx
from vibehq_tui.patches.applying.apply import Applier
from vibehq_tui.patches.errors import PatchConflict, PatchRefused
from vibehq_tui.patches.model import ParsedPatch, Problem
from vibehq_tui.patches.planning.plan import Plan
from vibehq_tui.patches.planning.tree import Tree, WorkTree
from vibehq_tui.patches.queue.branches import PREFIX, plan_of_span
from vibehq_tui.patches.queue.ledger import OPEN_STATES, PROPOSED_ANEW, digest, no_such_patch
from vibehq_tui.patches.queue.order import Candidate, Order, Ordering
from vibehq_tui.patches.queue.overlap import Meeting, Pair, Touch, explain, find_meetings, folders_of, touches
from vibehq_tui.patches.queue.plans import PatchPlans, plan_open
from vibehq_tui.patches.queue.review import REJECTED, Overlap, Review
from vibehq_tui.patches.queue.standing import stand
from vibehq_tui.text.forms import ranges

if TYPE_CHECKING:
    from vibehq_tui.patches.queue.compare import Interdiff

_MOST_COMPARED: Final = 200
_MOST_REMEMBERED: Final = 20_000
_FirstKey = tuple[object, ...]
"""Two patches with their plans and the hunks of them that are rejected."""
_REVIEW_SECONDS: Final = 2.0
"""How long a review looks for the order of patches that meet."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Where patches meet, and what to do about it."""

    overlaps: list[Overlap]
    order: Order


class PatchReader:
    """What can be asked about patches."""

    def __init__(self, store: Store, root: Path) -> None:
        self._store = store
        self._root = root
        self._applier = Applier(root)
        self.plans = PatchPlans(store, root)
        self._firsts: dict[_FirstKey, str] = {}

    async def page(self, query: Query, offset: int = 0, limit: int = 100) -> list[Patch]:
        """The patches that ``query`` selects, newest first."""
        return await self._store.read(lambda tx: tx.patches.page(query, offset, limit))

    async def count(self, query: Query) -> int:
        """How many patches ``query`` selects."""
        return await self._store.read(lambda tx: tx.patches.count(query))

    async def approved(self) -> list[str]:
        """The ids of all approved patches, the oldest first."""
        opened = await self._store.read(lambda tx: tx.patches.open())
        return [patch.id for patch in reversed(opened) if patch.state == "approved"]

    async def get(self, patch_id: str) -> Patch:
        """:raises NotFound: when there is no such patch."""
        patch = await self._store.read(lambda tx: tx.patches.get(patch_id))
        if patch is None:
            raise no_such_patch(patch_id)
        return patch

    async def text(self, patch_id: str) -> bytes:
        """The patch as it was submitted."""
        patch = await self.get(patch_id)
        return await self._store.read(lambda tx: tx.patches.text(patch.id, patch.version))

    async def plan(self, patch_id: str) -> Plan:
        """The plan as it stands: of an applied patch what was applied, of an open one what would be, now.

        :raises PatchConflict: when an open patch does not apply.
        """
        patch = await self.get(patch_id)
        if patch.receipt is not None and patch.receipt.startswith(PREFIX):
            return await asyncio.to_thread(plan_of_span, self._root, patch.receipt.removeprefix(PREFIX))
        if patch.receipt is not None:
            return (await asyncio.to_thread(self._applier.load, patch.receipt)).plan
        return await self.plans.current(patch)

    async def diff(self, patch_id: str) -> bytes:
        """A git-style unified diff of :meth:`plan`; the submitted text when the patch does not apply."""
        try:
            return (await self.plan(patch_id)).to_diff()
        except (PatchConflict, PatchRefused):
            return await self.text(patch_id)

    async def versions(self, patch_id: str) -> list[PatchVersion]:
        """Every version of a patch, oldest first."""
        await self.get(patch_id)
        return await self._store.read(lambda tx: tx.patches.versions(patch_id))

    async def interdiff(self, patch_id: str, against: int, version: int | None = None) -> Interdiff:
        """What is different in a version, the newest by default, from the version ``against``.

        :raises NotFound: when there is no such version.
        :raises PatchConflict: when there are no files that both versions fit.
        """
        from vibehq_tui.patches.formats import parse  # noqa: PLC0415 - loaded when first used
        from vibehq_tui.patches.queue.compare import Version, compare  # noqa: PLC0415 - loaded when first used

        patch = await self.get(patch_id)
        rows = {row.version: row for row in await self.versions(patch_id)}
        new = patch.version if version is None else version
        for number in (against, new):
            if number not in rows:
                hint = f"its versions are {ranges(str(one) for one in rows)}"
                raise NotFound(f"patch {patch_id} has no version {number}", hint=hint)
        in_tree = patch.receipt is not None and not patch.receipt.startswith(PREFIX)  # else on another branch
        applied = await self.plan(patch_id) if in_tree else None
        texts = await self._store.read(lambda tx: {one: tx.patches.text(patch_id, one) for one in (against, new)})
        read = {}
        for number, text in texts.items():
            parsed = await asyncio.to_thread(parse, text, rows[number].format)
            read[number] = Version(number=number, parsed=parsed, base=rows[number].base)
        return await asyncio.to_thread(compare, self._root, patch_id, read[against], read[new], applied)

    async def feedback(self, patch_id: str) -> str:
        """One message in Markdown for whoever made the patch. See :mod:`vibehq_tui.patches.queue.feedback`."""
        from vibehq_tui.patches.queue.feedback import feedback  # noqa: PLC0415 - loaded when first used

        return feedback(await self.review(patch_id), await self._edited(patch_id))

    async def _edited(self, patch_id: str) -> bytes:
        """What operators have changed in a patch since its author sent it, as a diff."""
        rows = await self.versions(patch_id)
        sent = max((row.version for row in rows if row.reason in ("", PROPOSED_ANEW)), default=rows[-1].version)
        if sent == rows[-1].version:
            return b""
        try:
            return (await self.interdiff(patch_id, sent)).diff
        except (PatchConflict, PatchRefused):
            return b""  # the two fit no files that are known here: what does not fit is told anyway

    async def review(self, patch_id: str) -> Review:
        """All that the review screen shows."""
        patch = await self.get(patch_id)

        def body(tx: Tx) -> tuple[bytes, list[PatchDecision], dict[str, str], list[PatchComment]]:
            text = tx.patches.text(patch_id, patch.version)
            return (
                text,
                tx.patches.decisions(patch_id),
                tx.patches.seen_digests(patch_id),
                tx.patches.comments(patch_id),
            )

        text, decisions, seen, comments = await self._store.read(body)
        plan: Plan | None = None
        problems: tuple[Problem, ...] = ()
        try:
            plan = await self.plan(patch_id)
        except (PatchConflict, PatchRefused) as error:
            problems = error.problems
        decided = {one.hunk: one for one in decisions}
        if plan is not None and patch.receipt is None:
            decided = stand(plan, decisions).decisions
        digests = {file.path: digest(file.after) for file in plan.files} if plan else {}
        meets = await self.meets(patch)
        return Review(
            patch=patch,
            plan=plan,
            text=text,
            problems=problems,
            decisions=decided,
            seen=frozenset(path for path, digest in seen.items() if digests.get(path) == digest),
            comments=tuple(comments),
            meets=tuple(meets),
        )

    async def conflicts(self) -> list[Overlap]:
        """Where open patches meet, with an order that works; the newest 200 are compared."""
        return (await self.suggest()).overlaps

    async def suggest(self, ids: Collection[str] | None = None) -> Suggestion:
        """Where open patches meet, and one order in which they can all go in, as far as there is one.

        :param ids: only these patches; the newest 200 that are open when none are named.
        :raises NotFound: when one of ``ids`` does not exist.
        """
        if ids is not None:
            patches = [await self.get(patch_id) for patch_id in dict.fromkeys(ids)]
        else:
            patches = (await self._store.read(lambda tx: tx.patches.open()))[:_MOST_COMPARED]
        candidates = await self._candidates(patches)
        meetings = await self._meetings(patches)
        known, keys = await self._known_firsts(patches, candidates, meetings)
        ordering = Ordering(WorkTree(self._root), candidates, meetings, self._plan_on, known=known)
        order = await asyncio.to_thread(ordering.find)
        self._remember(ordering, keys)
        return Suggestion(overlaps=explain(meetings, order.firsts), order=order)

    async def meets(self, patch: Patch) -> list[Overlap]:
        """Where an open patch meets others, the newest 200 that are open and share a path with it."""
        if patch.state not in OPEN_STATES:
            return []
        opened = (await self._store.read(lambda tx: tx.patches.open()))[:_MOST_COMPARED]
        paths = _paths(patch)
        near = [one for one in opened if one.id == patch.id or paths & _paths(one)]
        meetings = {pair: places for pair, places in (await self._meetings(near)).items() if patch.id in pair}
        if not meetings:
            return []
        met = {one for pair in meetings for one in pair}
        candidates = await self._candidates([one for one in near if one.id in met])
        known, keys = await self._known_firsts(near, candidates, meetings)
        ordering = Ordering(
            WorkTree(self._root), candidates, meetings, self._plan_on, known=known, seconds=_REVIEW_SECONDS
        )
        firsts = await asyncio.to_thread(ordering.firsts)
        self._remember(ordering, keys)
        return explain(meetings, firsts)

    async def _known_firsts(
        self, patches: Iterable[Patch], candidates: Iterable[Candidate], meetings: Iterable[Pair]
    ) -> tuple[dict[Pair, str], dict[Pair, _FirstKey]]:
        """What was tried before of these pairs and still holds, and what it holds for: plans and rejected hunks."""
        states: dict[str, tuple[str, frozenset[tuple[int, str | None]]]] = {}
        by_id = {patch.id: patch for patch in patches}
        for one in candidates:
            rejected = frozenset((row.hunk, row.digest) for row in one.decisions if row.decision == REJECTED)
            with suppress(PatchConflict, PatchRefused):
                states[one.id] = (await self.plans.current(by_id[one.id])).hash, rejected
        keys: dict[Pair, _FirstKey] = {
            pair: (*pair, *states[pair[0]], *states[pair[1]])
            for pair in meetings
            if pair[0] in states and pair[1] in states
        }
        return {pair: self._firsts[key] for pair, key in keys.items() if key in self._firsts}, keys

    def _remember(self, ordering: Ordering, keys: Mapping[Pair, _FirstKey]) -> None:
        if len(self._firsts) > _MOST_REMEMBERED:
            self._firsts.clear()
        self._firsts |= {keys[pair]: first for pair, first in ordering.tried.items() if pair in keys}

    def _plan_on(self, parsed: ParsedPatch, tree: Tree) -> Plan:
        return plan_open(parsed, tree, self._root)

    async def _candidates(self, patches: Sequence[Patch]) -> list[Candidate]:
        rows = await self._store.read(lambda tx: {patch.id: tx.patches.decisions(patch.id) for patch in patches})
        found = []
        for patch in patches:
            with suppress(PatchRefused):
                parsed = await self.plans.parsed(patch)
                found.append(Candidate(id=patch.id, parsed=parsed, decisions=tuple(rows[patch.id])))
        return found

    async def _meetings(self, patches: Iterable[Patch]) -> dict[Pair, list[Meeting]]:
        touched: dict[str, tuple[Touch, ...]] = {}
        for patch in patches:
            with suppress(PatchConflict, PatchRefused):
                touched[patch.id] = touches(await self.plans.current(patch))
        return find_meetings(touched)[0]


def _paths(patch: Patch) -> set[str]:
    """Paths of a patch and the folders that they are in, which another patch may make a file of."""
    paths = {path for file in patch.files for path in (file.path, file.from_) if path is not None}
    return paths | {folder for path in paths for folder in folders_of(path)}
