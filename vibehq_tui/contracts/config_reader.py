"""Turns TOML tables into frozen dataclasses and says precisely what is wrong with them.

Written by hand instead of taken from pydantic: a command line call reads the configuration each time, and importing
pydantic would cost more than the rest of the call. A class declares each setting once, with :func:`setting`: default,
what it means, and how it is read. Documentation, template and checks come from that one declaration.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from storage.errors import Refused
from vibehq_tui.contracts.cadence import parse_cadence, parse_duration

T = TypeVar("T")

MAX_BYTES: Final = 1_000_000
"""Larger files are not read: no configuration is."""
_SHOWN: Final = 60


@dataclass(frozen=True, slots=True)
class ConfigProblem:
    """One thing that is wrong in a configuration file."""

    file: str
    key: str
    """Dotted, such as ``scan.incremental`` or ``routes[2].type``; empty when the file cannot be read at all."""
    message: str
    allowed: tuple[str, ...] = ()
    hint: str = ""
    line: int | None = None

    def to_wire(self) -> dict[str, Any]:
        """As it stands in ``details["problems"]`` of the error."""
        return dataclasses.asdict(self) | {"allowed": list(self.allowed)}


class Invalid(Exception):
    """A value that a reader does not take; becomes a :class:`ConfigProblem` where file and key are known."""

    def __init__(self, expected: str, *, allowed: Sequence[str] = (), hint: str = "") -> None:
        super().__init__(expected)
        self.expected = expected
        self.allowed = tuple(allowed)
        self.hint = hint


class Source:
    """One file that is being read, and all that is wrong with it."""

    def __init__(self, path: Path, name: str, text: str = "") -> None:
        self.path = path
        self.name = name
        """How messages name it."""
        self.text = text
        self.problems: list[ConfigProblem] = []

    def report(self, key: str, message: str, *, allowed: Sequence[str] = (), hint: str = "") -> None:
        """Notes a problem with ``key``; reading goes on, so that all problems are told at once."""
        line = line_of(self.text, key)
        self.problems.append(ConfigProblem(self.name, key, message, tuple(allowed), hint, line))


Read = Callable[[Any, str, Source, Any], Any]
"""``(value, key, source, value so far) -> value``; raises :class:`Invalid`."""


def setting(default: T, help_: str, read: Read, *, form: str) -> T:
    """Declares one setting of a configuration class.

    :param help_: what it means, one or two sentences.
    :param form: the values that it takes, for people: ``"done" | "review" | "keep"``, ``duration`` …
    """
    metadata = {"help": help_, "read": read, "form": form}
    value: Any
    if isinstance(default, dict):
        value = dataclasses.field(default_factory=dict, metadata=metadata)
    else:
        value = dataclasses.field(default=default, metadata=metadata)
    return value  # type: ignore[no-any-return]


def parse_toml(path: Path, name: str) -> tuple[Source, dict[str, Any]]:
    """Reads a TOML file; trouble with the file itself is a problem of the source, with an empty table."""
    import tomllib  # noqa: PLC0415 - without a configuration file, nothing needs a TOML parser

    source = Source(path, name)
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        source.report("", f"cannot be read: {error.strerror or error}")
        return source, {}
    if len(content) > MAX_BYTES:
        source.report("", f"is larger than {MAX_BYTES:,} bytes and was not read")
        return source, {}
    try:
        source.text = content.decode("utf-8-sig")
        return source, tomllib.loads(source.text)
    except UnicodeDecodeError as error:
        source.report("", f"is not UTF-8 text (byte {error.start})")
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        source.report("", f"is not valid TOML: {error}")
    return source, {}


def raise_problems(problems: Sequence[ConfigProblem]) -> None:
    """Raises the one error that names every problem; does nothing without any.

    :raises Refused: ``config-invalid``; ``details["problems"]`` lists file, key, line, message and allowed values.
    """
    if not problems:
        return
    first = problems[0]
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    allowed = f"allowed: {', '.join(first.allowed)}" if first.allowed else ""
    raise Refused(
        f"{describe(first)}{more}",
        code="config-invalid",
        hint=first.hint or allowed or f"correct {first.file} and try again",
        details={
            "file": first.file,
            "key": first.key,
            "allowed": list(first.allowed),
            "problems": [problem.to_wire() for problem in problems],
        },
    )


def describe(problem: ConfigProblem) -> str:
    """``vibehq.toml, line 3: scan.incremental: expected …``."""
    where = problem.file if problem.line is None else f"{problem.file}, line {problem.line}"
    return f"{where}: {problem.key}: {problem.message}" if problem.key else f"{where} {problem.message}"


def read_table(table: Any, kind: type[T], key: str, source: Source, base: T | None = None) -> T:
    """Reads a TOML table into ``kind``, on top of what ``base`` already says.

    ``kind`` may have a method ``check() -> str | None`` that says what is wrong with the values taken together. Wrong
    values are reported to ``source`` and left as they were.
    """
    current: Any = kind() if base is None else base
    if not isinstance(table, Mapping):
        source.report(key, f"expected a table, not {shown(table)}")
        return current  # type: ignore[no-any-return]
    known = {field.name: field for field in dataclasses.fields(kind) if "read" in field.metadata}  # type: ignore[arg-type]
    changes: dict[str, Any] = {}
    for name, value in table.items():
        path = f"{key}.{name}" if key else name
        if name not in known:
            _report_unknown(name, path, kind, tuple(known), source)
            continue
        try:
            changes[name] = known[name].metadata["read"](value, path, source, getattr(current, name))
        except Invalid as error:
            source.report(path, f"{error.expected}, not {shown(value)}", allowed=error.allowed, hint=error.hint)
    merged = dataclasses.replace(current, **changes)
    wrong = merged.check() if hasattr(merged, "check") else None
    if wrong:
        source.report(key, wrong)
        return current  # type: ignore[no-any-return]
    return merged  # type: ignore[no-any-return]


def _report_unknown(name: str, path: str, kind: type, known: tuple[str, ...], source: Source) -> None:
    explain = getattr(kind, "unknown_key", None)
    message = explain(name) if explain else "unknown setting"
    near = nearest(name, known)
    hint = f"did you mean {near}?" if near else f"known here: {', '.join(known)}"
    source.report(path, message, allowed=known, hint=hint)


def nearest(word: str, words: Sequence[str]) -> str | None:
    """The word that was probably meant; none when nothing is near."""
    import difflib  # noqa: PLC0415 - needed for an error only, and costs as much as all of this module

    found = difflib.get_close_matches(word[:_SHOWN].lower().replace("-", "_"), words, n=1, cutoff=0.6)
    return found[0] if found else None


def shown(value: Any) -> str:
    """A value for a message: short, and with no control characters in it."""
    text = repr(value) if not isinstance(value, bool) else str(value).lower()
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def line_of(text: str, key: str) -> int | None:
    """The line of a dotted key in a TOML text, found by reading headers and names; none where that is not certain."""
    if not key:
        return None
    table = ""
    counts: dict[str, int] = {}
    header_line: int | None = None
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if line.startswith("[["):
            name = _unquoted(line[2:].partition("]]")[0])
            table = f"{name}[{counts.get(name, 0)}]"
            counts[name] = counts.get(name, 0) + 1
        elif line.startswith("[") and "=" not in line:
            table = _unquoted(line[1:].partition("]")[0])
        elif "=" in line and not line.startswith("#"):
            name = _unquoted(line.partition("=")[0])
            full = f"{table}.{name}" if table else name
            if full == key or key.startswith((f"{full}.", f"{full}[")):
                return number
            if full.startswith(f"{key}."):
                header_line = header_line or number
            continue
        else:
            continue
        if table == key or table.startswith(f"{key}."):
            header_line = header_line or number
    return header_line


def _unquoted(name: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in name.split("."))


# Readers of values. Each is made once, in a declaration.


def one_of(*words: str) -> Read:
    """One of a few words."""

    def read(value: Any, key: str, source: Source, before: Any) -> str:
        if value not in words or not isinstance(value, str):
            near = nearest(value, words) if isinstance(value, str) else None
            raise Invalid(
                f"expected {alternatives(words)}", allowed=words, hint=f"did you mean {near}?" if near else ""
            )
        return value

    return read


def alternatives(words: Sequence[str]) -> str:
    """``a, b or c``."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def boolean(value: Any, key: str, source: Source, before: Any) -> bool:
    """``true`` or ``false``."""
    if not isinstance(value, bool):
        raise Invalid("expected true or false", allowed=("true", "false"))
    return value


