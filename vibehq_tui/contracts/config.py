"""The configuration: ``vibehq.toml`` beside the workspace's ``.vibehq``, over the operator's own file of that name.

Frozen dataclasses and ``tomllib``: see :mod:`vibehq_tui.contracts.config_reader` for why not pydantic. Every setting
has a default, so that no file at all is a valid configuration; :func:`load` then costs two calls of ``stat``.
"""
# ruff: noqa: RUF009 - setting() is dataclasses.field() with help and reader; nothing mutable is shared

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

from vibehq_tui.contracts import config_reader as read
from vibehq_tui.contracts.cadence import Cadence, parse_cadence
from vibehq_tui.contracts.config_files import FILE_NAME, user_config_dir
from vibehq_tui.contracts.config_policies import PolicyRule, policies
from vibehq_tui.contracts.config_reader import setting

__all__ = ["FILE_NAME", "Config", "load", "user_config_dir"]

SCOPES: Final = ("incremental", "full")
"""The scopes of a scan."""
TASK_TYPES: Final = ("generate", "fix", "refactor", "optimize", "test", "docs")
"""What a task asks for, and so what a provider can be good at."""
COST_TIERS: Final = ("free", "low", "medium", "high")
PROFILES: Final = ("economy", "balanced", "performance")
_PRIORITIES: Final = ("low", "medium", "high", "critical")
_HOUR: Final = 3600
_DAY: Final = 86_400


def _forms(words: tuple[str, ...]) -> str:
    return " | ".join(f'"{word}"' for word in words)


