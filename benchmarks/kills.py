"""``kill -9`` at random instants of applying and reverting: afterwards the tree is exactly before or exactly after.

    python benchmarks/kills.py [--kills 200] [--seed 1] [--files 400] [--scenario NAME ...] [--folder DIR]

A scenario prepares a tree, starts a process that applies or reverts, recovers what a dead one left, and says which of
its states the tree should be in. Each kill is followed by a comparison of every file, byte by byte, with the states
before and after; what is found is where the next one starts. Fails when anything else is found.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from vibehq_tui.patches.applying.apply import Applier
from vibehq_tui.patches.formats import parse
from vibehq_tui.patches.planning.planner import make_plan
from vibehq_tui.patches.planning.tree import WorkTree

State = dict[str, tuple[int, bytes]]
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
    "PYTHONPATH": str(Path(__file__).resolve().parents[1]),
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.com",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.com",
}
PATCHCTL = [sys.executable, "-m", "vibehq_tui.cli.patchctl"]


def state_of(root: Path) -> State:
    """Every file below a root, without the folders of git and of the engine."""
    found: State = {}
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not (Path(folder) == root and name in (".git", ".vibehq"))]
        for name in names:
            path = Path(folder, name)
            found[str(path.relative_to(root))] = path.lstat().st_mode, path.read_bytes()
    return found


class Scenario(ABC):
    """What is killed. States are numbered; a process goes from one number to another."""

    name: str

    def __init__(self, folder: Path, files: int) -> None:
        self.root = folder / "root"
        self.folder = folder
        self.states: list[State] = []
        self.patches: list[Path] = []
        self._prepare(files)

    def _git(self, *arguments: str) -> bytes:
        return subprocess.run(
            ["git", *arguments], cwd=self.root, env=ENVIRONMENT, check=True, capture_output=True
        ).stdout

    @property
    def steps(self) -> int:
        """How many patches there are, each with a state after it."""
        return 1

    def _prepare(self, files: int) -> None:
        """A repository, patches that change, make, remove and move files of it, and the states around them."""
        self.root.mkdir()
        self._git("init", "-q", "-b", "main")
        (self.root / ".git" / "info" / "exclude").write_text(".vibehq\n")
        for number in range(files):
            path = self.root / f"d{number % 20}" / f"f{number}.txt"
            path.parent.mkdir(exist_ok=True)
            path.write_text(f"file {number}\n" + "some text\n" * 30)
        self._git("add", "-A")
        self._git("commit", "-qm", "start")
        self.states.append(state_of(self.root))
        for step in range(self.steps):
            for number in range(step, files, self.steps):
                self._change(number)
            self._git("add", "-A")
            patch = self.folder / f"patch{step}"
            patch.write_bytes(self._git("diff", "--cached", "-M", "--full-index"))
            self.patches.append(patch)
            self._git("commit", "-qm", f"step {step}")
            self.states.append(state_of(self.root))
        self._git("checkout", "-q", "HEAD~" + str(self.steps))

    def _change(self, number: int) -> None:
        path = self.root / f"d{number % 20}" / f"f{number}.txt"
        match number % 8:
            case 0:
                path.unlink()
            case 1:
                target = self.root / f"moved{number % 5}" / path.name
                target.parent.mkdir(exist_ok=True)
                path.rename(target)
            case 2:
                (path.parent / f"new{number}.txt").write_text(f"made {number}\n")
            case _:
                path.write_text(path.read_text().replace("some text\n", "other words\n", 2))

    @abstractmethod
    def start(self, now: int, number: int) -> tuple[subprocess.Popen[bytes], int]:
        """A process that leaves state ``now``, with the number of its kill for names; and where it would arrive.

        It prints a line when it is about to begin, unless :attr:`begins_at_once`.
        """

    begins_at_once = False

    def recover(self) -> None:
        """What the next start does."""
        Applier(self.root).recover()

    @abstractmethod
    def told(self, number: int) -> bool:
        """Whether the records say that the last process arrived."""

    def arrived(self, before: int, target: int, number: int) -> int:
        """The state that the records say the tree is in."""
        return target if self.told(number) else before


def worker(root: str, verb: str, receipt: str, *what: str) -> None:
    """Applies patches as ``receipt``-0, -1, … or reverts one."""
    applier = Applier(Path(root))
    plans = [] if verb == "revert" else [make_plan(parse(Path(what[0]).read_bytes()), WorkTree(Path(root)))]
    os.write(1, b"ready\n")
    if verb == "revert":
        applier.revert(what[0], new=receipt)
        return
    with applier.lock():
        for number, name in enumerate(what):
            plan = plans[0] if number == 0 else make_plan(parse(Path(name).read_bytes()), WorkTree(Path(root)))
            applier.apply(plan, receipt=f"{receipt}-{number}")


class OnePatch(Scenario):
    """A plan by :class:`Applier`, and its revert."""

    name = "applier"
    _last = ""

    def start(self, now: int, number: int) -> tuple[subprocess.Popen[bytes], int]:
        """See :class:`Scenario`."""
        if now == 0:
            return self._worker("apply", f"k{number}", str(self.patches[0])), 1
        return self._worker("revert", f"k{number}-0", self._last), 0

    def _worker(self, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, __file__, "--worker", str(self.root), *arguments]
        return subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def told(self, number: int) -> bool:
        """See :class:`Scenario`."""
        found = Applier(self.root).find(f"k{number}-0")
        if found is not None:
            self._last = found.id
        return found is not None


class SeveralPatches(OnePatch):
    """Patches in one series, which share a file in the journal; then back, one by one, killed too."""

    name = "series"
    _stack: tuple[str, ...] = ()

    @property
    def steps(self) -> int:
        """See :class:`Scenario`."""
        return 6

    def start(self, now: int, number: int) -> tuple[subprocess.Popen[bytes], int]:
        """See :class:`Scenario`."""
        if now == 0:
            return self._worker("apply", f"k{number}", *map(str, self.patches)), self.steps
        return self._worker("revert", f"k{number}-0", self._stack[-1]), now - 1

    def arrived(self, before: int, target: int, number: int) -> int:
        """See :class:`Scenario`."""
        applier = Applier(self.root)
        if before == 0:
            names = [f"k{number}-{step}" for step in range(self.steps)]
            self._stack = tuple(name for name in names if applier.find(name) is not None)
        elif applier.find(f"k{number}-0") is not None:
            self._stack = self._stack[:-1]
        return len(self._stack)


class CommandLine(Scenario):
    """``patchctl apply`` and ``patchctl revert`` as they are called."""

    name = "patchctl"
    begins_at_once = True
    _known = 0
    _last = ""

    def start(self, now: int, number: int) -> tuple[subprocess.Popen[bytes], int]:
        """See :class:`Scenario`."""
        self._known = len(Applier(self.root).receipts())
        command = ["apply", str(self.patches[0])] if now == 0 else ["revert", self._last]
        process = subprocess.Popen(
            [*PATCHCTL, *command, "--json", "--root", str(self.root)],
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        return process, 1 - now

    def recover(self) -> None:
        """See :class:`Scenario`."""
        command = [*PATCHCTL, "dry-run", str(self.patches[0]), "--root", str(self.root)]
        subprocess.run(command, env=ENVIRONMENT, capture_output=True, check=False)

    def told(self, number: int) -> bool:
        """See :class:`Scenario`."""
        receipts = Applier(self.root).receipts()
        if len(receipts) == self._known:
            return False
        self._last = receipts[0].id
        return True


SCENARIOS: dict[str, type[Scenario]] = {kind.name: kind for kind in (OnePatch, SeveralPatches, CommandLine)}


def duration(scenario: Scenario, now: int, number: int) -> tuple[float, int]:
    """Seconds of a process that is not killed, and the state then."""
    process, target = scenario.start(now, number)
    if not scenario.begins_at_once and process.stdout is not None:
        process.stdout.readline()
    started = time.monotonic()
    errors = process.communicate()[1]
    seconds = time.monotonic() - started
    if process.returncode != 0:
        raise SystemExit(f"{scenario.name}: {errors.decode()}")
    return seconds, check(scenario, now, target, number)


def check(scenario: Scenario, before: int, target: int, number: int) -> int:
    """The state that the tree is in; fails when it is none, or not the one that the records tell of."""
    now = scenario.arrived(before, target, number)
    found = state_of(scenario.root)
    if found != scenario.states[now]:
        wanted = scenario.states[now]
        wrong = [path for path in {*found, *wanted} if found.get(path) != wanted.get(path)]
        raise SystemExit(f"{scenario.name}, kill {number}: not state {now}: {sorted(wrong)[:10]} of {len(wrong)} files")
    if list((scenario.root / ".vibehq" / "journal").glob("*")) or list((scenario.root / ".vibehq" / "tmp").glob("*")):
        raise SystemExit(f"{scenario.name}, kill {number}: something was left behind")
    return now


def torture(scenario: Scenario, kills: int, seed: int) -> Counter[str]:
    """Kills processes of a scenario at random instants; answers how often each came to which end."""
    chance = random.Random(seed)
    whole, now = duration(scenario, 0, 0)
    outcomes: Counter[str] = Counter()
    number = 0
    while sum(outcomes.values()) < kills:
        number += 1
        process, target = scenario.start(now, number)
        if not scenario.begins_at_once and process.stdout is not None:
            process.stdout.readline()
        share = chance.uniform(0.35, 1.0) if scenario.begins_at_once else chance.random()
        deadline = time.monotonic() + share * whole
        while time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.0002)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        killed = process.returncode == -signal.SIGKILL
        scenario.recover()
        was, now = now, check(scenario, now, target, number)
        verb = "applying" if target > was else "reverting"
        if killed:
            outcomes[
                f"{verb}: " + ("after" if now == target else "before" if now == was else "between two patches")
            ] += 1
    return outcomes


def main() -> None:
    """Runs the scenarios and prints what came of them."""
    if sys.argv[1:2] == ["--worker"]:
        worker(*sys.argv[2:])
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200, help="in each scenario")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--files", type=int, default=400)
    parser.add_argument("--scenario", action="append", choices=sorted(SCENARIOS))
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    for name in options.scenario or SCENARIOS:
        with TemporaryDirectory(dir=options.folder) as folder:
            outcomes = torture(SCENARIOS[name](Path(folder), options.files), options.kills, options.seed)
        print(f"{name}: {sum(outcomes.values())} kills, each exactly one of the states that there may be", flush=True)
        for outcome, count in sorted(outcomes.items()):
            print(f"  {count:5} {outcome}", flush=True)


if __name__ == "__main__":
    main()
