"""The commits that a patch becomes: one, or one for each patch of a series."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from storage.records import Patch
from vibehq_tui.patches.applying.earlier import Earlier
from vibehq_tui.patches.commits.commit import Piece
from vibehq_tui.patches.commits.commit_message import apply_message
from vibehq_tui.patches.model import ParsedPatch
from vibehq_tui.patches.planning.plan import Plan
from vibehq_tui.patches.planning.planner import make_plan
from vibehq_tui.patches.planning.series import compose, plan_parts
from vibehq_tui.patches.planning.tree import Tree


def pieces_of(patch: Patch, parsed: ParsedPatch, plan: Plan, tree: Tree, root: Path) -> list[Piece]:
    """What is to be committed, in order.

    A series is one commit for each of its patches, with its own author and message, as long as it is taken as a whole;
    of a series with rejected hunks one commit is made.

    :param plan: what is applied; what the commits hold together is exactly this.
    :param tree: the tree that ``plan`` was made on.
    :param root: where earlier contents are looked for.
    """
    if parsed.parts:
        with Earlier(root) as bases:
            parts = plan_parts(parsed, tree, partial(make_plan, bases=bases))
        if compose([part_plan for _, part_plan in parts]).hash == plan.hash:
            return [
                Piece(plan=part_plan, message=apply_message(patch, part.message, part.title), author=part.author)
                for part, part_plan in parts
            ]
    return [Piece(plan=plan, message=apply_message(patch, parsed.message), author=parsed.author)]