@dataclass(frozen=True, slots=True, kw_only=True)
class TasksConfig:
    """``[tasks]``: the tasks file, and what patches do to it."""

    file: str = setting(
        "",
        "The tasks file, relative to the workspace; empty for the first usual one that exists.",
        read.text,
        form="path",
    )
    on_applied: str = setting(
        "done",
        "What becomes of a task's status when its patch is applied: done, review, or keep to leave it alone.",
        read.one_of("done", "review", "keep"),
        form=_forms(("done", "review", "keep")),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdsConfig:
    """``[scan.thresholds]``: when a detector speaks up."""

    stale_patch: int = setting(
        _DAY,
        "A patch that has been open this long without a decision is stale.",
        read.duration(60, 366 * _DAY),
        form="duration",
    )
    inactive_task: int = setting(
        2 * _DAY,
        "A task in progress without any event, patch, execution or changed file for this long is inactive.",
        read.duration(60, 366 * _DAY),
        form="duration",
    )
    disk_warn: int = setting(
        90, "Percent of a disk in use from which it is an issue.", read.integer(1, 100), form="percent"
    )
    disk_clear: int = setting(
        80,
        "Percent of a disk in use below which the issue is gone; the gap keeps it from flapping.",
        read.integer(0, 99),
        form="percent",
    )
    disk_critical: int = setting(
        98, "Percent of a disk in use from which the issue is critical.", read.integer(1, 100), form="percent"
    )
    disk_critical_clear: int = setting(
        90,
        "Percent of a disk in use below which the issue is no longer critical.",
        read.integer(0, 100),
        form="percent",
    )
    memory_warn: int = setting(
        90, "Percent of memory in use from which it is an issue.", read.integer(1, 100), form="percent"
    )
    memory_clear: int = setting(
        80, "Percent of memory in use below which the issue is gone.", read.integer(0, 99), form="percent"
    )
    memory_critical: int = setting(
        97, "Percent of memory in use from which the issue is critical.", read.integer(1, 100), form="percent"
    )
    memory_critical_clear: int = setting(
        92,
        "Percent of memory in use below which the issue is no longer critical.",
        read.integer(0, 100),
        form="percent",
    )
    memory_stall: int = setting(
        20,
        "Percent of the last minute spent waiting for memory (Linux pressure information) from which it is an issue.",
        read.integer(1, 100),
        form="percent",
    )

    def check(self) -> str | None:
        """Says which levels contradict each other."""
        for name in ("disk", "memory"):
            warn, clear = getattr(self, f"{name}_warn"), getattr(self, f"{name}_clear")
            critical, critical_clear = getattr(self, f"{name}_critical"), getattr(self, f"{name}_critical_clear")
            if clear >= warn:
                return f"{name}_clear ({clear}) must be below {name}_warn ({warn})"
            if critical < warn:
                return f"{name}_critical ({critical}) must not be below {name}_warn ({warn})"
            if critical_clear >= critical:
                return f"{name}_critical_clear ({critical_clear}) must be below {name}_critical ({critical})"
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanConfig:
    """``[scan]``: when each scope is scanned, and how long a scan may take."""

    incremental: Cadence = setting(
        Cadence("5m", seconds=300),
        "How often the quick scan runs: an interval or a cron line.",
        read.cadence,
        form="interval | cron",
    )
    full: Cadence = setting(
        parse_cadence("0 2 * * *"),
        "When the scan with every detector runs: an interval or a cron line.",
        read.cadence,
        form="interval | cron",
    )
    timezone: str = setting("UTC", "The time zone of cron lines.", read.timezone, form="zone name")
    timeout: int = setting(
        900, "A scan that takes longer is stopped and recorded as failed.", read.duration(10, _DAY), form="duration"
    )
    detector_timeout: int = setting(
        60,
        "A detector that takes longer is stopped and becomes an issue itself.",
        read.duration(1, _HOUR),
        form="duration",
    )
    plan_patches: int = setting(
        200,
        "How many of the newest open patches a quick scan plans against the tree.",
        read.integer(1, 100_000),
        form="number",
    )
    plan_time: int = setting(
        20,
        "For how long a quick scan plans patches; what is left out is named in its record.",
        read.duration(1, _HOUR),
        form="duration",
    )
    disabled: tuple[str, ...] = setting((), "Detectors that never run, by id.", read.words(), form="list")
    thresholds: ThresholdsConfig = setting(
        ThresholdsConfig(), "When a detector speaks up.", read.section(ThresholdsConfig), form="table"
    )

    @staticmethod
    def unknown_key(name: str) -> str:
        """What a key that is none of the above means: most likely a scope that does not exist."""
        return f"neither a scope of scans ({' or '.join(SCOPES)}) nor a setting of [scan]"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSettings:
    """``[providers.NAME]``: what is different here from the provider's own file."""

    enabled: bool = setting(True, "Whether tasks may go to it.", read.boolean, form="true | false")
    executable: str = setting(
        "", "Its program: a name on the PATH or a path; empty for its usual names.", read.text, form="text"
    )
    cost: str = setting("", "What it costs, for the router.", read.one_of(*COST_TIERS), form=_forms(COST_TIERS))
    types: tuple[str, ...] = setting(
        (),
        "The types of tasks that it is good at; empty for those of its file.",
        read.words(TASK_TYPES),
        form=f"list of {_forms(TASK_TYPES)}",
    )
    max_running: int = setting(2, "How many of its executions may run at once.", read.integer(1, 1000), form="number")


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteRule:
    """``[[routes]]``: a rule that sends tasks to a provider. The first rule of which every given part matches wins."""

    task: tuple[str, ...] = setting((), 'Patterns of task ids, such as "12.*".', read.words(), form="list of globs")
    tags: tuple[str, ...] = setting((), "Tags, of which the task has one.", read.words(), form="list")
    priority: tuple[str, ...] = setting(
        (), "Priorities, of which the task has one.", read.words(_PRIORITIES), form=f"list of {_forms(_PRIORITIES)}"
    )
    words: tuple[str, ...] = setting(
        (), "Words, of which the title has one; case does not matter.", read.words(), form="list"
    )
    type: tuple[str, ...] = setting(
        (),
        "Types of tasks, as guessed from title and tags.",
        read.words(TASK_TYPES),
        form=f"list of {_forms(TASK_TYPES)}",
    )
    provider: str = setting("", "The provider that gets the task.", read.text, form="provider name")
    reason: str = setting("", "Why, as shown beside the task.", read.text, form="text")

    def check(self) -> str | None:
        """A rule has to say where the task goes."""
        return None if self.provider else "provider is missing: a rule has to name the provider that gets the task"


@dataclass(frozen=True, slots=True, kw_only=True)
class RouterConfig:
    """``[router]``: how a provider is chosen where no rule matches."""

    profile: str = setting(
        "balanced",
        "economy prefers cheap providers, performance the expensive ones, balanced the middle.",
        read.one_of(*PROFILES),
        form=_forms(PROFILES),
    )
    prefer: tuple[str, ...] = setting(
        (), "Providers to prefer, the first most.", read.words(), form="list of provider names"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsConfig:
    """``[limits]``: sizes above which input is refused."""

    patch_size: int = setting(20_000_000, "The largest text of a patch.", read.size(1000, 1 << 30), form="size")
    patch_files: int = setting(
        5000, "The most files that one patch may touch.", read.integer(1, 1_000_000), form="number"
    )
    file_size: int = setting(
        50_000_000, "The largest file that a patch may touch.", read.size(1000, 1 << 32), form="size"
    )
    tasks_size: int = setting(50_000_000, "The largest tasks file.", read.size(1000, 1 << 30), form="size")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtectConfig:
    """``[protect]``: paths that patches may not touch, or only under an operator's eye.

    The operator's file and the workspace's add to one another, and to the defaults.
    """

    paths: tuple[str, ...] = setting(
        (), "Patterns of paths that no patch may touch.", read.words(add=True), form="list of globs"
    )
    hold: tuple[str, ...] = setting(
        (".gitattributes", ".gitmodules", ".github/workflows/**", ".gitlab-ci.yml", FILE_NAME),
        "Patterns of paths whose change makes a patch high risk and holds it for an operator's own approval, because "
        "they run code or change the rules.",
        read.words(add=True),
        form="list of globs",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyConfig:
    """``[apply]``: what applying a patch means here."""

    commit: bool = setting(False, "Whether an applied patch becomes a commit.", read.boolean, form="true | false")
    branch: str = setting(
        "", "The branch that such commits go to; empty for the current one.", read.text, form="branch name"
    )
    hooks: bool = setting(
        False, "Whether the repository's commit hooks run for such commits.", read.boolean, form="true | false"
    )
    checks: tuple[str, ...] = setting(
        (),
        "Shell commands that run in the workspace once a patch is applied; one that fails takes the patch back.",
        read.words(),
        form="list of commands",
    )
    check_timeout: int = setting(600, "A check that takes longer has failed.", read.duration(1, _DAY), form="duration")
    remediate: bool = setting(
        True,
        "Whether a patch that fails its checks becomes a task that carries the error.",
        read.boolean,
        form="true | false",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that can be configured."""

    tasks: TasksConfig = setting(
        TasksConfig(), "The tasks file, and what patches do to it.", read.section(TasksConfig), form="table"
    )
    scan: ScanConfig = setting(ScanConfig(), "When scans run, and how long.", read.section(ScanConfig), form="table")
    providers: Mapping[str, ProviderSettings] = setting(
        {},
        "What is different here from the provider's own file.",
        read.tables(ProviderSettings),
        form="table of tables",
    )
    routes: tuple[RouteRule, ...] = setting(
        (),
        "Rules that send tasks to providers; the workspace's come before the operator's own.",
        read.table_list(RouteRule),
        form="list of tables",
    )
    router: RouterConfig = setting(
        RouterConfig(), "How a provider is chosen where no rule matches.", read.section(RouterConfig), form="table"
    )
    apply: ApplyConfig = setting(
        ApplyConfig(), "What applying a patch means here.", read.section(ApplyConfig), form="table"
    )
    limits: LimitsConfig = setting(
        LimitsConfig(), "Sizes above which input is refused.", read.section(LimitsConfig), form="table"
    )
    keymap: Mapping[str, tuple[str, ...]] = setting(
        {},
        "The keys of a command, by its id; docs/keys.md lists the ids.",
        read.keys,
        form="table of keys",
    )
    protect: ProtectConfig = setting(
        ProtectConfig(), "Paths that patches may not touch.", read.section(ProtectConfig), form="table"
    )
    policies: tuple[PolicyRule, ...] = setting(
        (),
        "Rules that approve, hold or deny patches; the workspace's come before the operator's own.",
        policies,
        form="list of tables",
    )


DEFAULT: Final = Config()


def load(root: Path, user_dir: Path | None = None) -> Config:
    """The configuration of the workspace at ``root``: defaults, then the operator's file, then the workspace's.

    :param user_dir: the operator's configuration folder; none to read the workspace's file alone.
    :raises Refused: ``config-invalid``, when a file cannot be read or says something wrong; every problem is named with
        its file, line, key and what is allowed.
    """
    config = DEFAULT
    problems: list[read.ConfigProblem] = []
    places = [(root / FILE_NAME, FILE_NAME)]
    if user_dir is not None:
        places.insert(0, (user_dir / FILE_NAME, str(user_dir / FILE_NAME)))
    for path, name in places:
        if path.exists() or path.is_symlink():
            source, table = read.parse_toml(path, name)
            config = read.read_table(table, Config, "", source, config)
            problems += source.problems
    read.raise_problems(problems)
    return config


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingHelp:
    """One setting, for the documentation."""

    table: str
    """Such as ``scan.thresholds``; ``providers.NAME``, ``[routes]`` and ``[policies]`` stand for tables that may come
    several times."""
    name: str
    form: str
    default: Any
    help: str


_REPEATED: Final[Mapping[str, tuple[str, type]]] = {
    "providers": ("providers.NAME", ProviderSettings),
    "routes": ("[routes]", RouteRule),
    "policies": ("[policies]", PolicyRule),
}
"""Tables that may come several times: how documents call them, and what is in them."""


def describe_settings(kind: type = Config, table: str = "") -> Iterator[SettingHelp]:
    """Every setting in the order of its declaration."""
    for item in fields(kind):
        if item.name == "keymap":  # its names are the ids of commands, so one of them stands for all
            example = {"name": '"patch.approve"', "form": "key | list of keys", "default": "a"}
            yield SettingHelp(table="keymap", help=item.metadata["help"], **example)
            continue
        nested = _REPEATED[item.name][1] if kind is Config and item.name in _REPEATED else None
        if nested is None and hasattr(item.default, "__dataclass_fields__") and not isinstance(item.default, Cadence):
            nested = type(item.default)
        if nested is None:
            yield SettingHelp(
                table=table,
                name=item.name,
                form=item.metadata["form"],
                default=item.default,
                help=item.metadata["help"],
            )
            continue
        inner = _REPEATED[item.name][0] if item.name in _REPEATED else item.name
        yield from describe_settings(nested, f"{table}.{inner}" if table else inner)


def template() -> str:
    """A ``vibehq.toml`` with every setting, commented out at its default."""
    lines = ["# The configuration of this workspace. Every line that is commented out shows the default.", ""]
    table = ""
    for item in describe_settings():
        if item.table != table:
            table = item.table
            repeated = table.startswith("[") or table.endswith(".NAME")
            lines += ["", f"# [{table}]" if repeated else f"[{table}]"]
        lines += [f"# {item.help} ({item.form})", f"# {item.name} = {_toml(item)}", ""]
    return "\n".join(line for n, line in enumerate(lines) if line or lines[n - 1])


def _toml(item: SettingHelp) -> str:
    value = item.default
    if isinstance(value, Cadence):
        return f'"{value.text}"'
    if item.form == "duration":
        return f'"{read.span(value)}"'
    if item.form == "size":
        return f'"{value // 10**6}MB"'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "[" + ", ".join(f'"{word}"' for word in value) + "]"
    return str(value or 0) if isinstance(value, int | None) else f'"{value}"'
