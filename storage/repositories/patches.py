"""Patches, the texts of their versions, and what operators said about them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from typing import Any

from storage.clock import EPOCH
from storage.errors import NotFound
from storage.records import Patch, PatchComment, PatchDecision, PatchFile, PatchVersion
from storage.table import JSON_TEXT, LIST, NUMBER_ID, Codec, Repository, Table, dump, to_number
from storage.transaction import Transaction


def _dump_files(files: tuple[PatchFile, ...]) -> str:
    return dump([[f.path, f.op, f.from_, f.added, f.removed] for f in files])


def _load_files(text: str) -> tuple[PatchFile, ...]:
    return tuple(
        PatchFile(path=path, op=op, from_=from_, added=added, removed=removed)
        for path, op, from_, added, removed in json.loads(text)
    )


class PatchRepository(Repository[Patch]):
    """Patches, newest first."""

    table = Table(
        name="patches",
        record=Patch,
        order="id DESC",
        codecs={"id": NUMBER_ID, "files": Codec(_dump_files, _load_files), "report": LIST},
        search=("id", "title", "state", "task", "provider", "format", "risk", "reason", "submitted_by"),
        search_more=lambda patch: [name for f in patch.files for name in (f.path, f.from_) if name],
        sorts={"risk": "CASE risk WHEN 'high' THEN 0 WHEN 'medium' THEN 1 ELSE 2 END"},
    )

    def __init__(self, tx: Transaction) -> None:
        super().__init__(tx)
        self._decisions = _Decisions(tx)
        self._comments = _Comments(tx)
        self._versions = _Versions(tx)

    def next_id(self) -> str:
        """A new id: 1, 2, 3 …"""
        return str(self._tx.next_number("patch", "patches"))

    def get(self, patch: str) -> Patch | None:
        """A patch by its id."""
        return self._find("id = ?", (to_number(patch),))

    def insert(self, patch: Patch) -> Patch:
        """Stores a new patch; times that are not set become now."""
        created = self._tx.now if patch.created_at == EPOCH else patch.created_at
        updated = created if patch.updated_at == EPOCH else patch.updated_at
        patch = dataclasses.replace(patch, created_at=created, updated_at=updated)
        self._insert(patch)
        return patch

    def update(self, patch: str, **fields: Any) -> Patch:
        """Changes some fields of a patch, and its ``updated_at`` to now.

        :raises NotFound: for an unknown id.
        """
        return self._change(self._existing(patch), {"updated_at": self._tx.now, **fields})

    def pending(self) -> list[Patch]:
        """The patches whose application or revert was begun and not settled, oldest first."""
        return self._select("WHERE pending_receipt IS NOT NULL ORDER BY id")

    def open(self) -> list[Patch]:
        """The patches that wait for somebody: proposed, approved or conflicted, newest first."""
        return self._select("WHERE state IN ('proposed', 'approved', 'conflicted') ORDER BY id DESC")

    def add_version(
        self,
        patch: str,
        version: int,
        format: str,  # noqa: A002 - the field's name
        text: bytes,
        *,
        by: str = "",
        base: str | None = None,
        reason: str = "",
    ) -> None:
        """Stores the text of a version as it was submitted.

        :param base: the commit that it was planned against.
        :param reason: what made it another version.
        :raises NotFound: for an unknown patch.
        """
        self._existing(patch)
        self._tx.execute(
            'INSERT INTO patch_versions (patch, version, format, at, text, "by", base, reason)'
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (to_number(patch), version, format, self._tx.now, text, by, base, reason),
        )

    def text(self, patch: str, version: int | None = None) -> bytes:
        """The text of a version, of the newest by default.

        :raises NotFound: where there is none.
        """
        row = self._tx.row(
            "SELECT text FROM patch_versions WHERE patch = ? AND (version = ? OR ? IS NULL)"
            " ORDER BY version DESC LIMIT 1",
            (to_number(patch), version, version),
        )
        if row is None:
            which = "no text" if version is None else f"no version {version}"
            raise NotFound(f"patch {patch} has {which}", hint="See `vibehq patch list`.")
        return bytes(row[0])

    def versions(self, patch: str) -> list[PatchVersion]:
        """Every version, oldest first, without its text."""
        return self._versions.of(patch)

    def decisions(self, patch: str) -> list[PatchDecision]:
        """What was decided, by hunk number."""
        return self._decisions.of(patch)

    def replace_decisions(self, patch: str, decisions: Iterable[PatchDecision]) -> None:
        """Makes these the decisions about a patch; all others are taken back."""
        self._tx.execute("DELETE FROM patch_decisions WHERE patch = ?", (to_number(patch),))
        for decision in decisions:
            self._decisions.put(decision)

    def set_decision(self, decision: PatchDecision) -> None:
        """Decides on a hunk; an earlier decision on it is replaced."""
        self._decisions.put(decision)

    def clear_decision(self, patch: str, hunk: int) -> None:
        """Takes the decision on a hunk back, if there is one."""
        self._tx.execute("DELETE FROM patch_decisions WHERE patch = ? AND hunk = ?", (to_number(patch), hunk))

    def seen(self, patch: str) -> set[str]:
        """The paths of the files that were marked as seen."""
        return set(self.seen_digests(patch))

    def seen_digests(self, patch: str) -> dict[str, str]:
        """Path → digest of the content that was seen."""
        rows = self._tx.rows("SELECT path, digest FROM patch_seen WHERE patch = ?", (to_number(patch),))
        return {json.loads(path): digest for path, digest in rows}

    def set_seen(self, patch: str, path: str, digest: str | None) -> None:
        """Marks a file as seen with this content, or with None as not seen."""
        if digest is None:
            self._tx.execute("DELETE FROM patch_seen WHERE patch = ? AND path = ?", (to_number(patch), dump(path)))
            return
        self._tx.execute(
            "INSERT INTO patch_seen (patch, path, digest, at) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (patch, path) DO UPDATE SET digest = excluded.digest, at = excluded.at",
            (to_number(patch), dump(path), digest, self._tx.now),
        )

    def add_comment(
        self,
        *,
        patch: str,
        path: str | None,
        line: int | None,
        text: str,
        by: str,
        hunk: int | None = None,
        version: int = 1,
        quote: str = "",
    ) -> PatchComment:
        """Adds a remark on a line, on a hunk, on a file (neither) or on the patch (no path).

        :raises NotFound: for an unknown patch.
        """
        self._existing(patch)
        number = str(self._tx.next_number("patch_comment", "patch_comments"))
        comment = PatchComment(
            id=number,
            patch=patch,
            text=text,
            by=by,
            at=self._tx.now,
            path=path,
            line=line,
            hunk=hunk,
            version=version,
            quote=quote,
        )
        self._comments.put(comment)
        return comment

    def comment(self, comment: str) -> PatchComment | None:
        """A remark by its id."""
        return self._comments.get(comment)

    def put_comment(self, comment: PatchComment) -> None:
        """Writes a remark that is there, or one that was taken away."""
        self._comments.put(comment)

    def remove_comment(self, comment: str) -> None:
        """Takes a remark away, if it is there."""
        self._tx.execute("DELETE FROM patch_comments WHERE id = ?", (to_number(comment),))

    def comments(self, patch: str) -> list[PatchComment]:
        """The remarks on a patch, oldest first."""
        return self._comments.of(patch)

    def _existing(self, patch: str) -> Patch:
        found = self.get(patch)
        if found is None:
            raise NotFound(f"there is no patch {patch}", hint="See `vibehq patch list`.")
        return found


class _Decisions(Repository[PatchDecision]):
    table = Table(
        name="patch_decisions", record=PatchDecision, order="patch, hunk", key="patch", codecs={"patch": NUMBER_ID}
    )

    def of(self, patch: str) -> list[PatchDecision]:
        return self._select("WHERE patch = ? ORDER BY hunk", (to_number(patch),))

    def put(self, decision: PatchDecision) -> None:
        self._tx.execute(
            self.table.insert_sql + " ON CONFLICT (patch, hunk) DO UPDATE SET decision = excluded.decision,"
            ' "by" = excluded."by", at = excluded.at, reason = excluded.reason, digest = excluded.digest',
            self.table.encode(decision),
        )


class _Comments(Repository[PatchComment]):
    table = Table(
        name="patch_comments",
        record=PatchComment,
        order="id",
        codecs={"id": NUMBER_ID, "patch": NUMBER_ID, "path": JSON_TEXT},
    )

    def of(self, patch: str) -> list[PatchComment]:
        return self._select("WHERE patch = ? ORDER BY id", (to_number(patch),))

    def get(self, comment: str) -> PatchComment | None:
        return self._find("id = ?", (to_number(comment),))

    def put(self, comment: PatchComment) -> None:
        self._upsert(comment)


class _Versions(Repository[PatchVersion]):
    table = Table(
        name="patch_versions",
        record=PatchVersion,
        order="patch, version",
        key="patch",
        codecs={"patch": NUMBER_ID},
    )

    def of(self, patch: str) -> list[PatchVersion]:
        return self._select("WHERE patch = ? ORDER BY version", (to_number(patch),))
