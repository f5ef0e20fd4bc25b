"""One declaration per command: what is made of it is complete and without contradictions."""

from __future__ import annotations

import pytest
from textual.widget import Widget

from vibehq_tui.tui import keymap
from vibehq_tui.tui.app import VibeApp
from vibehq_tui.tui.commands import BY_ID, CHAINS, COMMANDS, Command, Context, in_scopes, key_label
from vibehq_tui.tui.key_table import key_table
from vibehq_tui.tui.palette import Palette, matching
from vibehq_tui.tui.screens.help import HelpScreen, help_rows
from vibehq_tui.tui.screens.issue_detail import IssueDetailScreen
from vibehq_tui.tui.screens.log_view import LogScreen
from vibehq_tui.tui.screens.main import MainScreen
from vibehq_tui.tui.screens.provider_detail import ProviderDetailScreen
from vibehq_tui.tui.screens.review import ReviewScreen
from vibehq_tui.tui.screens.task_detail import TaskDetailScreen
from vibehq_tui.tui.widgets.filter_bar import FilterBar
from vibehq_tui.tui.widgets.footer import MOST, _chosen
from vibehq_tui.tui.widgets.long_list import LongList
from vibehq_tui.tui.widgets.prompt import Ask, Choose, Confirm


def test_ids_are_unique() -> None:
    assert len(BY_ID) == len(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.id)
def test_each_says_what_it_does(command: Command) -> None:
    assert command.help.endswith(".")
    assert command.help[0].isupper()
    assert 0 < len(command.title) <= 20
    assert command.scopes
    assert set(command.instead_of) <= set(BY_ID)


def test_no_key_means_two_things_at_once() -> None:
    assert keymap.clashes(keymap.Keymap()) == []


def test_every_scope_is_in_a_chain() -> None:
    known = {scope for chain in CHAINS for scope in chain}
    assert {scope for command in COMMANDS for scope in command.scopes} <= known


def _subclasses(kind: type) -> set[type]:
    return {kind} | {below for one in kind.__subclasses__() for below in _subclasses(one)}


def test_somebody_does_each_of_them() -> None:
    assert {MainScreen, ReviewScreen, TaskDetailScreen, IssueDetailScreen, ProviderDetailScreen, LogScreen}
    assert {FilterBar, LongList, Ask, Choose, Confirm, Palette, HelpScreen} <= _subclasses(Widget)
    doers = [VibeApp, *_subclasses(Widget)]
    assert [command.id for command in COMMANDS if not any(hasattr(doer, command.method) for doer in doers)] == []


def test_every_doer_has_a_declaration() -> None:
    methods = {name for doer in (VibeApp, *_subclasses(Widget)) for name in vars(doer) if name.startswith("cmd_")}
    methods |= {name for name in dir(VibeApp) if name.startswith("cmd_")}
    assert methods - {command.method for command in COMMANDS} == set()


def test_footer_has_at_most_eight_on_the_main_screen() -> None:
    for chain in CHAINS:
        if "main" in chain:
            shown = _chosen(in_scopes(chain))
            assert len(shown) <= MOST
            assert shown[-1].id == "app.help"


def test_a_special_command_stands_in_for_the_general_one() -> None:
    ids = [command.id for command in in_scopes(("patches", "list", "main", "app"))]
    assert "patch.open" in ids
    assert "list.open" not in ids
    assert ids.index("patch.approve") < ids.index("list.down") < ids.index("app.quit")


def test_read_only_is_a_reason() -> None:
    approve = BY_ID["patch.approve"]
    assert approve.reason(Context(read_only=True)) == "read-only: this screen was opened to look, not to change"
    assert approve.reason(Context()) == "no patch is selected"
    assert BY_ID["list.down"].reason(Context(read_only=True)) is None


@pytest.mark.parametrize(
    ("key", "label"),
    [("ctrl+p", "^p"), ("escape", "esc"), ("f1", "F1"), ("+", "+"), ("shift+tab", "shift+tab"), ("pagedown", "pgdn")],
)
def test_key_label(key: str, label: str) -> None:
    assert key_label(key) == label


def test_key_label_in_ascii() -> None:
    assert key_label("down") == "↓"
    assert key_label("down", ascii_only=True) == "down"


def test_the_table_has_every_command() -> None:
    table = key_table()
    for command in COMMANDS:
        assert f"| `{command.id}` |" in table
        for key in command.keys:
            assert key_label(key).replace("|", "\\|") in table


def test_help_has_every_command_under_its_group() -> None:
    commands = in_scopes(("patches", "list", "main", "app"))
    rows = help_rows(commands, keymap.Keymap(), ascii_only=True)
    assert {command.id for command in commands} <= {row.key for row in rows}
    assert rows[0].key == "group Patches"


@pytest.mark.parametrize(
    ("wanted", "first"),
    [
        ("appr", "patch.approve"),
        ("ap", "patch.approve"),
        ("zoom", "pane.zoom"),
        ("help", "app.help"),
        ("qt", "app.quit"),
    ],
)
def test_the_palette_finds(wanted: str, first: str) -> None:
    assert matching(in_scopes(("patches", "list", "main", "app")), wanted)[0].id == first


def test_the_palette_finds_nothing_for_nonsense() -> None:
    assert matching(COMMANDS, "xqzw") == []
    assert len(matching(COMMANDS, "")) == len(COMMANDS)
