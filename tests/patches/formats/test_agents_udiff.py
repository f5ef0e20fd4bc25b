"""Answers as models give them when they are asked for a diff: numbers absent or invented, marks lost, prose around."""

from __future__ import annotations

from pathlib import Path

import pytest
from format_helpers import Box
from shop import Case, run, swap

NAMES = "--- a/src/shop/cart.py\n+++ b/src/shop/cart.py\n"
BODY = """     def add(self, name: str, count: int = 1) -> None:
         \"\"\"Puts something into the cart.\"\"\"
-        self.items[name] = self.items.get(name, 0) + count
+        self.items[name] = self.items.get(name, 0) + max(count, 0)

     def remove(self, name: str) -> None:
"""
ADD = ("self.items.get(name, 0) + count", "self.items.get(name, 0) + max(count, 0)")
RENAME = '-def empty() -> Cart:\n+def new() -> Cart:\n     """A cart with nothing in it."""\n'

CASES = [
    Case("aider", f"```diff\n{NAMES}@@ ... @@\n{BODY}```\n", swap("src/shop/cart.py", ADD), format="udiff"),
    Case(
        "two hunks, the later one first",
        f"```diff\n{NAMES}@@ ... @@\n{RENAME}\n@@ ... @@\n{BODY}```\n",
        swap("src/shop/cart.py", ADD, ("def empty()", "def new()")),
    ),
    Case(
        "functions named in headers",
        "```diff\n--- web/app.js\n+++ web/app.js\n@@ export function clear(root) {\n-  root.innerHTML = '';\n"
        "+  root.replaceChildren();\n }\n```\n",
        swap("web/app.js", ("clear(root) {\n  root.innerHTML = '';", "clear(root) {\n  root.replaceChildren();")),
    ),
    Case(
        "invented numbers",
        f"```diff\n{NAMES}@@ -120,7 +120,7 @@ class Cart:\n{BODY}```\n",
        swap("src/shop/cart.py", ADD),
        repairs=("hunk-count",),
        format="unified",
    ),
    Case(
        "invented numbers, said to be",
        f"{NAMES}@@ -120,5 +120,5 @@ class Cart:\n{BODY}",
        swap("src/shop/cart.py", ADD),
        format="udiff",
        asked="udiff",
    ),
    Case(
        "half a header",
        f"{NAMES}@@ -13 @@\n{BODY}",
        swap("src/shop/cart.py", ADD),
        repairs=("hunk-header",),
        format="udiff",
    ),
    Case(
        "a git diff with bare hunks",
        f"diff --git a/src/shop/cart.py b/src/shop/cart.py\n{NAMES}@@\n{BODY}@@\n{RENAME}",
        swap("src/shop/cart.py", ADD, ("def empty()", "def new()")),
        repairs=("hunk-header",),
        format="git",
    ),
    Case(
        "several files, one new and one gone",
        f"""Here are the changes.

```diff
{NAMES}@@ ... @@
{BODY}
--- /dev/null
+++ b/docs/notes.md
@@ ... @@
+# Notes
+
+none yet
--- a/Makefile
+++ b/Makefile
@@ ... @@
 lint:
-	ruff check .
+	ruff check src
```

Let me know what you think.
""",
        {
            **swap("src/shop/cart.py", ADD),
            **swap("Makefile", ("ruff check .", "ruff check src")),
            "docs/notes.md": "# Notes\n\nnone yet\n",
        },
    ),
    Case(
        "the name above the fence",
        f"**src/shop/cart.py**\n\n```diff\n@@ ... @@\n{BODY}```\n",
        swap("src/shop/cart.py", ADD),
        repairs=("file-header",),
    ),
    Case(
        "no header of a hunk",
        f"```diff\n{NAMES}{BODY}```\n",
        swap("src/shop/cart.py", ADD),
        repairs=("hunk-header",),
    ),
    Case(
        "left-out context",
        f"```diff\n{NAMES}@@ ... @@\n class Cart:\n     ...\n     def total(self) -> Decimal:\n"
        '         """The price of everything."""\n-        total = Decimal(0)\n+        total = Decimal("0.00")\n```\n',
        swap("src/shop/cart.py", ("total = Decimal(0)", 'total = Decimal("0.00")')),
    ),
    Case(
        "in a list",
        "1. Change it:\n\n   ```diff\n"
        + "".join(f"   {line}\n" for line in f"{NAMES}@@ ... @@\n{BODY}```".splitlines()),
        swap("src/shop/cart.py", ADD),
        repairs=("indented-text",),
    ),
    Case(
        "CR LF",
        f"{NAMES}@@ ... @@\n{BODY}".replace("\n", "\r\n"),
        swap("src/shop/cart.py", ADD),
        repairs=("line-endings",),
    ),
    Case(
        "two places",
        "```diff\n--- web/app.js\n+++ web/app.js\n@@ ... @@\n-  root.innerHTML = '';\n"
        "+  root.replaceChildren();\n```\n",
        code="ambiguous-context",
    ),
    Case(
        "a place above the line that should lead to it",
        "```diff\n--- web/app.js\n+++ web/app.js\n@@ export function clear(root) {\n-    root.append(row);\n"
        "+    root.prepend(row);\n```\n",
        code="anchor-mismatch",
    ),
    Case(
        "no place at all",
        "```diff\n--- web/app.js\n+++ web/app.js\n@@ ... @@\n+// a comment\n```\n",
        code="no-context",
    ),
    Case("not in the file", f"{NAMES}@@ ... @@\n-nothing like it here\n+x\n", code="context-not-found"),
    Case("no file", f"```diff\n@@ ... @@\n{BODY}```\n", code="no-file-header"),
    Case("prose within", f"{NAMES}@@ ... @@\n{BODY}That was it.\n", code="malformed-hunk"),
    Case("cut off", f"{NAMES}@@ ... @@\n-from decimal import Decimal\n+from decimal import ROU", code="truncated"),
    Case("lazy", f"{NAMES}@@ ... @@\n{BODY}+    # ... rest of the class unchanged ...\n", code="elided"),
    Case("out of the root", f"--- ../x.py\n+++ ../x.py\n@@ ... @@\n{BODY}", code="path-outside"),
    Case("absolute", f"--- /etc/passwd\n+++ /etc/passwd\n@@\n{BODY}", code="path-absolute"),
    Case("git's own", "--- /dev/null\n+++ b/.git/hooks/post-checkout\n@@\n+#!/bin/sh\n", code="path-protected"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_answers(case: Case, tmp_path: Path) -> None:
    assert (run(case, Box(tmp_path / "root")) == "applied") == (not case.code)
