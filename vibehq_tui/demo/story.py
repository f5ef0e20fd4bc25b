"""What happened in the demo before it is opened: two days of work, told to the store at the times when it was done."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from storage.clock import SYSTEM_CLOCK, Millis
from storage.errors import Conflict
from storage.query import Query
from vibehq_tui.demo import edits
from vibehq_tui.demo.git import Git
from vibehq_tui.demo.patches import (
    blocks_patch,
    careless_patch,
    codex_patch,
    flat_stretch,
    git_patch,
    mail_patch,
    perform,
)
from vibehq_tui.headquarters import Headquarters

_HOUR: Final = 3_600_000
_ASSIGNED: Final = (
    ("3", "codex", "it wrote the reader"),
    ("4", "codex", "a small change, and it is cheap"),
    ("6", "claude", "needs a careful hand"),
    ("7", "aider", "it found the gap"),
    ("11", "cursor", "a small change"),
    ("12", "shell", "the scripted agent of the demo"),
)


class StoryClock:
    """The wall clock, some hours ago."""

    def __init__(self) -> None:
        self._behind = 0

    def go(self, hours_ago: float) -> None:
        """It is now ``hours_ago`` hours before now."""
        self._behind = int(hours_ago * _HOUR)

    def now(self) -> Millis:
        """UTC milliseconds."""
        return Millis(SYSTEM_CLOCK.now() - self._behind)

    def boot(self) -> float:
        """The real one: leases are about processes that live now."""
        return SYSTEM_CLOCK.boot()


@dataclass(frozen=True, slots=True)
class Texts:
    """The patches as their authors wrote them, all against the same commit."""

    semicolons: bytes
    table: bytes
    rounding: bytes
    hook: bytes
    cache: bytes
    parabola: bytes
    flat: bytes
    form: bytes
    feet: bytes


def write_patches(git: Git) -> Texts:
    """Makes every patch from the commit that is checked out, which stays as it is."""
    return Texts(
        semicolons=mail_patch(git, edits.SEMICOLONS, "Accept semicolons between the columns", "codex"),
        table=git_patch(git, edits.TABLE),
        rounding=git_patch(git, edits.ROUND),
        hook=codex_patch(git, edits.WEB_HOOK),
        cache=blocks_patch(edits.CACHE),
        parabola=careless_patch(git, edits.PARABOLA),
        flat=flat_stretch(git.root),
        form=git_patch(git, edits.FORM),
        feet=git_patch(git, edits.FEET),
    )


@dataclass(slots=True)
class Story:
    """Tells the past to the store of the workspace at ``root``."""

    root: Path
    clock: StoryClock
    texts: Texts

    @asynccontextmanager
    async def _as(self, actor: str | None = None) -> AsyncIterator[Headquarters]:
        """The headquarters as an agent sees it, or as the operator does."""
        via = "tui" if actor is None else "cli"
        async with await Headquarters.open(self.root, via=via, clock=self.clock, actor=actor) as hq:
            yield hq

    async def _submit(self, hours_ago: float, actor: str, text: bytes, task: str, title: str) -> str:
        self.clock.go(hours_ago)
        async with self._as(actor) as hq:
            return (await hq.patches.submit(text, task=task, provider=actor, title=title)).id

    async def tell(self) -> None:
        """All of it, in its order."""
        await self._assign()
        await self._first_day()
        await self._second_day()
        await self._today()

    async def _assign(self) -> None:
        self.clock.go(51)
        async with self._as() as hq:
            for task, provider, reason in _ASSIGNED:
                await hq.providers.assign(task, provider, reason)

    async def _first_day(self) -> None:
        git = Git(self.root)
        applied = await self._submit(50, "codex", self.texts.semicolons, "3", "Accept semicolons between the columns")
        table = await self._submit(47, "claude", self.texts.table, "5", "Call the table a table")
        async with self._as() as hq:
            self.clock.go(46)
            await hq.patches.approve(applied)
            await hq.patches.apply(applied)
            git.run(
                "commit", "--quiet", "--all", "--message", "Accept semicolons between the columns", at=self._seconds()
            )
            await hq.patches.approve(table)
            await hq.patches.apply(table)
            self.clock.go(45)
            await hq.patches.comment(
                table, "The harbour office imports tidewatch.report; keep the old name for a release."
            )
            await hq.patches.revert(table)

    async def _second_day(self) -> None:
        git = Git(self.root)
        rounding = await self._submit(31, "codex", self.texts.rounding, "4", "Round heights half to even")
        async with self._as() as hq:
            self.clock.go(30)
            await hq.patches.approve(rounding)
            self.clock.go(29)
            perform(self.root, edits.MOVED_BASE)
            git.run("commit", "--quiet", "--all", "--message", "Print the day of the week", at=self._seconds())
            self.clock.go(28.5)
            try:
                await hq.patches.apply(rounding)
            except Conflict:
                self.clock.go(28.4)  # as meant: the base moved under an approved patch
        await self._submit(27, "codex", self.texts.hook, "9", "Tell the harbour's web hook of each high water")
        cache = await self._submit(26, "gemini", self.texts.cache, "8", "Cache parsed readings")
        async with self._as() as hq:
            self.clock.go(25)
            await hq.patches.reject(cache, "A pickle runs whatever somebody put into it; write the readings as text.")
            self.clock.go(20)
            await hq.ops.scan("incremental", trigger="schedule")

    async def _today(self) -> None:
        parabola = await self._submit(9, "claude", self.texts.parabola, "6", "Interpolate the time of high water")
        await self._submit(7, "aider", self.texts.flat, "7", "Do not miss an extreme on a flat stretch")
        form = await self._submit(5, "claude", self.texts.form, "10", "Describe the form of the readings")
        await self._submit(3, "cursor", self.texts.feet, "11", "Print heights in feet")
        async with self._as() as hq:
            self.clock.go(2.5)
            await hq.patches.comment(
                parabola, "Say in the docstring which way the curve opens.", path="tidewatch/extremes.py", line=28
            )
            await hq.patches.approve(form)
            self.clock.go(0.5)
            await self._test(hq)
            self.clock.go(0.1)
            await hq.ops.scan("full", trigger="schedule")
            await self._look_at_issues(hq)
            self.clock.go(0)

    async def _test(self, hq: Headquarters) -> None:
        """The tests of the project, run for once by the operator; their output is the build log."""
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "unittest", "--verbose"],
            cwd=self.root,
            capture_output=True,
            text=True,
            check=False,
        )
        await hq.logs.ingest("build", "unittest", (done.stdout + done.stderr).splitlines())

    async def _look_at_issues(self, hq: Headquarters) -> None:
        for issue in await hq.ops.page(Query(where={"severity": ("medium", "low")}), limit=1):
            await hq.ops.acknowledge(issue.id)

    def _seconds(self) -> int:
        return self.clock.now() // 1000
