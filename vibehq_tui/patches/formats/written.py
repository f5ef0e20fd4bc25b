"""Contents that agents write out: what shows that they are not the content of a file but a picture of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from vibehq_tui.patches.errors import refuse
from vibehq_tui.patches.formats.lines import is_blank

_GUTTER: Final = re.compile(rb"[ \t]{0,12}(\d{1,7})(?:[ \t]?[|:]|\xe2\x94\x82|[ \t]?\xe2\x86\x92|\t)")
_DATA: Final = (".tsv", ".csv", ".txt", ".dat", ".yaml", ".yml", ".tab", ".log")
"""Files in which lines with a number in front are nothing unusual."""


def check_written(lines: Sequence[bytes], path: str, at: int) -> None:
    """Refuses a new content whose every line has the mark of a diff, or its number, in front.

    :param at: index of its first line in the text.
    :raises PatchRefused: when it does.
    """
    filled = [line for line in lines if not is_blank(line)]
    if len(filled) > 1 and all(line.startswith(b"+") for line in filled):
        raise refuse(
            "malformed-file",
            f"line {at + 1}: every line of the content starts with '+', as in a diff",
            path=path,
            hint="leave the marks out, or send a diff",
        )
    if len(filled) > 1 and not path.lower().endswith(_DATA) and _is_numbered(filled):
        raise refuse(
            "malformed-file",
            f"line {at + 1}: every line of the content has its line number in front",
            path=path,
            hint="leave the line numbers out",
        )


def _is_numbered(lines: Sequence[bytes]) -> bool:
    """Whether lines are numbered, each higher than the one before, as in a listing without its blank lines."""
    before = 0
    for line in lines:
        match = _GUTTER.match(line)
        if match is None or int(match[1]) <= before:
            return False
        before = int(match[1])
    return True
