"""Brings the mirror in the store up to a tasks file that has changed, and says how the file was found."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from storage.errors import VibeError
from storage.store import Store, Tx
from vibehq_tui.tasks import files
from vibehq_tui.tasks.finish import to_the_end
from vibehq_tui.tasks.loading import Loaded, TasksFile
from vibehq_tui.tasks.mirror import Mirrored, Seen, last_seen, mirror, note_seen, tell_broken, tell_of_file
from vibehq_tui.tasks.problems import TasksFileBroken
from vibehq_tui.tasks.reports import SyncReport


class TaskSync:
    """Keeps one mirror up to one file."""

    def __init__(self, store: Store, file: TasksFile) -> None:
        self._store = store
        self._file = file

    async def sync(self, force: bool) -> SyncReport:
        """Reads the file and mirrors it, unless it has the very bytes that it had."""
        if self._store.read_only:
            found = self._file.find()
            shown = self._file.problems(found.path, found.source) if found.exists else ()
            return SyncReport(source=found.source if found.exists else "", problems=shown, others=found.others)
        async with files.locked(self._store.folder):
            return await to_the_end(self._sync_locked(force))

    async def _sync_locked(self, force: bool) -> SyncReport:
        found = self._file.find()
        seen = await self._store.read(last_seen)
        if not found.exists:
            return await self._forget(found)
        try:
            content = await self._file.read(found)
            if not force and seen and seen.source == found.source and _same_bytes(seen, content):
                again = replace(seen, stamp=content.stamp)
                if again != seen:
                    with suppress(VibeError):  # on a full disk tasks can still be read; next time it is tried again
                        await self._store.write(lambda tx: note_seen(tx, again))
                return SyncReport(source=found.source, problems=seen.problems, others=found.others)
            loaded = await self._file.load(found, content)
        except TasksFileBroken as broken:
            return await self._keep_last_good(found, seen, broken)
        done = await self._store.write(lambda tx: _take_over(tx, found, loaded, seen))
        return SyncReport(
            source=found.source,
            problems=loaded.checked.problems,
            added=done.added,
            changed=done.changed,
            removed=done.removed,
            others=found.others,
        )

    async def _forget(self, found: files.Found) -> SyncReport:
        """The file is gone: so are its tasks, until it comes back."""

        def body(tx: Tx) -> Mirrored:
            done = mirror(tx, found.source, ())
            note_seen(tx, Seen(source=found.source, stamp=""))
            tell_of_file(tx, done, found.source)
            return done

        return SyncReport(removed=(await self._store.write(body)).removed)

    async def _keep_last_good(self, found: files.Found, seen: Seen | None, broken: TasksFileBroken) -> SyncReport:
        """Notes what is wrong, and tells of it once."""
        told = seen is not None and seen.source == found.source and seen.problems == broken.problems
        noted = Seen(source=found.source, stamp=broken.stamp or _stamp_unread(found), problems=broken.problems)

        def body(tx: Tx) -> None:
            note_seen(tx, noted)
            if not told:
                tell_broken(tx, found.source, broken.problems)

        await self._store.write(body)
        return SyncReport(source=found.source, problems=broken.problems, others=found.others)


def _take_over(tx: Tx, found: files.Found, loaded: Loaded, seen: Seen | None) -> Mirrored:
    """Mirrors what was found in the file, and tells of it."""
    first = seen is None or any(one.level == "error" for one in seen.problems)
    done = mirror(tx, found.source, loaded.checked.tasks)
    note_seen(tx, Seen(source=found.source, stamp=loaded.stamp, problems=loaded.checked.problems))
    tx.tasks.set_source_stamp(found.source, loaded.stamp)
    tell_of_file(tx, done, found.source, always=first)
    return done


def _same_bytes(seen: Seen, content: files.Content) -> bool:
    return files.digest_of(seen.stamp) == files.digest_of(content.stamp)


def _stamp_unread(found: files.Found) -> str:
    """The stamp of a file that could not be read: it is tried again once it looks different."""
    try:
        return f"{files.identity(found.path)} unread"
    except OSError:
        return "? unread"
