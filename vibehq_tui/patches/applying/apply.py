"""Plans become files, all or nothing, whatever happens on the way; and are taken back again.

The order of things: everything is compared with the plan, the receipt is written and committed as the intent, then file
after file gets its content by rename. What dies before the commit has changed nothing; what dies after it is carried on
to the end by :meth:`Applier.recover`; what fails is taken back from the receipt.
"""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import time
from _thread import allocate_lock
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from storage.clock import SYSTEM_CLOCK, Clock
from storage.errors import Busy, NotFound, Refused
from vibehq_tui.patches.applying.files import Files, Signature, changed_meanwhile, permissions_after, signature
from vibehq_tui.patches.applying.journal import (
    UNDO,
    Journal,
    Receipt,
    ReceiptSummary,
    Recovered,
    inherited_permissions,
)
from vibehq_tui.patches.errors import AlreadyApplied, PatchConflict, PatchRefused
from vibehq_tui.patches.model import Problem
from vibehq_tui.patches.paths import check_path
from vibehq_tui.patches.planning.plan import Effect, Plan

__all__ = ["Applier", "Receipt", "ReceiptSummary", "Recovered"]

STATE_FOLDER: Final = ".vibehq"
_MANY_FILES: Final = 32
_TOO_MANY_TO_SYNC: Final = 256
"""From here on one sync of all file systems is cheaper than one for each file."""
_ID_CHARACTERS: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
_HINTS: Final = {
    errno.ENOSPC: "free some space on the disk",
    errno.EDQUOT: "the quota is used up; free some space",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "look at the permissions of the file and of its folder",
    errno.EPERM: "look at the owner and the attributes of the file",
}


@dataclass(slots=True)
class _Step:
    """One path on its way from before to after."""

    effect: Effect
    known: Signature | None
    permissions: int | None
    """Of the file that is there."""
    done: bool = False


