"""``patchctl``: the patch engine for scripts and agents, in any folder, with git or without, workspace or none.

Called constantly, so it pays for nothing it does not use: no event loop, no store, no model library.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from storage.errors import NotFound, Refused, Usage, VibeError
from vibehq_tui import __version__
from vibehq_tui.cli import patchctl_text as text
from vibehq_tui.patches.formats import FORMATS
from vibehq_tui.workspace import git_top

if TYPE_CHECKING:
    from vibehq_tui.cli.patchctl_keys import Keyed

MOST_BYTES: Final = 512 * 1024 * 1024
_Function = TypeVar("_Function", bound=Callable[..., Any])


class _Command(click.Command):
    """A command whose help ends with examples."""

    def __init__(self, *args: Any, examples: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = tuple(examples)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the examples below the options."""
        with formatter.section("Examples"):
            for example in self.examples:
                formatter.write(f"{'':>{formatter.current_indent}}{example}\n")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="patchctl")
def cli() -> None:
    """Applies patches to files, all or nothing, and takes them back.

    Exit codes: 0 done, 1 refused, 2 wrong usage, 3 conflict, 4 busy. Whatever is not 0 has changed nothing.
    """


def _command(name: str, *examples: str) -> Callable[[_Function], _Command]:
    def declare(function: _Function) -> _Command:
        found = click.command(name, cls=_Command, examples=examples)(function)
        cli.add_command(found)
        return found

    return declare


_files = click.argument("files", nargs=-1, required=True, metavar="FILE|-…")
_root = click.option("--root", metavar="DIR", help="Where the files are. Default: the top of the repository, or here.")
_format = click.option("--format", "format_", type=click.Choice(FORMATS), default="auto", show_default=True)
_strict = click.option("--strict", is_flag=True, help="No repair, and every hunk exactly at its line.")
_json = click.option("--json", "as_json", is_flag=True, help="Print exactly one JSON document.")
_key = click.option(
    "--idempotency-key",
    "key",
    metavar="KEY",
    help="Repeating with the same KEY does nothing twice, and answers the same.",
)


@_command("apply", "patchctl apply fix.diff", "git diff | patchctl apply - --root ../copy --check 'make test' --json")
@_files
@_root
@_format
@click.option("--dry-run", is_flag=True, help="Say what would happen, and change nothing.")
@click.option("--check", metavar="CMD", help="Run CMD afterwards; take the patch back when it fails.")
@_strict
@_json
@_key
def apply(
    files: tuple[str, ...],
    root: str | None,
    format_: str,
    dry_run: bool,
    check: str | None,
    strict: bool,
    as_json: bool,
    key: str | None,
) -> int:
    """Apply patches in order, each all or nothing; the first that fails ends the series."""
    call = {"files": files, "format": format_, "check": check, "strict": strict}
    return _run(files, root, as_json=as_json, dry_run=dry_run, strict=strict, key=key, call=call)


@_command("validate", "patchctl validate fix.diff", "patchctl validate batch.json --json")
@_files
@_root
@_format
@_strict
@_json
def validate(files: tuple[str, ...], root: str | None, format_: str, strict: bool, as_json: bool) -> int:
    """Say whether patches are sound and would apply; change nothing."""
    call = {"files": files, "format": format_, "check": None, "strict": strict}
    return _run(files, root, as_json=as_json, dry_run=True, strict=strict, key=None, call=call)


@_command("dry-run", "patchctl dry-run fix.diff")
@_files
@_root
@_format
@_strict
@_json
def dry_run_(files: tuple[str, ...], root: str | None, format_: str, strict: bool, as_json: bool) -> int:
    """Show as a diff what patches would do; change nothing."""
    call = {"files": files, "format": format_, "check": None, "strict": strict}
    return _run(files, root, as_json=as_json, dry_run=True, strict=strict, key=None, call=call, show_diff=True)


