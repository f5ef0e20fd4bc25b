"""A plan: for each file the exact content before and after. Everything that changes files becomes one, also undo."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from vibehq_tui.patches.errors import PatchConflict
from vibehq_tui.patches.model import Blob, Problem, Repair
from vibehq_tui.patches.planning.planned import PlannedFile, PlannedHunk, split_lines

__all__ = ["Effect", "Plan", "PlannedFile", "PlannedHunk"]


@dataclass(frozen=True, slots=True)
class Effect:
    """What becomes of one path: its file before and after, None where there is none."""

    path: str
    before: Blob | None
    after: Blob | None


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Files with their content before and after, in the order of the patch."""

    files: tuple[PlannedFile, ...]
    repairs: tuple[Repair, ...] = ()
    warnings: tuple[str, ...] = ()

    @cached_property
    def hash(self) -> str:
        """SHA-256, in hex, of every path, operation, mode and byte before and after, in any order."""
        from hashlib import sha256  # noqa: PLC0415 - loads OpenSSL, which a plain `patchctl apply` does not need

        rows = []
        for file in self.files:
            facts = [file.path, file.op, file.from_ or "", file.before_mode or 0, file.after_mode or 0]
            contents = ["" if data is None else sha256(data).hexdigest() for data in (file.before, file.after)]
            rows.append(repr([*facts, *contents]))
        return sha256("\n".join(sorted(rows)).encode("utf-8", "surrogateescape")).hexdigest()

    @property
    def added(self) -> int:
        """Lines added in all files."""
        return sum(file.added for file in self.files)

    @property
    def removed(self) -> int:
        """Lines removed in all files."""
        return sum(file.removed for file in self.files)

    @property
    def hunk_numbers(self) -> tuple[int, ...]:
        """The numbers of all hunks."""
        return tuple(hunk.number for file in self.files for hunk in file.hunks)

    @property
    def hunk_count(self) -> int:
        """How many decisions the plan offers."""
        return sum(len(file.hunks) for file in self.files)

    @cached_property
    def effects(self) -> tuple[Effect, ...]:
        """One entry for each path that is to change; a rename is two."""
        return tuple(_fold(self.files))

    def inverse(self) -> Plan:
        """The plan that undoes this one."""
        return Plan(files=tuple(file.inverse() for file in reversed(self.files)))

    def select(self, accepted: Collection[int]) -> Plan:
        """The plan of the accepted hunks alone. They keep their numbers.

        :raises PatchConflict: when an accepted hunk needs one that is not (a file created where another is to go away).
        """
        wanted = set(accepted)
        files = tuple(part for file in self.files if (part := _select_file(file, wanted)) is not None)
        plan = replace(self, files=files)
        _check_selection(self, plan)
        return plan

    def to_diff(self) -> bytes:
        """The plan as a git diff with full blob names, binary files included; ``git apply`` takes it."""
        from vibehq_tui.patches.planning.diff import render  # noqa: PLC0415 - an application alone renders nothing

        return render(self.files)

    def to_wire(self) -> list[dict[str, Any]]:
        """The list ``"files"`` in the answer of ``patchctl``."""
        return [file.to_wire() for file in self.files]


def _parts(file: PlannedFile) -> Iterator[Effect]:
    before = None if file.before is None or file.before_mode is None else Blob(file.before, file.before_mode)
    after = None if file.after is None or file.after_mode is None else Blob(file.after, file.after_mode)
    if file.op == "rename":
        yield Effect(file.from_ or file.path, before, None)
        yield Effect(file.path, None, after)
    elif file.op == "copy":
        yield Effect(file.path, None, after)
    else:
        yield Effect(file.path, before, after)


def _fold(files: Iterable[PlannedFile]) -> Iterable[Effect]:
    """Joins the two halves of a path that one file leaves and another takes."""
    folded: dict[str, Effect] = {}
    for file in files:
        for part in _parts(file):
            known = folded.get(part.path)
            if known is None:
                folded[part.path] = part
            else:
                folded[part.path] = Effect(part.path, known.before or part.before, known.after or part.after)
    return folded.values()


def _select_file(file: PlannedFile, wanted: set[int]) -> PlannedFile | None:
    kept = tuple(hunk for hunk in file.hunks if hunk.number in wanted)
    if not kept:
        return None
    if len(kept) == len(file.hunks) or file.before is None:
        return file
    lines = split_lines(file.before)
    output: list[bytes] = []
    placed: list[PlannedHunk] = []
    cursor = 0
    for hunk in kept:
        output += lines[cursor : hunk.first]
        start = len(output) + 1 if hunk.new_lines else len(output)
        placed.append(replace(hunk, new_start=start))
        output += [line for tag, line in hunk.lines if tag != "-"]
        cursor = hunk.first + hunk.old_lines
    output += lines[cursor:]
    return replace(file, after=b"".join(output), hunks=tuple(placed))


def _check_selection(whole: Plan, part: Plan) -> None:
    """Refuses a part that puts a file where only the rest of the plan would have made room."""
    going = {effect.path for effect in whole.effects if effect.before is not None}
    staying = going - {effect.path for effect in part.effects if effect.before is not None}
    problems = []
    for effect in part.effects:
        if effect.before is not None or effect.after is None:
            continue
        ancestors = {effect.path[:at] for at, char in enumerate(effect.path) if char == "/"}
        blocked = staying & (ancestors | {effect.path})
        below = {path for path in staying if path.startswith(effect.path + "/")}
        for path in sorted(blocked | below):
            message = f"needs the hunk that takes {path!r} away"
            problems.append(Problem(code="needs-other-hunk", path=effect.path, message=message))
    if problems:
        raise PatchConflict(problems, hint="accept both hunks or neither")
