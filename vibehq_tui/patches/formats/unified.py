"""Traditional unified diffs: ``---``, ``+++`` and hunks, with or without prefixes and time stamps."""

from __future__ import annotations

from vibehq_tui.patches.errors import refuse
from vibehq_tui.patches.formats.hunks import HunkReader
from vibehq_tui.patches.formats.names import DEV_NULL, common_level, header_name, is_epoch, lone_level, strip
from vibehq_tui.patches.model import Change, Hunk
from vibehq_tui.patches.paths import check_path


def read_plain_change(reader: HunkReader, at: int) -> tuple[Change | None, int]:
    """The change whose ``---`` is on line ``at``; None when what follows is no hunk and so this was prose.

    :raises PatchRefused: for unsafe names and hunks that cannot be read.
    """
    lines = reader.lines
    old_rest, new_rest = lines[at][4:], lines[at + 1][4:]
    if at + 2 >= len(lines):
        raise refuse("truncated", "the patch ends after the names of a file", path=header_name(new_rest))
    first = at + 2
    if not lines[first].startswith(b"@@"):
        from vibehq_tui.patches.formats.bare import starts_headless  # noqa: PLC0415 - not for diffs made by a tool

        start = starts_headless(reader, at)
        if start is None:
            return None, at
        first = start
    old_name, new_name = header_name(old_rest), header_name(new_rest)
    old_gone = old_name == DEV_NULL
    new_gone = new_name == DEV_NULL
    for name, gone, role in ((old_name, old_gone, "old name"), (new_name, new_gone, "new name")):
        if not gone:
            check_raw_name(name, role)
    if old_gone and new_gone:
        raise refuse("no-file-header", f"line {at + 1}: both names are {DEV_NULL}")
    path = plain_path(None if old_gone else old_name, None if new_gone else new_name)
    if lines[first].startswith(b"@@"):
        hunks, end = reader.read(first, path)
    else:
        from vibehq_tui.patches.formats.bare import read_headless  # noqa: PLC0415 - as above

        hunks, end = read_headless(reader, first, path)
    empty_old = _is_empty_side(hunks, "-")
    empty_new = _is_empty_side(hunks, "+")
    op = "modify"
    if old_gone or (is_epoch(old_rest) and empty_old):
        op = "create"
    elif new_gone or (is_epoch(new_rest) and empty_new):
        op = "delete"
    change = Change(
        path=check_path(path),
        op=op,
        hunks=hunks,
        old_name=None if old_gone else old_name,
        new_name=None if new_gone else new_name,
        plain_names=True,
        may_create=op == "modify" and empty_old and hunks[0].numbered and hunks[0].old_start == 0,
        ordered=any(hunk.numbered for hunk in hunks),
    )
    return change, end


def check_raw_name(name: str, role: str) -> None:
    """Refuses a name as it stands in a header, before any prefix is taken off; ``./`` in front is harmless."""
    check_path(name.removeprefix("./"), role=role)


def plain_path(old: str | None, new: str | None) -> str:
    """The path that the two names of a diff most likely mean, before anything is compared with a tree."""
    old = None if old is None else old.removeprefix("./")
    new = None if new is None else new.removeprefix("./")
    if old is not None and new is not None:
        level = common_level(old, new)
        return new if level is None else strip(new, level) or new
    name = new or old or ""
    return strip(name, lone_level(name)) or name


def _is_empty_side(hunks: tuple[Hunk, ...], side: str) -> bool:
    """Whether a single hunk has nothing on its old (``-``) or new (``+``) side."""
    return len(hunks) == 1 and all(tag not in (" ", side) for tag, _ in hunks[0].lines)
