"""Commands that say whether the tree is sound: run in the workspace, with a time limit, and stopped when asked."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, Final

from storage.errors import Refused

_KEPT: Final = 4000
"""Bytes of output that are kept: the end of it, where tools sum up."""
_LOOK_EVERY: Final = 0.1
"""Seconds between looks whether somebody wants it stopped."""
TIMED_OUT: Final = 124
"""The exit code of a command that ran into its time limit, as of ``timeout(1)``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOutcome:
    """What a command said."""

    command: str
    exit_code: int
    output: str
    """The end of what it printed."""
    seconds: float = 0.0

    def to_wire(self) -> dict[str, Any]:
        """``{"command", "exitCode", "output", "seconds"}``."""
        return {
            "command": self.command,
            "exitCode": self.exit_code,
            "output": self.output,
            "seconds": round(self.seconds, 2),
        }

    @property
    def summary(self) -> str:
        """One line: the command, how it ended, and the last thing that it printed."""
        how = "ran into its time limit" if self.exit_code == TIMED_OUT else f"failed with exit code {self.exit_code}"
        last = next((line.strip() for line in reversed(self.output.splitlines()) if line.strip()), "")
        return f"`{self.command}` {how}{f': {last}' if last else ''}"


class ChecksFailed(Refused):
    """The patch was applied, a check failed on it, and it was taken back."""

    default_code = "check-failed"

    def __init__(self, outcome: CheckOutcome) -> None:
        super().__init__(
            f"{outcome.summary}; the patch was taken back",
            hint="look at what the check printed",
            details={"check": outcome.to_wire()},
        )
        self.outcome = outcome


def run_check(
    command: str, root: Path, *, timeout: float | None = None, stopped: Callable[[], bool] = lambda: False
) -> CheckOutcome:
    """Runs a shell command in ``root``. All that it started ends with it when its time is over or it is stopped.

    :param timeout: seconds; none for no limit.
    :param stopped: asked ten times a second; true ends the command as if its time were over.
    """
    began = time.monotonic()
    with TemporaryFile() as output:
        process = subprocess.Popen(
            ["/bin/sh", "-c", command],
            cwd=root,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            process_group=0,
        )
        try:
            code = _wait(process, None if timeout is None else began + timeout, stopped)
        except BaseException:  # an interrupt, too, ends what the command started
            _end(process)
            raise
        text = _end_of(output)
    return CheckOutcome(command=command, exit_code=code, output=text, seconds=time.monotonic() - began)


def run_checks(
    commands: Sequence[str], root: Path, *, timeout: float, stopped: Callable[[], bool] = lambda: False
) -> list[CheckOutcome]:
    """Runs commands one after the other, up to the first that fails."""
    outcomes: list[CheckOutcome] = []
    for command in commands:
        outcomes.append(run_check(command, root, timeout=timeout, stopped=stopped))
        if outcomes[-1].exit_code != 0:
            break
    return outcomes


def _wait(process: subprocess.Popen[bytes], deadline: float | None, stopped: Callable[[], bool]) -> int:
    while True:
        try:
            return process.wait(_LOOK_EVERY)
        except subprocess.TimeoutExpired:
            if stopped() or (deadline is not None and time.monotonic() >= deadline):
                _end(process)
                return TIMED_OUT


def _end(process: subprocess.Popen[bytes]) -> None:
    for number, patience in ((signal.SIGTERM, 2.0), (signal.SIGKILL, None)):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            continue
        if number == signal.SIGKILL:
            return


def _end_of(output: IO[bytes]) -> str:
    size = output.seek(0, 2)
    output.seek(max(size - _KEPT, 0))
    return output.read().decode("utf-8", "replace")
