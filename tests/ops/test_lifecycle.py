from __future__ import annotations

import pytest
from ops_helpers import DAY, HOUR, World, finding, reporting

from storage.clock import Millis
from storage.errors import Conflict, NotFound, Refused, Usage
from storage.store import Store
from vibehq_tui.ops import fingerprint
from vibehq_tui.ops.lifecycle import MAX_UNRESOLVED


async def test_open_seen_again_resolved_regressed(world: World) -> None:
    stub = reporting(finding("a", title="A is wrong", severity="high", data={"n": 1}, subject="patch", subject_id="7"))
    ops = world.ops(stub)
    first = await ops.scan("incremental")
    (issue,) = await world.issues()
    assert (first.state, first.findings, first.opened, first.resolved) == ("completed", 1, 1, 0)
    assert (issue.status, issue.severity, issue.count, issue.data, issue.subject_id) == (
        "open",
        "high",
        1,
        {"n": 1},
        "7",
    )
    opened_at = issue.first_seen

    world.clock.advance(300)
    stub.found[:] = [finding("a", title="A is wrong", severity="high", data={"n": 2})]  # type: ignore[attr-defined]
    assert (await ops.scan("incremental")).opened == 0
    issue = await ops.get(issue.id)
    assert (issue.count, issue.data, issue.first_seen) == (2, {"n": 2}, opened_at)
    assert issue.last_seen == world.clock.now()

    world.clock.advance(300)
    stub.found.clear()  # type: ignore[attr-defined]
    assert (await ops.scan("incremental")).resolved == 1
    issue = await ops.get(issue.id)
    assert (issue.status, issue.resolved_by, issue.resolved_at) == ("resolved", "scan", world.clock.now())

    world.clock.advance(300)
    stub.found.append(finding("a", title="A is wrong"))  # type: ignore[attr-defined]
    assert (await ops.scan("incremental")).opened == 1
    issue = await ops.get(issue.id)
    assert (issue.status, issue.regressions, issue.resolved_at, issue.severity) == ("open", 1, None, "medium")
    assert len(await world.issues()) == 1
    assert [event.type for event in await ops.history(issue.id)] == [
        "issue.regressed",
        "issue.resolved",
        "issue.opened",
    ]


async def test_an_event_for_what_changed_and_none_for_what_is_still_there(world: World) -> None:
    stub = reporting(finding("a", message="93 %"))
    ops = world.ops(stub)
    await ops.scan("incremental")
    stub.found[:] = [finding("a", message="94 %")]  # type: ignore[attr-defined]
    await ops.scan("incremental")
    stub.found[:] = [finding("a", severity="critical")]  # type: ignore[attr-defined]
    await ops.scan("incremental")
    assert await world.event_types() == [
        "scan.started", "issue.opened", "scan.completed",
        "scan.started", "scan.completed",
        "scan.started", "issue.seen", "scan.completed",
    ]  # fmt: skip
    (issue,) = await world.issues()
    seen = (await ops.history(issue.id))[0]
    assert seen.message == "medium → critical: Something is wrong"
    assert (seen.task, seen.data["severity"]) == (None, "critical")


async def test_what_operators_do_is_an_event_and_an_audit_entry(world: World) -> None:
    ops = world.ops(reporting(finding("a")))
    await ops.scan("incremental")
    assert (await ops.acknowledge("1")).status == "acknowledged"
    until = Millis(world.clock.now() + HOUR * 1000)
    assert (await ops.snooze("1", until)).snoozed_until == until
    claimed = await ops.claim("1")
    assert (claimed.status, claimed.owner, claimed.snoozed_until) == ("claimed", "ada", None)
    resolved = await ops.resolve("1", "fixed it")
    assert (resolved.status, resolved.resolved_by, resolved.resolved_at) == ("resolved", "ada", world.clock.now())
    reopened = await ops.reopen("1")
    assert (reopened.status, reopened.owner, reopened.resolved_at) == ("open", None, None)
    history = await ops.history("1")
    assert [(event.type, event.actor) for event in reversed(history)] == [
        ("issue.opened", "scan"),
        ("issue.acknowledged", "ada"),
        ("issue.snoozed", "ada"),
        ("issue.claimed", "ada"),
        ("issue.resolved", "ada"),
        ("issue.reopened", "ada"),
    ]
    assert history[1].data["note"] == "fixed it"
    audit = await world.store.read(lambda tx: tx.audit.page())
    assert [(entry.verb, entry.object, entry.via) for entry in reversed(audit)] == [
        (f"issue.{verb}", "issue/1", "cli") for verb in ("acknowledge", "snooze", "claim", "resolve", "reopen")
    ]


async def test_saying_it_twice_changes_nothing(world: World) -> None:
    ops = world.ops(reporting(finding("a")))
    await ops.scan("incremental")
    for _ in range(2):
        await ops.acknowledge("1")
    world.clock.advance(1)
    first = await ops.resolve("1")
    world.clock.advance(1)
    assert await ops.resolve("1") == first
    assert len(await ops.history("1")) == 3


async def test_what_cannot_be_done(world: World) -> None:
    ops = world.ops(reporting(finding("a"), finding("b")))
    await ops.scan("incremental")
    with pytest.raises(NotFound, match="no issue '99'"):
        await ops.acknowledge("99")
    with pytest.raises(NotFound):
        await ops.get("x'; DROP TABLE ops_issues")
    with pytest.raises(NotFound):
        await ops.history("99")
    with pytest.raises(Refused, match="not in the future"):
        await ops.snooze("1", world.clock.now())
    await ops.claim("1")
    with pytest.raises(Conflict, match="claimed by ada"):
        await world.ops(actor="bob").claim("1")
    await ops.resolve("1")
    for change in (ops.acknowledge, ops.claim):
        with pytest.raises(Refused, match="issue 1 is resolved"):
            await change("1")
    assert await ops.count() == 2


