"""File names as agents write them beside code: in headings, bold, backticks, comments, tags, and behind a fence.

A name is taken only from a line that is nothing but a name, however dressed up, or from a sentence that introduces a
file in so many words ("In `src/app.py`:"). Whether it is a name that a patch may use is left to ``check_path``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from vibehq_tui.patches.errors import PatchRefused
from vibehq_tui.patches.model import Repair, decode_path
from vibehq_tui.patches.paths import check_path

_LONGEST: Final = 4300
"""Bytes of a line that can be a name."""
_KNOWN: Final = frozenset(
    {"Makefile", "makefile", "GNUmakefile", "Dockerfile", "Containerfile", "LICENSE", "LICENCE", "NOTICE", "README"}
    | {"CHANGELOG", "COPYING", "AUTHORS", "CODEOWNERS", "Procfile", "Gemfile", "Rakefile", "Vagrantfile", "Jenkinsfile"}
    | {"justfile", "Justfile", "Brewfile", "Pipfile", "Caddyfile", "CNAME", "go.mod", "go.sum", "MANIFEST.in"}
)
_LANGUAGES: Final = frozenset({"node.js", "vue.js", "next.js", "react.js", "d3.js", "three.js", "asp.net", "vb.net"})
_PRODUCTS: Final = frozenset(
    {"Node.js", "Vue.js", "Next.js", "Nuxt.js", "React.js", "Express.js", "D3.js", "Three.js", "Chart.js", "Nest.js"}
    | {"Ember.js", "Backbone.js", "Electron.js", "Alpine.js", "Discord.js", "Moment.js", "Day.js", "Web3.js", "P5.js"}
)
# Behind a name without a folder only these make a file: "os.path" and "cart.items" are none.
_EXTENSIONS: Final = (
    " adoc asm astro awk bash bat bib bzl c cc cfg cjs clj cljs cmake cmd conf cpp cs csproj css csv cts cue"
    " cxx dart dhall edn ejs elm erb erl exs f90 fish fsx gemspec go gql gradle graphql groovy h haml hbs hcl"
    " hh hpp hrl hs htm html hxx ini ipynb java jinja jinja2 jl js json json5 jsonc jsonl jsx kt kts less lean"
    " lhs lisp lock lua md mdx mjs mk ml mli mm mts nim nix njk nu odin pas php pl plist pm po pp prisma proto"
    " ps1 psd1 psm1 pug py pyi pyx qml rb rego rkt rmd robot rs rst sass sbt scala scm scss sh sln sol sql styl"
    " sv svelte svg swift tcl tex tf tfvars thrift toml ts tsv tsx twig txt vb vhd vim vue wat wgsl xaml xhtml"
    " xml xsd xsl yaml yang yml zig zsh"
    " "
)
_EXTENSION: Final = re.compile(r"[^\s/]\.[A-Za-z][A-Za-z0-9_+-]{0,15}$")
_LEADER: Final = re.compile(r"(?:#{1,6}|//+|--|;+|%+|>|/\*+|<!--|[-*+]|\d{1,3}[.)])\s+")
_MARKDOWN_LEADER: Final = re.compile(r"#{1,6}\s")
_LIST_LEADER: Final = re.compile(r"(?:[-*+]|\d{1,3}[.)])\s")
_KEY: Final = re.compile(
    r"\*{0,2}(?:new |updated? |modif(?:y|ied) |creat(?:e|ed) |edit )?(?:file|file[ _-]?name|file[ _-]?path|path)"
    r"(?:\*\*\s?[:=]|\s?[:=]\*\*|\s?[:=])\s*",
    re.IGNORECASE,
)
_NOTE: Final = re.compile(r"\s\((?:new|new file|modified|updated?|created?|changed|edited|existing)\)$", re.IGNORECASE)
_TAG: Final = re.compile(r"<(path|file_path|filepath|file|filename|file_name)>([^<>]*)</(\w+)>$")
_WRAPPERS: Final = (("**", "**"), ("__", "__"), ("`", "`"), ('"', '"'), ("'", "'"), ("“", "”"))
_SPECIAL: Final = re.compile(r'[<>|"*?`]')
_TICKED: Final = re.compile(r"`([^`\n]{1,400})`|\*\*([^*\n]{1,400})\*\*")
_INTRODUCED: Final = re.compile(
    r"(?:\d{1,3}[.)]\s+|[-*]\s+|#{1,6}\s+)?(?:(?:first|then|next|now|finally|also),?\s+)?"
    r"(?:in|update|edit|modify|change|file|for|to|create|fix|patch|add)\s+(?:the\s+)?(?:new\s+)?(?:file\s+)?"
    r"(?:`([^`\n]{1,400})`|\*\*([^*\n]{1,400})\*\*)\s*(?:[,:]|$)",
    re.IGNORECASE,
)
_ATTRIBUTE: Final = re.compile(
    r"(?:^|[\s{,])(path|file|filename|file_name|filepath|file_path|title|name)\s?[=:]\s?"
    r"(?:\"([^\"\n]{1,4096})\"|'([^'\n]{1,4096})'|([^\s{},]{1,4096}))",
    re.IGNORECASE,
)
_CITATION: Final = re.compile(r"\d{1,9}:\d{1,9}:")
_BACKSLASHES: Final = re.compile(r"[\w.@+-]+(?:\\[\w.@+-]+)+$")


@dataclass(frozen=True, slots=True)
class Label:
    """A name as it was found."""

    name: str
    dressed: bool
    """Something marks it as a name: backticks, bold, a heading, a key, a tag."""
    listed: bool = False
    """It is an item of a list."""
    keyed: bool = False
    """A key says that it is a file (``File: x``)."""
    comment: bool = False
    """It stands in a comment."""


def is_path_like(text: str, *, dressed: bool = False) -> bool:
    """Whether a text looks like the name of a file: with a folder, an extension, or a well-known name."""
    if not text or len(text) > _LONGEST or _SPECIAL.search(text) or "://" in text or text[-1] in "./:;,!)=":
        return False
    if any(char.isspace() for char in text) and not (dressed and "  " not in text and _EXTENSION.search(text)):
        return False
    last = text.replace("\\", "/").rsplit("/", 1)[-1]
    if _EXTENSION.search(text) or last in _KNOWN or (last.startswith(".") and len(last) > 1):
        return True
    return "/" in text or "\\" in text


def has_file_name(text: str) -> bool:
    """Whether a text is the name of a file beyond doubt: not a module, a product, or two words with a slash."""
    folder, _, last = text.replace("\\", "/").rpartition("/")
    if last in _KNOWN or (last.startswith(".") and len(last) > 1):
        return True
    if folder:
        return _EXTENSION.search(last) is not None
    return "." in last and f" {last.rpartition('.')[2]} " in _EXTENSIONS and last not in _PRODUCTS


def read_label(line: bytes) -> Label | None:
    """The name that a line consists of, or None when it is anything else."""
    if len(line) > _LONGEST:
        return None
    text = decode_path(line).strip()
    if not text or text.startswith(("```", "~~~")):
        return None
    heading = _MARKDOWN_LEADER.match(text) is not None
    listed = _LIST_LEADER.match(text) is not None
    comment = text.startswith(("#", "//", "/*", "--", ";", "%", "<!--")) and not text.startswith("##")
    text = text.removesuffix("*/").removesuffix("-->").rstrip()
    for _ in range(3):
        match = _LEADER.match(text)
        if match is None:
            break
        text = text[match.end() :]
    tag = _TAG.match(text)
    if tag is not None and tag[1] == tag[3]:
        return Label(tag[2].strip(), dressed=True, keyed=True)
    text, wrapped, keyed = _undressed(text)
    dressed = wrapped or keyed or heading
    if not is_path_like(text, dressed=keyed):
        return None
    return Label(text, dressed=dressed, listed=listed, keyed=keyed, comment=comment and not wrapped)


def _undressed(text: str) -> tuple[str, bool, bool]:
    """A text without bold, backticks, quotes, keys and colons; whether it was wrapped, whether it had a key."""
    wrapped = keyed = False
    for _ in range(6):
        before = text
        text = _NOTE.sub("", text.strip())
        if len(text) > 1 and text.endswith(":"):
            text = text[:-1].rstrip()
        for start, end in _WRAPPERS:
            if len(text) > len(start) + len(end) and text.startswith(start) and text.endswith(end):
                inner = text[len(start) : -len(end)]
                if start not in inner:
                    text, wrapped = inner.strip(), True
        key = _KEY.match(text)
        if key is not None and key.end() < len(text):
            text, keyed = text[key.end() :], True
        if text == before:
            break
    return text, wrapped, keyed


def introduced(line: bytes) -> str | None:
    """The file that a sentence introduces by name ("In `src/app.py`:"), or None."""
    if len(line) > _LONGEST or (b"`" not in line and b"**" not in line):
        return None
    match = _INTRODUCED.match(decode_path(line).strip())
    if match is None:
        return None
    name = (match[1] or match[2]).strip()
    return name if is_path_like(name, dressed=True) else None


def mentioned(line: bytes) -> set[str]:
    """Every file that a sentence names in backticks or bold."""
    if len(line) > _LONGEST or (b"`" not in line and b"**" not in line):
        return set()
    found = (match[1] or match[2] for match in _TICKED.finditer(decode_path(line)))
    return {name.strip().strip("`") for name in found if is_path_like(name.strip().strip("`"))}


def info_name(info: str) -> str | None:
    """The name in the info string of a fence: ``python src/a.py``, ``path=src/a.py``, ``python:src/a.py``."""
    info = info.strip()
    if not info or len(info) > _LONGEST or _CITATION.match(info):
        return None
    match = _ATTRIBUTE.search(info)
    if match is not None:
        name = (match[2] or match[3] or match[4]).strip()
        said = match[1].lower() not in ("title", "name")
        return name if name and (said or has_file_name(name)) else None
    tokens = info.split()
    if len(tokens) > 1:
        named = [token for token in tokens[1:] if is_path_like(token)]
        return named[0] if len(named) == 1 and len(tokens) == 2 else None
    token = tokens[0]
    language, colon, name = token.partition(":")
    if colon and language and "/" not in language and is_path_like(name):
        return name
    return token if is_path_like(token) and token.casefold() not in _LANGUAGES else None


def checked_name(name: str, line: int, repairs: list[Repair], *, role: str = "file name") -> str:
    """A name that a patch may use, with ``/`` between its components.

    :param line: index of the line it was found on, for messages.
    :raises PatchRefused: when it is unsafe.
    """
    if "/" not in name and _BACKSLASHES.match(name):
        meant = name.replace("\\", "/")
        repairs.append(Repair(code="path-separator", path=meant, message=f"line {line + 1}: {name!r} means {meant!r}"))
        name = meant
    name = name.removeprefix("./")
    try:
        return check_path(name, role=role)
    except PatchRefused as refusal:
        raise at_line(refusal, line) from None


def at_line(refusal: PatchRefused, line: int) -> PatchRefused:
    """The same refusal, with the line (an index) of the patch text it is about in front."""
    from dataclasses import replace  # noqa: PLC0415 - only to refuse

    problems = [replace(item, message=f"line {line + 1}: {item.message}") for item in refusal.problems]
    return PatchRefused(problems, repairs=refusal.repairs, hint=refusal.hint, code=refusal.code)
