"""``vibehq provider``, ``route`` and ``assign``: who can do a task, who would, who does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vibehq_tui.cli.framework import group

if TYPE_CHECKING:
    pass

provider = group(
    "provider",
    "Providers: the agents that this machine has, and how each is run.",
    examples=[("vibehq provider list", "which are here, and how to install the others")],
)
