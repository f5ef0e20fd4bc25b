"""A file as a sequence of lines that are cut out of its bytes only where somebody looks.

A million lines as a million objects cost more time than most patches take, and ten times the memory of the file. A
large file is therefore kept as it is, with a count of its lines for every two kilobytes.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Final, overload

from vibehq_tui.patches.planning.planned import split_lines

_SMALL: Final = 1 << 19
"""Bytes up to which a file is simply split."""
_NEAR: Final = 64
"""Up to so many lines are looked for one by one."""
_STRIDE: Final = 2048


def split_end(line: bytes) -> tuple[bytes, bytes]:
    """A line's text and its terminator: CR LF, LF, or nothing."""
    if line.endswith(b"\r\n"):
        return line[:-2], b"\r\n"
    return (line[:-1], b"\n") if line.endswith(b"\n") else (line, b"")


class FileText(Sequence[bytes]):
    """The lines of a file with their terminators; only LF ends a line."""

    __slots__ = ("_counts", "_length", "_lines", "_offsets", "content", "keyed")

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.keyed: dict[str, bytes] = {}
        """The same text as others compare it, by the name of the comparison."""
        self._lines: list[bytes] | None = None
        self._counts: list[int] = []
        self._offsets: list[int] = []
        if len(content) <= _SMALL:
            self._lines = split_lines(content)
            self._length = len(self._lines)
        else:
            strides = range(0, len(content), _STRIDE)
            self._counts = list(accumulate((content.count(b"\n", at, at + _STRIDE) for at in strides), initial=0))
            self._length = self._counts[-1] + (not content.endswith(b"\n"))

    @classmethod
    def of(cls, lines: FileText | Iterable[bytes]) -> FileText:
        """The same for lines that are split already."""
        return lines if isinstance(lines, FileText) else cls(b"".join(lines))

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, key: int) -> bytes: ...
    @overload
    def __getitem__(self, key: slice) -> list[bytes]: ...
    def __getitem__(self, key: int | slice) -> bytes | list[bytes]:
        if self._lines is not None:
            return self._lines[key]
        if isinstance(key, slice):
            start, stop, step = key.indices(self._length)
            lines = self._near(start, stop) if stop - start <= _NEAR else split_lines(self.joined(start, stop))
            return lines if step == 1 else lines[::step]
        if not -self._length <= key < self._length:
            raise IndexError(key)
        key %= self._length
        return self.joined(key, key + 1)

    def _near(self, start: int, stop: int) -> list[bytes]:
        at, content = self.offset(start), self.content
        lines = []
        for _ in range(start, stop):
            end = content.find(b"\n", at) + 1 or len(content)
            lines.append(content[at:end])
            at = end
        return lines

    def joined(self, start: int, stop: int) -> bytes:
        """Lines ``start`` to ``stop`` (indices, ``stop`` behind the last) as one text."""
        if self._lines is not None:
            if start <= 0 and stop >= self._length:
                return self.content
            return b"".join(self._lines[start:stop])
        return self.content[self.offset(start) : self.offset(stop)] if start < stop else b""

    def offset(self, line: int) -> int:
        """Where a line starts in the content; its length for a line behind the last."""
        if line <= 0:
            return 0
        if line >= self._length:
            return len(self.content)
        if self._lines is not None:
            if not self._offsets:
                self._offsets = list(accumulate(map(len, self._lines), initial=0))
            return self._offsets[line]
        stride = bisect_left(self._counts, line) - 1
        end = (stride + 1) * _STRIDE
        rest = self.content[end - _STRIDE : end].split(b"\n", line - self._counts[stride])[-1]
        return min(end, len(self.content)) - len(rest)

    def line_at(self, offset: int) -> int:
        """The index of the line that a byte is in."""
        if not self._counts:
            return self.content.count(b"\n", 0, offset)
        stride = offset // _STRIDE
        return self._counts[stride] + self.content.count(b"\n", stride * _STRIDE, offset)
