"""A folder with real files, real git beside it, and the engine under test."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from vibehq_tui.patches.applying.engine import EngineResult, apply_text

GIT_ENVIRONMENT = {
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.com",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.com",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "HOME": "/nonexistent",
    "LC_ALL": "C",
    "PATH": os.environ["PATH"],
}

State = dict[str, tuple[int, bytes]]
"""By path: the kind and executable bit of every file, and its bytes."""


def state_of(root: Path) -> State:
    """Every file below a root, links not followed, without the folders of git and of the engine."""
    found: State = {}
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not (Path(folder) == root and name in (".git", ".vibehq"))]
        links = [name for name in folders if Path(folder, name).is_symlink()]
        for name in [*names, *links]:
            path = Path(folder, name)
            key = os.fsencode(path.relative_to(root)).decode("utf-8", "surrogateescape")
            status = path.lstat()
            if path.is_symlink():
                found[key] = (0o120000, os.fsencode(path.readlink()))
            else:
                found[key] = (0o100755 if status.st_mode & 0o100 else 0o100644, path.read_bytes())
    return found


def git(root: Path, *arguments: str, stdin: bytes | None = None, check: bool = True) -> bytes:
    """What a git command prints."""
    done = subprocess.run(
        ["git", *arguments], cwd=root, env=GIT_ENVIRONMENT, input=stdin, capture_output=True, check=False
    )
    if check and done.returncode != 0:
        raise AssertionError(done.stderr.decode())
    return done.stdout


class Box:
    """A root for patches."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(exist_ok=True)

    def write(self, path: str, content: bytes | str, mode: int | None = None) -> Path:
        """Puts a file there, with the folders it needs."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
        if mode is not None:
            target.chmod(mode)
        return target

    def read(self, path: str) -> bytes:
        return (self.root / path).read_bytes()

    def lines(self, path: str, count: int = 40, prefix: str = "line") -> None:
        """A file of numbered lines."""
        self.write(path, "".join(f"{prefix} {number}\n" for number in range(1, count + 1)))

    def state(self) -> State:
        return state_of(self.root)

    def apply(self, text: bytes | str, **options: Any) -> EngineResult:
        return apply_text(text.encode() if isinstance(text, str) else text, self.root, **options)

    def git(self, *arguments: str, stdin: bytes | None = None, check: bool = True) -> bytes:
        return git(self.root, *arguments, stdin=stdin, check=check)

    def commit(self) -> str:
        """Everything there is, as a commit; answers its name."""
        if not (self.root / ".git").exists():
            self.git("init", "-q", "-b", "main")
            self.git("config", "core.autocrlf", "false")
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "state")
        return self.git("rev-parse", "HEAD").decode().strip()

    def diff(self, *options: str) -> bytes:
        """What changed since the last commit, with new files, as a git patch; then everything is as it was."""
        self.git("add", "-A")
        patch = self.git("diff", "--cached", "--binary", *options)
        self.git("reset", "-q", "--hard")
        return patch

    def forget(self) -> None:
        """Leaves the files alone: no history and no receipts, so that nothing is known of earlier contents."""
        for name in (".git", ".vibehq"):
            shutil.rmtree(self.root / name, ignore_errors=True)

    def codes(self, result: EngineResult) -> list[str]:
        return [problem.code for problem in result.errors]

    def repairs(self, result: EngineResult) -> list[str]:
        return [repair.code for repair in result.repairs]


def hunk_matches(result: EngineResult) -> list[str]:
    """How each hunk was found."""
    return [hunk["match"] for file in result.files for hunk in file["hunks"]]


def unchanged(box: Box, text: bytes | str, **options: Any) -> EngineResult:
    """Applies what must change nothing, and checks that it did not."""
    before = box.state()
    result = box.apply(text, **options)
    assert result.result in ("refused", "conflict", "already-applied", "dry-run"), result.result
    assert box.state() == before
    assert result.receipt is None
    return result
