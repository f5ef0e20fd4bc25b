from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from provider_helpers import Workspace

from storage.store import Store


@pytest.fixture
def bin_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on the PATH, but for the tools that scripts need."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in ("sleep", "cat", "head", "sh", "yes"):
        (folder / tool).symlink_to(Path("/bin") / tool if (Path("/bin") / tool).exists() else Path("/usr/bin") / tool)
    monkeypatch.setenv("PATH", str(folder))
    return folder


@pytest.fixture
async def workspace(tmp_path: Path, bin_folder: Path) -> AsyncIterator[Workspace]:
    async with await Store.open(tmp_path / "root" / ".vibehq") as store:
        yield Workspace(store, tmp_path / "root", tmp_path / "config", bin_folder)
