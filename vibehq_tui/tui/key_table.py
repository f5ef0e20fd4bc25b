"""The table of all keys as Markdown, for the documentation; made from the declarations like everything else.

``python -m vibehq_tui.tui.key_table`` prints it.
"""

from __future__ import annotations

import sys

from vibehq_tui.tui.commands import COMMANDS, Command, key_label

_WHERE = {
    "app": "everywhere",
    "list": "every list",
    "main": "the main screen",
    "tasks": "pane 1, Tasks",
    "patches": "pane 2, Patches",
    "issues": "pane 3, Ops",
    "providers": "pane 4, Providers",
    "terminal": "pane 5, Terminal",
    "review": "the review",
    "diff": "the changes",
    "lines": "while lines are selected",
    "remarks": "the list of remarks",
    "versions": "the list of versions",
    "conflict": "a patch that does not apply",
    "document": "texts",
    "graph": "the graph of a task",
    "task": "the screen of a task",
    "issue": "the screen of an issue",
    "provider": "the screen of a provider",
    "log": "the screen of a log",
    "filter": "the filter line",
    "dialog": "dialogs",
    "question": "questions",
    "palette": "the palette",
}


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _keys(command: Command) -> str:
    return " ".join(f"`{_cell(key_label(key))}`" for key in command.keys) or "palette"


def key_table() -> str:
    """One section for each group of commands."""
    lines = [
        "# Keys",
        "",
        "`?` shows those of what is focused, `ctrl+p` finds any command by its name. `^` stands for ctrl.",
        'The id is what `[keymap]` in `vibehq.toml` names: `"patch.approve" = "y"`, or a list of keys.',
        "A key that is not possible at the moment says why.",
    ]
    for group in dict.fromkeys(command.group for command in COMMANDS):
        lines += ["", f"## {group}", "", "| keys | command | what it does | where | id |", "|---|---|---|---|---|"]
        for command in COMMANDS:
            if command.group == group:
                where = ", ".join(_WHERE.get(scope, scope) for scope in command.scopes)
                cells = (_keys(command), command.title, _cell(command.help), where, f"`{command.id}`")
                lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(key_table())
