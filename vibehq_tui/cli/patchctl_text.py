"""What ``patchctl`` prints: one JSON document for programs, or few lines for people. Text of patches is cleaned."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any, TextIO

from storage.errors import VibeError

_COLOURS = {"red": "31", "green": "32", "yellow": "33", "dim": "2"}
_SIGNS = {
    "applied": ("✓", "green"),
    "already-applied": ("=", "green"),
    "dry-run": ("✓", "green"),
    "refused": ("✗", "red"),
    "conflict": ("✗", "red"),
}
_WORDS = {
    "applied": "applied",
    "already-applied": "already applied; nothing was changed",
    "dry-run": "would apply; nothing was changed",
    "refused": "refused; nothing was changed",
    "conflict": "conflict; nothing was changed",
}


class PipeClosed(Exception):
    """The reader of standard output went away."""


Line = tuple[str, str] | str
"""A line, with a colour or without."""


def clean(text: str, limit: int = 500) -> str:
    """A line of unknown origin, fit to be shown. What is plain ASCII needs no tables for that."""
    if len(text) <= limit and text.isascii() and text.isprintable():
        return text
    from vibehq_tui.text import clean as cleaning  # noqa: PLC0415 - compiles its tables on loading

    return cleaning.clean(text, limit)


def clean_text(text: str) -> str:
    """The same for many lines."""
    from vibehq_tui.text import clean as cleaning  # noqa: PLC0415 - compiles its tables on loading

    return cleaning.clean_lines(text)


def _coloured(stream: TextIO) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _print(lines: Sequence[Line], stream: TextIO) -> None:
    colour = _coloured(stream)
    output = []
    for line in lines:
        shown, tone = line if isinstance(line, tuple) else (line, "")
        output.append(f"\x1b[{_COLOURS[tone]}m{shown}\x1b[0m\n" if colour and tone else f"{shown}\n")
    _write("".join(output), stream)


def _write(text: str, stream: TextIO) -> None:
    """:raises PipeClosed: when nobody reads any more."""
    try:
        try:
            stream.write(text)
        except UnicodeEncodeError:
            encoding = stream.encoding or "ascii"
            stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()
    except BrokenPipeError as error:
        raise PipeClosed from error


def emit(document: dict[str, Any], lines: Sequence[Line] | Iterator[Line], *, as_json: bool) -> None:
    """Prints an answer on standard output."""
    if as_json:
        _write(json.dumps(document, separators=(",", ":")) + "\n", sys.stdout)
    else:
        _print(list(lines), sys.stdout)


def emit_error(error: VibeError, *, as_json: bool) -> int:
    """Prints why a command did nothing, and answers its exit code."""
    if as_json:
        _write(json.dumps(error.to_wire(), separators=(",", ":")) + "\n", sys.stdout)
    else:
        lines: list[Line] = [(f"✗ {clean(error.message)}", "red")]
        if error.hint:
            lines.append((f"  {clean(error.hint)}", "dim"))
        _print(lines, sys.stderr)
    return error.exit_code


def results(document: dict[str, Any]) -> Iterator[Line]:
    """What became of one patch, or of several."""
    if "patches" not in document:
        yield from _result(document, "")
        return
    for answer in document["patches"]:
        yield from _result(answer, f"{clean(answer['file'])}: ")


def _result(answer: dict[str, Any], name: str) -> Iterator[Line]:
    sign, tone = _SIGNS[answer["result"]]
    yield (f"{sign} {name}{_WORDS[answer['result']]}", tone)
    failed = answer["result"] in ("refused", "conflict")
    if not failed:
        for file in answer["files"]:
            yield f"  {_file(file)}"
    for repair in answer["repairs"]:
        yield (f"  repaired {_where(repair)}{clean(repair['message'])} ({repair['code']})", "yellow")
    for warning in answer["warnings"]:
        yield (f"  {clean(warning)}", "yellow")
    for error in answer["errors"]:
        yield (f"  {_where(error)}{clean(error['message'], 1000)}", "red")
        if error["candidates"]:
            yield f"    candidates: line {', '.join(map(str, error['candidates']))}"
        if error.get("nearest") or error.get("regions"):
            yield from _places(error)
    check = answer.get("check")
    if check is not None and check["exitCode"]:
        yield from ((f"    {clean(line)}") for line in check["output"].splitlines()[-20:])
    if answer.get("hint"):
        yield (f"  {clean(answer['hint'])}", "dim")
    if answer.get("receipt") and answer["result"] == "applied":
        yield (f"  undo: patchctl revert {answer['receipt']}", "dim")
    if answer.get("diff"):
        yield from _diff(answer["diff"])


def _places(error: dict[str, Any]) -> Iterator[Line]:
    from vibehq_tui.cli import side_by_side  # noqa: PLC0415 - only for what does not fit

    width = side_by_side.terminal_width()
    if error.get("nearest"):
        yield from side_by_side.nearest(error["nearest"], clean, width)
    yield from side_by_side.regions(error.get("regions", ()), clean, width)


def _where(problem: dict[str, Any]) -> str:
    parts = [clean(problem["path"])] if problem["path"] else []
    if problem["hunk"]:
        parts.append(f"hunk {problem['hunk']}")
    return f"{', '.join(parts)}: " if parts else ""


def _file(file: dict[str, Any]) -> str:
    name = clean(file["path"])
    if file["from"]:
        name = f"{clean(file['from'])} → {name}"
    notes = []
    moved = [hunk for hunk in file["hunks"] if hunk["match"] != "exact"]
    if moved:
        kinds = ", ".join(sorted({hunk["match"] for hunk in moved}))
        notes.append(f"{len(moved)} of {len(file['hunks'])} hunks by {kinds}")
    note = f"  ({'; '.join(notes)})" if notes else ""
    return f"{file['op']:<7} {name}  +{file['added']} −{file['removed']}{note}"


def _diff(diff: str) -> Iterator[Line]:
    yield ""
    for line in clean_text(diff).splitlines():
        tone = {"+": "green", "-": "red", "@": "dim"}.get(line[:1], "")
        yield (line, tone) if tone else line


def receipts(items: Sequence[dict[str, Any]]) -> Iterator[Line]:
    """Receipts, one a line."""
    if not items:
        yield "nothing was applied here yet"
    for item in items:
        files = item["files"]
        what = clean(files[0]["path"]) if files else ""
        more = f" and {len(files) - 1} more" if len(files) > 1 else ""
        title = f"  {clean(item['title'])}" if item["title"] else ""
        yield f"{item['id']}  {item['kind']:<6}  +{item['added']} −{item['removed']}  {what}{more}{title}"


def receipt(document: dict[str, Any]) -> Iterator[Line]:
    """One receipt with its diff."""
    reverts = f" of {document['reverts']}" if document["reverts"] else ""
    yield f"{document['id']}  {document['kind']}{reverts}  {document['at']}"
    for file in document["files"]:
        yield f"  {_file(file)}"
    yield from _diff(document["diff"])


def markers(items: Sequence[dict[str, Any]], problems: Sequence[dict[str, Any]] = ()) -> Iterator[Line]:
    """Markers, one a line; then what is wrong with them."""
    if not items:
        yield "no markers"
    for item in items:
        end = f"-{item['end']}" if item["end"] else ""
        span = item["span"]
        holds = f"lines {span['start']}-{span['end']}" if span else item["state"]
        where = f"{clean(item['path'])}:{item['line']}{end}"
        yield f"{where}  {clean(item['name'])}  {item['kind']}  ({holds}; inserts at {item['insert']})"
    for problem in problems:
        yield (f"{clean(problem['path'])}:{problem['line']}  {clean(problem['message'])}", "yellow")
