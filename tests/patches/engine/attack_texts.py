"""A patch for every place in which a name can stand, in every format.

A format joins in as soon as the engine takes it. Those whose names have no quotes carry only names of one line.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from vibehq_tui.patches.formats import FORMATS
from vibehq_tui.patches.formats.binary import encode_binary
from vibehq_tui.patches.formats.names import quote

HUNK = "@@ -1 +1 @@\n-secret\n+changed\n"
MADE = "@@ -0,0 +1 @@\n+made\n"
GONE = "@@ -1 +0,0 @@\n-secret\n"
MAIL = (
    "From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\n"
    "From: Ada <ada@example.com>\nDate: Mon, 2 Mar 2026 10:00:00 +0000\nSubject: [PATCH {number}/{total}] One\n\n"
    "---\n\n"
    "{diff}-- \n2.39.5\n\n"
)


def spell(path: str) -> str:
    """The path quoted the way git does it, so that it stands in a header whatever is in it."""
    return quote(path).decode()


def mails(*diffs: str) -> str:
    """A mailbox with a mail for each diff."""
    return "".join(MAIL.format(number=number, total=len(diffs), diff=diff) for number, diff in enumerate(diffs, 1))


def one_line(path: str) -> bool:
    """Whether a name can stand in a line by itself."""
    return "\n" not in path and "\r" not in path and "\0" not in path and path.strip() == path != ""


def unified(path: str) -> dict[str, str]:
    name, old, new = spell(path), quote(path, "a/").decode(), quote(path, "b/").decode()
    return {
        "modify": f"--- {old}\n+++ {new}\n{HUNK}",
        "modify, no prefix": f"--- {name}\n+++ {name}\n{HUNK}",
        "old name": f"--- {name}\n+++ b/file\n{HUNK}",
        "new name": f"--- a/file\n+++ {name}\n{HUNK}",
        "create": f"--- /dev/null\n+++ {new}\n{MADE}",
        "delete": f"--- {old}\n+++ /dev/null\n{GONE}",
    }


def git(path: str) -> dict[str, str]:
    name, old, new = spell(path), quote(path, "a/").decode(), quote(path, "b/").decode()
    blob = "1" * 40
    packed = encode_binary(b"\0x").decode() + encode_binary(b"").decode()
    head = f"diff --git {old} {new}\n"
    return {
        "modify": f"{head}--- {old}\n+++ {new}\n{HUNK}",
        "create": f"{head}new file mode 100644\n--- /dev/null\n+++ {new}\n{MADE}",
        "create empty": f"{head}new file mode 100644\nindex 0000000..e69de29\n",
        "delete": f"{head}deleted file mode 100644\n--- {old}\n+++ /dev/null\n{GONE}",
        "mode": f"{head}old mode 100644\nnew mode 100755\n",
        "rename from": f"diff --git {old} b/file2\nsimilarity index 100%\nrename from {name}\nrename to file2\n",
        "rename to": f"diff --git a/file {new}\nsimilarity index 100%\nrename from file\nrename to {name}\n",
        "copy from": f"diff --git {old} b/file2\nsimilarity index 100%\ncopy from {name}\ncopy to file2\n",
        "copy to": f"diff --git a/file {new}\nsimilarity index 100%\ncopy from file\ncopy to {name}\n",
        "hidden rename from": f"diff --git a/x b/file2\nsimilarity index 100%\nrename from {name}\nrename to file2\n",
        "hidden rename to": f"diff --git a/file b/x\nsimilarity index 100%\nrename from file\nrename to {name}\n",
        "hidden copy from": f"diff --git a/x b/file2\nsimilarity index 100%\ncopy from {name}\ncopy to file2\n",
        "hidden copy to": f"diff --git a/file b/x\nsimilarity index 100%\ncopy from file\ncopy to {name}\n",
        "link": f"{head}new file mode 120000\n--- /dev/null\n+++ {new}\n{MADE}",
        "binary": f"{head}new file mode 100644\nindex {'0' * 40}..{blob}\nGIT binary patch\n{packed}",
        "submodule": f"{head}new file mode 160000\nindex 0000000..1234567\n--- /dev/null\n+++ {new}\n{MADE}",
    }


def mbox(path: str) -> dict[str, str]:
    harmless = "diff --git a/other b/other\nnew file mode 100644\n--- /dev/null\n+++ b/other\n@@ -0,0 +1 @@\n+x\n"
    found = {}
    for kind, diff in git(path).items():
        found[f"first, {kind}"] = mails(diff, harmless)
        found[f"second, {kind}"] = mails(harmless, diff)
    return found


def codex(path: str) -> dict[str, str]:
    if not one_line(path):
        return {}
    bodies = {
        "add": f"*** Add File: {path}\n+made\n",
        "update": f"*** Update File: {path}\n@@\n-secret\n+changed\n",
        "delete": f"*** Delete File: {path}\n",
        "move from": f"*** Update File: {path}\n*** Move to: file2\n@@\n-secret\n+changed\n",
        "move to": f"*** Update File: file\n*** Move to: {path}\n@@\n-secret\n+changed\n",
    }
    return {kind: f"*** Begin Patch\n{body}*** End Patch\n" for kind, body in bodies.items()}


def search_replace(path: str) -> dict[str, str]:
    if not one_line(path):
        return {}
    block = "<<<<<<< SEARCH\nsecret\n=======\nchanged\n>>>>>>> REPLACE\n"
    new = "<<<<<<< SEARCH\n=======\nmade\n>>>>>>> REPLACE\n"
    return {
        "above the fence": f"{path}\n```\n{block}```\n",
        "in the fence": f"```\n{path}\n{block}```\n",
        "no fence": f"{path}\n{block}",
        "as code": f"`{path}`\n```\n{block}```\n",
        "new file": f"{path}\n```\n{new}```\n",
        "info of the fence": f"```python {path}\n{block}```\n",
        "in the marker": f"<<<<<<< SEARCH {path}\nsecret\n=======\nchanged\n>>>>>>> REPLACE\n",
    }


def udiff(path: str) -> dict[str, str]:
    name, old, new = spell(path), quote(path, "a/").decode(), quote(path, "b/").decode()
    hunk, made = "@@ ... @@\n-secret\n+changed\n", "@@ @@\n+made\n"
    found = {
        "modify": f"--- {old}\n+++ {new}\n{hunk}",
        "no prefix": f"```diff\n--- {name}\n+++ {name}\n{hunk}```\n",
        "create": f"--- /dev/null\n+++ {name}\n{made}",
        "delete": f"--- {name}\n+++ /dev/null\n@@ @@\n-secret\n",
    }
    if one_line(path):
        found["raw"] = f"--- {path}\n+++ {path}\n{hunk}"
    return found


def whole_file(path: str) -> dict[str, str]:
    if not one_line(path):
        return {}
    return {
        "name above": f"{path}\n```\nmade\n```\n",
        "bold": f"**{path}**\n\n```\nmade\n```\n",
        "heading": f"### {path}\n```python\nmade\n```\n",
        "info": f"```python {path}\nmade\n```\n",
        "colon": f"```python:{path}\nmade\n```\n",
        "title": f'```python title="{path}"\nmade\n```\n',
        "comment": f"```python\n# {path}\nmade\n```\n",
        "tag": f'<file path="{path}">\nmade\n</file>\n',
        "write": f"<write_to_file>\n<path>{path}</path>\n<content>\nmade\n</content>\n</write_to_file>\n",
    }


def operations(path: str) -> dict[str, str]:
    found = {
        "file": {"op": "append", "file": path, "block": "x"},
        "replace": {"op": "replace-block", "file": path, "start": 1, "end": 1, "block": "x"},
        "marker": {"op": "insert-after", "file": path, "marker": "secret", "block": "x"},
        "create": {"op": "create", "file": path, "block": "x"},
        "create from": {"op": "create", "file": "file2", "blockFile": path},
        "delete": {"op": "delete", "file": path},
        "move from": {"op": "move", "file": path, "to": "file2"},
        "move to": {"op": "move", "file": "file", "to": path},
        "block file": {"op": "append", "file": "file", "blockFile": path},
    }
    return {kind: json.dumps({"patches": [operation]}) for kind, operation in found.items()}


_MAKERS: dict[str, Callable[[str], dict[str, str]]] = {
    "unified": unified,
    "git": git,
    "mbox": mbox,
    "codex": codex,
    "search-replace": search_replace,
    "udiff": udiff,
    "whole-file": whole_file,
    "operations": operations,
}
KINDS = tuple(name for name in _MAKERS if name in FORMATS)
"""The formats that the engine takes."""


def attacks(format_name: str, path: str) -> dict[str, bytes]:
    """Patches of a format that name ``path``, by the place where they name it."""
    return {kind: text.encode("utf-8", "surrogateescape") for kind, text in _MAKERS[format_name](path).items()}
