"""Pane 4: the agents on this machine, what they are assigned, and how to get those that are missing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from vibehq_tui.headquarters import Headquarters
from vibehq_tui.providers.service import ProviderStatus
from vibehq_tui.text.forms import money, ranges
from vibehq_tui.text.glyphs import PROVIDERS, sign
from vibehq_tui.tui.panes import welcome
from vibehq_tui.tui.widgets.pane import Pane, View
from vibehq_tui.tui.widgets.rows import Cell, Column, Part, Row
from vibehq_tui.tui.widgets.source import ListSource, RowSource

COLUMNS = (
    Column("", 1),
    Column("agent", 9),
    Column("version   tasks", 14, share=1),
    Column("cost", 6, right=True, drop=1),
)


def provider_row(status: ProviderStatus, ascii_only: bool) -> Row:
    """One agent: its state, version, what it does; for one that is missing, how to install it."""
    state = sign(PROVIDERS, status.state)
    missing = status.state == "missing"
    version = Part(f"{(status.version or '')[:8]:<9}", "dim")
    work: Cell
    if missing:
        work = (Part("not found · ", "dim"), Part(status.install_hint, "faint"))
    elif status.state in ("limited", "broken", "disabled"):
        work = (version, Part(status.message or state.word, state.tone))
    elif status.tasks:
        work = (version, ranges(status.tasks))
    else:
        work = (version, Part(state.word, "dim"))
    return Row(
        key=status.name,
        cells=(
            Part(state.text(ascii_only), state.tone),
            Part(status.name, "dim" if missing else "strong"),
            work,
            Part(money(status.cost_micros), "dim") if status.cost_micros else "",
        ),
        record=status,
        role="dim" if missing else "",
        spread=2 if missing else None,
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

    def __init__(self, hq: Callable[[], Headquarters], ascii_only: bool) -> None:
        super().__init__(COLUMNS)
        self._hq = hq
        self._ascii = ascii_only

    def source_of(self, view: View) -> RowSource:
        """All providers."""
        return _ProviderSource(self._hq(), self._ascii)

    def nothing(self) -> Sequence[Cell]:
        """Nobody looked yet."""
        return welcome.PROVIDERS
