"""All or nothing: what fails is taken back, what dies is carried on, what somebody else wrote is left alone."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from engine_helpers import Box, State

from storage.errors import Busy, NotFound, Refused, VibeError
from vibehq_tui.patches.applying import files as files_module
from vibehq_tui.patches.applying.apply import Applier
from vibehq_tui.patches.applying.journal import decode, encode
from vibehq_tui.patches.errors import AlreadyApplied, PatchConflict
from vibehq_tui.patches.formats import parse
from vibehq_tui.patches.planning.plan import Plan
from vibehq_tui.patches.planning.planner import make_plan
from vibehq_tui.patches.planning.tree import OverlayTree, WorkTree


def plan_of(box: Box, text: bytes | str) -> Plan:
    return make_plan(parse(text.encode() if isinstance(text, str) else text), WorkTree(box.root))


ROOT = Path(__file__).parents[3]


@pytest.fixture
def many(box: Box) -> tuple[Box, Plan, State, State]:
    """A root with one change of every kind planned: the state before, and the one after."""
    for name in ("change", "gone/deep/file", "old/name", "mode", "swap1", "swap2", "file"):
        box.lines(name, 200, name)
    (box.root / "link").symlink_to("change")
    box.commit()
    before = box.state()
    box.write("change", box.read("change").replace(b"change 7\n", b"seven\n"))
    box.git("rm", "-q", "gone/deep/file")
    box.git("mv", "old/name", "new/place") if (box.root / "new").mkdir() is None else None
    (box.root / "mode").chmod(0o755)
    (box.root / "link").unlink()
    (box.root / "link").symlink_to("mode")
    first, second = box.read("swap1"), box.read("swap2")
    box.write("swap1", second)
    box.write("swap2", first)
    (box.root / "file").unlink()
    box.write("file/is/folder", "x\n")
    box.write("made/here", "\0binary")
    after = box.state()
    plan = plan_of(box, box.diff("-M", "-B", "--full-index"))
    assert box.state() == before
    return box, plan, before, after


def test_apply_and_revert(many: tuple[Box, Plan, State, State]) -> None:
    box, plan, before, after = many
    applier = Applier(box.root)
    receipt = applier.apply(plan, meta={"patch": "7"})
    assert box.state() == after
    assert not (box.root / "gone").exists()
    assert not (box.root / "old").exists()
    undone = applier.revert(receipt)
    assert box.state() == before
    assert not (box.root / "made").exists()
    assert [(item.id, item.kind) for item in applier.receipts()] == [(undone, "revert"), (receipt, "apply")]
    assert applier.load(undone).meta["reverts"] == receipt
    again = applier.revert(undone)
    assert box.state() == after
    assert applier.load(again).kind == "revert"


def test_a_receipt_holds_the_whole_plan(many: tuple[Box, Plan, State, State]) -> None:
    box, plan, _, _ = many
    applier = Applier(box.root)
    receipt = applier.apply(plan, receipt="mine", meta={"patch": "7"})
    assert receipt == "mine"
    loaded = applier.load("mine")
    assert loaded.plan == plan
    assert loaded.plan.hash == plan.hash
    assert (loaded.meta, loaded.kind) == ({"patch": "7"}, "apply")
    assert b"".join(encode(loaded)) == b"".join(encode(decode(b"".join(encode(loaded)), "x")))


def test_a_damaged_receipt_is_told(box: Box) -> None:
    box.lines("f")
    applier = Applier(box.root)
    receipt = applier.apply(plan_of(box, "--- a/f\n+++ b/f\n@@ -1 +1 @@\n-line 1\n+x\n"))
    path = box.root / ".vibehq/receipts" / receipt
    data = path.read_bytes()
    for broken in (data[:-5], data.replace(b"line 7", b"line 8"), b"", b"vibehq-receipt 1 x y\n"):
        path.write_bytes(broken)
        with pytest.raises(Refused, match="damaged"):
            applier.load(receipt)


@pytest.mark.parametrize("name", ["../x", "", "a/b", "x" * 200, "none", ".tmp", "a.undo"])
def test_unknown_receipts(box: Box, name: str) -> None:
    with pytest.raises(NotFound):
        Applier(box.root).load(name)
    assert Applier(box.root).find(name) is None


def test_receipt_names_are_never_used_twice(box: Box) -> None:
    class Stopped:
        def now(self) -> Any:
            return 1_700_000_000_123

        def boot(self) -> float:
            return 1.0

    applier = Applier(box.root, clock=Stopped())
    assert [applier.new_receipt() for _ in range(3)] == [
        "20231114-221320-123",
        "20231114-221320-123-2",
        "20231114-221320-123-3",
    ]


def test_nothing_else_is_touched(many: tuple[Box, Plan, State, State]) -> None:
    box, plan, _, after = many
    box.write("mine", "not committed\n")
    box.write("gone/deep/other", "not planned\n")
    Applier(box.root).apply(plan)
    assert box.state() == after | {
        "mine": (0o100644, b"not committed\n"),
        "gone/deep/other": (0o100644, b"not planned\n"),
    }
    assert box.git("status", "--porcelain", "--", "mine") == b"?? mine\n"
    assert box.git("status", "--porcelain", "--", ".vibehq") == b""


@pytest.mark.parametrize("path", ["change", "gone/deep/file", "old/name", "swap1", "made/here", "new/place", "link"])
def test_a_file_that_changed_since_the_plan(many: tuple[Box, Plan, State, State], path: str) -> None:
    box, plan, _, _ = many
    if (box.root / path).is_symlink():
        (box.root / path).unlink()
    box.write(path, "somebody else\n")
    before = box.state()
    with pytest.raises(PatchConflict) as caught:
        Applier(box.root).apply(plan)
    assert {problem.code for problem in caught.value.problems} == {"changed-meanwhile"}
    assert path in {problem.path for problem in caught.value.problems}
    assert box.state() == before


def test_a_mode_that_changed_since_the_plan(many: tuple[Box, Plan, State, State]) -> None:
    box, plan, _, _ = many
    (box.root / "change").chmod(0o755)
    with pytest.raises(PatchConflict):
        Applier(box.root).apply(plan)


def test_a_folder_in_the_way(many: tuple[Box, Plan, State, State]) -> None:
    box, plan, _, _ = many
    box.write("made/here/inside", "x\n")
    before = box.state()
    with pytest.raises(PatchConflict):
        Applier(box.root).apply(plan)
    assert box.state() == before


def test_revert_of_what_changed_since(many: tuple[Box, Plan, State, State]) -> None:
    box, plan, _, _ = many
    applier = Applier(box.root)
    receipt = applier.apply(plan)
    box.write("change", "edited since\n")
    before = box.state()
    with pytest.raises(PatchConflict):
        applier.revert(receipt)
    assert box.state() == before


def test_revert_twice(many: tuple[Box, Plan, State, State]) -> None:
    box, plan, _, _ = many
    applier = Applier(box.root)
    receipt = applier.apply(plan)
    applier.revert(receipt)
    with pytest.raises(AlreadyApplied):
        applier.revert(receipt)


class System:
    """The module ``os`` with one function replaced, for one module alone."""

    def __init__(self, name: str, function: Callable[..., Any]) -> None:
        setattr(self, name, function)

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)


class Failing:
    """Lets a number of calls of a system function through, and refuses all others for a while."""

    def __init__(self, function: Callable[..., Any], good: int, code: int, bad: int = 1) -> None:
        self.function, self.good, self.code, self.bad = function, good, code, bad

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        self.good -= 1
        if self.good < 0 and self.bad > 0:
            self.bad -= 1
            raise OSError(self.code, os.strerror(self.code))
        return self.function(*arguments, **options)


@pytest.mark.parametrize("code", [errno.EACCES, errno.ENOSPC, errno.EROFS, errno.EIO])
@pytest.mark.parametrize("call", ["rename", "unlink", "symlink", "open"])
@pytest.mark.parametrize("good", range(6))
def test_a_failure_in_the_middle_takes_everything_back(
    many: tuple[Box, Plan, State, State], monkeypatch: pytest.MonkeyPatch, call: str, good: int, code: int
) -> None:
    box, plan, before, after = many
    applier = Applier(box.root)
    with applier.lock():
        failing = Failing(getattr(os, call), good, code)
        with monkeypatch.context() as patched:
            patched.setattr(files_module, "os", System(call, failing))
            try:
                applier.apply(plan)
            except Refused as error:
                assert error.code in ("io-error", "unreadable")
                assert error.hint or code == errno.EIO
                assert box.state() == before
            else:
                assert box.state() == after
        assert list((box.root / ".vibehq").glob("tmp/*")) == []
    assert not applier.unfinished()


def test_a_failure_while_taking_back_is_settled_later(
    many: tuple[Box, Plan, State, State], monkeypatch: pytest.MonkeyPatch
) -> None:
    box, plan, before, after = many
    applier = Applier(box.root)
    with monkeypatch.context() as patched:
        patched.setattr(files_module, "os", System("rename", Failing(os.rename, 2, errno.EIO, bad=100)))
        with pytest.raises(Refused) as caught:
            applier.apply(plan)
    assert caught.value.code == "half-done"
    assert box.state() not in (before, after)
    assert applier.unfinished()
    told = Applier(box.root).recover()
    assert [(item.outcome, item.left) for item in told] == [("taken-back", ())]
    assert box.state() == before


@pytest.mark.parametrize("call", ["rename", "fsync", "write", "open", "unlink"])
@pytest.mark.parametrize("good", range(8))
def test_a_failure_anywhere_leaves_before_or_after(
    many: tuple[Box, Plan, State, State], monkeypatch: pytest.MonkeyPatch, call: str, good: int
) -> None:
    """Also where the journal is written, committed and finished."""
    box, plan, before, after = many
    with monkeypatch.context() as patched:
        patched.setattr(os, call, Failing(getattr(os, call), good, errno.EIO))
        try:
            Applier(box.root).apply(plan)
        except VibeError:
            raised = True
        else:
            raised = False
    applier = Applier(box.root)
    if raised and not applier.unfinished() and not applier.receipts():
        assert box.state() == before
    applier.recover()
    assert box.state() in (before, after)
    assert raised or box.state() == after
    assert not applier.unfinished()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_a_read_only_file_is_not_replaced(many: tuple[Box, Plan, State, State]) -> None:
    box, plan, _, _ = many
    (box.root / "change").chmod(0o444)
    with pytest.raises(PatchConflict):
        Applier(box.root).apply(plan)


UNPRIVILEGED = """
import os, sys
from pathlib import Path
from vibehq_tui.patches.planning import diff
from vibehq_tui.patches.applying import recovery
from vibehq_tui.patches.applying.engine import apply_text
from vibehq_tui.patches.formats import diffs
os.setgroups([]); os.setgid(65534); os.setuid(65534)
result = apply_text(sys.stdin.buffer.read(), Path(sys.argv[1]))
print(result.result, [problem.code for problem in result.errors])
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs to become somebody else")
@pytest.mark.parametrize("what", ["file", "folder"])
def test_no_permission_on_the_third_of_five(box: Box, what: str) -> None:
    patch = ""
    for number in range(5):
        box.write(f"d{number}/f", "old\n")
        patch += f"--- a/d{number}/f\n+++ b/d{number}/f\n@@ -1 +1 @@\n-old\n+new\n"
    for path in [box.root, *box.root.rglob("*")]:
        os.chown(path, 65534, 65534)
    (box.root / "d2/f" if what == "file" else box.root / "d2").chmod(0o444 if what == "file" else 0o555)
    box.root.parent.chmod(0o755)
    for folder in box.root.parents:
        if folder.stat().st_uid == os.geteuid() and folder.stat().st_mode & 0o005 != 0o005:
            folder.chmod(folder.stat().st_mode | 0o005)
    before = box.state()
    done = subprocess.run(
        [sys.executable, "-c", UNPRIVILEGED, str(box.root)],
        input=patch.encode(),
        capture_output=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    expected = "conflict ['not-writable']" if what == "file" else "refused ['io-error']"
    assert done.stdout.decode().strip() == expected, done.stderr.decode()
    assert box.state() == before


def test_two_appliers_wait_for_each_other(many: tuple[Box, Plan, State, State]) -> None:
    box, plan, _, after = many
    holder, other = Applier(box.root), Applier(box.root)
    with holder.lock():
        with pytest.raises(Busy), other.lock(0):
            raise AssertionError("both have it")
        done: list[str] = []
        worker = threading.Thread(target=lambda: done.append(other.apply(plan)))
        worker.start()
        assert done == []
    worker.join(10)
    assert len(done) == 1
    assert box.state() == after


def test_a_lock_taken_in_one_thread_is_used_in_another(many: tuple[Box, Plan, State, State]) -> None:
    box, plan, _, after = many
    applier = Applier(box.root)
    with applier.lock():
        worker = threading.Thread(target=applier.apply, args=(plan,))
        worker.start()
        worker.join(10)
        assert box.state() == after


SIGNALLED = """
import os, signal
from vibehq_tui.patches.applying.apply import signals_held
got = []
signal.signal(signal.SIGTERM, lambda number, _: got.append(number))
with signals_held():
    os.kill(os.getpid(), signal.SIGTERM)
    print(got)
print(got)
"""


def test_signals_wait_for_the_end() -> None:
    """In a process of its own: in one with several threads, another of them may take the signal."""
    done = subprocess.run([sys.executable, "-c", SIGNALLED], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split("\n") == ["[]", f"[{signal.SIGTERM.value}]", ""]


def test_an_application_on_trial_is_taken_back(many: tuple[Box, Plan, State, State]) -> None:
    box, plan, before, after = many
    applier = Applier(box.root)
    with applier.lock():
        receipt = applier.apply(plan)
        applier.hold(receipt)
        assert box.state() == after
        applier.withdraw(receipt)
        assert box.state() == before
        assert applier.find(receipt) is None
        second = applier.apply(plan)
        applier.hold(second)
        applier.keep(second)
    assert box.state() == after
    assert applier.load(second).plan == plan


def test_what_changed_on_trial_is_left_alone(many: tuple[Box, Plan, State, State]) -> None:
    box, plan, before, _ = many
    applier = Applier(box.root)
    with applier.lock():
        receipt = applier.apply(plan)
        applier.hold(receipt)
        box.write("change", "edited during the check\n")
        with pytest.raises(Refused, match="change was changed"):
            applier.withdraw(receipt)
    assert box.state() == before | {"change": (0o100644, b"edited during the check\n")}


def test_a_series_is_settled_once(box: Box) -> None:
    box.write("f", "0\n")
    applier = Applier(box.root)
    receipts = []
    with applier.lock():
        for number in range(5):
            receipts.append(applier.apply(plan_of(box, f"--- a/f\n+++ b/f\n@@ -1 +1 @@\n-{number}\n+{number + 1}\n")))
            assert applier.load(receipts[-1]).plan.files[0].after == f"{number + 1}\n".encode()
        assert applier.unfinished()
        applier.settle()
        assert not applier.unfinished()
    for number, receipt in reversed(list(enumerate(receipts))):
        applier.revert(receipt)
        assert box.read("f") == f"{number}\n".encode()


def died_after(box: Box, plans: list[Plan], done: int) -> list[str]:
    """The journal of a process that died when ``done`` files of its last plan were in place."""
    applier = Applier(box.root)
    names: list[str] = []
    lock = applier.lock()
    lock.__enter__()
    for plan in plans[:-1]:
        names.append(applier.apply(plan))
    real = files_module.Files.put
    count = 0

    class Died(BaseException):
        pass

    def put(self: files_module.Files, *arguments: Any) -> None:
        nonlocal count
        if count == done:
            raise Died
        count += 1
        real(self, *arguments)

    files_module.Files.put = put  # type: ignore[method-assign]
    try:
        names.append(applier.new_receipt())
        with pytest.raises(Died):
            applier.apply(plans[-1], receipt=names[-1])
    finally:
        files_module.Files.put = real  # type: ignore[method-assign]
    applier._unsettled.clear()
    lock.__exit__(None, None, None)
    return names


@pytest.mark.parametrize("done", [0, 1, 3, 5])
def test_recovery_carries_on(many: tuple[Box, Plan, State, State], done: int) -> None:
    box, plan, _, after = many
    (name,) = died_after(box, [plan], done)
    applier = Applier(box.root)
    assert applier.unfinished()
    told = applier.recover()
    assert [(item.receipt, item.kind, item.outcome, item.left) for item in told] == [(name, "apply", "completed", ())]
    assert box.state() == after
    assert applier.recover() == []
    assert applier.load(name).plan == plan


def test_recovery_of_a_series(box: Box) -> None:
    box.write("f", "0\n")
    box.write("g", "0\n")
    hunks = [f"@@ -1 +1 @@\n-{n}\n+{n + 1}\n" for n in range(3)]
    texts = [f"--- a/f\n+++ b/f\n{hunk}--- a/g\n+++ b/g\n{hunk}" for hunk in hunks]
    plans: list[Plan] = []
    tree: Any = WorkTree(box.root)
    for text in texts:
        plans.append(make_plan(parse(text.encode()), tree))
        tree = OverlayTree(tree, plans[-1])
    names = died_after(box, plans, 1)
    assert box.read("f") != box.read("g")
    told = Applier(box.root).recover()
    assert [item.receipt for item in told] == names
    assert all(item.left == () for item in told)
    assert (box.read("f"), box.read("g")) == (b"3\n", b"3\n")


def test_recovery_leaves_alone_what_somebody_edited(many: tuple[Box, Plan, State, State]) -> None:
    box, plan, _, after = many
    died_after(box, [plan], 2)
    box.write("mode", "edited since\n", 0o644)
    (item,) = Applier(box.root).recover()
    assert item.left == ("mode",)
    assert box.state() == after | {"mode": (0o100644, b"edited since\n")}


def test_recovery_is_done_before_the_next_application(many: tuple[Box, Plan, State, State]) -> None:
    box, plan, before, _ = many
    (name,) = died_after(box, [plan], 2)
    Applier(box.root).revert(name)
    assert box.state() == before


def test_leftovers_are_cleaned(box: Box) -> None:
    box.lines("f")
    applier = Applier(box.root)
    with applier.lock():
        pass
    (box.root / ".vibehq/journal/half.tmp").write_bytes(b"not finished")
    (box.root / ".vibehq/tmp").mkdir()
    assert applier.unfinished()
    assert applier.recover() == []
    assert not applier.unfinished()


def test_recover_where_nothing_ever_happened(box: Box) -> None:
    assert Applier(box.root).recover() == []
    assert box.state() == {}
    assert not (box.root / ".vibehq").exists()


def test_a_temporary_file_beside_when_the_state_is_elsewhere(
    many: tuple[Box, Plan, State, State], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The state folder on another file system: a rename from there is refused with EXDEV."""
    box, plan, before, after = many
    real = os.rename

    def rename(source: Any, target: Any, *, src_dir_fd: int, dst_dir_fd: int) -> None:
        if not source.startswith(b".vibehq-"):
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        real(source, target, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)

    applier = Applier(box.root, box.root.parent / "state")
    with monkeypatch.context() as patched:
        patched.setattr(files_module, "os", System("rename", rename))
        receipt = applier.apply(plan)
    assert box.state() == after
    applier.revert(receipt)
    assert box.state() == before


def test_a_folder_that_cannot_be_written(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    box.lines("f")
    plan = plan_of(box, "--- a/f\n+++ b/f\n@@ -1 +1 @@\n-line 1\n+x\n")

    def mkdir(*_: Any, **__: Any) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(Path, "mkdir", mkdir)
    with pytest.raises(Refused) as caught:
        Applier(box.root).apply(plan)
    assert "read-only" in caught.value.hint
    assert box.read("f").startswith(b"line 1\n")


def test_a_full_disk_while_the_journal_is_written(
    many: tuple[Box, Plan, State, State], monkeypatch: pytest.MonkeyPatch
) -> None:
    box, plan, before, _ = many
    applier = Applier(box.root)
    with applier.lock():
        with monkeypatch.context() as patched:
            patched.setattr(os, "fsync", Failing(os.fsync, 0, errno.ENOSPC))
            with pytest.raises(Refused) as caught:
                applier.apply(plan)
        assert "free some space" in caught.value.hint
        assert box.state() == before
        assert not applier.unfinished()
