"""One commit for one patch, through plumbing: exactly what the patch changed, no hook, no filter, nobody else's edits.

The commit object is made before a file is touched; what is left after the application is to move the branch, which git
does in one step and only if nobody else has moved it.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from storage.errors import Conflict, Refused
from storage.records import Patch
from vibehq_tui.patches.git import head
from vibehq_tui.patches.model import encode_path
from vibehq_tui.patches.plan import Plan
from vibehq_tui.patches.tree import GitTree, git_environment

_TIMEOUT: Final = 120.0
_GONE: Final = "0 " + "0" * 40


@dataclass(frozen=True, slots=True)
class PreparedCommit:
    """A commit that exists but that no branch shows yet."""

    commit: str
    parent: str
    entries: bytes
    """What becomes of the index, as ``git update-index -z --index-info`` reads it."""


def prepare_commit(root: Path, plan: Plan, patch: Patch, *, actor: str, author: str | None) -> PreparedCommit:
    """Makes the commit of ``plan`` on the current one; neither the tree nor a branch changes.

    :param author: ``Name <address>`` of whoever wrote the patch, where its format says so.
    :raises Refused: without a commit to stand on, or when a touched file has changes that are not committed.
    """
    parent = head(root)
    if parent is None:
        raise Refused("there is no commit to put the patch on", code="no-commit", hint="apply it without --commit")
    _check_clean(root, parent, plan)
    index = root / ".vibehq" / f"commit-{patch.id}.index"
    environment = git_environment() | _identity(root, actor, author) | {"GIT_INDEX_FILE": str(index)}
    try:
        _git(root, environment, "read-tree", parent)
        entries = b"".join(_entry(root, environment, path, blob) for path, blob in _contents(plan))
        _git(root, environment, "update-index", "-z", "--index-info", text=entries)
        tree = _git(root, environment, "write-tree")
        commit = _git(root, environment, "commit-tree", tree, "-p", parent, "-F", "-", text=_message(patch).encode())
    finally:
        index.unlink(missing_ok=True)
    return PreparedCommit(commit, parent, entries)


def publish_commit(root: Path, prepared: PreparedCommit, patch_id: str) -> None:
    """Moves the branch to the commit, and brings the index along for the files of the patch.

    :raises Conflict: when somebody moved the branch in the meantime; it is left where it is.
    """
    environment = git_environment()
    reason = f"vibehq: apply patch {patch_id}"
    try:
        _git(root, environment, "update-ref", "-m", reason, "HEAD", prepared.commit, prepared.parent)
    except Refused as error:
        raise Conflict(
            f"the branch has moved or is locked, so patch {patch_id} was not committed: {error.message}",
            code="branch-moved",
            hint="apply it again",
        ) from error
    # The index is the operator's desk: where git itself has it locked, the commit counts all the same.
    subprocess.run(
        ["git", "update-index", "-z", "--index-info"],
        cwd=root,
        env=environment,
        input=prepared.entries,
        capture_output=True,
        timeout=_TIMEOUT,
        check=False,
    )


def _contents(plan: Plan) -> list[tuple[str, tuple[bytes, int] | None]]:
    return [
        (effect.path, None if effect.after is None else (effect.after.content, effect.after.mode))
        for effect in plan.effects
    ]


def _check_clean(root: Path, parent: str, plan: Plan) -> None:
    tree = GitTree(root, parent)
    try:
        dirty = [effect.path for effect in plan.effects if tree.read(effect.path) != effect.before]
    finally:
        tree.close()
    if dirty:
        raise Refused(
            f"{dirty[0]} has changes that are not committed, and they would go into the commit of the patch",
            code="not-committed",
            hint="commit or stash them first, or apply the patch without --commit",
            details={"paths": dirty},
        )


def _entry(root: Path, environment: dict[str, str], path: str, blob: tuple[bytes, int] | None) -> bytes:
    if blob is None:
        return _GONE.encode() + b"\t" + encode_path(path) + b"\0"
    content, mode = blob
    name = _git(root, environment, "hash-object", "-w", "--no-filters", "--stdin", text=content)
    return f"{mode:o} {name}".encode() + b"\t" + encode_path(path) + b"\0"


def _message(patch: Patch) -> str:
    trailers = [f"Vibehq-Patch: {patch.id}"]
    trailers += [f"Vibehq-Task: {patch.task}"] if patch.task else []
    trailers += [f"Vibehq-Provider: {patch.provider}"] if patch.provider else []
    trailers += [f"Vibehq-Approved-By: {patch.decided_by}"] if patch.decided_by else []
    return f"{patch.title}\n\n" + "\n".join(" ".join(line.split()) for line in trailers) + "\n"


def _identity(root: Path, actor: str, author: str | None) -> dict[str, str]:
    """Who commits: as git knows the operator here, else the account; who wrote it: as the patch says."""
    known = {
        key: subprocess.run(
            ["git", "config", f"user.{key}"], cwd=root, capture_output=True, text=True, timeout=_TIMEOUT, check=False
        ).stdout.strip()
        for key in ("name", "email")
    }
    name = os.environ.get("GIT_COMMITTER_NAME") or known["name"] or actor
    address = os.environ.get("GIT_COMMITTER_EMAIL") or known["email"] or f"{actor}@localhost"
    wrote, _, rest = (author or "").partition("<")
    return {
        "GIT_COMMITTER_NAME": name,
        "GIT_COMMITTER_EMAIL": address,
        "GIT_AUTHOR_NAME": wrote.strip() or name,
        "GIT_AUTHOR_EMAIL": rest.partition(">")[0].strip() or address,
    }


def _git(root: Path, environment: dict[str, str], *arguments: str, text: bytes = b"") -> str:
    """:raises Refused: when git says no; its own words are in the message."""
    try:
        done = subprocess.run(
            ["git", "-c", "core.hooksPath=/dev/null", *arguments],
            cwd=root,
            env=environment,
            input=text,
            capture_output=True,
            timeout=_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Refused(f"git {arguments[0]} did not work: {error}", code="git-failed") from error
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip() or f"exit code {done.returncode}"
        raise Refused(f"git {arguments[0]}: {said}", code="git-failed")
    return done.stdout.decode().strip()
