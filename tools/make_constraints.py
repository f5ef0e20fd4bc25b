#!/usr/bin/env python3
"""Writes constraints.txt: the exact version of everything that the project needs, as installed beside this interpreter.

    make_constraints.py >constraints.txt

Run it with the interpreter of a virtual environment in which the tests pass.
"""

from __future__ import annotations

import sys
import tomllib
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

HEADER = """\
# The versions with which the tests passed; pip install -c constraints.txt installs exactly these.
# Made by tools/make_constraints.py.
"""


def closure(requirements: list[str]) -> dict[str, str]:
    """The versions of what ``requirements`` name and of all that those need here, by canonical name."""
    pinned: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    waiting = [(Requirement(line), "") for line in requirements]
    for requirement, asked_by in waiting:
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": asked_by}):
            continue
        name = canonicalize_name(requirement.name)
        found = distribution(name)
        pinned[name] = found.version
        for extra in ("", *requirement.extras):
            if (name, extra) not in seen:
                seen.add((name, extra))
                waiting += [(Requirement(line), extra) for line in found.requires or ()]
    return pinned


def main() -> int:
    """Prints the file."""
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [
        *project["build-system"]["requires"],
        *project["project"]["dependencies"],
        *project["project"]["optional-dependencies"]["dev"],
    ]
    pinned = closure(wanted)
    sys.stdout.write(HEADER + "".join(f"{name}=={version}\n" for name, version in sorted(pinned.items())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
