"""``[[policies]]``: what is read, and how mistakes are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.errors import Refused
from vibehq_tui.contracts.config import load


def read(folder: Path, text: str) -> None:
    (folder / "vibehq.toml").write_text(text, encoding="utf-8")


def test_rules_keep_their_order_and_the_workspaces_come_first(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    read(own, '[[policies]]\nname = "mine"\naction = "deny"\nprovider = "aider"\n')
    read(
        tmp_path,
        '[[policies]]\nname = "docs"\naction = "approve"\npaths = "docs/**"\nmax_lines = 20\nchecks = ["syntax:ok"]\n'
        '[[policies]]\nname = "big"\nmin_lines = 500\nrisk = ["high"]\noperations = ["delete", "binary"]\n',
    )
    found = load(tmp_path, own).policies
    assert [(rule.name, rule.action) for rule in found] == [("docs", "approve"), ("big", "hold"), ("mine", "deny")]
    assert (found[0].paths, found[0].max_lines, found[0].checks) == (("docs/**",), 20, ("syntax:ok",))
    assert (found[1].min_lines, found[1].operations) == (500, ("delete", "binary"))


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        ('name = "a"\naction = "aprove"', "policies[0].action", ("approve, hold or deny", "did you mean approve?")),
        ('action = "hold"', "policies[0]", ("name is missing",)),
        ('name = "a"\nrisk = ["huge"]', "policies[0].risk", ("low, medium or high",)),
        ('name = "a"\noperations = ["remove"]', "policies[0].operations", ("create, delete",)),
        ('name = "a"\nmax_lines = -1', "policies[0].max_lines", ("from 0",)),
        ('name = "a"\nmax_lines = "many"', "policies[0].max_lines", ("whole number",)),
        ('name = "a"\nmin_lines = 9\nmax_lines = 3', "policies[0]", ("must not be above",)),
        ('name = "a"\npath = ["x"]', "policies[0].path", ("unknown setting", "did you mean paths?")),
        ('name = "a"\nchecks = ["syntax:bad"]', "policies[0].checks", ("ok, warning or error",)),
        ('name = "a"\npaths_match = "some"', "policies[0].paths_match", ("any or all",)),
        ('name = "a"\n[[policies]]\nname = "a"', "policies[1].name", ("another rule called 'a'",)),
    ],
)
def test_mistakes_are_named(text: str, key: str, words: tuple[str, ...], tmp_path: Path) -> None:
    read(tmp_path, f"[[policies]]\n{text}\n")
    with pytest.raises(Refused) as caught:
        load(tmp_path)
    (problem,) = caught.value.details["problems"]
    assert (problem["key"], problem["file"]) == (key, "vibehq.toml")
    assert problem["line"]
    for word in words:
        assert word in f"{problem['message']} {problem['hint']}"


def test_a_name_may_not_come_twice_from_two_files(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    read(own, '[[policies]]\nname = "a"\n')
    read(tmp_path, '[[policies]]\nname = "a"\naction = "approve"\n')
    with pytest.raises(Refused, match="another rule called 'a'"):
        load(tmp_path, own)


def test_policies_are_a_list_of_tables(tmp_path: Path) -> None:
    read(tmp_path, '[policies]\nname = "a"\n')
    with pytest.raises(Refused, match=r"\[\[policies\]\]"):
        load(tmp_path)
