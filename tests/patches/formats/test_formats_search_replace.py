"""SEARCH/REPLACE blocks: markers, names, new files, left-out code, and content that looks like a marker."""

from __future__ import annotations

import pytest
from format_helpers import codes, content, message, only, read, refused, shown

BLOCK = "<<<<<<< SEARCH\nimport os\nimport re\n=======\nimport os\nimport sys\n>>>>>>> REPLACE\n"
LINES = [" import os", "-import re", "+import sys"]


def test_a_block() -> None:
    parsed = read(f"src/app.py\n{BLOCK}")
    assert (parsed.format, parsed.repairs, parsed.unfinished) == ("search-replace", (), False)
    change = parsed.changes[0]
    assert (change.path, change.op, change.ordered, change.plain_names) == ("src/app.py", "modify", False, True)
    hunk = change.hunks[0]
    assert shown(hunk) == LINES
    assert (hunk.numbered, hunk.continues, hunk.old_start, hunk.old_count) == (False, False, 0, 0)


@pytest.mark.parametrize(
    "block",
    [
        BLOCK.replace("<<<<<<<", "<<<<<").replace("=======", "=====").replace(">>>>>>>", ">>>>>"),
        BLOCK.replace("<<<<<<<", "<<<<<<<<<").replace("=======", "=========").replace(">>>>>>>", ">>>>>>>>>"),
        BLOCK.replace("<<<<<<<", "<<<<<<"),
        BLOCK.replace(">>>>>>> REPLACE", ">>>>>> REPLACE"),
        BLOCK.replace("SEARCH", "ORIGINAL").replace("REPLACE", "UPDATED"),
        BLOCK.replace("<<<<<<<", "-------").replace(">>>>>>>", "+++++++"),
        BLOCK.replace("SEARCH", "SEARCH>").replace("REPLACE", "REPLACE<"),
        BLOCK.replace("SEARCH", "search").replace("REPLACE", "replace"),
        BLOCK.replace("SEARCH\n", "SEARCH  \n").replace("=======\n", "======= \n"),
        BLOCK.removesuffix("\n"),
        BLOCK.replace("REPLACE\n", "REPLACE```\n"),
        BLOCK.replace("\n", "\r\n"),
    ],
)
def test_kinds_of_markers(block: str) -> None:
    change = only(f"src/app.py\n{block}")
    assert change.path == "src/app.py"
    assert shown(change.hunks[0]) == LINES
    assert change.hunks[0].crlf_text == ("\r\n" in block)


@pytest.mark.parametrize(
    "around",
    [
        "src/app.py\nBLOCK",
        "src/app.py\n\nBLOCK",
        "src/app.py\n```python\nBLOCK```\n",
        "src/app.py\n\n```python\nBLOCK```\n",
        "```python\nsrc/app.py\nBLOCK```\n",
        "```python src/app.py\nBLOCK```\n",
        "```src/app.py\nBLOCK```\n",
        "```python:src/app.py\nBLOCK```\n",
        '```python title="src/app.py"\nBLOCK```\n',
        "```python path=src/app.py\nBLOCK```\n",
        "~~~~\nsrc/app.py\nBLOCK~~~~\n",
        "````python\nsrc/app.py\nBLOCK````\n",
        "`src/app.py`\n```\nBLOCK```\n",
        "`src/app.py`:\n```\nBLOCK```\n",
        "**src/app.py**\n\n```diff\nBLOCK```\n",
        "**`src/app.py`**\n\n```diff\nBLOCK```\n",
        "### src/app.py\n\n```\nBLOCK```\n",
        "#### `src/app.py`\n```\nBLOCK```\n",
        "### 1. src/app.py\n\nReplace the import:\n\n```python\nBLOCK```\n",
        "File: src/app.py\nBLOCK",
        "path: src/app.py\nBLOCK",
        "**File:** `src/app.py`\n```\nBLOCK```\n",
        "**File: `src/app.py`**\n```\nBLOCK```\n",
        "**File**: src/app.py\n```\nBLOCK```\n",
        "1. `src/app.py`\n```\nBLOCK```\n",
        "# src/app.py\nBLOCK",
        "```python\n# src/app.py\nBLOCK```\n",
        "```js\n// src/app.py\nBLOCK```\n",
        "<!-- src/app.py -->\nBLOCK",
        "./src/app.py\nBLOCK",
        "src/app.py (modified)\nBLOCK",
        "In `src/app.py`, use sys:\n\n```python\nBLOCK```\n",
        "First, update `src/app.py`:\n```python\nBLOCK```\n",
        "<replace_in_file>\n<path>src/app.py</path>\n<diff>\nBLOCK</diff>\n</replace_in_file>\n",
        "<<<<<<< SEARCH src/app.py" + BLOCK.removeprefix("<<<<<<< SEARCH"),
        "src\\app.py\nBLOCK",
    ],
)
def test_where_the_name_stands(around: str) -> None:
    change = only(f"Here is the change.\n\n{around.replace('BLOCK', BLOCK)}\nThat is all.\n")
    assert change.path == "src/app.py"
    assert shown(change.hunks[0]) == LINES


