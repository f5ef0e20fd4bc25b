"""A root with a real repository, and what git itself makes of three contents."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from vibehq_tui.patches.applying.engine import EngineResult, apply_text

ENVIRONMENT = {
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


def git(root: Path, *arguments: str, stdin: bytes | None = None, codes: tuple[int, ...] = (0,)) -> bytes:
    """What a git command prints."""
    done = subprocess.run(["git", *arguments], cwd=root, env=ENVIRONMENT, input=stdin, capture_output=True, check=False)
    assert done.returncode in codes, done.stderr.decode()
    return done.stdout


def numbered(count: int = 30) -> str:
    return "".join(f"line {number}\n" for number in range(1, count + 1))


class Place:
    """A root with a repository in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        git(root, "init", "-q", "-b", "main")

    def write(self, path: str, content: bytes | str) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)

    def read(self, path: str) -> bytes:
        return (self.root / path).read_bytes()

    def git(self, *arguments: str, **options: Any) -> bytes:
        return git(self.root, *arguments, **options)

    def commit(self) -> str:
        """Everything there is, as a commit; answers its name."""
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "state")
        return self.git("rev-parse", "HEAD").decode().strip()

    def patch(self, *options: str, **contents: bytes | str | None) -> bytes:
        """A git diff from the last commit to the contents (by name, "__" for a dot); the tree stays as it was."""
        for name, content in contents.items():
            path = name.replace("__", ".")
            if content is None:
                (self.root / path).unlink()
            else:
                self.write(path, content)
        self.git("add", "-A")
        text = self.git("diff", "--cached", "--full-index", "--binary", "-M", *options)
        self.git("reset", "-q", "--hard")
        return text

    def apply(self, text: bytes | str, **options: Any) -> EngineResult:
        return apply_text(text.encode() if isinstance(text, str) else text, self.root, **options)

    def forget(self, *names: str) -> None:
        """Loses the history, the receipts, or both."""
        for name in names or (".git", ".vibehq"):
            shutil.rmtree(self.root / name, ignore_errors=True)

    def state(self) -> dict[str, bytes]:
        """Every file outside of git and of the engine's folder."""
        return {
            str(path.relative_to(self.root)): path.read_bytes()
            for path in sorted(self.root.rglob("*"))
            if path.is_file() and not {".git", ".vibehq"} & set(path.relative_to(self.root).parts)
        }


def matches(result: EngineResult) -> list[str]:
    """How each hunk was found."""
    return [hunk["match"] for file in result.files for hunk in file["hunks"]]


def codes(result: EngineResult) -> list[str]:
    return [problem.code for problem in result.errors]


def repairs(result: EngineResult) -> list[str]:
    return [repair.code for repair in result.repairs]


def git_merges(folder: Path, cases: list[tuple[bytes, bytes, bytes]]) -> list[bytes | None]:
    """What ``git merge`` makes of base, ours and theirs, each the content of a file; None for a conflict."""
    git(folder, "init", "-q", "--bare")
    stream = []
    for number, sides in enumerate(cases):
        for offset, content in enumerate(sides):
            name = f"commit refs/heads/{'bot'[offset]}{number}\nmark :{3 * number + offset + 1}\n"
            start = f"from :{3 * number + 1}\n" if offset else ""
            head = f"{name}committer Ada <ada@example.com> 1 +0000\ndata 0\n{start}M 644 inline f\n"
            stream.append(head.encode() + b"data %d\n" % len(content) + content + b"\n")
    git(folder, "fast-import", "--quiet", stdin=b"".join(stream))
    made: list[bytes | None] = []
    for number in range(len(cases)):
        said = git(folder, "merge-tree", "--write-tree", f"o{number}", f"t{number}", codes=(0, 1)).split()
        clean = len(said) == 1
        made.append(git(folder, "cat-file", "blob", f"{said[0].decode()}:f") if clean else None)
    return made
