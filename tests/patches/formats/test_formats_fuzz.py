"""Whatever the text, every reader answers or refuses; what it was meant to say is what is read, or nothing."""

from __future__ import annotations

import base64
import difflib
import json
import quopri
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from vibehq_tui.patches.errors import AlreadyApplied, PatchConflict, PatchRefused
from vibehq_tui.patches.formats import FORMATS, parse
from vibehq_tui.patches.formats.sides import tagged
from vibehq_tui.patches.model import Change, ParsedPatch
from vibehq_tui.patches.paths import check_path
from vibehq_tui.patches.planning.planner import make_plan
from vibehq_tui.patches.planning.tree import WorkTree

SLOW = 2.0
"""Seconds of the processor that no text of this size may take."""

quick = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
thorough = settings(max_examples=15_000, deadline=None, suppress_health_check=list(HealthCheck))

NAMES = ["f.py", "src/g.py", "../x", "/etc/passwd", ".git/config", "a b.txt", "src\\h.py", "", "\x1b.py", "é.txt"]
names = st.sampled_from(NAMES)
CODE = [
    "a",
    "b",
    "    c",
    "\td",
    "",
    " ",
    "...",
    "# ... existing code ...",
    "=======",
    "```",
    "+x",
    "-y",
    "@@",
    "def f():",
]
code = st.lists(st.sampled_from(CODE), max_size=8)
ends = st.sampled_from(["\n", "\n", "\n", "\r\n", ""])


def _lines(name: str) -> list[str]:
    return [
        "*** Begin Patch",
        "*** End Patch",
        f"*** Add File: {name}",
        f"*** Update File: {name}",
        f"*** Delete File: {name}",
        f"*** Move to: {name}",
        "*** End of File",
        "*** Environment ID: x",
        "apply_patch <<'EOF'",
        "cat <<EOF | apply_patch",
        "EOF",
        "@@",
        "@@ def f():",
        "@@ -1,2 +1,2 @@",
        "@@ ... @@",
        "@@ -12 @@ g",
        "<<<<<<< SEARCH",
        "<<<<< ORIGINAL",
        "------- SEARCH",
        "=======",
        "=====",
        ">>>>>>> REPLACE",
        ">>>>> UPDATED",
        "+++++++ REPLACE",
        ":start_line:3",
        "-------",
        "```",
        "```python",
        f"```python {name}",
        "````",
        "~~~",
        "   ```",
        name,
        f"**{name}**",
        f"### `{name}`",
        f"# {name}",
        f"In `{name}`:",
        f'<file path="{name}">',
        "</file>",
        f"<path>{name}</path>",
        "<write_to_file>",
        "<content>",
        "</content>",
        f"--- a/{name}",
        f"+++ b/{name}",
        "--- /dev/null",
        "+++ /dev/null",
        f"diff --git a/{name} b/{name}",
        "From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001",
        "From a Mon Jan  1 10:00:00 2024",
        "Subject: [PATCH 2/3] =?UTF-8?q?x=C3?=",
        "From: A <a@b>",
        "Content-Transfer-Encoding: base64",
        "Content-Transfer-Encoding: quoted-printable",
        "Content-Type: multipart/mixed; boundary=b",
        "--b",
        "YQo=",
        "---",
        "-- ",
        " a",
        "-b",
        "+c",
        " ...",
        "+# ... rest unchanged",
        "\\ No newline at end of file",
        "   *** Begin Patch",
        "&lt;&lt;&lt;&lt;&lt;&lt;&lt; SEARCH",
        "prose",
        "- a list",
        "",
    ]


texts = names.flatmap(lambda name: st.lists(st.tuples(st.sampled_from(_lines(name) + CODE), ends), max_size=30)).map(
    lambda items: "".join(text + end for text, end in items).encode("utf-8", "surrogateescape")
)
wrapped = texts.map(lambda text: json.dumps({"command": ["apply_patch", text.decode("utf-8", "replace")]}).encode())


def parsed(text: bytes, name: str) -> ParsedPatch | None:
    """The patch, or None when it is refused; anything else, and taking long, fails the test."""
    start = time.process_time()
    try:
        result = parse(text, name)
    except PatchRefused as refusal:
        assert refusal.message
        json.dumps(refusal.to_wire())
        result = None
    assert time.process_time() - start < SLOW
    if result is not None:
        check(result)
    return result


def check(patch: ParsedPatch) -> None:
    """What holds of every patch that was read."""
    assert patch.changes
    assert patch.format in FORMATS
    for part in patch.parts:
        check(part)
    if patch.parts:
        assert patch.changes == tuple(change for part in patch.parts for change in part.changes)
    for change in patch.changes:
        check_change(change)
    for repair in patch.repairs:
        json.dumps(repair.to_wire())


