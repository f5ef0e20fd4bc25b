"""What a decision is about: the content of a hunk, wherever the plan of the moment has it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from storage.records import PatchDecision
from vibehq_tui.patches.planning.plan import Plan
from vibehq_tui.patches.planning.planned import PlannedFile, PlannedHunk
from vibehq_tui.patches.queue.review import REJECTED


def hunk_key(file: PlannedFile, hunk: PlannedHunk) -> str:
    """What stays the same of a hunk when it moves: its file, what becomes of that, and every line of the hunk."""
    state = hashlib.sha256()
    facts: list[object] = [file.path, file.op, file.from_, file.before_mode, file.after_mode]
    if not hunk.lines:
        facts += [None if data is None else hashlib.sha256(data).hexdigest() for data in (file.before, file.after)]
    state.update(repr(facts).encode("utf-8", "surrogatepass"))
    for tag, line in hunk.lines:
        state.update(b"%s%d:%s" % (tag.encode(), len(line), line))
    return state.hexdigest()[:32]


def hunk_keys(plan: Plan) -> dict[int, str]:
    """The key of every hunk, by its number."""
    return {hunk.number: hunk_key(file, hunk) for file in plan.files for hunk in file.hunks}


@dataclass(frozen=True, slots=True)
class Standing:
    """Decisions as they stand about a plan."""

    decisions: dict[int, PatchDecision]
    """By the number that the hunk has now."""
    lost: tuple[PatchDecision, ...]
    """Decisions about what is not in the plan any more, or not without doubt."""

    @property
    def rejected(self) -> frozenset[int]:
        """The hunks that stay out."""
        return frozenset(number for number, one in self.decisions.items() if one.decision == REJECTED)

    @property
    def lost_rejections(self) -> tuple[int, ...]:
        """Numbers, as they were, of rejected hunks that read differently now."""
        return tuple(sorted(one.hunk for one in self.lost if one.decision == REJECTED))


def stand(plan: Plan, decisions: Iterable[PatchDecision], *, by_number: bool = True) -> Standing:
    """Finds for each decision the hunk that it is about.

    A decision holds for the hunk with its number if that has the content that was decided about, else for the one hunk
    with that content. Where there is none, or where there are several, it is lost rather than guessed.

    :param by_number: whether numbers mean the same as when the decisions were made; not so in another version.
    """
    keys = hunk_keys(plan)
    numbers: dict[str, list[int]] = {}
    for number, key in keys.items():
        numbers.setdefault(key, []).append(number)
    found: dict[int, PatchDecision] = {}
    lost: list[PatchDecision] = []
    moved: list[tuple[int, PatchDecision]] = []
    for one in decisions:
        if by_number and one.hunk in keys and one.digest in (None, keys[one.hunk]):
            found[one.hunk] = one
        elif one.digest is not None and len(now := numbers.get(one.digest, [])) == 1:
            moved.append((now[0], one))
        else:
            lost.append(one)
    places = Counter(number for number, _ in moved)
    for number, one in moved:
        if number in found or places[number] > 1:
            lost.append(one)
        else:
            found[number] = replace(one, hunk=number)
    return Standing(dict(sorted(found.items())), tuple(lost))
