"""How languages write comments and strings: one table, a row for each language.

A row has the extensions and whole names of its files, the openers of line comments, the pairs of block comments, and
the quotes of strings, so that what stands in a string is not taken for a comment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final


@dataclass(frozen=True, slots=True)
class Quote:
    """A string: how it starts and ends."""

    opener: bytes
    closer: bytes
    many_lines: bool
    escape: bytes
    """The character that takes the meaning of the one after it; empty when there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """A row of the table."""

    name: str
    extensions: tuple[str, ...]
    """In small letters, with the dot."""
    names: tuple[str, ...]
    """Of whole files, such as ``makefile``; in small letters."""
    line: tuple[bytes, ...]
    """What starts a comment that ends with its line."""
    words: tuple[bytes, ...]
    """The same where only blanks stand before it, in any case (``REM``, ``dnl``)."""
    block: tuple[tuple[bytes, bytes], ...]
    nested: bool
    """Whether block comments hold others of their kind."""
    spaced: bool
    """Whether a line comment needs a blank or the start of the line before it."""
    strings: tuple[Quote, ...]
    atoms: tuple[bytes, ...]
    """Regular expressions of what only looks like a quote or a comment, such as the character ``'"'``."""
    prose: bool
    """Whether it is text for people, where the left edge means something by itself."""
    programs: tuple[str, ...]
    """Names of interpreters in a ``#!`` line."""


def _pairs(text: str) -> tuple[tuple[bytes, bytes], ...]:
    words = [word.encode() for word in text.split()]
    return tuple(zip(words[::2], words[1::2], strict=True))


def _quotes(text: str) -> Iterator[Quote]:
    """``"`` ends with its line, ``"/m`` does not, ``"/r`` knows no escapes, ``"/b`` escapes by backticks, and ``@"…"@``
    ends otherwise than it starts."""
    for word in text.split():
        marks, _, flags = word.partition("/")
        opener, _, closer = marks.partition("…")
        escape = b"" if "r" in flags else b"`" if "b" in flags else b"\\"
        yield Quote(opener.encode(), (closer or opener).encode(), "m" in flags, escape)


def _row(
    name: str,
    extensions: str,
    *,
    names: str = "",
    line: str = "",
    words: str = "",
    block: str = "",
    strings: str = "",
    atoms: tuple[bytes, ...] = (),
    nested: bool = False,
    spaced: bool = False,
    prose: bool = False,
    programs: str = "",
) -> Language:
    return Language(
        name=name,
        extensions=tuple(extensions.split()),
        names=tuple(names.split()),
        line=tuple(word.encode() for word in line.split()),
        words=tuple(word.encode() for word in words.split()),
        block=_pairs(block),
        nested=nested,
        spaced=spaced,
        strings=tuple(_quotes(strings)),
        atoms=atoms,
        prose=prose,
        programs=tuple(programs.split()),
    )


_C: Final = "/* */"
_HTML: Final = "<!-- -->"
_TWO: Final = "\" '"
_CHARACTER: Final = (rb"'(?:\\.|[^\\'\n])'",)
"""A character between two ticks, where a tick alone is something else: a lifetime, a prime, an attribute."""
_LISP: Final = (rb"#\\.", rb"\\.")
_SHELL: Final = (rb"\$\{?#", rb"\\.")
# A slash where a value may stand starts a regular expression, in which a quote opens nothing.
_REGEX: Final = (
    rb"(?<=[(,=:\[!&|?{};+\n])[ \t]*/(?![*/])(?:\\[^\n]|\[(?:\\[^\n]|[^\]\\\n])*+\]|[^/\\\n\[])++/",
    rb"\breturn[ \t]+/(?![*/])(?:\\[^\n]|\[(?:\\[^\n]|[^\]\\\n])*+\]|[^/\\\n\[])++/",
)

