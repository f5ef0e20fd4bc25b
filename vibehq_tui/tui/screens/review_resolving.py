"""What the keys of the review do about a patch that does not apply: choose a side at each place, or write it."""

from __future__ import annotations

import asyncio
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from storage.errors import VibeError
from vibehq_tui.patches.errors import PatchConflict, PatchRefused
from vibehq_tui.patches.queue.review import Review
from vibehq_tui.text.clean import clean
from vibehq_tui.text.forms import plural
from vibehq_tui.tui import editor
from vibehq_tui.tui.commands import BY_ID, Context, key_label
from vibehq_tui.tui.screens.review_conflicts import Choices, place_of, place_target

if TYPE_CHECKING:
    from vibehq_tui.headquarters import Headquarters
    from vibehq_tui.tui.actions.base import HeadquartersApp
    from vibehq_tui.tui.screens.review_pages import ReviewPage

_KEYS = (
    ("conflict.ours", "ours"),
    ("conflict.theirs", "theirs"),
    ("conflict.base", "base"),
    ("conflict.both", "both"),
    ("conflict.edit", "editor"),
    ("conflict.resolve", "new version"),
)


class ReviewResolving:
    """The commands of scope ``conflict``."""

    hq: Headquarters
    subject_id: str
    text: ReviewPage
    choices: Choices

    if TYPE_CHECKING:
        _lane: asyncio.Lock

        @property
        def command_app(self) -> HeadquartersApp: ...
        def reload(self) -> None: ...
        def show_review(self) -> None: ...

    async def read_conflicts(self, review: Review) -> None:
        """Works out what can be chosen."""
        if review.plan is not None or review.patch.state not in ("proposed", "approved", "conflicted"):
            self.choices.renew(())
            return
        try:
            self.choices.renew(await self.hq.patches.resolution.conflicts_of(self.subject_id))
            self.choices.why_not = ""
        except (PatchConflict, PatchRefused) as error:
            self.choices.renew(())
            self.choices.why_not = error.hint

    def conflict_keys(self) -> str:
        """Which keys choose."""
        keymap, ascii_only = self.command_app.keymap, self.command_app.ascii_only
        words = [f"{key_label(keys[0], ascii_only)} {word}" for id_, word in _KEYS if (keys := keymap.keys(BY_ID[id_]))]
        return (", " if ascii_only else " · ").join(words)

    def cmd_conflict_ours(self, _: Context) -> None:
        """The lines of the file."""
        self._choose_side("ours")

    def cmd_conflict_theirs(self, _: Context) -> None:
        """The lines of the patch."""
        self._choose_side("theirs")

    def cmd_conflict_base(self, _: Context) -> None:
        """The lines as they were before both."""
        self._choose_side("base")

    def cmd_conflict_both(self, _: Context) -> None:
        """The lines of the file, then those of the patch."""
        self._choose_side("both")

    def _choose_side(self, choice: str) -> None:
        """Chooses at the place under the cursor, and goes on to the next that is not chosen."""
        target = self.text.target
        if target is None:
            return
        path, at = place_of(target)
        self.choices.edited.pop(path, None)
        self.choices.chosen[path, at] = choice
        self.show_review()
        places, left = self.choices.places, self.choices.left
        here = places.index((path, at))
        following = [place for place in places[here + 1 :] + places[:here] if place in left]
        if following:
            self.text.go_to(place_target(*following[0]))
        else:
            key = key_label(self.command_app.keymap.keys(BY_ID["conflict.resolve"])[0], self.command_app.ascii_only)
            self.command_app.say(f"every place is chosen · {key} makes the new version")

    async def cmd_conflict_edit(self, context: Context) -> None:
        """The whole file in the operator's editor, with markers around the places."""
        path, _ = place_of(context.facts["region"])
        conflict = self.choices.file(path)
        if conflict.kind == "binary":
            self.command_app.say(f"{clean(path, 80)} is no text: one side or the other", "warning")
            return
        before = conflict.text_with_markers
        text = self.choices.drafts.get(path) or self.choices.edited.get(path) or before
        while True:
            shown = text.decode("utf-8", "surrogateescape")
            written = await editor.edit(self.command_app, shown, name=PurePosixPath(path).name)
            text = written.encode("utf-8", "surrogateescape")
            if text == before:
                self.command_app.say(f"{clean(path, 80)} stays in conflict")
                return
            try:
                self.choices.edited[path] = conflict.check_text(text)
            except VibeError as error:
                self.choices.drafts[path] = text
                detail = f"{error.message}\n{error.hint}\nWhat you wrote is kept; e comes back to it."
                if not await self.command_app.confirm("Edit it again?", detail=detail):
                    return
                continue
            self.choices.drafts.pop(path, None)
            self.show_review()
            return

    async def cmd_conflict_resolve(self, _: Context) -> None:
        """The patch with every conflict resolved, as its next version."""
        count = plural(len(self.choices.places), "place")
        async with self._lane:
            try:
                patch = await self.hq.patches.resolution.resolve(self.subject_id, self.choices.wanted())
            finally:
                self.reload()
        self.command_app.say(f"version {patch.version}: resolved at {count}; it is proposed again, to be reviewed")
