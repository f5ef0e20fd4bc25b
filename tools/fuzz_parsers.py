"""Looks for texts that a patch reader stumbles over, guided by which code they reach.

    python tools/fuzz_parsers.py --seconds 600 --corpus /tmp/corpus
    python tools/fuzz_parsers.py --target codex --target plan --seconds 60
    python tools/fuzz_parsers.py --replay FILE --target codex

Every reader is a target, and ``plan`` is the whole engine: read, planned against a small tree, applied, and taken back.
A finding is an exception that is no ``VibeError``, a text that takes longer than two seconds, a change outside what the
plan names, or a tree that is not as before after a refusal or a revert. It needs atheris, which nothing else does:
``pip install atheris``.
"""

from __future__ import annotations

import argparse
import atexit
import contextlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

SLOW = 2.0
"""Seconds of the processor that no text of this size may take."""
MOST_BYTES = 4096
"""Of a text that is made."""
TARGETS = (
    "auto",
    "unified",
    "git",
    "mbox",
    "codex",
    "search-replace",
    "udiff",
    "whole-file",
    "operations",
    "markers",
    "paths",
    "plan",
)
CONTENT = b"import os\n\n\ndef first(one):\n    # PATCH_MARKER: body\n    return one\n\n\ndef second():\n\treturn 2\n"
FILES = {"a.py": CONTENT, "b.txt": b"one\r\ntwo\r\nthree", "sub/c.md": b"# Title\n\ntext\ntext\n", "empty": b""}

DATA = Path(__file__).with_name("fuzz")
"""Words that the formats know, and a little text in each format."""


class Finding(AssertionError):
    """Something that must never happen."""


def files_below(root: Path) -> dict[str, tuple[int, bytes]]:
    """Mode and bytes of every file, without the state folder."""
    found = {}
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name != ".vibehq"]
        for name in [*names, *(one for one in folders if Path(folder, one).is_symlink())]:
            path = Path(folder, name)
            content = os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes()
            found[os.path.relpath(path, root)] = (path.lstat().st_mode & 0o170100, content)
    return found


class Plans:
    """The whole engine in a folder of its own, which is put right after each text."""

    def __init__(self) -> None:
        base = Path("/dev/shm") if Path("/dev/shm").is_dir() else None
        self.base = Path(tempfile.mkdtemp(dir=base))
        atexit.register(shutil.rmtree, self.base, ignore_errors=True)
        self.root = self.base / "root"
        self.outside = self.base / "secret"
        self.outside.write_bytes(b"secret\n")
        self._make()

    def _make(self) -> None:
        shutil.rmtree(self.root, ignore_errors=True)
        for name, content in FILES.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        self.before = files_below(self.root)

    def __call__(self, text: bytes) -> None:
        from vibehq_tui.patches.applying.engine import apply_text, revert  # noqa: PLC0415 - watched from its import on

        result = apply_text(text, self.root)
        now = files_below(self.root)
        try:
            if result.result != "applied":
                if now != self.before:
                    raise Finding(f"{result.result}, and the tree is changed")
                return
            named = {file[key] for file in result.files for key in ("path", "from") if file[key] is not None}
            changed = {path for path in now.keys() | self.before.keys() if now.get(path) != self.before.get(path)}
            if not changed <= named:
                raise Finding(f"{sorted(changed - named)} changed, and the plan does not name them")
            if result.receipt is None or revert(result.receipt, self.root).result != "applied":
                raise Finding("what was applied cannot be taken back")
            if files_below(self.root) != self.before:
                raise Finding("the tree is not as before after a revert")
        finally:
            if self.outside.read_bytes() != b"secret\n" or len(list(self.base.iterdir())) != 2:
                raise Finding("something outside the root was changed")
            if now != self.before or (self.root / ".vibehq/receipts").is_dir():
                self._make()


def markers(text: bytes) -> None:
    """Every language with a text; the places lie within it."""
    from vibehq_tui.patches.markers.languages import LANGUAGES  # noqa: PLC0415 - watched from its import on
    from vibehq_tui.patches.markers.markers import find_markers, pair_markers  # noqa: PLC0415 - watched from its import on

    row = LANGUAGES[text[0] % len(LANGUAGES)] if text else LANGUAGES[0]
    name = f"a{row.extensions[0]}" if row.extensions else row.names[0]
    for path in (name, "unknown"):
        found = find_markers(text[1:], path)
        places, _ = pair_markers(found)
        lines = text[1:].count(b"\n") + 1
        if any(not 1 <= place.line <= lines for place in places):
            raise Finding("a marker outside the file")


def paths(text: bytes) -> None:
    """A name that passes leads nowhere but down."""
    from vibehq_tui.patches.paths import link_target_problem, path_problem  # noqa: PLC0415 - watched from its import on

    path = text.decode("utf-8", "surrogateescape")
    if path_problem(path) is None:
        parts = path.split("/")
        if not path or path.startswith("/") or {"..", ".", ""} & set(parts) or ".git" in map(str.lower, parts):
            raise Finding(f"{path!r} passes")
    target = text.partition(b"\0")[2]
    if link_target_problem("a/b", target) is None and os.path.normpath(b"a/" + target).startswith((b"../", b"/")):
        raise Finding(f"the link target {target!r} passes")