LANGUAGES: Final[tuple[Language, ...]] = (
    # Two slashes.
    _row("C", ".c .h", line="//", block=_C, strings=_TWO),
    _row(
        "C++",
        ".cc .cpp .cxx .c++ .hh .hpp .hxx .h++ .ipp .inl .ino .cu .cuh .tpp",
        line="//",
        block=_C,
        strings=f'R"(…)"/mr {_TWO}',
        atoms=(rb"(?<=[0-9a-fA-F])'(?=[0-9a-fA-F])",),
    ),
    _row("Objective-C or MATLAB", ".m", line="// %", block=_C + " %{ %}", strings='"', atoms=_CHARACTER),
    _row("Objective-C++", ".mm", line="//", block=_C, strings=_TWO),
    _row("C#", ".cs .csx", line="//", block=_C, strings=f'"""/mr @"…"/mr {_TWO}'),
    _row("Java", ".java", line="//", block=_C, strings=f'"""/m {_TWO}'),
    _row(
        "JavaScript",
        ".js .mjs .cjs .jsx .es6 .pac",
        line="//",
        block=_C,
        strings=f"`/m {_TWO}",
        atoms=_REGEX,
        programs="node nodejs deno bun",
    ),
    _row(
        "TypeScript",
        ".ts .tsx .mts .cts",
        line="//",
        block=_C,
        strings=f"`/m {_TWO}",
        atoms=_REGEX,
        programs="ts-node tsx",
    ),
    _row("Go", ".go", names="go.mod go.work", line="//", block=_C, strings=f"`/mr {_TWO}"),
    _row(
        "Rust",
        ".rs .ron",
        line="//",
        block=_C,
        nested=True,
        strings='r##"…"##/mr r#"…"#/mr "/m',
        atoms=_CHARACTER,
    ),
    _row("Swift", ".swift", line="//", block=_C, nested=True, strings='"""/m "', programs="swift"),
    _row("Kotlin", ".kt .kts", line="//", block=_C, nested=True, strings=f'"""/mr {_TWO}'),
    _row(
        "Scala",
        ".scala .sc .sbt",
        line="//",
        block=_C,
        nested=True,
        strings='"""/mr "',
        atoms=_CHARACTER,
        programs="scala",
    ),
    _row("Dart", ".dart", line="//", block=_C, nested=True, strings=f"'''/m \"\"\"/m {_TWO}", programs="dart"),
    _row(
        "Groovy",
        ".groovy .gradle .gvy",
        names="jenkinsfile",
        line="//",
        block=_C,
        strings=f"'''/m \"\"\"/m {_TWO}",
        programs="groovy",
    ),
    _row("D", ".d .di", line="//", block="/+ +/ " + _C, nested=True, strings=f"`/mr {_TWO}"),
    _row(
        "PHP",
        ".php .phtml .php5 .php7 .inc",
        line="// #",
        block=_C + " " + _HTML,
        strings=_TWO,
        atoms=(rb"(?<=[A-Za-z])'(?=[a-z])",),
        spaced=True,
        programs="php",
    ),
    _row("Zig", ".zig .zon", line="//", strings=_TWO),
    _row("Verilog", ".v .vh .sv .svh", line="//", block=_C, strings='"'),
    _row("Solidity", ".sol", line="//", block=_C, strings=_TWO),
    _row("Protocol Buffers", ".proto", line="//", block=_C, strings=_TWO),
    _row("Thrift", ".thrift", line="// #", block=_C, strings=_TWO),
    _row(
        "Shader",
        ".glsl .hlsl .vert .frag .geom .comp .tesc .tese .wgsl .metal .fx .cl",
        line="//",
        block=_C,
        strings='"',
    ),
    _row("CSS", ".css .pcss .postcss", block=_C, strings=_TWO),
    _row("SCSS and Less", ".scss .sass .less .styl", line="//", block=_C, strings=_TWO, spaced=True),
    _row("JSON with comments", ".json .jsonc .json5 .jsonl .webmanifest", line="//", block=_C, strings='"'),
    _row("Jsonnet", ".jsonnet .libsonnet", line="// #", block=_C, strings="|||/mr " + _TWO),
    _row("Vala, Haxe and kin", ".vala .vapi .hx .as .pony .bal .move .cairo .nut", line="//", block=_C, strings=_TWO),
    _row("Odin", ".odin", line="//", block=_C, nested=True, strings=f"`/mr {_TWO}"),
    _row("Gleam and Hare", ".gleam .ha", line="//", strings='"/m', atoms=_CHARACTER),
    _row("Reason and ReScript", ".re .rei .res .resi", line="//", block=_C, strings='"/m', atoms=_CHARACTER),
    _row("CUE", ".cue", line="//", strings=f'"""/m {_TWO}'),
    _row("Bicep", ".bicep", line="//", block=_C, strings="'''/mr '"),
    _row("Graphviz", ".dot .gv", line="// #", block=_C, strings='"'),
    _row("AsciiDoc", ".adoc .asciidoc", words="//", prose=True),
    _row("Pug", ".pug .jade", words="//- //", prose=True),
    _row("F#", ".fs .fsi .fsx", line="//", block="(* *)", nested=True, strings='"""/mr "/m', atoms=_CHARACTER),
    _row("Pascal", ".pas .pp .dpr .dpk .lpr", line="//", block="(* *) { }", strings="'/r"),
    # A number sign.
    _row(
        "Python",
        ".py .pyi .pyw .pyx .pxd .bzl .star .wsgi .ipy",
        names="build workspace build.bazel workspace.bazel sconstruct sconscript tiltfile snakefile",
        line="#",
        strings=f"'''/m \"\"\"/m {_TWO}",
        programs="python python2 python3 pypy pypy3 uv",
    ),
    _row(
        "Ruby",
        ".rb .rake .gemspec .ru .podspec .cr",
        names="gemfile rakefile vagrantfile guardfile podfile brewfile fastfile dangerfile",
        line="#",
        block="=begin =end",
        strings=_TWO,
        atoms=(rb"\?[\"'#]", rb"\\."),
        spaced=True,
        programs="ruby jruby",
    ),
    _row(
        "Perl",
        ".pl .pm .t .pod .raku .rakumod .p6",
        names="cpanfile makefile.pl",
        line="#",
        block="=pod =cut =begin =cut",
        strings=_TWO,
        atoms=(rb"\$[#'\"]", rb"\\."),
        spaced=True,
        programs="perl raku",
    ),
    _row(
        "Shell",
        ".sh .bash .zsh .ksh .ash .dash .command .bats .ebuild",
        names=".bashrc .bash_profile .bash_aliases .profile .zshrc .zshenv .zprofile .kshrc pkgbuild apkbuild .envrc",
        line="#",
        strings=_TWO,
        atoms=_SHELL,
        spaced=True,
        programs="sh bash zsh ksh dash ash",
    ),
    _row("fish", ".fish", line="#", strings=_TWO, atoms=_SHELL, spaced=True, programs="fish"),
    _row("Nushell", ".nu", line="#", strings=f"`/r {_TWO}", spaced=True, programs="nu"),
    _row(
        "PowerShell",
        ".ps1 .psm1 .psd1",
        line="#",
        block="<# #>",
        strings="@\"…\"@/mr @'…'@/mr \"/b '/r",
        atoms=(rb"`.",),
        spaced=True,
        programs="pwsh powershell",
    ),
    _row("R", ".r .rmd .rprofile", line="#", strings=_TWO, programs="rscript"),
    _row("Julia", ".jl", line="#", block="#= =#", nested=True, strings='"""/m "', atoms=_CHARACTER, programs="julia"),
    _row(
        "Elixir",
        ".ex .exs .heex .leex",
        line="#",
        block=_HTML,
        strings=f"'''/m \"\"\"/m {_TWO}",
        atoms=(rb"\?\\?.",),
        spaced=True,
        programs="elixir",
    ),
    _row(
        "Nim",
        ".nim .nims .nimble",
        line="#",
        block="#[ ]# ##[ ]##",
        nested=True,
        strings='"""/mr "',
        atoms=_CHARACTER,
    ),
    _row("Tcl", ".tcl .tk .itcl", line="#", strings='"', atoms=_SHELL, spaced=True, programs="tclsh wish expect"),
    _row("AWK", ".awk .gawk", line="#", strings='"', atoms=(rb"\\.",), programs="awk gawk mawk"),
    _row(
        "YAML",
        ".yaml .yml .clang-format .cff",
        names=".clang-tidy .yamllint",
        line="#",
        strings=_TWO,
        spaced=True,
    ),
    _row(
        "TOML",
        ".toml",
        names="pipfile poetry.lock cargo.lock uv.lock",
        line="#",
        strings="'''/mr \"\"\"/m '/r \"",
    ),
    _row("Dockerfile", ".dockerfile .containerfile", names="dockerfile containerfile", words="#"),
    _row("Makefile", ".mk .mak .make", names="makefile gnumakefile kbuild", line="#", atoms=(rb"\\.", rb"\$#")),
    _row("Just", ".just", names="justfile", line="#", strings=_TWO, spaced=True),
    _row("CMake", ".cmake", names="cmakelists.txt", line="#", block="#[[ ]] #[=[ ]=]", strings='"/m'),
    _row("Meson", "", names="meson.build meson_options.txt meson.options", line="#", strings="'''/mr '"),
    _row("HCL", ".tf .tfvars .hcl .nomad", line="# //", block=_C, strings='"', spaced=True),
    _row("Nix", ".nix", line="#", block=_C, strings="''…''/mr \"/m"),
    _row("GraphQL", ".graphql .gql .graphqls", line="#", strings='"""/m "'),
    _row("CoffeeScript", ".coffee .litcoffee", line="#", block="### ###", strings=f"'''/m \"\"\"/m {_TWO}"),
    _row("GDScript", ".gd", line="#", strings=f'"""/m {_TWO}'),
    _row("Puppet and Rego", ".rego .pp4", line="#", strings=_TWO),
    _row("Gherkin", ".feature", words="#"),
    _row("SPARQL and Turtle", ".sparql .rq .ttl .n3", line="#", strings=f'"""/m {_TWO}', spaced=True),
    _row(
        "Configuration",
        ".ini .cfg .conf .cnf .properties .env .editorconfig .desktop .service .socket .timer .reg .po",
        names=(
            ".gitignore .gitattributes .gitmodules .gitconfig .dockerignore .npmignore .npmrc "
            ".flake8 .pylintrc .coveragerc .hgignore .prettierignore .eslintignore .helmignore .mailmap codeowners "
            "requirements.txt constraints.txt robots.txt crontab fstab hosts kconfig .config"
        ),
        words="# ; !",
    ),
    # Two dashes.
    _row("SQL", ".sql .psql .pgsql .ddl .dml .plsql .pks .pkb", line="--", block=_C, strings="'/mr \"/r"),
    _row(
        "Lua",
        ".lua .rockspec .luau",
        line="--",
        block="--[[ ]] --[=[ ]=] --[==[ ]==]",
        strings="[[…]]/mr [=[…]=]/mr " + _TWO,
        programs="lua luajit",
    ),
    _row(
        "Haskell",
        ".hs .lhs .hsc .purs .elm .idr .agda .dhall .cabal",
        line="--",
        block="{- -}",
        nested=True,
        strings='"',
        atoms=_CHARACTER,
        programs="runhaskell runghc stack",
    ),
    _row("Lean", ".lean", line="--", block="/- -/", nested=True, strings='"/m', atoms=_CHARACTER),
    _row("Ada", ".adb .ads .ada .gpr", line="--", strings='"/r', atoms=_CHARACTER),
    _row("VHDL", ".vhd .vhdl", line="--", block=_C, strings='"/r', atoms=_CHARACTER),
    _row("Eiffel", ".e", line="--", strings='"', atoms=_CHARACTER),
    _row("AppleScript", ".applescript", line="-- #", block="(* *)", nested=True, strings='"', programs="osascript"),
    # Parentheses and stars.
    _row(
        "OCaml",
        ".ml .mli .mll .mly",
        block="(* *)",
        nested=True,
        strings='{|…|}/mr "/m',
        atoms=_CHARACTER,
        programs="ocaml",
    ),
    _row("Standard ML", ".sml .sig .fun", block="(* *)", nested=True, strings='"'),
    _row("Mathematica", ".wl .wls", block="(* *)", nested=True, strings='"/m'),
    # Semicolons.
    _row(
        "Lisp",
        ".lisp .lsp .el .asd .scm .ss .rkt .sld .fnl .hy",
        names=".emacs",
        line=";",
        block="#| |#",
        nested=True,
        strings='"/m',
        atoms=_LISP,
        programs="sbcl guile racket emacs",
    ),
    _row("Clojure", ".clj .cljs .cljc .edn .bb", line=";", strings='"/m', atoms=_LISP, programs="clojure bb"),
    _row("Assembly", ".asm .s .nasm", line="; # //", block=_C, strings='"', spaced=True),
    _row("LLVM", ".ll", line=";", strings='"/r'),
    _row("AutoHotkey", ".ahk", line=";", block=_C, strings='"/r', spaced=True),
    _row("WebAssembly", ".wat .wast", line=";;", block="(; ;)", nested=True, strings='"'),
    # Percent signs.
    _row("TeX", ".tex .sty .cls .ltx .dtx .bib", line="%", atoms=(rb"\\.",), prose=True),
    _row(
        "Erlang",
        ".erl .hrl .escript",
        names="rebar.config",
        line="%",
        strings=_TWO,
        atoms=(rb"\$\\?.",),
        programs="escript",
    ),
    _row("Prolog", ".pro .prolog .plt", line="%", block=_C, strings=_TWO, atoms=(rb"0'\\?.",), programs="swipl"),
    _row("PostScript", ".ps .eps", line="%"),
    _row("Mermaid", ".mmd .mermaid", words="%%"),
    # Markup and templates.
    _row("HTML", ".html .htm .xhtml .shtml", line="//", block=_HTML + " " + _C, spaced=True, prose=True),
    _row("Component", ".vue .svelte .astro", line="//", block=_HTML + " " + _C, strings="`/m", spaced=True, prose=True),
    _row(
        "XML",
        ".xml .xsd .xsl .xslt .svg .plist .csproj .fsproj .vbproj .props .targets .xaml .wsdl .rss .atom .resx .xib",
        block=_HTML,
        prose=True,
    ),
    _row("Markdown", ".md .markdown .mdx .qmd .mdown", block=f"{_HTML} {{/* */}}", words="[//]:", prose=True),
    _row("reStructuredText", ".rst .rest", words="..", prose=True),
    _row("Template", ".j2 .jinja .jinja2 .twig .njk .tera .liquid", block="{# #} " + _HTML, prose=True),
    _row("Handlebars", ".hbs .handlebars .mustache", block="{{!-- --}} {{! }} " + _HTML, prose=True),
    _row("ERB and EJS", ".erb .ejs .jsp .eex .asp .aspx .ascx", block="<%-- --%> <%# %> " + _HTML, prose=True),
    _row("Razor", ".cshtml .razor", line="//", block="@* *@ " + _HTML, spaced=True, prose=True),
    _row("Haml", ".haml", words="-#", prose=True),
    # Others.
    _row("Vim script", ".vim", names=".vimrc .gvimrc _vimrc", words='" #'),
    _row("Fortran", ".f90 .f95 .f03 .f08 .f18 .fpp", line="!", strings="'/r \"/r"),
    _row("Fortran, fixed form", ".f .for .f77 .ftn", line="!", words="c *", strings="'/r \"/r"),
    _row("COBOL", ".cob .cbl .cpy .cobol", line="*>", words="*", strings="'/r \"/r"),
    _row("Visual Basic", ".vb .bas .vbs .frm .vba", line="'", words="rem", strings='"/r'),
    _row("Batch", ".bat .cmd", words="rem @rem ::"),
    _row("Smalltalk", ".st", block='" "', strings="'/mr"),
    _row("Forth", ".fth .4th .forth", line="\\", block="( )", spaced=True),
    _row(
        "M4 and Autoconf",
        ".m4 .ac .am",
        names="configure.ac makefile.am configure.in",
        line="#",
        words="dnl",
        spaced=True,
    ),
    _row("Texinfo", ".texi .texinfo .txi", words="@c @comment", prose=True),
    _row("roff", ".1 .2 .3 .4 .5 .6 .7 .8 .man .roff .ms", words='.\\" \'\\"', prose=True),
    _row("PlantUML", ".puml .plantuml .iuml", words="'", block="/' '/"),
    _row("Stata and SAS", ".do .ado .sas", line="//", words="*", block=_C, strings='"/r', spaced=True),
    _row("ABAP", ".abap", line='"', words="*", strings="'/r"),
)


