"""A marker counts in the comments of its file's language, and nowhere else."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from vibehq_tui.patches.markers.comments import comments
from vibehq_tui.patches.markers.languages import LANGUAGES, language_of
from vibehq_tui.patches.markers.markers import find_markers

# Little source files, one for each language. In each of them a marker whose name starts with m stands in a comment, and
# one whose name is decoy does not.
TEXTS = {
    part.partition("\n")[0]: part.partition("\n")[2]
    for part in Path(__file__).with_name("language_samples.txt").read_text("utf-8").split("==== ")[1:]
}
SAMPLES = {name: text for name, text in TEXTS.items() if not name.startswith("#!")}
SHEBANGS = {name.removeprefix("#! "): text for name, text in TEXTS.items() if name.startswith("#!")}


def expected(text: str) -> list[tuple[str, int]]:
    """Names and lines of the markers whose name starts with m, by looking at the text alone."""
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        for part in line.split("PATCH_MARKER: ")[1:]:
            if part.startswith("m"):
                found.append((part[:2], number))
    return found


@pytest.mark.parametrize("name", SAMPLES)
def test_markers_count_in_comments_alone(name: str) -> None:
    text = SAMPLES[name]
    found = [(marker.name, marker.line) for marker in find_markers(text.encode(), f"src/{name}")]
    assert found == expected(text)
    assert found
    assert [marker.name for marker in find_markers(text.replace("\n", "\r\n").encode(), name)] == [
        wanted for wanted, _ in found
    ]


def test_there_are_at_least_thirty_languages_in_the_samples() -> None:
    names = {language.name for name in SAMPLES if (language := language_of(name)) is not None}
    assert len(names) >= 60
    assert all(language_of(name) is not None for name in SAMPLES)
    assert len(LANGUAGES) >= 100


@pytest.mark.parametrize("language", SHEBANGS)
def test_the_first_line_tells_where_the_name_does_not(language: str) -> None:
    data = SHEBANGS[language].encode()
    found = language_of("bin/tool", data)
    assert found is not None
    assert found.name == language
    assert [marker.name for marker in find_markers(data, "bin/tool")] == ["m1"]


@pytest.mark.parametrize(
    ("path", "language"),
    [
        ("a.PY", "Python"),
        ("a/b/MAKEFILE", "Makefile"),
        ("x.test.tsx", "TypeScript"),
        ("Makefile.am", "M4 and Autoconf"),
        ("Dockerfile.release", "Dockerfile"),
        ("requirements.txt", "Configuration"),
        ("a.py/b", None),
        ("notes.txt", None),
        ("build.txt", None),
        ("", None),
        (".", None),
        ("noext", None),
    ],
)
def test_languages_by_name(path: str, language: str | None) -> None:
    found = language_of(path)
    assert (None if found is None else found.name) == language


def test_no_extension_is_in_two_rows() -> None:
    keys = [key for row in LANGUAGES for key in (*row.extensions, *row.names)]
    assert len(set(keys)) == len(keys)
    assert all(key == key.lower() for key in keys)


UNKNOWN = """\
# PATCH_MARKER: a
// PATCH_MARKER: b
-- PATCH_MARKER: c
/* PATCH_MARKER: d */
<!-- PATCH_MARKER: e -->
; PATCH_MARKER: f
% PATCH_MARKER: g
(* PATCH_MARKER: h *)
REM PATCH_MARKER: i
{# PATCH_MARKER: j #}
.. PATCH_MARKER: k
no PATCH_MARKER: l
PATCH_MARKER: m
"""


def test_an_unknown_language_takes_every_opener() -> None:
    assert "".join(marker.name for marker in find_markers(UNKNOWN.encode(), "notes.unknown")) == "abcdefghijk"


@pytest.mark.parametrize(
    ("line", "name", "kind"),
    [
        ("# PATCH_MARKER: a", "a", "point"),
        ("# PATCH_MARKER:a", "a", "point"),
        ("## -- PATCH_MARKER: a --", "a", "point"),
        ("# PATCH_MARKER: a start", "a", "start"),
        ("# PATCH_MARKER: a end.", "a", "end"),
        ("# PATCH_MARKER: a end of the list", "a", "end"),
        ("# PATCH_MARKER: a ending", "a", "point"),
        ("# PATCH_MARKER: start a", "a", "start"),
        ("# PATCH_MARKER: start of all", "start", "point"),
        ("# PATCH_MARKER: start", "start", "point"),
        ("# PATCH_MARKER_START: a", "a", "start"),
        ("# PATCH_MARKER END: a", "a", "end"),
        ("# PATCH_MARKER: odd/name-1.2:x and more", "odd/name-1.2:x", "point"),
        ("# PATCH_MARKER: ünï", "ünï", "point"),
        ("# see PATCH_MARKER: a", None, None),
        ("# `PATCH_MARKER: a`", None, None),
        ("# PATCH_MARKER:", None, None),
        ("# PATCH_MARKERS: a", None, None),
        ("# patch_marker: a", None, None),
    ],
)
def test_what_a_marker_looks_like(line: str, name: str | None, kind: str | None) -> None:
    found = [(marker.name, marker.kind) for marker in find_markers(line.encode(), "a.py")]
    assert found == ([] if name is None else [(name, kind)])


def test_several_comments_of_a_line() -> None:
    markers = find_markers(b"/* PATCH_MARKER: a */ x /* PATCH_MARKER: b */ // PATCH_MARKER: c\n", "a.c")
    assert [(marker.name, marker.line) for marker in markers] == [("a", 1), ("b", 1), ("c", 1)]


@pytest.mark.parametrize(
    "text", ["'", '"', '"""', "'''", "`", "/*", "(*", "{-", "<!--", "\\", '"\\', "/* /*", "=begin", "--[[", 'r#"', "\0"]
)
def test_what_is_never_closed_hides_little(text: str) -> None:
    """In no language does it fail, and a line above it is found whatever comes after."""
    for language in LANGUAGES:
        name = f"a{language.extensions[0]}" if language.extensions else language.names[0]
        opener = (*language.line, *language.words, *(pair[0] for pair in language.block))[0].decode()
        closer = language.block[0][1].decode() if not language.line and not language.words else ""
        data = f"{opener} PATCH_MARKER: m1 {closer}\n{text}\nx\n".encode()
        assert [marker.name for marker in find_markers(data, name)][:1] == ["m1"], language.name


@pytest.mark.parametrize(
    "piece",
    [
        "'",
        '"',
        '"""',
        "`",
        "/*",
        "*/",
        "/* */",
        "(*",
        "(* *)",
        "{-",
        "\\",
        "\\\n",
        "#|",
        "'''\"",
        "[[",
        '\n"',
        "/",
        "(/",
    ],
)
def test_no_text_takes_longer_than_its_size(piece: str) -> None:
    data = piece.encode() * (40_000 // len(piece)) + b"PATCH_MARKER: x"
    for language in LANGUAGES:
        start = time.process_time()
        assert all(0 <= comment.start <= comment.end <= len(data) for comment in comments(data, language))
        assert time.process_time() - start < 2.0, language.name
