"""Real commits as drafts, broken in one or two ways, and what the engine made of each, judged by git's trees."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory

from mutation_draft import Draft, DraftFile, read_git_diff, split
from mutation_reading import literal
from mutation_text import render
from mutations import MUTATIONS

from vibehq_tui.patches.errors import AlreadyApplied, PatchConflict, PatchRefused
from vibehq_tui.patches.formats import FORMATS, parse
from vibehq_tui.patches.model import Blob
from vibehq_tui.patches.planning.plan import Plan
from vibehq_tui.patches.planning.planner import make_plan
from vibehq_tui.patches.planning.tree import GitCat, GitTree, Tree

ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "LC_ALL": "C",
}
MOST_FILES = 8
MOST_BYTES = 60_000

EXACT = "exact"
AS_IT_SAYS = "as it says"
RIGHTLY = "rightly refused"
OTHERWISE = "refused otherwise"
CRASHED = "crashed"
WRONG = "WRONG"


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """A commit that can be broken."""

    name: str
    parent: str
    files: list[DraftFile]
    expected: dict[str, Blob | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the engine made of one broken patch."""

    commit: str
    mutations: tuple[str, ...]
    style: str
    outcome: str
    detail: str
    text: bytes
    draft: Draft


def git(repository: Path, *arguments: str) -> bytes:
    """What a git command prints."""
    return subprocess.run(["git", *arguments], cwd=repository, env=ENVIRONMENT, capture_output=True, check=True).stdout


def commits_of(repository: Path, count: int, seed: int) -> Iterator[Commit]:
    """Up to ``count`` commits of the whole history, chosen by the seed."""
    listing = git(repository, "log", "--no-merges", "--format=%H %P", "HEAD").decode().splitlines()
    rows = [row.split() for row in listing if len(row.split()) == 2]
    random.Random(seed).shuffle(rows)
    cat = GitCat(repository)
    found = 0
    try:
        for name, parent in rows:
            if found == count:
                return
            commit = _load(repository, cat, name, parent)
            if commit is not None:
                found += 1
                yield commit
    finally:
        cat.close()


def _load(repository: Path, cat: GitCat, name: str, parent: str) -> Commit | None:
    raw = git(repository, "diff-tree", "-r", "-M", "--raw", "--no-abbrev", "-z", parent, name)
    contents: dict[str, tuple[Blob | None, Blob | None]] = {}
    fields = raw.decode("utf-8", "surrogateescape").split("\0")
    at = 0
    while at < len(fields) - 1:
        old_mode, new_mode, old, new, kind = fields[at].lstrip(":").split(" ")
        paths = fields[at + 1 : at + 3] if kind[0] in "RC" else [fields[at + 1]]
        at += 1 + len(paths)
        before = _blob(cat, old, int(old_mode, 8))
        after = _blob(cat, new, int(new_mode, 8))
        if len(paths) == 1:
            contents[paths[0]] = before, after
        else:
            contents[paths[0]] = before, None
            contents[paths[1]] = None, after
    if not 0 < len(contents) <= MOST_FILES:
        return None
    try:
        text = git(repository, "diff-tree", "-p", "-M", parent, name)
    except subprocess.CalledProcessError:
        return None  # the repository does not have all of its objects
    if len(text) > MOST_BYTES:
        return None
    files = read_git_diff(text, contents)
    if not files:
        return None
    return Commit(name=name, parent=parent, files=files, expected={path: pair[1] for path, pair in contents.items()})


def _blob(cat: GitCat, name: str, mode: int) -> Blob | None:
    content = cat.read(name) if name.strip("0") and mode != 0o160000 else None
    return None if content is None else Blob(content, mode)


class CommitTree:
    """The tree of the parent, with what the draft has changed in it."""

    def __init__(self, below: Tree, changed: dict[str, Blob | None]) -> None:
        self._below = below
        self._changed = changed

    def read(self, path: str) -> Blob | None:
        return self._changed[path] if path in self._changed else self._below.read(path)

    def is_dir(self, path: str) -> bool:
        return any(True for _ in self.files_below(path))

    def files_below(self, path: str) -> Iterator[str]:
        for name in self._below.files_below(path):
            if name not in self._changed:
                yield name
        for name, blob in self._changed.items():
            if blob is not None and name.startswith(path + "/"):
                yield name


