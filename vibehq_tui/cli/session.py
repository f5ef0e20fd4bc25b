"""One call of ``vibehq``: its global options, and how a command gets the headquarters and gives its answer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from storage.errors import NotFound, VibeError
from vibehq_tui import workspace
from vibehq_tui.cli.output import Answer, emit

if TYPE_CHECKING:
    from vibehq_tui.headquarters import Headquarters


Body = Callable[["Headquarters"], Awaitable[Answer]]


@dataclass(slots=True)
class Session:
    """The global options of one call, wherever on the command line they stood."""

    path: Path | None = None
    json: bool = False
    ascii: bool = False
    read_only: bool = False
    key: str | None = None
    opened: Path | None = None
    """The workspace that was found, for messages about failures."""

    @property
    def start(self) -> Path:
        """The folder from which the workspace is looked for."""
        if self.path is not None:
            return self.path
        try:
            return Path.cwd()
        except FileNotFoundError as error:
            raise NotFound("the current folder does not exist any more", hint="go to another one") from error

    def root(self) -> Path:
        """The workspace of this call.

        :raises NotFound: when there is none.
        """
        self.opened = workspace.find(self.start)
        return self.opened

    def say(self, answer: Answer) -> None:
        """Prints ``answer`` and ends the call with its exit code."""
        emit(answer, as_json=self.json, ascii_only=self.ascii)
        if answer.exit_code:
            raise click.exceptions.Exit(answer.exit_code)

    def run(self, body: Body, *, about_tasks: bool = False) -> None:
        """Opens the headquarters, runs a command that only looks, prints its answer.

        :param about_tasks: a tasks file that cannot be read is an error; the last good state, which the screens go on
            showing, would be an answer that only looks right.
        """
        self.say(self._with_headquarters(body, about_tasks=about_tasks))

    def change(self, body: Body, *, content: bytes = b"", create: Path | None = None) -> None:
        """Opens the headquarters, runs a command that changes something, prints its answer.

        With ``--idempotency-key`` a repetition is answered from the record of the first call.

        :param content: what the command read from files or standard input; a repetition has to bring the same.
        :param create: a folder that is made a workspace unless it is one.
        """
        if self.key is not None:
            from vibehq_tui.cli import idempotency  # noqa: PLC0415 - heavy; help does not need it

            key, call, once = self.key, fingerprint(click.get_current_context(), content), body
            self.say(self._with_headquarters(lambda hq: idempotency.once(hq, key, call, lambda: once(hq)), create))
        else:
            self.say(self._with_headquarters(body, create))

    def _with_headquarters(self, body: Body, create: Path | None = None, *, about_tasks: bool = False) -> Answer:
        # Here, because help, completion and a wrong command line need neither asyncio nor the store.
        import asyncio  # noqa: PLC0415 - heavy; help does not need it

        from vibehq_tui.cli.inputs import warn_about  # noqa: PLC0415 - heavy; help does not need it
        from vibehq_tui.headquarters import Headquarters  # noqa: PLC0415 - heavy; help does not need it

        root = self.root() if create is None else create
        self.opened = root

        async def call() -> Answer:
            opened = await Headquarters.open(root, via="cli", read_only=self.read_only, create=create is not None)
            async with opened as hq:
                if about_tasks and hq.synced is not None and hq.synced.broken:
                    from vibehq_tui.tasks.problems import TasksFileBroken  # noqa: PLC0415 - for this error alone

                    raise TasksFileBroken(hq.synced.problems)
                warn_about(hq)
                return await body(hq)

        return asyncio.run(call())


def fingerprint(ctx: click.Context, content: bytes) -> str:
    """Names a call: the command with its arguments, and a digest of them and of what it read."""
    arguments = json.dumps(ctx.params, sort_keys=True, default=str)
    digest = hashlib.sha256(arguments.encode("utf-8", "surrogatepass") + b"\0" + content).hexdigest()
    return f"{ctx.command_path} {digest[:16]}"


def state_folder(session: Session) -> Path | None:
    """The state folder of the call's workspace, if it got that far."""
    if session.opened is None:
        try:
            return workspace.find(session.start) / workspace.STATE_FOLDER
        except (VibeError, OSError):
            return None
    return session.opened / workspace.STATE_FOLDER
