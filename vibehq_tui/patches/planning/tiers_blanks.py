"""How the blanks of a hunk relate to those of the file, and what added lines look like in the file's own blanks.

Old lines and the lines of the file that they mean are pairs of indentations. One rule must explain every pair: nothing
differs, the file has so much more or less in front, or tabs stand for so many spaces. Added lines follow the same rule,
and one that does not fit it makes the whole hunk uncertain.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from vibehq_tui.patches.model import Lines
from vibehq_tui.patches.planning.filetext import split_end
from vibehq_tui.patches.planning.tiers import BLANKS, blank_key, unicode_key
from vibehq_tui.patches.planning.tiers_unicode import plain

_TABS: Final = (4, 8, 2, 3)
"""Spaces that a tab stands for, the usual ones first."""

Rule = Callable[[bytes], "bytes | None"]
"""From an indentation of the patch to that of the file; None where it does not tell."""


@dataclass(frozen=True, slots=True)
class Relation:
    """The added lines of a hunk in the file's own blanks, in order, and what differs, as codes of repairs."""

    added: tuple[bytes, ...]
    codes: tuple[str, ...]
    tab: int = 0
    """Spaces that a tab of the patch stands for, in a file that has none."""


@dataclass(frozen=True, slots=True)
class _Pair:
    tag: str
    theirs: bytes
    """The indentation in the patch."""
    mine: bytes
    """The indentation in the file."""


def split_indent(line: bytes) -> tuple[bytes, bytes]:
    """The blanks before a line's text, and the text with what follows it."""
    text = line.lstrip(b" \t")
    return line[: len(line) - len(text)], text


def _split_odd_indent(line: bytes) -> tuple[bytes, bytes, bool]:
    """The same where blanks of other kinds count too, as the plain ones that they look like; and whether there were."""
    indent, text = split_indent(line)
    if line.isascii() or text[:1].isascii():
        return indent, text, False
    decoded = line.decode("utf-8", "surrogateescape")
    stripped = decoded.lstrip().encode("utf-8", "surrogateescape")
    if len(stripped) == len(text) or not stripped:
        return indent, text, False
    return plain(line[: len(line) - len(stripped)]), stripped, True


def relate(tagged: Lines, own: Sequence[bytes]) -> Relation | None:
    """Compares a hunk with the lines of the file that are the same in a weaker tier; None when nothing is certain.

    :param own: the lines of the file, one for each old line of the hunk.
    """
    codes: set[str] = set()
    pairs: list[_Pair] = []
    about = False
    odd = False
    old = iter(own)
    for position, (tag, line) in enumerate(tagged):
        if tag == "+":
            continue
        mine_indent, mine = split_indent(next(old).rstrip(BLANKS + b"\n"))
        indent, theirs, is_odd = _split_odd_indent(line.rstrip(BLANKS + b"\n"))
        odd = odd or is_odd
        if not mine or not theirs:
            if unicode_key(mine) != unicode_key(theirs):
                return None
            continue
        if mine != theirs:
            if plain(mine).split() != plain(theirs).split():
                return None  # Blanks where the other has none: "a b" and "ab" are not the same line for certain.
            codes.add("whitespace" if blank_key(mine) == blank_key(theirs) else "unicode")
            about = about or (tag == "-" and _is_about(tagged, position))
        pairs.append(_Pair(tag, indent, mine_indent))
    if not pairs or about:
        return None
    rule = _rule(pairs, tagged)
    added = None if rule is None else _apply(rule, tagged, odd=odd)
    if added is None:
        return None
    if odd:
        codes.add("unicode")
    if any(pair.theirs != pair.mine for pair in pairs):
        codes.add("indentation")
        if _moves_itself(tagged):
            return None
    return Relation(added, tuple(sorted(codes)), _tab_width({pair.theirs: pair.mine for pair in pairs}))


def _is_about(tagged: Lines, position: int) -> bool:
    """Whether a removed line that differs from the file's comes back with just such a difference: then it matters."""
    wanted = _as_seen(tagged[position][1])
    for step in (1, -1):
        at = position + step
        while 0 <= at < len(tagged) and tagged[at][0] != " ":
            if tagged[at][0] == "+" and _as_seen(tagged[at][1]) == wanted:
                return True
            at += step
    return False


def _as_seen(line: bytes) -> tuple[bytes, bytes]:
    indent, text = split_indent(plain(line))
    return indent, blank_key(text)


def _moves_itself(tagged: Lines) -> bool:
    """Whether a hunk with other indentation than the file consists of indentation: it may be in the file already."""
    old = [blank_key(line) for tag, line in tagged if tag != "+"]
    new = [blank_key(line) for tag, line in tagged if tag != "-"]
    return old == new


def _rule(pairs: list[_Pair], tagged: Lines) -> Rule | None:
    known = {pair.theirs: pair.mine for pair in pairs}
    if all(theirs == mine for theirs, mine in known.items()):
        if all(pair.theirs == pair.mine for pair in pairs):
            return lambda indent: indent
    elif all(known[pair.theirs] == pair.mine for pair in pairs):
        return _shift(pairs, tagged) or _tabs(pairs, known) or _lost_marker(pairs)
    return _lost_marker(pairs)