def check_change(change: Change) -> None:
    for path in (change.path, change.from_):
        assert path is None or check_path(path) == path
    if change.whole is not None:
        assert (change.op, change.may_create, change.hunks) == ("modify", True, ())
        return
    if change.op == "create":
        assert all(tag == "+" for hunk in change.hunks for tag, _ in hunk.lines) or change.old_name != change.path
    for position, hunk in enumerate(change.hunks):
        assert hunk.lines
        assert all(tag in (" ", "-", "+") and line for tag, line in hunk.lines)
        assert not (hunk.continues and position == 0)
        if not hunk.numbered:
            assert (hunk.old_start, hunk.old_count, hunk.new_start, hunk.new_count) == (0, 0, 0, 0)
        if hunk.continues:
            assert hunk.old()


def check_everywhere(text: bytes) -> int:
    """Reads a text as every format, and answers how many took it."""
    return sum(parsed(text, name) is not None for name in FORMATS)


@quick
@given(texts | wrapped)
@example(b"*** Begin Patch\n*** Update File: f\n@@\n\n*** End Patch\n")
@example(b"f.py\n<<<<<<< SEARCH\n=======\n>>>>>>> REPLACE")
@example(b"--- a/f\n+++ b/f\n@@\n\\ No newline at end of file\n")
@example(b'<file path="f.py">')
@example(b"From a Mon Jan  1 10:00:00 2024\nContent-Type: multipart/mixed; boundary=b\n\n--b\n")
@example(b'{"*** Begin Patch": [')
def test_texts(text: bytes) -> None:
    assert check_everywhere(text) <= len(FORMATS)


@quick
@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    assert check_everywhere(data) <= len(FORMATS)


@pytest.mark.long
@thorough
@given(texts | wrapped)
def test_texts_at_length(text: bytes) -> None:
    assert check_everywhere(text) <= len(FORMATS)


@pytest.mark.long
@thorough
@given(st.binary(max_size=2000))
def test_any_bytes_at_length(data: bytes) -> None:
    assert check_everywhere(data) <= len(FORMATS)


sides = st.lists(st.sampled_from([b"a\n", b"b\n", b"c\n", b"\n", b"d\r\n", b"    e\n"]), max_size=40)


@quick
@given(sides, sides)
def test_the_sides_of_a_change(old: list[bytes], new: list[bytes]) -> None:
    lines = tagged(old, new)
    assert [line for tag, line in lines if tag != "+"] == old
    assert [line for tag, line in lines if tag != "-"] == new


@quick
@given(st.lists(st.integers(0, 400), max_size=400), st.lists(st.integers(0, 400), max_size=400))
def test_the_sides_of_a_large_change(old: list[int], new: list[int]) -> None:
    before, after = [b"%d\n" % item for item in old], [b"%d\n" % item for item in new]
    lines = tagged(before, after)
    assert [line for tag, line in lines if tag != "+"] == before
    assert [line for tag, line in lines if tag != "-"] == after


plain = st.lists(
    st.sampled_from(["a", "b", "  c", "\td", "e=1", "# f", "- g", "+ h", "@@ i", "*** j", "", "é"]), min_size=1
)


@quick
@given(plain, plain, st.integers(0, 3), st.booleans())
def test_what_is_meant_is_read(old: list[str], new: list[str], context: int, crlf: bool) -> None:
    """A change of a file, written down in each format, is read as the same old and new lines."""
    if old == new:
        return
    end = "\r\n" if crlf else "\n"
    hunks = _hunks(old, new, context)
    body = "".join("@@\n" + "".join(line + "\n" for line in hunk) for hunk in hunks)
    meant = [
        ([line[1:] for line in hunk if line[0] != "+"], [line[1:] for line in hunk if line[0] != "-"]) for hunk in hunks
    ]
    codex = f"*** Begin Patch\n*** Update File: f.py\n{body}*** End Patch\n"
    udiff = f"```diff\n--- a/f.py\n+++ b/f.py\n{body}```\n"
    for name, text in (("codex", codex), ("udiff", udiff)):
        found = parse(text.replace("\n", end).encode(), "auto")
        assert (found.format, found.repairs) == (name, ())
        assert [_sides(change) for change in found.changes] == [meant]


def _hunks(old: list[str], new: list[str], context: int) -> list[list[str]]:
    hunks: list[list[str]] = []
    for line in list(difflib.unified_diff(old, new, n=context, lineterm=""))[2:]:
        if line.startswith("@@"):
            hunks.append([])
        else:
            hunks[-1].append(line)
    return hunks


def _sides(change: Change) -> list[tuple[list[str], list[str]]]:
    def text(lines: list[bytes]) -> list[str]:
        return [line.decode().rstrip("\r\n") for line in lines]

    return [(text(hunk.old()), text(hunk.new())) for hunk in change.hunks]


@quick
@given(plain, plain, st.booleans())
def test_blocks_and_whole_files_are_read(old: list[str], new: list[str], crlf: bool) -> None:
    end = "\r\n" if crlf else "\n"
    before, after = "".join(line + "\n" for line in old), "".join(line + "\n" for line in new)
    block = f"f.py\n```\n<<<<<<< SEARCH\n{before}=======\n{after}>>>>>>> REPLACE\n```\n".replace("\n", end)
    found = parsed(block.encode(), "auto")
    if found is not None and before.strip():
        assert _sides(found.changes[0]) == [(old, new)]
    file = parsed(f"f.py\n```\n{after}```\n".replace("\n", end).encode(), "auto")
    if file is not None and file.format == "whole-file":
        assert file.changes[0].whole == after.encode()


