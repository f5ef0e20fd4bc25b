"""The main road by keyboard alone: a patch is reviewed, approved, applied and undone, and another screen sees it."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest
from review_helpers import HOSTILE, is_harmless, on_screen, said, until
from review_workspace import open_workspace, opened

from vibehq_tui.contracts import events


def _git(root: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    return subprocess.run(["git", *identity, *arguments], cwd=root, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of two commits, standing on the first; the second is what the patch is made of."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    root = tmp_path / "repo"
    (root / ".mission_control").mkdir(parents=True)
    _git(root, "init", "-q", "-b", "main")
    (root / "app.py").write_text("def one():\n    return 1\n\n\n" + "# filler\n" * 20 + "def two():\n    return 2\n")
    tasks = [{"id": 1, "title": "Count on", "status": "in-progress"}, {"id": 2, "title": "Next", "dependencies": [1]}]
    (root / ".mission_control" / "tasks.json").write_text(json.dumps({"tasks": tasks}, indent=2))
    _git(root, "add", "-A")
    _git(root, "commit", "-q", "-m", "Begin")
    text = (root / "app.py").read_text().replace("return 1", "return 11").replace("return 2", "return 22")
    (root / "app.py").write_text(text)
    (root / "new.py").write_text("NEW = True\n")
    _git(root, "add", "-A")
    _git(root, "commit", "-q", "-m", "Count on")
    (tmp_path / "patch").write_text(_git(root, "format-patch", "-1", "--stdout"))
    _git(root, "checkout", "-q", "HEAD~1")
    return root


def _tree(root: Path) -> str:
    _git(root, "add", "-A", ":!.mission_control")
    tree = _git(root, "write-tree").strip()
    _git(root, "reset", "-q")
    return tree


async def _submit(root: Path, title: str | None = None) -> None:
    async with await open_workspace(root) as hq:
        await hq.patches.submit((root.parent / "patch").read_bytes(), task="1", provider="codex", title=title)


async def test_approve_apply_undo(root: Path) -> None:
    parent, commit = _git(root, "rev-parse", "HEAD^{tree}").strip(), _git(root, "rev-parse", "main^{tree}").strip()
    await _submit(root)
    async with opened(root, size=(120, 36)) as (app, pilot), await open_workspace(root, actor="bob") as other:
        await until(pilot, lambda: "Count on" in on_screen(app))
        await pilot.press("2", "enter")
        await until(pilot, lambda: "return 11" in on_screen(app))
        await pilot.press("a")
        await until(pilot, lambda: "approved patch 1" in said(app))
        await pilot.press("A")
        await until(pilot, lambda: "applied patch 1" in said(app))
        assert _tree(root) == commit
        assert (await other.patches.get("1")).state == "applied"
        await pilot.press("escape")
        await until(pilot, lambda: "applied" in on_screen(app))
        await pilot.press("2", "u")
        await until(pilot, lambda: "reverted patch 1" in said(app))
        assert _tree(root) == parent
        seen = [event.type for event in await other.store.read(lambda tx: tx.events.since(0))]
    wanted = [events.PATCH_PROPOSED, events.PATCH_APPROVED, events.PATCH_APPLIED, events.PATCH_REVERTED]
    assert [kind for kind in seen if kind in wanted] == wanted
    async with await open_workspace(root) as hq:
        verbs = [entry.verb for entry in await hq.store.read(lambda tx: tx.audit.page())]
        assert verbs[::-1][1:4] == ["patch.approve", "patch.apply", "task.status"]
        assert (await hq.tasks.get("1")).status == "in-progress"


async def test_another_screen_follows(root: Path) -> None:
    await _submit(root)
    async with opened(root, size=(120, 36)) as (app, pilot), await open_workspace(root, actor="bob") as other:
        await until(pilot, lambda: "proposed" in on_screen(app))
        await other.patches.approve("1")
        await until(pilot, lambda: "approved" in on_screen(app))
        await other.patches.apply("1")
        await until(pilot, lambda: "applied" in on_screen(app))
        await other.patches.revert("1")
        await until(pilot, lambda: "reverted" in on_screen(app))


async def test_a_viewer_changes_nothing_and_is_told_why(root: Path) -> None:
    await _submit(root)
    async with opened(root, size=(100, 30), read_only=True) as (app, pilot):
        await until(pilot, lambda: "Count on" in on_screen(app))
        await pilot.press("2", "a")
        await until(pilot, lambda: "read-only" in said(app))
        assert (await app.hq.patches.get("1")).state == "proposed"


@pytest.mark.parametrize("size", [(20, 5), (80, 24), (120, 36), (200, 60)])
async def test_hostile_titles_are_shown_and_do_nothing(root: Path, size: tuple[int, int]) -> None:
    await _submit(root, title=HOSTILE)
    async with opened(root, size=size) as (app, pilot):
        await until(pilot, lambda: ("too small" if size[0] < 40 else "Patches") in " ".join(on_screen(app).split()))
        await pilot.press("2", "down", "z", "z", "slash", *"evil", "enter", "escape", "question_mark", "escape")
        await pilot.pause()
        assert is_harmless(on_screen(app))
        assert app.is_running


CRASH = """
import sys
from vibehq_tui.tui.app import VibeApp

