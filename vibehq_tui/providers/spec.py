"""What a provider file says. One TOML file per agent; those of the program are in ``data/``."""
# ruff: noqa: RUF009 - setting() is dataclasses.field() with help and reader; nothing mutable is shared

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from vibehq_tui.contracts import config_reader as read
from vibehq_tui.contracts.config import COST_TIERS, TASK_TYPES
from vibehq_tui.contracts.config_reader import setting

NAME: Final = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
MAX_NAME: Final = 40
PROMPTS: Final = ("argument", "stdin", "file")
OUTPUTS: Final = ("text", "claude-stream", "codex-json", "gemini-stream", "cursor-stream", "opencode-json", "aider-log")
PLACEHOLDERS: Final = ("{prompt}", "{prompt_file}", "{log_file}")
_PROMPT_PLACEHOLDER: Final = {"argument": "{prompt}", "file": "{prompt_file}"}
_BRACES: Final = re.compile(r"\{[^{}]*\}")


def _forms(words: tuple[str, ...]) -> str:
    return " | ".join(f'"{word}"' for word in words)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeSpec:
    """``[probe]``: how to see whether it is here."""

    executables: tuple[str, ...] = setting(
        (), "Names of its program, looked for on the PATH in this order.", read.words(), form="list"
    )
    version: tuple[str, ...] = setting(
        ("--version",), "Arguments with which it prints its version; empty when it cannot.", read.words(), form="list"
    )

    def check(self) -> str | None:
        """Without a program there is nothing to run."""
        return None if self.executables else "executables is missing: name the program"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSpec:
    """``[run]``: how it does one task without a person."""

    arguments: tuple[str, ...] = setting(
        (), "What follows the program; {prompt}, {prompt_file} and {log_file} are filled in.", read.words(), form="list"
    )
    prompt: str = setting(
        "argument",
        "How it gets the prompt: as an argument, on standard input, or in a file.",
        read.one_of(*PROMPTS),
        form=_forms(PROMPTS),
    )
    output: str = setting("text", "What it prints.", read.one_of(*OUTPUTS), form=_forms(OUTPUTS))

    def check(self) -> str | None:
        """The prompt has to get in exactly as ``prompt`` says, and nothing unknown may be left in braces."""
        found = [mark for argument in self.arguments for mark in _BRACES.findall(argument)]
        unknown = [mark for mark in found if mark not in PLACEHOLDERS]
        if unknown:
            return f"{unknown[0]} means nothing in arguments; known are {', '.join(PLACEHOLDERS)}"
        wanted = _PROMPT_PLACEHOLDER.get(self.prompt)
        if wanted and wanted not in found:
            return f'arguments lacks {wanted}, without which prompt = "{self.prompt}" cannot work'
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSpec:
    """A way to run an agent."""

    name: str = setting("", "What it is called in assignments and rules.", read.text, form="lower-case word")
    title: str = setting("", "What it is called on screens; the name when empty.", read.text, form="text")
    homepage: str = setting("", "Where to read about it.", read.text, form="address")
    install: str = setting("", "The command that installs it.", read.text, form="text")
    types: tuple[str, ...] = setting(
        (), "The types of tasks that it is good at.", read.words(TASK_TYPES), form=f"list of {_forms(TASK_TYPES)}"
    )
    cost: str = setting(
        "medium", "What it costs, beside the others.", read.one_of(*COST_TIERS), form=_forms(COST_TIERS)
    )
    manual: bool = setting(False, "Used only where a rule or an operator names it.", read.boolean, form="true | false")
    probe: ProbeSpec = setting(ProbeSpec(), "How to see whether it is here.", read.section(ProbeSpec), form="table")
    run: RunSpec = setting(RunSpec(), "How it does one task without a person.", read.section(RunSpec), form="table")

    def check(self) -> str | None:
        """A name that can stand in commands, rules and file names, and a program."""
        if not NAME.fullmatch(self.name) or len(self.name) > MAX_NAME:
            return f"name is {self.name!r}; expected a lower-case word such as my-agent, up to {MAX_NAME} characters"
        return None if self.probe.executables else "[probe] with executables is missing: name the program"
