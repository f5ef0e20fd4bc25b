"""What a command is: declared once, and footer, palette, help, keymap and the documented key table are made from it.

A command is *declared* here and *done* by a method ``cmd_…`` of a widget, screen or the app: the first on the way from
the focused widget up to the app that has it. That way carries **scopes** (``COMMAND_SCOPES`` of each node), which say
which keys mean what at the moment; the inner scope wins where two commands share a key.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a command would act on if its key were pressed now. Taken at the key press, so that a cursor that moves on
    meanwhile does not change what is meant."""

    scope: str = ""
    """The innermost scope: ``tasks``, ``patches``, ``review``, …"""
    record: Any = None
    """The record under the cursor or on the screen; none in an empty list."""
    marked: tuple[str, ...] = ()
    """Keys of the marked rows."""
    filtered: bool = False
    read_only: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What else a screen's own commands ask about."""


Disabled = Callable[[Context], "str | None"]
"""Why a command cannot be done in this context, as a sentence without a full stop; ``None`` when it can."""


def never(_: Context) -> str | None:
    """The command is always possible."""
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One thing that an operator can do."""

    id: str
    """Stable; what ``[keymap]`` in ``vibehq.toml`` names: ``patch.approve``."""
    keys: tuple[str, ...]
    """Characters (``a``, ``?``) or key names (``enter``, ``ctrl+p``); the first one is shown. Empty: palette only."""
    title: str
    """One or two words, for the footer and the palette."""
    help: str
    """One sentence."""
    scopes: tuple[str, ...]
    """Where it is known; ``app`` is everywhere."""
    group: str
    """The heading under which help and documentation list it."""
    show_in_footer: bool = False
    changes: bool = False
    """It changes the workspace: not possible read-only, and done one after the other."""
    instead_of: tuple[str, ...] = ()
    """The ids of more general commands whose keys it takes over in its scopes."""
    disabled: Disabled = never

    @property
    def method(self) -> str:
        """The name of the method that does it: ``cmd_patch_approve``."""
        return "cmd_" + self.id.replace(".", "_").replace("-", "_")

    def reason(self, context: Context) -> str | None:
        """Why it cannot be done now, or ``None``."""
        if self.changes and context.read_only:
            return "read-only: this screen was opened to look, not to change"
        return self.disabled(context)
