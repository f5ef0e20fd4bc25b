"""Files written out whole: in fences with a name, or between tags.

Only a block that is named beyond doubt becomes a file: by its fence, by a line above it that is nothing but a name, by
its own first line, by the attribute of a tag. Shell snippets, examples and prose never do. Code that was left out stays
in the content as it is; what it stands for is found out against the file.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from vibehq_tui.patches.errors import PatchRefused, refuse
from vibehq_tui.patches.formats.labels import (
    Label,
    checked_name,
    has_file_name,
    info_name,
    introduced,
    mentioned,
    read_label,
)
from vibehq_tui.patches.formats.lines import Fence, fence_at, fence_mark, is_blank, split_text, text_of
from vibehq_tui.patches.formats.written import check_written
from vibehq_tui.patches.model import Change, ParsedPatch, Repair

_OUTPUTS: Final = frozenset(
    {"console", "output", "terminal", "shell-session", "log", "shellsession", "pycon", "diff", "patch", "udiff"}
)
_SHELLS: Final = frozenset({"bash", "sh", "shell", "zsh", "fish", "powershell", "ps1", "bat", "cmd"})
_NESTING: Final = (".md", ".mdx", ".markdown", ".rst", ".adoc", ".qmd", ".rmd", ".ipynb")
_MAY_BE_EMPTY: Final = ("__init__.py", "py.typed", ".gitkeep", ".keep", ".nojekyll")
_TAG: Final = re.compile(
    rb"<(file|write_file|create_file|document|boltAction)\s+([^<>]*?)>[ \t]*(<!\[CDATA\[)?[ \t]*\r?\n?$", re.IGNORECASE
)
_TAG_NAME: Final = re.compile(
    rb"(?:^|\s)(?:path|name|filename|file_name|file_path|filePath|src)\s?=\s?(?:\"([^\"]*)\"|'([^']*)')"
)
_OTHER_FORMAT: Final = re.compile(
    rb"(?:<{5,9}|-{5,9}) ?(?:SEARCH|ORIGINAL)|\*\*\* (?:Begin Patch|(?:Add|Update|Delete) File:)|diff --git |--- a/"
)
_WRITE: Final = re.compile(rb"<write_to_file>\s*$")
_PATH: Final = re.compile(rb"<path>([^<>]*)</path>\s*$")


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file that a text holds: its name, where the name was found, and its lines from ``start`` to ``stop``."""

    name: str
    named_at: int
    start: int
    stop: int
    end: int
    """The index behind everything that belongs to it."""
    indent: int = 0
    """Blanks in front of every line that are not of the file."""


