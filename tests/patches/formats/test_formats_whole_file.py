"""Files written out whole: what names them, where they end, and what never becomes a file."""

from __future__ import annotations

import pytest
from format_helpers import codes, message, only, read, refused, whole

CODE = "import os\n\nprint(os.name)\n"


@pytest.mark.parametrize(
    "text",
    [
        "src/app.py\n```python\nCODE```\n",
        "src/app.py\n\n```python\nCODE```\n",
        "```python src/app.py\nCODE```\n",
        "```src/app.py\nCODE```\n",
        "```python:src/app.py\nCODE```\n",
        '```python title="src/app.py"\nCODE```\n',
        "```path=src/app.py\nCODE```\n",
        "```python {filename=src/app.py}\nCODE```\n",
        "```python\nsrc/app.py\nCODE```\n",
        "```python\n# filename: src/app.py\n\nCODE```\n",
        "**src/app.py**\n```python\nCODE```\n",
        "**`src/app.py`**\n\n~~~python\nCODE~~~\n",
        "### `src/app.py`\n\n````python\nCODE````\n",
        "## File: src/app.py\n```\nCODE```\n",
        "**File: `src/app.py`**\n\n```\nCODE```\n",
        "1. `src/app.py`:\n```python\nCODE```\n",
        "Create `src/app.py`:\n\n```python\nCODE```\n",
        '<file path="src/app.py">\nCODE</file>\n',
        "<file name='src/app.py'>\nCODE</file>\n",
        '<file path="src/app.py">\n```python\nCODE```\n</file>\n',
        '<file path="src/app.py"><![CDATA[\nCODE]]></file>\n',
        '<boltAction type="file" filePath="src/app.py">\nCODE</boltAction>\n',
        "<write_to_file>\n<path>src/app.py</path>\n<content>\nCODE</content>\n</write_to_file>\n",
    ],
)
def test_where_the_name_stands(text: str) -> None:
    parsed = read(f"Here it is.\n\n{text.replace('CODE', CODE)}\nThat is all.\n")
    assert (parsed.format, parsed.repairs) == ("whole-file", ())
    assert parsed.changes[0].path == "src/app.py"
    assert whole(parsed.changes[0]) == CODE


def test_a_comment_that_names_the_file_stays() -> None:
    parsed = read(f"```python\n# src/app.py\n{CODE}```\n")
    assert codes(parsed) == ["name-in-comment"]
    assert whole(parsed.changes[0]) == f"# src/app.py\n{CODE}"


def test_several_files_with_snippets_between() -> None:
    parsed = read(
        f"First:\n\n**a/one.py**\n```python\n{CODE}```\n\nThen install it:\n\n```bash\npip install x\n```\n"
        "\nor\n\n```\nmake\n```\n\n"
        "**two.js**\n\n```js\n// two\n```\n<file path='three.md'>\n# Three\n\n```\nx\n```\n</file>\n"
    )
    assert [change.path for change in parsed.changes] == ["a/one.py", "two.js", "three.md"]
    assert [whole(change) for change in parsed.changes] == [CODE, "// two\n", "# Three\n\n```\nx\n```\n"]


@pytest.mark.parametrize(
    "text",
    [
        "Run it:\n\n```bash\npython main.py\n```\n",
        "`python main.py` prints:\n\n```\nhello\n```\n",
        "`python main.py`\n```\nhello\n```\n",
        "In `src/app.py` the code is:\n\n```python\nx = 1\n```\n",
        "Update `src/app.py`:\n\n```python\nx = 1\n```\n",
        "```python\nx = 1\n```\n",
        "```python\n# comment\nx = 1\n```\n",
        "```12:20:src/app.py\nx = 1\n```\n",
        "tests/test_a.py\n```console\n1 passed\n```\n",
        "Files:\n- a.py\n- b.py\n```python\nx = 1\n```\n",
        "and/or\n```\nx\n```\n",
        "https://example.com/a.py\n```\nx\n```\n",
        "```node.js\nx()\n```\n",
        "### Node.js\n```js\nx()\n```\n",
        "### Input/Output\n```\nx\n```\n",
        "**TCP/IP**\n```\nx\n```\n",
        "`os.path`\n```python\nx\n```\n",
        "## cart.items\n```python\nx\n```\n",
        "**Notice:**\n```\nx\n```\n",
        "example.com:\n```\nx\n```\n",
        "v1.2.x\n```\nx\n```\n",
        '```js title="Output"\nx\n```\n',
        "e.g.:\n```\nx\n```\n",
        "### console.log\n```js\nx\n```\n",
        "`threading.Lock`\n```python\nx\n```\n",
        "Just words, with a path/to/file.py in them.\n",
        "<file>\nx\n</file>\n",
    ],
)
def test_what_never_becomes_a_file(text: str) -> None:
    assert refused(text) == "no-changes"
    assert refused(text, "whole-file") == "no-changes"


def test_a_longer_fence_holds_fences() -> None:
    body = "# Title\n\n```bash\nmake\n```\n\n```\nplain\n```\n"
    assert whole(only(f"README.md\n````markdown\n{body}````\n")) == body
    assert whole(only(f"README.md\n~~~markdown\n{body}~~~\n")) == body


