"""Pane 4: the agents on this machine, what they are assigned, and how to get those that are missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from vibehq_tui.headquarters import Headquarters
from vibehq_tui.text.forms import money, ranges
from vibehq_tui.text.glyphs import PROVIDERS, sign
from vibehq_tui.tui.panes import welcome
from vibehq_tui.tui.widgets.pane import Pane, View
from vibehq_tui.tui.widgets.rows import Cell, Column, Part, Row
from vibehq_tui.tui.widgets.source import ListSource, RowSource

if TYPE_CHECKING:  # the service is loaded after the first paint
    from vibehq_tui.providers.status import ProviderStatus

COLUMNS = (
    Column("", 1),
    Column("agent", 9),
    Column("version   tasks", 14, share=1),
    Column("cost", 6, right=True, drop=1),
)


def provider_row(status: ProviderStatus, ascii_only: bool) -> Row:
    """One agent: its state, version, what it does; for one that is missing, how to install it."""
    state = sign(PROVIDERS, status.state)
    unknown = status.state == "unknown"
    absent = status.state in ("missing", "unknown")
    version = Part(f"{(status.version or '')[:9]:<10}", "dim")
    work: Cell
    if absent:
        hint = "" if unknown else status.install_hint
        word = "not looked for yet" if unknown else state.word
        work = (Part(word, "dim"), Part(f" · {hint}" if hint else "", "faint"))
    elif status.state in ("limited", "broken", "disabled"):
        work = (version, Part(status.message or state.word, state.tone))
    elif status.tasks:
        work = (version, ranges(status.tasks))
    else:
        work = (version, Part(state.word, "dim"))
    return Row(
        key=status.name,
        cells=(
            Part(" " if unknown else state.text(ascii_only), state.tone),
            Part(status.name, "dim" if absent else "strong"),
            work,
            Part(money(status.cost_micros), "dim") if status.cost_micros else "",
        ),
        record=status,
        role="dim" if absent else "",
        spread=2 if absent else None,
    )


class _ProviderSource(ListSource):
    """There are a dozen providers: all are read at once."""

    def __init__(self, hq: Headquarters, ascii_only: bool) -> None:
        super().__init__()
        self._hq = hq
        self._ascii = ascii_only

    async def count(self, text: str) -> int:
        self.replace(provider_row(status, self._ascii) for status in await self._hq.providers.list())
        return await super().count(text)


class ProvidersPane(Pane):
    """The agents, those that are here first."""

    COMMAND_SCOPES: ClassVar[tuple[str, ...]] = ("providers", "list")
    NUMBER = 4
    NAME = "providers"
    TITLE = "Providers"
    OPENS = "provider.open"

    def __init__(self, hq: Headquarters, *, ascii_only: bool) -> None:
        self._begun = False
        super().__init__(hq, COLUMNS, [View(name="")], ascii_only=ascii_only)

    def begin(self) -> None:
        """Reads the providers; called after the first paint, because their service is loaded for it."""
        self._begun = True
        self.show_view(self.view)

    def source_of(self, view: View) -> RowSource | None:
        """All providers."""
        return _ProviderSource(self.hq, self.ascii_only) if self._begun else None

    def nothing(self) -> Sequence[Cell]:
        """Nobody looked yet."""
        return welcome.PROVIDERS