def text(value: Any, key: str, source: Source, before: Any) -> str:
    """Any text on one line."""
    if not isinstance(value, str) or "\n" in value:
        raise Invalid("expected text on one line, in quotes")
    return value


def words(allowed: Sequence[str] = (), *, add: bool = False) -> Read:
    """A list of texts, or one text; with ``allowed``, each is one of them; with ``add``, files add to one another."""

    def read(value: Any, key: str, source: Source, before: Any) -> tuple[str, ...]:
        items = [value] if isinstance(value, str) else value
        if not isinstance(items, list) or not all(isinstance(item, str) and item for item in items):
            raise Invalid("expected a list of texts", allowed=allowed)
        for item in items:
            if allowed and item not in allowed:
                near = nearest(item, allowed)
                hint = f"did you mean {near}?" if near else ""
                raise Invalid(f"expected {alternatives(allowed)}", allowed=allowed, hint=hint)
        return tuple(dict.fromkeys((*before, *items) if add else items))

    return read


def integer(low: int, high: int) -> Read:
    """A whole number in a range."""

    def read(value: Any, key: str, source: Source, before: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise Invalid(f"expected a whole number from {low} to {high}", allowed=(f"{low}..{high}",))
        return value

    return read


def duration(low: int, high: int) -> Read:
    """A duration such as ``"24h"``, as seconds."""

    def read(value: Any, key: str, source: Source, before: Any) -> int:
        if not isinstance(value, str):
            raise Invalid('expected a duration in quotes, such as "90s", "5m", "1h30m" or "2d"')
        try:
            seconds = parse_duration(value)
        except ValueError as error:
            raise Invalid(str(error)) from None
        if not low <= seconds <= high:
            raise Invalid(f"expected a duration from {span(low)} to {span(high)}")
        return seconds

    return read


def span(seconds: int) -> str:
    """Seconds as a duration text: ``90`` → ``1m30s``."""
    parts = []
    for unit, size in (("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


_SIZE_UNITS: Final = {"B": 1, "KB": 1000, "KIB": 1024, "MB": 10**6, "MIB": 1 << 20, "GB": 10**9, "GIB": 1 << 30}


def size(low: int, high: int) -> Read:
    """A number of bytes such as ``"10MB"``."""

    def read(value: Any, key: str, source: Source, before: Any) -> int:
        plain = value.replace(" ", "").upper() if isinstance(value, str) else ""
        digits = plain.rstrip("BGIKM")
        unit = _SIZE_UNITS.get(plain[len(digits) :])
        if unit is None or not (digits.isascii() and digits.isdecimal() and len(digits) <= 12):
            raise Invalid('expected a size in quotes, such as "500KB", "10MB" or "1GiB"')
        if not low <= int(digits) * unit <= high:
            raise Invalid(f"expected a size from {low:,} to {high:,} bytes")
        return int(digits) * unit

    return read


def cadence(value: Any, key: str, source: Source, before: Any) -> Any:
    """An interval or a cron line, as a :class:`~vibehq_tui.contracts.cadence.Cadence`."""
    if not isinstance(value, str):
        raise Invalid('expected an interval such as "5m" or a cron line such as "0 2 * * *"')
    try:
        return parse_cadence(value)
    except ValueError as error:
        raise Invalid(str(error)) from None


def timezone(value: Any, key: str, source: Source, before: Any) -> str:
    """A name of the IANA time zone database."""
    import zoneinfo  # noqa: PLC0415 - few configurations name a zone

    try:
        zoneinfo.ZoneInfo(value)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        near = None
        if isinstance(value, str):
            zones = {zone.lower(): zone for zone in zoneinfo.available_timezones()}
            near = zones.get(nearest(value, tuple(zones)) or "")
        hint = f"did you mean {near}?" if near else ""
        raise Invalid('expected the name of a time zone, such as "UTC" or "Europe/Berlin"', hint=hint) from None
    return str(value)


def section(kind: type) -> Read:
    """A table of settings of its own."""
    return lambda value, key, source, before: read_table(value, kind, key, source, before)


def tables(kind: type) -> Read:
    """A table of tables: a name, then the settings of ``kind``."""

    def read(value: Any, key: str, source: Source, before: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise Invalid("expected a table")
        merged = dict(before)
        for name, table in value.items():
            merged[name] = read_table(table, kind, f"{key}.{name}", source, merged.get(name))
        return merged

    return read


def keys(value: Any, key: str, source: Source, before: Any) -> dict[str, tuple[str, ...]]:
    """A table of command → key, or list of keys; what is read later replaces what was read before."""
    if not isinstance(value, dict):
        raise Invalid("expected a table")
    merged = dict(before)
    for name, given in value.items():
        found = [given] if isinstance(given, str) else given
        if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
            raise Invalid(f"expected a key or a list of keys for {name}, in quotes")
        merged[name] = tuple(found)
    return merged


def table_list(kind: type) -> Read:
    """A list of tables; those of a file come before those of the files read earlier."""

    def read(value: Any, key: str, source: Source, before: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise Invalid(f"expected a list of tables, written [[{key}]]")
        return (*(read_table(item, kind, f"{key}[{n}]", source) for n, item in enumerate(value)), *before)

    return read