def crash(self):
    raise ValueError("a mistake of ours")

VibeApp._take_keymap = crash
sys.argv = ["vibehq"]
from vibehq_tui.cli.main import main
sys.exit(main())
"""


def test_a_crash_goes_to_the_crash_log_and_not_to_the_terminal(root: Path) -> None:
    asyncio.run(_submit(root))
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", CRASH], cwd=root, stdin=slave, stdout=slave, stderr=slave, close_fds=True
    )
    os.close(slave)
    shown = b""
    with contextlib.suppress(OSError):  # the other end is closed: the process has ended
        while chunk := os.read(master, 65536):
            shown += chunk
    os.close(master)
    assert process.wait() == 1
    assert b"Traceback" not in shown and b"crash.log" in shown
    assert "a mistake of ours" in (root / ".vibehq" / "crash.log").read_text()


class _Terminal:
    """The program in a pseudo-terminal of its own."""

    def __init__(self, root: Path, **environment: str) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 36, 120, 0, 0))
        self._process = subprocess.Popen(
            [sys.executable, "-c", "from vibehq_tui.cli.main import main; main()"],
            cwd=root,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**os.environ, "TERM": "xterm-256color", **environment},
            start_new_session=True,
        )
        os.close(slave)
        self._shown = b""

    def press(self, keys: bytes) -> None:
        """Types; what was shown before does not count any more."""
        self._shown = b""
        os.write(self._master, keys)

    def wait_for(self, text: bytes, seconds: float = 30) -> None:
        """Reads until a text was shown."""
        limit = time.monotonic() + seconds
        while text not in self._shown:
            assert time.monotonic() < limit, f"{text!r} never came, but {self._shown[-2000:]!r}"
            if select.select([self._master], [], [], 0.1)[0]:
                self._shown += os.read(self._master, 65536)

    def end(self) -> int:
        """Reads to the end; answers the exit code."""
        with contextlib.suppress(OSError):  # the other end is closed: the process has ended
            while os.read(self._master, 65536):
                pass
        os.close(self._master)
        return self._process.wait()


def test_a_hunk_is_edited_in_a_real_editor_that_has_the_terminal_for_itself(root: Path, tmp_path: Path) -> None:
    asyncio.run(_submit(root))
    program = tmp_path / "editor"
    program.write_text('#!/bin/sh\necho "editing $(basename $1)"\nread answer\nsed -i "s/^+.*/+$answer/" "$1"\n')
    program.chmod(0o755)
    terminal = _Terminal(root, VISUAL=str(program))
    terminal.wait_for(b"proposed")
    terminal.press(b"2\r")
    terminal.wait_for(b"hunk 1 of 2")
    terminal.press(b"E")
    terminal.wait_for(b"editing hunk-1.diff")
    terminal.press(b"by hand\n")
    terminal.wait_for(b"reads as you wrote it")
    terminal.press(b"\x11")
    assert terminal.end() == 0

    async def after() -> bytes | None:
        async with await open_workspace(root) as hq:
            return (await hq.patches.plan("1")).files[0].after

    content = asyncio.run(after())
    assert content is not None and b"by hand\n" in content
