"""How tasks depend on each other: what is ready, what blocks what, the critical path, and what goes in circles.

Nothing here recurses: a chain of ten thousand tasks is as good as a short one.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from storage.records import Task
from vibehq_tui.tasks.words import CLOSED, PRIORITY_ORDER, SATISFIED, STATE_OF_STATUS, STATES, STATUSES

RANK_STEP: Final = 1_000_000
"""Ranks of one state lie in one band of this width, so that a task can change its state without moving the others."""

_MOST_UNBLOCKED: Final = RANK_STEP // len(PRIORITY_ORDER) - 1

_EXACT_COUNT: Final = 12_000
"""Open tasks up to which everything that a task unblocks is counted; above, only what waits for it directly."""


class GraphTask(Protocol):
    """What the graph needs to know of a task; the record ``Task`` is one."""

    @property
    def id(self) -> str:
        """The id in the workspace."""
        ...

    @property
    def status(self) -> str:
        """The word of the file."""
        ...

    @property
    def priority(self) -> str:
        """The word of the file."""
        ...

    @property
    def dependencies(self) -> Sequence[str]:
        """Ids in the workspace, each once."""
        ...

    @property
    def parent(self) -> str | None:
        """The task that this is a subtask of."""
        ...

    @property
    def position(self) -> int:
        """The order in the file."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a task stands, patches left aside."""

    state: str
    blocked_by: tuple[str, ...] = ()
    """Dependencies that are not done: open, cancelled, missing or in a circle; in the order of the file."""
    merit: int = 0
    """Small for a task that unblocks much, then for an urgent one; equal ones are in the order of the file."""
    critical: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskGraph:
    """The graph of all tasks of the workspace."""

    order: tuple[str, ...] = ()
    """Every top-level task: the open ones so that each comes after what it depends on, and among those the most useful
    first; then those in a circle; then the closed ones in the order of the file."""
    critical_path: tuple[str, ...] = ()
    """The longest chain of open top-level tasks, the first to do first."""
    cycles: tuple[tuple[str, ...], ...] = ()
    """For each group of tasks that wait for each other one shortest circle; ``("1", "2")`` means 1 → 2 → 1."""
    cyclic: frozenset[str] = frozenset()
    """Every task of those groups."""
    missing: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Task → the ids it depends on that no task has."""
    dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Task → what it depends on and exists."""
    dependents: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Task → who depends on it, in the order of the file."""
    unblocks: Mapping[str, int] = field(default_factory=dict)
    """Open task → how many open tasks wait for it, directly or through others."""
    standings: Mapping[str, Standing] = field(default_factory=dict)


def build_graph(tasks: Sequence[GraphTask], broken: Collection[str] = ()) -> TaskGraph:
    """The graph of tasks and subtasks, given in the order of the file.

    :param broken: ids that are broken for a reason that the graph cannot see, such as a status that means nothing.
    """
    known = {task.id: task for task in tasks}
    dependencies = {key: tuple([one for one in task.dependencies if one in known]) for key, task in known.items()}
    missing = {
        key: tuple(one for one in task.dependencies if one not in known)
        for key, task in known.items()
        if len(dependencies[key]) < len(task.dependencies)
    }
    dependents: dict[str, list[str]] = {}
    for key, wanted in dependencies.items():
        for one in wanted:
            dependents.setdefault(one, []).append(key)

    left = _not_peeled(dependencies, dependents)
    groups = circles({key: dependencies[key] for key in known if key in left})
    still_open = {key: _open_dependencies(key, dependencies, known) for key, task in known.items() if _is_open(task)}
    stuck = {key for group in circles({key: still_open[key] for key in still_open if key in left}) for key in group}
    top = {
        key: tuple(one for one in wanted if known[one].parent is None)
        for key, wanted in still_open.items()
        if known[key].parent is None
    }
    unblocks = _count_directly(still_open) | _count_unblocked(top, stuck)
    useful = sorted(known.values(), key=lambda task: (_merit(task, unblocks), task.position))
    place = {task.id: number for number, task in enumerate(useful)}
    workable = _sorted_by_dependency(top, stuck, place)
    path = _longest_chain(workable, top, stuck, place)
    on_path = frozenset(path)
    bad = stuck | set(missing) | set(broken) | {task.id for task in known.values() if task.status not in STATUSES}
    standings = {
        key: _standing(task, known, key in bad, _merit(task, unblocks), key in on_path) for key, task in known.items()
    }
    return TaskGraph(
        order=(*workable, *(key for key, task in known.items() if task.parent is None and not _is_open(task))),
        critical_path=path,
        cycles=tuple(_shortest_circle(group, dependencies) for group in groups),
        cyclic=frozenset(key for group in groups for key in group),
        missing=missing,
        dependencies=dependencies,
        dependents={key: tuple(found) for key, found in dependents.items()},
        unblocks=unblocks,
        standings=standings,
    )


def rank(state: str, merit: int) -> int:
    """The place of a task on the screen, equal ranks in the order of the file: ready first, then by usefulness.

    It depends on the task's own merit alone, so that a task that is done moves only those that it waited for.
    """
    return STATES.index(state) * RANK_STEP + min(merit, RANK_STEP - 1)


def state_with_patches(state: str, has_open_patch: bool) -> str:
    """A task whose patch waits for an operator is itself waiting, unless it is closed, deferred or broken."""
    return "waiting" if has_open_patch and state in ("ready", "blocked", "in-progress") else state


def state_without_patches(task: Task) -> str:
    """The state of a mirrored task from its own fields, as if no patch were open."""
    if task.state != "waiting":
        return task.state
    return _state(task.status, bool(task.blocked_by))


def _is_open(task: GraphTask) -> bool:
    return task.status not in CLOSED


def _open_dependencies(
    key: str, dependencies: Mapping[str, tuple[str, ...]], known: Mapping[str, GraphTask]
) -> tuple[str, ...]:
    return tuple([one for one in dependencies[key] if known[one].status not in CLOSED])


def _merit(task: GraphTask, unblocks: Mapping[str, int]) -> int:
    urgency = PRIORITY_ORDER.get(task.priority, PRIORITY_ORDER["medium"])
    return (_MOST_UNBLOCKED - min(unblocks.get(task.id, 0), _MOST_UNBLOCKED)) * len(PRIORITY_ORDER) + urgency


def _state(status: str, blocked: bool) -> str:
    return STATE_OF_STATUS.get(status) or ("blocked" if blocked else "ready")


def _standing(task: GraphTask, known: Mapping[str, GraphTask], bad: bool, merit: int, critical: bool) -> Standing:
    if not _is_open(task):
        return Standing(state=_state(task.status, False), merit=merit)
    blocked_by = tuple([one for one in task.dependencies if one not in known or known[one].status not in SATISFIED])
    state = "broken" if bad else _state(task.status, bool(blocked_by))
    return Standing(state=state, blocked_by=blocked_by, merit=merit, critical=critical)


def _not_peeled(edges: Mapping[str, Sequence[str]], back: Mapping[str, Sequence[str]]) -> set[str]:
    """The nodes that are left when those that lead nowhere are taken away, again and again.

    Every circle is among them; mostly there is none, and then this was all the work.

    :param back: node → who leads to it.
    """
    count = {node: len(targets) for node, targets in edges.items()}
    free = [node for node, targets in edges.items() if not targets]
    while free:
        node = free.pop()
        del count[node]
        for other in back.get(node, ()):
            count[other] -= 1
            if not count[other]:
                free.append(other)
    return set(count)


def circles(edges: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """The groups of nodes that can all reach each other, and nodes that lead to themselves (Tarjan, iterative).

    :param edges: node → where it leads; targets that are no node are passed over.
    :returns: each group in the order of ``edges``, groups in the order of their first node.
    """
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    on_stack: set[str] = set()
    stack: list[str] = []
    found: list[list[str]] = []
    for root in edges:
        if root in index:
            continue
        work = [(root, iter(edges[root]))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            node, targets = work[-1]
            for target in targets:
                if target not in edges:
                    continue
                if target not in index:
                    index[target] = low[target] = len(index)
                    stack.append(target)
                    on_stack.add(target)
                    work.append((target, iter(edges[target])))
                    break
                if target in on_stack:
                    low[node] = min(low[node], index[target])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    group = [stack.pop()]
                    while group[-1] != node:
                        group.append(stack.pop())
                    on_stack.difference_update(group)
                    if len(group) > 1 or node in edges[node]:
                        found.append(group)
    order = {node: number for number, node in enumerate(edges)}
    ordered = [sorted(group, key=order.__getitem__) for group in found]
    return sorted(ordered, key=lambda group: order[group[0]])


def _sorted_by_dependency(
    edges: Mapping[str, Sequence[str]], stuck: Collection[str], place: Mapping[str, int]
) -> list[str]:
    """The nodes so that each comes after what it leads to, the best placed first where there is a choice.

    Those in a circle come when nothing else is left, and then what waits for them.
    """
    waits_for = {node: len(targets) for node, targets in edges.items()}
    freed_by: dict[str, list[str]] = {}
    for node, targets in edges.items():
        for target in targets:
            freed_by.setdefault(target, []).append(node)
    ready = [(place[node], node) for node, count in waits_for.items() if count == 0]
    heapq.heapify(ready)
    held = deque(sorted((place[node], node) for node in stuck if node in edges))
    done: list[str] = []
    seen: set[str] = set()
    while ready or held:
        node = heapq.heappop(ready)[1] if ready else held.popleft()[1]
        if node in seen:
            continue
        seen.add(node)
        done.append(node)
        for other in freed_by.get(node, ()):
            waits_for[other] -= 1
            if waits_for[other] == 0 and other not in seen:
                heapq.heappush(ready, (place[other], other))
    return done


def _count_directly(edges: Mapping[str, Sequence[str]]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for targets in edges.values():
        for target in targets:
            counts[target] = counts.get(target, 0) + 1
    return counts


def _count_unblocked(edges: Mapping[str, Sequence[str]], stuck: Collection[str]) -> dict[str, int]:
    """Node → how many nodes wait for it, directly or through others.

    The sets are bits of one integer for each node, a few kilobytes each; above :data:`_EXACT_COUNT` nodes that would
    take too much memory and only direct ones are counted.
    """
    if len(edges) > _EXACT_COUNT:
        return _count_directly(edges)
    order = _sorted_by_dependency(edges, stuck, dict.fromkeys(edges, 0))
    bit = {node: 1 << number for number, node in enumerate(reversed(order))}
    waiting = dict.fromkeys(order, 0)
    for node in reversed(order):
        below = waiting[node] | bit[node]
        for target in edges[node]:
            if node not in stuck or target not in stuck:
                waiting[target] |= below
    return {node: found.bit_count() for node, found in waiting.items() if found}


def _longest_chain(
    order: Sequence[str], edges: Mapping[str, Sequence[str]], stuck: Collection[str], place: Mapping[str, int]
) -> tuple[str, ...]:
    """The longest chain outside of circles, beginning with what is to be done first.

    None where no open task waits for another.
    """
    length: dict[str, int] = {}
    before: dict[str, str] = {}
    for node in order:
        if node in stuck:
            continue
        reached = [target for target in edges[node] if target in length]
        length[node] = 1
        if reached:
            before[node] = min(reached, key=lambda one: (-length[one], place[one]))
            length[node] = 1 + length[before[node]]
    if max(length.values(), default=0) < min(2, len(length)) or not length:
        return ()
    node = min(length, key=lambda one: (-length[one], place[one]))
    chain = [node]
    while chain[-1] in before:
        chain.append(before[chain[-1]])
    return tuple(reversed(chain))


def _shortest_circle(group: Sequence[str], edges: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """A shortest way from the first of a group back to itself, as the dependencies lead."""
    start = group[0]
    inside = set(group)
    came_from: dict[str, str] = {}
    waiting = deque([start])
    while waiting:
        node = waiting.popleft()
        for target in edges[node]:
            if target == start:
                way = [node]
                while way[-1] != start:
                    way.append(came_from[way[-1]])
                return tuple(reversed(way))
            if target in inside and target not in came_from:
                came_from[target] = node
                waiting.append(target)
    return tuple(group)


def mirrored_graph(tasks: Iterable[Task]) -> TaskGraph:
    """The graph of tasks as the store holds them."""
    ordered = sorted(tasks, key=lambda task: task.position)
    return build_graph(ordered, broken=[task.id for task in ordered if task.state == "broken"])
