"""Leases: one holder at a time, an epoch for each, whatever the clocks do."""

from __future__ import annotations

from typing import Any

import pytest
from store_helpers import SetClock

from storage.records import Lease
from storage.store import Store


@pytest.fixture
def acquire(store: Store, clock: SetClock) -> Any:
    async def call(holder: str, host: str = "here") -> Lease | None:
        return await store.write(lambda tx: tx.leases.acquire("leader", holder, host, clock.boot(), 30))

    return call


async def test_one_holds_and_the_others_wait(store: Store, clock: SetClock, acquire: Any) -> None:
    first = await acquire("a")
    assert first == Lease(name="leader", holder="a", epoch=1, expires_boot=1030.0, host="here", renewed_at=clock.now())
    assert await acquire("b") is None
    clock.advance(20)
    assert await store.write(lambda tx: tx.leases.renew("leader", "a", 1, clock.boot(), 30)) is True
    clock.advance(20)
    assert await acquire("b") is None
    again = await acquire("a")
    assert again is not None
    assert again.epoch == 1


async def test_an_expired_lease_goes_to_the_next_with_a_higher_epoch(
    store: Store, clock: SetClock, acquire: Any
) -> None:
    await acquire("a")
    clock.advance(30)
    second = await acquire("b")
    assert second is not None
    assert (second.holder, second.epoch) == ("b", 2)
    assert await store.write(lambda tx: tx.leases.renew("leader", "a", 1, clock.boot(), 30)) is False
    assert await acquire("a") is None
    assert await store.read(lambda tx: tx.leases.get("leader")) == second


async def test_a_released_lease_keeps_its_epoch(store: Store, acquire: Any) -> None:
    await acquire("a")
    await store.write(lambda tx: tx.leases.release("leader", "b"))
    assert await acquire("b") is None
    await store.write(lambda tx: tx.leases.release("leader", "a"))
    assert await store.read(lambda tx: tx.leases.get("leader")) is None
    second = await acquire("a")
    assert second is not None
    assert second.epoch == 2


async def test_the_wall_clock_does_not_matter_on_one_host(clock: SetClock, acquire: Any) -> None:
    await acquire("a")
    for jump in (3_600_000, -7_200_000):
        clock.at += jump
        assert await acquire("b") is None


async def test_a_lease_from_before_a_restart_of_the_host_is_over(clock: SetClock, acquire: Any) -> None:
    await acquire("a")
    clock.seconds = 12.0
    lease = await acquire("b")
    assert lease is not None
    assert lease.epoch == 2


async def test_another_host_goes_by_the_wall_clock(clock: SetClock, acquire: Any) -> None:
    await acquire("a", "there")
    clock.seconds = 9_999_999.0
    assert await acquire("b", "here") is None
    clock.at += 30_000
    lease = await acquire("b", "here")
    assert lease is not None
    assert lease.epoch == 2
