"""Large files, many hunks, many files: time beside ``git apply`` and ``patch``, and the most memory that was used.

    python benchmarks/size.py [--folder DIR] [--lines 1000000] [--hunks 10000] [--files 10000] [--skip-git]

Each program is started once for each case, ``patchctl`` with ``--json``, and timed with its start and with all of it on
disk (which the others do not wait for). Memory is the peak of resident memory by the system's own account.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.com",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.com",
    "LC_ALL": "C",
    "PYTHONPATH": str(Path(__file__).resolve().parents[1]),
}
ENVIRONMENT.pop("PYTHONDONTWRITEBYTECODE", None)
PATCHCTL = [sys.executable, "-m", "vibehq_tui.cli.patchctl", "apply", "--json", "--root", "."]
MEMORY_GOAL = 6.0
LAUNCHER = """
import os, sys, time
read, write = os.pipe()
started = time.perf_counter()
actions = [(os.POSIX_SPAWN_DUP2, write, 1), (os.POSIX_SPAWN_DUP2, write, 2), (os.POSIX_SPAWN_CLOSE, read)]
child = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=actions)
os.close(write)
output = b""
while more := os.read(read, 65536):
    output = (output + more)[:2000]
_, status, usage = os.wait4(child, 0)
facts = os.waitstatus_to_exitcode(status), time.perf_counter() - started, usage.ru_maxrss
os.write(1, b"%d %f %d\\n" % facts + output)
"""
"""A small process, because a child begins with the peak of its parent."""


@dataclass(frozen=True, slots=True)
class Run:
    """One process that came to its end."""

    code: int
    seconds: float
    peak: int
    """Bytes of resident memory at most."""
    output: bytes


def measured(command: list[str], root: Path) -> Run:
    """Runs a command."""
    done = subprocess.run(
        [sys.executable, "-S", "-c", LAUNCHER, *command], cwd=root, env=ENVIRONMENT, capture_output=True, check=True
    )
    facts, _, output = done.stdout.partition(b"\n")
    code, seconds, peak = facts.split()
    return Run(int(code), float(seconds), int(peak) * 1024, output)


def best(command: list[str], root: Path, reset: Callable[[], None], times: int = 3) -> Run:
    """The quickest of several runs, each from the same start."""
    runs = []
    for _ in range(times):
        reset()
        runs.append(measured(command, root))
    return min(runs, key=lambda run: run.seconds)


def row(what: str, run: Run, base: Run | None, goal: str = "", size: int = 0) -> None:
    """One line of the report."""
    ratio = f"{run.seconds / base.seconds:8.3f} ×" if base is not None else " " * 10
    memory = f"{run.peak / 1e6:7.0f} MB" + (f" = {run.peak / size:4.1f} × {size / 1e6:.0f} MB" if size else "")
    print(f"  {what:<22} {run.seconds:8.2f} s {ratio}  {memory}  exit {run.code}  {goal}")


def many_hunks(folder: Path, lines: int, hunks: int, *, with_git: bool) -> None:
    """One file of a million lines with 10,000 hunks."""
    root = folder / "hunks"
    root.mkdir()
    chance = random.Random(1)
    before = [b"line %d of a long file, %x\n" % (number, chance.getrandbits(64)) for number in range(lines)]
    after = list(before)
    step = lines // hunks
    text = [b"--- a/long.txt\n+++ b/long.txt\n"]
    for at in range(step // 2, lines - 4, step):
        after[at] = b"another %d\n" % at
        old, new = before[at - 3 : at + 4], after[at - 3 : at + 4]
        text.append(b"@@ -%d,7 +%d,7 @@\n" % (at - 2, at - 2))
        text += [b" " + line for line in old[:3]] + [b"-" + old[3], b"+" + new[3]] + [b" " + line for line in old[4:]]
    original, wanted, patch = b"".join(before), b"".join(after), folder / "hunks.patch"
    patch.write_bytes(b"".join(text))
    target = root / "long.txt"

    def reset() -> None:
        target.write_bytes(original)
        os.sync()

    size = patch.stat().st_size
    print(f"\n{lines:,} lines ({len(original) / 1e6:.0f} MB), {hunks:,} hunks ({size / 1e6:.1f} MB)")
    ours = best([*PATCHCTL, str(patch)], root, reset)
    right = target.read_bytes() == wanted
    gnu = best(["patch", "-p1", "--silent", "-i", str(patch)], root, reset)
    git = best(["git", "apply", str(patch)], root, reset, 1) if with_git else None
    row("patchctl apply", ours, git, "goal: at most 0.02 × git apply", max(len(original), size))
    row("patch -p1", gnu, git)
    if git is not None:
        row("git apply", git, git)
    print(f"  right: {right}")


def equal_lines(folder: Path, lines: int, block: int) -> None:
    """A million equal lines, and a hunk of 2,000 lines that fits nowhere."""
    root = folder / "equal"
    root.mkdir()
    content = b"the same line\n" * lines
    target = root / "equal.txt"
    patch = folder / "equal.patch"
    half = block // 2
    body = b" the same line\n" * half + b"-the other line\n+a new line\n" + b" the same line\n" * (block - half - 1)
    patch.write_bytes(b"--- a/equal.txt\n+++ b/equal.txt\n@@ -100,%d +100,%d @@\n" % (block, block) + body)
    fitting = folder / "fitting.patch"
    fitting.write_bytes(
        b"--- a/equal.txt\n+++ b/equal.txt\n@@ -1,2 +1,3 @@\n the same line\n+a new line\n the same line\n"
    )
    copy = (
        "import os; d = open('equal.txt', 'rb').read(); f = open('copy.txt', 'wb'); f.write(d); f.flush(); os.fsync(f)"
    )

    def reset() -> None:
        target.write_bytes(content)
        (root / "copy.txt").unlink(missing_ok=True)
        shutil.rmtree(root / ".vibehq", ignore_errors=True)
        os.sync()

    print(f"\n{lines:,} equal lines ({len(content) / 1e6:.0f} MB), a hunk of {block:,} lines that is not there")
    nothing = best([*PATCHCTL[:3], "--version"], root, reset)
    read_write = best([sys.executable, "-c", copy], root, reset)
    ours = best([*PATCHCTL, str(patch)], root, reset)
    fits = best([*PATCHCTL, str(fitting)], root, reset)
    gnu = best(["patch", "-p1", "--silent", "--dry-run", "--force", "-i", str(patch)], root, reset, 1)
    row("patchctl apply", ours, fits, "goal: less than 2 × reading and writing the file", len(content))
    row("  of a hunk that fits", fits, fits, "reads the file and writes it", len(content))
    row("  of nothing", nothing, fits, "its start alone")
    row("a copy in Python", read_write, fits, "on disk, with the start of Python")
    row("patch -p1", gnu, fits)
    print(f"  refused: {ours.code != 0} {ours.output[:300]!r}")


def many_files(folder: Path, count: int) -> None:
    """A patch of 10,000 files: changed, made, removed."""
    root = folder / "files"
    root.mkdir()
    environment = ENVIRONMENT

    def git(*arguments: str) -> bytes:
        return subprocess.run(["git", *arguments], cwd=root, env=environment, check=True, capture_output=True).stdout

    git("init", "-q")
    git("config", "gc.auto", "0")
    for number in range(count):
        path = root / f"d{number % 100}" / f"f{number}.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(f"line {line} of {number}\n" for line in range(30)))
    git("add", "-A")
    git("commit", "-qm", "before")
    for number in range(count):
        path = root / f"d{number % 100}" / f"f{number}.txt"
        if number % 10 == 0:
            path.unlink()
            (path.parent / f"new{number}.txt").write_text(f"made {number}\n")
        else:
            path.write_text(path.read_text().replace("line 15", "another line"))
    git("add", "-A")
    git("commit", "-qm", "after")
    tree = git("rev-parse", "HEAD^{tree}")
    patch = folder / "files.patch"
    patch.write_bytes(git("diff", "--no-renames", "HEAD~1", "HEAD"))

    def reset() -> None:
        git("reset", "-q", "--hard", "HEAD")
        git("reset", "-q", "--hard", "HEAD~1")
        shutil.rmtree(root / ".vibehq", ignore_errors=True)
        git("clean", "-fdq")
        git("update-index", "-q", "--refresh")
        os.sync()

    (root / ".git" / "info" / "exclude").write_text(".vibehq\n")
    heads = git("rev-parse", "HEAD").decode().strip()

    def start() -> None:
        git("update-ref", "--no-deref", "HEAD", heads)
        reset()

    size = patch.stat().st_size
    print(f"\na patch of {count:,} files ({size / 1e6:.1f} MB)")
    theirs = best(["git", "apply", "--index", str(patch)], root, start)
    right = git("write-tree") == tree
    ours = best([*PATCHCTL, str(patch)], root, start)
    git("add", "-A")
    right = right and git("write-tree") == tree
    gnu = best(["patch", "-p1", "--silent", "-i", str(patch)], root, start, 1)
    row("patchctl apply", ours, theirs, "goal: at most 2 × git apply --index", size)
    row("git apply --index", theirs, theirs)
    row("patch -p1", gnu, theirs)
    print(f"  right: {right}")


def main() -> None:
    """Runs every case."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="where files are made")
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--hunks", type=int, default=10_000)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--block", type=int, default=2_000)
    parser.add_argument("--skip-git", action="store_true", help="do not wait for git apply on the long file")
    options = parser.parse_args()
    with TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        many_hunks(folder, options.lines, options.hunks, with_git=not options.skip_git)
        equal_lines(folder, options.lines, options.block)
        many_files(folder, options.files)
    print(f"\ngoal for memory: at most {MEMORY_GOAL:g} × the larger of patch and file")


if __name__ == "__main__":
    main()
