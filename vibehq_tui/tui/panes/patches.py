"""Pane 2: the patch feed, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from storage.query import Query
from storage.records import Patch
from storage.store import Tx
from vibehq_tui.text.forms import age
from vibehq_tui.text.glyphs import PATCH_STATES, sign
from vibehq_tui.tui.panes import welcome
from vibehq_tui.tui.panes.records import RecordsPane
from vibehq_tui.tui.widgets.pane import View
from vibehq_tui.tui.widgets.rows import Cell, Column, Part, Row

COLUMNS = (
    Column("", 1),
    Column("id", 5),
    Column("state", 9),
    Column("patch", 22, share=1),
    Column("task", 4, drop=4),
    Column("provider", 8, drop=5),
    Column("change", 10, drop=2),
    Column("risk", 4, drop=3),
    Column("checks", 6, drop=6),
    Column("age", 4, right=True, drop=1),
)

VIEWS = (
    View(name=""),
    View(name="waiting", where={"state": ("proposed", "approved")}),
    View(name="trouble", where={"state": ("conflicted", "failed")}),
    View(name="applied", where={"state": ("applied", "verified")}),
)

_RISKS = {"low": ("low", "ok"), "medium": ("med", "warn"), "high": ("high", "error")}
_SETTLED = frozenset({"applied", "verified", "rejected", "reverted"})


def changes_cell(added: int, removed: int, ascii_only: bool) -> Cell:
    """``+86 −12`` in the colours of a diff, the removed lines in a column of their own."""
    if not added and not removed:
        return Part("0", "dim")
    minus = "-" if ascii_only else "−"
    left = f"+{added}" if added else ""
    return (Part(f"{left:<5}", "added"), Part(f"{minus}{removed}" if removed else "", "removed"))


def policy_of(patch: Patch) -> tuple[str, str] | None:
    """What a rule of the configuration says against a patch that waits: ``warning`` or ``error``, and why."""
    if patch.state not in ("proposed", "approved"):
        return None
    found = next((one for one in patch.report if one.get("check") == "policy"), None)
    if found is None or found.get("result") not in ("warning", "error"):
        return None
    return str(found["result"]), str(found.get("message", ""))


def held(patch: Patch) -> tuple[str, str] | None:
    """The word and the tone of a patch that a rule holds or denies."""
    rule = policy_of(patch)
    if rule is None or (patch.state == "approved" and rule[0] == "warning"):
        return None
    return ("held", "warn") if rule[0] == "warning" else ("denied", "error")


def patch_row(patch: Patch, now: int, ascii_only: bool) -> Row:
    """One patch."""
    state = sign(PATCH_STATES, patch.state)
    settled = patch.state in _SETTLED
    word, word_tone = held(patch) or (state.word, state.tone)
    risk, tone = _RISKS.get(patch.risk, (patch.risk, "dim"))
    return Row(
        key=patch.id,
        cells=(
            Part(state.text(ascii_only), state.tone),
            Part(patch.id, "" if settled else "strong"),
            Part(word, "dim" if settled else word_tone),
            Part(patch.title, "dim" if settled else ""),
            patch.task or Part("–", "faint"),
            patch.provider or Part("–", "faint"),
            changes_cell(patch.added, patch.removed, ascii_only),
            Part(risk, "dim" if settled else tone),
            Part(patch.checks or "–", "dim" if patch.checks else "faint"),
            Part(age(patch.created_at, now), "dim"),
        ),
        record=patch,
    )


class PatchesPane(RecordsPane[Patch]):
    """Every patch, newest first."""

    COMMAND_SCOPES: ClassVar[tuple[str, ...]] = ("patches", "list")
    NUMBER = 2
    NAME = "patches"
    TITLE = "Patches"
    OPENS = "patch.open"
    COLUMNS = COLUMNS
    VIEWS = VIEWS
    EMPTY = welcome.PATCHES
    NONE = "no patch is in"

    def count_in(self, tx: Tx, query: Query) -> int:
        """How many patches there are."""
        return tx.patches.count(query)

    def page_in(self, tx: Tx, query: Query, offset: int, limit: int) -> Sequence[Patch]:
        """A page of them."""
        return tx.patches.page(query, offset, limit)

    def row_of(self, record: Patch) -> Row:
        """The row of one."""
        return patch_row(record, self.hq.store.clock.now(), self.ascii_only)
