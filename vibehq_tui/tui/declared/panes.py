"""Commands of the five panes of the main screen."""

from __future__ import annotations

from vibehq_tui.tui.declared.command import Command, Context, Disabled


def _needs(what: str) -> Disabled:
    def reason(context: Context) -> str | None:
        return None if context.record is not None or context.marked else f"no {what} is selected"

    return reason


def _patch_in(states: tuple[str, ...], otherwise: str) -> Disabled:
    """Possible for a patch in one of ``states``; ``otherwise`` may name ``{id}`` and ``{state}``. Marked patches are
    looked at one by one when the command runs."""

    def reason(context: Context) -> str | None:
        if context.marked:
            return None
        if context.record is None:
            return "no patch is selected"
        if context.record.state in states:
            return None
        return otherwise.format(id=context.record.id, state=context.record.state)

    return reason


def _issue_not(status: str, otherwise: str) -> Disabled:
    def reason(context: Context) -> str | None:
        if context.record is None:
            return "no issue is selected"
        return otherwise.format(id=context.record.id) if context.record.status == status else None

    return reason


def _issue_resolved(context: Context) -> str | None:
    if context.record is None:
        return "no issue is selected"
    return None if context.record.status == "resolved" else f"issue {context.record.id} is not resolved"


TASKS = (
    Command(
        id="task.open",
        keys=("enter",),
        title="open",
        help="Opens the task with its dependencies.",
        scopes=("tasks",),
        group="Tasks",
        show_in_footer=True,
        instead_of=("list.open",),
        disabled=_needs("task"),
    ),
    Command(
        id="task.status",
        keys=("s",),
        title="status",
        help="Sets the status of the task, in the tasks file too.",
        scopes=("tasks", "task"),
        group="Tasks",
        show_in_footer=True,
        changes=True,
        disabled=_needs("task"),
    ),
    Command(
        id="task.assign",
        keys=("p",),
        title="provider",
        help="Assigns the task to a provider; the best one by the rules comes first, with its reason.",
        scopes=("tasks", "task"),
        group="Tasks",
        show_in_footer=True,
        changes=True,
        disabled=_needs("task"),
    ),
    Command(
        id="task.add",
        keys=("+",),
        title="add",
        help="Adds a task to the tasks file.",
        scopes=("tasks",),
        group="Tasks",
        show_in_footer=True,
        changes=True,
    ),
    Command(
        id="task.refresh",
        keys=("R",),
        title="read again",
        help="Reads the tasks file again.",
        scopes=("tasks",),
        group="Tasks",
        changes=True,
    ),
)

PATCHES = (
    Command(
        id="patch.approve",
        keys=("a",),
        title="approve",
        help="Approves the patch, exactly as it is shown now; or all marked ones, after a question.",
        scopes=("patches", "review"),
        group="Patches",
        show_in_footer=True,
        changes=True,
        disabled=_patch_in(("proposed",), "patch {id} is {state}; only a proposed patch can be approved"),
    ),
    Command(
        id="patch.reject",
        keys=("x",),
        title="reject",
        help="Rejects the patch and asks for the reason.",
        scopes=("patches", "review"),
        group="Patches",
        show_in_footer=True,
        changes=True,
        disabled=_patch_in(
            ("proposed", "approved", "conflicted", "failed"), "patch {id} is {state}; it cannot be rejected any more"
        ),
    ),
    Command(
        id="patch.apply",
        keys=("A",),
        title="apply",
        help="Applies the approved patch to the working tree, all or nothing; u undoes it.",
        scopes=("patches", "review"),
        group="Patches",
        show_in_footer=True,
        changes=True,
        disabled=_patch_in(("approved",), "patch {id} is {state}; approve it with a first"),
    ),
    Command(
        id="patch.undo",
        keys=("u",),
        title="undo",
        help="Reverts an applied patch, or takes back the approval or rejection.",
        scopes=("patches", "review"),
        group="Patches",
        show_in_footer=True,
        changes=True,
        disabled=_patch_in(("applied", "verified", "approved", "rejected"), "patch {id} is {state}; nothing to undo"),
    ),
    Command(
        id="patch.open",
        keys=("enter",),
        title="review",
        help="Opens the patch for review, hunk by hunk.",
        scopes=("patches",),
        group="Patches",
        show_in_footer=True,
        instead_of=("list.open",),
        disabled=_needs("patch"),
    ),
    Command(
        id="patch.retry",
        keys=("r",),
        title="retry",
        help="Proposes a conflicted, failed, rejected or reverted patch again, against the tree as it is now.",
        scopes=("patches", "review"),
        group="Patches",
        changes=True,
        disabled=_patch_in(
            ("conflicted", "failed", "rejected", "reverted"), "patch {id} is {state}; there is nothing to try again"
        ),
    ),
    Command(
        id="patch.refresh",
        keys=("R",),
        title="refresh",
        help="Reads the list again. It follows changes by itself; this is for doubters.",
        scopes=("patches",),
        group="Patches",
    ),
)

