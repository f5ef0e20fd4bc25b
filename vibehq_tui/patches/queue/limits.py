"""What the configuration forbids outright: sizes above its limits, and paths that no patch may touch."""

from __future__ import annotations

from vibehq_tui.contracts.config import FILE_NAME, Config
from vibehq_tui.patches.applying.path_patterns import matches
from vibehq_tui.patches.errors import PatchRefused
from vibehq_tui.patches.model import ParsedPatch, Problem
from vibehq_tui.patches.planning.plan import Plan
from vibehq_tui.text.forms import size


def check_text(text: bytes, config: Config) -> None:
    """:raises PatchRefused: when the text is longer than ``limits.patch_size``."""
    limit = config.limits.patch_size
    if len(text) > limit:
        _refuse("too-large", f"the patch has {size(len(text))}, the limit is {size(limit)}", key="limits.patch_size")


def check_parsed(parsed: ParsedPatch, config: Config) -> None:
    """:raises PatchRefused: when it touches too many files, or one that is protected."""
    paths = {path for change in parsed.changes for path in (change.path, change.from_) if path is not None}
    limit = config.limits.patch_files
    if len(parsed.changes) > limit:
        _refuse(
            "too-many-files", f"it touches {len(parsed.changes)} files, the limit is {limit}", key="limits.patch_files"
        )
    for path in sorted(paths):
        if matches(path, config.protect.paths):
            _refuse("protected-path", f"{path} is protected: no patch may touch it", key="protect.paths", path=path)


def check_plan(plan: Plan, config: Config) -> None:
    """:raises PatchRefused: when a file is larger than ``limits.file_size`` before or after."""
    limit = config.limits.file_size
    for file in plan.files:
        largest = max(len(file.before or b""), len(file.after or b""))
        if largest > limit:
            what = f"{file.path} has {size(largest)}, the limit is {size(limit)}"
            _refuse("file-too-large", what, key="limits.file_size", path=file.path)


def _refuse(code: str, message: str, *, key: str, path: str | None = None) -> None:
    raise PatchRefused(
        [Problem(code=code, message=message, path=path)], hint=f"{FILE_NAME} sets it as {key}", code=code
    )
