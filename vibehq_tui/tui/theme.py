"""Themes: colours by role, for the widgets' style sheets and for what is painted line by line.

A role says what something means (``ok``, ``warn``, ``dim``, ``cursor``), a palette what it looks like. Every painted
text names a role; no widget knows a colour. State is never told by colour alone: a glyph and a word stand beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache

from rich.style import Style
from textual.theme import Theme


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """The colours of a theme: ``#rrggbb``, or an ANSI name (``ansi_blue``, ``ansi_default``) in the ``ansi`` theme."""

    name: str
    title: str
    """How the palette command shows it."""
    dark: bool = True
    ansi: bool = False
    background: str
    strip: str
    """Behind the status strip and the footer."""
    raised: str
    """Behind dialogs and toasts."""
    line: str
    """Borders, rules, scroll bars."""
    text: str
    strong: str
    dim: str
    faint: str
    accent: str
    """The focused border, titles, links."""
    key: str
    """Keys in the footer and in help."""
    ok: str
    busy: str
    wait: str
    warn: str
    error: str
    cursor: str
    """Behind the selected row of the focused list."""
    cursor_blurred: str
    match: str
    """Behind the text that a filter or search found."""
    match_text: str
    added: str
    added_back: str
    added_word: str
    """Behind the words of an added line that really changed."""
    removed: str
    removed_back: str
    removed_word: str


DARK = Palette(
    name="vibe-dark",
    title="dark",
    background="#0d1117",
    strip="#161b22",
    raised="#161b22",
    line="#30363d",
    text="#c9d1d9",
    strong="#f0f6fc",
    dim="#8b949e",
    faint="#6e7681",
    accent="#58a6ff",
    key="#d29922",
    ok="#3fb950",
    busy="#58a6ff",
    wait="#d29922",
    warn="#d29922",
    error="#f85149",
    cursor="#1f3a5f",
    cursor_blurred="#1c2530",
    match="#6e4e00",
    match_text="#ffffff",
    added="#3fb950",
    added_back="#12261e",
    added_word="#1a6334",
    removed="#f85149",
    removed_back="#341518",
    removed_word="#8e2a2f",
)

LIGHT = Palette(
    name="vibe-light",
    title="light",
    dark=False,
    background="#ffffff",
    strip="#eef1f4",
    raised="#f6f8fa",
    line="#d0d7de",
    text="#24292f",
    strong="#0b1117",
    dim="#57606a",
    faint="#6e7781",
    accent="#0969da",
    key="#8a5a00",
    ok="#16752f",
    busy="#0969da",
    wait="#8a5a00",
    warn="#8a5a00",
    error="#cf222e",
    cursor="#cfe4fb",
    cursor_blurred="#e9eef3",
    match="#ffe08a",
    match_text="#24292f",
    added="#16752f",
    added_back="#e2f6e7",
    added_word="#abebbf",
    removed="#cf222e",
    removed_back="#fdeaea",
    removed_word="#ffc1bd",
)

CLEAR = Palette(
    name="vibe-clear",
    title="colour-blind safe (blue and orange)",
    background="#0d1117",
    strip="#161b22",
    raised="#161b22",
    line="#3a4350",
    text="#d0d7de",
    strong="#ffffff",
    dim="#9aa4af",
    faint="#7d8590",
    accent="#7cc4ff",
    key="#ffd166",
    ok="#56b4e9",
    busy="#a6c8ff",
    wait="#f0e442",
    warn="#f0a830",
    error="#ff8c42",
    cursor="#23395b",
    cursor_blurred="#1c2530",
    match="#5c5000",
    match_text="#ffffff",
    added="#56b4e9",
    added_back="#0f2540",
    added_word="#1d5c96",
    removed="#ff9d57",
    removed_back="#3a2208",
    removed_word="#8a4b0b",
)

ANSI = Palette(
    name="vibe-ansi",
    title="ansi (the terminal's own colours)",
    ansi=True,
    background="ansi_default",
    strip="ansi_default",
    raised="ansi_default",
    line="ansi_bright_black",
    text="ansi_default",
    strong="ansi_default",
    dim="ansi_default",
    faint="ansi_default",
    accent="ansi_blue",
    key="ansi_yellow",
    ok="ansi_green",
    busy="ansi_cyan",
    wait="ansi_yellow",
    warn="ansi_yellow",
    error="ansi_red",
    cursor="ansi_default",
    cursor_blurred="ansi_default",
    match="ansi_default",
    match_text="ansi_default",
    added="ansi_green",
    added_back="ansi_default",
    added_word="ansi_default",
    removed="ansi_red",
    removed_back="ansi_default",
    removed_word="ansi_default",
)

