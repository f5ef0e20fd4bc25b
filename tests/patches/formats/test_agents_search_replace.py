"""Answers as aider, Cline, Roo and Claude give them in SEARCH/REPLACE blocks, applied to a small project."""

from __future__ import annotations

from pathlib import Path

import pytest
from format_helpers import Box
from shop import Case, run, swap

ADD = ("self.items.get(name, 0) + count", "self.items.get(name, 0) + max(count, 0)")
BLOCK = """<<<<<<< SEARCH
        self.items[name] = self.items.get(name, 0) + count
=======
        self.items[name] = self.items.get(name, 0) + max(count, 0)
>>>>>>> REPLACE
"""
CLEAR = ("clear(root) {\n  root.innerHTML = '';", "clear(root) {\n  root.replaceChildren();")

CASES = [
    Case(
        "aider",
        f"To keep counts from getting negative:\n\nsrc/shop/cart.py\n```python\n{BLOCK}```\n",
        swap("src/shop/cart.py", ADD),
        format="search-replace",
    ),
    Case(
        "aider, two files and a new one",
        f"""I'll add a helper.

src/shop/cart.py
```python
{BLOCK}```

src/shop/cart.py
```python
<<<<<<< SEARCH
def empty() -> Cart:
=======
def new() -> Cart:
>>>>>>> REPLACE
```

web/app.js
```js
<<<<<<< SEARCH
export function clear(root) {{
  root.innerHTML = '';
}}
=======
export function clear(root) {{
  root.replaceChildren();
}}
>>>>>>> REPLACE
```

src/shop/limits.py
```python
<<<<<<< SEARCH
=======
MOST = 99
>>>>>>> REPLACE
```
""",
        {
            **swap("src/shop/cart.py", ADD, ("def empty()", "def new()")),
            **swap("web/app.js", CLEAR),
            "src/shop/limits.py": "MOST = 99\n",
        },
    ),
    Case(
        "aider, name within the fence",
        f"```python\nsrc/shop/cart.py\n{BLOCK}```",
        swap("src/shop/cart.py", ADD),
    ),
    Case(
        "Cline",
        f"""<replace_in_file>
<path>src/shop/cart.py</path>
<diff>
{BLOCK.replace("<<<<<<<", "-------").replace(">>>>>>>", "+++++++")}
------- SEARCH
def empty() -> Cart:
=======
def new() -> Cart:
+++++++ REPLACE
</diff>
</replace_in_file>
""",
        swap("src/shop/cart.py", ADD, ("def empty()", "def new()")),
    ),
    Case(
        "Roo, with a line",
        "<apply_diff>\n<path>web/app.js</path>\n<diff>\n<<<<<<< SEARCH\n:start_line:12\n-------\n"
        "export function clear(root) {\n  root.innerHTML = '';\n=======\nexport function clear(root) {\n"
        "  root.replaceChildren();\n>>>>>>> REPLACE\n</diff>\n</apply_diff>\n",
        swap("web/app.js", CLEAR),
    ),
    Case(
        "Claude, in prose",
        f"""Two small changes.

### 1. `src/shop/cart.py`

Counts must not be negative:

```python
{BLOCK}```

And rename the helper:

```python
<<<<<<< SEARCH
def empty() -> Cart:
=======
def new() -> Cart:
>>>>>>> REPLACE
```

### 2. `Makefile`

```make
<<<<<<< SEARCH
lint:
	ruff check .
=======
lint:
	ruff check .
	ruff format --check .
>>>>>>> REPLACE
```

Run `make lint` to see that it works.
""",
        {
            **swap("src/shop/cart.py", ADD, ("def empty()", "def new()")),
            **swap("Makefile", ("\truff check .\n", "\truff check .\n\truff format --check .\n")),
        },
    ),
    Case(
        "left-out code",
        """src/shop/cart.py
```python
<<<<<<< SEARCH
    def total(self) -> Decimal:
        # ... existing code ...
        return total
=======
    def total(self, discount: Decimal) -> Decimal:
        # ... existing code ...
        return total - discount
>>>>>>> REPLACE
```
""",
        swap(
            "src/shop/cart.py",
            ("def total(self) ->", "def total(self, discount: Decimal) ->"),
            ("        return total\n", "        return total - discount\n"),
        ),
    ),
    Case(
        "blocks in any order",
        "src/shop/cart.py\n<<<<<<< SEARCH\ndef empty() -> Cart:\n=======\ndef new() -> Cart:\n>>>>>>> REPLACE\n"
        + BLOCK
        + "<<<<<<< SEARCH\nfrom decimal import Decimal\n=======\nfrom decimal import ROUND_UP, Decimal\n"
        + ">>>>>>> REPLACE\n",
        swap(
            "src/shop/cart.py",
            ADD,
            ("def empty()", "def new()"),
            ("from decimal import Decimal", "from decimal import ROUND_UP, Decimal"),
        ),
    ),
    Case(
        "content with a heading",
        "README.md\n````markdown\n<<<<<<< SEARCH\n## Licence\n\nMIT\n=======\nLicence\n=======\n\nBSD\n"
        ">>>>>>> REPLACE\n````\n",
        code="ambiguous-block",
    ),
    Case(
        "content with a heading of another length",
        "README.md\n````markdown\n<<<<<<< SEARCH\n## Licence\n\nMIT\n=======\nLicence\n=====\n\nBSD\n"
        ">>>>>>> REPLACE\n````\n",
        swap("README.md", ("## Licence\n\nMIT\n", "Licence\n=====\n\nBSD\n")),
    ),
    Case("escaped", f"web/app.js\n{BLOCK}".replace("<", "&lt;").replace(">", "&gt;"), code="context-not-found"),
    Case(
        "a block that stands in two places",
        "web/app.js\n<<<<<<< SEARCH\n  root.innerHTML = '';\n=======\n>>>>>>> REPLACE\n",
        code="ambiguous-context",
    ),
    Case("no name", f"Here:\n\n```python\n{BLOCK}```\n", code="no-file-name"),
    Case("a file that is not there", f"src/shop/carts.py\n{BLOCK}", code="missing-file"),
    Case(
        "a folder too many", f"shop/src/shop/cart.py\n{BLOCK}", swap("src/shop/cart.py", ADD), repairs=("strip-level",)
    ),
    Case("cut off", f"src/shop/cart.py\n```python\n{BLOCK[:-20]}", code="truncated"),
    Case(
        "lazy",
        "src/shop/cart.py\n<<<<<<< SEARCH\ndef empty() -> Cart:\n=======\ndef new() -> Cart:\n"
        "    # ... rest unchanged\n>>>>>>> REPLACE\n",
        code="elided",
    ),
    Case("a conflict", "README.md\n<<<<<<< HEAD\nMIT\n=======\nBSD\n>>>>>>> theirs\n", code="no-changes"),
    Case("out of the root", f"../src/shop/cart.py\n{BLOCK}", code="path-outside"),
    Case(
        "a new hook of git",
        ".git/hooks/pre-commit\n```sh\n<<<<<<< SEARCH\n=======\nrm -rf /\n>>>>>>> REPLACE\n```\n",
        code="path-protected",
    ),
    Case("new, and there", "README.md\n<<<<<<< SEARCH\n=======\n# Mine\n>>>>>>> REPLACE\n", code="already-exists"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_answers(case: Case, tmp_path: Path) -> None:
    assert (run(case, Box(tmp_path / "root")) == "applied") == (not case.code)
