"""A plan as a git diff: full blob names, quoted names, binary files as ``GIT binary patch``. ``git apply`` takes it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from vibehq_tui.patches.formats.binary import encode_binary
from vibehq_tui.patches.formats.names import quote
from vibehq_tui.patches.planning.blobs import blob_name
from vibehq_tui.patches.planning.planned import PlannedFile, PlannedHunk

_NONE: Final = "0" * 40


def render(files: Iterable[PlannedFile]) -> bytes:
    """All files, in their order."""
    return b"".join(chunk for file in files for chunk in _file(file))


def _file(file: PlannedFile) -> Iterator[bytes]:
    old, new = file.from_ or file.path, file.path
    yield b"diff --git %s %s\n" % (quote(old, "a/"), quote(new, "b/"))
    yield from _modes(file)
    if file.op in ("rename", "copy"):
        word = file.op.encode()
        yield b"%s from %s\n%s to %s\n" % (word, quote(old), word, quote(new))
    before, after = file.before, file.after
    if file.op not in ("create", "delete") and before == after:
        return
    old_blob = _NONE if file.op == "create" or before is None else blob_name(before)
    new_blob = _NONE if file.op == "delete" or after is None else blob_name(after)
    same_mode = file.op not in ("create", "delete") and file.before_mode == file.after_mode
    mode = b" %o" % file.after_mode if same_mode and file.after_mode is not None else b""
    yield b"index %s..%s%s\n" % (old_blob.encode(), new_blob.encode(), mode)
    if file.binary or not any(hunk.lines for hunk in file.hunks):
        if before or after:
            yield b"GIT binary patch\n" + encode_binary(after or b"") + encode_binary(before or b"")
        return
    yield b"--- %s\n" % (b"/dev/null" if file.op == "create" else _side(old, "a/"))
    yield b"+++ %s\n" % (b"/dev/null" if file.op == "delete" else _side(new, "b/"))
    for hunk in file.hunks:
        yield from _hunk(hunk)


def _modes(file: PlannedFile) -> Iterator[bytes]:
    if file.op == "create":
        yield b"new file mode %o\n" % (file.after_mode or 0)
    elif file.op == "delete":
        yield b"deleted file mode %o\n" % (file.before_mode or 0)
    elif file.before_mode != file.after_mode:
        yield b"old mode %o\nnew mode %o\n" % (file.before_mode or 0, file.after_mode or 0)


def _side(path: str, prefix: str) -> bytes:
    name = quote(path, prefix)
    # A tab ends a name that has blanks in it; a time stamp would follow.
    return name + b"\t" if b" " in name and not name.startswith(b'"') else name


def _range(start: int, count: int) -> bytes:
    return b"%d" % start if count == 1 else b"%d,%d" % (start, count)


def _hunk(hunk: PlannedHunk) -> Iterator[bytes]:
    section = hunk.section.encode("utf-8", "surrogateescape")
    ranges = _range(hunk.old_start, hunk.old_lines), _range(hunk.new_start, hunk.new_lines)
    yield b"@@ -%s +%s @@%s\n" % (*ranges, b" " + section if section else b"")
    for tag, line in hunk.lines:
        yield tag.encode() + line
        if not line.endswith(b"\n"):
            yield b"\n\\ No newline at end of file\n"
