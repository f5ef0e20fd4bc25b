"""Approving and applying many patches in one go, in an order that works, with an outcome for each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from storage.errors import Conflict, VibeError
from storage.records import Patch, to_wire
from storage.store import Tx
from vibehq_tui.contracts import events
from vibehq_tui.patches.applying.checks import ChecksFailed
from vibehq_tui.patches.errors import PatchConflict, PatchRefused
from vibehq_tui.patches.planning.plan import Plan
from vibehq_tui.patches.queue.base import Queue
from vibehq_tui.patches.queue.ledger import fresh, must_be
from vibehq_tui.patches.queue.order import Order
from vibehq_tui.patches.queue.plans import accepted_part
from vibehq_tui.patches.queue.policies import DENY, HOLD
from vibehq_tui.patches.queue.standing import hunk_keys

APPROVED: Final = "approved"
APPLIED: Final = "applied"
WOULD_APPLY: Final = "would-apply"
SKIPPED: Final = "skipped"
REFUSED: Final = "refused"
CONFLICT: Final = "conflict"
FAILED: Final = "failed"
NOT_REACHED: Final = "not-reached"

Arrange = Callable[[Sequence[str]], Awaitable[Order]]
"""Finds an order in which patches go in."""
_RESULTS: Final = {1: REFUSED, 3: CONFLICT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one patch of many."""

    id: str
    result: str
    """approved, applied, would-apply; skipped (nothing to do, or held by a rule); refused, conflict, failed;
    not-reached."""
    message: str
    patch: Patch | None = None
    """As it is now; none where there is none."""
    code: str = ""
    """Of the error."""
    hint: str = ""

    @property
    def ok(self) -> bool:
        """Whether it is as was wanted, or was left out on purpose."""
        return self.result in (APPROVED, APPLIED, WOULD_APPLY, SKIPPED)

    def to_wire(self) -> dict[str, Any]:
        """``{"id", "result", "message", "code", "hint", "patch"}``."""
        return {
            "id": self.id,
            "result": self.result,
            "message": self.message,
            "code": self.code,
            "hint": self.hint,
            "patch": to_wire(self.patch) if self.patch is not None else None,
        }


