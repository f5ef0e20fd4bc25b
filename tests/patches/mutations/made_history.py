"""A small repository with a made-up history of real source text, for machines that have no other at hand."""

from __future__ import annotations

import os
import random
import subprocess
import sysconfig
from pathlib import Path

MODULES = ("textwrap", "shlex", "fnmatch", "heapq", "bisect", "configparser", "string", "graphlib")
ENVIRONMENT = {
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.com",
    "GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.com",
    "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "HOME": "/nonexistent",
    "PATH": os.environ["PATH"],
}


def make_history(root: Path, commits: int, seed: int) -> Path:
    """A repository at ``root``: modules of the standard library, edited, moved, added, removed and made executable."""
    chance = random.Random(seed)
    root.mkdir()
    _git(root, "init", "-q", "-b", "main")
    for name in MODULES:
        source = Path(sysconfig.get_path("stdlib"), f"{name}.py")
        target = root / "lib" / f"{name}.py"
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(source.read_bytes())
    (root / "data.bin").write_bytes(chance.randbytes(2000))
    _commit(root, "First")
    for number in range(commits):
        for _ in range(chance.choice([1, 1, 2, 3])):
            _change(root, chance, number)
        _commit(root, f"Change {number}")
    return root


def _git(root: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=root, env=ENVIRONMENT, check=True, capture_output=True)


def _commit(root: Path, message: str) -> None:
    _git(root, "add", "-A")
    _git(root, "commit", "-q", "--allow-empty", "-m", message)


def _change(root: Path, chance: random.Random, number: int) -> None:
    files = sorted(path for path in (root / "lib").rglob("*.py"))
    path = chance.choice(files)
    kind = chance.random()
    if kind < 0.06:
        (root / "data.bin").write_bytes(chance.randbytes(1500) + (root / "data.bin").read_bytes()[:500])
    elif kind < 0.12:
        lines = path.read_text().splitlines(keepends=True)
        (root / "lib" / f"part{number}.py").write_text("".join(lines[:40]))
    elif kind < 0.16 and len(files) > 4:
        path.unlink()
    elif kind < 0.22:
        (root / "lib" / "moved").mkdir(exist_ok=True)
        path.rename(root / "lib" / "moved" / f"{path.stem}_{number}.py")
    elif kind < 0.26:
        path.chmod(0o755 if not path.stat().st_mode & 0o100 else 0o644)
    else:
        _edit(path, chance, number)


def _edit(path: Path, chance: random.Random, number: int) -> None:
    lines = path.read_text().splitlines(keepends=True)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(max(len(lines) - 3, 1))
        kind = chance.random()
        if kind < 0.4:
            lines[at] = lines[at].rstrip("\n") + f"  # seen in {number}\n"
        elif kind < 0.7:
            indent = lines[at][: len(lines[at]) - len(lines[at].lstrip())].rstrip("\n")
            lines[at:at] = [
                f"{indent}value_{number}_{chance.randrange(99)} = {at}\n" for _ in range(chance.randint(1, 3))
            ]
        else:
            del lines[at : at + chance.randint(1, 2)]
    path.write_text("".join(lines))