@dataclass(slots=True)
class _Reader:
    lines: list[bytes]
    repairs: list[Repair] = field(default_factory=list)
    covered: Sequence[int] = ()
    """Lines, in order, where parts in other formats start: a fence around one is not a file."""
    loose: list[tuple[Fence, int]] = field(default_factory=list)
    """Fences that are no files, each with the line behind the block before."""

    def files(self) -> list[FoundFile]:
        """Every file in the text, in order."""
        found: list[FoundFile] = []
        at = behind = 0
        while at < len(self.lines):
            tagged = self._tagged(at) if self.lines[at].lstrip()[:1] == b"<" else None
            if tagged is not None:
                found.append(tagged)
                at = behind = tagged.end
                continue
            mark = fence_mark(self.lines[at])
            if mark is None:
                at += 1
                continue
            fence = fence_at(self.lines, at, mark)
            taken = bisect_left(self.covered, fence.end) > bisect_left(self.covered, at)
            file = None if taken else self._fenced(fence, found[-1].end if found else 0)
            if taken:
                pass  # the reader of the other format looks after it
            elif file is None:
                self.loose.append((fence, behind))
            else:
                found.append(file)
            at = behind = fence.end + 1
        if found:
            self._check_loose()
        return found

    # Tags

    def _tagged(self, at: int) -> FoundFile | None:
        line = self.lines[at].strip()
        if _WRITE.match(line):
            return self._written(at)
        match = _TAG.match(line)
        attribute = _TAG_NAME.search(match[2]) if match is not None else None
        if match is None or attribute is None:
            return None
        name = (attribute[1] or attribute[2] or b"").decode("utf-8", "surrogateescape").strip()
        return self._between(at, at, name, match[1], cdata=match[3] is not None)

    def _written(self, at: int) -> FoundFile | None:
        """``<write_to_file>``, ``<path>`` and ``<content>`` on lines of their own."""
        name: str | None = None
        named_at = at
        for index in range(at + 1, min(at + 8, len(self.lines))):
            line = self.lines[index].strip()
            match = _PATH.match(line)
            if match is not None:
                name, named_at = match[1].decode("utf-8", "surrogateescape").strip(), index
            elif line.startswith(b"<content>") and name is not None:
                if line != b"<content>":
                    raise refuse(
                        "malformed-file", f"line {index + 1}: the content starts on the line of its tag", path=name
                    )
                return self._between(index, named_at, name, b"content", cdata=False)
        return None

    def _between(self, at: int, named_at: int, name: str, tag: bytes, *, cdata: bool) -> FoundFile:
        closer = b"</" + tag.lower() + b">"
        opener = b"<" + tag.lower()
        ends: list[int] = []
        index = at + 1
        while index < len(self.lines):
            low = self.lines[index].strip().lower()
            if low in (closer, b"]]>" + closer) or (cdata and low == b"]]>"):
                ends.append(index)
                if cdata and low == b"]]>":
                    break
            elif ends and (_WRITE if tag == b"content" else _TAG).match(low) and low.startswith((opener, b"<write")):
                break
            elif not ends and closer in low and not low.startswith(closer):
                raise refuse(
                    "malformed-file",
                    f"line {index + 1}: {closer.decode()} does not stand on a line of its own",
                    path=name,
                )
            index += 1
        if not ends:
            raise refuse("truncated", f"line {at + 1}: the file is not ended by {closer.decode()}", path=name)
        if len(ends) > 1:
            message = f"lines {ends[0] + 1} and {ends[1] + 1} could both end the file of line {at + 1}"
            raise refuse(
                "nested-file", message, path=name, hint="send this file alone, in a fence that its content has not"
            )
        start, stop = self._unfenced(at + 1, ends[0], name)
        return FoundFile(name, named_at, start, stop, ends[0] + 1)

    def _unfenced(self, start: int, stop: int, name: str) -> tuple[int, int]:
        """The lines between two tags, without a fence that stands around all of them."""
        top, bottom = start, stop - 1
        while top < stop and is_blank(self.lines[top]):
            top += 1
        while bottom > top and is_blank(self.lines[bottom]):
            bottom -= 1
        first = fence_mark(self.lines[top]) if top < bottom else None
        if first is None:
            return start, stop
        last = fence_mark(self.lines[bottom])
        inner = [
            at for at in range(top + 1, bottom) if (mark := fence_mark(self.lines[at])) and mark.char == first.char
        ]
        if last is None or not last.closes(first) or inner or name.lower().endswith(_NESTING):
            if name.lower().endswith(_NESTING):
                return start, stop
            message = f"line {top + 1}: it is not certain whether the fence belongs to the file"
            raise refuse("nested-fence", message, path=name)
        return top + 1, bottom

    # Fences

    def _fenced(self, fence: Fence, behind: int) -> FoundFile | None:
        """The file in a fence, or None when the fence is just a fence."""
        info = fence.mark.info
        name = info_name(info) if info else None
        named_at, start = fence.start, fence.start + 1
        language = info.split()[0].casefold().strip("{}.") if info.split() else ""
        if name is None and language not in _OUTPUTS:
            above = self._above(fence.start, behind)
            if above is not None:
                named_at, name = above
            else:
                inside = self._inside(fence)
                if inside is not None:
                    name, drop = inside
                    named_at, start = fence.start + 1, start + drop
        if name is None:
            return None
        if language in _OUTPUTS:
            return None
        if not fence.closed:
            raise refuse(
                "truncated",
                f"line {fence.start + 1}: the fence of {name!r} is not closed",
                hint="get the whole answer again",
            )
        self._check_nested(fence, name, start)
        return FoundFile(name, named_at, start, fence.end, fence.end + 1, fence.mark.indent)

    def _above(self, at: int, behind: int) -> tuple[int, str] | None:
        """The name on the line above a fence, at most one blank line away."""
        index = at - 1
        if index >= behind and is_blank(self.lines[index]):
            index -= 1
        if index < behind:
            return None
        label = read_label(self.lines[index])
        if label is None:
            name = introduced(self.lines[index])
            if name is not None and _says_whole(self.lines[index]):
                return index, name
            return None
        if label.listed and index > behind and (read_label(self.lines[index - 1]) or label).name != label.name:
            return None
        return (index, label.name) if _is_certain(label) else None

    def _inside(self, fence: Fence) -> tuple[str, int] | None:
        """The name on the first line within a fence, and how many lines it takes off the content.

        A comment with a name stays: whether it is part of the file is not known, and does no harm.
        """
        if fence.start + 1 >= fence.end:
            return None
        line = self.lines[fence.start + 1]
        label = read_label(line)
        if label is None or not has_file_name(label.name) or label.listed or " " in label.name:
            return None
        if label.comment and not label.keyed:
            if "/" not in label.name:
                return None
            message = f"line {fence.start + 2}: the comment names the file; it was kept in the content"
            self.repairs.append(Repair(code="name-in-comment", path=label.name, message=message))
            return label.name, 0
        if not label.keyed and "/" not in label.name:
            return None
        drop = 2 if fence.start + 2 < fence.end and is_blank(self.lines[fence.start + 2]) else 1
        return label.name, drop

    def _check_nested(self, fence: Fence, name: str, start: int) -> None:
        """Fences within a fence of the same kind end it too early.

        :raises PatchRefused: when that may have happened.
        """
        mark = fence.mark
        for at in range(start, fence.end):
            inner = fence_mark(self.lines[at])
            if (
                inner is not None
                and inner.char == mark.char
                and inner.length >= mark.length
                and inner.indent <= mark.indent + 3
            ):
                raise self._nested(at, name)
        behind = fence.end + 1
        if behind < len(self.lines) and not is_blank(self.lines[behind]) and not self._may_follow(behind):
            raise self._nested(fence.end, name)
        if name.lower().endswith(_NESTING) and self._lone_fence(fence):
            raise self._nested(fence.end, name)

    def _may_follow(self, at: int) -> bool:
        """Whether a line right behind a fence shows that the fence ended there: a heading, a name, another fence."""
        line = self.lines[at].strip()
        mark = fence_mark(line)
        if mark is not None:
            return bool(mark.info)
        return line.startswith((b"#", b"**", b"</", b"<file", b"---")) or read_label(line) is not None

    def _lone_fence(self, fence: Fence) -> bool:
        """Whether a fence without a word behind it follows, before the next one that has one."""
        for at in range(fence.end + 1, len(self.lines)):
            mark = fence_mark(self.lines[at])
            if mark is not None and mark.char == fence.mark.char and mark.length >= fence.mark.length:
                return not mark.info
        return False

    def _nested(self, at: int, name: str) -> PatchRefused:
        return refuse(
            "nested-fence",
            f"line {at + 1}: the content of {name!r} has a fence in it, and it is not certain where the file ends",
            hint="put a longer fence, of four backticks or more, around a file that has fences in it",
        )

    def _check_loose(self) -> None:
        """Looks at the fences that are no files, where others are.

        One without a word that starts right below text is most likely the rest of a file that has fences. One whose
        introduction names a file may be that file.
        """
        for fence, behind in self.loose:
            self._check_introduction(fence, behind)
            if fence.mark.info:
                continue
            above = self.lines[fence.start - 1] if fence.start else b"\n"
            if not fence.closed or not (is_blank(above) or above.rstrip().endswith(b":")):
                raise refuse(
                    "nested-fence",
                    f"line {fence.start + 1}: it is not certain what this fence belongs to",
                    hint="put a longer fence, of four backticks or more, around a file that has fences in it",
                )

    def _check_introduction(self, fence: Fence, behind: int) -> None:
        words = fence.mark.info.split()
        language = words[0].casefold().strip("{}.") if words else ""
        if language in _OUTPUTS | _SHELLS:
            return
        index = fence.start - 1
        while index >= behind and is_blank(self.lines[index]):
            index -= 1
        names = mentioned(self.lines[index]) if index >= behind else set()
        for line in self.lines[behind : max(index, behind)]:
            label = read_label(line)
            if label is not None and label.dressed and not label.listed and has_file_name(label.name):
                names.add(label.name)
        if names:
            raise refuse(
                "unclear-file",
                f"line {fence.start + 1}: this block may be the file {min(names)!r}, or an example",
                hint="put the path on a line of its own above the fence of each file",
            )


