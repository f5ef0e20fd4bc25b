"""What panes say while there is nothing in them: what will be here, and which key or command comes next."""

from __future__ import annotations

from collections.abc import Sequence

from vibehq_tui.tui.widgets.rows import Cell, Part


def _key(text: str) -> Part:
    return Part(text, "key")


TASKS: Sequence[Cell] = (
    Part("No open tasks.", ""),
    "",
    (_key("+"), " adds one"),
    (Part("vibehq task import PLAN.md", "accent"), " takes a plan"),
    ("a ", Part(".mission_control/tasks.json", "accent"), " is followed"),
)

PATCHES: Sequence[Cell] = (
    Part("No patches yet.", ""),
    "",
    (Part("vibehq patch submit FILE", "accent"), " proposes one:"),
    "a diff, a git patch or an operation batch.",
    "Agents do the same. It shows up here at once.",
)

ISSUES: Sequence[Cell] = (
    Part("No open issues.", "ok"),
    "",
    (_key("R"), " scans now, ", _key("F"), " runs the full scan"),
    (_key("]"), " shows resolved ones"),
)

PROVIDERS: Sequence[Cell] = (
    Part("No agent is known yet.", ""),
    "",
    (_key("R"), " looks for installed agents"),
)

FEED: Sequence[Cell] = (
    Part("Nothing has happened yet.", ""),
    "",
    (_key("?"), " shows the keys, ", _key("ctrl+p"), " every command"),
)

LOG: Sequence[Cell] = (Part("This log is empty.", ""),)

PREVIEW: Sequence[Cell] = (
    Part("The selected patch shows its first changes here.", ""),
    "",
    (
        _key("1"),
        Part(" to ", "dim"),
        _key("5"),
        Part(" go to a pane, ", "dim"),
        _key("tab"),
        Part(" to the next", "dim"),
    ),
    (_key("z"), Part(" gives a pane the whole screen", "dim")),
    (_key("?"), Part(" shows the keys, ", "dim"), _key("ctrl+p"), Part(" every command", "dim")),
    (Part("vibehq demo", "accent"), Part(" shows it all on a small project", "dim")),
)


def view_is_empty(sentence: str) -> Sequence[Cell]:
    """A view that shows none of the rows that there are."""
    return (Part(sentence, ""), "", (_key("["), " ", _key("]"), " go to other views"))
