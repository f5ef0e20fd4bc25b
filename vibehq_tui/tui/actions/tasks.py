"""Status, assignment, new tasks."""

from __future__ import annotations

from vibehq_tui.tasks.words import STATUSES
from vibehq_tui.text.clean import clean
from vibehq_tui.text.forms import plural
from vibehq_tui.tui.actions.base import HeadquartersApp
from vibehq_tui.tui.commands import Context

_NOBODY = ""
_REMARKS = {
    "pending": "to be done, as soon as its dependencies are",
    "in-progress": "somebody works on it",
    "review": "done, but for somebody's look",
    "blocked": "waits for something outside",
    "done": "finished; what depends on it becomes ready",
    "deferred": "not now",
    "cancelled": "not at all",
}


class TaskActions(HeadquartersApp):
    """The commands of scope ``tasks``."""

    async def cmd_task_status(self, context: Context) -> None:
        """Sets the status, in the tasks file too."""
        ids = self.targets(context)
        what = f"task {ids[0]}" if len(ids) == 1 else plural(len(ids), "task")
        current = getattr(context.record, "status", "") if len(ids) == 1 else ""
        options = [(word, word, _REMARKS[word]) for word in STATUSES if word in _REMARKS]
        status = await self.choose(f"Status of {clean(what, 40)}", options, current=current)
        if status is None or status == current:
            return
        for id_ in ids:
            await self.hq.tasks.set_status(id_, status)
        self._clear_marks()
        self.say(f"{what} is {status} now")

    async def cmd_task_assign(self, context: Context) -> None:
        """Assigns to a provider; the router's choice comes first."""
        ids = self.targets(context)
        route = await self.hq.providers.route(ids[0])
        options = [(name, name, f"{score:.2f}  {', '.join(reasons)}") for name, score, reasons in route.candidates]
        options.append((_NOBODY, "nobody", "takes the assignment back"))
        chosen = await self.choose(f"Provider for task {clean(ids[0], 40)}", options, current=route.choice or _NOBODY)
        if chosen is None:
            return
        for id_ in ids:
            if chosen == _NOBODY:
                await self.hq.providers.unassign(id_)
            else:
                reason = route.reason if chosen == route.choice else "chosen by hand"
                await self.hq.providers.assign(id_, chosen, reason)
        self._clear_marks()
        what = f"task {ids[0]}" if len(ids) == 1 else plural(len(ids), "task")
        self.say(f"{what}: {chosen or 'nobody'}")

    async def cmd_task_add(self, _: Context) -> None:
        """Adds a task to the tasks file."""
        title = await self.ask("New task", hint="what is to be done")
        if title is not None:
            task = await self.hq.tasks.add(title)
            self.say(f"added task {task.id}")

    async def cmd_task_refresh(self, _: Context) -> None:
        """Reads the tasks file again."""
        report = await self.hq.tasks.sync(force=True)
        if report.problems:
            first = report.problems[0]
            self.say(f"{first.path} line {first.line}: {first.message}", "error", title=first.file)
        else:
            found = len(report.added) + len(report.changed) + len(report.removed)
            self.say(f"read {report.source or 'no tasks file'}: {plural(found, 'change')}")
