"""Providers as commands see them: which there are, which does what and why, and which would."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from storage.clock import EPOCH, Millis
from storage.errors import NotFound, Refused
from storage.query import Query
from storage.records import Assignment, ProviderConfig, Task
from storage.store import Store, Tx
from vibehq_tui.contracts import events
from vibehq_tui.contracts.config import Config, user_config_dir
from vibehq_tui.contracts.config_reader import nearest
from vibehq_tui.providers.kinds import guess_type
from vibehq_tui.providers.probe import Probe, probe_all
from vibehq_tui.providers.registry import Known, Registry
from vibehq_tui.providers.router import Route, Standing, choose, match
from vibehq_tui.providers.scaffold import write_provider
from vibehq_tui.providers.status import Failure, ProviderDetail, ProviderStatus

__all__ = ["ProviderDetail", "ProviderService", "ProviderStatus", "Route"]

FOLDER: Final = "providers"
SUCCEEDED: Final = ("applied", "verified")
FAILED: Final = ("rejected", "failed", "conflicted", "reverted")
_ORDER: Final = {"working": 0, "ready": 1, "limited": 2, "broken": 3, "unknown": 4, "disabled": 5, "missing": 6}
_DAY: Final = 86_400_000
_COSTED: Final = 1000
"""Executions of a day whose cost is summed; nobody runs more of one provider."""
_ERRORS: Final = 5
_CLOSED: Final = ("done", "completed", "cancelled")


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleReport:
    """What the rules of the configuration changed."""

    assigned: tuple[str, ...] = ()
    """Tasks that were given to somebody, or to somebody else."""
    removed: tuple[str, ...] = ()
    """Tasks that no rule matches any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    """What the store knows of the providers, of one moment."""

    probes: dict[str, dict[str, Any]]
    running: dict[str, int]
    tasks: dict[str, list[str]]
    costs: dict[str, int]


