"""The journal of a process that died: what was committed is carried on, what was being taken back is taken back."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from storage.errors import Refused
from vibehq_tui.patches.applying.files import Files, permissions_after, signature
from vibehq_tui.patches.applying.journal import (
    TEMPORARY,
    Entry,
    Journal,
    Recovered,
    fsync_folder,
    inherited_permissions,
)
from vibehq_tui.patches.errors import PatchConflict, PatchRefused
from vibehq_tui.patches.model import Blob
from vibehq_tui.patches.paths import path_problem


@dataclass(slots=True)
class _Chain:
    """What the entries of a journal, one after the other, wanted of one path."""

    states: list[Blob | None] = field(default_factory=list)
    """Everything that it may be by now; the last is what it shall be."""
    permissions: int | None = None
    temporaries: list[str] = field(default_factory=list)
    """Names of temporary files that may be left beside it."""


def recover_journal(
    root: Path,
    journal: Journal,
    temporary: Path,
    *,
    only: Collection[str] | None = None,
) -> list[Recovered]:
    """Brings the tree to a state between two applications, and empties the journal. The caller holds the lock.

    Every file that is in one of the states of its chain gets the last of them; any other is left alone and reported, so
    that what somebody wrote in the meantime is not lost.

    :param only: names of entries to take; all others are not looked at.
    :raises Refused: when the system does not let it; the journal is kept, and the next call tries again.
    """
    names = [name for name in journal.unfinished() if only is None or name in only]
    for name in names:
        if name.endswith(TEMPORARY):
            journal.drop(name)
    entries = journal.entries([name for name in names if not name.endswith(TEMPORARY)])
    if not entries:
        return []
    files = Files(root, temporary)
    try:
        if only is None:
            _clear(temporary)
        left = _settle_paths(files, _chains(entries))
        files.sync({effect.path for entry in entries for effect in entry.receipt.plan.effects})
    except OSError as error:
        raise Refused(
            f"what a process left half-done cannot be finished: {error.strerror}",
            code="half-done",
            hint="make room or permissions, then repeat",
        ) from error
    finally:
        files.close()
    _finish(journal, entries)
    return [_told(entry, left) for entry in entries]


def _clear(temporary: Path) -> None:
    with suppress(FileNotFoundError):
        for entry in temporary.iterdir():
            entry.unlink()


def _chains(entries: list[Entry]) -> dict[str, _Chain]:
    chains: dict[str, _Chain] = {}
    for entry in entries:
        permissions = inherited_permissions(entry.receipt)
        for number, effect in enumerate(entry.receipt.plan.effects):
            chain = chains.setdefault(effect.path, _Chain())
            before, after = (effect.after, effect.before) if entry.undo else (effect.before, effect.after)
            chain.states += [before, after]
            chain.temporaries.append(f"{entry.receipt.id}-{number}")
            if chain.permissions is None:
                chain.permissions = permissions.get(effect.path)
    return chains


def _settle_paths(files: Files, chains: dict[str, _Chain]) -> set[str]:
    """Gives every path the last state of its chain; answers those that were left alone."""
    left: set[str] = set()
    waiting: list[str] = []
    for path, chain in chains.items():
        if path_problem(path) is not None:  # no plan of ours: somebody put the record there
            left.add(path)
            continue
        for temporary in chain.temporaries:
            files.discard(path, temporary)
        try:
            found = files.read(path)
        except PatchRefused:
            left.add(path)
            continue
        there = None if found is None else found[0]
        if there == chain.states[-1]:
            continue
        # An empty file is what a file system leaves of a new one when the machine loses power.
        torn = there is not None and not there.content
        if there not in chain.states and not torn:
            left.add(path)
        elif chain.states[-1] is None:
            files.remove(path)
        else:
            waiting.append(path)
    for number, path in enumerate(waiting):
        chain = chains[path]
        wanted = chain.states[-1]
        found = files.read(path)
        if wanted is None:
            continue
        known = None if found is None else signature(found[1])
        permissions = permissions_after(chain.permissions, wanted)
        try:
            files.put(path, wanted, permissions, f"recover-{number}", known)
        except PatchConflict:
            left.add(path)
    for path, chain in chains.items():
        if chain.states[-1] is None and path not in left:
            files.remove_empty_folders(path)
    return left


def _finish(journal: Journal, entries: list[Entry]) -> None:
    """Empties the journal: what counts becomes receipts, file by file."""
    files: dict[str, list[str]] = {}
    for entry in entries:
        if entry.undo:
            journal.drop(entry.name)
        else:
            files.setdefault(entry.name, []).append(entry.receipt.id)
    for name, receipts in files.items():
        journal.finish_file(name, [receipt for receipt in receipts if receipt != name])
    if files:
        fsync_folder(journal.done)


def _told(entry: Entry, left: set[str]) -> Recovered:
    receipt = entry.receipt
    mine = tuple(effect.path for effect in receipt.plan.effects if effect.path in left)
    outcome = "taken-back" if entry.undo else "completed"
    return Recovered(receipt.id, dict(receipt.meta), receipt.kind, outcome, mine)
