"""Answers that write files out whole, as Gemini, Claude and web tools give them, applied to a small project."""

from __future__ import annotations

from pathlib import Path

import pytest
from format_helpers import Box
from shop import APP, CART, FILES, MAKEFILE, PRICES, README, Case, run, swap

PLUM = ('    "pear": Decimal("0.45"),\n', '    "pear": Decimal("0.45"),\n    "plum": Decimal("0.20"),\n')
NEW = PRICES.replace(*PLUM)
README_NEW = README.replace("MIT", "BSD")

CASES = [
    Case(
        "the name above",
        f"Here is the whole file:\n\n**src/shop/prices.py**\n```python\n{NEW}```\n\nPlums are in season.\n",
        {"src/shop/prices.py": NEW},
        format="whole-file",
    ),
    Case("the name behind the fence", f"```python src/shop/prices.py\n{NEW}```", {"src/shop/prices.py": NEW}),
    Case(
        "the name in the file",
        f"```python\n# src/shop/prices.py\n{NEW}```\n",
        {"src/shop/prices.py": f"# src/shop/prices.py\n{NEW}"},
        repairs=("name-in-comment",),
    ),
    Case(
        "several files, with commands between",
        f"""# Plan

1. Add plums.
2. Test them.

### `src/shop/prices.py`

```python
{NEW}```

### `tests/test_prices.py`

```python
from shop.prices import known


def test_plum() -> None:
    assert known("plum")
```

Then run:

```bash
pytest -q
```

You should see:

```
1 passed
```
""",
        {
            "src/shop/prices.py": NEW,
            "tests/test_prices.py": (
                'from shop.prices import known\n\n\ndef test_plum() -> None:\n    assert known("plum")\n'
            ),
        },
    ),
    Case(
        "tags",
        f'<file path="src/shop/prices.py">\n{NEW}</file>\n<file path="VERSION.txt">\n1.0\n</file>\n',
        {"src/shop/prices.py": NEW, "VERSION.txt": "1.0\n"},
    ),
    Case(
        "Cline",
        f"<write_to_file>\n<path>src/shop/prices.py</path>\n<content>\n{NEW}</content>\n</write_to_file>\n",
        {"src/shop/prices.py": NEW},
    ),
    Case("a longer fence", f"README.md\n````markdown\n{README_NEW}````\n", {"README.md": README_NEW}),
    Case("tildes", f"README.md\n~~~markdown\n{README_NEW}~~~\n", {"README.md": README_NEW}),
    Case(
        "CR LF",
        f"src/shop/prices.py\n```python\n{NEW}```\n".replace("\n", "\r\n"),
        {"src/shop/prices.py": NEW},
        repairs=("crlf-patch",),
    ),
    Case(
        "left-out code",
        "web/app.js\n```js\nimport { cart } from './cart.js';\n\n// ... existing code ...\n\n"
        "export function clear(root) {\n  root.replaceChildren();\n}\n```\n",
        swap("web/app.js", ("clear(root) {\n  root.innerHTML = '';", "clear(root) {\n  root.replaceChildren();")),
        repairs=("elided",),
    ),
    Case("unfenced, when asked for", f"src/shop/prices.py\n{NEW}", {"src/shop/prices.py": NEW}, asked="whole-file"),
    Case(
        "beside a block",
        "```python src/shop/limits.py\nMOST = 99\n```\n\nMakefile\n```\n<<<<<<< SEARCH\n\truff check .\n=======\n"
        "\truff check src\n>>>>>>> REPLACE\n```\n",
        {"src/shop/limits.py": "MOST = 99\n", **swap("Makefile", ("ruff check .", "ruff check src"))},
        repairs=("mixed-formats",),
        format="whole-file",
    ),
    Case(
        "left-out code of a new file",
        "src/shop/tax.py\n```python\nRATE = 0.19\n\n# ... rest of the code ...\n```\n",
        code="elided",
    ),
    Case("a README that ends too early", f"README.md\n```markdown\n{README_NEW}```\n", code="nested-fence"),
    Case("prose", f"The code is:\n\n```python\n{CART}```\n\nand\n\n```js\n{APP}```\n", code="no-changes"),
    Case("commands", "Run `make test`:\n\n```bash\nmake test\n```\n", code="no-changes"),
    Case("cut off", f"src/shop/prices.py\n```python\n{NEW[:100]}", code="truncated"),
    Case("out of the root", "../prices.py\n```python\nx = 1\n```\n", code="path-outside"),
    Case("absolute", "```python /etc/cron.d/x.py\nx = 1\n```\n", code="path-absolute"),
    Case("git's own", '<file path=".git/hooks/pre-commit">\n#!/bin/sh\n</file>\n', code="path-protected"),
    Case("ours", '<file path=".vibehq/journal/x">\nx\n</file>\n', code="path-protected"),
    Case("nothing", "src/shop/prices.py\n```python\n```\n", code="empty-file"),
    Case("twice", f"Makefile\n```\n{MAKEFILE}x:\n```\n\nMakefile\n```\n{MAKEFILE}y:\n```\n", code="same-file-twice"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_answers(case: Case, tmp_path: Path) -> None:
    assert (run(case, Box(tmp_path / "root")) == "applied") == (not case.code)


def test_a_file_of_windows_keeps_its_line_ends(tmp_path: Path) -> None:
    box = Box(tmp_path / "root")
    for path, text in FILES.items():
        box.write(path, text.replace("\n", "\r\n"))
    assert box.apply(f"src/shop/prices.py\n```python\n{NEW}```\n").result == "applied"
    assert box.read("src/shop/prices.py") == NEW.replace("\n", "\r\n")
    assert box.apply(f"src/shop/prices.py\n```python\n{PRICES}```\n".replace("\n", "\r\n")).result == "applied"
    assert box.read("src/shop/prices.py") == PRICES.replace("\n", "\r\n")
