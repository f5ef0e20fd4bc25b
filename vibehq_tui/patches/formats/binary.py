"""The ``GIT binary patch`` section: base85, zlib, and git's delta instructions, with limits against bombs.

Source: Documentation/gitformat-pack (delta), apply.c and base85.c of git.
"""

from __future__ import annotations

import struct
import zlib
from typing import Final

from vibehq_tui.patches.errors import PatchRefused, refuse
from vibehq_tui.patches.model import BinaryDelta

MAX_BINARY: Final = 256 * 1024 * 1024
"""Bytes that one binary file may have, packed or not."""
MAX_BINARIES: Final = 512 * 1024 * 1024
"""Bytes that all binary files of a patch may make together; a small text can unpack to a thousand times its size."""

_ALPHABET: Final = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"
_DIGITS: Final = bytes(_ALPHABET.find(byte) if byte in _ALPHABET else 255 for byte in range(256))
_LINE: Final = 52
"""Bytes of data in a full line."""


def _bad(message: str, path: str) -> PatchRefused:
    return refuse("binary-corrupt", f"the binary patch is damaged: {message}", path=path)


def parse_binary(lines: list[bytes], at: int, path: str) -> tuple[BinaryDelta, int]:
    """Reads the forward hunk, and skips the reverse one, of a binary section whose mark is on line ``at - 1``.

    :returns: the hunk, and the index of the first line behind the section.
    :raises PatchRefused: when it is damaged, cut off or too large.
    """
    forward, at = _parse_hunk(lines, at, path)
    if forward is None:
        raise _bad("there is no data", path)
    _, at = _parse_hunk(lines, at, path)
    return forward, at


def _parse_hunk(lines: list[bytes], at: int, path: str) -> tuple[BinaryDelta | None, int]:
    if at >= len(lines):
        return None, at
    kind, _, size_text = lines[at].rstrip(b"\r\n").partition(b" ")
    if kind not in (b"literal", b"delta") or not size_text.isdigit():
        return None, at
    size = int(size_text[:20])
    if size > MAX_BINARY:
        raise refuse("binary-too-large", f"{size} bytes of binary data; at most {MAX_BINARY} are taken", path=path)
    packed, at = _decode_lines(lines, at + 1, path)
    return BinaryDelta(kind=kind.decode(), data=_inflate(packed, size, path)), at


def unpacked_size(delta: BinaryDelta) -> int:
    """Bytes that a binary hunk holds or makes, whichever is more."""
    if delta.kind != "delta":
        return len(delta.data)
    try:
        return max(_size(delta.data, _size(delta.data, 0)[1])[0], len(delta.data))
    except IndexError:
        return len(delta.data)  # damaged, which is told when it is carried out


def check_total(size: int, path: str) -> None:
    """:raises PatchRefused: when the binary files of a patch make more bytes together than are taken."""
    if size > MAX_BINARIES:
        message = f"the binary files of the patch make more than {MAX_BINARIES} bytes together"
        raise refuse("binary-too-large", message, path=path, hint="split the patch")


def _decode_lines(lines: list[bytes], at: int, path: str) -> tuple[bytes, int]:
    """Base85 lines up to the blank line that ends them; each starts with the number of bytes in it."""
    full: list[bytes] = []
    last = b""
    last_length = _LINE
    while at < len(lines):
        line = lines[at].rstrip(b"\r\n")
        if not line:
            break
        length = _line_length(line[0])
        if length is None or len(line) - 1 != (length + 3) // 4 * 5 or last_length != _LINE:
            raise _bad(f"line {at + 1} of the patch is not base85 of its length", path)
        last_length = length
        if length == _LINE:
            full.append(line[1:])
        else:
            last = line[1:]
        at += 1
    data = _decode85(b"".join(full) + last, path)
    return (data[: len(full) * _LINE + last_length] if last else data), at + 1


def _line_length(mark: int) -> int | None:
    if 65 <= mark <= 90:
        return mark - 64
    if 97 <= mark <= 122:
        return mark - 96 + 26
    return None


def _decode85(text: bytes, path: str) -> bytes:
    digits = text.translate(_DIGITS)
    if 255 in digits:
        raise _bad("a character is not of base85", path)
    words = [
        (((a * 85 + b) * 85 + c) * 85 + d) * 85 + e
        for a, b, c, d, e in zip(digits[0::5], digits[1::5], digits[2::5], digits[3::5], digits[4::5], strict=True)
    ]
    try:
        return struct.pack(f">{len(words)}I", *words)
    except struct.error:
        raise _bad("a group is beyond 32 bits", path) from None


def encode_binary(data: bytes) -> bytes:
    """A ``literal`` hunk with ``data``, as git writes it, with the blank line behind it."""
    packed = zlib.compress(data)
    output = [b"literal %d\n" % len(data)]
    for at in range(0, len(packed), _LINE):
        chunk = packed[at : at + _LINE]
        length = len(chunk)
        mark = 64 + length if length <= 26 else 96 + length - 26
        words = struct.unpack(f">{(length + 3) // 4}I", chunk + b"\0" * (-length % 4))
        text = bytes(_ALPHABET[word // 85**power % 85] for word in words for power in (4, 3, 2, 1, 0))
        output.append(b"%c%s\n" % (mark, text))
    output.append(b"\n")
    return b"".join(output)


def _inflate(packed: bytes, size: int, path: str) -> bytes:
    engine = zlib.decompressobj()
    try:
        data = engine.decompress(packed, size + 1)
    except zlib.error as error:
        raise _bad(str(error), path) from None
    if len(data) != size or not engine.eof:
        raise _bad(f"it unpacks to something other than the {size} bytes it names", path)
    return data


def apply_delta(base: bytes, delta: bytes, path: str) -> bytes:
    """Git's delta instructions carried out on ``base``.

    :raises PatchRefused: when they are damaged, do not belong to ``base`` or make more than they say.
    """
    try:
        base_size, at = _size(delta, 0)
        result_size, at = _size(delta, at)
        if base_size != len(base):
            raise refuse("binary-base", f"made for {base_size} bytes, the file has {len(base)}", path=path)
        if result_size > MAX_BINARY:
            raise refuse("binary-too-large", f"would make {result_size} bytes; at most {MAX_BINARY}", path=path)
        return _run_delta(base, delta, at, result_size, path)
    except IndexError:
        raise _bad("its instructions are cut off", path) from None


def _run_delta(base: bytes, delta: bytes, at: int, result_size: int, path: str) -> bytes:
    parts: list[bytes] = []
    made = 0
    while at < len(delta):
        code = delta[at]
        at += 1
        if code & 0x80:
            offset = size = 0
            for bit in range(4):
                if code >> bit & 1:
                    offset |= delta[at] << 8 * bit
                    at += 1
            for bit in range(3):
                if code >> (4 + bit) & 1:
                    size |= delta[at] << 8 * bit
                    at += 1
            size = size or 0x10000
            part = base[offset : offset + size]
        else:
            size = code
            part = delta[at : at + size]
            at += size
        if not size or len(part) != size or made + size > result_size:
            raise _bad("an instruction reaches beyond its data", path)
        made += size
        parts.append(part)
    if made != result_size:
        raise _bad(f"made {made} bytes instead of {result_size}", path)
    return b"".join(parts)


def _size(delta: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = delta[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80 or shift > 63:
            return value, at
