"""Where the panes of the main screen stand, for each size of the terminal."""

from __future__ import annotations

from collections.abc import Mapping

from textual.geometry import NULL_OFFSET, NULL_SPACING, Region, Size
from textual.layout import ArrangeResult, Layout, WidgetPlacement
from textual.widget import Widget

WIDE_FROM = 140
"""Columns from which there are three columns of panes."""
VERY_WIDE_FROM = 180
"""Columns from which the middle one, with titles and changes, gets more than its share."""
SIDE_BY_SIDE_FROM = 100
"""Columns from which there are two."""
ROWS_FOR_ALL = 26
"""Lines that all panes together need; with fewer there is one at a time."""

Places = Mapping[str, Region]


def is_single(size: Size) -> bool:
    """Whether there is room for one pane only."""
    return size.width < SIDE_BY_SIDE_FROM or size.height < ROWS_FOR_ALL - 2


def places(size: Size, single: str | None) -> Places:
    """The region of each pane, by the name of its frame.

    :param single: the id of the pane that has all the room; none to show all.
    """
    if single is not None:
        return _one(size, single)
    return _wide(size) if size.width >= WIDE_FROM else _two_columns(size)


def _one(size: Size, single: str) -> Places:
    width, height = size.width, size.height - 1
    found = {"tabs": Region(0, 0, width, 1)}
    if single != "patches" or height < 16:
        return {**found, single: Region(0, 1, width, height)}
    if width >= WIDE_FROM:
        left = width // 2
        return {
            **found,
            "patches": Region(0, 1, left, height),
            "preview": Region(left, 1, width - left, height),
        }
    upper = height // 2
    return {
        **found,
        "patches": Region(0, 1, width, upper),
        "preview": Region(0, 1 + upper, width, height - upper),
    }


def _wide(size: Size) -> Places:
    width, height = size.width, size.height
    lower = max(height // 4, 6)
    upper = height - lower
    left, right = width * 29 // 100, width * 26 // 100
    if width >= VERY_WIDE_FROM:
        left, right = width * 26 // 100, width * 23 // 100
    middle = width - left - right
    feed = max(upper * 45 // 100, 7)
    issues = upper * 55 // 100
    return {
        "tasks": Region(0, 0, left, upper),
        "patches": Region(left, 0, middle, feed),
        "preview": Region(left, feed, middle, upper - feed),
        "issues": Region(left + middle, 0, right, issues),
        "providers": Region(left + middle, issues, right, upper - issues),
        "terminal": Region(0, upper, width, lower),
    }


def _two_columns(size: Size) -> Places:
    width, height = size.width, size.height
    lower = max(height // 5, 5)
    upper = height - lower
    left = width * 44 // 100
    feed = max(upper * 45 // 100, 7)
    tasks = upper * 42 // 100
    issues = (upper - tasks) * 55 // 100
    return {
        "tasks": Region(0, 0, left, tasks),
        "issues": Region(0, tasks, left, issues),
        "providers": Region(0, tasks + issues, left, upper - tasks - issues),
        "patches": Region(left, 0, width - left, feed),
        "preview": Region(left, feed, width - left, upper - feed),
        "terminal": Region(0, upper, width, lower),
    }


class PanesLayout(Layout):
    """Puts the children of a :class:`Panes` where :func:`places` says."""

    name = "panes"

    def arrange(self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True) -> ArrangeResult:
        """Places for the children that have one; the others are not on the screen."""
        assert isinstance(parent, Panes)
        found = places(size, parent.single_in(size))
        return [
            WidgetPlacement(found[child.name], NULL_OFFSET, NULL_SPACING, child)
            for child in children
            if child.name is not None and child.name in found
        ]


class Frame(Widget):
    """Holds one pane and is as large.

    Textual renders, for every frame, all widgets that share a container with one that changed. In a container of its
    own a pane is spared while another changes.
    """

    BLANK = True
    DEFAULT_CSS = """
    Frame > * { width: 1fr; height: 1fr; }
    """

    def __init__(self, pane: Widget) -> None:
        super().__init__(pane, name=pane.id)


class Panes(Widget):
    """Holds the panes; shows all of them, or one."""

    BLANK = True

    DEFAULT_CSS = """
    Panes { width: 1fr; height: 1fr; }
    """

    def __init__(self, *children: Widget) -> None:
        super().__init__(*map(Frame, children))
        self._arrangement = PanesLayout()
        self.active = "patches"
        """The id of the pane that is shown when there is room for one."""
        self.zoomed = False

    @property
    def layout(self) -> Layout:
        """Our own."""
        return self._arrangement

    def single_in(self, size: Size) -> str | None:
        """The pane that has all the room, or none."""
        return self.active if self.zoomed or is_single(size) else None

    @property
    def single(self) -> bool:
        """Whether one pane has all the room now."""
        return self.single_in(self.size) is not None

    def show(self, active: str, *, zoomed: bool | None = None) -> None:
        """Makes a pane the active one."""
        zoomed = self.zoomed if zoomed is None else zoomed
        if (active, zoomed) != (self.active, self.zoomed):
            self.active, self.zoomed = active, zoomed
            # A change of a child makes Textual forget where the children were; one of our own does not.
            self.children[0].refresh(layout=True)