def _is_certain(label: Label) -> bool:
    return has_file_name(label.name) or label.keyed


def _says_whole(line: bytes) -> bool:
    """Whether a sentence that introduces a file says that it is written out."""
    words = set(re.findall(rb"[a-z]+", line.lower()))
    return bool(words & {b"create", b"new", b"add", b"full", b"complete", b"whole", b"entire"})


def find_files(lines: list[bytes], covered: Sequence[int] = ()) -> tuple[list[FoundFile], list[Repair]]:
    """Every named file in a text.

    :param covered: lines, in order, where parts in other formats start.
    :raises PatchRefused: when it is not certain where one ends.
    """
    reader = _Reader(lines, covered=covered)
    return reader.files(), reader.repairs


def has_files(text: bytes) -> bool:
    """Whether a text holds a named file, in a fence or between tags.

    :raises PatchRefused: when it is not certain where one ends.
    """
    return bool(find_files(split_text(text)[0])[0])


def to_changes(lines: list[bytes], files: Sequence[FoundFile], repairs: list[Repair]) -> tuple[Change, ...]:
    """Files as changes.

    :raises PatchRefused: for unsafe names, a file that comes twice, and one without content that should have some.
    """
    changes: dict[str, Change] = {}
    for file in files:
        path = checked_name(file.name, file.named_at, repairs)
        content = _dedented(lines, file, path, repairs)
        opener = lines[file.start - 1]
        if opener.endswith(b"\r\n") and content and all(line.endswith(b"\r\n") for line in content):
            content = [line[:-2] + b"\n" for line in content]
            message = "the text ends its lines with CRLF; the lines of the file were read with LF"
            repairs.append(Repair(code="crlf-patch", path=path, message=message))
        _check_blocks(content, file, path)
        check_written(content, path, file.start)
        whole = b"".join(content)
        if not whole.strip() and not path.endswith(_MAY_BE_EMPTY):
            raise refuse(
                "empty-file",
                f"line {file.named_at + 1}: nothing is written where the content should be",
                path=path,
                hint="to empty or delete a file, say so in a diff",
            )
        change = Change(path=path, op="modify", may_create=True, whole=whole)
        if changes.setdefault(path, change) != change:
            raise refuse(
                "same-file-twice",
                f"line {file.named_at + 1}: {path!r} is written out twice, and differently",
                path=path,
            )
    return tuple(changes.values())