class CommitBases:
    """What a work tree at the parent of a commit knows of earlier contents."""

    def __init__(self, repository: Path, parent: str) -> None:
        self._repository = repository
        self._parent = parent
        self._cat: GitCat | None = None

    def _read(self, name: str) -> bytes | None:
        if self._cat is None:
            self._cat = GitCat(self._repository)
        return self._cat.read(name)

    def blob(self, name: str) -> bytes | None:
        return self._read(name)

    def versions(self, path: str) -> Iterator[bytes]:
        for revision in git(self._repository, "rev-list", "-8", self._parent, "--", path).decode().split():
            content = self._read(f"{revision}:{path}")
            if content is not None:
                yield content

    def close(self) -> None:
        if self._cat is not None:
            self._cat.close()
            self._cat = None


def broken(commit: Commit, names: tuple[str, ...], seed: str, *, git_style: bool) -> Draft | None:
    """The commit as a draft, broken in these ways; None when one of them finds nothing to break."""
    chance = random.Random(f"{seed} {commit.name} {names}")
    draft = Draft(
        files=[file.copy() for file in commit.files],
        before={},
        expected=dict(commit.expected),
        style="git" if git_style else "unified",
    )
    if not git_style:
        draft.files = [file for file in draft.files if file.hunks]
        plain = all(file.op in ("modify", "create", "delete") for file in draft.files)
        modes = any(
            line.startswith((b"old mode", b"new file mode 100755")) for file in draft.files for line in file.extended
        )
        if len(draft.files) < len(commit.files) or not plain or modes:
            return None
    for name in names:
        if not MUTATIONS[name](draft, chance):
            return None
    return None if draft.cut is not None and draft.bare & {"tree", "order"} else draft


def judge(commit: Commit, names: tuple[str, ...], draft: Draft, below: Tree, bases: CommitBases) -> Outcome:
    """Runs the engine on a draft, in memory, and compares."""
    text = render(draft)
    outcome, detail = _outcome(draft, text, CommitTree(below, draft.before), bases)
    return Outcome(
        commit=commit.name, mutations=names, style=draft.style, outcome=outcome, detail=detail, text=text, draft=draft
    )


def _outcome(draft: Draft, text: bytes, tree: CommitTree, bases: CommitBases) -> tuple[str, str]:
    try:
        plan = make_plan(parse(text), tree, bases=lambda: bases)
    except AlreadyApplied:
        # It exits with 0, so saying this of a tree that lacks something is as wrong as a wrong change.
        return (EXACT if _nothing_left(draft, tree) else WRONG), "already-applied"
    except (PatchRefused, PatchConflict) as error:
        codes = sorted({problem.code for problem in error.problems})
        told = "; ".join(f"{problem.code}: {problem.message}" for problem in error.problems)
        return (RIGHTLY if draft.fine.issuperset(codes) else OTHERWISE), told
    except Exception as error:  # noqa: BLE001 - any other error is what is looked for here
        return CRASHED, repr(error)
    if _makes(plan, draft.expected, tree):
        return EXACT, ",".join(sorted({repair.code for repair in plan.repairs}))
    if draft.style in ("git", "unified"):
        plain = text.replace(b"\r\n", b"\n") if draft.crlf else text
        said = literal(plain, tree.read, draft.prefixes[1] + draft.folder)
        if said is not None and _makes(plan, said, tree):
            return AS_IT_SAYS, ""
    if any("merge" in (hunk.match for hunk in file.hunks) for file in plan.files):
        merged = _merged(draft, tree)
        if merged is not None and _makes(plan, merged, tree):
            return AS_IT_SAYS, "what git merge-file makes of it"
    return WRONG, _difference(plan, draft.expected, tree)