PALETTES: Mapping[str, Palette] = {palette.name: palette for palette in (DARK, LIGHT, CLEAR, ANSI)}
"""By name, in the order in which ``t`` goes through them."""

DEFAULT = DARK.name

_BACKGROUNDS = frozenset(
    {
        "background",
        "strip",
        "raised",
        "cursor",
        "cursor_blurred",
        "added_back",
        "added_word",
        "removed_back",
        "removed_word",
    }
)
_ATTRIBUTES = {"strong": "bold", "key": "bold", "match": "bold", "added_word": "bold", "removed_word": "bold"}
_ANSI_STYLES = {
    "dim": Style(dim=True),
    "faint": Style(dim=True),
    "line": Style(dim=True),
    "cursor": Style(reverse=True),
    "cursor_blurred": Style(bold=True),
    "match": Style(bold=True, underline=True),
    "added_word": Style(bold=True, underline=True),
    "removed_word": Style(bold=True, underline=True),
}
"""Where the terminal's own colours say nothing, an attribute does; so a screen without any colour can be read too."""


@cache
def styles(theme: str) -> Mapping[str, Style]:
    """The rich style of each role of a theme. Roles: the fields of :class:`Palette`, and ``""`` for plain text.

    Text roles have no background, background roles (``cursor``, ``added_back``, …) no foreground, so they add up.

    :param theme: the name; one that is not ours gets the default colours.
    """
    palette = PALETTES.get(theme, DARK)
    table: dict[str, Style] = {"": _style(palette.text)}
    for field in fields(palette):
        if field.name in ("name", "title", "dark", "ansi"):
            continue
        colour = getattr(palette, field.name)
        if palette.ansi and field.name in _ANSI_STYLES:
            table[field.name] = _ANSI_STYLES[field.name]
        elif field.name == "match":
            table["match"] = Style(color=palette.match_text, bgcolor=palette.match, bold=True)
        elif field.name in _BACKGROUNDS:
            table[field.name] = Style() if palette.ansi else Style(bgcolor=colour)
        else:
            table[field.name] = _style(colour, _ATTRIBUTES.get(field.name))
    return table


def _style(colour: str, attribute: str | None = None) -> Style:
    name = colour.removeprefix("ansi_")
    return Style(color=None if name == "default" else name, bold=True if attribute == "bold" else None)


def textual_theme(palette: Palette) -> Theme:
    """The palette as Textual's style sheets want it; ours are there as ``$strip``, ``$line``, ``$dim``, …"""
    variables = {
        "strip": palette.strip,
        "raised": palette.raised,
        "line": palette.line,
        "dim": palette.dim,
        "strong": palette.strong,
        "accent-line": palette.accent,
        "key": palette.key,
        "scrollbar": palette.line,
        "scrollbar-hover": palette.dim,
        "scrollbar-active": palette.accent,
        "scrollbar-background": palette.background,
        "scrollbar-background-hover": palette.background,
        "scrollbar-background-active": palette.background,
        "scrollbar-corner-color": palette.background,
        "input-selection-background": palette.cursor,
        "border": palette.accent,
        "border-blurred": palette.line,
        "screen-selection-background": palette.cursor,
        "screen-selection-foreground": palette.text,
        "ansi-background": palette.raised,
        "ansi-foreground": palette.text,
    }
    return Theme(
        name=palette.name,
        primary=palette.accent,
        secondary=palette.busy,
        warning=palette.warn,
        error=palette.error,
        success=palette.ok,
        accent=palette.accent,
        foreground=palette.text,
        background=palette.background,
        surface=palette.background,
        panel=palette.raised,
        dark=palette.dark,
        ansi=palette.ansi,
        variables=variables,
    )


def following(theme: str) -> str:
    """The theme after this one, from the last to the first."""
    names = list(PALETTES)
    return names[(names.index(theme) + 1) % len(names)] if theme in names else names[0]
