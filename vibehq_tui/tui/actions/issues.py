"""What operators do about issues, and scans by hand."""

from __future__ import annotations

from storage.clock import Millis
from vibehq_tui.text.forms import plural
from vibehq_tui.tui.actions.base import HeadquartersApp
from vibehq_tui.tui.commands import Context

_HOUR = 3_600_000
_SNOOZES = (
    ("1", "an hour", ""),
    ("4", "four hours", ""),
    ("24", "a day", ""),
    ("168", "a week", ""),
)


class IssueActions(HeadquartersApp):
    """The commands of scope ``issues``."""

    async def cmd_issue_acknowledge(self, context: Context) -> None:
        """Seen."""
        await self._each_issue(context, "acknowledge", "acknowledged")

    async def cmd_issue_claim(self, context: Context) -> None:
        """Mine."""
        await self._each_issue(context, "claim", "claimed")

    async def cmd_issue_reopen(self, context: Context) -> None:
        """Not done after all."""
        await self._each_issue(context, "reopen", "reopened")

    async def _each_issue(self, context: Context, verb: str, done: str) -> None:
        ids = await self.each(context, "issue", verb, done, getattr(self.hq.ops, verb))
        if ids and not context.marked:
            self.say(f"{done} issue {ids[0]}")

    async def cmd_issue_snooze(self, context: Context) -> None:
        """Not now."""
        hours = await self.choose("Snooze for", _SNOOZES)
        if hours is None:
            return
        until = Millis(self.hq.store.clock.now() + int(hours) * _HOUR)
        label = next(label for key, label, _ in _SNOOZES if key == hours)

        async def snooze(id_: str) -> None:
            await self.hq.ops.snooze(id_, until)

        ids = await self.each(context, "issue", "snooze", "snoozed", snooze)
        if ids and not context.marked:
            self.say(f"snoozed issue {ids[0]} for {label}")

    async def cmd_issue_resolve(self, context: Context) -> None:
        """Put right, and how."""
        note = await self.ask("What was done about it?", hint="for those who meet it again", required=False)
        if note is None:
            return

        async def resolve(id_: str) -> None:
            await self.hq.ops.resolve(id_, note)

        ids = await self.each(context, "issue", "resolve", "resolved", resolve)
        if ids and not context.marked:
            self.say(f"resolved issue {ids[0]} · r reopens it")

    def cmd_issue_scan(self, _: Context) -> None:
        """The quick scan, now."""
        self._scan("incremental")

    def cmd_issue_scan_full(self, _: Context) -> None:
        """Every detector, now."""
        self._scan("full")

    def _scan(self, scope: str) -> None:
        """A scan takes its time; commands go on beside it."""
        if any(worker.group == "scan" and worker.is_running for worker in self.workers):
            self.say("a scan runs already", "warning")
            return
        self.say(f"{scope} scan runs")
        self.run_worker(self._guard(self._run_scan(scope)), group="scan")

    async def _run_scan(self, scope: str) -> None:
        scan = await self.hq.ops.scan(scope, trigger="operator")
        new = plural(scan.opened, "new issue")
        self.say(f"{scope} scan {scan.state}: {plural(scan.findings, 'finding')}, {new}, {scan.resolved} resolved")
