"""From a parsed patch and a tree to a plan: every hunk at a place that is certain, or the reasons why not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from vibehq_tui.patches.errors import AlreadyApplied, PatchConflict, PatchRefused
from vibehq_tui.patches.model import REGULAR, SYMLINK, Blob, Change, ParsedPatch, Problem, Repair
from vibehq_tui.patches.paths import link_target_problem
from vibehq_tui.patches.planning.blobs import blob_matches
from vibehq_tui.patches.planning.collisions import check_claims, check_room
from vibehq_tui.patches.planning.content import Built
from vibehq_tui.patches.planning.names import resolve_names
from vibehq_tui.patches.planning.placing import indentation_problems, place_text
from vibehq_tui.patches.planning.plan import Plan
from vibehq_tui.patches.planning.planned import PlannedFile, PlannedHunk, whole_file_hunk
from vibehq_tui.patches.planning.tree import Tree
from vibehq_tui.patches.planning.whole import is_applied

if TYPE_CHECKING:
    from vibehq_tui.patches.planning.bases import Bases


_LOST: Final = frozenset({"context-not-found", "partly-applied", "maybe-applied"})
"""Why hunks have no place of their own; an earlier version of the file that they fit may tell more."""


@dataclass(slots=True)
class _Work:
    """A plan in the making."""

    tree: Tree
    unfinished: bool
    bases: Callable[[], Bases] | None = None
    binding: bool = False
    """Whether anchors must lead to their hunks."""
    files: list[PlannedFile] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    refusals: list[Problem] = field(default_factory=list)
    repairs: list[Repair] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    number: int = 0
    """Hunks numbered so far."""

    def conflict(self, code: str, message: str, path: str, hunk: int | None = None) -> None:
        self.problems.append(Problem(code=code, message=message, path=path, hunk=hunk))

    def refuse(self, code: str, message: str, path: str, hunk: int | None = None) -> None:
        self.refusals.append(Problem(code=code, message=message, path=path, hunk=hunk))

    def trial(self) -> _Work:
        """A plan of its own in the making, without bases."""
        return _Work(self.tree, self.unfinished, binding=self.binding)

    def take(self, trial: _Work) -> None:
        """Makes what was found in a trial count."""
        self.problems += trial.problems
        self.refusals += trial.refusals
        self.repairs += trial.repairs
        self.warnings += trial.warnings


def make_plan(
    parsed: ParsedPatch, tree: Tree, *, strict: bool = False, bases: Callable[[], Bases] | None = None
) -> Plan:
    """Plans a patch against a tree. Nothing is changed.

    :param strict: no repair, and every hunk exactly at its line.
    :param bases: opens what is known of earlier contents, to merge where a file has changed since the patch was made.
        Called only when that is needed; whoever passes it closes what it opened.
    :raises PatchRefused: when the patch is unsafe or uncertain whatever the tree holds, or ``strict`` forbids a repair.
    :raises PatchConflict: when it does not fit the tree; ``problems`` has every reason that was found.
    :raises AlreadyApplied: when every change is in the tree already.
    """
    if strict and parsed.repairs:
        raise PatchRefused(_as_problems(parsed.repairs), hint="strict allows no repair; leave --strict out")
    if parsed.parts:
        from vibehq_tui.patches.planning.series import plan_series  # noqa: PLC0415 - only for the patches of several commits

        return plan_series(parsed, tree, partial(make_plan, strict=strict, bases=bases))
    changes, renamed = resolve_names(parsed.changes, tree)
    work = _Work(tree, parsed.unfinished, None if strict else bases, repairs=[*parsed.repairs, *renamed])
    work.binding = anchors_bind(parsed)
    vacated = check_claims(changes)
    for change in changes:
        _plan_change(work, change, vacated)
    if not work.problems and not work.refusals:
        work.problems += check_room(work.files, tree)
        if any(repair.code == "indentation" for repair in work.repairs):
            work.problems += indentation_problems(work.files)
    if not work.refusals and strict:
        work.problems += _strict_problems(work)
    repairs = tuple(work.repairs)
    if work.refusals:
        raise PatchRefused(work.refusals, repairs=repairs)
    if work.problems:
        if is_applied(changes, tree):
            raise AlreadyApplied([change.path for change in changes], repairs=repairs)
        raise PatchConflict(work.problems, repairs=repairs, hint="look at the lines named and make the patch again")
    if not any(_does_something(file) for file in work.files):
        raise AlreadyApplied([change.path for change in changes], repairs=repairs)
    return Plan(files=tuple(work.files), repairs=repairs, warnings=tuple(work.warnings))


def anchors_bind(parsed: ParsedPatch) -> bool:
    """Whether the anchors of hunks must lead to them, or are a hint."""
    return parsed.format == "codex"


def _as_problems(repairs: tuple[Repair, ...] | list[Repair]) -> list[Problem]:
    return [Problem(code=item.code, message=item.message, path=item.path, hunk=item.hunk) for item in repairs]


def _strict_problems(work: _Work) -> list[Problem]:
    problems = _as_problems(work.repairs)
    for file in work.files:
        for hunk in file.hunks:
            if hunk.match != "exact":
                message = f"the hunk is not exactly at its line; it would go to line {hunk.first + 1} ({hunk.match})"
                problems.append(
                    Problem(
                        code="not-exact",
                        path=file.path,
                        hunk=hunk.number,
                        message=message,
                        candidates=(hunk.first + 1,),
                    )
                )
    return problems


def _does_something(file: PlannedFile) -> bool:
    if file.op in ("create", "delete", "rename", "copy"):
        return True
    return file.before != file.after or file.before_mode != file.after_mode


def _plan_change(work: _Work, change: Change, vacated: frozenset[str]) -> None:
    """Adds one file to the plan, or the reasons why it cannot be."""
    first = work.number + 1
    planned: PlannedFile | None = None
    if change.op == "create":
        planned = _create(work, change, first, vacated)
    else:
        source = change.from_ or change.path
        blob = work.tree.read(source)
        if blob is None and change.op == "modify" and change.may_create:
            planned = _create(work, replace(change, op="create"), first, vacated)
        elif blob is None:
            what = "is a folder" if work.tree.is_dir(source) else "does not exist"
            work.conflict("missing-file", f"{source!r} {what}", change.path)
        elif _fits_type(work, change, blob):
            planned = _from_existing(work, change, blob, first, vacated)
    if planned is None:
        work.number += max(len(change.hunks), 1)
        return
    if planned.after_mode == SYMLINK and planned.after is not None:
        wrong = link_target_problem(planned.path, planned.after)
        if wrong is not None:
            work.refuse("symlink-target", wrong, planned.path)
            return
    work.number = max(work.number + max(len(change.hunks), 1), *(hunk.number for hunk in planned.hunks))
    work.files.append(planned)


def _fits_type(work: _Work, change: Change, blob: Blob) -> bool:
    """A patch for a file does not go to a symbolic link, nor the reverse."""
    wants_link = SYMLINK in (change.old_mode, change.new_mode if change.op == "create" else None)
    if wants_link == (blob.mode == SYMLINK):
        return True
    if blob.mode == SYMLINK:
        if change.op in ("rename", "copy", "delete") and change.old_mode is None and not change.hunks:
            return True
        work.refuse("is-symlink", "is a symbolic link; a patch of a file is not written through it", change.path)
    else:
        work.conflict("not-a-symlink", "the patch is for a symbolic link, and there is a file", change.path)
    return False


def _create(work: _Work, change: Change, number: int, vacated: frozenset[str]) -> PlannedFile | None:
    path = change.path
    there = work.tree.read(path)
    mode = change.new_mode or REGULAR
    if there is not None and path not in vacated:
        if there == Blob(b"".join(line for hunk in change.hunks for line in hunk.new()), mode) and change.hunks:
            work.repairs.append(Repair(code="already-there", path=path, message="exists already, exactly like this"))
        else:
            work.conflict("already-exists", "exists already", path)
        return None
    binary = change.binary is not None
    hunks: tuple[PlannedHunk, ...]
    if change.content is not None:
        from vibehq_tui.patches.planning.edits import plan_create  # noqa: PLC0415 - only for operation batches

        content = plan_create(work.tree, change.content)
    elif change.binary is not None:
        content = _binary_content(change, b"")
    elif change.whole is not None:
        from vibehq_tui.patches.planning.whole_contents import created  # noqa: PLC0415 - only for files that were written out

        whole = created(change)
        if isinstance(whole, Problem):
            work.refusals.append(replace(whole, hunk=number))
            return None
        content = whole
    elif change.hunks:
        made = _created_content(work, change, number)
        if made is None:
            return None
        content = made
    else:
        content = b""
    if change.new_blob is not None and not binary and not blob_matches(content, change.new_blob):
        work.warnings.append(f"{path}: the result is not the blob that the patch names")
    hunks = (PlannedHunk(number=number),) if binary else (whole_file_hunk(content, "+", number),)
    return PlannedFile(
        path=path,
        op="create",
        before=None,
        after=content,
        before_mode=None,
        after_mode=mode,
        hunks=hunks,
        binary=binary,
    )


def _created_content(work: _Work, change: Change, number: int) -> bytes | None:
    hunk = change.hunks[0]
    if len(change.hunks) > 1 or any(tag != "+" for tag, _ in hunk.lines):
        work.refuse("malformed-hunk", "a new file has lines that are not added", change.path, number)
        return None
    lines = hunk.new()
    as_told = change.new_blob is not None and blob_matches(b"".join(lines), change.new_blob)
    # The text may have lost the end of its last line; then that line says nothing.
    told = lines[:-1] if work.unfinished and len(lines) > 1 else lines
    if hunk.crlf_text and not as_told and all(line[-2:] == b"\r\n" for line in told if line[-1:] == b"\n"):
        lines = [line[:-2] + b"\n" if line.endswith(b"\r\n") else line for line in lines]
        message = "the patch text ends its lines with CRLF; the new file gets LF"
        work.repairs.append(Repair(code="crlf-patch", path=change.path, hunk=number, message=message))
    content = b"".join(lines)
    proven = change.new_blob is not None and blob_matches(content, change.new_blob)
    if (hunk.missing is not None or (work.unfinished and change.new_blob is not None)) and not proven:
        work.refuse("truncated", "the patch text ends before the file does", change.path, number)
        return None
    return content


def _from_existing(work: _Work, change: Change, blob: Blob, number: int, vacated: frozenset[str]) -> PlannedFile | None:
    path = change.path
    if change.op in ("rename", "copy") and path not in vacated and work.tree.read(path) is not None:
        work.conflict("already-exists", f"the target of the {change.op} exists already", path)
        return None
    mode = blob.mode
    if change.new_mode is not None and change.new_mode != change.old_mode and change.op != "delete":
        if (change.new_mode == SYMLINK) != (blob.mode == SYMLINK):
            work.refuse("file-mode", "a change of the mode cannot turn a file into a symbolic link or back", path)
            return None
        mode = change.new_mode
    built = _changed_content(work, change, blob.content, number)
    if built is None:
        return None
    if change.op == "modify" and built.after == blob.content and mode == blob.mode and built.hunks[0].match == "merge":
        work.repairs.append(Repair(code="already-there", path=path, message="has what the patch changes already"))
        return None
    work.repairs += built.repairs
    work.warnings += built.warnings
    op = change.op
    if op == "modify" and change.whole is None and not (change.hunks or change.binary or change.edits):
        op = "mode"
    return PlannedFile(
        path=path,
        op=op,
        from_=change.from_,
        before=blob.content,
        after=None if op == "delete" else built.after,
        before_mode=blob.mode,
        after_mode=None if op == "delete" else mode,
        hunks=built.hunks,
        binary=change.binary is not None,
    )


def _changed_content(work: _Work, change: Change, content: bytes, number: int) -> Built | None:
    path = change.path
    if change.edits:
        from vibehq_tui.patches.planning.edits import plan_edits  # noqa: PLC0415 - only for operation batches

        return plan_edits(work.tree, change, content, number)
    if change.binary is not None:
        return _changed_binary(work, change, content, number)
    if change.whole is not None:
        from vibehq_tui.patches.planning.whole_contents import rewritten  # noqa: PLC0415 - only for files that were written out

        made = rewritten(change, content, number)
        if isinstance(made, Problem):
            work.refusals.append(made)
            return None
        return made
    if change.hunks:
        built = _changed_text(work, change, content, number)
        if built is not None and change.op == "delete" and built.after:
            work.conflict("not-empty", "is to be deleted, and has lines that the patch does not remove", path, number)
            return None
        return built
    if change.op == "delete":
        known = change.old_blob is not None and blob_matches(content, change.old_blob)
        if content and not known and change.where is None:
            if work.bases is not None and _names_base(change):
                from vibehq_tui.patches.planning.merge import deletion_problem  # noqa: PLC0415 - as below

                problem = deletion_problem(change, content, work.bases())
                if problem is not None:
                    work.problems.append(problem)
                    return None
            work.conflict("unknown-content", "is to be deleted, and the patch does not show its content", path, number)
            return None
        binary = b"\0" in content[:8000]
        return Built(b"", (PlannedHunk(number=number) if binary else whole_file_hunk(content, "-", number),), [])
    return Built(content, (PlannedHunk(number=number),), [])


def _changed_binary(work: _Work, change: Change, content: bytes, number: int) -> Built | None:
    path = change.path
    if change.old_blob is None or change.new_blob is None:
        work.refuse("binary-base", "the binary patch does not name the blobs it is made from and makes", path, number)
        return None
    if not blob_matches(content, change.old_blob):
        work.conflict("binary-base", "is not the file that the binary patch was made from", path, number)
        return None
    return Built(_binary_content(change, content), (PlannedHunk(number=number),), [])


def _binary_content(change: Change, base: bytes) -> bytes:
    """:raises PatchRefused: when the data is damaged."""
    delta = change.binary
    made = b"" if delta is None else delta.data
    if delta is not None and delta.kind == "delta":
        from vibehq_tui.patches.formats.binary import apply_delta  # noqa: PLC0415 - only for binary files

        made = apply_delta(base, delta.data, change.path)
    if change.op != "delete" and change.new_blob is not None and not blob_matches(made, change.new_blob):
        message = "the binary patch makes something other than the blob it names"
        raise PatchRefused([Problem(code="binary-corrupt", message=message, path=change.path)])
    return made


def _changed_text(work: _Work, change: Change, content: bytes, number: int) -> Built | None:
    """The file with the hunks of the patch in it: where they belong for certain, or merged over a known base."""
    trusted = _is_base(change, content)
    placed = work.trial()
    built = _placed_text(placed, change, content, number, trusted=trusted)
    if work.bases is not None and not trusted:
        lost = _is_lost(placed, built)
        if lost or _names_base(change):
            from vibehq_tui.patches.planning.merge import instead  # noqa: PLC0415 - only where a file has changed

            patched = patcher(change, work.tree, unfinished=work.unfinished, binding=work.binding)
            merged = instead(change, content, work.bases(), number, patched, placed=built, lost=lost)
            if isinstance(merged, Problem):
                work.problems.append(merged)
                return None
            if merged is not None:
                return merged
    work.take(placed)
    return built


def _names_base(change: Change) -> bool:
    return change.old_blob is not None and bool(change.old_blob.strip("0"))


def _is_lost(placed: _Work, built: Built | None) -> bool:
    """Whether hunks are nowhere in the file, or only where it is not certain that they belong.

    That is where something like them is; at what was the beginning or end of the file, by their looks, and it goes on
    there; and away from their lines: what they add may be in the file already, and their context once more behind it.
    """
    if built is not None:
        at_edge = any(repair.code == "edge-context" for repair in placed.repairs)
        return at_edge or any(hunk.match in ("offset", "fuzzy") for hunk in built.hunks)
    return not placed.refusals and any(problem.code in _LOST for problem in placed.problems)


def patcher(
    change: Change, tree: Tree, *, unfinished: bool = False, binding: bool = False
) -> Callable[[bytes], Built | None]:
    """What puts the hunks of ``change`` into a content; it answers None where they do not belong for certain."""

    def patched(content: bytes) -> Built | None:
        work = _Work(tree, unfinished, binding=binding)
        built = _placed_text(work, change, content, 1, trusted=_is_base(change, content))
        if built is not None:
            built.repairs += work.repairs
            built.warnings += work.warnings
        return built

    return patched


def _placed_text(work: _Work, change: Change, content: bytes, number: int, *, trusted: bool | None) -> Built | None:
    """The file with the hunks of the patch in it, each where it belongs for certain."""
    placed = place_text(change, content, number, trusted=trusted, unfinished=work.unfinished, binding=work.binding)
    work.problems += placed.problems
    work.refusals += placed.refusals
    work.repairs += placed.repairs
    work.warnings += placed.warnings
    return placed.built


def _is_base(change: Change, content: bytes) -> bool | None:
    """Whether the file is the one that the patch was made from; None when the patch does not tell."""
    if change.old_blob is None or not _names_base(change):
        return None
    if blob_matches(content, change.old_blob):
        return True
    return b"\r\n" in content and blob_matches(content.replace(b"\r\n", b"\n"), change.old_blob)
