"""A file that an agent wrote out whole, beside the one that is there: what changed, and what the agent left out.

What is kept of the old file is kept byte for byte. Line ends, the final newline and a byte order mark are the file's
own. Where the text says ``# ... existing code ...`` the lines of the file take that place, if the lines around it say
which for certain.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vibehq_tui.patches.formats.elisions import is_comment_elision, is_dots
from vibehq_tui.patches.model import Change, Problem, Repair
from vibehq_tui.patches.planning.content import Built
from vibehq_tui.patches.planning.diff3 import Edit, difference, edits
from vibehq_tui.patches.planning.filetext import FileText, split_end
from vibehq_tui.patches.planning.planned import PlannedHunk, split_lines
from vibehq_tui.patches.planning.tiers import TRAILING, Budget, Searcher, keys, telling

_MARK: Final = b"\xef\xbb\xbf"
_MOST_AROUND: Final = 40
"""Lines above and below left-out code that are looked at to find its place."""
_LONG: Final = 20
"""A file with fewer lines than this may well lose most of them."""


def rewritten(change: Change, before: bytes, number: int) -> Built | Problem:
    """The file with the content that was written out for it, as hunks from ``number`` on."""
    whole = change.whole or b""
    path = change.path
    repairs: list[Repair] = []
    if before.startswith(_MARK) and not whole.startswith(_MARK):
        whole = _MARK + whole
        message = "the file begins with a byte order mark and the text does not; it was kept"
        repairs.append(Repair(code="byte-order-mark", path=path, message=message))
    old, new = split_lines(before), split_lines(whole)
    gaps = _gaps(old, new, path)
    if gaps:
        filled = _filled(before, old, new, gaps)
        if isinstance(filled, int):
            message = (
                f"line {filled + 1} of the text stands for code that was left out, and the lines around it do not tell"
                " which"
            )
            return Problem(code="elided", path=path, hunk=number, message=message)
        new = filled
        message = "code that the text leaves out was taken from the file"
        repairs.append(Repair(code="elided", path=path, message=message))
    after, codes = _in_the_files_words(old, new)
    repairs += [Repair(code=code, path=path, message=_MESSAGES[code]) for code in codes]
    content = b"".join(after)
    if content == before:
        return Built(before, (PlannedHunk(number=number),), [])
    warnings = [] if gaps else _warnings(path, old, after)
    return Built(content, difference(before, content, number, "exact"), repairs, warnings)


def created(change: Change) -> bytes | Problem:
    """The content of a new file."""
    whole = change.whole or b""
    for at, line in enumerate(split_lines(whole)):
        if is_comment_elision(line) and not is_dots(line) and _says_so(line):
            message = (
                f"line {at + 1} of the text stands for code that was left out, and there is no file to take it from"
            )
            return Problem(code="elided", path=change.path, message=message)
    return whole


_MESSAGES: Final = {
    "line-endings": "the text ends its lines in another way than the file; the file's way was kept",
    "final-newline": "the text and the file disagree on the final newline; the file's was kept",
}


def _says_so(line: bytes) -> bool:
    """Whether a comment says more than dots."""
    return any(map(bytes.isalnum, (line[at : at + 1] for at in range(len(line)))))


def _gaps(old: Sequence[bytes], new: Sequence[bytes], path: str) -> list[int]:
    """Which lines of a text stand for code that was left out. A line that the file has, too, is what it is."""
    there = {line.strip() for line in old if is_dots(line) or is_comment_elision(line)}
    python = path.endswith((".py", ".pyi"))
    found = []
    for at, line in enumerate(new):
        if line.strip() in there:
            continue
        if is_comment_elision(line) or (is_dots(line) and not (python and _is_body(old, new, at))):
            found.append(at)
    return found


def _is_body(old: Sequence[bytes], new: Sequence[bytes], at: int) -> bool:
    """Whether dots are the body of something that the file does not have: in Python that is code."""
    above = next((line.rstrip() for line in reversed(new[:at]) if line.strip()), b"")
    return above.endswith(b":") and above not in {line.rstrip() for line in old}


def _filled(before: bytes, old: Sequence[bytes], new: Sequence[bytes], gaps: list[int]) -> list[bytes] | int:
    """The text with the lines that were left out, or the index of the line that stands for some and is not certain."""
    text = FileText(before)
    result: list[bytes] = []
    floor = 0
    bounds = [-1, *gaps, len(new)]
    for position, gap in enumerate(gaps, 1):
        above, below = new[bounds[position - 1] + 1 : gap], new[gap + 1 : bounds[position + 1]]
        start = 0 if position == 1 and not any(map(bytes.strip, above)) else _after(text, above, floor)
        if start is None:
            return gap
        last = position == len(gaps) and not any(map(bytes.strip, below))
        end = len(old) if last else _before(text, below, start)
        if end is None:
            return gap
        result += [*above, *old[start:end]]
        floor = end
    return result + list(new[gaps[-1] + 1 :])


def _after(text: FileText, above: Sequence[bytes], floor: int) -> int | None:
    """The line behind the only place below ``floor`` where the file has the last of some lines."""
    return _only(text, above, floor, above=True)


def _before(text: FileText, below: Sequence[bytes], floor: int) -> int | None:
    """The only place below ``floor`` where the file has the first of some lines."""
    return _only(text, below, floor, above=False)


def _only(text: FileText, lines: Sequence[bytes], floor: int, *, above: bool) -> int | None:
    """As many lines next to the gap as it takes are looked for, until they are in one place; at least one must tell."""
    limit = min(len(lines), _MOST_AROUND)
    blocks = [keys(lines[len(lines) - count :] if above else lines[:count]) for count in range(1, limit + 1)]
    if not blocks:
        return None
    searcher = Searcher(text, TRAILING, blocks[-1:], Budget())
    for block in blocks:
        if not any(map(telling, block)):
            continue
        found = searcher.find(block, 2, floor)
        if not found:
            return None
        if len(found) == 1:
            return found[0] + (len(block) if above else 0)
    return None


def _in_the_files_words(old: list[bytes], new: list[bytes]) -> tuple[list[bytes], list[str]]:
    """The new lines with the bytes of the file where they are the same, and its line ends where they are not."""
    if not old:
        return new, []
    mine, theirs = [split_end(line) for line in old], [split_end(line) for line in new]
    usual = mine[0][1] or b"\n"
    codes: set[str] = set()
    result: list[bytes] = []
    at = to = 0
    changed = edits([text for text, _ in mine], [text for text, _ in theirs])
    for edit in [*changed, Edit(len(old), len(old), len(new), len(new))]:
        for line, (_, end) in zip(old[at : edit.low], theirs[to : edit.start], strict=True):
            if split_end(line)[1] and end and split_end(line)[1] != end:
                codes.add("line-endings")
            result.append(line)
        around = mine[edit.low - 1][1] if edit.low else b""
        ending = around or (mine[edit.high][1] if edit.high < len(mine) else b"") or usual
        for text, end in theirs[edit.start : edit.end]:
            if end and end != ending:
                codes.add("line-endings")
            result.append(text + ending)
        at, to = edit.high, edit.end
    for position, line in enumerate(result[:-1]):
        if not line.endswith(b"\n"):
            result[position] = line + usual
    if result:
        has = old[-1].endswith(b"\n")
        text, end = split_end(result[-1])
        if has != new[-1].endswith(b"\n"):
            codes.add("final-newline")
        result[-1] = text + (end or usual if has else b"")
    return result, sorted(codes)


def _warnings(path: str, old: list[bytes], new: list[bytes]) -> list[str]:
    """What an operator should look at: a text that may have been cut off."""
    if len(old) < _LONG or not new:
        return []
    last = keys([next((line for line in reversed(new) if line.strip()), b"")])
    ends = [at for at, line in enumerate(keys(old)) if [line] == last]
    if len(ends) == 1 and telling(last[0]) and len(old) - ends[0] > max(_LONG // 2, len(old) // 10):
        return [f"{path}: the text ends where line {ends[0] + 1} of {len(old)} was; it may have been cut off"]
    if 2 * len(new) < len(old):
        return [f"{path}: has {len(new)} lines left of {len(old)}; the text may have been cut off"]
    return []
