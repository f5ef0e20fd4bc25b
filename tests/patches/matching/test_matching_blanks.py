"""Blanks: tabs against spaces, a hunk that is indented by more or less, blanks within lines."""

from __future__ import annotations

import pytest
from matching_helpers import hunk, plan

SOURCE = """\
class Till:
    def total(self):
        result = 0
        for item in self.items:
            result += item.price
        return result

    def empty(self):
        return not self.items
"""
TABBED = SOURCE.replace("    ", "\t")
HUNK = """\
     def total(self):
         result = 0
         for item in self.items:
-            result += item.price
+            if item.price:
+                result += item.price
         return result
"""
WANTED = SOURCE.replace(
    "            result += item.price\n", "            if item.price:\n                result += item.price\n"
)


def moved(text: str, by: int) -> str:
    """A hunk with its lines indented by so much more, or less."""
    lines = text.splitlines(keepends=True)
    return "".join(
        line[0] + (" " * by + line[1:] if by > 0 else line[1 - by :]) if line[1:].strip() else line for line in lines
    )


def tabs(text: str, width: int = 4) -> str:
    return "".join(line[0] + line[1:].replace(" " * width, "\t") for line in text.splitlines(keepends=True))


@pytest.mark.parametrize("line", [None, 2, 40])
@pytest.mark.parametrize("by", [4, 8, 2, -4])
def test_a_hunk_that_is_indented_as_a_whole(by: int, line: int | None) -> None:
    answer = plan(SOURCE, hunk(moved(HUNK, by), line=line))
    assert (answer.result, answer.matches, answer.repaired) == ("applied", ["whitespace"], ["indentation"])
    assert answer.after == WANTED.encode()
    assert plan(SOURCE, hunk(moved(HUNK, by), line=line), strict=True).result == "conflict"


@pytest.mark.parametrize("width", [4, 8, 2])
def test_tabs_where_the_file_has_spaces(width: int) -> None:
    source, wanted, text = (it.replace("    ", " " * width) for it in (SOURCE, WANTED, HUNK))
    answer = plan(source, tabs(text, width))
    assert (answer.result, answer.matches, answer.repaired) == ("applied", ["whitespace"], ["indentation"])
    assert answer.after == wanted.encode()


@pytest.mark.parametrize("width", [4, 8, 2])
def test_spaces_where_the_file_has_tabs(width: int) -> None:
    answer = plan(TABBED, HUNK.replace("    ", " " * width))
    assert (answer.result, answer.matches, answer.repaired) == ("applied", ["whitespace"], ["indentation"])
    assert answer.after == WANTED.replace("    ", "\t").encode()


def test_spaces_that_are_no_whole_tab_are_not_certain() -> None:
    odd = HUNK.replace("+                result", "+              result")
    answer = plan(TABBED, odd)
    assert (answer.result, answer.codes) == ("conflict", ["context-not-found"])
    assert answer.problems[0].candidates == (2,)


def test_the_same_block_deeper_and_deeper_is_not_chosen_by_indentation() -> None:
    """Python: which one is meant decides what the program does."""
    source = "def f():\n    if a:\n        first_one()\n        second()\n    first_one()\n    second()\n"
    patch = "-  first_one()\n+  other()\n   second()\n"
    answer = plan(source, patch)
    assert (answer.result, answer.codes) == ("conflict", ["ambiguous-context"])
    assert answer.problems[0].candidates == (3, 5)
    exact = plan(source, "-    first_one()\n+    other()\n     second()\n")
    assert exact.after == source.replace("\n    first_one", "\n    other").encode()


def test_indentation_that_differs_in_several_ways_is_not_certain() -> None:
    uneven = HUNK.replace("         result = 0", "      result = 0")
    assert plan(SOURCE, uneven).codes == ["context-not-found"]


def test_lines_that_are_indented_for_their_own_sake() -> None:
    """The hunk indents a line; the file has it so already."""
    source = "if a:\n    if b:\n        x = compute(a, b)\n    done(x)\n"
    patch = "     if b:\n-    x = compute(a, b)\n+        x = compute(a, b)\n     done(x)\n"
    assert plan(source, patch).result in ("conflict", "already-applied")
    alone = "-x = compute(a, b)\n+    x = compute(a, b)\n"
    assert plan("if b:\n        x = compute(a, b)\n", alone).result == "conflict"


def test_the_search_flush_left_and_the_replacement_as_in_the_file() -> None:
    """Nothing says that the added lines count their blanks from where the removed ones do."""
    source = "def f():\n    first = 1\n    second = 2\n"
    assert plan(source, "-second = 2\n+    second = 3\n").result == "conflict"
    answer = plan(source, " first = 1\n-second = 2\n+second = 3\n")
    assert answer.after == b"def f():\n    first = 1\n    second = 3\n"


