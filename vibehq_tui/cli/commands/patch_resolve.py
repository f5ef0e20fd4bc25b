"""``vibehq patch resolve``: what does not fit any more, and what is to become of it."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

import click

from storage.errors import NotFound, Refused, Usage
from storage.records import to_wire
from vibehq_tui.cli.complete import complete_ids
from vibehq_tui.cli.framework import command
from vibehq_tui.cli.output import Answer, Style
from vibehq_tui.cli.session import Session
from vibehq_tui.text.clean import clean

if TYPE_CHECKING:
    from vibehq_tui.headquarters import Headquarters
    from vibehq_tui.patches.model import MergeRegion
    from vibehq_tui.patches.queue.resolve import ConflictFile

_MOST_LINES: Final = 12


@command(
    "resolve",
    changes=True,
    examples=[
        ("vibehq patch resolve 3", "where the patch and the file changed the same lines"),
        ("vibehq patch resolve 3 --edit", "every file in conflict in $EDITOR, with markers"),
        ("vibehq patch resolve 3 --choose src/tide.py=theirs,ours --ours", "place by place; elsewhere the file's"),
    ],
)
@click.argument("patch_id", metavar="ID", shell_complete=complete_ids("patch"))
@click.option("--ours", "choice", flag_value="ours", help="Keep the lines of the file.")
@click.option("--theirs", "choice", flag_value="theirs", help="Take the lines of the patch.")
@click.option("--both", "choice", flag_value="both", help="The lines of the file, then those of the patch.")
@click.option("--base", "choice", flag_value="base", help="The lines that were there before both.")
@click.option("--edit", "choice", flag_value="edit", help="Open each file with its conflicts in $EDITOR.")
@click.option("--path", "paths", multiple=True, metavar="P", help="Only this file in conflict; may be repeated.")
@click.option(
    "--choose",
    "chosen",
    multiple=True,
    metavar="P=CHOICE,…",
    help="What to take at each place of P: ours, theirs, both or base, one for all or one for each.",
)
@click.pass_obj
def resolve(
    session: Session, patch_id: str, choice: str | None, paths: tuple[str, ...], chosen: tuple[str, ...]
) -> None:
    """Show the conflicts of a patch with the tree, or resolve them: that makes another version of the patch."""
    by_path = dict(_split(one) for one in chosen)
    if choice is None and not by_path:
        session.run(lambda hq: _show(hq, patch_id, paths))
        return

    async def body(hq: Headquarters) -> Answer:
        conflicts = await hq.patches.resolution.conflicts_of(patch_id)
        known = _among(conflicts, patch_id, {*paths, *by_path})
        resolutions: dict[str, Any] = dict(by_path)
        for item in known if choice is not None else []:
            if item.path not in by_path and (not paths or item.path in paths):
                resolutions[item.path] = _edited(item) if choice == "edit" else (choice,)
        made = await hq.patches.resolution.resolve(patch_id, resolutions)
        return Answer(
            wire=to_wire(made),
            text=lambda style: f"resolved patch {made.id}: it is version {made.version} now, {made.state}",
        )

    session.change(body)


def _split(text: str) -> tuple[str, tuple[str, ...]]:
    path, sign, words = text.rpartition("=")
    if not sign:
        raise Usage(f"{text!r} has no choice", hint="--choose src/tide.py=ours,theirs")
    return path, tuple(words.split(","))


def _among(conflicts: list[ConflictFile], patch_id: str, paths: set[str]) -> list[ConflictFile]:
    """:raises NotFound: when one of ``paths`` is in no conflict, or there is none at all."""
    if not conflicts:
        raise Refused(
            f"patch {patch_id} fits the tree as it is", code="no-conflict", hint=f"vibehq patch approve {patch_id}"
        )
    strange = sorted(paths - {item.path for item in conflicts})
    if strange:
        names = ", ".join(item.path for item in conflicts)
        raise NotFound(f"{strange[0]} is in no conflict of patch {patch_id}", hint=f"in conflict: {names}")
    return conflicts


def _edited(item: ConflictFile) -> bytes:
    """What the operator's editor leaves of a file.

    :raises Refused: for a file that no editor shows, or when the editor was left without saving.
    """
    if item.kind == "binary":
        raise Refused(f"{item.path} is no text", code="binary", hint="choose --ours or --theirs with --path")
    if item.kind == "delete":
        raise Refused(
            f"{item.path} is to be deleted, and has changed", hint="choose --ours to keep it, or --theirs to delete it"
        )
    shown = item.text_with_markers.decode("utf-8", "surrogateescape")
    # Newlines are kept as they are: the editor gets and leaves bytes, not a text in the way of this system.
    found = click.edit(
        shown.encode("utf-8", "surrogateescape"), extension=PurePosixPath(item.path).suffix or ".txt", require_save=True
    )
    if found is None:
        raise Refused(f"{item.path} was left without saving", code="not-saved", hint="nothing was changed")
    return found


async def _show(hq: Headquarters, patch_id: str, paths: tuple[str, ...]) -> Answer:
    conflicts = await hq.patches.resolution.conflicts_of(patch_id)
    if paths:
        _among(conflicts, patch_id, set(paths))
        conflicts = [item for item in conflicts if item.path in paths]
    wire = {
        "items": [
            {
                "path": item.path,
                "kind": item.kind,
                "message": item.message,
                "regions": [] if item.kind == "binary" else [region.to_wire() for region in item.regions],
            }
            for item in conflicts
        ],
        "next": None,
    }
    return Answer(wire=wire, text=lambda style: _told(style, patch_id, conflicts))


def _told(style: Style, patch_id: str, conflicts: list[ConflictFile]) -> str:
    if not conflicts:
        return f"patch {patch_id} fits the tree as it is"
    lines = []
    for item in conflicts:
        lines.append(f"{style.paint(clean(item.path), 'bold')}: {clean(item.message)}")
        if item.kind == "binary":
            continue
        for number, region in enumerate(item.regions, 1):
            lines += _region(style, number, region)
    lines += ["", f"vibehq patch resolve {patch_id} --edit, or --ours, --theirs, --both, --base"]
    return "\n".join(lines)


def _region(style: Style, number: int, region: MergeRegion) -> list[str]:
    lines = [f"  place {number}, line {region.line}"]
    for name, sign, tone, content in (
        ("before", " ", "dim", region.base),
        ("file", "<", "busy", region.ours),
        ("patch", ">", "ok", region.theirs),
    ):
        lines.append(style.paint(f"    {name}: {'no line' if not content else ''}".rstrip(), "dim"))
        for line in content[:_MOST_LINES]:
            shown = clean(line.decode("utf-8", "replace").rstrip("\r\n"))
            lines.append(style.paint(f"    {sign} {shown}", tone))
        if len(content) > _MOST_LINES:
            lines.append(style.paint(f"    … {len(content) - _MOST_LINES} more", "dim"))
    return lines
