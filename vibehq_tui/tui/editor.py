"""The operator's own editor, in place of the screens, for as long as it runs."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import signal
import tempfile
from pathlib import Path

from textual.app import App, SuspendNotSupported

from storage.errors import Refused

_USUAL = ("nano", "vim", "vi", "micro", "emacs")


def editor_command() -> list[str]:
    """``$VISUAL`` or ``$EDITOR``, in words; else an editor that is usually there.

    :raises Refused: when there is none.
    """
    for name in ("VISUAL", "EDITOR"):
        try:
            words = shlex.split(os.environ.get(name, ""))
        except ValueError as error:
            raise Refused(f"${name} cannot be read: {error}", hint="close its quotes") from error
        if words:
            if shutil.which(words[0]) is None:
                raise Refused(f"${name} is {words[0]}, which is not there", hint=f"set {name} to an editor")
            return words
    found = next((path for name in _USUAL if (path := shutil.which(name))), None)
    if found is None:
        raise Refused("there is no editor", hint="set EDITOR, for example to vim")
    return [found]


async def edit(app: App[int], text: str, *, name: str) -> str:
    """Gives the terminal to the editor until it ends; answers the text as it was saved.

    Bytes that are not UTF-8 come and go as surrogate escapes.

    :param name: of the file, for the editor's own highlighting: ``hunk-3.diff``.
    :raises Refused: when there is no editor, no terminal, or the editor fails.
    """
    command = editor_command()
    with tempfile.TemporaryDirectory(prefix="vibehq-") as folder:
        path = Path(folder) / name
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        try:
            code = await _run(app, [*command, str(path)])
        except SuspendNotSupported as error:
            raise Refused(
                "this terminal cannot be lent to an editor", hint="vibehq patch edit does the same"
            ) from error
        except OSError as error:
            raise Refused(f"{command[0]} does not start: {error.strerror}", hint="look at $EDITOR") from error
        if code:
            raise Refused(f"{command[0]} ended with {code}; the hunk stays as it is", hint="end it without an error")
        return path.read_bytes().decode("utf-8", "surrogateescape")


async def _run(app: App[int], command: list[str]) -> int:
    """Runs a program in place of the screens. What goes on beside it goes on; nothing is painted meanwhile."""
    error: OSError | None = None
    code = 0
    # Ctrl+C belongs to the editor; unlike an ignored signal, one with a handler is as usual in the program started.
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        with app.batch_update(), app.suspend():
            # An exception in here would leave the terminal to nobody.
            try:
                process = await asyncio.create_subprocess_exec(*command)
                code = await process.wait()
            except OSError as caught:
                error = caught
    finally:
        signal.signal(signal.SIGINT, before)
    if error is not None:
        raise error
    return code