@pytest.mark.parametrize(
    "text",
    [
        "README.md\n```markdown\n# T\n\n```bash\nmake\n```\n\nmore\n```\n",
        "README.md\n```markdown\n# T\n\n```\nmake\n```\n\nmore\n```\n",
        "a.py\n```python\n'''\n\n```\nx\n```\n'''\n```\n",
        "a.py\n```python\n'''\n\n```\n\nx\n```\n'''\n```\n",
        'a.py\n```python\nx\n```\ny = """\n',
    ],
)
def test_fences_that_may_end_too_early(text: str) -> None:
    assert refused(text) == "nested-fence"
    assert (
        "four backticks" in text or "README.md" in message(text) or "a.py" in message(text) or "fence" in message(text)
    )


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (f"a.py\n```python\n{CODE}", "truncated"),
        (f'<file path="a.py">\n{CODE}', "truncated"),
        (f'<file path="a.py">\n{CODE}</file>\nx\n</file>\n', "nested-file"),
        ('<file path="a.py">\nx = 1</file>\n', "malformed-file"),
        ("a.py\n```python\n```\n", "empty-file"),
        ('<file path="a.py">\n\n</file>\n', "empty-file"),
        ("a.py\n```\n+import os\n+\n+print()\n```\n", "malformed-file"),
        ("a.py\n```\n1 | import os\n2 |\n3 | print()\n```\n", "malformed-file"),
        ("a.py\n```\n   1\timport os\n   2\tprint()\n```\n", "malformed-file"),
        ('<file path="a.py">\n10: x\n11: y\n</file>\n', "malformed-file"),
        ("a.py\n```\n<<<<<<< SEARCH\na\n=======\na\n>>>>>>> REPLACE\n```\n", "no-changes"),
        (f"a.py\n```\n{CODE}```\n\na.py\n```\nx\n```\n", "same-file-twice"),
    ],
)
def test_files_that_are_not_certain(text: str, code: str) -> None:
    assert refused(text) == code


def test_a_block_is_not_written_out_as_a_file() -> None:
    for start in ("<<<<<<< SEARCH", "*** Begin Patch", "diff --git a/a b/a"):
        assert refused(f"a.py\n```\n\n{start}\nx\n```\n", "whole-file") == "unclear-file"


def test_contents_that_only_look_numbered() -> None:
    for text in ("3: x\n2: y\n", "1: x\ny\n", "+ one\nb\n", "1 | x\n"):
        assert whole(only(f"a.py\n```\n{text}```\n")) == text
    assert whole(only("a.yaml\n```\n1: x\n2: y\n```\n")) == "1: x\n2: y\n"


def test_empty_files_that_may_be() -> None:
    assert whole(only("pkg/__init__.py\n```python\n```\n")) == ""
    assert len(read(f"a.py\n```\n{CODE}```\n\na.py\n```\n{CODE}```\n").changes) == 1


def test_left_out_code_stays_in_the_content() -> None:
    code = "import os\n# ... existing code ...\nprint()\n"
    assert whole(only(f"a.py\n```python\n{code}```\n")) == code


def test_unfenced_only_when_asked_for() -> None:
    text = f"src/app.py\n{CODE}"
    assert refused(text) == "no-changes"
    assert whole(only(text, "whole-file")) == CODE
    parsed = read(text.removesuffix("\n"), "whole-file")
    assert (whole(parsed.changes[0]), codes(parsed)) == (CODE, ["patch-newline"])
    assert refused("src/app.py\n", "whole-file") == "no-changes"


def test_crlf() -> None:
    parsed = read(f"src/app.py\n```python\n{CODE}```\n".replace("\n", "\r\n"))
    assert (whole(parsed.changes[0]), codes(parsed)) == (CODE, ["crlf-patch"])
    mixed = f"src/app.py\n```python\n{CODE.replace(chr(10), chr(13) + chr(10))}```\n"
    assert whole(only(mixed)) == CODE.replace("\n", "\r\n")


def test_an_indented_fence() -> None:
    text = "1. The file:\n\n   `src/app.py`\n   ```python\n   import os\n\n       x\n   ```\n"
    parsed = read(text)
    assert (whole(parsed.changes[0]), codes(parsed)) == ("import os\n\n    x\n", ["indented-text"])
    assert refused(text.replace("   import os", " import os")) == "indented-text"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("../../etc/passwd.txt", "path-outside"),
        ("/etc/passwd.txt", "path-absolute"),
        (".git/hooks/a.sh", "path-protected"),
        (".GIT/hooks/pre-commit.sh", "path-protected"),
        ("C:\\x.ini", "path-absolute"),
        ("..\\x.ini", "path-outside"),
        ("a\x1b[2J.py", "path-control"),
    ],
)
def test_unsafe_names(name: str, code: str) -> None:
    assert refused(f"{name}\n```\nx\n```\n") == code
    assert refused(f"```python {name}\nx\n```\n") == code
    assert refused(f'<file path="{name}">\nx\n</file>\n') == code
    assert refused(f"<write_to_file>\n<path>{name}</path>\n<content>\nx\n</content>\n</write_to_file>\n") == code
    assert refused(f"**good.py**\n```\nx\n```\n\n`{name}`\n```\nx\n```\n") == code
