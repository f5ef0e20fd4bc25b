"""Committing what a patch changed, and nothing else, when the operator asks for it."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from storage.errors import Refused
from storage.records import Patch
from storage.store import Store
from vibehq_tui.contracts import events
from vibehq_tui.patches.ledger import Ledger
from vibehq_tui.patches.manager import PatchManager
from vibehq_tui.patches.plan import Plan

_TIMEOUT: Final = 60.0
_NO_HOOKS: Final = ("-c", "core.hooksPath=/dev/null")


async def apply_and_commit(patches: PatchManager, store: Store, root: Path, patch_id: str, ledger: Ledger) -> Patch:
    """Applies an approved patch and commits exactly its paths; what else is changed or staged stays as it is.

    The commit is made under the operator's own git configuration, because it is the operator's; hooks do not run.

    :raises Refused: before anything is touched when git could not commit now; with ``details["patch"]`` when the patch
        was applied and git refused the commit all the same.
    """
    await asyncio.to_thread(_check, root)
    applied = await patches.apply(patch_id)
    plan = await patches.plan(patch_id)
    try:
        commit = await asyncio.to_thread(_commit, root, _paths(plan), _message(applied))
    except Refused as error:
        error.details["patch"] = applied.id
        raise
    await store.write(
        lambda tx: ledger.event(tx, events.PATCH_COMMITTED, applied, f"committed as {commit[:12]}", {"commit": commit})
    )
    return applied


def _paths(plan: Plan) -> list[str]:
    moved = [file.from_ for file in plan.files if file.op == "rename" and file.from_ is not None]
    return [*(file.path for file in plan.files), *moved]


def _message(patch: Patch) -> str:
    task = f"\n\nTask: {patch.task}" if patch.task else ""
    return f"{patch.title}{task}\n"


def _git(root: Path, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            ["git", *_NO_HOOKS, *arguments],
            cwd=root,
            input=given,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            timeout=_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Refused(
            f"git cannot be run: {error}", code="git-failed", hint="vibehq doctor says what is there"
        ) from error


def _check(root: Path) -> None:
    """:raises Refused: when git would not commit now."""
    for arguments, hint in (
        (("rev-parse", "--git-dir"), "the workspace is no git repository; apply without --commit"),
        (("var", "GIT_COMMITTER_IDENT"), "tell git who you are: git config user.name and user.email"),
    ):
        done = _git(root, *arguments)
        if done.returncode:
            raise Refused(_last(done, "git cannot commit here"), code="cannot-commit", hint=hint)
    if _git(root, "rev-parse", "--verify", "--quiet", "MERGE_HEAD").returncode == 0:
        raise Refused("a merge is under way", code="cannot-commit", hint="finish it, or apply without --commit")


def _commit(root: Path, paths: Sequence[str], message: str) -> str:
    names = "\0".join(paths)
    from_input = ("--pathspec-from-file=-", "--pathspec-file-nul")
    literal = ("--literal-pathspecs",)
    for step in (
        ("add", "--intent-to-add", "--force"),
        ("commit", "--quiet", "--no-gpg-sign", "--only", "-m", message),
    ):
        wanted = names if step[0] == "commit" else "\0".join(path for path in paths if (root / path).exists())
        done = _git(root, *literal, *step, *from_input, given=wanted)
        if done.returncode:
            said = _last(done, "git refused the commit")
            raise Refused(
                f"the patch is applied, but it was not committed: {said}",
                code="not-committed",
                hint="commit it by hand, or take it out again with vibehq patch revert",
            )
    return _git(root, "rev-parse", "HEAD").stdout.strip()


def _last(done: subprocess.CompletedProcess[str], otherwise: str) -> str:
    lines = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
    return lines[-1].removeprefix("fatal: ").removeprefix("error: ") if lines else otherwise
