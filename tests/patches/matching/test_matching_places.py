"""Hunks without numbers: the only place, or none; anchors, ends of files, any order, blocks on top of each other."""

from __future__ import annotations

import pytest
from matching_helpers import hunk, plan

CLASSES = """\
class First:
    def close(self):
        self.open = False

    def reset(self):
        self.count = 0


class Second:
    def close(self):
        self.open = False

    def reset(self):
        self.count = 0
"""
CLOSE = "     def close(self):\n-        self.open = False\n+        self.open = None\n"


def changed(line: int, new: str) -> bytes:
    lines = CLASSES.splitlines(keepends=True)
    lines[line - 1] = new + "\n"
    return "".join(lines).encode()


def test_the_only_place() -> None:
    answer = plan("a\nb\nc\n", " a\n-b\n+B\n c\n")
    assert (answer.result, answer.matches, answer.repairs, answer.after) == ("applied", ["exact"], (), b"a\nB\nc\n")
    assert plan("a\nb\nc\n", " a\n-b\n+B\n c\n", strict=True).result == "applied"


def test_one_of_two_places() -> None:
    answer = plan(CLASSES, CLOSE)
    assert (answer.codes, answer.problems[0].candidates) == (["ambiguous-context"], (2, 10))
    assert "line number" not in answer.problems[0].message


def test_no_place_shows_the_nearest() -> None:
    answer = plan(CLASSES, CLOSE.replace("self.open = False", "self.opened = False"))
    near = answer.problems[0].nearest
    assert answer.codes == ["context-not-found"]
    assert near is not None
    assert (near.line, near.expected[0], near.found[1]) == (
        2,
        b"    def close(self):\n",
        b"        self.open = False\n",
    )
    wire = answer.problems[0].to_wire()["nearest"]
    assert (wire["line"], wire["found"][0]) == (2, "    def close(self):")


@pytest.mark.parametrize("format_", ["udiff", "codex"])
@pytest.mark.parametrize(("anchor", "line"), [("class First:", 3), ("class Second:", 11), ("  class Second:", 11)])
def test_an_anchor_tells_two_places_apart(anchor: str, line: int, format_: str) -> None:
    answer = plan(CLASSES, hunk(CLOSE, anchors=(anchor,)), format=format_)
    assert (answer.result, answer.after) == ("applied", changed(line, "        self.open = None"))


def test_anchors_one_below_the_other() -> None:
    text = "-        self.count = 0\n+        self.count = 1\n"
    for name, line in (("First", 6), ("Second", 14)):
        answer = plan(CLASSES, hunk(text, anchors=(f"class {name}:", "def reset(self):")), format="codex")
        assert answer.after == changed(line, "        self.count = 1")


def test_an_anchor_that_the_hunk_repeats() -> None:
    text = " class Second:\n" + CLOSE
    answer = plan(CLASSES, hunk(text, anchors=("class Second:",)), format="codex")
    assert answer.after == changed(11, "        self.open = None")


def test_an_anchor_that_is_there_twice() -> None:
    text = "-        self.count = 0\n+        self.count = 1\n"
    answer = plan(CLASSES, hunk(text, anchors=("def reset(self):",)), format="codex")
    assert (answer.codes, answer.problems[0].candidates) == (["ambiguous-anchor"], (5, 13))


def test_an_anchor_that_is_not_there() -> None:
    text = " class Second:\n" + CLOSE
    assert plan(CLASSES, hunk(text, anchors=("class Third:",)), format="codex").codes == ["anchor-not-found"]
    assert plan(CLASSES, hunk(text, anchors=("class Third:",))).result == "applied"


def test_an_anchor_below_its_hunk() -> None:
    text = " class First:\n" + CLOSE
    answer = plan(CLASSES, hunk(text, anchors=("class Second:",)), format="codex")
    assert (answer.codes, answer.problems[0].candidates) == (["anchor-mismatch"], (1, 9))
    assert plan(CLASSES, hunk(text, anchors=("class Second:",))).codes == ["anchor-mismatch"]
    assert plan(CLASSES, hunk(text, anchors=("class Second:",), line=1)).result == "applied"


