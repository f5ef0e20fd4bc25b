"""The review of a patch: its files and what validation says of it at the left, the changes at the right."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widget import Widget

from storage.errors import VibeError
from storage.records import Event, Patch, PatchComment, PatchDecision
from storage.store import Tx
from vibehq_tui.patches.queue.review import Review
from vibehq_tui.text.clean import clean
from vibehq_tui.tui.commands import BY_ID, Context, key_label
from vibehq_tui.tui.screens import review_pages as pages
from vibehq_tui.tui.screens import review_texts as texts
from vibehq_tui.tui.screens.full import FullScreen
from vibehq_tui.tui.screens.review_commands import ReviewCommands
from vibehq_tui.tui.screens.review_conflicts import Choices, does_not_apply
from vibehq_tui.tui.screens.review_near import Near, find_near
from vibehq_tui.tui.screens.review_pages import ReviewPage
from vibehq_tui.tui.screens.review_resolving import ReviewResolving
from vibehq_tui.tui.widgets.detail import DetailView, Document, Target
from vibehq_tui.tui.widgets.diff_view import DiffView
from vibehq_tui.tui.widgets.footer import CommandFooter
from vibehq_tui.tui.widgets.long_list import LongList
from vibehq_tui.tui.widgets.plain import plain_signs
from vibehq_tui.tui.widgets.rows import Column, Part
from vibehq_tui.tui.widgets.title_line import TitleLine

NARROW = 100
"""Columns below which files and report are not beside the changes."""

_PAGES = {
    "problems": "Does not apply",
    "submitted": "As submitted",
    "remarks": "Remarks",
    "versions": "Versions",
    "explain": "Rules and risk",
    "feedback": "What goes back to the author",
}
"""What can be read in place of the changes, with its title."""

_OWN_KEYS = {"remarks": "remarks", "versions": "versions", "problems": "conflict"}
"""The scope of those that have keys of their own."""

_FRAME = 5
"""Cells of a page for its border, its edges and the scroll bar."""

_HINTS = (
    ("diff.accept", "accepts and goes on"),
    ("review.reject-now", "rejects"),
    ("diff.select", "selects lines"),
)
_LINES_HINTS = (
    ("lines.accept", "accepts only these lines"),
    ("lines.reject", "takes them out"),
    ("lines.leave", "leaves"),
)


class FileList(LongList):
    """The files of the patch. Commands of the review act on the patch here too."""

    def on_resize(self, _: events.Resize) -> None:
        """Paths are cut to the width."""
        self.reload()

    def command_context(self) -> Context:
        """What commands act on: the patch, not the file under the cursor."""
        screen = self.screen
        assert isinstance(screen, ReviewScreen)
        return replace(screen.command_context(), filtered=bool(self.filter_text))


class ReviewScreen(ReviewCommands, ReviewResolving, FullScreen):
    """Shows a patch as it would apply now, and lets an operator decide, hunk by hunk."""

    COMMAND_SCOPES: ClassVar[tuple[str, ...]] = ("review",)
    AUTO_FOCUS = "#diff"
    KIND = "patch"

    def compose(self) -> ComposeResult:
        """Title, files and report, changes, keys."""
        self.title_line = TitleLine(id="title")
        self.strip = TitleLine(id="strip")
        self.files = FileList(
            (Column("", 1), Column("file", 10, share=1), Column("change", 10, right=True)), header=False, id="files"
        )
        self.report = DetailView(id="report")
        self.diff = DiffView(id="diff")
        self.text = ReviewPage(id="submitted")
        self.near: Near = {}
        self.choices = Choices()
        self.changes = Vertical(id="changes")
        self._source = texts.FileSource(lambda: self.files.size.width - 18)
        yield self.title_line
        yield self.strip
        with Horizontal(id="body"):
            with Vertical(id="side"):
                yield self.files
                yield self.report
            with self.changes:
                yield self.diff
                yield self.text
        yield CommandFooter()

    def on_mount(self) -> None:
        """Shows that it is being read."""
        self.files.border_title, self.report.border_title, self.diff.border_title = "Files", "Report", "Changes"
        self.text.display = False
        self.title_line.show(Part(f"patch {clean(self.subject_id, 40)}", "dim"))
        self.diff.clear(Part("reading the patch …", "dim"))

    # -- reading ---------------------------------------------------------------------------------------------------

    def concerns(self, event: Event) -> bool:
        """Every patch that comes, goes or is decided can make a difference here: files change, patches meet."""
        return event.type.startswith("patch.")

    def noticed(self, event: Event) -> None:
        """Says what another operator did to this patch."""
        if event.subject_id == self.subject_id and event.message:
            self.command_app.say(f"{event.actor}: {event.message}", title=f"patch {self.subject_id}")

    async def read(self) -> None:
        """Reads the patch against the files as they are now."""
        if self.review is None and (look := await self._first_look()) is not None:
            self.review, self.record = look, look.patch
            self.show_review()
        review = await self.hq.patches.review(self.subject_id)
        self.near = await asyncio.to_thread(find_near, Path(self.hq.root), review) if review.plan is None else {}
        await self.read_conflicts(review)
        await self.read_page()
        before = self.review
        self.review = review
        self.record = review.patch
        if before is not None and before.plan is not None and review.plan is not None:
            same = review.patch.state in ("proposed", "approved") and before.patch.version == review.patch.version
            if same and before.plan.hash != review.plan.hash:
                self.command_app.say("the files changed: this is the patch as it would apply now", "warning")
        self.show_review()

    async def _first_look(self) -> Review | None:
        """The changes and what was decided about them, before it is worked out which other patches they meet."""
        patch = await self.hq.patches.get(self.subject_id)
        try:
            plan = await self.hq.patches.plan(self.subject_id)
        except VibeError:
            return None  # the whole review says why

        def body(tx: Tx) -> tuple[list[PatchDecision], list[PatchComment]]:
            return tx.patches.decisions(patch.id), tx.patches.comments(patch.id)

        decisions, comments = await self.hq.store.read(body)
        known = {decision.hunk: decision for decision in decisions}
        return Review(patch=patch, plan=plan, text=b"", decisions=known, comments=tuple(comments))

    def fail(self, error: VibeError) -> None:
        """Shows what went wrong in place of the changes."""
        self.diff.clear(Part(error.message, "error"), Part(error.hint, "dim"))

    # -- showing ---------------------------------------------------------------------------------------------------

    def show_review(self) -> None:
        """Shows what was read, with the decisions that are on their way to the store."""
        review = self.review
        if review is None:
            return
        ascii_only = self.command_app.ascii_only
        self.title_line.show(*texts.title(review, ascii_only))
        self.report.show(texts.report(review, self.hq.store.clock.now(), ascii_only))
        self._show_document(review, ascii_only)
        self.files.display = review.plan is not None
        if review.plan is None:
            return
        decisions = self.decisions
        self.diff.hint = self._hint(review.patch, _HINTS)
        self.diff.lines_hint = self._hint(review.patch, _LINES_HINTS)
        self.diff.border_title = self._changes_title()
        self.diff.show(review.plan, decisions=decisions, comments=review.comments, seen=review.seen)
        self._show_files(review, decisions, ascii_only)
        self._show_place()

    def _show_document(self, review: Review, ascii_only: bool) -> None:
        """A page, or why the patch does not apply, in place of the changes."""
        page = self.page or ("problems" if review.plan is None else "")
        had_focus = self.focused in (self.diff, self.text, None)
        self.text.display, self.diff.display = bool(page), not page
        if page:
            self.text.scope = _OWN_KEYS.get(page, "")
            if page == "problems" and not self.choices.conflicts:
                self.text.scope = ""
            self.text.border_title = _PAGES[page]
            self.text.show(self._document(page, review, ascii_only))
        if had_focus and not self.has_class("-side"):
            (self.text if page else self.diff).focus()
            self.refresh_bindings()

    def _document(self, page: str, review: Review, ascii_only: bool) -> Document:
        now = self.hq.store.clock.now()
        if page == "remarks":
            return pages.remarks(review, now, ascii_only)
        if page == "versions":
            return pages.versions(review, self.versions, self.interdiff, now, ascii_only)
        if page == "submitted":
            return pages.as_submitted(review)
        if page == "feedback":
            return pages.feedback(self.feedback)
        if page == "explain" and self.explanation is not None:
            return pages.explained(self.explanation, ascii_only)
        room = max(self.changes.size.width - _FRAME, 20)  # the page itself has no size before it is shown
        return does_not_apply(review, self.near, self.choices, self.conflict_keys(), room, ascii_only)

    def _changes_title(self) -> str:
        """How the changes are shown, where that is another way than usual."""
        shape = self.diff.shape
        words = ["Changes"]
        if shape.context is not None:
            words.append(shape.words())
        if not shape.blanks:
            words.append("without changes of blanks")
        return (" - " if self.command_app.ascii_only else " · ").join(words)

    def _hint(self, patch: Patch, hints: Sequence[tuple[str, str]]) -> str:
        if patch.state not in ("proposed", "approved") or self.command_app.read_only:
            return ""
        keymap, ascii_only = self.command_app.keymap, self.command_app.ascii_only
        words = [f"{key_label(keys[0], ascii_only)} {word}" for id_, word in hints if (keys := keymap.keys(BY_ID[id_]))]
        return (", " if ascii_only else " · ").join(words)

    def _show_files(self, review: Review, decisions: dict[int, PatchDecision], ascii_only: bool) -> None:
        if review.plan is None:
            return
        if self.files.source is None:
            self.files.set_source(self._source)
        if self._source.update(review, decisions, ascii_only):
            self.files.reload()
        self.files.border_title = "Files"
        told = texts.progress(review.plan, decisions, review.seen)
        self.files.border_subtitle = Content(plain_signs(told, ascii_only))

    def _show_place(self) -> None:
        """Marks the file that one is in, and says where one is in the strip of a narrow screen."""
        review = self.review
        if review is None or review.plan is None or not review.plan.files:
            return
        file = review.plan.files[self.diff.file]
        if self.focused is not self.files and not self.files.filter_text:
            self.files.move_to(self.diff.file)
        if not self.has_class("-narrow"):
            return
        ascii_only = self.command_app.ascii_only
        mark = texts.file_sign(file, self.decisions, review.seen, ascii_only)
        bad = sum(finding.get("result") != "ok" for finding in review.patch.report) + len(review.meets)
        warning = Part(f"{'!' if ascii_only else '▲'} {bad}  ", "warn") if bad else Part("")
        place = f"file {self.diff.file + 1} of {len(review.plan.files)} · "
        told = texts.decided(review.plan, self.decisions)
        self.strip.show(
            (Part(f"{mark.text} ", mark.role), Part(place + told, "dim")), (warning, Part("tab report", "faint"))
        )

    # -- what happens on the screen --------------------------------------------------------------------------------

    def facts(self) -> dict[str, Any]:
        """What commands of the review ask about."""
        plan = self.review.plan if self.review else None
        return super().facts() | {
            "plan": plan is not None,
            "hunk": self.diff.hunk if plan is not None and self.diff.display else None,
            "place": self.diff.place,
            "on_hunk": self.diff.on_hunk,
            "selected": self.diff.selected,
            "match": self.diff.match,
            "region": self._target_of("region"),
            "version": self._target_of("version"),
            "left": len(self.choices.left) if self.choices.conflicts else None,
        }

    def _target_of(self, kind: str) -> Target | None:
        """What is under the cursor of the page, if it is of a kind."""
        target = self.text.target if self.text.display else None
        return target if target is not None and target.kind == kind else None

    def on_resize(self, event: events.Resize) -> None:
        """Puts files and report beside the changes where there is room."""
        self.set_class(event.size.width < NARROW, "-narrow")
        self.call_after_refresh(self.show_review)

    def on_diff_view_moved(self, _: DiffView.Moved) -> None:
        """Another hunk is current."""
        self._show_place()
        self.command_app.rested.poke()  # the footer can wait until the cursor rests

    def on_diff_view_clicked(self, event: DiffView.Clicked) -> None:
        """A click on a decision is the key that toggles it."""
        self.command_app.run_command("diff.toggle")
        event.stop()

    def on_long_list_highlighted(self, event: LongList.Highlighted) -> None:
        """The changes follow the file under the cursor, while one is in the list."""
        if self.focused is self.files and event.row is not None:
            self._go_to_path(event.row.key)

    def on_long_list_opened(self, event: LongList.Opened) -> None:
        """From the list to the changes of the file."""
        event.stop()
        self._go_to_path(event.row.key)
        self.leave_side()

    def _go_to_path(self, path: str) -> None:
        plan = self.review.plan if self.review else None
        if plan is None or self.diff.path == path:
            return
        index = next((index for index, file in enumerate(plan.files) if file.path == path), None)
        if index is not None:
            self.diff.go_to_file(index)

    def open_target(self, target: Target) -> None:
        """A finding of the report leads to its place in the changes."""
        if target.kind == "remark":
            self._go_to_remark(target.id)
            return
        if target.kind != "place":
            super().open_target(target)
            return
        path, _, line = target.id.rpartition(":")
        if self.page:
            self.show_page("")
        self.leave_side()
        self.diff.go_to_place(path, int(line) if line else None)

    def _go_to_remark(self, id_: str) -> None:
        """To what a remark is about."""
        comment = next((one for one in self.review.comments if one.id == id_), None) if self.review else None
        if comment is None or self.review is None or self.review.plan is None:
            return
        self.show_page("")
        if comment.path is None:
            self.command_app.say("this is about the whole patch")
        elif comment.hunk is not None and comment.line is None:
            self.diff.go_to_hunk(comment.hunk)
        else:
            self.diff.go_to_place(comment.path, comment.line)

    def leave_side(self) -> None:
        """Back to the changes."""
        self.remove_class("-side")
        (self.text if self.text.display else self.diff).focus()

    def cmd_detail_next_part(self, context: Context) -> None:
        """Changes, files, report; on a narrow screen files and report come up when they are wanted."""
        self._step((self.text if self.text.display else self.diff, self.files, self.report))

    def cmd_detail_previous_part(self, _: Context) -> None:
        """The other way round."""
        self._step((self.text if self.text.display else self.diff, self.report, self.files))

    def _step(self, parts: tuple[Widget, ...]) -> None:
        at = next((index for index, part in enumerate(parts) if part is self.focused), 0)
        wanted = parts[(at + 1) % len(parts)]
        if wanted is parts[0]:
            self.leave_side()
        else:
            self.set_class(self.has_class("-narrow"), "-side")
            self.call_after_refresh(wanted.focus)

    def cmd_app_back(self, _: Context) -> None:
        """Out of the list, the search or the text first, then to where one came from."""
        if self.files.filter_text:
            self.files.set_filter("")
        elif self.has_class("-side"):
            self.leave_side()
        elif self.diff.match and self.diff.display:
            self.diff.forget_match()
        elif self.page:
            self.show_page("")
        else:
            self.dismiss(None)
