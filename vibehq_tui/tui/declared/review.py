"""Commands of the patch review: moving through the changes, deciding hunk by hunk, and the patch as a whole."""

from __future__ import annotations

from vibehq_tui.tui.declared.command import Command, Context, Disabled

_OPEN = ("proposed", "approved")


def _fact(name: str, otherwise: str) -> Disabled:
    """Possible when the screen says so; ``facts`` of its context has the answer."""

    def reason(context: Context) -> str | None:
        return None if context.facts.get(name) else otherwise

    return reason


def _deciding(context: Context) -> str | None:
    """The keys that decide and go on are not ``changes``: the cursor must go on at once, and the screen queues them."""
    if context.read_only:
        return "read-only: this screen was opened to look, not to change"
    if context.record is None:
        return "the patch is not there yet"
    if context.record.state not in _OPEN:
        return f"patch {context.record.id} is {context.record.state}; its hunks are decided"
    return None if context.facts.get("hunk") else "there is no hunk to decide about"


def _there(context: Context) -> str | None:
    return None if context.record is not None else "the patch is not there yet"


def _selecting(context: Context) -> str | None:
    if (reason := _deciding(context)) is not None:
        return reason
    return None if context.facts.get("selected") else "no changed line is selected; j and k extend the selection"


_has_plan = _fact("plan", "there are no changes to go through")
_has_match = _fact("match", "nothing was searched for; / searches")


def _move(name: str, keys: tuple[str, ...], title: str, sentence: str, footer: bool = False) -> Command:
    return Command(
        id=f"diff.{name}",
        keys=keys,
        title=title,
        help=sentence,
        scopes=("diff",),
        group="Changes",
        show_in_footer=footer,
    )


_DIFF = (
    Command(
        id="diff.accept",
        keys=("enter",),
        title="accept, next",
        help="Accepts the hunk and goes on to the next one that is undecided.",
        scopes=("diff",),
        group="Changes",
        show_in_footer=True,
        disabled=_deciding,
    ),
    Command(
        id="diff.toggle",
        keys=("space",),
        title="toggle",
        help="Accepts the hunk, or rejects it when it is accepted, without a question.",
        scopes=("diff",),
        group="Changes",
        show_in_footer=True,
        disabled=_deciding,
    ),
    _move("next-hunk", ("j",), "next hunk", "Goes to the next hunk.", footer=True),
    _move("previous-hunk", ("k",), "previous hunk", "Goes to the beginning of the hunk, or to the previous one."),
    _move("next-undecided", ("]",), "next undecided", "Goes to the next hunk that nobody decided about."),
    _move("previous-undecided", ("[",), "previous undecided", "Goes to the previous hunk that nobody decided about."),
    _move("down", ("down",), "down", "Moves down one line."),
    _move("up", ("up",), "up", "Moves up one line."),
    _move("top", ("g", "home"), "top", "Moves to the first line of the patch."),
    _move("bottom", ("G", "end"), "bottom", "Moves to the last line of the patch."),
    _move("half-down", ("ctrl+d",), "half page down", "Moves down half a page."),
    _move("half-up", ("ctrl+u",), "half page up", "Moves up half a page."),
    _move("page-down", ("pagedown", "ctrl+f"), "page down", "Moves down a page."),
    _move("page-up", ("pageup", "ctrl+b"), "page up", "Moves up a page."),
    _move("left", ("left", "h"), "left", "Scrolls to the beginning of long lines."),
    _move("right", ("right", "l"), "right", "Scrolls to the end of long lines."),
    _move("search", ("/",), "search", "Finds a text in the changes, whatever its case."),
    Command(
        id="diff.next-match",
        keys=("n",),
        title="next match",
        help="Goes to the next line that contains what was searched for.",
        scopes=("diff",),
        group="Changes",
        disabled=_has_match,
    ),
    Command(
        id="diff.previous-match",
        keys=("N",),
        title="previous match",
        help="Goes to the previous line that contains what was searched for.",
        scopes=("diff",),
        group="Changes",
        disabled=_has_match,
    ),
    Command(
        id="diff.copy",
        keys=("y",),
        title="copy id",
        help="Copies the id of the patch to the clipboard.",
        scopes=("diff",),
        group="Changes",
    ),
    Command(
        id="diff.copy-place",
        keys=("Y",),
        title="copy path",
        help="Copies the path and the line under the cursor to the clipboard.",
        scopes=("diff",),
        group="Changes",
        instead_of=("review.copy-all",),
    ),
)

