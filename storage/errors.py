"""The one tree of errors of Vibe HQ, and the exit code that each carries.

::

    VibeError                     exit 1
    ├── Refused                   exit 1   not possible or not allowed; nothing changed
    │   ├── NotFound              exit 1   an unknown id, a missing file or workspace
    │   └── StoreBroken           exit 1   the store is corrupt, read-only or out of space
    ├── Usage                     exit 2   the command line itself is wrong
    ├── Conflict                  exit 3   it no longer fits what is there; nothing changed
    ├── Busy                      exit 4   somebody else holds the lock
    └── StoreTooNew               exit 5   the store was written by a newer program

A message says what was wrong and where; ``hint`` says what to do about it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


class VibeError(Exception):
    """Base of every error that the program raises on purpose.

    ``code`` is a stable, kebab-case word for programs; ``details`` holds JSON-ready facts.
    """

    exit_code: ClassVar[int] = 1
    default_code: ClassVar[str] = "error"

    def __init__(
        self, message: str, *, code: str | None = None, hint: str = "", details: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.hint = hint
        self.details: dict[str, Any] = dict(details or {})

    def to_wire(self) -> dict[str, Any]:
        """The ``{"error": …}`` document that ``--json`` and the API print."""
        return {
            "error": {"code": self.code, "message": self.message, "hint": self.hint, "details": self.details},
        }


class Refused(VibeError):
    """Not possible or not allowed; nothing changed."""

    default_code = "refused"


class NotFound(Refused):
    """There is no such task, patch, issue, file or workspace."""

    default_code = "not-found"


class StoreBroken(Refused):
    """The store cannot be read or written: corrupt, read-only, or the disk is full."""

    default_code = "store-broken"


class Usage(VibeError):
    """The command line itself is wrong."""

    exit_code = 2
    default_code = "usage"


class Conflict(VibeError):
    """What was asked no longer fits what is there; nothing changed."""

    exit_code = 3
    default_code = "conflict"


class Busy(VibeError):
    """Another process holds the lock."""

    exit_code = 4
    default_code = "busy"


class StoreTooNew(VibeError):
    """The store was written by a newer version of the program."""

    exit_code = 5
    default_code = "store-too-new"