class ProviderService:
    """The providers of one workspace."""

    def __init__(
        self, store: Store, root: Path, config: Config, *, actor: str, via: str, user_dir: Path | None = None
    ) -> None:
        """
        :param actor: who acts, for events and audit.
        :param via: the face: ``tui``, ``cli`` or ``service``.
        :param user_dir: the operator's configuration folder, unless it is the usual one.
        """
        self._store = store
        self._config = config
        self._actor = actor
        self._via = via
        user = (user_dir or user_config_dir()) / FOLDER
        self._folder = store.folder / FOLDER
        self._registry = Registry({user: str(user), self._folder: f"{store.folder.name}/{FOLDER}"}, config.providers)

    # Looking

    async def list(self) -> list[ProviderStatus]:
        """Every provider, those that are here first; as the last :meth:`probe` of any process found them."""
        known = self._registry.all()
        facts = await self._store.read(lambda tx: self._facts(tx, known))
        found = [self._status(one, facts) for one in known.values()]
        return sorted(found, key=lambda status: (_ORDER.get(status.state, 9), status.name))

    async def get(self, name: str) -> ProviderStatus:
        """One provider.

        :raises NotFound: for an unknown name.
        """
        one = self._get(name)
        return self._status(one, await self._store.read(lambda tx: self._facts(tx, {name: one})))

    async def show(self, name: str) -> ProviderDetail:
        """One provider with its record.

        :raises NotFound: for an unknown name.
        """
        one = self._get(name)
        mine = Query(where={"provider": name})

        def body(tx: Tx) -> tuple[_Facts, dict[str, int], dict[str, int], list[Failure], dict[str, str]]:
            given = {a.task: a.reason for a in tx.providers.assignments() if a.provider == name}
            return (
                self._facts(tx, {name: one}),
                tx.patches.tally("state", mine),
                tx.executions.tally("state", mine),
                _last_errors(tx, name),
                given,
            )

        facts, patches, executions, errors, given = await self._store.read(body)
        succeeded, failed = _sum(patches, SUCCEEDED), _sum(patches, FAILED)
        return ProviderDetail(
            status=self._status(one, facts),
            command=(one.executables[0] if one.executables else name, *one.spec.run.arguments),
            output=one.spec.run.output,
            patches=patches,
            executions=executions,
            success_share=succeeded / (succeeded + failed) if succeeded + failed else None,
            last_errors=tuple(errors),
            assignments=given,
        )

    async def assignments(self) -> Sequence[Assignment]:
        """Who does what, by task id."""
        return await self._store.read(lambda tx: tx.providers.assignments())

    async def probe(self, names: Collection[str] | None = None) -> Sequence[ProviderStatus]:
        """Looks for the programs on this machine and asks their versions, a few at a time; keeps what it found.

        :param names: only these; all when none.
        :raises NotFound: for an unknown name.
        :raises Refused: when the store is read-only.
        """
        self._check_writable()
        known = self._registry.all() if names is None else {name: self._get(name) for name in names}
        found = await probe_all(one for one in known.values() if not one.problem and one.settings.enabled)
        await self._store.write(lambda tx: self._keep(tx, known, found))
        return await self.list()

    def _keep(self, tx: Tx, known: Mapping[str, Known], found: Mapping[str, Probe]) -> None:
        before = tx.providers.probes()
        changed = []
        for name, probe in found.items():
            old = before.get(name, {})
            if (old.get("state"), old.get("version"), old.get("path")) != (probe.state, probe.version, probe.path):
                changed.append(name)
            tx.providers.record_probe(name, probe.to_data() | {"at": tx.now})
        configs = {config.name: config for config in tx.providers.configs()}
        for name, one in known.items():
            config = ProviderConfig(name=name, enabled=one.settings.enabled, data=_plain(one))
            if configs.get(name) != config:
                tx.providers.put_config(config)
        here = sum(probe.state == "ready" for probe in found.values())
        tx.events.append(
            events.PROVIDERS_PROBED,
            actor=self._actor,
            subject="provider",
            message=f"{here} of {len(found)} agents are here",
            data={"found": here, "looked": len(found), "changed": changed},
        )

    # Who does what

    async def assign(self, task_id: str, provider: str, reason: str = "") -> Assignment:
        """Gives a task to a provider, in place of whoever had it. One that is not installed may be planned for.

        :raises NotFound: for an unknown task or provider.
        :raises Refused: when the provider's file is broken, or the store is read-only.
        """
        self._check_writable()
        one = self._get(provider)
        if one.problem:
            raise Refused(
                f"{provider} cannot be used: {one.problem}", code="provider-broken", hint=f"correct {one.origin}"
            )
        wanted = Assignment(task=task_id, provider=provider, reason=reason or "chosen by hand", by=self._actor)
        return await self._store.write(lambda tx: self._assign(tx, wanted))

    def _assign(self, tx: Tx, wanted: Assignment) -> Assignment:
        task = _task(tx, wanted.task)
        before = tx.providers.assignment(task.id)
        if before is not None and replace(before, at=EPOCH) == wanted:
            return before  # said already
        done = tx.providers.assign(wanted)
        self._tell(tx, task, done.provider, done.reason, before)
        self._audit(tx, "task.assign", f"task/{task.id}", f"{done.provider}: {done.reason}")
        return done

    async def unassign(self, task_id: str) -> None:
        """Takes a task from whoever has it; nothing happens when nobody has.

        :raises NotFound: for an unknown task.
        :raises Refused: when the store is read-only.
        """
        self._check_writable()

        def body(tx: Tx) -> None:
            task = _task(tx, task_id)
            before = tx.providers.assignment(task_id)
            if before is not None:
                tx.providers.unassign(task_id)
                self._tell(tx, task, None, "", before)
                self._audit(tx, "task.unassign", f"task/{task_id}", before.provider)

        await self._store.write(body)

    async def assign_by_rules(self, task_ids: Collection[str] | None = None) -> RuleReport:
        """Gives open tasks to the providers that ``[[routes]]`` names, and takes back what no rule says any more.

        What an operator assigned stays. A rule counts here whether its provider is installed or not, so that the same
        file says the same on every machine; :meth:`route` looks for another where it is not.

        :param task_ids: only these; all when none.
        :raises Refused: when the store is read-only.
        """
        self._check_writable()
        known = self._registry.all()
        rules = [rule for rule in self._config.routes if rule.provider in known]

        def body(tx: Tx) -> RuleReport:
            have = {assignment.task: assignment for assignment in tx.providers.assignments()}
            if not rules and not any(assignment.by == "rule" for assignment in have.values()):
                return RuleReport()
            tasks = tx.tasks.all() if task_ids is None else [t for t in map(tx.tasks.get, task_ids) if t is not None]
            assigned, removed = [], []
            for task in tasks:
                before = have.get(task.id)
                if before is not None and before.by != "rule":
                    continue
                wanted = None if task.parent or task.status in _CLOSED else _by_rule(task, rules)
                if wanted is None and before is not None and task.status not in _CLOSED:
                    tx.providers.unassign(task.id)
                    self._tell(tx, task, None, "", before)
                    removed.append(task.id)
                elif wanted is not None and (before is None or replace(before, at=EPOCH) != wanted):
                    tx.providers.assign(wanted)
                    self._tell(tx, task, wanted.provider, wanted.reason, before)
                    assigned.append(task.id)
            return RuleReport(assigned=tuple(assigned), removed=tuple(removed))

        return await self._store.write(body)

    async def route(self, task_id: str) -> Route:
        """Which provider would do a task now, why, and why not the others. Changes nothing.

        :raises NotFound: for an unknown task.
        """
        known = self._registry.all()

        def body(tx: Tx) -> Route:
            task = _task(tx, task_id)
            facts = self._facts(tx, known)
            standings = [self._standing(tx, one, facts) for one in known.values()]
            return choose(
                task,
                standings,
                assignment=tx.providers.assignment(task_id),
                rules=self._config.routes,
                config=self._config.router,
            )

        return await self._store.read(body)

    async def new(self, name: str) -> Path:
        """Writes a provider file to begin with into the workspace's ``.vibehq/providers``.

        :returns: the file.
        :raises Refused: for a name that cannot be one, when there is such a provider, or the store is read-only.
        """
        self._check_writable()
        if name in self._registry.all():
            raise Refused(
                f"there is a provider {name} already",
                code="exists",
                hint="choose another name; vibehq provider show says where it comes from",
            )
        path = await asyncio.to_thread(write_provider, self._folder, name)
        await self._store.write(lambda tx: self._audit(tx, "provider.new", f"provider/{name}", str(path)))
        return path

    # Inside

    def _get(self, name: str) -> Known:
        known = self._registry.all()
        if name not in known:
            near = nearest(name, tuple(known))
            hint = f"did you mean {near}?" if near else f"known are {', '.join(known)}"
            raise NotFound(f"there is no provider {name!r}", code="no-provider", hint=hint)
        return known[name]

    def _facts(self, tx: Tx, known: Collection[str]) -> _Facts:
        running: dict[str, int] = {}
        for execution in tx.executions.running():
            running[execution.provider] = running.get(execution.provider, 0) + 1
        tasks: dict[str, list[str]] = {}
        for assignment in tx.providers.assignments():
            tasks.setdefault(assignment.provider, []).append(assignment.task)
        today = tx.now - tx.now % _DAY
        costs = {name: _cost_today(tx, name, Millis(today)) for name in known}
        return _Facts(probes=tx.providers.probes(), running=running, tasks=tasks, costs=costs)

    def _status(self, one: Known, facts: _Facts) -> ProviderStatus:
        name = one.spec.name
        probe = facts.probes.get(name, {})
        state, message = _state(one, probe, facts.running.get(name, 0))
        return ProviderStatus(
            name=name,
            title=one.spec.title or name,
            state=state,
            version=probe.get("version"),
            path=probe.get("path"),
            message=message,
            install_hint=one.spec.install,
            homepage=one.spec.homepage,
            types=one.types,
            cost=one.cost,
            origin=one.origin,
            checked_at=probe.get("at"),
            running=facts.running.get(name, 0),
            max_running=one.settings.max_running,
            tasks=tuple(facts.tasks.get(name, ())),
            cost_micros=facts.costs.get(name, 0),
        )

    def _standing(self, tx: Tx, one: Known, facts: _Facts) -> Standing:
        status = self._status(one, facts)
        patches = tx.patches.tally("state", Query(where={"provider": status.name}))
        return Standing(
            known=one,
            state=status.state,
            message=status.message,
            running=status.running,
            succeeded=_sum(patches, SUCCEEDED),
            failed=_sum(patches, FAILED),
        )

    def _tell(self, tx: Tx, task: Task, provider: str | None, reason: str, before: Assignment | None) -> None:
        tx.events.append(
            events.TASK_ASSIGNED,
            actor=self._actor,
            subject="task",
            subject_id=task.id,
            task=task.id,
            message=f"{provider}: {reason}" if provider else "nobody",
            data={"provider": provider, "reason": reason, "before": before.provider if before else None},
        )

    def _audit(self, tx: Tx, verb: str, object_: str, detail: str) -> None:
        tx.audit.append(actor=self._actor, via=self._via, verb=verb, object=object_, result="done", detail=detail)

    def _check_writable(self) -> None:
        if self._store.read_only:
            raise Refused("read-only: this workspace was opened for looking only", code="read-only")


