"""Commands of the full screens: task, issue, provider and log; those of the review are beside this."""

from __future__ import annotations

from vibehq_tui.tui.declared import review
from vibehq_tui.tui.declared.command import Command, Context, Disabled

_SCREENS = ("task", "issue", "provider", "log")


def _fact(name: str, otherwise: str) -> Disabled:
    """Possible when the screen says so; ``facts`` of its context has the answer."""

    def reason(context: Context) -> str | None:
        return None if context.facts.get(name) else otherwise

    return reason


def _in(scope: str, group: str, name: str, keys: tuple[str, ...], title: str, sentence: str) -> Command:
    return Command(id=f"{scope}.{name}", keys=keys, title=title, help=sentence, scopes=(scope,), group=group)


_DOCUMENT = (
    _in("document", "Details", "down", ("j", "down"), "down", "Moves to the next entry, or scrolls down."),
    _in("document", "Details", "up", ("k", "up"), "up", "Moves to the entry before, or scrolls up."),
    _in("document", "Details", "top", ("g", "home"), "top", "Goes to the beginning."),
    _in("document", "Details", "bottom", ("G", "end"), "bottom", "Goes to the end."),
    _in("document", "Details", "half-down", ("ctrl+d",), "half page down", "Scrolls down half a page."),
    _in("document", "Details", "half-up", ("ctrl+u",), "half page up", "Scrolls up half a page."),
    _in("document", "Details", "page-down", ("pagedown", "ctrl+f"), "page down", "Scrolls down a page."),
    _in("document", "Details", "page-up", ("pageup", "ctrl+b"), "page up", "Scrolls up a page."),
    Command(
        id="document.open",
        keys=("enter",),
        title="open",
        help="Opens the task, patch, issue or place under the cursor.",
        scopes=("document",),
        group="Details",
        show_in_footer=True,
        disabled=_fact("target", "nothing here opens a screen of its own"),
    ),
)

_GRAPH = (
    _in("graph", "Graph", "left", ("left", "h"), "left", "Goes to what this waits for."),
    _in("graph", "Graph", "right", ("right", "l"), "right", "Goes to what this unblocks."),
    _in("graph", "Graph", "up", ("up", "k"), "up", "Goes to the task above."),
    _in("graph", "Graph", "down", ("down", "j"), "down", "Goes to the task below."),
    Command(
        id="graph.open",
        keys=("enter",),
        title="open",
        help="Opens the task under the cursor.",
        scopes=("graph",),
        group="Graph",
        show_in_footer=True,
    ),
)

_DETAIL = (
    Command(
        id="detail.next-part",
        keys=("tab",),
        title="next part",
        help="Goes to the next part of the screen.",
        scopes=("task", "issue", "provider", "review"),
        group="Details",
    ),
    Command(
        id="detail.previous-part",
        keys=("shift+tab",),
        title="previous part",
        help="Goes to the part of the screen before.",
        scopes=("task", "issue", "provider", "review"),
        group="Details",
    ),
    Command(
        id="detail.copy",
        keys=("y",),
        title="copy id",
        help="Copies the id of what is shown to the clipboard.",
        scopes=_SCREENS,
        group="Details",
    ),
    Command(
        id="provider.assign",
        keys=("a",),
        title="assign a task",
        help="Gives a ready task to this provider, with a reason.",
        scopes=("provider",),
        group="Providers",
        show_in_footer=True,
        changes=True,
        disabled=lambda context: None if context.record is not None else "there is no such provider",
    ),
)

_LOG = (
    Command(
        id="log.follow",
        keys=("f",),
        title="follow",
        help="Stays at the newest line, or stops doing so.",
        scopes=("log",),
        group="Log",
        show_in_footer=True,
    ),
    Command(
        id="log.search",
        keys=("/",),
        title="search",
        help="Finds a text, whatever its case when it is written small; backwards from the end of the screen.",
        scopes=("log",),
        group="Log",
        show_in_footer=True,
    ),
    Command(
        id="log.filter",
        keys=("&",),
        title="keep only",
        help="Shows only the lines that contain a text; an empty text shows all again.",
        scopes=("log",),
        group="Log",
        show_in_footer=True,
    ),
    Command(
        id="log.level",
        keys=("L",),
        title="level",
        help="Shows all lines, only warnings and worse, or only errors and worse.",
        scopes=("log",),
        group="Log",
        show_in_footer=True,
    ),
    Command(
        id="log.previous-match",
        keys=("n",),
        title="older match",
        help="Goes to the next older line that contains what was searched for.",
        scopes=("log",),
        group="Log",
        disabled=_fact("match", "nothing was searched for; / searches"),
    ),
    Command(
        id="log.next-match",
        keys=("N",),
        title="newer match",
        help="Goes to the next newer line that contains what was searched for.",
        scopes=("log",),
        group="Log",
        disabled=_fact("match", "nothing was searched for; / searches"),
    ),
    _in("log", "Log", "left", ("left", "h"), "left", "Scrolls to the beginning of long lines."),
    _in("log", "Log", "right", ("right", "l"), "right", "Scrolls to the end of long lines."),
)

COMMANDS: tuple[Command, ...] = (*review.COMMANDS, *_DOCUMENT, *_GRAPH, *_DETAIL, *_LOG)
"""In the order in which footer and help show them."""

CHAINS: tuple[tuple[str, ...], ...] = (
    *review.CHAINS,
    ("document", "review", "app"),
    ("document", "task", "app"),
    ("graph", "task", "app"),
    ("document", "issue", "app"),
    ("document", "provider", "app"),
    ("document", "log", "app"),
)
"""The scopes that are active together, inner ones first, on the full screens."""
