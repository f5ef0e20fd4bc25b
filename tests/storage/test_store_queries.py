"""Pages, counts, filters and orders, and what each repository does besides."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from store_helpers import SetClock

from storage.clock import Millis
from storage.errors import Usage
from storage.query import Query
from storage.records import DeliveryReport, Execution, Issue, Patch, PatchFile, Task
from storage.store import Store, Tx


def task(number: int, **fields: Any) -> Task:
    given = {"title": f"Task {number}", "status": "pending", "position": number, "source": "tasks.json", **fields}
    return Task(id=str(number), **given)


async def put_tasks(store: Store, *tasks: Task, source: str = "tasks.json") -> tuple[list[str], list[str], list[str]]:
    return await store.write(lambda tx: tx.tasks.replace_all(source, tasks))


async def ids(store: Store, repository: str, query: Query | None = None, *page: int) -> list[str]:
    def read(tx: Tx) -> list[str]:
        found = getattr(tx, repository).page(query or Query(), *page)
        assert page or getattr(tx, repository).count(query or Query()) == len(found)
        return [str(getattr(record, "id", None) or record.seq) for record in found]

    return await store.read(read)


async def test_tasks_are_in_the_order_of_rank(store: Store) -> None:
    subtask = dataclasses.replace(task(9), id="1.1", parent="1")
    await put_tasks(store, task(1, rank=5), task(2, rank=1), task(3, rank=1), subtask)
    assert await ids(store, "tasks") == ["2", "3", "1"]
    assert await ids(store, "tasks", Query(where={"parent": "1"})) == ["1.1"]
    assert await ids(store, "tasks", Query(order="-id")) == ["3", "2", "1"]
    assert await ids(store, "tasks", None, 1, 1) == ["3"]
    assert [t.id for t in await store.read(lambda tx: tx.tasks.subtasks("1"))] == ["1.1"]
    assert [t.id for t in await store.read(lambda tx: tx.tasks.all())] == ["1", "2", "3", "1.1"]


async def test_priority_and_severity_and_risk_order_by_weight(store: Store) -> None:
    await put_tasks(store, *(task(n, priority=p) for n, p in enumerate(("low", "high", "odd", "critical", "medium"))))
    assert await ids(store, "tasks", Query(order="priority")) == ["3", "1", "4", "0", "2"]

    def write(tx: Tx) -> None:
        for risk in ("low", "high", "medium"):
            tx.patches.insert(Patch(id=tx.patches.next_id(), title=risk, state="proposed", risk=risk))

    await store.write(write)
    assert await ids(store, "patches", Query(order="risk")) == ["2", "3", "1"]
    assert await ids(store, "patches", Query(order="-risk")) == ["1", "3", "2"]


async def test_the_mirror_is_made_equal_and_says_what_changed(store: Store) -> None:
    one, two, three = task(1), task(2), task(3)
    assert await put_tasks(store, one, two, three) == (["1", "2", "3"], [], [])
    assert await put_tasks(store, one, two, three) == ([], [], [])
    other = dataclasses.replace(task(4), source="")
    changed = dataclasses.replace(two, status="done", data={"status": "done"})
    assert await put_tasks(store, one, changed, other) == (["4"], ["2"], ["3"])
    moved = dataclasses.replace(one, state="blocked", rank=9)
    assert await put_tasks(store, moved, changed, other) == ([], [], []), "what is worked out is no change of the file"
    assert await store.read(lambda tx: tx.tasks.get("1")) == moved
    assert (await store.read(lambda tx: tx.tasks.all()))[-1].source == "tasks.json"


async def test_two_files_are_mirrored_side_by_side(store: Store) -> None:
    await put_tasks(store, task(1), task(2))
    assert await put_tasks(store, task(3), source="other.json") == (["3"], [], [])
    assert await put_tasks(store, task(2)) == ([], [], ["1"])
    assert [t.id for t in await store.read(lambda tx: tx.tasks.all())] == ["3", "2"]


async def test_states_are_set_and_found(store: Store) -> None:
    await put_tasks(store, task(1), task(2), task(3))
    states = {"1": ("blocked", ["2"], 4, True), "2": ("ready", [], 7, False), "3": ("ready", [], 0, False)}
    assert await store.write(lambda tx: tx.tasks.set_states({**states, "99": ("ready", [], 0, False)})) == ["1", "2"]
    assert await store.write(lambda tx: tx.tasks.set_states(states)) == []
    first = await store.read(lambda tx: tx.tasks.get("1"))
    assert first is not None
    assert (first.state, first.blocked_by, first.rank, first.critical) == ("blocked", ("2",), 4, True)
    assert await ids(store, "tasks", Query(where={"state": "ready"})) == ["3", "2"]
    assert await ids(store, "tasks", Query(text="BLOCKED")) == ["1"]
    assert await ids(store, "tasks", Query(where={"critical": "true"})) == ["1"]
    assert await store.read(lambda tx: tx.tasks.tally("state")) == {"blocked": 1, "ready": 2}


async def test_source_stamps(store: Store) -> None:
    assert await store.read(lambda tx: tx.tasks.source_stamp("a")) is None
    await store.write(lambda tx: (tx.tasks.set_source_stamp("a", "1"), tx.tasks.set_source_stamp("a", "2")))
    assert await store.read(lambda tx: tx.tasks.source_stamp("a")) == "2"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("100%", ["1"]),
        ("%", ["1"]),
        ("_", ["2"]),
        ("\\", ["3"]),
        ("STRASSE", ["4"]),
        ("straße", ["4"]),
        ("ÉTÉ", ["5"]),
        ("été", ["5"]),
        ("ada", ["2"]),
        ("nothing", []),
        ("", ["1", "2", "3", "4", "5"]),
    ],
)
async def test_a_filter_is_a_substring_whatever_its_case(store: Store, text: str, found: list[str]) -> None:
    titles = ("Get to 100%", "snake_case", "back\\slash", "Hauptstraße", "Été")
    tasks = [task(n, title=title, owner="Ada" if n == 2 else None) for n, title in enumerate(titles, start=1)]
    await put_tasks(store, *tasks)
    assert await ids(store, "tasks", Query(text=text)) == found


async def test_a_filter_does_not_match_across_columns(store: Store) -> None:
    await put_tasks(store, task(1, title="one", owner="two"))
    assert await ids(store, "tasks", Query(text="onepending")) == []


async def test_conditions(store: Store) -> None:
    await put_tasks(store, task(1, owner="ada"), task(2, owner="bo"), task(3), task(4, owner="ada", priority="high"))
    assert await ids(store, "tasks", Query(where={"owner": "ada"})) == ["1", "4"]
    assert await ids(store, "tasks", Query(where={"owner": ("ada", "bo")})) == ["1", "2", "4"]
    assert await ids(store, "tasks", Query(where={"owner": ""})) == ["3"]
    assert await ids(store, "tasks", Query(where={"owner": ("bo", "")})) == ["2", "3"]
    assert await ids(store, "tasks", Query(where={"owner": ()})) == []
    assert await ids(store, "tasks", Query(where={"owner": "ada", "priority": "high"}, text="task")) == ["4"]


@pytest.mark.parametrize(
    "query",
    [
        Query(where={"colour": "red"}),
        Query(order="colour"),
        Query(where={"data": "{}"}),
        Query(where={'id" = 1 --': "x"}),
        Query(order="-"),
        Query(order="search"),
        Query(text="x" * 100_000),
    ],
)
async def test_what_cannot_be_asked_is_wrong_usage(store: Store, query: Query) -> None:
    for method in ("page", "count") if query.order is None else ("page",):
        with pytest.raises(Usage) as caught:
            await store.read(lambda tx, method=method: getattr(tx.tasks, method)(query))
        assert caught.value.exit_code == 2
        assert caught.value.hint


async def test_patches_are_newest_first(store: Store, clock: SetClock) -> None:
    def write(tx: Tx) -> None:
        for number in range(1, 13):
            state = ("proposed", "approved", "applied", "conflicted")[number % 4]
            file = PatchFile(path=f"src/module{number}.py", op="modify")
            pending = "receipt" if number in {3, 5} else None
            tx.patches.insert(
                Patch(id=tx.patches.next_id(), title="P", state=state, files=(file,), pending_receipt=pending)
            )

    await store.write(write)
    assert await ids(store, "patches") == [str(n) for n in range(12, 0, -1)]
    assert await ids(store, "patches", None, 10, 5) == ["2", "1"]
    assert await ids(store, "patches", Query(where={"state": "applied"})) == ["10", "6", "2"]
    assert await ids(store, "patches", Query(where={"id": ("3", "x", "12")})) == ["12", "3"]
    assert await ids(store, "patches", Query(text="MODULE11")) == ["11"]
    assert [p.id for p in await store.read(lambda tx: tx.patches.pending())] == ["3", "5"]
    assert [p.id for p in await store.read(lambda tx: tx.patches.open())] == [
        "12",
        "11",
        "9",
        "8",
        "7",
        "5",
        "4",
        "3",
        "1",
    ]
    clock.advance(60)
    changed = await store.write(lambda tx: tx.patches.update("4", state="applied", title="Renamed"))
    assert (changed.state, changed.updated_at) == ("applied", clock.now())
    assert await store.read(lambda tx: tx.patches.get("4")) == changed
    assert await ids(store, "patches", Query(text="renamed")) == ["4"]
    assert (await ids(store, "patches", Query(order="-updated_at")))[0] == "4"


async def test_events_are_newest_first_and_cannot_be_changed(store: Store, clock: SetClock) -> None:
    def write(tx: Tx) -> None:
        for number in range(1, 6):
            tx.events.append(
                "patch.applied" if number % 2 else "patch.received",
                actor="ada",
                subject="patch",
                subject_id=str(number % 3),
                task="7" if number > 3 else None,
                message=f"Message {number}",
                data={"number": number},
            )

    await store.write(write)
    clock.advance(5)
    last = await store.write(lambda tx: tx.events.append("task.added", actor="bo", subject="task", subject_id="7"))
    assert (last.seq, last.at, last.data) == (6, clock.now(), {})
    assert await ids(store, "events") == ["6", "5", "4", "3", "2", "1"]
    assert await ids(store, "events", None, 4, 10) == ["2", "1"]
    assert await ids(store, "events", Query(where={"type": "patch.received"})) == ["4", "2"]
    assert await ids(store, "events", Query(text="message 3")) == ["3"]
    assert await ids(store, "events", Query(order="seq")) == ["1", "2", "3", "4", "5", "6"]
    assert [e.seq for e in await store.read(lambda tx: tx.events.since(4))] == [5, 6]
    assert [e.seq for e in await store.read(lambda tx: tx.events.for_subject("patch", "1", 5))] == [4, 1]
    assert await store.read(lambda tx: tx.events.last_at("task", "7")) == clock.now()
    assert await store.read(lambda tx: tx.events.last_at("task", "8")) is None
    assert await store.read(lambda tx: tx.events.latest_for_tasks()) == {"7": clock.now() - 5000}
    (fourth,) = await store.read(lambda tx: tx.events.page(offset=2, limit=1))
    assert (fourth.message, fourth.data, fourth.task) == ("Message 4", {"number": 4}, "7")
    for sql in ("UPDATE events SET actor = 'x'", "DELETE FROM events"):
        with pytest.raises(Exception, match="append-only"):
            await store.write(lambda tx, sql=sql: tx.execute(sql))


async def test_issues_are_in_the_order_of_need(store: Store) -> None:
    rows = [("low", "open", 9), ("critical", "resolved", 9), ("high", "acknowledged", 1), ("high", "open", 5)]
    rows += [("critical", "open", 1), ("odd", "open", 99)]

    def write(tx: Tx) -> None:
        for severity, status, seen in rows:
            number = tx.issues.next_id()
            tx.issues.insert(
                Issue(
                    id=number,
                    fingerprint=f"f{number}",
                    detector="d",
                    severity=severity,
                    status=status,
                    title="T",
                    last_seen=Millis(seen),
                )
            )

    await store.write(write)
    assert await ids(store, "issues") == ["5", "4", "3", "1", "6", "2"]
    assert [issue.id for issue in await store.read(lambda tx: tx.issues.unresolved())] == ["5", "4", "3", "1", "6"]
    await store.write(lambda tx: tx.issues.update("5", status="resolved"))
    assert (await ids(store, "issues"))[-2:] == ["2", "5"]
    await store.write(lambda tx: tx.issues.update("2", status="open"))
    assert (await ids(store, "issues"))[0] == "2"
    assert await ids(store, "issues", Query(order="-severity", where={"status": "open"})) == ["6", "1", "4", "2"]
    assert await store.read(lambda tx: tx.issues.tally("severity", Query(where={"status": "open"}))) == {
        "critical": 1,
        "high": 1,
        "low": 1,
        "odd": 1,
    }
    await store.write(lambda tx: tx.events.append("issue.opened", actor="scan", subject="issue", subject_id="5"))
    assert [event.type for event in await store.read(lambda tx: tx.issues.history("5"))] == ["issue.opened"]
    assert await store.read(lambda tx: tx.issues.by_fingerprint("none")) is None


async def test_a_due_time_is_claimed_once(store: Store, clock: SetClock) -> None:
    due = clock.now()

    def claim(holder: str, epoch: int) -> Any:
        return store.write(lambda tx: tx.scans.claim("full", due, holder, epoch))

    assert await claim("a", 1) is True
    assert await claim("a", 1) is False
    assert await claim("b", 1) is False
    assert await claim("b", 2) is True, "a newer leader takes over what was never finished"
    assert await claim("a", 1) is False
    await store.write(lambda tx: tx.scans.finish_run("full", due, "completed", "4", "fine"))
    assert await claim("c", 3) is False
    run = await store.read(lambda tx: tx.scans.last_run("full"))
    assert run is not None
    assert (run.state, run.holder, run.epoch, run.scan, run.message) == ("completed", "b", 2, "4", "fine")
    later = Millis(due + 1000)
    await store.write(lambda tx: tx.scans.finish_run("full", later, "missed"))
    await store.write(lambda tx: tx.scans.claim("incremental", due, "b", 2))
    runs = await store.read(lambda tx: tx.scans.runs(2))
    assert [(run.scope, run.state) for run in runs] == [("full", "missed"), ("full", "completed")]
    assert await store.read(lambda tx: tx.scans.last_run("other")) is None


async def test_scans_are_newest_first(store: Store) -> None:
    for scope in ("full", "incremental", "full"):
        await store.write(lambda tx, scope=scope: tx.scans.start(scope, "schedule"))
    assert await ids(store, "scans") == ["3", "2", "1"]
    assert await ids(store, "scans", Query(where={"scope": "full", "trigger": "schedule"})) == ["3", "1"]


async def test_executions_are_newest_first(store: Store) -> None:
    def write(tx: Tx) -> None:
        for state in ("queued", "running", "done", "running"):
            number = tx.executions.next_id()
            tx.executions.insert(Execution(id=number, provider="codex", state=state, task="12"))

    await store.write(write)
    assert await ids(store, "executions") == ["4", "3", "2", "1"]
    assert [e.id for e in await store.read(lambda tx: tx.executions.running())] == ["2", "4"]
    ended = await store.write(lambda tx: tx.executions.update("2", state="failed", exit_code=1, message="Boom"))
    assert await store.read(lambda tx: tx.executions.get("2")) == ended
    assert await ids(store, "executions", Query(text="boom")) == ["2"]
    assert await ids(store, "executions", Query(where={"state": ("queued", "failed")})) == ["2", "1"]


async def test_reports_are_newest_first(store: Store, clock: SetClock) -> None:
    for name in ("a", "b"):
        clock.advance(1)
        report = DeliveryReport(id=name, subject=f"task {name}", created_at=Millis(0))
        stored = await store.write(lambda tx, report=report: tx.reports.insert(report))
        assert stored.created_at == clock.now()
    assert await ids(store, "reports") == ["b", "a"]
    assert await ids(store, "reports", Query(text="TASK A")) == ["a"]


async def test_the_first_pages_and_counts_use_an_index(store: Store) -> None:
    """What is shown first must not look at every row."""
    plans = {
        "tasks": "SELECT id FROM tasks WHERE parent IS NULL ORDER BY rank, position, id LIMIT 100",
        "states": "SELECT count(*) FROM tasks WHERE parent IS NULL AND state = 'ready'",
        "patches": "SELECT id FROM patches WHERE state = 'proposed' ORDER BY id DESC LIMIT 100",
        "issues": "SELECT id FROM ops_issues ORDER BY resolved, severity_rank, last_seen DESC, id DESC LIMIT 100",
        "events": "SELECT seq FROM events WHERE type = 'x' ORDER BY seq DESC LIMIT 100",
        "subject": "SELECT seq FROM events WHERE subject = 'a' AND subject_id = 'b' ORDER BY seq DESC LIMIT 100",
        "pending": "SELECT id FROM patches WHERE pending_receipt IS NOT NULL ORDER BY id",
    }
    for name, sql in plans.items():
        details = " ".join(row[3] for row in await store.read(lambda tx, sql=sql: tx.rows("EXPLAIN QUERY PLAN " + sql)))
        assert "USING" in details, name
        assert "INDEX" in details, name
        assert "TEMP B-TREE" not in details, name
