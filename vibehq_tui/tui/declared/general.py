"""Commands of the whole program, of every list, and of the main screen's frame."""

from __future__ import annotations

from vibehq_tui.tui.declared.command import Command, Context


def _needs_row(context: Context) -> str | None:
    return None if context.record is not None else "there is nothing in this list"


def _needs_filter(context: Context) -> str | None:
    return None if context.filtered else "no filter is set; / sets one"


_APP = (
    Command(
        id="app.palette",
        keys=("ctrl+p", ":"),
        title="commands",
        help="Finds and runs any command by its name.",
        scopes=("app",),
        group="Everywhere",
        show_in_footer=True,
    ),
    Command(
        id="app.help",
        keys=("?", "f1"),
        title="help",
        help="Shows the keys of what is focused.",
        scopes=("app",),
        group="Everywhere",
        show_in_footer=True,
    ),
    Command(
        id="app.back",
        keys=("escape",),
        title="back",
        help="Goes back, clears a filter, marks or a zoom. It never stops an agent.",
        scopes=("app",),
        group="Everywhere",
    ),
    Command(
        id="app.theme",
        keys=("t",),
        title="theme",
        help="Switches to the next theme and remembers it.",
        scopes=("app",),
        group="Everywhere",
    ),
    Command(
        id="app.redraw",
        keys=("ctrl+l",),
        title="redraw",
        help="Paints the whole screen again, after something else wrote to the terminal.",
        scopes=("app",),
        group="Everywhere",
    ),
    Command(
        id="app.quit",
        keys=("q", "ctrl+q"),
        title="quit",
        help="Leaves the screens. Agents go on.",
        scopes=("app",),
        group="Everywhere",
    ),
)


def _move(name: str, keys: tuple[str, ...], title: str, sentence: str) -> Command:
    return Command(id=f"list.{name}", keys=keys, title=title, help=sentence, scopes=("list",), group="Lists")


_LIST = (
    _move("down", ("j", "down"), "down", "Moves down one row."),
    _move("up", ("k", "up"), "up", "Moves up one row."),
    _move("top", ("g", "home"), "top", "Moves to the first row."),
    _move("bottom", ("G", "end"), "bottom", "Moves to the last row."),
    _move("half-down", ("ctrl+d",), "half page down", "Moves down half a page."),
    _move("half-up", ("ctrl+u",), "half page up", "Moves up half a page."),
    _move("page-down", ("pagedown", "ctrl+f"), "page down", "Moves down a page."),
    _move("page-up", ("pageup", "ctrl+b"), "page up", "Moves up a page."),
    Command(
        id="list.open",
        keys=("enter",),
        title="open",
        help="Opens what is selected on its own screen.",
        scopes=("list",),
        group="Lists",
        show_in_footer=True,
        disabled=_needs_row,
    ),
    Command(
        id="list.mark",
        keys=("space",),
        title="mark",
        help="Marks the row, or takes the mark away; commands then act on all marked rows.",
        scopes=("list",),
        group="Lists",
        disabled=_needs_row,
    ),
    Command(
        id="list.filter",
        keys=("/",),
        title="filter",
        help="Shows only the rows that contain a text. Enter keeps the filter, Esc clears it.",
        scopes=("list",),
        group="Lists",
        show_in_footer=True,
    ),
    Command(
        id="list.next",
        keys=("n",),
        title="next match",
        help="Moves to the next row of the filter, from the last one to the first.",
        scopes=("list",),
        group="Lists",
        disabled=_needs_filter,
    ),
    Command(
        id="list.previous",
        keys=("N",),
        title="previous match",
        help="Moves to the previous row of the filter, from the first one to the last.",
        scopes=("list",),
        group="Lists",
        disabled=_needs_filter,
    ),
    Command(
        id="list.copy",
        keys=("y",),
        title="copy id",
        help="Copies the id of the selected row, or the ids of the marked ones, to the clipboard.",
        scopes=("list",),
        group="Lists",
        disabled=_needs_row,
    ),
    Command(
        id="list.copy-all",
        keys=("Y",),
        title="copy row",
        help="Copies the selected row, or the marked ones, as text to the clipboard.",
        scopes=("list",),
        group="Lists",
        disabled=_needs_row,
        instead_of=("review.copy-all",),
    ),
)


