"""Files that are written out whole: what changed of them, what was left out, what may have been cut off."""

from __future__ import annotations

import time

import pytest
from matching_helpers import plan

SOURCE = "".join(f"def f{at}():\n    first = {at}\n    return first\n\n\n" for at in range(12))


def test_a_changed_line_is_a_small_hunk() -> None:
    new = SOURCE.replace("first = 7\n", "first = 70\n")
    answer = plan(SOURCE, whole=new)
    assert (answer.result, answer.after, answer.repairs, answer.warnings) == ("applied", new.encode(), (), ())
    assert answer.plan is not None
    (part,) = answer.plan.files[0].hunks
    assert (part.old_start, part.old_lines, part.new_lines, part.match) == (34, 7, 7, "exact")
    assert plan(SOURCE, whole=new, strict=True).result == "applied"


def test_changes_far_apart_are_hunks_of_their_own() -> None:
    new = (
        SOURCE.replace("first = 2\n", "first = 20\n")
        .replace("first = 6\n", "")
        .replace("def f11", "def last\n\ndef f11")
    )
    answer = plan(SOURCE, whole=new)
    assert answer.plan is not None
    assert [part.number for part in answer.plan.files[0].hunks] == [1, 2, 3]
    assert answer.after == new.encode()


def test_nothing_changed() -> None:
    assert plan(SOURCE, whole=SOURCE).result == "already-applied"
    assert plan(SOURCE, whole=SOURCE.replace("\n", "\r\n")).result == "already-applied"
    assert plan(SOURCE.rstrip("\n"), whole=SOURCE.rstrip("\n") + "\n").result == "already-applied"


def test_a_new_file() -> None:
    answer = plan(None, whole="one\ntwo\n")
    assert (answer.result, answer.after) == ("applied", b"one\ntwo\n")
    assert answer.plan is not None
    assert answer.plan.files[0].op == "create"


def test_an_empty_file() -> None:
    assert plan("", whole="one\n").after == b"one\n"
    assert plan("one\n", whole="").after == b""


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("last", [True, False])
def test_line_ends_and_the_final_newline_are_the_files_own(end: str, last: bool) -> None:
    before = (SOURCE + "end").replace("\n", end) + (end if last else "")
    new = SOURCE.replace("first = 3", "first = 30") + "end\nx = 1\n"
    wanted = new.rstrip("\n").replace("\n", end) + (end if last else "")
    for text in (new, new.replace("\n", "\r\n"), new.rstrip("\n")):
        assert plan(before, whole=text).after == wanted.encode()


def test_line_ends_of_a_mixed_file() -> None:
    answer = plan(b"one\r\ntwo\nthree\r\nfour\n", whole="one\n1.5\ntwo\n2.5\nthree\nfour\n")
    assert answer.after == b"one\r\n1.5\r\ntwo\n2.5\nthree\r\nfour\n"
    assert answer.repaired == ["line-endings"]


def test_a_byte_order_mark_stays() -> None:
    answer = plan(b"\xef\xbb\xbfone\ntwo\n", whole="one\n2\n")
    assert (answer.after, answer.repaired) == (b"\xef\xbb\xbfone\n2\n", ["byte-order-mark"])


ELISIONS = [
    "...",
    "# ...",
    "# ... existing code ...",
    "# ... rest unchanged",
    "// ... rest of the file ...",
    "<!-- ... -->",
]


@pytest.mark.parametrize("elision", ELISIONS)
def test_code_that_was_left_out(elision: str) -> None:
    new = f"{elision}\n\n\ndef f4():\n    first = 40\n    return first\n\n\ndef f5():\n    first = 5\n{elision}\n"
    assert plan(SOURCE, whole=new, path="f.txt").after == SOURCE.replace("first = 4\n", "first = 40\n").encode()
    changed = "def f4():\n    first = 40\n    return first\n"
    text = f"def f0():\n{elision}\n{changed}\n\ndef f5():\n    first = 5\n    {elision}\n"
    answer = plan(SOURCE, whole=text, path="f.txt")
    assert (answer.result, answer.repaired) == ("applied", ["elided"])
    assert answer.after == SOURCE.replace("first = 4\n", "first = 40\n").encode()


def test_left_out_at_the_beginning_and_at_the_end() -> None:
    text = (
        "# ... existing code ...\ndef f6():\n    first = 60\n    return first\n\n\ndef f7():\n# ... existing code ...\n"
    )
    assert plan(SOURCE, whole=text).after == SOURCE.replace("first = 6\n", "first = 60\n").encode()


@pytest.mark.parametrize(
    "text",
    [
        "def f1():\n    other = 1\n# ... existing code ...\ndef f5():\n",  # what stands above is new
        "def f1():\n# ... existing code ...\n    return second\n",  # what stands below is new
        "def f9():\n# ... existing code ...\ndef f1():\n",  # they stand the other way round
        "    return first\n# ... existing code ...\ndef f11():\n",  # the line above is everywhere
        "def f1():\n# ... existing code ...\n\n\n# ... existing code ...\ndef f9():\n",  # blank lines tell nothing
    ],
)
def test_left_out_in_a_place_that_is_not_certain(text: str) -> None:
    answer = plan(SOURCE, whole=text)
    assert (answer.result, answer.codes) == ("refused", ["elided"])


def test_left_out_of_a_file_that_is_not_there() -> None:
    assert plan(None, whole="def f():\n    # ... existing code ...\n").codes == ["elided"]
    assert plan(None, whole="def f():\n    ...\n").result == "applied"


def test_dots_that_are_python() -> None:
    before = "class Shape:\n    def area(self): ...\n    def name(self):\n        ...\n\n\nx = 1\n"
    new = before.replace("x = 1", "x = 2")
    assert plan(before, whole=new, path="f.py").after == new.encode()
    stub = before + "\n\ndef more():\n    ...\n"
    assert plan("x = 1\n", whole="x = 1\n\n\ndef more():\n    ...\n", path="f.py").result == "applied"
    assert plan(before, whole=stub, path="f.py").result == "applied"
    lost = SOURCE.replace("def f3():\n    first = 3\n    return first\n", "def f3():\n    ...\n")
    answer = plan(SOURCE, whole=lost, path="f.py")
    assert answer.result in ("refused", "already-applied")


def test_a_text_that_was_cut_off() -> None:
    lines = SOURCE.splitlines(keepends=True)
    answer = plan(SOURCE, whole="".join(lines[:32]))
    assert answer.result == "applied"
    assert "may have been cut off" in answer.warnings[0]
    assert "where line 32 of 60 was" in answer.warnings[0]
    assert "may have been cut off" in plan(SOURCE, whole="def other():\n    pass\n").warnings[0]
    assert plan(SOURCE, whole="".join(lines[:58])).warnings == ()
    assert plan("a\nb\nc\nd\n", whole="a\n").warnings == ()


def test_a_big_file() -> None:
    lines = [f"line {at} of many\n" for at in range(100_000)]
    before = "".join(lines)
    for at in range(0, 100_000, 500):
        lines[at] = f"changed {at}\n"
    started = time.process_time()
    answer = plan(before, whole="".join(lines))
    assert time.process_time() - started < 20
    assert answer.plan is not None
    assert (len(answer.plan.files[0].hunks), answer.plan.added) == (200, 200)


def test_a_big_file_of_equal_lines() -> None:
    answer = plan("same\n" * 30_000, whole="same\n" * 20_000 + "other\n" + "same\n" * 11_000)
    assert answer.result == "applied"
