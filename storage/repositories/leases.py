"""Leases: who may do what only one may do, with the epoch that fences off whoever had it before."""

from __future__ import annotations

from storage.records import Lease
from storage.table import Repository, Table


class LeaseRepository(Repository[Lease]):
    """Leases by name. Times to live are in seconds, on the boot clock of the holder's host."""

    table = Table(name="leases", record=Lease, order="name", key="name")

    def get(self, name: str) -> Lease | None:
        """The lease as it stands, expired or not; none where it was released or never taken."""
        return self._find("name = ? AND holder <> ''", (name,))

    def acquire(self, name: str, holder: str, host: str, boot_now: float, ttl: float) -> Lease | None:
        """Takes the lease, or renews it; none while somebody else holds it.

        The epoch rises with every change of holder.
        """
        row = self._tx.row(
            "SELECT holder, epoch, expires_boot, ttl, host, renewed_at FROM leases WHERE name = ?", (name,)
        )
        epoch = 1
        if row is not None:
            old_holder, old_epoch, expires_boot, old_ttl, old_host, renewed_at = row
            if old_holder == holder:
                epoch = old_epoch
            elif old_holder == "" or self._expired(expires_boot, old_ttl, old_host == host, renewed_at, boot_now):
                epoch = old_epoch + 1
            else:
                return None
        self._tx.execute(
            "INSERT INTO leases (name, holder, epoch, expires_boot, ttl, host, renewed_at) VALUES (?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, epoch = excluded.epoch,"
            " expires_boot = excluded.expires_boot, ttl = excluded.ttl, host = excluded.host,"
            " renewed_at = excluded.renewed_at",
            (name, holder, epoch, boot_now + ttl, ttl, host, self._tx.now),
        )
        return self.get(name)

    def renew(self, name: str, holder: str, epoch: int, boot_now: float, ttl: float) -> bool:
        """Extends a lease that is still this holder's; False when it was lost, whose epoch is void from then on."""
        cursor = self._tx.execute(
            "UPDATE leases SET expires_boot = ?, ttl = ?, renewed_at = ? WHERE name = ? AND holder = ? AND epoch = ?",
            (boot_now + ttl, ttl, self._tx.now, name, holder, epoch),
        )
        return cursor.rowcount == 1

    def release(self, name: str, holder: str) -> None:
        """Gives the lease up, if it is this holder's; the epoch is kept."""
        self._tx.execute(
            "UPDATE leases SET holder = '', expires_boot = 0 WHERE name = ? AND holder = ?", (name, holder)
        )

    def _expired(self, expires_boot: float, ttl: float, same_host: bool, renewed_at: int, boot_now: float) -> bool:
        if same_host:
            # More than one time to live ahead: the boot clock began anew, so the holder did not survive.
            return boot_now >= expires_boot or expires_boot - boot_now > ttl
        # Boot clocks of two hosts cannot be compared; the wall clock is the only one that they share.
        return self._tx.now - renewed_at >= ttl * 1000
