"""Commands of the full screens: patch review, task, issue, provider and log."""

from __future__ import annotations

from vibehq_tui.tui.declared import review
from vibehq_tui.tui.declared.command import Command

COMMANDS: tuple[Command, ...] = (*review.COMMANDS,)
"""In the order in which footer and help show them."""

CHAINS: tuple[tuple[str, ...], ...] = (
    *review.CHAINS,
    ("list", "task", "app"),
    ("list", "issue", "app"),
    ("list", "provider", "app"),
    ("list", "log", "app"),
)
"""The scopes that are active together, inner ones first, on the full screens."""
