"""``vibehq doctor``: what is here, what is missing, and what to do about it. Looks only; mends nothing."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Final, Literal

from storage.errors import NotFound, VibeError
from vibehq_tui import __version__, workspace
from vibehq_tui.contracts.config import user_config_dir
from vibehq_tui.headquarters import Headquarters
from vibehq_tui.providers.probe import probe_all
from vibehq_tui.providers.registry import Registry
from vibehq_tui.providers.service import FOLDER
from vibehq_tui.text.forms import plural

Result = Literal["ok", "warning", "error"]

_WAL_RESET_FIXED: Final = (3, 51, 3)
_NETWORK: Final = (
    "nfs",
    "cifs",
    "smb",
    "afs",
    "9p",
    "fuse.sshfs",
    "glusterfs",
    "ceph",
    "lustre",
    "davfs",
    "fuse.rclone",
)
_OLDEST_GIT: Final = (2, 30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at."""

    name: str
    result: Result
    message: str
    hint: str = ""
    """What to do about it; empty when it is well."""


def _ok(name: str, message: str) -> Check:
    return Check(name=name, result="ok", message=message)


def _warning(name: str, message: str, hint: str) -> Check:
    return Check(name=name, result="warning", message=message, hint=hint)


def _error(name: str, message: str, hint: str) -> Check:
    return Check(name=name, result="error", message=message, hint=hint)


async def examine(start: Path) -> list[Check]:
    """Looks at the machine and at the workspace that holds ``start``."""
    checks = [*machine()]
    try:
        found = workspace.find(start)
    except NotFound as error:
        return [*checks, _error("workspace", error.message, error.hint)]
    checks.append(_ok("workspace", str(found)))
    checks += folder(found / workspace.STATE_FOLDER)
    try:
        async with await Headquarters.open(found, via="cli", read_only=True) as hq:
            checks += await store(hq)
            checks += await services(hq)
    except VibeError as error:
        checks.append(_error("store", error.message, error.hint))
    return checks


# -- the machine -------------------------------------------------------------------------------------------------------


def machine() -> Iterator[Check]:
    """Python, packages, SQLite, git and the terminal."""
    yield _ok("vibehq", __version__)
    yield _ok("python", f"{platform.python_version()} at {sys.executable}")
    yield packages()
    yield sqlite(sqlite3.sqlite_version_info)
    yield git()
    yield terminal(os.environ)


def packages() -> Check:
    """Whether everything that the program needs is installed, with its version."""
    found, missing = [], []
    for requirement in requires("vibehq-tui") or ():
        if "extra ==" in requirement:
            continue
        name = requirement.split(";")[0].split("<")[0].split(">")[0].split("=")[0].strip()
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    if missing:
        return _error("packages", f"not installed: {', '.join(missing)}", "install vibehq-tui again")
    return _ok("packages", ", ".join(found))


def sqlite(found: tuple[int, ...]) -> Check:
    """Below 3.51.3 the write-ahead log can be reset wrongly when several connections write and checkpoint at once."""
    text = ".".join(str(part) for part in found)
    if found < _WAL_RESET_FIXED:
        return _warning(
            "sqlite",
            f"{text}: has the WAL-reset bug, by which a checkpoint of one connection can lose what another wrote",
            "writes take turns, which makes it unlikely; a Python with SQLite 3.51.3 or newer has it fixed",
        )
    return _ok("sqlite", text)