def test_the_beginning_of_a_line_is_an_anchor() -> None:
    answer = plan(CLASSES, hunk(CLOSE, anchors=("class Second",)), format="codex")
    assert answer.after == changed(11, "        self.open = None")


def test_at_the_end_of_the_file() -> None:
    text = "     def reset(self):\n-        self.count = 0\n+        self.count = 1\n"
    answer = plan(CLASSES, hunk(text, at_end=True), format="codex")
    assert answer.after == changed(14, "        self.count = 1")
    added = hunk("     def reset(self):\n         self.count = 0\n+        self.more = 0\n", at_end=True)
    assert plan(CLASSES, added).after == CLASSES.encode() + b"        self.more = 0\n"


def test_at_an_end_where_the_file_goes_on() -> None:
    text = "-        self.count = 0\n+        self.count = 1\n"
    once = CLASSES[: CLASSES.index("class Second")] + "x = 1\n"
    answer = plan(once, hunk(text, at_end=True), format="codex")
    assert (answer.result, answer.repaired) == ("applied", ["edge-context"])
    added = plan(once, hunk("         self.count = 0\n+        self.more = 0\n", at_end=True), format="codex")
    assert added.codes == ["edge-context"]


@pytest.mark.parametrize(
    ("before", "after"), [("a\n", b"a\nnew\n"), ("a", b"a\nnew"), ("", b"new\n"), ("a\r\n", b"a\r\nnew\r\n")]
)
def test_lines_without_context_at_the_end(before: str, after: bytes) -> None:
    answer = plan(before, hunk("+new\n", at_end=True), format="codex")
    assert answer.result == "applied"
    assert answer.after == after


def test_lines_without_context_go_nowhere() -> None:
    assert plan("a\nb\n", "+new\n").codes == ["no-context"]
    assert plan("", "+new\n").after == b"new\n"


SECOND = " seven\n-eight\n+8\n nine\n"
FIRST = " one\n-two\n+2\n three\n"
NUMBERS = "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\nten\n"
BOTH = NUMBERS.replace("two", "2").replace("eight", "8").encode()


def test_blocks_in_any_order() -> None:
    answer = plan(NUMBERS, SECOND, FIRST, ordered=False)
    assert (answer.result, answer.after, answer.repairs) == ("applied", BOTH, ())
    ordered = plan(NUMBERS, SECOND, FIRST)
    assert (ordered.after, ordered.repaired) == (BOTH, ["hunk-order"])


def test_blocks_that_show_the_same_line() -> None:
    answer = plan(NUMBERS, " one\n-two\n+2\n three\n four\n", " three\n four\n-five\n+5\n", ordered=False)
    assert (answer.result, answer.repaired) == ("applied", ["hunk-overlap"])
    assert answer.after == NUMBERS.replace("two", "2").replace("five", "5").encode()


def test_blocks_that_change_the_same_line() -> None:
    answer = plan(NUMBERS, " one\n-two\n+2\n three\n", " two\n-three\n+3\n", ordered=False)
    assert (answer.result, answer.codes) == ("conflict", ["hunk-overlap"])


def test_a_block_that_is_there_twice_in_the_text() -> None:
    answer = plan(NUMBERS, FIRST, FIRST, ordered=False)
    assert (answer.result, answer.codes, answer.problems[0].hunk) == ("conflict", ["duplicate-hunk"], 2)


def test_a_block_that_builds_on_another() -> None:
    answer = plan(NUMBERS, " one\n-two\n+zwei\n+drei\n three\n", " zwei\n-drei\n+DREI\n", SECOND, ordered=False)
    assert answer.result == "applied"
    assert answer.after == BOTH.replace(b"2\n", b"zwei\nDREI\n")


def test_a_block_that_builds_on_a_later_one() -> None:
    answer = plan(NUMBERS, " zwei\n-drei\n+DREI\n", " one\n-two\n+zwei\n+drei\n three\n", ordered=False)
    assert (answer.result, answer.codes) == ("conflict", ["context-not-found"])


