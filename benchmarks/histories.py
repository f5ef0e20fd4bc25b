"""Commits of real histories, each applied to its parent: by the engine of patchctl, by git apply, git am and patch.

    python benchmarks/histories.py REPOSITORY... [--count 1000] [--seed 1] [--folder DIR] [--ours-only]

The repositories, bare or not, are only read. Non-merge commits are drawn from the whole history of HEAD by the seed,
with binary files, renames, copies and modes; those that touch a submodule are left out and counted. Every tool has a
scratch checkout of its own, which is brought to the parent of the commit before (not timed) and whose whole tree is
compared with the commit's after. The tools take turns in which of them is first. The engine runs in this process, as
``patchctl apply ONE TWO …`` does, and all is put on disk at the end, which is timed; the others are programs, started
once for each patch.

Prints for each tool the trees that were exact, refused and wrong, milliseconds per patch, and the ratio to ``git apply
--index``; goal: all exact, and at most 0.5.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from vibehq_tui.patches.applying.apply import Applier
from vibehq_tui.patches.applying.engine import Series, series

GOAL = 0.5
OURS, APPLY, AM, PATCH = "patchctl", "git apply --index", "git am", "patch -p1"
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.com",
    "LC_ALL": "C",
}
COMMANDS = {
    APPLY: ["git", "apply", "--index", "--whitespace=nowarn"],
    AM: ["git", "am", "--quiet", "--keep-cr", "--whitespace=nowarn"],
    PATCH: ["patch", "-p1", "--binary", "--force", "--silent", "--no-backup-if-mismatch", "-i"],
}


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit of the history with its tree."""

    name: str
    parent: str
    tree: str


@dataclass(slots=True)
class Tally:
    """What one tool made of all patches."""

    outcomes: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    cpu: float = 0.0
    """Seconds of the processor, of the process and what it starts, in the system too."""
    each: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def git(*arguments: str, at: Path, check: bool = True) -> bytes:
    """What a git command prints."""
    return subprocess.run(["git", *arguments], cwd=at, env=ENVIRONMENT, capture_output=True, check=check).stdout


def drawn(repository: Path, count: int, seed: int) -> tuple[list[Commit], Counter[str]]:
    """Commits by the seed, the oldest first, and how many were left out, and why."""
    listing = git("log", "--no-merges", "--topo-order", "--reverse", "--format=%H %P %T", at=repository)
    rows = [Commit(*row) for line in listing.decode().splitlines() if len(row := line.split()) == 3]
    position = {commit.name: number for number, commit in enumerate(rows)}
    random.Random(seed).shuffle(rows)
    chosen: list[Commit] = []
    left_out: Counter[str] = Counter()
    for commit in rows:
        if len(chosen) == count:
            break
        raw = git("diff-tree", "-r", "--raw", commit.parent, commit.name, at=repository, check=False).decode(
            "utf-8", "replace"
        )
        if not raw.strip():
            left_out["without any change"] += 1
        elif any("160000" in line.split("\t")[0] for line in raw.splitlines()):
            left_out["touch a submodule"] += 1
        elif not is_there(repository, commit):
            left_out["have objects that are not in this copy"] += 1
        else:
            chosen.append(commit)
    return sorted(chosen, key=lambda commit: position[commit.name]), left_out


def is_there(repository: Path, commit: Commit) -> bool:
    """Whether the repository, which may be a partial copy, has all files of a commit and of its parent."""
    command = ["rev-list", "--objects", "--no-walk", "--missing=print", commit.parent, commit.name]
    return not any(line.startswith(b"?") for line in git(*command, at=repository, check=False).splitlines())


def checkout(repository: Path, folder: Path) -> None:
    """A scratch clone that shares the objects of the repository."""
    git("clone", "--quiet", "--shared", "--no-checkout", str(repository), str(folder), at=repository)
    git("config", "core.autocrlf", "false", at=folder)
    git("config", "gc.auto", "0", at=folder)
    # Attributes could convert line ends on checkout; what is compared are the bytes of the commits.
    (folder / ".git" / "info" / "attributes").write_text("* -text -filter -ident -working-tree-encoding\n")


def move_to(folder: Path, commit: str) -> None:
    """Brings a checkout to a commit exactly."""
    git("update-ref", "--no-deref", "HEAD", commit, at=folder)
    git("reset", "--quiet", "--hard", at=folder)
    git("clean", "-ffdxq", "-e", ".vibehq", at=folder)


def tree_of_files(folder: Path) -> str:
    """The tree object of the files in a checkout, ignored ones too."""
    git("add", "--all", "--force", "--", ".", ":!.vibehq", at=folder)
    return git("write-tree", at=folder).decode().strip()


