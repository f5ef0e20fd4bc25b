"""What the tests of the store share: clocks, other processes, mounts of their own."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from storage.clock import Millis

ROOT = Path(__file__).parents[2]
DEADLINE = 30.0
"""Seconds after which a test gives up; no passing test waits for it."""


class SetClock:
    """A clock that stands still until it is told to go on."""

    def __init__(self, now: int = 1_772_366_400_000) -> None:
        self.at = now
        self.seconds = 1000.0

    def now(self) -> Millis:
        return Millis(self.at)

    def boot(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        self.at += int(seconds * 1000)
        self.seconds += seconds


class Child:
    """Another Python process that runs a script; it and the test speak in lines."""

    def __init__(self, script: str, *arguments: object, wrapper: tuple[str, ...] = ()) -> None:
        self.process = subprocess.Popen(
            [*wrapper, sys.executable, "-c", script, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            text=True,
        )

    def line(self) -> str:
        """The next line of its output; empty at its end."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def say(self, text: str = "") -> None:
        """Sends a line."""
        assert self.process.stdin is not None
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def end(self) -> str:
        """Waits for its end and returns the rest of its output; it must have ended well."""
        output, _ = self.process.communicate(timeout=DEADLINE)
        assert self.process.returncode == 0, output
        return output

    def kill(self) -> None:
        """Ends it at once, as a power cut would."""
        self.process.kill()
        self.process.communicate(timeout=DEADLINE)

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait(DEADLINE)
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()


async def until(found: Callable[[], bool], reason: str) -> None:
    """Yields to the loop until something holds; fails after the deadline."""
    loop = asyncio.get_running_loop()
    end = loop.time() + DEADLINE
    while not found():
        assert loop.time() < end, f"never happened: {reason}"
        await asyncio.sleep(0.002)


def own_mounts() -> tuple[str, ...] | None:
    """The command prefix that gives a child mounts of its own; none where the system does not allow it."""
    if shutil.which("unshare") is None:
        return None
    prefix = ("unshare", "-m") if os.geteuid() == 0 else ("unshare", "-rm")
    probe = subprocess.run([*prefix, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False)
    return prefix if probe.returncode == 0 else None
