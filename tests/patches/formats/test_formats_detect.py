"""Which format a text is in, texts in several formats, and what the reader of a plain diff must not load."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from format_helpers import codes, message, read, refused

import vibehq_tui.patches.formats as formats
from storage.errors import Usage
from vibehq_tui.cli.commands.patch import patch as patch_commands
from vibehq_tui.cli.patchctl import cli
from vibehq_tui.patches.errors import PatchRefused
from vibehq_tui.patches.formats import FORMATS, parse

DIFF = "--- a/d.py\n+++ b/d.py\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n"
UDIFF = "--- a/u.py\n+++ b/u.py\n@@ ... @@\n a\n-b\n+c\n"
GIT = f"diff --git a/d.py b/d.py\n{DIFF}"
BLOCK = "s.py\n<<<<<<< SEARCH\nold\n=======\nnew\n>>>>>>> REPLACE\n"
CODEX = "*** Begin Patch\n*** Update File: c.py\n@@\n-old\n+new\n*** End Patch\n"
WHOLE = "```python w.py\nx = 1\n```\n"
TAGGED = '<file path="t.py">\nx = 1\n</file>\n'
BATCH = '{"patches": [{"op": "append", "file": "o.py", "block": "x"}]}'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (DIFF, "unified"),
        (UDIFF, "udiff"),
        (GIT, "git"),
        (BLOCK, "search-replace"),
        (CODEX, "codex"),
        (WHOLE, "whole-file"),
        (TAGGED, "whole-file"),
        (BATCH, "operations"),
    ],
)
@pytest.mark.parametrize(
    "around", ["{}", "\n\n{}", "Here is the change:\n\n{}\nThat is all. See https://example.com/.\n"]
)
def test_formats(text: str, expected: str, around: str) -> None:
    if expected == "operations" and around.startswith("H"):
        return
    parsed = read(around.format(text) if text is not BATCH else around.replace("{}", text))
    assert (parsed.format, len(parsed.changes)) == (expected, 1)


@pytest.mark.parametrize(("text", "expected"), [(DIFF, "unified"), (UDIFF, "udiff"), (BLOCK, "search-replace")])
def test_within_a_fence(text: str, expected: str) -> None:
    parsed = read(f"Do:\n\n```diff\n{text}```\n\nThen run\n\n```bash\nmake\n```\n")
    assert (parsed.format, codes(parsed)) == (expected, [])


@pytest.mark.parametrize(
    ("text", "first", "paths"),
    [
        (BLOCK + "\n" + UDIFF, "search-replace", ["s.py", "u.py"]),
        (f"```diff\n{UDIFF}```\n\nand\n\n{BLOCK}", "udiff", ["u.py", "s.py"]),
        (f"```diff\n{DIFF}```\n\n```\n{BLOCK}```\n", "unified", ["d.py", "s.py"]),
        (CODEX + "\n" + BLOCK, "codex", ["c.py", "s.py"]),
        (f"{CODEX}\n```diff\n{DIFF}```\n", "codex", ["c.py", "d.py"]),
        (f"{BLOCK}\nA new file:\n\n{WHOLE}", "search-replace", ["s.py", "w.py"]),
        (f"{WHOLE}\nAnd then\n\n```diff\n{DIFF}```\n", "whole-file", ["w.py", "d.py"]),
        (f"{TAGGED}{CODEX}", "whole-file", ["t.py", "c.py"]),
        (f"{BLOCK}\n{CODEX}\n```diff\n{DIFF}```\n\n{WHOLE}", "search-replace", ["s.py", "c.py", "d.py", "w.py"]),
    ],
)
def test_several_formats(text: str, first: str, paths: list[str]) -> None:
    parsed = read(text)
    assert (parsed.format, [change.path for change in parsed.changes]) == (first, paths)
    assert codes(parsed) == ["mixed-formats"]


def test_a_block_that_ends_in_its_own_way_hides_nothing() -> None:
    parsed = read(f"{BLOCK.replace('>>>>>>>', '>>>>>>')}\n```diff\n{DIFF}```\n")
    assert [change.path for change in parsed.changes] == ["s.py", "d.py"]


def test_a_removed_line_that_looks_like_a_block() -> None:
    text = GIT.replace("-b\n", "------- SEARCH\n")
    assert read(text).format == "git"
    assert read(text).changes[0].hunks[0].lines[1] == ("-", b"------ SEARCH\n")


def test_hunks_are_counted_through_all_parts() -> None:
    miscounted = DIFF.replace("-1,2", "-1,9")
    parsed = read(f"{BLOCK}\n```diff\n{miscounted}```\n")
    assert [(item.code, item.hunk) for item in parsed.repairs] == [("hunk-count", 2), ("mixed-formats", None)]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (BLOCK + "\n" + UDIFF.replace("u.py", "s.py"), "same-file-twice"),
        (f"{BLOCK}\n**w.py**\n```python\nx = 1\n```\n", "unclear-file"),
        (f"{CODEX}\n```python\n# src/w.py\nx = 1\n```\n", "unclear-file"),
        (f"```diff\n{DIFF}```\n\n**w.py**\n\n```python\nx = 1\n```\n", "unclear-file"),
        (f"{BLOCK}\n```python w.py\nx = 1\n", "truncated"),
        (f"{BLOCK}\n```diff\n-old\n+new\n```\n", "no-file-header"),
        (f"{WHOLE}\nAnd here is `src/b.py`:\n\n```python\ny = 1\n```\n", "unclear-file"),
        (f"{WHOLE}\n### `src/b.py`\n\nIt has one line.\n\n```python\ny = 1\n```\n", "unclear-file"),
        (f"{DIFF}\n\n1. And:\n\n   ```diff\n   --- a/x\n   ```\n", "indented-text"),
        (f"{BLOCK}\n{CODEX.replace('*** End Patch', '')}", "truncated"),
        (f"{UDIFF}\n\n{BLOCK.replace('>>>>>>> REPLACE', '')}", "truncated"),
    ],
)
def test_several_formats_that_are_not_certain(text: str, code: str) -> None:
    assert refused(text) == code


def test_a_marker_within_another_part_belongs_to_it() -> None:
    """Documents about patches have patches in them."""
    inner = "".join(f"+{line}\n" for line in (BLOCK + DIFF + CODEX).splitlines())
    count = inner.count("\n")
    assert read(f"--- /dev/null\n+++ b/docs/x.md\n@@ -0,0 +1,{count} @@\n{inner}").format == "unified"
    assert read(f"*** Begin Patch\n*** Add File: docs/x.md\n{inner}*** End Patch\n").format == "codex"
    assert read(BLOCK.replace("new\n", DIFF)).format == "search-replace"


def test_an_example_beside_a_block_is_no_file() -> None:
    text = f"The code in `old.py` was:\n\n```python\nx = 1\n```\n\n{BLOCK}\nRun it:\n\n```bash\nmake\n```\n"
    parsed = read(text)
    assert (parsed.format, parsed.repairs, len(parsed.changes)) == ("search-replace", (), 1)


def test_a_part_in_a_list() -> None:
    inside = "".join(f"   {line}\n" for line in UDIFF.splitlines())
    parsed = read(f"{BLOCK}\n```\nx\n```\n\n1. And:\n\n   ```diff\n{inside}   ```\n")
    assert [change.path for change in parsed.changes] == ["s.py", "u.py"]
    assert codes(parsed) == ["indented-text", "mixed-formats"]


def test_mails_with_fences_in_their_message() -> None:
    text = (
        f"From: Ada <a@example.com>\nSubject: [PATCH] x\n\n**w.py**\n```python\nx\n```\n```diff\n- a\n```\n---\n{GIT}"
    )
    assert read(text).format == "git"


def test_an_unknown_format() -> None:
    with pytest.raises(Usage):
        parse(b"x", "mixed")


def test_the_command_lines_know_every_format() -> None:
    for command in (cli.commands["apply"], cli.commands["validate"], cli.commands["dry-run"]):
        assert [list(option.type.choices) for option in command.params if option.name == "format_"] == [list(FORMATS)]  # type: ignore[attr-defined]
    submit = patch_commands.commands["submit"]
    assert [list(option.type.choices) for option in submit.params if option.name == "format_"] == [list(FORMATS)]  # type: ignore[attr-defined]


def test_every_code_is_listed() -> None:
    """The documentation of the package names every code of a repair or a refusal in its readers."""
    document = formats.__doc__ or ""
    repairs: set[str] = set()
    refusals: set[str] = set()
    for path in Path(str(formats.__file__)).parent.glob("*.py"):
        source = path.read_text()
        repairs |= set(re.findall(r"Repair\(\s*code=\"([a-z-]+)\"", source)) if path.stem != "operations" else set()
        refusals |= set(re.findall(r"refuse\(\s*\"([a-z-]+)\"", source))
    assert repairs == set(re.findall(r"^([a-z]+-[a-z-]+) ", document, re.MULTILINE))
    assert {code for code in refusals if f"``{code}``" not in document} == set()


def test_a_plain_diff_loads_no_other_reader() -> None:
    code = (
        "import sys\nfrom vibehq_tui.patches.formats import parse\n"
        f"parse({DIFF.encode()!r})\nparse({GIT.encode()!r})\n"
        "room = 'vibehq_tui.patches.formats.'\n"
        "print(*sorted(name.removeprefix(room) for name in sys.modules if name.startswith(room)))\n"
        "print(*sorted({'email', 'json', 'difflib', 'html'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["detect diffs git hunks names unified", ""]


@pytest.mark.parametrize(
    "text",
    [
        "<<<<<<< SEARCH\n" * 10_000,
        ("a.py\n" + BLOCK.partition("\n")[2]) * 10_000,
        "a.py\n<<<<<<< SEARCH\n" + "=======\n" * 40_000 + ">>>>>>> REPLACE\n",
        "apply_patch <<A\n" * 40_000 + CODEX,
        "  ```\n  --- a/f\n  ```\n" * 10_000,
        f"From a Mon Jan  1 10:00:00 2024\nSubject: x\n\n{DIFF}\n" * 3_000,
        "*** Begin Patch\n" * 20_000,
        "*** Begin Patch\n" + "*** Update File: f\n@@\n-a\n+b\n" * 10_000 + "*** End Patch\n",
        "*** Begin Patch\n*** Update File: f\n" + "@@ x\n" * 40_000 + "-a\n*** End Patch\n",
        "*** Begin Patch\n*** Update File: f\n@@\n" + " ...\n-a\n" * 20_000 + "*** End Patch\n",
        "```\n" * 40_000,
        "```python a.py\n" * 20_000,
        '<file path="a">\n' * 10_000,
        '<file path="a">\n' + "</file>\n" * 20_000,
        UDIFF * 5_000,
        UDIFF + "\n" * 200_000 + "x\n" * 20_000,
        "--- a/f\n+++ b/f\n@@\n" + " a\nb\n" * 20_000,
        "- " * 40_000 + "\n" + BLOCK,
        "`a/b`" * 40_000 + ":\n" + BLOCK,
        "# " * 200_000 + "\n" + WHOLE,
        "[" * 40_000 + '"*** Begin Patch"',
        " " * 200_000 + "<<<<<<< SEARCH\n",
        ("From a Mon Jan  1 10:00:00 2024\nSubject: " + "[PATCH" * 5_000 + "\n\nx\n") * 20,
        "From a Mon Jan  1 10:00:00 2024\n\n" * 10_000,
        "From a Mon Jan  1 10:00:00 2024\nFrom: " + "=?" * 20_000 + f"\n\n{DIFF}",
    ],
    ids=lambda text: repr(text[:24]),
)
def test_hostile_texts_take_no_time(text: str) -> None:
    for name in ("auto", *FORMATS[3:]):
        start = time.process_time()
        try:
            assert read(text, name).changes
        except PatchRefused as refusal:
            assert refusal.problems
        assert time.process_time() - start < 2, name


def test_a_refusal_says_where() -> None:
    assert message(f"prose\n\n{BLOCK.replace('=======', 'x')}").startswith("line 4: ")
