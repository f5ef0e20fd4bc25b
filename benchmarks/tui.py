#!/usr/bin/env python3
"""The screens on a big workspace against a minimal Textual app, both in a real pty and in this run.

    tui.py [WORKSPACE] [--rounds N] [--keys N] [--idle SECONDS]

Prints, for a workspace of 10,000 tasks, 10,000 patches and 100,000 events: the first paint, which here means the newest
patch on the screen and not only a frame (the limit is 2.0 × the minimal app's), key to repaint in the patch feed
(median, the limit is 2 ×), and the CPU time of doing nothing (the limit is 1 %). The programs take turns, so that a
busy machine slows both.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import select
import signal
import statistics
import struct
import sys
import tempfile
import termios
import time
from pathlib import Path

from workspace import make_workspace

_COLUMNS, _ROWS = 160, 45
_QUIET = 0.15
"""Seconds without output after which a screen counts as stable."""
_LIMIT = 30.0

_MINIMAL = """
from textual.app import App
from textual.widgets import Static

class Minimal(App):
    count = 0
    def compose(self):
        yield Static("painted")
    def on_key(self):
        self.count += 1
        self.query_one(Static).update(f"painted {self.count}")

Minimal().run()
"""


class Terminal:
    """A program in a pseudo-terminal."""

    def __init__(self, command: list[str], folder: Path) -> None:
        self.started = time.perf_counter()
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", XDG_STATE_HOME=str(folder / ".state"))
            time.sleep(0.01)  # until the parent has set the size
            os.execvp(command[0], command)
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, _COLUMNS, 0, 0))

    def read(self, timeout: float) -> bytes:
        """What comes within ``timeout`` seconds; nothing when nothing does."""
        ready, _, _ = select.select([self._fd], [], [], timeout)
        if not ready:
            return b""
        try:
            return os.read(self._fd, 1 << 16)
        except OSError:
            return b""

    def until(self, marker: bytes) -> float:
        """Seconds from the start until ``marker`` has been written."""
        seen = b""
        while marker not in seen:
            if time.perf_counter() - self.started > _LIMIT:
                raise TimeoutError(f"{marker!r} never came; the last that did: {seen[-500:]!r}")
            seen = seen[-200_000:] + self.read(1.0)
        return time.perf_counter() - self.started

    def settle(self, quiet: float = _QUIET) -> None:
        """Reads until nothing has come for a while."""
        while self.read(quiet):
            pass

    def press(self, key: bytes) -> float:
        """Seconds from a key to the first byte of what it painted."""
        self.settle()
        start = time.perf_counter()
        os.write(self._fd, key)
        if not self.read(_LIMIT):
            raise TimeoutError(f"{key!r} painted nothing")
        return time.perf_counter() - start

    def cpu(self) -> float:
        """Seconds of CPU time so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def idle(self, seconds: float) -> float:
        """The share of a core that it takes to do nothing, in percent."""
        self.settle(1.0)
        before, start = self.cpu(), time.perf_counter()
        while (left := start + seconds - time.perf_counter()) > 0:
            self.read(left)
        return 100 * (self.cpu() - before) / (time.perf_counter() - start)

    def close(self) -> None:
        """Ends it."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._fd)


def _paint_once(command: list[str], folder: Path, marker: bytes) -> float:
    terminal = Terminal(command, folder)
    try:
        return terminal.until(marker)
    finally:
        terminal.close()


def _keys_and_idle(
    command: list[str], folder: Path, marker: bytes, keys: int, idle: float
) -> tuple[list[float], float]:
    terminal = Terminal(command, folder)
    try:
        terminal.until(marker)
        terminal.settle(1.5)
        times = [terminal.press(b"j") for _ in range(keys)]
        return times[5:], terminal.idle(idle)
    finally:
        terminal.close()


def measure(programs: dict[str, tuple[list[str], Path, bytes]], rounds: int, keys: int, idle: float) -> None:
    """Prints the figures of each program, and the ratio to the first."""
    paints: dict[str, list[float]] = {name: [] for name in programs}
    for number in range(rounds + 1):
        for name, (command, folder, marker) in programs.items():
            taken = _paint_once(command, folder, marker)
            if number:  # the first warms the caches
                paints[name].append(taken)
    base_paint = base_key = 0.0
    for name, (command, folder, marker) in programs.items():
        times, share = _keys_and_idle(command, folder, marker, keys, idle)
        paint, key = statistics.median(paints[name]), statistics.median(times)
        late = sorted(times)[int(len(times) * 0.95)]
        base_paint, base_key = base_paint or paint, base_key or key
        print(
            f"{name:<10} paint {paint * 1000:6.0f} ms {paint / base_paint:5.2f} ×   "
            f"key {key * 1000:5.2f} ms {key / base_key:5.2f} ×  p95 {late * 1000:5.1f} ms   idle {share:4.2f} % CPU"
        )


def main() -> int:
    """Prints the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("workspace", type=Path, nargs="?")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--keys", type=int, default=105)
    parser.add_argument("--idle", type=float, default=10.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.workspace or make_workspace(Path(scratch) / "big")
        vibehq = str(Path(sys.executable).parent / "vibehq")
        programs = {
            "minimal": ([sys.executable, "-c", _MINIMAL], Path(scratch), b"painted"),
            "vibehq": ([vibehq], folder, b"10000"),
        }
        measure(programs, options.rounds, options.keys, options.idle)
    return 0


if __name__ == "__main__":
    sys.exit(main())
