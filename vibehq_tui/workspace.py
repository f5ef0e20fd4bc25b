"""Where a workspace is and how its state folder comes to be.

A workspace is the top of a git work tree (or, where the operator insists, any folder) with a state folder ``.vibehq/``
that ignores itself in git. Finding one costs a few looks at the file system and starts no program: every call does it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from storage.errors import NotFound, Refused

STATE_FOLDER: Final = ".vibehq"
STORE_FILE: Final = "hq.db"
CONFIG_FILE: Final = "vibehq.toml"
TASK_FILES: Final = (".mission_control/tasks.json", ".taskmaster/tasks/tasks.json")
"""Where tasks are looked for, relative to the workspace."""


def is_workspace(folder: Path) -> bool:
    """Whether ``folder`` was set up. ``patchctl`` may have left a state folder without a store: that is none."""
    return (folder / STATE_FOLDER / STORE_FILE).is_file()


def git_top(start: Path) -> Path | None:
    """The top of the git work tree that holds ``start``: the next folder above with a ``.git`` folder or file."""
    for folder in (start, *start.parents):
        if os.path.lexists(folder / ".git"):
            return folder
    return None


def main_work_tree(top: Path) -> Path | None:
    """The main work tree of the linked one at ``top``; none when ``top`` is itself a main work tree or a submodule."""
    try:
        line = (top / ".git").read_text(encoding="utf-8", errors="surrogateescape").strip()
        if not line.startswith("gitdir: "):
            return None
        folder = top / line.removeprefix("gitdir: ")
        common = folder / (folder / "commondir").read_text(encoding="utf-8", errors="surrogateescape").strip()
    except OSError:
        return None  # a folder, hence a main work tree; or no commondir, hence a submodule
    found = Path(os.path.normpath(common)).parent
    return found if (found / ".git").is_dir() else None


def find(start: Path) -> Path:
    """The top of the workspace that holds ``start``.

    The next folder above that was set up or is the top of a repository; for a linked work tree that was not set up
    itself, the workspace of its main work tree, so that an agent in its own tree reports to its headquarters.

    :raises NotFound: when there is none; the hint says what makes one.
    """
    start = start.absolute()
    if not start.is_dir():
        raise NotFound(f"there is no folder {start}", code="no-workspace", hint="name an existing folder with -C")
    for folder in (start, *start.parents):
        if is_workspace(folder):
            return folder
        if os.path.lexists(folder / ".git"):
            main = main_work_tree(folder)
            if main is not None and is_workspace(main):
                return main
            raise NotFound(
                f"no workspace here: {folder} was not set up", code="no-workspace", hint="vibehq init sets it up"
            )
    raise NotFound(
        f"no workspace here: {start} is not in a git repository",
        code="no-workspace",
        hint="go to a repository and call vibehq init; or vibehq init --no-git to use this folder as it is",
    )


def choose_root(start: Path, *, no_git: bool = False) -> Path:
    """The folder that ``vibehq init`` would set up: the top of the repository, or ``start`` itself with ``no_git``.

    :raises Refused: outside a repository, inside its ``.git`` folder, or in a bare one.
    """
    start = start.absolute()
    if not start.is_dir():
        raise NotFound(f"there is no folder {start}", code="no-workspace", hint="name an existing folder with -C")
    top = git_top(start)
    if top is not None:
        if ".git" in start.relative_to(top).parts:
            raise Refused(f"{start} is inside the folder of git itself", hint=f"vibehq -C {top} init")
        return top
    if no_git:
        return start
    if (start / "HEAD").is_file() and (start / "objects").is_dir():
        raise Refused(
            f"{start} is a bare repository: it has no files to work on",
            code="not-a-repository",
            hint="clone it, and call vibehq init in the clone",
        )
    raise Refused(
        f"{start} is not in a git repository",
        code="not-a-repository",
        hint="git init makes one; or vibehq init --no-git to use this folder as it is",
    )


def create_state(root: Path) -> bool:
    """Makes the state folder that ignores itself in git; answers whether there was none before.

    :raises Refused: when something else has its name, or it would lead out of the workspace.
    :raises OSError: when it cannot be written.
    """
    state = root / STATE_FOLDER
    if state.is_symlink() or (state.exists() and not state.is_dir()):
        raise Refused(f"{state} is not a folder", hint="move it away; the state of the workspace is kept there")
    made = not state.is_dir()
    state.mkdir(mode=0o700, exist_ok=True)
    ignore = state / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n", encoding="utf-8")
    return made