def test_the_name_of_the_block_before_holds() -> None:
    parsed = read(f"a.py\n{BLOCK}\nAnd also:\n\n```python\n{BLOCK}```\n\nb.py\n{BLOCK}{BLOCK}")
    assert [(change.path, len(change.hunks)) for change in parsed.changes] == [("a.py", 2), ("b.py", 2)]
    assert parsed.repairs == ()


@pytest.mark.parametrize(
    "text",
    [
        BLOCK,
        f"Some words.\n\n{BLOCK}",
        f"See `b.py` and `c.py`.\n{BLOCK}",
        f"a.py\n{BLOCK}\nThe same holds for `b.py`, see there.\n\n{BLOCK}",
        f"### a.py\n\nThe function of `b.py` is used here.\n\n{BLOCK}",
        f"Changed files:\n- a.py\n- b.py\n\n{BLOCK}",
        f"a.py\n{BLOCK}--- a/b.py\n+++ b/b.py\n\n{BLOCK}",
    ],
)
def test_a_name_that_is_not_certain(text: str) -> None:
    assert refused(text, "search-replace") == "no-file-name"


def test_the_only_file_that_the_text_names() -> None:
    parsed = read(f"I'll update `src/app.py` for you.\n\n```python\n{BLOCK}```\n")
    assert (parsed.changes[0].path, codes(parsed)) == ("src/app.py", ["name-in-text"])
    new = "<<<<<<< SEARCH\n=======\nx\n>>>>>>> REPLACE\n"
    assert refused(f"I'll write `src/new.py` for you.\n\n{new}") == "no-file-name"
    assert refused(f"I'll update `../app.py` for you.\n\n{BLOCK}").startswith("path-")


def test_new_files() -> None:
    parsed = read("new.py\n<<<<<<< SEARCH\n=======\nx = 1\n\ny = 2\n>>>>>>> REPLACE\n")
    assert content(parsed.changes[0]) == "x = 1\n\ny = 2\n"
    assert parsed.changes[0].hunks[0].old_start == 0
    assert content(only("new.py\n<<<<<<< SEARCH\n\n=======\nx\n>>>>>>> REPLACE\n")) == "x\n"
    assert refused(f"new.py\n<<<<<<< SEARCH\n=======\nx\n>>>>>>> REPLACE\n{BLOCK}") == "same-file-twice"
    assert refused(f"new.py\n{BLOCK}<<<<<<< SEARCH\n=======\nx\n>>>>>>> REPLACE\n") == "same-file-twice"
    assert refused("new.py\n<<<<<<< SEARCH\n=======\n>>>>>>> REPLACE\n") == "empty-hunk"
    assert refused("n.py\n<<<<<<< SEARCH\n=======\n+x\n+y\n>>>>>>> REPLACE\n") == "malformed-file"
    assert refused("n.py\n<<<<<<< SEARCH\n=======\nx\n# ... rest of the file ...\n>>>>>>> REPLACE\n") == "elided"


def test_removal() -> None:
    assert shown(only("a.py\n<<<<<<< SEARCH\nx\ny\n=======\n>>>>>>> REPLACE\n").hunks[0]) == ["-x", "-y"]


