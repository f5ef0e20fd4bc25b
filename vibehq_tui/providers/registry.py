"""Every provider that is known: the program's own, the operator's, the workspace's. Later ones replace earlier ones.

A file with a mistake in it is a provider that is broken: shown with what is wrong, and in nobody's way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Final

from vibehq_tui.contracts.config import ProviderSettings
from vibehq_tui.contracts.config_reader import describe, nearest, parse_toml, read_table
from vibehq_tui.providers.spec import ProviderSpec

DATA: Final = Path(__file__).with_name("data")
BUILT_IN: Final = "built-in"
_MAX_FILES: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One provider, as this workspace has it."""

    spec: ProviderSpec
    origin: str
    """``built-in``, or the file that it comes from."""
    settings: ProviderSettings = field(default_factory=ProviderSettings)
    problem: str = ""
    """What is wrong with its file or its settings; such a provider cannot be used."""

    @property
    def types(self) -> tuple[str, ...]:
        """The types of tasks that it is good at, here."""
        return self.settings.types or self.spec.types

    @property
    def cost(self) -> str:
        """What it costs, here."""
        return self.settings.cost or self.spec.cost

    @property
    def executables(self) -> tuple[str, ...]:
        """Names or paths of its program, here."""
        return (self.settings.executable,) if self.settings.executable else self.spec.probe.executables


class Registry:
    """Reads provider files; asked again, it reads only what changed."""

    def __init__(self, folders: Mapping[Path, str], settings: Mapping[str, ProviderSettings]) -> None:
        """
        :param folders: folders with provider files → how messages name them; the last one wins.
        :param settings: ``[providers.NAME]`` of the configuration.
        """
        self._folders = folders
        self._settings = settings
        self._stamp: object = None
        self._known: dict[str, Known] = {}

    def all(self) -> Mapping[str, Known]:
        """Every provider by its name, broken ones too."""
        files = self._files()
        stamp = [(path, found.st_mtime_ns, found.st_size) for path, _ in files if (found := path.stat())]
        if stamp != self._stamp:
            self._known = self._read(files)
            self._stamp = stamp
        return self._known

    def _files(self) -> list[tuple[Path, str]]:
        found: list[tuple[Path, str]] = []
        for folder, name in self._folders.items():
            if folder.is_dir():
                files = sorted(path for path in folder.glob("*.toml") if path.is_file())
                found += [(path, f"{name}/{path.name}") for path in files[:_MAX_FILES]]
        return found

    def _read(self, files: list[tuple[Path, str]]) -> dict[str, Known]:
        known = dict(_built_in())
        for path, name in files:
            one = read_provider(path, name)
            known[one.spec.name] = one
        for name, settings in self._settings.items():
            if name in known:
                known[name] = replace(known[name], settings=settings)
            else:
                near = nearest(name, tuple(known))
                hint = f"; did you mean {near}?" if near else ""
                problem = f"vibehq.toml: providers.{name}: there is no such provider{hint}"
                known[name] = Known(spec=ProviderSpec(name=name), origin="vibehq.toml", problem=problem)
        return dict(sorted(known.items()))


@cache
def _built_in() -> Mapping[str, Known]:
    found = [read_provider(path, path.name) for path in sorted(DATA.glob("*.toml"))]
    return {one.spec.name: replace(one, origin=BUILT_IN) for one in found}


def read_provider(path: Path, name: str) -> Known:
    """One provider file. One that cannot be used comes with its problem, under the name of the file.

    :param name: how messages name the file.
    """
    source, table = parse_toml(path, name)
    spec = read_table({"name": path.stem, **table}, ProviderSpec, "", source) if not source.problems else ProviderSpec()
    if source.problems:
        more = f" (and {len(source.problems) - 1} more)" if len(source.problems) > 1 else ""
        broken = ProviderSpec(name=path.stem)
        return Known(spec=broken, origin=name, problem=f"{describe(source.problems[0])}{more}")
    return Known(spec=spec, origin=name)