def _pane(number: int, name: str, title: str) -> Command:
    return Command(
        id=f"pane.{name}",
        keys=(str(number),),
        title=title,
        help=f"Goes to pane {number}, {title}.",
        scopes=("main",),
        group="Panes",
    )


_MAIN = (
    _pane(1, "tasks", "Tasks"),
    _pane(2, "patches", "Patches"),
    _pane(3, "issues", "Ops issues"),
    _pane(4, "providers", "Providers"),
    _pane(5, "terminal", "Terminal"),
    Command(
        id="pane.next",
        keys=("tab",),
        title="next pane",
        help="Goes to the next pane.",
        scopes=("main",),
        group="Panes",
    ),
    Command(
        id="pane.previous",
        keys=("shift+tab",),
        title="previous pane",
        help="Goes to the previous pane.",
        scopes=("main",),
        group="Panes",
    ),
    Command(
        id="pane.next-view",
        keys=("]",),
        title="next view",
        help="Goes to the next view within the pane, such as all, waiting, conflicts.",
        scopes=("main",),
        group="Panes",
    ),
    Command(
        id="pane.previous-view",
        keys=("[",),
        title="previous view",
        help="Goes to the previous view within the pane.",
        scopes=("main",),
        group="Panes",
    ),
    Command(
        id="pane.zoom",
        keys=("z",),
        title="zoom",
        help="Gives the whole screen to the pane, or back to all.",
        scopes=("main",),
        group="Panes",
    ),
)

_DIALOGS = (
    Command(
        id="dialog.cancel",
        keys=("escape",),
        title="cancel",
        help="Leaves the dialog; nothing is changed.",
        scopes=("dialog",),
        group="Dialogs",
        show_in_footer=True,
    ),
    Command(
        id="dialog.yes",
        keys=("y", "enter"),
        title="yes",
        help="Does what the question asks.",
        scopes=("question",),
        group="Dialogs",
        show_in_footer=True,
    ),
    Command(
        id="dialog.no",
        keys=("n",),
        title="no",
        help="Does not; nothing is changed.",
        scopes=("question",),
        group="Dialogs",
        show_in_footer=True,
    ),
)

_FILTER = (
    Command(
        id="filter.keep",
        keys=("enter",),
        title="keep",
        help="Keeps the filter and goes back to the list.",
        scopes=("filter",),
        group="Filter",
        show_in_footer=True,
    ),
    Command(
        id="filter.clear",
        keys=("escape",),
        title="clear",
        help="Takes the filter away and goes back to the list.",
        scopes=("filter",),
        group="Filter",
        show_in_footer=True,
        instead_of=("app.back",),
    ),
    Command(
        id="filter.down",
        keys=("down",),
        title="next row",
        help="Moves down in the list while the filter is being written.",
        scopes=("filter",),
        group="Filter",
    ),
    Command(
        id="filter.up",
        keys=("up",),
        title="previous row",
        help="Moves up in the list while the filter is being written.",
        scopes=("filter",),
        group="Filter",
    ),
)

_PALETTE = (
    Command(
        id="palette.run",
        keys=("enter",),
        title="run",
        help="Runs the selected command.",
        scopes=("palette",),
        group="Palette",
    ),
    Command(
        id="palette.down",
        keys=("down", "ctrl+n", "tab"),
        title="next",
        help="Goes to the next command.",
        scopes=("palette",),
        group="Palette",
    ),
    Command(
        id="palette.up",
        keys=("up", "ctrl+p", "shift+tab"),
        title="previous",
        help="Goes to the previous command.",
        scopes=("palette",),
        group="Palette",
    ),
)

COMMANDS: tuple[Command, ...] = (*_LIST, *_MAIN, *_FILTER, *_APP, *_DIALOGS, *_PALETTE)
"""In the order in which footer and help show them."""

CHAINS: tuple[tuple[str, ...], ...] = (
    ("list", "dialog"),
    ("question", "dialog"),
    ("palette", "dialog"),
    ("filter", "main", "app"),
)
"""The scopes that are active together, inner ones first, in dialogs and in the filter line."""