def _task(tx: Tx, task_id: str) -> Task:
    task = tx.tasks.get(task_id)
    if task is None:
        raise NotFound(f"there is no task {task_id!r}", code="no-task", hint="vibehq task list shows them")
    return task


def _state(one: Known, probe: dict[str, Any], running: int) -> tuple[str, str]:
    """The state of a provider and what is wrong with it."""
    if one.problem:
        return "broken", one.problem
    if not one.settings.enabled:
        return "disabled", "disabled in vibehq.toml"
    if running:
        return "working", ""
    return str(probe.get("state", "unknown")), str(probe.get("message", ""))


def _by_rule(task: Task, rules: Sequence[Any]) -> Assignment | None:
    kind, _ = guess_type(task)
    for number, rule in enumerate(rules, 1):
        why = match(rule, task, kind)
        if why is not None:
            return Assignment(
                task=task.id, provider=rule.provider, reason=rule.reason or f"rule {number}: {why}", by="rule"
            )
    return None


def _cost_today(tx: Tx, name: str, today: Millis) -> int:
    newest = tx.executions.page(Query(where={"provider": name}, order="-id"), 0, _COSTED)
    return sum(execution.cost_micros for execution in newest if (execution.started_at or 0) >= today)


def _last_errors(tx: Tx, name: str) -> list[Failure]:
    patches = tx.patches.page(Query(where={"provider": name, "state": FAILED}), 0, _ERRORS)
    runs = tx.executions.page(Query(where={"provider": name, "state": ("failed", "lost")}, order="-id"), 0, _ERRORS)
    found = [
        Failure(what="patch", id=patch.id, state=patch.state, message=patch.reason or "", at=patch.updated_at)
        for patch in patches
    ]
    found += [
        Failure(what="execution", id=run.id, state=run.state, message=run.message, at=run.ended_at or EPOCH)
        for run in runs
    ]
    return sorted(found, key=lambda failure: -failure.at)[:_ERRORS]


def _sum(counts: dict[str, int], states: Sequence[str]) -> int:
    return sum(counts.get(state, 0) for state in states)


def _plain(one: Known) -> dict[str, Any]:
    """A provider's file as JSON, the form in which the store gives it back."""
    found = asdict(one.spec) | {"origin": one.origin, "problem": one.problem}
    return {key: _jsonable(value) for key, value in found.items()}


def _jsonable(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _jsonable(item) for key, item in value.items()}
    return [_jsonable(item) for item in value] if isinstance(value, (list, tuple)) else value
