#!/usr/bin/env python3
"""The review of a patch of 10,000 files in a real pty, beside one of four hundred.

    review.py [--files N] [--keys N] [--idle SECONDS]

Prints, for each patch: how long it takes from Enter in the feed to the first hunk on the screen (planning included),
from a key to the first byte of what it paints (next hunk, line down, page down), and the CPU time of doing nothing.
What makes it large must not be felt: the ratio of the two patches is printed for each key.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tui import _MINIMAL, Terminal

from vibehq_tui.headquarters import Headquarters

_BODY = "".join(f"    value_{line} = compute({line})\n" for line in range(30))
_KEYS = {"next hunk": b"j", "line down": b"\x1b[B", "page down": b"\x06"}


def _git(root: Path, *arguments: str) -> bytes:
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    return subprocess.run(["git", *identity, *arguments], cwd=root, check=True, capture_output=True).stdout


def make_workspace(root: Path, files: int) -> None:
    """A repository of many files; patch 1 changes two lines in each, patch 2 in four hundred."""
    root.mkdir()
    _git(root, "init", "-q")
    for number in range(files):
        path = root / f"package{number % 100}" / f"module{number}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"def function_{number}():\n{_BODY}")
    (root / ".gitignore").write_text(".vibehq/\n")
    (root / "vibehq.toml").write_text(f"[limits]\npatch_files = {files}\n")
    _git(root, "add", "-A")
    _git(root, "commit", "-q", "-m", "Begin")
    for path in root.glob("package*/*.py"):
        text = path.read_text()
        path.write_text(text.replace("compute(12)", "compute(12, exact=True)").replace("value_16 =", "value_16: int ="))
    large, small = (
        _git(root, "diff"),
        _git(root, "diff", "--", *(f"package{number}/module{number}.py" for number in range(400))),
    )
    _git(root, "checkout", "-q", ".")
    asyncio.run(_submit(root, (large, small)))


async def _submit(root: Path, patches: tuple[bytes, ...]) -> None:
    async with await Headquarters.open(root, via="cli", create=True) as hq:
        for text in patches:
            await hq.patches.submit(text)


def measure(root: Path, downs: int, keys: int, idle: float) -> dict[str, float]:
    """Milliseconds by what was done; ``downs`` rows down in the feed is the patch."""
    terminal = Terminal([str(Path(sys.executable).parent / "vibehq")], root)
    try:
        terminal.until(b"proposed")
        terminal.settle(1.0)
        for _ in range(downs):
            terminal.press(b"\x1b[B")
        terminal.settle(1.0)
        terminal.started = time.perf_counter()
        os.write(terminal._fd, b"\r")
        figures = {"open": terminal.until(b"hunk 1") * 1000}
        terminal.settle(2.0)
        for name, key in _KEYS.items():
            figures[name] = statistics.median(terminal.press(key) for _ in range(keys)) * 1000
        figures["idle % CPU"] = terminal.idle(idle)
        return figures
    finally:
        terminal.close()


def minimal(root: Path, keys: int) -> float:
    """Milliseconds from a key to what it paints in an app that shows one number."""
    terminal = Terminal([sys.executable, "-c", _MINIMAL], root)
    try:
        terminal.until(b"painted")
        terminal.settle(1.0)
        return statistics.median(terminal.press(b"j") for _ in range(keys)) * 1000
    finally:
        terminal.close()


def main() -> int:
    """Prints the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--keys", type=int, default=50)
    parser.add_argument("--idle", type=float, default=10.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / "repository"
        make_workspace(root, options.files)
        least = minimal(root, options.keys)
        small = measure(root, 0, options.keys, options.idle)
        large = measure(root, 1, options.keys, options.idle)
    print(f"a key in a minimal Textual app: {least:.2f} ms")
    print(f"{'milliseconds':<12} {'400 files':>10} {f'{options.files} files':>12}")
    for name, figure in small.items():
        print(f"{name:<12} {figure:10.2f} {large[name]:12.2f} {large[name] / max(figure, 0.01):8.2f} ×")
    return 0


if __name__ == "__main__":
    sys.exit(main())
