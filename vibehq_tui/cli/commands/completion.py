"""``vibehq completion``: the script that a shell loads."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from vibehq_tui.cli.framework import command
from vibehq_tui.cli.output import Answer
from vibehq_tui.cli.session import Session

_SHELLS = ("bash", "zsh", "fish")


@command(
    "completion",
    examples=[
        ('eval "$(vibehq completion bash)"', "in ~/.bashrc"),
        ('eval "$(vibehq completion zsh)"', "in ~/.zshrc"),
        ("vibehq completion fish > ~/.config/fish/completions/vibehq.fish", ""),
    ],
)
@click.argument("shell", type=click.Choice(_SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a shell."""
    found = get_completion_class(shell)
    if found is None:
        raise click.BadParameter(f"no completion for {shell}")
    script = found(ctx.find_root().command, {}, "vibehq", "_VIBEHQ_COMPLETE").source()
    session = ctx.find_object(Session) or Session()
    session.say(Answer(wire={"shell": shell, "script": script}, text=lambda style: script))
