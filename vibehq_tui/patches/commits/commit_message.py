"""What the commit of a patch says: its title, what its author wrote, and who had it, made it and let it in."""

from __future__ import annotations

import re
from typing import Final

from storage.records import Patch

_TRAILER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*: \S")


def apply_message(patch: Patch, body: str | None, title: str | None = None) -> str:
    """The message of a commit that holds a patch, or one part of it.

    :param body: what the patch itself says below its title.
    :param title: the title of the part; that of the patch where there is none.
    """
    trailers = [f"Vibehq-Patch: {patch.id}"]
    trailers += [f"Vibehq-Task: {patch.task}"] if patch.task else []
    trailers += [f"Vibehq-Provider: {patch.provider}"] if patch.provider else []
    trailers += [f"Vibehq-Approved-By: {patch.decided_by}"] if patch.decided_by else []
    return _message(title or patch.title, body or "", trailers)


def revert_message(patch: Patch, commit: str, actor: str) -> str:
    """The message of a commit that takes a patch back, in git's own words."""
    trailers = [f"Vibehq-Patch: {patch.id}", f"Vibehq-Reverted-By: {actor}"]
    return _message(f'Revert "{patch.title}"', f"This reverts commit {commit}.", trailers)


def _message(title: str, body: str, trailers: list[str]) -> str:
    paragraphs = [" ".join(title.split()), body.strip("\n")]
    known = body.rstrip().rpartition("\n\n")[2].splitlines()
    # Trailers that the author left go on, so that they stay trailers: git looks for them in the last paragraph.
    joins = bool(known) and all(_TRAILER.match(line) for line in known)
    text = "\n\n".join(part for part in paragraphs if part)
    return f"{text}{chr(10) if joins else chr(10) * 2}" + "\n".join(" ".join(line.split()) for line in trailers) + "\n"