async def test_a_scan_resolves_whatever_operators_had_said(world: World) -> None:
    stub = reporting(finding("a"), finding("b"), finding("c"))
    ops = world.ops(stub)
    await ops.scan("incremental")
    await ops.acknowledge("1")
    await ops.snooze("2", Millis(world.clock.now() + DAY * 1000))
    await ops.claim("3")
    await ops.scan("incremental")
    assert [issue.status for issue in sorted(await world.issues(), key=lambda one: one.id)] == [
        "acknowledged",
        "snoozed",
        "claimed",
    ]
    stub.found.clear()  # type: ignore[attr-defined]
    assert (await ops.scan("incremental")).resolved == 3
    assert await world.unresolved() == []


async def test_a_snooze_ends_with_its_time_or_when_it_becomes_worse(world: World) -> None:
    stub = reporting(finding("a"), finding("b"))
    ops = world.ops(stub)
    await ops.scan("incremental")
    for number in ("1", "2"):
        await ops.snooze(number, Millis(world.clock.now() + HOUR * 1000))
    stub.found[1] = finding("b", severity="high")  # type: ignore[attr-defined]
    world.clock.advance(60)
    await ops.scan("incremental")
    assert [(await ops.get(number)).status for number in ("1", "2")] == ["snoozed", "open"]
    assert (await ops.history("2"))[0].message == "became worse: Something is wrong"
    world.clock.advance(HOUR)
    await ops.scan("incremental")
    issue = await ops.get("1")
    assert (issue.status, issue.snoozed_until) == ("open", None)
    assert (await ops.history("1"))[0].message == "no longer snoozed: Something is wrong"


async def test_what_was_seen_before_it_was_resolved_does_not_bring_it_back(world: World) -> None:
    async def resolve_meanwhile() -> None:
        world.clock.advance(1)
        await ops.resolve("1")

    stub = reporting(finding("a"))
    ops = world.ops(stub)
    await ops.scan("incremental")
    plain = stub.do

    async def slow(ctx: object) -> object:
        found = await plain(ctx)  # type: ignore[arg-type]
        await resolve_meanwhile()
        return found

    stub.do = slow
    world.clock.advance(60)
    await ops.scan("incremental")
    assert (await ops.get("1")).status == "resolved"
    stub.do = plain
    world.clock.advance(60)
    await ops.scan("incremental")
    assert ((await ops.get("1")).status, (await ops.get("1")).regressions) == ("open", 1)


async def test_full_issues_are_left_alone_by_incremental_scans(world: World) -> None:
    deep, quick = reporting(finding("a"), id="deep", scope="full"), reporting(finding("b"), id="quick")
    ops = world.ops(deep, quick)
    await ops.scan("full")
    deep.found.clear()  # type: ignore[attr-defined]
    quick.found.clear()  # type: ignore[attr-defined]
    scan = await ops.scan("incremental")
    assert [row["detector"] for row in scan.detectors] == ["quick"]
    assert [issue.detector for issue in await world.unresolved()] == ["deep"]
    await ops.scan("full")
    assert await world.unresolved() == []


async def test_an_issue_stored_under_an_older_fingerprint_is_found_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ops = world.ops(reporting(finding("a"), finding("b")))
    await ops.scan("incremental")
    monkeypatch.setitem(fingerprint.ALGORITHMS, 2, lambda detector, key, _: f"{detector}{key}")
    await ops.scan("incremental")
    assert [issue.count for issue in await world.issues()] == [2, 2]


async def test_one_detector_has_only_so_many_issues_and_critical_ones_always(world: World) -> None:
    many = [finding(str(n), severity="low") for n in range(MAX_UNRESOLVED + 50)]
    stub = reporting(*many)
    ops = world.ops(stub)
    scan = await ops.scan("incremental")
    assert (scan.findings, scan.opened) == (MAX_UNRESOLVED + 50, MAX_UNRESOLVED)
    assert scan.detectors[0]["message"] == "50 more found; the issues that are open are enough"
    stub.found.append(finding("worst", severity="critical"))  # type: ignore[attr-defined]
    scan = await ops.scan("incremental")
    assert (scan.opened, scan.resolved) == (1, 0)
    del stub.found[:60]  # type: ignore[attr-defined]
    assert (await ops.scan("incremental")).resolved == 60
    assert (await ops.scan("incremental")).opened == 50


async def test_read_only_refuses_and_shows(world: World) -> None:
    await world.ops(reporting(finding("a"))).scan("incremental")
    async with await Store.open(world.store.folder, read_only=True) as store:
        world.store = store
        ops = world.ops()
        assert (await ops.page())[0].title == "Something is wrong"
        for change in (ops.scan("full"), ops.acknowledge("1"), ops.resolve("1"), ops.reopen("1")):
            with pytest.raises(Refused, match="read-only"):
                await change


@pytest.mark.parametrize("scope", ["", "Full", "nightly", "incremental "])
async def test_any_other_scope_is_a_usage_error_that_names_the_two(world: World, scope: str) -> None:
    with pytest.raises(Usage) as caught:
        await world.ops().scan(scope)
    assert (caught.value.exit_code, caught.value.code) == (2, "unknown-scope")
    assert caught.value.hint == "use incremental or full"
    assert await world.event_types() == []
    with pytest.raises(Usage, match="no trigger"):
        await world.ops().scan("full", trigger="whim")
