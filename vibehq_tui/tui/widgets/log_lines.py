"""The lines of a log of any size, by number: from a file, without reading it into memory, or from a list.

A file is read with ``pread`` in blocks; an index holds only how many lines end in each block (31 kB for a gigabyte).
It is never mapped into memory: a log that is truncated while it is mapped would end the program.
"""

from __future__ import annotations

import os
import re
import stat
from array import array
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path
from typing import Final, Literal, Protocol

from storage.errors import NotFound, Refused

BLOCK: Final = 256 * 1024
LINE_CAP: Final = 20_000
"""Bytes of a line that are shown and searched at most; a line of 100 MB is not for reading."""
_REGION_CAP: Final = 4 * BLOCK
_HEAD: Final = 256
_KEPT: Final = 8

Change = Literal["same", "grown", "replaced", "gone"]


class Lines(Protocol):
    """Lines by number, from 0, in blocks that are searched one at a time."""

    @property
    def total(self) -> int:
        """Lines that are known."""
        ...

    @property
    def blocks(self) -> int:
        """Blocks that are known."""
        ...

    def line(self, number: int) -> bytes:
        """A line without its end; empty when there is no such line."""
        ...

    def region(self, block: int) -> tuple[int, bytes]:
        """The number of the first line that belongs to a block, and the text of all that do."""
        ...

    def block_of(self, number: int) -> int:
        """The block that a line belongs to."""
        ...


