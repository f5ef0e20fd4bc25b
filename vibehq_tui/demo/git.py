"""git in the demo's repository: no configuration of the operator's, no hooks, no prompts."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from vibehq_tui.patches.planning.tree import git_environment


@dataclass(slots=True)
class Git:
    """Runs git in one work tree."""

    root: Path
    author: str = "Mara"

    def run(self, *arguments: str, at: int | None = None) -> bytes:
        """The output of ``git ARGUMENTS``.

        :param at: the date of a commit, in seconds since 1970.
        :raises subprocess.CalledProcessError: when git refuses.
        """
        environment = git_environment() | {
            "GIT_AUTHOR_NAME": self.author,
            "GIT_AUTHOR_EMAIL": f"{self.author.lower()}@localhost",
            "GIT_COMMITTER_NAME": self.author,
            "GIT_COMMITTER_EMAIL": f"{self.author.lower()}@localhost",
        }
        if at is not None:
            environment |= {"GIT_AUTHOR_DATE": f"{at} +0000", "GIT_COMMITTER_DATE": f"{at} +0000"}
        options = ("-c", "core.hooksPath=/dev/null", "-c", "commit.gpgSign=false", "-c", "core.autocrlf=false")
        done = subprocess.run(
            ["git", *options, *arguments],
            cwd=self.root,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
        )
        return done.stdout
