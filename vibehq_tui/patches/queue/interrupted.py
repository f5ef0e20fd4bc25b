"""What a process left under way when it died: which it was, before or after, is found out and written down."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from storage.errors import Conflict
from storage.records import Patch
from storage.store import Tx
from vibehq_tui.contracts import events
from vibehq_tui.patches.applying.apply import Applier
from vibehq_tui.patches.commits.commit import Commit, forget, is_published, publish, tip
from vibehq_tui.patches.queue.branches import PREFIX
from vibehq_tui.patches.queue.ledger import APPLIED_STATES
from vibehq_tui.patches.queue.settlement import Settlement


@dataclass(frozen=True, slots=True)
class _Found:
    """How far an application or a revert had come."""

    done: bool
    commit: Commit | None = None
    why: str = ""


class Interrupted:
    """Settles the patches whose application or revert nobody finished. The caller holds the lock of the applier."""

    def __init__(self, root: Path, steps: Settlement, applier: Applier) -> None:
        self._root = root
        self._steps = steps
        self._applier = applier

    async def settle(self, left: Mapping[str, tuple[str, ...]]) -> list[str]:
        """Answers a line for each patch.

        :param left: by receipt, files that somebody changed since, which were left alone.
        """
        told: list[str] = []
        settled: list[str] = []
        for patch in await self._steps.store.read(lambda tx: tx.patches.pending()):
            receipt = patch.pending_receipt
            if receipt is None:
                continue
            found = await asyncio.to_thread(self._find, patch, receipt)
            line = await self._steps.store.write(self._writer(patch, receipt, found, left.get(receipt, ())))
            if line:
                told.append(line)
                settled.append(patch.id)
        rows = await self._steps.store.read(lambda tx: [row for one in settled if (row := tx.patches.get(one))])
        for patch in rows:
            await self._steps.follow_task(patch)
        return told

    def _find(self, patch: Patch, receipt: str) -> _Found:
        if receipt.startswith(PREFIX):
            parent, _, made = receipt.removeprefix(PREFIX).partition("..")
            elsewhere = Commit(id=made, parent=parent, ref=f"refs/heads/{patch.branch}", old=parent)
            if is_published(self._root, elsewhere):
                return _Found(True, elsewhere)
            forget(self._root, elsewhere)
            return _Found(False)
        done = self._applier.find(receipt)
        if done is None:
            return _Found(False)
        wanted = done.meta.get("commit")
        commit = None if wanted is None else Commit.from_meta(wanted)
        on_trial = bool(done.meta.get("trial"))
        if commit is not None and is_published(self._root, commit) and tip(self._root, commit.ref) != commit.id:
            return _Found(True, commit)
        if commit is not None and (is_published(self._root, commit) or not on_trial):
            try:
                publish(self._root, commit)
            except Conflict:
                return self._taken_back(receipt, commit, "the branch has moved, so it was taken back")
            return _Found(True, commit)
        if on_trial:
            return self._taken_back(receipt, commit, "its checks had not ended, so it was taken back")
        return _Found(True)

    def _taken_back(self, receipt: str, commit: Commit | None, why: str) -> _Found:
        if commit is not None:
            forget(self._root, commit)
        try:
            self._applier.revert(receipt)
        except Conflict as error:
            return _Found(True, why=f"it could not be taken back: {error.message}")
        return _Found(False, why=why)

    def _writer(self, patch: Patch, receipt: str, found: _Found, left: tuple[str, ...]) -> Callable[[Tx], str]:
        reverting = patch.state in APPLIED_STATES

        def body(tx: Tx) -> str:
            now = tx.patches.get(patch.id)
            if now is None or now.pending_receipt != receipt:
                return ""
            if not found.done:
                fields = {} if reverting else {"commit_id": None, "branch": None}
                tx.patches.update(patch.id, pending_receipt=None, **fields)
                message = f"was interrupted and nothing of it is in the tree: still {patch.state}"
                if reverting:
                    message = f"was interrupted while it was reverted, and is in the tree: still {patch.state}"
            elif reverting:
                self._steps.reverted(tx, patch, receipt, found.commit)
                message = "was interrupted while it was reverted, and is now reverted"
            else:
                self._steps.applied(tx, patch, receipt, commit=found.commit)
                message = "was interrupted while it was applied, and is now applied"
            if found.why:
                message += f"; {found.why}"
            if left:
                message += f"; changed by somebody since and left alone: {', '.join(left)}"
            self._steps.ledger.event(tx, events.PATCH_RECOVERED, patch, message, {"left": list(left)})
            return f"patch {patch.id} {message}"

        return body
