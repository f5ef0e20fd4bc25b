"""Ready, blocked, critical path and circles, also at ten thousand tasks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tasks_helpers import REAL_FILE, checked, states, task

from storage.records import Task
from vibehq_tui.tasks.document import parse
from vibehq_tui.tasks.graph import (
    build_graph,
    circles,
    mirrored_graph,
    rank,
    state_with_patches,
    state_without_patches,
)
from vibehq_tui.tasks.validate import check
from vibehq_tui.tasks.words import STATES, STATUSES


def record(number: int, *depends: int, status: str = "pending", priority: str = "medium") -> Task:
    """A task of a graph."""
    wanted = tuple(dict.fromkeys(map(str, depends)))
    return Task(id=str(number), title="t", status=status, priority=priority, dependencies=wanted, position=number)


def test_every_status_has_its_state() -> None:
    tasks = [task(number, status=status) for number, status in enumerate(STATUSES)]
    assert list(states(checked({"tasks": tasks})).values()) == [
        "ready", "in-progress", "waiting", "blocked", "done", "done", "deferred", "cancelled",
    ]  # fmt: skip


def test_what_a_dependency_has_to_be_for_a_task_to_be_ready() -> None:
    for status in STATUSES:
        found = checked({"tasks": [task(1, status=status), task(2, 1)]})
        ready = status in ("done", "completed")
        assert states(found)["2"] == ("ready" if ready else "blocked"), status
        assert found.tasks[1].blocked_by == (() if ready else ("1",))


def test_a_task_under_way_stays_so_whatever_it_waits_for() -> None:
    found = checked({"tasks": [task(1), task(2, 1, status="in-progress"), task(3, 1, status="deferred")]})
    assert states(found) == {"1": "ready", "2": "in-progress", "3": "deferred"}
    assert found.tasks[1].blocked_by == ("1",)


def test_those_that_unblock_most_come_first_then_priority_then_the_file() -> None:
    found = checked(
        {
            "tasks": [
                task(1, priority="low"),
                task(2, priority="critical"),
                task(3),
                task(4, 3),
                task(5, 4),
                task(6, priority="critical"),
                task(7, 1),
                task(8, status="done"),
                task(9, status="in-progress"),
            ]
        }
    )
    order = sorted(found.tasks, key=lambda one: one.rank)
    assert [one.id for one in order] == ["3", "1", "2", "6", "9", "4", "5", "7", "8"]
    assert found.graph.unblocks == {"3": 2, "4": 1, "1": 1}
    assert found.graph.critical_path == ("3", "4", "5")
    assert [one.id for one in found.tasks if one.critical] == ["3", "4", "5"]
    assert found.graph.order == ("3", "4", "1", "2", "6", "5", "7", "9", "8")


def test_the_real_file() -> None:
    graph = check(parse(REAL_FILE.read_bytes(), "t")).graph
    assert graph.critical_path == ("1", "2", "3", "5", "6", "8", "9", "10", "11", "27")
    assert graph.cycles == (("24", "38", "30"),)
    assert graph.cyclic == {"24", "29", "30", "38"}
    assert graph.dependents["22"] == ("23", "24", "25", "27", "29", "30")
    assert graph.missing == {}
    assert [key for key, one in graph.standings.items() if one.state == "ready" and "." not in key] == ["1"]


def test_a_circle_is_shown_and_holds_up_only_who_waits_for_it() -> None:
    found = checked(
        {
            "tasks": [
                task(1, 3),
                task(2, 1),
                task(3, 2),
                task(4, 3),
                task(5),
                task(6, 6),
                task(7, 8),
                task(8, 7, 9),
                task(9, 8),
            ]
        }
    )
    assert found.graph.cycles == (("1", "3", "2"), ("6",), ("7", "8"))
    assert found.graph.cyclic == {"1", "2", "3", "6", "7", "8", "9"}
    assert states(found) == dict.fromkeys("1236789", "broken") | {"4": "blocked", "5": "ready"}
    assert sorted(found.graph.order) == [str(number) for number in range(1, 10)]
    assert found.graph.order[0] == "5"
    assert found.graph.order.index("3") < found.graph.order.index("4")


def test_a_circle_through_a_task_that_is_done_holds_nobody_up() -> None:
    found = checked({"tasks": [task(1, 2), task(2, 1, status="done")]})
    assert found.graph.cycles == (("1", "2"),)
    assert states(found) == {"1": "ready", "2": "done"}


def test_no_critical_path_without_dependencies() -> None:
    assert checked({"tasks": [task(1), task(2)]}).graph.critical_path == ()
    assert checked({"tasks": [task(1), task(2, status="done")]}).graph.critical_path == ("1",)
    assert checked({"tasks": []}).graph.critical_path == ()


def test_a_chain_of_ten_thousand() -> None:
    found = checked({"tasks": [task(number, *([number - 1] if number else [])) for number in range(10_000)]})
    assert len(found.graph.critical_path) == 10_000
    assert found.graph.unblocks["0"] == 9_999
    assert found.graph.order == tuple(map(str, range(10_000)))
    assert found.tasks[0].state == "ready"
    assert found.tasks[-1].state == "blocked"


def test_a_circle_of_ten_thousand() -> None:
    found = checked({"tasks": [task(number, (number + 1) % 10_000) for number in range(10_000)]})
    assert {one.state for one in found.tasks} == {"broken"}
    (circle,) = found.graph.cycles
    assert len(circle) == 10_000


def test_above_a_number_only_direct_dependents_count() -> None:
    tasks = [record(number, *([number - 1] if number else [])) for number in range(13_000)]
    graph = build_graph(tasks)
    assert graph.unblocks["0"] == 1
    assert len(graph.critical_path) == 13_000


graphs = st.integers(1, 9).flatmap(
    lambda size: st.lists(
        st.tuples(
            st.lists(st.integers(0, size), max_size=4),
            st.sampled_from(["pending", "pending", "done", "in-progress", "cancelled"]),
            st.sampled_from(["low", "high"]),
        ),
        min_size=size,
        max_size=size,
    )
)


@given(graphs)
def test_the_graph_is_what_a_simple_search_finds(made: list[tuple[list[int], str, str]]) -> None:
    tasks = [record(n, *depends, status=status, priority=pri) for n, (depends, status, pri) in enumerate(made)]
    graph = build_graph(tasks)
    by_id = {one.id: one for one in tasks}
    open_ = {key for key, one in by_id.items() if one.status not in ("done", "cancelled")}

    def reach(start: str, among: set[str]) -> set[str]:
        seen: set[str] = set()
        waiting = [one for one in by_id[start].dependencies if one in among]
        while waiting:
            one = waiting.pop()
            if one not in seen:
                seen.add(one)
                waiting += [other for other in by_id[one].dependencies if other in among]
        return seen

    assert graph.cyclic == {key for key in by_id if key in reach(key, set(by_id))}
    stuck = {key for key in open_ if key in reach(key, open_)}
    for key in open_:
        depends = by_id[key].dependencies
        unmet = tuple(one for one in depends if one not in by_id or by_id[one].status != "done")
        standing = graph.standings[key]
        assert standing.blocked_by == unmet
        bad = key in stuck or any(one not in by_id for one in depends)
        pending = "blocked" if unmet else "ready"
        assert standing.state == ("broken" if bad else pending if by_id[key].status == "pending" else "in-progress")
        if not stuck:
            assert graph.unblocks.get(key, 0) == sum(key in reach(other, open_) for other in open_)
    place = {key: number for number, key in enumerate(graph.order)}
    assert set(place) == set(by_id)
    for key in open_ - stuck:
        assert all(place[one] < place[key] for one in by_id[key].dependencies if one in open_)

    def longest(key: str) -> int:
        return 1 + max((longest(one) for one in by_id[key].dependencies if one in open_ - stuck), default=0)

    best = max((longest(key) for key in open_ - stuck), default=0)
    if len(open_ - stuck) > 1 and best > 1:
        assert len(graph.critical_path) == best
    for before, after in zip(graph.critical_path, graph.critical_path[1:], strict=False):
        assert before in by_id[after].dependencies
    for circle in graph.cycles:
        for one, following in zip(circle, (*circle[1:], circle[0]), strict=True):
            assert following in by_id[one].dependencies


def test_circles_pass_over_what_is_no_node() -> None:
    assert circles({"a": ["b", "nowhere"], "b": ["a"], "c": []}) == [["a", "b"]]


def test_the_mirror_gives_the_same_graph() -> None:
    found = checked({"tasks": [task(1, status="odd"), task(2, 1), task(3, 2, subtasks=[task(1), task(2, 1)])]})
    assert mirrored_graph(reversed(found.tasks)) == found.graph


def test_open_patches_make_a_task_wait() -> None:
    assert [state_with_patches(state, True) for state in STATES] == [
        "waiting", "waiting", "waiting", "broken", "waiting", "deferred", "done", "cancelled",
    ]  # fmt: skip
    assert [state_with_patches(state, False) for state in STATES] == list(STATES)
    for status, blocked_by, state in [
        ("pending", (), "ready"),
        ("pending", ("1",), "blocked"),
        ("in-progress", ("1",), "in-progress"),
        ("review", (), "waiting"),
    ]:
        waiting = Task(id="9", title="t", status=status, state="waiting", blocked_by=blocked_by)
        assert state_without_patches(waiting) == state


def test_ranks_keep_states_apart() -> None:
    assert rank("ready", 999_999) < rank("in-progress", 0)
    assert rank("ready", 5_000_000) < rank("in-progress", 0)
