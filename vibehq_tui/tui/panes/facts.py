"""The counts in the titles of the panes."""

from __future__ import annotations

from collections.abc import Mapping

from vibehq_tui.headquarters import Overview


def facts(overview: Overview) -> dict[str, tuple[str, ...]]:
    """What to say of each pane, by its name, the most important first: ``3 waiting``, ``1 conflict``."""
    tasks, patches, issues = overview.tasks, overview.patches, overview.issues
    done = tasks.get("done", 0) + tasks.get("cancelled", 0)
    total = sum(tasks.values())
    return {
        "tasks": _join(
            _some(tasks, "ready", "ready"),
            _some(tasks, "blocked", "blocked"),
            _some(tasks, "broken", "broken"),
            f"{done:,}/{total:,} done" if total else "",
        ),
        "patches": _join(
            _sum(patches, ("proposed", "approved"), "waiting"),
            _some(patches, "conflicted", "conflict"),
            _some(patches, "failed", "failed"),
        ),
        "issues": _join(
            _some(issues, "critical", "critical"),
            _some(issues, "high", "high"),
            _sum(issues, ("medium", "low"), "more" if issues.get("critical") or issues.get("high") else "open"),
        ),
        "providers": _join(
            f"{overview.agents_running} of {overview.agents_known} working" if overview.agents_known else ""
        ),
        "terminal": (),
    }


def _some(counts: Mapping[str, int], key: str, word: str) -> str:
    return f"{counts[key]:,} {word}" if counts.get(key) else ""


def _sum(counts: Mapping[str, int], keys: tuple[str, ...], word: str) -> str:
    total = sum(counts.get(key, 0) for key in keys)
    return f"{total:,} {word}" if total else ""


def _join(*parts: str) -> tuple[str, ...]:
    return tuple(part for part in parts if part)