def _check_blocks(content: list[bytes], file: FoundFile, path: str) -> None:
    """:raises PatchRefused: when the content of a file is a block, or a patch, in another format."""
    first = next((at for at, line in enumerate(content) if not is_blank(line)), None)
    if first is not None and _OTHER_FORMAT.match(content[first]):
        raise refuse(
            "unclear-file",
            f"line {file.start + first + 1}: what is written out as {path!r} is a patch in another format",
            path=path,
            hint="name that format, or let it be found out",
        )


def _dedented(lines: list[bytes], file: FoundFile, path: str, repairs: list[Repair]) -> list[bytes]:
    """The lines of a file without the indentation of its fence."""
    content = lines[file.start : file.stop]
    if not file.indent:
        return content
    margin = b" " * file.indent
    for at, line in enumerate(content):
        if not line.startswith(margin) and not is_blank(line):
            message = f"line {file.start + at + 1}: the line is indented less than the fence that it stands in"
            raise refuse("indented-text", message, path=path)
    message = f"the fence is indented by {file.indent} blanks; they were taken off its lines"
    repairs.append(Repair(code="indented-text", path=path, message=message))
    return [line[file.indent :] if line.startswith(margin) else line.lstrip(b" ") for line in content]


def parse_whole_file(text: bytes) -> ParsedPatch:
    """Reads every named file in ``text``; without fences and tags, the one that its first line names.

    :raises PatchRefused: when there is none, or when it is not certain where one ends.
    """
    lines, unfinished = split_text(text)
    files, repairs = find_files(lines)
    if not files:
        files = [_plain(lines)]
        if unfinished:
            message = "the text had no final newline; the file got one"
            repairs.append(Repair(code="patch-newline", path=files[0].name, message=message))
    return ParsedPatch(format="whole-file", changes=to_changes(lines, files, repairs), repairs=tuple(repairs))


def _plain(lines: list[bytes]) -> FoundFile:
    """A text that is a name and then the file, when that is what it is said to be."""
    at = 0
    while at < len(lines) and is_blank(lines[at]):
        at += 1
    label = read_label(lines[at]) if at < len(lines) else None
    fenced = next((index for index in range(at, len(lines)) if fence_mark(lines[index]) is not None), None)
    if label is None or fenced is not None or at + 1 >= len(lines):
        where = f"; line {fenced + 1} opens a fence without one" if fenced is not None else ""
        raise refuse(
            "no-changes",
            f"no file with a name is in the text{where}",
            hint="put the path on the line above the fence of each file",
        )
    start = at + 2 if is_blank(lines[at + 1]) else at + 1
    if start >= len(lines):
        raise refuse("truncated", f"line {at + 1}: {text_of(lines[at])} is followed by nothing", path=label.name)
    return FoundFile(label.name, at, start, len(lines), len(lines))
