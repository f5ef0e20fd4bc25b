"""What operators did in the review of a patch, one stack for each operator and patch."""

from __future__ import annotations

from typing import Any

from storage.records import PatchAction
from storage.table import DICT, FLAG, NUMBER_ID, Repository, Table, to_number


class PatchActionRepository(Repository[PatchAction]):
    """Review actions, oldest first."""

    table = Table(
        name="patch_actions",
        record=PatchAction,
        order="id",
        codecs={"id": NUMBER_ID, "patch": NUMBER_ID, "undone": FLAG, "data": DICT},
    )

    def push(self, *, patch: str, by: str, kind: str, data: dict[str, Any]) -> PatchAction:
        """Adds an action to the stack of ``by``; what was undone there cannot be redone any more."""
        self._tx.execute(
            'DELETE FROM patch_actions WHERE patch = ? AND "by" = ? AND undone = 1', (to_number(patch), by)
        )
        number = self._tx.next_number("patch_action", "patch_actions")
        action = PatchAction(id=str(number), patch=patch, by=by, kind=kind, at=self._tx.now, data=data)
        self._insert(action)
        return action

    def to_undo(self, patch: str, by: str) -> PatchAction | None:
        """The newest action of ``by`` that was not undone."""
        return self._find('patch = ? AND "by" = ? AND undone = 0 ORDER BY id DESC', (to_number(patch), by))

    def to_redo(self, patch: str, by: str) -> PatchAction | None:
        """The action of ``by`` that was undone last."""
        return self._find('patch = ? AND "by" = ? AND undone = 1 ORDER BY id', (to_number(patch), by))

    def mark(self, action: str, *, undone: bool) -> None:
        """Says whether an action is undone."""
        self._tx.execute("UPDATE patch_actions SET undone = ? WHERE id = ?", (int(undone), to_number(action)))

    def drop(self, action: str) -> None:
        """Takes an action off its stack: there is no way back to before it."""
        self._tx.execute("DELETE FROM patch_actions WHERE id = ?", (to_number(action),))

    def clear(self, patch: str) -> None:
        """Empties the stacks of a patch: its text is another one now."""
        self._tx.execute("DELETE FROM patch_actions WHERE patch = ?", (to_number(patch),))
