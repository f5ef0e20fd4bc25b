"""What a detector is."""

from __future__ import annotations

from typing import Protocol

from vibehq_tui.ops.context import ScanContext
from vibehq_tui.ops.model import Finding


class Detector(Protocol):
    """Looks for one kind of trouble.

    ``look`` runs on the event loop: what blocks belongs into a thread. Whatever it raises, however long it takes and
    whatever it returns, the scan goes on; the trouble with it becomes an issue of its own.
    """

    @property
    def id(self) -> str:
        """Kebab-case and stable: issues refer to it."""
        ...

    @property
    def title(self) -> str:
        """What it looks for, as a heading."""
        ...

    @property
    def severity(self) -> str:
        """Of most of its findings."""
        ...

    @property
    def scope(self) -> str:
        """The cheapest scope that runs it: ``incremental`` detectors run in every scan, ``full`` ones in full scans."""
        ...

    @property
    def cost(self) -> str:
        """``low``: reads the store or the host. ``high``: reads the tree or starts programs."""
        ...

    @property
    def subject(self) -> str:
        """What its findings are about: ``patch``, ``task``, ``workspace`` …"""
        ...

    async def look(self, ctx: ScanContext) -> list[Finding]:
        """Everything that is wrong now. What is not in it, and was not kept through ``ctx``, is taken to be gone."""
        ...
