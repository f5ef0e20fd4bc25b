"""A program that used the store ends, also when opening failed."""

from __future__ import annotations

from pathlib import Path

from store_helpers import Child

USE = """
import asyncio, sys
from pathlib import Path
from storage.errors import VibeError
from storage.store import Store

async def main(folder, then):
    try:
        async with await Store.open(Path(folder)) as store:
            await store.write(lambda tx: tx.events.append("patch.received", actor="ada"))
            await store.write_logs(lambda tx: tx.lines.append_many([]))
            if then == "raise":
                raise KeyError("out")
            if then == "cancel":
                asyncio.current_task().cancel()
                await store.read(lambda tx: None)
    except (VibeError, KeyError, asyncio.CancelledError) as error:
        print(type(error).__name__)

asyncio.run(main(*sys.argv[1:]))
"""

CANCELLED_OPEN = """
import asyncio, sys
from pathlib import Path
from storage.store import Store

async def main(folder):
    for steps in range(40):
        opening = asyncio.ensure_future(Store.open(Path(folder)))
        for _ in range(steps):
            await asyncio.sleep(0)
        opening.cancel()
        (result,) = await asyncio.gather(opening, return_exceptions=True)
        if isinstance(result, Store):
            await result.close()
    print("survived")

asyncio.run(main(sys.argv[1]))
"""


def test_a_program_ends_after_use(folder: Path) -> None:
    assert Child(USE, folder, "end").end() == ""
    assert Child(USE, folder, "raise").end() == "KeyError\n"
    assert Child(USE, folder, "cancel").end() == "CancelledError\n"


def test_a_program_ends_when_the_store_cannot_be_opened(folder: Path) -> None:
    folder.mkdir()
    (folder / "hq.db").write_bytes(b"this is no database, whatever its name may say" * 100)
    assert Child(USE, folder, "end").end() == "StoreBroken\n"


def test_a_program_ends_when_opening_was_cancelled_at_any_step(folder: Path) -> None:
    assert Child(CANCELLED_OPEN, folder).end() == "survived\n"