def test_a_start_line() -> None:
    block = "<<<<<<< SEARCH\n:start_line:12\n:end_line:14\n-------\na\nb\nc\n=======\na\nB\nc\n>>>>>>> REPLACE\n"
    hunk = only(f"a.py\n{block}").hunks[0]
    assert (hunk.numbered, hunk.old_start, hunk.old_count) == (True, 12, 3)
    assert shown(hunk) == [" a", "-b", "+B", " c"]
    edged = only(f"a.py\n{block}".replace("B\nc\n>", "B\nC\n>")).hunks[0]
    assert (edged.numbered, edged.old_start, edged.old_count) == (False, 0, 0)


@pytest.mark.parametrize(
    "mark",
    [
        "...",
        "    ...",
        "…",
        "# ...",
        "    # ... existing code ...",
        "// ... rest of the function unchanged",
        "/* ... existing styles ... */",
        "<!-- ... rest of the page ... -->",
        "    // ... (other methods) ...",
        "# rest of the code remains unchanged",
        "... existing code ...",
        "-- ... existing columns ...",
    ],
)
def test_left_out_code_is_paired(mark: str) -> None:
    text = f"a.py\n<<<<<<< SEARCH\na\n{mark}\nb\n=======\nA\n{mark}\nb\nc\n>>>>>>> REPLACE\n"
    hunks = only(text).hunks
    assert [shown(hunk) for hunk in hunks] == [["-a", "+A"], [" b", "+c"]]
    assert [hunk.continues for hunk in hunks] == [False, True]


@pytest.mark.parametrize(
    ("search", "put"),
    [
        ("a\nb\n", "a\n# ... existing code ...\nb\n"),
        ("a\n...\nb\n", "a\nb\n"),
        ("a\n...\nb\n...\nc\n", "a\n...\nc\n"),
        ("...\nb\n", "new\n...\nb\n"),
        ("a\n    ...\nb\n", "a\n        ...\nb\n"),
        ("a\n    # ... existing code ...\nb\n", "a\n        # ... existing code ...\nb\n"),
        ("a\n...\nb\n", "a\n# ...\nb\n"),
        ("def f():\n    ...\n", "def f():\n    return 1\n"),
    ],
)
def test_left_out_code_that_has_no_pair(search: str, put: str) -> None:
    assert refused(f"a.py\n<<<<<<< SEARCH\n{search}=======\n{put}>>>>>>> REPLACE\n") == "elided"


def test_left_out_code_at_the_edges() -> None:
    hunks = only("a.py\n<<<<<<< SEARCH\n...\nb\n...\n=======\n...\nc\n...\n>>>>>>> REPLACE\n").hunks
    assert [(shown(hunk), hunk.continues) for hunk in hunks] == [(["-b", "+c"], False)]
    assert refused("a.py\n<<<<<<< SEARCH\n...\n=======\n...\n>>>>>>> REPLACE\n") == "empty-hunk"


def test_bodies_that_are_an_ellipsis() -> None:
    text = "<<<<<<< SEARCH\nx = 1\n=======\n@overload\ndef f(a: int) -> int:\n    ...\n>>>>>>> REPLACE\n"
    assert shown(only(f"a.py\n{text}").hunks[0])[-1] == "+    ..."
    assert shown(only(f"a.pyi\n{text}").hunks[0])[-1] == "+    ..."
    assert refused(f"a.ts\n{text}") == "elided"


def test_a_heading_that_looks_like_the_middle() -> None:
    block = "<<<<<<< SEARCH\nTitle\n=====\ntext\n=======\nTitle\n=====\nmore\n>>>>>>> REPLACE\n"
    assert shown(only(f"a.rst\n{block}").hunks[0]) == [" Title", " =====", "-text", "+more"]