def test_context_that_lost_its_marker() -> None:
    """Without the blank in front, the first blank of a context line is taken for it; the other lines are right."""
    lost = "".join(line[0] + line[2:] if line[0] == " " else line for line in HUNK.splitlines(keepends=True))
    answer = plan(SOURCE, lost)
    assert (answer.result, answer.after) == ("applied", WANTED.encode())
    insertion = "    def total(self):\n        result = 0\n+        other = 0\n"
    assert plan(SOURCE, insertion).result == "conflict"


def test_blanks_within_lines() -> None:
    source = "alpha   = 1\nbeta    = 2\ngamma   = 3\n"
    answer = plan(source, " alpha = 1\n-beta = 2\n+beta = 4\n gamma = 3\n")
    assert (answer.result, answer.matches, answer.repaired) == ("applied", ["whitespace"], ["whitespace"])
    assert answer.after == b"alpha   = 1\nbeta = 4\ngamma   = 3\n"


def test_blanks_where_there_are_none_make_another_line() -> None:
    source = "alpha('ab')\nbeta = 2\n"
    assert plan(source, " alpha('a b')\n-beta = 2\n+beta = 3\n").codes == ["context-not-found"]


def test_a_hunk_about_blanks_is_taken_at_its_word() -> None:
    source = "alpha = 1\nbeta = 2\n"
    assert plan(source, "-alpha   = 1\n+alpha = 1\n beta = 2\n").result != "applied"


def test_two_blocks_that_differ_in_blanks() -> None:
    source = "alphabet = 1\nbeta = 2\n\nalphabet  = 1\nbeta  = 2\n"
    exact = plan(source, " alphabet  = 1\n-beta  = 2\n+beta = 3\n")
    assert exact.after == b"alphabet = 1\nbeta = 2\n\nalphabet  = 1\nbeta = 3\n"
    answer = plan(source, " alphabet   = 1\n-beta   = 2\n+beta = 3\n")
    assert (answer.codes, answer.problems[0].candidates) == (["ambiguous-context"], (1, 4))


def test_trailing_blanks_are_the_files_own() -> None:
    answer = plan("one  \ntwo\t\nthree\n", " one\n-two\n+2\n three \n")
    assert (answer.matches, answer.repaired) == (["whitespace"], ["trailing-blanks"])
    assert answer.after == b"one  \n2\nthree\n"


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_line_ends_stay_in_every_tier(end: str) -> None:
    answer = plan(SOURCE.replace("\n", end), tabs(HUNK))
    assert answer.after == WANTED.replace("\n", end).encode()
    back = plan(SOURCE.replace("\n", end), tabs(HUNK).replace("\n", "\r\n"))
    assert back.after == WANTED.replace("\n", end).encode()


def test_a_lone_carriage_return_ends_no_line() -> None:
    answer = plan(b"one\rtwo\nthree\nfour\n", " three\n-four\n+4\n")
    assert answer.after == b"one\rtwo\nthree\n4\n"


def test_tabs_in_added_lines_follow_the_other_hunks() -> None:
    source = "def anything():\n        one()\n        two()\n\nif x:\n    pass\nelse:\n    done()\n"
    first, second = " def anything():\n \tone()\n-\ttwo()\n+\t2()\n", " if x:\n     pass\n+elif y:\n+\tpass\n else:\n"
    answer = plan(source, first, second)
    assert answer.after == source.replace("two", "2").replace("else", "elif y:\n        pass\nelse").encode()
    apart = plan(source.replace("    pass", "  pass").replace("two()", "two ()"), second.replace("    pass", "  pass"))
    assert apart.after is not None
    assert b"\n\tpass" in apart.after


def test_a_deeper_copy_that_is_just_what_the_hunk_says() -> None:
    """At its own line the hunk fits but for the indentation, elsewhere as it is: that says both."""
    block = "items = collect(self)\ndelta = measure(items)\nreturn delta\n"
    deeper = "".join(f"    {line}\n" for line in block.splitlines())
    text = "     items = collect(self)\n-    delta = measure(items)\n     return delta\n"
    answer = plan(block + "\n" * 5 + deeper, hunk(text, line=1))
    assert (answer.result, answer.codes) == ("conflict", ["ambiguous-context"])
    assert (
        plan(block + "\n" * 5 + deeper, hunk(text, line=9)).after
        == (block + "\n" * 5 + deeper).replace("    delta = measure(items)\n", "").encode()
    )