def _run(
    files: tuple[str, ...],
    root: str | None,
    *,
    as_json: bool,
    dry_run: bool,
    strict: bool,
    key: str | None,
    call: dict[str, Any],
    show_diff: bool = False,
) -> int:
    from vibehq_tui.patches.applying.engine import series  # noqa: PLC0415 - not needed for --help and completion

    _check_readable(files)
    folder = _root_of(root)
    with series(folder, dry_run=dry_run, strict=strict) as run:
        keyed = None if key is None or dry_run else _keyed(folder, key)
        texts = [_read(name) for name in files] if keyed is not None else []
        if keyed is not None:
            run.lock()
            known = keyed.answer({**call, "texts": [len(data) for data in texts]}, texts)
            if known is not None:
                return _print(*known, as_json=as_json)
        answers: list[dict[str, Any]] = []
        exit_code = 0
        for number, name in enumerate(files):
            data = texts[number] if keyed is not None else _read(name)
            receipt = None if keyed is None else keyed.receipt(number)
            result = run.run(data, call["format"], check=call["check"], receipt=receipt)
            answers.append(result.to_wire() if len(files) == 1 else {"file": name, **result.to_wire()})
            exit_code = result.exit_code
            if dry_run and result.plan is not None:
                answers[-1]["planHash"] = result.plan.hash
                if show_diff:
                    answers[-1]["diff"] = result.plan.to_diff().decode("utf-8", "replace")
            if exit_code:
                break
        document = answers[0] if len(files) == 1 else {"result": _worst(answers), "patches": answers}
        if keyed is not None and any(answer["receipt"] for answer in answers):
            keyed.keep(document, exit_code)
    return _print(document, exit_code, as_json=as_json)


def _keyed(root: Path, key: str) -> Keyed:
    from vibehq_tui.cli.patchctl_keys import Keyed  # noqa: PLC0415 - most calls have no key

    return Keyed(root, key)


def _worst(answers: list[dict[str, Any]]) -> str:
    order = ("conflict", "refused", "applied", "dry-run", "already-applied")
    return min((str(answer["result"]) for answer in answers), key=order.index)


def _print(document: dict[str, Any], exit_code: int, *, as_json: bool) -> int:
    text.emit(document, text.results(document), as_json=as_json)
    return exit_code


@_command("revert", "patchctl revert 20260301-120000-000")
@click.argument("receipt")
@_root
@_json
@_key
def revert(receipt: str, root: str | None, as_json: bool, key: str | None) -> int:
    """Take back what a receipt says was applied."""
    from vibehq_tui.patches.applying.engine import revert as take_back  # noqa: PLC0415 - not needed for --help and completion

    folder = _root_of(root)
    keyed = None if key is None else _keyed(folder, key)
    if keyed is not None:
        known = keyed.answer({"revert": receipt}, [])
        if known is not None:
            return _print(*known, as_json=as_json)
    result = take_back(receipt, folder, new=None if keyed is None else keyed.receipt(0))
    document = result.to_wire()
    if keyed is not None and result.exit_code == 0:
        keyed.keep(document, 0)
    return _print(document, result.exit_code, as_json=as_json)


@_command("list", "patchctl list", "patchctl list --limit 5 --json")
@_root
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many at most.")
@click.option("--cursor", metavar="CURSOR", type=int, default=0, help="Where the page before ended.")
@_json
def list_(root: str | None, limit: int, cursor: int, as_json: bool) -> int:
    """List what was applied and reverted here, the newest first."""
    from storage.clock import to_iso  # noqa: PLC0415 - not needed to apply
    from vibehq_tui.patches.applying.apply import Applier  # noqa: PLC0415 - not needed for --help

    receipts = Applier(_root_of(root)).receipts()
    page = receipts[cursor : cursor + limit]
    items = [
        {
            "id": item.id,
            "kind": item.kind,
            "at": to_iso(item.at),
            "title": item.meta.get("title"),
            "reverts": item.meta.get("reverts"),
            "files": [{"op": op, "path": path} for op, path in item.files],
            "added": item.added,
            "removed": item.removed,
        }
        for item in page
    ]
    more = cursor + limit < len(receipts)
    document = {"items": items, "next": str(cursor + limit) if more else None}
    text.emit(document, text.receipts(items), as_json=as_json)
    return 0


@_command("show", "patchctl show 20260301-120000-000")
@click.argument("receipt")
@_root
@_json
def show(receipt: str, root: str | None, as_json: bool) -> int:
    """Show what a receipt says was done, as a diff."""
    from storage.clock import to_iso  # noqa: PLC0415 - not needed to apply
    from vibehq_tui.patches.applying.apply import Applier  # noqa: PLC0415 - not needed for --help

    found = Applier(_root_of(root)).load(receipt)
    document = {
        "id": found.id,
        "kind": found.kind,
        "at": to_iso(found.at),
        "title": found.meta.get("title"),
        "reverts": found.meta.get("reverts"),
        "files": found.plan.to_wire(),
        "repairs": [repair.to_wire() for repair in found.plan.repairs],
        "planHash": found.plan.hash,
        "diff": found.plan.to_diff().decode("utf-8", "replace"),
    }
    text.emit(document, text.receipt(document), as_json=as_json)
    return 0