def test_markers_within_longer_markers() -> None:
    inner = "<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE\n"
    text = f"docs/a.md\n<<<<<<<<< SEARCH\nold\n=========\n{inner}>>>>>>>>> REPLACE\n"
    assert shown(only(text).hunks[0]) == ["-old", *("+" + line for line in inner.splitlines())]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (BLOCK.replace("import os\nimport re\n", "Title\n=======\ntext\n"), "ambiguous-block"),
        (BLOCK.replace("import re\n", "<<<<<<< HEAD\na\n=======\nb\n>>>>>>> main\n"), "ambiguous-block"),
        (BLOCK.replace("=======\n", ""), "unclosed-block"),
        (BLOCK.replace(">>>>>>> REPLACE\n", ""), "truncated"),
        (BLOCK.replace(">>>>>>> REPLACE\n", ">>>>>>>\n"), "truncated"),
        (BLOCK.replace(">>>>>>> REPLACE\n", "") + BLOCK, "unclosed-block"),
        (BLOCK.replace(">>>>>>> REPLACE\n", "") + BLOCK.replace("<<<<<<<", "<<<<<<"), "ambiguous-block"),
        (BLOCK + ">>>>>>> REPLACE\n", "stray-marker"),
        (BLOCK + "<<< SEARCH\na\n===\nb\n>>> REPLACE\n", "stray-marker"),
        (BLOCK + "<" * 12 + " SEARCH\na\n=======\nb\n", "stray-marker"),
        (BLOCK.replace("import sys\n", "import sys\n>>>>>>> REPLACE\n"), "stray-marker"),
        (BLOCK.replace("import re", "import sys"), "no-changes"),
        (BLOCK.replace("<", " <", 1).replace("<<<<<< S", "<<<<<<< S"), "indented-text"),
    ],
)
def test_blocks_that_are_broken(text: str, code: str) -> None:
    assert refused(f"a.py\n{text}", "search-replace") == code


def test_the_markers_of_a_conflict_are_no_block() -> None:
    text = "a.py\n<<<<<<< HEAD\na\n=======\nb\n>>>>>>> main\n"
    assert refused(text) == "no-changes"
    assert refused(text, "search-replace") == "no-changes"
    assert "conflict" in message(text, "search-replace")


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("../../etc/passwd", "path-outside"),
        ("/etc/passwd", "path-absolute"),
        (".git/hooks/pre-commit", "path-protected"),
        ("src/.Git/config", "path-protected"),
        ("C:\\Windows\\x.ini", "path-absolute"),
        ("..\\secret.txt", "path-outside"),
        ("a/\x1b[31mb.py", "path-control"),
        ("`../x.py`", "path-outside"),
        ("**../x.py**", "path-outside"),
        ("path: /x.py", "path-absolute"),
        ("```python ../x.py", "path-outside"),
        ("```python title=/x.py", "path-absolute"),
        ("<path>.git/config</path>", "path-protected"),
    ],
)
def test_unsafe_names(name: str, code: str) -> None:
    end = "```\n" if name.startswith("```") else ""
    assert refused(f"{name}\n{BLOCK}{end}") == code
    assert refused(f"good.py\n{BLOCK}\n{name}\n{BLOCK.replace('import re', 'import io')}{end}") == code


def test_a_block_in_a_list() -> None:
    inside = "".join(f"   {line}\n" for line in BLOCK.splitlines())
    parsed = read(f"1. Change `x`:\n\n   `src/app.py`\n   ```python\n{inside}   ```\n")
    assert (parsed.changes[0].path, codes(parsed)) == ("src/app.py", ["indented-text"])
    assert shown(parsed.changes[0].hunks[0]) == LINES


def test_escaped_for_html() -> None:
    text = f"src/app.py\n{BLOCK}".replace("import sys", "x = a < b && c > 0")
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    parsed = read(escaped)
    assert (parsed.changes, codes(parsed)) == (read(text).changes, ["html-escaped"])
    assert shown(only(text.replace("x = a", 'x = "&lt;" + a')).hunks[0])[-1] == '+x = "&lt;" + a < b && c > 0'


def test_a_large_block_of_equal_lines_takes_no_time() -> None:
    old, new = "x\n" * 30_000, "x\n" * 20_000 + "y\n" + "x\n" * 10_000
    hunk = only(f"a.txt\n<<<<<<< SEARCH\na\n{old}b\n=======\nb\n{new}a\n>>>>>>> REPLACE\n").hunks[0]
    assert b"".join(hunk.old()) == f"a\n{old}b\n".encode()
    assert b"".join(hunk.new()) == f"b\n{new}a\n".encode()
