"""The gate through which one writer at a time goes, of all processes that share a store."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storage.failures import busy, from_os


class Gate:
    """An ``flock`` on a side file, taken before ``BEGIN IMMEDIATE``.

    SQLite's own waiting polls, which starves whoever polls at the wrong moments; waiters of a file lock are woken in
    turn, and the lock of a killed process is free at once. It also keeps two connections from writing and checkpointing
    at the same time, which older SQLite versions do not survive.
    """

    def __init__(self, path: Path, guarded: Path) -> None:
        """:param guarded: the file that messages name."""
        self._path = path
        self._guarded = guarded

    @contextmanager
    def held(self, wait: float) -> Iterator[None]:
        """Holds the gate; blocks the calling thread for up to ``wait`` seconds.

        :raises Busy: when somebody else held it for that long.
        :raises StoreBroken: when the side file cannot be opened.
        """
        handle = self._acquire(wait)
        try:
            yield
        finally:
            os.close(handle)

    def _acquire(self, wait: float) -> int:
        handle = self._open()
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return self._queue(handle, wait)
        except OSError as error:
            os.close(handle)
            raise from_os(error, self._path) from error
        return handle

    def _open(self) -> int:
        try:
            return os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise from_os(error, self._path) from error

    def _queue(self, handle: int, wait: float) -> int:
        """Waits in the kernel's queue, which has no timeout, on a thread that can be left behind."""
        turn = _Turn(handle)
        threading.Thread(target=turn.take, name="store-gate", daemon=True).start()
        if not turn.wait(wait):
            raise busy(self._guarded)
        return handle


class _Turn:
    """One wait for the lock; whoever comes last, the lock or the timeout, closes the file."""

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self._decided = threading.Lock()
        self._ready = threading.Event()
        self._granted = False
        self._abandoned = False

    def take(self) -> None:
        fcntl.flock(self._handle, fcntl.LOCK_EX)
        with self._decided:
            if self._abandoned:
                os.close(self._handle)
            self._granted = True
        self._ready.set()

    def wait(self, seconds: float) -> bool:
        if self._ready.wait(seconds):
            return True
        with self._decided:
            self._abandoned = not self._granted
            return self._granted