class MemoryLines:
    """Lines that are all there: a log of the store."""

    _PER_BLOCK = 2_000

    def __init__(self, lines: Iterable[str] = ()) -> None:
        self._lines = [line.encode("utf-8", "surrogateescape").replace(b"\n", b" ") for line in lines]

    @property
    def total(self) -> int:
        """How many there are."""
        return len(self._lines)

    @property
    def blocks(self) -> int:
        """Blocks of two thousand lines."""
        return -(-len(self._lines) // self._PER_BLOCK)

    def line(self, number: int) -> bytes:
        """A line."""
        return self._lines[number][:LINE_CAP] if 0 <= number < len(self._lines) else b""

    def region(self, block: int) -> tuple[int, bytes]:
        """The lines of a block."""
        first = block * self._PER_BLOCK
        return first, b"\n".join(self._lines[first : first + self._PER_BLOCK])

    def block_of(self, number: int) -> int:
        """The block of a line."""
        return number // self._PER_BLOCK


class FileLines:
    """The lines of a file that may grow, be truncated or be replaced while it is shown."""

    def __init__(self, path: Path) -> None:
        """Opens the file; :meth:`index` has to be called until it is indexed.

        :raises NotFound: when there is no such file.
        :raises Refused: when it cannot be read, or is no ordinary file.
        """
        self.path = path
        self._fd = -1
        self._open()

    def _open(self) -> None:
        try:
            fd = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a FIFO must not block
        except FileNotFoundError:
            raise NotFound(f"there is no log at {self.path}", hint="it appears when something writes to it") from None
        except OSError as error:
            raise Refused(f"{self.path} cannot be read: {error.strerror}", hint="check its permissions") from error
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            raise Refused(f"{self.path} is not a file", hint="only files can be followed")
        self.close()
        self._fd = fd
        self._reset()

    def _reset(self) -> None:
        self._ends = array("Q")
        """For each full block the number of line ends in it and before it."""
        self._size = 0
        """Bytes that are indexed."""
        self._partial = 0
        """Line ends in the last block, which is not full."""
        self._ends_open = False
        """The last indexed byte is no line end."""
        self._head = b""
        self._blocks: OrderedDict[int, bytes] = OrderedDict()
        self._line_ends: OrderedDict[int, list[int]] = OrderedDict()

    def close(self) -> None:
        """Closes the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __del__(self) -> None:
        self.close()

    # -- the index -------------------------------------------------------------------------------------------------

    @property
    def size(self) -> int:
        """Bytes of the file now."""
        return os.fstat(self._fd).st_size

    @property
    def indexed(self) -> int:
        """Bytes that are indexed."""
        return self._size

    def index(self) -> bool:
        """Indexes up to one block more, in a fraction of a millisecond; answers whether it did."""
        at = len(self._ends) * BLOCK
        wanted = at + BLOCK
        data = os.pread(self._fd, min(wanted, self.size) - at, at)
        end = at + len(data)
        if end <= self._size:
            return False
        if not at:
            self._head = data[:_HEAD]
        count = data.count(b"\n")
        self._ends_open = not data.endswith(b"\n")
        self._size = end
        self._blocks.pop(len(self._ends), None)
        self._line_ends.pop(len(self._ends), None)
        if len(data) == BLOCK:
            self._ends.append(self._before(len(self._ends)) + count)
            self._partial = 0
        else:
            self._partial = count
        return True

    def check(self) -> Change:
        """Looks whether the file grew, was truncated or replaced (then the index starts anew), or is gone."""
        try:
            there = self.path.stat()
        except OSError:
            return "gone"
        here = os.fstat(self._fd)
        if (there.st_dev, there.st_ino) != (here.st_dev, here.st_ino):
            try:
                self._open()
            except (NotFound, Refused):
                return "gone"
            return "replaced"
        if here.st_size < self._size or (
            here.st_size != self._size and os.pread(self._fd, len(self._head), 0) != self._head
        ):
            self._reset()
            return "replaced"
        return "grown" if here.st_size > self._size else "same"

    def tail(self, count: int) -> list[bytes]:
        """The last lines, before anything is indexed: at most ``count``, from the last block of the file."""
        size = self.size
        start = max(size - BLOCK, 0)
        lines = os.pread(self._fd, size - start, start).split(b"\n")
        if lines and not lines[-1]:
            lines.pop()
        return [line[:LINE_CAP] for line in (lines[1:] if start and len(lines) > 1 else lines)[-count:]]

    @property
    def total(self) -> int:
        """Lines that are indexed; a last one without an end counts."""
        return self._before(len(self._ends)) + self._partial + self._ends_open

    @property
    def blocks(self) -> int:
        """Blocks that are indexed; the last one may not be full."""
        return -(-self._size // BLOCK)

    def _before(self, block: int) -> int:
        """Line ends in the blocks before ``block``."""
        return self._ends[block - 1] if block else 0

    def block_of(self, number: int) -> int:
        """The block in which the line before ``number`` ends; the first block for line 0."""
        return bisect_left(self._ends, number) if number else 0

    # -- the text --------------------------------------------------------------------------------------------------

    def _block(self, block: int) -> bytes:
        data = self._blocks.get(block)
        if data is None:
            data = os.pread(self._fd, min(BLOCK, max(self._size - block * BLOCK, 0)), block * BLOCK)
            self._blocks[block] = data
            while len(self._blocks) > _KEPT:
                self._blocks.popitem(last=False)
        self._blocks.move_to_end(block)
        return data

    def _start(self, number: int) -> int:
        """The offset at which a line starts."""
        if number <= 0:
            return 0
        block = self.block_of(number)
        if block not in self._line_ends:
            self._line_ends[block] = [match.start() for match in re.finditer(b"\n", self._block(block))]
            while len(self._line_ends) > _KEPT:
                self._line_ends.popitem(last=False)
        self._line_ends.move_to_end(block)
        ends, wanted = self._line_ends[block], number - self._before(block) - 1
        # A file that shrank since it was indexed has fewer: the next check() starts anew.
        return block * BLOCK + ends[wanted] + 1 if wanted < len(ends) else self._size

    def line(self, number: int) -> bytes:
        """A line without its end, cut after :data:`LINE_CAP` bytes."""
        if not 0 <= number < self.total:
            return b""
        start = self._start(number)
        block, offset = divmod(start, BLOCK)
        data = self._block(block)[offset : offset + LINE_CAP]
        if b"\n" not in data and len(data) < LINE_CAP and start + len(data) < self._size:
            data += os.pread(self._fd, min(LINE_CAP - len(data), self._size - start - len(data)), start + len(data))
        return data.split(b"\n", 1)[0]

    def region(self, block: int) -> tuple[int, bytes]:
        """The lines that belong to a block (see :meth:`block_of`), cut after a megabyte."""
        first = self._before(block) + 1 if block else 0
        last = self._ends[block] if block < len(self._ends) else self._before(block) + self._partial
        if last < first:
            return first, b""
        start = self._start(first)
        end = self._start(last + 1) if last + 1 < self.total else self._size
        return first, os.pread(self._fd, min(end - start, _REGION_CAP), start)