@quick
@given(plain, plain, st.sampled_from(["quoted-printable", "base64"]))
def test_encoded_mails_are_read(old: list[str], new: list[str], encoding: str) -> None:
    diff = "".join(line + "\n" for line in difflib.unified_diff(old, new, "a/f", "b/f", lineterm=""))
    if not diff:
        return
    head = "From a Mon Jan  1 10:00:00 2024\nFrom: A <a@b>\nSubject: [PATCH] x\nMIME-Version: 1.0\n"
    raw = f"Why.\n---\n{diff}-- \n2.39.5\n".encode()
    packed = quopri.encodestring(raw) if encoding == "quoted-printable" else base64.encodebytes(raw)
    kind = "Content-Type: text/plain; charset=utf-8\n"
    mail = f"{head}{kind}Content-Transfer-Encoding: {encoding}\n\n".encode() + packed
    assert parse(mail, "mbox").parts == parse(f"{head}\n".encode() + raw, "mbox").parts


@quick
@given(st.text(max_size=40), st.sampled_from(["codex", "search-replace", "udiff", "whole-file", "mbox"]))
@example("..", "codex")
def test_no_name_leads_out(name: str, format: str) -> None:  # noqa: A002 - the word of the command line
    text = {
        "codex": f"*** Begin Patch\n*** Add File: {name}\n+x\n*** End Patch\n",
        "search-replace": f"`{name}`\n<<<<<<< SEARCH\n=======\nx\n>>>>>>> REPLACE\n",
        "udiff": f"--- /dev/null\n+++ {name}\n@@ ... @@\n+x\n",
        "whole-file": f'<file path="{name}">\nx\n</file>\n',
        "mbox": f"From: A <a@b>\nSubject: x\n\n--- /dev/null\n+++ {name}\n@@ -0,0 +1 @@\n+x\n",
    }[format]
    found = parsed(text.encode("utf-8", "surrogatepass"), format)
    for change in found.changes if found is not None else ():
        parts = change.path.lower().split("/")
        assert ".." not in parts
        assert ".git" not in parts
        assert not change.path.startswith("/")


few = st.lists(st.sampled_from(["a", "b", "c", "  d", "}", "", "def f():"]), max_size=14)


def applied(text: str, content: str) -> str | None:
    """The file ``f.py`` after a patch; None when it is refused, in conflict, or there already."""
    with TemporaryDirectory() as name:
        (Path(name) / "f.py").write_bytes(content.encode())
        tree = WorkTree(Path(name))
        try:
            plan = make_plan(parse(text.encode()), tree)
        except (PatchRefused, PatchConflict, AlreadyApplied):
            return None
        finally:
            tree.close()
    assert [file.path for file in plan.files] == ["f.py"]
    return (plan.files[0].after or b"").decode()


def check_applied(old: list[str], new: list[str], context: int) -> set[str]:
    """A change written down in each format gives the file that was meant, or is refused; answers which were applied."""
    before, after = "".join(line + "\n" for line in old), "".join(line + "\n" for line in new)
    if before == after or not before.strip():
        return set()
    hunks = _hunks(old, new, context)
    body = "".join("@@\n" + "".join(line + "\n" for line in hunk) for hunk in hunks)
    blocks = "".join(
        "<<<<<<< SEARCH\n"
        + "".join(line[1:] + "\n" for line in hunk if line[0] != "+")
        + "=======\n"
        + "".join(line[1:] + "\n" for line in hunk if line[0] != "-")
        + ">>>>>>> REPLACE\n"
        for hunk in hunks
    )
    texts = {
        "codex": f"*** Begin Patch\n*** Update File: f.py\n{body}*** End Patch\n",
        "udiff": f"```diff\n--- a/f.py\n+++ b/f.py\n{body}```\n",
        "search-replace": f"f.py\n{blocks}",
        "whole-file": f"f.py\n````\n{after}````\n",
    }
    done: set[str] = set()
    for name, text in texts.items():
        try:
            assert parse(text.encode()).format == name
        except PatchRefused:
            continue
        result = applied(text, before)
        assert result is None or result == after, (name, text)
        if result is not None:
            done.add(name)
    return done


@quick
@given(few, few, st.integers(0, 3))
def test_what_is_applied_is_what_was_meant(old: list[str], new: list[str], context: int) -> None:
    done = check_applied(old, new, context)
    assert "whole-file" in done or old == new or not "".join(old).strip() or not "".join(new).strip()


@pytest.mark.long
@thorough
@given(few, few, st.integers(0, 3))
def test_what_is_applied_is_what_was_meant_at_length(old: list[str], new: list[str], context: int) -> None:
    done = check_applied(old, new, context)
    assert "whole-file" in done or old == new or not "".join(old).strip() or not "".join(new).strip()