def _merged(draft: Draft, tree: CommitTree) -> dict[str, Blob | None] | None:
    """What git makes of the tree, the parent and the commit; None when it sees a conflict.

    Where a block stands in the file a second time, nobody can know which of the two is the one that was there before.
    """
    wanted = dict(draft.expected)
    for file in draft.files:
        ours = tree.read(file.from_ or file.path)
        if ours is None or file.before is None or file.after is None:
            continue
        with TemporaryDirectory() as folder:
            names = [Path(folder, name) for name in ("ours", "base", "theirs")]
            for path, content in zip(names, (ours.content, file.before, file.after), strict=True):
                path.write_bytes(content)
            command = ["git", "merge-file", "-p", *map(str, names)]
            done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, check=False)
        if done.returncode != 0:
            return None
        blob = wanted.get(file.path)
        wanted[file.path] = Blob(done.stdout, ours.mode if blob is None else blob.mode)
    return wanted


def _nothing_left(draft: Draft, tree: CommitTree) -> bool:
    return all(tree.read(path) == blob for path, blob in draft.expected.items())


def _makes(plan: Plan, wanted: dict[str, Blob | None], tree: CommitTree) -> bool:
    made = {effect.path: effect.after for effect in plan.effects}
    return all(
        (made[path] if path in made else tree.read(path)) == (wanted[path] if path in wanted else tree.read(path))
        for path in {*made, *wanted}
    )


def _difference(plan: Plan, wanted: dict[str, Blob | None], tree: CommitTree) -> str:
    import difflib  # noqa: PLC0415 - only for what must not happen

    made = {effect.path: effect.after for effect in plan.effects}
    told = [f"repairs {[repair.code for repair in plan.repairs]}, warnings {list(plan.warnings)}"]
    for path in sorted({*made, *wanted}):
        ours = made[path] if path in made else tree.read(path)
        theirs = wanted[path] if path in wanted else tree.read(path)
        if ours != theirs:
            rows = difflib.unified_diff(
                repr_lines(theirs), repr_lines(ours), f"expected {path}", f"made {path}", lineterm="", n=1
            )
            told += list(rows)[:24]
    return "\n".join(told)


def repr_lines(blob: Blob | None) -> list[str]:
    """The lines of a file as they can be told apart on a screen."""
    return [] if blob is None else [f"mode {blob.mode:o}", *[repr(line)[2:-1] for line in split(blob.content)]]


def run(
    repository: Path, *, commits: int, seed: int, pairs: int, names: tuple[str, ...] = tuple(MUTATIONS)
) -> Iterator[Outcome]:
    """Every mutation alone, and ``pairs`` pairs of them, on each commit."""
    both = list(combinations([name for name in names if name != "as it was"], 2))
    for commit in commits_of(repository, commits, seed):
        chance = random.Random(f"{seed} {commit.name}")
        ways = [(name,) for name in names]
        ways += [tuple(chance.sample(pair, 2)) for pair in chance.sample(both, min(pairs, len(both)))]
        below = GitTree(repository, commit.parent)
        bases = CommitBases(repository, commit.parent)
        try:
            for way in ways:
                for git_style in (True, False):
                    draft = broken(commit, way, str(seed), git_style=git_style)
                    if draft is not None and not (draft.style not in ("git", "unified") and git_style):
                        yield judge(commit, way, draft, below, bases)
        finally:
            below.close()
            bases.close()


def known_formats() -> frozenset[str]:
    """The formats that the engine reads."""
    return frozenset(FORMATS)


def reproduced(outcome: Outcome, folder: Path, name: str) -> Path:
    """Writes the text of a patch, and the files that it is for, to look at."""
    target = folder / name
    for path, blob in outcome.draft.before.items():
        if blob is not None:
            file = target / "tree" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(blob.content)
    target.mkdir(parents=True, exist_ok=True)
    (target / "patch").write_bytes(outcome.text)
    return target


def unbroken(outcome: Outcome) -> Outcome:
    """Without the texts."""
    return replace(outcome, text=b"")
