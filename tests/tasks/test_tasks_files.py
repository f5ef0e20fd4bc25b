"""Finding, reading and replacing tasks files, whatever others do to them at the same time."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest
from tasks_helpers import FLAT, TAGGED

from storage.errors import Busy, Refused
from vibehq_tui.tasks import files
from vibehq_tui.tasks.problems import TasksFileBroken


def put(root: Path, name: str, data: bytes = b'{"tasks": []}') -> Path:
    """Writes a file below the root."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """The state folder."""
    folder = tmp_path / ".vibehq"
    folder.mkdir()
    return folder


def test_the_first_that_exists_is_taken(tmp_path: Path) -> None:
    assert files.find(tmp_path) == files.Found(source=FLAT, path=tmp_path / FLAT, exists=False)
    put(tmp_path, TAGGED)
    assert files.find(tmp_path).source == TAGGED
    put(tmp_path, FLAT)
    assert files.find(tmp_path) == files.Found(source=FLAT, path=tmp_path / FLAT, exists=True, others=(TAGGED,))
    found = files.find(tmp_path, "plans/mine.json")
    assert (found.source, found.exists, found.others) == ("plans/mine.json", False, (FLAT, TAGGED))


def test_a_stamp_tells_of_every_change(tmp_path: Path) -> None:
    path = put(tmp_path, FLAT)
    os.utime(path, ns=(1, 1))
    first = files.read(path, "x")
    assert files.identity(path) == first.identity
    assert files.digest_of(first.stamp) == files.digest_of(files.stamp_of(first.data))
    os.utime(path, ns=(2, 2))
    assert files.identity(path) != first.identity
    path.unlink()
    assert files.identity(path) is None
    assert files.identity(path / "below") is None
    assert not files.unchanged(first.stamp, None)
    assert not files.unchanged(None, first.identity)


def test_a_file_that_was_just_written_is_not_trusted_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(tmp_path, FLAT)
    young = files.read(path, "x")
    assert not young.settled
    assert not files.unchanged(young.stamp, files.identity(path))
    now = path.stat().st_ctime_ns + 60_000_000
    monkeypatch.setattr("time.time_ns", lambda: now)
    old = files.read(path, "x")
    assert old.settled
    assert files.unchanged(old.stamp, files.identity(path))


def test_times_without_fractions_are_trusted_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(tmp_path, FLAT)
    real = os.fstat

    def coarse(descriptor: int) -> os.stat_result:
        found = real(descriptor)
        fields = {name: getattr(found, name) for name in ("st_mtime_ns", "st_ctime_ns")}
        whole = {name: value // 10**9 * 10**9 for name, value in fields.items()}
        return os.stat_result(tuple(found), whole)

    def identity(path: Path) -> str:
        with path.open("rb") as file:
            return files._identity(coarse(file.fileno()))

    monkeypatch.setattr("os.fstat", coarse)
    monkeypatch.setattr(files, "identity", identity)
    now = path.stat().st_ctime_ns // 10**9 * 10**9
    for later, settled in [(100_000_000, False), (2_000_000_000, False), (2_200_000_000, True)]:
        at = now + later
        monkeypatch.setattr("time.time_ns", lambda at=at: at)
        assert files.read(path, "x").settled == settled


@pytest.mark.parametrize("kind", ["missing", "folder", "pipe", "device", "dangling"])
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "tasks.json"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "dangling":
        path.symlink_to("nowhere")
    with pytest.raises(TasksFileBroken, match=r"no regular file|no such file|[Ii]s a directory"):
        files.read(path, "tasks.json")


def test_a_file_above_the_limit_is_not_read(tmp_path: Path) -> None:
    path = put(tmp_path, FLAT, b" " * 11)
    with pytest.raises(TasksFileBroken, match="it has 11 bytes; a tasks file may have 10"):
        files.read(path, "x", 10)
    assert files.read(path, "x", 11).data == b" " * 11


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is unreadable to root")
def test_an_unreadable_file_is_told(tmp_path: Path) -> None:
    path = put(tmp_path, FLAT)
    path.chmod(0)
    with pytest.raises(TasksFileBroken, match="cannot be read: Permission denied"):
        files.read(path, "x")


def test_a_file_that_changes_while_it_is_read_is_never_read_half(tmp_path: Path) -> None:
    path = put(tmp_path, FLAT, b"a" * 300_000)
    stop = threading.Event()

    def write() -> None:
        for letter in b"bcdefgh" * 1000:
            if stop.is_set():
                return
            with path.open("r+b") as file:
                for _ in range(3):
                    file.write(bytes([letter]) * 100_000)
                    file.flush()
            stop.wait(0.002)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        whole = 0
        for _ in range(30):
            try:
                data = files.read(path, "x").data
            except TasksFileBroken as error:
                assert "it changes all the time" in str(error)
                continue
            whole += 1
            assert len(data) == 300_000
    finally:
        stop.set()
        writer.join()
    assert files.read(path, "x").data == path.read_bytes()


def test_replacing_keeps_mode_and_link_and_leaves_nothing_behind(tmp_path: Path, state: Path) -> None:
    real = put(tmp_path, "elsewhere/real.json", b"old")
    real.chmod(0o640)
    link = tmp_path / FLAT
    link.parent.mkdir()
    link.symlink_to(real)
    before = files.read(link, "x")
    done = files.replace(link, b"new", before, state)
    assert link.is_symlink()
    assert real.read_bytes() == b"new"
    assert real.stat().st_mode & 0o777 == 0o640
    done.settle()
    assert [one.name for one in real.parent.iterdir()] == ["real.json"]
    assert list((state / "tmp").iterdir()) == []


def test_replacing_can_be_undone(tmp_path: Path, state: Path) -> None:
    path = put(tmp_path, FLAT, b"old")
    inode = path.stat().st_ino
    files.replace(path, b"new", files.read(path, "x"), state).undo()
    assert path.read_bytes() == b"old"
    assert path.stat().st_ino == inode
    made = tmp_path / TAGGED
    files.replace(made, b"new", None, state).undo()
    assert not made.exists()
    assert list((state / "tmp").iterdir()) == []


def test_undoing_leaves_alone_what_somebody_wrote_since(tmp_path: Path, state: Path) -> None:
    path = put(tmp_path, FLAT, b"old")
    done = files.replace(path, b"new", files.read(path, "x"), state)
    path.write_bytes(b"theirs")
    done.undo()
    assert path.read_bytes() == b"theirs"


def test_undoing_without_links(tmp_path: Path, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_link(*_: object) -> None:
        raise PermissionError(errno.EPERM, "no links here")

    monkeypatch.setattr("os.link", no_link)
    path = put(tmp_path, FLAT, b"old")
    files.replace(path, b"new", files.read(path, "x"), state).undo()
    assert path.read_bytes() == b"old"


def test_a_file_that_is_not_what_was_read_is_not_replaced(tmp_path: Path, state: Path) -> None:
    path = put(tmp_path, FLAT, b"old")
    before = files.read(path, "x")
    path.write_bytes(b"theirs")
    with pytest.raises(files.FileChanged):
        files.replace(path, b"new", before, state)
    with pytest.raises(files.FileChanged):
        files.replace(path, b"new", None, state)
    assert path.read_bytes() == b"theirs"
    assert list((state / "tmp").iterdir()) == []


@pytest.mark.parametrize(
    ("code", "hint"), [(errno.ENOSPC, "make room"), (errno.EROFS, "mounted read-only"), (errno.EACCES, "permissions")]
)
def test_a_write_that_fails_changes_nothing(
    tmp_path: Path, state: Path, monkeypatch: pytest.MonkeyPatch, code: int, hint: str
) -> None:
    path = put(tmp_path, FLAT, b"old")
    before = files.read(path, "x")

    def fail(_: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(Refused, match="nothing was changed") as caught:
        files.replace(path, b"new", before, state)
    assert hint in caught.value.hint
    assert caught.value.exit_code == 1
    assert path.read_bytes() == b"old"
    assert [one.name for one in path.parent.iterdir()] == ["tasks.json"]
    assert list((state / "tmp").iterdir()) == []


def test_another_mount_of_the_same_file_system(tmp_path: Path, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(tmp_path, FLAT, b"old")
    real_replace = Path.replace

    def replace(self: Path, target: Path) -> Path:
        if self.parent != target.parent:
            raise OSError(errno.EXDEV, "another mount")
        return real_replace(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    files.replace(path, b"new", files.read(path, "x"), state).settle()
    assert path.read_bytes() == b"new"
    assert [one.name for one in path.parent.iterdir()] == ["tasks.json"]


async def test_the_lock_is_held_by_one_and_given_up(state: Path) -> None:
    async with files.locked(state):
        with pytest.raises(Busy) as caught:
            async with files.locked(state, patience=0.05):
                raise AssertionError("two held it")
        assert caught.value.exit_code == 4
    async with files.locked(state, patience=0.05):
        assert (state / "tasks.lock").exists()


async def test_a_state_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="cannot be opened"):
        async with files.locked(tmp_path / "nowhere"):
            raise AssertionError("there is no such folder")
