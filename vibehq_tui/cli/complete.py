"""Completion of ids from the store, when the shell asks for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click

from storage.errors import VibeError
from storage.records import Issue, Patch, Task
from vibehq_tui.cli.session import Session
from vibehq_tui.text.clean import clean

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

Completer = Callable[[click.Context, click.Parameter, str], "list[CompletionItem]"]
_MOST = 200


def complete_ids(kind: str) -> Completer:
    """Completes the ids of a kind of record, each with its title.

    :param kind: ``task``, ``patch`` or ``issue``.
    """

    def complete(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - only when a shell asks

        session = ctx.find_object(Session) or Session()
        try:
            pairs = _ids(session, kind)
        except (VibeError, OSError):
            return []  # no workspace, no store: a shell is no place for an error
        return [CompletionItem(one, help=clean(title, 60)) for one, title in pairs if one.startswith(incomplete)]

    return complete


def _ids(session: Session, kind: str) -> list[tuple[str, str]]:
    # Only when a shell asks: completion of commands and options needs neither asyncio nor the store.
    import asyncio  # noqa: PLC0415 - only when a shell asks

    from storage.query import Query  # noqa: PLC0415 - only when a shell asks
    from storage.store import Store, Tx  # noqa: PLC0415 - only when a shell asks

    state = session.root() / ".vibehq"

    def body(tx: Tx) -> list[tuple[str, str]]:
        rows: Sequence[Task | Patch | Issue]
        if kind == "task":
            rows = tx.tasks.page(Query(), 0, _MOST)
        elif kind == "patch":
            rows = tx.patches.page(Query(), 0, _MOST)
        else:
            rows = tx.issues.page(Query(), 0, _MOST)
        return [(row.id, row.title) for row in rows]

    async def call() -> list[tuple[str, str]]:
        async with await Store.open(state, read_only=True) as store:
            return await store.read(body)

    return asyncio.run(call())
