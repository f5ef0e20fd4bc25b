#!/usr/bin/env python3
"""Makes the pictures in screenshots/ from the real program on the demo workspace.

    make_screenshots.py [NAME …]

Each picture is a size and the keys that lead to it. The agent of the demo has finished before the first is taken, so
that the same program gives the same pictures but for times.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.app import App
    from textual.pilot import Pilot

FOLDER = Path(__file__).parents[1] / "screenshots"


@dataclass(frozen=True)
class Picture:
    """One picture: how big the terminal is and which keys are pressed before it is taken."""

    size: tuple[int, int]
    keys: tuple[str, ...] = ()
    title: str = "vibehq"


PICTURES = {
    "main": Picture((160, 45), ("5", "right_square_bracket", "right_square_bracket", "2")),
    "main-80x24": Picture((80, 24)),
    "review": Picture((160, 45), ("2", "j", "j", "j", "j", "enter")),
    "review-lines": Picture((120, 36), ("2", "j", "j", "j", "j", "enter", "right_curly_bracket", "v", "j", "j")),
    "conflict": Picture((120, 36), ("2", *"jjjjjjj", "enter", "t")),
    "task": Picture((120, 36), ("1", "j", "j", "j", "enter")),
    "issue": Picture((120, 36), ("3", "enter")),
    "provider": Picture((120, 36), ("4", "enter")),
    "help": Picture((120, 36), ("question_mark",)),
}


async def _settled(app: App[object], pilot: Pilot[object]) -> None:
    """Waits until the screen has stopped changing."""
    before, same = "", 0
    for _ in range(60):
        await pilot.pause(0.05)
        now = app.export_screenshot()
        same = same + 1 if _plain(now) == _plain(before) else 0
        before = now
        if same == 4:
            return


def _plain(svg: str) -> str:
    return re.sub(r"terminal-\d+", "terminal", svg)  # a random number that would differ in every picture


async def take(root: Path, picture: Picture) -> str:
    """The screen as SVG."""
    from vibehq_tui.headquarters import Headquarters  # noqa: PLC0415 - after the environment is set
    from vibehq_tui.tui.app import VibeApp  # noqa: PLC0415 - after the environment is set

    async with await Headquarters.open(root, via="tui") as hq:
        app = VibeApp(hq)
        await app.prepare()
        async with app.run_test(size=picture.size) as pilot:
            await _settled(app, pilot)
            for key in picture.keys:
                await pilot.press(key)
                await _settled(app, pilot)
            svg = app.export_screenshot(title=picture.title)
    return _portable(_plain(svg))


def _portable(svg: str) -> str:
    """Without fonts from the network, and with every space where it stands, whatever draws the picture."""
    svg = re.sub(r"@font-face\s*{[^}]*}", "", svg)
    svg = svg.replace("Fira Code", "ui-monospace, DejaVu Sans Mono, Menlo, Consolas")
    svg = svg.replace("<svg ", '<svg xml:space="preserve" ', 1)
    return "".join(f"{line.rstrip()}\n" for line in svg.splitlines() if line.strip())


async def main(names: list[str]) -> int:
    """Makes the workspace, takes the pictures, removes the workspace."""
    from vibehq_tui.demo.workspace import make  # noqa: PLC0415 - after the environment is set

    unknown = set(names) - set(PICTURES)
    if unknown:
        print(f"there is no picture {', '.join(sorted(unknown))}; there are {', '.join(PICTURES)}")
        return 2
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        os.environ |= {"XDG_CONFIG_HOME": f"{scratch}/config", "XDG_STATE_HOME": f"{scratch}/state", "USER": "mara"}
        os.environ["LOGNAME"] = "mara"
        root = Path(scratch) / "tidewatch"
        demo = await make(root, pace=0)
        if demo.agent is not None:
            await asyncio.to_thread(demo.agent.wait)
        for name in names or PICTURES:
            path = FOLDER / f"{name}.svg"
            path.write_text(await take(root, PICTURES[name]), encoding="utf-8")
            print(f"made {path}")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
