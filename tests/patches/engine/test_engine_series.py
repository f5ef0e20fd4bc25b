"""The patches of a series share one file in the journal: every one is safe, and can be taken back, all the same."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from engine_helpers import Box, State

from storage.errors import Refused
from vibehq_tui.patches.applying import files
from vibehq_tui.patches.applying.apply import Applier
from vibehq_tui.patches.applying.engine import series
from vibehq_tui.patches.applying.files import Files
from vibehq_tui.patches.errors import PatchConflict
from vibehq_tui.patches.formats import parse
from vibehq_tui.patches.planning.plan import Plan
from vibehq_tui.patches.planning.planner import make_plan
from vibehq_tui.patches.planning.tree import WorkTree

HERE = Path(__file__).parent
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(HERE.parents[2])}


def patches_of(box: Box, count: int) -> tuple[list[bytes], list[State]]:
    """Patches that each build on the one before, and the states around them. The tree is as before the first."""
    box.lines("a.txt")
    box.lines("src/b.txt", prefix="other")
    box.commit()
    texts: list[bytes] = []
    states = [box.state()]
    for number in range(count):
        box.write("a.txt", box.read("a.txt").replace(b"line %d\n" % (number * 3 + 5), b"patch %d\n" % number))
        box.write(f"new/{number}.txt", f"made by {number}\n")
        if number == 2:
            (box.root / "src/b.txt").rename(box.root / "src/c.txt")
        states.append(box.state())
        box.git("add", "-A")
        texts.append(box.git("diff", "--cached", "-M"))
        box.git("commit", "-q", "-m", "next")
    box.git("reset", "-q", "--hard", f"HEAD~{count}")
    assert box.state() == states[0]
    return texts, states


def plan_of(box: Box, text: bytes) -> Plan:
    return make_plan(parse(text), WorkTree(box.root))


def test_every_patch_of_a_series_has_its_receipt(box: Box) -> None:
    texts, states = patches_of(box, 5)
    names = []
    with series(box.root) as run:
        for text, state in zip(texts, states[1:], strict=True):
            result = run.run(text)
            assert result.receipt is not None
            names.append(result.receipt)
            assert box.state() == state
            assert [item.id for item in Applier(box.root).receipts()] == sorted(names, reverse=True)
    receipts = box.root / ".vibehq/receipts"
    assert sorted(path.name for path in receipts.iterdir()) == sorted(names)
    assert len({path.stat().st_ino for path in receipts.iterdir()}) == 1
    assert not list((box.root / ".vibehq/journal").iterdir())
    applier = Applier(box.root)
    listed = applier.receipts()
    assert [item.id for item in listed] == sorted(names, reverse=True)
    for number in range(4, -1, -1):
        assert [file.path for file in applier.load(names[number]).plan.files][:1] == ["a.txt"]
        applier.revert(names[number])
        assert box.state() == states[number]
    (receipts / names[0]).unlink()
    assert names[0] not in [item.id for item in applier.receipts()]
    assert applier.load(names[1]).id == names[1]


def test_a_file_system_without_links(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    texts, states = patches_of(box, 3)

    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(errno.EPERM, "not here")

    monkeypatch.setattr(os, "link", refuse)
    with series(box.root) as run:
        names = [run.run(text).receipt for text in texts]
    applier = Applier(box.root)
    assert sorted(item.id for item in applier.receipts()) == sorted(name for name in names if name)
    applier.revert(names[2] or "")
    assert box.state() == states[2]


def test_what_is_not_whole_at_the_end_does_not_count(box: Box) -> None:
    texts, states = patches_of(box, 3)
    with Applier(box.root).lock():
        pass
    process = killed_in_a_series(box, texts, None)
    assert process.returncode == -signal.SIGKILL
    (record,) = (box.root / ".vibehq/journal").iterdir()
    whole = record.read_bytes().rstrip(b"\0")
    last = whole.rindex(b"vibehq-receipt 1 ")
    for cut in (
        whole[:-1],
        whole[: last + 30],
        whole[: last + 1],
        whole[:-1] + bytes(5000),
        whole[: last + 30] + bytes(9),
    ):
        record.write_bytes(cut)
        told = Applier(box.root).recover()
        assert [item.receipt for item in told] == ["r0", "r1"]
        assert [item.id for item in sorted(Applier(box.root).receipts(), key=lambda item: item.id)] == ["r0", "r1"]
        for path in (box.root / ".vibehq/receipts").iterdir():
            path.unlink()
        record.write_bytes(whole)
    middle = whole.index(b"vibehq-receipt 1 ", 10)
    record.write_bytes(whole[: middle + 200] + b"x" + whole[middle + 201 :])
    with pytest.raises(Refused, match="damaged"):
        Applier(box.root).recover()
    record.write_bytes(whole)
    told = Applier(box.root).recover()
    assert [(item.receipt, item.outcome, item.left) for item in told] == [(f"r{n}", "completed", ()) for n in range(3)]
    assert box.state() == states[3]


WORKER = """
import os, signal, sys
from pathlib import Path
from vibehq_tui.patches.applying import files
from vibehq_tui.patches.applying.apply import Applier
from vibehq_tui.patches.formats import parse
from vibehq_tui.patches.planning.planner import make_plan
from vibehq_tui.patches.planning.tree import WorkTree
root, deadly, trial = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
calls = 0
def counted(function):
    def call(*arguments, **options):
        global calls
        calls += 1
        if calls == deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **options)
    return call
