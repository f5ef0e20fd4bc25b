from __future__ import annotations

import contextlib

from schedule_helpers import SetClock

from storage.store import Store
from vibehq_tui.schedule.leader import LEASE, LOCK_FILE, Leadership


def candidate(store: Store, ttl: float = 30.0) -> Leadership:
    return Leadership(store, ttl=ttl, actor="test")


async def changes(store: Store) -> list[int]:
    """The epoch of each change of leader."""
    found = await store.read(lambda tx: tx.events.since(0))
    return [event.data["epoch"] for event in found if event.type == "leader.changed"]


async def test_one_leads_and_the_other_follows_when_it_resigns(store: Store) -> None:
    one, two = candidate(store), candidate(store)
    assert await one.campaign()
    assert not await two.campaign()
    assert not await two.campaign(patient=True)
    assert await one.renew()
    await one.resign()
    assert await two.campaign()
    assert two.lease is not None
    assert two.lease.epoch == 2
    assert not await one.renew()
    await two.resign()
    assert await changes(store) == [1, 1, 2, 2]


async def test_a_leader_that_died_is_replaced_at_once(store: Store) -> None:
    one, two = candidate(store), candidate(store)
    await one.campaign()
    one._unlock()  # as the kernel does when it dies
    assert await two.campaign()
    assert two.lease is not None
    assert two.lease.epoch == 2
    assert not await one.renew()
    assert one.lease is None
    await one.resign()
    assert (await store.read(lambda tx: tx.leases.get(LEASE))) == two.lease
    await two.resign()


async def test_a_frozen_leader_is_replaced_when_its_lease_expired_and_notices(store: Store, clock: SetClock) -> None:
    frozen, other = candidate(store), candidate(store)
    await frozen.campaign()
    clock.advance(29)
    assert not await other.campaign(patient=True)
    clock.advance(2)
    assert not await other.campaign()
    assert await other.campaign(patient=True)
    assert not await store.read(frozen.holds)
    assert await store.read(other.holds)
    # woken, it loses the lease and lets the lock go; it must not take the lease from a leader without a lock
    assert not await frozen.renew()
    assert not await frozen.campaign()
    assert await other.renew()
    await frozen.resign()
    assert await other.renew()
    third = candidate(store)
    assert not await third.campaign()
    for one in (other, third):
        await one.resign()


async def test_a_campaign_that_was_cancelled_after_it_was_won_is_given_back(store: Store) -> None:
    one = candidate(store)
    await one.campaign()
    one.lease = None
    await one.resign()
    assert await store.read(lambda tx: tx.leases.get(LEASE)) is None


async def test_the_lock_file_names_the_leader_and_is_private(store: Store) -> None:
    with contextlib.suppress(FileNotFoundError):
        (store.folder / LOCK_FILE).unlink()
    one = candidate(store)
    await one.campaign()
    assert (store.folder / LOCK_FILE).read_text() == one.holder
    assert (store.folder / LOCK_FILE).stat().st_mode & 0o777 == 0o600
    await one.resign()
    two = candidate(store)
    await two.campaign()
    assert (store.folder / LOCK_FILE).read_text() == two.holder
    await two.resign()