def cpu_seconds(*, own: bool) -> float:
    """Seconds of the processor so far: of this process, or of those that it started and that have ended."""
    usage = resource.getrusage(resource.RUSAGE_SELF if own else resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


class Contest:
    """The tools with their checkouts, and what they made of the patches so far."""

    def __init__(self, repository: Path, folder: Path, tools: tuple[str, ...]) -> None:
        self.repository = repository
        self.tallies = {tool: Tally() for tool in tools}
        self._folder = folder
        self.roots = {tool: folder / f"tree{number}" for number, tool in enumerate(tools)}
        for root in self.roots.values():
            checkout(repository, root)

    def apply(self, commit: Commit, run: Series, first: int) -> None:
        """One commit by every tool."""
        diff = git(
            "diff-tree", "-p", "-M", "-C", "--binary", "--full-index", commit.parent, commit.name, at=self.repository
        )
        file, mail = self._folder / "patch", self._folder / "mail"
        file.write_bytes(diff)
        if AM in self.tallies:
            mail.write_bytes(
                git("format-patch", "-1", "--stdout", "-M", "--binary", "--full-index", commit.name, at=self.repository)
            )
        order = list(self.tallies)
        turn = first % len(order)
        for root in self.roots.values():
            move_to(root, commit.parent)
        for tool in order[turn:] + order[:turn]:
            tally = self.tallies[tool]
            action = self._ours(run, file) if tool == OURS else self._command(tool, mail if tool == AM else file)
            started, cpu = time.perf_counter(), cpu_seconds(own=tool == OURS)
            failure = action()
            seconds = time.perf_counter() - started
            tally.cpu += cpu_seconds(own=tool == OURS) - cpu
            tally.seconds += seconds
            tally.each.append(seconds)
            if failure is not None:
                tally.outcomes["refused"] += 1
                tally.failed.append(f"{commit.name} refused: {failure}")
                if tool == AM:
                    git("am", "--abort", at=self.roots[AM], check=False)
            elif self._is_right(tool, commit):
                tally.outcomes["exact"] += 1
            else:
                tally.outcomes["wrong"] += 1
                tally.failed.append(f"{commit.name} WRONG")

    def _ours(self, run: Series, file: Path) -> Callable[[], str | None]:
        def act() -> str | None:
            result = run.run(file.read_bytes())
            return None if result.result == "applied" else f"{result.result} {[p.to_wire() for p in result.errors]}"

        return act

    def _command(self, tool: str, file: Path) -> Callable[[], str | None]:
        def act() -> str | None:
            done = subprocess.run(
                [*COMMANDS[tool], str(file)], cwd=self.roots[tool], env=ENVIRONMENT, capture_output=True, check=False
            )
            return None if done.returncode == 0 else done.stderr.decode("utf-8", "replace")[:200]

        return act

    def _is_right(self, tool: str, commit: Commit) -> bool:
        """Whether the tree is that of the commit. Submodules are not checked out and not compared."""
        root = self.roots[tool]
        if tool == AM:
            made = git("rev-parse", "HEAD^{tree}", at=root).decode().strip()
        else:
            made = git("write-tree", at=root).decode().strip() if tool == APPLY else tree_of_files(root)
        return made == commit.tree or not git("diff-tree", "-r", "--ignore-submodules=all", made, commit.tree, at=root)


def contest(
    repository: Path, folder: Path, count: int, seed: int, tools: tuple[str, ...]
) -> tuple[dict[str, Tally], Counter[str]]:
    """All of it for one repository: the tally of every tool, and how many commits were left out, by reason."""
    commits, left_out = drawn(repository, count, seed)
    race = Contest(repository, folder, tools)
    root = race.roots[OURS]
    with series(root, applier=(applier := Applier(root))) as run:
        for number, commit in enumerate(commits):
            race.apply(commit, run, number)
        started, cpu = time.perf_counter(), cpu_seconds(own=True)
        applier.settle()
        race.tallies[OURS].seconds += time.perf_counter() - started
        race.tallies[OURS].cpu += cpu_seconds(own=True) - cpu
    return race.tallies, left_out


def report(tallies: dict[str, Tally]) -> Iterator[str]:
    """The lines of a table."""
    base = tallies[APPLY].seconds if APPLY in tallies else 0.0
    base_cpu = tallies[APPLY].cpu if APPLY in tallies else 0.0
    for tool, tally in tallies.items():
        patches = max(len(tally.each), 1)
        middle = sorted(tally.each)[len(tally.each) // 2] if tally.each else 0.0
        counts = " ".join(f"{tally.outcomes[kind]:>5} {kind}" for kind in ("exact", "refused", "wrong"))
        ratio = f"{tally.seconds / base:5.2f} ×" if base else ""
        cpu = f"{tally.cpu / patches * 1000:7.2f} ms" + (f" {tally.cpu / base_cpu:5.2f} ×" if base_cpu else "")
        wall = f"{tally.seconds / patches * 1000:7.2f} ms {ratio}, median {middle * 1000:6.2f} ms"
        yield f"{tool:<18} {counts}  {wall}, processor {cpu}"


def main() -> None:
    """Runs all and prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repositories", nargs="+", type=Path)
    parser.add_argument("--count", type=int, default=1000, help="commits of each repository")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where scratch checkouts are made")
    parser.add_argument("--ours-only", action="store_true", help="do not run the other tools")
    options = parser.parse_args()
    tools = (OURS,) if options.ours_only else (OURS, APPLY, AM, PATCH)
    whole = {tool: Tally() for tool in tools}
    for repository in options.repositories:
        with TemporaryDirectory(dir=options.folder) as name:
            tallies, left_out = contest(repository.resolve(), Path(name), options.count, options.seed, tools)
        print(f"\n{repository}: {len(tallies[OURS].each)} commits; left out: {dict(left_out)}")
        print("\n".join(report(tallies)))
        for line in tallies[OURS].failed[:20]:
            print(f"  {line}")
        for tool, tally in tallies.items():
            whole[tool].outcomes += tally.outcomes
            whole[tool].seconds += tally.seconds
            whole[tool].cpu += tally.cpu
            whole[tool].each += tally.each
    if len(options.repositories) > 1:
        print(f"\nall: {len(whole[OURS].each)} commits")
        print("\n".join(report(whole)))
    if APPLY in whole:
        print(
            f"\nratio to git apply --index  {whole[OURS].seconds / whole[APPLY].seconds:.2f}   (goal: at most {GOAL:g})"
        )
    print(f"silently wrong              {whole[OURS].outcomes['wrong']}   (goal: 0)")


if __name__ == "__main__":
    main()
