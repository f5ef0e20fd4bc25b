"""Who changes tasks, and the error for those who name one that is not there."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from storage.errors import NotFound
from storage.tx import Tx


@dataclass(frozen=True, slots=True)
class By:
    """Who changes something, and through which face."""

    actor: str
    via: str

    def audit(self, tx: Tx, verb: str, task: str, detail: str) -> None:
        """Appends who did what to which task."""
        tx.audit.append(actor=self.actor, via=self.via, verb=verb, object=f"task/{task}", result="done", detail=detail)


def no_such_task(task_id: str, known: Collection[str]) -> NotFound:
    """The error for an unknown id; names the nearest ones."""
    from difflib import get_close_matches  # noqa: PLC0415 - needed for this error only

    near = get_close_matches(task_id, known, 3, 0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else "vibehq task list shows those there are"
    return NotFound(f"there is no task {task_id}", hint=hint, details={"task": task_id, "near": near})
