"""The patches of a series, each made on top of the one before, as one plan: from before the first to after the last."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from vibehq_tui.patches.errors import AlreadyApplied, PatchConflict, PatchRefused
from vibehq_tui.patches.model import SYMLINK, Blob, ParsedPatch, Repair
from vibehq_tui.patches.planning.diff3 import difference
from vibehq_tui.patches.planning.plan import Plan
from vibehq_tui.patches.planning.planned import PlannedFile, PlannedHunk, whole_file_hunk
from vibehq_tui.patches.planning.tree import OverlayTree, Tree

Planner = Callable[[ParsedPatch, Tree], Plan]
"""Plans one patch; raises as :func:`vibehq_tui.patches.planning.planner.make_plan` does."""

_CERTAINTY: Final = ("exact", "offset", "whitespace", "unicode", "merge", "fuzzy")
_BINARY_HEAD: Final = 8000


def plan_parts(parsed: ParsedPatch, tree: Tree, planner: Planner) -> list[tuple[ParsedPatch, Plan]]:
    """Each patch of a series with its plan, made on what the ones before it leave; none for what is in the tree.

    :raises PatchRefused: when one of them may not be applied; the message says which.
    :raises PatchConflict: when one of them does not fit.
    """
    plans: list[tuple[ParsedPatch, Plan]] = []
    for number, part in enumerate(parsed.parts, 1):
        try:
            plan = planner(part, tree)
        except AlreadyApplied:
            continue
        except (PatchRefused, PatchConflict) as error:
            raise _of_part(error, parsed, number) from error
        plans.append((part, plan))
        tree = OverlayTree(tree, plan)
    return plans


def _of_part(error: PatchRefused | PatchConflict, parsed: ParsedPatch, number: int) -> PatchRefused | PatchConflict:
    """The same refusal, saying which patch of the series it is about."""
    part = parsed.parts[number - 1]
    title = f", {part.title!r}" if part.title else ""
    which = f"patch {number} of {len(parsed.parts)}{title}: "
    problems = [replace(problem, message=which + problem.message) for problem in error.problems]
    return type(error)(problems, repairs=error.repairs, hint=error.hint, code=error.code)


def plan_series(parsed: ParsedPatch, tree: Tree, planner: Planner) -> Plan:
    """The whole series as one plan.

    A file that one patch touches keeps the hunks of that patch; of a file that several touch the hunks are worked out
    anew, from its content before the first to its content after the last. Hunks are numbered through the whole.

    :raises AlreadyApplied: when all of them are in the tree already.
    :raises PatchRefused: when one of them may not be applied; the message says which.
    :raises PatchConflict: when one of them does not fit.
    """
    parts = plan_parts(parsed, tree, planner)
    composed = compose([plan for _, plan in parts])
    known = {id(part) for part, _ in parts}
    skipped = [
        Repair(code="already-there", message=f"patch {number} of {len(parsed.parts)} is in the tree already")
        for number, part in enumerate(parsed.parts, 1)
        if id(part) not in known and part.changes
    ]
    repairs = [repair for repair in parsed.repairs if not any(repair in plan.repairs for _, plan in parts)]
    if not composed.files:
        raise AlreadyApplied([change.path for change in parsed.changes], repairs=(*repairs, *skipped))
    return replace(composed, repairs=(*repairs, *skipped, *composed.repairs))


@dataclass(slots=True)
class _Road:
    """What becomes of one file in the course of a series."""

    origin: str | None
    """Where it was before; None for a file that is made."""
    copied: bool
    """Whether ``origin`` stays where it is."""
    before: Blob | None
    path: str | None = None
    """Where it is now; None once it is gone."""
    after: Blob | None = None
    steps: list[PlannedFile] = field(default_factory=list)

    @property
    def moot(self) -> bool:
        """Whether nothing is left of it: made and deleted again, or as it was."""
        if self.path is None:
            return self.origin is None or self.copied
        return not self.copied and self.path == self.origin and self.after == self.before


def compose(plans: Sequence[Plan]) -> Plan:
    """One plan that does what the plans do one after the other, each made on top of the ones before."""
    roads: list[_Road] = []
    for plan in plans:
        # All of a plan happens at once: where two files change places, each is looked up where it was before.
        here = {road.path: road for road in roads if road.path is not None}
        gone = {road.origin: road for road in roads if road.path is None and road.origin is not None}
        for file in plan.files:
            _follow(roads, here, gone, file)
    files: list[PlannedFile] = []
    numbers: dict[int, dict[int, int]] = {}
    number = 1
    for road in _in_order([road for road in roads if not road.moot]):
        file = _composed(road, number)
        files.append(file)
        if len(road.steps) == 1:
            old, new = road.steps[0].hunks, file.hunks
            numbers[id(road.steps[0])] = {one.number: other.number for one, other in zip(old, new, strict=False)}
        number += len(file.hunks)
    return Plan(
        files=tuple(files),
        repairs=tuple(_renumbered(repair, plan, numbers) for plan in plans for repair in plan.repairs),
        warnings=tuple(dict.fromkeys(warning for plan in plans for warning in plan.warnings)),
    )


def _in_order(roads: list[_Road]) -> list[_Road]:
    """What leaves a path before what comes to it, as whoever reads the diff from above needs it; else as they came."""
    leaving = {road.origin: road for road in roads if road.path != road.origin and not road.copied}
    ordered: list[_Road] = []
    seen: set[int] = set()
    for road in roads:
        # What has to leave first, and what has to leave for that; a ring of renames has no first.
        chain: list[_Road] = []
        following: _Road | None = road
        while following is not None and id(following) not in seen:
            seen.add(id(following))
            chain.append(following)
            arrives = following.path if following.path != following.origin or following.copied else None
            following = leaving.get(arrives) if arrives is not None else None
        ordered += reversed(chain)
    return ordered


def _follow(roads: list[_Road], here: dict[str, _Road], gone: dict[str, _Road], file: PlannedFile) -> None:
    """Takes one step of one file."""
    before, after = _blob(file.before, file.before_mode), _blob(file.after, file.after_mode)
    source = (file.from_ or file.path) if file.op in ("rename", "copy") else file.path
    road = here.get(source)
    if file.op == "create":
        road = gone.get(file.path)
        if road is None or not _same_kind(road.before, after):
            road = _Road(None, False, None)
            roads.append(road)
    elif file.op == "copy":
        # What was touched before is not in the tree as it was copied, so the copy is a file of its own.
        road = _Road(source, True, before) if road is None else _Road(None, False, None)
        roads.append(road)
    elif road is None:
        road = _Road(source, False, before)
        roads.append(road)
    road.path = None if file.op == "delete" else file.path
    road.after = after
    road.steps.append(file)


def _blob(content: bytes | None, mode: int | None) -> Blob | None:
    return None if content is None or mode is None else Blob(content, mode)


def _same_kind(one: Blob | None, other: Blob | None) -> bool:
    return one is not None and other is not None and (one.mode == SYMLINK) == (other.mode == SYMLINK)


def _composed(road: _Road, number: int) -> PlannedFile:
    """The file of the whole plan, its hunks numbered from ``number``."""
    op = _op(road)
    step = road.steps[0]
    if len(road.steps) == 1 and step.op == op:
        hunks = tuple(replace(hunk, number=at) for at, hunk in enumerate(step.hunks, number))
        return replace(step, hunks=hunks)
    before = None if road.before is None else road.before.content
    after = None if road.after is None else road.after.content
    binary = any(one.binary for one in road.steps) or any(
        b"\0" in (side or b"")[:_BINARY_HEAD] for side in (before, after)
    )
    match = max((hunk.match for one in road.steps for hunk in one.hunks), key=_CERTAINTY.index, default="exact")
    if binary:
        hunks = (PlannedHunk(number=number, match=match),)
    elif before is None or after is None:
        hunks = (whole_file_hunk(after or before or b"", "+" if before is None else "-", number),)
    else:
        hunks = difference(before, after, number, match)
    return PlannedFile(
        path=road.path or road.origin or step.path,
        op=op,
        from_=road.origin if op in ("rename", "copy") else None,
        before=before,
        after=after,
        before_mode=None if road.before is None else road.before.mode,
        after_mode=None if road.after is None else road.after.mode,
        hunks=hunks,
        binary=binary,
    )


def _op(road: _Road) -> str:
    if road.path is None:
        return "delete"
    if road.origin is None:
        return "create"
    if road.copied:
        return "copy"
    if road.path != road.origin:
        return "rename"
    same = road.before is not None and road.after is not None and road.before.content == road.after.content
    return "mode" if same else "modify"


def _renumbered(repair: Repair, plan: Plan, numbers: dict[int, dict[int, int]]) -> Repair:
    """A repair with the number that its hunk has in the whole; none where that hunk was worked out anew."""
    for file in plan.files:
        if repair.hunk is not None and file.path == repair.path:
            return replace(repair, hunk=numbers.get(id(file), {}).get(repair.hunk))
    return repair if repair.hunk is None else replace(repair, hunk=None)
