"""What every command of ``vibehq`` has in common: the global options, examples in its help, and lazy loading.

A call pays for what it uses: the root group knows its commands as a table of names and imports the module of the one
that was called.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import click

from vibehq_tui.cli.session import Session

Example = tuple[str, str]
"""A command line and what it does."""

_Callback = TypeVar("_Callback", bound=Callable[..., Any])


def _setter(attribute: str) -> Callable[[click.Context, click.Parameter, Any], Any]:
    """An option callback that keeps a given value in the session and leaves it alone where none is given.

    So an option may stand before the command or after it.
    """

    def keep(ctx: click.Context, _parameter: click.Parameter, value: Any) -> Any:
        session = ctx.find_object(Session)
        if session is not None and value not in (None, False):
            setattr(session, attribute, value)
        return value

    return keep


def _global_options() -> list[click.Parameter]:
    return [
        click.Option(
            ["-C", "--workspace", "workspace"],
            metavar="PATH",
            type=click.Path(path_type=Path),
            expose_value=False,
            is_eager=True,
            callback=_setter("path"),
            help="Work in the workspace at PATH instead of the current folder's.",
        ),
        click.Option(
            ["--json", "json"],
            is_flag=True,
            expose_value=False,
            is_eager=True,
            callback=_setter("json"),
            help="Print exactly one JSON document.",
        ),
        click.Option(
            ["--ascii", "ascii"],
            is_flag=True,
            expose_value=False,
            is_eager=True,
            callback=_setter("ascii"),
            help="Draw with ASCII characters only.",
        ),
        click.Option(
            ["--read-only", "read_only"],
            is_flag=True,
            expose_value=False,
            is_eager=True,
            callback=_setter("read_only"),
            help="Refuse whatever would change anything.",
        ),
    ]


def _key_option() -> click.Option:
    return click.Option(
        ["--idempotency-key", "idempotency_key"],
        metavar="KEY",
        expose_value=False,
        callback=_setter("key"),
        help="Repeating the command with the same KEY does nothing twice and answers the same.",
    )


def _write_examples(examples: Sequence[Example], formatter: click.HelpFormatter) -> None:
    if not examples:
        return
    with formatter.section("Examples"):
        for command, meaning in examples:
            if meaning:
                formatter.write(f"{'':>{formatter.current_indent}}# {meaning}\n")
            formatter.write(f"{'':>{formatter.current_indent}}{command}\n")


class VibeCommand(click.Command):
    """A command with the global options and with examples in its help."""

    def __init__(self, *args: Any, examples: Sequence[Example] = (), changes: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = tuple(examples)
        self.changes = changes
        if changes:
            self.params.append(_key_option())
        self.params.extend(_global_options())

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the examples below the options."""
        _write_examples(self.examples, formatter)
        super().format_epilog(ctx, formatter)


class VibeGroup(click.Group):
    """A group of commands with the global options and examples."""

    command_class = VibeCommand

    def __init__(self, *args: Any, examples: Sequence[Example] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = tuple(examples)
        self.params.extend(_global_options())

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the examples below the commands."""
        _write_examples(self.examples, formatter)
        super().format_epilog(ctx, formatter)

    def add(
        self, name: str, *, examples: Sequence[Example], changes: bool = False
    ) -> Callable[[_Callback], VibeCommand]:
        """Declares a command of this group; the first line of the docstring is its summary.

        :param changes: whether it changes anything, and therefore takes ``--idempotency-key``.
        """

        def declare(callback: _Callback) -> VibeCommand:
            found = click.command(name, cls=VibeCommand, examples=examples, changes=changes)(callback)
            self.add_command(found)
            return found

        return declare


def command(name: str, *, examples: Sequence[Example], changes: bool = False) -> Callable[[_Callback], VibeCommand]:
    """Declares a command of the root group. See :meth:`VibeGroup.add`."""

    def declare(callback: _Callback) -> VibeCommand:
        return click.command(name, cls=VibeCommand, examples=examples, changes=changes)(callback)

    return declare


def group(name: str, help_text: str, *, examples: Sequence[Example]) -> VibeGroup:
    """A group of commands of the root group."""
    return VibeGroup(name, help=help_text, examples=examples, no_args_is_help=True)


class LazyGroup(VibeGroup):
    """A group that imports the module of a command when that command is called.

    :param table: name → (``module:attribute``, one line of help).
    """

    def __init__(self, *args: Any, table: Mapping[str, tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.table = dict(table)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names in the order of the table, which follows the work rather than the alphabet."""
        return list(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Imports what stands behind ``cmd_name``."""
        if cmd_name not in self.table:
            return None
        module, _, attribute = self.table[cmd_name][0].partition(":")
        found = getattr(import_module(module), attribute)
        if not isinstance(found, click.Command):
            raise TypeError(f"{self.table[cmd_name][0]} is not a command")
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Lists the commands from the table, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in self.table.items()])


def page_options(callback: _Callback) -> _Callback:
    """``--limit`` and ``--cursor``, for every listing."""
    cursor = click.option("--cursor", metavar="CURSOR", help='Go on where an earlier page ended (its "next").')
    limit = click.option(
        "--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="The most items of a page."
    )
    return limit(cursor(callback))