_LINES = (
    Command(
        id="lines.accept",
        keys=("enter", "space"),
        title="accept lines",
        help="Accepts only the selected lines: the hunk becomes these, and the next undecided one comes.",
        scopes=("lines",),
        group="Selected lines",
        show_in_footer=True,
        changes=True,
        instead_of=("diff.accept", "diff.toggle"),
        disabled=_selecting,
    ),
    Command(
        id="lines.reject",
        keys=("-",),
        title="reject lines",
        help="Takes the selected lines out of the hunk; the rest of it is still to be decided.",
        scopes=("lines",),
        group="Selected lines",
        show_in_footer=True,
        changes=True,
        instead_of=("review.reject-now", "patch.reject"),
        disabled=_selecting,
    ),
    Command(
        id="lines.down",
        keys=("j",),
        title="extend",
        help="Extends the selection by a line downwards, or takes one away.",
        scopes=("lines",),
        group="Selected lines",
        show_in_footer=True,
        instead_of=("diff.next-hunk",),
    ),
    Command(
        id="lines.up",
        keys=("k",),
        title="extend up",
        help="Extends the selection by a line upwards, or takes one away.",
        scopes=("lines",),
        group="Selected lines",
        instead_of=("diff.previous-hunk",),
    ),
    Command(
        id="lines.all",
        keys=("V",),
        title="whole hunk",
        help="Selects every line of the hunk.",
        scopes=("lines",),
        group="Selected lines",
        instead_of=("review.versions",),
    ),
    Command(
        id="lines.leave",
        keys=("escape", "v"),
        title="leave",
        help="Leaves the selection; nothing is changed.",
        scopes=("lines",),
        group="Selected lines",
        show_in_footer=True,
        instead_of=("diff.select", "app.back"),
    ),
)

_REVIEW = (
    Command(
        id="diff.select",
        keys=("v",),
        title="select lines",
        help="Begins a selection of lines within the hunk; j and k extend it, enter accepts and - rejects only these.",
        scopes=("diff",),
        group="Changes",
        disabled=_deciding,
    ),
    Command(
        id="review.reject-now",
        keys=("-",),
        title="reject, next",
        help="Rejects the hunk without a reason and goes on to the next one that is undecided.",
        scopes=("review",),
        group="Review",
        disabled=_deciding,
    ),
    Command(
        id="review.edit",
        keys=("E",),
        title="edit hunk",
        help="Opens the hunk in $VISUAL or $EDITOR; what is saved becomes the hunk, as a new version of the patch.",
        scopes=("review",),
        group="Review",
        changes=True,
        disabled=_deciding,
    ),
    Command(
        id="review.reject-hunk",
        keys=("X",),
        title="reject hunk",
        help="Rejects the hunk and asks for the reason, which goes back to the author of the patch.",
        scopes=("review",),
        group="Review",
        changes=True,
        disabled=_deciding,
    ),
    Command(
        id="review.comment",
        keys=("c",),
        title="comment",
        help="Leaves a remark on the line under the cursor; on the hunk or the file where the cursor is on its header.",
        scopes=("review",),
        group="Review",
        show_in_footer=True,
        changes=True,
        disabled=_has_plan,
    ),
    Command(
        id="review.comment-patch",
        keys=("C",),
        title="comment on the patch",
        help="Leaves a remark on the patch as a whole.",
        scopes=("review",),
        group="Review",
        changes=True,
    ),
    Command(
        id="review.seen",
        keys=("m",),
        title="mark file",
        help="Marks the file as reviewed and goes on to the next one that is not; again takes the mark away.",
        scopes=("review",),
        group="Review",
        changes=True,
        disabled=_has_plan,
    ),
    Command(
        id="review.next-file",
        keys=("J",),
        title="next file",
        help="Goes to the next file.",
        scopes=("review",),
        group="Review",
        disabled=_has_plan,
    ),
    Command(
        id="review.previous-file",
        keys=("K",),
        title="previous file",
        help="Goes to the previous file.",
        scopes=("review",),
        group="Review",
        disabled=_has_plan,
    ),
    Command(
        id="review.undo",
        keys=("u",),
        title="undo",
        help="Takes back what was done last here: a decision, an edit, a remark, a mark; reverts an applied patch.",
        scopes=("review",),
        group="Review",
        show_in_footer=True,
        changes=True,
        instead_of=("patch.undo",),
        disabled=_there,
    ),
    Command(
        id="review.redo",
        keys=("ctrl+r",),
        title="redo",
        help="Does again what was undone last.",
        scopes=("review",),
        group="Review",
        changes=True,
        disabled=_there,
    ),
    Command(
        id="review.split",
        keys=("s",),
        title="side by side",
        help="Shows old and new side by side, where there is room, or in one column again.",
        scopes=("review",),
        group="Review",
        disabled=_has_plan,
    ),
    Command(
        id="review.wider",
        keys=("}",),
        title="more context",
        help="Shows more of the file around the changes, in steps up to the whole file.",
        scopes=("review",),
        group="Review",
        disabled=_has_plan,
    ),
    Command(
        id="review.narrower",
        keys=("{",),
        title="less context",
        help="Shows less of the file around the changes, in steps down to none.",
        scopes=("review",),
        group="Review",
        disabled=_has_plan,
    ),
    Command(
        id="review.blanks",
        keys=("w",),
        title="ignore blanks",
        help="Hides changes of blanks alone, or shows them again; what is decided about stays the same.",
        scopes=("review",),
        group="Review",
        disabled=_has_plan,
    ),
    Command(
        id="review.remarks",
        keys=("L",),
        title="remarks",
        help="Lists all remarks; enter goes to the place of one, z settles it.",
        scopes=("review",),
        group="Review",
    ),
    Command(
        id="remarks.settle",
        keys=("z",),
        title="settle",
        help="Settles the remark under the cursor, or opens it again.",
        scopes=("remarks",),
        group="Review",
        show_in_footer=True,
        changes=True,
        disabled=_fact("target", "there is no remark"),
    ),
    Command(
        id="review.feedback",
        keys=("f",),
        title="feedback",
        help="Shows what goes back to the author of the patch: rejected hunks with their reasons, and remarks.",
        scopes=("review",),
        group="Review",
    ),
    Command(
        id="review.versions",
        keys=("V",),
        title="versions",
        help="Lists the versions of the patch, with the difference from the one that was reviewed before.",
        scopes=("review",),
        group="Review",
    ),
    Command(
        id="review.explain",
        keys=("i",),
        title="rules and risk",
        help="Shows what each rule of the configuration says about the patch and why, and what its risk is made of.",
        scopes=("review",),
        group="Review",
    ),
    Command(
        id="review.copy-all",
        keys=("Y",),
        title="copy text",
        help="Copies the whole text that is read: the patch as it was submitted, or what goes back to its author.",
        scopes=("review",),
        group="Review",
    ),
    Command(
        id="review.raw",
        keys=("d",),
        title="as submitted",
        help="Shows the text of the patch as it was submitted, or the changes again.",
        scopes=("review",),
        group="Review",
    ),
)


