"""How the patch engine says no: refused, conflict, already applied."""

from __future__ import annotations

from collections.abc import Sequence

from storage.errors import Conflict, Refused, VibeError
from vibehq_tui.patches.model import Problem, Repair


def _summary(problems: Sequence[Problem]) -> str:
    first = problems[0]
    where = first.where()
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"{where}: {first.message}{more}" if where else f"{first.message}{more}"


class PatchRefused(Refused):
    """The patch is malformed, unsafe or uncertain in itself; nothing changed.

    ``problems`` says what and where, ``details["errors"]`` holds the same in its wire form; ``repairs`` is what had
    been repaired before the refusal.
    """

    default_code = "patch-refused"

    def __init__(
        self, problems: Sequence[Problem], *, repairs: Sequence[Repair] = (), hint: str = "", code: str | None = None
    ) -> None:
        super().__init__(
            _summary(problems), code=code, hint=hint, details={"errors": [problem.to_wire() for problem in problems]}
        )
        self.problems = tuple(problems)
        self.repairs = tuple(repairs)


class PatchConflict(Conflict):
    """The patch does not fit the files that are there; nothing changed. Same fields as :class:`PatchRefused`."""

    default_code = "patch-conflict"

    def __init__(
        self, problems: Sequence[Problem], *, repairs: Sequence[Repair] = (), hint: str = "", code: str | None = None
    ) -> None:
        super().__init__(
            _summary(problems), code=code, hint=hint, details={"errors": [problem.to_wire() for problem in problems]}
        )
        self.problems = tuple(problems)
        self.repairs = tuple(repairs)


class AlreadyApplied(VibeError):
    """Every change of the patch is in the tree already; nothing was to be done.

    An outcome rather than a failure: ``patchctl apply`` answers ``already-applied`` and exit code 0. ``paths`` are the
    files that were looked at.
    """

    exit_code = 0
    default_code = "already-applied"

    def __init__(self, paths: Sequence[str], *, repairs: Sequence[Repair] = ()) -> None:
        super().__init__("every change of this patch is in the tree already; nothing was changed")
        self.paths = tuple(paths)
        self.repairs = tuple(repairs)


def refuse(
    code: str, message: str, *, path: str | None = None, hunk: int | None = None, hint: str = ""
) -> PatchRefused:
    """A :class:`PatchRefused` with a single problem, ready to be raised."""
    return PatchRefused([Problem(code=code, message=message, path=path, hunk=hunk)], hint=hint)
