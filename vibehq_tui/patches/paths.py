"""Which paths a patch may name. Everything that could leave the root, reach git's own files or deceive is refused here.

The rules hold for every name in every format: old, new, rename and copy sources, targets of moves, block files. What
only the disk can tell (symbolic links, nested repositories) is checked where files are opened, in ``tree.py``.
"""

from __future__ import annotations

import re
from typing import Final

from vibehq_tui.patches.errors import PatchRefused
from vibehq_tui.patches.model import Problem, encode_path

MAX_PATH: Final = 4096
"""Bytes of a whole path."""
MAX_COMPONENT: Final = 255
"""Bytes between two slashes."""

MAX_DEPTH: Final = 256
"""Folders that a file may be in, one within the other."""

_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f]")
_DRIVE = re.compile(r"[A-Za-z]:([/\\]|$)")
# Code points that HFS+ ignores when it compares names, so that ".g\u200cit" opens ".git" there.
_HFS_IGNORED = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")
_PROTECTED: Final = frozenset({".git", ".vibehq"})
_GIT_READS: Final = frozenset({".gitmodules", ".gitattributes"})
# Short names that NTFS gives to ".git" and ".vibehq".
_SHORT_NAMES = re.compile(r"(git|vibehq|vibeh)~[0-9]+")
# A path of these characters alone, without a dot or a tilde next to a name of ours, needs no closer look.
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_+@=,]*(?:[./-][A-Za-z0-9_+@=,]+)*")


def _is_protected(component: str) -> bool:
    """Whether a component is ``.git`` or ``.vibehq`` to any file system: case, short names, streams, marks."""
    name = _HFS_IGNORED.sub("", component).split(":", 1)[0].rstrip(" .").casefold()
    return name in _PROTECTED or _SHORT_NAMES.fullmatch(name) is not None


def _component_problem(component: str) -> tuple[str, str] | None:
    if component == "":
        return "path-empty", "has an empty component"
    if component == ".":
        return "path-dot", "has a '.' component"
    if component == "..":
        return "path-outside", "leads out of the root with '..'"
    if _is_protected(component):
        return "path-protected", f"reaches into a protected folder ({component!r})"
    if len(component) > MAX_COMPONENT // 4 and len(encode_path(component)) > MAX_COMPONENT:
        return "path-too-long", f"has a component of more than {MAX_COMPONENT} bytes"
    return None


def path_problem(path: str) -> tuple[str, str] | None:
    """``(code, message)`` of what is wrong with a path, or None when a patch may name it."""
    if len(path) < MAX_COMPONENT and _PLAIN.fullmatch(path) and "~" not in path:
        return None
    if not path:
        return "path-empty", "is empty"
    if _CONTROL.search(path):
        return "path-control", "has a control character or a newline in it"
    if path.startswith("/"):
        return "path-absolute", "is absolute"
    if path.startswith("-"):
        return "path-option", "starts with '-', which commands take for an option"
    if _DRIVE.match(path) or path.startswith("\\"):
        return "path-absolute", "is absolute (a drive or a share)"
    try:
        raw = encode_path(path)
    except UnicodeEncodeError:
        return "path-control", "has half a surrogate pair in it, which is no character"
    if len(raw) > MAX_PATH:
        return "path-too-long", f"is longer than {MAX_PATH} bytes"
    if path.count("/") > MAX_DEPTH:
        return "path-too-long", f"is more than {MAX_DEPTH} folders deep"
    # A backslash is an ordinary character here and a separator elsewhere; both readings must be harmless.
    readings = [path.split("/")]
    if "\\" in path:
        readings.append([part for part in re.split(r"[/\\]", path) if part])
    for components in readings:
        for component in components:
            problem = _component_problem(component)
            if problem is not None:
                return problem
    return None


def check_path(path: str, *, role: str = "path", hunk: int | None = None) -> str:
    """``path`` itself when a patch may name it.

    :param role: which name of the patch it is ("old name", "rename source", …), for the message.
    :raises PatchRefused: with a problem whose code starts with ``path-``.
    """
    problem = path_problem(path)
    if problem is None:
        return path
    code, message = problem
    raise PatchRefused(
        [Problem(code=code, message=f"the {role} {path!r} {message}", path=path, hunk=hunk)],
        hint="a patch may only name files below the root, and none of git's or Vibe HQ's own",
    )


def link_target_problem(path: str, target: bytes) -> str | None:
    """Why a symbolic link at ``path`` may not point to ``target``, or None when it stays inside the root.

    Only leading ``..`` are allowed: after a named folder, ``..`` means something else when that folder is a link.
    """
    text = target.decode("utf-8", "surrogateescape")
    name = path.rpartition("/")[2].rstrip(" .").casefold()
    if name in _GIT_READS:
        return f"git does not read {name!r} through a link, and where it once did, that was an attack"
    if not text:
        return "the target of the link is empty"
    if "\x00" in text or "\n" in text:
        return "the target of the link has a NUL or a newline in it"
    if text.startswith(("/", "\\")) or _DRIVE.match(text):
        return f"the link points to the absolute path {text!r}"
    parts = [part for part in text.split("/") if part not in ("", ".")]
    ups = 0
    while ups < len(parts) and parts[ups] == "..":
        ups += 1
    if ".." in parts[ups:]:
        return f"the link target {text!r} goes down and up again"
    if ups > path.count("/"):
        return f"the link target {text!r} leads out of the root"
    if any(_is_protected(part) for part in parts):
        return f"the link target {text!r} reaches into a protected folder"
    return None
