"""What type of work a task asks for, guessed from its tags, its category and the words of its title."""

from __future__ import annotations

import re
from typing import Any, Final

from storage.records import Task
from vibehq_tui.contracts.config import TASK_TYPES

_NAMED: Final = {
    "fix": "fix fixes bug bugs bugfix repair broken crash crashes error errors regression hotfix wrong fails flaky",
    "test": "test tests testing unittest e2e coverage spec specs fixture fixtures benchmark qa",
    "docs": "doc docs document documentation readme changelog guide tutorial docstring docstrings comment comments",
    "refactor": "refactor refactoring rename restructure cleanup clean simplify extract split move migrate migration",
    "optimize": "optimize optimise performance speed faster slow latency memory cache caching profile profiling",
    "generate": "add create implement build generate introduce new write scaffold support setup integrate feature",
}
_WORDS: Final = {kind: frozenset(text.split()) for kind, text in _NAMED.items()}
_WORD: Final = re.compile(r"[a-z0-9]+")


def labels(task: Task) -> tuple[str, ...]:
    """The tags of a task, in lower case, with its category and labels."""
    found: list[Any] = []
    for key in ("tags", "labels", "category", "type"):
        value = task.data.get(key)
        found += value if isinstance(value, list) else [value]
    return tuple(dict.fromkeys(item.strip().lower() for item in found if isinstance(item, str) and item.strip()))


def guess_type(task: Task) -> tuple[str, str]:
    """The type of a task, and why: ``("fix", "the title says “crash”")``."""
    for label in labels(task):
        for kind in TASK_TYPES:
            if label == kind or label in _WORDS[kind]:
                return kind, f"tagged “{label}”"
    words = _WORD.findall(task.title.lower())
    if words:
        # the verb that a title begins with says most: "Add tests" adds, but "Test adding" tests
        for kind in TASK_TYPES:
            if words[0] in _WORDS[kind] and (kind != "generate" or not _specific(words)):
                return kind, f"the title says “{words[0]}”"
    specific = _specific(words)
    if specific is not None:
        return specific[0], f"the title says “{specific[1]}”"
    return "generate", "nothing in it says otherwise"


def _specific(words: list[str]) -> tuple[str, str] | None:
    """The first word of a title that names a type other than plain making."""
    for word in words:
        for kind, known in _WORDS.items():
            if kind != "generate" and word in known:
                return kind, word
    return None
