"""``vibehq``: the root of the command line, and the one place where a failure becomes a message and an exit code."""

from __future__ import annotations

import atexit
import gc
import sys
from collections.abc import Sequence
from typing import Any, Final

import click

from storage.errors import VibeError
from vibehq_tui import __version__
from vibehq_tui.cli import failures
from vibehq_tui.cli.framework import LazyGroup
from vibehq_tui.cli.output import PipeClosed, emit_error, write, write_json
from vibehq_tui.cli.session import Session, state_folder

_COMMANDS: Final = "vibehq_tui.cli.commands"

TABLE: Final = {
    "init": (f"{_COMMANDS}.init:init", "Set up this repository."),
    "demo": (f"{_COMMANDS}.demo:demo", "A small real workspace with tasks, agents and patches, in the screens."),
    "doctor": (f"{_COMMANDS}.doctor:doctor", "What is here, what is missing, what to do about it."),
    "task": (f"{_COMMANDS}.task:task", "Tasks: list, show, add, status, import, graph, validate."),
    "patch": (f"{_COMMANDS}.patch:patch", "Patches: submit, list, show, diff, approve, reject, apply, revert, …"),
    "scan": (f"{_COMMANDS}.ops:scan", "Look for ops issues now."),
    "ops": (f"{_COMMANDS}.ops:ops", "Ops issues: list, show, ack, snooze, claim, resolve, reopen."),
    "provider": (f"{_COMMANDS}.provider:provider", "Providers: list, show, new."),
    "route": (f"{_COMMANDS}.provider:route", "Which provider would do a task, and why."),
    "assign": (f"{_COMMANDS}.provider:assign", "Give a task to a provider."),
    "log": (f"{_COMMANDS}.log:log", "Worker and build logs: ingest, tail, search."),
    "events": (f"{_COMMANDS}.events:events", "The event feed; --follow waits for more."),
    "db": (f"{_COMMANDS}.db:db", "The store: backup, check."),
    "schema": (f"{_COMMANDS}.schema:schema", "The JSON Schemas of everything that --json prints."),
    "audit": (f"{_COMMANDS}.audit:audit", "Who did what, from where, with which result."),
    "completion": (f"{_COMMANDS}.completion:completion", "The completion script for bash, zsh or fish."),
}
"""Every command: where it is and what it does. Only the module of the command that is called is imported."""


def _version(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if not value or ctx.resilient_parsing:
        return
    session = ctx.find_object(Session)
    if session is not None and session.json:
        write_json({"name": "vibehq", "version": __version__})
    else:
        write(f"vibehq {__version__}\n")
    ctx.exit()


@click.command(
    "vibehq",
    cls=LazyGroup,
    table=TABLE,
    invoke_without_command=True,
    examples=[
        ("vibehq", "the screens, on the repository that holds the current folder"),
        ("vibehq demo", "the screens on a small workspace made for looking around"),
        ("vibehq task list --ready --json", "what can be started, for a program"),
        ("vibehq -C ~/src/app patch submit fix.patch --task 12", "propose a change to another workspace"),
    ],
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Print the version."
)
@click.pass_context
def vibehq(ctx: click.Context) -> None:
    """The terminal headquarters of a team of AI coding agents.

    Without a command it opens the operator's screens.
    """
    if ctx.invoked_subcommand is None:
        from vibehq_tui.cli.commands.screens import open_screens  # noqa: PLC0415 - no other command needs it

        open_screens(ctx.ensure_object(Session))


def _wants_json(arguments: Sequence[str]) -> bool:
    """Whether ``--json`` is asked for, also on a command line that does not parse."""
    before = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return "--json" in before


def run(arguments: Sequence[str], *, root: click.Command = vibehq) -> int:
    """One call; answers the exit code. See storage/errors.py for the codes; 130 is an interrupt, 141 a closed pipe."""
    session = Session(json=_wants_json(arguments))
    try:
        # click answers what a command returns or the code it exits with; commands of this program return nothing.
        result: Any = root.main(list(arguments), prog_name="vibehq", standalone_mode=False, obj=session)
        return result if isinstance(result, int) else 0
    except VibeError as error:
        return _fail(error, session)
    except click.ClickException as error:
        if isinstance(error, click.exceptions.NoArgsIsHelpError) and not session.json:
            write(error.format_message() + "\n", sys.stderr)
            return 2
        return _fail(failures.from_click(error), session)
    except (KeyboardInterrupt, click.Abort):
        write("\n" if sys.stderr.isatty() else "", sys.stderr)
        return 130
    except PipeClosed:
        return 141
    except OSError as error:
        return _fail(failures.from_os(error), session)
    except Exception as error:  # noqa: BLE001 - the last place before the terminal, which must not see a traceback
        return _fail(failures.from_defect(error, state_folder(session)), session)


def _fail(error: VibeError, session: Session) -> int:
    try:
        emit_error(error, as_json=session.json)
    except PipeClosed:
        return 141
    except OSError:
        return error.exit_code  # nobody can be told; the code still says it
    return error.exit_code


def main() -> int:
    """The console script."""
    # A call lives for a tenth of a second: collections while it loads, and the ones at exit, cost a fifth of that and
    # free nothing. With a high threshold the screens, which live for days, still collect.
    gc.set_threshold(100_000, 20, 20)
    atexit.register(gc.freeze)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that is not UTF-8 gets question marks, never a traceback
    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