def git() -> Check:
    """Which git there is."""
    where = shutil.which("git")
    if where is None:
        return _error("git", "there is no git on the PATH", "install git; without it only patchctl works")
    try:
        done = subprocess.run([where, "--version"], capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        return _error("git", f"{where} does not work: {error}", "install git again")
    text = done.stdout.strip().removeprefix("git version ").split(" ")[0]
    numbers = tuple(int(part) for part in text.split(".")[:2] if part.isdigit())
    if numbers < _OLDEST_GIT:
        return _warning("git", f"{text} is older than what is tested", "install git 2.30 or newer")
    return _ok("git", f"{text} at {where}")


def terminal(environment: Mapping[str, str]) -> Check:
    """What the terminal can do."""
    if not sys.stdout.isatty():
        return _ok("terminal", "standard output is none; commands work, the screens need one")
    columns, lines = shutil.get_terminal_size()
    kind = environment.get("TERM", "")
    colours = "true colour" if environment.get("COLORTERM") in ("truecolor", "24bit") else f"the colours of {kind}"
    said = f"{kind}, {columns}×{lines}, {colours}"
    if kind in ("", "dumb"):
        return _warning(
            "terminal", f"TERM is {kind or 'not set'}", "set TERM; the screens need a terminal that can draw"
        )
    if (sys.stdout.encoding or "").lower().replace("-", "") != "utf8":
        return _warning("terminal", f"{said}, {sys.stdout.encoding}", "set LC_ALL to a UTF-8 locale, or use --ascii")
    if columns < 80 or lines < 24:
        return _warning("terminal", said, "80×24 is the smallest size at which everything fits")
    return _ok("terminal", said)


# -- the workspace -----------------------------------------------------------------------------------------------------


def folder(state: Path) -> Iterator[Check]:
    """The state folder: its file system, its permissions, what dead processes left in it."""
    kind = filesystem(state)
    if any(kind.startswith(network) for network in _NETWORK):
        yield _error(
            "file system",
            f"{state} is on {kind}, a network file system, on which SQLite loses data",
            "put the repository on a local disk",
        )
    else:
        yield _ok("file system", kind or "unknown, taken for a local one")
    if not os.access(state, os.W_OK):
        yield _error("permissions", f"{state} cannot be written", "look at its owner; --read-only still looks")
    yield leftovers(state)
    yield journal(state)


def filesystem(path: Path) -> str:
    """The kind of file system that holds ``path``; empty where the system does not say."""
    import psutil  # noqa: PLC0415 - 20 ms that only this needs

    best, kind = "", ""
    target = str(path.resolve())
    for partition in psutil.disk_partitions(all=True):
        point = partition.mountpoint
        if (target == point or target.startswith(point.rstrip("/") + "/")) and len(point) >= len(best):
            best, kind = point, partition.fstype
    return kind


def leftovers(state: Path) -> Check:
    """Sockets of processes that died."""
    boxes = sorted((state / "wake").glob("*")) if (state / "wake").is_dir() else []
    stale = [box for box in boxes if not _answers(box)]
    if stale:
        return _warning(
            "sockets",
            f"{plural(len(stale), 'socket')} in {state / 'wake'} of processes that died",
            "nothing to do: the next change removes them",
        )
    return _ok("sockets", f"{plural(len(boxes), 'process', 'processes')} following the feed")


def _answers(box: Path) -> bool:
    """Whether a process listens. Connecting a datagram socket sends nothing."""
    probe = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        probe.connect(str(box))
    except OSError:
        return False
    finally:
        probe.close()
    return True


def journal(state: Path) -> Check:
    """Applications of patches that were interrupted."""
    unfinished = [entry for entry in (state / "journal").glob("*") if entry.suffix != ".tmp"]
    if unfinished:
        return _warning(
            "journal",
            f"{plural(len(unfinished), 'application')} of a patch was interrupted or is under way",
            "the next command finishes it: vibehq patch list says what became of it",
        )
    return _ok("journal", "nothing unfinished")


async def store(hq: Headquarters) -> list[Check]:
    """Whether the store is sound, and its size."""
    problems = await hq.store.check()
    if problems:
        hint = "stop the other processes and put back a copy from .vibehq/backups"
        return [_error("store", problem, hint) for problem in problems]
    events = await hq.store.head()
    return [_ok("store", f"sound, {plural(events, 'event')}")]


async def services(hq: Headquarters) -> list[Check]:
    """The tasks files and the agents."""
    checks: list[Check] = []
    problems = await hq.tasks.validate(None)
    files = [name for name in workspace.TASK_FILES if (hq.root / name).exists()]
    broken = [problem for problem in problems if problem.level == "error"]
    if not files:
        checks.append(
            _warning("tasks", "there is no tasks file", "vibehq task add TITLE or vibehq task import PLAN.md makes one")
        )
    elif broken:
        said = f"{plural(len(broken), 'error')}, the first: {broken[0]}"
        checks.append(_error("tasks", said, "vibehq task validate lists them all; the last good state is shown"))
    elif problems:
        said = f"{plural(len(problems), 'problem')}, the first: {problems[0]}"
        checks.append(_warning("tasks", said, "vibehq task validate lists them all"))
    else:
        checks.append(_ok("tasks", ", ".join(files)))
    checks.append(await agents(hq))
    return checks


async def agents(hq: Headquarters) -> Check:
    """Which agents this machine has."""
    user = user_config_dir() / FOLDER
    own = hq.state / FOLDER
    registry = Registry({user: str(user), own: str(own)}, hq.config.providers)
    probes = await probe_all(registry.all().values())
    found = [
        f"{name} {probe.version or ''}".strip() for name, probe in probes.items() if probe.path and name != "shell"
    ]
    if not found:
        return _warning("agents", "no agent was found on the PATH", "vibehq provider list says how to install one")
    return _ok("agents", ", ".join(found))
