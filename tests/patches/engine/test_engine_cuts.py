"""Texts that were cut off, and CR that comes from the text: found by breaking real patches at random."""

from __future__ import annotations

import pytest
from engine_helpers import Box

HEAD = "--- a/f\n+++ b/f\n"


def test_crlf_text_that_fills_an_empty_file(box: Box) -> None:
    box.write("f", "")
    result = box.apply((HEAD + "@@ -0,0 +1,2 @@\n+one\n+two\n").replace("\n", "\r\n"))
    assert (result.result, box.repairs(result), box.read("f")) == ("applied", ["crlf-patch"], b"one\ntwo\n")


def test_crlf_text_for_a_line_without_an_end(box: Box) -> None:
    box.write("f", "one")
    text = HEAD + "@@ -1 +1 @@\n-one\n\\ No newline at end of file\n+two\n"
    assert box.apply(text.replace("\n", "\r\n")).result == "applied"
    assert box.read("f") == b"two\n"


def test_crlf_text_for_the_last_line_of_a_crlf_file(box: Box) -> None:
    box.write("f", "zero\r\none")
    text = HEAD + "@@ -2 +2 @@\n-one\n\\ No newline at end of file\n+two\n"
    assert box.apply(text.replace("\n", "\r\n")).result == "applied"
    assert box.read("f") == b"zero\r\ntwo\r\n"


def test_a_new_file_from_crlf_text_without_its_last_newline(box: Box) -> None:
    text = "--- /dev/null\n+++ b/f\n@@ -0,0 +1,2 @@\n+one\n+two\n".replace("\n", "\r\n")
    assert box.apply(text.removesuffix("\r\n")).result == "applied"
    assert box.read("f") == b"one\ntwo\n"


@pytest.mark.parametrize("end", ["", " line 9", " line 9\n line 10"])
def test_a_text_that_ends_within_a_hunk_and_within_a_line_is_cut_off(box: Box, end: str) -> None:
    box.lines("f", 40)
    before = box.state()
    hunk = "@@ -5,7 +5,7 @@\n line 5\n line 6\n line 7\n-line 8\n+eight\n"
    result = box.apply(f"{HEAD}{hunk}{end}".rstrip("\n"))
    assert (result.result, box.codes(result)) == ("refused", ["truncated"])
    assert box.state() == before


def test_a_last_line_that_is_only_alike_is_cut_off(box: Box) -> None:
    box.write("f", "def a():\n    one = 1\n    two = 2\n    three = 3\n    four = 4\n    return one\n")
    hunk = "@@ -2,4 +2,4 @@\n   one = 1\n-  two = 2\n+  two = 22\n   three = 3\n   fo"
    result = box.apply(HEAD + hunk)
    assert result.result != "applied"


def test_dots_that_differ_in_a_blank_are_no_left_out_code(box: Box) -> None:
    box.write("f.txt", ">>> a\n... b\n...\n>>> c\n")
    text = "f.txt\n<<<<<<< SEARCH\n... b\n...\n>>> c\n=======\n... b\n... \n>>> c\n>>>>>>> REPLACE\n"
    result = box.apply(text)
    assert (result.result, box.codes(result)) == ("refused", ["elided"])