class Batch:
    """Many patches, each all or nothing by itself."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue

    async def approve(
        self, ids: Sequence[str], arrange: Arrange, approve: Callable[[str], Awaitable[Patch]], *, keep_going: bool
    ) -> list[Outcome]:
        """Approves patches that no rule holds.

        :param ids: in the order of the call.
        :param arrange: finds an order for some of them.
        """
        outcomes: dict[str, Outcome] = {}
        wanted: list[str] = []
        for patch_id in dict.fromkeys(ids):
            patch = await self._queue.get(patch_id)
            outcome = await self._ruled(patch)
            if outcome is not None:
                outcomes[patch_id] = outcome
            if outcome is None or patch.state == "approved":
                wanted.append(patch_id)
        order = await arrange(wanted)
        outcomes = await self._left(order, wanted) | outcomes
        if keep_going or all(one.ok for one in outcomes.values()):
            rest = [one for one in order.patches if one not in outcomes]
            await self._each(rest, outcomes, APPROVED, approve, keep_going=keep_going)
        return self._all(ids, outcomes)

    async def apply(
        self,
        ids: Sequence[str],
        arrange: Arrange,
        check: Callable[[Patch], Awaitable[None]],
        apply: Callable[[str], Awaitable[Patch]] | None,
        *,
        keep_going: bool,
    ) -> list[Outcome]:
        """Applies approved patches. An approval holds through what the patches before it change in the same files.

        It holds where every hunk is byte for byte what was approved, and where the only difference in its files is what
        the patches before it put there; anything else voids it, as ever.

        :param check: says why a patch may not be applied at all.
        :param apply: none to say only what would be done.
        """

        async def may(patch_id: str) -> Patch:
            patch = await self._queue.get(patch_id)
            must_be(patch, "applied", ("approved",))
            await check(patch)
            return patch

        tried = {one: await self._try(one, WOULD_APPLY, may) for one in dict.fromkeys(ids)}
        outcomes = {one: outcome for one, outcome in tried.items() if not outcome.ok}
        wanted = [one for one, outcome in tried.items() if outcome.ok]
        order = await arrange(wanted)
        outcomes |= await self._left(order, wanted)
        if apply is None:
            return self._all(ids, outcomes | {one: tried[one] for one in order.patches})
        if keep_going or not outcomes:
            carrier = _Carrier(self._queue)
            await carrier.note(order.patches)

            async def carried(patch_id: str) -> Patch:
                part = await carrier.carry(patch_id)
                patch = await apply(patch_id)
                if part is not None:
                    carrier.went_in(patch_id, part)
                return patch

            await self._each(order.patches, outcomes, APPLIED, carried, keep_going=keep_going)
        return self._all(ids, outcomes)

    async def _each(
        self,
        ids: Iterable[str],
        outcomes: dict[str, Outcome],
        result: str,
        do: Callable[[str], Awaitable[Patch]],
        *,
        keep_going: bool,
    ) -> None:
        for patch_id in ids:
            outcomes[patch_id] = await self._try(patch_id, result, do)
            if not outcomes[patch_id].ok and not keep_going:
                return

    async def _ruled(self, patch: Patch) -> Outcome | None:
        """What there is to say of a patch before it is approved: it is already, or a rule wants something else."""
        if patch.state == "approved":
            return Outcome(id=patch.id, result=SKIPPED, message="is approved already", patch=patch)
        queue = self._queue
        try:
            plan = await queue.plans.current(patch)
            part = accepted_part(plan, await queue.store.read(lambda tx: tx.patches.decisions(patch.id)))
        except (PatchConflict, PatchRefused):
            return None  # approving it says so, and writes it down
        examined = await queue.examine(patch, await queue.plans.parsed(patch), part, patch.base, task=patch.task)
        verdict = examined.verdict
        if verdict.action == HOLD:
            message, hint = verdict.finding()["message"], f"vibehq patch approve {patch.id} approves it by itself"
            return Outcome(id=patch.id, result=SKIPPED, message=message, patch=patch, hint=hint, code="held")
        if verdict.action == DENY:
            hint = f"vibehq patch explain {patch.id} says what each rule finds"
            message = verdict.finding()["message"]
            return Outcome(id=patch.id, result=REFUSED, message=message, patch=patch, hint=hint, code="policy-denied")
        return None

    async def _left(self, order: Order, ids: Iterable[str]) -> dict[str, Outcome]:
        found = {}
        for one in order.left:
            patch = await self._queue.get(one.patch)
            hint = f"vibehq patch conflicts says where; vibehq patch show {one.patch}"
            found[one.patch] = Outcome(
                id=one.patch, result=CONFLICT, message=one.reason, patch=patch, hint=hint, code="no-order"
            )
        placed = {*order.patches, *found}
        for patch_id in ids:
            if patch_id not in placed:
                found[patch_id] = Outcome(id=patch_id, result=REFUSED, message="cannot be read", code="unreadable")
        return found

    async def _try(self, patch_id: str, result: str, do: Callable[[str], Awaitable[Patch]]) -> Outcome:
        try:
            patch = await do(patch_id)
        except VibeError as error:
            now = await self._queue.store.read(lambda tx: tx.patches.get(patch_id))
            return Outcome(
                id=patch_id,
                result=FAILED if error.code == ChecksFailed.default_code else _RESULTS.get(error.exit_code, FAILED),
                message=error.message,
                patch=now,
                code=error.code,
                hint=error.hint,
            )
        return Outcome(id=patch_id, result=result, message=result, patch=patch)

    def _all(self, ids: Sequence[str], outcomes: Mapping[str, Outcome]) -> list[Outcome]:
        """In the order in which they were tried; those that were not are at the end."""
        missing = [one for one in dict.fromkeys(ids) if one not in outcomes]
        stopped = "one before it did not work; --keep-going goes on"
        return [*outcomes.values(), *(Outcome(id=one, result=NOT_REACHED, message=stopped) for one in missing)]


class _Carrier:
    """Knows what this call has put into the tree, and carries approvals across exactly that."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._approved: dict[str, Plan] = {}
        """What was approved of each patch, on the tree as it was at the beginning."""
        self._now: dict[str, bytes | None] = {}
        """What this call made of each path."""
        self._went: list[tuple[str, frozenset[str]]] = []

    async def note(self, ids: Iterable[str]) -> None:
        """Keeps the plans of patches whose approval holds at this moment."""
        for patch_id in ids:
            patch = await self._queue.get(patch_id)
            part = await self._part(patch)
            if patch.state == "approved" and part is not None and part.hash == patch.plan_hash:
                self._approved[patch_id] = part

    async def carry(self, patch_id: str) -> Plan | None:
        """Binds an approval to the plan of the moment where that is sound; answers that plan."""
        patch = await self._queue.get(patch_id)
        part, approved = await self._part(patch), self._approved.get(patch_id)
        if part is None or approved is None or part.hash == patch.plan_hash or not self._is_sound(approved, part):
            return part
        files = {file.from_ or file.path for file in part.files}
        after = [one for one, paths in self._went if paths & files]

        def body(tx: Tx) -> None:
            now = fresh(tx, patch_id, "applied", ("approved",))
            if now.plan_hash != patch.plan_hash or now.version != patch.version:
                raise Conflict(f"patch {patch_id} was decided by somebody else just now", hint="look again")
            carried = tx.patches.update(patch_id, plan_hash=part.hash)
            message = f"the same lines as approved, after patch {', '.join(after)}"
            data = {"planHash": part.hash, "was": patch.plan_hash, "after": after}
            self._queue.ledger.event(tx, events.PATCH_APPROVAL_CARRIED, carried, message, data)
            self._queue.ledger.audit(tx, "patch.approve", patch_id, detail=f"carried: plan {part.hash[:16]}")

        try:
            await self._queue.store.write(body)
        except VibeError:
            return part  # the application finds the same, and says so
        return part

    def _is_sound(self, approved: Plan, part: Plan) -> bool:
        if hunk_keys(approved) != hunk_keys(part):
            return False
        before = {file.from_ or file.path: file.before for file in approved.files}
        return all(
            file.before == self._now.get(path, before.get(path))
            for file in part.files
            for path in (file.from_ or file.path,)
        )

    def went_in(self, patch_id: str, part: Plan) -> None:
        """Remembers what a patch made of its files."""
        for effect in part.effects:
            self._now[effect.path] = None if effect.after is None else effect.after.content
        self._went.append((patch_id, frozenset(effect.path for effect in part.effects)))

    async def _part(self, patch: Patch) -> Plan | None:
        try:
            plan = await self._queue.plans.current(patch)
        except (PatchConflict, PatchRefused):
            return None
        rows = await self._queue.store.read(lambda tx: tx.patches.decisions(patch.id))
        try:
            return accepted_part(plan, rows)
        except PatchConflict:
            return None
