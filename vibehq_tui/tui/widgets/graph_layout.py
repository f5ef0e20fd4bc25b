"""The neighbourhood of a task as a drawing in lines: what it waits for at the left, what it unblocks at the right.

Both sides are trees that lie on their side. A task that was drawn already is not expanded again; one that is on the way
to itself is a circle and marked as such; what lies deeper than there is room for is counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from rich.cells import cell_len

from storage.records import Task
from vibehq_tui.text.clean import clean
from vibehq_tui.text.glyphs import TASK_STATES, sign
from vibehq_tui.tui.widgets.rows import Part, fit

CONNECTOR = 5
"""Cells between two columns."""
LEAST_NODE = 24
MOST_DEPTH = 3
_MOST_ROWS = 200

_LINES = " ╴╶─╵┘└┴╷┐┌┬│┤├┼"
"""By the directions in which a line goes on: 1 left, 2 right, 4 up, 8 down."""
_PLAIN_LINES = " ---|+++|+++|+++"

Edges = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbourhood:
    """A task and what is around it."""

    center: str
    tasks: Mapping[str, Task]
    """By id; an id that is not in here does not exist."""
    waits_for: Edges
    unblocks: Edges
    cyclic: frozenset[str] = frozenset()
    """Tasks that wait for themselves, through others."""


@dataclass(slots=True)
class Node:
    """A task in the drawing."""

    id: str
    column: int
    """0 is the center; negative is at the left."""
    row: int
    parent: Node | None = None
    circle: bool = False
    """It closes a circle: it is on the way from the center to itself."""
    beyond: int = 0
    """Further tasks behind it that are not drawn."""
    children: list[Node] = field(default_factory=list)


class Placed(NamedTuple):
    """Where a node is on the drawing."""

    node: Node
    x: int
    width: int


class Drawing(NamedTuple):
    """A drawing: rows of parts, and the nodes by their place."""

    rows: list[list[Part]]
    nodes: list[Placed]
    hidden: int
    """Neighbours that are not drawn because there are too many."""


def draw(around: Neighbourhood, width: int, ascii_only: bool = False) -> Drawing:
    """Draws a neighbourhood in ``width`` cells. The first row names the sides."""
    most_columns = (width + CONNECTOR) // (LEAST_NODE + CONNECTOR)
    for depth in range(MOST_DEPTH, 0, -1):
        root = Node(around.center, 0, 0)
        left, right = _Side(around.waits_for, -1, depth), _Side(around.unblocks, 1, depth)
        left.grow(root)
        right.grow(root)
        if left.depth + 1 + right.depth <= most_columns:
            break
    height = max(left.rows, right.rows, 1)
    for side in (left, right):
        side.shift((height - side.rows) // 2)
    root.row = _middle(left.first or right.first or [root])
    columns = range(-left.depth, right.depth + 1)
    node_width = max((width - CONNECTOR * (len(columns) - 1)) // len(columns), 8)
    canvas = _Canvas(around, height, columns, min(node_width, 44), ascii_only)
    canvas.node(root)
    for side in (left, right):
        for node in side.nodes:
            canvas.node(node)
        for parent in [root, *side.nodes]:
            canvas.connect(parent, [child for child in side.nodes if child.parent is parent], side.direction)
    placed = [canvas.placed(node) for node in (root, *left.nodes, *right.nodes)]
    return Drawing(
        [canvas.titles(bool(left.nodes), bool(right.nodes)), *canvas.lines()], placed, left.hidden + right.hidden
    )


def _middle(nodes: Sequence[Node]) -> int:
    return (nodes[0].row + nodes[-1].row) // 2


class _Side:
    """One of the two trees."""

    def __init__(self, edges: Edges, direction: int, most_depth: int) -> None:
        self.direction = direction
        self.nodes: list[Node] = []
        self.first: list[Node] = []
        self.rows = 0
        self.depth = 0
        self.hidden = 0
        self._edges = edges
        self._most_depth = most_depth

    def grow(self, root: Node) -> None:
        """Places everything that can be reached from the root within the depth."""
        drawn = {root.id}
        self._grow(root, (root.id,), drawn)
        self.first = [node for node in self.nodes if node.parent is root]

    def _grow(self, parent: Node, way: tuple[str, ...], drawn: set[str]) -> None:
        for number, id_ in enumerate(self._edges.get(parent.id, ())):
            if self.rows >= _MOST_ROWS:
                self.hidden += len(self._edges[parent.id]) - number
                return
            top = self.rows
            node = Node(id_, parent.column + self.direction, top, parent, circle=id_ in way)
            self.nodes.append(node)
            parent.children.append(node)
            self.depth = max(self.depth, abs(node.column))
            further = self._edges.get(id_, ())
            if further and not node.circle:
                if id_ in drawn or abs(node.column) >= self._most_depth:
                    node.beyond = len(further)
                else:
                    drawn.add(id_)
                    self._grow(node, (*way, id_), drawn)
            self.rows = max(self.rows, top + 1)

    def shift(self, by: int) -> None:
        """Moves the tree down."""
        for node in self.nodes:
            node.row += by


class _Canvas:
    """Pieces of text at places, put together to rows in the end."""

    def __init__(self, around: Neighbourhood, height: int, columns: range, node_width: int, ascii_only: bool) -> None:
        self._around = around
        self._columns = columns
        self._node_width = node_width
        self._ascii = ascii_only
        self._cells: list[dict[int, list[Part]]] = [{} for _ in range(height)]

    def _x(self, column: int) -> int:
        return (column - self._columns.start) * (self._node_width + CONNECTOR)

    def placed(self, node: Node) -> Placed:
        """Where a node is, below the row of titles."""
        return Placed(node, self._x(node.column), self._node_width)

    def node(self, node: Node) -> None:
        """Writes a task."""
        task = self._around.tasks.get(node.id)
        parts: list[Part] = []
        if task is None:
            parts = [
                Part("x " if self._ascii else "✘ ", "error"),
                Part(node.id, "strong"),
                Part(" does not exist", "error"),
            ]
        else:
            state = sign(TASK_STATES, task.state)
            role = "strong" if node.column == 0 else "dim" if task.state in ("done", "cancelled") else ""
            circle = node.circle or node.id in self._around.cyclic
            glyph = ("@" if self._ascii else "↻") if circle else state.text(self._ascii)
            parts = [
                Part(f"{glyph} ", "error" if circle else state.tone),
                Part(f"{node.id} ", "strong" if role != "dim" else "dim"),
                Part(task.title, role),
            ]
        tail = f" +{node.beyond}" if node.beyond else ""
        room = self._node_width - len(tail)
        written = _cut([Part(clean(part.text), part.role) for part in parts], room, "~" if self._ascii else "…")
        used = _cells(written) + len(tail)
        goes_on = node.column < 0 or (node.column == 0 and any(child.column > 0 for child in node.children))
        goes_on = goes_on or (node.column > 0 and bool(node.children))
        line = ("-" if self._ascii else "─") if goes_on else " "
        rest = self._node_width - used
        written += [Part(tail, "faint")] if tail else []
        written.append(Part((" " if rest else "") + line * (rest - 1), "faint"))
        self._cells[node.row][self._x(node.column)] = written

    def connect(self, parent: Node, children: Sequence[Node], direction: int) -> None:
        """Draws the lines from a node to those behind it."""
        if not children:
            return
        rows = {child.row for child in children}
        top, bottom = min(*rows, parent.row), max(*rows, parent.row)
        x = self._x(max(parent.column, children[0].column)) - CONNECTOR
        for row in range(top, bottom + 1):
            near, far = row == parent.row, row in rows
            left, right = (near, far) if direction > 0 else (far, near)
            bits = left + 2 * right + 4 * (row > top) + 8 * (row < bottom)
            dash = "-" if self._ascii else "─"
            joint = (_PLAIN_LINES if self._ascii else _LINES)[bits]
            arrow = (">" if self._ascii else "▸") if right and (direction > 0 or near) else dash
            text = f"{dash if left else ' '}{joint}{dash + arrow if right else '  '} "
            circle = any(child.row == row and child.circle for child in children)
            self._cells[row][x] = [Part(text, "error" if circle else "faint")]

    def titles(self, has_left: bool, has_right: bool) -> list[Part]:
        """The row that says what the sides are."""
        words = {0: "this task"}
        words |= {self._columns.start: "waits for"} if has_left else {}
        words |= {1: "unblocks"} if has_right else {}
        row: list[Part] = []
        at = 0
        for column, word in sorted(words.items()):
            row.append(Part(" " * (self._x(column) - at) + word, "faint"))
            at = self._x(column) + len(word)
        notes = [] if has_left else ["waits for nothing"]
        notes += [] if has_right else ["nothing waits for it"]
        if notes:
            row.append(Part(f"  ({', '.join(notes)})", "faint"))
        return row

    def lines(self) -> list[list[Part]]:
        """The rows."""
        made: list[list[Part]] = []
        for cells in self._cells:
            row: list[Part] = []
            at = 0
            for x, parts in sorted(cells.items()):
                row.append(Part(" " * (x - at)))
                row += parts
                at = x + _cells(parts)
            made.append(row)
        return made


def _cells(parts: Sequence[Part]) -> int:
    return sum(cell_len(part.text) for part in parts)


def _cut(parts: Sequence[Part], width: int, more: str) -> list[Part]:
    """The parts in at most ``width`` cells."""
    kept: list[Part] = []
    room = width
    for part in parts:
        size = _cells([part])
        if size > room:
            kept.append(Part(fit(part.text, room, more=more), part.role))
            return kept
        kept.append(part)
        room -= size
    return kept


def step(nodes: Sequence[Placed], current: Node, direction: str) -> Node:
    """The node that an arrow key leads to from ``current``; itself when there is none."""
    if direction in ("up", "down"):
        sign_ = 1 if direction == "down" else -1
        beyond = [
            one.node for one in nodes if one.node.column == current.column and (one.node.row - current.row) * sign_ > 0
        ]
        return min(beyond, key=lambda node: abs(node.row - current.row), default=current)
    side = 1 if direction == "right" else -1
    if current.column * side < 0:
        return current.parent or current
    ahead = [node for node in current.children if (node.column - current.column) * side > 0]
    return min(ahead, key=lambda node: abs(node.row - current.row), default=current)
