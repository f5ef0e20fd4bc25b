"""Real commits, those of this project, written down as agents would: each is applied exactly, or refused."""

from __future__ import annotations

import os
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from format_helpers import Box

from vibehq_tui.patches.errors import AlreadyApplied, PatchConflict, PatchRefused
from vibehq_tui.patches.formats import parse
from vibehq_tui.patches.model import Change
from vibehq_tui.patches.planning.planner import make_plan
from vibehq_tui.patches.planning.tree import WorkTree

PROJECT = Path(__file__).parents[3]
ENVIRONMENT = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}


def git(*arguments: str) -> bytes:
    """What git says about this project; nothing when it has no history here."""
    done = subprocess.run(["git", *arguments], cwd=PROJECT, env=ENVIRONMENT, capture_output=True, check=False)
    return done.stdout if done.returncode == 0 else b""


def codex(changes: tuple[Change, ...], *, anchored: bool) -> bytes:
    """The changes of a commit as ``*** Begin Patch``."""
    output = [b"*** Begin Patch\n"]
    for change in changes:
        if change.op == "create":
            output.append(b"*** Add File: %s\n" % change.path.encode())
            output += [b"+" + line for hunk in change.hunks for _, line in hunk.lines]
            continue
        output.append(b"*** Update File: %s\n" % change.path.encode())
        for hunk in change.hunks:
            output.append(b"@@ %s\n" % hunk.section.encode() if anchored and hunk.section else b"@@\n")
            output += [tag.encode() + line for tag, line in hunk.lines]
    return b"".join([*output, b"*** End Patch\n"])


def udiff(changes: tuple[Change, ...]) -> bytes:
    """The same as a diff without line numbers."""
    output = [b"```diff\n"]
    for change in changes:
        old = b"--- /dev/null\n" if change.op == "create" else b"--- a/%s\n" % change.path.encode()
        output += [old, b"+++ b/%s\n" % change.path.encode()]
        for hunk in change.hunks:
            output += [b"@@ ... @@\n", *(tag.encode() + line for tag, line in hunk.lines)]
    return b"".join([*output, b"```\n"])


def blocks(changes: tuple[Change, ...]) -> bytes:
    """The same as SEARCH/REPLACE blocks."""
    return b"".join(
        b"%s\n<<<<<<< SEARCH\n%s=======\n%s>>>>>>> REPLACE\n\n"
        % (change.path.encode(), b"".join(hunk.old()), b"".join(hunk.new()))
        for change in changes
        for hunk in change.hunks
    )


def files(after: dict[str, bytes]) -> bytes:
    """The same as files written out whole."""
    return b"".join(b"``````text path=%s\n%s``````\n\n" % (path.encode(), text) for path, text in after.items())


def changes_of(commit: str) -> tuple[Change, ...]:
    """What a commit changes, when every format can say it."""
    raw = git("diff", "--no-renames", f"{commit}^", commit)
    if not raw.strip():
        return ()
    changes = parse(raw).changes
    for change in changes:
        plain = change.binary is None and change.op in ("modify", "create") and change.new_mode in (None, 0o100644)
        if not plain or not change.hunks:
            return ()
        if any(not line.endswith(b"\n") for hunk in change.hunks for _, line in hunk.lines):
            return ()
    return changes


def outcome(text: bytes, root: Path, after: dict[str, bytes]) -> str:
    """``exact``, or the code of the refusal; anything else fails the test."""
    tree = WorkTree(root)
    try:
        plan = make_plan(parse(text), tree)
    except (PatchRefused, PatchConflict) as error:
        return error.problems[0].code
    except AlreadyApplied:
        return "already-applied"
    finally:
        tree.close()
    assert {file.path: file.after for file in plan.files} == after
    return "exact"


def compare(tmp_path: Path, count: int) -> float:
    """Which part of so many commits, in every format, is applied exactly; the rest is refused."""
    commits = git("log", "--no-merges", "--format=%H", f"-{count}", "--min-parents=1").decode().split()
    found: Counter[str] = Counter()
    for commit in commits:
        changes = changes_of(commit)
        if not changes:
            continue
        box = Box(tmp_path / commit)
        after = {change.path: git("show", f"{commit}:{change.path}") for change in changes}
        for change in changes:
            if change.op == "modify":
                box.write(change.path, git("show", f"{commit}^:{change.path}"))
        texts = [codex(changes, anchored=False), codex(changes, anchored=True), udiff(changes), blocks(changes)]
        found.update(outcome(text, box.root, after) for text in [*texts, files(after)])
    if not found:
        pytest.skip("there is no history here")
    assert found["already-applied"] == 0
    return found["exact"] / found.total()


def test_recent_commits(tmp_path: Path) -> None:
    assert compare(tmp_path, 12) >= 0.5


@pytest.mark.long
def test_all_commits(tmp_path: Path) -> None:
    assert compare(tmp_path, 2000) >= 0.8
