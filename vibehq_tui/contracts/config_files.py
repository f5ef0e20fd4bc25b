"""Where the configuration stands. Apart from its models, because a call in a workspace without one needs no models."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

FILE_NAME: Final = "vibehq.toml"


def user_config_dir(environ: Mapping[str, str] = os.environ) -> Path:
    """The operator's own configuration folder: ``$XDG_CONFIG_HOME/vibehq``, else ``~/.config/vibehq``."""
    base = environ.get("XDG_CONFIG_HOME", "")
    # the standard says that a relative value is to be ignored
    folder = Path(base) if base.startswith("/") else Path(environ.get("HOME") or Path.home()) / ".config"
    return folder / "vibehq"


def is_configured(root: Path) -> bool:
    """Whether the workspace at ``root`` or the operator has a configuration file, be it a broken one."""
    return any(os.path.lexists(folder / FILE_NAME) for folder in (root, user_config_dir()))
