"""The detectors that come with the program."""

from __future__ import annotations

from vibehq_tui.ops.detector import Detector
from vibehq_tui.ops.detectors.conflicts import PatchesConflict
from vibehq_tui.ops.detectors.host import DiskPressure, MemoryPressure
from vibehq_tui.ops.detectors.patches import PatchDoesNotApply, SecretInPatch, StalePatch
from vibehq_tui.ops.detectors.tasks import TaskGraphBroken, TaskInactive


def built_in() -> list[Detector]:
    """One of each, in the order in which they run: the cheap ones first."""
    return [
        DiskPressure(),
        MemoryPressure(),
        TaskGraphBroken(),
        TaskInactive(),
        StalePatch(),
        SecretInPatch(),
        PatchDoesNotApply(),
        PatchesConflict(),
    ]
