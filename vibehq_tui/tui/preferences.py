"""What the screens remember of an operator from one day to the next: the theme."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path


def preferences_file(environ: Mapping[str, str] = os.environ) -> Path:
    """``$XDG_STATE_HOME/vibehq/screens.json``, else below ``~/.local/state``."""
    base = environ.get("XDG_STATE_HOME", "")
    # the standard says that a relative value is to be ignored
    folder = Path(base) if base.startswith("/") else Path(environ.get("HOME") or Path.home()) / ".local" / "state"
    return folder / "vibehq" / "screens.json"


def read_preferences(file: Path) -> dict[str, str]:
    """What was remembered; nothing when there is no such file or it is not ours. A preference is never an error."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}


def write_preferences(file: Path, preferences: Mapping[str, str]) -> bool:
    """Remembers; False where nothing can be written, which is no reason to bother anybody."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        beside = file.with_suffix(".tmp")
        beside.write_text(json.dumps(dict(preferences), indent=2) + "\n", encoding="utf-8")
        beside.replace(file)
    except OSError:
        return False
    return True
