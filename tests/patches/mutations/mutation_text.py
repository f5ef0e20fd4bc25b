"""Drafts of patches as text, in every format that agents write."""

from __future__ import annotations

from mutation_draft import Draft, DraftFile, DraftHunk, Line, split

ELISION = b"...\n"


def render(draft: Draft) -> bytes:
    """The text of a draft; cut off, fenced, with CRLF or without its last newline, as the draft says."""
    writer = {
        "git": _diff,
        "unified": _diff,
        "codex": _codex,
        "search-replace": _search_replace,
        "udiff": _udiff,
        "whole-file": _whole_file,
    }[draft.style]
    text = writer(draft)
    if draft.cut is not None:
        start = text.find(b"\n@@") + 1
        text = text[: start + int((len(text) - start) * draft.cut)]
    text = draft.around[0] + text + draft.around[1]
    if draft.crlf:
        text = text.replace(b"\n", b"\r\n")
    if not draft.final_newline:
        text = text.removesuffix(b"\r\n" if draft.crlf else b"\n")
    return text


def _file_header(draft: Draft, file: DraftFile) -> bytes:
    old = (draft.prefixes[0] + draft.folder + (file.from_ or file.path)).encode()
    new = (draft.prefixes[1] + draft.folder + file.path).encode()
    output = b""
    if draft.style == "git":
        output = b"diff --git %s %s\n" % (old, new)
        for line in file.extended:
            first, _, rest = line.partition(b" ")
            if first == b"rename":
                way, _, name = rest.partition(b" ")
                line = b"rename %s %s%s" % (way, draft.folder.encode(), name)
            output += line
        if not file.hunks:
            return output
    old = b"/dev/null" if file.op == "create" else old
    new = b"/dev/null" if file.op == "delete" else new
    return output + b"--- %s\n+++ %s\n" % (old, new)


def _hunk_header(hunk: DraftHunk) -> bytes:
    if hunk.header is not None:
        return hunk.header + b"\n"
    old, new = hunk.counts if hunk.counts is not None else (len(hunk.old()), len(hunk.new()))
    section = b" " + hunk.section if hunk.section else b""
    return b"@@ -%d,%d +%d,%d @@%s\n" % (hunk.old_start, old, hunk.new_start, new, section)


def _marked(lines: list[Line]) -> list[bytes]:
    output = []
    for mark, line in lines:
        output.append(mark.encode() + line)
        if not line.endswith(b"\n"):
            output[-1] += b"\n"
            output.append(b"\\ No newline at end of file\n")
    return output


def _with_elisions(hunk: DraftHunk, mark: str) -> list[Line]:
    lines = list(hunk.lines)
    for low, high in reversed(hunk.elided):
        lines[low:high] = [(mark, ELISION)]
    return lines


def _diff(draft: Draft) -> bytes:
    output = []
    for file in draft.files:
        text = _file_header(draft, file)
        for hunk in file.hunks:
            text += _hunk_header(hunk) + b"".join(_marked(_with_elisions(hunk, " ")))
        output.append(_fenced(text, b"diff") if draft.each_fenced else text)
    return b"".join(output)


def _fenced(text: bytes, language: bytes = b"") -> bytes:
    return b"Here it is:\n\n```" + language + b"\n" + text + b"```\n\n"


def _codex(draft: Draft) -> bytes:
    output = b"*** Begin Patch\n"
    for file in draft.files:
        name = (draft.folder + file.path).encode()
        if file.op == "create":
            output += b"*** Add File: %s\n" % name
            output += b"".join(b"+" + line for hunk in file.hunks for line in hunk.new())
            continue
        if file.op == "delete":
            output += b"*** Delete File: %s\n" % name
            continue
        output += b"*** Update File: %s\n" % (draft.folder + (file.from_ or file.path)).encode()
        if file.from_ is not None:
            output += b"*** Move to: %s\n" % name
        for hunk in file.hunks:
            output += _anchor(draft, file, hunk)
            output += b"".join(mark.encode() + line for mark, line in _with_elisions(hunk, " "))
    return output + b"*** End Patch\n"


def _anchor(draft: Draft, file: DraftFile, hunk: DraftHunk) -> bytes:
    """``@@`` with the line of the file that git found to lead to the hunk, when it is there in full."""
    lines = split(draft.content(file) or b"")[: hunk.old_start]
    whole = hunk.section.strip()
    return b"@@ " + whole + b"\n" if whole and whole in [line.strip() for line in lines] else b"@@\n"


def _udiff(draft: Draft) -> bytes:
    output = b""
    for file in draft.files:
        old = b"/dev/null" if file.op == "create" else (draft.folder + file.path).encode()
        new = b"/dev/null" if file.op == "delete" else (draft.folder + file.path).encode()
        output += b"```diff\n--- %s\n+++ %s\n" % (old, new)
        for hunk in file.hunks:
            output += b"@@ ... @@\n" + b"".join(_marked(_with_elisions(hunk, " ")))
        output += b"```\n\n"
    return output


def _search_replace(draft: Draft) -> bytes:
    output = b""
    for file in draft.files:
        for hunk in file.hunks:
            lines = _with_elisions(hunk, " ")
            old = b"".join(line for mark, line in lines if mark != "+")
            new = b"".join(line for mark, line in lines if mark != "-")
            name = (draft.folder + file.path).encode()
            output += b"%s\n```python\n<<<<<<< SEARCH\n%s=======\n%s>>>>>>> REPLACE\n```\n\n" % (name, old, new)
    return output


def _whole_file(draft: Draft) -> bytes:
    output = b""
    for file in draft.files:
        blob = draft.expected[file.path]
        content = blob.content if blob is not None else b""
        fence = b"````" if b"```" in content else b"```"
        output += b"%s\n%s\n%s%s\n\n" % ((draft.folder + file.path).encode(), fence, content, fence)
    return output
