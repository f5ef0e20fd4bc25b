"""Runs detectors so that none of them can stop a scan, and checks what they return."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from storage.clock import Clock
from vibehq_tui.ops.context import ScanContext
from vibehq_tui.ops.detector import Detector
from vibehq_tui.ops.model import SEVERITIES, Finding

HEALTH_ID: Final = "detector-health"
"""The detector that is not one: what went wrong with the others."""
_GRACE: Final = 1.0
"""Seconds that a cancelled detector gets to end; then it is left behind."""
_MAX_DATA: Final = 100_000
"""Characters of evidence, as JSON, that an issue may carry."""
_MAX_TEXT: Final = 4000

_left_behind: set[asyncio.Task[Any]] = set()
"""Detectors that do not end when cancelled. Kept, so that the loop does not lose them; each leaves when it ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What came of running one detector."""

    detector: Detector
    result: str
    """completed, failed, timed-out or skipped."""
    millis: int
    findings: tuple[Finding, ...] = ()
    message: str = ""
    trouble: str = ""
    """What is wrong with the detector itself; empty when nothing is."""
    kept: frozenset[str] = field(default_factory=frozenset)


async def look(detector: Detector, ctx: ScanContext, clock: Clock, limit: float) -> Look:
    """Runs one detector, for at most ``limit`` seconds. Raises nothing but its own cancellation."""
    start = clock.boot()
    task = asyncio.ensure_future(_guarded(detector, ctx))
    try:
        done, _ = await asyncio.wait({task}, timeout=limit)
        if not done:
            await _end(task)
    except asyncio.CancelledError:
        await _end(task)
        raise
    millis = round((clock.boot() - start) * 1000)
    if not done:
        message = f"took longer than {limit:g} s and was stopped"
        return Look(detector=detector, result="timed-out", millis=millis, message=message, trouble=message)
    returned, error = (None, "ended as if cancelled") if task.cancelled() else task.result()
    if error is None and ctx.skipped is not None:
        return Look(detector=detector, result="skipped", millis=millis, message=ctx.skipped)
    if error is None:
        error = what_is_wrong(returned)
    if error is not None:
        return Look(detector=detector, result="failed", millis=millis, message=error, trouble=error)
    findings: tuple[Finding, ...] = tuple(returned or ())
    notes = "; ".join(ctx.notes)
    return Look(
        detector=detector, result="completed", millis=millis, findings=findings, message=notes, kept=frozenset(ctx.kept)
    )


async def _guarded(detector: Detector, ctx: ScanContext) -> tuple[Any, str | None]:
    try:
        return await detector.look(ctx), None
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a detector may be anybody's; its failure is an issue
        return None, f"{type(error).__name__}: {error}"[:_MAX_TEXT]


async def _end(task: asyncio.Task[Any]) -> None:
    task.cancel()
    await asyncio.wait({task}, timeout=_GRACE)
    if not task.done():
        _left_behind.add(task)
        task.add_done_callback(_left_behind.discard)


def what_is_wrong(returned: Any) -> str | None:
    """Says why something is not a list of findings; None when it is one."""
    if not isinstance(returned, (list, tuple)):
        return f"returned {type(returned).__name__} instead of a list of findings"
    for item in returned:
        problem = _wrong_finding(item)
        if problem:
            return problem
    return None


def _wrong_finding(item: Any) -> str | None:
    if not isinstance(item, Finding):
        return f"returned a list with {type(item).__name__} in it instead of findings"
    if not item.key or not isinstance(item.key, tuple) or not all(isinstance(part, str) for part in item.key):
        return "returned a finding whose key is not a tuple of texts"
    if item.severity not in SEVERITIES:
        return f"returned a finding of severity {item.severity!r}; known are {', '.join(SEVERITIES)}"
    texts = (item.title, item.message, item.subject, item.subject_id, item.pattern)
    if not item.title or not all(isinstance(text, str) for text in texts):
        return "returned a finding without a title, or with something else where text belongs"
    try:
        size = len(json.dumps(dict(item.data)))
    except (TypeError, ValueError, RecursionError) as error:
        return f"returned a finding whose evidence is not JSON: {error}"[:_MAX_TEXT]
    return f"returned a finding with {size:,} characters of evidence" if size > _MAX_DATA else None


def health_findings(looks: Sequence[Look], troubles: Sequence[tuple[str, str]] = ()) -> list[Finding]:
    """What is wrong with detectors, as findings of :data:`HEALTH_ID`.

    :param troubles: further ``(what, message)``, such as errors of the planner that detectors ask.
    """
    told = [(one.detector.id, one.detector.title, one.trouble) for one in looks if one.trouble]
    told += [(what, what, message) for what, message in troubles]
    return [
        Finding(
            key=(name,),
            pattern=message,
            severity="medium",
            title=f"{title}: cannot look",
            message=f"{name} {message}. What it looks for is unknown until it completes again.",
            subject="detector",
            subject_id=name,
            data={"error": message},
        )
        for name, title, message in told
    ]
