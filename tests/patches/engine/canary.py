"""Notices whoever reads or writes what must not be touched, by inotify; and a look at every byte before and after."""

from __future__ import annotations

import ctypes
import os
import struct
from pathlib import Path
from types import TracebackType
from typing import Self

from engine_helpers import state_of

ACCESS, MODIFY, ATTRIB, MOVED_FROM, MOVED_TO, CREATE, DELETE, OPEN = 1, 2, 4, 0x40, 0x80, 0x100, 0x200, 0x20
WRITES = MODIFY | ATTRIB | MOVED_FROM | MOVED_TO | CREATE | DELETE
_EVENT = struct.Struct("iIII")
_LIBC = ctypes.CDLL(None, use_errno=True)


class Canary:
    """Watches folders. What is read or written in ``closed`` ones, or written in ``quiet`` ones, is told.

    Reading a folder's own names and opening the folder itself do not count: the test looks there, too.
    """

    def __init__(self, closed: list[Path], quiet: list[Path] | None = None) -> None:
        self._watched: dict[int, tuple[Path, bool]] = {}
        self._fd = _LIBC.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), "inotify")
        for folder in closed:
            self._watch(folder, ACCESS | OPEN | WRITES, everything=True)
        for top in quiet or []:
            for folder, _, _ in os.walk(top):
                self._watch(Path(folder), WRITES, everything=False)
        self._roots = [*closed, *(quiet or [])]
        self._before = [state_of(folder) for folder in self._roots]
        self.events()

    def _watch(self, folder: Path, mask: int, *, everything: bool) -> None:
        watch = _LIBC.inotify_add_watch(self._fd, os.fsencode(folder), mask)
        if watch < 0:
            raise OSError(ctypes.get_errno(), str(folder))
        self._watched[watch] = (folder, everything)

    def events(self) -> list[str]:
        """What happened since the last call, as text."""
        found = []
        while True:
            try:
                data = os.read(self._fd, 1 << 16)
            except BlockingIOError:
                return found
            at = 0
            while at < len(data):
                watch, mask, _, length = _EVENT.unpack_from(data, at)
                name = data[at + 16 : at + 16 + length].rstrip(b"\0")
                at += 16 + length
                folder, _ = self._watched.get(watch, (Path("?"), True))
                if name:  # without one it is the folder itself
                    found.append(f"{folder}/{os.fsdecode(name)}: {mask & 0xFFFF:#x}")

    def check(self) -> None:
        """Nothing was touched."""
        events = self.events()
        assert events == [], events
        assert [state_of(folder) for folder in self._roots] == self._before
        self.events()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._fd)