def target(name: str) -> Callable[[bytes], None]:
    """What is done with each text."""
    from storage.errors import VibeError  # noqa: PLC0415 - watched from its import on
    from vibehq_tui.patches.formats import parse  # noqa: PLC0415 - watched from its import on

    known: dict[str, Callable[[bytes], object]] = {"markers": markers, "paths": paths}
    run = known.get(name) or (Plans() if name == "plan" else lambda text: parse(text, name))

    def once(text: bytes) -> None:
        start = time.process_time()
        with contextlib.suppress(VibeError):
            run(text)
        if time.process_time() - start > SLOW:
            raise Finding(f"took {time.process_time() - start:.1f} seconds")

    return once


def fuzz(name: str, seconds: int, corpus: Path) -> int:
    """One target in this process; it does not return."""
    import atheris  # noqa: PLC0415 - watched from its import on

    with atheris.instrument_imports(include=["vibehq_tui.patches"]):
        once = target(name)
        for module in sorted(Path(__file__).parents[1].glob("vibehq_tui/patches/**/*.py")):
            # What is loaded only when it is needed must be watched as well.
            parts = module.relative_to(Path(__file__).parents[1]).with_suffix("").parts
            if name == "plan" or "formats" in parts or parts[-1] in ("markers", "comments", "languages", "paths"):
                with contextlib.suppress(ImportError):
                    importlib.import_module(".".join(parts).removesuffix(".__init__"))
    folder = corpus / name
    folder.mkdir(parents=True, exist_ok=True)
    seeds = re.split(rb"^==== \d+\n", (DATA / "seeds.txt").read_bytes(), flags=re.MULTILINE)[1:]
    for number, seed in enumerate(seeds):
        (folder / f"seed-{number}").write_bytes(b"\0" + seed if name == "markers" else seed)
    words = corpus / "words"
    lines = (DATA / "words.txt").read_text("utf-8").splitlines()
    words.write_text("".join(f'"{_escaped(word)}"\n' for word in lines))
    found = corpus / "findings"
    found.mkdir(exist_ok=True)
    options = [
        sys.argv[0],
        f"-max_total_time={seconds}",
        f"-max_len={MOST_BYTES}",
        f"-dict={words}",
        f"-artifact_prefix={found}/{name}-",
        "-timeout=10",
        "-rss_limit_mb=4096",
        "-print_final_stats=1",
        str(folder),
    ]
    atheris.Setup(options, once)
    atheris.Fuzz()
    return 0


def _escaped(word: str) -> str:
    """A word as libFuzzer's dictionaries have it; those that start with ``\\`` and a letter are escapes already."""
    if re.fullmatch(r"(?:\\[rtnux][0-9a-f]*)+", word):
        raw = word.encode().decode("unicode_escape").encode("utf-8")
    else:
        raw = word.encode("utf-8")
    return "".join(chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\x{byte:02x}" for byte in raw)


def main() -> int:
    """Answers 0 when nothing was found, 1 when something was, 2 when it cannot run."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=int, default=60, help="for all targets together")
    parser.add_argument("--target", action="append", choices=TARGETS, help="default: all")
    parser.add_argument("--corpus", type=Path, default=Path(tempfile.gettempdir()) / "vibehq-fuzz")
    parser.add_argument("--replay", type=Path, help="run one text, without atheris")
    parser.add_argument("--in-process", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    chosen = options.target or list(TARGETS)
    if options.replay is not None:
        for name in chosen:
            target(name)(options.replay.read_bytes())
        print(f"{options.replay}: nothing found by {', '.join(chosen)}")
        return 0
    if importlib.util.find_spec("atheris") is None:
        print("this needs atheris, which is no dependency of the project: pip install atheris", file=sys.stderr)
        return 2
    if options.in_process:
        return fuzz(chosen[0], options.seconds, options.corpus)
    options.corpus.mkdir(parents=True, exist_ok=True)
    each = max(options.seconds // len(chosen), 1)
    failed = []
    for name in chosen:
        log = options.corpus / f"{name}.log"
        arguments = ["--in-process", "--target", name, "--seconds", str(each), "--corpus", str(options.corpus)]
        with log.open("wb") as output:
            done = subprocess.run([sys.executable, __file__, *arguments], stdout=output, stderr=output, check=False)
        runs = [line for line in log.read_text("utf-8", "replace").splitlines() if "number_of_executed_units" in line]
        told = runs[-1].split(":")[-1].strip() if runs else "?"
        outcome = "ok" if done.returncode == 0 else f"FOUND something, see {log}"
        print(f"{name:15} {each:5} s  {told:>9} texts  {outcome}", flush=True)
        if done.returncode:
            failed.append(name)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
