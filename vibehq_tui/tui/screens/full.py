"""What all full screens have in common: they read one thing, and read it again when something happens to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, cast

from textual.screen import Screen
from textual.signal import Signal

from storage.errors import VibeError
from storage.records import Event
from vibehq_tui.headquarters import Headquarters
from vibehq_tui.tui.actions.base import HeadquartersApp
from vibehq_tui.tui.commands import Context
from vibehq_tui.tui.gather import Gathered
from vibehq_tui.tui.widgets.detail import DetailView, Target

_READ_EVERY = 0.1
"""Seconds between two readings, however much happens."""


class Opener(Protocol):
    """An app that has a screen for each kind of thing."""

    happened: Signal[Sequence[Event]]

    def open_task(self, task_id: str) -> None:
        """The screen of a task."""
        ...

    def open_patch(self, patch_id: str) -> None:
        """The review of a patch."""
        ...

    def open_issue(self, issue_id: str) -> None:
        """The screen of an issue."""
        ...

    def open_provider(self, name: str) -> None:
        """The screen of a provider."""
        ...

    def open_log(self, source: str) -> None:
        """The screen of a log."""
        ...


class FullScreen(Screen[None]):
    """A screen about one thing of the workspace."""

    CSS_PATH = "../styles/details.tcss"
    KIND = ""
    """The word for what is shown: ``patch``."""

    def __init__(self, hq: Headquarters, subject_id: str) -> None:
        super().__init__()
        self.hq = hq
        self.subject_id = subject_id
        self.record: Any = None
        """What is shown, once it was read; commands act on it."""
        self.readings = 0
        """How often it was read."""
        self._gathered = Gathered(self._read, _READ_EVERY)

    # -- reading ---------------------------------------------------------------------------------------------------

    async def read(self) -> None:
        """Reads and shows.

        :raises VibeError: shown by :meth:`fail`.
        """
        raise NotImplementedError

    def fail(self, error: VibeError) -> None:
        """Shows why it could not be read."""
        raise NotImplementedError

    def concerns(self, event: Event) -> bool:
        """Whether to read again after an event."""
        return event.subject == self.KIND and event.subject_id == self.subject_id

    def noticed(self, event: Event) -> None:
        """Somebody else did something that concerns this screen."""

    def on_mount(self) -> None:
        """Begins to read, and to follow the feed."""
        self.command_app.ascii_only and self.add_class("-ascii")
        # An error that is not one of the program's own ends the program with its traceback, as it should.
        self.run_worker(
            self._gathered.run(), name=f"read {self.KIND}", group="read", exclusive=True, exit_on_error=True
        )
        self._gathered.poke()
        happened = getattr(self.app, "happened", None)
        if happened is not None:
            happened.subscribe(self, self._on_happened)

    def reload(self) -> None:
        """Says that it may have changed. Returns at once."""
        self._gathered.poke()

    async def _read(self) -> None:
        try:
            await self.read()
        except VibeError as error:
            self.fail(error)
        self.readings += 1
        self.refresh_bindings()

    def _on_happened(self, events: Sequence[Event]) -> None:
        mine = [event for event in events if self.concerns(event)]
        if mine:
            self._gathered.poke()
        for event in mine:
            if event.actor != self.hq.actor:
                self.noticed(event)

    # -- commands --------------------------------------------------------------------------------------------------

    @property
    def command_app(self) -> HeadquartersApp:
        """The app, which asks, tells and acts."""
        return cast(HeadquartersApp, self.app)

    @property
    def opener(self) -> Opener:
        """The app, which has the other screens."""
        return cast(Opener, self.app)

    def facts(self) -> dict[str, Any]:
        """What this screen's commands ask about."""
        focused = self.focused
        return {"target": focused.target if isinstance(focused, DetailView) else None}

    def command_context(self) -> Context:
        """What commands act on."""
        scopes: tuple[str, ...] = getattr(self, "COMMAND_SCOPES", ("",))
        return Context(scope=scopes[0], record=self.record, facts=self.facts())

    def cmd_detail_next_part(self, _: Context) -> None:
        """The next part of the screen."""
        self.focus_next()

    def cmd_detail_previous_part(self, _: Context) -> None:
        """The part of the screen before."""
        self.focus_previous()

    def cmd_detail_copy(self, _: Context) -> None:
        """Copies the id."""
        self.copy(self.subject_id)

    def copy(self, text: str, what: str = "") -> None:
        """Puts a text into the clipboard and says so; of a long one ``what`` it is."""
        self.app.copy_to_clipboard(text)
        self.command_app.say(f"copied {what or text}")

    def on_detail_view_opened(self, event: DetailView.Opened) -> None:
        """Opens what was chosen."""
        event.stop()
        self.open_target(event.target)

    def open_target(self, target: Target) -> None:
        """Opens a screen of its own for what an entry stands for."""
        opens = {
            "task": self.opener.open_task,
            "patch": self.opener.open_patch,
            "issue": self.opener.open_issue,
            "provider": self.opener.open_provider,
            "log": self.opener.open_log,
        }
        opens[target.kind](target.id)