@_command(
    "markers",
    "patchctl markers",
    "patchctl markers src lib/util.py --json",
    "patchctl markers --name imports src/app.py",
)
@click.argument("paths", nargs=-1, metavar="[PATH…]")
@click.option("--name", metavar="NAME", help="Only the marker of this name; it must be the only one.")
@_json
def markers(paths: tuple[str, ...], name: str | None, as_json: bool) -> int:
    """List the named places (PATCH_MARKER: name, in a comment) of files and folders.

    For each: its lines, whether anything stands between the markers of a pair, and where an insertion would go.
    """
    from vibehq_tui.patches.applying.marker_files import find_marker, markers_below  # noqa: PLC0415 - not needed to apply

    for path in paths:
        if not os.path.lexists(path):
            raise NotFound(f"there is no file or folder {path}")
    files = [file for path in paths or (".",) for file in markers_below(Path(path))]
    items = [item for file in files for item in file.items()] if name is None else [find_marker(files, name)]
    problems = [problem for file in files for problem in file.problems() if name in (None, problem["name"])]
    document = {"items": items, "next": None, "problems": problems}
    text.emit(document, text.markers(items, problems), as_json=as_json)
    return 0


@_command("notify", "patchctl notify event.json")
@click.argument("file", metavar="FILE|-")
@_root
@_json
def notify(file: str, root: str | None, as_json: bool) -> int:
    """Hand a patch event of another tool, as JSON, to the workspace: it is checked, and put into its inbox."""
    from vibehq_tui.cli.patchctl_keys import deliver  # noqa: PLC0415 - not needed to apply

    document = deliver(_root_of(root), _read(file))
    text.emit(document, [f"delivered {document['type']} as {document['inbox']}"], as_json=as_json)
    return 0


def _root_of(root: str | None) -> Path:
    if root is not None:
        return Path(root).resolve()
    here = Path.cwd()
    return git_top(here) or here


def _check_readable(files: tuple[str, ...]) -> None:
    """Before anything is done: every file that is to be read is there."""
    if files.count("-") > 1:
        raise Usage("standard input can be read only once", hint="name - once")
    for name in files:
        if name != "-" and not Path(name).exists():
            raise NotFound(f"there is no file {name}", hint="- reads standard input")


def _read(name: str) -> bytes:
    """:raises Refused: when it cannot be read, or has more bytes than any patch."""
    try:
        if name == "-":
            data = sys.stdin.buffer.read(MOST_BYTES + 1)
        else:
            with open(name, "rb", buffering=0) as file:  # noqa: PTH123 - Path.open costs as much as the read
                data = file.read(MOST_BYTES + 1) if name.startswith("/dev/") else file.readall()
    except IsADirectoryError:
        raise Refused(f"{name} is a folder", hint="name a file, or - for standard input") from None
    except OSError as error:
        raise Refused(f"{name} cannot be read: {error.strerror}", code="unreadable") from error
    if len(data) > MOST_BYTES:
        raise Refused(f"{name} is larger than {MOST_BYTES // 1024 // 1024} MB", code="too-large", hint="split it")
    return data


def main(arguments: Sequence[str] | None = None) -> None:
    """The console script ``patchctl``: every way in which a call can end, and never a traceback."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in given
    try:
        code = cli.main(given, prog_name="patchctl", standalone_mode=False)
        sys.stdout.flush()
    except VibeError as error:
        code = text.emit_error(error, as_json=as_json)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        code = 2
    except click.UsageError as error:
        hint = f"{error.ctx.command_path} --help" if error.ctx is not None else "patchctl --help"
        code = text.emit_error(Usage(error.format_message(), hint=hint), as_json=as_json)
    except (KeyboardInterrupt, click.Abort):
        code = 130
    except text.PipeClosed:
        # The reader went away; nothing can be said to it, and Python must not try when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 141
    except OSError as error:
        where = f"{error.filename}: " if isinstance(error.filename, str) else ""
        code = text.emit_error(Refused(f"{where}{error.strerror or error}", code="io-error"), as_json=as_json)
    except MemoryError:
        code = text.emit_error(Refused("not enough memory for this patch", code="too-large"), as_json=as_json)
    except Exception as error:  # noqa: BLE001 - the outermost frame: a defect is told in one line and kept in a file
        from vibehq_tui.cli.failures import from_defect  # noqa: PLC0415 - only when something is broken

        code = text.emit_error(from_defect(error, None), as_json=as_json)
    status = code if isinstance(code, int) else 0
    if arguments is not None:
        sys.exit(status)
    # Everything is written and on disk; taking the interpreter apart would cost another tenth of the whole call.
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    main()
