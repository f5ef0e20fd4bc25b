"""Characters that look alike, and context that has changed: a place is taken only where enough is left."""

from __future__ import annotations

import unicodedata

import pytest
from matching_helpers import hunk, plan

SOURCE = """\
# The till — it’s what “we” count with…
def total(items):
    result = 0
    for item in items:
        result += item.price
    return round(result, 2)


def average(items):
    return total(items) / len(items)
"""
PLAIN = """\
 # The till - it's what "we" count with...
 def total(items):
-    result = 0
+    result = Decimal(0)
     for item in items:
"""
HUNK = """\
 # The till — it’s what “we” count with…
 def total(items):
     result = 0
     for item in items:
-        result += item.price
+        result += item.price * item.count
     return round(result, 2)
"""


def test_context_in_plain_characters() -> None:
    answer = plan(SOURCE, PLAIN)
    assert (answer.result, answer.matches, answer.repaired) == ("applied", ["unicode"], ["unicode"])
    assert answer.after == SOURCE.replace("result = 0", "result = Decimal(0)").encode()
    assert plan(SOURCE, PLAIN, strict=True).result == "conflict"


@pytest.mark.parametrize(
    ("theirs", "mine"),
    [("\u00a0", " "), ("\u2009", " "), ("\u200b", ""), ("\u2212", "-"), ("é", "e\u0301"), ("\u2018x\u2019", "'x'")],
)
def test_characters_that_look_alike(theirs: str, mine: str) -> None:
    for said, there in ((theirs, mine), (mine, theirs)):
        before = f"first line\nhere is {there}it.\nlast line\n"
        answer = plan(before, f" first line\n here is {said}it.\n-last line\n+the end\n")
        assert (answer.result, answer.matches) == ("applied", ["unicode"])
        assert answer.after == before.replace("last line", "the end").encode()


def test_composed_and_decomposed() -> None:
    before = unicodedata.normalize("NFD", "Grüße\nsind schön\nimmer\n")
    answer = plan(before, " Grüße\n-sind schön\n+sind gut\n immer\n")
    assert answer.after == before.replace(unicodedata.normalize("NFD", "sind schön"), "sind gut").encode()


def test_a_removed_line_is_the_files_own_and_an_added_one_the_patchs() -> None:
    answer = plan("alpha — beta\nother\n", "-alpha - beta\n+alpha - c\n other\n")
    assert answer.after == b"alpha - c\nother\n"


def test_a_hunk_about_characters_is_taken_at_its_word() -> None:
    assert plan("say “yes”\nother\n", "-say ‘yes’\n+say 'yes'\n other\n").result == "conflict"


def test_two_places_that_look_alike() -> None:
    answer = plan("it’s one line\nsame\n\nit‘s one line\nsame\n", " it's one line\n-same\n+other\n")
    assert (answer.codes, answer.problems[0].candidates) == (["ambiguous-context"], (1, 4))


def test_blanks_of_other_kinds_before_lines() -> None:
    before = "def f():\n    first = 1\n    second = 2\n"
    answer = plan(before, " def f():\n \u00a0\u00a0\u00a0 first = 1\n+\u00a0\u00a0\u00a0 more = 1\n     second = 2\n")
    assert answer.after == before.replace("    second", "    more = 1\n    second").encode()


@pytest.mark.parametrize("line", [1, 7, None])
@pytest.mark.parametrize(
    ("there", "now"),
    [
        ("def total(items):", "def total(items: list[Item]):"),
        ("# The till — it’s what “we” count with…\n", ""),
        ("    result = 0\n", "    result = 0\n    log.debug('counting')\n"),
        ("    return round(result, 2)", "    return round(result, 3)"),
    ],
)
def test_context_that_has_changed(there: str, now: str, line: int | None) -> None:
    before = SOURCE.replace(there, now)
    answer = plan(before, hunk(HUNK, line=line))
    assert (answer.result, answer.matches, answer.repaired) == ("applied", ["fuzzy"], ["fuzzy"])
    assert answer.after == before.replace("item.price", "item.price * item.count").encode()
    assert plan(before, hunk(HUNK, line=line), strict=True).result == "conflict"


def test_a_removed_line_is_never_guessed() -> None:
    before = SOURCE.replace("result += item.price", "result += item.cost")
    answer = plan(before, HUNK)
    assert (answer.result, answer.codes) == ("conflict", ["context-not-found"])
    near = answer.problems[0].nearest
    assert near is not None
    assert (near.line, near.found[4]) == (1, b"        result += item.cost\n")
    assert near.score > 0.8


def test_an_insertion_needs_both_its_neighbours() -> None:
    insertion = HUNK.replace("-        result += item.price\n", "         result += item.price\n")
    before = SOURCE.replace("return round", "return  float")
    assert plan(before, insertion).result == "conflict"
    far = SOURCE.replace("# The till", "# A till")
    assert plan(far, insertion).matches == ["fuzzy"]


def test_new_lines_beside_a_change_leave_its_place_open() -> None:
    before = SOURCE.replace("        result += item.price\n", "        result += item.price\n        count += 1\n")
    assert plan(before, HUNK).codes == ["context-not-found"]


def test_context_that_stands_elsewhere_speaks_for_another_place() -> None:
    before = SOURCE.replace("def total(items):", "def sum_up(items):") + "\n\ndef total(items):\n    return None\n"
    assert plan(before, HUNK).result == "conflict"


BLOCK = """\
def test_{name}():
    client = Client()
    client.login("ada")
    answer = client.get("/{name}")
    assert answer.status == 200
    client.logout()


"""


def of_block(text: str) -> str:
    """A hunk that changes the status of a block."""
    lines = text.splitlines(keepends=True)
    return "".join(f"-{line}+    assert answer.ok\n" if "status" in line else f" {line}" for line in lines)


@pytest.mark.parametrize("line", [None, 1, 9, 17])
def test_a_block_that_is_like_another_one_is_not_taken_for_it(line: int | None) -> None:
    first, second, third = (BLOCK.format(name=name) for name in ("first", "second", "third"))
    changed = second.replace("== 200", "== 404").replace("ada", "bob")
    for rest in ((first, changed, third), (changed, third), (first, changed)):
        answer = plan("".join(rest), hunk(of_block(second), line=line))
        assert answer.result == "conflict"


def test_the_one_of_two_that_is_meant_has_changed() -> None:
    """The copy further down is just what the hunk looks for, and it is not meant."""
    block = "start\none\ntwo\nthree\nend\n"
    before = "top\n" + block.replace("two", "2") + "middle\n" * 5 + block
    answer = plan(before, hunk(" one\n-two\n+TWO\n three\n end\n", line=3))
    assert (answer.codes, answer.problems[0].candidates) == (["ambiguous-context"], (3, 13))
    done = "top\n" + block.replace("two", "TWO") + "middle\n" * 5 + block
    assert plan(done, hunk(" one\n-two\n+TWO\n three\n end\n", line=3)).result == "already-applied"
    assert plan(done, " one\n-two\n+TWO\n three\n end\n").result == "conflict"


def test_many_equal_lines_are_no_place() -> None:
    text = " same\n" * 30 + "-same\n+other\n" + " same\n" * 30 + " END\n"
    assert plan("same\n" * 500, hunk(text, line=7)).result == "conflict"
