"""What the tests of providers share: programs on a PATH of their own, and a workspace."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from storage.records import Patch, Task
from storage.store import Store, Tx
from vibehq_tui.contracts.config import Config, ProviderSettings, RouterConfig, RouteRule
from vibehq_tui.providers.registry import Known
from vibehq_tui.providers.router import Standing
from vibehq_tui.providers.service import ProviderService
from vibehq_tui.providers.spec import ProbeSpec, ProviderSpec


def program(folder: Path, name: str, body: str, *, shell: str = "/bin/sh") -> Path:
    """An executable script."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!{shell}\n{textwrap.dedent(body)}", encoding="utf-8")
    path.chmod(0o755)
    return path


@dataclass
class Workspace:
    """A store, a folder for provider files of the operator, and the only folder on the PATH."""

    store: Store
    root: Path
    user: Path
    bin: Path
    config: Config = field(default_factory=Config)

    def providers(self, **changes: Any) -> ProviderService:
        """The service with ``routes``, ``providers`` or ``router`` of the configuration as given."""
        values: dict[str, Any] = {"actor": "ada", "via": "cli"}
        config = Config(**changes) if changes else self.config
        return ProviderService(self.store, self.root, config, user_dir=self.user, **values)

    def write(self, folder: Path, name: str, text: str) -> Path:
        """A provider file."""
        path = folder / "providers" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    async def tasks(self, *tasks: Task) -> None:
        await self.store.write(lambda tx: tx.tasks.replace_all("tasks.json", tasks))

    async def patches(self, provider: str, **counts: int) -> None:
        """So many patches of a provider in each state."""

        def body(tx: Tx) -> None:
            for state, count in counts.items():
                for _ in range(count):
                    patch = Patch(id=tx.patches.next_id(), title="x", state=state, provider=provider, updated_at=tx.now)
                    tx.patches.insert(patch)

        await self.store.write(body)


def task(number: str, title: str = "Add a parser", **fields: Any) -> Task:
    return Task(id=number, title=title, source="tasks.json", **{"status": "pending", **fields})


def standing(name: str, state: str = "ready", *, settings: Mapping[str, Any] | None = None, **fields: Any) -> Standing:
    """A provider as the router sees it; fields of the spec and of the standing mixed."""
    spec_fields = {key: fields.pop(key) for key in ("types", "cost", "manual", "install") if key in fields}
    spec = ProviderSpec(name=name, probe=ProbeSpec(executables=(name,)), **spec_fields)
    known = Known(spec=spec, origin="built-in", settings=ProviderSettings(**(settings or {})))
    return Standing(known=known, state=state, **fields)


def rule(provider: str, **fields: Any) -> RouteRule:
    return RouteRule(provider=provider, **fields)


def router(**fields: Any) -> RouterConfig:
    return RouterConfig(**fields)
