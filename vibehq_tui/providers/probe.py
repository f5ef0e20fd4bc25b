"""Is an agent here, and in which version: its program is looked for on the PATH and asked, for a few seconds."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import signal
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from vibehq_tui.providers.registry import Known

TIMEOUT: Final = 3.0
"""Seconds that a program gets to print its version."""
_AT_ONCE: Final = 4
_MAX_OUTPUT: Final = 65_536
_SHOWN: Final = 160
_VERSION: Final = re.compile(r"(?<![\w.])v?(\d{1,9}(?:\.\d{1,9}){1,3}(?:[-+.][0-9A-Za-z][0-9A-Za-z.+-]{0,30})?)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What a look at the machine found out about a provider."""

    state: str
    """ready; missing: no such program; broken: it is there, and does not answer as it should."""
    path: str | None = None
    version: str | None = None
    message: str = ""
    """What is wrong with it, with the beginning of what it printed, as it printed it."""
    millis: int = 0

    def to_data(self) -> dict[str, Any]:
        """As the store keeps it."""
        return asdict(self)


async def probe_all(known: Iterable[Known], *, limit: float = TIMEOUT) -> dict[str, Probe]:
    """Probes several providers, a few at a time. Name → what was found."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(provider: Known) -> tuple[str, Probe]:
        async with gate:
            return provider.spec.name, await probe(provider.executables, provider.spec.probe.version, limit=limit)

    return dict(await asyncio.gather(*(one(provider) for provider in known)))


async def probe(executables: Sequence[str], version: Sequence[str], *, limit: float = TIMEOUT) -> Probe:
    """Looks for a program and asks its version.

    :param executables: names or paths, of which the first that is there counts.
    :param version: the arguments with which it prints its version; empty: that it is there is enough.
    :param limit: seconds after which it is killed, with everything that it started.
    """
    start = time.monotonic()
    path = await asyncio.to_thread(_find, executables)
    if path is None:
        return Probe(state="missing", message=f"not found on the PATH: {' or '.join(executables)}")
    if not version:
        return Probe(state="ready", path=path)
    found, message = await _ask(path, version, limit)
    millis = round((time.monotonic() - start) * 1000)
    return Probe(state="ready" if found else "broken", path=path, version=found, message=message, millis=millis)


def _find(executables: Sequence[str]) -> str | None:
    for name in executables:
        path = shutil.which(Path(name).expanduser() if name.startswith("~") else name)
        if path is not None:
            return os.path.realpath(path) if os.sep in name else path
    return None


async def _ask(path: str, version: Sequence[str], limit: float) -> tuple[str | None, str]:
    """Version and what is wrong; exactly one of them says something."""
    asked = f"{Path(path).name} {' '.join(version)}"
    output = _Output()
    try:
        process = await asyncio.create_subprocess_exec(
            path,
            *version,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output.write_end,
            stderr=output.write_end,
            cwd="/",  # no project's settings decide what it does
            env={**os.environ, "NO_COLOR": "1", "TERM": "dumb", "CI": "1"},
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        output.close()
        return None, f"{path} cannot be run: {getattr(error, 'strerror', None) or error}"
    output.start(when_full=lambda: _kill(process))
    try:
        async with asyncio.timeout(limit):
            await process.wait()
    except TimeoutError:
        return None, f"{asked} did not end within {limit:g} s"
    finally:
        _kill(process)
        output.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                await process.wait()
    return _judge(asked, process.returncode, output.content.decode("utf-8", "replace"))


class _Output:
    """A pipe of our own: with one of asyncio's, the end of a program waits for every grandchild that still holds it."""

    def __init__(self) -> None:
        self._read_end, self.write_end = os.pipe()
        os.set_blocking(self._read_end, False)
        self.content = bytearray()
        self._when_full: Callable[[], None] | None = None

    def start(self, when_full: Callable[[], None]) -> None:
        """Begins to read; ``when_full`` is called once there is more than any version is long."""
        os.close(self.write_end)
        self.write_end = -1
        self._when_full = when_full
        asyncio.get_running_loop().add_reader(self._read_end, self._read)

    def _read(self) -> None:
        try:
            chunk = os.read(self._read_end, 4096)
        except BlockingIOError:
            return
        self.content += chunk
        if not chunk or self.full:
            asyncio.get_running_loop().remove_reader(self._read_end)
        if self.full and self._when_full is not None:
            self._when_full()

    @property
    def full(self) -> bool:
        """Whether it printed more than is read."""
        return len(self.content) >= _MAX_OUTPUT

    def close(self) -> None:
        """Takes what is in the pipe, and closes it."""
        if self.write_end >= 0:
            os.close(self.write_end)
        else:
            asyncio.get_running_loop().remove_reader(self._read_end)
            with contextlib.suppress(BlockingIOError):
                while not self.full and (chunk := os.read(self._read_end, 4096)):
                    self.content += chunk
        os.close(self._read_end)


def _kill(process: asyncio.subprocess.Process) -> None:
    """Kills what is left of a program and of what it started."""
    # the group outlives its first process as long as a child is in it
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _judge(asked: str, code: int | None, output: str) -> tuple[str | None, str]:
    first = next((line.strip() for line in output.splitlines() if line.strip()), "")[:_SHOWN]
    if len(output) >= _MAX_OUTPUT:
        return None, f"{asked} printed without end: {first}"
    if code != 0:
        how = f"was killed by signal {-code}" if code is not None and code < 0 else f"ended with exit code {code}"
        return None, f"{asked} {how}: {first}" if first else f"{asked} {how}"
    match = _VERSION.search(output)
    if match is None:
        return None, f"{asked} printed no version: {first}" if first else f"{asked} printed nothing"
    return match.group(1), ""
