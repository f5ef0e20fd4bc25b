"""Where a plan finds earlier contents of files, to merge with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol


class Bases(Protocol):
    """Where earlier contents of files are found."""

    def blob(self, name: str) -> bytes | None:
        """The blob whose name begins with ``name`` (hex digits); None when there is none, or more than one."""
        ...

    def versions(self, path: str) -> Iterator[bytes]:
        """Different earlier contents of the file at ``path``, the newest first; not all of them when there are many."""
        ...

    def close(self) -> None:
        """Ends what was started; what is asked for later starts it again."""
        ...
