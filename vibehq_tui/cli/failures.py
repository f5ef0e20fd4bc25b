"""Every way in which a call can fail, and what is said then. A traceback is never shown; it is kept in a file."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import click

from storage.errors import Refused, Usage, VibeError

_HINTS = {
    errno.ENOSPC: "free some space; nothing was half-done",
    errno.EDQUOT: "the quota is used up; free some space",
    errno.EROFS: "the file system is read-only; look with --read-only, or work elsewhere",
    errno.EACCES: "look at the permissions of the file and of its folder",
    errno.EPERM: "look at the owner and the permissions of the file",
    errno.EMFILE: "too many open files; raise the limit with ulimit -n",
}


def from_click(error: click.ClickException) -> VibeError:
    """A wrong command line, in this program's words."""
    hint = ""
    if isinstance(error, click.UsageError) and error.ctx is not None:
        hint = f"{error.ctx.command_path} --help"
    return Usage(error.format_message(), hint=hint)


def from_os(error: OSError) -> VibeError:
    """The system's refusal, with the file it is about."""
    name = error.filename if isinstance(error.filename, str) else os.fsdecode(error.filename or b"")
    reason = error.strerror or str(error)
    return Refused(
        f"{name}: {reason}" if name else reason,
        code="io-error",
        hint=_HINTS.get(error.errno or 0, ""),
        details={"path": name} if name else {},
    )


def from_defect(error: BaseException, state: Path | None) -> VibeError:
    """An error that nobody foresaw: the traceback goes to a file, the screen gets one line.

    :param state: the ``.vibehq`` folder; a temporary file is used where there is none or it cannot be written.
    """
    kept = _keep_traceback(error, state)
    said = f"{type(error).__name__}: {error}".splitlines()[0]
    return VibeError(
        f"an error in vibehq itself: {said}",
        code="internal",
        hint=f"the details are in {kept}" if kept else "the details could not be written anywhere",
        details={"log": str(kept)} if kept else {},
    )


def _keep_traceback(error: BaseException, state: Path | None) -> Path | None:
    import tempfile  # noqa: PLC0415 - as below
    import time  # noqa: PLC0415 - as below
    import traceback  # noqa: PLC0415 - every call would pay for it

    text = (
        f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} {' '.join(sys.argv)}\n{''.join(traceback.format_exception(error))}\n"
    )
    folders = ([state] if state is not None and state.is_dir() else []) + [Path(tempfile.gettempdir())]
    for folder in folders:
        path = folder / ("crash.log" if folder is state else f"vibehq-crash-{os.getuid()}.log")
        try:
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW
            with os.fdopen(os.open(path, flags, 0o600), "a", encoding="utf-8", errors="replace") as file:
                file.write(text)
        except OSError:
            continue
        return path
    return None
