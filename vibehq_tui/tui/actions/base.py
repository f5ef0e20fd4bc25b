"""What all actions need: the workspace, and the things that a command was meant for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from storage.errors import VibeError
from vibehq_tui.headquarters import Headquarters
from vibehq_tui.text.forms import plural
from vibehq_tui.tui.commands import Context
from vibehq_tui.tui.dispatch import CommandApp
from vibehq_tui.tui.widgets.long_list import LongList


class HeadquartersApp(CommandApp):
    """An app on an open workspace."""

    hq: Headquarters

    def targets(self, context: Context) -> tuple[str, ...]:
        """The ids that a command was meant for: those marked, else the one under the cursor."""
        if context.marked:
            return tuple(sorted(context.marked, key=lambda key: (len(key), key)))
        return () if context.record is None else (context.record.id,)

    async def each(
        self, context: Context, noun: str, verb: str, done: str, do: Callable[[str], Awaitable[object]]
    ) -> Sequence[str]:
        """Does something to every target; to several only after a question. Toasts say what came of it.

        :param noun: ``patch``.
        :param verb: ``approve``, for the question.
        :param done: ``approved``, for the toast.
        :returns: the ids that it was done to.
        """
        ids = self.targets(context)
        question = f"{verb.capitalize()} {_many(len(ids), noun)}?"
        if context.marked and not await self.confirm(question, detail=_list(ids)):
            return ()
        succeeded, failed = [], []
        for id_ in ids:
            try:
                await do(id_)
                succeeded.append(id_)
            except VibeError as error:
                if len(ids) == 1:
                    raise
                failed.append(f"{id_}: {error.message}")
        if context.marked:
            self._clear_marks()
            if succeeded:
                self.say(f"{done} {_many(len(succeeded), noun)}: {_list(succeeded)}")
        if failed:
            self.say("\n".join(failed[:5]), "error", title=f"{plural(len(failed), 'refusal')}")
        return succeeded

    def _clear_marks(self) -> None:
        for one in self.screen.query(LongList):
            if one.marked:
                one.clear_marks()


def _many(count: int, noun: str) -> str:
    return plural(count, noun, noun + ("es" if noun.endswith("ch") else "s"))


def _list(ids: Sequence[str]) -> str:
    shown = ", ".join(ids[:20])
    return f"{shown} and {len(ids) - 20} more" if len(ids) > 20 else shown
