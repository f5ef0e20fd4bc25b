"""The patches of the demo: each made by git or difflib from a real change to the project's files."""

from __future__ import annotations

import difflib
import json
import re
from pathlib import Path

from vibehq_tui.demo.edits import Edit
from vibehq_tui.demo.git import Git


def perform(root: Path, edit: Edit) -> list[str]:
    """Makes a change in a work tree; answers the paths that it touched.

    :raises ValueError: when a text to replace does not stand in its file exactly once.
    """
    touched: list[str] = []
    for old, new in edit.move.items():
        (root / new).parent.mkdir(parents=True, exist_ok=True)
        (root / old).rename(root / new)
        touched += [old, new]
    for path, replacements in edit.replace.items():
        text = (root / path).read_text(encoding="utf-8")
        for old, new in replacements:
            if text.count(old) != 1:
                raise ValueError(f"{path}: {old!r} stands there {text.count(old)} times")
            text = text.replace(old, new)
        (root / path).write_text(text, encoding="utf-8")
        touched.append(path)
    for path, content in edit.create.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        data = content.encode() if isinstance(content, str) else content
        (root / path).write_bytes(data)
        touched.append(path)
    return touched


def git_patch(git: Git, edit: Edit) -> bytes:
    """The change as git writes it, with renames and binary files; the work tree is as before."""
    perform(git.root, edit)
    git.run("add", "--all")
    patch = git.run("diff", "--cached", "--binary", "--find-renames")
    git.run("reset", "--quiet", "--hard")
    return patch


def mail_patch(git: Git, edit: Edit, message: str, author: str) -> bytes:
    """The change as ``git format-patch`` writes one commit; the work tree and its branch are as before."""
    perform(git.root, edit)
    git.run("add", "--all")
    git.run("commit", "--quiet", "--message", message, "--author", f"{author} <{author}@localhost>")
    patch = git.run("format-patch", "-1", "--stdout")
    git.run("reset", "--quiet", "--hard", "HEAD~1")
    return patch


def unified_patch(git: Git, edit: Edit) -> bytes:
    """The change as a plain unified diff, as ``diff -u`` writes it."""
    before = {path: (git.root / path).read_text(encoding="utf-8") for path in edit.replace}
    perform(git.root, edit)
    lines: list[str] = []
    for path, text in before.items():
        after = (git.root / path).read_text(encoding="utf-8")
        lines += difflib.unified_diff(
            text.splitlines(keepends=True), after.splitlines(keepends=True), f"a/{path}", f"b/{path}"
        )
    git.run("reset", "--quiet", "--hard")
    return "".join(lines).encode()


def careless_patch(git: Git, edit: Edit) -> bytes:
    """A unified diff as a language model writes it: the counts in its headers do not fit their hunks."""
    return re.sub(rb"^(@@ -\d+),\d+ (\+\d+),\d+ @@", rb"\1,9 \2,9 @@", unified_patch(git, edit), flags=re.MULTILINE)


def codex_patch(git: Git, edit: Edit) -> bytes:
    """The change as Codex gives it to ``apply_patch``: places are told by their lines alone."""
    lines = ["*** Begin Patch"]
    for path, content in edit.create.items():
        lines.append(f"*** Add File: {path}")
        lines += [f"+{line}" for line in (content if isinstance(content, str) else content.decode()).splitlines()]
    for line in unified_patch(git, Edit(replace=edit.replace)).decode().splitlines():
        if line.startswith("+++ b/"):
            lines.append(f"*** Update File: {line[6:]}")
        elif line.startswith("@@ "):
            lines.append("@@")
        elif not line.startswith("--- a/"):
            lines.append(line)
    return "\n".join([*lines, "*** End Patch", ""]).encode()


def blocks_patch(edit: Edit) -> bytes:
    """The change as SEARCH/REPLACE blocks, with a word before each as agents like to say one."""
    parts: list[str] = []
    for path, content in edit.create.items():
        body = content if isinstance(content, str) else content.decode()
        parts.append(f"A new file:\n\n{path}\n```\n<<<<<<< SEARCH\n=======\n{body}>>>>>>> REPLACE\n```\n")
    for path, replacements in edit.replace.items():
        for old, new in replacements:
            parts.append(f"This is changed:\n\n{path}\n```\n<<<<<<< SEARCH\n{old}=======\n{new}>>>>>>> REPLACE\n```\n")
    return "\n".join(parts).encode()


def flat_stretch(root: Path) -> bytes:
    """An operation batch: line numbers and a block for each place, as the patch manager of an agent sends it."""
    path = "tidewatch/extremes.py"
    lines = (root / path).read_text(encoding="utf-8").splitlines()
    find = lines.index("def find(readings):") + 1
    loop = lines.index("    for before, at, after in zip(readings, readings[1:], readings[2:]):") + 1
    batch = {
        "orderId": "flat-stretch",
        "requester": "aider",
        "reason": "Do not miss an extreme on a flat stretch",
        "taskId": "7",
        "patches": [
            {
                "op": "insert-before",
                "file": path,
                "line": find,
                "block": "def without_flats(readings):\n"
                '    """The first of each stretch of equal heights."""\n'
                "    kept = []\n"
                "    for reading in readings:\n"
                "        if not kept or kept[-1].height != reading.height:\n"
                "            kept.append(reading)\n"
                "    return kept\n\n",
            },
            {
                "op": "replace-block",
                "file": path,
                "start": loop,
                "end": loop + 4,
                "block": "    kept = without_flats(readings)\n"
                "    for before, at, after in zip(kept, kept[1:], kept[2:]):\n"
                "        if is_high(before, at, after):\n"
                '            found.append(Extreme("high", at.time, at.height))\n'
                "        elif is_low(before, at, after):\n"
                '            found.append(Extreme("low", at.time, at.height))\n',
            },
        ],
    }
    return json.dumps(batch, indent=2).encode()