def _shift(pairs: list[_Pair], tagged: Lines) -> Rule | None:
    """The file has the same blanks more, or less, before every line."""
    first = pairs[0]
    more = len(first.mine) - len(first.theirs)
    if more == 0 or not _same_base(tagged):
        return None
    if more > 0:
        front = first.mine[:more]
        if any(pair.mine != front + pair.theirs for pair in pairs):
            return None
        if front == b" " and not any(pair.tag == "-" for pair in pairs):
            return None  # Context may have lost one blank with its marker, and then added lines are right as they are.
        return lambda indent: front + indent
    front = first.theirs[:-more]
    if any(pair.theirs != front + pair.mine for pair in pairs):
        return None
    return lambda indent: indent[-more:] if indent.startswith(front) else None


def _same_base(tagged: Lines) -> bool:
    """Whether added lines count their blanks from where old ones do: context does both, or both sides start alike."""
    if any(tag == " " and line.strip() for tag, line in tagged):
        return True
    old = [split_indent(line)[0] for tag, line in tagged if tag == "-" and line.strip()]
    new = [split_indent(line)[0] for tag, line in tagged if tag == "+" and line.strip()]
    return not new or min(old, key=len) == min(new, key=len)


def _tabs(pairs: list[_Pair], known: dict[bytes, bytes]) -> Rule | None:
    """One has tabs where the other has spaces."""
    if all(set(theirs) <= {32} and set(mine) <= {9} for theirs, mine in known.items()):
        for width in _TABS:
            if all(len(theirs) == width * len(mine) for theirs, mine in known.items()):
                return _spaces_to_tabs(width)
    width = _tab_width(known)
    if width:
        return lambda indent: indent.expandtabs(width)
    if not any(all(a.expandtabs(tab) == b.expandtabs(tab) for a, b in known.items()) for tab in _TABS):
        return None
    # Tabs and spaces are mixed in some way of the file's own; only what was seen there is known.
    return known.get


def _tab_width(known: dict[bytes, bytes]) -> int:
    """How many spaces a tab of the patch is in a file that has none; 0 where nothing or several widths explain it."""
    if not any(b"\t" in theirs for theirs in known) or any(b"\t" in mine for mine in known.values()):
        return 0
    widths = [width for width in _TABS if all(a.expandtabs(width) == b for a, b in known.items())]
    return widths[0] if len(widths) == 1 else 0


def untabbed(tagged: Lines, width: int) -> Lines | None:
    """A hunk whose added lines alone are indented with tabs, with spaces there; None when it is not like that."""
    if any(b"\t" in split_indent(line)[0] for tag, line in tagged if tag != "+"):
        return None
    lines = tuple((tag, _untabbed(line, width) if tag == "+" else line) for tag, line in tagged)
    return lines if lines != tagged else None


def _untabbed(line: bytes, width: int) -> bytes:
    indent, text = split_indent(line)
    return indent.expandtabs(width) + text if text.strip() else line


def _spaces_to_tabs(width: int) -> Rule:
    def rule(indent: bytes) -> bytes | None:
        if set(indent) <= {9}:
            return None if indent else b""
        if set(indent) != {32} or len(indent) % width:
            return None
        return b"\t" * (len(indent) // width)

    return rule


def _lost_marker(pairs: list[_Pair]) -> Rule | None:
    """Context lines came without their marker, so their first blank was taken for it; the others are right."""
    context = [pair for pair in pairs if pair.tag == " "]
    removed = [pair for pair in pairs if pair.tag == "-"]
    if any(pair.theirs != pair.mine for pair in removed):
        return None
    lost = [pair for pair in context if pair.mine == b" " + pair.theirs]
    kept = [pair for pair in context if pair.mine == pair.theirs]
    if len(lost) + len(kept) != len(context) or not lost or not (removed or kept):
        return None
    if any(pair.mine for pair in kept) and not removed:
        return None
    return lambda indent: indent


def _apply(rule: Rule, tagged: Lines, *, odd: bool) -> tuple[bytes, ...] | None:
    """The added lines by the rule; ``odd`` says that the patch has other blanks where the file has plain ones."""
    added: list[bytes] = []
    for tag, line in tagged:
        if tag != "+":
            continue
        indent, text = _split_odd_indent(line)[:2] if odd else split_indent(line)
        if not text.strip():
            added.append(line)
            continue
        moved = rule(indent)
        if moved is None:
            return None
        added.append(moved + text)
    return tuple(added)


def reworded(tagged: Lines, own: Sequence[bytes]) -> tuple[Lines, tuple[str, ...], int] | None:
    """A hunk with the text of the file on its old side and added lines in the file's blanks; line ends stay.

    Answers the codes of what differs, too, and how many spaces its tabs stand for."""
    relation = relate(tagged, own)
    if relation is None:
        return None
    old, added = iter(own), iter(relation.added)
    result: list[tuple[str, bytes]] = []
    for tag, line in tagged:
        text = next(added) if tag == "+" else split_end(next(old))[0] + split_end(line)[1]
        result.append((tag, text))
    return tuple(result), relation.codes, relation.tab
