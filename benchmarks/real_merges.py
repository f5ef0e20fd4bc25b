"""Merges of real histories made again as patches: by the engine of ``patchctl`` and ``git apply --3way``.

    python benchmarks/real_merges.py REPOSITORY... [--count 300] [--without-blobs | --bare] [--folder DIR]

The repositories, bare or not, are only read. A merge commit counts when its two parents have one base and neither is
the base of the other. The tree is that of the first parent, the patch is the difference of base and second parent, with
full blob names. What ``git merge-tree --write-tree`` (git 2.38 or newer) makes of the two parents is the measure. With
``--without-blobs`` the patches do not say which blobs they were made from, as those of agents mostly do not, so the
engine has to find a base among the earlier versions of each file. With ``--bare`` they do not say line numbers either.

Prints how many merges were clean by each, how many of the engine's equal git's, and how many do not (goal: none), and
milliseconds per patch. Merges that only the engine or only git finds clean are listed with the reason.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from vibehq_tui.patches.applying.engine import APPLIED, apply_text

ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "LC_ALL": "C",
}
LISTED = 12


@dataclass(frozen=True, slots=True)
class Merge:
    """A merge commit with its parents and their base."""

    name: str
    ours: str
    theirs: str
    base: str


@dataclass(slots=True)
class Tally:
    """What was found in one history."""

    counts: Counter[str] = field(default_factory=Counter)
    matches: Counter[str] = field(default_factory=Counter)
    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    listed: list[str] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)


def run(*arguments: str, at: Path, stdin: bytes | None = None, index: Path | None = None) -> tuple[int, bytes]:
    """Exit code and output of a git command."""
    environment = ENVIRONMENT if index is None else {**ENVIRONMENT, "GIT_INDEX_FILE": str(index)}
    done = subprocess.run(["git", *arguments], cwd=at, env=environment, input=stdin, capture_output=True, check=False)
    return done.returncode, done.stdout


def git(*arguments: str, at: Path, index: Path | None = None) -> bytes:
    """What a git command prints that has to succeed."""
    code, said = run(*arguments, at=at, index=index)
    if code != 0:
        raise subprocess.CalledProcessError(code, arguments)
    return said


def merges_of(repository: Path, tally: Tally) -> Iterator[Merge]:
    """The merges of every branch, the newest first."""
    for line in git("log", "--all", "--merges", "--topo-order", "--format=%H %P", at=repository).decode().splitlines():
        name, *parents = line.split()
        if len(parents) != 2:
            tally.counts["left out: more than two parents"] += 1
            continue
        bases = run("merge-base", "--all", *parents, at=repository)[1].decode().split()
        if len(bases) != 1:
            tally.counts["left out: no base, or several"] += 1
        elif bases[0] in parents:
            tally.counts["left out: one parent is the base"] += 1
        else:
            yield Merge(name, parents[0], parents[1], bases[0])


def measure(repository: Path, folder: Path, count: int, told: str) -> Tally:
    """Makes up to ``count`` merges of a history again, in a scratch checkout in ``folder``."""
    tally = Tally()
    git("clone", "--quiet", "--shared", "--no-checkout", str(repository), str(folder), at=repository)
    git("config", "core.autocrlf", "false", at=folder)
    (folder / ".git" / "info" / "attributes").write_text("* -text -filter -ident -working-tree-encoding\n")
    for merge in merges_of(repository, tally):
        if tally.counts["merges"] == count:
            break
        try:
            one_merge(folder, merge, tally, told)
        except subprocess.CalledProcessError:
            tally.counts["left out: objects are missing"] += 1
    return tally


def one_merge(folder: Path, merge: Merge, tally: Tally, told: str) -> None:
    """Makes one merge again in each way.

    :param told: what the patches say of where they come from: blobs, lines, nothing.
    """
    patch = git("diff-tree", "-p", "-M", "--binary", "--full-index", merge.base, merge.theirs, at=folder)
    if not patch.strip() or b"\nSubproject commit " in patch or b"160000" in patch:
        tally.counts["left out: nothing to do, or a submodule"] += 1
        return
    git("update-ref", "--no-deref", "HEAD", merge.ours, at=folder)
    git("reset", "--quiet", "--hard", at=folder)
    git("clean", "-ffdxq", at=folder)
    shutil.rmtree(folder / ".vibehq", ignore_errors=True)  # no receipt of another merge may help
    wanted = by_git(folder, merge)
    by_apply = by_three_way(folder, merge, patch, tally)
    text = patch if told == "blobs" else without_blobs(patch)
    if told == "nothing":
        text = re.sub(rb"^@@ -\d+(,\d+)? \+\d+(,\d+)? @@.*$", b"@@ @@", text, flags=re.MULTILINE)
    before = time.perf_counter()
    result = apply_text(text, folder, "git" if told != "nothing" else "auto")
    tally.seconds["patchctl"] += time.perf_counter() - before
    clean = result.result == APPLIED
    made = tree_of(folder) if clean else None
    if result.result == "already-applied":
        clean, made = True, tree_of(folder)
    tally.counts["merges"] += 1
    tally.counts["clean by git merge"] += wanted is not None
    tally.counts["clean by git apply --3way"] += by_apply is not None
    tally.counts["git apply --3way: not what git merge makes"] += by_apply is not None and by_apply != wanted
    tally.counts["clean by patchctl"] += clean
    tally.counts["patchctl equals git merge"] += clean and made == wanted
    tally.counts["patchctl clean, git merge clean, and another tree"] += clean and wanted is not None and made != wanted
    tally.counts["patchctl clean where git merge sees a conflict"] += clean and wanted is None
    tally.counts["clean by git apply --3way, not by patchctl"] += by_apply is not None and not clean
    tally.counts["merged hunks"] += sum(row["match"] == "merge" for file in result.files for row in file["hunks"])
    tally.matches.update(row["match"] for file in result.files for row in file["hunks"])
    codes = ", ".join(sorted({problem.code for problem in result.errors}))
    if clean != (wanted is not None) or (clean and made != wanted):
        tally.listed.append(
            f"{merge.name[:12]} git {'clean' if wanted else 'conflict'}, {result.result} {codes}".rstrip()
        )
    if not clean and wanted is not None:
        tally.reasons[codes] += 1


def without_blobs(patch: bytes) -> bytes:
    """The patch without its index lines, but for those of binary files, which cannot be without."""
    files = patch.split(b"\ndiff --git ")
    kept = []
    for number, text in enumerate(files):
        lines = text.split(b"\n")
        if b"GIT binary patch" not in lines:
            lines = [line for line in lines if not line.startswith(b"index ")]
        kept.append((b"\ndiff --git " if number else b"") + b"\n".join(lines))
    return b"".join(kept)


def by_git(folder: Path, merge: Merge) -> str | None:
    """The tree that git's merge makes; None for a conflict."""
    code, said = run("merge-tree", "--write-tree", merge.ours, merge.theirs, at=folder)
    if code not in (0, 1) or not said:
        raise subprocess.CalledProcessError(code, "merge-tree")
    return said.split()[0].decode() if code == 0 else None


