"""Which key does what: the declared keys, changed by ``[keymap]`` in ``vibehq.toml``.

::

    [keymap]
    "patch.approve" = "y"
    "list.down" = ["j", "down", "ctrl+n"]

An override replaces all keys of a command. What cannot work (an unknown command, a key that a terminal cannot tell from
another, two commands on one key) is reported and left as declared, never dropped in silence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vibehq_tui.tui.commands import BY_ID, CHAINS, COMMANDS, Command, in_scopes

_NAMES = frozenset(
    {
        *("enter", "escape", "space", "tab", "backspace", "delete", "insert"),
        *("home", "end", "pageup", "pagedown", "up", "down", "left", "right"),
        *(f"f{number}" for number in range(1, 25)),
    }
)
_MODIFIERS = frozenset({"ctrl", "shift", "alt"})
_SAME_KEY = {
    "ctrl+m": "enter",
    "ctrl+h": "backspace",
    "ctrl+j": "enter",
    "ctrl+i": "tab",
    "ctrl+[": "escape",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class KeymapProblem:
    """Something in ``[keymap]`` that was not followed."""

    id: str
    """The command's id, as written."""
    message: str
    """What is wrong and what to do."""


class Keymap:
    """The keys in force."""

    def __init__(self, keys: Mapping[str, tuple[str, ...]] | None = None) -> None:
        """:param keys: for each command that differs from its declaration, all its keys."""
        self._keys = dict(keys or {})
        self._tables: dict[tuple[str, ...], dict[str, Command]] = {}

    def keys(self, command: Command) -> tuple[str, ...]:
        """The keys of a command; empty when it has none."""
        return self._keys.get(command.id, command.keys)

    def table(self, scopes: Sequence[str]) -> Mapping[str, Command]:
        """What each key means where ``scopes`` are active, inner ones first."""
        chain = tuple(scopes)
        if chain not in self._tables:
            table: dict[str, Command] = {}
            for command in _by_scope(chain):
                for key in self.keys(command):
                    table.setdefault(key, command)
            self._tables[chain] = table
        return self._tables[chain]

    def elsewhere(self, key: str) -> Command | None:
        """A command that this key means in some other place."""
        return next((command for command in COMMANDS if key in self.keys(command)), None)


def _by_scope(chain: tuple[str, ...]) -> list[Command]:
    """The commands of a chain, those of inner scopes first."""
    commands = in_scopes(chain)
    depth = {scope: number for number, scope in enumerate(chain)}
    return sorted(commands, key=lambda command: min(depth[scope] for scope in command.scopes if scope in depth))


def load(overrides: Mapping[str, Any]) -> tuple[Keymap, list[KeymapProblem]]:
    """Checks the overrides of the configuration.

    :param overrides: command id → key, keys separated by commas, or a list of keys.
    :returns: the keymap with everything that can work, and a problem for each entry that was left out.
    """
    problems: list[KeymapProblem] = []
    wanted: dict[str, tuple[str, ...]] = {}
    for id_, value in overrides.items():
        problem = _check_id(id_)
        keys = _parse(value)
        if problem is None:
            problem = next((message for key in keys if (message := _check_key(key))), None)
        if problem is None:
            wanted[id_] = keys
        else:
            problems.append(KeymapProblem(id=id_, message=problem))
    while wanted and (clash := _clash(Keymap(wanted), wanted)):
        loser, message = clash
        del wanted[loser]
        problems.append(KeymapProblem(id=loser, message=message))
    return Keymap(wanted), problems


def clashes(keymap: Keymap) -> list[tuple[str, str, str, tuple[str, ...]]]:
    """Where one key means two things at once: ``(key, command id, other command id, scopes)`` of each."""
    found = []
    for chain in CHAINS:
        owners: dict[str, Command] = {}
        for command in _by_scope(chain):
            for key in keymap.keys(command):
                other = owners.setdefault(key, command)
                if other is not command:
                    found.append((key, other.id, command.id, chain))
    return found


def _clash(keymap: Keymap, wanted: Mapping[str, Any]) -> tuple[str, str] | None:
    """The override to give up for the first clash, with the reason; ``None`` when there is no clash."""
    for key, one, two, _ in clashes(keymap):
        loser, other = (two, one) if two in wanted else (one, two)
        if loser in wanted:
            return loser, f"{key} is the key of {other} already; give {other} another key too, or choose a free one"
    return None


def _parse(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,) if value == "," else tuple(part.strip() for part in value.split(",") if part.strip())
    if isinstance(value, (list, tuple)):
        return tuple(str(part).strip() for part in value)
    return (str(value),)


def _check_id(id_: str) -> str | None:
    if id_ in BY_ID:
        return None
    import difflib  # noqa: PLC0415 - needed for a mistake only

    near = difflib.get_close_matches(id_, BY_ID, n=1)
    hint = f"; did you mean {near[0]}?" if near else "; `vibehq docs keys` lists them"
    return f"there is no command of this name{hint}"


def _check_key(key: str) -> str | None:
    """What is wrong with the name of a key, or ``None``."""
    if key in _SAME_KEY:
        return f"a terminal cannot tell {key} from {_SAME_KEY[key]}; choose another key"
    *modifiers, name = key.split("+") if len(key) > 1 else [key]
    strange = [modifier for modifier in modifiers if modifier not in _MODIFIERS]
    if strange or not (name in _NAMES or (len(name) == 1 and name.isprintable())):
        return f"{key!r} is not a key; write a character, or a name such as enter, f5, ctrl+k"
    return None
