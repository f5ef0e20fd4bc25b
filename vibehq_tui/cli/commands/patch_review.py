"""``vibehq patch edit``, ``comment``, ``undo``, ``redo``: what an operator does in the review of a patch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from storage.errors import Refused
from storage.records import to_wire
from vibehq_tui.cli.commands.patch_text import told
from vibehq_tui.cli.complete import complete_ids
from vibehq_tui.cli.framework import command
from vibehq_tui.cli.inputs import read_bytes
from vibehq_tui.cli.output import Answer
from vibehq_tui.cli.session import Session
from vibehq_tui.text.clean import clean

if TYPE_CHECKING:
    from vibehq_tui.headquarters import Headquarters

_MOST_LINES: Final = 1_000_000
_id = click.argument("patch_id", metavar="ID", shell_complete=complete_ids("patch"))
_HELP: Final = """\
# Lines with + are added: change them, remove them, write new ones.
# Lines with - are removed: a blank in place of - keeps the line.
# Lines with a blank are the file's own and stay as they are.
# Lines with # are left out. To change nothing, leave without saving.
"""


class LineNumbers(click.ParamType):  # type: ignore[type-arg]
    """``3-7,9`` as a set of numbers from 1."""

    name = "lines"

    def convert(self, value: str | set[int], param: click.Parameter | None, ctx: click.Context | None) -> set[int]:
        """:raises click.BadParameter: when it is no list of lines."""
        if isinstance(value, set):
            return value
        found: set[int] = set()
        for part in value.split(","):
            first, dash, last = (word.strip() for word in part.partition("-"))
            if not first.isdecimal() or (dash and not last.isdecimal()) or len(first) > 9 or len(last) > 9:
                self.fail(f"{part!r} is no line and no range of lines, such as 3-7,9", param, ctx)
            low, high = int(first), int(last) if dash else int(first)
            if not 1 <= low <= high or high - low > _MOST_LINES:
                self.fail(f"{part!r} is no range of lines: they count from 1", param, ctx)
            found.update(range(low, high + 1))
        return found


@command(
    "edit",
    changes=True,
    examples=[
        ("vibehq patch edit 3 --hunk 2", "in $EDITOR"),
        ("vibehq patch edit 3 --hunk 2 --lines 4-6", "keep only these changes; show --hunk 2 has the numbers"),
        ("vibehq patch edit 3 --hunk 2 --text hunk.txt", "the hunk from a file, for scripts"),
    ],
)
@_id
@click.option("--hunk", type=click.IntRange(1), required=True, metavar="N", help="Which hunk.")
@click.option("--lines", type=LineNumbers(), metavar="A-B,…", help="Keep only the changes in these lines of the hunk.")
@click.option("--text", "file", metavar="FILE|-", help="Read the hunk from a file instead of an editor.")
@click.pass_obj
def edit(session: Session, patch_id: str, hunk: int, lines: set[int] | None, file: str | None) -> None:
    """Change a hunk: that makes another version of the patch, in your name.

    The other hunks and the decisions about them stay. What does not fit the file is refused, and nothing is changed.
    """
    if lines is not None and file is not None:
        raise click.UsageError("--lines and --text are two ways to say what becomes of the hunk")
    session.root()  # a missing workspace is said before anything is read
    data = read_bytes(file) if file is not None else b""

    async def body(hq: Headquarters) -> Answer:
        if lines is not None:
            return told("edited", await hq.patches.select_lines(patch_id, hunk, lines))
        if file is not None:
            new = data.decode("utf-8", "surrogateescape")
        else:
            new = _edited(await hq.patches.hunk_text(patch_id, hunk))
        return told("edited", await hq.patches.edit_hunk(patch_id, hunk, new))

    session.change(body, content=data)


def _edited(text: str) -> str:
    """What the operator's editor leaves of a hunk.

    :raises Refused: when it was left without saving.
    """
    # As bytes: what is no UTF-8, and how lines end, has to come back as it went.
    shown = (_HELP + text).encode("utf-8", "surrogateescape")
    found = click.edit(shown, extension=".diff", require_save=True)
    if found is None:
        raise Refused("the editor was left without saving", code="not-saved", hint="nothing was changed")
    lines = found.decode("utf-8", "surrogateescape").split("\n")
    return "\n".join(line for line in lines if not line.startswith("#"))


@command(
    "comment",
    changes=True,
    examples=[
        ("vibehq patch comment 3 --path src/tide.py --line 12 --text 'Which time zone?'", ""),
        ("vibehq patch comment 3 --hunk 2 --text 'Can this be shorter?'", ""),
        ("vibehq patch comment 3 --settle 14", "what comment 14 asked for is done"),
    ],
)
@_id
@click.option("--path", metavar="PATH", help="The file; without it the remark is about the whole patch.")
@click.option("--line", type=click.IntRange(1), metavar="N", help="The line, as the patch leaves the file.")
@click.option("--hunk", type=click.IntRange(1), metavar="N", help="The hunk; its file need not be named.")
@click.option("--text", metavar="TEXT", help="What you have to say.")
@click.option("--settle", "--resolve", "settled", metavar="COMMENT", help="Mark a comment as settled.")
@click.option("--reopen", "reopened", metavar="COMMENT", help="Open a settled comment again.")
@click.pass_obj
def comment(
    session: Session,
    patch_id: str,
    path: str | None,
    line: int | None,
    hunk: int | None,
    text: str | None,
    settled: str | None,
    reopened: str | None,
) -> None:
    """Leave a remark on a line, a hunk, a file or the whole patch; settle one, or open it again."""
    if sum(one is not None for one in (text, settled, reopened)) != 1:
        raise click.UsageError("say something with --text, or name a comment with --settle or --reopen")
    if line is not None and path is None:
        raise click.UsageError("--line needs --path")

    async def body(hq: Headquarters) -> Answer:
        if text is not None:
            left = await hq.patches.comment(patch_id, text, path=path, line=line, hunk=hunk)
            return Answer(wire=to_wire(left), text=lambda style: f"commented on patch {patch_id}: comment {left.id}")
        row = await hq.patches.resolve(patch_id, settled or reopened or "", settled is not None)
        word = "settled" if row.resolved_by else "open"
        return Answer(wire=to_wire(row), text=lambda style: f"comment {row.id} on patch {patch_id} is {word}")

    session.change(body)


async def _step(hq: Headquarters, patch_id: str, *, back: bool) -> Answer:
    said = await (hq.patches.undo_decision(patch_id) if back else hq.patches.redo_decision(patch_id))
    patch = await hq.patches.get(patch_id)
    return Answer(
        wire={"id": patch_id, "done": said, "patch": to_wire(patch)},
        text=lambda style: f"patch {patch_id}: {clean(said)}",
    )


@command(
    "undo",
    changes=True,
    examples=[("vibehq patch undo 3", "your last decision, mark, comment, approval, rejection or edit is taken back")],
)
@_id
@click.pass_obj
def undo(session: Session, patch_id: str) -> None:
    """Take back the last thing that you did in the review of a patch. What is applied is taken out with revert."""
    session.change(lambda hq: _step(hq, patch_id, back=True))


@command("redo", changes=True, examples=[("vibehq patch redo 3", "what was undone last holds again")])
@_id
@click.pass_obj
def redo(session: Session, patch_id: str) -> None:
    """Do again what undo took back."""
    session.change(lambda hq: _step(hq, patch_id, back=False))
