"""A git work tree, and how tests make patches of it."""

from __future__ import annotations

import subprocess
from pathlib import Path

LINES = [f"line {number}\n" for number in range(1, 41)]


class Repository:
    """A git work tree, and how tests make patches of it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def git(self, *arguments: str) -> str:
        environment = {
            "GIT_AUTHOR_NAME": "Ada",
            "GIT_AUTHOR_EMAIL": "ada@example.com",
            "GIT_COMMITTER_NAME": "Ada",
            "GIT_COMMITTER_EMAIL": "ada@example.com",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "PATH": "/usr/local/bin:/usr/bin:/bin",
        }
        done = subprocess.run(
            ["git", *arguments], cwd=self.root, env=environment, capture_output=True, check=True, text=True
        )
        return done.stdout

    def write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def read(self, path: str) -> str:
        return (self.root / path).read_text()

    def commit(self, message: str) -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)
        return self.git("rev-parse", "HEAD").strip()

    def diff_of(self, path: str, *replacements: tuple[str, str]) -> bytes:
        """A git diff that makes the replacements in ``path``; the tree is left as it was."""
        before = self.read(path)
        after = before
        for old, new in replacements:
            assert old in after
            after = after.replace(old, new, 1)
        self.write(path, after)
        diff = self.git("diff", "--", path)
        self.write(path, before)
        return diff.encode()