def test_a_block_that_builds_on_another_and_fits_twice() -> None:
    answer = plan(
        NUMBERS, " one\n-two\n+twice\n three\n", SECOND.replace("+8", "+twice"), "-twice\n+once\n", ordered=False
    )
    assert answer.result == "conflict"


LONG = "start\n" + "".join(f"a{at}\n" for at in range(9)) + "value = 1\nend\nstart again\nvalue = 1\n"


def test_a_hunk_that_continues_another() -> None:
    first, second = hunk(" end\n start again\n"), hunk("-value = 1\n+value = 2\n", continues=True)
    answer = plan(LONG, first, second, ordered=False)
    assert answer.after == LONG.encode()[:-10] + b"value = 2\n"
    assert answer.plan is not None
    assert [part.number for part in answer.plan.files[0].hunks] == [2]
    both = plan(LONG, hunk(" start\n a0\n"), second, ordered=False)
    assert both.codes == ["ambiguous-context"]


def test_a_hunk_that_continues_one_below_it() -> None:
    answer = plan(LONG, hunk(" start again\n"), hunk("-a3\n+A3\n a4\n", continues=True), ordered=False)
    assert answer.codes == ["hunk-order"]


def test_order_does_not_choose_where_there_are_no_numbers() -> None:
    answer = plan(
        CLASSES,
        " class Second:\n-    def close(self):\n+    def shut(self):\n",
        "-        self.count = 0\n+        pass\n",
    )
    assert answer.codes == ["ambiguous-context"]


@pytest.mark.parametrize("ordered", [True, False])
def test_applied_already(ordered: bool) -> None:
    done = plan(NUMBERS, FIRST, SECOND, ordered=ordered).after
    assert plan(done, FIRST, SECOND, ordered=ordered).result == "already-applied"


def test_some_of_it_is_applied_already() -> None:
    answer = plan(NUMBERS.replace("two", "2"), FIRST, SECOND, ordered=False)
    assert (answer.result, answer.codes, answer.problems[0].hunk) == ("conflict", ["partly-applied"], 1)
    assert answer.problems[0].candidates == (1,)


@pytest.mark.parametrize("text", [" seven\n+more of it\n", "+more of it\n seven\n", "-seven\n+seven\n+more of it\n"])
def test_an_addition_at_the_edge_of_a_block_is_made_once(text: str) -> None:
    first = plan(NUMBERS, text, ordered=False)
    assert first.result == "applied"
    assert plan(first.after, text, ordered=False).result in ("already-applied", "conflict")


def test_a_brace_that_is_there_may_be_wanted_once_more() -> None:
    answer = plan("if (a) {\n  b();\n}\n}\n", "   b();\n }\n+}\n", ordered=False)
    assert (answer.result, answer.codes) == ("conflict", ["maybe-applied"])


def test_a_replacement_without_context_that_is_there() -> None:
    text = "-def old(self):\n-    return 1\n+def new(self):\n+    return 2\n"
    assert plan("x\ndef new(self):\n    return 2\ny\n", text).result == "already-applied"
    assert plan("x\ndef new(self):\n    return 2\n\ndef old(self):\n    return 1\n", text).result == "applied"
    assert plan("x = 2\n", "-x = 1\n+x = 2\n").result == "conflict"


def test_numbers_that_do_not_rise_say_nothing_of_the_order() -> None:
    lines = "".join(f"line {at}\n" for at in range(1, 41)) + "line 5\n"
    answer = plan(lines, hunk("-line 30\n+thirty\n", line=30), hunk("-line 5\n+five\n", line=6))
    assert answer.codes == ["ambiguous-context"]


@pytest.mark.parametrize("line", [1, None])
def test_an_addition_that_begins_like_what_stands_below_it(line: int | None) -> None:
    """Applied once, what it looks for is still there, at its very line."""
    text = " <p>one</p>\n+</div>\n+<div>\n+two\n </div>\n"
    first = plan("<p>one</p>\n</div>\n", hunk(text, line=line))
    assert first.after == b"<p>one</p>\n</div>\n<div>\ntwo\n</div>\n"
    assert plan(first.after, hunk(text, line=line)).result in ("already-applied", "conflict")
