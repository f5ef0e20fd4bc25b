"""Signs of our own texts for terminals that draw ASCII only."""

from __future__ import annotations

_SIGNS = str.maketrans(
    {"·": "-", "…": "~", "–": "-", "−": "-", "→": "->", "←": "<-", "›": ">", "│": "|", "━": "#", "─": "-", "×": "x"}
)


def plain_signs(text: str, ascii_only: bool = True) -> str:
    """The text with the signs that we write between words as ASCII; letters of any script stay."""
    return text.translate(_SIGNS) if ascii_only and not text.isascii() else text