@cache
def _tables() -> tuple[dict[str, Language], dict[str, Language], dict[str, Language]]:
    extensions: dict[str, Language] = {}
    names: dict[str, Language] = {}
    programs: dict[str, Language] = {}
    for language in LANGUAGES:
        for table, keys in ((extensions, language.extensions), (names, language.names), (programs, language.programs)):
            for key in keys:
                table.setdefault(key, language)
    return extensions, names, programs


_SHEBANG: Final = re.compile(rb"#![ \t]*(?:\S*/env(?:[ \t]+-S)?(?:[ \t]+\w+=\S*)*[ \t]+)?(?:\S*/)?([A-Za-z_-]+)")


def language_of(path: str, start: bytes = b"") -> Language | None:
    """The language of a file by its name, or by the ``#!`` line that it starts with; None when neither tells.

    :param start: the first bytes of the file.
    """
    extensions, names, programs = _tables()
    name = path.rpartition("/")[2].lower()
    found = names.get(name)
    while found is None and "." in name:
        name = name.partition(".")[2]
        found = extensions.get(f".{name}")
    stem = path.rpartition("/")[2].lower().partition(".")[0]
    if found is None and stem.endswith("file"):
        found = names.get(stem)  # Dockerfile.dev, Jenkinsfile.release
    if found is None and start.startswith(b"#!") and (match := _SHEBANG.match(start)) is not None:
        found = programs.get(match[1].decode().lower())
    return found