class Applier:
    """Applies plans below a root. One process at a time does so; others wait for its lock.

    :param state: where journal, receipts and lock are; ``.vibehq`` in the root by default.
    """

    def __init__(self, root: Path, state: Path | None = None, *, clock: Clock = SYSTEM_CLOCK) -> None:
        self.root = root
        self.state = state if state is not None else root / STATE_FOLDER
        self._clock = clock
        self._journal = Journal(self.state)
        self._mutex = allocate_lock()
        self._working = allocate_lock()
        self._held = False
        self._prepared = False
        self._given: set[str] = set()
        self._unsettled: dict[str, set[str]] = {}
        self._trial: dict[str, set[str]] = {}
        self._recovered: list[Recovered] = []

    # -- lock ------------------------------------------------------------------------------------------------------

    @contextmanager
    def lock(self, timeout: float = 10.0) -> Iterator[None]:
        """Holds the lock of the root, in this process and against others. It is not reentrant.

        :meth:`apply`, :meth:`revert` and :meth:`recover` use it when it is held and take it themselves when it is not.
        What a dead process left is recovered before the body runs, and what the body did is settled after it.

        :param timeout: seconds to wait for it.
        :raises Busy: when somebody else keeps it longer.
        """
        deadline = time.monotonic() + timeout
        if not self._mutex.acquire(timeout=max(timeout, 0.0)):
            raise self._busy()
        try:
            self._prepare()
            fd = self._open_lock()
            try:
                self._wait_for(fd, deadline)
                self._held = True
                self._recover_journal()
                try:
                    yield
                finally:
                    self.settle()
            finally:
                self._held = False
                os.close(fd)
        finally:
            self._mutex.release()

    def _open_lock(self) -> int:
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            return os.open(self.state / "apply.lock", flags, 0o600)
        except OSError as error:
            raise _refused_by_system(error, f"{self.state.name}/apply.lock", "nothing was changed") from error

    def _wait_for(self, fd: int, deadline: float) -> None:
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise self._busy() from None
                # flock has no wait with a time limit that leaves signals alone.
                time.sleep(0.01)
            else:
                return

    def _busy(self) -> Busy:
        return Busy("another process is applying a patch here", hint="wait for it to finish, then repeat")

    def _prepare(self) -> None:
        """Makes the state folder, invisible to git."""
        if self._prepared:
            return
        try:
            for folder in (self.state, self._journal.open, self._journal.done, self.state / "tmp"):
                if folder.is_symlink():
                    raise Refused(f"{folder} is a symbolic link", hint="make it a folder")
            self.state.mkdir(exist_ok=True)
            ignore = self.state / ".gitignore"
            if not ignore.exists() and not ignore.is_symlink():
                ignore.write_text("*\n")
            self._journal.open.mkdir(mode=0o700, exist_ok=True)
            self._journal.done.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise _refused_by_system(error, self.state.name, "the journal cannot be kept") from error
        self._prepared = True

    # -- receipts --------------------------------------------------------------------------------------------------

    def new_receipt(self) -> str:
        """A name for a receipt that is not taken: its time, and a number when several fall into a millisecond."""
        millis = self._clock.now()
        seconds = time.gmtime(millis // 1000)
        stem = f"{time.strftime('%Y%m%d-%H%M%S', seconds)}-{millis % 1000:03d}"
        name, number = stem, 1
        while name in self._given or self._journal.exists(name):
            number += 1
            name = f"{stem}-{number}"
        self._given.add(name)
        return name

    def load(self, receipt: str) -> Receipt:
        """:raises NotFound: when there is no such receipt."""
        _check_id(receipt)
        return self._journal.load(receipt)

    def find(self, receipt: str) -> Receipt | None:
        """The receipt, or None when there is none."""
        try:
            return self.load(receipt)
        except NotFound:
            return None

    def receipts(self) -> list[ReceiptSummary]:
        """Every receipt, the newest first."""
        return sorted(self._journal.summaries(), key=lambda item: (item.at, item.id), reverse=True)

    # -- applying --------------------------------------------------------------------------------------------------

    def apply(self, plan: Plan, *, receipt: str | None = None, meta: Mapping[str, Any] | None = None) -> str:
        """Brings the files from before to after, and answers the name of the receipt.

        The receipt is safe at once. That the files are on disk is made sure by :meth:`settle`, once for a whole series.

        :raises PatchConflict: when a file is not what the plan was made from.
        :raises Refused: when the system does not let it; every file is as before.
        :raises Busy: when somebody else is applying.
        """
        with nullcontext() if self._held else self.lock(), self._working:
            name = receipt if receipt is not None else self.new_receipt()
            _check_id(name)
            if self._journal.exists(name):
                raise Refused(f"there is a receipt {name} already", hint="leave the name out")
            return self._apply(plan, name, dict(meta or {}))

    def revert(self, receipt: str, *, new: str | None = None, meta: Mapping[str, Any] | None = None) -> str:
        """Applies the inverse of what a receipt says, and answers the name of the new receipt.

        :raises NotFound: when there is no such receipt.
        :raises PatchConflict: when one of its files was changed since.
        :raises AlreadyApplied: when every file is as it was before already.
        """
        with nullcontext() if self._held else self.lock(), self._working:
            plan = self.load(receipt).plan.inverse()
            name = new if new is not None else self.new_receipt()
            _check_id(name)
            facts = {"reverts": receipt, **(meta or {}), "kind": "revert"}
            try:
                return self._apply(plan, name, facts)
            except PatchConflict:
                if self._is_in(plan):
                    raise AlreadyApplied([file.path for file in plan.files]) from None
                raise

    def _is_in(self, plan: Plan) -> bool:
        files = Files(self.root, self.state / "tmp")
        try:
            found = [(effect, files.read(effect.path)) for effect in plan.effects]
        finally:
            files.close()
        return all((None if there is None else there[0]) == effect.after for effect, there in found)

    def _apply(self, plan: Plan, name: str, meta: dict[str, Any]) -> str:
        files = Files(self.root, self.state / "tmp", many=bool(self._unsettled) or len(plan.effects) > _MANY_FILES)
        try:
            steps = self._check(plan, files)
            receipt = Receipt(
                id=name,
                kind=str(meta.get("kind", "apply")),
                at=self._clock.now(),
                order=time.monotonic_ns(),
                meta=meta,
                plan=plan,
                permissions={step.effect.path: step.permissions for step in steps if step.permissions is not None},
            )
            appends = self._journal.can_append
            try:
                if not appends:
                    self._journal.write(receipt)
            except OSError as error:
                raise _refused_by_system(error, "the journal", "nothing was changed") from error
            with signals_held():
                try:
                    if appends:
                        self._journal.append(receipt)
                    else:
                        self._journal.commit(name, ordered=bool(self._unsettled))
                    self._materialise(receipt, steps, files)
                except (OSError, PatchRefused, PatchConflict) as error:
                    self._roll_back(name, steps, files, error)
                self._unsettled[name] = {step.effect.path for step in steps}
        finally:
            files.close()
        return name

    def _check(self, plan: Plan, files: Files) -> list[_Step]:
        """Compares every file with the plan, byte for byte."""
        steps: list[_Step] = []
        problems: list[Problem] = []
        leaving = [effect.path for effect in plan.effects if effect.after is None]
        for effect in plan.effects:
            check_path(effect.path)  # also of a plan from a receipt that somebody put there
            try:
                found = files.read(effect.path)
                status = None if found is not None else files.status(effect.path)
            except OSError as error:
                raise _refused_by_system(error, effect.path, "nothing was changed") from error
            there = None if found is None else found[0]
            if there != effect.before:
                problems += changed_meanwhile(effect.path).problems
            elif found is None:
                if status is not None and not any(path.startswith(effect.path + "/") for path in leaving):
                    problems += changed_meanwhile(effect.path).problems
                steps.append(_Step(effect, None, None))
            else:
                problems += _unwritable(effect.path, found[1])
                steps.append(_Step(effect, signature(found[1]), found[1].st_mode & 0o777))
        if problems:
            raise PatchConflict(problems, hint="look at the files, and plan the patch again")
        return steps

    def _materialise(self, receipt: Receipt, steps: list[_Step], files: Files) -> None:
        inherited = inherited_permissions(receipt)
        for step in steps:
            if step.effect.after is None:
                files.check_unchanged(step.effect.path, step.known)
                files.remove(step.effect.path)
                step.done = True
        for number, step in enumerate(steps):
            blob = step.effect.after
            if blob is not None:
                permissions = permissions_after(inherited.get(step.effect.path), blob)
                files.put(step.effect.path, blob, permissions, f"{receipt.id}-{number}", step.known)
                step.done = True
        for step in steps:
            if step.effect.after is None:
                files.remove_empty_folders(step.effect.path)

    def _roll_back(self, name: str, steps: list[_Step], files: Files, cause: Exception) -> None:
        """Takes back what was done, and raises why.

        :raises Refused: always, or what ``cause`` is when it is one of ours.
        """
        try:
            if not self._journal.is_committed(name):
                self._journal.abandon(name)
                raise _refused_by_system(cause, "the journal", "nothing was changed") from cause
            self._journal.begin_undo(name)
            for number, step in enumerate(reversed(steps)):
                if step.done:
                    self._restore(step, files, f"{name}-undo-{number}")
            files.remove_created_folders()
            self._journal.drop(name + UNDO)
        except OSError as error:
            raise Refused(
                f"could neither be finished nor taken back: {error.strerror}; receipt {name} has every byte",
                code="half-done",
                hint="make room or permissions, then repeat: what is left is settled first",
            ) from cause
        if isinstance(cause, OSError):
            where = next((step.effect.path for step in steps if not step.done), name)
            raise _refused_by_system(cause, where, "everything was taken back") from cause
        raise cause

    def _restore(self, step: _Step, files: Files, temporary: str) -> None:
        path, before = step.effect.path, step.effect.before
        there = files.read(path)
        if (None if there is None else there[0]) != step.effect.after:
            return  # Somebody else wrote it in this instant; theirs is newer.
        if before is None:
            files.remove(path)
        else:
            files.put(path, before, step.permissions, temporary, None if there is None else signature(there[1]))

    # -- afterwards ------------------------------------------------------------------------------------------------

    def hold(self, receipt: str) -> None:
        """Makes an application count as on trial: what dies now is taken back by the next :meth:`recover`."""
        self._journal.begin_undo(receipt)
        self._trial[receipt] = self._unsettled.pop(receipt)

    def keep(self, receipt: str) -> None:
        """Ends the trial of an application that was held: it counts."""
        self._journal.end_undo(receipt)
        self._unsettled[receipt] = self._trial.pop(receipt)

    def withdraw(self, receipt: str) -> None:
        """Ends the trial of an application that was held: it is taken back.

        :raises Refused: when a file was changed since; the receipt is kept then.
        """
        outcome = self._recover(only={receipt + UNDO})
        self._trial.pop(receipt, None)
        left = [path for item in outcome for path in item.left]
        if left:
            raise Refused(
                f"{left[0]} was changed while the patch was on trial, and was left as it is",
                code="changed-meanwhile",
                hint="look at it, and restore it from git",
                details={"paths": left},
            )

    def settle(self) -> None:
        """Makes sure that all that was applied is on disk, and its receipts are among the receipts."""
        if not self._unsettled:
            return
        paths = set().union(*self._unsettled.values())
        with signals_held():
            if len(paths) > _TOO_MANY_TO_SYNC and os.uname().sysname == "Linux":
                os.sync()
            else:
                files = Files(self.root, self.state / "tmp")
                try:
                    files.sync(paths)
                finally:
                    files.close()
            try:
                self._journal.finish(self._unsettled)
            except OSError as error:
                raise _refused_by_system(error, "the receipts", "the files are in place") from error
            finally:
                self._unsettled.clear()

    def unfinished(self) -> bool:
        """Whether a process died here, or is at work. Costs one look into one folder."""
        return bool(self._journal.unfinished())

    def recover(self) -> list[Recovered]:
        """Finishes what a dead process left, and answers what that was. Cheap when there is nothing.

        :raises Busy: when a process is at work.
        """
        if not self._recovered and not self.unfinished():
            return []
        with nullcontext() if self._held else self.lock():
            told, self._recovered = self._recovered, []
            return told

    def _recover_journal(self) -> None:
        if self._journal.unfinished():
            self._recovered += self._recover()

    def _recover(self, only: Collection[str] | None = None) -> list[Recovered]:
        from vibehq_tui.patches.applying.recovery import recover_journal  # noqa: PLC0415 - only where somebody died

        with signals_held():
            return recover_journal(self.root, self._journal, self.state / "tmp", only=only)


def _unwritable(path: str, status: os.stat_result) -> tuple[Problem, ...]:
    """A file that its owner made read-only is not replaced behind their back."""
    if status.st_mode & 0o222 or os.geteuid() == 0 or (status.st_mode & 0o170000) == 0o120000:
        return ()
    return (Problem(code="not-writable", message="is read-only", path=path),)


def _check_id(receipt: str) -> None:
    if not receipt or len(receipt) > 100 or not _ID_CHARACTERS.issuperset(receipt):
        raise NotFound(f"there is no receipt {receipt!r}", hint="patchctl list shows those that there are")


def _refused_by_system(error: Exception, path: str, outcome: str) -> Refused:
    number, said = (error.errno or 0, error.strerror) if isinstance(error, OSError) else (0, str(error))
    return Refused(
        f"{path}: {said}; {outcome}",
        code="io-error",
        hint=_HINTS.get(number, ""),
        details={"path": path},
    )


@contextmanager
def signals_held() -> Iterator[None]:
    """Lets nothing but SIGKILL interrupt the body; signals are delivered after it."""
    held = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, held)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
