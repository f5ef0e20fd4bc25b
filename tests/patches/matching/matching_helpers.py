"""Plans of patches that are written down as data, against files that are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from vibehq_tui.patches.errors import AlreadyApplied, PatchConflict, PatchRefused
from vibehq_tui.patches.model import REGULAR, Blob, Change, Hunk, ParsedPatch, Problem, Repair
from vibehq_tui.patches.planning.plan import Plan
from vibehq_tui.patches.planning.planned import split_lines
from vibehq_tui.patches.planning.planner import make_plan


class Files:
    """Files in memory."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self._files = files

    def read(self, path: str) -> Blob | None:
        return Blob(self._files[path], REGULAR) if path in self._files else None

    def is_dir(self, path: str) -> bool:
        return any(name.startswith(path + "/") for name in self._files)

    def files_below(self, path: str) -> Iterator[str]:
        return (name for name in sorted(self._files) if name.startswith(path + "/"))


@dataclass
class Answer:
    """What planning said: ``result`` is applied, already-applied, conflict or refused."""

    result: str
    after: bytes | None = None
    plan: Plan | None = None
    problems: tuple[Problem, ...] = ()
    repairs: tuple[Repair, ...] = ()
    warnings: tuple[str, ...] = ()
    codes: list[str] = field(init=False)
    repaired: list[str] = field(init=False)
    matches: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.codes = [problem.code for problem in self.problems]
        self.repaired = sorted({repair.code for repair in self.repairs})
        self.matches = [] if self.plan is None else [hunk.match for hunk in self.plan.files[0].hunks]


def tagged(text: str) -> tuple[tuple[str, bytes], ...]:
    """Lines of a hunk, each with its tag in front."""
    return tuple((line[0], line[1:].encode()) for line in text.splitlines(keepends=True))


def hunk(
    text: str,
    *,
    line: int | None = None,
    anchors: tuple[str, ...] = (),
    at_end: bool = False,
    continues: bool = False,
) -> Hunk:
    """A hunk of tagged lines, without a number unless ``line`` has one."""
    lines = tagged(text)
    old, new = sum(tag != "+" for tag, _ in lines), sum(tag != "-" for tag, _ in lines)
    return Hunk(
        old_start=line or 0,
        old_count=old if line else 0,
        new_start=line or 0,
        new_count=new if line else 0,
        section="",
        lines=lines,
        numbered=line is not None,
        anchors=tuple(anchor.encode() for anchor in anchors),
        at_end=at_end,
        continues=continues,
    )


def plan(
    before: str | bytes | None,
    *hunks: Hunk | str,
    ordered: bool = True,
    whole: str | bytes | None = None,
    strict: bool = False,
    format: str = "udiff",  # noqa: A002 - as in the engine
    path: str = "f",
) -> Answer:
    """Plans hunks (texts are hunks without numbers), or a whole content, for one file."""
    content = before.encode() if isinstance(before, str) else before
    written = whole.encode() if isinstance(whole, str) else whole
    change = Change(
        path=path,
        op="modify",
        hunks=tuple(hunk(it) if isinstance(it, str) else it for it in hunks),
        ordered=ordered,
        whole=written,
        may_create=written is not None,
    )
    parsed = ParsedPatch(format=format, changes=(change,))
    try:
        made = make_plan(parsed, Files({} if content is None else {path: content}), strict=strict)
    except AlreadyApplied as done:
        return Answer("already-applied", repairs=done.repairs)
    except PatchConflict as error:
        return Answer("conflict", problems=error.problems, repairs=error.repairs)
    except PatchRefused as error:
        return Answer("refused", problems=error.problems, repairs=error.repairs)
    check(made)
    return Answer("applied", made.files[0].after, made, repairs=made.repairs, warnings=made.warnings)


def check(made: Plan) -> None:
    """The hunks of a plan must be the difference of its contents: old lines from before, new ones as after."""
    for file in made.files:
        if file.before is None or file.after is None:
            continue
        before, after = split_lines(file.before), split_lines(file.after)
        output: list[bytes] = []
        cursor = 0
        for part in file.hunks:
            output += before[cursor : part.first]
            old = [line for tag, line in part.lines if tag != "+"]
            assert before[part.first : part.first + len(old)] == old
            assert len(old) == part.old_lines
            assert part.new_start == len(output) + (1 if part.new_lines else 0)
            new = [line for tag, line in part.lines if tag != "-"]
            assert len(new) == part.new_lines
            output += new
            cursor = part.first + len(old)
        assert output + before[cursor:] == after
