"""From a key to what it does.

A key goes to the focused widget first, so a text field gets its letters. What comes back unused is looked up in the
table of the active scopes, and the command's method is called on the nearest node that has it. Commands that change
something go through one lane: they are done in the order of the keys, each against the record as it is by then, and on
the things that were selected when the key was pressed.
"""

from __future__ import annotations

import asyncio
import dataclasses
import os
from collections.abc import Awaitable, Callable, Sequence
from inspect import isawaitable
from typing import Any, ClassVar, Literal, NamedTuple

from textual import events
from textual.app import App
from textual.dom import DOMNode
from textual.filter import LineFilter
from textual.reactive import Initialize, Reactive
from textual.signal import Signal
from textual.theme import Theme

from storage.errors import VibeError
from vibehq_tui.text.clean import clean, clean_lines
from vibehq_tui.tui import theme as themes
from vibehq_tui.tui.commands import BY_ID, Command, Context, in_scopes, key_label
from vibehq_tui.tui.filters import AsciiText, SafeText
from vibehq_tui.tui.gather import Rested
from vibehq_tui.tui.keymap import Keymap
from vibehq_tui.tui.widgets.rows import Part

Handler = Callable[[Context], "Awaitable[None] | None"]
Severity = Literal["information", "warning", "error"]

_REST = 0.06
"""Seconds without a move after which the cursor rests, so that running through a list costs nothing more."""

_SAME_TOAST_AFTER = 2.0
"""Seconds in which the same toast is shown once."""


class _Job(NamedTuple):
    command: Command
    context: Context
    handler: Handler


def _first_theme(app: Any) -> str:
    name: str = app.first_theme
    return name


