"""Answers as Codex gives them, and slips of it, applied to a small project."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from format_helpers import Box
from shop import Case, run, swap

REMOVE = (
    "        del self.items[name]\n",
    "        if name not in self.items:\n            raise KeyError(name)\n        del self.items[name]\n",
)
REMOVE_PATCH = """*** Begin Patch
*** Update File: src/shop/cart.py
@@ class Cart:
@@     def remove(self, name: str) -> None:
         \"\"\"Takes something out of the cart.\"\"\"
-        del self.items[name]
+        if name not in self.items:
+            raise KeyError(name)
+        del self.items[name]
*** End Patch
"""

CASES = [
    Case("a method", REMOVE_PATCH, swap("src/shop/cart.py", REMOVE), format="codex"),
    Case(
        "a call of the shell",
        json.dumps({"command": ["bash", "-lc", f"apply_patch <<'EOF'\n{REMOVE_PATCH}EOF\n"]}),
        swap("src/shop/cart.py", REMOVE),
        repairs=("json-wrapped",),
    ),
    Case(
        "a here-document in an answer",
        f"I'll make `remove` say what is missing.\n\n```bash\napply_patch <<'PATCH'\n{REMOVE_PATCH}PATCH\n```\n",
        swap("src/shop/cart.py", REMOVE),
    ),
    Case(
        "several files at once",
        """*** Begin Patch
*** Update File: src/shop/prices.py
@@
     "apple": Decimal("0.30"),
     "pear": Decimal("0.45"),
+    "plum": Decimal("0.20"),
 }
@@ def known(name: str) -> bool:
-    return name in PRICES
+    return name.lower() in PRICES
*** Add File: tests/test_prices.py
+from shop.prices import known
+
+
+def test_known() -> None:
+    assert known("Plum")
*** Delete File: cmd/main.go
*** Update File: web/app.js
*** Move to: web/main.js
@@ export function clear(root) {
-  root.innerHTML = '';
+  root.replaceChildren();
 }
*** End Patch""",
        {
            **swap(
                "src/shop/prices.py",
                ('    "pear": Decimal("0.45"),\n', '    "pear": Decimal("0.45"),\n    "plum": Decimal("0.20"),\n'),
                ("return name in", "return name.lower() in"),
            ),
            "tests/test_prices.py": (
                'from shop.prices import known\n\n\ndef test_known() -> None:\n    assert known("Plum")\n'
            ),
            "cmd/main.go": None,
            "web/app.js": None,
            "web/main.js": swap(
                "web/app.js",
                ("clear(root) {\n  root.innerHTML = '';", "clear(root) {\n  root.replaceChildren();"),
            )["web/app.js"],
        },
    ),
    Case(
        "the end of a file",
        """*** Begin Patch
*** Update File: src/shop/prices.py
@@ def known(name: str) -> bool:
     return name in PRICES
+
+
+def names() -> list[str]:
+    return sorted(PRICES)
*** End of File
*** End Patch
""",
        swap(
            "src/shop/prices.py",
            (
                "    return name in PRICES\n",
                "    return name in PRICES\n\n\ndef names() -> list[str]:\n    return sorted(PRICES)\n",
            ),
        ),
    ),
    Case(
        "tabs",
        "*** Begin Patch\n*** Update File: Makefile\n@@ lint:\n \truff check .\n+\truff format --check .\n"
        "*** End Patch\n",
        swap("Makefile", ("\truff check .\n", "\truff check .\n\truff format --check .\n")),
    ),
    Case(
        "context without its blanks",
        '*** Begin Patch\n*** Update File: cmd/main.go\n@@\nfunc main() {\n-\tname := "shop"\n+\tname := "store"\n'
        "\tfmt.Println(name)\n}\n*** End Patch\n",
        swap("cmd/main.go", ('"shop"', '"store"')),
        repairs=("lost-mark",),
    ),
    Case(
        "no end",
        f"```\n{REMOVE_PATCH.replace('*** End Patch' + chr(10), '')}```\n",
        swap("src/shop/cart.py", REMOVE),
        repairs=("end-missing",),
    ),
    Case(
        "left-out context",
        """*** Begin Patch
*** Update File: src/shop/cart.py
@@
 class Cart:
     # ... existing code ...
     def total(self) -> Decimal:
         \"\"\"The price of everything.\"\"\"
-        total = Decimal(0)
+        total = Decimal("0.00")
*** End Patch
""",
        swap("src/shop/cart.py", ("total = Decimal(0)", 'total = Decimal("0.00")')),
    ),
    Case("CR LF", REMOVE_PATCH.replace("\n", "\r\n"), swap("src/shop/cart.py", REMOVE), repairs=("line-endings",)),
    Case(
        "a place that is not certain",
        "*** Begin Patch\n*** Update File: web/app.js\n@@\n-  root.innerHTML = '';\n+  root.replaceChildren();\n"
        "*** End Patch\n",
        code="ambiguous-context",
    ),
    Case(
        "a line that is not there",
        REMOVE_PATCH.replace("-        del self.items[name]", "-        self.items.pop(name, None)"),
        code="context-not-found",
    ),
    Case("cut off", REMOVE_PATCH[: REMOVE_PATCH.index("+        del")], code="truncated"),
    Case(
        "lazy",
        REMOVE_PATCH.replace("+        del self.items[name]\n", "+        # ... rest unchanged\n"),
        code="elided",
    ),
    Case(
        "a file that is there", "*** Begin Patch\n*** Add File: README.md\n+x\n*** End Patch\n", code="already-exists"
    ),
    Case("a file that is not there", REMOVE_PATCH.replace("cart.py", "carts.py"), code="missing-file"),
    Case(
        "a file that cannot be deleted", "*** Begin Patch\n*** Delete File: x.py\n*** End Patch\n", code="missing-file"
    ),
    Case("out of the root", REMOVE_PATCH.replace("src/shop/cart.py", "../cart.py"), code="path-outside"),
    Case(
        "a hook of git",
        "*** Begin Patch\n*** Add File: .git/hooks/pre-commit\n+#!/bin/sh\n+rm -rf /\n*** End Patch\n",
        code="path-protected",
    ),
    Case(
        "moved out of the root",
        "*** Begin Patch\n*** Update File: README.md\n*** Move to: ../../README.md\n@@\n-MIT\n+BSD\n*** End Patch\n",
        code="path-outside",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_answers(case: Case, tmp_path: Path) -> None:
    assert (run(case, Box(tmp_path / "root")) == "applied") == (not case.code)