def _choice(name: str, key: str, sentence: str, instead_of: tuple[str, ...] = ()) -> Command:
    return Command(
        id=f"conflict.{name}",
        keys=(key,),
        title=name,
        help=sentence,
        scopes=("conflict",),
        group="Conflicts",
        show_in_footer=name != "both",
        instead_of=instead_of,
        disabled=_fact("region", "the cursor is on no place in conflict; j and k go to one"),
    )


def _resolvable(context: Context) -> str | None:
    left = context.facts.get("left")
    if left is None:
        return "there is nothing to choose here"
    return f"{left} {'place is' if left == 1 else 'places are'} not chosen yet" if left else None


_CONFLICT = (
    _choice("ours", "o", "Keeps the lines of the file at this place, and goes on to the next."),
    _choice("theirs", "t", "Takes the lines of the patch at this place, and goes on to the next.", ("app.theme",)),
    _choice("base", "b", "Takes the lines as they were before both, and goes on to the next."),
    _choice("both", "B", "Takes the lines of the file, then those of the patch, and goes on to the next."),
    Command(
        id="conflict.edit",
        keys=("e",),
        title="edit",
        help="Opens the file in $VISUAL or $EDITOR with both sides between markers; what is saved is taken.",
        scopes=("conflict",),
        group="Conflicts",
        show_in_footer=True,
        changes=True,
        disabled=_fact("region", "the cursor is on no place in conflict; j and k go to one"),
    ),
    Command(
        id="conflict.resolve",
        keys=("enter",),
        title="resolve",
        help="Makes the next version of the patch of what was chosen; it is proposed anew and can be reviewed.",
        scopes=("conflict",),
        group="Conflicts",
        show_in_footer=True,
        changes=True,
        instead_of=("document.open",),
        disabled=_resolvable,
    ),
)

_VERSIONS = (
    Command(
        id="versions.compare",
        keys=("enter",),
        title="compare",
        help="Shows the difference from the version under the cursor to the newest.",
        scopes=("versions",),
        group="Review",
        show_in_footer=True,
        instead_of=("document.open",),
        disabled=_fact("version", "this is the newest version"),
    ),
)

COMMANDS: tuple[Command, ...] = (*_LINES, *_DIFF, *_CONFLICT, *_VERSIONS, *_REVIEW)
"""In the order in which footer and help show them."""

CHAINS: tuple[tuple[str, ...], ...] = (
    ("diff", "review", "app"),
    ("lines", "diff", "review", "app"),
    ("list", "review", "app"),
    ("remarks", "document", "review", "app"),
    ("versions", "document", "review", "app"),
    ("conflict", "document", "review", "app"),
)
"""The scopes that are active together, inner ones first."""
