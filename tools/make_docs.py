#!/usr/bin/env python3
"""Writes the documents that come from declarations in the program, so that they cannot say something else.

make_docs.py            writes docs/keys.md, commands.md, configuration.md and schemas.json
make_docs.py --check    writes nothing; exits with 1 and a difference when one of them is not current
"""

from __future__ import annotations

import difflib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from vibehq_tui.cli.main import vibehq
from vibehq_tui.cli.session import Session
from vibehq_tui.contracts.config import describe_settings, template
from vibehq_tui.contracts.schemas import schemas

DOCS = Path(__file__).parents[1] / "docs"
_NOTE = "<!-- Made by tools/make_docs.py; do not edit. -->\n"


def commands(command: click.Command, path: str, parent: click.Context | None = None) -> Iterator[tuple[str, str]]:
    """``(command line, its help)`` of a command and all below it."""
    context = click.Context(command, parent=parent, info_name=path.rpartition(" ")[2], obj=Session())
    context.terminal_width = context.max_content_width = 110
    yield path, command.get_help(context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None:
                yield from commands(below, f"{path} {name}", context)


def commands_document() -> str:
    """docs/commands.md"""
    parts = [_NOTE, "# Commands\n", *(_COMMANDS_INTRODUCTION,)]
    for path, text in commands(vibehq, "vibehq"):
        level = "##" if path.count(" ") < 2 else "###"
        parts.append(f"{level} {path}\n\n```\n{text.strip()}\n```\n")
    return "\n".join(parts)


_COMMANDS_INTRODUCTION = """\
Exit codes: 0 done · 1 refused or not possible, nothing changed · 2 wrong usage · 3 conflict, nothing changed · 4 locked
or busy · 5 the store is newer than the program · 130 interrupted · 141 whoever read the output went away.

With `--json` standard output holds exactly one JSON document, an error as `{"error": {"code", "message", "hint",
"details"}}`. A listing is `{"items": [...], "next": CURSOR or null}`; `--cursor` takes the cursor. The one exception is
`vibehq events --follow --json`, which prints one document a line for as long as it runs. `vibehq schema` prints the
schemas.

Every command that changes something takes `--idempotency-key KEY`. The first call with a key does the work and its
answer is kept; a repetition with the same arguments gets that answer and does nothing; the same key with other
arguments is refused. A call that was killed in between is run again if nothing has happened since, else refused with
the code `interrupted`.
"""


def configuration_document() -> str:
    """docs/configuration.md"""
    parts = [_NOTE, "# Configuration\n", _CONFIGURATION_INTRODUCTION]
    table = None
    for item in describe_settings():
        if item.table != table:
            table = item.table
            parts.append(f"\n## `[{table}]`\n\n| setting | form | what it does |\n|---|---|---|")
        form = item.form.replace("|", "\\|")
        parts.append(f"| `{item.name}` | {form} | {item.help} |")
    return "\n".join(parts) + f"\n\n## All of it, at its defaults\n\n```toml\n{template().strip()}\n```\n"


_CONFIGURATION_INTRODUCTION = """\
`vibehq.toml` at the top of the workspace, over a file of the same name in `~/.config/vibehq/` (or
`$XDG_CONFIG_HOME/vibehq/`). Neither has to exist: every setting has a default. `vibehq init --config` writes a
commented file. A mistake in it is named with file, line and key; nothing is guessed.
"""


def schemas_document() -> str:
    """docs/schemas.json"""
    return json.dumps(schemas(), indent=2) + "\n"


def keys_document() -> str:
    """docs/keys.md"""
    from vibehq_tui.tui.key_table import key_table  # noqa: PLC0415 - loads the screens

    return f"{_NOTE}\n{key_table()}"


DOCUMENTS: dict[str, Callable[[], str]] = {
    "keys.md": keys_document,
    "commands.md": commands_document,
    "configuration.md": configuration_document,
    "schemas.json": schemas_document,
}


def main(arguments: list[str]) -> int:
    """Writes or checks the documents; answers the exit code."""
    check = arguments == ["--check"]
    stale = 0
    for name, make in DOCUMENTS.items():
        path, text = DOCS / name, make()
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        if text == before:
            continue
        if not check:
            path.write_text(text, encoding="utf-8")
            print(f"wrote docs/{name}")
            continue
        stale += 1
        difference = difflib.unified_diff(
            before.splitlines(), text.splitlines(), f"docs/{name}", "as it should be", "", "", 1
        )
        print("\n".join([*difference][:40]))
    if stale:
        print("tools/make_docs.py writes them anew")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
