"""The whole engine in one call, as ``patchctl`` uses it: text in, files changed or not, and an answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from storage.errors import Busy, Conflict, NotFound, Refused
from vibehq_tui.patches.applying.apply import Applier
from vibehq_tui.patches.applying.earlier import Earlier
from vibehq_tui.patches.errors import AlreadyApplied, PatchConflict, PatchRefused
from vibehq_tui.patches.formats import parse
from vibehq_tui.patches.model import Change, ParsedPatch, Problem, Repair
from vibehq_tui.patches.planning.plan import Plan
from vibehq_tui.patches.planning.planner import make_plan
from vibehq_tui.patches.planning.tree import OverlayTree, Tree, WorkTree

if TYPE_CHECKING:
    from vibehq_tui.patches.applying.checks import CheckOutcome

APPLIED: Final = "applied"
ALREADY: Final = "already-applied"
REFUSED: Final = "refused"
CONFLICT: Final = "conflict"
DRY_RUN: Final = "dry-run"

_EXIT: Final = {APPLIED: 0, ALREADY: 0, DRY_RUN: 0, REFUSED: 1, CONFLICT: 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineResult:
    """What became of one patch text."""

    result: str
    """applied, already-applied, refused, conflict, dry-run."""
    format: str | None
    files: list[dict[str, Any]]
    repairs: tuple[Repair, ...] = ()
    warnings: tuple[str, ...] = ()
    errors: tuple[Problem, ...] = ()
    receipt: str | None = None
    plan: Plan | None = None
    check: CheckOutcome | None = None
    hint: str = ""

    @property
    def exit_code(self) -> int:
        """0 done, 1 refused, 3 conflict."""
        return _EXIT[self.result]

    def to_wire(self) -> dict[str, Any]:
        """The document of ``patchctl apply --json``."""
        wire: dict[str, Any] = {
            "result": self.result,
            "format": self.format,
            "files": self.files,
            "repairs": [repair.to_wire() for repair in self.repairs],
            "warnings": list(self.warnings),
            "errors": [problem.to_wire() for problem in self.errors],
            "receipt": self.receipt,
        }
        if self.hint:
            wire["hint"] = self.hint
        if self.check is not None:
            wire["check"] = self.check.to_wire()
        return wire


class Series:
    """Patches applied one after the other, each all or nothing. Made by :func:`series`."""

    def __init__(self, root: Path, applier: Applier | None, strict: bool, lock: Callable[[], None]) -> None:
        self.root = root
        self._applier = applier
        self._strict = strict
        self._lock = lock
        self._planned: list[Plan] = []

    def lock(self) -> None:
        """Takes the lock of the root, unless it is held; a patch that can be read does so by itself.

        :raises Busy: when somebody else is applying.
        """
        self._lock()

    def run(
        self,
        text: bytes,
        format: str = "auto",  # noqa: A002 - the word of the command line
        *,
        check: str | None = None,
        receipt: str | None = None,
        meta: Mapping[str, Any] | None = None,
    ) -> EngineResult:
        """Applies one patch text, or in a dry run plans it against what the ones before it would have left.

        :param check: a shell command that runs in the root afterwards; when it fails, the patch is taken back.
        :param receipt: a name for the receipt; when there is one of that name, the patch was applied before.
        :raises Usage: for an unknown format.
        :raises Busy: when somebody else is applying.
        """
        parsed: ParsedPatch | None = None
        try:
            parsed = parse(text, format)
            self._lock()
            if receipt is not None and self._applier is not None:
                known = self._applier.find(receipt)
                if known is not None:
                    return _answer(APPLIED, parsed.format, known.plan, receipt=receipt)
            plan = self._plan(parsed)
            if parsed.task is not None:
                from vibehq_tui.patches.applying.tasklink import check_task_link  # noqa: PLC0415 - only for operation batches

                check_task_link(parsed, plan, self.root)
            if self._applier is None:
                self._planned.append(plan)
                return _answer(DRY_RUN, parsed.format, plan)
            facts = {"format": parsed.format, "title": parsed.title, "task": parsed.task, **(meta or {})}
            name = self._applier.apply(plan, receipt=receipt, meta=facts)
        except AlreadyApplied as done:
            return _without_plan(ALREADY, parsed, repairs=done.repairs)
        except PatchRefused as error:
            return _without_plan(REFUSED, parsed, error.problems, error.repairs, error.hint)
        except PatchConflict as error:
            return _without_plan(CONFLICT, parsed, error.problems, error.repairs, error.hint)
        except (Refused, Conflict) as error:
            problem = Problem(code=error.code, message=error.message, path=error.details.get("path"))
            return _without_plan(REFUSED, parsed, (problem,), (), error.hint)
        result = _answer(APPLIED, parsed.format, plan, receipt=name)
        return result if check is None else self._checked(result, name, check, self._applier)

    def _plan(self, parsed: ParsedPatch) -> Plan:
        work_tree = WorkTree(self.root, once=True)
        tree: Tree = work_tree
        for plan in self._planned:
            tree = OverlayTree(tree, plan)
        try:
            with Earlier(self.root) as bases:
                return make_plan(parsed, tree, strict=self._strict, bases=bases)
        finally:
            work_tree.close()

    def _checked(self, result: EngineResult, receipt: str, command: str, applier: Applier) -> EngineResult:
        """Runs the check. Until it has passed the patch is on trial: a process that dies here leaves it taken back."""
        from vibehq_tui.patches.applying.checks import run_check  # noqa: PLC0415 - costs 6 ms, and most calls have no check

        applier.hold(receipt)
        try:
            outcome = run_check(command, self.root)
        except BaseException:  # whatever ends a trial, also an interrupt, takes the patch back
            applier.withdraw(receipt)
            raise
        if outcome.exit_code == 0:
            applier.keep(receipt)
            return EngineResult(
                result=result.result,
                format=result.format,
                files=result.files,
                repairs=result.repairs,
                warnings=result.warnings,
                receipt=receipt,
                plan=result.plan,
                check=outcome,
            )
        message = f"the check failed with exit code {outcome.exit_code}; the patch was taken back"
        problems = [Problem(code="check-failed", message=message)]
        try:
            applier.withdraw(receipt)
        except Refused as error:
            problems.append(Problem(code=error.code, message=error.message))
        return EngineResult(
            result=REFUSED,
            format=result.format,
            files=result.files,
            repairs=result.repairs,
            warnings=result.warnings,
            errors=tuple(problems),
            check=outcome,
            hint="look at what the check printed",
        )


@contextmanager
def series(
    root: Path, *, dry_run: bool = False, strict: bool = False, timeout: float = 10.0, applier: Applier | None = None
) -> Iterator[Series]:
    """Opens a root for a series of patches; all of it is on disk when the body has ended.

    The root is locked from the first patch on that can be read, so that one that cannot leaves nothing at all behind.

    :raises NotFound: when there is no such folder.
    """
    if not root.is_dir():
        raise NotFound(f"there is no folder {root}", hint="name the root with --root")
    applier = applier if applier is not None else Applier(root)
    if dry_run:
        if applier.unfinished():
            applier.recover()
        yield Series(root, None, strict, lambda: None)
        return
    with ExitStack() as stack:
        entered: list[bool] = []

        def lock() -> None:
            if not entered:
                stack.enter_context(applier.lock(timeout))
                entered.append(True)

        yield Series(root, applier, strict, lock)


def apply_text(
    text: bytes,
    root: Path,
    format: str = "auto",  # noqa: A002 - the word of the command line
    *,
    dry_run: bool = False,
    strict: bool = False,
    check: str | None = None,
    receipt: str | None = None,
    meta: Mapping[str, Any] | None = None,
) -> EngineResult:
    """Applies one patch text below ``root``; see :meth:`Series.run`."""
    with series(root, dry_run=dry_run, strict=strict) as open_series:
        return open_series.run(text, format, check=check, receipt=receipt, meta=meta)


def revert(receipt: str, root: Path, *, new: str | None = None) -> EngineResult:
    """Takes back what a receipt says was applied.

    :raises NotFound: when there is no such receipt.
    :raises Busy: when somebody else is applying.
    """
    applier = Applier(root)
    plan = applier.load(receipt).plan.inverse()
    known = None if new is None else applier.find(new)
    if known is not None:
        return _answer(APPLIED, None, known.plan, receipt=new)
    try:
        with applier.lock():
            name = applier.revert(receipt, new=new)
    except AlreadyApplied:
        return EngineResult(result=ALREADY, format=None, files=plan.to_wire())
    except PatchConflict as error:
        return EngineResult(result=CONFLICT, format=None, files=[], errors=error.problems, hint=error.hint)
    except PatchRefused as error:
        return EngineResult(result=REFUSED, format=None, files=[], errors=error.problems, hint=error.hint)
    except Busy:
        raise
    except Refused as error:
        problem = Problem(code=error.code, message=error.message, path=error.details.get("path"))
        return EngineResult(result=REFUSED, format=None, files=[], errors=(problem,), hint=error.hint)
    return _answer(APPLIED, None, plan, receipt=name)


def _answer(result: str, format_name: str | None, plan: Plan, *, receipt: str | None = None) -> EngineResult:
    return EngineResult(
        result=result,
        format=format_name,
        files=plan.to_wire(),
        repairs=plan.repairs,
        warnings=plan.warnings,
        receipt=receipt,
        plan=plan,
    )


def _without_plan(
    result: str,
    parsed: ParsedPatch | None,
    errors: Sequence[Problem] = (),
    repairs: Sequence[Repair] = (),
    hint: str = "",
) -> EngineResult:
    return EngineResult(
        result=result,
        format=None if parsed is None else parsed.format,
        files=[] if parsed is None else [_change_to_wire(change) for change in parsed.changes],
        repairs=tuple(repairs),
        errors=tuple(errors),
        hint=hint,
    )


def _change_to_wire(change: Change) -> dict[str, Any]:
    """A file of a patch that was not planned: what is known without the tree."""
    tags = [tag for hunk in change.hunks for tag, _ in hunk.lines]
    return {
        "path": change.path,
        "op": change.op,
        "from": change.from_,
        "added": tags.count("+"),
        "removed": tags.count("-"),
        "hunks": [],
    }
