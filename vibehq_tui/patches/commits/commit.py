"""Commits of patches, through plumbing: exactly what the patch changed, no filter, nobody else's edits.

The commits are made before a file is touched, and pinned by a ref of their own, so that what is left after the
application is to move the branch: one transaction of refs, which fails when somebody else has moved it.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from storage.clock import Clock
from storage.errors import Conflict, Refused
from vibehq_tui.patches.commits.git import branch, head
from vibehq_tui.patches.model import encode_path
from vibehq_tui.patches.planning.plan import Plan
from vibehq_tui.patches.planning.tree import GitTree, git_environment

_TIMEOUT: Final = 600.0
_PINS: Final = "refs/vibehq/pending"
_UNDER_WAY: Final = {
    "MERGE_HEAD": "a merge",
    "CHERRY_PICK_HEAD": "a cherry-pick",
    "REVERT_HEAD": "a revert",
    "rebase-merge": "a rebase",
    "rebase-apply": "a rebase",
    "BISECT_LOG": "a bisection",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitMode:
    """How an applied patch becomes a commit."""

    branch: str | None = None
    """The branch that it goes to; none for the one that is checked out."""
    hooks: bool = False
    """Whether the hooks of the repository run. They look at the work tree, so only on the branch checked out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """What one commit is to hold, and say."""

    plan: Plan
    message: str
    author: str | None = None
    """``Name <address>``, where the patch says who wrote it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """Commits that exist but that no branch shows yet."""

    id: str
    parent: str
    """The commit that they stand on."""
    ref: str
    """``refs/heads/…``, or ``HEAD`` where that is no branch."""
    old: str
    """What ``ref`` was; zeros for a branch that is to be made."""

    @property
    def branch(self) -> str | None:
        """The short name of the branch; none for a detached head."""
        return self.ref.removeprefix("refs/heads/") if self.ref != "HEAD" else None

    @property
    def span(self) -> str:
        """``parent..id``, from which the change can be taken back."""
        return f"{self.parent}..{self.id}"

    def to_meta(self) -> dict[str, str]:
        """For a receipt, from which recovery moves the branch."""
        return {"id": self.id, "parent": self.parent, "ref": self.ref, "old": self.old}

    @classmethod
    def from_meta(cls, meta: dict[str, Any]) -> Commit:
        """The commit that a receipt tells of."""
        return cls(id=meta["id"], parent=meta["parent"], ref=meta["ref"], old=meta["old"])


def target_ref(root: Path, name: str | None) -> str:
    """The full name of the ref that a commit goes to.

    :param name: a branch; none for what is checked out.
    :raises Refused: for what is no name of a branch, or a branch that another work tree has checked out.
    """
    current = branch(root)
    if name is None or name == current:
        return f"refs/heads/{current}" if current is not None else "HEAD"
    try:
        run_git(root, "check-ref-format", "--branch", name)
    except Refused as error:
        raise Refused(
            f"{name!r} is no name of a branch", code="branch-name", hint="letters, digits, - and /"
        ) from error
    ref = f"refs/heads/{name}"
    if f"branch {ref}\n" in run_git(root, "worktree", "list", "--porcelain") + "\n":
        raise Refused(
            f"branch {name} is checked out in another work tree, which would no longer fit it",
            code="branch-checked-out",
            hint="apply the patch there, or name another branch",
        )
    return ref


def tip(root: Path, ref: str) -> str | None:
    """The commit that a ref shows; none when there is no such ref."""
    try:
        return run_git(root, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
    except Refused:
        return None


def check_ready(root: Path, plan: Plan) -> str:
    """The commit that the work tree stands on, if what ``plan`` touches is as committed.

    :raises Refused: without a commit, in the middle of a merge or the like, or when a touched file has changes of its
        own: they would go into the commit of the patch.
    """
    parent = head(root)
    if parent is None:
        raise Refused("there is no commit to put the patch on", code="no-commit", hint="apply it without --commit")
    folder = Path(run_git(root, "rev-parse", "--absolute-git-dir"))
    for name, what in _UNDER_WAY.items():
        if (folder / name).exists():
            raise Refused(f"{what} is under way in the repository", code="git-busy", hint="finish or abort it first")
    tree = GitTree(root, parent)
    try:
        dirty = [effect.path for effect in plan.effects if tree.read(effect.path) != effect.before]
    finally:
        tree.close()
    if not dirty:
        touched = {effect.path for effect in plan.effects}
        listed = run_git(root, "diff-index", "--cached", "--name-only", "--no-renames", "-z", parent)
        dirty = [path for path in listed.split("\0") if path in touched]
    if dirty:
        raise Refused(
            f"{dirty[0]} has changes that are not committed, and they would go into the commit of the patch",
            code="not-committed",
            hint="commit or stash them first, or apply the patch without --commit",
            details={"paths": dirty},
        )
    return parent


def make_commits(root: Path, pieces: Sequence[Piece], parent: str, ref: str, *, actor: str, clock: Clock) -> Commit:
    """Makes a commit of each piece, one on the other; neither the tree nor a branch changes.

    :param actor: who commits, where git knows no name.
    :raises Refused: when git cannot.
    """
    old = tip(root, ref)
    nothing = "0" * len(parent)
    seconds = clock.now() // 1000
    committer = f"{_identity(root, actor)} {seconds} +0000"
    pin = f"{_PINS}/{os.getpid()}-{clock.now()}"
    stream: list[bytes] = []
    for number, piece in enumerate(pieces, 1):
        author = f"{_author(piece.author) or _identity(root, actor)} {seconds} +0000"
        message = piece.message.encode("utf-8", "surrogateescape")
        stream.append(f"commit {pin}\nmark :{number}\n".encode())
        stream.append(f"author {author}\ncommitter {committer}\ndata {len(message)}\n".encode("utf-8", "replace"))
        stream.append(message + b"\n")
        stream.append(f"from {parent if number == 1 else f':{number - 1}'}\n".encode())
        stream.extend(_file_commands(piece.plan))
    stream.append(b"done\n")
    run_git(root, "fast-import", "--quiet", "--done", "--date-format=raw", text=b"".join(stream))
    made = run_git(root, "rev-parse", "--verify", pin)
    run_git(root, "update-ref", _pin_of(made), made, nothing)
    run_git(root, "update-ref", "-d", pin, made)
    return Commit(id=made, parent=parent, ref=ref, old=old or nothing)


def _pin_of(commit: str) -> str:
    return f"{_PINS}/{commit}"


def _file_commands(plan: Plan) -> Iterable[bytes]:
    # Deletions first: a file may take the place of a folder that goes away.
    for effect in plan.effects:
        if effect.after is None:
            yield b"D " + _quoted(effect.path) + b"\n"
    for effect in plan.effects:
        if effect.after is not None:
            content = effect.after.content
            yield f"M {effect.after.mode:o} inline ".encode() + _quoted(effect.path) + b"\n"
            yield b"data %d\n" % len(content) + content + b"\n"


def _quoted(path: str) -> bytes:
    raw = encode_path(path).replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
    return b'"' + raw + b'"'


def publish(root: Path, commit: Commit) -> None:
    """Lets the branch show the commit; where it is checked out, the index follows. May be repeated.

    :raises Conflict: when somebody moved the branch in the meantime; it is left where it is.
    """
    checked_out = commit.ref == target_ref(root, None)
    if tip(root, commit.ref) != commit.id:
        command = f"update {commit.ref} {commit.id} {commit.old}\ndelete {_pin_of(commit.id)}\n"
        if commit.ref == "HEAD":
            command = f"option no-deref\n{command}"
        text = f"start\n{command}prepare\ncommit\n".encode()
        try:
            run_git(root, "update-ref", "-m", "vibehq: apply patch", "--stdin", text=text)
        except Refused as error:
            raise Conflict(
                f"{commit.branch or 'HEAD'} has moved or is locked, so nothing was committed: {error.message}",
                code="branch-moved",
                hint="apply it again",
            ) from error
    if checked_out:
        entries = _changed_entries(root, commit)
        # The index is the operator's desk: where git itself has it locked, the commit counts all the same.
        _run(root, ["update-index", "-z", "--index-info"], entries)


def is_published(root: Path, commit: Commit) -> bool:
    """Whether the branch shows the commit, or has gone on from it."""
    return _run(root, ["merge-base", "--is-ancestor", commit.id, commit.ref]).returncode == 0


def forget(root: Path, commit: Commit) -> None:
    """Lets go of commits that are not wanted any more; git removes them in its own time."""
    _run(root, ["update-ref", "-d", _pin_of(commit.id)])


def _changed_entries(root: Path, commit: Commit) -> bytes:
    """What becomes of the index, as ``git update-index -z --index-info`` reads it."""
    listed = _run(root, ["diff-tree", "-r", "-z", "--no-renames", "--full-index", commit.parent, commit.id]).stdout
    fields = listed.split(b"\0")
    rows = []
    for facts, path in zip(fields[::2], fields[1::2], strict=False):
        _, mode, _, name, _ = facts.split(b" ")
        rows.append((b"0 " + b"0" * len(name) if mode == b"000000" else mode + b" " + name) + b"\t" + path + b"\0")
    return b"".join(rows)


def run_hook(root: Path, hook: str, *arguments: str, tree: str | None = None) -> str:
    """Runs a hook of the repository, if there is one, as the operator's own git would; answers what it printed.

    :param tree: a commit whose content the hook finds in the index.
    :raises Refused: when the hook says no.
    """
    environment = {name: value for name, value in os.environ.items() if name != "GIT_INDEX_FILE"}
    index = root / ".vibehq" / f"hook-{os.getpid()}.index"
    try:
        if tree is not None:
            environment["GIT_INDEX_FILE"] = str(index)
            _check(_run(root, ["read-tree", tree], environment=environment), "read-tree")
        words = ["hook", "run", "--ignore-missing", hook, *(["--", *arguments] if arguments else [])]
        done = _run(root, words, environment=environment)
    finally:
        index.unlink(missing_ok=True)
    printed = (done.stdout + done.stderr).decode("utf-8", "replace").strip()
    if done.returncode != 0:
        raise Refused(
            f"the {hook} hook says no: {printed[-2000:] or f'exit code {done.returncode}'}",
            code="hook-failed",
            hint="mend what it names, or commit without hooks",
        )
    return printed


def worded(root: Path, message: str) -> str:
    """The message as the ``commit-msg`` hook leaves it."""
    file = root / ".vibehq" / f"message-{os.getpid()}"
    try:
        file.write_text(message, encoding="utf-8", errors="surrogateescape")
        run_hook(root, "commit-msg", str(file))
        return file.read_text(encoding="utf-8", errors="surrogateescape")
    finally:
        file.unlink(missing_ok=True)


def _identity(root: Path, actor: str) -> str:
    """``Name <address>`` of the operator, as git knows them here, else the account."""
    known = {
        key: subprocess.run(
            ["git", "config", f"user.{key}"], cwd=root, capture_output=True, text=True, timeout=_TIMEOUT, check=False
        ).stdout.strip()
        for key in ("name", "email")
    }
    name = os.environ.get("GIT_COMMITTER_NAME") or known["name"] or actor
    address = os.environ.get("GIT_COMMITTER_EMAIL") or known["email"] or f"{actor}@localhost"
    return _person(name, address)


def _author(author: str | None) -> str | None:
    name, found, rest = (author or "").partition("<")
    return _person(name, rest.partition(">")[0]) if found else None


def _person(name: str, address: str) -> str:
    """A name and an address without what the format of commits cannot carry."""
    name, address = (
        " ".join("".join(char for char in text if char not in "<>\n\0").split()) for text in (name, address)
    )
    return f"{name} <{address}>" if name else f"<{address}>"


def run_git(root: Path, *arguments: str, text: bytes = b"") -> str:
    """What git answers, without the newline at the end.

    :raises Refused: when git says no; its own words are in the message.
    """
    done = _run(root, list(arguments), text)
    _check(done, arguments[0])
    return done.stdout.decode("utf-8", "surrogateescape").strip("\n")


def _check(done: subprocess.CompletedProcess[bytes], verb: str) -> None:
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip() or f"exit code {done.returncode}"
        raise Refused(f"git {verb}: {said}", code="git-failed")


def _run(
    root: Path, arguments: list[str], text: bytes = b"", *, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Runs git; in its own neutral environment, where hooks and the operator's configuration do not exist."""
    neutral = ["-c", "core.hooksPath=/dev/null", "-c", "core.fsync=committed", "-c", "core.fsmonitor=false"]
    try:
        return subprocess.run(
            ["git", *([] if environment is not None else neutral), *arguments],
            cwd=root,
            env=environment if environment is not None else git_environment(),
            input=text,
            capture_output=True,
            timeout=_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Refused(f"git {arguments[0]} did not work: {error}", code="git-failed") from error
