"""What a command reads: files and standard input; and what the workspace has to say before it answers."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from storage.errors import NotFound, Refused
from vibehq_tui.cli.forms import problem_lines
from vibehq_tui.cli.output import Style, write
from vibehq_tui.text.clean import clean

if TYPE_CHECKING:
    from vibehq_tui.headquarters import Headquarters

MOST: Final = 256 * 1024 * 1024
"""Bytes that are read from a file or from standard input; more is refused before it fills the memory."""
_SHOWN: Final = 5


def read_bytes(name: str) -> bytes:
    """The content of a file, or of standard input for ``-``.

    :raises NotFound: when there is no such file.
    :raises Refused: when it cannot be read or is larger than :data:`MOST`.
    """
    if name == "-":
        if sys.stdin is None or sys.stdin.isatty():
            raise Refused("nothing on standard input", hint="name a file, or pipe one in")
        data = sys.stdin.buffer.read(MOST + 1)
    else:
        try:
            with Path(name).open("rb") as file:
                data = file.read(MOST + 1)
        except FileNotFoundError:
            raise NotFound(f"there is no file {name}", hint="- reads standard input") from None
        except IsADirectoryError:
            raise Refused(f"{name} is a folder", hint="name a file, or - for standard input") from None
        except OSError as error:
            raise Refused(
                f"{name} cannot be read: {error.strerror}", code="unreadable", hint="look at its permissions"
            ) from error
    if len(data) > MOST:
        raise Refused(f"{name} is larger than {MOST // 1024 // 1024} MB", code="too-large", hint="split it")
    return data


def warn_about(hq: Headquarters) -> None:
    """Says on standard error what was found when the workspace was opened: what was half-done, a broken tasks file.

    Neither stops a command that looks: the first is settled by now, of the second the last good state is still there.
    What is merely odd in a tasks file is said by the commands that are about it.
    """
    style = Style.of(sys.stderr)
    lines = [style.paint(f"recovered: {clean(line)}", "warn") for line in hq.recovered]
    problems = [one for one in hq.synced.problems if one.level == "error"] if hq.synced is not None else []
    lines += problem_lines(style, problems[:_SHOWN])
    if len(problems) > _SHOWN:
        lines.append(f"… and {len(problems) - _SHOWN} more: vibehq task validate")
    if lines:
        write("\n".join(lines) + "\n", sys.stderr)
