"""What the patch road asks git: which commit the tree stands on, and what a revision means."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

from storage.errors import NotFound
from vibehq_tui.patches.planning.tree import git_environment

_TIMEOUT: Final = 20.0


def _ask(root: Path, *arguments: str) -> str | None:
    """The answer of git on one line, none when it has none (not a repository, no commit yet, no such revision)."""
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=root, env=git_environment(), capture_output=True, timeout=_TIMEOUT, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None  # git is not there or hangs on a dead file system: the road works without it
    return done.stdout.decode("utf-8", "surrogateescape").strip() if done.returncode == 0 else None


def head(root: Path) -> str | None:
    """The commit that the work tree stands on; none outside git and before the first commit."""
    return _ask(root, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")


def branch(root: Path) -> str | None:
    """The short name of the current branch; none outside git and on a detached head."""
    return _ask(root, "symbolic-ref", "--quiet", "--short", "HEAD")


def resolve_commit(root: Path, revision: str) -> str:
    """The full name of the commit that ``revision`` means.

    :raises NotFound: when it means none.
    """
    commit = _ask(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    if commit is None:
        raise NotFound(
            f"there is no commit {revision}", code="unknown-revision", hint="git log shows the commits there are"
        )
    return commit
