"""Disks that are full, read-only or damaged: said clearly, and nothing is lost or half-done."""

# ruff: noqa: ASYNC240 - a test has its loop to itself

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest
from store_helpers import Child, own_mounts

from storage.errors import NotFound, Refused, StoreBroken
from storage.migrate import SCHEMAS
from storage.records import LogLine, Task
from storage.store import Store

FULL = """
import asyncio, os, subprocess, sys
from pathlib import Path
from storage.errors import StoreBroken
from storage.store import Store

async def opened(folder):
    try:
        async with await Store.open(folder):
            return "opened"
    except StoreBroken as error:
        return error.code

async def main(root):
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", root], check=True)
    folder, new, filler = Path(root) / ".vibehq", Path(root) / "new" / ".vibehq", Path(root) / "filler"
    async with await Store.open(folder) as store:
        await store.write(lambda tx: tx.settings.put("before", 1))
    with filler.open("wb", buffering=0) as stream:
        try:
            while True:
                stream.write(b"x" * 4096)
        except OSError:
            pass
    print(await opened(folder), await opened(new))
    async with await Store.open(folder, read_only=True) as viewer:
        print(await viewer.read(lambda tx: tx.settings.get("before")))
    os.truncate(filler, filler.stat().st_size - 1_000_000)
    async with await Store.open(folder) as store:
        written = 0
        try:
            for _ in range(1000):
                await store.write(lambda tx: tx.settings.put(f"key{written}", "x" * 20_000))
                written += 1
        except StoreBroken as error:
            print(error.code, "|", error.message, "|", error.hint)
        print(written > 3, await store.read(lambda tx: tx.value("SELECT count(*) FROM settings")) == written + 1)
        print(await store.check())
        try:
            await store.backup()
        except StoreBroken as error:
            print(error.code, list((folder / "backups").iterdir()))
    filler.unlink()
    async with await Store.open(folder) as store:
        await store.write(lambda tx: tx.settings.put("after", 1))
        print(await store.check())
    print(await opened(new))

asyncio.run(main(sys.argv[1]))
"""

READ_ONLY = """
import asyncio, subprocess, sys
from pathlib import Path
from storage.errors import VibeError
from storage.store import Store

async def main(root):
    subprocess.run(["mount", "--bind", root, root], check=True)
    subprocess.run(["mount", "-o", "remount,ro,bind", root], check=True)
    folder = Path(root) / ".vibehq"
    try:
        await Store.open(folder)
    except VibeError as error:
        print(error.code, "|", error.message, "|", error.hint)
    try:
        await Store.open(Path(root) / "new" / ".vibehq")
    except VibeError as error:
        print(error.code, "|", error.message)
    async with await Store.open(folder, read_only=True) as store:
        print(await store.read(lambda tx: tx.settings.get("a")))
        print(await store.read_logs(lambda tx: tx.lines.sources()))
        try:
            await store.write(lambda tx: tx.settings.put("a", 2))
        except VibeError as error:
            print(error.code)

asyncio.run(main(sys.argv[1]))
"""


@pytest.fixture
def mounts() -> tuple[str, ...]:
    prefix = own_mounts()
    if prefix is None:
        pytest.skip("this system does not let a process have mounts of its own")
    return prefix


def test_a_full_disk(tmp_path: Path, mounts: tuple[str, ...]) -> None:
    root = tmp_path / "small"
    root.mkdir()
    full, viewed, said, kept, sound, backup, later, new = Child(FULL, root, wrapper=mounts).end().splitlines()
    assert full == "disk-full disk-full"
    assert viewed == "1"
    code, message, hint = said.split(" | ")
    assert code == "disk-full"
    assert "hq.db" in message
    assert "Free some space" in hint
    assert kept == "True True"
    assert sound == "[]"
    assert backup == "disk-full []"
    assert later == "[]"
    assert new == "opened"


async def test_a_read_only_disk(tmp_path: Path, mounts: tuple[str, ...]) -> None:
    folder = tmp_path / "root" / ".vibehq"
    async with await Store.open(folder) as store:
        await store.write(lambda tx: tx.settings.put("a", 1))
    refused, new, value, logs, write = Child(READ_ONLY, folder.parent, wrapper=mounts).end().splitlines()
    assert refused.startswith("store-read-only | ")
    assert str(folder / "hq.db") in refused
    assert "--read-only" in refused
    assert new.startswith("store-read-only | ")
    assert (value, logs, write) == ("1", "[]", "read-only")


async def test_a_read_only_disk_with_changes_that_wait(tmp_path: Path, mounts: tuple[str, ...]) -> None:
    folder = tmp_path / "root" / ".vibehq"
    async with await Store.open(folder) as store:
        await store.write(lambda tx: tx.settings.put("a", 1))
        copy = tmp_path / "copy" / ".vibehq"
        copy.mkdir(parents=True)
        for name in ("hq.db", "hq.db-wal"):
            (copy / name).write_bytes((folder / name).read_bytes())
    script = READ_ONLY.replace(
        "    async with",
        "    try:\n        await Store.open(folder, read_only=True)\n"
        "    except VibeError as error:\n        print(error.message)\n    return\n    async with",
    )
    refused, _new, said = Child(script, copy.parent, wrapper=mounts).end().splitlines()
    assert refused.startswith("store-read-only | ")
    assert "changes wait in its -wal file" in said


