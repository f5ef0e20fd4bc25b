"""What is known of earlier contents of files, opened when it is asked for: nearly every patch needs none of it."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vibehq_tui.patches.applying.known_bases import KnownBases


class Earlier:
    """Opens the earlier contents below a root when it is called; closes what it opened at the end of the body."""

    def __init__(self, root: Path, state: Path | None = None) -> None:
        """:param state: the state folder with the receipts; ``.vibehq`` in the root by default."""
        self._root = root
        self._state = state
        self._known: KnownBases | None = None

    def __call__(self) -> KnownBases:
        """The earlier contents."""
        if self._known is None:
            from vibehq_tui.patches.applying.known_bases import KnownBases  # noqa: PLC0415 - only where a file is not the base

            self._known = KnownBases(self._root, self._state)
        return self._known

    def __enter__(self) -> Earlier:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._known is not None:
            self._known.close()
            self._known = None