class CommandApp(App[int], inherit_bindings=False):
    """An app whose keys are commands. Toasts, dialogs, themes and the last line of defence against escapes are here
    too; what it is about is not."""

    COMMAND_SCOPES: ClassVar[tuple[str, ...]] = ("app",)
    ENABLE_COMMAND_PALETTE = False
    NOTIFICATION_TIMEOUT = 6

    theme: Reactive[str] = Reactive(Initialize(_first_theme))
    """The name of the theme. It is ours from the beginning: Textual would read its style sheets twice otherwise."""

    def __init__(self, *, read_only: bool = False, ascii_only: bool = False, theme: str = "") -> None:
        """:param theme: to begin with; the default when there is none of this name."""
        self._own_themes = {name: themes.textual_theme(palette) for name, palette in themes.PALETTES.items()}
        # Without colour only the terminal's own attributes are left to say what is selected.
        wanted = themes.ANSI.name if "NO_COLOR" in os.environ else theme
        self.first_theme = wanted if wanted in themes.PALETTES else themes.DEFAULT
        super().__init__()
        self.keymap = Keymap()
        """The keys in force."""
        self.read_only = read_only
        self.ascii_only = ascii_only
        self._safe_text = SafeText()
        self._ascii_text = (AsciiText(),) if ascii_only else ()
        self._jobs: asyncio.Queue[_Job] = asyncio.Queue()
        self._last_toast = ("", 0.0)
        self.cursor_rested: Signal[None] = Signal(self, "cursor-rested")
        """Published when the cursor of a list has come to rest; for previews."""
        self.rested = Rested(self._cursor_rests, _REST)
        for own in self._own_themes.values():
            self.register_theme(own)

    def get_theme(self, theme_name: str) -> Theme | None:
        """A theme by its name. Textual asks for every line that it paints, and would make a list of all each time."""
        return self._own_themes.get(theme_name) or super().get_theme(theme_name)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """One filter: Textual's own, then the one that no escape sequence passes."""
        others = (*super().get_line_filters(), *self._ascii_text)
        if others != self._safe_text.others:
            self._safe_text = SafeText(*others)
        return (self._safe_text,)

    def on_mount(self) -> None:
        """Opens the lane of changing commands."""
        self.run_worker(self._keep_working(), name="commands", group="commands")

    def on_unmount(self) -> None:
        """Nothing is to be shown any more."""
        self.rested.cancel()

    def on_long_list_highlighted(self) -> None:
        """Another row: once the cursor rests, whoever shows more about it is told."""
        self.rested.poke()

    def _cursor_rests(self) -> None:
        # Not with every key: one line at the bottom in the same frame would make Textual compose everything between.
        self.screen.refresh_bindings()
        self.cursor_rested.publish(None)

    # What is active

    def command_nodes(self) -> list[DOMNode]:
        """From the focused widget up to the app, or up to the dialog that is open."""
        start: DOMNode = self.focused or self.screen
        nodes: list[DOMNode] = []
        for node in start.ancestors_with_self:
            nodes.append(node)
            if node.is_modal:
                break
        return nodes

    def active_scopes(self) -> tuple[str, ...]:
        """The scopes in force, inner ones first."""
        return tuple(scope for node in self.command_nodes() for scope in getattr(node, "COMMAND_SCOPES", ()))

    def active_commands(self) -> list[Command]:
        """The commands that are known now and that somebody here can do."""
        nodes = self.command_nodes()
        return [command for command in in_scopes(self.active_scopes()) if _handler(nodes, command)]

    def command_context(self) -> Context:
        """What a command would act on now."""
        for node in self.command_nodes():
            if node is not self and (give := getattr(node, "command_context", None)) is not None:
                context: Context = give()
                return dataclasses.replace(context, read_only=self.read_only)
        return Context(read_only=self.read_only)

    # Doing

    def on_key(self, event: events.Key) -> None:
        """A key that no widget used."""
        self.use_key(event)

    def use_key(self, event: events.Key) -> None:
        """Runs the command of a key, or says why it does nothing."""
        table = self.keymap.table(self.active_scopes())
        character = event.character if event.is_printable else None
        command = table.get(event.key) or (table.get(character) if character else None)
        if command is not None:
            event.prevent_default()
            event.stop()
            self.run_command(command.id)
        elif character and character != " ":
            self._explain(character)

    def run_command(self, id_: str) -> None:
        """Runs a command on what is selected now; a toast says why when it is not possible."""
        command = BY_ID[id_]
        handler = _handler(self.command_nodes(), command)
        context = self.command_context()
        if handler is None:
            self.say(f"{command.title}: not possible here", "warning")
        elif command.changes and not context.read_only:
            self._jobs.put_nowait(_Job(command, context, handler))
        elif reason := command.reason(context):
            self.say(reason, "warning")
        else:
            done = handler(context)
            if isawaitable(done):
                self.run_worker(self._guard(done), group="commands")

    async def commands_done(self) -> None:
        """Waits until every changing command so far has been done or refused."""
        await self._jobs.join()

    async def renew(self, context: Context) -> Context:
        """The same context with its record as it is now; a subclass that has a store reads it again."""
        return context

    async def _keep_working(self) -> None:
        while True:
            job = await self._jobs.get()
            try:
                await self._guard(self._do(job))
            finally:
                self._jobs.task_done()

    async def _do(self, job: _Job) -> None:
        context = await self.renew(job.context)
        if reason := job.command.reason(context):
            self.say(reason, "warning")
            return
        done = job.handler(context)
        if isawaitable(done):
            await done

    async def _guard(self, done: Awaitable[Any]) -> None:
        try:
            await done
        except VibeError as error:
            self.fail(error)

    def _explain(self, key: str) -> None:
        """Says what an unused key would do elsewhere, or where the keys are listed."""
        help_key = next(iter(self.keymap.keys(BY_ID["app.help"])), "")
        command = self.keymap.elsewhere(key)
        if command is None:
            self.say(f"{key} does nothing here; {key_label(help_key)} shows the keys")
        else:
            self.say(f"{key} ({command.title}) belongs to {command.group}; {key_label(help_key)} shows the keys here")

    # Telling and asking

    def say(self, message: str, severity: Severity = "information", title: str = "") -> None:
        """A toast. The texts may be of any origin."""
        now = asyncio.get_running_loop().time()
        if self._last_toast[0] == message and now - self._last_toast[1] < _SAME_TOAST_AFTER:
            return
        self._last_toast = (message, now)
        self.notify(clean_lines(message, 600), title=clean(title, 80), severity=severity, markup=False)

    def fail(self, error: VibeError) -> None:
        """A toast with what was wrong and what to do about it."""
        self.say(f"{error.message}\n{error.hint}" if error.hint else error.message, "error")

    async def ask(self, title: str, *, hint: str = "", text: str = "", required: bool = True) -> str | None:
        """Asks for one line; ``None`` when it was cancelled. Only from a worker, such as a changing command."""
        from vibehq_tui.tui.widgets.prompt import Ask  # noqa: PLC0415 - text fields and dialogs are loaded when first needed

        return await self.push_screen_wait(Ask(title, hint=hint, text=text, required=required))

    async def confirm(self, question: str, *, detail: str = "") -> bool:
        """Asks a question that y and n answer. Only from a worker, such as a changing command."""
        from vibehq_tui.tui.widgets.prompt import Confirm  # noqa: PLC0415 - text fields and dialogs are loaded when first needed

        answer: str | None = await self.push_screen_wait(Confirm(question, detail=detail))
        return answer is not None

    async def choose(self, title: str, options: Sequence[tuple[str, str, str]], *, current: str = "") -> str | None:
        """Lets one option be chosen; ``None`` when it was cancelled. Only from a worker.

        :param options: ``(key, label, remark)`` of each; the answer is a key.
        """
        from vibehq_tui.tui.widgets.prompt import Choose  # noqa: PLC0415 - text fields and dialogs are loaded when first needed

        return await self.push_screen_wait(Choose(title, options, current=current))

    def tell(self, title: str, rows: Sequence[tuple[Part, str, str]]) -> None:
        """Says what became of each of several things, until it is closed; commands go on meanwhile.

        :param rows: the sign, the id and what is to be said of each.
        """
        from vibehq_tui.tui.widgets.prompt import Told  # noqa: PLC0415 - text fields and dialogs are loaded when first needed

        self.push_screen(Told(title, rows))


def _handler(nodes: Sequence[DOMNode], command: Command) -> Handler | None:
    """The command's method on the innermost node that has it."""
    for node in nodes:
        if (handler := getattr(node, command.method, None)) is not None:
            found: Handler = handler
            return found
    return None
