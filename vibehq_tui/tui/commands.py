"""All commands, and how they are found by id, by scope and by key.

A new command is declared in :mod:`vibehq_tui.tui.declared` and done by a method of the node that it is about; nothing
else needs to know of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from vibehq_tui.tui.declared import details, general, panes
from vibehq_tui.tui.declared.command import Command, Context, Disabled, never

__all__ = ["BY_ID", "CHAINS", "COMMANDS", "Command", "Context", "Disabled", "in_scopes", "key_label", "never"]

COMMANDS: tuple[Command, ...] = (*panes.COMMANDS, *details.COMMANDS, *general.COMMANDS)
"""Every command, in the order in which footer, help and documentation show them."""

BY_ID: Mapping[str, Command] = MappingProxyType({command.id: command for command in COMMANDS})

CHAINS: tuple[tuple[str, ...], ...] = (*panes.CHAINS, *details.CHAINS, *general.CHAINS)
"""The scopes that are active together, inner ones first. In none of them do two commands share a key."""

_LABELS = {
    "escape": "esc",
    "pagedown": "pgdn",
    "pageup": "pgup",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "delete": "del",
}


def key_label(key: str, ascii_only: bool = False) -> str:
    """How a key is written: ``ctrl+p`` is ``^p``, ``escape`` is ``esc``, ``f1`` is ``F1``."""
    *modifiers, name = key.split("+") if len(key) > 1 else [key]
    if name in _LABELS and not (ascii_only and not _LABELS[name].isascii()):
        name = _LABELS[name]
    elif len(name) > 1 and name[0] == "f" and name[1:].isdigit():
        name = name.upper()
    marks = "".join("^" if modifier == "ctrl" else f"{modifier}+" for modifier in modifiers)
    return marks + name


@cache
def in_scopes(scopes: tuple[str, ...]) -> tuple[Command, ...]:
    """The commands that are known in ``scopes`` (inner ones first), without those that an inner one stands in for."""
    found: dict[str, Command] = {}
    for scope in scopes:
        found.update(
            (command.id, command) for command in COMMANDS if scope in command.scopes and command.id not in found
        )
    replaced = {id_ for command in found.values() for id_ in command.instead_of}
    return tuple(command for command in found.values() if command.id not in replaced)
