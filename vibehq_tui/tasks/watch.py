"""Notices within a second that the tasks file of a workspace is another one than before.

The operating system tells of changes in the folders where a tasks file is or could be; once a second a look at the file
itself makes up for what it cannot tell (network file systems, a folder that was replaced, no watches left).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Final

from vibehq_tui.tasks.files import CANDIDATES, find, identity

_TICK: Final = 1.0
"""Seconds between two looks at the file itself."""
_SETTLE_MS: Final = 200
"""How long changes are gathered at most before they are told."""


async def file_changes(root: Path, configured: str | None = None) -> AsyncGenerator[None, None]:
    """Yields once it watches, and then whenever there is another tasks file, another content, or none any more.

    Ends only when closed.

    :param configured: the tasks file, relative to the root, where it is not one of the usual ones.
    """
    before: tuple[str, str | None] | None = None
    async with aclosing(_stirrings(root, configured)) as stirrings:
        async for _ in stirrings:
            now = _look(root, configured)
            if now != before:
                before = now
                yield


def _look(root: Path, configured: str | None) -> tuple[str, str | None]:
    found = find(root, configured)
    try:
        return found.source, identity(found.path)
    except OSError as error:  # no permission: another error is another state, too
        return found.source, str(error)


def _folders(root: Path, configured: str | None) -> frozenset[Path]:
    """The nearest folders that exist above each place where the tasks file can be."""
    wanted: set[Path] = set()
    for name in (configured,) if configured else CANDIDATES:
        path = root / name
        for place in {path, Path(os.path.realpath(path))}:
            folder = place.parent
            while not folder.is_dir() and folder != folder.parent:
                folder = folder.parent
            wanted.add(folder)
    return frozenset(wanted)


async def _stirrings(root: Path, configured: str | None) -> AsyncGenerator[None, None]:
    """Yields when something happened in one of the folders, and at least at every tick."""
    from watchfiles import awatch  # noqa: PLC0415 - heavy, and only a long-lived process watches

    while True:
        folders = _folders(root, configured)
        try:
            async with aclosing(
                awatch(
                    *folders,
                    watch_filter=None,
                    debounce=_SETTLE_MS,
                    rust_timeout=int(_TICK * 1000),
                    yield_on_timeout=True,
                    recursive=False,
                    ignore_permission_denied=True,
                )
            ) as changes:
                yield
                async for _ in changes:
                    yield
                    if _folders(root, configured) != folders:
                        break
        except OSError:  # no watch to be had: the limit of the system is reached, or a folder has just gone
            await asyncio.sleep(_TICK)
            yield
