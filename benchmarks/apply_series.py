"""A series of real commits applied by the engine of ``patchctl`` in one process, beside ``git apply --index`` for each.

    python benchmarks/apply_series.py REPOSITORY [--count 500] [--skip 0] [--no-git]

REPOSITORY is any git repository, bare or not; it is only read. Non-merge commits of its history are applied one by one,
the oldest first, in two scratch checkouts. Before each the checkouts are brought to its parent (which is not timed, and
not needed where the history is linear). After each the whole tree of ours is compared with the commit's by way of
``git add`` and ``git write-tree`` with an index of its own. Prints milliseconds per patch, their ratio (goal: at most
1), and how many trees were exact, refused, or wrong.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from vibehq_tui.patches.apply import Applier
from vibehq_tui.patches.engine import series

GOAL = 1.0
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}


def git(*arguments: str, at: Path, index: Path | None = None, check: bool = True) -> bytes:
    """What a git command prints."""
    environment = ENVIRONMENT if index is None else {**ENVIRONMENT, "GIT_INDEX_FILE": str(index)}
    done = subprocess.run(["git", *arguments], cwd=at, env=environment, capture_output=True, check=check)
    return done.stdout


def commits_of(repository: Path, count: int, skip: int) -> list[tuple[str, str, str]]:
    """The newest non-merge commits as commit, parent and tree, the oldest first."""
    listing = git(
        "log",
        "--no-merges",
        "--topo-order",
        f"--max-count={count}",
        f"--skip={skip}",
        "--format=%H %P %T",
        at=repository,
    )
    rows = [line.split() for line in listing.decode().splitlines()]
    return [(row[0], row[1], row[2]) for row in reversed(rows) if len(row) == 3]


def patch_of(repository: Path, parent: str, commit: str) -> bytes | None:
    """The difference as a git patch; None when there is none, or the repository does not have all of its objects."""
    command = ["git", "diff-tree", "-p", "-M", "-C", "--binary", "--full-index", parent, commit]
    done = subprocess.run(command, cwd=repository, env=ENVIRONMENT, capture_output=True, check=False)
    return done.stdout if done.returncode == 0 and done.stdout.strip() else None


def checkout(repository: Path, folder: Path) -> None:
    """A scratch clone that shares the objects of the repository."""
    git("clone", "--quiet", "--shared", "--no-checkout", str(repository), str(folder), at=repository)
    git("config", "core.autocrlf", "false", at=folder)
    # Attributes could convert line ends on checkout; what is compared are the bytes of the commits.
    (folder / ".git" / "info" / "attributes").write_text("* -text -filter -ident -working-tree-encoding\n")


def move_to(folder: Path, commit: str) -> None:
    """Brings a checkout to a commit exactly; raises CalledProcessError when objects of it are not there."""
    git("update-ref", "--no-deref", "HEAD", commit, at=folder)
    git("reset", "--quiet", "--hard", at=folder)
    git("clean", "-ffdxq", "-e", ".vibehq", at=folder)


def tree_of(folder: Path, index: Path) -> str:
    """The tree object of the files in a checkout, ignored ones too."""
    git("add", "--all", "--force", "--", ".", ":!.vibehq", at=folder, index=index)
    return git("write-tree", at=folder, index=index).decode().strip()


def same_tree(folder: Path, index: Path, tree: str) -> bool:
    """Whether the files are those of a tree. Submodules are not checked out and not compared."""
    ours = tree_of(folder, index)
    return ours == tree or not git("diff-tree", "-r", "--ignore-submodules=all", ours, tree, at=folder)


def main() -> None:
    """Runs the series and prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repository", type=Path)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--skip", type=int, default=0)
    parser.add_argument("--no-git", action="store_true", help="do not time git apply")
    options = parser.parse_args()
    repository = options.repository.resolve()
    outcomes: Counter[str] = Counter()
    ours = theirs = 0.0
    failed: list[str] = []
    with TemporaryDirectory() as name:
        mine, gits, index = Path(name, "ours"), Path(name, "git"), Path(name, "index")
        commits = commits_of(repository, options.count, options.skip)
        for folder in (mine, gits):
            checkout(repository, folder)
        with series(mine, applier=(applier := Applier(mine))) as run:
            now = ""
            for commit, parent, tree in commits:
                patch = patch_of(repository, parent, commit)
                if patch is None:
                    outcomes["left out"] += 1
                    continue
                if now != parent:
                    try:
                        for folder in (mine, gits):
                            move_to(folder, parent)
                    except subprocess.CalledProcessError:
                        outcomes["left out"] += 1
                        now = ""
                        continue
                    git("read-tree", parent, at=mine, index=index)
                started = time.perf_counter()
                result = run.run(patch)
                ours += time.perf_counter() - started
                if not options.no_git:
                    file = Path(name, "patch")
                    file.write_bytes(patch)
                    started = time.perf_counter()
                    subprocess.run(
                        ["git", "apply", "--index", "--whitespace=nowarn", str(file)],
                        cwd=gits,
                        env=ENVIRONMENT,
                        check=True,
                    )
                    theirs += time.perf_counter() - started
                now = commit
                if result.result != "applied":
                    outcomes[result.result] += 1
                    failed.append(f"{commit} {result.result}: {[problem.to_wire() for problem in result.errors]}")
                    now = ""
                elif same_tree(mine, index, tree):
                    outcomes["exact"] += 1
                else:
                    outcomes["wrong"] += 1
                    failed.append(f"{commit} wrong tree")
                    now = ""
            started = time.perf_counter()
            applier.settle()
            ours += time.perf_counter() - started
    done = max(sum(outcomes.values()) - outcomes["left out"], 1)
    print(f"{repository}: {done} patches, {dict(outcomes)}")
    for line in failed[:50]:
        print(f"  {line}")
    print(f"patchctl           {ours / done * 1000:7.2f} ms per patch, put on disk at the end")
    if not options.no_git:
        print(f"git apply --index  {theirs / done * 1000:7.2f} ms per patch")
        print(f"ratio              {ours / theirs:7.2f}   (goal: at most {GOAL:g})")


if __name__ == "__main__":
    main()
