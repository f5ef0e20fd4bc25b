"""Every record comes back from the store as it went in, whatever it holds."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_helpers import SetClock

from storage.clock import Millis
from storage.errors import NotFound
from storage.query import Query
from storage.records import (
    Assignment,
    DeliveryReport,
    Execution,
    Issue,
    Patch,
    PatchDecision,
    PatchFile,
    ProviderConfig,
    Task,
)
from storage.store import Store, Tx

NASTY = "[b]bold[/] \x1b[31mred\x00 tab\t ‮rtl é 漢 '\"%_\\ \r\n end"

TASK = Task(
    id="12.4",
    title=NASTY,
    status="in-progress",
    priority="high",
    dependencies=("1", "12.3"),
    state="blocked",
    blocked_by=("1",),
    parent="12",
    tag="master",
    source="tasks.json",
    owner="ada",
    phase="two",
    description="what\nit is",
    position=7,
    rank=3,
    subtasks_done=1,
    subtasks_total=2,
    critical=True,
    data={"z": 1, "a": [1, 2.5, None, {"deep": "\ud800"}], "id": 12},
)
PATCH = Patch(
    id="1",
    title=NASTY,
    state="proposed",
    version=2,
    task="12",
    provider="codex",
    execution="3",
    format="git",
    files=(
        PatchFile(path="src/a b.py", op="rename", from_="src/é\udcff.py", added=3, removed=1),
        PatchFile(path="b", op="delete"),
    ),
    added=3,
    removed=1,
    hunks=2,
    risk="high",
    base="abc",
    plan_hash="def",
    checks="ok",
    repairs=1,
    report=({"check": "size", "result": "ok", "message": "small"},),
    reason="why",
    submitted_by="ada",
    decided_by="bo",
    receipt="r1",
    pending_receipt="r2",
    created_at=Millis(5),
    updated_at=Millis(6),
    applied_at=Millis(7),
)
ISSUE = Issue(
    id="1",
    fingerprint="f",
    detector="stale",
    severity="high",
    status="snoozed",
    title=NASTY,
    message="m",
    count=3,
    first_seen=Millis(1),
    last_seen=Millis(2),
    scope="full",
    subject="patch",
    subject_id="1",
    owner="ada",
    snoozed_until=Millis(9),
    resolved_at=Millis(3),
    resolved_by="scan",
    regressions=1,
    cause="2",
    data={"k": [1]},
)
EXECUTION = Execution(
    id="1",
    provider="codex",
    state="running",
    task="12",
    started_at=Millis(1),
    ended_at=Millis(2),
    tokens=3,
    cost_micros=4,
    patch="5",
    base="b",
    pid=6,
    exit_code=7,
    log="logs/1",
    message=NASTY,
)


async def test_tasks_come_back(store: Store) -> None:
    await store.write(lambda tx: tx.tasks.replace_all("tasks.json", [TASK]))
    found = await store.read(lambda tx: tx.tasks.get("12.4"))
    assert found == TASK
    assert found is not None
    assert list(found.data) == ["z", "a", "id"], "keys keep their order"


async def test_patches_come_back(store: Store) -> None:
    await store.write(lambda tx: tx.patches.insert(PATCH))
    assert await store.read(lambda tx: tx.patches.get("1")) == PATCH
    smallest = Patch(id="2", title="", state="proposed", created_at=Millis(1), updated_at=Millis(2))
    await store.write(lambda tx: tx.patches.insert(smallest))
    assert await store.read(lambda tx: tx.patches.get("2")) == smallest


async def test_issues_executions_and_reports_come_back(store: Store) -> None:
    report = DeliveryReport(id="r-1", subject="12", created_at=Millis(4), state="created", data={"x": {"y": []}})
    await store.write(lambda tx: (tx.issues.insert(ISSUE), tx.executions.insert(EXECUTION), tx.reports.insert(report)))
    assert await store.read(lambda tx: tx.issues.get("1")) == ISSUE
    assert await store.read(lambda tx: tx.issues.by_fingerprint("f")) == ISSUE
    assert await store.read(lambda tx: tx.executions.get("1")) == EXECUTION
    assert await store.read(lambda tx: tx.reports.get("r-1")) == report


async def test_providers_come_back(store: Store, clock: SetClock) -> None:
    config = ProviderConfig(name="codex", enabled=False, data={"command": ["codex", "exec"]})
    given_ = Assignment(task="12", provider="codex", reason="fits", by="rule")

    def write(tx: Tx) -> Assignment:
        tx.providers.put_config(ProviderConfig(name="codex"))
        tx.providers.put_config(config)
        tx.providers.assign(Assignment(task="12", provider="other", reason="", by="ada", at=Millis(1)))
        tx.providers.record_probe("codex", {"version": "1"})
        tx.providers.record_probe("codex", {"version": "2"})
        return tx.providers.assign(given_)

    stored = await store.write(write)
    assert stored == dataclasses.replace(given_, at=clock.now())
    assert await store.read(lambda tx: tx.providers.configs()) == [config]
    assert await store.read(lambda tx: tx.providers.assignment("12")) == stored
    assert await store.read(lambda tx: tx.providers.assignments()) == [stored]
    assert await store.read(lambda tx: tx.providers.probes()) == {"codex": {"version": "2"}}
    await store.write(lambda tx: tx.providers.unassign("12"))
    assert await store.read(lambda tx: tx.providers.assignment("12")) is None


async def test_what_is_said_about_a_patch_comes_back(store: Store, clock: SetClock) -> None:
    odd = "src/\udcff [b].py"
    decision = PatchDecision(patch="1", hunk=2, decision="rejected", by="ada", at=clock.now(), reason=NASTY)

    def write(tx: Tx) -> None:
        tx.patches.insert(PATCH)
        tx.patches.add_version("1", 1, "git", b"\x00\xffone")
        tx.patches.add_version("1", 2, "unified", b"two")
        tx.patches.set_decision(dataclasses.replace(decision, decision="accepted", reason=None))
        tx.patches.set_decision(decision)
        tx.patches.set_decision(PatchDecision(patch="1", hunk=1, decision="accepted", by="bo", at=clock.now()))
        tx.patches.set_seen("1", odd, "d1")
        tx.patches.set_seen("1", odd, "d2")
        tx.patches.set_seen("1", "other", "d3")
        tx.patches.set_seen("1", "other", None)
        tx.patches.add_comment(patch="1", path=odd, line=4, text=NASTY, by="ada")
        tx.patches.add_comment(patch="1", path=None, line=None, text="whole", by="bo")

    await store.write(write)

    def read(tx: Tx) -> None:
        assert tx.patches.text("1") == b"two"
        assert tx.patches.text("1", 1) == b"\x00\xffone"
        assert [(one.version, one.format) for one in tx.patches.versions("1")] == [(1, "git"), (2, "unified")]
        assert [d.hunk for d in tx.patches.decisions("1")] == [1, 2]
        assert tx.patches.decisions("1")[1] == decision
        assert tx.patches.seen("1") == {odd}
        assert tx.patches.seen_digests("1") == {odd: "d2"}
        first, second = tx.patches.comments("1")
        assert (first.id, first.path, first.line, first.text) == ("1", odd, 4, NASTY)
        assert (second.id, second.path, second.line, second.by) == ("2", None, None, "bo")
        with pytest.raises(NotFound, match="no version 3"):
            tx.patches.text("1", 3)

    await store.read(read)
    await store.write(lambda tx: tx.patches.clear_decision("1", 2))
    assert [d.hunk for d in await store.read(lambda tx: tx.patches.decisions("1"))] == [1]


async def test_review_actions_are_a_stack_for_each_operator(store: Store) -> None:
    def write(tx: Tx) -> None:
        tx.patches.insert(PATCH)
        for by, kind in (("ada", "decide"), ("bo", "see"), ("ada", "comment")):
            tx.actions.push(patch="1", by=by, kind=kind, data={"n": kind})

    await store.write(write)

    def stacks(tx: Tx) -> tuple[str | None, str | None]:
        undo, redo = tx.actions.to_undo("1", "ada"), tx.actions.to_redo("1", "ada")
        return undo.kind if undo else None, redo.kind if redo else None

    assert await store.read(stacks) == ("comment", None)
    await store.write(lambda tx: tx.actions.mark("3", undone=True))
    assert await store.read(stacks) == ("decide", "comment")
    await store.write(lambda tx: tx.actions.mark("1", undone=True))
    assert await store.read(stacks) == (None, "decide")
    await store.write(lambda tx: tx.actions.mark("1", undone=False))
    await store.write(lambda tx: tx.actions.push(patch="1", by="ada", kind="approve", data={}))
    assert await store.read(stacks) == ("approve", None)
    await store.write(lambda tx: tx.actions.clear("1"))
    assert await store.read(stacks) == (None, None)


async def test_comments_can_be_taken_away_and_put_back(store: Store, clock: SetClock) -> None:
    await store.write(lambda tx: tx.patches.insert(PATCH))
    left = await store.write(
        lambda tx: tx.patches.add_comment(
            patch="1", path="a.py", line=None, text="why?", by="ada", hunk=2, version=3, quote="+x = 1"
        )
    )
    settled = dataclasses.replace(left, resolved_by="bo", resolved_at=clock.now())
    await store.write(lambda tx: tx.patches.put_comment(settled))
    assert await store.read(lambda tx: tx.patches.comments("1")) == [settled]
    await store.write(lambda tx: tx.patches.remove_comment(left.id))
    assert await store.read(lambda tx: tx.patches.comment(left.id)) is None
    await store.write(lambda tx: tx.patches.put_comment(settled))
    assert await store.read(lambda tx: tx.patches.comment(left.id)) == settled


async def test_scans_come_back(store: Store, clock: SetClock) -> None:
    scan = await store.write(lambda tx: tx.scans.start("full", "operator"))
    assert (scan.id, scan.state, scan.started_at) == ("1", "running", clock.now())
    clock.advance(2)
    detectors = ({"detector": "stale", "result": "completed", "findings": 1, "millis": 3},)
    ended = await store.write(lambda tx: tx.scans.finish("1", findings=1, opened=1, detectors=detectors))
    assert ended == dataclasses.replace(
        scan, state="completed", ended_at=clock.now(), findings=1, opened=1, detectors=detectors
    )
    assert await store.read(lambda tx: tx.scans.get("1")) == ended
    assert await store.read(lambda tx: tx.scans.last("full")) == ended
    assert await store.read(lambda tx: tx.scans.last("incremental")) is None


async def test_settings_and_answers_come_back(store: Store) -> None:
    def write(tx: Tx) -> None:
        tx.settings.put("pane", {"zoomed": True, "text": "\ud800"})
        tx.idempotency.put("k", "patch.submit", {"patch": {"id": "1"}})
        tx.idempotency.put("k", "patch.submit", {"patch": {"id": "2"}})

    await store.write(write)
    assert await store.read(lambda tx: tx.settings.get("pane")) == {"zoomed": True, "text": "\ud800"}
    assert await store.read(lambda tx: tx.settings.get("none")) is None
    assert await store.read(lambda tx: tx.idempotency.get("k")) == ("patch.submit", {"patch": {"id": "1"}})
    assert await store.read(lambda tx: tx.idempotency.get("none")) is None


async def test_unknown_things_are_not_found(store: Store) -> None:
    for odd in ("7", "x", "-1", "01", "", "9" * 40, "١", "\ud800"):
        assert await store.read(lambda tx, odd=odd: tx.patches.get(odd)) is None
        assert await store.read(lambda tx, odd=odd: tx.issues.get(odd)) is None
        assert await store.read(lambda tx, odd=odd: tx.tasks.get(odd)) is None
    for change in (
        lambda tx: tx.patches.update("7", state="applied"),
        lambda tx: tx.patches.add_version("7", 1, "git", b""),
        lambda tx: tx.patches.add_comment(patch="7", path=None, line=None, text="", by="ada"),
        lambda tx: tx.issues.update("7", status="resolved"),
        lambda tx: tx.executions.update("7", state="done"),
        lambda tx: tx.scans.finish("7"),
        lambda tx: tx.patches.text("7"),
    ):
        with pytest.raises(NotFound, match="7"):
            await store.write(change)


async def test_text_that_utf8_cannot_hold_is_stored_with_a_mark(store: Store) -> None:
    title = "half \ud83d, whole \ud83d\ude00"
    await store.write(lambda tx: tx.patches.insert(dataclasses.replace(PATCH, title=title)))
    (found,) = await store.read(lambda tx: tx.patches.page(Query(text="half")))
    assert found.title == "half \ufffd, whole 😀"


async def test_numbers_are_given_once(store: Store) -> None:
    def write(tx: Tx) -> list[str]:
        first, second = tx.patches.next_id(), tx.patches.next_id()
        tx.patches.insert(dataclasses.replace(PATCH, id="40"))
        return [first, second, tx.patches.next_id(), tx.patches.next_id(), tx.issues.next_id(), tx.executions.next_id()]

    assert await store.write(write) == ["1", "2", "41", "42", "1", "1"]

    def fail(tx: Tx) -> None:
        assert tx.patches.next_id() == "43"
        raise KeyError("undone")

    with pytest.raises(KeyError):
        await store.write(fail)
    assert await store.write(lambda tx: tx.patches.next_id()) == "43"


TEXT = st.text(st.characters(exclude_categories=()), max_size=40)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    data=st.recursive(
        st.none() | st.booleans() | st.integers() | TEXT, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner)
    ),
    path=TEXT,
)
async def test_any_json_and_any_path_comes_back(store: Store, data: object, path: str) -> None:
    task = dataclasses.replace(TASK, data={"any": data})
    patch = dataclasses.replace(PATCH, id="1", files=(PatchFile(path=path, op="create"),))

    def write(tx: Tx) -> None:
        tx.tasks.replace_all("tasks.json", [task])
        if tx.patches.get("1") is None:
            tx.patches.insert(patch)
        tx.patches.update("1", files=patch.files)
        tx.patches.set_seen("1", path, "digest")

    await store.write(write)
    assert await store.read(lambda tx: tx.tasks.get("12.4")) == task
    found = await store.read(lambda tx: tx.patches.get("1"))
    assert found is not None
    assert found.files == patch.files
    assert path in await store.read(lambda tx: tx.patches.seen("1"))
