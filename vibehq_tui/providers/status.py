"""A provider as screens and programs see it."""

from __future__ import annotations

from dataclasses import dataclass, field

from storage.clock import Millis


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderStatus:
    """One provider: what it is, whether it is here, and what it does now."""

    name: str
    title: str
    state: str
    """ready; working (an execution runs); missing; broken (its file is wrong, or it does not answer as it should);
    disabled; unknown (nobody looked yet)."""
    version: str | None = None
    path: str | None = None
    message: str = ""
    """What is wrong with it."""
    install_hint: str = ""
    homepage: str = ""
    types: tuple[str, ...] = ()
    """What it is good at."""
    cost: str = "medium"
    """free, low, medium or high."""
    origin: str = "built-in"
    """``built-in``, or its file."""
    checked_at: Millis | None = None
    """When it was looked for last."""
    running: int = 0
    """Executions that run now."""
    max_running: int = 2
    tasks: tuple[str, ...] = ()
    """The tasks that are assigned to it."""
    cost_micros: int = 0
    """What its executions have cost today, in micro-dollars."""

    @property
    def installed(self) -> bool:
        """Whether its program was found."""
        return self.path is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Something of a provider that did not end well."""

    what: str
    """patch or execution."""
    id: str
    state: str
    message: str
    at: Millis


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderDetail:
    """A provider with its record."""

    status: ProviderStatus
    command: tuple[str, ...]
    """What is run for one task; what stands in braces is filled in."""
    output: str
    """What it prints."""
    patches: dict[str, int] = field(default_factory=dict)
    """Its patches by state."""
    executions: dict[str, int] = field(default_factory=dict)
    """Its executions by state."""
    success_share: float | None = None
    """Of its patches that were decided, the share that was applied; none where none was."""
    last_errors: tuple[Failure, ...] = ()
    """The newest first."""
    assignments: dict[str, str] = field(default_factory=dict)
    """Task → why it is its."""