ISSUES = (
    Command(
        id="issue.open",
        keys=("enter",),
        title="open",
        help="Opens the issue with its evidence and history.",
        scopes=("issues",),
        group="Ops issues",
        show_in_footer=True,
        instead_of=("list.open",),
        disabled=_needs("issue"),
    ),
    Command(
        id="issue.acknowledge",
        keys=("a",),
        title="acknowledge",
        help="Says that the issue was seen.",
        scopes=("issues", "issue"),
        group="Ops issues",
        show_in_footer=True,
        changes=True,
        disabled=_issue_not("acknowledged", "issue {id} is acknowledged already"),
    ),
    Command(
        id="issue.snooze",
        keys=("s",),
        title="snooze",
        help="Hides the issue for an hour, a day or a week.",
        scopes=("issues", "issue"),
        group="Ops issues",
        show_in_footer=True,
        changes=True,
        disabled=_issue_not("resolved", "issue {id} is resolved"),
    ),
    Command(
        id="issue.claim",
        keys=("c",),
        title="claim",
        help="Takes the issue: others see who works on it.",
        scopes=("issues", "issue"),
        group="Ops issues",
        show_in_footer=True,
        changes=True,
        disabled=_issue_not("resolved", "issue {id} is resolved"),
    ),
    Command(
        id="issue.resolve",
        keys=("x",),
        title="resolve",
        help="Closes the issue and asks what was done. A scan opens it again when the cause is still there.",
        scopes=("issues", "issue"),
        group="Ops issues",
        show_in_footer=True,
        changes=True,
        disabled=_issue_not("resolved", "issue {id} is resolved already"),
    ),
    Command(
        id="issue.reopen",
        keys=("r",),
        title="reopen",
        help="Opens a resolved issue again.",
        scopes=("issues", "issue"),
        group="Ops issues",
        changes=True,
        disabled=_issue_resolved,
    ),
    Command(
        id="issue.scan",
        keys=("R",),
        title="scan now",
        help="Runs an incremental scan now.",
        scopes=("issues",),
        group="Ops issues",
        changes=True,
    ),
    Command(
        id="issue.scan-full",
        keys=("F",),
        title="full scan",
        help="Runs a full scan now, with the detectors that take longer.",
        scopes=("issues",),
        group="Ops issues",
        changes=True,
    ),
)

PROVIDERS = (
    Command(
        id="provider.open",
        keys=("enter",),
        title="open",
        help="Opens the provider with its tasks, runs and install hint.",
        scopes=("providers",),
        group="Providers",
        show_in_footer=True,
        instead_of=("list.open",),
        disabled=_needs("provider"),
    ),
    Command(
        id="provider.probe",
        keys=("R",),
        title="probe",
        help="Looks again which agents are installed, and which version.",
        scopes=("providers", "provider"),
        group="Providers",
        show_in_footer=True,
        changes=True,
    ),
)

TERMINAL = (
    Command(
        id="terminal.open",
        keys=("enter",),
        title="open",
        help="Opens the log on its own screen; in the feed, what the selected event is about.",
        scopes=("terminal",),
        group="Terminal",
        show_in_footer=True,
        instead_of=("list.open",),
        disabled=_needs("line"),
    ),
    Command(
        id="terminal.follow",
        keys=("f",),
        title="follow",
        help="Stays at the newest line, or stops doing so.",
        scopes=("terminal",),
        group="Terminal",
        show_in_footer=True,
    ),
)

COMMANDS: tuple[Command, ...] = (*TASKS, *PATCHES, *ISSUES, *PROVIDERS, *TERMINAL)
"""In the order in which footer and help show them."""

CHAINS: tuple[tuple[str, ...], ...] = tuple(
    (scope, "list", "main", "app") for scope in ("tasks", "patches", "issues", "providers", "terminal")
)
"""The scopes that are active together, inner ones first, on the main screen."""
