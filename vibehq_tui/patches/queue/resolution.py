"""Resolving the conflicts of patches in the queue: an operator's choices become another version of the patch."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from storage.records import Patch
from storage.store import Tx
from vibehq_tui.contracts import events
from vibehq_tui.patches.applying.earlier import Earlier
from vibehq_tui.patches.errors import refuse
from vibehq_tui.patches.model import ParsedPatch
from vibehq_tui.patches.planning.plan import Plan
from vibehq_tui.patches.planning.tree import WorkTree
from vibehq_tui.patches.queue.base import Queue, same_version
from vibehq_tui.patches.queue.ledger import OPEN_STATES, must_be, plan_fields
from vibehq_tui.patches.queue.resolve import ConflictFile, Wanted, find_conflicts, resolved_plan
from vibehq_tui.patches.queue.versions import Versions, carried, tell_revised


class Resolution:
    """What can be done about patches that do not fit the tree any more."""

    def __init__(self, queue: Queue, versions: Versions) -> None:
        self._queue = queue
        self._versions = versions

    async def conflicts_of(self, patch_id: str) -> list[ConflictFile]:
        """The files in which a patch does not fit the tree as it is now; none when it fits.

        :raises PatchConflict: when something does not fit that no choice resolves; a new version is needed then.
        :raises PatchRefused: for a series of several commits.
        :raises NotFound: when there is no such patch.
        """
        patch = await self._queue.get(patch_id)
        must_be(patch, "resolved", OPEN_STATES)
        parsed = await self._queue.plans.parsed(patch)
        return await asyncio.to_thread(self._find, parsed)

    def _find(self, parsed: ParsedPatch) -> list[ConflictFile]:
        tree = WorkTree(self._queue.root)
        try:
            with Earlier(self._queue.root) as bases:
                return find_conflicts(parsed, tree, bases)
        finally:
            tree.close()

    async def resolve(self, patch_id: str, resolutions: Mapping[str, Wanted]) -> Patch:
        """Stores the patch with its conflicts resolved as its next version, proposed anew against the tree as it is.

        :param resolutions: by path: the content that the file is to have, or the choices (``ours``, ``theirs``,
            ``both``, ``base``): one for each region of :attr:`ConflictFile.regions`, or one for all.
        :raises PatchRefused: when a file has no resolution or a wrong one, markers are left in a text, nothing is left
            to be done, or the patch fits the tree as it is.
        :raises PatchConflict: when something does not fit that no choice resolves.
        :raises Conflict: when another version has come meanwhile.
        """
        queue = self._queue
        patch = await queue.get(patch_id)
        must_be(patch, "resolved", OPEN_STATES)
        parsed = await queue.plans.parsed(patch)
        wanted = await asyncio.to_thread(self._wanted, parsed, resolutions)
        text, again, made = await asyncio.to_thread(self._versions.rebuilt, wanted, parsed)
        base = await queue.head()
        examined = await queue.examine(patch, again, made, base, task=patch.task)
        reason = f"conflicts resolved in {', '.join(sorted(resolutions))}"

        def body(tx: Tx) -> Patch:
            now = same_version(tx, patch, "resolved")
            number = now.version + 1
            tx.patches.add_version(patch_id, number, again.format, text, by=queue.actor, base=base, reason=reason)
            tx.patches.replace_decisions(patch_id, carried(made, tx.patches.decisions(patch_id)))
            tx.actions.clear(patch_id)
            fields = plan_fields(made) | examined.fields() | {"base": base}
            resolved = tx.patches.update(
                patch_id,
                version=number,
                format=again.format,
                state="proposed",
                decided_by=None,
                reason=None,
                **fields,
            )
            told = {path: _told(one) for path, one in resolutions.items()}
            tell_revised(queue, tx, now, resolved, reason, {"resolutions": told})
            queue.ledger.event(tx, events.PATCH_CONFLICT_RESOLVED, resolved, reason, {"resolutions": told})
            queue.ledger.audit(tx, "patch.resolve", patch_id, detail=f"version {number}: {reason}")
            return resolved

        resolved = await queue.store.write(body)
        await queue.tasks.refresh_states()
        return resolved

    def _wanted(self, parsed: ParsedPatch, resolutions: Mapping[str, Wanted]) -> Plan:
        tree = WorkTree(self._queue.root)
        try:
            with Earlier(self._queue.root) as bases:
                conflicts = find_conflicts(parsed, tree, bases)
                if not conflicts:
                    raise refuse("no-conflict", "the patch fits the tree as it is", hint="reopen or approve it")
                return resolved_plan(parsed, tree, bases, conflicts, resolutions)
        finally:
            tree.close()


def _told(resolution: Wanted) -> str:
    """A resolution as the feed has it."""
    return "edited" if isinstance(resolution, bytes) else ", ".join(resolution)