applier = Applier(root)
with applier.lock():
    for name in ("rename", "unlink", "mkdir", "rmdir", "write", "fsync", "fdatasync", "ftruncate", "link", "open"):
        setattr(os, name, counted(getattr(os, name)))
    for number, patch in enumerate(sys.argv[4:]):
        plan = make_plan(parse(Path(patch).read_bytes()), WorkTree(root))
        applier.apply(plan, receipt=f"r{number}")
        if trial == "withdraw" and number == 1:
            applier.hold("r1")
            applier.withdraw("r1")
        if trial == "keep" and number == 1:
            applier.hold("r1")
            applier.keep("r1")
    if deadly < 0:
        os.kill(os.getpid(), signal.SIGKILL)
print(calls)
"""


def killed_in_a_series(
    box: Box, texts: list[bytes], deadly: int | None, trial: str = ""
) -> subprocess.CompletedProcess[bytes]:
    """Applies texts as r0, r1, …, and dies before a call of the system, or (None) before the series is settled."""
    paths = []
    for number, text in enumerate(texts):
        path = box.root.parent / f"patch{number}"
        path.write_bytes(text)
        paths.append(str(path))
    arguments = [str(box.root), str(-1 if deadly is None else deadly), trial, *paths]
    return subprocess.run([sys.executable, "-c", WORKER, *arguments], env=ENVIRONMENT, capture_output=True, check=False)


def forget(box: Box) -> None:
    """Back to before the series, as if nothing had been."""
    for folder in ("receipts", "journal", "tmp"):
        for path in (box.root / ".vibehq" / folder).glob("*"):
            path.unlink()
    box.git("reset", "-q", "--hard")
    box.git("clean", "-fdq")


def outcome(box: Box) -> list[str]:
    """Recovers; answers the receipts that there are then."""
    applier = Applier(box.root)
    assert all(item.left == () for item in applier.recover())
    assert not applier.unfinished()
    assert not list((box.root / ".vibehq").glob("tmp/*"))
    return sorted(item.id for item in applier.receipts())


@pytest.mark.parametrize("share", range(2))
def test_killed_in_a_series(box: Box, share: int) -> None:
    texts, states = patches_of(box, 4)
    done = killed_in_a_series(box, texts, 0)
    assert outcome(box) == ["r0", "r1", "r2", "r3"], done.stderr.decode()
    assert box.state() == states[4]
    forget(box)
    seen = []
    for deadly in range(1 + share, int(done.stdout) + 1, 6):
        assert killed_in_a_series(box, texts, deadly).returncode == -signal.SIGKILL
        names = outcome(box)
        assert names == [f"r{number}" for number in range(len(names))]
        assert box.state() == states[len(names)]
        seen.append(len(names))
        forget(box)
    assert seen == sorted(seen)
    assert {1, 2, 3} <= set(seen)


@pytest.mark.parametrize("trial", ["withdraw", "keep"])
def test_killed_while_one_of_a_series_is_on_trial(box: Box, trial: str) -> None:
    texts, states = patches_of(box, 2)
    done = killed_in_a_series(box, texts, 0, trial)
    kept = ["r0", "r1"] if trial == "keep" else ["r0"]
    assert outcome(box) == kept, done.stderr.decode()
    assert box.state() == states[len(kept)]
    forget(box)
    for deadly in range(1, int(done.stdout) + 1, 2):
        assert killed_in_a_series(box, texts, deadly, trial).returncode == -signal.SIGKILL
        names = outcome(box)
        assert names == ["r0", "r1"][: len(names)]
        assert box.state() == states[len(names)]
        forget(box)


@contextmanager
def failing_rename(target: str) -> Iterator[None]:
    """No file gets the name ``target``."""
    rename = os.rename

    def fail(source: Any, name: Any, **options: Any) -> None:
        if os.fsencode(name).endswith(target.encode()):
            raise OSError(errno.EIO, "broken")
        rename(source, name, **options)

    os.rename = fail
    try:
        yield
    finally:
        os.rename = rename


def test_one_of_a_series_fails_and_is_taken_back(box: Box) -> None:
    texts, states = patches_of(box, 4)
    applier = Applier(box.root)
    with applier.lock():
        applier.apply(plan_of(box, texts[0]), receipt="r0")
        with failing_rename("1.txt"), pytest.raises(Refused, match="taken back"):
            applier.apply(plan_of(box, texts[1]), receipt="r1")
        assert box.state() == states[1]
        assert applier.find("r1") is None
        applier.apply(plan_of(box, texts[1]), receipt="r1")
        applier.apply(plan_of(box, texts[2]), receipt="r2")
        applier.hold("r2")
        applier.withdraw("r2")
        assert box.state() == states[2]
        applier.apply(plan_of(box, texts[2]), receipt="r2")
        applier.hold("r2")
        applier.keep("r2")
        applier.apply(plan_of(box, texts[3]), receipt="r3")
        assert applier.load("r2").id == "r2"
    assert box.state() == states[4]
    assert outcome(box) == ["r0", "r1", "r2", "r3"]
    applier.revert("r3")
    applier.revert("r2")
    assert box.state() == states[2]


def test_a_full_disk_while_a_record_is_added(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    texts, states = patches_of(box, 2)
    applier = Applier(box.root)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with applier.lock():
        applier.apply(plan_of(box, texts[0]), receipt="r0")
        plan = plan_of(box, texts[1])
        with monkeypatch.context() as patched:
            patched.setattr(os, "fdatasync", full)
            with pytest.raises(Refused, match="nothing was changed"):
                applier.apply(plan, receipt="r1")
        assert box.state() == states[1]
        applier.apply(plan, receipt="r1")
    assert box.state() == states[2]
    assert outcome(box) == ["r0", "r1"]


def test_only_what_was_applied_last_can_be_put_on_trial(box: Box) -> None:
    texts, _ = patches_of(box, 2)
    applier = Applier(box.root)
    with applier.lock():
        for number, text in enumerate(texts):
            applier.apply(plan_of(box, text), receipt=f"r{number}")
        with pytest.raises(ValueError, match="last"):
            applier.hold("r0")
    assert outcome(box) == ["r0", "r1"]


def test_a_file_that_is_replaced_in_the_last_instant_is_kept(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    texts, states = patches_of(box, 2)
    applier = Applier(box.root)
    check = Files.check_unchanged

    def too_early(self: Files, path: str, known: Any) -> None:
        check(self, path, known)
        if path == "a.txt":
            box.write("other", "somebody else\n").rename(box.root / "a.txt")

    with applier.lock():
        applier.apply(plan_of(box, texts[0]), receipt="r0")
        plan = plan_of(box, texts[1])
        with monkeypatch.context() as patched:
            patched.setattr(Files, "check_unchanged", too_early)
            with pytest.raises(PatchConflict, match="changed"):
                applier.apply(plan, receipt="r1")
    assert box.read("a.txt") == b"somebody else\n"
    assert {path: blob for path, blob in box.state().items() if path != "a.txt"} == {
        path: blob for path, blob in states[1].items() if path != "a.txt"
    }
    assert outcome(box) == ["r0"]


@pytest.mark.parametrize("known", [None, lambda *_: False])
def test_a_system_that_cannot_exchange_files(box: Box, monkeypatch: pytest.MonkeyPatch, known: Any) -> None:
    texts, states = patches_of(box, 3)
    monkeypatch.setattr(files, "find_exchange", lambda: known)
    with series(box.root) as run:
        assert [run.run(text).result for text in texts] == ["applied"] * 3
    assert box.state() == states[3]
    assert not list((box.root / ".vibehq").glob("tmp/*"))


def test_a_record_that_is_larger_than_the_room_made_ahead(box: Box) -> None:
    texts, states = patches_of(box, 3)
    large = b"".join(b"+%040d\n" % number for number in range(40_000))
    texts.insert(2, b"--- /dev/null\n+++ b/large.txt\n@@ -0,0 +1,40000 @@\n" + large)
    process = killed_in_a_series(box, texts, None)
    assert process.returncode == -signal.SIGKILL, process.stderr.decode()
    assert outcome(box) == ["r0", "r1", "r2", "r3"]
    assert box.read("large.txt") == large.replace(b"+", b"")
    applier = Applier(box.root)
    applier.revert("r2")
    assert box.state() == states[3]