async def test_a_viewer_writes_nothing(folder: Path) -> None:
    async with await Store.open(folder) as store:
        await store.write(lambda tx: tx.tasks.replace_all("tasks.json", [Task(id="1", title="One", status="pending")]))
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir() if not path.name.startswith("hq.db-")}
    async with await Store.open(folder, read_only=True) as viewer:
        assert [task.title for task in await viewer.read(lambda tx: tx.tasks.page())] == ["One"]
        assert await viewer.read_logs(lambda tx: tx.lines.tail("worker")) == []
        assert await viewer.check() == []
        for refused in (
            viewer.write(lambda tx: tx.settings.put("a", 1)),
            viewer.write_logs(
                lambda tx: tx.lines.append_many([LogLine(seq=0, kind="worker", source="x", at=viewer.clock.now())])
            ),
        ):
            with pytest.raises(Refused, match="read-only"):
                await refused
    after = {path.name: path.stat().st_mtime_ns for path in folder.iterdir() if not path.name.startswith("hq.db-")}
    assert after == before


async def test_a_viewer_sees_what_others_write(folder: Path) -> None:
    async with await Store.open(folder) as store, await Store.open(folder, read_only=True) as viewer:
        await store.write(lambda tx: tx.settings.put("a", 1))
        assert await viewer.read(lambda tx: tx.settings.get("a")) == 1


async def test_a_viewer_sees_logs_that_begin_later(folder: Path) -> None:
    async with await Store.open(folder) as store, await Store.open(folder, read_only=True) as viewer:
        assert await viewer.read_logs(lambda tx: tx.lines.tail("worker")) == []
        assert not (folder / "logs.db").exists()
        line = LogLine(seq=0, kind="worker", source="x", at=viewer.clock.now(), text="hello")
        await store.write_logs(lambda tx: tx.lines.append_many([line]))
        assert [found.text for found in await viewer.read_logs(lambda tx: tx.lines.tail("worker"))] == ["hello"]


async def test_a_viewer_needs_a_store(folder: Path) -> None:
    with pytest.raises(NotFound, match="there is no store"):
        await Store.open(folder, read_only=True)
    assert not folder.exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="permissions do not bind root")
async def test_a_folder_without_permission(folder: Path) -> None:
    folder.parent.chmod(0o500)
    try:
        with pytest.raises(StoreBroken, match="cannot be written"):
            await Store.open(folder)
    finally:
        folder.parent.chmod(0o700)


async def test_a_file_in_place_of_the_folder(folder: Path) -> None:
    folder.write_text("in the way")
    with pytest.raises(StoreBroken) as caught:
        await Store.open(folder)
    assert str(folder) in caught.value.message
    assert folder.read_text() == "in the way"


async def test_a_file_that_is_no_database(folder: Path) -> None:
    folder.mkdir()
    (folder / "hq.db").write_bytes(b"\x89PNG\r\n" * 2000)
    with pytest.raises(StoreBroken) as caught:
        await Store.open(folder)
    assert caught.value.code == "store-corrupt"
    assert str(folder / "hq.db") in caught.value.message
    assert "backups" in caught.value.hint
    assert (folder / "hq.db").read_bytes().startswith(b"\x89PNG")


async def test_a_damaged_page_is_found(folder: Path) -> None:
    async with await Store.open(folder) as store:
        tasks = [Task(id=str(n), title="x" * 200, status="pending", position=n) for n in range(2000)]
        await store.write(lambda tx: tx.tasks.replace_all("tasks.json", tasks))
    content = (folder / "hq.db").read_bytes()
    pages = [content[at : at + 4096] for at in range(0, len(content), 4096)]
    damaged = [os.urandom(300) + page[300:] if b"x" * 200 in page else page for page in pages]
    (folder / "hq.db").write_bytes(b"".join(damaged))
    async with await Store.open(folder) as store:
        problems = await store.check()
        assert problems
        assert all(problem.startswith("hq.db: ") for problem in problems)
        with pytest.raises(StoreBroken, match="damaged"):
            await store.read(lambda tx: tx.tasks.all())
        with pytest.raises(StoreBroken):
            await store.backup()


async def test_a_backup_is_a_store(store: Store, folder: Path, tmp_path: Path) -> None:
    await store.write(lambda tx: tx.settings.put("a", 1))
    default = await store.backup()
    assert default == folder / "backups" / f"hq-{SCHEMAS['hq']}-20260301T120000000Z.db"
    with pytest.raises(Refused, match="exists already"):
        await store.backup()
    named = tmp_path / "elsewhere" / "hq.db"
    assert await store.backup(named) == named
    await store.write(lambda tx: tx.settings.put("a", 2))
    async with await Store.open(named.parent) as copy:
        assert await copy.read(lambda tx: tx.settings.get("a")) == 1
        assert await copy.check() == []


async def test_a_damaged_log_file_leaves_the_truth_alone(folder: Path) -> None:
    async with await Store.open(folder) as store:
        await store.write(lambda tx: tx.settings.put("a", 1))
        (folder / "logs.db").write_bytes(b"nothing that SQLite would know" * 200)
        with pytest.raises(StoreBroken, match=r"logs\.db is damaged"):
            await store.read_logs(lambda tx: tx.lines.sources())
        assert await store.read(lambda tx: tx.settings.get("a")) == 1
        assert any("logs.db" in problem for problem in await store.check())


async def test_dangling_references_are_found(store: Store, folder: Path) -> None:
    connection = sqlite3.connect(folder / "hq.db")
    connection.execute("INSERT INTO patch_versions (patch, version, format, at, text) VALUES (9, 1, 'git', 0, x'00')")
    connection.commit()
    connection.close()
    (problem,) = await store.check()
    assert "patch_versions" in problem
