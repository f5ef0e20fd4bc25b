"""One leader among all processes on a workspace.

Who leads is said by a lease in the store, with an epoch that rises at every change: what a process writes as leader
counts only as long as the lease still has its epoch. An ``flock`` on ``leader.lock`` beside the store makes a change
fast: the kernel frees it the moment a leader dies, so whoever gets it on the same host knows that the holder of the
lease is gone. A leader that is frozen keeps its lock; it loses the lease when that expires.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import socket
from pathlib import Path
from typing import Final

from storage.records import Lease
from storage.store import Store, Tx
from vibehq_tui.contracts import events

LEASE: Final = "scheduler"
LOCK_FILE: Final = "leader.lock"


class Leadership:
    """This process's part in it. Every method is cheap: at most one small transaction."""

    def __init__(self, store: Store, *, ttl: float, actor: str) -> None:
        """
        :param ttl: seconds after which a leader that gave no sign is replaced.
        """
        self._store = store
        self._ttl = ttl
        self._actor = actor
        self._host = socket.gethostname()
        self.holder = f"{self._host}/{os.getpid()}/{secrets.token_hex(4)}"
        """Host, process and a random part, so that no two schedulers ever have the same."""
        self._file: int | None = None
        self._locked = False
        self.lease: Lease | None = None
        """The lease, while this process leads."""

    async def campaign(self, *, patient: bool = False) -> bool:
        """Tries to become the leader; True when this process leads now.

        :param patient: look at the lease even when another process holds the lock, to replace a frozen leader.
        """
        if not self._try_lock() and not patient:
            return False
        self.lease = await self._store.write(self._take)
        self._sign()
        return self.lease is not None

    def _take(self, tx: Tx) -> Lease | None:
        before = tx.leases.get(LEASE)
        if before is not None and self._is_gone(before):
            tx.leases.release(LEASE, before.holder)
        lease = tx.leases.acquire(LEASE, self.holder, self._host, self._store.clock.boot(), self._ttl)
        if lease is not None and (before is None or before.epoch != lease.epoch):
            self._announce(tx, f"{self.holder} leads now", lease.epoch)
        return lease

    def _is_gone(self, lease: Lease) -> bool:
        """Whether the holder had the lock that is ours now. One that led without it may well be alive."""
        return (
            self._locked
            and lease.host == self._host
            and lease.holder not in ("", self.holder)
            and lease.holder == self._signed()
        )

    async def renew(self) -> bool:
        """Extends the lease; False, and this process no longer leads, when another took it meanwhile."""
        lease = self.lease
        if lease is None:
            return False
        self._try_lock()
        boot = self._store.clock.boot()
        kept = await self._store.write(lambda tx: tx.leases.renew(LEASE, self.holder, lease.epoch, boot, self._ttl))
        if kept:
            self._sign()
        else:
            self.lease = None
            self._unlock()
        return kept

    async def resign(self) -> None:
        """Gives lease and lock up, so that the next process can lead at once."""
        self.lease = None
        if self._file is None:
            return
        try:
            # asked of the store: a campaign may have been cancelled after it was won
            if await self._store.read(self._is_ours):
                await self._store.write(self._release)
        finally:
            self._unlock()
            os.close(self._file)
            self._file = None

    def _is_ours(self, tx: Tx) -> bool:
        now = tx.leases.get(LEASE)
        return now is not None and now.holder == self.holder

    def _release(self, tx: Tx) -> None:
        now = tx.leases.get(LEASE)
        if now is not None and now.holder == self.holder:
            tx.leases.release(LEASE, self.holder)
            self._announce(tx, f"{self.holder} leads no more", now.epoch)

    def holds(self, tx: Tx) -> bool:
        """Whether the lease is still the one that this process got: the fence for what it writes as leader."""
        now = tx.leases.get(LEASE)
        return self.lease is not None and now is not None and (now.holder, now.epoch) == (self.holder, self.lease.epoch)

    def _announce(self, tx: Tx, message: str, epoch: int) -> None:
        tx.events.append(
            events.LEADER_CHANGED,
            actor=self._actor,
            subject="workspace",
            message=message,
            data={"holder": self.holder, "host": self._host, "pid": os.getpid(), "epoch": epoch},
        )

    def _try_lock(self) -> bool:
        if self._locked:
            return True
        if self._file is None:
            path: Path = self._store.folder / LOCK_FILE
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            # held by another process, or a file system without locks, where the lease alone decides
            return False
        self._locked = True
        return True

    def _unlock(self) -> None:
        if self._locked and self._file is not None:
            fcntl.flock(self._file, fcntl.LOCK_UN)
        self._locked = False

    def _sign(self) -> None:
        """Writes who leads into the lock, for whoever gets it next."""
        if self._locked and self._file is not None and self.lease is not None:
            content = self.holder.encode()
            if os.pread(self._file, len(content) + 1, 0) != content:
                os.ftruncate(self._file, 0)
                os.pwrite(self._file, content, 0)

    def _signed(self) -> str:
        return os.pread(self._file, 1000, 0).decode("utf-8", "replace") if self._file is not None else ""
