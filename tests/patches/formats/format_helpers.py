"""Reads texts in any format, and says in short what came out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vibehq_tui.patches.applying.engine import EngineResult, apply_text
from vibehq_tui.patches.errors import PatchRefused
from vibehq_tui.patches.formats import parse
from vibehq_tui.patches.model import Change, Hunk, ParsedPatch


def read(text: str | bytes, format: str = "auto") -> ParsedPatch:  # noqa: A002 - the word of the command line
    """The patch that a text is."""
    return parse(text.encode() if isinstance(text, str) else text, format)


def only(text: str | bytes, format: str = "auto") -> Change:  # noqa: A002 - as above
    """The one change of a text."""
    changes = read(text, format).changes
    assert len(changes) == 1, [change.path for change in changes]
    return changes[0]


def refused(text: str | bytes, format: str = "auto") -> str:  # noqa: A002 - as above
    """The code with which a text is refused; the message says something, and no path in it is unsafe."""
    with pytest.raises(PatchRefused) as caught:
        read(text, format)
    assert caught.value.message
    assert len(caught.value.problems) == 1
    return caught.value.problems[0].code


def message(text: str | bytes, format: str = "auto") -> str:  # noqa: A002 - as above
    """What the refusal of a text says."""
    with pytest.raises(PatchRefused) as caught:
        read(text, format)
    return caught.value.message


def codes(parsed: ParsedPatch) -> list[str]:
    """The repairs."""
    return [repair.code for repair in parsed.repairs]


def shown(hunk: Hunk) -> list[str]:
    """The lines of a hunk with their marks, without line ends."""
    return [tag + line.decode().rstrip("\r\n") for tag, line in hunk.lines]


def content(change: Change) -> str:
    """The content of a created file."""
    assert change.op == "create"
    return "".join(line.decode() for hunk in change.hunks for line in hunk.new())


def whole(change: Change) -> str:
    """The content that a file is to have."""
    assert change.whole is not None
    assert change.may_create
    return change.whole.decode()


class Box:
    """A root for patches."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(exist_ok=True)

    def write(self, path: str, content: str | bytes) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)

    def read(self, path: str) -> str:
        return (self.root / path).read_bytes().decode()

    def state(self) -> dict[str, bytes]:
        """Every file but those of the engine."""
        files = (path for path in self.root.rglob("*") if path.is_file())
        return {
            str(path.relative_to(self.root)): path.read_bytes()
            for path in files
            if ".vibehq" not in path.relative_to(self.root).parts
        }

    def apply(self, text: str | bytes, **options: Any) -> EngineResult:
        return apply_text(text.encode() if isinstance(text, str) else text, self.root, **options)

    def unchanged(self, text: str | bytes, **options: Any) -> EngineResult:
        """Applies what must not apply."""
        before = self.state()
        result = self.apply(text, **options)
        assert result.result in ("refused", "conflict"), result
        assert self.state() == before
        return result