def by_three_way(folder: Path, merge: Merge, patch: bytes, tally: Tally) -> str | None:
    """The tree that ``git apply --3way`` makes in an index of its own; None when it fails or leaves a conflict."""
    index = folder / ".git" / "three-way-index"
    index.unlink(missing_ok=True)
    git("read-tree", merge.ours, at=folder, index=index)
    before = time.perf_counter()
    code, _ = run("apply", "--3way", "--cached", "--whitespace=nowarn", at=folder, stdin=patch, index=index)
    tally.seconds["git apply --3way"] += time.perf_counter() - before
    if code != 0 or git("ls-files", "--unmerged", at=folder, index=index):
        return None
    return git("write-tree", at=folder, index=index).decode().strip()


def tree_of(folder: Path) -> str:
    """The tree object of all files in the checkout."""
    git("add", "--all", "--force", "--", ".", ":!.vibehq", at=folder)
    return git("write-tree", at=folder).decode().strip()


def report(name: str, tally: Tally) -> None:
    """Prints what was found."""
    merges = max(tally.counts["merges"], 1)
    print(f"{name}: {tally.counts['merges']} merges")
    for what, number in sorted(tally.counts.items(), key=lambda row: row[0].startswith("left out")):
        if what != "merges":
            print(f"  {what}: {number}")
    for tool, seconds in tally.seconds.items():
        print(f"  {tool}: {1000 * seconds / merges:.1f} ms per patch")
    print(f"  hunks: {', '.join(f'{number} {match}' for match, number in tally.matches.most_common())}")
    for codes, number in tally.reasons.most_common():
        print(f"  clean by git merge only, because of {codes}: {number}")
    for line in tally.listed[:LISTED]:
        print(f"    {line}")
    if len(tally.listed) > LISTED:
        print(f"    … and {len(tally.listed) - LISTED} more")


def main() -> int:
    """Answers 1 when the engine and git disagree on a clean merge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repositories", nargs="+", type=Path)
    parser.add_argument("--count", type=int, default=300, help="merges of each history")
    parser.add_argument("--without-blobs", action="store_true", help="patches that do not name their base")
    parser.add_argument("--bare", action="store_true", help="patches that name neither their base nor a line")
    parser.add_argument("--folder", type=Path, help="where the scratch checkouts are made")
    options = parser.parse_args()
    wrong = 0
    for repository in options.repositories:
        with TemporaryDirectory(dir=options.folder, prefix="real-merges-") as folder:
            told = "nothing" if options.bare else "lines" if options.without_blobs else "blobs"
            tally = measure(repository.resolve(), Path(folder) / "work", options.count, told)
        report(str(repository), tally)
        wrong += tally.counts["patchctl clean, git merge clean, and another tree"]
    print(f"silently wrong: {wrong}")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
